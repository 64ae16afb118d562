//! What staff ask about members: their points and ranks, who came and who left, what they looked at
//! and what they think. Each with the token of his number, his city and status as they are today.
//!
//! Read off the events when somebody asks; nothing is kept for it. Rows are by customer, then by time.
//!
//! Decided here, where the contract is silent:
//! - `registration` and `deregistration` have the events that took effect: neither a second `register`,
//!   nor one that a list barred, nor the leaving of who was no member.
//! - `points_deducted` is what leaving took; negative where it wiped a debt.
//! - `visit` and `opinion` are there for members and others; `member` says which he was at the time.
//! - `last_at` is the latest event or adjustment.

use std::collections::HashMap;

use dataflows::members::{Deed, deeds};
use dataflows::points::{Cause, Entry, EntryId};
use dataflows::records::EventKind;
use dataflows::table::Chunk;
use dataflows::table::chunk::{CITY, STATUS};
use dataflows::types::{CustomerIx, Time, Word};

use super::Cell;
use super::customers::by_id;
use super::points::walked;
use super::rows::{Sources, Visit, id};
use crate::engine::Published;
use crate::store::Names;

/// Number, city and status of a customer.
pub(super) fn person<'n>(chunk: &Chunk, slot: usize, names: &'n Names) -> [Cell<'n>; 3] {
    let word = |text: usize| {
        let word = Word(chunk.customers.texts[text].get(slot));
        Cell::text(names.words.text(word.0).filter(|_| !word.is_null()))
    };
    let number = chunk.customers.numbers.get(slot).map_or(Cell::Null, |token| Cell::Text(token.hex().into()));
    [number, word(CITY), word(STATUS)]
}

/// Who has an event or an adjustment, by id.
fn everybody(published: &Published, names: &Names) -> Vec<CustomerIx> {
    by_id(published, names, |chunk| chunk.points.present.clone())
}

pub(super) fn member_points<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let rules = &*published.points;
    for customer in everybody(published, names).into_iter().filter(|_| rules.is_there) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        let Some(balance) = chunk.points.get(slot) else { continue };
        let rank = rules.rank(balance.left);
        let event = chunk.events_of(slot).last_at();
        let last = event.max(chunk.adjustments_of(slot).last().map(|((_, at, _), _)| *at));
        let [number, city, status] = person(chunk, slot, names);
        visit(&[
            id(names, customer),
            number,
            city,
            status,
            Cell::Boolean(balance.member),
            Cell::Integer(balance.left),
            Cell::text(names.words.text(rank.0).filter(|_| !rank.is_null())),
            last.map_or(Cell::Null, Cell::Time),
        ])?;
    }
    Ok(())
}

/// Visits the events that are wanted: customer, number, city, status, event_id, at, channel, and what `own`
/// adds.
fn events<'n, E>(
    sources: Sources<'n>,
    visit: Visit<'_, E>,
    is_wanted: impl Fn(&Deed<'_>) -> bool,
    own: impl Fn(&Deed<'_>, CustomerIx) -> Vec<Cell<'n>>,
) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    for customer in everybody(published, names) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        for deed in deeds(chunk, slot, &is_named).filter(|deed| is_wanted(deed)) {
            let channel = deed.event.channel;
            let channel = Cell::text(names.words.text(channel.0).filter(|_| !channel.is_null()));
            let mut cells = vec![id(names, customer)];
            cells.extend(person(chunk, slot, names));
            cells.extend([Cell::text(Some(deed.event_id)), Cell::Time(deed.at), channel]);
            cells.extend(own(&deed, customer));
            visit(&cells)?;
        }
    }
    Ok(())
}

pub(super) fn registration<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let is_wanted = |deed: &Deed<'_>| deed.event.kind == EventKind::Register && deed.takes_effect;
    events(sources, visit, is_wanted, |_, _| Vec::new())
}

pub(super) fn deregistration<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let is_wanted = |deed: &Deed<'_>| deed.event.kind == EventKind::Deregister && deed.takes_effect;
    events(sources, visit, is_wanted, |deed, customer| {
        let taken = deducted(sources, customer).get(&(deed.at, deed.event_id)).copied();
        vec![Cell::Integer(taken.unwrap_or(0))]
    })
}

/// What leaving took from a customer, by time and event.
fn deducted<'a>(sources: Sources<'a>, customer: CustomerIx) -> HashMap<(Time, &'a str), i64> {
    let Sources { published, names, .. } = sources;
    let is_named = |word: Word, name: &str| names.words.text(word.0) == Some(name);
    let entries = walked(published, &is_named, customer).map(|account| account.entries).unwrap_or_default();
    let forfeit = |entry: Entry<'a>| match entry.id {
        EntryId::Row(id) if entry.cause == Cause::Forfeit => Some(((entry.at, id), entry.points.saturating_neg())),
        _ => None,
    };
    entries.into_iter().filter_map(forfeit).collect()
}

pub(super) fn visit<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    detailed(EventKind::Visit, sources, visit)
}

pub(super) fn opinion<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    detailed(EventKind::Opinion, sources, visit)
}

/// Events of a kind with what they are about, and whether a member did it.
fn detailed<E>(kind: EventKind, sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let names = sources.names;
    let is_wanted = |deed: &Deed<'_>| deed.event.kind == kind;
    events(sources, visit, is_wanted, |deed, _| {
        let detail = deed.event.detail;
        let detail = Cell::text(names.words.text(detail.0).filter(|_| !detail.is_null()));
        vec![detail, Cell::Boolean(deed.member)]
    })
}
