//! Following a view over SQL.

use std::io::{BufRead, BufReader, Read};

use crate::client::{Row, Served, refused, rows};
use crate::service::Home;

fn served() -> (Home, Served) {
    let home = Home::new();
    home.land("customer_2009-07.csv", "customer_id,city\nc1,a\nc2,b\nc3,a\n");
    let served = Served::of(&home);
    served.service.settle(1);
    (home, served)
}

fn bills(home: &Home, served: &Served, version: u32, fees: [u32; 3]) {
    let rows: String = fees.iter().enumerate().map(|(nth, fee)| format!("c{},2009-07,{fee}\n", nth + 1)).collect();
    home.land(&format!("bill_2009-07.v{version}.csv"), format!("customer_id,month,total_fee\n{rows}"));
    served.service.settle(1 + version as usize);
}

fn text(rows: &[Row], columns: &[usize]) -> Vec<String> {
    let cell = |row: &Row, place: &usize| row[*place].clone().unwrap_or_else(|| "null".to_owned());
    let mut told: Vec<String> =
        rows.iter().map(|row| columns.iter().map(|place| cell(row, place)).collect::<Vec<_>>().join(" ")).collect();
    told.sort();
    told
}

#[test]
fn a_cursor_on_a_subscription_gives_what_is_there() {
    let (home, served) = served();
    bills(&home, &served, 1, [50, 60, 70]);
    let mut client = served.connect();
    rows(&mut client, "BEGIN");
    rows(&mut client, "DECLARE c CURSOR FOR SUBSCRIBE TO customer_attribute");
    let first = rows(&mut client, "FETCH ALL FROM c");
    let customers = text(&first, &[1, 2, 3]);
    assert_eq!(customers, ["1 c1 2009-07", "1 c2 2009-07", "1 c3 2009-07"]);
    // Nothing has become of it, and nobody waits for long.
    assert!(rows(&mut client, "FETCH ALL FROM c").is_empty());
    bills(&home, &served, 2, [50, 61, 70]);
    let mut later = Vec::new();
    while later.len() < 2 {
        later.extend(rows(&mut client, "FETCH 1 FROM c"));
    }
    assert_eq!(text(&later, &[1, 2]), ["-1 c2", "1 c2"]);
    assert!(later[0][0] == later[1][0] && later[0][0] > first[0][0], "{later:?} of {first:?}");
    rows(&mut client, "CLOSE c");
    rows(&mut client, "COMMIT");
    served.until_idle();
}

#[test]
fn a_copy_of_a_subscription_goes_on_until_its_client_ends_it() {
    let (home, served) = served();
    bills(&home, &served, 1, [50, 60, 70]);
    let mut client = served.connect();
    let cancel = client.cancel_token();
    {
        let copied =
            client.copy_out("COPY (SUBSCRIBE customer_attribute WITH (PROGRESS)) TO STDOUT").expect("it is copied");
        let mut lines = BufReader::new(copied).lines();
        let mut until = |wanted: &dyn Fn(&str) -> bool| loop {
            let line = lines.next().expect("it goes on").expect("read");
            if wanted(&line) {
                return line;
            }
        };
        assert!(until(&|line| line.contains("c1")).contains("\t1\tc1\t2009-07\t"));
        // A mark has no rows, and is told to who asked for it.
        until(&|line| line.contains("\t\\N\t\\N"));
        bills(&home, &served, 2, [500, 600, 700]);
        until(&|line| line.contains("\t-1\t"));
        cancel.cancel_query(postgres::NoTls).expect("it is cancelled");
        let error = lines.find_map(Result::err).expect("it is ended");
        assert!(format!("{error:?}").contains("57014"), "{error:?}");
    }
    drop(client);
    served.until_idle();
}

#[test]
fn some_rows_of_a_view_are_followed_by_a_question() {
    let (home, served) = served();
    bills(&home, &served, 1, [40, 50, 60]);
    let mut client = served.connect();
    rows(&mut client, "BEGIN");
    rows(
        &mut client,
        "DECLARE c CURSOR FOR SELECT customer_id, diff FROM subscribe('customer_attribute', false) WHERE customer_id <> 'c2'",
    );
    // It has begun once it was asked for the first time.
    assert!(rows(&mut client, "FETCH ALL FROM c").is_empty());
    bills(&home, &served, 2, [50, 60, 70]);
    let mut told = Vec::new();
    while told.len() < 4 {
        told.extend(rows(&mut client, "FETCH ALL FROM c"));
    }
    assert_eq!(text(&told, &[0, 1]), ["c1 -1", "c1 1", "c3 -1", "c3 1"]);
    rows(&mut client, "ROLLBACK");
    served.until_idle();
}

#[test]
fn a_subscription_has_no_deadline_but_its_clients_own() {
    let (_home, served) = served();
    let mut client = served.connect();
    rows(&mut client, "SET statement_timeout = '300ms'");
    let mut copied = client.copy_out("COPY (SUBSCRIBE TO public.tier_count) TO STDOUT").expect("it is copied");
    let error = copied.read_to_end(&mut Vec::new()).expect_err("it is ended");
    assert!(error.to_string().contains("statement timeout") || format!("{error:?}").contains("57014"), "{error:?}");
    drop(copied);
    served.until_idle();
}

#[test]
fn what_cannot_be_followed_says_why() {
    let (_home, served) = served();
    let mut client = served.connect();
    for (text, code) in [
        ("SUBSCRIBE teir", "42000"),
        ("SUBSCRIBE", "42601"),
        ("SUBSCRIBE (SELECT 1)", "42601"),
        ("SUBSCRIBE tier WITH (AGES)", "42601"),
        ("SUBSCRIBE tier WITH (SNAPSHOT = 3)", "42601"),
        ("SELECT * FROM subscribe(1)", "42000"),
        ("SELECT * FROM subscribe('tier', 'yes')", "42000"),
    ] {
        assert_eq!(refused(&mut client, text).0, code, "{text}");
    }
    served.until_idle();
}
