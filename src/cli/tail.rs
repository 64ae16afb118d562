//! `tail`: a view, and what becomes of it.

use std::io::{BufRead, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::client::{Service, refused, segment};
use super::view::condition;
use crate::output::{heard, tell};

/// Follow a view: its rows, then each change as it becomes visible.
///
/// A row that has come begins with +, one that is gone with -; a change of a row is both. Rows are shown once all of their
/// epoch are there. Where the service goes away, it is asked again until it is back, and nothing is missed or told twice.
/// Ends with Ctrl-C.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The view's name; `cohortflow view` lists them.
    view: String,
    /// Only rows with that value in a column; nothing after the sign asks for null. A column that is given twice may
    /// have either value [default: any row].
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = condition)]
    conditions: Vec<(String, String)>,
    /// Begin with what comes next, without the rows that stand.
    #[arg(long)]
    no_snapshot: bool,
    /// Go on behind the token in this file, and keep the file up to date with what was shown. Where there is no such
    /// file, it begins with the rows that stand [default: none].
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// One JSON object for each row, and for each mark between them: what a program reads.
    #[arg(long)]
    json: bool,
    /// Stop once everything until this epoch was shown [default: never].
    #[arg(long, value_name = "EPOCH")]
    until_epoch: Option<u64>,
    #[command(flatten)]
    service: Service,
}

const EXAMPLE: &str = "\
Example: who comes to the segment low_use, and who leaves it, from now on.
  cohortflow tail segment_member --where segment=low_use --no-snapshot
For a program that is stopped now and then and misses nothing:
  cohortflow tail target --where campaign=spring --json --resume spring.token";

/// Time between two attempts to reach a service that has gone away.
const AGAIN: Duration = Duration::from_secs(1);

/// How one connection ended.
enum End {
    /// Everything that was asked for is shown.
    Done,
    Refused(Value),
    /// The service has gone away, or cut us off.
    Lost,
    /// It is not back yet.
    Away,
}

/// What was shown, and what waits for its mark.
struct Tail<'a> {
    arguments: &'a Arguments,
    columns: Vec<String>,
    token: Option<String>,
    waiting: Vec<(char, Vec<Value>)>,
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let token = arguments.resume.as_deref().map(read_token).transpose()?.flatten();
    let columns = match columns(&arguments)? {
        Ok(columns) => columns,
        Err(refusal) => return Ok(refused(&refusal)),
    };
    let mut tail = Tail { arguments: &arguments, columns, token, waiting: Vec::new() };
    loop {
        match tail.connection()? {
            End::Done => return Ok(ExitCode::SUCCESS),
            End::Refused(refusal) if refusal.get("code").and_then(Value::as_str) == Some("opening") => {}
            End::Refused(refusal) => return Ok(refused(&refusal)),
            End::Lost => tell(format_args!("the service has gone away; it is asked again until it is back")),
            // It answered before, so it will again.
            End::Away => {}
        }
        std::thread::sleep(AGAIN);
    }
}

/// The names of the view's columns, in order.
fn columns(arguments: &Arguments) -> anyhow::Result<Result<Vec<String>, Value>> {
    let views = match arguments.service.get("/v1/views")? {
        super::client::Answer::Refused(refusal) => return Ok(Err(refusal)),
        super::client::Answer::Found(views) => views,
    };
    let views = views.as_array().into_iter().flatten();
    let columns = views.filter(|view| view.get("name").and_then(Value::as_str) == Some(&arguments.view));
    let columns = columns.filter_map(|view| view.get("columns")?.as_array()).flatten();
    // A view that there is none of is refused when it is asked for.
    Ok(Ok(columns.filter_map(Value::as_str).map(str::to_owned).collect()))
}

impl Tail<'_> {
    fn connection(&mut self) -> anyhow::Result<End> {
        self.waiting.clear();
        let mut pairs: Vec<String> = self.arguments.conditions.iter().map(|(name, value)| pair(name, value)).collect();
        match &self.token {
            Some(token) => pairs.push(pair("after", token)),
            None if self.arguments.no_snapshot => pairs.push(pair("snapshot", "false")),
            None => {}
        }
        let path = format!("/v1/views/{}/feed?{}", segment(&self.arguments.view), pairs.join("&"));
        let stream = match self.arguments.service.stream(&path) {
            Ok(Ok(stream)) => stream,
            Ok(Err(refusal)) => return Ok(End::Refused(refusal)),
            Err(error) => {
                tracing::info!("{error:#}");
                return Ok(End::Away);
            }
        };
        let (mut event, mut data) = (String::new(), String::new());
        for line in stream.lines() {
            let Ok(line) = line else { return Ok(End::Lost) };
            if let Some(name) = line.strip_prefix("event:") {
                name.trim().clone_into(&mut event);
            } else if let Some(text) = line.strip_prefix("data:") {
                data.push_str(text.trim_start());
            } else if line.is_empty() && !event.is_empty() {
                if let Some(end) = self.heard(&event, &data)? {
                    return Ok(end);
                }
                event.clear();
                data.clear();
            }
        }
        Ok(End::Lost)
    }

    fn heard(&mut self, event: &str, data: &str) -> anyhow::Result<Option<End>> {
        let mut data: Map<String, Value> = serde_json::from_str(data)
            .context("the service's answer is no feed\nhint: is that a cohortflow service?")?;
        let mut rows = |key: &str| match data.remove(key) {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        };
        let cells = |sign: char| move |row| (sign, if let Value::Array(cells) = row { cells } else { Vec::new() });
        match event {
            "snapshot" => self.waiting.extend(rows("rows").into_iter().map(cells('+'))),
            "delta" => {
                self.waiting.extend(rows("gone").into_iter().map(cells('-')));
                self.waiting.extend(rows("come").into_iter().map(cells('+')));
            }
            "progress" => {
                let epoch = data.get("epoch").and_then(Value::as_u64).unwrap_or_default();
                let token = data.get("token").and_then(Value::as_str).map(str::to_owned);
                if !self.show(epoch)? {
                    return Ok(Some(End::Done));
                }
                if let (Some(path), Some(token)) = (&self.arguments.resume, &token) {
                    keep_token(path, token)?;
                }
                self.token = token.or(self.token.take());
                if self.arguments.until_epoch.is_some_and(|until| epoch >= until) {
                    return Ok(Some(End::Done));
                }
            }
            "end" => {
                let reason = data.get("reason").and_then(Value::as_str).unwrap_or("nothing more comes");
                tracing::info!("{reason}");
                return Ok(Some(End::Lost));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Shows the rows that a mark closes, and where a program reads them the mark. False where nobody listens any more.
    fn show(&mut self, epoch: u64) -> anyhow::Result<bool> {
        let mut lines = Vec::new();
        for (sign, cells) in self.waiting.drain(..) {
            if self.arguments.json {
                let row: Map<String, Value> = self.columns.iter().cloned().zip(cells).collect();
                writeln!(lines, "{}", json!({ "sign": if sign == '+' { 1 } else { -1 }, "row": row }))?;
                continue;
            }
            write!(lines, "{sign} ")?;
            let text = |cell: &Value| match cell {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                cell => cell.to_string(),
            };
            csv::Writer::from_writer(&mut lines).write_record(cells.iter().map(text))?;
        }
        if self.arguments.json {
            writeln!(lines, "{}", json!({ "epoch": epoch }))?;
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(&lines).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            written => heard(written).map(|()| true),
        }
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", segment(name), segment(value))
}

fn read_token(path: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read the token in {path:?}")),
    }
}

/// The file appears whole or not at all.
fn keep_token(path: &Path, token: &str) -> anyhow::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let half = path.with_file_name(format!(".{name}.tmp"));
    let failed =
        || format!("could not keep the token in {path:?}\nhint: name a file in a directory that you may write into");
    std::fs::write(&half, format!("{token}\n")).with_context(failed)?;
    std::fs::rename(&half, path).with_context(failed)
}
