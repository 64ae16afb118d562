//! How a customer's use moves: the long wave of a life, and the season.
//!
//! Both follow from the calendar month alone, not from where the months of a province begin, so two
//! provinces of one seed agree on the months that they share.

use dataflows::types::Month;

use super::random::{Draw, Purpose};

/// Months of a wave: it rises, holds, falls and rests, again and again.
const RISE: i32 = 9;
const HOLD: i32 = 5;
const FALL: i32 = 6;
const REST: i32 = 3;
const WAVE: i32 = RISE + HOLD + FALL + REST;

/// What a wave, a habit and a season act upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Voice,
    Sms,
    Roaming,
    Data,
    Services,
}

/// A customer's wave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trend {
    /// Months that the wave is ahead of the calendar's, 0 to WAVE - 1.
    ahead: i32,
    /// Percent that use stands higher at the top than at rest; negative of those who go away.
    top: i32,
    /// Percent of `top` that each side takes part with.
    voice: i32,
    sms: i32,
    roaming: i32,
    data: i32,
    services: i32,
}

impl Trend {
    /// The trend of a customer; `may_star` where a rise may be a steep one.
    pub(super) fn of(seed: u64, customer: u64, may_star: bool) -> Trend {
        let mut draw = Draw::new(seed, Purpose::Trend, customer, 0);
        let kind = draw.below(100);
        let is_star = may_star && kind < 30;
        let top = match kind {
            // Rising stars: everything at once, and much of it.
            _ if is_star => draw.between(300, 700) as i32,
            0..38 => draw.between(50, 220) as i32,
            38..56 => -(draw.between(20, 60) as i32),
            _ => draw.between(0, 8) as i32,
        };
        // Every other star writes little more than before: those who come near, and no further.
        let sms = match (is_star, draw.below(2)) {
            (true, 0) => (90, 130),
            (true, _) => (30, 60),
            _ => (25, 110),
        };
        let low = if is_star { 85 } else { 60 };
        let mut percent = |low, high| draw.between(low, high) as i32;
        Trend {
            voice: percent(10, 40),
            sms: percent(sms.0, sms.1),
            roaming: percent(low, 140),
            data: percent(low, 150),
            services: percent(low, 130),
            ahead: percent(0, WAVE as u32 - 1),
            top,
        }
    }

    /// Percent of the use at rest.
    pub(super) fn percent(&self, side: Side, month: Month) -> u64 {
        let share = match side {
            Side::Voice => self.voice,
            Side::Sms => self.sms,
            Side::Roaming => self.roaming,
            Side::Data => self.data,
            Side::Services => self.services,
        };
        (100 + self.top * share / 100 * self.height(month) / 100).max(10) as u64
    }

    /// How high the wave stands, 0 to 100.
    fn height(&self, month: Month) -> i32 {
        let at = (month.0 + self.ahead).rem_euclid(WAVE);
        if at < RISE {
            100 * at / RISE
        } else if at < RISE + HOLD {
            100
        } else if at < RISE + HOLD + FALL {
            100 - 100 * (at - RISE - HOLD) / FALL
        } else {
            0
        }
    }

    /// Whether use is on its way up: when new services are tried.
    pub(super) fn is_rising(&self, month: Month) -> bool {
        self.top > 8 && (month.0 + self.ahead).rem_euclid(WAVE) < RISE
    }

    /// Whether the customer is one of those who go away.
    pub(super) fn is_fading(&self) -> bool {
        self.top < 0
    }
}

/// Percent of an ordinary month's use.
pub(super) fn season(side: Side, month: Month) -> u64 {
    if is_spring_festival(month) {
        return match side {
            Side::Voice => 115,
            Side::Sms => 135,
            Side::Roaming => 130,
            Side::Data | Side::Services => 100,
        };
    }
    match (month.month(), side) {
        (7 | 8, Side::Roaming) => 120,
        (7 | 8, Side::Data) => 110,
        (10, Side::Roaming) => 115,
        (9 | 10, Side::Sms) => 105,
        (12, Side::Sms) => 110,
        (2, Side::Voice | Side::Data) => 93,
        _ => 100,
    }
}

/// Years of 2001 to 2040 in which the Spring Festival falls in January; in the others it is February.
const JANUARY: [i32; 15] = [2001, 2004, 2006, 2009, 2012, 2014, 2017, 2020, 2023, 2025, 2028, 2031, 2033, 2036, 2039];

/// Whether the Spring Festival falls into a month.
pub(super) fn is_spring_festival(month: Month) -> bool {
    let festival = if JANUARY.contains(&month.year()) { 1 } else { 2 };
    month.month() == festival
}
