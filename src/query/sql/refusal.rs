//! Why a statement is not answered, by the codes that clients know (PostgreSQL's appendix A).

use std::fmt;

use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

use crate::query::sight::{Sight, Unseen};
use crate::query::{VIEWS, View};

/// An SQLSTATE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    Syntax,
    ReadOnly,
    NotSupported,
    UndefinedTable,
    UndefinedColumn,
    AmbiguousColumn,
    UndefinedFunction,
    Mismatch,
    Grouping,
    BadStatement,
    DivisionByZero,
    OutOfRange,
    BadText,
    BadValue,
    Cardinality,
    OutOfMemory,
    TooComplex,
    Cancelled,
    InFailedTransaction,
    NoTransaction,
    UndefinedCursor,
    DuplicateCursor,
    UndefinedParameter,
    TooMany,
    Protocol,
    UndefinedSavepoint,
    InvalidLogin,
    UndefinedDatabase,
    Denied,
    WrongPassword,
    Internal,
}

impl Code {
    pub fn state(self) -> &'static str {
        match self {
            Code::Syntax => "42601",
            Code::ReadOnly => "25006",
            Code::NotSupported => "0A000",
            Code::UndefinedTable => "42P01",
            Code::UndefinedColumn => "42703",
            Code::AmbiguousColumn => "42702",
            Code::UndefinedFunction => "42883",
            Code::Mismatch => "42804",
            Code::Grouping => "42803",
            Code::BadStatement => "42000",
            Code::DivisionByZero => "22012",
            Code::OutOfRange => "22003",
            Code::BadText => "22P02",
            Code::BadValue => "22023",
            Code::Cardinality => "21000",
            Code::OutOfMemory => "53200",
            Code::TooComplex => "54001",
            Code::Cancelled => "57014",
            Code::InFailedTransaction => "25P02",
            Code::NoTransaction => "25P01",
            Code::UndefinedCursor => "34000",
            Code::DuplicateCursor => "42P03",
            Code::UndefinedParameter => "42704",
            Code::TooMany => "53300",
            Code::UndefinedSavepoint => "3B001",
            Code::InvalidLogin => "28000",
            Code::UndefinedDatabase => "3D000",
            Code::Denied => "42501",
            Code::WrongPassword => "28P01",
            Code::Protocol => "08P01",
            Code::Internal => "XX000",
        }
    }
}

/// An error as a client is told it.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }

    pub fn syntax(message: String) -> Refusal {
        Refusal::new(Code::Syntax, message)
    }

    pub fn parser(error: &ParserError) -> Refusal {
        match error {
            ParserError::RecursionLimitExceeded => Refusal::new(Code::TooComplex, "the statement is nested too deeply"),
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
                Refusal::new(Code::Syntax, format!("syntax error: {message}"))
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<DataFusionError> for Refusal {
    fn from(error: DataFusionError) -> Refusal {
        let root = error.find_root();
        if let Some(refusal) = known(root) {
            return refusal;
        }
        let code = match root {
            DataFusionError::SQL(error, _) => return Refusal::parser(error),
            DataFusionError::SchemaError(error, _) => match **error {
                SchemaError::AmbiguousReference { .. } => Code::AmbiguousColumn,
                SchemaError::FieldNotFound { .. } => Code::UndefinedColumn,
                SchemaError::DuplicateQualifiedField { .. } | SchemaError::DuplicateUnqualifiedField { .. } => {
                    Code::AmbiguousColumn
                }
            },
            DataFusionError::NotImplemented(_) => Code::NotSupported,
            DataFusionError::ResourcesExhausted(_) => Code::OutOfMemory,
            DataFusionError::ArrowError(error, _) => arrow(error),
            DataFusionError::Plan(message) => plan(message),
            DataFusionError::Execution(message) => execution(message),
            _ => Code::Internal,
        };
        let message = match root {
            // An operator that would write to disk what it cannot hold.
            DataFusionError::ResourcesExhausted(message) if message.contains("DiskManager") => {
                "the statement needs more memory than it may hold".to_owned()
            }
            DataFusionError::Plan(message)
            | DataFusionError::Execution(message)
            | DataFusionError::NotImplemented(message)
            | DataFusionError::ResourcesExhausted(message) => message.clone(),
            root => root.strip_backtrace(),
        };
        Refusal::new(code, message)
    }
}

/// A view that is not shown to who asks.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("permission denied for view {view}: {why}")]
pub struct Denied {
    view: &'static str,
    why: Unseen,
}

impl Denied {
    /// Refuses a view of which somebody sees nothing.
    pub fn check(view: &'static View, sight: &Sight) -> Result<(), DataFusionError> {
        Denied::of(view, sight.unseen(view))
    }

    /// Refuses a view that somebody does not follow.
    pub fn check_followed(view: &'static View, sight: &Sight) -> Result<(), DataFusionError> {
        Denied::of(view, sight.unfollowed(view))
    }

    fn of(view: &'static View, why: Option<Unseen>) -> Result<(), DataFusionError> {
        match why {
            None => Ok(()),
            Some(why) => Err(DataFusionError::External(Box::new(Denied { view: view.name, why }))),
        }
    }
}

/// What PostgreSQL has words of its own for.
fn known(error: &DataFusionError) -> Option<Refusal> {
    match error {
        DataFusionError::External(error) => {
            let Denied { view, why } = error.downcast_ref::<Denied>()?;
            Some(Refusal::new(Code::Denied, format!("permission denied for view {view}")).hint(why.to_string()))
        }
        DataFusionError::ArrowError(error, _) if matches!(**error, ArrowError::DivideByZero) => {
            Some(Refusal::new(Code::DivisionByZero, "division by zero"))
        }
        DataFusionError::SchemaError(error, _) => match &**error {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let refusal =
                    Refusal::new(Code::UndefinedColumn, format!("column \"{}\" does not exist", field.flat_name()));
                let near = nearest(&field.name, valid_fields.iter().map(|field| field.name.as_str()));
                Some(match near {
                    Some(near) => refusal.hint(format!("did you mean {near}?")),
                    None => refusal,
                })
            }
            SchemaError::AmbiguousReference { field } => Some(Refusal::new(
                Code::AmbiguousColumn,
                format!("column reference \"{}\" is ambiguous", field.flat_name()),
            )),
            _ => None,
        },
        DataFusionError::Plan(message) => {
            let path = message.strip_prefix("table '")?.strip_suffix("' not found")?;
            let name = path.rsplit('.').next().unwrap_or(path);
            let near = nearest(name, VIEWS.iter().map(|view| view.name)).unwrap_or_default();
            let refusal = Refusal::new(Code::UndefinedTable, format!("relation \"{name}\" does not exist"));
            Some(refusal.hint(format!("did you mean {near}? \\d lists all views")))
        }
        _ => None,
    }
}

fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.max_by(|one, other| strsim::jaro_winkler(name, one).total_cmp(&strsim::jaro_winkler(name, other)))
}

fn arrow(error: &ArrowError) -> Code {
    match error {
        ArrowError::DivideByZero => Code::DivisionByZero,
        ArrowError::ArithmeticOverflow(_) => Code::OutOfRange,
        ArrowError::CastError(_) | ArrowError::ParseError(_) => Code::BadText,
        ArrowError::NotYetImplemented(_) => Code::NotSupported,
        ArrowError::InvalidArgumentError(_) => Code::BadValue,
        ArrowError::MemoryError(_) => Code::OutOfMemory,
        _ => Code::Internal,
    }
}

/// The planner tells most of its errors in words alone.
fn plan(message: &str) -> Code {
    let has = |text: &str| message.contains(text);
    match () {
        () if message.starts_with("table '") && has("not found") => Code::UndefinedTable,
        () if has("Invalid function") || has("Unknown function") || has("No function matches") => {
            Code::UndefinedFunction
        }
        () if has("in GROUP BY")
            || has("must appear in the GROUP BY")
            || has("could not be resolved from available") =>
        {
            Code::Grouping
        }
        () if has("Cannot coerce") || has("coercion") || has("Cannot infer common") => Code::Mismatch,
        () if has("placeholder") => Code::UndefinedParameter,
        () => Code::BadStatement,
    }
}

fn execution(message: &str) -> Code {
    let has = |text: &str| message.contains(text);
    match () {
        () if has("returned more than one row") || has("more than one row") => Code::Cardinality,
        () if has("parse") || has("Unsupported") => Code::BadValue,
        () if has("verflow") => Code::OutOfRange,
        () => Code::BadValue,
    }
}
