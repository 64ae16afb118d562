//! Orders over HTTP: replies, what is given out to be provisioned, and what came of it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dataflows::records::{Feed, RequestState};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use super::answer::{Refusal, stored};
use super::door::Opened;
use super::edits::{Key, by_whom, edited, read, sees};
use super::gate::Asker;
use super::guard::JsonBody;
use crate::intake::Taken;
use crate::orders::{Answer, Answered, Given, Provisioned, Replied, Reply, Told, Words};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replies {
    customer_id: String,
    text: String,
    campaign_id: Option<String>,
    contact_id: Option<String>,
    channel_id: Option<String>,
    by: Option<String>,
}

/// `POST /v1/replies`: what a customer answered to a contact, as a channel relays it.
pub async fn reply(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Key(key): Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let expected =
        "{\"customer_id\", \"text\", \"campaign_id\" or \"contact_id\", \"by\"}, with \"channel_id\" if need be";
    let Replies { customer_id, text, campaign_id, contact_id, channel_id, by } = read(&body, expected)?;
    let by = by_whom(&viewer, by)?;
    sees(&service, &viewer, [customer_id.as_str()])?;
    let answer = tokio::task::spawn_blocking(move || {
        let reply = Reply {
            customer: &customer_id,
            text: &text,
            campaign: campaign_id.as_deref(),
            contact: contact_id.as_deref(),
            channel: channel_id.as_deref(),
            by: &by,
            key: key.as_deref(),
            body: &body,
        };
        replied(&service, stored(service.intake.reply(&reply))?)
    });
    answer.await.map_err(Refusal::internal)?
}

fn replied(service: &Service, replied: Replied) -> Result<Response, Refusal> {
    match replied {
        Replied::Ordered(told) => Ok(ordered(service, &told)),
        Replied::Declined(entered) => {
            let mut answer = json!({ "declined": true });
            let Some((epoch, partition)) = entered else {
                answer["repeated"] = true.into();
                return Ok((StatusCode::OK, Json(answer)).into_response());
            };
            answer["epoch"] = epoch.into();
            service.metrics.taken(partition.feed, &Taken::Accepted { epoch, rows: 1, bad_rows: 0 });
            Ok((StatusCode::CREATED, Json(answer)).into_response())
        }
        Replied::OptedOut(out) => edited(out),
        Replied::Prompt(said) => Ok(Json(json!({ "understood": false, "reply": words(&said) })).into_response()),
        Replied::KeyReused => Err(key_reused()),
        Replied::UnknownCustomer => Err(Refusal::not_found("no customer of that id")),
        Replied::UnknownContact => Err(Refusal::not_found("no such contact was made with that customer")),
        Replied::NothingOffered => Err(Refusal::new(
            StatusCode::CONFLICT,
            "nothing_offered",
            "the campaign offers nothing that could be ordered, or the programme no longer holds it",
        )),
        Replied::Bad(why) => Err(Refusal::bad_request(why)),
        Replied::Failed => Err(Refusal::internal("a worker has failed")),
    }
}

/// What stands of a request: 201 where this made it.
pub fn ordered(service: &Service, told: &Told) -> Response {
    let or_null = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut answer = json!({
        "request_id": told.request_id,
        "state": told.state.name(),
        "customer_id": told.customer,
        "product_id": told.product,
        "campaign_id": or_null(&told.campaign),
        "channel_id": or_null(&told.channel),
        "code": told.code,
        "reply": words(&told.reply),
    });
    let Some((epoch, partition)) = &told.entered else {
        answer["repeated"] = true.into();
        return (StatusCode::OK, Json(answer)).into_response();
    };
    answer["epoch"] = (*epoch).into();
    let (period, part) = (&partition.period, &partition.part);
    tracing::info!(state = told.state.name(), product = told.product, period, part, "order request");
    service.metrics.taken(partition.feed, &Taken::Accepted { epoch: *epoch, rows: 1, bad_rows: 0 });
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn words(words: &Words) -> Value {
    json!({ "kind": if words.is_link { "link" } else { "text" }, "text": words.text })
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `POST /v1/provisioning/batch`: the requests that wait are given out, as a file in the outbox.
pub async fn batch(Opened(service): Opened, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    let Nothing {} = read(&body, "{}")?;
    let given = tokio::task::spawn_blocking(move || stored(service.intake.provision()));
    match given.await.map_err(Refusal::internal)?? {
        Provisioned::Given { requests, file } => {
            metrics::counter!("cohortflow_provisioned_total").increment(requests as u64);
            Ok(Json(json!({ "requests": requests, "file": file })).into_response())
        }
        Provisioned::Closed(why) => Err(Refusal::new(StatusCode::CONFLICT, "closed", why)),
        Provisioned::Failed => Err(Refusal::internal("a worker has failed")),
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Came {
    request_id: String,
    state: String,
    code: Option<String>,
    text: Option<String>,
}

/// Most answers of a body.
const ANSWERS_MAX: usize = 100_000;

/// `POST /v1/provisioning/answers`: what became of requests that were given out.
pub async fn answers(Opened(service): Opened, Key(key): Key, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    let came: Vec<Came> = read(&body, "[{\"request_id\", \"state\"}], with \"code\" and \"text\" if need be")?;
    if came.len() > ANSWERS_MAX {
        return Err(Refusal::bad_request(format!("a body has at most {ANSWERS_MAX} answers")));
    }
    let given: Result<Vec<Given>, Refusal> = came.into_iter().map(given).collect();
    let given = given?;
    let answer = tokio::task::spawn_blocking(move || {
        let answer = stored(service.intake.answer(&given, key.as_deref(), &body))?;
        taken(&service, &given, answer)
    });
    answer.await.map_err(Refusal::internal)?
}

fn given(came: Came) -> Result<Given, Refusal> {
    let state = match came.state.as_str() {
        "opened" => RequestState::Opened,
        "failed" => RequestState::Failed,
        _ => return Err(Refusal::bad_request("expected opened or failed for state")),
    };
    Ok(Given { request_id: came.request_id, state, code: came.code, text: came.text })
}

fn taken(service: &Service, given: &[Given], answer: Answer) -> Result<Response, Refusal> {
    match answer {
        Answer::Taken(answered, epoch) => {
            let one = |(given, answered): (&Given, &Answered)| {
                let (result, state) = match answered {
                    Answered::Done => ("done", Some(given.state)),
                    Answered::Repeated => ("repeated", Some(given.state)),
                    Answered::Differs(state) => ("differs", Some(*state)),
                    Answered::Unknown => ("unknown", None),
                };
                json!({ "request_id": given.request_id, "result": result, "state": state.map(RequestState::name) })
            };
            let answers: Vec<Value> = given.iter().zip(&answered).map(one).collect();
            let Some(epoch) = epoch else {
                return Ok(Json(json!({ "answers": answers, "epoch": null })).into_response());
            };
            let rows = answered.iter().filter(|answered| **answered == Answered::Done).count() as u64;
            service.metrics.taken(Feed::OrderRequest, &Taken::Accepted { epoch, rows, bad_rows: 0 });
            Ok((StatusCode::CREATED, Json(json!({ "answers": answers, "epoch": epoch }))).into_response())
        }
        Answer::KeyReused => Err(key_reused()),
        Answer::Bad(why) => Err(Refusal::bad_request(why)),
        Answer::Failed => Err(Refusal::internal("a worker has failed")),
    }
}

pub fn key_reused() -> Refusal {
    Refusal::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key",
        "something else came under that idempotency-key; give each request one of its own",
    )
}
