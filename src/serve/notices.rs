//! Notices, topics and prompts over HTTP: everybody with an account reads them, planners keep them.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::gate::Asker;
use super::guard::{JsonBody, Segment};
use crate::notices::{Kind, Said, TextError, is_day};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfTexts")]
pub struct Asked {
    /// Those alone that count on this day: YYYY-MM-DD.
    on: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewText")]
pub struct Put {
    pub title: String,
    #[serde(default)]
    text: String,
    /// The first day on which it counts: YYYY-MM-DD; none: always.
    from: Option<String>,
    /// The first day on which it counts no more.
    until: Option<String>,
    /// The version that it is written over, 0 where there is to be none; none: whatever stands.
    version: Option<u64>,
}

fn kind(name: &str) -> Result<Kind, Refusal> {
    Kind::named(name).ok_or_else(|| Refusal::not_found("expected notices, topics or prompts"))
}

fn named(names: Result<Path<(String, String)>, PathRejection>) -> Result<(Kind, String), Refusal> {
    let Path((of, id)) = names.map_err(|error| Refusal::bad_request(error.body_text()))?;
    Ok((kind(&of)?, id))
}

/// `GET /v1/texts/{kind}`.
pub async fn texts(
    Opened(service): Opened,
    Segment(of): Segment,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { on }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    if on.as_deref().is_some_and(|day| !is_day(day)) {
        return Err(Refusal::bad_request("expected a day YYYY-MM-DD for on"));
    }
    Ok(Json(json!({ "texts": service.notices.list(kind(&of)?, on.as_deref()) })).into_response())
}

/// `GET /v1/texts/{kind}/{id}`.
pub async fn text(
    Opened(service): Opened,
    names: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let (kind, id) = named(names)?;
    let text = service.notices.get(kind, &id).ok_or_else(|| Refusal::not_found("there is no text of that id"))?;
    Ok(Json(text).into_response())
}

/// `POST /v1/texts/{kind}/{id}`.
pub async fn text_put(
    Opened(service): Opened,
    Asker(viewer): Asker,
    names: Result<Path<(String, String)>, PathRejection>,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let (kind, id) = named(names)?;
    let Put { title, text, from, until, version } =
        read(&body, "{\"title\"}, with \"text\", \"from\", \"until\" and \"version\" if need be")?;
    tokio::task::spawn_blocking(move || {
        let said = Said { title, text, from, until };
        let text = service.notices.put(kind, &id, said, viewer.name(), version).map_err(refused)?;
        let status = if text.now.version == 1 { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Json(text)).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

/// `DELETE /v1/texts/{kind}/{id}`.
pub async fn text_remove(
    Opened(service): Opened,
    names: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let (kind, id) = named(names)?;
    tokio::task::spawn_blocking(move || {
        if !service.notices.remove(kind, &id).map_err(refused)? {
            return Err(Refusal::not_found("there is no text of that id"));
        }
        Ok(Json(json!({ "id": id, "removed": true })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

fn refused(error: TextError) -> Refusal {
    match &error {
        TextError::Id | TextError::Said => Refusal::bad_request(error.to_string()),
        TextError::TooMany => Refusal::new(StatusCode::CONFLICT, "too_many", error.to_string()),
        TextError::Version(version) => Refusal {
            more: Some(json!({ "version": version })),
            ..Refusal::new(StatusCode::CONFLICT, "version", error.to_string())
        },
        TextError::Io(_) | TextError::Damaged(_) => Refusal::internal(error),
    }
}
