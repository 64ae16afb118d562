//! Batches: rows that delete by their keys, in every feed, whatever else is delivered when; and bills.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cohortflow::engine::Engine;
use cohortflow::generate::{Settings, Telling, World};
use cohortflow::ingest::names::{FileName, Named, parse};
use cohortflow::ingest::objects::{Sheet, sheet};
use cohortflow::intake::batches::{Batch, Taken};
use cohortflow::intake::erasure::Answer as Erased;
use cohortflow::intake::undo::Answer as Undone;
use cohortflow::intake::{Intake, landed};
use cohortflow::programme;
use cohortflow::query::sight::Sight;
use cohortflow::query::{VIEWS, rows};
use cohortflow::store::memory::{Loss, Memory};
use cohortflow::store::vfs::Vfs;
use cohortflow::store::{Store, StoreError};
use cohortflow::verify;
use dataflows::records::Feed;
use dataflows::types::Month;
use fastrand::Rng;
use serde_json::{Map, Value, json};

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
        Service { intake, _engine: engine }
    }

    fn take(&self, files: impl IntoIterator<Item = File>) {
        self.intake.take(files.into_iter().collect(), &|_| {}, &mut |_, _| {}).expect("nothing fails");
        assert!(self.intake.hub().settle());
    }

    fn offer(&self, feed: Feed, key: Option<&str>, rows: &[Value], confirmed: Option<(u64, u64)>) -> Taken {
        let body: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let Sheet { text, month, .. } = sheet(feed, body.as_bytes()).expect("rows");
        let batch = Batch { feed, key, body: body.as_bytes(), text, month, confirmed };
        let taken = self.intake.deliver(batch).expect("nothing fails");
        assert!(self.intake.hub().settle());
        taken
    }

    /// Delivers rows, with what a person would have confirmed. Gives the name that the batch has as a file.
    fn deliver(&self, feed: Feed, rows: &[Value]) -> String {
        let mut taken = self.offer(feed, None, rows, None);
        if let Taken::Held { before, after } = taken {
            taken = self.offer(feed, None, rows, Some((before, after)));
        }
        match taken {
            Taken::Done { file, rows: count, outranked: Some(_), .. } => {
                assert_eq!(count, rows.len() as u64);
                file
            }
            Taken::Refused(why) => panic!("{feed:?}: {why}"),
            _ => panic!("{feed:?} was not taken"),
        }
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

    fn views(&self) -> Views {
        let own = ["ingest_ledger", "quarantine", "points_change", "effect_first_reported"];
        self.told(|name| !own.contains(&name))
    }

    fn view(&self, name: &str) -> Vec<String> {
        self.told(|other| other == name).remove(name).expect("a view")
    }

    fn as_of(&self) -> Option<String> {
        self.intake.hub().published().clock.as_of.map(|month| month.to_string())
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
}

fn name(name: &str) -> FileName {
    match parse(name.as_bytes()) {
        Named::File(file) => file,
        other => panic!("{name}: {other:?}"),
    }
}

fn file(directory: &Path, of: &str, text: &str) -> File {
    let path = directory.join(of);
    fs::write(&path, text).expect("written");
    (path, name(of))
}

/// A small province, and those of its files whose rows batches may delete.
fn province(seed: u64) -> (tempfile::TempDir, Vec<File>) {
    let landing = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        customers: 40,
        months: 6,
        from: Month::new(2009, 1),
        seed,
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

/// The rows of a file, and the columns that tell them apart.
fn objects((path, name): &File) -> Vec<Map<String, Value>> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let header = reader.headers().expect("a header").clone();
    let rows = reader.records().map(|row| row.expect("a row"));
    let rows = rows.map(|row| header.iter().zip(&row).map(|(column, cell)| (column.to_owned(), json!(cell))).collect());
    let rows: Vec<Map<String, Value>> = rows.collect();
    assert!(name.period.starts_with('2') || rows.is_empty() || !is_delivered(name), "{}", name.name);
    rows
}

fn is_delivered(name: &FileName) -> bool {
    let own = [Feed::CampaignState, Feed::Handoff, Feed::OrderRequest, Feed::Provisioning];
    // A batch has the day for a period, which letters stand behind.
    !own.contains(&name.feed) && name.period.starts_with('2')
}

/// A row that deletes: with all its columns, or with those of its key alone.
fn deleting(feed: Feed, row: &Map<String, Value>, is_bare: bool) -> Value {
    let key: &[&str] = match feed {
        Feed::Customer => &["customer_id"],
        Feed::Terminal => &["customer_id", "seen_on"],
        Feed::Bill => &["customer_id", "month"],
        Feed::Usage => &["customer_id", "day", "measure"],
        Feed::Product => &["product_id"],
        Feed::Channel => &["channel_id"],
        Feed::Order => &["order_id"],
        Feed::MemberEvent => &["event_id"],
        Feed::Adjustment => &["adjustment_id"],
        Feed::Listing => &["list_id", "customer_id"],
        Feed::Consent => &["customer_id", "purpose", "channel_id", "at"],
        Feed::Score => &["customer_id", "model"],
        Feed::Contact => &["contact_id"],
        Feed::Feedback => &["feedback_id"],
        _ => &[],
    };
    let mut row = row.clone();
    if is_bare {
        row.retain(|column, _| key.contains(&column.as_str()));
    }
    row.insert("_op".to_owned(), json!("delete"));
    Value::Object(row)
}

#[track_caller]
fn same(found: &Views, expected: &Views, what: &str) {
    for (view, rows) in expected {
        let (found, expected) = (&found[view], rows);
        let differs = found.iter().zip(expected).find(|(one, other)| one != other);
        let (have, wanted) = (found.len(), expected.len());
        assert!(found == expected, "{what}: {view} has {have} rows instead of {wanted}: {differs:?}");
    }
}

/// Of a province some rows of every feed are deleted, before its files come, between them or after them.
#[test]
fn views_are_those_of_the_files_without_the_rows_that_are_deleted() {
    for seed in 0..3 {
        let mut rng = Rng::with_seed(seed);
        let (landing, files) = province(seed + 11);
        let without = landing.path().join("without");
        fs::create_dir(&without).expect("made");
        let (mut left, mut batches, mut back) = (Vec::new(), Vec::new(), Vec::new());
        for of in &files {
            let (path, name) = of;
            if !is_delivered(name) {
                left.push(of.clone());
                continue;
            }
            let rows = objects(of);
            let is_gone: Vec<bool> = rows.iter().map(|_| rng.u8(0..8) == 0).collect();
            let gone = || rows.iter().zip(&is_gone).filter(|(_, is_gone)| **is_gone).map(|(row, _)| row);
            if is_gone.contains(&true) {
                let is_bare = rng.bool();
                batches.push((name.feed, gone().map(|row| deleting(name.feed, row, is_bare)).collect::<Vec<_>>()));
                back.push((name.feed, gone().map(|row| Value::Object(row.clone())).collect::<Vec<_>>()));
            }
            let text = fs::read_to_string(path).expect("a file");
            let mut kept = is_gone.iter().map(|is_gone| !is_gone);
            let lines = text.lines().enumerate().filter(|(at, _)| *at == 0 || kept.next() == Some(true));
            let lines: String = lines.map(|(_, line)| format!("{line}\n")).collect();
            left.push(file(&without, &name.name, &lines));
        }
        assert!(batches.len() > 20, "{}", batches.len());
        let memory = Memory::default();
        let (service, other) = (Service::open(&memory, 2), Service::open(&Memory::single(), 1));
        other.take(left);
        let cut = rng.usize(0..files.len());
        let when: Vec<u8> = batches.iter().map(|_| rng.u8(0..3)).collect();
        for turn in 0..3 {
            for ((feed, rows), _) in batches.iter().zip(&when).filter(|(_, when)| **when == turn) {
                service.deliver(*feed, rows);
            }
            match turn {
                0 => service.take(files[cut..].to_vec()),
                1 => service.take(files[..cut].to_vec()),
                _ => {}
            }
        }
        same(&service.views(), &other.views(), &format!("seed {seed}: deleted"));
        service.verifies();
        // It is so after a restart, after the log was written anew, and however many workers there are.
        drop(service);
        let service = Service::open(&memory.crash(Loss::All), 1);
        same(&service.views(), &other.views(), &format!("seed {seed}: after a restart"));
        service.intake.store().lock().compact().expect("compacted");
        let memory = memory.crash(Loss::Nothing);
        let service = Service::open(&memory, 4);
        same(&service.views(), &other.views(), &format!("seed {seed}: written anew"));
        // By a later batch they are there again.
        let whole = Service::open(&Memory::single(), 1);
        whole.take(files);
        for (feed, rows) in back {
            service.deliver(feed, &rows);
        }
        same(&service.views(), &whole.views(), &format!("seed {seed}: back"));
        service.verifies();
    }
}

#[test]
fn a_batch_that_deletes_is_undone_and_what_it_hid_returns() {
    let home = tempfile::tempdir().expect("a directory");
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    let customers = "customer_id,city\nc1,Dalian\nc2,Dalian\nc3,Anshan\n";
    service.take([file(home.path(), "customer_2009-01.csv", customers)]);
    let delete = |id: &str| json!({ "_op": "delete", "customer_id": id });
    let listed = |service: &Service| service.view("customer_attribute").len();
    let first = service.deliver(Feed::Customer, &[delete("c1"), delete("nobody"), json!({ "customer_id": "c4" })]);
    assert_eq!(listed(&service), 3);
    // What comes later under a lower name stays away; a key that nobody had stays deleted too.
    service.take([file(home.path(), "customer_2009-02.csv", "customer_id,city\nc1,Shenyang\nnobody,Dalian\n")]);
    assert_eq!(listed(&service), 3);
    let second = service.deliver(Feed::Customer, &[json!({ "customer_id": "c1", "city": "Fushun" })]);
    assert_eq!(listed(&service), 4);
    let ledger = service.view("ingest_ledger");
    let entry = |file: &str| {
        let name = name(file);
        let of = format!("customer,{},{},1,accepted,", name.period, name.part);
        ledger.iter().find_map(|row| row.strip_prefix(&of)).expect("an entry").to_owned()
    };
    assert!(entry(&first).starts_with("3,0,") && entry(&second).starts_with("1,0,"), "{ledger:?}");
    service.undo(&second);
    assert_eq!(listed(&service), 3);
    service.undo(&first);
    // Of the two files the later one's row of c1 stands, and nobody is somebody.
    assert_eq!(listed(&service), 4);
    service.verifies();
    let views = service.views();
    drop(service);
    let service = Service::open(&memory.crash(Loss::All), 2);
    same(&service.views(), &views, "after a restart");
    service.intake.store().lock().compact().expect("compacted");
    same(&Service::open(&memory.crash(Loss::Nothing), 1).views(), &views, "written anew");
}

#[test]
fn a_key_stands_once_in_a_batch() {
    let service = Service::open(&Memory::single(), 1);
    let row =
        json!({ "order_id": "o1", "customer_id": "c1", "product_id": "p", "action": "subscribe", "at": "2009-01-01" });
    let delete = json!({ "_op": "delete", "order_id": "o1" });
    for rows in [[&row, &delete], [&delete, &row], [&delete, &delete], [&row, &row]] {
        let rows = rows.map(Clone::clone);
        match service.offer(Feed::Order, None, &rows, None) {
            Taken::Refused(why) => assert!(why.contains("key repeated, first on line 2"), "{why}"),
            _ => panic!("{rows:?} was taken"),
        }
    }
    match service.offer(Feed::Terminal, None, &[json!({ "_op": "delete", "customer_id": "c1" })], None) {
        Taken::Refused(why) => assert!(why.contains("seen_on: must not be empty"), "{why}"),
        _ => panic!("half a key was taken"),
    }
    assert_eq!(service.view("ingest_ledger"), Vec::<String>::new());
}

#[test]
fn bills_of_a_batch_stand_over_the_files_of_their_month_and_as_of_follows() {
    let home = tempfile::tempdir().expect("a directory");
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    let bill = |id: &str, month: &str, fee: u32| json!({ "customer_id": id, "month": month, "total_fee": fee });
    let delete = |id: &str, month: &str| json!({ "_op": "delete", "customer_id": id, "month": month });
    let last_fee = |service: &Service, id: &str| {
        let fee = VIEWS.iter().find(|view| view.name == "customer_attribute").expect("a view");
        let place = fee.columns.iter().position(|column| column.name == "last_fee").expect("a column");
        let row = service.view("customer_attribute").into_iter().find(|row| row.starts_with(&format!("{id},")));
        row.and_then(|row| row.split(',').nth(place).map(str::to_owned))
    };
    let header = "customer_id,month,total_fee";
    service.take([file(home.path(), "bill_2009-01.csv", &format!("{header}\nc1,2009-01,10\nc2,2009-01,20\n"))]);
    let first = service.deliver(Feed::Bill, &[bill("c1", "2009-01", 11), bill("c3", "2009-01", 30)]);
    assert_eq!(first, "bill_2009-01_z00000001.csv");
    assert_eq!((service.as_of().as_deref(), last_fee(&service, "c1").as_deref()), (Some("2009-01"), Some("11.00")));
    // A file of the same month that comes later, and a higher version of one.
    service.take([file(home.path(), "bill_2009-01_99.csv", &format!("{header}\nc1,2009-01,12\n"))]);
    service.take([file(home.path(), "bill_2009-01.v2.csv", &format!("{header}\nc1,2009-01,13\nc2,2009-01,21\n"))]);
    assert_eq!(last_fee(&service, "c1").as_deref(), Some("11.00"));
    assert_eq!(last_fee(&service, "c2").as_deref(), Some("21.00"));
    // Who only deletes has billed nobody; the next month begins with the first bill of it.
    service.deliver(Feed::Bill, &[delete("c1", "2009-02")]);
    assert_eq!(service.as_of().as_deref(), Some("2009-01"));
    let next = service.deliver(Feed::Bill, &[bill("c2", "2009-02", 5)]);
    assert_eq!(next, "bill_2009-02_z00000002.csv");
    assert_eq!(service.as_of().as_deref(), Some("2009-02"));
    service.take([file(home.path(), "bill_2009-02.csv", &format!("{header}\nc1,2009-02,1\n"))]);
    assert_eq!((last_fee(&service, "c1").as_deref(), last_fee(&service, "c2").as_deref()), (Some(""), Some("5.00")));
    service.verifies();
    // A bill that a batch hides is one of its month still.
    service.undo(&next);
    assert_eq!((service.as_of().as_deref(), last_fee(&service, "c2").as_deref()), (Some("2009-02"), Some("")));
    drop(service);
    let service = Service::open(&memory.crash(Loss::All), 2);
    assert_eq!((service.as_of().as_deref(), last_fee(&service, "c1").as_deref()), (Some("2009-02"), Some("")));
    service.verifies();
    let future = service.offer(Feed::Bill, None, &[bill("c1", "2999-01", 1)], None);
    assert!(matches!(future, Taken::Refused(why) if why.contains("month")));
}

#[test]
fn what_takes_more_than_a_fifth_off_a_list_waits_for_a_person() {
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::open(&Memory::single(), 1);
    let listed: String = (0..10).map(|number| format!("quiet,c{number}\nvip,c{number}\n")).collect();
    service.take([file(home.path(), "listing_2009-01.csv", &format!("list_id,customer_id\n{listed}"))]);
    // Letters stand behind days: what a file of such a period has is not taken off.
    service.take([file(home.path(), "listing_known.csv", "list_id,customer_id\nknown,c1\nknown,c2\n")]);
    let said: String = (0..4).map(|number| format!("c{number},music,sms,2009-01-01,false\n")).collect();
    let header = "customer_id,purpose,channel_id,at,given";
    service.take([file(home.path(), "consent_2009-01.csv", &format!("{header}\n{said}"))]);
    let off = |ids: std::ops::Range<u32>, list: &str| -> Vec<Value> {
        let row = |id| json!({ "_op": "delete", "list_id": list, "customer_id": format!("c{id}") });
        ids.map(row).collect()
    };
    let is_done = |taken: &Taken| matches!(taken, Taken::Done { outranked: Some(0), .. });
    let known = service.offer(Feed::Listing, None, &off(1..3, "known"), None);
    assert!(matches!(known, Taken::Done { outranked: Some(2), .. }));
    // Who is on no list is no loss to it.
    assert!(is_done(&service.offer(Feed::Listing, None, &off(8..30, "quiet"), None)));
    let rows = [off(0..2, "quiet"), off(0..2, "vip")].concat();
    let held = |confirmed| service.offer(Feed::Listing, Some("k"), &rows, confirmed);
    assert!(matches!(held(None), Taken::Held { before: 8, after: 6 }));
    assert!(matches!(held(Some((8, 7))), Taken::Held { before: 8, after: 6 }));
    assert!(is_done(&held(Some((8, 6)))));
    assert!(matches!(held(None), Taken::Done { outranked: None, .. }));
    let row =
        json!({ "_op": "delete", "customer_id": "c0", "purpose": "music", "channel_id": "sms", "at": "2009-01-01" });
    assert!(matches!(service.offer(Feed::Consent, None, &[row], None), Taken::Held { before: 4, after: 3 }));
    service.verifies();
}

#[test]
fn who_is_erased_is_in_no_key_that_is_deleted() {
    const ID: &str = "gone-0123456789";
    let home = tempfile::tempdir().expect("a directory");
    let memory = Memory::default();
    let service = Service::open(&memory, 1);
    let customers = format!("customer_id,city\n{ID},Dalian\nkept-1,Dalian\n");
    service.take([file(home.path(), "customer_2009-01.csv", &customers)]);
    let usage = format!("customer_id,day,measure,quantity\n{ID},2009-01-02,sms,5\nkept-1,2009-01-02,sms,6\n");
    service.take([file(home.path(), "usage_2009-01.csv", &usage)]);
    let delete = |id: &str| json!({ "_op": "delete", "customer_id": id, "day": "2009-01-02", "measure": "sms" });
    service.deliver(Feed::Usage, &[delete(ID), delete("kept-1"), delete("kept-2")]);
    service.deliver(Feed::Customer, &[json!({ "_op": "delete", "customer_id": ID })]);
    service.deliver(Feed::Order, &[json!({ "_op": "delete", "order_id": "o1", "customer_id": ID })]);
    let Erased::Erasure(erasure) = service.intake.erase(ID, false, &|_| Ok(Vec::new())).expect("nothing fails") else {
        panic!("it is erased")
    };
    // Two rows, and two keys that were deleted.
    let removed: Vec<_> = erasure.plan.removed.rows.iter().map(|(feed, rows)| (*feed, *rows)).collect();
    assert_eq!(removed, [("customer", 2), ("usage", 2)]);
    for file in memory.list().expect("names") {
        let bytes = memory.bytes(&file).expect("a file");
        assert!(!bytes.windows(ID.len()).any(|window| window == ID.as_bytes()), "{file}");
    }
    service.verifies();
    let counts = |service: &Service| {
        let store = service.intake.store().lock();
        let usage = store.ledger().entries().filter(|entry| entry.partition.feed == Feed::Usage);
        usage.map(|entry| (entry.rows, entry.erased)).collect::<Vec<_>>()
    };
    let counted = counts(&service);
    assert!(counted.contains(&(Some((2, 0)), 1)) && counted.contains(&(Some((1, 0)), 1)), "{counted:?}");
    let (views, again) = (service.views(), Service::open(&memory.crash(Loss::All), 2));
    same(&again.views(), &views, "after a restart");
    assert_eq!(counts(&again), counted);
    again.verifies();
    // Whoever names him is told so, and nothing of it is kept.
    match again.offer(Feed::Usage, None, &[delete(ID)], None) {
        Taken::Refused(why) => assert!(why.contains("erased"), "{why}"),
        _ => panic!("he was named again"),
    }
}
