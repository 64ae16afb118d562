//! What the fuzz targets do with bytes. `fuzz/` gives them bytes for as long as it is let; the tests
//! beside give them seeds, and a few thousand changes of those.
//!
//! An entry panics where the product breaks a promise, and returns where it refuses.

#[path = "../../common/mod.rs"]
pub mod common;
pub mod expression;
pub mod extracts;
pub mod log_open;

pub use expression::expression;
pub use extracts::{decode, row};
pub use log_open::log_open;
