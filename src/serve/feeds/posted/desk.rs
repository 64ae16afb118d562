//! The work on one receiver: what his view tells, posted in order.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::Posted;
use super::courier::{AGAIN, Courier, LOOK, Stopped};
use super::message::{Origin, split};
use crate::feeds::{Asked, Consumer, Event, FollowError, Progress};
use crate::query::View;
use crate::query::filter::Filter;
use crate::serve::Service;
use crate::serve::feeds::Message;

/// One receiver's work.
pub struct Desk<'a> {
    courier: Courier<'a>,
    service: &'a Service,
    view: &'static View,
    /// On which what the view tells is waited for.
    runtime: Runtime,
}

impl<'a> Desk<'a> {
    pub fn new(
        posted: &'a Posted,
        service: &'a Service,
        patience: Duration,
        stop: &'a AtomicBool,
    ) -> std::io::Result<Desk<'a>> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        Ok(Desk { courier: Courier::new(posted, patience, stop), service, view: posted.view, runtime })
    }

    pub fn run(&mut self) {
        while self.round().is_ok() {}
    }

    /// Follows the view, and posts what it tells until it breaks off.
    fn round(&mut self) -> Result<(), Stopped> {
        self.courier.wait_for_replay()?;
        let place = self.courier.posted.kept.lock().place().clone();
        let asked = place.token.as_deref().map_or(Asked::Snapshot, Asked::After);
        let consumer = match self.service.feeds.follow(self.view, asked, Filter::default(), &[]) {
            Ok(consumer) => consumer,
            Err(FollowError::Stopping) => return Err(Stopped),
            Err(FollowError::Token(error)) => {
                tracing::warn!(view = self.view.name, "what is posted begins anew: {error}");
                return self.courier.until_kept(|kept| kept.broken(error.to_string()));
            }
            Err(error) => {
                self.courier.tell(error.to_string());
                return self.courier.wait(AGAIN);
            }
        };
        // No two begin in the same nanosecond.
        let begin = format!("{:032x}", jiff::Timestamp::now().as_nanosecond());
        match place.token {
            Some(token) => self.follow(consumer, token, place.epoch),
            None => {
                if let Some(reason) = place.broken {
                    let data = json!({ "view": self.view.name, "reason": reason }).to_string();
                    self.courier.post(&Origin::Begin(&begin), Message { event: "reset", data, token: None }, 0)?;
                }
                self.begin(consumer, &begin)
            }
        }
    }

    /// Posts the rows that stand, and then what becomes of them.
    fn begin(&mut self, mut consumer: Consumer, begin: &str) -> Result<(), Stopped> {
        let mut number = 0;
        loop {
            match self.runtime.block_on(consumer.next()) {
                Event::Snapshot { upper, part } => {
                    for part in split(part) {
                        let message = Message::of(self.view, Event::Snapshot { upper, part });
                        self.courier.post(&Origin::Begin(begin), message, number)?;
                        number += 1;
                    }
                }
                Event::Progress(progress) => {
                    let (token, epoch) = (progress.token.clone(), progress.epoch);
                    self.progress(&Origin::Begin(begin), progress)?;
                    return self.follow(consumer, token, epoch);
                }
                // It comes after a progress only.
                Event::Delta { .. } => {}
                Event::End(_) => return self.courier.wait(LOOK),
            }
        }
    }

    /// Posts what becomes of the rows behind a token.
    fn follow(&mut self, mut consumer: Consumer, mut token: String, mut epoch: u64) -> Result<(), Stopped> {
        let mut number = 0;
        loop {
            match self.runtime.block_on(consumer.next()) {
                Event::Delta { lower, part } => {
                    for part in split(part) {
                        let message = Message::of(self.view, Event::Delta { lower, part });
                        self.courier.post(&Origin::After(&token), message, number)?;
                        number += 1;
                    }
                }
                // He had that one.
                Event::Progress(progress) if progress.token == token && progress.epoch <= epoch => {}
                Event::Progress(progress) => {
                    let told = (progress.token.clone(), progress.epoch);
                    self.progress(&Origin::After(&told.0), progress)?;
                    (token, epoch) = told;
                    number = 0;
                }
                Event::Snapshot { .. } => {}
                // Where it says so it is followed again, from the place that is kept.
                Event::End(_) => return self.courier.wait(LOOK),
            }
        }
    }

    /// Posts a progress, and keeps that it was taken.
    fn progress(&mut self, origin: &Origin<'_>, progress: Progress) -> Result<(), Stopped> {
        let (token, epoch) = (progress.token.clone(), progress.epoch);
        self.courier.post(origin, Message::of(self.view, Event::Progress(progress)), epoch)?;
        self.courier.until_kept(|kept| kept.advance(token.clone(), epoch))
    }
}
