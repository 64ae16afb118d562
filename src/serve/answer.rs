//! Answers and errors of the HTTP interface. An error is a problem of RFC 9457, with a code that stays.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::numbers::hidden;
use crate::output::tell;
use crate::store::StoreError;

/// An error: what a program reads (`code`), what a person reads (`message`, which is `detail` in the answer).
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// More for a program, such as diagnostics: an object, whose members stand beside the code.
    pub more: Option<Value>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into(), more: None }
    }

    pub fn not_found(what: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "not_found", what)
    }

    pub fn bad_request(what: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_request", what)
    }

    /// Something of ours failed. The cause goes to the log, and not to whoever asked.
    pub fn internal(error: impl std::fmt::Display) -> Refusal {
        tracing::error!("{error}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the service could not answer; its log says why")
    }
}

/// What the store answered. A full disk is a refusal, and nothing was changed; whatever else fails, it ends the process:
/// nothing is known of what the disk holds.
pub fn stored<T>(result: Result<T, StoreError>) -> Result<T, Refusal> {
    result.map_err(|error| match error {
        StoreError::Full(full) => {
            Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", full.to_string().replace("\nhint: ", "; "))
        }
        error => {
            tell(format_args!("error: {error}"));
            std::process::exit(2)
        }
    })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:cohortflow:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            // What was asked for may stand in it, and whoever looks after a proxy reads it too.
            "detail": hidden(&self.message),
        });
        if let (Some(Value::Object(more)), Some(body)) = (self.more, body.as_object_mut()) {
            body.extend(more);
        }
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
