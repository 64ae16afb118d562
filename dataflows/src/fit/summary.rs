//! What a chunk tells of its customers together.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::rules::Rules;
use crate::effects::life::{Life, Scratch};
use crate::records::Action;
use crate::table::chunk::ABSENT;
use crate::table::column::{Bits, CHUNK};
use crate::table::{self, Chunk};
use crate::types::{Time, Word};

/// Customers of the population in all of a chunk, and in each of its segments. Numbers by group are of everybody
/// first, then of each segment by its place in the programme.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Summary {
    pub customers: Vec<i64>,
    /// Who held each product when the day closed.
    pub holders: BTreeMap<Word, Vec<i64>>,
    /// Orders and cancellations by channel, up to the day's close.
    pub used: BTreeMap<Word, Vec<i64>>,
    /// The same up to now, apart.
    pub orders: BTreeMap<Word, Vec<i64>>,
    pub cancels: BTreeMap<Word, Vec<i64>>,
    /// Orders by product and channel, up to the day's close; of customers in the population and others.
    pub ordered: BTreeMap<(Word, Word), i64>,
    /// By product and channel: whom campaigns for it were delivered to, and who of them ordered there.
    pub reached: BTreeMap<(Word, Word), (i64, i64)>,
    /// The same over all campaigns and channels, each counted by itself.
    pub reached_all: (i64, i64),
}

/// A chunk's summary by the rules, and by when the day was over.
pub type Memo = table::Memo<(Arc<Rules>, Time), Summary>;

/// The summary of a chunk under rules, when the day before `closed` was over.
pub fn summary(chunk: &Chunk, rules: &Arc<Rules>, closed: Time) -> Arc<Summary> {
    let is_same = |of: &(Arc<Rules>, _), asked: &(Arc<Rules>, _)| Arc::ptr_eq(&of.0, &asked.0) && of.1 == asked.1;
    chunk.summary.get((rules.clone(), closed), is_same, || count(chunk, rules, closed))
}

/// Whether a chunk's summary is remembered.
pub fn is_summed_up(chunk: &Chunk, rules: &Arc<Rules>, closed: Time) -> bool {
    chunk.summary.has(|(of, at)| Arc::ptr_eq(of, rules) && *at == closed)
}

/// Who is in the population.
pub(super) fn population(chunk: &Chunk) -> Bits {
    let flags: Vec<u8> = chunk.class.iter().map(|class| u8::from(*class != ABSENT)).collect();
    Bits::of(&flags)
}

fn count(chunk: &Chunk, rules: &Rules, closed: Time) -> Summary {
    let population = population(chunk);
    let groups = || [&population].into_iter().chain(chunk.segments.iter().map(|members| &**members));
    let by_group = |bits: &Bits| -> Vec<i64> { groups().map(|group| bits.count_common(group) as i64).collect() };
    let mut summary = Summary { customers: groups().map(|group| group.count() as i64).collect(), ..Summary::default() };
    let mut uses = Uses::default();
    for (product, orders) in chunk.orders.iter() {
        let mut holders = Bits::none();
        for ((slot, at, _), order) in orders.rows.rows() {
            let (slot, is_closed) = (usize::from(*slot), *at < closed);
            if is_closed {
                holders.set(slot, order.action != Action::Cancel);
            }
            if order.channel.is_null() {
                continue;
            }
            uses.add(order.channel, slot, order.action == Action::Cancel, is_closed);
            if is_closed && order.action != Action::Cancel {
                *summary.ordered.entry((*product, order.channel)).or_insert(0) += 1;
            }
        }
        if !holders.is_none() {
            summary.holders.insert(*product, by_group(&holders));
        }
    }
    let groups: Vec<&Bits> = groups().collect();
    for (channel, slots) in uses.0 {
        let mut sums = [(); 3].map(|()| vec![0; groups.len()]);
        for (slot, used) in slots {
            let of = groups.iter().enumerate().filter(|(_, group)| group.get(usize::from(slot)));
            for (place, _) in of {
                let used = [used.closed, used.orders, used.cancels];
                sums.iter_mut().zip(used).for_each(|(sums, used)| sums[place] += i64::from(used));
            }
        }
        let [closed, orders, cancels] = sums;
        summary.used.insert(channel, closed);
        summary.orders.insert(channel, orders);
        summary.cancels.insert(channel, cancels);
    }
    reached(chunk, rules, closed, &mut summary);
    summary
}

/// How often a customer used a channel.
#[derive(Default)]
struct Used {
    orders: u32,
    cancels: u32,
    closed: u32,
}

/// By channel and slot.
#[derive(Default)]
struct Uses(BTreeMap<Word, HashMap<u16, Used, foldhash::fast::RandomState>>);

impl Uses {
    fn add(&mut self, channel: Word, slot: usize, is_cancel: bool, is_closed: bool) {
        let used = self.0.entry(channel).or_default().entry(slot as u16).or_default();
        *(if is_cancel { &mut used.cancels } else { &mut used.orders }) += 1;
        used.closed += u32::from(is_closed);
    }
}

/// Whom campaigns were delivered to, and who of them ordered, customer by customer.
fn reached(chunk: &Chunk, rules: &Rules, closed: Time, summary: &mut Summary) {
    let (mut contacted, mut scratch) = (Bits::none(), Scratch::default());
    chunk.contacts.rows().iter().for_each(|((slot, ..), _)| contacted.set(usize::from(*slot), true));
    for slot in (0..CHUNK).filter(|slot| contacted.get(*slot)) {
        Life::of(chunk, slot).until(closed).delivered(&mut scratch, |campaign, channel, ordered| {
            let add = |of: &mut (i64, i64)| *of = (of.0 + 1, of.1 + i64::from(ordered));
            add(&mut summary.reached_all);
            if let Some(product) = rules.products.get(&campaign) {
                add(summary.reached.entry((*product, channel)).or_default());
            }
        });
    }
}
