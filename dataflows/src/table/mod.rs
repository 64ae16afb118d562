//! The table of customers: what is known of each, in columns, sharded over the workers.
//!
//! A worker owns the customers whose number leaves its index modulo the workers; customer `ix` is
//! its slot `ix / workers`, and slots stand in chunks of 2048. Facts are written to the *working*
//! chunks; settling re-evaluates what they touch, emits the differences from the *settled* chunks,
//! and makes the working chunks the settled ones. Readers only ever see settled chunks.

mod apply;
pub mod catalog;
pub mod chunk;
pub mod column;
mod consents;
pub mod events;
mod held;
mod memo;
pub mod moments;
pub mod orders;
pub(crate) mod sorted;

pub use apply::{Reach, Table, Touch};
pub use chunk::Chunk;
pub use held::KINDS;
pub use memo::Memo;
pub use sorted::Sorted;
