//! What tells the rows of a feed apart: the columns that the contract marks `*`.

use crate::types::{CustomerIx, Day, Month, Time, Word};

/// The key of a row, by feed. Feeds of our own that nobody asks for by key have none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowKey {
    Customer(CustomerIx),
    Terminal(CustomerIx, Day),
    Bill(CustomerIx, Month),
    Usage(CustomerIx, Day, Word),
    Product(Word),
    Channel(Word),
    Order(Box<str>),
    MemberEvent(Box<str>),
    Adjustment(Box<str>),
    /// Customer, list.
    Listing(CustomerIx, Word),
    /// Customer, purpose, channel, time.
    Consent(CustomerIx, Word, Word, Time),
    /// Customer, model.
    Score(CustomerIx, Word),
    Contact(Box<str>),
    Feedback(Box<str>),
    Handoff(Box<str>),
}

impl RowKey {
    /// Whom it names; nobody where ids tell the rows of its feed apart.
    pub fn customer(&self) -> Option<CustomerIx> {
        match self {
            RowKey::Customer(customer)
            | RowKey::Terminal(customer, _)
            | RowKey::Bill(customer, _)
            | RowKey::Usage(customer, ..)
            | RowKey::Listing(customer, _)
            | RowKey::Consent(customer, ..)
            | RowKey::Score(customer, _) => Some(*customer),
            _ => None,
        }
    }

    /// The id that tells it apart, in the feeds where one does.
    pub fn id(&self) -> Option<&str> {
        match self {
            RowKey::Order(id)
            | RowKey::MemberEvent(id)
            | RowKey::Adjustment(id)
            | RowKey::Contact(id)
            | RowKey::Feedback(id)
            | RowKey::Handoff(id) => Some(id),
            _ => None,
        }
    }

    /// The words in it; null where there are fewer than two.
    pub fn words(&self) -> [Word; 2] {
        match self {
            RowKey::Usage(_, _, word)
            | RowKey::Product(word)
            | RowKey::Channel(word)
            | RowKey::Listing(_, word)
            | RowKey::Score(_, word) => [*word, Word::NULL],
            RowKey::Consent(_, purpose, channel, _) => [*purpose, *channel],
            _ => [Word::NULL; 2],
        }
    }
}
