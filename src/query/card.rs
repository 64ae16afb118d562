//! One customer's card.

use dataflows::attributes::AttributeRow;
use dataflows::table::chunk::{NO_DATE, unpacked};
use serde::Serialize;

use super::customers::attributes;
use super::points::walked;
use super::rows::tier_of;
use super::{Cell, view};
use crate::engine::Published;
use crate::store::Dictionary;

/// What is known of a customer, as a front desk reads it. Numbers are decimal texts, so that no
/// reader rounds them.
#[derive(Serialize, Debug)]
pub struct Card {
    pub customer_id: String,
    pub epoch: u64,
    pub as_of: Option<String>,
    pub tier: Option<String>,
    pub since: Option<String>,
    pub segments: Vec<String>,
    /// None where points_balance has no row.
    pub points: Option<i64>,
    /// Of these, what can be spent now.
    pub spendable: Option<i64>,
    pub rank: Option<String>,
    pub next_rank: Option<String>,
    /// What is missing to it.
    pub points_to_next: Option<i64>,
    pub member: bool,
    /// Who brought him into the community.
    pub referrer: Option<String>,
    /// Whom he brought in, himself and with those that they brought in.
    pub referred_direct: u32,
    pub referred_total: u32,
    pub attributes: serde_json::Map<String, serde_json::Value>,
    pub holds: Vec<String>,
    pub lists: Vec<String>,
    /// Purposes consented to.
    pub consents: Vec<String>,
    pub terminal: Vec<String>,
}

/// The card of a customer, where there is one of that id. The phone number has none to show: only
/// its token is kept.
pub fn card(published: &Published, names: &Dictionary, customer_id: &str) -> Option<Card> {
    let customer = dataflows::types::CustomerIx(names.customers.find(customer_id)?);
    let (chunk, slot) = published.customer(customer)?;
    let word = |word: u32| names.words.text(word).filter(|text| !text.is_empty()).map(str::to_owned);
    let tier = tier_of(published, chunk, slot);
    let (tier, since) = tier.unwrap_or_default();
    let mut row: Option<AttributeRow> = None;
    let Ok(()) = attributes(published, &[customer], |_, made| {
        row = Some(made);
        Ok::<(), std::convert::Infallible>(())
    });
    let mut fields = serde_json::Map::new();
    for (name, column) in TEXTS.iter().zip(&chunk.customers.texts) {
        fields.insert((*name).to_owned(), word(column.get(slot)).into());
    }
    for (name, date) in
        [("birth_date", chunk.customers.birth_date[slot]), ("joined_on", chunk.customers.joined_on[slot])]
    {
        let (year, rest) = unpacked(date);
        let date = (date != NO_DATE).then(|| format!("{year:04}-{:02}-{:02}", rest >> 5, rest & 31));
        fields.insert(name.to_owned(), date.into());
    }
    if let Some(row) = row {
        let mut cells = vec![Cell::Integer(row.months_billed)];
        cells.extend(row.averages.map(Cell::hundredths));
        cells.push(Cell::hundredths(row.last_fee));
        cells.extend(row.changes.map(Cell::hundredths));
        cells.extend([row.age, row.tenure_months].map(Cell::whole));
        let columns = view("customer_attribute").map_or(&[][..], |view| &view.columns[2..]);
        for (column, cell) in columns.iter().zip(cells) {
            let value = if cell == Cell::Null { serde_json::Value::Null } else { cell.to_string().into() };
            fields.insert(column.name.to_owned(), value);
        }
    }
    let slot_key = slot as u16;
    let now = published.clock.now;
    let lists = chunk.listings.iter().filter(|(_, rows)| {
        rows.get(&slot_key).is_some_and(|(from, until)| {
            from.is_none_or(|from| now.is_some_and(|now| from <= now))
                && until.is_none_or(|until| now.is_some_and(|now| now < until))
        })
    });
    let consents = chunk.consents.iter().filter(|(_, consents)| consents.given.get(slot));
    let holds = chunk.orders.iter().filter(|(_, orders)| orders.holders.get(slot));
    let terminal =
        chunk.terminals.range(|(held, _)| held.cmp(&slot_key)).last().and_then(|(_, supports)| word(supports.0));
    let balance = chunk.points.get(slot);
    let points = balance.filter(|_| published.points.is_there).map(|balance| balance.left);
    let next = points.and_then(|points| published.points.next_rank(points));
    let account = walked(published, &|word, name| names.words.text(word.0) == Some(name), customer);
    let node = published.forest.node(customer);
    let referrer = published.forest.parent(customer).and_then(|referrer| names.customers.text(referrer.0));
    let members = published.programme.segments.iter().zip(chunk.segments.iter());
    Some(Card {
        customer_id: customer_id.to_owned(),
        epoch: published.epoch,
        as_of: published.clock.as_of.map(|month| month.to_string()),
        tier: tier.map(str::to_owned),
        since: since.map(|month| month.to_string()),
        segments: members.filter(|(_, members)| members.get(slot)).map(|(segment, _)| segment.id.clone()).collect(),
        points,
        spendable: account.map(|account| account.spendable),
        rank: points.and_then(|points| word(published.points.rank(points).0)),
        next_rank: next.and_then(|(rank, _)| word(rank.0)),
        points_to_next: next.map(|(_, missing)| missing),
        member: balance.is_some_and(|balance| balance.member),
        referrer: referrer.map(str::to_owned),
        referred_direct: node.map_or(0, |node| node.direct),
        referred_total: node.map_or(0, |node| node.total),
        attributes: fields,
        holds: holds.filter_map(|(product, _)| word(product.0)).collect(),
        lists: lists.filter_map(|(list, _)| word(list.0)).collect(),
        consents: consents.filter_map(|(purpose, _)| word(purpose.0)).collect(),
        terminal: terminal.map(|supports| supports.split(';').map(str::to_owned).collect()).unwrap_or_default(),
    })
}

/// In the order in which a chunk keeps them.
const TEXTS: [&str; dataflows::table::chunk::TEXTS] =
    ["gender", "city", "district", "status", "brand", "group_type", "occupation", "employer", "income_band"];
