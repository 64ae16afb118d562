//! The rates that scores are computed by: what all chunks tell together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::rules::Rules;
use super::summary::{Summary, summary};
use crate::table::Chunk;
use crate::types::{Time, Word};

/// The sum of summaries, to which chunks are added and from which they are taken out.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Rates(Summary);

impl Rates {
    /// Adds a chunk's summary `times` times: 1, or -1 to take it out. What comes to nothing is forgotten.
    pub fn add(&mut self, summary: &Summary, times: i64) {
        let Rates(sum) = self;
        add(&mut sum.customers, &summary.customers, times);
        by_group(&mut sum.holders, &summary.holders, times);
        by_group(&mut sum.used, &summary.used, times);
        by_group(&mut sum.orders, &summary.orders, times);
        by_group(&mut sum.cancels, &summary.cancels, times);
        for (key, count) in &summary.ordered {
            let held = sum.ordered.entry(*key).or_insert(0);
            *held += count * times;
            if *held == 0 {
                sum.ordered.remove(key);
            }
        }
        for (key, (reached, ordered)) in &summary.reached {
            let held = sum.reached.entry(*key).or_default();
            *held = (held.0 + reached * times, held.1 + ordered * times);
            if *held == (0, 0) {
                sum.reached.remove(key);
            }
        }
        let (reached, ordered) = summary.reached_all;
        sum.reached_all = (sum.reached_all.0 + reached * times, sum.reached_all.1 + ordered * times);
    }

    /// The sums.
    pub fn sums(&self) -> &Summary {
        &self.0
    }
}

/// Rates that follow chunks as they change: of all but those that changed a look at a pointer is taken. Shared by
/// whoever reads, at whatever epoch.
#[derive(Default)]
pub struct Followed(Mutex<Option<Following>>);

struct Following {
    rules: Arc<Rules>,
    closed: Time,
    /// What each chunk told of the rates.
    told: Vec<Arc<Summary>>,
    rates: Arc<Rates>,
}

impl Followed {
    /// The rates of chunks, which come in one order every time.
    pub fn rates<'c>(&self, chunks: impl Iterator<Item = &'c Chunk>, rules: &Arc<Rules>, closed: Time) -> Arc<Rates> {
        let tell: Vec<Arc<Summary>> = chunks.map(|chunk| summary(chunk, rules, closed)).collect();
        let mut following = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |of: &Following| Arc::ptr_eq(&of.rules, rules) && of.closed == closed;
        let mut following_on = following.take().filter(is_of).unwrap_or_else(|| Following {
            rules: rules.clone(),
            closed,
            told: Vec::new(),
            rates: Arc::default(),
        });
        let Following { told, rates, .. } = &mut following_on;
        let (gone, common) = (told.get(tell.len()..).unwrap_or_default(), tell.len().min(told.len()));
        let changed = (0..common).filter(|place| !Arc::ptr_eq(&told[*place], &tell[*place]));
        let changed: Vec<usize> = changed.collect();
        if !gone.is_empty() || !changed.is_empty() || tell.len() > common {
            let rates = Arc::make_mut(rates);
            gone.iter().chain(changed.iter().map(|place| &told[*place])).for_each(|summary| rates.add(summary, -1));
            let come = changed.iter().map(|place| &tell[*place]).chain(&tell[common..]);
            come.for_each(|summary| rates.add(summary, 1));
        }
        *told = tell;
        let rates = rates.clone();
        *following = Some(following_on);
        rates
    }
}

fn add(sums: &mut Vec<i64>, counts: &[i64], times: i64) {
    if sums.len() < counts.len() {
        sums.resize(counts.len(), 0);
    }
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count * times);
}

fn by_group(sums: &mut BTreeMap<Word, Vec<i64>>, counts: &BTreeMap<Word, Vec<i64>>, times: i64) {
    for (key, counts) in counts {
        let held = sums.entry(*key).or_default();
        add(held, counts, times);
        if held.iter().all(|sum| *sum == 0) {
            sums.remove(key);
        }
    }
}
