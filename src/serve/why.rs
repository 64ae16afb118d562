//! Why a customer is where he is: clauses, values, and the rows behind them.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::guard::Segment;
use crate::query::why::{Asked, Explainer, Why};

/// `GET /v1/customers/{id}/why`, with one of `segment=NAME`, `tier`, `target=CAMPAIGN`, `balance`.
pub async fn why(
    Opened(service): Opened,
    Segment(id): Segment,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(pairs) = pairs.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let asked = asked(pairs)?;
    // It waits for what is being taken, and reads the log.
    let why = tokio::task::spawn_blocking(move || explained(&service, &id, &asked));
    Ok(Json(why.await.map_err(Refusal::internal)??).into_response())
}

fn asked(pairs: Vec<(String, String)>) -> Result<Asked, Refusal> {
    let expected = || Refusal::bad_request("expected one of segment=NAME, tier, target=CAMPAIGN, balance");
    let Ok([(what, name)]) = <[_; 1]>::try_from(pairs) else { return Err(expected()) };
    match (&*what, name.is_empty()) {
        ("segment", false) => Ok(Asked::Segment(name)),
        ("target", false) => Ok(Asked::Target(name)),
        ("tier", true) => Ok(Asked::Tier),
        ("balance", true) => Ok(Asked::Balance),
        _ => Err(expected()),
    }
}

/// Clauses and rows of one moment: nothing more is taken until it is known which frames of the log the rows stand in.
/// They are read when more may be taken again.
fn explained(service: &Service, id: &str, asked: &Asked) -> Result<Why, Refusal> {
    let (mut why, origins) = {
        let store = service.intake.store().lock();
        if !service.intake.hub().settle() {
            return Err(Refusal::internal("a worker has failed"));
        }
        let explainer = Explainer::new(service.intake.hub().published(), service.intake.names());
        let mut why = explainer.why(id, asked).map_err(|unknown| Refusal::not_found(unknown.to_string()))?;
        let origins = store.origins(why.keys());
        (why, origins)
    };
    why.fill(&origins.find().map_err(Refusal::internal)?);
    Ok(why)
}
