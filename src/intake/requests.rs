//! What every request of staff shares: it is known by its key, and durable as a partition of its own.

use std::time::Instant;

use dataflows::facts::Facts;
use dataflows::records::Feed;
use dataflows::types::Epoch;
use sha2::{Digest, Sha256};

use super::Intake;
use super::edits::{hex, of_edit};
use super::names::Naming;
use crate::handoff::Told;
use crate::ingest::{self, Partition};
use crate::store::{Outcome, REQUEST, Store, StoreError};

/// A request by its content, and by the name under which it is entered where it has a key.
pub(super) struct Seal {
    name: Option<String>,
    sha256: [u8; 32],
}

/// What became of a request that came before.
pub(super) enum Before {
    Done {
        epoch: Epoch,
        partition: Partition,
        rows: u64,
    },
    /// Another one came under its key.
    KeyReused,
}

/// What was made durable, and what it changes: still to be told to the engine.
pub(super) struct Entered {
    pub epoch: Epoch,
    pub rows: u64,
    pub facts: Box<Facts>,
    durable_at: Instant,
    told: Told,
}

impl Seal {
    /// Seals a request of a feed about something, in the bytes in which it came.
    pub fn new(feed: Feed, about: &str, key: Option<&str>, body: &[u8]) -> Seal {
        let content = Sha256::new().chain_update(about).chain_update([0]).chain_update(body);
        let name = key.map(|key| format!("{REQUEST}{}:{key}", feed.name()));
        Seal { name, sha256: content.finalize().into() }
    }

    /// What became of it, where its key came before.
    pub fn before(&self, store: &Store) -> Option<Before> {
        let entry = store.ledger().request(self.name.as_ref()?)?;
        let (epoch, partition) = (entry.epoch, entry.partition.clone());
        let rows = entry.rows.map_or(0, |(rows, _)| rows);
        Some(if entry.sha256 == self.sha256 { Before::Done { epoch, partition, rows } } else { Before::KeyReused })
    }
}

impl Intake {
    /// Makes the text of an extract durable as a partition that nobody has. A reason where it cannot be read, row
    /// by row.
    pub(super) fn enter(
        &self,
        store: &mut Store,
        partition: &Partition,
        text: &[u8],
        seal: Seal,
    ) -> Result<Result<Entered, String>, StoreError> {
        let (settings, wall) = self.settings();
        let (names, file) = (self.names(), of_edit(partition));
        let mut extract = match ingest::read_bytes(text, &file, None, &settings, &mut Naming::new(names.clone())) {
            Ok(extract) => extract,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if let Some(reject) = extract.rejects.first() {
            return Ok(Err(format!("{}: {}", reject.column, reject.reason)));
        }
        extract.sha256 = seal.sha256;
        extract.file = seal.name.unwrap_or(extract.file);
        let told = Told {
            feed: partition.feed.name().to_owned(),
            period: partition.period.clone(),
            part: partition.part.clone(),
            file: extract.file.clone(),
            sha256: hex(&seal.sha256),
            text: String::from_utf8_lossy(text).into_owned(),
        };
        let rows = extract.rows.len() as u64;
        let until = names.read().extent();
        self.hub.expect(extract.rows.len());
        match store.accept(&extract, until, wall, false)? {
            Outcome::Accepted { epoch, facts, durable_at } => Ok(Ok(Entered { epoch, rows, facts, durable_at, told })),
            // Nobody else has its partition.
            outcome => Ok(Err(format!("it was not taken: {outcome:?}"))),
        }
    }

    /// Gives what was made durable to the engine, and takes out of the outbox what it forbids. What `forbids` contacts
    /// is noted beside the outbox too, for a store that is brought back from an older copy.
    pub(super) fn tell(&self, store: &mut Store, entered: Entered, forbids: bool) -> Result<(), StoreError> {
        let Entered { epoch, mut facts, durable_at, told, .. } = entered;
        // A clock of the wall's goes on to the request, so that it is seen with it.
        facts.clock = Some(self.clock(store.clock()));
        let touched = self.touched(&facts);
        self.hub.submit(epoch, *facts, durable_at);
        if let Some(handoffs) = self.handoffs().filter(|_| forbids) {
            handoffs.tell(told);
        }
        // Before it is answered: whoever is told that he is on a list lies in no outbox.
        self.withdraw(store, &touched)?;
        store.compact_if_worth_it()
    }
}
