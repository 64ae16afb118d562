//! Change feeds over HTTP: server-sent events, WebSocket and webhooks, with the same messages.
//!
//! | event | data |
//! |---|---|
//! | `snapshot` | `{"view", "upper", "rows": [[cell, ...], ...]}`: some of the rows that stood then, before the first progress |
//! | `delta` | `{"view", "lower", "upper", "gone": [...], "come": [...]}`: some of what became of rows in that interval |
//! | `progress` | `{"view", "upper", "epoch", "token"}`: all of it until `upper` was told |
//! | `end` | `{"view", "reason"}`: nothing more comes |

pub mod posted;
mod socket;
mod sse;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::mpsc;

use super::Service;
use super::answer::Refusal;
use super::policy::denied;
use crate::access::Viewer;
use crate::feeds::{Asked, Consumer, Event, FollowError, Row};
use crate::query::filter::Filter;
use crate::query::sight::{Place, Whose};
use crate::query::{VIEWS, View, nearest, view};
pub use socket::socket;
pub use sse::stream;

/// Messages that wait for a reader.
const AHEAD: usize = 4;

/// How long a message may wait for a reader before he is cut off.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is sent.
pub struct Message {
    pub event: &'static str,
    pub data: String,
    /// By which is gone on from here.
    pub token: Option<String>,
}

impl Message {
    fn of(view: &View, event: Event) -> Message {
        let name = view.name;
        let told = |event, data| Message { event, data, token: None };
        match event {
            Event::Snapshot { upper, part } => {
                let rows = list(&part.come);
                told("snapshot", format!("{{\"view\":\"{name}\",\"upper\":{upper},\"rows\":{rows}}}"))
            }
            Event::Delta { lower, part } => {
                let (gone, come) = (list(&part.gone), list(&part.come));
                let upper = lower + 1;
                let data = format!(
                    "{{\"view\":\"{name}\",\"lower\":{lower},\"upper\":{upper},\"gone\":{gone},\"come\":{come}}}"
                );
                told("delta", data)
            }
            Event::Progress(progress) => {
                let (upper, epoch, token) = (progress.upper, progress.epoch, progress.token);
                let data = json!({ "view": name, "upper": upper, "epoch": epoch, "token": token });
                Message { event: "progress", data: data.to_string(), token: Some(token) }
            }
            Event::End(reason) => told("end", json!({ "view": name, "reason": &*reason }).to_string()),
        }
    }
}

/// Rows as one JSON array.
fn list(rows: &[Row]) -> String {
    let mut list = String::with_capacity(rows.iter().map(|row| row.len() + 1).sum::<usize>() + 2);
    list.push('[');
    for (nth, row) in rows.iter().enumerate() {
        let _ = write!(list, "{}{row}", if nth == 0 { "" } else { "," });
    }
    list.push(']');
    list
}

/// A feed that somebody reads: messages as he takes them, and why there are no more.
pub struct Reader {
    messages: mpsc::Receiver<Message>,
    /// Why the feed broke off, once it has.
    cut: Arc<Mutex<Option<Message>>>,
}

impl Reader {
    /// The next message. The last one says why it is the last.
    pub async fn next(&mut self) -> Option<Message> {
        match self.messages.recv().await {
            Some(message) => Some(message),
            None => self.cut.lock().take(),
        }
    }
}

/// Who reads, for as long as he may.
struct Ends {
    service: Arc<Service>,
    viewer: Arc<Viewer>,
}

/// What of a feed somebody is told, beside what he asks for.
pub struct Bound(Option<(&'static str, Vec<String>)>);

/// What of a view's feed somebody is told, or that he follows none.
pub fn bound(viewer: &Viewer, view: &'static View) -> Result<Bound, Refusal> {
    if let Some(why) = viewer.sight.unfollowed(view) {
        return Err(denied(format!("{} is not followed: {why}", view.name)));
    }
    let whole = |places: &[Place]| {
        places.iter().filter(|place| place.district.is_none()).map(|place| place.city.clone()).collect()
    };
    Ok(Bound(match (view.whose, viewer.sight.places()) {
        (Whose::City(column), Some(places)) => Some((column, whole(places))),
        _ => None,
    }))
}

impl Bound {
    pub fn filter(&self, view: &View, filter: Filter) -> Filter {
        match &self.0 {
            None => filter,
            Some((column, texts)) => filter.and(view, column, texts.clone()),
        }
    }

    /// A token is good for what was told: conditions, and these.
    pub fn conditions(&self, asked: &[(String, String)]) -> Vec<(String, String)> {
        let mut conditions = asked.to_vec();
        if let Some((column, texts)) = &self.0 {
            conditions.extend(texts.iter().map(|text| (format!("{column} of the account"), text.clone())));
        }
        conditions
    }
}

/// Follows a view for a reader who is cut off where he takes nothing for too long.
fn reader(mut consumer: Consumer, view: &'static View, ends: Ends) -> Reader {
    let (sender, messages) = mpsc::channel(AHEAD);
    let cut = Arc::new(Mutex::new(None));
    let why = cut.clone();
    tokio::spawn(async move {
        let mut changes = ends.service.accounts.changes();
        loop {
            let event = tokio::select! {
                event = consumer.next() => event,
                Ok(()) = changes.changed() => {
                    if ends.service.accounts.is_current(&ends.viewer) {
                        continue;
                    }
                    Event::End("the account was changed: ask again".into())
                }
                () = sender.closed() => return,
            };
            let is_end = matches!(event, Event::End(_));
            let message = Message::of(view, event);
            if is_end {
                *why.lock() = Some(message);
                return;
            }
            match sender.send_timeout(message, PATIENCE).await {
                Ok(()) => {}
                Err(mpsc::error::SendTimeoutError::Closed(_)) => return,
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                    tracing::warn!(view = view.name, "a consumer of a feed was cut off: it read too slowly");
                    let reason = format!(
                        "too slow: nothing was read for {} seconds; go on with the last token",
                        PATIENCE.as_secs()
                    );
                    *why.lock() = Some(Message::of(view, Event::End(reason.into())));
                    return;
                }
            }
        }
    });
    Reader { messages, cut }
}

/// The view and what of it somebody wants to follow.
async fn follow(
    service: Arc<Service>,
    viewer: Arc<Viewer>,
    name: String,
    pairs: Vec<(String, String)>,
    headers: &HeaderMap,
) -> Result<Reader, Refusal> {
    let Some(view) = view(&name) else {
        let near = nearest(&name, VIEWS.iter().map(|view| view.name));
        return Err(Refusal::not_found(format!("no such view; did you mean {near}?")));
    };
    // A browser that reconnects says where it stopped.
    let mut after = match headers.get("last-event-id").map(|id| id.to_str()) {
        None => None,
        Some(Ok(id)) => Some(id.to_owned()),
        Some(Err(_)) => return Err(Refusal::bad_request("last-event-id is no text")),
    };
    let (mut conditions, mut snapshot) = (Vec::new(), None);
    for (name, value) in pairs {
        match &*name {
            "after" => {
                after.get_or_insert(value);
            }
            "snapshot" => {
                let wanted = value.parse().map_err(|_| Refusal::bad_request("snapshot is true or false"))?;
                if snapshot.replace(wanted).is_some() {
                    return Err(Refusal::bad_request("snapshot is given twice"));
                }
            }
            _ => conditions.push((name, value)),
        }
    }
    let bound = bound(&viewer, view)?;
    let ends = Ends { service: service.clone(), viewer };
    let followed = move || {
        let pairs = conditions.iter().map(|(name, value)| (&**name, &**value));
        let document = service.intake.document();
        let dictionary = service.intake.names();
        let filter =
            Filter::new(view, pairs, &document.settings.zone, &dictionary.read()).map_err(Refusal::bad_request)?;
        if filter.has_period() {
            return Err(Refusal::bad_request(
                "a feed takes conditions on columns; from and until are for views that are read once",
            ));
        }
        let asked = match (&after, snapshot) {
            (Some(token), _) => Asked::After(token),
            (None, Some(false)) => Asked::Now,
            (None, _) => Asked::Snapshot,
        };
        let conditions = bound.conditions(&conditions);
        service.feeds.follow(view, asked, bound.filter(view, filter), &conditions).map_err(refused)
    };
    let consumer = tokio::task::spawn_blocking(followed).await.map_err(Refusal::internal)??;
    Ok(reader(consumer, view, ends))
}

fn refused(error: FollowError) -> Refusal {
    let (status, code) = match &error {
        FollowError::Token(error) => {
            use crate::feeds::TokenError as Token;
            let status = match error {
                Token::Altered | Token::View | Token::Conditions => StatusCode::BAD_REQUEST,
                Token::Foreign | Token::Schema | Token::Ahead => StatusCode::CONFLICT,
                Token::Expired => StatusCode::GONE,
            };
            (status, error.code())
        }
        FollowError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
        FollowError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        FollowError::Full => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        FollowError::Failed(_) => return Refusal::internal(error),
    };
    Refusal::new(status, code, error.to_string())
}
