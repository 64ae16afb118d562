//! `cohortflow run`: everything in a directory in, every view out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::progress;
use crate::engine::Engine;
use crate::intake::{Intake, Taken, landed};
use crate::output;
use crate::programme;
use crate::query::export::{Format, export};
use crate::query::sight::Sight;
use crate::query::{VIEWS, absent};
use crate::store::Store;
use crate::store::memory::Memory;

/// One shot: take everything in a directory, in name order, and write every view.
///
/// Exits 1 if a file was rejected; the views of the others are written all the same. Quarantined rows
/// only warn.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The programme: a TOML file, or a directory of them.
    #[arg(long, value_name = "PATH")]
    programme: PathBuf,
    /// The directory of extracts.
    #[arg(long, value_name = "DIR")]
    input: PathBuf,
    /// Where the views are written, one file each. Made where it is not there.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// A file to take although it shrinks a list, or a file of consents, by more than a fifth; may be given again [default: none].
    #[arg(long, value_name = "FILE")]
    confirm: Vec<String>,
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Worker threads of the dataflow.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
}

const EXAMPLE: &str = "\
Example: every view of a directory of extracts as CSV.
  cohortflow run --programme fixtures/programmes/reference --input province --output views";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let document = programme::load(&arguments.programme)?;
    for warning in &document.warnings {
        output::tell(format_args!("{warning}"));
    }
    let landed = landed(&arguments.input)
        .with_context(|| format!("could not list {:?}\nhint: name the directory of the extracts", arguments.input))?;
    std::fs::create_dir_all(&arguments.output).with_context(|| {
        format!(
            "could not make the output directory {:?}\nhint: name a directory that you may write into",
            arguments.output
        )
    })?;
    let mut left_alone: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    landed.left_alone.iter().for_each(|(name, why)| left_alone.entry(why).or_default().push(name));
    for (why, names) in left_alone {
        output::tell(format_args!("warning: left {} alone: {why}", names.join(", ")));
    }
    let mut rejected = landed.malformed.len();
    for (name, why, hint) in &landed.malformed {
        output::tell(format_args!("error: could not take extract \"{name}\": {why}\nhint: {hint}"));
    }

    // Nothing outlives the run, so nothing needs a disk or a lasting key.
    let store = Store::open(Arc::new(Memory::single()), std::array::from_fn(|_| 0))?;
    let engine = Engine::start(usize::from(arguments.workers), |_| {}).map_err(anyhow::Error::msg)?;
    let intake = Intake::begin(store, engine.hub(), |_| Ok(document.by_data_clock()), jiff::Timestamp::now)?;
    let total = landed.files.iter().filter_map(|(path, _)| path.metadata().ok()).map(|metadata| metadata.len()).sum();
    let bar = progress::bytes(total, "reading");
    let mut confirmed = landed.files.clone();
    confirmed.retain(|(_, name)| arguments.confirm.contains(&name.name));
    intake.take(landed.files, &|bytes| bar.inc(bytes), &mut |name, taken| {
        let is_confirmed = matches!(taken, Taken::Held { .. }) && arguments.confirm.contains(&name.name);
        if !is_confirmed {
            bar.suspend(|| rejected += usize::from(tell(&name.name, &taken)));
        }
    })?;
    for (path, name) in confirmed {
        if intake.confirm(&name.name)? {
            intake.take(vec![(path, name)], &|_| {}, &mut |name, taken| {
                bar.suspend(|| rejected += usize::from(tell(&name.name, &taken)));
            })?;
        }
    }
    bar.finish_and_clear();
    anyhow::ensure!(intake.hub().settle(), "a worker failed");

    let spinner = progress::spinner("writing views");
    let reading = intake.readings().reading(Sight::everything());
    for view in VIEWS.iter().filter(|view| view.follows_from_input()) {
        export(view, reading.sources(), &arguments.output, arguments.format)?;
    }
    spinner.finish_and_clear();
    output::tell(format_args!("note: views that this build does not carry: {}", absent().join(", ")));
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Tells what became of a file, where that is worth telling. Says whether it was rejected.
pub fn tell(name: &str, taken: &Taken) -> bool {
    match taken {
        Taken::Accepted { bad_rows: 0, .. } => {}
        Taken::Accepted { rows, bad_rows, .. } => {
            output::tell(format_args!("warning: \"{name}\": {bad_rows} of {} rows are in quarantine", rows + bad_rows));
        }
        Taken::Superseded => output::tell(format_args!("note: \"{name}\": a higher version is live; nothing changed")),
        Taken::Duplicate => output::tell(format_args!("note: \"{name}\": the same rows are live; nothing changed")),
        Taken::Undone => output::tell(format_args!("note: \"{name}\": it was undone, and stays so; nothing changed")),
        Taken::Held { before, now } => {
            output::tell(format_args!(
                "warning: \"{name}\" is held: it shrinks from {before} to {now} rows, which a person must confirm\nhint: Look at it; --confirm \"{name}\" lets it in, as `cohortflow confirm` does on a running service."
            ));
        }
        Taken::Rejected(why) | Taken::Later(why) => output::tell(format_args!("error: {why}")),
    }
    matches!(taken, Taken::Rejected(_) | Taken::Later(_))
}
