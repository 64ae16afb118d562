//! Writing facts to the working chunks, and remembering what they touch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{EventFact, Facts, Interval};
use crate::goals::{Volumes, add_volumes};
use crate::points::{self, EXPERIENCE, REGISTRATION};
use crate::records::{Bill, Order};
use crate::stages::Stages;
use crate::targets::ANY_CHANNEL;
use crate::types::{Clock, CustomerIx, Day, Month, Time, Word};

use super::Chunk;
use super::catalog::Catalog;
use super::column::{Bits, CHUNK};
use super::consents::ConsentKey;
use super::events::EventChange;
use super::moments::MomentKey;
use super::orders::OrderKey;
use super::sorted::Change;

/// What the facts of an epoch touched in a chunk.
#[derive(Clone)]
pub struct Touch {
    /// The customers to look at again.
    pub slots: Bits,
    /// Months (first, last) whose class may have changed for them.
    pub months: Vec<(Month, Month)>,
    /// Of the customers, those whose points to count again.
    pub points: Bits,
    /// Of these, those for whom there is more than events after the last they had.
    pub rewound: Bits,
    /// Who has other events than before, and from when on, but for what came at the end; others have but later ones.
    pub since: BTreeMap<u16, Time>,
    /// Those whose points were counted on from what they were: their entries only grow.
    pub went_on: Bits,
}

/// A change of the terminals of a chunk.
type TerminalChange = Change<(u16, Day), Word>;

impl Touch {
    fn none() -> Touch {
        Touch {
            slots: Bits::none(),
            months: Vec::new(),
            points: Bits::none(),
            rewound: Bits::none(),
            since: BTreeMap::new(),
            went_on: Bits::none(),
        }
    }

    /// Whether the class of a month may have changed.
    pub fn reaches(&self, month: Month) -> bool {
        self.months.iter().any(|(first, last)| (*first..=*last).contains(&month))
    }
}

const ALL_MONTHS: (Month, Month) = (Month(i32::MIN), Month(i32::MAX));

/// One worker's customers.
pub struct Table {
    index: usize,
    peers: usize,
    pub(crate) chunks: Vec<Arc<Chunk>>,
    /// By chunk; and which chunks have one, in the order in which they were touched.
    pub(crate) touches: Vec<Option<Box<Touch>>>,
    pub(crate) touched: Vec<usize>,
    pub(crate) words: Vec<Arc<str>>,
    pub(crate) clock: Clock,
    /// When a listing begins or ends: (time, slot, list, is its end). Moving `now` past one
    /// touches its customer.
    boundaries: BTreeSet<(Time, u32, Word, bool)>,
    /// By chunk: when a balance in it next changes by itself.
    dues: Vec<Option<Time>>,
    /// By chunk: when somebody's targets next do.
    target_dues: Vec<Option<Time>>,
    /// What stands of products and campaigns.
    pub(crate) catalog: Arc<Catalog>,
    /// What all customers use, whoever's worker this is.
    pub(crate) volumes: Arc<Volumes>,
    /// The latest contact or feedback that ever came, whoever's worker this is.
    pub(crate) latest: Option<Time>,
    /// The word by which a consent is of every channel.
    any_channel: Option<Word>,
}

impl Table {
    /// An empty table of worker `index` of `peers`.
    pub fn new(index: usize, peers: usize) -> Table {
        assert!(index < peers);
        Table {
            index,
            peers,
            chunks: Vec::new(),
            touches: Vec::new(),
            touched: Vec::new(),
            words: Vec::new(),
            clock: Clock::default(),
            boundaries: BTreeSet::new(),
            dues: Vec::new(),
            target_dues: Vec::new(),
            catalog: Arc::default(),
            volumes: Arc::default(),
            latest: None,
            any_channel: None,
        }
    }

    /// The customer in a slot of a chunk.
    pub fn customer(&self, chunk: usize, slot: usize) -> CustomerIx {
        CustomerIx(((chunk * CHUNK + slot) * self.peers + self.index) as u32)
    }

    /// Whether a word is that text.
    pub fn is_named(&self, word: Word, text: &str) -> bool {
        self.words.get(word.0 as usize).is_some_and(|word| **word == *text)
    }

    /// Writes the facts that are this worker's.
    pub fn write(&mut self, facts: &Facts, reach: Reach, points: &points::Rules, stages: Stages) {
        let any = facts.words.iter().position(|word| **word == *ANY_CHANNEL);
        self.any_channel = any.map(|place| Word((self.words.len() + place) as u32)).or(self.any_channel);
        self.words.extend(facts.words.iter().cloned());
        self.write_customers(facts);
        self.write_bills(facts, reach.bills);
        self.write_usage(facts, reach.usage, points);
        add_volumes(&mut self.volumes, &facts.volumes);
        self.write_terminals(facts);
        self.write_orders(facts);
        self.write_events(facts, reach.participations);
        self.write_adjustments(facts);
        self.write_listings(facts);
        self.write_consents(facts);
        self.write_scores(facts);
        self.write_ids(facts);
        self.write_moments(facts);
        if !(facts.products.is_empty() && facts.channels.is_empty() && facts.campaigns.is_empty()) {
            Arc::make_mut(&mut self.catalog).write(facts);
        }
        if let Some(clock) = facts.clock {
            self.write_clock(clock, stages);
        }
    }

    fn write_customers(&mut self, facts: &Facts) {
        for (customer, fields) in &facts.customers {
            let Some((chunk, slot)) = self.place(*customer) else { continue };
            let (chunk, touch) = self.touched(chunk, slot, ALL_MONTHS);
            touch.slots.set(slot, true);
            Arc::make_mut(&mut chunk.customers).set(slot, *fields);
        }
    }

    fn write_bills(&mut self, facts: &Facts, reach: i32) {
        let mut rest = facts.bills.as_slice();
        while let Some((customer, month, _)) = rest.first() {
            // Rows of one file are of one month and mostly in the order of their customers: a run of
            // them finds its chunk, and the month's columns there, once.
            let Some((index, _)) = self.place(*customer) else {
                rest = &rest[1..];
                continue;
            };
            let month = *month;
            let is_in_run = |(customer, of, _): &(CustomerIx, Month, Option<Bill>)| {
                let is_ours = customer.0 as usize % self.peers == self.index;
                *of == month && (!is_ours || customer.0 as usize / self.peers / CHUNK == index)
            };
            let run = rest.iter().position(|row| !is_in_run(row)).unwrap_or(rest.len());
            let (rows, after) = rest.split_at(run);
            rest = after;
            let (worker, peers) = (self.index, self.peers);
            let own = rows.iter().filter(|(customer, ..)| customer.0 as usize % peers == worker);
            let changes = own.map(|(customer, _, bill)| (customer.0 as usize / peers % CHUNK, *bill));
            let (chunk, touch) = self.touched_chunk(index);
            touch.add_months((month, month.plus(reach)));
            if chunk.set_bills(month, changes, &mut touch.slots) {
                // A first bill that comes or goes moves the beginning of the customer's history.
                touch.add_months((month, ALL_MONTHS.1));
            }
        }
    }

    fn write_usage(&mut self, facts: &Facts, window: i32, points: &points::Rules) {
        for (customer, month, measure, change) in &facts.usage {
            let Some((chunk, slot)) = self.place(*customer) else { continue };
            let (chunk, touch) = self.touched(chunk, slot, (*month, month.plus(window)));
            if points.count_use_of(*measure) {
                touch.add_points(slot);
            }
            chunk.add_usage(*measure, *month, slot, *change);
        }
    }

    fn write_terminals(&mut self, facts: &Facts) {
        let mut changes: BTreeMap<usize, Vec<TerminalChange>> = BTreeMap::new();
        for (customer, day, supports) in &facts.terminals {
            let Some((chunk, slot)) = self.place(*customer) else { continue };
            changes.entry(chunk).or_default().push(((slot as u16, *day), *supports));
        }
        for (index, changes) in changes {
            let (chunk, touch) = self.touched_chunk(index);
            changes.iter().for_each(|((slot, _), _)| touch.slots.set(usize::from(*slot), true));
            Arc::make_mut(&mut chunk.terminals).apply(changes);
        }
    }

    fn write_orders(&mut self, facts: &Facts) {
        let mut changes: BTreeMap<(usize, Word), Vec<Change<OrderKey, Order>>> = BTreeMap::new();
        for order in &facts.orders {
            let Some((chunk, slot)) = self.place(order.customer) else { continue };
            let change = ((slot as u16, order.at, order.order_id.clone()), order.order);
            changes.entry((chunk, order.product)).or_default().push(change);
        }
        for ((index, product), changes) in changes {
            let (chunk, touch) = self.touched_chunk(index);
            changes.iter().for_each(|((slot, ..), _)| touch.slots.set(usize::from(*slot), true));
            let orders = Arc::make_mut(&mut chunk.orders);
            let held = orders.entry(product).or_default();
            Arc::make_mut(held).apply(changes);
            if held.rows.is_empty() {
                orders.remove(&product);
            }
        }
    }

    fn write_events(&mut self, facts: &Facts, reach: i32) {
        // Chunk and slot, and the fact's number: most files bring them in this order already.
        let mut own: Vec<(u32, u32)> = Vec::new();
        for (number, event) in facts.events.iter().enumerate() {
            if let Some((chunk, slot)) = self.place(event.customer) {
                own.push(((chunk * CHUNK + slot) as u32, number as u32));
            }
        }
        let moment = |number: u32| {
            let event = &facts.events[number as usize];
            (event.at, &*event.event_id)
        };
        own.sort_unstable_by(|one, other| {
            one.0.cmp(&other.0).then_with(|| moment(one.1).cmp(&moment(other.1))).then(one.1.cmp(&other.1))
        });
        let mut changes: Vec<EventChange<'_>> = Vec::new();
        for own in own.chunk_by(|(one, _), (other, _)| *one as usize / CHUNK == *other as usize / CHUNK) {
            changes.clear();
            let (chunk, touch) = self.touched_chunk(own[0].0 as usize / CHUNK);
            for (place, number) in own {
                let EventFact { at, event_id, event, .. } = &facts.events[*number as usize];
                let slot = *place as usize % CHUNK;
                touch.slots.set(slot, true);
                touch.points.set(slot, true);
                if reach >= 0 {
                    let month = at.day().month();
                    touch.add_months((month, month.plus(reach)));
                }
                changes.push(EventChange { slot: slot as u16, at: *at, id: event_id, event: *event });
            }
            Arc::make_mut(&mut chunk.events).apply(&changes, |slot, at| {
                touch.rewound.set(usize::from(slot), true);
                let since = touch.since.entry(slot).or_insert(at);
                *since = at.min(*since);
            });
        }
    }

    fn write_adjustments(&mut self, facts: &Facts) {
        let mut changes: BTreeMap<usize, Vec<Change<MomentKey, i64>>> = BTreeMap::new();
        for adjustment in &facts.adjustments {
            let Some((chunk, slot)) = self.place(adjustment.customer) else { continue };
            let key = (slot as u16, adjustment.at, adjustment.adjustment_id.clone());
            changes.entry(chunk).or_default().push((key, adjustment.points));
        }
        for (index, changes) in changes {
            let (chunk, touch) = self.touched_chunk(index);
            changes.iter().for_each(|((slot, ..), _)| touch.add_points(usize::from(*slot)));
            Arc::make_mut(&mut chunk.adjustments).apply(changes);
        }
    }

    fn write_listings(&mut self, facts: &Facts) {
        let mut changes: BTreeMap<(usize, Word), Vec<Change<u16, Interval>>> = BTreeMap::new();
        for (customer, list, interval) in &facts.listings {
            let Some((chunk, slot)) = self.place(*customer) else { continue };
            changes.entry((chunk, *list)).or_default().push((slot as u16, *interval));
        }
        for ((index, list), changes) in changes {
            for (slot, interval) in &changes {
                self.move_boundaries(index, *slot, list, *interval);
            }
            let bars =
                self.words.get(list.0 as usize).is_some_and(|list| [REGISTRATION, EXPERIENCE].contains(&&**list));
            let (chunk, touch) = self.touched_chunk(index);
            for slot in changes.iter().map(|(slot, _)| usize::from(*slot)) {
                touch.slots.set(slot, true);
                if bars {
                    touch.add_points(slot);
                }
            }
            let listings = Arc::make_mut(&mut chunk.listings);
            let rows = listings.entry(list).or_default();
            Arc::make_mut(rows).apply(changes);
            if rows.is_empty() {
                listings.remove(&list);
            }
        }
    }

    fn write_consents(&mut self, facts: &Facts) {
        let mut changes: BTreeMap<(usize, Word), Vec<Change<ConsentKey, bool>>> = BTreeMap::new();
        for consent in &facts.consents {
            let Some((chunk, slot)) = self.place(consent.customer) else { continue };
            let change = ((slot as u16, consent.at, consent.channel), consent.given);
            changes.entry((chunk, consent.purpose)).or_default().push(change);
        }
        let any = self.any_channel;
        for ((index, purpose), changes) in changes {
            let (chunk, touch) = self.touched_chunk(index);
            changes.iter().for_each(|((slot, ..), _)| touch.slots.set(usize::from(*slot), true));
            let consents = Arc::make_mut(&mut chunk.consents);
            let held = consents.entry(purpose).or_default();
            Arc::make_mut(held).apply(changes, any);
            if held.rows.is_empty() {
                consents.remove(&purpose);
            }
        }
    }

    fn write_scores(&mut self, facts: &Facts) {
        let mut changes: BTreeMap<(usize, Word), Vec<Change<u16, i64>>> = BTreeMap::new();
        for (customer, model, value) in &facts.scores {
            let Some((chunk, slot)) = self.place(*customer) else { continue };
            changes.entry((chunk, *model)).or_default().push((slot as u16, *value));
        }
        for ((index, model), changes) in changes {
            let (chunk, touch) = self.touched_chunk(index);
            changes.iter().for_each(|(slot, _)| touch.slots.set(usize::from(*slot), true));
            let scores = Arc::make_mut(&mut chunk.scores);
            let rows = scores.entry(model).or_default();
            Arc::make_mut(rows).apply(changes);
            if rows.is_empty() {
                scores.remove(&model);
            }
        }
    }

    /// Boundaries follow the rows. Facts that change one key twice would leave the first change's
    /// boundary behind, which costs one look at a customer and no more.
    fn move_boundaries(&mut self, chunk: usize, slot: u16, list: Word, interval: Option<Interval>) {
        let place = (chunk * CHUNK + usize::from(slot)) as u32;
        let held = self.chunks.get(chunk).and_then(|chunk| chunk.listings.get(&list)?.get(&slot).copied());
        for (from, until) in [held, interval].into_iter().flatten() {
            for (time, is_end) in [(from, false), (until, true)] {
                let Some(time) = time else { continue };
                let boundary = (time, place, list, is_end);
                if interval.is_some_and(|(from, until)| if is_end { until } else { from } == Some(time)) {
                    self.boundaries.insert(boundary);
                } else {
                    self.boundaries.remove(&boundary);
                }
            }
        }
    }

    fn write_clock(&mut self, clock: Clock, stages: Stages) {
        let before = std::mem::replace(&mut self.clock, clock);
        if before.now == clock.now {
            return;
        }
        if before.now.map(Time::day) != clock.now.map(Time::day) {
            self.pass_days(before.now, clock.now, stages);
        }
        let (low, high) = match (before.now, clock.now) {
            (Some(before), Some(after)) => (before.min(after), before.max(after)),
            _ => (Time(i64::MIN), Time(i64::MAX)),
        };
        // A listing holds on [from, until): what lies in (low, high] has been passed, either way.
        let after = (Time(low.0.saturating_add(1)), 0, Word::NULL, false);
        let passed: Vec<u32> = self
            .boundaries
            .range(after..)
            .take_while(|(time, ..)| *time <= high)
            .map(|(_, place, ..)| *place)
            .collect();
        for place in passed {
            let (chunk, slot) = (place as usize / CHUNK, place as usize % CHUNK);
            self.touched_chunk(chunk).1.slots.set(slot, true);
        }
    }

    /// Notes when a balance of a chunk next changes by itself, and when a target does.
    pub(crate) fn set_dues(&mut self, chunk: usize, balance: Option<Time>, target: Option<Time>) {
        for (dues, due) in [(&mut self.dues, balance), (&mut self.target_dues, target)] {
            if dues.len() <= chunk {
                dues.resize(chunk + 1, None);
            }
            dues[chunk] = due;
        }
    }

    /// Touches everybody whose balance or targets have changed by themselves by `now`.
    pub(crate) fn touch_due(&mut self, now: Time) {
        let is_due = |due: Option<Time>| due.is_some_and(|due| due <= now);
        for chunk in (0..self.target_dues.len()).filter(|chunk| is_due(self.target_dues[*chunk])).collect::<Vec<_>>() {
            let targets = self.chunks[chunk].targets.clone();
            let touch = self.touched_chunk(chunk).1;
            targets.due_by(now).for_each(|slot| touch.slots.set(slot, true));
        }
        let chunks: Vec<usize> = (0..self.dues.len()).filter(|chunk| is_due(self.dues[*chunk])).collect();
        for chunk in chunks {
            let slots: Vec<usize> =
                self.chunks[chunk].points.dues().filter(|(_, due)| *due <= now).map(|(slot, _)| slot).collect();
            let (_, touch) = self.touched_chunk(chunk);
            slots.into_iter().for_each(|slot| touch.add_points(slot));
        }
    }

    /// Touches the members whom another day puts in another stage. Whose events change too is touched by these.
    fn pass_days(&mut self, before: Option<Time>, after: Option<Time>, stages: Stages) {
        for index in 0..self.chunks.len() {
            let points = self.chunks[index].points.clone();
            let changes = |slot: &usize| {
                let balance = points.get(*slot);
                balance.is_some_and(|balance| stages.stage(&balance, before) != stages.stage(&balance, after))
            };
            let changed: Vec<usize> = points.members.slots().filter(changes).collect();
            if !changed.is_empty() {
                let touch = self.touched_chunk(index).1;
                changed.into_iter().for_each(|slot| touch.slots.set(slot, true));
            }
        }
    }

    /// Chunk and slot of a customer, where it is this worker's.
    pub(crate) fn place(&self, customer: CustomerIx) -> Option<(usize, usize)> {
        let customer = customer.0 as usize;
        (customer % self.peers == self.index).then(|| {
            let slot = customer / self.peers;
            (slot / CHUNK, slot % CHUNK)
        })
    }

    fn touched(&mut self, chunk: usize, slot: usize, months: (Month, Month)) -> (&mut Chunk, &mut Touch) {
        let (chunk, touch) = self.touched_chunk(chunk);
        touch.slots.set(slot, true);
        touch.add_months(months);
        (chunk, touch)
    }

    pub(super) fn untouched_chunk(&mut self, chunk: usize) -> &mut Chunk {
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || Arc::new(Chunk::empty()));
            self.touches.resize_with(chunk + 1, || None);
        }
        Arc::make_mut(&mut self.chunks[chunk])
    }

    pub(crate) fn touched_chunk(&mut self, chunk: usize) -> (&mut Chunk, &mut Touch) {
        self.untouched_chunk(chunk);
        let touch = self.touches[chunk].get_or_insert_with(|| {
            self.touched.push(chunk);
            Box::new(Touch::none())
        });
        (Arc::make_mut(&mut self.chunks[chunk]), touch)
    }
}

/// For how many months after a month its rows still decide a class, that month not counted; -1
/// where they never do.
#[derive(Clone, Copy)]
pub struct Reach {
    pub bills: i32,
    pub usage: i32,
    pub participations: i32,
}

impl Touch {
    pub(crate) fn add_points(&mut self, slot: usize) {
        self.slots.set(slot, true);
        self.points.set(slot, true);
        self.rewound.set(slot, true);
    }

    fn add_months(&mut self, months: (Month, Month)) {
        // Files are of one month mostly: the range is nearly always the last one.
        if self.months.last() != Some(&months) && !self.months.contains(&months) {
            self.months.push(months);
        }
    }
}
