//! Batches as text, JSON and Arrow's stream format.

use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt64Type};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};
use std::sync::Arc;

/// How rows are written that are told whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Ndjson,
    Csv,
    Arrow,
}

impl Shape {
    pub fn content_type(self) -> &'static str {
        match self {
            Shape::Ndjson => "application/x-ndjson",
            Shape::Csv => "text/csv; charset=utf-8",
            Shape::Arrow => "application/vnd.apache.arrow.stream",
        }
    }
}

/// Writes batches one after the other.
pub enum Writer {
    Ndjson(Vec<String>),
    /// With its header, until that is written.
    Csv(Option<Vec<String>>),
    Arrow(Box<StreamWriter<Vec<u8>>>, SchemaRef),
}

impl Writer {
    pub fn new(shape: Shape, columns: Vec<String>, schema: &SchemaRef) -> Result<Writer, ArrowError> {
        Ok(match shape {
            Shape::Ndjson => Writer::Ndjson(columns),
            Shape::Csv => Writer::Csv(Some(columns)),
            Shape::Arrow => {
                let fields = schema.fields().iter().zip(&columns);
                let fields: Vec<Field> = fields.map(|(field, name)| field.as_ref().clone().with_name(name)).collect();
                let schema = Arc::new(Schema::new(fields));
                Writer::Arrow(Box::new(StreamWriter::try_new(Vec::new(), &schema)?), schema)
            }
        })
    }

    /// The bytes of a batch, with what comes before the first one.
    pub fn write(&mut self, batch: &RecordBatch) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Writer::Ndjson(columns) => {
                for row in arrays(batch).map_err(std::io::Error::other)? {
                    let Value::Array(cells) = row else { continue };
                    let row: Map<String, Value> = columns.iter().cloned().zip(cells).collect();
                    serde_json::to_writer(&mut bytes, &row)?;
                    bytes.push(b'\n');
                }
            }
            Writer::Csv(header) => {
                let mut writer = csv::Writer::from_writer(&mut bytes);
                if let Some(header) = header.take() {
                    writer.write_record(&header)?;
                }
                let columns = formatters(batch).map_err(std::io::Error::other)?;
                for row in 0..batch.num_rows() {
                    for column in &columns {
                        writer.write_field(column.value(row).to_string())?;
                    }
                    writer.write_record(None::<&[u8]>)?;
                }
                writer.flush()?;
            }
            Writer::Arrow(writer, schema) => {
                let batch = RecordBatch::try_new(schema.clone(), batch.columns().to_vec());
                batch.and_then(|batch| writer.write(&batch)).map_err(std::io::Error::other)?;
                bytes = std::mem::take(writer.get_mut());
            }
        }
        Ok(bytes)
    }

    /// What comes after the last batch; with what comes before the first, where there was none.
    pub fn finish(self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Writer::Csv(Some(header)) => {
                let mut writer = csv::Writer::from_writer(&mut bytes);
                writer.write_record(&header)?;
                writer.flush()?;
            }
            Writer::Ndjson(_) | Writer::Csv(None) => {}
            Writer::Arrow(mut writer, _) => {
                writer.finish().map_err(std::io::Error::other)?;
                bytes.write_all(&std::mem::take(writer.get_mut()))?;
            }
        }
        Ok(bytes)
    }
}

/// Rows as arrays: whole numbers and truths as such, null as null, everything else as text, so that no reader rounds it.
pub fn arrays(batch: &RecordBatch) -> Result<Vec<Value>, ArrowError> {
    let columns = formatters(batch)?;
    let cell = |place: usize, row: usize| {
        let array = batch.column(place);
        if array.is_null(row) || *array.data_type() == DataType::Null {
            return Value::Null;
        }
        match array.data_type() {
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
            DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
            DataType::Boolean => array.as_boolean().value(row).into(),
            _ => columns[place].value(row).to_string().into(),
        }
    };
    let row = |row| Value::Array((0..batch.num_columns()).map(|place| cell(place, row)).collect());
    Ok((0..batch.num_rows()).map(row).collect())
}

/// The columns as text, times as in files.
fn formatters(batch: &RecordBatch) -> Result<Vec<ArrayFormatter<'_>>, ArrowError> {
    const OPTIONS: FormatOptions<'_> = FormatOptions::new().with_timestamp_format(Some("%Y-%m-%d %H:%M:%S"));
    batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &OPTIONS)).collect()
}

/// The type of a column in a word.
pub fn data_type(field: &Field) -> &'static str {
    match field.data_type() {
        DataType::Boolean => "boolean",
        data_type if data_type.is_integer() => "integer",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "decimal",
        data_type if data_type.is_floating() => "float",
        DataType::Date32 | DataType::Date64 => "day",
        DataType::Timestamp(..) => "time",
        _ => "text",
    }
}
