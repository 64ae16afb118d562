//! Bad rows on request: damaged copies of good ones, in the ways that the contract names.
//!
//! A damaged copy stands right after the row it is a copy of, and cannot be read or repeats its
//! key. So the good rows are the same with and without, and so is every view but the quarantine.
//!
//! Invariant: no file has more bad rows than its share, `share` of all its rows rounded down. Where
//! the share is within what a programme allows, no file is refused for it, however small.

use super::feeds::{Column, Kind};
use super::random::{Draw, Purpose};

/// A million, of which shares are parts.
const WHOLE: u64 = 1_000_000;

/// Decides after which rows of a file a damaged copy stands.
#[derive(Debug)]
pub(super) struct Damage {
    /// Bad rows in a million rows, bad ones included.
    share: u64,
    draw: Draw,
    rows: u64,
    bad: u64,
    /// Good rows to pass before the copy that is due.
    wait: Option<u64>,
}

impl Damage {
    /// For a file, by its name; `share` in a million.
    pub(super) fn new(seed: u64, share: u32, name: &str) -> Damage {
        // FNV-1a.
        let number = name
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        Damage {
            share: u64::from(share),
            draw: Draw::new(seed, Purpose::BadRow, number, 0),
            rows: 0,
            bad: 0,
            wait: None,
        }
    }

    /// Whether a damaged copy of the row that was just written is to follow.
    pub(super) fn is_due(&mut self) -> bool {
        if self.share == 0 {
            return false;
        }
        self.rows += 1;
        let is_earned = (self.bad + 1) * WHOLE <= (self.rows + 1) * self.share;
        if self.wait.is_none() && is_earned {
            // Somewhere in the stretch in which the next is earned, so that they are spread.
            let stretch = (WHOLE / self.share).min(u64::from(u32::MAX)) as u32;
            self.wait = Some(u64::from(self.draw.below(stretch)));
        }
        match &mut self.wait {
            Some(0) => {
                self.wait = None;
                self.rows += 1;
                self.bad += 1;
                true
            }
            Some(wait) => {
                *wait -= 1;
                false
            }
            None => false,
        }
    }

    /// A damaged copy of a row: which cell is changed, and into what; none where the copy stands as it
    /// is and repeats the key.
    pub(super) fn cell(&mut self, columns: &[Column]) -> Option<(usize, &'static str)> {
        let column = self.draw.below(columns.len() as u32) as usize;
        let texts: &[&'static str] = match columns[column].1 {
            Kind::Text => return None,
            Kind::Id => &[""],
            Kind::Decimal => &["12.345", "1e3", "\"1,234.50\"", "１２.００", "NaN", "99999999999999"],
            Kind::Count => &["-5", "1.5", "1e3", "１２", "99999999999999"],
            Kind::Integer => &["1.5", "1e3", "NaN"],
            Kind::Day => &["2009-02-30", "31/01/2009", "2009-13-01"],
            Kind::Month => &["2009-13", "1999-01-01", "200907"],
            Kind::Time => &["2009-02-30 10:00:00", "2009-07-01 25:00:00", "1248998400"],
            Kind::OneOf => &["unknown", "TRUE"],
        };
        Some((column, self.draw.pick(texts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept_from_above() {
        for share in [1, 2_000, 5_000, 9_999, 300_000] {
            let mut damage = Damage::new(1, share, "bill_2009-07.csv");
            for _ in 0..30_000 {
                damage.is_due();
                assert!(damage.bad * WHOLE <= damage.rows * damage.share);
            }
            let due = damage.rows * damage.share / WHOLE;
            assert!(damage.bad + 2 >= due, "{share}: {} of {due}", damage.bad);
        }
    }
}
