//! A rule taken apart for one customer: what each clause found, and whether it holds.
//!
//! ```text
//! rule ─┬─ joins others (and, or, not, at_least): decided by theirs
//!       └─ any other: its own plan, on the columns that everybody is tested on
//! ```
//!
//! What joins others is joined here by SQL's logic once more; that both ways agree is a law of the tests.

use super::Expr;
use super::attribute::Attribute;
use super::evaluate::{Columns, FALSE, TRUE, evaluate};
use super::plan::{Asked, asked, plan};
use crate::types::Word;

/// TRUE, FALSE, or null.
pub type Truth = Option<bool>;

/// What a rule finds of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// In hundredths.
    Number(Option<i128>),
    /// [`Word::NULL`] where there is none.
    Text(Word),
    Flag(bool),
}

/// A clause, as it is of one customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clause<'e> {
    pub condition: &'e Expr,
    pub truth: Truth,
    /// What it asks for itself, each attribute once, in the order in which it does; nothing where it joins others.
    pub found: Vec<(&'e Attribute, Found)>,
    /// Those that it joins.
    pub clauses: Vec<Clause<'e>>,
}

/// Takes a condition apart for the customer at a place. `word` gives the number of a name, where it has one.
pub fn clause<'e>(
    condition: &'e Expr,
    columns: &impl Columns,
    place: usize,
    word: &dyn Fn(&str) -> Option<Word>,
) -> Clause<'e> {
    let all = |operands: &'e [Expr]| -> Vec<Clause<'e>> {
        operands.iter().map(|operand| clause(operand, columns, place, word)).collect()
    };
    let joined = |clauses: Vec<Clause<'e>>, join: &dyn Fn(&[Clause<'e>]) -> Truth| Clause {
        condition,
        truth: join(&clauses),
        found: Vec::new(),
        clauses,
    };
    match condition {
        Expr::And(operands) => joined(all(operands), &|clauses| decided_by(clauses, false)),
        Expr::Or(operands) => joined(all(operands), &|clauses| decided_by(clauses, true)),
        Expr::Not(operand) => {
            joined(all(std::slice::from_ref(operand)), &|clauses| clauses[0].truth.map(|truth| !truth))
        }
        Expr::AtLeast(least, operands) => joined(all(operands), &|clauses| {
            let holding = clauses.iter().filter(|clause| clause.truth == Some(true)).count();
            Some(holding >= *least as usize)
        }),
        _ => {
            let mut found: Vec<(&Attribute, Found)> = Vec::new();
            condition.attributes(&mut |attribute| {
                if found.iter().all(|(known, _)| *known != attribute) {
                    found.push((attribute, value(attribute, columns, place, word)));
                }
            });
            let truth = match evaluate(&plan(condition, word), columns)[place] {
                TRUE => Some(true),
                FALSE => Some(false),
                _ => None,
            };
            Clause { condition, truth, found, clauses: Vec::new() }
        }
    }
}

/// `and`, which one that is FALSE decides, or `or`, which one that is TRUE does: else null if one is, else the opposite.
fn decided_by(clauses: &[Clause<'_>], decides: bool) -> Truth {
    let mut truths = clauses.iter().map(|clause| clause.truth);
    if truths.clone().any(|truth| truth == Some(decides)) {
        return Some(decides);
    }
    (!truths.any(|truth| truth.is_none())).then_some(!decides)
}

/// What a rule finds of an attribute.
pub fn value(
    attribute: &Attribute,
    columns: &impl Columns,
    place: usize,
    word: &dyn Fn(&str) -> Option<Word>,
) -> Found {
    match asked(attribute, word) {
        Asked::Number(column) => {
            let numbers = columns.numbers(column);
            Found::Number((numbers.null[place] == 0).then(|| numbers.exact(place)))
        }
        Asked::Text(column) => Found::Text(Word(columns.words(column)[place])),
        Asked::Flag(flag) => Found::Flag(columns.flags(&flag)[place] == 1),
    }
}
