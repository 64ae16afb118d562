//! What staff do with campaigns: a change of a state, with who made it and when.
//!
//! Decided here, where the contract is silent:
//! - A change is a partition of its own, as an edit is: durable when it is answered, done once under its key, also
//!   after a restart. Its id is that of its partition.
//! - It is made `now`, as views have it. Where a row of the campaign has that second or a later one, and would stand
//!   over it, the change is made behind that row: the latest change always counts.
//! - It is held to the programme in force, and to the rules of [`crate::campaigns`].
//! - It is noted beside the outbox, as opt-outs are: an older copy of the data would let run what was closed. What lies
//!   in the outbox is taken out before a pause or an end is answered.
//! - A prediction is made of what is visible, and its numbers are kept in the note of the change.

use dataflows::records::{Feed, State};
use dataflows::types::{Epoch, Time};

use super::Intake;
use super::requests::{Before, Seal};
use crate::campaigns::{Account, Change, Grounds, Refused, account, history, predict};
use crate::ingest::Partition;
use crate::numbers::hidden_freely;
use crate::store::StoreError;

/// A change of a campaign's state, and whose it is.
pub struct Request<'r> {
    pub campaign: &'r str,
    pub state: State,
    /// The city that accepts, where work is by city.
    pub city: Option<&'r str>,
    pub by: &'r str,
    pub note: Option<&'r str>,
    /// By which it is known when it comes again.
    pub key: Option<&'r str>,
    /// The bytes in which it came.
    pub body: &'r [u8],
}

/// What became of a change.
#[derive(PartialEq, Eq, Debug)]
pub enum Changed {
    /// Durable.
    Done { epoch: Epoch, partition: Partition, is_repeated: bool },
    /// Another change came under the same key.
    KeyReused,
    /// The programme in force has no such campaign.
    Unknown,
    /// What is wrong with the request.
    Bad(String),
    /// It may not come to that state now, where it stands and where it may go.
    Refused { why: Refused, state: State, next: Vec<State> },
}

/// The id of the change that a partition holds.
pub fn change_id(partition: &Partition) -> String {
    format!("{}-{}", partition.period, partition.part)
}

/// Longest note, in characters, before what a prediction adds to it.
const NOTE_MAX: usize = 500;

impl Request<'_> {
    fn unsigned(&self) -> Option<String> {
        if self.by.trim().is_empty() {
            return Some("a change says who makes it; by is empty".to_owned());
        }
        let note = self.note.unwrap_or_default();
        let is_line = |text: &str| !text.chars().any(char::is_control) && text.chars().count() <= NOTE_MAX;
        let texts = [("by", self.by), ("note", note), ("city", self.city.unwrap_or_default())];
        let (name, _) = texts.into_iter().find(|(_, text)| !is_line(text))?;
        Some(format!("expected one line of at most {NOTE_MAX} characters for {name}"))
    }
}

impl Intake {
    /// Makes a change of a campaign's state durable and gives it to the engine.
    pub fn campaign(&self, request: &Request<'_>) -> Result<Changed, StoreError> {
        if let Some(wrong) = request.unsigned() {
            return Ok(Changed::Bad(wrong));
        }
        let note = self.note(request);
        let seal = Seal::new(Feed::CampaignState, request.campaign, request.key, request.body);
        let mut store = self.store.lock();
        match seal.before(&store) {
            Some(Before::Done { epoch, partition, .. }) => {
                return Ok(Changed::Done { epoch, partition, is_repeated: true });
            }
            Some(Before::KeyReused) => return Ok(Changed::KeyReused),
            None => {}
        }
        let document = self.document();
        let changes = history(&store, &self.names().read(), request.campaign);
        let Some(Account { held: Some(held), progress, .. }) = account(&document, request.campaign, &changes) else {
            return Ok(Changed::Unknown);
        };
        if let Err(why) = progress.may(&held.course, request.state, request.city, request.by) {
            let (state, next) = (progress.state(Some(&held.course)), progress.next(&held.course));
            return Ok(Changed::Refused { why, state, next });
        }
        let (_, wall) = self.settings();
        let now = self.clock(store.clock()).now.unwrap_or(wall);
        let partition = store.next_partition(Feed::CampaignState, &wall.day().to_string());
        let id = change_id(&partition);
        let is_taken = store.campaign_states().any(|(_, mut rows)| rows.any(|row| *row.change_id == *id));
        if is_taken {
            return Ok(Changed::Bad(format!("a file brought a change of the id {id}, which is the next of the day")));
        }
        let text = request.text(&id, moment(&changes, now, &id), note.as_deref());
        let entered = match text.map(|text| self.enter(&mut store, &partition, &text, seal)) {
            Ok(entered) => entered?,
            Err(error) => Err(error.to_string()),
        };
        let entered = match entered {
            Ok(entered) => entered,
            Err(why) => return Ok(Changed::Bad(why)),
        };
        let epoch = entered.epoch;
        self.tell(&mut store, entered, true)?;
        Ok(Changed::Done { epoch, partition, is_repeated: false })
    }

    /// The note of a change, with the prediction where it is that. Asks for the store itself.
    fn note(&self, request: &Request<'_>) -> Option<String> {
        let note = request.note.map(|note| hidden_freely(note).into_owned()).filter(|note| !note.is_empty());
        if request.state != State::Predicted {
            return note;
        }
        let (document, published, names) = (self.document(), self.hub.published(), self.names());
        let grounds = Grounds { document: &document, published: &published, names: &names, store: &self.store };
        let foretold = predict(request.campaign, grounds).map(|prediction| prediction.note());
        let notes: Vec<String> = note.into_iter().chain(foretold).collect();
        Some(notes.join("; "))
    }
}

impl Request<'_> {
    /// The change as the text of an extract.
    fn text(&self, id: &str, at: Time, note: Option<&str>) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["change_id", "campaign_id", "state", "city", "at", "by", "note"])?;
        let at = at.to_string();
        let city = self.city.unwrap_or_default();
        writer.write_record([id, self.campaign, self.state.name(), city, &at, self.by, note.unwrap_or_default()])?;
        Ok(writer.into_inner()?)
    }
}

/// The second of a change, at which it stands over those that are there.
fn moment(changes: &[Change], now: Time, id: &str) -> Time {
    match changes.last() {
        Some(last) if (last.at, last.change_id.as_str()) >= (now, id) => {
            let is_behind = last.change_id.as_str() < id;
            if is_behind { last.at } else { Time(last.at.0.saturating_add(1)) }
        }
        _ => now,
    }
}
