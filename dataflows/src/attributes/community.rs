//! What rules ask of members: points, rank and membership as of now, participations as of a month.
//!
//! Points and rank are null where points_balance has no row: then the programme has no points, or
//! the customer neither an event nor an adjustment.

use crate::records::EventKind;
use crate::rules::evaluate::Numbers;
use crate::table::column::Slots;
use crate::table::events::EventRow;
use crate::types::Word;

use super::Frame;

impl Frame<'_> {
    pub(super) fn points(&self) -> Numbers {
        let balances = &self.chunk.points;
        let balance = |place: usize| self.points.and_then(|_| balances.get(self.slots.slot(place)));
        let balances: Vec<_> = (0..self.slots.len()).map(balance).collect();
        let values = balances.iter().map(|balance| balance.map_or(0, |balance| balance.left.saturating_mul(100)));
        Numbers::new(values.collect(), balances.iter().map(|balance| u8::from(balance.is_none())).collect())
    }

    pub(super) fn ranks(&self) -> Vec<u32> {
        let rank = |place: usize| {
            let balance = self.chunk.points.get(self.slots.slot(place));
            self.points.zip(balance).map_or(Word::NULL.0, |(rules, balance)| rules.rank(balance.left).0)
        };
        (0..self.slots.len()).map(rank).collect()
    }

    pub(super) fn member_stages(&self) -> Vec<u32> {
        let word = |place: usize| {
            let balance = self.chunk.points.get(self.slots.slot(place))?;
            let (stages, words) = self.stages?;
            stages.stage(&balance, self.moment.now).map(|stage| words[stage as usize])
        };
        (0..self.slots.len()).map(|place| word(place).unwrap_or(Word::NULL).0).collect()
    }

    /// Events in the year of months that ends with the moment's.
    pub(super) fn participations(&self, kind: Option<Word>) -> Numbers {
        let mut counts = vec![0i64; self.slots.len()];
        if let (Some(kind), Some(last)) = (kind, self.moment.month) {
            let (from, until) = (last.plus(-11).first_day().start(), last.plus(1).first_day().start());
            let mut count = |place: usize, EventRow { at, event, .. }: EventRow<'_>| {
                let is_one =
                    event.kind == EventKind::Participate && event.detail == kind && (from..until).contains(&at);
                counts[place] += i64::from(is_one) * 100;
            };
            match self.slots {
                Slots::All => {
                    self.chunk.events.all().for_each(|(slot, row)| count(slot, row));
                }
                Slots::Some(slots) => slots.iter().enumerate().for_each(|(place, slot)| {
                    self.chunk.events_of(usize::from(*slot)).iter().for_each(|row| count(place, row));
                }),
            }
        }
        let null = vec![0; counts.len()];
        Numbers::new(counts, null)
    }

    pub(super) fn members(&self) -> Vec<u8> {
        self.set_in(&self.chunk.points.members)
    }
}
