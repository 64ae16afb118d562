//! Testing plans on columns.
//!
//! A truth is a byte: 0 false, 1 null, 2 true. Then `and` is the least, `or` the greatest, `not`
//! the distance from 2: Kleene's logic, which is SQL's, without a branch.

use std::rc::Rc;
use std::sync::Arc;

use super::plan::{Flag, Numeric, Plan, Textual};
use super::ratios;
use crate::types::Word;

pub const FALSE: u8 = 0;
pub const NULL: u8 = 1;
pub const TRUE: u8 = 2;

/// A column of numbers in hundredths; where `null` is 1 the value means nothing.
pub struct Numbers {
    pub values: Vec<i64>,
    pub null: Vec<u8>,
    /// The values themselves, where one of them does not fit in 64 bits and stands bounded among
    /// `values`: no bound of a range test lies beyond it.
    pub wide: Option<Vec<i128>>,
}

impl Numbers {
    pub fn new(values: Vec<i64>, null: Vec<u8>) -> Numbers {
        Numbers { values, null, wide: None }
    }

    /// Of values, some of which may not fit in 64 bits; null where there is none.
    pub fn of_wide(values: impl Iterator<Item = Option<i128>> + Clone) -> Numbers {
        let mut is_wide = false;
        let narrow = |value: Option<i128>| {
            let value = value.unwrap_or(0);
            i64::try_from(value).unwrap_or_else(|_| {
                is_wide = true;
                if value < 0 { i64::MIN } else { i64::MAX }
            })
        };
        Numbers {
            values: values.clone().map(narrow).collect(),
            null: values.clone().map(|value| u8::from(value.is_none())).collect(),
            wide: is_wide.then(|| values.map(|value| value.unwrap_or(0)).collect()),
        }
    }

    /// The value at a place, to the last digit.
    pub fn exact(&self, place: usize) -> i128 {
        self.wide.as_ref().map_or_else(|| i128::from(self.values[place]), |wide| wide[place])
    }
}

/// Where a pass finds its columns. All have the same length.
pub trait Columns {
    /// Places in each column.
    fn places(&self) -> usize;
    fn numbers(&self, column: Numeric) -> Rc<Numbers>;
    /// The truth of `low <= column <= high`; null where the column is.
    fn within(&self, column: Numeric, low: i64, high: i64) -> Vec<u8>;
    fn words(&self, column: Textual) -> Rc<Vec<u32>>;
    /// 0 or 1.
    fn flags(&self, flag: &Flag) -> Vec<u8>;
    /// The vocabulary.
    fn vocabulary(&self) -> &[Arc<str>];
}

/// TRUE or FALSE, or NULL where `null` is 1: without a branch, so that loops of it are vector code.
pub fn truth(holds: bool, null: u8) -> u8 {
    (u8::from(holds) << 1) & null.wrapping_sub(1) | null
}

/// The truth of a condition at every place.
pub fn evaluate(plan: &Plan, columns: &impl Columns) -> Vec<u8> {
    match plan {
        Plan::True => vec![TRUE; columns.places()],
        Plan::False => vec![FALSE; columns.places()],
        Plan::Null => vec![NULL; columns.places()],
        Plan::Flag(flag) => {
            let mut truths = columns.flags(flag);
            truths.iter_mut().for_each(|truth| *truth *= TRUE);
            truths
        }
        Plan::Range { column, low, high, outside } => {
            let mut truths = columns.within(*column, *low, *high);
            if *outside {
                truths.iter_mut().for_each(|truth| *truth = TRUE - *truth);
            }
            truths
        }
        Plan::Word { column, test } => {
            let (words, mut test) = (columns.words(*column), test.borrow_mut());
            let truth = |word: &u32| match Word(*word) {
                Word::NULL => NULL,
                word => TRUE * u8::from(test.holds(word, columns.vocabulary())),
            };
            words.iter().map(truth).collect()
        }
        Plan::Words(comparison, left, right) => {
            let (left, right, vocabulary) = (columns.words(*left), columns.words(*right), columns.vocabulary());
            let truth = |(left, right): (&u32, &u32)| {
                if *left == Word::NULL.0 || *right == Word::NULL.0 {
                    return NULL;
                }
                let (left, right) = (vocabulary.get(*left as usize), vocabulary.get(*right as usize));
                TRUE * u8::from(comparison.holds(left.cmp(&right)))
            };
            left.iter().zip(right.iter()).map(truth).collect()
        }
        Plan::Compare(comparison, left, right) => ratios::compare(*comparison, left, right, columns),
        Plan::IsNullNumber(sum) => ratios::is_null(sum, columns),
        Plan::IsNullWord(column) => {
            columns.words(*column).iter().map(|word| TRUE * u8::from(*word == Word::NULL.0)).collect()
        }
        Plan::IsNull(operand) => map(evaluate(operand, columns), |truth| TRUE * u8::from(truth == NULL)),
        Plan::Same { left, right, differ } => {
            let flip = u8::from(*differ);
            let same = |left: u8, right: u8| {
                if left == NULL || right == NULL { NULL } else { (u8::from(left == right) ^ flip) * TRUE }
            };
            zip(evaluate(left, columns), &evaluate(right, columns), same)
        }
        Plan::Not(operand) => map(evaluate(operand, columns), |truth| TRUE - truth),
        Plan::And(operands) => joined(operands, columns, TRUE, FALSE, u8::min),
        Plan::Or(operands) => joined(operands, columns, FALSE, TRUE, u8::max),
        Plan::AtLeast(least, operands) => {
            let mut counts = vec![0u32; columns.places()];
            for operand in operands {
                let truths = evaluate(operand, columns);
                counts.iter_mut().zip(truths).for_each(|(count, truth)| *count += u32::from(truth == TRUE));
            }
            counts.iter().map(|count| TRUE * u8::from(count >= least)).collect()
        }
    }
}

/// Joins the operands' truths. Stops where every place already is what nothing can change.
fn joined(operands: &[Plan], columns: &impl Columns, unit: u8, end: u8, join: fn(u8, u8) -> u8) -> Vec<u8> {
    let Some((first, rest)) = operands.split_first() else { return vec![unit; columns.places()] };
    let mut truths = evaluate(first, columns);
    for operand in rest {
        if truths.iter().all(|truth| *truth == end) {
            break;
        }
        truths = zip(truths, &evaluate(operand, columns), join);
    }
    truths
}

fn map(mut truths: Vec<u8>, truth: impl Fn(u8) -> u8) -> Vec<u8> {
    truths.iter_mut().for_each(|at| *at = truth(*at));
    truths
}

fn zip(mut left: Vec<u8>, right: &[u8], join: impl Fn(u8, u8) -> u8) -> Vec<u8> {
    left.iter_mut().zip(right).for_each(|(left, right)| *left = join(*left, *right));
    left
}
