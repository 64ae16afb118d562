//! An account, as it is kept.

use serde::{Deserialize, Serialize};

use super::rights::Role;
use super::secret::Password;
use crate::query::sight::{Menu, Place};

/// Somebody, or a program, who may ask.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub name: String,
    pub role: Role,
    /// Where those live whom he sees; empty: everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Of his role's menus, those that he has; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menus: Option<Vec<Menu>>,
    /// Whose lists a channel's account reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Rows about persons that he may take in a day, where it is not his role's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_a_day: Option<u64>,
    /// Without one he has tokens, or logs in elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Whom the identity provider knows him as. Without one he does not log in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<Token>,
    /// Seconds since 1970.
    pub created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// What a program asks with. The token itself is told once, and kept nowhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// By which it is taken back.
    pub id: String,
    /// BLAKE3 of the token: it is random, and cannot be found by trying.
    pub hash: String,
    pub created_at: i64,
    /// Seconds since 1970; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}
