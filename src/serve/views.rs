//! Views over HTTP: pages of JSON, or CSV whole; the rows that a filter takes.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::guard::Segment;
use crate::query::download::download;
use crate::query::filter::{Filter, chosen};
use crate::query::{Cell, Kind, VIEWS, View, nearest, view};
use crate::store::StoreError;

/// `GET /v1/views`.
pub async fn views() -> Response {
    #[derive(Serialize)]
    struct Listed {
        name: &'static str,
        about: &'static str,
        columns: Vec<&'static str>,
    }
    let listed = |view: &'static View| Listed {
        name: view.name,
        about: view.about,
        columns: view.columns.iter().map(|column| column.name).collect(),
    };
    Json(VIEWS.iter().map(listed).collect::<Vec<_>>()).into_response()
}

/// What of a view is asked for.
struct Asked {
    offset: usize,
    limit: usize,
    as_csv: bool,
    /// Conditions, as they were given.
    conditions: Vec<(String, String)>,
}

/// Rows of a page, unless another number is asked for.
const LIMIT_DEFAULT: usize = 1000;

/// Most rows of a page of JSON.
const LIMIT_MAX: usize = 100_000;

impl Asked {
    fn read(pairs: Vec<(String, String)>) -> Result<Asked, Refusal> {
        let (mut limit, mut offset, mut format) = (None, None, None);
        let mut conditions = Vec::new();
        for (name, value) in pairs {
            let (place, name) = match &*name {
                "limit" => (&mut limit, name),
                "offset" => (&mut offset, name),
                "format" => (&mut format, name),
                _ => {
                    conditions.push((name, value));
                    continue;
                }
            };
            if place.replace(value).is_some() {
                return Err(Refusal::bad_request(format!("{name} is given twice")));
            }
        }
        let number = |name: &str, text: Option<String>, default: usize| {
            let number = text.map_or(Ok(default), |text| text.parse());
            number.map_err(|_| Refusal::bad_request(format!("expected a number of rows for {name}")))
        };
        let limit = number("limit", limit, LIMIT_DEFAULT)?;
        if limit > LIMIT_MAX {
            return Err(Refusal::bad_request(format!("limit is at most {LIMIT_MAX}; use format=csv for everything")));
        }
        let as_csv = match format.as_deref() {
            None | Some("json") => false,
            Some("csv") => true,
            Some(_) => return Err(Refusal::bad_request("format is json or csv")),
        };
        Ok(Asked { offset: number("offset", offset, 0)?, limit, as_csv, conditions })
    }
}

/// `GET /v1/views/{name}`.
pub async fn view_rows(
    Opened(service): Opened,
    Segment(name): Segment,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(pairs) = pairs.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let asked = Asked::read(pairs)?;
    let Some(view) = view(&name) else {
        let near = nearest(&name, VIEWS.iter().map(|view| view.name));
        return Err(Refusal::not_found(format!("no such view; did you mean {near}?")));
    };
    tokio::task::spawn_blocking(move || found(&service, view, &asked)).await.map_err(Refusal::internal)?
}

fn found(service: &Arc<Service>, view: &'static View, asked: &Asked) -> Result<Response, Refusal> {
    let reading = service.reading();
    let conditions = asked.conditions.iter().map(|(name, value)| (&**name, &**value));
    let zone = &reading.document.settings.zone;
    let filter = Filter::new(view, conditions, zone, &reading.dictionary.read()).map_err(Refusal::bad_request)?;
    let sources = reading.sources();
    if asked.as_csv {
        let mut bytes = Vec::new();
        download(view, sources, &filter, &mut bytes).map_err(Refusal::internal)?;
        let disposition = format!("attachment; filename=\"{}.csv\"", view.name);
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, &*disposition)];
        return Ok((headers, bytes).into_response());
    }
    let (mut rows, mut at) = (Vec::new(), 0);
    let visited = chosen::<Stop>(view, sources, &filter, &mut |cells| {
        if at >= asked.offset {
            if rows.len() == asked.limit {
                return Err(Stop::Full);
            }
            let row =
                view.columns.iter().zip(cells).map(|(column, cell)| (column.name.to_owned(), value(column.kind, cell)));
            rows.push(row.collect::<serde_json::Map<_, _>>());
        }
        at += 1;
        Ok(())
    });
    match visited {
        Err(Stop::Store(error)) => Err(Refusal::internal(error)),
        visited => {
            let more = visited.is_err();
            let answer = json!({ "view": view.name, "epoch": reading.published.epoch, "rows": rows, "more": more });
            Ok(Json(answer).into_response())
        }
    }
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

/// Numbers with two places, and rates, are texts, so that no reader rounds them.
fn value(kind: Kind, cell: &Cell<'_>) -> serde_json::Value {
    match (kind, cell) {
        (_, Cell::Null) => serde_json::Value::Null,
        (Kind::Integer, Cell::Integer(number)) => (*number).into(),
        (Kind::Boolean, Cell::Boolean(truth)) => (*truth).into(),
        (_, cell) => cell.to_string().into(),
    }
}
