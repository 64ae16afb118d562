//! Cursors of SQL: `DECLARE`, `FETCH`, `CLOSE`. They go forward.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::ParamValues;
use datafusion::sql::sqlparser::ast::{Declare, FetchDirection, Value, ValueWithSpan};
use futures::StreamExt;
use pgwire::api::portal::Format;
use pgwire::api::results::QueryResponse;
use pgwire::error::PgWireResult;
use tokio::sync::Mutex;

use super::answers::{self, Answer, Fields};
use super::connection::Connection;
use super::prepared::Question;
use super::running::{self, Running};
use crate::query::sql::Moment;
use crate::query::sql::refusal::{Code, Refusal};

/// Cursors of a connection at a time.
const CURSORS_MAX: usize = 100;

/// A question whose rows are taken a few at a time.
pub struct Cursor {
    schema: SchemaRef,
    names: Arc<Vec<String>>,
    running: Arc<Mutex<Running>>,
    /// Outlives the transaction.
    pub is_held: bool,
    /// What it takes goes on: what is there is taken.
    is_endless: bool,
}

/// Opens a cursor.
pub fn declare(
    connection: &Connection,
    declared: &[Declare],
    question: &Question,
    parameters: Option<ParamValues>,
    moment: Arc<Moment>,
) -> Result<(), Refusal> {
    let [declared] = declared else {
        return Err(Refusal::new(Code::Syntax, "a statement declares one cursor"));
    };
    let [name] = declared.names.as_slice() else {
        return Err(Refusal::new(Code::Syntax, "a cursor has one name"));
    };
    if declared.scroll == Some(true) {
        return Err(Refusal::new(Code::NotSupported, "cursors go forward only; leave out SCROLL"));
    }
    let is_held = declared.hold == Some(true);
    if !is_held && !connection.is_in_transaction() {
        let message = "DECLARE CURSOR can only be used in transaction blocks";
        return Err(Refusal::new(Code::NoTransaction, message).hint("BEGIN before it, or declare it WITH HOLD"));
    }
    {
        let state = connection.state();
        if state.cursors.contains_key(&*name.value) {
            return Err(Refusal::new(Code::DuplicateCursor, format!("cursor \"{}\" already exists", name.value)));
        }
        if state.cursors.len() == CURSORS_MAX {
            return Err(Refusal::new(Code::TooMany, format!("more than {CURSORS_MAX} cursors are open")));
        }
    }
    let running = question.run(connection, parameters, moment)?;
    let cursor = Cursor {
        schema: Arc::new(question.plan.schema().as_arrow().clone()),
        names: Arc::new(question.names.clone()),
        running: Arc::new(Mutex::new(running)),
        is_held,
        is_endless: question.is_endless,
    };
    connection.state().cursors.insert(name.value.clone(), cursor);
    Ok(())
}

/// The columns of a cursor's rows.
pub fn fields(connection: &Connection, name: &str, format: &Format) -> Result<Fields, Refusal> {
    let state = connection.state();
    let cursor = state.cursors.get(name).ok_or_else(|| unknown(name))?;
    answers::fields(&cursor.schema, &cursor.names, format)
}

/// The next rows of a cursor.
pub async fn fetch(
    connection: &Arc<Connection>,
    name: &str,
    direction: &FetchDirection,
    format: &Format,
) -> PgWireResult<Answer> {
    let count = count(direction)?;
    let fields = fields(connection, name, format)?;
    let (running, is_endless) = {
        let state = connection.state();
        let cursor = state.cursors.get(name).ok_or_else(|| unknown(name))?;
        (cursor.running.clone(), cursor.is_endless)
    };
    let (running, watch) = (running.lock_owned().await, connection.watch());
    let batches = match is_endless {
        true => running::at_hand(running, watch, count).boxed(),
        false => running::batches(running, watch, count).boxed(),
    };
    let mut response = QueryResponse::new(fields.clone(), answers::rows(fields, batches));
    response.set_command_tag("FETCH");
    Ok(Answer::Rows(response))
}

/// Closes one, or all.
pub fn close(connection: &Connection, name: Option<&str>) -> Result<(), Refusal> {
    let mut state = connection.state();
    match name {
        None => state.cursors.clear(),
        Some(name) => {
            state.cursors.remove(name).ok_or_else(|| unknown(name))?;
        }
    }
    Ok(())
}

fn unknown(name: &str) -> Refusal {
    Refusal::new(Code::UndefinedCursor, format!("cursor \"{name}\" does not exist"))
}

/// How many rows are wanted.
fn count(direction: &FetchDirection) -> Result<usize, Refusal> {
    let number = |value: &ValueWithSpan| match &value.value {
        Value::Number(digits, _) => digits.to_string().parse::<usize>().ok(),
        _ => None,
    };
    let count = match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Some(1),
        FetchDirection::All | FetchDirection::ForwardAll => Some(usize::MAX),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => number(limit),
        _ => None,
    };
    count.ok_or_else(|| Refusal::new(Code::NotSupported, "cursors go forward only: FETCH [FORWARD] n, NEXT or ALL"))
}
