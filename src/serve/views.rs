//! Views over HTTP: pages of JSON, or CSV whole; the rows that a filter takes.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::gate::{Asker, Told};
use super::guard::Segment;
use super::pages::Page;
use super::policy::denied;
use crate::access::{Right, Viewer};
#[cfg(feature = "sql")]
use crate::query::download::arrow;
use crate::query::download::{download, ndjson, object};
use crate::query::filter::{Filter, chosen};
use crate::query::sight::Whose;
use crate::query::{VIEWS, View, nearest, view};
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
pub struct Asked {
    offset: usize,
    limit: Option<usize>,
    cursor: Option<String>,
    format: Format,
    /// Conditions, as they were given.
    pub conditions: Vec<(String, String)>,
}

/// How rows are told: JSON in pages, others whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Ndjson,
    #[cfg(feature = "sql")]
    Arrow,
}

impl Format {
    fn named(name: &str) -> Option<Format> {
        Some(match name {
            "json" => Format::Json,
            "csv" => Format::Csv,
            "ndjson" => Format::Ndjson,
            #[cfg(feature = "sql")]
            "arrow" => Format::Arrow,
            _ => return None,
        })
    }
}

/// Rows of a page, unless another number is asked for.
const LIMIT_DEFAULT: usize = 1000;

/// Most rows of a page of JSON.
const LIMIT_MAX: usize = 100_000;

impl Asked {
    pub fn read(pairs: Vec<(String, String)>) -> Result<Asked, Refusal> {
        let (mut limit, mut offset, mut format, mut cursor) = (None, None, None, None);
        let mut conditions = Vec::new();
        for (name, value) in pairs {
            let (place, name) = match &*name {
                "limit" => (&mut limit, name),
                "offset" => (&mut offset, name),
                "format" => (&mut format, name),
                "cursor" => (&mut cursor, name),
                _ => {
                    conditions.push((name, value));
                    continue;
                }
            };
            if place.replace(value).is_some() {
                return Err(Refusal::bad_request(format!("{name} is given twice")));
            }
        }
        let number = |name: &str, text: Option<String>| {
            let number = text.map(|text| text.parse::<usize>()).transpose();
            number.map_err(|_| Refusal::bad_request(format!("expected a number of rows for {name}")))
        };
        let limit = number("limit", limit)?;
        if limit.is_some_and(|limit| limit > LIMIT_MAX) {
            return Err(Refusal::bad_request(format!("limit is at most {LIMIT_MAX}; use format=csv for everything")));
        }
        let format = format.as_deref().unwrap_or("json");
        let format = Format::named(format).ok_or_else(|| {
            Refusal::bad_request("format is json, csv, ndjson or arrow; a build without SQL has no arrow")
        })?;
        let asked = Asked { offset: number("offset", offset)?.unwrap_or(0), limit, cursor, format, conditions };
        if asked.cursor.is_some() && (asked.offset > 0 || asked.format != Format::Json || !asked.conditions.is_empty())
        {
            return Err(Refusal::bad_request(
                "a cursor goes on with what the first page asked for: only limit may be given beside it",
            ));
        }
        Ok(asked)
    }
}

/// `GET /v1/views/{name}`.
pub async fn view_rows(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(name): Segment,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(pairs) = pairs.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let asked = Asked::read(pairs)?;
    let Some(view) = view(&name) else {
        let near = nearest(&name, VIEWS.iter().map(|view| view.name));
        return Err(Refusal::not_found(format!("no such view; did you mean {near}?")));
    };
    may_see(&viewer, view)?;
    if asked.format != Format::Json && matches!(view.whose, Whose::Persons(_)) && !viewer.may(Right::Export) {
        return Err(denied("the account may not take views whole: ask for pages, as JSON"));
    }
    tokio::task::spawn_blocking(move || found(&service, &viewer, view, &asked)).await.map_err(Refusal::internal)?
}

/// Refuses who is not shown a view.
pub fn may_see(viewer: &Viewer, view: &View) -> Result<(), Refusal> {
    match viewer.sight.unseen(view) {
        None => Ok(()),
        Some(why) => Err(denied(format!("{} is not shown: {why}", view.name))),
    }
}

/// Notes rows about persons that somebody is given, and refuses him more of them than he may take in a day.
fn given(
    service: &Service,
    viewer: &Viewer,
    view: &View,
    rows: usize,
    mut response: Response,
) -> Result<Response, Refusal> {
    if !matches!(view.whose, Whose::Persons(_)) {
        return Ok(response);
    }
    if !service.accounts.spend(viewer, rows as u64, jiff::Timestamp::now().as_second()) {
        return Err(spent());
    }
    response.extensions_mut().insert(Told { object: view.name.to_owned(), rows: Some(rows as u64) });
    Ok(response)
}

/// No more rows that day.
pub fn spent() -> Refusal {
    let why = "the account has taken as many rows about persons today as it may; an administrator can raise rows_a_day";
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rows_a_day", why)
}

fn found(service: &Arc<Service>, viewer: &Viewer, view: &'static View, asked: &Asked) -> Result<Response, Refusal> {
    if let Some(cursor) = &asked.cursor {
        let page = service.pages.page(cursor, viewer.name()).filter(|page| page.view.name == view.name);
        // What somebody has lost since, he has lost on the next page too.
        let page = page.filter(|page| page.reading.sight == viewer.sight);
        let mut page = page.ok_or_else(|| {
            let why = "nothing is held under that cursor any longer: begin with the first page";
            Refusal::new(StatusCode::GONE, "cursor", why)
        })?;
        page.limit = asked.limit.unwrap_or(page.limit);
        return told(service, viewer, page);
    }
    let reading = service.reading(viewer);
    let conditions = asked.conditions.iter().map(|(name, value)| (&**name, &**value));
    let zone = &reading.document.settings.zone;
    let filter = Filter::new(view, conditions, zone, &reading.dictionary.read()).map_err(Refusal::bad_request)?;
    let sources = reading.sources();
    let mut bytes = Vec::new();
    let (count, content, extension) = match asked.format {
        Format::Json => {
            let (limit, who) = (asked.limit.unwrap_or(LIMIT_DEFAULT), viewer.name().map(str::to_owned));
            let (reading, filter) = (Arc::new(reading), Arc::new(filter));
            return told(service, viewer, Page { view, reading, filter, offset: asked.offset, limit, who });
        }
        Format::Csv => (download(view, sources, &filter, &mut bytes), "text/csv; charset=utf-8", "csv"),
        Format::Ndjson => (ndjson(view, sources, &filter, &mut bytes), "application/x-ndjson", "ndjson"),
        #[cfg(feature = "sql")]
        Format::Arrow => (arrow(view, sources, &filter, &mut bytes), "application/vnd.apache.arrow.stream", "arrow"),
    };
    let count = count.map_err(Refusal::internal)?;
    let disposition = format!("attachment; filename=\"{}.{extension}\"", view.name);
    let headers = [(header::CONTENT_TYPE, content), (header::CONTENT_DISPOSITION, &*disposition)];
    given(service, viewer, view, count, (headers, bytes).into_response())
}

/// A page, and by which the next one is asked for.
fn told(service: &Service, viewer: &Viewer, page: Page) -> Result<Response, Refusal> {
    let view = page.view;
    let (mut rows, mut at) = (Vec::new(), 0);
    let visited = chosen::<Stop>(view, page.reading.sources(), &page.filter, &mut |cells| {
        if at >= page.offset {
            if rows.len() == page.limit {
                return Err(Stop::Full);
            }
            rows.push(object(view, cells));
        }
        at += 1;
        Ok(())
    });
    if let Err(Stop::Store(error)) = visited {
        return Err(Refusal::internal(error));
    }
    let (more, count) = (visited.is_err(), rows.len());
    let mut answer = json!({ "view": view.name, "epoch": page.reading.published.epoch, "rows": rows, "more": more });
    // A page of no rows has no next one.
    if more && count > 0 {
        answer["cursor"] = service.pages.hold(Page { offset: page.offset + count, ..page }).into();
    }
    given(service, viewer, view, count, Json(answer).into_response())
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
