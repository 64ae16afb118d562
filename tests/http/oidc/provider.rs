//! An identity provider, as OpenID Connect has it: what it says of itself, its keys, and tokens for codes.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cohortflow::access::oidc::challenge;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::receiver::{Posted, hmac, read};

pub const CLIENT: &str = "cohortflow";
pub const SECRET: &str = "shared with the provider";

/// A key that is nobody's, made for these tests.
const RSA: &str = include_str!("rsa.pk8.b64");

/// What the provider signs with.
pub enum Key {
    Elliptic(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    /// The client's own secret, which is no key of the provider's.
    Shared,
    None,
}

impl Key {
    pub fn elliptic() -> Key {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random);
        Key::Elliptic(pair.expect("its own"))
    }

    pub fn rsa() -> Key {
        let bytes = STANDARD.decode(RSA.replace('\n', "")).expect("base64");
        Key::Rsa(RsaKeyPair::from_pkcs8(&bytes).expect("a key"))
    }

    fn told(&self, name: &str) -> Option<Value> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Key::Elliptic(pair) => {
                // A point as it stands: 4, and two numbers of 32 bytes.
                let point = pair.public_key().as_ref();
                let (x, y) = (text(&point[1..33]), text(&point[33..]));
                Some(json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": name, "x": x, "y": y }))
            }
            Key::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                let (n, e) = (text(&n), text(&e));
                Some(json!({ "kty": "RSA", "use": "sig", "kid": name, "n": n, "e": e }))
            }
            Key::Shared | Key::None => None,
        }
    }

    /// A JSON Web Token (RFC 7519).
    fn signed(&self, name: &str, claims: &Value) -> String {
        let method = match self {
            Key::Elliptic(_) => "ES256",
            Key::Rsa(_) => "RS256",
            Key::Shared => "HS256",
            Key::None => "none",
        };
        let head = json!({ "alg": method, "kid": name, "typ": "JWT" });
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", text(&head), text(claims));
        let signature = match self {
            Key::Elliptic(pair) => pair.sign(&SystemRandom::new(), text.as_bytes()).expect("signed").as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("signed");
                signature
            }
            Key::Shared => hmac(SECRET.as_bytes(), text.as_bytes()),
            Key::None => Vec::new(),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What a code is good for.
struct Waiting {
    challenge: String,
    claims: Value,
}

struct State {
    key: Key,
    /// What it signs with, where that is another than it tells of.
    signs: Option<Key>,
    name: String,
    codes: BTreeMap<String, Waiting>,
    /// How often it told of itself.
    told: usize,
    is_down: bool,
}

pub struct Provider {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What a browser was sent with.
pub type Asked = BTreeMap<String, String>;

impl Provider {
    pub fn new(key: Key) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = State { key, signs: None, name: "k1".into(), codes: BTreeMap::new(), told: 0, is_down: false };
        let state = Arc::new(Mutex::new(state));
        let answering = state.clone();
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("connected");
                let Some(request) = read(&mut stream) else { continue };
                let (status, body) = answer(&mut answering.lock().expect("not poisoned"), address, &request);
                let (body, length) = (body.to_string(), body.to_string().len());
                let head = "content-type: application/json\r\nconnection: close\r\nlocation: http://127.0.0.1:1/";
                let head = format!("HTTP/1.1 {status} X\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
                // A service that was ended does not hear it.
                let _ = stream.write_all(head.as_bytes());
            }
        });
        Provider { address, state }
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody logs in there: the code that he is sent back with. `alter` makes of his token what it is to be.
    pub fn lets_in(&self, asked: &Asked, subject: &str, alter: impl FnOnce(&mut Value)) -> String {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer(), "sub": subject, "aud": CLIENT, "nonce": asked["nonce"], "iat": now, "exp": now + 300,
        });
        alter(&mut claims);
        let mut state = self.state.lock().expect("not poisoned");
        let code = format!("code{}", state.codes.len());
        let waiting = Waiting { challenge: asked["code_challenge"].clone(), claims };
        state.codes.insert(code.clone(), waiting);
        code
    }

    /// From now on it has another key.
    pub fn has(&self, key: Key, name: &str) {
        let mut state = self.state.lock().expect("not poisoned");
        (state.key, state.name) = (key, name.to_owned());
    }

    /// From now on it signs with another key than it tells of.
    pub fn signs_with(&self, key: Option<Key>) {
        self.state.lock().expect("not poisoned").signs = key;
    }

    pub fn goes_down(&self, is_down: bool) {
        self.state.lock().expect("not poisoned").is_down = is_down;
    }

    pub fn told(&self) -> usize {
        self.state.lock().expect("not poisoned").told
    }
}

fn answer(state: &mut State, address: SocketAddr, request: &Posted) -> (u16, Value) {
    let at = |path: &str| format!("http://{address}{path}");
    if state.is_down {
        return (302, json!({}));
    }
    match request.path.as_str() {
        "/.well-known/openid-configuration" => {
            state.told += 1;
            let told = json!({
                "issuer": format!("http://{address}"),
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "jwks_uri": at("/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            });
            (200, told)
        }
        "/keys" => (200, json!({ "keys": state.key.told(&state.name).into_iter().collect::<Vec<_>>() })),
        "/token" => {
            let body = String::from_utf8(request.body.clone()).expect("text");
            let sent: BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            let basic = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
            if request.header("authorization") != format!("Basic {basic}") {
                return (401, json!({ "error": "invalid_client" }));
            }
            let waiting = sent.get("code").and_then(|code| state.codes.remove(code));
            let waiting = waiting.filter(|waiting| challenge(&sent["code_verifier"]) == waiting.challenge);
            let Some(waiting) = waiting else { return (400, json!({ "error": "invalid_grant" })) };
            let token = state.signs.as_ref().unwrap_or(&state.key).signed(&state.name, &waiting.claims);
            (200, json!({ "access_token": "a", "token_type": "Bearer", "id_token": token }))
        }
        _ => (404, json!({})),
    }
}
