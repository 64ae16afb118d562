//! The feeds of the contract: their columns, and how each column is written.

use std::fmt;

/// A feed. In the order in which a month's files are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Feed {
    /// Products and what they cost.
    Product,
    /// Channels and what a contact over them costs.
    Channel,
    /// Cells of the network and the places they cover.
    Cell,
    /// Who the customers are, as the last month ends.
    Customer,
    /// Telephones seen.
    Terminal,
    /// Bills.
    Bill,
    /// Quantities used, by measure.
    Usage,
    /// Services ordered and cancelled.
    Order,
    /// Events of the experience community.
    MemberEvent,
    /// Corrections of points by hand.
    Adjustment,
    /// Lists of customers.
    Listing,
    /// Consents given and withdrawn.
    Consent,
    /// Scores of models outside.
    Score,
    /// Contacts of campaigns.
    Contact,
    /// What came back of them.
    Feedback,
    /// What customers do with the telephone.
    Activity,
    /// Who calls whom.
    Tie,
    /// Concerts, games, fairs.
    Happening,
    /// Where customers are.
    Ping,
}

/// How a column's values are written, which is how they can be written badly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Free text, or an id that may be empty.
    Text,
    /// Text that must not be empty.
    Id,
    /// Decimal with at most two places.
    Decimal,
    /// Integer from 0.
    Count,
    /// Integer of either sign.
    Integer,
    Day,
    /// A month; of a bill, the file's.
    Month,
    Time,
    /// One of a listed set.
    OneOf,
}

use Kind::{Count, Day, Decimal, Id, Integer, Month, OneOf, Text, Time};

/// A column's name and kind.
pub(super) type Column = (&'static str, Kind);

impl Feed {
    pub(super) const ALL: [Feed; 19] = [
        Feed::Product,
        Feed::Channel,
        Feed::Cell,
        Feed::Customer,
        Feed::Terminal,
        Feed::Bill,
        Feed::Usage,
        Feed::Order,
        Feed::MemberEvent,
        Feed::Adjustment,
        Feed::Listing,
        Feed::Consent,
        Feed::Score,
        Feed::Contact,
        Feed::Feedback,
        Feed::Activity,
        Feed::Tie,
        Feed::Happening,
        Feed::Ping,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Feed::Product => "product",
            Feed::Channel => "channel",
            Feed::Cell => "cell",
            Feed::Customer => "customer",
            Feed::Terminal => "terminal",
            Feed::Bill => "bill",
            Feed::Usage => "usage",
            Feed::Order => "order",
            Feed::MemberEvent => "member_event",
            Feed::Adjustment => "adjustment",
            Feed::Listing => "listing",
            Feed::Consent => "consent",
            Feed::Score => "score",
            Feed::Contact => "contact",
            Feed::Feedback => "feedback",
            Feed::Activity => "activity",
            Feed::Tie => "tie",
            Feed::Happening => "happening",
            Feed::Ping => "ping",
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Feed::Product => &[
                ("product_id", Id),
                ("name", Text),
                ("category", OneOf),
                ("stage", OneOf),
                ("monthly_price", Decimal),
                ("requires", Text),
                ("value", Decimal),
                ("traits", Text),
            ],
            Feed::Channel => &[
                ("channel_id", Id),
                ("name", Text),
                ("unit_cost", Decimal),
                ("daily_capacity", Count),
                ("traits", Text),
            ],
            Feed::Cell => &[
                ("cell_id", Id),
                ("hall", Text),
                ("district", Text),
                ("centre", Text),
                ("branch", Text),
                ("venue", Text),
                ("venue_kind", Text),
            ],
            Feed::Customer => &[
                ("customer_id", Id),
                ("msisdn", Text),
                ("birth_date", Day),
                ("gender", OneOf),
                ("city", Text),
                ("district", Text),
                ("joined_on", Day),
                ("status", OneOf),
                ("brand", Text),
                ("group_type", Text),
                ("occupation", Text),
                ("employer", Text),
                ("household_id", Text),
                ("income_band", Text),
            ],
            Feed::Terminal => {
                &[("customer_id", Id), ("seen_on", Day), ("imei", Text), ("model", Text), ("supports", Text)]
            }
            Feed::Bill => &[
                ("customer_id", Id),
                ("month", Month),
                ("total_fee", Decimal),
                ("roaming_fee", Decimal),
                ("sms_fee", Decimal),
                ("vas_fee", Decimal),
                ("data_kb", Count),
            ],
            Feed::Usage => &[("customer_id", Id), ("day", Day), ("measure", Id), ("quantity", Count)],
            Feed::Order => &[
                ("order_id", Id),
                ("customer_id", Id),
                ("product_id", Id),
                ("action", OneOf),
                ("channel_id", Text),
                ("at", Time),
                ("bundled", OneOf),
            ],
            Feed::MemberEvent => &[
                ("event_id", Id),
                ("customer_id", Id),
                ("kind", OneOf),
                ("at", Time),
                ("channel_id", Text),
                ("product_id", Text),
                ("other_id", Text),
                ("result", OneOf),
                ("points", Integer),
                ("detail", Text),
            ],
            Feed::Adjustment => &[
                ("adjustment_id", Id),
                ("customer_id", Id),
                ("points", Integer),
                ("reason", Id),
                ("by", Text),
                ("at", Time),
            ],
            Feed::Listing => &[("list_id", Id), ("customer_id", Id), ("from", Time), ("until", Time), ("reason", Text)],
            Feed::Consent => {
                &[("customer_id", Id), ("purpose", Id), ("channel_id", Id), ("at", Time), ("given", OneOf)]
            }
            Feed::Score => &[("customer_id", Id), ("model", Id), ("value", Decimal), ("at", Time)],
            Feed::Contact => &[
                ("contact_id", Id),
                ("campaign_id", Id),
                ("customer_id", Id),
                ("channel_id", Id),
                ("at", Time),
                ("outcome", OneOf),
                ("arm", OneOf),
            ],
            Feed::Feedback => &[
                ("feedback_id", Id),
                ("campaign_id", Id),
                ("customer_id", Id),
                ("kind", OneOf),
                ("at", Time),
                ("channel_id", Text),
                ("product_id", Text),
                ("amount", Decimal),
                ("reason", Text),
                ("value", Text),
            ],
            Feed::Activity => &[
                ("event_id", Id),
                ("customer_id", Id),
                ("at", Time),
                ("kind", Id),
                ("cell_id", Text),
                ("other_id", Text),
                ("detail", Text),
            ],
            Feed::Tie => &[("customer_id", Id), ("other_id", Id), ("month", Month), ("calls", Count), ("sms", Count)],
            Feed::Happening => &[
                ("happening_id", Id),
                ("cell_id", Id),
                ("starts", Time),
                ("ends", Time),
                ("kind", Id),
                ("sub_kind", Text),
                ("name", Text),
            ],
            Feed::Ping => &[("customer_id", Id), ("at", Time), ("cell_id", Id)],
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
