//! What the programme says of a campaign, as programs read it. Money and shares are texts, so that no reader rounds
//! them.

use dataflows::targets::{Offer, WHOLE};
use dataflows::types::Time;
use serde_json::{Value, json};

use super::accounts::Held;
use crate::programme::{Baseline, Document, Goal, Plan};

/// How a campaign is carried out, and for whom.
pub fn plan(held: &Held<'_>) -> Value {
    let Held { plan, campaign, course } = held;
    let (product, pack) = match &campaign.offer {
        Offer::Nothing => (None, None),
        Offer::Product(product) => (Some(product.as_str()), None),
        Offer::Pack(pack) => (None, Some(pack.as_str())),
        Offer::PackByTier => (None, Some("by_tier")),
    };
    let names = |states: &[dataflows::records::State]| states.iter().map(|state| state.name()).collect::<Vec<_>>();
    let steps = plan.steps.iter().map(|step| {
        let condition = step.condition.name();
        json!({ "channel": step.channel, "after_days": step.after_days, "if": condition, "content": step.content })
    });
    let skipped = plan.skip_stages.iter().map(|(city, stages)| (city.clone(), names(stages).into()));
    let waits = campaign.not_after.iter().map(|(what, days)| (what.clone(), (*days).into()));
    let mut excluded: Vec<String> = Vec::new();
    excluded.extend(campaign.excludes_holders.then(|| "holders".to_owned()));
    excluded.extend(campaign.excludes_terminals.then(|| "terminal".to_owned()));
    excluded.extend(campaign.excludes_lists.iter().map(|list| format!("list:{list}")));
    json!({
        "kind": campaign.kind,
        "goal": goal(plan),
        "audience": campaign.audience.to_string(),
        "cities": campaign.cities,
        "product": product,
        "pack": pack,
        "exclude": excluded,
        "consent": campaign.consent,
        "never_with": campaign.never_with,
        "not_after": waits.collect::<serde_json::Map<_, _>>(),
        "channels": campaign.channels,
        "steps": steps.collect::<Vec<_>>(),
        "from": plan.from.map(told),
        "until": campaign.until.map(told),
        "quiet": plan.quiet.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "priority": campaign.priority,
        "holdout": share(campaign.holdout),
        "random_arm": share(campaign.random),
        "baseline": plan.baseline.as_ref().map(|baseline| match baseline {
            Baseline::Rate(rate) => share(*rate),
            Baseline::Campaign(id) => id.clone(),
        }),
        "seed": plan.seed.map(|seed| json!({
            "size": seed.size,
            "min_delivery": share(seed.min_delivery),
            "max_complaints": share(seed.max_complaints),
        })),
        "budget": plan.budget.map(|fen| money(fen.into())),
        "capacity": plan.capacity,
        "prize": plan.prize.map(|prize| json!({ "quota": prize.quota })),
        "stages": names(course.stages()),
        "skip_stages": skipped.collect::<serde_json::Map<_, _>>(),
    })
}

/// The texts of a campaign: its own, and those that its steps name.
pub fn contents(held: &Held<'_>, document: &Document) -> Vec<Value> {
    let Plan { id, steps, .. } = held.plan;
    let is_named = |content: &str| steps.iter().any(|step| step.content.as_deref() == Some(content));
    let own = document
        .contents
        .iter()
        .filter(|content| content.campaign.as_ref() == Some(id) || content.id.as_deref().is_some_and(is_named));
    let content = own.map(|content| {
        json!({
            "id": content.id,
            "channel": content.channel,
            "version": content.version,
            "text": content.text,
            "link": content.link,
        })
    });
    content.collect()
}

fn goal(plan: &Plan) -> Value {
    match &plan.goal {
        None => Value::Null,
        Some(Goal::Standing(id)) => id.as_str().into(),
        Some(Goal::Own(goal)) => json!({
            "kpi": goal.kpi,
            "product": goal.product,
            "target": goal.target.map(|target| money(target.into())),
            "driver": goal.driver,
            "strategy": goal.strategy,
        }),
    }
}

fn told(at: Time) -> String {
    at.to_string()
}

/// Ten thousandths, with four places.
fn share(parts: u32) -> String {
    format!("{}.{:04}", parts / WHOLE, parts % WHOLE)
}

/// Hundredths, with two places.
pub fn money(fen: i128) -> String {
    let (sign, digits) = (if fen < 0 { "-" } else { "" }, fen.unsigned_abs());
    format!("{sign}{}.{:02}", digits / 100, digits % 100)
}
