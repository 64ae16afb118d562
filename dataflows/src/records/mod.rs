//! One record per feed, as validation leaves it and the store keeps it.
//!
//! Ids of customers are interned ([`CustomerIx`]), texts of small variety too ([`Word`]); ids of
//! great variety and free text stay text. Column names and meanings: contract, "Feeds". Nothing is
//! promised about these types' bytes: disk format belongs to the store.

mod campaigns;
mod keys;

use crate::types::{CustomerIx, Day, Month, Time, Token, Word};
pub use campaigns::{
    Arm, CampaignStateRow, Contact, ContactRow, Feedback, FeedbackKind, FeedbackRow, Handoff, HandoffRow, Outcome,
    State,
};
pub use keys::RowKey;

/// A feed that this build carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Feed {
    Customer = 1,
    Terminal = 2,
    Bill = 3,
    Usage = 4,
    Product = 5,
    Channel = 6,
    Order = 7,
    Listing = 8,
    MemberEvent = 9,
    Adjustment = 10,
    Consent = 11,
    Score = 12,
    Contact = 13,
    Feedback = 14,
    CampaignState = 15,
    Handoff = 16,
    OrderRequest = 17,
    Provisioning = 18,
}

impl Feed {
    /// Every feed: the contract's in its order, then those of our own.
    pub const ALL: [Feed; 18] = [
        Feed::Customer,
        Feed::Terminal,
        Feed::Bill,
        Feed::Usage,
        Feed::Product,
        Feed::Channel,
        Feed::Order,
        Feed::MemberEvent,
        Feed::Adjustment,
        Feed::Listing,
        Feed::Consent,
        Feed::Score,
        Feed::Contact,
        Feed::Feedback,
        Feed::CampaignState,
        Feed::Handoff,
        Feed::OrderRequest,
        Feed::Provisioning,
    ];

    /// Its name in file names and views.
    pub fn name(self) -> &'static str {
        match self {
            Feed::Customer => "customer",
            Feed::Terminal => "terminal",
            Feed::Bill => "bill",
            Feed::Usage => "usage",
            Feed::Product => "product",
            Feed::Channel => "channel",
            Feed::Order => "order",
            Feed::MemberEvent => "member_event",
            Feed::Adjustment => "adjustment",
            Feed::Listing => "listing",
            Feed::Consent => "consent",
            Feed::Score => "score",
            Feed::Contact => "contact",
            Feed::Feedback => "feedback",
            Feed::CampaignState => "campaign_state",
            Feed::Handoff => "handoff",
            Feed::OrderRequest => "order_request",
            Feed::Provisioning => "provisioning",
        }
    }

    /// Whether its rows are made here alone, and no file brings them.
    pub fn is_internal(self) -> bool {
        matches!(self, Feed::Handoff | Feed::OrderRequest)
    }

    /// The feed of that name.
    pub fn named(name: &str) -> Option<Feed> {
        Feed::ALL.into_iter().find(|feed| feed.name() == name)
    }
}

/// What rules and views can ask of a customer's master data. Null texts are [`Word::NULL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Customer {
    /// What stands for his phone number.
    pub number: Option<Token>,
    pub birth_date: Option<Day>,
    pub joined_on: Option<Day>,
    pub gender: Word,
    pub city: Word,
    pub district: Word,
    pub status: Word,
    pub brand: Word,
    pub group_type: Word,
    pub occupation: Word,
    pub employer: Word,
    pub income_band: Word,
}

/// A row of `customer`; key: customer.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct CustomerRow {
    pub customer: CustomerIx,
    pub household_id: Option<Box<str>>,
    pub fields: Customer,
}

/// A row of `terminal`; key: customer, seen_on.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct TerminalRow {
    pub customer: CustomerIx,
    pub seen_on: Day,
    pub imei: Option<Box<str>>,
    pub model: Option<Box<str>>,
    /// The capabilities, sorted and joined by `;`, as one word; null where there are none.
    pub supports: Word,
}

/// What a bill charges, in fen; `data_kb` in kilobytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Bill {
    pub total_fee: i64,
    pub roaming_fee: i64,
    pub sms_fee: i64,
    pub vas_fee: i64,
    pub data_kb: i64,
}

/// Longest id, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// Most rows of one file: what memory is asked for is bounded by it wherever a count is read.
pub const ROWS_MAX: usize = 1 << 27;

/// Largest amount of money in a file, in fen: ten million million yuan. Sums over a window of
/// months fit in 64 bits with room to spare.
pub const AMOUNT_MAX: i64 = 999_999_999_999_999;
/// Largest integer count (kilobytes, quantities) in a file. A sum over a window of months, times
/// 100, then fits in 64 bits.
pub const COUNT_MAX: i64 = 9_999_999_999_999;

/// A row of `bill`; key: customer, month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct BillRow {
    pub customer: CustomerIx,
    pub month: Month,
    pub bill: Bill,
}

/// A row of `usage`; key: customer, day, measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct UsageRow {
    pub customer: CustomerIx,
    pub day: Day,
    pub measure: Word,
    pub quantity: i64,
}

/// The categories of services.
pub const CATEGORIES: [&str; 4] = ["entertainment", "information", "communication", "commerce"];

/// A row of `product`; key: product.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct ProductRow {
    pub product: Word,
    pub name: Option<Box<str>>,
    pub category: Word,
    pub stage: Word,
    /// In fen.
    pub monthly_price: Option<i64>,
    /// Capabilities that a terminal must have, as in [`TerminalRow::supports`].
    pub requires: Word,
    /// 0 to 100, in hundredths.
    pub value: Option<i64>,
    /// As delivered, `;` between.
    pub traits: Option<Box<str>>,
}

/// A row of `channel`; key: channel.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct ChannelRow {
    pub channel: Word,
    pub name: Option<Box<str>>,
    /// In fen.
    pub unit_cost: Option<i64>,
    pub daily_capacity: Option<i64>,
    pub traits: Option<Box<str>>,
}

/// What an order does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Action {
    Subscribe = 0,
    Cancel = 1,
    Trial = 2,
}

/// What of an order views ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Order {
    pub action: Action,
    /// Whether it came with another product; not where that is not told.
    pub bundled: bool,
    pub channel: Word,
}

/// A row of `order`; key: order_id.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct OrderRow {
    pub order_id: Box<str>,
    pub customer: CustomerIx,
    pub product: Word,
    pub action: Action,
    pub channel: Word,
    pub at: Time,
    pub bundled: Option<bool>,
}

impl OrderRow {
    /// What views ask of it.
    pub fn order(&self) -> Order {
        Order { action: self.action, bundled: self.bundled == Some(true), channel: self.channel }
    }
}

/// What a member does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum EventKind {
    Register = 0,
    Deregister = 1,
    Login = 2,
    Visit = 3,
    Experience = 4,
    Refer = 5,
    Opinion = 6,
    Answer = 7,
    Participate = 8,
    Redeem = 9,
    Transfer = 10,
}

impl EventKind {
    /// Every kind, by its number, with its name in files and programmes.
    pub const ALL: [(EventKind, &'static str); 11] = [
        (EventKind::Register, "register"),
        (EventKind::Deregister, "deregister"),
        (EventKind::Login, "login"),
        (EventKind::Visit, "visit"),
        (EventKind::Experience, "experience"),
        (EventKind::Refer, "refer"),
        (EventKind::Opinion, "opinion"),
        (EventKind::Answer, "answer"),
        (EventKind::Participate, "participate"),
        (EventKind::Redeem, "redeem"),
        (EventKind::Transfer, "transfer"),
    ];

    /// The names alone, for whoever lists them.
    pub const NAMES: [&'static str; 11] = {
        let mut names = [""; 11];
        let mut at = 0;
        while at < names.len() {
            names[at] = EventKind::ALL[at].1;
            at += 1;
        }
        names
    };

    /// The kind of that name.
    pub fn named(name: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
    }
}

/// What of a member's event views ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Event {
    pub kind: EventKind,
    pub product: Word,
    /// Whom it is about: the customer referred, or the one who is given points.
    pub other: Option<CustomerIx>,
    /// Whether it succeeded, where that is told.
    pub result: Option<bool>,
    /// A page, a topic, the kind of a campaign.
    pub detail: Word,
    /// What a redemption asks for, or a transfer hands over; 0 where it asks for nothing.
    pub points: i64,
    /// By which it came. With it an event is as large as its alignment made it without.
    pub channel: Word,
}

/// Most points of a row, either way: a million million less one. A customer's balance, in
/// hundredths, reaches the end of 64 bits after some ninety thousand such rows, and stays there.
pub const POINTS_MAX: i64 = 999_999_999_999;

/// A row of `member_event`; key: event_id.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct MemberEventRow {
    pub event_id: Box<str>,
    pub customer: CustomerIx,
    pub at: Time,
    pub event: Event,
}

/// A row of `adjustment`; key: adjustment_id.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct AdjustmentRow {
    pub adjustment_id: Box<str>,
    pub customer: CustomerIx,
    pub points: i64,
    pub reason: Box<str>,
    pub by: Option<Box<str>>,
    pub at: Time,
}

/// A row of `listing`; key: list, customer. Holds on `[from, until)`.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct ListingRow {
    pub list: Word,
    pub customer: CustomerIx,
    pub from: Option<Time>,
    pub until: Option<Time>,
    pub reason: Option<Box<str>>,
}

/// A row of `consent`; key: all but `given`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ConsentRow {
    pub customer: CustomerIx,
    pub purpose: Word,
    pub channel: Word,
    pub at: Time,
    pub given: bool,
}

/// A row of `score`; key: customer, model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ScoreRow {
    pub customer: CustomerIx,
    pub model: Word,
    /// In hundredths, at most [`AMOUNT_MAX`] either way.
    pub value: i64,
    pub at: Option<Time>,
}

/// How far an order request has come. Of the rows of one the greatest counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum RequestState {
    Requested = 0,
    /// Refused here, or by whoever provisions.
    Failed = 1,
    /// The customer has the product.
    Opened = 2,
}

impl RequestState {
    /// By number.
    pub const ALL: [RequestState; 3] = [RequestState::Requested, RequestState::Failed, RequestState::Opened];

    /// By number, as files and views name them.
    pub const NAMES: [&'static str; 3] = ["requested", "failed", "opened"];

    /// Its name.
    pub fn name(self) -> &'static str {
        RequestState::NAMES[self as usize]
    }
}

/// A row of `order_request`, a feed of our own that no file brings; key: request_id, state. A request has 32
/// hexadecimal digits for an id, as a hand-off has.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct OrderRequestRow {
    pub request_id: Box<str>,
    pub state: RequestState,
    pub customer: CustomerIx,
    pub product: Word,
    pub campaign: Word,
    pub channel: Word,
    pub at: Time,
    /// Why it failed, for programs and for the customer.
    pub code: Option<Box<str>>,
    pub text: Option<Box<str>>,
    pub by: Option<Box<str>>,
}

/// A row of `provisioning`; key: request_id. What became of a request that was given out.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct ProvisioningRow {
    pub request_id: Box<str>,
    /// Opened or failed.
    pub state: RequestState,
    pub code: Option<Box<str>>,
    pub text: Option<Box<str>>,
    pub at: Time,
}

/// The rows of one file, all of one feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rows {
    Customer(Vec<CustomerRow>),
    Terminal(Vec<TerminalRow>),
    Bill(Vec<BillRow>),
    Usage(Vec<UsageRow>),
    Product(Vec<ProductRow>),
    Channel(Vec<ChannelRow>),
    Order(Vec<OrderRow>),
    MemberEvent(Vec<MemberEventRow>),
    Adjustment(Vec<AdjustmentRow>),
    Listing(Vec<ListingRow>),
    Consent(Vec<ConsentRow>),
    Score(Vec<ScoreRow>),
    Contact(Vec<ContactRow>),
    Feedback(Vec<FeedbackRow>),
    CampaignState(Vec<CampaignStateRow>),
    Handoff(Vec<HandoffRow>),
    OrderRequest(Vec<OrderRequestRow>),
    Provisioning(Vec<ProvisioningRow>),
}

impl Rows {
    /// No rows of a feed.
    pub fn empty(feed: Feed) -> Rows {
        match feed {
            Feed::Customer => Rows::Customer(Vec::new()),
            Feed::Terminal => Rows::Terminal(Vec::new()),
            Feed::Bill => Rows::Bill(Vec::new()),
            Feed::Usage => Rows::Usage(Vec::new()),
            Feed::Product => Rows::Product(Vec::new()),
            Feed::Channel => Rows::Channel(Vec::new()),
            Feed::Order => Rows::Order(Vec::new()),
            Feed::MemberEvent => Rows::MemberEvent(Vec::new()),
            Feed::Adjustment => Rows::Adjustment(Vec::new()),
            Feed::Listing => Rows::Listing(Vec::new()),
            Feed::Consent => Rows::Consent(Vec::new()),
            Feed::Score => Rows::Score(Vec::new()),
            Feed::Contact => Rows::Contact(Vec::new()),
            Feed::Feedback => Rows::Feedback(Vec::new()),
            Feed::CampaignState => Rows::CampaignState(Vec::new()),
            Feed::Handoff => Rows::Handoff(Vec::new()),
            Feed::OrderRequest => Rows::OrderRequest(Vec::new()),
            Feed::Provisioning => Rows::Provisioning(Vec::new()),
        }
    }

    /// Their feed.
    pub fn feed(&self) -> Feed {
        match self {
            Rows::Customer(_) => Feed::Customer,
            Rows::Terminal(_) => Feed::Terminal,
            Rows::Bill(_) => Feed::Bill,
            Rows::Usage(_) => Feed::Usage,
            Rows::Product(_) => Feed::Product,
            Rows::Channel(_) => Feed::Channel,
            Rows::Order(_) => Feed::Order,
            Rows::MemberEvent(_) => Feed::MemberEvent,
            Rows::Adjustment(_) => Feed::Adjustment,
            Rows::Listing(_) => Feed::Listing,
            Rows::Consent(_) => Feed::Consent,
            Rows::Score(_) => Feed::Score,
            Rows::Contact(_) => Feed::Contact,
            Rows::Feedback(_) => Feed::Feedback,
            Rows::CampaignState(_) => Feed::CampaignState,
            Rows::Handoff(_) => Feed::Handoff,
            Rows::OrderRequest(_) => Feed::OrderRequest,
            Rows::Provisioning(_) => Feed::Provisioning,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Rows::Customer(rows) => rows.len(),
            Rows::Terminal(rows) => rows.len(),
            Rows::Bill(rows) => rows.len(),
            Rows::Usage(rows) => rows.len(),
            Rows::Product(rows) => rows.len(),
            Rows::Channel(rows) => rows.len(),
            Rows::Order(rows) => rows.len(),
            Rows::MemberEvent(rows) => rows.len(),
            Rows::Adjustment(rows) => rows.len(),
            Rows::Listing(rows) => rows.len(),
            Rows::Consent(rows) => rows.len(),
            Rows::Score(rows) => rows.len(),
            Rows::Contact(rows) => rows.len(),
            Rows::Feedback(rows) => rows.len(),
            Rows::CampaignState(rows) => rows.len(),
            Rows::Handoff(rows) => rows.len(),
            Rows::OrderRequest(rows) => rows.len(),
            Rows::Provisioning(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
