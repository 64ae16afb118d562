//! What is tried of a programme is what comes of it once it is published.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dataflows::customers::{Snapshot, Trial};
use dataflows::facts::Facts;
use dataflows::points::transfers::Note;
use dataflows::programme::Programme;
use dataflows::table::Chunk;
use dataflows::table::column::CHUNK;
use dataflows::targets::Column;
use dataflows::types::Word;

use crate::history::History;
use crate::{for_each_history, harness};

/// The same history with each programme but the first in an epoch of its own, behind the facts that came with it; and the
/// numbers of those epochs.
fn with_programmes_apart(epochs: &[Arc<Facts>]) -> (Vec<Arc<Facts>>, Vec<usize>) {
    let (mut all, mut programmes) = (Vec::new(), Vec::new());
    for facts in epochs {
        match &facts.programme {
            Some(programme) if !all.is_empty() => {
                all.push(Arc::new(Facts { programme: None, ..Facts::clone(facts) }));
                programmes.push(all.len());
                all.push(Arc::new(Facts { programme: Some(programme.clone()), ..Facts::default() }));
            }
            _ => all.push(facts.clone()),
        }
    }
    (all, programmes)
}

/// Chunks of workers under another programme, each worker's in parts of so many chunks.
fn tried(snapshots: &[Snapshot], programme: &Arc<Programme>, words: &[Arc<str>], part: usize) -> Vec<Vec<Arc<Chunk>>> {
    let numbers: HashMap<&str, Word> = (0..).zip(words).map(|(number, word)| (&**word, Word(number))).collect();
    let word = |name: &str| numbers.get(name).copied();
    let peers = snapshots.len();
    let mut parts = Vec::new();
    for (index, snapshot) in snapshots.iter().enumerate() {
        for begin in (0..snapshot.chunks.len()).step_by(part) {
            let own = begin..(begin + part).min(snapshot.chunks.len());
            let trial = Trial::new(snapshot, (index, peers), own.clone(), programme.clone(), words, &word);
            parts.push((index, own, trial));
        }
    }
    let mut notes: Vec<Vec<Note>> = parts.iter().map(|_| Vec::new()).collect();
    loop {
        let mut told = Vec::new();
        for ((.., trial), notes) in parts.iter_mut().zip(&mut notes) {
            told.extend(trial.agree(std::mem::take(notes)));
        }
        if told.is_empty() {
            break;
        }
        for note in told {
            let (worker, chunk) = Trial::place(note.to, peers);
            let to = parts.iter().position(|(index, own, _)| *index == worker && own.contains(&chunk));
            to.into_iter().for_each(|to| notes[to].push(note.clone()));
        }
    }
    let mut chunks: Vec<Vec<Arc<Chunk>>> = snapshots.iter().map(|snapshot| snapshot.chunks.clone()).collect();
    for (index, own, trial) in &mut parts {
        for chunk in own.clone() {
            if let Some(after) = trial.settle(chunk) {
                chunks[*index][chunk] = Arc::new(after);
            }
        }
    }
    chunks
}

/// All that hangs on a programme in a chunk, but for the months before `as_of`.
fn decided(chunk: &Chunk, snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut decided = BTreeMap::new();
    let segments = snapshot.programme.segments.iter().zip(chunk.segments.iter());
    for (segment, members) in segments {
        decided.insert(format!("segment {}", segment.id), format!("{:?}", members.slots().collect::<Vec<_>>()));
    }
    decided.insert("class".to_owned(), format!("{:?}", chunk.class));
    decided.insert(
        "points".to_owned(),
        format!("{:?}", (0..CHUNK).map(|slot| chunk.points.get(slot)).collect::<Vec<_>>()),
    );
    decided.insert("drives".to_owned(), format!("{:?}", chunk.drives));
    let text = |_: Word| None;
    for (place, campaign) in snapshot.programme.campaigns.iter().enumerate() {
        let column = chunk.targets.columns.get(place).cloned().unwrap_or_else(Column::empty);
        let listed: Vec<_> = (0..CHUNK).map(|slot| (column.code[slot], column.named(slot, campaign, text))).collect();
        let nobody = Column::empty();
        let products: Vec<_> = (0..CHUNK).filter(|slot| column.differs_in_product(&nobody, *slot)).collect();
        decided.insert(format!("campaign {}", campaign.id), format!("{listed:?} {products:?}"));
    }
    decided
}

/// How often something of each kind was another under the new programme.
type Reached = BTreeMap<&'static str, usize>;

fn check(seed: u64, epochs: &[Arc<Facts>], reached: &mut Reached) {
    let (epochs, programmes) = with_programmes_apart(epochs);
    for workers in [1, 2] {
        let snapshots = harness::run_snapshots(&epochs, workers);
        for epoch in &programmes {
            let words: Vec<Arc<str>> = epochs[..*epoch].iter().flat_map(|facts| facts.words.iter().cloned()).collect();
            let programme = epochs[*epoch].programme.as_ref().expect("a programme");
            let after = &snapshots[*epoch];
            for part in [1, 100] {
                let tried = tried(&snapshots[*epoch - 1], programme, &words, part);
                for ((snapshot, before), tried) in after.iter().zip(&snapshots[*epoch - 1]).zip(&tried) {
                    for (place, (published, tried)) in snapshot.chunks.iter().zip(tried).enumerate() {
                        let told =
                            format!("seed {seed}, epoch {epoch}, {workers} workers, chunk {place} in parts of {part}");
                        let (published, tried) = (decided(published, snapshot), decided(tried, snapshot));
                        for (what, published) in &published {
                            assert_eq!(tried.get(what), Some(published), "{what}, {told}");
                        }
                        let was = decided(&before.chunks[place], before);
                        for kind in ["segment", "class", "points", "drives", "campaign"] {
                            let of = |all: &BTreeMap<String, String>| {
                                all.iter()
                                    .filter(|(what, _)| what.starts_with(kind))
                                    .map(|(_, of)| of.clone())
                                    .collect::<Vec<_>>()
                            };
                            *reached.entry(kind).or_insert(0) += usize::from(of(&was) != of(&published));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_tried_of_a_programme_is_what_comes_of_it() {
    for_each_history(|seed, history| {
        check(seed, &history.epochs, &mut Reached::new());
    });
}

/// The law says nothing of what edits do not reach.
#[test]
fn edits_reach_everything_that_a_programme_decides() {
    let mut reached = Reached::new();
    for seed in 1..21 {
        check(seed, &History::random(seed).epochs, &mut reached);
    }
    assert!(reached.len() == 5 && reached.values().all(|count| *count >= 20), "{reached:?}");
}
