//! Cohortflow.
pub mod engine;
pub mod ingest;
pub mod query;
pub mod store;
