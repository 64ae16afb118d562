//! Who asks in SQL, and that nothing he writes shows him more than he may see.

use std::io::Read;

use postgres::{Client, NoTls};
use serde_json::json;

use crate::client::{Served, refused, rows, told, try_rows, value};
use crate::exchange::request;
use crate::service::Home;

const PASSWORD: &str = "correct horse";

/// Customers of two cities, whose ids are like nothing else. Those of the other place must never be told.
fn land(home: &Home) -> usize {
    let mut customers = "customer_id,msisdn,birth_date,gender,city,district,status,joined_on\n".to_owned();
    let mut bills = "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\n".to_owned();
    let mut events = "event_id,customer_id,kind,at,product_id,other_id,result,detail\n".to_owned();
    for number in 0..40 {
        for (who, city, fee) in [("own", "Haicheng", 50), ("canary", "Donggang", 777)] {
            let id = format!("{who}-{number:02}");
            let phone = 13_900_000_000u64 + number * 10 + u64::from(who == "own");
            customers.push_str(&format!("{id},{phone},1980-01-0{},f,{city},East,active,2005-01-31\n", 1 + number % 9));
            bills.push_str(&format!("{id},2009-06,{}.25,1,1,1,1\n", fee + number));
            events.push_str(&format!("e-{id},{id},register,2009-06-03,,,,\nv-{id},{id},visit,2009-06-04,,,,notices\n"));
            events.push_str(&format!("o-{id},{id},opinion,2009-06-05,,,,{who}-topic\n"));
        }
    }
    // Somebody there is brought in by somebody here, and the other way round.
    events
        .push_str("r-1,own-00,refer,2009-06-07,,canary-01,success,\nr-2,canary-02,refer,2009-06-07,,own-02,success,\n");
    home.land("customer_2009-06.csv", customers);
    home.land("bill_2009-06.csv", bills);
    home.land("member_event_2009-06.csv", events);
    3
}

/// A service with accounts, and what stands for numbers of customers.
struct Guarded {
    served: Served,
    token: String,
    numbers: Vec<String>,
}

impl Guarded {
    fn new(home: &Home) -> Guarded {
        let files = land(home);
        let served = Served::of(home);
        served.service.settle(files);
        let mut keeper = served.connect();
        let numbers = rows(&mut keeper, "SELECT DISTINCT number FROM member_points");
        let numbers: Vec<String> = numbers.into_iter().flatten().flatten().collect();
        assert_eq!(numbers.len(), 80);
        let root = json!({ "name": "root", "role": "administrator", "password": PASSWORD });
        assert_eq!(served.service.post("/v1/accounts", &root).status, 201);
        // Who was let in before there were accounts is let in no longer.
        assert_eq!(refused(&mut keeper, "SELECT count(*) FROM tier").0, "42501");
        let login = json!({ "name": "root", "password": PASSWORD });
        let token = served.service.post("/v1/login", &login).good()["token"].as_str().expect("a token").to_owned();
        let guarded = Guarded { served, token, numbers };
        let places = json!([{ "city": "Haicheng" }]);
        guarded.account("mei", &json!({ "role": "city_operator", "password": PASSWORD, "places": places }));
        guarded.account("plan", &json!({ "role": "planner", "password": PASSWORD }));
        guarded.account("audit", &json!({ "role": "auditor", "password": PASSWORD }));
        guarded.account("call", &json!({ "role": "agent", "password": PASSWORD }));
        guarded
    }

    /// Makes or changes an account.
    fn account(&self, name: &str, said: &serde_json::Value) {
        let mut made = said.clone();
        made["name"] = name.into();
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let post = |path: &str, body: String| self.served.service.ask("POST", path, &headers, body.as_bytes());
        let reply = post("/v1/accounts", made.to_string());
        if reply.status == 409 {
            assert_eq!(post(&format!("/v1/accounts/{name}"), said.to_string()).status, 200);
        } else {
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
    }

    fn try_connect(&self, name: &str, password: &str) -> Result<Client, postgres::Error> {
        let mut config = postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.served.port)
            .user(name)
            .password(password)
            .dbname("cohortflow")
            .connect(NoTls)
    }

    fn connect(&self, name: &str) -> Client {
        self.try_connect(name, PASSWORD).expect("it connects")
    }
}

#[test]
fn who_logs_in_has_shown_that_he_knows_the_password() {
    let home = Home::new();
    let guarded = Guarded::new(&home);
    assert_eq!(value(&mut guarded.connect("mei"), "SELECT current_user"), "mei");
    let mut words = Vec::new();
    for (name, password) in [("mei", "wrong horse"), ("nobody", PASSWORD), ("Mei", PASSWORD)] {
        let error = guarded.try_connect(name, password).err().expect("it is refused");
        let (code, message) = told(&error);
        assert_eq!(code, "28P01", "{message}");
        words.push(message.replace(name, "NAME"));
    }
    assert!(words.iter().all(|message| *message == words[0]), "{words:?}");
    let error = guarded.try_connect("call", PASSWORD).err().expect("agents do not ask in SQL");
    assert_eq!(told(&error).0, "42501");
    assert!(guarded.served.try_connect("mei", "cohortflow").is_err(), "without a password");
}

#[test]
fn what_an_account_loses_its_connections_lose() {
    let home = Home::new();
    let guarded = Guarded::new(&home);
    let mut client = guarded.connect("mei");
    assert_eq!(value(&mut client, "SELECT count(*) FROM tier"), "40");
    let mut within = guarded.connect("mei");
    rows(&mut within, "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT customer_id FROM tier");
    assert_eq!(rows(&mut within, "FETCH 3 FROM c").len(), 3);
    let endless = {
        let mut client = guarded.connect("mei");
        std::thread::spawn(move || try_rows(&mut client, "SUBSCRIBE tier_count").err().map(|error| told(&error).0))
    };
    let elsewhere = json!({ "places": [{ "city": "Donggang" }] });
    guarded.account("mei", &elsewhere);
    assert_eq!(refused(&mut within, "FETCH 3 FROM c").0, "42501");
    assert_eq!(endless.join().expect("it ends").as_deref(), Some("42501"));
    // A connection goes on with what it may see now.
    assert_eq!(value(&mut client, "SELECT min(customer_id) FROM tier"), "canary-00");
    guarded.account("mei", &json!({ "role": "agent" }));
    assert_eq!(refused(&mut client, "SELECT 1").0, "42501");
}

/// All that a text is answered, in one.
fn answer(client: &mut Client, statement: &str) -> Result<String, postgres::Error> {
    if statement.starts_with("COPY") && statement.contains("TO STDOUT") {
        let mut told = String::new();
        let copied = client.copy_out(statement)?.read_to_string(&mut told);
        // What breaks off has told what it has told.
        if let Err(error) = copied {
            told.push_str(&error.to_string());
        }
        return Ok(told);
    }
    let rows = try_rows(client, statement)?;
    Ok(rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("|"))
}

#[test]
fn nothing_that_is_written_shows_what_may_not_be_seen() {
    let home = Home::new();
    let guarded = Guarded::new(&home);
    let attempts: Vec<&str> =
        include_str!("bypasses.sql").split(";\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    assert!(attempts.len() >= 200, "{}", attempts.len());
    let (mut answered, mut refusals) = (0, 0);
    for attempt in attempts {
        let statement: String = attempt.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        let mut client = guarded.connect("mei");
        let told = match answer(&mut client, &statement) {
            Ok(told) => {
                answered += 1;
                told
            }
            Err(error) => {
                refusals += 1;
                let error = error.as_db_error().unwrap_or_else(|| panic!("{statement}: {error:?}"));
                assert_ne!(error.code().code(), "XX000", "{statement}: {error:?}");
                format!("{error:?}")
            }
        };
        assert!(!told.contains("canary"), "{statement}\ntells {told}");
        assert!(!told.contains("Donggang"), "{statement}\ntells {told}");
        // What those of the other place pay.
        assert!(!told.contains("777.25") && !told.contains("816.25"), "{statement}\ntells {told}");
        let number = guarded.numbers.iter().find(|number| told.contains(number.as_str()));
        assert_eq!(number, None, "{statement}\ntells {told}");
    }
    assert!(answered > 100 && refusals > 20, "{answered} answered, {refusals} refused");
}

#[test]
fn counts_are_of_what_is_seen() {
    let home = Home::new();
    let guarded = Guarded::new(&home);
    let mut mei = guarded.connect("mei");
    for view in ["tier", "customer_attribute", "points_balance", "member_points", "registration"] {
        assert_eq!(value(&mut mei, &format!("SELECT count(*) FROM {view}")), "40", "{view}");
    }
    assert_eq!(value(&mut mei, "SELECT count(DISTINCT city) FROM tier_count"), "1");
    assert_eq!(value(&mut mei, "SELECT count(number) FROM member_points"), "0");
    assert_eq!(value(&mut mei, "SELECT count(*) FROM referral"), "0");
    assert_eq!(refused(&mut mei, "SELECT * FROM rank_count").0, "42501");
    assert_eq!(refused(&mut mei, "EXPLAIN SELECT * FROM quarantine").0, "42501");
    let mut plan = guarded.connect("plan");
    assert_eq!(value(&mut plan, "SELECT count(*) FROM tier"), "80");
    assert_eq!(value(&mut plan, "SELECT count(number) FROM member_points"), "0");
    let mut audit = guarded.connect("audit");
    assert_eq!(refused(&mut audit, "SELECT count(*) FROM tier").0, "42501");
    assert_eq!(value(&mut audit, "SELECT sum(customers) FROM tier_count"), "80");
    // Over HTTP they are held to the same.
    let bearer = format!("Bearer {}", guarded.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let asked = request("POST", "/v1/query", &headers, br#"{"sql": "SELECT 1"}"#);
    guarded.served.service.raw(&asked).expect("an answer").refused(403, "forbidden");
}

#[test]
fn statements_about_persons_are_on_record_and_counted() {
    let home = Home::new();
    let guarded = Guarded::new(&home);
    guarded.account("plan", &json!({ "rows_a_day": 100 }));
    let mut plan = guarded.connect("plan");
    assert_eq!(rows(&mut plan, "SELECT customer_id FROM tier").len(), 80);
    assert_eq!(refused(&mut plan, "SELECT customer_id FROM tier").0, "53300");
    // Packed into one row they are as many.
    let packed = "SELECT string_agg(customer_id || repeat('.', 60), ',') FROM tier";
    assert_eq!(refused(&mut plan, packed).0, "53300");
    assert!(!rows(&mut plan, "SELECT tier, sum(customers) FROM tier_count GROUP BY 1").is_empty());
    let text = std::fs::read_to_string(home.data().join("access/audit.jsonl")).expect("the record");
    assert!(text.contains("\"login over SQL\"") && text.contains("\"object\":\"tier "), "{text}");
    assert!(!text.contains("string_agg"), "{text}");
}
