//! The fixed intervals: Wilson's for a rate, and Newcombe's for the difference of two.
//!
//! Newcombe, R. G., "Interval estimation for the difference between independent proportions: comparison of
//! eleven methods", Statistics in Medicine 17 (1998), 873-890: method 10, which joins the limits that Wilson's
//! score gives for each rate, without continuity correction.
//!
//! They are right 95 times in 100 for who looks once, at an end that was fixed before. Who looks while a
//! campaign runs and stops when he likes what he sees is wrong far more often: for him is the sequence.

use super::{Arm, Interval, half_up};

/// The normal deviate that 2.5% lie beyond.
const Z: f64 = 1.959963984540054;

/// The 95% interval of an arm's rate, by which simulations are judged. None for an arm without anybody.
#[cfg(test)]
pub fn rate(arm: Arm) -> Option<Interval> {
    let (rate, below, above) = reach(arm)?;
    Some(Interval { low: half_up(rate - below), high: half_up(rate + above) })
}

/// The 95% interval of one arm's rate less another's. None where either is without anybody.
pub fn difference(arm: Arm, other: Arm) -> Option<Interval> {
    let (low, high) = limits(arm, other)?;
    Some(Interval { low: half_up(low), high: half_up(high) })
}

/// The bounds of the difference, not rounded. They never pass -1 and 1: each is a distance from one corner of
/// the square of both rates at most.
pub(super) fn limits(arm: Arm, other: Arm) -> Option<(f64, f64)> {
    let (rate, below, above) = reach(arm)?;
    let (other_rate, other_below, other_above) = reach(other)?;
    let between = rate - other_rate;
    let low = between - (below * below + other_above * other_above).sqrt();
    let high = between + (above * above + other_below * other_below).sqrt();
    Some((low, high))
}

/// A rate, and how far below and above it Wilson's limits lie.
fn reach(arm: Arm) -> Option<(f64, f64, f64)> {
    let rate = arm.rate()?;
    Some((rate, below(arm)?, below(arm.reversed())?))
}

/// How far below an arm's rate Wilson's lower limit lies: exactly the whole rate where nobody succeeded, which
/// the formula gives but for float noise.
fn below(arm: Arm) -> Option<f64> {
    let rate = arm.rate()?;
    if arm.successes == 0 {
        return Some(rate);
    }
    let (successes, trials) = (arm.successes as f64, arm.trials as f64);
    let failed = arm.failures() as f64 / trials;
    let spread = Z * (4.0 * successes * failed + Z * Z).sqrt();
    let low = (2.0 * successes + Z * Z - spread) / (2.0 * (trials + Z * Z));
    Some(rate - low)
}

#[cfg(test)]
mod tests {
    use super::super::TRIALS_MAX;
    use super::*;

    fn arm(successes: i64, trials: i64) -> Arm {
        Arm::new(successes, trials).expect("an arm")
    }

    fn between(one: (i64, i64), other: (i64, i64)) -> Option<(i64, i64)> {
        let interval = difference(arm(one.0, one.1), arm(other.0, other.1))?;
        Some((interval.low, interval.high))
    }

    /// The paper's table II, contrasts (a) to (h), method 10.
    #[test]
    fn the_papers_examples_come_out() {
        let table = [
            ((56, 70), (48, 80), (524, 3339)),
            ((9, 10), (3, 10), (1705, 8090)),
            ((6, 7), (2, 7), (582, 8062)),
            ((5, 56), (0, 29), (-381, 1926)),
            ((0, 10), (0, 20), (-1611, 2775)),
            ((0, 10), (0, 10), (-2775, 2775)),
            ((10, 10), (0, 20), (6791, 10_000)),
            ((10, 10), (0, 10), (6075, 10_000)),
        ];
        for (one, other, expected) in table {
            assert_eq!(between(one, other), Some(expected), "{one:?} less {other:?}");
        }
    }

    /// Newcombe's paper on one proportion (the same volume, 857-872), table I, method 3.
    #[test]
    fn one_rate_has_wilsons_limits() {
        let table = [((81, 263), (2553, 3662)), ((15, 148), (624, 1605)), ((0, 20), (0, 1611)), ((1, 29), (61, 1718))];
        for ((successes, trials), (low, high)) in table {
            let interval = rate(arm(successes, trials));
            assert_eq!(interval, Some(Interval { low, high }), "{successes} of {trials}");
            let reversed = rate(arm(trials - successes, trials));
            assert_eq!(reversed, Some(Interval { low: 10_000 - high, high: 10_000 - low }));
        }
    }

    #[test]
    fn nobody_in_an_arm_leaves_nothing_to_tell() {
        assert_eq!(rate(arm(0, 0)), None);
        assert_eq!(between((0, 0), (3, 10)), None);
        assert_eq!(between((3, 10), (0, 0)), None);
    }

    #[test]
    fn the_ends_of_the_square_are_exact() {
        for trials in [1, 2, 3, 7, 10, 49, 1_000, 999_983, 1_000_000_000, TRIALS_MAX] {
            let (all, none) = ((trials, trials), (0, trials));
            assert_eq!(between(all, none).map(|(_, high)| high), Some(10_000), "{trials}");
            assert_eq!(between(none, all).map(|(low, _)| low), Some(-10_000), "{trials}");
            assert_eq!(rate(arm(0, trials)).map(|interval| interval.low), Some(0), "{trials}");
            assert_eq!(rate(arm(trials, trials)).map(|interval| interval.high), Some(10_000), "{trials}");
        }
    }

    #[test]
    fn bounds_hold_the_difference_and_change_sides_with_the_arms() {
        let counts = |rng: &mut fastrand::Rng| {
            let digits = rng.u32(0..=12);
            let trials = rng.i64(1..=10_i64.pow(digits));
            arm(rng.i64(0..=trials), trials)
        };
        let mut rng = fastrand::Rng::with_seed(1998);
        for _ in 0..20_000 {
            let (one, other) = (counts(&mut rng), counts(&mut rng));
            let (low, high) = limits(one, other).expect("both have customers");
            let between = one.rate().expect("some") - other.rate().expect("some");
            assert!(-1.0 <= low && low <= between && between <= high && high <= 1.0, "{one:?} less {other:?}");
            assert_eq!(limits(other, one), Some((-high, -low)), "{one:?} less {other:?}");
        }
    }
}
