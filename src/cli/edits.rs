//! `adjust`, `list`: what staff change by hand.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::intake::edits::Does;
use crate::output::print;

/// Who asks for a change, and why: kept with it.
#[derive(clap::Args)]
pub(super) struct Author {
    /// Who asks for it.
    #[arg(long, value_name = "NAME", required = true)]
    pub(super) by: String,
    /// Why it is made.
    #[arg(long, value_name = "TEXT", required = true)]
    pub(super) reason: String,
    /// By which the change is known when it is sent again, so that it is made once [default: none].
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
}

/// Correct a customer's points by hand: durable, with who asked for it and why.
#[derive(clap::Args)]
#[command(after_help = ADJUST_EXAMPLE)]
pub struct Adjust {
    /// The customer's id.
    id: String,
    /// How many points he is given; what is below 0 is taken.
    #[arg(allow_negative_numbers = true)]
    points: i64,
    /// When it counts [default: the moment that views are of].
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const ADJUST_EXAMPLE: &str = "\
Example: fifty points for customer c1.
  cohortflow adjust c1 50 --by zhang --reason prize";

pub fn adjust(arguments: Adjust) -> anyhow::Result<ExitCode> {
    let Adjust { id, points, at, author, service, json } = arguments;
    let mut body = json!({ "customer_id": id, "points": points, "by": author.by, "reason": author.reason });
    if let Some(at) = at {
        body["at"] = at.into();
    }
    sent(&service, "/v1/adjustments", &body, author.key.as_deref(), json)
}

/// Edit a list: put customers on it, take them off, replace them, or clear it.
///
/// Lists are edited from now on: who is removed was on the list until now. What takes more than a fifth off
/// a list waits for --confirm with the numbers that the answer tells.
#[derive(clap::Args)]
#[command(after_help = LIST_EXAMPLE)]
pub struct List {
    /// The list's id.
    list: String,
    #[arg(value_enum)]
    op: Does,
    /// The customers' ids; none with clear [default: none].
    customers: Vec<String>,
    /// From when those who are added are on it [default: now].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when they are [default: for ever].
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many were on the list, and how many are left, as a person has seen it [default: none].
    #[arg(long, value_name = "BEFORE:AFTER", value_parser = seen)]
    confirm: Option<(usize, usize)>,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const LIST_EXAMPLE: &str = "\
Example: two customers who shall not register again.
  cohortflow list registration add c1 c2 --by zhang --reason fraud
Nobody is on it any more, where 120 were:
  cohortflow list registration clear --confirm 120:0 --by zhang --reason amnesty";

fn seen(text: &str) -> Result<(usize, usize), String> {
    let numbers = text.split_once(':').and_then(|(before, after)| Some((before.parse().ok()?, after.parse().ok()?)));
    numbers.ok_or_else(|| "expected two numbers, BEFORE:AFTER".to_owned())
}

pub fn list(arguments: List) -> anyhow::Result<ExitCode> {
    let List { list, op, customers, from, until, confirm, author, service, json } = arguments;
    let mut body = json!({ "op": op, "customers": customers, "by": author.by, "reason": author.reason });
    for (name, value) in [("from", from), ("until", until)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    if let Some((before, after)) = confirm {
        body["confirm"] = json!({ "before": before, "after": after });
    }
    sent(&service, &format!("/v1/lists/{}", segment(&list)), &body, author.key.as_deref(), json)
}

pub(super) fn sent(
    service: &Service,
    path: &str,
    body: &Value,
    key: Option<&str>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let told = match service.post_under(path, body, key)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if as_json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let number = |key: &str| told.get(key).and_then(Value::as_u64);
    let (rows, epoch) = (number("rows").context("no rows")?, number("epoch").context("no epoch")?);
    let again = if told.get("repeated").is_some() { ", as it was before" } else { "" };
    print(format_args!("{rows} rows durable with epoch {epoch}{again}"))?;
    if let Some(outranked) = number("outranked").filter(|outranked| *outranked > 0) {
        print(format_args!("{outranked} of them do not stand: a file of a later period has the same customers"))?;
    }
    Ok(ExitCode::SUCCESS)
}
