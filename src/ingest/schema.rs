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
    /// Whether it is one of those that tell rows apart.
    pub(super) is_key: bool,
    /// Whether a cell is personal data whatever it holds.
    pub(super) is_personal: bool,
}

const fn key(name: &'static str) -> Column {
    Column { name, is_mandatory: true, is_key: true, is_personal: false }
}

const fn must(name: &'static str) -> Column {
    Column { is_key: false, ..key(name) }
}

const fn may(name: &'static str) -> Column {
    Column { is_mandatory: false, ..must(name) }
}

const fn personal(name: &'static str) -> Column {
    Column { is_personal: true, ..may(name) }
}

const CUSTOMER: [Column; 14] = [
    key("customer_id"),
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
const TERMINAL: [Column; 5] = [key("customer_id"), key("seen_on"), personal("imei"), may("model"), may("supports")];
const BILL: [Column; 7] = [
    key("customer_id"),
    key("month"),
    must("total_fee"),
    may("roaming_fee"),
    may("sms_fee"),
    may("vas_fee"),
    may("data_kb"),
];
const USAGE: [Column; 4] = [key("customer_id"), key("day"), key("measure"), must("quantity")];
const PRODUCT: [Column; 8] = [
    key("product_id"),
    may("name"),
    may("category"),
    may("stage"),
    may("monthly_price"),
    may("requires"),
    may("value"),
    may("traits"),
];
const CHANNEL: [Column; 5] = [key("channel_id"), may("name"), may("unit_cost"), may("daily_capacity"), may("traits")];
const ORDER: [Column; 7] = [
    key("order_id"),
    must("customer_id"),
    must("product_id"),
    must("action"),
    may("channel_id"),
    must("at"),
    may("bundled"),
];
const MEMBER_EVENT: [Column; 10] = [
    key("event_id"),
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
    [key("adjustment_id"), must("customer_id"), must("points"), must("reason"), may("by"), must("at")];
const LISTING: [Column; 5] = [key("list_id"), key("customer_id"), may("from"), may("until"), may("reason")];
const CONSENT: [Column; 5] = [key("customer_id"), key("purpose"), key("channel_id"), key("at"), must("given")];
const SCORE: [Column; 4] = [key("customer_id"), key("model"), must("value"), may("at")];
const CONTACT: [Column; 7] = [
    key("contact_id"),
    must("campaign_id"),
    must("customer_id"),
    must("channel_id"),
    must("at"),
    must("outcome"),
    may("arm"),
];
const FEEDBACK: [Column; 10] = [
    key("feedback_id"),
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
    [key("change_id"), must("campaign_id"), must("state"), may("city"), must("at"), must("by"), may("note")];
const HANDOFF: [Column; 8] = [
    key("contact_id"),
    must("campaign_id"),
    must("step"),
    must("customer_id"),
    must("channel_id"),
    must("at"),
    must("arm"),
    must("cost"),
];

const ORDER_REQUEST: [Column; 10] = [
    key("request_id"),
    key("state"),
    must("customer_id"),
    must("product_id"),
    may("campaign_id"),
    may("channel_id"),
    must("at"),
    may("code"),
    may("text"),
    may("by"),
];
const PROVISIONING: [Column; 5] = [key("request_id"), must("state"), may("code"), may("text"), must("at")];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_contract() {
        for (feed, expected) in [
            (Feed::Customer, &["customer_id"][..]),
            (Feed::Terminal, &["customer_id", "seen_on"]),
            (Feed::Bill, &["customer_id", "month"]),
            (Feed::Usage, &["customer_id", "day", "measure"]),
            (Feed::Product, &["product_id"]),
            (Feed::Channel, &["channel_id"]),
            (Feed::Order, &["order_id"]),
            (Feed::MemberEvent, &["event_id"]),
            (Feed::Adjustment, &["adjustment_id"]),
            (Feed::Listing, &["list_id", "customer_id"]),
            (Feed::Consent, &["customer_id", "purpose", "channel_id", "at"]),
            (Feed::Score, &["customer_id", "model"]),
            (Feed::Contact, &["contact_id"]),
            (Feed::Feedback, &["feedback_id"]),
        ] {
            let keys = columns(feed).iter().filter(|column| column.is_key).map(|column| column.name);
            assert_eq!(keys.collect::<Vec<_>>(), expected, "{feed:?}");
        }
        let is_sound = |column: &Column| !column.is_key || column.is_mandatory && !column.is_personal;
        assert!(Feed::ALL.into_iter().flat_map(columns).all(is_sound));
    }
}
