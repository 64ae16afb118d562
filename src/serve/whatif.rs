//! What an edit would change, and what a bound would, over HTTP: asked of what is published, and nothing is changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::gate::{Asker, Told};
use super::guard::JsonBody;
use super::policy::denied;
use crate::access::Viewer;
use crate::programme::{self, Document, Source};
use crate::query::download::harmless;
use crate::query::whatif::{self, Answer, Kind, MEMBERS_MAX, Side, Wanted};

/// The texts of a programme.
#[derive(Deserialize, schemars::JsonSchema)]
pub struct Proposed {
    sources: Vec<Source>,
}

/// The texts of a programme, as a body has them.
pub(super) fn proposed(body: &[u8]) -> Result<Vec<Source>, Refusal> {
    let text: Result<Proposed, _> = serde_json::from_slice(body);
    text.map(|text| text.sources)
        .map_err(|error| Refusal::bad_request(format!("expected {{\"sources\": [{{\"name\", \"text\"}}]}}: {error}")))
}

/// A programme that may be put in force here.
pub(super) fn parsed(service: &Service, sources: Vec<Source>) -> Result<Document, Refusal> {
    let document = programme::parse(sources).map_err(|diagnostics| {
        let told: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        let refusal = Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "programme", "the programme is refused");
        Refusal { more: Some(json!({ "diagnostics": told })), ..refusal }
    })?;
    if document.settings.timezone != service.intake.document().settings.timezone {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "timezone",
            "the timezone of a store is that of its first programme: times in it are local",
        ));
    }
    Ok(document)
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfDiff")]
pub struct Asked {
    /// Ids of so many of each side of each list.
    members: Option<usize>,
    /// Or all ids of one side of one list, as CSV: `segment ID`, `tier ID`, `campaign ID`.
    list: Option<String>,
    side: Option<String>,
}

impl Asked {
    fn wanted(self) -> Result<Wanted, Refusal> {
        match self {
            Asked { members, list: None, side: None } => {
                let first = members.unwrap_or(0);
                if first > MEMBERS_MAX {
                    let most = format!("members is at most {MEMBERS_MAX}; list= and side= give all of one list");
                    return Err(Refusal::bad_request(most));
                }
                Ok(Wanted::First(first))
            }
            Asked { members: None, list: Some(list), side: Some(side) } => {
                let (kind, id) = Kind::read(&list).map_err(Refusal::bad_request)?;
                let side = match &*side {
                    "added" => Side::Added,
                    "removed" => Side::Removed,
                    _ => return Err(Refusal::bad_request("side is added or removed")),
                };
                Ok(Wanted::All(kind, id.to_owned(), side))
            }
            _ => Err(Refusal::bad_request("ask for members=, or for list= and side=")),
        }
    }
}

/// `POST /v1/programme/diff`.
pub async fn diff(
    Opened(service): Opened,
    Asker(viewer): Asker,
    asked: Result<Query<Asked>, QueryRejection>,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let Query(asked) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let (wanted, sources) = (asked.wanted()?, proposed(&body)?);
    if !matches!(wanted, Wanted::First(0)) && !viewer.sight.sees_persons() {
        return Err(denied("the account sees nobody by id: ask for counts alone"));
    }
    tokio::task::spawn_blocking(move || {
        let document = parsed(&service, sources)?;
        let answer = whatif::diff(&service.reading(&viewer), &document, &wanted);
        if let Wanted::All(kind, id, side) = &wanted {
            let mut answer = ids(answer, *kind, id, *side)?;
            answer.extensions_mut().insert(Told { object: format!("{} {id}", kind.name()), rows: None });
            return Ok(answer);
        }
        let warnings: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
        let mut told = serde_json::to_value(answer).map_err(Refusal::internal)?;
        told["warnings"] = warnings.into();
        Ok(Json(told).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

/// The ids of one side of a list, one a line, for a spreadsheet too.
fn ids(answer: Answer, kind: Kind, id: &str, side: Side) -> Result<Response, Refusal> {
    let groups = match kind {
        Kind::Segment => answer.segments,
        Kind::Tier => answer.tiers,
        Kind::Campaign => Vec::new(),
    };
    let groups = groups.into_iter().map(|group| (group.id.unwrap_or_default(), group.change));
    let lists = answer.targets.into_iter().filter(|_| kind == Kind::Campaign).map(|list| (list.id, list.change));
    let Some((_, change)) = groups.chain(lists).find(|(of, _)| of == id) else {
        return Err(Refusal::not_found(format!("neither programme has a {} {id:?}", kind.name())));
    };
    let members = change.members.unwrap_or_default();
    let ids = if side == Side::Added { members.added } else { members.removed };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = ["customer_id"]
        .into_iter()
        .map(str::to_owned)
        .chain(ids)
        .try_for_each(|id| writer.write_record([&*harmless(&id)]));
    written.map_err(Refusal::internal)?;
    let bytes = writer.into_inner().map_err(Refusal::internal)?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swept {
    sweep: String,
    at: Vec<Value>,
    /// The programme whose rule is swept: the one in force where there is none.
    sources: Option<Vec<Source>>,
}

/// `POST /v1/programme/sweep`.
pub async fn sweep(
    Opened(service): Opened,
    Asker(viewer): Asker,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let asked: Swept = serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!("expected {{\"sweep\": \"segment ID: avg_fee >= ?\", \"at\": [60, 70]}}: {error}"))
    })?;
    tokio::task::spawn_blocking(move || swept(&service, &viewer, asked)).await.map_err(Refusal::internal)?
}

fn swept(service: &Arc<Service>, viewer: &Viewer, Swept { sweep, at, sources }: Swept) -> Result<Response, Refusal> {
    let refused = |why: String| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "sweep", why);
    let number = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        programme::number(text.trim()).map_err(|why| refused(format!("at {text}: {why}")))
    };
    let at = at.iter().map(number).collect::<Result<Vec<_>, Refusal>>()?;
    let reading = service.reading(viewer);
    let proposed = sources.map(|sources| parsed(service, sources)).transpose()?;
    let programme = proposed.as_ref().map_or(&*reading.published.programme, |document| &document.programme);
    let swept = whatif::sweep(&reading, programme, &sweep, &at).map_err(refused)?;
    Ok(Json(swept).into_response())
}
