//! What campaigns did, and what customers said to it.

use serde::{Deserialize, Serialize};

use crate::types::{CustomerIx, Time, Word};

/// What became of a contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Outcome {
    Delivered = 0,
    Failed = 1,
    /// Kept back as control.
    Withheld = 2,
}

impl Outcome {
    /// By number.
    pub const ALL: [Outcome; 3] = [Outcome::Delivered, Outcome::Failed, Outcome::Withheld];

    /// By number, as files name them.
    pub const NAMES: [&'static str; 3] = ["delivered", "failed", "withheld"];
}

/// The part of an experiment that a customer is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Arm {
    #[default]
    Target = 0,
    Control = 1,
    Random = 2,
}

impl Arm {
    /// By number.
    pub const ALL: [Arm; 3] = [Arm::Target, Arm::Control, Arm::Random];

    /// By number, as files and views name them.
    pub const NAMES: [&'static str; 3] = ["target", "control", "random"];

    /// Its name.
    pub fn name(self) -> &'static str {
        Arm::NAMES[self as usize]
    }
}

/// What of a contact views ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Contact {
    pub campaign: Word,
    pub channel: Word,
    pub outcome: Outcome,
    pub arm: Arm,
}

/// A row of `contact`; key: contact_id.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct ContactRow {
    pub contact_id: Box<str>,
    pub customer: CustomerIx,
    pub at: Time,
    pub contact: Contact,
}

/// What a customer does about a campaign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum FeedbackKind {
    Open = 0,
    Shown = 1,
    Consult = 2,
    Order = 3,
    Decline = 4,
    Later = 5,
    Complaint = 6,
    Optout = 7,
    Survey = 8,
}

impl FeedbackKind {
    /// By number.
    pub const ALL: [FeedbackKind; 9] = [
        FeedbackKind::Open,
        FeedbackKind::Shown,
        FeedbackKind::Consult,
        FeedbackKind::Order,
        FeedbackKind::Decline,
        FeedbackKind::Later,
        FeedbackKind::Complaint,
        FeedbackKind::Optout,
        FeedbackKind::Survey,
    ];

    /// By number, as files name them.
    pub const NAMES: [&'static str; 9] =
        ["open", "shown", "consult", "order", "decline", "later", "complaint", "optout", "survey"];
}

/// What of a feedback views ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Feedback {
    pub campaign: Word,
    pub kind: FeedbackKind,
    pub channel: Word,
    pub product: Word,
    /// In fen.
    pub amount: Option<i64>,
    /// In hundredths.
    pub value: Option<i64>,
    pub reason: Word,
}

/// A row of `feedback`; key: feedback_id.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct FeedbackRow {
    pub feedback_id: Box<str>,
    pub customer: CustomerIx,
    pub at: Time,
    pub feedback: Feedback,
}

/// How far a campaign has come. Its stages may be left out, but not gone through backwards: `paused` and
/// `running` alone follow one another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum State {
    #[default]
    Draft = 0,
    Predicted = 1,
    Approved = 2,
    Dispatched = 3,
    Accepted = 4,
    Rehearsed = 5,
    Running = 6,
    Paused = 7,
    Closed = 8,
}

impl State {
    /// By number, with their names.
    pub const ALL: [(State, &'static str); 9] = [
        (State::Draft, "draft"),
        (State::Predicted, "predicted"),
        (State::Approved, "approved"),
        (State::Dispatched, "dispatched"),
        (State::Accepted, "accepted"),
        (State::Rehearsed, "rehearsed"),
        (State::Running, "running"),
        (State::Paused, "paused"),
        (State::Closed, "closed"),
    ];

    /// The names alone.
    pub const NAMES: [&'static str; 9] =
        ["draft", "predicted", "approved", "dispatched", "accepted", "rehearsed", "running", "paused", "closed"];

    /// Its name.
    pub fn name(self) -> &'static str {
        State::NAMES[self as usize]
    }

    /// Whether it is approved and not over: whom it lists, no draft takes away.
    pub fn is_live(self) -> bool {
        self >= State::Approved && self < State::Closed
    }
}

/// A row of `campaign_state`, a feed of our own; key: change_id. Of a campaign's rows the one of the greatest
/// (at, change_id) stands.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct CampaignStateRow {
    pub change_id: Box<str>,
    pub campaign: Word,
    pub state: State,
    /// Where work is by city: the one that accepted.
    pub city: Word,
    pub at: Time,
    pub by: Box<str>,
    pub note: Option<Box<str>>,
}

/// What of a hand-off views ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Handoff {
    pub campaign: Word,
    /// The place of the step in the campaign, from 0.
    pub step: u8,
    pub channel: Word,
    pub arm: Arm,
    /// What the channel is counted to cost, in fen.
    pub cost: i64,
}

/// A row of `handoff`, a feed of our own that no file brings; key: contact_id, 32 hexadecimal digits that stand
/// for campaign, step, customer and channel.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct HandoffRow {
    pub contact_id: Box<str>,
    pub customer: CustomerIx,
    pub at: Time,
    pub handoff: Handoff,
}

impl HandoffRow {
    /// The 16 bytes that a hand-off's id spells in 32 hexadecimal digits, in lower case so that each has one
    /// spelling; none where a text is no such id.
    pub fn digest(contact_id: &str) -> Option<[u8; 16]> {
        let digits: &[u8; 32] = contact_id.as_bytes().try_into().ok()?;
        let is_one = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        is_one.then(|| u128::from_str_radix(contact_id, 16).ok()).flatten().map(u128::to_be_bytes)
    }

    /// The id that spells those bytes.
    pub fn id(digest: [u8; 16]) -> Box<str> {
        format!("{:032x}", u128::from_be_bytes(digest)).into()
    }
}
