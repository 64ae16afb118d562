//! Statements that ask for no rows of views: transactions, settings, cursors.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    CloseCursor, DiscardObject, Expr, Ident, Reset, Set, Statement as Ast, TransactionAccessMode, TransactionMode,
};
use futures::stream;
use pgwire::api::Type;
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Tag};

use super::answers::{Answer, Fields};
use super::connection::Connection;
use super::cursors;
use super::settings;
use crate::query::sql::refusal::{Code, Refusal};
use crate::query::sql::statement::writes;

/// Whether a statement is a command that is served.
pub fn is_served(statement: &Ast) -> bool {
    matches!(
        statement,
        Ast::StartTransaction { .. }
            | Ast::Commit { .. }
            | Ast::Rollback { .. }
            | Ast::Savepoint { .. }
            | Ast::ReleaseSavepoint { .. }
            | Ast::Set(_)
            | Ast::Reset(_)
            | Ast::ShowVariable { .. }
            | Ast::Discard { .. }
            | Ast::Deallocate { .. }
            | Ast::Fetch { .. }
            | Ast::Close { .. }
            | Ast::UNLISTEN { .. }
    )
}

/// The columns of what a command answers with; none where that is no row.
pub fn fields(statement: &Ast) -> Option<Fields> {
    let Ast::ShowVariable { variable } = statement else { return None };
    let column = |name: String| FieldInfo::new(name, None, None, Type::TEXT, FieldFormat::Text);
    let name = shown(variable);
    Some(Arc::new(if name == "all" {
        vec![column("name".to_owned()), column("setting".to_owned())]
    } else {
        vec![column(name.replace(' ', "_"))]
    }))
}

/// Carries out a command.
pub fn run(connection: &Connection, statement: &Ast, is_failed: bool) -> Result<Answer, Refusal> {
    let done = |tag: &str| Ok(Answer::Done(Tag::new(tag)));
    match statement {
        Ast::StartTransaction { modes, .. } => {
            modes.iter().try_for_each(reads)?;
            connection.begin();
            Ok(Answer::Begun(Tag::new("BEGIN")))
        }
        Ast::Commit { .. } => {
            connection.end();
            Ok(Answer::Ended(Tag::new(if is_failed { "ROLLBACK" } else { "COMMIT" })))
        }
        Ast::Rollback { savepoint: None, .. } => {
            connection.end();
            Ok(Answer::Ended(Tag::new("ROLLBACK")))
        }
        // There is nothing to take back: the transaction goes on from where it was.
        Ast::Rollback { savepoint: Some(name), .. } => {
            connection.savepoint(&name.value)?;
            Ok(Answer::Begun(Tag::new("ROLLBACK")))
        }
        Ast::Savepoint { name } => {
            connection.mark(&name.value)?;
            done("SAVEPOINT")
        }
        Ast::ReleaseSavepoint { name } => {
            connection.savepoint(&name.value)?;
            done("RELEASE")
        }
        Ast::Set(set) => {
            self::set(connection, set)?;
            done("SET")
        }
        Ast::Reset(reset) => {
            let mut state = connection.state();
            match &reset.reset {
                Reset::ALL => state.settings.reset(),
                Reset::ConfigurationParameter(name) => state.settings.set(&name.to_string(), None)?,
            }
            done("RESET")
        }
        Ast::ShowVariable { variable } => show(connection, variable),
        Ast::Discard { object_type } => {
            if let DiscardObject::ALL = object_type {
                cursors::close(connection, None)?;
                connection.state().settings.reset();
            }
            done(&format!("DISCARD {object_type}"))
        }
        Ast::Deallocate { .. } => done("DEALLOCATE"),
        Ast::Close { cursor } => {
            let name = match cursor {
                CloseCursor::All => None,
                CloseCursor::Specific { name } => Some(&*name.value),
            };
            cursors::close(connection, name)?;
            done("CLOSE CURSOR")
        }
        Ast::UNLISTEN { .. } => done("UNLISTEN"),
        statement => Err(writes(statement)),
    }
}

/// Refuses a transaction that means to write.
fn reads(mode: &TransactionMode) -> Result<(), Refusal> {
    match mode {
        TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => {
            Err(Refusal::new(Code::ReadOnly, "cannot set transaction read-write mode: views are read only"))
        }
        // Every transaction reads one epoch, which is more than any level asks for.
        TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) | TransactionMode::IsolationLevel(_) => Ok(()),
    }
}

fn set(connection: &Connection, set: &Set) -> Result<(), Refusal> {
    let mut state = connection.state();
    match set {
        Set::SingleAssignment { variable, values, .. } => {
            let value = settings::value(values)?;
            state.settings.set(&variable.to_string(), value.as_deref())
        }
        Set::SetTimeZone { value, .. } => {
            let value = settings::value(std::slice::from_ref::<Expr>(value))?;
            state.settings.set("timezone", value.as_deref())
        }
        Set::SetNames { charset_name, .. } => state.settings.set("client_encoding", Some(&charset_name.value)),
        Set::SetNamesDefault {} => state.settings.set("client_encoding", None),
        Set::SetTransaction { modes, .. } => modes.iter().try_for_each(reads),
        other => Err(Refusal::new(Code::NotSupported, format!("{other} is not supported"))),
    }
}

fn shown(variable: &[Ident]) -> String {
    variable.iter().map(|word| word.value.to_lowercase()).collect::<Vec<_>>().join(" ")
}

fn show(connection: &Connection, variable: &[Ident]) -> Result<Answer, Refusal> {
    let name = shown(variable);
    let state = connection.state();
    let rows: Vec<Vec<String>> = if name == "all" {
        state.settings.all().into_iter().map(|(name, value)| vec![name, value]).collect()
    } else {
        vec![vec![state.settings.get(&name)?]]
    };
    let fields = fields(&Ast::ShowVariable { variable: variable.to_vec() }).unwrap_or_default();
    let mut encoder = DataRowEncoder::new(fields.clone());
    let mut encoded = Vec::new();
    for row in rows {
        for value in &row {
            encoder.encode_field(value).map_err(|error| Refusal::new(Code::Internal, error.to_string()))?;
        }
        encoded.push(Ok(encoder.take_row()));
    }
    let mut response = QueryResponse::new(fields, stream::iter(encoded));
    response.set_command_tag("SHOW");
    Ok(Answer::Rows(response))
}
