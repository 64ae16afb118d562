//! The bounds set against what they are defined by, done slowly, and against chances computed exactly.

use super::super::TRIALS_MAX;
use super::*;

fn arm(successes: i64, trials: i64) -> Arm {
    Arm::new(successes, trials).expect("an arm")
}

/// The logarithm of the mixture over the likelihood, straight from the definition.
fn log_martingale(arm: Arm, rate: f64) -> f64 {
    let (successes, failures) = (arm.successes as f64, arm.failures() as f64);
    let beta = |a: f64, b: f64| lgamma(a) + lgamma(b) - lgamma(a + b);
    let part = |count: f64, rate: f64| if count > 0.0 { count * log(rate) } else { 0.0 };
    beta(successes + 0.5, failures + 0.5) - beta(0.5, 0.5) - part(successes, rate) - part(failures, 1.0 - rate)
}

/// Whether some pair of rates with this difference has a product below 20: the sum is convex along the line,
/// so that thirds are cut off it.
fn holds(one: Arm, other: Arm, difference: f64) -> bool {
    let sum = |rate: f64| log_martingale(one, rate) + log_martingale(other, rate - difference);
    let (mut low, mut high) = (difference.max(0.0), (1.0 + difference).min(1.0));
    for _ in 0..200 {
        let third = (high - low) / 3.0;
        if sum(low + third) < sum(high - third) { high -= third } else { low += third }
    }
    sum((low + high) / 2.0) < LN_20
}

#[test]
fn bounds_are_where_the_product_reaches_20() {
    let counts =
        [(0, 0), (0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (1, 40), (20, 40), (39, 40), (40, 1_000), (238, 1_000)];
    for one in counts.map(|(successes, trials)| arm(successes, trials)) {
        for other in counts.map(|(successes, trials)| arm(successes, trials)) {
            let Some((low, high)) = bounds(one, other) else {
                assert_eq!(one.trials + other.trials, 0);
                continue;
            };
            let name = format!("{one:?} less {other:?}: {low} to {high}");
            assert!(holds(one, other, low + 1e-7) && holds(one, other, high - 1e-7), "{name}");
            assert!(low < -0.999_999 || !holds(one, other, low - 1e-7), "{name}");
            assert!(high > 0.999_999 || !holds(one, other, high + 1e-7), "{name}");
        }
    }
}

#[test]
fn the_regret_is_that_of_the_definition() {
    for (successes, trials) in [(0, 1), (1, 2), (0, 15), (15, 31), (16, 31), (17, 500), (4_000, 100_000)] {
        let arm = arm(successes, trials);
        let best = successes as f64 / trials as f64;
        let (expected, got) = (-log_martingale(arm, best), regret(arm));
        assert!((expected - got).abs() < 1e-8, "{arm:?}: {got}, expected {expected}");
    }
    // ln (pi n / 2) / 2 for n = 10^12, at a rate of 0.3.
    assert!((regret(arm(300_000_000_000, 1_000_000_000_000)) - 14.041_302).abs() < 1e-6);
}

/// Every way in which small arms can go, with its chance: no simulation. Arms take turns, or the second comes
/// after the first; somebody looks after each customer.
#[test]
fn the_true_difference_is_ever_left_out_with_a_chance_of_5_percent_at_most() {
    const EACH: usize = 20;
    let interleaved = (0..2 * EACH).map(|turn| turn % 2);
    let one_by_one = (0..2 * EACH).map(|turn| turn / EACH);
    let orders = [interleaved.collect::<Vec<_>>(), one_by_one.collect()];
    let rates = [(0.04, 0.04), (0.2, 0.2), (0.5, 0.5), (0.3, 0.1), (0.05, 0.9), (0.01, 0.25)];
    for order in &orders {
        for (rate, other) in rates {
            let missed = chance_of_missing(order, [rate, other]);
            assert!(missed <= 0.05, "{rate} and {other}: {missed}");
        }
    }
    // It is a chance, and not nothing: a true difference of 1 is never left out, one of 0.85 is.
    assert!(chance_of_missing(&orders[0], [0.05, 0.9]) > 0.0);
}

fn chance_of_missing(order: &[usize], rates: [f64; 2]) -> f64 {
    let difference = rates[0] - rates[1];
    let mut trials = [0, 0];
    let mut chances = std::collections::BTreeMap::from([([0, 0], 1.0)]);
    let mut missed = 0.0;
    for &turn in order {
        trials[turn] += 1;
        let mut after = std::collections::BTreeMap::new();
        for (successes, chance) in chances {
            let mut succeeded: [i64; 2] = successes;
            succeeded[turn] += 1;
            *after.entry(succeeded).or_insert(0.0) += chance * rates[turn];
            *after.entry(successes).or_insert(0.0) += chance * (1.0 - rates[turn]);
        }
        after.retain(|successes, chance| {
            let (low, high) = bounds(arm(successes[0], trials[0]), arm(successes[1], trials[1])).expect("somebody");
            let is_held = low <= difference && difference <= high;
            missed += if is_held { 0.0 } else { *chance };
            is_held
        });
        chances = after;
    }
    missed
}

#[test]
fn an_empty_arm_may_have_any_rate() {
    assert_eq!(difference(arm(0, 0), arm(0, 0)), None);
    // The mixture gives one failure a half; a twentieth of that is what a rate of 0.975 gives it.
    assert_eq!(difference(arm(0, 0), arm(0, 1)), Some(Interval { low: -9_750, high: 10_000 }));
    assert_eq!(difference(arm(0, 0), arm(1, 1)), Some(Interval { low: -10_000, high: 9_750 }));
    // Nobody of 1,000: (1 - rate)^1000 falls below the mixture's likelihood / 20 at 0.7 percent.
    let high = 1.0 - libm::exp(-(LN_20 + regret(arm(0, 1_000))) / 1_000.0);
    let (low, top) = bounds(arm(0, 1_000), arm(0, 0)).expect("somebody");
    assert!((low - -1.0).abs() < 1e-9 && (top - high).abs() < 1e-9, "{low} to {top}, expected {high}");
    let (low, top) = bounds(arm(0, 0), arm(0, 1_000)).expect("somebody");
    assert!((low - -high).abs() < 1e-9 && (top - 1.0).abs() < 1e-9, "{low} to {top}");
}

#[test]
fn bounds_hold_the_difference_stay_within_1_and_change_sides_with_the_arms() {
    let counts = |rng: &mut fastrand::Rng| {
        let digits = rng.u32(0..=12);
        let trials = rng.i64(0..=10_i64.pow(digits));
        let successes = [0, trials, trials.min(1), rng.i64(0..=trials)];
        arm(successes[rng.usize(0..4)], trials)
    };
    let mut rng = fastrand::Rng::with_seed(1970);
    for _ in 0..20_000 {
        let (one, other) = (counts(&mut rng), counts(&mut rng));
        let name = format!("{one:?} less {other:?}");
        let Some(interval) = difference(one, other) else { continue };
        let between = one.rate().zip(other.rate()).map(|(rate, other)| (rate - other) * UNIT);
        let held = between.is_none_or(|between| interval.low as f64 <= between && between <= interval.high as f64);
        assert!(held && -10_000 <= interval.low && interval.high <= 10_000, "{name}: {interval:?}");
        let turned = difference(other, one).expect("somebody");
        assert_eq!((turned.low, turned.high), (-interval.high, -interval.low), "{name}");
        let complement = difference(other.reversed(), one.reversed());
        assert_eq!(complement, Some(interval), "{name}");
    }
}

#[test]
fn more_customers_at_the_same_rates_say_more() {
    let mut widths = Vec::new();
    for scale in [10, 100, 1_000, 100_000, 10_000_000, TRIALS_MAX / 100] {
        let (low, high) = bounds(arm(20 * scale, 100 * scale), arm(10 * scale, 100 * scale)).expect("somebody");
        assert!(low < 0.1 && 0.1 < high, "{scale}: {low} to {high}");
        widths.push(high - low);
    }
    assert!(widths.windows(2).all(|pair| pair[1] < pair[0]), "{widths:?}");
    assert!(widths.last().is_some_and(|width| *width < 1e-4), "{widths:?}");
}
