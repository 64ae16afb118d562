//! Cohortflow.
pub mod ingest;
