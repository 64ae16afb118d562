//! A statement that reads rows about persons is noted before it answers, and its answer is counted.

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use super::Service;
use crate::access::Viewer;
use crate::access::audit::{Act, Outcome};
use crate::query::View;
use crate::query::sight::Whose;
use crate::query::sql::refusal::{Code, Refusal};

/// Batches of fewer rows are counted by their size too: a row may hold a list of everybody.
const FEW: usize = 1024;

/// Bytes that count as a row.
const ROW_BYTES: usize = 100;

/// Counts what a statement answers.
pub struct Meter {
    service: Arc<Service>,
    viewer: Arc<Viewer>,
    is_about_persons: bool,
}

impl Meter {
    /// Notes a statement over some views. `text` is known by its hash alone: it may name customers.
    pub fn begin(
        service: &Arc<Service>,
        viewer: &Arc<Viewer>,
        from: Option<IpAddr>,
        views: &[&'static View],
        text: &str,
    ) -> Result<Meter, Refusal> {
        let is_about_persons = views.iter().any(|view| matches!(view.whose, Whose::Persons(_)));
        let unseen = views.iter().find_map(|view| Some((view, viewer.sight.unseen(view)?)));
        if is_about_persons || unseen.is_some() {
            let names: Vec<&str> = views.iter().map(|view| view.name).collect();
            let object = format!("{} {}", names.join(","), &blake3::hash(text.as_bytes()).to_hex()[..16]);
            let outcome = if unseen.is_none() { Outcome::Done } else { Outcome::Denied };
            let act = Act { action: "SQL", object: Some(&object), from, outcome, ..Act::default() };
            service.audit.note(Some(viewer), &act, false).map_err(|error| {
                tracing::error!("{error}");
                Refusal::new(Code::Internal, "the statement could not be noted, and is not answered without")
            })?;
        }
        if let Some((view, why)) = unseen {
            let message = format!("permission denied for view {}", view.name);
            return Err(Refusal::new(Code::Denied, message).hint(why.to_string()));
        }
        Ok(Meter { service: service.clone(), viewer: viewer.clone(), is_about_persons })
    }

    /// Refuses what somebody began to read who may not go on.
    pub fn goes_on(&self) -> Result<(), Refusal> {
        if self.service.accounts.is_current(&self.viewer) { Ok(()) } else { Err(changed()) }
    }

    /// Lets rows through, for whom they are for still and who may take so many.
    pub fn take(&self, batch: &RecordBatch) -> Result<(), Refusal> {
        self.goes_on()?;
        let accounts = &self.service.accounts;
        let rows = batch.num_rows();
        let by_size = if rows < FEW { bytes(batch) / ROW_BYTES } else { 0 };
        let now = jiff::Timestamp::now().as_second();
        if self.is_about_persons && !accounts.spend(&self.viewer, rows.max(by_size) as u64, now) {
            let message = "the account has taken as many rows about persons today as it may";
            return Err(Refusal::new(Code::TooMany, message).hint("an administrator can raise rows_a_day"));
        }
        Ok(())
    }
}

/// Bytes of what is told: of texts their own, of other columns about what they take in memory.
fn bytes(batch: &RecordBatch) -> usize {
    let of = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8View => column.as_string_view().iter().flatten().map(str::len).sum(),
        DataType::Utf8 => column.as_string::<i32>().iter().flatten().map(str::len).sum(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().flatten().map(str::len).sum(),
        kind if kind.is_primitive() => kind.primitive_width().unwrap_or_default() * column.len(),
        DataType::Boolean | DataType::Null => column.len(),
        _ => column.get_array_memory_size(),
    };
    batch.columns().iter().map(of).sum()
}

/// What somebody could see is not what he can see now.
pub fn changed() -> Refusal {
    Refusal::new(Code::Denied, "the account was changed: ask again")
}
