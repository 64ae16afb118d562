//! Fit over HTTP: a customer's best products, a product's best customers, a channel's best use.

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
use super::guard::Segment;
use crate::engine::Published;
use crate::query::fit::{CUSTOMERS_MAX, Fit};
use crate::store::Dictionary;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfCustomer {
    /// Of this product alone, over every channel.
    product_id: Option<String>,
}

/// `GET /v1/customers/{id}/fit`.
pub async fn customer_fit(
    Opened(service): Opened,
    Segment(id): Segment,
    asked: Result<Query<OfCustomer>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(OfCustomer { product_id }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let find = move |published: &Published, names: &Dictionary| {
        let customer = names.customers.find(&id).map(CustomerIx);
        let customer = customer.filter(|customer| published.customer(*customer).is_some());
        let customer = customer.ok_or_else(|| Refusal::not_found("no customer of that id"))?;
        let product = product_id.map(|product| known(published, names, &product)).transpose()?;
        Ok((customer, product))
    };
    answer(service, find, |fit, (customer, product)| json!({ "fit": fit.of_customer(customer, product) })).await
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfProduct {
    #[serde(default = "limit_default")]
    limit: usize,
}

fn limit_default() -> usize {
    100
}

/// `GET /v1/products/{id}/fit`.
pub async fn product_fit(
    Opened(service): Opened,
    Segment(id): Segment,
    asked: Result<Query<OfProduct>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(OfProduct { limit }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    if limit > CUSTOMERS_MAX {
        return Err(Refusal::bad_request(format!("limit is at most {CUSTOMERS_MAX}")));
    }
    let find = move |published: &Published, names: &Dictionary| known(published, names, &id);
    answer(service, find, move |fit, product| json!({ "fit": fit.of_product(product, limit) })).await
}

/// `GET /v1/channels/{id}/fit`.
pub async fn channel_fit(Opened(service): Opened, Segment(id): Segment) -> Result<Response, Refusal> {
    let find = move |published: &Published, names: &Dictionary| {
        let channel = names.words.find(&id).map(Word);
        let is_known = |channel: &Word| published.catalog.channels().any(|(of, _)| of == *channel);
        channel.filter(is_known).ok_or_else(|| Refusal::not_found("no channel of that id has a row"))
    };
    answer(service, find, |fit, channel| json!({ "fit": fit.of_channel(channel) })).await
}

/// A product with a row.
fn known(published: &Published, names: &Dictionary, id: &str) -> Result<Word, Refusal> {
    let product = names.words.find(id).map(Word);
    let is_known = |product: &Word| published.catalog.products().any(|(of, _)| of == *product);
    product.filter(is_known).ok_or_else(|| Refusal::not_found("no product of that id has a row"))
}

/// Finds what is asked about, and scores it: the first to ask of a day sums up the rates, which may take a while.
async fn answer<T: Send + 'static>(
    service: std::sync::Arc<Service>,
    find: impl FnOnce(&Published, &Dictionary) -> Result<T, Refusal> + Send + 'static,
    score: impl FnOnce(&Fit<'_>, T) -> Value + Send + 'static,
) -> Result<Response, Refusal> {
    tokio::task::spawn_blocking(move || {
        let (published, document) = (service.intake.hub().published(), service.intake.document());
        let (found, names) = {
            let dictionary = service.intake.names();
            let dictionary = dictionary.read();
            (find(&published, &dictionary)?, dictionary.names())
        };
        let mut told = score(&Fit::new(&published, &names, &document), found);
        told["epoch"] = published.epoch.into();
        Ok(Json(told).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}
