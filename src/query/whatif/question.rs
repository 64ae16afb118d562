//! What is swept, as it is asked.
//!
//! It is written `segment ID: avg_fee >= ?` (or `tier`, or `campaign` for its audience), or with the number that stands
//! there now where the same comparison has two. Where a rule has one bound, `segment ID` is enough. A colon may stand in
//! the place of the first blank.

use dataflows::programme::Programme;
use dataflows::rules::Expr;

use super::bounds::{Bound, bounds};
use super::kept::Kind;
use crate::programme::near_or_all;

/// The rule that is swept.
pub(super) struct Rule<'p> {
    pub kind: Kind,
    pub place: usize,
    pub id: &'p str,
    /// None of a tier that takes the rest.
    pub rule: Option<&'p Expr>,
}

/// The rule that a text names, and what it says of the bound.
pub(super) fn find<'p, 'w>(programme: &'p Programme, what: &'w str) -> Result<(Rule<'p>, Option<&'w str>), String> {
    let (kind, rest) = Kind::read(what)?;
    let rules: Vec<(&str, Option<&Expr>)> = match kind {
        Kind::Segment => programme.segments.iter().map(|of| (&*of.id, Some(&of.when))).collect(),
        Kind::Tier => programme.tiers.iter().map(|of| (&*of.id, of.when.as_ref())).collect(),
        Kind::Campaign => programme.campaigns.iter().map(|of| (&*of.id, Some(&of.audience))).collect(),
    };
    // An id may have a colon in it: the longest that there is counts.
    let splits = rest.match_indices(':').rev().map(|(at, _)| (rest[..at].trim(), Some(rest[at + 1..].trim())));
    for (id, pattern) in std::iter::once((rest, None)).chain(splits) {
        if let Some(place) = rules.iter().position(|(of, _)| *of == id) {
            return Ok((Rule { kind, place, id: rules[place].0, rule: rules[place].1 }, pattern));
        }
    }
    let id = rest.split(':').next().unwrap_or(rest).trim();
    let near = near_or_all(id, rules.iter().map(|(id, _)| *id)).map_or(String::new(), |hint| format!("; {hint}"));
    Err(format!("the programme has no {} {id:?}{near}", kind.name()))
}

/// The bound that is meant.
pub(super) fn choose(expr: &Expr, pattern: Option<&str>, rule: &Rule<'_>) -> Result<Bound, String> {
    let plain = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
    let all = bounds(expr);
    let whose = format!("{} {:?}", rule.kind.name(), rule.id);
    let is_meant = |bound: &&Bound| {
        pattern.map(plain).is_none_or(|meant| plain(&bound.pattern()) == meant || plain(&bound.to_string()) == meant)
    };
    let meant: Vec<&Bound> = all.iter().filter(is_meant).collect();
    match meant[..] {
        [one] => Ok(one.clone()),
        _ if all.is_empty() => Err(format!("the rule of {whose} compares nothing with a number")),
        [] | [_, _, ..] => {
            let told = if meant.is_empty() { &all.iter().collect() } else { &meant };
            let named: Vec<String> = told.iter().map(|bound| format!("\"{bound}\"")).collect();
            let found = if meant.is_empty() { "has no such bound; it has" } else { "has more than one such bound" };
            Err(format!("the rule of {whose} {found}: {}", named.join(", ")))
        }
    }
}
