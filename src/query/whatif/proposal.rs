//! A programme that is proposed, with words for its names that the dictionary need not know.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use dataflows::programme::Programme;
use dataflows::types::Word;

use super::super::Reading;
use super::super::rows::words;

/// A programme and the vocabulary that it is compiled against. Names that are new are words behind those that stand: no
/// customer has one, and nobody else ever sees them.
pub(super) struct Proposal {
    pub programme: Arc<Programme>,
    pub words: Vec<Arc<str>>,
    /// Every name of this programme, and of the one in force.
    numbers: HashMap<String, Word>,
}

impl Proposal {
    pub fn new(reading: &Reading, programme: Programme) -> Proposal {
        let (mut words, mut numbers) = (words(reading.sources()), HashMap::new());
        let known = words.len();
        let names = reading.published.programme.names().into_iter().chain(programme.names());
        let names: Vec<Cow<'_, str>> = names.collect();
        {
            let dictionary = reading.dictionary.read();
            for name in &names {
                // A word that came since the names were taken is as new as one that never came.
                let found = dictionary.words.find(name).filter(|number| (*number as usize) < known);
                numbers.entry(name.clone().into_owned()).or_insert_with(|| match found {
                    Some(number) => Word(number),
                    None => {
                        words.push(Arc::from(&**name));
                        Word(words.len() as u32 - 1)
                    }
                });
            }
        }
        Proposal { programme: Arc::new(programme), words, numbers }
    }

    /// The number of a name of either programme.
    pub fn word(&self, name: &str) -> Option<Word> {
        self.numbers.get(name).copied()
    }

    /// The text of a word, none of null.
    pub fn text(&self, word: Word) -> Option<&str> {
        self.words.get(word.0 as usize).map(|word| &**word).filter(|_| !word.is_null())
    }
}
