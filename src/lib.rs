//! Cohortflow.
pub mod ingest;
pub mod store;
