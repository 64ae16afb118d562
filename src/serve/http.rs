//! HTTP is served: until a signal, over TLS or without. Which routes there are, `routes` says.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::answer::{Refusal, stored};
use super::door::{Door, OPENING, Opened};
use super::gate::{Asker, From, challenge};
use super::guard::{BODY_BYTES_MAX, JsonBody, Segment, own_pages_only};
use super::metrics::{measured, sample};
use super::routes;
use super::tls::{Listener, Tls};
use super::whatif::{parsed, proposed};
use crate::numbers::hidden;
use crate::store::Entry;
use crate::verify;

/// How long answers under way may take once the service is told to stop. A client that does not finish
/// its request, or reads no answer, is not waited for any longer.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Serves until a signal to stop, or until `stop` is set. `announce` is called when both a request and a
/// signal would be heard.
pub fn run(
    listener: TcpListener,
    tls: Option<Tls>,
    door: Arc<Door>,
    stop: Arc<AtomicBool>,
    announce: impl FnOnce(),
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = Listener::new(tokio::net::TcpListener::from_std(listener)?, tls.as_ref())?;
        let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        announce();
        let (draining, drained) = tokio::sync::oneshot::channel();
        let stopped = async move {
            stopped(signals, stop).await;
            let _ = draining.send(());
        };
        let served = axum::serve(listener, router(door.clone()).into_make_service_with_connect_info::<From>())
            .with_graceful_shutdown(stopped);
        let overdue = async {
            let _ = drained.await;
            tokio::time::sleep(DRAIN_MAX).await;
        };
        let served = async {
            served.await?;
            // Connections that have become sockets are nobody's to wait for but ours.
            while door.service().is_some_and(|service| service.feeds.consumers() > 0) {
                tokio::time::sleep(LOOK).await;
            }
            std::io::Result::Ok(())
        };
        tokio::select! {
            served = served => served?,
            () = overdue => tracing::warn!("requests that did not come to an end were given up"),
        }
        Ok(())
    })
}

/// Time between two looks at whether those who follow views have been told the end.
const LOOK: Duration = Duration::from_millis(20);

fn router(door: Arc<Door>) -> Router {
    routes::router(&door)
        .fallback(|| async { Refusal::not_found("no such path; /v1/views lists the views") })
        .method_not_allowed_fallback(|| async {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", "that path takes the methods of the allow header")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(challenge))
        .layer(middleware::from_fn_with_state(door.clone(), own_pages_only))
        .layer(middleware::from_fn(measured))
        .with_state(door)
}

async fn stopped((mut interrupt, mut terminate): (Signal, Signal), stop: Arc<AtomicBool>) {
    let told = async {
        while !stop.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, () = told => {} }
    stop.store(true, Ordering::Release);
}

pub async fn healthz(State(door): State<Arc<Door>>) -> Response {
    if door.service().is_some_and(|service| service.intake.hub().has_failed()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "a worker has failed\n").into_response();
    }
    "ok\n".into_response()
}

pub async fn readyz(State(door): State<Arc<Door>>) -> Response {
    let Some(service) = door.service() else {
        let answer = json!({ "ready": false, "reasons": [OPENING], "epoch": 0 });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(answer)).into_response();
    };
    // Whoever reaches the service is told, and reasons name files.
    let told = |reasons: Vec<String>| -> Vec<String> { reasons.iter().map(|why| hidden(why).into_owned()).collect() };
    let reasons = told(service.readiness.reasons(service));
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let epoch = service.intake.hub().published().epoch;
    let release = told(service.readiness.release(service));
    let release = json!({ "ready": release.is_empty(), "reasons": release });
    let answer = json!({ "ready": reasons.is_empty(), "reasons": reasons, "epoch": epoch, "release": release });
    (status, Json(answer)).into_response()
}

pub async fn metrics(Opened(service): Opened) -> Result<Response, Refusal> {
    let read = move || {
        sample(&service);
        service.metrics.render()
    };
    let text = tokio::task::spawn_blocking(read).await.map_err(Refusal::internal)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

pub async fn programme_text(Opened(service): Opened) -> Response {
    Json(json!({ "sources": service.intake.document().sources })).into_response()
}

pub async fn apply(Opened(service): Opened, JsonBody(body): JsonBody) -> Result<Response, Refusal> {
    let sources = proposed(&body)?;
    tokio::task::spawn_blocking(move || {
        let document = parsed(&service, sources)?;
        let warnings: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
        let published = stored(service.intake.publish_alone(document))?;
        let Some(published) = published else { return Err(Refusal::internal("a worker has failed")) };
        let dictionary = service.intake.names();
        let names = dictionary.read();
        let difference = &published.difference;
        let moved = |(word, (came, went)): (&dataflows::types::Word, &(usize, usize))| {
            let id = names.words.text(word.0)?;
            Some((id.to_owned(), json!({ "came": came, "went": went })))
        };
        let members: serde_json::Map<_, _> = difference.members.iter().filter_map(moved).collect();
        let targets: serde_json::Map<_, _> = difference.targets.iter().filter_map(moved).collect();
        Ok(Json(json!({
            "epoch": published.epoch,
            "warnings": warnings,
            "tier": { "came": difference.tiers.0, "went": difference.tiers.1 },
            "segment_member": members,
            "target": targets,
        }))
        .into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

pub async fn held(Opened(service): Opened) -> Response {
    let store = service.intake.store().lock();
    let file = |(file, entry): (&str, &Entry)| json!({ "file": file, "reason": entry.reason, "epoch": entry.epoch });
    Json(json!({ "held": store.ledger().held().into_iter().map(file).collect::<Vec<_>>() })).into_response()
}

pub async fn confirm(Opened(service): Opened, Segment(file): Segment) -> Result<Response, Refusal> {
    tokio::task::spawn_blocking(move || {
        if !stored(service.intake.confirm(&file))? {
            return Err(Refusal::not_found("no file of that name is held; /v1/held lists those that are"));
        }
        Ok(Json(json!({ "file": file, "status": "confirmed" })).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

pub async fn verify_all(Opened(service): Opened, Asker(viewer): Asker) -> Result<Response, Refusal> {
    tokio::task::spawn_blocking(move || {
        let (standing, published) = {
            let store = service.intake.store().lock();
            if !service.intake.hub().settle() {
                return Err(Refusal::internal("a worker has failed"));
            }
            let published = service.intake.hub().published();
            let dictionary = store.dictionary();
            let standing = verify::standing(&store, &published, &dictionary.read()).map_err(Refusal::internal)?;
            (standing, published)
        };
        let dictionary = service.intake.names();
        let mut verdict = verify::compare(&standing, &published, &dictionary.read(), &|_| {});
        metrics::gauge!("cohortflow_divergences").set(verdict.divergences as f64);
        metrics::gauge!("cohortflow_verified_timestamp_seconds").set(service.intake.wall_second() as f64);
        if !viewer.sight.sees_persons() {
            // They name customers.
            verdict.examples.clear();
        }
        Ok(Json(verdict).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}
