//! The keyed operator: dense state by key, which emits changes only.
//!
//! Reads   parts of epochs, in any number of messages
//! Gives   for each epoch the consolidated differences its parts make, as ordinary updates
//!
//! `reduce` keeps what it has been given as sorted batches and re-reads a key's whole history for
//! each change; at a month close everybody changes. Here the state is the operator's own (columns,
//! in our case), a change is a write, and only what was touched is evaluated again.
//!
//! An epoch is applied when the frontier has passed it, epochs in order, parts of an epoch in the
//! order of their arrival. Settling may take many turns, so that a month close neither holds
//! gigabytes of updates at once nor keeps the worker from other work.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use differential_dataflow::AsCollection;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::types::{Collection, Diff, Epoch};

/// State by key, with a function from it to rows.
pub trait Keyed: 'static {
    /// What changes the state.
    type Part: Clone + 'static;
    /// What the function gives.
    type Row: Clone + 'static;

    /// Takes a part of an epoch. Its effect on rows is told by `settle`.
    fn apply(&mut self, part: Self::Part);

    /// Emits some of the differences between the rows as last settled and the rows as they now
    /// are. Returns whether that was all; if not, it is called again before anything is applied.
    fn settle(&mut self, emit: &mut Vec<(Self::Row, Diff)>) -> bool;
}

/// The rows of `state` as it follows `parts`. The state stays shared with its owner, who may read
/// it between epochs and never while one is settled.
pub fn keyed<'scope, S: Keyed>(
    parts: Stream<'scope, Epoch, Vec<S::Part>>,
    state: Rc<RefCell<S>>,
) -> Collection<'scope, S::Row> {
    let scope = parts.scope();
    parts
        .unary_frontier(Pipeline, "Keyed", move |_capability, info| {
            let activator = scope.activator_for(info.address);
            let mut pending = BTreeMap::new();
            let mut settling = None;
            let mut differences = Vec::new();
            move |(input, frontier), output| {
                input.for_each(|capability, parts| {
                    if let Some(epoch) = capability.least().copied() {
                        let entry = pending.entry(epoch).or_insert_with(|| (capability.retain_least(0), Vec::new()));
                        entry.1.append(parts);
                    }
                });
                loop {
                    if settling.is_none() {
                        let Some(entry) = pending.first_entry() else { break };
                        if frontier.less_equal(entry.key()) {
                            break;
                        }
                        let (epoch, (capability, parts)) = entry.remove_entry();
                        parts.into_iter().for_each(|part| state.borrow_mut().apply(part));
                        settling = capability.map(|capability| (epoch, capability));
                    }
                    let Some((epoch, capability)) = &settling else { break };
                    let done = state.borrow_mut().settle(&mut differences);
                    output
                        .session(capability)
                        .give_iterator(differences.drain(..).map(|(row, diff)| (row, *epoch, diff)));
                    if !done {
                        // Whoever reads the rows goes first, then this operator again.
                        activator.activate();
                        break;
                    }
                    settling = None;
                }
            }
        })
        .as_collection()
}
