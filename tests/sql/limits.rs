//! A statement ends with its deadline, its client's word or his going, and holds no more memory than it may; meanwhile
//! others are answered.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use postgres::NoTls;

use crate::client::{Served, refused, rows, told, value};
use crate::exchange::PATIENCE;
use crate::service::Home;

/// Takes processors for minutes, and next to no memory.
const LONG: &str = "SELECT count(*) FROM generate_series(1, 1000000000000) AS numbers (number) WHERE number % 7 = 3";

#[test]
fn a_statement_ends_with_its_deadline() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    rows(&mut client, "SET statement_timeout = '200ms'");
    let begun = Instant::now();
    assert_eq!(refused(&mut client, LONG).0, "57014");
    // Its own deadline, and not the service's, which has the same code.
    assert!(begun.elapsed() < Duration::from_secs(15));
    served.until_idle();
    assert_eq!(value(&mut client, "SELECT 1"), "1");
    // The service's own limit cannot be lifted.
    let served = Served::with(&Home::new(), &["--sql-timeout", "1"]);
    let mut client = served.connect();
    rows(&mut client, "SET statement_timeout = '1h'");
    let (code, message) = refused(&mut client, LONG);
    assert_eq!(code, "57014");
    assert!(message.contains("1000 ms"), "{message}");
    // So ends one that is sorted, joined, or fetched by portions.
    for text in [
        "SELECT number FROM generate_series(1, 1000000000000) AS n (number) WHERE number < 0 ORDER BY number",
        "SELECT a.value + b.value FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.value + b.value < 0",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    ] {
        let (code, message) = refused(&mut client, text);
        assert!(["57014", "53200"].contains(&&*code), "{text}: {code} {message}");
        let ended = Instant::now();
        served.until_idle();
        // At once, but for a processor that others have. Left alone, the join of pairs takes half a minute more.
        assert!(ended.elapsed() < Duration::from_secs(10), "{text} works on");
    }
}

#[test]
fn a_statement_ends_when_its_client_says_so() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    let token = client.cancel_token();
    let asked = std::thread::spawn(move || {
        let code = refused(&mut client, LONG).0;
        (code, value(&mut client, "SELECT 1"))
    });
    served.service.until("/metrics", |reply| {
        String::from_utf8_lossy(&reply.body).contains("cohortflow_sql_statements_running 1").then_some(())
    });
    // Whoever guesses a number and no secret ends nothing.
    for number in 1..=3_u32 {
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", served.port)).expect("it connects");
        let words = [16, 80_877_102, number, 0];
        socket.write_all(&words.map(u32::to_be_bytes).concat()).expect("sent");
        assert_eq!(socket.read_to_end(&mut Vec::new()).expect("it is closed"), 0);
    }
    assert!(!asked.is_finished());
    let told = Instant::now();
    token.cancel_query(NoTls).expect("it is told");
    assert_eq!(asked.join().expect("answered"), ("57014".to_owned(), "1".to_owned()));
    // Before the deadline, which has the same code.
    assert!(told.elapsed() < Duration::from_secs(20));
    served.until_idle();
}

#[test]
fn a_statement_ends_within_a_second_of_its_client_s_going() {
    let served = Served::of(&Home::new());
    let (sender, receiver) = std::sync::mpsc::channel();
    let port = served.port;
    // A client that asks and goes, without a word.
    std::thread::spawn(move || {
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it connects");
        let mut startup = vec![0, 3, 0, 0];
        startup.extend(b"user\0analyst\0database\0cohortflow\0\0");
        let mut bytes = ((startup.len() + 4) as u32).to_be_bytes().to_vec();
        bytes.extend(startup);
        bytes.push(b'Q');
        bytes.extend(((LONG.len() + 5) as u32).to_be_bytes());
        bytes.extend(LONG.as_bytes());
        bytes.push(0);
        socket.write_all(&bytes).expect("sent");
        let () = receiver.recv().expect("told to go");
    });
    served.service.until("/metrics", |reply| {
        String::from_utf8_lossy(&reply.body).contains("cohortflow_sql_statements_running 1").then_some(())
    });
    let gone = Instant::now();
    sender.send(()).expect("it goes");
    served.until_idle();
    assert!(gone.elapsed() < Duration::from_secs(5), "it works on");
}

#[test]
fn others_are_answered_while_statements_take_all_they_can() {
    let home = Home::new();
    home.land("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,80\n");
    let served = Served::of(&home);
    served.service.settle(1);
    let mut tokens = Vec::new();
    let asked: Vec<_> = (0..6)
        .map(|_| {
            let mut client = served.connect();
            tokens.push(client.cancel_token());
            std::thread::spawn(move || refused(&mut client, LONG).0)
        })
        .collect();
    let mut client = served.connect();
    assert_eq!(value(&mut client, "SELECT tier FROM tier WHERE customer_id = 'c1'").len(), 1);
    home.land("bill_2009-08.csv", "customer_id,month,total_fee\nc1,2009-08,80\nc2,2009-08,80\n");
    served.service.settle(2);
    assert_eq!(served.service.get("/v1/customers/c2").status, 200);
    assert_eq!(value(&mut client, "SELECT count(*) FROM tier"), "2");
    tokens.iter().for_each(|token| token.cancel_query(NoTls).expect("told"));
    for asked in asked {
        assert_eq!(asked.join().expect("answered"), "57014");
    }
    served.until_idle();
}

#[test]
fn what_needs_too_much_memory_is_refused_and_nothing_else_is() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    let (code, message) = refused(
        &mut client,
        "SELECT count(*) FROM (SELECT DISTINCT (value * 7919) % 100000007 FROM generate_series(1, 50000000)) numbers",
    );
    assert_eq!(code, "53200", "{message}");
    assert!(message.contains("the statement needs more"), "{message}");
    served.until_idle();
    assert_eq!(
        value(&mut client, "SELECT count(*) FROM (SELECT DISTINCT value FROM generate_series(1, 1000)) n"),
        "1000"
    );
}

#[test]
fn a_client_too_many_is_told_so() {
    let served = Served::of(&Home::new());
    let clients: Vec<_> = (0..100).map(|_| served.connect()).collect();
    let error = served.try_connect("analyst", "cohortflow").err().expect("it is refused");
    assert_eq!(told(&error).0, "53300");
    drop(clients);
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = served.try_connect("analyst", "cohortflow") {
        assert!(Instant::now() < deadline, "{error}");
    }
}

#[test]
fn a_service_that_stops_leaves_its_clients_without_a_word_of_panic() {
    let served = Served::of(&Home::new());
    let mut idle = served.connect();
    let mut client = served.connect();
    let asked = std::thread::spawn(move || client.simple_query(LONG).is_err());
    served.service.until("/metrics", |reply| {
        String::from_utf8_lossy(&reply.body).contains("cohortflow_sql_statements_running 1").then_some(())
    });
    served.service.stop();
    assert!(asked.join().expect("it ends"));
    assert!(idle.simple_query("SELECT 1").is_err());
}

#[test]
fn a_connection_keeps_no_more_prepared_statements_than_it_may() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    let mut kept = Vec::new();
    let refused = loop {
        match client.prepare(&format!("SELECT {}", kept.len())) {
            Ok(statement) => kept.push(statement),
            Err(error) => break error,
        }
        assert!(kept.len() < 10_000, "it keeps whatever comes");
    };
    assert_eq!(refused.code().map(|code| code.code()), Some("53300"), "{refused}");
    assert!(kept.len() > 1000, "{}", kept.len());
    // What it keeps answers, and others have room of their own.
    assert_eq!(value(&mut served.connect(), "SELECT 1"), "1");
    let last = kept.last().expect("some");
    assert_eq!(client.query_one(last, &[]).expect("answered").get::<_, i64>(0), kept.len() as i64 - 1);
    // Those that are closed make room for others.
    kept.clear();
    let text = "SELECT customer_id FROM tier WHERE customer_id = $1";
    let statement = client.prepare(text).expect("room again");
    assert!(client.query(&statement, &[&"c1"]).is_ok());
    // A parameter is no way around the length of a text.
    let long = "x".repeat(2 << 20);
    let refused = client.query(&statement, &[&long]).expect_err("too long");
    assert_eq!(refused.code().map(|code| code.code()), Some("54001"), "{refused}");
    assert!(client.query(&statement, &[&"c1"]).is_ok());
}
