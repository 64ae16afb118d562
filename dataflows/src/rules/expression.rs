//! The expression language of rules, after parsing and type checking.
//!
//! SQL's three-valued logic over numbers (exact rationals), texts and booleans. An [`Expr`] that
//! reaches the dataflow is well typed: the programme's checker refuses everything else. `between`
//! has become two comparisons; `!=` is `<>`.

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

/// `+`, `-`, `*`, `/`. Division by 0 is null.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
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
    pub fn attributes(&self, visit: &mut impl FnMut(&Attribute)) {
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
