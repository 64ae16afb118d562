//! `GET /v1/views/{name}/feed`: server-sent events (HTML Living Standard, section 9.2). The id of an event is its token,
//! so that a browser's `EventSource` goes on by itself.

use std::convert::Infallible;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::{Message, Reader, follow};
use crate::serve::answer::Refusal;
use crate::serve::door::Opened;
use crate::serve::gate::Asker;
use crate::serve::guard::Segment;

pub async fn stream(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(name): Segment,
    headers: HeaderMap,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(pairs) = pairs.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let reader = follow(service, viewer, name, pairs, &headers).await?;
    let events = stream::unfold(reader, |mut reader: Reader| async move {
        let event = event(reader.next().await?);
        Some((Ok::<_, Infallible>(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

fn event(message: Message) -> Event {
    let event = Event::default().event(message.event).data(message.data);
    match message.token {
        Some(token) => event.id(token),
        None => event,
    }
}
