//! Rows as JSON objects, one a line, made into the text that files hold: read from there on as any file is.

use std::collections::BTreeSet;

use dataflows::records::Feed;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::schema::columns;

/// What a key may be that is no column: the row stands, or goes.
pub const OPERATION: &str = "_op";

/// What it says where the row goes.
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
    let columns = columns(feed);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut unknown = BTreeSet::new();
    let failed = |line: usize, error: &dyn std::fmt::Display| BadLine { line, what: error.to_string() };
    writer.write_record(columns.iter().map(|column| column.name)).map_err(|error| failed(1, &error))?;
    let mut rows = 0;
    for (line, text) in body.split(|byte| *byte == b'\n').enumerate().map(|(place, text)| (place + 1, text)) {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let bad = |what: String| BadLine { line, what };
        let Members(members) = serde_json::from_slice(text).map_err(|error| {
            // Where it stands is told, and not what stands there: that may be personal.
            bad(format!("expected a JSON object of a row's columns, at column {}", error.column()))
        })?;
        let mut cells: Vec<Option<String>> = vec![None; columns.len()];
        for (key, value) in members {
            if key == OPERATION {
                operation(&value).map_err(bad)?;
                continue;
            }
            let Some(place) = columns.iter().position(|column| column.name == key) else {
                if unknown.len() < UNKNOWN_MAX {
                    unknown.insert(key.chars().filter(|sign| !sign.is_control()).take(64).collect::<String>());
                }
                continue;
            };
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                // A number with a point has been through a machine's own, which keeps so many digits.
                Value::Number(number) if number.is_f64() && digits(&number) > DIGITS_MAX => {
                    return Err(bad(format!("{key} has more than {DIGITS_MAX} digits: write it as a text")));
                }
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(bad(format!("{key} is a text, a number, true, false or null")));
                }
            };
            if cells[place].replace(text).is_some() {
                return Err(bad(format!("{key} stands twice")));
            }
        }
        writer
            .write_record(cells.iter().map(|cell| cell.as_deref().unwrap_or_default()))
            .map_err(|error| failed(line, &error))?;
        rows += 1;
    }
    if rows == 0 {
        return Err(BadLine { line: 1, what: "there is no row: expected a JSON object on each line".to_owned() });
    }
    let text = writer.into_inner().map_err(|error| failed(rows, &error))?;
    Ok(Sheet { text, rows, unknown: unknown.into_iter().collect() })
}

fn operation(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some("upsert") => Ok(()),
        Some(DELETE) => Err(
            "this build does not delete rows by their keys; deliver the partition that holds them again without them, in a higher version"
                .to_owned(),
        ),
        _ => Err(format!("{OPERATION} is upsert")),
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
    fn what_is_no_row_is_told_with_its_line_and_without_its_values() {
        for (body, told) in [
            ("", "line 1: there is no row"),
            ("{}\n[1]", "line 2: expected a JSON object"),
            ("{}\n\n{\"customer_id\": 13812345678x}", "line 3: expected a JSON object"),
            ("{\"model\":{\"a\":1}}", "line 1: model is a text"),
            ("{\"value\":12345678901234567.89}", "line 1: value has more than 15 digits"),
            ("{\"model\":1,\"model\":2}", "line 1: model stands twice"),
            ("{\"_op\":\"delete\"}", "line 1: this build does not delete"),
            ("{\"_op\":\"take\"}", "line 1: _op is upsert"),
        ] {
            let refused = text(body).expect_err(body);
            assert!(refused.starts_with(told) && !refused.contains("13812345678"), "{refused}");
        }
    }
}
