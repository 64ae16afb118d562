//! Who goes first where there are fewer processors than busy threads: whoever asks.

/// Lets threads that answer go before this one. A month that lands keeps every processor busy, and a
/// front desk would wait for its turn behind it, some milliseconds each time.
pub fn yield_to_readers() {
    lower(5);
}

/// Lets threads go first that make changes visible too: what reads everybody takes its time, and a change does not wait for it.
#[cfg(feature = "sql")]
pub fn yield_to_all() {
    lower(15);
}

fn lower(steps: i32) {
    if let Err(error) = rustix::process::nice(steps) {
        tracing::debug!("could not lower a thread's priority: {error}");
    }
}
