//! A text of statements, answered one after the other.

use std::fmt::Debug;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::portal::Format;
use pgwire::api::query::{SimpleQueryHandler, send_ready_for_query};
use pgwire::api::results::Response;
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, PgWireConnectionState};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};
use pgwire::messages::simplequery::Query;

use super::answers::{Answer, deliver, described};
use super::prepared::Prepared;
use super::startup::Handlers;

#[async_trait]
impl SimpleQueryHandler for Handlers {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        self.0.asked();
        let statements = Prepared::read(&self.0, &query.query).await?;
        if statements.is_empty() {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        // Statements of one text read one epoch, as if they were a transaction.
        let mut moment = None;
        for statement in statements {
            let is_failed = client.transaction_status() == TransactionStatus::Error;
            let answer = statement.answer(&self.0, None, &Format::UnifiedText, is_failed, &mut moment).await?;
            if matches!(answer, Answer::Begun(_) | Answer::Ended(_)) {
                moment = None;
            }
            if let Answer::Rows(rows) = &answer {
                client.feed(PgWireBackendMessage::RowDescription(described(&rows.row_schema))).await?;
            }
            deliver(client, answer).await?;
        }
        self.0.is_idle();
        client.set_state(PgWireConnectionState::ReadyForQuery);
        send_ready_for_query(client, client.transaction_status()).await
    }

    async fn do_query<C>(&self, _: &mut C, _: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // Asked by nobody: texts are answered statement by statement above.
        Ok(Vec::new())
    }
}
