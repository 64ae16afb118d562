//! A channel that is posted to: the service takes its files from the outbox as any channel does, and posts each contact
//! to a webhook.
//!
//! ```text
//! channels/<channel>/ ─► taken (rename) ─► webhook/<channel>/ ─► check again ─► POST ─► noted (synced)
//!                                                ▲                   │            │
//!                                                └─── later ◄────────┼────────────┴─► dead/<channel>/<day>.csv
//!                                                                    └─► withdrawn
//! ```
//!
//! Decided here:
//! - Before each attempt the customer is checked again, with what was accepted until then. Who may no longer be contacted
//!   is withdrawn, and his reservation taken back. An attempt that has begun when he opts out cannot be called back.
//! - Nothing is posted while nothing may be released, or in quiet hours of the campaign.
//! - A contact is posted at least once, always under the same webhook-id: its contact_id. An attempt whose answer did not
//!   come is repeated, and so is the last one before a stop; the receiver tells them apart by that id. HTTP gives no more.
//! - 2xx is taken; another 4xx than 408 and 429 is refused for good; what else there is, redirects too, is tried again,
//!   no earlier than `retry-after` says, [`ATTEMPTS_MAX`](crate::posting::ATTEMPTS_MAX) times in all. What was refused, or never taken, is a dead letter; its reservation stands, since
//!   it may have come through. Attempts are counted from the start of the service.

mod dead;
mod desk;
mod parcel;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use dead::{DeadLetter, DeadLetters};

use super::outbox::{names, segment};
use crate::intake::Intake;
use crate::posting::Endpoint;
use crate::store::StoreError;
use desk::{Desk, Trouble};

/// The directory of an outbox in which lie the files that are being posted.
pub(super) const POSTING: &str = "webhook";

/// Posts the contacts of a channel until `stop` is set, or the store fails. The attempts of a contact take about
/// `patience` in all.
pub fn run(
    intake: &Intake,
    endpoint: &Endpoint,
    patience: Duration,
    poll: Duration,
    stop: &AtomicBool,
) -> Result<(), StoreError> {
    let Some(handoffs) = intake.handoffs() else { return Ok(()) };
    let mut desk = Desk::new(intake, handoffs, endpoint, patience);
    let mut is_told = false;
    while !stop.load(Ordering::Acquire) {
        let began = Instant::now();
        match desk.round(stop) {
            Ok(()) => is_told = false,
            Err(Trouble::Store(error)) => return Err(error),
            Err(Trouble::Outbox(error)) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::error!(
                        channel = endpoint.name,
                        "what is posted could not be noted, nothing more is until it can: {error}"
                    );
                }
            }
        }
        while began.elapsed() < poll && !stop.load(Ordering::Acquire) {
            std::thread::park_timeout(poll.saturating_sub(began.elapsed()).min(Duration::from_millis(100)));
        }
    }
    Ok(())
}

/// Directories of channels with contacts that were to be posted, and that nobody posts now.
pub fn abandoned(outbox: &Path, endpoints: &[Endpoint]) -> Vec<String> {
    let root = outbox.join(POSTING);
    let mut abandoned = names(&root).unwrap_or_default();
    abandoned.retain(|name| {
        let is_posted = endpoints.iter().any(|endpoint| segment(&endpoint.name) == *name);
        !is_posted && names(&root.join(name)).is_ok_and(|files| !files.is_empty())
    });
    abandoned
}
