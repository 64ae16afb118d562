//! Reviews of campaigns and profiles of segments, from rows.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::{Asked, Standing, rules};
use crate::profile::{NUMBERS, TEXTS};
use crate::records::{Arm, FeedbackKind, Outcome};
use crate::review::{Reviewed, clauses};
use crate::rules::Attribute;
use crate::types::CustomerIx;

/// By attribute, value (null: none) and group (the population, then segments by their place): customers.
pub type Shares = BTreeMap<(&'static str, Option<String>, usize), i64>;

/// By attribute and group: the sum in hundredths, and of how many.
pub type Sums = BTreeMap<(&'static str, usize), (i128, i64)>;

impl Standing {
    /// By campaign and clause.
    pub fn reviews(&self) -> BTreeMap<(String, usize), Reviewed> {
        let mut reviews = BTreeMap::new();
        for campaign in &self.programme.campaigns {
            for customer in self.everybody() {
                let Some(has_ordered) = self.came_of(customer, &campaign.id) else { continue };
                let asked = self.asked_now(customer);
                for (place, clause) in clauses(&campaign.audience).iter().enumerate() {
                    let row: &mut Reviewed = reviews.entry((campaign.id.clone(), place)).or_default();
                    let (reached, successes) = match rules::holds(clause, &asked) {
                        true => (&mut row.inside, &mut row.inside_successes),
                        false => (&mut row.outside, &mut row.outside_successes),
                    };
                    *reached += 1;
                    *successes += i64::from(has_ordered);
                }
            }
        }
        reviews
    }

    fn asked_now(&self, customer: CustomerIx) -> Asked<'_> {
        let asked = Asked { standing: self, customer, month: self.clock.as_of, tier: None };
        let tier = if self.is_listed(customer) { self.class(&asked) } else { None };
        Asked { tier, ..asked }
    }

    /// Whether a customer whom a campaign reached ordered since; none of whom it did not reach.
    fn came_of(&self, customer: CustomerIx, campaign: &str) -> Option<bool> {
        let is_its = |word: crate::types::Word| &*self.words[word.0 as usize] == campaign;
        let mut came = None;
        for arm in [Arm::Target, Arm::Random] {
            let delivered = super::points::own(&self.contacts, customer).filter(|(_, contact)| {
                is_its(contact.campaign) && contact.arm == arm && contact.outcome == Outcome::Delivered
            });
            let Some(first) = delivered.map(|((_, at, _), _)| *at).min() else { continue };
            let ordered = super::points::own(&self.feedbacks, customer).any(|((_, at, _), feedback)| {
                is_its(feedback.campaign) && feedback.kind == FeedbackKind::Order && *at >= first
            });
            came = Some(came.unwrap_or(false) || ordered);
        }
        came
    }

    /// What members of groups are.
    pub fn profiles(&self) -> (Shares, Sums) {
        let (mut shares, mut sums) = (Shares::new(), Sums::new());
        for customer in self.listed() {
            let asked = self.asked_now(customer);
            if asked.tier.is_none() {
                continue;
            }
            let segments = self.programme.segments.iter().enumerate();
            let of = segments.filter(|(_, segment)| rules::holds(&segment.when, &asked)).map(|(place, _)| place + 1);
            let groups: Vec<usize> = [0].into_iter().chain(of).collect();
            let attribute = |name: &str| {
                let plain = Attribute::PLAIN.into_iter().find(|(of, _)| *of == name);
                asked.value(&plain.expect("a plain attribute").1)
            };
            for (name, _) in TEXTS {
                let super::attributes::Value::Text(text) = attribute(name) else { unreachable!("{name} is a text") };
                groups.iter().for_each(|group| *shares.entry((name, text.clone(), *group)).or_insert(0) += 1);
            }
            for (name, _) in NUMBERS {
                let super::attributes::Value::Number(number) = attribute(name) else {
                    unreachable!("{name} is a number")
                };
                let Some(number) = number else { continue };
                let hundredths: BigRational = number * BigInt::from(100);
                let hundredths = i128::try_from(hundredths.to_integer()).expect("attributes fit in 128 bits");
                for group in &groups {
                    let sum = sums.entry((name, *group)).or_insert((0, 0));
                    *sum = (sum.0 + hundredths, sum.1 + 1);
                }
            }
        }
        (shares, sums)
    }
}
