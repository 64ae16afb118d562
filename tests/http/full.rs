//! A full disk: what forbids contacts is taken, and nothing else.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::handoff::{PROGRAMME, Town, closed, of, open, opt_out, release};
use crate::service::{Home, Service};

/// More megabytes than a disk has: all of it is kept free.
pub const ALL_OF_IT: &str = "1000000000000";

fn serve_full(town: &Town) -> Service {
    town.home.serve_with(&["--reserve", ALL_OF_IT])
}

#[test]
fn a_full_disk_still_takes_an_opt_out() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    service.post("/v1/campaigns/spring/release", &json!({ "limit": 4 })).good();
    service.kill();
    let service = serve_full(&town);
    open(&service);
    let ready = service.get("/readyz");
    assert!(ready.status == 503 && ready.json()["reasons"][0].to_string().contains("is full"), "{}", ready.text());
    let told = service.post("/v1/campaigns/spring/release", &json!({})).refused(507, "disk_full");
    assert!(told.contains("free some space"), "{told}");
    // The next batch has its number: nothing of it is left, hidden or in the journal.
    let left = |directory: &str| fs::read_dir(town.outbox().join(directory)).expect("a directory").count();
    assert_eq!((left("channels/sms"), left("journal")), (1, 3));
    assert_eq!(service.post("/v1/campaigns/spring/release", &json!({ "dry_run": true })).good()["handed_off"], 2);
    let adjustment = json!({ "customer_id": "c1", "points": 1, "by": "zhang", "reason": "prize" });
    service.post("/v1/adjustments", &adjustment).refused(507, "disk_full");
    let programme = json!({ "sources": [{ "name": "p.toml", "text": "" }] });
    service.post("/v1/programme", &programme).refused(507, "disk_full");
    town.home.land("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,1.00\n");
    service.until("/readyz", |reply| reply.text().contains("bill_2009-07.csv").then_some(()));
    // Each of these takes somebody out of the outbox.
    opt_out(&service, "c1");
    let add = json!({ "op": "add", "customers": ["c2"], "by": "zhang", "reason": "asks" });
    assert_eq!(service.post("/v1/lists/do_not_contact", &add).status, 201);
    assert_eq!(town.customers("sms"), of(&[3, 4]));
    let refused = "customer_id,purpose,channel_id,at,given\nc3,promotion,sms,2009-07-02 10:00:00,false\n";
    town.home.land("consent_2009-08.csv", refused);
    service.until("/v1/views/ingest_ledger?feed=consent", |reply| {
        (reply.good()["rows"].as_array().map(Vec::len) == Some(2)).then_some(())
    });
    assert_eq!(town.customers("sms"), of(&[4]));
    let state = |state: &str| json!({ "state": state, "by": "li" });
    assert_eq!(service.post("/v1/campaigns/spring/state", &state("paused")).status, 201);
    assert!(town.lying("sms").is_empty());
    service.post("/v1/campaigns/spring/state", &state("running")).refused(507, "disk_full");
    assert_eq!(service.told().matches("could not take extract \"bill_2009-07.csv\" yet").count(), 1);
    service.kill();
    // With room, all of it goes on.
    let service = town.serve();
    service.until("/v1/views/ingest_ledger?feed=bill", |reply| {
        (reply.good()["rows"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
    open(&service);
    assert_eq!(service.post("/v1/campaigns/spring/state", &state("running")).status, 201);
    // Who took his consent back for one channel has another.
    assert_eq!(release(&service)["handed_off"], 4);
    assert_eq!((town.customers("sms"), town.customers("call")), (of(&[4, 5, 6]), of(&[3])));
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
}

/// Files of a process may not be longer, in bytes. Signals of it are ignored, so that a write fails as on a full disk.
const LEN_MAX: u64 = 1 << 20;

fn serve_limited(home: &Home) -> Service {
    let plain = home.command(&[]);
    let mut command = Command::new("sh");
    let limited = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$@\"", LEN_MAX / 512);
    command.args(["-c", &limited, "sh"]).arg(plain.get_program()).args(plain.get_args());
    Service::start(home.at_home(command))
}

#[test]
fn an_opt_out_that_cannot_be_noted_beside_the_outbox_is_taken_and_nothing_is_released_until_it_is() {
    let town = Town::new(PROGRAMME);
    let service = town.served();
    opt_out(&service, "c1");
    service.kill();
    // The journal has grown to what its disk holds.
    let journal = town.outbox().join("journal/edits.log");
    let before = fs::read_to_string(&journal).expect("a journal");
    let mut padding = json!({ "feed": "none", "period": "", "part": "", "file": "", "sha256": "", "text": "" });
    let empty = padding.to_string().len() + 1;
    padding["text"] = "x".repeat(LEN_MAX as usize - before.len() - empty - 10).into();
    fs::write(&journal, format!("{before}{padding}\n")).expect("written");
    let service = serve_limited(&town.home);
    open(&service);
    opt_out(&service, "c2");
    opt_out(&service, "c3");
    let told = closed(&service);
    assert!(told.contains("journal of edits") && told.contains("2 wait for it"), "{told}");
    service.until("/readyz", |reply| reply.text().contains("journal of edits").then_some(()));
    service.kill();
    // What waits for the journal waits after a restart too.
    let service = serve_limited(&town.home);
    service.until("/readyz", |reply| reply.text().contains("2 wait for it").then_some(()));
    service.lift_limit();
    open(&service);
    assert_eq!(release(&service)["handed_off"], 3);
    assert_eq!(town.customers("sms"), of(&[4, 5, 6]));
    let journal = fs::read_to_string(&journal).expect("a journal");
    let noted =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("a line is whole")["text"].to_string();
    let texts: Vec<String> = journal.lines().map(noted).collect();
    assert!(texts.len() == 4 && texts[2].contains(",c2,") && texts[3].contains(",c3,"), "{}", texts.len());
    // An older copy of the data is told of them.
    service.kill();
    fs::remove_dir_all(town.home.data()).expect("removed");
    let service = town.serve();
    service.until("/v1/views/ingest_ledger?feed=feedback", |reply| {
        (reply.good()["rows"].as_array().map(Vec::len) == Some(3)).then_some(())
    });
}
