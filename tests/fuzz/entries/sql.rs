//! SQL from anywhere, as far as it is read before anybody plans it: what is let pass reads and does nothing else, and what
//! a client sets is set or refused.

use std::sync::LazyLock;

use cohortflow::query::sql::statement::{Reader, only_reads};
use cohortflow::serve::tried::set;

/// Statements; behind a zero byte, a setting's name and its value with another zero byte between.
pub fn sql(bytes: &[u8]) {
    static READER: LazyLock<Reader> = LazyLock::new(Reader::default);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some((name, value)) = text.strip_prefix('\0').and_then(|text| text.split_once('\0')) {
        assert!(set(name, value).is_none_or(|why| !why.is_empty()));
        return;
    }
    let statements = match READER.read(text) {
        Ok(statements) => statements,
        Err(refusal) => return assert!(!refusal.message.is_empty()),
    };
    for statement in statements {
        match only_reads(&statement) {
            // What is let pass is a question, however it is written.
            Ok(()) => {
                let text = statement.to_string();
                let word = text.split_whitespace().next().unwrap_or_default();
                assert!(begins_a_question(word), "{text}");
            }
            Err(refusal) => assert!(!refusal.message.is_empty()),
        }
    }
}

fn begins_a_question(word: &str) -> bool {
    let word = word.trim_start_matches('(').to_uppercase();
    ["SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "COPY", "FROM", ""].contains(&&*word)
}
