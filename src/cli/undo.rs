//! `undo`: a file is corrected to what stood before it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::output::{print, tell};

/// Undo a file: what stood before it stands again, and if nothing did, none of its rows does.
///
/// Shows first what it would change, view by view, and asks; --yes goes on without asking. What was undone stays undone,
/// however often the file is delivered again, until a higher version of it comes.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Undo {
    /// The file's name, as the ledger has it.
    file: String,
    /// Go on without asking.
    #[arg(long)]
    yes: bool,
    /// Only show what it would change.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    service: Service,
    /// Print what changes, and what was changed, as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: last night's bills were those of another province; first a look at what goes with them.
  cohortflow undo bill_2009-07_03.csv --dry-run
  cohortflow undo bill_2009-07_03.csv --yes";

pub fn undo(arguments: Undo) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/files/{}/undo", segment(&arguments.file));
    let tried = match arguments.service.post(&format!("{path}?dry_run=true"), &json!({}))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(tried) => tried,
    };
    let show = |value: &Value| match arguments.json {
        true => print(format_args!("{value:#}")),
        false => told(value).iter().try_for_each(|line| print(format_args!("{line}"))),
    };
    if arguments.dry_run {
        show(&tried)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.yes {
        show(&tried)?;
        if !is_wanted("Undo it?", "give --yes to undo it, or --dry-run to see only what it would change")? {
            tell(format_args!("nothing was changed"));
            return Ok(ExitCode::from(1));
        }
    }
    let done = match arguments.service.post(&path, &json!({}))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(done) => done,
    };
    if arguments.yes || arguments.json {
        show(&done)?;
    } else {
        print(format_args!("undone in epoch {}", done["epoch"]))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks whoever types. Who is nobody at a terminal has not said yes.
pub fn is_wanted(question: &str, hint: &str) -> anyhow::Result<bool> {
    anyhow::ensure!(std::io::stdin().is_terminal(), "nobody is there to be asked\nhint: {hint}");
    print(format_args!("{question} Type yes:"))?;
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

fn told(undo: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_done = undo["undone"] == true;
    let stands = match undo["stands"].as_object() {
        Some(stands) => format!(
            "{} (version {}) {}",
            text(&stands["file"]),
            stands["version"],
            if is_done { "stands again" } else { "would stand again" }
        ),
        None => format!("nothing stood before it: its partition {} no row", if is_done { "has" } else { "would have" }),
    };
    let rows = &undo["rows"];
    let mut lines = vec![
        format!("{} {}; {stands}", text(&undo["file"]), if is_done { "is undone" } else { "undone" }),
        format!("  rows of the partition: {} before, {} after", rows["before"], rows["after"]),
    ];
    lines.extend(receipt(&undo["receipt"]));
    if is_done {
        lines.push(format!("done in epoch {}", undo["epoch"]));
    }
    lines
}

/// A receipt, a line for each thing that changed.
pub fn receipt(receipt: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let as_of = |place: usize| receipt["as_of"][place].as_str().unwrap_or("-").to_owned();
    if as_of(0) != as_of(1) {
        lines.push(format!("  as of: {} before, {} after", as_of(0), as_of(1)));
    }
    let points = &receipt["points"];
    let sum = |key: &str| points[key].as_str().unwrap_or("0").to_owned();
    lines.push(format!("  points of all balances: {} before, {} after", sum("before"), sum("after")));
    for (title, key) in [("view", "views"), ("segment", "segments"), ("target", "targets")] {
        for (name, moved) in receipt[key].as_object().into_iter().flatten() {
            lines.push(format!("  {title} {name}: {} rows in, {} out", moved["in"], moved["out"]));
        }
    }
    if receipt["views"].as_object().is_none_or(serde_json::Map::is_empty) {
        lines.push("  no view changes".to_owned());
    }
    lines
}
