//! A person is erased: out of every file that the service keeps, whatever he was in, and for good.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::feeds::follower::Follower;
use crate::handoff::{PROGRAMME, Town, copy, field, open, release};

const ID: &str = "U-7e57c0de-canary-90210";

/// Every file of a directory, and of those in it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Nothing that is kept holds him: neither his id nor what stands for his number, in whatever spelling.
#[track_caller]
fn is_nowhere(town: &Town, token: &str) {
    let canaries = [
        ID.as_bytes().to_vec(),
        hex::encode(ID).into_bytes(),
        token.as_bytes().to_vec(),
        hex::decode(token).expect("a token"),
    ];
    for path in [town.home.data(), town.outbox()].iter().flat_map(|directory| files(directory)) {
        let bytes = fs::read(&path).expect("a file");
        for canary in &canaries {
            let holds = bytes.windows(canary.len()).any(|window| window == canary);
            assert!(!holds, "{path:?} holds {:?}", String::from_utf8_lossy(canary));
        }
    }
}

/// A town in which he is, has a contact in the outbox, ordered and opted out, and is followed.
fn town() -> Town {
    let town = Town::new(PROGRAMME);
    town.home.land("customer_2009-08.csv", format!("customer_id,msisdn,city\n{ID},13800000099,Dalian\n"));
    let said = format!("customer_id,purpose,channel_id,at,given\n{ID},promotion,*,2009-07-01 10:00:00,true\n");
    town.home.land("consent_2009-08.csv", said);
    town.home.land("product_all.csv", "product_id,name\ncrbt,Ringback\n");
    town.home.land("listing_all.csv", "list_id,customer_id\n");
    town
}

#[test]
fn who_was_erased_is_in_no_file_and_is_never_contacted() {
    let town = town();
    let service = town.serve();
    service.settle(9);
    open(&service);
    let mut followers = ["customer_attribute", "target", "tier_count"].map(Follower::new);
    for follower in &mut followers {
        follower.connect(&service);
        follower.read_to_mark();
        follower.close();
    }
    assert_eq!(release(&service)["handed_off"], 7);
    let his = town.lying("sms").into_iter().find(|line| field(line, 3) == ID).expect("a contact");
    let token = field(&his, 4);
    let reply = json!({ "customer_id": ID, "text": "Y", "campaign_id": "spring", "by": "gateway" });
    assert_eq!(service.post("/v1/replies", &reply).status, 201);
    assert_eq!(service.post("/v1/provisioning/batch", &json!({})).good()["requests"], 1);
    let body = json!({ "customer_id": ID, "by": "gateway", "reason": format!("{ID} wrote STOP") }).to_string();
    let key = format!("stop-{ID}");
    let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
    assert_eq!(service.ask("POST", "/v1/optouts", &headers, body.as_bytes()).status, 201);
    let others: String = (0..300).map(|number| format!("o-{number},c1,mail,trial,2009-07-01\n")).collect();
    let header = "order_id,customer_id,product_id,action,at";
    let orders = format!("{header}\n{others}o1,{ID},crbt,nothing,2009-07-01\n");
    town.land(&service, "order_2009-08.csv", &orders);

    let path = format!("/v1/customers/{ID}/erase");
    let tried = service.post(&format!("{path}?dry_run=true"), &json!({})).good();
    assert_eq!((&tried["erased"], &tried["known"]), (&json!(false), &json!(true)), "{tried}");
    assert!(
        service
            .post(&path, &json!({ "reason": format!("asked by {ID}") }))
            .refused(400, "bad_request")
            .contains("name")
    );
    let told = service.post(&path, &json!({ "reason": "request 17" })).good();
    assert_eq!((&told["erased"], &told["finished"]), (&json!(true), &json!(true)), "{told}");
    assert_eq!(tried["journals"], told["journals"], "{tried}");
    for (key, value) in tried["rows"].as_object().expect("rows") {
        assert_eq!(&told["rows"][key], value, "{key}");
    }
    let names: Vec<&str> =
        told["files"].as_array().expect("files").iter().filter_map(|file| file["file"].as_str()).collect();
    for file in ["customer_2009-08.csv", "consent_2009-08.csv", "order_2009-08.csv"] {
        assert!(names.contains(&file), "{told}");
    }
    assert_eq!(told["journals"], json!(["customer_attribute", "target"]), "{told}");
    assert!(!told.to_string().contains(ID), "{told}");
    is_nowhere(&town, &token);
    assert_eq!(town.lying("sms").len(), 6);

    // Whoever followed him is told so, and nobody else is.
    let [attribute, target, count] = &mut followers;
    for follower in [attribute, target] {
        let token = follower.token.as_ref().expect("a token");
        let refused = service.get(&format!("/v1/views/{}/feed?after={token}", follower.view));
        assert_eq!((refused.status, &refused.json()["code"]), (410, &json!("token_expired")));
    }
    count.connect(&service);
    count.close();

    // He is asked for in vain, and what comes of him leaves nothing.
    assert_eq!(service.get(&format!("/v1/customers/{ID}")).status, 404);
    let body = json!({ "customer_id": ID, "by": "gateway", "reason": "STOP" });
    assert!(service.post("/v1/optouts", &body).refused(400, "bad_request").contains("erased"));
    town.land(
        &service,
        "consent_2009-09.csv",
        &format!("customer_id,purpose,channel_id,at,given\n{ID},promotion,*,2009-07-03 10:00:00,true\n"),
    );
    assert_eq!(release(&service)["handed_off"], 0);
    assert_eq!(service.post("/v1/verify", &json!({})).good()["divergences"], 0);
    is_nowhere(&town, &token);
    assert!(!service.told().contains(ID), "{}", service.told());
    service.kill();
    let service = town.serve();
    open(&service);
    assert_eq!(release(&service)["handed_off"], 0);
    is_nowhere(&town, &token);
    assert!(!service.told().contains(ID), "{}", service.told());
}

#[test]
fn an_old_copy_of_the_data_or_of_the_outbox_does_not_bring_him_back() {
    let town = town();
    let service = town.serve();
    service.settle(9);
    open(&service);
    assert_eq!(release(&service)["handed_off"], 7);
    let token = field(&town.lying("sms").into_iter().find(|line| field(line, 3) == ID).expect("a contact"), 4);
    service.stop();
    let [old, outbox] = ["old", "old.outbox"].map(|name| town.home.path().join(name));
    copy(&town.home.data(), &old);
    copy(&town.outbox(), &outbox);
    let service = town.serve();
    open(&service);
    service.post(&format!("/v1/customers/{ID}/erase"), &json!({})).good();
    service.kill();
    fs::remove_dir_all(town.home.data()).expect("removed");
    copy(&old, &town.home.data());
    let service = town.serve();
    open(&service);
    is_nowhere(&town, &token);
    assert_eq!(release(&service)["handed_off"], 0);
    assert_eq!(service.get(&format!("/v1/customers/{ID}")).status, 404);
    assert!(!service.told().contains(ID), "{}", service.told());
    service.kill();
    // The other way round: what lies there from before is not taken by a channel.
    fs::remove_dir_all(town.outbox()).expect("removed");
    copy(&outbox, &town.outbox());
    assert_eq!(town.lying("sms").len(), 7);
    let service = town.serve();
    open(&service);
    assert_eq!(town.lying("sms").len(), 6);
    is_nowhere(&town, &token);
}
