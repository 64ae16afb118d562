//! The service's door: the built binary serves, and a stranger asks.
//!
//! Requests are written as bytes, so that malformed ones can be sent too, and every answer is read to
//! its end. What a test waits for is asked of the service until a deadline; nothing is slept for.
//! Nothing that the service tells, by HTTP, on stderr or in its log, may hold a phone number.

mod access;
mod campaigns;
mod canaries;
#[path = "../common/canary.rs"]
mod canary;
mod customers;
mod deliveries;
mod edits;
mod effects;
mod erasure;
mod exchange;
mod feeds;
mod files;
mod filters;
mod fit;
mod full;
mod handoff;
mod health;
mod held;
mod hostile;
mod observed;
mod offers;
mod oidc;
mod orders;
mod points;
mod posted;
mod programmes;
mod receiver;
mod restarts;
mod service;
mod standing;
mod support;
#[cfg(feature = "otlp")]
mod traces;
mod verification;
mod views;
mod webhook;
mod whatif;
mod why;
mod worklist;
