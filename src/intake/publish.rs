//! A programme comes into force.

use std::sync::Arc;
use std::time::Instant;

use dataflows::types::Epoch;

use super::Intake;
use crate::engine::Published;
use crate::programme::{Document, Source};
use crate::store::{Store, StoreError};

impl Intake {
    /// Publishes a programme: durable, then in force from the epoch that is returned.
    pub fn publish(&self, document: Document) -> Result<Epoch, StoreError> {
        self.publish_timed(document).map(|(epoch, _)| epoch)
    }

    /// The same, with the moment since which it is durable.
    pub fn publish_timed(&self, document: Document) -> Result<(Epoch, Instant), StoreError> {
        self.publish_into(&mut self.store.lock(), document)
    }

    /// Publishes a programme as an epoch of its own and waits until it is visible: what the epoch changed
    /// is then the programme's doing alone. Files wait meanwhile. None where a worker has failed.
    pub fn publish_alone(&self, document: Document) -> Result<Option<Arc<Published>>, StoreError> {
        let mut store = self.store.lock();
        if !self.hub.settle() {
            return Ok(None);
        }
        self.publish_into(&mut store, document)?;
        Ok(self.hub.settle().then(|| self.hub.published()))
    }

    fn publish_into(&self, store: &mut Store, document: Document) -> Result<(Epoch, Instant), StoreError> {
        let programme = Arc::new(document.programme.clone());
        let sources = document.sources.iter().map(|Source { name, text }| (name.clone(), text.clone())).collect();
        let names = document.names();
        let (epoch, mut facts) = store.publish(sources, names.iter().map(|name| &**name))?;
        let durable_at = Instant::now();
        facts.programme = Some(programme);
        *self.document.lock() = Arc::new(document);
        facts.clock = Some(self.clock(store.clock()));
        let touched = self.touched(&facts);
        self.hub.submit(epoch, facts, durable_at);
        self.withdraw(store, &touched)?;
        Ok((epoch, durable_at))
    }
}
