//! Cohortflow.
pub mod ingest;
pub mod programme;
