//! Verification: every view recomputed from the log by another algorithm, and compared.
//!
//! What stands is found by sorting: live partitions in the order of their precedence, later rows
//! over earlier ones, and keys that they delete out of them. The views are the oracle's. Neither shares anything with the inputs or the
//! dataflow but the bytes of the log.

mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataflows::attributes::{AttributeRow, Moment, rows};
use dataflows::care;
use dataflows::goals::Goal;
use dataflows::members::deeds;
use dataflows::oracle::{Asked, CareRow, DeedRow, Penetration, PointsAccount, ReferralRow, Standing, Tallied, TreeRow};
use dataflows::penetration;
use dataflows::points::account;
use dataflows::referrals::{self, Node};
use dataflows::table::chunk::ABSENT;
use dataflows::table::column::{CHUNK, Slots};
use dataflows::tiers::{runs, since};
use dataflows::types::{CustomerIx, Day, Diff, Word};
use dataflows::views::Change;
use serde::Serialize;

use crate::engine::Published;
use crate::store::Dictionary;
pub use standing::standing;

/// What verification found.
#[derive(Serialize, Debug)]
pub struct Verdict {
    pub epoch: u64,
    pub customers: usize,
    pub rows_compared: usize,
    pub divergences: usize,
    /// The first of them.
    pub examples: Vec<String>,
}

/// Divergences told one by one.
const EXAMPLES_MAX: usize = 50;

/// What a recompute gives; of each customer what the views have of him.
#[derive(Default)]
struct Expected {
    views: BTreeMap<Change, Diff>,
    attributes: BTreeMap<CustomerIx, AttributeRow>,
    points: BTreeMap<CustomerIx, PointsAccount>,
    referrals: BTreeMap<CustomerIx, Vec<ReferralRow>>,
    deeds: BTreeMap<CustomerIx, Vec<DeedRow>>,
    cares: BTreeMap<CustomerIx, Vec<CareRow>>,
    penetration: Penetration,
    goals: Tallied,
}

/// Compares what was published with a recompute of it. `progress` hears of customers done.
pub fn compare(
    standing: &Standing,
    published: &Published,
    names: &Dictionary,
    progress: &(dyn Fn(u64) + Sync),
) -> Verdict {
    let customers = standing.everybody();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = customers.len().div_ceil(threads).max(1);
    let mut expected = Expected::default();
    std::thread::scope(|scope| {
        let recompute = |customers: &[CustomerIx]| {
            let mut part = Expected::default();
            for customer in customers {
                standing.add_customer(*customer, &mut part.views);
                if standing.is_listed(*customer) {
                    let asked = Asked { standing, customer: *customer, month: standing.clock.as_of, tier: None };
                    part.attributes.insert(*customer, asked.row());
                }
                if let Some(account) = standing.points(*customer).filter(|_| standing.programme.points.is_some()) {
                    part.points.insert(*customer, account);
                }
                let deeds = standing.deeds(*customer);
                if !deeds.is_empty() {
                    part.deeds.insert(*customer, deeds);
                }
                let cares = standing.cares(*customer);
                if !cares.is_empty() {
                    part.cares.insert(*customer, cares);
                }
                let referrals = standing.referrals(*customer);
                if !referrals.is_empty() {
                    part.referrals.insert(*customer, referrals);
                }
                standing.add_penetration(*customer, &mut part.penetration);
                standing.add_goals(*customer, &mut part.goals);
                progress(1);
            }
            part
        };
        let parts: Vec<_> = customers.chunks(share).map(|part| scope.spawn(move || recompute(part))).collect();
        for part in parts {
            // A part that panicked leaves its customers out, which the comparison then tells.
            let Ok(part) = part.join() else { continue };
            part.views.into_iter().for_each(|(change, count)| *expected.views.entry(change).or_insert(0) += count);
            expected.attributes.extend(part.attributes);
            expected.points.extend(part.points);
            expected.referrals.extend(part.referrals);
            expected.deeds.extend(part.deeds);
            expected.cares.extend(part.cares);
            part.goals.into_iter().for_each(|(of, number)| *expected.goals.entry(of).or_insert(0) += number);
            part.penetration.into_iter().for_each(|(of, count)| *expected.penetration.entry(of).or_insert(0) += count);
        }
    });
    // Amounts of one part may make up for those of another.
    expected.views.retain(|_, count| *count != 0);
    let Expected { views: expected, attributes, points, referrals, deeds, cares, penetration, goals } = expected;
    let tree = standing.tree();
    let mut verdict = Verdict {
        epoch: published.epoch,
        customers: customers.len(),
        rows_compared: expected.len()
            + attributes.len()
            + tree.len()
            + referrals.values().map(Vec::len).sum::<usize>()
            + deeds.values().map(Vec::len).sum::<usize>()
            + penetration.len()
            + goals.len()
            + standing.volumes.len()
            + cares.values().flatten().map(|row| row.tasks.len() + 1).sum::<usize>()
            + points.values().map(|account| account.entries.len() + account.lots.len() + 1).sum::<usize>(),
        divergences: 0,
        examples: Vec::new(),
    };
    let name = |customer: CustomerIx| names.customers.text(customer.0).unwrap_or("?").to_owned();
    let found = found(published, names);
    for (change, count) in &expected {
        match found.get(change) {
            Some(found) if found == count => {}
            found => verdict.diverges(|| format!("expected {count}, found {}: {change:?}", found.unwrap_or(&0))),
        }
    }
    for (change, count) in found.iter().filter(|(change, _)| !expected.contains_key(change)) {
        verdict.diverges(|| format!("expected 0, found {count}: {change:?}"));
    }
    verdict.same("penetration", &penetration, &published_penetration(published));
    verdict.same("goals", &goals, &published_goals(published));
    verdict.same("volumes", &standing.volumes, &published_volumes(published));
    verdict.compare("customer_attribute", attributes, published_attributes(published), &name);
    verdict.compare("points", points, published_points(published, names), &name);
    verdict.compare("referral", referrals, published_referrals(published, names), &name);
    verdict.compare("events", deeds, published_deeds(published, names), &name);
    verdict.compare("care", cares, published_cares(published, names), &name);
    let node = |node: Node| TreeRow { direct: node.direct, total: node.total, depth: node.depth };
    let found = published.forest.nodes().map(|(customer, row)| (customer, node(row))).collect();
    verdict.compare("referral_tree", tree, found, &name);
    verdict
}

impl Verdict {
    /// Compares what a view has of each customer.
    fn compare<Row: PartialEq + std::fmt::Debug>(
        &mut self,
        view: &str,
        expected: BTreeMap<CustomerIx, Row>,
        mut found: BTreeMap<CustomerIx, Row>,
        name: &dyn Fn(CustomerIx) -> String,
    ) {
        for (customer, expected) in expected {
            let found = found.remove(&customer);
            if found.as_ref() != Some(&expected) {
                self.diverges(|| format!("{view} of {}: expected {expected:?}, found {found:?}", name(customer)));
            }
        }
        for customer in found.into_keys() {
            self.diverges(|| format!("{view} of {}: expected no row", name(customer)));
        }
    }

    /// Compares sums by what they are of.
    fn same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
        &mut self,
        view: &str,
        expected: &BTreeMap<K, V>,
        found: &BTreeMap<K, V>,
    ) {
        for key in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            let (expected, found) = (expected.get(key), found.get(key));
            if expected != found {
                self.diverges(|| format!("{view} of {key:?}: expected {expected:?}, found {found:?}"));
            }
        }
    }

    fn diverges(&mut self, tell: impl FnOnce() -> String) {
        self.divergences += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(tell());
        }
    }
}

/// Rows and counts as they were published.
fn found(published: &Published, names: &Dictionary) -> BTreeMap<Change, Diff> {
    let mut found: BTreeMap<Change, Diff> = published.counts().collect();
    let word = |id: &str| names.words.find(id).map_or(Word::NULL, Word);
    let tiers: Vec<Word> = published.programme.tiers.iter().map(|tier| word(&tier.id)).collect();
    let segments: Vec<Word> = published.programme.segments.iter().map(|segment| word(&segment.id)).collect();
    for (chunk, customer) in published.chunks() {
        let runs = runs(&chunk.history, published.clock.as_of);
        for (slot, class) in chunk.class.iter().enumerate().filter(|(_, class)| **class != ABSENT && !tiers.is_empty())
        {
            let tier = usize::from(*class).checked_sub(2).and_then(|place| tiers.get(place)).copied();
            let since = since(published.clock.as_of, runs[slot]);
            let row = Change::Tier { customer: customer(slot), tier: tier.unwrap_or(Word::NULL), since };
            found.insert(row, 1);
        }
        for (members, segment) in chunk.segments.iter().zip(&segments) {
            for slot in members.slots() {
                found.insert(Change::Member { segment: *segment, customer: customer(slot) }, 1);
            }
        }
        for (column, campaign) in chunk.targets.columns.iter().zip(&published.programme.campaigns) {
            for slot in 0..CHUNK {
                let listed = column.named(slot, campaign, |word| names.words.text(word.0));
                let Some((channel, arm, product)) = listed else { continue };
                let [campaign, channel, product] = [&*campaign.id, channel, product.unwrap_or_default()].map(word);
                found.insert(Change::Target { campaign, customer: customer(slot), product, channel, arm }, 1);
            }
        }
    }
    found
}

fn published_points(published: &Published, names: &Dictionary) -> BTreeMap<CustomerIx, PointsAccount> {
    let (rules, mut found) = (&*published.points, BTreeMap::new());
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    let text = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
    for (chunk, customer) in published.chunks().filter(|_| rules.is_there) {
        for slot in chunk.points.present.slots() {
            let Some(kept) = chunk.points.get(slot) else { continue };
            let Some(account) = account(chunk, slot, rules, published.clock.now, &is_named) else { continue };
            found.insert(customer(slot), PointsAccount::shown(&account, kept, rules, &text));
        }
    }
    found
}

fn published_referrals(published: &Published, names: &Dictionary) -> BTreeMap<CustomerIx, Vec<ReferralRow>> {
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    let mut found = BTreeMap::new();
    for (chunk, customer) in published.chunks() {
        for slot in chunk.points.present.slots() {
            let referrer = customer(slot);
            let referrals = referrals::rows(chunk, slot, &published.points, &is_named).into_iter();
            let referrals: Vec<_> = referrals.map(|row| ReferralRow::shown(referrer, row)).collect();
            if !referrals.is_empty() {
                found.insert(referrer, referrals);
            }
        }
    }
    found
}

/// Registrations, deregistrations, visits and opinions are rows of these.
fn published_deeds(published: &Published, names: &Dictionary) -> BTreeMap<CustomerIx, Vec<DeedRow>> {
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    let mut found = BTreeMap::new();
    for (chunk, customer) in published.chunks() {
        for slot in chunk.points.present.slots() {
            let deeds: Vec<DeedRow> = deeds(chunk, slot, &is_named).map(DeedRow::from).collect();
            if !deeds.is_empty() {
                found.insert(customer(slot), deeds);
            }
        }
    }
    found
}

/// Tasks, diagnoses and their counts are rows of these.
fn published_cares(published: &Published, names: &Dictionary) -> BTreeMap<CustomerIx, Vec<CareRow>> {
    let words = names.words_from(0, names.extent().words);
    let reader = care::Reader::new(published.programme.clone(), words, published.clock, published.catalog.clone());
    let mut found = BTreeMap::new();
    for (chunk, customer) in published.chunks() {
        found.extend(CareRow::of(&reader, chunk).into_iter().map(|(slot, rows)| (customer(slot), rows)));
    }
    found
}

fn published_penetration(published: &Published) -> Penetration {
    let mut found = Penetration::new();
    for (chunk, _) in published.chunks() {
        let users = penetration::users(chunk, &published.services, published.clock.as_of);
        for (used, counts) in &users.users {
            let places = [None].into_iter().chain((0..).map(Some));
            for (place, count) in places.zip(counts).filter(|(_, count)| **count > 0) {
                *found.entry((*used, place)).or_insert(0) += *count as usize;
            }
        }
    }
    found
}

fn published_goals(published: &Published) -> Tallied {
    let (tally, rules) = (published.tally(), &published.goals);
    let mut found = Tallied::new();
    for quantity in published.programme.goals.iter().flat_map(Goal::quantities) {
        let Some(place) = rules.place(quantity) else { continue };
        for (city, (number, month)) in
            tally.cities.keys().flat_map(|city| tally.months.iter().enumerate().map(move |month| (*city, month)))
        {
            found.insert((quantity.clone(), city, *month), tally.number(city, place, number));
        }
    }
    found.retain(|_, number| *number != 0);
    found
}

fn published_volumes(published: &Published) -> BTreeMap<(Word, Day), i64> {
    let days = |(measure, days): (&Word, &Arc<BTreeMap<Day, i64>>)| {
        days.iter().map(|(day, sum)| ((*measure, *day), *sum)).collect::<Vec<_>>()
    };
    published.volumes.iter().flat_map(days).collect()
}

fn published_attributes(published: &Published) -> BTreeMap<CustomerIx, AttributeRow> {
    let moment = Moment::of(published.clock, published.programme.window, published.programme.lag);
    let mut found = BTreeMap::new();
    for (chunk, customer) in published.chunks() {
        let listed = chunk.listed();
        for (slot, row) in rows(chunk, &Slots::All, moment).into_iter().enumerate() {
            if listed.get(slot) {
                found.insert(customer(slot), row);
            }
        }
    }
    found
}
