//! The routes.
//!
//! Only loopback is served by this build (see `cli::serve`), and a request must name a loopback
//! host: a page in a browser that reaches us under a name of its own is refused.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Service;
use super::answer::Refusal;
use crate::programme::{self, Source};
use crate::query::{Cell, Kind, Sources, VIEWS, card, export, rows, view};
use crate::store::StoreError;
use crate::verify;

type Shared = State<Arc<Service>>;

/// Serves until a signal to stop, or until `stop` is set.
pub fn run(listener: TcpListener, service: Arc<Service>, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/v1/customers/{id}", get(customer))
            .route("/v1/views", get(views))
            .route("/v1/views/{name}", get(view_rows))
            .route("/v1/programme", get(programme_text).post(apply))
            .route("/v1/verify", post(verify_all))
            .fallback(|| async { Refusal::not_found("no such path; /v1/views lists the views") })
            .layer(DefaultBodyLimit::max(2 * programme::BYTES_MAX))
            .layer(middleware::from_fn(loopback_only))
            .with_state(service);
        axum::serve(listener, router).with_graceful_shutdown(stopped(stop)).await?;
        Ok(())
    })
}

async fn stopped(stop: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let told = async {
        while !stop.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, () = told => {} }
    stop.store(true, Ordering::Release);
}

async fn loopback_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    let is_address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    if name == "localhost" || is_address {
        return next.run(request).await;
    }
    Refusal::new(StatusCode::MISDIRECTED_REQUEST, "host", "ask under localhost or an address").into_response()
}

async fn healthz(State(service): Shared) -> Response {
    if service.intake.hub().has_failed() {
        return (StatusCode::SERVICE_UNAVAILABLE, "a worker has failed\n").into_response();
    }
    "ok\n".into_response()
}

async fn readyz(State(service): Shared) -> Response {
    let reasons = service.readiness.reasons(&service);
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let epoch = service.intake.hub().published().epoch;
    (status, Json(json!({ "ready": reasons.is_empty(), "reasons": reasons, "epoch": epoch }))).into_response()
}

async fn metrics(State(service): Shared) -> Response {
    let text = service.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn customer(State(service): Shared, Path(id): Path<String>) -> Result<Response, Refusal> {
    let published = service.intake.hub().published();
    let dictionary = service.intake.names();
    let names = dictionary.read();
    match card(&published, &names, &id) {
        Some(card) => Ok(Json(card).into_response()),
        None => Err(Refusal::not_found("no customer of that id")),
    }
}

async fn views() -> Response {
    #[derive(Serialize)]
    struct Listed {
        name: &'static str,
        about: &'static str,
        columns: Vec<&'static str>,
    }
    let listed = |view: &'static crate::query::View| Listed {
        name: view.name,
        about: view.about,
        columns: view.columns.iter().map(|column| column.name).collect(),
    };
    Json(VIEWS.iter().map(listed).collect::<Vec<_>>()).into_response()
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    offset: usize,
    #[serde(default = "limit_default")]
    limit: usize,
    #[serde(default)]
    format: Option<String>,
}

fn limit_default() -> usize {
    1000
}

/// Most rows of a page of JSON.
const LIMIT_MAX: usize = 100_000;

async fn view_rows(
    State(service): Shared,
    Path(name): Path<String>,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(page) = page.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let Some(view) = view(&name) else {
        let near = VIEWS
            .iter()
            .map(|view| view.name)
            .max_by(|left, right| strsim::jaro_winkler(left, &name).total_cmp(&strsim::jaro_winkler(right, &name)));
        return Err(Refusal::not_found(format!("no such view; did you mean {}?", near.unwrap_or_default())));
    };
    if page.limit > LIMIT_MAX {
        return Err(Refusal::bad_request(format!("limit is at most {LIMIT_MAX}; use format=csv for everything")));
    }
    let as_csv = match page.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Refusal::bad_request("format is json or csv")),
    };
    tokio::task::spawn_blocking(move || {
        let published = service.intake.hub().published();
        let names = service.intake.names().read().names();
        let sources = Sources { published: &published, names: &names, store: service.intake.store() };
        if as_csv {
            let mut bytes = Vec::new();
            let failed = |cause: &dyn std::fmt::Display| export::ExportError::Write {
                file: view.name.to_owned(),
                cause: cause.to_string(),
            };
            export::csv(view, sources, &mut bytes, &failed).map_err(Refusal::internal)?;
            return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response());
        }
        let mut found = Vec::new();
        let mut at = 0;
        let visited = rows::<Stop>(view, sources, &mut |cells| {
            if at >= page.offset {
                if found.len() == page.limit {
                    return Err(Stop::Full);
                }
                let row = view
                    .columns
                    .iter()
                    .zip(cells)
                    .map(|(column, cell)| (column.name.to_owned(), value(column.kind, cell)));
                found.push(row.collect::<serde_json::Map<_, _>>());
            }
            at += 1;
            Ok(())
        });
        match visited {
            Err(Stop::Store(error)) => Err(Refusal::internal(error)),
            visited => {
                let more = visited.is_err();
                Ok(Json(json!({ "view": view.name, "epoch": published.epoch, "rows": found, "more": more }))
                    .into_response())
            }
        }
    })
    .await
    .map_err(Refusal::internal)?
}

enum Stop {
    Full,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Store(error)
    }
}

/// Numbers with two places are texts, so that no reader rounds them.
fn value(kind: Kind, cell: &Cell<'_>) -> serde_json::Value {
    match (kind, cell) {
        (_, Cell::Null) => serde_json::Value::Null,
        (Kind::Integer, Cell::Integer(number)) => (*number).into(),
        (Kind::Boolean, Cell::Boolean(truth)) => (*truth).into(),
        (_, cell) => cell.to_string().into(),
    }
}

#[derive(Serialize, Deserialize)]
struct ProgrammeText {
    sources: Vec<Source>,
}

async fn programme_text(State(service): Shared) -> Response {
    Json(ProgrammeText { sources: service.intake.document().sources.clone() }).into_response()
}

async fn apply(State(service): Shared, body: Bytes) -> Result<Response, Refusal> {
    let ProgrammeText { sources } = serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!("expected {{\"sources\": [{{\"name\", \"text\"}}]}}: {error}"))
    })?;
    tokio::task::spawn_blocking(move || {
        let document = programme::parse(sources).map_err(|diagnostics| {
            let told: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
            let detail = Some(json!({ "diagnostics": told }));
            Refusal {
                detail,
                ..Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "programme", "the programme is refused")
            }
        })?;
        let warnings: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
        if document.settings.timezone != service.intake.document().settings.timezone {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "timezone",
                "the timezone of a store is that of its first programme: times in it are local",
            ));
        }
        let epoch = service.intake.publish(document).map_err(|error| {
            // As in the watcher: no more promises from this process.
            eprintln!("error: {error}");
            std::process::exit(2)
        })?;
        if !service.intake.hub().wait(epoch) {
            return Err(Refusal::internal("a worker has failed"));
        }
        let published = service.intake.hub().published();
        let dictionary = service.intake.names();
        let names = dictionary.read();
        let members: serde_json::Map<_, _> = published
            .difference
            .members
            .iter()
            .filter_map(|(segment, (came, went))| {
                let id = names.words.text(segment.0)?;
                Some((id.to_owned(), json!({ "came": came, "went": went })))
            })
            .collect();
        let tiers = json!({ "came": published.difference.tiers.0, "went": published.difference.tiers.1 });
        Ok(Json(json!({ "epoch": epoch, "warnings": warnings, "tier": tiers, "segment_member": members }))
            .into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

async fn verify_all(State(service): Shared) -> Result<Response, Refusal> {
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
        let verdict = verify::compare(&standing, &published, &dictionary.read(), &|_| {});
        metrics::gauge!("cohortflow_divergences").set(verdict.divergences as f64);
        Ok(Json(verdict).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}
