//! The engine: feeds epochs to the dataflow and publishes what each leaves.
//!
//! ```text
//! submit ─► pending ─► workers (timely threads, one epoch at a time) ─► published
//! ```
//!
//! One epoch is in flight at a time, because a worker's operators share a table that readers are
//! given. What comes while the workers are busy is fed as one epoch when they are done: the views
//! are functions of what is accepted, not of how it was cut, so a backlog costs less, not more.
//! Readers take what was published last, a clone of pointers, and never wait.

mod counts;
mod notary;
mod origin;
mod published;
mod reporter;
mod worker;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use crossbeam_channel::Sender;
use dataflows::facts::Facts;
use dataflows::types::Epoch;
use parking_lot::{Condvar, Mutex};

use crate::store::changes::{Changed, Latest};
use crate::store::receipts::Noted;
use crate::store::reports::{Closed, Reports};
use notary::Notary;
pub use origin::Origin;
pub use published::Published;
use reporter::Reporter;
use worker::{Command, Deposit, Take};

/// Rows that may wait for the workers before whoever submits has to.
const PENDING_ROWS_MAX: usize = 4_000_000;

/// Rows of a small epoch: the disk's flush is most of the time that making it durable takes.
const SMALL_ROWS: usize = 1_000;

/// How long whoever waits for an epoch stays awake.
const WAIT_AWAKE: Duration = Duration::from_micros(100);

/// The running dataflow.
pub struct Engine {
    hub: Arc<Hub>,
    threads: Option<timely::communication::WorkerGuards<()>>,
}

/// What is shared between those who submit, the workers, and readers.
pub struct Hub {
    published: ArcSwap<Published>,
    state: Mutex<State>,
    moved: Condvar,
    can_look_out: bool,
}

struct State {
    senders: Vec<Sender<Command>>,
    pending: Vec<Arc<Facts>>,
    pending_rows: usize,
    /// The epoch of what is pending, and since when its first batch has been durable.
    pending_epoch: Epoch,
    pending_since: Option<Instant>,
    /// The files among it, and among what is in flight.
    pending_origins: Vec<Origin>,
    in_flight_origins: Vec<Origin>,
    in_flight: Option<Epoch>,
    /// The dataflow's own time: one for each dispatch. An epoch may be dispatched more than once, as
    /// when the clock moves and nothing is accepted.
    time: Epoch,
    in_flight_since: Option<Instant>,
    deposits: Vec<Option<Deposit>>,
    visible: Epoch,
    /// Whether entries of points that change are noted.
    notes_entries: bool,
    /// Who keeps them, and what wakes him up.
    keeper: Option<(Sender<()>, JoinHandle<()>)>,
    /// Who notes effects when days close.
    reporter: Option<Reporter>,
    /// Who notes what publications changed.
    notary: Option<Notary>,
    /// Set while facts are tried that nobody is to see; what came of them.
    is_rehearsing: bool,
    rehearsed: Option<Arc<Published>>,
    /// Called with the time from durable to visible of each epoch.
    observe: Box<dyn Fn(std::time::Duration) + Send>,
    failed: bool,
}

impl Engine {
    /// Starts the workers. `observe` is told how long each epoch took from durable to visible.
    pub fn start(workers: usize, observe: impl Fn(std::time::Duration) + Send + 'static) -> Result<Engine, String> {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| crossbeam_channel::unbounded()).unzip();
        let hub = Arc::new(Hub {
            published: ArcSwap::from_pointee(Published::nothing(workers)),
            state: Mutex::new(State {
                senders,
                pending: Vec::new(),
                pending_rows: 0,
                pending_epoch: 0,
                pending_since: None,
                pending_origins: Vec::new(),
                in_flight_origins: Vec::new(),
                in_flight: None,
                time: 0,
                in_flight_since: None,
                deposits: (0..workers).map(|_| None).collect(),
                visible: 0,
                notes_entries: false,
                keeper: None,
                reporter: None,
                notary: None,
                is_rehearsing: false,
                rehearsed: None,
                observe: Box::new(observe),
                failed: false,
            }),
            moved: Condvar::new(),
            can_look_out: std::thread::available_parallelism().is_ok_and(|processors| processors.get() > workers),
        });
        let shared = hub.clone();
        let config = if workers == 1 { timely::Config::thread() } else { timely::Config::process(workers) };
        let threads = timely::execute(config, move |worker| {
            let fence = Fence(shared.clone());
            worker::run(worker, &receivers[worker.index()], &shared);
            std::mem::forget(fence);
        })?;
        Ok(Engine { hub, threads: Some(threads) })
    }

    /// What readers share.
    pub fn hub(&self) -> Arc<Hub> {
        self.hub.clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Without senders the workers come to their end.
        self.hub.state.lock().senders.clear();
        if let Some(threads) = self.threads.take() {
            for result in threads.join() {
                if let Err(error) = result {
                    tracing::error!(error, "a worker ended badly");
                }
            }
        }
        // Whoever keeps changes comes to his end when he has kept them all.
        let keeper = self.hub.state.lock().keeper.take();
        if let Some((wake, thread)) = keeper {
            drop(wake);
            if thread.join().is_err() {
                tracing::error!("who keeps the changes of points ended badly");
            }
        }
        let reporter = self.hub.state.lock().reporter.take();
        if reporter.is_some_and(|reporter| !reporter.end()) {
            tracing::error!("who notes effects when days close ended badly");
        }
        let notary = self.hub.state.lock().notary.take();
        if notary.is_some_and(|notary| !notary.end()) {
            tracing::error!("who notes the receipts of files ended badly");
        }
    }
}

/// Tells whoever waits that a worker is gone, where it unwinds.
struct Fence(Arc<Hub>);

impl Drop for Fence {
    fn drop(&mut self) {
        self.0.state.lock().failed = true;
        self.0.moved.notify_all();
    }
}

impl Hub {
    /// What was published last.
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Announces an epoch of so many rows that is about to be durable: if it is small, the workers are awake when it
    /// comes. Where there is one processor they would only be in its way.
    pub fn expect(&self, rows: usize) {
        if rows > SMALL_ROWS {
            return;
        }
        let state = self.state.lock();
        if self.can_look_out && state.in_flight.is_none() && state.pending.is_empty() {
            for sender in &state.senders {
                let _ = sender.send(Command::Expect);
            }
        }
    }

    /// Gives the workers a part of an epoch that is durable. Parts of the same epoch, and epochs that
    /// come while the workers are busy, become visible together.
    pub fn submit(&self, epoch: Epoch, facts: Facts, durable_at: Instant) {
        self.submit_of(epoch, facts, durable_at, None);
    }

    /// The same of a file, which is told when it is visible.
    pub fn submit_of(&self, epoch: Epoch, facts: Facts, durable_at: Instant, origin: Option<Origin>) {
        let mut state = self.state.lock();
        while state.pending_rows > PENDING_ROWS_MAX && !state.failed {
            self.moved.wait(&mut state);
        }
        state.pending_rows += facts.len();
        state.pending.push(Arc::new(facts));
        state.pending_epoch = epoch;
        state.pending_since.get_or_insert(durable_at);
        state.pending_origins.extend(origin);
        if state.in_flight.is_none() && !state.is_rehearsing {
            state.dispatch();
        }
    }

    /// What would be published if the facts `there` came, found out by the dataflow itself, which `back` takes back to
    /// where it was: views are functions of what stands. Nobody sees any of it. What comes meanwhile waits. None where a
    /// worker has failed.
    pub fn rehearse(&self, there: Facts, back: Facts) -> Option<Arc<Published>> {
        let mut state = self.state.lock();
        while (state.in_flight.is_some() || !state.pending.is_empty() || state.is_rehearsing) && !state.failed {
            self.moved.wait(&mut state);
        }
        state.is_rehearsing = true;
        let mut seen = None;
        for facts in [there, back] {
            if state.failed {
                return None;
            }
            state.in_flight = Some(state.visible);
            state.in_flight_since = None;
            state.send([Arc::new(facts)].into(), false);
            while state.in_flight.is_some() && !state.failed {
                self.moved.wait(&mut state);
            }
            let rehearsed = state.rehearsed.take();
            seen = seen.or(rehearsed);
        }
        state.is_rehearsing = false;
        if !state.pending.is_empty() {
            state.dispatch();
        }
        drop(state);
        self.moved.notify_all();
        seen
    }

    /// Waits until an epoch is visible. False where a worker has failed.
    pub fn wait(&self, epoch: Epoch) -> bool {
        // A small epoch is visible before a waiting thread would have been woken up.
        let until = Instant::now() + WAIT_AWAKE;
        while self.can_look_out && self.published.load().epoch < epoch && Instant::now() < until {
            std::hint::spin_loop();
        }
        let mut state = self.state.lock();
        while state.visible < epoch && !state.failed {
            self.moved.wait(&mut state);
        }
        !state.failed
    }

    /// Notes from now on which entries of points change after they were shown: what was read again from the
    /// store before is no news.
    pub fn note_entries(&self) {
        self.state.lock().notes_entries = true;
    }

    /// Goes on from changes that were kept, which readers see from now on, and gives those that come to `keep`:
    /// on a thread of its own, each once, when readers have them.
    pub fn keep_entries(self: &Arc<Self>, kept: Latest, mut keep: impl FnMut(&Arc<Changed>) + Send + 'static) {
        let (wake, woken) = crossbeam_channel::bounded(1);
        let hub = self.clone();
        let mut last = kept.back().cloned();
        let mut look = move || {
            let changed = hub.published().changed.clone();
            let is_last = |changed: &Arc<Changed>| last.as_ref().is_some_and(|last| Arc::ptr_eq(last, changed));
            let begin = changed.iter().rposition(is_last).map_or(0, |place| place + 1);
            changed.iter().skip(begin).for_each(&mut keep);
            last = changed.back().cloned();
        };
        let mut state = self.state.lock();
        let mut published = (*self.published()).clone();
        published.changed = Arc::new(kept);
        self.published.store(Arc::new(published));
        let thread = std::thread::spawn(move || {
            while woken.recv().is_ok() {
                look();
            }
            look();
        });
        state.keeper = Some((wake, thread));
    }

    /// Goes on from effects that were noted when days closed, and gives those of days that close to `keep`, on a thread
    /// of its own. What has closed by now and was not noted is noted as it stands.
    pub fn keep_reports(&self, noted: Reports, keep: impl FnMut(&Closed) + Send + 'static) {
        let mut state = self.state.lock();
        let published = self.published();
        let mut reporter = Reporter::start(noted, published.reports.clone(), keep);
        reporter.look(&published);
        state.reporter = Some(reporter);
    }

    /// Gives what each publication changes from now on to `keep`, on a thread of its own, when readers have it.
    pub fn keep_receipts(&self, keep: impl FnMut(Noted) + Send + 'static) {
        self.state.lock().notary = Some(Notary::start(keep));
    }

    /// Waits until everything submitted so far is visible; epochs that changed no view never are by
    /// themselves. False where a worker has failed.
    pub fn settle(&self) -> bool {
        let mut state = self.state.lock();
        while (state.in_flight.is_some() || !state.pending.is_empty()) && !state.failed {
            self.moved.wait(&mut state);
        }
        !state.failed
    }

    /// Waits until something else is published than what was seen, for so long at most.
    pub fn wait_past(&self, seen: &Arc<Published>, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        while Arc::ptr_eq(&self.published.load(), seen) && !state.failed {
            if self.moved.wait_until(&mut state, until).timed_out() {
                return;
            }
        }
    }

    /// Whether a worker has ended other than by being told to.
    pub fn has_failed(&self) -> bool {
        self.state.lock().failed
    }

    /// Rows that wait for the workers, and the batches that they are in.
    pub fn pending(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.pending_rows, state.pending.len())
    }

    /// Takes what a worker has at the end of an epoch; the last one publishes.
    fn deposit(&self, index: usize, deposit: Deposit) {
        let mut state = self.state.lock();
        state.deposits[index] = Some(deposit);
        if state.deposits.iter().any(Option::is_none) {
            return;
        }
        let Some(epoch) = state.in_flight.take() else { return };
        let deposits = state.deposits.iter_mut().filter_map(Option::take).collect();
        let last = self.published.load();
        let published = Arc::new(Published::assemble(epoch, deposits, &last));
        if state.is_rehearsing {
            state.rehearsed = Some(published);
            drop(state);
            self.moved.notify_all();
            return;
        }
        let has_changed = !Arc::ptr_eq(&published.changed, &last.changed);
        state.reporter.iter_mut().for_each(|reporter| reporter.look(&published));
        state.notary.iter().for_each(|notary| notary.look(&last, &published));
        self.published.store(published);
        state.visible = epoch;
        if let Some(since) = state.in_flight_since.take() {
            (state.observe)(since.elapsed());
        }
        let seen = std::mem::take(&mut state.in_flight_origins);
        if !state.pending.is_empty() {
            state.dispatch();
        }
        if let Some((wake, _)) = state.keeper.as_ref().filter(|_| has_changed) {
            // One who is awake looks again before he sleeps.
            let _ = wake.try_send(());
        }
        drop(state);
        self.moved.notify_all();
        seen.into_iter().for_each(Origin::seen);
    }
}

impl State {
    fn dispatch(&mut self) {
        let parts: Arc<[Arc<Facts>]> = std::mem::take(&mut self.pending).into();
        self.pending_rows = 0;
        self.in_flight = Some(self.pending_epoch);
        self.in_flight_since = self.pending_since.take();
        self.in_flight_origins.append(&mut self.pending_origins);
        self.send(parts, self.notes_entries);
    }

    fn send(&mut self, parts: Arc<[Arc<Facts>]>, notes_entries: bool) {
        self.time += 1;
        for sender in &self.senders {
            // A worker that is gone has said so through its fence.
            let take = Take { time: self.time, parts: parts.clone(), notes_entries };
            let _ = sender.send(Command::Take(take));
        }
    }
}
