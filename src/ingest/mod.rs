//! Ingest: extracts become rows and rejects.
//!
//! ```text
//! file ─► landing (names, control) ─► decode (container, encoding, splitting) ─► rows (typed, interned)
//! ```
//!
//! A file is one unit: [`read()`] gives its whole [`Extract`], or the reason why it is refused whole.
//! Nothing here knows what came before; partitions, versions and durability are the store's.

mod batch;
mod campaigns;
mod control;
mod encoding;
mod error;
mod extract;
mod feeds;
mod fields;
mod header;
mod keys;
mod lines;
mod mask;
mod named;
pub mod names;
pub mod objects;
mod orders;
mod parquet;
mod read;
mod reason;
mod row;
mod schema;
mod sheet;
mod source;
mod split;
mod stream;

pub use control::Control;
pub use error::{Code, ReadError, Refused, Retry};
pub use extract::{Extract, Intern, Named, Partition, Reasons, Reject, Settings, Took};
pub use lines::Lines;
pub use read::{read, read_bytes};

/// A moment of local time as files write it; none where it is no such text.
pub fn moment(text: &str, zone: &jiff::tz::TimeZone) -> Option<dataflows::types::Time> {
    fields::time(text, zone).ok()
}

/// An id as quarantine shows it, where that still tells something of it.
pub fn masked(id: &str) -> Option<String> {
    let shown = mask::row(std::iter::once(id.as_bytes()), ',', |_| false);
    (shown != id && shown.bytes().any(|byte| byte.is_ascii_digit())).then_some(shown)
}

/// The digits of a phone number as they are made into a token; none where a text is no phone number.
pub fn phone(text: &str) -> Option<String> {
    fields::phone(text)
}
