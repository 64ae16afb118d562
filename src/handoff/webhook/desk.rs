//! The work on one channel: what was taken, in the order of its files, each contact when it is due.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dataflows::records::{Feed, Rows};
use dataflows::types::{CustomerIx, Word};

use super::super::grounds::Grounds;
use super::super::outbox::{Batch, Line, names, segment, sync_directory};
use super::super::withdraw::may_lie;
use super::super::{Handoffs, Lying, ready};
use super::parcel::{End, Parcel, Pending, batch_of, body};
use crate::engine::Published;
use crate::ingest::Partition;
use crate::intake::Intake;
use crate::posting::{ATTEMPTS_MAX, Attempt, Endpoint, Status, delay};
use crate::store::{Store, StoreError};

/// Files that are worked on at a time. Those behind them stay in the outbox, where an opt-out takes contacts out at
/// once: a receiver that is down for long does not draw everything to itself.
const PARCELS_MAX: usize = 4;

/// What ends a round.
pub enum Trouble {
    /// Nothing is known of what the disk of the data holds.
    Store(StoreError),
    /// The outbox cannot be written now; it is tried again.
    Outbox(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Outbox(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Store(error)
    }
}

/// Whether a contact may be posted now.
enum Check {
    Send,
    /// It was withdrawn.
    Withdrawn,
    /// Not in these hours.
    Quiet,
    /// Nothing is posted now.
    Closed,
}

/// One channel's work.
pub struct Desk<'a> {
    intake: &'a Intake,
    handoffs: &'a Handoffs,
    endpoint: &'a Endpoint,
    patience: Duration,
    directory: PathBuf,
    parcels: Vec<Parcel>,
    /// Files that cannot be read, as was told.
    unreadable: HashSet<String>,
    /// Campaigns as they were when something was checked last.
    grounds: Option<(Arc<Published>, Grounds)>,
    is_tidy: bool,
}

impl<'a> Desk<'a> {
    pub fn new(intake: &'a Intake, handoffs: &'a Handoffs, endpoint: &'a Endpoint, patience: Duration) -> Desk<'a> {
        let directory = handoffs.posting.join(segment(&endpoint.name));
        Desk {
            intake,
            handoffs,
            endpoint,
            patience,
            directory,
            parcels: Vec::new(),
            unreadable: HashSet::new(),
            grounds: None,
            is_tidy: false,
        }
    }

    /// Takes what there is, and tries everything that is due.
    pub fn round(&mut self, stop: &AtomicBool) -> Result<(), Trouble> {
        self.take()?;
        let mut parcels = std::mem::take(&mut self.parcels);
        let worked = parcels.iter_mut().try_for_each(|parcel| self.work(parcel, stop));
        let pending: usize = parcels.iter().map(|parcel| parcel.pending.len()).sum();
        metrics::gauge!("cohortflow_webhook_pending", "channel" => self.endpoint.name.clone()).set(pending as f64);
        self.parcels = parcels;
        worked?;
        let mut closed = Ok(());
        self.parcels.retain(|parcel| {
            let is_open = !parcel.pending.is_empty();
            if !is_open && let Err(error) = parcel.close() {
                closed = Err(error);
            }
            is_open
        });
        Ok(closed?)
    }

    /// Opens files until there are enough: those taken before, then those of the outbox.
    fn take(&mut self) -> Result<(), Trouble> {
        if !self.is_tidy {
            fs::create_dir_all(&self.directory)?;
            self.tidy()?;
            self.is_tidy = true;
        }
        self.open()?;
        let outbox = self.handoffs.outbox.lock().of_channel(&self.endpoint.name);
        let lying = match names(&outbox) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            lying => lying?,
        };
        for name in lying {
            let Some(batch) = Batch::parse(&name).filter(|_| self.parcels.len() < PARCELS_MAX) else { continue };
            match fs::rename(outbox.join(&name), self.directory.join(&name)) {
                // It is being written anew without somebody.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                renamed => renamed?,
            }
            sync_directory(&self.directory)?;
            sync_directory(&outbox)?;
            self.handoffs.forget(|of| of.batch == batch && *of.channel == *self.endpoint.name);
            self.open()?;
        }
        Ok(())
    }

    /// Removes what is known of files that are gone.
    fn tidy(&self) -> io::Result<()> {
        for name in names(&self.directory)? {
            let of = name.strip_suffix(".done").map(|stem| self.directory.join(format!("{stem}.csv")));
            if name.ends_with(".tmp") || of.is_some_and(|of| !of.exists()) {
                fs::remove_file(self.directory.join(&name))?;
            }
        }
        sync_directory(&self.directory)
    }

    fn open(&mut self) -> Result<(), Trouble> {
        for name in names(&self.directory)? {
            let path = self.directory.join(&name);
            let is_new = batch_of(&name).is_some() && !self.unreadable.contains(&name);
            if self.parcels.len() >= PARCELS_MAX || !is_new || self.parcels.iter().any(|parcel| parcel.path == path) {
                continue;
            }
            match Parcel::open(&path) {
                Ok(None) => {}
                Ok(Some(mut parcel)) => {
                    self.drop_unreserved(&mut parcel)?;
                    self.parcels.push(parcel);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::error!(
                        channel = self.endpoint.name,
                        file = name,
                        "cannot be read, and is not posted: {error}"
                    );
                    self.unreadable.insert(name);
                }
            }
        }
        Ok(())
    }

    /// Contacts whose reservation was taken back before it could be noted here. Another batch may have them.
    fn drop_unreserved(&self, parcel: &mut Parcel) -> Result<(), Trouble> {
        let reserved = self.intake.store().lock().partition(&partition(&parcel.batch))?;
        let reserved: HashSet<&str> = match reserved.as_ref().map(|(_, content)| &content.rows) {
            Some(Rows::Handoff(rows)) => rows.iter().map(|row| &*row.contact_id).collect(),
            _ => HashSet::new(),
        };
        let (kept, dropped): (Vec<Pending>, Vec<Pending>) =
            parcel.pending.drain(..).partition(|one| reserved.contains(one.contact_id()));
        parcel.pending = kept.into();
        dropped.iter().try_for_each(|one| parcel.note(one.contact_id(), End::Withdrawn))?;
        Ok(())
    }

    fn work(&mut self, parcel: &mut Parcel, stop: &AtomicBool) -> Result<(), Trouble> {
        parcel.settle()?;
        let mut place = 0;
        while let Some(one) = parcel.pending.get_mut(place) {
            if stop.load(Ordering::Acquire) {
                return Ok(());
            }
            if one.due > Instant::now() {
                place += 1;
                continue;
            }
            let end = match one.refused {
                Some(status) => Some(self.bury(&parcel.batch, one, status)?),
                None => match self.check(&parcel.batch, &one.line)? {
                    Check::Closed => return Ok(()),
                    Check::Quiet => None,
                    Check::Withdrawn => Some(End::Withdrawn),
                    Check::Send => self.attempt(&parcel.batch, one)?,
                },
            };
            let Some(end) = end else {
                place += 1;
                continue;
            };
            self.count(end.name());
            if let Some(one) = parcel.pending.remove(place) {
                parcel.note(one.contact_id(), end)?;
            }
        }
        Ok(())
    }

    /// Posts a contact once.
    fn attempt(&self, batch: &Batch, one: &mut Pending) -> Result<Option<End>, Trouble> {
        let at = self.intake.wall_now().as_second();
        let attempt = self.endpoint.post(one.contact_id(), at, &body(&one.line));
        one.attempts += 1;
        let status = match attempt {
            Attempt::Sent => return Ok(Some(End::Sent)),
            Attempt::Refused(status) => status,
            Attempt::Failed(status, later) => {
                self.count("failed");
                if one.attempts < ATTEMPTS_MAX {
                    let later = later.unwrap_or_default().min(self.patience);
                    one.due = Instant::now() + delay(one.contact_id(), one.attempts, self.patience).max(later);
                    return Ok(None);
                }
                status
            }
        };
        one.refused = Some(status);
        self.bury(batch, one, status).map(Some)
    }

    /// Makes a contact a dead letter.
    fn bury(&self, batch: &Batch, one: &Pending, status: Status) -> Result<End, Trouble> {
        let zone = self.intake.document().settings.zone.clone();
        let at = self.intake.wall_time(&zone).to_string();
        self.handoffs.dead.lock().add(batch, &one.line, one.attempts, status, &at)?;
        tracing::warn!(channel = self.endpoint.name, attempts = one.attempts, "a dead letter: {status}");
        Ok(End::Dead)
    }

    fn count(&self, outcome: &'static str) {
        let channel = self.endpoint.name.clone();
        metrics::counter!("cohortflow_webhook_total", "channel" => channel, "outcome" => outcome).increment(1);
    }

    /// Looks at a contact again, and withdraws it where it is forbidden now. Nothing is accepted meanwhile, and what was
    /// accepted before is visible.
    fn check(&mut self, batch: &Batch, line: &Line) -> Result<Check, Trouble> {
        let mut store = self.intake.store().lock();
        if !self.intake.hub().settle() {
            return Ok(Check::Closed);
        }
        let field = |place: usize| line.get(place).unwrap_or_default();
        let (published, names) = (self.intake.hub().published(), self.intake.names());
        let names = names.read();
        let (customer, campaign) =
            (names.customers.find(field(3)).map(CustomerIx), names.words.find(field(1)).map(Word));
        let known = self.grounds.take().filter(|(of, _)| Arc::ptr_eq(of, &published));
        let (_, grounds) = &*self.grounds.insert(known.unwrap_or_else(|| {
            let grounds = Grounds::of(&published, &names);
            (published.clone(), grounds)
        }));
        drop(names);
        let place = campaign.and_then(|campaign| grounds.place_of(campaign));
        let needs_consent = place.is_some_and(|place| grounds.listing(place).consent.is_some());
        let is_closed = !ready::reasons(&store, &self.handoffs.waiting, needs_consent).is_empty();
        if is_closed || !self.handoffs.trouble().is_empty() {
            return Ok(Check::Closed);
        }
        let may_be_sent = customer.zip(campaign).is_some_and(|(customer, campaign)| {
            let (contact_id, channel) = (field(0).into(), field(5).into());
            let of = Lying { batch: batch.clone(), contact_id, campaign, channel };
            may_lie(&published, grounds, &store, customer, &of)
        });
        if !may_be_sent {
            self.take_back(&mut store, batch, field(0))?;
            return Ok(Check::Withdrawn);
        }
        let document = self.intake.document();
        let plan = place.and_then(|place| document.plans.get(place));
        let is_quiet = plan.zip(grounds.now()).is_some_and(|(plan, now)| plan.is_quiet(now));
        Ok(if is_quiet { Check::Quiet } else { Check::Send })
    }

    fn take_back(&self, store: &mut Store, batch: &Batch, contact_id: &str) -> Result<(), StoreError> {
        self.intake.take_back(store, batch, &[contact_id.into()].into())
    }
}

fn partition(batch: &Batch) -> Partition {
    Partition { feed: Feed::Handoff, period: batch.day.clone(), part: batch.number.clone() }
}
