//! What clauses of closed campaigns were good for, and how segments differ from the population, as rows.
//!
//! Decided here, where the contract is silent:
//! - A campaign is reviewed once it is closed, or its dates have ended by the clock.
//! - Lift is a rate inside over that outside, or a share of members over that of the population; rates and shares half up to
//!   four places, averages half up to two. Lift is null where it divides by nothing, an average's ratio where the
//!   population's is not above 0.

use dataflows::profile::{self, NUMBERS, Profile, TEXTS};
use dataflows::reader::Reader;
use dataflows::records::State;
use dataflows::review::{self, Reviewed};
use dataflows::rules::plan::Plan;
use dataflows::table::Chunk;
use dataflows::types::Word;

use super::Cell;
use super::rows::{Sources, Visit, words};

fn reader(sources: Sources<'_>) -> Reader {
    let published = sources.published;
    Reader::new(published.programme.clone(), words(sources), published.clock, published.catalog.clone())
}

/// Looks through all chunks on every core, each with a reader of its own: plans are not shared.
fn gathered<T: Send>(
    sources: Sources<'_>,
    none: impl Fn() -> T + Sync,
    add: impl Fn(&Reader, &mut T, &[&Chunk]) + Sync,
    mut merge: impl FnMut(&mut T, T),
) -> T {
    let of = |part: &[&Chunk]| {
        let mut gathered = none();
        add(&reader(sources), &mut gathered, part);
        gathered
    };
    let mut all = none();
    sources.published.in_parts(of, |part| merge(&mut all, part));
    all
}

pub(super) fn clause_review<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let published = sources.published;
    let words = &sources.names.words;
    let word = |id: &str| (0..words.len() as u32).find(|number| words.text(*number) == Some(id)).map(Word);
    let is_over = |campaign: &&dataflows::targets::Campaign| {
        let state = word(&campaign.id).map(|id| published.catalog.state(id));
        let has_ended = campaign.until.is_some_and(|until| published.clock.now.is_some_and(|now| until <= now));
        state == Some(State::Closed) || has_ended
    };
    let mut campaigns: Vec<_> = published.programme.campaigns.iter().filter(is_over).collect();
    campaigns.sort_by_key(|campaign| &campaign.id);
    if campaigns.is_empty() {
        return Ok(());
    }
    let none = || -> Vec<Vec<Reviewed>> {
        let of = |campaign: &&dataflows::targets::Campaign| review::clauses(&campaign.audience).len();
        campaigns.iter().map(|campaign| vec![Reviewed::default(); of(campaign)]).collect()
    };
    let add = |reader: &Reader, reviewed: &mut Vec<Vec<Reviewed>>, chunks: &[&Chunk]| {
        for (campaign, reviewed) in campaigns.iter().zip(reviewed) {
            let Some(id) = word(&campaign.id) else { continue };
            let plans: Vec<Plan> = review::clauses(&campaign.audience).iter().map(|of| reader.plan(of)).collect();
            chunks.iter().for_each(|chunk| review::add(reader, chunk, id, &plans, reviewed));
        }
    };
    let reviewed = gathered(sources, none, add, |all, part| {
        all.iter_mut()
            .zip(part)
            .for_each(|(all, part)| all.iter_mut().zip(part).for_each(|(all, part)| all.merge(part)));
    });
    for (campaign, reviewed) in campaigns.iter().zip(reviewed) {
        for (place, (clause, of)) in review::clauses(&campaign.audience).iter().zip(reviewed).enumerate() {
            let Reviewed { inside, inside_successes, outside, outside_successes } = of;
            visit(&[
                Cell::text(Some(&campaign.id)),
                Cell::Integer(place as i64 + 1),
                Cell::Text(clause.to_string().into()),
                Cell::Integer(inside),
                Cell::Integer(inside_successes),
                Cell::rate(inside_successes, inside),
                Cell::Integer(outside),
                Cell::Integer(outside_successes),
                Cell::rate(outside_successes, outside),
                ratio((inside_successes, inside), (outside_successes, outside)),
            ])?;
        }
    }
    Ok(())
}

/// One part of a whole over another.
fn ratio(one: (i64, i64), other: (i64, i64)) -> Cell<'static> {
    wide_rate(i128::from(one.0) * i128::from(other.1), i128::from(one.1) * i128::from(other.0))
}

/// A rate of numbers of any size, half up; null of nothing, or of less. Beyond 64 bits it stands at their end.
fn wide_rate(part: i128, whole: i128) -> Cell<'static> {
    if whole <= 0 {
        return Cell::Null;
    }
    let rate = part.saturating_mul(20_000).saturating_add(whole).div_euclid(whole.saturating_mul(2));
    Cell::Rate(i64::try_from(rate).unwrap_or(if rate < 0 { i64::MIN } else { i64::MAX }))
}

fn profiled(sources: Sources<'_>) -> Profile {
    let none = || Profile::of(profile::groups(&sources.published.programme));
    let add = |reader: &Reader, profile: &mut Profile, chunks: &[&Chunk]| {
        chunks.iter().for_each(|chunk| profile::add(reader, chunk, profile));
    };
    gathered(sources, none, add, Profile::merge)
}

/// The segments of the programme by id, each with its group.
fn segments(sources: Sources<'_>) -> Vec<(&str, usize)> {
    let segments = sources.published.programme.segments.iter().enumerate();
    let mut segments: Vec<_> = segments.map(|(place, segment)| (segment.id.as_str(), place + 1)).collect();
    segments.sort_unstable();
    segments
}

/// Places of attributes, by name.
fn by_name<T>(attributes: &[(&'static str, T)]) -> Vec<(&'static str, usize)> {
    let mut places: Vec<_> = attributes.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    places.sort_unstable();
    places
}

pub(super) fn segment_profile<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let profile = profiled(sources);
    let text = |word: Word| sources.names.words.text(word.0).filter(|_| !word.is_null());
    let mut values: Vec<_> = profile.texts.iter().map(|((place, word), of)| (*place, text(*word), of)).collect();
    values.sort_unstable();
    for (segment, group) in segments(sources) {
        for (attribute, place) in by_name(&TEXTS) {
            for (_, value, counts) in values.iter().filter(|(of, ..)| *of == place) {
                let (own, all) = ((counts[group], profile.customers[group]), (counts[0], profile.customers[0]));
                visit(&[
                    Cell::text(Some(segment)),
                    Cell::text(Some(attribute)),
                    Cell::text(*value),
                    Cell::Integer(own.0),
                    Cell::rate(own.0, own.1),
                    Cell::Integer(all.0),
                    Cell::rate(all.0, all.1),
                    ratio(own, all),
                ])?;
            }
        }
    }
    Ok(())
}

pub(super) fn segment_average<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let profile = profiled(sources);
    let average = |(sum, of): (i128, i64)| {
        let of = i128::from(of);
        if of == 0 { Cell::Null } else { Cell::Hundredths((sum * 2 + of).div_euclid(2 * of)) }
    };
    for (segment, group) in segments(sources) {
        for (attribute, place) in by_name(&NUMBERS) {
            let (own, all) = (profile.numbers[place][group], profile.numbers[place][0]);
            // What is known of nobody tells nothing.
            if all.1 == 0 {
                continue;
            }
            visit(&[
                Cell::text(Some(segment)),
                Cell::text(Some(attribute)),
                Cell::Integer(own.1),
                average(own),
                Cell::Integer(all.1),
                average(all),
                wide_rate(own.0.saturating_mul(i128::from(all.1)), all.0.saturating_mul(i128::from(own.1))),
            ])?;
        }
    }
    Ok(())
}
