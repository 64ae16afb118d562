//! Times as PostgreSQL writes them: no fraction of a second where there is none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use dataflows::types::Time;
use pgwire::api::results::{FieldFormat, FieldInfo};

use crate::query::sql::refusal::{Code, Refusal};

/// From 0001-01-01 to 9999-12-31, in seconds from 1970.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// A batch with times as texts, where texts are told of them.
pub fn written(batch: RecordBatch, fields: &[FieldInfo]) -> Result<RecordBatch, Refusal> {
    let is_time = |array: &ArrayRef| matches!(array.data_type(), DataType::Timestamp(..));
    if !batch.columns().iter().any(is_time) {
        return Ok(batch);
    }
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    let mut written = Vec::with_capacity(batch.num_columns());
    for ((array, field), told) in batch.columns().iter().zip(schema.fields()).zip(fields) {
        if is_time(array) && told.format() == FieldFormat::Text {
            columns.push(texts(array)?);
            written.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
        } else {
            columns.push(array.clone());
            written.push(field.clone());
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(written)), columns, &options)
        .map_err(|error| Refusal::new(Code::Internal, error.to_string()))
}

fn texts(times: &ArrayRef) -> Result<ArrayRef, Refusal> {
    let bad = |_| Refusal::new(Code::OutOfRange, "timestamp out of range");
    let has_zone = matches!(times.data_type(), DataType::Timestamp(_, Some(_)));
    // A moment is the same in every zone: it is told in UTC.
    let zone = has_zone.then(|| "UTC".into());
    let times = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, zone)).map_err(bad)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let text = |time: i64| {
        let (seconds, fraction) = (time.div_euclid(1_000_000), time.rem_euclid(1_000_000));
        if !SECONDS.contains(&seconds) {
            return Err(Refusal::new(Code::OutOfRange, "timestamp out of range"));
        }
        let mut text = Time(seconds).to_string();
        if fraction > 0 {
            text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
        }
        if has_zone {
            text.push_str("+00");
        }
        Ok(text)
    };
    let texts: Vec<Option<String>> = times.iter().map(|time| time.map(text).transpose()).collect::<Result<_, _>>()?;
    Ok(Arc::new(StringArray::from(texts)))
}
