//! Statements that are parsed once, bound to parameters, described, and executed a few rows at a time.

use std::fmt::Debug;
use std::ops::DerefMut;
use std::sync::Arc;

use arrow_pg::datatypes::df::deserialize_parameters;
use arrow_pg::datatypes::into_pg_type;
use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::Statement as Ast;
use futures::{Sink, SinkExt};
use pgwire::api::portal::{Format, Portal, PortalExecutionState};
use pgwire::api::query::ExtendedQueryHandler;
use pgwire::api::results::{FieldInfo, QueryResponse, Response, Tag};
use pgwire::api::stmt::QueryParser;
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{
    Bind, Close, CloseComplete, Describe, Execute, PortalSuspended, TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};

use super::answers::{Answer, deliver, described, next};
use super::connection::Connection;
use super::cursors;
use super::prepared::Prepared;
use super::startup::Handlers;
use crate::query::sql::refusal::{Code, Refusal};

/// Bytes of the parameters of a statement.
const PARAMETERS_MAX: usize = 1 << 20;

/// Reads statements for one connection.
pub struct Parser(Arc<Connection>);

#[async_trait]
impl QueryParser for Parser {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _: &C, text: &str, _: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        self.0.asked();
        let mut statements = Prepared::read(&self.0, text).await?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Refusal::new(Code::Syntax, message).into());
        }
        Ok(statements.pop())
    }

    fn get_parameter_types(&self, statement: &Prepared) -> PgWireResult<Vec<Type>> {
        let Some(question) = statement.question() else { return Ok(Vec::new()) };
        let data_type = |known: &Option<_>| known.as_ref().map_or(Ok(Type::TEXT), into_pg_type);
        question.parameters.iter().map(data_type).collect()
    }

    fn get_result_schema(&self, statement: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        let fields = statement.fields(&self.0, format.unwrap_or(&Format::UnifiedText))?;
        Ok(fields.map_or_else(Vec::new, Arc::unwrap_or_clone))
    }
}

#[async_trait]
impl ExtendedQueryHandler for Handlers {
    type Statement = Prepared;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Parser> {
        Arc::new(Parser(self.0.clone()))
    }

    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let (codes, values) = (message.parameter_format_codes.len(), message.parameters.len());
        if codes > 1 && codes != values {
            let message = format!("bind message has {codes} parameter formats but {values} parameters");
            return Err(Refusal::new(Code::Protocol, message).into());
        }
        let bytes: usize = message.parameters.iter().flatten().map(|value| value.len()).sum();
        if bytes > PARAMETERS_MAX {
            let message = format!("parameters have {bytes} bytes, and at most {PARAMETERS_MAX}");
            return Err(Refusal::new(Code::TooComplex, message).into());
        }
        self.0.keep_portal(message.portal_name.as_deref().unwrap_or(DEFAULT_NAME))?;
        bound(client, message).await
    }

    async fn on_close<C>(&self, client: &mut C, message: Close) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        match message.target_type {
            TARGET_TYPE_BYTE_STATEMENT => client.portal_store().rm_statement(name),
            TARGET_TYPE_BYTE_PORTAL => {
                client.portal_store().rm_portal(name);
                self.0.close_portal(name);
            }
            _ => {}
        }
        client.feed(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?;
        Ok(())
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        match client.portal_store().get_portal(name) {
            None => return Err(PgWireError::PortalNotFound(name.to_owned())),
            Some(Entry::Empty) => {
                client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
            }
            Some(Entry::Value(portal)) => {
                let rows = usize::try_from(message.max_rows).ok().filter(|rows| *rows > 0);
                self.execute(client, &portal, rows.unwrap_or(usize::MAX)).await?;
            }
        }
        self.0.is_idle();
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    async fn on_describe<C>(&self, client: &mut C, message: Describe) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // A cursor that was declared is a portal to clients.
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let is_portal =
            message.target_type == TARGET_TYPE_BYTE_PORTAL && client.portal_store().get_portal(name).is_some();
        if message.target_type == TARGET_TYPE_BYTE_PORTAL
            && !is_portal
            && let Ok(fields) = cursors::fields(&self.0, name, &Format::UnifiedText)
        {
            client.send(PgWireBackendMessage::RowDescription(described(&fields))).await?;
            return Ok(());
        }
        self._on_describe(client, message).await
    }

    async fn do_query<C>(&self, _: &mut C, _: &Portal<Prepared>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // Asked by nobody: portals are executed above.
        Ok(Response::EmptyQuery)
    }
}

/// Binds as the protocol says.
async fn bound<C>(client: &mut C, message: Bind) -> PgWireResult<()>
where
    C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::PortalStore: PortalStore<Statement = Prepared>,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let statement = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
    match client.portal_store().get_statement(statement) {
        None => return Err(PgWireError::StatementNotFound(statement.to_owned())),
        Some(Entry::Empty) => {
            client.portal_store().put_empty_portal(message.portal_name.as_deref().unwrap_or(DEFAULT_NAME))
        }
        Some(Entry::Value(stored)) => {
            let wanted = stored.statement.question().map_or(0, |question| question.parameters.len());
            if message.parameters.len() != wanted {
                let given = message.parameters.len();
                let message = format!(
                    "bind message supplies {given} parameters, but prepared statement \"{statement}\" requires {wanted}"
                );
                return Err(Refusal::new(Code::Protocol, message).into());
            }
            let portal = Portal::try_new(&message, stored)?;
            client.portal_store().put_portal(Arc::new(portal));
        }
    }
    client.feed(PgWireBackendMessage::BindComplete(pgwire::messages::extendedquery::BindComplete::new())).await?;
    Ok(())
}

impl Handlers {
    /// Runs a portal, or goes on with it.
    async fn execute<C>(&self, client: &mut C, portal: &Portal<Prepared>, rows_max: usize) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let state = portal.state();
        let mut state = state.lock_owned().await;
        self.0.asked();
        // Each call has the whole time.
        let is_endless = portal.statement.statement.question().is_some_and(|question| question.is_endless);
        drop(if is_endless { self.0.watch_endless() } else { self.0.watch() });
        if matches!(*state, PortalExecutionState::Initial) {
            let is_failed = client.transaction_status() == TransactionStatus::Error;
            let prepared = &portal.statement.statement;
            let parameters = match prepared.question() {
                Some(question) if !question.parameters.is_empty() => {
                    let known: Vec<_> = question.parameters.iter().map(Option::as_ref).collect();
                    Some(deserialize_parameters(portal, &known)?)
                }
                _ => None,
            };
            if let Ast::Deallocate { name, .. } = prepared.statement() {
                client.portal_store().rm_statement(&name.value);
            }
            let format = &portal.result_column_format;
            let answer = prepared.answer(&self.0, parameters, format, is_failed, &mut None).await?;
            let Answer::Rows(rows) = answer else {
                *state = PortalExecutionState::Finished;
                return deliver(client, answer).await;
            };
            *state = PortalExecutionState::Suspended(rows);
        }
        let (count, tag) = match state.deref_mut() {
            PortalExecutionState::Suspended(rows) => match send(client, rows, rows_max).await? {
                (_, true) => {
                    client.feed(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?;
                    return Ok(());
                }
                (count, false) => (count, rows.command_tag.clone()),
            },
            _ => (0, "SELECT".to_owned()),
        };
        *state = PortalExecutionState::Finished;
        client.feed(PgWireBackendMessage::CommandComplete(Tag::new(&tag).with_rows(count).into())).await?;
        Ok(())
    }
}

/// Sends rows, at most so many; and whether there may be more.
async fn send<C>(client: &mut C, rows: &mut QueryResponse, rows_max: usize) -> PgWireResult<(usize, bool)>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    for count in 0..rows_max {
        match next(client, &mut rows.data_rows).await? {
            Some(row) => client.feed(PgWireBackendMessage::DataRow(row)).await?,
            None => return Ok((count, false)),
        }
    }
    Ok((rows_max, true))
}
