//! All that views are read from, held for as long as somebody reads.

use std::sync::{Arc, OnceLock};

use dataflows::types::Epoch;
use parking_lot::{Mutex, RwLock};

use super::Sources;
use super::sight::{Seen, Sight};
use crate::engine::{Hub, Published};
use crate::programme::Document;
use crate::store::{Dictionary, Names, Store};

/// What readings are made of.
#[derive(Clone)]
pub struct Readings {
    pub hub: Arc<Hub>,
    pub dictionary: Arc<RwLock<Dictionary>>,
    pub store: Arc<Mutex<Store>>,
    /// The programme in force.
    pub document: Arc<Mutex<Arc<Document>>>,
}

impl Readings {
    /// What is seen, at what is visible now. Its names are at least those of its rows.
    pub fn reading(&self, sight: Sight) -> Reading {
        let published = self.hub.published();
        let names = self.dictionary.read().names();
        let (dictionary, store) = (self.dictionary.clone(), self.store.clone());
        let document = self.document.lock().clone();
        Reading { published, names, dictionary, store, document, looked_at: OnceLock::new(), sight }
    }
}

/// One epoch: what is read of it twice is the same twice.
pub struct Reading {
    pub published: Arc<Published>,
    /// The names as they stood then: whoever adds to them does not wait for a reader.
    pub names: Names,
    /// For finding a customer by his id.
    pub dictionary: Arc<RwLock<Dictionary>>,
    pub store: Arc<Mutex<Store>>,
    pub document: Arc<Document>,
    /// How far the store had come when its ledger was first looked at.
    pub looked_at: OnceLock<Epoch>,
    /// What of it is seen.
    pub sight: Sight,
}

impl Reading {
    /// What of it somebody sees.
    pub fn seen(&self) -> Seen<'_> {
        Seen { sight: &self.sight, published: &self.published, names: &self.names, dictionary: &self.dictionary }
    }

    pub fn sources(&self) -> Sources<'_> {
        Sources {
            published: &self.published,
            names: &self.names,
            store: &self.store,
            document: &self.document,
            looked_at: &self.looked_at,
            seen: self.seen(),
        }
    }
}
