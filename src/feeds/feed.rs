//! One view, told to whoever follows it.
//!
//! A thread looks at what is published, writes what became of the view, and then shows it: consumers take it from there
//! at their own pace, and are no concern of the thread's.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dataflows::types::Epoch;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::Shared;
use super::journal::{Journal, JournalError};
use super::row::{self, Difference, Part};
use super::segment::Mark;
use super::standing::{Standing, is_of_store};
use crate::query::sight::Sight;
use crate::query::{Reading, View};

/// Bytes of rows that were told last and are held for those who follow; others read the files.
const RECENT_BYTES: usize = 16 << 20;

/// Time between two looks at whether the service stops, and at what the store tells by itself.
const LOOK: Duration = Duration::from_millis(200);

/// How long whoever erases waits for a feed to come to where that is visible.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a view between two marks.
pub struct Delta {
    pub lower: u64,
    pub parts: Vec<Arc<Part>>,
    pub mark: Mark,
    bytes: usize,
}

/// How far a feed is.
#[derive(Clone)]
pub struct Now {
    pub mark: Mark,
    pub standing: Standing,
    /// Why nothing more comes.
    pub ended: Option<Arc<str>>,
}

/// What a feed keeps in memory.
pub struct Held {
    pub view: &'static str,
    /// Rows that stood when it was told last.
    pub rows: usize,
    /// Bytes of what was told last.
    pub recent_bytes: usize,
}

/// A view that is followed.
pub struct Feed {
    pub view: &'static View,
    pub journal: Mutex<Option<Journal>>,
    pub now: watch::Sender<Arc<Now>>,
    recent: Mutex<VecDeque<Arc<Delta>>>,
    pub consumers: AtomicUsize,
    /// Set once its files are gone, since they named somebody who was erased.
    is_forgotten: AtomicBool,
}

impl Feed {
    pub fn new(view: &'static View, journal: Journal, now: Now) -> Feed {
        Feed {
            view,
            journal: Mutex::new(Some(journal)),
            now: watch::Sender::new(Arc::new(now)),
            recent: Mutex::default(),
            consumers: AtomicUsize::new(0),
            is_forgotten: AtomicBool::new(false),
        }
    }

    /// What followed a place in time, if it is among what was told last.
    pub fn recent(&self, lower: u64) -> Option<Arc<Delta>> {
        let recent = self.recent.lock();
        let place = recent.binary_search_by_key(&lower, |delta| delta.lower).ok()?;
        recent.get(place).cloned()
    }

    pub fn held(&self) -> Held {
        let rows = self.now.borrow().standing.held();
        Held { view: self.view.name, rows, recent_bytes: self.recent.lock().iter().map(|delta| delta.bytes).sum() }
    }

    pub fn has_ended(&self) -> bool {
        self.now.borrow().ended.is_some() || self.is_forgotten.load(Ordering::Acquire)
    }

    /// Whether what was told of the view holds what `names` finds.
    pub(super) fn holds(&self, names: &dyn Fn(&[u8]) -> bool) -> std::io::Result<bool> {
        self.journal.lock().as_ref().map_or(Ok(false), |held| held.holds(names))
    }

    /// Takes away what was told of the view, where it names somebody; then nothing more is told of it. Whether it did. A
    /// feed that is not as far as `epoch`, in which he went, may still be about to tell of him: it is waited for, and taken
    /// away where that takes long.
    pub(super) fn forget(&self, names: &dyn Fn(&[u8]) -> bool, epoch: Epoch) -> std::io::Result<bool> {
        let until = Instant::now() + PATIENCE;
        let is_behind = || !self.has_ended() && self.now.borrow().mark.epoch < epoch;
        while is_behind() && Instant::now() < until {
            std::thread::park_timeout(PATIENCE / 400);
        }
        let is_behind = is_behind();
        let mut journal = self.journal.lock();
        let is_named = match journal.as_ref() {
            Some(held) => is_behind || held.holds(names)?,
            None => false,
        };
        if is_named {
            self.is_forgotten.store(true, Ordering::Release);
            self.recent.lock().clear();
            journal.take().map_or(Ok(()), Journal::remove)?;
        }
        Ok(is_named)
    }

    /// Tells what becomes of the view until the service stops, or nobody has followed for long.
    pub(super) fn run(&self, shared: &Shared, seen: Option<Arc<Reading>>) {
        self.has_changed(self.now.borrow().mark.epoch as f64, wall_seconds());
        metrics::counter!("cohortflow_feed_rows_total", "view" => self.view.name).increment(0);
        let why = match self.tell(shared, seen) {
            Ok(why) => why,
            Err(error) => {
                tracing::error!(view = self.view.name, "a feed ends: {error}");
                format!("the feed ends: {error}; begin again without a token").into()
            }
        };
        self.has_changed(f64::NAN, f64::NAN);
        self.now.send_modify(|now| *now = Arc::new(Now { ended: Some(why), ..(**now).clone() }));
    }

    /// Tells whoever watches when the view changed last.
    fn has_changed(&self, epoch: f64, at: f64) {
        metrics::gauge!("cohortflow_view_changed_epoch", "view" => self.view.name).set(epoch);
        metrics::gauge!("cohortflow_view_changed_timestamp_seconds", "view" => self.view.name).set(at);
    }

    fn tell(&self, shared: &Shared, mut seen: Option<Arc<Reading>>) -> Result<Arc<str>, JournalError> {
        let mut followed = Instant::now();
        loop {
            if self.is_forgotten.load(Ordering::Acquire) {
                return Ok("somebody who was in the view was erased; begin again without a token".into());
            }
            if shared.stop.load(Ordering::Acquire) {
                return Ok("the service stops; go on with the last token when it is back".into());
            }
            if self.consumers.load(Ordering::Acquire) > 0 {
                followed = Instant::now();
            } else if followed.elapsed() > shared.retention {
                if let Some(journal) = self.journal.lock().take() {
                    journal.remove()?;
                }
                return Ok("nobody followed for long; begin again without a token".into());
            }
            let reading = Arc::new(shared.readings.reading(Sight::everything()));
            let is_new = seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(&seen.published, &reading.published));
            if is_new || is_of_store(self.view) {
                self.advance(&reading)?;
            }
            shared.readings.hub.wait_past(&reading.published, LOOK);
            if shared.readings.hub.has_failed() {
                return Ok("a worker has failed; go on with the last token when the service is back".into());
            }
            seen = Some(reading);
        }
    }

    /// Tells what the view has become.
    fn advance(&self, reading: &Arc<Reading>) -> Result<(), JournalError> {
        let now = self.now.borrow().clone();
        let (difference, standing) = now.standing.advance(self.view, reading)?;
        let epoch = reading.published.epoch;
        if difference.is_empty() {
            if epoch > now.mark.epoch || matches!(standing, Standing::Read(_)) {
                // The place stays: a token of it is good for all epochs that changed nothing.
                let mark = Mark { epoch, ..now.mark };
                self.now.send_replace(Arc::new(Now { mark, standing, ended: None }));
            }
            return Ok(());
        }
        let delta = Arc::new(delta(&now.mark, epoch, difference));
        let mut journal = self.journal.lock();
        let Some(held) = journal.as_mut() else { return Ok(()) };
        held.append(&delta.parts, delta.mark)?;
        if held.is_long() {
            let portions = (0..standing.portions()).map(|number| {
                let come = standing.portion(self.view, number)?;
                Ok(Part { gone: Vec::new(), come })
            });
            held.turn(portions)?;
        }
        drop(journal);
        self.keep(&delta);
        self.has_changed(epoch as f64, wall_seconds());
        metrics::counter!("cohortflow_feed_rows_total", "view" => self.view.name)
            .increment(delta.parts.iter().map(|part| (part.gone.len() + part.come.len()) as u64).sum());
        self.now.send_replace(Arc::new(Now { mark: delta.mark, standing, ended: None }));
        Ok(())
    }

    fn keep(&self, delta: &Arc<Delta>) {
        let mut recent = self.recent.lock();
        recent.push_back(delta.clone());
        let mut bytes: usize = recent.iter().map(|delta| delta.bytes).sum();
        while bytes > RECENT_BYTES
            && let Some(oldest) = recent.pop_front()
        {
            bytes -= oldest.bytes;
        }
    }
}

/// Now, as Prometheus counts time.
fn wall_seconds() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}

/// A difference as it is told: in parts, with the mark that closes it.
fn delta(before: &Mark, epoch: u64, difference: Difference) -> Delta {
    let parts: Vec<Arc<Part>> = row::parts(difference).into_iter().map(Arc::new).collect();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&before.digest);
    let mut bytes = 0;
    for part in &parts {
        for (sign, rows) in [(b"-", &part.gone), (b"+", &part.come)] {
            for row in rows {
                hasher.update(sign).update(row.as_bytes());
            }
        }
        // What a row takes beside its text.
        bytes += part.bytes() + 32 * (part.gone.len() + part.come.len());
    }
    let mut digest = [0; 8];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    Delta { lower: before.upper, parts, mark: Mark { upper: before.upper + 1, epoch, digest }, bytes }
}
