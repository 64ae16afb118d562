//! A consumer that holds what it is told to what may be told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use tungstenite::WebSocket;
use tungstenite::protocol::Role;

use crate::exchange::{PATIENCE, connect};
use crate::files::assert_no_phone;
use crate::service::Service;

pub struct Follower {
    pub view: &'static str,
    pub conditions: String,
    /// Rows as JSON, with how often each is there: as of the last mark.
    pub rows: BTreeMap<String, isize>,
    pub token: Option<String>,
    pub deltas: usize,
    upper: Option<u64>,
    epoch: u64,
    /// What no mark has closed yet, and where it ends.
    waiting: Vec<(isize, String)>,
    until: Option<u64>,
    stream: Option<Box<dyn BufRead>>,
}

impl Follower {
    pub fn new(view: &'static str) -> Follower {
        Follower {
            view,
            conditions: String::new(),
            rows: BTreeMap::new(),
            token: None,
            deltas: 0,
            upper: None,
            epoch: 0,
            waiting: Vec::new(),
            until: None,
            stream: None,
        }
    }

    /// Follows from where it stopped.
    pub fn connect(&mut self, service: &Service) {
        self.close();
        let after = self.token.as_ref().map(|token| format!("&after={token}")).unwrap_or_default();
        let url = format!("http://{}/v1/views/{}/feed?{}{after}", service.address, self.view, self.conditions);
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build().into();
        let response = agent.get(url).call().expect("answered");
        assert_eq!(response.status(), 200, "{}", self.view);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        self.stream = Some(Box::new(BufReader::new(response.into_body().into_reader())));
    }

    pub fn close(&mut self) {
        self.stream = None;
        self.waiting.clear();
        self.until = None;
    }

    /// Reads until the next mark.
    pub fn read_to_mark(&mut self) {
        while self.event().expect("the feed goes on") != "progress" {}
    }

    /// Reads from mark to mark until what is wanted is there.
    pub fn read_until(&mut self, wanted: impl Fn(&Follower) -> bool) {
        while !wanted(self) {
            self.read_to_mark();
        }
    }

    /// Reads one event. None where the feed broke off.
    pub fn event(&mut self) -> Option<String> {
        let (mut event, mut data, mut line) = (String::new(), String::new(), String::new());
        loop {
            line.clear();
            if self.stream.as_mut()?.read_line(&mut line).unwrap_or_else(|error| panic!("{}: {error}", self.view)) == 0
            {
                return None;
            }
            let text = line.trim_end_matches('\n');
            if let Some(name) = text.strip_prefix("event: ") {
                name.clone_into(&mut event);
            } else if let Some(more) = text.strip_prefix("data: ") {
                data.push_str(more);
            } else if text.is_empty() && !event.is_empty() {
                assert_no_phone(&data, self.view);
                self.take(&event, &serde_json::from_str(&data).expect("JSON"));
                return Some(event);
            }
        }
    }

    pub fn take(&mut self, event: &str, data: &Value) {
        assert_eq!(data["view"], self.view);
        let list = |key: &str| data[key].as_array().expect("rows").iter().map(Value::to_string).collect::<Vec<_>>();
        match event {
            "snapshot" => {
                assert_eq!(self.upper, None, "{} begins anew", self.view);
                self.waiting.extend(list("rows").into_iter().map(|row| (1, row)));
            }
            "delta" => {
                let [lower, upper] = ["lower", "upper"].map(|key| data[key].as_u64().expect("a time"));
                assert_eq!(Some(lower), self.upper, "{}: a gap, or the same twice", self.view);
                assert!(lower < upper && self.until.is_none_or(|until| until == upper));
                self.until = Some(upper);
                self.waiting.extend(list("gone").into_iter().map(|row| (-1, row)));
                self.waiting.extend(list("come").into_iter().map(|row| (1, row)));
            }
            "progress" => {
                let [upper, epoch] = ["upper", "epoch"].map(|key| data[key].as_u64().expect("a time"));
                assert!(self.upper.is_none_or(|held| held <= upper) && self.epoch <= epoch, "{} goes back", self.view);
                assert!(self.until.is_none_or(|until| until == upper));
                let is_filtered = !self.conditions.is_empty();
                assert!(is_filtered || self.upper.is_none() || self.until.is_some() || self.upper == Some(upper));
                self.deltas += usize::from(self.until.take().is_some());
                for (count, row) in self.waiting.drain(..) {
                    let held = self.rows.entry(row).or_default();
                    *held += count;
                }
                self.rows.retain(|_, count| *count != 0);
                assert!(self.rows.values().all(|count| *count > 0), "{}: what was not there has gone", self.view);
                (self.upper, self.epoch) = (Some(upper), epoch);
                self.token = Some(data["token"].as_str().expect("a token").to_owned());
            }
            "end" => assert!(!data["reason"].as_str().expect("a reason").is_empty()),
            other => panic!("an event of kind {other}"),
        }
    }
}

/// The rows of a view as a follower holds them.
pub fn expected(service: &Service, view: &str) -> BTreeMap<String, isize> {
    let views = service.get("/v1/views").good();
    let columns = views.as_array().expect("views").iter().find(|listed| listed["name"] == view).expect("the view");
    let columns = columns["columns"].as_array().expect("columns");
    let page = service.get(&format!("/v1/views/{view}?limit=100000")).good();
    assert_eq!(page["more"], false);
    let mut rows = BTreeMap::new();
    for row in page["rows"].as_array().expect("rows") {
        let cells: Vec<Value> = columns.iter().map(|column| row[column.as_str().expect("a name")].clone()).collect();
        *rows.entry(Value::Array(cells).to_string()).or_default() += 1;
    }
    rows
}

/// A WebSocket, by the handshake of RFC 6455, section 1.3, with its example's key.
pub fn socket(service: &Service, target: &str) -> WebSocket<TcpStream> {
    let mut stream = connect(service.address);
    let head = format!(
        "GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        service.address
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("answered");
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).expect("text").to_lowercase();
    assert!(answer.starts_with("http/1.1 101") && answer.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
    WebSocket::from_raw_socket(stream, Role::Client, None)
}
