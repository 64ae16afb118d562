//! Rows as feeds tell them: each the JSON array of its cells, compared as text.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::query::{Cell, Kind, Sources, View, rows};
use crate::store::StoreError;

/// A row: a JSON array of its cells, in the order of the view's columns, as views answer them over HTTP. It holds no
/// line break.
pub type Row = Box<str>;

/// The rows of a view, in the order of their texts.
pub fn told(view: &View, sources: Sources<'_>) -> Result<Vec<Row>, StoreError> {
    let mut told = Vec::new();
    let mut text = String::new();
    rows::<StoreError>(view, sources, &mut |cells| {
        text.clear();
        write(view, cells, &mut text);
        told.push(text.as_str().into());
        Ok(())
    })?;
    told.sort_unstable();
    Ok(told)
}

fn write(view: &View, cells: &[Cell<'_>], text: &mut String) {
    let mut before = '[';
    for (column, cell) in view.columns.iter().zip(cells) {
        text.push(before);
        match (column.kind, cell) {
            (_, Cell::Null) => text.push_str("null"),
            (Kind::Integer, Cell::Integer(_)) | (Kind::Boolean, Cell::Boolean(_)) => text.push_str(&cell.to_string()),
            (_, Cell::Text(held)) => quote(held, text),
            (_, cell) => quote(&cell.to_string(), text),
        }
        before = ',';
    }
    text.push(']');
}

fn quote(held: &str, text: &mut String) {
    // A text is always told.
    text.push_str(&serde_json::to_string(held).unwrap_or_default());
}

/// What two tellings of a view differ by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    pub gone: Vec<Row>,
    pub come: Vec<Row>,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.come.is_empty()
    }
}

/// What rows in order became, in order too.
pub fn difference(before: &[Row], after: &[Row]) -> Difference {
    let mut difference = Difference::default();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (Some(gone), Some(come)) if gone == come => {
                old.next();
                new.next();
            }
            (Some(gone), come) if come.is_none_or(|come| *gone < *come) => {
                difference.gone.push((*gone).clone());
                old.next();
            }
            (_, Some(come)) => {
                difference.come.push((*come).clone());
                new.next();
            }
            (_, None) => return difference,
        }
    }
}

/// Rows, gathered from what came and went.
#[derive(Default)]
pub struct Gathered(BTreeMap<Row, usize>);

impl Gathered {
    pub fn take(&mut self, part: Part) {
        for row in part.gone {
            if let Entry::Occupied(mut held) = self.0.entry(row) {
                match held.get() {
                    0 | 1 => drop(held.remove()),
                    _ => *held.get_mut() -= 1,
                }
            }
        }
        for row in part.come {
            *self.0.entry(row).or_default() += 1;
        }
    }

    /// In order.
    pub fn rows(self) -> Vec<Row> {
        self.0.into_iter().flat_map(|(row, count)| std::iter::repeat_n(row, count)).collect()
    }
}

/// Some rows of a difference: what is told, written and read at a time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Part {
    pub gone: Vec<Row>,
    pub come: Vec<Row>,
}

/// Rows and bytes of a part: a reader holds a few of them.
const ROWS_MAX: usize = 1000;
const BYTES_MAX: usize = 256 << 10;

impl Part {
    /// What its lines take.
    pub fn bytes(&self) -> usize {
        self.gone.iter().chain(&self.come).map(|row| row.len() + 2).sum()
    }

    /// A line for each row: what is gone begins with -, what has come with +.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for (sign, rows) in [('-', &self.gone), ('+', &self.come)] {
            for row in rows {
                lines.push(sign);
                lines.push_str(row);
                lines.push('\n');
            }
        }
        lines
    }

    /// None where a line is none.
    pub fn read(lines: &str) -> Option<Part> {
        let mut part = Part::default();
        for line in lines.lines() {
            match line.split_at_checked(1)? {
                ("-", row) => part.gone.push(row.into()),
                ("+", row) => part.come.push(row.into()),
                _ => return None,
            }
        }
        Some(part)
    }
}

/// The parts of a difference, what is gone first.
pub fn parts(difference: Difference) -> Vec<Part> {
    let gone = difference.gone.into_iter().map(|row| (true, row));
    let come = difference.come.into_iter().map(|row| (false, row));
    let (mut parts, mut part, mut room) = (Vec::new(), Part::default(), (ROWS_MAX, BYTES_MAX));
    for (is_gone, row) in gone.chain(come) {
        if room.0 == 0 || room.1 < row.len() && room.0 < ROWS_MAX {
            parts.push(std::mem::take(&mut part));
            room = (ROWS_MAX, BYTES_MAX);
        }
        room = (room.0 - 1, room.1.saturating_sub(row.len()));
        if is_gone { &mut part.gone } else { &mut part.come }.push(row);
    }
    if room.0 < ROWS_MAX {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Row> {
        texts.iter().map(|text| (*text).into()).collect()
    }

    #[test]
    fn what_rows_became_brings_them_there() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..500 {
            let mut some = || {
                let mut rows: Vec<Row> =
                    (0..random.usize(..12)).map(|_| format!("[{}]", random.u8(..9)).into()).collect();
                rows.sort_unstable();
                rows
            };
            let (before, now) = (some(), some());
            let difference = difference(&before, &now);
            let both = difference.gone.iter().filter(|row| difference.come.contains(row)).count();
            assert_eq!(both, 0, "{difference:?} takes and gives the same");
            let mut gathered = Gathered::default();
            gathered.take(Part { gone: Vec::new(), come: before });
            gathered.take(Part { gone: difference.gone, come: difference.come });
            assert_eq!(gathered.rows(), now);
        }
    }

    #[test]
    fn parts_are_bounded_and_lose_nothing() {
        let long: Row = "x".repeat(200 << 10).into();
        let gone: Vec<Row> = (0..1500).map(|number| format!("[{number}]").into()).collect();
        let difference = Difference { gone, come: vec![long.clone(), long.clone(), long] };
        let parts = parts(difference.clone());
        // The rest of the first thousand and one long row; each other of them fills a part.
        assert_eq!(parts.len(), 4);
        let mut told = Difference::default();
        for part in parts {
            assert!(part.gone.len() + part.come.len() <= ROWS_MAX);
            assert_eq!(Part::read(&part.lines()), Some(part.clone()));
            told.gone.extend(part.gone);
            told.come.extend(part.come);
        }
        assert_eq!(told, difference);
        assert_eq!(super::parts(Difference::default()), []);
    }

    #[test]
    fn lines_that_are_none_are_seen() {
        for text in ["*[1]\n", "\n", "é\n"] {
            assert_eq!(Part::read(text), None, "{text:?}");
        }
        let part = Part { gone: rows(&["[\"a\\nb\"]"]), come: Vec::new() };
        assert_eq!(Part::read(&part.lines()), Some(part));
    }
}
