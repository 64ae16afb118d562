//! Views whose columns stand in chunks as they are: batches are made of them without a row in between.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringViewBuilder};
use arrow::datatypes::SchemaRef;
use dataflows::table::Chunk;
use dataflows::table::chunk::{ABSENT, FIRST_CLASS};
use dataflows::table::column::CHUNK;
use dataflows::tiers::{run_of, since};
use dataflows::types::CustomerIx;
use datafusion::error::Result;
use std::sync::Arc;

use crate::query::filter::Filter;
use crate::query::sight::Sight;
use crate::query::{Reading, View};

/// Whether the rows that a filter takes are read off columns. Who does not see all of them is shown rows one by one.
pub fn are_told(view: &View, filter: &Filter, sight: &Sight) -> bool {
    match view.name {
        _ if !sight.is_whole(view) => false,
        "tier" => filter.is_all(),
        "segment_member" => filter.is_all() || filter.binds_only(SEGMENT),
        _ => false,
    }
}

/// The place of `segment` in segment_member.
const SEGMENT: usize = 0;

/// The rows of some chunks, of the columns that are wanted.
pub fn batch(
    view: &View,
    reading: &Reading,
    filter: &Filter,
    chunks: std::ops::Range<usize>,
    columns: &[usize],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let mut rows =
        Rows { columns: columns.iter().map(|_| StringViewBuilder::new()).collect(), wanted: columns, count: 0 };
    let some = reading.published.chunks().skip(chunks.start).take(chunks.len());
    for (chunk, customer) in some {
        match view.name {
            "tier" => tiers(reading, chunk, &customer, &mut rows),
            _ => members(reading, filter, chunk, &customer, &mut rows),
        }
    }
    let arrays = rows.columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect();
    // Where no column is wanted, rows are still counted.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.count));
    Ok(RecordBatch::try_new_with_options(schema.clone(), arrays, &options)?)
}

/// Columns of texts on their way into a batch.
struct Rows<'a> {
    columns: Vec<StringViewBuilder>,
    wanted: &'a [usize],
    count: usize,
}

impl Rows<'_> {
    /// A row, of which each cell is made only if it is wanted.
    fn push(&mut self, mut cell: impl FnMut(usize, &mut StringViewBuilder)) {
        for (column, place) in self.columns.iter_mut().zip(self.wanted) {
            cell(*place, column);
        }
        self.count += 1;
    }
}

fn tiers(reading: &Reading, chunk: &Chunk, customer: &impl Fn(usize) -> CustomerIx, rows: &mut Rows<'_>) {
    let (programme, as_of) = (&reading.published.programme, reading.published.clock.as_of);
    if programme.tiers.is_empty() {
        return;
    }
    for slot in (0..CHUNK).filter(|slot| chunk.class[*slot] != ABSENT) {
        rows.push(|place, column| match place {
            0 => column.append_option(reading.names.customers.text(customer(slot).0)),
            1 => {
                let class = usize::from(chunk.class[slot]).checked_sub(usize::from(FIRST_CLASS));
                column.append_option(class.and_then(|class| programme.tiers.get(class)).map(|tier| &*tier.id));
            }
            _ => {
                let since = since(as_of, run_of(&chunk.history, as_of, slot));
                column.append_option(since.map(|month| month.to_string()));
            }
        });
    }
}

fn members(
    reading: &Reading,
    filter: &Filter,
    chunk: &Chunk,
    customer: &impl Fn(usize) -> CustomerIx,
    rows: &mut Rows<'_>,
) {
    let listed = chunk.listed();
    for (segment, members) in reading.published.programme.segments.iter().zip(chunk.segments.iter()) {
        if !filter.may_hold(SEGMENT, &segment.id) {
            continue;
        }
        for slot in members.slots().filter(|slot| listed.get(*slot)) {
            rows.push(|place, column| match place {
                SEGMENT => column.append_value(&segment.id),
                _ => column.append_option(reading.names.customers.text(customer(slot).0)),
            });
        }
    }
}
