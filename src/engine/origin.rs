//! Where facts came from, for who watches how long they take.

use std::time::Instant;

use dataflows::records::Feed;

/// A file that is durable, until readers have it.
pub struct Origin {
    feed: Feed,
    durable_at: Instant,
    /// Ends where this does.
    _visible: tracing::Span,
}

impl Origin {
    /// Begins within whatever is told of the file.
    pub fn new(feed: Feed, durable_at: Instant) -> Origin {
        let visible = tracing::info_span!("visible", feed = feed.name());
        Origin { feed, durable_at, _visible: visible }
    }

    /// Readers have it.
    pub(super) fn seen(self) {
        metrics::histogram!("cohortflow_file_seconds", "feed" => self.feed.name(), "stage" => "visible")
            .record(self.durable_at.elapsed().as_secs_f64());
    }
}
