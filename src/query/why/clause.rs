//! Clauses as they are told: value, operator, threshold, verdict.

use dataflows::rules::clauses::{self, Found, Truth};
use dataflows::rules::{Attribute, Expr, Number};
use serde::Serialize;

use super::evidence::Evidence;
use super::subject::Subject;
use crate::query::Cell;

/// SQL's truth of a clause. A rule holds only where it is true.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    True,
    False,
    /// Null: something that it asks for is.
    Unknown,
}

impl From<Truth> for Verdict {
    fn from(truth: Truth) -> Verdict {
        match truth {
            Some(true) => Verdict::True,
            Some(false) => Verdict::False,
            None => Verdict::Unknown,
        }
    }
}

/// A clause of a rule.
#[derive(Serialize, Debug)]
pub struct Clause {
    /// As the rule was understood.
    pub clause: String,
    pub verdict: Verdict,
    /// What joins those below it: `and`, `or`, `not`, `at_least N`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_by: Option<String>,
    /// What the value is set against the threshold by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// What the left and the right side come to, where they are more than an attribute and a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sides: Option<[Option<String>; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<Clause>,
}

/// What a clause asks for.
#[derive(Serialize, Debug)]
pub struct Value {
    pub attribute: String,
    /// As views print it; none where it is null.
    pub value: Option<String>,
    /// Of a drive: its own rule, and its signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drive: Option<Box<Clause>>,
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// What a clause is told with, beside its text and its verdict.
type Shape = (Option<String>, Option<String>, Option<[Option<String>; 2]>);

impl Clause {
    pub(super) fn told(subject: &Subject<'_>, clause: &clauses::Clause<'_>) -> Clause {
        let joined_by = match clause.condition {
            Expr::And(_) => Some("and".to_owned()),
            Expr::Or(_) => Some("or".to_owned()),
            Expr::Not(_) => Some("not".to_owned()),
            Expr::AtLeast(least, _) => Some(format!("at_least {least}")),
            _ => None,
        };
        let (operator, threshold, sides) = shape(clause.condition, &clause.found);
        Clause {
            clause: clause.condition.to_string(),
            verdict: clause.truth.into(),
            joined_by,
            operator,
            threshold,
            sides,
            values: clause.found.iter().map(|(attribute, found)| Value::told(subject, attribute, *found)).collect(),
            clauses: clause.clauses.iter().map(|clause| Clause::told(subject, clause)).collect(),
        }
    }
}

impl Value {
    fn told(subject: &Subject<'_>, attribute: &Attribute, found: Found) -> Value {
        let value = match found {
            Found::Number(number) => number.map(|number| printed(attribute, number)),
            Found::Text(word) => subject.text(word).map(str::to_owned),
            Found::Flag(flag) => Some(flag.to_string()),
        };
        Value {
            attribute: attribute.to_string(),
            value,
            drive: subject.drive(attribute).map(Box::new),
            evidence: Evidence::of(subject.keys(attribute)),
        }
    }
}

/// A number of an attribute as views print it: whole where views have integers.
fn printed(attribute: &Attribute, hundredths: i128) -> String {
    use Attribute::*;
    match attribute {
        Age | TenureMonths | DaysToBirthday | Points | UsageYear(_) | Participations(_) => {
            hundredths.div_euclid(100).to_string()
        }
        _ => Cell::Hundredths(hundredths).to_string(),
    }
}

fn shape(condition: &Expr, found: &[(&Attribute, Found)]) -> Shape {
    let named = |operator: &str, threshold: Option<String>| (Some(operator.to_owned()), threshold, None);
    match condition {
        Expr::Attribute(_) => named("is", Some("true".to_owned())),
        Expr::Compare(comparison, left, right) => {
            let is_attribute = |side: &Expr| matches!(side, Expr::Attribute(_));
            let is_constant =
                |side: &Expr| matches!(side, Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) | Expr::Null);
            match (&**left, &**right) {
                (left, right) if is_attribute(left) && is_constant(right) => {
                    named(&comparison.to_string(), Some(right.to_string()))
                }
                (left, right) if is_constant(left) && is_attribute(right) => {
                    named(&comparison.mirrored().to_string(), Some(left.to_string()))
                }
                (left, right) => {
                    let sides = is_number(left).then(|| [left, right].map(|side| side_of(side, found)));
                    (Some(comparison.to_string()), Some(right.to_string()), sides)
                }
            }
        }
        Expr::In(_, list) => named("in", Some(list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
        Expr::Like(_, pattern) => named("like", Some(Expr::Text(pattern.clone()).to_string())),
        Expr::IsNull(_) => named("is null", None),
        _ => (None, None, None),
    }
}

fn is_number(side: &Expr) -> bool {
    use dataflows::rules::Type;
    match side {
        Expr::Number(_) | Expr::Arithmetic(..) | Expr::Negate(_) => true,
        Expr::Attribute(attribute) => attribute.ty() == Type::Number,
        _ => false,
    }
}

/// What a side of a comparison comes to, to the last digit; none where that is null.
fn side_of(side: &Expr, found: &[(&Attribute, Found)]) -> Option<String> {
    number(side, found).map(|number| Expr::Number(number).to_string())
}

fn number(side: &Expr, found: &[(&Attribute, Found)]) -> Option<Number> {
    match side {
        Expr::Number(number) => Some(number.clone()),
        Expr::Attribute(attribute) => match found.iter().find(|(known, _)| *known == attribute)?.1 {
            Found::Number(hundredths) => Some(Number::new(hundredths?.into(), 100.into())),
            _ => None,
        },
        Expr::Negate(operand) => number(operand, found).map(|number| -number),
        Expr::Arithmetic(arithmetic, left, right) => arithmetic.apply(&number(left, found)?, &number(right, found)?),
        _ => None,
    }
}
