//! `explain`: why a customer is in a segment, a tier, on a target list, or has his balance.

use std::process::ExitCode;

use serde_json::Value;

use super::client::{Answer, Service, refused, segment};
use crate::output::print;

/// Show why a customer is, or is not, in a segment, a tier or on a target list, or how his balance came to be.
///
/// Every clause of the rule with the value that was found, the threshold that it is set against, and the verdict: true,
/// false, or unknown where a value is null (a rule holds only where it is true). Behind each value the rows that it
/// comes from: file, version, line. Of a tier the rules from the best class down to the customer's; of a target what
/// stands against a listing, the arm, and the other campaigns; of a balance every entry.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Explain {
    /// The customer's id.
    id: String,
    /// What to explain.
    #[arg(value_enum)]
    what: What,
    /// The segment's id, or the campaign's [default: none, as tier and balance have no name].
    #[arg(required_if_eq_any([("what", "segment"), ("what", "target")]))]
    name: Option<String>,
    #[command(flatten)]
    service: Service,
    /// Print the explanation as JSON.
    #[arg(long)]
    json: bool,
}

/// What can be explained.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    Segment,
    Tier,
    Target,
    Balance,
}

const EXAMPLE: &str = "\
Example: is customer c1 a big spender, why is he on the concert's list, and where are his points from?
  cohortflow explain c1 segment big_spender
  cohortflow explain c1 target pop_concert_crbt
  cohortflow explain c1 balance
His class, for a program:
  cohortflow explain c1 tier --json";

pub fn explain(arguments: Explain) -> anyhow::Result<ExitCode> {
    let asked = match (arguments.what, &arguments.name) {
        (What::Segment, Some(name)) => format!("segment={}", segment(name)),
        (What::Target, Some(name)) => format!("target={}", segment(name)),
        (What::Tier, None) => "tier".to_owned(),
        (What::Balance, None) => "balance".to_owned(),
        (What::Tier | What::Balance, Some(_)) => anyhow::bail!(
            "a customer has one tier and one balance: neither takes a name\nhint: leave it out; only segment and target take one"
        ),
        (What::Segment | What::Target, None) => unreachable!("the parser asks for a name"),
    };
    let why = match arguments.service.get(&format!("/v1/customers/{}/why?{asked}", segment(&arguments.id)))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(why) => why,
    };
    if arguments.json {
        print(format_args!("{why:#}"))?;
    } else {
        told(&arguments, &why).iter().try_for_each(|line| print(format_args!("{line}")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(arguments: &Explain, why: &Value) -> Vec<String> {
    let (id, name) = (&arguments.id, arguments.name.as_deref().unwrap_or_default());
    let is = why["verdict"] == true;
    let head = match arguments.what {
        What::Segment => format!("{id} is {}in segment {name}", if is { "" } else { "not " }),
        What::Target => format!("{id} is {}on the list of {name}", if is { "" } else { "not " }),
        What::Tier => format!("{id} has tier {}", text(&why["tier"]["id"])),
        What::Balance => format!("{id} has {} points", text(&why["balance"]["balance"])),
    };
    let mut lines = vec![
        format!("{head}: {}", text(&why["because"])),
        format!("as of {}, now {}, epoch {}", text(&why["as_of"]), text(&why["now"]), why["epoch"]),
    ];
    if let Some(population) = why.get("population") {
        lines.push("population".to_owned());
        clause(population, 1, &mut lines);
    }
    match arguments.what {
        What::Segment => {
            lines.push("rule".to_owned());
            clause(&why["segment"]["rule"], 1, &mut lines);
        }
        What::Tier => {
            for rung in items(&why["tier"]["rungs"]) {
                lines.push(format!("tier {}: {}", text(&rung["id"]), text(&rung["verdict"])));
                if rung["rule"].is_null() {
                    lines.push("  takes the rest".to_owned());
                } else {
                    clause(&rung["rule"], 1, &mut lines);
                }
            }
        }
        What::Target => target(&why["target"], &mut lines),
        What::Balance => balance(&why["balance"], &mut lines),
    }
    lines
}

/// A clause with what is below it, two columns further in.
fn clause(clause: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let what = clause.get("joined_by").unwrap_or(&clause["clause"]);
    let values = items(&clause["values"])
        .iter()
        .map(|value| format!("{} = {}", text(&value["attribute"]), text(&value["value"])));
    let values = values.collect::<Vec<_>>().join(", ");
    let sides = items(&clause["sides"]).iter().map(text).collect::<Vec<_>>();
    let compared = if sides.is_empty() { String::new() } else { format!("  [{}]", sides.join(" against ")) };
    let values = if values.is_empty() { values } else { format!("  ({values})") };
    lines.push(format!("{indent}{:<7} {}{values}{compared}", text(&clause["verdict"]), text(what)));
    for value in items(&clause["values"]) {
        rows(value, depth + 4, lines);
        if let Some(drive) = value.get("drive") {
            lines.push(format!("{indent}  {}", text(&value["attribute"])));
            self::clause(drive, depth + 2, lines);
        }
    }
    items(&clause["clauses"]).iter().for_each(|below| self::clause(below, depth + 1, lines));
}

/// The rows behind a value, by file.
fn rows(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let mut by_file: Vec<(String, Vec<String>)> = Vec::new();
    for row in items(&value["rows"]) {
        let file = format!("{} version {}", text(&row["file"]), text(&row["version"]));
        let line = text(&row["line"]);
        match by_file.last_mut().filter(|(last, _)| *last == file) {
            Some((_, lines)) => lines.push(line),
            None => by_file.push((file, vec![line])),
        }
    }
    let indent = "  ".repeat(depth);
    for (file, of) in by_file {
        lines.push(format!("{indent}{file}, line{} {}", if of.len() > 1 { "s" } else { "" }, of.join(", ")));
    }
    if let Some(more) = value["more_rows"].as_u64() {
        lines.push(format!("{indent}and {more} more before these"));
    }
}

fn target(target: &Value, lines: &mut Vec<String>) {
    lines.push(format!("campaign is {}", text(&target["state"])));
    lines.push("audience".to_owned());
    clause(&target["audience"], 1, lines);
    lines.push("what may stand against it".to_owned());
    for check in items(&target["checks"]) {
        lines.push(format!("  {:<10} {}", text(&check["verdict"]).replace('_', " "), text(&check["reason"])));
        rows(check, 5, lines);
    }
    let [draw, holdout, draw_of_all, of_all] =
        ["draw", "holdout", "draw_of_all", "holdout_of_all"].map(|key| text(&target[key]));
    lines.push(format!(
        "arm {}: drawn {draw}, kept back below {holdout}; of all campaigns drawn {draw_of_all}, kept back below {of_all}",
        text(&target["arm"])
    ));
    let lists = items(&target["listed_by"]).iter().map(text).collect::<Vec<_>>().join(", ");
    let lists = if lists.is_empty() { "-".to_owned() } else { lists };
    lines.push(format!("listed by {lists}; at most {}", text(&target["max_open"])));
    if !target["not_now"].is_null() {
        lines.push(format!("not contacted now: {}", text(&target["not_now"])));
    }
}

fn balance(balance: &Value, lines: &mut Vec<String>) {
    for (rule, points) in balance["by_rule"].as_object().into_iter().flatten() {
        lines.push(format!("{:>12}  {rule}", text(points)));
    }
    lines.push("entries".to_owned());
    for entry in items(&balance["entries"]) {
        let [at, points, rule, id] = ["at", "points", "rule", "entry_id"].map(|key| text(&entry[key]));
        lines.push(format!("  {at}  {points:>8}  {rule:<20}  {id}"));
        rows(entry, 5, lines);
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
