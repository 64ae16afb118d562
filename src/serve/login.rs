//! Logging in and out, and what somebody may.

use axum::Json;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::accounts::refused;
use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::gate::{Asker, bearer, from};
use super::guard::JsonBody;
use crate::access::audit::{Act, Outcome};
use crate::access::{Change, LoginError, SESSION_SECONDS, Viewer};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    name: String,
    password: String,
}

/// `POST /v1/login`.
pub async fn login(Opened(service): Opened, request: Request) -> Result<Response, Refusal> {
    use axum::extract::FromRequest;
    let from = from(&request);
    let JsonBody(body) = JsonBody::from_request(request, &()).await?;
    let Login { name, password } = read(&body, "{\"name\", \"password\"}")?;
    tokio::task::spawn_blocking(move || {
        let now = jiff::Timestamp::now().as_second();
        let came = service.accounts.login(&name, &password, from, now);
        let outcome = if came.is_ok() { Outcome::Done } else { Outcome::Denied };
        let viewer = came.as_ref().ok().map(|(_, viewer)| &**viewer);
        let stranger = service.accounts.viewer(&name).is_none().then(|| service.audit.stranger(&name));
        let object = stranger.as_deref().unwrap_or(&name);
        let act = Act { action: "login", object: Some(object), from: Some(from), outcome, ..Act::default() };
        let noted = match &came {
            // Nothing was tried.
            Err(LoginError::Wait(_)) => service.audit.note_stranger(&act),
            _ => service.audit.note(viewer, &act, false),
        };
        noted.map_err(Refusal::internal)?;
        let (token, viewer) = came.map_err(|error| wrong(&error))?;
        Ok(logged_in(&token, &viewer))
    })
    .await
    .map_err(Refusal::internal)?
}

/// The session of whoever was let in.
pub fn logged_in(token: &str, viewer: &Viewer) -> Response {
    let mut told = who(viewer);
    told["token"] = token.into();
    told["expires_in"] = SESSION_SECONDS.into();
    ([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response()
}

pub fn wrong(error: &LoginError) -> Refusal {
    match error {
        LoginError::Wrong => Refusal::new(StatusCode::UNAUTHORIZED, "wrong_password", error.to_string()),
        LoginError::Wait(seconds) => Refusal {
            more: Some(json!({ "retry_after": seconds })),
            ..Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", error.to_string())
        },
        LoginError::Unknown => Refusal::new(StatusCode::FORBIDDEN, "no_account", error.to_string()),
        LoginError::NoRandom(_) => Refusal::internal(error),
    }
}

/// `POST /v1/logout`.
pub async fn logout(Opened(service): Opened, request: Request) -> Response {
    if let Some(token) = bearer(request.headers()) {
        service.accounts.logout(token);
    }
    Json(json!({ "logged_out": true })).into_response()
}

/// `GET /v1/me`.
pub async fn me(Asker(viewer): Asker) -> Response {
    Json(who(&viewer)).into_response()
}

fn who(viewer: &Viewer) -> serde_json::Value {
    use crate::access::Right;
    let rights: Vec<Right> = Right::ALL.into_iter().filter(|right| viewer.may(*right)).collect();
    json!({
        "name": viewer.name(),
        "role": viewer.role(),
        "rights": rights,
        "menus": viewer.sight.menus(),
        "places": viewer.sight.places(),
        "sees_persons": viewer.sight.sees_persons(),
    })
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    old: String,
    new: String,
}

/// `POST /v1/me/password`.
pub async fn password(Opened(service): Opened, Asker(viewer): Asker, request: Request) -> Result<Response, Refusal> {
    use axum::extract::FromRequest;
    let from = from(&request);
    let JsonBody(body) = JsonBody::from_request(request, &()).await?;
    let Passwords { old, new } = read(&body, "{\"old\", \"new\"}")?;
    let Some(name) = viewer.name().map(str::to_owned) else {
        return Err(Refusal::new(StatusCode::CONFLICT, "no_account", "there are no accounts yet"));
    };
    tokio::task::spawn_blocking(move || {
        let now = jiff::Timestamp::now().as_second();
        service.accounts.knows(&name, &old, from, now).map_err(|error| wrong(&error))?;
        let change = Change { password: Some(new), ..Change::default() };
        service.accounts.change(&name, change, now).map_err(refused)?;
        Ok(Json(json!({ "changed": true })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}
