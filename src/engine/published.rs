//! What readers are given: every view at one epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use dataflows::customers::{Difference, Snapshot};
use dataflows::effects::{Effect, days};
use dataflows::fit;
use dataflows::goals::{self, Tally, Volumes};
use dataflows::points;
use dataflows::programme::Programme;
use dataflows::referrals::Branches;
use dataflows::services::Services;
use dataflows::table::catalog::Catalog;
use dataflows::table::chunk::CHUNK_EMPTY;
use dataflows::table::column::CHUNK;
use dataflows::table::{Chunk, KINDS};
use dataflows::types::{Clock, CustomerIx, Day, Epoch, Time};
use dataflows::views::{Change, Family};
use hashbrown::HashMap;

use super::counts::Counts;
use super::worker::Deposit;
use crate::store::changes::{Changed, Latest, keep};
use crate::store::reports::{Figures, NOTED, Reports, Series};

/// All views at one epoch. A clone is a clone of pointers, but for the difference and a few sums.
#[derive(Clone)]
pub struct Published {
    pub epoch: Epoch,
    pub clock: Clock,
    pub programme: Arc<Programme>,
    /// The rules by which its points were counted.
    pub points: Arc<points::Rules>,
    /// The entries of points that changed after they were shown: the latest epochs that changed any.
    pub changed: Arc<Latest>,
    /// Where all points are.
    pub books: points::Books,
    /// What stands of products and channels.
    pub catalog: Arc<Catalog>,
    /// By which measures the use of products shows.
    pub services: Arc<Services>,
    /// What goals count.
    pub goals: Arc<goals::Rules>,
    /// What all customers use, day by day.
    pub volumes: Arc<Volumes>,
    /// The latest contact or feedback that ever came.
    latest: Option<Time>,
    /// By what fit is computed.
    pub fit: Arc<fit::Rules>,
    /// The rates of fit, of whatever epoch was read last.
    rates: Arc<fit::Followed>,
    /// Effects as they stood when days closed, of whatever epoch was noted last.
    pub reports: Arc<ArcSwap<Reports>>,
    /// What the epoch changed. Where a reader missed epochs, theirs are not in it.
    pub difference: Difference,
    /// Who brought whom in.
    pub forest: Branches,
    /// Of everybody, where this is a part.
    everybody: Arc<Vec<Snapshot>>,
    workers: Arc<Vec<Snapshot>>,
    counts: Vec<Counts>,
}

/// What days added, by key and day.
type Sums = HashMap<(days::Of, Day), Figures, foldhash::fast::FixedState>;

/// Chunks that one thread sums up by itself: each takes it about a millisecond.
const ALONE_MAX: usize = 16;

impl Published {
    pub(super) fn nothing(workers: usize) -> Published {
        let snapshot = Snapshot {
            clock: Clock::default(),
            programme: Arc::default(),
            points: Arc::default(),
            books: points::Books::default(),
            catalog: Arc::default(),
            services: Arc::default(),
            fit: Arc::default(),
            goals: Arc::default(),
            volumes: Arc::default(),
            latest: None,
            chunks: Vec::new(),
        };
        let workers = Arc::new(vec![snapshot; workers]);
        Published {
            epoch: 0,
            clock: Clock::default(),
            programme: Arc::default(),
            points: Arc::default(),
            changed: Arc::default(),
            books: points::Books::default(),
            catalog: Arc::default(),
            services: Arc::default(),
            fit: Arc::default(),
            goals: Arc::default(),
            volumes: Arc::default(),
            latest: None,
            rates: Arc::default(),
            reports: Arc::default(),
            difference: Difference::default(),
            forest: Branches::default(),
            everybody: workers.clone(),
            workers,
            counts: Vec::new(),
        }
    }

    pub(super) fn assemble(epoch: Epoch, deposits: Vec<Deposit>, last: &Published) -> Published {
        let mut published = Published::nothing(0);
        published.epoch = epoch;
        let (mut entries, mut is_cut, mut workers) = (Vec::new(), false, Vec::new());
        for (index, deposit) in deposits.into_iter().enumerate() {
            if index == 0 {
                published.forest = deposit.forest;
            }
            published.clock = deposit.snapshot.clock;
            published.programme = deposit.snapshot.programme.clone();
            published.points = deposit.snapshot.points.clone();
            published.catalog = deposit.snapshot.catalog.clone();
            published.volumes = deposit.snapshot.volumes.clone();
            published.latest = deposit.snapshot.latest;
            // Of one worker: chunks of all remember what they were counted under.
            if index == 0 {
                published.services = deposit.snapshot.services.clone();
                published.fit = deposit.snapshot.fit.clone();
                published.goals = deposit.snapshot.goals.clone();
            }
            published.books.merge(&deposit.snapshot.books);
            published.difference.tiers.0 += deposit.difference.tiers.0;
            published.difference.tiers.1 += deposit.difference.tiers.1;
            for (segment, (came, went)) in deposit.difference.members {
                let counts = published.difference.members.entry(segment).or_default();
                *counts = (counts.0 + came, counts.1 + went);
            }
            for (campaign, (came, went)) in deposit.difference.targets {
                let counts = published.difference.targets.entry(campaign).or_default();
                *counts = (counts.0 + came, counts.1 + went);
            }
            entries.extend(deposit.difference.entries);
            is_cut |= deposit.difference.more_entries;
            workers.push(deposit.snapshot);
            published.counts.push(deposit.counts);
        }
        published.workers = Arc::new(workers);
        published.everybody = published.workers.clone();
        published.changed = last.changed.clone();
        published.rates = last.rates.clone();
        published.reports = last.reports.clone();
        if !entries.is_empty() || is_cut {
            let changed = Arc::new(Changed { epochs: (last.epoch, epoch), entries, is_cut });
            keep(Arc::make_mut(&mut published.changed), changed);
        }
        published
    }

    /// The chunk and slot of a customer.
    pub fn customer(&self, customer: CustomerIx) -> Option<(&Arc<Chunk>, usize)> {
        let (customer, workers) = (customer.0 as usize, self.workers.len());
        let slot = customer / workers;
        Some((self.workers[customer % workers].chunks.get(slot / CHUNK)?, slot % CHUNK))
    }

    /// The same without anybody who is not kept beside one of the customers: what is read of them costs as much as
    /// their chunks. Counts, the forest, the difference and rates stay whole.
    pub fn near(&self, customers: &[CustomerIx]) -> Published {
        let count = self.workers.len();
        let places: Vec<(usize, usize)> = customers
            .iter()
            .map(|customer| (customer.0 as usize % count, customer.0 as usize / count / CHUNK))
            .collect();
        self.only(|worker, chunk| places.contains(&(worker, chunk)))
    }

    /// Into how many parts of so many chunks this falls.
    pub fn part_count(&self, chunks: usize) -> usize {
        self.workers.iter().map(|worker| worker.chunks.len().div_ceil(chunks)).sum()
    }

    /// One of the parts: some chunks, and nobody in the others. Nobody, where there are not so many parts.
    pub fn part(&self, chunks: usize, number: usize) -> Published {
        let mut before = 0;
        for (own, worker) in self.workers.iter().enumerate() {
            let count = worker.chunks.len().div_ceil(chunks);
            if number < before + count {
                let begin = (number - before) * chunks;
                return self.only(|worker, chunk| worker == own && (begin..begin + chunks).contains(&chunk));
            }
            before += count;
        }
        self.only(|_, _| false)
    }

    /// Of each chunk that is not the same memory in an earlier one, a customer: rows that hang on a customer's chunk alone
    /// are the same of everybody else.
    pub fn changed_since(&self, earlier: &Published) -> Vec<CustomerIx> {
        let chunks = |published: &Published| -> BTreeMap<CustomerIx, usize> {
            published.chunks().map(|(chunk, customer)| (customer(0), Arc::as_ptr(chunk) as usize)).collect()
        };
        let (before, after) = (chunks(earlier), chunks(self));
        let all = before.keys().chain(after.keys().filter(|customer| !before.contains_key(customer)));
        all.filter(|customer| before.get(customer) != after.get(customer)).copied().collect()
    }

    /// The same with the chunks of workers that are kept, and nobody in the others.
    fn only(&self, is_kept: impl Fn(usize, usize) -> bool) -> Published {
        let nobody = CHUNK_EMPTY.with(Arc::clone);
        let mut only = self.clone();
        for (index, worker) in Arc::make_mut(&mut only.workers).iter_mut().enumerate() {
            let others = worker.chunks.iter_mut().enumerate().filter(|(at, _)| !is_kept(index, *at));
            others.for_each(|(_, chunk)| *chunk = nobody.clone());
        }
        only
    }

    /// What each worker settled last.
    pub fn workers(&self) -> &[Snapshot] {
        &self.workers
    }

    /// Every chunk, with the customer in each slot.
    pub fn chunks(&self) -> impl Iterator<Item = (&Arc<Chunk>, impl Fn(usize) -> CustomerIx)> {
        Published::placed(&self.workers)
    }

    /// The same of everybody, where this is a part.
    pub fn everybody(&self) -> impl Iterator<Item = (&Arc<Chunk>, impl Fn(usize) -> CustomerIx)> {
        Published::placed(&self.everybody)
    }

    fn placed(snapshots: &[Snapshot]) -> impl Iterator<Item = (&Arc<Chunk>, impl Fn(usize) -> CustomerIx)> {
        let workers = snapshots.len();
        snapshots.iter().enumerate().flat_map(move |(index, worker)| {
            worker.chunks.iter().enumerate().map(move |(number, chunk)| {
                (chunk, move |slot: usize| CustomerIx(((number * CHUNK + slot) * workers + index) as u32))
            })
        })
    }

    /// The rates that scores of fit are computed by: everybody's, of a part as well.
    pub fn rates(&self) -> Arc<fit::Rates> {
        let chunks = || self.everybody.iter().flat_map(|worker| worker.chunks.iter().map(|chunk| &**chunk));
        let closed = fit::closed(self.clock);
        let new: Vec<&Chunk> = chunks().filter(|chunk| !fit::is_summed_up(chunk, &self.fit, closed)).collect();
        if new.len() >= ALONE_MAX {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            std::thread::scope(|scope| {
                for part in new.chunks(new.len().div_ceil(threads)) {
                    scope.spawn(move || part.iter().for_each(|chunk| drop(fit::summary(chunk, &self.fit, closed))));
                }
            });
        }
        self.rates.rates(chunks(), &self.fit, closed)
    }

    /// What goals count.
    pub fn tally(&self) -> Tally {
        let of = |part: &[&Chunk]| {
            let mut tally = Tally::default();
            part.iter().for_each(|chunk| tally.add(&goals::tally(chunk, &self.goals, self.clock)));
            tally
        };
        let mut all = Tally::default();
        self.in_parts(of, |part| all.add(&part));
        all
    }

    /// What effects came to by the end of each day, as is known now: by key, from each day on until the next. Walks all
    /// contacts there are.
    pub fn effect_days(&self) -> BTreeMap<days::Of, Series> {
        let places: HashMap<Effect, usize, foldhash::fast::FixedState> =
            NOTED.iter().enumerate().map(|(place, effect)| (*effect, place)).collect();
        let of = |part: &[&Chunk]| {
            let mut sums: Sums = HashMap::default();
            let mut add = |of, day, effect, diff| {
                if let Some(place) = places.get(&effect) {
                    sums.entry((of, day)).or_default()[*place] += diff as i64;
                }
            };
            part.iter().for_each(|chunk| days::days(chunk, &mut add));
            sums
        };
        let mut all: BTreeMap<days::Of, Series> = BTreeMap::new();
        self.in_parts(of, |sums| {
            for ((of, day), figures) in sums {
                let held = all.entry(of).or_default().entry(day).or_default();
                held.iter_mut().zip(figures).for_each(|(held, figure)| *held += figure);
            }
        });
        for series in all.values_mut() {
            let mut sums = Figures::default();
            for figures in series.values_mut() {
                sums.iter_mut().zip(figures.iter()).for_each(|(sum, figure)| *sum += figure);
                *figures = sums;
            }
        }
        all
    }

    /// What is made of the chunks, a part of them on each core, and put together.
    pub fn in_parts<T: Send>(&self, of: impl Fn(&[&Chunk]) -> T + Sync, mut merge: impl FnMut(T)) {
        let chunks: Vec<&Chunk> =
            self.workers.iter().flat_map(|worker| worker.chunks.iter().map(|chunk| &**chunk)).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if chunks.len() < ALONE_MAX { 1 } else { cores };
        let parts = chunks.chunks(chunks.len().div_ceil(threads).max(1));
        std::thread::scope(|scope| {
            let parts: Vec<_> = parts.map(|part| scope.spawn(|| of(part))).collect();
            for part in parts {
                match part.join() {
                    Ok(part) => merge(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }

    /// The last day of campaigns that has closed: a contact or a feedback is later, and so is the clock.
    pub fn closed(&self) -> Option<Day> {
        Some(Day(self.latest?.min(self.clock.now?).day().0 - 1))
    }

    /// Every cell of every count.
    pub fn counts(&self) -> impl Iterator<Item = (Change, isize)> {
        self.counts.iter().flat_map(Counts::cells)
    }

    /// Cells that hold another number than in an earlier one: what each held there, and what it holds here.
    pub fn changed_counts<'a>(&'a self, before: &'a Published) -> impl Iterator<Item = (Change, isize, isize)> + 'a {
        self.counts.iter().zip(&before.counts).flat_map(|(counts, before)| counts.changed(before))
    }

    /// How many cells there are of each family.
    pub fn cells(&self) -> BTreeMap<Family, usize> {
        let mut cells = BTreeMap::new();
        let sizes = self.counts.iter().flat_map(Counts::sizes);
        sizes.for_each(|(family, count)| *cells.entry(family).or_default() += count);
        cells
    }

    /// How many rows stand of each kind.
    pub fn rows(&self) -> [(&'static str, usize); KINDS.len()] {
        let mut rows = KINDS.map(|kind| (kind, 0));
        for (chunk, _) in self.chunks() {
            rows.iter_mut().zip(chunk.held()).for_each(|((_, rows), held)| *rows += held);
        }
        rows
    }

    /// The cells of a family.
    pub fn counts_of(&self, family: Family) -> impl Iterator<Item = (Change, isize)> {
        self.counts.iter().flat_map(move |counts| counts.of(family))
    }
}
