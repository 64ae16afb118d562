//! Types of a rule: from the parser's tree to an [`Expr`] that the dataflow may evaluate unchecked.
//!
//! Both sides of a comparison have one type; only `=`, `<>` and `in` compare booleans; arithmetic
//! takes numbers; `and`, `or`, `not`, `at_least` and the rule itself take booleans. `null` fits everywhere.
//! What is wrong in one part does not hide what is wrong in another.

use std::ops::Range;

use dataflows::rules::{Expr, Type};
use sqlparser::ast::Spanned;
use sqlparser::ast::{self, BinaryOperator, UnaryOperator, Value};

use super::words::Words;
use super::{Known, LEVELS_MAX, RuleProblems, foreign, numbers};

/// The whole rule. None where there is an error, which has been told.
pub(super) fn condition(
    tree: ast::Expr,
    words: &Words,
    known: &Known,
    problems: &mut RuleProblems<'_, '_, '_>,
) -> Option<Expr> {
    let mut checker = Checker { words, known, problems, told_depth: false };
    let typed = checker.check(tree, 0)?;
    match typed.ty {
        None | Some(Type::Boolean) => Some(typed.expr),
        Some(ty) => {
            let hint = comparison_hint(ty);
            checker.problems.error(typed.span, &format!("it is a {ty}"), hint);
            None
        }
    }
}

/// An expression, its type (none: `null`), and its characters in the rule.
pub(super) struct Typed {
    pub expr: Expr,
    pub ty: Option<Type>,
    pub span: Range<usize>,
}

pub(super) struct Checker<'c, 'p, 'a, 's> {
    words: &'c Words,
    pub known: &'c Known,
    pub problems: &'c mut RuleProblems<'p, 'a, 's>,
    told_depth: bool,
}

impl Checker<'_, '_, '_, '_> {
    /// `level` counts what encloses the expression.
    pub fn check(&mut self, tree: ast::Expr, level: usize) -> Option<Typed> {
        if level > LEVELS_MAX {
            if !self.told_depth {
                self.told_depth = true;
                self.problems.whole(&format!("it nests deeper than {LEVELS_MAX} levels"));
            }
            return None;
        }
        let level = level.saturating_add(1);
        match tree {
            ast::Expr::Nested(inner) => self.check(*inner, level),
            ast::Expr::Identifier(name) => {
                let span = self.problems.text.chars(name.span);
                let attribute = self.words.attributes.get(&span.start).cloned().flatten()?;
                Some(Typed { ty: Some(attribute.ty()), expr: Expr::Attribute(attribute), span })
            }
            ast::Expr::Value(value) => {
                let span = self.problems.text.chars(value.span);
                self.value(value.value, span)
            }
            ast::Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
                self.junction(*left, op, *right, level)
            }
            ast::Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.check(*left, level), self.check(*right, level));
                self.binary(left?, &op, right?)
            }
            ast::Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let operand = self.check(*expr, level)?;
                let span = operand.span.clone();
                let operand = self.boolean(operand, "`not` takes a condition")?;
                Some(Typed { expr: Expr::Not(Box::new(operand)), ty: Some(Type::Boolean), span })
            }
            ast::Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                let operand = self.check(*expr, level)?;
                self.minus(operand)
            }
            ast::Expr::IsNull(operand) => self.is_null(*operand, false, level),
            ast::Expr::IsNotNull(operand) => self.is_null(*operand, true, level),
            ast::Expr::InList { expr, list, negated } => {
                let operand = self.check(*expr, level);
                let items: Vec<Option<Typed>> = list.into_iter().map(|item| self.check(item, level)).collect();
                self.in_list(operand?, items.into_iter().collect::<Option<_>>()?, negated)
            }
            ast::Expr::Between { expr, negated, low, high } => {
                let operand = self.check(*expr, level);
                let (low, high) = (self.check(*low, level), self.check(*high, level));
                self.between(operand?, low?, high?, negated)
            }
            ast::Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let operand = self.check(*expr, level)?;
                self.like(operand, *pattern, negated)
            }
            ast::Expr::Function(function) => self.at_least(function, level),
            other => {
                let span = self.problems.text.chars(other.span());
                let (what, hint) = foreign::tree(&other);
                let problem = format!("{what} is not part of the rule language");
                self.problems.error(span, &problem, hint.map(str::to_owned));
                None
            }
        }
    }

    fn value(&mut self, value: Value, span: Range<usize>) -> Option<Typed> {
        let (expr, ty) = match value {
            Value::Number(digits, _) => match numbers::decimal(&digits) {
                Ok(number) => (Expr::Number(number), Some(Type::Number)),
                Err(problem) => {
                    self.problems.error(span, &format!("found {problem}"), None);
                    return None;
                }
            },
            Value::SingleQuotedString(text) => (Expr::Text(text), Some(Type::Text)),
            Value::Boolean(value) => (Expr::Boolean(value), Some(Type::Boolean)),
            Value::Null => (Expr::Null, None),
            _ => {
                self.problems.error(span, "expected a number, a text in single quotes, true, false or null", None);
                return None;
            }
        };
        Some(Typed { expr, ty, span })
    }

    /// A run of `and`, or of `or`. The parser's tree leans to the left by one level for each; taken
    /// apart in a loop, a run of any length is one level.
    fn junction(&mut self, left: ast::Expr, op: BinaryOperator, right: ast::Expr, level: usize) -> Option<Typed> {
        let mut operands = vec![right];
        let mut rest = left;
        loop {
            match rest {
                ast::Expr::BinaryOp { left, op: same, right } if same == op => {
                    operands.push(*right);
                    rest = *left;
                }
                first => {
                    operands.push(first);
                    break;
                }
            }
        }
        let takes = if op == BinaryOperator::And { "`and` joins conditions" } else { "`or` joins conditions" };
        let mut span: Option<Range<usize>> = None;
        let mut checked = Vec::with_capacity(operands.len());
        for operand in operands.into_iter().rev() {
            let typed = self.check(operand, level);
            checked.push(typed.and_then(|typed| {
                let start = span.as_ref().map_or(typed.span.start, |span| span.start);
                span = Some(start..typed.span.end);
                self.boolean(typed, takes)
            }));
        }
        let operands: Vec<Expr> = checked.into_iter().collect::<Option<_>>()?;
        let expr = if op == BinaryOperator::And { Expr::And(operands) } else { Expr::Or(operands) };
        Some(Typed { expr, ty: Some(Type::Boolean), span: span? })
    }

    pub fn boolean(&mut self, typed: Typed, takes: &str) -> Option<Expr> {
        match typed.ty {
            None | Some(Type::Boolean) => Some(typed.expr),
            Some(ty) => {
                self.problems.error(typed.span, &format!("{takes}, found a {ty}"), comparison_hint(ty));
                None
            }
        }
    }

    fn is_null(&mut self, operand: ast::Expr, negated: bool, level: usize) -> Option<Typed> {
        let operand = self.check(operand, level)?;
        let is_null = Expr::IsNull(Box::new(operand.expr));
        Some(Typed { expr: negate_if(negated, is_null), ty: Some(Type::Boolean), span: operand.span })
    }
}

pub(super) fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

fn comparison_hint(ty: Type) -> Option<String> {
    match ty {
        Type::Number => Some("compare it with a value, as in `age >= 60`".to_owned()),
        Type::Text => Some("compare it with a value, as in `city = 'Dalian'`".to_owned()),
        Type::Boolean => None,
    }
}
