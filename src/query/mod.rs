//! The query room: every view by name, at one epoch, and one customer's card.
//!
//! Reads what the engine published and what the store keeps; writes nothing.

mod arrays;
mod campaigns;
mod card;
mod care;
mod catalog;
mod cell;
mod changes;
mod community;
mod customers;
pub mod download;
mod effects;
pub mod export;
pub mod filter;
pub mod fit;
mod goals;
pub mod leaderboard;
mod orders;
mod penetration;
mod points;
mod prizes;
mod reading;
pub mod receipt;
mod referrals;
mod review;
mod rows;
pub mod sight;
#[cfg(feature = "sql")]
pub mod sql;
mod statistics;
mod targets;
pub mod whatif;
pub mod why;

pub use card::{Card, card};
pub use catalog::{Column, Kind, VIEWS, View, absent, nearest, view};
pub use cell::Cell;
pub use reading::{Reading, Readings};
pub use rows::{Sources, is_by_customer, rows, tier_of};
