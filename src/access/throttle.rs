//! Whoever guesses passwords waits, twice as long each time: by the name he tries, and by where he comes from.

use std::collections::HashMap;
use std::net::IpAddr;

/// Failures before anybody waits.
const FREE: u32 = 5;

/// Seconds of the longest wait.
const LONGEST: i64 = 15 * 60;

/// Names and addresses that are remembered. Past them the oldest failures are forgotten.
const REMEMBERED_MAX: usize = 20_000;

/// After so many seconds without a failure all is forgotten.
const FORGOTTEN: i64 = 3600;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Of {
    Name(String),
    From(IpAddr),
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

impl Failures {
    /// Until when nothing is tried.
    fn until(self) -> i64 {
        let over = self.count.saturating_sub(FREE);
        let wait = if over == 0 { 0 } else { 1i64 << over.min(20).saturating_sub(1) };
        self.last + wait.min(LONGEST)
    }
}

/// Failed logins.
#[derive(Default)]
pub struct Throttle(HashMap<Of, Failures>);

impl Throttle {
    /// Seconds to wait before a login is tried; none: it may be.
    pub fn wait(&self, name: &str, from: IpAddr, now: i64) -> Option<i64> {
        let waits = [Of::Name(name.to_owned()), Of::From(from)].into_iter().filter_map(|of| self.0.get(&of));
        waits.map(|failures| failures.until() - now).max().filter(|wait| *wait > 0)
    }

    /// A login failed. A name that nobody has is counted as one that somebody has.
    pub fn failed(&mut self, name: &str, from: IpAddr, now: i64) {
        if self.0.len() + 2 > REMEMBERED_MAX {
            self.0.retain(|_, failures| now - failures.last < FORGOTTEN);
            // An attack from very many places: those who wait longest are remembered.
            if self.0.len() + 2 > REMEMBERED_MAX {
                self.0.retain(|_, failures| failures.until() > now);
            }
            if self.0.len() + 2 > REMEMBERED_MAX {
                self.0.clear();
            }
        }
        for of in [Of::Name(name.to_owned()), Of::From(from)] {
            let held = self.0.entry(of).or_insert(Failures { count: 0, last: now });
            if now - held.last >= FORGOTTEN {
                held.count = 0;
            }
            *held = Failures { count: held.count.saturating_add(1), last: now };
        }
    }

    pub fn succeeded(&mut self, name: &str, from: IpAddr) {
        self.0.remove(&Of::Name(name.to_owned()));
        self.0.remove(&Of::From(from));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn guessing_takes_longer_each_time_and_a_login_ends_it() {
        let mut throttle = Throttle::default();
        for _ in 0..FREE {
            assert_eq!(throttle.wait("ann", HERE, 100), None);
            throttle.failed("ann", HERE, 100);
        }
        for wait in [1, 2, 4, 8] {
            throttle.failed("ann", HERE, 100);
            assert_eq!(throttle.wait("ann", HERE, 100), Some(wait));
        }
        // From elsewhere the name waits; from here every name does.
        assert_eq!(throttle.wait("ann", THERE, 100), Some(8));
        assert_eq!(throttle.wait("bob", HERE, 100), Some(8));
        assert_eq!(throttle.wait("bob", THERE, 100), None);
        assert_eq!(throttle.wait("ann", HERE, 108), None);
        for _ in 0..100 {
            throttle.failed("ann", HERE, 100);
        }
        assert_eq!(throttle.wait("ann", HERE, 100), Some(LONGEST));
        throttle.succeeded("ann", HERE);
        assert_eq!(throttle.wait("ann", HERE, 100), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for number in 0..3 * REMEMBERED_MAX as u32 {
            throttle.failed(&number.to_string(), IpAddr::V4(number.into()), 100);
        }
        assert!(throttle.0.len() <= REMEMBERED_MAX);
    }
}
