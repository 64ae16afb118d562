//! `[[goal]]`: standing goals, each a KPI by its formula.

use std::collections::HashMap;

use dataflows::goals::{BILLED, GOALS_MAX, Goal, MONTHS_BEFORE_MAX, Quantity};

use super::campaigns;
use super::diagnostic::quoted;
use super::document::Reader;
use super::ladder::Level;
use super::outline::Item;
use super::{decimals, near, values};

const KEYS: [&str; 7] = ["id", "number", "name", "product", "kpi", "level", "target"];

/// What a formula is made of, as hints show it.
const FORMS: &str = "a quantity, or one / another: customers, customers(sms_p2p >= 1), sum(sms_p2p), sum(sms_p2p, days = holidays), \
                     held(crbt), held(crbt, months_before = 6), held(crbt, months_before = 6, still), active(crbt)";

/// Longest formula, in bytes.
const KPI_BYTES_MAX: usize = 1_000;

/// A standing goal, as people know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandingGoal {
    pub id: String,
    pub number: Option<i64>,
    pub name: Option<String>,
    pub product: Option<String>,
    /// Its formula, as it is written.
    pub kpi: String,
    pub level: Level,
    /// Of a month, in ten-thousandths.
    pub target: Option<i64>,
}

/// The goals, in the programme's order.
pub(super) fn goals(items: &[Item<'_>], reader: &mut Reader<'_, '_>) -> (Vec<Goal>, Vec<StandingGoal>) {
    if let Some(item) = items.get(GOALS_MAX) {
        let message = format!("the programme has {} goals, {GOALS_MAX} are allowed", items.len());
        reader.problems.error(item.place, message, None);
    }
    let mut seen = HashMap::new();
    items.iter().filter_map(|item| goal(item, &mut seen, reader)).unzip()
}

fn goal<'e>(
    item: &Item<'e>,
    seen: &mut HashMap<&'e str, super::source::Place>,
    reader: &mut Reader<'_, '_>,
) -> Option<(Goal, StandingGoal)> {
    reader.known_keys("goal", item, &KEYS);
    let id = campaigns::id("goal", item, seen, reader);
    let whose = campaigns::whose("goal", id);
    let number = item.find("number").and_then(|entry| values::whole(entry, 0, i64::MAX, reader.problems));
    let mut name = |key: &str| item.find(key).and_then(|entry| values::name(entry, reader.problems)).map(str::to_owned);
    let (name, product) = (name("name"), name("product"));
    let level = item.find("level").and_then(|entry| values::one_of(entry, &Level::WORDS, reader.problems));
    let target = item.find("target").and_then(|entry| decimals::fine(entry, "a number", reader.problems));
    let Some(entry) = item.find("kpi") else {
        let hint = "write kpi = \"held(crbt) / customers\"".to_owned();
        reader.problems.warning(item.place, format!("{whose} without kpi: nothing is told of it"), hint);
        return None;
    };
    let text = values::text(entry, "a formula", reader.problems)?;
    match kpi(text) {
        Ok((part, whole)) => {
            let id = id?.to_owned();
            let level = level.map(Level::from_position).unwrap_or_default();
            let standing = StandingGoal { id: id.clone(), number, name, product, kpi: text.to_owned(), level, target };
            Some((Goal { id, part, whole }, standing))
        }
        Err(Wrong { what, hint }) => {
            let hint = hint.unwrap_or_else(|| format!("write {FORMS}"));
            reader.problems.error(entry.place, format!("kpi of {whose} {what}"), hint);
            None
        }
    }
}

/// What is wrong with a formula, after "kpi of goal ...".
struct Wrong {
    what: String,
    hint: Option<String>,
}

impl Wrong {
    fn is(what: impl Into<String>) -> Wrong {
        Wrong { what: what.into(), hint: None }
    }
}

/// A quantity, or the ratio of two.
fn kpi(text: &str) -> Result<(Quantity, Option<Quantity>), Wrong> {
    if text.len() > KPI_BYTES_MAX {
        return Err(Wrong::is(format!("has {} bytes, {KPI_BYTES_MAX} are allowed", text.len())));
    }
    let mut terms = text.split('/');
    let part = quantity(terms.next().unwrap_or_default().trim())?;
    let whole = terms.next().map(|whole| quantity(whole.trim())).transpose()?;
    if terms.next().is_some() {
        return Err(Wrong::is("divides more than once"));
    }
    let is_by_day = |quantity: &Quantity| matches!(quantity, Quantity::Holidays(_));
    if whole.as_ref().is_some_and(|whole| is_by_day(whole) || is_by_day(&part)) {
        return Err(Wrong::is("divides what is used on holidays, which stands alone"));
    }
    Ok((part, whole))
}

fn quantity(term: &str) -> Result<Quantity, Wrong> {
    let Some((function, rest)) = term.split_once('(') else {
        return match term {
            "customers" => Ok(Quantity::Customers),
            "" => Err(Wrong::is("lacks a quantity")),
            other => Err(Wrong::is(format!("has {}, which is no quantity", quoted(other)))),
        };
    };
    let Some(arguments) = rest.strip_suffix(')') else {
        return Err(Wrong::is(format!("has {}, whose parenthesis is not closed", quoted(term))));
    };
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
    match (function.trim(), arguments.as_slice()) {
        ("customers", [condition]) => {
            let (measure, least) = condition.split_once(">=").unwrap_or_default();
            let least = least.trim().parse().ok().filter(|least| *least >= 1);
            let least =
                least.ok_or_else(|| Wrong::is(format!("asks {}, not so much of a measure", quoted(condition))))?;
            Ok(Quantity::AtLeast(name(measure)?, least))
        }
        ("sum", [measure]) => Ok(Quantity::Sum(name(measure)?)),
        ("sum", [BILLED, _]) => Err(Wrong::is(format!("asks for days of {BILLED}, which bills tell by month"))),
        ("sum", [measure, days]) if named(days, "days") == Some("holidays") => Ok(Quantity::Holidays(name(measure)?)),
        ("held", [product]) => Ok(Quantity::Held(name(product)?)),
        ("held", [product, before]) => Ok(Quantity::HeldBefore(name(product)?, months(before)?)),
        ("held", [product, before, "still"]) => Ok(Quantity::Still(name(product)?, months(before)?)),
        ("active", [product]) => Ok(Quantity::Active(name(product)?)),
        (known @ ("customers" | "sum" | "held" | "active"), _) => {
            Err(Wrong::is(format!("has {}, which {known} does not take", quoted(term))))
        }
        (other, _) => {
            let hint = near::hint(other, ["customers", "sum", "held", "active"]);
            Err(Wrong { what: format!("has {}, which is no quantity", quoted(other)), hint })
        }
    }
}

/// A measure or a product.
fn name(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    let is_name = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.');
    if text.is_empty() || !text.chars().all(is_name) {
        return Err(Wrong::is(format!("has {}, which is no name of a measure or a product", quoted(text))));
    }
    Ok(text.to_owned())
}

/// What stands under a key, as in `days = holidays`.
fn named<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let (own, value) = text.split_once('=')?;
    (own.trim() == key).then(|| value.trim())
}

fn months(text: &str) -> Result<u32, Wrong> {
    let months = named(text, "months_before").and_then(|months| months.parse().ok());
    months
        .filter(|months| (1..=MONTHS_BEFORE_MAX).contains(months))
        .ok_or_else(|| Wrong::is(format!("has {}, expected months_before from 1 to {MONTHS_BEFORE_MAX}", quoted(text))))
}
