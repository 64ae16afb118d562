//! Double entry: what the operator has issued, and in whose hands it is.
//!
//! Every entry moves points between two accounts, so that all of them together are always 0. What
//! members hold is counted from lots, the rest from entries: an error in either shows.

use super::balances::Balance;

/// Sums over all customers. What members hand to each other moves between their own accounts, which are
/// one here: if a giver and a taker do not agree, the accounts do not balance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Books {
    /// Earned by members: a debt of the operator, and so negative.
    pub issued: i128,
    pub members: i128,
    pub redeemed: i128,
    pub expired: i128,
    pub forfeited: i128,
    /// Given by hand, and so negative.
    pub adjusted: i128,
}

impl Books {
    /// Adds a customer, `times` 1, or takes him out, -1.
    pub fn add(&mut self, balance: &Balance, times: i128) {
        self.issued -= times * i128::from(balance.earned);
        self.members += times * i128::from(balance.left);
        self.redeemed += times * i128::from(balance.redeemed);
        self.expired += times * i128::from(balance.expired);
        self.forfeited += times * i128::from(balance.forfeited);
        self.adjusted -= times * i128::from(balance.adjusted);
    }

    /// Adds another worker's.
    pub fn merge(&mut self, other: &Books) {
        let Books { issued, members, redeemed, expired, forfeited, adjusted } = other;
        self.issued += issued;
        self.members += members;
        self.redeemed += redeemed;
        self.expired += expired;
        self.forfeited += forfeited;
        self.adjusted += adjusted;
    }

    /// The accounts, with their names.
    pub fn accounts(&self) -> [(&'static str, i128); 6] {
        [
            ("adjusted", self.adjusted),
            ("expired", self.expired),
            ("forfeited", self.forfeited),
            ("issued", self.issued),
            ("members", self.members),
            ("redeemed", self.redeemed),
        ]
    }

    /// By how much the accounts do not balance: 0, or something is wrong.
    pub fn imbalance(&self) -> i128 {
        self.accounts().iter().map(|(_, points)| points).sum()
    }
}
