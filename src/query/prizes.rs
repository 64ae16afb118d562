//! Prizes: who ordered from a campaign that draws one, in the order in which they are drawn.
//!
//! Decided here, where the contract is silent: the draw of a customer is SHA-256 (FIPS 180-4) over
//! `campaign_id:prize:customer_id`, its first 8 bytes; the smallest `quota` of those with `order` feedback win. So
//! anybody can draw again, and nobody can choose. It is final when the campaign is closed: until then orders come and go.

use std::collections::BTreeMap;

use dataflows::records::FeedbackKind;
use sha2::{Digest, Sha256};

use super::Cell;
use super::rows::{Sources, Visit};

pub(super) fn prize<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, document, .. } = sources;
    let prizes = document.plans.iter().filter_map(|plan| Some((plan.id.as_str(), plan.prize?.quota)));
    let quotas: BTreeMap<&str, u32> = prizes.collect();
    let mut drawn: BTreeMap<&str, Vec<([u8; 8], &str)>> = BTreeMap::new();
    // Everybody's draws decide who wins, whoever is asked for.
    for (chunk, customer) in published.everybody() {
        let orders = chunk.feedbacks.rows().iter().filter(|(_, feedback)| feedback.kind == FeedbackKind::Order);
        for ((slot, ..), feedback) in orders {
            let campaign = names.words.text(feedback.campaign.0).and_then(|id| quotas.get_key_value(id));
            let Some((campaign, _)) = campaign else { continue };
            let id = names.customers.text(customer(usize::from(*slot)).0).unwrap_or_default();
            drawn.entry(campaign).or_default().push((draw(campaign, id), id));
        }
    }
    for (campaign, mut drawn) in drawn {
        drawn.sort_unstable();
        drawn.dedup();
        let quota = quotas.get(campaign).copied().unwrap_or(0);
        let mut rows: Vec<(&str, i64, [u8; 8])> =
            (1..).zip(&drawn).map(|(place, (draw, customer))| (*customer, place, *draw)).collect();
        rows.sort_unstable();
        for (customer, place, draw) in rows {
            let draw = hex::encode(draw);
            visit(&[
                Cell::text(Some(campaign)),
                Cell::text(Some(customer)),
                Cell::Text(draw.into()),
                Cell::Integer(place),
                Cell::Boolean(place <= i64::from(quota)),
            ])?;
        }
    }
    Ok(())
}

fn draw(campaign: &str, customer: &str) -> [u8; 8] {
    let hash = Sha256::digest(format!("{campaign}:prize:{customer}"));
    std::array::from_fn(|place| hash[place])
}
