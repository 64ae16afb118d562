//! Cohortflow.
pub mod cli;
pub mod engine;
pub mod ingest;
pub mod intake;
pub mod programme;
pub mod query;
pub mod serve;
pub mod store;
pub mod verify;
