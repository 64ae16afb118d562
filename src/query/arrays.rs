//! Cells as columns of arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, StringBuilder, StringViewBuilder,
    TimestampSecondBuilder,
};
use arrow::datatypes::{DataType, TimeUnit};

use super::Cell;

/// A column that grows by cells. A cell that does not fit the type is null.
pub enum Column {
    Text(StringBuilder),
    TextView(StringViewBuilder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
    Decimal(Decimal128Builder),
    Day(Date32Builder),
    Time(TimestampSecondBuilder),
}

impl Column {
    /// Everything that is no number, truth, day or time is text.
    pub fn of(data_type: &DataType) -> Column {
        match data_type {
            DataType::Int64 => Column::Integer(Int64Builder::new()),
            DataType::Boolean => Column::Boolean(BooleanBuilder::new()),
            DataType::Decimal128(..) => Column::Decimal(Decimal128Builder::new().with_data_type(data_type.clone())),
            DataType::Date32 => Column::Day(Date32Builder::new()),
            DataType::Timestamp(TimeUnit::Second, None) => Column::Time(TimestampSecondBuilder::new()),
            DataType::Utf8View => Column::TextView(StringViewBuilder::new()),
            _ => Column::Text(StringBuilder::new()),
        }
    }

    pub fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Column::Text(builder), Cell::Null) => builder.append_null(),
            (Column::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Column::Text(builder), cell) => builder.append_value(cell.to_string()),
            (Column::TextView(builder), Cell::Null) => builder.append_null(),
            (Column::TextView(builder), Cell::Text(text)) => builder.append_value(text),
            (Column::TextView(builder), cell) => builder.append_value(cell.to_string()),
            (Column::Integer(builder), Cell::Integer(number)) => builder.append_value(*number),
            (Column::Integer(builder), _) => builder.append_null(),
            (Column::Boolean(builder), Cell::Boolean(truth)) => builder.append_value(*truth),
            (Column::Boolean(builder), _) => builder.append_null(),
            (Column::Decimal(builder), Cell::Hundredths(number)) => builder.append_value(*number),
            (Column::Decimal(builder), Cell::Rate(number)) => builder.append_value(i128::from(*number)),
            (Column::Decimal(builder), _) => builder.append_null(),
            (Column::Day(builder), Cell::Day(day)) => builder.append_value(day.0),
            (Column::Day(builder), _) => builder.append_null(),
            (Column::Time(builder), Cell::Time(time)) => builder.append_value(time.0),
            (Column::Time(builder), _) => builder.append_null(),
        }
    }

    pub fn finish(self) -> ArrayRef {
        match self {
            Column::Text(mut builder) => Arc::new(builder.finish()),
            Column::TextView(mut builder) => Arc::new(builder.finish()),
            Column::Integer(mut builder) => Arc::new(builder.finish()),
            Column::Boolean(mut builder) => Arc::new(builder.finish()),
            Column::Decimal(mut builder) => Arc::new(builder.finish()),
            Column::Day(mut builder) => Arc::new(builder.finish()),
            Column::Time(mut builder) => Arc::new(builder.finish()),
        }
    }
}
