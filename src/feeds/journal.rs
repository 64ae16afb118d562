//! What a feed has told, on disk: files that follow each other, of which the latest two are kept.
//!
//! Told is what was written before: whoever comes back after the service was killed goes on behind what he was told,
//! and what the view became meanwhile is what he is told next.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::row::{Gathered, Part, Row};
use super::segment::{Frame, HALF, Mark, Segment};
use crate::query::View;
use crate::store::StoreError;
use crate::store::vfs::Vfs;

/// Bytes of changes after which a new file begins, unless the rows take more.
const BYTES_TURN: u64 = 64 << 20;

/// What stays free on the disk, beside the reserve.
const SLACK_BYTES: u64 = 1 << 20;

/// Why a feed cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("what it tells could not be kept: {0}")]
    Io(#[from] io::Error),
    #[error("the disk is full: what it tells could not be kept")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The directory of feeds, and what each of them must fit.
#[derive(Clone)]
pub struct Place {
    pub vfs: Arc<dyn Vfs>,
    /// By what the store is known.
    pub store: [u8; 16],
    /// Bytes that are kept free.
    pub reserve: u64,
}

impl Place {
    /// What the files of a view are of.
    fn of(&self, view: &View) -> String {
        format!(
            "{{\"view\":\"{}\",\"schema\":\"{}\",\"store\":\"{}\"}}",
            view.name,
            schema(view),
            hex::encode(self.store)
        )
    }

    /// The files of a view, by number.
    fn files(&self, view: &View) -> io::Result<Vec<u64>> {
        let number = |name: &String| {
            let number = name.strip_prefix(view.name)?.strip_prefix('.')?;
            number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number)
        };
        let mut numbers: Vec<u64> = self.vfs.list()?.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Takes away what was begun and did not come to its end.
    fn drop_halves(&self, view: &View) -> io::Result<()> {
        let is_half = |name: &String| {
            let number = name.strip_prefix(view.name).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(HALF));
            number.is_some_and(|number| number.parse::<u64>().is_ok())
        };
        self.vfs.list()?.iter().filter(|name| is_half(name)).try_for_each(|name| self.vfs.remove(name))
    }

    /// Begins a file with all rows, for as long as there is room for them; of one that has none nothing stays.
    fn begin(
        &self,
        view: &View,
        number: u64,
        rows: impl Iterator<Item = Result<Part, JournalError>>,
        mark: Mark,
    ) -> Result<Segment, JournalError> {
        self.has_room(0)?;
        let rows = rows.map(|part| {
            let part = part?;
            self.has_room(part.bytes() as u64)?;
            Ok(part)
        });
        let segment = Segment::begin(&self.vfs, name(view, number), &self.of(view), rows, mark);
        if segment.is_err() {
            let _ = self.drop_halves(view);
        }
        segment
    }

    fn has_room(&self, bytes: u64) -> Result<(), JournalError> {
        let needed = self.reserve.saturating_add(SLACK_BYTES).saturating_add(bytes);
        if self.vfs.available()? < needed { Err(JournalError::Full) } else { Ok(()) }
    }
}

/// A digest of a view's columns: who reads others by its rows would misread them.
pub fn schema(view: &View) -> String {
    let columns: Vec<String> = view.columns.iter().map(|column| format!("{} {:?}", column.name, column.kind)).collect();
    hex::encode(&blake3::hash(columns.join(",").as_bytes()).as_bytes()[..4])
}

/// The files of a feed.
pub struct Journal {
    place: Place,
    view: &'static View,
    number: u64,
    segments: VecDeque<Segment>,
}

/// Where somebody reads on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    name: String,
    at: u64,
}

impl Journal {
    /// Opens the files of a view, with the rows that were told last. None where there are none that can be gone on from.
    pub fn open(place: &Place, view: &'static View) -> io::Result<Option<(Journal, Vec<Row>)>> {
        place.drop_halves(view)?;
        let (of, numbers) = (place.of(view), place.files(view)?);
        let mut journal = Journal { place: place.clone(), view, number: 0, segments: VecDeque::new() };
        let mut rows = Gathered::default();
        for (nth, number) in numbers.iter().enumerate() {
            let is_last = nth + 1 == numbers.len();
            let taken = |parts: Vec<Part>| {
                if is_last {
                    parts.into_iter().for_each(|part| rows.take(part));
                }
            };
            match Segment::open(&place.vfs, name(view, *number), &of, taken)? {
                // A file that is not whole hides what came before it.
                None => journal.segments.clear(),
                Some(segment) => {
                    if journal.last().is_some_and(|last| segment.first().is_none_or(|(first, _)| first != last)) {
                        journal.segments.clear();
                    }
                    journal.segments.push_back(segment);
                    journal.number = *number;
                }
            }
        }
        let is_whole = numbers.last() == Some(&journal.number) && !journal.segments.is_empty();
        Ok(is_whole.then(|| (journal, rows.rows())))
    }

    /// Begins the files of a view anew.
    pub fn begin(
        place: &Place,
        view: &'static View,
        rows: impl Iterator<Item = Result<Part, JournalError>>,
        mark: Mark,
    ) -> Result<Journal, JournalError> {
        let number = place.files(view)?.last().map_or(1, |last| last + 1);
        let mut journal = Journal { place: place.clone(), view, number, segments: VecDeque::new() };
        journal.segments.push_back(place.begin(view, number, rows, mark)?);
        journal.tidy()?;
        Ok(journal)
    }

    /// How far it tells.
    pub fn last(&self) -> Option<Mark> {
        self.segments.back().and_then(Segment::last)
    }

    /// Keeps what is about to be told.
    pub fn append(&mut self, parts: &[Arc<Part>], mark: Mark) -> Result<(), JournalError> {
        self.place.has_room(parts.iter().map(|part| part.bytes() as u64).sum())?;
        let segment = self.segments.back_mut().ok_or(JournalError::Full)?;
        Ok(segment.append(parts, mark)?)
    }

    /// Whether so much has changed since its rows were written that a new file is due.
    pub fn is_long(&self) -> bool {
        self.segments.back().is_some_and(|segment| {
            let (rows, changes) = segment.bytes();
            changes > rows.max(BYTES_TURN)
        })
    }

    /// Begins a new file with the rows as they stand. Who is further behind than the one before it has to begin anew.
    pub fn turn(&mut self, rows: impl Iterator<Item = Result<Part, JournalError>>) -> Result<(), JournalError> {
        let Some(mark) = self.last() else { return Ok(()) };
        let number = self.number + 1;
        let segment = self.place.begin(self.view, number, rows, mark)?;
        self.number = number;
        self.segments.push_back(segment);
        while self.segments.len() > 2 {
            self.segments.pop_front();
        }
        Ok(self.tidy()?)
    }

    /// Takes away the files that are not kept.
    fn tidy(&self) -> io::Result<()> {
        let kept = |number: u64| self.segments.iter().any(|segment| segment.name == name(self.view, number));
        for number in self.place.files(self.view)?.into_iter().filter(|number| !kept(*number)) {
            self.place.vfs.remove(&name(self.view, number))?;
        }
        Ok(())
    }

    /// Takes all of it away.
    pub fn remove(mut self) -> io::Result<()> {
        self.segments.clear();
        self.tidy()
    }

    /// Whether any of its files holds what `names` finds.
    pub fn holds(&self, names: &dyn Fn(&[u8]) -> bool) -> io::Result<bool> {
        self.segments
            .iter()
            .try_fold(false, |found, segment| Ok(found || holds(&*self.place.vfs, &segment.name, names)?))
    }

    /// The mark at a place in time, where it is still told what came after it; with where to read on.
    pub fn find(&self, upper: u64) -> Option<(Mark, Cursor)> {
        let of = |segment: &Segment| {
            let (mark, at) = segment.mark(upper)?;
            Some((mark, Cursor { name: segment.name.clone(), at }))
        };
        // The end of a file and the beginning of the next are the same place in time: the later one is read on.
        self.segments.iter().rev().find_map(of)
    }

    /// The next frame for a reader. None at the end; an error of kind `NotFound` where what he wants is kept no longer.
    pub fn read(&self, cursor: &mut Cursor) -> io::Result<Option<Frame>> {
        loop {
            let place = self.segments.iter().position(|segment| segment.name == cursor.name);
            let place = place.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            if let Some((frame, after)) = self.segments[place].frame(cursor.at)? {
                cursor.at = after;
                return Ok(Some(frame));
            }
            let Some(next) = self.segments.get(place + 1) else { return Ok(None) };
            let Some((_, at)) = next.first() else { return Ok(None) };
            *cursor = Cursor { name: next.name.clone(), at };
        }
    }
}

/// Bytes of a file that are looked at together, and those that are looked at again with the next: more than an id takes
/// as JSON.
const LOOKED_AT: u64 = 1 << 20;
const AGAIN: u64 = 4 << 10;

/// Whether a file holds what `names` finds.
pub fn holds(vfs: &dyn Vfs, name: &str, names: &dyn Fn(&[u8]) -> bool) -> io::Result<bool> {
    let file = vfs.open(name)?;
    let (len, mut at) = (file.size()?, 0);
    while at < len {
        let mut bytes = vec![0; (len - at).min(LOOKED_AT) as usize];
        file.read_at(at, &mut bytes)?;
        if names(&bytes) {
            return Ok(true);
        }
        at += if at + (bytes.len() as u64) < len { LOOKED_AT - AGAIN } else { LOOKED_AT };
    }
    Ok(false)
}

fn name(view: &View, number: u64) -> String {
    format!("{}.{number}", view.name)
}
