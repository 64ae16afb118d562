//! `subscribe('view')`: what becomes of a view, as rows that go on for as long as somebody reads them. `SUBSCRIBE view`
//! asks for all of it.
//!
//! | column | holds |
//! |---|---|
//! | `at` | when it became true, as the feed counts; everything with an `at` below the last one told is complete |
//! | `diff` | 1: the row has come, -1: it is gone, null: nothing but `at` has moved on |
//! | others | the view's own |

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ScalarValue, internal_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::Value;

use super::Moment;
use super::refusal::Denied;
use super::table::data_type;
use crate::query::arrays::Column;
use crate::query::{Cell, VIEWS, View, nearest, view};

/// The name of the function.
pub const NAME: &str = "subscribe";

/// What became of a view between two looks.
pub struct Change {
    pub at: u64,
    /// Rows that are gone, and that have come: JSON arrays of their cells.
    pub gone: Vec<Box<str>>,
    pub come: Vec<Box<str>>,
}

/// Where changes come from.
pub trait Follow: Send + Sync {
    /// The rows of a view, if they are wanted, and what becomes of them; or why there are none.
    fn follow(&self, view: &'static View, snapshot: bool) -> BoxStream<'static, Result<Change, String>>;
}

/// Whether a plan goes on until somebody ends it.
pub fn is_endless(plan: &LogicalPlan) -> bool {
    let mut found = false;
    // What looks at it never fails.
    let _ = plan.apply_with_subqueries(|node| {
        let is_one = |scan: &datafusion::logical_expr::TableScan| {
            scan.table_name.table() == NAME || scan.source.schema().metadata().contains_key(NAME)
        };
        found |= matches!(node, LogicalPlan::TableScan(scan) if is_one(scan));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// The function.
#[derive(Debug)]
pub struct Subscribe;

impl TableFunctionImpl for Subscribe {
    fn call_with_args(&self, arguments: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let (name, snapshot, progress) = match arguments.exprs() {
            [name] => (name, true, false),
            [name, snapshot] => (name, truth(snapshot)?, false),
            [name, snapshot, progress] => (name, truth(snapshot)?, truth(progress)?),
            _ => {
                return plan_err!(
                    "subscribe takes a view's name, whether its rows come first, and whether progress is told"
                );
            }
        };
        let Expr::Literal(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)), _) = name else {
            return plan_err!("subscribe takes the name of a view as text");
        };
        let view = view(name).ok_or_else(|| {
            let near = nearest(name, VIEWS.iter().map(|view| view.name));
            plan_datafusion_err!("subscribe: there is no view {name:?}; did you mean {near}?")
        })?;
        Ok(Arc::new(Subscription::new(view, snapshot, progress)))
    }
}

fn truth(expression: &Expr) -> Result<bool> {
    match expression {
        Expr::Literal(ScalarValue::Boolean(Some(truth)), _) => Ok(*truth),
        _ => plan_err!("subscribe takes true or false behind the view's name"),
    }
}

/// A view that is followed.
#[derive(Debug)]
struct Subscription {
    view: &'static View,
    snapshot: bool,
    progress: bool,
    schema: SchemaRef,
}

impl Subscription {
    fn new(view: &'static View, snapshot: bool, progress: bool) -> Subscription {
        let own = ["at", "diff"].map(|name| Field::new(name, DataType::Int64, true));
        let columns = view.columns.iter().map(|column| Field::new(column.name, data_type(column.kind), true));
        let fields: Vec<Field> = own.into_iter().chain(columns).collect();
        // By which it is known again under whatever name.
        let metadata = [(NAME.to_owned(), view.name.to_owned())].into();
        Subscription { view, snapshot, progress, schema: Arc::new(Schema::new(fields).with_metadata(metadata)) }
    }
}

#[async_trait]
impl TableProvider for Subscription {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let moment = state.config().get_extension::<Moment>();
        let moment = moment.ok_or_else(|| internal_datafusion_err!("the session has nothing to follow"))?;
        Denied::check_followed(self.view, &moment.reading.sight)?;
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let (view, snapshot, progress) = (self.view, self.snapshot, self.progress);
        let rows = Rows { view, snapshot, progress, columns, schema: schema.clone(), moment };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(rows)], None, [], true, limit)?))
    }
}

/// The rows of a subscription.
struct Rows {
    view: &'static View,
    snapshot: bool,
    progress: bool,
    columns: Vec<usize>,
    schema: SchemaRef,
    moment: Arc<Moment>,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("view", &self.view.name).finish()
    }
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let changes = self.moment.follow.follow(self.view, self.snapshot);
        let (view, columns, schema, progress) = (self.view, self.columns.clone(), self.schema.clone(), self.progress);
        let batches = changes.map(move |change| match change {
            Ok(change) => batch(view, &columns, &schema, progress, &change),
            Err(why) => Err(DataFusionError::External(why.into())),
        });
        // A mark without rows is one to nobody who did not ask for it.
        let told = batches.filter(|batch| std::future::ready(!batch.as_ref().is_ok_and(|batch| batch.num_rows() == 0)));
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), told.boxed()))
    }
}

/// A change as rows.
fn batch(view: &View, places: &[usize], schema: &SchemaRef, progress: bool, change: &Change) -> Result<RecordBatch> {
    let is_mark = change.gone.is_empty() && change.come.is_empty();
    let count = if is_mark { usize::from(progress) } else { change.gone.len() + change.come.len() };
    let at = i64::try_from(change.at).unwrap_or(i64::MAX);
    let diffs = || {
        let gone = change.gone.iter().map(|_| Some(-1));
        let mark = (is_mark && progress).then_some(None);
        gone.chain(change.come.iter().map(|_| Some(1))).chain(mark)
    };
    let mut builders: Vec<Column> = view.columns.iter().map(|column| Column::of(&data_type(column.kind))).collect();
    for row in change.gone.iter().chain(&change.come) {
        let cells: Vec<Value> = serde_json::from_str(row).map_err(|error| DataFusionError::External(error.into()))?;
        for ((column, builder), cell) in view.columns.iter().zip(&mut builders).zip(&cells) {
            builder.push(&Cell::read(column.kind, cell).unwrap_or(Cell::Null));
        }
    }
    if is_mark && progress {
        builders.iter_mut().for_each(|builder| builder.push(&Cell::Null));
    }
    let mut arrays: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![at; count])), Arc::new(diffs().collect::<Int64Array>())];
    arrays.extend(builders.into_iter().map(Column::finish));
    let chosen: Vec<ArrayRef> = places.iter().filter_map(|place| arrays.get(*place).cloned()).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(schema.clone(), chosen, &options)?)
}
