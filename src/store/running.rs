//! Partitions of what comes without a file: their parts are running numbers.

use dataflows::records::Feed;

use super::Store;
use crate::ingest::Partition;

/// Digits of a part that is a running number, so that numbers order as texts do.
pub(super) const PART_DIGITS: usize = 8;

/// What stands before a running number. A batch of bills is of the period of files, the month, whose parts are texts of
/// anybody's: behind this letter it stands over all of them that do not begin with it too. Others have a day of their own
/// for a period.
fn prefix(feed: Feed) -> &'static str {
    if feed == Feed::Bill { "z" } else { "" }
}

/// The number that a part is.
fn number(feed: Feed, part: &str) -> Option<u64> {
    let digits = part.strip_prefix(prefix(feed))?;
    let is_number = digits.len() == PART_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

impl Store {
    /// A partition of a feed and a period that nobody has: its part is the number after the greatest of those
    /// that are numbers of as many digits.
    pub fn next_partition(&mut self, feed: Feed, period: &str) -> Partition {
        let is_of = |partition: &&Partition| partition.feed == feed && partition.period == period;
        let last = self.last_parts.get(&feed).filter(|(of, _)| of == period).map(|(_, last)| *last);
        let last = last.unwrap_or_else(|| {
            let numbers = self.numbers.keys().filter(is_of).filter_map(|partition| number(feed, &partition.part));
            numbers.max().unwrap_or(0)
        });
        let (mut partition, mut next) = (Partition { feed, period: period.to_owned(), part: String::new() }, last);
        loop {
            next += 1;
            partition.part = format!("{}{next:0PART_DIGITS$}", prefix(feed));
            // A file may have come under a number meanwhile.
            if !self.numbers.contains_key(&partition) {
                self.last_parts.insert(feed, (period.to_owned(), next - 1));
                return partition;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_bills_stands_over_the_files_of_its_month() {
        let partition =
            |part: &str| Partition { feed: Feed::Bill, period: "2009-07".to_owned(), part: part.to_owned() };
        let batch = partition(&format!("{}{:0PART_DIGITS$}", prefix(Feed::Bill), 1));
        for part in ["", "03", "9", "A", "Zz", "late", "y"] {
            assert!(partition(part) < batch, "{part}");
        }
        // Whoever means to have the last word can.
        assert!(partition("zz") > batch);
        assert_eq!((number(Feed::Bill, &batch.part), number(Feed::Bill, "00000001")), (Some(1), None));
        assert_eq!((number(Feed::Order, "00000012"), number(Feed::Order, "12")), (Some(12), None));
    }
}
