//! The leaderboard: a member's place among a million, quiet and while balances change.

use std::time::Instant;

use cohortflow::query::leaderboard::{Leaderboard, NEIGHBOURS_DEFAULT};
use cohortflow::store::{Dictionary, Names};
use dataflows::facts::{AdjustmentFact, Facts};
use dataflows::records::Customer;
use dataflows::types::{CustomerIx, Word};
use fastrand::Rng;
use serde_json::json;

use crate::Figures;
use crate::engine::{Fed, percentile, register, second};

/// Members, and how many of them have the same balance.
const MEMBERS: u32 = 1_000_000;
const TIED: u32 = 300_000;
/// Cities that they live in.
const CITIES: u32 = 20;
/// Lookups of one kind that are timed.
const LOOKUPS: u32 = 2_000;

/// Ids in the order in which they came, and in none.
pub fn standing() -> Figures {
    let mut figures = Figures::new();
    for (ids, is_mixed) in [("ordered", false), ("mixed", true)] {
        ask(ids, is_mixed, &mut figures);
    }
    figures
}

fn names(is_mixed: bool) -> Names {
    let mut dictionary = Dictionary::new([0; 32]);
    for member in 0..MEMBERS {
        // A prime that shares nothing with their number: each of them once.
        let number = if is_mixed { (u64::from(member) * 611_953 % u64::from(MEMBERS)) as u32 } else { member };
        dictionary.customers.intern(&format!("C{number:08}"));
    }
    dictionary.names()
}

fn adjustment(member: u32, points: i64, at: i64) -> AdjustmentFact {
    let adjustment_id = format!("A{at:012}").into();
    AdjustmentFact { customer: CustomerIx(member), at: second(at), adjustment_id, points: Some(points) }
}

fn ask(ids: &str, is_mixed: bool, figures: &mut Figures) {
    let (mut rng, mut fed, names) = (Rng::with_seed(7), Fed::start(), names(is_mixed));
    let words = (1..=CITIES).map(|city| format!("city {city}").into()).collect();
    let customers = (0..MEMBERS).map(|member| {
        let city = Word(rng.u32(1..=CITIES));
        (CustomerIx(member), Some(Customer { city, ..Customer::default() }))
    });
    fed.visible(Facts { words, customers: customers.collect(), ..Facts::default() });
    fed.load((0..MEMBERS).map(|member| register(member, i64::from(member))).collect());
    let balance = |member: u32, rng: &mut Rng| if member % MEMBERS < TIED { 5 } else { rng.i64(0..20_000) };
    let spread =
        (0..MEMBERS).map(|member| adjustment(member, balance(member * 7 % MEMBERS, &mut rng), i64::from(member)));
    fed.visible(Facts { adjustments: spread.collect(), ..Facts::default() });

    let (leaderboard, hub) = (Leaderboard::default(), fed.hub());
    let look = |member: u32| {
        let began = Instant::now();
        let standing = leaderboard.standing(&hub.published(), &names, CustomerIx(member), NEIGHBOURS_DEFAULT);
        let took = began.elapsed().as_secs_f64() * 1e3;
        (took, standing.expect("a member"))
    };
    figures.insert(format!("standing_1m_{ids}_first_ms"), json!(look(0).0));
    let (mut quiet, mut tied, mut changed, mut visible) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while tied.len() < LOOKUPS as usize {
        let (took, standing) = look(rng.u32(0..MEMBERS));
        assert_eq!(standing.in_province.members, MEMBERS as usize);
        quiet.push(took);
        if standing.in_province.tied > TIED as usize / 2 {
            tied.push(took);
        }
    }
    for change in 0..LOOKUPS {
        let fact = adjustment(rng.u32(0..MEMBERS), 1, i64::from(MEMBERS + change));
        visible.push(fed.visible(Facts { adjustments: vec![fact], ..Facts::default() }));
        changed.push(look(rng.u32(0..MEMBERS)).0);
    }
    for (name, times) in [("", &mut quiet), ("_tied", &mut tied), ("_after_a_change", &mut changed)] {
        for (share, of) in [("p50", 0.5), ("p99", 0.99)] {
            figures.insert(format!("standing_1m_{ids}{name}_ms_{share}"), json!(percentile(times, of)));
        }
    }
    figures.insert(format!("standing_1m_{ids}_change_visible_ms_p50"), json!(percentile(&mut visible, 0.5)));
}
