//! Range tests told from bounds, without dividing.
//!
//! `floor(s / n) >= b` is `s >= b n`, and a division costs more than the rest of a rule. Nearly
//! everybody has been billed in the same number of months, so that `b n` is one constant for a
//! whole column: the loop over it is a comparison, and the few others are decided one by one.

use crate::rules::evaluate::{Columns, Numbers, truth};
use crate::rules::plan::Numeric;
use crate::table::chunk::{DATA_KB, NO_DATE};
use crate::table::column::{CHUNK, Slots};
use crate::types::Day;

use super::dates::Cutoff;
use super::{CHANGE_MAX, Frame, Window};

/// Above every average in hundredths, and far enough from the end of 64 bits to be multiplied by
/// the months of a window.
const BOUND: i64 = 1 << 56;
/// Bounds on changes up to this, times a window's sum below [`SMALL`], stay within 64 bits.
const CHANGE_BOUND: i64 = 1 << 21;
/// Sums below this, times the months of two windows and 10,000, stay within 64 bits.
pub(super) const SMALL: i64 = 1 << 35;

/// How many months most customers of a chunk were billed in, and who was not.
pub(super) struct Usual {
    /// In W, and in the baseline.
    pub(super) months: (u8, u8),
    pub(super) others: Vec<u16>,
}

impl Usual {
    /// None where the chunk has no usual number of months, or only a few of it are looked at.
    pub(super) fn of(slots: &Slots, billed: &[u8], base_billed: &[u8]) -> Option<Usual> {
        if matches!(slots, Slots::Some(_)) {
            return None;
        }
        // Customers stand in the order in which they came: one of these is as everybody.
        let mut best: Option<(usize, (u8, u8))> = None;
        for months in [0, CHUNK / 2, CHUNK - 1].map(|place| (billed[place], base_billed[place])) {
            let differs = |(one, other): (&u8, &u8)| u8::from((*one != months.0) | (*other != months.1));
            let differ = |(ones, others): (&[u8], &[u8])| {
                // At most 255 at a time, so that the count stays a byte.
                usize::from(ones.iter().zip(others).map(differs).fold(0, u8::wrapping_add))
            };
            let others = billed.chunks(128).zip(base_billed.chunks(128)).map(differ).sum();
            if others == 0 {
                return Some(Usual { months, others: Vec::new() });
            }
            best = best.filter(|(fewest, _)| *fewest <= others).or(Some((others, months)));
        }
        let (_, months) = best.filter(|(fewest, _)| *fewest <= CHUNK / 4)?;
        let differs = |place: &u16| (billed[usize::from(*place)], base_billed[usize::from(*place)]) != months;
        Some(Usual { months, others: (0..CHUNK as u16).filter(differs).collect() })
    }
}

impl Frame<'_> {
    /// The truth of `low <= column <= high`; null where the column is.
    pub(super) fn decide_within(&self, column: Numeric, low: i64, high: i64) -> Vec<u8> {
        let customers = &self.chunk.customers;
        match column {
            Numeric::Average(fee) => self.average_within(fee, low, high),
            Numeric::Change(fee) => self.change_within(fee, low, high),
            Numeric::Age => self.date_within(&customers.birth_date, Cutoff::of_age, low, high),
            Numeric::Tenure => self.date_within(&customers.joined_on, Cutoff::of_tenure, low, high),
            column => self.number_within(column, low, high),
        }
    }

    fn number_within(&self, column: Numeric, low: i64, high: i64) -> Vec<u8> {
        let Numbers { values, null, .. } = &*self.numbers(column);
        values.iter().zip(null).map(|(value, null)| truth((low <= *value) & (*value <= high), *null)).collect()
    }

    fn average_within(&self, fee: usize, low: i64, high: i64) -> Vec<u8> {
        let unit = if fee == DATA_KB { 100 } else { 1 };
        let (sums, billed) = (self.sums(Window::Current, fee), self.billed(false));
        // Bounds beyond every sum are as good as the outermost one, and cannot overflow.
        let (low, below) = (low.clamp(-BOUND, BOUND), high.clamp(-BOUND, BOUND) + 1);
        let test = |sum: i64, billed: u8| {
            let (sum, months) = (sum.wrapping_mul(unit), i64::from(billed));
            let within = (sum >= low.wrapping_mul(months)) & (sum < below.wrapping_mul(months));
            truth(within, u8::from(billed == 0))
        };
        let Some(Usual { months: (months, _), others }) = self.usual() else {
            return sums.iter().zip(billed.iter()).map(|(sum, billed)| test(*sum, *billed)).collect();
        };
        // `unit s >= b n` is `s >= ceil(b n / unit)`.
        let bound = |bound: i64| -(-bound * i64::from(*months)).div_euclid(unit);
        let (low, below, null) = (bound(low), bound(below), u8::from(*months == 0));
        let mut truths: Vec<u8> = sums.iter().map(|sum| truth((*sum >= low) & (*sum < below), null)).collect();
        for place in others.iter().map(|place| usize::from(*place)) {
            truths[place] = test(sums[place], billed[place]);
        }
        truths
    }

    /// `change >= b` is `10,000 n' s >= (10,000 + b) n s'`, for a sum s' of the baseline above 0.
    fn change_within(&self, fee: usize, low: i64, high: i64) -> Vec<u8> {
        let (sums, billed) = (self.sums(Window::Current, fee), self.billed(false));
        let (base_sums, base_billed) = (self.sums(Window::Baseline, fee), self.billed(true));
        // Has every bit that any of them has: beyond every limit where one is below 0.
        let every = |sums: &[i64]| sums.iter().fold(0, |every, sum| every | *sum as u64);
        let all = every(&sums) | every(&base_sums);
        let largest = |sums: &[i64]| sums.iter().fold(0, |largest, sum| largest | sum.unsigned_abs());
        let largest = if all < 1 << 31 { all } else { largest(&sums) | largest(&base_sums) };
        // A change is told as CHANGE_MAX at most: a bound there lets everything through.
        let (least_open, most_open) = (low == i64::MIN, i128::from(high) >= CHANGE_MAX);
        let is_usual = (least_open || low.abs() <= CHANGE_BOUND) && (most_open || high.abs() <= CHANGE_BOUND);
        if largest >= SMALL as u64 || !is_usual || i128::from(low) > CHANGE_MAX {
            return self.number_within(Numeric::Change(fee), low, high);
        }
        let is_within = |change: i128| i128::from(low) <= change && change <= i128::from(high);
        let (most, none) = (is_within(CHANGE_MAX), is_within(0));
        let (low, below) = (low.max(-CHANGE_BOUND) + 10_000, high.clamp(-CHANGE_BOUND, CHANGE_BOUND) + 10_001);
        let test = |sum: i64, base_sum: i64, billed: u8, base_billed: u8| {
            let scaled = sum.wrapping_mul(i64::from(base_billed) * 10_000);
            let base = base_sum.wrapping_mul(i64::from(billed));
            let within = least_open | (scaled >= base.wrapping_mul(low));
            let within = within & (most_open | (scaled < base.wrapping_mul(below)));
            let within = if base_sum > 0 {
                within
            } else if sum > 0 {
                most
            } else {
                none
            };
            truth(within, u8::from((billed == 0) | (base_billed == 0)))
        };
        let Some(Usual { months: (months, base_months), others }) = self.usual() else {
            let pairs = sums.iter().zip(base_sums.iter()).zip(billed.iter().zip(base_billed.iter()));
            return pairs.map(|((sum, base), (billed, other))| test(*sum, *base, *billed, *other)).collect();
        };
        let null = u8::from((*months == 0) | (*base_months == 0));
        let scale = i64::from(*base_months) * 10_000;
        let (low, below) = (low * i64::from(*months), below * i64::from(*months));
        let flat = |sum: i64| if sum > 0 { most } else { none };
        let told = |within: bool, sum: i64, base: i64| truth(if base > 0 { within } else { flat(sum) }, null);
        let mut truths = Vec::with_capacity(sums.len());
        let pairs = sums.iter().zip(base_sums.iter()).map(|(sum, base)| (*sum, *base));
        // Nothing below 0 and nothing beyond 31 bits: one instruction multiplies four of them.
        if all < 1 << 31 {
            let (scale, low, below) = (scale as u32, low.max(0) as u32, below.max(0) as u32);
            let times = |amount: i64, factor: u32| u64::from(amount as u32) * u64::from(factor);
            truths.extend(pairs.map(|(sum, base)| {
                let scaled = times(sum, scale);
                let within = (least_open | (scaled >= times(base, low))) & (most_open | (scaled < times(base, below)));
                told(within, sum, base)
            }));
        } else {
            truths.extend(pairs.map(|(sum, base)| {
                let scaled = sum.wrapping_mul(scale);
                let least = least_open | (scaled >= base.wrapping_mul(low));
                told(least & (most_open | (scaled < base.wrapping_mul(below))), sum, base)
            }));
        }
        for place in others.iter().map(|place| usize::from(*place)) {
            truths[place] = test(sums[place], base_sums[place], billed[place], base_billed[place]);
        }
        truths
    }

    /// Ages and tenures fall as dates rise: at least k of them is a date up to a cutoff.
    fn date_within(&self, dates: &[i32; CHUNK], cutoff: fn(Day) -> Cutoff, low: i64, high: i64) -> Vec<u8> {
        let Some(last_day) = self.moment.month.map(crate::types::Month::last_day) else {
            return vec![truth(false, 1); self.slots.len()];
        };
        let cutoff = cutoff(last_day);
        let latest = if low == i64::MIN { i32::MAX } else { cutoff.latest_of(-(-low).div_euclid(100)) };
        let too_early = if high == i64::MAX { i32::MIN } else { cutoff.latest_of(high.div_euclid(100) + 1) };
        let test = |date: i32| truth((too_early < date) & (date <= latest), u8::from(date == NO_DATE));
        match self.slots {
            Slots::All => dates.iter().map(|date| test(*date)).collect(),
            Slots::Some(slots) => slots.iter().map(|slot| test(dates[usize::from(*slot)])).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::Moment;
    use crate::records::{AMOUNT_MAX, Bill, COUNT_MAX, Customer};
    use crate::table::Chunk;
    use crate::table::column::Bits;
    use crate::types::Month;
    use std::sync::Arc;

    const COLUMNS: [Numeric; 7] = [
        Numeric::Average(0),
        Numeric::Average(DATA_KB),
        Numeric::Change(0),
        Numeric::Change(DATA_KB),
        Numeric::Age,
        Numeric::Tenure,
        Numeric::LastFee,
    ];

    /// A chunk in which some are billed less often than most, and some have amounts out of the way.
    fn chunk(random: &mut fastrand::Rng, months: i32, amount_max: i64) -> Chunk {
        let mut chunk = Chunk::empty();
        let absent = random.usize(0..3) * 20;
        for month in 0..months {
            let mut changes = Vec::new();
            for slot in 0..CHUNK {
                if random.usize(0..100) >= absent {
                    let total_fee = random.i64(-amount_max / 8..amount_max);
                    let data_kb = random.i64(0..amount_max.min(COUNT_MAX));
                    changes.push((slot, Some(Bill { total_fee, data_kb, ..Bill::default() })));
                }
            }
            chunk.set_bills(Month::new(2009, 1).plus(month), changes.into_iter(), &mut Bits::none());
        }
        for slot in 0..CHUNK {
            let day = |random: &mut fastrand::Rng| Some(Day(random.i32(-40_000..16_000))).filter(|day| day.0 % 9 != 0);
            let (birth_date, joined_on) = (day(random), day(random));
            Arc::make_mut(&mut chunk.customers)
                .set(slot, Some(Customer { birth_date, joined_on, ..Customer::default() }));
        }
        chunk
    }

    #[test]
    fn bounds_tell_what_the_numbers_tell() {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..60 {
            let amount_max = [2_000, 40_000, 1 << 33, AMOUNT_MAX][round % 4];
            let chunk = chunk(&mut random, 1 + (round % 7) as i32, amount_max);
            let month = Month::new(2009, 1).plus(random.i32(-1..8));
            let window = random.i32(1..4);
            let moment = Moment { month: Some(month), now: None, window, lag: random.i32(1..4) };
            let some = Slots::Some((0..CHUNK as u16).filter(|_| random.u8(0..9) == 0).collect());
            for slots in [&Slots::All, &some] {
                let frame = Frame::new(&chunk, slots, moment, &[]);
                for column in COLUMNS {
                    let numbers = frame.numbers(column);
                    for _ in 0..6 {
                        let bound = |random: &mut fastrand::Rng| match random.u8(0..4) {
                            0 if numbers.values.is_empty() => 0,
                            0 => numbers.values[random.usize(0..numbers.values.len())],
                            1 => random.i64(-20_000..20_000),
                            2 => [i64::MIN + 2, -1, 0, 1, 1_000_000, 1_000_001, i64::MAX - 1][random.usize(0..7)],
                            _ => random.i64(-amount_max..amount_max),
                        };
                        let low = if random.bool() { i64::MIN } else { bound(&mut random) };
                        let high = if random.bool() { i64::MAX } else { bound(&mut random) };
                        let told = frame.decide_within(column, low, high);
                        let plain = frame.number_within(column, low, high);
                        let differs = (0..told.len()).find(|place| told[*place] != plain[*place]);
                        assert_eq!(differs, None, "seed {seed}, round {round}, {column:?} in {low}..={high}");
                    }
                }
            }
        }
    }
}
