//! What a webhook did not take: `GET /v1/dead-letters`, `POST /v1/dead-letters/replay`. Contacts by channel, and messages
//! of views.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::edits::read;
use super::gate::{Asker, Told};
use super::guard::JsonBody;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfLetters")]
pub struct Asked {
    channel: Option<String>,
    view: Option<String>,
}

/// Who sees nobody is told how many there are of which campaign and channel, and not of whom.
pub async fn dead_letters(
    Opened(service): Opened,
    Asker(viewer): Asker,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { channel, view }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    tokio::task::spawn_blocking(move || {
        let Some(handoffs) = service.intake.handoffs() else { return Err(Refusal::not_found("there is no outbox")) };
        // Who asks for a channel alone, or for a view alone, is told nothing of the other.
        let mut letters = match (&channel, &view) {
            (None, Some(_)) => Vec::new(),
            _ => handoffs.dead.lock().list(channel.as_deref()).map_err(Refusal::internal)?,
        };
        let is_asked = |of: &str| view.as_deref().map_or(channel.is_none(), |view| view == of);
        let feeds = service.posted.iter().filter(|posted| is_asked(posted.view.name));
        let feeds: Vec<_> = feeds.filter_map(|posted| posted.dead()).collect();
        if !viewer.sight.sees_persons() {
            for letter in &mut letters {
                letter.customer_id.clear();
                letter.contact_id.clear();
            }
        }
        let told = Told { object: "dead letters".to_owned(), rows: Some(letters.len() as u64) };
        let mut answer = Json(json!({ "dead_letters": letters, "feeds": feeds })).into_response();
        answer.extensions_mut().insert(told);
        Ok(answer)
    })
    .await
    .map_err(Refusal::internal)?
}

/// Contacts are checked again before they are posted, as any contact is; a view goes on in order.
pub async fn replay(Opened(service): Opened, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    let expected = "{\"channel\"} or {\"view\"}";
    let asked: Asked = read(&body, expected)?;
    tokio::task::spawn_blocking(move || match (asked.channel, asked.view) {
        (Some(channel), None) => replay_contacts(&service, &channel),
        (None, Some(view)) => replay_view(&service, &view),
        _ => Err(Refusal::bad_request(format!("expected {expected}"))),
    })
    .await
    .map_err(Refusal::internal)?
}

fn replay_contacts(service: &Arc<Service>, channel: &String) -> Result<Response, Refusal> {
    if !service.webhooks.contains(channel) {
        return Err(Refusal::not_found("that channel is not posted to; serve with --webhook for it"));
    }
    let Some(handoffs) = service.intake.handoffs() else { return Err(Refusal::not_found("there is no outbox")) };
    let replayed = handoffs.dead.lock().replay(channel).map_err(Refusal::internal)?;
    tracing::info!(channel, replayed, "dead letters are tried again");
    Ok(Json(json!({ "channel": channel, "replayed": replayed })).into_response())
}

fn replay_view(service: &Arc<Service>, view: &str) -> Result<Response, Refusal> {
    let Some(posted) = service.posted.iter().find(|posted| posted.view.name == view) else {
        return Err(Refusal::not_found("that view is not posted; serve with --feed-webhook for it"));
    };
    let replayed = usize::from(posted.replay().map_err(Refusal::internal)?);
    tracing::info!(view = posted.view.name, replayed, "what was not taken is tried again");
    Ok(Json(json!({ "view": view, "replayed": replayed })).into_response())
}
