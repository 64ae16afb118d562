//! What campaigns brought in: as delivered, and by the formula of the field.
//!
//! New revenue = new customers x unit price x months of use (mission, section 7). A new customer is one who ordered
//! and was not kept back as control; he uses the product from the month of his first order to that of `now`, both
//! counted. The price is that of the product his order names, or else the campaign's; a product without a price
//! brings nothing.

use std::collections::BTreeMap;

use dataflows::targets::Offer;
use dataflows::types::Word;
use dataflows::views::{Change, Family};

use super::{Cell, Group, Sources, Visit, by_channel, sorted, text};

pub(in crate::query) fn effect_revenue<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    /// Customers, months of use, revenue by the formula, revenue as delivered; in fen.
    type Row = (i64, i64, i128, i128);
    let mut rows: BTreeMap<Word, Row> = BTreeMap::new();
    let now = sources.published.clock.now.map(|now| now.day().month());
    for (cell, count) in sources.published.counts_of(Family::FirstOrder) {
        let Change::FirstOrder { campaign, product, day } = cell else { continue };
        let months = now.map_or(0, |now| i64::from(now.0 - day.month().0 + 1).max(0)) * count as i64;
        let row = rows.entry(campaign).or_default();
        row.0 += count as i64;
        row.1 += months;
        row.2 += i128::from(months) * i128::from(price(sources, campaign, product));
    }
    for ((campaign, _, group), counted) in by_channel(sources) {
        if group != Group::Control
            && let Some(row) = rows.get_mut(&campaign)
        {
            row.3 += counted.revenue();
        }
    }
    let row = |(campaign, (customers, months, formula, delivered)): (Word, Row)| {
        vec![
            text(sources, campaign),
            Cell::Integer(customers),
            Cell::Integer(months),
            Cell::Hundredths(formula),
            Cell::Hundredths(delivered),
        ]
    };
    sorted(rows.into_iter().map(row), visit)
}

/// The monthly price of what was ordered, in fen.
fn price(sources: Sources<'_>, campaign: Word, product: Word) -> i64 {
    let Sources { published, names, .. } = sources;
    let campaign = names.words.text(campaign.0);
    let offered = || {
        let campaign = published.programme.campaigns.iter().find(|of| Some(&*of.id) == campaign)?;
        let Offer::Product(product) = &campaign.offer else { return None };
        published.catalog.products().find(|(word, _)| names.words.text(word.0) == Some(product)).map(|(_, row)| row)
    };
    let ordered = if product.is_null() { offered() } else { Some(published.catalog.product(product)) };
    ordered.and_then(|product| product.monthly_price).unwrap_or(0)
}
