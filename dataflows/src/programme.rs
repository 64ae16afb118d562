//! The programme as the dataflow needs it: settings that decide views, tiers, segments, points.
//!
//! Made by the application from the planner's TOML, where every error has been refused already.
//! Meaning: contract, "Programme".

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::care::{Calendar, Care};
use crate::fit::Fit;
use crate::goals::Goal;
use crate::records::EventKind;
use crate::responses::RESPONSES;
use crate::rules::{Attribute, Expr};
use crate::services::{HEALTHS, TRIALS};
use crate::stages::{STAGES, Stages};
use crate::targets::{self, Campaign, Limits, Pack};

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
    /// In the order in which they award; none where the programme has no points.
    pub points: Option<Vec<PointsRule>>,
    pub debts: Debts,
    /// In the programme's order; no two begin at the same balance.
    pub ranks: Vec<Rank>,
    pub stages: Stages,
    pub drives: Vec<Drive>,
    /// By product, the measure that shows its use.
    pub active_measures: BTreeMap<String, String>,
    pub cares: Vec<Care>,
    pub calendar: Calendar,
    /// None where the programme has no `[fit]`.
    pub fit: Option<Fit>,
    /// In the programme's order.
    pub goals: Vec<Goal>,
    pub packs: Vec<Pack>,
    /// In the programme's order; arbitration has its own.
    pub campaigns: Vec<Campaign>,
    pub limits: Limits,
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

/// What moves a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drive {
    pub id: String,
    pub when: Expr,
    /// At most [`SIGNS_MAX`].
    pub signs: Vec<Sign>,
    /// How many of the signs it takes beside `when`.
    pub at_least: u8,
}

impl Drive {
    /// Its rule, and those of its signs.
    pub fn rules(&self) -> impl Iterator<Item = &Expr> {
        [&self.when].into_iter().chain(self.signs.iter().map(|sign| &sign.when))
    }
}

/// One thing by which a drive shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sign {
    pub id: String,
    pub when: Expr,
}

/// Most drives of a programme: each costs a bit of every customer, and one for each sign.
pub const DRIVES_MAX: usize = 100;

/// Most signs of a drive: they are counted in a byte.
pub const SIGNS_MAX: usize = 100;

/// What is awarded, and for what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PointsRule {
    pub id: String,
    pub on: Trigger,
    /// Only for events of this product.
    pub product: Option<String>,
    /// Only for those that succeeded, or failed.
    pub result: Option<bool>,
    pub points: i64,
    pub per: Per,
    /// Most points a day.
    pub daily_cap: Option<i64>,
    /// Most awards a day.
    pub daily_limit: Option<u32>,
    /// Most people a day that events are about.
    pub daily_people: Option<u32>,
    pub terms: Terms,
}

/// What a rule awards for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trigger {
    Event(EventKind),
    /// A month in which a measure sums to at least so much.
    Use {
        measure: String,
        monthly_at_least: i64,
    },
}

/// Under which terms points are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// Days before they can be spent.
    pub pending_days: u32,
    pub expiry: Expiry,
}

/// When points that are left are lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expiry {
    #[default]
    Never,
    /// So many months after the award, to the second; on the month's last day where it has no such
    /// day.
    Months(u32),
    /// With the year of the award.
    YearEnd,
}

/// Most days that points wait.
pub const PENDING_DAYS_MAX: u32 = 3_650;

/// What becomes of points that are taken and are not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Debts {
    /// The balance is negative.
    #[default]
    AllowNegative,
    /// The balance stops at 0, and what is missing is taken from what comes next.
    ClawBackNext,
    /// The balance stops at 0, and what is missing is forgiven.
    WriteOff,
}

/// What a rule awards at most once for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Per {
    #[default]
    Event,
    Day,
    Lifetime,
}

/// A rank by points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rank {
    pub id: String,
    /// The lowest balance that has it.
    pub from: i64,
}

impl Programme {
    /// Every name that the vocabulary must hold before the dataflow sees the programme: ids of
    /// tiers, segments, drives, signs and ranks, the measures, products, lists, purposes and models that rules ask for, and
    /// the values of what is told in words.
    pub fn names(&self) -> Vec<Cow<'_, str>> {
        let mut names: Vec<&str> = self.tiers.iter().map(|tier| tier.id.as_str()).collect();
        names.extend(self.segments.iter().map(|segment| segment.id.as_str()));
        names.extend(self.ranks.iter().map(|rank| rank.id.as_str()));
        for rule in self.points.iter().flatten() {
            names.extend(rule.product.as_deref());
            if let Trigger::Use { measure, .. } = &rule.on {
                names.push(measure);
            }
        }
        for drive in &self.drives {
            names.push(&drive.id);
            names.extend(drive.signs.iter().map(|sign| sign.id.as_str()));
        }
        names.extend(self.cares.iter().flat_map(|care| [care.product.as_str(), &care.used_by]));
        names.extend(self.active_measures.iter().flat_map(|(product, measure)| [product.as_str(), measure]));
        names.extend(self.fit.iter().flat_map(Fit::names));
        names.extend(self.goals.iter().flat_map(Goal::names));
        for rule in self.rules() {
            rule.attributes(&mut |attribute| match attribute {
                Attribute::Usage(name)
                | Attribute::UsageYear(name)
                | Attribute::Participations(name)
                | Attribute::Holds(name)
                | Attribute::OnList(name)
                | Attribute::Consent(name)
                | Attribute::Score(name) => names.push(name),
                Attribute::Response(name) => names.extend(RESPONSES.into_iter().chain([name.as_str()])),
                Attribute::MemberStage => names.extend(STAGES),
                Attribute::Trial(name) => names.extend(TRIALS.into_iter().chain([name.as_str()])),
                Attribute::Health(name) => names.extend(HEALTHS.into_iter().chain([name.as_str()])),
                _ => {}
            });
        }
        let mut names: Vec<Cow<'_, str>> = names.into_iter().map(Cow::Borrowed).collect();
        names.extend(targets::names(self));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Every rule in it.
    pub fn rules(&self) -> impl Iterator<Item = &Expr> {
        let tiers = self.tiers.iter().filter_map(|tier| tier.when.as_ref());
        let drives = self.drives.iter().flat_map(Drive::rules);
        let segments = self.segments.iter().map(|segment| &segment.when);
        let diagnoses = self.cares.iter().flat_map(|care| care.diagnose.iter().map(|diagnosis| &diagnosis.when));
        let audiences = self.campaigns.iter().map(|campaign| &campaign.audience);
        self.population.iter().chain(audiences).chain(tiers).chain(drives).chain(segments).chain(diagnoses)
    }
}

impl Default for Programme {
    fn default() -> Programme {
        Programme {
            window: 3,
            lag: 3,
            history: 12,
            population: None,
            tiers: Vec::new(),
            segments: Vec::new(),
            points: None,
            debts: Debts::default(),
            ranks: Vec::new(),
            stages: Stages::default(),
            drives: Vec::new(),
            active_measures: BTreeMap::new(),
            cares: Vec::new(),
            calendar: Calendar::default(),
            fit: None,
            goals: Vec::new(),
            packs: Vec::new(),
            campaigns: Vec::new(),
            limits: Limits::default(),
        }
    }
}
