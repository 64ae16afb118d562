//! Whether the service can be relied on, and if not, why.

use dataflows::records::State;
use parking_lot::Mutex;

use super::Service;
use crate::handoff::ready;
use crate::store::room::{Full, Purpose};

/// Whether anybody waits for contacts: some campaign runs.
fn is_expected(service: &Service) -> bool {
    let store = service.intake.store().lock();
    let runs = |rows: Vec<State>| rows.last() == Some(&State::Running);
    store.campaign_states().any(|(_, rows)| runs(rows.filter(|row| row.city.is_null()).map(|row| row.state).collect()))
}

/// What is wrong, without what to do.
fn first_line(full: &Full) -> String {
    full.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What only its own part of the service knows.
#[derive(Default)]
pub struct Readiness {
    landing: Mutex<Option<String>>,
}

impl Readiness {
    /// Notes what is wrong with the landing directory, or that nothing is.
    pub fn set_landing(&self, trouble: Option<String>) {
        *self.landing.lock() = trouble;
    }

    /// Why the service is not ready; nothing if it is.
    pub fn reasons(&self, service: &Service) -> Vec<String> {
        let mut reasons: Vec<String> = self.landing.lock().iter().cloned().collect();
        if service.intake.hub().has_failed() {
            reasons.push("a worker has failed; restart the service".to_owned());
        }
        let full = service.intake.room().check(0, Purpose::Any).err();
        reasons.extend(full.map(|full| first_line(&full)));
        let short = service.intake.short(|_| true);
        reasons.extend(short.iter().map(|(file, full)| format!("{file:?} is not taken: {}", first_line(full))));
        reasons.extend(self.release(service).into_iter().filter(|_| is_expected(service)));
        reasons
    }

    /// Why nothing may be handed off; nothing where it may. Campaigns may have reasons of their own beside.
    pub fn release(&self, service: &Service) -> Vec<String> {
        let Some(handoffs) = service.intake.handoffs() else { return Vec::new() };
        let document = service.intake.document();
        let needs_consent = document.programme.campaigns.iter().any(|campaign| campaign.consent.is_some());
        let mut reasons = ready::reasons(&service.intake.store().lock(), &handoffs.waiting, needs_consent);
        reasons.extend(handoffs.trouble());
        reasons.iter().map(|reason| format!("nothing is released: {reason}")).collect()
    }
}
