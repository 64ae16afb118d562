//! Who may ask what, and what of it he sees.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::exchange::{Reply, connect, request};
use crate::files::province;
use crate::service::{Home, Service};

/// A service with a small province, and somebody of each role.
struct Staffed {
    service: Service,
    tokens: BTreeMap<&'static str, String>,
}

const PASSWORD: &str = "correct horse";

/// Names, and what is said of them. `gz` sees 广州, `half` a district of it.
pub fn staff() -> Vec<(&'static str, Value)> {
    let of = |role: &str| json!({ "role": role, "password": PASSWORD });
    let placed = |role: &str| {
        let mut said = of(role);
        said["places"] = json!([{ "city": "广州" }]);
        said
    };
    let mut channel = of("channel");
    channel["channel"] = "sms".into();
    vec![
        ("administrator", of("administrator")),
        ("data", of("data")),
        ("planner", of("planner")),
        ("planner@place", placed("planner")),
        ("approver", of("approver")),
        ("city_operator@place", placed("city_operator")),
        ("hall_administrator@place", placed("hall_administrator")),
        ("agent", of("agent")),
        ("agent@place", placed("agent")),
        ("privacy", of("privacy")),
        ("privacy@place", placed("privacy")),
        ("auditor", of("auditor")),
        ("channel", channel.clone()),
        ("channel@place", {
            channel["places"] = json!([{ "city": "广州" }]);
            channel
        }),
    ]
}

impl Staffed {
    fn new(home: &Home) -> Staffed {
        let files = province();
        files.iter().for_each(|(name, text)| home.land(name, text));
        let service = home.serve();
        service.settle(files.len());
        let mut staffed = Staffed { service, tokens: BTreeMap::new() };
        for (name, mut said) in staff() {
            said["name"] = name.into();
            let reply = staffed.ask_as("administrator", "POST", "/v1/accounts", Some(&said));
            assert_eq!(reply.status, 201, "{}", reply.text());
            if name == "administrator" {
                let login = json!({ "name": name, "password": PASSWORD });
                let told = staffed.service.post("/v1/login", &login).good();
                staffed.tokens.insert(name, told["token"].as_str().expect("a token").to_owned());
            }
            let path = format!("/v1/accounts/{}/tokens", name);
            let reply = staffed.ask_as("administrator", "POST", &path, Some(&json!({})));
            assert_eq!(reply.status, 201, "{}", reply.text());
            staffed.tokens.insert(name, reply.json()["token"].as_str().expect("a token").to_owned());
        }
        staffed
    }

    fn ask_as(&self, who: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let bearer = self.tokens.get(who).map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let body = body.map(Value::to_string);
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.service.ask(method, path, &headers, body.unwrap_or_default().as_bytes())
    }

    fn get(&self, who: &str, path: &str) -> Reply {
        self.ask_as(who, "GET", path, None)
    }

    fn post(&self, who: &str, path: &str, body: &Value) -> Reply {
        self.ask_as(who, "POST", path, Some(body))
    }

    /// What stands in a column of a view's rows.
    #[track_caller]
    fn column(&self, who: &str, path: &str, column: &str) -> Vec<Value> {
        let told = self.get(who, path).good();
        told["rows"].as_array().expect("rows").iter().map(|row| row[column].clone()).collect()
    }
}

#[test]
fn the_first_account_ends_that_whoever_asks_may_everything() {
    let home = Home::new();
    let service = home.serve();
    let deadline = std::time::Instant::now() + crate::exchange::PATIENCE;
    while !service.told().contains("accounts            none") {
        assert!(std::time::Instant::now() < deadline, "{}", service.told());
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let me = service.get("/v1/me").good();
    assert_eq!((&me["name"], &me["sees_persons"]), (&Value::Null, &json!(true)));
    let planner = json!({ "name": "ann", "role": "planner", "password": PASSWORD });
    service.post("/v1/accounts", &planner).refused(409, "account");
    let root = json!({ "name": "root", "role": "administrator", "password": PASSWORD });
    assert_eq!(service.post("/v1/accounts", &root).status, 201);
    let nobody = service.get("/v1/views");
    nobody.refused(401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    assert_eq!(service.get("/healthz").status, 200);
    let login = |password: &str| service.post("/v1/login", &json!({ "name": "root", "password": password }));
    login("wrong horse").refused(401, "wrong_password");
    let told = login(PASSWORD);
    assert_eq!(told.header("cache-control"), Some("no-store"));
    let token = told.good()["token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    let ask = |method: &str, path: &str| service.ask(method, path, &[("authorization", &bearer)], b"");
    assert_eq!(ask("GET", "/v1/me").good()["name"], "root");
    // His is no door to persons.
    ask("GET", "/v1/customers/c1").refused(403, "forbidden");
    ask("GET", "/v1/views/tier").refused(403, "forbidden");
    assert_eq!(ask("POST", "/v1/logout").status, 200);
    ask("GET", "/v1/me").refused(401, "unauthorized");
    // Sooner or later the right one has to wait too: how long a try takes, machines differ in.
    let slowed = (0..60).map(|_| login("wrong horse")).find(|reply| reply.status == 429).expect("guessing slows down");
    slowed.refused(429, "too_many_tries");
    // Accounts outlive the process.
    service.stop();
    let service = home.serve();
    service.get("/v1/views").refused(401, "unauthorized");
}

/// Of the checked-in matrix: a route, and who may ask it.
fn agreed() -> Vec<(String, BTreeMap<String, String>)> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy.txt")).expect("the matrix");
    let mut routes: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match (line.strip_prefix("    "), routes.last_mut()) {
            (None, _) => routes.push((line.to_owned(), BTreeMap::new())),
            (Some(told), Some((_, may))) => {
                let (what, who) = told.split_once(':').expect("what: who");
                may.extend(who.split(',').map(|who| (who.trim().to_owned(), what.to_owned())));
            }
            (Some(_), None) => panic!("{line}"),
        }
    }
    routes
}

#[test]
fn each_role_is_let_to_each_route_as_was_agreed() {
    let home = Home::new();
    let staffed = Staffed::new(&home);
    let mut asked = 0;
    for (route, may) in agreed() {
        let (method, template) = route.split_once(' ').expect("a method and a path");
        if may.values().any(|what| what == "everybody") {
            continue;
        }
        // Somebody of 广州, and names of what there is not: nothing is changed by asking.
        let path = template.replace("/customers/{id}", "/customers/c1").replace("/views/{name}", "/views/no_view");
        let path = ["{id}", "{name}", "{file}", "{list}", "{contact_id}", "{token}"]
            .iter()
            .fold(path, |path, part| path.replace(part, "no-such"));
        let elsewhere = path.replace("/customers/c1", "/customers/c2");
        let unauthorized = staffed.ask_as("nobody", method, &path, Some(&json!({})));
        unauthorized.refused(401, "unauthorized");
        for who in staffed.tokens.keys() {
            let body = (method == "POST").then(|| json!({}));
            let reply = staffed.ask_as(who, method, &path, body.as_ref());
            let is_refused = reply.status == 403 && reply.json()["code"] == "forbidden";
            assert_eq!(is_refused, !may.contains_key(*who), "{who} asks {route}: {}", reply.text());
            assert_ne!(reply.status, 500, "{who} asks {route}: {}", reply.text());
            asked += 1;
            if elsewhere != path && may.get(*who).map(String::as_str) == Some("own") {
                // As of a customer that there is not: to the letter.
                let other = staffed.ask_as(who, method, &elsewhere, body.as_ref());
                let none = staffed.ask_as(who, method, &path.replace("c1", "no-such"), body.as_ref());
                other.refused(404, "not_found");
                assert_eq!(other.body, none.body, "{who} asks {route}");
            }
        }
    }
    assert!(asked > 500, "{asked}");
}

#[test]
fn rows_of_other_places_are_not_there_whatever_is_asked() {
    let home = Home::new();
    let staffed = Staffed::new(&home);
    let who = "city_operator@place";
    for view in ["tier", "customer_attribute", "points_balance", "segment_member", "visit", "points_entry"] {
        let ids = staffed.column(who, &format!("/v1/views/{view}?limit=100000"), "customer_id");
        assert!(ids.iter().all(|id| id == "c1" || id == "c3"), "{view}: {ids:?}");
    }
    assert_eq!(staffed.column(who, "/v1/views/customer_attribute", "customer_id"), ["c1", "c3"]);
    assert_eq!(staffed.column(who, "/v1/views/customer_attribute?customer_id=c2", "customer_id"), [Value::Null; 0]);
    assert_eq!(staffed.column(who, "/v1/views/tier?customer_id=c1", "customer_id"), ["c1"]);
    let cities = staffed.column(who, "/v1/views/tier_count", "city");
    assert!(!cities.is_empty() && cities.iter().all(|city| city == "广州"), "{cities:?}");
    // Whoever is named in a row lives here: c1 recommended it to somebody of 珠海.
    assert_eq!(staffed.column(who, "/v1/views/referral", "referrer"), [Value::Null; 0]);
    assert_eq!(staffed.column("planner", "/v1/views/referral", "referrer"), ["c1"]);
    staffed.get(who, "/v1/views/rank_count").refused(403, "forbidden");
    let csv = staffed.get(who, "/v1/views/tier?format=csv");
    assert!(csv.text().contains("c1,") && !csv.text().contains("c2,"), "{}", csv.text());
    // Neither is anything done to them.
    let adjust = |id: &str| json!({ "customer_id": id, "points": 1, "reason": "a test" });
    staffed.post(who, "/v1/adjustments", &adjust("c2")).refused(404, "not_found");
    assert_eq!(staffed.post(who, "/v1/adjustments", &adjust("c1")).status, 201);
    let edit = |op: &str, ids: &[&str]| json!({ "op": op, "customers": ids, "reason": "a test" });
    staffed.post(who, "/v1/lists/vip", &edit("add", &["c1", "c2"])).refused(404, "not_found");
    staffed.post(who, "/v1/lists/vip", &edit("replace", &["c1"])).refused(403, "forbidden");
    staffed.post(who, "/v1/lists/vip", &edit("clear", &[])).refused(403, "forbidden");
    let out = json!({ "customer_id": "c2", "reason": "a test" });
    staffed.post(who, "/v1/optouts", &out).refused(404, "not_found");
    // Who asks is the account, whatever he says.
    let mut other = adjust("c1");
    other["by"] = "somebody else".into();
    staffed.post(who, "/v1/adjustments", &other).refused(403, "forbidden");
    // Whom a member stands next to is told of one's own alone.
    let standing = staffed.get(who, "/v1/customers/c1/standing").good().to_string();
    assert!(!standing.contains("n188"), "{standing}");
}

#[test]
fn numbers_are_masked_before_anything_is_asked_of_them() {
    let home = Home::new();
    let staffed = Staffed::new(&home);
    let path = "/v1/views/member_points?customer_id=c1";
    let token = staffed.column("agent", path, "number").remove(0);
    let token = token.as_str().expect("an agent is shown what stands for the number").to_owned();
    assert_eq!(staffed.column("planner", path, "number"), [Value::Null]);
    assert_eq!(staffed.column("city_operator@place", path, "number"), [Value::Null]);
    for asked in [token.as_str(), "13812345678"] {
        let path = format!("/v1/views/member_points?number={asked}");
        assert_eq!(staffed.column("agent", &path, "customer_id"), ["c1"]);
        assert_eq!(staffed.column("planner", &path, "customer_id"), [Value::Null; 0]);
    }
    let csv = staffed.get("planner", "/v1/views/member_points?format=csv");
    assert!(csv.text().contains("c1,") && !csv.text().contains(&token), "{}", csv.text());
    staffed.get("planner", "/v1/views/member_points/feed").refused(403, "forbidden");
}

/// Follows a feed until it ends or something is found in it.
fn followed(staffed: &Staffed, who: &str, path: &str, wanted: &str) -> Vec<String> {
    let bearer = format!("Bearer {}", staffed.tokens[who]);
    let mut stream = connect(staffed.service.address);
    stream.write_all(&request("GET", path, &[("authorization", &bearer)], b"")).expect("sent");
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let is_last = line.contains(wanted);
        lines.push(line);
        if is_last {
            break;
        }
    }
    lines
}

#[test]
fn a_feed_tells_what_its_reader_sees_and_ends_with_what_he_may() {
    let home = Home::new();
    let mut staffed = Staffed::new(&home);
    let own = followed(&staffed, "city_operator@place", "/v1/views/tier_count/feed", "\"token\"");
    let all = followed(&staffed, "planner", "/v1/views/tier_count/feed", "\"token\"");
    let (own, all) = (own.join("\n"), all.join("\n"));
    assert!(own.contains("广州") && !own.contains("东莞"), "{own}");
    assert!(all.contains("东莞"), "{all}");
    let token = all.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let path = format!("/v1/views/tier_count/feed?after={token}");
    staffed.get("city_operator@place", &path).refused(400, "token_conditions");
    staffed.get("city_operator@place", "/v1/views/tier/feed").refused(403, "forbidden");
    staffed.get("data", "/v1/views/tier/feed").refused(403, "forbidden");
    // Once it is under way, an administrator takes the account's role away.
    let bearer = format!("Bearer {}", staffed.tokens["planner"]);
    let mut stream = connect(staffed.service.address);
    let asked = request("GET", "/v1/views/tier/feed", &[("authorization", &bearer)], b"");
    stream.write_all(&asked).expect("sent");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"token\"")));
    let less = json!({ "role": "auditor" });
    assert_eq!(staffed.post("administrator", "/v1/accounts/planner", &less).status, 200);
    assert!(lines.any(|line| line.contains("the account was changed")));
    let gone = staffed.ask_as("administrator", "DELETE", "/v1/accounts/planner", None);
    assert_eq!(gone.status, 200, "{}", gone.text());
    staffed.get("planner", "/v1/me").refused(401, "unauthorized");
    staffed.tokens.clear();
}

#[test]
fn what_is_done_about_persons_is_noted_before_it_is_told() {
    let home = Home::new();
    let staffed = Staffed::new(&home);
    for id in ["c1", "c2", "no-such"] {
        staffed.get("agent", &format!("/v1/customers/{id}"));
    }
    staffed.get("auditor", "/v1/customers/c1").refused(403, "forbidden");
    staffed.get("planner", "/v1/views/tier?limit=3").good();
    let noted = |query: &str| -> Vec<(Value, Value, Value)> {
        let told = staffed.get("auditor", &format!("/v1/audit?{query}")).good();
        let entries = told["entries"].as_array().expect("entries").clone();
        entries.iter().map(|entry| (entry["who"].clone(), entry["action"].clone(), entry["outcome"].clone())).collect()
    };
    let card = "GET /v1/customers/{id}";
    let looked = |who: &str, outcome: &str| (json!(who), json!(card), json!(outcome));
    assert_eq!(noted("customer=c1"), [looked("agent", "done"), looked("auditor", "denied")]);
    assert_eq!(noted("customer=no-such"), [looked("agent", "failed")]);
    let rows = staffed.get("auditor", "/v1/audit?who=planner&limit=1").good();
    let entry = &rows["entries"][0];
    assert_eq!((&entry["object"], &entry["rows"]), (&json!("tier"), &json!(3)), "{rows}");
    let count = staffed.post("auditor", "/v1/audit/verify", &json!({})).good()["entries"].as_u64().expect("a count");
    let head = staffed.post("auditor", "/v1/audit/verify", &json!({})).good()["head"].clone();
    staffed.post("auditor", "/v1/audit/verify", &head).good();
    let other = json!({ "number": head["number"], "hash": "0".repeat(64) });
    staffed.post("auditor", "/v1/audit/verify", &other).refused(409, "altered");
    let half = json!({ "number": head["number"] });
    staffed.post("auditor", "/v1/audit/verify", &half).refused(400, "bad_request");
    // What was told is on record though the process is killed the moment after.
    staffed.get("agent", "/v1/customers/n001").good();
    let path = home.data().join("access/audit.jsonl");
    staffed.service.kill();
    let text = fs::read_to_string(&path).expect("the record");
    assert!(text.lines().count() as u64 > count, "{text}");
    for id in ["c1", "n001", "no-such"] {
        assert!(!text.contains(&format!("\"{id}\"")), "the record names {id}");
    }
    // Who alters it is found out.
    let altered = text.replacen("\"denied\"", "\"done\"", 1);
    fs::write(&path, altered).expect("written");
    let mut refused = home.command(&[]).spawn().expect("it starts");
    let told = std::io::read_to_string(refused.stderr.take().expect("piped")).expect("text");
    assert!(!refused.wait().expect("it ends").success());
    assert!(told.contains("is not what was written") && told.contains("hint"), "{told}");
    fs::write(&path, text).expect("written");
    home.serve().stop();
}

#[test]
fn an_account_takes_so_many_rows_about_persons_a_day_and_no_more() {
    let home = Home::new();
    let staffed = Staffed::new(&home);
    let few = json!({ "rows_a_day": 10 });
    assert_eq!(staffed.post("administrator", "/v1/accounts/planner", &few).status, 200);
    for page in 0..2 {
        staffed.get("planner", &format!("/v1/views/tier?limit=5&offset={}", 5 * page)).good();
    }
    staffed.get("planner", "/v1/views/tier?limit=1").refused(429, "rows_a_day");
    staffed.get("planner", "/v1/views/customer_attribute?format=csv").refused(429, "rows_a_day");
    // Counts are no rows about persons.
    staffed.get("planner", "/v1/views/tier_count").good();
    staffed.get("agent", "/v1/views/tier?format=csv").refused(403, "forbidden");
}

#[test]
fn commands_ask_with_a_token_and_over_tls() {
    let home = Home::new();
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let rcgen::CertifiedKey { cert, signing_key } = signed.expect("a certificate");
    fs::write(home.path().join("cert.pem"), cert.pem()).expect("written");
    fs::write(home.path().join("key.pem"), signing_key.serialize_pem()).expect("written");
    fs::write(home.path().join("password"), format!("{PASSWORD}\n")).expect("written");
    let mut command = home.command(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let mut child = command.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let url = lines.by_ref().find_map(|line| line.strip_prefix("cohortflow serves ").map(str::to_owned)).expect("told");
    let _drained = std::thread::spawn(move || lines.for_each(drop));
    assert!(url.starts_with("https://"), "{url}");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(arguments).args(["--http", &url, "--ca", "cert.pem"]).current_dir(home.path());
        command.env_remove("COHORTFLOW_TOKEN").env_remove("COHORTFLOW_TOKEN_FILE");
        let output = command.output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    // Who answers without the certificate that is trusted is not talked to.
    let mut untrusting = std::process::Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    let refused = untrusting.args(["ledger", "--http", &url]).output().expect("it runs");
    assert!(!refused.status.success());
    let made = run(&["account", "add", "root", "--role", "administrator", "--password-file", "password"]);
    assert_eq!((made.0, made.1.as_str()), (true, "root is made\n"), "{made:?}");
    assert!(!run(&["account", "list"]).0);
    let (is_in, ..) = run(&["login", "root", "--password-file", "password", "--output", "token"]);
    assert!(is_in);
    let mode = fs::metadata(home.path().join("token")).expect("a file");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);
    let with = ["--token-file", "token"];
    let made =
        run(&[&["account", "add", "mei", "--role", "city_operator", "--city", "广州", "--no-password"][..], &with]
            .concat());
    assert!(made.0, "{made:?}");
    let listed = run(&[&["account", "list"][..], &with].concat());
    assert!(listed.1.contains("mei") && listed.1.contains("广州"), "{listed:?}");
    let token = run(&[&["account", "token", "mei"][..], &with].concat());
    fs::write(home.path().join("mei"), &token.1).expect("written");
    assert!(run(&["customer", "c1", "--token-file", "mei"]).2.contains("no customer"), "{token:?}");
    assert!(run(&["account", "list", "--token-file", "mei"]).2.contains("role does not let"));
    assert!(run(&["account", "list", "--roles"]).1.contains("hall_administrator"));
    // A renewed certificate is taken up: nobody has to be cut off for it.
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(home.path().join("key.pem"), other.signing_key.serialize_pem()).expect("written");
    fs::write(home.path().join("cert.pem"), other.cert.pem()).expect("written");
    let deadline = std::time::Instant::now() + crate::exchange::PATIENCE;
    while !run(&[&["account", "list"][..], &with].concat()).0 {
        assert!(std::time::Instant::now() < deadline, "the new certificate is not served");
        std::thread::park_timeout(Duration::from_millis(200));
    }
    child.kill().expect("killed");
    child.wait().expect("it ends");
}

#[test]
fn nothing_but_loopback_is_served_without_accounts_and_tls() {
    let home = Home::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.args(["serve", "--http", "0.0.0.0:0", "--pg", "off"]).arg("--data").arg(home.data());
    let output = home.at_home(command).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("--tls-cert"), "{told}");
}
