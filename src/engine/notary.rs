//! Hands on what each publication changed, to whoever notes it, on a thread of his own.
//!
//! What workers count anyway comes with the publication. Rows of counts and balances are told apart by looking at both
//! sides, at what is not the same memory alone: some milliseconds for a change of everybody, and off the way of whoever
//! waits for the epoch. Where publications come faster than they are looked at, only what was counted is noted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use dataflows::table::chunk::CHUNK_EMPTY;
use dataflows::types::Word;
use dataflows::views::Change;

use super::Published;
use crate::store::receipts::{Moved, Noted};

/// Publications that wait to be looked at: each keeps what it shows in memory.
const WAITING_MAX: usize = 4;

/// What a publication changed, as far as it was counted, with both sides of it where there was room for them.
type Seen = (Noted, Option<[Arc<Published>; 2]>);

/// Who notes it.
pub(super) struct Notary {
    seen: Sender<Seen>,
    thread: JoinHandle<()>,
}

impl Notary {
    /// Gives what comes to `keep`, in the order in which it became visible.
    pub fn start(mut keep: impl FnMut(Noted) + Send + 'static) -> Notary {
        let (seen, noting) = crossbeam_channel::unbounded::<Seen>();
        let thread = std::thread::spawn(move || {
            for (noted, sides) in noting {
                let views = sides.map(|[before, after]| views(&before, &after));
                keep(Noted { is_whole: views.is_some(), views: views.unwrap_or_default(), ..noted });
            }
        });
        Notary { seen, thread }
    }

    /// Hands on what changed with a publication.
    pub fn look(&self, last: &Arc<Published>, published: &Arc<Published>) {
        let of = |(came, went): (usize, usize)| -> Moved { (came as u64, went as u64) };
        let difference = &published.difference;
        let sum = |published: &Published| {
            let members = published.books.members;
            i64::try_from(members).unwrap_or(if members < 0 { i64::MIN } else { i64::MAX })
        };
        let moved = |counts: &mut dyn Iterator<Item = (&Word, &(usize, usize))>| {
            let mut moved: Vec<_> = counts.map(|(word, counts)| (*word, of(*counts))).collect();
            moved.retain(|(_, moved)| *moved != (0, 0));
            moved.sort_unstable();
            moved
        };
        let noted = Noted {
            epochs: (last.epoch, published.epoch),
            as_of: [last.clock.as_of, published.clock.as_of],
            points: [sum(last), sum(published)],
            tiers: of(difference.tiers),
            segments: moved(&mut difference.members.iter()),
            targets: moved(&mut difference.targets.iter()),
            ..Noted::default()
        };
        let sides = (self.seen.len() < WAITING_MAX).then(|| [last.clone(), published.clone()]);
        // Who is gone notes nothing, and nothing hangs on it.
        let _ = self.seen.send((noted, sides));
    }

    /// Waits until everything that was handed on is noted. False where that ended badly.
    pub fn end(self) -> bool {
        drop(self.seen);
        self.thread.join().is_ok()
    }
}

/// Rows that came and went of views that are counted cell by cell, and of points_balance.
fn views(before: &Published, after: &Published) -> Vec<(Box<str>, Moved)> {
    let mut views: BTreeMap<&str, Moved> = BTreeMap::new();
    let mut add = |view, came: bool, went: bool| {
        let moved: &mut Moved = views.entry(view).or_default();
        *moved = (moved.0 + u64::from(came), moved.1 + u64::from(went));
    };
    for (cell, was, is) in after.changed_counts(before) {
        let view = match cell {
            Change::TierCount { .. } => "tier_count",
            Change::TierMove { .. } => "tier_move",
            Change::SegmentCount { .. } => "segment_count",
            Change::RankCount { .. } => "rank_count",
            Change::MemberStage { .. } => "member_stage",
            Change::TargetCount { .. } => "target_count",
            Change::TargetExcluded { .. } => "target_excluded",
            // Cells of other views are parts of rows.
            _ => continue,
        };
        add(view, is != 0, was != 0);
    }
    let nobody = CHUNK_EMPTY.with(Arc::clone);
    let mut earlier: BTreeMap<u32, _> = before.chunks().map(|(chunk, customer)| (customer(0).0, chunk)).collect();
    let mut compare = |was: &Arc<dataflows::table::Chunk>, is: &Arc<dataflows::table::Chunk>| {
        if Arc::ptr_eq(&was.points, &is.points) && Arc::ptr_eq(&before.points, &after.points) {
            return;
        }
        let row = |published: &Published, chunk: &dataflows::table::Chunk, slot| {
            let balance = chunk.points.get(slot).filter(|_| published.points.is_there)?;
            let rank = published.points.rank(balance.left);
            Some((balance.left, balance.earned, balance.lost(), balance.adjusted_net(), rank, balance.member))
        };
        let mut slots = was.points.present.clone();
        slots.union(&is.points.present);
        for slot in slots.slots() {
            let (was, is) = (row(before, was, slot), row(after, is, slot));
            if was != is {
                add("points_balance", is.is_some(), was.is_some());
            }
        }
    };
    for (chunk, customer) in after.chunks() {
        compare(earlier.remove(&customer(0).0).unwrap_or(&nobody), chunk);
    }
    earlier.into_values().for_each(|chunk| compare(chunk, &nobody));
    views.into_iter().map(|(view, moved)| (view.into(), moved)).collect()
}
