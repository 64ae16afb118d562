//! Rules as the columns are tested by them.
//!
//! A checked [`Expr`] becomes a [`Plan`] once, when a programme is taken: a comparison of an
//! attribute with constants becomes a range test over its fixed-point column, a test of a text one
//! answer for each word; what is left of arithmetic is evaluated exactly. Names become words.
//!
//! Numbers of attributes are hundredths; `at >= c` for a rational constant `c` is then
//! `column >= ceil(100 c)`, without rounding anything.

use std::cell::RefCell;
use std::rc::Rc;

use num_rational::BigRational;

use super::expression::{Arithmetic, Comparison, Expr, Number};
use super::text::WordTest;
use super::{Attribute, Type};
use crate::types::Word;

/// A column of numbers, in hundredths. The figure of a fee is its place in a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numeric {
    Age,
    Tenure,
    DaysToBirthday,
    Average(usize),
    LastFee,
    Change(usize),
    /// The measure; none where no input has ever named it.
    Usage(Option<Word>),
    /// Likewise.
    UsageYear(Option<Word>),
    Points,
    /// The kind of campaign, likewise.
    Participations(Option<Word>),
    /// The model, likewise.
    Score(Option<Word>),
    VasShare,
    /// Of a feed that this build does not carry: null for everybody.
    Absent,
}

/// A column of words. The figure is the place of a text attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Textual {
    Field(usize),
    Tier,
    Rank,
    MemberStage,
    /// The product; none where no input has ever named it.
    Trial(Option<Word>),
    /// Likewise.
    Health(Option<Word>),
    /// The category, likewise.
    Response(Option<Word>),
    /// Of a feed that this build does not carry: null for everybody.
    Absent,
}

/// A column of booleans.
#[derive(Clone, Debug)]
pub enum Flag {
    Holds(Option<Word>),
    OnList(Option<Word>),
    Consent(Option<Word>),
    Drive(Option<Word>),
    Member,
    /// Whether a set of capabilities, as one word, has this one.
    Terminal(Rc<RefCell<WordTest>>),
    /// Of a feed that this build does not carry: false for everybody.
    Absent,
}

/// A number expression that is no constant.
#[derive(Clone, Debug)]
pub enum Sum {
    Constant(Number),
    Null,
    Column(Numeric),
    Arithmetic(Arithmetic, Box<Sum>, Box<Sum>),
}

/// A condition, ready to be tested on columns.
#[derive(Clone, Debug)]
pub enum Plan {
    True,
    False,
    Null,
    Flag(Flag),
    /// TRUE where `low <= column <= high`, or where not, if `outside`; null where the column is.
    Range {
        column: Numeric,
        low: i64,
        high: i64,
        outside: bool,
    },
    Word {
        column: Textual,
        test: Rc<RefCell<WordTest>>,
    },
    Words(Comparison, Textual, Textual),
    Compare(Comparison, Sum, Sum),
    IsNullNumber(Sum),
    IsNullWord(Textual),
    IsNull(Box<Plan>),
    /// Two conditions are equal, or differ; null where one is.
    Same {
        left: Box<Plan>,
        right: Box<Plan>,
        differ: bool,
    },
    Not(Box<Plan>),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    AtLeast(u32, Vec<Plan>),
}

/// Turns a checked condition into a plan. `word` gives the number of a name, where it has one.
pub fn plan(condition: &Expr, word: &dyn Fn(&str) -> Option<Word>) -> Plan {
    Planner { word }.condition(condition)
}

/// Where the values of an attribute stand.
pub enum Asked {
    Number(Numeric),
    Text(Textual),
    Flag(Flag),
}

/// Where those of an attribute do. `word` gives the number of a name, where it has one.
pub fn asked(attribute: &Attribute, word: &dyn Fn(&str) -> Option<Word>) -> Asked {
    let planner = Planner { word };
    match attribute.ty() {
        Type::Number => Asked::Number(planner.numeric(attribute)),
        Type::Text => Asked::Text(planner.textual(attribute)),
        Type::Boolean => Asked::Flag(planner.flag(attribute)),
    }
}

struct Planner<'a> {
    word: &'a dyn Fn(&str) -> Option<Word>,
}

impl Planner<'_> {
    fn condition(&self, expr: &Expr) -> Plan {
        match expr {
            Expr::Null => Plan::Null,
            Expr::Boolean(true) => Plan::True,
            Expr::Boolean(false) => Plan::False,
            Expr::Attribute(attribute) => Plan::Flag(self.flag(attribute)),
            Expr::Not(operand) => Plan::Not(Box::new(self.condition(operand))),
            Expr::And(operands) => Plan::And(self.conditions(operands)),
            Expr::Or(operands) => Plan::Or(self.conditions(operands)),
            Expr::AtLeast(least, operands) => Plan::AtLeast(*least, self.conditions(operands)),
            Expr::IsNull(operand) => match ty(operand) {
                None => Plan::True,
                Some(Type::Number) => Plan::IsNullNumber(self.sum(operand)),
                Some(Type::Text) => match &**operand {
                    Expr::Attribute(attribute) => Plan::IsNullWord(self.textual(attribute)),
                    _ => Plan::False,
                },
                Some(Type::Boolean) => Plan::IsNull(Box::new(self.condition(operand))),
            },
            Expr::Like(operand, pattern) => match &**operand {
                Expr::Attribute(attribute) => {
                    self.word_test(attribute, WordTest::Like { pattern: pattern.clone(), known: Vec::new() })
                }
                Expr::Text(text) => constant(super::text::like(text, pattern)),
                _ => Plan::Null,
            },
            Expr::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Expr::In(operand, list) => {
                if let (Expr::Attribute(attribute), Some(texts)) = (&**operand, texts(list))
                    && attribute.ty() == Type::Text
                {
                    return self.word_test(attribute, WordTest::In { texts, known: Vec::new() });
                }
                let equal = |item| self.compare(Comparison::Equal, operand, item);
                Plan::Or(list.iter().map(equal).collect())
            }
            Expr::Number(_) | Expr::Text(_) | Expr::Arithmetic(..) | Expr::Negate(_) => {
                unreachable!("the programme's checker leaves conditions only: {expr:?}")
            }
        }
    }

    fn conditions(&self, operands: &[Expr]) -> Vec<Plan> {
        operands.iter().map(|operand| self.condition(operand)).collect()
    }

    fn compare(&self, comparison: Comparison, left: &Expr, right: &Expr) -> Plan {
        let Some(ty) = ty(left).or(ty(right)) else { return Plan::Null };
        match ty {
            _ if matches!(left, Expr::Null) || matches!(right, Expr::Null) => Plan::Null,
            Type::Number => self.compare_numbers(comparison, self.sum(left), self.sum(right)),
            Type::Text => match (left, right) {
                (Expr::Text(left), Expr::Text(right)) => constant(comparison.holds(left.cmp(right))),
                (Expr::Attribute(left), Expr::Attribute(right)) => {
                    Plan::Words(comparison, self.textual(left), self.textual(right))
                }
                (Expr::Attribute(attribute), Expr::Text(text)) => self.compare_word(attribute, comparison, text),
                (Expr::Text(text), Expr::Attribute(attribute)) => {
                    self.compare_word(attribute, comparison.mirrored(), text)
                }
                _ => Plan::Null,
            },
            Type::Boolean => Plan::Same {
                left: Box::new(self.condition(left)),
                right: Box::new(self.condition(right)),
                differ: comparison == Comparison::NotEqual,
            },
        }
    }

    fn compare_word(&self, attribute: &Attribute, comparison: Comparison, text: &str) -> Plan {
        self.word_test(attribute, WordTest::Compare { comparison, text: text.to_owned(), known: Vec::new() })
    }

    fn word_test(&self, attribute: &Attribute, test: WordTest) -> Plan {
        Plan::Word { column: self.textual(attribute), test: Rc::new(RefCell::new(test)) }
    }

    fn compare_numbers(&self, comparison: Comparison, left: Sum, right: Sum) -> Plan {
        match (left, right) {
            (Sum::Null, _) | (_, Sum::Null) => Plan::Null,
            (Sum::Constant(left), Sum::Constant(right)) => constant(comparison.holds(left.cmp(&right))),
            (Sum::Column(column), Sum::Constant(bound)) => range(column, comparison, &bound),
            (Sum::Constant(bound), Sum::Column(column)) => range(column, comparison.mirrored(), &bound),
            (left, right) => Plan::Compare(comparison, left, right),
        }
    }

    fn sum(&self, expr: &Expr) -> Sum {
        match expr {
            Expr::Number(number) => Sum::Constant(number.clone()),
            Expr::Attribute(attribute) => Sum::Column(self.numeric(attribute)),
            Expr::Negate(operand) => {
                let zero = BigRational::from_integer(0.into());
                fold(Arithmetic::Subtract, Sum::Constant(zero), self.sum(operand))
            }
            Expr::Arithmetic(arithmetic, left, right) => fold(*arithmetic, self.sum(left), self.sum(right)),
            Expr::Null => Sum::Null,
            _ => unreachable!("the programme's checker leaves numbers only: {expr:?}"),
        }
    }

    fn numeric(&self, attribute: &Attribute) -> Numeric {
        use crate::table::chunk::{DATA_KB, ROAMING_FEE, SMS_FEE, TOTAL_FEE, VAS_FEE};
        match attribute {
            Attribute::Age => Numeric::Age,
            Attribute::TenureMonths => Numeric::Tenure,
            Attribute::DaysToBirthday => Numeric::DaysToBirthday,
            Attribute::AvgFee => Numeric::Average(TOTAL_FEE),
            Attribute::AvgRoamingFee => Numeric::Average(ROAMING_FEE),
            Attribute::AvgSmsFee => Numeric::Average(SMS_FEE),
            Attribute::AvgVasFee => Numeric::Average(VAS_FEE),
            Attribute::AvgDataKb => Numeric::Average(DATA_KB),
            Attribute::LastFee => Numeric::LastFee,
            Attribute::ChangeFee => Numeric::Change(TOTAL_FEE),
            Attribute::ChangeRoamingFee => Numeric::Change(ROAMING_FEE),
            Attribute::ChangeSmsFee => Numeric::Change(SMS_FEE),
            Attribute::ChangeVasFee => Numeric::Change(VAS_FEE),
            Attribute::ChangeData => Numeric::Change(DATA_KB),
            Attribute::Usage(measure) => Numeric::Usage((self.word)(measure)),
            Attribute::UsageYear(measure) => Numeric::UsageYear((self.word)(measure)),
            Attribute::Points => Numeric::Points,
            Attribute::Participations(kind) => Numeric::Participations((self.word)(kind)),
            Attribute::VasShare => Numeric::VasShare,
            Attribute::Score(model) => Numeric::Score((self.word)(model)),
            _ => Numeric::Absent,
        }
    }

    fn textual(&self, attribute: &Attribute) -> Textual {
        match attribute {
            Attribute::Gender => Textual::Field(0),
            Attribute::City => Textual::Field(crate::table::chunk::CITY),
            Attribute::District => Textual::Field(2),
            Attribute::Status => Textual::Field(3),
            Attribute::Brand => Textual::Field(4),
            Attribute::GroupType => Textual::Field(5),
            Attribute::Occupation => Textual::Field(6),
            Attribute::Employer => Textual::Field(7),
            Attribute::IncomeBand => Textual::Field(8),
            Attribute::Tier => Textual::Tier,
            Attribute::Rank => Textual::Rank,
            Attribute::MemberStage => Textual::MemberStage,
            Attribute::Trial(product) => Textual::Trial((self.word)(product)),
            Attribute::Health(product) => Textual::Health((self.word)(product)),
            Attribute::Response(category) => Textual::Response((self.word)(category)),
            _ => Textual::Absent,
        }
    }

    fn flag(&self, attribute: &Attribute) -> Flag {
        match attribute {
            Attribute::Holds(product) => Flag::Holds((self.word)(product)),
            Attribute::OnList(list) => Flag::OnList((self.word)(list)),
            Attribute::Drive(drive) => Flag::Drive((self.word)(drive)),
            Attribute::Consent(purpose) => Flag::Consent((self.word)(purpose)),
            Attribute::Member => Flag::Member,
            Attribute::Terminal(capability) => {
                let test = WordTest::Capability { capability: capability.clone(), known: Vec::new() };
                Flag::Terminal(Rc::new(RefCell::new(test)))
            }
            _ => Flag::Absent,
        }
    }
}

/// The type of an expression; none for the literal null.
fn ty(expr: &Expr) -> Option<Type> {
    match expr {
        Expr::Null => None,
        Expr::Number(_) | Expr::Arithmetic(..) | Expr::Negate(_) => Some(Type::Number),
        Expr::Text(_) => Some(Type::Text),
        Expr::Attribute(attribute) => Some(attribute.ty()),
        _ => Some(Type::Boolean),
    }
}

/// The texts of a list that holds nothing else.
fn texts(list: &[Expr]) -> Option<Vec<String>> {
    let text = |item: &Expr| if let Expr::Text(text) = item { Some(text.clone()) } else { None };
    list.iter().map(text).collect()
}

fn constant(truth: bool) -> Plan {
    if truth { Plan::True } else { Plan::False }
}

fn fold(arithmetic: Arithmetic, left: Sum, right: Sum) -> Sum {
    match (left, right) {
        (Sum::Null, _) | (_, Sum::Null) => Sum::Null,
        (Sum::Constant(left), Sum::Constant(right)) => arithmetic.apply(&left, &right).map_or(Sum::Null, Sum::Constant),
        (left, right) => Sum::Arithmetic(arithmetic, Box::new(left), Box::new(right)),
    }
}

/// The range test that a comparison with a constant is.
fn range(column: Numeric, comparison: Comparison, bound: &BigRational) -> Plan {
    let hundredths = bound * BigRational::from_integer(100.into());
    if matches!(column, Numeric::Change(_) | Numeric::VasShare) && clamped(&hundredths).abs() == OUTERMOST {
        // Changes and shares alone go beyond 64 bits, and how far beyond a range test does not see.
        return Plan::Compare(comparison, Sum::Column(column), Sum::Constant(bound.clone()));
    }
    let (floor, ceil) = (clamped(&hundredths.floor()), clamped(&hundredths.ceil()));
    let exact = hundredths.is_integer();
    let (low, high, outside) = match comparison {
        Comparison::Equal | Comparison::NotEqual => {
            // An empty range where no hundredth is equal to the bound.
            let (low, high) = if exact { (floor, floor) } else { (1, 0) };
            (low, high, comparison == Comparison::NotEqual)
        }
        Comparison::Less => (i64::MIN, ceil.saturating_sub(1), false),
        Comparison::LessOrEqual => (i64::MIN, floor, false),
        Comparison::Greater => (floor.saturating_add(1), i64::MAX, false),
        Comparison::GreaterOrEqual => (ceil, i64::MAX, false),
    };
    Plan::Range { column, low, high, outside }
}

/// The outermost bound of a range test.
const OUTERMOST: i64 = i64::MAX - 1;

/// A bound beyond every value that is tested by ranges is as good as the outermost one.
fn clamped(bound: &BigRational) -> i64 {
    i64::try_from(bound.to_integer()).map_or_else(
        |_| if bound.numer().sign() == num_bigint::Sign::Minus { -OUTERMOST } else { OUTERMOST },
        |bound| bound.clamp(-OUTERMOST, OUTERMOST),
    )
}
