//! Receipts: what each file changed when it became visible, kept beside the log.

use std::collections::VecDeque;
use std::sync::Arc;

use dataflows::types::Epoch;
use parking_lot::Mutex;

use super::Intake;
use crate::store::receipts::{Noted, Receipts};
use crate::store::{Entry, Status};

/// A file, by the epoch in which it was taken.
type TakenIn = (Epoch, Box<str>);

/// Files that were taken and have no receipt yet, and the receipts.
#[derive(Clone, Default)]
pub(super) struct Desk {
    awaited: Arc<Mutex<VecDeque<TakenIn>>>,
    /// None where nobody notes them.
    kept: Arc<Mutex<Option<Receipts>>>,
}

/// What is known of what a file changed.
pub enum Receipt {
    Noted(Arc<Noted>, Entry),
    /// It was taken, and is not visible yet.
    Awaited(Entry),
    /// It was taken before receipts were noted, or too long ago.
    None(Entry),
    /// It changed nothing: it was refused, held, or overtaken before it came.
    Nothing(Entry),
    /// There is no file of that name.
    Unknown,
}

impl Desk {
    /// A file was taken: its receipt is noted with the epoch.
    pub fn await_receipt(&self, epoch: Epoch, file: &str) {
        if self.kept.lock().is_some() {
            self.awaited.lock().push_back((epoch, file.into()));
        }
    }

    /// Notes what became visible, where a file is in it.
    fn note(&self, mut noted: Noted) -> std::io::Result<()> {
        {
            let mut awaited = self.awaited.lock();
            while let Some(file) = awaited.pop_front_if(|(epoch, _)| *epoch <= noted.epochs.1) {
                noted.files.push(file);
            }
        }
        let mut kept = self.kept.lock();
        match kept.as_mut().filter(|_| !noted.files.is_empty()) {
            Some(receipts) => receipts.write(noted),
            None => Ok(()),
        }
    }
}

impl Intake {
    /// From now on receipts of files are noted: by a service, which is asked for them. Nothing hangs on the file: where it
    /// fails, receipts do not outlive the process.
    pub fn keep_receipts(&self) {
        let told = |error: std::io::Error| tracing::warn!(%error, "receipts of files will not outlive this process");
        match self.store.lock().receipts() {
            Ok(receipts) => *self.desk.kept.lock() = Some(receipts),
            Err(error) => return told(error),
        }
        let (desk, mut fails) = (self.desk.clone(), false);
        self.hub.keep_receipts(move |noted| {
            if let Err(error) = desk.note(noted)
                && !std::mem::replace(&mut fails, true)
            {
                told(error);
            }
        });
    }

    /// What the file of a name changed when it became visible: of several contents of that name, that which was taken last.
    pub fn receipt(&self, file: &str) -> Receipt {
        let entry = {
            let store = self.store.lock();
            let of_name = store.ledger().entries().filter(|entry| entry.file == file);
            let changed =
                |entry: &Entry| matches!(entry.status, Status::Accepted | Status::Superseded | Status::Undone);
            of_name.max_by_key(|entry| (changed(entry), entry.epoch)).cloned()
        };
        let Some(entry) = entry else { return Receipt::Unknown };
        let found = self.desk.kept.lock().as_ref().and_then(|kept| kept.of(entry.epoch, file));
        if let Some(noted) = found {
            return Receipt::Noted(noted, entry);
        }
        let is_awaited = self.desk.awaited.lock().iter().any(|(epoch, name)| *epoch == entry.epoch && **name == *file);
        match entry.status {
            _ if is_awaited => Receipt::Awaited(entry),
            Status::Rejected | Status::Held | Status::Confirmed => Receipt::Nothing(entry),
            _ => Receipt::None(entry),
        }
    }
}
