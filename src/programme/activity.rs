//! `active_measures` of `[settings]`, and `used_by` of `[[care]]`: the measure that shows a product's use.
//!
//! What `[settings]` says of a product stands; a `[[care]]` of it tells where nothing else does, with
//! `active_measure` as another word for `used_by`.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::diagnostic::{Problems, quoted};
use super::outline::{Entry, Item, entries, kind_of};
use super::values;

/// The setting `active_measures`: a table of measures by product.
pub(super) fn setting(entry: &Entry<'_>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let DeValue::Table(table) = entry.value else {
        let message = format!("active_measures is {}, expected a table of measures by product", kind_of(entry.value));
        problems.error(entry.place, message, "write active_measures = { mms = \"mms_p2p\" }".to_owned());
        return BTreeMap::new();
    };
    let mut measures = BTreeMap::new();
    for entry in entries(table, entry.place.file) {
        if entry.key.trim().is_empty() {
            problems.error(entry.key_place, "active_measures names a product without a name", None);
        } else if let Some(measure) = values::name(&entry, problems) {
            measures.insert(entry.key.to_owned(), measure.to_owned());
        }
    }
    measures
}

/// Adds what `[[care]]` tells of products that have no measure yet.
pub(super) fn of_care(items: &[Item<'_>], measures: &mut BTreeMap<String, String>, problems: &mut Problems<'_>) {
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for item in items {
        let find = |key: &str| item.entries.iter().find(|entry| entry.key == key);
        let Some(product) = find("product").and_then(|entry| values::name(entry, problems)) else { continue };
        let Some(entry) = find("used_by").or_else(|| find("active_measure")) else { continue };
        let Some(measure) = values::name(entry, problems) else { continue };
        match told.insert(product, measure) {
            Some(earlier) if earlier != measure => {
                let message = format!("two [[care]] of product {} name different measures of its use", quoted(product));
                problems.error(entry.place, message, format!("the other names {}", quoted(earlier)));
            }
            _ => drop(measures.entry(product.to_owned()).or_insert_with(|| measure.to_owned())),
        }
    }
}
