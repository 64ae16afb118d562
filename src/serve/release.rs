//! `POST /v1/campaigns/{id}/release`: what is due of a campaign is handed off.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, stored};
use super::door::Opened;
use super::guard::{JsonBody, Segment};
use crate::handoff::{Answer, Request};

#[derive(Deserialize, Default, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Release")]
pub struct Body {
    dry_run: bool,
    trial: bool,
    limit: Option<usize>,
}

pub async fn release(
    Opened(service): Opened,
    Segment(campaign): Segment,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let body: Body = serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!(
            "expected {{\"dry_run\": false, \"trial\": false, \"limit\": 1000}}, all optional: {error}"
        ))
    })?;
    let released = tokio::task::spawn_blocking(move || {
        let request = Request { campaign: &campaign, limit: body.limit, is_dry: body.dry_run, is_trial: body.trial };
        stored(service.intake.release(&request))
    });
    match released.await.map_err(Refusal::internal)?? {
        Answer::Released(released) => {
            metrics::counter!("cohortflow_handed_off_total").increment(released.handed_off as u64);
            Ok(Json(released).into_response())
        }
        Answer::Unknown => Err(Refusal::not_found("the programme in force has no campaign of that id")),
        Answer::Closed(reasons) => Err(Refusal {
            more: Some(json!({ "reasons": reasons })),
            ..Refusal::new(StatusCode::CONFLICT, "closed", format!("nothing is released: {}", reasons.join("; ")))
        }),
        Answer::Failed => Err(Refusal::internal("a worker has failed")),
    }
}
