//! `query`: a statement of SQL, answered by a running service.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::client::{Service, refused};
use super::view::table;
use crate::output::tell;

/// Ask the views in SQL: one statement, at one epoch, which only reads.
///
/// Without a statement, it is read from standard input. psql and other clients of PostgreSQL connect to the service
/// itself: see `cohortflow serve --help`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The statement [default: standard input].
    sql: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    service: Service,
}

/// How rows are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Format {
    /// Columns of one width each.
    Table,
    Csv,
    /// One JSON object a row.
    Json,
}

const EXAMPLE: &str = "\
Example: customers of each class by city.
  cohortflow query \"SELECT city, tier, sum(customers) FROM tier_count GROUP BY 1, 2 ORDER BY 1, 2\"
A longer one from a file, for a spreadsheet:
  cohortflow query --format csv < fees.sql > fees.csv";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let sql = match arguments.sql {
        Some(sql) => sql,
        None => {
            let mut input = std::io::stdin();
            if input.is_terminal() {
                tell(format_args!("type a statement, then Ctrl-D"));
            }
            let mut sql = String::new();
            input.read_to_string(&mut sql).context("the statement could not be read from standard input")?;
            sql
        }
    };
    let format = if arguments.format == Format::Json { "ndjson" } else { "csv" };
    let body = json!({ "sql": sql, "format": format });
    let mut out = std::io::stdout().lock();
    let refusal = match arguments.format {
        Format::Table => {
            let mut bytes = Vec::new();
            let refusal = arguments.service.post_copy("/v1/query", &body, &mut bytes)?;
            if refusal.is_none() {
                table(&bytes, &mut out)?;
            }
            refusal
        }
        Format::Csv | Format::Json => arguments.service.post_copy("/v1/query", &body, &mut out)?,
    };
    let Some(refusal) = refusal else { return Ok(ExitCode::SUCCESS) };
    let code = refused(&refusal);
    if let Some(hint) = refusal.get("hint").and_then(serde_json::Value::as_str) {
        tell(format_args!("hint: {hint}"));
    }
    Ok(code)
}
