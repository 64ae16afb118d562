//! Who goes first where there are fewer processors than busy threads: whoever asks.

/// Lets threads that answer go before this one. A month that lands keeps every processor busy, and a
/// front desk would wait for its turn behind it, some milliseconds each time.
pub fn yield_to_readers() {
    const STEPS: i32 = 5;
    if let Err(error) = rustix::process::nice(STEPS) {
        tracing::debug!("could not lower a thread's priority: {error}");
    }
}
