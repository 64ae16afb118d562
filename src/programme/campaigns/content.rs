//! `[[content]]`: what is sent, by channel and version.

use std::collections::HashMap;

use super::length;
use super::{Ids, unknown};
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::outline::{self, Entry, Item};
use crate::programme::source::Place;
use crate::programme::values;

const KEYS: [&str; 6] = ["id", "campaign", "channel", "version", "text", "link"];

/// Longest link, in bytes: what every gateway and every terminal takes.
const LINK_BYTES_MAX: usize = 2_000;

/// A text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// One of the two at least. Where it has an id, it goes by that.
    pub id: Option<String>,
    pub campaign: Option<String>,
    pub channel: String,
    /// Of the same content the greatest is used.
    pub version: u32,
    pub text: String,
    /// Sent in place of the text to terminals that open links.
    pub link: Option<String>,
}

/// The contents, in the programme's order. Their ids become known.
pub(in crate::programme) fn contents(items: &[Item<'_>], ids: &mut Ids, reader: &mut Reader<'_, '_>) -> Vec<Content> {
    let mut seen = HashMap::new();
    let mut contents = Vec::with_capacity(items.len());
    for item in items {
        let Some(content) = content(item, ids, &mut seen, reader) else { continue };
        if let Some(id) = &content.id {
            ids.contents.entry(id.clone()).or_default().insert(content.channel.clone());
        }
        contents.push(content);
    }
    contents
}

/// Whether it goes by its id, the id or the campaign, the channel, the version.
type Key<'e> = (bool, &'e str, &'e str, u32);

fn content<'e>(
    item: &Item<'e>,
    ids: &Ids,
    seen: &mut HashMap<Key<'e>, Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<Content> {
    reader.known_keys("content", item, &KEYS);
    let id = item.find("id").map(|entry| values::name(entry, reader.problems));
    let campaign = item.find("campaign").map(|entry| {
        let campaign = values::name(entry, reader.problems)?;
        if !ids.campaigns.contains(campaign) {
            let message = format!("campaign is {}, and the programme has no such campaign", quoted(campaign));
            unknown(entry.place, message, campaign, ids.campaigns.iter().map(String::as_str), reader.problems);
        }
        Some(campaign)
    });
    if let (None, None) = (id, campaign) {
        let hint = "write campaign = \"...\", or an id by which steps name it".to_owned();
        reader.problems.error(item.place, "a content without id and campaign", hint);
    }
    let (id, campaign) = (id.flatten(), campaign.flatten());
    let name = id.or(campaign);
    let whose = name.map_or_else(|| "a content".to_owned(), |name| format!("content {}", quoted(name)));
    let mut required = |key: &str, hint: &str| {
        let entry = item.find(key);
        if entry.is_none() {
            reader.problems.error(item.place, format!("{whose} without {key}"), hint.to_owned());
        }
        entry
    };
    let (channel, text) = (required("channel", "write channel = \"sms\""), required("text", "write text = \"...\""));
    let channel = channel.and_then(|entry| values::name(entry, reader.problems));
    let text = text.and_then(|entry| self::text(&whose, channel, entry, reader));
    let version = item.find("version").map_or(Some(1), |entry| {
        let version = values::whole(entry, 1, u32::MAX.into(), reader.problems)?;
        u32::try_from(version).ok()
    });
    let link = item.find("link").and_then(|entry| link(&whose, entry, reader));
    let (channel, version) = (channel?, version?);
    if let Some(earlier) = seen.insert((id.is_some(), name?, channel, version), item.place) {
        let message = format!("{whose} has version {version} for {} twice", quoted(channel));
        let hint = format!("first at {}", outline::at(earlier, reader.sources));
        reader.problems.error(item.place, message, hint);
    }
    Some(Content {
        id: id.map(str::to_owned),
        campaign: campaign.map(str::to_owned),
        channel: channel.to_owned(),
        version,
        text: text?.to_owned(),
        link,
    })
}

/// A text that is sent as it stands: it has no placeholders.
fn text<'e>(whose: &str, channel: Option<&str>, entry: &Entry<'e>, reader: &mut Reader<'_, '_>) -> Option<&'e str> {
    let text = values::text(entry, "a text", reader.problems)?;
    if text.trim().is_empty() {
        return values::refuse(entry, "a text that is not empty", None, reader.problems);
    }
    if let Some(char) = text.chars().find(|char| char.is_control() && *char != '\n') {
        let message = format!("text of {whose} holds the control character {}", char.escape_default());
        reader.problems.error(entry.place, message, "a text has characters and line ends".to_owned());
    }
    let (length, limit) = (length::of(channel?, text), length::limit(channel?, text));
    if length > limit.characters {
        let message =
            format!("text of {whose} has {length} characters, {} are allowed: {}", limit.characters, limit.why);
        let hint = limit.hint.map(str::to_owned);
        reader.problems.error(entry.place, message, hint);
    }
    Some(text)
}

pub(in crate::programme) fn link(whose: &str, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Option<String> {
    let link = values::text(entry, "a link", reader.problems)?;
    let rest = link.strip_prefix("http://").or_else(|| link.strip_prefix("https://"));
    let is_link = rest.is_some_and(|rest| {
        let is_plain = !link.chars().any(|char| char.is_control() || char.is_whitespace());
        is_plain && !rest.is_empty() && !rest.starts_with(['/', '?', '#'])
    });
    if !is_link {
        let hint = "a link begins with http:// or https://, and has no blanks".to_owned();
        reader.problems.error(entry.place, format!("link of {whose} is {}", quoted(link)), hint);
    }
    if link.len() > LINK_BYTES_MAX {
        let message = format!("link of {whose} has {} bytes, {LINK_BYTES_MAX} are allowed", link.len());
        reader.problems.error(entry.place, message, None);
    }
    Some(link.to_owned())
}
