//! Views as they are downloaded: CSV for spreadsheets, and what programs read.
//!
//! A cell that a spreadsheet would run as a formula gets an apostrophe before it, which such programs
//! take for "text follows". Files that programs exchange stay exact: see [`super::export`].

use std::borrow::Cow;
use std::io::{self, Write};

use super::filter::{Filter, chosen};
use super::rows::Sources;
use super::{Cell, Kind, View};
use crate::store::StoreError;

/// Why a download broke off.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not write it: {0}")]
    Write(#[from] csv::Error),
    #[error("could not write it: {0}")]
    Flush(#[from] io::Error),
}

/// Writes the rows of a view that a filter takes. How many they are.
pub fn download(view: &View, sources: Sources<'_>, filter: &Filter, out: impl Write) -> Result<usize, DownloadError> {
    let mut writer = csv::Writer::from_writer(out);
    let mut count = 0;
    writer.write_record(view.columns.iter().map(|column| column.name))?;
    chosen::<DownloadError>(view, sources, filter, &mut |cells| {
        count += 1;
        for cell in cells {
            match cell {
                Cell::Text(text) => writer.write_field(&*harmless(text))?,
                // Numbers, times and truths begin like no formula.
                cell => writer.write_field(cell.to_string())?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(())
    })?;
    writer.flush()?;
    Ok(count)
}

/// A row as a JSON object. Numbers with two places, and rates, are texts, so that no reader rounds them.
pub fn object(view: &View, cells: &[Cell<'_>]) -> serde_json::Map<String, serde_json::Value> {
    let value = |(column, cell): (&super::Column, &Cell<'_>)| {
        let value = match (column.kind, cell) {
            (_, Cell::Null) => serde_json::Value::Null,
            (Kind::Integer, Cell::Integer(number)) => (*number).into(),
            (Kind::Boolean, Cell::Boolean(truth)) => (*truth).into(),
            (_, cell) => cell.to_string().into(),
        };
        (column.name.to_owned(), value)
    };
    view.columns.iter().zip(cells).map(value).collect()
}

/// The same as [`download`], a JSON object on each line.
pub fn ndjson(view: &View, sources: Sources<'_>, filter: &Filter, mut out: impl Write) -> Result<usize, DownloadError> {
    let mut count = 0;
    chosen::<DownloadError>(view, sources, filter, &mut |cells| {
        count += 1;
        serde_json::to_writer(&mut out, &object(view, cells)).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(())
    })?;
    Ok(count)
}

/// Rows of a batch.
#[cfg(feature = "sql")]
const BATCH: usize = 8192;

/// The same as [`download`], in arrow's stream format, with the types that SQL tells.
#[cfg(feature = "sql")]
pub fn arrow(view: &View, sources: Sources<'_>, filter: &Filter, out: impl Write) -> Result<usize, DownloadError> {
    use arrow::array::RecordBatch;
    use arrow::datatypes::{Field, Schema};
    use arrow::ipc::writer::StreamWriter;

    use super::arrays::Column;
    use super::sql::data_type;

    let fields: Vec<Field> =
        view.columns.iter().map(|column| Field::new(column.name, data_type(column.kind), true)).collect();
    let schema = std::sync::Arc::new(Schema::new(fields));
    let failed = |error: arrow::error::ArrowError| DownloadError::Flush(io::Error::other(error));
    let mut writer = StreamWriter::try_new(out, &schema).map_err(failed)?;
    let none = || schema.fields().iter().map(|field| Column::of(field.data_type())).collect::<Vec<_>>();
    let mut flush = |columns: Vec<Column>| {
        let arrays = columns.into_iter().map(Column::finish).collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(failed)?;
        writer.write(&batch).map_err(failed)
    };
    let (mut count, mut columns) = (0, none());
    chosen::<DownloadError>(view, sources, filter, &mut |cells| {
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        count += 1;
        if count % BATCH == 0 { flush(std::mem::replace(&mut columns, none())) } else { Ok(()) }
    })?;
    flush(columns)?;
    writer.finish().map_err(failed)?;
    Ok(count)
}

/// A text that no spreadsheet runs.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let begins = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if begins && !is_number(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether a text is a plain decimal number.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for text in
            ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "+", "-.5", "=", "-1.2.3"]
        {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "-5", "+5", "-0.50", "a=1", "客户", "'=1", " =1", "2009-07-01", "1-2"] {
            assert_eq!(harmless(text), text);
        }
    }
}
