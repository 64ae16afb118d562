//! Which customers of which lists are told by their ids.

use dataflows::types::Word;

/// A side of a list: who would come, or who would go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Added,
    Removed,
}

/// What has members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Segment,
    Tier,
    Campaign,
}

impl Kind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Segment => "segment",
            Kind::Tier => "tier",
            Kind::Campaign => "campaign",
        }
    }

    /// The kind that a text begins with, and what follows: `segment ID`, `segment:ID`.
    pub fn read(text: &str) -> Result<(Kind, &str), String> {
        let text = text.trim();
        let (kind, rest) = text.split_once(|char: char| char == ':' || char.is_whitespace()).unwrap_or((text, ""));
        let kinds = [Kind::Segment, Kind::Tier, Kind::Campaign];
        let kind = kinds.into_iter().find(|of| of.name() == kind).filter(|_| !rest.trim().is_empty());
        kind.map(|kind| (kind, rest.trim())).ok_or_else(|| {
            format!("expected segment, tier or campaign with an id, such as \"segment students\"; found {text:?}")
        })
    }
}

/// Whose ids are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// So many of each side of each list, the first by id.
    First(usize),
    /// All of one side of one list.
    All(Kind, String, Side),
}

/// The same, by words.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub first: usize,
    pub all: Option<(Kind, Word, Side)>,
}

impl Limits {
    pub fn most(&self, kind: Kind, of: Word, side: Side) -> usize {
        if self.all == Some((kind, of, side)) { usize::MAX } else { self.first }
    }
}

/// Ids of customers, of which so many are kept: the first in the order of bytes.
pub(super) struct Kept<'n> {
    most: usize,
    ids: Vec<&'n str>,
}

/// Ids that are held before those beyond the limit are let go.
const HELD_MIN: usize = 4_096;

impl<'n> Kept<'n> {
    pub fn new(most: usize) -> Kept<'n> {
        Kept { most, ids: Vec::new() }
    }

    /// Keeps an id; it is asked for only where any is wanted.
    pub fn keep(&mut self, id: impl FnOnce() -> &'n str) {
        if self.most == 0 {
            return;
        }
        self.ids.push(id());
        if self.ids.len() >= self.most.saturating_mul(2).max(HELD_MIN) {
            self.cut();
        }
    }

    pub fn merge(&mut self, other: Kept<'n>) {
        self.ids.extend(other.ids);
        self.cut();
    }

    fn cut(&mut self) {
        self.ids.sort_unstable();
        self.ids.truncate(self.most);
    }

    /// In the order of their bytes.
    pub fn into_ids(mut self) -> Vec<String> {
        self.cut();
        self.ids.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_by_id_are_kept_however_many_there_are() {
        let mut random = fastrand::Rng::with_seed(5);
        let ids: Vec<String> = (0..20_000).map(|_| format!("c{}", random.u32(..))).collect();
        let mut sorted: Vec<&str> = ids.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        for most in [0, 1, 3_000, usize::MAX] {
            let mut halves = ids.chunks(10_000).map(|half| {
                let mut kept = Kept::new(most);
                half.iter().for_each(|id| kept.keep(|| id));
                kept
            });
            let (mut one, other) = (halves.next().expect("a half"), halves.next().expect("a half"));
            one.merge(other);
            assert_eq!(one.into_ids(), sorted[..most.min(sorted.len())]);
        }
    }
}
