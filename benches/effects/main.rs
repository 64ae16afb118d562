//! Figures of effects and fit: a million customers, five hundred campaigns, four contacts a customer; on disk, as in
//! the service.
//!
//! `cargo bench --bench effects`; each run is a process of its own, and the median of `--runs` (default 3) is told.

#[path = "../common/mod.rs"]
mod common;
mod province;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cohortflow::engine::Engine;
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme::{Source, parse};
use cohortflow::query::fit::Fit;
use cohortflow::query::sight::Sight;
use cohortflow::query::{rows, view};
use cohortflow::serve::resident_bytes;
use cohortflow::store::Store;
use cohortflow::store::StoreError;
use cohortflow::store::directory::Directory;
use dataflows::types::CustomerIx;
use parking_lot::Mutex;
use serde_json::{Value, json};

use common::Figures;

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Single orders, and customers whose fit is asked, one after the other.
const SINGLE: usize = 1_000;

/// What effects are told by.
const EFFECTS: [&str; 10] = [
    "effect",
    "effect_by",
    "effect_rate",
    "effect_uplift",
    "effect_reach",
    "effect_revenue",
    "satisfaction",
    "complaint_count",
    "channel_workload",
    "penetration",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|argument| argument == "--child") {
        println!("{}", Value::Object(effects(common::number(&arguments, "--workers").unwrap_or(1))));
        return;
    }
    let [runs, workers] =
        [("--runs", 3), ("--workers", 1)].map(|(option, none)| common::number(&arguments, option).unwrap_or(none));
    println!("{workers} workers, median of {runs}");
    let mut all = Figures::new();
    common::ask("effects", &["--workers".to_owned(), workers.to_string()], runs, &mut all);
    println!("{}", Value::Object(all));
}

/// Times from durable to visible of the epochs so far.
type Seen = Arc<Mutex<Vec<Duration>>>;

struct Service {
    intake: Intake,
    seen: Seen,
}

impl Service {
    fn take(&self, input: &std::path::Path) {
        let files = landed(input).expect("the input").files;
        let taken = self.intake.take(files, &|_| {}, &mut |name, taken| {
            assert!(matches!(taken, Taken::Accepted { bad_rows: 0, .. }), "{}: {taken:?}", name.name);
        });
        taken.expect("a store that takes files");
    }

    /// Milliseconds from durable to visible of what is taken: of the file that waits longest, for those before it too.
    fn visible(&self, input: &std::path::Path) -> f64 {
        self.seen.lock().clear();
        self.take(input);
        assert!(self.intake.hub().settle());
        self.seen.lock().iter().max().expect("an epoch").as_secs_f64() * 1e3
    }

    /// Milliseconds to read views whole, and rows in them.
    fn read(&self, views: &[&str]) -> (f64, usize) {
        let reading = self.intake.readings().reading(Sight::everything());
        let (began, mut count) = (Instant::now(), 0);
        for name in views {
            let read = rows::<Failed>(view(name).expect("a view"), reading.sources(), &mut |row| {
                count += 1;
                black_box(row);
                Ok(())
            });
            assert!(read.is_ok(), "{name}");
        }
        (began.elapsed().as_secs_f64() * 1e3, count)
    }

    /// Milliseconds to score somebody.
    fn fit(&self, customer: CustomerIx) -> f64 {
        let began = Instant::now();
        let names = self.intake.names().read().names();
        let (published, document) = (self.intake.hub().published(), self.intake.document());
        black_box(Fit::new(&published, &names, &document).pairs(customer));
        began.elapsed().as_secs_f64() * 1e3
    }
}

/// Nothing fails that is read from memory.
struct Failed;

impl From<StoreError> for Failed {
    fn from(_: StoreError) -> Failed {
        Failed
    }
}

fn effects(workers: usize) -> Figures {
    let home = tempfile::tempdir().expect("a directory");
    let at = |name: &str| home.path().join(name);
    province::write(home.path());
    let directory = Directory::open(&at("data")).expect("a data directory");
    let store = Store::open(Arc::new(directory.disk), directory.token_key).expect("a store");
    let seen = Seen::default();
    let observed = seen.clone();
    let engine = Engine::start(workers, move |latency| observed.lock().push(latency)).expect("workers");
    let source = Source { name: "effects.toml".to_owned(), text: province::programme() };
    let document = parse(vec![source]).expect("a programme");
    let intake = Intake::begin(store, engine.hub(), |_| Ok(document), jiff::Timestamp::now).expect("a start");
    let service = Service { intake, seen };
    service.visible(&at("first"));

    let mut figures = Figures::new();
    let mut tell = |name: &str, value: f64| figures.insert(name.to_owned(), json!(value));
    let before = resident_bytes().0;
    tell("4,000,000 contacts loaded, s", service.visible(&at("contacts")) / 1e3);
    tell("resident bytes a contact", (resident_bytes().0 - before) as f64 / province::CONTACTS as f64);
    tell("100,000 contacts and feedback visible, ms", service.visible(&at("batch")));
    let (read, count) = service.read(&EFFECTS);
    tell("all effect views read whole, ms", read);
    tell("rows in them", count as f64);
    let mut single: Vec<(f64, f64)> = (0..SINGLE)
        .map(|number| {
            let visible = service.visible(&province::order(home.path(), number));
            (visible, service.read(&["effect", "effect_rate", "penetration"]).0)
        })
        .collect();
    single.sort_by(|one, other| one.0.total_cmp(&other.0));
    tell("one order and its feedback visible, p50, ms", single[SINGLE / 2].0);
    tell("one order and its feedback visible, p99, ms", single[SINGLE * 99 / 100].0);
    single.sort_by(|one, other| one.1.total_cmp(&other.1));
    tell("effect, effect_rate and penetration read after it, p50, ms", single[SINGLE / 2].1);
    tell("effect, effect_rate and penetration read after it, p99, ms", single[SINGLE * 99 / 100].1);
    tell("month close of everybody, ms", service.visible(&at("close")));
    tell("rates of fit after it, ms", service.fit(CustomerIx(0)));
    let began = Instant::now();
    let names = service.intake.names().read().names();
    let (published, document) = (service.intake.hub().published(), service.intake.document());
    let found = AtomicUsize::new(0);
    Fit::new(&published, &names, &document).best_of_everybody(|_, best| {
        found.fetch_add(black_box(best).len(), Ordering::Relaxed);
    });
    assert_eq!(found.into_inner(), 5_000_000);
    tell("best five of 1,000,000 after it, s", began.elapsed().as_secs_f64());
    let mut one: Vec<f64> = (0..SINGLE).map(|number| service.fit(CustomerIx(number as u32 * 997))).collect();
    one.sort_by(f64::total_cmp);
    tell("fit of one customer over all, p50, ms", one[SINGLE / 2]);
    tell("fit of one customer over all, p99, ms", one[SINGLE * 99 / 100]);
    figures
}
