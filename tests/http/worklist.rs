//! Calls that people make: claimed by one, given to nobody who must not be called, and what came of them is kept.

use std::fs;

use serde_json::{Value, json};

use crate::full::ALL_OF_IT;
use crate::orders::{keyed, made};
use crate::service::{Home, Service};

const PROGRAMME: &str = r#"
[[campaign]]
id = "spring"
audience = "true"
product = "crbt"
exclude = ["holders"]
channels = ["call"]

[[content]]
campaign = "spring"
channel = "call"
text = "Ask him"
"#;

fn serve(home: &Home) -> Service {
    let service = home.serve_with(&["--programme", home.path().join("programme.toml").to_str().expect("a path")]);
    service.until("/readyz", |reply| (reply.json()["release"]["ready"] == true).then_some(()));
    service
}

/// Customers c1 to c3, each handed off to be called.
fn called() -> (Home, Service) {
    called_of(PROGRAMME, 3)
}

/// The same under another programme, which has room for so many of them. A call costs a yuan.
fn called_of(programme: &str, room: usize) -> (Home, Service) {
    let home = Home::new();
    fs::write(home.path().join("programme.toml"), programme).expect("written");
    home.land("channel_all.csv", "channel_id,unit_cost\ncall,1.00\n");
    home.land("customer_2009-07.csv", "customer_id,city\nc1,Dalian\nc2,Dalian\nc3,Dalian\n");
    home.land("listing_all.csv", "list_id,customer_id\n");
    let run = "s1,spring,running,2009-07-01 12:00:00,zhang\n";
    home.land("campaign_state_2009-07.csv", format!("change_id,campaign_id,state,at,by\n{run}"));
    let service = serve(&home);
    service.settle(4);
    let released = service.post("/v1/campaigns/spring/release", &json!({})).good();
    assert_eq!(released["handed_off"], room);
    visible(&service, &released);
    (home, service)
}

fn tasks(service: &Service, asked: &str) -> Vec<Value> {
    service.get(&format!("/v1/worklist{asked}")).good()["tasks"].as_array().expect("tasks").clone()
}

/// The contact of a customer.
fn contact(service: &Service, customer: &str) -> String {
    let all = tasks(service, "");
    let task = all.iter().find(|task| task["customer_id"] == customer).expect("a task");
    task["contact_id"].as_str().expect("an id").to_owned()
}

fn claim(service: &Service, contact: &str, agent: &str) -> crate::exchange::Reply {
    service.post(&format!("/v1/worklist/{contact}/claim"), &json!({ "agent": agent }))
}

fn result(service: &Service, contact: &str, body: &Value) -> crate::exchange::Reply {
    service.post(&format!("/v1/worklist/{contact}/result"), body)
}

/// Waits until what was answered is visible.
fn visible(service: &Service, answered: &Value) {
    let epoch = answered["epoch"].as_u64();
    service.until("/readyz", |reply| (reply.json()["epoch"].as_u64() >= epoch).then_some(()));
}

fn states(service: &Service, state: &str) -> usize {
    tasks(service, &format!("?state={state}")).len()
}

#[test]
fn a_call_is_one_agents_and_what_came_of_it_outlives_the_service() {
    let (home, service) = called();
    let [first, second] = ["c1", "c2"].map(|customer| contact(&service, customer));
    let task = claim(&service, &first, "ann").good();
    assert_eq!((&task["task"]["customer_id"], &task["task"]["state"]), (&json!("c1"), &json!("claimed")));
    claim(&service, &first, "ann").good();
    claim(&service, &first, "bob").refused(409, "claimed");
    assert_eq!(tasks(&service, "?agent=ann&campaign=spring").len(), 1);
    assert_eq!((states(&service, "open"), states(&service, "claimed")), (2, 1));
    let body = json!({ "agent": "bob", "outcome": "delivered" });
    result(&service, &first, &body).refused(409, "claimed");
    let body = json!({ "agent": "ann", "outcome": "delivered", "feedback": "decline" });
    let target = format!("/v1/worklist/{first}/result");
    assert_eq!(made(&keyed(&service, &target, "k", &body))["rows"], 2);
    assert_eq!(keyed(&service, &target, "k", &body).good()["repeated"], true);
    assert_eq!(result(&service, &first, &body).good()["repeated"], true);
    result(&service, &first, &json!({ "agent": "ann", "outcome": "failed" })).refused(409, "done");
    claim(&service, &first, "bob").refused(409, "done");
    claim(&service, &second, "bob").good();
    service.kill();
    // Who had which is forgotten, what came of it is not.
    let service = serve(&home);
    assert_eq!((states(&service, "done"), states(&service, "open"), states(&service, "claimed")), (1, 2, 0));
    assert_eq!(keyed(&service, &target, "k", &body).good()["repeated"], true);
    let declined = service.get("/v1/views/target_excluded?reason=declined").good();
    assert_eq!(declined["rows"][0]["customers"], 1);
    assert_eq!(tasks(&service, "?limit=1").len(), 1);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn a_call_that_was_made_while_its_file_lay_in_the_outbox_gives_no_room_back() {
    let lying = |home: &Home| {
        let directory = fs::read_dir(home.path().join("data.outbox/channels/call")).expect("a directory");
        let texts = directory.map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a file"));
        texts.map(|text| text.lines().skip(1).count()).sum::<usize>()
    };
    for (limit, left) in [("capacity = { call = 2 }", "capacity"), ("budget = 2.00", "budget")] {
        let programme = PROGRAMME.replace("product = \"crbt\"", &format!("product = \"crbt\"\n{limit}"));
        let (home, service) = called_of(&programme, 2);
        let [first, second] = ["c1", "c2"].map(|customer| contact(&service, customer));
        made(&result(&service, &first, &json!({ "agent": "ann", "outcome": "delivered", "feedback": "decline" })));
        // Nobody is called again from the file.
        assert_eq!(lying(&home), 1);
        let then = json!({ "agent": "ann", "outcome": "callback", "at_callback": "2009-07-05 10:00:00", "feedback": "decline" });
        made(&result(&service, &second, &then));
        assert_eq!(lying(&home), 0);
        let released = service.post("/v1/campaigns/spring/release", &json!({})).good();
        assert_eq!((&released["handed_off"], &released["left"][left]), (&json!(0), &json!(1)), "{limit}");
        service.kill();
        let service = serve(&home);
        assert_eq!((states(&service, "done"), states(&service, "callback")), (1, 1));
        let released = service.post("/v1/campaigns/spring/release", &json!({})).good();
        assert_eq!((&released["handed_off"], &released["left"][left]), (&json!(0), &json!(1)), "{limit}");
    }
}

#[test]
fn a_result_of_a_call_that_was_withdrawn_meanwhile_is_taken_with_the_opt_out_in_it() {
    let programme = PROGRAMME.replace("product = \"crbt\"", "product = \"crbt\"\ncapacity = { call = 3 }");
    let (home, service) = called_of(&programme, 3);
    let [first, second, third] = ["c1", "c2", "c3"].map(|customer| contact(&service, customer));
    claim(&service, &first, "ann").good();
    for customer in ["c1", "c2", "c3"] {
        let add = json!({ "op": "add", "customers": [customer], "by": "zhang", "reason": "asks" });
        made(&service.post("/v1/lists/do_not_contact", &add));
    }
    service.until("/v1/worklist", |reply| (reply.good()["tasks"] == json!([])).then_some(()));
    claim(&service, &first, "ann").refused(410, "gone");
    let body = |agent: &str| json!({ "agent": agent, "outcome": "delivered", "feedback": "optout" });
    let late = json!({ "agent": "ann", "outcome": "callback", "at_callback": "2009-07-01" });
    result(&service, &first, &late).refused(400, "bad_request");
    assert!(tasks(&service, "").is_empty(), "what was refused reserves nothing");
    visible(&service, &made(&result(&service, &first, &body("ann"))));
    assert_eq!(result(&service, &first, &body("ann")).good()["repeated"], true);
    let then = json!({ "agent": "bob", "outcome": "callback", "at_callback": "2009-07-05 10:00:00" });
    visible(&service, &made(&result(&service, &second, &then)));
    claim(&service, &second, "bob").refused(410, "gone");
    let excluded = service.get("/v1/views/target_excluded?reason=optout").good();
    assert_eq!(excluded["rows"][0]["customers"], 1);
    service.kill();
    // The two that were made are reserved again, and the third is not.
    let service = serve(&home);
    assert_eq!((states(&service, "done"), states(&service, "callback"), states(&service, "open")), (1, 1, 0));
    for customer in ["c1", "c2", "c3"] {
        let remove = json!({ "op": "remove", "customers": [customer], "by": "zhang", "reason": "asks" });
        made(&service.post("/v1/lists/do_not_contact", &remove));
    }
    assert_eq!(service.post("/v1/campaigns/spring/release", &json!({})).good()["handed_off"], 1);
    made(&result(&service, &third, &json!({ "agent": "ann", "outcome": "failed" })));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn who_opted_out_meanwhile_is_never_given_out() {
    let (home, service) = called();
    let [first, second, third] = ["c1", "c2", "c3"].map(|customer| contact(&service, customer));
    // As the channel takes them: what it has is not withdrawn any more.
    let directory = home.path().join("data.outbox/channels/call");
    for entry in fs::read_dir(directory).expect("a directory") {
        fs::rename(entry.expect("an entry").path(), home.path().join("taken.csv")).expect("taken");
    }
    claim(&service, &second, "ann").good();
    let out = |customer: &str| json!({ "customer_id": customer, "by": "gateway", "reason": "STOP" });
    made(&service.post("/v1/optouts", &out("c1")));
    assert!(claim(&service, &first, "ann").refused(410, "gone").contains("optout"));
    // Also where he was claimed before; and where he says so himself.
    let add = json!({ "op": "add", "customers": ["c2"], "by": "zhang", "reason": "asks" });
    made(&service.post("/v1/lists/do_not_contact", &add));
    assert!(claim(&service, &second, "ann").refused(410, "gone").contains("do_not_contact"));
    let body =
        json!({ "agent": "ann", "outcome": "callback", "at_callback": "2009-07-05 10:00:00", "feedback": "optout" });
    made(&result(&service, &third, &body));
    assert!(claim(&service, &third, "ann").refused(410, "gone").contains("optout"));
}

#[test]
fn a_full_disk_takes_a_result_with_an_opt_out_in_it() {
    let (home, service) = called();
    let [first, second] = ["c1", "c2"].map(|customer| contact(&service, customer));
    service.kill();
    let service = home.serve_with(&["--reserve", ALL_OF_IT]);
    let body = |said: &str| json!({ "agent": "ann", "outcome": "delivered", "feedback": said });
    result(&service, &first, &body("decline")).refused(507, "disk_full");
    assert_eq!(made(&result(&service, &first, &body("optout")))["rows"], 2);
    let then = json!({ "agent": "ann", "outcome": "callback", "at_callback": "2009-07-05", "feedback": "optout" });
    made(&result(&service, &second, &then));
    service.kill();
    let service = serve(&home);
    assert_eq!((states(&service, "done"), states(&service, "callback"), states(&service, "open")), (1, 1, 1));
    let excluded = service.get("/v1/views/target_excluded?reason=optout").good();
    assert_eq!(excluded["rows"][0]["customers"], 2);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn who_is_to_be_called_back_waits_until_then() {
    let (home, service) = called();
    let first = contact(&service, "c1");
    let body = |at: &str| json!({ "agent": "ann", "outcome": "callback", "at_callback": at });
    assert!(result(&service, &first, &body("2009-07-01 12:00:00")).refused(400, "bad_request").contains("after now"));
    made(&result(&service, &first, &body("2009-07-02 10:00:00")));
    assert_eq!(tasks(&service, "?state=callback")[0]["callback_at"], "2009-07-02 10:00:00");
    service.kill();
    let service = serve(&home);
    assert_eq!((states(&service, "callback"), states(&service, "open")), (1, 2));
    let order = "order_id,customer_id,product_id,action,at\no1,x,x,subscribe,2009-07-02 10:00:00\n";
    home.land("order_2009-07.csv", order);
    service.until("/v1/worklist?state=open", |reply| {
        (reply.good()["tasks"].as_array().map(Vec::len) == Some(3)).then_some(())
    });
    claim(&service, &first, "bob").good();
    let ordered = json!({ "agent": "bob", "outcome": "delivered", "feedback": "order" });
    visible(&service, &made(&result(&service, &first, &ordered)));
    assert_eq!(states(&service, "done"), 1);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn what_names_no_call_or_says_nothing_is_refused() {
    let (_home, service) = called();
    let first = contact(&service, "c1");
    claim(&service, "none", "ann").refused(404, "not_found");
    claim(&service, &"0".repeat(32), "ann").refused(410, "gone");
    for id in ["none", &"0".repeat(32)] {
        result(&service, id, &json!({ "agent": "ann", "outcome": "failed" })).refused(404, "not_found");
    }
    claim(&service, &first, " ").refused(400, "bad_request");
    for body in [
        json!({ "agent": "ann", "outcome": "busy" }),
        json!({ "agent": "ann", "outcome": "callback" }),
        json!({ "agent": "ann", "outcome": "callback", "at_callback": "soon" }),
        json!({ "agent": "ann", "outcome": "failed", "at_callback": "2009-07-05" }),
        json!({ "agent": "ann", "outcome": "failed", "feedback": "shown" }),
        json!({ "agent": "", "outcome": "failed" }),
        json!({ "outcome": "failed" }),
    ] {
        result(&service, &first, &body).refused(400, "bad_request");
    }
    for asked in ["?state=other", "?limit=10001", "?colour=red"] {
        service.get(&format!("/v1/worklist{asked}")).refused(400, "bad_request");
    }
    assert_eq!(states(&service, "open"), 3);
}
