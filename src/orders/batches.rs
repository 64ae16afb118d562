//! What is given out to be provisioned: files that are taken, and the journal of all that ever was in one.
//!
//! ```text
//! hidden file (synced) ─► journal (synced): given out from here on ─► renamed: whole, and there to be taken
//! ```
//!
//! A file `<day>_<number>.csv` is whole from the moment it is there; whoever provisions takes it by renaming it. A
//! hidden file that the journal does not tell of was never given out, and is dropped; one that it tells of is shown. So
//! a request is in one file, for ever: the journal lies here and not in the data, and an older copy of that gives
//! nothing out again. How many batches there are is noted outside of both.

mod erasure;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dataflows::types::Time;

const JOURNAL: &str = "journal";
const PREPARED: &str = ".prepared";
const HALF: &str = ".half";

const COLUMNS: [&str; 6] = ["request_id", "customer_id", "number", "product_id", "action", "at"];

/// A request as it is given out.
pub struct Line {
    pub request_id: String,
    pub customer: String,
    /// What stands for his phone number.
    pub number: String,
    pub product: String,
    pub at: Time,
}

/// The directory of batches.
pub struct Batches {
    root: PathBuf,
    mark: PathBuf,
    batches: BTreeSet<String>,
    given: BTreeSet<String>,
    /// Batches that were noted and that the journal lacks.
    missing: u64,
}

impl Batches {
    /// Opens a directory, made where there is none, and shows what was given out and not shown. `mark` is a file outside
    /// of it and of the data.
    pub fn open(root: &Path, mark: &Path) -> io::Result<Batches> {
        fs::create_dir_all(root.join(JOURNAL))?;
        sync_directory(root)?;
        let mut batches = Batches {
            root: root.to_owned(),
            mark: mark.to_owned(),
            batches: BTreeSet::new(),
            given: BTreeSet::new(),
            missing: 0,
        };
        for name in names(&root.join(JOURNAL))? {
            let path = root.join(JOURNAL).join(&name);
            if name.ends_with(HALF) {
                fs::remove_file(path)?;
                continue;
            }
            batches.given.extend(fs::read_to_string(path)?.lines().map(str::to_owned));
            batches.batches.insert(name);
        }
        for name in names(root)? {
            let Some(file) = name.strip_prefix('.').and_then(|name| name.strip_suffix(PREPARED)) else { continue };
            if batches.batches.contains(file) {
                batches.show(file)?;
            } else {
                fs::remove_file(root.join(&name))?;
            }
        }
        sync_directory(root)?;
        let noted = match fs::read_to_string(mark) {
            Ok(text) => text.trim().parse().map_err(|_| io::Error::other("expected a number"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0u64,
            Err(error) => return Err(error),
        };
        batches.missing = noted.saturating_sub(batches.batches.len() as u64);
        Ok(batches)
    }

    /// What keeps anything from being given out.
    pub fn trouble(&self) -> Option<String> {
        let Batches { root, mark, missing, .. } = self;
        (*missing > 0).then(|| {
            format!(
                "the journal in {root:?} lacks {missing} of the batches that were given out: bring it back from a newer copy, or remove {mark:?} where they are known not to matter"
            )
        })
    }

    /// Whether a request was ever given out.
    pub fn has(&self, request_id: &str) -> bool {
        self.given.contains(request_id)
    }

    /// Gives requests out as a batch of a day: the name of its file. The inner error is of one that was not given out.
    pub fn give(&mut self, day: &str, lines: &[Line]) -> io::Result<io::Result<String>> {
        let number =
            |name: &String| name.strip_prefix(day)?.strip_prefix('_')?.strip_suffix(".csv")?.parse::<u64>().ok();
        let next = self.batches.iter().filter_map(number).max().unwrap_or(0) + 1;
        let file = format!("{day}_{next:08}.csv");
        let path = self.root.join(JOURNAL).join(&file);
        let half = self.root.join(JOURNAL).join(format!("{file}{HALF}"));
        let ids: String = lines.iter().map(|line| format!("{}\n", line.request_id)).collect();
        if let Err(error) = self.hide(&file, lines).and_then(|()| write(&half, ids.as_bytes())) {
            // A full disk has the room back. Where even that fails, it is dropped when the directory is opened again.
            for left in [half, self.hidden(&file)] {
                if let Err(error) = fs::remove_file(&left).or_else(unless_gone) {
                    tracing::warn!("a batch that was not given out could not be removed: {error}");
                }
            }
            return Ok(Err(error));
        }
        fs::rename(&half, &path)?;
        sync_directory(&self.root.join(JOURNAL))?;
        self.given.extend(lines.iter().map(|line| line.request_id.clone()));
        self.batches.insert(file.clone());
        self.note()?;
        self.show(&file)?;
        sync_directory(&self.root)?;
        Ok(Ok(file))
    }

    fn hide(&self, file: &str, lines: &[Line]) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS).map_err(io::Error::from)?;
        for Line { request_id, customer, number, product, at } in lines {
            let at = at.to_string();
            writer
                .write_record([request_id.as_str(), customer, number, product, "subscribe", &at])
                .map_err(io::Error::from)?;
        }
        let text = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        write(&self.hidden(file), &text)?;
        sync_directory(&self.root)
    }

    fn hidden(&self, file: &str) -> PathBuf {
        self.root.join(format!(".{file}{PREPARED}"))
    }

    fn show(&self, file: &str) -> io::Result<()> {
        fs::rename(self.hidden(file), self.root.join(file))
    }

    fn note(&self) -> io::Result<()> {
        let half = self.mark.with_extension("provisioned.tmp");
        write(&half, format!("{}\n", self.batches.len()).as_bytes())?;
        fs::rename(&half, &self.mark)?;
        sync_directory(self.mark.parent().unwrap_or(Path::new(".")))
    }
}

fn unless_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str) -> Line {
        let text = |text: &str| text.to_owned();
        Line { request_id: text(id), customer: text("c1"), number: text("t"), product: text("crbt"), at: Time(0) }
    }

    fn shown(root: &Path) -> Vec<String> {
        let mut names = names(root).expect("a directory");
        names.sort();
        names
    }

    #[test]
    fn a_batch_is_whole_and_numbered_and_what_was_given_out_is_known_again() {
        let home = tempfile::tempdir().expect("a directory");
        let (root, mark) = (home.path().join("out"), home.path().join("data.provisioned"));
        let mut batches = Batches::open(&root, &mark).expect("opened");
        assert_eq!(
            batches.give("2009-07-01", &[line("a"), line("b")]).expect("whole").expect("given"),
            "2009-07-01_00000001.csv"
        );
        assert_eq!(batches.give("2009-07-01", &[line("c")]).expect("whole").expect("given"), "2009-07-01_00000002.csv");
        let text = fs::read_to_string(root.join("2009-07-01_00000001.csv")).expect("a file");
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("request_id,customer_id,number,product_id,action,at\na,c1,t,crbt,subscribe,"));
        // Taken, it is known all the same.
        fs::remove_file(root.join("2009-07-01_00000001.csv")).expect("taken");
        let mut batches = Batches::open(&root, &mark).expect("opened");
        assert!(["a", "b", "c"].iter().all(|id| batches.has(id)) && !batches.has("d"));
        assert_eq!(batches.trouble(), None);
        assert_eq!(batches.give("2009-07-01", &[line("d")]).expect("whole").expect("given"), "2009-07-01_00000003.csv");
        assert_eq!(shown(&root), ["2009-07-01_00000002.csv", "2009-07-01_00000003.csv"]);
    }

    #[test]
    fn a_batch_that_could_not_be_written_leaves_nothing_behind() {
        let home = tempfile::tempdir().expect("a directory");
        let (root, mark) = (home.path().join("out"), home.path().join("data.provisioned"));
        let mut batches = Batches::open(&root, &mark).expect("opened");
        let half = root.join(JOURNAL).join("2009-07-01_00000001.csv.half");
        fs::create_dir(&half).expect("in the way of the journal");
        assert!(batches.give("2009-07-01", &[line("a")]).expect("nothing was given out").is_err());
        assert!(shown(&root).is_empty() && !batches.has("a"));
        fs::remove_dir(&half).expect("out of the way");
        assert_eq!(batches.give("2009-07-01", &[line("a")]).expect("whole").expect("given"), "2009-07-01_00000001.csv");
    }

    #[test]
    fn what_the_journal_does_not_tell_is_dropped_and_what_it_tells_is_shown() {
        let home = tempfile::tempdir().expect("a directory");
        let (root, mark) = (home.path().join("out"), home.path().join("data.provisioned"));
        let mut batches = Batches::open(&root, &mark).expect("opened");
        batches.give("2009-07-01", &[line("a")]).expect("whole").expect("given");
        // As if the machine had stopped before it was shown, and in the middle of the next.
        let [first, next] = ["2009-07-01_00000001.csv", "2009-07-01_00000002.csv"];
        fs::rename(root.join(first), root.join(format!(".{first}{PREPARED}"))).expect("hidden");
        batches.hide(next, &[line("b")]).expect("hidden");
        fs::write(root.join(JOURNAL).join("2009-07-01_00000002.csv.half"), "b").expect("written");
        let batches = Batches::open(&root, &mark).expect("opened");
        assert_eq!(shown(&root), [first]);
        assert!(batches.has("a") && !batches.has("b"));
        // Without the journal nobody knows what was given out.
        fs::remove_dir_all(&root).expect("removed");
        let batches = Batches::open(&root, &mark).expect("opened");
        assert!(batches.trouble().is_some_and(|told| told.contains("lacks 1 of the batches")));
    }
}
