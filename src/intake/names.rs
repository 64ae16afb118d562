//! Ingest's way to the store's dictionary.

use std::sync::Arc;

use dataflows::types::{CustomerIx, Token, Word};
use parking_lot::{ArcRwLockWriteGuard, RawRwLock, RwLock};

use crate::ingest::{Intern, Named};
use crate::store::Dictionary;

/// Interns into a dictionary that others read meanwhile. The lock is taken for a batch of rows, and
/// let go of between batches: a lock for each name costs as much as finding it, and a lock for a
/// whole file would keep readers waiting.
pub struct Naming {
    dictionary: Arc<RwLock<Dictionary>>,
    held: Option<ArcRwLockWriteGuard<RawRwLock, Dictionary>>,
}

impl Naming {
    pub fn new(dictionary: Arc<RwLock<Dictionary>>) -> Naming {
        Naming { dictionary, held: None }
    }
}

impl Intern for Naming {
    fn begin(&mut self) {
        self.held = Some(self.dictionary.write_arc());
    }

    fn end(&mut self) {
        self.held = None;
    }

    fn customer(&mut self, id: &str) -> CustomerIx {
        match &mut self.held {
            Some(dictionary) => dictionary.customer(id),
            None => self.dictionary.write().customer(id),
        }
    }

    fn word(&mut self, text: &str) -> Word {
        match &mut self.held {
            Some(dictionary) => dictionary.word(text),
            None => self.dictionary.write().word(text),
        }
    }

    fn token(&self, msisdn: &str) -> Token {
        match &self.held {
            Some(dictionary) => dictionary.token(msisdn),
            None => self.dictionary.read().token(msisdn),
        }
    }

    fn is_erased(&self, of: Named<'_>) -> bool {
        match &self.held {
            Some(dictionary) => Intern::is_erased(&**dictionary, of),
            None => Intern::is_erased(&*self.dictionary.read(), of),
        }
    }

    fn has_erased(&self) -> bool {
        match &self.held {
            Some(dictionary) => dictionary.has_erased(),
            None => self.dictionary.read().has_erased(),
        }
    }
}
