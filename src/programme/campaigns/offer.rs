//! What a campaign offers.

use dataflows::targets::Offer;

use super::packs::BY_TIER;
use super::{Ids, unknown};
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::outline::Item;
use crate::programme::values;

/// A product, a pack, that of the class, or nothing.
pub(super) fn offer(whose: &str, item: &Item<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Offer {
    let product = item.find("product").map(|entry| values::name(entry, reader.problems));
    let pack = item.find("pack").map(|entry| (values::name(entry, reader.problems), entry));
    if let (Some(_), Some((_, entry))) = (&product, &pack) {
        let message = format!("{whose} has both product and pack");
        reader.problems.error(entry.key_place, message, "keep one of them".to_owned());
    }
    match (product.flatten(), pack) {
        (Some(product), _) => Offer::Product(product.to_owned()),
        (None, Some((Some(BY_TIER), entry))) => {
            if !ids.has_pack_of_tier {
                let message = format!("{whose} offers the pack of the class, and no pack is for one");
                reader.problems.error(entry.place, message, "write tier = \"...\" in a [[pack]]".to_owned());
            }
            Offer::PackByTier
        }
        (None, Some((Some(pack), entry))) => {
            if !ids.packs.contains(pack) {
                let message = format!("pack of {whose} is {}, and the programme has no such pack", quoted(pack));
                let known = ids.packs.iter().map(String::as_str).chain([BY_TIER]);
                unknown(entry.place, message, pack, known, reader.problems);
            }
            Offer::Pack(pack.to_owned())
        }
        _ => Offer::Nothing,
    }
}
