//! `customer`, `apply`, `ledger`, `quarantine`, `confirm`: questions to a running service.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use super::view;
use crate::output::{print, tell};
use crate::programme;

/// Show one customer's card: class, segments, attributes, what is held.
#[derive(clap::Args)]
#[command(after_help = CUSTOMER_EXAMPLE)]
pub struct Customer {
    /// The customer's id.
    id: String,
    #[command(flatten)]
    service: Service,
    /// Print the card as JSON.
    #[arg(long)]
    json: bool,
}

const CUSTOMER_EXAMPLE: &str = "\
Example: the card of customer c1.
  cohortflow customer c1
As a program reads it, from a service elsewhere:
  cohortflow customer c1 --json --http http://127.0.0.1:7900";

pub fn customer(arguments: Customer) -> anyhow::Result<ExitCode> {
    let card = match arguments.service.get(&format!("/v1/customers/{}", segment(&arguments.id)))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(card) => card,
    };
    if arguments.json {
        print(format_args!("{card:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (key, value) in card.as_object().into_iter().flatten() {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                    print(format_args!("  {key:<20} {}", shown(value)))?;
                }
            }
            value => print(format_args!("{key:<22} {}", shown(value)))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Publish a programme: durable, then in force in one epoch. Says what it changed.
#[derive(clap::Args)]
#[command(after_help = APPLY_EXAMPLE)]
pub struct Apply {
    /// A TOML file, or a directory of them.
    programme: PathBuf,
    #[command(flatten)]
    service: Service,
    /// Print what changed as JSON.
    #[arg(long)]
    json: bool,
}

const APPLY_EXAMPLE: &str = "\
Example: check it, then put it in force.
  cohortflow check programme
  cohortflow apply programme";

pub fn apply(arguments: Apply) -> anyhow::Result<ExitCode> {
    // Checked here first: errors then name the file as it is named here.
    let document = match programme::load(&arguments.programme) {
        Ok(document) => document,
        Err(programme::LoadError::Refused(diagnostics)) => {
            diagnostics.iter().for_each(|diagnostic| tell(format_args!("{diagnostic}\n")));
            return Ok(ExitCode::from(1));
        }
        Err(error) => return Err(error.into()),
    };
    for warning in &document.warnings {
        tell(format_args!("{warning}"));
    }
    let told = match arguments.service.post("/v1/programme", &json!({ "sources": document.sources }))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if arguments.json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    print(format_args!("in force since epoch {}", number(&told, "epoch")))?;
    if let Some(tier) = told.get("tier") {
        print(format_args!("  tier: {} rows came, {} went", number(tier, "came"), number(tier, "went")))?;
    }
    for (segment, counts) in told.get("segment_member").and_then(Value::as_object).into_iter().flatten() {
        print(format_args!("  segment {segment}: {} came, {} went", number(counts, "came"), number(counts, "went")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Show what became of every file.
#[derive(clap::Args)]
#[command(after_help = LEDGER_EXAMPLE)]
pub struct Ledger {
    #[command(flatten)]
    service: Service,
    /// Print JSON instead of CSV.
    #[arg(long)]
    json: bool,
}

const LEDGER_EXAMPLE: &str = "\
Example: what became of every file, as CSV.
  cohortflow ledger";

pub fn ledger(arguments: Ledger) -> anyhow::Result<ExitCode> {
    view::whole(&arguments.service, "ingest_ledger", arguments.json)
}

/// Show the rows that could not be taken, and why; personal data masked.
#[derive(clap::Args)]
#[command(after_help = QUARANTINE_EXAMPLE)]
pub struct Quarantine {
    #[command(flatten)]
    service: Service,
    /// Print JSON instead of CSV.
    #[arg(long)]
    json: bool,
}

const QUARANTINE_EXAMPLE: &str = "\
Example: file, line, column and reason of each row, as CSV.
  cohortflow quarantine";

pub fn quarantine(arguments: Quarantine) -> anyhow::Result<ExitCode> {
    view::whole(&arguments.service, "quarantine", arguments.json)
}

/// Let in a file that is held: one that shrinks a list, or a file of consents, by more than a fifth waits for a person.
///
/// The file is taken at the next look at the landing directory; if it is gone from there, when it is
/// delivered again. Without a name, lists the files that are held.
#[derive(clap::Args)]
#[command(after_help = CONFIRM_EXAMPLE)]
pub struct Confirm {
    /// The file's name, as the ledger has it [default: none, and those that are held are listed].
    file: Option<String>,
    #[command(flatten)]
    service: Service,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const CONFIRM_EXAMPLE: &str = "\
Example: the list has really become that short.
  cohortflow confirm listing_vip.v2.csv";

pub fn confirm(arguments: Confirm) -> anyhow::Result<ExitCode> {
    let answer = match &arguments.file {
        Some(file) => arguments.service.post(&format!("/v1/held/{}/confirm", segment(file)), &json!({}))?,
        None => arguments.service.get("/v1/held")?,
    };
    let told = match answer {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    match (&arguments.file, told.get("held").and_then(Value::as_array)) {
        _ if arguments.json => print(format_args!("{told:#}"))?,
        (Some(file), _) => print(format_args!("{file} is confirmed: it is taken at the next look"))?,
        (None, held) => {
            for file in held.into_iter().flatten() {
                let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
                print(format_args!("{}  {}", text("file"), text("reason")))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
