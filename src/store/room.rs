//! Room on the disk: that it is full is seen before anything is written, and what forbids contacts is taken all the
//! same.
//!
//! A write that fails ends the process, since nothing is known of the disk then. So the store asks first, and refuses
//! what would leave less than a reserve, without having touched the log. Whoever wants to be left alone is never told
//! to wait for a bigger disk: the reserve is his.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use dataflows::records::{FeedbackKind, Rows, State};

use super::content::Held;
use super::vfs::Vfs;

/// Bytes of the disk that are kept for what forbids contacts, unless the service is told otherwise. An opt-out takes
/// less than a kilobyte, and up to some hundred more where it takes a contact out of the outbox: room for hundreds of
/// these, or for tens of thousands of others.
pub const RESERVE_BYTES: u64 = 64_000_000;

/// What stays free whatever is written: files of other parts of the service, and what a file system keeps for itself.
const SLACK_BYTES: u64 = 1 << 20;

/// Largest record that may use up all of the reserve. A list of a million customers that forbids contacts leaves half
/// of it for those who come after.
const SMALL_BYTES: u64 = 1 << 20;

/// The disk has no room for what was to be written. Nothing was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the disk of the data directory is full: {} MB would have to be free\nhint: free some space on it; until then only what forbids contacts is taken: opt-outs, lists, consents, and a campaign's pause or end",
    .needed.div_ceil(1_000_000)
)]
pub struct Full {
    /// Bytes that would have to be free, what is kept included.
    pub needed: u64,
}

/// For what room is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Any,
    /// It forbids contacts, or tells which were made; or it was answered before, and an older copy of the data forgot it.
    Forbids,
}

impl Purpose {
    /// What several of them are for that stand or fall together.
    pub fn of_all(purposes: impl IntoIterator<Item = Purpose>) -> Purpose {
        let mut purposes = purposes.into_iter();
        if purposes.any(|purpose| purpose == Purpose::Forbids) { Purpose::Forbids } else { Purpose::Any }
    }

    /// What a partition is for. One that deletes may let through what was forbidden: it waits for room as others do, and
    /// what stands goes on to forbid.
    pub fn of(held: Held<'_>) -> Purpose {
        let forbids = match held.rows {
            _ if !held.deleted.is_empty() => false,
            Rows::Listing(_) | Rows::Consent(_) | Rows::Handoff(_) => true,
            Rows::Feedback(rows) => rows.iter().any(|row| row.feedback.kind == FeedbackKind::Optout),
            Rows::CampaignState(rows) => rows.iter().any(|row| matches!(row.state, State::Paused | State::Closed)),
            _ => false,
        };
        if forbids { Purpose::Forbids } else { Purpose::Any }
    }
}

/// The room on a store's disk.
#[derive(Clone)]
pub struct Room {
    vfs: Arc<dyn Vfs>,
    reserve: u64,
}

impl Room {
    pub fn new(vfs: Arc<dyn Vfs>, reserve: u64) -> Room {
        Room { vfs, reserve }
    }

    /// Whether so many bytes may be written.
    pub fn check(&self, bytes: u64, purpose: Purpose) -> Result<(), Full> {
        let left = match purpose {
            Purpose::Any => self.reserve,
            Purpose::Forbids if bytes > SMALL_BYTES => self.reserve / 2,
            Purpose::Forbids => 0,
        };
        self.has(bytes.saturating_add(left.max(SLACK_BYTES)))
    }

    /// Whether so many bytes are free. A disk that does not tell is taken to have them: the write will.
    pub fn has(&self, needed: u64) -> Result<(), Full> {
        let is_full = self.available().is_some_and(|available| available < needed);
        if is_full { Err(Full { needed }) } else { Ok(()) }
    }

    /// Bytes that are free; none where the disk does not tell.
    pub fn available(&self) -> Option<u64> {
        self.vfs.available().ok()
    }
}

/// Whether a write failed for want of room.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    #[test]
    fn the_reserve_is_for_what_forbids_contacts() {
        let memory = Memory::default();
        let room = Room::new(Arc::new(memory.clone()), RESERVE_BYTES);
        let check = |available: u64, bytes: u64, purpose: Purpose, is_taken: bool| {
            memory.set_available(available);
            assert_eq!(room.check(bytes, purpose).is_ok(), is_taken, "{bytes} of {available} bytes, {purpose:?}");
        };
        check(RESERVE_BYTES + 100, 100, Purpose::Any, true);
        check(RESERVE_BYTES + 99, 100, Purpose::Any, false);
        check(SLACK_BYTES + 100, 100, Purpose::Forbids, true);
        check(SLACK_BYTES + 99, 100, Purpose::Forbids, false);
        let large = SMALL_BYTES + 1;
        check(RESERVE_BYTES / 2 + large, large, Purpose::Forbids, true);
        check(RESERVE_BYTES / 2 + large - 1, large, Purpose::Forbids, false);
    }
}
