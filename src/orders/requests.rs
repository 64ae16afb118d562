//! A request is made: durable, once, and refused where something keeps the customer.

use std::sync::Arc;

use dataflows::records::{OrderRequestRow, RequestState};
use dataflows::types::{CustomerIx, Epoch, Word};

use super::entry::{self, Entry};
use super::fit::Person;
use crate::ingest::Partition;
use crate::intake::Intake;
use crate::intake::requests::Seal;
use crate::store::{Dictionary, Store, StoreError};

/// What is ordered, and by whom.
pub struct Asked<'r> {
    /// By which the request is known; the same for what is meant to be the same.
    pub id: String,
    pub customer: CustomerIx,
    pub product: Word,
    /// Empty where it is of none.
    pub campaign: &'r str,
    pub channel: &'r str,
    pub by: &'r str,
}

/// What the customer is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub text: String,
    pub is_link: bool,
}

/// A request as it is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub request_id: String,
    pub state: RequestState,
    pub customer: String,
    pub product: String,
    pub campaign: String,
    pub channel: String,
    pub code: Option<String>,
    pub reply: Words,
    /// What made it durable; none where it was before.
    pub entered: Option<(Epoch, Partition)>,
}

impl Told {
    /// What stands of a request.
    pub(crate) fn of(row: &OrderRequestRow, names: &Dictionary) -> Told {
        let word = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
        let own = row.text.as_deref();
        let text = own.unwrap_or(match row.state {
            RequestState::Requested => "Your order is taken; you are told when it is open.",
            RequestState::Opened => "What you ordered is open.",
            RequestState::Failed => "What you ordered could not be opened.",
        });
        // Links have neither blanks nor anything before their scheme; see `programme::restrictions`.
        let is_link =
            (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(char::is_whitespace);
        Told {
            request_id: row.request_id.to_string(),
            state: row.state,
            customer: names.customers.text(row.customer.0).unwrap_or_default().to_owned(),
            product: word(row.product),
            campaign: word(row.campaign),
            channel: word(row.channel),
            code: row.code.as_deref().map(str::to_owned),
            reply: Words { text: text.to_owned(), is_link },
            entered: None,
        }
    }
}

impl Intake {
    /// Makes a request durable, or tells what stands of it. What was accepted before is visible. A reason where it
    /// cannot be written.
    pub(crate) fn request(
        &self,
        store: &mut Store,
        asked: &Asked<'_>,
        seal: Seal,
    ) -> Result<Result<Told, String>, StoreError> {
        let (names, document) = (self.names(), self.document());
        let (_, wall) = self.settings();
        let at = self.clock(store.clock()).now.unwrap_or(wall);
        let mut entry = Entry::default();
        {
            let (names, published) = (names.read(), self.hub().published());
            if let Some(row) = standing(store, asked) {
                return Ok(Ok(Told::of(row, &names)));
            }
            let Some((chunk, slot)) = published.customer(asked.customer) else {
                return Ok(Err("nothing is known of the customer".to_owned()));
            };
            let person = Person { chunk, slot, names: &names, now: published.clock.now };
            let request = entry::Request {
                id: &asked.id,
                customer: names.customers.text(asked.customer.0).unwrap_or_default(),
                product: names.words.text(asked.product.0).unwrap_or_default(),
                campaign: asked.campaign,
                channel: asked.channel,
                at,
            };
            match person.kept(asked.product, store, &document.restrictions) {
                None => entry.request(&request, RequestState::Requested, ["", "", asked.by]),
                Some(kept) => {
                    let (text, _) = kept.text(person.opens_links());
                    entry.request(&request, RequestState::Failed, [kept.code(), text, asked.by]);
                }
            }
        }
        let entered = match self.write_down(store, &entry, seal)? {
            Ok(entered) => entered,
            Err(why) => return Ok(Err(why)),
        };
        if store.has_answer(&asked.id) {
            // The answer outlived its request, in an older copy of the data.
            self.take_answers(store)?;
        }
        let told = store.order_requests().request(&asked.id).map(|row| Told::of(row, &names.read()));
        Ok(told.map(|told| Told { entered: Some(entered), ..told }).ok_or_else(|| "it does not stand".to_owned()))
    }

    /// Makes rows durable and visible together, and notes them beside the outbox. Gives the first of the partitions.
    pub(crate) fn write_down(
        &self,
        store: &mut Store,
        entry: &Entry,
        seal: Seal,
    ) -> Result<Result<(Epoch, Partition), String>, StoreError> {
        let (_, wall) = self.settings();
        let parts = match entry.parts(store, &wall.day().to_string()) {
            Ok(parts) => parts,
            Err(why) => return Ok(Err(why)),
        };
        let Some((partition, _)) = parts.first().cloned() else { return Ok(Err("there is nothing in it".to_owned())) };
        let entered = match self.enter_all(store, &parts, seal)? {
            Ok(entered) => entered,
            Err(why) => return Ok(Err(why)),
        };
        let epoch = entered.epoch;
        self.tell(store, entered, true)?;
        Ok(Ok((epoch, partition)))
    }
}

/// The request that is meant: that of the id, or one of the same product that waits.
fn standing<'s>(store: &'s Store, asked: &Asked<'_>) -> Option<&'s Arc<OrderRequestRow>> {
    let requests = store.order_requests();
    let waits = |row: &&Arc<OrderRequestRow>| row.product == asked.product && row.state == RequestState::Requested;
    requests.request(&asked.id).or_else(|| requests.of(asked.customer).find(waits))
}

/// Longest text of a request that says who asks, in characters.
const BY_MAX: usize = 500;

/// What is wrong with who says something.
pub(crate) fn unsigned(by: &str) -> Option<String> {
    if by.trim().is_empty() {
        return Some("by says who relays it, and is empty".to_owned());
    }
    let is_line = !by.chars().any(char::is_control) && by.chars().count() <= BY_MAX;
    (!is_line).then(|| format!("expected one line of at most {BY_MAX} characters for by"))
}
