//! Profile of a segment: how its members differ from the population, attribute by attribute.
//!
//! Reads   a chunk: classes, members of segments, and what rules find now
//! Gives   for the population and each segment: customers by value of each text attribute; sums and numbers of each number
//!
//! Decided here, where the contract is silent:
//! - The population is who has a class, the null class included. Groups are the population first, then the segments in the
//!   programme's order.
//! - A customer without a value is counted under null, and in no average.

use hashbrown::HashMap;

use crate::programme::Programme;
use crate::reader::Reader;
use crate::rules::evaluate::Columns;
use crate::rules::plan::{Numeric, Textual};
use crate::table::Chunk;
use crate::table::chunk::{ABSENT, CITY, DATA_KB, ROAMING_FEE, SMS_FEE, TOTAL_FEE, VAS_FEE};
use crate::table::column::{Bits, Slots};
use crate::types::Word;

/// Attributes of texts, as rules spell them.
pub const TEXTS: [(&str, Textual); 10] = [
    ("gender", Textual::Field(0)),
    ("city", Textual::Field(CITY)),
    ("district", Textual::Field(2)),
    ("status", Textual::Field(3)),
    ("brand", Textual::Field(4)),
    ("group_type", Textual::Field(5)),
    ("occupation", Textual::Field(6)),
    ("income_band", Textual::Field(8)),
    ("tier", Textual::Tier),
    ("rank", Textual::Rank),
];

/// Attributes of numbers, likewise.
pub const NUMBERS: [(&str, Numeric); 16] = [
    ("age", Numeric::Age),
    ("tenure_months", Numeric::Tenure),
    ("avg_fee", Numeric::Average(TOTAL_FEE)),
    ("avg_roaming_fee", Numeric::Average(ROAMING_FEE)),
    ("avg_sms_fee", Numeric::Average(SMS_FEE)),
    ("avg_vas_fee", Numeric::Average(VAS_FEE)),
    ("avg_data_kb", Numeric::Average(DATA_KB)),
    ("last_fee", Numeric::LastFee),
    ("change_fee", Numeric::Change(TOTAL_FEE)),
    ("change_roaming_fee", Numeric::Change(ROAMING_FEE)),
    ("change_sms_fee", Numeric::Change(SMS_FEE)),
    ("change_vas_fee", Numeric::Change(VAS_FEE)),
    ("change_data", Numeric::Change(DATA_KB)),
    ("points", Numeric::Points),
    ("vas_share", Numeric::VasShare),
    ("days_to_birthday", Numeric::DaysToBirthday),
];

/// What is counted of groups: see [`add`].
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Profile {
    /// By group.
    pub customers: Vec<i64>,
    /// By place among [`TEXTS`] and value: customers of each group.
    pub texts: HashMap<(usize, Word), Vec<i64>, foldhash::fast::FixedState>,
    /// By place among [`NUMBERS`]: of each group the sum in hundredths, and of how many.
    pub numbers: Vec<Vec<(i128, i64)>>,
}

/// How many groups a programme has.
pub fn groups(programme: &Programme) -> usize {
    1 + programme.segments.len()
}

impl Profile {
    /// Nobody.
    pub fn of(groups: usize) -> Profile {
        Profile {
            customers: vec![0; groups],
            texts: HashMap::default(),
            numbers: vec![vec![(0, 0); groups]; NUMBERS.len()],
        }
    }

    /// Adds those of another over the same groups.
    pub fn merge(&mut self, other: Profile) {
        let add = |sums: &mut [i64], others: &[i64]| {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        };
        add(&mut self.customers, &other.customers);
        for (of, counts) in other.texts {
            add(self.texts.entry(of).or_insert_with(|| vec![0; counts.len()]), &counts);
        }
        for (sums, others) in self.numbers.iter_mut().zip(other.numbers) {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum = (sum.0 + other.0, sum.1 + other.1));
        }
    }
}

/// Adds the customers of a chunk.
pub fn add(reader: &Reader, chunk: &Chunk, profile: &mut Profile) {
    let mut population = Bits::none();
    chunk.class.iter().enumerate().for_each(|(slot, class)| population.set(slot, *class != ABSENT));
    if population.is_none() {
        return;
    }
    let slots = Slots::Some(population.slots().map(|slot| slot as u16).collect());
    let frame = reader.frame(chunk, &slots);
    // By place, the groups that he is in.
    let groups: Vec<Vec<u16>> = (0..slots.len())
        .map(|place| {
            let slot = slots.slot(place);
            let of = chunk.segments.iter().enumerate().filter(|(_, members)| members.get(slot));
            [0].into_iter().chain(of.map(|(segment, _)| segment as u16 + 1)).collect()
        })
        .collect();
    let of = |place: usize| groups[place].iter().map(|group| usize::from(*group));
    (0..slots.len()).flat_map(of).for_each(|group| profile.customers[group] += 1);
    let count = profile.customers.len();
    for (attribute, (_, column)) in TEXTS.into_iter().enumerate() {
        for (place, word) in frame.words(column).iter().enumerate() {
            let counts = profile.texts.entry((attribute, Word(*word))).or_insert_with(|| vec![0; count]);
            of(place).for_each(|group| counts[group] += 1);
        }
    }
    for (attribute, (_, column)) in NUMBERS.into_iter().enumerate() {
        let (numbers, sums) = (frame.numbers(column), &mut profile.numbers[attribute]);
        for place in (0..slots.len()).filter(|place| numbers.null[*place] == 0) {
            let value = numbers.exact(place);
            of(place).for_each(|group| sums[group] = (sums[group].0 + value, sums[group].1 + 1));
        }
    }
}
