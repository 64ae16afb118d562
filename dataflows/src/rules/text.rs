//! Conditions on texts, answered once for each word.
//!
//! Texts of customers are words, and far fewer than customers: a condition asks the vocabulary
//! once for each word it meets and remembers the answer.

use std::sync::Arc;

use super::expression::Comparison;
use crate::types::Word;

/// A condition on one text, with what is known of its answers by word.
#[derive(Clone, Debug)]
pub enum WordTest {
    Compare {
        comparison: Comparison,
        text: String,
        known: Vec<Option<bool>>,
    },
    In {
        texts: Vec<String>,
        known: Vec<Option<bool>>,
    },
    Like {
        pattern: String,
        known: Vec<Option<bool>>,
    },
    /// The text is a list with `;` between, and has this item.
    Capability {
        capability: String,
        known: Vec<Option<bool>>,
    },
}

impl WordTest {
    /// The answer for a word that is not null.
    pub fn holds(&mut self, word: Word, words: &[Arc<str>]) -> bool {
        let index = word.0 as usize;
        if let Some(Some(answer)) = self.known().get(index) {
            return *answer;
        }
        let answer = self.ask(words.get(index).map_or("", |word| word));
        let known = self.known();
        if known.len() <= index {
            known.resize(words.len().max(index + 1), None);
        }
        known[index] = Some(answer);
        answer
    }

    fn known(&mut self) -> &mut Vec<Option<bool>> {
        match self {
            WordTest::Compare { known, .. }
            | WordTest::In { known, .. }
            | WordTest::Like { known, .. }
            | WordTest::Capability { known, .. } => known,
        }
    }

    fn ask(&self, word: &str) -> bool {
        match self {
            WordTest::Compare { comparison, text, .. } => comparison.holds(word.cmp(text)),
            WordTest::In { texts, .. } => texts.iter().any(|text| text == word),
            WordTest::Like { pattern, .. } => like(word, pattern),
            WordTest::Capability { capability, .. } => word.split(';').any(|item| item == capability),
        }
    }
}

/// SQL's LIKE: `%` any run of characters, `_` one character, no escape, case-sensitive.
pub fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut expected) = (0, 0);
    // Where the last `%` stood, and how much of the text it has taken so far.
    let mut last: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(expected) {
            Some('%') => {
                last = Some((expected, at));
                expected += 1;
            }
            Some('_') => (at, expected) = (at + 1, expected + 1),
            Some(character) if *character == text[at] => (at, expected) = (at + 1, expected + 1),
            _ => match &mut last {
                Some((percent, taken)) => {
                    *taken += 1;
                    (at, expected) = (*taken, *percent + 1);
                }
                None => return false,
            },
        }
    }
    pattern[expected..].iter().all(|character| *character == '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_takes_runs_and_single_characters() {
        for (text, pattern, holds) in [
            ("沈阳", "沈_", true),
            ("沈阳市", "沈_", false),
            ("abc", "a%c", true),
            ("abcbc", "a%bc", true),
            ("abcb", "a%bc", false),
            ("", "%", true),
            ("", "_", false),
            ("a%c", "a%c", true),
            ("A", "a", false),
            ("aaab", "%a_b", true),
        ] {
            assert_eq!(like(text, pattern), holds, "{text} like {pattern}");
        }
    }

    #[test]
    fn an_answer_is_remembered_by_word() {
        let words: Vec<Arc<str>> = ["", "wap;mms", "mms"].map(Arc::from).to_vec();
        let mut test = WordTest::Capability { capability: "wap".into(), known: Vec::new() };
        for _ in 0..2 {
            assert_eq!([1, 2].map(|word| test.holds(Word(word), &words)), [true, false]);
        }
    }
}
