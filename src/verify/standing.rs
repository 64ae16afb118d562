//! What stands, found by sorting: live partitions in the order of their precedence, later rows over earlier ones,
//! and keys that they delete out of them.

use std::collections::BTreeMap;

use dataflows::facts::{AdjustmentFact, EventFact, Facts, MomentFact, OrderFact, Product, VolumeChanges};
use dataflows::oracle::Standing;
use dataflows::records::{CampaignStateRow, RowKey, Rows, State};
use dataflows::types::{CustomerIx, Day, Word};

use crate::engine::Published;
use crate::ingest::Partition;
use crate::store::content::Content;
use crate::store::{Dictionary, Store, StoreError};

/// What stands, from the log alone.
pub fn standing(store: &Store, published: &Published, words: &Dictionary) -> Result<Standing, StoreError> {
    let mut partitions: Vec<(Partition, std::rc::Rc<Content>)> = Vec::new();
    store.live_partitions(|partition, content| {
        partitions.push((partition.clone(), content));
        Ok(())
    })?;
    partitions.sort_by(|(left, _), (right, _)| left.cmp(right));
    let extent = words.extent();
    let (ids, words) = (words.ids_from(0, extent.customers), words.words_from(0, extent.words));
    let mut standing = Standing::under(words, published.clock, published.programme.clone());
    let (mut usage, mut orders) = (BTreeMap::new(), BTreeMap::new());
    let (mut events, mut adjustments) = (BTreeMap::new(), BTreeMap::new());
    let (mut contacts, mut feedbacks, mut handoffs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut products, mut states) = (BTreeMap::new(), BTreeMap::new());
    for (_, content) in &partitions {
        for key in &content.deleted {
            match key {
                RowKey::Customer(key) => {
                    standing.customers.remove(key);
                }
                RowKey::Bill(customer, month) => {
                    standing.bills.remove(&(*customer, *month));
                }
                RowKey::Terminal(customer, day) => {
                    standing.terminals.remove(&(*customer, *day));
                }
                RowKey::Usage(customer, day, measure) => {
                    usage.remove(&(*customer, *day, *measure));
                }
                RowKey::Listing(customer, list) => {
                    standing.listings.remove(&(*customer, *list));
                }
                RowKey::Consent(customer, purpose, channel, at) => {
                    standing.consents.remove(&(*customer, *purpose, *channel, *at));
                }
                RowKey::Score(customer, model) => {
                    standing.scores.remove(&(*customer, *model));
                }
                RowKey::Product(key) => {
                    products.remove(key);
                }
                RowKey::Order(key) => drop(orders.remove(key)),
                RowKey::MemberEvent(key) => drop(events.remove(key)),
                RowKey::Adjustment(key) => drop(adjustments.remove(key)),
                RowKey::Contact(key) => drop(contacts.remove(key)),
                RowKey::Feedback(key) => drop(feedbacks.remove(key)),
                RowKey::Channel(_) | RowKey::Handoff(_) => {}
            }
        }
        match &content.rows {
            Rows::Customer(rows) => standing.customers.extend(rows.iter().map(|row| (row.customer, row.fields))),
            Rows::Bill(rows) => standing.bills.extend(rows.iter().map(|row| ((row.customer, row.month), row.bill))),
            Rows::Terminal(rows) => {
                standing.terminals.extend(rows.iter().map(|row| ((row.customer, row.seen_on), row.supports)));
            }
            Rows::Usage(rows) => {
                usage.extend(rows.iter().map(|row| ((row.customer, row.day, row.measure), row.quantity)));
            }
            Rows::Order(rows) => orders.extend(rows.iter().map(|row| (row.order_id.clone(), row.clone()))),
            Rows::Listing(rows) => {
                standing.listings.extend(rows.iter().map(|row| ((row.customer, row.list), (row.from, row.until))));
            }
            Rows::Consent(rows) => standing
                .consents
                .extend(rows.iter().map(|row| ((row.customer, row.purpose, row.channel, row.at), row.given))),
            Rows::Score(rows) => {
                standing.scores.extend(rows.iter().map(|row| ((row.customer, row.model), row.value)));
            }
            Rows::MemberEvent(rows) => events.extend(rows.iter().map(|row| (row.event_id.clone(), row.clone()))),
            Rows::Adjustment(rows) => {
                adjustments.extend(rows.iter().map(|row| (row.adjustment_id.clone(), row.clone())));
            }
            Rows::Contact(rows) => contacts.extend(rows.iter().map(|row| (row.contact_id.clone(), row.clone()))),
            Rows::Feedback(rows) => feedbacks.extend(rows.iter().map(|row| (row.feedback_id.clone(), row.clone()))),
            Rows::Handoff(rows) => handoffs.extend(rows.iter().map(|row| (row.contact_id.clone(), row.clone()))),
            Rows::CampaignState(rows) => states.extend(rows.iter().map(|row| (row.change_id.clone(), row.clone()))),
            Rows::Product(rows) => {
                products.extend(rows.iter().map(|row| (row.product, Product::from(row))));
            }
            Rows::Channel(_) | Rows::OrderRequest(_) | Rows::Provisioning(_) => {}
        }
    }
    let facts = Facts {
        volumes: volumes(&usage),
        usage: usage.into_iter().map(|((customer, day, measure), sum)| (customer, day.month(), measure, sum)).collect(),
        orders: orders
            .into_values()
            .map(|row| OrderFact {
                customer: row.customer,
                product: row.product,
                at: row.at,
                order: Some(row.order()),
                order_id: row.order_id,
            })
            .collect(),
        events: events
            .into_values()
            .map(|row| EventFact { customer: row.customer, at: row.at, event_id: row.event_id, event: Some(row.event) })
            .collect(),
        adjustments: adjustments
            .into_values()
            .map(|row| AdjustmentFact {
                customer: row.customer,
                at: row.at,
                adjustment_id: row.adjustment_id,
                points: Some(row.points),
            })
            .collect(),
        contacts: contacts
            .into_values()
            .map(|row| MomentFact { customer: row.customer, at: row.at, id: row.contact_id, value: Some(row.contact) })
            .collect(),
        feedbacks: feedbacks
            .into_values()
            .map(|row| MomentFact {
                customer: row.customer,
                at: row.at,
                id: row.feedback_id,
                value: Some(row.feedback),
            })
            .collect(),
        handoffs: handoffs
            .into_values()
            .map(|row| MomentFact { customer: row.customer, at: row.at, id: row.contact_id, value: Some(row.handoff) })
            .collect(),
        ids,
        products: products.into_iter().map(|(product, offered)| (product, Some(offered))).collect(),
        campaigns: last_states(states.into_values()),
        ..Facts::default()
    };
    standing.apply(&facts);
    Ok(standing)
}

/// The state that each campaign as a whole came to last.
fn last_states(rows: impl Iterator<Item = CampaignStateRow>) -> Vec<(Word, Option<State>)> {
    let mut rows: Vec<_> = rows.filter(|row| row.city.is_null()).collect();
    rows.sort_by(|left, right| (left.at, &left.change_id).cmp(&(right.at, &right.change_id)));
    let last: BTreeMap<Word, State> = rows.into_iter().map(|row| (row.campaign, row.state)).collect();
    last.into_iter().map(|(campaign, state)| (campaign, Some(state))).collect()
}

/// What all customers use of each measure, day by day.
fn volumes(usage: &BTreeMap<(CustomerIx, Day, Word), i64>) -> VolumeChanges {
    let mut volumes = VolumeChanges::default();
    usage.iter().for_each(|((_, day, measure), quantity)| *volumes.entry((*measure, *day)).or_insert(0) += quantity);
    volumes
}

#[cfg(test)]
mod tests {
    use dataflows::types::Time;

    use super::*;

    #[test]
    fn a_campaign_is_where_its_last_change_left_it_and_cities_do_not_count() {
        const DALIAN: Word = Word(9);
        let row = |change_id: &str, campaign, at, state, city| CampaignStateRow {
            change_id: change_id.into(),
            campaign: Word(campaign),
            state,
            city,
            at: Time(at),
            by: "zhang".into(),
            note: None,
        };
        let rows = [
            // Of one second the greater id, as bytes; in whatever order they come.
            row("s9", 1, 5, State::Running, Word::NULL),
            row("s10", 1, 5, State::Approved, Word::NULL),
            row("s1", 1, 6, State::Accepted, DALIAN),
            row("s2", 1, 4, State::Closed, Word::NULL),
            // Nothing was said of it as a whole.
            row("s3", 2, 4, State::Accepted, DALIAN),
        ];
        assert_eq!(last_states(rows.into_iter()), [(Word(1), Some(State::Running))]);
    }
}
