//! What routes make of bytes before anything is asked of a service: for whoever tries them with any bytes at all.
//!
//! The readers are those of the routes themselves, so that one more route is tried without being named here.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::{HeaderMap, HeaderValue, Request, Uri, header};
use axum::routing::get;
use futures::executor::block_on;
use serde::de::DeserializeOwned;

use super::edits::{Key, read};
use super::gate;
use super::guard::Segment;
use super::routes::routes;
use super::views::Asked;
use crate::query::filter::Filter;
use crate::query::{VIEWS, View};
use crate::store::Dictionary;

/// Why bytes are refused; none where they are taken.
pub type Why = Option<String>;

/// What a route reads: its body, and what stands behind the question mark.
#[derive(Clone, Copy, Default)]
pub struct Reads {
    pub body: Option<fn(&[u8]) -> Why>,
    pub query: Option<fn(&Uri) -> Why>,
}

pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Why {
    read::<T>(bytes, "a body").err().map(|refusal| refusal.message)
}

pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Why {
    Query::<T>::try_from_uri(uri).err().map(|error| error.body_text())
}

static READS: LazyLock<Vec<(&'static str, Reads)>> =
    LazyLock::new(|| routes().iter().map(|route| (route.named, route.reads)).collect());

/// What each route says of a body, where it takes one.
pub fn bodies(bytes: &[u8]) -> impl Iterator<Item = (&'static str, Why)> {
    READS.iter().filter_map(move |(route, reads)| Some((*route, (reads.body?)(bytes))))
}

/// What each says of what stands behind the question mark.
pub fn queries(uri: &Uri) -> impl Iterator<Item = (&'static str, Why)> {
    READS.iter().filter_map(move |(route, reads)| Some((*route, (reads.query?)(uri))))
}

/// Conditions on a view's rows, limits and cursors among them: why they are refused, by view.
pub fn conditions(uri: &Uri, dictionary: &Dictionary) -> Vec<(&'static View, Why)> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return Vec::new() };
    let asked = match Asked::read(pairs) {
        Ok(asked) => asked,
        Err(refusal) => return VIEWS.iter().map(|view| (view, Some(refusal.message.clone()))).collect(),
    };
    let of = |view: &'static View| {
        let given = asked.conditions.iter().map(|(name, value)| (&**name, &**value));
        Filter::new(view, given, &jiff::tz::TimeZone::UTC, dictionary).err()
    };
    VIEWS.iter().map(|view| (view, of(view))).collect()
}

/// The token that a header carries.
pub fn bearer(value: &[u8]) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(value).ok()?);
    gate::bearer(&headers).map(str::to_owned)
}

/// The key of a request that may come again; why it is refused.
pub fn key(value: &[u8]) -> Option<Result<Option<String>, String>> {
    let value = HeaderValue::from_bytes(value).ok()?;
    let (mut parts, ()) = Request::builder().header("idempotency-key", value).body(()).ok()?.into_parts();
    let read = block_on(Key::from_request_parts(&mut parts, &()));
    Some(read.map(|Key(key)| key).map_err(|refusal| refusal.message))
}

/// Says back what stands in a path, as routes are given it.
pub fn says_back() -> Router {
    Router::new().route("/v1/views/{name}", get(|Segment(name): Segment| async move { name }))
}

/// A setting of a SQL client's: why it is not that.
#[cfg(feature = "sql")]
pub fn set(name: &str, value: &str) -> Why {
    super::pgwire::set(name, value).err().map(|refusal| refusal.message)
}
