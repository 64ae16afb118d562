//! What was asked by hand, and the journal beside the outbox lacks: its disk was full, and the service ended before there
//! was room. The store has it, and it is noted from there.
//!
//! A file that came under the name of an edit (`listing_2009-07-01_00000001.csv`) is noted too. Should an older copy of the
//! data be brought back, it is taken from the journal or from the landing directory, whichever is first: the rows are the
//! same.

use std::collections::HashSet;

use dataflows::records::{Action, FeedbackKind, Outcome, RowKey, Rows};
use dataflows::types::{CustomerIx, Time, Word};

use super::Intake;
use super::edits::of_edit;
use crate::campaigns::money;
use crate::handoff::Told;
use crate::ingest::objects::{DELETE, OPERATION};
use crate::store::content::Content;
use crate::store::{Dictionary, Entry, REQUEST, Status, Store, StoreError};

impl Intake {
    /// Notes what the store knows of and the journal, which has `noted`, does not.
    pub(crate) fn note_again(&self, store: &Store, noted: &[Told]) -> Result<(), StoreError> {
        let Some(handoffs) = self.handoffs() else { return Ok(()) };
        let noted: HashSet<(&str, &str, &str)> =
            noted.iter().map(|told| (&*told.feed, &*told.period, &*told.part)).collect();
        let is_lacking = |entry: &&Entry| {
            let of = &entry.partition;
            is_by_hand(entry) && !noted.contains(&(of.feed.name(), &*of.period, &*of.part))
        };
        let names = self.names();
        for entry in store.ledger().entries().filter(is_lacking) {
            let Some((_, content)) = store.partition(&entry.partition)? else { continue };
            let Some(text) = text(&content, &names.read()) else { continue };
            tracing::warn!(file = entry.file, "the journal of edits lacks it, and it is noted again");
            handoffs.tell(Told {
                feed: entry.partition.feed.name().to_owned(),
                period: entry.partition.period.clone(),
                part: entry.partition.part.clone(),
                file: entry.file.clone(),
                sha256: hex::encode(entry.sha256),
                text,
            });
        }
        Ok(())
    }
}

/// Whether what stands came as a request, or as a part of one.
fn is_by_hand(entry: &Entry) -> bool {
    let of = &entry.partition;
    let is_number = !of.part.is_empty() && of.part.bytes().all(|byte| byte.is_ascii_digit());
    entry.status == Status::Accepted
        && entry.version == 1
        && (entry.file.starts_with(REQUEST) || is_number && entry.file == of_edit(of).name)
}

/// What a partition holds as the text of an extract; none of feeds that are not noted.
fn text(content: &Content, names: &Dictionary) -> Option<String> {
    let customer = |customer: CustomerIx| names.customers.text(customer.0).unwrap_or_default().to_owned();
    let word = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
    let may = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let time = |at: Option<Time>| at.map_or(String::new(), |at| at.to_string());
    let amount = |fen: Option<i64>| fen.map_or(String::new(), |fen| money(fen.into()));
    let (columns, mut lines): (&str, Vec<Vec<String>>) = match &content.rows {
        Rows::Listing(rows) => {
            let line = |row: &dataflows::records::ListingRow| {
                vec![word(row.list), customer(row.customer), time(row.from), time(row.until), may(&row.reason)]
            };
            ("list_id,customer_id,from,until,reason", rows.iter().map(line).collect())
        }
        Rows::Consent(rows) => {
            let line = |row: &dataflows::records::ConsentRow| {
                let (at, given) = (row.at.to_string(), row.given.to_string());
                vec![customer(row.customer), word(row.purpose), word(row.channel), at, given]
            };
            ("customer_id,purpose,channel_id,at,given", rows.iter().map(line).collect())
        }
        Rows::Feedback(rows) => {
            let line = |row: &dataflows::records::FeedbackRow| {
                let of = &row.feedback;
                let kind = FeedbackKind::NAMES[of.kind as usize].to_owned();
                let [channel, product, reason] = [of.channel, of.product, of.reason].map(word);
                let (id, at) = (row.feedback_id.to_string(), row.at.to_string());
                let (campaign, who) = (word(of.campaign), customer(row.customer));
                vec![id, campaign, who, kind, at, channel, product, amount(of.amount), reason, amount(of.value)]
            };
            let columns = "feedback_id,campaign_id,customer_id,kind,at,channel_id,product_id,amount,reason,value";
            (columns, rows.iter().map(line).collect())
        }
        Rows::Contact(rows) => {
            let line = |row: &dataflows::records::ContactRow| {
                let of = &row.contact;
                let outcome = Outcome::NAMES[of.outcome as usize].to_owned();
                let (id, at, arm) = (row.contact_id.to_string(), row.at.to_string(), of.arm.name().to_owned());
                vec![id, word(of.campaign), customer(row.customer), word(of.channel), at, outcome, arm]
            };
            ("contact_id,campaign_id,customer_id,channel_id,at,outcome,arm", rows.iter().map(line).collect())
        }
        Rows::CampaignState(rows) => {
            let line = |row: &dataflows::records::CampaignStateRow| {
                let (id, state, at) = (row.change_id.to_string(), row.state.name().to_owned(), row.at.to_string());
                vec![id, word(row.campaign), state, word(row.city), at, row.by.to_string(), may(&row.note)]
            };
            ("change_id,campaign_id,state,city,at,by,note", rows.iter().map(line).collect())
        }
        Rows::OrderRequest(rows) => {
            let line = |row: &dataflows::records::OrderRequestRow| {
                let (id, state, at) = (row.request_id.to_string(), row.state.name().to_owned(), row.at.to_string());
                let [product, campaign, channel] = [row.product, row.campaign, row.channel].map(word);
                let [code, text, by] = [&row.code, &row.text, &row.by].map(may);
                vec![id, state, customer(row.customer), product, campaign, channel, at, code, text, by]
            };
            let columns = "request_id,state,customer_id,product_id,campaign_id,channel_id,at,code,text,by";
            (columns, rows.iter().map(line).collect())
        }
        Rows::Order(rows) => {
            let line = |row: &dataflows::records::OrderRow| {
                let action = match row.action {
                    Action::Subscribe => "subscribe",
                    Action::Cancel => "cancel",
                    Action::Trial => "trial",
                };
                let bundled = row.bundled.map_or(String::new(), |bundled| bundled.to_string());
                let (id, at) = (row.order_id.to_string(), row.at.to_string());
                let (product, channel) = (word(row.product), word(row.channel));
                vec![id, customer(row.customer), product, action.to_owned(), channel, at, bundled]
            };
            ("order_id,customer_id,product_id,action,channel_id,at,bundled", rows.iter().map(line).collect())
        }
        _ => return None,
    };
    let mut columns: Vec<&str> = columns.split(',').collect();
    if !content.deleted.is_empty() {
        lines.iter_mut().for_each(|line| line.push(String::new()));
        for key in &content.deleted {
            let mut key = match key {
                RowKey::Listing(of, list) => vec![("list_id", word(*list)), ("customer_id", customer(*of))],
                RowKey::Consent(of, purpose, channel, at) => vec![
                    ("customer_id", customer(*of)),
                    ("purpose", word(*purpose)),
                    ("channel_id", word(*channel)),
                    ("at", at.to_string()),
                ],
                key => vec![(*columns.first()?, key.id()?.to_owned())],
            };
            let cell = |column: &&str| {
                let place = key.iter().position(|(of, _)| of == column);
                place.map_or(String::new(), |place| key.swap_remove(place).1)
            };
            let line = columns.iter().map(cell).chain([DELETE.to_owned()]).collect();
            lines.push(line);
        }
        columns.push(OPERATION);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).ok()?;
    lines.iter().try_for_each(|line| writer.write_record(line)).ok()?;
    String::from_utf8(writer.into_inner().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataflows::records::Feed;
    use parking_lot::RwLock;

    use super::*;
    use crate::ingest::{self, Partition, Settings};
    use crate::intake::names::Naming;

    #[test]
    fn a_text_says_again_what_was_read() {
        let names = Arc::new(RwLock::new(Dictionary::new([7; 32])));
        let settings = Settings {
            timezone: jiff::tz::TimeZone::UTC,
            bad_rows_max: (0, 1),
            control_required: false,
            wall: Time(2_000_000_000),
            decoded_bytes_max: 1 << 20,
        };
        let texts = [
            (Feed::Listing, "list_id,customer_id,from,until,reason\nvip,c1,,2009-07-02 10:00:00,\"a, b\"\nvip,c2,,,\n"),
            (
                Feed::Listing,
                "list_id,customer_id,from,until,reason,_op\nvip,c1,,,a,\nvip,c2,2009-07-01,,b,delete\nquiet,c1,,,,delete\n",
            ),
            (
                Feed::Consent,
                "customer_id,purpose,channel_id,at,given,_op\nc1,music,sms,2009-07-01,true,\nc1,music,sms,2009-07-02 08:00:00,,delete\n",
            ),
            (
                Feed::Feedback,
                "feedback_id,campaign_id,customer_id,kind,at,_op\nf1,-,c1,optout,2009-07-02,\nf2,,,,,delete\n",
            ),
            (
                Feed::Contact,
                "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm,_op\nk1,spring,c1,sms,2009-07-02,failed,,\nk2,,,,,,,delete\n",
            ),
            (
                Feed::Feedback,
                "feedback_id,campaign_id,customer_id,kind,at,channel_id,product_id,amount,reason,value\nf1,-,c1,optout,2009-07-02,sms,,-0.05,\"say \"\"no\"\"\",12.5\nf2,spring,c2,survey,2009-07-02,,crbt,,,\n",
            ),
            (
                Feed::Contact,
                "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm\nk1,spring,c1,call,2009-07-02 10:00:00,failed,random\n",
            ),
            (
                Feed::CampaignState,
                "change_id,campaign_id,state,city,at,by,note\ns1,spring,paused,Dalian,2009-07-02,li,why\ns2,spring,closed,,2009-07-03,li,\n",
            ),
            (
                Feed::OrderRequest,
                "request_id,state,customer_id,product_id,campaign_id,channel_id,at,code,text,by\n0123456789abcdef0123456789abcdef,failed,c1,crbt,spring,sms,2009-07-02,R17,Pay first.,gateway\n0123456789abcdef0123456789abcdef,opened,c1,crbt,,,2009-07-02,,,\n",
            ),
            (
                Feed::Order,
                "order_id,customer_id,product_id,action,channel_id,at,bundled\no1,c1,crbt,subscribe,sms,2009-07-02,\no2,c1,crbt,cancel,,2009-07-03,true\n",
            ),
        ];
        let mut deleted = 0;
        for (feed, given) in texts {
            let partition = Partition { feed, period: "2009-07-02".to_owned(), part: "00000001".to_owned() };
            let read = |text: &str| {
                let file = of_edit(&partition);
                ingest::read_bytes(text.as_bytes(), &file, None, &settings, &mut Naming::new(names.clone()))
                    .expect("it can be read")
            };
            let before = read(given);
            assert!(before.rejects.is_empty() && !before.rows.is_empty(), "{feed:?} {:?}", before.rejects);
            let content = Content { rows: before.rows, deleted: before.deleted };
            let said = text(&content, &names.read()).expect("a text");
            let again = read(&said);
            assert_eq!((&again.rows, &again.deleted), (&content.rows, &content.deleted), "{feed:?}");
            deleted += again.deleted.len();
        }
        assert_eq!(deleted, 5);
    }
}
