//! What lies in the outbox and may no longer be there; and what the machine stopped in the middle of.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use dataflows::records::{HandoffRow, Rows, State};
use dataflows::targets::codes;
use dataflows::types::{CustomerIx, Time, Word};

use super::grounds::Grounds;
use super::outbox::Batch;
use super::planted::{self, Bug};
use super::release::extract;
use super::{Handoffs, Lying, Touched};
use crate::engine::Published;
use crate::intake::Intake;
use crate::orders::is_heard_of;
use crate::store::room::is_full;
use crate::store::{Store, StoreError};

/// Contacts by the file that they lie in: batch, channel.
type Files = BTreeMap<(Batch, Box<str>), BTreeSet<Box<str>>>;

impl Intake {
    /// Withdraws what must no longer be handed off of those who were touched. Whatever touched them is visible when
    /// this returns.
    pub(crate) fn withdraw(&self, store: &mut Store, touched: &Touched) -> Result<(), StoreError> {
        let Some(handoffs) = self.handoffs().filter(|_| *touched != Touched::Nobody && !planted::is(Bug::Selection))
        else {
            return Ok(());
        };
        if !self.hub().settle() {
            // The process ends; what lies there is looked at when it is started again.
            return Ok(());
        }
        let published = self.hub().published();
        let names = self.names();
        let grounds = Grounds::of(&published, &names.read());
        let mut files = Files::new();
        {
            let lying = handoffs.lying.lock();
            let customers: Vec<CustomerIx> = match touched {
                Touched::Some(customers) => customers.clone(),
                _ => lying.keys().copied().collect(),
            };
            let mut next: Option<Time> = None;
            for customer in customers {
                for of in lying.get(&customer).into_iter().flatten() {
                    if may_lie(&published, &grounds, store, customer, of) {
                        let from = forbidden_from(&published, &grounds, customer, of);
                        next = next.into_iter().chain(from).min();
                    } else {
                        let file = files.entry((of.batch.clone(), of.channel.clone())).or_default();
                        file.insert(of.contact_id.clone());
                    }
                }
            }
            let mut known = handoffs.next.lock();
            *known = if *touched == Touched::Everybody { next } else { known.into_iter().chain(next).min() };
        }
        for ((batch, channel), contacts) in files {
            let withdrawn = handoffs.outbox.lock().withdraw(&batch, &channel, &contacts);
            let Some(is_there) = handoffs.unless_full(withdrawn, &batch, &channel)? else { continue };
            if is_there {
                self.take_back(store, &batch, &contacts)?;
            }
            // What a channel has taken lies there no longer, none of it.
            handoffs.forget(|of| {
                of.batch == batch && of.channel == channel && (!is_there || contacts.contains(&of.contact_id))
            });
        }
        Ok(())
    }

    /// Takes reservations back: the batch's next version is without them. Those of contacts that were made stand.
    pub(super) fn take_back(
        &self,
        store: &mut Store,
        batch: &Batch,
        contacts: &BTreeSet<Box<str>>,
    ) -> Result<(), StoreError> {
        let partition = batch.partition();
        let Some((version, content)) = store.partition(&partition)? else { return Ok(()) };
        let Rows::Handoff(rows) = &content.rows else { return Ok(()) };
        let stands = |row: &&HandoffRow| !contacts.contains(&row.contact_id) || is_heard_of(store, &row.contact_id);
        let left: Vec<HandoffRow> = rows.iter().filter(stands).cloned().collect();
        if left.len() == rows.len() {
            return Ok(());
        }
        let wall = self.wall_time(&self.document().settings.zone);
        match self.append(store, extract(partition, version + 1, left), wall) {
            Err(StoreError::Full(full)) => {
                // Nobody is contacted for it; that it stands as a contact is the lesser harm.
                tracing::warn!(batch = batch.number, day = batch.day, "withdrawn, and its reservation stands: {full}");
                return Ok(());
            }
            appended => appended?,
        };
        tracing::info!(batch = batch.number, day = batch.day, contacts = contacts.len(), "withdrawn from the outbox");
        Ok(())
    }

    /// Brings outbox and store together after a start: what was prepared and never reserved is dropped, what was
    /// reserved and never shown is checked and shown, what was handed off or forbidden and the store has forgotten is told
    /// to it again, and what was asked by hand and never noted is noted.
    pub(crate) fn recover_outbox(&self) -> Result<(), StoreError> {
        let Some(handoffs) = self.handoffs() else { return Ok(()) };
        let mut store = self.store().lock();
        self.erase_again(&mut store)?;
        let hidden = handoffs.outbox.lock().hidden().map_err(StoreError::Outbox)?;
        let mut waiting = BTreeSet::new();
        for batch in hidden {
            if store.partition(&batch.partition())?.is_some() {
                waiting.insert(batch);
            } else {
                handoffs.outbox.lock().discard(&batch).map_err(StoreError::Outbox)?;
            }
        }
        let journaled = handoffs.outbox.lock().journaled().map_err(StoreError::Outbox)?;
        for batch in journaled {
            if store.partition(&batch.partition())?.is_none() {
                let lines = handoffs.outbox.lock().told(&batch).map_err(StoreError::Outbox)?;
                self.adopt(&mut store, batch.partition(), &lines)?;
            }
        }
        let edits = handoffs.outbox.lock().edits().all().map_err(StoreError::Outbox)?;
        self.take_again(&mut store, &edits)?;
        self.note_again(&store, &edits)?;
        if !self.hub().settle() {
            return Ok(());
        }
        self.look_into_outbox(handoffs)?;
        // Nobody has seen these: what must not lie there is taken out before they are shown.
        let published = self.hub().published();
        let grounds = Grounds::of(&published, &self.names().read());
        for batch in &waiting {
            let mut files = Files::new();
            handoffs.each(|customer, of| {
                if of.batch == *batch && !may_lie(&published, &grounds, &store, customer, of) {
                    let file = files.entry((of.batch.clone(), of.channel.clone())).or_default();
                    file.insert(of.contact_id.clone());
                }
            });
            for ((batch, channel), contacts) in files {
                let withheld = handoffs.outbox.lock().withhold(&batch, &channel, &contacts);
                let Some(is_there) = handoffs.unless_full(withheld, &batch, &channel)? else { continue };
                if is_there {
                    self.take_back(&mut store, &batch, &contacts)?;
                }
                handoffs.forget(|of| of.batch == batch && contacts.contains(&of.contact_id));
            }
            handoffs.outbox.lock().publish(batch).map_err(StoreError::Outbox)?;
        }
        self.withdraw(&mut store, &Touched::Everybody)
    }

    /// Finds out what lies in the outbox.
    fn look_into_outbox(&self, handoffs: &Handoffs) -> Result<(), StoreError> {
        let files = handoffs.outbox.lock().lying().map_err(StoreError::Outbox)?;
        let names = self.names();
        let names = names.read();
        let mut lying = handoffs.lying.lock();
        lying.clear();
        for (batch, _, lines) in files {
            for line in lines {
                let field = |place: usize| line.get(place).unwrap_or_default();
                let customer = names.customers.find(field(3)).map(CustomerIx);
                let campaign = names.words.find(field(1)).map(Word);
                let (Some(customer), Some(campaign)) = (customer, campaign) else { continue };
                lying.entry(customer).or_default().push(Lying {
                    batch: batch.clone(),
                    contact_id: field(0).into(),
                    campaign,
                    channel: field(5).into(),
                });
            }
        }
        Ok(())
    }

    /// Looks at what lies in the outbox, where time has passed and a list may have begun.
    pub(crate) fn sweep_outbox(&self) -> Result<(), StoreError> {
        let Some(handoffs) = self.handoffs() else { return Ok(()) };
        handoffs.catch_up();
        let now = self.hub().published().clock.now;
        let is_due = handoffs.next.lock().is_some_and(|next| now.is_some_and(|now| next <= now));
        let is_stuck = !handoffs.stuck.lock().is_empty();
        if is_due || is_stuck { self.withdraw(&mut self.store().lock(), &Touched::Everybody) } else { Ok(()) }
    }
}

impl Handoffs {
    fn each(&self, mut visit: impl FnMut(CustomerIx, &Lying)) {
        let lying = self.lying.lock();
        lying.iter().for_each(|(customer, of)| of.iter().for_each(|of| visit(*customer, of)));
    }

    /// What became of a file that was written anew; none where there was no room for it: then no channel sees it, and
    /// it is tried again.
    pub(super) fn unless_full(
        &self,
        written: io::Result<bool>,
        batch: &Batch,
        channel: &str,
    ) -> Result<Option<bool>, StoreError> {
        let file = (batch.clone(), channel.into());
        match written {
            Err(error) if is_full(&error) && self.outbox.lock().is_away(batch, channel) => {
                if self.stuck.lock().insert(file) {
                    tracing::error!(batch = batch.number, day = batch.day, "hidden from its channel: {error}");
                }
                Ok(None)
            }
            written => {
                self.stuck.lock().remove(&file);
                written.map(Some).map_err(StoreError::Outbox)
            }
        }
    }

    pub(super) fn forget(&self, is_gone: impl Fn(&Lying) -> bool) {
        self.lying.lock().retain(|_, of| {
            of.retain(|of| !is_gone(of));
            !of.is_empty()
        });
    }
}

fn forbidden_from(published: &Published, grounds: &Grounds, customer: CustomerIx, of: &Lying) -> Option<Time> {
    let (place, (chunk, slot)) = (grounds.place_of(of.campaign)?, published.customer(customer)?);
    grounds.gate(chunk).forbids_from(grounds.listing(place), slot)
}

/// Whether what a campaign reserved may still go out: it does from the trial send on, unless it is paused or closed.
fn goes_on(state: State) -> bool {
    state.is_live() && state != State::Paused
}

/// Whether a contact that is reserved may still be handed off. Once it was made it may not again.
pub(super) fn may_lie(
    published: &Published,
    grounds: &Grounds,
    store: &Store,
    customer: CustomerIx,
    of: &Lying,
) -> bool {
    let (Some(place), Some(channel)) = (grounds.place_of(of.campaign), grounds.channel(&of.channel)) else {
        return false;
    };
    if is_heard_of(store, &of.contact_id) {
        return false;
    }
    let Some((chunk, slot)) = published.customer(customer) else { return false };
    let is_listed = chunk.targets.columns.get(place).is_some_and(|column| codes::is_target(column.code[slot]));
    is_listed
        && goes_on(store.campaign_state(of.campaign))
        && grounds.gate(chunk).forbids(grounds.listing(place), slot, channel).is_none()
}
