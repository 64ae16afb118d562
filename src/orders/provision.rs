//! Requests that wait are given out, each in one batch.

use std::sync::Arc;

use dataflows::records::{OrderRequestRow, RequestState};
use dataflows::types::Word;

use super::batches::Line;
use crate::intake::Intake;
use crate::store::StoreError;
use crate::store::room::Purpose;

/// What was given out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Provisioned {
    /// How many requests, in which file; none where nothing waits.
    Given { requests: usize, file: Option<String> },
    /// Nothing was given out, and why.
    Closed(String),
    /// A worker has failed.
    Failed,
}

/// About the bytes of a request in its file and in the journal.
const LINE_BYTES: u64 = 256;

/// Most requests of a batch.
const BATCH_REQUESTS_MAX: usize = 100_000;

impl Intake {
    /// Gives out the requests that wait and were never given out, the oldest first.
    pub fn provision(&self) -> Result<Provisioned, StoreError> {
        let Some(batches) = self.batches() else {
            return Ok(Provisioned::Closed("there is no outbox; serve with --outbox DIR".to_owned()));
        };
        let store = self.store().lock();
        if !self.hub().settle() {
            return Ok(Provisioned::Failed);
        }
        let mut batches = batches.lock();
        if let Some(trouble) = batches.trouble() {
            return Ok(Provisioned::Closed(trouble));
        }
        let (names, published) = (self.names(), self.hub().published());
        let names = names.read();
        let waits = store.order_requests().all().filter(|row| row.state == RequestState::Requested);
        let mut waiting: Vec<_> = waits.filter(|row| !batches.has(&row.request_id)).collect();
        waiting.sort_by(|one, other| (one.at, &one.request_id).cmp(&(other.at, &other.request_id)));
        waiting.truncate(BATCH_REQUESTS_MAX);
        let word = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
        let line = |row: &&Arc<OrderRequestRow>| {
            let number = published.customer(row.customer);
            let number = number.and_then(|(chunk, slot)| chunk.customers.numbers.get(slot));
            Line {
                request_id: row.request_id.to_string(),
                customer: names.customers.text(row.customer.0).unwrap_or_default().to_owned(),
                number: number.map(|token| token.hex()).unwrap_or_default(),
                product: word(row.product),
                at: row.at,
            }
        };
        let lines: Vec<Line> = waiting.iter().map(line).collect();
        if lines.is_empty() {
            return Ok(Provisioned::Given { requests: 0, file: None });
        }
        // It waits for room that opt-outs do not, on the disk that is most likely the same.
        store.room().check(lines.len() as u64 * LINE_BYTES, Purpose::Any)?;
        let (_, wall) = self.settings();
        let file = match batches.give(&wall.day().to_string(), &lines).map_err(StoreError::Outbox)? {
            Ok(file) => file,
            Err(error) => return Ok(Provisioned::Closed(format!("the batch could not be written: {error}"))),
        };
        tracing::info!(requests = lines.len(), file, "order requests given out");
        Ok(Provisioned::Given { requests: lines.len(), file: Some(file) })
    }
}
