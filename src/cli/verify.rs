//! `cohortflow verify`: a full recompute by another algorithm, and what differs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::client::{Answer, Service, refused};
use super::progress;
use crate::engine::Engine;
use crate::intake::Intake;
use crate::output::print;
use crate::programme::{self, Source};
use crate::store::Store;
use crate::store::directory::Directory;
use crate::verify;

/// Recompute every view from the log by another algorithm and list what differs. Exits 1 if anything does.
///
/// Asks a running service; with --data it opens a data directory that no service works on.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    #[command(flatten)]
    service: Service,
    /// A data directory to verify without a service.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Worker threads, with --data.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Print the verdict as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: the running service.
  cohortflow verify
A data directory that no service works on:
  cohortflow verify --data cohortflow-data";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let verdict = match &arguments.data {
        Some(data) => serde_json::to_value(offline(data, usize::from(arguments.workers))?)?,
        None => match arguments.service.post("/v1/verify", &serde_json::json!({}))? {
            Answer::Refused(value) => return Ok(refused(&value)),
            Answer::Found(verdict) => verdict,
        },
    };
    let number = |key: &str| verdict.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
    if arguments.json {
        print(format_args!("{verdict:#}"))?;
    } else {
        print(format_args!(
            "epoch {}: {} rows of {} customers compared, {} differ",
            number("epoch"),
            number("rows_compared"),
            number("customers"),
            number("divergences")
        ))?;
        let examples = verdict.get("examples").and_then(serde_json::Value::as_array);
        for example in examples.into_iter().flatten().filter_map(serde_json::Value::as_str) {
            print(format_args!("  {example}"))?;
        }
    }
    Ok(if number("divergences") == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn offline(data: &std::path::Path, workers: usize) -> anyhow::Result<verify::Verdict> {
    anyhow::ensure!(
        data.join("log").exists(),
        "there is no store in {data:?}\nhint: name the directory that `cohortflow serve --data` works on"
    );
    let directory = Directory::open(data)?;
    let store = Store::open(Arc::new(directory.disk), directory.token_key)?;
    let engine = Engine::start(workers, |_| {}).map_err(anyhow::Error::msg)?;
    let spinner = progress::spinner("reading the log");
    let intake = Intake::begin(
        store,
        engine.hub(),
        |published| {
            let published = published.ok_or_else(|| anyhow::anyhow!("no programme was ever published there"))?;
            let sources = published.iter().map(|(name, text)| Source { name: name.clone(), text: text.clone() });
            programme::parse(sources.collect()).map_err(|errors| programme::LoadError::Refused(errors).into())
        },
        jiff::Timestamp::now,
    )?;
    anyhow::ensure!(intake.hub().settle(), "a worker failed");
    spinner.finish_and_clear();
    check(&intake)
}

/// Compares what an intake has published with a recompute of its store.
pub fn check(intake: &Intake) -> anyhow::Result<verify::Verdict> {
    let (published, names) = (intake.hub().published(), intake.names());
    let standing = verify::standing(&intake.store().lock(), &published, &names.read())?;
    let bar = progress::count(standing.listed().len() as u64, "verifying");
    let verdict = verify::compare(&standing, &published, &names.read(), &|done| bar.inc(done));
    bar.finish_and_clear();
    Ok(verdict)
}
