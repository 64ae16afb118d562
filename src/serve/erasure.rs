//! A person is erased; what that removes is told before it is done, where somebody asks.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, stored};
use super::door::Opened;
use super::gate::Told;
use super::guard::{JsonBody, Segment};
use crate::intake::erasure::{Answer, Erasure};
use crate::store::erasure::{Holding, Traces};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfErasure")]
pub struct Asked {
    #[serde(default)]
    dry_run: bool,
}

/// What the body may say.
#[derive(Deserialize, Default, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WhyErased")]
pub struct Why {
    #[serde(default)]
    reason: Option<String>,
}

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// `POST /v1/customers/{id}/erase`, with `dry_run=true` to be told only what it would remove. The answer does not name
/// him, and neither does the log.
pub async fn erase(
    Opened(service): Opened,
    Segment(id): Segment,
    asked: Result<Query<Asked>, QueryRejection>,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let Query(Asked { dry_run }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let why: Why = serde_json::from_slice(&body).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let reason = why.reason.unwrap_or_default();
    if reason.chars().count() > REASON_MAX || reason.chars().any(char::is_control) {
        let expected = format!("expected one line of at most {REASON_MAX} characters for reason");
        return Err(Refusal::bad_request(expected));
    }
    if Traces::of(std::iter::once(id.as_str()), std::iter::empty()).are_in(&reason) {
        return Err(Refusal::bad_request(
            "the reason goes to the log, and must not name whom it is about; leave the id out",
        ));
    }
    tokio::task::spawn_blocking(move || {
        let forget = |traces: &Traces| {
            let names = |bytes: &[u8]| traces.are_in_bytes(bytes);
            let forgotten = service.feeds.forget(&names)?;
            service.posted.iter().try_for_each(|posted| posted.forget(&names))?;
            Ok(forgotten)
        };
        match stored(service.intake.erase(&id, dry_run, &forget))? {
            Answer::Erasure(mut erasure) => {
                if erasure.epoch.is_none() {
                    let named = service.feeds.naming(&|bytes| erasure.plan.traces.are_in_bytes(bytes));
                    erasure.journals = named.map_err(Refusal::internal)?;
                } else {
                    tracing::info!(epoch = erasure.epoch, reason, "erased");
                }
                let mut answer = Json(told(&erasure)).into_response();
                // The record of what was done keeps why, and him as a token.
                let object = if dry_run { "tried".to_owned() } else { format!("erased: {reason}") };
                answer.extensions_mut().insert(Told { object, rows: None });
                Ok(answer)
            }
            Answer::Refused(why) => Err(Refusal::bad_request(why)),
            Answer::Failed => Err(Refusal::internal("a worker has failed")),
        }
    })
    .await
    .map_err(Refusal::internal)?
}

fn told(erasure: &Erasure) -> Value {
    let (plan, removed) = (&erasure.plan, &erasure.plan.removed);
    let file = |holding: &Holding| json!({ "feed": holding.feed.name(), "file": holding.file, "rows": holding.rows });
    json!({
        "erased": erasure.epoch.is_some(),
        "epoch": erasure.epoch,
        "known": plan.is_known,
        "repeated": plan.is_repeated,
        "rows": removed.rows,
        "references": removed.references,
        "set_aside": removed.set_aside,
        "texts": removed.texts,
        // What stands though it holds his id: texts of others' rows.
        "mentions": removed.mentions,
        // His number is erased with him, unless a row of another bears it.
        "number_is_anothers": removed.is_number_anothers,
        "journals": erasure.journals,
        // The operator's own, wherever he keeps them.
        "files": removed.files.iter().map(file).collect::<Vec<_>>(),
        "finished": erasure.epoch.is_some() && erasure.unfinished.is_none(),
        "unfinished": erasure.unfinished,
    })
}
