//! Circles: a rule must not depend on itself by way of others.
//!
//! Population limits tier and segment; rules may ask for tier, for tags and for drives; tags and drives have rules. Each
//! reference is an edge of a graph of named definitions, and every circle in it is refused with its path.

use std::collections::HashMap;
use std::fmt;

use super::diagnostic::Problems;
use super::source::Place;

/// What a rule defines.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Definition {
    Population,
    /// The whole ladder: one class is decided by all rules before it.
    Tier,
    Tag(String),
    Drive(String),
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Definition::Population => f.write_str("population"),
            Definition::Tier => f.write_str("tier"),
            Definition::Tag(id) => write!(f, "tag.{id}"),
            Definition::Drive(id) => write!(f, "drive.{id}"),
        }
    }
}

/// `from` needs `to`.
pub(super) struct Reference {
    pub from: Definition,
    /// How the path names `from` where one part of it refers: `tier A`.
    pub by: Option<String>,
    pub to: Definition,
    /// Where it is written; none where the language implies it.
    pub place: Option<Place>,
}

/// Most circles that are told: mending one often mends others.
const TOLD_MAX: usize = 10;

/// Tells every circle, in time proportional to the number of references.
pub(super) fn check(references: &[Reference], problems: &mut Problems<'_>) {
    let mut from: HashMap<&Definition, Vec<&Reference>> = HashMap::new();
    for reference in references {
        from.entry(&reference.from).or_default().push(reference);
    }
    // Depth first, with the path in hand: a reference back into the path closes a circle.
    let mut is_done: HashMap<&Definition, bool> = HashMap::new();
    let mut told = 0usize;
    for start in references.iter().map(|reference| &reference.from) {
        if is_done.contains_key(start) {
            continue;
        }
        is_done.insert(start, false);
        // Each step with the references out of it that are not followed yet.
        let mut path: Vec<(&Definition, std::slice::Iter<'_, &Reference>)> = Vec::new();
        let mut followed: Vec<&Reference> = Vec::new();
        path.push((start, from.get(start).map(|out| out.iter()).unwrap_or_default()));
        while let Some((here, out)) = path.last_mut() {
            let Some(reference) = out.next() else {
                is_done.insert(here, true);
                path.pop();
                followed.pop();
                continue;
            };
            match is_done.get(&reference.to) {
                Some(true) => {}
                Some(false) => {
                    let begin = path.iter().position(|(step, _)| **step == reference.to).unwrap_or(0);
                    let circle = followed.iter().skip(begin).chain([reference]);
                    tell(circle.copied().collect(), problems);
                    told = told.saturating_add(1);
                    if told == TOLD_MAX {
                        return;
                    }
                }
                None => {
                    is_done.insert(&reference.to, false);
                    followed.push(reference);
                    path.push((&reference.to, from.get(&reference.to).map(|out| out.iter()).unwrap_or_default()));
                }
            }
        }
    }
}

fn tell(circle: Vec<&Reference>, problems: &mut Problems<'_>) {
    const SHOWN_MAX: usize = 12;
    let mut names: Vec<String> = circle
        .iter()
        .take(SHOWN_MAX)
        .map(|reference| reference.by.clone().unwrap_or_else(|| reference.from.to_string()))
        .collect();
    if circle.len() > SHOWN_MAX {
        names.push("...".to_owned());
    }
    let Some(last) = circle.last() else { return };
    names.push(last.to.to_string());
    let Some(place) = circle.iter().find_map(|reference| reference.place) else { return };
    let hint = match last.to {
        Definition::Population => "population limits tier, so it must not ask for it",
        _ => "a rule may ask only for what does not depend on it",
    };
    problems.error(place, format!("rules refer to each other in a circle: {}", names.join(" → ")), hint.to_owned());
}
