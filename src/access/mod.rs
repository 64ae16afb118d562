//! Who may see and do what: accounts, their roles, how they log in, and the record of what they did.
//!
//! ```text
//! who asks ─► accounts ─► viewer ─► rights (which routes and statements) ─► sight (which rows, beneath what he asks)
//!             login       what the account is now                          └► audit (before an answer leaves)
//! ```
//!
//! With no account the service is one person's, and everything is his. The first account ends that. An account is looked up
//! anew at every request and statement, so that what it loses, it has lost at the next.
//!
//! Kept in DATA/access, apart from the log: who may see it is no view's matter. Passwords are kept as Argon2id, API tokens
//! and sessions as hashes; what SQL's SCRAM needs is sealed under the key that stands outside the data.

mod account;
mod accounts;
pub mod audit;
mod change;
mod login;
pub mod oidc;
mod rights;
mod secret;
mod throttle;
mod viewer;

#[cfg(test)]
mod tests;

pub use account::{Account, Token};
pub use accounts::{Accounts, AccountsError};
pub use change::{Change, ChangeError, NAME_MAX};
pub use login::{LoginError, SESSION_SECONDS};
pub use rights::{Right, Role};
#[cfg(feature = "sql")]
pub use secret::SCRAM_ITERATIONS;
pub use viewer::Viewer;
