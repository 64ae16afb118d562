//! A member's place on the leaderboard.

use serde_json::{Value, json};

use crate::files::province;
use crate::service::{Home, Service};

/// The small province, and members at 20, 66 and 100 points beside c1 at 66, in two cities.
fn served(home: &Home) -> Service {
    let mut files = province();
    let member = |id: &str, points: i64| {
        (format!("m{id},{id},register,2009-06-01,\n"), format!("p{id},{id},{points},by hand,admin,2009-06-02\n"))
    };
    // Registering earns 10 by the reference programme.
    let members = [member("n000", 56), member("c3", 90), member("c2", 10), member("50%", -11)];
    let (events, adjustments): (Vec<String>, Vec<String>) = members.into_iter().unzip();
    files.push((
        "member_event_2009-07.csv".to_owned(),
        "event_id,customer_id,kind,at,product_id\n".to_owned() + &events.concat(),
    ));
    files.push((
        "adjustment_2009-07.csv".to_owned(),
        "adjustment_id,customer_id,points,reason,by,at\n".to_owned() + &adjustments.concat(),
    ));
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

fn neighbour(id: &str, position: usize, balance: i64) -> Value {
    json!({ "customer_id": id, "position": position, "balance": balance })
}

#[test]
fn a_member_is_told_his_place_and_his_neighbours() {
    let home = Home::new();
    let service = served(&home);
    let standing = service.get("/v1/customers/c1/standing").good();
    let expected = json!({
        "customer_id": "c1",
        "epoch": service.get("/readyz").good()["epoch"],
        "city": "广州",
        "balance": 66,
        "rank": "private first class",
        "in_province": {
            "position": 2, "tied": 1, "members": 5,
            "above": [neighbour("c3", 1, 100)],
            "below": [neighbour("n000", 2, 66), neighbour("c2", 4, 20), neighbour("50%", 5, -1)],
        },
        "in_city": {
            "position": 2, "tied": 0, "members": 2, "above": [neighbour("c3", 1, 100)], "below": [],
        },
    });
    assert_eq!(standing, expected);
    let standing = service.get("/v1/customers/50%25/standing?neighbours=1").good();
    assert_eq!(standing["in_province"]["above"], json!([neighbour("c2", 4, 20)]));
    assert_eq!(standing["in_province"]["below"], json!([]));
    let standing = service.get("/v1/customers/c1/standing?neighbours=0").good();
    assert_eq!((&standing["in_province"]["above"], &standing["in_province"]["below"]), (&json!([]), &json!([])));
}

#[test]
fn a_place_follows_what_lands() {
    let home = Home::new();
    let service = served(&home);
    assert_eq!(service.get("/v1/customers/c2/standing").good()["in_province"]["position"], 4);
    home.land(
        "adjustment_2009-08.csv",
        "adjustment_id,customer_id,points,reason,by,at\nx,c2,500,by hand,admin,2009-06-03\n",
    );
    home.land("member_event_2009-08.csv", "event_id,customer_id,kind,at\ny,c3,deregister,2009-06-09\n");
    let position = |reply: &crate::exchange::Reply| {
        let place = &reply.good()["in_province"];
        (place["position"] == 1 && place["members"] == 4).then_some(())
    };
    service.until("/v1/customers/c2/standing", position);
    service.get("/v1/customers/c3/standing").refused(404, "no_member");
}

#[test]
fn who_is_no_member_has_no_place() {
    let home = Home::new();
    let service = served(&home);
    service.get("/v1/customers/nobody/standing").refused(404, "not_found");
    for id in ["客户一", "n001"] {
        let id: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
        service.get(&format!("/v1/customers/{id}/standing")).refused(404, "no_member");
    }
    for query in ["neighbours=51", "neighbours=-1", "neighbours=", "neighbours=three", "neighbours=1&neighbours=2"] {
        service.get(&format!("/v1/customers/c1/standing?{query}")).refused(400, "bad_request");
    }
}
