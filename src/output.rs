//! What is told on stdout and stderr. Whoever listens may go before the end: `| head` has seen enough,
//! the reader of a log was restarted. That is no failure, and never ends the process.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::numbers::hidden;

/// Prints a line on stdout.
pub fn print(line: impl Display) -> anyhow::Result<()> {
    heard(writeln!(io::stdout().lock(), "{line}"))
}

/// Holds what became of a write to stdout: a disk that is full is an error, a reader who is gone is none.
pub fn heard(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(anyhow::Error::new(error).context("could not write to stdout")),
        Ok(()) => Ok(()),
    }
}

/// Whether who reads stderr reads one JSON object a line, as the log has them.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// Tells everything on stderr as JSON from now on.
pub fn tell_as_json() {
    AS_JSON.store(true, Ordering::Relaxed);
}

/// Tells a line on stderr, where nothing is lost if nobody listens. It stands among the lines of the log, and has a phone
/// number as little as they have.
pub fn tell(line: impl Display) {
    let line = line.to_string();
    let line = hidden(&line);
    if AS_JSON.load(Ordering::Relaxed) {
        let _ = writeln!(io::stderr().lock(), "{}", as_json(&line));
    } else {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// A line with the members that lines of the log have.
fn as_json(line: &str) -> serde_json::Value {
    let level = match line.split_once(": ") {
        Some(("error", _)) => "ERROR",
        Some(("warning", _)) => "WARN",
        _ => "INFO",
    };
    json!({ "timestamp": jiff::Timestamp::now().to_string(), "level": level, "message": line, "target": "cohortflow" })
}

/// An error as people read it: what failed, each cause once, and last what to do about it.
pub fn told(error: &anyhow::Error) -> String {
    let (mut facts, mut hints): (String, Vec<String>) = Default::default();
    for cause in error.chain() {
        let text = cause.to_string();
        let (fact, hint) = text.split_once("\nhint: ").map_or((&*text, None), |(fact, hint)| (fact, Some(hint)));
        // Some messages name their cause themselves.
        if !facts.contains(fact) {
            if !facts.is_empty() {
                facts.push_str(": ");
            }
            facts.push_str(fact);
        }
        hints.extend(hint.map(str::to_owned));
    }
    hints.dedup();
    hints.iter().for_each(|hint| facts.push_str(&format!("\nhint: {hint}")));
    facts
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn hints_come_last_and_causes_once() {
        let error = anyhow!("no such file").context("could not open \"x\": no such file\nhint: name another");
        assert_eq!(told(&error), "could not open \"x\": no such file\nhint: name another");
        let error = anyhow!("address in use\nhint: wait").context("could not listen\nhint: choose another");
        assert_eq!(told(&error), "could not listen: address in use\nhint: choose another\nhint: wait");
    }

    #[test]
    fn a_reader_who_is_gone_is_no_failure_and_a_full_disk_is_one() {
        assert!(heard(Err(ErrorKind::BrokenPipe.into())).is_ok());
        let full = heard(Err(ErrorKind::StorageFull.into()));
        assert!(full.is_err_and(|error| told(&error).starts_with("could not write to stdout: ")));
    }
}
