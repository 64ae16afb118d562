//! The balances of a chunk of customers, in columns.

use std::sync::{Arc, LazyLock};

use crate::table::column::{Bits, Column};
use crate::types::{Day, Time};

/// Where a customer's points came from and went to, over his whole life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    pub earned: i64,
    /// By leaving the community. Negative where debts were wiped.
    pub forfeited: i64,
    /// By hand; and debts that a programme does not show as a negative balance.
    pub adjusted: i64,
    pub redeemed: i64,
    pub expired: i64,
    /// Handed over by other members, less what was handed to them.
    pub transferred: i64,
    /// What is left, counted on its own: what the lots have left, less what is owed.
    pub left: i64,
    pub member: bool,
    /// When the membership began, of a member.
    pub began: Option<Day>,
    /// The day of the last event, of a member.
    pub last: Option<Day>,
}

impl Balance {
    /// What is left by where points came from and went to: `left`, or the books do not balance.
    pub fn accounted(&self) -> i64 {
        self.earned.saturating_add(self.adjusted_net()).saturating_sub(self.lost())
    }

    /// What points_balance calls adjusted: what was given by hand or by other members, less what was redeemed.
    pub fn adjusted_net(&self) -> i64 {
        self.adjusted.saturating_add(self.transferred).saturating_sub(self.redeemed)
    }

    /// What points_balance calls forfeited: by leaving, and by letting points expire.
    pub fn lost(&self) -> i64 {
        self.forfeited.saturating_add(self.expired)
    }
}

/// Balances by slot.
#[derive(Clone)]
pub struct Balances {
    /// Who has a row: whoever has an event or an adjustment, or was handed points.
    pub present: Bits,
    /// Of these, who is a member.
    pub members: Bits,
    earned: Column<i64>,
    forfeited: Column<i64>,
    adjusted: Column<i64>,
    left: Column<i64>,
    /// Numbers of days, of members.
    began: Column<i64>,
    last: Column<i64>,
    /// Of the few who have redeemed points, lost them with time, or handed them over.
    spent: Option<Box<Spent>>,
    /// Which of the rules that award once in a lifetime have done so, where there are any: by [`super::Rules::once`].
    once: Option<Column<u32>>,
    /// When a balance changes by itself, as [`due`] packs it: 0 where it never does.
    due: Option<Column<i64>>,
}

#[derive(Clone)]
struct Spent {
    redeemed: Column<i64>,
    expired: Column<i64>,
    transferred: Column<i64>,
}

/// A time so packed that none is 0.
fn due(time: Option<Time>) -> i64 {
    time.map_or(0, |Time(second)| if second <= 0 { second - 1 } else { second })
}

impl Balances {
    /// Of a chunk in which nobody has one. Shared, since most chunks may be so.
    pub fn none() -> Arc<Balances> {
        static NONE: LazyLock<Arc<Balances>> = LazyLock::new(|| {
            Arc::new(Balances {
                present: Bits::none(),
                members: Bits::none(),
                earned: Column::zeros(),
                forfeited: Column::zeros(),
                adjusted: Column::zeros(),
                left: Column::zeros(),
                spent: None,
                once: None,
                due: None,
                began: Column::zeros(),
                last: Column::zeros(),
            })
        });
        NONE.clone()
    }

    /// The balance in a slot, where there is one.
    pub fn get(&self, slot: usize) -> Option<Balance> {
        let day = |days: &Column<i64>| self.members.get(slot).then(|| Day(days.get(slot) as i32));
        self.present.get(slot).then(|| Balance {
            earned: self.earned.get(slot),
            forfeited: self.forfeited.get(slot),
            adjusted: self.adjusted.get(slot),
            redeemed: self.spent.as_ref().map_or(0, |spent| spent.redeemed.get(slot)),
            expired: self.spent.as_ref().map_or(0, |spent| spent.expired.get(slot)),
            transferred: self.spent.as_ref().map_or(0, |spent| spent.transferred.get(slot)),
            left: self.left.get(slot),
            member: self.members.get(slot),
            began: day(&self.began),
            last: day(&self.last),
        })
    }

    /// The rules that have awarded once in a lifetime.
    pub fn once(&self, slot: usize) -> u32 {
        self.once.as_ref().map_or(0, |once| once.get(slot))
    }

    /// Sets it, or takes it back, with the time at which it changes by itself and the rules that have awarded once.
    pub fn set(&mut self, slot: usize, balance: Option<Balance>, time: Option<Time>, once: u32) {
        self.present.set(slot, balance.is_some());
        let Balance { earned, forfeited, adjusted, redeemed, expired, transferred, left, member, began, last } =
            balance.unwrap_or_default();
        self.members.set(slot, member);
        self.earned.set(slot, earned);
        self.forfeited.set(slot, forfeited);
        self.adjusted.set(slot, adjusted);
        self.left.set(slot, left);
        self.began.set(slot, began.map_or(0, |day| i64::from(day.0)));
        self.last.set(slot, last.map_or(0, |day| i64::from(day.0)));
        if self.spent.is_some() || redeemed != 0 || expired != 0 || transferred != 0 {
            let zeros = Column::zeros;
            let none = || Box::new(Spent { redeemed: zeros(), expired: zeros(), transferred: zeros() });
            let spent = self.spent.get_or_insert_with(none);
            spent.redeemed.set(slot, redeemed);
            spent.expired.set(slot, expired);
            spent.transferred.set(slot, transferred);
        }
        if self.once.is_some() || once != 0 {
            self.once.get_or_insert_with(Column::zeros).set(slot, once);
        }
        if self.due.is_some() || time.is_some() {
            self.due.get_or_insert_with(Column::zeros).set(slot, due(time));
        }
    }

    /// The first time at which a balance changes by itself.
    pub fn next_due(&self) -> Option<Time> {
        self.dues().map(|(_, due)| due).min()
    }

    /// Whose balance changes by itself, and when next.
    pub fn dues(&self) -> impl Iterator<Item = (usize, Time)> + '_ {
        let slots = self.due.iter().flat_map(|due| self.present.slots().map(|slot| (slot, due.get(slot))));
        let time = |due: i64| Time(if due < 0 { due + 1 } else { due });
        slots.filter(|(_, due)| *due != 0).map(move |(slot, due)| (slot, time(due)))
    }
}
