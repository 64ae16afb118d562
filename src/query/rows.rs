//! The rows of each view, each once, by key: text by bytes, null before everything.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use dataflows::programme::Programme;
use dataflows::table::chunk::{ABSENT, Chunk, FIRST_CLASS};
use dataflows::tiers::{run_of, since};
use dataflows::types::{CustomerIx, Epoch, Time, Word};
use dataflows::views::{Change, Family, Users};
use parking_lot::Mutex;

use super::campaigns::{campaign, campaign_change};
use super::care::{care_count, care_diagnosis, care_task};
use super::changes::points_change;
use super::community::{deregistration, member_points, opinion, registration, visit as visits};
use super::customers::{attributes, listed};
use super::effects::{
    channel_workload, complaint_count, effect, effect_by, effect_first_reported, effect_rate, effect_reach,
    effect_revenue, effect_uplift, satisfaction,
};
use super::fit::{best_hour, channel_preference, fit};
use super::goals::{goal_pace, goal_progress};
use super::orders::order_request;
use super::penetration::{penetration, penetration_growth};
use super::points::{
    points_account, points_balance, points_entry, points_imbalance, points_lot, points_spendable, rank_move,
};
use super::prizes::prize;
use super::referrals::{member_referral, referral, referral_rate, referral_tree};
use super::review::{clause_review, segment_average, segment_profile};
use super::sight::Seen;
use super::targets::{target, target_count, target_excluded};
use super::{Cell, View};
use crate::engine::Published;
use crate::programme::Document;
use crate::store::{Entry, Names, Status, Store, StoreError};

/// What views are read from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub published: &'a Published,
    /// The names as they stand: whoever adds to them does not wait for a reader.
    pub names: &'a Names,
    /// For what the store keeps itself: ledger, quarantine, changes of campaigns' states.
    pub store: &'a Mutex<Store>,
    /// The programme in force, for what of it no view hangs on: how campaigns are carried out.
    pub document: &'a Document,
    /// How far the store had come when its ledger was first looked at: a second look sees no more.
    pub looked_at: &'a OnceLock<Epoch>,
    /// What of them is seen.
    pub seen: Seen<'a>,
}

/// Visits the rows of a view that are seen, as they are seen. Of a view that is not, there are none: who asks is to be
/// told so before ([`super::sight::Sight::unseen`]).
pub fn rows<E: From<StoreError>>(
    view: &View,
    sources: Sources<'_>,
    visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    let seen = sources.seen;
    if seen.sight.is_whole(view) {
        return all_rows(view, sources, visit);
    }
    if seen.sight.unseen(view).is_some() {
        return Ok(());
    }
    all_rows(view, sources, &mut |cells| match seen.shown(view, cells) {
        Some(cells) => visit(&cells),
        None => Ok(()),
    })
}

fn all_rows<E: From<StoreError>>(
    view: &View,
    sources: Sources<'_>,
    visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    match view.name {
        "customer_attribute" => customer_attribute(sources, visit),
        "tier" => tier(sources, visit),
        "segment_member" => segment_member(sources, visit),
        "points_entry" => points_entry(sources, visit),
        "points_balance" => points_balance(sources, visit),
        "points_change" => points_change(sources, visit),
        "points_spendable" => points_spendable(sources, visit),
        "points_lot" => points_lot(sources, visit),
        "points_account" => points_account(sources, visit),
        "points_imbalance" => points_imbalance(sources, visit),
        "rank_move" => rank_move(sources, visit),
        "referral" => referral(sources, visit),
        "referral_tree" => referral_tree(sources, visit),
        "referral_rate" => referral_rate(sources, visit),
        "target" => target(sources, visit),
        "target_count" => target_count(sources, visit),
        "target_excluded" => target_excluded(sources, visit),
        "campaign" => campaign(sources, visit),
        "campaign_change" => campaign_change(sources, visit),
        "prize" => prize(sources, visit),
        "order_request" => order_request(sources, visit),
        "fit" => fit(sources, visit),
        "channel_preference" => channel_preference(sources, visit),
        "best_hour" => best_hour(sources, visit),
        "effect" => effect(sources, visit),
        "effect_first_reported" => effect_first_reported(sources, visit),
        "effect_by" => effect_by(sources, visit),
        "effect_rate" => effect_rate(sources, visit),
        "effect_uplift" => effect_uplift(sources, visit),
        "effect_reach" => effect_reach(sources, visit),
        "effect_revenue" => effect_revenue(sources, visit),
        "satisfaction" => satisfaction(sources, visit),
        "complaint_count" => complaint_count(sources, visit),
        "goal_progress" => goal_progress(sources, visit),
        "clause_review" => clause_review(sources, visit),
        "segment_profile" => segment_profile(sources, visit),
        "segment_average" => segment_average(sources, visit),
        "goal_pace" => goal_pace(sources, visit),
        "channel_workload" => channel_workload(sources, visit),
        "penetration" => penetration(sources, visit),
        "penetration_growth" => penetration_growth(sources, visit),
        "drive_share" => drive_share(sources, visit),
        "service_health" => service_health(sources, visit),
        "care_task" => care_task(sources, visit),
        "care_diagnosis" => care_diagnosis(sources, visit),
        "care_count" => care_count(sources, visit),
        "member_points" => member_points(sources, visit),
        "member_referral" => member_referral(sources, visit),
        "registration" => registration(sources, visit),
        "deregistration" => deregistration(sources, visit),
        "visit" => visits(sources, visit),
        "opinion" => opinion(sources, visit),
        "quarantine" => quarantine(sources, visit),
        "ingest_ledger" => ingest_ledger(sources, visit),
        counts => count_rows(counts, sources, visit),
    }
}

/// Whether each row of a view hangs on one customer alone, so that rows of parts of the customers, put together, are
/// those of all.
pub fn is_by_customer(view: &View) -> bool {
    matches!(
        view.name,
        "customer_attribute"
            | "tier"
            | "segment_member"
            | "points_entry"
            | "points_balance"
            | "points_spendable"
            | "points_lot"
            | "target"
            | "fit"
            | "best_hour"
            | "care_task"
    )
}

/// The vocabulary, for whoever asks rules.
pub(super) fn words(sources: Sources<'_>) -> Vec<Arc<str>> {
    let words = &sources.names.words;
    (0..words.len() as u32).map(|number| Arc::from(words.text(number).unwrap_or_default())).collect()
}

pub(super) type Visit<'v, E> = &'v mut dyn FnMut(&[Cell<'_>]) -> Result<(), E>;

fn customer_attribute<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let as_of = Cell::month(published.clock.as_of);
    attributes(published, &listed(published, names), |customer, row| {
        let mut cells = vec![id(names, customer), as_of.clone(), Cell::Integer(row.months_billed)];
        cells.extend(row.averages.map(Cell::hundredths));
        cells.push(Cell::hundredths(row.last_fee));
        cells.extend(row.changes.map(Cell::hundredths));
        cells.extend([row.age, row.tenure_months].map(Cell::whole));
        visit(&cells)
    })
}

fn tier<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    for customer in listed(published, names) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        if let Some((tier, since)) = tier_of(published, chunk, slot) {
            visit(&[id(names, customer), Cell::text(tier), Cell::month(since)])?;
        }
    }
    Ok(())
}

/// The class and since when, of who has a row in `tier`: nobody, where the programme has no tiers.
pub fn tier_of<'a>(
    published: &'a Published,
    chunk: &Chunk,
    slot: usize,
) -> Option<(Option<&'a str>, Option<dataflows::types::Month>)> {
    let class = chunk.class[slot];
    let as_of = published.clock.as_of;
    let since = since(as_of, run_of(&chunk.history, as_of, slot));
    (class != ABSENT && !published.programme.tiers.is_empty()).then(|| (class_id(&published.programme, class), since))
}

fn class_id(programme: &Programme, class: u8) -> Option<&str> {
    let index = usize::from(class).checked_sub(usize::from(FIRST_CLASS))?;
    programme.tiers.get(index).map(|tier| &*tier.id)
}

fn segment_member<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let segments = &published.programme.segments;
    let mut order: Vec<usize> = (0..segments.len()).collect();
    order.sort_by_key(|place| &segments[*place].id);
    let customers = listed(published, names);
    for place in order {
        for customer in &customers {
            let Some((chunk, slot)) = published.customer(*customer) else { continue };
            if chunk.segments.get(place).is_some_and(|members| members.get(slot)) {
                visit(&[Cell::text(Some(&segments[place].id)), id(names, *customer)])?;
            }
        }
    }
    Ok(())
}

fn count_rows<E>(view: &str, sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let word = |word: Word| Cell::text(names.words.text(word.0).filter(|_| !word.is_null()));
    let mut rows: Vec<Vec<Cell<'_>>> = published
        .counts_of(Family::Others)
        .filter_map(|(cell, count)| {
            let customers = Cell::Integer(count as i64);
            Some(match (view, cell) {
                ("tier_count", Change::TierCount { city, tier }) => vec![word(city), word(tier), customers],
                ("tier_move", Change::TierMove { month, from, to }) => {
                    vec![Cell::Month(month), word(from), word(to), customers]
                }
                ("segment_count", Change::SegmentCount { segment, city }) => {
                    vec![word(segment), word(city), customers]
                }
                ("member_stage", Change::MemberStage { stage, city }) => {
                    vec![Cell::text(Some(stage.name())), word(city), customers]
                }
                ("rank_count", Change::RankCount { rank }) => vec![word(rank), customers],
                _ => return None,
            })
        })
        .collect();
    rows.sort();
    rows.iter().try_for_each(|row| visit(row))
}

/// A row for each sign of each drive that some customer of the class has.
fn drive_share<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let mut counts: BTreeMap<(Option<&str>, &str), BTreeMap<&str, isize>> = BTreeMap::new();
    for (cell, count) in published.counts_of(Family::Others) {
        if let Change::DriveShare { tier, drive, sign } = cell {
            let text = |word: Word| names.words.text(word.0).unwrap_or_default();
            let tier = Some(text(tier)).filter(|_| !tier.is_null());
            counts.entry((tier, text(drive))).or_default().insert(text(sign), count);
        }
    }
    for ((tier, drive), counts) in counts {
        let count = |sign: &str| counts.get(sign).map_or(0, |count| *count as i64);
        let known = published.programme.drives.iter().find(|known| known.id == drive);
        let mut signs: Vec<&str> = known.iter().flat_map(|drive| &drive.signs).map(|sign| sign.id.as_str()).collect();
        signs.sort_unstable();
        for sign in signs {
            let customers = Cell::Integer(count(sign));
            let share = Cell::rate(count(sign), count(""));
            let [drive, sign] = [drive, sign].map(|text| Cell::text(Some(text)));
            visit(&[Cell::text(tier), drive, sign, customers, share])?;
        }
    }
    Ok(())
}

/// A product whose use is not measured has nulls where use decides.
fn service_health<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let mut counts: BTreeMap<&str, BTreeMap<Users, isize>> = BTreeMap::new();
    for (cell, count) in published.counts_of(Family::Others) {
        if let Change::ServiceHealth { product, users } = cell {
            let product = names.words.text(product.0).unwrap_or_default();
            counts.entry(product).or_default().insert(users, count);
        }
    }
    // Whoever has a cell of a product has an order of it.
    for (product, counts) in counts {
        let count = |users: Users| Cell::Integer(counts.get(&users).map_or(0, |count| *count as i64));
        let is_measured = published.programme.active_measures.contains_key(product);
        let measured = |users: Users| if is_measured { count(users) } else { Cell::Null };
        visit(&[
            Cell::text(Some(product)),
            count(Users::Held),
            measured(Users::Active),
            measured(Users::Idle),
            measured(Users::BundledIdle),
            count(Users::Trying),
            count(Users::Converted),
        ])?;
    }
    Ok(())
}

fn quarantine<E: From<StoreError>>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let mut rows: Vec<Vec<Cell<'static>>> = Vec::new();
    sources.store.lock().quarantine(|file, reject| {
        let owned = |text: &str| if text.is_empty() { Cell::Null } else { Cell::Text(Cow::Owned(text.to_owned())) };
        let line = Cell::Integer(reject.line as i64);
        rows.push(vec![owned(file), line, owned(&reject.column), owned(&reject.reason), owned(&reject.row)]);
    })?;
    rows.sort();
    rows.iter().try_for_each(|row| visit(row))
}

/// What was taken is told once it is visible, as of then: the version that a later one overtook is the accepted one
/// until that is visible too.
fn ingest_ledger<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let mut rows: Vec<Vec<Cell<'static>>> = Vec::new();
    let owned = |text: &str| Cell::Text(Cow::Owned(text.to_owned()));
    {
        let store = sources.store.lock();
        let until = *sources.looked_at.get_or_init(|| store.epoch());
        let was_taken = |entry: &Entry| matches!(entry.status, Status::Accepted | Status::Superseded);
        let is_visible = |entry: &Entry| entry.epoch <= sources.published.epoch;
        // What changed nothing has no epoch in which it became visible.
        let is_told = |entry: &&Entry| match entry.status {
            Status::Accepted => is_visible(entry),
            _ => entry.epoch <= until,
        };
        let told: Vec<&Entry> = store.ledger().entries().filter(is_told).collect();
        for versions in told.chunk_by(|one, next| one.partition == next.partition) {
            // Where what stands is not visible yet.
            let is_awaited = |entry: &Entry| entry.status == Status::Accepted && !is_visible(entry);
            let is_overtaken = store.ledger().of(&versions[0].partition).any(is_awaited);
            let taken = versions.iter().filter(|entry| was_taken(entry) && is_visible(entry));
            let live = taken.max_by_key(|entry| (entry.version, entry.epoch)).filter(|_| is_overtaken);
            let live = live.map(|entry| (entry.version, entry.sha256));
            for entry in versions {
                let is_live = live == Some((entry.version, entry.sha256));
                let status = if is_live { Status::Accepted } else { entry.status };
                rows.push(vec![
                    Cell::text(Some(entry.partition.feed.name())),
                    owned(&entry.partition.period),
                    Some(&*entry.partition.part).filter(|part| !part.is_empty()).map_or(Cell::Null, owned),
                    Cell::Integer(i64::from(entry.version)),
                    Cell::Text(Cow::Owned(status.to_string())),
                    entry.rows.map_or(Cell::Null, |(rows, _)| Cell::Integer(rows as i64)),
                    entry.rows.map_or(Cell::Null, |(_, bad_rows)| Cell::Integer(bad_rows as i64)),
                    Cell::Text(Cow::Owned(hex::encode(entry.sha256))),
                    Cell::Time(Time(entry.accepted_at)),
                    Cell::Integer(entry.epoch as i64),
                ]);
            }
        }
    }
    rows.sort();
    rows.iter().try_for_each(|row| visit(row))
}

pub(super) fn id(names: &Names, customer: CustomerIx) -> Cell<'_> {
    Cell::text(names.customers.text(customer.0))
}
