//! Who asks is found out, held against the route's policy, and noted, before any route sees the request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Service;
use super::answer::Refusal;
use super::door::{Door, OPENING};
use super::policy::{About, Does, Need, Policy};
use super::tls::Listener;
use crate::access::Viewer;
use crate::access::audit::{Act, Outcome};

/// What the gate of a route knows.
#[derive(Clone)]
pub struct Gate {
    pub door: Arc<Door>,
    pub policy: Policy,
    /// The route's method and template: under which it is noted.
    pub named: &'static str,
}

/// What an answer told of persons, where that is not plain from the route: put beside it, for the record.
#[derive(Clone)]
pub struct Told {
    /// A view, or the views of a statement.
    pub object: String,
    /// None: they are still to come.
    pub rows: Option<u64>,
}

/// Whence a request comes.
#[derive(Clone, Copy)]
pub struct From(pub SocketAddr);

impl Connected<axum::serve::IncomingStream<'_, Listener>> for From {
    fn connect_info(stream: axum::serve::IncomingStream<'_, Listener>) -> From {
        From(*stream.remote_addr())
    }
}

/// Who asks, for routes that need it.
pub struct Asker(pub Arc<Viewer>);

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asker, Refusal> {
        // The gate has put him there, or let nobody through.
        parts.extensions.get::<Arc<Viewer>>().cloned().map(Asker).ok_or_else(|| Refusal::internal("nobody asks"))
    }
}

/// Lets through who may.
pub async fn gate(
    State(gate): State<Gate>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    if gate.policy.need == Need::Nothing {
        return next.run(request).await;
    }
    let Some(service) = gate.door.service().cloned() else {
        return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "opening", OPENING).into_response();
    };
    let from = from(&request);
    let params = match params {
        Ok(params) => params,
        Err(error) => return Refusal::bad_request(error.body_text()).into_response(),
    };
    let customer = match gate.policy.about {
        About::Customer => params.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned()),
        _ => None,
    };
    let note = |viewer: &Viewer, outcome: Outcome, told: Option<&Told>, is_change: bool| {
        let object = told.map(|told| told.object.as_str());
        let rows = told.and_then(|told| told.rows);
        let customer = customer.as_deref();
        let act = Act { action: gate.named, object, customer, from: Some(from), outcome, rows };
        service.audit.note(Some(viewer), &act, is_change)
    };
    let viewer = match viewer(&service, &request) {
        Ok(viewer) => viewer,
        Err(refusal) => {
            let act = Act { action: gate.named, from: Some(from), outcome: Outcome::Denied, ..Act::default() };
            return noted(service.audit.note_stranger(&act), refusal.into_response());
        }
    };
    let allowed = gate.policy.allows(&viewer).and_then(|()| match &customer {
        // Whether there is such a customer elsewhere is nothing that he is told.
        Some(id) if !viewer.sees_province() && !service.reading(&viewer).seen().holds(id) => {
            Err(Refusal::not_found("no customer of that id"))
        }
        _ => Ok(()),
    });
    if let Err(refusal) = allowed {
        return noted(note(&viewer, Outcome::Denied, None, false), refusal.into_response());
    }
    if let Err(refusal) = awaited(&service, request.headers()).await {
        return refusal.into_response();
    }
    request.extensions_mut().insert(viewer.clone());
    let response = next.run(request).await;
    let told = response.extensions().get::<Told>().cloned();
    let is_change = gate.policy.does == Does::Change;
    if customer.is_none() && told.is_none() && !is_change {
        return response;
    }
    let status = response.status();
    let outcome = match status {
        StatusCode::FORBIDDEN => Outcome::Denied,
        _ if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS => Outcome::Done,
        _ => Outcome::Failed,
    };
    noted(note(&viewer, outcome, told.as_ref(), is_change && outcome == Outcome::Done), response)
}

/// An answer leaves once it is noted. What was changed has been changed: of that he is told all the same.
fn noted(note: Result<(), crate::access::audit::AuditError>, response: Response) -> Response {
    match note {
        Ok(()) => response,
        Err(error) => {
            tracing::error!("{error}");
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not_noted",
                "what was asked could not be noted, and is not answered without; a change that was asked for may have been made",
            )
            .into_response()
        }
    }
}

/// Who asks.
fn viewer(service: &Service, request: &Request) -> Result<Arc<Viewer>, Refusal> {
    if let Some(keeper) = service.accounts.keeper() {
        return Ok(keeper);
    }
    let token = bearer(request.headers()).ok_or_else(|| unknown("say who asks: authorization: Bearer TOKEN"))?;
    let now = jiff::Timestamp::now().as_second();
    service.accounts.asks(token, now).ok_or_else(|| unknown("nobody has that token, or it has expired: log in again"))
}

/// The token that a request carries.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unknown(why: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", why)
}

/// Whence a request comes.
pub fn from(request: &Request) -> IpAddr {
    let from = request.extensions().get::<ConnectInfo<From>>();
    from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(From(address))| address.ip())
}

/// The header by which somebody asks for no earlier state than that in which something of his is visible: the epoch that
/// he was told when it was taken.
pub const AFTER: HeaderName = HeaderName::from_static("cohortflow-after");

/// How long an epoch is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until what somebody wants to see is visible.
async fn awaited(service: &Arc<Service>, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(wanted) = headers.get(AFTER) else { return Ok(()) };
    let wanted = wanted.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    let wanted = wanted.ok_or_else(|| Refusal::bad_request(format!("expected an epoch for {AFTER}")))?;
    if service.intake.hub().published().epoch >= wanted {
        return Ok(());
    }
    let service = service.clone();
    let waited = tokio::task::spawn_blocking(move || {
        // One that nothing was taken in is not waited for: nobody knows whether it ever comes.
        if service.intake.store().lock().epoch() < wanted {
            return None;
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let published = service.intake.hub().published();
            let left = until.saturating_duration_since(Instant::now());
            if published.epoch >= wanted || left.is_zero() || service.intake.hub().has_failed() {
                return Some(published.epoch >= wanted);
            }
            service.intake.hub().wait_past(&published, left);
        }
    });
    match waited.await.map_err(Refusal::internal)? {
        Some(true) => return Ok(()),
        Some(false) => {}
        None => {
            let why = format!("nothing was taken in epoch {wanted}");
            return Err(Refusal::new(StatusCode::CONFLICT, "no_epoch", why));
        }
    }
    let why = format!("epoch {wanted} is not visible yet: ask again, or without {AFTER}");
    Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_yet", why))
}

/// Tells clients how to say who they are.
pub async fn challenge(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
