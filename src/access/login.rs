//! Logging in with a password, and what is asked with afterwards.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::accounts::Accounts;
use super::secret::{NoRandom, hash, takes_as_long, token};
use super::viewer::Viewer;

/// How long a session lasts at most, in seconds.
pub const SESSION_SECONDS: i64 = 8 * 3600;

/// How long it lasts while nothing is asked, in seconds.
const IDLE_SECONDS: i64 = 30 * 60;

/// Sessions at a time. Past them the one that was used least lately ends.
const SESSIONS_MAX: usize = 20_000;

/// How tokens of sessions begin.
const PREFIX: &str = "cfs_";

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error("the name or the password is wrong")]
    Wrong,
    #[error("too many wrong passwords: try again in {0} seconds")]
    Wait(i64),
    #[error("no account has the subject by which the identity provider knows him: an administrator gives it one")]
    Unknown,
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

struct Session {
    name: String,
    begun: i64,
    used: i64,
}

/// Who has logged in. A restart ends all sessions.
#[derive(Default)]
pub struct Sessions(HashMap<String, Session>);

impl Sessions {
    fn begin(&mut self, token: &str, name: &str, now: i64) {
        self.0.retain(|_, session| session.is_good(now));
        if self.0.len() >= SESSIONS_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| hash.clone())
        {
            self.0.remove(&oldest);
        }
        self.0.insert(hash(token), Session { name: name.to_owned(), begun: now, used: now });
    }

    fn name(&mut self, token: &str, now: i64) -> Option<&str> {
        let session = self.0.get_mut(&hash(token)).filter(|session| session.is_good(now))?;
        session.used = now;
        Some(&session.name)
    }

    fn end(&mut self, token: &str) {
        self.0.remove(&hash(token));
    }

    pub(super) fn end_of(&mut self, name: &str) {
        self.0.retain(|_, session| session.name != name);
    }
}

impl Session {
    fn is_good(&self, now: i64) -> bool {
        now - self.begun < SESSION_SECONDS && now - self.used < IDLE_SECONDS
    }
}

impl Accounts {
    /// A session of whoever knows a name's password: its token, and who he is. Takes some tens of milliseconds, whether
    /// there is such a name or not.
    pub fn login(
        &self,
        name: &str,
        password: &str,
        from: IpAddr,
        now: i64,
    ) -> Result<(String, Arc<Viewer>), LoginError> {
        self.may_try(name, from, now)?;
        let viewer = self.viewer(name);
        let held = viewer.as_ref().and_then(|viewer| viewer.account()?.password.as_ref());
        let is_right = {
            let _hashing = self.hashing.lock();
            match held {
                Some(held) => held.is(password),
                None => {
                    takes_as_long(password);
                    false
                }
            }
        };
        self.tried(name, from, is_right, now);
        match viewer.filter(|_| is_right) {
            None => Err(LoginError::Wrong),
            Some(viewer) => {
                let token = token(PREFIX)?;
                self.sessions.lock().begin(&token, name, now);
                Ok((token, viewer))
            }
        }
    }

    /// A session of whom the identity provider has found to be somebody.
    pub fn login_as(&self, subject: &str, now: i64) -> Result<(String, Arc<Viewer>), LoginError> {
        let viewer = self.of_subject(subject).ok_or(LoginError::Unknown)?;
        let token = token(PREFIX)?;
        self.sessions.lock().begin(&token, viewer.name().unwrap_or_default(), now);
        Ok((token, viewer))
    }

    /// Whether a name's password is the one that is told.
    pub fn knows(&self, name: &str, password: &str, from: IpAddr, now: i64) -> Result<(), LoginError> {
        let (token, _) = self.login(name, password, from, now)?;
        self.logout(&token);
        Ok(())
    }

    pub fn logout(&self, token: &str) {
        self.sessions.lock().end(token);
    }

    /// Who asks with a token: of a session, or an account's own.
    pub fn asks(&self, token: &str, now: i64) -> Option<Arc<Viewer>> {
        if !token.starts_with(PREFIX) {
            return self.of_token(token, now);
        }
        let name = self.sessions.lock().name(token, now)?.to_owned();
        self.viewer(&name)
    }

    /// Refuses whoever has tried too often.
    pub fn may_try(&self, name: &str, from: IpAddr, now: i64) -> Result<(), LoginError> {
        match self.throttle.lock().wait(name, from, now) {
            Some(seconds) => Err(LoginError::Wait(seconds)),
            None => Ok(()),
        }
    }

    /// Notes what came of a try.
    pub fn tried(&self, name: &str, from: IpAddr, is_right: bool, now: i64) {
        let mut throttle = self.throttle.lock();
        if is_right { throttle.succeeded(name, from) } else { throttle.failed(name, from, now) }
    }

    /// What SCRAM needs of a name: of one that nobody has, something that looks the same.
    #[cfg(feature = "sql")]
    pub fn salted(&self, name: &str) -> (Vec<u8>, Vec<u8>) {
        let viewer = self.viewer(name);
        let held = viewer.as_ref().and_then(|viewer| viewer.account()?.password.as_ref());
        let salted = held.and_then(|held| held.salted(&self.seal, name)).unwrap_or_else(|| self.seal.decoy(name));
        (salted.salt, salted.password)
    }
}
