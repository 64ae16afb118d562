//! `active_measures` of `[settings]`: the measure that shows a product's use. A `[[care]]` of the product tells
//! where this does not.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::diagnostic::Problems;
use super::outline::{Entry, entries, kind_of};
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
