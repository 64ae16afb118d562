//! Arithmetic in 64 bits, a column at a time, where no operand is large enough to overflow.
//!
//! Every column carries a bound on its values. A product or a sum is made only where the operands'
//! bounds say that it fits; else there are no terms, and the caller takes wider numbers. So the loops
//! need no checks and are vector code.

use std::rc::Rc;

use super::evaluate::{Columns, Numbers, TRUE, truth};
use super::expression::{Arithmetic, Comparison};
use super::plan::Sum;

/// Bounds stay up to this, and values within 64 bits.
const MOST: u128 = 1 << 62;

/// Integers, by place.
enum Values {
    /// The same everywhere.
    One(i64),
    Column(Rc<Numbers>),
    Each(Vec<i64>),
}

/// Integers, and a bound on how far from 0 they are.
struct Bounded {
    values: Values,
    most: u64,
}

/// An expression at every place, as exact fractions with denominators above 0.
pub struct Terms {
    numerators: Bounded,
    denominators: Bounded,
    /// 1 where null; none where nothing is.
    null: Option<Vec<u8>>,
}

impl Bounded {
    fn one(value: i64) -> Bounded {
        Bounded { values: Values::One(value), most: value.unsigned_abs() }
    }

    /// Calls `of` with the two values of each place; `most` bounds what it gives.
    fn zip(&self, other: &Bounded, most: u128, of: impl Fn(i64, i64) -> i64) -> Option<Bounded> {
        let most = u64::try_from(most).ok().filter(|most| u128::from(*most) <= MOST)?;
        let values = match (&self.values, &other.values) {
            (Values::One(one), Values::One(other)) => Values::One(of(*one, *other)),
            _ => Values::Each(self.map_with(other, of)),
        };
        Some(Bounded { values, most })
    }

    /// `of` the two values of each place, which are not both the same everywhere.
    fn map_with<T>(&self, other: &Bounded, of: impl Fn(i64, i64) -> T) -> Vec<T> {
        match (self.each(), other.each()) {
            (Ok(each), Ok(other)) => each.iter().zip(other).map(|(one, other)| of(*one, *other)).collect(),
            (Ok(each), Err(other)) => each.iter().map(|one| of(*one, other)).collect(),
            (Err(one), Ok(each)) => each.iter().map(|other| of(one, *other)).collect(),
            (Err(_), Err(_)) => Vec::new(),
        }
    }

    /// The values, or the one that stands everywhere.
    fn each(&self) -> Result<&[i64], i64> {
        match &self.values {
            Values::One(one) => Err(*one),
            Values::Column(numbers) => Ok(&numbers.values),
            Values::Each(values) => Ok(values),
        }
    }

    fn times(&self, other: &Bounded) -> Option<Bounded> {
        let most = u128::from(self.most) * u128::from(other.most);
        self.zip(other, most, i64::wrapping_mul)
    }

    fn plus(&self, other: &Bounded) -> Option<Bounded> {
        self.zip(other, u128::from(self.most) + u128::from(other.most), i64::wrapping_add)
    }

    fn minus(&self, other: &Bounded) -> Option<Bounded> {
        self.zip(other, u128::from(self.most) + u128::from(other.most), i64::wrapping_sub)
    }
}

/// Two denominators without their common divisor, where it is the same everywhere.
fn reduced(left: &Bounded, right: &Bounded) -> Option<(Bounded, Bounded)> {
    let (Values::One(left), Values::One(right)) = (&left.values, &right.values) else { return None };
    let (mut divisor, mut rest) = (*left, *right);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    Some((Bounded::one(left / divisor), Bounded::one(right / divisor)))
}

fn joined(left: Option<&Vec<u8>>, right: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.iter().zip(right).map(|(left, right)| left | right).collect()),
        (one, other) => one.or(other).cloned(),
    }
}

impl Terms {
    /// The terms of an expression; none where 64 bits may not hold them.
    pub fn of(sum: &Sum, columns: &impl Columns) -> Option<Terms> {
        match sum {
            Sum::Null => None,
            Sum::Constant(number) => {
                let numerators = Bounded::one(i64::try_from(number.numer()).ok()?);
                let denominators = Bounded::one(i64::try_from(number.denom()).ok()?);
                Some(Terms { numerators, denominators, null: None })
            }
            Sum::Column(column) => {
                let numbers = columns.numbers(*column);
                if numbers.wide.is_some() {
                    return None;
                }
                let null = numbers.null.contains(&1).then(|| numbers.null.clone());
                let most = numbers.values.iter().fold(0, |most, value| most | value.unsigned_abs());
                let numerators = Bounded { values: Values::Column(numbers), most };
                Some(Terms { numerators, denominators: Bounded::one(100), null })
            }
            Sum::Arithmetic(arithmetic, left, right) => {
                let (left, right) = (Terms::of(left, columns)?, Terms::of(right, columns)?);
                left.combined(*arithmetic, &right)
            }
        }
    }

    fn combined(&self, arithmetic: Arithmetic, other: &Terms) -> Option<Terms> {
        let null = joined(self.null.as_ref(), other.null.as_ref());
        match arithmetic {
            Arithmetic::Multiply => {
                let numerators = self.numerators.times(&other.numerators)?;
                let denominators = self.denominators.times(&other.denominators)?;
                Some(Terms { numerators, denominators, null })
            }
            Arithmetic::Divide => {
                let (left, right) = self.scaled(other)?;
                Terms { numerators: left, denominators: right, null }.with_sound_denominators()
            }
            Arithmetic::Add | Arithmetic::Subtract => {
                let (left, right) = self.scaled(other)?;
                let denominators = match reduced(&self.denominators, &other.denominators) {
                    Some((left, _)) => left.times(&other.denominators)?,
                    None => self.denominators.times(&other.denominators)?,
                };
                let numerators = if arithmetic == Arithmetic::Add { left.plus(&right)? } else { left.minus(&right)? };
                Some(Terms { numerators, denominators, null })
            }
        }
    }

    /// The numerators of both over a common denominator.
    fn scaled(&self, other: &Terms) -> Option<(Bounded, Bounded)> {
        match reduced(&self.denominators, &other.denominators) {
            Some((left, right)) => Some((self.numerators.times(&right)?, other.numerators.times(&left)?)),
            None => Some((self.numerators.times(&other.denominators)?, other.numerators.times(&self.denominators)?)),
        }
    }

    /// After a division: denominators of 0 are null, and those below 0 change sign with their
    /// numerators.
    fn with_sound_denominators(self) -> Option<Terms> {
        let Terms { numerators, denominators, null } = self;
        if let Values::One(denominator @ 1..) = denominators.values {
            return Some(Terms { numerators, denominators: Bounded::one(denominator), null });
        }
        // A constant divisor of 0 or less is too rare to be fast.
        let Values::Each(divisors) = &denominators.values else {
            return None;
        };
        let is_zero: Vec<u8> = divisors.iter().map(|divisor| u8::from(*divisor == 0)).collect();
        let null = joined(null.as_ref(), Some(&is_zero));
        let numerators = numerators.zip(&denominators, u128::from(numerators.most), |numerator, divisor| {
            if divisor < 0 { numerator.wrapping_neg() } else { numerator }
        })?;
        let sound = divisors.iter().map(|divisor| divisor.wrapping_abs() | i64::from(*divisor == 0)).collect();
        let denominators = Bounded { values: Values::Each(sound), most: denominators.most | 1 };
        Some(Terms { numerators, denominators, null })
    }
}

/// The truth of a comparison at every place.
pub fn compare(comparison: Comparison, left: &Terms, right: &Terms) -> Option<Vec<u8>> {
    let null = joined(left.null.as_ref(), right.null.as_ref());
    let (left, right) = left.scaled(right)?;
    if left.each().is_err() && right.each().is_err() {
        // Constants were compared when the plan was made.
        return None;
    }
    let truths = match comparison {
        Comparison::Equal => told(&left, &right, |left, right| left == right),
        Comparison::NotEqual => told(&left, &right, |left, right| left != right),
        Comparison::Less => told(&left, &right, |left, right| left < right),
        Comparison::LessOrEqual => told(&left, &right, |left, right| left <= right),
        Comparison::Greater => told(&left, &right, |left, right| left > right),
        Comparison::GreaterOrEqual => told(&left, &right, |left, right| left >= right),
    };
    Some(match null {
        None => truths,
        Some(null) => truths.iter().zip(&null).map(|(told, null)| truth(*told == TRUE, *null)).collect(),
    })
}

fn told(left: &Bounded, right: &Bounded, holds: impl Fn(i64, i64) -> bool) -> Vec<u8> {
    left.map_with(right, |left, right| truth(holds(left, right), 0))
}
