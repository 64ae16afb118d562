//! Contacts that a webhook did not take: `GET /v1/dead-letters`, `POST /v1/dead-letters/replay`.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::guard::JsonBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    channel: Option<String>,
}

pub async fn dead_letters(
    Opened(service): Opened,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { channel }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    tokio::task::spawn_blocking(move || {
        let Some(handoffs) = service.intake.handoffs() else { return Err(Refusal::not_found("there is no outbox")) };
        let letters = handoffs.dead.lock().list(channel.as_deref()).map_err(Refusal::internal)?;
        Ok(Json(json!({ "dead_letters": letters })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    channel: String,
}

/// Each is checked again before it is posted, as any contact is.
pub async fn replay(Opened(service): Opened, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    let Replay { channel } = read(&body, "{\"channel\"}")?;
    if !service.webhooks.contains(&channel) {
        return Err(Refusal::not_found("that channel is not posted to; serve with --webhook for it"));
    }
    tokio::task::spawn_blocking(move || {
        let Some(handoffs) = service.intake.handoffs() else { return Err(Refusal::not_found("there is no outbox")) };
        let replayed = handoffs.dead.lock().replay(&channel).map_err(Refusal::internal)?;
        tracing::info!(channel, replayed, "dead letters are tried again");
        Ok(Json(json!({ "channel": channel, "replayed": replayed })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}
