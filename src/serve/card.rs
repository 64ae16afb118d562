//! A customer's card: what is known of him, and, where it is asked for, what to offer him and what not.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use dataflows::types::{CustomerIx, Word};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::gate::Asker;
use super::guard::Segment;
use super::offers::{not_offered, told};
use super::policy::denied;
use crate::access::Right;
use crate::orders::Offer;
use crate::query::card;
use crate::query::fit::Fit;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "OfCard")]
pub struct Asked {
    /// Whether what to offer him, what is said for it, and what not to offer are told too. It takes longer: nothing that was
    /// accepted is missed.
    #[serde(default)]
    offers: bool,
}

/// `GET /v1/customers/{id}`.
pub async fn customer(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(id): Segment,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { offers }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    if !offers {
        let published = service.intake.hub().published();
        let dictionary = service.intake.names();
        let card = card(&published, &dictionary.read(), &id).ok_or_else(unknown)?;
        return Ok(Json(card).into_response());
    }
    if !viewer.may(Right::Offers) {
        return Err(denied("the account's role does not let it see what to offer"));
    }
    tokio::task::spawn_blocking(move || whole(&service, &id)).await.map_err(Refusal::internal)?
}

fn unknown() -> Refusal {
    Refusal::not_found("no customer of that id")
}

fn whole(service: &Service, id: &str) -> Result<Response, Refusal> {
    let page = service.intake.offers(id, 1).ok_or_else(unknown)?;
    let (published, document) = (service.intake.hub().published(), service.intake.document());
    let dictionary = service.intake.names();
    let offers: Vec<&Offer> = page.offers.iter().chain(&page.more).take(OFFERS_MAX).collect();
    let (card, customer, products, names) = {
        let dictionary = dictionary.read();
        let customer = dictionary.customers.find(id).map(CustomerIx);
        let product = |offer: &&Offer| dictionary.words.find(&offer.product).map(Word);
        let products: Vec<Option<Word>> = offers.iter().map(product).collect();
        (card(&published, &dictionary, id), customer, products, dictionary.names())
    };
    let (Some(card), Some(customer)) = (card, customer) else { return Err(unknown()) };
    let mut card = serde_json::to_value(card).map_err(Refusal::internal)?;
    let fit = Fit::new(&published, &names, &document);
    let offer = |(offer, product): (&Offer, Option<Word>)| -> Value {
        let mut told = told(offer);
        let best = product.and_then(|product| fit.of_customer(customer, Some(product)).into_iter().next());
        told["score"] = best.as_ref().map(|best| best.score.clone()).into();
        told["selling_point"] = best.and_then(|best| best.selling_point).into();
        told
    };
    card["offers"] = offers.into_iter().zip(products).map(offer).collect();
    card["not_offered"] = not_offered(&page.not).into();
    card["closed"] = json!(page.closed);
    Ok(Json(card).into_response())
}

/// Offers on a card; `/v1/customers/ID/offers` tells all of them.
const OFFERS_MAX: usize = 10;
