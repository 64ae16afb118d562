//! `POST /v1/feeds/{feed}/batch`: rows of a feed, one JSON object a line, all of them or none; those with `"_op": "delete"`
//! take their keys away.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dataflows::records::Feed;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, stored};
use super::door::Opened;
use super::edits::Key;
use super::gate::AFTER;
use super::guard::Segment;
use super::orders::key_reused;
use crate::ingest::objects::{Sheet, sheet};
use crate::intake::Taken as File;
use crate::intake::batches::{Batch, Taken};
use crate::query::nearest;

/// Largest body, in bytes.
pub const BYTES_MAX: usize = 32 << 20;

/// The feeds of the contract that batches are taken of.
fn named(name: &str) -> Result<Feed, Refusal> {
    let own = [Feed::CampaignState, Feed::Handoff, Feed::OrderRequest, Feed::Provisioning];
    match Feed::named(name) {
        Some(feed) if !own.contains(&feed) => Ok(feed),
        _ => {
            let known = Feed::ALL.into_iter().filter(|feed| !own.contains(feed)).map(Feed::name);
            Err(Refusal::not_found(format!("no such feed; did you mean {}?", nearest(name, known))))
        }
    }
}

/// What a person has seen of lists, or of consents of one purpose, that a batch shrinks by more than a fifth.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfBatch")]
pub struct Asked {
    /// How many rows stand of what it shrinks.
    before: Option<u64>,
    /// How many it leaves of them.
    after: Option<u64>,
}

pub async fn feed_batch(
    Opened(service): Opened,
    Segment(name): Segment,
    Key(key): Key,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Refusal> {
    let feed = named(&name)?;
    let Query(Asked { before, after }) = asked.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !["application/x-ndjson", "application/jsonl", "application/ndjson"].contains(&kind) {
        let expected = "send rows as content-type: application/x-ndjson, one JSON object a line";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", expected));
    }
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let most = format!("a batch has at most {BYTES_MAX} bytes: send it in several, each whole by itself");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", most)
        }
        _ => Refusal::bad_request(error.body_text()),
    })?;
    tokio::task::spawn_blocking(move || {
        let refused =
            |why: String| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "rows", format!("{why}; nothing was taken"));
        let Sheet { text, unknown, month, .. } = sheet(feed, &body).map_err(|bad| refused(bad.to_string()))?;
        let batch = Batch { feed, key: key.as_deref(), body: &body, text, month, confirmed: before.zip(after) };
        match stored(service.intake.deliver(batch))? {
            Taken::Done { epoch, partition, file, rows, outranked } => {
                let is_repeated = outranked.is_none();
                if !is_repeated {
                    let (period, part) = (&partition.period, &partition.part);
                    tracing::info!(feed = feed.name(), period, part, rows, "a batch was taken");
                    service.metrics.taken(feed, &File::Accepted { epoch, rows, bad_rows: 0 });
                }
                let mut answer = json!({
                    "feed": feed.name(),
                    "period": partition.period,
                    "part": partition.part,
                    "file": file,
                    "rows": rows,
                    "epoch": epoch,
                    "unknown": unknown,
                    "repeated": is_repeated,
                });
                if let Some(outranked @ 1..) = outranked {
                    answer["outranked"] = outranked.into();
                }
                let status = if is_repeated { StatusCode::OK } else { StatusCode::ACCEPTED };
                Ok((status, [(AFTER, epoch.to_string())], Json(answer)).into_response())
            }
            Taken::KeyReused => Err(key_reused()),
            Taken::Held { before, after } => Err(held(before, after)),
            Taken::Refused(why) => Err(refused(why)),
        }
    })
    .await
    .map_err(Refusal::internal)?
}

/// Rows are deleted that forbid contacts, more than by mistake are worth it.
fn held(before: u64, after: u64) -> Refusal {
    Refusal {
        more: Some(json!({ "before": before, "after": after })),
        ..Refusal::new(
            StatusCode::CONFLICT,
            "held",
            format!(
                "it would leave {after} of {before} rows: what takes more than a fifth off a list, or off the consents of a purpose, waits for a person; send it again with ?before={before}&after={after}; nothing was taken"
            ),
        )
    }
}
