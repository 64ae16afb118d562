//! Functions that PostgreSQL has and DataFusion has not, or has otherwise.

mod bounded;
mod catalog;
mod to_char;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::expr_fn::SimpleScalarUDF;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Signature, Volatility};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

/// What clients ask for to see what they may send.
pub const VERSION: &str = "16.6";

/// Registers all but those that tell who asks.
pub fn register(context: &SessionContext) {
    let version = format!("PostgreSQL {VERSION} (Cohortflow {})", env!("CARGO_PKG_VERSION"));
    replace(context, constant("version", ScalarValue::Utf8(Some(version))));
    replace(context, constant("current_catalog", ScalarValue::Utf8(Some(super::DATABASE.to_owned()))));
    replace(context, to_char::function());
    catalog::functions().into_iter().for_each(|function| replace(context, function));
    bounded::register(context);
}

/// Puts a function in the place of what has its name, whose other names go too: under them it would come back
/// whenever a session's functions are put together anew.
fn replace(context: &SessionContext, function: ScalarUDF) {
    context.deregister_udf(function.name());
    context.register_udf(function);
}

/// What tells of tables in words, by their numbers in the catalog.
pub fn register_descriptions(context: &SessionContext, descriptions: HashMap<i64, &'static str>) {
    context.register_udf(catalog::descriptions(descriptions));
}

/// Functions that tell who asks.
pub fn register_user(state: &mut SessionState, user: &str) -> Result<()> {
    for name in ["session_user", "current_user", "user", "current_role"] {
        state.deregister_udf(name)?;
        state.register_udf(Arc::new(constant(name, ScalarValue::Utf8(Some(user.to_owned())))))?;
    }
    Ok(())
}

/// A function of whatever arguments that always tells the same.
fn constant(name: &str, value: ScalarValue) -> ScalarUDF {
    let data_type = value.data_type();
    function(name, data_type, move |_| Ok(ColumnarValue::Scalar(value.clone())))
}

/// A function of whatever arguments, none as well.
fn function(
    name: &str,
    returns: DataType,
    tell: impl Fn(&[ColumnarValue]) -> Result<ColumnarValue> + Send + Sync + 'static,
) -> ScalarUDF {
    let signature = Signature::one_of(
        vec![datafusion::logical_expr::TypeSignature::Nullary, datafusion::logical_expr::TypeSignature::VariadicAny],
        Volatility::Stable,
    );
    ScalarUDF::from(SimpleScalarUDF::new_with_signature(name, signature, returns, Arc::new(tell)))
}
