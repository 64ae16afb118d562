//! `[[template]]`: what several campaigns have in common. A campaign takes what it does not say itself from its own.

use std::collections::HashMap;

use super::{KEYS, unknown};
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::outline::Item;
use crate::programme::values;

/// The key by which a campaign names one.
const TEMPLATE: &str = "template";

/// Gives campaigns what they take from templates.
pub(in crate::programme) fn apply<'a>(templates: &[Item<'a>], campaigns: &mut [Item<'a>], reader: &mut Reader<'_, '_>) {
    let mut known: HashMap<&str, &Item<'a>> = HashMap::new();
    let mut seen = HashMap::new();
    for item in templates {
        reader.known_keys("template", item, &KEYS);
        match item.find("id").map(|entry| (values::name(entry, reader.problems), entry.place)) {
            Some((Some(id), place)) => {
                reader.unique("template", &mut seen, id, place);
                known.insert(id, item);
            }
            Some((None, _)) => {}
            None => reader.problems.error(item.place, "a template without id", "write id = \"...\"".to_owned()),
        }
        if let Some(entry) = item.find(TEMPLATE) {
            let hint = "write what it takes from that one in it".to_owned();
            reader.problems.error(entry.key_place, "a template of a template", hint);
        }
    }
    for campaign in campaigns {
        let Some(entry) = campaign.find(TEMPLATE).copied() else { continue };
        let Some(id) = values::name(&entry, reader.problems) else { continue };
        let Some(template) = known.get(id) else {
            let message = format!("template is {}, and the programme has no such template", quoted(id));
            unknown(entry.place, message, id, known.keys().copied(), reader.problems);
            continue;
        };
        let taken = template.entries.iter().filter(|taken| !["id", TEMPLATE].contains(&taken.key));
        let taken: Vec<_> = taken.filter(|taken| campaign.find(taken.key).is_none()).copied().collect();
        campaign.entries.extend(taken);
    }
}
