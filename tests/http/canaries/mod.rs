//! Numbers that come in wherever anything does are in no byte on disk, in no line that is told, and in no answer, but
//! where they belong: which is a list, and held from both sides.

mod asked;
mod delivered;
mod numbers;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Command;

use serde_json::{Value, json};

use self::numbers::{Found, Numbers, look, note};
use crate::access::staff;
use crate::exchange::{Reply, connect, request, send, send_and_end};
use crate::feeds::follower::Follower;
use crate::handoff::{PROGRAMME, open};
use crate::receiver::{Receiver, SECRET};
use crate::service::{Home, Service};
use crate::views::NAMES;

/// Where numbers belong: the places where they come in, and where they are seen then. All others are nowhere.
const BELONGS: &[(&[&str], &[&str])] = &[
    // A file is known by its name, to those who look after files.
    (&["file name"], &["data/log", "data/receipts", "data/feeds/ingest_ledger", "told to data", "told to auditor"]),
    // What the operator calls things, and who did something, by the name that he gave himself.
    (&["id: a measure", "text: by of an adjustment"], &["data/log"]),
    (&["id: a list"], &["data/log", "data.outbox/journal/edits.log"]),
    (&["text: by of a state"], &["data/log", "data/feeds/campaign_change", "told to auditor"]),
    (&["text: by of a state"], OF_CAMPAIGNS),
    // Words to customers.
    (&["text: of who provisions"], &["data/log"]),
    (&["notice"], &["data/notices/texts.json", "said back to planner"]),
    (&["notice"], EVERYBODY),
    (&["programme: text of a campaign"], &["data/log", "told to data", "told to auditor"]),
    (&["programme: text of a campaign"], OF_CAMPAIGNS),
    // A programme is the text that it is, but for whoever is asked for help.
    (&["programme: comment"], &["data/log"]),
    (
        &["programme: comment"],
        &["told to data", "told to planner", "told to planner@place", "told to approver", "told to auditor"],
    ),
    // Who is told what is wrong with what he asked: where it stands, and whom nobody knows.
    (&["programme: no TOML", "programme: no rule"], &["said back to planner"]),
    (&["edit: a customer", "edit: a listed customer"], &["said back to planner"]),
    (&["answer: a request"], &["said back to agent"]),
];

/// Those who read of campaigns.
const OF_CAMPAIGNS: &[&str] = &[
    "told to planner",
    "told to planner@place",
    "told to approver",
    "told to city_operator@place",
    "told to privacy",
    "told to privacy@place",
    "told to auditor",
    "told to channel",
    "told to channel@place",
];

/// Those who have an account.
const EVERYBODY: &[&str] = &[
    "told to administrator",
    "told to data",
    "told to planner",
    "told to planner@place",
    "told to approver",
    "told to city_operator@place",
    "told to hall_administrator@place",
    "told to agent",
    "told to agent@place",
    "told to privacy",
    "told to privacy@place",
    "told to auditor",
    "told to channel",
    "told to channel@place",
];

/// An answer: to whom, and whether he had said the number himself.
struct Heard {
    who: String,
    asked: Vec<u8>,
    told: Vec<u8>,
}

/// Somebody of each role, who asks a service and keeps what he is told.
pub struct Staff<'a> {
    service: &'a Service,
    numbers: &'a Numbers,
    tokens: BTreeMap<&'static str, String>,
    heard: RefCell<Vec<Heard>>,
}

impl Staff<'_> {
    fn new<'a>(service: &'a Service, numbers: &'a Numbers) -> Staff<'a> {
        Staff { service, numbers, tokens: BTreeMap::new(), heard: RefCell::default() }
    }

    /// Makes the accounts.
    fn join(&mut self) {
        for (name, mut said) in staff() {
            said["name"] = name.into();
            assert_eq!(self.post("administrator", "/v1/accounts", &said).status, 201);
            if name == "administrator" {
                let login = json!({ "name": name, "password": "correct horse" });
                let told = self.post("nobody", "/v1/login", &login).good();
                self.tokens.insert(name, told["token"].as_str().expect("a token").to_owned());
            }
            let made = self.post("administrator", &format!("/v1/accounts/{name}/tokens"), &json!({})).json();
            self.tokens.insert(name, made["token"].as_str().expect("a token").to_owned());
        }
    }

    pub fn ask(&self, who: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        let bearer = self.tokens.get(who).map(|token| format!("Bearer {token}"));
        let own = bearer.iter().map(|bearer| ("authorization", bearer.as_str()));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(own).collect();
        let asked = request(method, target, &headers, body);
        let reply = send(self.service.address, &asked);
        self.hear(who, asked, reply)
    }

    fn post(&self, who: &str, target: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.ask(who, "POST", target, &json, body.to_string().as_bytes()).expect("an answer")
    }

    fn get(&self, who: &str, target: &str) -> Reply {
        self.ask(who, "GET", target, &[], b"").expect("an answer")
    }

    /// Sends bytes as they are.
    pub fn raw(&self, bytes: &[u8]) {
        self.hear("nobody", bytes.to_vec(), send_and_end(self.service.address, bytes));
    }

    fn hear(&self, who: &str, asked: Vec<u8>, reply: Option<Reply>) -> Option<Reply> {
        if let Some(reply) = &reply {
            let told = [format!("{:?}", reply.headers).as_bytes(), &reply.body].concat();
            self.heard.borrow_mut().push(Heard { who: who.to_owned(), asked, told });
        }
        reply
    }

    /// What a feed tells until its first mark, or until it refuses.
    fn follow(&self, who: &str, view: &str) {
        let bearer = self.tokens.get(who).map(|token| format!("Bearer {token}")).unwrap_or_default();
        let mut stream = connect(self.service.address);
        let asked = request("GET", &format!("/v1/views/{view}/feed"), &[("authorization", &bearer)], b"");
        stream.write_all(&asked).expect("sent");
        let mut told = String::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let is_last = line.contains("\"token\"") || line.contains("\"code\"");
            told.push_str(&line);
            told.push('\n');
            if is_last {
                break;
            }
        }
        self.heard.borrow_mut().push(Heard { who: who.to_owned(), asked, told: told.into_bytes() });
    }

    /// Reads everything that each may read, and what he may not.
    fn read_everything(&self) {
        let others = [
            "/healthz",
            "/readyz",
            "/metrics",
            "/v1/me",
            "/v1/accounts",
            "/v1/audit?limit=1000",
            "/v1/customers/c1",
            "/v1/customers/c2",
            "/v1/customers/c1/why?tier",
            "/v1/customers/c2/why?target=spring",
            "/v1/customers/c5/why?segment=own",
            "/v1/customers/c1/offers",
            "/v1/customers/c1/fit",
            "/v1/programme",
            "/v1/campaigns",
            "/v1/campaigns/spring",
            "/v1/dead-letters",
            "/v1/texts/notices",
            "/v1/texts/notices/hotline",
            "/v1/worklist",
            "/v1/files/customer_plain.csv/receipt",
            "/v1/held",
            "/v1/support",
            "/v1/openapi.json",
        ];
        for who in self.tokens.keys().copied().chain(["nobody"]) {
            others.iter().for_each(|target| drop(self.get(who, target)));
            for view in NAMES {
                self.get(who, &format!("/v1/views/{view}?limit=10000"));
                self.get(who, &format!("/v1/views/{view}?format=csv"));
            }
            self.post(who, "/v1/verify", &json!({}));
            self.post(who, "/v1/audit/verify", &json!({}));
            for view in ["complaint_count", "campaign_change", "order_request", "quarantine", "ingest_ledger"] {
                self.follow(who, view);
            }
        }
    }

    /// Whom was told what: those who had not said it, and those who had.
    fn tell(&self, found: &mut Found) {
        for Heard { who, asked, told } in self.heard.borrow().iter() {
            let said = self.numbers.found(asked);
            for place in self.numbers.found(told) {
                let how = if said.contains(place) { "said back to" } else { "told to" };
                found.entry(place).or_default().insert(format!("{how} {who}"));
            }
        }
    }
}

/// A service that keeps as much as one can, and tells as much: JSON logs, journals of feeds, webhooks that refuse.
struct Kept {
    home: Home,
    numbers: Numbers,
    receiver: Receiver,
}

impl Kept {
    fn new() -> Kept {
        let (home, numbers) = (Home::new(), Numbers::default());
        let programme = PROGRAMME.replace("Ask him", &format!("Ring {}", numbers.of("programme: text of a campaign")));
        let comment = numbers.of("programme: comment");
        let own = "[[segment]]\nid = \"own\"\nwhen = \"avg_fee > 1\"\n";
        fs::write(home.path().join("programme.toml"), format!("# Ask {comment}.\n{programme}{own}")).expect("written");
        fs::write(home.path().join("secret"), SECRET).expect("written");
        Kept { home, numbers, receiver: Receiver::new(|_| Some(410)) }
    }

    fn serve(&self) -> Service {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["--log", "trace", "--log-format", "json", "serve", "--http", "127.0.0.1:0", "--poll", "10"]);
        command.args(["--pg", "off", "--programme", "programme.toml", "--landing"]).arg(self.home.landing());
        command.arg("--data").arg(self.home.data());
        let address = self.receiver.address;
        for (option, name) in [("--webhook", "sms"), ("--feed-webhook", "complaint_count")] {
            command.args([option, &format!("{name}=http://{address}/hook")]);
            command.args([&format!("{option}-secret-file"), &format!("{name}=secret")]);
        }
        command.args(["--webhook-patience", "1"]);
        Service::start_as(self.home.at_home(command), |line| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            line["message"].as_str().unwrap_or_default().to_owned()
        })
    }

    /// Where every number is by now.
    fn found(&self, told: &[String]) -> Found {
        let mut found = Found::new();
        let mut files = 0;
        for entry in fs::read_dir(self.home.path()).expect("a directory") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let path = self.home.path().join(&name);
            match name.as_str() {
                // What was put there.
                "landing" | "programme.toml" | "secret" => {}
                _ if path.is_dir() => files += look(&self.numbers, &path, &format!("{name}/"), &mut found),
                _ => {
                    let held = self.numbers.found(&fs::read(&path).expect("a file"));
                    note(&mut found, held, &name);
                    files += 1;
                }
            }
        }
        assert!(files > 15, "{files} files were looked through");
        for told in told {
            let held = self.numbers.found(told.as_bytes());
            note(&mut found, held, "stderr");
        }
        found
    }
}

#[test]
fn numbers_are_nowhere_but_where_they_belong() {
    let kept = Kept::new();
    let entries = delivered::land(&kept.home, &kept.numbers);
    let service = kept.serve();
    service.settle(entries);
    for view in ["complaint_count", "campaign_change", "order_request", "quarantine", "ingest_ledger", "member_points"]
    {
        let mut follower = Follower::new(view);
        follower.connect(&service);
        follower.read_to_mark();
    }
    open(&service);
    assert_eq!(service.post("/v1/campaigns/spring/release", &json!({})).status, 200);
    let mut staff = Staff::new(&service, &kept.numbers);
    staff.join();
    asked::ask(&staff);
    staff.read_everything();
    let mut found = Found::new();
    staff.tell(&mut found);
    let tokens = staff.tokens;
    let mut told = vec![service.told()];
    // In the middle of whatever it does.
    service.kill();
    let service = kept.serve();
    service.until("/readyz", |reply| (reply.status == 200).then_some(()));
    let mut staff = Staff::new(&service, &kept.numbers);
    staff.tokens = tokens;
    asked::ask(&staff);
    staff.read_everything();
    staff.tell(&mut found);
    fs::write(kept.home.path().join("token"), &staff.tokens["administrator"]).expect("written");
    let mut bundle = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    bundle.args(["support-bundle", "--output", "bundle.tar.gz", "--token-file", "token", "--http"]);
    bundle.arg(format!("http://{}", service.address)).current_dir(kept.home.path()).env_remove("COHORTFLOW_URL");
    let bundled = bundle.output().expect("it ends");
    assert_eq!(bundled.status.code(), Some(0), "{}", String::from_utf8_lossy(&bundled.stderr));
    let log = service.told();
    told.push(log);
    service.stop();
    for (place, wheres) in kept.found(&told) {
        found.entry(place).or_default().extend(wheres);
    }
    let posted: Vec<u8> = kept.receiver.posted().iter().flat_map(|one| one.body.clone()).collect();
    let held = kept.numbers.found(&posted);
    note(&mut found, held, "posted");
    let mut expected = Found::new();
    for (places, wheres) in BELONGS {
        for place in *places {
            expected.entry(*place).or_default().extend(wheres.iter().map(|place| (*place).to_owned()));
        }
    }
    let astray: Vec<String> = found
        .iter()
        .flat_map(|(place, wheres)| wheres.iter().map(move |found| (place, found)))
        .filter(|(place, found)| !expected.get(*place).is_some_and(|belongs| belongs.contains(*found)))
        .map(|(place, found)| format!("{place} | {found}"))
        .collect();
    assert!(astray.is_empty(), "numbers where they do not belong:\n{}", astray.join("\n"));
    let missing: Vec<String> = expected
        .iter()
        .flat_map(|(place, wheres)| wheres.iter().map(move |belongs| (place, belongs)))
        .filter(|(place, belongs)| !found.get(*place).is_some_and(|found| found.contains(*belongs)))
        .map(|(place, belongs)| format!("{place} | {belongs}"))
        .collect();
    assert!(missing.is_empty(), "said to belong where they are not:\n{}", missing.join("\n"));
}
