//! What Prometheus sees.

use std::time::Duration;

use dataflows::records::Feed;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::Service;
use crate::intake::Taken;

/// The registry, shared.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

/// Seconds: from a tenth of a millisecond, what one correction takes, to ten seconds.
const LATENCY_BUCKETS: [f64; 16] =
    [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

impl Metrics {
    /// Makes the registry of this process.
    pub fn install() -> anyhow::Result<Metrics> {
        let name = Matcher::Full("cohortflow_visible_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(name, &LATENCY_BUCKETS)?;
        metrics::describe_histogram!("cohortflow_visible_seconds", "From durable to visible in every view.");
        metrics::describe_gauge!("cohortflow_points", "Where all points are; the accounts add up to 0.");
        metrics::describe_gauge!("cohortflow_points_imbalance", "What the accounts of points add up to: 0, or wrong.");
        Ok(Metrics(builder.install_recorder()?))
    }

    /// An epoch became visible.
    pub fn visible(&self, latency: Duration) {
        metrics::histogram!("cohortflow_visible_seconds").record(latency.as_secs_f64());
    }

    /// A file was looked at.
    pub fn taken(&self, feed: Feed, taken: &Taken) {
        let (outcome, rows, bad_rows) = match taken {
            Taken::Accepted { rows, bad_rows, .. } => ("accepted", *rows, *bad_rows),
            Taken::Superseded => ("superseded", 0, 0),
            Taken::Duplicate => ("duplicate", 0, 0),
            Taken::Undone => ("undone", 0, 0),
            Taken::Held { .. } => ("held", 0, 0),
            Taken::Rejected(_) => ("rejected", 0, 0),
            Taken::Later(_) => ("later", 0, 0),
        };
        metrics::counter!("cohortflow_files_total", "feed" => feed.name(), "outcome" => outcome).increment(1);
        metrics::counter!("cohortflow_rows_total", "feed" => feed.name()).increment(rows);
        metrics::counter!("cohortflow_bad_rows_total", "feed" => feed.name()).increment(bad_rows);
    }

    /// Reads the gauges.
    pub fn sample(&self, service: &Service) {
        let published = service.intake.hub().published();
        let (live, (bytes, dead)) = {
            let store = service.intake.store().lock();
            (store.live_rows(), store.log_bytes())
        };
        metrics::gauge!("cohortflow_epoch").set(published.epoch as f64);
        metrics::gauge!("cohortflow_as_of_month").set(published.clock.as_of.map_or(0.0, |month| f64::from(month.0)));
        metrics::gauge!("cohortflow_pending_rows").set(service.intake.hub().pending_rows() as f64);
        for (account, points) in published.books.accounts() {
            metrics::gauge!("cohortflow_points", "account" => account).set(points as f64);
        }
        metrics::gauge!("cohortflow_points_imbalance").set(published.books.imbalance() as f64);
        metrics::gauge!("cohortflow_live_rows").set(live as f64);
        metrics::gauge!("cohortflow_log_bytes").set(bytes as f64);
        metrics::gauge!("cohortflow_log_dead_bytes").set(dead as f64);
        if let Some(available) = service.intake.room().available() {
            metrics::gauge!("cohortflow_disk_available_bytes").set(available as f64);
        }
        metrics::gauge!("cohortflow_resident_bytes").set(resident_bytes().0 as f64);
        self.0.run_upkeep();
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Resident memory of this process now, and at its most; 0 where the system does not tell.
pub fn resident_bytes() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
    };
    (kilobytes("VmRSS:") * 1024, kilobytes("VmHWM:") * 1024)
}
