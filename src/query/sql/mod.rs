//! SQL over the views of one epoch: DataFusion plans and executes, and what it reads are rows of the query room.
//!
//! ```text
//! text ─► statements (allow-list) ─► logical plan (allow-list) ─► physical plan ─► batches
//!                                        tables by name              at one epoch
//! ```
//!
//! A plan names tables; which epoch they are read at is settled when it is executed. No statement writes, no function
//! reads a file, and what a statement holds in memory is bounded.

mod columns;
mod functions;
mod guard;
mod limits;
mod outline;
pub mod refusal;
mod rewrite;
mod scan;
pub mod statement;
pub mod subscribe;
mod table;
mod tokens;
mod using;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::ParamValues;
use datafusion::common::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as Ast;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::pg_catalog::setup_pg_catalog;

use super::{Reading, VIEWS};
pub use functions::VERSION;
pub use guard::Ended;
use limits::{Bounded, Together};
pub use outline::{names, parameters, views};
use refusal::Refusal;
use statement::Reader;
use subscribe::{Follow, Subscribe};
use table::ViewTable;
pub use table::data_type;

/// The name of the database, and of the schema with the views.
pub const DATABASE: &str = "cohortflow";
pub const SCHEMA: &str = "public";

/// What a statement reads.
pub struct Moment {
    pub reading: Reading,
    /// Where it hears what becomes of views.
    pub follow: Arc<dyn Follow>,
}

/// What all sessions share: tables, functions, memory.
pub struct Sql {
    state: SessionState,
    reader: Arc<Reader>,
    memory: Arc<Together>,
}

impl Sql {
    /// Statements of all sessions together hold at most so many bytes.
    pub async fn new(memory: usize) -> Result<Sql, DataFusionError> {
        // Two at least: over one partition a sort by a constant of one side of an outer join is left out, though the other
        // side's rows have nothing there.
        let partitions = std::thread::available_parallelism().map_or(2, |processors| processors.get().max(2));
        let mut config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_default_catalog_and_schema(DATABASE, SCHEMA)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(true)
            .with_collect_statistics(false);
        let options = config.options_mut();
        options.sql_parser.dialect = Dialect::PostgreSQL;
        // As numbers with a point are to PostgreSQL: exact.
        options.sql_parser.parse_float_as_decimal = true;
        let tables = MemorySchemaProvider::new();
        for view in VIEWS {
            tables.register_table(view.name.to_owned(), Arc::new(ViewTable::new(view)))?;
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(tables))?;
        let context = SessionContext::new_with_config(config);
        context.register_catalog(DATABASE, Arc::new(catalog));
        setup_pg_catalog(&context, DATABASE, EmptyContextProvider).map_err(|error| *error)?;
        functions::register(&context);
        context.register_udtf(subscribe::NAME, Arc::new(Subscribe));
        functions::register_descriptions(&context, descriptions(&context).await?);
        Ok(Sql { state: context.state(), reader: Arc::new(Reader::default()), memory: Arc::new(Together::new(memory)) })
    }

    /// A session of somebody, whose statements hold at most so many bytes.
    pub fn session(&self, user: &str, memory: usize) -> Result<Session, DataFusionError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(Bounded::new(memory, self.memory.clone())))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()?;
        let mut state = SessionStateBuilder::new_from_existing(self.state.clone()).with_runtime_env(runtime).build();
        functions::register_user(&mut state, user)?;
        Ok(Session { state: Arc::new(state), reader: self.reader.clone() })
    }
}

/// What views tell, by the numbers under which the catalog lists them.
async fn descriptions(context: &SessionContext) -> Result<HashMap<i64, &'static str>, DataFusionError> {
    let listed = context.sql("SELECT CAST(oid AS BIGINT), CAST(relname AS TEXT) FROM pg_catalog.pg_class").await?;
    let mut descriptions = HashMap::new();
    for batch in listed.collect().await? {
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let names = cast(batch.column(1), &DataType::Utf8)?;
        for (number, name) in numbers.iter().zip(names.as_string::<i32>()) {
            if let (Some(number), Some(view)) = (number, name.and_then(super::view)) {
                descriptions.insert(number, view.about);
            }
        }
    }
    Ok(descriptions)
}

/// One client's statements. A clone is the same session.
#[derive(Clone)]
pub struct Session {
    state: Arc<SessionState>,
    reader: Arc<Reader>,
}

impl Session {
    /// The statements of a text.
    pub fn read(&self, text: &str) -> Result<Vec<Ast>, Refusal> {
        self.reader.read(text)
    }

    /// The plan of a statement that only reads.
    pub async fn plan(&self, statement: Ast) -> Result<LogicalPlan, Refusal> {
        statement::only_reads(&statement)?;
        let plan = self.state.statement_to_plan(Statement::Statement(Box::new(statement))).await?;
        let allowed = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        allowed.verify_plan(&plan)?;
        Ok(plan)
    }

    /// Types that stand in the plan once operands are made alike; the plan itself where a parameter's type is open.
    pub fn analyzed(&self, plan: LogicalPlan) -> LogicalPlan {
        let analyzed = self.state.analyzer().execute_and_check(plan.clone(), self.state.config_options(), |_, _| {});
        analyzed.unwrap_or(plan)
    }

    /// The rows of a plan with its parameters, at a moment. They come to an end once it is told that they have.
    pub async fn execute(
        &self,
        plan: LogicalPlan,
        parameters: Option<ParamValues>,
        moment: Arc<Moment>,
        ended: Ended,
    ) -> Result<SendableRecordBatchStream, Refusal> {
        let plan = match parameters {
            Some(parameters) => plan.replace_params_with_values(&parameters)?,
            None => plan,
        };
        let mut state = (*self.state).clone();
        state.mark_start_execution();
        if subscribe::is_endless(&plan) {
            // What there is is told at once: nobody knows when there would be enough for a whole batch.
            *state.config_mut() = state.config().clone().with_batch_size(1).with_target_partitions(1);
        }
        state.config_mut().set_extension(moment);
        let physical = guard::guarded(state.create_physical_plan(&plan).await?, &ended)?;
        Ok(execute_stream(physical, state.task_ctx())?)
    }
}
