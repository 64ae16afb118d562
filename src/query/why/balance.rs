//! Why a balance: the entries that add up to it.

use std::collections::BTreeMap;

use dataflows::points::walk::{Cause, EntryId};
use serde::Serialize;

use super::Of;
use super::evidence::Evidence;
use super::subject::Subject;

/// A balance, as points_balance has it.
#[derive(Serialize, Debug)]
pub struct Balance {
    pub balance: i64,
    pub earned: i64,
    pub forfeited: i64,
    pub adjusted: i64,
    pub rank: Option<String>,
    pub member: bool,
    /// What each rule, and each other cause, adds up to.
    pub by_rule: BTreeMap<String, i64>,
    /// In the order in which they count; they add up to the balance.
    pub entries: Vec<Entry>,
}

/// An entry, as points_entry has it.
#[derive(Serialize, Debug)]
pub struct Entry {
    pub entry_id: String,
    pub at: String,
    pub rule: String,
    pub points: i64,
    #[serde(flatten)]
    pub evidence: Evidence,
}

pub(super) fn explain(subject: &Subject<'_>) -> (bool, String, Of) {
    let published = &subject.explainer.published;
    let balance = subject.chunk.points.get(subject.slot).filter(|_| published.points.is_there);
    let mut told = Balance {
        balance: balance.map_or(0, |balance| balance.left),
        earned: balance.map_or(0, |balance| balance.earned),
        forfeited: balance.map_or(0, |balance| balance.lost()),
        adjusted: balance.map_or(0, |balance| balance.adjusted_net()),
        rank: balance.and_then(|balance| subject.text(published.points.rank(balance.left))).map(str::to_owned),
        member: balance.is_some_and(|balance| balance.member),
        by_rule: BTreeMap::new(),
        entries: Vec::new(),
    };
    for (id, at, cause, points) in subject.entries() {
        let rule = published.points.cause(cause).to_owned();
        *told.by_rule.entry(rule.clone()).or_default() += points;
        let keys = subject.entry_keys(id, cause);
        let entry =
            Entry { entry_id: id.text().into_owned(), at: at.to_string(), rule, points, evidence: Evidence::of(keys) };
        told.entries.push(entry);
    }
    let because = match (published.points.is_there, balance) {
        (false, _) => "the programme has no points".to_owned(),
        (true, None) => "no event and no adjustment names him".to_owned(),
        (true, Some(balance)) => {
            format!("{} entries add up to {} points", told.entries.len(), balance.left)
        }
    };
    (balance.is_some(), because, Of::Balance(told))
}

impl<'a> Subject<'a> {
    /// The entries of his balance, in the order in which they count.
    pub fn entries(&self) -> Vec<(EntryId<'a>, dataflows::types::Time, Cause, i64)> {
        let (published, chunk) = (&self.explainer.published, self.chunk);
        let is_named = |word: dataflows::types::Word, name: &str| self.text(word) == Some(name);
        // What an entry borrows of the rules is the name of a measure, which the published rules hold.
        let entries = dataflows::points::entries(chunk, self.slot, &published.points, published.clock.now, &is_named);
        entries.into_iter().map(|entry| (entry.id, entry.at, entry.cause, entry.points)).collect()
    }
}
