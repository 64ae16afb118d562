//! The dictionary: ids of customers and words, by the order in which they were first met.
//!
//! What it gains is made durable with the record that first uses it: every record begins with the
//! names gained since the one before. Numbers are never given twice and never taken back.

use std::hash::BuildHasher;
use std::sync::Arc;

use dataflows::facts::Ids;
use dataflows::types::{CustomerIx, Token, Word};
use hashbrown::HashTable;

use crate::ingest::Intern;

use super::codec::{Damaged, Reader, Writer};

/// Names of a block. A block is what a writer copies while a reader holds it: some 50 KB.
const BLOCK_NAMES: usize = 4096;

#[derive(Clone, Default)]
struct Block {
    bytes: Vec<u8>,
    /// Where each text ends. A text is far shorter than a block may be.
    ends: Vec<u32>,
}

impl Block {
    fn get(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends.get(place)? as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(start..end)
    }
}

/// Texts by number, which only ever grow. A clone is a clone of pointers, and stays as it is: readers
/// take one and let go of the dictionary.
#[derive(Clone, Default)]
pub struct Texts {
    blocks: Vec<Arc<Block>>,
    len: usize,
}

impl Texts {
    /// Texts held.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> Option<&str> {
        std::str::from_utf8(self.get(number)?).ok()
    }

    fn get(&self, number: u32) -> Option<&[u8]> {
        self.blocks.get(number as usize / BLOCK_NAMES)?.get(number as usize % BLOCK_NAMES)
    }

    fn push(&mut self, text: &str) -> u32 {
        if self.len.is_multiple_of(BLOCK_NAMES) {
            self.blocks.push(Arc::default());
        }
        if let Some(block) = self.blocks.last_mut().map(Arc::make_mut) {
            block.bytes.extend_from_slice(text.as_bytes());
            block.ends.push(block.bytes.len() as u32);
        }
        self.len += 1;
        // Ids of customers and words are numbered in 32 bits; memory ends long before them.
        (self.len - 1) as u32
    }
}

/// Texts by number, and numbers by text: about 20 bytes for one of 8 letters.
#[derive(Default)]
pub struct Interner {
    texts: Texts,
    /// Numbers with the hashes of their texts, so that neither growing nor a near miss looks at a text.
    table: HashTable<(u32, u32)>,
    hasher: foldhash::fast::RandomState,
    /// The number found last. Extracts of one operator name customers in one order: the next name is
    /// nearly always the one after it, which a comparison tells without a hash.
    last: u32,
}

impl Interner {
    /// Texts held.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> Option<&str> {
        self.texts.text(number)
    }

    /// Bytes that they take, the table of hashes included.
    pub fn bytes(&self) -> usize {
        let blocks = self.texts.blocks.iter().map(|block| block.bytes.capacity() + 4 * block.ends.capacity());
        blocks.sum::<usize>() + self.table.capacity() * size_of::<(u32, u32)>()
    }

    /// The number of a text, where it has one.
    pub fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hash(text);
        let found = self
            .table
            .find(spread(hash), |(of, number)| *of == hash && self.texts.get(*number) == Some(text.as_bytes()));
        found.map(|(_, number)| *number)
    }

    fn hash(&self, text: &str) -> u32 {
        self.hasher.hash_one(text.as_bytes()) as u32
    }

    /// The number of a text, given now if it has none.
    pub fn intern(&mut self, text: &str) -> u32 {
        let next = self.last.wrapping_add(1);
        if self.texts.get(next) == Some(text.as_bytes()) {
            self.last = next;
            return next;
        }
        if let Some(number) = self.find(text) {
            self.last = number;
            return number;
        }
        let number = self.texts.push(text);
        self.last = number;
        let hash = self.hash(text);
        self.table.insert_unique(spread(hash), (hash, number), |(hash, _)| spread(*hash));
        number
    }
}

/// 32 bits of a hash over the 64 that a table takes, which looks at both ends of them.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// How many names a record relies on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    pub customers: usize,
    pub words: usize,
}

/// The names of a dictionary at one moment.
pub struct Names {
    pub customers: Texts,
    pub words: Texts,
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
        let mut words = Interner::default();
        words.intern("");
        Dictionary { customers: Interner::default(), words, token_key }
    }

    /// The names as they stand, for a reader who takes his time.
    pub fn names(&self) -> Names {
        Names { customers: self.customers.texts.clone(), words: self.words.texts.clone() }
    }

    /// By which the key is known again, and nothing is learnt of it.
    pub fn key_fingerprint(&self) -> [u8; 16] {
        let mut fingerprint = [0; 16];
        // No phone number has letters, so this is no token.
        fingerprint.copy_from_slice(&blake3::keyed_hash(&self.token_key, b"the key itself").as_bytes()[..16]);
        fingerprint
    }

    pub fn extent(&self) -> Extent {
        Extent { customers: self.customers.len(), words: self.words.len() }
    }

    /// The words from a number on, as the dataflow takes them.
    pub fn words_from(&self, first: usize, until: usize) -> Vec<Arc<str>> {
        (first..until).filter_map(|number| self.words.text(number as u32)).map(Arc::from).collect()
    }

    /// The ids of customers from a number on, as the dataflow takes them.
    pub fn ids_from(&self, first: usize, until: usize) -> Ids {
        let mut ids = Ids::from(first as u32);
        (first..until).filter_map(|number| self.customers.text(number as u32)).for_each(|id| ids.push(id));
        ids
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
