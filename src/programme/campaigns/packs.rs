//! `[[pack]]`: products that go together, mostly for a class.

use std::collections::HashMap;

use dataflows::targets::{PACK_MAX, Pack};

use super::places;
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::ladder::Level;
use crate::programme::outline::{self, Item};
use crate::programme::source::Place;
use crate::programme::{near, values};

const KEYS: [&str; 6] = ["id", "name", "tier", "goal", "products", "level"];

/// What a campaign writes in place of a pack's id: the pack of the customer's class.
pub(super) const BY_TIER: &str = "by_tier";

/// A pack for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackName {
    pub id: String,
    pub name: Option<String>,
    /// What it is for, in a sentence.
    pub goal: Option<String>,
    pub level: Level,
}

/// The packs, in the programme's order, and what they are called.
pub(in crate::programme) fn packs(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> (Vec<Pack>, Vec<PackName>) {
    let (mut ids, mut tiers) = (HashMap::new(), HashMap::new());
    let (mut packs, mut names) = (Vec::new(), Vec::new());
    for item in items {
        reader.known_keys("pack", item, &KEYS);
        let id = super::id("pack", item, &mut ids, reader);
        let whose = super::whose("pack", id);
        if let (Some(BY_TIER), Some(entry)) = (id, item.find("id")) {
            let message = format!("a pack has the id {}, by which campaigns name that of the class", quoted(BY_TIER));
            reader.problems.error(entry.place, message, "give it another id".to_owned());
        }
        let tier = tier(item, &mut tiers, reader);
        let products = products(&whose, item, reader);
        let level = places::level(item, reader);
        let name = item.find("name").and_then(|entry| values::name(entry, reader.problems)).map(str::to_owned);
        let goal = item.find("goal").and_then(|entry| values::name(entry, reader.problems)).map(str::to_owned);
        let Some(id) = id else { continue };
        packs.push(Pack { id: id.to_owned(), tier, products });
        names.push(PackName { id: id.to_owned(), name, goal, level });
    }
    (packs, names)
}

/// The class that a pack is for; no two are for the same.
fn tier<'e>(item: &Item<'e>, seen: &mut HashMap<&'e str, Place>, reader: &mut Reader<'_, '_>) -> Option<String> {
    let entry = item.find("tier")?;
    let tier = values::name(entry, reader.problems)?;
    if !reader.known.tiers.iter().any(|known| known == tier) {
        let message = format!("tier is {}, and the programme has no such tier", quoted(tier));
        let hint = near::hint_or_list(tier, reader.known.tiers.iter().map(String::as_str));
        reader.problems.error(entry.place, message, hint);
    } else if let Some(earlier) = seen.insert(tier, entry.place) {
        let hint = format!("first at {}", outline::at(earlier, reader.sources));
        reader.problems.error(entry.place, format!("two packs are for the tier {}", quoted(tier)), hint);
    }
    Some(tier.to_owned())
}

fn products(whose: &str, item: &Item<'_>, reader: &mut Reader<'_, '_>) -> Vec<String> {
    let Some(entry) = item.find("products") else {
        let hint = "write products = [\"...\"], the best first".to_owned();
        reader.problems.error(item.place, format!("{whose} has no products"), hint);
        return Vec::new();
    };
    let errors = reader.problems.errors();
    let products = values::names(entry, "products", reader.problems);
    if products.is_empty() && reader.problems.errors() == errors {
        reader.problems.error(entry.place, format!("{whose} has no products"), None);
    }
    if let Some((_, place)) = products.get(PACK_MAX) {
        let message = format!("{whose} has {} products, {PACK_MAX} are allowed", products.len());
        reader.problems.error(*place, message, None);
    }
    products.into_iter().map(|(product, _)| product.to_owned()).collect()
}
