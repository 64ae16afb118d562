//! The commands that ask a running service.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::binary::{Told, cohortflow, command};
use crate::files::province;
use crate::service::{Home, Service};

fn served(home: &Home) -> Service {
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    service
}

fn ask(service: &Service, words: &[&str]) -> Told {
    cohortflow(words.iter().copied().chain(["--http", &format!("http://{}", service.address)]))
}

#[test]
fn a_card_is_shown_to_people_and_to_programs() {
    let home = Home::new();
    let service = served(&home);
    let told = ask(&service, &["customer", "客户一"]).done();
    let line = |name: &str| told.stdout.lines().find(|line| line.trim_start().starts_with(name)).map(str::trim);
    assert_eq!(line("customer_id").and_then(|line| line.split_whitespace().nth(1)), Some("客户一"), "{}", told.stdout);
    assert_eq!(line("lists").and_then(|line| line.split_whitespace().nth(1)), Some("vip"), "{}", told.stdout);
    for id in ["a/b", "50%", "x y", "q?a=1&b#c"] {
        assert_eq!(ask(&service, &["customer", id, "--json"]).done().json()["customer_id"], id);
    }
    let told = ask(&service, &["customer", "nobody"]).ended(1);
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", "error: no customer of that id\n"));
}

#[test]
fn a_standing_is_a_board_with_the_member_in_it() {
    let home = Home::new();
    let service = served(&home);
    let told = ask(&service, &["standing", "c1"]).done();
    let lines: Vec<Vec<&str>> = told.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let own = [">", "1", "c1", "66"];
    assert_eq!(lines[0].join(" "), "c1: 66 points, rank private first class, city 广州");
    assert_eq!((lines[1].join(" "), lines[2].as_slice()), ("province: 1 of 1 members, 0 others tied".into(), &own[..]));
    assert_eq!((lines[3][0], lines[4].as_slice(), lines.len()), ("city:", &own[..], 5), "{}", told.stdout);
    let told = ask(&service, &["standing", "c1", "--neighbours", "0", "--json"]).done();
    assert_eq!(told.json(), service.get("/v1/customers/c1/standing?neighbours=0").good());
    let told = ask(&service, &["standing", "客户一"]).ended(1);
    assert_eq!((told.stdout.as_str(), told.error()), ("", "error: only members have a place on the leaderboard\n"));
    cohortflow(["standing", "c1", "--neighbours", "51"]).ended(2);
}

#[test]
fn ledger_and_quarantine_are_the_views() {
    let home = Home::new();
    let service = served(&home);
    for (name, view) in [("ledger", "ingest_ledger"), ("quarantine", "quarantine")] {
        let told = ask(&service, &[name]).done();
        assert_eq!(told.stdout, service.get(&format!("/v1/views/{view}?format=csv")).text());
        let told = ask(&service, &[name, "--json"]).done();
        assert_eq!(told.json()["rows"], service.get(&format!("/v1/views/{view}")).good()["rows"]);
    }
}

#[test]
fn a_view_is_shown_filtered_for_people_programs_and_spreadsheets() {
    let home = Home::new();
    let service = served(&home);
    let told = ask(&service, &["view"]).done();
    assert!(told.stdout.lines().any(|line| line.starts_with("registration ")), "{}", told.stdout);
    let asked = ["view", "points_entry", "--where", "customer_id=c1", "--from", "2009-06-04", "--until", "2009-06-05"];
    let target = "/v1/views/points_entry?customer_id=c1&from=2009-06-04&until=2009-06-05";
    let csv = service.get(&format!("{target}&format=csv")).text().to_owned();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert_eq!(ask(&service, &asked).done().stdout, csv);
    let with = |more: &[&str]| ask(&service, &[&asked[..], more].concat());
    assert_eq!(with(&["--format", "json"]).done().json()["rows"], service.get(target).good()["rows"]);
    let table = with(&["--format", "table"]).done().stdout;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "customer_id  entry_id  at                   rule   points");
    assert_eq!((rows[1], rows.len()), ("c1           e2        2009-06-04 08:00:00  login  1", 3), "{table}");
    let file = home.path().join("entries.csv");
    let path = file.to_str().expect("UTF-8");
    assert_eq!(with(&["--output", path]).done().stdout, "");
    assert_eq!(fs::read_to_string(&file).expect("a file"), csv);
    fs::remove_file(&file).expect("removed");
    let told = ask(&service, &["view", "tier", "--where", "ctiy=x", "--output", path]).ended(1);
    assert_eq!(told.stderr, "error: tier has no such column; did you mean tier?\n");
    assert!(!file.exists() && !file.with_file_name(".entries.csv.tmp").exists());
    ask(&service, &["view", "teir"]).ended(1);
    cohortflow(["view", "tier", "--where", "city"]).ended(2);
    with(&["--output", "/nowhere/x.csv"]).could_not(&["could not write \"/nowhere/x.csv\""]);
}

#[test]
fn points_and_lists_are_edited_with_who_and_why() {
    let home = Home::new();
    let service = served(&home);
    let author = ["--by", "zhang", "--reason", "测试"];
    let edit = |words: &[&str]| ask(&service, &[words, &author[..]].concat());
    let points = || service.get("/v1/customers/c1").good()["points"].clone();
    let told = edit(&["adjust", "c1", "-6", "--key", "k"]).done();
    assert!(told.stdout.starts_with("1 rows durable with epoch "), "{}", told.stdout);
    service.until("/v1/customers/c1", |_| (points() == 60).then_some(()));
    let told = edit(&["adjust", "c1", "-6", "--key", "k"]).done();
    assert!(told.stdout.ends_with(", as it was before\n"), "{}", told.stdout);
    assert_eq!(edit(&["list", "gift", "add", "c1", "c2", "c3", "--json"]).done().json()["rows"], 3);
    let told = edit(&["list", "gift", "clear"]).ended(1);
    assert!(told.error().starts_with("error: it would leave 0 of 3 on the list"), "{}", told.stderr);
    edit(&["list", "gift", "clear", "--confirm", "3:0"]).done();
    let told = edit(&["list", "vip", "remove", "c1"]).done();
    assert!(told.stdout.contains("1 of them do not stand"), "{}", told.stdout);
    assert_eq!(
        edit(&["adjust", "nobody", "1"]).ended(1).error(),
        "error: no customer of that id; nothing was changed\n"
    );
    // Refused before anybody is asked.
    let told = ask(&service, &["adjust", "c1", "1", "--by", "zhang"]).ended(2);
    assert!(told.stderr.contains("--reason"), "{}", told.stderr);
    ask(&service, &["list", "gift", "add", "c1", "--reason", "x"]).ended(2);
    edit(&["list", "gift", "clear", "--confirm", "3"]).ended(2);
}

#[test]
fn verify_compares_and_says_so() {
    let home = Home::new();
    let service = served(&home);
    let told = ask(&service, &["verify"]).done();
    assert!(told.stdout.contains(" rows of 200 customers compared, 0 differ\n"), "{}", told.stdout);
    assert_eq!(ask(&service, &["verify", "--json"]).done().json()["divergences"], 0);
}

#[test]
fn apply_publishes_what_holds_and_nothing_else() {
    let home = Home::new();
    let service = served(&home);
    let own = home.path().join("own.toml");
    let path = own.to_str().expect("UTF-8");
    fs::write(&own, "[[segment]]\nid = \"东莞\"\nwhen = \"city = '东莞'\"\n").expect("written");
    let told = ask(&service, &["apply", path]).done();
    assert!(told.stdout.starts_with("in force since epoch "), "{}", told.stdout);
    assert!(told.stdout.contains("  segment 东莞: 190 came, 0 went\n"), "{}", told.stdout);
    let told = ask(&service, &["apply", path, "--json"]).done();
    assert_eq!(told.json()["segment_member"], serde_json::json!({}));
    let before = service.get("/v1/programme").good();
    fs::write(&own, "[[segment]]\nid = \"s\"\nwhen = \"cty = '东莞'\"\n").expect("written");
    let told = ask(&service, &["apply", path]).ended(1);
    assert!(told.error().contains("own.toml:3:9") && told.stderr.contains("did you mean \"city\"?"), "{}", told.stderr);
    // What only the service can refuse is told as it tells it.
    fs::write(&own, "[settings]\ntimezone = \"Europe/Berlin\"\n").expect("written");
    let told = ask(&service, &["apply", path]).ended(1);
    assert!(told.error().starts_with("error: the timezone of a store"), "{}", told.stderr);
    assert_eq!(service.get("/v1/programme").good(), before);
}

/// Something that refuses whatever it is asked, so many times.
fn refuser(times: usize) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let body = "{\"code\":\"internal\",\"detail\":\"not now\"}";
    let answer = format!("HTTP/1.1 500 x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let answering = std::thread::spawn(move || {
        for stream in listener.incoming().take(times) {
            let mut stream = stream.expect("a connection");
            let mut request = BufReader::new(stream.try_clone().expect("a handle"));
            let mut line = String::new();
            while request.read_line(&mut line).expect("a line") > 2 {
                line.clear();
            }
            stream.write_all(answer.as_bytes()).expect("sent");
        }
    });
    (address, answering)
}

/// What a service refuses is an answer of no, to the commands that copy text as well.
#[test]
fn a_refusal_is_no_answer_whichever_command_asked() {
    let commands = [&["ledger"][..], &["quarantine", "--json"], &["customer", "c1"]];
    let (address, answering) = refuser(commands.len());
    for words in commands {
        let told = cohortflow(words.iter().copied().chain(["--http", address.as_str()])).ended(1);
        assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", "error: not now\n"), "{words:?}");
    }
    answering.join().expect("it answered");
}

#[test]
fn a_service_that_is_not_there_is_named() {
    for words in [&["customer", "c1"][..], &["standing", "c1"], &["ledger"], &["quarantine"], &["verify"]] {
        let told = cohortflow(words.iter().copied().chain(["--http", "http://127.0.0.1:1"]));
        told.could_not(&["could not reach a service at http://127.0.0.1:1", "cohortflow serve"]);
    }
    let output = command(["ledger"]).env("COHORTFLOW_URL", "http://127.0.0.1:2").output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("http://127.0.0.1:2"), "{output:?}");
}

#[test]
fn a_customer_is_explained_to_people_and_to_programs() {
    let home = Home::new();
    let service = served(&home);
    let told = ask(&service, &["explain", "c1", "tier"]).done();
    assert!(
        told.stdout.starts_with("c1 has tier A: A is the first tier whose rule is true\nas of 2009-06,"),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("bill_2009-06.csv version 1, line 2"), "{}", told.stdout);
    let told = ask(&service, &["explain", "c1", "balance", "--json"]).done();
    assert_eq!(told.json(), service.get("/v1/customers/c1/why?balance").good());
    let told = ask(&service, &["explain", "c1", "target", "concert_crbt"]).done();
    assert!(told.stdout.contains("\naudience\n") && told.stdout.contains("\nlisted by "), "{}", told.stdout);
    let told = ask(&service, &["explain", "c1", "segment", "nothing"]).ended(1);
    assert!(told.error().contains("no segment of that name; did you mean "), "{}", told.error());
    ask(&service, &["explain", "c1", "segment"]).ended(2);
    ask(&service, &["explain", "c1", "tier", "A"]).ended(2);
}

#[test]
fn a_file_is_undone_when_somebody_says_yes() {
    let home = Home::new();
    let service = served(&home);
    let told = ask(&service, &["receipt", "bill_2009-05.csv"]).done();
    assert!(
        told.stdout.starts_with("bill_2009-05.csv: version 1, accepted, 200 rows of which 0 bad"),
        "{}",
        told.stdout
    );
    let told = ask(&service, &["undo", "adjustment_2009-06.csv", "--dry-run"]).done();
    assert!(told.stdout.contains("  points of all balances: 66 before, 16 after\n"), "{}", told.stdout);
    // Nobody is at a terminal.
    ask(&service, &["undo", "adjustment_2009-06.csv"]).ended(2);
    assert_eq!(service.get("/v1/customers/c1").good()["points"], 66);
    let told = ask(&service, &["undo", "adjustment_2009-06.csv", "--yes", "--json"]).done();
    assert_eq!(told.json()["undone"], true);
    assert_eq!(service.get("/v1/customers/c1").good()["points"], 16);
    ask(&service, &["undo", "adjustment_2009-06.csv", "--yes"]).ended(1);
}

#[test]
fn an_edit_is_told_before_it_is_applied() {
    let home = Home::new();
    let service = served(&home);
    let path = home.path().join("edited.toml");
    let rules = |fee: u32| format!("[[segment]]\nid = \"spenders\"\nwhen = \"avg_fee > {fee}\"\n");
    let file = path.to_str().expect("a path");
    fs::write(&path, rules(100)).expect("written");
    ask(&service, &["apply", file]).done();
    fs::write(&path, rules(150)).expect("written");
    let told = ask(&service, &["diff", file, "--members", "2"]).done();
    let json = ask(&service, &["diff", file, "--json"]).done().json();
    let [before, after, removed] = ["before", "after", "removed"].map(|key| json["segments"][0][key].to_string());
    let line = told.stdout.lines().find(|line| line.trim_start().starts_with("spenders")).expect("the segment");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, ["spenders", &before, &after, "0", &removed], "{}", told.stdout);
    assert!(told.stdout.contains("nothing is published") && told.stdout.contains("\n    - "), "{}", told.stdout);
    let ids = ask(&service, &["diff", file, "--list", "segment:spenders", "--side", "removed"]).done();
    assert_eq!((ids.stdout.lines().count() - 1).to_string(), removed);
    let swept = ask(&service, &["diff", "--sweep", "segment spenders: avg_fee > ?", "--at", "100,150"]).done();
    let rows: Vec<Vec<&str>> = swept.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[rows.len() - 1], ["150", &after, "0", &removed], "{}", swept.stdout);
    assert_eq!(rows[rows.len() - 2], ["100", &before, "0", "0"], "{}", swept.stdout);
    let told = ask(&service, &["diff", "--sweep", "segment:nobody", "--at", "1"]).ended(1);
    assert!(told.error().contains("no segment \"nobody\""), "{}", told.stderr);
    fs::write(&path, "[[segment]]\nid = \"s\"\nwhen = \"avg_fe > 1\"\n").expect("written");
    assert!(ask(&service, &["diff", file]).ended(1).stderr.contains("edited.toml:3:9"));
    cohortflow(["diff"]).ended(2);
}
