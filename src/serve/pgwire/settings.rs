//! What clients set and ask for: `SET`, `SHOW`, `RESET`.

use std::collections::BTreeMap;
use std::time::Duration;

use datafusion::sql::sqlparser::ast::{Expr, Value};

use crate::query::sql::VERSION;
use crate::query::sql::refusal::{Code, Refusal};

/// A setting that clients may change, and what it is at first. Most of them change nothing here: clients set them to
/// what answers are anyway.
const SETTINGS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, YMD"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("idle_in_transaction_session_timeout", "900000"),
    ("intervalstyle", "postgres"),
    ("jit", "off"),
    ("lock_timeout", "0"),
    ("row_security", "on"),
    ("search_path", "public"),
    ("session_replication_role", "origin"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", ""),
    ("timezone", "UTC"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
];

/// Those that nobody changes.
const FIXED: &[(&str, &str)] = &[
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("max_identifier_length", "63"),
    ("server_encoding", "UTF8"),
    ("server_version", VERSION),
    ("server_version_num", "160006"),
];

/// A connection's settings.
#[derive(Default)]
pub struct Settings {
    changed: BTreeMap<String, String>,
    /// How long a statement takes at most.
    pub timeout: Option<Duration>,
}

impl Settings {
    /// What a setting is.
    pub fn get(&self, name: &str) -> Result<String, Refusal> {
        let name = canonical(name);
        if let Some(value) = self.changed.get(&name) {
            return Ok(value.clone());
        }
        let known = SETTINGS.iter().chain(FIXED).find(|(known, _)| *known == name);
        known.map(|(_, value)| (*value).to_owned()).ok_or_else(|| unknown(&name))
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<(String, String)> {
        let names = SETTINGS.iter().chain(FIXED).map(|(name, _)| *name);
        let mut all: Vec<_> = names.filter_map(|name| Some((name.to_owned(), self.get(name).ok()?))).collect();
        all.sort();
        all
    }

    /// Sets one; no value puts it back to what it was.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Refusal> {
        let name = canonical(name);
        if !SETTINGS.iter().any(|(known, _)| *known == name) {
            return Err(match FIXED.iter().any(|(known, _)| *known == name) {
                true => Refusal::new(Code::ReadOnly, format!("parameter \"{name}\" cannot be changed")),
                false => unknown(&name),
            });
        }
        let Some(value) = value else {
            self.changed.remove(&name);
            if name == "statement_timeout" {
                self.timeout = None;
            }
            return Ok(());
        };
        match &*name {
            "statement_timeout" => self.timeout = timeout(value)?,
            "client_encoding" if !["utf8", "utf-8", "unicode"].contains(&&*value.to_lowercase()) => {
                return Err(Refusal::new(
                    Code::NotSupported,
                    format!("client_encoding {value:?} is not supported; UTF8 is"),
                ));
            }
            "default_transaction_read_only" | "transaction_read_only"
                if !["on", "true", "1", "yes"].contains(&&*value.to_lowercase()) =>
            {
                return Err(Refusal::new(
                    Code::ReadOnly,
                    "cannot set transaction read-write mode: views are read only",
                ));
            }
            "standard_conforming_strings" if !["on", "true", "1", "yes"].contains(&&*value.to_lowercase()) => {
                return Err(Refusal::new(Code::NotSupported, "standard_conforming_strings is on"));
            }
            _ => {}
        }
        self.changed.insert(name, value.to_owned());
        Ok(())
    }

    /// Puts everything back.
    pub fn reset(&mut self) {
        *self = Settings::default();
    }
}

/// Names as they are kept: several words are one name, as in `TIME ZONE`.
fn canonical(name: &str) -> String {
    match &*name.to_lowercase() {
        "time zone" | "timezone" => "timezone".to_owned(),
        "transaction isolation level" | "transaction_isolation" => "transaction_isolation".to_owned(),
        "names" => "client_encoding".to_owned(),
        name => name.to_owned(),
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::new(Code::UndefinedParameter, format!("unrecognized configuration parameter \"{name}\""))
}

/// Milliseconds, or a number with a unit; 0 is the service's own limit.
fn timeout(value: &str) -> Result<Option<Duration>, Refusal> {
    let bad =
        || Refusal::new(Code::BadValue, format!("invalid value for parameter \"statement_timeout\": \"{value}\""));
    let text = value.trim();
    let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let milliseconds = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad()),
    };
    let after = Duration::from_millis(number.checked_mul(milliseconds).ok_or_else(bad)?);
    Ok((!after.is_zero()).then_some(after))
}

/// The value that an expression of `SET` means; none for DEFAULT.
pub fn value(expressions: &[Expr]) -> Result<Option<String>, Refusal> {
    let mut values = Vec::new();
    for expression in expressions {
        values.push(match expression {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
                value => value.to_string(),
            },
            Expr::Identifier(name) if name.value.eq_ignore_ascii_case("default") => return Ok(None),
            Expr::Identifier(name) => name.value.clone(),
            other => other.to_string(),
        });
    }
    Ok(Some(values.join(", ")))
}
