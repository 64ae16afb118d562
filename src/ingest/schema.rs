//! The columns of every feed: contract, "Feeds", and behind them those of our own feeds.

use dataflows::records::Feed;

/// Most columns that a feed has.
pub(super) const COLUMNS_MAX: usize = 14;

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Whether a cell must not be empty, and so the column not be missing.
    pub(super) is_mandatory: bool,
    /// Whether a cell is personal data whatever it holds.
    pub(super) is_personal: bool,
}

const fn must(name: &'static str) -> Column {
    Column { name, is_mandatory: true, is_personal: false }
}

const fn may(name: &'static str) -> Column {
    Column { name, is_mandatory: false, is_personal: false }
}

const fn personal(name: &'static str) -> Column {
    Column { name, is_mandatory: false, is_personal: true }
}

const CUSTOMER: [Column; 14] = [
    must("customer_id"),
    personal("msisdn"),
    may("birth_date"),
    may("gender"),
    may("city"),
    may("district"),
    may("joined_on"),
    may("status"),
    may("brand"),
    may("group_type"),
    may("occupation"),
    may("employer"),
    may("household_id"),
    may("income_band"),
];
const TERMINAL: [Column; 5] = [must("customer_id"), must("seen_on"), personal("imei"), may("model"), may("supports")];
const BILL: [Column; 7] = [
    must("customer_id"),
    must("month"),
    must("total_fee"),
    may("roaming_fee"),
    may("sms_fee"),
    may("vas_fee"),
    may("data_kb"),
];
const USAGE: [Column; 4] = [must("customer_id"), must("day"), must("measure"), must("quantity")];
const PRODUCT: [Column; 8] = [
    must("product_id"),
    may("name"),
    may("category"),
    may("stage"),
    may("monthly_price"),
    may("requires"),
    may("value"),
    may("traits"),
];
const CHANNEL: [Column; 5] = [must("channel_id"), may("name"), may("unit_cost"), may("daily_capacity"), may("traits")];
const ORDER: [Column; 7] = [
    must("order_id"),
    must("customer_id"),
    must("product_id"),
    must("action"),
    may("channel_id"),
    must("at"),
    may("bundled"),
];
const MEMBER_EVENT: [Column; 10] = [
    must("event_id"),
    must("customer_id"),
    must("kind"),
    must("at"),
    may("channel_id"),
    may("product_id"),
    may("other_id"),
    may("result"),
    may("points"),
    may("detail"),
];
const ADJUSTMENT: [Column; 6] =
    [must("adjustment_id"), must("customer_id"), must("points"), must("reason"), may("by"), must("at")];
const LISTING: [Column; 5] = [must("list_id"), must("customer_id"), may("from"), may("until"), may("reason")];
const CONSENT: [Column; 5] = [must("customer_id"), must("purpose"), must("channel_id"), must("at"), must("given")];
const SCORE: [Column; 4] = [must("customer_id"), must("model"), must("value"), may("at")];
const CONTACT: [Column; 7] = [
    must("contact_id"),
    must("campaign_id"),
    must("customer_id"),
    must("channel_id"),
    must("at"),
    must("outcome"),
    may("arm"),
];
const FEEDBACK: [Column; 10] = [
    must("feedback_id"),
    must("campaign_id"),
    must("customer_id"),
    must("kind"),
    must("at"),
    may("channel_id"),
    may("product_id"),
    may("amount"),
    may("reason"),
    may("value"),
];
const CAMPAIGN_STATE: [Column; 7] =
    [must("change_id"), must("campaign_id"), must("state"), may("city"), must("at"), must("by"), may("note")];
const HANDOFF: [Column; 8] = [
    must("contact_id"),
    must("campaign_id"),
    must("step"),
    must("customer_id"),
    must("channel_id"),
    must("at"),
    must("arm"),
    must("cost"),
];

const ORDER_REQUEST: [Column; 10] = [
    must("request_id"),
    must("state"),
    must("customer_id"),
    must("product_id"),
    may("campaign_id"),
    may("channel_id"),
    must("at"),
    may("code"),
    may("text"),
    may("by"),
];
const PROVISIONING: [Column; 5] = [must("request_id"), must("state"), may("code"), may("text"), must("at")];

/// The columns of a feed, in the contract's order; rows name them by their place in it.
pub(super) fn columns(feed: Feed) -> &'static [Column] {
    match feed {
        Feed::Customer => &CUSTOMER,
        Feed::Terminal => &TERMINAL,
        Feed::Bill => &BILL,
        Feed::Usage => &USAGE,
        Feed::Product => &PRODUCT,
        Feed::Channel => &CHANNEL,
        Feed::Order => &ORDER,
        Feed::MemberEvent => &MEMBER_EVENT,
        Feed::Adjustment => &ADJUSTMENT,
        Feed::Listing => &LISTING,
        Feed::Consent => &CONSENT,
        Feed::Score => &SCORE,
        Feed::Contact => &CONTACT,
        Feed::Feedback => &FEEDBACK,
        Feed::CampaignState => &CAMPAIGN_STATE,
        Feed::Handoff => &HANDOFF,
        Feed::OrderRequest => &ORDER_REQUEST,
        Feed::Provisioning => &PROVISIONING,
    }
}
