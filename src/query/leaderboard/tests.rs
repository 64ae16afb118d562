//! Lookups set against plain loops over everybody, while the population changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use dataflows::facts::{AdjustmentFact, EventFact, Facts};
use dataflows::programme::{Programme, Rank};
use dataflows::records::{Customer, Event, EventKind};
use dataflows::types::{Clock, CustomerIx, Time, Word};
use fastrand::Rng;

use super::*;
use crate::engine::Engine;
use crate::store::Dictionary;

/// What is known of somebody: his city, his balance, whether he is a member.
type Somebody = (Option<&'static str>, i64, bool);

const CITIES: [Option<&str>; 4] = [None, Some("Dalian"), Some("大连"), Some("Shenzhen")];

/// An engine and a dictionary that are told of people, and the people.
struct Community {
    engine: Engine,
    dictionary: Dictionary,
    words: usize,
    epoch: u64,
    people: BTreeMap<String, Somebody>,
    events: u32,
}

impl Community {
    fn new(workers: usize) -> Community {
        let mut dictionary = Dictionary::new([0; 32]);
        let ranks = [("private", i64::MIN), ("sergeant", 3)].map(|(id, from)| Rank { id: id.to_owned(), from });
        for rank in &ranks {
            dictionary.words.intern(&rank.id);
        }
        let programme = Programme { points: Some(Vec::new()), ranks: ranks.into(), ..Programme::default() };
        let engine = Engine::start(workers, |_| ()).expect("workers");
        let mut community = Community { engine, dictionary, words: 0, epoch: 0, people: BTreeMap::new(), events: 0 };
        let clock = Some(Clock { as_of: None, now: Some(Time(0)) });
        community.tell(Facts { clock, programme: Some(Arc::new(programme)), ..Facts::default() });
        community
    }

    fn tell(&mut self, mut facts: Facts) {
        let words = self.dictionary.words.len();
        facts.words = self.dictionary.words_from(self.words, words);
        (self.words, self.epoch) = (words, self.epoch + 1);
        self.engine.hub().submit(self.epoch, facts, Instant::now());
        assert!(self.engine.hub().wait(self.epoch));
    }

    fn event(&mut self, customer: CustomerIx, kind: EventKind) -> EventFact {
        self.events += 1;
        let event = Event {
            kind,
            product: Word::NULL,
            other: None,
            result: None,
            detail: Word::NULL,
            channel: Word::NULL,
            points: 0,
        };
        let event_id = format!("e{:08}", self.events).into();
        EventFact { customer, at: Time(i64::from(self.events)), event_id, event: Some(event) }
    }

    /// Tells of somebody: comes to be what is said of him, whatever he was.
    fn tell_of(&mut self, id: &str, (city, balance, member): Somebody, facts: &mut Facts) {
        let customer = CustomerIx(self.dictionary.customers.intern(id));
        let (_, had, was_member) = self.people.get(id).copied().unwrap_or_default();
        let word = city.map_or(Word::NULL, |city| Word(self.dictionary.words.intern(city)));
        facts.customers.push((customer, Some(Customer { city: word, ..Customer::default() })));
        let mut had = had;
        if was_member && !member {
            had = 0;
            facts.events.push(self.event(customer, EventKind::Deregister));
        } else if member && !was_member {
            facts.events.push(self.event(customer, EventKind::Register));
        }
        self.events += 1;
        facts.adjustments.push(AdjustmentFact {
            customer,
            at: Time(i64::from(self.events)),
            adjustment_id: format!("a{:08}", self.events).into(),
            points: Some(balance - had),
        });
        self.people.insert(id.to_owned(), (city, balance, member));
    }

    fn look(&self, leaderboard: &Leaderboard, id: &str, neighbours: usize) -> Option<Standing> {
        let customer = CustomerIx(self.dictionary.customers.find(id)?);
        leaderboard.standing(&self.engine.hub().published(), &self.dictionary.names(), customer, neighbours)
    }

    /// The same by sorting everybody.
    fn expected(&self, id: &str, neighbours: usize) -> Option<Standing> {
        let (city, balance, member) = self.people.get(id).copied()?;
        let place = |is_in: &dyn Fn(&Somebody) -> bool| {
            let mut board: Vec<(i64, &str)> = self
                .people
                .iter()
                .filter(|(_, somebody)| somebody.2 && is_in(somebody))
                .map(|(id, (_, balance, _))| (*balance, &**id))
                .collect();
            board.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.as_bytes().cmp(other.1.as_bytes())));
            let position = |balance: i64| 1 + board.iter().filter(|(held, _)| *held > balance).count();
            let neighbour = |(balance, id): &(i64, &str)| Neighbour {
                customer_id: (*id).to_owned(),
                position: position(*balance),
                balance: *balance,
            };
            let own = board.iter().position(|(_, other)| *other == id).expect("a member is on the board");
            Place {
                position: position(balance),
                tied: board.iter().filter(|(held, _)| *held == balance).count() - 1,
                members: board.len(),
                above: board[own.saturating_sub(neighbours)..own].iter().map(neighbour).collect(),
                below: board[own + 1..].iter().take(neighbours).map(neighbour).collect(),
            }
        };
        member.then(|| Standing {
            customer_id: id.to_owned(),
            epoch: self.epoch,
            city: city.map(str::to_owned),
            balance,
            rank: Some(if balance >= 3 { "sergeant" } else { "private" }.to_owned()),
            in_province: place(&|_| true),
            in_city: place(&|(other, ..)| *other == city),
        })
    }
}

/// Ids that share their beginnings, are each other's, differ far behind, or have nothing in common.
fn id(rng: &mut Rng, number: u32) -> String {
    match rng.u32(0..8) {
        0 => format!("{number}"),
        1 => format!("客户{number}"),
        2 => format!("C0000000{}-{number:05}", rng.u32(0..2)),
        3 => format!("C0000000{}-a long way behind what tells ids apart-{number}", rng.u32(0..2)),
        _ => format!("C{number:08}"),
    }
}

fn somebody(rng: &mut Rng, spread: i64) -> Somebody {
    let balance = if rng.u32(0..200) == 0 { rng.i64(-(1 << 40)..1 << 40) } else { rng.i64(-2..spread) };
    (CITIES[rng.usize(0..CITIES.len())], balance, rng.u32(0..4) > 0)
}

#[test]
fn a_standing_is_what_sorting_everybody_gives() {
    for (seed, workers, people, spread) in [(1, 1, 5_000, 4), (2, 2, 9_000, 10_000), (3, 1, 30, 3), (4, 3, 4_000, -1)] {
        let mut rng = Rng::with_seed(seed);
        let mut community = Community::new(workers);
        let leaderboard = Leaderboard::default();
        let mut ids: Vec<String> = Vec::new();
        for epoch in 0..6 {
            let (coming, changing) = if epoch == 0 { (people, 0) } else { (rng.usize(0..40), rng.usize(0..30)) };
            let mut facts = Facts::default();
            for _ in 0..coming {
                ids.push(id(&mut rng, ids.len() as u32));
            }
            let mut told: Vec<String> = ids[ids.len() - coming..].to_vec();
            told.extend((0..changing).map(|_| ids[rng.usize(0..ids.len())].clone()));
            told.sort_unstable();
            told.dedup();
            for id in &told {
                community.tell_of(id, somebody(&mut rng, spread), &mut facts);
            }
            community.tell(facts);
            for _ in 0..25 {
                let (id, neighbours) = (&ids[rng.usize(0..ids.len())], rng.usize(0..8));
                let told = community.look(&leaderboard, id, neighbours);
                assert_eq!(told, community.expected(id, neighbours), "seed {seed}, epoch {epoch}, {id}");
            }
        }
    }
}

#[test]
fn only_members_stand_anywhere_and_only_where_there_are_points() {
    let mut community = Community::new(1);
    let leaderboard = Leaderboard::default();
    let mut facts = Facts::default();
    community.tell_of("a", (None, 5, true), &mut facts);
    community.tell_of("b", (None, 9, false), &mut facts);
    community.tell(facts);
    let alone = community.look(&leaderboard, "a", 50).expect("a member");
    assert_eq!((alone.in_province.position, alone.in_province.members, alone.in_city.tied), (1, 1, 0));
    assert_eq!((community.look(&leaderboard, "b", 3), community.look(&leaderboard, "c", 3)), (None, None));
    community.tell(Facts { programme: Some(Arc::default()), ..Facts::default() });
    assert_eq!(community.look(&leaderboard, "a", 3), None);
}
