//! Campaigns as those see them who run them: how far each has come, what may come next, what it is likely to bring.
//!
//! ```text
//! changes (store), plans (programme) ─► states: rules ─┐
//! counts, contacts, feedback (what is published) ──────┴─► accounts, prediction ─► query, serve; intake asks the rules
//! ```
//!
//! Writes nothing: what is changed goes through [`crate::intake`].

mod accounts;
mod course;
mod plans;
mod predict;
mod refused;
mod states;
#[cfg(test)]
mod tests;

pub use accounts::{Account, Counts, Held, account, accounts, counts, histories, history};
pub use course::Course;
pub use plans::{contents, money, plan};
pub use predict::{Comparable, Grounds, Likeness, Prediction, predict};
pub use refused::Refused;
pub use states::{Change, CityState, Progress, follow};
