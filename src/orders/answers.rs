//! What whoever provisions answers: a request was opened, or failed and why.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use dataflows::records::{Feed, OrderRequestRow, RequestState};
use dataflows::types::{Epoch, Time, Word};

use super::entry::{Entry, Request};
use crate::intake::Intake;
use crate::intake::requests::{Before, Seal};
use crate::store::room::Purpose;
use crate::store::{Dictionary, Store, StoreError};

/// An answer to a request.
pub struct Given {
    pub request_id: String,
    /// Opened or failed.
    pub state: RequestState,
    pub code: Option<String>,
    pub text: Option<String>,
}

/// What became of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// It counts.
    Done,
    /// The request had come to that before.
    Repeated,
    /// It had come to something else, and stays there.
    Differs(RequestState),
    /// There is no such request.
    Unknown,
}

/// What became of all that came together.
pub enum Answer {
    /// By the place of each; the epoch of those that count, where any does.
    Taken(Vec<Answered>, Option<Epoch>),
    /// Other answers came under the same key.
    KeyReused,
    /// What is wrong with them.
    Bad(String),
    /// A worker has failed.
    Failed,
}

/// Longest code and text, in characters.
const TEXT_MAX: usize = 500;

impl Intake {
    /// Takes answers: durable when this returns, with the orders of what was opened.
    pub fn answer(&self, given: &[Given], key: Option<&str>, body: &[u8]) -> Result<Answer, StoreError> {
        let is_line = |text: &String| text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control);
        for one in given {
            if one.state == RequestState::Requested {
                return Ok(Answer::Bad("an answer says opened, or failed".to_owned()));
            }
            if !one.code.iter().chain(&one.text).all(is_line) {
                return Ok(Answer::Bad(format!(
                    "expected one line of at most {TEXT_MAX} characters for code and text"
                )));
            }
        }
        let seal = Seal::new(Feed::OrderRequest, "answers", key, body);
        let mut store = self.store().lock();
        // What was done before is found to stand.
        if matches!(seal.before(&store), Some(Before::KeyReused)) {
            return Ok(Answer::KeyReused);
        }
        let (_, wall) = self.settings();
        let at = self.clock(store.clock()).now.unwrap_or(wall);
        let mut entry = Entry::default();
        let answered = {
            let names = self.names();
            let names = names.read();
            let mut came = HashMap::new();
            given.iter().map(|one| judge(one, at, &store, &names, &mut came, &mut entry)).collect()
        };
        if entry.is_empty() {
            return Ok(Answer::Taken(answered, None));
        }
        Ok(match self.write_down(&mut store, &entry, seal)? {
            Ok((epoch, _)) => Answer::Taken(answered, Some(epoch)),
            Err(why) => Answer::Bad(why),
        })
    }

    /// Takes the answers that files brought, of requests that still wait for one.
    pub(crate) fn take_answers(&self, store: &mut Store) -> Result<(), StoreError> {
        let mut entry = Entry::default();
        let (mut came, mut unknown, mut differ) = (HashMap::new(), 0, 0);
        {
            let names = self.names();
            let names = names.read();
            for row in store.answers() {
                let given = Given {
                    request_id: row.request_id.to_string(),
                    state: row.state,
                    code: row.code.as_deref().map(str::to_owned),
                    text: row.text.as_deref().map(str::to_owned),
                };
                match judge(&given, row.at, store, &names, &mut came, &mut entry) {
                    Answered::Unknown => unknown += 1,
                    Answered::Differs(_) => differ += 1,
                    Answered::Done | Answered::Repeated => {}
                }
            }
        }
        if unknown + differ > 0 {
            tracing::warn!(unknown, differ, "answers of who provisions that name no request, or differ from the first");
        }
        self.complete(store, &entry)
    }

    /// Makes what waited for room on the disk, once there is some.
    pub(crate) fn finish_orders(&self) -> Result<(), StoreError> {
        let waits = self.is_unfinished().load(Ordering::Acquire);
        if !waits || self.room().check(0, Purpose::Any).is_err() {
            return Ok(());
        }
        self.is_unfinished().store(false, Ordering::Release);
        self.complete_orders()
    }

    /// Makes what follows from requests that were opened, where the machine stopped before it was durable. What the disk
    /// has no room for waits: a full disk keeps no service from starting.
    pub(crate) fn complete_orders(&self) -> Result<(), StoreError> {
        let mut store = self.store().lock();
        let mut entry = Entry::default();
        {
            let names = self.names();
            let names = names.read();
            for row in store.order_requests().all().filter(|row| row.state == RequestState::Opened) {
                entry.opened(&request(row, row.at, &names), &store);
            }
        }
        self.complete(&mut store, &entry)?;
        self.take_answers(&mut store)
    }

    fn complete(&self, store: &mut Store, entry: &Entry) -> Result<(), StoreError> {
        if entry.is_empty() {
            return Ok(());
        }
        let seal = Seal::new(Feed::OrderRequest, "", None, &[]);
        match self.write_down(store, entry, seal) {
            Ok(Ok(_)) => {}
            Ok(Err(why)) => tracing::error!("what follows from order requests cannot be written: {why}"),
            Err(StoreError::Full(full)) => {
                self.is_unfinished().store(true, Ordering::Release);
                tracing::warn!("what follows from order requests waits: {full}");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn request<'a>(row: &'a OrderRequestRow, at: Time, names: &'a Dictionary) -> Request<'a> {
    let word = |word: Word| names.words.text(word.0).unwrap_or_default();
    Request {
        id: &row.request_id,
        customer: names.customers.text(row.customer.0).unwrap_or_default(),
        product: word(row.product),
        campaign: word(row.campaign),
        channel: word(row.channel),
        at,
    }
}

/// Judges an answer, and adds what follows from one that counts. `came` are those before it.
fn judge(
    given: &Given,
    at: Time,
    store: &Store,
    names: &Dictionary,
    came: &mut HashMap<String, RequestState>,
    entry: &mut Entry,
) -> Answered {
    let Some(row) = store.order_requests().request(&given.request_id) else { return Answered::Unknown };
    let state = came.get(&given.request_id).copied().unwrap_or(row.state);
    if state != RequestState::Requested {
        return if state == given.state { Answered::Repeated } else { Answered::Differs(state) };
    }
    came.insert(given.request_id.clone(), given.state);
    let request = request(row, at, names);
    let [code, text] = [&given.code, &given.text].map(|text| text.as_deref().unwrap_or_default());
    entry.request(&request, given.state, [code, text, row.by.as_deref().unwrap_or_default()]);
    if given.state == RequestState::Opened {
        entry.opened(&request, store);
    }
    Answered::Done
}
