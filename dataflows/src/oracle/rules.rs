//! Rules, asked of one customer: the three-valued logic as SQL's standard tells it.

use num_rational::BigRational;

use super::attributes::{Asked, Value};
use crate::rules::{Attribute, Expr, Type};

/// Whether a condition is TRUE.
pub fn holds(condition: &Expr, asked: &Asked<'_>) -> bool {
    truth(condition, asked) == Some(true)
}

fn truth(expr: &Expr, asked: &Asked<'_>) -> Option<bool> {
    match expr {
        Expr::Null => None,
        Expr::Boolean(boolean) => Some(*boolean),
        Expr::Attribute(attribute) => match asked.value(attribute) {
            Value::Boolean(boolean) => Some(boolean),
            _ => unreachable!("{attribute} is no condition"),
        },
        Expr::Not(operand) => truth(operand, asked).map(|truth| !truth),
        Expr::And(operands) => all(operands.iter().map(|operand| truth(operand, asked)), false),
        Expr::Or(operands) => all(operands.iter().map(|operand| truth(operand, asked)), true),
        Expr::AtLeast(least, operands) => {
            Some(operands.iter().filter(|operand| holds(operand, asked)).count() >= *least as usize)
        }
        Expr::Compare(comparison, left, right) => {
            let ordering = match is(left, right) {
                Type::Number => number(left, asked)?.cmp(&number(right, asked)?),
                Type::Text => text(left, asked)?.cmp(&text(right, asked)?),
                Type::Boolean => truth(left, asked)?.cmp(&truth(right, asked)?),
            };
            Some(comparison.holds(ordering))
        }
        Expr::In(operand, list) => {
            let equal = |item: &Expr| match is(operand, item) {
                Type::Number => Some(number(operand, asked)? == number(item, asked)?),
                Type::Text => Some(text(operand, asked)? == text(item, asked)?),
                Type::Boolean => Some(truth(operand, asked)? == truth(item, asked)?),
            };
            all(list.iter().map(equal), true)
        }
        Expr::IsNull(operand) => Some(match is(operand, operand) {
            Type::Number => number(operand, asked).is_none(),
            Type::Text => text(operand, asked).is_none(),
            Type::Boolean => truth(operand, asked).is_none(),
        }),
        Expr::Like(operand, pattern) => {
            let pattern: Vec<char> = pattern.chars().collect();
            Some(like(&text(operand, asked)?.chars().collect::<Vec<_>>(), &pattern))
        }
        Expr::Number(_) | Expr::Text(_) | Expr::Arithmetic(..) | Expr::Negate(_) => {
            unreachable!("{expr:?} is no condition")
        }
    }
}

/// `and` (which `false` decides) or `or` (which `true` decides) of truths: what decides, or null if
/// one is null, or the opposite.
fn all(truths: impl Iterator<Item = Option<bool>>, decides: bool) -> Option<bool> {
    let mut result = Some(!decides);
    for truth in truths {
        match truth {
            Some(truth) if truth == decides => return Some(decides),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

fn number(expr: &Expr, asked: &Asked<'_>) -> Option<BigRational> {
    match expr {
        Expr::Number(number) => Some(number.clone()),
        Expr::Attribute(attribute) => match asked.value(attribute) {
            Value::Number(number) => number,
            _ => unreachable!("{attribute} is no number"),
        },
        Expr::Negate(operand) => number(operand, asked).map(|number| -number),
        Expr::Arithmetic(arithmetic, left, right) => arithmetic.apply(&number(left, asked)?, &number(right, asked)?),
        Expr::Null => None,
        _ => unreachable!("{expr:?} is no number"),
    }
}

fn text(expr: &Expr, asked: &Asked<'_>) -> Option<String> {
    match expr {
        Expr::Text(text) => Some(text.clone()),
        Expr::Attribute(attribute) => match asked.value(attribute) {
            Value::Text(text) => text,
            _ => unreachable!("{attribute} is no text"),
        },
        Expr::Null => None,
        _ => unreachable!("{expr:?} is no text"),
    }
}

/// The type on which two expressions meet. A null takes the other's.
fn is(left: &Expr, right: &Expr) -> Type {
    let own = |expr: &Expr| match expr {
        Expr::Null => None,
        Expr::Number(_) | Expr::Arithmetic(..) | Expr::Negate(_) => Some(Type::Number),
        Expr::Text(_) => Some(Type::Text),
        Expr::Attribute(attribute) => Some(Attribute::ty(attribute)),
        _ => Some(Type::Boolean),
    };
    own(left).or(own(right)).unwrap_or(Type::Boolean)
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some(('%', rest)), _) => (0..=text.len()).any(|taken| like(&text[taken..], rest)),
        (Some(('_', rest)), Some((_, text))) => like(text, rest),
        (Some((expected, rest)), Some((found, text))) => expected == found && like(text, rest),
        (Some(_), None) => false,
    }
}
