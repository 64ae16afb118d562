//! Functions whose answers are as long as their arguments say: only so long here.
//!
//! What a function makes is not counted with what a statement holds, and is made at once.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::length::length;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

/// What says how long an answer is.
#[derive(Clone, Copy, Debug)]
enum By {
    /// The length of the first argument, so many times as the second says.
    Times,
    /// The number that the second argument is.
    Number,
    /// The lengths of all arguments together.
    Sum,
    /// From a number to a number, by steps.
    Span,
}

const FUNCTIONS: &[(&str, By)] = &[
    ("array_repeat", By::Times),
    ("array_resize", By::Number),
    ("concat", By::Sum),
    ("concat_ws", By::Sum),
    ("generate_series", By::Span),
    ("lpad", By::Number),
    ("range", By::Span),
    ("repeat", By::Times),
    ("rpad", By::Number),
];

/// The most that is made of one row, and of all rows of a batch: characters, or elements.
const LENGTH_MAX: i64 = 1_000_000;
const LENGTHS_MAX: i64 = 50_000_000;

pub fn register(context: &SessionContext) {
    let state = context.state();
    for (name, by) in FUNCTIONS {
        if let Ok(function) = state.udf(name) {
            super::replace(context, ScalarUDF::from(Bounded { name, by: *by, function }));
        }
    }
}

/// A function that refuses what would be too long.
#[derive(Debug)]
struct Bounded {
    name: &'static str,
    by: By,
    function: Arc<ScalarUDF>,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Bounded) -> bool {
        self.name == other.name
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Bounded {
    fn check(&self, arguments: &[ColumnarValue], rows: usize) -> Result<()> {
        let lengths = match self.by {
            By::Span => vec![span(arguments)],
            By::Number => numbers(arguments.get(1), rows)?,
            By::Times => {
                let (lengths, times) = (lengths(arguments.first(), rows)?, numbers(arguments.get(1), rows)?);
                lengths.iter().zip(times).map(|(length, times)| length.saturating_mul(times.max(0))).collect()
            }
            By::Sum => {
                let mut sums = vec![0_i64; rows];
                for argument in arguments {
                    let lengths = lengths(Some(argument), rows)?;
                    sums.iter_mut().zip(lengths).for_each(|(sum, length)| *sum = sum.saturating_add(length));
                }
                sums
            }
        };
        let all = lengths.iter().fold(0_i64, |all, length| all.saturating_add(*length));
        if all > LENGTHS_MAX || lengths.iter().any(|length| *length > LENGTH_MAX) {
            return Err(resources_datafusion_err!(
                "{} makes more than {LENGTH_MAX} characters or elements of a row, or {LENGTHS_MAX} of some thousand rows",
                self.name
            ));
        }
        Ok(())
    }
}

/// The numbers that an argument is; 0 for null.
fn numbers(argument: Option<&ColumnarValue>, rows: usize) -> Result<Vec<i64>> {
    let Some(argument) = argument else { return Ok(vec![0; rows]) };
    let numbers = cast(&argument.to_array(rows)?, &DataType::Int64)?;
    Ok(numbers.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default).collect())
}

/// How long the texts or lists are that an argument is; 1 of everything else.
fn lengths(argument: Option<&ColumnarValue>, rows: usize) -> Result<Vec<i64>> {
    let Some(argument) = argument else { return Ok(vec![0; rows]) };
    let array = argument.to_array(rows)?;
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::List(_) | DataType::LargeList(_) => {
            numbers(Some(&ColumnarValue::Array(length(&array)?)), rows)
        }
        _ => Ok(vec![1; rows]),
    }
}

/// From, to, step: an integer each, or it is a span of days, which no list is made of.
fn span(arguments: &[ColumnarValue]) -> i64 {
    let numbers: Option<Vec<i64>> = arguments.iter().map(scalar).collect();
    let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else { return i64::MAX };
    let (from, to) = if numbers.len() == 1 { (0, numbers[0]) } else { (numbers[0], numbers[1]) };
    let step = numbers.get(2).copied().unwrap_or(1).unsigned_abs().max(1);
    i64::try_from(from.abs_diff(to) / step).unwrap_or(i64::MAX)
}

fn scalar(value: &ColumnarValue) -> Option<i64> {
    match value {
        ColumnarValue::Scalar(value) => match value.cast_to(&DataType::Int64).ok()? {
            ScalarValue::Int64(number) => number,
            _ => None,
        },
        ColumnarValue::Array(_) => None,
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.inner().return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.inner().return_field_from_args(arguments)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.inner().coerce_types(types)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&arguments.args, arguments.number_rows)?;
        self.function.inner().invoke_with_args(arguments)
    }
}
