//! `cohortflow replay`: historical months as a load test.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use dataflows::types::Month;
use parking_lot::Mutex;
use serde::Serialize;

use super::{progress, run::tell, verify};
use crate::engine::Engine;
use crate::ingest::names::FileName;
use crate::intake::{Intake, landed};
use crate::output;
use crate::programme::{self, Document, Source};
use crate::serve::resident_bytes;
use crate::store::Store;
use crate::store::directory::Directory;

/// Load-test: replay a directory of historical months, in order of arrival, and report.
///
/// Files arrive by period, then by name. With --speed 720 a month of thirty days takes an hour; with max,
/// the default, files follow one another without a pause. The store is durable, in a directory of its own
/// that is removed afterwards, unless --data names one to keep.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The directory of extracts.
    #[arg(long, value_name = "DIR")]
    input: PathBuf,
    /// The programme: a TOML file, or a directory of them [default: the reference programme].
    #[arg(long, value_name = "PATH")]
    programme: Option<PathBuf>,
    /// How many times faster than history: a number, or max.
    #[arg(long, value_name = "N", default_value = "max", value_parser = speed)]
    speed: Speed,
    /// Worker threads of the dataflow.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// A data directory to use, and keep.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Compare the end with a full recompute; exits 1 if anything differs.
    #[arg(long)]
    verify: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: as fast as it goes, and compared with a recompute.
  cohortflow replay --input province --verify
A month in an hour, on two workers, into a data directory that is kept:
  cohortflow replay --input province --speed 720 --workers 2 --data replayed";

#[derive(Clone, Copy)]
enum Speed {
    Max,
    Times(u32),
}

fn speed(text: &str) -> Result<Speed, String> {
    match text.parse() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(times) if times > 0 => Ok(Speed::Times(times)),
        _ => Err("expected a whole number from 1, or max".to_owned()),
    }
}

/// What a replay tells.
#[derive(Serialize)]
struct Report {
    files: usize,
    rejected: usize,
    rows: u64,
    megabytes: f64,
    customers: usize,
    seconds: f64,
    rows_per_s: f64,
    /// Reading, unpacking, decoding and splitting, on a thread of its own.
    decode_rows_per_s: f64,
    /// From fields to values, on the same thread.
    validate_rows_per_s: f64,
    /// Setting against what stands, writing and flushing.
    commit_rows_per_s: f64,
    /// From durable to visible in every view.
    maintain_rows_per_s: f64,
    visible_ms_p50: f64,
    visible_ms_p99: f64,
    visible_ms_p999: f64,
    /// One flush of a small write, on the same disk.
    device_flush_ms_p50: f64,
    peak_resident_megabytes: f64,
    resident_bytes_per_customer: f64,
    divergences: Option<usize>,
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let given = arguments.programme.as_deref().map(programme::load).transpose()?;
    let mut landed = landed(&arguments.input)
        .with_context(|| format!("could not list {:?}\nhint: name the directory of the extracts", arguments.input))?;
    landed.files.sort_by(|(_, left), (_, right)| (&left.period, &left.name).cmp(&(&right.period, &right.name)));
    let scratch = arguments.data.is_none().then(Scratch::new);
    let data = match (&arguments.data, &scratch) {
        (Some(data), _) => data.clone(),
        (None, Some(scratch)) => scratch.0.clone(),
        (None, None) => unreachable!("one of the two is there"),
    };
    let directory = Directory::open(&data)?;
    let device_flush = flush_time(&data)?;
    let store = Store::open(Arc::new(directory.disk), directory.token_key)?;
    let base = resident_bytes().0;
    let latencies: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let observed = latencies.clone();
    let engine = Engine::start(usize::from(arguments.workers), move |latency| observed.lock().push(latency))
        .map_err(anyhow::Error::msg)?;
    let begin = |published: Option<&[(String, String)]>| Ok(programme(given, published)?.by_data_clock());
    let intake = Intake::begin(store, engine.hub(), begin, jiff::Timestamp::now)?;
    latencies.lock().clear();

    let files = landed.files.len();
    let total = landed.files.iter().filter_map(|(path, _)| path.metadata().ok()).map(|metadata| metadata.len()).sum();
    let bar = progress::bytes(total, "replaying");
    let mut rejected = landed.malformed.len();
    let began = Instant::now();
    for batch in arrivals(landed.files, arguments.speed) {
        std::thread::sleep(batch.due.saturating_sub(began.elapsed()));
        intake.take(batch.files, &|bytes| bar.inc(bytes), &mut |name, taken| {
            bar.suspend(|| rejected += usize::from(tell(&name.name, &taken)));
        })?;
    }
    anyhow::ensure!(intake.hub().settle(), "a worker failed");
    let elapsed = began.elapsed();
    bar.finish_and_clear();

    let stages = intake.stages();
    let mut latencies = std::mem::take(&mut *latencies.lock());
    latencies.sort_unstable();
    let (resident, peak) = resident_bytes();
    let customers: usize = intake.hub().published().chunks().map(|(chunk, _)| chunk.listed().count()).sum();
    let divergences = if arguments.verify { Some(verify::check(&intake)?) } else { None };
    if let Some(verdict) = &divergences {
        verdict.examples.iter().for_each(|example| output::tell(format_args!("differs: {example}")));
    }
    let rate = |duration: Duration| stages.rows as f64 / duration.as_secs_f64().max(1e-9);
    let report = Report {
        files,
        rejected,
        rows: stages.rows,
        megabytes: stages.bytes as f64 / 1e6,
        customers,
        seconds: elapsed.as_secs_f64(),
        rows_per_s: rate(elapsed),
        decode_rows_per_s: rate(stages.decode),
        validate_rows_per_s: rate(stages.validate),
        commit_rows_per_s: rate(stages.commit),
        maintain_rows_per_s: rate(latencies.iter().sum()),
        visible_ms_p50: percentile(&latencies, 0.5),
        visible_ms_p99: percentile(&latencies, 0.99),
        visible_ms_p999: percentile(&latencies, 0.999),
        device_flush_ms_p50: device_flush,
        peak_resident_megabytes: peak as f64 / 1e6,
        resident_bytes_per_customer: resident.saturating_sub(base) as f64 / customers.max(1) as f64,
        divergences: divergences.map(|verdict| verdict.divergences),
    };
    print(&report, arguments.json)?;
    let is_good = rejected == 0 && report.divergences.unwrap_or(0) == 0;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The programme given; without one that of the data directory, else the reference programme.
fn programme(given: Option<Document>, published: Option<&[(String, String)]>) -> anyhow::Result<Document> {
    let source = |(name, text): &(String, String)| Source { name: name.clone(), text: text.clone() };
    match (given, published) {
        (Some(given), Some(published)) => {
            let stored = parse(published.iter().map(source).collect())?.settings.timezone;
            anyhow::ensure!(
                given.settings.timezone == stored,
                "the data directory keeps times of {stored}, and the programme's timezone is {}\nhint: Replay into a directory of its own.",
                given.settings.timezone
            );
            Ok(given)
        }
        (Some(given), None) => Ok(given),
        (None, Some(published)) => parse(published.iter().map(source).collect()),
        (None, None) => parse(programme::reference()),
    }
}

fn parse(sources: Vec<Source>) -> anyhow::Result<Document> {
    Ok(programme::parse(sources).map_err(programme::LoadError::Refused)?)
}

/// Files that arrive together.
struct Batch {
    /// Since the beginning.
    due: Duration,
    files: Vec<(PathBuf, FileName)>,
}

/// A month of a replay is thirty days long.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Files by the month of their period; those of no month come with the first.
fn arrivals(files: Vec<(PathBuf, FileName)>, speed: Speed) -> Vec<Batch> {
    let Speed::Times(times) = speed else { return vec![Batch { due: Duration::ZERO, files }] };
    let month = |name: &FileName| name.period.get(..7).and_then(Month::parse);
    let first = files.iter().filter_map(|(_, name)| month(name)).min();
    let mut batches: std::collections::BTreeMap<u32, Vec<(PathBuf, FileName)>> = Default::default();
    for (path, name) in files {
        let months = month(&name).zip(first).map_or(0, |(month, first)| month.0.abs_diff(first.0));
        batches.entry(months).or_default().push((path, name));
    }
    batches.into_iter().map(|(months, files)| Batch { due: MONTH * months / times, files }).collect()
}

/// The median time, in milliseconds, of making a small write durable on the disk of a directory.
fn flush_time(directory: &Path) -> anyhow::Result<f64> {
    use std::io::Write;
    let path = directory.join("flush-probe");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..32 {
        file.write_all(&[7; 512])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed());
    }
    std::fs::remove_file(path)?;
    times.sort_unstable();
    Ok(percentile(&times, 0.5))
}

fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1)) as f64 * share;
    sorted.get(at.ceil() as usize).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}

fn print(report: &Report, as_json: bool) -> anyhow::Result<()> {
    let value = serde_json::to_value(report)?;
    if as_json {
        output::print(format_args!("{value:#}"))?;
        return Ok(());
    }
    for (key, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        match value.as_f64() {
            Some(number) if !value.is_u64() => output::print(format_args!("{key:<30} {number:>16.3}"))?,
            _ => output::print(format_args!("{key:<30} {value:>16}"))?,
        }
    }
    Ok(())
}

/// A directory that goes with the process.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        Scratch(std::env::temp_dir().join(format!("cohortflow-replay-{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        let mut key = self.0.clone().into_os_string();
        key.push(".key");
        let _ = std::fs::remove_file(key);
    }
}
