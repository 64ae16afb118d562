//! Carrying a message to a receiver: until it is taken, however often that has to be tried.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Posted;
use super::kept::{Kept, Letter};
use super::message::Origin;
use crate::posting::{ATTEMPTS_MAX, Attempt, Status, delay};
use crate::serve::feeds::Message;

/// Time between two looks at whether the service stops, or a message is to be tried again.
pub const LOOK: Duration = Duration::from_millis(100);

/// Time between two attempts to follow a view, or to keep how far a receiver has come.
pub const AGAIN: Duration = Duration::from_secs(1);

/// The service stops.
pub struct Stopped;

/// Carries to one receiver.
pub struct Courier<'a> {
    pub posted: &'a Posted,
    patience: Duration,
    stop: &'a AtomicBool,
    /// What was told not to go, so that it is told once.
    trouble: Option<String>,
}

impl<'a> Courier<'a> {
    pub fn new(posted: &'a Posted, patience: Duration, stop: &'a AtomicBool) -> Courier<'a> {
        let courier = Courier { posted, patience, stop, trouble: None };
        courier.tell_standing();
        courier
    }

    /// Posts a message until it is taken.
    pub fn post(&mut self, origin: &Origin<'_>, message: Message, number: u64) -> Result<(), Stopped> {
        let parcel = origin.parcel(&message, number);
        let mut attempts = 0;
        loop {
            self.check_stop()?;
            let at = jiff::Timestamp::now();
            let attempt = self.posted.endpoint.post(&parcel.id, at.as_second(), &parcel.body);
            attempts += 1;
            let status = match attempt {
                Attempt::Sent => {
                    self.count("sent");
                    self.trouble = None;
                    return Ok(());
                }
                Attempt::Refused(status) => status,
                Attempt::Failed(status, later) => {
                    self.count("failed");
                    if attempts < ATTEMPTS_MAX {
                        let later = later.unwrap_or_default().min(self.patience);
                        self.wait(delay(&parcel.id, attempts, self.patience).max(later))?;
                        continue;
                    }
                    status
                }
            };
            self.bury(
                Letter {
                    id: parcel.id.clone(),
                    event: parcel.event.to_owned(),
                    attempts,
                    status: status.to_string(),
                    dead_at: at.to_string(),
                    body: parcel.body.clone(),
                },
                status,
            )?;
            self.wait_for_replay()?;
            attempts = 0;
        }
    }

    fn bury(&mut self, letter: Letter, status: Status) -> Result<(), Stopped> {
        tracing::warn!(
            view = self.posted.view.name,
            attempts = letter.attempts,
            "a dead letter of a feed, which stands still until it is replayed: {status}"
        );
        self.count("dead");
        self.until_kept(|kept| kept.bury(letter.clone()))?;
        self.tell_standing();
        Ok(())
    }

    /// Waits while a message lies there that was not taken.
    pub fn wait_for_replay(&mut self) -> Result<(), Stopped> {
        while self.posted.kept.lock().dead().is_some() {
            self.wait(LOOK)?;
        }
        self.tell_standing();
        Ok(())
    }

    /// Changes what is kept, and tries again where it cannot be written: nothing is posted until then.
    pub fn until_kept(&mut self, change: impl Fn(&mut Kept) -> io::Result<()>) -> Result<(), Stopped> {
        loop {
            let changed = change(&mut self.posted.kept.lock());
            match changed {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.tell(format!(
                        "how far the receiver has come could not be kept, nothing more is posted until it can: {error}"
                    ));
                    self.wait(AGAIN)?;
                }
            }
        }
    }

    /// Tells what does not go, once.
    pub fn tell(&mut self, trouble: String) {
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!(view = self.posted.view.name, "a view is not posted now: {trouble}");
            self.trouble = Some(trouble);
        }
    }

    pub fn wait(&self, time: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + time;
        loop {
            self.check_stop()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::park_timeout(left.min(LOOK));
        }
    }

    fn check_stop(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Acquire) { Err(Stopped) } else { Ok(()) }
    }

    fn count(&self, outcome: &'static str) {
        let view = self.posted.view.name;
        metrics::counter!("cohortflow_feed_webhook_total", "view" => view, "outcome" => outcome).increment(1);
    }

    /// Tells whether the receiver stands still.
    fn tell_standing(&self) {
        let is_dead = self.posted.kept.lock().dead().is_some();
        metrics::gauge!("cohortflow_feed_webhook_stopped", "view" => self.posted.view.name)
            .set(f64::from(u8::from(is_dead)));
    }
}
