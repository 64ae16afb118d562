//! The dictionary: ids of customers and words, by the order in which they were first met.
//!
//! What it gains is made durable with the record that first uses it: every record begins with the
//! names gained since the one before. Numbers are never given twice and never taken back.

use std::hash::BuildHasher;
use std::sync::Arc;

use dataflows::types::{CustomerIx, Token, Word};
use hashbrown::HashTable;

use crate::ingest::Intern;

use super::codec::{Damaged, Reader, Writer};

/// Texts by number: about 20 bytes for one of 8 letters.
pub struct Interner {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
    table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    /// The number found last. Extracts of one operator name customers in one order: the next name is
    /// nearly always the one after it, which a comparison tells without a hash.
    last: u32,
}

impl Interner {
    fn new() -> Interner {
        Interner { bytes: Vec::new(), ends: Vec::new(), table: HashTable::new(), hasher: Default::default(), last: 0 }
    }

    /// Texts held.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> Option<&str> {
        std::str::from_utf8(self.slice(number as usize)?).ok()
    }

    fn slice(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(start..end)
    }

    /// The number of a text, where it has one.
    pub fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text.as_bytes());
        self.table.find(hash, |number| self.slice(*number as usize) == Some(text.as_bytes())).copied()
    }

    /// The number of a text, given now if it has none.
    ///
    /// # Panics
    /// Past 4 GiB of text: ingest's limits stay far below it.
    pub fn intern(&mut self, text: &str) -> u32 {
        let next = self.last.wrapping_add(1);
        if self.slice(next as usize) == Some(text.as_bytes()) {
            self.last = next;
            return next;
        }
        if let Some(number) = self.find(text) {
            self.last = number;
            return number;
        }
        let number = self.ends.len() as u32;
        self.last = number;
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(u32::try_from(self.bytes.len()).expect("4 GiB of names"));
        let hash = self.hasher.hash_one(text.as_bytes());
        let Interner { bytes, ends, table, hasher, .. } = self;
        table.insert_unique(hash, number, |number| {
            let start = (*number as usize).checked_sub(1).map_or(0, |before| ends[before] as usize);
            hasher.hash_one(&bytes[start..ends[*number as usize] as usize])
        });
        number
    }
}

/// How many names a record relies on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    pub customers: usize,
    pub words: usize,
}

/// Customers' ids, words, and the key of phone numbers' tokens.
pub struct Dictionary {
    pub customers: Interner,
    pub words: Interner,
    token_key: [u8; 32],
}

impl Dictionary {
    /// Knows the empty text only, which is [`Word::NULL`].
    pub fn new(token_key: [u8; 32]) -> Dictionary {
        let mut words = Interner::new();
        words.intern("");
        Dictionary { customers: Interner::new(), words, token_key }
    }

    pub fn extent(&self) -> Extent {
        Extent { customers: self.customers.len(), words: self.words.len() }
    }

    /// The words from a number on, as the dataflow takes them.
    pub fn words_from(&self, first: usize, until: usize) -> Vec<Arc<str>> {
        (first..until).filter_map(|number| self.words.text(number as u32)).map(Arc::from).collect()
    }

    /// Writes the names between two extents.
    pub fn write(&self, from: Extent, until: Extent, writer: &mut Writer) {
        for (names, from, until) in
            [(&self.customers, from.customers, until.customers), (&self.words, from.words, until.words)]
        {
            writer.u64(from as u64);
            writer.u64(until.saturating_sub(from) as u64);
            writer.texts((from..until).map(|number| names.text(number as u32)));
        }
    }

    /// Takes names that were written before. Those it knows already must be the same.
    pub fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Damaged> {
        for names in [&mut self.customers, &mut self.words] {
            let (first, count) = (reader.u64()?, reader.u64()?);
            let count = usize::try_from(count).map_err(|_| Damaged("too many names"))?;
            // Names differ, so one of them is empty at most.
            reader.expect(count)?;
            for (offset, text) in reader.texts(count)?.into_iter().enumerate() {
                let text = text.ok_or(Damaged("a name is null"))?;
                if u64::from(names.intern(text)) != first + offset as u64 {
                    return Err(Damaged("names are out of order"));
                }
            }
        }
        Ok(())
    }
}

impl Intern for Dictionary {
    fn customer(&mut self, id: &str) -> CustomerIx {
        CustomerIx(self.customers.intern(id))
    }

    fn word(&mut self, text: &str) -> Word {
        Word(self.words.intern(text))
    }

    fn token(&self, msisdn: &str) -> Token {
        let hash = blake3::keyed_hash(&self.token_key, msisdn.as_bytes());
        let mut token = [0; 16];
        token.copy_from_slice(&hash.as_bytes()[..16]);
        Token(token)
    }
}
