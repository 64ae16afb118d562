//! A receiver of webhooks, which answers as a test tells it to, and what it was sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::exchange::PATIENCE;

/// 24 zero bytes.
pub const SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// What was answered, once it was.
    pub status: Option<u16>,
}

impl Posted {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn customer(&self) -> String {
        self.json()["customer_id"].as_str().expect("a customer").to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }
}

/// What is answered to the requests so far, the last of which is to be answered; none closes without an answer.
pub type Answers = Box<dyn FnMut(&[Posted]) -> Option<u16> + Send>;

/// A receiver that answers as it is told to.
pub struct Receiver {
    pub address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
    answers: Arc<Mutex<Answers>>,
    retry_after: Arc<Mutex<Option<u32>>>,
}

impl Receiver {
    pub fn new(answers: impl FnMut(&[Posted]) -> Option<u16> + Send + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let posted: Arc<Mutex<Vec<Posted>>> = Arc::default();
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(answers)));
        let (noted, answering) = (posted.clone(), answers.clone());
        let retry_after: Arc<Mutex<Option<u32>>> = Arc::default();
        let later = retry_after.clone();
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("connected");
                let Some(request) = read(&mut stream) else { continue };
                let posted = {
                    let mut noted = noted.lock().expect("not poisoned");
                    noted.push(request);
                    noted.clone()
                };
                let Some(status) = answering.lock().expect("not poisoned")(&posted) else { continue };
                if let Some(one) = noted.lock().expect("not poisoned").get_mut(posted.len() - 1) {
                    one.status = Some(status);
                }
                let later = *later.lock().expect("not poisoned");
                let later = later.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\n{later}location: /elsewhere\r\ncontent-length: 0\r\n\r\n"
                );
                // A service that was killed does not hear it.
                let _ = stream.write_all(head.as_bytes());
            }
        });
        Receiver { address, posted, answers, retry_after }
    }

    pub fn answer(&self, answers: impl FnMut(&[Posted]) -> Option<u16> + Send + 'static) {
        *self.answers.lock().expect("not poisoned") = Box::new(answers);
    }

    /// How many seconds it wants to be left alone from now on.
    pub fn retry_after(&self, seconds: Option<u32>) {
        *self.retry_after.lock().expect("not poisoned") = seconds;
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().expect("not poisoned").clone()
    }

    /// How often each customer was posted.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        self.posted().iter().for_each(|one| *counts.entry(one.customer()).or_default() += 1);
        counts
    }
}

/// A request, whole.
pub fn read(stream: &mut TcpStream) -> Option<Posted> {
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let (mut bytes, mut block) = (Vec::new(), [0; 1 << 14]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
            let mut lines = head.split("\r\n");
            let path = lines.next()?.split(' ').nth(1)?.to_owned();
            let header = |line: &str| {
                let (name, value) = line.split_once(':').expect("a header");
                (name.to_ascii_lowercase(), value.trim().to_owned())
            };
            let headers: BTreeMap<String, String> = lines.map(header).collect();
            let len = headers.get("content-length").map_or(0, |len| len.parse().expect("a number"));
            if bytes.len() >= end + 4 + len {
                return Some(Posted { path, headers, body: bytes[end + 4..end + 4 + len].to_vec(), status: None });
            }
        }
        match stream.read(&mut block) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&block[..read]),
        }
    }
}

/// HMAC-SHA256 as RFC 2104 writes it, under a key that is shorter than a block.
pub fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        key.iter().zip(&mut block).for_each(|(key, byte)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let whole = three.iter().fold(0u32, |whole, byte| whole << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(whole >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
