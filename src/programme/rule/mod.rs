//! Rules: from the text of a `when` to a checked [`Expr`].
//!
//! ```text
//! text ─► words (tokens, attributes) ─► syntax (the tree, by sqlparser) ─► typing (Expr)
//! ```
//!
//! The language is the contract's list and no more. What SQL has beside it is refused by name, with
//! what to write instead; comments are refused too, because in `a --1` one would take a number away
//! silently. Every pass goes on after a problem, so that a rule tells all of its problems at once.
//!
//! Bounds, so that no text exhausts stack or time: [`BYTES_MAX`], [`LEVELS_MAX`], [`OPERATORS_MAX`].

mod foreign;
pub(super) mod numbers;
mod operators;
mod syntax;
mod typing;
mod words;

use std::collections::HashSet;
use std::ops::Range;

use dataflows::records::CATEGORIES;
use dataflows::rules::{Attribute, Expr, Type};

use super::diagnostic::{self, Problems};
use super::near;
use super::quoted;
use super::source::{Place, Source};

/// Longest rule, in bytes.
pub(super) const BYTES_MAX: usize = 64 << 10;

/// Deepest nesting of a rule. Nobody reads deeper, and the stack of a thread holds it many times.
const LEVELS_MAX: usize = 100;

/// Most operators of a rule: the parser's tree leans by one level for each. Lists in `in (...)` count
/// once, whatever their length.
const OPERATORS_MAX: usize = 2000;

/// The text of a rule, and where it stands in the programme.
pub(super) struct Text<'a> {
    /// What is being read, as messages begin: `rule of segment "student"`.
    pub subject: String,
    pub value: &'a str,
    /// The whole string, with its quotes.
    pub place: Place,
    /// For each character of `value` its byte in the source; empty where that is not known.
    offsets: Vec<usize>,
    /// For each line of `value` the character it begins with.
    lines: Vec<usize>,
}

impl<'a> Text<'a> {
    pub fn new(subject: String, value: &'a str, place: Place, source: &Source) -> Text<'a> {
        let offsets = source.text.get(place.start..place.end).and_then(|raw| quoted::offsets(raw, value));
        let line_ends = value.chars().enumerate().filter(|(_, char)| *char == '\n');
        let lines = [0].into_iter().chain(line_ends.map(|(index, _)| index.saturating_add(1))).collect();
        Text { subject, value, place, offsets: offsets.unwrap_or_default(), lines }
    }

    /// Where these characters of the rule stand in the source.
    fn place(&self, chars: Range<usize>) -> Place {
        let byte = |at: usize| self.offsets.get(at).or(self.offsets.last());
        let place = (byte(chars.start), byte(chars.end));
        let (Some(start), Some(end)) = place else { return self.place };
        let offset = |at: usize| self.place.start.saturating_add(at);
        Place { file: self.place.file, start: offset(*start), end: offset(*end) }
    }

    /// The character at a location of sqlparser, which counts lines and columns from 1.
    fn char_at(&self, location: sqlparser::tokenizer::Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(location.column).unwrap_or(usize::MAX).saturating_sub(1);
        self.lines.get(line).map_or(0, |start| start.saturating_add(column))
    }

    fn chars(&self, span: sqlparser::tokenizer::Span) -> Range<usize> {
        let start = self.char_at(span.start);
        start..self.char_at(span.end).max(start)
    }

    /// The text itself.
    fn slice(&self, chars: Range<usize>) -> String {
        self.value.chars().skip(chars.start).take(chars.end.saturating_sub(chars.start)).collect()
    }
}

/// A rule after all checks.
pub(super) struct Rule {
    /// None where there is an error.
    pub expr: Option<Expr>,
    /// The attributes it names, each where it is named first.
    pub uses: Vec<(Attribute, Place)>,
}

/// What rules are checked against beside the language itself.
pub(super) struct Known {
    /// The ids of the programme's tiers.
    pub tiers: Vec<String>,
    /// The ids of its ranks.
    pub ranks: Vec<String>,
    /// The ids of its drives.
    pub drives: Vec<String>,
    /// The products whose use is measured.
    pub measured: HashSet<String>,
}

/// Reads and checks a rule.
pub(super) fn compile(text: &Text<'_>, known: &Known, problems: &mut Problems<'_>) -> Rule {
    let mut problems = RuleProblems { text, problems };
    if text.value.len() > BYTES_MAX {
        problems.whole(&format!("it has {} bytes, {BYTES_MAX} are allowed", text.value.len()));
        return Rule { expr: None, uses: Vec::new() };
    }
    let (words, uses) = words::read(&mut problems);
    for (attribute, place) in uses.iter().filter(|(attribute, _)| !attribute.is_carried()) {
        let stands_for = if attribute.ty() == Type::Boolean { "false" } else { "null" };
        let subject = &text.subject;
        let message = format!("{subject} uses {attribute}, whose feed is not carried by this build");
        let hint = format!("until then {attribute} is {stands_for} for everybody");
        problems.problems.warning(*place, message, hint);
    }
    for (attribute, place) in &uses {
        if let Attribute::Drive(id) = attribute
            && !known.drives.contains(id)
        {
            let message = format!("{} uses {attribute}, and the programme has no such drive", text.subject);
            problems.problems.error(*place, message, near::hint_or_list(id, known.drives.iter().map(String::as_str)));
        }
        if let Attribute::Response(category) = attribute
            && !CATEGORIES.contains(&category.as_str())
        {
            let message = format!("{} uses {attribute}, and no product can be of that category", text.subject);
            problems.problems.warning(*place, message, near::hint_or_list(category, CATEGORIES));
        }
        let (product, without) = match attribute {
            Attribute::Trial(product) => (product, "never 'used'"),
            Attribute::Health(product) => (product, "null for everybody"),
            _ => continue,
        };
        if !known.measured.contains(product) {
            let message = format!("{} uses {attribute}, and no measure shows the use of that product", text.subject);
            let hint = format!(
                "until [settings] has active_measures = {{ {} = \"...\" }}, {attribute} is {without}",
                quoted_key(product)
            );
            problems.problems.warning(*place, message, hint);
        }
    }
    let expr = words
        .and_then(|words| Some((syntax::parse(&words, &mut problems)?, words)))
        .and_then(|(tree, words)| typing::condition(tree, &words, known, &mut problems));
    Rule { expr, uses }
}

/// A key as TOML writes it.
fn quoted_key(key: &str) -> String {
    let is_bare = key.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'));
    if is_bare { key.to_owned() } else { diagnostic::quoted(key) }
}

/// The problems of one rule, placed by its characters.
struct RuleProblems<'p, 'a, 's> {
    text: &'p Text<'a>,
    problems: &'p mut Problems<'s>,
}

impl RuleProblems<'_, '_, '_> {
    fn error(&mut self, chars: Range<usize>, problem: &str, hint: impl Into<Option<String>>) {
        let message = format!("{} is not a condition: {problem}", self.text.subject);
        self.problems.error(self.text.place(chars), message, hint);
    }

    fn whole(&mut self, problem: &str) {
        let message = format!("{} is not a condition: {problem}", self.text.subject);
        self.problems.error(self.text.place, message, None);
    }

    fn warning(&mut self, chars: Range<usize>, problem: &str, hint: impl Into<Option<String>>) {
        let message = format!("{} {problem}", self.text.subject);
        self.problems.warning(self.text.place(chars), message, hint);
    }
}
