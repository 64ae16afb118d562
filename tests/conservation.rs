//! Points are conserved whenever somebody looks: a reader who never stops sees every set of views add up,
//! while events, corrections, redemptions and expiries race.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use cohortflow::engine::{Engine, Published};
use cohortflow::programme::{Source, parse};
use dataflows::facts::{AdjustmentFact, EventFact, Facts};
use dataflows::records::{Event, EventKind};
use dataflows::types::{Clock, CustomerIx, Day, Time, Word};
use fastrand::Rng;

const PROGRAMME: &str = r#"
[settings]
negative_balance = "NEGATIVE"
[[points.rule]]
id = "register"
on = "register"
points = 20
pending_days = 3
[[points.rule]]
id = "login"
on = "login"
points = 5
expires_after = 1
daily_cap = 12
"#;

const CUSTOMERS: u32 = 5_000;
const EPOCHS: u64 = 300;

/// What is looked at, and the books that do not balance.
fn look(published: &Published) -> Result<(), String> {
    let mut members = 0;
    for (chunk, _) in published.chunks() {
        for balance in chunk.points.present.slots().filter_map(|slot| chunk.points.get(slot)) {
            if balance.left != balance.accounted() {
                return Err(format!("epoch {}: {balance:?}", published.epoch));
            }
            members += i128::from(balance.left);
        }
    }
    let books = published.books;
    let balance = books.imbalance() == 0 && books.members == members;
    if balance { Ok(()) } else { Err(format!("epoch {}: {books:?}, members hold {members}", published.epoch)) }
}

fn time(rng: &mut Rng) -> Time {
    Time(Day::from_civil(2009, 1, 1).start().0 + rng.i64(0..90) * 86_400 + rng.i64(0..3) * 3_600)
}

/// A few hundred events and adjustments that come, change or go; time goes on, and now and then back.
fn facts(rng: &mut Rng) -> Facts {
    let customer = |rng: &mut Rng| CustomerIx(rng.u32(0..CUSTOMERS));
    let events = (0..400).map(|_| {
        let kinds = [EventKind::Register, EventKind::Login, EventKind::Login, EventKind::Redeem, EventKind::Deregister];
        let event = Event {
            kind: kinds[rng.usize(0..kinds.len())],
            product: Word::NULL,
            other: None,
            result: [None, None, Some(true), Some(false)][rng.usize(0..4)],
            detail: Word::NULL,
            channel: Word::NULL,
            points: rng.i64(0..20),
        };
        let (customer, at, id) = (customer(rng), time(rng), format!("e{}", rng.u8(0..4)));
        EventFact { customer, at, event_id: id.into(), event: (rng.u8(0..4) != 0).then_some(event) }
    });
    let events = events.collect();
    let adjustments = (0..40).map(|_| AdjustmentFact {
        customer: customer(rng),
        at: time(rng),
        adjustment_id: format!("a{}", rng.u8(0..3)).into(),
        points: (rng.u8(0..3) != 0).then(|| rng.i64(-30..30)),
    });
    let adjustments = adjustments.collect();
    let clock = Some(Clock { as_of: None, now: Some(time(rng)) });
    Facts { events, adjustments, clock, ..Facts::default() }
}

#[test]
fn points_are_conserved_in_every_set_of_views_that_is_ever_seen() {
    for (seed, negative) in (1..).zip(["allow_negative", "claw_back_next", "write_off"]) {
        let text = PROGRAMME.replace("NEGATIVE", negative);
        let programme = parse(vec![Source { name: "p.toml".to_owned(), text }]).expect("a programme").programme;
        let engine = Engine::start(2, |_| ()).expect("workers");
        let hub = engine.hub();
        let is_over = AtomicBool::new(false);
        let looked = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = 0;
                while !is_over.load(Ordering::Acquire) {
                    look(&hub.published())?;
                    seen += 1;
                }
                look(&hub.published()).map(|()| seen + 1)
            });
            let words = ["".into()].into_iter().chain(programme.names()).map(Arc::from).collect();
            let first = Facts { words, programme: Some(Arc::new(programme.clone())), ..Facts::default() };
            hub.submit(1, first, Instant::now());
            let mut rng = Rng::with_seed(seed);
            for epoch in 2..EPOCHS {
                hub.submit(epoch, facts(&mut rng), Instant::now());
                assert!(hub.wait(epoch), "a worker failed");
            }
            is_over.store(true, Ordering::Release);
            reader.join().expect("a reader")
        });
        let seen: u64 = looked.unwrap_or_else(|wrong| panic!("{negative}: {wrong}"));
        let books = hub.published().books;
        // What never moved would be conserved too.
        let moved = [books.issued, books.redeemed, books.expired, books.forfeited, books.adjusted];
        assert!(seen > EPOCHS / 10 && moved.iter().all(|points| *points != 0), "{negative}: {seen}, {books:?}");
    }
}
