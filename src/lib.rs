//! Cohortflow.
pub mod cli;
pub mod engine;
pub mod generate;
pub mod ingest;
pub mod intake;
pub mod programme;
pub mod query;
pub mod store;
