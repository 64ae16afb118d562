//! A view as a table: what a statement asks of it is looked up in the reading that its session holds.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::Moment;
use super::refusal::Denied;
use super::scan::{Part, Scan};
use crate::query::filter::Filter;
use crate::query::{Kind, View};

/// Values that a column is asked for at most before all rows are looked through instead.
const ALTERNATIVES_MAX: usize = 64;

/// A view, of whichever reading is asked for it.
#[derive(Debug)]
pub struct ViewTable {
    view: &'static View,
    schema: SchemaRef,
}

impl ViewTable {
    pub fn new(view: &'static View) -> ViewTable {
        let fields: Vec<Field> =
            view.columns.iter().map(|column| Field::new(column.name, data_type(column.kind), true)).collect();
        ViewTable { view, schema: Arc::new(Schema::new(fields)) }
    }
}

/// Months are texts, as in files: SQL has no type for them.
pub fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Token | Kind::Month => DataType::Utf8View,
        Kind::Day => DataType::Date32,
        Kind::Time => DataType::Timestamp(TimeUnit::Second, None),
        Kind::Integer => DataType::Int64,
        Kind::Boolean => DataType::Boolean,
        // What sums of a million rows need fits, and what a product of two has.
        Kind::Hundredths => DataType::Decimal128(24, 2),
        Kind::Rate => DataType::Decimal128(24, 4),
    }
}

#[async_trait]
impl TableProvider for ViewTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    // Clients list tables where they list anything; many never ask for views.
    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = |filter: &&Expr| match stands(self.view, filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(pushed).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let moment = state.config().get_extension::<Moment>();
        let moment = moment.ok_or_else(|| internal_datafusion_err!("the session has no epoch to read"))?;
        Denied::check(self.view, &moment.reading.sight)?;
        let columns = projection.cloned().unwrap_or_else(|| (0..self.view.columns.len()).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let conditions = filters.iter().filter_map(|filter| stands(self.view, filter)).collect();
        let filter = Filter::standing(self.view, conditions, &moment.reading.dictionary.read());
        let scan = Arc::new(Scan { view: self.view, columns, schema: schema.clone(), filter, moment });
        let parts = Part::of(scan, state.config().target_partitions());
        let parts = parts.into_iter().map(|part| Arc::new(part) as Arc<dyn PartitionStream>).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, parts, None, [], false, limit)?))
    }
}

/// The column that a condition binds, and the texts of which one must stand there; none for other conditions.
fn stands(view: &View, condition: &Expr) -> Option<(usize, Vec<String>)> {
    let (column, values) = match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (&**left, &**right) {
            (Expr::Column(column), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(column)) => {
                (column, vec![value])
            }
            _ => return None,
        },
        Expr::InList(list) if !list.negated && list.list.len() <= ALTERNATIVES_MAX => {
            let Expr::Column(column) = &*list.expr else { return None };
            let mut values = Vec::with_capacity(list.list.len());
            for item in &list.list {
                let Expr::Literal(value, _) = item else { return None };
                values.push(value);
            }
            (column, values)
        }
        _ => return None,
    };
    let place = view.columns.iter().position(|own| own.name == column.name)?;
    if !matches!(view.columns[place].kind, Kind::Text | Kind::Month) {
        return None;
    }
    // The empty text is not null to SQL, and is to filters.
    let text = |value: &ScalarValue| match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => {
            text.clone().filter(|text| !text.is_empty())
        }
        _ => None,
    };
    Some((place, values.into_iter().map(text).collect::<Option<_>>()?))
}
