//! A member's place on the leaderboard.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dataflows::types::CustomerIx;
use serde::Deserialize;

use super::answer::Refusal;
use super::door::Opened;
use super::gate::Asker;
use super::guard::Segment;
use crate::query::leaderboard::{NEIGHBOURS_DEFAULT, NEIGHBOURS_MAX};

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "OfStanding")]
pub struct Asked {
    #[serde(default = "neighbours_default")]
    neighbours: usize,
}

fn neighbours_default() -> usize {
    NEIGHBOURS_DEFAULT
}

/// `GET /v1/customers/{id}/standing`.
pub async fn standing(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(id): Segment,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { neighbours }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    if neighbours > NEIGHBOURS_MAX {
        return Err(Refusal::bad_request(format!("neighbours is at most {NEIGHBOURS_MAX}")));
    }
    // The first one to ask brings the boards up to date, which may take a while.
    tokio::task::spawn_blocking(move || {
        let published = service.intake.hub().published();
        let (customer, names) = {
            let dictionary = service.intake.names();
            let dictionary = dictionary.read();
            (dictionary.customers.find(&id).map(CustomerIx), dictionary.names())
        };
        let is_known = |customer: &CustomerIx| published.customer(*customer).is_some();
        let Some(customer) = customer.filter(is_known) else {
            return Err(Refusal::not_found("no customer of that id"));
        };
        match service.leaderboard.standing(&published, &names, customer, neighbours) {
            Some(mut standing) => {
                let reading = service.reading(&viewer);
                let seen = reading.seen();
                for place in [&mut standing.in_province, &mut standing.in_city] {
                    for side in [&mut place.above, &mut place.below] {
                        side.retain(|neighbour| seen.holds(&neighbour.customer_id));
                    }
                }
                Ok(Json(standing).into_response())
            }
            None => {
                Err(Refusal::new(StatusCode::NOT_FOUND, "no_member", "only members have a place on the leaderboard"))
            }
        }
    })
    .await
    .map_err(Refusal::internal)?
}
