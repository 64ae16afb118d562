//! What is counted on the way in, for whoever watches it from outside: by feed and by reason, of which there are few.

use std::time::Duration;

use dataflows::records::Feed;

use crate::ingest::Reasons;

/// A stage that a file has come through.
#[derive(Clone, Copy)]
pub enum Stage {
    /// Read, unpacked, split and validated.
    Decode,
    /// Set against what stands, and durable.
    Commit,
}

/// How long a file took.
pub fn took(feed: Feed, stage: Stage, time: Duration) {
    let stage = match stage {
        Stage::Decode => "decode",
        Stage::Commit => "commit",
    };
    metrics::histogram!("cohortflow_file_seconds", "feed" => feed.name(), "stage" => stage).record(time.as_secs_f64());
}

/// Rows of a file that was accepted, which were set aside.
pub fn set_aside(feed: Feed, reasons: &Reasons) {
    for (reason, rows) in reasons {
        metrics::counter!("cohortflow_bad_rows_total", "feed" => feed.name(), "reason" => *reason).increment(*rows);
    }
}

/// A file that was refused whole.
pub fn refused(feed: Feed, reason: &'static str) {
    metrics::counter!("cohortflow_refused_files_total", "feed" => feed.name(), "reason" => reason).increment(1);
}
