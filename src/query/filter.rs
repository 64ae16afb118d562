//! Which rows of a view somebody wants: by what stands in columns, and by time.

use dataflows::types::{CustomerIx, Day, Month, Time};
use jiff::tz::TimeZone;

use super::rows::{Sources, rows};
use super::{Cell, Kind, View, nearest};
use crate::ingest;
use crate::store::{Dictionary, StoreError};

/// The names by which a period is asked for.
pub const FROM: &str = "from";
pub const UNTIL: &str = "until";

/// Conditions on the rows of a view. Rows are wanted for which all hold.
#[derive(Default)]
pub struct Filter {
    /// Places of columns, with the texts of which one must stand there; null is the empty text.
    columns: Vec<(usize, Vec<String>)>,
    /// The column that tells when, and the first second of the period and the first after it.
    period: Option<(usize, Option<Time>, Option<Time>)>,
    /// Whose rows they can only be, where that is told; of those who are known.
    customers: Option<Vec<CustomerIx>>,
}

impl Filter {
    /// The conditions that pairs of names and values say: a column and what stands in it, where several
    /// values are alternatives; or `from` and `until`, over the view's first column of times, days or months.
    /// A phone number is taken for its token. What is wrong with them, in a sentence.
    pub fn new<'a>(
        view: &View,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        zone: &TimeZone,
        names: &Dictionary,
    ) -> Result<Filter, String> {
        let (mut filter, mut from, mut until) = (Filter::default(), None, None);
        for (name, value) in pairs {
            if let Some((_, bound)) = [(FROM, &mut from), (UNTIL, &mut until)].into_iter().find(|(own, _)| *own == name)
            {
                if bound.replace(moment(value, zone).ok_or_else(|| bad_moment(name))?).is_some() {
                    return Err(format!("{name} is given twice"));
                }
                continue;
            }
            let place = view.columns.iter().position(|column| column.name == name).ok_or_else(|| near(view, name))?;
            let text = canonical(view, place, value, names)?;
            match filter.columns.iter_mut().find(|(held, _)| *held == place) {
                Some((_, texts)) => texts.push(text),
                None => filter.columns.push((place, vec![text])),
            }
        }
        if from.is_some() || until.is_some() {
            let column = |kind| view.columns.iter().position(|column| column.kind == kind);
            let place = [Kind::Time, Kind::Day, Kind::Month].into_iter().find_map(column);
            let place = place.ok_or_else(|| format!("{} has no column of times for {FROM} and {UNTIL}", view.name))?;
            filter.period = Some((place, from, until));
        }
        filter.find(view, names);
        Ok(filter)
    }

    /// The conditions that each of some columns, told by their places, holds one of the texts.
    pub fn standing(view: &View, columns: Vec<(usize, Vec<String>)>, names: &Dictionary) -> Filter {
        let mut filter = Filter { columns, ..Filter::default() };
        filter.find(view, names);
        filter
    }

    /// Whose rows are wanted.
    fn find(&mut self, view: &View, names: &Dictionary) {
        let own = self.columns.iter().find(|(place, _)| view.columns[*place].name == "customer_id");
        self.customers =
            own.map(|(_, ids)| ids.iter().filter_map(|id| names.customers.find(id).map(CustomerIx)).collect());
    }

    /// And one of these texts stands in a column, whatever else is wanted of it.
    pub fn and(mut self, view: &View, column: &str, texts: Vec<String>) -> Filter {
        let place = view.columns.iter().position(|own| own.name == column);
        // A column that there is not holds nothing that could be wanted.
        self.columns.push((place.unwrap_or(view.columns.len()), texts));
        self
    }

    /// Every row is wanted.
    pub fn is_all(&self) -> bool {
        self.columns.is_empty() && self.period.is_none()
    }

    /// Only what stands in one column decides.
    pub fn binds_only(&self, place: usize) -> bool {
        self.period.is_none() && self.columns.iter().all(|(bound, _)| *bound == place)
    }

    /// Whether rows with a text in a column are wanted, as far as that column decides.
    pub fn may_hold(&self, place: usize, text: &str) -> bool {
        let mut own = self.columns.iter().filter(|(bound, _)| *bound == place);
        own.all(|(_, texts)| texts.iter().any(|wanted| wanted == text))
    }

    pub fn is_of_customers(&self) -> bool {
        self.customers.is_some()
    }

    /// Whether there is a condition on when.
    pub fn has_period(&self) -> bool {
        self.period.is_some()
    }

    /// The same as [`Filter::takes`], of cells as JSON tells them; periods are not looked at.
    pub fn takes_told(&self, cells: &[serde_json::Value]) -> bool {
        let stands = |(place, texts): &(usize, Vec<String>)| match cells.get(*place) {
            None => false,
            Some(serde_json::Value::Null) => texts.iter().any(String::is_empty),
            Some(serde_json::Value::String(held)) => texts.contains(held),
            Some(cell) => texts.contains(&cell.to_string()),
        };
        self.columns.iter().all(stands)
    }

    pub fn takes(&self, cells: &[Cell<'_>]) -> bool {
        let stands = |(place, texts): &(usize, Vec<String>)| match &cells[*place] {
            Cell::Text(held) => texts.iter().any(|text| text == held),
            cell => texts.contains(&cell.to_string()),
        };
        let is_within = |(place, from, until): &(usize, Option<Time>, Option<Time>)| {
            let at = match &cells[*place] {
                Cell::Time(time) => *time,
                Cell::Day(day) => day.start(),
                Cell::Month(month) => month.first_day().start(),
                _ => return false,
            };
            from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until)
        };
        self.period.iter().all(is_within) && self.columns.iter().all(stands)
    }
}

/// Visits the rows of a view that a filter takes. Those of some customers are found without looking at everybody's.
pub fn chosen<E: From<StoreError>>(
    view: &View,
    sources: Sources<'_>,
    filter: &Filter,
    visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    let near;
    let sources = match filter.customers.as_deref() {
        None => sources,
        Some([]) => return Ok(()),
        Some(customers) => {
            near = sources.published.near(customers);
            Sources { published: &near, ..sources }
        }
    };
    rows(view, sources, &mut |cells| if filter.takes(cells) { visit(cells) } else { Ok(()) })
}

/// A value as a row's cell would be written.
fn canonical(view: &View, place: usize, value: &str, names: &Dictionary) -> Result<String, String> {
    let column = &view.columns[place];
    let expected = |what: &str| format!("expected {what} for {}", column.name);
    let is_good = match column.kind {
        _ if value.is_empty() => true,
        Kind::Integer => value.parse::<i64>().is_ok_and(|number| number.to_string() == value),
        Kind::Boolean => matches!(value, "true" | "false"),
        Kind::Month => Month::parse(value).is_some(),
        Kind::Day => Day::parse(value).is_some(),
        Kind::Text | Kind::Token | Kind::Time | Kind::Hundredths | Kind::Rate => true,
    };
    match column.kind {
        Kind::Integer if !is_good => Err(expected("an integer")),
        Kind::Boolean if !is_good => Err(expected("true or false")),
        Kind::Month if !is_good => Err(expected("a month YYYY-MM")),
        Kind::Day if !is_good => Err(expected("a day YYYY-MM-DD")),
        Kind::Token => Ok(match ingest::phone(value) {
            Some(phone) => ingest::Intern::token(names, &phone).hex(),
            None => value.to_owned(),
        }),
        _ => Ok(value.to_owned()),
    }
}

/// A month's or a day's first second, or a moment.
fn moment(value: &str, zone: &TimeZone) -> Option<Time> {
    Month::parse(value).map(|month| month.first_day().start()).or_else(|| ingest::moment(value, zone))
}

fn bad_moment(name: &str) -> String {
    format!("expected a day YYYY-MM-DD, a month YYYY-MM or a time YYYY-MM-DD HH:MM:SS for {name}")
}

fn near(view: &View, name: &str) -> String {
    let near = nearest(name, view.columns.iter().map(|column| column.name));
    format!("{} has no such column; did you mean {near}?", view.name)
}
