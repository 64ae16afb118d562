//! The worklist over HTTP: calls that people make, who has which, and what came of it.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, stored};
use super::door::Opened;
use super::edits::{Key, named, read};
use super::gate::Asker;
use super::guard::{JsonBody, Segment};
use super::orders::key_reused;
use crate::ingest;
use crate::intake::Taken;
use crate::orders::{CLAIM_SECONDS, CallOutcome, Called, Claimed, Resulted, TaskState, Which};

/// Tasks of an answer where it does not say how many, and most of them.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfCalls")]
pub struct Asked {
    campaign: Option<String>,
    state: Option<TaskState>,
    agent: Option<String>,
    limit: Option<usize>,
}

/// `GET /v1/worklist`.
pub async fn worklist(
    Opened(service): Opened,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { campaign, state, agent, limit }) =
        asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if limit > LIMIT_MAX {
        return Err(Refusal::bad_request(format!("limit is at most {LIMIT_MAX}")));
    }
    let tasks = tokio::task::spawn_blocking(move || {
        let which = Which { campaign: campaign.as_deref(), state, agent: agent.as_deref(), limit };
        service.intake.worklist(&which)
    });
    Ok(Json(json!({ "tasks": tasks.await.map_err(Refusal::internal)? })).into_response())
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Claim")]
pub struct Who {
    agent: Option<String>,
}

/// `POST /v1/worklist/{contact_id}/claim`.
pub async fn claim(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(contact): Segment,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let Who { agent } = read(&body, "{\"agent\"}")?;
    let agent = named(&viewer, "agent", agent)?;
    let claimed = tokio::task::spawn_blocking(move || service.intake.claim(&contact, &agent));
    match claimed.await.map_err(Refusal::internal)? {
        Claimed::Given(task) => Ok(Json(json!({ "task": task, "seconds": CLAIM_SECONDS })).into_response()),
        Claimed::Gone(why) => {
            let message = format!("the task is gone: the customer may no longer be called ({why})");
            Err(Refusal::new(StatusCode::GONE, "gone", message))
        }
        Claimed::Taken => Err(taken()),
        Claimed::Done => Err(Refusal::new(StatusCode::CONFLICT, "done", "the call was made already")),
        Claimed::Unknown => Err(unknown()),
        Claimed::Bad(why) => Err(Refusal::bad_request(why)),
        Claimed::Failed => Err(Refusal::internal("a worker has failed")),
    }
}

fn taken() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "claimed", "another agent has the task")
}

fn unknown() -> Refusal {
    Refusal::not_found("no call of that id was handed off")
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CallResult")]
pub struct Body {
    agent: Option<String>,
    outcome: String,
    feedback: Option<String>,
    at_callback: Option<String>,
}

/// `POST /v1/worklist/{contact_id}/result`.
pub async fn result(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(contact): Segment,
    Key(key): Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let expected = "{\"agent\", \"outcome\"}, with \"feedback\" and \"at_callback\" if need be";
    let Body { agent, outcome, feedback, at_callback } = read(&body, expected)?;
    let agent = named(&viewer, "agent", agent)?;
    let zone = service.intake.document().settings.zone.clone();
    let outcome = match (outcome.as_str(), at_callback) {
        ("delivered", None) => CallOutcome::Delivered,
        ("failed", None) => CallOutcome::Failed,
        ("callback", Some(at)) => {
            let expected = || Refusal::bad_request("expected a time YYYY-MM-DD HH:MM:SS for at_callback");
            CallOutcome::Callback(ingest::moment(&at, &zone).ok_or_else(expected)?)
        }
        ("callback", None) => return Err(Refusal::bad_request("a callback says when: at_callback is missing")),
        ("delivered" | "failed", Some(_)) => {
            return Err(Refusal::bad_request("at_callback is of a callback"));
        }
        _ => return Err(Refusal::bad_request("expected delivered, failed or callback for outcome")),
    };
    let resulted = tokio::task::spawn_blocking(move || {
        let called = Called {
            contact: &contact,
            agent: &agent,
            outcome,
            feedback: feedback.as_deref(),
            key: key.as_deref(),
            body: &body,
        };
        let resulted = stored(service.intake.called(&called))?;
        if let Resulted::Done(Some((epoch, feed, rows))) = &resulted {
            service.metrics.taken(*feed, &Taken::Accepted { epoch: *epoch, rows: *rows, bad_rows: 0 });
        }
        Ok(resulted)
    });
    match resulted.await.map_err(Refusal::internal)?? {
        Resulted::Done(Some((epoch, _, rows))) => {
            Ok((StatusCode::CREATED, Json(json!({ "epoch": epoch, "rows": rows }))).into_response())
        }
        Resulted::Done(None) => Ok(Json(json!({ "repeated": true })).into_response()),
        Resulted::KeyReused => Err(key_reused()),
        Resulted::Taken => Err(taken()),
        Resulted::Differs => Err(Refusal::new(StatusCode::CONFLICT, "done", "something else came of the call before")),
        Resulted::Unknown => Err(unknown()),
        Resulted::Bad(why) => Err(Refusal::bad_request(why)),
        Resulted::Failed => Err(Refusal::internal("a worker has failed")),
    }
}
