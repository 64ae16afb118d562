//! Rows as the protocol has them.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use arrow_pg::datatypes::{encode_recordbatch, field_into_pg_type};
use futures::stream::BoxStream;
use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt, TryStreamExt, future, stream};
use pgwire::api::ClientInfo;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldFormat, FieldInfo, QueryResponse, Tag};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use pgwire::messages::data::{DataRow, RowDescription};
use pgwire::messages::response::TransactionStatus;

use super::times;
use crate::query::sql::refusal::{Code, Refusal};

/// Columns as the client is told them.
pub type Fields = Arc<Vec<FieldInfo>>;

/// What a statement answers.
pub enum Answer {
    Rows(QueryResponse),
    Copy(Copy),
    /// A transaction has begun, or goes on after an error.
    Begun(Tag),
    Ended(Tag),
    Done(Tag),
}

/// Rows as a copy has them.
pub struct Copy {
    /// 1 is binary.
    pub format: i8,
    pub columns: usize,
    /// Before and after the lines, and not counted with them.
    pub header: Option<CopyData>,
    pub trailer: Option<CopyData>,
    pub lines: BoxStream<'static, PgWireResult<CopyData>>,
}

impl From<Refusal> for PgWireError {
    fn from(refusal: Refusal) -> PgWireError {
        PgWireError::UserError(Box::new(told(refusal)))
    }
}

pub fn told(refusal: Refusal) -> ErrorInfo {
    let mut info = ErrorInfo::new("ERROR".to_owned(), refusal.code.state().to_owned(), refusal.message);
    info.hint = refusal.hint;
    info
}

/// The columns of a schema under their names, each in the format that is wanted.
pub fn fields(schema: &Schema, names: &[String], format: &Format) -> Result<Fields, Refusal> {
    let wanted = |place: usize| match format {
        Format::UnifiedText => Ok(FieldFormat::Text),
        Format::UnifiedBinary => Ok(FieldFormat::Binary),
        Format::Individual(codes) => codes.get(place).copied().map(FieldFormat::from).ok_or_else(|| {
            let (told, columns) = (codes.len(), schema.fields().len());
            Refusal::new(
                Code::Protocol,
                format!("bind message has {told} result formats but query has {columns} columns"),
            )
        }),
    };
    let field = |(place, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let data_type = field_into_pg_type(field).map_err(|_| {
            Refusal::new(Code::NotSupported, format!("values of type {} cannot be told", field.data_type()))
        })?;
        let name = names.get(place).unwrap_or(field.name()).clone();
        Ok(FieldInfo::new(name, None, None, data_type, wanted(place)?))
    };
    Ok(Arc::new(schema.fields().iter().enumerate().map(field).collect::<Result<_, Refusal>>()?))
}

/// Columns, as a message.
pub fn described(fields: &[FieldInfo]) -> RowDescription {
    RowDescription::new(fields.iter().map(Into::into).collect())
}

/// The rows of batches.
pub fn rows(
    fields: Fields,
    batches: impl Stream<Item = PgWireResult<RecordBatch>> + Send + 'static,
) -> impl Stream<Item = PgWireResult<DataRow>> + Send + 'static {
    let encoded = move |batch| future::ready(encoded(fields.clone(), batch));
    batches.and_then(encoded).map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten()
}

/// Sends what a statement answers, without a description of its rows.
pub async fn deliver<C>(client: &mut C, answer: Answer) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let tag = match answer {
        Answer::Rows(mut rows) => {
            let mut count = 0;
            while let Some(row) = next(client, &mut rows.data_rows).await? {
                client.feed(PgWireBackendMessage::DataRow(row)).await?;
                count += 1;
            }
            Tag::new(&rows.command_tag).with_rows(count)
        }
        Answer::Copy(mut copy) => {
            let formats = vec![i16::from(copy.format); copy.columns];
            let begin = CopyOutResponse::new(copy.format, copy.columns as i16, formats);
            client.feed(PgWireBackendMessage::CopyOutResponse(begin)).await?;
            if let Some(header) = copy.header {
                client.feed(PgWireBackendMessage::CopyData(header)).await?;
            }
            let mut count = 0;
            while let Some(line) = next(client, &mut copy.lines).await? {
                client.feed(PgWireBackendMessage::CopyData(line)).await?;
                count += 1;
            }
            if let Some(trailer) = copy.trailer {
                client.feed(PgWireBackendMessage::CopyData(trailer)).await?;
            }
            client.feed(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
            Tag::new("COPY").with_rows(count)
        }
        Answer::Begun(tag) => {
            client.set_transaction_status(TransactionStatus::Transaction);
            tag
        }
        Answer::Ended(tag) => {
            client.set_transaction_status(TransactionStatus::Idle);
            tag
        }
        Answer::Done(tag) => tag,
    };
    client.feed(PgWireBackendMessage::CommandComplete(tag.into())).await?;
    Ok(())
}

/// The next of some rows. Where it has to be waited for, the client has those before it by then.
pub async fn next<C, T>(
    client: &mut C,
    rows: &mut (impl Stream<Item = PgWireResult<T>> + Unpin),
) -> PgWireResult<Option<T>>
where
    C: Sink<PgWireBackendMessage> + Unpin,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    if let Some(row) = rows.next().now_or_never() {
        return row.transpose();
    }
    client.flush().await?;
    rows.next().await.transpose()
}

/// The rows of a batch.
fn encoded(fields: Fields, batch: RecordBatch) -> PgWireResult<Vec<DataRow>> {
    if batch.num_columns() != fields.len() {
        return Err(Refusal::new(Code::Internal, "the rows are not those that were planned").into());
    }
    let batch = times::written(batch, &fields)?;
    encode_recordbatch(fields, batch).collect()
}
