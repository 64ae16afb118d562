//! The latest lines of the log, whatever goes to stderr: for whoever is asked for help.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::LazyLock;

use parking_lot::Mutex;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Layer;

use super::masked::Masked;
use super::{Boxed, Format};

/// Lines that are kept, and bytes of each.
const LINES: usize = 1000;
const LINE_BYTES: usize = 2000;

static KEPT: LazyLock<Mutex<VecDeque<String>>> = LazyLock::new(Mutex::default);

/// The latest lines, the oldest first.
pub fn latest() -> Vec<String> {
    KEPT.lock().iter().cloned().collect()
}

/// Keeps what this service tells of its work. Spans are not looked at, so that they cost nothing where nobody collects them.
pub fn layer() -> Boxed {
    let is_kept = |metadata: &Metadata<'_>| {
        metadata.is_event() && *metadata.level() <= Level::INFO && metadata.target().starts_with("cohortflow")
    };
    let lines = Masked { inner: || Line(Vec::new()), format: Format::Text };
    fmt::layer().with_ansi(false).with_writer(lines).with_filter(filter_fn(is_kept)).boxed()
}

/// A line that is being written.
struct Line(Vec<u8>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = LINE_BYTES.saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut kept = KEPT.lock();
        if kept.len() >= LINES {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&self.0).trim_end().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_lines_are_kept_and_no_long_one_whole() {
        for number in 0..LINES + 5 {
            let mut line = Line(Vec::new());
            writeln!(line, "line {number} {}", "x".repeat(2 * LINE_BYTES)).expect("to memory");
        }
        let lines = latest();
        assert_eq!(lines.len(), LINES);
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES));
        assert!(lines.last().is_some_and(|line| line.starts_with(&format!("line {} ", LINES + 4))));
    }
}
