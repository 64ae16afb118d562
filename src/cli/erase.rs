//! `erase`: a person is removed from everything that is kept.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use super::undo::is_wanted;
use crate::output::{print, tell};

/// Erase a person: nothing that is kept names him any more, and nobody contacts him again.
///
/// Shows first what goes, and asks; --yes goes on without asking. It is for good: what is delivered of him afterwards is
/// left out, also where the same files come again, and only a keyed fact remains that tells so. Views are then those of
/// the input without his rows. Who is not known is erased too.
///
/// The files that were delivered are yours, and so are copies of the data: delete those that are told, and make new
/// copies.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Erase {
    /// The customer's id.
    id: String,
    /// Go on without asking.
    #[arg(long)]
    yes: bool,
    /// Why, without naming him [default: none].
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only show what would go.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    service: Service,
    /// Print what goes, and what went, as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: customer c1 asks to be forgotten; first a look at what goes, and in which files he is.
  cohortflow erase c1 --dry-run
  cohortflow erase c1 --yes --reason \"request 17 of 2009-07-02\"";

pub fn erase(arguments: Erase) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/customers/{}/erase", segment(&arguments.id));
    let body = json!({ "reason": arguments.reason });
    let show = |value: &Value| match arguments.json {
        true => print(format_args!("{value:#}")),
        false => told(value).iter().try_for_each(|line| print(format_args!("{line}"))),
    };
    if !arguments.yes {
        let tried = match arguments.service.post(&format!("{path}?dry_run=true"), &body)? {
            Answer::Refused(value) => return Ok(refused(&value)),
            Answer::Found(tried) => tried,
        };
        show(&tried)?;
        if arguments.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        if !is_wanted("Erase him for good?", "give --yes to erase him, or --dry-run to see only what would go")? {
            tell(format_args!("nothing was changed"));
            return Ok(ExitCode::from(1));
        }
    }
    let done = match arguments.service.post(&path, &body)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(done) => done,
    };
    show(&done)?;
    Ok(if done["finished"] == true { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn told(erasure: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_done = erasure["erased"] == true;
    let mut lines = vec![match (is_done, erasure["known"] == true) {
        (true, true) => format!("erased in epoch {}", erasure["epoch"]),
        (true, false) => "nothing was known of him; what comes of him from now on is left out".to_owned(),
        (false, true) => "what would go:".to_owned(),
        (false, false) => "nothing is known of him; what comes of him would be left out".to_owned(),
    }];
    for (feed, rows) in erasure["rows"].as_object().into_iter().flatten() {
        lines.push(format!("  {feed}: {rows} rows"));
    }
    for (key, what) in [
        ("references", "events of others that are about nobody then"),
        ("set_aside", "rows set aside in quarantine"),
        ("texts", "words and names of requests"),
    ] {
        if erasure[key].as_u64().is_some_and(|count| count > 0) {
            lines.push(format!("  {} {what}", erasure[key]));
        }
    }
    for view in erasure["journals"].as_array().into_iter().flatten() {
        let begins =
            if is_done { "begins anew, its tokens have expired" } else { "would begin anew, its tokens expire" };
        lines.push(format!("  change feed of {}: {begins}", text(view)));
    }
    if erasure["number_is_anothers"] == true {
        lines.push("  his number is another customer's too, and stays".to_owned());
    }
    if erasure["mentions"].as_u64().is_some_and(|count| count > 0) {
        lines.push(format!("  {} texts of others' rows hold his id, and stay", erasure["mentions"]));
    }
    let files = erasure["files"].as_array().into_iter().flatten();
    let files: Vec<String> = files
        .map(|file| format!("  {} ({}, {} rows)", text(&file["file"]), text(&file["feed"]), file["rows"]))
        .collect();
    if !files.is_empty() {
        lines.push(
            "files that were delivered and hold him, which are yours to delete wherever you keep them:".to_owned(),
        );
        lines.extend(files);
    }
    if let Some(why) = erasure["unfinished"].as_str() {
        lines.push(format!("not finished: {why}"));
        lines.push(
            "hint: he is out of the log and of every view; erase him again, or start the service again, to finish"
                .to_owned(),
        );
    }
    lines
}
