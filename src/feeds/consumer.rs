//! Somebody who follows a view: all rows first, or from where he stopped; then what becomes of them.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::feed::{Feed, Now};
use super::journal::Cursor;
use super::row::{Part, Row};
use super::segment::{Frame, Mark};
use super::token::{Bound, TokenError};
use crate::query::filter::Filter;

/// What a consumer is told.
pub enum Event {
    /// Rows as they stood before a place in time: there may be more of them before the next mark.
    Snapshot { upper: u64, part: Part },
    /// What became of rows since the last mark, that begins at `lower`: there may be more before the next one.
    Delta { lower: u64, part: Part },
    /// All of it until a place in time was told.
    Progress(Progress),
    /// Nothing more comes, and why.
    End(Arc<str>),
}

/// Up to where everything was told.
pub struct Progress {
    pub upper: u64,
    pub epoch: u64,
    /// By which is gone on from here.
    pub token: String,
}

/// Where a consumer begins.
pub enum Begin {
    /// With all rows.
    Snapshot,
    /// With what comes next.
    Now,
    /// Behind a mark.
    After(Mark),
}

/// What he is told next.
enum Stage {
    /// A portion of the rows that stood when he came.
    Snapshot(Arc<Now>, usize),
    /// What the files tell.
    Files(Cursor),
    Live,
}

/// A consumer. He holds nothing of what he has not taken but a few parts.
pub struct Consumer {
    feed: Arc<Feed>,
    now: watch::Receiver<Arc<Now>>,
    stage: Stage,
    at: Mark,
    /// Whether the mark that he is at was told.
    is_told: bool,
    waiting: VecDeque<Arc<Part>>,
    filter: Arc<Filter>,
    bound: Bound,
    key: [u8; 32],
}

impl Consumer {
    pub fn new(feed: Arc<Feed>, begin: Begin, filter: Filter, bound: Bound, key: [u8; 32]) -> Consumer {
        feed.consumers.fetch_add(1, Ordering::AcqRel);
        metrics::gauge!("cohortflow_feed_consumers", "view" => feed.view.name).increment(1.0);
        let mut receiver = feed.now.subscribe();
        let now = receiver.borrow_and_update().clone();
        let (stage, at) = match begin {
            Begin::Snapshot => (Stage::Snapshot(now.clone(), 0), now.mark),
            Begin::Now => (Stage::Live, now.mark),
            Begin::After(mark) => (Stage::Live, mark),
        };
        let filter = Arc::new(filter);
        Consumer { feed, now: receiver, stage, at, is_told: false, waiting: VecDeque::new(), filter, bound, key }
    }

    /// What comes next; waits for it.
    pub async fn next(&mut self) -> Event {
        loop {
            match self.step().await {
                Ok(Some(event)) => return event,
                Ok(None) => {}
                Err(why) => return Event::End(why),
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Event>, Arc<str>> {
        if let Some(part) = self.waiting.pop_front() {
            let (lower, filter) = (self.at.upper - 1, self.filter.clone());
            return Ok(chosen(&filter, &part).map(|part| Event::Delta { lower, part }));
        }
        if !self.is_told && !matches!(self.stage, Stage::Snapshot(..)) {
            self.is_told = true;
            return Ok(Some(self.progress()));
        }
        match &mut self.stage {
            Stage::Snapshot(now, portion) => {
                let (now, number) = (now.clone(), *portion);
                *portion += 1;
                if number >= now.standing.portions() {
                    self.stage = Stage::Live;
                    return Ok(None);
                }
                let (view, filter) = (self.feed.view, self.filter.clone());
                let portion = blocking(move || {
                    let come = now.standing.portion(view, number);
                    come.map(|come| chosen(&filter, &Part { gone: Vec::new(), come }))
                });
                let upper = self.at.upper;
                Ok(portion.await?.map(|part| Event::Snapshot { upper, part }))
            }
            Stage::Files(cursor) => {
                let (feed, mut reading) = (self.feed.clone(), cursor.clone());
                let read = blocking(move || {
                    let frame = feed.journal.lock().as_ref().map_or(Ok(None), |journal| journal.read(&mut reading));
                    match frame {
                        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                        frame => frame.map(|frame| Some((frame, reading))),
                    }
                });
                let (frame, reading) = read.await?.ok_or_else(fallen_behind)?;
                *cursor = reading;
                match frame {
                    None => self.stage = Stage::Live,
                    Some(Frame::Part(part)) => {
                        let lower = self.at.upper;
                        return Ok(chosen(&self.filter, &part).map(|part| Event::Delta { lower, part }));
                    }
                    Some(Frame::Mark(mark)) => {
                        self.at = mark;
                        self.is_told = false;
                    }
                }
                Ok(None)
            }
            Stage::Live => self.live().await,
        }
    }

    async fn live(&mut self) -> Result<Option<Event>, Arc<str>> {
        let now = self.now.borrow_and_update().clone();
        if self.at.upper < now.mark.upper {
            if let Some(delta) = self.feed.recent(self.at.upper) {
                self.waiting.extend(delta.parts.iter().cloned());
                self.at = delta.mark;
                self.is_told = false;
                return Ok(None);
            }
            let found = self.feed.journal.lock().as_ref().and_then(|journal| journal.find(self.at.upper));
            let (_, cursor) = found.ok_or_else(fallen_behind)?;
            self.stage = Stage::Files(cursor);
            return Ok(None);
        }
        if self.at.epoch < now.mark.epoch {
            self.at.epoch = now.mark.epoch;
            return Ok(Some(self.progress()));
        }
        if let Some(why) = &now.ended {
            return Err(why.clone());
        }
        self.now.changed().await.map_err(|_| Arc::from("the feed has ended; begin again without a token"))?;
        Ok(None)
    }

    fn progress(&self) -> Event {
        let token = self.bound.token(&self.key, self.at);
        Event::Progress(Progress { upper: self.at.upper, epoch: self.at.epoch, token })
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.feed.consumers.fetch_sub(1, Ordering::AcqRel);
        metrics::gauge!("cohortflow_feed_consumers", "view" => self.feed.view.name).decrement(1.0);
    }
}

/// Why somebody is cut who came back too late, or read too slowly.
fn fallen_behind() -> Arc<str> {
    format!("too slow: {}", TokenError::Expired).into()
}

/// Work that takes a disk or a processor, where nobody waits for it who should not.
async fn blocking<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Arc<str>> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!("a feed could not be read: {error}");
        Arc::from("the feed could not be read; go on with the last token")
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// The rows that are wanted; none where there are none of them.
fn chosen(filter: &Filter, part: &Part) -> Option<Part> {
    if filter.is_all() {
        return (!part.gone.is_empty() || !part.come.is_empty()).then(|| part.clone());
    }
    let taken = |rows: &[Row]| -> Vec<Row> {
        let takes = |row: &&Row| serde_json::from_str(row).is_ok_and(|cells: Vec<_>| filter.takes_told(&cells));
        rows.iter().filter(takes).cloned().collect()
    };
    let part = Part { gone: taken(&part.gone), come: taken(&part.come) };
    (!part.gone.is_empty() || !part.come.is_empty()).then_some(part)
}
