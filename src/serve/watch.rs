//! Watching the landing directory.
//!
//! A file has landed when its control file is there, or when its size and time have not changed
//! between two looks. What was taken is remembered by name, size and time, and not read again
//! until one of them changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::Service;
use crate::handoff::planted::{self, Bug};
use crate::handoff::ready::FORBIDDING;
use crate::ingest::names::FileName;
use crate::intake::{Landed, Taken, landed};
use crate::output::tell;
use crate::store::StoreError;

/// Size and time of a file: what changes while it is written.
type Mark = (u64, Option<SystemTime>);

/// Watches until `stop` is set, or until the store fails.
pub fn watch(service: &Service, landing: &Path, poll: Duration, stop: &AtomicBool) {
    crate::priority::yield_to_readers();
    let mut watch = Watch::default();
    while !stop.load(Ordering::Acquire) {
        let began = std::time::Instant::now();
        if service.intake.hub().has_failed() {
            // The views stand still from here on. The log is whole: a restart gives them back.
            tell(format_args!("error: a worker has failed\nhint: start the service again; nothing accepted is lost"));
            std::process::exit(2);
        }
        watch.look(service, landing, stop);
        service.intake.tick();
        if let Err(error) = service.intake.sweep_outbox().and_then(|()| service.intake.finish_orders()) {
            end(&error);
        }
        service.metrics.upkeep();
        while began.elapsed() < poll && !stop.load(Ordering::Acquire) {
            std::thread::park_timeout(poll.saturating_sub(began.elapsed()).min(Duration::from_millis(100)));
        }
    }
}

/// Nothing is known of what the disk holds: no more promises from this process.
pub fn end(error: &StoreError) -> ! {
    tracing::error!("{error}");
    tell(format_args!("error: {error}"));
    std::process::exit(2)
}

#[derive(Default)]
struct Watch {
    /// As they were seen last.
    seen: HashMap<String, Mark>,
    /// As they were when they were taken or refused.
    settled: HashMap<String, Mark>,
    /// Of these, files that were refused.
    refused: BTreeSet<String>,
    /// Names told to be none of ours.
    told: HashMap<String, String>,
    /// Files that are tried again, with why, as it was told.
    later: HashMap<String, String>,
}

impl Watch {
    fn look(&mut self, service: &Service, landing: &Path, stop: &AtomicBool) {
        let found = match landed(landing) {
            Ok(found) => found,
            Err(error) => {
                service.readiness.set_landing(Some(format!("could not list the landing directory: {error}")));
                if let Some(handoffs) = service.intake.handoffs() {
                    handoffs.waiting.forget();
                }
                return;
            }
        };
        service.readiness.set_landing(None);
        for name in service.intake.take_confirmed() {
            self.settled.remove(&name);
        }
        self.tell_strangers(&found);
        let forbidding = found.files.iter().filter(|(_, name)| FORBIDDING.contains(&name.feed));
        let of_feeds: BTreeSet<String> = forbidding.map(|(_, name)| name.name.clone()).collect();
        let mut ready = Vec::new();
        let mut seen = HashMap::new();
        for (path, name) in found.files {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            let mark = (metadata.len(), metadata.modified().ok());
            let has_control = path.with_file_name(format!("{}.ok", name.name)).exists();
            let stands_still = self.seen.get(&name.name) == Some(&mark);
            if self.settled.get(&name.name) != Some(&mark) && (has_control || stands_still) {
                ready.push((path, name.clone()));
            }
            seen.insert(name.name, mark);
        }
        self.seen = seen;
        self.settled.retain(|name, _| self.seen.contains_key(name));
        self.refused.retain(|name| self.seen.contains_key(name));
        self.later.retain(|name, _| self.seen.contains_key(name));
        service.intake.short(|name| self.seen.contains_key(name));
        // Until they are taken nothing is handed off past what they may forbid.
        self.tell_waiting(service, &of_feeds);
        let waiting = metrics::gauge!("cohortflow_queue_length", "queue" => "landing");
        waiting.set(ready.len() as f64);
        for (path, name) in ready {
            if stop.load(Ordering::Acquire) {
                return;
            }
            self.take(service, path, name);
            waiting.decrement(1.0);
            if planted::is(Bug::Unloaded) {
                // So long that somebody comes between two files.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.tell_waiting(service, &of_feeds);
    }

    /// Tells which files that may forbid contacts have landed and are not taken.
    fn tell_waiting(&self, service: &Service, files: &BTreeSet<String>) {
        let Some(handoffs) = service.intake.handoffs() else { return };
        let why = |file: &String| match self.settled.get(file) {
            None => Some("has landed and is not taken yet"),
            Some(mark) if self.seen.get(file) != Some(mark) => Some("has changed and is not taken yet"),
            Some(_) if self.refused.contains(file) => Some("was refused; deliver it again, or take it away"),
            Some(_) => None,
        };
        handoffs.waiting.set(files.iter().filter_map(|file| Some((file.clone(), why(file)?))).collect());
    }

    fn take(&mut self, service: &Service, path: PathBuf, name: FileName) {
        let (settled, seen) = (&mut self.settled, &self.seen);
        let (refused, later) = (&mut self.refused, &mut self.later);
        let result = service.intake.take(vec![(path, name)], &|_| {}, &mut |name, taken| {
            service.metrics.taken(name.feed, &taken);
            match &taken {
                Taken::Accepted { epoch, rows, bad_rows } => {
                    tracing::info!(file = name.name, epoch, rows, bad_rows, "accepted");
                }
                Taken::Superseded | Taken::Duplicate | Taken::Undone => {
                    tracing::info!(file = name.name, "nothing new: {taken:?}")
                }
                Taken::Held { before, now } => tracing::warn!(
                    file = name.name,
                    "held: it shrinks from {before} to {now} rows; `cohortflow confirm` lets it in"
                ),
                Taken::Rejected(why) => {
                    refused.insert(name.name.clone());
                    tracing::error!("{why}");
                }
                Taken::Later(why) => {
                    if later.insert(name.name.clone(), why.clone()).as_ref() != Some(why) {
                        tracing::warn!("{why}");
                    }
                    return;
                }
            }
            later.remove(&name.name);
            if !matches!(taken, Taken::Rejected(_)) {
                refused.remove(&name.name);
            }
            if let Some(mark) = seen.get(&name.name) {
                settled.insert(name.name.clone(), *mark);
            }
        });
        if let Err(error) = result {
            end(&error);
        }
    }

    fn tell_strangers(&mut self, found: &Landed) {
        // One line for each reason, however many files have it.
        let mut strangers: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        let left_alone = found.left_alone.iter().map(|(name, why)| (name, why.clone()));
        let malformed = found.malformed.iter().map(|(name, why, hint)| (name, format!("{why}; {hint}")));
        for (name, why) in left_alone.chain(malformed) {
            if self.told.insert(name.clone(), why.clone()).as_ref() != Some(&why) {
                strangers.entry(why).or_insert((0, name)).0 += 1;
            }
        }
        for (why, (files, name)) in strangers {
            tracing::warn!(files, "left alone, \"{name}\" among them: {why}");
        }
    }
}
