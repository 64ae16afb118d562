//! A file that was taken from the outbox to be posted, and how far that has come.
//!
//! Beside a file `<name>.csv` lies `<name>.done`: a line for each contact that needs nothing more. It is durable before
//! the next contact is looked at, so that at most one attempt is repeated after a stop, under the same id.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::message::COLUMNS;
use super::super::outbox::{Batch, Line, lines, sync_directory};
use crate::posting::Status;

/// What became of a contact in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Sent,
    Withdrawn,
    Dead,
}

impl End {
    pub fn name(self) -> &'static str {
        match self {
            End::Sent => "sent",
            End::Withdrawn => "withdrawn",
            End::Dead => "dead",
        }
    }
}

/// A contact that is to be posted.
pub struct Pending {
    pub line: Line,
    /// Attempts since the service was started.
    pub attempts: u32,
    pub due: Instant,
    /// Set once it is not to be tried again, and no dead letter yet.
    pub refused: Option<Status>,
}

impl Pending {
    pub fn contact_id(&self) -> &str {
        self.line.get(0).unwrap_or_default()
    }
}

/// A file that is being posted.
pub struct Parcel {
    pub path: PathBuf,
    pub batch: Batch,
    pub pending: VecDeque<Pending>,
    done: File,
    /// Bytes of whole lines of what is done.
    len: u64,
    /// Lines that could not be written yet.
    unnoted: String,
}

/// The batch of a file's name, where it is one of ours: that of a batch, or of dead letters of it that are tried again.
pub fn batch_of(name: &str) -> Option<Batch> {
    let stem = name.strip_suffix(".csv")?;
    let stem = stem.split_once('.').map_or(stem, |(stem, _)| stem);
    Batch::parse(&format!("{stem}.csv"))
}

impl Parcel {
    /// Opens a file; what is done of it is known.
    pub fn open(path: &Path) -> io::Result<Option<Parcel>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(batch) = batch_of(name) else { return Ok(None) };
        let lines = lines(path)?;
        let mut done = OpenOptions::new().read(true).append(true).create(true).open(path.with_extension("done"))?;
        let mut text = String::new();
        done.read_to_string(&mut text)?;
        // What is behind the last whole line was not durable when the machine stopped.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        done.set_len(whole as u64)?;
        sync_directory(path.parent().unwrap_or(Path::new(".")))?;
        let known: HashSet<&str> =
            text.get(..whole).unwrap_or_default().lines().filter_map(|line| line.split(' ').next()).collect();
        let due = Instant::now();
        let is_open = |line: &Line| line.len() == COLUMNS.len() && line.get(0).is_some_and(|id| !known.contains(id));
        let pending =
            lines.into_iter().filter(is_open).map(|line| Pending { line, attempts: 0, due, refused: None }).collect();
        Ok(Some(Parcel { path: path.to_owned(), batch, pending, done, len: whole as u64, unnoted: String::new() }))
    }

    /// Notes that a contact needs nothing more. Durable when this returns; where it fails it is tried with the next
    /// call of [`Parcel::settle`].
    pub fn note(&mut self, contact_id: &str, end: End) -> io::Result<()> {
        self.unnoted.push_str(&format!("{contact_id} {}\n", end.name()));
        self.settle()
    }

    /// Writes what could not be written before.
    pub fn settle(&mut self) -> io::Result<()> {
        if self.unnoted.is_empty() {
            return Ok(());
        }
        self.done.set_len(self.len)?;
        self.done.write_all(self.unnoted.as_bytes())?;
        self.done.sync_data()?;
        self.len += self.unnoted.len() as u64;
        self.unnoted.clear();
        Ok(())
    }

    /// Removes a file of which nothing is left to do.
    pub fn close(&self) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::remove_file(&self.path)?;
        // Only then what is done of it: without it everything would be posted again.
        sync_directory(directory)?;
        fs::remove_file(self.path.with_extension("done"))
    }
}

/// A message as its receiver has it: the columns of the file, numbers as such, null for what is empty.
pub fn body(line: &Line) -> String {
    let value = |(name, text): (&&str, &str)| {
        let number = matches!(*name, "step" | "content_version").then(|| text.parse::<u64>().ok()).flatten();
        let value = match number {
            Some(number) => number.into(),
            None if text.is_empty() => serde_json::Value::Null,
            None => text.into(),
        };
        ((*name).to_owned(), value)
    };
    let fields: serde_json::Map<_, _> = COLUMNS.iter().zip(line).map(value).collect();
    serde_json::Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_it_was_and_a_torn_note_is_none() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("2009-07-01_00000001.csv");
        let row = |id: &str| format!("{id},spring,1,c1,,sms,1,text,Reply Y,2009-07-01 12:00:00\n");
        fs::write(&path, format!("{}\n{}{}{}", COLUMNS.join(","), row("a"), row("b"), row("c"))).expect("written");
        let ids = |parcel: &Parcel| parcel.pending.iter().map(|one| one.contact_id().to_owned()).collect::<Vec<_>>();
        let open = || Parcel::open(&path).expect("read").expect("a batch");
        let mut parcel = open();
        assert_eq!(ids(&parcel), ["a", "b", "c"]);
        assert_eq!(
            body(&parcel.pending[0].line),
            r#"{"contact_id":"a","campaign_id":"spring","step":1,"customer_id":"c1","number":null,"channel_id":"sms","content_version":1,"kind":"text","content":"Reply Y","at":"2009-07-01 12:00:00"}"#
        );
        parcel.note("b", End::Sent).expect("noted");
        let done = path.with_extension("done");
        let noted = fs::read_to_string(&done).expect("a file");
        fs::write(&done, format!("{noted}a se")).expect("written");
        let mut parcel = open();
        assert_eq!(ids(&parcel), ["a", "c"]);
        parcel.note("c", End::Dead).expect("noted");
        assert_eq!(fs::read_to_string(&done).expect("a file"), "b sent\nc dead\n");
        parcel.close().expect("removed");
        assert_eq!(fs::read_dir(home.path()).expect("a directory").count(), 0);
    }

    #[test]
    fn files_are_of_a_batch() {
        let batch = Some(Batch { day: "2009-07-01".to_owned(), number: "00000001".to_owned() });
        assert_eq!(batch_of("2009-07-01_00000001.csv"), batch);
        assert_eq!(batch_of("2009-07-01_00000001.again3.csv"), batch);
        for name in ["2009-07-01_00000001.done", ".2009-07-01_00000001.csv.tmp", "x.csv", ""] {
            assert_eq!(batch_of(name), None, "{name}");
        }
    }
}
