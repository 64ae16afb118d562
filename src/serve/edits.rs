//! What staff change by hand: adjustments of points, lists, opt-outs. Each with who asks for it and why, and refused
//! without.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use dataflows::records::Feed;
use dataflows::types::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Service;
use super::answer::{Refusal, stored};
use super::door::Opened;
use super::gate::Asker;
use super::guard::{JsonBody, Segment};
use super::policy::denied;
use crate::access::Viewer;
use crate::ingest;
use crate::intake::Taken;
use crate::intake::edits::{Does, Edit, Edited, ListEdit, OptOut, Request};

/// Longest key by which a request is known when it comes again, in bytes.
const KEY_BYTES_MAX: usize = 128;
/// Most customers of an edit of a list.
const CUSTOMERS_MAX: usize = 100_000;

/// The header `Idempotency-Key`.
pub struct Key(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Key, Refusal> {
        let Some(key) = parts.headers.get("idempotency-key") else { return Ok(Key(None)) };
        let is_good = (1..=KEY_BYTES_MAX).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
        match key.to_str() {
            Ok(text) if is_good => Ok(Key(Some(text.to_owned()))),
            _ => Err(Refusal::bad_request(format!(
                "expected 1 to {KEY_BYTES_MAX} visible ASCII characters for idempotency-key"
            ))),
        }
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    customer_id: String,
    points: i64,
    reason: String,
    by: Option<String>,
    at: Option<String>,
}

/// `POST /v1/adjustments`.
pub async fn adjust(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Key(key): Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let Adjustment { customer_id, points, reason, by, at } =
        read(&body, "{\"customer_id\", \"points\", \"reason\", \"by\"}")?;
    let by = by_whom(&viewer, by)?;
    sees(&service, &viewer, [customer_id.as_str()])?;
    let edit = Edit::Adjustment { customer: customer_id, points, at: moment(&service, "at", at)? };
    answered(service, edit, Author { by, reason }, key, body).await
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    op: Does,
    #[serde(default)]
    customers: Vec<String>,
    reason: String,
    by: Option<String>,
    from: Option<String>,
    until: Option<String>,
    confirm: Option<Confirm>,
}

/// What a person has seen.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    before: usize,
    after: usize,
}

/// `POST /v1/lists/{list}`.
pub async fn edit_list(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(list): Segment,
    Key(key): Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let List { op, customers, reason, by, from, until, confirm } =
        read(&body, "{\"op\", \"customers\", \"reason\", \"by\"}")?;
    let by = by_whom(&viewer, by)?;
    if !viewer.sees_province() && matches!(op, Does::Replace | Does::Clear) {
        return Err(denied("replace and clear take off customers of other places; add and remove one's own"));
    }
    sees(&service, &viewer, customers.iter().map(String::as_str))?;
    if customers.len() > CUSTOMERS_MAX {
        return Err(Refusal::bad_request(format!("an edit has at most {CUSTOMERS_MAX} customers")));
    }
    let takes_nobody = op == Does::Clear;
    if takes_nobody != customers.is_empty() {
        let expected =
            if takes_nobody { "clear takes no customers" } else { "expected customers; clear takes all of them" };
        return Err(Refusal::bad_request(expected));
    }
    let (from, until) = (moment(&service, "from", from)?, moment(&service, "until", until)?);
    if (from.is_some() || until.is_some()) && matches!(op, Does::Remove | Does::Clear) {
        return Err(Refusal::bad_request("from and until are of those who are added"));
    }
    if from.is_some_and(|from| until.is_some_and(|until| until <= from)) {
        return Err(Refusal::bad_request("until is not after from"));
    }
    let confirmed = confirm.map(|Confirm { before, after }| (before, after));
    let edit = Edit::List(ListEdit { list, does: op, customers, from, until, confirmed });
    answered(service, edit, Author { by, reason }, key, body).await
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptedOut {
    customer_id: String,
    /// The campaign that he answered to, and by which channel.
    campaign_id: Option<String>,
    channel_id: Option<String>,
    reason: String,
    by: Option<String>,
}

/// `POST /v1/optouts`: a customer wants to be left alone, as a channel or a front desk relays it.
pub async fn opt_out(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Key(key): Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let OptedOut { customer_id, campaign_id, channel_id, reason, by } =
        read(&body, "{\"customer_id\", \"reason\", \"by\"}")?;
    let by = by_whom(&viewer, by)?;
    sees(&service, &viewer, [customer_id.as_str()])?;
    let edit = Edit::OptOut(OptOut { customer: customer_id, campaign: campaign_id, channel: channel_id });
    answered(service, edit, Author { by, reason }, key, body).await
}

/// Who asks, as it is noted: the account. Where there are none yet, whoever it says.
pub fn by_whom(viewer: &Viewer, said: Option<String>) -> Result<String, Refusal> {
    named(viewer, "by", said)
}

/// The same under the name that a member of the body has.
pub fn named(viewer: &Viewer, member: &str, said: Option<String>) -> Result<String, Refusal> {
    match (viewer.name(), said) {
        (None, Some(said)) => Ok(said),
        (None, None) => Err(Refusal::bad_request(format!("{member} is missing: who asks?"))),
        (Some(name), Some(said)) if said != name => {
            Err(denied(format!("{member} is the account that asks, {name}, or is left out")))
        }
        (Some(name), _) => Ok(name.to_owned()),
    }
}

/// Refuses what is about a customer whom somebody does not see, as if there were none of that id.
pub fn sees<'a>(service: &Service, viewer: &Viewer, ids: impl IntoIterator<Item = &'a str>) -> Result<(), Refusal> {
    if viewer.sees_province() {
        return Ok(());
    }
    let reading = service.reading(viewer);
    let seen = reading.seen();
    let unknown: Vec<&str> = ids.into_iter().filter(|id| !seen.holds(id)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let refusal = Refusal::not_found("no customer of that id; nothing was changed");
    Err(Refusal { more: Some(json!({ "unknown": unknown })), ..refusal })
}

/// Reads a body as what is expected.
pub fn read<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(format!("expected {expected}: {error}")))
}

fn moment(service: &Service, name: &str, text: Option<String>) -> Result<Option<Time>, Refusal> {
    let zone = &service.intake.document().settings.zone;
    let moment = |text: String| {
        let expected = || Refusal::bad_request(format!("expected a day or a time YYYY-MM-DD HH:MM:SS for {name}"));
        ingest::moment(&text, zone).ok_or_else(expected)
    };
    text.map(moment).transpose()
}

/// Who asks for an edit, and why.
struct Author {
    by: String,
    reason: String,
}

async fn answered(
    service: std::sync::Arc<Service>,
    edit: Edit,
    author: Author,
    key: Option<String>,
    body: axum::body::Bytes,
) -> Result<Response, Refusal> {
    let Author { by, reason } = author;
    let done = tokio::task::spawn_blocking(move || {
        let request = Request { edit: &edit, by: &by, reason: &reason, key: key.as_deref(), body: &body };
        let edited = stored(service.intake.edit(&request))?;
        if let Edited::Done { epoch, partition, rows, outranked: Some(_) } = &edited {
            // Neither whose it is nor why: a log is read by more people than the ledger.
            tracing::info!(feed = partition.feed.name(), period = partition.period, part = partition.part, "edited");
            service.metrics.taken(partition.feed, &Taken::Accepted { epoch: *epoch, rows: *rows, bad_rows: 0 });
        }
        Ok(edited)
    });
    edited(done.await.map_err(Refusal::internal)??)
}

/// What became of an edit.
pub fn edited(edited: Edited) -> Result<Response, Refusal> {
    match edited {
        Edited::Done { epoch, partition, rows, outranked } => {
            let mut answer =
                json!({ "epoch": epoch, "period": partition.period, "part": partition.part, "rows": rows });
            if partition.feed == Feed::Adjustment {
                answer["adjustment_id"] = format!("{}-{}", partition.period, partition.part).into();
            }
            match outranked {
                Some(outranked) => answer["outranked"] = outranked.into(),
                None => answer["repeated"] = true.into(),
            }
            let status = if outranked.is_some() { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(answer)).into_response())
        }
        Edited::KeyReused => Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key",
            "another edit came under that idempotency-key; give each edit one of its own",
        )),
        Edited::Held { before, after } => Err(Refusal {
            more: Some(json!({ "before": before, "after": after })),
            ..Refusal::new(
                StatusCode::CONFLICT,
                "held",
                format!(
                    "it would leave {after} of {before} on the list: an edit that takes more than a fifth off waits for a person; send it again with \"confirm\": {{\"before\": {before}, \"after\": {after}}}"
                ),
            )
        }),
        Edited::Unknown(ids) => Err(Refusal {
            more: Some(json!({ "unknown": ids })),
            ..Refusal::not_found("no customer of that id; nothing was changed")
        }),
        Edited::UnknownList => Err(Refusal::not_found("nobody was ever on a list of that name")),
        Edited::Refused(why) => Err(Refusal::bad_request(why)),
        Edited::Failed => Err(Refusal::internal("a worker has failed")),
    }
}
