//! Draws: numbers that follow from (seed, purpose, subject, moment), and from nothing else.
//!
//! There is no generator whose state is passed along: whoever needs a number names what it is for.
//! So a customer is the same in every file, in whatever order files are written and whichever are
//! left out. The sequence is SplitMix64 (Steele, Lea, Flood 2014) from a state mixed of the four;
//! integers only, so every machine draws the same.

/// What a draw is for. Its number is part of every byte that `generate` writes: purposes are only
/// ever added at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Household,
    Person,
    Habit,
    Trend,
    Life,
    Month,
    Usage,
    Late,
    Correction,
    BadRow,
    Services,
    Terminal,
    Campaign,
    Member,
    Community,
    Adjustment,
    Listing,
    Consent,
    Score,
    Activity,
    Tie,
    Cell,
    Happening,
    Ping,
}

/// The numbers drawn for one purpose, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    state: u64,
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Draw {
    /// The draws for a purpose about a subject (a customer, a household) at a moment (a month; 0
    /// where none is meant).
    pub(super) fn new(seed: u64, purpose: Purpose, subject: u64, moment: u64) -> Draw {
        let mut state = mix(seed.wrapping_add(STEP));
        for word in [purpose as u64, subject, moment] {
            state = mix(state.wrapping_add(STEP) ^ word.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        }
        Draw { state }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// From 0 to `bound` - 1, each as likely as the other to within `bound` in 2^32; 0 where there is
    /// nothing to choose from.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// From `low` to `high`, the middle likelier than the ends: the mean of two draws.
    pub(super) fn around(&mut self, low: u32, high: u32) -> u32 {
        (self.between(low, high) + self.between(low, high)) / 2
    }

    /// True this many times in a thousand.
    pub(super) fn per_mille(&mut self, share: u32) -> bool {
        self.below(1000) < share
    }

    /// One of several, each as likely.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// One of several by their weights.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let total = choices.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for &(choice, weight) in choices {
            if at < weight {
                return choice;
            }
            at -= weight;
        }
        choices[choices.len() - 1].0
    }

    /// A number of thousandths as a whole number, up or down so that the mean is kept.
    pub(super) fn round(&mut self, thousandths: u64) -> u64 {
        (thousandths + u64::from(self.below(1000))) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_pinned() {
        let mut draw = Draw::new(1, Purpose::Person, 7, 0);
        assert_eq!([draw.below(1000), draw.below(1000), draw.below(1000)], PINNED);
        assert_eq!(
            Draw::new(1, Purpose::Person, 7, 0).below(u32::MAX),
            Draw::new(1, Purpose::Person, 7, 0).below(u32::MAX)
        );
    }

    /// From a second implementation of the same formula in Python.
    const PINNED: [u32; 3] = [359, 476, 993];

    #[test]
    fn draws_are_even_and_subjects_apart() {
        let mut counts = [0u32; 10];
        for subject in 0..20_000 {
            counts[Draw::new(1, Purpose::Person, subject, 0).below(10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (1800..2200).contains(count)), "{counts:?}");
        let mut draw = Draw::new(3, Purpose::Month, 1, 2);
        let sum: u64 = (0..10_000).map(|_| draw.round(2_300)).sum();
        assert!((22_700..23_300).contains(&sum), "{sum}");
        assert_eq!(draw.below(0), 0);
    }
}
