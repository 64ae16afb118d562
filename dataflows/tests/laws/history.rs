//! Random histories: facts over a small population, under programmes that change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataflows::attributes::AttributeRow;
use dataflows::effects::{Effect, days};
use dataflows::facts::{AdjustmentFact, ConsentFact, EventFact, Facts, MomentFact, OrderFact};
use dataflows::oracle::{Asked, CareRow, DeedRow, Penetration, PointsAccount, ReferralRow, Standing, Tallied};
use dataflows::programme::Programme;
use dataflows::records::{Action, Bill, Customer, Event, EventKind, Order};
use dataflows::types::{Clock, CustomerIx, Day, Diff, Month, Time, Token, Word};
use dataflows::views::Change;
use fastrand::Rng;

use crate::campaigns::{self, Known};
use crate::programmes::{edited, plain_points, programme};

/// Texts beside the programme's names; the first is the null.
const WORDS: [&str; 12] =
    ["", "m", "f", "active", "closed", "Dalian", "沈阳", "student", "wap;mms", "mms", "sms", "crbt"];
pub const LISTS: [&str; 4] = ["vip", "do_not_contact", "registration", "experience"];

/// Facts epoch by epoch; the first brings the vocabulary and a programme.
pub struct History {
    pub epochs: Vec<Arc<Facts>>,
}

impl History {
    pub fn random(seed: u64) -> History {
        let mut rng = Rng::with_seed(seed);
        let mut words: Vec<Arc<str>> = Vec::new();
        let (mut orders, mut events, mut uses) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = (Programme::default(), Clock::default());
        let (mut own, mut known) = (Rng::with_seed(!seed), Known::default());
        let epochs = (0..rng.usize(3..12)).map(|epoch| {
            let so_far = (&mut orders, &mut events, &mut uses);
            let mut facts = facts(&mut rng, epoch, &mut words, so_far, &mut last);
            campaign(&mut own, epoch, &mut words, &mut known, &mut last.0, &mut facts);
            facts
        });
        History { epochs: epochs.map(Arc::new).collect() }
    }
}

/// Adds campaigns to an epoch's programme, or edits those of the last one, and what happens in them.
fn campaign(
    rng: &mut Rng,
    epoch: usize,
    words: &mut Vec<Arc<str>>,
    known: &mut Known,
    last: &mut Programme,
    facts: &mut Facts,
) {
    if epoch == 0 {
        facts.ids = campaigns::ids();
        campaigns::put(rng, last);
    } else if facts.programme.is_some() || rng.u8(0..3) == 0 {
        if rng.bool() {
            campaigns::put(rng, last)
        } else {
            campaigns::edit(rng, last)
        }
        facts.programme.get_or_insert_default();
    }
    if facts.programme.is_some() {
        facts.programme = Some(Arc::new(last.clone()));
        learn(words, last.names().iter().map(|name| &**name), &mut facts.words);
    }
    let word = |text: &str| Word(words.iter().position(|word| **word == *text).expect("a known word") as u32);
    campaigns::happen(rng, known, &word, facts);
}

/// Adds texts to the vocabulary, and to what facts tell of it.
fn learn<'a>(words: &mut Vec<Arc<str>>, names: impl Iterator<Item = &'a str>, told: &mut Vec<Arc<str>>) {
    for name in names {
        if words.iter().all(|word| **word != *name) {
            words.push(Arc::from(name));
            told.push(Arc::from(name));
        }
    }
}

/// Lives that mostly go on: a few members' events in the order of time, several a day, under rules that leave
/// nothing to wait for; now and then one comes late, is corrected or taken back.
pub fn growing(seed: u64) -> History {
    let mut rng = Rng::with_seed(seed);
    let programme = plain_points(&mut rng);
    let mut words: Vec<Arc<str>> = WORDS.iter().chain(&LISTS).map(|word| Arc::from(*word)).collect();
    learn(&mut words, programme.names().iter().map(|name| &**name), &mut Vec::new());
    let first = Facts { words, programme: Some(Arc::new(programme)), ..Facts::default() };
    let (mut events, mut now) = (Vec::new(), Day::from_civil(2009, 6, 1).start());
    let mut epoch = |rng: &mut Rng, facts: Facts| {
        let mut facts = facts;
        for _ in 0..rng.usize(0..12) {
            let mut fact = event(rng, &mut events);
            if rng.u8(0..8) != 0 {
                now = Time(now.0 + [0, 0, 1, 3_600, 20_000][rng.usize(0..5)]);
                let kind = [EventKind::Register, EventKind::Login, EventKind::Experience][rng.usize(0..3)];
                fact = EventFact { at: now, event_id: format!("{:04}", events.len()).into(), ..fact };
                fact.event = fact.event.map(|event| if rng.bool() { Event { kind, ..event } } else { event });
                events.push(fact.clone());
            }
            facts.events.push(fact);
        }
        if rng.u8(0..4) == 0 {
            facts.adjustments.push(AdjustmentFact { at: now, ..adjustment(rng) });
        }
        if rng.u8(0..8) == 0 {
            facts.listings.push((member(rng), Word(WORDS.len() as u32 + rng.u32(2..4)), Some((None, Some(now)))));
        }
        Arc::new(facts)
    };
    let mut epochs = vec![epoch(&mut rng, first)];
    epochs.extend((0..rng.usize(3..12)).map(|_| epoch(&mut rng, Facts::default())));
    History { epochs }
}

/// All facts as one part of one epoch.
pub fn joined(epochs: &[Arc<Facts>]) -> Arc<Facts> {
    let mut joined = Facts::default();
    for facts in epochs {
        joined.words.extend(facts.words.iter().cloned());
        joined.customers.extend(facts.customers.iter().cloned());
        joined.bills.extend(facts.bills.iter().cloned());
        joined.usage.extend(facts.usage.iter().cloned());
        facts.volumes.iter().for_each(|(key, change)| *joined.volumes.entry(*key).or_insert(0) += change);
        joined.terminals.extend(facts.terminals.iter().cloned());
        joined.orders.extend(facts.orders.iter().cloned());
        joined.events.extend(facts.events.iter().cloned());
        joined.adjustments.extend(facts.adjustments.iter().cloned());
        joined.listings.extend(facts.listings.iter().cloned());
        joined.consents.extend(facts.consents.iter().cloned());
        joined.scores.extend(facts.scores.iter().cloned());
        joined.channels.extend(facts.channels.iter().copied());
        joined.contacts.extend(facts.contacts.iter().cloned());
        joined.feedbacks.extend(facts.feedbacks.iter().cloned());
        joined.handoffs.extend(facts.handoffs.iter().cloned());
        joined.products.extend(facts.products.iter().cloned());
        joined.campaigns.extend(facts.campaigns.iter().cloned());
        if !facts.ids.is_empty() {
            joined.ids = facts.ids.clone();
        }
        joined.clock = facts.clock.or(joined.clock);
        joined.programme = facts.programme.clone().or(joined.programme);
    }
    Arc::new(joined)
}

/// Facts that take back everything that stands.
pub fn emptying(epochs: &[Arc<Facts>]) -> Arc<Facts> {
    let mut standing = Standing::default();
    epochs.iter().for_each(|facts| standing.apply(facts));
    let usage = standing.usage.iter().map(|((customer, measure, month), sum)| (*customer, *month, *measure, -sum));
    Arc::new(Facts {
        customers: standing.customers.keys().map(|customer| (*customer, None)).collect(),
        bills: standing.bills.keys().map(|(customer, month)| (*customer, *month, None)).collect(),
        usage: usage.collect(),
        volumes: standing.volumes.iter().map(|(key, sum)| (*key, -sum)).collect(),
        terminals: standing.terminals.keys().map(|(customer, day)| (*customer, *day, None)).collect(),
        orders: (standing.orders.keys().cloned())
            .map(|(customer, product, at, order_id)| OrderFact { customer, product, at, order_id, order: None })
            .collect(),
        events: (standing.events.keys().cloned())
            .map(|(customer, at, event_id)| EventFact { customer, at, event_id, event: None })
            .collect(),
        adjustments: (standing.adjustments.keys().cloned())
            .map(|(customer, at, adjustment_id)| AdjustmentFact { customer, at, adjustment_id, points: None })
            .collect(),
        listings: standing.listings.keys().map(|(customer, list)| (*customer, *list, None)).collect(),
        consents: (standing.consents.keys().copied())
            .map(|(customer, purpose, channel, at)| ConsentFact { customer, purpose, channel, at, given: None })
            .collect(),
        scores: standing.scores.keys().map(|(customer, model)| (*customer, *model, None)).collect(),
        contacts: taken_back(standing.contacts.keys()),
        feedbacks: taken_back(standing.feedbacks.keys()),
        handoffs: taken_back(standing.handoffs.keys()),
        channels: standing.channels.keys().map(|channel| (*channel, None)).collect(),
        products: standing.products.keys().map(|product| (*product, None)).collect(),
        campaigns: standing.states.keys().map(|campaign| (*campaign, None)).collect(),
        clock: Some(Clock::default()),
        ..Facts::default()
    })
}

fn taken_back<'a, T>(keys: impl Iterator<Item = &'a (CustomerIx, Time, Box<str>)>) -> Vec<MomentFact<T>> {
    keys.map(|(customer, at, id)| MomentFact { customer: *customer, at: *at, id: id.clone(), value: None }).collect()
}

pub fn attributes(standing: &Standing) -> BTreeMap<CustomerIx, AttributeRow> {
    let row = |customer| {
        let asked = Asked { standing, customer, month: standing.clock.as_of, tier: None };
        (customer, asked.row())
    };
    standing.listed().into_iter().map(row).collect()
}

pub fn points(standing: &Standing) -> BTreeMap<CustomerIx, PointsAccount> {
    let row = |customer| Some((customer, standing.points(customer)?));
    standing.everybody().into_iter().filter(|_| standing.programme.points.is_some()).filter_map(row).collect()
}

pub fn referrals(standing: &Standing) -> BTreeSet<ReferralRow> {
    standing.everybody().into_iter().flat_map(|customer| standing.referrals(customer)).collect()
}

pub fn deeds(standing: &Standing) -> BTreeMap<CustomerIx, Vec<DeedRow>> {
    let of = |customer| (customer, standing.deeds(customer));
    standing.everybody().into_iter().map(of).filter(|(_, deeds)| !deeds.is_empty()).collect()
}

pub fn cares(standing: &Standing) -> BTreeMap<CustomerIx, Vec<CareRow>> {
    let of = |customer| (customer, standing.cares(customer));
    standing.everybody().into_iter().map(of).filter(|(_, cares)| !cares.is_empty()).collect()
}

pub fn penetration(standing: &Standing) -> Penetration {
    let mut users = Penetration::default();
    standing.everybody().into_iter().for_each(|customer| standing.add_penetration(customer, &mut users));
    users
}

pub fn goals(standing: &Standing) -> Tallied {
    let mut tallied = Tallied::default();
    standing.everybody().into_iter().for_each(|customer| standing.add_goals(customer, &mut tallied));
    tallied
}

/// Effects by the end of a day, as is known now: those of a history that ends with it. A hand-off that a contact stands
/// for now was none then.
pub fn effects_by(standing: &Standing, day: Day) -> BTreeMap<(days::Of, Effect), Diff> {
    let until = Time(Day(day.0 + 1).start().0);
    let mut then = standing.clone();
    then.handoffs.retain(|(customer, at, id), _| {
        *at < until && !standing.contacts.keys().any(|(of, _, contact)| of == customer && contact == id)
    });
    then.contacts.retain(|(_, at, _), _| *at < until);
    then.feedbacks.retain(|(_, at, _), _| *at < until);
    let effects = then.views().into_iter().filter_map(|(cell, count)| match cell {
        Change::Effect { campaign, channel, group, what } => Some((((campaign, group, channel), what), count)),
        _ => None,
    });
    effects.collect()
}

pub fn numbers(standing: &Standing) -> BTreeMap<CustomerIx, Token> {
    standing.customers.iter().filter_map(|(customer, fields)| Some((*customer, fields.number?))).collect()
}

/// Customers in three chunks of one worker, few enough to meet again.
fn customer(rng: &mut Rng) -> CustomerIx {
    if rng.u8(0..3) == 0 {
        return member(rng);
    }
    CustomerIx([0, 2040, 4100][rng.usize(0..3)] + rng.u32(0..12))
}

fn month(rng: &mut Rng) -> Month {
    Month::new(2009, 1).plus(rng.i32(0..16))
}

fn time(rng: &mut Rng) -> Time {
    Time(Day::from_civil(2009, 1, 1).start().0 + rng.i64(0..40) * 1_000_000)
}

fn word(rng: &mut Rng, choices: &[u32]) -> Word {
    Word(choices[rng.usize(0..choices.len())])
}

fn facts(
    rng: &mut Rng,
    epoch: usize,
    words: &mut Vec<Arc<str>>,
    (orders, events, uses): (&mut Vec<OrderFact>, &mut Vec<EventFact>, &mut Vec<UsageFact>),
    (last, clock): &mut (Programme, Clock),
) -> Facts {
    let known = words.len();
    if epoch == 0 {
        words.extend(WORDS.iter().chain(&LISTS).chain(&campaigns::WORDS).map(|word| Arc::from(*word)));
    }
    // Days pass, and nothing else happens.
    let is_quiet = epoch > 0 && rng.u8(0..6) == 0;
    let is_edited = epoch == 0 || !is_quiet && rng.u8(0..3) == 0;
    if is_edited {
        *last = if epoch == 0 || rng.bool() { programme(rng) } else { edited(rng, last) };
    }
    let programme = is_edited.then(|| Arc::new(last.clone()));
    if let Some(programme) = &programme {
        learn(words, programme.names().iter().map(|name| &**name), &mut Vec::new());
    }
    let many = if is_quiet || rng.u8(0..6) == 0 { 0 } else { rng.usize(1..40) };
    let list = |rng: &mut Rng| Word(WORDS.len() as u32 + rng.u32(0..LISTS.len() as u32));
    let mut facts = Facts { words: words[known..].to_vec(), programme, ..Facts::default() };
    if epoch == 0 || is_quiet || rng.bool() {
        let as_of = if is_quiet { clock.as_of } else { (rng.u8(0..12) != 0).then(|| month(rng)) };
        let soon = Time(busy(rng).0 + rng.i64(0..8) * 86_400);
        let now = if rng.bool() { soon } else { time(rng) };
        *clock = Clock { as_of, now: (rng.u8(0..12) != 0).then_some(now) };
        facts.clock = Some(*clock);
    }
    for _ in 0..many {
        facts.bills.push((customer(rng), month(rng), (rng.u8(0..5) != 0).then(|| bill(rng))));
        if rng.bool() {
            let fields = (rng.u8(0..5) != 0).then(|| fields(rng));
            facts.customers.push((customer(rng), fields));
        }
        for _ in 0..rng.u8(0..3) {
            let used = usage(rng, uses);
            let day = Day(used.1.first_day().0 + rng.i32(0..2));
            *facts.volumes.entry((used.2, day)).or_insert(0) += used.3;
            facts.usage.push(used);
        }
        if rng.u8(0..3) == 0 {
            let supports = (rng.u8(0..4) != 0).then(|| word(rng, &[0, 8, 9]));
            facts.terminals.push((customer(rng), time(rng).day(), supports));
        }
        if rng.u8(0..3) == 0 {
            facts.orders.push(order(rng, orders));
        }
        for _ in 0..rng.u8(0..6) {
            facts.events.push(event(rng, events));
        }
        if rng.u8(0..4) == 0 {
            facts.adjustments.push(adjustment(rng));
        }
        if rng.bool() {
            let bound = |rng: &mut Rng| (rng.u8(0..4) != 0).then(|| if rng.bool() { time(rng) } else { busy(rng) });
            let interval = (rng.u8(0..4) != 0).then(|| (bound(rng), bound(rng)));
            facts.listings.push((customer(rng), list(rng), interval));
        }
        if rng.bool() {
            facts.consents.push(consent(rng));
        }
        if rng.u8(0..3) == 0 {
            facts.scores.push((
                customer(rng),
                word(rng, &[10, 11]),
                (rng.u8(0..5) != 0).then(|| rng.i64(-50..50) * 25),
            ));
        }
    }
    facts
}

/// A time within a few days on which much happens, so that order and caps matter.
pub fn busy(rng: &mut Rng) -> Time {
    let day = rng.i32(0..4);
    busy_on(rng, day)
}

fn busy_on(rng: &mut Rng, day: i32) -> Time {
    Time(Day(Day::from_civil(2009, 5, 30).0 + day).start().0 + [0, 1, 3_600, 86_399][rng.usize(0..4)])
}

/// An event, of a few ids that come again: of another customer, at another time, or taken back.
fn event(rng: &mut Rng, events: &mut Vec<EventFact>) -> EventFact {
    use EventKind::*;
    if !events.is_empty() && rng.u8(0..4) == 0 {
        return EventFact { event: None, ..events[rng.usize(0..events.len())].clone() };
    }
    // Or corrected.
    if !events.is_empty() && rng.u8(0..8) == 0 {
        let known = events[rng.usize(0..events.len())].clone();
        let other = Some(member(rng)).filter(|_| rng.bool());
        let event = known.event.map(|event| Event { points: rng.i64(-1..12), other: other.or(event.other), ..event });
        return EventFact { event, ..known };
    }
    let kinds = [
        Register,
        Register,
        Register,
        Deregister,
        Deregister,
        Login,
        Login,
        Login,
        Experience,
        Refer,
        Refer,
        Participate,
        Redeem,
        Redeem,
        Transfer,
        Transfer,
        Transfer,
    ];
    let event = Event {
        kind: kinds[rng.usize(0..kinds.len())],
        product: word(rng, &[0, 0, 10, 11]),
        other: [None, Some(CustomerIx(rng.u32(0..4))), Some(member(rng)), Some(member(rng))][rng.usize(0..4)],
        result: [None, Some(true), Some(true), Some(false)][rng.usize(0..4)],
        detail: word(rng, &[0, 5, 7]),
        points: rng.i64(-1..12),
        channel: word(rng, &[0, 6]),
    };
    // Every other one is about the forest: somebody registers, later than others do, or brings in
    // somebody who mostly registers later.
    let rank = rng.usize(0..MEMBERS.len());
    let other = MEMBERS[(rank + rng.usize(0..4)).min(MEMBERS.len() - 1)];
    let event = match rng.u8(0..8) {
        0 => Event { kind: Register, ..event },
        1..5 => Event { kind: Refer, product: Word::NULL, result: Some(true), other: Some(CustomerIx(other)), ..event },
        _ => event,
    };
    let customer = CustomerIx(MEMBERS[rank]);
    let at = match rng.u8(0..32) {
        0 => time(rng),
        1.. if event.kind == Register => busy_on(rng, rank as i32 / 2),
        8..28 if event.kind == Refer => busy_on(rng, rank as i32 / 2),
        1..8 => time(rng),
        _ => busy(rng),
    };
    let event_id = format!("{}{}", ["", "E", "Z"][rng.usize(0..3)], rng.u8(0..6)).into();
    let fact = EventFact { customer, at, event_id, event: Some(event) };
    events.push(fact.clone());
    fact
}

/// What one of few customers says, on one of two channels, at one of few times.
fn consent(rng: &mut Rng) -> ConsentFact {
    let given = (rng.u8(0..5) != 0).then(|| rng.u8(0..3) != 0);
    ConsentFact {
        customer: member(rng),
        purpose: word(rng, &[10, 11]),
        channel: word(rng, &[5, 6]),
        at: busy(rng),
        given,
    }
}

fn adjustment(rng: &mut Rng) -> AdjustmentFact {
    let adjustment_id = format!("{}{}", ["", "E", "Z"][rng.usize(0..3)], rng.u8(0..6)).into();
    let points = (rng.u8(0..4) != 0).then(|| rng.i64(-30..40));
    AdjustmentFact { customer: member(rng), at: busy(rng), adjustment_id, points }
}

const MEMBERS: [u32; 8] = [0, 1, 2040, 2041, 4100, 4101, 4120, 4121];

/// Few customers have events, so that each has many; some of them have no bill ever.
pub fn member(rng: &mut Rng) -> CustomerIx {
    CustomerIx(MEMBERS[rng.usize(0..MEMBERS.len())])
}

/// A change of a sum: customer, month, measure, by how much.
type UsageFact = (CustomerIx, Month, Word, i64);

/// Some use, or what came before taken back.
fn usage(rng: &mut Rng, uses: &mut Vec<UsageFact>) -> UsageFact {
    if !uses.is_empty() && rng.u8(0..4) == 0 {
        let (customer, month, measure, change) = uses.swap_remove(rng.usize(0..uses.len()));
        return (customer, month, measure, -change);
    }
    let customer = if rng.bool() { member(rng) } else { customer(rng) };
    let fact = (customer, month(rng), word(rng, &[10, 11]), rng.i64(-20..90));
    uses.push(fact);
    fact
}

/// A new order, or one that came before, taken back or brought again.
fn order(rng: &mut Rng, orders: &mut Vec<OrderFact>) -> OrderFact {
    let action = [Some(Action::Subscribe), Some(Action::Cancel), Some(Action::Trial), Some(Action::Trial), None];
    let order = action[rng.usize(0..5)].map(|action| Order { action, bundled: rng.bool(), channel: Word::NULL });
    if !orders.is_empty() && rng.bool() {
        let known = orders[rng.usize(0..orders.len())].clone();
        return OrderFact { order, ..known };
    }
    let order_id = format!("O{}", rng.u8(0..30)).into();
    // Some order often enough to have cancelled and begun again.
    let customer = if rng.bool() { member(rng) } else { customer(rng) };
    let fact = OrderFact { customer, product: Word(rng.u32(10..12)), at: time(rng), order_id, order };
    orders.push(fact.clone());
    fact
}

fn bill(rng: &mut Rng) -> Bill {
    let amount = |rng: &mut Rng| match rng.u8(0..20) {
        0 => -rng.i64(0..5_000),
        1 => 0,
        2 => rng.i64(0..9_999_999_999_999),
        _ => rng.i64(0..30_000),
    };
    Bill {
        total_fee: amount(rng),
        roaming_fee: amount(rng),
        sms_fee: amount(rng),
        vas_fee: amount(rng),
        data_kb: amount(rng).abs(),
    }
}

fn fields(rng: &mut Rng) -> Customer {
    let day = |rng: &mut Rng| {
        let leap = Day::from_civil(1980, 2, 29);
        (rng.u8(0..5) != 0).then(|| if rng.u8(0..5) == 0 { leap } else { Day(rng.i32(-9_000..14_500)) })
    };
    Customer {
        birth_date: day(rng),
        joined_on: day(rng),
        gender: word(rng, &[0, 1, 2]),
        city: word(rng, &[0, 5, 6]),
        status: word(rng, &[3, 3, 4]),
        group_type: word(rng, &[0, 7]),
        number: rng.bool().then(|| Token([rng.u8(1..4); 16])),
        ..Customer::default()
    }
}
