//! The views of Cohortflow as one pure dataflow.
//!
//! No files, no clock, no threads: this crate cannot fail.

pub mod programme;
pub mod records;
pub mod rules;
pub mod types;
