//! Logarithms of scores in whole numbers, by which geometric means are taken and compared.
//!
//! The logarithm of a prime is rounded to 2^-40; that of every other number is the sum of its factors'. So products
//! that are equal have logarithms that are equal, to the last bit, whichever way they were multiplied, and a mean that
//! is a whole number is found as that number. Two that are not equal could be taken for each other only if they
//! differed by less than a part in 10^10.

use std::sync::LazyLock;

use super::FULL;

/// Bits behind the point.
const BITS: u32 = 40;

static LOGARITHMS: LazyLock<Vec<i64>> = LazyLock::new(table);

/// The logarithm of a score; of 0 none.
pub fn logarithm(score: i64) -> Option<i64> {
    let place = usize::try_from(score).ok().filter(|place| *place > 0)?;
    LOGARITHMS.get(place).copied()
}

/// The geometric mean, rounded down, of scores whose logarithms times their weights add up to `sum`.
pub fn mean(sum: i64, weights: i64) -> i64 {
    let above = LOGARITHMS[1..].partition_point(|logarithm| logarithm * weights <= sum);
    above as i64
}

/// By score. Monotone: neighbours differ by a part in 10,000 at least, and a sum of 13 factors by far less from the
/// truth.
fn table() -> Vec<i64> {
    let most = FULL as usize;
    let mut least_factor = vec![0usize; most + 1];
    let mut table = vec![0i64; most + 1];
    for number in 2..=most {
        if least_factor[number] == 0 {
            (number..=most).step_by(number).for_each(|multiple| {
                if least_factor[multiple] == 0 {
                    least_factor[multiple] = number;
                }
            });
            table[number] = of_prime(number as u64);
        } else {
            let factor = least_factor[number];
            table[number] = table[factor] + table[number / factor];
        }
    }
    table
}

/// The logarithm to base 2, bit by bit: squaring a number doubles its logarithm.
fn of_prime(prime: u64) -> i64 {
    let whole = prime.ilog2();
    // From 1 to below 2, with 62 bits behind the point.
    let mut number = u128::from(prime) << (62 - whole);
    let mut bits = i64::from(whole);
    for _ in 0..=BITS {
        number = (number * number) >> 62;
        let carries = number >> 63 == 1;
        number >>= u32::from(carries);
        bits = bits * 2 + i64::from(carries);
    }
    // One bit more was taken, to round by.
    (bits + 1) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_rise_with_their_scores_and_are_near_the_truth() {
        for score in 1..=FULL {
            let found = logarithm(score).expect("a logarithm");
            let truth = (score as f64).log2() * f64::from(2.0f32.powi(40));
            assert!((found as f64 - truth).abs() < 16.0, "{score}: {found} {truth}");
            assert!(score == 1 || logarithm(score - 1) < Some(found), "{score}");
        }
        assert_eq!((logarithm(0), logarithm(-1), logarithm(FULL + 1)), (None, None, None));
    }

    #[test]
    fn means_are_those_of_exact_roots() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200_000 {
            let scores = [(); 3].map(|()| 1 + random.i64(0..FULL));
            let weights = [random.u32(0..4), random.u32(0..4), 1 + random.u32(0..3)];
            let sum: i64 = scores.iter().zip(weights).map(|(s, w)| logarithm(*s).expect("one") * i64::from(w)).sum();
            let product: u128 = scores.iter().zip(weights).map(|(s, w)| (*s as u128).pow(w)).product();
            let found = mean(sum, weights.iter().sum::<u32>().into()) as u128;
            let root = weights.iter().sum();
            assert!(found.pow(root) <= product && product < (found + 1).pow(root), "{scores:?} {weights:?}");
        }
    }
}
