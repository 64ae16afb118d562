//! Who has which task.

use std::collections::HashMap;

use parking_lot::Mutex;

/// How long an agent has a task, in seconds.
pub const CLAIM_SECONDS: i64 = 30 * 60;
/// Who has which task, and until which second of the wall's clock.
#[derive(Default)]
pub struct Claims(Mutex<HashMap<Box<str>, (String, i64)>>);

impl Claims {
    /// Who has a task at a second.
    pub fn agent(&self, contact: &str, second: i64) -> Option<String> {
        let claims = self.0.lock();
        claims.get(contact).filter(|(_, until)| second < *until).map(|(agent, _)| agent.clone())
    }

    /// Gives a task to an agent, unless another has it.
    pub fn claim(&self, contact: &str, agent: &str, second: i64) -> bool {
        let mut claims = self.0.lock();
        claims.retain(|_, (_, until)| second < *until);
        if claims.get(contact).is_some_and(|(other, _)| other != agent) {
            return false;
        }
        claims.insert(contact.into(), (agent.to_owned(), second.saturating_add(CLAIM_SECONDS)));
        true
    }

    pub fn release(&self, contact: &str) {
        self.0.lock().remove(contact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_one_agents_for_half_an_hour() {
        let claims = Claims::default();
        assert!(claims.claim("k", "ann", 100) && claims.claim("k", "ann", 110) && !claims.claim("k", "bob", 120));
        let end = 110 + CLAIM_SECONDS;
        assert_eq!(claims.agent("k", end - 1).as_deref(), Some("ann"));
        assert!(!claims.claim("k", "bob", end - 1) && claims.agent("k", end).is_none());
        assert!(claims.claim("k", "bob", end) && claims.claim("other", "ann", end));
        claims.release("k");
        assert_eq!(claims.agent("k", end), None);
    }
}
