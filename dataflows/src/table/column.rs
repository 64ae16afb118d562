//! Columns of one chunk of customers.
//!
//! Most values fit in half the width they are allowed: a fee in fen is far below 21 million yuan,
//! a vocabulary below 65,536 words. A column starts narrow and widens, for good, with the first
//! value that does not fit, so that width costs memory only where it is needed.

/// Customers of a chunk. A chunk is the unit that readers share and a writer copies: 40 KB of a
/// month's bills.
pub const CHUNK: usize = 2048;

/// One bit for each customer of a chunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bits(Box<[u64; CHUNK / 64]>);

impl Bits {
    /// No bit set.
    pub fn none() -> Bits {
        Bits(Box::new([0; CHUNK / 64]))
    }

    /// Every bit set.
    pub fn all() -> Bits {
        Bits(Box::new([u64::MAX; CHUNK / 64]))
    }

    /// The bits of all slots, in order, from bytes of 0 and 1.
    pub fn of(bytes: &[u8]) -> Bits {
        let mut words = Box::new([0; CHUNK / 64]);
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<64>().0) {
            for (group, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
                // The product brings byte i's lowest bit to bit 56 + i, and nothing else there.
                let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                *word |= gathered << (8 * group);
            }
        }
        Bits(words)
    }

    pub fn get(&self, slot: usize) -> bool {
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }

    pub fn set(&mut self, slot: usize, value: bool) {
        let mask = 1 << (slot % 64);
        if value {
            self.0[slot / 64] |= mask;
        } else {
            self.0[slot / 64] &= !mask;
        }
    }

    pub fn is_none(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Bits set here and in `other`.
    pub fn count_common(&self, other: &Bits) -> usize {
        self.0.iter().zip(other.0.iter()).map(|(word, other)| (word & other).count_ones() as usize).sum()
    }

    /// Takes out whoever is in other bits.
    pub fn subtract(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0[..]).for_each(|(word, other)| *word &= !other);
    }

    /// Sets every bit that `other` has set.
    pub fn union(&mut self, other: &Bits) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(word, other)| *word |= other);
    }

    /// The slots whose bit is set, ascending.
    pub fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let slot = index * 64 + rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    slot
                })
            })
        })
    }

    /// The slots whose bit differs, ascending, with its value here.
    pub fn differences<'a>(&'a self, other: &'a Bits) -> impl Iterator<Item = (usize, bool)> + 'a {
        self.0.iter().zip(other.0.iter()).enumerate().flat_map(|(index, (word, other))| {
            let (mut rest, word) = (word ^ other, *word);
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    (index * 64 + bit as usize, word >> bit & 1 == 1)
                })
            })
        })
    }

    /// Adds each bit, as 0 or 1, to its place in `counts`.
    pub fn count_into(&self, counts: &mut [u8]) {
        for (word, counts) in self.0.iter().zip(counts.chunks_exact_mut(64)) {
            match *word {
                0 => {}
                u64::MAX => counts.iter_mut().for_each(|count| *count = count.wrapping_add(1)),
                word => {
                    for (bit, count) in counts.iter_mut().enumerate() {
                        *count = count.wrapping_add((word >> bit & 1) as u8);
                    }
                }
            }
        }
    }
}

/// A value that a narrow column may hold.
pub trait Value: Copy + PartialEq + Default {
    type Narrow: Copy + Default + Into<Self>;
    /// The value in the narrow type, where it fits.
    fn narrow(self) -> Option<Self::Narrow>;
}

impl Value for i64 {
    type Narrow = i32;
    fn narrow(self) -> Option<i32> {
        i32::try_from(self).ok()
    }
}

impl Value for u32 {
    type Narrow = u16;
    fn narrow(self) -> Option<u16> {
        u16::try_from(self).ok()
    }
}

/// A value for each customer of a chunk, 0 until set.
#[derive(Clone)]
pub enum Column<T: Value> {
    Narrow(Box<[T::Narrow; CHUNK]>),
    Wide(Box<[T; CHUNK]>),
}

impl<T: Value> Column<T> {
    pub fn zeros() -> Column<T> {
        Column::Narrow(Box::new([T::Narrow::default(); CHUNK]))
    }

    pub fn get(&self, slot: usize) -> T {
        match self {
            Column::Narrow(values) => values[slot].into(),
            Column::Wide(values) => values[slot],
        }
    }

    pub fn set(&mut self, slot: usize, value: T) {
        match (&mut *self, value.narrow()) {
            (Column::Narrow(values), Some(narrow)) => values[slot] = narrow,
            (Column::Wide(values), _) => values[slot] = value,
            (Column::Narrow(values), None) => {
                let mut wide = Box::new([T::default(); CHUNK]);
                wide.iter_mut().zip(values.iter()).for_each(|(wide, narrow)| *wide = (*narrow).into());
                wide[slot] = value;
                *self = Column::Wide(wide);
            }
        }
    }

    /// Calls `put` with the place and value of each selected slot.
    #[inline]
    pub fn read(&self, slots: &Slots, mut put: impl FnMut(usize, T)) {
        match (self, slots) {
            (Column::Narrow(values), Slots::All) => {
                values.iter().enumerate().for_each(|(place, value)| put(place, (*value).into()));
            }
            (Column::Wide(values), Slots::All) => {
                values.iter().enumerate().for_each(|(place, value)| put(place, *value));
            }
            (column, Slots::Some(slots)) => {
                slots.iter().enumerate().for_each(|(place, slot)| put(place, column.get(usize::from(*slot))));
            }
        }
    }
}

impl Column<i64> {
    /// The sums of some columns, by place. Sums of bounded amounts over a window fit in 64 bits.
    pub fn sums(columns: &[&Column<i64>], slots: &Slots) -> Vec<i64> {
        // The usual window in one walk: three columns from memory, and no sums back to it in between.
        if let ([Column::Narrow(one), Column::Narrow(two), Column::Narrow(three)], Slots::All) = (columns, slots) {
            let values = one.iter().zip(two.iter()).zip(three.iter());
            let sum = |((one, two), three): ((&i32, &i32), &i32)| {
                i64::from(*one).wrapping_add(i64::from(*two)).wrapping_add(i64::from(*three))
            };
            return values.map(sum).collect();
        }
        let mut sums = vec![0; slots.len()];
        columns.iter().for_each(|column| column.add_to(slots, &mut sums));
        sums
    }

    /// Adds the value of each selected slot to its place in `sums`.
    fn add_to(&self, slots: &Slots, sums: &mut [i64]) {
        let add = |sum: &mut i64, value: i64| *sum = sum.wrapping_add(value);
        match (self, slots) {
            (Column::Narrow(values), Slots::All) => {
                sums.iter_mut().zip(values.iter()).for_each(|(sum, value)| add(sum, i64::from(*value)));
            }
            (Column::Wide(values), Slots::All) => {
                sums.iter_mut().zip(values.iter()).for_each(|(sum, value)| add(sum, *value));
            }
            (column, Slots::Some(slots)) => {
                sums.iter_mut().zip(slots).for_each(|(sum, slot)| add(sum, column.get(usize::from(*slot))));
            }
        }
    }
}

/// Which customers of a chunk a pass looks at. Results stand in the order of the slots, one
/// *place* each.
pub enum Slots {
    /// Every slot, in order: loops over whole columns, which the compiler turns into vector code.
    All,
    /// These, ascending.
    Some(Vec<u16>),
}

impl Slots {
    /// Places in a result.
    pub fn len(&self) -> usize {
        match self {
            Slots::All => CHUNK,
            Slots::Some(slots) => slots.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot at a place.
    #[inline]
    pub fn slot(&self, place: usize) -> usize {
        match self {
            Slots::All => place,
            Slots::Some(slots) => usize::from(slots[place]),
        }
    }

    /// The place of a slot, where it is selected.
    pub fn place(&self, slot: usize) -> Option<usize> {
        match self {
            Slots::All => Some(slot),
            Slots::Some(slots) => slots.binary_search(&(slot as u16)).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_widens_and_keeps_what_it_held() {
        let mut column = Column::<i64>::zeros();
        column.set(3, -7);
        column.set(9, 5_000_000_000);
        column.set(10, 1);
        assert!(matches!(column, Column::Wide(_)));
        assert_eq!([3, 9, 10, 11].map(|slot| column.get(slot)), [-7, 5_000_000_000, 1, 0]);
    }

    #[test]
    fn bits_tell_their_slots_and_differences() {
        let (mut left, mut right) = (Bits::none(), Bits::none());
        for slot in [0, 63, 64, 2047] {
            left.set(slot, true);
        }
        right.set(63, true);
        right.set(100, true);
        assert_eq!(left.slots().collect::<Vec<_>>(), [0, 63, 64, 2047]);
        assert_eq!(left.differences(&right).collect::<Vec<_>>(), [(0, true), (64, true), (100, false), (2047, true)]);
        let mut bytes = [0; CHUNK];
        left.slots().for_each(|slot| bytes[slot] = 1);
        assert_eq!(Bits::of(&bytes), left);
        let mut counts = vec![1; CHUNK];
        left.count_into(&mut counts);
        assert_eq!((counts[0], counts[1], counts[63], counts[2047]), (2, 1, 2, 2));
    }
}
