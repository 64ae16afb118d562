//! What is wrong with a programme, and where.
//!
//! Lines and columns count from 1; a column counts characters, not bytes. All problems of a
//! programme are told at once, in the order of the text. Their number is bounded, so that a large
//! file of rubbish costs no more memory than a small one.

use std::fmt;

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use super::source::{Place, Source};

/// Whether the programme is refused for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One problem. Its `Display` shows the line of the programme with the place marked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// What was being read, what was found, what was expected.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip)]
    excerpt: Excerpt,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let Excerpt { text, indent, marked } = &self.excerpt;
        writeln!(f, "{}: {}", self.severity, self.message)?;
        writeln!(f, "{gutter}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {text}")?;
        write!(f, "{gutter} | {:indent$}{}", "", "^".repeat(*marked))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// The line at fault as a terminal shows it, with the marked part in terminal cells.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Excerpt {
    text: String,
    indent: usize,
    marked: usize,
}

impl Excerpt {
    /// Longest excerpt, in characters: what a terminal shows on one line or two.
    const CHARS_MAX: usize = 140;

    /// `from..to` are characters of `line`.
    fn of(line: &str, from: usize, to: usize) -> Excerpt {
        // A line too long is shown from somewhat before the place.
        let skipped = if to <= Self::CHARS_MAX { 0 } else { from.saturating_sub(Self::CHARS_MAX / 3) };
        let mut excerpt = Excerpt { text: String::new(), indent: 0, marked: 0 };
        if skipped > 0 {
            excerpt.text.push('…');
            excerpt.indent = 1;
        }
        for (index, char) in line.chars().enumerate().skip(skipped).take(Self::CHARS_MAX) {
            // Tabs and control characters (escape sequences of terminals) take one plain cell.
            let shown = if char.is_control() { ' ' } else { char };
            let cells = shown.width().unwrap_or(0);
            excerpt.text.push(shown);
            if index < from {
                excerpt.indent = excerpt.indent.saturating_add(cells);
            } else if index < to {
                excerpt.marked = excerpt.marked.saturating_add(cells);
            }
        }
        excerpt.marked = excerpt.marked.max(1);
        excerpt
    }
}

/// Where the readers of the parts put what they find.
pub(super) struct Problems<'a> {
    sources: &'a [Source],
    errors: Kept,
    warnings: Kept,
}

#[derive(Default)]
struct Kept {
    problems: Vec<(Place, String, Option<String>)>,
    untold: usize,
}

impl<'a> Problems<'a> {
    /// Most problems of a severity that are told: more than anybody reads at once.
    pub const TOLD_MAX: usize = 200;

    pub fn new(sources: &'a [Source]) -> Problems<'a> {
        Problems { sources, errors: Kept::default(), warnings: Kept::default() }
    }

    pub fn error(&mut self, place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) {
        self.errors.keep(place, message.into(), hint.into());
    }

    pub fn warning(&mut self, place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) {
        self.warnings.keep(place, message.into(), hint.into());
    }

    pub fn errors(&self) -> usize {
        self.errors.problems.len().saturating_add(self.errors.untold)
    }

    /// Whether a warning more would not be told.
    pub fn is_full_of_warnings(&self) -> bool {
        self.warnings.problems.len() >= Problems::TOLD_MAX
    }

    /// Everything found, in the order of the text.
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut all: Vec<(Place, Severity, String, Option<String>)> = Vec::new();
        for (severity, noun, mut kept) in
            [(Severity::Error, "errors", self.errors), (Severity::Warning, "warnings", self.warnings)]
        {
            kept.problems.sort_by_key(|(place, ..)| *place);
            if let (1.., Some((place, ..))) = (kept.untold, kept.problems.last()) {
                let message = format!("and {} more {noun}", kept.untold);
                kept.problems.push((*place, message, None));
            }
            all.extend(kept.problems.into_iter().map(|(place, message, hint)| (place, severity, message, hint)));
        }
        all.sort_by_key(|(place, ..)| *place);
        all.into_iter()
            .filter_map(|(place, severity, message, hint)| {
                let source = self.sources.get(place.file)?;
                let position = source.position(place);
                let excerpt = Excerpt::of(position.text, position.column, position.column_end);
                let column = position.column.saturating_add(1);
                Some(Diagnostic {
                    severity,
                    file: source.name.clone(),
                    line: position.line.saturating_add(1),
                    column,
                    message,
                    hint,
                    excerpt,
                })
            })
            .collect()
    }
}

impl Kept {
    fn keep(&mut self, place: Place, message: String, hint: Option<String>) {
        if self.problems.len() < Problems::TOLD_MAX {
            self.problems.push((place, message, hint));
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }
}

/// A name of the programme as messages show it: quoted, in one line, of bounded length.
pub(super) fn quoted(name: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut shown = String::from("\"");
    for (index, char) in name.chars().enumerate() {
        if index == CHARS_MAX {
            shown.push('…');
            break;
        }
        if char.is_control() { shown.extend(char.escape_debug()) } else { shown.push(char) }
    }
    shown.push('"');
    shown
}
