//! What a campaign makes of a customer, in a byte.

use super::LISTS_MAX;
use crate::records::Arm;

/// Not of the campaign: outside its audience, or it is over.
pub const OUTSIDE: u8 = 0;

/// Why somebody of the audience is not listed. The first that applies is told: they are tested in this order,
/// lists between [`Reason::DoNotContact`] and [`Reason::Consent`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Reason {
    Optout = 1,
    DoNotContact = 2,
    /// No consent to the campaign's purpose on any of its channels.
    Consent = 3,
    /// The product, or all of the pack, is held.
    Holders = 4,
    /// The terminal cannot use the product, or anything of the pack.
    Terminal = 5,
    /// A campaign that it is never with has contacted the customer, or lists him.
    NeverWith = 6,
    /// What it waits for has contacted him.
    NotAfter = 7,
    /// He declined not long ago, or asked for later.
    Declined = 8,
    /// The terminal can take none of the channels that he consents to.
    Channel = 9,
    /// He was contacted as often as he may be, on every channel that is left.
    Cap = 10,
    /// He is on as many lists as he may be.
    MaxOpen = 11,
}

/// Reasons with a name of their own, in the order of their numbers.
pub const REASONS: [&str; 11] = [
    "optout",
    "list:do_not_contact",
    "consent",
    "holders",
    "terminal",
    "never_with",
    "not_after",
    "declined",
    "channel",
    "cap",
    "max_open",
];

impl Reason {
    /// Its name.
    pub fn name(self) -> &'static str {
        REASONS[self as usize - 1]
    }
}

/// The first list that the campaign leaves out; the others follow.
const FIRST_LIST: u8 = 12;
/// The first channel's target; its other arms follow, then the other channels.
const FIRST_TARGET: u8 = 64;
const ARMS: u8 = Arm::NAMES.len() as u8;

const _: () = assert!(FIRST_LIST as usize + LISTS_MAX <= FIRST_TARGET as usize);
const _: () = assert!(FIRST_TARGET as usize + super::CHANNELS_MAX * Arm::NAMES.len() <= 256);

/// The code of a place among the lists that a campaign leaves out.
pub fn of_list(place: usize) -> u8 {
    FIRST_LIST + place as u8
}

/// The code of a target on the channel at a place.
pub fn of_target(channel: usize, arm: Arm) -> u8 {
    FIRST_TARGET + channel as u8 * ARMS + arm as u8
}

/// Channel and arm of a target; none where the code is of none.
pub fn target(code: u8) -> Option<(usize, Arm)> {
    let place = code.checked_sub(FIRST_TARGET)?;
    let arm = [Arm::Target, Arm::Control, Arm::Random][usize::from(place % ARMS)];
    Some((usize::from(place / ARMS), arm))
}

/// Whether somebody is listed.
pub fn is_target(code: u8) -> bool {
    code >= FIRST_TARGET
}

/// The place of a list among those that a campaign leaves out.
pub fn list(code: u8) -> Option<usize> {
    (FIRST_LIST..FIRST_TARGET).contains(&code).then(|| usize::from(code - FIRST_LIST))
}
