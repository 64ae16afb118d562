//! A file's rows as they come in: taken, or set aside with a reason.
//!
//! Invariant: rows taken + keys deleted + rows set aside + rows left out = data rows.
//!
//! Left out are rows of who was erased, before any of their texts is interned, and before a row that cannot be read is
//! set aside as text. In rows of others the other side of an event is nobody then, as where a file names none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use dataflows::records::{ROWS_MAX, RowKey, Rows};

use super::batch::{Batch, Record as Fields};
use super::error::{Code, Failure, Refused};
use super::extract::{Intern, Named, Reasons, Reject};
use super::feeds::{Context, Record};
use super::fields::phone;
use super::header::Header;
use super::keys::Keys;
use super::lines::Lines;
use super::mask;
use super::named::named;
use super::objects::DELETE;
use super::reason::{Bad, Reason};
use super::row::Row;

/// Examples of bad rows that a refusal shows.
const EXAMPLES: usize = 3;
/// Rows for which room is made at once, at most.
const ROOM_ROWS_MAX: u64 = 1 << 20;

/// Takes records.
pub(super) trait Sink {
    /// Takes a batch of records, of which the plain ones stand in `block`.
    fn take(&mut self, batch: &Batch, block: &[u8]) -> Result<(), Failure>;
}

/// How a file's records look.
pub(super) struct Layout {
    pub(super) header: Header,
    /// The header record's fields, as its repetition is no row; none where the format has none.
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) delimiter: u8,
    /// No more data rows than these.
    pub(super) rows_max: u64,
}

/// What came of a file's rows.
pub(super) struct Counted {
    pub(super) rows: Rows,
    pub(super) deleted: Vec<RowKey>,
    pub(super) lines: Lines,
    pub(super) rejects: Vec<Reject>,
    pub(super) reasons: Reasons,
    pub(super) erased: u64,
    pub(super) warnings: Vec<String>,
}

/// The rows of one file.
pub(super) struct Sheet<'a, R, I: ?Sized> {
    layout: Layout,
    /// Where a row says whose it is.
    person: Option<usize>,
    context: Context<'a, I>,
    rows: Vec<R>,
    keys: Keys,
    deleted: Vec<RowKey>,
    /// The line of each key, where rows may delete: then a key is a row's or deleted, and never both.
    named: HashMap<RowKey, u64>,
    lines: Lines,
    rejects: Vec<Reject>,
    reasons: Reasons,
    bad_rows: u64,
    /// Rows left out.
    erased: u64,
    /// With more bad rows the file is refused, however many rows come. Past it rejects are only
    /// counted, so that a file of nothing else costs no memory.
    bad_rows_max: u64,
}

impl<'a, R: Record, I: Intern + ?Sized> Sheet<'a, R, I> {
    pub(super) fn new(layout: Layout, context: Context<'a, I>) -> Sheet<'a, R, I> {
        let bad_rows_max = allowed(layout.rows_max, context.settings.bad_rows_max);
        let room = usize::try_from(layout.rows_max.min(ROOM_ROWS_MAX)).unwrap_or_default();
        Sheet {
            person: layout.header.person(),
            layout,
            context,
            rows: Vec::with_capacity(room),
            keys: Keys::default(),
            deleted: Vec::new(),
            named: HashMap::new(),
            lines: Lines::default(),
            rejects: Vec::new(),
            reasons: Reasons::new(),
            bad_rows: 0,
            erased: 0,
            bad_rows_max,
        }
    }

    fn read(&mut self, fields: Fields<'_>) -> Result<(), Bad> {
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let header = &self.layout.fields;
        if header.len() == fields.ends.len() && fields.fields().eq(header.iter().map(Vec::as_slice)) {
            return Err(Bad::row(Reason::HeaderRepeated));
        }
        let row = Row::new(fields, &self.layout.header)?;
        if self.person.is_some_and(|place| self.context.intern.is_erased(Named::Customer(row.field(place)))) {
            return Err(Bad::row(Reason::Erased));
        }
        let repeated = |line| Err(Bad { column: R::KEY, reason: Reason::KeyRepeated { line } });
        if let Some(operation) = self.layout.header.operation {
            let deletes = row.field(operation) == DELETE;
            // What is wrong with a row is told before that its key was there.
            let record = if deletes { None } else { Some(R::read(&row, &mut self.context)?) };
            let key = named(&row, &mut self.context)?;
            match self.named.entry(key) {
                Entry::Occupied(first) => return repeated(*first.get()),
                Entry::Vacant(place) => {
                    if deletes {
                        self.deleted.push(place.key().clone());
                    }
                    place.insert(fields.line);
                }
            }
            if let Some(record) = record {
                self.lines.push(number, fields.line);
                self.rows.push(record);
            }
            return Ok(());
        }
        let record = R::read(&row, &mut self.context)?;
        if let Some(first) = self.keys.first(&record, &self.rows) {
            return repeated(self.lines.of(first).unwrap_or_default());
        }
        self.lines.push(number, fields.line);
        self.rows.push(record);
        Ok(())
    }

    /// Rows set aside.
    pub(super) fn bad_rows(&self) -> u64 {
        self.bad_rows
    }

    /// Rows taken, set aside and left out, and those that delete.
    pub(super) fn data_rows(&self) -> u64 {
        (self.rows.len() + self.deleted.len()) as u64 + self.bad_rows + self.erased
    }

    /// What came of the rows; the file is refused where too many are bad.
    pub(super) fn finish(mut self) -> Result<Counted, Refused> {
        let data_rows = self.data_rows();
        let bad_rows_max = allowed(data_rows, self.context.settings.bad_rows_max);
        if self.bad_rows > bad_rows_max {
            return Err(self.too_many_bad(data_rows, bad_rows_max));
        }
        let mut warnings = std::mem::take(&mut self.layout.header.warnings);
        if self.context.phones_bad > 0 {
            let count = self.context.phones_bad;
            warnings
                .push(format!("{count} phone numbers are not 5 to 15 digits; their customers are taken without one"));
        }
        self.rows.shrink_to_fit();
        let Sheet { rows, deleted, lines, rejects, reasons, erased, .. } = self;
        Ok(Counted { rows: R::rows(rows), deleted, lines, rejects, reasons, erased, warnings })
    }

    fn too_many_bad(&self, data_rows: u64, bad_rows_max: u64) -> Refused {
        let shown = |reject: &Reject| match reject.column.as_str() {
            "" => format!("line {}: {}", reject.line, reject.reason),
            column => format!("line {}, column \"{column}\": {}", reject.line, reject.reason),
        };
        let mut places: Vec<String> = self.rejects.iter().take(EXAMPLES).map(shown).collect();
        if let Some(more @ 1..) = self.bad_rows.checked_sub(places.len() as u64) {
            places.push(format!("and {more} more"));
        }
        let fact = format!("{} of {data_rows} rows are unreadable, {bad_rows_max} allowed", self.bad_rows);
        Refused::new(Code::BadRows, fact)
            .counting(data_rows, self.bad_rows)
            .at(places)
            .hint("Correct the rows and deliver the file again.")
    }
}

impl<R: Record, I: Intern + ?Sized> Sink for Sheet<'_, R, I> {
    fn take(&mut self, batch: &Batch, block: &[u8]) -> Result<(), Failure> {
        self.context.intern.begin();
        let taken = batch.records(block).try_for_each(|fields| self.take_one(fields));
        self.context.intern.end();
        taken
    }
}

impl<R: Record, I: Intern + ?Sized> Sheet<'_, R, I> {
    fn take_one(&mut self, fields: Fields<'_>) -> Result<(), Failure> {
        if self.rows.len() + self.deleted.len() >= ROWS_MAX {
            let fact = format!("it has more than {ROWS_MAX} rows");
            return Err(Refused::new(Code::TooManyRows, fact).hint("Deliver it in several parts.").into());
        }
        let Err(bad) = self.read(fields) else {
            return Ok(());
        };
        if bad.reason == Reason::Erased || self.names_erased(fields) {
            self.erased += 1;
            return Ok(());
        }
        self.bad_rows += 1;
        *self.reasons.entry(bad.reason.code()).or_default() += 1;
        if self.bad_rows > self.bad_rows_max && self.rejects.len() >= EXAMPLES {
            if self.rejects.len() > EXAMPLES {
                self.rejects.truncate(EXAMPLES);
                self.rejects.shrink_to_fit();
            }
            return Ok(());
        }
        let header = &self.layout.header;
        self.rejects.push(Reject {
            line: fields.line,
            column: bad.column.to_owned(),
            reason: bad.reason.to_string(),
            row: mask::row(fields.fields(), char::from(self.layout.delimiter), |place| header.is_personal(place)),
        });
        Ok(())
    }

    /// Whether a field of a row that cannot be read names somebody who was erased: columns may be shifted.
    fn names_erased(&self, fields: Fields<'_>) -> bool {
        let intern = &*self.context.intern;
        let names = |field: &str| {
            intern.is_erased(Named::Customer(field))
                || phone(field).is_some_and(|phone| intern.is_erased(Named::Number(intern.token(&phone))))
        };
        intern.has_erased() && fields.fields().any(|field| names(String::from_utf8_lossy(field).trim()))
    }
}

/// How many of `rows` may be bad.
fn allowed(rows: u64, (numerator, denominator): (u64, u64)) -> u64 {
    let allowed = u128::from(rows) * u128::from(numerator) / u128::from(denominator.max(1));
    u64::try_from(allowed).unwrap_or(u64::MAX)
}
