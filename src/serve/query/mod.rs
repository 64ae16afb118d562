//! `POST /v1/query`: a statement of SQL, answered as JSON, or whole as NDJSON, CSV or Arrow's stream format.
//!
//! It is held to what statements over the wire are held to: it only reads, at one epoch, for so long and with so much
//! memory at most, and ends when nobody waits for its answer any more.

mod written;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::answer::Refusal;
use super::door::Opened;
use super::gate::{Asker, From};
use super::guard::JsonBody;
use super::meter::Meter;
use super::statements::Work;
use crate::access::Viewer;
use crate::query::sql::refusal::{Code, Refusal as SqlRefusal};
use crate::query::sql::{Ended, Moment, names, views};
use written::{Shape, Writer, data_type};

/// Rows of an answer in JSON, unless another number is asked for, and at most.
const LIMIT_DEFAULT: usize = 1000;
const LIMIT_MAX: usize = 100_000;

/// Batches that wait for whoever reads them.
const AHEAD: usize = 2;

/// What is asked.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Statement")]
pub struct Asked {
    sql: String,
    #[serde(default)]
    format: Format,
    /// Rows of an answer in JSON.
    limit: Option<usize>,
}

/// How rows are told.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "RowsFormat")]
pub enum Format {
    #[default]
    Json,
    Ndjson,
    Csv,
    Arrow,
}

pub async fn query(
    Opened(service): Opened,
    Asker(viewer): Asker,
    connected: Option<axum::Extension<ConnectInfo<From>>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let asked: Asked = serde_json::from_slice(&body).map_err(|error| {
        let expected = "{\"sql\", \"format\": \"json\", \"ndjson\", \"csv\" or \"arrow\", \"limit\"}";
        Refusal::bad_request(format!("expected {expected}: {error}"))
    })?;
    let from = connected.map(|axum::Extension(ConnectInfo(From(address)))| address.ip());
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
    if limit > LIMIT_MAX {
        return Err(Refusal::bad_request(format!("limit is at most {LIMIT_MAX}; other formats give everything")));
    }
    let mut running = Running::start(&service, &viewer, from, asked.sql);
    let (epoch, columns, schema) = running.begun().await.map_err(refused)?;
    let shape = match asked.format {
        Format::Json => return whole(running, epoch, &columns, &schema, limit).await,
        Format::Ndjson => Shape::Ndjson,
        Format::Csv => Shape::Csv,
        Format::Arrow => Shape::Arrow,
    };
    let writer = Writer::new(shape, columns, &schema).map_err(Refusal::internal)?;
    let headers = [(header::CONTENT_TYPE, shape.content_type().to_owned()), (EPOCH, epoch.to_string())];
    // Most that fail do so before their first rows, when they can still be refused.
    let first = running.next().await.map_err(refused)?;
    let begun = (running, Some(writer), Some(first));
    let chunks = stream::unfold(begun, |(mut running, writer, first)| async move {
        let mut writer = writer?;
        let next = match first {
            Some(first) => Ok(first),
            None => running.next().await,
        };
        let bytes = match next {
            Ok(Some(batch)) => writer.write(&batch),
            Ok(None) => return Some((writer.finish(), (running, None, None))),
            // What has begun cannot be refused any more: it breaks off, and no reader takes it for whole.
            Err(refusal) => Err(std::io::Error::other(refusal.message)),
        };
        let is_good = bytes.is_ok();
        Some((bytes, (running, is_good.then_some(writer), None)))
    });
    let chunks = chunks.filter(|chunk| std::future::ready(!chunk.as_ref().is_ok_and(Vec::is_empty)));
    Ok((headers, Body::from_stream(chunks.map(|chunk| chunk.map(Bytes::from)))).into_response())
}

/// The header that tells the epoch of an answer that is no JSON object.
const EPOCH: header::HeaderName = header::HeaderName::from_static("cohortflow-epoch");

/// Some rows as one JSON object.
async fn whole(
    mut running: Running,
    epoch: u64,
    columns: &[String],
    schema: &SchemaRef,
    limit: usize,
) -> Result<Response, Refusal> {
    let (mut rows, mut more): (Vec<Value>, bool) = (Vec::new(), false);
    while let Some(batch) = running.next().await.map_err(refused)? {
        let taken = batch.slice(0, batch.num_rows().min(limit - rows.len()));
        rows.extend(written::arrays(&taken).map_err(Refusal::internal)?);
        if taken.num_rows() < batch.num_rows() {
            more = true;
            break;
        }
    }
    let told = columns.iter().zip(schema.fields());
    let told: Vec<Value> = told.map(|(name, field)| json!({ "name": name, "type": data_type(field) })).collect();
    Ok(Json(json!({ "epoch": epoch, "columns": told, "rows": rows, "more": more })).into_response())
}

/// A statement under way.
struct Running {
    messages: mpsc::Receiver<Result<Message, SqlRefusal>>,
    _work: Work<()>,
    until: Instant,
    after: std::time::Duration,
    ended: Ended,
}

enum Message {
    Begun(u64, Vec<String>, SchemaRef),
    Rows(RecordBatch),
}

impl Running {
    fn start(service: &Arc<Service>, viewer: &Arc<Viewer>, from: Option<IpAddr>, text: String) -> Running {
        let statements = service.statements.clone();
        let (sender, messages) = mpsc::channel(AHEAD);
        let (after, ended) = (statements.deadline, Ended::default());
        let (service, viewer, flag) = (service.clone(), viewer.clone(), ended.clone());
        let work = Work::start(&statements.threads, async move {
            if let Err(refusal) = answer(&service, &viewer, from, &text, &sender, flag).await {
                let _ = sender.send(Err(refusal)).await;
            }
        });
        Running { messages, _work: work, until: Instant::now() + after, after, ended }
    }

    async fn message(&mut self) -> Result<Option<Message>, SqlRefusal> {
        match timeout_at(self.until, self.messages.recv()).await {
            Ok(message) => message.transpose(),
            Err(_) => {
                let after = self.after.as_millis();
                let message = format!("canceling statement due to statement timeout: it took more than {after} ms");
                Err(SqlRefusal::new(Code::Cancelled, message)
                    .hint("serve with a longer --sql-timeout, or ask for less"))
            }
        }
    }

    async fn begun(&mut self) -> Result<(u64, Vec<String>, SchemaRef), SqlRefusal> {
        match self.message().await? {
            Some(Message::Begun(epoch, columns, schema)) => Ok((epoch, columns, schema)),
            _ => Err(SqlRefusal::new(Code::Internal, "the statement failed: this is a defect of the service")),
        }
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>, SqlRefusal> {
        match self.message().await? {
            Some(Message::Rows(batch)) => Ok(Some(batch)),
            Some(Message::Begun(..)) | None => Ok(None),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Answers a text of one statement, batch by batch.
async fn answer(
    service: &Arc<Service>,
    viewer: &Arc<Viewer>,
    from: Option<IpAddr>,
    text: &str,
    sender: &mpsc::Sender<Result<Message, SqlRefusal>>,
    ended: Ended,
) -> Result<(), SqlRefusal> {
    let session = service.statements.session(viewer.name().unwrap_or(USER))?;
    let statements = session.read(text)?;
    let one = <[_; 1]>::try_from(statements);
    let [statement] = one.map_err(|_| SqlRefusal::new(Code::Syntax, "expected one statement"))?;
    let plan = session.plan(statement).await?;
    let columns = names(&plan);
    let meter = Meter::begin(service, viewer, from, &views(&plan), text)?;
    let follow = Arc::new(super::pgwire::Feeds { service: service.clone(), viewer: viewer.clone() });
    let moment = Arc::new(Moment { reading: service.reading(viewer), follow });
    let epoch = moment.reading.published.epoch;
    let mut rows = session.execute(plan, None, moment, ended).await?;
    let begun = Message::Begun(epoch, columns, rows.schema());
    if sender.send(Ok(begun)).await.is_err() {
        return Ok(());
    }
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        meter.take(&batch)?;
        if sender.send(Ok(Message::Rows(batch))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// As whom it is asked while there are no accounts.
const USER: &str = "http";

fn refused(refusal: SqlRefusal) -> Refusal {
    let status = match refusal.code {
        Code::Internal => return Refusal::internal(refusal.message),
        Code::Cancelled => StatusCode::REQUEST_TIMEOUT,
        Code::ReadOnly | Code::Denied => StatusCode::FORBIDDEN,
        Code::OutOfMemory => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UndefinedTable | Code::UndefinedColumn | Code::UndefinedFunction => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    let more = json!({ "sqlstate": refusal.code.state(), "hint": refusal.hint });
    Refusal { more: Some(more), ..Refusal::new(status, "sql", refusal.message) }
}
