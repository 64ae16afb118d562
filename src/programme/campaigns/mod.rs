//! `[[campaign]]`, `[[content]]`, `[[pack]]`, and the limits over them.
//!
//! ```text
//! item ─► Campaign: whom it lists (the dataflow)
//!      └► Plan: how and when it is handed off
//! ```

mod amounts;
mod content;
mod dates;
mod exclusions;
mod goal;
mod ids;
mod length;
pub(super) mod limits;
mod offer;
pub(super) mod packs;
mod places;
mod plan;
mod stages;
mod steps;
pub(super) mod templates;

use std::collections::HashMap;

use dataflows::rules::Expr;
use dataflows::targets::{CAMPAIGNS_MAX, Campaign, MARKETING};

pub use content::Content;
pub use dates::Quiet;
pub use packs::PackName;
pub use plan::{Baseline, Condition, Goal, OwnGoal, Plan, Prize, Seed, Step};

pub(super) use content::{contents, link};
pub(super) use ids::{Ids, id, whose};

use ids::{own_id, unknown};

use super::document::Reader;
use super::outline::Item;
use super::source::Place;
use super::{decimals, values};

const KEYS: [&str; 29] = [
    "id",
    "name",
    "kind",
    "goal",
    "audience",
    "level",
    "cities",
    "product",
    "pack",
    "exclude",
    "consent",
    "never_with",
    "not_after",
    "channels",
    "steps",
    "dates",
    "quiet",
    "priority",
    "holdout",
    "random_arm",
    "baseline",
    "seed",
    "budget",
    "capacity",
    "prize",
    "score",
    "stages",
    "skip_stages",
    "template",
];

/// Priorities either way: enough to leave room between any two.
const PRIORITY_MAX: i64 = 1_000_000;

/// The campaigns in the programme's order, and their plans in the same.
pub(super) fn campaigns(items: &[Item<'_>], ids: &Ids, reader: &mut Reader<'_, '_>) -> (Vec<Campaign>, Vec<Plan>) {
    if let Some(item) = items.get(CAMPAIGNS_MAX) {
        let message = format!("a programme has at most {CAMPAIGNS_MAX} campaigns, this one has {}", items.len());
        reader.problems.error(item.place, message, None);
    }
    let mut seen = HashMap::new();
    items.iter().map(|item| campaign(item, ids, &mut seen, reader)).unzip()
}

/// What is wrong is told, and something else stands in its place: the programme is refused.
fn campaign<'e>(
    item: &Item<'e>,
    ids: &Ids,
    seen: &mut HashMap<&'e str, Place>,
    reader: &mut Reader<'_, '_>,
) -> (Campaign, Plan) {
    reader.known_keys("campaign", item, &KEYS);
    let id = id("campaign", item, seen, reader);
    let whose = whose("campaign", id);
    let name = |key: &str, reader: &mut Reader<'_, '_>| {
        item.find(key).and_then(|entry| values::name(entry, reader.problems)).map(str::to_owned)
    };
    let part = |key: &str, reader: &mut Reader<'_, '_>| {
        item.find(key).and_then(|entry| decimals::part(entry, reader.problems)).unwrap_or(0)
    };
    let audience = match item.find("audience") {
        Some(entry) => reader.rule(entry, format!("audience of {whose}")).and_then(|rule| rule.expr),
        None => {
            let hint = "write audience = \"...\"; audience = \"true\" takes the whole population".to_owned();
            reader.problems.error(item.place, format!("{whose} has no audience"), hint);
            None
        }
    };
    let level = places::level(item, reader);
    let cities = places::cities(&whose, level, item, reader);
    let offer = offer::offer(&whose, item, ids, reader);
    let excluded = item.find("exclude").map(|entry| exclusions::excluded(&whose, &offer, entry, reader));
    let excluded = excluded.unwrap_or_default();
    let never_with = exclusions::rivals(&whose, item, ids, reader);
    let not_after = item.find("not_after").map(|entry| exclusions::waits(entry, reader)).unwrap_or_default();
    let ways = steps::ways(&whose, item, ids, reader);
    let dates = item.find("dates").and_then(|entry| dates::dates(entry, reader.problems));
    let quiet = item.find("quiet").map(|entry| dates::quiet(entry, reader.problems)).unwrap_or_default();
    let priority = item.find("priority");
    let priority = priority.and_then(|entry| values::whole(entry, -PRIORITY_MAX, PRIORITY_MAX, reader.problems));
    let stages = stages::stages(&whose, item.find("stages"), reader.problems);
    let skip_stages = item.find("skip_stages");
    let skip_stages = skip_stages.map(|entry| stages::skipped(&whose, entry, (&stages, &cities), reader.problems));
    let channels = ways.every_channel();
    let capacity = item.find("capacity");
    let capacity = capacity.map(|entry| amounts::capacity(&whose, entry, &channels, reader.problems));
    let budget = item.find("budget").and_then(|entry| decimals::hundredths(entry, "yuan", reader.problems));
    let plan = Plan {
        id: id.unwrap_or_default().to_owned(),
        name: name("name", reader),
        goal: item.find("goal").and_then(|entry| goal::goal(&whose, entry, ids, reader)),
        level,
        from: dates.map(|(from, _)| from),
        quiet,
        baseline: amounts::baseline(&whose, item, ids, reader),
        seed: item.find("seed").and_then(|entry| amounts::seed(&whose, entry, reader)),
        budget,
        capacity: capacity.unwrap_or_default(),
        prize: item.find("prize").and_then(|entry| amounts::prize(&whose, entry, reader)),
        score: name("score", reader),
        stages,
        skip_stages: skip_stages.unwrap_or_default(),
        steps: ways.steps,
    };
    let campaign = Campaign {
        id: plan.id.clone(),
        kind: name("kind", reader).unwrap_or_else(|| MARKETING.to_owned()),
        audience: audience.unwrap_or(Expr::Null),
        cities,
        offer,
        excludes_holders: excluded.holders,
        excludes_terminals: excluded.terminals,
        excludes_lists: excluded.lists,
        consent: name("consent", reader),
        never_with,
        not_after,
        channels: ways.channels,
        until: dates.map(|(_, until)| until),
        priority: priority.unwrap_or(0),
        holdout: part("holdout", reader),
        random: part("random_arm", reader),
    };
    (campaign, plan)
}
