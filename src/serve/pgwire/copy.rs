//! `COPY ... TO STDOUT`.

use arrow::record_batch::RecordBatch;
use arrow_pg::encoder::encode_value;
use datafusion::sql::sqlparser::ast::{
    CopyLegacyCsvOption, CopyLegacyOption, CopyOption, Ident, ObjectName, Statement as Ast,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use pgwire::api::portal::Format;
use pgwire::api::results::{CopyCsvOptions, CopyEncoder, CopyTextOptions, FieldInfo};
use pgwire::error::PgWireResult;
use pgwire::messages::copy::CopyData;

use super::answers::{Copy, Fields};
use super::prepared::Question;
use super::running::{Running, Watch, batches};
use super::times;
use crate::query::sql::refusal::{Code, Refusal};

/// The question that copying a table asks.
pub fn query(table: &ObjectName, columns: &[Ident]) -> Result<Ast, Refusal> {
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
    let text = format!("SELECT {columns} FROM {table}");
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, &text).map_err(|error| Refusal::parser(&error))?;
    statements.pop().ok_or_else(|| Refusal::new(Code::Syntax, "COPY names no table"))
}

/// How rows are written.
#[derive(Default)]
struct Shape {
    is_csv: bool,
    is_binary: bool,
    has_header: bool,
    delimiter: Option<char>,
    null: Option<String>,
    quote: Option<char>,
    escape: Option<char>,
}

impl Shape {
    fn of(options: &[CopyOption], legacy: &[CopyLegacyOption]) -> Result<Shape, Refusal> {
        let mut shape = Shape::default();
        for option in options {
            match option {
                CopyOption::Format(name) => match &*name.value.to_lowercase() {
                    "text" => {}
                    "csv" => shape.is_csv = true,
                    "binary" => shape.is_binary = true,
                    other => {
                        return Err(Refusal::new(Code::BadValue, format!("COPY format \"{other}\" not recognized")));
                    }
                },
                CopyOption::Delimiter(delimiter) => shape.delimiter = Some(*delimiter),
                CopyOption::Null(null) => shape.null = Some(null.clone()),
                CopyOption::Header(has) => shape.has_header = *has,
                CopyOption::Quote(quote) => shape.quote = Some(*quote),
                CopyOption::Escape(escape) => shape.escape = Some(*escape),
                CopyOption::Encoding(name) if ["utf8", "utf-8"].contains(&&*name.to_lowercase()) => {}
                other => return Err(unsupported(other)),
            }
        }
        for option in legacy {
            match option {
                CopyLegacyOption::Binary => shape.is_binary = true,
                CopyLegacyOption::Delimiter(delimiter) => shape.delimiter = Some(*delimiter),
                CopyLegacyOption::Header => shape.has_header = true,
                CopyLegacyOption::Null(null) => shape.null = Some(null.clone()),
                CopyLegacyOption::Csv(options) => {
                    shape.is_csv = true;
                    for option in options {
                        match option {
                            CopyLegacyCsvOption::Header => shape.has_header = true,
                            CopyLegacyCsvOption::Quote(quote) => shape.quote = Some(*quote),
                            CopyLegacyCsvOption::Escape(escape) => shape.escape = Some(*escape),
                            other => return Err(unsupported(other)),
                        }
                    }
                }
                other => return Err(unsupported(other)),
            }
        }
        Ok(shape)
    }

    fn encoder(&self, fields: Fields) -> CopyEncoder {
        if self.is_binary {
            return CopyEncoder::new_binary(fields);
        }
        if !self.is_csv {
            let mut options = CopyTextOptions::default();
            if let Some(delimiter) = self.delimiter {
                options.delimiter = delimiter.to_string().into();
            }
            if let Some(null) = &self.null {
                options.null_string = null.as_str().into();
            }
            return CopyEncoder::new_text(fields, options);
        }
        let mut options = CopyCsvOptions::default();
        if let Some(delimiter) = self.delimiter {
            options.delimiter = delimiter.to_string().into();
        }
        if let Some(null) = &self.null {
            options.null_string = null.as_str().into();
        }
        if let Some(quote) = self.quote {
            options.quote = quote.to_string().into();
            options.escape = options.quote.clone();
        }
        if let Some(escape) = self.escape {
            options.escape = escape.to_string().into();
        }
        CopyEncoder::new_csv(fields, options)
    }

    /// The line of the columns' names.
    fn header(&self, fields: &[FieldInfo]) -> CopyData {
        let delimiter = self.delimiter.unwrap_or(if self.is_csv { ',' } else { '\t' });
        let names: Vec<String> = fields
            .iter()
            .map(|field| match field.name() {
                name if self.is_csv && name.contains([delimiter, '"', '\n']) => {
                    format!("\"{}\"", name.replace('"', "\"\""))
                }
                name => name.to_owned(),
            })
            .collect();
        CopyData::new((names.join(&delimiter.to_string()) + "\n").into())
    }
}

fn unsupported(option: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Code::NotSupported, format!("COPY option {option} is not supported"))
}

/// The rows of a question as a copy.
pub fn out(
    question: &Question,
    options: &[CopyOption],
    legacy: &[CopyLegacyOption],
    running: Running,
    watch: Watch,
) -> Result<Copy, Refusal> {
    let shape = Shape::of(options, legacy)?;
    let format = if shape.is_binary { Format::UnifiedBinary } else { Format::UnifiedText };
    let fields = question.fields(&format)?;
    let header = (shape.has_header && !shape.is_binary).then(|| shape.header(&fields));
    let trailer = shape.is_binary.then(CopyEncoder::finish_copy_binary);
    let mut encoder = shape.encoder(fields.clone());
    let (format, columns) = (i8::from(shape.is_binary), fields.len());
    let lines = batches(Box::new(running), watch, usize::MAX)
        .and_then(move |batch| futures::future::ready(lines(&mut encoder, &fields, batch)))
        .map_ok(|lines| stream::iter(lines.into_iter().map(Ok)))
        .try_flatten()
        .boxed();
    Ok(Copy { format, columns, header, trailer, lines })
}

/// The lines of a batch.
fn lines(encoder: &mut CopyEncoder, fields: &Fields, batch: RecordBatch) -> PgWireResult<Vec<CopyData>> {
    let batch = times::written(batch, fields)?;
    let schema = batch.schema();
    let mut lines = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        for (place, field) in fields.iter().enumerate() {
            encode_value(encoder, batch.column(place), row, schema.field(place), field)?;
        }
        lines.push(CopyEncoder::take_copy(encoder));
    }
    Ok(lines)
}
