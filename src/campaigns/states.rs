//! How far a campaign has come, and what it may come to next. Pure: changes in, states and reasons out.
//!
//! ```text
//! draft ─► predicted ─► approved ─► dispatched ─► accepted ─► rehearsed ─► running ◄─► paused
//!   └──────────┴────────────┴────────────┴── closed, from everywhere ──────────┴─────────┘
//! ```
//!
//! Decided here, where the contract is silent:
//! - A campaign without changes is a draft that nobody is known to have written.
//! - Before it is approved it may be a draft again, or predicted anew. Then no way leads back, but from paused to
//!   running.
//! - A stage is left out only where the plan leaves it out, or each of its cities does.
//! - Whoever set draft or predicted is an author, however he spells his name in capitals, and approves nothing.
//! - Where work is by city each city that does not leave it out accepts for itself; the campaign is accepted with the
//!   last of them. What else is set is set for the campaign: a city is as far, but for the stages that it leaves out.
//! - Files are not held to this: the latest change stands, and [`follow`] tells which are irregular. Stages that they
//!   jumped over are not made up for, but nothing begins to run without all of its stages.
//! - A draft begins anew: acceptances and stages before it no longer count.

use std::collections::BTreeMap;

use dataflows::records::State;
use dataflows::types::Time;

use super::course::Course;
use super::refused::Refused;

/// A change of a campaign's state, as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub change_id: String,
    pub at: Time,
    pub state: State,
    pub city: Option<String>,
    pub by: String,
    pub note: Option<String>,
}

/// How far a campaign has come.
#[derive(Clone, Debug, Default)]
pub struct Progress<'c> {
    /// The latest change of the campaign as a whole.
    last: Option<&'c Change>,
    /// The stages that it was set to as a whole since it was a draft.
    passed: Vec<State>,
    /// The changes by which cities accepted since then.
    accepted: BTreeMap<&'c str, &'c Change>,
    /// Who set draft or predicted, at any time.
    authors: Vec<&'c str>,
}

/// How far a city has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CityState<'c> {
    pub city: &'c str,
    pub state: State,
    /// The change by which it accepted.
    pub accepted: Option<&'c Change>,
}

/// Follows the changes of a campaign in their order. With a course, tells of each why it would have been refused; files
/// may bring such.
pub fn follow<'c>(course: Option<&Course<'_>>, changes: &'c [Change]) -> (Progress<'c>, Vec<Option<Refused>>) {
    let mut progress = Progress::default();
    let mut irregular = Vec::with_capacity(changes.len());
    for change in changes {
        let fits = course.map(|course| progress.may(course, change.state, change.city.as_deref(), &change.by));
        irregular.push(fits.and_then(Result::err));
        progress.apply(change);
    }
    (progress, irregular)
}

impl<'c> Progress<'c> {
    fn apply(&mut self, change: &'c Change) {
        match &change.city {
            Some(city) if change.state == State::Accepted => drop(self.accepted.insert(city, change)),
            Some(_) => {}
            None => {
                if change.state == State::Draft {
                    self.passed.clear();
                    self.accepted.clear();
                }
                if change.state <= State::Predicted {
                    self.authors.push(&change.by);
                }
                self.passed.push(change.state);
                self.last = Some(change);
            }
        }
    }

    /// The change that made the campaign what it is: that of the city which accepted last, where that did it.
    pub fn decisive(&self, course: Option<&Course<'_>>) -> Option<&'c Change> {
        let all_accepted = course.is_some_and(|course| self.is_accepted_by_cities(course));
        let by_cities = self.accepted.values().copied().filter(|_| all_accepted);
        self.last.into_iter().chain(by_cities).max_by_key(|change| (change.at, &change.change_id))
    }

    /// The state of the campaign.
    pub fn state(&self, course: Option<&Course<'_>>) -> State {
        let all_accepted = course.is_some_and(|course| self.is_accepted_by_cities(course));
        if all_accepted { State::Accepted } else { self.set() }
    }

    /// The state that it was set to as a whole.
    fn set(&self) -> State {
        self.last.map_or(State::Draft, |change| change.state)
    }

    /// Whether it stands before acceptance and has nothing left to wait for.
    fn is_accepted_by_cities(&self, course: &Course<'_>) -> bool {
        let before = course.stages().iter().rfind(|stage| **stage < State::Accepted);
        let mut cities = course.accepting().peekable();
        cities.peek().is_some()
            && before.is_some_and(|last| *last == self.set())
            && cities.all(|city| self.accepted.contains_key(city))
    }

    /// The cities that have yet to accept.
    fn waiting(&self, course: &Course<'_>) -> Vec<String> {
        course.accepting().filter(|city| !self.accepted.contains_key(city)).map(str::to_owned).collect()
    }

    /// How far each city is, where work is by city.
    pub fn cities<'p: 'c>(&self, course: &Course<'p>) -> Vec<CityState<'c>> {
        let now = self.state(Some(course));
        let of = |(city, skipped): (&'p str, &[State])| {
            let accepted = self.accepted.get(city).copied();
            let is_there = |stage: &&State| {
                let is_reached = **stage <= now || (**stage == State::Accepted && accepted.is_some());
                let is_own = **stage != State::Accepted || accepted.is_some();
                is_reached && is_own && !skipped.contains(stage)
            };
            let stage = course.stages().iter().rfind(is_there).copied().unwrap_or_default();
            CityState { city, state: if now >= State::Running { now } else { stage }, accepted }
        };
        course.cities().map(of).collect()
    }

    /// The states that the campaign may be set to next, by somebody or other; accepted where some city may.
    pub fn next(&self, course: &Course<'_>) -> Vec<State> {
        let may = |state: &State| match state {
            State::Accepted if course.is_by_city() => {
                course.accepting().any(|city| self.city_fits(course, State::Accepted, city).is_ok())
            }
            state => self.fits(course, *state).is_ok(),
        };
        State::ALL.into_iter().map(|(state, _)| state).filter(may).collect()
    }

    /// Whether somebody may set the campaign to a state, or the city's acceptance.
    pub fn may(&self, course: &Course<'_>, to: State, city: Option<&str>, by: &str) -> Result<(), Refused> {
        match city {
            Some(city) => self.city_fits(course, to, city)?,
            None => self.fits(course, to)?,
        }
        let is_author = |author: &&str| is_same(author, by);
        if to == State::Approved && self.authors.iter().any(is_author) { Err(Refused::OwnApproval) } else { Ok(()) }
    }

    fn fits(&self, course: &Course<'_>, to: State) -> Result<(), Refused> {
        let now = self.state(Some(course));
        match (now, to) {
            (State::Closed, _) => return Err(Refused::Final),
            (_, State::Closed) | (State::Draft | State::Predicted, State::Draft) => return Ok(()),
            (State::Running, State::Paused) => return Ok(()),
            (State::Paused, State::Running) if self.passed.contains(&State::Running) => return Ok(()),
            (State::Predicted, State::Predicted) => return Ok(()),
            _ if to == now => return Err(Refused::Already { state: to, city: None }),
            (_, State::Paused) => return Err(Refused::NotRunning(now)),
            // To run after all is no way back.
            (State::Paused, State::Running) => {}
            _ if to < now => return Err(Refused::Backwards { from: now, to }),
            _ => {}
        }
        if !course.stages().contains(&to) {
            return Err(Refused::LeftOut { state: to, city: None });
        }
        let waiting = self.waiting(course);
        let is_missing = |stage: &State| match (to, *stage) {
            (State::Running, State::Accepted) if course.is_by_city() => !waiting.is_empty(),
            (State::Running, stage) => !self.passed.contains(&stage),
            (_, stage) => stage > now,
        };
        let missing: Vec<State> =
            course.stages().iter().copied().filter(|stage| *stage < to).filter(is_missing).collect();
        if !missing.is_empty() {
            return Err(Refused::Before { to, missing, waiting });
        }
        if to == State::Accepted && course.is_by_city() {
            return Err(Refused::ByCity { waiting });
        }
        if to == State::Approved && self.authors.is_empty() { Err(Refused::Unwritten) } else { Ok(()) }
    }

    fn city_fits(&self, course: &Course<'_>, to: State, city: &str) -> Result<(), Refused> {
        if !course.is_by_city() {
            return Err(Refused::Whole);
        }
        let Some(skipped) = course.skipped(city) else {
            let cities = course.cities().map(|(city, _)| city.to_owned()).collect();
            return Err(Refused::UnknownCity { city: city.to_owned(), cities });
        };
        let city = || Some(city.to_owned());
        let now = self.set();
        if now == State::Closed {
            return Err(Refused::Final);
        }
        if to != State::Accepted {
            return Err(Refused::NotOfCities(to));
        }
        if !course.stages().contains(&to) || skipped.contains(&to) {
            return Err(Refused::LeftOut { state: to, city: city() });
        }
        if self.accepted.keys().any(|accepted| Some(*accepted) == city().as_deref()) {
            return Err(Refused::Already { state: to, city: city() });
        }
        if now >= State::Running {
            return Err(Refused::Backwards { from: now, to });
        }
        let before = course.stages().iter().copied().filter(|stage| *stage < to && !skipped.contains(stage));
        let missing: Vec<State> = before.filter(|stage| *stage > now).collect();
        if missing.is_empty() { Ok(()) } else { Err(Refused::Before { to, missing, waiting: Vec::new() }) }
    }
}

/// Whether two names are one person's: neither capitals nor blanks around it make another.
fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
