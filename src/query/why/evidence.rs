//! The rows behind what is told, by their files and lines.

use std::collections::HashMap;

use dataflows::records::RowKey;
use serde::Serialize;

use super::{Balance, Clause, Of, Tier, Why};
use crate::store::origins::Origin;

/// Most rows that are shown behind one value: a year of daily use, and a little more.
pub const ROWS_MAX: usize = 400;

/// Rows behind a value.
#[derive(Serialize, Default, Debug)]
pub struct Evidence {
    /// Those that may be there, in the order in which they are shown.
    #[serde(skip)]
    keys: Vec<RowKey>,
    /// Those that stand, once they were looked for.
    pub rows: Vec<Row>,
    /// How many more there are, earlier than these.
    #[serde(skip_serializing_if = "is_none")]
    pub more_rows: usize,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A row of a file.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub feed: &'static str,
    pub period: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub part: String,
    pub version: u32,
    pub file: String,
    /// None where the file was taken before lines were kept, or no file brought the row.
    pub line: Option<u64>,
}

impl Evidence {
    pub(super) fn of(keys: Vec<RowKey>) -> Evidence {
        Evidence { keys, ..Evidence::default() }
    }

    fn fill(&mut self, found: &HashMap<RowKey, Origin>) {
        let standing = self.keys.iter().filter_map(|key| found.get(key)).collect::<Vec<_>>();
        self.more_rows = standing.len().saturating_sub(ROWS_MAX);
        let row = |origin: &&Origin| Row {
            feed: origin.partition.feed.name(),
            period: origin.partition.period.clone(),
            part: origin.partition.part.clone(),
            version: origin.version,
            file: origin.file.to_string(),
            line: origin.line,
        };
        self.rows = standing[self.more_rows..].iter().map(row).collect();
    }
}

impl Why {
    /// The keys of all rows that may stand behind its values.
    pub fn keys(&mut self) -> Vec<RowKey> {
        let mut keys = Vec::new();
        self.each(&mut |evidence| keys.extend(evidence.keys.iter().cloned()));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Sets the rows that were found.
    pub fn fill(&mut self, found: &HashMap<RowKey, Origin>) {
        self.each(&mut |evidence| evidence.fill(found));
    }

    fn each(&mut self, visit: &mut dyn FnMut(&mut Evidence)) {
        self.population.iter_mut().for_each(|clause| clause.each(visit));
        match &mut self.of {
            Of::Segment(segment) => segment.rule.each(visit),
            Of::Tier(Tier { rungs, .. }) => {
                rungs.iter_mut().filter_map(|rung| rung.rule.as_mut()).for_each(|rule| rule.each(visit));
            }
            Of::Target(target) => {
                target.audience.each(visit);
                target.checks.iter_mut().for_each(|check| visit(&mut check.evidence));
            }
            Of::Balance(Balance { entries, .. }) => {
                entries.iter_mut().for_each(|entry| visit(&mut entry.evidence));
            }
        }
    }
}

impl Clause {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Evidence)) {
        for value in &mut self.values {
            visit(&mut value.evidence);
            value.drive.iter_mut().for_each(|rule| rule.each(visit));
        }
        self.clauses.iter_mut().for_each(|clause| clause.each(visit));
    }
}
