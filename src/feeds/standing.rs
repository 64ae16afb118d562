//! What stood of a view when it was told last, and what it has become since.

use std::sync::Arc;

use super::row::{self, Difference, Row};
use crate::engine::Published;
use crate::query::{Reading, Sources, View};
use crate::store::StoreError;

/// What is held so that the next telling can be compared.
#[derive(Clone)]
pub enum Standing {
    /// The rows themselves.
    Rows(Arc<Vec<Row>>),
    /// All they are read from: what has not changed since is shared with who came later, and costs nothing.
    Read(Arc<Reading>),
}

/// Chunks whose rows are made at a time, for whoever takes all of them.
const CHUNKS: usize = 4;

impl Standing {
    /// What stands of a view at a reading, whose rows may have been made already.
    pub fn of(view: &View, reading: &Arc<Reading>, rows: Option<Vec<Row>>) -> Result<Standing, StoreError> {
        if of_parts(view) {
            return Ok(Standing::Read(reading.clone()));
        }
        let rows = rows.map_or_else(|| row::told(view, reading.sources()), Ok)?;
        Ok(Standing::Rows(Arc::new(rows)))
    }

    /// Rows that are held here, and nowhere else.
    pub fn held(&self) -> usize {
        match self {
            Standing::Rows(rows) => rows.len(),
            Standing::Read(_) => 0,
        }
    }

    /// All rows, in order.
    pub fn rows(&self, view: &View) -> Result<Arc<Vec<Row>>, StoreError> {
        match self {
            Standing::Rows(rows) => Ok(rows.clone()),
            Standing::Read(reading) => Ok(Arc::new(row::told(view, reading.sources())?)),
        }
    }

    /// Into how many portions the rows fall.
    pub fn portions(&self) -> usize {
        match self {
            Standing::Rows(rows) => rows.len().div_ceil(PORTION),
            Standing::Read(reading) => reading.published.part_count(CHUNKS),
        }
    }

    /// A portion of the rows. All of them together are all rows, in no order.
    pub fn portion(&self, view: &View, number: usize) -> Result<Vec<Row>, StoreError> {
        match self {
            Standing::Rows(rows) => Ok(rows.iter().skip(number * PORTION).take(PORTION).cloned().collect()),
            Standing::Read(reading) => {
                let part = reading.published.part(CHUNKS, number);
                let sources = Sources { published: &part, ..reading.sources() };
                row::told(view, sources)
            }
        }
    }

    /// What the view has become by a reading, and what stands then.
    pub fn advance(&self, view: &View, reading: &Arc<Reading>) -> Result<(Difference, Standing), StoreError> {
        if let Standing::Read(before) = self
            && hang_together(view, &before.published, &reading.published)
        {
            let mut difference = Difference::default();
            // A few chunks at a time: where a month closes, everybody's have changed.
            for part in reading.published.changed_since(&before.published).chunks(CHUNKS) {
                let [old, new] = [before, reading].map(|reading| {
                    let near = reading.published.near(part);
                    row::told(view, Sources { published: &near, ..reading.sources() })
                });
                let part = row::difference(&old?, &new?);
                difference.gone.extend(part.gone);
                difference.come.extend(part.come);
            }
            return Ok((difference, Standing::Read(reading.clone())));
        }
        let (old, new) = (self.rows(view)?, row::told(view, reading.sources())?);
        let difference = row::difference(&old, &new);
        Ok((difference, Standing::of(view, reading, Some(new))?))
    }
}

/// Rows of a portion, where they are held.
const PORTION: usize = 4096;

/// Whether the rows of a customer hang on nothing but his chunk, the programme and the clock: those of chunks that have
/// not changed are not looked at again. Whoever reads fit looks at everybody's rates, so it is none of them.
fn of_parts(view: &View) -> bool {
    of_month(view) || matches!(view.name, "points_entry" | "points_spendable" | "points_lot")
}

/// Those of them that hang on the clock's month alone, and not on its second.
fn of_month(view: &View) -> bool {
    matches!(view.name, "customer_attribute" | "tier" | "segment_member" | "target" | "points_balance")
}

/// Whether the same rows come of the same chunk.
fn hang_together(view: &View, before: &Published, after: &Published) -> bool {
    before.clock.as_of == after.clock.as_of
        && (of_month(view) || before.clock == after.clock)
        && Arc::ptr_eq(&before.programme, &after.programme)
        && Arc::ptr_eq(&before.points, &after.points)
}

/// Whether rows of a view may change while nothing becomes visible: the store's own, as of files that are refused.
pub fn is_of_store(view: &View) -> bool {
    matches!(view.name, "quarantine" | "ingest_ledger")
}
