//! What is turned away before a route sees it, each with a code of its own.
//!
//! A browser sends a loopback address whatever a page of a stranger asks it to, but tells whose page it
//! is: by the host it was reached under, by its origin, and by asking first before it sends JSON.

use std::sync::Arc;

use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use super::door::Door;
use crate::programme;

/// Largest body, in bytes: the largest programme, with what JSON adds to it.
pub const BODY_BYTES_MAX: usize = 2 * programme::BYTES_MAX;

/// Lets through no page of another site, and, while there are no accounts, who asked under a loopback name or an address
/// alone: where there are, a page that does not know a token gets nothing whatever name it asks under.
pub async fn own_pages_only(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), header::HOST).unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    let is_address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let has_accounts = door.service().is_some_and(|service| service.accounts.keeper().is_none());
    if name != "localhost" && !is_address && !has_accounts {
        return Refusal::new(StatusCode::MISDIRECTED_REQUEST, "host", "ask under localhost or an address")
            .into_response();
    }
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, origin)| origin == host);
    let origin = request.headers().get(header::ORIGIN);
    if origin.is_some_and(|origin| !origin.to_str().is_ok_and(is_own)) {
        return Refusal::new(StatusCode::FORBIDDEN, "origin", "pages of other sites are not answered").into_response();
    }
    next.run(request).await
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// A part of a path, decoded.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segment, Refusal> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::bad_request(error.body_text()))?;
        Ok(Segment(text))
    }
}

/// A body of JSON, whole. One that announces more than is taken is refused before any of it is read.
pub struct JsonBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<JsonBody, Refusal> {
        let kind = text(request.headers(), header::CONTENT_TYPE).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let expected = "send the body as content-type: application/json";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", expected));
        }
        let too_large = || {
            let most = format!("a body has at most {BODY_BYTES_MAX} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", most)
        };
        if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
            return Err(too_large());
        }
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(JsonBody(bytes)),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Err(error) => Err(Refusal::bad_request(error.body_text())),
        }
    }
}
