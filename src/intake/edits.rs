//! What staff change by hand: adjustments of points, lists, and who wants to be left alone.
//!
//! ```text
//! edit ─► rows against the lists as they stand ─► the text of an extract ─► decode, commit, submit as any file
//! ```
//!
//! Each edit is a partition of its own: period = the day it was accepted, part = a running number of
//! that day. It is durable when it is answered, with who asked for it and why.
//!
//! Decided here, where the contract is silent:
//! - The moment of an edit is `now`, as views have it, unless it says another: a correction of yesterday's
//!   data does not move a clock that goes by the data.
//! - Before anything dated has come there is no `now` by the data: the moment of an edit is wall time then, and a clock
//!   that goes by the data goes on from there. Any earlier moment would be overruled by a consent that comes later and is
//!   older. Whoever replays the past loads it before he edits.
//! - Lists are edited from now on and not for the past. Who is added is on the list from now, unless the
//!   edit says otherwise; who is removed was on it until now. The row of an older partition is hidden.
//! - Who is on the list and whose listing the edit does not change has no row in it.
//! - Edits know the partition order as files do: where one of a greater (period, part) has the same key,
//!   its row stands, and the edit's is counted as outranked.
//! - `replace` and `clear` that take more than a fifth off a list wait until they come again with the
//!   numbers that a person has seen.
//! - An opt-out is taken of whoever it names, known or not, and whatever campaign.
//! - An edit that comes again under its key is answered as before and not done again, also after a restart.

use std::collections::{BTreeMap, BTreeSet};

use dataflows::facts::Interval;
use dataflows::records::Feed;
use dataflows::types::{CustomerIx, Epoch, Time, Word};

use super::names::Naming;
use super::requests::{Before, Seal};
use super::{DECODED_BYTES_MAX, Intake};
use crate::engine::Published;
use crate::handoff::Told;
use crate::handoff::ready::FORBIDDING;
use crate::ingest::names::{Container, FileName, Format};
use crate::ingest::{self, Partition, Settings};
use crate::numbers::hidden_freely;
use crate::store::{Store, StoreError};

/// Something that staff change.
pub enum Edit {
    Adjustment { customer: String, points: i64, at: Option<Time> },
    List(ListEdit),
    OptOut(OptOut),
}

/// A customer who wants to be left alone: a feedback of the kind optout, whoever he is.
pub struct OptOut {
    pub customer: String,
    /// What he answered to, and where; none where it is not told.
    pub campaign: Option<String>,
    pub channel: Option<String>,
}

/// The campaign of a feedback that is of none.
pub(crate) const NO_CAMPAIGN: &str = "-";

/// A change of a list.
pub struct ListEdit {
    pub list: String,
    pub does: Does,
    pub customers: Vec<String>,
    /// From when and until when those who are added are on it; as the module says where there is none.
    pub from: Option<Time>,
    pub until: Option<Time>,
    /// How many a person has seen on the list before such an edit, and after it.
    pub confirmed: Option<(usize, usize)>,
}

/// What an edit does to a list.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize, clap::ValueEnum, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Does {
    /// Puts customers on it.
    Add,
    /// Takes customers off it.
    Remove,
    /// Leaves those customers on it and nobody else.
    Replace,
    /// Takes everybody off it.
    Clear,
}

/// An edit, and whose it is.
pub struct Request<'r> {
    pub edit: &'r Edit,
    pub by: &'r str,
    pub reason: &'r str,
    /// By which it is known when it comes again.
    pub key: Option<&'r str>,
    /// The bytes in which it came; of a list, beside its name.
    pub body: &'r [u8],
}

/// What became of an edit.
#[derive(PartialEq, Eq, Debug)]
pub enum Edited {
    /// Durable. `outranked` of its rows do not stand; none where it had been done before.
    Done {
        epoch: Epoch,
        partition: Partition,
        rows: u64,
        outranked: Option<usize>,
    },
    /// Another edit came under the same key.
    KeyReused,
    /// It waits for a person to confirm how many are on the list, and how many then would be.
    Held {
        before: usize,
        after: usize,
    },
    /// There are no such customers.
    Unknown(Vec<String>),
    UnknownList,
    /// What is wrong with it.
    Refused(String),
    /// A worker has failed.
    Failed,
}

/// Unknown customers that are told.
const UNKNOWN_MAX: usize = 10;
/// Longest name of who asks, and longest reason, in characters.
const WORDS_MAX: usize = 500;

impl Request<'_> {
    /// What is missing of whose it is and why.
    fn unsigned(&self) -> Option<String> {
        for (name, text) in [("by", self.by), ("reason", self.reason)] {
            if text.trim().is_empty() {
                return Some(format!("an edit says by whom and why; {name} is empty"));
            }
            if text.chars().count() > WORDS_MAX || text.chars().any(char::is_control) {
                return Some(format!("expected one line of at most {WORDS_MAX} characters for {name}"));
            }
        }
        None
    }
}

impl Intake {
    /// Makes an edit durable and gives it to the engine. Refused where it does not say whose it is and why.
    pub fn edit(&self, request: &Request<'_>) -> Result<Edited, StoreError> {
        if let Some(missing) = request.unsigned() {
            return Ok(Edited::Refused(missing));
        }
        let (feed, list) = match request.edit {
            Edit::Adjustment { .. } => (Feed::Adjustment, ""),
            Edit::List(edit) => (Feed::Listing, &*edit.list),
            Edit::OptOut(_) => (Feed::Feedback, ""),
        };
        let seal = Seal::new(feed, list, request.key, request.body);
        let mut store = self.store.lock();
        match seal.before(&store) {
            Some(Before::Done { epoch, partition, rows }) => {
                return Ok(Edited::Done { epoch, partition, rows, outranked: None });
            }
            Some(Before::KeyReused) => return Ok(Edited::KeyReused),
            None => {}
        }
        // The lists as they stand: nothing is accepted meanwhile.
        if !self.hub.settle() {
            return Ok(Edited::Failed);
        }
        let (_, wall) = self.settings();
        let now = self.clock(store.clock()).now.unwrap_or(wall);
        let partition = store.next_partition(feed, &wall.day().to_string());
        let text = match self.text(request, &partition, now) {
            Ok(text) => text,
            Err(answer) => return Ok(answer),
        };
        let entered = match self.enter(&mut store, &partition, &text, seal)? {
            Ok(entered) => entered,
            Err(why) => return Ok(Edited::Refused(why)),
        };
        let (epoch, rows, facts) = (entered.epoch, entered.rows, &entered.facts);
        let adjusted = facts.adjustments.iter().filter(|fact| fact.points.is_some()).count();
        let standing = facts.listings.len() + facts.feedbacks.len() + adjusted;
        self.tell(&mut store, entered, FORBIDDING.contains(&feed))?;
        let outranked = Some((rows as usize).saturating_sub(standing));
        Ok(Edited::Done { epoch, partition, rows, outranked })
    }

    /// Takes edits that the store has forgotten, since it was brought back from an older copy.
    pub(crate) fn take_again(&self, store: &mut Store, edits: &[Told]) -> Result<(), StoreError> {
        for told in edits {
            let Some(feed) = Feed::named(&told.feed) else { continue };
            let partition = Partition { feed, period: told.period.clone(), part: told.part.clone() };
            if store.partition(&partition)?.is_some() {
                continue;
            }
            let file = of_edit(&partition);
            let (settings, wall) = self.settings();
            let names = self.names();
            let read =
                ingest::read_bytes(told.text.as_bytes(), &file, None, &settings, &mut Naming::new(names.clone()));
            let mut extract = match read {
                Ok(extract) => extract,
                Err(error) => {
                    tracing::error!(
                        part = partition.part,
                        period = partition.period,
                        "an edit cannot be read again: {error}"
                    );
                    continue;
                }
            };
            extract.sha256 = unhex(&told.sha256).unwrap_or(extract.sha256);
            extract.file.clone_from(&told.file);
            tracing::warn!(
                feed = told.feed,
                part = partition.part,
                period = partition.period,
                "an edit was forgotten, and is taken again"
            );
            self.append(store, extract, wall)?;
        }
        Ok(())
    }

    /// How the text of an edit is read, and wall time.
    pub(crate) fn settings(&self) -> (Settings, Time) {
        let document = self.document();
        let wall = self.wall_time(&document.settings.zone);
        let settings = Settings {
            timezone: document.settings.zone.clone(),
            bad_rows_max: (1, 1),
            control_required: false,
            wall,
            decoded_bytes_max: DECODED_BYTES_MAX,
        };
        (settings, wall)
    }

    /// The rows of an edit as the text of an extract.
    fn text(&self, request: &Request<'_>, partition: &Partition, now: Time) -> Result<Vec<u8>, Edited> {
        let names = self.names();
        let names = names.read();
        // The text goes into the journal beside the outbox too, before any row is read of it.
        let (by, reason) = (request.by, hidden_freely(request.reason));
        let find = |id: &String| names.customers.find(id).map(CustomerIx).ok_or_else(|| id.clone());
        let mut rows: Vec<Vec<String>> = Vec::new();
        match request.edit {
            Edit::Adjustment { customer, points, at } => {
                find(customer).map_err(|id| Edited::Unknown(vec![id]))?;
                let id = format!("{}-{}", partition.period, partition.part);
                let at = at.unwrap_or(now);
                let columns = ["adjustment_id", "customer_id", "points", "reason", "by", "at"];
                rows.push(columns.map(str::to_owned).to_vec());
                let [reason, by] = [&*reason, by].map(str::to_owned);
                rows.push(vec![id, customer.clone(), points.to_string(), reason, by, at.to_string()]);
            }
            Edit::OptOut(edit) => {
                let id = format!("{}-{}", partition.period, partition.part);
                let campaign = edit.campaign.clone().unwrap_or_else(|| NO_CAMPAIGN.to_owned());
                let (channel, at) = (edit.channel.clone().unwrap_or_default(), now.to_string());
                let reason = format!("{by}: {reason}");
                let columns = ["feedback_id", "customer_id", "campaign_id", "kind", "at", "channel_id", "reason"];
                rows.push(columns.map(str::to_owned).to_vec());
                rows.push(vec![id, edit.customer.clone(), campaign, "optout".to_owned(), at, channel, reason]);
            }
            Edit::List(edit) => {
                let (mut found, mut unknown) = (BTreeSet::new(), Vec::new());
                for customer in edit.customers.iter().map(find) {
                    match customer {
                        Ok(customer) => drop(found.insert(customer)),
                        Err(id) => unknown.push(id),
                    }
                }
                if !unknown.is_empty() {
                    unknown.truncate(UNKNOWN_MAX);
                    return Err(Edited::Unknown(unknown));
                }
                let list = names.words.find(&edit.list).map(Word);
                let held = list.map(|list| listed(&self.hub.published(), list)).unwrap_or_default();
                if held.is_empty() && matches!(edit.does, Does::Remove | Does::Clear) {
                    return Err(Edited::UnknownList);
                }
                let changes = edit.changes(&held, &found, now)?;
                rows.push(["list_id", "customer_id", "from", "until", "reason"].map(str::to_owned).to_vec());
                for (customer, (from, until)) in changes {
                    let id = names.customers.text(customer.0).unwrap_or_default().to_owned();
                    let [from, until] = [from, until].map(|at| at.map_or(String::new(), |at| at.to_string()));
                    let reason = format!("{by}: {reason}");
                    rows.push(vec![edit.list.clone(), id, from, until, reason]);
                }
            }
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = rows.iter().try_for_each(|row| writer.write_record(row));
        let text = written.map_err(|error| error.to_string());
        let text = text.and_then(|()| writer.into_inner().map_err(|error| error.to_string()));
        text.map_err(Edited::Refused)
    }
}

/// The name of the file that an edit would be.
pub(super) fn of_edit(partition: &Partition) -> FileName {
    FileName {
        name: format!("{}_{}_{}.csv", partition.feed.name(), partition.period, partition.part),
        feed: partition.feed,
        period: partition.period.clone(),
        part: partition.part.clone(),
        version: 1,
        format: Format::Made,
        container: Container::Plain,
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

/// Everybody with a row of a list.
fn listed(published: &Published, list: Word) -> BTreeMap<CustomerIx, Interval> {
    let mut listed = BTreeMap::new();
    for (chunk, customer) in published.chunks() {
        let rows = chunk.listings.get(&list).into_iter().flat_map(|rows| rows.rows());
        listed.extend(rows.map(|(slot, interval)| (customer(usize::from(*slot)), *interval)));
    }
    listed
}

impl ListEdit {
    /// The listings that it sets, of those that are held and the customers that it names.
    fn changes(
        &self,
        held: &BTreeMap<CustomerIx, Interval>,
        named: &BTreeSet<CustomerIx>,
        now: Time,
    ) -> Result<BTreeMap<CustomerIx, Interval>, Edited> {
        let is_on =
            |(from, until): &Interval| until.is_none_or(|until| until > now && from.is_none_or(|from| from < until));
        let on: BTreeMap<CustomerIx, Interval> = held
            .iter()
            .filter(|(_, interval)| is_on(interval))
            .map(|(customer, interval)| (*customer, *interval))
            .collect();
        let mut changes = BTreeMap::new();
        if matches!(self.does, Does::Add | Does::Replace) {
            for customer in named {
                let before = on.get(customer).copied();
                let from = self.from.or(before.map_or(Some(now), |(from, _)| from));
                let until = self.until.or(before.and_then(|(_, until)| until));
                changes.insert(*customer, (from, until));
            }
        }
        let is_leaving = |customer: &CustomerIx| match self.does {
            Does::Add => false,
            Does::Remove => named.contains(customer),
            Does::Replace => !named.contains(customer),
            Does::Clear => true,
        };
        let leaving = on.iter().filter(|(customer, _)| is_leaving(customer));
        // Who was to be on it later never is.
        changes.extend(
            leaving.map(|(customer, (from, _))| (*customer, (*from, Some(from.map_or(now, |from| from.max(now)))))),
        );
        changes.retain(|customer, interval| held.get(customer) != Some(interval));
        let stay = on.keys().filter(|customer| !is_leaving(customer)).count();
        let come = if self.does == Does::Replace { named.iter().filter(|id| !on.contains_key(id)).count() } else { 0 };
        let (before, after) = (on.len(), stay + come);
        let shrinks = matches!(self.does, Does::Replace | Does::Clear) && after * 5 < before * 4;
        if shrinks && self.confirmed != Some((before, after)) {
            return Err(Edited::Held { before, after });
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 100;

    /// Customer, from, until.
    type Row = (u32, Option<i64>, Option<i64>);

    /// What an edit makes of customers whose listings are held; or how many it would leave of how many.
    fn check(does: Does, named: &[u32], held: &[Row], expected: Result<&[Row], (usize, usize)>) {
        let interval = |from: Option<i64>, until: Option<i64>| (from.map(Time), until.map(Time));
        let listings = |rows: &[Row]| -> BTreeMap<CustomerIx, Interval> {
            rows.iter().map(|(customer, from, until)| (CustomerIx(*customer), interval(*from, *until))).collect()
        };
        let edit =
            ListEdit { list: String::new(), does, customers: Vec::new(), from: None, until: None, confirmed: None };
        let named = named.iter().copied().map(CustomerIx).collect();
        let expected = expected.map(listings).map_err(|(before, after)| Edited::Held { before, after });
        assert_eq!(edit.changes(&listings(held), &named, Time(NOW)), expected, "{does:?} {named:?}");
    }

    #[test]
    fn who_is_added_is_on_the_list_from_now_unless_he_is_on_it() {
        check(Does::Add, &[1, 2], &[(1, None, None)], Ok(&[(2, Some(NOW), None)]));
        // His listing ended, even at this second: it begins again.
        check(Does::Add, &[1, 2], &[(1, None, Some(NOW)), (2, Some(9), Some(NOW + 1))], Ok(&[(1, Some(NOW), None)]));
        // One that is to begin is one.
        check(Does::Add, &[1], &[(1, Some(NOW + 5), None)], Ok(&[]));
    }

    #[test]
    fn who_is_removed_was_on_the_list_until_now() {
        let held = [(1, None, None), (2, Some(9), Some(NOW + 1)), (3, Some(NOW + 5), None), (4, Some(1), Some(NOW))];
        let ended = [(1, None, Some(NOW)), (2, Some(9), Some(NOW)), (3, Some(NOW + 5), Some(NOW + 5))];
        check(Does::Remove, &[1, 2, 3, 4, 5], &held, Ok(&ended));
        // What has ended by an edit, or before it began, does not end again.
        check(Does::Remove, &[1, 2, 3], &ended, Ok(&[]));
        check(Does::Clear, &[], &ended, Ok(&[]));
    }

    #[test]
    fn a_list_may_lose_a_fifth_of_who_is_on_it() {
        let held: Vec<_> = (0..5).map(|customer| (customer, None, None)).chain([(9, None, Some(1))]).collect();
        check(Does::Replace, &[0, 1, 2, 3], &held, Ok(&[(4, None, Some(NOW))]));
        check(Does::Replace, &[0, 1, 2], &held, Err((5, 3)));
        check(
            Does::Replace,
            &[0, 1, 2, 9],
            &held,
            Ok(&[(3, None, Some(NOW)), (4, None, Some(NOW)), (9, Some(NOW), None)]),
        );
        check(Does::Clear, &[], &held, Err((5, 0)));
        check(
            Does::Remove,
            &[0, 1, 2, 3, 4],
            &held[..5],
            Ok(&[0, 1, 2, 3, 4].map(|customer| (customer, None, Some(NOW)))),
        );
    }
}
