//! Who was erased is taken out of everything that lies in the outbox: what no channel has taken, what is being posted,
//! dead letters, and the journal.
//!
//! His contacts need no key by which they are known as made: nobody who was erased is contacted again. That fact lies
//! here too, beside the journal: a copy of the data from before may be brought back, and is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::Handoffs;
use super::super::edits::Told;
use super::{Outbox, TAKING, names, sync_directory};
use crate::intake::erasure::{Whom, without};
use crate::store::erased::Fact;

/// The facts, each a line of hexadecimal digits.
const ERASED: &str = "erased";
/// What a file is written anew as, before it takes its place.
const HALF: &str = ".erasing.half";

impl Handoffs {
    /// Takes those who were erased out of every file.
    pub(crate) fn erase(&self, whom: &Whom<'_>) -> io::Result<()> {
        // Before the outbox is held: whoever notes edits holds them and then the outbox.
        for told in &mut self.untold.lock().edits {
            *told = nameless(told, whom)?;
        }
        let mut outbox = self.outbox.lock();
        self.erase_lying(&outbox, whom)?;
        for path in in_directory(&outbox.journal(), "csv")? {
            outbox.erase_file(&path, whom)?;
        }
        outbox.erase_edits(whom)?;
        // Whoever posts asks again before each attempt; what he has read of a file he does not read again.
        for directory in directories(&self.posting)? {
            for path in in_directory(&directory, "csv")? {
                outbox.erase_file(&path, whom)?;
            }
        }
        let dead = self.dead.lock();
        for directory in directories(dead.root())? {
            for path in in_directory(&directory, "csv")? {
                outbox.erase_file(&path, whom)?;
            }
        }
        if self.stuck.lock().is_empty() {
            return Ok(());
        }
        Err(io::Error::other("a file that was taken away from its channel waits for room on the disk of the outbox"))
    }

    /// What channels have not taken is written anew as where somebody is withdrawn.
    fn erase_lying(&self, outbox: &Outbox, whom: &Whom<'_>) -> io::Result<()> {
        for (batch, is_hidden, lines) in outbox.lying()? {
            let mut contacts: BTreeMap<&str, BTreeSet<Box<str>>> = BTreeMap::new();
            for line in lines.iter().filter(|line| line.get(3).is_some_and(|id| (whom.is_customer)(id))) {
                let channel = contacts.entry(line.get(5).unwrap_or_default()).or_default();
                channel.insert(line.get(0).unwrap_or_default().into());
            }
            for (channel, contacts) in contacts {
                let is_there = match is_hidden {
                    true => outbox.withhold(&batch, channel, &contacts),
                    false => outbox.withdraw(&batch, channel, &contacts),
                };
                if is_there? {
                    self.forget(|of| contacts.contains(&of.contact_id));
                }
            }
        }
        Ok(())
    }

    /// Keeps facts of who was erased, all of them.
    pub(crate) fn keep_erased(&self, facts: &[Fact]) -> io::Result<()> {
        let outbox = self.outbox.lock();
        let text: String = facts.iter().map(|fact| format!("{}\n", hex::encode(fact))).collect();
        outbox.replace(&outbox.journal().join(ERASED), text.as_bytes())
    }

    /// The facts that were kept.
    pub(crate) fn erased(&self) -> io::Result<Vec<Fact>> {
        let text = match fs::read_to_string(self.outbox.lock().journal().join(ERASED)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let fact = |line: &str| {
            let mut fact = [0; 16];
            hex::decode_to_slice(line, &mut fact).map(|()| fact).map_err(io::Error::other)
        };
        text.lines().map(fact).collect()
    }
}

impl Outbox {
    /// Writes a file anew, where it names somebody.
    fn erase_file(&self, path: &Path, whom: &Whom<'_>) -> io::Result<()> {
        let text = match fs::read(path) {
            // It was done with meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        without(&text, whom.is_customer)?.map_or(Ok(()), |left| self.replace(path, &left))
    }

    fn erase_edits(&mut self, whom: &Whom<'_>) -> io::Result<()> {
        let told = self.edits.all()?;
        let left = told.iter().map(|told| nameless(told, whom)).collect::<io::Result<Vec<Told>>>()?;
        if left == told {
            return Ok(());
        }
        let mut text = Vec::new();
        for told in &left {
            serde_json::to_writer(&mut text, told).map_err(io::Error::other)?;
            text.push(b'\n');
        }
        let path = self.journal().join(super::EDITS);
        self.replace(&path, &text)?;
        self.edits = super::Edits::open(&path)?;
        Ok(())
    }

    /// Puts a file in the place of another: whole, or not at all.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let half = self.root.join(HALF);
        let mut file = File::create(&half)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&half, path));
        if written.is_err() {
            let _ = fs::remove_file(&half);
        }
        written?;
        sync_directory(path.parent().unwrap_or(Path::new(".")))
    }
}

/// An edit without the rows of who was erased, and without his id in its name.
fn nameless(told: &Told, whom: &Whom<'_>) -> io::Result<Told> {
    let text = match without(told.text.as_bytes(), whom.is_customer)? {
        Some(left) => String::from_utf8(left).map_err(io::Error::other)?,
        None => told.text.clone(),
    };
    let file = (whom.renamed)(&told.file).unwrap_or_else(|| told.file.clone());
    Ok(Told { text, file, ..told.clone() })
}

fn directories(root: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match names(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    Ok(entries.iter().map(|name| root.join(name)).filter(|path| path.is_dir()).collect())
}

/// Files of a directory whose names end so, those that were taken away among them.
fn in_directory(directory: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let is_one = |name: &String| name.strip_suffix(TAKING).unwrap_or(name).ends_with(&format!(".{extension}"));
    Ok(names(directory)?.iter().filter(|name| is_one(name)).map(|name| directory.join(name)).collect())
}
