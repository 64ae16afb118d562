//! What every request of staff shares: it is known by its key, and durable as a partition of its own.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use dataflows::facts::Facts;
use dataflows::records::Feed;
use dataflows::types::Epoch;
use sha2::{Digest, Sha256};

use super::Intake;
use super::edits::of_edit;
use super::names::Naming;
use crate::handoff::Told;
use crate::ingest::{self, Extract, Intern, Partition};
use crate::numbers::hidden_freely;
use crate::store::content::Held;
use crate::store::room::{Full, Purpose};
use crate::store::{Dictionary, Outcome, REQUEST, Store, StoreError};

/// A request by its content, and by the name under which it is entered where it has a key.
pub(crate) struct Seal {
    /// The feed, and the key.
    named: Option<(Feed, String)>,
    sha256: [u8; 32],
}

/// What became of a request that came before.
pub(crate) enum Before {
    Done {
        epoch: Epoch,
        partition: Partition,
        rows: u64,
    },
    /// Another one came under its key.
    KeyReused,
}

/// What was made durable, and what it changes: still to be told to the engine.
pub(crate) struct Entered {
    pub epoch: Epoch,
    pub rows: u64,
    pub facts: Box<Facts>,
    durable_at: Instant,
    told: Vec<Told>,
    /// Set where the disk had no room for all of it.
    cut: Option<Full>,
}

/// The text of an extract, as the partition that it is to be.
pub(crate) type Part = (Partition, Vec<u8>);

/// An extract, and the text that it was read from.
pub(super) type Read<'t> = (Extract, &'t [u8]);

impl Seal {
    /// Seals a request of a feed about something, in the bytes in which it came.
    pub fn new(feed: Feed, about: &str, key: Option<&str>, body: &[u8]) -> Seal {
        let content = Sha256::new().chain_update(about).chain_update([0]).chain_update(body);
        Seal { named: key.map(|key| (feed, key.to_owned())), sha256: content.finalize().into() }
    }

    /// The name under which it is kept, where it has a key. Some make keys of the number that they serve: of such a one
    /// the name has a token.
    fn name(&self, names: &Dictionary) -> Option<String> {
        let (feed, key) = self.named.as_ref()?;
        let feed = feed.name();
        Some(match hidden_freely(key) {
            Cow::Borrowed(key) => format!("{REQUEST}{feed}:{key}"),
            Cow::Owned(_) => format!("{REQUEST}{feed}:{}", hex::encode(names.token(key).0)),
        })
    }

    /// The name under which it is entered as a partition.
    pub(super) fn file(&self, partition: &Partition, names: &Dictionary) -> String {
        self.name(names).unwrap_or_else(|| of_edit(partition).name)
    }

    /// What became of it, where its key came before.
    pub fn before(&self, store: &Store) -> Option<Before> {
        // Others may hold it, and a writer wait for them.
        let name = self.name(&store.dictionary().read_recursive())?;
        let entry = store.ledger().request(&name)?;
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
        self.enter_all(store, &[(partition.clone(), text.to_vec())], seal)
    }

    /// The same of several, which become visible together, and have the room that the most urgent of them has. The first
    /// bears the seal, and is durable first: what stands of the others when the machine stops between them follows from it.
    pub(crate) fn enter_all(
        &self,
        store: &mut Store,
        parts: &[Part],
        seal: Seal,
    ) -> Result<Result<Entered, String>, StoreError> {
        match self.read_all(parts) {
            Ok(extracts) => self.enter_read(store, extracts, seal),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Reads the texts of extracts; what is wrong with the first that cannot be, row by row.
    pub(super) fn read_all<'t>(&self, parts: &'t [Part]) -> Result<Vec<Read<'t>>, String> {
        let (settings, _) = self.settings();
        let names = self.names();
        let mut extracts = Vec::with_capacity(parts.len());
        for (partition, text) in parts {
            let file = of_edit(partition);
            let extract = match ingest::read_bytes(text, &file, None, &settings, &mut Naming::new(names.clone())) {
                Ok(extract) => extract,
                Err(error) => return Err(error.to_string()),
            };
            if let Some(reject) = extract.rejects.first() {
                return Err(format!("{}: {}", reject.column, reject.reason));
            }
            if extract.erased > 0 {
                return Err(ERASED.to_owned());
            }
            extracts.push((extract, text.as_slice()));
        }
        Ok(extracts)
    }

    /// Makes extracts durable that were read, as partitions that nobody has.
    pub(super) fn enter_read(
        &self,
        store: &mut Store,
        mut extracts: Vec<Read<'_>>,
        seal: Seal,
    ) -> Result<Result<Entered, String>, StoreError> {
        let (_, wall) = self.settings();
        let names = self.names();
        if let Some((first, _)) = extracts.first_mut() {
            first.sha256 = seal.sha256;
            first.file = seal.name(&names.read()).unwrap_or(std::mem::take(&mut first.file));
        }
        let rows = extracts.iter().map(|(extract, _)| Held::of(extract).len()).sum();
        let purpose = Purpose::of_all(extracts.iter().map(|(extract, _)| Purpose::of(Held::of(extract))));
        if extracts.len() > 1 {
            // Before the first of them: a record is hardly longer than its text and what it is entered with.
            let bytes = extracts.iter().map(|(_, text)| text.len() as u64 + ENTRY_BYTES).sum();
            store.room().check(bytes, purpose)?;
        }
        let until = names.read().extent();
        self.hub.expect(rows);
        let mut entered: Option<Entered> = None;
        for (extract, text) in extracts {
            let told = Told {
                feed: extract.partition.feed.name().to_owned(),
                period: extract.partition.period.clone(),
                part: extract.partition.part.clone(),
                file: extract.file.clone(),
                sha256: hex::encode(extract.sha256),
                text: String::from_utf8_lossy(text).into_owned(),
            };
            let outcome = match (store.accept_for(purpose, &extract, until, wall, false), &mut entered) {
                (Err(StoreError::Full(full)), Some(entered)) => {
                    entered.cut = Some(full);
                    break;
                }
                (outcome, _) => outcome?,
            };
            match outcome {
                Outcome::Accepted { epoch, facts, durable_at } => match &mut entered {
                    None => {
                        let rows = rows as u64;
                        entered = Some(Entered { epoch, rows, facts, durable_at, told: vec![told], cut: None });
                    }
                    Some(entered) => {
                        join(&mut entered.facts, *facts);
                        (entered.epoch, entered.durable_at) = (epoch, durable_at);
                        entered.told.push(told);
                    }
                },
                // Nobody else has its partition.
                outcome => return Ok(Err(format!("it was not taken: {outcome:?}"))),
            }
        }
        Ok(entered.ok_or_else(|| "there is nothing in it".to_owned()))
    }

    /// Gives what was made durable to the engine, and takes out of the outbox what it forbids. What a store that is
    /// brought back from an older copy must not have forgotten `is_noted` beside the outbox too. Refused where the disk had
    /// no room for all of it.
    pub(crate) fn tell(&self, store: &mut Store, entered: Entered, is_noted: bool) -> Result<(), StoreError> {
        let Entered { epoch, mut facts, durable_at, told, cut, .. } = entered;
        // A clock of the wall's goes on to the request, so that it is seen with it.
        facts.clock = Some(self.clock(store.clock()));
        let touched = self.touched(&facts);
        self.hub.submit(epoch, *facts, durable_at);
        if let Some(handoffs) = self.handoffs().filter(|_| is_noted) {
            told.into_iter().for_each(|told| handoffs.tell(told));
        }
        // Before it is answered: whoever is told that he is on a list lies in no outbox.
        self.withdraw(store, &touched)?;
        store.compact_if_worth_it()?;
        match cut {
            None => Ok(()),
            Some(full) => {
                self.is_unfinished.store(true, Ordering::Release);
                Err(full.into())
            }
        }
    }
}

/// Why nothing is noted of who was erased.
const ERASED: &str = "the customer was erased: nothing of him is kept, and he is never contacted";

/// What a record holds beside its rows, in bytes.
const ENTRY_BYTES: u64 = 1 << 10;

/// Adds facts of the same epoch. Their names were all told with the first.
fn join(facts: &mut Facts, more: Facts) {
    debug_assert!(more.words.is_empty() && more.ids.is_empty());
    facts.orders.extend(more.orders);
    facts.contacts.extend(more.contacts);
    facts.feedbacks.extend(more.feedbacks);
}
