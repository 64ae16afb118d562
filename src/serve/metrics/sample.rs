//! Gauges, read when somebody scrapes: whoever does not pays nothing, and none is older than the scrape.

use std::time::Duration;

use dataflows::types::Time;
use jiff::tz::TimeZone;
use metrics::gauge;

use super::resident_bytes;
use crate::engine::Published;
use crate::serve::Service;

/// How long a scrape waits for the store, which may be at work on a large file. Past it what is read there stays as it
/// was told last.
const STORE_WAIT: Duration = Duration::from_millis(250);

/// Reads all gauges. It may wait for the store, and is nothing for a thread that answers.
pub fn sample(service: &Service) {
    let published = service.intake.hub().published();
    gauge!("cohortflow_epoch").set(published.epoch as f64);
    gauge!("cohortflow_as_of_month").set(published.clock.as_of.map_or(0.0, |month| f64::from(month.0)));
    for (account, points) in published.books.accounts() {
        gauge!("cohortflow_points", "account" => account).set(points as f64);
    }
    gauge!("cohortflow_points_imbalance").set(published.books.imbalance() as f64);
    if let Some(available) = service.intake.room().available() {
        gauge!("cohortflow_disk_available_bytes").set(available as f64);
    }
    gauge!("cohortflow_resident_bytes").set(resident_bytes().0 as f64);
    memory(service, &published);
    queues(service);
    store(service);
}

fn memory(service: &Service, published: &Published) {
    gauge!("cohortflow_chunks").set(published.chunks().count() as f64);
    for (family, cells) in published.cells() {
        gauge!("cohortflow_count_cells", "family" => family.name()).set(cells as f64);
    }
    for (kind, rows) in published.rows() {
        gauge!("cohortflow_chunk_rows", "kind" => kind).set(rows as f64);
    }
    let dictionary = service.intake.names();
    let names = dictionary.read();
    for (of, names) in [("customers", &names.customers), ("words", &names.words)] {
        gauge!("cohortflow_names", "of" => of).set(names.len() as f64);
        gauge!("cohortflow_names_bytes", "of" => of).set(names.bytes() as f64);
    }
    drop(names);
    for held in service.feeds.held() {
        gauge!("cohortflow_feed_held_rows", "view" => held.view).set(held.rows as f64);
        gauge!("cohortflow_feed_recent_bytes", "view" => held.view).set(held.recent_bytes as f64);
    }
}

fn queues(service: &Service) {
    let (rows, batches) = service.intake.hub().pending();
    gauge!("cohortflow_pending_rows").set(rows as f64);
    let waits =
        |queue: &'static str, waiting: usize| gauge!("cohortflow_queue_length", "queue" => queue).set(waiting as f64);
    waits("engine", batches);
    waits("short", service.intake.short(|_| true).len());
    waits("outbox", service.intake.handoffs().map_or(0, |handoffs| handoffs.lying()));
}

fn store(service: &Service) {
    let Some(store) = service.intake.store().try_lock_for(STORE_WAIT) else { return };
    let (bytes, dead) = store.log_bytes();
    gauge!("cohortflow_live_rows").set(store.live_rows() as f64);
    gauge!("cohortflow_log_bytes").set(bytes as f64);
    gauge!("cohortflow_log_dead_bytes").set(dead as f64);
    gauge!("cohortflow_queue_length", "queue" => "held").set(store.ledger().waiting() as f64);
    let newest: Vec<_> = store.ledger().newest().collect();
    drop(store);
    let zone = service.intake.document().settings.zone.clone();
    for (feed, newest) in newest {
        let told = |name: &'static str, at: Option<Time>| {
            if let Some(at) = at.and_then(|at| unix(at, &zone)) {
                gauge!(name, "feed" => feed.name()).set(at as f64);
            }
        };
        told("cohortflow_accepted_timestamp_seconds", Some(newest.accepted_at));
        told("cohortflow_period_timestamp_seconds", newest.period_end);
    }
    // It asks the store as well.
    let is_ready = service.readiness.reasons(service).is_empty();
    gauge!("cohortflow_ready").set(f64::from(u8::from(is_ready)));
}

/// Unix seconds of a moment in local time. Of two moments of the same local time, the first.
fn unix(at: Time, zone: &TimeZone) -> Option<i64> {
    let local = jiff::Timestamp::from_second(at.0).ok()?.to_zoned(TimeZone::UTC).datetime();
    Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use dataflows::types::Day;

    use super::*;

    #[test]
    fn local_time_is_told_in_unix_seconds() {
        let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
        let at = Day::parse("2009-07-31").expect("a day").start();
        assert_eq!(
            unix(at, &zone),
            Some("2009-07-31T00:00:00+08:00".parse::<jiff::Timestamp>().expect("a moment").as_second())
        );
    }
}
