//! Requests that are none, or not for us. None of them ends the service.

use std::io::Write;

use crate::exchange::{connect, request, send_and_end};
use crate::service::Home;

const ROUTES: [(&str, &str); 12] = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v1/customers/c1"),
    ("GET", "/v1/customers/c1/standing"),
    ("GET", "/v1/views"),
    ("GET", "/v1/views/tier"),
    ("GET", "/v1/programme"),
    ("POST", "/v1/programme"),
    ("POST", "/v1/adjustments"),
    ("POST", "/v1/lists/vip"),
    ("POST", "/v1/verify"),
];

#[test]
fn another_method_is_refused_and_the_right_ones_are_named() {
    let home = Home::new();
    let service = home.serve();
    for (_, target) in ROUTES {
        let allowed: Vec<&str> =
            ROUTES.iter().filter(|(_, other)| *other == target).map(|(method, _)| *method).collect();
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            if allowed.contains(&method) {
                continue;
            }
            let reply = service.ask(method, target, &[], b"");
            reply.refused(405, "method");
            let told = reply.header("allow").expect("the methods allowed");
            assert!(allowed.iter().all(|method| told.contains(method)), "{target}: {told}");
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_not_found() {
    let home = Home::new();
    let service = home.serve();
    for target in [
        "/",
        "//",
        "/v1",
        "/v1/",
        "/V1/views",
        "/v1/views/tier/rows",
        "/healthz/",
        "/v2/views",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1//views",
        "/favicon.ico",
        "/v1/views%2ftier",
    ] {
        service.get(target).refused(404, "not_found");
    }
    for method in ["PUT", "BREW"] {
        service.ask(method, "/nowhere", &[], b"").refused(404, "not_found");
    }
}

#[test]
fn head_answers_without_a_body() {
    let home = Home::new();
    let service = home.serve();
    let reply = crate::exchange::send_and_end(service.address, &request("HEAD", "/healthz", &[], b""));
    // A body is announced and not sent, so it reads as broken off.
    assert!(reply.is_none_or(|reply| reply.status == 200 && reply.body.is_empty()));
}

#[test]
fn a_foreign_host_is_refused() {
    let home = Home::new();
    let service = home.serve();
    let own = service.address.to_string();
    for host in ["localhost", "localhost:7878", "127.0.0.1", "[::1]:80", own.as_str()] {
        assert_eq!(service.ask("GET", "/healthz", &[("host", host)], b"").status, 200, "{host}");
    }
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "", "127.0.0.1.evil.example", "[", ":"] {
        service.ask("GET", "/v1/views", &[("host", host)], b"").refused(421, "host");
    }
}

#[test]
fn what_is_no_request_is_refused_and_the_next_is_answered() {
    let home = Home::new();
    let mut service = home.serve();
    let long_target = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(1 << 20));
    let long_header = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    let many_headers = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let noise: Vec<u8> = (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let requests: [&[u8]; 20] = [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"get / http/1.1\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: \0\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /v1/programme HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        long_target.as_bytes(),
        long_header.as_bytes(),
        many_headers.as_bytes(),
        &noise,
    ];
    for bytes in requests {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(50)]).into_owned();
        let reply = send_and_end(service.address, bytes);
        assert!(reply.is_none_or(|reply| (400..500).contains(&reply.status)), "{shown}");
        assert_eq!(service.get("/healthz").status, 200, "after {shown}");
    }
    assert!(service.is_running());
}

#[test]
fn connections_that_say_nothing_keep_nobody_waiting() {
    let home = Home::new();
    let service = home.serve();
    let silent: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = connect(service.address);
            let half: &[u8] = if number % 2 == 0 { b"" } else { b"GET /v1/views HTTP/1.1\r\nhost: local" };
            stream.write_all(half).expect("sent");
            stream
        })
        .collect();
    assert_eq!(service.get("/healthz").status, 200);
    drop(silent);
    assert_eq!(service.get("/healthz").status, 200);
}
