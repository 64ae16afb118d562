//! Change feeds: any view as rows, then as exactly what becomes of them.
//!
//! ```text
//! published ─► feed (a thread of each view that is followed) ─► journal ─► consumers
//!              what became of the rows since last time          on disk    at their own pace
//! ```
//!
//! Time of a feed is counted in what it told: each difference takes an interval `[lower, upper)` of one, and all rows of
//! the view at `upper` are the rows at `lower` with that difference. A mark closes an interval; it carries the epoch that
//! was visible, and a token by which somebody goes on from there: after his own end, and after the service's. What is told
//! was written and synced before. A view is followed from the first who asks for it until nobody has for a while.

mod consumer;
mod feed;
mod journal;
mod row;
mod segment;
mod standing;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::query::filter::Filter;
use crate::query::sight::Sight;
use crate::query::{Reading, Readings, VIEWS, View};
use crate::store::StoreError;
pub use consumer::{Begin, Consumer, Event, Progress};
pub use feed::Held;
use feed::{Feed, Now};
use journal::{Journal, JournalError, Place};
pub use row::{Part, Row};
pub use segment::Mark;
use standing::Standing;
pub use token::{Bound, TokenError};

/// Who follows at a time, of all views together.
const CONSUMERS_MAX: usize = 512;

/// How long a view that nobody follows is kept, unless something else is said: a consumer may be away for a weekend.
pub const RETENTION: Duration = Duration::from_secs(3 * 24 * 3600);

/// What all feeds share.
struct Shared {
    readings: Readings,
    place: Place,
    key: [u8; 32],
    retention: Duration,
    stop: Arc<AtomicBool>,
}

/// The views that are followed.
pub struct Feeds {
    shared: Arc<Shared>,
    running: Mutex<BTreeMap<&'static str, Running>>,
}

struct Running {
    feed: Arc<Feed>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(view = self.feed.view.name, "who tells a feed ended badly");
        }
    }
}

/// Where feeds are kept, and by what.
pub struct Config {
    pub vfs: Arc<dyn crate::store::vfs::Vfs>,
    /// A secret of the store.
    pub secret: [u8; 32],
    /// Bytes of the disk that are kept free.
    pub reserve: u64,
    /// How long a view is kept that nobody follows.
    pub retention: Duration,
}

/// Why somebody cannot follow a view.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("{CONSUMERS_MAX} follow views already; close some of the connections")]
    TooMany,
    #[error("the service stops; come back when it has started again")]
    Stopping,
    #[error("the disk has no room for what is told; free some space on it")]
    Full,
    #[error("the feed could not begin: {0}")]
    Failed(#[from] JournalError),
}

impl From<StoreError> for FollowError {
    fn from(error: StoreError) -> FollowError {
        FollowError::Failed(error.into())
    }
}

impl Feeds {
    /// Goes on with the views that were followed when the service ended. `stop` ends them all.
    pub fn open(readings: Readings, config: Config, stop: Arc<AtomicBool>) -> io::Result<Feeds> {
        let store = readings.dictionary.read().key_fingerprint();
        let shared = Arc::new(Shared {
            readings,
            place: Place { vfs: config.vfs, store, reserve: config.reserve },
            key: blake3::derive_key("cohortflow tokens of change feeds", &config.secret),
            retention: config.retention,
            stop,
        });
        let feeds = Feeds { shared, running: Mutex::default() };
        for view in VIEWS {
            if let Some((journal, rows)) = Journal::open(&feeds.shared.place, view)?
                && let Some(mark) = journal.last()
            {
                let now = Now { mark, standing: Standing::Rows(Arc::new(rows)), ended: None };
                feeds.running.lock().insert(view.name, feeds.start(view, journal, now, None));
            }
        }
        Ok(feeds)
    }

    /// Somebody follows a view: all its rows first, or what comes after a token; of rows that a filter takes, which is
    /// what `conditions` say. Takes as long as its rows, where nobody has followed it before.
    pub fn follow(
        &self,
        view: &'static View,
        begin: Asked<'_>,
        filter: Filter,
        conditions: &[(String, String)],
    ) -> Result<Consumer, FollowError> {
        let bound = Bound::new(view, self.shared.place.store, conditions);
        let after = match begin {
            Asked::After(token) => Some(bound.read(&self.shared.key, token)?),
            _ => None,
        };
        let mut running = self.running.lock();
        if self.shared.stop.load(Ordering::Acquire) {
            return Err(FollowError::Stopping);
        }
        if consumers(&running) >= CONSUMERS_MAX {
            return Err(FollowError::TooMany);
        }
        if running.get(view.name).is_some_and(|running| running.feed.has_ended()) {
            running.remove(view.name);
        }
        let feed = match running.get(view.name) {
            Some(running) => running.feed.clone(),
            // Nothing is told of it any more.
            None if after.is_some() => return Err(TokenError::Expired.into()),
            None => {
                let started = self.begin(view)?;
                let feed = started.feed.clone();
                running.insert(view.name, started);
                feed
            }
        };
        let begin = match (begin, after) {
            (_, Some((upper, digest))) => Begin::After(found(&feed, upper, digest)?),
            (Asked::Now, _) => Begin::Now,
            _ => Begin::Snapshot,
        };
        Ok(Consumer::new(feed, begin, filter, bound, self.shared.key))
    }

    /// What is held of each view that is followed.
    pub fn held(&self) -> Vec<Held> {
        self.running.lock().values().map(|running| running.feed.held()).collect()
    }

    /// The views of which something was told that `names` finds.
    pub fn naming(&self, names: &dyn Fn(&[u8]) -> bool) -> io::Result<Vec<&'static str>> {
        let mut naming = Vec::new();
        for (view, running) in &*self.running.lock() {
            if running.feed.holds(names)? {
                naming.push(*view);
            }
        }
        Ok(naming)
    }

    /// Takes away everything that was told of views and that `names` finds: what is told of them begins anew, and no token
    /// of theirs is good any more. Which views these are. Whom it finds is in no view that is visible.
    pub fn forget(&self, names: &dyn Fn(&[u8]) -> bool) -> io::Result<Vec<&'static str>> {
        // Nobody begins meanwhile.
        let running = self.running.lock();
        let (epoch, mut forgotten) = (self.shared.readings.hub.published().epoch, Vec::new());
        for (view, running) in &*running {
            if running.feed.forget(names, epoch)? {
                forgotten.push(*view);
            }
        }
        let vfs = &self.shared.place.vfs;
        // Files that nobody goes on from.
        for name in vfs.list()? {
            if journal::holds(&**vfs, &name, names)? {
                vfs.remove(&name)?;
            }
        }
        vfs.sync_names()?;
        Ok(forgotten)
    }

    /// Takes away everything that was told, before it is opened.
    pub fn forget_all(vfs: &dyn crate::store::vfs::Vfs) -> io::Result<()> {
        vfs.list()?.iter().try_for_each(|name| vfs.remove(name))?;
        vfs.sync_names()
    }

    /// How many follow a view.
    pub fn consumers(&self) -> usize {
        consumers(&self.running.lock())
    }

    /// Begins to follow a view.
    fn begin(&self, view: &'static View) -> Result<Running, FollowError> {
        let reading = Arc::new(self.shared.readings.reading(Sight::everything()));
        let standing = Standing::of(view, &reading, None)?;
        // Another than that of any other history.
        let mut digest = [0; 8];
        let origin = format!("{} {:?} {}", view.name, std::time::SystemTime::now(), std::process::id());
        digest.copy_from_slice(&blake3::keyed_hash(&self.shared.key, origin.as_bytes()).as_bytes()[..8]);
        let mark = Mark { upper: 1, epoch: reading.published.epoch, digest };
        let portions =
            (0..standing.portions()).map(|number| Ok(Part { gone: Vec::new(), come: standing.portion(view, number)? }));
        let journal = Journal::begin(&self.shared.place, view, portions, mark).map_err(|error| match error {
            JournalError::Full => FollowError::Full,
            error => FollowError::Failed(error),
        })?;
        let now = Now { mark, standing, ended: None };
        Ok(self.start(view, journal, now, Some(reading)))
    }

    fn start(&self, view: &'static View, journal: Journal, now: Now, seen: Option<Arc<Reading>>) -> Running {
        let feed = Arc::new(Feed::new(view, journal, now));
        let (shared, running) = (self.shared.clone(), feed.clone());
        Running { feed, thread: Some(std::thread::spawn(move || running.run(&shared, seen))) }
    }
}

fn consumers(running: &BTreeMap<&'static str, Running>) -> usize {
    running.values().map(|running| running.feed.consumers.load(Ordering::Acquire)).sum()
}

/// Where somebody wants to begin.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    Snapshot,
    Now,
    After(&'a str),
}

/// The mark of a token, where what came after it is still told.
fn found(feed: &Feed, upper: u64, digest: [u8; 8]) -> Result<Mark, TokenError> {
    let journal = feed.journal.lock();
    let Some(journal) = journal.as_ref() else { return Err(TokenError::Expired) };
    match journal.find(upper) {
        Some((mark, _)) if mark.digest == digest => Ok(mark),
        Some(_) => Err(TokenError::Ahead),
        None if journal.last().is_some_and(|last| last.upper < upper) => Err(TokenError::Ahead),
        None => Err(TokenError::Expired),
    }
}
