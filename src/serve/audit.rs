//! The record of what was done, for auditors.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::guard::JsonBody;
use crate::access::audit::{AuditError, Outcome};

/// Entries of an answer, unless another number is asked for, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Entries")]
pub struct Asked {
    limit: Option<usize>,
    /// What an account did.
    who: Option<String>,
    /// What was done about a customer: his id, of which a token stands in the record.
    customer: Option<String>,
    outcome: Option<Outcome>,
}

/// `GET /v1/audit`: the latest entries, the latest last. That it was read is noted too.
pub async fn audit(Opened(service): Opened, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Refusal> {
    let Query(Asked { limit, who, customer, outcome }) =
        asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if limit > LIMIT_MAX {
        return Err(Refusal::bad_request(format!("limit is at most {LIMIT_MAX}")));
    }
    tokio::task::spawn_blocking(move || {
        let customer = customer.map(|id| service.audit.customer(&id));
        let is_wanted = |held: Option<&str>, wanted: Option<&String>| wanted.is_none_or(|wanted| held == Some(wanted));
        let entries = service.audit.latest(limit, |entry| {
            is_wanted(entry.who.as_deref(), who.as_ref())
                && is_wanted(entry.customer.as_deref(), customer.as_ref())
                && outcome.is_none_or(|outcome| entry.outcome == outcome)
        });
        Ok(Json(json!({ "entries": entries.map_err(altered)? })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

/// An entry, as it was kept elsewhere.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    number: Option<u64>,
    hash: Option<String>,
}

/// `POST /v1/audit/verify`: every entry is held against the one before it, and one against what was kept of it.
pub async fn audit_verify(Opened(service): Opened, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    const EXPECTED: &str = "{}, or {\"number\", \"hash\"} of an entry as it was kept elsewhere";
    let kept = match read(&body, EXPECTED)? {
        Kept { number: None, hash: None } => None,
        Kept { number: Some(number), hash: Some(hash) } => Some((number, hash)),
        _ => return Err(Refusal::bad_request(format!("expected {EXPECTED}"))),
    };
    tokio::task::spawn_blocking(move || {
        let kept = kept.as_ref().map(|(number, hash)| (*number, hash.as_str()));
        let count = service.audit.verify(kept).map_err(altered)?;
        let (number, hash) = service.audit.head();
        Ok(Json(json!({ "entries": count, "head": { "number": number, "hash": hash } })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

fn altered(error: AuditError) -> Refusal {
    match &error {
        AuditError::Altered { number } => Refusal {
            more: Some(json!({ "number": number })),
            ..Refusal::new(StatusCode::CONFLICT, "altered", error.to_string())
        },
        AuditError::Io(_) => Refusal::internal(error),
    }
}
