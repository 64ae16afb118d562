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

#[cfg(test)]
mod tests {
    use super::super::{Source, parse};

    /// What is made of a programme: what its restrictions tell, or what is wrong.
    fn check(text: &str, expected: Result<&[(&str, &str, &str)], &[&str]>) {
        let source = Source { name: "p.toml".to_owned(), text: text.to_owned() };
        match (parse(vec![source]), expected) {
            (Ok(document), Ok(expected)) => {
                let told = |one: &super::Restriction| (one.list.clone(), one.code.clone(), one.text.clone());
                let told: Vec<_> = document.restrictions.iter().map(told).collect();
                let own = |(list, code, text): &(&str, &str, &str)| {
                    ((*list).to_owned(), (*code).to_owned(), (*text).to_owned())
                };
                assert_eq!(told, expected.iter().map(own).collect::<Vec<_>>(), "{text}");
            }
            (Err(told), Err(expected)) => {
                let told: Vec<String> = told.iter().map(ToString::to_string).collect();
                assert_eq!(told.len(), expected.len(), "{told:?}");
                assert!(told.iter().zip(expected).all(|(told, part)| told.contains(part)), "{told:?}");
            }
            (given, _) => panic!("{text}: {:?}", given.map(|_| ())),
        }
    }

    #[test]
    fn a_restriction_names_a_list_and_a_text() {
        let two = "[[restriction]]\nid = \"owes\"\nlist = \"arrears\"\ncode = \"R17\"\ntext = \"Pay first\"\n\
                   [[restriction]]\nid = \"minor\"\nlist = \"minors\"\ntext = \"先问家长\"\n";
        check(two, Ok(&[("arrears", "R17", "Pay first"), ("minors", "minor", "先问家长")]));
        check("[[restriction]]\nid = \"a\"\n", Err(&["has no list", "has no text"]));
        check("[[restriction]]\nlist = \"a\"\ntext = \"b\"\n", Err(&["a restriction without id"]));
        let one = |rest: &str| format!("[[restriction]]\nid = \"a\"\nlist = \"b\"\n{rest}\n");
        check(&one("text = \" \""), Err(&["expected a text that is not empty"]));
        check(&one("text = \"a\\nb\""), Err(&["control character"]));
        check(&one("text = \"a\"\nwhen = \"true\""), Err(&["unknown key"]));
        check(&one("text = \"a\"\nlink = \"ftp://x\""), Err(&["link of restriction \"a\""]));
        check(&one(&format!("text = \"{}\"", "好".repeat(269))), Err(&["269 characters, 268 are allowed"]));
        check(&format!("{two}{two}"), Err(&["two restrictions have the id", "two restrictions have the id"]));
    }
}
