//! Customer attributes: numbers over windows of months, and what else rules ask of a customer.
//!
//! Reads   a chunk of the table, at a month
//! Gives   columns for rules, and the rows of customer_attribute
//!
//! Every number is in hundredths, rounded once, toward negative infinity, from exact sums. Windows
//! and meanings: contract, "Attributes that rules can use". Nothing is kept: attributes are a pure
//! function of the table, so a view of them is read off the table when somebody asks.
//!
//! Invariant: an absent bill is 0 in every column, so a window's sum needs no mask.

mod community;
mod dates;
mod delivered;
mod division;
mod services;
mod within;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use dates::{age, days_to_birthday, tenure};
use division::Divider;
use within::{SMALL, Usual};

use crate::drives::{Drive, Truths};
use crate::points;
use crate::responses;
use crate::rules::evaluate::{Columns, Numbers};
use crate::rules::plan::{Flag, Numeric, Textual};
use crate::services::Services;
use crate::stages::Stages;
use crate::table::Chunk;
use crate::table::catalog::Catalog;
use crate::table::chunk::{DATA_KB, FEES, NO_DATE, Sums, TOTAL_FEE};
use crate::table::column::{CHUNK, Column, Slots};
use crate::types::{Clock, Day, Month, Time, Word};

/// The largest change that is told: 10000 percent.
const CHANGE_MAX: i128 = 1_000_000;

/// What attributes depend on beside the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The month in the place of `as_of`.
    pub month: Option<Month>,
    pub now: Option<Time>,
    pub window: i32,
    pub lag: i32,
}

impl Moment {
    /// The moment of a clock.
    pub fn of(clock: Clock, window: u32, lag: u32) -> Moment {
        Moment { month: clock.as_of, now: clock.now, window: window as i32, lag: lag as i32 }
    }
}

/// A row of customer_attribute; numbers in hundredths, counts as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttributeRow {
    pub months_billed: i64,
    /// avg_fee, avg_roaming_fee, avg_sms_fee, avg_vas_fee, avg_data_kb.
    pub averages: [Option<i64>; FEES],
    pub last_fee: Option<i64>,
    /// Of the same five. An average of minus a million million yuan over one fen is below 64 bits.
    pub changes: [Option<i128>; FEES],
    /// Hundredths of a year, like every number that rules see.
    pub age: Option<i64>,
    pub tenure_months: Option<i64>,
}

/// The rows of customer_attribute of the selected customers of a chunk, by place.
pub fn rows(chunk: &Chunk, slots: &Slots, moment: Moment) -> Vec<AttributeRow> {
    let frame = Frame::new(chunk, slots, moment, &[]);
    let averages = std::array::from_fn::<_, FEES, _>(|fee| frame.numbers(Numeric::Average(fee)));
    let changes = std::array::from_fn::<_, FEES, _>(|fee| frame.numbers(Numeric::Change(fee)));
    let [last_fee, age, tenure] = [Numeric::LastFee, Numeric::Age, Numeric::Tenure].map(|column| frame.numbers(column));
    let billed = frame.billed(false);
    let row = |place: usize| {
        let number = |numbers: &Numbers| (numbers.null[place] == 0).then(|| numbers.values[place]);
        AttributeRow {
            months_billed: i64::from(billed[place]),
            averages: std::array::from_fn(|fee| number(&averages[fee])),
            last_fee: number(&last_fee),
            changes: std::array::from_fn(|fee| (changes[fee].null[place] == 0).then(|| changes[fee].exact(place))),
            age: number(&age),
            tenure_months: number(&tenure),
        }
    };
    (0..slots.len()).map(row).collect()
}

/// One pass over a chunk: the columns that rules ask for, each made once.
pub struct Frame<'a> {
    chunk: &'a Chunk,
    slots: &'a Slots,
    moment: Moment,
    words: &'a [Arc<str>],
    /// The class codes as of the moment, by place, and the word of each code; where tiers are decided
    /// already.
    tiers: Option<(Vec<u8>, Vec<u32>)>,
    /// The rules under which balances were decided; where they are.
    points: Option<&'a points::Rules>,
    /// What trials and health are decided by; where they are.
    services: Option<&'a Services>,
    /// What response groups are decided by; where they are.
    responses: Option<(&'a responses::Rules, &'a Catalog)>,
    /// When stages of members change, and their words; where they are.
    stages: Option<(Stages, [Word; 4])>,
    /// The drives that rules may ask for, and what was found of the first of them.
    drives: &'a [Drive],
    driven: RefCell<Vec<Rc<Truths>>>,
    numbers: RefCell<Vec<(Numeric, Rc<Numbers>)>>,
    texts: RefCell<Vec<(Textual, Rc<Vec<u32>>)>>,
    sums: RefCell<[[Option<Sums64>; FEES]; 2]>,
    counts: RefCell<[Option<Rc<Vec<u8>>>; 2]>,
    usual: OnceCell<Option<Usual>>,
    /// Range tests that were made: tiers ask the same of a column again and again.
    tests: RefCell<Vec<(RangeTest, Vec<u8>)>>,
}

/// A column, and its least and greatest value.
type RangeTest = (Numeric, i64, i64);

/// Range tests remembered: more would fall out of the processor's cache before they are asked for.
const TESTS_MAX: usize = 48;

/// Sums of one figure of bills over a window, by place.
type Sums64 = Rc<Vec<i64>>;

/// W, and the baseline.
#[derive(Clone, Copy)]
enum Window {
    Current = 0,
    Baseline = 1,
}

impl<'a> Frame<'a> {
    /// A pass over the selected customers of a chunk.
    pub fn new(chunk: &'a Chunk, slots: &'a Slots, moment: Moment, words: &'a [Arc<str>]) -> Frame<'a> {
        Frame {
            chunk,
            slots,
            moment,
            words,
            tiers: None,
            points: None,
            services: None,
            responses: None,
            stages: None,
            drives: &[],
            driven: RefCell::default(),
            numbers: RefCell::default(),
            texts: RefCell::default(),
            sums: RefCell::default(),
            counts: RefCell::default(),
            usual: OnceCell::new(),
            tests: RefCell::default(),
        }
    }

    /// The same over balances decided under these rules.
    pub fn with_points(self, rules: &'a points::Rules) -> Frame<'a> {
        Frame { points: Some(rules).filter(|rules| rules.is_there), ..self }
    }

    /// The same, with what trials and health are decided by.
    pub fn with_services(self, services: &'a Services) -> Frame<'a> {
        Frame { services: Some(services), ..self }
    }

    /// The same, with what response groups are decided by.
    pub fn with_responses(self, rules: &'a responses::Rules, catalog: &'a Catalog) -> Frame<'a> {
        Frame { responses: Some((rules, catalog)), ..self }
    }

    /// The same, with the stages of members.
    pub fn with_stages(self, stages: Stages, words: [Word; 4]) -> Frame<'a> {
        Frame { stages: Some((stages, words)), ..self }
    }

    /// The same, with drives.
    pub fn with_drives(self, drives: &'a [Drive]) -> Frame<'a> {
        Frame { drives, ..self }
    }

    /// Who has a drive, and with which signs; none where there is no such drive.
    pub fn drive(&self, id: Word) -> Option<Rc<Truths>> {
        let place = self.drives.iter().position(|drive| drive.id == id)?;
        // In their order, so that whatever one of them asks for is there already: no chain of drives is
        // deeper on the stack than one.
        let known = self.driven.borrow().len();
        for drive in self.drives.iter().take(place + 1).skip(known) {
            let truths = Rc::new(drive.ask(self));
            self.driven.borrow_mut().push(truths);
        }
        Some(self.driven.borrow()[place].clone())
    }

    /// Sets the classes that rules will find in `tier`.
    pub fn set_tiers(&mut self, codes: Vec<u8>, words: Vec<u32>) {
        self.tiers = Some((codes, words));
        // What was asked before may have asked for the class.
        self.driven.get_mut().clear();
    }

    fn months(&self, window: Window) -> Option<(Month, Month)> {
        let last = match window {
            Window::Current => self.moment.month?,
            Window::Baseline => self.moment.month?.plus(-self.moment.lag),
        };
        Some((last.plus(1 - self.moment.window), last))
    }

    /// How many months of the window have a bill.
    pub fn billed(&self, window_is_baseline: bool) -> Rc<Vec<u8>> {
        let window = if window_is_baseline { Window::Baseline } else { Window::Current };
        if let Some(counts) = &self.counts.borrow()[window as usize] {
            return counts.clone();
        }
        let mut counts = vec![0; self.slots.len()];
        for (_, bills) in self.bills(window) {
            match self.slots {
                Slots::All => bills.present.count_into(&mut counts),
                Slots::Some(slots) => {
                    counts
                        .iter_mut()
                        .zip(slots)
                        .for_each(|(count, slot)| *count += u8::from(bills.present.get(usize::from(*slot))));
                }
            }
        }
        let counts = Rc::new(counts);
        self.counts.borrow_mut()[window as usize] = Some(counts.clone());
        counts
    }

    /// How many months most were billed in.
    fn usual(&self) -> Option<&Usual> {
        self.usual.get_or_init(|| Usual::of(self.slots, &self.billed(false), &self.billed(true))).as_ref()
    }

    fn bills(&self, window: Window) -> &'a [(Month, Arc<crate::table::chunk::Bills>)] {
        let Some((first, last)) = self.months(window) else { return &[] };
        let bills = &self.chunk.bills;
        let from = bills.partition_point(|(month, _)| *month < first);
        let until = bills.partition_point(|(month, _)| *month <= last);
        &bills[from..until.max(from)]
    }

    fn sums(&self, window: Window, fee: usize) -> Rc<Vec<i64>> {
        if let Some(sums) = &self.sums.borrow()[window as usize][fee] {
            return sums.clone();
        }
        let columns: Vec<_> = self.bills(window).iter().map(|(_, bills)| &bills.fees[fee]).collect();
        let sums = Rc::new(Column::sums(&columns, self.slots));
        self.sums.borrow_mut()[window as usize][fee] = Some(sums.clone());
        sums
    }

    fn make(&self, column: Numeric) -> Numbers {
        match column {
            Numeric::Age => self.dates(&self.chunk.customers.birth_date, age),
            Numeric::Tenure => self.dates(&self.chunk.customers.joined_on, tenure),
            Numeric::DaysToBirthday => self.dates(&self.chunk.customers.birth_date, days_to_birthday),
            Numeric::Average(fee) => {
                let (sums, billed) = (self.sums(Window::Current, fee), self.billed(false));
                let unit = if fee == DATA_KB { 100 } else { 1 };
                let values = self.averages(&sums, &billed, unit);
                Numbers::new(values, billed.iter().map(|billed| u8::from(*billed == 0)).collect())
            }
            Numeric::LastFee => self.last_fee(),
            Numeric::Change(fee) => {
                let (sums, billed) = (self.sums(Window::Current, fee), self.billed(false));
                let (base_sums, base_billed) = (self.sums(Window::Baseline, fee), self.billed(true));
                let at = |place: usize| change(sums[place], billed[place], base_sums[place], base_billed[place]);
                let mut is_wide = false;
                let narrow = |place: usize| {
                    let change = at(place);
                    i64::try_from(change).unwrap_or_else(|_| {
                        is_wide = true;
                        i64::MIN
                    })
                };
                let values = (0..sums.len()).map(narrow).collect();
                let null = |(billed, base): (&u8, &u8)| u8::from((*billed == 0) | (*base == 0));
                let null = billed.iter().zip(base_billed.iter()).map(null).collect();
                Numbers { values, null, wide: is_wide.then(|| (0..sums.len()).map(at).collect()) }
            }
            Numeric::Usage(measure) => {
                let mut sums = self.usage(measure, self.moment.window);
                sums.iter_mut().for_each(|sum| *sum = (*sum * 100).div_euclid(i64::from(self.moment.window)));
                Numbers::new(sums, vec![0; self.slots.len()])
            }
            Numeric::UsageYear(measure) => {
                let mut sums = self.usage(measure, 12);
                sums.iter_mut().for_each(|sum| *sum *= 100);
                Numbers::new(sums, vec![0; self.slots.len()])
            }
            Numeric::Points => self.points(),
            Numeric::Participations(kind) => self.participations(kind),
            Numeric::Score(model) => self.scores(model),
            Numeric::VasShare => self.vas_share(),
            Numeric::Absent => Numbers::new(vec![0; self.slots.len()], vec![1; self.slots.len()]),
        }
    }

    fn dates(&self, dates: &[i32; CHUNK], number: fn(i32, Day) -> i64) -> Numbers {
        let len = self.slots.len();
        let Some(last_day) = self.moment.month.map(Month::last_day) else {
            return Numbers::new(vec![0; len], vec![1; len]);
        };
        let (mut values, mut null) = (Vec::with_capacity(len), Vec::with_capacity(len));
        for place in 0..len {
            let date = dates[self.slots.slot(place)];
            null.push(u8::from(date == NO_DATE));
            values.push(if date == NO_DATE { 0 } else { number(date, last_day) * 100 });
        }
        Numbers::new(values, null)
    }

    /// Averages in hundredths of sums that are `unit` hundredths each.
    fn averages(&self, sums: &[i64], billed: &[u8], unit: i64) -> Vec<i64> {
        let plain = |place: usize| average(sums[place] * unit, billed[place]);
        // A sum below 0 is beyond every limit here.
        let range = sums.iter().fold(0, |range, sum| range | *sum as u64);
        let (Some(Usual { months: (months @ 1.., _), others }), true) =
            (self.usual(), range < (Divider::MAX / unit) as u64)
        else {
            return (0..sums.len()).map(plain).collect();
        };
        let divider = Divider::by(*months);
        let mut averages: Vec<i64> = sums.iter().map(|sum| divider.divide(sum.wrapping_mul(unit))).collect();
        others.iter().map(|place| usize::from(*place)).for_each(|place| averages[place] = plain(place));
        averages
    }

    fn last_fee(&self) -> Numbers {
        let len = self.slots.len();
        let mut numbers = Numbers::new(vec![0; len], vec![1; len]);
        if let Some(bills) = self.moment.month.and_then(|month| self.chunk.bills_of(month)) {
            bills.fees[TOTAL_FEE].read(self.slots, |place, value| numbers.values[place] = value);
            (0..len).for_each(|place| numbers.null[place] = u8::from(!bills.present.get(self.slots.slot(place))));
        }
        numbers
    }

    /// Sums over the months that end with the moment's.
    fn usage(&self, measure: Option<Word>, months: i32) -> Vec<i64> {
        let mut sums = vec![0i64; self.slots.len()];
        if let (Some(measure), Some(last)) = (measure, self.moment.month) {
            let first = last.plus(1 - months);
            for (_, month) in self.chunk.usage.range((measure, first)..=(measure, last)) {
                match &**month {
                    Sums::Many(column) => {
                        column.read(self.slots, |place, value| sums[place] = sums[place].wrapping_add(value));
                    }
                    Sums::Few(rows) => {
                        for (slot, sum) in rows.rows() {
                            if let Some(place) = self.slots.place(usize::from(*slot)) {
                                sums[place] += sum;
                            }
                        }
                    }
                }
            }
        }
        sums
    }
}

impl Columns for Frame<'_> {
    fn places(&self) -> usize {
        self.slots.len()
    }

    fn numbers(&self, column: Numeric) -> Rc<Numbers> {
        if let Some((_, numbers)) = self.numbers.borrow().iter().find(|(made, _)| *made == column) {
            return numbers.clone();
        }
        let numbers = Rc::new(self.make(column));
        self.numbers.borrow_mut().push((column, numbers.clone()));
        numbers
    }

    fn within(&self, column: Numeric, low: i64, high: i64) -> Vec<u8> {
        let test = (column, low, high);
        if let Some((_, truths)) = self.tests.borrow().iter().find(|(made, _)| *made == test) {
            return truths.clone();
        }
        let truths = self.decide_within(column, low, high);
        let mut tests = self.tests.borrow_mut();
        if tests.len() < TESTS_MAX {
            tests.push((test, truths.clone()));
        }
        truths
    }

    fn words(&self, column: Textual) -> Rc<Vec<u32>> {
        // Classes are set between one rule and another, and are not remembered.
        if let Textual::Tier = column {
            let Some((codes, words)) = &self.tiers else { return Rc::new(vec![Word::NULL.0; self.slots.len()]) };
            let word = |code: &u8| words.get(usize::from(*code)).copied().unwrap_or(Word::NULL.0);
            return Rc::new(codes.iter().map(word).collect());
        }
        if let Some((_, words)) = self.texts.borrow().iter().find(|(made, _)| *made == column) {
            return words.clone();
        }
        let words = match column {
            Textual::Field(field) => {
                let mut words = vec![0; self.slots.len()];
                self.chunk.customers.texts[field].read(self.slots, |place, word| words[place] = word);
                words
            }
            Textual::Rank => self.ranks(),
            Textual::MemberStage => self.member_stages(),
            Textual::Trial(product) => self.trials(product),
            Textual::Health(product) => self.healths(product),
            Textual::Response(category) => self.responses(category),
            Textual::Tier | Textual::Absent => vec![Word::NULL.0; self.slots.len()],
        };
        let words = Rc::new(words);
        self.texts.borrow_mut().push((column, words.clone()));
        words
    }

    fn flags(&self, flag: &Flag) -> Vec<u8> {
        match flag {
            Flag::Holds(product) => self.holders(*product),
            Flag::OnList(list) => self.listed(*list),
            Flag::Consent(purpose) => self.consenting(*purpose),
            Flag::Terminal(test) => {
                let mut test = test.borrow_mut();
                self.terminals(|supports| !supports.is_null() && test.holds(supports, self.words))
            }
            Flag::Member => self.members(),
            Flag::Drive(drive) => {
                let truths = drive.and_then(|drive| self.drive(drive));
                truths.map_or_else(|| vec![0; self.slots.len()], |truths| truths.holds.clone())
            }
            Flag::Absent => vec![0; self.slots.len()],
        }
    }

    fn vocabulary(&self) -> &[Arc<str>] {
        self.words
    }
}

/// An average in hundredths, from a sum in hundredths.
fn average(sum: i64, billed: u8) -> i64 {
    match billed {
        0 => 0,
        // The common window, with a constant divisor: a multiplication instead of a division.
        3 => sum.div_euclid(3),
        billed => sum.div_euclid(i64::from(billed)),
    }
}

/// The change of an average over a baseline's, in hundredths of a percent.
fn change(sum: i64, billed: u8, base_sum: i64, base_billed: u8) -> i128 {
    if base_sum <= 0 || billed == 0 {
        return if sum > 0 { CHANGE_MAX } else { 0 };
    }
    if sum.abs() < SMALL && base_sum < SMALL {
        let base = i64::from(billed) * base_sum;
        let change = ((sum * i64::from(base_billed) - base) * 10_000).div_euclid(base);
        return i128::from(change).min(CHANGE_MAX);
    }
    let base = i128::from(billed) * i128::from(base_sum);
    let difference = i128::from(sum) * i128::from(base_billed) - base;
    (difference * 10_000).div_euclid(base).min(CHANGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_round_down_and_are_bounded() {
        assert_eq!(change(150, 1, 100, 1), 5_000);
        assert_eq!(change(1, 1, 3, 1), -6_667);
        assert_eq!(change(100, 3, 100, 1), -6_667);
        assert_eq!(change(5, 1, 0, 2), CHANGE_MAX);
        assert_eq!(change(-5, 1, -7, 2), 0);
        assert_eq!(change(1_000_000, 1, 1, 1), CHANGE_MAX);
        assert_eq!(change(i64::from(u32::MAX) << 20, 3, i64::from(u32::MAX) << 19, 3), 10_000);
        assert_eq!(change(-900_000_000_000_000, 1, 1, 1), -9_000_000_000_000_010_000);
        assert_eq!(change(-crate::records::AMOUNT_MAX, 1, 1, 1), -10_000_000_000_000_000_000);
    }
}
