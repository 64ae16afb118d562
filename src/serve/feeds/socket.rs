//! `GET /v1/views/{name}/socket`: WebSocket (RFC 6455). Each message is the text of a JSON object, `event` beside what
//! the event carries; what a client sends is not looked at.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Message, PATIENCE, Reader, follow};
use crate::serve::answer::Refusal;
use crate::serve::door::Opened;
use crate::serve::gate::Asker;
use crate::serve::guard::Segment;

/// Largest message that a client may send, in bytes: none is expected.
const INCOMING_MAX: usize = 4096;

pub async fn socket(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(name): Segment,
    headers: HeaderMap,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|error| {
        Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade",
            format!("{}; ask as a WebSocket, or /feed for events", error.body_text()),
        )
    })?;
    let Query(pairs) = pairs.map_err(|error| Refusal::bad_request(error.body_text()))?;
    let reader = follow(service, viewer, name, pairs, &headers).await?;
    Ok(upgrade.max_message_size(INCOMING_MAX).max_frame_size(INCOMING_MAX).on_upgrade(|socket| serve(socket, reader)))
}

async fn serve(mut socket: WebSocket, mut reader: Reader) {
    loop {
        tokio::select! {
            message = reader.next() => {
                let Some(message) = message else { break };
                let is_end = message.event == "end";
                let sent = tokio::time::timeout(PATIENCE, socket.send(Frame::Text(text(&message).into())));
                if !matches!(sent.await, Ok(Ok(()))) {
                    return;
                }
                if is_end {
                    break;
                }
            }
            said = socket.recv() => match said {
                None | Some(Err(_) | Ok(Frame::Close(_))) => return,
                Some(Ok(_)) => {}
            },
        }
    }
    let end = CloseFrame { code: close_code::AWAY, reason: "nothing more comes".into() };
    let _ = socket.send(Frame::Close(Some(end))).await;
}

fn text(message: &Message) -> String {
    // The data is an object with at least one member.
    format!("{{\"event\":\"{}\",{}", message.event, message.data.strip_prefix('{').unwrap_or("}"))
}
