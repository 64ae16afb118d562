//! A statement that is understood, and what it answers with given parameters.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ParamValues;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{CopySource, Query, Statement as Ast};
use pgwire::api::portal::Format;
use pgwire::api::results::{QueryResponse, Tag};
use pgwire::error::PgWireResult;

use super::answers::{Answer, Fields, fields, rows};
use super::connection::{Connection, Kept};
use super::running::{Running, batches};
use super::{commands, copy, cursors};
use crate::query::View;
use crate::query::sql::refusal::{Code, Refusal};
use crate::query::sql::{Moment, names, parameters, subscribe, views};
use crate::serve::meter::Meter;
use crate::serve::statements::Work;

/// A statement, planned where it asks for rows.
#[derive(Clone)]
pub struct Prepared(Arc<Inner>);

struct Inner {
    statement: Ast,
    question: Option<Question>,
    _kept: Kept,
}

/// What is asked.
#[derive(Clone)]
pub struct Question {
    pub plan: LogicalPlan,
    /// The types of parameters, as far as the plan tells.
    pub parameters: Vec<Option<DataType>>,
    /// The names of columns, as PostgreSQL would choose them.
    pub names: Vec<String>,
    /// It goes on until somebody ends it.
    pub is_endless: bool,
    /// What it reads.
    views: Arc<[&'static View]>,
    /// The text that it came in, for the record.
    text: Arc<str>,
}

impl Question {
    pub fn fields(&self, format: &Format) -> Result<Fields, Refusal> {
        fields(self.plan.schema().as_arrow(), &self.names, format)
    }

    /// Its rows, from threads of their own.
    pub fn run(
        &self,
        connection: &Connection,
        parameters: Option<ParamValues>,
        moment: Arc<Moment>,
    ) -> Result<Running, Refusal> {
        let (session, plan) = (connection.session()?.clone(), self.plan.clone());
        let (service, viewer) = (&connection.shared.service, connection.viewer()?);
        let meter = Meter::begin(service, &viewer, connection.from(), &self.views, &self.text)?;
        Ok(Running::start(&connection.shared.statements.threads, meter, |ended| async move {
            session.execute(plan, parameters, moment, ended).await
        }))
    }
}

impl Prepared {
    /// The statements of a text.
    pub async fn read(connection: &Arc<Connection>, text: &str) -> Result<Vec<Prepared>, Refusal> {
        let session = connection.session()?.clone();
        let text: Arc<str> = text.into();
        let (mut watch, keeper) = (connection.watch(), connection.clone());
        // Whole: a text that is long or nested takes its time, and room on the stack.
        let mut work = Work::start(&connection.shared.statements.threads, async move {
            let mut prepared = Vec::new();
            for statement in session.read(&text)? {
                let asked = asked(&statement)?;
                let question = match asked {
                    None => None,
                    Some(asked) => {
                        let plan = session.plan(asked).await?;
                        let (names, parameters) = (names(&plan), parameters(&plan)?);
                        let is_endless = subscribe::is_endless(&plan);
                        let (views, text) = (views(&plan).into(), text.clone());
                        Some(Question { plan: session.analyzed(plan), parameters, names, is_endless, views, text })
                    }
                };
                let kept = keeper.keep(&text)?;
                prepared.push(Prepared(Arc::new(Inner { statement, question, _kept: kept })));
            }
            Ok(prepared)
        });
        watch.until(work.done()).await?
    }

    pub fn statement(&self) -> &Ast {
        &self.0.statement
    }

    pub fn question(&self) -> Option<&Question> {
        self.0.question.as_ref()
    }

    /// The columns of the rows that it answers with; none where it has no rows.
    pub fn fields(&self, connection: &Connection, format: &Format) -> Result<Option<Fields>, Refusal> {
        match (&self.0.statement, &self.0.question) {
            (Ast::Declare { .. } | Ast::Copy { .. }, _) => Ok(None),
            (_, Some(question)) => question.fields(format).map(Some),
            (Ast::Fetch { name, .. }, None) => cursors::fields(connection, &name.value, format).map(Some),
            (statement, None) => Ok(commands::fields(statement)),
        }
    }

    /// Answers. What it reads is of one moment, that of the transaction if there is one.
    pub async fn answer(
        &self,
        connection: &Arc<Connection>,
        parameters: Option<ParamValues>,
        format: &Format,
        is_failed: bool,
        moment: &mut Option<Arc<Moment>>,
    ) -> PgWireResult<Answer> {
        let statement = &self.0.statement;
        if is_failed && !matches!(statement, Ast::Commit { .. } | Ast::Rollback { .. }) {
            let message = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Refusal::new(Code::InFailedTransaction, message).into());
        }
        let Some(question) = &self.0.question else {
            return match statement {
                Ast::Fetch { name, direction, .. } => cursors::fetch(connection, &name.value, direction, format).await,
                statement => Ok(commands::run(connection, statement, is_failed)?),
            };
        };
        let moment = match moment {
            Some(moment) => moment.clone(),
            None => moment.insert(connection.moment()?).clone(),
        };
        if let Ast::Declare { stmts } = statement {
            cursors::declare(connection, stmts, question, parameters, moment)?;
            return Ok(Answer::Done(Tag::new("DECLARE CURSOR")));
        }
        let running = question.run(connection, parameters, moment)?;
        let watch = if question.is_endless { connection.watch_endless() } else { connection.watch() };
        if let Ast::Copy { options, legacy_options, .. } = statement {
            return Ok(Answer::Copy(copy::out(question, options, legacy_options, running, watch)?));
        }
        let fields = question.fields(format)?;
        let mut response =
            QueryResponse::new(fields.clone(), rows(fields, batches(Box::new(running), watch, usize::MAX)));
        if matches!(statement, Ast::Explain { .. }) {
            response.set_command_tag("EXPLAIN");
        }
        Ok(Answer::Rows(response))
    }
}

/// The part of a statement that asks for rows; none where it is a command. What is on no list is refused.
fn asked(statement: &Ast) -> Result<Option<Ast>, Refusal> {
    let of_query = |query: &Query| Some(Ast::Query(Box::new(query.clone())));
    Ok(match statement {
        Ast::Query(_) | Ast::Explain { .. } => Some(statement.clone()),
        Ast::Copy { source: CopySource::Query(query), .. } => {
            crate::query::sql::statement::only_reads(statement)?;
            of_query(query)
        }
        Ast::Copy { source: CopySource::Table { table_name, columns }, .. } => {
            crate::query::sql::statement::only_reads(statement)?;
            Some(copy::query(table_name, columns)?)
        }
        Ast::Declare { stmts } => match stmts.as_slice() {
            [declared] => declared.for_query.as_deref().and_then(of_query),
            _ => None,
        },
        statement if commands::is_served(statement) => None,
        statement => return Err(crate::query::sql::statement::writes(statement)),
    })
}
