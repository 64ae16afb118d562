//! The whole way in, in one process: a landing directory, the intake, the store over a directory in
//! memory, the engine, and every view read as a client reads it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use cohortflow::engine::Engine;
use cohortflow::ingest::names::{Named, parse};
use cohortflow::intake::edits::{Edited, Request};
use cohortflow::intake::{Intake, Taken};
use cohortflow::programme::{self, Diagnostic, Document, Source};
use cohortflow::query::sight::Sight;
use cohortflow::query::{Cell, VIEWS, rows};
use cohortflow::store::memory::{Loss, Memory};
use cohortflow::store::{Store, StoreError};
use cohortflow::verify;
use tempfile::TempDir;

use crate::asked::Asked;
use crate::script::{Editing, Landing, Row, Watch};

/// Rows with their number, the view's name first.
pub type State = BTreeMap<Row, i64>;

pub struct Service {
    memory: Memory,
    running: Option<(Intake, Engine)>,
    landing: TempDir,
    landed: usize,
    workers: usize,
}

/// Wall time is the beginning of 2030 in Shanghai, always.
fn wall() -> jiff::Timestamp {
    jiff::Timestamp::constant(1_893_427_200, 0)
}

fn document(sources: Vec<Source>) -> Result<Document, String> {
    let told = |diagnostics: Vec<Diagnostic>| {
        diagnostics.iter().map(|diagnostic| format!("{diagnostic} ")).collect::<String>()
    };
    programme::parse(sources).map_err(told)
}

impl Service {
    pub fn begin(sources: &[Source], workers: usize) -> Service {
        let landing = tempfile::tempdir().expect("a directory");
        let mut service = Service { memory: Memory::default(), running: None, landing, landed: 0, workers };
        service.start(sources);
        service
    }

    fn start(&mut self, sources: &[Source]) {
        let store = Store::open(Arc::new(self.memory.clone()), [7; 32]).expect("the store opens");
        let engine = Engine::start(self.workers, |_| {}).expect("the workers start");
        let programme = |published: Option<&[cohortflow::store::Source]>| {
            let published = published.map(|files| {
                files.iter().map(|(name, text)| Source { name: name.clone(), text: text.clone() }).collect()
            });
            document(published.unwrap_or_else(|| sources.to_vec())).map_err(anyhow::Error::msg)
        };
        let intake = Intake::begin(store, engine.hub(), programme, wall).expect("the service starts");
        self.running = Some((intake, engine));
        self.settle();
    }

    /// Ends as by a power cut: what no sync made durable is gone.
    pub fn restart(&mut self) {
        self.running = None;
        self.memory = self.memory.crash(Loss::All);
        self.start(&[]);
    }

    pub fn compact(&self) {
        self.intake().store().lock().compact().expect("the log is written anew");
    }

    fn intake(&self) -> &Intake {
        &self.running.as_ref().expect("it runs").0
    }

    fn settle(&self) {
        assert!(self.intake().hub().settle(), "a worker failed");
    }

    /// Publishes a programme, and tells what became of it.
    pub fn publish(&self, sources: Vec<Source>) -> String {
        match document(sources) {
            Err(refused) => format!("refused: {refused}"),
            Ok(document) => {
                self.intake().publish(document).expect("nothing fails");
                self.settle();
                "accepted".to_owned()
            }
        }
    }

    /// Asks for an edit as staff do, and tells what became of it.
    pub fn edit(&self, editing: &Editing) -> String {
        let Editing { edit, by, reason, key, body, .. } = editing;
        let request = Request { edit, by, reason, key: key.as_deref(), body: body.as_bytes() };
        let edited = self.intake().edit(&request).expect("nothing fails");
        self.settle();
        match edited {
            Edited::Done { outranked: None, .. } => "repeated".to_owned(),
            Edited::Done { outranked: Some(0), .. } => "accepted".to_owned(),
            Edited::Done { rows, outranked: Some(outranked), .. } => {
                format!("accepted: {rows} rows, {outranked} outranked")
            }
            Edited::KeyReused => "key reused".to_owned(),
            Edited::Held { before, after } => format!("held: {before} before, {after} after"),
            Edited::Unknown(ids) => format!("unknown: {}", ids.join(" ")),
            Edited::UnknownList => "unknown list".to_owned(),
            Edited::Refused(why) => format!("refused: {why}"),
            Edited::Failed => "failed".to_owned(),
        }
    }

    /// Says what a customer says, or whoever provisions, and tells what became of it.
    pub fn ask(&self, asked: &Asked) -> String {
        let outcome = asked.of(self.intake());
        self.settle();
        outcome
    }

    /// Lets files land together, and tells of each what became of it.
    pub fn take(&mut self, landings: &[&Landing]) -> Vec<String> {
        let mut outcomes: Vec<String> = Vec::new();
        let (mut files, mut places) = (Vec::new(), Vec::new());
        for (place, landing) in landings.iter().enumerate() {
            // Each has a directory of its own: a name may come again with other content.
            self.landed += 1;
            let directory = self.landing.path().join(self.landed.to_string());
            fs::create_dir(&directory).expect("created");
            let path = directory.join(&landing.name);
            fs::write(&path, landing.bytes()).expect("written");
            if !landing.control.is_empty() {
                fs::write(directory.join(format!("{}.ok", landing.name)), &landing.control).expect("written");
            }
            outcomes.push(match parse(landing.name.as_bytes()) {
                Named::Ignored => "ignored".to_owned(),
                Named::LeftAlone { why } => format!("left alone: {why}"),
                Named::Malformed { why, .. } => format!("malformed: {why}"),
                Named::File(name) => {
                    files.push((path, name));
                    places.push(place);
                    String::new()
                }
            });
        }
        let mut places = places.into_iter();
        let mut tell = |_: &_, taken| outcomes[places.next().expect("one for each file")] = told(taken);
        self.intake().take(files, &|_| {}, &mut tell).expect("nothing fails");
        self.settle();
        outcomes
    }

    /// What the watched columns hold.
    pub fn watched(&self, watches: &[Watch]) -> State {
        let mut state = State::new();
        for watch in watches {
            self.visit(watch.view, &mut |cells| {
                let cells = watch.columns.iter().map(|column| shown(&cells[*column]));
                let row = std::iter::once(watch.view.name.to_owned()).chain(cells).collect();
                *state.entry(row).or_insert(0) += 1;
            });
        }
        state
    }

    /// What all columns of all views hold.
    pub fn all(&self) -> State {
        let whole = VIEWS
            .iter()
            .filter(|view| view.follows_from_input())
            .map(|view| Watch { view, columns: (0..view.columns.len()).collect() });
        self.watched(&whole.collect::<Vec<_>>())
    }

    fn visit(&self, view: &cohortflow::query::View, visit: &mut dyn FnMut(&[Cell<'_>])) {
        let reading = self.intake().readings().reading(Sight::everything());
        let mut before = Vec::new();
        let visited: Result<(), StoreError> = rows(view, reading.sources(), &mut |cells| {
            let (key, repeats) = match view.name {
                // Referrals of one key are told apart by their events' ids, which no column shows.
                "referral" => ((0..4).collect(), true),
                // Changes of one second stand in the order of their ids.
                "campaign_change" => (vec![0, 1, 6], false),
                _ => ((0..cells.len()).collect::<Vec<_>>(), false),
            };
            let place: Vec<_> = key.iter().map(|column| order(&cells[*column])).collect();
            assert!(before < place || repeats && before == place, "{}: {before:?} before {place:?}", view.name);
            before = place;
            visit(cells);
            Ok(())
        });
        visited.expect("the view can be read");
    }

    /// Where a recompute by plain loops differs.
    pub fn divergences(&self) -> Vec<String> {
        let (published, names) = (self.intake().hub().published(), self.intake().names());
        let standing = verify::standing(&self.intake().store().lock(), &published, &names.read());
        let standing = standing.expect("what stands can be read");
        verify::compare(&standing, &published, &names.read(), &|_| {}).examples
    }
}

/// How rows are sorted, each once: null first, text by bytes, numbers by value.
fn order(cell: &Cell<'_>) -> (bool, i128, String) {
    let number = |number: i128| (true, number, String::new());
    match cell {
        Cell::Null => (false, 0, String::new()),
        Cell::Text(text) => (true, 0, text.to_string()),
        Cell::Month(month) => number(month.0.into()),
        Cell::Day(day) => number(day.0.into()),
        Cell::Time(time) => number(time.0.into()),
        Cell::Integer(integer) => number((*integer).into()),
        Cell::Boolean(truth) => number((*truth).into()),
        Cell::Hundredths(hundredths) => number(*hundredths),
        Cell::Rate(rate) => number((*rate).into()),
    }
}

fn shown(cell: &Cell<'_>) -> String {
    match cell.to_string() {
        empty if empty.is_empty() => "-".to_owned(),
        text => text,
    }
}

fn told(taken: Taken) -> String {
    match taken {
        Taken::Accepted { bad_rows: 0, .. } => "accepted".to_owned(),
        Taken::Accepted { rows, bad_rows, .. } => format!("accepted: {rows} rows, {bad_rows} bad"),
        Taken::Superseded => "superseded".to_owned(),
        Taken::Duplicate => "duplicate".to_owned(),
        Taken::Undone => "undone".to_owned(),
        Taken::Held { before, now } => format!("held: {before} rows before, {now} now"),
        Taken::Rejected(why) => format!("rejected: {why}"),
        Taken::Later(why) => format!("later: {why}"),
    }
}
