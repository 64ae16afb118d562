//! `[[restriction]]`: who may not order, and what he is told.

use std::collections::HashMap;

use super::campaigns;
use super::diagnostic::quoted;
use super::document::Reader;
use super::outline::Item;
use super::values;

const KEYS: [&str; 5] = ["id", "list", "code", "text", "link"];

/// Longest reply, in characters: four parts of a short message.
const TEXT_CHARACTERS_MAX: usize = 268;

/// Whoever is on its list may not order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restriction {
    pub id: String,
    pub list: String,
    /// For programs; its id where it does not say.
    pub code: String,
    /// What the customer is told.
    pub text: String,
    /// Told in place of the text where the terminal opens links.
    pub link: Option<String>,
}

/// The restrictions, in the programme's order: the first that holds is told.
pub(super) fn restrictions(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> Vec<Restriction> {
    let mut seen = HashMap::new();
    items.iter().filter_map(|item| restriction(item, &mut seen, reader)).collect()
}

fn restriction<'e>(
    item: &Item<'e>,
    seen: &mut HashMap<&'e str, super::source::Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<Restriction> {
    reader.known_keys("restriction", item, &KEYS);
    let id = campaigns::id("restriction", item, seen, reader);
    let whose = campaigns::whose("restriction", id);
    for (key, example) in [("list", "arrears"), ("text", "...")] {
        if item.find(key).is_none() {
            let hint = format!("write {key} = \"{example}\"");
            reader.problems.error(item.place, format!("{whose} has no {key}"), hint);
        }
    }
    let list = item.find("list").and_then(|entry| values::name(entry, reader.problems));
    let code = item.find("code").and_then(|entry| values::name(entry, reader.problems)).or(id);
    let link = item.find("link").and_then(|entry| campaigns::link(&whose, entry, reader));
    let entry = item.find("text")?;
    let text = values::text(entry, "a text", reader.problems)?;
    if text.trim().is_empty() {
        return values::refuse(entry, "a text that is not empty", None, reader.problems);
    }
    if let Some(char) = text.chars().find(|char| char.is_control()) {
        let message = format!("text of {whose} holds the control character {}", quoted(&char.to_string()));
        reader.problems.error(entry.place, message, None);
    }
    let length = text.chars().count();
    if length > TEXT_CHARACTERS_MAX {
        let message = format!("text of {whose} has {length} characters, {TEXT_CHARACTERS_MAX} are allowed");
        reader.problems.error(entry.place, message, None);
    }
    Some(Restriction {
        id: id?.to_owned(),
        list: list?.to_owned(),
        code: code?.to_owned(),
        text: text.to_owned(),
        link,
    })
}
