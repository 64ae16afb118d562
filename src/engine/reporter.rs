//! Notes effects of campaigns as they stand when a day closes.
//!
//! A day has closed once a contact or a feedback of a later one has come: feeds that land the morning after belong to the
//! day that they tell of. It is noted as it stands in the first epoch that shows that: the epoch itself is handed on, since
//! the next one may know more. Where days close faster than they are noted, as in a replay, a
//! day is noted with the next that is.

use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use crossbeam_channel::Sender;
use dataflows::types::Day;

use super::Published;
use crate::store::reports::{Closed, Reports};

/// Epochs that wait to be noted: each keeps what it shows in memory.
const WAITING_MAX: usize = 4;

/// Who notes them.
pub(super) struct Reporter {
    /// The last day that was handed on.
    closed: Option<Day>,
    days: Sender<Arc<Published>>,
    thread: JoinHandle<()>,
}

impl Reporter {
    /// Goes on from what was noted, which readers see from now on, and gives what comes to `keep`.
    pub fn start(
        noted: Reports,
        shown: Arc<ArcSwap<Reports>>,
        mut keep: impl FnMut(&Closed) + Send + 'static,
    ) -> Reporter {
        let closed_last = noted.closed;
        shown.store(Arc::new(noted));
        let (days, closing) = crossbeam_channel::bounded::<Arc<Published>>(WAITING_MAX);
        let thread = std::thread::spawn(move || {
            for published in closing {
                let Some(day) = published.closed() else { continue };
                let mut reports = Reports::clone(&shown.load());
                let closed = reports.close(published.epoch, day, &published.effect_days());
                shown.store(Arc::new(reports));
                keep(&closed);
            }
        });
        Reporter { closed: closed_last, days, thread }
    }

    /// Hands an epoch on where a day has closed with it.
    pub fn look(&mut self, published: &Arc<Published>) {
        let closed = published.closed();
        if closed > self.closed && self.days.try_send(published.clone()).is_ok() {
            self.closed = closed;
        }
    }

    /// Waits until everything that was handed on is noted. False where that ended badly.
    pub fn end(self) -> bool {
        drop(self.days);
        self.thread.join().is_ok()
    }
}
