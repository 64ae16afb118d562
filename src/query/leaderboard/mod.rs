//! The leaderboard: where a member stands, and who is next to him.
//!
//! Nobody's position is kept: members are kept in order, and a lookup searches. Whoever feeds the
//! engine pays nothing for it, and who never asks keeps nothing. The first to ask has everybody sorted;
//! whoever asks later moves those who changed since. 48 bytes a member.
//!
//! Decided here:
//! - Members alone count, each with his whole balance. Position = 1 + how many have more; whoever has
//!   as much shares it.
//! - The order in which neighbours stand is by balance, the greatest first, then by customer_id as bytes.
//! - Those whose city is null are a city of their own, as in the counts by city.

mod order;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use dataflows::types::{CustomerIx, Word};
use parking_lot::Mutex;
use serde::Serialize;

use crate::engine::Published;
use crate::store::{Names, Texts};
use order::{Entry, Order, sorted};
use seen::{Member, Seen, city, differences};

/// Neighbours on each side, unless somebody asks for another number.
pub const NEIGHBOURS_DEFAULT: usize = 3;
/// Most neighbours on each side.
pub const NEIGHBOURS_MAX: usize = 50;

/// Where a member stands.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Standing {
    pub customer_id: String,
    pub epoch: u64,
    pub city: Option<String>,
    pub balance: i64,
    pub rank: Option<String>,
    pub in_province: Place,
    pub in_city: Place,
}

/// Where he stands among some.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Place {
    pub position: usize,
    /// Others with the same balance.
    pub tied: usize,
    /// All of them, himself included.
    pub members: usize,
    /// Who is next above, in the order of the board: the nearest last.
    pub above: Vec<Neighbour>,
    /// Who is next below, the nearest first.
    pub below: Vec<Neighbour>,
}

/// Somebody near him.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Neighbour {
    pub customer_id: String,
    pub position: usize,
    pub balance: i64,
}

/// One change in so many members is told to the orders; from there on sorting everybody is faster.
const CHANGED_SHARE: usize = 32;

/// Members in order, as somebody last needed them.
#[derive(Default)]
pub struct Leaderboard {
    kept: ArcSwap<Orders>,
    /// Held by whoever brings them up to date: others wait for what he makes.
    making: Mutex<()>,
}

#[derive(Clone, Default)]
struct Orders {
    /// What they are of.
    of: Weak<Published>,
    seen: Vec<Seen>,
    province: Order,
    cities: BTreeMap<Word, Arc<Order>>,
}

impl Leaderboard {
    /// Where a customer stands, with at most so many neighbours on each side. None where he is no member.
    /// `names` have everybody who is published.
    pub fn standing(
        &self,
        published: &Arc<Published>,
        names: &Names,
        customer: CustomerIx,
        neighbours: usize,
    ) -> Option<Standing> {
        let (chunk, slot) = published.customer(customer)?;
        let balance = chunk.points.get(slot).filter(|balance| balance.member && published.points.is_there)?.left;
        let orders = self.orders(published, &names.customers);
        let word = |number: u32| names.words.text(number).filter(|text| !text.is_empty()).map(str::to_owned);
        let place = |order: &Order| place(order, (balance, customer), neighbours, &names.customers);
        let city = city(chunk, slot);
        Some(Standing {
            customer_id: names.customers.text(customer.0)?.to_owned(),
            epoch: published.epoch,
            city: word(city.0),
            balance,
            rank: word(published.points.rank(balance).0),
            in_province: place(&orders.province),
            in_city: place(orders.cities.get(&city)?),
        })
    }

    /// The orders of what is published.
    fn orders(&self, published: &Arc<Published>, names: &Texts) -> Arc<Orders> {
        let is_of = |kept: &Orders| std::ptr::eq(kept.of.as_ptr(), Arc::as_ptr(published));
        let kept = self.kept.load_full();
        if is_of(&kept) {
            return kept;
        }
        let _making = self.making.lock();
        let kept = self.kept.load_full();
        if is_of(&kept) {
            return kept;
        }
        let orders = Arc::new(kept.brought_to(published, names));
        self.kept.store(orders.clone());
        orders
    }
}

impl Orders {
    /// What they become with what is published.
    fn brought_to(&self, published: &Arc<Published>, names: &Texts) -> Orders {
        let (mut seen, mut changes) = (Vec::with_capacity(self.seen.len()), Vec::new());
        for (place, (chunk, customer)) in published.chunks().enumerate() {
            // Chunks of the second worker move on where the first gains one.
            let is_first = |seen: &&Seen| seen.first == customer(0);
            let before = self.seen.get(place).filter(is_first).or_else(|| self.seen.iter().find(is_first));
            if let Some(same) = before.filter(|before| before.is_of(chunk)) {
                seen.push(same.clone());
                continue;
            }
            let after = before.and_then(|before| before.kept(chunk)).unwrap_or_else(|| Seen::of(chunk, &customer));
            let members = before.map_or(&[][..], |before| &before.members);
            differences(members, &after.members, |was, is| changes.push((was, is)));
            seen.push(after);
        }
        let orders = Orders { of: Arc::downgrade(published), seen, ..Orders::default() };
        if changes.len() > self.province.members() / CHANGED_SHARE {
            return orders.sorted(names);
        }
        Orders { province: self.province.clone(), cities: self.cities.clone(), ..orders }.changed(&changes, names)
    }

    /// Sorts everybody.
    fn sorted(mut self, names: &Texts) -> Orders {
        let members = self.seen.iter().flat_map(|seen| seen.members.iter().copied());
        let members = sorted(members, names);
        let mut cities: BTreeMap<Word, Vec<Entry>> = BTreeMap::new();
        for (entry, city) in &members {
            cities.entry(*city).or_default().push(*entry);
        }
        self.province = Order::of(&members.iter().map(|(entry, _)| *entry).collect::<Vec<Entry>>());
        self.cities = cities.into_iter().map(|(city, entries)| (city, Arc::new(Order::of(&entries)))).collect();
        self
    }

    /// Moves those who changed.
    fn changed(mut self, changes: &[(Option<Member>, Option<Member>)], names: &Texts) -> Orders {
        for (entry, city) in changes.iter().filter_map(|(was, _)| *was) {
            self.province.remove(entry, names);
            if let Some(order) = self.cities.get_mut(&city) {
                Arc::make_mut(order).remove(entry, names);
            }
        }
        for (entry, city) in changes.iter().filter_map(|(_, is)| *is) {
            self.province.insert(entry, names);
            Arc::make_mut(self.cities.entry(city).or_default()).insert(entry, names);
        }
        self.province.count();
        let touched = changes.iter().flat_map(|(was, is)| [*was, *is]).flatten();
        for city in touched.map(|(_, city)| city).collect::<BTreeSet<Word>>() {
            if let Some(order) = self.cities.get_mut(&city) {
                Arc::make_mut(order).count();
            }
        }
        self.cities.retain(|_, order| order.members() > 0);
        self
    }
}

/// Where somebody stands in an order that he is in.
fn place(order: &Order, entry: Entry, neighbours: usize, names: &Texts) -> Place {
    let (above, through, own) = (order.above(entry.0), order.through(entry.0), order.before(entry, names));
    let neighbour = |place: usize| {
        let (balance, customer) = order.get(place)?;
        let customer_id = names.text(customer.0).unwrap_or_default().to_owned();
        Some(Neighbour { customer_id, position: order.above(balance) + 1, balance })
    };
    Place {
        position: above + 1,
        tied: (through - above).saturating_sub(1),
        members: order.members(),
        above: (own.saturating_sub(neighbours)..own).filter_map(neighbour).collect(),
        below: (own + 1..own + 1 + neighbours).filter_map(neighbour).collect(),
    }
}
