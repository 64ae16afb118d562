//! Bytes that are no messages, or messages out of turn: a connection may be cut for them, and nothing else happens.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Served, value};
use crate::exchange::PATIENCE;
use crate::service::Home;

/// A message of a kind.
fn message(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = kind.into_iter().collect();
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn startup() -> Vec<u8> {
    let mut body = 196_608u32.to_be_bytes().to_vec();
    body.extend(b"user\0analyst\0database\0cohortflow\0\0");
    message(None, &body)
}

/// What clients send, of every kind that there is.
fn said(random: &mut fastrand::Rng) -> Vec<u8> {
    let texts: [&[u8]; 6] = [
        b"SELECT 1\0",
        b"SELECT customer_id FROM tier WHERE tier = $1\0",
        b"\0",
        b"COPY tier TO STDOUT\0",
        b"BEGIN;;SELECT\0",
        b"\xff\xfe\0",
    ];
    let text = texts[random.usize(..texts.len())];
    match random.u8(..14) {
        0 | 1 => message(Some(b'Q'), text),
        2 => message(Some(b'P'), &[b"s\0", text, &[0, 1, 0, 0, 0, 25]].concat()),
        3 => message(Some(b'B'), b"\0s\0\0\x01\0\x01\0\x01\0\0\0\x01A\0\x01\0\x01"),
        4 => message(Some(b'D'), b"Ss\0"),
        5 => message(Some(b'E'), b"\0\0\0\0\x05"),
        6 => message(Some(b'S'), b""),
        7 => message(Some(b'C'), b"Ss\0"),
        8 => message(Some(b'H'), b""),
        9 => message(Some(b'd'), b"rows"),
        10 => message(Some(b'p'), b"SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=abcdefghijklmnopqrstuvwx"),
        11 => message(Some(b'F'), b"\0\0\0\x01\0\0\0\0\0\0"),
        12 => message(None, &[4, 210, 22, 47]),
        _ => message(None, &[&80_877_102u32.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 2]].concat()),
    }
}

/// Messages, some of whose bytes are others, are left out, or stand twice.
fn mangled(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = if random.u8(..4) > 0 { startup() } else { Vec::new() };
    for _ in 0..random.usize(1..6) {
        bytes.extend(said(random));
    }
    for _ in 0..random.usize(..6) {
        let place = random.usize(..bytes.len());
        match random.u8(..4) {
            0 => bytes[place] = random.u8(..),
            1 => bytes.truncate(place.max(1)),
            2 => bytes.insert(place, random.u8(..)),
            // Lengths are where most is to be gained.
            _ => {
                let end = (place + 4).min(bytes.len());
                let length = [0, 3, 4, 5, 0x7fff_ffff, u32::MAX, 10_000][random.usize(..7)];
                bytes.splice(place..end, length.to_be_bytes());
            }
        }
    }
    bytes
}

fn send(port: u16, bytes: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the service listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    // It may cut us off in the middle.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn bytes_that_are_no_messages_end_no_more_than_their_connection() {
    let home = Home::new();
    let served = Served::of(&home);
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let count = std::env::var("FRAMES").ok().and_then(|count| count.parse().ok()).unwrap_or(600);
    let mut random = fastrand::Rng::with_seed(seed);
    for number in 0..count {
        // Half of them are of a service with accounts, where a login comes before everything.
        if number == count / 2 {
            assert_eq!(value(&mut served.connect(), "SELECT 1"), "1");
            let root = json!({ "name": "root", "role": "administrator", "password": "correct horse" });
            assert_eq!(served.service.post("/v1/accounts", &root).status, 201);
        }
        send(served.port, &mangled(&mut random));
    }
    assert_eq!(served.service.get("/healthz").status, 200);
    assert!(served.try_connect("analyst", "cohortflow").is_err(), "nobody is let in without a password");
}

#[test]
fn a_login_that_says_nothing_is_cut_off_and_others_are_not_kept_waiting() {
    let home = Home::new();
    let served = Served::of(&home);
    let silent: Vec<TcpStream> =
        (0..50).map(|_| TcpStream::connect(("127.0.0.1", served.port)).expect("it listens")).collect();
    let began = Instant::now();
    assert_eq!(value(&mut served.connect(), "SELECT 1"), "1");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for mut stream in silent {
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut told = Vec::new();
        // Cut, with a word or without.
        let _ = stream.read_to_end(&mut told);
    }
    assert!(began.elapsed() < PATIENCE);
}
