//! The journal of edits that forbid contacts: opt-outs and lists, as they came by hand.
//!
//! Files come again from the landing directory when an old copy of the data is brought back; edits would not. A line is
//! a JSON object; what is behind the last whole line was never acknowledged.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// An edit, as an extract would bring it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    pub feed: String,
    pub period: String,
    pub part: String,
    /// By which the ledger knows it.
    pub file: String,
    /// Of what was asked for, in hexadecimal digits.
    pub sha256: String,
    /// The text of the extract.
    pub text: String,
}

/// The open journal.
pub struct Edits {
    file: File,
    /// Bytes of whole lines.
    len: u64,
}

impl Edits {
    /// Opens a journal, made where there is none. A line that is not whole is cut off.
    pub fn open(path: &Path) -> io::Result<Edits> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            whole += line.len() as u64;
            line.clear();
        }
        file.set_len(whole)?;
        Ok(Edits { file, len: whole })
    }

    /// Adds an edit. Durable when this returns; where it fails nothing is added, and it can be tried again.
    pub fn tell(&mut self, told: &Told) -> io::Result<()> {
        let mut line = serde_json::to_vec(told).map_err(io::Error::other)?;
        line.push(b'\n');
        // Half a line may stand there since a write failed. What a sync failed on is written anew.
        self.file.set_len(self.len)?;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.len += line.len() as u64;
        Ok(())
    }

    /// Every edit, in the order in which they came. One that cannot be read is an error: what it forbade is not known.
    pub fn all(&self) -> io::Result<Vec<Told>> {
        use std::io::{Read, Seek};
        let mut file = &self.file;
        file.rewind()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: u32) -> Told {
        let text = |what: &str| format!("{what}{number}");
        Told {
            feed: "listing".to_owned(),
            period: "2009-07-01".to_owned(),
            part: text("part"),
            file: text("file"),
            sha256: text("sha"),
            text: format!("list_id,customer_id\nvip,\"c{number}\"\n"),
        }
    }

    #[test]
    fn edits_are_there_again_and_a_torn_one_is_not() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("edits.log");
        let mut edits = Edits::open(&path).expect("opened");
        edits.tell(&told(1)).and_then(|()| edits.tell(&told(2))).expect("told");
        assert_eq!(edits.all().expect("read"), [told(1), told(2)]);
        let whole = std::fs::read(&path).expect("a file");
        std::fs::write(&path, [&whole[..], b"{\"feed\": \"lis"].concat()).expect("written");
        let mut edits = Edits::open(&path).expect("opened");
        edits.tell(&told(3)).expect("told");
        assert_eq!(edits.all().expect("read"), [told(1), told(2), told(3)]);
    }
}
