//! The entries of the fuzz targets, which the project's tests share.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/fuzz/entries/mod.rs"]
mod entries;

#[cfg(feature = "sql")]
pub use entries::sql;
pub use entries::{decode, expression, json, log_open, row, token};
