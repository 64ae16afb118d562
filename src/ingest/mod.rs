//! Ingest: extracts become rows and rejects.
//!
//! ```text
//! file ─► landing (names, control) ─► decode (container, encoding, splitting) ─► rows (typed, interned)
//! ```
//!
//! A file is one unit: [`read`] gives its whole [`Extract`], or the reason why it is refused whole.
//! Nothing here knows what came before; partitions, versions and durability are the store's.

mod extract;

pub use extract::{Extract, Intern, Partition, Reject, Settings};
