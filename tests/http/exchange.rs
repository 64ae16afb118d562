//! One request and its answer, as bytes on a connection of their own.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Far beyond what any answer takes; a service that hangs fails its test instead of holding it up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of an answer that must be good.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Holds a refusal to its status and its code; gives its message.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let value = self.json();
        assert_eq!((&value["code"], &value["status"]), (&code.into(), &status.into()), "{value}");
        value["detail"].as_str().filter(|message| !message.is_empty()).expect("a message").to_owned()
    }
}

/// Sends bytes and reads the answer. None where the service closed without one.
pub fn send(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    let mut stream = connect(address);
    // A service that refuses early closes while we still write; its answer is there all the same.
    let _ = stream.write_all(request);
    read(&mut stream)
}

/// Sends bytes, says that no more will come, and reads the answer.
pub fn send_and_end(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    let mut stream = connect(address);
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    read(&mut stream)
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the service listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.set_write_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// The bytes of a request with its length announced.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        bytes.push_str("host: localhost\r\n");
    }
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        bytes.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Reads an answer to the length it announces, or to the end of the connection.
pub fn read(stream: &mut TcpStream) -> Option<Reply> {
    let (mut bytes, mut block) = (Vec::new(), [0; 1 << 16]);
    loop {
        if let Some(reply) = parse(&bytes, false) {
            return Some(reply);
        }
        match stream.read(&mut block) {
            // A connection that was reset has told what it had to tell before.
            Ok(0) => return parse(&bytes, true),
            Ok(read) => bytes.extend_from_slice(&block[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return parse(&bytes, true),
            // A process that was stopped and goes on has its waiting with a time limit interrupted.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("no answer: {error}, {:?} so far", String::from_utf8_lossy(&bytes)),
        }
    }
}

fn parse(bytes: &[u8], is_all: bool) -> Option<Reply> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &bytes[end + 4..];
    let mut reply = Reply { status, headers, body: body.to_vec() };
    let announced: Option<usize> =
        reply.header("content-length").map(|length| length.parse().expect("content-length is a number"));
    match announced {
        Some(length) if body.len() >= length => reply.body.truncate(length),
        Some(_) => return None,
        None if reply.header("transfer-encoding") == Some("chunked") => reply.body = chunks(body)?,
        None => return is_all.then_some(reply),
    }
    Some(reply)
}

/// What chunks hold, once the last of them is there.
fn chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(&bytes[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.expect("the length of a chunk");
        let chunk = bytes.get(end + 2..end + 2 + length)?;
        bytes = bytes.get(end + 2 + length + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
    }
}
