//! Channels and steps of a campaign.

use std::collections::{BTreeSet, HashSet};

use dataflows::targets::{CHANNELS_MAX, DAYS_MAX};

use super::plan::{Condition, Step};
use super::{Ids, unknown};
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::outline::{self, Item};
use crate::programme::values;

const KEYS: [&str; 4] = ["channel", "after_days", "if", "content"];

/// Most steps of a campaign: a hand-off tells its step in a byte.
const STEPS_MAX: usize = 256;

/// Channels in fallback order, and steps.
pub(super) struct Ways {
    /// The first step's, then those of `channels`; where there is no `channels`, those of the steps.
    pub channels: Vec<String>,
    pub steps: Vec<Step>,
}

impl Ways {
    /// Every channel that something is handed off to.
    pub fn every_channel(&self) -> BTreeSet<&str> {
        self.channels.iter().chain(self.steps.iter().map(|step| &step.channel)).map(String::as_str).collect()
    }
}

/// What `channels` and `steps` say together. Channels without steps are one step.
pub(super) fn ways(whose: &str, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Ways {
    let errors = reader.problems.errors();
    let steps = steps(whose, item, ids, reader);
    let written = item.find("channels").map(|entry| values::names(entry, "channels", reader.problems));
    let mut ways = Ways { channels: Vec::new(), steps };
    ways.channels.extend(ways.steps.first().map(|step| step.channel.clone()));
    match written {
        Some(names) => ways.channels.extend(names.into_iter().map(|(channel, _)| channel.to_owned())),
        None => ways.channels.extend(ways.steps.iter().map(|step| step.channel.clone())),
    }
    let mut seen = HashSet::new();
    ways.channels.retain(|channel| seen.insert(channel.clone()));
    if ways.channels.len() > CHANNELS_MAX {
        let message = format!("{whose} has {} channels, {CHANNELS_MAX} are allowed", ways.channels.len());
        reader.problems.error(item.place, message, None);
    }
    match ways.channels.first() {
        Some(channel) if ways.steps.is_empty() => {
            let channel = channel.clone();
            ways.steps.push(Step { channel, after_days: 0, condition: Condition::Always, content: None });
        }
        None if reader.problems.errors() == errors => {
            let hint = "write channels = [\"sms\"], in the order in which they are tried".to_owned();
            reader.problems.error(item.place, format!("{whose} has no channel"), hint);
        }
        _ => {}
    }
    ways
}

fn steps(whose: &str, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Vec<Step> {
    let Some(entry) = item.find("steps") else { return Vec::new() };
    let items = outline::array("campaign.steps", entry, entry.place.file, reader.problems);
    if let Some(item) = items.get(STEPS_MAX) {
        let message = format!("{whose} has {} steps, {STEPS_MAX} are allowed", items.len());
        reader.problems.error(item.place, message, None);
        return Vec::new();
    }
    let mut steps = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let step = format!("step {} of {whose}", place.saturating_add(1));
        steps.extend(self::step(&step, place == 0, item, ids, reader));
    }
    steps
}

fn step(whose: &str, is_first: bool, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Option<Step> {
    reader.known_keys("step", item, &KEYS);
    let channel = match item.find("channel") {
        Some(entry) => values::name(entry, reader.problems),
        None => {
            reader.problems.error(item.place, format!("{whose} without channel"), "write channel = \"sms\"".to_owned());
            None
        }
    };
    let after_days = item.find("after_days").map(|entry| values::whole(entry, 0, DAYS_MAX.into(), reader.problems));
    let condition = item.find("if").map(|entry| {
        let words = Condition::ALL.map(|(_, word)| word);
        let place = values::one_of(entry, &words, reader.problems);
        place.and_then(|place| Condition::ALL.get(place)).map(|(condition, _)| *condition)
    });
    let condition = condition.unwrap_or(Some(Condition::Always));
    if is_first {
        for entry in item.entries.iter().filter(|entry| matches!(entry.key, "after_days" | "if")) {
            let is_plain = if entry.key == "if" {
                matches!(condition, None | Some(Condition::Always))
            } else {
                matches!(after_days, None | Some(None | Some(0)))
            };
            if !is_plain {
                let message = format!("{whose} has {}, and no step is before it", entry.key);
                reader.problems.error(entry.key_place, message, "leave it out".to_owned());
            }
        }
    } else if let Some(condition) = condition.filter(|condition| condition.is_of_silence())
        && matches!(after_days, None | Some(Some(0)))
    {
        let message = format!("{whose} is for {}, and waits for nothing", quoted(condition.name()));
        reader.problems.error(item.place, message, "write after_days = 3, or as many as an answer takes".to_owned());
    }
    let content = channel.and_then(|channel| content(whose, channel, item, ids, reader));
    let after_days = after_days.unwrap_or(Some(0)).and_then(|days| u32::try_from(days).ok());
    Some(Step { channel: channel?.to_owned(), after_days: after_days?, condition: condition?, content })
}

/// The content that a step names, which must have a text for its channel.
fn content(whose: &str, channel: &str, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Option<String> {
    let entry = item.find("content")?;
    let id = values::name(entry, reader.problems)?;
    match ids.contents.get(id) {
        None => {
            let message = format!("content of {whose} is {}, and the programme has no such content", quoted(id));
            unknown(entry.place, message, id, ids.contents.keys().map(String::as_str), reader.problems);
        }
        Some(channels) if !channels.contains(channel) => {
            let message = format!("content {} of {whose} has no text for the channel {}", quoted(id), quoted(channel));
            let hint = format!("write [[content]] with id = {} and channel = {}", quoted(id), quoted(channel));
            reader.problems.error(entry.place, message, hint);
        }
        Some(_) => {}
    }
    Some(id.to_owned())
}
