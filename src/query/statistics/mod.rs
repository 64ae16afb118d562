//! What is told of two rates when effects are read: how sure their difference is.
//!
//! Nothing here is maintained: every value is a function of the counts, computed when it is read. Floats are
//! used, and logarithms come from libm in pure Rust, so that the same counts give the same digits on every
//! machine; a square root and the four operations are exact to the last bit wherever Rust runs.
//!
//! Decided here:
//! - Bounds of the fixed intervals are rounded half up, as every rate is: the half goes toward positive
//!   infinity. One that falls short of the half by less than the noise of the calculation goes up; hardly
//!   any can, since a bound is 0, 1 or -1, and then exact, or holds a square root.
//! - Bounds of the sequence are rounded outward, since rounding inward would take from what is promised.
//! - Counts that contradict one another have no interval.

pub mod newcombe;
#[cfg(test)]
mod peeking;
pub mod sequence;

/// Customers in an arm, at most: 2^40, where a count times a rate still has its digits in a float.
pub const TRIALS_MAX: i64 = 1 << 40;

/// Ten-thousandths in 1.
const UNIT: f64 = 10_000.0;

/// What the noise of the calculation stays far below, in ten-thousandths: a dozen operations, each off by 1e-16 of 1.
const NOISE: f64 = 1e-9;

/// The customers of an arm, and how many of them did what was hoped for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arm {
    /// From 0 to `trials`.
    successes: i64,
    /// From 0 to `TRIALS_MAX`.
    trials: i64,
}

/// Where a rate or a difference of rates lies, in ten-thousandths, both bounds included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    pub low: i64,
    pub high: i64,
}

impl Arm {
    /// None where the counts are not those of an arm.
    pub fn new(successes: i64, trials: i64) -> Option<Arm> {
        let is_arm = (0..=TRIALS_MAX).contains(&trials) && (0..=trials).contains(&successes);
        is_arm.then_some(Arm { successes, trials })
    }

    fn failures(self) -> i64 {
        self.trials - self.successes
    }

    /// Who succeeded is who failed.
    fn reversed(self) -> Arm {
        Arm { successes: self.failures(), trials: self.trials }
    }

    /// None for an arm without anybody.
    fn rate(self) -> Option<f64> {
        (self.trials > 0).then(|| self.successes as f64 / self.trials as f64)
    }
}

/// Ten-thousandths, the half up.
fn half_up(value: f64) -> i64 {
    (value * UNIT + 0.5 + NOISE).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_has_no_more_successes_than_customers() {
        assert!(Arm::new(0, 0).is_some() && Arm::new(3, 3).is_some() && Arm::new(0, TRIALS_MAX).is_some());
        let contradictions = [(1, 0), (4, 3), (-1, 3), (0, -1), (-2, -1), (0, TRIALS_MAX + 1), (i64::MIN, i64::MAX)];
        for (successes, trials) in contradictions {
            assert_eq!(Arm::new(successes, trials), None, "{successes} of {trials}");
        }
    }

    #[test]
    fn the_half_goes_up_on_either_side_of_0() {
        // Of these, 0.00115 and 0.28895 fall short of the half in binary.
        let cases = [(0.00005, 1), (-0.00005, 0), (-0.00015, -1), (0.00115, 12), (0.28895, 2890), (0.000049, 0)];
        for (value, rounded) in cases {
            assert_eq!(half_up(value), rounded, "{value}");
        }
    }
}
