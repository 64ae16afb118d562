//! Cohortflow.
pub mod engine;
pub mod ingest;
pub mod programme;
pub mod query;
pub mod store;
