//! The numbers that rules compare with.

use std::fmt;

use dataflows::rules::{Comparison, Expr, Number};

/// A comparison with a number, wherever in a rule it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bound {
    left: Expr,
    comparison: Comparison,
    pub number: Number,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.compared(&self.number).fmt(f)
    }
}

impl Bound {
    fn of(comparison: Comparison, left: &Expr, right: &Expr) -> Option<Bound> {
        match (left, right) {
            (Expr::Number(_), Expr::Number(_)) => None,
            (left, Expr::Number(number)) => Some(Bound { left: left.clone(), comparison, number: number.clone() }),
            (Expr::Number(number), right) => {
                Some(Bound { left: right.clone(), comparison: comparison.mirrored(), number: number.clone() })
            }
            _ => None,
        }
    }

    fn compared(&self, number: &Number) -> Expr {
        Expr::Compare(self.comparison, Box::new(self.left.clone()), Box::new(Expr::Number(number.clone())))
    }

    /// With `?` in the place of the number.
    pub fn pattern(&self) -> String {
        let (whole, number) = (self.to_string(), Expr::Number(self.number.clone()).to_string());
        format!("{}?", whole.strip_suffix(&number).unwrap_or(&whole))
    }
}

/// Every bound of a rule once, in the order in which they stand.
pub(super) fn bounds(rule: &Expr) -> Vec<Bound> {
    let mut found = Vec::new();
    visit(rule, &mut |bound| {
        if !found.contains(&bound) {
            found.push(bound);
        }
    });
    found
}

fn visit(rule: &Expr, tell: &mut impl FnMut(Bound)) {
    match rule {
        Expr::Null | Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) | Expr::Attribute(_) => {}
        Expr::Not(operand) | Expr::IsNull(operand) | Expr::Like(operand, _) | Expr::Negate(operand) => {
            visit(operand, tell);
        }
        Expr::And(operands) | Expr::Or(operands) | Expr::AtLeast(_, operands) => {
            operands.iter().for_each(|operand| visit(operand, tell));
        }
        Expr::Compare(comparison, left, right) => {
            Bound::of(*comparison, left, right).into_iter().for_each(&mut *tell);
            visit(left, tell);
            visit(right, tell);
        }
        Expr::Arithmetic(_, left, right) => {
            visit(left, tell);
            visit(right, tell);
        }
        Expr::In(operand, list) => {
            visit(operand, tell);
            list.iter().for_each(|item| visit(item, tell));
        }
    }
}

/// The rule with another number in the place of a bound's, wherever that stands.
pub(super) fn moved(rule: &Expr, bound: &Bound, number: &Number) -> Expr {
    let one = |rule: &Expr| Box::new(moved(rule, bound, number));
    let all = |rules: &[Expr]| rules.iter().map(|rule| moved(rule, bound, number)).collect();
    match rule {
        Expr::Null | Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) | Expr::Attribute(_) => rule.clone(),
        Expr::Not(operand) => Expr::Not(one(operand)),
        Expr::IsNull(operand) => Expr::IsNull(one(operand)),
        Expr::Like(operand, pattern) => Expr::Like(one(operand), pattern.clone()),
        Expr::Negate(operand) => Expr::Negate(one(operand)),
        Expr::And(operands) => Expr::And(all(operands)),
        Expr::Or(operands) => Expr::Or(all(operands)),
        Expr::AtLeast(least, operands) => Expr::AtLeast(*least, all(operands)),
        Expr::Compare(comparison, left, right) => match Bound::of(*comparison, left, right) {
            Some(found) if found == *bound => bound.compared(number),
            _ => Expr::Compare(*comparison, one(left), one(right)),
        },
        Expr::Arithmetic(arithmetic, left, right) => Expr::Arithmetic(*arithmetic, one(left), one(right)),
        Expr::In(operand, list) => Expr::In(one(operand), all(list)),
    }
}
