//! What a store told of products, ids and campaigns, kept as facts say it.

use std::collections::BTreeMap;

use cohortflow::store::{Dictionary, Store};
use dataflows::facts::{Channel, Facts, MomentFact, Product};
use dataflows::records::{Contact, Feedback, Handoff, HandoffRow, State};
use dataflows::types::{CustomerIx, Time, Word};

/// What stands of a feed whose rows are told apart by ids: whose, when, what.
type Moments<T> = BTreeMap<String, (CustomerIx, Time, T)>;

/// What stands by what was told.
#[derive(Default)]
pub struct Told {
    contacts: Moments<Contact>,
    feedbacks: Moments<Feedback>,
    handoffs: Moments<Handoff>,
    products: BTreeMap<Word, Product>,
    campaigns: BTreeMap<Word, State>,
    /// How many customers' ids.
    ids: usize,
}

impl Told {
    /// Takes facts. Nothing is taken back that did not stand, and nobody is spoken of before his id was told.
    pub fn apply(&mut self, facts: &Facts, names: &Dictionary) {
        for (customer, id) in facts.ids.iter() {
            assert_eq!((customer.0 as usize, names.customers.text(customer.0)), (self.ids, Some(id)));
            self.ids += 1;
        }
        let customers = facts.customers.iter().map(|(customer, _)| *customer);
        let customers = customers.chain(facts.bills.iter().map(|(customer, ..)| *customer));
        for customer in customers.chain(facts.contacts.iter().map(|fact| fact.customer)) {
            assert!((customer.0 as usize) < self.ids, "customer {}", customer.0);
        }
        apply(&mut self.contacts, &facts.contacts);
        apply(&mut self.feedbacks, &facts.feedbacks);
        apply(&mut self.handoffs, &facts.handoffs);
        for (product, now) in &facts.products {
            let before = match now {
                Some(now) => self.products.insert(*product, *now),
                None => self.products.remove(product),
            };
            assert!(before.is_some() || now.is_some());
        }
        for (number, (campaign, state)) in facts.campaigns.iter().enumerate() {
            assert!(facts.campaigns[..number].iter().all(|(told, _)| told != campaign), "told twice");
            match state {
                Some(state) => drop(self.campaigns.insert(*campaign, *state)),
                None => drop(self.campaigns.remove(campaign)),
            }
        }
    }

    /// What was told, and what the store answers of it, in words.
    pub fn lines(&self, store: &Store, names: &Dictionary) -> Vec<String> {
        let customer = |customer: &CustomerIx| names.customers.text(customer.0).expect("a customer has a name");
        let word = |word: &Word| names.words.text(word.0).expect("a word has a text");
        let mut lines = Vec::new();
        for (id, (who, at, Contact { campaign, channel, outcome, arm })) in &self.contacts {
            let (campaign, channel) = (word(campaign), word(channel));
            lines.push(format!("contact {id} {} {at} {campaign} {channel} {outcome:?} {arm:?}", customer(who)));
        }
        for (id, (who, at, of)) in &self.feedbacks {
            let words = [of.campaign, of.channel, of.product, of.reason];
            let [campaign, channel, product, reason] = words.map(|of| word(&of).to_owned());
            let (kind, amount, value) = (of.kind, of.amount, of.value);
            lines.push(format!(
                "feedback {id} {} {at} {campaign} {kind:?} {channel} {product} {reason} {amount:?} {value:?}",
                customer(who)
            ));
        }
        for (id, (who, at, Handoff { campaign, step, channel, arm, cost })) in &self.handoffs {
            assert!(store.has_handoff(id), "{id}");
            let (campaign, channel) = (word(campaign), word(channel));
            lines.push(format!("handoff {id} {} {at} {campaign} {step} {channel} {arm:?} {cost}", customer(who)));
        }
        // Ids that differ in one digit, or in how it is written, are others.
        for id in (0..HANDOFFS).map(handoff_id).filter(|id| !self.handoffs.contains_key(id)) {
            assert!(!store.has_handoff(&id), "{id}");
        }
        assert!(self.handoffs.keys().all(|id| !store.has_handoff(&id.to_uppercase()) && !store.has_handoff(&id[1..])));
        for (product, Product { requires, value, .. }) in &self.products {
            let category = store.category(*product).unwrap_or(Word::NULL);
            lines.push(format!("product {} {} {} {value:?}", word(product), word(&category), word(requires)));
        }
        for number in 0..names.words.len() as u32 {
            if let Some(Channel { unit_cost, daily_capacity }) = store.channel(Word(number)) {
                lines.push(format!("channel {} {unit_cost:?} {daily_capacity:?}", word(&Word(number))));
            }
        }
        lines.extend(orders(store, names));
        lines.extend(self.campaigns.iter().map(|(campaign, state)| format!("campaign {} {state:?}", word(campaign))));
        for (campaign, rows) in store.campaign_states() {
            for (place, row) in rows.enumerate() {
                assert_eq!(row.campaign, campaign);
                let (campaign, city) = (word(&campaign), word(&row.city));
                let (id, at, state) = (&row.change_id, row.at, row.state);
                lines.push(format!("change {campaign} {place} {id} {at} {state:?} {city} {} {:?}", row.by, row.note));
            }
        }
        lines
    }
}

/// What customers ordered, and what became of it: no facts tell of these.
fn orders(store: &Store, names: &Dictionary) -> Vec<String> {
    let word = |word: &Word| names.words.text(word.0).expect("a word has a text");
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for row in store.order_requests().all() {
        let (id, customer) = (&row.request_id, names.customers.text(row.customer.0).expect("a customer has a name"));
        assert_eq!(store.order_requests().request(id).map(|row| row.state), Some(row.state));
        let own = store.order_requests().of(row.customer).filter(|own| own.request_id == *id);
        assert_eq!(own.count(), 1, "{id}");
        let [product, campaign, channel] = [row.product, row.campaign, row.channel].map(|of| word(&of));
        let [code, said, by] = [&row.code, &row.text, &row.by].map(text);
        let (at, state) = (row.at, row.state.name());
        lines.push(format!("request {id} {customer} {product} {campaign} {channel} {at} {state} {code} {said} {by}"));
    }
    let mut answered = 0;
    for row in store.answers() {
        let (id, at, state) = (&row.request_id, row.at, row.state.name());
        assert!(store.has_answer(id), "{id}");
        lines.push(format!("answer {id} {at} {state} {} {}", text(&row.code), text(&row.text)));
        answered += 1;
    }
    assert_eq!((0..HANDOFFS).filter(|number| store.has_answer(&handoff_id(*number))).count(), answered);
    lines
}

fn apply<T: Copy>(standing: &mut Moments<T>, facts: &[MomentFact<T>]) {
    for fact in facts {
        let id = fact.id.to_string();
        match fact.value {
            Some(value) => {
                let before = standing.insert(id, (fact.customer, fact.at, value));
                assert!(before.is_none(), "{} was not taken back", fact.id);
            }
            None => {
                let before = standing.remove(&id).map(|(customer, at, _)| (customer, at));
                assert_eq!(before, Some((fact.customer, fact.at)), "{}", fact.id);
            }
        }
    }
}

/// Hand-offs of a history.
const HANDOFFS: u8 = 9;

/// Ids of hand-offs that differ in their first, their middle, or their last byte.
pub fn handoff_id(number: u8) -> String {
    let mut digest = [0xa0; 16];
    digest[[0, 8, 15][usize::from(number % 3)]] = number;
    HandoffRow::id(digest).into()
}
