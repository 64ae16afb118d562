//! What a scenario file says.
//!
//! ```text
//! === a higher version replaces the lower one            a scenario, named for a sentence or a symptom
//! programme                                              TOML, indented; or `programme reference`
//!   settings = { window = 1 }
//! watch customer_attribute  customer_id  last_fee        a view, or some columns of it
//! --- the bill lands                                     a step
//! file bill_2009-07.csv                                  an extract, as a person reads it: two blanks
//!   customer_id  month    total_fee                      or more between cells, `-` for an empty one
//!   c1           2009-07  100
//! control rows=1                                         a line of its control file
//! ! rejected "part of the message"                       what becomes of it, where that is not "accepted"
//! = customer_attribute  c1  100.00  +1                   a change of a watched view
//! ```
//!
//! Staff edit by hand in lines of their own, each in its order with files:
//!
//! ```text
//! adjust c1  5  by=zhang  reason=prize  key=k1           points; also at=
//! list vip  add  c1 c2  by=zhang  reason=prize           also remove, replace, clear; from= until= confirm=5:0
//! ! held "it would leave 0 of 5"
//! ```
//!
//! So do customers, and whoever provisions; each may have `key=` too:
//!
//! ```text
//! reply c1  Y  contact=k1                                also campaign= channel=
//! offer c1  crbt  accepted                               also declined, later, shown; campaign= channel=
//! answer 0123...cdef  failed  code=E7  text=No room      also opened; a request by its id
//! ! failed "R17" "Please pay"                            what became of it, where no request waits
//! ```
//!
//! `programme` in a step publishes an edit, `restart` ends the service as a power cut would and
//! starts it again, `compact` writes the log anew. `#` begins a comment.

use std::collections::BTreeMap;

use cohortflow::intake::edits::{Does, Edit, ListEdit};
use cohortflow::programme::{Source, reference};
use cohortflow::query::{View, view};

use crate::asked::Asked;

/// The programme of a scenario that has none: two tiers, and room for bad rows in short files.
const PROGRAMME: &str = r#"
settings = { max_bad_rows = 0.5 }
tier = [{ id = "high", when = "avg_fee >= 100" }, { id = "low" }]
"#;

/// Cells of a row, the view's name first.
pub type Row = Vec<String>;

pub struct Scenario {
    pub title: String,
    pub line: usize,
    pub programme: Vec<Source>,
    pub watches: Vec<Watch>,
    pub steps: Vec<Step>,
}

/// Columns of a view.
pub struct Watch {
    pub view: &'static View,
    pub columns: Vec<usize>,
}

#[derive(Default)]
pub struct Step {
    pub line: usize,
    pub about: String,
    pub actions: Vec<Action>,
    /// The lines that the step changes, sorted by bytes.
    pub changes: Vec<(Row, i64)>,
    /// The number of the last line that is no change.
    pub last_line: usize,
}

pub enum Action {
    Land(Landing),
    Edit(Editing),
    Ask(Asked),
    Publish { sources: Vec<Source>, expected: Outcome },
    Restart,
    Compact,
}

/// An extract, and what must become of it.
#[derive(Clone)]
pub struct Landing {
    pub name: String,
    pub table: Vec<Row>,
    pub control: String,
    pub expected: Outcome,
}

/// What staff ask for, as they ask for it: the cells but for the key, and what each of them says.
pub struct Editing {
    pub edit: Edit,
    pub by: String,
    pub reason: String,
    pub key: Option<String>,
    pub body: String,
    pub expected: Outcome,
}

/// The word that the outcome begins with, and texts that are in it.
#[derive(Clone, Default, Debug)]
pub struct Outcome(pub String, pub Vec<String>);

impl Outcome {
    /// Whether it came so. Without a word it has been accepted, and nothing is to be said of it.
    pub fn is(&self, outcome: &str) -> bool {
        match self.0.as_str() {
            "" => outcome == "accepted",
            word => outcome.starts_with(word) && self.1.iter().all(|text| outcome.contains(text)),
        }
    }
}

impl Landing {
    /// Its bytes as CSV.
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        self.table.iter().for_each(|row| writer.write_record(row).expect("to memory"));
        writer.into_inner().expect("to memory")
    }
}

/// Reads a file of scenarios. What is wrong in it panics with its line.
pub fn parse(file: &str, text: &str) -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("=== ") {
            scenarios.push(Scenario::new(title, number));
            continue;
        }
        let said = match scenarios.last_mut() {
            Some(scenario) => scenario.take(number, line),
            None => Err("before the first scenario".to_owned()),
        };
        said.unwrap_or_else(|wrong| panic!("{file}:{number}: {wrong}: {line}"));
    }
    scenarios
}

/// Two blanks or more between cells.
pub fn cells(text: &str) -> Row {
    text.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

fn programme(name: &str) -> Result<Vec<Source>, String> {
    match name {
        "" => Ok(vec![Source { name: "programme.toml".to_owned(), text: String::new() }]),
        "reference" => Ok(reference()),
        _ => Err("no such programme".to_owned()),
    }
}

fn outcome(text: &str) -> Outcome {
    let mut parts = text.split('"').map(str::trim);
    let word = parts.next().unwrap_or_default().to_owned();
    Outcome(word, parts.step_by(2).filter(|text| !text.is_empty()).map(str::to_owned).collect())
}

fn watch(text: &str) -> Result<Watch, String> {
    let mut names = cells(text).into_iter();
    let view = names.next().and_then(|name| view(&name)).ok_or("no such view")?;
    let place = |name: String| view.columns.iter().position(|column| column.name == name);
    let columns: Vec<usize> = names.map(place).collect::<Option<_>>().ok_or("no such column")?;
    let all = (0..view.columns.len()).collect();
    Ok(Watch { view, columns: if columns.is_empty() { all } else { columns } })
}

impl Scenario {
    fn new(title: &str, line: usize) -> Scenario {
        let programme = vec![Source { name: "programme.toml".to_owned(), text: PROGRAMME.to_owned() }];
        Scenario { title: title.to_owned(), line, programme, watches: Vec::new(), steps: Vec::new() }
    }

    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let Some(step) = self.steps.last_mut() else {
            match word {
                "programme" => self.programme = programme(rest)?,
                "watch" => self.watches.push(watch(rest)?),
                "---" => self.steps.push(Step::new(rest, number)),
                "" => append(&mut self.programme, line),
                _ => return Err("expected programme, watch or ---".to_owned()),
            }
            return Ok(());
        };
        if word == "---" {
            self.steps.push(Step::new(rest, number));
            return Ok(());
        }
        if word == "=" {
            let mut row = cells(rest);
            let count = row.pop().and_then(|count| count.parse().ok()).ok_or("expected a count at the end")?;
            step.changes.push((row, count));
            return Ok(());
        }
        if !step.changes.is_empty() {
            return Err("expected a change, or the next step".to_owned());
        }
        step.last_line = number;
        step.take(word, rest, line)
    }
}

impl Step {
    fn new(about: &str, line: usize) -> Step {
        Step { line, about: about.to_owned(), last_line: line, ..Step::default() }
    }

    fn take(&mut self, word: &str, rest: &str, line: &str) -> Result<(), String> {
        if let Some(asked) = Asked::parse(word, rest) {
            self.actions.push(Action::Ask(asked?));
            return Ok(());
        }
        match (word, self.actions.last_mut()) {
            ("file", _) => self.actions.push(Action::Land(Landing {
                name: rest.to_owned(),
                table: Vec::new(),
                control: String::new(),
                expected: Outcome::default(),
            })),
            ("programme", _) => {
                self.actions.push(Action::Publish { sources: programme(rest)?, expected: Outcome::default() });
            }
            ("adjust" | "list", _) => self.actions.push(Action::Edit(editing(word, rest)?)),
            ("restart", _) => self.actions.push(Action::Restart),
            ("compact", _) => self.actions.push(Action::Compact),
            ("", Some(Action::Publish { sources, .. })) => append(sources, line),
            ("", Some(Action::Land(landing))) => {
                let row: Row =
                    cells(line).into_iter().map(|cell| if cell == "-" { String::new() } else { cell }).collect();
                if landing.table.first().is_some_and(|header| header.len() != row.len()) {
                    return Err(format!("{} cells, other than the header", row.len()));
                }
                landing.table.push(row);
            }
            ("control", Some(Action::Land(landing))) => landing.control += &format!("{rest}\n"),
            (
                "!",
                Some(
                    Action::Land(Landing { expected, .. })
                    | Action::Edit(Editing { expected, .. })
                    | Action::Ask(Asked { expected, .. })
                    | Action::Publish { expected, .. },
                ),
            ) => {
                *expected = outcome(rest);
            }
            _ => return Err("not understood here".to_owned()),
        }
        Ok(())
    }
}

fn editing(word: &str, rest: &str) -> Result<Editing, String> {
    let (named, mut said): (Row, Row) = cells(rest).into_iter().partition(|cell| cell.contains('='));
    let named: BTreeMap<String, String> = named
        .iter()
        .filter_map(|cell| cell.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let moment = |name: &str| {
        let moment = |text: &String| cohortflow::ingest::moment(text, &jiff::tz::TimeZone::UTC).ok_or("no such time");
        named.get(name).map(moment).transpose()
    };
    let body = format!("{said:?} {:?}", named.iter().filter(|(name, _)| *name != "key").collect::<Vec<_>>());
    let mut next = || if said.is_empty() { Err("too few cells") } else { Ok(said.remove(0)) };
    let first = next()?;
    let edit = if word == "adjust" {
        let points = next()?.parse().map_err(|_| "expected points")?;
        Edit::Adjustment { customer: first, points, at: moment("at")? }
    } else {
        let does = next()?;
        let does = <Does as clap::ValueEnum>::from_str(&does, false)?;
        let customers = next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let confirmed = named.get("confirm").and_then(|text| text.split_once(':'));
        let confirmed = confirmed.and_then(|(before, after)| Some((before.parse().ok()?, after.parse().ok()?)));
        Edit::List(ListEdit { list: first, does, customers, from: moment("from")?, until: moment("until")?, confirmed })
    };
    let text = |name: &str| named.get(name).cloned();
    let [by, reason] = ["by", "reason"].map(|name| text(name).unwrap_or_default());
    Ok(Editing { edit, by, reason, key: text("key"), body, expected: Outcome::default() })
}

fn append(sources: &mut [Source], line: &str) {
    if let Some(source) = sources.last_mut() {
        source.text += &format!("{}\n", line.trim());
    }
}
