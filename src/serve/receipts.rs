//! What a file changed when it became visible.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dataflows::types::Word;
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::door::Opened;
use super::guard::Segment;
use crate::intake::receipts::Receipt;
use crate::store::Entry;
use crate::store::receipts::{Moved, Noted};

/// `GET /v1/files/{file}/receipt`.
pub async fn receipt(Opened(service): Opened, Segment(file): Segment) -> Result<Response, Refusal> {
    let refused = |status, code, why: &str| Err(Refusal::new(status, code, why));
    match service.intake.receipt(&file) {
        Receipt::Noted(noted, entry) => {
            let dictionary = service.intake.names();
            let names = dictionary.read();
            let text = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
            Ok(Json(told(&noted, &entry, &text)).into_response())
        }
        Receipt::Awaited(_) => {
            refused(StatusCode::CONFLICT, "not_visible", "it was taken and is not visible yet; ask again in a moment")
        }
        Receipt::Nothing(entry) => refused(
            StatusCode::NOT_FOUND,
            "no_receipt",
            &format!("it is {}, and changed nothing; `cohortflow ledger` tells what became of files", entry.status),
        ),
        Receipt::None(_) => refused(
            StatusCode::NOT_FOUND,
            "no_receipt",
            "it was overtaken before it came, or taken before receipts were noted, or too long ago",
        ),
        Receipt::Unknown => Err(Refusal::not_found(
            "no file of that name was ever delivered; `cohortflow ledger` lists those that were",
        )),
    }
}

fn told(noted: &Noted, entry: &Entry, text: &dyn Fn(Word) -> String) -> Value {
    let moved = |(came, went): Moved| json!({ "in": came, "out": went });
    let by_name = |rows: &[(Word, Moved)]| -> Map<String, Value> {
        rows.iter().map(|(word, of)| (text(*word), moved(*of))).collect()
    };
    let sum = |rows: &[(Word, Moved)]| rows.iter().fold((0, 0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1));
    let views = [("tier", noted.tiers), ("segment_member", sum(&noted.segments)), ("target", sum(&noted.targets))];
    let views = views.into_iter().chain(noted.views.iter().map(|(view, of)| (&**view, *of)));
    let views: Map<String, Value> =
        views.filter(|(_, of)| *of != (0, 0)).map(|(view, of)| (view.to_owned(), moved(of))).collect();
    let others = noted.files.iter().map(|(_, file)| &**file).filter(|file| *file != entry.file);
    let is_alone = noted.epochs.1 - noted.epochs.0 == 1;
    json!({
        "file": entry.file,
        "feed": entry.partition.feed.name(),
        "period": entry.partition.period,
        "part": entry.partition.part,
        "version": entry.version,
        "status": entry.status.to_string(),
        "rows": entry.rows.map(|(rows, _)| rows),
        "bad_rows": entry.rows.map(|(_, bad_rows)| bad_rows),
        // Left out, since whom they name was erased; they are none of the rows.
        "erased_rows": entry.erased,
        "epoch": entry.epoch,
        // What became visible with it, and is in the receipt too.
        "visible_in": [noted.epochs.0 + 1, noted.epochs.1],
        "is_alone": is_alone,
        "with_files": others.collect::<Vec<_>>(),
        "receipt": {
            "views": views,
            "segments": by_name(&noted.segments),
            "targets": by_name(&noted.targets),
            "points": { "before": noted.points[0].to_string(), "after": noted.points[1].to_string() },
            // Whether counts and points_balance were looked at: not where too much became visible at once.
            "is_whole": noted.is_whole,
            "as_of": noted.as_of.map(|month| month.map(|month| month.to_string())),
        },
    })
}
