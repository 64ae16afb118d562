//! What a frame of the log says.
//!
//! Every payload begins with a part of names (see [`super::dictionary`]). Then, by kind:
//!
//! | kind | payload |
//! |---|---|
//! | partition | part: ledger entry; part: rejects; part: rows; since format 2, part: lines of the rows, as runs; since format 4, where there are any, part: keys that are deleted |
//! | entries | ledger entries, to the end |
//! | programme | count, then name and text of each source |
//! | names | nothing more |
//! | key | 16 bytes by which the tokens' key is known again |
//! | undo, since format 2 | ledger entry of what is undone; whether something stands then, its version, its content |
//! | erased, since format 3 | whether nothing beside the log names them any more; facts of who was erased |

use dataflows::records::Feed;

use super::codec::{Damaged, Reader, Writer};
use super::content::{self, Content, Held};
use super::dictionary::Extent;
use super::ledger::Entry;
use super::{Source, rows};
use crate::ingest::{Extract, Lines, Reject};

/// The kind of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Partition = 1,
    Entries = 2,
    Programme = 3,
    Names = 4,
    Key = 5,
    Undo = 6,
    Erased = 7,
}

impl Kind {
    pub fn read(kind: u8) -> Result<Kind, Damaged> {
        [Kind::Partition, Kind::Entries, Kind::Programme, Kind::Names, Kind::Key, Kind::Undo, Kind::Erased]
            .into_iter()
            .find(|known| *known as u8 == kind)
            .ok_or(Damaged("no such kind of record"))
    }
}

/// The payload of a partition, behind the names that it begins with.
pub fn partition(names: Writer, entry: &Entry, extract: &Extract) -> Vec<u8> {
    write_partition(names, entry, &extract.rejects, Held::of(extract), Some(&extract.lines))
}

/// The same of its parts; without lines where they were never kept.
pub fn write_partition(
    names: Writer,
    entry: &Entry,
    rejects: &[Reject],
    held: Held<'_>,
    lines: Option<&Lines>,
) -> Vec<u8> {
    let mut writer = names;
    writer.bytes.reserve((held.rows.len() + held.deleted.len()).saturating_mul(ROW_BYTES));
    writer.part(|writer| entry.write(writer));
    writer.part(|writer| {
        writer.u64(rejects.len() as u64);
        writer.column(rejects.iter().map(|reject| reject.line as i64));
        writer.texts(rejects.iter().map(|reject| Some(&*reject.column)));
        writer.texts(rejects.iter().map(|reject| Some(&*reject.reason)));
        writer.texts(rejects.iter().map(|reject| Some(&*reject.row)));
    });
    writer.part(|writer| rows::write(held.rows, writer));
    // What deletes was written by a build that keeps lines.
    let none = Lines::default();
    let has_deleted = !held.deleted.is_empty();
    if let Some(lines) = lines.or(has_deleted.then_some(&none)) {
        writer.part(|writer| {
            let runs = lines.runs();
            writer.u64(runs.len() as u64);
            writer.column(runs.iter().map(|(row, _)| i64::from(*row)));
            writer.column(runs.iter().map(|(_, line)| *line as i64));
        });
    }
    if has_deleted {
        writer.part(|writer| content::write(entry.partition.feed, held.deleted, writer));
    }
    writer.bytes
}

/// Bytes of most rows once packed: room made at once, so that a payload is not moved as it grows.
const ROW_BYTES: usize = 16;

/// A partition's payload after its names, the parts not yet taken apart.
pub struct Head<'a> {
    pub entry: Entry,
    rejects: Reader<'a>,
    rows: Reader<'a>,
    /// None where a build wrote it that did not keep them.
    lines: Option<Reader<'a>>,
    /// None where there are none.
    deleted: Option<Reader<'a>>,
}

impl<'a> Head<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Result<Head<'a>, Damaged> {
        let (entry, rejects, rows) = (Entry::read(&mut reader.part()?)?, reader.part()?, reader.part()?);
        let lines = if reader.is_at_end() { None } else { Some(reader.part()?) };
        let deleted = if reader.is_at_end() { None } else { Some(reader.part()?) };
        Ok(Head { entry, rejects, rows, lines, deleted })
    }

    pub fn rejects(&self) -> Result<Vec<Reject>, Damaged> {
        let mut reader = self.rejects.clone();
        let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many rejects"))?;
        // Every reject has a reason.
        reader.expect(count)?;
        let lines = reader.column_of(count)?;
        let (columns, reasons, rows) = (reader.texts(count)?, reader.texts(count)?, reader.texts(count)?);
        let text = |texts: &[Option<&str>], at: usize| texts[at].unwrap_or_default().to_owned();
        let reject = |at: usize| Reject {
            line: lines[at] as u64,
            column: text(&columns, at),
            reason: text(&reasons, at),
            row: text(&rows, at),
        };
        Ok((0..count).map(reject).collect())
    }

    /// The lines of its rows, where they were kept.
    pub fn lines(&self) -> Result<Option<Lines>, Damaged> {
        let Some(mut reader) = self.lines.clone() else { return Ok(None) };
        let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many lines"))?;
        // Every run costs a byte at least, but the first few.
        reader.expect(count)?;
        let (rows, lines) = (reader.column_of(count)?, reader.column_of(count)?);
        let row = |row: i64| u32::try_from(row).map_err(|_| Damaged("no such row"));
        let line = |line: i64| u64::try_from(line).map_err(|_| Damaged("no such line"));
        let runs = rows.into_iter().zip(lines).map(|(of, on)| Ok((row(of)?, line(on)?)));
        let lines = Lines::of_runs(runs.collect::<Result<_, _>>()?);
        lines.map(Some).ok_or(Damaged("lines are out of order"))
    }

    /// The rows, and the keys that are deleted. `names` is how far names reach that they may use.
    pub fn content(&self, names: Extent) -> Result<Content, Damaged> {
        let feed: Feed = self.entry.partition.feed;
        let rows = rows::read(feed, names, &mut self.rows.clone())?;
        let deleted = self.deleted.clone().map(|mut reader| content::read(feed, names, &mut reader));
        Ok(Content { rows, deleted: deleted.transpose()?.unwrap_or_default() })
    }

    /// How many keys are deleted.
    pub fn deleted(&self) -> Result<u64, Damaged> {
        self.deleted.clone().map_or(Ok(0), |mut reader| reader.u64())
    }
}

pub fn write_sources(sources: &[Source], writer: &mut Writer) {
    writer.u32(sources.len() as u32);
    for (name, text) in sources {
        writer.text(name);
        writer.text(text);
    }
}

pub fn read_sources(reader: &mut Reader<'_>) -> Result<Vec<Source>, Damaged> {
    let count = reader.u32()?;
    (0..count).map(|_| Ok((reader.text()?.to_owned(), reader.text()?.to_owned()))).collect()
}
