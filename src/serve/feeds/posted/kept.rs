//! How far a receiver has come, durable, and the message that he did not take.
//!
//! `<view>.json` appears anew with each progress that was taken, whole or not at all; `<view>.dead.json` lies there while a
//! message waits to be replayed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// Where a receiver stands.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The token of the last progress that was taken; none before the first.
    pub token: Option<String>,
    /// The epoch of it.
    pub epoch: u64,
    /// Why what he has hangs together with nothing that comes, until a snapshot was taken.
    pub broken: Option<String>,
    /// By what his address is known, which may hold a secret.
    address: String,
}

/// A message that a receiver refused, or did not take in all attempts.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub id: String,
    pub event: String,
    pub attempts: u32,
    pub status: String,
    /// Wall time, in UTC.
    pub dead_at: String,
    pub body: String,
}

/// The same as it is listed, without its rows.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Listed {
    pub view: &'static str,
    pub id: String,
    pub event: String,
    pub attempts: u32,
    pub status: String,
    pub dead_at: String,
    pub bytes: usize,
}

impl Letter {
    pub fn listed(&self, view: &'static str) -> Listed {
        let Letter { id, event, attempts, status, dead_at, body } = self.clone();
        Listed { view, id, event, attempts, status, dead_at, bytes: body.len() }
    }
}

/// What is kept of a receiver.
pub struct Kept {
    path: PathBuf,
    place: Place,
    dead: Option<Letter>,
}

impl Kept {
    /// Opens what is kept of a view's receiver in a directory.
    pub fn open(directory: &Path, view: &str, address: &str) -> anyhow::Result<Kept> {
        let path = directory.join(format!("{view}.json"));
        let read = || -> anyhow::Result<(Option<Place>, Option<Letter>)> {
            fs::create_dir_all(directory)?;
            Ok((parse(&path)?, parse(&path.with_extension("dead.json"))?))
        };
        let (place, dead) = read().with_context(|| {
            format!(
                "could not read how far the receiver of {view} has come, in {directory:?}\nhint: where it is damaged, remove {path:?}, and all rows come anew"
            )
        })?;
        let is_other = place.as_ref().is_some_and(|place| place.address != address);
        let place = match place {
            Some(place) if !is_other => place,
            place => Place {
                address: address.to_owned(),
                broken: place.map(|_| "the receiver has another address".to_owned()),
                ..Place::default()
            },
        };
        let mut kept = Kept { path, place, dead };
        if is_other {
            // All rows come anew, and what the one before did not take is none of this one's.
            kept.revive().with_context(|| format!("could not begin anew with another receiver of {view}\nhint: look whether {directory:?} can be written into"))?;
        }
        Ok(kept)
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn dead(&self) -> Option<&Letter> {
        self.dead.as_ref()
    }

    /// A progress was taken. Durable when this returns; where it fails, nothing has changed.
    pub fn advance(&mut self, token: String, epoch: u64) -> io::Result<()> {
        self.keep(Place { token: Some(token), epoch, broken: None, ..self.place.clone() })
    }

    /// What comes does not hang together with what was told.
    pub fn broken(&mut self, reason: String) -> io::Result<()> {
        self.keep(Place { token: None, epoch: 0, broken: Some(reason), ..self.place.clone() })
    }

    fn keep(&mut self, place: Place) -> io::Result<()> {
        write(&self.path, &place)?;
        self.place = place;
        Ok(())
    }

    /// A message was not taken.
    pub fn bury(&mut self, letter: Letter) -> io::Result<()> {
        write(&self.path.with_extension("dead.json"), &letter)?;
        self.dead = Some(letter);
        Ok(())
    }

    /// The message is to be tried again. Whether there is one.
    pub fn revive(&mut self) -> io::Result<bool> {
        if self.dead.is_none() {
            return Ok(false);
        }
        match fs::remove_file(self.path.with_extension("dead.json")) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => sync_above(&self.path)?,
        }
        self.dead = None;
        Ok(true)
    }
}

impl Kept {
    /// Lets go of the message that was not taken, where it names somebody who was erased: the receiver begins anew.
    pub fn forget(&mut self, names: &dyn Fn(&[u8]) -> bool) -> io::Result<()> {
        if self.dead.as_ref().is_some_and(|letter| names(letter.body.as_bytes())) {
            self.broken("what was not taken is no longer kept".to_owned())?;
            self.revive()?;
        }
        Ok(())
    }
}

/// Lets go of everything that is kept of receivers: all rows come anew.
pub fn forget_all(directory: &Path) -> io::Result<()> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(entries) => {
            for entry in entries {
                fs::remove_file(entry?.path())?;
            }
            File::open(directory)?.sync_all()
        }
    }
}

fn parse<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The file appears whole or not at all, and outlives the machine's stop.
fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let half = path.with_extension("tmp");
    let mut file = File::create(&half)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_all()?;
    fs::rename(&half, path)?;
    sync_above(path)
}

fn sync_above(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_receiver_stands_is_found_again() {
        let home = tempfile::tempdir().expect("a directory");
        let open = |address: &str| Kept::open(&home.path().join("kept"), "tier", address).expect("opened");
        let mut kept = open("a");
        assert_eq!((kept.place().token.as_deref(), kept.place().broken.as_deref()), (None, None));
        kept.advance("token".to_owned(), 7).expect("kept");
        assert_eq!((open("a").place().token.as_deref(), open("a").place().epoch), (Some("token"), 7));
        // Somebody else has had nothing of it.
        assert!(open("b").place().token.is_none() && open("b").place().broken.is_some());
        kept.broken("expired".to_owned()).expect("kept");
        assert_eq!((open("a").place().token.as_deref(), open("a").place().broken.as_deref()), (None, Some("expired")));
        fs::write(home.path().join("kept/tier.json"), "{").expect("written");
        let error = Kept::open(&home.path().join("kept"), "tier", "a").err().expect("damaged");
        assert!(format!("{error:#}").contains("hint: where it is damaged"), "{error:#}");
    }

    #[test]
    fn a_message_that_was_not_taken_is_kept_whole_until_it_is_tried_again() {
        let home = tempfile::tempdir().expect("a directory");
        let open = || Kept::open(home.path(), "tier", "a").expect("opened");
        let letter = Letter {
            id: "1".to_owned(),
            event: "delta".to_owned(),
            attempts: 8,
            status: "503".to_owned(),
            dead_at: "2009-07-01T00:00:00Z".to_owned(),
            body: "{}".to_owned(),
        };
        let mut kept = open();
        assert!(!kept.revive().expect("nothing"));
        kept.bury(letter.clone()).expect("kept");
        let mut kept = open();
        assert_eq!(kept.dead(), Some(&letter));
        kept.advance("token".to_owned(), 1).expect("kept");
        assert!(Kept::open(home.path(), "tier", "b").expect("opened").dead().is_none());
        kept.bury(letter.clone()).expect("kept");
        kept.forget(&|bytes| bytes == b"another").expect("looked");
        assert!(kept.dead().is_some());
        kept.forget(&|bytes| bytes == b"{}").expect("forgotten");
        assert!(open().dead().is_none() && open().place().broken.is_some() && open().place().token.is_none());
        kept.bury(letter).expect("kept");
        assert!(kept.revive().expect("removed") && kept.dead().is_none() && open().dead().is_none());
    }
}
