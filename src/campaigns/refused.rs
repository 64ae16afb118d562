//! Why a campaign does not come to a state, and what to do about it.

use std::fmt;

use dataflows::records::State;

/// Why a change is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It is closed.
    Final,
    /// It, or the city, is there.
    Already {
        state: State,
        city: Option<String>,
    },
    Backwards {
        from: State,
        to: State,
    },
    /// The plan, or the city's part of it, does not go through it.
    LeftOut {
        state: State,
        city: Option<String>,
    },
    /// Stages come first; of accepted, in the cities that have not.
    Before {
        to: State,
        missing: Vec<State>,
        waiting: Vec<String>,
    },
    NotRunning(State),
    /// Nobody is known to have written it.
    Unwritten,
    OwnApproval,
    /// Each city accepts for itself.
    ByCity {
        waiting: Vec<String>,
    },
    /// Something else than accepting is not by city.
    NotOfCities(State),
    /// Work is not by city.
    Whole,
    UnknownCity {
        city: String,
        cities: Vec<String>,
    },
}

/// A fact, and after a semicolon what to do, where something can be done.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Final => f.write_str("it is closed, and stays so; take it up again under a new id"),
            Refused::Already { state, city: None } => write!(f, "it is {} already", state.name()),
            Refused::Already { state, city: Some(city) } => write!(f, "{city} has {} already", state.name()),
            Refused::Backwards { from, to: State::Draft } => {
                write!(f, "it is {}, and cannot be a draft again; edit it under a new id", from.name())
            }
            Refused::Backwards { from, to } => write!(f, "it is {}: no way leads back to {}", from.name(), to.name()),
            Refused::LeftOut { state, city: None } => write!(f, "its plan leaves {} out", state.name()),
            Refused::LeftOut { state, city: Some(city) } => write!(f, "{city} leaves {} out", state.name()),
            Refused::Before { to, missing, waiting } => {
                let stages = missing.iter().map(|stage| match stage {
                    State::Accepted if !waiting.is_empty() => format!("accepted by {}", waiting.join(", ")),
                    stage => stage.name().to_owned(),
                });
                let stages: Vec<String> = stages.collect();
                write!(f, "before it is {} it must be {}", to.name(), stages.join(", then "))
            }
            Refused::NotRunning(state) => write!(f, "it is {}: only what runs can be paused", state.name()),
            Refused::Unwritten => {
                f.write_str("nobody is known to have written it; say first who did, with the state draft")
            }
            Refused::OwnApproval => {
                f.write_str("who wrote or predicted a campaign does not approve it; let somebody else approve it")
            }
            Refused::ByCity { waiting } => {
                write!(f, "its cities accept it one by one; name one with city: {}", waiting.join(", "))
            }
            Refused::NotOfCities(state) => {
                write!(f, "a city accepts, and does nothing else; leave city out for {}", state.name())
            }
            Refused::Whole => f.write_str("work on it is not by city; leave city out"),
            Refused::UnknownCity { city, cities } => {
                write!(f, "{city} is none of its cities; they are {}", cities.join(", "))
            }
        }
    }
}
