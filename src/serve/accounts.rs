//! Accounts over HTTP, for administrators.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::gate::{Asker, Told};
use super::guard::{JsonBody, Segment};
use crate::access::{Account, AccountsError, Change, Token};

/// Longest life of a token, in days.
const DAYS_MAX: i64 = 3660;

/// `GET /v1/accounts`.
pub async fn accounts(Opened(service): Opened) -> Response {
    let accounts: Vec<Value> = service.accounts.list().iter().map(told).collect();
    Json(json!({ "accounts": accounts })).into_response()
}

/// An account without what it is let in by.
fn told(account: &Account) -> Value {
    let token = |token: &Token| json!({ "id": token.id, "created_at": time(token.created_at), "expires_at": token.expires_at.map(time) });
    json!({
        "name": account.name,
        "role": account.role,
        "places": account.places,
        "menus": account.menus,
        "channel": account.channel,
        "rows_a_day": account.rows_a_day.unwrap_or(account.role.rows_a_day()),
        "has_password": account.password.is_some(),
        "subject": account.subject,
        "tokens": account.tokens.iter().map(token).collect::<Vec<_>>(),
        "created_at": time(account.created_at),
        "created_by": account.created_by,
    })
}

fn time(second: i64) -> String {
    jiff::Timestamp::from_second(second).unwrap_or_default().to_string()
}

const EXPECTED: &str = "{\"name\", \"role\"}, with \"password\", \"places\": [{\"city\", \"district\"}], \"menus\", \"channel\", \"rows_a_day\", \"subject\" if need be";

/// `POST /v1/accounts`.
pub async fn account_add(
    Opened(service): Opened,
    Asker(viewer): Asker,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let mut change: Change = read(&body, EXPECTED)?;
    let Some(name) = change.name.take() else {
        return Err(Refusal::bad_request(format!("expected {EXPECTED}: name is missing")));
    };
    blocking(move || {
        service.accounts.add(&name, change, viewer.name(), now()).map_err(refused)?;
        let made = service.accounts.list().into_iter().find(|account| account.name == name);
        let answer = (StatusCode::CREATED, Json(made.as_ref().map(told))).into_response();
        Ok(about(answer, &name))
    })
    .await
}

/// `POST /v1/accounts/{name}`.
pub async fn account_change(
    Opened(service): Opened,
    Segment(name): Segment,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let change: Change = read(&body, EXPECTED)?;
    if change.name.as_ref().is_some_and(|other| *other != name) {
        return Err(Refusal::bad_request("an account keeps its name: make another one"));
    }
    blocking(move || {
        service.accounts.change(&name, change, now()).map_err(refused)?;
        let changed = service.accounts.list().into_iter().find(|account| account.name == name);
        Ok(about(Json(changed.as_ref().map(told)).into_response(), &name))
    })
    .await
}

/// `DELETE /v1/accounts/{name}`.
pub async fn account_remove(Opened(service): Opened, Segment(name): Segment) -> Result<Response, Refusal> {
    blocking(move || {
        service.accounts.remove(&name).map_err(refused)?;
        Ok(about(Json(json!({ "name": name, "removed": true })).into_response(), &name))
    })
    .await
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewToken")]
pub struct Asked {
    /// Days that it lives; none: until it is taken back.
    days: Option<i64>,
}

/// `POST /v1/accounts/{name}/tokens`.
pub async fn token_add(
    Opened(service): Opened,
    Segment(name): Segment,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let Asked { days } = read(&body, "{}, or {\"days\"}")?;
    if days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(Refusal::bad_request(format!("a token lives 1 to {DAYS_MAX} days")));
    }
    blocking(move || {
        let now = now();
        let expires = days.map(|days| now + days * 24 * 3600);
        let (secret, token) = service.accounts.add_token(&name, expires, now).map_err(refused)?;
        let told = json!({ "name": name, "token": secret, "id": token.id, "expires_at": token.expires_at.map(time) });
        let answer = (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(told)).into_response();
        Ok(about(answer, &name))
    })
    .await
}

/// `DELETE /v1/accounts/{name}/tokens/{token}`.
pub async fn token_remove(
    Opened(service): Opened,
    names: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path((name, token)) = names.map_err(|error| Refusal::bad_request(error.body_text()))?;
    blocking(move || {
        service.accounts.remove_token(&name, &token).map_err(refused)?;
        Ok(about(Json(json!({ "id": token, "removed": true })).into_response(), &name))
    })
    .await
}

async fn blocking(work: impl FnOnce() -> Result<Response, Refusal> + Send + 'static) -> Result<Response, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(Refusal::internal)?
}

/// Whose account it was, for the record.
fn about(mut response: Response, name: &str) -> Response {
    response.extensions_mut().insert(Told { object: name.to_owned(), rows: None });
    response
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub fn refused(error: AccountsError) -> Refusal {
    match &error {
        AccountsError::Unknown | AccountsError::NoToken => Refusal::not_found(error.to_string()),
        AccountsError::Change(_) => Refusal::bad_request(error.to_string()),
        AccountsError::Exists
        | AccountsError::Subject
        | AccountsError::First
        | AccountsError::Last
        | AccountsError::TooMany => Refusal::new(StatusCode::CONFLICT, "account", error.to_string()),
        AccountsError::Io(_) | AccountsError::Damaged(_) | AccountsError::NoRandom(_) => Refusal::internal(error),
    }
}
