//! A full recompute in plain Rust: ids interned, rows indexed, every view by loops.
//!
//! The rules of fixtures/programmes/bench.toml are written out by hand, as somebody would who needs
//! these answers once. Its counts must be those of the engine, or the comparison is void.

use std::collections::BTreeMap;

use cohortflow::ingest::{Extract, Intern, Partition};
use cohortflow::intake::Intake;
use dataflows::records::{Customer, CustomerRow, Feed, Rows};
use dataflows::types::{Day, Month};
use dataflows::views::Change;

use crate::{Size, data};

/// The same table and hash as the engine's own.
type HashMap<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// Decoded rows: what both sides begin with.
pub struct Decoded {
    pub customers: Vec<(String, &'static str, Day, Day, &'static str)>,
    pub bills: Vec<Vec<data::Bill>>,
}

impl Decoded {
    pub fn new(size: Size) -> Decoded {
        let customer = |number: usize| {
            let (city, year, joined) = data::customer(number);
            let joined = Month::new(2000, 1).plus(joined as i32);
            let status = if data::has_left(number) { "closed" } else { "active" };
            let born = Day::from_civil(year as i32, 5, 17);
            (data::id(number), city, born, Day(joined.first_day().0 + 10), status)
        };
        Decoded {
            customers: (0..size.customers).map(customer).collect(),
            bills: (0..size.months)
                .map(|month| (0..size.customers).map(|number| data::bill(number, month, 0)).collect())
                .collect(),
        }
    }
}

/// The customer extract of the same rows.
pub fn customers(intake: &Intake, rows: &Decoded, size: Size) -> Extract {
    let names = intake.names();
    let mut names = names.write();
    let row = |(id, city, born, joined, status): &(String, &str, Day, Day, &str)| CustomerRow {
        customer: names.customer(id),
        household_id: None,
        fields: Customer {
            birth_date: Some(*born),
            joined_on: Some(*joined),
            city: names.word(city),
            status: names.word(status),
            ..Customer::default()
        },
    };
    let last = data::first_month().plus(size.months as i32 - 1).to_string();
    Extract {
        file: format!("customer_{last}.csv"),
        partition: Partition { feed: Feed::Customer, period: last, part: String::new() },
        version: 1,
        rows: Rows::Customer(rows.customers.iter().map(row).collect()),
        deleted: Vec::new(),
        lines: Default::default(),
        rejects: Vec::new(),
        reasons: Default::default(),
        erased: 0,
        sha256: [0; 32],
        took: Default::default(),
        warnings: Vec::new(),
    }
}

/// The counts of every view, and the rows of tier and segment_member, which nobody is given here.
pub struct Views {
    pub tiers: BTreeMap<(String, String), isize>,
    pub moves: BTreeMap<(Month, String, String), isize>,
    pub segments: BTreeMap<(String, String), isize>,
    pub attributes: u64,
}

const TIERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const SEGMENTS: [&str; 12] = [
    "high_value",
    "low_value",
    "young",
    "senior",
    "declining",
    "rising",
    "heavy_data",
    "texter",
    "roamer",
    "in_dalian",
    "vas_share",
    "two_of_three",
];

/// Averages and changes of one customer at one month: hundredths.
struct Attributes {
    average: [Option<i64>; 5],
    change: [Option<i64>; 5],
    last_fee: Option<i64>,
}

/// Everything, from the rows.
pub fn all(rows: &Decoded) -> Views {
    let mut numbers: HashMap<&str, usize> = HashMap::with_capacity_and_hasher(rows.customers.len(), Default::default());
    let (mut cities, mut born, mut joined, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, city, birth, since, status) in &rows.customers {
        numbers.entry(id).or_insert_with(|| {
            cities.push(*city);
            born.push(*birth);
            joined.push(*since);
            open.push(*status != "closed");
            cities.len() - 1
        });
    }
    let months = rows.bills.len();
    let mut bills: Vec<Vec<Option<[i64; 5]>>> = vec![vec![None; cities.len()]; months];
    for of_month in &rows.bills {
        for bill in of_month {
            bills[(bill.month.0 - data::first_month().0) as usize][numbers[&*bill.customer]] = Some(bill.amounts);
        }
    }
    let as_of = data::first_month().plus(months as i32 - 1);
    let mut views = Views { tiers: BTreeMap::new(), moves: BTreeMap::new(), segments: BTreeMap::new(), attributes: 0 };
    let mut tier_rows = Vec::with_capacity(cities.len());
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); SEGMENTS.len()];
    let (mut tier_counts, mut segment_counts) = (HashMap::default(), HashMap::default());
    let mut move_counts: HashMap<(usize, usize, usize), isize> = HashMap::default();
    for customer in 0..cities.len() {
        let mut history = [usize::MAX; 64];
        let first = (0..months).find(|month| bills[*month][customer].is_some());
        let from = first.map_or(months, |first| first.max(months.saturating_sub(12)));
        let mut now = attributes(&bills, customer, months - 1);
        for month in from..months {
            now = attributes(&bills, customer, month);
            history[month] = if open[customer] { tier(&now) } else { 6 };
            if month > from && history[month] != history[month - 1] {
                *move_counts.entry((month, history[month - 1], history[month])).or_insert(0) += 1;
            }
        }
        views.attributes += u64::from(now.average[0].is_some());
        if !open[customer] {
            continue;
        }
        let class = tier(&now);
        let since = (from..months).rev().take_while(|month| history[*month] == class).last();
        tier_rows.push((customer as u32, class as u8, since));
        *tier_counts.entry((cities[customer], class)).or_insert(0isize) += 1;
        let holds = segments(&now, class, cities[customer], born[customer], joined[customer], as_of.last_day());
        for (segment, holds) in holds.into_iter().enumerate() {
            if holds {
                members[segment].push(customer as u32);
                *segment_counts.entry((segment, cities[customer])).or_insert(0isize) += 1;
            }
        }
    }
    std::hint::black_box((&tier_rows, &members));
    let name = |class: usize| TIERS.get(class).copied().unwrap_or("").to_owned();
    views.tiers.extend(tier_counts.into_iter().map(|((city, class), count)| ((city.to_owned(), name(class)), count)));
    views.moves.extend(
        move_counts
            .into_iter()
            .map(|((month, from, to), count)| ((data::first_month().plus(month as i32), name(from), name(to)), count)),
    );
    views.segments.extend(
        segment_counts
            .into_iter()
            .map(|((segment, city), count)| ((SEGMENTS[segment].to_owned(), city.to_owned()), count)),
    );
    views
}

fn attributes(bills: &[Vec<Option<[i64; 5]>>], customer: usize, month: usize) -> Attributes {
    let window = |last: Option<usize>| {
        let (mut sums, mut count) = ([0i64; 5], 0i64);
        if let Some(last) = last {
            for of_month in &bills[(last + 1).saturating_sub(3)..=last] {
                if let Some(amounts) = &of_month[customer] {
                    sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
                    count += 1;
                }
            }
        }
        (sums, count)
    };
    let ((sums, count), (base, base_count)) = (window(Some(month)), window(month.checked_sub(3)));
    let average = |place: usize| {
        let unit = if place == 4 { 100 } else { 1 };
        (count > 0).then(|| (sums[place] * unit).div_euclid(count))
    };
    let change = |place: usize| {
        (count > 0 && base_count > 0).then(|| {
            if base[place] <= 0 {
                return if sums[place] > 0 { 1_000_000 } else { 0 };
            }
            let whole = count * base[place];
            ((sums[place] * base_count - whole) * 10_000).div_euclid(whole).min(1_000_000)
        })
    };
    Attributes {
        average: std::array::from_fn(average),
        change: std::array::from_fn(change),
        last_fee: bills[month][customer].map(|amounts| amounts[0]),
    }
}

fn tier(of: &Attributes) -> usize {
    let fee = of.average[0];
    let rises = |roaming: i64, sms: i64, data: i64, vas: i64| {
        of.change[1] >= Some(roaming * 100)
            && of.change[2] >= Some(sms * 100)
            && of.change[4] >= Some(data * 100)
            && of.change[3] >= Some(vas * 100)
    };
    if fee >= Some(15_000) && rises(50, 50, 50, 30) {
        0
    } else if fee >= Some(15_000) && rises(50, 30, 50, 10) {
        1
    } else if fee >= Some(8_000) && rises(30, 10, 30, 10) {
        2
    } else if fee >= Some(8_000) && rises(10, 10, 10, 10) {
        3
    } else if fee.is_some_and(|fee| fee < 8_000) && rises(10, 10, 10, 10) {
        4
    } else {
        5
    }
}

fn segments(of: &Attributes, tier: usize, city: &str, born: Day, joined: Day, at: Day) -> [bool; 12] {
    let ((year, month, day), (birth_year, birth_month, birth_day)) = (at.civil(), born.civil());
    let age = year - birth_year - i32::from((month, day) < (birth_month, birth_day));
    let tenure = at.month().0 - joined.month().0 - i32::from(day < joined.civil().2);
    let below = |value: Option<i64>, bound: i64| value.is_some_and(|value| value < bound);
    [
        of.average[0] >= Some(20_000),
        below(of.average[0], 3_000),
        (16..=26).contains(&age) && below(of.average[0], 8_000),
        age >= 60,
        below(of.change[0], -3_000) && tenure > 12,
        of.change[0] > Some(3_000),
        of.average[4] >= Some(10_000_000) && tier != 5,
        of.average[2] > Some(800),
        of.average[1] > Some(2_000),
        city == "Dalian" && of.last_fee > Some(5_000),
        of.average[3].zip(of.average[0]).is_some_and(|(vas, fee)| vas * 10 > fee),
        [2, 4, 3].iter().filter(|place| of.change[**place] > Some(2_000)).count() >= 2,
    ]
}

impl Views {
    /// The engine's counts must be the same.
    pub fn assert_equals(&self, intake: &Intake) {
        assert!(intake.hub().settle());
        let published = intake.hub().published();
        let names = intake.names();
        let names = names.read();
        let text = |word: dataflows::types::Word| names.words.text(word.0).unwrap_or_default().to_owned();
        let mut found = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (cell, count) in published.counts() {
            match cell {
                Change::TierCount { city, tier } => drop(found.0.insert((text(city), text(tier)), count)),
                Change::TierMove { month, from, to } => drop(found.1.insert((month, text(from), text(to)), count)),
                Change::SegmentCount { segment, city } => drop(found.2.insert((text(segment), text(city)), count)),
                _ => {}
            }
        }
        assert_eq!(self.tiers, found.0, "tier_count");
        assert_eq!(self.moves, found.1, "tier_move");
        assert_eq!(self.segments, found.2, "segment_count");
    }
}
