//! What the fuzz targets do with bytes. `fuzz/` gives them bytes for as long as it is let; the tests
//! beside give them seeds, and a few thousand changes of those.
//!
//! An entry panics where the product breaks a promise, and returns where it refuses.

#[path = "../../common/mod.rs"]
pub mod common;
pub mod expression;
pub mod extracts;
pub mod json;
pub mod log_open;
#[cfg(feature = "sql")]
pub mod sql;
pub mod token;

pub use expression::expression;
pub use extracts::{decode, row};
pub use json::json;
pub use log_open::log_open;
#[cfg(feature = "sql")]
pub use sql::sql;
pub use token::token;
