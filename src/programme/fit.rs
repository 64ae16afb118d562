//! `[fit]`: weights, affinities, models and selling points.

use std::collections::BTreeMap;

use dataflows::fit::{Affinity, FIT_WEIGHT_MAX, Fit, Kin, Of, SMOOTHING_MAX};

use super::diagnostic::quoted;
use super::document::Reader;
use super::outline::{self, Entry, Item};
use super::source::Place;
use super::{near, values};

const KEYS: [&str; 5] = ["weights", "parts", "smoothing", "affinities", "scores"];
const SELLING_KEY: &str = "selling_points";
const WEIGHTS: [&str; 3] = ["customer_product", "product_channel", "customer_channel"];
const PARTS: [&str; 3] = ["affinity", "lift", "score"];
const AFFINITY_KEYS: [&str; 7] = ["product", "category", "tier", "segment", "drive", "circle", "points"];
const SELLING_KEYS: [&str; 4] = ["product", "tier", "segment", "text"];

/// Most affinities, and most selling points: each is looked at for every product that is scored.
const ITEMS_MAX: usize = 10_000;

/// What is said for a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SellingPoint {
    pub product: String,
    /// To whom; to everybody where it does not say.
    pub kin: Option<Kin>,
    pub text: String,
}

/// The section, where there is one, and the selling points in its order.
pub(super) fn fit(
    section: Option<&Item<'_>>,
    segments: &[String],
    reader: &mut Reader<'_, '_>,
) -> (Option<Fit>, Vec<SellingPoint>) {
    let Some(section) = section else { return (None, Vec::new()) };
    let keys: Vec<&str> = KEYS.into_iter().chain([SELLING_KEY]).collect();
    for entry in section.entries.iter().filter(|entry| !keys.contains(&entry.key)) {
        match near::hint(entry.key, keys.iter().copied()) {
            None => {
                let message = format!("key {} of [fit] is not carried by this build", quoted(entry.key));
                reader.problems.warning(entry.key_place, message, None);
            }
            hint => reader.problems.error(entry.key_place, format!("unknown key {} of [fit]", quoted(entry.key)), hint),
        }
    }
    let mut fit = Fit::default();
    if let Some(entry) = section.find("weights") {
        weights(entry, &WEIGHTS, &mut fit.weights, reader);
    }
    if let Some(entry) = section.find("parts") {
        weights(entry, &PARTS, &mut fit.parts, reader);
    }
    if let Some(entry) = section.find("smoothing") {
        let smoothing = values::whole(entry, 0, i64::from(SMOOTHING_MAX), reader.problems);
        fit.smoothing = smoothing.and_then(|smoothing| u32::try_from(smoothing).ok()).unwrap_or(fit.smoothing);
    }
    if let Some(entry) = section.find("scores") {
        fit.scores = scores(entry, reader);
    }
    if let Some(entry) = section.find("affinities") {
        let items = items("affinities", entry, reader);
        fit.affinities = items.iter().filter_map(|item| affinity(item, segments, reader)).collect();
    }
    let selling = section.find(SELLING_KEY).map_or_else(Vec::new, |entry| {
        let items = items("selling_points", entry, reader);
        items.iter().filter_map(|item| selling_point(item, segments, reader)).collect()
    });
    (Some(fit), selling)
}

fn items<'a>(name: &str, entry: &Entry<'a>, reader: &mut Reader<'_, '_>) -> Vec<Item<'a>> {
    let items = outline::array(&format!("fit.{name}"), entry, entry.place.file, reader.problems);
    if let Some(item) = items.get(ITEMS_MAX) {
        let message = format!("[fit] has {} {}, {ITEMS_MAX} are allowed", items.len(), name.replace('_', " "));
        reader.problems.error(item.place, message, None);
    }
    items
}

/// What is not named weighs 0; something must weigh.
fn weights(entry: &Entry<'_>, names: &[&str; 3], weights: &mut [u32; 3], reader: &mut Reader<'_, '_>) {
    let example = format!("{{ {} = 2, {} = 1, {} = 1 }}", names[0], names[1], names[2]);
    let Some(item) = values::table(entry, &example, reader.problems) else { return };
    reader.known_keys(entry.key, &item, names);
    let errors = reader.problems.errors();
    *weights = names.map(|name| {
        let weight = item.find(name);
        let weight = weight.and_then(|entry| values::whole(entry, 0, i64::from(FIT_WEIGHT_MAX), reader.problems));
        weight.and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0)
    });
    if weights.iter().all(|weight| *weight == 0) && reader.problems.errors() == errors {
        reader.problems.error(entry.place, format!("all {} of [fit] are 0", entry.key), format!("write {example}"));
    }
}

/// Models by product.
fn scores(entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> BTreeMap<String, String> {
    let Some(item) = values::table(entry, "{ crbt = \"crbt_propensity\" }", reader.problems) else {
        return BTreeMap::new();
    };
    let model = |entry: &Entry<'_>, reader: &mut Reader<'_, '_>| {
        let model = values::name(entry, reader.problems)?;
        Some((entry.key.to_owned(), model.to_owned()))
    };
    item.entries.iter().filter_map(|entry| model(entry, reader)).collect()
}

fn affinity(item: &Item<'_>, segments: &[String], reader: &mut Reader<'_, '_>) -> Option<Affinity> {
    reader.known_keys("affinity", item, &AFFINITY_KEYS);
    let of = one(item, "an affinity", ["product", "category"], reader);
    let kin = one(item, "an affinity", ["tier", "segment", "drive", "circle"], reader);
    let points = match item.find("points") {
        Some(entry) => values::whole(entry, -100, 100, reader.problems),
        None => {
            let hint = "write points = 20: from -100 to 100".to_owned();
            reader.problems.error(item.place, "an affinity without points", hint);
            None
        }
    };
    let (of, kin) = (of?, kin?);
    let name = values::name(of, reader.problems)?.to_owned();
    let of = if of.key == "product" { Of::Product(name) } else { Of::Category(name) };
    Some(Affinity { of, kin: self::kin(kin, segments, reader)?, points: points? * 100 })
}

/// The one of some keys that stands.
fn one<'i, 'a, const N: usize>(
    item: &'i Item<'a>,
    what: &str,
    keys: [&str; N],
    reader: &mut Reader<'_, '_>,
) -> Option<&'i Entry<'a>> {
    let found: Vec<&Entry<'_>> = keys.iter().filter_map(|key| item.find(key)).collect();
    match found.as_slice() {
        [] => reader.problems.error(item.place, format!("{what} without {}", near::either(&keys)), None),
        [_] => {}
        [_, second, ..] => {
            reader.problems.error(second.key_place, format!("{what} with more than one of {}", keys.join(", ")), None);
        }
    }
    found.first().copied().filter(|_| found.len() == 1)
}

/// Whom it is for, who must be somebody of the programme. Circles come with tags: until then nobody is in one.
fn kin(entry: &Entry<'_>, segments: &[String], reader: &mut Reader<'_, '_>) -> Option<Kin> {
    let id = values::name(entry, reader.problems)?;
    let (known, kin): (&[String], fn(String) -> Kin) = match entry.key {
        "tier" => (&reader.known.tiers, Kin::Tier),
        "segment" => (segments, Kin::Segment),
        "drive" => (&reader.known.drives, Kin::Drive),
        _ => {
            let message = format!("circle {} is not carried by this build: nobody is in it", quoted(id));
            reader.problems.warning(entry.place, message, None);
            return None;
        }
    };
    if !known.iter().any(|known| known == id) {
        let message = format!("{} is {}, and the programme has no such {}", entry.key, quoted(id), entry.key);
        let hint = near::hint_or_list(id, known.iter().map(String::as_str));
        reader.problems.error(entry.place, message, hint);
    }
    Some(kin(id.to_owned()))
}

fn selling_point(item: &Item<'_>, segments: &[String], reader: &mut Reader<'_, '_>) -> Option<SellingPoint> {
    reader.known_keys("selling point", item, &SELLING_KEYS);
    let mut needed = |key: &str| {
        let found = item.find(key);
        if found.is_none() {
            reader.problems.error(
                item.place,
                format!("a selling point without {key}"),
                format!("write {key} = \"...\""),
            );
        }
        found
    };
    let (product, text) = (needed("product"), needed("text"));
    let product = product.and_then(|entry| values::name(entry, reader.problems))?.to_owned();
    let text = text.and_then(|entry| values::text(entry, "a text", reader.problems))?.to_owned();
    let is_for: Option<Place> = ["tier", "segment"].into_iter().find_map(|key| Some(item.find(key)?.place));
    let kin = match is_for {
        None => None,
        Some(_) => {
            let entry = one(item, "a selling point", ["tier", "segment"], reader)?;
            Some(self::kin(entry, segments, reader)?)
        }
    };
    Some(SellingPoint { product, kin, text })
}
