//! What is written to a log, without phone numbers: the last to look at a line before it leaves.
//!
//! No event of ours has one. But names of files are chosen by others, and errors say what they were about.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use super::Format;
use crate::numbers::{hidden, hidden_in_json};

/// Makes writers that hide.
pub struct Masked<M> {
    pub inner: M,
    pub format: Format,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Masked<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Line<M::Writer> {
        Line { inner: self.inner.make_writer(), format: self.format }
    }

    fn make_writer_for(&'a self, meta: &tracing::Metadata<'_>) -> Line<M::Writer> {
        Line { inner: self.inner.make_writer_for(meta), format: self.format }
    }
}

/// A line on its way. It comes whole: an event is made in memory first.
pub struct Line<W> {
    inner: W,
    format: Format,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let told = match self.format {
            Format::Text => hidden(&text),
            Format::Json => hidden_in_json(&text),
        };
        self.inner.write_all(told.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_leaves_has_no_number() {
        for (format, told) in [(Format::Text, "file=***********\n"), (Format::Json, "file=13812345678\n")] {
            let mut written = Vec::new();
            let mut line = Line { inner: &mut written, format };
            line.write_all(b"file=13812345678\n").expect("to memory");
            assert_eq!(written, told.as_bytes());
        }
    }
}
