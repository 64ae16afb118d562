//! A file is undone; what that changes is told before it is done, where somebody asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Service;
use super::answer::{Refusal, stored};
use super::door::Opened;
use super::guard::{JsonBody, Segment};
use crate::access::Viewer;
use crate::intake::undo::{Answer, Undo};
use crate::query::Sources;
use crate::query::receipt::receipt;
use crate::store::Entry;
use crate::store::undo::Refused;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfUndo")]
pub struct Asked {
    #[serde(default)]
    dry_run: bool,
}

/// `POST /v1/files/{file}/undo`, with `dry_run=true` to be told only what it would change.
pub async fn undo(
    Opened(service): Opened,
    Segment(file): Segment,
    asked: Result<Query<Asked>, QueryRejection>,
    JsonBody(_): JsonBody,
) -> Result<Response, Refusal> {
    let Query(Asked { dry_run }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    tokio::task::spawn_blocking(move || match stored(service.intake.undo(&file, dry_run))? {
        Answer::Undo(undo) => told(&service, &undo),
        Answer::Refused(why) => Err(refused(&why)),
        Answer::Failed => Err(Refusal::internal("a worker has failed")),
    })
    .await
    .map_err(Refusal::internal)?
}

fn refused(why: &Refused) -> Refusal {
    match why {
        Refused::Unknown => Refusal::not_found(why.to_string()),
        _ => Refusal::new(StatusCode::CONFLICT, "not_undone", why.to_string()),
    }
}

fn told(service: &Arc<Service>, undo: &Undo) -> Result<Response, Refusal> {
    let reading = service.reading(&Viewer::keeper());
    let sources = Sources { published: &undo.after, ..reading.sources() };
    let receipt = receipt(&undo.before, &undo.after, sources).map_err(Refusal::internal)?;
    let (entry, (before, after)) = (&undo.plan.entry, undo.plan.rows());
    if let Some(epoch) = undo.epoch {
        tracing::info!(file = entry.file, epoch, "undone");
    }
    let stands = |entry: &Entry| json!({ "file": entry.file, "version": entry.version });
    let answer = json!({
        "file": entry.file,
        "feed": entry.partition.feed.name(),
        "period": entry.partition.period,
        "part": entry.partition.part,
        "version": entry.version,
        "stands": undo.plan.stands.as_ref().map(stands),
        "rows": { "before": before, "after": after },
        "epoch": undo.epoch,
        "undone": undo.epoch.is_some(),
        "receipt": receipt,
    });
    Ok(Json(answer).into_response())
}
