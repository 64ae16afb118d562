//! Handing a session over to a program that sent its user to a browser: a code for once, which is of use to none but
//! whoever knows what the program thought of before (as in RFC 7636).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::access::secret::{NoRandom, hash, token};

/// How long a code is good for, in seconds.
const SECONDS: i64 = 60;

/// Codes at a time. They are made for those alone who have logged in.
const CODES_MAX: usize = 1000;

struct Waiting {
    session: String,
    challenge: String,
    until: i64,
}

/// Sessions that wait to be fetched.
#[derive(Default)]
pub struct Handover(Mutex<HashMap<String, Waiting>>);

impl Handover {
    /// The code by which a session is fetched.
    pub fn put(&self, session: String, challenge: String, now: i64) -> Result<String, NoRandom> {
        let code = token("")?;
        let mut waiting = self.0.lock();
        waiting.retain(|_, waiting| now < waiting.until);
        if waiting.len() >= CODES_MAX
            && let Some(oldest) = waiting.iter().min_by_key(|(_, waiting)| waiting.until).map(|(hash, _)| hash.clone())
        {
            waiting.remove(&oldest);
        }
        waiting.insert(hash(&code), Waiting { session, challenge, until: now + SECONDS });
        Ok(code)
    }

    /// The session that a code is of. It is of use once, whoever tries.
    pub fn take(&self, code: &str, verifier: &str, now: i64) -> Option<String> {
        let waiting = self.0.lock().remove(&hash(code))?;
        (now < waiting.until && challenge(verifier) == waiting.challenge).then_some(waiting.session)
    }
}

/// What is told of a verifier before.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_fetched_once_in_time_and_by_whoever_asked() {
        let handover = Handover::default();
        let put = || handover.put("cfs_x".to_owned(), challenge("thought of"), 100).expect("random");
        let code = put();
        assert_eq!(handover.take(&code, "thought of", 159).as_deref(), Some("cfs_x"));
        assert_eq!(handover.take(&code, "thought of", 159), None);
        assert_eq!(handover.take(&put(), "thought of", 160), None);
        let code = put();
        assert_eq!(handover.take(&code, "another", 101), None);
        assert_eq!(handover.take(&code, "thought of", 101), None);
    }

    #[test]
    fn challenges_are_those_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
