//! Posting to webhooks: an address with its secret, a signed message, and when it is tried again.

mod endpoint;

use std::time::Duration;

pub use endpoint::{Attempt, Endpoint, Status};

/// Attempts before what is posted is a dead letter.
pub const ATTEMPTS_MAX: u32 = 8;

/// How long after a failed attempt the next one is made: twice as long each time, about `patience` in all, spread by a
/// quarter to both sides, so that those that failed together do not come together again.
pub fn delay(id: &str, attempts: u32, patience: Duration) -> Duration {
    let exponent = attempts.saturating_sub(1).min(ATTEMPTS_MAX - 2);
    let whole = (1u32 << (ATTEMPTS_MAX - 1)) - 1;
    // Ids are hashes: their bytes are as good as thrown.
    let place = 2 * exponent as usize;
    let thrown = id.get(place..place + 2).and_then(|byte| u32::from_str_radix(byte, 16).ok()).unwrap_or(128);
    patience * (1 << exponent) / whole * (192 + thrown / 2) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_spread_over_the_time_that_is_given() {
        let hour = Duration::from_secs(3600);
        for id in ["00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff", "x"] {
            let delays: Vec<Duration> = (1..ATTEMPTS_MAX).map(|attempts| delay(id, attempts, hour)).collect();
            assert!(delays.is_sorted() && delays[0] > Duration::from_secs(20), "{delays:?}");
            let whole: Duration = delays.iter().sum();
            assert!(whole > hour * 7 / 10 && whole < hour * 13 / 10, "{whole:?}");
        }
        assert_ne!(delay("00", 1, hour), delay("80", 1, hour));
    }
}
