//! One customer's attributes, from rows.

use num_bigint::BigInt;
use num_rational::BigRational;

use super::Standing;
use super::points::own;
use crate::attributes::AttributeRow;
use crate::records::{Bill, Event, EventKind};
use crate::rules::Attribute;
use crate::types::{CustomerIx, Day, Month, Time, Word, days_in_month};

/// A customer at a month, about whom rules ask.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub standing: &'a Standing,
    pub customer: CustomerIx,
    /// The month in the place of `as_of`.
    pub month: Option<Month>,
    /// The class, where it is decided already.
    pub tier: Option<Word>,
}

/// What rules find.
pub enum Value {
    Number(Option<BigRational>),
    Text(Option<String>),
    Boolean(bool),
}

impl Asked<'_> {
    /// The customer's row of customer_attribute.
    pub fn row(&self) -> AttributeRow {
        use Attribute::*;
        let wide = |attribute: Attribute| match self.value(&attribute) {
            Value::Number(number) => number.map(|number| {
                let hundredths = number * BigInt::from(100);
                i128::try_from(hundredths.to_integer()).expect("attributes fit in 128 bits")
            }),
            _ => None,
        };
        let number = |attribute| wide(attribute).map(|number| i64::try_from(number).expect("only changes are wide"));
        AttributeRow {
            months_billed: self.billed(0).len() as i64,
            averages: [AvgFee, AvgRoamingFee, AvgSmsFee, AvgVasFee, AvgDataKb].map(number),
            last_fee: number(LastFee),
            changes: [ChangeFee, ChangeRoamingFee, ChangeSmsFee, ChangeVasFee, ChangeData].map(wide),
            age: number(Age),
            tenure_months: number(TenureMonths),
        }
    }

    pub fn value(&self, attribute: &Attribute) -> Value {
        use Attribute::*;
        let fields = self.standing.customers.get(&self.customer).copied().unwrap_or_default();
        let last_day = self.month.map(Month::last_day);
        let dated = |date: Option<Day>, count: fn(Day, Day) -> i64| {
            Value::Number(date.zip(last_day).map(|(date, last_day)| integer(count(date, last_day))))
        };
        match attribute {
            Age => dated(fields.birth_date, age),
            TenureMonths => dated(fields.joined_on, tenure),
            DaysToBirthday => dated(fields.birth_date, days_to_birthday),
            Gender => self.text(fields.gender),
            City => self.text(fields.city),
            District => self.text(fields.district),
            Brand => self.text(fields.brand),
            GroupType => self.text(fields.group_type),
            Occupation => self.text(fields.occupation),
            Status => self.text(fields.status),
            Employer => self.text(fields.employer),
            IncomeBand => self.text(fields.income_band),
            AvgFee => self.average(|bill| bill.total_fee),
            AvgRoamingFee => self.average(|bill| bill.roaming_fee),
            AvgSmsFee => self.average(|bill| bill.sms_fee),
            AvgVasFee => self.average(|bill| bill.vas_fee),
            AvgDataKb => self.average(|bill| bill.data_kb * 100),
            LastFee => {
                let bill = self.month.and_then(|month| self.standing.bills.get(&(self.customer, month)));
                Value::Number(bill.map(|bill| hundredths(bill.total_fee.into())))
            }
            ChangeFee => self.change(|bill| bill.total_fee),
            ChangeRoamingFee => self.change(|bill| bill.roaming_fee),
            ChangeSmsFee => self.change(|bill| bill.sms_fee),
            ChangeVasFee => self.change(|bill| bill.vas_fee),
            ChangeData => self.change(|bill| bill.data_kb),
            Tier => self.text(self.tier.unwrap_or(Word::NULL)),
            Usage(measure) => {
                let window = self.standing.programme.window;
                let sum = i128::from(self.usage(measure, window as i32));
                Value::Number(Some(hundredths((sum * 100).div_euclid(i128::from(window)))))
            }
            UsageYear(measure) => Value::Number(Some(integer(self.usage(measure, 12)))),
            Drive(name) => {
                let drive = self.standing.programme.drives.iter().find(|drive| drive.id == *name);
                Value::Boolean(drive.is_some_and(|drive| self.has(drive)))
            }
            Holds(product) => Value::Boolean(self.held(product).is_some()),
            OnList(list) => Value::Boolean(self.on_list(list)),
            Terminal(capability) => Value::Boolean(self.terminal(capability)),
            Points => Value::Number(self.points().map(|row| integer(row.balance))),
            Rank => Value::Text(self.points().and_then(|row| row.rank)),
            Member => Value::Boolean(self.standing.points(self.customer).is_some_and(|account| account.row.member)),
            Participations(kind) => Value::Number(Some(integer(self.participations(kind)))),
            Score(model) => Value::Number(self.score(model)),
            Consent(purpose) => Value::Boolean(self.consents(purpose)),
            Tag(_) => Value::Boolean(false),
            VasShare => Value::Number(self.vas_share()),
            MemberStage => Value::Text(self.standing.member_stage(self.customer).map(|stage| stage.name().to_owned())),
            Response(category) => Value::Text(Some(self.standing.response(self.customer, category).to_owned())),
            Trial(product) => Value::Text(Some(self.trial(product).to_owned())),
            Health(product) => Value::Text(self.health(product).map(str::to_owned)),
        }
    }

    /// The row of points_balance, as the view has it.
    fn points(&self) -> Option<super::PointsRow> {
        self.standing
            .programme
            .points
            .as_ref()
            .and_then(|_| self.standing.points(self.customer))
            .map(|account| account.row)
    }

    fn participations(&self, kind: &str) -> i64 {
        let Some(month) = self.month else { return 0 };
        let counts = |((_, at, _), event): &(&(CustomerIx, Time, Box<str>), &Event)| {
            event.kind == EventKind::Participate
                && &*self.standing.words[event.detail.0 as usize] == kind
                && (month.plus(-11)..=month).contains(&at.day().month())
        };
        own(&self.standing.events, self.customer).filter(counts).count() as i64
    }

    fn text(&self, word: Word) -> Value {
        Value::Text((!word.is_null()).then(|| self.standing.words[word.0 as usize].to_string()))
    }

    /// The bills of the window that ends `lag` months before the month.
    fn billed(&self, lag: u32) -> Vec<Bill> {
        let Some(month) = self.month else { return Vec::new() };
        let last = month.plus(-(lag as i32));
        let first = last.plus(1 - self.standing.programme.window as i32);
        let bills = self.standing.bills.range((self.customer, first)..=(self.customer, last));
        bills.map(|(_, bill)| *bill).collect()
    }

    /// The sum of a figure over a window, in hundredths or as it is, and over how many months.
    fn sum(&self, lag: u32, figure: fn(Bill) -> i64) -> Option<(i128, i128)> {
        let bills = self.billed(lag);
        let sum = bills.iter().map(|bill| i128::from(figure(*bill))).sum();
        (!bills.is_empty()).then_some((sum, bills.len() as i128))
    }

    /// The average of a figure in hundredths, rounded toward negative infinity.
    fn average(&self, figure: fn(Bill) -> i64) -> Value {
        Value::Number(self.sum(0, figure).map(|(sum, months)| hundredths(sum.div_euclid(months))))
    }

    /// (now / base - 1) x 100 for now = sum / months and base = base_sum / base_months, as one fraction.
    fn change(&self, figure: fn(Bill) -> i64) -> Value {
        let lag = self.standing.programme.lag;
        let (Some((sum, months)), Some((base_sum, base_months))) = (self.sum(0, figure), self.sum(lag, figure)) else {
            return Value::Number(None);
        };
        const MOST: i128 = 10_000 * 100;
        let change = if base_sum > 0 {
            let (above, below) = (sum * base_months - base_sum * months, base_sum * months);
            (above * 100 * 100).div_euclid(below).min(MOST)
        } else if sum > 0 {
            MOST
        } else {
            0
        };
        Value::Number(Some(hundredths(change)))
    }

    /// Of the money of the window, how many percent new services took.
    fn vas_share(&self) -> Option<BigRational> {
        let (whole, _) = self.sum(0, |bill| bill.total_fee).filter(|(whole, _)| *whole > 0)?;
        let (part, _) = self.sum(0, |bill| bill.vas_fee)?;
        Some(hundredths((part * 100 * 100).div_euclid(whole)))
    }

    /// Whether a drive's rule is TRUE, and enough of its signs.
    pub(super) fn has(&self, drive: &crate::programme::Drive) -> bool {
        let signs = drive.signs.iter().filter(|sign| super::rules::holds(&sign.when, self)).count();
        super::rules::holds(&drive.when, self) && signs >= usize::from(drive.at_least)
    }

    /// The sum over the months that end with the one asked for.
    fn usage(&self, measure: &str, months: i32) -> i64 {
        let Some(month) = self.month else { return 0 };
        let first = month.plus(1 - months);
        let own = |(key, _): &(&(CustomerIx, Word, Month), &i64)| {
            (first..=month).contains(&key.2) && &*self.standing.words[key.1.0 as usize] == measure
        };
        let least = (self.customer, Word(0), Month(i32::MIN));
        let all = self.standing.usage.range(least..).take_while(|(key, _)| key.0 == self.customer);
        all.filter(own).map(|(_, sum)| sum).sum()
    }

    pub(super) fn on_list(&self, list: &str) -> bool {
        let now = self.standing.clock.now;
        let own = self.standing.listings.range((self.customer, Word(0))..=(self.customer, Word(u32::MAX)));
        own.filter(|((_, held), _)| &*self.standing.words[held.0 as usize] == list).any(|(_, (from, until))| {
            let begun = from.is_none_or(|from| now.is_some_and(|now| from <= now));
            let goes_on = until.is_none_or(|until| now.is_some_and(|now| now < until));
            begun && goes_on
        })
    }

    /// Whether everything said of a purpose at the last time that anything was is a yes.
    fn consents(&self, purpose: &str) -> bool {
        let (least, most) = (Time(i64::MIN), Time(i64::MAX));
        let words = (Word(0), Word(u32::MAX));
        let own = self
            .standing
            .consents
            .range((self.customer, words.0, words.0, least)..=(self.customer, words.1, words.1, most));
        let said = own.filter(|((_, of, ..), _)| &*self.standing.words[of.0 as usize] == purpose);
        let said: Vec<(Time, bool)> = said.map(|((.., at), given)| (*at, *given)).collect();
        let Some(latest) = said.iter().map(|(at, _)| *at).max() else { return false };
        !said.contains(&(latest, false))
    }

    fn score(&self, model: &str) -> Option<BigRational> {
        let own = self.standing.scores.range((self.customer, Word(0))..=(self.customer, Word(u32::MAX)));
        let mut of = own.filter(|((_, of), _)| &*self.standing.words[of.0 as usize] == model);
        of.next().map(|(_, value)| hundredths((*value).into()))
    }

    pub(super) fn terminal(&self, capability: &str) -> bool {
        let own = self.standing.terminals.range((self.customer, Day(i32::MIN))..=(self.customer, Day(i32::MAX)));
        let latest = own.last().map(|(_, word)| &*self.standing.words[word.0 as usize]);
        latest.is_some_and(|supports| supports.split(';').any(|item| item == capability && !item.is_empty()))
    }
}

fn integer(number: i64) -> BigRational {
    BigRational::from_integer(number.into())
}

/// A number of hundredths. Not reduced: comparing it takes no division, and a rule's arithmetic
/// reduces what it makes.
fn hundredths(number: i128) -> BigRational {
    BigRational::new_raw(number.into(), 100.into())
}

/// The day on which a birthday or a monthly day falls: 29 February is 1 March in other years.
fn birthday(birth: Day, year: i32) -> Day {
    match birth.civil() {
        (_, 2, 29) if days_in_month(year, 2) == 28 => Day::from_civil(year, 3, 1),
        (_, month, day) => Day::from_civil(year, month, day),
    }
}

fn age(birth: Day, at: Day) -> i64 {
    let year = at.civil().0;
    let years = i64::from(year - birth.civil().0);
    if birthday(birth, year) > at { years - 1 } else { years }
}

fn tenure(joined: Day, at: Day) -> i64 {
    let months = i64::from(at.month().0 - joined.month().0);
    if at.civil().2 < joined.civil().2 { months - 1 } else { months }
}

fn days_to_birthday(birth: Day, at: Day) -> i64 {
    let year = at.civil().0;
    let next = if birthday(birth, year) >= at { birthday(birth, year) } else { birthday(birth, year + 1) };
    i64::from(next.0 - at.0)
}
