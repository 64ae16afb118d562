//! Views as files: CSV or Parquet, each row once, by key; without what stands for phone numbers.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;

use super::arrays::Column;
use super::{Cell, Kind, Sources, View, rows};
use crate::store::StoreError;

/// How views are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    Csv,
    Parquet,
}

/// Why a view could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not write {file:?}: {cause}\nhint: make room for it, or name another directory")]
    Write { file: String, cause: String },
}

/// Writes a view to `directory/<view>.<format>`. The file appears whole or not at all.
pub fn export(view: &View, sources: Sources<'_>, directory: &Path, format: Format) -> Result<u64, ExportError> {
    let extension = if format == Format::Csv { "csv" } else { "parquet" };
    let name = format!("{}.{extension}", view.name);
    let (path, half) = (directory.join(&name), directory.join(format!(".{name}.tmp")));
    let failed = |cause: &dyn std::fmt::Display| ExportError::Write { file: name.clone(), cause: cause.to_string() };
    let file = BufWriter::new(File::create(&half).map_err(|error| failed(&error))?);
    let written = match format {
        Format::Csv => csv(view, sources, file, &failed),
        Format::Parquet => parquet(view, sources, file, &failed),
    }?;
    std::fs::rename(&half, &path).map_err(|error| failed(&error))?;
    Ok(written)
}

type Failed<'f> = &'f dyn Fn(&dyn std::fmt::Display) -> ExportError;

/// Writes a view as CSV to anything.
pub fn csv(view: &View, sources: Sources<'_>, out: impl Write, failed: Failed<'_>) -> Result<u64, ExportError> {
    let mut writer = ::csv::Writer::from_writer(out);
    let header = view.columns.iter().map(|column| column.name);
    writer.write_record(header).map_err(|error| failed(&error))?;
    let (mut count, mut text) = (0, String::new());
    rows::<ExportError>(view, sources, &mut |cells| {
        for (column, cell) in view.columns.iter().zip(cells) {
            text.clear();
            let cell = if column.kind == Kind::Token { &Cell::Null } else { cell };
            // Writing to a String cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{cell}"));
            writer.write_field(&text).map_err(|error| failed(&error))?;
        }
        count += 1;
        writer.write_record(None::<&[u8]>).map_err(|error| failed(&error))
    })?;
    writer.flush().map_err(|error| failed(&error))?;
    Ok(count)
}

/// Rows of a record batch.
const BATCH: usize = 65_536;

fn parquet(view: &View, sources: Sources<'_>, out: impl Write + Send, failed: Failed<'_>) -> Result<u64, ExportError> {
    let fields: Vec<Field> =
        view.columns.iter().map(|column| Field::new(column.name, data_type(column.kind), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut writer = ArrowWriter::try_new(out, schema.clone(), None).map_err(|error| failed(&error))?;
    let none = || schema.fields().iter().map(|field| Column::of(field.data_type())).collect::<Vec<_>>();
    let (mut count, mut columns) = (0u64, none());
    let mut flush = |columns: Vec<Column>| {
        let arrays = columns.into_iter().map(Column::finish).collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(|error| failed(&error))?;
        writer.write(&batch).map_err(|error| failed(&error))
    };
    rows::<ExportError>(view, sources, &mut |cells| {
        for ((builder, column), cell) in columns.iter_mut().zip(view.columns).zip(cells) {
            builder.push(if column.kind == Kind::Token { &Cell::Null } else { cell });
        }
        count += 1;
        if count % BATCH as u64 == 0 { flush(std::mem::replace(&mut columns, none())) } else { Ok(()) }
    })?;
    flush(columns)?;
    writer.close().map_err(|error| failed(&error))?;
    Ok(count)
}

/// Numbers with two places, and rates, are decimals; months, days and times are texts as in CSV, which every reader
/// of either format then treats alike.
fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Token | Kind::Month | Kind::Day | Kind::Time => DataType::Utf8,
        Kind::Integer => DataType::Int64,
        Kind::Boolean => DataType::Boolean,
        Kind::Hundredths => DataType::Decimal128(38, 2),
        Kind::Rate => DataType::Decimal128(38, 4),
    }
}
