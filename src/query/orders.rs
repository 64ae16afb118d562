//! Order requests as rows: how far each has come.

use dataflows::types::Word;

use super::Cell;
use super::rows::{Sources, Visit, id};

/// In the order of their ids. What a request came from stays with it, whatever it came to.
pub(super) fn order_request<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { names, store, .. } = sources;
    // Nothing waits for a reader: the rows are shared, and the store is let go of.
    let rows: Vec<_> = store.lock().order_requests().all().cloned().collect();
    for row in rows {
        let word = |word: Word| Cell::text(names.words.text(word.0).filter(|_| !word.is_null()));
        visit(&[
            Cell::text(Some(&row.request_id)),
            id(names, row.customer),
            word(row.product),
            word(row.campaign),
            word(row.channel),
            Cell::Time(row.at),
            Cell::text(Some(row.state.name())),
            Cell::text(row.code.as_deref()),
            Cell::text(row.text.as_deref()),
        ])?;
    }
    Ok(())
}
