//! Requests as they are counted and traced: by route as a template, and never by what stands in its place.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use tracing::field::Empty;

/// The route of a request that none matches.
const NO_ROUTE: &str = "none";

/// Tells how long the head of an answer took. A feed's answer goes on behind its head, which is not counted.
pub async fn measured(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let method = named(request.method());
    let span = tracing::info_span!("request", method, route, status = Empty);
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    let class = class(response.status());
    metrics::histogram!("cohortflow_http_seconds", "route" => route, "method" => method, "status" => class)
        .record(began.elapsed().as_secs_f64());
    response
}

/// A method may be any word that a client makes up.
fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
