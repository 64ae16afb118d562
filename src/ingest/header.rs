//! The header: which cell of a row is which column.

use dataflows::records::Feed;

use super::error::{Code, Refused};
use super::names::shown;
use super::schema::{COLUMNS_MAX, columns};
use crate::numbers::hidden_freely;

/// Least likeness (0 to 1, Jaro-Winkler) of a name that is worth suggesting.
const NEAR_MIN: f64 = 0.8;
/// Most warnings about single columns.
const WARNINGS_MAX: usize = 20;

/// Where a file has the columns of its feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) feed: Feed,
    /// By the column's place in the feed; none where the file does not have it.
    pub(super) places: [Option<usize>; COLUMNS_MAX],
    /// Where a row says whether it deletes; none in files.
    pub(super) operation: Option<usize>,
    /// How many cells a row has.
    pub(super) width: usize,
    pub(super) warnings: Vec<String>,
}

impl Header {
    /// Finds the columns of `feed` among the names that the file gives. At `operation` stands what a row does.
    pub(super) fn resolve(feed: Feed, names: &[&str], operation: Option<usize>) -> Result<Header, Refused> {
        let known = columns(feed);
        let (places, width) = ([None; COLUMNS_MAX], names.len());
        let mut header = Header { feed, places, operation, width, warnings: Vec::new() };
        let (mut repeated, mut unknown) = (Vec::new(), Vec::new());
        for (place, name) in names.iter().enumerate().filter(|(place, _)| Some(*place) != operation) {
            if !name.is_empty() && names.iter().take(place).any(|earlier| earlier == name) {
                repeated.push(quoted(name));
            }
            let column = known.iter().position(|column| column.name == *name);
            match column.and_then(|column| header.places.get_mut(column)) {
                Some(slot) => *slot = Some(place),
                None => unknown.push(*name),
            }
        }
        header.check_mandatory(&unknown)?;
        if !repeated.is_empty() {
            repeated.truncate(WARNINGS_MAX);
            let fact = format!("its header has a column twice: {}", repeated.join(", "));
            return Err(Refused::new(Code::ColumnRepeated, fact));
        }
        header.warn(&unknown);
        Ok(header)
    }

    fn check_mandatory(&self, unknown: &[&str]) -> Result<(), Refused> {
        let missing =
            |(column, place): &(&super::schema::Column, &Option<usize>)| column.is_mandatory && place.is_none();
        let missing: Vec<_> =
            columns(self.feed).iter().zip(&self.places).filter(missing).map(|(column, _)| column.name).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let fact = format!("its header lacks mandatory columns: {}", missing.join(", "));
        let near = |name: &&str| {
            nearest(name, unknown.iter().copied())
                .map(|near| format!("{name}: did the file mean it by {}?", quoted(near)))
        };
        let places = missing.iter().filter_map(near).collect();
        Err(Refused::new(Code::ColumnMissing, fact)
            .at(places)
            .hint("The first row must name the columns, with ',', '|' or a tab between."))
    }

    fn warn(&mut self, unknown: &[&str]) {
        for name in unknown.iter().take(WARNINGS_MAX) {
            let absent = columns(self.feed).iter().zip(&self.places).filter(|(_, place)| place.is_none());
            let near = nearest(name, absent.map(|(column, _)| column.name))
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            self.warnings.push(format!("unknown column {} is ignored{near}", quoted(name)));
        }
        if let Some(more @ 1..) = unknown.len().checked_sub(WARNINGS_MAX) {
            self.warnings.push(format!("{more} more unknown columns are ignored"));
        }
    }

    /// Where a row says whose it is; none in feeds of nobody.
    pub(super) fn person(&self) -> Option<usize> {
        let column = columns(self.feed).iter().position(|column| column.name == "customer_id")?;
        self.places.get(column).copied().flatten()
    }

    /// Whether a cell is personal data by its place.
    pub(super) fn is_personal(&self, place: usize) -> bool {
        let is_here = |(column, at): (&super::schema::Column, &Option<usize>)| column.is_personal && *at == Some(place);
        columns(self.feed).iter().zip(&self.places).any(is_here)
    }
}

/// A name that the file gives, safe to show. Where the header is missing it is a value of the first row.
fn quoted(name: &str) -> String {
    let name = hidden_freely(name);
    let short: String = name.chars().take(64).collect();
    format!("\"{}\"", shown(short.as_bytes()))
}

/// The name that is most like `name`, if any is.
fn nearest<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.chars().take(64).filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let name = plain(name);
    others
        .map(|other| (strsim::jaro_winkler(&name, &plain(other)), other))
        .filter(|(likeness, _)| *likeness >= NEAR_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let header =
            Header::resolve(Feed::Usage, &["quantity", "extra", "day", "measure", "customer_id"], None).expect("good");
        assert_eq!(header.places[..4], [Some(4), Some(2), Some(3), Some(0)]);
        assert_eq!(header.warnings, ["unknown column \"extra\" is ignored"]);
    }

    #[test]
    fn what_a_row_does_is_no_column() {
        let header = Header::resolve(Feed::Product, &["product_id", "_op"], Some(1)).expect("good");
        assert_eq!((header.operation, header.width, header.warnings.len()), (Some(1), 2, 0));
    }

    #[test]
    fn missing_columns_are_all_named_with_what_the_file_may_have_meant() {
        let refused = Header::resolve(Feed::Bill, &["CustomerID", "mont\nh", "sum"], None).expect_err("missing");
        assert_eq!(refused.code, Code::ColumnMissing);
        assert_eq!(refused.fact, "its header lacks mandatory columns: customer_id, month, total_fee");
        assert_eq!(
            refused.places,
            ["customer_id: did the file mean it by \"CustomerID\"?", "month: did the file mean it by \"mont\\u{a}h\"?"]
        );
    }

    #[test]
    fn a_column_twice_is_refused_and_a_nameless_one_ignored() {
        let refused = Header::resolve(Feed::Channel, &["channel_id", "name", "name"], None).expect_err("repeated");
        assert_eq!(refused.code, Code::ColumnRepeated);
        let header = Header::resolve(Feed::Channel, &["channel_id", "", "", "nmae"], None).expect("good");
        assert_eq!(
            header.warnings.last().map(String::as_str),
            Some("unknown column \"nmae\" is ignored; did you mean name?")
        );
    }
}
