//! The programme as the dataflow needs it: settings that decide views, tiers, segments.
//!
//! Made by the application from the planner's TOML, where every error has been refused already.
//! Meaning: contract, "Programme".

use crate::rules::{Attribute, Expr};

/// What the planner decides. Equal programmes give equal views.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programme {
    /// Months of the window W.
    pub window: u32,
    /// Months from the baseline's end to `as_of`.
    pub lag: u32,
    /// Months that tier history reaches back.
    pub history: u32,
    /// Limits tier and segment; everybody where none.
    pub population: Option<Expr>,
    /// In the order in which they are tested.
    pub tiers: Vec<Tier>,
    pub segments: Vec<Segment>,
}

/// Longest window in months. Sums and changes over it fit in 64 bits, see [`AMOUNT_MAX`].
///
/// [`AMOUNT_MAX`]: crate::records::AMOUNT_MAX
pub const WINDOW_MAX: u32 = 60;

/// Longest lag and history in months.
pub const MONTHS_MAX: u32 = 120;

/// Most tiers of a programme: a class is a byte, and two values are taken.
pub const TIERS_MAX: usize = 200;

/// One class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    pub id: String,
    /// None on the last tier only: it takes the rest.
    pub when: Option<Expr>,
}

/// One segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    pub id: String,
    pub when: Expr,
}

impl Programme {
    /// Every name that the vocabulary must hold before the dataflow sees the programme: ids of
    /// tiers and segments, and the measures, products and lists that rules ask for.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tiers.iter().map(|tier| tier.id.as_str()).collect();
        names.extend(self.segments.iter().map(|segment| segment.id.as_str()));
        for rule in self.rules() {
            rule.attributes(&mut |attribute| {
                if let Attribute::Usage(name) | Attribute::Holds(name) | Attribute::OnList(name) = attribute {
                    names.push(name);
                }
            });
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Every rule in it.
    pub fn rules(&self) -> impl Iterator<Item = &Expr> {
        let tiers = self.tiers.iter().filter_map(|tier| tier.when.as_ref());
        self.population.iter().chain(tiers).chain(self.segments.iter().map(|segment| &segment.when))
    }
}

impl Default for Programme {
    fn default() -> Programme {
        Programme { window: 3, lag: 3, history: 12, population: None, tiers: Vec::new(), segments: Vec::new() }
    }
}
