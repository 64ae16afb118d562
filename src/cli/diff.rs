//! `diff`: what an edit of the programme would change, before it is published.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::output::{print, tell};
use crate::programme::{self, Document};
use crate::query::whatif::MEMBERS_MAX;

/// Show what publishing a programme would change: customers of each segment, tier and target list, contacts, costs.
///
/// Nothing is published and nothing is disturbed: the running service tries the programme on what it shows at the moment.
/// With --sweep one bound of one rule is tried at several numbers. The bound is written with ? in the place of its number,
/// as in --sweep 'segment students: avg_fee >= ?' (or tier, or campaign); where a rule has one bound, segment:students says it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// A TOML file, or a directory of them [default: none; with --sweep the programme in force].
    #[arg(required_unless_present = "sweep")]
    programme: Option<PathBuf>,
    /// How many customers to name of those who come to each list, and of those who go.
    #[arg(long, value_name = "N", default_value = "0", conflicts_with = "sweep", value_parser = clap::value_parser!(u32).range(0..=MEMBERS_MAX as i64))]
    members: u32,
    /// Write the ids of everybody who comes to one list, or goes from it, as CSV: segment:ID, tier:ID, campaign:ID
    /// [default: none].
    #[arg(long, value_name = "LIST", requires = "side", conflicts_with_all = ["sweep", "members", "json"])]
    list: Option<String>,
    /// Which of them, with --list [default: none].
    #[arg(long, value_enum, requires = "list")]
    side: Option<Side>,
    /// The bound to sweep: segment:ID, or 'segment ID: avg_fee >= ?' [default: none].
    #[arg(long, value_name = "BOUND", requires = "at")]
    sweep: Option<String>,
    /// The numbers to sweep it over, separated by commas [default: none].
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', requires = "sweep", allow_hyphen_values = true)]
    at: Vec<String>,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// A side of a list.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Side {
    /// Who would come.
    Added,
    /// Who would go.
    Removed,
}

const EXAMPLE: &str = "\
Example: what an edited copy of the programme would change, with five customers of each list.
  cohortflow diff programme --members 5
Everybody who would leave a segment, as CSV:
  cohortflow diff programme --list segment:high_fee --side removed
How many a segment would have at 60, 70 and 80 yuan:
  cohortflow diff --sweep segment:high_fee --at 60,70,80";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let document = match arguments.programme.as_deref().map(loaded).transpose()? {
        Some(None) => return Ok(ExitCode::from(1)),
        Some(Some(document)) => Some(document),
        None => None,
    };
    let mut body = json!({});
    if let Some(document) = &document {
        body["sources"] = json!(document.sources);
    }
    if let Some(sweep) = &arguments.sweep {
        body["sweep"] = sweep.as_str().into();
        body["at"] = arguments.at.iter().map(|at| at.trim()).collect();
        return answered(&arguments, "/v1/programme/sweep", &body, swept);
    }
    if let (Some(list), Some(side)) = (&arguments.list, arguments.side) {
        let side = if matches!(side, Side::Added) { "added" } else { "removed" };
        let path = format!("/v1/programme/diff?list={}&side={side}", segment(list));
        let refusal = arguments.service.post_copy(&path, &body, &mut std::io::stdout().lock())?;
        return Ok(refusal.map_or(ExitCode::SUCCESS, |value| refused(&value)));
    }
    answered(&arguments, &format!("/v1/programme/diff?members={}", arguments.members), &body, told)
}

/// The programme; none where it is refused, which is told.
fn loaded(path: &Path) -> anyhow::Result<Option<Document>> {
    match programme::load(path) {
        Ok(document) => {
            document.warnings.iter().for_each(|warning| tell(format_args!("{warning}")));
            Ok(Some(document))
        }
        Err(programme::LoadError::Refused(diagnostics)) => {
            diagnostics.iter().for_each(|diagnostic| tell(format_args!("{diagnostic}\n")));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn answered(
    arguments: &Arguments,
    path: &str,
    body: &Value,
    show: fn(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let value = match arguments.service.post(path, body)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(value) => value,
    };
    if arguments.json {
        print(format_args!("{value:#}"))?
    } else {
        show(&value)?
    }
    Ok(ExitCode::SUCCESS)
}

fn number(value: &Value, key: &str) -> i64 {
    value.get(key).and_then(Value::as_i64).unwrap_or(0)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("-")
}

fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], |items| items)
}

fn differs(value: &Value) -> bool {
    number(value, "before") != number(value, "after")
}

/// What an edit would change, of each list that it would.
fn told(value: &Value) -> anyhow::Result<()> {
    print(format_args!("as of epoch {}; nothing is published", number(value, "epoch")))?;
    for (title, key) in [("segment", "segments"), ("tier", "tiers"), ("target list", "targets")] {
        let is_moved = |group: &&Value| ["added", "removed", "changed"].iter().any(|key| number(group, key) != 0);
        let moved: Vec<&Value> = items(value, key).iter().filter(is_moved).collect();
        let others = items(value, key).len() - moved.len();
        if moved.is_empty() {
            print(format_args!("no {title} would change, of {others}"))?;
            continue;
        }
        print(format_args!("{title:<28} {:>10} {:>10} {:>10} {:>10}", "before", "after", "added", "removed"))?;
        for group in moved {
            let [before, after, added, removed] = ["before", "after", "added", "removed"].map(|key| number(group, key));
            let changed = match number(group, "changed") {
                0 => String::new(),
                changed => format!("  {changed} with another product, channel or arm"),
            };
            let id = text(group, "id");
            print(format_args!("  {id:<26} {before:>10} {after:>10} {added:>10} {removed:>10}{changed}"))?;
            members(group)?;
        }
        print(format_args!("  {others} others as they are"))?;
    }
    for moved in items(value, "tier_moves") {
        let standing = |key: &str| match moved.get(key) {
            Some(Value::String(id)) => id.clone(),
            Some(none) if none.get("row") == Some(&Value::Bool(true)) => "no tier".to_owned(),
            _ => "outside".to_owned(),
        };
        print(format_args!("from {} to {}: {}", standing("from"), standing("to"), number(moved, "customers")))?;
    }
    for rank in items(value, "ranks").iter().filter(|rank| differs(rank)) {
        print(format_args!("rank {}: {} -> {}", text(rank, "id"), number(rank, "before"), number(rank, "after")))?;
    }
    if number(value, "balances_changed") > 0 {
        print(format_args!("another balance of points: {} customers", number(value, "balances_changed")))?;
    }
    contacts(value)?;
    for untold in items(value, "not_told") {
        print(format_args!("not told: {}: {}", text(untold, "what"), text(untold, "why")))?;
    }
    Ok(())
}

/// The customers who are named.
fn members(group: &Value) -> anyhow::Result<()> {
    for (sign, side) in [('+', "added"), ('-', "removed")] {
        let ids = group.get("members").map_or(&[][..], |members| items(members, side));
        let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
        if !ids.is_empty() {
            print(format_args!("    {sign} {}", ids.join(", ")))?;
        }
    }
    Ok(())
}

/// Contacts by channel, those over caps, and what all of them cost.
fn contacts(value: &Value) -> anyhow::Result<()> {
    for load in items(value, "channels").iter().filter(|load| differs(load)) {
        let over = load.get("over_capacity").filter(|over| differs(over)).map_or(String::new(), |over| {
            format!(", beyond a day's capacity {} -> {}", number(over, "before"), number(over, "after"))
        });
        let [before, after] = ["before", "after"].map(|key| number(load, key));
        print(format_args!("contacts on {}: {before} -> {after}{over}", text(load, "channel_id")))?;
    }
    if let Some(over) = value.get("over_cap").filter(|over| differs(over)) {
        print(format_args!("kept off by caps: {} -> {}", number(over, "before"), number(over, "after")))?;
    }
    if let Some(cost) = value.get("cost").filter(|cost| text(cost, "before") != text(cost, "after")) {
        let [before, after, change] = ["before", "after", "change"].map(|key| text(cost, key));
        let sign = if change.starts_with('-') { "" } else { "+" };
        print(format_args!("cost: {before} -> {after} yuan ({sign}{change})"))?;
    }
    Ok(())
}

/// What each number of a sweep comes to.
fn swept(value: &Value) -> anyhow::Result<()> {
    let [kind, id, bound, stands] = ["kind", "id", "bound", "stands"].map(|key| text(value, key));
    print(format_args!("{kind} {id}: {bound}, now {stands}; as of epoch {}", number(value, "epoch")))?;
    print(format_args!("{:>14} {:>10} {:>10} {:>10}", "at", "size", "added", "removed"))?;
    print(format_args!("{:>14} {:>10}", "in force", number(value, "before")))?;
    for at in items(value, "at") {
        let [size, added, removed] = ["size", "added", "removed"].map(|key| number(at, key));
        print(format_args!("{:>14} {size:>10} {added:>10} {removed:>10}", text(at, "at")))?;
    }
    Ok(())
}
