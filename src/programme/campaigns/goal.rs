//! `goal` of a campaign: a standing one by its id, or one of its own.

use toml::de::DeValue;

use super::plan::{Goal, OwnGoal};
use super::{Ids, unknown};
use crate::programme::decimals;
use crate::programme::diagnostic::quoted;
use crate::programme::document::Reader;
use crate::programme::outline::Entry;
use crate::programme::values;

const KEYS: [&str; 5] = ["kpi", "product", "target", "driver", "strategy"];

pub(super) fn goal(whose: &str, entry: &Entry<'_>, ids: &Ids, reader: &mut Reader<'_, '_>) -> Option<Goal> {
    if let DeValue::String(_) = entry.value {
        let id = values::name(entry, reader.problems)?;
        if !ids.goals.contains(id) {
            let message = format!("goal of {whose} is {}, and the programme has no such goal", quoted(id));
            unknown(entry.place, message, id, ids.goals.iter().map(String::as_str), reader.problems);
        }
        return Some(Goal::Standing(id.to_owned()));
    }
    let example = "{ kpi = \"adoption\", product = \"crbt\", target = 6000 }, or the id of a [[goal]]";
    let item = values::table(entry, example, reader.problems)?;
    reader.known_keys("goal", &item, &KEYS);
    let mut name = |key: &str| {
        let name = item.find(key).and_then(|entry| values::name(entry, reader.problems));
        name.map(str::to_owned)
    };
    let (kpi, product) = (name("kpi"), name("product"));
    let (driver, strategy) = (name("driver"), name("strategy"));
    let target = item.find("target").and_then(|entry| decimals::hundredths(entry, "a number", reader.problems));
    if item.find("kpi").is_none() {
        let hint = "write kpi = \"...\": what is counted".to_owned();
        reader.problems.error(item.place, format!("goal of {whose} without kpi"), hint);
    }
    Some(Goal::Own(OwnGoal { kpi: kpi?, product, target, driver, strategy }))
}
