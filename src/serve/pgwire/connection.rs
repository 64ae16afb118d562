//! What a connection holds between two messages.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hashbrown::{HashMap, HashSet};
use parking_lot::{Mutex, MutexGuard};
use pgwire::messages::startup::SecretKey;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Shared;
use super::cursors::Cursor;
use super::follow::Feeds;
use super::login::Login;
use super::peer::Peer;
use super::running::Watch;
use super::settings::Settings;
use crate::access::{Right, Viewer};
use crate::query::sql::refusal::{Code, Refusal};
use crate::query::sql::{Moment, Session};
use crate::serve::meter::changed;

/// How long past its deadline a statement may wait for a client who takes no rows.
const GRACE: Duration = Duration::from_secs(5);

/// How long a transaction may hold its epoch without asking anything.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// How long a subscription may go on.
const ENDLESS: Duration = Duration::from_secs(366 * 24 * 3600);

/// Savepoints of a transaction.
const SAVEPOINTS_MAX: usize = 1000;

/// Bytes of the texts of statements that a connection keeps prepared, each with what it is planned into as so many more.
const PREPARED_MAX: usize = 4 << 20;
const PREPARED_EACH: usize = 1024;

/// Portals that a connection keeps.
const PORTALS_MAX: usize = 1000;

/// Time between two looks at the clock.
const LOOK: Duration = Duration::from_millis(500);

/// By which a statement is cancelled over another connection.
pub struct Cancels {
    pub secret: Mutex<SecretKey>,
    /// The message under way, or the last one.
    number: AtomicU64,
    /// The last message that was cancelled.
    cancelled: watch::Sender<u64>,
}

impl Cancels {
    pub fn cancel(&self) {
        self.cancelled.send_replace(self.number.load(Ordering::Relaxed));
    }
}

/// A client's connection.
pub struct Connection {
    pub shared: Arc<Shared>,
    pub peer: Peer,
    pub cancels: Arc<Cancels>,
    /// By which the client is known to whoever cancels.
    pub number: i32,
    /// The login under way.
    pub login: tokio::sync::Mutex<Option<Login>>,
    /// Who was let in, and whence.
    known: OnceLock<(Session, Option<String>, IpAddr)>,
    /// Bytes of statements that are prepared.
    prepared: Arc<AtomicUsize>,
    state: Mutex<State>,
}

/// What a prepared statement takes of what its connection may keep, for as long as it is kept.
pub struct Kept {
    of: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What statements of a connection leave for the next.
pub struct State {
    /// The epoch of the transaction, from its first question on.
    moment: Option<Arc<Moment>>,
    is_in_transaction: bool,
    savepoints: Vec<String>,
    pub cursors: HashMap<String, Cursor>,
    portals: HashSet<String>,
    pub settings: Settings,
    /// When the statement under way should be over.
    until: Option<(Instant, Duration)>,
    idle_since: Instant,
}

impl Connection {
    pub fn new(shared: Arc<Shared>, peer: Peer) -> Connection {
        let cancels = Cancels {
            secret: Mutex::new(SecretKey::I32(0)),
            number: AtomicU64::new(0),
            cancelled: watch::Sender::new(0),
        };
        let state = State {
            moment: None,
            is_in_transaction: false,
            savepoints: Vec::new(),
            cursors: HashMap::new(),
            portals: HashSet::new(),
            settings: Settings::default(),
            until: None,
            idle_since: Instant::now(),
        };
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
        Connection {
            shared,
            peer,
            cancels: Arc::new(cancels),
            number,
            login: tokio::sync::Mutex::default(),
            known: OnceLock::new(),
            prepared: Arc::default(),
            state: Mutex::new(state),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Lets a client in who has said who he is, and shown it where there are accounts.
    pub fn open(&self, session: Session, account: Option<String>, from: IpAddr) {
        let _ = self.known.set((session, account, from));
    }

    pub fn session(&self) -> Result<&Session, Refusal> {
        self.known().map(|(session, ..)| session)
    }

    fn known(&self) -> Result<&(Session, Option<String>, IpAddr), Refusal> {
        self.known.get().ok_or_else(|| Refusal::new(Code::Internal, "nobody has logged in"))
    }

    /// Whence the client comes.
    pub fn from(&self) -> Option<IpAddr> {
        self.known.get().map(|(_, _, from)| *from)
    }

    /// Who asks, as his account is now.
    pub fn viewer(&self) -> Result<Arc<Viewer>, Refusal> {
        let accounts = &self.shared.service.accounts;
        let viewer = match &self.known()?.1 {
            None => accounts.keeper(),
            Some(name) => accounts.viewer(name).filter(|viewer| viewer.may(Right::Sql)),
        };
        viewer.ok_or_else(changed)
    }

    /// Takes the room of a statement that is to be kept.
    pub fn keep(&self, text: &str) -> Result<Kept, Refusal> {
        let kept = Kept { of: self.prepared.clone(), bytes: text.len() + PREPARED_EACH };
        if self.prepared.fetch_add(kept.bytes, Ordering::Relaxed) + kept.bytes > PREPARED_MAX {
            let message = "the connection keeps as many prepared statements as it may";
            return Err(Refusal::new(Code::TooMany, message).hint("close or deallocate some"));
        }
        Ok(kept)
    }

    /// Takes the room of a portal, until it is closed.
    pub fn keep_portal(&self, name: &str) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        if state.portals.len() == PORTALS_MAX && !state.portals.contains(name) {
            let message = format!("the connection keeps {PORTALS_MAX} portals");
            return Err(Refusal::new(Code::TooMany, message).hint("close some"));
        }
        state.portals.insert(name.to_owned());
        Ok(())
    }

    pub fn close_portal(&self, name: &str) {
        self.state.lock().portals.remove(name);
    }

    /// Forgets what would keep others waiting.
    pub fn close(&self) {
        self.shared.cancels.lock().remove(&self.number);
        self.end();
    }

    /// What a question reads: the transaction's epoch, or that of now.
    pub fn moment(&self) -> Result<Arc<Moment>, Refusal> {
        let viewer = self.viewer()?;
        let mut state = self.state.lock();
        if let Some(moment) = &state.moment {
            // What somebody has lost, he has lost in the middle of a transaction too.
            return if moment.reading.sight == viewer.sight { Ok(moment.clone()) } else { Err(changed()) };
        }
        let service = &self.shared.service;
        let follow = Arc::new(Feeds { service: service.clone(), viewer: viewer.clone() });
        let moment = Arc::new(Moment { reading: service.reading(&viewer), follow });
        if state.is_in_transaction {
            state.moment = Some(moment.clone());
        }
        Ok(moment)
    }

    pub fn begin(&self) {
        let mut state = self.state.lock();
        state.is_in_transaction = true;
    }

    /// The end of a transaction lets go of its epoch, and of cursors that were not to outlive it.
    pub fn end(&self) {
        let mut state = self.state.lock();
        state.is_in_transaction = false;
        state.moment = None;
        state.savepoints.clear();
        state.cursors.retain(|_, cursor| cursor.is_held);
    }

    /// Notes a savepoint, for those who return to it: nothing was changed since.
    pub fn mark(&self, name: &str) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        if !state.is_in_transaction {
            return Err(Refusal::new(Code::NoTransaction, "SAVEPOINT can only be used in transaction blocks"));
        }
        if state.savepoints.len() == SAVEPOINTS_MAX {
            return Err(Refusal::new(Code::TooMany, format!("more than {SAVEPOINTS_MAX} savepoints are set")));
        }
        state.savepoints.push(name.to_owned());
        Ok(())
    }

    /// Refuses where there is no such savepoint.
    pub fn savepoint(&self, name: &str) -> Result<(), Refusal> {
        let is_known = self.state.lock().savepoints.iter().any(|known| known == name);
        let unknown = || Refusal::new(Code::UndefinedSavepoint, format!("savepoint \"{name}\" does not exist"));
        is_known.then_some(()).ok_or_else(unknown)
    }

    pub fn is_in_transaction(&self) -> bool {
        self.state.lock().is_in_transaction
    }

    /// Begins a message of the client's: all that it asks for is cancelled together, from here on.
    pub fn asked(&self) {
        self.cancels.number.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins a statement, which has its time from here on.
    pub fn watch(self: &Arc<Self>) -> Watch {
        self.watch_for(self.shared.statements.deadline)
    }

    /// The same of one that goes on until somebody ends it: only what its client himself sets bounds it.
    pub fn watch_endless(self: &Arc<Self>) -> Watch {
        self.watch_for(ENDLESS)
    }

    fn watch_for(self: &Arc<Self>, most: Duration) -> Watch {
        let mut state = self.state.lock();
        let after = state.settings.timeout.unwrap_or(most).min(most);
        state.until = Some((Instant::now() + after, after));
        Watch::new(self.clone(), self.cancels.cancelled.subscribe())
    }

    /// The statement under way: its message's number, until when it may run, and how long that is in all.
    pub fn under_way(&self) -> (u64, Instant, Duration) {
        let number = self.cancels.number.load(Ordering::Relaxed);
        let (until, after) = self.state.lock().until.unwrap_or_else(|| (Instant::now(), Duration::ZERO));
        (number, until, after)
    }

    /// Everything that was asked is answered.
    pub fn is_idle(&self) {
        let mut state = self.state.lock();
        state.until = None;
        state.idle_since = Instant::now();
    }

    /// Waits until the client has to be cut off: he does not log in, takes no rows, or holds an epoch for nothing.
    pub async fn overdue(&self, login: Duration) {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            let state = self.state.lock();
            let is_stuck = state.until.is_some_and(|(until, _)| until + GRACE < Instant::now());
            let is_forgotten = state.is_in_transaction && state.until.is_none() && state.idle_since.elapsed() > IDLE;
            let is_nobody = self.known.get().is_none() && begun.elapsed() > login;
            if is_stuck || is_forgotten || is_nobody {
                return;
            }
        }
    }
}
