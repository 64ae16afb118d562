//! Expressions as rules write them. Reading the text gives the same expression again.
//!
//! Every operand that is not a single word stands in parentheses: what is shown is how it was understood.

use std::fmt::{self, Display, Formatter};

use super::{Arithmetic, Attribute, Comparison, Expr, Number};

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
        })
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Null => f.write_str("null"),
            Expr::Number(number) => decimal(number, f),
            Expr::Text(text) => quoted(text, '\'', f),
            Expr::Boolean(value) => write!(f, "{value}"),
            Expr::Attribute(attribute) => name(attribute, f),
            Expr::Not(operand) => write!(f, "not {}", Operand(operand)),
            Expr::And(operands) => joined(operands, " and ", f),
            Expr::Or(operands) => joined(operands, " or ", f),
            Expr::Compare(comparison, left, right) => write!(f, "{} {comparison} {}", Operand(left), Operand(right)),
            Expr::In(operand, list) => {
                write!(f, "{} in (", Operand(operand))?;
                joined(list, ", ", f)?;
                f.write_str(")")
            }
            Expr::IsNull(operand) => write!(f, "{} is null", Operand(operand)),
            Expr::Like(operand, pattern) => {
                write!(f, "{} like ", Operand(operand))?;
                quoted(pattern, '\'', f)
            }
            Expr::Arithmetic(operation, left, right) => {
                write!(f, "{} {operation} {}", Operand(left), Operand(right))
            }
            Expr::Negate(operand) => write!(f, "-({operand})"),
            Expr::AtLeast(count, conditions) => {
                write!(f, "at_least({count}, ")?;
                joined(conditions, ", ", f)?;
                f.write_str(")")
            }
        }
    }
}

/// In parentheses unless it is a single word.
struct Operand<'a>(&'a Expr);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Operand(expr) = self;
        match expr {
            Expr::Null
            | Expr::Number(_)
            | Expr::Text(_)
            | Expr::Boolean(_)
            | Expr::Attribute(_)
            | Expr::AtLeast(..) => expr.fmt(f),
            _ => write!(f, "({expr})"),
        }
    }
}

fn joined(operands: &[Expr], between: &str, f: &mut Formatter<'_>) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        Operand(operand).fmt(f)?;
    }
    Ok(())
}

fn quoted(text: &str, quote: char, f: &mut Formatter<'_>) -> fmt::Result {
    let doubled = [quote, quote].iter().collect::<String>();
    write!(f, "{quote}{}{quote}", text.replace(quote, &doubled))
}

/// A number of a rule is a decimal; one that is none is shown as the division it is.
fn decimal(number: &Number, f: &mut Formatter<'_>) -> fmt::Result {
    /// More places than any literal has.
    const PLACES_MAX: usize = 40;
    let ten = Number::from_integer(10.into());
    let (mut scaled, mut places) = (number.clone(), 0);
    while !scaled.is_integer() && places < PLACES_MAX {
        scaled *= &ten;
        places += 1;
    }
    if !scaled.is_integer() {
        return write!(f, "({} / {})", number.numer(), number.denom());
    }
    let text = scaled.numer().to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if places > 0 { "." } else { "" };
    write!(f, "{sign}{whole}{point}{fraction}")
}

fn name(attribute: &Attribute, f: &mut Formatter<'_>) -> fmt::Result {
    let text = attribute.to_string();
    let Some((family, name)) = text.split_once('.') else { return f.write_str(&text) };
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_alphanumeric() || char == '_');
    write!(f, "{family}.")?;
    if name.split('.').all(is_plain) { f.write_str(name) } else { quoted(name, '"', f) }
}
