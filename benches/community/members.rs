//! A million members with thirty events each: how fast they load, what one keeps in memory, and how
//! soon one event, and the retraction of ten thousand, are visible.

use std::time::Instant;

use cohortflow::programme::{Source, parse};
use cohortflow::serve::resident_bytes;
use dataflows::facts::{EventFact, Facts};
use dataflows::records::EventKind;
use serde_json::json;

use super::Figures;
use super::engine::{Fed, event, percentile, without};

pub const MEMBERS: u32 = 1_000_000;
/// Events of a member: one in each file, as files of a day bring them.
pub const FILES: i64 = 30;
const DAY: i64 = 86_400;

pub const PROGRAMME: &str = r#"
[[points.rule]]
id = "register"
on = "register"
points = 20
[[points.rule]]
id = "login"
on = "login"
points = 2
daily_cap = 5
[[points.rule]]
id = "refer"
on = "refer"
points = 5
daily_people = 5
[[points.rule]]
id = "opinion"
on = "opinion"
points = 2
daily_limit = 2
[[rank]]
id = "private"
from = 0
[[rank]]
id = "first"
from = 51
"#;

/// What a member does on a day.
pub fn done(member: u32, day: i64) -> EventFact {
    let kind = match day {
        0 => EventKind::Register,
        day if day % 7 == 3 => EventKind::Opinion,
        day if day % 5 == 4 => EventKind::Visit,
        _ => EventKind::Login,
    };
    let at = day * DAY + i64::from(member.wrapping_mul(2_654_435_761) % 86_400);
    event(format!("E{day:02}{member:07}"), member, at, kind, None)
}

pub fn members() -> Figures {
    let source = Source { name: "members.toml".to_owned(), text: PROGRAMME.to_owned() };
    let mut fed = Fed::start_with(parse(vec![source]).expect("a programme").programme);
    let before = resident_bytes().0;
    let mut seconds = 0.0;
    for day in 0..FILES {
        let events: Vec<EventFact> = (0..MEMBERS).map(|member| done(member, day)).collect();
        let began = Instant::now();
        fed.visible(Facts { events, ..Facts::default() });
        seconds += began.elapsed().as_secs_f64();
    }
    let bytes = resident_bytes().0 - before;

    let one = |fed: &mut Fed, fact: EventFact| fed.visible(Facts { events: vec![fact], ..Facts::default() });
    let late = |place: u32| {
        let member = place.wrapping_mul(7_919) % MEMBERS;
        event(format!("L{place}"), member, 12 * DAY + i64::from(place), EventKind::Login, None)
    };
    // The first five hundred warm up.
    let mut times: Vec<f64> = (0..4_500).map(|place| one(&mut fed, late(place))).skip(500).collect();
    let retracted = (0..10_000u32).map(|place| without(&done(place * 97 % MEMBERS, 12))).collect();
    let retracted = fed.visible(Facts { events: retracted, ..Facts::default() });

    let mut figures = Figures::new();
    let mut tell = |name: &str, value: f64| figures.insert(name.to_owned(), json!(value));
    tell("load of 1M members x 30 events, rows/s", f64::from(MEMBERS) * FILES as f64 / seconds);
    tell("resident bytes a member", bytes as f64 / f64::from(MEMBERS));
    tell("one late event p50, ms", percentile(&mut times, 0.5));
    tell("one late event p99, ms", percentile(&mut times, 0.99));
    tell("10,000 events retracted, ms", retracted);
    figures
}
