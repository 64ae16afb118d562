//! Receipts of files: what each changed when it became visible, in a file beside the log.
//!
//! ```text
//! frame    the epochs, names of files, the months, sums of points, rows that came and went
//! ```
//!
//! The log does not tell what a file changed: that follows from what stood then. It is noted when its epoch is visible,
//! by a thread of its own, and once: what is read again from the log after a restart changes nothing. Of epochs that
//! became visible together there is one receipt, which names the files.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use dataflows::types::{Epoch, Month, Word};

use super::beside::{Frames, Kind, Taken};
use super::codec::{Damaged, Reader, Writer};
use super::vfs::Vfs;

/// Rows that came, and went.
pub type Moved = (u64, u64);

/// What became visible together, and what it changed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Noted {
    /// After the first, up to the second.
    pub epochs: (Epoch, Epoch),
    /// The files among them, with the epochs in which they were taken.
    pub files: Vec<(Epoch, Box<str>)>,
    /// `as_of` before and after.
    pub as_of: [Option<Month>; 2],
    /// All balances together, before and after.
    pub points: [i64; 2],
    /// Rows of `tier`.
    pub tiers: Moved,
    /// Rows of `segment_member`, by segment.
    pub segments: Vec<(Word, Moved)>,
    /// Rows of `target`, by campaign.
    pub targets: Vec<(Word, Moved)>,
    /// Whether the views that follow were looked at: not where too much became visible at once.
    pub is_whole: bool,
    /// Rows of other views, by name.
    pub views: Vec<(Box<str>, Moved)>,
}

/// Most receipts that are kept: the latest. A province has some thousand files a year.
const RECEIPTS_MAX: usize = 10_000;

const FILE: Kind =
    Kind { name: "receipts", next: "receipts.next", aside: "receipts.aside", magic: b"COHORTRC", format: 1 };

/// No month is this.
const ABSENT: i64 = i64::MIN;

/// What a file must fit: the store that it lies beside.
pub(super) struct Beside {
    pub fingerprint: [u8; 16],
    pub epoch: Epoch,
    pub words: usize,
}

/// The file, and what is in it.
pub struct Receipts {
    frames: Frames,
    latest: VecDeque<Arc<Noted>>,
    /// Receipts in the file, those that are no longer among the latest included.
    written: usize,
}

impl Receipts {
    /// Opens the file, or begins one.
    pub(super) fn open(vfs: Arc<dyn Vfs>, beside: &Beside) -> io::Result<Receipts> {
        let mut latest = VecDeque::new();
        let mut written = 0;
        let (frames, is_foreign) = Frames::open(vfs, &FILE, beside.fingerprint, |payload| {
            let Ok(noted) = read(&mut Reader::new(payload)) else { return Taken::Damaged };
            let words = noted.segments.iter().chain(&noted.targets).map(|(word, _)| word.0 as usize);
            // Of a time that the log, brought back from a copy, knows nothing of.
            if noted.epochs.1 > beside.epoch || words.max().is_some_and(|word| word >= beside.words) {
                return Taken::Foreign;
            }
            written += 1;
            keep(&mut latest, Arc::new(noted));
            Taken::Kept
        })?;
        if is_foreign {
            (latest, written) = (VecDeque::new(), 0);
        }
        Ok(Receipts { frames, latest, written })
    }

    /// The receipt of a file that was taken in an epoch.
    pub fn of(&self, epoch: Epoch, file: &str) -> Option<Arc<Noted>> {
        let is_one = |noted: &&Arc<Noted>| noted.files.iter().any(|(of, name)| *of == epoch && **name == *file);
        self.latest.iter().rev().find(is_one).cloned()
    }

    /// Writes a receipt behind the others; all of the latest anew, where the file holds twice as many.
    pub fn write(&mut self, noted: Noted) -> io::Result<()> {
        let noted = Arc::new(noted);
        let payload = payload(&noted);
        keep(&mut self.latest, noted);
        self.written += 1;
        if self.written > 2 * RECEIPTS_MAX {
            self.frames.rewrite(self.latest.iter().map(|noted| self::payload(noted)))?;
            self.written = self.latest.len();
            return Ok(());
        }
        self.frames.append(&payload)
    }
}

fn keep(latest: &mut VecDeque<Arc<Noted>>, noted: Arc<Noted>) {
    latest.push_back(noted);
    if latest.len() > RECEIPTS_MAX {
        latest.pop_front();
    }
}

fn payload(noted: &Noted) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new() };
    writer.u64(noted.epochs.0);
    writer.u64(noted.epochs.1);
    writer.u64(noted.files.len() as u64);
    writer.column(noted.files.iter().map(|(epoch, _)| *epoch as i64));
    writer.texts(noted.files.iter().map(|(_, name)| Some(&**name)));
    writer.optional_column(noted.as_of.iter().map(|month| month.map(|month| i64::from(month.0))), ABSENT);
    writer.column(noted.points.iter().copied());
    for moved in [std::slice::from_ref(&(Word::NULL, noted.tiers)), &noted.segments, &noted.targets] {
        writer.u64(moved.len() as u64);
        writer.column(moved.iter().map(|(word, _)| i64::from(word.0)));
        writer.column(moved.iter().map(|(_, (came, _))| *came as i64));
        writer.column(moved.iter().map(|(_, (_, went))| *went as i64));
    }
    writer.u8(u8::from(noted.is_whole));
    writer.u64(noted.views.len() as u64);
    writer.texts(noted.views.iter().map(|(view, _)| Some(&**view)));
    writer.column(noted.views.iter().map(|(_, (came, _))| *came as i64));
    writer.column(noted.views.iter().map(|(_, (_, went))| *went as i64));
    writer.bytes
}

fn read(reader: &mut Reader<'_>) -> Result<Noted, Damaged> {
    let epochs = (reader.u64()?, reader.u64()?);
    if epochs.0 > epochs.1 {
        return Err(Damaged("epochs are out of order"));
    }
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many files"))?;
    let (of, names) = (reader.column_of(count)?, reader.texts(count)?);
    let epoch = |epoch: i64| u64::try_from(epoch).map_err(|_| Damaged("no such epoch"));
    let file = |(of, name): (i64, Option<&str>)| Ok((epoch(of)?, name.unwrap_or_default().into()));
    let files = of.into_iter().zip(names).map(file).collect::<Result<_, _>>()?;
    let month = |month: i64| match month {
        ABSENT => Ok(None),
        month => i32::try_from(month).map(|month| Some(Month(month))).map_err(|_| Damaged("no such month")),
    };
    let (months, points) = (reader.column_of(2)?, reader.column_of(2)?);
    let number = |number: i64| u64::try_from(number).map_err(|_| Damaged("fewer rows than none"));
    let mut moved = || -> Result<Vec<(Word, Moved)>, Damaged> {
        let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many rows"))?;
        let [words, came, went] = [reader.column_of(count)?, reader.column_of(count)?, reader.column_of(count)?];
        let one = |place: usize| {
            let word = u32::try_from(words[place]).map_err(|_| Damaged("no such word"))?;
            Ok((Word(word), (number(came[place])?, number(went[place])?)))
        };
        (0..count).map(one).collect()
    };
    let tiers = moved()?.first().map(|(_, moved)| *moved).unwrap_or_default();
    let (segments, targets, is_whole) = (moved()?, moved()?, reader.u8()? != 0);
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many views"))?;
    let (names, came, went) = (reader.texts(count)?, reader.column_of(count)?, reader.column_of(count)?);
    let view =
        |place: usize| Ok((names[place].unwrap_or_default().into(), (number(came[place])?, number(went[place])?)));
    Ok(Noted {
        epochs,
        files,
        as_of: [month(months[0])?, month(months[1])?],
        points: [points[0], points[1]],
        tiers,
        segments,
        targets,
        is_whole,
        views: (0..count).map(view).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::beside::{FRAME, HEADER};
    use super::super::memory::{Loss, Memory};
    use super::*;

    const BESIDE: Beside = Beside { fingerprint: [7; 16], epoch: 100, words: 10 };

    fn noted(epoch: Epoch) -> Noted {
        Noted {
            epochs: (epoch - 1, epoch),
            files: vec![(epoch, format!("bill_{epoch}.csv").into())],
            as_of: [None, Some(Month(5))],
            points: [-3, i64::MAX],
            tiers: (epoch, 2),
            segments: vec![(Word(3), (1, 0)), (Word(4), (0, 9))],
            targets: Vec::new(),
            is_whole: true,
            views: vec![("rank_count".into(), (1, 1))],
        }
    }

    fn open(memory: &Memory, beside: &Beside) -> Receipts {
        Receipts::open(Arc::new(memory.clone()), beside).expect("opened")
    }

    #[test]
    fn what_was_noted_is_there_again() {
        let memory = Memory::default();
        let mut receipts = open(&memory, &BESIDE);
        (1..=5).for_each(|epoch| receipts.write(noted(epoch)).expect("written"));
        drop(receipts);
        let receipts = open(&memory.crash(Loss::All), &BESIDE);
        assert_eq!(receipts.of(3, "bill_3.csv").as_deref(), Some(&noted(3)));
        assert_eq!((receipts.of(4, "bill_3.csv"), receipts.of(9, "bill_9.csv")), (None, None));
        for foreign in
            [Beside { fingerprint: [8; 16], ..BESIDE }, Beside { epoch: 4, ..BESIDE }, Beside { words: 4, ..BESIDE }]
        {
            assert!(open(&memory.crash(Loss::All), &foreign).latest.is_empty());
        }
    }

    #[test]
    fn a_torn_end_is_cut_and_changed_bytes_never_panic() {
        let memory = Memory::default();
        let mut receipts = open(&memory, &BESIDE);
        receipts.write(noted(1)).expect("written");
        let first = receipts.frames.end() as usize;
        receipts.write(noted(2)).expect("written");
        let bytes = memory.bytes(FILE.name).expect("a file");
        for len in 0..bytes.len() {
            let torn = Memory::default();
            torn.put(FILE.name, bytes[..len].to_vec());
            assert_eq!(open(&torn, &BESIDE).latest.len(), usize::from(len >= first), "{len}");
        }
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..500 {
            let mut bytes = bytes[..first].to_vec();
            (0..3).for_each(|_| bytes[rng.usize(HEADER + FRAME..first)] = rng.u8(..));
            // Whoever changed it has summed it up anew.
            let crc = crc32c::crc32c(&bytes[HEADER + FRAME..]);
            bytes[HEADER + 4..HEADER + FRAME].copy_from_slice(&crc.to_le_bytes());
            let changed = Memory::default();
            changed.put(FILE.name, bytes);
            open(&changed, &BESIDE);
        }
    }
}
