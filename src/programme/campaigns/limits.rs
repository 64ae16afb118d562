//! The limits over all campaigns, which `[settings]` has: caps, the global control group, answers that keep away.

use dataflows::targets::{CAMPAIGNS_MAX, Cap, DAYS_MAX, Limits, Span};

use crate::programme::diagnostic::{Problems, quoted};
use crate::programme::outline::{self, Entry, Item};
use crate::programme::{decimals, near, values};

const KEYS: [&str; 4] = ["channel", "contacts", "days", "weeks"];

/// Most caps: each is asked for every customer of every campaign.
const CAPS_MAX: usize = 32;

/// Most contacts that a cap may allow: nobody counts further.
const CONTACTS_MAX: i64 = 10_000;

/// Reads a setting into the limits, where it is one of theirs.
pub(in crate::programme) fn setting(entry: &Entry<'_>, limits: &mut Limits, problems: &mut Problems<'_>) {
    let mut number = |setting: &mut u32, min: i64, max: i64| {
        let number = values::whole(entry, min, max, problems).and_then(|number| u32::try_from(number).ok());
        *setting = number.unwrap_or(*setting);
    };
    match entry.key {
        "max_open" => number(&mut limits.open_max, 1, CAMPAIGNS_MAX as i64),
        "decline_days" => number(&mut limits.decline_days, 0, DAYS_MAX.into()),
        "later_days" => number(&mut limits.later_days, 0, DAYS_MAX.into()),
        "holdout" => limits.holdout = decimals::part(entry, problems).unwrap_or(limits.holdout),
        "caps_exempt" => {
            let kinds = values::names(entry, "kinds of campaigns", problems);
            limits.exempt = kinds.into_iter().map(|(kind, _)| kind.to_owned()).collect();
        }
        "caps" => limits.caps = caps(entry, problems),
        _ => {}
    }
}

fn caps(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Vec<Cap> {
    let items = outline::array("settings.caps", entry, entry.place.file, problems);
    if let Some(item) = items.get(CAPS_MAX) {
        problems.error(item.place, format!("there are {} caps, {CAPS_MAX} are allowed", items.len()), None);
        return Vec::new();
    }
    items.iter().filter_map(|item| cap(item, problems)).collect()
}

fn cap(item: &Item<'_>, problems: &mut Problems<'_>) -> Option<Cap> {
    for entry in item.entries.iter().filter(|entry| !KEYS.contains(&entry.key)) {
        let message = format!("unknown key {} of a cap", quoted(entry.key));
        problems.error(entry.key_place, message, near::hint_or_list(entry.key, KEYS));
    }
    let channel = item.find("channel").map(|entry| values::name(entry, problems));
    let contacts = match item.find("contacts") {
        Some(entry) => values::whole(entry, 1, CONTACTS_MAX, problems),
        None => {
            let hint = "write contacts = 2: most of them".to_owned();
            problems.error(item.place, "a cap without contacts", hint);
            None
        }
    };
    let span = span(item, problems);
    let channel = channel.map_or(Some(None), |channel| Some(Some(channel?.to_owned())));
    Some(Cap { channel: channel?, contacts: u32::try_from(contacts?).ok()?, span: span? })
}

fn span(item: &Item<'_>, problems: &mut Problems<'_>) -> Option<Span> {
    let mut number = |entry: &Entry<'_>, max: u32| {
        values::whole(entry, 1, max.into(), problems).and_then(|number| u32::try_from(number).ok())
    };
    match (item.find("days"), item.find("weeks")) {
        (Some(days), None) => number(days, DAYS_MAX).map(Span::Days),
        (None, Some(weeks)) => number(weeks, DAYS_MAX / 7).map(Span::Weeks),
        (None, None) => {
            let hint = "write days = 7, which roll, or weeks = 1, which begin on Monday".to_owned();
            problems.error(item.place, "a cap does not say over how long", hint);
            None
        }
        (Some(_), Some(weeks)) => {
            problems.error(weeks.key_place, "a cap has both days and weeks", "keep one of them".to_owned());
            None
        }
    }
}
