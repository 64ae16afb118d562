//! A bound of a rule at several numbers: how many would be in, and how they differ from those who are.

use std::sync::Arc;

use dataflows::programme::{Programme, Segment};
use dataflows::rules::compiled::Compiled;
use dataflows::rules::{Expr, Number};
use dataflows::table::Chunk;
use dataflows::table::chunk::FIRST_CLASS;
use dataflows::table::column::Bits;
use dataflows::targets::codes::is_target;
use dataflows::types::{Epoch, Word};
use serde::Serialize;

use super::bounds::moved;
use super::kept::Kind;
use super::proposal::Proposal;
use super::question::{Rule, choose, find};
use super::trials::{Tried, on_every_core};
use super::{Reading, TURN};

/// Most numbers of a sweep.
pub const AT_MAX: usize = 50;

/// What a sweep finds.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Swept {
    pub epoch: Epoch,
    /// segment, tier or campaign.
    pub kind: &'static str,
    pub id: String,
    /// The comparison, with `?` in the place of the number.
    pub bound: String,
    /// The number that stands there.
    pub stands: String,
    /// How many are in now.
    pub before: u64,
    pub at: Vec<At>,
}

/// What one number comes to.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct At {
    pub at: String,
    pub size: u64,
    pub added: u64,
    pub removed: u64,
}

/// Sweeps a bound of a rule of a programme. What is wrong with the question is told as text.
pub fn sweep(reading: &Reading, programme: &Programme, what: &str, at: &[Number]) -> Result<Swept, String> {
    if at.is_empty() || at.len() > AT_MAX {
        return Err(format!("expected 1 to {AT_MAX} numbers to sweep over, found {}", at.len()));
    }
    let (rule, pattern) = find(programme, what)?;
    let expr = rule.rule.ok_or_else(|| format!("{} {:?} takes the rest: it has no rule", rule.kind.name(), rule.id))?;
    let bound = choose(expr, pattern, &rule)?;
    let rules: Vec<Expr> = at.iter().map(|number| moved(expr, &bound, number)).collect();
    let _turn = TURN.lock();
    let sizes = match rule.kind {
        Kind::Segment => together(reading, programme, &rule, &rules),
        Kind::Tier => ladders(reading, programme, &rule, &rules),
        Kind::Campaign => rules.iter().flat_map(|edited| list(reading, programme, &rule, edited)).collect(),
    };
    let shown = |number: &Number| Expr::Number(number.clone()).to_string();
    let told = |(number, sizes): (&Number, &Sizes)| At {
        at: shown(number),
        size: sizes.size,
        added: sizes.added,
        removed: sizes.removed,
    };
    Ok(Swept {
        epoch: reading.published.epoch,
        kind: rule.kind.name(),
        id: rule.id.to_owned(),
        bound: bound.pattern(),
        stands: shown(&bound.number),
        before: sizes.first().map_or(0, |sizes| sizes.before),
        at: at.iter().zip(&sizes).map(told).collect(),
    })
}

/// What one number comes to, in some chunks or all.
#[derive(Clone, Copy, Default)]
struct Sizes {
    before: u64,
    size: u64,
    added: u64,
    removed: u64,
}

impl Sizes {
    fn add(&mut self, was: &Bits, is: &Bits) {
        let (before, size, common) = (was.count() as u64, is.count() as u64, was.count_common(is) as u64);
        self.before += before;
        self.size += size;
        self.added += size - common;
        self.removed += before - common;
    }

    fn sum(parts: Vec<Vec<Sizes>>, count: usize) -> Vec<Sizes> {
        let mut sums = vec![Sizes::default(); count];
        for part in &parts {
            for (sum, part) in sums.iter_mut().zip(part) {
                sum.before += part.before;
                sum.size += part.size;
                sum.added += part.added;
                sum.removed += part.removed;
            }
        }
        sums
    }
}

/// A segment at every number in one trial: for each a segment of its own beside the others, so that what they ask for is
/// read once.
fn together(reading: &Reading, programme: &Programme, rule: &Rule<'_>, rules: &[Expr]) -> Vec<Sizes> {
    let mut edited = of_one(programme, rule);
    // Ids are of one line: no segment of a programme is called so.
    edited.segments =
        (0..).zip(rules).map(|(number, when)| Segment { id: format!("\n{number}"), when: when.clone() }).collect();
    let places: Vec<usize> = (0..rules.len()).collect();
    swept(reading, edited, rule, &places)
}

/// A tier at every number in one trial: for each a ladder of its own.
fn ladders(reading: &Reading, programme: &Programme, rule: &Rule<'_>, rules: &[Expr]) -> Vec<Sizes> {
    let of_one = of_one(programme, rule);
    let ladder = |edited: &Expr| {
        let mut ladder = of_one.clone();
        ladder.tiers[rule.place].when = Some(edited.clone());
        Arc::new(ladder)
    };
    let ladders: Vec<Arc<Programme>> = rules.iter().map(ladder).collect();
    let proposal = Proposal::new(reading, of_one);
    let (id, code) = (proposal.word(rule.id), rule.place + usize::from(FIRST_CLASS));
    let word = |name: &str| proposal.word(name);
    let fresh = || {
        let compiled: Vec<Compiled> = ladders.iter().map(|ladder| Compiled::with(ladder.clone(), &word)).collect();
        (compiled, vec![Sizes::default(); rules.len()])
    };
    let add = |(compiled, sizes): &mut (Vec<Compiled>, Vec<Sizes>), tried: &Tried<'_>| {
        let was = place(rule.kind, tried.rules.0, id);
        let was = was.map_or_else(Bits::none, |place| inside(rule.kind, tried.before, place));
        for (sizes, classes) in sizes.iter_mut().zip((tried.classes)(compiled)) {
            let is: Vec<u8> = classes.into_iter().map(|class| u8::from(usize::from(class) == code)).collect();
            sizes.add(&was, &Bits::of(&is));
        }
    };
    Sizes::sum(on_every_core(&reading.published, &proposal, fresh, add, |(_, sizes)| sizes), rules.len())
}

/// A campaign's list at one number.
fn list(reading: &Reading, programme: &Programme, rule: &Rule<'_>, edited: &Expr) -> Vec<Sizes> {
    let mut programme = of_one(programme, rule);
    programme.campaigns[rule.place].audience = edited.clone();
    swept(reading, programme, rule, &[rule.place])
}

/// The programme without what the rule does not hang on: nothing asks for segments; tiers ask for no lists.
fn of_one(programme: &Programme, rule: &Rule<'_>) -> Programme {
    let mut of_one = programme.clone();
    of_one.segments.clear();
    if rule.kind != Kind::Campaign {
        of_one.campaigns.clear();
    }
    of_one
}

/// How those at the places of an edited programme differ from those of the same id who are in now.
fn swept(reading: &Reading, edited: Programme, rule: &Rule<'_>, places: &[usize]) -> Vec<Sizes> {
    let proposal = Proposal::new(reading, edited);
    let id = proposal.word(rule.id);
    let fresh = || vec![Sizes::default(); places.len()];
    let add = |sizes: &mut Vec<Sizes>, tried: &Tried<'_>| {
        let was = place(rule.kind, tried.rules.0, id);
        let was = was.map_or_else(Bits::none, |place| inside(rule.kind, tried.before, place));
        for (sizes, place) in sizes.iter_mut().zip(places) {
            sizes.add(&was, &inside(rule.kind, tried.after, *place));
        }
    };
    Sizes::sum(on_every_core(&reading.published, &proposal, fresh, add, |sizes| sizes), places.len())
}

/// Where the programme in force has what is swept, if it has it.
fn place(kind: Kind, rules: &Compiled, id: Option<Word>) -> Option<usize> {
    match kind {
        Kind::Segment => rules.segments.iter().position(|(of, _)| Some(*of) == id),
        Kind::Tier => rules.tiers.iter().position(|(of, _)| Some(*of) == id),
        Kind::Campaign => rules.targets.listings.iter().position(|listing| Some(listing.id) == id),
    }
}

/// Who is in it.
fn inside(kind: Kind, chunk: &Chunk, place: usize) -> Bits {
    match kind {
        Kind::Segment => chunk.segments.get(place).map_or_else(Bits::none, |members| (**members).clone()),
        Kind::Tier => {
            let code = place + usize::from(FIRST_CLASS);
            Bits::of(&chunk.class.map(|class| u8::from(usize::from(class) == code)))
        }
        Kind::Campaign => chunk
            .targets
            .columns
            .get(place)
            .map_or_else(Bits::none, |column| Bits::of(&column.code.map(|code| u8::from(is_target(code))))),
    }
}
