//! A statement under way: its rows come from threads of their own, a few batches ahead of who reads them.

use std::future::Future;
use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt, stream};
use pgwire::error::PgWireResult;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::connection::Connection;
use crate::access::Viewer;
use crate::query::sql::Ended;
use crate::query::sql::refusal::{Code, Refusal};
use crate::serve::meter::{Meter, changed};
use crate::serve::statements::Work;

/// Batches that wait for the client.
const AHEAD: usize = 2;

/// Time between two looks at whether the client is still there.
const LOOK: Duration = Duration::from_millis(200);

/// When the statement under way ends, finished or not.
pub struct Watch {
    connection: Arc<Connection>,
    /// Who asked.
    viewer: Option<Arc<Viewer>>,
    /// The number of the last message that was cancelled.
    cancelled: watch::Receiver<u64>,
}

impl Watch {
    pub fn new(connection: Arc<Connection>, cancelled: watch::Receiver<u64>) -> Watch {
        let viewer = connection.viewer().ok();
        Watch { connection, viewer, cancelled }
    }

    /// Waits for a reason to stop.
    async fn over(&mut self) -> Refusal {
        let (number, until, after) = self.connection.under_way();
        let gone = async {
            while !self.connection.peer.is_gone() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let lost = async {
            let mut changes = self.connection.shared.service.accounts.changes();
            // He is looked up anew at each change; what a statement began with, it goes on with.
            while self.connection.viewer().is_ok_and(|now| self.viewer.as_ref().is_some_and(|begun| now == *begun)) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(until) => {
                let after = after.as_millis();
                let message = format!("canceling statement due to statement timeout: it took more than {after} ms");
                Refusal::new(Code::Cancelled, message).hint("SET statement_timeout allows up to the service's own limit, --sql-timeout")
            }
            _ = self.cancelled.wait_for(|cancelled| *cancelled >= number) => {
                Refusal::new(Code::Cancelled, "canceling statement due to user request")
            }
            () = gone => Refusal::new(Code::Cancelled, "the client has gone"),
            () = lost => changed(),
        }
    }

    /// What comes of something, unless there is a reason to stop first.
    pub async fn until<T>(&mut self, done: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            done = done => done,
            refusal = self.over() => Err(refusal),
        }
    }
}

/// The rows of a statement.
pub struct Running {
    batches: mpsc::Receiver<Result<RecordBatch, Refusal>>,
    meter: Meter,
    /// Until it has ended.
    work: Option<Work<()>>,
    /// A batch of which some rows were taken.
    held: Option<RecordBatch>,
    ended: Ended,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Running {
    pub fn start<F>(threads: &Handle, meter: Meter, rows: impl FnOnce(Ended) -> F) -> Running
    where
        F: Future<Output = Result<SendableRecordBatchStream, Refusal>> + Send + 'static,
    {
        let ended = Ended::default();
        let rows = rows(ended.clone());
        let (sender, batches) = mpsc::channel(AHEAD);
        let work = Work::start(threads, async move {
            let mut rows = match rows.await {
                Ok(rows) => rows,
                Err(refusal) => return drop(sender.send(Err(refusal)).await),
            };
            while let Some(batch) = rows.next().await {
                let batch = batch.map_err(Refusal::from);
                let is_last = batch.is_err();
                if sender.send(batch).await.is_err() || is_last {
                    return;
                }
            }
        });
        Running { batches, meter, work: Some(work), held: None, ended }
    }

    /// The next rows, at most so many; none at the end.
    pub async fn next(&mut self, watch: &mut Watch, rows_max: usize) -> Result<Option<RecordBatch>, Refusal> {
        loop {
            self.meter.goes_on()?;
            let batch = match self.held.take() {
                Some(batch) => batch,
                None => {
                    let received = watch.until(async { self.batches.recv().await.transpose() }).await;
                    // A cursor is kept after its statement has ended; its rows are not.
                    let received = received.inspect_err(|_| self.ended.store(true, Ordering::Relaxed))?;
                    match received {
                        Some(batch) => {
                            self.meter.take(&batch)?;
                            batch
                        }
                        // A sender that is gone has ended, or failed.
                        None => match self.work.take() {
                            Some(mut work) => return work.done().await.map(|()| None),
                            None => return Ok(None),
                        },
                    }
                }
            };
            if batch.num_rows() > rows_max {
                self.held = Some(batch.slice(rows_max, batch.num_rows() - rows_max));
                return Ok(Some(batch.slice(0, rows_max)));
            }
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
    }
}

/// The batches of a statement, with so many rows in all at most.
pub fn batches<R>(running: R, watch: Watch, rows_max: usize) -> impl Stream<Item = PgWireResult<RecordBatch>> + Send
where
    R: DerefMut<Target = Running> + Send,
{
    stream::try_unfold((running, watch, rows_max), |(mut running, mut watch, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let batch = running.next(&mut watch, left).await?;
        Ok(batch.map(|batch| {
            let left = left - batch.num_rows();
            (batch, (running, watch, left))
        }))
    })
}

/// How long a subscription is waited for where it has nothing to tell.
const QUIET: Duration = Duration::from_secs(1);

/// The batches of a subscription that are there, with so many rows in all at most: the first one is waited for a while.
pub fn at_hand<R>(running: R, watch: Watch, rows_max: usize) -> impl Stream<Item = PgWireResult<RecordBatch>> + Send
where
    R: DerefMut<Target = Running> + Send,
{
    stream::try_unfold((running, watch, rows_max, true), |(mut running, mut watch, left, is_first)| async move {
        if left == 0 {
            return Ok(None);
        }
        let patience = if is_first { QUIET } else { Duration::ZERO };
        let Ok(batch) = tokio::time::timeout(patience, running.next(&mut watch, left)).await else { return Ok(None) };
        Ok(batch?.map(|batch| {
            let left = left - batch.num_rows();
            (batch, (running, watch, left, false))
        }))
    })
}
