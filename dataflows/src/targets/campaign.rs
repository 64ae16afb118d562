//! What of a campaign decides whom it lists: the part of `[[campaign]]` that views depend on.

use std::collections::BTreeSet;

use crate::rules::Expr;
use crate::types::Time;

/// A campaign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    pub id: String,
    /// What it is: `marketing` where it does not say. Caps may leave kinds out.
    pub kind: String,
    pub audience: Expr,
    /// Its customers live in one of these; anywhere where it names none.
    pub cities: BTreeSet<String>,
    pub offer: Offer,
    /// Whether holders of the product are left out, and terminals that cannot use it. Of a pack both always are.
    pub excludes_holders: bool,
    pub excludes_terminals: bool,
    /// Lists whose customers are left out, in the order of the programme, beside [`DO_NOT_CONTACT`].
    pub excludes_lists: Vec<String>,
    /// The purpose that customers must have consented to, on the channel that is used.
    pub consent: Option<String>,
    /// Campaigns whose customers it leaves alone, and they its.
    pub never_with: BTreeSet<String>,
    /// Channels or campaigns after whose contact it waits so many days.
    pub not_after: Vec<(String, u32)>,
    /// The first step's channel, then the others in fallback order; at least one, none twice.
    pub channels: Vec<String>,
    /// The first second after it, where it ends.
    pub until: Option<Time>,
    /// The greater goes first.
    pub priority: i64,
    /// Kept back as control, of 10,000.
    pub holdout: u32,
    /// Of those outside the audience, taken to compare with, of 10,000.
    pub random: u32,
}

/// What a campaign offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offer {
    /// No product: service, survey.
    Nothing,
    Product(String),
    /// The first of a pack that the customer can use and does not hold.
    Pack(String),
    /// The same of the pack of the customer's class.
    PackByTier,
}

/// Products that go together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pack {
    pub id: String,
    /// The class that it is for.
    pub tier: Option<String>,
    pub products: Vec<String>,
}

/// How often customers may be contacted, over all campaigns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cap {
    /// Contacts on this channel; on any where it names none.
    pub channel: Option<String>,
    /// Most of them.
    pub contacts: u32,
    pub span: Span,
}

/// What a cap counts over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// Rolling days of 86,400 seconds: a contact counts until that many have passed since, the second at which
    /// they have not included.
    Days(u32),
    /// Calendar weeks, Monday to Sunday: the present one and those before it.
    Weeks(u32),
}

/// What holds over all campaigns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    pub caps: Vec<Cap>,
    /// Kinds of campaigns that caps do not bind; their contacts count all the same.
    pub exempt: BTreeSet<String>,
    /// Most lists that a customer is on.
    pub open_max: u32,
    /// Kept back from every campaign, of 10,000.
    pub holdout: u32,
    /// Days for which a decline, and a "later", keep the campaign and its product away.
    pub decline_days: u32,
    pub later_days: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { caps: Vec::new(), exempt: BTreeSet::new(), open_max: 1, holdout: 0, decline_days: 90, later_days: 14 }
    }
}

/// The list whose customers no campaign ever lists.
pub const DO_NOT_CONTACT: &str = "do_not_contact";
/// What a campaign is that does not say.
pub const MARKETING: &str = "marketing";
/// The channel of a consent that is given, or taken back, for all of them.
pub const ANY_CHANNEL: &str = "*";

/// Most campaigns of a programme: each costs a byte of every customer in the chunks that it lists somebody of.
pub const CAMPAIGNS_MAX: usize = 1_000;
/// Most channels of a campaign: a customer's is told in a byte, with his arm.
pub const CHANNELS_MAX: usize = 32;
/// Most lists that a campaign leaves out: each is a reason of its own.
pub const LISTS_MAX: usize = 32;
/// Most products of a pack.
pub const PACK_MAX: usize = 100;
/// Longest time that a contact is counted for, in days.
pub const DAYS_MAX: u32 = 3_650;
/// A share of 1 in ten thousandths.
pub const WHOLE: u32 = 10_000;
