//! Spans to a collector: what it gets, and that nobody waits for one that is dead.

use std::io::Read;
use std::net::TcpListener;
use std::time::Instant;

use crate::exchange::PATIENCE;
use crate::files::province;
use crate::observed::{CANARIES, ask_everything, canaries};
use crate::receiver::Receiver;
use crate::service::Home;

/// Whether a message holds a text. In protobuf texts stand as they are.
fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_collector_gets_spans_of_files_and_requests_and_of_nobody() {
    let collector = Receiver::new(|_| Some(200));
    let home = Home::new();
    let files = canaries();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve_with(&["--otlp", &format!("http://{}", collector.address)]);
    service.settle(files.len());
    CANARIES.iter().for_each(|id| ask_everything(&service, id));
    // The last spans are told when it ends.
    service.stop();
    let posted = collector.posted();
    assert!(
        posted.iter().all(|one| one.path == "/v1/traces" && one.header("content-type") == "application/x-protobuf")
    );
    let all: Vec<u8> = posted.iter().flat_map(|one| one.body.clone()).collect();
    for text in [
        "cohortflow",
        "file",
        "decode",
        "commit",
        "submit",
        "visible",
        "request",
        "bill_2009-06.csv",
        "/v1/customers/{id}",
    ] {
        assert!(holds(&all, text), "no span tells {text}");
    }
    for canary in CANARIES.into_iter().chain(["13812345678", "13987654321", "13700009999"]) {
        assert!(!holds(&all, canary), "a span tells of {canary}");
    }
}

#[test]
fn a_collector_that_accepts_and_never_answers_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // It ends with the process of the test; connections stay open, and what they send is read and never answered.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("connected");
            std::thread::spawn(move || while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {});
        }
    });
    let home = Home::new();
    let files = province();
    let service = home.serve_with(&["--otlp", &format!("http://{address}/")]);
    let began = Instant::now();
    files.iter().for_each(|(name, text)| home.land(name, text));
    service.settle(files.len());
    // More spans than the queue has room for.
    (0..3000).for_each(|_| assert_eq!(service.get("/v1/customers/c1").status, 200));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let began = Instant::now();
    service.stop();
    assert!(began.elapsed() < PATIENCE / 4, "it waited {:?} for the collector", began.elapsed());
}

#[test]
fn an_address_that_is_none_is_refused_and_not_told() {
    let home = Home::new();
    let done = home.command(&["--otlp", "collector:4318/hunter2"]).output().expect("it ends");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(2) && told.contains("hint: ") && !told.contains("hunter2"), "{told}");
}
