//! Campaigns as rows: how far each has come, and every change that made it so.
//!
//! Decided here, where the contract is silent:
//! - A campaign that only changes name, since the programme no longer holds it, has a row: its state, and nulls for
//!   what the programme said.
//! - Changes of one second stand in the order of their ids, which is that in which they count.
//! - Changes are those that stand: what a later file corrected is not among them.

use dataflows::records::Arm;
use dataflows::types::Word;

use super::Cell;
use super::rows::{Sources, Visit};
use crate::campaigns::{accounts, counts, histories};

pub(super) fn campaign<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, store, document, .. } = sources;
    let histories = histories(&store.lock(), names);
    let counted = counts(published);
    let text = |word: &Word| names.words.text(word.0);
    let counted: std::collections::BTreeMap<_, _> =
        counted.iter().filter_map(|(word, counts)| Some((text(word)?, counts))).collect();
    for (id, account) in accounts(document, &histories) {
        let (held, decisive) = (account.held.as_ref(), account.decisive());
        let counts = counted.get(id).copied().cloned().unwrap_or_default();
        let number = |number: i64| held.map_or(Cell::Null, |_| Cell::Integer(number));
        let time = |time: Option<dataflows::types::Time>| time.map_or(Cell::Null, Cell::Time);
        visit(&[
            Cell::text(Some(id)),
            Cell::text(held.and_then(|held| held.plan.name.as_deref())),
            Cell::text(Some(account.state().name())),
            time(decisive.map(|change| change.at)),
            Cell::text(decisive.map(|change| change.by.as_str())),
            Cell::text(held.map(|held| held.plan.level.as_str())),
            time(held.and_then(|held| held.plan.from)),
            time(held.and_then(|held| held.campaign.until)),
            held.map_or(Cell::Null, |held| Cell::Integer(held.campaign.priority)),
            number(counts.arm(Arm::Target)),
            number(counts.arm(Arm::Control)),
            number(counts.arm(Arm::Random)),
            number(counts.excluded),
        ])?;
    }
    Ok(())
}

pub(super) fn campaign_change<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let histories = histories(&sources.store.lock(), sources.names);
    for (id, changes) in &histories {
        for change in changes {
            visit(&[
                Cell::text(Some(id)),
                Cell::Time(change.at),
                Cell::text(Some(change.state.name())),
                Cell::text(change.city.as_deref()),
                Cell::text(Some(&change.by)),
                Cell::text(change.note.as_deref()),
                Cell::text(Some(&change.change_id)),
            ])?;
        }
    }
    Ok(())
}
