//! How much memory statements hold.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};

/// Bytes that are held, and at most.
#[derive(Debug)]
struct Account {
    held: AtomicUsize,
    limit: usize,
}

impl Account {
    fn take(&self, bytes: usize) -> bool {
        let taken = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.limit);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    fn force(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What all sessions hold together.
#[derive(Debug)]
pub struct Together(Account);

impl Together {
    pub fn new(limit: usize) -> Together {
        Together(Account { held: AtomicUsize::new(0), limit })
    }
}

/// What one session holds, which counts for all as well.
#[derive(Debug)]
pub struct Bounded {
    own: Account,
    together: Arc<Together>,
}

impl Bounded {
    pub fn new(limit: usize, together: Arc<Together>) -> Bounded {
        Bounded { own: Account { held: AtomicUsize::new(0), limit }, together }
    }
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bounded({} of {} bytes)", self.reserved(), self.own.limit)
    }
}

impl MemoryPool for Bounded {
    fn name(&self) -> &str {
        "bounded"
    }

    fn grow(&self, _: &MemoryReservation, bytes: usize) {
        self.own.force(bytes);
        self.together.0.force(bytes);
    }

    fn shrink(&self, _: &MemoryReservation, bytes: usize) {
        self.own.give(bytes);
        self.together.0.give(bytes);
    }

    fn try_grow(&self, _: &MemoryReservation, bytes: usize) -> Result<()> {
        let megabytes = |bytes: usize| bytes.div_ceil(1_000_000);
        if !self.own.take(bytes) {
            let limit = megabytes(self.own.limit);
            return Err(resources_datafusion_err!("the statement needs more than {limit} MB of memory"));
        }
        if !self.together.0.take(bytes) {
            self.own.give(bytes);
            let limit = megabytes(self.together.0.limit);
            return Err(resources_datafusion_err!(
                "statements need more than {limit} MB of memory together; try again"
            ));
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.own.held.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.own.limit)
    }
}
