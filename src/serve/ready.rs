//! Whether the service can be relied on, and if not, why.

use parking_lot::Mutex;

use super::Service;

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
        reasons
    }
}
