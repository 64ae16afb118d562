//! Where somebody is named in a text: an id that stands by itself, as quarantine masks it, or the token of his number.

use dataflows::records::Rows;
use dataflows::types::Word;

use crate::ingest;
use crate::store::content::Content;

/// Texts by which somebody is found again.
#[derive(Clone, Default)]
pub struct Traces {
    ids: Vec<String>,
    /// The ids as quarantine shows them, and tokens as views do.
    others: Vec<String>,
}

impl Traces {
    /// Those of ids, and of what stands for numbers.
    pub fn of<'a>(ids: impl Iterator<Item = &'a str>, tokens: impl Iterator<Item = String>) -> Traces {
        let ids: Vec<String> = ids.map(str::to_owned).collect();
        let masked: Vec<String> = ids.iter().filter_map(|id| ingest::masked(id)).collect();
        Traces { others: masked.into_iter().chain(tokens).collect(), ids }
    }

    /// Whether a text names one of them. An id that is a part of a longer word is not his.
    pub fn are_in(&self, text: &str) -> bool {
        self.ids.iter().chain(&self.others).any(|trace| stands_in(trace, text))
    }

    /// Whether bytes hold one of the texts, as they are or as JSON writes them; a part of a longer word will do.
    pub fn are_in_bytes(&self, bytes: &[u8]) -> bool {
        self.ids.iter().chain(&self.others).any(|trace| {
            let json = serde_json::to_string(trace).unwrap_or_default();
            let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default();
            [trace.as_str(), json].iter().any(|text| !text.is_empty() && holds(bytes, text.as_bytes()))
        })
    }
}

fn stands_in(trace: &str, text: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric());
    !trace.is_empty()
        && text.match_indices(trace).any(|(at, found)| {
            let (before, after) = (&text[..at], &text[at + found.len()..]);
            !is_part(before.chars().next_back()) && !is_part(after.chars().next())
        })
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else { return false };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(text) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// Words that rows use, by number.
#[derive(Default)]
pub struct Used(Vec<bool>);

impl Used {
    pub fn has(&self, word: Word) -> bool {
        self.0.get(word.0 as usize).copied().unwrap_or(false)
    }

    fn extend(&mut self, words: impl IntoIterator<Item = Word>) {
        for word in words {
            let place = word.0 as usize;
            if self.0.len() <= place {
                self.0.resize(place + 1, false);
            }
            self.0[place] = true;
        }
    }
}

fn may(of: &Option<Box<str>>, text: &mut dyn FnMut(&str)) {
    of.as_deref().into_iter().for_each(text);
}

/// Looks at the words and the free texts of rows, and of keys that are deleted.
pub fn visit(content: &Content, used: &mut Used, text: &mut dyn FnMut(&str)) {
    for key in &content.deleted {
        used.extend(key.words());
        key.id().into_iter().for_each(&mut *text);
    }
    match &content.rows {
        Rows::Customer(rows) => rows.iter().for_each(|row| {
            let of = &row.fields;
            used.extend([of.gender, of.city, of.district, of.status, of.brand, of.group_type]);
            used.extend([of.occupation, of.employer, of.income_band]);
            may(&row.household_id, text);
        }),
        Rows::Terminal(rows) => rows.iter().for_each(|row| {
            used.extend([row.supports]);
            may(&row.model, text);
        }),
        Rows::Bill(_) => {}
        Rows::Usage(rows) => used.extend(rows.iter().map(|row| row.measure)),
        Rows::Product(rows) => rows.iter().for_each(|row| {
            used.extend([row.product, row.category, row.stage, row.requires]);
            may(&row.name, text);
            may(&row.traits, text);
        }),
        Rows::Channel(rows) => rows.iter().for_each(|row| {
            used.extend([row.channel]);
            may(&row.name, text);
            may(&row.traits, text);
        }),
        Rows::Order(rows) => rows.iter().for_each(|row| {
            used.extend([row.product, row.channel]);
            text(&row.order_id);
        }),
        Rows::MemberEvent(rows) => rows.iter().for_each(|row| {
            used.extend([row.event.product, row.event.detail, row.event.channel]);
            text(&row.event_id);
        }),
        Rows::Adjustment(rows) => rows.iter().for_each(|row| {
            may(&row.by, text);
            text(&row.reason);
            text(&row.adjustment_id);
        }),
        Rows::Listing(rows) => rows.iter().for_each(|row| {
            used.extend([row.list]);
            may(&row.reason, text);
        }),
        Rows::Consent(rows) => used.extend(rows.iter().flat_map(|row| [row.purpose, row.channel])),
        Rows::Score(rows) => used.extend(rows.iter().map(|row| row.model)),
        Rows::Contact(rows) => rows.iter().for_each(|row| {
            used.extend([row.contact.campaign, row.contact.channel]);
            text(&row.contact_id);
        }),
        Rows::Feedback(rows) => rows.iter().for_each(|row| {
            let of = &row.feedback;
            used.extend([of.campaign, of.channel, of.product, of.reason]);
            text(&row.feedback_id);
        }),
        Rows::CampaignState(rows) => rows.iter().for_each(|row| {
            used.extend([row.campaign, row.city]);
            may(&row.note, text);
            text(&row.by);
        }),
        Rows::Handoff(rows) => used.extend(rows.iter().flat_map(|row| [row.handoff.campaign, row.handoff.channel])),
        Rows::OrderRequest(rows) => rows.iter().for_each(|row| {
            used.extend([row.product, row.campaign, row.channel]);
            may(&row.text, text);
            may(&row.by, text);
        }),
        Rows::Provisioning(rows) => rows.iter().for_each(|row| may(&row.text, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_where_it_stands_by_itself() {
        let traces = Traces::of(["c1", "U-1390000\"7"].into_iter(), std::iter::once("ab12".to_owned()));
        for text in ["c1", "c9,c1,2009", "asked by c1.", "U-1390000\"7", "U-*******\"7", "x,ab12"] {
            assert!(traces.are_in(text), "{text}");
        }
        for text in ["c11", "xc1", "c 1", "", "ab123"] {
            assert!(!traces.are_in(text), "{text}");
        }
        assert!(traces.are_in_bytes(br#"+["x","U-1390000\"7"]"#) && traces.are_in_bytes(b"xxc12"));
        assert!(!traces.are_in_bytes(b"c2"));
    }
}
