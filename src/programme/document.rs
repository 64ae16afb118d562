//! A whole programme: sections read, rules checked, circles refused.

use std::borrow::Cow;
use std::collections::HashMap;

use dataflows::programme::Programme;
use dataflows::rules::{Attribute, Expr};

use super::calendar;
use super::campaigns::{self, Content, Ids, PackName, Plan, Step};
use super::care;
use super::circle::{self, Definition, Reference};
use super::diagnostic::{Diagnostic, Problems, Severity, quoted};
use super::drives;
use super::fit::{self, SellingPoint};
use super::goals::{self, StandingGoal};
use super::ladder::{self, Names};
use super::near;
use super::outline::{self, Entry, Item, Uncarried};
use super::points;
use super::restrictions::{self, Restriction};
use super::rule::{self, Known, Rule};
use super::settings::{self, IngestSettings};
use super::source::{BYTES_MAX, FILES_MAX, Place, Source};
use super::values;

/// A programme that holds, with everything that its users need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// What decides views.
    pub programme: Programme,
    pub settings: IngestSettings,
    /// What tiers and segments are called.
    pub names: Names,
    /// What packs are called, in the programme's order.
    pub packs: Vec<PackName>,
    /// How campaigns are carried out, in the programme's order.
    pub plans: Vec<Plan>,
    pub contents: Vec<Content>,
    /// Who may not order, in the programme's order.
    pub restrictions: Vec<Restriction>,
    /// What is said for products, in the programme's order.
    pub selling_points: Vec<SellingPoint>,
    /// Standing goals with a KPI, in the programme's order.
    pub goals: Vec<StandingGoal>,
    /// In the order of the text.
    pub warnings: Vec<Diagnostic>,
    /// The text itself. Parsing it again gives this document.
    pub sources: Vec<Source>,
}

impl Document {
    /// The same going by the data's clock, as one-shot runs and replays do: what they give must not
    /// depend on the day on which they are started.
    pub fn by_data_clock(mut self) -> Document {
        self.settings.clock_wall = false;
        self
    }

    /// Every name that must be a word before the programme is in force: those of views, and the channels of later steps.
    pub fn names(&self) -> Vec<Cow<'_, str>> {
        let steps = self.plans.iter().flat_map(|plan| &plan.steps);
        let mut names = self.programme.names();
        names.extend(steps.map(|step| Cow::Borrowed(step.channel.as_str())));
        names
    }

    /// What a step of a campaign sends on a channel: the content that it names, else the campaign's own; the
    /// greatest version.
    pub fn content(&self, campaign: &str, step: &Step, channel: &str) -> Option<&Content> {
        let is_meant = |content: &&Content| match &step.content {
            Some(id) => content.id.as_ref() == Some(id),
            None => content.campaign.as_deref() == Some(campaign),
        };
        let meant = self.contents.iter().filter(is_meant).filter(|content| content.channel == channel);
        // Of a campaign's texts one without an id is meant for every step.
        meant.rev().max_by_key(|content| (step.content.is_some() || content.id.is_none(), content.version))
    }
}

/// What reading a section works with.
pub(super) struct Reader<'a, 'p> {
    pub sources: &'a [Source],
    pub problems: &'p mut Problems<'a>,
    pub known: Known,
    pub references: Vec<Reference>,
}

pub(super) fn parse(sources: Vec<Source>) -> Result<Document, Vec<Diagnostic>> {
    let mut problems = Problems::new(&sources);
    let read = read(&sources, &mut problems);
    let is_refused = problems.errors() > 0;
    let diagnostics = problems.finish();
    match read {
        Some(read) if !is_refused => {
            debug_assert!(diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning));
            Ok(Document { warnings: diagnostics, sources, ..read })
        }
        _ => Err(diagnostics),
    }
}

/// All but the text and what is wrong in it. None where it is not even TOML.
fn read<'a>(sources: &'a [Source], problems: &mut Problems<'a>) -> Option<Document> {
    if sources.len() > FILES_MAX {
        problems.error(Place::new(FILES_MAX, 0..0), format!("the programme has more than {FILES_MAX} files"), None);
        return None;
    }
    let mut left = BYTES_MAX;
    for (file, source) in sources.iter().enumerate() {
        match left.checked_sub(source.text.len()) {
            Some(rest) => left = rest,
            None => {
                let message = format!("the programme has more than {BYTES_MAX} bytes");
                problems.error(Place::new(file, 0..0), message, None);
                return None;
            }
        }
    }
    let tables = outline::tables(sources, problems);
    if problems.errors() > 0 {
        return None;
    }
    let mut outline = outline::merge(&tables, sources, problems);

    let mut programme = Programme::default();
    let (settings, population) = settings::read(&outline.settings, &mut programme, problems);
    let heads = care::heads(&outline.cares, &mut programme.active_measures, problems);
    programme.calendar = calendar::read(&outline.calendar, sources, problems);
    let known = Known {
        tiers: ladder::tier_ids(&outline.tiers),
        ranks: points::rank_ids(&outline.ranks),
        drives: ladder::tier_ids(&outline.drives),
        measured: programme.active_measures.keys().cloned().collect(),
    };
    let mut reader = Reader { sources, problems, known, references: Vec::new() };
    if let Some(entry) = population {
        programme.population = reader.population(&entry);
        let (from, to) = (Definition::Tier, Definition::Population);
        reader.references.push(Reference { from, by: None, to, place: None });
    }
    let (tiers, tier_names) = ladder::tiers(&outline.tiers, &mut reader);
    let (segments, segment_names) = ladder::segments(&outline.segments, &mut reader);
    programme.tiers = tiers;
    programme.segments = segments;
    programme.points = (!outline.points.is_empty()).then(|| points::rules(&outline.points, &mut reader));
    programme.ranks = points::ranks(&outline.ranks, &mut reader);
    programme.drives = drives::drives(&outline.drives, &mut reader);
    programme.cares = care::cares(&outline.cares, &heads, &mut reader);
    let mut ids = Ids::of(&outline);
    let (packs, pack_names) = campaigns::packs::packs(&outline.packs, &mut reader);
    let contents = campaigns::contents(&outline.contents, &mut ids, &mut reader);
    campaigns::templates::apply(&outline.templates, &mut outline.campaigns, &mut reader);
    let (campaigns, plans) = campaigns::campaigns(&outline.campaigns, &ids, &mut reader);
    let ids: Vec<String> = programme.segments.iter().map(|segment| segment.id.clone()).collect();
    let (fit, selling_points) = fit::fit(outline.fit.as_ref(), &ids, &mut reader);
    programme.fit = fit;
    let (goals, standing_goals) = goals::goals(&outline.goals, &mut reader);
    programme.goals = goals;
    let restrictions = restrictions::restrictions(&outline.restrictions, &mut reader);
    programme.packs = packs;
    programme.campaigns = campaigns;
    for section in &outline.uncarried {
        reader.uncarried(section);
    }
    let Reader { references, problems, .. } = reader;
    circle::check(&references, problems);
    Some(Document {
        programme,
        settings,
        names: Names { tiers: tier_names, segments: segment_names },
        packs: pack_names,
        plans,
        contents,
        restrictions,
        selling_points,
        goals: standing_goals,
        warnings: Vec::new(),
        sources: Vec::new(),
    })
}

/// A noun with its article; of many there is none.
fn one_of(noun: &str) -> String {
    match noun.as_bytes() {
        [.., b's'] if !noun.ends_with("is") => noun.to_owned(),
        [b'a' | b'e' | b'i' | b'o' | b'u', ..] => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}

impl<'a> Reader<'a, '_> {
    /// Checks the rule of a key. `subject` is how messages begin.
    pub fn rule(&mut self, entry: &Entry<'_>, subject: String) -> Option<Rule> {
        let text = values::text(entry, "a rule", self.problems)?;
        let source = self.sources.get(entry.place.file)?;
        let text = rule::Text::new(subject, text, entry.place, source);
        Some(rule::compile(&text, &self.known, self.problems))
    }

    /// Notes what a definition asks for.
    pub fn refers(&mut self, from: &Definition, by: Option<&str>, rule: &Rule) {
        for (attribute, place) in &rule.uses {
            let to = match attribute {
                Attribute::Tier => Definition::Tier,
                Attribute::Tag(id) => Definition::Tag(id.clone()),
                Attribute::Drive(id) => Definition::Drive(id.clone()),
                _ => continue,
            };
            let by = by.map(str::to_owned);
            self.references.push(Reference { from: from.clone(), by, to, place: Some(*place) });
        }
    }

    /// Tells keys of an item that are none of its. `noun` is what the item is.
    pub fn known_keys(&mut self, noun: &str, item: &Item<'_>, keys: &[&str]) {
        for entry in item.entries.iter().filter(|entry| !keys.contains(&entry.key)) {
            let message = format!("unknown key {} of {}", quoted(entry.key), one_of(noun));
            self.problems.error(entry.key_place, message, near::hint_or_list(entry.key, keys.iter().copied()));
        }
    }

    /// Tells ids that stand twice. `noun` is what the section holds.
    pub fn unique<'e>(&mut self, noun: &str, seen: &mut HashMap<&'e str, Place>, id: &'e str, place: Place) {
        if let Some(earlier) = seen.insert(id, place) {
            let hint = format!("first at {}", outline::at(earlier, self.sources));
            self.problems.error(place, format!("two {noun}s have the id {}", quoted(id)), hint);
        }
    }

    fn population(&mut self, entry: &Entry<'_>) -> Option<Expr> {
        let rule = self.rule(entry, "population".to_owned())?;
        self.refers(&Definition::Population, None, &rule);
        rule.expr
    }

    fn uncarried(&mut self, section: &Uncarried<'_>) {
        let message = format!("section {} is not carried by this build: its views are absent", section.header);
        self.problems.warning(section.place, message, None);
        let mut seen = HashMap::new();
        for item in &section.items {
            self.uncarried_item(section.noun, item, &mut seen);
        }
    }

    fn uncarried_item<'e>(&mut self, noun: &str, item: &Item<'e>, seen: &mut HashMap<&'e str, Place>) {
        let mut id = None;
        if let Some(entry) = item.entries.iter().find(|entry| entry.key == "id") {
            id = values::name(entry, self.problems);
            if let Some(id) = id {
                self.unique(noun, seen, id, entry.place);
            }
        }
        for entry in item.entries.iter().filter(|entry| matches!(entry.key, "when" | "audience")) {
            let whose = id.map_or_else(|| noun.to_owned(), |id| format!("{noun} {}", quoted(id)));
            let kind = if entry.key == "when" { "rule" } else { "audience" };
            let Some(rule) = self.rule(entry, format!("{kind} of {whose}")) else { continue };
            if let ("tag", Some(id)) = (noun, id) {
                self.refers(&Definition::Tag(id.to_owned()), None, &rule);
            }
        }
    }
}
