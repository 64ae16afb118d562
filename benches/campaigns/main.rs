//! Campaigns' figures: a million customers on the lists of twenty running campaigns, on disk, as in the service.
//!
//! `cargo bench --bench campaigns`; each run is a process of its own, and the median of `--runs` (default 3) is told.

#[path = "../common/mod.rs"]
mod common;
mod province;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cohortflow::engine::Engine;
use cohortflow::handoff::{Answer, Handoffs, Request};
use cohortflow::intake::edits::{Edit, Edited, OptOut, Request as Asked};
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme::{Document, Source, parse};
use cohortflow::store::Store;
use cohortflow::store::directory::Directory;
use parking_lot::Mutex;
use serde_json::{Value, json};

use common::Figures;

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Opt-outs measured, one after the other.
const OPT_OUTS: usize = 1_000;
/// Contacts released.
const CONTACTS: usize = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|argument| argument == "--child") {
        println!("{}", Value::Object(campaigns(common::number(&arguments, "--workers").unwrap_or(1))));
        return;
    }
    let [runs, workers] =
        [("--runs", 3), ("--workers", 1)].map(|(option, none)| common::number(&arguments, option).unwrap_or(none));
    println!("{workers} workers, median of {runs}");
    let mut all = Figures::new();
    common::ask("campaigns", &["--workers".to_owned(), workers.to_string()], runs, &mut all);
    println!("{}", Value::Object(all));
}

fn document(campaigns: usize) -> Document {
    let source = Source { name: "campaigns.toml".to_owned(), text: province::programme(campaigns) };
    parse(vec![source]).expect("a programme")
}

/// Times from durable to visible of the epochs so far.
type Seen = Arc<Mutex<Vec<Duration>>>;

/// Milliseconds from durable to visible of what happened meanwhile.
fn visible(seen: &Seen, intake: &Intake, happen: impl FnOnce()) -> f64 {
    seen.lock().clear();
    happen();
    assert!(intake.hub().settle());
    seen.lock().iter().max().expect("an epoch").as_secs_f64() * 1e3
}

fn take(intake: &Intake, input: &std::path::Path) {
    let files = landed(input).expect("the input").files;
    let taken = intake.take(files, &|_| {}, &mut |name, taken| {
        assert!(matches!(taken, Taken::Accepted { bad_rows: 0, .. }), "{}: {taken:?}", name.name);
    });
    taken.expect("a store that takes files");
}

fn campaigns(workers: usize) -> Figures {
    let home = tempfile::tempdir().expect("a directory");
    let [first, close] = ["first", "close"].map(|name| home.path().join(name));
    province::write(&first, &close);
    let directory = Directory::open(&home.path().join("data")).expect("a data directory");
    let store = Store::open(Arc::new(directory.disk), directory.token_key).expect("a store");
    let seen = Seen::default();
    let observed = seen.clone();
    let engine = Engine::start(workers, move |latency| observed.lock().push(latency)).expect("workers");
    let begun = Intake::begin(store, engine.hub(), |_| Ok(document(20)), jiff::Timestamp::now);
    let mut intake = begun.expect("a start");
    let handoffs =
        Handoffs::open(&home.path().join("outbox"), &home.path().join("handed"), "bench").expect("an outbox");
    handoffs.waiting.set(Default::default());
    intake.hand_off_through(handoffs).expect("an outbox that fits");
    take(&intake, &first);
    assert!(intake.hub().settle());

    let mut figures = Figures::new();
    let mut tell = |name: &str, value: f64| figures.insert(name.to_owned(), json!(value));
    let mut times: Vec<f64> = (0..OPT_OUTS)
        .map(|number| {
            let out = OptOut { customer: province::customer(number * 997), campaign: None, channel: None };
            let asked = Asked { edit: &Edit::OptOut(out), by: "bench", reason: "stop", key: None, body: b"" };
            visible(&seen, &intake, || {
                let edited = intake.edit(&asked).expect("a store that takes edits");
                assert!(matches!(edited, Edited::Done { .. }));
            })
        })
        .collect();
    times.sort_by(f64::total_cmp);
    tell("an opt-out leaves every list, p50, ms", times[OPT_OUTS / 2]);
    tell("an opt-out leaves every list, p99, ms", times[OPT_OUTS * 99 / 100]);
    tell(
        "a new campaign listed, ms",
        visible(&seen, &intake, || {
            intake.publish_alone(document(21)).expect("a store that takes programmes").expect("workers");
        }),
    );
    let listed: isize = intake.hub().published().counts().map(|(cell, count)| count * target(cell)).sum();
    tell("targets of all campaigns", listed as f64);
    tell("targets after a month close of everybody, ms", visible(&seen, &intake, || take(&intake, &close)));
    let request = Request { campaign: "k00", limit: Some(CONTACTS), is_dry: false, is_trial: false };
    let began = Instant::now();
    let Answer::Released(released) = intake.release(&request).expect("a store that takes hand-offs") else {
        panic!("nothing was released");
    };
    tell("100,000 contacts released, s", began.elapsed().as_secs_f64());
    assert_eq!(released.handed_off, CONTACTS);
    figures
}

fn target(cell: dataflows::views::Change) -> isize {
    isize::from(matches!(cell, dataflows::views::Change::TargetCount { .. }))
}
