//! Which rows stand behind a value: their keys, in the order of time. The store knows which of them there are.

use std::ops::RangeInclusive;

use dataflows::points::walk::{Cause, EntryId};
use dataflows::records::{EventKind, RowKey};
use dataflows::rules::Attribute;
use dataflows::table::moments::of_slot;
use dataflows::types::{Day, Month, Word};

use super::subject::Subject;

/// Months of use that are looked through behind one value, at most.
const USE_MONTHS_MAX: i32 = 24;

impl Subject<'_> {
    /// The keys of the rows behind an attribute.
    pub fn keys(&self, attribute: &Attribute) -> Vec<RowKey> {
        use Attribute::*;
        let of = |name: &String, keys: &dyn Fn(Word) -> Vec<RowKey>| self.word(name).map(keys).unwrap_or_default();
        match attribute {
            Age | TenureMonths | DaysToBirthday | Gender | City | District | Brand | GroupType | Occupation
            | Status | Employer | IncomeBand => vec![RowKey::Customer(self.customer)],
            AvgFee | AvgRoamingFee | AvgSmsFee | AvgVasFee | AvgDataKb | VasShare => self.bills(self.window(0)),
            LastFee => self.bills(self.last(1)),
            ChangeFee | ChangeRoamingFee | ChangeSmsFee | ChangeVasFee | ChangeData => {
                let lag = self.explainer.published.programme.lag as i32;
                let mut keys = self.bills(self.window(lag));
                let mut current = self.bills(self.window(0));
                current.retain(|key| !keys.contains(key));
                keys.append(&mut current);
                keys
            }
            Usage(measure) => of(measure, &|measure| self.uses(measure, self.window(0))),
            UsageYear(measure) => of(measure, &|measure| self.uses(measure, self.last(12))),
            Holds(product) => of(product, &|product| self.orders(product).pop().into_iter().collect()),
            Trial(product) => of(product, &|product| self.orders_and_use(product, USE_MONTHS_MAX)),
            Health(product) => of(product, &|product| self.orders_and_use(product, 1)),
            OnList(list) => of(list, &|list| vec![RowKey::Listing(self.customer, list)]),
            Consent(purpose) => of(purpose, &|purpose| self.latest_consents(purpose)),
            Score(model) => of(model, &|model| vec![RowKey::Score(self.customer, model)]),
            Terminal(_) => self.terminal(),
            Participations(kind) => of(kind, &|kind| self.participations(kind)),
            Points | Rank => {
                let entries = self.entries();
                entries.iter().flat_map(|(id, _, cause, _)| self.entry_keys(*id, *cause)).collect()
            }
            Member => self.memberships(),
            MemberStage => {
                let last = self.chunk.events_of(self.slot).iter().last();
                let mut keys = self.memberships();
                keys.extend(last.map(|event| RowKey::MemberEvent(event.id.into())));
                keys.dedup();
                keys
            }
            Response(_) => self.contacts(|_, _| true).into_iter().chain(self.feedbacks(|_| true)).collect(),
            Tier | Tag(_) | Drive(_) => Vec::new(),
        }
    }

    /// The keys of the rows that an entry of points is of.
    pub fn entry_keys(&self, id: EntryId<'_>, cause: Cause) -> Vec<RowKey> {
        match id {
            EntryId::Use(measure, month) => {
                self.word(measure).map(|measure| self.uses(measure, month..=month)).unwrap_or_default()
            }
            EntryId::Row(id) if cause == Cause::Adjustment => vec![RowKey::Adjustment(id.into())],
            // What expires, or makes up for what was missing, may have been an adjustment once.
            EntryId::Row(id) if matches!(cause, Cause::Expire | Cause::ClawBack | Cause::WriteOff) => {
                let is_adjustment = self.chunk.adjustments_of(self.slot).iter().any(|((_, _, of), _)| **of == *id);
                vec![if is_adjustment { RowKey::Adjustment(id.into()) } else { RowKey::MemberEvent(id.into()) }]
            }
            EntryId::Row(id) => vec![RowKey::MemberEvent(id.into())],
        }
    }

    /// The months of the window that ends so many months before `as_of`.
    fn window(&self, lag: i32) -> RangeInclusive<Month> {
        let window = self.explainer.published.programme.window as i32;
        let Some(last) = self.explainer.published.clock.as_of.map(|as_of| as_of.plus(-lag)) else { return none() };
        last.plus(1 - window)..=last
    }

    /// So many months that end with `as_of`.
    fn last(&self, months: i32) -> RangeInclusive<Month> {
        self.explainer.published.clock.as_of.map_or_else(none, |as_of| as_of.plus(1 - months)..=as_of)
    }

    fn bills(&self, months: RangeInclusive<Month>) -> Vec<RowKey> {
        let billed =
            self.chunk.bills.iter().filter(|(month, bills)| months.contains(month) && bills.present.get(self.slot));
        billed.map(|(month, _)| RowKey::Bill(self.customer, *month)).collect()
    }

    /// Of use, months are kept: every day of those in which there was any may have a row.
    fn uses(&self, measure: Word, months: RangeInclusive<Month>) -> Vec<RowKey> {
        let months = (months.start().0..=months.end().0).map(Month);
        let used = months
            .filter(|month| self.chunk.usage.get(&(measure, *month)).is_some_and(|sums| sums.get(self.slot) != 0));
        let days = used.flat_map(|month| (month.first_day().0..=month.last_day().0).map(Day));
        days.map(|day| RowKey::Usage(self.customer, day, measure)).collect()
    }

    /// His orders of a product.
    fn orders(&self, product: Word) -> Vec<RowKey> {
        let Some(orders) = self.chunk.orders.get(&product) else { return Vec::new() };
        let own = orders.rows.range(|(slot, ..)| usize::from(*slot).cmp(&self.slot));
        own.iter().map(|((_, _, id), _)| RowKey::Order(id.clone())).collect()
    }

    fn orders_and_use(&self, product: Word, months: i32) -> Vec<RowKey> {
        let measure = self.explainer.published.services.measures().find(|(of, _)| *of == product);
        let uses = measure.map(|(_, measure)| self.uses(measure, self.last(months))).unwrap_or_default();
        self.orders(product).into_iter().chain(uses).collect()
    }

    /// What he said of a purpose.
    pub fn consents(&self, purpose: Word) -> Vec<RowKey> {
        let Some(said) = self.chunk.consents.get(&purpose) else { return Vec::new() };
        let own = said.rows.range(|(slot, ..)| usize::from(*slot).cmp(&self.slot));
        own.iter().map(|((_, at, channel), _)| RowKey::Consent(self.customer, purpose, *channel, *at)).collect()
    }

    fn latest_consents(&self, purpose: Word) -> Vec<RowKey> {
        let mut keys = self.consents(purpose);
        if let Some(RowKey::Consent(_, _, _, latest)) = keys.last().cloned() {
            keys.retain(|key| matches!(key, RowKey::Consent(_, _, _, at) if *at == latest));
        }
        keys
    }

    /// His latest terminal.
    pub fn terminal(&self) -> Vec<RowKey> {
        let own = self.chunk.terminals.range(|(slot, _)| usize::from(*slot).cmp(&self.slot));
        own.last().map(|((_, day), _)| RowKey::Terminal(self.customer, *day)).into_iter().collect()
    }

    fn participations(&self, kind: Word) -> Vec<RowKey> {
        let Some(last) = self.explainer.published.clock.as_of else { return Vec::new() };
        let (from, until) = (last.plus(-11).first_day().start(), last.plus(1).first_day().start());
        let is_one = |kind_of: EventKind, detail: Word| kind_of == EventKind::Participate && detail == kind;
        let events = self.chunk.events_of(self.slot).iter();
        let own = events.filter(|row| is_one(row.event.kind, row.event.detail) && (from..until).contains(&row.at));
        own.map(|row| RowKey::MemberEvent(row.id.into())).collect()
    }

    /// The event that last made him a member, or no member.
    fn memberships(&self) -> Vec<RowKey> {
        let is_one = |kind: EventKind| matches!(kind, EventKind::Register | EventKind::Deregister);
        let last = self.chunk.events_of(self.slot).iter().filter(|row| is_one(row.event.kind)).last();
        last.map(|row| RowKey::MemberEvent(row.id.into())).into_iter().collect()
    }

    /// What campaigns did, by campaign and channel.
    pub fn contacts(&self, is_one: impl Fn(Word, Word) -> bool) -> Vec<RowKey> {
        let contacts = of_slot(&self.chunk.contacts, self.slot).iter();
        let contacts = contacts.filter(|(_, contact)| is_one(contact.campaign, contact.channel));
        let handoffs = of_slot(&self.chunk.handoffs, self.slot).iter();
        let handoffs = handoffs.filter(|(_, handoff)| is_one(handoff.campaign, handoff.channel));
        let contacts = contacts.map(|((_, _, id), _)| RowKey::Contact(id.clone()));
        contacts.chain(handoffs.map(|((_, _, id), _)| RowKey::Handoff(id.clone()))).collect()
    }

    /// What he answered.
    pub fn feedbacks(&self, is_one: impl Fn(dataflows::records::FeedbackKind) -> bool) -> Vec<RowKey> {
        let own = of_slot(&self.chunk.feedbacks, self.slot).iter().filter(|(_, feedback)| is_one(feedback.kind));
        own.map(|((_, _, id), _)| RowKey::Feedback(id.clone())).collect()
    }

    /// His latest order of each of some products.
    pub fn latest_orders(&self, products: &[Word]) -> Vec<RowKey> {
        products.iter().filter_map(|product| self.orders(*product).pop()).collect()
    }
}

/// No month at all.
fn none() -> RangeInclusive<Month> {
    RangeInclusive::new(Month(1), Month(0))
}
