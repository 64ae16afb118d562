//! Whom a store has erased: keyed facts that answer whether somebody is one of them, and tell nobody who they are.
//!
//! A fact is a digest of an id, or of the token of a number, under a key that is made of that of the tokens and so lies
//! outside the data. Without the key nobody finds out whose a fact is by trying ids; with it only whoever has the id
//! already. Facts are never taken back.

use std::collections::HashSet;

use dataflows::types::Token;

use super::codec::{Damaged, Reader, Writer};
use crate::ingest::Named;

/// What is kept of a name that was erased.
pub type Fact = [u8; 16];

/// The facts, and their key.
#[derive(Clone)]
pub struct Erased {
    key: [u8; 32],
    facts: HashSet<Fact>,
    /// How often facts came. What was read before the last of them may hold what has been erased since.
    generation: u64,
}

impl Erased {
    /// Nobody yet.
    pub(super) fn new(token_key: &[u8; 32]) -> Erased {
        let key = blake3::derive_key("cohortflow facts of who was erased", token_key);
        Erased { key, facts: HashSet::new(), generation: 0 }
    }

    /// The fact of a name. Names of different kinds have different facts, whatever their bytes.
    pub fn fact(&self, of: Named<'_>) -> Fact {
        let (kind, bytes): (u8, &[u8]) = match &of {
            Named::Customer(id) => (1, id.as_bytes()),
            Named::Number(Token(token)) => (2, token),
            Named::Request(id) => (3, id.as_bytes()),
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[kind]).update(bytes);
        let mut fact = [0; 16];
        fact.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        fact
    }

    /// Whether a name was erased.
    pub fn has(&self, of: Named<'_>) -> bool {
        !self.facts.is_empty() && self.facts.contains(&self.fact(of))
    }

    /// Whether a fact is known.
    pub fn knows(&self, fact: &Fact) -> bool {
        self.facts.contains(fact)
    }

    /// Whether nobody was erased.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The facts, in their order: it tells nothing of who came first.
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self.facts.iter().copied().collect();
        facts.sort_unstable();
        facts
    }

    /// How often facts came.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn add(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.facts.extend(facts);
        self.generation += 1;
    }
}

/// Writes a record of facts. `is_finished` says that nothing beside the log names anybody any more who was erased
/// by then.
pub fn write(facts: &[Fact], is_finished: bool, writer: &mut Writer) {
    writer.u8(u8::from(is_finished));
    writer.u64(facts.len() as u64);
    facts.iter().for_each(|fact| writer.bytes.extend_from_slice(fact));
}

pub fn read(reader: &mut Reader<'_>) -> Result<(Vec<Fact>, bool), Damaged> {
    let is_finished = reader.u8()? != 0;
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many facts"))?;
    reader.expect(count)?;
    let facts = (0..count).map(|_| reader.bytes()).collect::<Result<_, _>>()?;
    Ok((facts, is_finished))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_of_one_key_and_one_kind() {
        let mut erased = Erased::new(&[7; 32]);
        let (id, token) = ("0123456789abcdef", Token(*b"0123456789abcdef"));
        erased.add([erased.fact(Named::Customer(id))]);
        assert!(erased.has(Named::Customer(id)));
        assert!(!erased.has(Named::Number(token)) && !erased.has(Named::Request(id)));
        assert_ne!(erased.fact(Named::Customer(id)), Erased::new(&[8; 32]).fact(Named::Customer(id)));
        let mut writer = Writer::default();
        write(&erased.facts(), true, &mut writer);
        assert_eq!(read(&mut Reader::new(&writer.bytes)), Ok((erased.facts(), true)));
        for len in 0..writer.bytes.len() {
            assert!(read(&mut Reader::new(&writer.bytes[..len])).is_err(), "{len}");
        }
    }
}
