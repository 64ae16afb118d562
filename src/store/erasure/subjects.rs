//! Which rows name somebody, and what is left of a file without them.

use std::collections::{BTreeSet, HashSet};

use dataflows::records::{MemberEventRow, Rows};
use dataflows::types::{CustomerIx, Token};

use crate::ingest::{Lines, Named};
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

/// A file's rows, taken apart.
pub struct Parted {
    /// What stays of it.
    pub left: Rows,
    /// The rows that change: theirs, and those of others that name them, as they were.
    pub gone: Rows,
    /// What those of others are instead.
    pub changed: Rows,
    /// The places, among all, of those that stay.
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

    /// Takes a file's rows apart; none where they name nobody. Whoever reads the file again, with these subjects
    /// erased, comes to the same rows.
    pub fn part(&self, rows: &Rows) -> Option<Parted> {
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
                    left: Rows::$feed(left),
                    gone: Rows::$feed(gone),
                    changed: Rows::$feed(Vec::new()),
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
        let of = Rows::MemberEvent;
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

/// Adds rows of the same feed.
pub fn append(rows: &mut Rows, more: &Rows) {
    macro_rules! append {
        ($($feed:ident),*) => {
            match (rows, more) {
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
