//! Dead letters: contacts that a receiver refused, or did not take in all attempts.
//!
//! `dead/<channel>/<day>.csv` has the columns of the outbox, then the batch, the attempts, the last status and the
//! moment. A contact that is tried again is in a file of its own beside what is being posted before it leaves here: a stop between the
//! two leaves it in both.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::message::COLUMNS;
use super::super::outbox::{Batch, Line, lines, names, segment, sync_directory, write};
use crate::posting::Status;

/// What is told beside the columns of the outbox.
const BESIDE: [&str; 4] = ["batch", "attempts", "status", "dead_at"];

/// The dead letters of an outbox.
pub struct DeadLetters {
    root: PathBuf,
    /// Files being posted, by channel.
    posting: PathBuf,
}

/// A dead letter as it is listed: the columns that tell which, and why.
#[derive(serde::Serialize, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    pub contact_id: String,
    pub campaign_id: String,
    pub customer_id: String,
    pub channel_id: String,
    pub attempts: String,
    pub status: String,
    pub dead_at: String,
}

fn columns() -> Vec<&'static str> {
    COLUMNS.into_iter().chain(BESIDE).collect()
}

impl DeadLetters {
    pub fn new(root: PathBuf, posting: PathBuf) -> DeadLetters {
        DeadLetters { root, posting }
    }

    /// Where they lie, in a directory for each channel.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Adds a contact. Durable when this returns; where it fails nothing is added. `at` is local wall time.
    pub fn add(&self, batch: &Batch, line: &Line, attempts: u32, status: Status, at: &str) -> io::Result<()> {
        let directory = self.root.join(segment(line.get(5).unwrap_or_default()));
        fs::create_dir_all(&directory)?;
        let day = at.split(' ').next().unwrap_or_default();
        let path = directory.join(format!("{day}.csv"));
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        let before = file.metadata()?.len();
        let mut writer = csv::Writer::from_writer(Vec::new());
        if before == 0 {
            writer.write_record(columns()).map_err(io::Error::from)?;
        }
        let beside =
            [format!("{}_{}", batch.day, batch.number), attempts.to_string(), status.to_string(), at.to_owned()];
        writer.write_record(line.iter().chain(beside.iter().map(String::as_str))).map_err(io::Error::from)?;
        let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if written.is_err() {
            file.set_len(before)?;
        }
        written?;
        sync_directory(&directory)?;
        sync_directory(&self.root)
    }

    /// Cuts off what was being written when the machine stopped.
    pub fn mend(&self) -> io::Result<()> {
        for path in self.files(None)? {
            let bytes = fs::read(&path)?;
            let (mut whole, mut record) = (0, csv::ByteRecord::new());
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&*bytes);
            while reader.read_byte_record(&mut record).map_err(io::Error::from)? {
                let end = reader.position().byte() as usize;
                let is_whole =
                    record.len() == columns().len() && bytes.get(..end).is_some_and(|read| read.ends_with(b"\n"));
                if !is_whole {
                    break;
                }
                whole = end;
            }
            if whole < bytes.len() {
                let file = OpenOptions::new().write(true).open(&path)?;
                file.set_len(whole as u64)?;
                file.sync_all()?;
            }
        }
        Ok(())
    }

    /// Those of a channel, or of all.
    pub fn list(&self, channel: Option<&str>) -> io::Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        for path in self.files(channel)? {
            letters.extend(lines(&path)?.iter().map(|line| {
                let field = |place: usize| line.get(place).unwrap_or_default().to_owned();
                DeadLetter {
                    contact_id: field(0),
                    campaign_id: field(1),
                    customer_id: field(3),
                    channel_id: field(5),
                    attempts: field(11),
                    status: field(12),
                    dead_at: field(13),
                }
            }));
        }
        Ok(letters)
    }

    /// Brings those of a channel back to be posted. Returns how many.
    pub fn replay(&self, channel: &str) -> io::Result<usize> {
        let mut replayed = 0;
        let posting = self.posting.join(segment(channel));
        fs::create_dir_all(&posting)?;
        for path in self.files(Some(channel))? {
            let mut batches: BTreeMap<String, Vec<Line>> = BTreeMap::new();
            for line in lines(&path)? {
                batches.entry(line.get(10).unwrap_or_default().to_owned()).or_default().push(line);
            }
            for (batch, lines) in batches {
                let name = |number: u32| format!("{batch}.again{number}.csv");
                let free = (1..)
                    .map(name)
                    .find(|name| {
                        let path = posting.join(name);
                        !path.exists() && !path.with_extension("done").exists()
                    })
                    .unwrap_or_default();
                let half = posting.join(format!(".{free}.tmp"));
                replayed += lines.len();
                write(&half, &COLUMNS, lines.iter().map(|line| line.iter().take(COLUMNS.len())))?;
                fs::rename(&half, posting.join(free))?;
                sync_directory(&posting)?;
            }
            fs::remove_file(&path)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(replayed)
    }

    fn files(&self, channel: Option<&str>) -> io::Result<Vec<PathBuf>> {
        let channels = match channel {
            Some(channel) => vec![segment(channel)],
            None => if_there(names(&self.root))?,
        };
        let mut files = Vec::new();
        for channel in channels {
            let directory = self.root.join(channel);
            files.extend(if_there(names(&directory))?.iter().map(|name| directory.join(name)));
        }
        Ok(files)
    }
}

fn if_there(names: io::Result<Vec<String>>) -> io::Result<Vec<String>> {
    match names {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_listed_mended_and_brought_back() {
        let home = tempfile::tempdir().expect("a directory");
        let posting = home.path().join("webhook");
        fs::create_dir_all(posting.join("sms")).expect("made");
        let dead = DeadLetters::new(home.path().join("dead"), posting.clone());
        assert_eq!(dead.list(None).expect("listed"), []);
        let batch = Batch { day: "2009-07-01".to_owned(), number: "00000001".to_owned() };
        let line = |id: &str| {
            Line::from(vec![id, "spring", "1", "c1", "", "sms", "1", "text", "one\n\"two\"", "2009-07-01 12:00:00"])
        };
        let add =
            |id: &str, status| dead.add(&batch, &line(id), 8, Status(status), "2009-07-02 09:00:00").expect("added");
        add("a", Some(503));
        add("b", None);
        let path = home.path().join("dead/sms/2009-07-02.csv");
        let whole = fs::read(&path).expect("a file");
        let ids =
            || dead.list(Some("sms")).expect("listed").iter().map(|one| one.contact_id.clone()).collect::<Vec<_>>();
        // Torn anywhere, the last one is gone and no other.
        let first = whole.windows(2).rposition(|two| two == b"\nb").expect("a second line") + 1;
        for end in first + 1..whole.len() {
            fs::write(&path, &whole[..end]).expect("written");
            dead.mend().expect("mended");
            assert_eq!(ids(), ["a"], "cut at {end}");
        }
        fs::write(&path, &whole).expect("written");
        dead.mend().expect("mended");
        assert_eq!(dead.list(None).expect("listed")[1].status, "no answer");
        assert_eq!(dead.replay("sms").expect("replayed"), 2);
        assert_eq!(ids(), Vec::<String>::new());
        let again = lines(&posting.join("sms/2009-07-01_00000001.again1.csv")).expect("read");
        assert_eq!(again, [line("a"), line("b")]);
    }
}
