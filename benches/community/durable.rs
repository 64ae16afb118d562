//! A million members with thirty events each, on disk: what the store keeps in memory to know who holds each
//! event, how fast it is opened again, and how fast files become durable.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cohortflow::engine::Engine;
use cohortflow::ingest::{Extract, Partition};
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme::{Source, parse};
use cohortflow::serve::resident_bytes;
use cohortflow::store::directory::Directory;
use cohortflow::store::{Outcome, Store};
use dataflows::facts::EventFact;
use dataflows::records::{EventKind, Feed, MemberEventRow, Rows};
use dataflows::types::{CustomerIx, Day, Time};
use serde_json::json;

use super::Figures;
use super::members::{FILES, MEMBERS, PROGRAMME, done};

/// Events of the thirty days.
const EVENTS: f64 = MEMBERS as f64 * FILES as f64;

fn fresh(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cohortflow-bench-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn opened(path: &Path) -> Store {
    let directory = Directory::open(path).expect("a data directory");
    Store::open(Arc::new(directory.disk), directory.token_key).expect("a store")
}

fn period(day: i64) -> String {
    Day(Day::from_civil(2009, 1, 1).0 + day as i32).to_string()
}

/// The events of a day, as decoding leaves them.
fn extract(store: &Store, day: i64) -> Extract {
    let names = store.dictionary();
    let mut names = names.write();
    let row = |EventFact { at, event_id, event, customer }: EventFact| {
        let number = names.customers.intern(&format!("C{:08}", customer.0));
        MemberEventRow { event_id, customer: CustomerIx(number), at, event: event.expect("an event") }
    };
    Extract {
        file: format!("member_event_{}.csv", period(day)),
        partition: Partition { feed: Feed::MemberEvent, period: period(day), part: String::new() },
        version: 1,
        rows: Rows::MemberEvent((0..MEMBERS).map(|member| done(member, day)).map(row).collect()),
        deleted: Vec::new(),
        lines: Default::default(),
        rejects: Vec::new(),
        reasons: Default::default(),
        erased: 0,
        sha256: [day as u8; 32],
        took: Default::default(),
        warnings: Vec::new(),
    }
}

/// The store alone, from decoded rows.
pub fn index() -> Figures {
    let path = fresh("index");
    let mut store = opened(&path);
    let mut seconds = 0.0;
    let mut before = 0;
    for day in 0..FILES {
        let extract = extract(&store, day);
        let names = store.dictionary().read().extent();
        if day == 0 {
            // With the names and a day's rows, as at the end.
            before = resident_bytes().0;
        }
        let began = Instant::now();
        let outcome = store.accept(&extract, names, Time(2_000_000_000), false).expect("a store that takes rows");
        seconds += began.elapsed().as_secs_f64();
        assert!(matches!(outcome, Outcome::Accepted { .. }));
    }
    let rows = extract(&store, 0);
    let bytes = resident_bytes().0.saturating_sub(before);
    drop((rows, store));
    let began = Instant::now();
    let (mut store, mut rows) = (opened(&path), 0);
    store.hydrate(|facts| rows += facts.events.len()).expect("a store that can be read");
    let opened = began.elapsed().as_secs_f64();
    assert_eq!(rows as f64, EVENTS);
    let _ = fs::remove_dir_all(path);
    let mut figures = Figures::new();
    let mut tell = |name: &str, value: f64| figures.insert(name.to_owned(), json!(value));
    tell("store: resident bytes an event", bytes as f64 / EVENTS);
    tell("store: decoded rows made durable, rows/s", EVENTS / seconds);
    tell("store: opened again and read, s", opened);
    figures
}

/// The whole way in, from one file a day.
pub fn csv() -> Figures {
    let (input, path) = (fresh("csv-input"), fresh("csv"));
    fs::create_dir_all(&input).expect("a directory");
    for day in 0..FILES {
        let mut text = String::from("event_id,customer_id,kind,at\n");
        for EventFact { customer, at, event_id, event } in (0..MEMBERS).map(|member| done(member, day)) {
            let kind = EventKind::NAMES[event.expect("an event").kind as usize];
            let _ = writeln!(text, "{event_id},C{:08},{kind},{at}", customer.0);
        }
        fs::write(input.join(format!("member_event_{}.csv", period(day))), text).expect("the input");
    }
    let source = Source { name: "members.toml".to_owned(), text: PROGRAMME.to_owned() };
    let document = parse(vec![source]).expect("a programme");
    let store = opened(&path);
    let engine = Engine::start(1, |_| {}).expect("workers");
    let intake = Intake::begin(store, engine.hub(), |_| Ok(document), jiff::Timestamp::now).expect("a start");
    let files = landed(&input).expect("the input").files;
    let began = Instant::now();
    let taken = intake.take(files, &|_| {}, &mut |name, taken| {
        assert!(matches!(taken, Taken::Accepted { bad_rows: 0, .. }), "{}: {taken:?}", name.name);
    });
    taken.expect("a store that takes files");
    let durable = began.elapsed().as_secs_f64();
    assert!(intake.hub().settle());
    let visible = began.elapsed().as_secs_f64();
    let resident = resident_bytes().0;
    let stages = intake.stages();
    assert_eq!(stages.rows as f64, EVENTS);
    [input, path].into_iter().for_each(|path| drop(fs::remove_dir_all(path)));
    let mut figures = Figures::new();
    let mut tell = |name: &str, value: f64| figures.insert(name.to_owned(), json!(value));
    tell("CSV durable, events/s", EVENTS / durable);
    tell("CSV visible, events/s", EVENTS / visible);
    tell("CSV decode, s", stages.decode.as_secs_f64());
    tell("CSV validate, s", stages.validate.as_secs_f64());
    tell("CSV commit, s", stages.commit.as_secs_f64());
    tell("service: resident bytes a member", resident as f64 / f64::from(MEMBERS));
    figures
}
