//! Runs a history through the dataflow and collects what stands after each epoch.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use dataflows::attributes::{AttributeRow, Moment, rows};
use dataflows::care;
use dataflows::customers::{Customers, Snapshot};
use dataflows::effects::{Effect, days};
use dataflows::facts::Facts;
use dataflows::fit::{self, Followed, Rates, Scored, Scores};
use dataflows::goals::{self, Goal, Quantity};
use dataflows::members::deeds;
use dataflows::oracle::{
    CareRow, DeedRow, Penetration, PointsAccount, ReferralRow, Shares, Standing, Sums, Tallied, TreeRow,
};
use dataflows::penetration;
use dataflows::points::account;
use dataflows::profile::{self, Profile};
use dataflows::reader::Reader;
use dataflows::referrals::{self, Branches, Forest};
use dataflows::review::{self, Reviewed};
use dataflows::table::Chunk;
use dataflows::table::chunk::ABSENT;
use dataflows::table::column::{CHUNK, Slots};
use dataflows::types::{CustomerIx, Day, Diff, Epoch, Token, Word};
use dataflows::views::Change;
use differential_dataflow::input::InputSession;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::Input;
use timely::dataflow::{InputHandle, ProbeHandle};

/// What stands after an epoch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    pub views: BTreeMap<Change, Diff>,
    pub read: Read,
}

/// What is read off snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Read {
    pub attributes: BTreeMap<CustomerIx, AttributeRow>,
    pub points: BTreeMap<CustomerIx, PointsAccount>,
    pub referrals: BTreeSet<ReferralRow>,
    pub tree: BTreeMap<CustomerIx, TreeRow>,
    pub deeds: BTreeMap<CustomerIx, Vec<DeedRow>>,
    pub numbers: BTreeMap<CustomerIx, Token>,
    pub cares: BTreeMap<CustomerIx, Vec<CareRow>>,
    pub penetration: Penetration,
    pub goals: Tallied,
    pub reviews: BTreeMap<(String, usize), Reviewed>,
    pub shares: Shares,
    pub sums: Sums,
    pub effect_days: BTreeMap<(days::Of, Day, Effect), Diff>,
    pub volumes: BTreeMap<(Word, Day), i64>,
    pub fit: BTreeMap<CustomerIx, (Vec<Scored>, Vec<Scored>)>,
}

type Update = (Change, Epoch, Diff);

/// Of each worker at one epoch.
type Snapshots = Vec<(usize, Snapshot)>;

/// One epoch at a time, as the engine feeds them; attributes are read off snapshots.
pub fn run(epochs: &[Arc<Facts>], workers: usize) -> Vec<State> {
    execute(&apart(epochs), workers, true)
}

/// Several parts at a time, each group of them one epoch: what comes while the workers are busy is fed so.
pub fn run_parts(groups: &[&[Arc<Facts>]], workers: usize) -> Vec<State> {
    execute(groups, workers, true)
}

fn apart(epochs: &[Arc<Facts>]) -> Vec<&[Arc<Facts>]> {
    epochs.iter().map(std::slice::from_ref).collect()
}

/// All epochs before the first step: snapshots are read at the end only, and compared there.
pub fn run_overlapping(epochs: &[Arc<Facts>], workers: usize) -> Vec<State> {
    let mut states = execute(&apart(epochs), workers, false);
    let apart = execute(&apart(epochs), workers, true);
    let last = states.len() - 1;
    for (epoch, state) in states.iter_mut().enumerate() {
        if epoch < last {
            state.read = apart[epoch].read.clone();
        }
    }
    states
}

/// What each worker settled, epoch by epoch.
pub fn run_snapshots(epochs: &[Arc<Facts>], workers: usize) -> Vec<Vec<Snapshot>> {
    let sorted = |mut snapshots: Snapshots| {
        snapshots.sort_by_key(|(index, _)| *index);
        snapshots.into_iter().map(|(_, snapshot)| snapshot).collect()
    };
    execute_and_keep(&apart(epochs), workers, true).1.into_iter().map(sorted).collect()
}

fn execute(epochs: &[&[Arc<Facts>]], workers: usize, one_at_a_time: bool) -> Vec<State> {
    execute_and_keep(epochs, workers, one_at_a_time).0
}

fn execute_and_keep(epochs: &[&[Arc<Facts>]], workers: usize, one_at_a_time: bool) -> (Vec<State>, Vec<Snapshots>) {
    let updates: Arc<Mutex<Vec<Update>>> = Arc::default();
    let reads: Arc<Mutex<Vec<Read>>> = Arc::new(Mutex::new(vec![Read::default(); epochs.len()]));
    let (shared_updates, shared_reads, shared_epochs) =
        (updates.clone(), reads.clone(), epochs.iter().map(|parts| parts.to_vec()).collect::<Vec<_>>());
    let snapshots: Arc<Mutex<Vec<Snapshots>>> = Arc::new(Mutex::new(vec![Vec::new(); epochs.len()]));
    let shared_snapshots = snapshots.clone();
    timely::execute(timely::Config::process(workers), move |worker| {
        let (index, peers) = (worker.index(), worker.peers());
        let customers = Rc::new(RefCell::new(Customers::with_rows(index, peers)));
        let forest: Rc<RefCell<Forest>> = Rc::default();
        let mut input = InputHandle::<Epoch, CapacityContainerBuilder<Vec<Arc<Facts>>>>::new();
        let probe = ProbeHandle::new();
        worker.dataflow::<Epoch, _, _>(|scope| {
            let facts = scope.input_from(&mut input);
            let views = dataflows::build(facts, customers.clone(), forest.clone());
            let (rows, counts) = (shared_updates.clone(), shared_updates.clone());
            let keep = move |(change, epoch, diff): &Update| rows.lock().unwrap().push((*change, *epoch, *diff));
            views.rows.inspect(keep).probe_with(&probe);
            let keep = move |((change, count), epoch, diff): &((Change, Diff), Epoch, Diff)| {
                counts.lock().unwrap().push((*change, *epoch, count * diff));
            };
            views.counts.inspect(keep).probe_with(&probe);
        });
        let mut words: Vec<Arc<str>> = Vec::new();
        for (epoch, parts) in shared_epochs.iter().enumerate() {
            words.extend(parts.iter().flat_map(|facts| facts.words.iter().cloned()));
            input.advance_to(epoch as Epoch);
            parts.iter().for_each(|facts| input.send(facts.clone()));
            input.advance_to(epoch as Epoch + 1);
            if one_at_a_time {
                input.flush();
                worker.step_while(|| probe.less_than(input.time()));
                let mut reads = shared_reads.lock().unwrap();
                read(&customers.borrow().snapshot(), &words, index, peers, &mut reads[epoch]);
                read_tree(&forest.borrow().snapshot(), &mut reads[epoch]);
                shared_snapshots.lock().unwrap()[epoch].push((index, customers.borrow().snapshot()));
            }
        }
        input.flush();
        worker.step_while(|| probe.less_than(input.time()));
        if !one_at_a_time {
            let last = shared_epochs.len() - 1;
            let mut reads = shared_reads.lock().unwrap();
            read(&customers.borrow().snapshot(), &words, index, peers, &mut reads[last]);
            read_tree(&forest.borrow().snapshot(), &mut reads[last]);
            shared_snapshots.lock().unwrap()[last].push((index, customers.borrow().snapshot()));
        }
    })
    .expect("workers");
    let updates = std::mem::take(&mut *updates.lock().unwrap());
    let mut reads = std::mem::take(&mut *reads.lock().unwrap());
    let snapshots = std::mem::take(&mut *snapshots.lock().unwrap());
    let (mut words, rates) = (Vec::new(), Followed::default());
    for ((parts, snapshots), read) in epochs.iter().zip(&snapshots).zip(&mut reads) {
        words.extend(parts.iter().flat_map(|facts| facts.words.iter().cloned()));
        read_fit(snapshots, &words, workers, &rates, read);
    }
    let states = accumulated(updates, epochs.len()).into_iter().zip(reads).map(|(views, read)| State { views, read });
    (states.collect(), snapshots)
}

fn read(snapshot: &Snapshot, words: &[Arc<str>], index: usize, peers: usize, read: &mut Read) {
    let is_named = |word: Word, name: &str| *words[word.0 as usize] == *name;
    let rules = &*snapshot.points;
    let customer = |number: usize, slot: usize| CustomerIx(((number * CHUNK + slot) * peers + index) as u32);
    let moment = Moment::of(snapshot.clock, snapshot.programme.window, snapshot.programme.lag);
    let cares = care::Reader::new(snapshot.programme.clone(), words.to_vec(), snapshot.clock, snapshot.catalog.clone());
    let reader = Reader::new(snapshot.programme.clone(), words.to_vec(), snapshot.clock, snapshot.catalog.clone());
    for chunk in &snapshot.chunks {
        read_reviews(&reader, chunk, &mut read.reviews);
        read_profiles(&reader, chunk, read);
    }
    // Every worker has all of them.
    let days = |(measure, days): (&Word, &Arc<BTreeMap<Day, i64>>)| {
        days.iter().map(|(day, sum)| ((*measure, *day), *sum)).collect::<Vec<_>>()
    };
    read.volumes = snapshot.volumes.iter().flat_map(days).collect();
    for (number, chunk) in snapshot.chunks.iter().enumerate() {
        read_penetration(snapshot, chunk, &mut read.penetration);
        read_goals(snapshot, chunk, &mut read.goals);
        days::days(chunk, |of, day, effect, diff| *read.effect_days.entry((of, day, effect)).or_insert(0) += diff);
        read.effect_days.retain(|_, diff| *diff != 0);
        let listed = chunk.listed();
        read.cares.extend(CareRow::of(&cares, chunk).into_iter().map(|(slot, rows)| (customer(number, slot), rows)));
        for (slot, row) in rows(chunk, &Slots::All, moment).into_iter().enumerate() {
            if listed.get(slot) {
                read.attributes.insert(customer(number, slot), row);
            }
            let own: Vec<DeedRow> = deeds(chunk, slot, &is_named).map(DeedRow::from).collect();
            if !own.is_empty() {
                read.deeds.insert(customer(number, slot), own);
            }
            read.numbers.extend(chunk.customers.numbers.get(slot).map(|token| (customer(number, slot), token)));
            let referrer = customer(number, slot);
            let referrals = referrals::rows(chunk, slot, rules, &is_named).into_iter();
            read.referrals.extend(referrals.map(|row| ReferralRow::shown(referrer, row)));
            let Some(balance) = chunk.points.get(slot).filter(|_| rules.is_there) else { continue };
            let Some(account) = account(chunk, slot, rules, snapshot.clock.now, &is_named) else { continue };
            let text = |word: Word| words[word.0 as usize].to_string();
            let shown = PointsAccount::shown(&account, balance, rules, &text);
            assert_eq!(account.lots.iter().map(|lot| lot.left).sum::<i64>(), account.spendable + account.pending);
            read.points.insert(customer(number, slot), shown);
        }
    }
}

/// Fit is read off the chunks of all workers: rates as they are summed up, and as they follow what changed.
fn read_fit(snapshots: &[(usize, Snapshot)], words: &[Arc<str>], workers: usize, kept: &Followed, read: &mut Read) {
    let Some((_, first)) = snapshots.first().filter(|(_, snapshot)| snapshot.fit.is_there) else { return };
    let chunks = || snapshots.iter().flat_map(|(_, snapshot)| &snapshot.chunks);
    let told: Vec<_> = chunks().map(|chunk| fit::summary(chunk, &first.fit, fit::closed(first.clock))).collect();
    let mut rates = Rates::default();
    told.iter().for_each(|summary| rates.add(summary, 1));
    let followed = kept.rates(chunks().map(|chunk| &**chunk), &first.fit, fit::closed(first.clock));
    assert_eq!(*followed, rates, "rates that follow changes");
    let text = |word: Word| &*words[word.0 as usize];
    let scores = Scores::new(&first.fit, &first.catalog, &rates, &text);
    for (index, snapshot) in snapshots {
        for (number, chunk) in snapshot.chunks.iter().enumerate() {
            let of = scores.of(chunk);
            for slot in (0..CHUNK).filter(|slot| chunk.class[*slot] != ABSENT) {
                let customer = CustomerIx(((number * CHUNK + slot) * workers + index) as u32);
                read.fit.insert(customer, (of.pairs(slot), of.best(slot)));
            }
        }
    }
}

fn read_reviews(reader: &Reader, chunk: &Chunk, reviews: &mut BTreeMap<(String, usize), Reviewed>) {
    for campaign in &reader.rules.programme.campaigns {
        let Some(id) = reader.word(&campaign.id) else { continue };
        let plans: Vec<_> = review::clauses(&campaign.audience).iter().map(|clause| reader.plan(clause)).collect();
        let mut reviewed = vec![Reviewed::default(); plans.len()];
        review::add(reader, chunk, id, &plans, &mut reviewed);
        for (place, of) in reviewed.into_iter().enumerate().filter(|(_, of)| *of != Reviewed::default()) {
            reviews.entry((campaign.id.clone(), place)).or_default().merge(of);
        }
    }
}

fn read_profiles(reader: &Reader, chunk: &Chunk, read: &mut Read) {
    let mut profile = Profile::of(profile::groups(&reader.rules.programme));
    profile::add(reader, chunk, &mut profile);
    for ((place, word), counts) in profile.texts {
        let text = (!word.is_null()).then(|| reader.words[word.0 as usize].to_string());
        for (group, count) in counts.into_iter().enumerate().filter(|(_, count)| *count != 0) {
            *read.shares.entry((profile::TEXTS[place].0, text.clone(), group)).or_insert(0) += count;
        }
    }
    for (of, sums) in profile::NUMBERS.iter().zip(profile.numbers) {
        for (group, (sum, number)) in sums.into_iter().enumerate().filter(|(_, (_, number))| *number != 0) {
            let held = read.sums.entry((of.0, group)).or_insert((0, 0));
            *held = (held.0 + sum, held.1 + number);
        }
    }
}

/// What is remembered is what is counted.
fn read_goals(snapshot: &Snapshot, chunk: &Chunk, read: &mut Tallied) {
    let tally = goals::tally(chunk, &snapshot.goals, snapshot.clock);
    assert_eq!(tally, goals::tally(&chunk.clone(), &snapshot.goals, snapshot.clock));
    let quantities: BTreeSet<&Quantity> = snapshot.programme.goals.iter().flat_map(Goal::quantities).collect();
    for (city, quantity) in tally.cities.keys().flat_map(|city| quantities.iter().map(move |of| (*city, *of))) {
        let place = snapshot.goals.place(quantity).expect("every quantity of a goal has a place");
        for (number, month) in tally.months.iter().enumerate() {
            let cell = read.entry((quantity.clone(), city, *month)).or_insert(0);
            *cell += tally.number(city, place, number);
        }
    }
    read.retain(|_, number| *number != 0);
}

/// What is remembered is what is counted.
fn read_penetration(snapshot: &Snapshot, chunk: &Chunk, read: &mut Penetration) {
    let users = penetration::users(chunk, &snapshot.services, snapshot.clock.as_of);
    assert_eq!(users, penetration::users(&chunk.clone(), &snapshot.services, snapshot.clock.as_of));
    for (used, counts) in &users.users {
        let places = [None].into_iter().chain((0..).map(Some));
        for (place, count) in places.zip(counts).filter(|(_, count)| **count > 0) {
            *read.entry((*used, place)).or_insert(0) += *count as usize;
        }
    }
}

/// Workers without the forest have none of it.
fn read_tree(branches: &Branches, read: &mut Read) {
    let row = |node: referrals::Node| TreeRow { direct: node.direct, total: node.total, depth: node.depth };
    read.tree.extend(branches.nodes().map(|(customer, node)| (customer, row(node))));
}

/// What stands after each epoch, from all updates. A row stands once or not at all.
fn accumulated(mut updates: Vec<Update>, epochs: usize) -> Vec<BTreeMap<Change, Diff>> {
    updates.sort_by_key(|(_, epoch, _)| *epoch);
    let mut updates = updates.into_iter().peekable();
    let mut standing: BTreeMap<Change, Diff> = BTreeMap::new();
    let at = |epoch: usize| {
        while let Some((change, _, diff)) = updates.next_if(|(_, at, _)| *at == epoch as Epoch) {
            let count = standing.entry(change).or_insert(0);
            *count += diff;
            if *count == 0 {
                standing.remove(&change);
            }
        }
        let is_negative = |(change, count): (&Change, &Diff)| *count < 0 && !change.is_sum();
        let negative: Vec<_> = standing.iter().filter(|row| is_negative(*row)).collect();
        assert!(negative.is_empty(), "negative multiplicity at epoch {epoch}: {negative:?}");
        standing.clone()
    };
    (0..epochs).map(at).collect()
}

/// The same function as a differential `reduce` over (customer, what changed last of it): the key's
/// whole state is kept by the arrangement, its rows by the reduce.
pub fn run_reduce(epochs: &[Arc<Facts>]) -> Vec<BTreeMap<Change, Diff>> {
    let epochs = epochs.to_vec();
    let updates: Arc<Mutex<Vec<Update>>> = Arc::default();
    let shared = updates.clone();
    let count = epochs.len();
    timely::execute(timely::Config::thread(), move |worker| {
        let mut input = InputSession::<Epoch, (CustomerIx, u64), Diff>::new();
        let probe = ProbeHandle::new();
        // The rows of a customer at a version: versions stand in for the facts, which have no order.
        let known: Rc<RefCell<BTreeMap<u64, Standing>>> = Rc::default();
        let looked_up = known.clone();
        worker.dataflow::<Epoch, _, _>(|scope| {
            let keep = shared.clone();
            input
                .to_collection(scope)
                .reduce(move |customer: &CustomerIx, versions: &[(&u64, Diff)], rows: &mut Vec<(Change, Diff)>| {
                    let mut views = BTreeMap::new();
                    looked_up.borrow()[versions[0].0].add_customer(*customer, &mut views);
                    rows.extend(views);
                })
                .map(|(_, change)| change)
                .inspect(move |(change, epoch, diff)| keep.lock().unwrap().push((*change, *epoch, *diff)))
                .probe_with(&probe);
        });
        let mut standing = Standing::default();
        let mut everybody: Vec<CustomerIx> = Vec::new();
        for (epoch, facts) in epochs.iter().enumerate() {
            standing.apply(facts);
            input.advance_to(epoch as Epoch);
            if epoch > 0 {
                everybody.iter().for_each(|customer| input.remove((*customer, epoch as u64 - 1)));
            }
            everybody = standing.everybody();
            everybody.iter().for_each(|customer| input.insert((*customer, epoch as u64)));
            known.borrow_mut().insert(epoch as u64, standing.clone());
            input.advance_to(epoch as Epoch + 1);
            input.flush();
            worker.step_while(|| probe.less_than(input.time()));
        }
    })
    .expect("worker");
    accumulated(std::mem::take(&mut *updates.lock().unwrap()), count)
}
