//! Rows of several feeds as the texts of extracts, in the partitions that they become.

use dataflows::records::{Feed, RequestState, RowKey};
use dataflows::types::Time;
use sha2::{Digest, Sha256};

use crate::intake::requests::Part;
use crate::store::Store;

/// The columns that are written of each feed.
fn columns(feed: Feed) -> &'static [&'static str] {
    match feed {
        Feed::OrderRequest => &[
            "request_id",
            "state",
            "customer_id",
            "product_id",
            "campaign_id",
            "channel_id",
            "at",
            "code",
            "text",
            "by",
        ],
        Feed::Order => &["order_id", "customer_id", "product_id", "action", "channel_id", "at"],
        Feed::Feedback => {
            &["feedback_id", "campaign_id", "customer_id", "kind", "at", "channel_id", "product_id", "reason"]
        }
        Feed::Contact => &["contact_id", "campaign_id", "customer_id", "channel_id", "at", "outcome"],
        _ => &[],
    }
}

/// Rows to be written, by feed, in the order in which they are to be durable.
#[derive(Default)]
pub(crate) struct Entry(Vec<(Feed, Vec<Vec<String>>)>);

impl Entry {
    /// Adds a row of a feed, in the order of its columns.
    pub fn add<const N: usize>(&mut self, feed: Feed, row: [&str; N]) {
        let row = row.map(str::to_owned).to_vec();
        match self.0.iter_mut().find(|(of, _)| *of == feed) {
            Some((_, rows)) => rows.push(row),
            None => self.0.push((feed, vec![row])),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts, each as a partition of a day that nobody has.
    pub fn parts(&self, store: &mut Store, day: &str) -> Result<Vec<Part>, String> {
        let part = |(feed, rows): &(Feed, Vec<Vec<String>>)| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let written = writer.write_record(columns(*feed));
            let written = written.and_then(|()| rows.iter().try_for_each(|row| writer.write_record(row)));
            written.map_err(|error| error.to_string())?;
            let text = writer.into_inner().map_err(|error| error.to_string())?;
            Ok((store.next_partition(*feed, day), text))
        };
        self.0.iter().map(part).collect()
    }
}

/// A request as it is written.
pub(crate) struct Request<'r> {
    pub id: &'r str,
    pub customer: &'r str,
    pub product: &'r str,
    pub campaign: &'r str,
    pub channel: &'r str,
    pub at: Time,
}

impl Entry {
    /// A state that a request came to, with code, text and who says so.
    pub fn request(&mut self, request: &Request<'_>, state: RequestState, [code, text, by]: [&str; 3]) {
        let Request { id, customer, product, campaign, channel, at } = request;
        let at = at.to_string();
        let row = [id, state.name(), customer, product, campaign, channel, &at, code, text, by];
        self.add(Feed::OrderRequest, row);
    }

    /// What follows from a request that was opened: the order, and what it was to its campaign. What stands of it
    /// already is left as it is, and what was deleted is not made again.
    pub fn opened(&mut self, request: &Request<'_>, store: &Store) {
        let Request { id, customer, product, campaign, channel, at } = request;
        let at = at.to_string();
        if !store.has_ever(&RowKey::Order((*id).into())) {
            self.add(Feed::Order, [id, customer, product, "subscribe", channel, &at]);
        }
        let feedback_id = feedback_id("order", id);
        if !campaign.is_empty() && !store.has_ever(&RowKey::Feedback(feedback_id.as_str().into())) {
            self.add(Feed::Feedback, [&feedback_id, campaign, customer, "order", &at, channel, product, ""]);
        }
    }
}

/// The id of the feedback that something means: the same has the same for ever.
pub(crate) fn feedback_id(kind: &str, of: &str) -> String {
    format!("{kind}-{of}")
}

/// An id that stands for texts: the first 16 bytes of their hash.
pub(crate) fn id_of(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hex::encode(&hash.finalize()[..16])
}
