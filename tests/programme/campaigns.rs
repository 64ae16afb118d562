//! Campaigns, packs, contents and limits as the tables show them.

use std::fmt::Write as _;

use cohortflow::programme::{Baseline, Document, Goal, Plan};
use dataflows::targets::{Campaign, Limits};

pub fn shown(document: &Document) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a string");
    for (pack, name) in document.programme.packs.iter().zip(&document.packs) {
        let tier = pack.tier.as_deref().unwrap_or("-");
        let (id, level, products) = (&pack.id, name.level.as_str(), pack.products.join(" "));
        let (name, goal) = (name.name.as_deref().unwrap_or("-"), name.goal.as_deref().unwrap_or("-"));
        line(format!("pack {id} ({name}, {level}) of tier {tier}: {products}; {goal}"));
    }
    for (campaign, plan) in document.programme.campaigns.iter().zip(&document.plans) {
        assert_eq!(campaign.id, plan.id);
        listing(campaign, &mut line);
        carried_out(document, plan, &mut line);
    }
    for content in &document.contents {
        let (id, campaign) = (content.id.as_deref().unwrap_or("-"), content.campaign.as_deref().unwrap_or("-"));
        let (channel, version, text) = (&content.channel, content.version, &content.text);
        let link = content.link.as_deref().unwrap_or("-");
        line(format!("content {id} of {campaign} on {channel} version {version}: {text:?} or {link}"));
    }
    if document.programme.limits != Limits::default() {
        line(format!("{:?}", document.programme.limits));
    }
    text
}

fn listing(campaign: &Campaign, line: &mut impl FnMut(String)) {
    let Campaign { id, kind, audience, offer, channels, priority, holdout, random, .. } = campaign;
    line(format!("campaign {id} ({kind}): {audience}"));
    line(format!("  offers {offer:?} over {}, priority {priority}", channels.join(" ")));
    line(format!("  holdout {holdout} random {random} of 10000"));
    let Campaign { excludes_holders, excludes_terminals, excludes_lists, .. } = campaign;
    let Campaign { consent, never_with, not_after, .. } = campaign;
    line(format!("  excludes holders {excludes_holders} terminals {excludes_terminals} lists {excludes_lists:?}"));
    line(format!("  consent {consent:?} never with {never_with:?} not after {not_after:?}"));
}

fn carried_out(document: &Document, plan: &Plan, line: &mut impl FnMut(String)) {
    let campaign = document.programme.campaigns.iter().find(|campaign| campaign.id == plan.id).expect("its campaign");
    let cities: Vec<&str> = campaign.cities.iter().map(String::as_str).collect();
    line(format!("  {:?} on level {} in [{}]", plan.name, plan.level.as_str(), cities.join(" ")));
    let at = |time: Option<_>| time.map_or_else(|| "-".to_owned(), |time: dataflows::types::Time| time.to_string());
    line(format!("  from {} until {}, quiet {:?}", at(plan.from), at(campaign.until), plan.quiet));
    for step in &plan.steps {
        let content = document.content(&plan.id, step, &step.channel);
        let text = content.map_or_else(|| "nothing".to_owned(), |content| format!("{:?}", content.text));
        let (channel, days, condition) = (&step.channel, step.after_days, step.condition.name());
        line(format!("  step over {channel} after {days} days if {condition}: {text}"));
    }
    match &plan.goal {
        Some(Goal::Standing(id)) => line(format!("  for the goal {id}")),
        Some(Goal::Own(goal)) => line(format!("  for {goal:?}")),
        None => {}
    }
    match &plan.baseline {
        Some(Baseline::Rate(rate)) => line(format!("  against {rate} of 10000")),
        Some(Baseline::Campaign(id)) => line(format!("  against {id}")),
        None => {}
    }
    let Plan { seed, budget, capacity, prize, .. } = plan;
    line(format!("  seed {seed:?} budget {budget:?} capacity {capacity:?} prize {prize:?}"));
    let stages: Vec<&str> = plan.stages.iter().map(|stage| stage.name()).collect();
    line(format!("  through {}, but {:?}", stages.join(" "), plan.skip_stages));
}
