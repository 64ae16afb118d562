//! Bugs that are planted on purpose, so that the safety test can be seen to catch them: `scripts/safety`.
//!
//! A build without the feature `planted` has none of them.

/// Whether a bug is planted.
#[cfg(feature = "planted")]
pub fn is(bug: Bug) -> bool {
    std::env::var("COHORTFLOW_PLANTED").is_ok_and(|name| name == bug.name())
}

/// Whether a bug is planted: none is.
#[cfg(not(feature = "planted"))]
pub const fn is(_: Bug) -> bool {
    false
}

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// Contacts go out before all that may forbid them has been read.
    Unloaded,
    /// Customers are checked when they are selected, and never again.
    Selection,
    /// Contacts are shown first and reserved then.
    Unrecorded,
    /// A window ends a second early.
    Edge,
}

#[cfg(feature = "planted")]
impl Bug {
    fn name(self) -> &'static str {
        match self {
            Bug::Unloaded => "unloaded",
            Bug::Selection => "selection",
            Bug::Unrecorded => "unrecorded",
            Bug::Edge => "edge",
        }
    }
}
