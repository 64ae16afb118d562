//! An engine that is fed facts, without a store: what is measured is from submitted to visible.

use std::sync::Arc;
use std::time::Instant;

use cohortflow::engine::{Engine, Hub};
use dataflows::facts::{EventFact, Facts};
use dataflows::programme::Programme;
use dataflows::records::{Event, EventKind};
use dataflows::types::{Clock, CustomerIx, Day, Time, Word};

/// Events of a part of an epoch, as the store cuts files.
const PART_EVENTS: usize = 100_000;

pub struct Fed {
    engine: Engine,
    epoch: u64,
}

impl Fed {
    /// One worker, an empty programme, the vocabulary of nulls.
    pub fn start() -> Fed {
        Fed::start_with(Programme { points: Some(Vec::new()), ..Programme::default() })
    }

    /// One worker, a programme, and its vocabulary. Entries that change are noted, as in a service.
    pub fn start_with(programme: Programme) -> Fed {
        let mut fed = Fed { engine: Engine::start(1, |_| ()).expect("workers"), epoch: 0 };
        fed.hub().note_entries();
        let clock = Clock { as_of: None, now: Some(second(0)) };
        let words = ["".into()].into_iter().chain(programme.names()).map(Arc::from).collect();
        let programme = Some(Arc::new(programme));
        fed.visible(Facts { words, clock: Some(clock), programme, ..Facts::default() });
        fed
    }

    pub fn hub(&self) -> Arc<Hub> {
        self.engine.hub()
    }

    /// Milliseconds until an epoch of these facts is visible.
    pub fn visible(&mut self, facts: Facts) -> f64 {
        self.epoch += 1;
        let hub = self.hub();
        hub.expect(facts.len());
        let began = Instant::now();
        hub.submit(self.epoch, facts, began);
        assert!(hub.wait(self.epoch));
        began.elapsed().as_secs_f64() * 1e3
    }

    /// Seconds until all events are visible, handed over in parts.
    pub fn load(&mut self, events: Vec<EventFact>) -> f64 {
        let hub = self.hub();
        let began = Instant::now();
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            self.epoch += 1;
            let part: Vec<EventFact> = events.by_ref().take(PART_EVENTS).collect();
            hub.submit(self.epoch, Facts { events: part, ..Facts::default() }, began);
        }
        assert!(hub.wait(self.epoch));
        began.elapsed().as_secs_f64()
    }
}

/// A second of the community's life.
pub fn second(second: i64) -> Time {
    Time(Day::from_civil(2009, 1, 1).start().0 + second)
}

pub fn register(customer: u32, at: i64) -> EventFact {
    event(format!("R{customer:08}"), customer, at, EventKind::Register, None)
}

/// A referral that succeeded. One customer is referred by one other at one second once.
pub fn refer(referrer: u32, referred: u32, at: i64) -> EventFact {
    event(format!("F{referrer:08}{referred:08}"), referrer, at, EventKind::Refer, Some(CustomerIx(referred)))
}

/// The same taken back.
pub fn without(fact: &EventFact) -> EventFact {
    EventFact { event: None, ..fact.clone() }
}

pub fn event(event_id: String, customer: u32, at: i64, kind: EventKind, other: Option<CustomerIx>) -> EventFact {
    let result = (kind == EventKind::Refer).then_some(true);
    let event = Event { kind, product: Word::NULL, other, result, detail: Word::NULL, channel: Word::NULL, points: 0 };
    EventFact { customer: CustomerIx(customer), at: second(at), event_id: event_id.into(), event: Some(event) }
}

pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}
