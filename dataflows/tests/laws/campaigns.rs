//! Random campaigns, and what happens in them. They are drawn from a source of their own, so that histories are what
//! they were before there were any.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use dataflows::facts::{Channel, ConsentFact, Facts, Ids, MomentFact, Product};
use dataflows::fit::{Affinity, FIT_WEIGHT_MAX, Fit, Kin, Of};
use dataflows::programme::Programme;
use dataflows::records::{AMOUNT_MAX, Arm, Contact, Customer, Feedback, FeedbackKind, Handoff, Outcome, State};
use dataflows::rules::Expr;
use dataflows::targets::{Campaign, Cap, Limits, Offer, Pack, Span, after_days};
use dataflows::types::{Clock, CustomerIx, SECONDS_PER_DAY, Time, Word};
use fastrand::Rng;

use crate::history::{busy, member};
use crate::programmes::audience;

const CAMPAIGNS: [&str; 5] = ["C0", "C1", "C2", "C3", "C4"];
const CHANNELS: [&str; 4] = ["sms", "mms", "wap", "call"];
const PRODUCTS: [&str; 3] = ["sms", "crbt", "nothing"];
/// Words that facts name, beside those of programmes.
pub const WORDS: [&str; 8] = ["C0", "C1", "C2", "C3", "C4", "*", "wap", "call"];

/// Campaigns, packs and limits for a programme.
pub fn put(rng: &mut Rng, programme: &mut Programme) {
    // Some have none.
    let many = if rng.u8(0..6) == 0 { 0 } else { rng.usize(1..5) };
    let mut ids = CAMPAIGNS.to_vec();
    rng.shuffle(&mut ids);
    programme.packs = (0..3)
        .map(|place| Pack {
            id: format!("K{place}"),
            tier: (place < 2).then(|| format!("T{place}")),
            products: some(rng, &PRODUCTS),
        })
        .collect();
    programme.campaigns = ids[..many].iter().map(|id| campaign(rng, id)).collect();
    programme.limits = limits(rng);
    programme.fit = (rng.u8(0..4) != 0).then(|| fit(rng, programme));
}

/// Weights, affinities and models of products.
fn fit(rng: &mut Rng, programme: &Programme) -> Fit {
    let weights = |rng: &mut Rng| {
        let mut weights = [0; 3].map(|_| rng.u32(0..4));
        weights[rng.usize(0..3)] = if rng.bool() { rng.u32(1..4) } else { FIT_WEIGHT_MAX };
        weights
    };
    let affinity = |rng: &mut Rng| {
        let one = |rng: &mut Rng, of: &[&str]| of[rng.usize(0..of.len())].to_owned();
        let drives: Vec<&str> = programme.drives.iter().map(|drive| drive.id.as_str()).chain(["nowhere"]).collect();
        Affinity {
            of: if rng.bool() { Of::Product(one(rng, &PRODUCTS)) } else { Of::Category(one(rng, &["sms", "call"])) },
            kin: match rng.u8(0..3) {
                0 => Kin::Tier(format!("T{}", rng.u8(0..3))),
                1 => Kin::Segment(format!("S{}", rng.u8(0..4))),
                _ => Kin::Drive(one(rng, &drives)),
            },
            points: rng.i64(-6_000..6_000),
        }
    };
    Fit {
        weights: weights(rng),
        parts: weights(rng),
        smoothing: [0, 1, 20][rng.usize(0..3)],
        affinities: (0..rng.usize(0..6)).map(|_| affinity(rng)).collect(),
        scores: if rng.bool() { [("sms".to_owned(), "crbt".to_owned())].into() } else { [].into() },
    }
}

/// The same with something else in it.
pub fn edit(rng: &mut Rng, programme: &mut Programme) {
    let mut other = Programme::default();
    put(rng, &mut other);
    match rng.u8(0..7) {
        6 => programme.fit = other.fit,
        0 => programme.limits = other.limits,
        1 => programme.packs = other.packs,
        2 => rng.shuffle(&mut programme.campaigns),
        3 if !programme.campaigns.is_empty() => {
            let place = rng.usize(0..programme.campaigns.len());
            let id = programme.campaigns[place].id.clone();
            programme.campaigns[place] = campaign(rng, &id);
        }
        4 => programme.campaigns = other.campaigns,
        _ => {
            programme.campaigns.pop();
        }
    }
}

fn some(rng: &mut Rng, of: &[&str]) -> Vec<String> {
    let mut names = of.to_vec();
    rng.shuffle(&mut names);
    names[..rng.usize(1..=of.len())].iter().map(|name| (*name).to_owned()).collect()
}

fn campaign(rng: &mut Rng, id: &str) -> Campaign {
    let one = |rng: &mut Rng, of: &[&str]| of[rng.usize(0..of.len())].to_owned();
    Campaign {
        id: id.to_owned(),
        kind: one(rng, &["marketing", "marketing", "service"]),
        audience: audience(rng),
        cities: if rng.u8(0..3) == 0 { BTreeSet::from([one(rng, &["Dalian", "沈阳"])]) } else { BTreeSet::new() },
        offer: match rng.u8(0..6) {
            0 => Offer::Nothing,
            1 => Offer::PackByTier,
            2 => Offer::Pack(one(rng, &["K0", "K1", "K2"])),
            _ => Offer::Product(one(rng, &PRODUCTS)),
        },
        excludes_holders: rng.bool(),
        excludes_terminals: rng.bool(),
        excludes_lists: if rng.bool() { vec!["vip".to_owned()] } else { Vec::new() },
        consent: (rng.u8(0..3) == 0).then(|| one(rng, &["sms", "crbt", "nothing"])),
        never_with: if rng.u8(0..3) == 0 {
            BTreeSet::from([one(rng, &CAMPAIGNS)]).into_iter().filter(|rival| rival != id).collect()
        } else {
            BTreeSet::new()
        },
        not_after: if rng.u8(0..3) == 0 {
            vec![(one(rng, &["sms", "mms", "C0", "C1"]), rng.u32(1..5))]
        } else {
            Vec::new()
        },
        channels: some(rng, &CHANNELS),
        until: (rng.u8(0..4) == 0).then(|| Time(busy(rng).0 + rng.i64(0..6) * SECONDS_PER_DAY)),
        priority: rng.i64(0..3),
        holdout: [0, 0, 3_000][rng.usize(0..3)],
        random: [0, 0, 0, 2_000][rng.usize(0..4)],
    }
}

fn limits(rng: &mut Rng) -> Limits {
    let cap = |rng: &mut Rng| Cap {
        channel: rng.bool().then(|| CHANNELS[rng.usize(0..2)].to_owned()),
        contacts: rng.u32(0..3).max(rng.u32(0..2)),
        span: if rng.bool() { Span::Days(rng.u32(1..5)) } else { Span::Weeks(rng.u32(1..3)) },
    };
    Limits {
        caps: (0..rng.usize(0..3)).map(|_| cap(rng)).collect(),
        exempt: if rng.bool() { BTreeSet::from(["service".to_owned()]) } else { BTreeSet::new() },
        open_max: rng.u32(1..4),
        holdout: [0, 0, 0, 1_500][rng.usize(0..4)],
        decline_days: rng.u32(1..5),
        later_days: rng.u32(1..3),
    }
}

/// What is known of a history so far, to be corrected and taken back.
#[derive(Default)]
pub struct Known {
    contacts: Vec<MomentFact<Contact>>,
    feedbacks: Vec<MomentFact<Feedback>>,
    handoffs: Vec<MomentFact<Handoff>>,
}

/// Ids of every customer that a history may name.
pub fn ids() -> Ids {
    let mut ids = Ids::from(0);
    (0..4_200).for_each(|customer| ids.push(&format!("k{customer}")));
    ids
}

/// Adds what happens in an epoch. `word` gives the number of a text.
pub fn happen(rng: &mut Rng, known: &mut Known, word: &dyn Fn(&str) -> Word, facts: &mut Facts) {
    let one = |rng: &mut Rng, of: &[&str]| word(of[rng.usize(0..of.len())]);
    for _ in 0..rng.usize(0..12) {
        let contact = Contact {
            campaign: one(rng, &CAMPAIGNS),
            channel: one(rng, &CHANNELS),
            outcome: [Outcome::Delivered, Outcome::Delivered, Outcome::Failed, Outcome::Withheld][rng.usize(0..4)],
            arm: [Arm::Target, Arm::Target, Arm::Control, Arm::Random][rng.usize(0..4)],
        };
        let fact = moment(rng, &mut known.contacts, contact);
        facts.contacts.push(fact);
    }
    for _ in 0..rng.usize(0..14) {
        let [order, decline, later, out] =
            [FeedbackKind::Order, FeedbackKind::Decline, FeedbackKind::Later, FeedbackKind::Optout];
        let often = [order, order, decline, later, out];
        let amounts = [AMOUNT_MAX, -AMOUNT_MAX, -1, 0, 500, 12_345];
        let feedback = Feedback {
            campaign: one(rng, &CAMPAIGNS),
            kind: if rng.bool() { often[rng.usize(0..5)] } else { FeedbackKind::ALL[rng.usize(0..9)] },
            channel: Word::NULL,
            product: if rng.bool() { Word::NULL } else { one(rng, &PRODUCTS[..2]) },
            amount: rng.bool().then(|| amounts[rng.usize(0..6)]),
            value: rng.bool().then(|| amounts[rng.usize(0..6)]),
            reason: one(rng, &["", "sms", "crbt"]),
        };
        let fact = moment(rng, &mut known.feedbacks, feedback);
        facts.feedbacks.push(fact);
    }
    for _ in 0..rng.usize(0..8) {
        let handoff = Handoff {
            campaign: one(rng, &CAMPAIGNS),
            step: rng.u8(0..3),
            channel: one(rng, &CHANNELS),
            arm: [Arm::Target, Arm::Target, Arm::Control][rng.usize(0..3)],
            cost: 10,
        };
        let fact = moment(rng, &mut known.handoffs, handoff);
        facts.handoffs.push(fact);
    }
    for _ in 0..rng.usize(0..4) {
        let channel = one(rng, &["*", "sms", "mms", "call"]);
        let (purpose, at) = (one(rng, &["sms", "crbt"]), busy(rng));
        facts.consents.push(ConsentFact { customer: member(rng), purpose, channel, at, given: Some(rng.bool()) });
    }
    if rng.u8(0..3) == 0 {
        let requires = one(rng, &["", "mms", "wap;mms", "wap"]);
        let category = one(rng, &["", "sms", "call"]);
        let product = Product { requires, category, ..Product::default() };
        facts.products.push((one(rng, &PRODUCTS[..2]), (rng.u8(0..4) != 0).then_some(product)));
    }
    if rng.bool() {
        facts.channels.push((one(rng, &CHANNELS), (rng.u8(0..6) != 0).then(Channel::default)));
        facts.scores.push((member(rng), word("crbt"), rng.bool().then(|| rng.i64(-2_000..12_000))));
    }
    for order in facts.orders.iter_mut().filter_map(|fact| fact.order.as_mut()) {
        order.channel = one(rng, &["", "sms", "mms", "wap", "call"]);
    }
    if rng.u8(0..2) == 0 {
        let state = State::ALL[rng.usize(0..State::ALL.len())].0;
        facts.campaigns.push((one(rng, &CAMPAIGNS), (rng.u8(0..4) != 0).then_some(state)));
    }
}

/// Few customers under campaigns that nothing but time keeps from them; the clock stands at the edges of windows.
pub fn edges(seed: u64) -> Vec<Arc<Facts>> {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let mut programme = Programme::default();
    put(rng, &mut programme);
    let plain = |rng: &mut Rng, id: &&str| Campaign {
        audience: Expr::Boolean(true),
        cities: BTreeSet::new(),
        excludes_holders: false,
        excludes_terminals: false,
        excludes_lists: Vec::new(),
        consent: None,
        never_with: BTreeSet::new(),
        offer: if rng.bool() { Offer::Nothing } else { Offer::Product("sms".to_owned()) },
        ..campaign(rng, id)
    };
    programme.campaigns = CAMPAIGNS[..2].iter().map(|id| plain(rng, id)).collect();
    programme.limits.open_max = 2;
    let mut words: Vec<Arc<str>> = Vec::new();
    let others = [""].iter().chain(&WORDS).chain(&PRODUCTS).chain(&CHANNELS).chain(&["wap;mms"]);
    let others: Vec<Cow<'_, str>> = others.map(|word| Cow::Borrowed(*word)).collect();
    for name in others.into_iter().chain(programme.names()) {
        if words.iter().all(|word| **word != *name) {
            words.push((*name).into());
        }
    }
    let customers = (0..4).map(|customer| (CustomerIx(customer), Some(Customer::default()))).collect();
    let spans = programme.limits.clone();
    let waits: Vec<u32> =
        programme.campaigns.iter().flat_map(|of| of.not_after.iter().map(|(_, days)| *days)).collect();
    let word = |text: &str| Word(words.iter().position(|word| **word == *text).expect("a known word") as u32);
    let mut first =
        Facts { words: words.clone(), ids: ids(), customers, programme: Some(Arc::new(programme)), ..Facts::default() };
    let mut known = Known::default();
    let mut epochs = Vec::new();
    for _ in 0..10 {
        let mut facts = std::mem::take(&mut first);
        happen(rng, &mut known, &word, &mut facts);
        facts.campaigns.clear();
        for fact in &mut facts.contacts {
            fact.customer = CustomerIx(fact.customer.0 % 4);
        }
        let contacts: Vec<Time> = known.contacts.iter().map(|fact| fact.at).collect();
        let answers: Vec<Time> = known.feedbacks.iter().map(|fact| fact.at).collect();
        let days = spans.caps.iter().map(|cap| match cap.span {
            Span::Days(days) => (days, false),
            Span::Weeks(weeks) => (weeks * 7, true),
        });
        let days: Vec<(u32, bool)> = days.chain(waits.iter().map(|days| (*days, false))).collect();
        let answered = [spans.decline_days, spans.later_days][rng.usize(0..2)];
        let edge = if !contacts.is_empty() && !days.is_empty() && rng.u8(0..3) != 0 {
            let (days, is_week) = days[rng.usize(0..days.len())];
            let at = contacts[rng.usize(0..contacts.len())];
            // Weeks begin with Mondays; 1970-01-05 was one.
            let monday = Time(at.0 - (at.0 - 4 * SECONDS_PER_DAY).rem_euclid(7 * SECONDS_PER_DAY));
            Some(after_days(if is_week { monday } else { at }, days))
        } else if answers.is_empty() {
            None
        } else {
            Some(after_days(answers[rng.usize(0..answers.len())], answered))
        };
        let now = edge.map(|edge| Time(edge.0 + rng.i64(-1..2)));
        facts.clock = now.map(|now| Clock { as_of: None, now: Some(now) });
        epochs.push(Arc::new(facts));
    }
    epochs
}

/// Something of few ids, which comes again: corrected, or taken back.
fn moment<T: Copy>(rng: &mut Rng, known: &mut Vec<MomentFact<T>>, value: T) -> MomentFact<T> {
    if !known.is_empty() && rng.u8(0..3) == 0 {
        let known = known[rng.usize(0..known.len())].clone();
        return MomentFact { value: rng.bool().then_some(value), ..known };
    }
    let customer = if rng.u8(0..5) == 0 { CustomerIx(rng.u32(0..12)) } else { member(rng) };
    let at = Time(busy(rng).0 - rng.i64(0..5) * SECONDS_PER_DAY);
    let fact = MomentFact { customer, at, id: format!("i{}", rng.u8(0..30)).into(), value: Some(value) };
    known.push(fact.clone());
    fact
}
