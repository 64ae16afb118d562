//! What a partition holds: rows, and keys that it deletes.
//!
//! A key that is deleted counts as absent for as long as no partition of a greater (period, part) has it, whatever
//! lower ones say of it: it wins and loses as a row does, and it goes as a row does. On disk the keys are columns behind
//! the rows, of the feed's own key.

use std::collections::HashSet;

use dataflows::records::{Feed, ID_BYTES_MAX, RowKey, Rows};
use dataflows::types::{CustomerIx, Day, Month, Time, Word};

use super::codec::{Damaged, Reader, Writer};
use super::dictionary::Extent;
use super::inputs::same_rows;
use super::rows::{MONTH_MAX, TIME_MAX, TIME_MIN, below, columns, read_day, within};
use crate::ingest::Extract;

/// What a partition holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    pub rows: Rows,
    /// Of the same feed, and none of them a row's.
    pub deleted: Vec<RowKey>,
}

impl Content {
    /// Nothing, of a feed.
    pub fn empty(feed: Feed) -> Content {
        Content::of(Rows::empty(feed))
    }

    /// Rows alone.
    pub fn of(rows: Rows) -> Content {
        Content { rows, deleted: Vec::new() }
    }

    pub fn held(&self) -> Held<'_> {
        Held { rows: &self.rows, deleted: &self.deleted }
    }

    /// How many rows were delivered for it.
    pub fn len(&self) -> usize {
        self.held().len()
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.held().is_empty()
    }
}

/// The same, lent.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    pub rows: &'a Rows,
    pub deleted: &'a [RowKey],
}

impl<'a> Held<'a> {
    /// What an extract would have a partition hold.
    pub fn of(extract: &'a Extract) -> Held<'a> {
        Held { rows: &extract.rows, deleted: &extract.deleted }
    }

    /// How many rows were delivered for it.
    pub fn len(self) -> usize {
        self.rows.len() + self.deleted.len()
    }

    /// Whether it says nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether two say the same, in whatever order.
    pub fn is_same(self, other: Held<'_>) -> bool {
        let are_same = |one: &[RowKey], other: &[RowKey]| {
            let (one, other): (HashSet<&RowKey>, HashSet<&RowKey>) = (one.iter().collect(), other.iter().collect());
            one == other
        };
        let (ours, theirs) = (self.deleted, other.deleted);
        let are_deleted = ours == theirs || ours.len() == theirs.len() && are_same(ours, theirs);
        are_deleted && same_rows(self.rows, other.rows)
    }
}

/// Writes keys; their feed is told elsewhere, and with it which columns there are.
pub fn write(feed: Feed, keys: &[RowKey], writer: &mut Writer) {
    writer.u64(keys.len() as u64);
    if Shape::of(feed).has_customer {
        writer.column(keys.iter().map(|key| key.customer().map_or(0, |customer| i64::from(customer.0))));
    }
    for place in 0..Shape::of(feed).words {
        writer.column(keys.iter().map(move |key| i64::from(key.words()[place].0)));
    }
    if Shape::of(feed).has_date {
        writer.column(keys.iter().map(date));
    }
    if Shape::of(feed).has_id {
        writer.texts(keys.iter().map(RowKey::id));
    }
}

/// Reads keys, and refuses what validation never lets through.
pub fn read(feed: Feed, names: Extent, reader: &mut Reader<'_>) -> Result<Vec<RowKey>, Damaged> {
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many keys"))?;
    let shape = Shape::of(feed);
    let customers = if shape.has_customer { reader.column_of(count)? } else { Vec::new() };
    let words: [Vec<i64>; 2] = match shape.words {
        0 => Default::default(),
        1 => [reader.column_of(count)?, Vec::new()],
        _ => columns(reader, count)?,
    };
    let dates = if shape.has_date { reader.column_of(count)? } else { Vec::new() };
    let ids = if shape.has_id { reader.texts(count)? } else { Vec::new() };
    let customer = |at: usize| below(customers[at], names.customers).map(CustomerIx);
    let word = |place: usize, at: usize| below(words[place][at], names.words).map(Word);
    let id = |at: usize| -> Result<Box<str>, Damaged> {
        let id = ids[at].filter(|id| id.len() <= ID_BYTES_MAX);
        id.map(Box::from).ok_or(Damaged("a key is deleted that has no id, or none of that length"))
    };
    let key = |at: usize| {
        Ok(match feed {
            Feed::Customer => RowKey::Customer(customer(at)?),
            Feed::Terminal => RowKey::Terminal(customer(at)?, read_day(dates[at])?),
            Feed::Bill => RowKey::Bill(customer(at)?, Month(within(dates[at], 0, MONTH_MAX)? as i32)),
            Feed::Usage => RowKey::Usage(customer(at)?, read_day(dates[at])?, word(0, at)?),
            Feed::Product => RowKey::Product(word(0, at)?),
            Feed::Channel => RowKey::Channel(word(0, at)?),
            Feed::Order => RowKey::Order(id(at)?),
            Feed::MemberEvent => RowKey::MemberEvent(id(at)?),
            Feed::Adjustment => RowKey::Adjustment(id(at)?),
            Feed::Listing => RowKey::Listing(customer(at)?, word(0, at)?),
            Feed::Consent => {
                let at_second = Time(within(dates[at], TIME_MIN, TIME_MAX)?);
                RowKey::Consent(customer(at)?, word(0, at)?, word(1, at)?, at_second)
            }
            Feed::Score => RowKey::Score(customer(at)?, word(0, at)?),
            Feed::Contact => RowKey::Contact(id(at)?),
            Feed::Feedback => RowKey::Feedback(id(at)?),
            Feed::CampaignState | Feed::Handoff | Feed::OrderRequest | Feed::Provisioning => {
                return Err(Damaged("rows of a feed are deleted that never are"));
            }
        })
    };
    // Without columns nothing bounds how many there are.
    if shape == Shape::default() && count > 0 {
        return Err(Damaged("rows of a feed are deleted that never are"));
    }
    (0..count).map(key).collect()
}

/// What a feed's keys are made of.
#[derive(PartialEq, Eq, Default)]
struct Shape {
    has_customer: bool,
    words: usize,
    has_date: bool,
    has_id: bool,
}

impl Shape {
    fn of(feed: Feed) -> Shape {
        let (has_customer, words, has_date, has_id) = match feed {
            Feed::Customer => (true, 0, false, false),
            Feed::Terminal | Feed::Bill => (true, 0, true, false),
            Feed::Usage => (true, 1, true, false),
            Feed::Product | Feed::Channel => (false, 1, false, false),
            Feed::Listing | Feed::Score => (true, 1, false, false),
            Feed::Consent => (true, 2, true, false),
            Feed::Order | Feed::MemberEvent | Feed::Adjustment | Feed::Contact | Feed::Feedback => {
                (false, 0, false, true)
            }
            Feed::CampaignState | Feed::Handoff | Feed::OrderRequest | Feed::Provisioning => return Shape::default(),
        };
        Shape { has_customer, words, has_date, has_id }
    }
}

fn date(key: &RowKey) -> i64 {
    match key {
        RowKey::Terminal(_, Day(day)) | RowKey::Usage(_, Day(day), _) => i64::from(*day),
        RowKey::Bill(_, month) => i64::from(month.0),
        RowKey::Consent(.., at) => at.0,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use dataflows::records::{ScoreRow, UsageRow};

    use super::*;

    const NAMES: Extent = Extent { customers: 9, words: 9 };

    fn keys() -> Vec<(Feed, RowKey)> {
        let (customer, word, other) = (CustomerIx(8), Word(7), Word(8));
        let (day, month, at) = (Day(-719_528), Month(9_999 * 12 + 11), Time(TIME_MAX));
        vec![
            (Feed::Customer, RowKey::Customer(customer)),
            (Feed::Terminal, RowKey::Terminal(customer, day)),
            (Feed::Bill, RowKey::Bill(customer, month)),
            (Feed::Usage, RowKey::Usage(customer, day, word)),
            (Feed::Product, RowKey::Product(word)),
            (Feed::Channel, RowKey::Channel(word)),
            (Feed::Order, RowKey::Order("沈阳".into())),
            (Feed::MemberEvent, RowKey::MemberEvent("e1".into())),
            (Feed::Adjustment, RowKey::Adjustment("a1".into())),
            (Feed::Listing, RowKey::Listing(customer, word)),
            (Feed::Consent, RowKey::Consent(customer, word, other, at)),
            (Feed::Score, RowKey::Score(customer, word)),
            (Feed::Contact, RowKey::Contact("k1".into())),
            (Feed::Feedback, RowKey::Feedback("f1".into())),
        ]
    }

    fn written(feed: Feed, keys: &[RowKey]) -> Vec<u8> {
        let mut writer = Writer::default();
        write(feed, keys, &mut writer);
        writer.bytes
    }

    #[test]
    fn keys_of_every_feed_come_back() {
        for (feed, key) in keys() {
            for count in [0, 1, 5] {
                let keys = vec![key.clone(); count];
                let bytes = written(feed, &keys);
                let mut reader = Reader::new(&bytes);
                assert_eq!(read(feed, NAMES, &mut reader), Ok(keys), "{feed:?}");
                assert!(reader.is_at_end(), "{feed:?}");
            }
        }
    }

    #[test]
    fn keys_cut_short_are_refused_and_changed_ones_never_panic() {
        let mut rng = fastrand::Rng::with_seed(6);
        for (feed, key) in keys().into_iter().cycle().take(3_000) {
            let mut bytes = written(feed, &vec![key; rng.usize(1..9)]);
            let len = rng.usize(0..bytes.len());
            assert!(read(feed, NAMES, &mut Reader::new(&bytes[..len])).is_err(), "{feed:?}");
            let at = rng.usize(0..bytes.len());
            bytes[at] = rng.u8(..);
            let _ = read(feed, NAMES, &mut Reader::new(&bytes));
        }
        // Of feeds of our own none are deleted, and a count alone sets nothing aside.
        for feed in [Feed::CampaignState, Feed::Handoff, Feed::OrderRequest, Feed::Provisioning] {
            assert_eq!(read(feed, NAMES, &mut Reader::new(&written(feed, &[]))), Ok(Vec::new()));
            assert!(read(feed, NAMES, &mut Reader::new(&u64::MAX.to_le_bytes())).is_err());
        }
        let none = Extent { customers: 8, words: 9 };
        let bytes = written(Feed::Customer, &[RowKey::Customer(CustomerIx(8))]);
        assert!(read(Feed::Customer, none, &mut Reader::new(&bytes)).is_err());
    }

    #[test]
    fn contents_are_the_same_in_whatever_order() {
        let row = |customer: u32| ScoreRow { customer: CustomerIx(customer), model: Word(1), value: 1, at: None };
        let key = |customer: u32| RowKey::Score(CustomerIx(customer), Word(1));
        let content = |rows: &[u32], deleted: &[u32]| Content {
            rows: Rows::Score(rows.iter().copied().map(row).collect()),
            deleted: deleted.iter().copied().map(key).collect(),
        };
        let one = content(&[1, 2], &[3, 4]);
        assert!(one.held().is_same(content(&[2, 1], &[4, 3]).held()));
        for other in [content(&[1, 2], &[3]), content(&[1, 2, 3], &[4]), content(&[1, 2], &[3, 5])] {
            assert!(!one.held().is_same(other.held()));
        }
        let usage = Rows::Usage(vec![UsageRow { customer: CustomerIx(1), day: Day(1), measure: Word(1), quantity: 0 }]);
        assert!(!one.held().is_same(Content::of(usage).held()));
    }
}
