//! Who lives with whom.
//!
//! Customers are cut into blocks of twelve, and each block into households by one of several
//! patterns, so that a customer's household is found without looking at any other customer.

use super::random::{Draw, Purpose};
use super::vocabulary::{CITIES, DISTRICTS, URBAN_DISTRICTS};

/// Customers of a block, and the sizes that its households may have.
const BLOCK: u64 = 12;
const PATTERNS: [&[u8]; 8] = [
    &[1, 2, 3, 1, 4, 1],
    &[3, 3, 2, 4],
    &[5, 1, 1, 3, 2],
    &[2, 2, 3, 4, 1],
    &[4, 3, 5],
    &[1, 1, 1, 2, 3, 4],
    &[3, 2, 3, 3, 1],
    &[2, 5, 1, 1, 3],
];

/// A customer's household.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Household {
    /// The number of its first member.
    pub(super) first: u64,
    pub(super) size: u8,
    /// Which member the customer is, from 0: head, partner, child, parent, child.
    pub(super) place: u8,
    /// By position in [`CITIES`], and in that city's districts.
    pub(super) city: usize,
    pub(super) district: usize,
    /// Whether it lives off the land.
    pub(super) is_rural: bool,
}

impl Household {
    /// The household of a customer.
    pub(super) fn of(seed: u64, customer: u64) -> Household {
        let (block, within) = (customer / BLOCK, customer % BLOCK);
        let pattern = Draw::new(seed, Purpose::Household, block, 0).pick(&PATTERNS);
        let (mut first, mut size) = (0, 1);
        for &members in pattern {
            size = members;
            if within < first + u64::from(members) {
                break;
            }
            first += u64::from(members);
        }
        let place = (within - first) as u8;
        let first = block * BLOCK + first;
        let mut draw = Draw::new(seed, Purpose::Household, first, 1);
        let city = city(draw.below(10_000));
        let is_rural = size > 1 && draw.per_mille(330);
        let district = if is_rural {
            draw.between(URBAN_DISTRICTS as u32, DISTRICTS as u32 - 1)
        } else if draw.per_mille(850) {
            draw.below(URBAN_DISTRICTS as u32)
        } else {
            draw.below(DISTRICTS as u32)
        };
        Household { first, size, place, city, district: district as usize, is_rural }
    }
}

fn city(mut at: u32) -> usize {
    for (place, city) in CITIES.iter().enumerate() {
        if at < city.households {
            return place;
        }
        at -= city.households;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn households_partition_the_customers() {
        assert!(PATTERNS.iter().all(|pattern| pattern.iter().map(|size| u64::from(*size)).sum::<u64>() == BLOCK));
        let mut next = 0;
        while next < 6_000 {
            let head = Household::of(7, next);
            assert_eq!((head.first, head.place), (next, 0));
            for place in 1..head.size {
                let member = Household::of(7, next + u64::from(place));
                assert_eq!(member, Household { place, ..head });
            }
            next += u64::from(head.size);
        }
    }
}
