//! Undo: a file is corrected to what stood before it, of every feed, shown before it is done, and for good.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cohortflow::engine::Engine;
use cohortflow::generate::{Settings, Telling, World};
use cohortflow::ingest::names::FileName;
use cohortflow::intake::receipts::Receipt as Noted;
use cohortflow::intake::undo::{Answer, Undo};
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme;
use cohortflow::query::receipt::{Receipt, receipt};
use cohortflow::query::sight::Sight;
use cohortflow::query::{Reading, Sources, VIEWS, rows};
use cohortflow::store::memory::{Loss, Memory};
use cohortflow::store::undo::Refused;
use cohortflow::store::{Status, Store, StoreError};
use cohortflow::verify;
use dataflows::types::Month;

/// Every view as text; without what tells how it came to be.
type Views = BTreeMap<&'static str, Vec<String>>;

struct Service {
    intake: Intake,
    _engine: Engine,
}

impl Service {
    fn open(memory: &Memory) -> Service {
        let store = Store::open(Arc::new(memory.clone()), [7; 32]).expect("the store opens");
        let engine = Engine::start(2, |_| {}).expect("the workers start");
        let reference = |_: Option<&[cohortflow::store::Source]>| {
            programme::parse(programme::reference()).map_err(|_| anyhow::anyhow!("refused"))
        };
        let intake = Intake::begin(store, engine.hub(), reference, jiff::Timestamp::now).expect("it begins");
        intake.keep_receipts();
        Service { intake, _engine: engine }
    }

    fn take(&self, files: impl IntoIterator<Item = (PathBuf, FileName)>) -> Vec<(String, Taken)> {
        let mut told = Vec::new();
        let files = files.into_iter().collect();
        self.intake
            .take(files, &|_| {}, &mut |name, taken| told.push((name.name.clone(), taken)))
            .expect("nothing fails");
        assert!(self.intake.hub().settle());
        told
    }

    fn reading(&self) -> Reading {
        self.intake.readings().reading(Sight::everything())
    }

    fn views(&self) -> Views {
        let own = ["ingest_ledger", "quarantine", "points_change", "effect_first_reported"];
        let reading = self.reading();
        let told = VIEWS.iter().filter(|view| !own.contains(&view.name)).map(|view| {
            let mut read = Vec::new();
            rows::<StoreError>(view, reading.sources(), &mut |cells| {
                read.push(cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
                Ok(())
            })
            .expect("nothing fails");
            (view.name, read)
        });
        told.collect()
    }

    fn undo(&self, file: &str, is_tried: bool) -> Result<Box<Undo>, Refused> {
        match self.intake.undo(file, is_tried).expect("nothing fails") {
            Answer::Undo(undo) => Ok(undo),
            Answer::Refused(refused) => Err(refused),
            Answer::Failed => panic!("a worker failed"),
        }
    }

    fn receipt(&self, undo: &Undo) -> Receipt {
        let reading = self.reading();
        let sources = Sources { published: &undo.after, ..reading.sources() };
        receipt(&undo.before, &undo.after, sources).expect("nothing fails")
    }

    fn verifies(&self) {
        let (published, names) = (self.intake.hub().published(), self.intake.names());
        let standing = verify::standing(&self.intake.store().lock(), &published, &names.read()).expect("it is read");
        let verdict = verify::compare(&standing, &published, &names.read(), &|_| {});
        assert_eq!(verdict.divergences, 0, "{:?}", verdict.examples);
    }

    fn status(&self, file: &str) -> Option<Status> {
        let store = self.intake.store().lock();
        store.ledger().entries().find(|entry| entry.file == file).map(|entry| entry.status)
    }
}

/// A small province, and its files.
fn province() -> (tempfile::TempDir, Vec<(PathBuf, FileName)>) {
    let landing = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        customers: 60,
        months: 7,
        from: Month::new(2009, 1),
        seed: 11,
        feeds: Vec::new(),
        usage: Telling::Monthly,
        plain: true,
        bad_rows: 0,
        control: false,
    };
    World::new(&settings).expect("a world").write(landing.path(), &|_| {}).expect("written");
    let files = landed(landing.path()).expect("listed").files;
    (landing, files)
}

#[track_caller]
fn same(found: &Views, expected: &Views, what: &str) {
    for (view, rows) in expected {
        let (found, expected) = (&found[view], rows);
        let differs = found.iter().zip(expected).find(|(one, other)| one != other);
        assert!(
            found == expected,
            "{what}: {view} has {} rows instead of {}: {differs:?}",
            found.len(),
            expected.len()
        );
    }
}

/// The second version of a file: without its last row.
fn second_version(landing: &std::path::Path, (path, name): &(PathBuf, FileName)) -> (PathBuf, FileName) {
    let text = std::fs::read_to_string(path).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    let part = if name.part.is_empty() { String::new() } else { format!("_{}", name.part) };
    let of = format!("{}_{}{part}.v2.csv", name.feed.name(), name.period);
    let path = landing.join("second").join(&of);
    std::fs::create_dir_all(landing.join("second")).expect("made");
    std::fs::write(&path, lines[..lines.len() - 1].join("\n") + "\n").expect("written");
    (path, cohortflow_name(&of))
}

fn cohortflow_name(name: &str) -> FileName {
    match cohortflow::ingest::names::parse(name.as_bytes()) {
        cohortflow::ingest::names::Named::File(file) => file,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn what_is_undone_was_never_there_whatever_its_feed() {
    let (_landing, files) = province();
    let mut last_of_feed: BTreeMap<&str, usize> = BTreeMap::new();
    last_of_feed.extend(files.iter().enumerate().map(|(place, (_, name))| (name.feed.name(), place)));
    assert!(last_of_feed.len() >= 8, "{last_of_feed:?}");
    let memory = Memory::default();
    let service = Service::open(&memory);
    assert!(service.take(files.clone()).iter().all(|(_, taken)| matches!(taken, Taken::Accepted { .. })));
    let all = service.views();
    for place in last_of_feed.into_values() {
        let file = files[place].1.name.clone();
        let without = Service::open(&Memory::single());
        without.take(files.iter().enumerate().filter(|(of, _)| *of != place).map(|(_, file)| file.clone()));
        let never = without.views();

        let epoch = service.intake.store().lock().epoch();
        let tried = service.undo(&file, true).unwrap_or_else(|refused| panic!("{file}: {refused}"));
        assert_eq!(tried.epoch, None);
        let shown = service.receipt(&tried);
        same(&service.views(), &all, &format!("{file} tried"));
        let now = service.intake.store().lock().epoch();
        assert_eq!((now, service.status(&file)), (epoch, Some(Status::Accepted)));

        let done = service.undo(&file, false).unwrap_or_else(|refused| panic!("{file}: {refused}"));
        assert_eq!((done.epoch, done.plan.rows().1), (Some(epoch + 1), 0));
        assert_eq!(service.receipt(&done), shown, "{file}");
        same(&service.views(), &never, &file);
        assert_eq!(service.status(&file), Some(Status::Undone));
        service.verifies();

        // Again, and under another name: it stays undone.
        assert!(matches!(service.take([files[place].clone()])[..], [(_, Taken::Undone)]), "{file}");
        assert_eq!(service.undo(&file, false).err(), Some(Refused::Already));
        same(&service.views(), &never, &file);
        // Killed, and started again.
        let again = Service::open(&memory.crash(Loss::All));
        same(&again.views(), &never, &format!("{file} after a restart"));
        assert!(matches!(again.take([files[place].clone()])[..], [(_, Taken::Undone)]), "{file}");
        // Written anew, and started again.
        again.intake.store().lock().compact().expect("compacted");
        assert!(matches!(again.take([files[place].clone()])[..], [(_, Taken::Undone)]), "{file}");

        // A higher version stands, and the next feed is looked at with all of it there.
        let (path, name) = &files[place];
        let higher = FileName { version: 2, name: name.name.replace(".csv", ".v2.csv"), ..name.clone() };
        let copy = path.with_file_name(format!(".{}", higher.name));
        std::fs::copy(path, &copy).expect("copied");
        let taken = service.take([(copy, higher)]);
        assert!(matches!(taken[..], [(_, Taken::Accepted { .. })]), "{taken:?}");
        same(&service.views(), &all, &format!("{file} in a higher version"));
    }
    service.verifies();
}

#[test]
fn a_correction_that_is_undone_leaves_what_it_corrected() {
    let (landing, files) = province();
    let first: Vec<(PathBuf, FileName)> = {
        let mut of_feed: BTreeMap<&str, (PathBuf, FileName)> = BTreeMap::new();
        of_feed.extend(files.iter().map(|file| (file.1.feed.name(), file.clone())));
        of_feed.into_values().collect()
    };
    let memory = Memory::default();
    let service = Service::open(&memory);
    service.take(files.clone());
    let all = service.views();
    for file in &first {
        let second = second_version(landing.path(), file);
        let taken = service.take([second.clone()]);
        // A list that is so short that a row is more than a fifth waits for a person.
        if matches!(taken[..], [(_, Taken::Held { .. })]) {
            continue;
        }
        assert!(matches!(taken[..], [(_, Taken::Accepted { .. })]), "{taken:?}");
        let corrected = service.views();
        assert_eq!(service.undo(&file.1.name, true).err(), Some(Refused::Replaced(2)));
        assert!(matches!(service.intake.receipt(&second.1.name), Noted::Noted(..)), "{}", second.1.name);
        let done = service.undo(&second.1.name, false).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!(done.plan.stands.as_ref().map(|stands| stands.version), Some(1));
        same(&service.views(), &all, &second.1.name);
        assert_eq!(
            (service.status(&file.1.name), service.status(&second.1.name)),
            (Some(Status::Accepted), Some(Status::Undone))
        );
        // What stands again is known, and what was undone stays so.
        assert!(matches!(service.take([file.clone()])[..], [(_, Taken::Duplicate)]));
        assert!(matches!(service.take([second.clone()])[..], [(_, Taken::Undone)]));
        let again = Service::open(&memory.crash(Loss::All));
        again.intake.store().lock().compact().expect("compacted");
        same(&again.views(), &all, "after a restart");
        assert!(matches!(again.take([second.clone()])[..], [(_, Taken::Undone)]));
        assert!(matches!(again.take([file.clone()])[..], [(_, Taken::Duplicate)]));
        // A third version is another's word.
        let third = FileName { version: 3, name: second.1.name.replace(".v2.", ".v3."), ..second.1.clone() };
        assert!(matches!(service.take([(second.0.clone(), third.clone())])[..], [(_, Taken::Accepted { .. })]));
        same(&service.views(), &corrected, &third.name);
        service.undo(&third.name, false).unwrap_or_else(|refused| panic!("{refused}"));
        same(&service.views(), &all, &third.name);
        // And what it stood on goes too, where a person says so.
        service.undo(&file.1.name, false).unwrap_or_else(|refused| panic!("{refused}"));
        assert!(matches!(service.take([file.clone()])[..], [(_, Taken::Superseded)]));
        let fourth = FileName { version: 4, name: third.name.replace(".v3.", ".v4."), ..third };
        assert!(matches!(service.take([(file.0.clone(), fourth)])[..], [(_, Taken::Accepted { .. })]));
        same(&service.views(), &all, "all of it again");
    }
    service.verifies();
    assert_eq!(service.undo("nothing.csv", true).err(), Some(Refused::Unknown));
}

#[test]
fn every_file_that_was_taken_has_a_receipt_that_outlives_the_process() {
    let (_landing, files) = province();
    let memory = Memory::default();
    let service = Service::open(&memory);
    let noted = |service: &Service, file: &str| match service.intake.receipt(file) {
        Noted::Noted(noted, _) => Some(noted),
        _ => None,
    };
    let (mut seen, mut last) = (BTreeMap::new(), 0);
    for file in &files {
        service.take([file.clone()]);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let receipt = loop {
            if let Some(receipt) = noted(&service, &file.1.name) {
                break receipt;
            }
            assert!(std::time::Instant::now() < deadline, "{} has no receipt", file.1.name);
            std::thread::yield_now();
        };
        assert_eq!(receipt.files.len(), 1);
        assert_eq!(receipt.points[0], last, "{}", file.1.name);
        last = receipt.points[1];
        seen.insert(file.1.name.clone(), receipt);
    }
    // What came and went, file by file, is what is there.
    let views = service.views();
    let left =
        |of: &dyn Fn(&cohortflow::store::receipts::Noted) -> i64| seen.values().map(|noted| of(noted)).sum::<i64>();
    let moved = |moved: (u64, u64)| moved.0 as i64 - moved.1 as i64;
    assert_eq!(left(&|noted| moved(noted.tiers)), views["tier"].len() as i64);
    assert_eq!(
        left(&|noted| noted.segments.iter().map(|(_, of)| moved(*of)).sum()),
        views["segment_member"].len() as i64
    );
    assert_eq!(left(&|noted| noted.targets.iter().map(|(_, of)| moved(*of)).sum()), views["target"].len() as i64);
    for view in ["tier_count", "segment_count", "target_count", "target_excluded", "rank_count", "points_balance"] {
        let rows = |noted: &cohortflow::store::receipts::Noted| -> i64 {
            assert!(noted.is_whole);
            noted.views.iter().filter(|(name, _)| **name == *view).map(|(_, of)| moved(*of)).sum()
        };
        assert_eq!(left(&rows), views[view].len() as i64, "{view}");
    }
    let balance = |row: &String| row.split(',').nth(1).and_then(|points| points.parse::<i64>().ok()).expect("points");
    assert_eq!(last, views["points_balance"].iter().map(balance).sum::<i64>());
    drop(service);
    let again = Service::open(&memory.crash(Loss::All));
    for (file, receipt) in &seen {
        assert_eq!(noted(&again, file).as_ref(), Some(receipt), "{file}");
    }
}

/// The log as a build of format 1 would have written it: without the lines of rows.
fn of_format_1(log: &[u8]) -> Vec<u8> {
    const HEADER: usize = 24;
    const FRAME: usize = 33;
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes")) as usize;
    let mut old = log[..HEADER].to_vec();
    old[8..12].copy_from_slice(&1u32.to_le_bytes());
    let crc = crc32c::crc32c(&old[..20]);
    old[20..24].copy_from_slice(&crc.to_le_bytes());
    let mut at = HEADER;
    while at < log.len() {
        let len = number(&log[at + 13..at + 21]);
        let mut frame = log[at..at + FRAME].to_vec();
        let mut payload = &log[at + FRAME..at + FRAME + len];
        if frame[4] == 1 {
            // Names, entry, rejects, rows.
            let end = (0..4).fold(0, |end, _| end + 8 + number(&payload[end..end + 8]));
            payload = &payload[..end];
        }
        frame[13..21].copy_from_slice(&(payload.len() as u64).to_le_bytes());
        frame[21..25].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        let crc = crc32c::crc32c(&frame[..29]);
        frame[29..].copy_from_slice(&crc.to_le_bytes());
        old.extend(frame);
        old.extend(payload);
        at += FRAME + len;
    }
    old
}

#[test]
fn a_log_of_format_1_is_read_and_gone_on_with() {
    let (_landing, files) = province();
    let memory = Memory::default();
    let service = Service::open(&memory);
    service.take(files.clone());
    let all = service.views();
    drop(service);
    let old = Memory::default();
    old.put("log", of_format_1(&memory.bytes("log").expect("a log")));
    let service = Service::open(&old);
    same(&service.views(), &all, "of format 1");
    let names = service.intake.names();
    let id = names.read().customers.text(0).expect("a customer").to_owned();
    let explainer = cohortflow::query::why::Explainer::new(service.intake.hub().published(), names);
    let mut why = explainer.why(&id, &cohortflow::query::why::Asked::Tier).expect("known");
    let origins = service.intake.store().lock().origins(why.keys());
    why.fill(&origins.find().expect("the log is read"));
    let told = serde_json::to_string(&why).expect("told");
    assert!(told.contains("\"line\":null") && !told.contains("\"line\":1"), "{told}");
    // The second version brings back lines, and an undo what stood before it.
    let bill = files.iter().find(|(_, name)| name.feed.name() == "bill").expect("bills");
    service.undo(&bill.1.name, false).unwrap_or_else(|refused| panic!("{refused}"));
    let gone = service.views();
    assert_eq!(old.bytes("log").map(|log| log[8]), Some(4));
    same(&Service::open(&old.crash(Loss::All)).views(), &gone, "after a restart");
}
