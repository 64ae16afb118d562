//! Cohortflow keeps a mobile operator's marketing answers live: billing extracts go in as deltas;
//! customer attributes, A-F star tiers, segments and their counts come out, always equal to a full
//! recompute.
//!
//! ```text
//! extract ─► ingest ─► store ─► engine ─► snapshots ─► query ─► serve, cli
//!            rows and  durable  dataflows one per      views,   HTTP
//!            rejects   batch    (pure)    epoch        cards
//! ```
//!
//! Data moves one way. What stands to the right never calls what stands to its left, and nothing
//! right of the engine can write: what `serve` accepts for writing goes through [`intake`], the way
//! in, like any file.
//!
//! | room | holds | knows nothing of |
//! |---|---|---|
//! | [`ingest`] | one file: container, encoding, splitting, typed rows, rejects | other files, what stands |
//! | [`store`] | the log of accepted partitions, the dictionary, the ledger, what stands | views, programmes |
//! | `dataflows` | the views, as one pure dataflow, and the oracle | files, clocks, threads |
//! | [`engine`] | timely workers, one epoch in flight, what was published last | files |
//! | [`campaigns`] | how far campaigns have come, what may come next, what they are likely to bring | files, HTTP |
//! | [`query`] | every view by name at one epoch, cards, export | how anything came to be |
//! | [`intake`] | the order of the three: decode ahead, commit, submit; programmes in force | |
//! | [`feeds`] | any view as rows, then as what becomes of them, for whoever goes on later too | HTTP |
//! | [`handoff`] | targets into contacts: the second check, room, the outbox, what is withdrawn from it | HTTP |
//! | [`posting`] | webhooks: addresses, signatures, when something is tried again | what is posted |
//! | [`orders`] | replies into order requests, what is given out to be provisioned, and what came of it | HTTP |
//! | [`programme`] | TOML and rules into what the dataflow evaluates, errors that point | everything else |
//! | `support` | what whoever helps is given: counts and sizes | rows |
//! | [`telemetry`] | the log, the latest of its lines, spans to a collector | everything else |
//! | [`notices`] | texts that staff keep, which no view hangs on | everything else |
//! | [`numbers`] | phone numbers in texts, hidden | everything else |
//! | [`access`] | accounts, rights, what each may see, the record of what was done | HTTP, SQL |
//! | [`serve`], [`cli`] | HTTP, the landing directory, commands | |
//!
//! What is deliberately absent: no view is kept on disk (the log gives them all back), no float is
//! in any maintained view, no wall clock is read inside the dataflow (it enters as a fact), and no
//! phone number is in anything but the file it came in (a keyed token is kept).
//!
//! ## An epoch
//!
//! 1. A file is decoded whole, or refused whole ([`ingest::read`]).
//! 2. The store sets its rows against what stands, appends one frame, syncs ([`store::Store::accept`]).
//!    A failed sync ends the process: what the disk holds is then unknown, and asking again would lie.
//! 3. The difference, as facts, goes to the workers ([`engine::Hub::submit`]). What arrives while they
//!    are busy becomes one epoch: views depend on what was accepted, never on how it was cut.
//! 4. Each worker writes the facts into its columns, re-evaluates the customers touched, emits
//!    differences; when the frontier has passed the epoch, snapshots are published together.

#![forbid(unsafe_code)]

pub mod access;
pub mod campaigns;
pub mod cli;
pub mod engine;
pub mod feeds;
pub mod generate;
pub mod handoff;
pub mod ingest;
pub mod intake;
pub mod notices;
pub mod numbers;
pub mod orders;
mod output;
pub mod posting;
mod priority;
pub mod programme;
pub mod query;
pub mod serve;
pub mod store;
mod support;
pub mod telemetry;
mod trust;
pub mod verify;
