//! The keyed operator whose keys have to agree before their rows are settled.
//!
//! Reads   parts of epochs, in any number of messages
//! Gives   for each epoch the consolidated differences its parts make, as ordinary updates
//!
//! A key's rows may depend on what another key decides, which may be another worker's. Keys send
//! each other notes round a loop; the rows of an epoch are settled once no note of it is under way
//! anywhere, which the loop's frontier tells. Nobody sees what was thought in between.
//!
//! ```text
//!             ┌──── notes, a round later, to whom they are for ────┐
//!             ▼                                                    │
//! parts ─► apply, take notes ─► agree ─► no note under way? ───────┴─► settle ─► rows
//! ```
//!
//! Notes say what stands, not how it changed, and come in order from any one worker: whatever the
//! order of the rest, the last word on each matter is the same. That the keys come to rest is the
//! state's affair.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use differential_dataflow::AsCollection;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::{Capability, ConnectLoop, Enter, InputCapability, Leave, LoopVariable};
use timely::order::Product;
use timely::{ExchangeData, progress::Timestamp};

use crate::keyed::Keyed;
use crate::types::{Collection, Diff, Epoch};

/// A keyed state with keys that write to each other.
pub trait Agreeing: Keyed {
    /// What a key tells another.
    type Note: ExchangeData;

    /// The number that says whose worker takes a note: by its remainder.
    fn address(note: &Self::Note) -> u64;

    /// Takes a note, to be thought of by `agree`.
    fn take(&mut self, note: Self::Note);

    /// Decides some of what parts and notes have touched, and tells whom that concerns. Returns
    /// whether that was all; if not, it is called again before more notes are taken.
    fn agree(&mut self, tell: &mut Vec<Self::Note>) -> bool;
}

/// An epoch, and how often notes of it have gone round.
type Round = Product<Epoch, u32>;

/// What has come of an epoch.
struct Pending<S: Agreeing> {
    parts: Vec<S::Part>,
    notes: Vec<S::Note>,
    /// To tell others; given back while there is nothing to tell.
    tell: Option<Capability<Round>>,
    /// To emit rows.
    emit: Capability<Round>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Agreeing,
    Settling,
}

/// The epochs that are not done.
struct Epochs<S: Agreeing>(BTreeMap<Epoch, Pending<S>>);

impl<S: Agreeing> Epochs<S> {
    /// That of a message, with what is needed to tell and to emit.
    fn of(&mut self, capability: &InputCapability<Round>) -> Option<&mut Pending<S>> {
        let time = capability.stamp().iter().next()?;
        let pending = self.0.entry(time.outer).or_insert_with(|| Pending {
            parts: Vec::new(),
            notes: Vec::new(),
            tell: None,
            emit: capability.delayed(time, ROWS),
            stage: Stage::Waiting,
        });
        pending.tell.get_or_insert_with(|| capability.delayed(time, NOTES));
        Some(pending)
    }
}

/// The outputs.
const NOTES: usize = 0;
const ROWS: usize = 1;

/// The rows of `state` as it follows `parts`. The state stays shared with its owner, who may read
/// it between epochs.
pub fn agreed<'scope, S: Agreeing>(
    parts: Stream<'scope, Epoch, Vec<S::Part>>,
    state: Rc<RefCell<S>>,
) -> Collection<'scope, S::Row> {
    let scope = parts.scope();
    scope
        .iterative::<u32, _, _>(|inner| {
            let (handle, notes) = inner.loop_variable::<Vec<S::Note>>(1);
            let mut builder = OperatorBuilder::new("Agreed".to_owned(), inner);
            let activator = inner.activator_for(builder.operator_info().address);
            let (told, told_stream) = builder.new_output::<Vec<S::Note>>();
            let (rows, row_stream) = builder.new_output::<Vec<(S::Row, Epoch, Diff)>>();
            let mut parts = builder.new_input(parts.enter(inner), Pipeline);
            let mut notes = builder.new_input(notes, Exchange::new(S::address));
            let mut told = OutputBuilder::<_, CapacityContainerBuilder<_>>::from(told);
            let mut rows = OutputBuilder::<_, CapacityContainerBuilder<_>>::from(rows);
            builder.build(move |_| {
                let mut epochs = Epochs::<S>(BTreeMap::new());
                let (mut tell, mut differences) = (Vec::new(), Vec::new());
                move |frontiers| {
                    parts.for_each(|capability, parts| {
                        epochs.of(&capability).into_iter().for_each(|pending| pending.parts.append(parts));
                    });
                    notes.for_each(|capability, notes| {
                        epochs.of(&capability).into_iter().for_each(|pending| pending.notes.append(notes));
                    });
                    let (mut told, mut rows) = (told.activate(), rows.activate());
                    while let Some(mut entry) = epochs.0.first_entry() {
                        let (epoch, pending) = (*entry.key(), entry.get_mut());
                        let mut state = state.borrow_mut();
                        if pending.stage == Stage::Waiting {
                            if frontiers[0].less_equal(&Round::new(epoch, u32::minimum())) {
                                break;
                            }
                            pending.parts.drain(..).for_each(|part| state.apply(part));
                            pending.stage = Stage::Agreeing;
                        }
                        if pending.stage == Stage::Agreeing {
                            if let Some(capability) = &pending.tell {
                                pending.notes.drain(..).for_each(|note| state.take(note));
                                let is_all = state.agree(&mut tell);
                                told.session(capability).give_iterator(tell.drain(..));
                                if !is_all {
                                    activator.activate();
                                    break;
                                }
                                pending.tell = None;
                            }
                            if frontiers[1].frontier().iter().any(|round| round.outer <= epoch) {
                                break;
                            }
                            pending.stage = Stage::Settling;
                        }
                        let is_all = state.settle(&mut differences);
                        let updates = differences.drain(..).map(|(row, diff)| (row, epoch, diff));
                        rows.session(&pending.emit).give_iterator(updates);
                        if !is_all {
                            // Whoever reads the rows goes first, then this operator again.
                            activator.activate();
                            break;
                        }
                        entry.remove();
                    }
                }
            });
            told_stream.connect_loop(handle);
            row_stream.leave(scope)
        })
        .as_collection()
}
