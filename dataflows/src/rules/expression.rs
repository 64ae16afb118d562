//! The expression language of rules, after parsing and type checking.
//!
//! SQL's three-valued logic over numbers (exact rationals), texts and booleans. An [`Expr`] that
//! reaches the dataflow is well typed: the programme's checker refuses everything else. `between`
//! has become two comparisons; `!=` is `<>`.

use std::cmp::Ordering;

use num_rational::BigRational;

use super::Attribute;

/// An exact number.
pub type Number = BigRational;

/// `=`, `<>`, `<`, `<=`, `>`, `>=`. Texts compare by their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether it holds of two values that compare so.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The comparison with its sides exchanged.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }
}

/// `+`, `-`, `*`, `/`. Division by 0 is null.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Arithmetic {
    /// The exact result; none for a division by 0.
    pub fn apply(self, left: &Number, right: &Number) -> Option<Number> {
        match self {
            Arithmetic::Add => Some(left + right),
            Arithmetic::Subtract => Some(left - right),
            Arithmetic::Multiply => Some(left * right),
            Arithmetic::Divide => (*right.numer() != 0.into()).then(|| left / right),
        }
    }
}

/// A checked expression.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Expr {
    /// `null`, of whatever type its place asks for.
    Null,
    Number(Number),
    Text(String),
    Boolean(bool),
    Attribute(Attribute),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Operand, list. SQL: TRUE if equal to one; else null if operand or one of the list is null.
    In(Box<Expr>, Vec<Expr>),
    IsNull(Box<Expr>),
    /// Operand, pattern: `%` any run, `_` one character, case-sensitive, no escape.
    Like(Box<Expr>, String),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    /// How many of the conditions must be TRUE. Never null.
    AtLeast(u32, Vec<Expr>),
}

impl Expr {
    /// Calls `visit` with every attribute in it, as often as it occurs.
    pub fn attributes<'a>(&'a self, visit: &mut impl FnMut(&'a Attribute)) {
        match self {
            Expr::Null | Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) => {}
            Expr::Attribute(attribute) => visit(attribute),
            Expr::Not(operand) | Expr::IsNull(operand) | Expr::Like(operand, _) | Expr::Negate(operand) => {
                operand.attributes(visit);
            }
            Expr::And(operands) | Expr::Or(operands) | Expr::AtLeast(_, operands) => {
                operands.iter().for_each(|operand| operand.attributes(visit));
            }
            Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) => {
                left.attributes(visit);
                right.attributes(visit);
            }
            Expr::In(operand, list) => {
                operand.attributes(visit);
                list.iter().for_each(|item| item.attributes(visit));
            }
        }
    }
}
