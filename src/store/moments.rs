//! An index from the ids of events to who holds them, whose they are and when: 21 bytes each, and no ids.
//!
//! There are as many of these as there are events, so what is kept must be small; and a correction must
//! not read the file that it corrects, so what it takes back (whose, when) is kept here and not looked up
//! in the log. Ids stand for themselves by hash: which of the tables, by one hash, and a tag of 64 bits in
//! it, by another (SipHash) under a key that is made anew with every index and never leaves it. Two of `n`
//! ids are taken for one with a probability below n² / 2⁷⁹: one in 10⁹ for a million members with thirty
//! events each. Nobody who delivers ids can make it greater, and one that happens is gone with a restart.
//!
//! Slots of a table stand in the order of their tags, each at or after the place that its tag points to,
//! with no free slot between. So whoever looks for a tag stops at the first greater one, and a table is
//! made larger in one pass. Tables grow in the steps in which the allocator hands out memory.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use dataflows::types::{CustomerIx, Time};

use super::owners::{Index, PartitionNo};
use super::rows::TIME_MIN;

/// Whose a standing event or adjustment is, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub customer: CustomerIx,
    pub at: Time,
}

/// Tables of an index: a table that grows holds up everybody for as long as it takes to copy it.
const TABLES: usize = 1 << 14;

/// A holder of a key. Bytes, so that none are lost to alignment.
#[derive(Clone, Copy)]
struct Slot {
    tag: [u8; 8],
    /// One more than the number, so that 0 is a free slot.
    partition: [u8; 4],
    customer: [u8; 4],
    /// Seconds since the first that validation lets through: those until the last fit.
    at: [u8; 5],
}

const FREE: Slot = Slot { tag: [0; 8], partition: [0; 4], customer: [0; 4], at: [0; 5] };

impl Slot {
    fn new(tag: u64, partition: PartitionNo, moment: Moment) -> Slot {
        let mut at = [0; 5];
        at.copy_from_slice(&(moment.at.0 - TIME_MIN).to_le_bytes()[..5]);
        Slot {
            tag: tag.to_le_bytes(),
            partition: (partition + 1).to_le_bytes(),
            customer: moment.customer.0.to_le_bytes(),
            at,
        }
    }

    fn tag(&self) -> u64 {
        u64::from_le_bytes(self.tag)
    }

    fn is_free(&self) -> bool {
        self.partition == [0; 4]
    }

    fn holder(&self) -> (PartitionNo, Moment) {
        let mut at = [0; 8];
        at[..5].copy_from_slice(&self.at);
        let at = Time(i64::from_le_bytes(at) + TIME_MIN);
        let customer = CustomerIx(u32::from_le_bytes(self.customer));
        (u32::from_le_bytes(self.partition) - 1, Moment { customer, at })
    }
}

/// Slots in the order of their tags, some of them free.
#[derive(Default)]
struct Table {
    /// Those that tags point to, and behind them a tail for what is pushed on from there.
    slots: Vec<Slot>,
    homes: usize,
    len: usize,
}

/// Slots by which a tail grows. With tags that are hashes the first is hardly ever too short.
const TAIL: usize = 8;
/// Bytes of the smallest table.
const BYTES_MIN: usize = 512;

impl Table {
    /// The slot that a tag points to.
    fn home(tag: u64, homes: usize) -> usize {
        ((u128::from(tag) * homes as u128) >> 64) as usize
    }

    /// Where a tag stands, or where it would.
    fn find(&self, tag: u64) -> Result<usize, usize> {
        let home = Table::home(tag, self.homes);
        let rest = &self.slots[home..];
        let steps = rest.iter().position(|slot| slot.is_free() || slot.tag() >= tag).unwrap_or(rest.len());
        let is_there = rest.get(steps).is_some_and(|slot| !slot.is_free() && slot.tag() == tag);
        if is_there { Ok(home + steps) } else { Err(home + steps) }
    }

    fn insert(&mut self, slot: Slot) {
        // Above 90% ways get long.
        if self.len * 10 >= self.homes * 9 {
            self.grow();
        }
        let place = match self.find(slot.tag()) {
            Ok(place) => return self.slots[place] = slot,
            Err(place) => place,
        };
        let steps = self.slots[place..].iter().position(Slot::is_free);
        let free = place + steps.unwrap_or(self.slots.len() - place);
        if free == self.slots.len() {
            self.slots.reserve_exact(TAIL);
            self.slots.resize(free + TAIL, FREE);
        }
        self.slots.copy_within(place..free, place + 1);
        self.slots[place] = slot;
        self.len += 1;
    }

    fn remove(&mut self, tag: u64) {
        let Ok(place) = self.find(tag) else { return };
        // Those behind it that had been pushed on come back by one.
        let after = place + 1;
        let pushed = (after..).zip(&self.slots[after..]);
        let pushed = pushed.take_while(|(at, slot)| !slot.is_free() && Table::home(slot.tag(), self.homes) < *at);
        let end = after + pushed.count();
        self.slots.copy_within(after..end, place);
        self.slots[end - 1] = FREE;
        self.len -= 1;
        if self.len == 0 {
            *self = Table::default();
        }
    }

    /// To the next quarter of a power of two in bytes: the sizes between cost as much.
    fn grow(&mut self) {
        let bytes = (self.homes + TAIL) * size_of::<Slot>() + size_of::<Slot>();
        let step = (1usize << bytes.ilog2()) / 4;
        let bytes = bytes.next_multiple_of(step).max(BYTES_MIN);
        let homes = bytes / size_of::<Slot>() - TAIL;
        let mut slots = vec![FREE; homes + TAIL];
        let mut next = 0;
        for slot in self.slots.iter().filter(|slot| !slot.is_free()) {
            let place = next.max(Table::home(slot.tag(), homes));
            if place == slots.len() {
                slots.resize(slots.len() + TAIL, FREE);
            }
            slots[place] = *slot;
            next = place + 1;
        }
        (self.slots, self.homes) = (slots, homes);
    }
}

/// Holders by id.
pub struct ByMoment {
    /// None before there is a key.
    tables: Vec<Table>,
    table: foldhash::fast::RandomState,
    tag: RandomState,
}

impl Default for ByMoment {
    fn default() -> Self {
        ByMoment { tables: Vec::new(), table: foldhash::fast::RandomState::default(), tag: RandomState::new() }
    }
}

impl ByMoment {
    /// The table of a key, and its tag there.
    fn place(&self, key: &str) -> (usize, u64) {
        (self.table.hash_one(key) as usize % TABLES, self.tag.hash_one(key))
    }
}

impl Index<Box<str>, Moment> for ByMoment {
    fn get(&self, key: &Box<str>) -> Option<(PartitionNo, Moment)> {
        let (table, tag) = self.place(key);
        let table = self.tables.get(table)?;
        Some(table.slots[table.find(tag).ok()?].holder())
    }

    fn set(&mut self, key: Box<str>, holder: Option<(PartitionNo, Moment)>) {
        if self.tables.is_empty() {
            self.tables.resize_with(TABLES, Table::default);
        }
        let (table, tag) = self.place(&key);
        match holder {
            Some((partition, moment)) => self.tables[table].insert(Slot::new(tag, partition, moment)),
            None => self.tables[table].remove(tag),
        }
    }

    fn latest(&self, at: fn(&Box<str>, &Moment) -> Option<Time>) -> Option<Time> {
        // A moment tells its second without its key.
        let none = Box::default();
        let slots = self.tables.iter().flat_map(|table| &table.slots).filter(|slot| !slot.is_free());
        slots.filter_map(|slot| at(&none, &slot.holder().1)).max()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use fastrand::Rng;

    use super::super::rows::TIME_MAX;
    use super::*;

    fn moment(rng: &mut Rng) -> Moment {
        let at = [TIME_MIN, TIME_MAX, rng.i64(0..2_000_000_000)][rng.usize(0..3)];
        Moment { customer: CustomerIx([u32::MAX, rng.u32(0..1_000)][rng.usize(0..2)]), at: Time(at) }
    }

    #[test]
    fn it_holds_what_a_map_holds_whatever_comes_and_goes() {
        let mut rng = Rng::with_seed(11);
        let (mut index, mut map) = (ByMoment::default(), HashMap::new());
        for round in 0..300_000 {
            let key: Box<str> = format!("E{}", rng.u32(0..60_000)).into();
            assert_eq!(index.get(&key), map.get(&key).copied(), "{round}");
            // First more come than go, then fewer.
            if rng.u32(0..10) < if round < 150_000 { 8 } else { 2 } {
                let holder = (rng.u32(0..u32::MAX - 1), moment(&mut rng));
                index.set(key.clone(), Some(holder));
                map.insert(key, holder);
            } else {
                index.set(key.clone(), None);
                map.remove(&key);
            }
        }
        assert!(map.iter().all(|(key, holder)| index.get(key) == Some(*holder)));
        assert_eq!(index.latest(|_, moment| Some(moment.at)), map.values().map(|(_, moment)| moment.at).max());
        map.into_keys().for_each(|key| index.set(key, None));
        assert!(index.tables.iter().all(|table| table.slots.is_empty()));
        assert_eq!(index.latest(|_, moment| Some(moment.at)), None);
    }

    /// A model of a table whose tags are near each other and at both ends, where its tail is used.
    #[test]
    fn a_table_holds_tags_however_they_crowd() {
        let mut rng = Rng::with_seed(12);
        let base = [0, u64::MAX - 400, 1 << 63];
        for _ in 0..60 {
            let (mut table, mut map) = (Table::default(), HashMap::new());
            for _ in 0..600 {
                let tag = base[rng.usize(0..3)] + rng.u64(0..200);
                if rng.u32(0..3) > 0 {
                    let holder = (rng.u32(0..9), moment(&mut rng));
                    table.insert(Slot::new(tag, holder.0, holder.1));
                    map.insert(tag, holder);
                } else {
                    table.remove(tag);
                    map.remove(&tag);
                }
                assert_eq!(table.len, map.len());
            }
            for tag in base.into_iter().flat_map(|base| base..base + 200) {
                assert_eq!(table.find(tag).ok().map(|place| table.slots[place].holder()), map.get(&tag).copied());
            }
        }
    }

    #[test]
    fn an_id_costs_thirty_bytes_at_most() {
        let mut index = ByMoment::default();
        for event in 0..2_000_000u32 {
            let moment = Moment { customer: CustomerIx(event), at: Time(0) };
            index.set(format!("E{event:08}").into(), Some((0, moment)));
        }
        let slots: usize = index.tables.iter().map(|table| table.slots.capacity()).sum();
        let bytes = slots * size_of::<Slot>();
        assert!(bytes < 60_000_000, "{bytes}");
    }
}
