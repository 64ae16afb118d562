//! Logging in with an identity provider.
//!
//! A browser is sent there by `GET /v1/oidc/login`, and comes back to `GET /v1/oidc/callback` with a code. What it gets for
//! that is a session; or, where a program sent it, a code for once, with which it is sent to that program on this machine,
//! and with which the program fetches the session itself (`POST /v1/oidc/session`).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Query, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::gate::from;
use super::guard::JsonBody;
use super::login::{logged_in, wrong};
use crate::access::audit::{Act, Outcome};
use crate::access::oidc::{ATTEMPT_SECONDS, Back, Came, Known, OidcError, Provider};

/// What a browser keeps an attempt in.
const COOKIE: &str = "cohortflow_attempt";

/// Logins that the provider is asked of at a time: each may hold a thread for seconds.
const AT_ONCE: usize = 8;

/// Ports that a program may wait at, and how long what it tells beforehand is.
const PORT_MIN: u16 = 1024;
const CHALLENGE: usize = 43;

/// The provider, and who is being let in by it.
pub struct Oidc {
    provider: Provider,
    at_once: Semaphore,
}

impl Oidc {
    pub fn new(provider: Provider) -> Oidc {
        Oidc { provider, at_once: Semaphore::new(AT_ONCE) }
    }
}

/// Does something with the provider that may take seconds.
async fn with<T: Send + 'static>(
    service: Arc<Service>,
    work: impl FnOnce(&Service, &Provider) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let Some(oidc) = &service.oidc else { return Err(none()) };
    let Ok(_permit) = oidc.at_once.try_acquire() else { return Err(refused(&OidcError::Busy)) };
    let service = service.clone();
    tokio::task::spawn_blocking(move || match &service.oidc {
        Some(oidc) => work(&service, &oidc.provider),
        None => Err(none()),
    })
    .await
    .map_err(Refusal::internal)?
}

fn none() -> Refusal {
    Refusal::not_found("this service has no identity provider: it is served with --oidc-issuer and --oidc-client")
}

fn refused(error: &OidcError) -> Refusal {
    let (status, code) = match error {
        OidcError::Provider(_) => (StatusCode::BAD_GATEWAY, "identity_provider"),
        OidcError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        OidcError::Stale => (StatusCode::BAD_REQUEST, "stale_login"),
        OidcError::Denied(_) => (StatusCode::UNAUTHORIZED, "not_let_in"),
        OidcError::Token(_) => (StatusCode::UNAUTHORIZED, "bad_token"),
        OidcError::NoRandom(_) => return Refusal::internal(error),
    };
    if status != StatusCode::BAD_REQUEST {
        tracing::warn!(code, "somebody could not log in with the identity provider: {error}");
    }
    Refusal::new(status, code, error.to_string())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LoginElsewhere")]
pub struct Asked {
    /// Where a program on this machine waits for what comes of it.
    port: Option<u16>,
    /// SHA-256 of what that program thought of, in base64url.
    challenge: Option<String>,
}

impl Asked {
    fn back(self) -> Result<Option<Back>, Refusal> {
        match (self.port, self.challenge) {
            (None, None) => Ok(None),
            (Some(port), Some(challenge)) if port >= PORT_MIN && challenge.len() == CHALLENGE => {
                Ok(Some(Back { port, challenge }))
            }
            _ => Err(Refusal::bad_request(format!(
                "port, from {PORT_MIN} on, and challenge, {CHALLENGE} signs of base64url, are said together or not at all"
            ))),
        }
    }
}

/// A part of a request that is read from its address.
type FromQuery<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

fn asked<T>(query: FromQuery<T>) -> Result<T, Refusal> {
    query.map(|Query(asked)| asked).map_err(|error| Refusal::bad_request(error.body_text()))
}

/// `GET /v1/oidc/login`.
pub async fn login(Opened(service): Opened, query: FromQuery<Asked>) -> Result<Response, Refusal> {
    let back = asked(query)?.back()?;
    let (begun, is_secure) = with(service, move |_, provider| {
        Ok((provider.begin(back, now()).map_err(|error| refused(&error))?, provider.is_secure()))
    })
    .await?;
    Ok(sent(begun.url, cookie(&begun.attempt, ATTEMPT_SECONDS, is_secure)))
}

fn sent(to: String, cookie: (HeaderName, String)) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to), (header::CACHE_CONTROL, "no-store".to_owned()), cookie])
        .into_response()
}

/// Sent back to these routes alone, also when the provider sends a browser here.
fn cookie(attempt: &str, seconds: i64, is_secure: bool) -> (HeaderName, String) {
    let secure = if is_secure { "; Secure" } else { "" };
    (
        header::SET_COOKIE,
        format!("{COOKIE}={attempt}; Path=/v1/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"),
    )
}

fn attempt(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(name, _)| *name == COOKIE).map(|(_, attempt)| attempt)
}

/// What a provider sends a browser back with.
#[derive(Deserialize, schemars::JsonSchema)]
pub struct Returned {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// `GET /v1/oidc/callback`.
pub async fn callback(
    Opened(service): Opened,
    query: FromQuery<Returned>,
    request: Request,
) -> Result<Response, Refusal> {
    let Returned { code, state, iss: issuer, error } = asked(query)?;
    let came = Came { code, state: state.unwrap_or_default(), issuer, error };
    let from = from(&request);
    let attempt = attempt(request.headers()).unwrap_or_default().to_owned();
    with(service, move |service, provider| {
        let came = match provider.finish(came, &attempt, now()) {
            Ok(came) => came,
            Err(error) => {
                let act = Act { action: "login", from: Some(from), outcome: Outcome::Denied, ..Act::default() };
                service.audit.note_stranger(&act).map_err(Refusal::internal)?;
                return Err(refused(&error));
            }
        };
        let done = cookie("", 0, provider.is_secure());
        let_in(service, provider, came, from).map(|answer| match answer {
            Answer::Session(answer) => ([done], answer).into_response(),
            Answer::Elsewhere(to) => sent(to, done),
        })
    })
    .await
}

/// What a browser is answered with in the end.
enum Answer {
    Session(Response),
    Elsewhere(String),
}

fn let_in(service: &Service, provider: &Provider, known: Known, from: IpAddr) -> Result<Answer, Refusal> {
    let came = service.accounts.login_as(&known.subject, now());
    let viewer = came.as_ref().ok().map(|(_, viewer)| &**viewer);
    let outcome = if came.is_ok() { Outcome::Done } else { Outcome::Denied };
    let name = viewer.and_then(|viewer| viewer.name());
    let act = Act { action: "login", object: name, from: Some(from), outcome, ..Act::default() };
    // Whom the provider knows and no account is of, is a stranger here.
    let noted = match viewer {
        Some(_) => service.audit.note(viewer, &act, false),
        None => service.audit.note_stranger(&act),
    };
    noted.map_err(Refusal::internal)?;
    let (token, viewer) = came.map_err(|error| wrong(&error))?;
    let Some(back) = known.back else { return Ok(Answer::Session(logged_in(&token, &viewer))) };
    let code = provider.handover.put(token, back.challenge, now()).map_err(Refusal::internal)?;
    Ok(Answer::Elsewhere(format!("http://127.0.0.1:{}/?code={code}", back.port)))
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// What the browser brought.
    code: String,
    /// What the program thought of.
    verifier: String,
}

/// `POST /v1/oidc/session`.
pub async fn session(Opened(service): Opened, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    let Fetched { code, verifier } = read(&body, "{\"code\", \"verifier\"}")?;
    let Some(oidc) = &service.oidc else { return Err(none()) };
    let now = now();
    let token = oidc.provider.handover.take(&code, &verifier, now);
    let session = token.and_then(|token| service.accounts.asks(&token, now).map(|viewer| (token, viewer)));
    let (token, viewer) = session.ok_or_else(|| {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "stale_login",
            "nobody logged in with that code, or too long ago: begin again",
        )
    })?;
    Ok(logged_in(&token, &viewer))
}
