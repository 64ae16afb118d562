//! Reading a view's rows as batches: in parts on several cores where rows hang on one customer each, else in the
//! background, a few batches ahead.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use datafusion::physical_plan::streaming::PartitionStream;
use tokio::sync::mpsc::Sender;

use super::{Moment, columns};
use crate::engine::Published;
use crate::query::arrays::Column;
use crate::query::filter::{Filter, chosen};
use crate::query::{Cell, Sources, View, is_by_customer};
use crate::store::StoreError;

/// Chunks whose rows are made at a time: some thousands of customers.
const CHUNKS: usize = 4;

/// Rows of a batch.
const ROWS: usize = 8192;

/// Batches that wait for who reads them.
const AHEAD: usize = 2;

/// What of a view is wanted.
pub struct Scan {
    pub view: &'static View,
    /// The places of the columns that are wanted.
    pub columns: Vec<usize>,
    pub schema: SchemaRef,
    pub filter: Filter,
    pub moment: Arc<Moment>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("view", &self.view.name).field("columns", &self.columns).finish()
    }
}

/// One of several parts of a scan, which together have each row once.
#[derive(Debug)]
pub struct Part {
    scan: Arc<Scan>,
    /// Which part of how many; none where there is one only, of rows that hang together.
    of: Option<(usize, usize)>,
}

impl Part {
    pub fn of(scan: Arc<Scan>, parts: usize) -> Vec<Part> {
        if is_by_customer(scan.view) && !scan.filter.is_of_customers() {
            (0..parts).map(|part| Part { scan: scan.clone(), of: Some((part, parts)) }).collect()
        } else {
            vec![Part { scan, of: None }]
        }
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.scan.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = self.scan.clone();
        if let Some((part, parts)) = self.of {
            let published = scan.moment.reading.published.clone();
            let schema = scan.schema.clone();
            let is_columnar = columns::are_told(scan.view, &scan.filter, &scan.moment.reading.sight);
            let count =
                if is_columnar { published.chunks().count().div_ceil(CHUNKS) } else { published.part_count(CHUNKS) };
            let batches = (part..count).step_by(parts).map(move |place| match is_columnar {
                true => scan.columns(place * CHUNKS..(place + 1) * CHUNKS),
                false => scan.batch(&published.part(CHUNKS, place)),
            });
            return Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches)));
        }
        if scan.filter.is_of_customers() {
            let schema = scan.schema.clone();
            let batch = async move { scan.batch(&scan.moment.reading.published) };
            return Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::once(batch)));
        }
        let mut stream = RecordBatchReceiverStreamBuilder::new(scan.schema.clone(), AHEAD);
        let sender = stream.tx();
        stream.spawn_blocking(move || scan.send(&sender));
        stream.build()
    }
}

/// Why rows are not visited further.
enum Stop {
    /// Nobody reads them any longer.
    Unread,
    Failed(DataFusionError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Failed(DataFusionError::External(Box::new(error)))
    }
}

impl Scan {
    /// The rows of some chunks, as columns.
    fn columns(&self, chunks: Range<usize>) -> Result<RecordBatch> {
        columns::batch(self.view, &self.moment.reading, &self.filter, chunks, &self.columns, &self.schema)
    }

    /// The rows of a part of what is published.
    fn batch(&self, published: &Published) -> Result<RecordBatch> {
        let sources = Sources { published, ..self.moment.reading.sources() };
        let mut rows = Rows::of(self);
        chosen::<Stop>(self.view, sources, &self.filter, &mut |cells| {
            rows.push(cells);
            Ok(())
        })
        .map_err(Stop::into_error)?;
        rows.finish()
    }

    /// Sends all rows, for as long as somebody takes them.
    fn send(&self, sender: &Sender<Result<RecordBatch>>) -> Result<()> {
        let mut rows = Rows::of(self);
        let sent = chosen::<Stop>(self.view, self.moment.reading.sources(), &self.filter, &mut |cells| {
            rows.push(cells);
            if rows.count == ROWS {
                let batch = std::mem::replace(&mut rows, Rows::of(self)).finish().map_err(Stop::Failed)?;
                sender.blocking_send(Ok(batch)).map_err(|_| Stop::Unread)?;
            } else if sender.is_closed() {
                return Err(Stop::Unread);
            }
            Ok(())
        });
        match sent {
            Err(Stop::Unread) => return Ok(()),
            Err(Stop::Failed(error)) => return Err(error),
            Ok(()) => {}
        }
        // A reader that has gone needs no last rows either.
        let _ = sender.blocking_send(rows.finish());
        Ok(())
    }
}

impl Stop {
    fn into_error(self) -> DataFusionError {
        match self {
            Stop::Failed(error) => error,
            Stop::Unread => DataFusionError::Execution("the reader has gone".to_owned()),
        }
    }
}

/// Rows on their way into a batch.
struct Rows<'a> {
    scan: &'a Scan,
    columns: Vec<Column>,
    count: usize,
}

impl Rows<'_> {
    fn of(scan: &Scan) -> Rows<'_> {
        let columns = scan.schema.fields().iter().map(|field| Column::of(field.data_type())).collect();
        Rows { scan, columns, count: 0 }
    }

    fn push(&mut self, cells: &[Cell<'_>]) {
        for (column, place) in self.columns.iter_mut().zip(&self.scan.columns) {
            column.push(&cells[*place]);
        }
        self.count += 1;
    }

    fn finish(self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.columns.into_iter().map(Column::finish).collect();
        // Where no column is wanted, rows are still counted.
        let options = RecordBatchOptions::new().with_row_count(Some(self.count));
        Ok(RecordBatch::try_new_with_options(self.scan.schema.clone(), arrays, &options)?)
    }
}
