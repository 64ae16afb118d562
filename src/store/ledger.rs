//! The ledger: what became of every file.
//!
//! One entry for each content of each version of a partition. Which status it has does not depend
//! on the order in which files came: of the versions of a partition that were taken, the greatest
//! is `accepted` and the others are `superseded`, whether it came before them or after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use dataflows::records::Feed;
use dataflows::types::{Day, Epoch, Month, Time};

use super::codec::{Damaged, Reader, Writer};
use crate::ingest::Partition;

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Status {
    /// Its rows are live.
    Accepted = 1,
    /// A higher version of its partition is.
    Superseded = 2,
    /// It was refused whole, and changed nothing.
    Rejected = 3,
    /// It waits for a person, and has changed nothing.
    Held = 4,
    /// A person has let it in: it is taken when it is read again.
    Confirmed = 5,
    /// It was taken, and a person has undone it: it changes nothing any more, and stays so until a higher version comes.
    Undone = 6,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Accepted => "accepted",
            Status::Superseded => "superseded",
            Status::Rejected => "rejected",
            Status::Held => "held",
            Status::Confirmed => "confirmed",
            Status::Undone => "undone",
        })
    }
}

/// A row of `ingest_ledger`, with the file's name and what it was refused for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub partition: Partition,
    pub version: u32,
    pub sha256: [u8; 32],
    pub status: Status,
    pub file: String,
    /// Data rows, bad ones included, and the bad ones; none where a file was refused before they
    /// were counted.
    pub rows: Option<(u64, u64)>,
    /// Rows that were left out, or are no more, since whom they name was erased; they are none of those.
    pub erased: u64,
    /// Wall time, local, in seconds as [`dataflows::types::Time`].
    pub accepted_at: i64,
    pub epoch: Epoch,
    /// Why it was rejected or is held; empty otherwise.
    pub reason: String,
}

/// Partition, version, content.
pub type Key = (Partition, u32, [u8; 32]);

/// Set in the byte of a status where a number of rows that were left out follows: builds of earlier formats wrote none.
const HAS_ERASED: u8 = 0x80;

/// All entries, in the order of the view.
#[derive(Default)]
pub struct Ledger {
    entries: BTreeMap<Key, Entry>,
    /// Those of requests, by the names under which they came.
    requests: HashMap<String, Key>,
    /// Those that wait for a person.
    held: BTreeSet<Key>,
    /// What was accepted last of each feed: nobody looks at all entries for it.
    newest: BTreeMap<Feed, Newest>,
}

/// How fresh a feed is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Newest {
    /// Wall time, local, at which something of it was accepted last.
    pub accepted_at: Time,
    /// The end of the greatest period that was accepted of it, where one is a month or a day.
    pub period_end: Option<Time>,
}

/// What begins the name of a request, where files have theirs. No file's name has a colon.
pub const REQUEST: &str = "request:";

impl Ledger {
    /// The entries, by partition, version and content.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// What became of a content, where it came before.
    pub fn get(&self, partition: &Partition, version: u32, sha256: [u8; 32]) -> Option<&Entry> {
        self.entries.get(&(partition.clone(), version, sha256))
    }

    /// What became of a request that came under a name.
    pub fn request(&self, name: &str) -> Option<&Entry> {
        self.entries.get(self.requests.get(name)?)
    }

    /// The files that wait for a person, the last delivered of each name.
    pub fn held(&self) -> BTreeMap<&str, &Entry> {
        let mut held: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in self.held.iter().filter_map(|key| self.entries.get(key)) {
            let last = held.entry(&entry.file).or_insert(entry);
            if entry.epoch > last.epoch {
                *last = entry;
            }
        }
        held
    }

    /// How many entries wait for a person.
    pub fn waiting(&self) -> usize {
        self.held.len()
    }

    /// How fresh each feed is of which something was accepted.
    pub fn newest(&self) -> impl Iterator<Item = (Feed, Newest)> + '_ {
        self.newest.iter().map(|(feed, newest)| (*feed, *newest))
    }

    /// Enters what became of a file.
    pub fn enter(&mut self, entry: Entry) {
        let key = entry.key();
        match entry.status {
            Status::Held => drop(self.held.insert(key.clone())),
            _ => drop(self.held.remove(&key)),
        }
        if entry.status == Status::Accepted {
            let (accepted_at, period_end) = (Time(entry.accepted_at), end_of(&entry.partition.period));
            let newest = self.newest.entry(entry.partition.feed).or_insert(Newest { accepted_at, period_end });
            newest.accepted_at = newest.accepted_at.max(accepted_at);
            newest.period_end = newest.period_end.max(period_end);
        }
        if entry.file.starts_with(REQUEST) {
            self.requests.insert(entry.file.clone(), key.clone());
        }
        self.entries.insert(key, entry);
    }

    /// The entries of a partition.
    pub fn of(&self, partition: &Partition) -> impl Iterator<Item = &Entry> {
        let least = (partition.clone(), 0, [0; 32]);
        self.entries.range(least..).map(|(_, entry)| entry).take_while(move |entry| entry.partition == *partition)
    }

    /// Marks what was superseded as accepted, since what took its place was undone.
    pub fn stands_again(&mut self, partition: &Partition, version: u32, sha256: [u8; 32]) {
        let entry = self.entries.get_mut(&(partition.clone(), version, sha256));
        entry.into_iter().for_each(|entry| entry.status = Status::Accepted);
    }

    /// Marks what was accepted of a partition as superseded, since something else now is.
    pub fn supersede(&mut self, partition: &Partition) {
        let least = (partition.clone(), 0, [0; 32]);
        let own = self.entries.range_mut(least..).take_while(|((held, ..), _)| held == partition);
        own.filter(|(_, entry)| entry.status == Status::Accepted)
            .for_each(|(_, entry)| entry.status = Status::Superseded);
    }
}

/// The last second of a period that is a month or a day.
fn end_of(period: &str) -> Option<Time> {
    let month = || Month::parse(period).map(Month::last_second);
    month().or_else(|| Day::parse(period).map(|day| Time(Day(day.0 + 1).start().0 - 1)))
}

impl Entry {
    pub fn write(&self, writer: &mut Writer) {
        write_partition(&self.partition, writer);
        writer.u32(self.version);
        writer.bytes.extend_from_slice(&self.sha256);
        writer.u8(self.status as u8 | if self.erased > 0 { HAS_ERASED } else { 0 });
        writer.text(&self.file);
        let (rows, bad_rows) = self.rows.unwrap_or((u64::MAX, u64::MAX));
        writer.u64(rows);
        writer.u64(bad_rows);
        writer.i64(self.accepted_at);
        writer.u64(self.epoch);
        writer.text(&self.reason);
        if self.erased > 0 {
            writer.u64(self.erased);
        }
    }

    pub fn key(&self) -> Key {
        (self.partition.clone(), self.version, self.sha256)
    }

    pub fn read(reader: &mut Reader<'_>) -> Result<Entry, Damaged> {
        let (partition, version, sha256) = (read_partition(reader)?, reader.u32()?, reader.bytes()?);
        let status = reader.u8()?;
        Ok(Entry {
            partition,
            version,
            sha256,
            status: match status & !HAS_ERASED {
                1 => Status::Accepted,
                2 => Status::Superseded,
                3 => Status::Rejected,
                4 => Status::Held,
                5 => Status::Confirmed,
                6 => Status::Undone,
                _ => return Err(Damaged("a file has no such status")),
            },
            file: reader.text()?.to_owned(),
            rows: Some((reader.u64()?, reader.u64()?)).filter(|(rows, _)| *rows != u64::MAX),
            accepted_at: reader.i64()?,
            epoch: reader.u64()?,
            reason: reader.text()?.to_owned(),
            erased: if status & HAS_ERASED == 0 { 0 } else { reader.u64()? },
        })
    }
}

fn write_partition(partition: &Partition, writer: &mut Writer) {
    writer.u8(partition.feed as u8);
    writer.text(&partition.period);
    writer.text(&partition.part);
}

fn read_partition(reader: &mut Reader<'_>) -> Result<Partition, Damaged> {
    let feed = reader.u8()?;
    let feed = Feed::ALL.into_iter().find(|known| *known as u8 == feed).ok_or(Damaged("no such feed"))?;
    Ok(Partition { feed, period: reader.text()?.to_owned(), part: reader.text()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(feed: Feed, period: &str, status: Status, accepted_at: i64) -> Entry {
        Entry {
            erased: 0,
            partition: Partition { feed, period: period.to_owned(), part: String::new() },
            version: 1,
            sha256: [0; 32],
            status,
            file: format!("{}_{period}.csv", feed.name()),
            rows: None,
            accepted_at,
            epoch: 1,
            reason: String::new(),
        }
    }

    #[test]
    fn a_feed_is_as_fresh_as_what_was_accepted_of_it() {
        let mut ledger = Ledger::default();
        ledger.enter(entry(Feed::Bill, "2009-07", Status::Accepted, 20));
        ledger.enter(entry(Feed::Bill, "2009-06", Status::Accepted, 30));
        ledger.enter(entry(Feed::Bill, "2009-08", Status::Rejected, 40));
        ledger.enter(entry(Feed::Usage, "2009-07-31", Status::Accepted, 10));
        ledger.enter(entry(Feed::Listing, "vip", Status::Accepted, 5));
        let end = Month::parse("2009-07").map(Month::last_second);
        let newest = |accepted_at, period_end| Newest { accepted_at: Time(accepted_at), period_end };
        let expected =
            [(Feed::Bill, newest(30, end)), (Feed::Usage, newest(10, end)), (Feed::Listing, newest(5, None))];
        assert_eq!(ledger.newest().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_file_waits_for_a_person_until_it_is_entered_otherwise() {
        let mut ledger = Ledger::default();
        ledger.enter(entry(Feed::Listing, "vip", Status::Held, 5));
        assert_eq!((ledger.waiting(), ledger.held().len()), (1, 1));
        ledger.enter(entry(Feed::Listing, "vip", Status::Confirmed, 6));
        assert_eq!((ledger.waiting(), ledger.held().len()), (0, 0));
    }
}
