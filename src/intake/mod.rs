//! The way in: files become durable batches, and batches epochs.
//!
//! ```text
//! decode (a thread of its own) ─► commit (store) ─► submit (engine)
//! ```
//!
//! One file is committed while the next is decoded. The order of commits is the order in which
//! files were given; views do not depend on it, the ledger's epochs do.

pub mod batches;
pub mod edits;
pub mod erasure;
mod landing;
pub(crate) mod names;
mod noted;
mod publish;
pub mod receipts;
pub(crate) mod requests;
pub mod states;
#[cfg(test)]
mod tests;
pub mod undo;
mod watched;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use dataflows::facts::Facts;
use dataflows::records::Feed;
use dataflows::types::{Clock, Epoch, Time};
use jiff::tz::TimeZone;
use parking_lot::{Mutex, RwLock};

use crate::engine::{Hub, Origin};
use crate::handoff::{Handoffs, Touched};
use crate::ingest::names::FileName;
use crate::ingest::{self, Control, Extract, Partition, ReadError, Settings};
use crate::numbers::hidden;
use crate::orders::{Batches, Claims};
use crate::programme::Document;
use crate::query::Readings;
use crate::store::changes::Changes;
use crate::store::reports::Reports;
use crate::store::room::{Full, Purpose, Room};
use crate::store::{Dictionary, Entry, Extent, Outcome, Status, Store, StoreError};
pub use landing::{Landed, landed};
use names::Naming;
use watched::{Stage, set_aside, took};

/// Where wall time comes from: the system's clock outside tests.
pub type WallClock = fn() -> jiff::Timestamp;

/// What became of a file, for whoever gave it.
#[derive(Debug)]
pub enum Taken {
    Accepted {
        epoch: Epoch,
        rows: u64,
        bad_rows: u64,
    },
    Superseded,
    Duplicate,
    /// It was undone, and stays so until a higher version comes.
    Undone,
    Held {
        before: u64,
        now: u64,
    },
    /// Refused; the text says why and what to do.
    Rejected(String),
    /// Not read this time; the text says why.
    Later(String),
}

/// How long each stage of the way in took, in all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    pub rows: u64,
    pub bytes: u64,
    pub decode: Duration,
    pub validate: Duration,
    pub commit: Duration,
}

/// The store, the engine's hub, and the programme in force.
pub struct Intake {
    store: Arc<Mutex<Store>>,
    names: Arc<RwLock<Dictionary>>,
    hub: Arc<Hub>,
    document: Arc<Mutex<Arc<Document>>>,
    wall: WallClock,
    stages: Mutex<Stages>,
    /// Files let in by a person, which nobody has read again yet.
    confirmed: Mutex<Vec<String>>,
    /// Where contacts are handed off, if they are.
    handoffs: Option<Handoffs>,
    room: Room,
    /// Files that the disk has no room for, with the bytes that would have to be free.
    short: Mutex<BTreeMap<String, Full>>,
    /// Where order requests are given out, if they are.
    batches: Option<Mutex<Batches>>,
    /// Who makes which call.
    claims: Claims,
    desk: receipts::Desk,
    /// Set while something that follows from order requests waits for room on the disk.
    is_unfinished: AtomicBool,
    /// The file of entries of points that changed, where it is kept.
    changes: Mutex<Option<Arc<Mutex<Changes>>>>,
    /// Held by whoever erases.
    erasing: Mutex<()>,
}

/// A file as the decoder leaves it.
struct Decoded {
    path: PathBuf,
    name: FileName,
    result: Result<(Extract, Extent), Unread>,
    sha256: Option<[u8; 32]>,
    /// From its first byte to its last change, for who traces it.
    span: tracing::Span,
    /// How often somebody had been erased when it was begun.
    erasures: u64,
}

/// Why a file is not decoded.
enum Unread {
    Bad(ReadError),
    Full(Full),
}

/// The feeds that may have a row that forbids contacts.
const MAY_FORBID: [Feed; 4] = [Feed::Listing, Feed::Consent, Feed::Feedback, Feed::CampaignState];

/// Largest file after decompression, in bytes.
const DECODED_BYTES_MAX: u64 = 64 << 30;

impl Intake {
    /// Feeds what the store holds to the engine, and puts a programme in force: what
    /// `programme` makes of the one published last, which is published where it is another. Returns when all of it is visible.
    pub fn begin(
        mut store: Store,
        hub: Arc<Hub>,
        programme: impl FnOnce(Option<&[crate::store::Source]>) -> anyhow::Result<Document>,
        wall: WallClock,
    ) -> anyhow::Result<Intake> {
        let published = store.programme().map(<[_]>::to_vec);
        let document = programme(published.as_deref())?;
        let is_published = published.is_some_and(|sources| {
            sources
                .iter()
                .map(|(name, text)| (name, text))
                .eq(document.sources.iter().map(|source| (&source.name, &source.text)))
        });
        // An earlier build may have published it, which knew of fewer names in a programme.
        let is_published = is_published && {
            let names = store.dictionary();
            let names = names.read();
            document.names().iter().all(|name| names.words.find(name).is_some())
        };
        let epoch = store.epoch().max(1);
        let mut compiled = Some(Arc::new(document.programme.clone()));
        store.hydrate(|mut facts| {
            // The names of a programme that was published are words of the store already.
            if is_published && compiled.is_some() {
                facts.programme = compiled.take();
            }
            hub.submit(epoch, facts, Instant::now());
        })?;
        let intake = Intake {
            names: store.dictionary(),
            room: store.room().clone(),
            store: Arc::new(Mutex::new(store)),
            hub,
            document: Arc::new(Mutex::new(Arc::new(document.clone()))),
            wall,
            stages: Mutex::default(),
            confirmed: Mutex::default(),
            handoffs: None,
            short: Mutex::default(),
            batches: None,
            claims: Claims::default(),
            desk: receipts::Desk::default(),
            is_unfinished: AtomicBool::new(false),
            changes: Mutex::default(),
            erasing: Mutex::default(),
        };
        if !is_published {
            intake.publish(document)?;
        }
        intake.tick();
        // All of it, and not only its epoch: the first of the parts that share one makes it visible.
        anyhow::ensure!(intake.hub.settle(), "a worker failed while what is stored was read");
        intake.keep_entries();
        Ok(intake)
    }

    /// Hands off contacts through an outbox from now on, and brings it and the store together first.
    pub fn hand_off_through(&mut self, handoffs: Handoffs) -> Result<(), StoreError> {
        self.handoffs = Some(handoffs);
        self.recover_outbox()?;
        self.complete_orders()
    }

    /// Gives out order requests through a directory from now on.
    pub fn provision_through(&mut self, batches: Batches) {
        self.batches = Some(Mutex::new(batches));
    }

    /// Where order requests are given out, if they are.
    pub(crate) fn batches(&self) -> Option<&Mutex<Batches>> {
        self.batches.as_ref()
    }

    /// Whether something that follows from order requests waits for room on the disk.
    pub(crate) fn is_unfinished(&self) -> &AtomicBool {
        &self.is_unfinished
    }

    /// Who makes which call.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Where contacts are handed off, if they are.
    pub fn handoffs(&self) -> Option<&Handoffs> {
        self.handoffs.as_ref()
    }

    /// Whose contacts in the outbox facts concern.
    fn touched(&self, facts: &Facts) -> Touched {
        self.handoffs.as_ref().map_or(Touched::Nobody, |handoffs| handoffs.touched(facts))
    }

    /// From now on entries of points that change are noted, and kept beside the log. Nothing hangs on the file:
    /// where it fails, it is not written any more, and that is told.
    fn keep_entries(&self) {
        let told = |error: std::io::Error| tracing::warn!(%error, "changes of points will not outlive this process");
        match self.store.lock().changes() {
            Ok(changes) => {
                let kept = changes.latest().clone();
                let changes = Arc::new(Mutex::new(changes));
                *self.changes.lock() = Some(changes.clone());
                let mut fails = false;
                self.hub.keep_entries(kept, move |changed| {
                    if !fails && let Err(error) = changes.lock().write(changed) {
                        fails = true;
                        told(error);
                    }
                });
            }
            Err(error) => told(error),
        }
        self.hub.note_entries();
    }

    /// From now on effects are noted when days close: by a service, whose days close one after the other. Nothing hangs
    /// on that file either.
    pub fn keep_reports(&self) {
        let told = |error: std::io::Error| tracing::warn!(%error, "effects as reported will not outlive this process");
        let (mut file, noted) = match self.store.lock().reports() {
            Ok((file, noted)) => (Some(file), noted),
            Err(error) => {
                told(error);
                (None, Reports::default())
            }
        };
        self.hub.keep_reports(noted, move |closed| {
            if let Some(Err(error)) = file.as_mut().map(|file| file.write(closed)) {
                file = None;
                told(error);
            }
        });
    }

    pub fn store(&self) -> &Arc<Mutex<Store>> {
        &self.store
    }

    /// The names, shared with readers.
    pub fn names(&self) -> Arc<RwLock<Dictionary>> {
        self.names.clone()
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// For whoever reads views.
    pub fn readings(&self) -> Readings {
        let (store, document) = (self.store.clone(), self.document.clone());
        Readings { hub: self.hub.clone(), dictionary: self.names.clone(), store, document }
    }

    /// The programme in force.
    pub fn document(&self) -> Arc<Document> {
        self.document.lock().clone()
    }

    /// Lets in a file that is held, as [`Store::confirm`] does. Whoever has it reads it again.
    pub fn confirm(&self, file: &str) -> Result<bool, StoreError> {
        let is_held = self.store.lock().confirm(file)?;
        if is_held {
            self.confirmed.lock().push(file.to_owned());
        }
        Ok(is_held)
    }

    /// The files that were let in since this was asked last.
    pub fn take_confirmed(&self) -> Vec<String> {
        std::mem::take(&mut *self.confirmed.lock())
    }

    /// The room on the store's disk.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Files that wait for room on the disk, of those that are still there.
    pub fn short(&self, is_there: impl Fn(&str) -> bool) -> Vec<(String, Full)> {
        let mut short = self.short.lock();
        short.retain(|file, _| is_there(file));
        short.iter().map(|(file, full)| (file.clone(), *full)).collect()
    }

    pub fn stages(&self) -> Stages {
        *self.stages.lock()
    }

    /// The clock that views are given: the data's, or the wall's where the programme says so.
    pub(crate) fn clock(&self, data: Clock) -> Clock {
        let document = self.document();
        if document.settings.clock_wall {
            Clock { now: Some(self.wall_time(&document.settings.zone)), ..data }
        } else {
            data
        }
    }

    /// Moves `now` to wall time, where the programme's clock is the wall's.
    pub fn tick(&self) {
        if self.document().settings.clock_wall {
            let store = self.store.lock();
            let clock = self.clock(store.clock());
            let facts = Facts { clock: Some(clock), ..Default::default() };
            self.hub.submit(store.epoch(), facts, Instant::now());
        }
    }

    /// The moment it is, as the world has it.
    pub(crate) fn wall_now(&self) -> jiff::Timestamp {
        (self.wall)()
    }

    /// The nanosecond of the wall's clock: no two things that come without a key are taken for one.
    pub(crate) fn wall_stamp(&self) -> String {
        (self.wall)().as_nanosecond().to_string()
    }

    /// The second of the wall's clock.
    pub(crate) fn wall_second(&self) -> i64 {
        (self.wall)().as_second()
    }

    pub(crate) fn wall_time(&self, zone: &TimeZone) -> Time {
        local((self.wall)(), zone)
    }

    /// Takes files in the order given, decoding ahead, and tells of each what became of it.
    /// `progress` hears of bytes read.
    pub fn take(
        &self,
        files: Vec<(PathBuf, FileName)>,
        progress: &(dyn Fn(u64) + Sync),
        tell: &mut dyn FnMut(&FileName, Taken),
    ) -> Result<(), StoreError> {
        let (sender, receiver) = crossbeam_channel::bounded::<Decoded>(1);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                crate::priority::yield_to_readers();
                for (path, name) in files {
                    if sender.send(self.decode(&path, name, progress)).is_err() {
                        break;
                    }
                }
            });
            for decoded in receiver {
                let name = decoded.name.clone();
                let taken = self.commit(decoded)?;
                tell(&name, taken);
            }
            Ok(())
        })
    }

    fn decode(&self, path: &Path, name: FileName, progress: &(dyn Fn(u64) + Sync)) -> Decoded {
        let span = tracing::info_span!("file", feed = name.feed.name(), file = %hidden(&name.name));
        let (path_buf, erasures) = (path.to_owned(), self.names().read().erased().generation());
        if let Err(full) = self.has_room(path, &name) {
            let result = Err(Unread::Full(full));
            return Decoded { path: path_buf, name, result, sha256: None, span, erasures };
        }
        let decoding = tracing::info_span!(parent: &span, "decode").entered();
        let document = self.document();
        let settings = Settings {
            timezone: document.settings.zone.clone(),
            bad_rows_max: document.settings.max_bad_rows,
            control_required: document.settings.control_required,
            wall: self.wall_time(&document.settings.zone),
            decoded_bytes_max: DECODED_BYTES_MAX,
        };
        let began = Instant::now();
        let dictionary = self.names();
        let mut naming = Naming::new(dictionary.clone());
        let mut done = 0;
        let mut forward = |bytes: u64| {
            progress(bytes.saturating_sub(done));
            done = done.max(bytes);
        };
        let mut control = path.as_os_str().to_owned();
        control.push(".ok");
        let result = Control::read(Path::new(&control), &name.name)
            .and_then(|control| ingest::read(path, &name, control.as_ref(), &settings, &mut naming, &mut forward));
        let sha256 = result.is_err().then(|| landing::sha256(path)).flatten();
        drop(decoding);
        took(name.feed, Stage::Decode, began.elapsed());
        let mut stages = self.stages.lock();
        match &result {
            Ok(extract) => {
                stages.decode += extract.took.decode;
                stages.validate += extract.took.validate;
            }
            Err(_) => stages.decode += began.elapsed(),
        }
        stages.bytes += done;
        drop(stages);
        let names = dictionary.read().extent();
        let result = result.map(|extract| (extract, names)).map_err(Unread::Bad);
        Decoded { path: path_buf, name, result, sha256, span, erasures }
    }

    /// Whether there is likely to be room for a file: its names are kept from the moment it is decoded, and would come
    /// with the next thing that is taken. Its record is about as long as the file. What may forbid contacts is always
    /// decoded once, and so is what was taken before.
    fn has_room(&self, path: &Path, name: &FileName) -> Result<(), Full> {
        let short = self.short.lock().get(&name.name).copied();
        if let Some(full) = short {
            return self.room.has(full.needed);
        }
        if MAY_FORBID.contains(&name.feed) {
            return Ok(());
        }
        let len = path.symlink_metadata().map_or(0, |metadata| metadata.len());
        self.room.check(len, Purpose::Any).or_else(|full| {
            let partition = Partition { feed: name.feed, period: name.period.clone(), part: name.part.clone() };
            let taken = self.store.lock().version(&partition);
            if taken.is_some_and(|version| version >= name.version) { Ok(()) } else { Err(full) }
        })
    }

    /// Takes a decoded file, unless the disk has no room for it: then it is tried again.
    fn commit(&self, decoded: Decoded) -> Result<Taken, StoreError> {
        let file = decoded.name.name.clone();
        let _file = decoded.span.clone().entered();
        let full = match self.committed(decoded) {
            Err(StoreError::Full(full)) => full,
            taken => {
                self.short.lock().remove(&file);
                return taken;
            }
        };
        self.short.lock().insert(file.clone(), full);
        Ok(Taken::Later(format!("could not take extract \"{file}\" yet: {full}")))
    }

    fn committed(&self, decoded: Decoded) -> Result<Taken, StoreError> {
        let document = self.document();
        let at = self.wall_time(&document.settings.zone);
        let (extract, names) = match decoded.result {
            Ok(extract) => extract,
            Err(Unread::Full(full)) => return Err(full.into()),
            Err(Unread::Bad(error @ ReadError::Retry { .. })) => return Ok(Taken::Later(error.to_string())),
            Err(Unread::Bad(ReadError::Refused { file, refused })) => {
                let counts = refused.rows;
                watched::refused(decoded.name.feed, refused.code.as_str());
                let why = ReadError::Refused { file, refused }.to_string();
                return self.reject(&decoded.name, decoded.sha256, at, counts, why);
            }
        };
        let mut store = self.store.lock();
        if self.names().read().erased().generation() != decoded.erasures {
            // Somebody was erased while it was read: his rows may be in it.
            drop(store);
            return self.committed(self.decode(&decoded.path, decoded.name, &|_| {}));
        }
        for warning in &extract.warnings {
            tracing::warn!(file = extract.file, "{warning}");
        }
        let (rows, bad_rows) = (extract.rows.len() as u64, extract.rejects.len() as u64);
        let (feed, reasons) = (extract.partition.feed, extract.reasons.clone());
        let began = Instant::now();
        let committing = tracing::info_span!("commit", rows, bad_rows).entered();
        self.hub.expect(extract.rows.len());
        let outcome = store.accept(&extract, names, at, document.settings.same_version_replace)?;
        drop(extract);
        drop(committing);
        took(feed, Stage::Commit, began.elapsed());
        let taken = match outcome {
            Outcome::Accepted { epoch, mut facts, durable_at } => {
                facts.clock = facts.clock.map(|clock| self.clock(clock));
                let touched = self.touched(&facts);
                self.desk.await_receipt(epoch, &decoded.name.name);
                set_aside(feed, &reasons);
                let origin = Origin::new(feed, durable_at);
                tracing::info_span!("submit", epoch)
                    .in_scope(|| self.hub.submit_of(epoch, *facts, durable_at, Some(origin)));
                self.withdraw(&mut store, &touched)?;
                if feed == Feed::Provisioning {
                    self.take_answers(&mut store)?;
                }
                store.compact_if_worth_it()?;
                Taken::Accepted { epoch, rows, bad_rows }
            }
            Outcome::Superseded => Taken::Superseded,
            Outcome::Duplicate => Taken::Duplicate,
            Outcome::Undone => Taken::Undone,
            Outcome::Held { before, now } => Taken::Held { before, now },
            Outcome::Conflict => {
                watched::refused(feed, "same_version");
                Taken::Rejected(format!(
                    "could not take extract \"{}\": version {} of it was accepted with other content\nhint: Deliver it as version {}, or set same_version = \"replace\". Nothing from this file has been applied.",
                    decoded.name.name,
                    decoded.name.version,
                    decoded.name.version.saturating_add(1)
                ))
            }
        };
        let mut stages = self.stages.lock();
        stages.rows += rows + bad_rows;
        stages.commit += began.elapsed();
        Ok(taken)
    }

    fn reject(
        &self,
        name: &FileName,
        sha256: Option<[u8; 32]>,
        at: Time,
        rows: Option<(u64, u64)>,
        why: String,
    ) -> Result<Taken, StoreError> {
        // Without its bytes there is nothing to enter: it is gone again.
        if let Some(sha256) = sha256 {
            self.store.lock().refuse(Entry {
                partition: Partition { feed: name.feed, period: name.period.clone(), part: name.part.clone() },
                version: name.version,
                sha256,
                status: Status::Rejected,
                file: name.name.clone(),
                rows,
                erased: 0,
                accepted_at: at.0,
                epoch: 0,
                reason: why.clone(),
            })?;
        }
        Ok(Taken::Rejected(why))
    }
}

/// A moment in local time.
fn local(at: jiff::Timestamp, zone: &TimeZone) -> Time {
    Time(at.as_second() + i64::from(zone.to_offset(at).seconds()))
}
