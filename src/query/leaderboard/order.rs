//! Members in the order of the leaderboard: the greatest balance first, by id as bytes among equals.
//!
//! A sorted list in blocks. A change copies the block it falls in where a reader still has it, and
//! nothing else; how many stand before somebody is two searches.

use std::cmp::Ordering;
use std::sync::Arc;

use dataflows::types::CustomerIx;

use super::seen::Member;
use crate::store::Texts;

/// A balance, and who has it.
pub type Entry = (i64, CustomerIx);

/// Members of a block when many are sorted at once; one that doubles is parted.
const BLOCK: usize = 1024;

/// Members in order.
#[derive(Clone, Default)]
pub struct Order {
    /// None of them is empty.
    blocks: Vec<Arc<Vec<Entry>>>,
    /// How many members stand before each block, and how many there are.
    starts: Vec<usize>,
    members: usize,
}

/// How two entries stand to each other.
fn compared(one: Entry, other: Entry, names: &Texts) -> Ordering {
    let id = |entry: Entry| names.text(entry.1.0);
    other.0.cmp(&one.0).then_with(|| if one.1 == other.1 { Ordering::Equal } else { id(one).cmp(&id(other)) })
}

/// Sorts members. An operator's ids are mostly alike but for their last digits: beyond what all of
/// them begin with, eight bytes as a number tell nearly all apart, and few texts are looked at twice.
pub fn sorted(members: impl Iterator<Item = Member>, names: &Texts) -> Vec<Member> {
    let id = |((_, customer), _): Member| names.text(customer.0).unwrap_or_default().as_bytes();
    let mut keyed: Vec<(u64, Member)> = members.map(|member| (0, member)).collect();
    let mut shared = keyed.first().map_or(&[][..], |(_, member)| id(*member));
    for (_, member) in &keyed {
        let alike = shared.iter().zip(id(*member)).take_while(|(one, other)| one == other).count();
        shared = &shared[..alike];
    }
    for (key, member) in &mut keyed {
        let mut first = [0; 8];
        first.iter_mut().zip(&id(*member)[shared.len()..]).for_each(|(to, from)| *to = *from);
        *key = u64::from_be_bytes(first);
    }
    keyed.sort_unstable_by(|(one_key, one), (other_key, other)| {
        let balance = |((balance, _), _): &Member| *balance;
        balance(other).cmp(&balance(one)).then(one_key.cmp(other_key)).then_with(|| id(*one).cmp(id(*other)))
    });
    keyed.into_iter().map(|(_, member)| member).collect()
}

impl Order {
    /// Of entries that are sorted.
    pub fn of(entries: &[Entry]) -> Order {
        let mut order =
            Order { blocks: entries.chunks(BLOCK).map(|block| Arc::new(block.to_vec())).collect(), ..Order::default() };
        order.count();
        order
    }

    /// Puts somebody in his place. [`Order::count`] is to be called after the last change.
    pub fn insert(&mut self, entry: Entry, names: &Texts) {
        let number = self.block(|held| compared(held, entry, names).is_lt()).min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(number) else {
            self.blocks.push(Arc::new(vec![entry]));
            return;
        };
        let block = Arc::make_mut(block);
        block.insert(block.partition_point(|held| compared(*held, entry, names).is_lt()), entry);
        if block.len() >= 2 * BLOCK {
            let rest = block.split_off(BLOCK);
            self.blocks.insert(number + 1, Arc::new(rest));
        }
    }

    /// Takes somebody out. [`Order::count`] is to be called after the last change.
    pub fn remove(&mut self, entry: Entry, names: &Texts) {
        let number = self.block(|held| compared(held, entry, names).is_lt());
        let Some(block) = self.blocks.get_mut(number) else { return };
        if let Ok(place) = block.binary_search_by(|held| compared(*held, entry, names)) {
            Arc::make_mut(block).remove(place);
            if block.is_empty() {
                self.blocks.remove(number);
            }
        }
    }

    /// Counts who stands before each block.
    pub fn count(&mut self) {
        self.members = 0;
        self.starts.clear();
        for block in &self.blocks {
            self.starts.push(self.members);
            self.members += block.len();
        }
    }

    /// The first block that has an entry which is not `before`.
    fn block(&self, before: impl Fn(Entry) -> bool) -> usize {
        self.blocks.partition_point(|block| block.last().is_some_and(|last| before(*last)))
    }

    /// How many entries are `before`.
    fn place(&self, before: impl Fn(Entry) -> bool) -> usize {
        let number = self.block(&before);
        let Some(block) = self.blocks.get(number) else { return self.members };
        self.starts[number] + block.partition_point(|held| before(*held))
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.members
    }

    /// How many have more than a balance.
    pub fn above(&self, balance: i64) -> usize {
        self.place(|held| held.0 > balance)
    }

    /// How many have a balance or more.
    pub fn through(&self, balance: i64) -> usize {
        self.place(|held| held.0 >= balance)
    }

    /// How many stand before an entry.
    pub fn before(&self, entry: Entry, names: &Texts) -> usize {
        self.place(|held| compared(held, entry, names).is_lt())
    }

    /// Who stands after so many.
    pub fn get(&self, place: usize) -> Option<Entry> {
        let number = self.starts.partition_point(|start| *start <= place).checked_sub(1)?;
        self.blocks[number].get(place - self.starts[number]).copied()
    }
}
