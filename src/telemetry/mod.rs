//! What the process tells of itself while it runs: its log, and traces where somebody collects them.
//!
//! ```text
//! events ─► log on stderr, as lines or as JSON
//!        ├► the latest lines, kept for `support-bundle` (serve only)
//! spans  ─► batches ─► collector (OTLP over HTTP), where one is named
//! ```
//!
//! Decided here:
//! - Neither log nor spans have an id of a customer, a number, or a value of a row: files, feeds, views, routes as
//!   templates, counts and times are all there is.
//! - What other crates tell goes to the log from `warn` on, whatever is asked for: below that they tell of statements, of
//!   addresses with their secrets, and of what goes over the wire.
//! - Whatever is told goes through `masked`: what looks like a phone number is none when it leaves.
//! - What cannot be told is dropped. Nobody waits for whoever reads the log, or collects spans.

mod kept;
mod masked;
#[cfg(feature = "otlp")]
mod otlp;

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use crate::output;
pub use kept::latest;
use masked::Masked;

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line, for whatever gathers logs.
    Json,
}

/// What is told, and to whom.
#[derive(Default)]
pub struct Settings<'a> {
    /// What goes to the log.
    pub filter: &'a str,
    pub format: Format,
    /// Whether the latest lines are kept.
    pub keeps: bool,
    /// Where spans go.
    pub collector: Option<&'a str>,
}

/// Ends with what was begun: the last spans are told then, if somebody takes them at once.
pub struct Told {
    #[cfg(feature = "otlp")]
    _spans: Option<otlp::Spans>,
}

/// Whether something may go to the log, if it is asked for.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().starts_with("cohortflow") || metadata.target().starts_with("dataflows");
    is_ours || *metadata.level() <= Level::WARN
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins to tell.
pub fn begin(settings: &Settings<'_>) -> anyhow::Result<Told> {
    let asked = EnvFilter::try_new(settings.filter).unwrap_or_else(|_| "warn".into());
    let filter = asked.and(filter_fn(may_be_told));
    let lines =
        fmt::layer().with_writer(Masked { inner: std::io::stderr, format: settings.format }).log_internal_errors(false);
    let log: Boxed = match settings.format {
        Format::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        Format::Json => {
            output::tell_as_json();
            lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed()
        }
    };
    let mut layers = vec![log];
    if settings.keeps {
        layers.push(kept::layer());
    }
    #[cfg(feature = "otlp")]
    let spans = match settings.collector {
        Some(collector) => {
            let (layer, spans) = otlp::layer(collector)?;
            layers.push(layer);
            Some(spans)
        }
        None => None,
    };
    #[cfg(not(feature = "otlp"))]
    if settings.collector.is_some() {
        output::tell(format_args!(
            "warning: this build has no traces, and --otlp no effect\nhint: build it with the feature otlp"
        ));
    }
    // A second one in the same process, as a test may have, tells nothing.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(Told {
        #[cfg(feature = "otlp")]
        _spans: spans,
    })
}
