//! Which rows name somebody, and what is left of a file without them.

use std::collections::{BTreeSet, HashSet};

use dataflows::records::{MemberEventRow, RowKey, Rows};
use dataflows::types::{CustomerIx, Token};

use crate::ingest::{Lines, Named};
use crate::store::content::Content;
use crate::store::erased::{Erased, Fact};

/// Who is to be erased, by all that rows know them by.
#[derive(Default)]
pub struct Subjects {
    pub customers: BTreeSet<CustomerIx>,
    /// What stands for their numbers, where no row of another bears it.
    pub numbers: BTreeSet<Token>,
    /// What they ordered here.
    pub requests: HashSet<Box<str>>,
}

/// A file's rows, and the keys that it deletes, taken apart.
pub struct Parted {
    /// What stays of it.
    pub left: Content,
    /// What changes: their rows and keys, and rows of others that name them, as they were.
    pub gone: Content,
    /// What those of others are instead.
    pub changed: Content,
    /// The places, among all rows, of those that stay.
    pub places: Vec<u32>,
}

impl Parted {
    /// Rows that are no more.
    pub fn removed(&self) -> u64 {
        (self.gone.len() - self.changed.len()) as u64
    }

    /// Where those that stay stand in their file.
    pub fn lines(&self, lines: &Lines) -> Lines {
        let mut left = Lines::default();
        for (row, place) in (0..).zip(&self.places) {
            if let Some(line) = lines.of(*place) {
                left.push(row, line);
            }
        }
        left
    }
}

impl Subjects {
    /// The facts of them, beside those of their ids.
    pub fn facts(&self, erased: &Erased) -> Vec<Fact> {
        let numbers = self.numbers.iter().map(|token| Named::Number(*token));
        numbers.chain(self.requests.iter().map(|id| Named::Request(id))).map(|of| erased.fact(of)).collect()
    }

    fn is(&self, customer: CustomerIx) -> bool {
        self.customers.contains(&customer)
    }

    /// Takes apart what a file holds; none where it names nobody. Whoever reads the file again, with these subjects
    /// erased, comes to the same.
    pub fn part(&self, content: &Content) -> Option<Parted> {
        let is_his = |key: &RowKey| key.customer().is_some_and(|customer| self.is(customer));
        let parted = self.part_rows(&content.rows);
        if parted.is_none() && !content.deleted.iter().any(is_his) {
            return None;
        }
        let mut parted = parted.unwrap_or_else(|| {
            let none = || Content::empty(content.rows.feed());
            let places = (0..).take(content.rows.len()).collect();
            Parted { left: Content::of(content.rows.clone()), gone: none(), changed: none(), places }
        });
        (parted.gone.deleted, parted.left.deleted) = content.deleted.iter().cloned().partition(is_his);
        Some(parted)
    }

    fn part_rows(&self, rows: &Rows) -> Option<Parted> {
        macro_rules! parted {
            ($feed:ident, $rows:expr, $is_gone:expr) => {{
                let is_gone = $is_gone;
                if !$rows.iter().any(&is_gone) {
                    return None;
                }
                let (mut left, mut gone, mut places) = (Vec::with_capacity($rows.len()), Vec::new(), Vec::new());
                for (place, row) in (0..).zip($rows) {
                    if is_gone(row) {
                        gone.push(row.clone());
                    } else {
                        left.push(row.clone());
                        places.push(place);
                    }
                }
                Some(Parted {
                    left: Content::of(Rows::$feed(left)),
                    gone: Content::of(Rows::$feed(gone)),
                    changed: Content::of(Rows::$feed(Vec::new())),
                    places,
                })
            }};
            ($feed:ident, $rows:expr) => {
                parted!($feed, $rows, |row: &_| self.is(customer(row)))
            };
        }
        match rows {
            Rows::Customer(rows) => parted!(Customer, rows, |row: &dataflows::records::CustomerRow| {
                self.is(row.customer) || row.fields.number.is_some_and(|token| self.numbers.contains(&token))
            }),
            Rows::Terminal(rows) => parted!(Terminal, rows),
            Rows::Bill(rows) => parted!(Bill, rows),
            Rows::Usage(rows) => parted!(Usage, rows),
            Rows::Order(rows) => parted!(Order, rows),
            Rows::MemberEvent(rows) => self.events(rows),
            Rows::Adjustment(rows) => parted!(Adjustment, rows),
            Rows::Listing(rows) => parted!(Listing, rows),
            Rows::Consent(rows) => parted!(Consent, rows),
            Rows::Score(rows) => parted!(Score, rows),
            Rows::Contact(rows) => parted!(Contact, rows),
            Rows::Feedback(rows) => parted!(Feedback, rows),
            Rows::Handoff(rows) => parted!(Handoff, rows),
            Rows::OrderRequest(rows) => parted!(OrderRequest, rows),
            Rows::Provisioning(rows) => parted!(Provisioning, rows, |row: &dataflows::records::ProvisioningRow| {
                self.requests.contains(&row.request_id)
            }),
            Rows::Product(_) | Rows::Channel(_) | Rows::CampaignState(_) => None,
        }
    }

    /// Events of others stay, and are about nobody where they were about them.
    fn events(&self, rows: &[MemberEventRow]) -> Option<Parted> {
        let is_about = |row: &MemberEventRow| row.event.other.is_some_and(|other| self.is(other));
        if !rows.iter().any(|row| self.is(row.customer) || is_about(row)) {
            return None;
        }
        let (mut left, mut gone, mut changed, mut places) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, row) in (0..).zip(rows) {
            let mut row = row.clone();
            if self.is(row.customer) || is_about(&row) {
                gone.push(row.clone());
            }
            if self.is(row.customer) {
                continue;
            }
            if is_about(&row) {
                row.event.other = None;
                changed.push(row.clone());
            }
            left.push(row);
            places.push(place);
        }
        let of = |rows| Content::of(Rows::MemberEvent(rows));
        Some(Parted { left: of(left), gone: of(gone), changed: of(changed), places })
    }
}

/// A row of somebody.
trait Whose {
    fn customer(&self) -> CustomerIx;
}

macro_rules! whose {
    ($($row:ident),*) => { $(
        impl Whose for dataflows::records::$row {
            fn customer(&self) -> CustomerIx {
                self.customer
            }
        }
    )* };
}
whose!(
    TerminalRow,
    BillRow,
    UsageRow,
    OrderRow,
    AdjustmentRow,
    ListingRow,
    ConsentRow,
    ScoreRow,
    ContactRow,
    FeedbackRow,
    HandoffRow,
    OrderRequestRow
);

fn customer(row: &impl Whose) -> CustomerIx {
    row.customer()
}

/// Adds what another content of the same feed holds.
pub fn append(content: &mut Content, more: &Content) {
    content.deleted.extend_from_slice(&more.deleted);
    macro_rules! append {
        ($($feed:ident),*) => {
            match (&mut content.rows, &more.rows) {
                $((Rows::$feed(rows), Rows::$feed(more)) => rows.extend_from_slice(more),)*
                _ => debug_assert!(false, "rows of two feeds"),
            }
        };
    }
    append!(
        Customer,
        Terminal,
        Bill,
        Usage,
        Product,
        Channel,
        Order,
        MemberEvent,
        Adjustment,
        Listing,
        Consent,
        Score,
        Contact,
        Feedback,
        CampaignState,
        Handoff,
        OrderRequest,
        Provisioning
    );
}
