//! Who asks, as his account is at that moment.

use std::sync::Arc;

use super::account::Account;
use super::rights::{Right, Role};
use crate::query::sight::{Menu, Sight};

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Viewer {
    /// None: whoever keeps the service, while there are no accounts.
    account: Option<Arc<Account>>,
    pub sight: Sight,
}

impl Viewer {
    /// Whoever keeps the service.
    pub fn keeper() -> Viewer {
        Viewer { account: None, sight: Sight::everything() }
    }

    pub fn of(account: Arc<Account>) -> Viewer {
        let role = account.role;
        let has = |menu: &Menu| account.menus.as_ref().is_none_or(|own| own.contains(menu));
        let menus = role.menus().iter().copied().filter(has).collect();
        let places = (!account.places.is_empty()).then(|| account.places.clone().into());
        let sight = Sight::new(menus, role.sees_persons(), role.sees_numbers(), places);
        let sight = match &account.channel {
            Some(channel) => sight.of_channel(channel),
            None => sight,
        };
        Viewer { account: Some(account), sight }
    }

    /// The account's name.
    pub fn name(&self) -> Option<&str> {
        self.account.as_deref().map(|account| account.name.as_str())
    }

    pub fn role(&self) -> Option<Role> {
        self.account.as_deref().map(|account| account.role)
    }

    pub fn account(&self) -> Option<&Account> {
        self.account.as_deref()
    }

    pub fn may(&self, right: Right) -> bool {
        self.role().is_none_or(|role| role.rights().contains(&right))
    }

    /// Whether he sees the whole province, or some of it.
    pub fn sees_province(&self) -> bool {
        self.sight.places().is_none()
    }

    /// Rows about persons that he may take in a day; none: as many as there are.
    pub fn rows_a_day(&self) -> Option<u64> {
        let account = self.account.as_deref()?;
        Some(account.rows_a_day.unwrap_or(account.role.rows_a_day()))
    }
}
