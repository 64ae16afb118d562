//! Rules: what a planner may write in `when`, as data, and how columns are tested by it.
//!
//! [`Expr`] is a checked rule; [`plan::plan`] turns it into range tests and word tests once;
//! [`evaluate::evaluate`] tests thousands of customers at a time.

mod attribute;
pub mod clauses;
pub mod compiled;
mod display;
pub mod evaluate;
mod expression;
pub mod plan;
mod ratios;
mod terms;
pub mod text;

pub use attribute::{Attribute, Family, Type};
pub use expression::{Arithmetic, Comparison, Expr, Number};
