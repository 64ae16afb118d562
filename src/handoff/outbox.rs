//! The outbox: what channels take, and the journal of everything that was ever given to them.
//!
//! ```text
//! prepare (hidden file, journal: synced) ─► reserve (the store: synced) ─► publish (rename)
//! ```
//!
//! A file `channels/<channel>/<day>_<number>.csv` is whole from the moment it is there. A channel takes it by renaming
//! it to a directory of its own, and reads it then: what it took was handed off, what lies there can be withdrawn.
//! Between any two steps the machine may stop. A hidden file whose batch the store does not have was never reserved,
//! and is dropped; one whose batch it has was never seen, and is published. So nothing is seen twice, or unreserved.
//!
//! The journal lies here and not in the data directory: where that is brought back from an old copy, it tells what was
//! handed off since, and nobody is contacted again. How many batches it has is noted outside of both.

mod erasure;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dataflows::records::Feed;

use super::edits::Edits;
use super::message::{COLUMNS, Message};
use crate::ingest::Partition;

/// Names of a batch: the day, and a number of that day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Batch {
    pub day: String,
    pub number: String,
}

impl Batch {
    fn file(&self) -> String {
        format!("{}_{}.csv", self.day, self.number)
    }

    /// The partition that the store keeps it as.
    pub(super) fn partition(&self) -> Partition {
        Partition { feed: Feed::Handoff, period: self.day.clone(), part: self.number.clone() }
    }

    pub(super) fn parse(file: &str) -> Option<Batch> {
        let (day, number) = file.strip_suffix(".csv")?.split_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Batch { day: day.to_owned(), number: number.to_owned() })
    }
}

/// A directory of messages.
pub struct Outbox {
    root: PathBuf,
    /// Where the number of batches is noted.
    mark: PathBuf,
    batches: u64,
    edits: Edits,
}

const CHANNELS: &str = "channels";
const JOURNAL: &str = "journal";
/// What staff and channels forbade by hand: a data directory that is brought back may not know it.
const EDITS: &str = "edits.log";
/// Whose it is.
const STORE: &str = "store";

/// A line of the journal: what the store would have to be told again.
pub type Line = csv::StringRecord;

/// The columns of a journal file: enough to reserve again.
const JOURNAL_COLUMNS: [&str; 8] =
    ["contact_id", "campaign_id", "step", "customer_id", "channel_id", "arm", "at", "cost_fen"];
/// The name of a file that nobody is to see, by what it waits for.
const PREPARED: &str = ".prepared";
const TAKING: &str = ".taking";

impl Outbox {
    /// Opens the directory of a store, made where there is none. `mark` is a file outside of it and of the data.
    pub fn open(root: &Path, mark: &Path, store: &str) -> io::Result<Outbox> {
        for directory in [root.join(CHANNELS), root.join(JOURNAL)] {
            fs::create_dir_all(&directory)?;
        }
        sync_directory(root)?;
        own(&root.join(JOURNAL), store)?;
        let edits = Edits::open(&root.join(JOURNAL).join(EDITS))?;
        let outbox = Outbox { root: root.to_owned(), mark: mark.to_owned(), batches: 0, edits };
        sync_directory(&outbox.journal())?;
        let batches = outbox.journaled()?.len() as u64;
        Ok(Outbox { batches, ..outbox })
    }

    fn channels(&self) -> PathBuf {
        self.root.join(CHANNELS)
    }

    fn journal(&self) -> PathBuf {
        self.root.join(JOURNAL)
    }

    /// Where a channel finds its files.
    pub fn of_channel(&self, channel: &str) -> PathBuf {
        self.channels().join(segment(channel))
    }

    /// Whether batches are missing that were noted: the journal is older than what was handed off.
    pub fn missing(&self) -> io::Result<u64> {
        let noted = match fs::read_to_string(&self.mark) {
            Ok(text) => text.trim().parse().map_err(|_| io::Error::other("expected a number"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0u64,
            Err(error) => return Err(error),
        };
        Ok(noted.saturating_sub(self.batches))
    }

    /// Writes a batch where nobody sees it: files of channels, then the journal. Durable when this returns.
    pub fn prepare(&mut self, batch: &Batch, messages: &[Message]) -> io::Result<()> {
        self.hide(batch, messages)?;
        self.journalize(batch, messages)
    }

    /// The files of channels.
    pub fn hide(&self, batch: &Batch, messages: &[Message]) -> io::Result<()> {
        let mut by_channel: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
        for message in messages.iter().filter(|message| message.body.is_some()) {
            by_channel.entry(&message.channel.name).or_default().push(message);
        }
        for (channel, messages) in by_channel {
            let directory = self.of_channel(channel);
            if !directory.exists() {
                fs::create_dir(&directory)?;
                sync_directory(&self.channels())?;
            }
            let lines = messages.iter().map(|message| message.fields());
            write(&directory.join(hidden(batch, PREPARED)), &COLUMNS, lines)?;
            sync_directory(&directory)?;
        }
        Ok(())
    }

    /// What the journal keeps of a batch.
    pub fn journalize(&mut self, batch: &Batch, messages: &[Message]) -> io::Result<()> {
        let line = |message: &Message| {
            [
                message.contact_id.to_string(),
                message.campaign.name.to_string(),
                message.step.to_string(),
                message.customer_id.to_string(),
                message.channel.name.to_string(),
                message.arm.name().to_owned(),
                message.at.to_string(),
                message.cost.to_string(),
            ]
        };
        write(&self.journal().join(batch.file()), &JOURNAL_COLUMNS, messages.iter().map(line))?;
        sync_directory(&self.journal())?;
        self.batches += 1;
        Ok(())
    }

    /// Shows a batch to its channels, once it is reserved.
    pub fn publish(&mut self, batch: &Batch) -> io::Result<()> {
        self.note()?;
        for directory in self.directories()? {
            let (from, to) = (directory.join(hidden(batch, PREPARED)), directory.join(batch.file()));
            match fs::rename(from, to) {
                Ok(()) => sync_directory(&directory)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Drops a batch that was never reserved.
    pub fn discard(&mut self, batch: &Batch) -> io::Result<()> {
        // The journal first: what it tells without a hidden file was seen.
        let journaled = self.journal().join(batch.file());
        if journaled.exists() {
            fs::remove_file(journaled)?;
            sync_directory(&self.journal())?;
            self.batches = self.batches.saturating_sub(1);
        }
        for directory in self.directories()? {
            remove(&directory.join(hidden(batch, PREPARED)))?;
        }
        Ok(())
    }

    fn note(&self) -> io::Result<()> {
        let half = self.mark.with_extension("handed.tmp");
        let mut file = File::create(&half)?;
        writeln!(file, "{}", self.batches)?;
        file.sync_all()?;
        fs::rename(&half, &self.mark)?;
        sync_directory(self.mark.parent().unwrap_or(Path::new(".")))
    }

    /// Takes contacts out of a batch that a channel has not taken. Returns whether it had not. What is left is shown
    /// again, and never while the old file could be.
    pub fn withdraw(&self, batch: &Batch, channel: &str, contacts: &BTreeSet<Box<str>>) -> io::Result<bool> {
        let directory = self.of_channel(channel);
        let [shown, taking, prepared] =
            [batch.file(), hidden(batch, TAKING), hidden(batch, PREPARED)].map(|name| directory.join(name));
        match fs::rename(&shown, &taking) {
            Ok(()) => sync_directory(&directory)?,
            // It was taken away before, and there was no room to write it anew.
            Err(error) if error.kind() == io::ErrorKind::NotFound && taking.exists() => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        self.keep(&taking, &prepared, contacts)?;
        if prepared.exists() {
            fs::rename(&prepared, &shown)?;
            sync_directory(&directory)?;
        }
        Ok(true)
    }

    /// Whether a file was taken away from its channel and waits to be written anew.
    pub fn is_away(&self, batch: &Batch, channel: &str) -> bool {
        let directory = self.of_channel(channel);
        !directory.join(batch.file()).exists() && directory.join(hidden(batch, TAKING)).exists()
    }

    /// Takes contacts out of a batch that is shown to none of its channels, or not to all. Returns whether none of these
    /// has taken it.
    pub fn withhold(&self, batch: &Batch, channel: &str, contacts: &BTreeSet<Box<str>>) -> io::Result<bool> {
        let directory = self.of_channel(channel);
        let [taking, prepared] = [hidden(batch, TAKING), hidden(batch, PREPARED)].map(|name| directory.join(name));
        match fs::rename(&prepared, &taking) {
            Ok(()) => self.keep(&taking, &prepared, contacts).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.withdraw(batch, channel, contacts),
            Err(error) => Err(error),
        }
    }

    /// Writes what is left of a file beside it, without those contacts, and removes it.
    fn keep(&self, taking: &Path, prepared: &Path, contacts: &BTreeSet<Box<str>>) -> io::Result<()> {
        let lines = lines(taking)?;
        let mut left = lines.iter().filter(|line| line.get(0).is_none_or(|id| !contacts.contains(id))).peekable();
        if left.peek().is_some()
            && let Err(error) = write(prepared, &COLUMNS, left)
        {
            // Half of it is never shown.
            remove(prepared)?;
            return Err(error);
        }
        fs::remove_file(taking)?;
        sync_directory(taking.parent().unwrap_or(Path::new(".")))
    }

    /// Brings hidden files that were being rewritten back to where they were, and tells which wait to be published.
    pub fn hidden(&self) -> io::Result<BTreeSet<Batch>> {
        let mut waiting = BTreeSet::new();
        for directory in self.directories()? {
            let names = names(&directory)?;
            for name in names.iter().filter_map(|name| name.strip_suffix(TAKING)) {
                // What was to take its place may be half of it.
                fs::rename(directory.join(format!("{name}{TAKING}")), directory.join(format!("{name}{PREPARED}")))?;
            }
            let hidden = names.iter().filter_map(|name| name.strip_suffix(PREPARED).or(name.strip_suffix(TAKING)));
            waiting.extend(hidden.filter_map(|name| Batch::parse(name.strip_prefix('.')?)));
            sync_directory(&directory)?;
        }
        Ok(waiting)
    }

    /// Contacts that lie where channels find them, or are about to: batch, channel's directory, lines.
    pub fn lying(&self) -> io::Result<Vec<(Batch, bool, Vec<Line>)>> {
        let mut lying = Vec::new();
        for directory in self.directories()? {
            for name in names(&directory)? {
                let prepared = name.strip_suffix(PREPARED).and_then(|name| name.strip_prefix('.'));
                let Some(batch) = Batch::parse(prepared.unwrap_or(&name)) else { continue };
                match lines(&directory.join(&name)) {
                    Ok(lines) => lying.push((batch, prepared.is_some(), lines)),
                    // A channel has taken it meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(lying)
    }

    /// The batches of the journal.
    pub fn journaled(&self) -> io::Result<BTreeSet<Batch>> {
        Ok(names(&self.journal())?.iter().filter_map(|name| Batch::parse(name)).collect())
    }

    /// What the journal tells of a batch, in [`JOURNAL_COLUMNS`].
    pub fn told(&self, batch: &Batch) -> io::Result<Vec<Line>> {
        lines(&self.journal().join(batch.file()))
    }

    /// The edits that forbid contacts.
    pub fn edits(&mut self) -> &mut Edits {
        &mut self.edits
    }

    fn directories(&self) -> io::Result<Vec<PathBuf>> {
        let mut directories = Vec::new();
        for entry in fs::read_dir(self.channels())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            }
        }
        directories.sort();
        Ok(directories)
    }
}

/// Makes the journal a store's; an error where it is another's: what that one handed off is nothing to this one.
fn own(journal: &Path, store: &str) -> io::Result<()> {
    let path = journal.join(STORE);
    match fs::read_to_string(&path) {
        Ok(owner) if owner.trim() == store => Ok(()),
        // Its name may have outlived a power cut that its content did not.
        Ok(owner) if !owner.trim().is_empty() => Err(io::Error::other("it is the outbox of another store")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => {
            let mut file = File::create(&path)?;
            writeln!(file, "{store}")?;
            file.sync_all()?;
            sync_directory(journal)
        }
    }
}

/// The name of a channel's directory. Its id may hold anything; a directory's name may not.
pub(super) fn segment(channel: &str) -> String {
    let mut name = String::new();
    for byte in channel.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}

fn hidden(batch: &Batch, waits: &str) -> String {
    format!(".{}{waits}", batch.file())
}

pub(super) fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

pub(super) fn lines(path: &Path) -> io::Result<Vec<Line>> {
    let mut reader = csv::Reader::from_path(path).map_err(io::Error::from)?;
    reader.records().map(|line| line.map_err(io::Error::from)).collect()
}

pub(super) fn write<R>(path: &Path, columns: &[&str], lines: impl Iterator<Item = R>) -> io::Result<()>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    let mut writer = csv::Writer::from_writer(io::BufWriter::with_capacity(1 << 20, File::create(path)?));
    writer.write_record(columns).map_err(io::Error::from)?;
    for line in lines {
        writer.write_record(line).map_err(io::Error::from)?;
    }
    let buffer = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    buffer.into_inner().map_err(|error| io::Error::other(error.to_string()))?.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
