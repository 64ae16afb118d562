//! The dictionary: ids of customers and words, by the order in which they were first met.
//!
//! What it gains is made durable with the record that first uses it: every record begins with the
//! names gained since the one before. Numbers are never given twice and never taken back. Of a name that is erased the
//! number stays and stands for nothing: nobody finds it, and nobody gets it.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use dataflows::facts::Ids;
use dataflows::types::{CustomerIx, Token, Word};
use hashbrown::HashTable;

use crate::ingest::{Intern, Named};

use super::codec::{Damaged, Reader, Writer};
use super::erased::{Erased, Fact};

/// What stands where a name was erased. No name has a control character.
pub const ERASED: &str = "\0";

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

    /// Writes the block of a number anew, without its text.
    fn erase(&mut self, number: u32) {
        let Some(block) = self.blocks.get_mut(number as usize / BLOCK_NAMES) else { return };
        let mut left = Block::default();
        for place in 0..block.ends.len() {
            let is_it = place == number as usize % BLOCK_NAMES;
            left.bytes.extend_from_slice(if is_it { ERASED.as_bytes() } else { block.get(place).unwrap_or_default() });
            left.ends.push(left.bytes.len() as u32);
        }
        *block = Arc::new(left);
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

    /// Takes the text of a number away.
    fn erase(&mut self, number: u32) {
        let hash = match self.text(number) {
            None | Some(ERASED) => return,
            Some(text) => self.hash(text),
        };
        if let Ok(entry) = self.table.find_entry(spread(hash), |(_, of)| *of == number) {
            entry.remove();
        }
        self.texts.erase(number);
    }

    /// Takes the number of a text that was erased before. False where that number is another's.
    fn skip(&mut self, number: u64) -> bool {
        let len = self.texts.len() as u64;
        if number == len {
            self.texts.push(ERASED);
        }
        number == len || u32::try_from(number).is_ok_and(|number| self.text(number) == Some(ERASED))
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

/// Numbers of names that are to be erased.
#[derive(Default)]
pub struct Gone {
    pub customers: BTreeSet<u32>,
    pub words: BTreeSet<u32>,
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
    erased: Erased,
}

impl Dictionary {
    /// Knows the empty text only, which is [`Word::NULL`].
    pub fn new(token_key: [u8; 32]) -> Dictionary {
        let mut words = Interner::default();
        words.intern("");
        Dictionary { customers: Interner::default(), words, token_key, erased: Erased::new(&token_key) }
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

    /// Whom the store has erased.
    pub fn erased(&self) -> &Erased {
        &self.erased
    }

    /// Notes facts of who was erased.
    pub(super) fn add_erased(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.erased.add(facts);
    }

    /// Takes names away, and keeps nothing but facts: from here on nobody interns them again.
    pub(super) fn erase(&mut self, customers: impl Iterator<Item = CustomerIx>, words: impl Iterator<Item = Word>) {
        customers.for_each(|customer| self.customers.erase(customer.0));
        words.for_each(|word| self.words.erase(word.0));
    }

    /// Whether a customer, by his id or by what stands for his number, is one who was erased.
    pub fn is_erased(&self, customer: CustomerIx, number: Option<Token>) -> bool {
        if self.erased.is_empty() {
            return false;
        }
        let is_his = |id: &str| id == ERASED || self.erased.has(Named::Customer(id));
        // Whom nobody knows could be anybody.
        self.customers.text(customer.0).is_none_or(is_his)
            || number.is_some_and(|token| self.erased.has(Named::Number(token)))
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
        self.write_without(from, until, &Gone::default(), writer);
    }

    /// Writes them without those that are about to be erased.
    pub(super) fn write_without(&self, from: Extent, until: Extent, gone: &Gone, writer: &mut Writer) {
        for (names, from, until, gone) in [
            (&self.customers, from.customers, until.customers, &gone.customers),
            (&self.words, from.words, until.words, &gone.words),
        ] {
            let text = |number: u32| if gone.contains(&number) { Some(ERASED) } else { names.text(number) };
            writer.u64(from as u64);
            writer.u64(until.saturating_sub(from) as u64);
            writer.texts((from..until).map(|number| text(number as u32)));
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
                let (text, number) = (text.ok_or(Damaged("a name is null"))?, first.saturating_add(offset as u64));
                let is_in_order =
                    if text == ERASED { names.skip(number) } else { u64::from(names.intern(text)) == number };
                if !is_in_order {
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
    fn is_erased(&self, of: Named<'_>) -> bool {
        self.erased.has(of)
    }

    fn has_erased(&self) -> bool {
        !self.erased.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_erased_name_is_nobodys_and_nobody_gets_it() {
        let mut names = Dictionary::new([7; 32]);
        let of: Vec<CustomerIx> = (0..10_000).map(|number| names.customer(&format!("c{number}"))).collect();
        let (word, kept) = (names.word("asked by c5"), names.names());
        names.erase([of[5], of[9_000]].into_iter(), [word].into_iter());
        assert_eq!((names.customers.find("c5"), names.customers.find(ERASED)), (None, None));
        assert_eq!([5, 6, 9_000].map(|number| names.customers.text(number)), [Some(ERASED), Some("c6"), Some(ERASED)]);
        assert_eq!(kept.customers.text(5), Some("c5"), "a reader keeps what he took");
        let mut writer = Writer::default();
        names.write(Extent::default(), names.extent(), &mut writer);
        let mut again = Dictionary::new([7; 32]);
        again.read(&mut Reader::new(&writer.bytes)).expect("read");
        again.read(&mut Reader::new(&writer.bytes)).expect("the same once more");
        assert_eq!(again.customers.len(), 10_000);
        assert_eq!((again.customer("c6"), again.customer("c5")), (of[6], CustomerIx(10_000)));
        assert_eq!(again.words.text(word.0), Some(ERASED));
    }
}
