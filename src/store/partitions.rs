//! Partitions: which version of each stands, what stood before it, and what of it was undone.
//!
//! ```text
//! accepted   standing goes on top of before, the new version stands, what was undone is forgotten
//! undone     the top of before stands again, or nothing; the undone version is remembered
//! ```
//!
//! Invariant: nothing of a partition is taken any more whose version is not above that which was undone. A person
//! has said so, and a redelivery is nobody's second thought.

use super::log::Location;
use crate::ingest::Partition;

/// A version of a partition, and where its record is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    pub version: u32,
    pub sha256: [u8; 32],
    pub location: Location,
    /// Good ones, that say what stands.
    pub rows: u64,
    /// Keys that it deletes.
    pub deleted: u64,
}

/// A partition.
pub struct Live {
    pub partition: Partition,
    /// None where what stood was undone, and nothing had stood before it.
    pub standing: Option<Version>,
    /// What stood before, the latest last: what an undo brings back. The log keeps the last of them when it is written
    /// anew, and lets go of the others.
    pub before: Vec<Version>,
    /// That with the greatest version of those that were undone, until a higher one stands.
    pub undone: Option<Version>,
}

impl Live {
    pub fn new(partition: Partition) -> Live {
        Live { partition, standing: None, before: Vec::new(), undone: None }
    }

    /// The greatest version that ever stood.
    pub fn version(&self) -> u32 {
        let of = |version: &Option<Version>| version.as_ref().map_or(0, |version| version.version);
        of(&self.standing).max(of(&self.undone))
    }

    /// Lets a version stand. Gives how many bytes of the log are of no use from then on.
    pub fn stand(&mut self, version: Version) -> u64 {
        let mut dead = len(self.undone.take().as_ref());
        if let Some(standing) = self.standing.replace(version) {
            dead += len(self.before.last());
            self.before.push(standing);
        }
        dead
    }

    /// Undoes what stands. Gives how many more bytes of the log are of no use from then on, or fewer.
    pub fn undo(&mut self) -> i64 {
        let Some(undone) = self.standing.take() else { return 0 };
        self.standing = self.before.pop();
        // What is kept as what stood before is of use again.
        let revived = len(self.before.last()) as i64;
        let forgotten = match &self.undone {
            Some(mark) if mark.version > undone.version => len(Some(&undone)),
            _ => len(self.undone.replace(undone).as_ref()),
        };
        forgotten as i64 - revived
    }

    /// The versions that the log keeps, in the order in which their records stand in it: read again, and the last of them
    /// undone where one was, they give this partition again.
    pub fn kept(&self) -> impl Iterator<Item = &Version> {
        self.before.last().into_iter().chain(&self.standing).chain(&self.undone)
    }

    /// The same, to be told where they stand now.
    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut Version> {
        let begin = self.before.len().saturating_sub(1);
        self.before.drain(..begin);
        self.before.iter_mut().chain(&mut self.standing).chain(&mut self.undone)
    }
}

fn len(version: Option<&Version>) -> u64 {
    version.map_or(0, |version| version.location.len)
}
