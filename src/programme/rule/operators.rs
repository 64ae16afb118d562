//! What each operator takes, and what it becomes.

use std::ops::Range;

use dataflows::responses::RESPONSES;
use dataflows::rules::{Arithmetic, Attribute, Comparison, Expr, Type};
use dataflows::services::{HEALTHS, TRIALS};
use dataflows::stages::STAGES;
use sqlparser::ast::{self, BinaryOperator, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value};

use super::super::diagnostic::quoted;
use super::super::near;
use super::typing::{Checker, Typed, negate_if};

impl Checker<'_, '_, '_, '_> {
    pub(super) fn binary(&mut self, left: Typed, op: &BinaryOperator, right: Typed) -> Option<Typed> {
        let comparison = match op {
            BinaryOperator::Eq => Comparison::Equal,
            BinaryOperator::NotEq => Comparison::NotEqual,
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            BinaryOperator::Plus => return self.arithmetic(left, Arithmetic::Add, op, right),
            BinaryOperator::Minus => return self.arithmetic(left, Arithmetic::Subtract, op, right),
            BinaryOperator::Multiply => return self.arithmetic(left, Arithmetic::Multiply, op, right),
            BinaryOperator::Divide => return self.arithmetic(left, Arithmetic::Divide, op, right),
            _ => {
                let problem = format!("the operator {} is not part of the rule language", quoted(&op.to_string()));
                self.problems.error(left.span.start..right.span.end, &problem, None);
                return None;
            }
        };
        let span = left.span.start..right.span.end;
        self.comparable(&left, &right, span.clone())?;
        if left.ty == Some(Type::Boolean) && !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            let hint =
                if is_chained(&left.expr) { "write x between 1 and 5" } else { "only = and <> compare booleans" };
            self.problems.error(span, "booleans have no order", hint.to_owned());
            return None;
        }
        if left.ty.is_none() || right.ty.is_none() {
            self.compares_with_null(span.clone());
        }
        self.listed(&left.expr, &right);
        self.listed(&right.expr, &left);
        let expr = Expr::Compare(comparison, Box::new(left.expr), Box::new(right.expr));
        Some(Typed { expr, ty: Some(Type::Boolean), span })
    }

    fn comparable(&mut self, left: &Typed, right: &Typed, span: Range<usize>) -> Option<()> {
        let (Some(left_ty), Some(right_ty)) = (left.ty, right.ty) else { return Some(()) };
        if left_ty == right_ty {
            return Some(());
        }
        let hint = match (&left.expr, &right.expr) {
            (Expr::Attribute(attribute), Expr::Number(number)) | (Expr::Number(number), Expr::Attribute(attribute))
                if attribute.ty() == Type::Text =>
            {
                format!("{attribute} is text: write '{number}'")
            }
            (Expr::Attribute(attribute), Expr::Text(_)) | (Expr::Text(_), Expr::Attribute(attribute)) => {
                match attribute.ty() {
                    Type::Boolean => format!("{attribute} is true or false: write {attribute} or not {attribute}"),
                    ty => format!("{attribute} is a {ty}: write the value without quotes"),
                }
            }
            (expr, _) if is_chained(expr) => "write x between 1 and 5".to_owned(),
            _ => format!("both sides must be of one type: here {left_ty} and {right_ty}"),
        };
        self.problems.error(span, &format!("compares {left_ty} with {right_ty}"), hint);
        None
    }

    fn compares_with_null(&mut self, span: Range<usize>) {
        let hint = "write `is null` or `is not null`".to_owned();
        self.problems.warning(span, "compares with null, which is never TRUE", hint);
    }

    fn arithmetic(&mut self, left: Typed, operation: Arithmetic, op: &BinaryOperator, right: Typed) -> Option<Typed> {
        let span = left.span.start..right.span.end;
        for operand in [&left, &right] {
            if let Some(ty) = operand.ty.filter(|ty| *ty != Type::Number) {
                self.problems.error(operand.span.clone(), &format!("`{op}` takes numbers, found a {ty}"), None);
                return None;
            }
        }
        let expr = Expr::Arithmetic(operation, Box::new(left.expr), Box::new(right.expr));
        Some(Typed { expr, ty: Some(Type::Number), span })
    }

    pub(super) fn minus(&mut self, operand: Typed) -> Option<Typed> {
        let expr = match operand.expr {
            // One literal, so that a bound below zero stays a plain bound.
            Expr::Number(number) => Expr::Number(-number),
            expr if matches!(operand.ty, None | Some(Type::Number)) => Expr::Negate(Box::new(expr)),
            _ => {
                let found = operand.ty.map_or_else(String::new, |ty| ty.to_string());
                self.problems.error(operand.span, &format!("`-` takes numbers, found a {found}"), None);
                return None;
            }
        };
        Some(Typed { expr, ty: Some(Type::Number), span: operand.span })
    }

    pub(super) fn in_list(&mut self, operand: Typed, items: Vec<Typed>, negated: bool) -> Option<Typed> {
        let mut span = operand.span.clone();
        let mut fits = Some(());
        for item in &items {
            span.end = item.span.end;
            fits = self.comparable(&operand, item, item.span.clone()).and(fits);
            if item.ty.is_none() && negated {
                self.problems.warning(
                    item.span.clone(),
                    "has a null in the list of `not in`, which is then never TRUE",
                    None,
                );
            }
            self.listed(&operand.expr, item);
        }
        fits?;
        let items = items.into_iter().map(|item| item.expr).collect();
        let expr = negate_if(negated, Expr::In(Box::new(operand.expr), items));
        Some(Typed { expr, ty: Some(Type::Boolean), span })
    }

    pub(super) fn between(&mut self, operand: Typed, low: Typed, high: Typed, negated: bool) -> Option<Typed> {
        let span = operand.span.start..high.span.end;
        let low_fits = self.comparable(&operand, &low, operand.span.start..low.span.end);
        let high_fits = self.comparable(&operand, &high, operand.span.start..high.span.end);
        low_fits.and(high_fits)?;
        if [&operand, &low, &high].iter().any(|typed| typed.ty == Some(Type::Boolean)) {
            self.problems.error(span, "booleans have no order", "only = and <> compare booleans".to_owned());
            return None;
        }
        if let (Expr::Number(from), Expr::Number(to)) = (&low.expr, &high.expr)
            && from > to
        {
            let hint = format!("write between {to} and {from}");
            self.problems.warning(span.clone(), "has a `between` that nothing lies in", hint);
        }
        if [&operand, &low, &high].iter().any(|typed| typed.ty.is_none()) {
            self.compares_with_null(span.clone());
        }
        let lower = Expr::Compare(Comparison::GreaterOrEqual, Box::new(operand.expr.clone()), Box::new(low.expr));
        let upper = Expr::Compare(Comparison::LessOrEqual, Box::new(operand.expr), Box::new(high.expr));
        let expr = negate_if(negated, Expr::And(vec![lower, upper]));
        Some(Typed { expr, ty: Some(Type::Boolean), span })
    }

    pub(super) fn like(&mut self, operand: Typed, pattern: ast::Expr, negated: bool) -> Option<Typed> {
        let pattern_span = self.problems.text.chars(pattern.span());
        let ast::Expr::Value(ast::ValueWithSpan { value: Value::SingleQuotedString(pattern), .. }) = pattern else {
            let hint = "% stands for any run, _ for one character: city like 'Da%'".to_owned();
            self.problems.error(pattern_span, "`like` takes a pattern in single quotes", hint);
            return None;
        };
        if let Some(ty) = operand.ty.filter(|ty| *ty != Type::Text) {
            self.problems.error(operand.span, &format!("`like` compares text, found a {ty}"), None);
            return None;
        }
        let span = operand.span.start..pattern_span.end;
        let expr = negate_if(negated, Expr::Like(Box::new(operand.expr), pattern));
        Some(Typed { expr, ty: Some(Type::Boolean), span })
    }

    pub(super) fn at_least(&mut self, function: ast::Function, level: usize) -> Option<Typed> {
        let name = self.problems.text.chars(function.name.span());
        let is_plain = function.over.is_none()
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && matches!(function.parameters, FunctionArguments::None);
        let arguments = match function.args {
            FunctionArguments::List(list)
                if is_plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
            {
                list.args
            }
            _ => Vec::new(),
        };
        let mut arguments = arguments.into_iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        });
        let usage = "write at_least(2, first condition, second condition, ...)".to_owned();
        let Some(Some(first)) = arguments.next() else {
            self.problems.error(name, "at_least takes a number and conditions", usage);
            return None;
        };
        let first_span = self.problems.text.chars(first.span());
        let count = match &first {
            ast::Expr::Value(ast::ValueWithSpan { value: Value::Number(digits, false), .. }) => {
                digits.parse::<u32>().ok()
            }
            _ => None,
        };
        if count.is_none() {
            self.problems.error(first_span.clone(), "at_least takes a whole number first", usage.clone());
        }
        let mut span = name.start..first_span.end;
        let mut conditions = Vec::new();
        for argument in arguments {
            let Some(argument) = argument else {
                self.problems.error(name.clone(), "at_least takes a number and conditions", usage.clone());
                conditions.push(None);
                continue;
            };
            let condition = self.check(argument, level);
            conditions.push(condition.and_then(|typed| {
                span.end = typed.span.end;
                self.boolean(typed, "at_least counts conditions")
            }));
        }
        if conditions.is_empty() {
            self.problems.error(name, "at_least has no condition to count", usage);
            return None;
        }
        let count = count?;
        let number = u32::try_from(conditions.len()).unwrap_or(u32::MAX);
        if count > number {
            let problem = format!("at_least({count}, ...) can never hold: it has {number} conditions");
            self.problems.error(first_span, &problem, None);
            return None;
        }
        let conditions = conditions.into_iter().collect::<Option<_>>()?;
        Some(Typed { expr: Expr::AtLeast(count, conditions), ty: Some(Type::Boolean), span })
    }

    /// Warns where an attribute of few values is compared with another one.
    fn listed(&mut self, attribute: &Expr, literal: &Typed) {
        let (Expr::Attribute(attribute), Expr::Text(value)) = (attribute, &literal.expr) else { return };
        let known: Vec<&str> = match attribute {
            Attribute::Gender => vec!["f", "m"],
            Attribute::Status => vec!["active", "suspended", "closed"],
            Attribute::Tier => self.known.tiers.iter().map(String::as_str).collect(),
            Attribute::Rank => self.known.ranks.iter().map(String::as_str).collect(),
            Attribute::MemberStage => STAGES.to_vec(),
            Attribute::Trial(_) => TRIALS.to_vec(),
            Attribute::Health(_) => HEALTHS.to_vec(),
            Attribute::Response(_) => RESPONSES.to_vec(),
            _ => return,
        };
        if known.contains(&value.as_str()) {
            return;
        }
        let problem = match attribute {
            Attribute::Tier | Attribute::Rank => {
                format!("compares {attribute} with {}, which is no {attribute} of the programme", quoted(value))
            }
            _ => format!("compares {attribute} with {}, which it never is", quoted(value)),
        };
        let hint = near::hint_or_list(value, known);
        self.problems.warning(literal.span.clone(), &problem, hint);
    }
}

/// Whether it is the left part of `1 < x < 5`.
fn is_chained(expr: &Expr) -> bool {
    matches!(expr, Expr::Compare(..))
}
