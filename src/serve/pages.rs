//! Pages of a view at one epoch: a cursor holds what the first page was read from, for as long as somebody goes on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::query::filter::Filter;
use crate::query::{Reading, View};

/// How long a cursor waits for whoever asks for the next page.
const PATIENCE: Duration = Duration::from_secs(120);

/// Cursors at a time. Past them the one that waits longest is let go of: each may keep an epoch in memory.
const CURSORS_MAX: usize = 64;

/// What the next page is read from.
#[derive(Clone)]
pub struct Page {
    pub view: &'static View,
    pub reading: Arc<Reading>,
    pub filter: Arc<Filter>,
    /// Rows before it.
    pub offset: usize,
    /// Rows of the page before it, which it has too unless another number is asked for.
    pub limit: usize,
    /// Whose it is.
    pub who: Option<String>,
}

/// Pages that somebody may ask for next.
#[derive(Default)]
pub struct Pages {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    pages: HashMap<String, (Page, Instant)>,
    /// Counts cursors: a name is never given twice.
    count: u64,
}

impl Pages {
    /// Holds a page: the name under which it is asked for.
    pub fn hold(&self, page: Page) -> String {
        let mut held = self.held.lock();
        let now = Instant::now();
        held.pages.retain(|_, (_, since)| now.duration_since(*since) < PATIENCE);
        if held.pages.len() >= CURSORS_MAX
            && let Some(oldest) = held.pages.iter().min_by_key(|(_, (_, since))| *since).map(|(name, _)| name.clone())
        {
            held.pages.remove(&oldest);
        }
        held.count += 1;
        let name = format!("{}-{}", held.count, page.reading.published.epoch);
        held.pages.insert(name.clone(), (page, now));
        name
    }

    /// The page of a cursor of somebody's. It may be asked for again: an answer may be lost.
    pub fn page(&self, name: &str, who: Option<&str>) -> Option<Page> {
        let mut held = self.held.lock();
        let (page, since) = held.pages.get_mut(name)?;
        let now = Instant::now();
        if page.who.as_deref() != who || now.duration_since(*since) >= PATIENCE {
            return None;
        }
        *since = now;
        Some(page.clone())
    }
}
