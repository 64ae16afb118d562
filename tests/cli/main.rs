//! The command line's door: the built binary, as a new user runs it.
//!
//! Exit codes are 0 done, 1 answered no, 2 could not. An error's first line is one fact that names the
//! thing; what to do follows it as a hint. No phone number of any file may be told or written.

mod asking;
mod binary;
mod campaigns;
mod errors;
#[allow(dead_code, reason = "shared with the tests of the service")]
#[path = "../http/exchange.rs"]
mod exchange;
#[allow(dead_code, reason = "shared with the tests of the service")]
#[path = "../http/files.rs"]
mod files;
mod help;
mod pipes;
mod programmes;
mod provinces;
mod runs;
#[allow(dead_code, reason = "shared with the tests of the service")]
#[path = "../http/service.rs"]
mod service;
