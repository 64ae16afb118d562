//! Whom a campaign leaves out of its audience: `exclude`, `never_with`, `not_after`.

use std::collections::BTreeSet;

use dataflows::targets::{DAYS_MAX, DO_NOT_CONTACT, LISTS_MAX, Offer};

use super::{Ids, own_id, unknown};
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::outline::{Entry, Item};
use crate::programme::{near, values};

/// What `exclude` may hold beside lists.
const WORDS: [&str; 3] = ["holders", "terminal", "optout"];
const LIST: &str = "list:";

/// What `exclude` says.
#[derive(Default)]
pub(super) struct Excluded {
    pub holders: bool,
    pub terminals: bool,
    /// Beside [`DO_NOT_CONTACT`].
    pub lists: Vec<String>,
}

/// Reads `exclude`. Opt-outs and the list [`DO_NOT_CONTACT`] bind every campaign, named or not.
pub(super) fn excluded(whose: &str, offer: &Offer, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Excluded {
    let mut excluded = Excluded::default();
    for (word, place) in values::names(entry, "exclusions", reader.problems) {
        match word {
            "holders" | "terminal" if *offer == Offer::Nothing => {
                let message = format!("{whose} offers no product: {} excludes nobody", quoted(word));
                reader.problems.warning(place, message, None);
            }
            "holders" => excluded.holders = true,
            "terminal" => excluded.terminals = true,
            "optout" => {}
            _ => match word.strip_prefix(LIST) {
                Some(DO_NOT_CONTACT) => {}
                Some(list) if !list.trim().is_empty() => excluded.lists.push(list.to_owned()),
                Some(_) => reader.problems.error(place, "exclude holds a list without a name", None),
                None => {
                    let message = format!("exclude of {whose} holds {}, which is none of its words", quoted(word));
                    let known = || format!("known are {}, and list:NAME for each list", WORDS.join(", "));
                    reader.problems.error(place, message, near::hint(word, WORDS).unwrap_or_else(known));
                }
            },
        }
    }
    if excluded.lists.len() > LISTS_MAX {
        let message = format!("{whose} leaves out {} lists, {LISTS_MAX} are allowed", excluded.lists.len());
        reader.problems.error(entry.place, message, None);
    }
    excluded
}

/// `never_with`: other campaigns of the programme.
pub(super) fn rivals(whose: &str, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> BTreeSet<String> {
    let Some(entry) = item.find("never_with") else { return BTreeSet::new() };
    let own = own_id(item);
    let rivals = values::names(entry, "campaigns", reader.problems);
    for (rival, place) in &rivals {
        if Some(*rival) == own {
            let message = format!("never_with of {whose} names the campaign itself");
            reader.problems.error(*place, message, None);
        } else if !ids.campaigns.contains(*rival) {
            let message =
                format!("never_with of {whose} names {}, and the programme has no such campaign", quoted(rival));
            unknown(*place, message, rival, ids.campaigns.iter().map(String::as_str), reader.problems);
        }
    }
    rivals.into_iter().map(|(rival, _)| rival.to_owned()).collect()
}

/// `not_after`: days by channel or campaign. What is no campaign is a channel: which there are, their feed says.
pub(super) fn waits(entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Vec<(String, u32)> {
    let Some(item) = values::table(entry, "{ wap_push = 14 }", reader.problems) else { return Vec::new() };
    let mut waits = Vec::with_capacity(item.entries.len());
    for entry in &item.entries {
        let days = values::whole(entry, 1, DAYS_MAX.into(), reader.problems);
        waits.extend(days.and_then(|days| Some((entry.key.to_owned(), u32::try_from(days).ok()?))));
    }
    waits
}
