//! What Prometheus sees.

mod families;
mod requests;
mod sample;

use std::time::Duration;

use dataflows::records::Feed;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::intake::Taken;
pub use requests::measured;
pub use sample::sample;

/// The registry, shared.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

/// Seconds: from a tenth of a millisecond, what one correction takes, to ten seconds.
const LATENCY_BUCKETS: [f64; 16] =
    [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Seconds, of what is told by more than one label: fewer of them, and up to the minutes that a month's file takes.
const COARSE_BUCKETS: [f64; 11] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

impl Metrics {
    /// Makes the registry of this process.
    pub fn install() -> anyhow::Result<Metrics> {
        let full = |name: &str| Matcher::Full(name.to_owned());
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(full("cohortflow_visible_seconds"), &LATENCY_BUCKETS)?
            .set_buckets_for_metric(full("cohortflow_sql_seconds"), &LATENCY_BUCKETS)?
            .set_buckets_for_metric(full("cohortflow_file_seconds"), &COARSE_BUCKETS)?
            .set_buckets_for_metric(full("cohortflow_http_seconds"), &COARSE_BUCKETS)?;
        let handle = builder.install_recorder()?;
        families::describe();
        // What has not happened is told as such, and not left out.
        metrics::counter!("cohortflow_handed_off_total").absolute(0);
        metrics::counter!("cohortflow_provisioned_total").absolute(0);
        Ok(Metrics(handle))
    }

    /// An epoch became visible.
    pub fn visible(&self, latency: Duration) {
        metrics::histogram!("cohortflow_visible_seconds").record(latency.as_secs_f64());
    }

    /// A file was looked at.
    pub fn taken(&self, feed: Feed, taken: &Taken) {
        let (outcome, rows) = match taken {
            Taken::Accepted { rows, .. } => ("accepted", *rows),
            Taken::Superseded => ("superseded", 0),
            Taken::Duplicate => ("duplicate", 0),
            Taken::Undone => ("undone", 0),
            Taken::Held { .. } => ("held", 0),
            Taken::Rejected(_) => ("rejected", 0),
            Taken::Later(_) => ("later", 0),
        };
        metrics::counter!("cohortflow_files_total", "feed" => feed.name(), "outcome" => outcome).increment(1);
        metrics::counter!("cohortflow_rows_total", "feed" => feed.name()).increment(rows);
    }

    /// Clears what histograms have gathered, so that it takes no memory where nobody scrapes.
    pub fn upkeep(&self) {
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
