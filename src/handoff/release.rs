//! `release`: targets become contacts.
//!
//! ```text
//! who is due (once) ─► batches: hold the store ─► check again ─► room ─► prepare ─► reserve ─► publish ─► let go
//! ```
//!
//! While a batch is decided nothing is accepted, and what was accepted before is visible: nobody can opt out between
//! the check and the reservation. Between two batches everybody can.

use std::collections::BTreeMap;
use std::rc::Rc;

use dataflows::records::{Arm, Feed, Rows, State};
use dataflows::targets::{Gate, Listing, Refused, codes};
use dataflows::types::{CustomerIx, Day, Epoch, Time, Word};
use sha2::{Digest, Sha256};

use super::due::{Due, due};
use super::grounds::Grounds;
use super::message::{Body, Message, Named, contact_id};
use super::outbox::Batch;
use super::planted::{self, Bug};
use super::quota::{Room, Seeded, Used};
use super::{Handoffs, ready};
use crate::engine::Published;
use crate::ingest::{Extract, Partition, Took};
use crate::intake::Intake;
use crate::programme::{Document, Plan, Step};
use crate::store::room::Purpose;
use crate::store::{Dictionary, Outcome, Store, StoreError};

/// Customers of a batch. Nothing else is accepted while one is decided: some tens of milliseconds.
const BATCH_CUSTOMERS: usize = 5_000;

/// Most bytes of a contact in the log.
const ROW_BYTES_MAX: u64 = 64;

/// What is asked for.
pub struct Request<'r> {
    pub campaign: &'r str,
    /// Most contacts; all that are due where it names none.
    pub limit: Option<usize>,
    /// Tells what would be done, and does nothing.
    pub is_dry: bool,
    /// A trial send to a few, before the campaign runs: at most [`TRIAL_CONTACTS_MAX`].
    pub is_trial: bool,
}

/// Contacts of a trial send.
pub const TRIAL_CONTACTS_MAX: usize = 100;

impl Request<'_> {
    /// Whether it may be done to a campaign that has come so far.
    fn suits(&self, state: State) -> bool {
        state == State::Running || self.is_trial && state.is_live() && state != State::Paused
    }
}

/// What became of a release.
pub enum Answer {
    Released(Released),
    /// The programme has no such campaign.
    Unknown,
    /// Nothing is released, and why.
    Closed(Vec<String>),
    /// A worker has failed.
    Failed,
}

/// What was handed off.
#[derive(Default, Debug, serde::Serialize)]
pub struct Released {
    pub campaign: String,
    pub dry_run: bool,
    /// Customers for whom something was due.
    pub due: usize,
    pub handed_off: usize,
    pub by_channel: BTreeMap<String, usize>,
    /// Written down as kept back.
    pub withheld: usize,
    /// Not contacted, by reason.
    pub refused: BTreeMap<String, usize>,
    /// Left for another day, by what there is no room in.
    pub left: BTreeMap<String, usize>,
    /// In fen.
    pub cost: i64,
    /// Of the last batch; none where there was none.
    pub epoch: Option<Epoch>,
    pub batches: usize,
}

/// A campaign, with all that its release needs.
struct Campaign<'a> {
    plan: &'a Plan,
    place: usize,
    word: Word,
    name: Rc<str>,
}

/// Who is due, in the order in which room is given: the greater score first, then the id's bytes.
type Queue = Vec<CustomerIx>;

impl Intake {
    /// Hands off what is due of a campaign.
    pub fn release(&self, request: &Request<'_>) -> Result<Answer, StoreError> {
        let Some(handoffs) = self.handoffs() else {
            return Ok(Answer::Closed(vec!["there is no outbox; serve with --outbox DIR".to_owned()]));
        };
        // One at a time: room is counted once.
        let _releasing = handoffs.releasing.lock();
        let (mut room, mut queue, mut released) = {
            let store = self.store().lock();
            if !self.hub().settle() {
                return Ok(Answer::Failed);
            }
            let (published, document) = (self.hub().published(), self.document());
            let names = self.names();
            let grounds = Grounds::of(&published, &names.read());
            let Some(campaign) = Campaign::of(request.campaign, &document, &grounds) else {
                return Ok(Answer::Unknown);
            };
            let closed = closed(&store, handoffs, &campaign, &grounds, &document, request);
            if !closed.is_empty() {
                return Ok(Answer::Closed(closed));
            }
            let now = grounds.now().unwrap_or_default();
            let plan = campaign.plan.clone();
            let seed = plan.seed.map(|seed| {
                let is_good = Seeded::of(&published, campaign.word, &seed).is_good(&seed);
                if is_good { usize::MAX } else { seed.size as usize }
            });
            let used = Used::of(&published, campaign.word, now.day());
            let queue = campaign.queue(&published, &names.read(), now);
            let released = Released {
                campaign: request.campaign.to_owned(),
                dry_run: request.is_dry,
                due: queue.len(),
                ..Released::default()
            };
            ((plan, used, seed, now.day()), queue, released)
        };
        let (plan, used, seed, today) = (&room.0, std::mem::take(&mut room.1), room.2, room.3);
        let mut room = Room { plan, used, seed };
        queue.reverse();
        while !queue.is_empty() && request.limit.is_none_or(|limit| released.handed_off < limit) {
            let rest = queue.len().saturating_sub(BATCH_CUSTOMERS);
            let mut batch = queue.split_off(rest);
            batch.reverse();
            match self.batch(handoffs, request, &batch, today, &mut room, &mut released)? {
                None => {}
                Some(Answer::Closed(_)) if released.batches > 0 => break,
                Some(answer) => return Ok(answer),
            }
        }
        Ok(Answer::Released(released))
    }

    /// Decides, reserves and shows one batch. An answer where that is the end of it.
    fn batch(
        &self,
        handoffs: &Handoffs,
        request: &Request<'_>,
        customers: &[CustomerIx],
        today: Day,
        room: &mut Room<'_>,
        released: &mut Released,
    ) -> Result<Option<Answer>, StoreError> {
        let mut store = self.store().lock();
        if !self.hub().settle() {
            return Ok(Some(Answer::Failed));
        }
        let (published, document) = (self.hub().published(), self.document());
        let names = self.names();
        let names = names.read();
        let grounds = Grounds::of(&published, &names);
        let Some(campaign) = Campaign::of(request.campaign, &document, &grounds) else {
            return Ok(Some(Answer::Unknown));
        };
        let now = grounds.now().unwrap_or_default();
        let mut closed = closed(&store, handoffs, &campaign, &grounds, &document, request);
        if now.day() != today {
            closed.push("the day has ended meanwhile; release again".to_owned());
        }
        if !closed.is_empty() {
            return Ok(Some(Answer::Closed(closed)));
        }
        // Before anything is decided: contacts wait for room that opt-outs do not.
        match store.room().check(customers.len() as u64 * ROW_BYTES_MAX, Purpose::Any) {
            Err(full) if released.batches > 0 => return Ok(Some(Answer::Closed(vec![full.to_string()]))),
            Err(full) if !request.is_dry => return Err(full.into()),
            _ => {}
        }
        let mut messages = Vec::new();
        for customer in customers {
            if request.limit.is_some_and(|limit| released.handed_off >= limit) {
                break;
            }
            let Some((chunk, slot)) = published.customer(*customer) else { continue };
            let code = chunk.targets.columns.get(campaign.place).map_or(codes::OUTSIDE, |column| column.code[slot]);
            let Some((due, arm)) = due(chunk, slot, campaign.word, code, campaign.plan, now) else { continue };
            let number = chunk.customers.numbers.get(slot);
            if names.is_erased(*customer, number) {
                // He has no row that could list him; nothing hangs on that alone.
                *released.refused.entry("erased".to_owned()).or_default() += 1;
                continue;
            }
            let to = To { customer: *customer, id: names.customers.text(customer.0).unwrap_or_default(), slot, now };
            let decided = match due {
                Due::Withhold => Some(campaign.withheld(&to, code, &grounds)),
                Due::Step(step) => {
                    let number = number.map(|token| token.hex());
                    let gate = grounds.gate(chunk);
                    let asked = Asked {
                        gate,
                        listing: grounds.listing(campaign.place),
                        grounds: &grounds,
                        document: &document,
                    };
                    campaign.contact(&to, (step, arm, code), number, &asked, &store, room, released)
                }
            };
            let Some(message) = decided else { continue };
            if store.has_handoff(&message.contact_id) {
                // Handed off once, for ever.
                *released.refused.entry("handed_off".to_owned()).or_default() += 1;
                continue;
            }
            match message.arm {
                Arm::Control => released.withheld += 1,
                _ => {
                    released.handed_off += 1;
                    released.cost = released.cost.saturating_add(message.cost);
                    *released.by_channel.entry(message.channel.name.to_string()).or_default() += 1;
                }
            }
            messages.push(message);
        }
        drop(names);
        if messages.is_empty() || request.is_dry {
            return Ok(None);
        }
        match self.reserve(&mut store, handoffs, &messages)? {
            Ok(epoch) => {
                released.batches += 1;
                released.epoch = Some(epoch);
                Ok(None)
            }
            Err(error) => {
                // Nothing of it was reserved or seen.
                Ok(Some(Answer::Closed(vec![format!("the outbox could not be written: {error}")])))
            }
        }
    }

    /// Prepares, reserves and shows messages, all of one moment. The inner error is of a batch that was not prepared.
    fn reserve(
        &self,
        store: &mut Store,
        handoffs: &Handoffs,
        messages: &[Message],
    ) -> Result<Result<Epoch, std::io::Error>, StoreError> {
        let document = self.document();
        let wall = self.wall_time(&document.settings.zone);
        let partition = store.next_partition(Feed::Handoff, &wall.day().to_string());
        let batch = Batch { day: partition.period.clone(), number: partition.part.clone() };
        let mut outbox = handoffs.outbox.lock();
        if planted::is(Bug::Unrecorded) {
            outbox.hide(&batch, messages).and_then(|()| outbox.publish(&batch)).map_err(StoreError::Outbox)?;
            std::thread::sleep(std::time::Duration::from_millis(50));
            outbox.journalize(&batch, messages).map_err(StoreError::Outbox)?;
        } else if let Err(error) = outbox.prepare(&batch, messages) {
            outbox.discard(&batch).map_err(StoreError::Outbox)?;
            return Ok(Err(error));
        }
        let rows = messages.iter().map(Message::row).collect();
        let reserved = self.append(store, extract(partition, 1, rows), wall);
        if let Err(StoreError::Full(_)) = &reserved {
            // The log is as it was, and the next batch has this number again: nothing of it may be left to be shown then.
            outbox.discard(&batch).map_err(StoreError::Outbox)?;
        }
        let epoch = reserved?;
        outbox.publish(&batch).map_err(StoreError::Outbox)?;
        handoffs.lies(&batch, messages);
        Ok(Ok(epoch))
    }

    /// Makes rows durable that nobody else gives versions of, and gives them to the engine: contacts, and what was
    /// answered before.
    pub(crate) fn append(&self, store: &mut Store, extract: Extract, wall: Time) -> Result<Epoch, StoreError> {
        self.hub().expect(extract.rows.len());
        let extent = self.names().read().extent();
        match store.accept_for(Purpose::Forbids, &extract, extent, wall, false)? {
            Outcome::Accepted { epoch, mut facts, durable_at } => {
                facts.clock = Some(self.clock(store.clock()));
                self.hub().submit(epoch, *facts, durable_at);
                Ok(epoch)
            }
            other => unreachable!("a partition of our own was not taken: {other:?}"),
        }
    }
}

/// Rows of a batch as the store takes them.
pub(super) fn extract(partition: Partition, version: u32, rows: Vec<dataflows::records::HandoffRow>) -> Extract {
    let mut hash = Sha256::new();
    rows.iter().for_each(|row| hash.update(row.contact_id.as_bytes()));
    Extract {
        file: format!("handoff_{}_{}.v{version}", partition.period, partition.part),
        partition,
        version,
        rows: Rows::Handoff(rows),
        deleted: Vec::new(),
        lines: Default::default(),
        rejects: Vec::new(),
        reasons: Default::default(),
        erased: 0,
        sha256: hash.finalize().into(),
        took: Took::default(),
        warnings: Vec::new(),
    }
}

/// Why nothing of a campaign is released now; empty where nothing stands against it. What a dry run tells is told
/// before a campaign runs, too.
fn closed(
    store: &Store,
    handoffs: &Handoffs,
    campaign: &Campaign<'_>,
    grounds: &Grounds,
    document: &Document,
    request: &Request<'_>,
) -> Vec<String> {
    let needs_consent = grounds.listing(campaign.place).consent.is_some();
    let mut reasons = ready::reasons(store, &handoffs.waiting, needs_consent);
    if planted::is(Bug::Unloaded) {
        reasons.clear();
    }
    reasons.extend(handoffs.trouble());
    if request.is_dry {
        return reasons;
    }
    if request.is_trial && request.limit.is_none_or(|limit| limit > TRIAL_CONTACTS_MAX) {
        reasons.push(format!("a trial send has a limit, of at most {TRIAL_CONTACTS_MAX} contacts"));
    }
    let state = store.campaign_state(campaign.word);
    if !request.suits(state) {
        let name = state.name();
        reasons.push(format!("the campaign is {name}; `cohortflow campaign {} running` lets it run", campaign.name));
    }
    let Some(now) = grounds.now() else {
        reasons.push("nothing has come yet that tells the time".to_owned());
        return reasons;
    };
    if let Some(from) = campaign.plan.from.filter(|from| now < *from) {
        reasons.push(format!("the campaign begins at {from}, and it is {now}"));
    }
    if campaign.plan.is_quiet(now) {
        reasons.push(format!("these are quiet hours of the campaign: it is {now}"));
    }
    let first = campaign.plan.steps.first();
    let has_content = first.is_some_and(|step| {
        let channels = [&step.channel].into_iter().chain(&document.programme.campaigns[campaign.place].channels);
        channels.into_iter().any(|channel| document.content(&campaign.name, step, channel).is_some())
    });
    if !has_content {
        reasons.push("no [[content]] of the campaign has a text for a channel of its first step".to_owned());
    }
    reasons
}

/// Who is decided about, and when.
struct To<'a> {
    customer: CustomerIx,
    id: &'a str,
    slot: usize,
    now: Time,
}

/// What is asked before a contact.
struct Asked<'a> {
    gate: Gate<'a>,
    listing: &'a Listing,
    grounds: &'a Grounds,
    document: &'a Document,
}

impl<'a> Campaign<'a> {
    fn of(id: &str, document: &'a Document, grounds: &Grounds) -> Option<Campaign<'a>> {
        let place = grounds.place(id)?;
        let plan = document.plans.get(place)?;
        Some(Campaign { plan, place, word: grounds.listing(place).id, name: id.into() })
    }

    /// Everybody for whom something is due.
    fn queue(&self, published: &Published, names: &Dictionary, now: Time) -> Queue {
        let model = self.plan.score.as_ref().and_then(|model| names.words.find(model)).map(Word);
        let mut queue: Vec<(std::cmp::Reverse<Option<i64>>, &str, CustomerIx)> = Vec::new();
        for (chunk, customer) in published.chunks() {
            let Some(column) = chunk.targets.columns.get(self.place) else { continue };
            let scores = model.and_then(|model| chunk.scores.get(&model));
            for (slot, code) in column.code.iter().enumerate().filter(|(_, code)| codes::is_target(**code)) {
                if due(chunk, slot, self.word, *code, self.plan, now).is_some() {
                    let score = scores.and_then(|scores| scores.get(&(slot as u16)).copied());
                    let ix = customer(slot);
                    queue.push((std::cmp::Reverse(score), names.customers.text(ix.0).unwrap_or_default(), ix));
                }
            }
        }
        queue.sort_unstable();
        queue.into_iter().map(|(_, _, customer)| customer).collect()
    }

    /// Whoever is kept back, written down with the channel that he would have been contacted on.
    fn withheld(&self, to: &To<'_>, code: u8, grounds: &Grounds) -> Message {
        let channel = codes::target(code).and_then(|(channel, _)| grounds.listing(self.place).channels.get(channel));
        let channel = channel.map_or(Word::NULL, |(channel, _)| *channel);
        let name = grounds.text(channel);
        Message {
            contact_id: contact_id(&self.name, 0, to.id, ""),
            campaign: Named { word: self.word, name: self.name.clone() },
            step: 0,
            customer: to.customer,
            customer_id: to.id.into(),
            number: None,
            channel: Named { word: channel, name: name.into() },
            arm: Arm::Control,
            at: to.now,
            cost: 0,
            body: None,
        }
    }

    /// A contact on the first channel that may be used and has something to say; none, and a reason counted, where there
    /// is none.
    #[expect(clippy::too_many_arguments, reason = "what a decision is made on, and what it is counted in")]
    fn contact(
        &self,
        to: &To<'_>,
        (step, arm, code): (usize, Arm, u8),
        number: Option<String>,
        asked: &Asked<'_>,
        store: &Store,
        room: &mut Room<'_>,
        released: &mut Released,
    ) -> Option<Message> {
        let plan_step = self.plan.steps.get(step)?;
        let listed = codes::target(code).map(|(channel, _)| channel);
        let mut refused = None;
        let channels = self.channels(step, plan_step, listed, asked);
        for channel in &channels {
            let Some(words) = asked.grounds.channel(channel) else { continue };
            let refuses = asked.gate.refuses(asked.listing, to.slot, words);
            if let Some(reason) = refuses.filter(|_| !planted::is(Bug::Selection)) {
                refused.get_or_insert(match reason {
                    Refused::Reason(reason) => reason.name().to_owned(),
                    Refused::List(place) => asked.grounds.text(asked.listing.lists[place].1).to_owned(),
                });
                continue;
            }
            let Some(body) = self.body(plan_step, channel, to.slot, asked) else {
                refused.get_or_insert("content".to_owned());
                continue;
            };
            let terms = store.channel(words.0);
            let cost = terms.and_then(|terms| terms.unit_cost).unwrap_or(0).max(0);
            let daily = terms.and_then(|terms| terms.daily_capacity);
            if let Err(full) = room.take(step, (words.0, channel), cost, daily) {
                *released.left.entry(full.name().to_owned()).or_default() += 1;
                return None;
            }
            return Some(Message {
                contact_id: contact_id(&self.name, step as u8, to.id, channel),
                campaign: Named { word: self.word, name: self.name.clone() },
                step: step as u8,
                customer: to.customer,
                customer_id: to.id.into(),
                number,
                channel: Named { word: words.0, name: (**channel).into() },
                arm,
                at: to.now,
                cost,
                body: Some(body),
            });
        }
        *released.refused.entry(refused.unwrap_or_else(|| "channel".to_owned())).or_default() += 1;
        None
    }

    /// The channels of a step in the order in which they are tried.
    fn channels<'b>(&self, step: usize, plan: &'b Step, listed: Option<usize>, asked: &'b Asked<'_>) -> Vec<&'b str> {
        let fallback = &asked.document.programme.campaigns[self.place].channels;
        // The first step goes where the target list says, and on from there.
        let first = if step == 0 { listed.and_then(|place| fallback.get(place)) } else { Some(&plan.channel) };
        let mut channels: Vec<&str> = first.into_iter().map(String::as_str).collect();
        let others = fallback.iter().map(String::as_str).filter(|other| Some(*other) != first.map(String::as_str));
        channels.extend(others);
        channels
    }

    /// What is said on a channel: the link, to terminals that open one.
    fn body(&self, step: &Step, channel: &str, slot: usize, asked: &Asked<'_>) -> Option<Body> {
        let content = asked.document.content(&self.name, step, channel)?;
        let link = content.link.as_ref().filter(|_| asked.grounds.opens_links(asked.gate.chunk, slot));
        let text = link.unwrap_or(&content.text);
        Some(Body { version: content.version, text: (**text).into(), is_link: link.is_some() })
    }
}
