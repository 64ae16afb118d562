//! Erasure: a person is out of everything that is kept, and out of whatever comes; and nobody else is.

#[path = "common/canary.rs"]
mod canary;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cohortflow::engine::Engine;
use cohortflow::generate::{Settings, Telling, World};
use cohortflow::ingest::Named;
use cohortflow::ingest::names::FileName;
use cohortflow::intake::edits::{Edit, Edited, OptOut, Request};
use cohortflow::intake::erasure::{Answer, Erasure};
use cohortflow::intake::undo::Answer as Undone;
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme;
use cohortflow::query::sight::Sight;
use cohortflow::query::{VIEWS, rows};
use cohortflow::store::memory::{Fault, Loss, Memory};
use cohortflow::store::vfs::Vfs;
use cohortflow::store::{Store, StoreError};
use cohortflow::verify;
use dataflows::types::{CustomerIx, Month};

type File = (PathBuf, FileName);

/// Every view as text; without what tells how it came to be.
type Views = BTreeMap<&'static str, Vec<String>>;

struct Service {
    intake: Intake,
    _engine: Engine,
}

impl Service {
    fn open(memory: &Memory, workers: usize) -> Service {
        let store = Store::open(Arc::new(memory.clone()), [7; 32]).expect("the store opens");
        let engine = Engine::start(workers, |_| {}).expect("the workers start");
        let reference = |_: Option<&[cohortflow::store::Source]>| {
            programme::parse(programme::reference()).map_err(|_| anyhow::anyhow!("refused"))
        };
        let intake = Intake::begin(store, engine.hub(), reference, jiff::Timestamp::now).expect("it begins");
        intake.keep_receipts();
        Service { intake, _engine: engine }
    }

    fn take(&self, files: impl IntoIterator<Item = File>) -> Vec<(String, Taken)> {
        let mut told = Vec::new();
        let files = files.into_iter().collect();
        let mut tell = |name: &FileName, taken| told.push((name.name.clone(), taken));
        self.intake.take(files, &|_| {}, &mut tell).expect("nothing fails");
        assert!(self.intake.hub().settle());
        told
    }

    fn views(&self) -> Views {
        let own = ["ingest_ledger", "quarantine", "points_change", "effect_first_reported"];
        self.told(|name| !own.contains(&name))
    }

    fn told(&self, wanted: impl Fn(&str) -> bool) -> Views {
        let reading = self.intake.readings().reading(Sight::everything());
        let told = VIEWS.iter().filter(|view| wanted(view.name)).map(|view| {
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

    fn erase(&self, id: &str, is_tried: bool) -> Box<Erasure> {
        match self.intake.erase(id, is_tried, &|_| Ok(Vec::new())).expect("nothing fails") {
            Answer::Erasure(erasure) => erasure,
            Answer::Refused(why) => panic!("{why}"),
            Answer::Failed => panic!("a worker failed"),
        }
    }

    fn undo(&self, file: &str) {
        match self.intake.undo(file, false).expect("nothing fails") {
            Undone::Undo(_) => {}
            Undone::Refused(why) => panic!("{file}: {why}"),
            Undone::Failed => panic!("a worker failed"),
        }
    }

    fn verifies(&self) {
        let (published, names) = (self.intake.hub().published(), self.intake.names());
        let standing = verify::standing(&self.intake.store().lock(), &published, &names.read()).expect("it is read");
        let verdict = verify::compare(&standing, &published, &names.read(), &|_| {});
        assert_eq!(verdict.divergences, 0, "{:?}", verdict.examples);
    }

    /// What stands for somebody's number.
    fn token(&self, id: &str) -> Option<[u8; 16]> {
        let customer = CustomerIx(self.intake.names().read().customers.find(id)?);
        let published = self.intake.hub().published();
        let (chunk, slot) = published.customer(customer)?;
        chunk.customers.numbers.get(slot).map(|token| token.0)
    }

    /// Rows of a file, those set aside, and those left out, as the ledger has them.
    fn counted(&self, file: &str) -> (Option<(u64, u64)>, u64) {
        let store = self.intake.store().lock();
        let entry = store.ledger().entries().find(|entry| entry.file == file).expect("an entry");
        (entry.rows, entry.erased)
    }
}

/// A small province, and its files.
fn province() -> (tempfile::TempDir, Vec<File>) {
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

fn name(name: &str) -> FileName {
    match cohortflow::ingest::names::parse(name.as_bytes()) {
        cohortflow::ingest::names::Named::File(file) => file,
        other => panic!("{name}: {other:?}"),
    }
}

fn file(directory: &Path, of: &str, text: &str) -> File {
    let path = directory.join(of);
    fs::write(&path, text).expect("written");
    (path, name(of))
}

/// The file as it would be if some had never been: without their rows, and without them on the other side of others'.
fn without(directory: &Path, (path, name): &File, gone: &[String]) -> File {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let header = reader.headers().expect("a header").clone();
    let place = |column: &str| header.iter().position(|of| of == column);
    let (whose, other) = (place("customer_id"), place("other_id"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).expect("written");
    for row in reader.records().map(|row| row.expect("a row")) {
        let is_gone = |id: Option<&str>| id.is_some_and(|id| gone.iter().any(|of| of == id));
        if is_gone(whose.and_then(|place| row.get(place))) {
            continue;
        }
        let is_other = is_gone(other.and_then(|place| row.get(place)));
        let cells = row.iter().enumerate().map(|(at, cell)| if is_other && other == Some(at) { "" } else { cell });
        writer.write_record(cells).expect("written");
    }
    let text = String::from_utf8(writer.into_inner().expect("whole")).expect("text");
    file(directory, &name.name, &text)
}

/// The second version of a file: without its last row.
fn second_version(directory: &Path, (path, first): &File) -> File {
    let text = fs::read_to_string(path).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    let of = first.name.replace(".csv", ".v2.csv");
    file(directory, &of, &(lines[..lines.len() - 1].join("\n") + "\n"))
}

/// Some who are in many feeds: whom others brought in, who is contacted, who ordered.
fn chosen(files: &[File]) -> Vec<String> {
    let mut ids = BTreeSet::new();
    for (feed, column) in [("member_event", "other_id"), ("contact", "customer_id"), ("order", "customer_id")] {
        for (path, _) in files.iter().filter(|(_, name)| name.feed.name() == feed) {
            let mut reader = csv::Reader::from_path(path).expect("a file");
            let place = reader.headers().expect("a header").iter().position(|of| of == column);
            let found = reader.records().filter_map(|row| Some(row.ok()?.get(place?)?.to_owned()));
            if let Some(id) = found.filter(|id| !id.is_empty()).find(|id| !ids.contains(id)) {
                ids.insert(id);
                break;
            }
        }
    }
    assert_eq!(ids.len(), 3, "{ids:?}");
    ids.into_iter().collect()
}

#[track_caller]
fn same(found: &Views, expected: &Views, what: &str) {
    for (view, rows) in expected {
        let (found, expected) = (&found[view], rows);
        let differs = found.iter().zip(expected).find(|(one, other)| one != other);
        let (is, was) = (found.len(), expected.len());
        assert!(found == expected, "{what}: {view} has {is} rows instead of {was}: {differs:?}");
    }
}

/// Nothing in a directory holds a text, nor the bytes that it spells, in any form that can be read.
#[track_caller]
fn nowhere(memory: &Memory, canary: &[u8], what: &str) {
    for file in memory.list().expect("listed") {
        let bytes = memory.bytes(&file).unwrap_or_default();
        let held = canary::held(&bytes, canary);
        assert_eq!(held, None, "{what}: {file} holds {:?}", String::from_utf8_lossy(canary));
    }
}

fn is_nothing(taken: &[(String, Taken)]) {
    for (file, taken) in taken {
        assert!(matches!(taken, Taken::Duplicate | Taken::Superseded | Taken::Undone), "{file}: {taken:?}");
    }
}

#[test]
fn views_are_those_of_the_input_without_who_was_erased() {
    let (landing, files) = province();
    let gone = chosen(&files);
    let home = tempfile::tempdir().expect("a directory");
    let [cleared, second, second_cleared] = ["cleared", "second", "second_cleared"].map(|name| home.path().join(name));
    [&cleared, &second, &second_cleared].iter().for_each(|path| fs::create_dir(path).expect("made"));
    let never: Vec<File> = files.iter().map(|file| without(&cleared, file, &gone)).collect();
    for workers in [1, 2] {
        let memory = Memory::default();
        let service = Service::open(&memory, workers);
        service.take(files.clone());
        let other = Service::open(&Memory::single(), workers);
        other.take(never.clone());
        let all = service.views();
        let tried = service.erase(&gone[0], true);
        assert!(tried.plan.is_known && tried.epoch.is_none());
        same(&service.views(), &all, "tried");
        let tokens: Vec<[u8; 16]> = gone.iter().filter_map(|id| service.token(id)).collect();
        assert_eq!(tokens.len(), gone.len());
        for id in &gone {
            let erasure = service.erase(id, false);
            assert!(erasure.epoch.is_some() && erasure.unfinished.is_none());
            let removed = &erasure.plan.removed;
            assert!(removed.rows.len() >= 3 && removed.files.len() >= 3 && removed.mentions == 0, "{removed:?}");
            nowhere(&memory, id.as_bytes(), "erased");
        }
        tokens.iter().for_each(|token| nowhere(&memory, token, "his number"));
        let expected = other.views();
        same(&service.views(), &expected, "erased");
        service.verifies();
        // Nothing is told of them by what tells of the past, either.
        for (view, rows) in service.told(|_| true) {
            for id in &gone {
                let names_him = |row: &&String| row.split(',').any(|cell| cell == id);
                assert_eq!(rows.iter().find(names_him), None, "{view}");
            }
        }

        is_nothing(&service.take(files.clone()));
        same(&service.views(), &expected, "delivered again");
        drop(service);
        let memory = memory.crash(Loss::All);
        let service = Service::open(&memory, workers);
        assert!(!service.intake.store().lock().is_erasure_unfinished());
        same(&service.views(), &expected, "after a restart");
        is_nothing(&service.take(files.clone()));
        service.intake.store().lock().compact().expect("compacted");

        // Corrected, and undone.
        for (place, file) in files.iter().enumerate().filter(|(place, _)| place % 5 == 0) {
            let corrected = second_version(&second, file);
            let cleared = without(&second_cleared, &corrected, &gone);
            let told = [service.take([corrected.clone()]), other.take([cleared])];
            let accepted = told.each_ref().map(|told| matches!(told[..], [(_, Taken::Accepted { .. })]));
            assert_eq!(accepted[0], accepted[1], "{}: {told:?}", file.1.name);
            if accepted[0] {
                same(&service.views(), &other.views(), &corrected.1.name);
                [&service, &other].iter().for_each(|service| service.undo(&corrected.1.name));
                same(&service.views(), &expected, &format!("{} undone", corrected.1.name));
            }
            if place % 10 == 0 {
                let files = [&service, &other].map(|service| {
                    service.undo(&file.1.name);
                    service.views()
                });
                same(&files[0], &files[1], &format!("{} undone", file.1.name));
                let third = |(path, name): &File| {
                    (path.clone(), FileName { version: 3, name: name.name.replace(".csv", ".v3.csv"), ..name.clone() })
                };
                service.take([third(file)]);
                other.take([third(&never[place])]);
                same(&service.views(), &expected, &format!("{} once more", file.1.name));
            }
        }
        service.verifies();
        for id in &gone {
            nowhere(&memory, id.as_bytes(), "after all of it");
        }
    }
    drop(landing);
}

#[test]
fn what_stands_behind_a_row_returns_when_it_is_erased() {
    let home = tempfile::tempdir().expect("a directory");
    let events = "event_id,customer_id,kind,at,other_id,result\n";
    let bills = "customer_id,month,total_fee\n";
    let files = [
        file(home.path(), "bill_2009-01_a.csv", &format!("{bills}kept-1,2009-01,10\ngone-0123456789,2009-01,20\n")),
        // The same month of both, which stands over the other.
        file(home.path(), "bill_2009-01_b.csv", &format!("{bills}gone-0123456789,2009-01,30\nkept-1,2009-01,11\n")),
        // Bills of nobody else: the month is gone with him.
        file(home.path(), "bill_2009-02.csv", &format!("{bills}gone-0123456789,2009-02,30\n")),
        file(
            home.path(),
            "member_event_2009-01_a.csv",
            &format!("{events}e1,kept-1,refer,2009-01-05,gone-0123456789,success\ne2,kept-1,register,2009-01-01,,\n"),
        ),
        // Takes the place of another's, which is about him.
        file(
            home.path(),
            "member_event_2009-01_b.csv",
            &format!("{events}e1,gone-0123456789,login,2009-01-06,,\ne3,kept-2,refer,2009-01-07,kept-1,success\n"),
        ),
    ];
    let gone = ["gone-0123456789".to_owned()];
    let cleared = home.path().join("cleared");
    fs::create_dir(&cleared).expect("made");
    let memory = Memory::default();
    let (service, other) = (Service::open(&memory, 1), Service::open(&Memory::single(), 1));
    service.take(files.clone());
    other.take(files.iter().map(|file| without(&cleared, file, &gone)));
    let erasure = service.erase(&gone[0], false);
    assert_eq!(
        erasure.plan.removed.rows.iter().map(|(feed, rows)| (*feed, *rows)).collect::<Vec<_>>(),
        [("bill", 3), ("member_event", 1)]
    );
    assert_eq!(erasure.plan.removed.references, 1);
    same(&service.views(), &other.views(), "erased");
    service.verifies();
    assert_eq!(service.counted("bill_2009-02.csv"), (Some((0, 0)), 1));
    is_nothing(&service.take(files));
    let again = Service::open(&memory.crash(Loss::All), 2);
    same(&again.views(), &other.views(), "after a restart");
}

#[test]
fn what_comes_of_who_was_erased_is_left_out_and_counted() {
    const ID: &str = "U-9f1c55e2-canary-70011";
    let home = tempfile::tempdir().expect("a directory");
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    let others: String = (0..300).map(|number| format!("o-{number},c2,crbt,subscribe,2009-07-01\n")).collect();
    let header = "order_id,customer_id,product_id,action,at";
    let orders = format!("{header}\n{others}o1,{ID},crbt,,2009-07-01\n,o2,{ID},crbt,x\n");
    let first = [
        file(home.path(), "customer_1.csv", &format!("customer_id,msisdn,city\n{ID},13812345678,Dalian\nc2,,Dalian\n")),
        // Two rows cannot be read, and the columns of one are shifted.
        file(home.path(), "order_1.csv", &orders),
        file(
            home.path(),
            "feedback_1.csv",
            &format!(
                "feedback_id,campaign_id,customer_id,kind,at,reason\nf1,spring,{ID},complaint,2009-07-01,called {ID} twice\n"
            ),
        ),
    ];
    service.take(first.clone());
    let key = format!("asks-{ID}");
    let edit = Edit::OptOut(OptOut { customer: ID.to_owned(), campaign: None, channel: None });
    let request = |body: &'static [u8]| Request { edit: &edit, by: "zhang", reason: "asks", key: Some(&key), body };
    assert!(matches!(service.intake.edit(&request(b"{}")), Ok(Edited::Done { .. })));
    assert_eq!(service.told(|name| name == "quarantine")["quarantine"].len(), 2);
    let number = service.intake.names().read().erased().fact(Named::Customer(ID));
    assert!(!service.intake.names().read().erased().knows(&number));

    let erasure = service.erase(ID, false);
    let removed = &erasure.plan.removed;
    assert_eq!((removed.set_aside, removed.mentions, removed.is_number_anothers), (2, 0, false), "{removed:?}");
    let told: Vec<(&str, u64)> = removed.files.iter().map(|of| (&*of.file, of.rows)).collect();
    assert_eq!(told[..3], [("customer_1.csv", 1), ("order_1.csv", 2), ("feedback_1.csv", 1)]);
    nowhere(&memory, ID.as_bytes(), "erased");
    assert_eq!(service.told(|name| name == "quarantine")["quarantine"], Vec::<String>::new());
    assert_eq!(service.counted("order_1.csv"), (Some((300, 0)), 2));
    is_nothing(&service.take(first));
    // Asked for again it is refused, and leaves nothing behind.
    let again = Service::open(&memory.crash(Loss::All), 1);
    assert!(matches!(again.intake.edit(&request(b"{}")), Ok(Edited::Refused(why)) if why.contains("erased")));
    drop(again);
    // His number under another id is his; and whoever named him names nobody.
    let more = [
        file(
            home.path(),
            "customer_2.csv",
            "customer_id,msisdn,city\nc3,138 1234 5678,Dalian\nc4,13812345679,Dalian\n",
        ),
        file(
            home.path(),
            "bill_2009-07.csv",
            &format!("customer_id,month,total_fee\n{ID},2009-07,5\n{ID},2009-07,x\nc4,2009-07,7\n"),
        ),
        file(
            home.path(),
            "member_event_1.csv",
            &format!("event_id,customer_id,kind,at,other_id\ne1,c4,refer,2009-07-01,{ID}\n"),
        ),
    ];
    let taken = service.take(more.clone());
    assert!(taken.iter().all(|(_, taken)| matches!(taken, Taken::Accepted { bad_rows: 0, .. })), "{taken:?}");
    assert_eq!(service.counted("customer_2.csv"), (Some((1, 0)), 1));
    assert_eq!(service.counted("bill_2009-07.csv"), (Some((1, 0)), 2));
    nowhere(&memory, ID.as_bytes(), "delivered after it");
    let again = Service::open(&memory.crash(Loss::All), 1);
    assert_eq!(again.counted("bill_2009-07.csv"), (Some((1, 0)), 2));
    assert!(again.intake.names().read().erased().has(Named::Customer(ID)));
    is_nothing(&again.take(more));
}

#[test]
fn who_is_not_known_is_erased_too_and_a_number_that_is_anothers_stays() {
    let home = tempfile::tempdir().expect("a directory");
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    let customers = "customer_id,msisdn,city\nold-88112233,13812345678,Dalian\nnew-1,13812345678,Dalian\n";
    let customers = file(home.path(), "customer_1.csv", customers);
    service.take([customers.clone()]);
    let erasure = service.erase("nobody-4711-4711", false);
    assert!(!erasure.plan.is_known && erasure.epoch.is_some() && erasure.plan.removed.files.is_empty());
    let erasure = service.erase("old-88112233", false);
    assert!(erasure.plan.is_known && erasure.plan.removed.is_number_anothers);
    assert!(service.erase("old-88112233", true).plan.is_repeated);
    is_nothing(&service.take([customers]));
    assert_eq!(service.told(|name| name == "customer_attribute")["customer_attribute"].len(), 1);
    let orders = "order_id,customer_id,product_id,action,at\no1,nobody-4711-4711,crbt,subscribe,2009-07-01\n";
    service.take([file(home.path(), "order_1.csv", orders)]);
    assert_eq!(service.counted("order_1.csv"), (Some((0, 0)), 1));
    nowhere(&memory, b"nobody-4711-4711", "not known");
}

/// The rows of every partition, with names.
fn contents(store: &Store) -> Vec<String> {
    let mut contents = Vec::new();
    store
        .live_partitions(|partition, content| {
            contents.push(format!("{partition:?} {content:?}"));
            Ok(())
        })
        .expect("read");
    contents
}

#[test]
fn an_erasure_that_is_cut_short_has_erased_nobody_or_is_finished() {
    const ID: &str = "gone-0123456789";
    let home = tempfile::tempdir().expect("a directory");
    let files = [
        file(
            home.path(),
            "customer_1.csv",
            &format!("customer_id,msisdn,city\n{ID},13812345678,Dalian\nkept-1,,Dalian\n"),
        ),
        file(
            home.path(),
            "bill_2009-01.csv",
            &format!("customer_id,month,total_fee\nkept-1,2009-01,10\n{ID},2009-01,20\n"),
        ),
        file(
            home.path(),
            "bill_2009-01.v2.csv",
            &format!("customer_id,month,total_fee\nkept-1,2009-01,10\n{ID},2009-01,21\n"),
        ),
    ];
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    service.take(files.clone());
    drop(service);
    let open = |memory: &Memory| Store::open(Arc::new(memory.clone()), [7; 32]).expect("the store opens");
    let copy = memory.crash(Loss::Nothing);
    let mut store = open(&copy);
    let (before, from) = (contents(&store), copy.calls());
    let erase = |store: &mut Store| {
        let plan = store.plan_erasure(ID)?;
        store.hydrate(|_| {})?;
        store.erase(&plan)?;
        store.finish_erasure()
    };
    erase(&mut store).expect("nothing fails");
    let (after, until) = (contents(&store), copy.calls());
    assert!(before != after && until > from);
    let (mut nobody, mut erased, mut finished) = (0, 0, 0);
    for call in from..until {
        for fault in [Fault::Crash, Fault::Error, Fault::Full] {
            let copy = memory.crash(Loss::Nothing);
            let mut store = open(&copy);
            copy.fail_at(call, fault);
            let done = erase(&mut store);
            drop(store);
            for loss in [Loss::All, Loss::Torn, Loss::Nothing, Loss::Some(call)] {
                let why = format!("call {call}, {fault:?}, {loss:?}");
                let copy = copy.crash(loss);
                let mut store = open(&copy);
                let found = contents(&store);
                if found == after {
                    nowhere(&copy, ID.as_bytes(), &why);
                    finished += usize::from(!store.is_erasure_unfinished());
                    erased += 1;
                } else {
                    assert_eq!(found, before, "{why}");
                    assert!(done.is_err() && !store.is_erasure_unfinished(), "{why}");
                    nobody += 1;
                }
                erase(&mut store).unwrap_or_else(|error| panic!("{why}: {error}"));
                assert_eq!(contents(&store), after, "{why}");
                nowhere(&copy, ID.as_bytes(), &why);
                let store = open(&copy.crash(Loss::All));
                assert_eq!(contents(&store), after, "{why}");
                assert!(!store.is_erasure_unfinished(), "{why}");
            }
        }
    }
    assert!(nobody > 0 && erased > finished && finished > 0, "{nobody} {erased} {finished}");
    // And by the same files he does not come back.
    let service = Service::open(&copy.crash(Loss::All), 2);
    is_nothing(&service.take(files));
}

#[test]
fn what_lies_beside_the_log_is_finished_after_a_start() {
    const ID: &str = "gone-0123456789";
    let home = tempfile::tempdir().expect("a directory");
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    service.take([file(home.path(), "customer_1.csv", &format!("customer_id,city\n{ID},Dalian\n"))]);
    let full = |_: &cohortflow::store::erasure::Traces| Err(std::io::Error::other("the disk is full"));
    let Ok(Answer::Erasure(erasure)) = service.intake.erase(ID, false, &full) else { panic!("it is erased") };
    assert_eq!(erasure.unfinished.as_deref(), Some("the disk is full"));
    nowhere(&memory, ID.as_bytes(), "not finished");
    let again = Service::open(&memory.crash(Loss::All), 1);
    assert!(again.intake.store().lock().is_erasure_unfinished());
    again.intake.store().lock().compact().expect("compacted");
    assert!(again.intake.store().lock().is_erasure_unfinished());
    let mut is_asked = false;
    let mut forget = || {
        is_asked = true;
        Ok(())
    };
    again.intake.finish_erasure(&mut forget).expect("finished");
    assert!(is_asked && !again.intake.store().lock().is_erasure_unfinished());
    // Asked again, it is finished too.
    assert_eq!(service.erase(ID, false).unfinished, None);
    assert!(!Service::open(&memory.crash(Loss::All), 1).intake.store().lock().is_erasure_unfinished());
}
