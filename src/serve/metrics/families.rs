//! Every family of metrics by name, with what it tells: one list, so that none is without a text and none comes unseen.
//!
//! Decided here:
//! - Moments are told as Unix seconds and not as ages: an age stands still with whoever computes it, a moment does not.
//!   How old something is, is `time() - cohortflow_..._timestamp_seconds`.
//! - A view is told to have changed where that costs nothing: where somebody follows it, and its difference is made
//!   anyway. For the others it would cost their reading with each epoch.
//! - Memory is told by what the engine keeps, and views are read from: cells of counts by family, rows that stand in
//!   chunks by kind, names, and what feeds hold of views. None of it is looked at unless somebody scrapes.
//! - Labels are taken from sets that whoever serves has written down: feeds, views, routes as templates, reasons, channels
//!   of webhooks. None is taken from what comes in.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How a family is to be read.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

const FAMILIES: &[(&str, Kind, &str)] = &[
    ("cohortflow_visible_seconds", Histogram, "From durable to visible in every view, of each epoch."),
    (
        "cohortflow_file_seconds",
        Histogram,
        "How long a file took, by feed and stage: decode; commit; visible, from durable on.",
    ),
    ("cohortflow_http_seconds", Histogram, "From a request to the head of its answer, by route as a template."),
    ("cohortflow_sql_seconds", Histogram, "How long the work on a statement of SQL took, whoever asked it."),
    ("cohortflow_files_total", Counter, "Files that were looked at, by what became of them."),
    ("cohortflow_rows_total", Counter, "Rows of files that were accepted."),
    ("cohortflow_bad_rows_total", Counter, "Rows of such files that were set aside, by reason."),
    ("cohortflow_refused_files_total", Counter, "Files that were refused whole, by reason."),
    ("cohortflow_handed_off_total", Counter, "Contacts that were handed off."),
    ("cohortflow_provisioned_total", Counter, "Order requests that were given out."),
    ("cohortflow_feed_rows_total", Counter, "Rows that came or went in views that are followed."),
    (
        "cohortflow_webhook_total",
        Counter,
        "Attempts to post a contact that failed, and contacts that need none any more, by outcome.",
    ),
    (
        "cohortflow_feed_webhook_total",
        Counter,
        "Messages of views that are posted, by what came of an attempt: sent, failed, dead.",
    ),
    ("cohortflow_otlp_exports_total", Counter, "Batches of spans that went to the collector, and that did not."),
    ("cohortflow_epoch", Gauge, "The epoch that is visible."),
    ("cohortflow_as_of_month", Gauge, "The month of the clock, counted from the year 0."),
    ("cohortflow_pending_rows", Gauge, "Rows that wait for the workers."),
    (
        "cohortflow_queue_length",
        Gauge,
        "What waits, by where: files in landing, short of room and held for a person; batches for the engine; contacts in the outbox.",
    ),
    ("cohortflow_webhook_pending", Gauge, "Contacts that were taken to be posted, by channel."),
    ("cohortflow_accepted_timestamp_seconds", Gauge, "When something of a feed was accepted last."),
    ("cohortflow_period_timestamp_seconds", Gauge, "The end of the newest month or day that was accepted of a feed."),
    (
        "cohortflow_view_changed_timestamp_seconds",
        Gauge,
        "When a view that is followed changed last, or began to be followed; NaN where it is not any more.",
    ),
    ("cohortflow_view_changed_epoch", Gauge, "The epoch of that."),
    ("cohortflow_feed_consumers", Gauge, "Who follows a view."),
    ("cohortflow_feed_held_rows", Gauge, "Rows that are held of a view, so that its next difference can be made."),
    ("cohortflow_feed_recent_bytes", Gauge, "Bytes of what was told of a view last, held for those who follow."),
    (
        "cohortflow_feed_webhook_stopped",
        Gauge,
        "1 where a view stands still at a message that its receiver did not take.",
    ),
    ("cohortflow_points", Gauge, "Where all points are; the accounts add up to 0."),
    ("cohortflow_points_imbalance", Gauge, "What the accounts of points add up to: 0, or wrong."),
    (
        "cohortflow_divergences",
        Gauge,
        "Rows in which the last verification found the views to differ from a recompute.",
    ),
    ("cohortflow_verified_timestamp_seconds", Gauge, "When the views were verified last."),
    ("cohortflow_live_rows", Gauge, "Rows that stand, of all feeds."),
    ("cohortflow_chunk_rows", Gauge, "Rows that stand in the chunks of customers, by kind."),
    ("cohortflow_chunks", Gauge, "Chunks of customers that are published."),
    ("cohortflow_count_cells", Gauge, "Cells of counts that views are read from, by family; some 64 bytes each."),
    ("cohortflow_names", Gauge, "Names in the dictionary."),
    ("cohortflow_names_bytes", Gauge, "Bytes that they take."),
    ("cohortflow_log_bytes", Gauge, "Bytes of the log."),
    ("cohortflow_log_dead_bytes", Gauge, "Bytes of it that nothing stands on any more."),
    ("cohortflow_disk_available_bytes", Gauge, "Bytes that are free on the disk of the data."),
    ("cohortflow_resident_bytes", Gauge, "Memory of this process."),
    ("cohortflow_sql_statements_running", Gauge, "Statements of SQL that take processors' time."),
    ("cohortflow_ready", Gauge, "1 where the service can be relied on, 0 where /readyz says why not."),
];

/// Gives each its text.
pub fn describe() {
    for &(name, kind, about) in FAMILIES {
        match kind {
            Counter => describe_counter!(name, about),
            Gauge => describe_gauge!(name, about),
            Histogram => describe_histogram!(name, about),
        }
    }
}
