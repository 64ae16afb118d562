use std::sync::Arc;

use dataflows::records::{Feed, RequestState, RowKey};

use super::batches::{self, Batch};
use super::edits::{Does, Edit, Edited, ListEdit, OptOut, Request};
use super::{Intake, Taken, landed};
use crate::engine::Engine;
use crate::ingest::objects::sheet;
use crate::orders::{self, Accepted, OfferAnswer};
use crate::programme::{self, Source};
use crate::store::memory::{Loss, Memory};
use crate::store::room::RESERVE_BYTES;
use crate::store::{Store, StoreError};

#[test]
fn a_programme_published_without_its_names_is_published_again() {
    let text = "points.rule = [{ id = 'r', on = 'login', product = 'mail', points = 1 }]\nrank = [{ id = 'private', from = 0 }]\n";
    let mut store = Store::open(Arc::new(Memory::default()), [7; 32]).expect("the store opens");
    let sources = vec![("p.toml".to_owned(), text.to_owned())];
    store.publish(sources, std::iter::empty()).expect("it is published");
    let engine = Engine::start(1, |_| {}).expect("the workers start");
    let parse = |published: Option<&[crate::store::Source]>| {
        let files = published.expect("a programme was published").iter();
        let files = files.map(|(name, text)| Source { name: name.clone(), text: text.clone() }).collect();
        programme::parse(files).map_err(|_| anyhow::anyhow!("refused"))
    };
    let intake = Intake::begin(store, engine.hub(), parse, jiff::Timestamp::now).expect("the service starts");
    let names = intake.names();
    assert!(["private", "mail"].iter().all(|name| names.read().words.find(name).is_some()));
    assert_eq!(intake.hub().published().programme.ranks.len(), 1);
}

fn begun(memory: &Memory) -> (Intake, Engine) {
    let store = Store::open(Arc::new(memory.clone()), [7; 32]).expect("the store opens");
    let engine = Engine::start(1, |_| {}).expect("the workers start");
    let parse =
        |_: Option<&[crate::store::Source]>| programme::parse(Vec::new()).map_err(|_| anyhow::anyhow!("refused"));
    let intake = Intake::begin(store, engine.hub(), parse, jiff::Timestamp::now).expect("the service starts");
    (intake, engine)
}

fn asked(intake: &Intake, edit: &Edit) -> Result<Edited, StoreError> {
    intake.edit(&Request { edit, by: "zhang", reason: "asks", key: None, body: b"" })
}

#[test]
fn a_full_disk_still_takes_an_opt_out() {
    let memory = Memory::default();
    let (intake, engine) = begun(&memory);
    let landing = tempfile::tempdir().expect("a directory");
    let land = |name: &str, text: &str| std::fs::write(landing.path().join(name), text).expect("written");
    let take = || {
        let mut told = Vec::new();
        let files = landed(landing.path()).expect("listed").files;
        intake.take(files, &|_| {}, &mut |name, taken| told.push((name.name.clone(), taken))).expect("nothing fails");
        told
    };
    land("customer_2009-07.csv", "customer_id\nc1\n");
    assert!(matches!(take()[..], [(_, Taken::Accepted { .. })]));
    memory.set_available(RESERVE_BYTES - 1);
    let before = intake.store().lock().log_bytes();
    let adjustment = Edit::Adjustment { customer: "c1".to_owned(), points: 5, at: None };
    assert!(matches!(asked(&intake, &adjustment), Err(StoreError::Full(_))));
    land("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,1.00\n");
    let told = take();
    assert!(
        matches!(&told[..], [(bill, Taken::Later(why)), (_, Taken::Duplicate)]
            if bill == "bill_2009-07.csv" && why.contains("MB would have to be free")),
        "{told:?}"
    );
    assert_eq!(intake.store().lock().log_bytes(), before, "what was refused has touched the log");
    let done = |edit: &Edit| matches!(asked(&intake, edit), Ok(Edited::Done { .. }));
    assert!(done(&Edit::OptOut(OptOut { customer: "c1".to_owned(), campaign: None, channel: None })));
    assert!(done(&Edit::List(ListEdit {
        list: "vip".to_owned(),
        does: Does::Add,
        customers: vec!["c1".to_owned()],
        from: None,
        until: None,
        confirmed: None,
    })));
    land("consent_2009-07.csv", "customer_id,purpose,channel_id,at,given\nc1,promotion,*,2009-07-01,false\n");
    assert!(matches!(take()[..], [(_, Taken::Later(_)), (_, Taken::Accepted { .. }), (_, Taken::Duplicate)]));
    assert_eq!(intake.short(|_| true).len(), 1);
    // As a power cut would have it: what was answered is there.
    drop((intake, engine));
    let memory = memory.crash(Loss::All);
    let (intake, _engine) = begun(&memory);
    assert_eq!(intake.store().lock().live_rows(), 4);
    let files = landed(landing.path()).expect("listed").files;
    let mut accepted = Vec::new();
    let mut tell = |name: &crate::ingest::names::FileName, taken| {
        accepted.extend(matches!(taken, Taken::Accepted { .. }).then(|| name.name.clone()));
    };
    intake.take(files, &|_| {}, &mut tell).expect("nothing fails");
    assert_eq!(accepted, ["bill_2009-07.csv"]);
}

#[test]
fn what_follows_from_an_answer_waits_for_room_and_stops_no_start() {
    let memory = Memory::default();
    let (intake, engine) = begun(&memory);
    let landing = tempfile::tempdir().expect("a directory");
    let take = |intake: &Intake, name: &str, text: &str| {
        std::fs::write(landing.path().join(name), text).expect("written");
        let mut files = landed(landing.path()).expect("listed").files;
        files.retain(|(_, of)| of.name == name);
        let mut accepted = 0;
        let mut tell = |_: &crate::ingest::names::FileName, taken| {
            accepted += usize::from(matches!(taken, Taken::Accepted { .. }));
        };
        intake.take(files, &|_| {}, &mut tell).expect("nothing fails");
        assert_eq!(accepted, 1, "{name}");
    };
    take(&intake, "customer_2009-07.csv", "customer_id\nc1\n");
    take(&intake, "product_2009-07.csv", "product_id\ncrbt\n");
    let offered = OfferAnswer {
        customer: "c1",
        product: "crbt",
        campaign: None,
        channel: None,
        answer: Accepted::Accepted,
        by: "hall",
        key: None,
        body: b"",
    };
    let Ok(orders::Taken::Ordered(told)) = intake.answer_offer(&offered) else { panic!("it is not ordered") };
    let state = |intake: &Intake| {
        let store = intake.store().lock();
        store.order_requests().request(&told.request_id).map(|row| row.state)
    };
    // Room for the answer, and none for what follows from it.
    memory.set_available(RESERVE_BYTES + 2_000);
    let answer = format!("request_id,state,at\n{},opened,2009-07-02\n", told.request_id);
    take(&intake, "provisioning_2009-07.csv", &answer);
    assert_eq!(state(&intake), Some(RequestState::Requested));
    intake.finish_orders().expect("nothing fails");
    assert_eq!(state(&intake), Some(RequestState::Requested));
    drop((intake, engine));
    let memory = memory.crash(Loss::All);
    memory.set_available(RESERVE_BYTES - 1);
    let (intake, _engine) = begun(&memory);
    intake.complete_orders().expect("it starts");
    assert_eq!(state(&intake), Some(RequestState::Requested));
    memory.set_available(2 * RESERVE_BYTES);
    intake.finish_orders().expect("nothing fails");
    assert_eq!(state(&intake), Some(RequestState::Opened));
    assert!(intake.store().lock().has_ever(&RowKey::Order(told.request_id.as_str().into())));
    // What somebody deletes of it is not made again.
    let body = format!("{{\"_op\":\"delete\",\"order_id\":\"{}\"}}", told.request_id);
    let text = sheet(Feed::Order, body.as_bytes()).expect("a row").text;
    let batch = Batch { feed: Feed::Order, key: None, body: body.as_bytes(), text, month: None, confirmed: None };
    assert!(matches!(intake.deliver(batch), Ok(batches::Taken::Done { .. })));
    let epoch = intake.store().lock().epoch();
    intake.complete_orders().expect("it starts");
    assert_eq!(intake.store().lock().epoch(), epoch);
}
