//! Hand-offs as tasks.

use dataflows::records::{Arm, Contact, Handoff, HandoffRow, Outcome};
use dataflows::table::Chunk;
use dataflows::table::moments::{MomentKey, of_slot};
use dataflows::types::{CustomerIx, Time, Word};

use super::claims::Claims;
use crate::orders::entry::feedback_id;
use crate::orders::heard::CALLBACK;
use crate::store::Dictionary;

/// The channels on which people call.
pub const CHANNELS: [&str; 2] = ["call", "outbound"];

/// How far a task has come.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize, serde::Serialize, clap::ValueEnum, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    Open,
    Claimed,
    /// He is to be called back, later than now.
    Callback,
    Done,
}

/// A call to be made.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Task {
    pub contact_id: String,
    pub campaign_id: String,
    pub customer_id: String,
    /// What stands for his phone number.
    pub number: Option<String>,
    pub channel_id: String,
    pub at: String,
    pub state: TaskState,
    pub agent: Option<String>,
    pub callback_at: Option<String>,
    pub outcome: Option<&'static str>,
}

/// What a task is read from.
pub struct Board<'a> {
    pub names: &'a Dictionary,
    pub claims: &'a Claims,
    pub now: Option<Time>,
    pub second: i64,
}

/// A hand-off, with whose it is.
pub type Of<'a> = (&'a Chunk, usize, CustomerIx, Time, &'a str, &'a Handoff);

impl Board<'_> {
    fn text(&self, word: Word) -> &str {
        self.names.words.text(word.0).unwrap_or_default()
    }

    /// The task that a hand-off is; none where nobody calls.
    pub fn task(&self, (chunk, slot, customer, at, id, handoff): Of<'_>) -> Option<Task> {
        let channel = self.text(handoff.channel);
        if handoff.arm == Arm::Control || !CHANNELS.contains(&channel) {
            return None;
        }
        let told = of_slot(&chunk.contacts, slot).iter().find(|((_, _, of), _)| **of == *id);
        let outcome = told.map(|(_, contact)| Outcome::NAMES[contact.outcome as usize]);
        let callback = self.callbacks(chunk, slot, id).last();
        let agent = self.claims.agent(id, self.second);
        let waits = callback.as_ref().is_some_and(|until| {
            // Texts of times order as the times do.
            self.now.is_some_and(|now| now.to_string() < *until)
        });
        let state = match (&outcome, &agent) {
            (Some(_), _) => TaskState::Done,
            (None, Some(_)) => TaskState::Claimed,
            (None, None) if waits => TaskState::Callback,
            (None, None) => TaskState::Open,
        };
        Some(Task {
            contact_id: id.to_owned(),
            campaign_id: self.text(handoff.campaign).to_owned(),
            customer_id: self.names.customers.text(customer.0).unwrap_or_default().to_owned(),
            number: chunk.customers.numbers.get(slot).map(|token| token.hex()),
            channel_id: channel.to_owned(),
            at: at.to_string(),
            state,
            agent,
            callback_at: callback,
            outcome,
        })
    }

    /// The call that a report tells of; none where a hand-off stands for it, or none was made here.
    pub fn reported(
        &self,
        chunk: &Chunk,
        slot: usize,
        customer: CustomerIx,
        row: &(MomentKey, Contact),
    ) -> Option<Task> {
        let ((_, at, id), contact) = row;
        let channel = self.text(contact.channel);
        let is_handed_off = of_slot(&chunk.handoffs, slot).iter().any(|((_, _, of), _)| of == id);
        if is_handed_off || HandoffRow::digest(id).is_none() || !CHANNELS.contains(&channel) {
            return None;
        }
        Some(Task {
            contact_id: id.to_string(),
            campaign_id: self.text(contact.campaign).to_owned(),
            customer_id: self.names.customers.text(customer.0).unwrap_or_default().to_owned(),
            number: chunk.customers.numbers.get(slot).map(|token| token.hex()),
            channel_id: channel.to_owned(),
            at: at.to_string(),
            state: TaskState::Done,
            agent: None,
            callback_at: None,
            outcome: Some(Outcome::NAMES[contact.outcome as usize]),
        })
    }

    /// The times at which he was to be called back, in the order in which he said so.
    fn callbacks(&self, chunk: &Chunk, slot: usize, id: &str) -> impl Iterator<Item = String> {
        let begin = format!("{}-", feedback_id(CALLBACK, id));
        let mut told: Vec<(&str, String)> = of_slot(&chunk.feedbacks, slot)
            .iter()
            .filter(|((_, _, of), _)| of.starts_with(&begin))
            .filter_map(|((_, _, of), feedback)| {
                let time = self.text(feedback.reason).strip_prefix(CALLBACK)?.trim_start();
                Some((&**of, time.to_owned()))
            })
            .collect();
        told.sort_by_key(|(of, _)| (of.len(), *of));
        told.into_iter().map(|(_, time)| time).collect::<Vec<_>>().into_iter()
    }
}
