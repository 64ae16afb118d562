//! What customers ordered here: every standing row, by request and by customer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dataflows::records::{HandoffRow, OrderRequestRow, RequestState};
use dataflows::types::{CustomerIx, Time};

use super::owners::{ByKey, Index, PartitionNo};

/// The bytes that the id of a request spells.
pub type RequestId = [u8; 16];

/// The rows of a request in the order in which they stand over one another: the last counts.
type States = BTreeMap<RequestState, Arc<OrderRequestRow>>;

/// Holders by request and state, and the rows themselves by request.
#[derive(Default)]
pub struct ByRequest {
    holders: ByKey<(RequestId, RequestState), Arc<OrderRequestRow>>,
    /// Without requests of no row.
    requests: BTreeMap<RequestId, States>,
    /// The requests of each customer who ever had one.
    customers: HashMap<CustomerIx, Vec<RequestId>>,
}

impl ByRequest {
    /// The row of a request that counts.
    pub fn request(&self, request_id: &str) -> Option<&Arc<OrderRequestRow>> {
        last(self.requests.get(&HandoffRow::digest(request_id)?)?)
    }

    /// That of each request of a customer.
    pub fn of(&self, customer: CustomerIx) -> impl Iterator<Item = &Arc<OrderRequestRow>> {
        let ids = self.customers.get(&customer).into_iter().flatten();
        ids.filter_map(|id| last(self.requests.get(id)?))
    }

    /// That of each request, in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Arc<OrderRequestRow>> {
        self.requests.values().filter_map(last)
    }
}

fn last(states: &States) -> Option<&Arc<OrderRequestRow>> {
    states.values().next_back()
}

impl Index<(RequestId, RequestState), Arc<OrderRequestRow>> for ByRequest {
    fn get(&self, key: &(RequestId, RequestState)) -> Option<(PartitionNo, Arc<OrderRequestRow>)> {
        self.holders.get(key)
    }

    fn set(&mut self, key: (RequestId, RequestState), holder: Option<(PartitionNo, Arc<OrderRequestRow>)>) {
        let (id, state) = key;
        if let Some(states) = self.requests.get_mut(&id) {
            states.remove(&state);
            if states.is_empty() {
                self.requests.remove(&id);
            }
        }
        if let Some((_, row)) = &holder {
            self.requests.entry(id).or_default().insert(state, row.clone());
            // Rows are made here and name their customer once and for ever: none is taken from him.
            let own = self.customers.entry(row.customer).or_default();
            if !own.contains(&id) {
                own.push(id);
            }
        }
        self.holders.set(key, holder);
    }

    fn latest(&self, at: fn(&(RequestId, RequestState), &Arc<OrderRequestRow>) -> Option<Time>) -> Option<Time> {
        self.holders.latest(at)
    }
}
