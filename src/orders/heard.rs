//! What tells that a contact was made, whatever lies in the outbox.

use dataflows::records::RowKey;

use super::entry::{feedback_id, id_of};
use crate::store::Store;

/// How the id of a feedback begins that somebody gave in a call.
pub(super) const CALL: &str = "call";
/// The same where he asks to be called back.
pub(super) const CALLBACK: &str = "callback";

/// The id of the request that a reply to a contact makes.
pub(super) fn reply_id(contact: &str) -> String {
    id_of(&["reply", contact])
}

/// The id of the feedback that a reply to a contact is which declines.
pub(super) fn decline_id(contact: &str) -> String {
    feedback_id("decline", &id_of(&[contact]))
}

/// The id of what somebody said in a call, by a number from 1.
pub(super) fn said_id(kind: &str, contact: &str, number: u64) -> String {
    format!("{}-{number}", feedback_id(kind, contact))
}

/// Whether anything is known of a contact that only who was contacted could have caused: a report of it, what he said
/// in the call, his reply. An opt-out is none of these: it names no contact. What was deleted of it was heard: rather is
/// somebody contacted never than twice.
pub(crate) fn is_heard_of(store: &Store, contact: &str) -> bool {
    let has_said = |id: String| store.has_ever(&RowKey::Feedback(id.into()));
    store.has_ever(&RowKey::Contact(contact.into()))
        || [CALL, CALLBACK].iter().any(|kind| has_said(said_id(kind, contact, 1)))
        || has_said(decline_id(contact))
        || store.order_requests().request(&reply_id(contact)).is_some()
}
