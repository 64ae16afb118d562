//! What is asked of an account: a new one, or a change.

use serde::Deserialize;

use super::account::Account;
use super::rights::Role;
use super::secret::{NoRandom, PASSWORD_MAX, PASSWORD_MIN, Password, Seal};
use crate::query::sight::{Menu, Place};

/// Longest name, in bytes.
pub const NAME_MAX: usize = 63;

/// Longest subject, in bytes: OpenID Connect's.
const SUBJECT_MAX: usize = 255;

/// Places, menus and tokens of an account.
const PLACES_MAX: usize = 1000;

/// What an account is to be. What is not said stays as it is, or is the role's.
#[derive(Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Of a new account.
    pub name: Option<String>,
    pub role: Option<Role>,
    pub places: Option<Vec<Place>>,
    pub menus: Option<Vec<Menu>>,
    pub channel: Option<String>,
    pub rows_a_day: Option<u64>,
    pub password: Option<String>,
    /// Whom the identity provider knows him as; empty: nobody.
    pub subject: Option<String>,
}

/// Why an account cannot be that.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("a name has 1 to {NAME_MAX} of: small letters, digits and . _ - @; it begins with a letter")]
    Name,
    #[error("a new account needs a role: {}", roles())]
    NoRole,
    #[error("a {} needs its places: cities, or districts of them", .0.name())]
    NoPlaces(Role),
    #[error("an account of the role {} sees nobody, and has no places", .0.name())]
    Places(Role),
    #[error("a place has a city, and its names are not empty; an account has at most {PLACES_MAX}")]
    BadPlaces,
    #[error("the role {} has no menu {menu}; it has: {}", .role.name(), menus(*.role))]
    Menu { role: Role, menu: String },
    #[error("an account of the role channel names its channel, and no other does")]
    Channel,
    #[error("a password has at least {PASSWORD_MIN} characters, at most {PASSWORD_MAX} bytes, and is not the name")]
    Password,
    #[error("a subject has at most {SUBJECT_MAX} bytes, and no control characters")]
    Subject,
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

fn roles() -> String {
    Role::ALL.map(Role::name).join(", ")
}

fn menus(role: Role) -> String {
    role.menus().iter().copied().map(name).collect::<Vec<_>>().join(", ")
}

fn name(menu: Menu) -> String {
    serde_json::to_value(menu).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Change {
    /// The account with what was asked, or a new one of that name.
    pub(super) fn of(
        self,
        held: Option<&Account>,
        named: &str,
        by: Option<&str>,
        seal: &Seal,
        now: i64,
    ) -> Result<Account, ChangeError> {
        let mut account = match held {
            Some(held) => held.clone(),
            None => Account {
                name: checked(named)?.to_owned(),
                role: self.role.ok_or(ChangeError::NoRole)?,
                places: Vec::new(),
                menus: None,
                channel: None,
                rows_a_day: None,
                password: None,
                subject: None,
                tokens: Vec::new(),
                created_at: now,
                created_by: by.map(str::to_owned),
            },
        };
        if let Some(role) = self.role.filter(|role| *role != account.role) {
            // What was said of another role says nothing of this one.
            (account.role, account.menus, account.channel, account.rows_a_day) = (role, None, None, None);
        }
        if let Some(places) = self.places {
            account.places = places;
        }
        if self.menus.is_some() {
            account.menus = self.menus;
        }
        if self.channel.is_some() {
            account.channel = self.channel;
        }
        if self.rows_a_day.is_some() {
            account.rows_a_day = self.rows_a_day;
        }
        if let Some(subject) = self.subject {
            if subject.len() > SUBJECT_MAX || subject.chars().any(char::is_control) {
                return Err(ChangeError::Subject);
            }
            account.subject = (!subject.is_empty()).then_some(subject);
        }
        agrees(&account)?;
        if let Some(password) = self.password {
            let is_long = password.chars().count() >= PASSWORD_MIN && password.len() <= PASSWORD_MAX;
            if !is_long || password == account.name {
                return Err(ChangeError::Password);
            }
            account.password = Some(Password::new(seal, &account.name, &password)?);
        }
        Ok(account)
    }
}

fn checked(name: &str) -> Result<&str, ChangeError> {
    let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
    let is_good = name.len() <= NAME_MAX
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(is_sign);
    if is_good { Ok(name) } else { Err(ChangeError::Name) }
}

fn agrees(account: &Account) -> Result<(), ChangeError> {
    let role = account.role;
    if role.is_of_places() && account.places.is_empty() {
        return Err(ChangeError::NoPlaces(role));
    }
    if !account.places.is_empty() && !role.sees_persons() {
        return Err(ChangeError::Places(role));
    }
    let is_empty = |place: &Place| place.city.is_empty() || place.district.as_ref().is_some_and(String::is_empty);
    if account.places.len() > PLACES_MAX || account.places.iter().any(is_empty) {
        return Err(ChangeError::BadPlaces);
    }
    if let Some(menu) = account.menus.iter().flatten().find(|menu| !role.menus().contains(menu)) {
        return Err(ChangeError::Menu { role, menu: name(*menu) });
    }
    if (role == Role::Channel) != account.channel.as_ref().is_some_and(|channel| !channel.is_empty()) {
        return Err(ChangeError::Channel);
    }
    Ok(())
}
