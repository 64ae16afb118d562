//! What a store holds, in words: comparable between stores that number names otherwise.

use std::fmt::Write;

use cohortflow::store::{Dictionary, Store};
use dataflows::oracle::Standing;
use dataflows::records::{RowKey, Rows};
use dataflows::types::{CustomerIx, Word};

use crate::subject::Subject;

/// Lines, each part in an order that does not depend on how it came about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    pub standing: Vec<String>,
    pub ledger: Vec<String>,
    pub quarantine: Vec<String>,
    pub partitions: Vec<String>,
    pub programme: String,
}

impl State {
    pub fn of(subject: &Subject) -> State {
        let dictionary = subject.store.dictionary();
        let names = dictionary.read();
        let mut quarantine = Vec::new();
        subject.store.quarantine(|file, reject| quarantine.push(format!("{file} {reject:?}"))).expect("readable");
        quarantine.sort();
        State {
            standing: standing(subject, &names),
            ledger: ledger(&subject.store),
            quarantine,
            partitions: partitions(&subject.store, &names),
            programme: format!("{:?}", subject.store.programme()),
        }
    }

    /// Where the two differ first; nothing where they do not.
    pub fn difference(&self, other: &State) -> Option<String> {
        let parts = [
            ("standing", &self.standing, &other.standing),
            ("ledger", &self.ledger, &other.ledger),
            ("quarantine", &self.quarantine, &other.quarantine),
            ("partitions", &self.partitions, &other.partitions),
        ];
        for (part, one, two) in parts {
            let only = |one: &[String], two: &[String]| one.iter().find(|line| !two.contains(line)).cloned();
            if one != two {
                return Some(format!("{part}: only here {:?}, only there {:?}", only(one, two), only(two, one)));
            }
        }
        (self.programme != other.programme).then(|| format!("programme: {} {}", self.programme, other.programme))
    }
}

fn ledger(store: &Store) -> Vec<String> {
    let entries = store.ledger().entries();
    let line = |entry: &cohortflow::store::Entry| {
        let sha256: String = entry.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let (partition, version, status) = (&entry.partition, entry.version, entry.status);
        format!("{partition:?} v{version} {status} {} {:?} {sha256} {}", entry.file, entry.rows, entry.reason)
    };
    let mut lines: Vec<String> = entries.map(line).collect();
    lines.sort();
    lines
}

/// What stands by the facts that were told, words by what was told of them.
pub fn standing(subject: &Subject, names: &Dictionary) -> Vec<String> {
    let standing: &Standing = &subject.standing;
    let customer = |customer: &CustomerIx| names.customers.text(customer.0).expect("a customer has a name").to_owned();
    let word = |word: &Word| standing.words[word.0 as usize].to_string();
    let mut lines = subject.told.lines(&subject.store, names);
    for (who, fields) in &standing.customers {
        let mut line = format!("customer {}", customer(who));
        let texts = [("gender", fields.gender), ("city", fields.city), ("status", fields.status)];
        for (name, value) in texts.iter().filter(|(_, value)| !value.is_null()) {
            let _ = write!(line, " {name}={}", word(value));
        }
        lines.push(line);
    }
    for ((who, month), bill) in &standing.bills {
        lines.push(format!("bill {} {month} {} {}", customer(who), bill.total_fee, bill.data_kb));
    }
    for ((who, measure, month), sum) in &standing.usage {
        lines.push(format!("usage {} {} {month} {sum}", customer(who), word(measure)));
    }
    for ((who, day), supports) in &standing.terminals {
        lines.push(format!("terminal {} {day} {}", customer(who), word(supports)));
    }
    for ((who, product, at, id), order) in &standing.orders {
        lines.push(format!("order {id} {} {} {at} {:?}", customer(who), word(product), order.action));
    }
    for ((who, at, id), event) in &standing.events {
        let (kind, product) = (event.kind, word(&event.product));
        lines.push(format!("event {id} {} {at} {kind:?} {product} {:?}", customer(who), event.result));
    }
    for ((who, at, id), points) in &standing.adjustments {
        lines.push(format!("adjustment {id} {} {at} {points}", customer(who)));
    }
    for ((who, list), (from, until)) in &standing.listings {
        lines.push(format!("listing {} {} {from:?} {until:?}", customer(who), word(list)));
    }
    for ((who, purpose, channel, at), given) in &standing.consents {
        lines.push(format!("consent {} {} {} {at} {given}", customer(who), word(purpose), word(channel)));
    }
    for ((who, model), value) in &standing.scores {
        lines.push(format!("score {} {} {value}", customer(who), word(model)));
    }
    let clock = standing.clock;
    lines.push(format!("clock {:?} {:?}", clock.as_of.map(|month| month.to_string()), clock.now));
    lines.sort();
    lines
}

/// Every live partition with all that is kept of its rows.
fn partitions(store: &Store, names: &Dictionary) -> Vec<String> {
    let mut lines = Vec::new();
    let customer = |customer: CustomerIx| names.customers.text(customer.0).expect("a customer has a name").to_owned();
    let word = |word: Word| names.words.text(word.0).expect("a word has a text").to_owned();
    let visited = store.live_partitions(|partition, content| {
        let head = format!("{partition:?}");
        lines.push(format!("{head} {} rows, {} deleted", content.rows.len(), content.deleted.len()));
        lines.extend(content.deleted.iter().map(|key| {
            let date = match key {
                RowKey::Terminal(_, day) | RowKey::Usage(_, day, _) => day.to_string(),
                RowKey::Bill(_, month) => month.to_string(),
                RowKey::Consent(.., at) => at.to_string(),
                _ => String::new(),
            };
            let words = key.words().map(|of| if of.is_null() { String::new() } else { word(of) });
            format!("{head} deletes {:?} {words:?} {date} {:?}", key.customer().map(customer), key.id())
        }));
        match &content.rows {
            Rows::Customer(rows) => lines.extend(rows.iter().map(|row| {
                let (token, fields) = (row.fields.number.map(|token| token.0), row.fields);
                format!("{head} {} {token:?} {:?} {}", customer(row.customer), row.household_id, word(fields.city))
            })),
            Rows::Product(rows) => lines.extend(rows.iter().map(|row| {
                let (name, price, value) = (&row.name, row.monthly_price, row.value);
                format!(
                    "{head} {} {name:?} {} {price:?} {value:?} {:?}",
                    word(row.product),
                    word(row.category),
                    row.traits
                )
            })),
            Rows::Channel(rows) => lines.extend(rows.iter().map(|row| {
                format!("{head} {} {:?} {:?} {:?}", word(row.channel), row.name, row.unit_cost, row.daily_capacity)
            })),
            Rows::Terminal(rows) => lines.extend(rows.iter().map(|row| {
                format!("{head} {} {} {:?} {:?}", customer(row.customer), row.seen_on, row.imei, row.model)
            })),
            Rows::Listing(rows) => lines.extend(
                rows.iter().map(|row| format!("{head} {} {} {:?}", word(row.list), customer(row.customer), row.reason)),
            ),
            Rows::MemberEvent(rows) => lines.extend(rows.iter().map(|row| {
                let (id, other) = (&row.event_id, row.event.other.map(customer));
                format!(
                    "{head} {id} {} {} {other:?} {}",
                    customer(row.customer),
                    row.event.points,
                    word(row.event.detail)
                )
            })),
            Rows::Adjustment(rows) => lines.extend(rows.iter().map(|row| {
                let (id, points) = (&row.adjustment_id, row.points);
                format!("{head} {id} {} {points} {} {:?}", customer(row.customer), row.reason, row.by)
            })),
            Rows::Score(rows) => {
                lines.extend(rows.iter().map(|row| format!("{head} {} {:?}", customer(row.customer), row.at)));
            }
            // The whole of their rows is told, or asked of the store.
            Rows::Contact(_) | Rows::Feedback(_) | Rows::CampaignState(_) | Rows::Handoff(_) => {}
            // Of a request the last state is asked of the store; those that it went through are kept too.
            Rows::OrderRequest(rows) => lines.extend(rows.iter().map(|row| {
                let (id, of) = (&row.request_id, [row.product, row.campaign, row.channel].map(word));
                let (who, state, at) = (customer(row.customer), row.state, row.at);
                format!("{head} {id} {state:?} {who} {of:?} {at} {:?} {:?} {:?}", row.code, row.text, row.by)
            })),
            Rows::Provisioning(_) => {}
            Rows::Bill(_) | Rows::Usage(_) | Rows::Order(_) | Rows::Consent(_) => {}
        }
        Ok(())
    });
    visited.expect("readable");
    lines.sort();
    lines
}
