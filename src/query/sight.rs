//! What of the views somebody may see. It is applied where rows are made, beneath every condition, grouping and sum: what
//! he may not see is not there for whatever he asks.

use std::borrow::Cow;
use std::sync::Arc;

use dataflows::table::chunk::CITY;
use dataflows::types::CustomerIx;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::{Cell, Column, Kind, View};
use crate::engine::Published;
use crate::store::{Dictionary, Names};

/// What staff may be given to read, by the menus of their reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Menu {
    /// Attributes, classes, segments.
    Customers,
    /// Points and ranks.
    Ranks,
    /// Who came, left, visited, brought whom.
    Members,
    /// What members said, by topic.
    Opinions,
    /// Who uses which service, and who is to be helped with it.
    Services,
    /// Counts, by city and kind.
    Statistics,
    /// Target lists.
    Campaigns,
    /// What came of campaigns, and goals.
    Effects,
    /// What was delivered.
    Feeds,
}

/// Whom rows of a view are about: what those who may see a few places only are shown of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The persons whose ids stand in these columns: rows of places where all of them live.
    Persons(&'static [&'static str]),
    /// The customers of the city in this column: rows of whole cities.
    City(&'static str),
    /// The customers of the province: nothing.
    Province,
    /// Nobody: everything.
    Nobody,
}

/// A city, or a district of one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
}

/// What somebody may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sight {
    menus: Vec<Menu>,
    /// Rows about single persons.
    persons: bool,
    /// What stands for phone numbers.
    numbers: bool,
    /// Those who live there, and counts of them; none: everybody.
    places: Option<Arc<[Place]>>,
    /// Rows of that channel alone; none: of all.
    channel: Option<Arc<str>>,
}

/// Why somebody is not shown a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unseen {
    #[error("it belongs to a menu that the account does not have")]
    Menu,
    #[error("its rows are about single persons, whom the account may not see")]
    Persons,
    #[error("its rows are about the whole province, and the account sees some places of it")]
    Province,
    #[error("its rows are of no channel, and the account sees those of one")]
    Channel,
    #[error("the account sees some of its rows, or some of their columns: it reads them by pages, and follows none")]
    InPart,
}

impl Sight {
    /// Of whoever keeps the service, and of the service itself.
    pub fn everything() -> Sight {
        Sight { menus: Menu::ALL.to_vec(), persons: true, numbers: true, places: None, channel: None }
    }

    pub fn new(menus: Vec<Menu>, persons: bool, numbers: bool, places: Option<Arc<[Place]>>) -> Sight {
        Sight { menus, persons, numbers, places, channel: None }
    }

    /// Of one channel's rows alone.
    pub fn of_channel(self, channel: &str) -> Sight {
        Sight { channel: Some(channel.into()), ..self }
    }

    /// Whether all that a view holds is shown as it stands.
    pub fn is_whole(&self, view: &View) -> bool {
        let hides_numbers = !self.numbers && view.columns.iter().any(|column| column.kind == Kind::Token);
        let is_near = self.places.is_none() || view.whose == Whose::Nobody;
        self.unseen(view).is_none() && !hides_numbers && is_near && self.channel.is_none()
    }

    /// Why a view is not shown at all, if it is not.
    pub fn unseen(&self, view: &View) -> Option<Unseen> {
        if !self.menus.contains(&view.menu) {
            return Some(Unseen::Menu);
        }
        match view.whose {
            Whose::Persons(_) if !self.persons => Some(Unseen::Persons),
            Whose::Province if self.places.is_some() => Some(Unseen::Province),
            _ if self.channel.is_some() && view.columns.iter().all(|column| column.name != CHANNEL) => {
                Some(Unseen::Channel)
            }
            _ => None,
        }
    }

    pub fn has(&self, menu: Menu) -> bool {
        self.menus.contains(&menu)
    }

    pub fn menus(&self) -> &[Menu] {
        &self.menus
    }

    pub fn sees_persons(&self) -> bool {
        self.persons
    }

    /// Why a view is not followed, if it is not. A feed tells what becomes of rows: those of whole cities are told by their
    /// column, but where persons live changes without their rows' changing.
    pub fn unfollowed(&self, view: &View) -> Option<Unseen> {
        let is_told = self.is_whole(view) || matches!(view.whose, Whose::City(_)) && self.channel.is_none();
        self.unseen(view).or_else(|| (!is_told).then_some(Unseen::InPart))
    }

    /// The places that are seen, where not everything is.
    pub fn places(&self) -> Option<&[Place]> {
        self.places.as_deref()
    }

    /// Whether whole cities, and no less, are seen of the province.
    pub fn is_of_cities(&self) -> bool {
        self.places().is_none_or(|places| places.iter().all(|place| place.district.is_none()))
    }
}

/// Somebody's sight of one epoch.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub sight: &'a Sight,
    /// Where everybody lives; rows may be made of a part.
    pub published: &'a Published,
    pub names: &'a Names,
    /// For finding persons by the ids that stand in rows.
    pub dictionary: &'a RwLock<Dictionary>,
}

impl Seen<'_> {
    /// Whether a customer is one of those who are seen. Nobody knows where a customer of whom nothing was delivered lives.
    pub fn holds(&self, id: &str) -> bool {
        let Some(places) = self.sight.places() else { return true };
        // Others hold the dictionary while they visit rows, and a writer may wait for them: this does not wait for the writer.
        let customer = self.dictionary.read_recursive().customers.find(id).map(CustomerIx);
        let found = customer.and_then(|customer| self.published.customer(customer));
        let Some((chunk, slot)) = found else { return false };
        let word = |column: usize| self.names.words.text(chunk.customers.texts[column].get(slot)).unwrap_or_default();
        let (city, district) = (word(CITY), word(DISTRICT));
        let is_there =
            |place: &Place| place.city == city && place.district.as_deref().is_none_or(|own| own == district);
        !city.is_empty() && places.iter().any(is_there)
    }

    /// Whether a whole city is seen.
    fn holds_city(&self, city: &str) -> bool {
        let is_it = |place: &Place| place.district.is_none() && place.city == city;
        self.sight.places().is_none_or(|places| places.iter().any(is_it))
    }

    /// The row as it is shown; none where it is not. `cells` are of a view that is shown.
    pub(super) fn shown<'c, 't>(&self, view: &View, cells: &'c [Cell<'t>]) -> Option<Cow<'c, [Cell<'t>]>> {
        let cell =
            |name: &str| view.columns.iter().position(|column| column.name == name).and_then(|place| cells.get(place));
        let is_near = match view.whose {
            Whose::Nobody => true,
            Whose::Province => self.sight.places.is_none(),
            Whose::City(column) => match cell(column) {
                Some(Cell::Text(city)) => self.holds_city(city),
                _ => self.sight.places.is_none(),
            },
            Whose::Persons(columns) => columns.iter().all(|column| match cell(column) {
                Some(Cell::Text(id)) => self.holds(id),
                // It names nobody.
                Some(Cell::Null) => true,
                _ => false,
            }),
        };
        let is_own = self
            .sight
            .channel
            .as_deref()
            .is_none_or(|own| matches!(cell(CHANNEL), Some(Cell::Text(channel)) if channel == own));
        if !is_near || !is_own {
            return None;
        }
        if self.sight.numbers || view.columns.iter().all(|column| column.kind != Kind::Token) {
            return Some(Cow::Borrowed(cells));
        }
        let masked =
            |(column, cell): (&Column, &Cell<'t>)| if column.kind == Kind::Token { Cell::Null } else { cell.clone() };
        Some(view.columns.iter().zip(cells).map(masked).collect())
    }
}

/// The column that tells of which channel a row is.
const CHANNEL: &str = "channel_id";

/// Where districts stand among a chunk's texts.
const DISTRICT: usize = CITY + 1;

impl Menu {
    pub const ALL: [Menu; 9] = [
        Menu::Customers,
        Menu::Ranks,
        Menu::Members,
        Menu::Opinions,
        Menu::Services,
        Menu::Statistics,
        Menu::Campaigns,
        Menu::Effects,
        Menu::Feeds,
    ];
}
