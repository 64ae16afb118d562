//! Who was erased is taken out of what waits to be provisioned, and what he ordered out of the journal.
//!
//! A file is hidden while it is written anew, as one that is not shown yet: a stop in between shows it again, and the
//! erasure goes on when the service is started.

use std::fs;
use std::io;

use super::{Batches, JOURNAL, PREPARED, names, sync_directory, unless_gone, write};
use crate::intake::erasure::{Whom, without};

const HALF: &str = ".erasing";

impl Batches {
    /// Takes those who were erased out of every file that nobody has taken.
    pub(crate) fn erase(&mut self, whom: &Whom<'_>) -> io::Result<()> {
        for name in names(&self.root)? {
            let hidden = name.strip_prefix('.').and_then(|name| name.strip_suffix(PREPARED));
            let file = hidden.unwrap_or(&name).to_owned();
            let Ok(text) = fs::read(self.root.join(&name)) else { continue };
            let Some(left) = without(&text, whom.is_customer)? else { continue };
            if hidden.is_none() {
                match fs::rename(self.root.join(&file), self.hidden(&file)) {
                    // It was taken meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    renamed => renamed?,
                }
                sync_directory(&self.root)?;
            }
            self.put(&self.hidden(&file), &left)?;
            self.show(&file)?;
            sync_directory(&self.root)?;
        }
        let mut is_changed = false;
        for name in names(&self.root.join(JOURNAL))? {
            let path = self.root.join(JOURNAL).join(name);
            let text = fs::read_to_string(&path)?;
            let left: String = text.lines().filter(|id| !(whom.is_request)(id)).map(|id| format!("{id}\n")).collect();
            if left != text {
                self.put(&path, left.as_bytes())?;
                is_changed = true;
            }
        }
        if is_changed {
            sync_directory(&self.root.join(JOURNAL))?;
        }
        self.given.retain(|id| !(whom.is_request)(id));
        Ok(())
    }

    fn put(&self, path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
        let half = self.root.join(HALF);
        let written = write(&half, bytes).and_then(|()| fs::rename(&half, path));
        if written.is_err() {
            fs::remove_file(&half).or_else(unless_gone)?;
        }
        written
    }
}
