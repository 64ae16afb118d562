//! What somebody says to be let in or to go on, and what he asks for by name: tokens, keys, paths, queries.

use std::sync::{Arc, LazyLock};

use axum::body::{Body, to_bytes};
use axum::http::{Request, Uri};
use cohortflow::access::{Accounts, Change, Role};
use cohortflow::feeds::{Bound, Mark};
use cohortflow::query::view;
use cohortflow::serve::tried;
use cohortflow::store::Dictionary;
use cohortflow::store::memory::Memory;
use futures::executor::block_on;
use tower::ServiceExt;

/// What tokens of feeds are sealed with.
const KEY: [u8; 32] = [7; 32];

/// How feeds' tokens are made here.
pub fn feed_token() -> String {
    bound().token(&KEY, Mark { upper: 12, epoch: 40, digest: [1; 8] })
}

fn bound() -> Bound {
    Bound::new(view("tier").expect("a view"), [1; 16], &[("tier".to_owned(), "A".to_owned())])
}

/// Accounts, and the token of one of them.
static ACCOUNTS: LazyLock<(Accounts, String)> = LazyLock::new(|| {
    let accounts = Accounts::open(Arc::new(Memory::single()), &KEY).expect("opened");
    let root = Change { role: Some(Role::Administrator), ..Change::default() };
    accounts.add("root", root, None, 1).expect("made");
    let (token, _) = accounts.add_token("root", None, 1).expect("made");
    (accounts, token)
});

/// The first byte says what the others are.
pub fn token(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    match choice % 6 {
        0 => of_feed(bytes),
        1 => of_feed_sealed(bytes),
        2 => of_account(bytes),
        3 => of_request(bytes),
        4 => path(bytes),
        _ => query(bytes),
    }
}

/// Nothing but what was given is taken.
fn of_feed(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if bound().read(&KEY, &text).is_ok() {
        assert_eq!(text, feed_token());
    }
}

/// What stands behind the seal is read as well, if it were right.
fn of_feed_sealed(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let seal = hex::encode(&blake3::keyed_hash(&KEY, text.as_bytes()).as_bytes()[..16]);
    let _ = bound().read(&KEY, &format!("{text}.{seal}"));
}

fn of_account(bytes: &[u8]) {
    let (accounts, token) = &*ACCOUNTS;
    let Some(said) = tried::bearer(bytes) else { return };
    assert!(said.trim() == said);
    assert_eq!(accounts.asks(&said, 2).is_some(), said == *token);
    accounts.logout(&said);
}

fn of_request(bytes: &[u8]) {
    match tried::key(bytes) {
        Some(Ok(Some(key))) => {
            assert!((1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key:?}");
        }
        Some(Ok(None)) => panic!("a key that is none"),
        Some(Err(why)) => assert!(!why.is_empty()),
        None => {}
    }
}

fn uri(before: &str, bytes: &[u8]) -> Option<Uri> {
    Uri::try_from([before.as_bytes(), bytes].concat()).ok()
}

/// A path is what it says, or refused, or leads nowhere.
fn path(bytes: &[u8]) {
    let Some(uri) = uri("/v1/views/", bytes) else { return };
    let request = Request::builder().uri(uri).body(Body::empty()).expect("a request");
    let response = block_on(tried::says_back().oneshot(request)).expect("it cannot fail");
    assert!(matches!(response.status().as_u16(), 200 | 400 | 404), "{response:?}");
    let is_good = response.status().is_success();
    let told = block_on(to_bytes(response.into_body(), 1 << 20)).expect("a body");
    let told = std::str::from_utf8(&told).expect("UTF-8");
    assert!(!is_good || !told.is_empty() && told.len() <= bytes.len(), "{told:?}");
}

/// What stands behind the question mark is understood or refused by each route, and by each view.
fn query(bytes: &[u8]) {
    let Some(uri) = uri("/v1/views/tier?", bytes) else { return };
    for (route, why) in tried::queries(&uri) {
        assert!(why.is_none_or(|why| !why.is_empty()), "{route}");
    }
    static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| Dictionary::new(KEY));
    for (view, why) in tried::conditions(&uri, &DICTIONARY) {
        assert!(why.is_none_or(|why| !why.is_empty()), "{}", view.name);
    }
}
