//! Change feeds to webhooks: a view is posted to a receiver, message by message, signed as Standard Webhooks has it.
//!
//! ```text
//! feed ─► message ─► POST ─► taken: next ─► progress taken: its token is kept (synced)
//!                     ▲ │
//!              later ◄┘ └─► dead letter, and the feed to this receiver stands still until it is replayed
//! ```
//!
//! The body is what a WebSocket is told: `event` beside `view`, `lower`, `upper`, `rows`, `gone`, `come`, `token`, in parts
//! of bounded length, with `part`, counted from 0. A snapshot also has `begin`, its own id, and there is one more event:
//!
//! | event | data |
//! |---|---|
//! | `reset` | `{"view", "begin", "reason"}`: what was told before hangs together with nothing that comes; a snapshot follows |
//!
//! Decided here:
//! - Messages come in order, one under way at a time, each at least once, and always with the same body under the same
//!   webhook-id. The receiver drops those whose id he had. Rows are to be kept once the progress behind them has come.
//! - After a stop it goes on behind the last progress that was taken. Of the interval that was under way all parts come
//!   again, with the ids that they had. A snapshot that was under way begins again, with another `begin`: what a receiver
//!   has of the one before is void.
//! - 2xx is taken. Another 4xx than 408 and 429 is refused for good; what else there is, redirects too, is tried again,
//!   [`ATTEMPTS_MAX`](crate::posting::ATTEMPTS_MAX) times in all, later each time, and no earlier than `retry-after` says.
//! - What was refused or never taken is a dead letter, whole on disk, one for each receiver at most: nothing behind it is
//!   posted, since rows of a later interval make nothing of rows without it. `dead-letters --view VIEW --replay` tries it
//!   again, and goes on in order.
//! - Where what comes next is kept no longer, since the receiver was away for too long, that is told as `reset` and all rows
//!   come anew. So it is where another address is named for a view. Nothing is ever left out silently.
//! - Receivers are named when the service is started and never over HTTP: nobody who can ask can make it post elsewhere.

mod courier;
mod desk;
mod kept;
mod message;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use parking_lot::Mutex;

use crate::posting::Endpoint;
use crate::query::{VIEWS, View, nearest, view};
use crate::serve::Service;
use desk::Desk;
use kept::Kept;
pub use kept::Listed;

/// The directory of the data in which lies how far each receiver has come.
const DIRECTORY: &str = "feed-webhooks";

/// A receiver of a view.
pub struct Posted {
    pub view: &'static View,
    endpoint: Endpoint,
    kept: Mutex<Kept>,
}

impl Posted {
    /// Opens what is kept of receivers, each of the view that its endpoint is named for.
    pub fn open(data: &Path, endpoints: Vec<Endpoint>) -> anyhow::Result<Vec<Arc<Posted>>> {
        let open = |endpoint: Endpoint| {
            let view = named(&endpoint.name)?;
            let kept = Kept::open(&data.join(DIRECTORY), view.name, &endpoint.fingerprint())?;
            Ok(Arc::new(Posted { view, endpoint, kept: Mutex::new(kept) }))
        };
        endpoints.into_iter().map(open).collect()
    }

    /// The message that was not taken, if there is one.
    pub fn dead(&self) -> Option<Listed> {
        self.kept.lock().dead().map(|letter| letter.listed(self.view.name))
    }

    /// Tries the message that was not taken again, and goes on behind it. Whether there was one.
    pub fn replay(&self) -> std::io::Result<bool> {
        self.kept.lock().revive()
    }

    /// Lets go of the message that was not taken, where it names somebody who was erased.
    pub fn forget(&self, names: &dyn Fn(&[u8]) -> bool) -> std::io::Result<()> {
        self.kept.lock().forget(names)
    }

    /// Lets go of everything that is kept of receivers, before it is opened.
    pub fn forget_all(data: &Path) -> std::io::Result<()> {
        kept::forget_all(&data.join(DIRECTORY))
    }

    /// Posts the view until `stop` is set. The attempts of a message take about `patience` in all.
    pub fn run(&self, service: &Service, patience: Duration, stop: &AtomicBool) {
        match Desk::new(self, service, patience, stop) {
            Ok(mut desk) => desk.run(),
            Err(error) => tracing::error!(view = self.view.name, "the view is not posted: {error}"),
        }
    }
}

/// The view of a name.
pub fn named(name: &str) -> anyhow::Result<&'static View> {
    view(name).with_context(|| {
        let near = nearest(name, VIEWS.iter().map(|view| view.name));
        format!("there is no view {name:?} to post to a webhook\nhint: did you mean {near}?")
    })
}
