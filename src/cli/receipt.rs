//! `receipt`: what a file changed.

use std::process::ExitCode;

use serde_json::Value;

use super::client::{Answer, Service, refused, segment};
use super::undo;
use crate::output::print;

/// Show what a file changed when it became visible: rows in and out of tiers, segments and target lists, and points.
///
/// Files that became visible together have one receipt, which names them.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Receipt {
    /// The file's name, as the ledger has it.
    file: String,
    #[command(flatten)]
    service: Service,
    /// Print the receipt as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: what did the third part of July's bills change?
  cohortflow receipt bill_2009-07_03.csv";

pub fn receipt(arguments: Receipt) -> anyhow::Result<ExitCode> {
    let told = match arguments.service.get(&format!("/v1/files/{}/receipt", segment(&arguments.file)))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if arguments.json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = |key: &str| told[key].as_str().map_or_else(|| told[key].to_string(), str::to_owned);
    let [file, version, status, rows, bad_rows, epoch] =
        ["file", "version", "status", "rows", "bad_rows", "epoch"].map(text);
    print(format_args!("{file}: version {version}, {status}, {rows} rows of which {bad_rows} bad, epoch {epoch}"))?;
    let with: Vec<&str> = told["with_files"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if told["is_alone"] == false {
        let epochs = &told["visible_in"];
        let with = if with.is_empty() { "edits".to_owned() } else { with.join(", ") };
        print(format_args!("  became visible with others, epochs {} to {}: {with}", epochs[0], epochs[1]))?;
    }
    undo::receipt(&told["receipt"]).iter().try_for_each(|line| print(format_args!("{line}")))?;
    Ok(ExitCode::SUCCESS)
}
