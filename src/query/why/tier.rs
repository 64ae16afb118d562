//! Why a class: the rules from the best class down to his.

use serde::Serialize;

use super::Of;
use super::clause::{Clause, Verdict};
use super::subject::Subject;
use crate::query::tier_of;

/// A class, and how it came to be his.
#[derive(Serialize, Debug)]
pub struct Tier {
    /// None where no rule holds, or he is outside the population.
    pub id: Option<String>,
    /// The first month of the unbroken run up to `as_of`.
    pub since: Option<String>,
    /// From the best class down to his; all of them where he has none. The first that holds is his.
    pub rungs: Vec<Rung>,
}

/// A class that was asked for.
#[derive(Serialize, Debug)]
pub struct Rung {
    pub id: String,
    pub verdict: Verdict,
    /// None of the class that takes the rest.
    pub rule: Option<Clause>,
}

pub(super) fn explain(subject: &Subject<'_>) -> (bool, String, Of) {
    let published = &subject.explainer.published;
    let row = tier_of(published, subject.chunk, subject.slot);
    let (id, since) = row.unwrap_or_default();
    let mut rungs = Vec::new();
    for tier in &published.programme.tiers {
        let rule = tier.when.as_ref().map(|when| subject.clause(when));
        let verdict = rule.as_ref().map_or(Verdict::True, |rule| rule.verdict);
        rungs.push(Rung { id: tier.id.clone(), verdict, rule });
        if verdict == Verdict::True {
            break;
        }
    }
    let because = match id {
        _ if published.programme.tiers.is_empty() => "the programme has no tiers".to_owned(),
        _ if !subject.is_listed() => "neither a customer file nor a bill names him".to_owned(),
        _ if !subject.is_in_population() => "he is outside the population".to_owned(),
        Some(id) => format!("{id} is the first tier whose rule is true"),
        None => "no tier's rule is true".to_owned(),
    };
    let tier = Tier { id: id.map(str::to_owned), since: since.map(|month| month.to_string()), rungs };
    (row.is_some(), because, Of::Tier(tier))
}
