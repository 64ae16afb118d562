//! What a campaign may cost, reach and give: budget, capacity, prize; what it is tried on and compared with.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::targets::{CAMPAIGNS_MAX, WHOLE};
use toml::de::DeValue;

use super::plan::{Baseline, Prize, Seed};
use super::{Ids, own_id, unknown};
use crate::programme::diagnostic::{Problems, quoted};
use crate::programme::document::Reader;
use crate::programme::outline::{Entry, Item};
use crate::programme::{decimals, near, values};

/// Most customers of a seed, prizes, or contacts of a day: no operator has more customers.
const CUSTOMERS_MAX: i64 = 2_000_000_000;

const SEED_KEYS: [&str; 3] = ["size", "min_delivery", "max_complaints"];
const PRIZE_KEYS: [&str; 2] = ["quota", "draw"];

/// The old rate: a number, or a campaign that may be one of earlier years.
pub(super) fn baseline(whose: &str, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Option<Baseline> {
    let entry = item.find("baseline")?;
    if !matches!(entry.value, DeValue::String(_)) {
        return decimals::ten_thousandths(entry, reader.problems).map(Baseline::Rate);
    }
    let id = values::name(entry, reader.problems)?;
    if own_id(item) == Some(id) {
        reader.problems.error(entry.place, format!("baseline of {whose} is the campaign itself"), None);
    } else if !ids.campaigns.contains(id) {
        let message = format!("baseline of {whose} is {}, which the programme does not hold", quoted(id));
        // Comparing a name with many costs time, for a hint that nobody would read.
        let known = if reader.problems.is_full_of_warnings() { 0 } else { CAMPAIGNS_MAX };
        let near = near::hint(id, ids.campaigns.iter().take(known).map(String::as_str));
        let hint = near.unwrap_or_else(|| "its rate is that of the contacts that are delivered for it".to_owned());
        reader.problems.warning(entry.place, message, hint);
    }
    Some(Baseline::Campaign(id.to_owned()))
}

/// A seed without bounds is contacted first, and decides nothing.
pub(super) fn seed(whose: &str, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Option<Seed> {
    let example = "{ size = 200, min_delivery = 0.9, max_complaints = 0.01 }";
    let item = values::table(entry, example, reader.problems)?;
    reader.known_keys("seed", &item, &SEED_KEYS);
    let size = customers(&format!("seed of {whose}"), "size", &item, reader.problems);
    let mut share = |key: &str, otherwise: u32| match item.find(key) {
        Some(entry) => decimals::ten_thousandths(entry, reader.problems),
        None => Some(otherwise),
    };
    let (min_delivery, max_complaints) = (share("min_delivery", 0), share("max_complaints", WHOLE));
    Some(Seed { size: size?, min_delivery: min_delivery?, max_complaints: max_complaints? })
}

pub(super) fn prize(whose: &str, entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> Option<Prize> {
    let item = values::table(entry, "{ quota = 100, draw = \"sha256\" }", reader.problems)?;
    reader.known_keys("prize", &item, &PRIZE_KEYS);
    if let Some(entry) = item.find("draw") {
        values::one_of(entry, &["sha256"], reader.problems);
    }
    Some(Prize { quota: customers(&format!("prize of {whose}"), "quota", &item, reader.problems)? })
}

/// A number of customers that must be there, 1 or more.
fn customers(whose: &str, key: &str, item: &Item<'_>, problems: &mut Problems<'_>) -> Option<u32> {
    let Some(entry) = item.find(key) else {
        problems.error(item.place, format!("{whose} without {key}"), format!("write {key} = 100"));
        return None;
    };
    values::whole(entry, 1, CUSTOMERS_MAX, problems).and_then(|number| u32::try_from(number).ok())
}

/// Most contacts of a day by channel, each of which is one of `channels`.
pub(super) fn capacity(
    whose: &str,
    entry: &Entry<'_>,
    channels: &BTreeSet<&str>,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, u32> {
    let mut capacity = BTreeMap::new();
    let Some(item) = values::table(entry, "{ sms = 5000 }", problems) else { return capacity };
    for entry in &item.entries {
        if !channels.contains(entry.key) {
            let message = format!("capacity of {whose} is for {}, which is none of its channels", quoted(entry.key));
            unknown(entry.key_place, message, entry.key, channels.iter().copied(), problems);
        }
        let contacts = values::whole(entry, 0, CUSTOMERS_MAX, problems).and_then(|number| u32::try_from(number).ok());
        capacity.extend(contacts.map(|contacts| (entry.key.to_owned(), contacts)));
    }
    capacity
}
