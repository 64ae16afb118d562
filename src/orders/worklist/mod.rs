//! Calls that people make: what was handed off to them, who makes which, and what came of it.
//!
//! Decided here, where the contract is silent:
//! - A task is a contact on the channel call or outbound that was handed off. It is done when a contact of its id is
//!   told, by whoever made the call or by a file.
//! - A contact that was withdrawn is gone, and nobody is given it. A result of it is taken all the same, with what he said:
//!   somebody had called before he knew. One that was told of is done, and stays reserved.
//! - An agent has a task for half an hour, by the wall's clock. Who has it is known to this process alone: after a
//!   restart it is claimed again. A result is taken from whoever has the task, or from anybody where nobody has it.
//! - Whoever claims is given nobody who may no longer be called: the check of the hand-off is made again, while nothing
//!   else is accepted.
//! - A customer who is to be called back has consulted: a feedback of that kind, whose reason holds the time.

mod board;
mod claims;

use dataflows::records::{Feed, HandoffRow, State};
use dataflows::table::moments::of_slot;
use dataflows::targets::{Refused, codes};
use dataflows::types::{Epoch, Time};

pub use board::{Task, TaskState};
pub use claims::{CLAIM_SECONDS, Claims};

use super::entry::Entry;
use super::heard::{CALL, CALLBACK, said_id};
use super::requests::unsigned;
use crate::handoff::{Grounds, Withdrawn};
use crate::intake::Intake;
use crate::intake::requests::{Before, Seal};
use crate::store::{Store, StoreError};
use board::{Board, CHANNELS};

/// Which tasks are asked for.
#[derive(Default)]
pub struct Which<'r> {
    pub campaign: Option<&'r str>,
    pub state: Option<TaskState>,
    pub agent: Option<&'r str>,
    pub limit: usize,
}

/// What became of a claim.
pub enum Claimed {
    Given(Task),
    /// He may no longer be called, and why.
    Gone(String),
    /// Another agent has it.
    Taken,
    Done,
    Unknown,
    Bad(String),
    Failed,
}

/// What came of a call.
pub struct Called<'r> {
    pub contact: &'r str,
    pub agent: &'r str,
    pub outcome: CallOutcome,
    /// What he said, by the name of its kind.
    pub feedback: Option<&'r str>,
    pub key: Option<&'r str>,
    pub body: &'r [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallOutcome {
    Delivered,
    Failed,
    /// He is to be called again then.
    Callback(Time),
}

/// What became of a result.
pub enum Resulted {
    /// Durable; none where it was before.
    Done(Option<(Epoch, Feed, u64)>),
    KeyReused,
    /// Another agent has it.
    Taken,
    /// Something else came of it before.
    Differs,
    Unknown,
    Bad(String),
    Failed,
}

/// What a customer may say to a call.
pub const SAID: [&str; 6] = ["order", "decline", "later", "complaint", "optout", "consult"];

impl Intake {
    /// The tasks that are asked for: the earliest handed off first, then by id.
    pub fn worklist(&self, which: &Which<'_>) -> Vec<Task> {
        let (published, names) = (self.hub().published(), self.names());
        let names = names.read();
        let board =
            Board { names: &names, claims: self.claims(), now: published.clock.now, second: self.wall_second() };
        let mut tasks = Vec::new();
        for (chunk, customer) in published.chunks() {
            for ((slot, at, id), handoff) in chunk.handoffs.rows() {
                let slot = usize::from(*slot);
                let Some(task) = board.task((chunk, slot, customer(slot), *at, id, handoff)) else { continue };
                tasks.push(task);
            }
            for row in chunk.contacts.rows() {
                let slot = usize::from(row.0.0);
                tasks.extend(board.reported(chunk, slot, customer(slot), row));
            }
        }
        tasks.retain(|task| {
            which.campaign.is_none_or(|campaign| task.campaign_id == campaign)
                && which.state.is_none_or(|state| task.state == state)
                && which.agent.is_none_or(|agent| task.agent.as_deref() == Some(agent))
        });
        tasks.sort_by(|one, other| (&one.at, &one.contact_id).cmp(&(&other.at, &other.contact_id)));
        tasks.truncate(which.limit);
        tasks
    }

    /// Gives a task to an agent. Nothing is accepted while it is decided whether the customer may be called.
    pub fn claim(&self, contact: &str, agent: &str) -> Claimed {
        if let Some(wrong) = unsigned(agent) {
            return Claimed::Bad(wrong.replace("by", "agent"));
        }
        let store = self.store().lock();
        if !self.hub().settle() {
            return Claimed::Failed;
        }
        let Some((task, gone)) = self.task(&store, contact) else {
            // What is withdrawn from the outbox leaves no trace but its id.
            let is_ours = HandoffRow::digest(contact).is_some();
            return if is_ours { Claimed::Gone("withdrawn".to_owned()) } else { Claimed::Unknown };
        };
        if task.state == TaskState::Done {
            return Claimed::Done;
        }
        if let Some(why) = gone {
            self.claims().release(contact);
            return Claimed::Gone(why);
        }
        if !self.claims().claim(contact, agent, self.wall_second()) {
            return Claimed::Taken;
        }
        Claimed::Given(Task { state: TaskState::Claimed, agent: Some(agent.to_owned()), ..task })
    }

    /// A task, and why its customer may no longer be called.
    fn task(&self, store: &Store, contact: &str) -> Option<(Task, Option<String>)> {
        let (published, names) = (self.hub().published(), self.names());
        let names = names.read();
        let board =
            Board { names: &names, claims: self.claims(), now: published.clock.now, second: self.wall_second() };
        let Some(customer) = store.handed_off(contact) else {
            let customer = store.contacted(contact)?;
            let (chunk, slot) = published.customer(customer)?;
            let row = of_slot(&chunk.contacts, slot).iter().find(|((_, _, id), _)| **id == *contact)?;
            return Some((board.reported(chunk, slot, customer, row)?, None));
        };
        let (chunk, slot) = published.customer(customer)?;
        let ((_, at, id), handoff) = of_slot(&chunk.handoffs, slot).iter().find(|((_, _, id), _)| **id == *contact)?;
        let task = board.task((chunk, slot, customer, *at, id, handoff))?;
        let grounds = Grounds::of(&published, &names);
        let why = match (grounds.place_of(handoff.campaign), grounds.channel(&task.channel_id)) {
            (Some(place), Some(channel)) => {
                let code = chunk.targets.columns.get(place).map_or(codes::OUTSIDE, |column| column.code[slot]);
                match grounds.gate(chunk).forbids(grounds.listing(place), slot, channel) {
                    Some(Refused::Reason(reason)) => Some(reason.name().to_owned()),
                    Some(Refused::List(_)) => Some("list".to_owned()),
                    None if store.campaign_state(handoff.campaign) != State::Running => {
                        Some("the campaign does not run".to_owned())
                    }
                    None if !codes::is_target(code) => Some("the campaign lists him no longer".to_owned()),
                    None => None,
                }
            }
            _ => Some("the programme no longer holds the campaign".to_owned()),
        };
        Some((task, why))
    }

    /// Takes what came of a call: durable when this returns.
    pub fn called(&self, called: &Called<'_>) -> Result<Resulted, StoreError> {
        let resulted = self.result(called, None)?;
        if !matches!(resulted, Resulted::Unknown) {
            return Ok(resulted);
        }
        match self.withdrawn(called.contact)? {
            Some(withdrawn) if CHANNELS.contains(&withdrawn.channel()) => self.result(called, Some(&withdrawn)),
            _ => Ok(Resulted::Unknown),
        }
    }

    /// The same, where it is known that the contact was withdrawn, if it was.
    fn result(&self, called: &Called<'_>, withdrawn: Option<&Withdrawn>) -> Result<Resulted, StoreError> {
        if let Some(wrong) = unsigned(called.agent) {
            return Ok(Resulted::Bad(wrong.replace("by", "agent")));
        }
        if called.feedback.is_some_and(|said| !SAID.contains(&said)) {
            return Ok(Resulted::Bad(format!("expected one of {} for feedback", SAID.join(", "))));
        }
        let seal = Seal::new(Feed::Contact, called.contact, called.key, called.body);
        let mut store = self.store().lock();
        let came = match seal.before(&store) {
            None => false,
            Some(Before::KeyReused) => return Ok(Resulted::KeyReused),
            Some(Before::Done { .. }) => true,
        };
        if !self.hub().settle() {
            return Ok(Resulted::Failed);
        }
        let standing = self.task(&store, called.contact);
        let is_withdrawn = standing.is_none();
        let task = standing.map(|(task, _)| task).or_else(|| Some(self.gone(called.contact, withdrawn?)));
        let Some(task) = task else { return Ok(Resulted::Unknown) };
        let outcome = match called.outcome {
            CallOutcome::Delivered => Some("delivered"),
            CallOutcome::Failed => Some("failed"),
            CallOutcome::Callback(_) => None,
        };
        if came && (task.outcome.is_some() || outcome.is_none()) {
            return Ok(Resulted::Done(None));
        }
        if task.outcome.is_some() {
            return Ok(if task.outcome == outcome { Resulted::Done(None) } else { Resulted::Differs });
        }
        if task.agent.as_deref().is_some_and(|agent| agent != called.agent) {
            return Ok(Resulted::Taken);
        }
        let (_, wall) = self.settings();
        let now = self.clock(store.clock()).now.unwrap_or(wall);
        if matches!(called.outcome, CallOutcome::Callback(at) if at <= now) {
            return Ok(Resulted::Bad(format!("at_callback is not after now, which is {now}")));
        }
        if let Some(withdrawn) = withdrawn.filter(|_| is_withdrawn) {
            self.reserve_again(&mut store, withdrawn)?;
        }
        // What he said stands of a result that the machine stopped in the middle of: the outcome is what is left of it.
        let called = &Called { feedback: called.feedback.filter(|_| !came), ..*called };
        let seal = if came { Seal::new(Feed::Contact, called.contact, None, called.body) } else { seal };
        let entry = self.entry_of(called, &task, outcome, now, &store);
        let feed = if outcome.is_some() { Feed::Contact } else { Feed::Feedback };
        let rows = 1 + u64::from(called.feedback.is_some());
        Ok(match self.write_down(&mut store, &entry, seal)? {
            Ok((epoch, _)) => {
                self.claims().release(called.contact);
                Resulted::Done(Some((epoch, feed, rows)))
            }
            Err(why) => Resulted::Bad(why),
        })
    }

    /// The task that a contact was before it was withdrawn.
    fn gone(&self, contact: &str, withdrawn: &Withdrawn) -> Task {
        let agent = self.claims().agent(contact, self.wall_second());
        Task {
            contact_id: contact.to_owned(),
            campaign_id: withdrawn.campaign().to_owned(),
            customer_id: withdrawn.customer().to_owned(),
            number: None,
            channel_id: withdrawn.channel().to_owned(),
            at: withdrawn.at().to_owned(),
            state: if agent.is_some() { TaskState::Claimed } else { TaskState::Open },
            agent,
            callback_at: None,
            outcome: None,
        }
    }

    fn entry_of(&self, called: &Called<'_>, task: &Task, outcome: Option<&str>, now: Time, store: &Store) -> Entry {
        let at = now.to_string();
        let (campaign, customer, channel) = (&task.campaign_id, &task.customer_id, &task.channel_id);
        let mut entry = Entry::default();
        // What he said is durable first: an opt-out is never lost, wherever the machine stops.
        if let CallOutcome::Callback(then) = called.outcome {
            let (id, reason) = (free(CALLBACK, called.contact, store), format!("{CALLBACK} {then}"));
            entry.add(Feed::Feedback, [&id, campaign, customer, "consult", &at, channel, "", &reason]);
        }
        if let Some(said) = called.feedback {
            let id = free(CALL, called.contact, store);
            entry.add(Feed::Feedback, [&id, campaign, customer, said, &at, channel, "", called.agent]);
        }
        if let Some(outcome) = outcome {
            entry.add(Feed::Contact, [called.contact, campaign, customer, channel, &at, outcome]);
        }
        entry
    }
}

/// The next id of a feedback that something is of a contact: he may say more than one thing before the last call.
fn free(kind: &str, contact: &str, store: &Store) -> String {
    let mut ids = (1u64..).map(|number| said_id(kind, contact, number));
    ids.find(|id| !store.has_feedback(id)).unwrap_or_default()
}
