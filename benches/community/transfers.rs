//! Transfers: points that go from hand to hand, and many hands that give to one.

use cohortflow::engine::Hub;
use cohortflow::programme::{Source, parse};
use dataflows::facts::{EventFact, Facts};
use dataflows::records::{Event, EventKind};
use dataflows::types::CustomerIx;
use serde_json::json;

use crate::Figures;
use crate::engine::{Fed, event, register, without};

/// Hands through which the points of one chain go.
const HANDS: u32 = 10_000;
/// Members who give to one.
const GIVERS: u32 = 100_000;

const PROGRAMME: &str = r#"
[[points.rule]]
id = "register"
on = "register"
points = 1
"#;

fn fed() -> Fed {
    let source = Source { name: "transfers.toml".to_owned(), text: PROGRAMME.to_owned() };
    Fed::start_with(parse(vec![source]).expect("a programme").programme)
}

fn hand(giver: u32, taker: u32, points: i64, at: i64) -> EventFact {
    let fact = event(format!("T{giver:08}"), giver, at, EventKind::Transfer, Some(CustomerIx(taker)));
    EventFact { event: fact.event.map(|event| Event { points, ..event }), ..fact }
}

fn facts(events: impl IntoIterator<Item = EventFact>) -> Facts {
    Facts { events: events.into_iter().collect(), ..Facts::default() }
}

fn balance(hub: &Hub, member: u32) -> i64 {
    let published = hub.published();
    let found = published.customer(CustomerIx(member)).and_then(|(chunk, slot)| chunk.points.get(slot));
    found.map_or(0, |balance| balance.left)
}

/// Each hands on all that he has, what he was given included: every transfer hangs on the one before.
pub fn hands() -> Figures {
    let mut fed = fed();
    fed.visible(facts((0..=HANDS).map(|member| register(member, i64::from(member)))));
    let given = |member: u32| hand(member, member + 1, i64::from(member) + 1, i64::from(HANDS + member));
    let all = fed.visible(facts((0..HANDS).map(given)));
    assert_eq!(balance(&fed.hub(), HANDS), i64::from(HANDS) + 1);
    let without_first = fed.visible(facts([without(&register(0, 0))]));
    assert_eq!(balance(&fed.hub(), HANDS), 1);
    Figures::from_iter([
        ("10,000 transfers that hang on one another, ms".to_owned(), json!(all)),
        ("the first has nothing to give after all, ms".to_owned(), json!(without_first)),
    ])
}

/// Everybody gives his point to one; then one more does, and one takes it back.
pub fn givers() -> Figures {
    let mut fed = fed();
    fed.visible(facts((0..=GIVERS + 1).map(|member| register(member, i64::from(member)))));
    let given = |member: u32| hand(member, 0, 1, i64::from(2 * GIVERS + member));
    let all = fed.visible(facts((1..=GIVERS).map(given)));
    let one = fed.visible(facts([given(GIVERS + 1)]));
    let back = fed.visible(facts([without(&given(1))]));
    assert_eq!(balance(&fed.hub(), 0), i64::from(GIVERS) + 1);
    Figures::from_iter([
        ("100,000 transfers to one member, ms".to_owned(), json!(all)),
        ("one more to him, ms".to_owned(), json!(one)),
        ("one of them taken back, ms".to_owned(), json!(back)),
    ])
}
