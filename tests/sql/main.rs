//! SQL over the wire: the built binary serves, and a driver of PostgreSQL asks.

#[allow(dead_code, reason = "the door's tests use all of it")]
#[path = "../http/exchange.rs"]
mod exchange;
#[allow(dead_code, reason = "the door's tests use all of it")]
#[path = "../http/files.rs"]
mod files;
#[allow(dead_code, reason = "the door's tests use all of it")]
#[path = "../http/service.rs"]
mod service;

mod access;
mod client;
mod clients;
mod cursors;
mod errors;
mod frames;
mod http;
mod limits;
mod reads_only;
mod settings;
mod subscribe;
mod transactions;
mod views;
