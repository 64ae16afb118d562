//! Types of a rule: from the parser's tree to an [`Expr`] that the dataflow may evaluate unchecked.
//!
//! Both sides of a comparison have one type; only `=`, `<>` and `in` compare booleans; arithmetic
//! takes numbers; `and`, `or`, `not`, `at_least` and the rule itself take booleans. `null` fits everywhere.
//! What is wrong in one part does not hide what is wrong in another.

use std::ops::Range;

use dataflows::rules::{Arithmetic, Attribute, Comparison, Expr, Type};
use sqlparser::ast::Spanned;
use sqlparser::ast::{self, BinaryOperator, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value};

use super::super::diagnostic::quoted;
use super::super::near;
use super::words::Words;
use super::{Known, LEVELS_MAX, RuleProblems, numbers};

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
struct Typed {
    expr: Expr,
    ty: Option<Type>,
    span: Range<usize>,
}

struct Checker<'c, 'p, 'a, 's> {
    words: &'c Words,
    known: &'c Known,
    problems: &'c mut RuleProblems<'p, 'a, 's>,
    told_depth: bool,
}

impl Checker<'_, '_, '_, '_> {
    /// `level` counts what encloses the expression.
    fn check(&mut self, tree: ast::Expr, level: usize) -> Option<Typed> {
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
                let (what, hint) = foreign(&other);
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

    fn boolean(&mut self, typed: Typed, takes: &str) -> Option<Expr> {
        match typed.ty {
            None | Some(Type::Boolean) => Some(typed.expr),
            Some(ty) => {
                self.problems.error(typed.span, &format!("{takes}, found a {ty}"), comparison_hint(ty));
                None
            }
        }
    }

    fn binary(&mut self, left: Typed, op: &BinaryOperator, right: Typed) -> Option<Typed> {
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

    fn minus(&mut self, operand: Typed) -> Option<Typed> {
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

    fn is_null(&mut self, operand: ast::Expr, negated: bool, level: usize) -> Option<Typed> {
        let operand = self.check(operand, level)?;
        let is_null = Expr::IsNull(Box::new(operand.expr));
        Some(Typed { expr: negate_if(negated, is_null), ty: Some(Type::Boolean), span: operand.span })
    }

    fn in_list(&mut self, operand: Typed, items: Vec<Typed>, negated: bool) -> Option<Typed> {
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

    fn between(&mut self, operand: Typed, low: Typed, high: Typed, negated: bool) -> Option<Typed> {
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

    fn like(&mut self, operand: Typed, pattern: ast::Expr, negated: bool) -> Option<Typed> {
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

    fn at_least(&mut self, function: ast::Function, level: usize) -> Option<Typed> {
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
            _ => return,
        };
        if known.contains(&value.as_str()) {
            return;
        }
        let problem = match attribute {
            Attribute::Tier => format!("compares tier with {}, which is no tier of the programme", quoted(value)),
            _ => format!("compares {attribute} with {}, which it never is", quoted(value)),
        };
        let hint = near::hint_or_list(value, known);
        self.problems.warning(literal.span.clone(), &problem, hint);
    }
}

fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

/// Whether it is the left part of `1 < x < 5`.
fn is_chained(expr: &Expr) -> bool {
    matches!(expr, Expr::Compare(..))
}

fn comparison_hint(ty: Type) -> Option<String> {
    match ty {
        Type::Number => Some("compare it with a value, as in `age >= 60`".to_owned()),
        Type::Text => Some("compare it with a value, as in `city = 'Dalian'`".to_owned()),
        Type::Boolean => None,
    }
}

/// What the parser takes beyond the language in spite of the words that reach it.
fn foreign(tree: &ast::Expr) -> (&'static str, Option<&'static str>) {
    match tree {
        ast::Expr::IsTrue(_) => ("`is true`", Some("write at_least(1, condition), which is never null")),
        ast::Expr::IsNotTrue(_) => ("`is not true`", Some("write not at_least(1, condition)")),
        ast::Expr::IsFalse(_) => ("`is false`", Some("write at_least(1, not condition)")),
        ast::Expr::IsNotFalse(_) => ("`is not false`", Some("write not at_least(1, not condition)")),
        ast::Expr::InSubquery { .. } | ast::Expr::Subquery(_) | ast::Expr::Exists { .. } => {
            ("a query", Some("a rule is one condition about one customer"))
        }
        _ => ("this", None),
    }
}
