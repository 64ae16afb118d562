//! One worker thread: an input, the dataflow, and what it has at the end of each epoch.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use dataflows::customers::{Customers, Difference, Snapshot};
use dataflows::facts::Facts;
use dataflows::referrals::{Branches, Forest};
use dataflows::types::Epoch;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::Input;
use timely::dataflow::{InputHandle, ProbeHandle};
use timely::worker::Worker;

use super::counts::Counts;

/// What a worker is told.
pub enum Command {
    Take(Take),
    /// A small one is being made durable: it comes within a moment.
    Expect,
}

/// An epoch to take.
pub struct Take {
    pub time: Epoch,
    pub parts: Arc<[Arc<Facts>]>,
    /// Whether entries of points that it changes are noted.
    pub notes_entries: bool,
}

/// How long a worker looks out for an epoch that was announced: most disks with a cache of their own
/// flush in less, and waking a worker that sleeps would be the larger part of what follows.
const LOOKOUT: Duration = Duration::from_millis(1);

/// The next epoch; none when nobody sends any more.
fn next(commands: &Receiver<Command>) -> Option<Take> {
    let mut until: Option<Instant> = None;
    loop {
        let command = match until {
            None => commands.recv().ok()?,
            Some(end) => match commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {
                    until = until.filter(|_| Instant::now() < end);
                    std::hint::spin_loop();
                    continue;
                }
            },
        };
        match command {
            Command::Take(take) => return Some(take),
            Command::Expect => until = Some(Instant::now() + LOOKOUT),
        }
    }
}

/// What a worker has at the end of an epoch.
pub struct Deposit {
    pub snapshot: Snapshot,
    pub counts: Counts,
    pub difference: Difference,
    /// The forest of referrals; empty but of the first worker.
    pub forest: Branches,
}

/// Takes epochs until nobody sends any more.
pub fn run(worker: &mut Worker, commands: &Receiver<Command>, hub: &super::Hub) {
    let customers = Rc::new(RefCell::new(Customers::new(worker.index(), worker.peers())));
    let forest: Rc<RefCell<Forest>> = Rc::default();
    let counts: Rc<RefCell<Counts>> = Rc::default();
    let mut input = InputHandle::<Epoch, CapacityContainerBuilder<Vec<Arc<Facts>>>>::new();
    let probe = ProbeHandle::new();
    worker.dataflow::<Epoch, _, _>(|scope| {
        let views = dataflows::build(scope.input_from(&mut input), customers.clone(), forest.clone());
        // Nobody reads the differences of rows yet, and the table emits none.
        views.rows.probe_with(&probe);
        let kept = counts.clone();
        let add = move |cell, diff| kept.borrow_mut().add(cell, diff);
        views.counts.inspect(move |((cell, count), _, diff)| add(*cell, count * diff)).probe_with(&probe);
    });
    crate::priority::yield_to_readers();
    while let Some(Take { time, parts, notes_entries }) = next(commands) {
        customers.borrow_mut().note_entries(notes_entries);
        input.advance_to(time);
        parts.iter().for_each(|part| input.send(part.clone()));
        // The parts are the workers' now: memory goes as soon as the last has read them.
        drop(parts);
        input.advance_to(time + 1);
        input.flush();
        while probe.less_than(input.time()) {
            worker.step_or_park(Some(Duration::from_millis(1)));
        }
        let snapshot = customers.borrow().snapshot();
        let difference = customers.borrow_mut().take_difference();
        let deposit =
            Deposit { snapshot, counts: counts.borrow().clone(), difference, forest: forest.borrow().snapshot() };
        hub.deposit(worker.index(), deposit);
    }
    input.close();
    while worker.step_or_park(Some(Duration::from_millis(1))) && !probe.done() {}
}
