//! Rows as JSON objects, one a line, made into the text that files hold: read from there on as any file is.
//!
//! A row is an upsert. One with `"_op": "delete"` names a key that is to count as absent: of it nothing but the columns
//! of the key is looked at, and nothing else is kept.

use std::collections::BTreeSet;

use dataflows::records::Feed;
use dataflows::types::Month;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::schema::{Column, columns};
use crate::numbers::hidden_freely;

/// The member that is no column: what the row does. In the text it is a column of its own, the last.
pub const OPERATION: &str = "_op";

/// What a row does that takes its key away. Any other sets it.
pub const DELETE: &str = "delete";

/// Unknown keys that are told.
const UNKNOWN_MAX: usize = 10;

/// Digits of a number with a point that come through JSON as they were written.
const DIGITS_MAX: usize = 15;

fn digits(number: &serde_json::Number) -> usize {
    number.to_string().bytes().filter(u8::is_ascii_digit).count()
}

/// Rows as text.
pub struct Sheet {
    pub text: Vec<u8>,
    pub rows: usize,
    /// Keys that are columns of no such feed: they are left out.
    pub unknown: Vec<String>,
    /// The month of every row, where these are bills: a bill belongs to the partition of its month.
    pub month: Option<Month>,
}

/// What is wrong with a line, which counts from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadLine {
    pub line: usize,
    pub what: String,
}

/// An object's members as they stand, a key that stands twice included.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Told;
        impl<'de> Visitor<'de> for Told {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of a row's columns")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Told)
    }
}

/// The rows of a feed that a body holds.
pub fn sheet(feed: Feed, body: &[u8]) -> Result<Sheet, BadLine> {
    let (columns, may_delete) = (columns(feed), may_delete(body));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut unknown = BTreeSet::new();
    let failed = |line: usize, error: &dyn std::fmt::Display| BadLine { line, what: error.to_string() };
    let header = columns.iter().map(|column| column.name).chain(may_delete.then_some(OPERATION));
    writer.write_record(header).map_err(|error| failed(1, &error))?;
    let (mut rows, mut billed) = (0, None);
    for (line, text) in body.split(|byte| *byte == b'\n').enumerate().map(|(place, text)| (place + 1, text)) {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let bad = |what: String| BadLine { line, what };
        let Members(members) = serde_json::from_slice(text).map_err(|error| {
            // Where it stands is told, and not what stands there: that may be personal.
            bad(format!("expected a JSON object of a row's columns, at column {}", error.column()))
        })?;
        let deletes = deletes(&members).map_err(bad)?;
        let cells = cells(columns, members, deletes, &mut unknown).map_err(bad)?;
        if feed == Feed::Bill {
            billed = Some(month(columns, &cells, billed, line).map_err(bad)?);
        }
        let operation = may_delete.then_some(if deletes { DELETE } else { "" });
        writer
            .write_record(cells.iter().map(|cell| cell.as_deref().unwrap_or_default()).chain(operation))
            .map_err(|error| failed(line, &error))?;
        rows += 1;
    }
    if rows == 0 {
        return Err(BadLine { line: 1, what: "there is no row: expected a JSON object on each line".to_owned() });
    }
    let text = writer.into_inner().map_err(|error| failed(rows, &error))?;
    let month = billed.map(|(_, month)| month);
    Ok(Sheet { text, rows, unknown: unknown.into_iter().collect(), month })
}

/// Whether any row may delete: only then is there a column that says so, which makes reading dearer.
fn may_delete(body: &[u8]) -> bool {
    // JSON may spell letters by their numbers.
    [DELETE.as_bytes(), b"\\u"].iter().any(|text| memchr::memmem::find(body, text).is_some())
}

/// Whether a row deletes.
fn deletes(members: &[(String, Value)]) -> Result<bool, String> {
    let mut told = members.iter().filter(|(name, _)| name == OPERATION).map(|(_, value)| value);
    let operation = told.next();
    if told.next().is_some() {
        return Err(format!("{OPERATION} stands twice"));
    }
    match operation.map(Value::as_str) {
        None | Some(Some("upsert")) => Ok(false),
        Some(Some(DELETE)) => Ok(true),
        _ => Err(format!("{OPERATION} is upsert or {DELETE}")),
    }
}

/// A row's cells, by the feed's columns; those of its key alone where it deletes.
fn cells(
    columns: &[Column],
    members: Vec<(String, Value)>,
    deletes: bool,
    unknown: &mut BTreeSet<String>,
) -> Result<Vec<Option<String>>, String> {
    let mut cells: Vec<Option<String>> = vec![None; columns.len()];
    for (key, value) in members {
        if key == OPERATION {
            continue;
        }
        let Some(place) = columns.iter().position(|column| column.name == key) else {
            if unknown.len() < UNKNOWN_MAX {
                unknown
                    .insert(hidden_freely(&key).chars().filter(|sign| !sign.is_control()).take(64).collect::<String>());
            }
            continue;
        };
        if deletes && !columns[place].is_key {
            continue;
        }
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            // A number with a point has been through a machine's own, which keeps so many digits.
            Value::Number(number) if number.is_f64() && digits(&number) > DIGITS_MAX => {
                return Err(format!("{key} has more than {DIGITS_MAX} digits: write it as a text"));
            }
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(format!("{key} is a text, a number, true, false or null"));
            }
        };
        if cells[place].replace(text).is_some() {
            return Err(format!("{key} stands twice"));
        }
    }
    Ok(cells)
}

/// The month of a bill, and on which line it was told first.
fn month(
    columns: &[Column],
    cells: &[Option<String>],
    told: Option<(usize, Month)>,
    line: usize,
) -> Result<(usize, Month), String> {
    let cell =
        columns.iter().zip(cells).find(|(column, _)| column.name == "month").and_then(|(_, cell)| cell.as_deref());
    let month = cell.and_then(Month::parse).ok_or("month: expected a month YYYY-MM")?;
    match told {
        Some((first, of)) if of != month => {
            Err(format!("its month is not that of line {first}: send the bills of each month in a batch of their own"))
        }
        told => Ok(told.unwrap_or((line, month))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> Result<String, String> {
        let sheet = sheet(Feed::Score, body.as_bytes()).map_err(|bad| bad.to_string())?;
        Ok(String::from_utf8(sheet.text).expect("text"))
    }

    #[test]
    fn objects_become_rows_of_the_feeds_columns() {
        let body = "{\"model\":\"m\",\"customer_id\":\"c,1\",\"value\":1.50,\"more\":[1]}\r\n\n{\"customer_id\":\"c2\",\"model\":null,\"_op\":\"upsert\"}";
        assert_eq!(text(body).expect("rows"), "customer_id,model,value,at\n\"c,1\",m,1.5,\nc2,,,\n");
        let sheet = sheet(Feed::Score, body.as_bytes()).expect("rows");
        assert_eq!((sheet.rows, sheet.unknown), (2, vec!["more".to_owned()]));
    }

    #[test]
    fn a_row_that_deletes_is_its_key_and_nothing_else() {
        let body = "{\"_op\":\"delete\",\"customer_id\":\"c1\",\"model\":\"m\",\"value\":[1],\"value\":{},\"colour\":1}\n\
                    {\"customer_id\":\"c2\",\"model\":\"m\",\"value\":1}";
        assert_eq!(text(body).expect("rows"), "customer_id,model,value,at,_op\nc1,m,,,delete\nc2,m,1,,\n");
        let spelt = "{\"_op\":\"\\u0064elete\",\"customer_id\":\"c1\",\"model\":\"m\"}";
        assert_eq!(text(spelt).expect("rows"), "customer_id,model,value,at,_op\nc1,m,,,delete\n");
    }

    #[test]
    fn bills_of_a_batch_are_of_one_month() {
        let sheet = |body: &str| sheet(Feed::Bill, body.as_bytes()).map_err(|bad| bad.to_string());
        let one = "{\"customer_id\":\"c1\",\"month\":\"2009-07\",\"total_fee\":1}\n";
        let good = sheet(&format!("{one}{{\"_op\":\"delete\",\"customer_id\":\"c2\",\"month\":\"2009-07\"}}"));
        assert_eq!(good.map(|sheet| (sheet.rows, sheet.month)), Ok((2, Some(Month::new(2009, 7)))));
        for (line, told) in [
            ("{\"customer_id\":\"c2\",\"month\":\"2009-08\"}", "line 3: its month is not that of line 1"),
            ("{\"customer_id\":\"c2\"}", "line 3: month: expected a month"),
            ("{\"customer_id\":\"c2\",\"month\":\"July\"}", "line 3: month: expected a month"),
        ] {
            let refused = sheet(&format!("{one}\n{line}")).map(|_| ()).expect_err(line);
            assert!(refused.starts_with(told), "{refused}");
        }
    }

    #[test]
    fn what_is_no_row_is_told_with_its_line_and_without_its_values() {
        for (body, told) in [
            ("", "line 1: there is no row"),
            ("{}\n[1]", "line 2: expected a JSON object"),
            ("{}\n\n{\"customer_id\": 13812345678x}", "line 3: expected a JSON object"),
            ("{\"model\":{\"a\":1}}", "line 1: model is a text"),
            ("{\"value\":12345678901234567.89}", "line 1: value has more than 15 digits"),
            ("{\"model\":1,\"model\":2}", "line 1: model stands twice"),
            ("{\"_op\":\"take\"}", "line 1: _op is upsert or delete"),
            ("{\"_op\":null}", "line 1: _op is upsert or delete"),
            ("{\"_op\":\"delete\",\"_op\":\"upsert\"}", "line 1: _op stands twice"),
            ("{\"_op\":\"delete\",\"model\":[]}", "line 1: model is a text"),
        ] {
            let refused = text(body).expect_err(body);
            assert!(refused.starts_with(told) && !refused.contains("13812345678"), "{refused}");
        }
    }
}
