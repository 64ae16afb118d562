//! The hand-off: contacts are made once, and what forbids them is before them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::service::{Home, Service};

pub const PROGRAMME: &str = r#"
[settings]
caps = [{ contacts = 1, days = 7 }]

[[campaign]]
id = "spring"
audience = "true"
product = "crbt"
exclude = ["holders", "list:vip"]
consent = "promotion"
channels = ["sms", "call"]
steps = [{ channel = "sms" }, { channel = "call", after_days = 8, if = "no_response" }]

[[content]]
campaign = "spring"
channel = "sms"
text = "Reply Y"
link = "http://m.example/y"

[[content]]
campaign = "spring"
channel = "call"
text = "Ask him"
"#;

/// Customers c1 to c6, who all consented, under a programme whose campaign runs.
pub struct Town {
    pub home: Home,
    pub programme: PathBuf,
}

impl Town {
    pub fn new(programme: &str) -> Town {
        let home = Home::new();
        let path = home.path().join("programme.toml");
        fs::write(&path, programme).expect("written");
        let customers: String = (1..7).map(|ix| format!("c{ix},138000000{ix:02},Dalian\n")).collect();
        home.land("customer_2009-07.csv", format!("customer_id,msisdn,city\n{customers}"));
        let said: String = (1..7).map(|ix| format!("c{ix},promotion,*,2009-07-01 10:00:00,true\n")).collect();
        home.land("consent_2009-07.csv", format!("customer_id,purpose,channel_id,at,given\n{said}"));
        home.land("terminal_2009-07.csv", "customer_id,seen_on,supports\nc1,2009-07-01,wap\n");
        let run = "s1,spring,running,2009-07-01 12:00:00,zhang\n";
        home.land("campaign_state_2009-07.csv", format!("change_id,campaign_id,state,at,by\n{run}"));
        home.land("channel_all.csv", "channel_id,unit_cost,daily_capacity\nsms,0.10,\n");
        Town { home, programme: path }
    }

    pub fn serve(&self) -> Service {
        self.home.serve_with(&["--programme", self.programme.to_str().expect("a path")])
    }

    /// The service, with a list of nobody too, so that nothing stands against a release.
    pub fn served(&self) -> Service {
        self.home.land("listing_all.csv", "list_id,customer_id\n");
        let service = self.serve();
        service.settle(6);
        open(&service);
        service
    }

    /// Lands a file and waits until it is accepted, with all that follows from it.
    pub fn land(&self, service: &Service, name: &str, text: &str) {
        self.home.land(name, text);
        let stem = name.trim_end_matches(".csv");
        let feed = ["campaign_state", "order", "consent", "contact", "feedback", "listing"];
        let feed = feed.into_iter().find(|feed| stem.starts_with(&format!("{feed}_"))).expect("a feed");
        let period = &stem[feed.len() + 1..];
        let target = format!("/v1/views/ingest_ledger?feed={feed}&period={period}&status=accepted");
        service.until(&target, |reply| (reply.good()["rows"].as_array()?.len() == 1).then_some(()));
    }

    pub fn outbox(&self) -> PathBuf {
        self.home.path().join("data.outbox")
    }

    /// Lines of the files that a channel would find, without their headers.
    pub fn lying(&self, channel: &str) -> Vec<String> {
        let directory = self.outbox().join("channels").join(channel);
        let mut lines = Vec::new();
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            if !name.starts_with('.') {
                lines.extend(fs::read_to_string(path).expect("a file").lines().skip(1).map(str::to_owned));
            }
        }
        lines
    }

    /// Who has a contact there.
    pub fn customers(&self, channel: &str) -> BTreeSet<String> {
        self.lying(channel).iter().map(|line| field(line, 3)).collect()
    }

    /// Takes every file, as a channel does.
    pub fn take(&self, channel: &str) -> BTreeSet<String> {
        let taken = self.customers(channel);
        for entry in fs::read_dir(self.outbox().join("channels").join(channel)).expect("a directory") {
            fs::rename(entry.expect("an entry").path(), self.home.path().join("taken.csv")).expect("taken");
        }
        taken
    }
}

pub fn field(line: &str, place: usize) -> String {
    line.split(',').nth(place).expect("a field").to_owned()
}

pub fn open(service: &Service) {
    service.until("/readyz", |reply| (reply.json()["release"]["ready"] == true).then_some(()));
}

pub fn release(service: &Service) -> Value {
    service.post("/v1/campaigns/spring/release", &json!({})).good()
}

/// Why nothing is released.
pub fn closed(service: &Service) -> String {
    service.post("/v1/campaigns/spring/release", &json!({})).refused(409, "closed")
}

pub fn opt_out(service: &Service, customer: &str) {
    let body = json!({ "customer_id": customer, "by": "gateway", "reason": "STOP" });
    assert_eq!(service.post("/v1/optouts", &body).status, 201);
}

pub fn of(ids: &[u32]) -> BTreeSet<String> {
    ids.iter().map(|ix| format!("c{ix}")).collect()
}

#[test]
fn a_contact_is_made_once_whatever_is_asked_again() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let dry = service.post("/v1/campaigns/spring/release", &json!({ "dry_run": true })).good();
    assert_eq!((&dry["handed_off"], &dry["cost"]), (&json!(6), &json!(60)));
    assert!(town.lying("sms").is_empty());
    let first = service.post("/v1/campaigns/spring/release", &json!({ "limit": 2 })).good();
    assert_eq!((&first["due"], &first["handed_off"]), (&json!(6), &json!(2)));
    assert_eq!(release(&service)["handed_off"], 4);
    assert_eq!(release(&service)["handed_off"], 0);
    assert_eq!(town.customers("sms"), of(&[1, 2, 3, 4, 5, 6]));
    // A terminal that opens links has one, the others the text.
    let kinds: BTreeSet<_> = town.lying("sms").iter().map(|line| (field(line, 3), field(line, 7))).collect();
    assert!(
        kinds.contains(&("c1".to_owned(), "link".to_owned())) && kinds.contains(&("c2".to_owned(), "text".to_owned()))
    );
    service.kill();
    let service = town.serve();
    open(&service);
    assert_eq!(release(&service)["handed_off"], 0);
    assert_eq!(town.lying("sms").len(), 6);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn what_forbids_a_contact_takes_it_out_of_the_outbox_before_it_is_acknowledged() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    release(&service);
    opt_out(&service, "c1");
    assert_eq!(town.customers("sms"), of(&[2, 3, 4, 5, 6]));
    let add = |list: &str, id: &str| {
        let body = json!({ "op": "add", "customers": [id], "by": "zhang", "reason": "asks" });
        assert_eq!(service.post(&format!("/v1/lists/{list}"), &body).status, 201);
    };
    add("do_not_contact", "c2");
    assert_eq!(town.customers("sms"), of(&[3, 4, 5, 6]));
    add("vip", "c3");
    assert_eq!(town.customers("sms"), of(&[4, 5, 6]));
    town.land(
        &service,
        "consent_2009-08.csv",
        "customer_id,purpose,channel_id,at,given\nc4,promotion,*,2009-07-02 10:00:00,false\n",
    );
    town.land(
        &service,
        "order_2009-08.csv",
        "order_id,customer_id,product_id,action,at\no1,c5,crbt,subscribe,2009-07-02 10:00:00\n",
    );
    assert_eq!(town.customers("sms"), of(&[6]));
    // What a channel has taken was handed off: it is not made again, whatever comes.
    assert_eq!(town.take("sms"), of(&[6]));
    opt_out(&service, "c6");
    assert_eq!(release(&service)["handed_off"], 0);
    // What was withdrawn was never made: c2 has his contact when he is off the list again.
    let remove = json!({ "op": "remove", "customers": ["c2"], "by": "zhang", "reason": "asks" });
    assert_eq!(service.post("/v1/lists/do_not_contact", &remove).status, 201);
    assert_eq!(release(&service)["handed_off"], 1);
    assert_eq!(town.customers("sms"), of(&[2]));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

#[test]
fn nothing_is_released_while_what_may_forbid_it_is_missing_or_held_or_waits() {
    let town = Town::new(PROGRAMME);
    let service = town.serve();
    service.settle(5);
    assert!(closed(&service).contains("nothing of the feed listing was ever taken"));
    let ready = service.get("/readyz");
    assert_eq!((ready.status, &ready.json()["ready"]), (503, &json!(false)));
    let rows: String = (1..7).map(|ix| format!("vip,c{ix}\n")).collect();
    town.home.land("listing_vip.csv", format!("list_id,customer_id\n{rows}"));
    service.settle(6);
    open(&service);
    town.home.land("listing_vip.v2.csv", "list_id,customer_id\nvip,c1\n");
    let held = service.until("/readyz", |reply| {
        let reasons = reply.json()["release"]["reasons"].to_string();
        reasons.contains("held").then_some(reasons)
    });
    assert!(held.contains("listing_vip.v2.csv") && closed(&service).contains("held"), "{held}");
    assert_eq!(service.post("/v1/held/listing_vip.v2.csv/confirm", &json!({})).status, 200);
    open(&service);
    // One that cannot be read leaves it open whom it names.
    town.home.land("listing_other.csv", "list_id,who\nvip,c1\n");
    service.until("/readyz", |reply| reply.json()["release"]["reasons"].to_string().contains("refused").then_some(()));
    assert!(closed(&service).contains("listing_other.csv"));
    fs::remove_file(town.home.landing().join("listing_other.csv")).expect("removed");
    open(&service);
    assert_eq!(release(&service)["handed_off"], 5);
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).expect("copied");
        }
    }
}

#[test]
fn an_old_copy_of_the_data_contacts_nobody_again_and_forgets_no_opt_out() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    let old = town.home.path().join("old");
    service.kill();
    copy(&town.home.data(), &old);
    let service = town.serve();
    open(&service);
    service.post("/v1/campaigns/spring/release", &json!({ "limit": 4 })).good();
    assert_eq!(town.take("sms"), of(&[1, 2, 3, 4]));
    opt_out(&service, "c5");
    opt_out(&service, "stranger");
    service.kill();
    fs::remove_dir_all(town.home.data()).expect("removed");
    copy(&old, &town.home.data());
    let service = town.serve();
    open(&service);
    assert_eq!(release(&service)["handed_off"], 1);
    assert_eq!(town.customers("sms"), of(&[6]));
    // Without the journal nobody knows whom it was.
    service.kill();
    fs::remove_dir_all(town.outbox()).expect("removed");
    let service = town.serve();
    let told = service.until("/readyz", |reply| {
        let reasons = reply.json()["release"]["reasons"].to_string();
        reasons.contains("journal").then_some(reasons)
    });
    assert!(told.contains("lacks 2 of the batches"), "{told}");
    assert!(closed(&service).contains("journal"));
}

#[test]
fn a_deletion_takes_contacts_out_of_the_outbox_and_an_old_copy_of_the_data_does_not_forget_it() {
    let town = Town::new(PROGRAMME);
    let service = town.serve();
    service.settle(5);
    let delete = |service: &Service, feed: &str, row: Value| {
        let kind = [("content-type", "application/x-ndjson")];
        let reply = service.ask("POST", &format!("/v1/feeds/{feed}/batch"), &kind, row.to_string().as_bytes());
        assert_eq!(reply.status, 202, "{}", reply.text());
    };
    // Who only deletes has not told who is on a list.
    delete(&service, "listing", json!({ "_op": "delete", "list_id": "vip", "customer_id": "c9" }));
    assert!(closed(&service).contains("nothing of the feed listing was ever taken"));
    town.home.land("listing_all.csv", "list_id,customer_id\n");
    service.settle(7);
    open(&service);
    let old = town.home.path().join("old");
    service.kill();
    copy(&town.home.data(), &old);
    let service = town.serve();
    open(&service);
    assert_eq!(release(&service)["handed_off"], 6);
    let said = json!({ "_op": "delete", "customer_id": "c1", "purpose": "promotion", "channel_id": "*", "at": "2009-07-01 10:00:00" });
    delete(&service, "consent", said);
    // Before it is answered.
    assert_eq!(town.customers("sms"), of(&[2, 3, 4, 5, 6]));
    service.kill();
    fs::remove_dir_all(town.home.data()).expect("removed");
    copy(&old, &town.home.data());
    let service = town.serve();
    open(&service);
    assert_eq!(release(&service)["handed_off"], 0);
    assert_eq!(town.customers("sms"), of(&[2, 3, 4, 5, 6]));
    let rows = service.get("/v1/views/ingest_ledger?feed=consent&status=accepted").good()["rows"].clone();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
}

#[test]
fn a_listing_that_begins_takes_contacts_out_of_the_outbox_when_it_does() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    release(&service);
    town.land(&service, "listing_later.csv", "list_id,customer_id,from\nvip,c6,2009-07-02 00:00:00\n");
    assert_eq!(town.customers("sms"), of(&[1, 2, 3, 4, 5, 6]));
    let order = "order_id,customer_id,product_id,action,at\no1,x,x,subscribe,2009-07-02 00:00:00\n";
    town.land(&service, "order_2009-08.csv", order);
    service.until("/readyz", |_| (town.customers("sms") == of(&[1, 2, 3, 4, 5])).then_some(()));
}

#[test]
fn the_outbox_of_another_store_is_left_to_it() {
    let (town, other) = (Town::new(PROGRAMME), Town::new(PROGRAMME));
    drop(town.served());
    let mut arguments = vec!["--programme", other.programme.to_str().expect("a path")];
    let outbox = town.outbox();
    arguments.extend(["--outbox", outbox.to_str().expect("a path")]);
    let told = other.home.command(&arguments).output().expect("it ends");
    assert_eq!(told.status.code(), Some(2));
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("could not open the outbox") && told.contains("of another store"), "{told}");
}

#[test]
fn what_was_prepared_and_never_reserved_is_dropped_and_what_was_reserved_is_checked_and_shown() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    release(&service);
    service.kill();
    let directory = town.outbox().join("channels/sms");
    let shown = fs::read_dir(&directory).expect("a directory").next().expect("a file").expect("an entry").path();
    let name = shown.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    // As if the machine had stopped before the batch was shown, and in the middle of another.
    fs::rename(&shown, directory.join(format!(".{name}.prepared"))).expect("renamed");
    let other = name.replace("_00000001", "_00000077");
    let line = "00000000000000000000000000000000,spring,1,c1,,sms,1,text,Reply Y,2009-07-01 12:00:00";
    fs::write(directory.join(format!(".{other}.prepared")), format!("contact_id\n{line}\n")).expect("written");
    let journal = town.outbox().join("journal").join(&other);
    fs::write(&journal, "contact_id\n").expect("written");
    let said = "customer_id,purpose,channel_id,at,given\nc4,promotion,*,2009-07-02 10:00:00,false\n";
    town.home.land("consent_2009-08.csv", said);
    let service = town.serve();
    service.until("/v1/views/ingest_ledger?feed=consent&period=2009-08", |reply| {
        (!reply.good()["rows"].as_array()?.is_empty()).then_some(())
    });
    open(&service);
    assert_eq!(town.customers("sms"), of(&[1, 2, 3, 5, 6]));
    assert!(!journal.exists() && fs::read_dir(&directory).expect("a directory").count() == 1);
    assert_eq!(release(&service)["handed_off"], 0);
}

#[test]
fn room_is_that_of_budget_capacity_and_seed() {
    let limited = PROGRAMME.replace("consent = \"promotion\"", "consent = \"promotion\"\nbudget = 0.35");
    let town = Town::new(&limited);
    let service = town.served();
    let told = release(&service);
    assert_eq!((&told["handed_off"], &told["left"]["budget"]), (&json!(3), &json!(3)));
    let limited = PROGRAMME.replace("consent = \"promotion\"", "consent = \"promotion\"\ncapacity = { sms = 2 }");
    let town = Town::new(&limited);
    let service = town.served();
    assert_eq!(release(&service)["left"]["capacity"], 4);
    // Another day has room again.
    town.land(
        &service,
        "order_2009-08.csv",
        "order_id,customer_id,product_id,action,at\no1,x,x,subscribe,2009-07-02 00:00:00\n",
    );
    assert_eq!(release(&service)["handed_off"], 2);
    let seeded = "seed = { size = 2, min_delivery = 0.9, max_complaints = 0.01 }";
    let town = Town::new(&PROGRAMME.replace("consent = \"promotion\"", &format!("consent = \"promotion\"\n{seeded}")));
    let service = town.served();
    let told = release(&service);
    assert_eq!((&told["handed_off"], &told["left"]["seed"]), (&json!(2), &json!(4)));
    assert_eq!(release(&service)["handed_off"], 0);
    let contacts: String = town
        .lying("sms")
        .iter()
        .map(|line| format!("{},spring,{},sms,2009-07-01 12:00:00,delivered\n", field(line, 0), field(line, 3)))
        .collect();
    town.land(
        &service,
        "contact_2009-07.csv",
        &format!("contact_id,campaign_id,customer_id,channel_id,at,outcome\n{contacts}"),
    );
    // What was delivered is taken out of the outbox before the file is done with.
    open(&service);
    assert_eq!(release(&service)["handed_off"], 4);
}

#[test]
fn a_later_step_waits_for_its_days_and_its_condition_and_caps_are_asked_again() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    release(&service);
    assert_eq!(town.take("sms").len(), 6);
    let mut files = 7;
    let mut pass = |at: &str| {
        let order = format!("order_id,customer_id,product_id,action,at\no{files},x,x,subscribe,{at}\n");
        town.land(&service, &format!("order_2009-08-{files}.csv"), &order);
        files += 1;
    };
    town.land(
        &service,
        "feedback_2009-07.csv",
        "feedback_id,campaign_id,customer_id,kind,at\nf1,spring,c1,open,2009-07-03 00:00:00\n",
    );
    pass("2009-07-09 11:59:59");
    assert_eq!(release(&service)["due"], 0);
    pass("2009-07-09 12:00:00");
    let told = release(&service);
    assert_eq!((&told["due"], &told["handed_off"], &told["by_channel"]["call"]), (&json!(5), &json!(5), &json!(5)));
    assert_eq!(town.customers("call"), of(&[2, 3, 4, 5, 6]));
}

#[test]
fn a_campaign_that_does_not_run_or_is_quiet_or_has_not_begun_releases_nothing() {
    let town = Town::new(
        &PROGRAMME.replace("audience", "quiet = [\"11:00-13:00\"]\ndates = [\"2009-07-02\", \"2009-07-20\"]\naudience"),
    );
    let service = town.served();
    let told = closed(&service);
    assert!(told.contains("quiet hours") && told.contains("begins at 2009-07-02 00:00:00"), "{told}");
    town.land(
        &service,
        "order_2009-08.csv",
        "order_id,customer_id,product_id,action,at\no1,x,x,subscribe,2009-07-03 14:00:00\n",
    );
    assert_eq!(release(&service)["handed_off"], 6);
    // Paused, it takes back what nobody has taken.
    let pause = "change_id,campaign_id,state,at,by\ns2,spring,paused,2009-07-03 15:00:00,li\n";
    town.land(&service, "campaign_state_2009-08.csv", pause);
    assert!(town.lying("sms").is_empty());
    assert!(closed(&service).contains("the campaign is paused"));
    // Approved and not running it is sent to a few, on trial.
    let approve = "change_id,campaign_id,state,at,by\ns3,spring,approved,2009-07-03 16:00:00,li\n";
    town.land(&service, "campaign_state_2009-09.csv", approve);
    let trial = |limit: usize| service.post("/v1/campaigns/spring/release", &json!({ "trial": true, "limit": limit }));
    assert!(trial(101).refused(409, "closed").contains("at most 100 contacts"));
    assert_eq!(trial(2).good()["handed_off"], 2);
    assert_eq!(town.lying("sms").len(), 2);
    assert!(closed(&service).contains("the campaign is approved"));
    service.post("/v1/campaigns/none/release", &json!({})).refused(404, "not_found");
}
