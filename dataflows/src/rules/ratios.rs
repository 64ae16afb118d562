//! Arithmetic of rules, exact, for whole columns.
//!
//! Three ways, from fast to general: 64 bits where the operands' bounds rule out an overflow
//! ([`super::terms`]), checked 128 bits, numbers of any length. All give the same answer.

use num_bigint::BigInt;
use num_rational::BigRational;

use super::evaluate::{Columns, FALSE, NULL, TRUE, truth};
use super::expression::{Arithmetic, Comparison};
use super::plan::Sum;
use super::terms::{self, Terms};

/// The truth of a comparison at every place.
pub fn compare(comparison: Comparison, left: &Sum, right: &Sum, columns: &impl Columns) -> Vec<u8> {
    let fast = || terms::compare(comparison, &Terms::of(left, columns)?, &Terms::of(right, columns)?);
    fast()
        .or_else(|| compare_wide(comparison, left, right, columns))
        .unwrap_or_else(|| compare_exact(comparison, left, right, columns))
}

fn compare_wide(comparison: Comparison, left: &Sum, right: &Sum, columns: &impl Columns) -> Option<Vec<u8>> {
    let (left, right) = (ratios(left, columns)?, ratios(right, columns)?);
    let mut truths = Vec::with_capacity(columns.places());
    for place in 0..columns.places() {
        if (left.null[place] | right.null[place]) != 0 {
            truths.push(NULL);
            continue;
        }
        let scaled_left = left.numerators[place].checked_mul(right.denominators[place])?;
        let scaled_right = right.numerators[place].checked_mul(left.denominators[place])?;
        truths.push(truth(comparison.holds(scaled_left.cmp(&scaled_right)), 0));
    }
    Some(truths)
}

fn compare_exact(comparison: Comparison, left: &Sum, right: &Sum, columns: &impl Columns) -> Vec<u8> {
    let at = |place| match (exact(left, columns, place), exact(right, columns, place)) {
        (Some(left), Some(right)) => truth(comparison.holds(left.cmp(&right)), 0),
        _ => NULL,
    };
    (0..columns.places()).map(at).collect()
}

/// TRUE where an expression is null, FALSE elsewhere.
pub fn is_null(sum: &Sum, columns: &impl Columns) -> Vec<u8> {
    let from = |null: &[u8]| null.iter().map(|null| null * TRUE).collect();
    match sum {
        Sum::Null => vec![TRUE; columns.places()],
        Sum::Constant(_) => vec![FALSE; columns.places()],
        Sum::Column(column) => from(&columns.numbers(*column).null),
        sum => match ratios(sum, columns) {
            Some(ratios) => from(&ratios.null),
            None => (0..columns.places()).map(|place| truth(exact(sum, columns, place).is_none(), 0)).collect(),
        },
    }
}

/// A column of exact fractions; denominators are positive.
struct Ratios {
    numerators: Vec<i128>,
    denominators: Vec<i128>,
    null: Vec<u8>,
}

/// The expression at every place; none where 128 bits do not hold it at some place.
fn ratios(sum: &Sum, columns: &impl Columns) -> Option<Ratios> {
    let len = columns.places();
    Some(match sum {
        Sum::Null => Ratios { numerators: vec![0; len], denominators: vec![1; len], null: vec![1; len] },
        Sum::Constant(number) => {
            let (numerator, denominator) = (i128::try_from(number.numer()), i128::try_from(number.denom()));
            Ratios {
                numerators: vec![numerator.ok()?; len],
                denominators: vec![denominator.ok()?; len],
                null: vec![0; len],
            }
        }
        Sum::Column(column) => {
            let numbers = columns.numbers(*column);
            let numerators = (0..len).map(|place| numbers.exact(place)).collect();
            Ratios { numerators, denominators: vec![100; len], null: numbers.null.clone() }
        }
        Sum::Arithmetic(arithmetic, left, right) => {
            let (mut left, right) = (ratios(left, columns)?, ratios(right, columns)?);
            for place in 0..len {
                left.null[place] |= right.null[place];
                if left.null[place] != 0 {
                    continue;
                }
                let of_left = (left.numerators[place], left.denominators[place]);
                let of_right = (right.numerators[place], right.denominators[place]);
                let (numerator, denominator) = match arithmetic {
                    Arithmetic::Add => added(of_left, of_right)?,
                    Arithmetic::Subtract => added(of_left, (of_right.0.checked_neg()?, of_right.1))?,
                    Arithmetic::Multiply => (of_left.0.checked_mul(of_right.0)?, of_left.1.checked_mul(of_right.1)?),
                    Arithmetic::Divide if of_right.0 == 0 => {
                        left.null[place] = 1;
                        continue;
                    }
                    Arithmetic::Divide => {
                        let (numerator, denominator) =
                            (of_left.0.checked_mul(of_right.1)?, of_left.1.checked_mul(of_right.0)?);
                        if denominator < 0 {
                            (numerator.checked_neg()?, denominator.checked_neg()?)
                        } else {
                            (numerator, denominator)
                        }
                    }
                };
                (left.numerators[place], left.denominators[place]) = (numerator, denominator);
            }
            left
        }
    })
}

fn added(left: (i128, i128), right: (i128, i128)) -> Option<(i128, i128)> {
    if left.1 == right.1 {
        return Some((left.0.checked_add(right.0)?, left.1));
    }
    let numerator = left.0.checked_mul(right.1)?.checked_add(right.0.checked_mul(left.1)?)?;
    Some((numerator, left.1.checked_mul(right.1)?))
}

/// The expression at one place, in numbers of any length; none where it is null.
fn exact(sum: &Sum, columns: &impl Columns, place: usize) -> Option<BigRational> {
    match sum {
        Sum::Null => None,
        Sum::Constant(number) => Some(number.clone()),
        Sum::Column(column) => {
            let numbers = columns.numbers(*column);
            (numbers.null[place] == 0).then(|| BigRational::new(BigInt::from(numbers.exact(place)), BigInt::from(100)))
        }
        Sum::Arithmetic(arithmetic, left, right) => {
            arithmetic.apply(&exact(left, columns, place)?, &exact(right, columns, place)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::sync::Arc;

    use super::*;
    use crate::rules::evaluate::Numbers;
    use crate::rules::plan::{Flag, Numeric, Textual};
    use crate::types::Word;

    const PLACES: usize = 40;

    /// Columns of numbers by measure.
    struct Table(Vec<Rc<Numbers>>);

    impl Columns for Table {
        fn places(&self) -> usize {
            PLACES
        }
        fn numbers(&self, column: Numeric) -> Rc<Numbers> {
            let Numeric::Usage(Some(Word(number))) = column else { panic!("{column:?}") };
            self.0[number as usize].clone()
        }
        fn within(&self, _: Numeric, _: i64, _: i64) -> Vec<u8> {
            unreachable!()
        }
        fn words(&self, _: Textual) -> Rc<Vec<u32>> {
            unreachable!()
        }
        fn flags(&self, _: &Flag) -> Vec<u8> {
            unreachable!()
        }
        fn vocabulary(&self) -> &[Arc<str>] {
            unreachable!()
        }
    }

    fn column(random: &mut fastrand::Rng) -> Rc<Numbers> {
        let most = [3, 1_000, 1 << 31, 1 << 45, i64::MAX][random.usize(0..5)];
        let values = (0..PLACES).map(|_| random.i64(-most / 4..most)).collect();
        let nullable = random.bool();
        Rc::new(Numbers::new(values, (0..PLACES).map(|_| u8::from(nullable && random.u8(0..5) == 0)).collect()))
    }

    fn sum(random: &mut fastrand::Rng, depth: u32) -> Sum {
        if depth == 0 || random.u8(0..4) == 0 {
            return if random.u8(0..3) > 0 {
                Sum::Column(Numeric::Usage(Some(Word(random.u32(0..4)))))
            } else {
                let scale = [1, 100, 1_000_000_007][random.usize(0..3)];
                Sum::Constant(BigRational::new(random.i64(-300..300).into(), BigInt::from(scale)))
            };
        }
        let arithmetic = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide];
        let (left, right) = (sum(random, depth - 1), sum(random, depth - 1));
        Sum::Arithmetic(arithmetic[random.usize(0..4)], Box::new(left), Box::new(right))
    }

    #[test]
    fn every_width_of_numbers_gives_the_same_truths() {
        let mut random = fastrand::Rng::with_seed(11);
        let comparisons = [
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Greater,
            Comparison::GreaterOrEqual,
        ];
        let (mut narrow, mut wide) = (0, 0);
        for round in 0..4_000 {
            let table = Table((0..4).map(|_| column(&mut random)).collect());
            let (left, right) = (sum(&mut random, 3), sum(&mut random, 2));
            let comparison = comparisons[round % 6];
            let plain = compare_exact(comparison, &left, &right, &table);
            let in_terms = Terms::of(&left, &table).zip(Terms::of(&right, &table));
            if let Some(truths) = in_terms.and_then(|(left, right)| terms::compare(comparison, &left, &right)) {
                narrow += 1;
                assert_eq!(truths, plain, "round {round}, 64 bits: {left:?} {comparison:?} {right:?}");
            }
            if let Some(truths) = compare_wide(comparison, &left, &right, &table) {
                wide += 1;
                assert_eq!(truths, plain, "round {round}, 128 bits: {left:?} {comparison:?} {right:?}");
            }
        }
        assert!(narrow > 500 && wide > narrow, "{narrow} in 64 bits, {wide} in 128 bits");
    }
}
