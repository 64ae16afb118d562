//! Ingest's way to the store's dictionary.

use std::sync::Arc;

use dataflows::types::{CustomerIx, Token, Word};
use parking_lot::RwLock;

use crate::ingest::Intern;
use crate::store::Dictionary;

/// Interns into a dictionary that others read meanwhile: each name takes the lock for itself, so
/// that a reader never waits for a file.
pub struct Naming {
    dictionary: Arc<RwLock<Dictionary>>,
}

impl Naming {
    pub fn new(dictionary: Arc<RwLock<Dictionary>>) -> Naming {
        Naming { dictionary }
    }
}

impl Intern for Naming {
    fn customer(&mut self, id: &str) -> CustomerIx {
        self.dictionary.write().customer(id)
    }

    fn word(&mut self, text: &str) -> Word {
        self.dictionary.write().word(text)
    }

    fn token(&self, msisdn: &str) -> Token {
        self.dictionary.read().token(msisdn)
    }
}
