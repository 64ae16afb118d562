//! Offers over HTTP: what a customer who calls is offered, and what he says to it.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, stored};
use super::door::Opened;
use super::edits::{Key, by_whom, read};
use super::gate::Asker;
use super::guard::{JsonBody, Segment};
use super::orders::{key_reused, ordered};
use crate::intake;
use crate::orders::{Accepted, NotWhy, Offer, OfferAnswer, Taken};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfOffers")]
pub struct Asked {
    #[serde(default = "first")]
    page: usize,
}

fn first() -> usize {
    1
}

/// `GET /v1/customers/{id}/offers`.
pub async fn offers(
    Opened(service): Opened,
    Segment(id): Segment,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { page: number }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    if number == 0 {
        return Err(Refusal::bad_request("pages count from 1"));
    }
    let page = tokio::task::spawn_blocking(move || service.intake.offers(&id, number));
    let page = page.await.map_err(Refusal::internal)?.ok_or_else(|| Refusal::not_found("no customer of that id"))?;
    let told = |offers: &[Offer]| offers.iter().map(told).collect::<Vec<Value>>();
    let (offers, more) = (told(&page.offers), told(&page.more));
    let not = not_offered(&page.not);
    let answer = json!({ "page": number, "closed": page.closed, "offers": offers, "more": more, "not_offered": not });
    Ok(Json(answer).into_response())
}

/// What is not to be offered, and why.
pub fn not_offered(not: &[(String, NotWhy)]) -> Vec<Value> {
    not.iter().map(|(product, why)| json!({ "product_id": product, "why": why.name() })).collect()
}

pub fn told(offer: &Offer) -> Value {
    json!({
        "product_id": offer.product,
        "why": offer.why.name(),
        "campaign_id": offer.campaign,
        "channel_id": offer.channel,
        "text": offer.text,
    })
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    product_id: String,
    campaign_id: Option<String>,
    channel_id: Option<String>,
    answer: Accepted,
    by: Option<String>,
}

/// `POST /v1/customers/{id}/offers/answer`.
pub async fn answer_offer(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(id): Segment,
    Key(key): Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let expected = "{\"product_id\", \"answer\", \"by\"}, with \"campaign_id\" and \"channel_id\" if need be";
    let Said { product_id, campaign_id, channel_id, answer, by } = read(&body, expected)?;
    let by = by_whom(&viewer, by)?;
    let taken = tokio::task::spawn_blocking(move || {
        let answer = OfferAnswer {
            customer: &id,
            product: &product_id,
            campaign: campaign_id.as_deref(),
            channel: channel_id.as_deref(),
            answer,
            by: &by,
            key: key.as_deref(),
            body: &body,
        };
        match stored(service.intake.answer_offer(&answer))? {
            Taken::Ordered(told) => Ok(ordered(&service, &told)),
            Taken::Noted(None) => Ok(Json(json!({ "answer": answer.answer, "repeated": true })).into_response()),
            Taken::Noted(Some((epoch, partition))) => {
                let accepted = intake::Taken::Accepted { epoch, rows: 1, bad_rows: 0 };
                service.metrics.taken(partition.feed, &accepted);
                Ok((StatusCode::CREATED, Json(json!({ "answer": answer.answer, "epoch": epoch }))).into_response())
            }
            Taken::KeyReused => Err(key_reused()),
            Taken::UnknownCustomer => Err(Refusal::not_found("no customer of that id")),
            Taken::UnknownProduct => Err(Refusal::not_found("no product of that id")),
            Taken::UnknownCampaign => Err(Refusal::not_found("the programme in force has no campaign of that id")),
            Taken::Bad(why) => Err(Refusal::bad_request(why)),
            Taken::Failed => Err(Refusal::internal("a worker has failed")),
        }
    });
    taken.await.map_err(Refusal::internal)?
}
