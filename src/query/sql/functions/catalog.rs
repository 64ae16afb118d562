//! What clients ask of the server about itself.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

use super::{VERSION, constant, function};

/// Who may see a view sees all of it that there is to the catalog.
const TRUE: &[&str] = &[
    "has_column_privilege",
    "has_function_privilege",
    "has_sequence_privilege",
    "has_type_privilege",
    "pg_collation_is_visible",
    "pg_conversion_is_visible",
    "pg_function_is_visible",
    "pg_has_role",
    "pg_opclass_is_visible",
    "pg_operator_is_visible",
    "pg_opfamily_is_visible",
    "pg_statistics_obj_is_visible",
    "pg_ts_config_is_visible",
    "pg_ts_dict_is_visible",
    "pg_ts_parser_is_visible",
    "pg_ts_template_is_visible",
    "pg_type_is_visible",
];

const FALSE: &[&str] = &["pg_is_in_recovery", "pg_is_other_temp_schema"];

/// Texts that nothing here has: views have no source, columns no sequence.
const NOTHING: &[&str] = &[
    "col_description",
    "inet_client_addr",
    "inet_server_addr",
    "json_build_object",
    "pg_advisory_unlock_all",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_function_result",
    "pg_get_function_sqlbody",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_ruledef",
    "pg_get_serial_sequence",
    "pg_get_triggerdef",
    "pg_get_viewdef",
    "pg_tablespace_location",
    "shobj_description",
];

/// Numbers that are 0: a view takes no room of its own.
const ZERO: &[&str] =
    &["pg_database_size", "pg_indexes_size", "pg_my_temp_schema", "pg_relation_is_updatable", "pg_table_size"];

pub fn functions() -> Vec<ScalarUDF> {
    let constants = |names: &[&'static str], value: ScalarValue| {
        names.iter().map(move |name| constant(name, value.clone())).collect::<Vec<_>>()
    };
    let mut functions = constants(TRUE, ScalarValue::Boolean(Some(true)));
    functions.extend(constants(FALSE, ScalarValue::Boolean(Some(false))));
    functions.extend(constants(NOTHING, ScalarValue::Utf8(None)));
    functions.extend(constants(ZERO, ScalarValue::Int64(Some(0))));
    // Types of extensions, which there are none of.
    functions.push(constant("to_regtype", ScalarValue::Int32(None)));
    functions
        .push(function("pg_size_pretty", DataType::Utf8, |arguments| texts_of(arguments, |bytes| Some(size(bytes)))));
    functions.push(function("current_setting", DataType::Utf8, |arguments| {
        let setting = |name: &str| match name {
            "search_path" => Some("public"),
            "server_version" => Some(VERSION),
            "server_version_num" => Some("160006"),
            "server_encoding" | "client_encoding" => Some("UTF8"),
            "transaction_isolation" => Some("repeatable read"),
            "transaction_read_only" | "default_transaction_read_only" | "standard_conforming_strings" => Some("on"),
            "TimeZone" | "timezone" => Some("UTC"),
            _ => None,
        };
        let first = match arguments.first() {
            Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)))) => {
                setting(name)
            }
            _ => None,
        };
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(first.map(str::to_owned))))
    }));
    functions
}

/// `obj_description`: of tables, what they tell.
pub fn descriptions(descriptions: HashMap<i64, &'static str>) -> ScalarUDF {
    function("obj_description", DataType::Utf8, move |arguments| {
        texts_of(arguments, |number| descriptions.get(&number).map(|text| (*text).to_owned()))
    })
}

/// The texts of numbers, the first argument.
fn texts_of(arguments: &[ColumnarValue], text: impl Fn(i64) -> Option<String>) -> Result<ColumnarValue> {
    let Some(first) = arguments.first() else { return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))) };
    let numbers = cast(&first.to_array(1)?, &DataType::Int64)?;
    let texts: StringArray = numbers.as_primitive::<Int64Type>().iter().map(|number| number.and_then(&text)).collect();
    if let (ColumnarValue::Scalar(_), 1) = (first, texts.len()) {
        let text = (!texts.is_null(0)).then(|| texts.value(0).to_owned());
        return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(text)));
    }
    Ok(ColumnarValue::Array(Arc::new(texts) as ArrayRef))
}

/// A number of bytes as PostgreSQL writes it: in the unit in which it has at most five digits, rounded half up.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut halves, mut unit) = (i128::from(bytes) * 2, 0);
    while unit + 1 < UNITS.len() && halves.abs() >= 2 * 10_240 {
        halves /= 1024;
        unit += 1;
    }
    let rounded = (halves.abs() + 1) / 2 * halves.signum();
    format!("{rounded} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_postgresql_writes_them() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (1_048_576, "1024 kB"),
            (10_485_760, "10 MB"),
            (-10_240, "-10 kB"),
            (15_873, "16 kB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
