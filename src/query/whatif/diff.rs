//! Tallies and what stands, put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dataflows::records::Arm;
use dataflows::targets::codes::Reason;
use dataflows::types::Word;
use dataflows::views::{Change as Cell, Family};

use super::answer::{Answer, Arms, Change, Cost, Excluded, Group, List, Load, Members, Rank, Span, Standing, TierMove};
use super::proposal::Proposal;
use super::tally::{Moved, Tally};
use crate::engine::Published;
use crate::query::Cell as Shown;

/// What is counted now.
#[derive(Default)]
struct Counted {
    segments: HashMap<Word, u64>,
    tiers: HashMap<Word, u64>,
    cells: HashMap<Cell, i64>,
}

impl Counted {
    fn of(published: &Published) -> Counted {
        let mut counted = Counted::default();
        for (cell, count) in published.counts_of(Family::Others) {
            match cell {
                Cell::SegmentCount { segment, .. } => *counted.segments.entry(segment).or_default() += count as u64,
                Cell::TierCount { tier, .. } => *counted.tiers.entry(tier).or_default() += count as u64,
                Cell::TargetCount { .. } | Cell::TargetExcluded { .. } | Cell::RankCount { .. } => {
                    *counted.cells.entry(cell).or_default() += count as i64;
                }
                _ => {}
            }
        }
        counted
    }
}

/// The answer, but for what it does not tell. `has_members` where ids were asked for.
pub(super) fn answer(published: &Published, proposal: &Proposal, tally: Tally<'_>, has_members: bool) -> Answer {
    let counted = Counted::of(published);
    let (old, new) = (&published.programme, &proposal.programme);
    let (mut segments, mut tiers, mut lists) = (tally.segments, tally.tiers, tally.lists);
    let change = |before: u64, moved: Option<Moved<'_>>| change(before, moved, has_members);
    let group = |id: Option<&str>, counted: &HashMap<Word, u64>, moved: &mut BTreeMap<Word, Moved<'_>>| {
        let word = id.map_or(Some(Word::NULL), |id| proposal.word(id)).unwrap_or_default();
        let before = counted.get(&word).copied().unwrap_or(0);
        Group { id: id.map(str::to_owned), change: change(before, moved.remove(&word)) }
    };
    let ids = |ids: &mut dyn Iterator<Item = &String>| ids.cloned().collect::<BTreeSet<String>>();
    let named = ids(&mut old.segments.iter().chain(&new.segments).map(|segment| &segment.id));
    let segments = named.iter().map(|id| group(Some(id), &counted.segments, &mut segments)).collect();
    let named = ids(&mut old.tiers.iter().chain(&new.tiers).map(|tier| &tier.id));
    let null = group(None, &counted.tiers, &mut tiers);
    let is_there = null.change.before + null.change.after > 0;
    let tiers = named.iter().map(|id| group(Some(id), &counted.tiers, &mut tiers)).chain(is_there.then_some(null));
    let tiers = tiers.collect();
    let cells = cells(&counted.cells, &tally.cells);
    let named = ids(&mut old.campaigns.iter().chain(&new.campaigns).map(|campaign| &campaign.id));
    let costs = Costs { published };
    let targets: Vec<List> = named
        .into_iter()
        .map(|id| {
            let word = proposal.word(&id).unwrap_or_default();
            let own: Vec<(Cell, (i64, i64))> = cells.iter().filter(|(cell, _)| is_of(cell, word)).copied().collect();
            let moved = lists.remove(&word);
            let changed = moved.as_ref().map_or(0, |moved| moved.changed);
            let before = own.iter().filter(|(cell, _)| matches!(cell, Cell::TargetCount { .. }));
            let before: i64 = before.map(|(_, (before, _))| before).sum();
            List {
                id,
                change: change(before as u64, moved),
                changed,
                arms: arms(&own),
                excluded: excluded(&own, proposal),
                cost: costs.of(own.iter()),
            }
        })
        .collect();
    let cap = |side: fn(&(i64, i64)) -> i64| {
        let of = |cell: &Cell| match cell {
            Cell::TargetExcluded { reason, .. } => proposal.text(*reason) == Some(Reason::Cap.name()),
            _ => false,
        };
        cells.iter().filter(|(cell, _)| of(cell)).map(|(_, count)| side(count)).sum::<i64>()
    };
    let is_ranked = tally.cells.keys().any(|cell| matches!(cell, Cell::RankCount { .. }));
    Answer {
        epoch: published.epoch,
        segments,
        tiers,
        tier_moves: moves(tally.moves, proposal),
        ranks: if is_ranked { ranks(&cells, proposal) } else { Vec::new() },
        balances_changed: tally.balances,
        targets,
        channels: costs.channels(&cells, proposal),
        over_cap: Span { before: cap(|count| count.0), after: cap(|count| count.1) },
        cost: costs.of(cells.iter()),
        not_told: Vec::new(),
    }
}

fn change(before: u64, moved: Option<Moved<'_>>, has_members: bool) -> Change {
    let (added, removed) = moved.as_ref().map_or((0, 0), |moved| (moved.added, moved.removed));
    let members = moved.map(|moved| Members { added: moved.came.into_ids(), removed: moved.went.into_ids() });
    let members = has_members.then(|| members.unwrap_or_default());
    // Whoever goes was there.
    Change { before, after: (before + added).saturating_sub(removed), added, removed, members }
}

/// Every cell with its count before and after.
fn cells(before: &HashMap<Cell, i64>, diffs: &HashMap<Cell, i64>) -> Vec<(Cell, (i64, i64))> {
    let all: BTreeSet<Cell> = before.keys().chain(diffs.keys()).copied().collect();
    let of = |counts: &HashMap<Cell, i64>, cell: &Cell| counts.get(cell).copied().unwrap_or(0);
    all.into_iter().map(|cell| (cell, (of(before, &cell), of(before, &cell) + of(diffs, &cell)))).collect()
}

fn is_of(cell: &Cell, of: Word) -> bool {
    matches!(cell, Cell::TargetCount { campaign, .. } | Cell::TargetExcluded { campaign, .. } if *campaign == of)
}

fn arms(own: &[(Cell, (i64, i64))]) -> Vec<Arms> {
    let sum = |of: Arm, side: fn(&(i64, i64)) -> i64| {
        let is_of = |cell: &Cell| matches!(cell, Cell::TargetCount { arm, .. } if *arm == of);
        own.iter().filter(|(cell, _)| is_of(cell)).map(|(_, count)| side(count)).sum()
    };
    let arm = |arm: Arm| Arms { arm: arm.name(), before: sum(arm, |count| count.0), after: sum(arm, |count| count.1) };
    Arm::ALL.into_iter().map(arm).filter(|arm| (arm.before, arm.after) != (0, 0)).collect()
}

fn excluded(own: &[(Cell, (i64, i64))], proposal: &Proposal) -> Vec<Excluded> {
    let reasons = own.iter().filter_map(|(cell, (before, after))| match cell {
        Cell::TargetExcluded { reason, .. } if (*before, *after) != (0, 0) => {
            let reason = proposal.text(*reason).unwrap_or_default().to_owned();
            Some(Excluded { reason, before: *before, after: *after })
        }
        _ => None,
    });
    let mut reasons: Vec<Excluded> = reasons.collect();
    reasons.sort_by(|one, other| one.reason.cmp(&other.reason));
    reasons
}

fn moves(moves: BTreeMap<(Option<Word>, Option<Word>), u64>, proposal: &Proposal) -> Vec<TierMove> {
    let standing = |tier: Option<Word>| match tier {
        Some(tier) => proposal.text(tier).map_or(Standing::None { row: true }, |id| Standing::Tier(id.to_owned())),
        None => Standing::None { row: false },
    };
    let row = |((from, to), customers)| TierMove { from: standing(from), to: standing(to), customers };
    moves.into_iter().map(row).collect()
}

fn ranks(cells: &[(Cell, (i64, i64))], proposal: &Proposal) -> Vec<Rank> {
    let rank = |(cell, (before, after)): &(Cell, (i64, i64))| match cell {
        Cell::RankCount { rank } => {
            Some(Rank { id: proposal.text(*rank).map(str::to_owned), before: *before, after: *after })
        }
        _ => None,
    };
    cells.iter().filter_map(rank).collect()
}

/// What contacts cost, by what is known of channels.
struct Costs<'a> {
    published: &'a Published,
}

impl Costs<'_> {
    /// That of the targets among cells: the control arm is not contacted.
    fn of<'c>(&self, cells: impl Iterator<Item = &'c (Cell, (i64, i64))>) -> Cost {
        let (mut before, mut after) = (0, 0);
        for (cell, counts) in cells {
            let Some(channel) = contacted(cell) else { continue };
            let cost = i128::from(self.published.catalog.channel(channel).unit_cost.unwrap_or(0));
            before += i128::from(counts.0) * cost;
            after += i128::from(counts.1) * cost;
        }
        let [before, after, change] = [before, after, after - before].map(|fen| Shown::Hundredths(fen).to_string());
        Cost { before, after, change }
    }

    fn channels(&self, cells: &[(Cell, (i64, i64))], proposal: &Proposal) -> Vec<Load> {
        let mut contacts: BTreeMap<&str, (Word, i64, i64)> = BTreeMap::new();
        for (cell, (before, after)) in cells {
            let Some(channel) = contacted(cell) else { continue };
            let sums = contacts.entry(proposal.text(channel).unwrap_or_default()).or_insert((channel, 0, 0));
            *sums = (channel, sums.1 + before, sums.2 + after);
        }
        let load = |(id, (channel, before, after)): (&str, (Word, i64, i64))| {
            let daily_capacity = self.published.catalog.channel(channel).daily_capacity;
            let over = |most: i64| {
                let over = |contacts: i64| contacts.saturating_sub(most.max(0)).max(0);
                Span { before: over(before), after: over(after) }
            };
            Load { channel_id: id.to_owned(), before, after, daily_capacity, over_capacity: daily_capacity.map(over) }
        };
        contacts.into_iter().map(load).collect()
    }
}

/// The channel on which those of a cell are contacted, if they are.
fn contacted(cell: &Cell) -> Option<Word> {
    match cell {
        Cell::TargetCount { channel, arm, .. } if *arm != Arm::Control => Some(*channel),
        _ => None,
    }
}
