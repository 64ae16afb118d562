//! Trials of a proposal over all that is published, a part of the chunks on each core.
//!
//! Customers who hand points to each other are in different parts: notes between them go round through whoever waits for
//! the parts, until nobody has anything to say.

use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};

use dataflows::customers::Trial;
use dataflows::points::transfers::Note;
use dataflows::rules::compiled::Compiled;
use dataflows::table::Chunk;
use dataflows::types::CustomerIx;

use super::proposal::Proposal;
use crate::engine::Published;

/// A chunk as it is, and as the proposal would leave it: the same one where it changes nothing.
pub(super) struct Tried<'t> {
    pub before: &'t Chunk,
    pub after: &'t Chunk,
    pub rules: (&'t Compiled, &'t Compiled),
    /// The customer in a slot.
    pub customer: &'t dyn Fn(usize) -> CustomerIx,
    /// Class codes by slot under other tiers than the proposal's.
    pub classes: &'t dyn Fn(&[Compiled]) -> Vec<Vec<u8>>,
}

/// Fewest chunks that are worth a thread: each takes it some ten microseconds at least.
const CHUNKS_MIN: usize = 8;

/// Some chunks of one worker.
type Part = (usize, Range<usize>);

fn parts(published: &Published) -> Vec<Part> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = published.workers();
    let threads = cores.div_ceil(workers.len().max(1));
    let parts = |(index, count): (usize, usize)| {
        let size = count.div_ceil(threads).max(CHUNKS_MIN);
        // A worker who has nobody yet may have somebody to answer for all the same.
        (0..count.max(1)).step_by(size).map(move |begin| (index, begin..(begin + size).min(count)))
    };
    workers.iter().map(|worker| worker.chunks.len()).enumerate().flat_map(parts).collect()
}

/// Tries every chunk and adds it to what `fresh` gives; of that, what `end` makes of it: one for each part, in no order.
pub(super) fn on_every_core<S, T: Send>(
    published: &Published,
    proposal: &Proposal,
    fresh: impl Fn() -> S + Sync,
    add: impl Fn(&mut S, &Tried<'_>) + Sync,
    end: impl Fn(S) -> T + Sync,
) -> Vec<T> {
    let parts = parts(published);
    std::thread::scope(|scope| {
        let (mut desks, mut threads) = (Vec::new(), Vec::new());
        for part in &parts {
            let (to, heard) = channel();
            let (say, told) = channel();
            let (fresh, add, end) = (&fresh, &add, &end);
            threads.push(scope.spawn(move || {
                let mut tried = fresh();
                part_of(published, proposal, part, (&say, &heard), |chunk| add(&mut tried, chunk));
                end(tried)
            }));
            desks.push((part, to, told));
        }
        agree(&desks, published.workers().len());
        // Nobody has anything to say, or a part is gone: the others settle what they have.
        drop(desks);
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(tried) => tried,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    })
}

fn part_of(
    published: &Published,
    proposal: &Proposal,
    (index, own): &Part,
    (say, heard): (&Sender<Vec<Note>>, &Receiver<Vec<Note>>),
    mut add: impl FnMut(&Tried<'_>),
) {
    let Some(snapshot) = published.workers().get(*index) else { return };
    let (peers, programme) = (published.workers().len(), proposal.programme.clone());
    let word = |name: &str| proposal.word(name);
    let mut trial = Trial::new(snapshot, (*index, peers), own.clone(), programme, &proposal.words, &word);
    let mut told = trial.agree(Vec::new());
    while say.send(told).is_ok() {
        let Ok(notes) = heard.recv() else { break };
        told = trial.agree(notes);
    }
    for number in own.clone() {
        let Some(before) = snapshot.chunks.get(number) else { continue };
        let after = trial.settle(number);
        let customer = |slot: usize| trial.customer(number, slot);
        let classes = |ladders: &[Compiled]| trial.classes(number, ladders);
        let after = after.as_ref().unwrap_or(before);
        add(&Tried { before, after, rules: trial.rules(), customer: &customer, classes: &classes });
    }
}

/// Whose a part is, how it is told, and how it answers.
type Desk<'p> = (&'p Part, Sender<Vec<Note>>, Receiver<Vec<Note>>);

/// Hands notes on until a round brings none.
fn agree(desks: &[Desk<'_>], peers: usize) {
    loop {
        let mut round: Vec<Vec<Note>> = desks.iter().map(|_| Vec::new()).collect();
        for (.., told) in desks {
            let Ok(notes) = told.recv() else { return };
            for note in notes {
                let (worker, chunk) = Trial::place(note.to, peers);
                // The last part of a worker's takes what is behind its chunks too.
                let to = desks.iter().rposition(|((index, own), ..)| *index == worker && own.start <= chunk);
                to.into_iter().for_each(|to| round[to].push(note.clone()));
            }
        }
        if round.iter().all(Vec::is_empty) {
            return;
        }
        for ((_, to, _), notes) in desks.iter().zip(round) {
            if to.send(notes).is_err() {
                return;
            }
        }
    }
}
