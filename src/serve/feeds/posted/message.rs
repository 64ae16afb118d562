//! What is posted: the text of a message, and the id by which a receiver knows one that he had.

use crate::feeds::{Part, Row};
use crate::serve::feeds::Message;

/// Rows and bytes of a message.
const ROWS_MAX: usize = 1000;
const BYTES_MAX: usize = 256 << 10;

/// A message to be posted.
pub struct Parcel {
    pub id: String,
    pub event: &'static str,
    pub body: String,
}

/// What messages hang on: their ids are made of it, so that the same message has the same id whenever it is made.
pub enum Origin<'a> {
    /// A snapshot of that id.
    Begin(&'a str),
    /// What follows a token.
    After(&'a str),
}

impl Origin<'_> {
    /// A message as it is posted; `number` tells it from others of the same origin.
    pub fn parcel(&self, message: &Message, number: u64) -> Parcel {
        let Message { event, data, .. } = message;
        let begin = match self {
            Origin::Begin(begin) => format!("\"begin\":\"{begin}\","),
            Origin::After(_) => String::new(),
        };
        let part = match *event {
            "snapshot" | "delta" => format!("\"part\":{number},"),
            _ => String::new(),
        };
        // The data is an object with at least one member.
        let body = format!("{{\"event\":\"{event}\",{begin}{part}{}", data.strip_prefix('{').unwrap_or("}"));
        let (kind, of) = match self {
            Origin::Begin(begin) => ("begin", begin),
            Origin::After(token) => ("after", token),
        };
        let digest =
            blake3::derive_key("cohortflow ids of feed webhooks", format!("{kind} {of} {event} {number}").as_bytes());
        Parcel { id: hex::encode(&digest[..16]), event, body }
    }
}

/// Rows in parts that a receiver takes at a time; the same parts of the same rows.
pub fn split(part: Part) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    let (mut rows, mut bytes) = (0, 0);
    let gone = part.gone.into_iter().map(|row| (true, row));
    for (is_gone, row) in gone.chain(part.come.into_iter().map(|row| (false, row))) {
        let size = size(&row);
        if rows > 0 && (rows == ROWS_MAX || bytes + size > BYTES_MAX) {
            parts.push(Part::default());
            (rows, bytes) = (0, 0);
        }
        (rows, bytes) = (rows + 1, bytes + size);
        if let Some(last) = parts.last_mut() {
            if is_gone { last.gone.push(row) } else { last.come.push(row) }
        }
    }
    parts
}

fn size(row: &Row) -> usize {
    row.len() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize) -> Row {
        format!("[\"c{number}\"]").into()
    }

    #[test]
    fn parts_are_bounded_and_lose_nothing() {
        let whole = Part { gone: (0..1500).map(row).collect(), come: (0..700).map(row).collect() };
        let parts = split(whole.clone());
        assert_eq!(parts.iter().map(|part| part.gone.len() + part.come.len()).collect::<Vec<_>>(), [1000, 1000, 200]);
        let gone: Vec<Row> = parts.iter().flat_map(|part| part.gone.clone()).collect();
        let come: Vec<Row> = parts.iter().flat_map(|part| part.come.clone()).collect();
        assert_eq!((gone, come), (whole.gone, whole.come));
        // A row that is too long for a part is one of its own.
        let long: Row = "x".repeat(BYTES_MAX + 1).into();
        let parts = split(Part { gone: Vec::new(), come: vec![row(1), long, row(2)] });
        assert_eq!(parts.len(), 3);
    }

    #[test]
    fn a_message_has_its_id_and_its_body_whenever_it_is_made() {
        let message = |event| Message { event, data: "{\"view\":\"tier\",\"lower\":1}".to_owned(), token: None };
        let after = |token, number| Origin::After(token).parcel(&message("delta"), number);
        assert_eq!(after("a", 0).body, "{\"event\":\"delta\",\"part\":0,\"view\":\"tier\",\"lower\":1}");
        assert_eq!(after("a", 0).id, after("a", 0).id);
        let begin = Origin::Begin("a").parcel(&message("delta"), 0);
        let progress = Origin::After("a").parcel(&message("progress"), 0);
        let ids = [after("a", 0).id, after("a", 1).id, after("b", 0).id, begin.id, progress.id];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
        assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}
