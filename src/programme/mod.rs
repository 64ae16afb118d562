//! Programmes: what a planner writes, as TOML, becomes what the dataflow evaluates.
//!
//! ```text
//! path ─► source (files) ─► outline (sections) ─► settings, ladder, rules ─► Document
//! ```
//!
//! A programme is taken whole or refused whole, with everything that is wrong in it told at once:
//! file, line, column, what was found, what was expected, near names. Sections and attributes of feeds
//! that this build does not carry are parsed, their rules are checked, and a warning says what is absent.
//!
//! Decided here, where the contract is silent:
//! - The files of a directory merge: tables of an array follow one another in the order of the
//!   names, and a key of `[settings]`, `[fit]` or `[calendar]` stands in one file only.
//! - A setting that is absent has the default of [`IngestSettings`] and of the dataflow's `Programme`.
//! - Ids and names are texts of one line, not empty, of at most 200 bytes; `level` defaults to province.
//! - A programme has at most 4 MiB; a rule at most 64 KiB, 100 levels and 2,000 operators.
//! - A points rule awards `per` event where it does not say; it may not be called `adjustment` or `forfeit`. No
//!   two ranks begin at the same balance.
//! - The measure that shows a product's use is named by `active_measures` of `[settings]`, else by `used_by`
//!   (or `active_measure`) of the `[[care]]` of the product. Care itself goes by its own.
//! - A `[[care]]` needs no id; a product has one at most. A step says when in one way; no two of a care do the
//!   same. A diagnosis asks as a segment does. Reasons may stand twice.
//! - `[calendar]` has `holidays` and `workdays`, dates or texts, none twice. Its other keys are classes of time,
//!   which come with scenes.
//! - A drive holds where its `when` does and at least `at_least` of its `signs` (default 1; 0 where it has none). Drives
//!   may ask for the class and for each other, not in a circle; tiers may not ask for drives.
//! - `when` and `audience` are rules in every section, at the top level of an item only.
//! - A pack needs products, none twice; a class has one pack at most, so that `pack = "by_tier"` names one. No pack
//!   is called so.
//! - A campaign needs an audience and a channel, and offers a product, a pack or nothing. `level = "city"` needs
//!   `cities`; on the other levels they narrow it. `kind` defaults to marketing.
//! - `exclude` takes holders, terminal, optout and list:NAME. Opt-outs and list:do_not_contact bind every campaign,
//!   written or not; everything else only where it is written. What excludes nobody, since nothing is offered, warns.
//! - `never_with` names campaigns of the programme. A name of `not_after` that is none is a channel: their feed says
//!   which there are.
//! - Channels are tried in the order: that of the first step, then `channels`; the steps' where there are none. A
//!   campaign without steps has one, over the first channel. The first step waits for nothing; one for no_response or
//!   not_ordered waits a day at least.
//! - `dates` are from and until, local, the first second and the first after it. A bare day is 00:00:00 of it as from
//!   and 24:00:00 as until; fractions of a second are dropped, leap seconds and offsets refused.
//! - `quiet` is from the first minute to before the second, may pass midnight, and leaves some of the day.
//! - `holdout` and `random_arm` are at least 0 and below 1, with four decimals at most. A seed without `min_delivery`
//!   or `max_complaints` has no such bound. A `baseline` may be a campaign that the programme no longer holds: it warns.
//! - `stages` ascend and hold approved and running, which no city leaves out.
//! - A content goes by its id where it has one, else by its campaign; of the same channel the greatest version is used.
//!   A text of a short message has at most 4 parts, and no placeholders.
//! - Weights of `[fit]` are whole, 0 to 100, one of them above 0; what `weights` or `parts` does not name weighs 0. An affinity names
//!   a product or a category, and a tier, a segment or a drive; points are whole, from -100 to 100.
//! - A goal's `target` is of a month. One without `kpi` is there for campaigns to name; nothing is told of it. What is used
//!   on holidays is known of everybody together, and stands alone in its formula.
//! - A restriction names a list and a text, and goes by its id where it has no `code`.
//! - A cap counts over `days`, which roll, or `weeks`, which begin on Monday; it allows one contact at least.

mod activity;
mod calendar;
mod campaigns;
mod care;
mod circle;
mod decimals;
mod diagnostic;
mod document;
mod drives;
mod fit;
mod goals;
mod ladder;
mod near;
mod outline;
mod points;
mod quoted;
mod reference;
mod restrictions;
mod rule;
mod settings;
mod source;
mod values;

use std::fmt;
use std::path::Path;

pub use campaigns::{Baseline, Condition, Content, Goal, OwnGoal, PackName, Plan, Prize, Quiet, Seed, Step};
pub use diagnostic::{Diagnostic, Severity};
pub use document::Document;
pub use fit::SellingPoint;
pub use goals::StandingGoal;
pub use ladder::{Level, Names, SegmentName, TierName};
pub use reference::reference;
pub use restrictions::Restriction;
pub use settings::IngestSettings;
pub use source::{BYTES_MAX, FILES_MAX, ReadError, Source};

use diagnostic::Problems;

/// Why there is no programme.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has errors; warnings are among the diagnostics too.
    #[error("{}", Report::text(.0, None))]
    Refused(Vec<Diagnostic>),
}

/// What `cohortflow check` tells: every problem, and the document where none of them is an error.
#[derive(Clone, Debug)]
pub struct Report {
    pub diagnostics: Vec<Diagnostic>,
    pub document: Option<Document>,
}

impl Report {
    fn text(diagnostics: &[Diagnostic], document: Option<&Document>) -> String {
        let mut text = String::new();
        for diagnostic in diagnostics {
            text.push_str(&format!("{diagnostic}\n\n"));
        }
        let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let found = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
        match document {
            Some(document) => {
                let tiers = counted(document.programme.tiers.len(), "tier");
                let segments = counted(document.programme.segments.len(), "segment");
                let rules = counted(document.programme.points.iter().flatten().count(), "points rule");
                let ranks = counted(document.programme.ranks.len(), "rank");
                let campaigns = counted(document.programme.campaigns.len(), "campaign");
                let holds = format!("{tiers}, {segments}, {rules}, {ranks} and {campaigns}");
                text.push_str(&format!("the programme holds {holds}: {found}"));
            }
            None => text.push_str(&format!("the programme is refused: {found}")),
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Report::text(&self.diagnostics, self.document.as_ref()))
    }
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Reads and checks a programme: a TOML file, or a directory of them.
pub fn check(path: &Path) -> Result<Report, ReadError> {
    let (sources, not_text) = source::read(path)?;
    if !not_text.is_empty() {
        let mut problems = Problems::new(&sources);
        for place in not_text {
            problems.error(place, "not UTF-8", "save the file in UTF-8".to_owned());
        }
        return Ok(Report { diagnostics: problems.finish(), document: None });
    }
    Ok(match parse(sources) {
        Ok(document) => Report { diagnostics: document.warnings.clone(), document: Some(document) },
        Err(diagnostics) => Report { diagnostics, document: None },
    })
}

/// Reads a programme that must hold.
pub fn load(path: &Path) -> Result<Document, LoadError> {
    let report = check(path)?;
    report.document.ok_or(LoadError::Refused(report.diagnostics))
}

/// Reads a number as rules write it, such as `60` or `-0.5`; otherwise says what is wrong.
pub fn number(text: &str) -> Result<dataflows::rules::Number, String> {
    match text.strip_prefix('-') {
        Some(digits) => rule::numbers::decimal(digits).map(|number| -number),
        None => rule::numbers::decimal(text),
    }
}

/// The names near to one that is not known, or all there are, as a hint.
pub(crate) fn near_or_all<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    near::hint_or_list(name, known)
}

/// Checks the texts of a programme, in the order in which they merge. No source is the empty
/// programme, whose views have no rows.
pub fn parse(sources: Vec<Source>) -> Result<Document, Vec<Diagnostic>> {
    document::parse(sources)
}
