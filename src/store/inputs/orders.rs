//! The rows of what customers ordered here: keys, what is kept. No view of the dataflow hangs on them: an order that was
//! opened is a row of `order`, and what it brought one of `feedback`.

use std::sync::Arc;

use dataflows::facts::Facts;
use dataflows::records::{HandoffRow, OrderRequestRow, ProvisioningRow, RequestState, RowKey};
use dataflows::types::Time;

use super::Row;
use crate::store::owners::ByKey;
use crate::store::requests::{ByRequest, RequestId};

/// The bytes that an id spells; neither ingest nor the codec lets another through.
fn digest(id: &str) -> RequestId {
    let digest = HandoffRow::digest(id);
    debug_assert!(digest.is_some(), "{id}");
    digest.unwrap_or_default()
}

impl Row for OrderRequestRow {
    type Key = (RequestId, RequestState);
    type Kept = Arc<OrderRequestRow>;
    type Index = ByRequest;
    fn key(&self) -> (RequestId, RequestState) {
        (digest(&self.request_id), self.state)
    }
    fn named(_: &RowKey) -> Option<Self::Key> {
        None
    }
    fn kept(&self) -> Arc<OrderRequestRow> {
        Arc::new(self.clone())
    }
    fn at(_: &(RequestId, RequestState), kept: &Arc<OrderRequestRow>) -> Option<Time> {
        Some(kept.at)
    }
    fn tell(_: &Self::Key, _: Option<Self::Kept>, _: Option<&Self>, _: &mut Facts) {}
}

impl Row for ProvisioningRow {
    type Key = RequestId;
    /// Whole: an answer may come before its request is known again.
    type Kept = Arc<ProvisioningRow>;
    type Index = ByKey<RequestId, Arc<ProvisioningRow>>;
    fn key(&self) -> RequestId {
        digest(&self.request_id)
    }
    fn named(_: &RowKey) -> Option<Self::Key> {
        None
    }
    fn kept(&self) -> Arc<ProvisioningRow> {
        Arc::new(self.clone())
    }
    fn at(_: &RequestId, kept: &Arc<ProvisioningRow>) -> Option<Time> {
        Some(kept.at)
    }
    fn tell(_: &RequestId, _: Option<Self::Kept>, _: Option<&Self>, _: &mut Facts) {}
}
