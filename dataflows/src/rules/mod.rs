//! Rules: what a planner may write in `when`, as data.

mod attribute;
mod display;
mod expression;

pub use attribute::{Attribute, Type};
pub use expression::{Arithmetic, Comparison, Expr, Number};
