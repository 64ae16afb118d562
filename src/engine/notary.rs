//! Hands on what each publication changed, to whoever notes it, on a thread of his own.

use std::thread::JoinHandle;

use crossbeam_channel::Sender;

use super::Published;
use crate::store::receipts::{Moved, Noted};

/// Who notes it.
pub(super) struct Notary {
    noted: Sender<Noted>,
    thread: JoinHandle<()>,
}

impl Notary {
    /// Gives what comes to `keep`, in the order in which it became visible.
    pub fn start(mut keep: impl FnMut(Noted) + Send + 'static) -> Notary {
        // A few words a publication, which a thread that only writes them takes at once.
        let (noted, noting) = crossbeam_channel::unbounded::<Noted>();
        let thread = std::thread::spawn(move || noting.into_iter().for_each(&mut keep));
        Notary { noted, thread }
    }

    /// Hands on what changed with a publication.
    pub fn look(&self, last: &Published, published: &Published) {
        let of = |(came, went): (usize, usize)| -> Moved { (came as u64, went as u64) };
        let difference = &published.difference;
        let sum = |published: &Published| {
            let members = published.books.members;
            i64::try_from(members).unwrap_or(if members < 0 { i64::MIN } else { i64::MAX })
        };
        let moved = |counts: &mut dyn Iterator<Item = (&dataflows::types::Word, &(usize, usize))>| {
            let mut moved: Vec<_> = counts.map(|(word, counts)| (*word, of(*counts))).collect();
            moved.retain(|(_, moved)| *moved != (0, 0));
            moved.sort_unstable();
            moved
        };
        let noted = Noted {
            epochs: (last.epoch, published.epoch),
            files: Vec::new(),
            as_of: [last.clock.as_of, published.clock.as_of],
            points: [sum(last), sum(published)],
            tiers: of(difference.tiers),
            segments: moved(&mut difference.members.iter()),
            targets: moved(&mut difference.targets.iter()),
        };
        // Who is gone notes nothing, and nothing hangs on it.
        let _ = self.noted.send(noted);
    }

    /// Waits until everything that was handed on is noted. False where that ended badly.
    pub fn end(self) -> bool {
        drop(self.noted);
        self.thread.join().is_ok()
    }
}
