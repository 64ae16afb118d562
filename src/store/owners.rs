//! Indexes from keys to the partition that holds them.

use std::collections::BTreeMap;
use std::hash::Hash;

use dataflows::types::{CustomerIx, Month, Time};
use hashbrown::HashMap;

/// A partition, by the order in which the store first met it.
pub type PartitionNo = u32;

/// Who holds a key, and what is kept of his row.
pub trait Index<K, V> {
    fn get(&self, key: &K) -> Option<(PartitionNo, V)>;
    fn set(&mut self, key: K, holder: Option<(PartitionNo, V)>);
    /// The latest second that `at` tells of any key, where keys may be asked for it.
    fn latest(&self, _: fn(&K, &V) -> Option<Time>) -> Option<Time> {
        None
    }
}

/// Numbers by place, 0 for none; two bytes each until one does not fit.
#[derive(Default)]
struct Places {
    narrow: Vec<u16>,
    wide: Vec<u32>,
}

impl Places {
    fn get(&self, place: usize) -> Option<PartitionNo> {
        let number = match self.wide.as_slice() {
            [] => self.narrow.get(place).copied().map_or(0, u32::from),
            wide => wide.get(place).copied().unwrap_or(0),
        };
        number.checked_sub(1)
    }

    fn set(&mut self, place: usize, partition: Option<PartitionNo>) {
        let number = partition.map_or(0, |partition| partition + 1);
        if self.wide.is_empty() {
            if let Ok(number) = u16::try_from(number) {
                if self.narrow.len() <= place {
                    self.narrow.resize(place + 1, 0);
                }
                self.narrow[place] = number;
                return;
            }
            self.wide = std::mem::take(&mut self.narrow).into_iter().map(u32::from).collect();
        }
        if self.wide.len() <= place {
            self.wide.resize(place + 1, 0);
        }
        self.wide[place] = number;
    }
}

/// Holders by customer.
#[derive(Default)]
pub struct ByCustomer(Places);

impl Index<CustomerIx, ()> for ByCustomer {
    fn get(&self, key: &CustomerIx) -> Option<(PartitionNo, ())> {
        self.0.get(key.0 as usize).map(|partition| (partition, ()))
    }

    fn set(&mut self, key: CustomerIx, holder: Option<(PartitionNo, ())>) {
        self.0.set(key.0 as usize, holder.map(|(partition, ())| partition));
    }
}

/// Holders by customer and month.
#[derive(Default)]
pub struct ByMonth(BTreeMap<Month, Places>);

impl Index<(CustomerIx, Month), ()> for ByMonth {
    fn get(&self, (customer, month): &(CustomerIx, Month)) -> Option<(PartitionNo, ())> {
        self.0.get(month)?.get(customer.0 as usize).map(|partition| (partition, ()))
    }

    fn set(&mut self, (customer, month): (CustomerIx, Month), holder: Option<(PartitionNo, ())>) {
        self.0.entry(month).or_default().set(customer.0 as usize, holder.map(|(partition, ())| partition));
    }
}

/// Holders by any key.
pub struct ByKey<K, V>(HashMap<K, (PartitionNo, V), foldhash::fast::RandomState>);

impl<K, V> Default for ByKey<K, V> {
    fn default() -> Self {
        ByKey(HashMap::default())
    }
}

impl<K, V> ByKey<K, V> {
    /// Every key that somebody holds, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    /// What is kept of each, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values().map(|(_, kept)| kept)
    }
}

impl<K: Hash + Eq, V: Clone> Index<K, V> for ByKey<K, V> {
    fn get(&self, key: &K) -> Option<(PartitionNo, V)> {
        self.0.get(key).cloned()
    }

    fn set(&mut self, key: K, holder: Option<(PartitionNo, V)>) {
        match holder {
            Some(holder) => drop(self.0.insert(key, holder)),
            None => drop(self.0.remove(&key)),
        }
    }

    fn latest(&self, at: fn(&K, &V) -> Option<Time>) -> Option<Time> {
        self.0.iter().filter_map(|(key, (_, kept))| at(key, kept)).max()
    }
}
