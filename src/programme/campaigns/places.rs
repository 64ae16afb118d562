//! Where a campaign is carried out: its level, and its cities.

use std::collections::BTreeSet;

use crate::programme::document::Reader;
use crate::programme::ladder::Level;
use crate::programme::outline::Item;
use crate::programme::values;

/// The level of a campaign or a pack.
pub(super) fn level(item: &Item<'_>, reader: &mut Reader<'_, '_>) -> Level {
    let word = item.find("level").and_then(|entry| values::one_of(entry, &Level::WORDS, reader.problems));
    word.map(Level::from_position).unwrap_or_default()
}

/// The cities of a campaign; none is all of the province.
pub(super) fn cities(whose: &str, level: Level, item: &Item<'_>, reader: &mut Reader<'_, '_>) -> BTreeSet<String> {
    let hint = || "write cities = [\"Dalian\"], as the customer feed spells them".to_owned();
    let Some(entry) = item.find("cities") else {
        if level == Level::City {
            let message = format!("{whose} is on the level of cities and names none");
            reader.problems.error(item.place, message, hint());
        }
        return BTreeSet::new();
    };
    let errors = reader.problems.errors();
    let cities = values::names(entry, "cities", reader.problems);
    if cities.is_empty() && reader.problems.errors() == errors {
        reader.problems.error(entry.place, format!("cities of {whose} names none"), hint());
    }
    cities.into_iter().map(|(city, _)| city.to_owned()).collect()
}
