//! Erasure: a person is removed from everything that is kept, and stays so.
//!
//! ```text
//! plan ─► the log written anew without him, with the fact (durable: erased) ─► what lies beside it ─► finished
//! ```
//!
//! What remains is a keyed fact (see [`super::erased`]). The log that is written anew takes the old one's place in one
//! step: a machine that stops before it has erased nobody, and one that stops after it has erased him, and does when
//! it is started again what lies beside the log still lacks. Until then the log says that it is not finished.
//!
//! Decided here, where the contract is silent:
//! - His rows are no more, in every version that the log keeps; versions that it need not keep are gone with them. Views
//!   are those of the input without these rows, and an undo brings back what is left of a file.
//! - An event of another that is about him stays that other's, and is about nobody. So what was earned by it stays, and
//!   points that he was given, or that he gave, were never handed over.
//! - His number is his by the rows of `customer` that are kept. Where a row of another bears it, it is that other's
//!   now, and only the id is erased.
//! - Answers to what he ordered here go with it, and are left out when they come again.
//! - From then on rows that name him are left out before anything of them is kept, and counted. A file that comes
//!   again is known by its rows without his, so it is the same one.
//! - Words that only his rows used and that hold his id, and names of requests that do, are taken away. Texts of others'
//!   rows that do are theirs: they are counted and told, and stand.
//! - Who is not known is erased too: what comes of him is left out.
//! - An erasure is taken on a disk that is full for everything but what forbids contacts, and needs room for the log
//!   once more.

mod subjects;
mod traces;

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use dataflows::facts::Facts;
use dataflows::records::{Feed, Rows};
use dataflows::types::{Clock, CustomerIx, Epoch, Month, Word};

use super::codec::{Reader, Writer};
use super::content::Content;
use super::dictionary::{Extent, Gone};
use super::erased::{self, Erased, Fact};
use super::ledger::{Entry, REQUEST};
use super::owners::PartitionNo;
use super::partitions::Version;
use super::records::{self, Head, Kind};
use super::room::Purpose;
use super::{Log, Store, StoreError};
use crate::ingest::{Lines, Named, Reject};
pub(super) use subjects::append;
use subjects::{Parted, Subjects};
pub use traces::Traces;
use traces::{Used, visit};

/// A file that was taken and holds rows of somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    pub feed: Feed,
    pub file: String,
    /// His rows, those of others that name him, and those that were set aside and do.
    pub rows: u64,
}

/// What an erasure removes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    /// Rows that stand, by feed.
    pub rows: BTreeMap<&'static str, u64>,
    /// Events of others that are about nobody then.
    pub references: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// Words and names of requests.
    pub texts: u64,
    /// Rows of others with a text that holds his id, which stand.
    pub mentions: u64,
    /// Whether his number is another's now, and not erased.
    pub is_number_anothers: bool,
    /// In the order in which they were first taken; those of the versions that the log keeps.
    pub files: Vec<Holding>,
}

/// An erasure that may be done.
pub struct Plan {
    ids: Vec<String>,
    subjects: Subjects,
    words: Vec<Word>,
    /// Whether the log holds anything of him.
    is_in_log: bool,
    facts: Vec<Fact>,
    pub traces: Traces,
    /// Whether anything was known of him.
    pub is_known: bool,
    /// Whether he was erased before.
    pub is_repeated: bool,
    pub removed: Removed,
}

impl Plan {
    /// Whom it removes, by number.
    pub fn customers(&self) -> impl Iterator<Item = CustomerIx> + '_ {
        self.subjects.customers.iter().copied()
    }
}

/// A version of a partition, taken apart.
pub(super) struct Kept {
    pub entry: Entry,
    pub rejects: Vec<Reject>,
    /// None where they were never kept.
    pub lines: Option<Lines>,
    pub content: Rc<Content>,
}

impl Kept {
    /// Its payload, behind the names that it begins with.
    pub fn write(&self, names: Writer) -> Vec<u8> {
        records::write_partition(names, &self.entry, &self.rejects, self.content.held(), self.lines.as_ref())
    }
}

/// Takes a version's record apart.
pub(super) fn read_kept(log: &Log, names: Extent, version: &Version) -> Result<Kept, StoreError> {
    let payload = log.read(version.location)?;
    let damaged = |damage| StoreError::Record { offset: version.location.offset, damage };
    let mut reader = Reader::new(&payload);
    reader.part().map_err(damaged)?;
    let head = Head::read(&mut reader).map_err(damaged)?;
    let (rejects, lines) = (head.rejects().map_err(damaged)?, head.lines().map_err(damaged)?);
    let content = Rc::new(head.content(names).map_err(damaged)?);
    Ok(Kept { entry: head.entry, rejects, lines, content })
}

impl Store {
    /// What erasing somebody would come to. Reads everything that the log keeps.
    pub fn plan_erasure(&self, id: &str) -> Result<Plan, StoreError> {
        let fact = self.dictionary.read().erased().fact(Named::Customer(id));
        self.plan_erasure_of(vec![id.to_owned()], vec![fact])
    }

    /// What erasing everybody of facts would come to who is known here: they were erased, and a copy that was brought
    /// back does not know it.
    pub fn plan_erasure_again(&self, facts: &[Fact]) -> Result<Plan, StoreError> {
        let ids = {
            let dictionary = self.dictionary.read();
            let wanted: HashSet<&Fact> = facts.iter().collect();
            let ids = (0..dictionary.customers.len() as u32).filter_map(|number| dictionary.customers.text(number));
            ids.filter(|id| wanted.contains(&dictionary.erased().fact(Named::Customer(id))))
                .map(str::to_owned)
                .collect()
        };
        self.plan_erasure_of(ids, facts.to_vec())
    }

    fn plan_erasure_of(&self, ids: Vec<String>, facts: Vec<Fact>) -> Result<Plan, StoreError> {
        // Past a failed write what stands in memory may be ahead of the log: nothing is read off it.
        self.log.goes_on()?;
        let mut subjects = Subjects::default();
        let (is_named, is_repeated) = {
            let dictionary = self.dictionary.read();
            subjects.customers = ids.iter().filter_map(|id| dictionary.customers.find(id)).map(CustomerIx).collect();
            let is_repeated = facts.iter().all(|fact| dictionary.erased().knows(fact));
            (!subjects.customers.is_empty(), is_repeated)
        };
        let mut removed = Removed::default();
        self.find_names(&mut subjects, &mut removed)?;
        let tokens = subjects.numbers.iter().map(|token| token.hex());
        let traces = Traces::of(ids.iter().map(String::as_str), tokens);
        let mut used = Used::default();
        for (feed, version) in self.kept() {
            let kept = read_kept(&self.log, self.durable, version)?;
            let parted = subjects.part(&kept.content);
            let (mut his, stands) = (0, self.stands(&kept.entry, version));
            if let Some(parted) = &parted {
                his += parted.gone.len() as u64;
                if stands {
                    *removed.rows.entry(feed.name()).or_default() += parted.removed();
                    removed.references += parted.changed.len() as u64;
                }
            }
            let set_aside = kept.rejects.iter().filter(|reject| traces.are_in(&reject.row)).count() as u64;
            his += set_aside;
            removed.set_aside += if stands { set_aside } else { 0 };
            if his > 0 {
                removed.files.push(Holding { feed, file: kept.entry.file.clone(), rows: his });
            }
            let left = parted.as_ref().map_or(&*kept.content, |parted| &parted.left);
            visit(left, &mut used, &mut |text| removed.mentions += u64::from(traces.are_in(text)));
        }
        let words = self.words_of(&traces, &used);
        removed.mentions += words.iter().filter(|(_, is_used)| *is_used).count() as u64;
        let words: Vec<Word> = words.into_iter().filter(|(_, is_used)| !is_used).map(|(word, _)| word).collect();
        let names_requests = self.ledger.entries().filter(|entry| names_request(entry, &traces)).count();
        removed.texts = (words.len() + names_requests) as u64;
        removed.files.retain(|holding| !holding.file.starts_with(REQUEST));
        let is_known = is_named || removed.set_aside > 0 || !removed.files.is_empty();
        let more = subjects.facts(self.dictionary.read().erased());
        Ok(Plan {
            // What is dead may name him too.
            is_in_log: is_known || removed.texts > 0 || self.dead_bytes > 0,
            facts: facts.into_iter().chain(more).collect(),
            is_known,
            is_repeated,
            ids,
            subjects,
            words,
            traces,
            removed,
        })
    }

    /// Finds the numbers of somebody, and what he ordered.
    fn find_names(&self, subjects: &mut Subjects, removed: &mut Removed) -> Result<(), StoreError> {
        let is_asked = |feed: &Feed| matches!(feed, Feed::Customer | Feed::OrderRequest);
        let mut others = Vec::new();
        for (_, version) in self.kept().filter(|(feed, _)| is_asked(feed)) {
            match &read_kept(&self.log, self.durable, version)?.content.rows {
                Rows::Customer(rows) => {
                    for row in rows {
                        match row.fields.number {
                            Some(token) if subjects.customers.contains(&row.customer) => {
                                subjects.numbers.insert(token);
                            }
                            Some(token) => others.push(token),
                            None => {}
                        }
                    }
                }
                Rows::OrderRequest(rows) => {
                    let his = rows.iter().filter(|row| subjects.customers.contains(&row.customer));
                    subjects.requests.extend(his.map(|row| row.request_id.clone()));
                }
                _ => {}
            }
        }
        for token in others {
            removed.is_number_anothers |= subjects.numbers.remove(&token);
        }
        Ok(())
    }

    /// Words that hold an id, and whether a row or the programme uses them.
    fn words_of(&self, traces: &Traces, used: &Used) -> Vec<(Word, bool)> {
        let dictionary = self.dictionary.read();
        let words =
            (1..dictionary.words.len() as u32).filter_map(|word| Some((Word(word), dictionary.words.text(word)?)));
        let is_programmed = |text: &str| self.programme.iter().flatten().any(|(_, source)| source.contains(text));
        let named = words.filter(|(_, text)| traces.are_in(text));
        named.map(|(word, text)| (word, used.has(word) || is_programmed(text))).collect()
    }

    /// Every version that the log keeps, in the order of partitions.
    fn kept(&self) -> impl Iterator<Item = (Feed, &Version)> {
        self.live.iter().flat_map(|live| live.kept().map(|version| (live.partition.feed, version)))
    }

    fn stands(&self, entry: &Entry, version: &Version) -> bool {
        let number = self.numbers.get(&entry.partition);
        number.and_then(|number| self.live[*number as usize].standing.as_ref()) == Some(version)
    }

    /// Erases: durable when this returns, and not finished before what lies beside the log is without him too. Gives the
    /// facts, with their epoch. Nobody reads what he may have read before from names that were interned before.
    pub fn erase(&mut self, plan: &Plan) -> Result<(Epoch, Facts, Instant), StoreError> {
        self.log.goes_on()?;
        if !plan.is_in_log {
            let mut writer = self.names(self.durable, self.durable);
            erased::write(&plan.facts, false, &mut writer);
            self.room.check(writer.bytes.len() as u64, Purpose::Forbids)?;
            self.log.append(Kind::Erased as u8, self.epoch + 1, &writer.bytes)?;
            let durable_at = Instant::now();
            self.forget_names(plan);
            return Ok((self.epoch, Facts::default(), durable_at));
        }
        self.room.check(self.log.end(), Purpose::Forbids)?;
        let gone = Gone {
            customers: plan.customers().map(|customer| customer.0).collect(),
            words: plan.words.iter().map(|word| word.0).collect(),
        };
        let erased = self.dictionary.read().erased().clone();
        let rename = |entry: &Entry| {
            names_request(entry, &plan.traces).then(|| Entry { file: nameless(&erased, &entry.file), ..entry.clone() })
        };
        let mut apart: Vec<(PartitionNo, Parted, usize)> = Vec::new();
        let mut take = |number: PartitionNo, kept: &mut Kept, is_standing: bool| {
            let parted = plan.subjects.part(&kept.content);
            let before = (kept.rejects.len(), kept.content.rows.len());
            kept.rejects.retain(|reject| !plan.traces.are_in(&reject.row));
            let set_aside = (before.0 - kept.rejects.len()) as u64;
            let gone = parted.as_ref().map_or(0, Parted::removed) + set_aside;
            if let Some((rows, bad_rows)) = &mut kept.entry.rows {
                *rows = rows.saturating_sub(gone);
                *bad_rows = bad_rows.saturating_sub(set_aside);
            }
            kept.entry.erased += gone;
            let renamed = rename(&kept.entry);
            let is_other = parted.is_some() || set_aside > 0 || renamed.is_some();
            if let Some(entry) = renamed {
                kept.entry = entry;
            }
            if let Some(mut parted) = parted {
                kept.lines = kept.lines.as_ref().map(|lines| parted.lines(lines));
                let nothing = Content::empty(kept.content.rows.feed());
                kept.content = Rc::new(std::mem::replace(&mut parted.left, nothing));
                if is_standing {
                    apart.push((number, parted, before.1));
                }
            }
            is_other
        };
        self.write_anew(Some(Anew { gone, facts: &plan.facts, rename: &rename, take: &mut take }))?;
        let durable_at = Instant::now();
        self.forget_names(plan);
        let facts = self.retract(apart);
        if facts.is_err() {
            // The log says one thing, and what stands in memory another: only a restart tells.
            self.log.stop();
        }
        Ok((self.epoch, facts?, durable_at))
    }

    fn forget_names(&mut self, plan: &Plan) {
        self.epoch += 1;
        self.is_erasure_unfinished = true;
        let mut dictionary = self.dictionary.write();
        // A file that is being read meanwhile may have named him since.
        let numbers: Vec<CustomerIx> =
            plan.ids.iter().filter_map(|id| dictionary.customers.find(id)).map(CustomerIx).collect();
        dictionary.add_erased(plan.facts.iter().copied());
        dictionary.erase(plan.customers().chain(numbers), plan.words.iter().copied());
    }

    /// Takes back what stood of rows that the log no longer has.
    fn retract(&mut self, apart: Vec<(PartitionNo, Parted, usize)>) -> Result<Facts, StoreError> {
        let mut facts = Facts::default();
        // A key that leaves one partition may return from another that is still to come.
        self.leaving = apart.iter().map(|(number, parted, _)| (*number, parted.gone.clone())).collect();
        for (number, parted, was) in apart {
            self.leaving.remove(&number);
            let mut inputs = std::mem::take(&mut self.inputs);
            let replaced = inputs.replace(number, (parted.gone.held(), parted.changed.held()), self, &mut facts);
            self.inputs = inputs;
            replaced?;
            let live = &self.live[number as usize];
            let left = live.standing.as_ref().map_or(0, |version| version.rows);
            if live.partition.feed == Feed::Bill
                && let Some(month) = Month::parse(&live.partition.period)
            {
                self.count_billed(month, was > 0, left > 0);
            }
        }
        let clock: Clock = self.clock_now();
        if clock != self.clock {
            self.clock = clock;
            facts.clock = Some(clock);
        }
        Ok(facts)
    }

    /// Removes what was put aside beside the log, of other stores and other times: nobody knows whom it names.
    pub fn remove_asides(&self) -> std::io::Result<()> {
        let vfs = self.log.vfs();
        let asides: Vec<String> = vfs.list()?.into_iter().filter(|name| name.ends_with(".aside")).collect();
        asides.iter().try_for_each(|name| vfs.remove(name))?;
        if asides.is_empty() { Ok(()) } else { vfs.sync_names() }
    }

    /// Whether something beside the log may still name who was erased.
    pub fn is_erasure_unfinished(&self) -> bool {
        self.is_erasure_unfinished
    }

    /// Notes that nothing beside the log does any more.
    pub fn finish_erasure(&mut self) -> Result<(), StoreError> {
        if !self.is_erasure_unfinished {
            return Ok(());
        }
        let mut writer = self.names(self.durable, self.durable);
        erased::write(&[], true, &mut writer);
        self.log.append(Kind::Erased as u8, self.epoch, &writer.bytes)?;
        self.is_erasure_unfinished = false;
        Ok(())
    }
}

/// How the log is written anew without somebody.
pub(super) struct Anew<'a> {
    pub gone: Gone,
    pub facts: &'a [Fact],
    /// An entry of the ledger that names him, without his name.
    pub rename: &'a dyn Fn(&Entry) -> Option<Entry>,
    /// Takes him out of a version of a partition, and says whether he was in it; told is whether it stands.
    pub take: &'a mut dyn FnMut(PartitionNo, &mut Kept, bool) -> bool,
}

/// Whether an entry is of a request whose name holds an id. Names of files are the operator's.
fn names_request(entry: &Entry, traces: &Traces) -> bool {
    entry.file.starts_with(REQUEST) && traces.are_in(&entry.file)
}

/// A name of a request that tells nothing, and is no other's.
pub fn nameless(erased: &Erased, file: &str) -> String {
    let feed = file.strip_prefix(REQUEST).and_then(|rest| rest.split_once(':')).map_or("", |(feed, _)| feed);
    format!("{REQUEST}{feed}:erased-{}", hex::encode(erased.fact(Named::Request(file))))
}
