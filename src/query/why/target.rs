//! Why a customer is on a campaign's list, or is not: audience, what stands against it, arm, the other campaigns.

use dataflows::records::{Arm, FeedbackKind, RowKey};
use dataflows::targets::codes::{self, Reason};
use dataflows::targets::{DO_NOT_CONTACT, EVERY_CAMPAIGN, Gate, Listing, Offering, Refused, WHOLE, draw};
use dataflows::types::Word;
use serde::Serialize;

use super::clause::{Clause, Verdict};
use super::evidence::Evidence;
use super::subject::Subject;
use super::{Of, Unknown, place};

/// A campaign, and what it makes of the customer.
#[derive(Serialize, Debug)]
pub struct Target {
    pub campaign_id: String,
    pub state: &'static str,
    /// Whether it is closed, or its dates have ended: then it lists nobody.
    pub is_over: bool,
    pub audience: Clause,
    /// Whether he lives in one of its cities; none where it names none.
    pub lives_there: Option<bool>,
    /// Why he is not listed, as target_excluded names it.
    pub excluded: Option<String>,
    /// What stands against a listing, in the order in which it is asked: the first that does is told.
    pub checks: Vec<Check>,
    /// Of who is listed.
    pub channel_id: Option<String>,
    pub product_id: Option<String>,
    pub arm: Option<&'static str>,
    /// By which arms are drawn: below its holdout he is kept back, from `random_from` on he is taken to compare with.
    pub draw: u32,
    pub holdout: u32,
    pub random_from: Option<u32>,
    /// The same of the control group of all campaigns.
    pub draw_of_all: u32,
    pub holdout_of_all: u32,
    /// The campaigns that list him, in the order in which they chose.
    pub listed_by: Vec<String>,
    /// On how many lists he may be.
    pub max_open: u32,
    /// Why he would not be contacted at this moment, though he is listed.
    pub not_now: Option<String>,
}

/// Something that may stand against a listing.
#[derive(Serialize, Debug)]
pub struct Check {
    /// As target_excluded names it.
    pub reason: String,
    pub verdict: Checked,
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// What came of it.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    Passed,
    Failed,
    /// Something before it failed.
    NotAsked,
}

pub(super) fn explain(subject: &Subject<'_>, id: &str) -> Result<(bool, String, Of), Unknown> {
    let published = &subject.explainer.published;
    let campaigns = &published.programme.campaigns;
    let at = place(campaigns.iter().map(|campaign| campaign.id.as_str()), "campaign", id)?;
    let (campaign, rules) = (&campaigns[at], &subject.explainer.reader.rules.targets);
    let listing = &rules.listings[at];
    let audience = subject.clause(&campaign.audience);
    let column = subject.chunk.targets.columns.get(at);
    let code = column.map_or(codes::OUTSIDE, |column| column.code[subject.slot]);
    let target = column.and_then(|column| column.named(subject.slot, campaign, |word| subject.text(word)));
    let city = Word(subject.chunk.customers.texts[dataflows::table::chunk::CITY].get(subject.slot));
    let lives_there = (!listing.cities.is_empty()).then(|| listing.cities.contains(&city));
    let is_over = listing.is_over(&published.catalog, published.clock);
    let order = rules.order(&published.catalog, published.clock);
    let lists = |place: &&usize| {
        subject.chunk.targets.columns.get(**place).is_some_and(|column| codes::is_target(column.code[subject.slot]))
    };
    let listed_by: Vec<String> = order.iter().filter(lists).map(|place| campaigns[*place].id.clone()).collect();
    let reason = reason_of(listing, subject, code);
    let because = match (&target, &reason) {
        _ if is_over => "the campaign is over".to_owned(),
        _ if !subject.is_in_population() => "he is outside the population".to_owned(),
        _ if lives_there == Some(false) => "he lives in none of its cities".to_owned(),
        (Some((channel, arm, _)), _) => format!("he is listed on {channel}, in the arm {}", arm.name()),
        (None, Some(reason)) if ["never_with", "max_open"].contains(&reason.as_str()) && !listed_by.is_empty() => {
            format!("{reason} stands against it; he is listed by {}", listed_by.join(", "))
        }
        (None, Some(reason)) => format!("{reason} stands against it"),
        (None, None) => match audience.verdict {
            Verdict::Unknown => "its audience is unknown, and he is not drawn to compare with".to_owned(),
            _ => "he is not of its audience, and not drawn to compare with".to_owned(),
        },
    };
    let random_from = (listing.random > 0).then(|| WHOLE - listing.random.min(WHOLE));
    let told = Target {
        campaign_id: id.to_owned(),
        state: published.catalog.state(listing.id).name(),
        is_over,
        lives_there,
        checks: checks(subject, listing, column.map_or(codes::OUTSIDE, |column| column.fit[subject.slot]), code),
        channel_id: target.map(|(channel, ..)| channel.to_owned()),
        product_id: target.and_then(|(.., product)| product).map(str::to_owned),
        arm: target.map(|(_, arm, _)| arm.name()),
        draw: draw(&listing.name, subject.id),
        holdout: listing.holdout,
        random_from,
        draw_of_all: draw(EVERY_CAMPAIGN, subject.id),
        holdout_of_all: rules.holdout,
        listed_by,
        max_open: rules.open_max,
        not_now: target.and_then(|(channel, arm, _)| not_now(subject, listing, channel, arm)),
        excluded: reason,
        audience,
    };
    Ok((target.is_some(), because, Of::Target(Box::new(told))))
}

/// The reason that a code is; none of a target, and of who is outside.
fn reason_of(listing: &Listing, subject: &Subject<'_>, code: u8) -> Option<String> {
    if codes::is_target(code) || code == codes::OUTSIDE {
        return None;
    }
    let word = match codes::list(code) {
        Some(list) => listing.lists.get(list)?.1,
        None => return codes::REASONS.get(usize::from(code) - 1).map(|name| (*name).to_owned()),
    };
    subject.text(word).map(str::to_owned)
}

/// Why the second check, which comes before a hand-off, would keep him back now.
fn not_now(subject: &Subject<'_>, listing: &Listing, channel: &str, arm: Arm) -> Option<String> {
    if arm == Arm::Control {
        return Some("he is kept back as control".to_owned());
    }
    let explainer = subject.explainer;
    let rules = &explainer.reader.rules.targets;
    let (words, now) = (&explainer.reader.words, explainer.published.clock.now);
    let gate = Gate { rules, words, now, chunk: subject.chunk, any: explainer.any_channel };
    let channel = listing.channels.iter().find(|(of, _)| subject.text(*of) == Some(channel))?;
    gate.refuses(listing, subject.slot, *channel).map(|refused| match refused {
        Refused::Reason(reason) => reason.name().to_owned(),
        Refused::List(place) => {
            listing.lists.get(place).and_then(|(_, reason)| subject.text(*reason)).unwrap_or("list").to_owned()
        }
    })
}

/// What stands against a listing. `fit` is the code before others were looked at, `code` that after.
fn checks(subject: &Subject<'_>, listing: &Listing, fit: u8, code: u8) -> Vec<Check> {
    let asked = asked(subject, listing, [fit, code]);
    // What nobody asks of who is outside.
    let failed = |of: u8| asked.iter().position(|(code, ..)| *code == of);
    let (first, by_others) = (failed(fit), failed(code).filter(|_| codes::is_target(fit)));
    let is_outside = fit == codes::OUTSIDE;
    let last = asked.len().saturating_sub(1);
    let verdict = |place: usize| match (first, by_others) {
        _ if is_outside => Checked::NotAsked,
        (Some(first), _) if place > first => Checked::NotAsked,
        (Some(first), _) if place == first => Checked::Failed,
        (None, Some(others)) if place == others => Checked::Failed,
        // Others are looked at last of all; who is on a rival's list is not asked on how many he is.
        (None, Some(others)) if place == last && others != last => Checked::NotAsked,
        _ => Checked::Passed,
    };
    let verdicts: Vec<Checked> = (0..asked.len()).map(verdict).collect();
    asked
        .into_iter()
        .zip(verdicts)
        .map(|((_, reason, keys), verdict)| Check { reason, verdict, evidence: Evidence::of(keys) })
        .collect()
}

/// A reason by its code, with its name and the rows that it is asked of.
type AskedOf = (u8, String, Vec<RowKey>);

/// What the campaign asks, in its order; and whatever the codes tell that it would not.
fn asked(subject: &Subject<'_>, listing: &Listing, told: [u8; 2]) -> Vec<AskedOf> {
    let rules = &subject.explainer.reader.rules.targets;
    let products: Vec<Word> = match &listing.offering {
        Offering::ByClass(packs) => packs.concat(),
        offering => offering.products(0).to_vec(),
    };
    let is_pack = listing.offering.is_pack();
    let listed = |list: Option<Word>| list.map(|list| RowKey::Listing(subject.customer, list)).into_iter().collect();
    let consents = || listing.consent.flatten().map(|purpose| subject.consents(purpose)).unwrap_or_default();
    let waits = |campaign: Word, channel: Word| {
        listing.not_after.iter().any(|(what, _)| [campaign, channel].contains(what)) && campaign != listing.id
    };
    let declines = |kind| matches!(kind, FeedbackKind::Decline | FeedbackKind::Later);
    let mut asked: Vec<AskedOf> = Vec::new();
    let mut ask = |is_asked: bool, reason: Reason, keys: Vec<RowKey>| {
        if is_asked || told.contains(&(reason as u8)) {
            asked.push((reason as u8, reason.name().to_owned(), keys));
        }
    };
    ask(true, Reason::Optout, subject.feedbacks(|kind| kind == FeedbackKind::Optout));
    ask(true, Reason::DoNotContact, listed(subject.word(DO_NOT_CONTACT)));
    ask(listing.consent.is_some(), Reason::Consent, consents());
    ask(is_pack || listing.excludes_holders, Reason::Holders, subject.latest_orders(&products));
    ask(is_pack || listing.excludes_terminals, Reason::Terminal, subject.terminal());
    ask(!listing.rivals.is_empty(), Reason::NeverWith, subject.contacts(|of, _| listing.rivals.contains(&of)));
    ask(!listing.not_after.is_empty(), Reason::NotAfter, subject.contacts(waits));
    ask(true, Reason::Declined, subject.feedbacks(declines));
    ask(true, Reason::Channel, subject.terminal());
    ask(listing.is_capped && !rules.caps.is_empty(), Reason::Cap, subject.contacts(|_, _| true));
    ask(true, Reason::MaxOpen, Vec::new());
    // Lists stand between do_not_contact and consent.
    let lists = listing.lists.iter().enumerate().map(|(place, (list, reason))| {
        (codes::of_list(place), subject.text(*reason).unwrap_or_default().to_owned(), listed(*list))
    });
    let lists: Vec<AskedOf> = lists.collect();
    asked.splice(2..2, lists);
    asked
}
