//! The balances of a chunk of customers, in columns.

use std::sync::{Arc, LazyLock};

use crate::table::column::{Bits, Column};

/// A customer's row of points_balance, but for the rank, which follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    pub earned: i64,
    /// Negative where debts were wiped.
    pub forfeited: i64,
    pub adjusted: i64,
    pub member: bool,
}

impl Balance {
    /// What is left.
    pub fn points(&self) -> i64 {
        self.earned.saturating_add(self.adjusted).saturating_sub(self.forfeited)
    }
}

/// Balances by slot.
#[derive(Clone)]
pub struct Balances {
    /// Who has a row: whoever has an event or an adjustment.
    pub present: Bits,
    /// Of these, who is a member.
    pub members: Bits,
    earned: Column<i64>,
    forfeited: Column<i64>,
    adjusted: Column<i64>,
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
            })
        });
        NONE.clone()
    }

    /// The balance in a slot, where there is one.
    pub fn get(&self, slot: usize) -> Option<Balance> {
        self.present.get(slot).then(|| Balance {
            earned: self.earned.get(slot),
            forfeited: self.forfeited.get(slot),
            adjusted: self.adjusted.get(slot),
            member: self.members.get(slot),
        })
    }

    /// Sets it, or takes it back.
    pub fn set(&mut self, slot: usize, balance: Option<Balance>) {
        self.present.set(slot, balance.is_some());
        let Balance { earned, forfeited, adjusted, member } = balance.unwrap_or_default();
        self.members.set(slot, member);
        self.earned.set(slot, earned);
        self.forfeited.set(slot, forfeited);
        self.adjusted.set(slot, adjusted);
    }
}
