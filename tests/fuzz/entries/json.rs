//! JSON from anywhere: bodies as routes read them, rows as objects, texts as a log writes them.

use cohortflow::ingest::objects::sheet;
use cohortflow::ingest::{ReadError, read_bytes};
use cohortflow::numbers::{hidden, hidden_freely, hidden_in_json};
use cohortflow::programme::{self, Source};
use cohortflow::serve::tried::bodies;
use serde_json::Value;

use super::common::{Dictionaries, name, settings};
use super::extracts::FEEDS;

/// The first byte chooses the feed that rows would be of, the others are a body.
pub fn json(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else { return };
    for (route, why) in bodies(body) {
        assert!(why.is_none_or(|why| !why.is_empty()), "{route}");
    }
    rows(FEEDS[usize::from(*choice) % FEEDS.len()].0, body);
    if let Ok(text) = std::str::from_utf8(body) {
        texts(text);
    }
}

/// Rows: each is taken or set aside, or all are refused.
fn rows(stem: &str, body: &[u8]) {
    let file = name(&format!("{stem}.csv"));
    let Ok(sheet) = sheet(file.feed, body) else { return };
    match read_bytes(&sheet.text, &file, None, &settings(), &mut Dictionaries::default()) {
        Ok(extract) => assert_eq!(extract.rows.len() + extract.rejects.len(), sheet.rows),
        Err(ReadError::Refused { refused, .. }) => assert!(!refused.fact.is_empty()),
        Err(error) => panic!("{error}"),
    }
}

/// Whatever hides numbers hides them once for all, and leaves JSON what it is.
fn texts(text: &str) {
    for hide in [hidden, hidden_freely, hidden_in_json] {
        let told = hide(text);
        assert_eq!(hide(&told), told);
        assert_eq!(told.chars().count(), text.chars().count());
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let told: Value = serde_json::from_str(&hidden_in_json(text)).expect("JSON still");
    assert!(is_alike(&value, &told), "{value} {told}");
    let Value::Object(members) = &value else { return };
    let Some(Value::Array(sources)) = members.get("sources") else { return };
    let source =
        |source: &Value| Some(Source { name: "own.toml".to_owned(), text: source["text"].as_str()?.to_owned() });
    if let Some(Err(diagnostics)) = sources.first().and_then(source).map(|source| programme::parse(vec![source])) {
        assert!(!diagnostics.is_empty());
    }
}

/// Whether two values differ in texts alone, and in these by what is hidden.
fn is_alike(value: &Value, told: &Value) -> bool {
    match (value, told) {
        (Value::String(text), Value::String(told)) => text.chars().count() >= told.chars().count(),
        (Value::Array(values), Value::Array(told)) => {
            values.len() == told.len() && values.iter().zip(told).all(|(value, told)| is_alike(value, told))
        }
        // Names of members that were two may be one now.
        (Value::Object(_), Value::Object(_)) => true,
        _ => value == told,
    }
}
