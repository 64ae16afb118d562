//! The model of the feeds of orders that were made here: requests, and what became of them.

use std::collections::BTreeMap;

use dataflows::types::{Day, Time};
use fastrand::Rng;

use super::Says;
use crate::told::handoff_id;

/// A state that a request came to. Of those of one id the greatest counts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Came {
    id: String,
    state: usize,
    pub at: Time,
    line: String,
}

/// In the order in which they stand over one another.
const STATES: [&str; 3] = ["requested", "failed", "opened"];

/// A row as it is delivered, its key, and what it says.
pub fn row(rng: &mut Rng, feed: &str, day: &str) -> (String, String, Says) {
    let pick = |rng: &mut Rng, texts: &[&'static str]| texts[rng.usize(0..texts.len())];
    let at = Day::parse(day).expect("a day").start();
    let number = rng.u8(0..9);
    let (id, code, text) = (handoff_id(number), pick(rng, &["", "E7"]), pick(rng, &["", "没有余额"]));
    if feed == "provisioning" {
        let state = STATES[rng.usize(1..3)];
        let line = format!("answer {id} {at} {state} {code} {text}");
        return (format!("{id},{state},{code},{text},{day}"), id, Says::Moment(line, at));
    }
    // A request is one customer's, whatever becomes of it.
    let (customer, state) = (format!("c{}", number % 7), rng.usize(0..3));
    let (product, campaign, channel) =
        (pick(rng, &["fetion", "mail"]), pick(rng, &["", "crbt"]), pick(rng, &["", "sms"]));
    let came = STATES[state];
    let line = format!("request {id} {customer} {product} {campaign} {channel} {at} {came} {code} {text} gateway");
    let csv = format!("{id},{came},{customer},{product},{campaign},{channel},{day},{code},{text},gateway");
    (csv, format!("{id} {state}"), Says::Came(Came { id, state, at, line }))
}

/// What each request has come to.
pub fn standing(came: Vec<&Came>) -> Vec<String> {
    let mut latest: BTreeMap<&str, &Came> = BTreeMap::new();
    for one in came {
        let held = latest.entry(&one.id).or_insert(one);
        *held = if one.state > held.state { one } else { held };
    }
    latest.into_values().map(|came| came.line.clone()).collect()
}
