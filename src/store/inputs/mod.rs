//! The inputs as they stand: which row of equal keys counts.
//!
//! Of rows with the same key in different live partitions the one of the greatest (period, part)
//! stands; a hidden row returns when the hiding one goes. A partition may delete a key instead: that hides and is
//! hidden as its row would be, and where it wins nothing stands. What is kept in memory is *who* holds a
//! key, four bytes for a bill, and not what he holds: rows stand in the log, and the dataflow takes
//! upserts. Some feeds need the value that a change replaces (usage is summed, orders and events move
//! between keys of the dataflow), and keep it.
//!
//! Everything the dataflow is fed comes from here, and nowhere else is a row made into a fact: `rows.rs`,
//! `campaigns.rs` and `orders.rs` say of each feed's rows which key they have and what they tell.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use dataflows::facts::{Channel, Facts, Product};
use dataflows::records::*;
use dataflows::types::{CustomerIx, Time, Word};

use super::StoreError;
use super::content::{Content, Held};
use super::owners::{Index, PartitionNo};
use super::requests::ByRequest;

/// Which name of a key is one of a feed's: [`Row::named`].
macro_rules! named {
    ($key:pat => $of:expr) => {
        fn named(key: &RowKey) -> Option<Self::Key> {
            if let $key = key { Some($of) } else { None }
        }
    };
}

mod campaigns;
mod orders;
mod rows;

/// A row that a key tells apart.
pub trait Row: PartialEq + Sized {
    type Key: Hash + Eq + Clone;
    /// What of a standing row its successor must know.
    type Kept: Clone + 'static;
    type Index: Index<Self::Key, Self::Kept> + Default;

    fn key(&self) -> Self::Key;
    /// The key that is deleted under a name; none of another feed's, and of feeds whose rows are never deleted.
    fn named(key: &RowKey) -> Option<Self::Key>;
    fn kept(&self) -> Self::Kept;
    /// When it happened, where its feed says so.
    fn at(_: &Self::Key, _: &Self::Kept) -> Option<Time> {
        None
    }
    /// Makes room for the facts of many rows.
    fn reserve(_: &mut Facts, _: usize) {}
    /// The fact that `now` stands in the place of `before`.
    fn tell(key: &Self::Key, before: Option<Self::Kept>, now: Option<&Self>, facts: &mut Facts);
}

/// What deciding between partitions needs to know of them.
pub trait Partitions {
    /// Whether rows of the one stand before rows of the other.
    fn outranks(&self, one: PartitionNo, other: PartitionNo) -> bool;
    /// What a live partition holds, from the log.
    fn content(&self, partition: PartitionNo) -> Result<Rc<Content>, StoreError>;
}

/// What a partition says of a key: its row; none where it deletes it.
type Said<'a, R> = Option<&'a R>;

/// Who holds each key of a feed.
pub struct Holders<R: Row> {
    /// By a row that stands.
    index: R::Index,
    /// By deleting it. No key is here and there.
    deleted: HashMap<R::Key, PartitionNo>,
    /// Of keys that several partitions have: those that do not hold them.
    hidden: HashMap<R::Key, Vec<PartitionNo>>,
    /// The latest second of any standing row; unknown since the row that had it went.
    latest: Option<Option<Time>>,
}

impl<R: Row> Default for Holders<R> {
    fn default() -> Self {
        let (index, deleted, hidden) = Default::default();
        Holders { index, deleted, hidden, latest: Some(None) }
    }
}

impl<R: Row> Holders<R> {
    /// Who holds a key, with what is kept of the row that stands; none where it is deleted.
    fn holder(&self, key: &R::Key) -> Option<(PartitionNo, Option<R::Kept>)> {
        let row = self.index.get(key).map(|(partition, kept)| (partition, Some(kept)));
        row.or_else(|| self.deleted.get(key).map(|partition| (*partition, None)))
    }

    /// Tells that `now` stands in the place of `before`, and notes who holds its key.
    fn stand(
        &mut self,
        key: R::Key,
        before: Option<R::Kept>,
        now: Option<(PartitionNo, Said<'_, R>)>,
        facts: &mut Facts,
    ) {
        let row = now.and_then(|(partition, said)| Some((partition, said?)));
        let was = before.as_ref().and_then(|kept| R::at(&key, kept));
        let is = row.and_then(|(_, row)| R::at(&key, &row.kept()));
        match self.latest {
            Some(latest) if is >= latest => self.latest = Some(is),
            Some(latest) if was == latest => self.latest = None,
            _ => {}
        }
        if !self.deleted.is_empty() {
            self.deleted.remove(&key);
        }
        if let Some((partition, None)) = now {
            self.deleted.insert(key.clone(), partition);
        }
        if before.is_some() || row.is_some() {
            R::tell(&key, before, row.map(|(_, row)| row), facts);
            self.index.set(key, row.map(|(partition, row)| (partition, row.kept())));
        }
    }

    /// The latest second of any standing row that has one.
    fn latest(&mut self) -> Option<Time> {
        *self.latest.get_or_insert_with(|| self.index.latest(R::at))
    }

    /// Sets `new` in the place of `old` as what a partition holds, and tells what that changes.
    fn replace(
        &mut self,
        partition: PartitionNo,
        (old, new): (Held<'_>, Held<'_>),
        partitions: &impl Partitions,
        own: fn(&Rows) -> &[R],
        facts: &mut Facts,
    ) -> Result<(), StoreError> {
        if old.rows.is_empty() {
            R::reserve(facts, new.rows.len());
        }
        let mut leaving: HashMap<R::Key, Said<'_, R>> = said(old, own).collect();
        for (key, said) in said(new, own) {
            let before = if leaving.is_empty() { None } else { leaving.remove(&key) };
            if before == Some(said) {
                continue;
            }
            match (self.holder(&key), before) {
                (Some((holder, kept)), Some(_)) if holder == partition => {
                    self.stand(key, kept, Some((partition, said)), facts);
                }
                // Hidden before and after.
                (Some(_), Some(_)) => {}
                (Some((holder, kept)), None) => {
                    let hides = partitions.outranks(partition, holder);
                    self.hidden.entry(key.clone()).or_default().push(if hides { holder } else { partition });
                    if hides {
                        self.stand(key, kept, Some((partition, said)), facts);
                    }
                }
                (None, _) => self.stand(key, None, Some((partition, said)), facts),
            }
        }
        let mut returning: HashMap<PartitionNo, Vec<R::Key>> = HashMap::new();
        for key in leaving.into_keys() {
            if let Some(heir) = self.leave(partition, &key, partitions, facts) {
                returning.entry(heir).or_default().push(key);
            }
        }
        for (heir, keys) in returning {
            let content = partitions.content(heir)?;
            let all: HashMap<R::Key, Said<'_, R>> = said(content.held(), own).collect();
            for key in keys {
                if let (Some(said), Some((_, kept))) = (all.get(&key), self.holder(&key)) {
                    self.stand(key, kept, Some((heir, *said)), facts);
                }
            }
        }
        Ok(())
    }

    /// Takes a key from a partition. Gives the partition that now holds it, if one was hidden;
    /// where none was, tells that the key is gone.
    fn leave(
        &mut self,
        partition: PartitionNo,
        key: &R::Key,
        partitions: &impl Partitions,
        facts: &mut Facts,
    ) -> Option<PartitionNo> {
        let (holder, kept) = self.holder(key)?;
        let mut heir = None;
        if let Some(hidden) = self.hidden.get_mut(key) {
            if holder == partition {
                let best = (0..hidden.len())
                    .reduce(|best, next| if partitions.outranks(hidden[next], hidden[best]) { next } else { best });
                heir = best.map(|best| hidden.swap_remove(best));
            } else {
                hidden.retain(|other| *other != partition);
            }
            if hidden.is_empty() {
                self.hidden.remove(key);
            }
        }
        if holder == partition && heir.is_none() {
            self.stand(key.clone(), kept, None, facts);
        }
        heir
    }
}

/// What a partition says of each of its keys.
fn said<'a, R: Row + 'a>(held: Held<'a>, own: fn(&Rows) -> &[R]) -> impl Iterator<Item = (R::Key, Said<'a, R>)> {
    let rows = own(held.rows).iter().map(|row| (row.key(), Some(row)));
    rows.chain(held.deleted.iter().filter_map(R::named).map(|key| (key, None)))
}

/// All feeds' inputs.
#[derive(Default)]
pub struct Inputs {
    customers: Holders<CustomerRow>,
    terminals: Holders<TerminalRow>,
    bills: Holders<BillRow>,
    usage: Holders<UsageRow>,
    products: Holders<ProductRow>,
    channels: Holders<ChannelRow>,
    orders: Holders<OrderRow>,
    member_events: Holders<MemberEventRow>,
    adjustments: Holders<AdjustmentRow>,
    listings: Holders<ListingRow>,
    consents: Holders<ConsentRow>,
    scores: Holders<ScoreRow>,
    contacts: Holders<ContactRow>,
    feedbacks: Holders<FeedbackRow>,
    campaign_states: Holders<CampaignStateRow>,
    handoffs: Holders<HandoffRow>,
    order_requests: Holders<OrderRequestRow>,
    provisioning: Holders<ProvisioningRow>,
}

impl Inputs {
    /// Sets `new` in the place of `old` as what a partition holds, and tells what that changes.
    pub fn replace(
        &mut self,
        partition: PartitionNo,
        (old, new): (Held<'_>, Held<'_>),
        partitions: &impl Partitions,
        facts: &mut Facts,
    ) -> Result<(), StoreError> {
        macro_rules! replace {
            ($holders:ident, $feed:ident) => {{
                fn own(rows: &Rows) -> &[<Vec<$feed> as IntoIterator>::Item] {
                    <$feed>::of(rows)
                }
                self.$holders.replace(partition, (old, new), partitions, own, facts)
            }};
        }
        match new.rows.feed() {
            Feed::Customer => replace!(customers, CustomerRow),
            Feed::Terminal => replace!(terminals, TerminalRow),
            Feed::Bill => replace!(bills, BillRow),
            Feed::Usage => replace!(usage, UsageRow),
            Feed::Product => replace!(products, ProductRow),
            Feed::Channel => replace!(channels, ChannelRow),
            Feed::Order => replace!(orders, OrderRow),
            Feed::MemberEvent => replace!(member_events, MemberEventRow),
            Feed::Adjustment => replace!(adjustments, AdjustmentRow),
            Feed::Listing => replace!(listings, ListingRow),
            Feed::Consent => replace!(consents, ConsentRow),
            Feed::Score => replace!(scores, ScoreRow),
            Feed::Contact => replace!(contacts, ContactRow),
            Feed::Feedback => replace!(feedbacks, FeedbackRow),
            Feed::CampaignState => {
                replace!(campaign_states, CampaignStateRow)?;
                // Once each, when all their rows stand.
                facts.campaigns.sort_unstable_by_key(|(campaign, _)| *campaign);
                facts.campaigns.dedup_by_key(|(campaign, _)| *campaign);
                for (campaign, state) in &mut facts.campaigns {
                    *state = self.campaign_states.index.state(*campaign);
                }
                Ok(())
            }
            Feed::Handoff => replace!(handoffs, HandoffRow),
            Feed::OrderRequest => replace!(order_requests, OrderRequestRow),
            Feed::Provisioning => replace!(provisioning, ProvisioningRow),
        }
    }

    /// Whether a hand-off of that id stands.
    pub fn has_handoff(&self, contact_id: &str) -> bool {
        HandoffRow::digest(contact_id).is_some_and(|digest| self.handoffs.index.get(&digest).is_some())
    }

    /// What customers ordered here.
    pub fn order_requests(&self) -> &ByRequest {
        &self.order_requests.index
    }

    /// What whoever provisions answered, in no order.
    pub fn answers(&self) -> impl Iterator<Item = &Arc<ProvisioningRow>> {
        self.provisioning.index.values()
    }

    /// Whether whoever provisions answered a request of that id.
    pub fn has_answer(&self, request_id: &str) -> bool {
        HandoffRow::digest(request_id).is_some_and(|digest| self.provisioning.index.get(&digest).is_some())
    }

    /// Whether a feedback of that id stands.
    pub fn has_feedback(&self, feedback_id: &str) -> bool {
        self.feedbacks.index.get(&Box::from(feedback_id)).is_some()
    }

    /// Whether an id is deleted, in the feeds that we make rows of for orders and calls.
    pub fn is_deleted(&self, key: &RowKey) -> bool {
        match key {
            RowKey::Order(id) => self.orders.deleted.contains_key(id),
            RowKey::Contact(id) => self.contacts.deleted.contains_key(id),
            RowKey::Feedback(id) => self.feedbacks.deleted.contains_key(id),
            _ => false,
        }
    }

    /// How many rows stand of each list, or of each purpose of consents; nothing of other feeds.
    pub fn counts(&self, feed: Feed) -> HashMap<Word, u64> {
        let mut counts = HashMap::new();
        let mut count = |group: Word| *counts.entry(group).or_default() += 1;
        match feed {
            Feed::Listing => self.listings.index.keys().for_each(|(_, list)| count(*list)),
            Feed::Consent => self.consents.index.keys().for_each(|(_, purpose, ..)| count(*purpose)),
            _ => {}
        }
        counts
    }

    /// Products with a standing row.
    pub fn products(&self) -> impl Iterator<Item = Word> {
        self.products.index.keys().copied()
    }

    /// What of a product decides to whom it may be offered; none where no row of it stands.
    pub fn product(&self, product: Word) -> Option<Product> {
        self.products.index.get(&product).map(|(_, product)| product)
    }

    /// Whose a contact of that id is, where one is told.
    pub fn contacted(&self, contact_id: &str) -> Option<CustomerIx> {
        self.contacts.index.get(&Box::from(contact_id)).map(|(_, moment)| moment.customer)
    }

    /// Whose a hand-off of that id is, where one stands.
    pub fn handed_off(&self, contact_id: &str) -> Option<CustomerIx> {
        self.handoffs.index.get(&HandoffRow::digest(contact_id)?).map(|(_, moment)| moment.customer)
    }

    /// The category of a product, where its standing row names one.
    pub fn category(&self, product: Word) -> Option<Word> {
        let category = self.products.index.get(&product).map(|(_, product)| product.category);
        category.filter(|category| !category.is_null())
    }

    /// What the standing row of a channel says of its cost and capacity.
    pub fn channel(&self, channel: Word) -> Option<Channel> {
        self.channels.index.get(&channel).map(|(_, terms)| terms)
    }

    /// How far a campaign has come, as a whole.
    pub fn campaign_state(&self, campaign: Word) -> dataflows::records::State {
        self.campaign_states.index.state(campaign).unwrap_or_default()
    }

    /// The standing changes of each campaign, the one that counts last.
    pub fn campaign_states(&self) -> impl Iterator<Item = (Word, impl Iterator<Item = &CampaignStateRow>)> {
        self.campaign_states.index.rows()
    }

    /// The latest second of any standing row that has one.
    pub fn latest_at(&mut self) -> Option<Time> {
        let community = self.member_events.latest().max(self.adjustments.latest());
        let campaigns = self.contacts.latest().max(self.feedbacks.latest());
        let campaigns = campaigns.max(self.campaign_states.latest()).max(self.handoffs.latest());
        let campaigns = campaigns.max(self.order_requests.latest()).max(self.provisioning.latest());
        self.orders.latest().max(community).max(self.consents.latest()).max(self.scores.latest()).max(campaigns)
    }
}

/// Which partition's row of a key stands, feed by feed.
macro_rules! holders {
    ($($name:ident: $field:ident $row:ident),* $(,)?) => {
        impl Inputs { $(
            pub(super) fn $name(&self, key: &<$row as Row>::Key) -> Option<PartitionNo> {
                self.$field.index.get(key).map(|(partition, _)| partition)
            }
        )* }
    };
}
holders! {
    holds_customer: customers CustomerRow,
    holds_terminal: terminals TerminalRow,
    holds_bill: bills BillRow,
    holds_usage: usage UsageRow,
    holds_product: products ProductRow,
    holds_channel: channels ChannelRow,
    holds_order: orders OrderRow,
    holds_event: member_events MemberEventRow,
    holds_adjustment: adjustments AdjustmentRow,
    holds_listing: listings ListingRow,
    holds_consent: consents ConsentRow,
    holds_score: scores ScoreRow,
    holds_contact: contacts ContactRow,
    holds_feedback: feedbacks FeedbackRow,
    holds_handoff: handoffs HandoffRow,
}

/// Rows of one feed among those of any.
trait Of: Sized {
    fn of(rows: &Rows) -> &[Self];
}

macro_rules! of {
    ($($row:ident $feed:ident),*) => { $(
        impl Of for $row {
            fn of(rows: &Rows) -> &[$row] {
                match rows { Rows::$feed(rows) => rows, _ => &[] }
            }
        }
    )* };
}
of!(CustomerRow Customer, TerminalRow Terminal, BillRow Bill, UsageRow Usage, ProductRow Product,
    ChannelRow Channel, OrderRow Order, MemberEventRow MemberEvent, AdjustmentRow Adjustment, ListingRow Listing,
    ConsentRow Consent, ScoreRow Score, ContactRow Contact, FeedbackRow Feedback, CampaignStateRow CampaignState,
    HandoffRow Handoff, OrderRequestRow OrderRequest, ProvisioningRow Provisioning);

/// Whether two files hold the same rows, in whatever order.
pub fn same_rows(one: &Rows, other: &Rows) -> bool {
    fn same<R: Row>(one: &[R], other: &[R]) -> bool {
        if one.len() != other.len() || one == other {
            return one == other;
        }
        let one: HashMap<R::Key, &R> = one.iter().map(|row| (row.key(), row)).collect();
        other.iter().all(|row| one.get(&row.key()).is_some_and(|held| *held == row))
    }
    match (one, other) {
        (Rows::Customer(one), Rows::Customer(other)) => same(one, other),
        (Rows::Terminal(one), Rows::Terminal(other)) => same(one, other),
        (Rows::Bill(one), Rows::Bill(other)) => same(one, other),
        (Rows::Usage(one), Rows::Usage(other)) => same(one, other),
        (Rows::Product(one), Rows::Product(other)) => same(one, other),
        (Rows::Channel(one), Rows::Channel(other)) => same(one, other),
        (Rows::Order(one), Rows::Order(other)) => same(one, other),
        (Rows::MemberEvent(one), Rows::MemberEvent(other)) => same(one, other),
        (Rows::Adjustment(one), Rows::Adjustment(other)) => same(one, other),
        (Rows::Listing(one), Rows::Listing(other)) => same(one, other),
        (Rows::Consent(one), Rows::Consent(other)) => same(one, other),
        (Rows::Score(one), Rows::Score(other)) => same(one, other),
        (Rows::Contact(one), Rows::Contact(other)) => same(one, other),
        (Rows::Feedback(one), Rows::Feedback(other)) => same(one, other),
        (Rows::CampaignState(one), Rows::CampaignState(other)) => same(one, other),
        (Rows::Handoff(one), Rows::Handoff(other)) => same(one, other),
        (Rows::OrderRequest(one), Rows::OrderRequest(other)) => same(one, other),
        (Rows::Provisioning(one), Rows::Provisioning(other)) => same(one, other),
        _ => false,
    }
}
