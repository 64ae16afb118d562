//! `view`: the rows of a view, filtered, for people, programs and spreadsheets.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use super::client::{Answer, Service, refused, segment};
use crate::output::{heard, print, tell};

/// Show the rows of a view: all of them, or those of a customer, a city, a period.
///
/// Without a name, lists the views. In CSV, cells that a spreadsheet would run as a formula begin with an
/// apostrophe.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The view's name [default: none, and the views are listed].
    name: Option<String>,
    /// Only rows with that value in a column; nothing after the sign asks for null. A column that is
    /// given twice may have either value [default: any row].
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = condition)]
    conditions: Vec<(String, String)>,
    /// Only rows from that day, month or time on [default: the first].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only rows before that day, month or time [default: to the last].
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Write to a file, which appears whole or not at all [default: standard output].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    service: Service,
}

/// How rows are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Format {
    Csv,
    Json,
    /// Columns of one width each.
    Table,
}

const EXAMPLE: &str = "\
Example: whom July brought in Dalian.
  cohortflow view registration --where city=Dalian --from 2009-07-01 --until 2009-08-01
The entries of one customer as a table, and the opinions on a topic as a file for a spreadsheet:
  cohortflow view points_entry --where customer_id=c1 --format table
  cohortflow view opinion --where topic=coverage --output opinions.csv";

pub fn condition(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("expected COLUMN=VALUE")?;
    Ok((column.to_owned(), value.to_owned()))
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Some(name) = &arguments.name else { return listed(&arguments.service) };
    let period = [("from", &arguments.from), ("until", &arguments.until)];
    let period = period.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let conditions: Vec<(String, String)> = arguments.conditions.iter().cloned().chain(period).collect();
    match &arguments.output {
        None => written(&arguments.service, name, &conditions, arguments.format, &mut std::io::stdout().lock()),
        Some(path) => filed(path, |out| written(&arguments.service, name, &conditions, arguments.format, out)),
    }
}

/// All rows of a view, as a command of its own shows them.
pub fn whole(service: &Service, name: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let format = if as_json { Format::Json } else { Format::Csv };
    written(service, name, &[], format, &mut std::io::stdout().lock())
}

fn listed(service: &Service) -> anyhow::Result<ExitCode> {
    let views = match service.get("/v1/views")? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(views) => views,
    };
    for view in views.as_array().into_iter().flatten() {
        let text = |key: &str| view.get(key).and_then(Value::as_str).unwrap_or_default();
        print(format_args!("{:<20} {}", text("name"), text("about")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to a file under another name first, which is taken away again where nothing good came.
fn filed(path: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let failed = || format!("could not write {path:?}\nhint: name a file in a directory that you may write into");
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let half = path.with_file_name(format!(".{name}.tmp"));
    let mut out = BufWriter::new(File::create(&half).with_context(failed)?);
    let code = write(&mut out).and_then(|code| {
        out.flush().with_context(failed)?;
        Ok(code)
    });
    match code {
        Ok(ExitCode::SUCCESS) => std::fs::rename(&half, path).with_context(failed)?,
        _ => std::fs::remove_file(&half).with_context(failed)?,
    }
    code
}

fn written(
    service: &Service,
    name: &str,
    conditions: &[(String, String)],
    format: Format,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let conditions: String =
        conditions.iter().map(|(column, value)| format!("&{}={}", segment(column), segment(value))).collect();
    let path = format!("/v1/views/{}", segment(name));
    let csv = format!("{path}?format=csv{conditions}");
    let refusal = match format {
        Format::Json => return json(service, &format!("{path}?limit=100000{conditions}"), out),
        Format::Csv => service.copy(&csv, out)?,
        Format::Table => {
            let mut bytes = Vec::new();
            let refusal = service.copy(&csv, &mut bytes)?;
            if refusal.is_none() {
                table(&bytes, out)?;
            }
            refusal
        }
    };
    Ok(refusal.map_or(ExitCode::SUCCESS, |refusal| refused(&refusal)))
}

/// How often a view that changes between two of its pages is begun again.
const TRIES_MAX: usize = 20;

/// All rows as one answer, however many pages the service gives them in, and all of one epoch.
fn json(service: &Service, path: &str, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (mut rows, mut epoch, mut tries): (Vec<Value>, Option<Value>, usize) = (Vec::new(), None, 0);
    loop {
        let mut page = match service.get(&format!("{path}&offset={}", rows.len()))? {
            Answer::Refused(value) => return Ok(refused(&value)),
            Answer::Found(page) => page,
        };
        let of_page = page.get("epoch").cloned();
        if !rows.is_empty() && of_page != epoch {
            tries += 1;
            anyhow::ensure!(
                tries < TRIES_MAX,
                "the view changes faster than its pages are read\nhint: ask for CSV, which is one answer"
            );
            rows.clear();
            continue;
        }
        epoch = of_page;
        let more = page.get("more").and_then(Value::as_bool).unwrap_or(false);
        if let Some(Value::Array(found)) = page.get_mut("rows").map(Value::take) {
            rows.extend(found);
        }
        if !more {
            page["rows"] = rows.into();
            heard(writeln!(out, "{page}"))?;
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Rows under their header, each column as wide as its widest cell.
pub fn table(bytes: &[u8], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let rows = reader.records().collect::<Result<Vec<_>, _>>().context("the service's answer is no CSV")?;
    let width = |cell: &str| cell.chars().count();
    let mut widths = vec![0; rows.first().map_or(0, csv::StringRecord::len)];
    for row in &rows {
        widths.iter_mut().zip(row).for_each(|(widest, cell)| *widest = (*widest).max(width(cell)));
    }
    for row in &rows {
        let padded = |(cell, widest): (&str, &usize)| format!("{cell}{}", " ".repeat(widest - width(cell)));
        let cells: Vec<String> = row.iter().zip(&widths).map(padded).collect();
        heard(writeln!(out, "{}", cells.join("  ").trim_end()))?;
    }
    if rows.len() == 1 {
        tell(format_args!("no rows"));
    }
    Ok(())
}
