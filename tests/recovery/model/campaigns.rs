//! The model of the feeds of campaigns.

use dataflows::types::Day;
use fastrand::Rng;

use super::{Change, Says};
use crate::told::handoff_id;

const STATES: [(&str, &str); 3] = [("approved", "Approved"), ("running", "Running"), ("closed", "Closed")];
const ARMS: [(&str, &str); 4] = [("", "Target"), ("target", "Target"), ("control", "Control"), ("random", "Random")];

/// A row as it is delivered, its key, and what it says.
pub fn row(rng: &mut Rng, feed: &str, customer: &str, day: &str) -> (String, String, Says) {
    let pick = |rng: &mut Rng, texts: &[&'static str]| texts[rng.usize(0..texts.len())];
    let at = Day::parse(day).expect("a day").start();
    let (campaign, channel) = (pick(rng, &["crbt", "tone"]), pick(rng, &["sms", "mms"]));
    match feed {
        "contact" => {
            let (id, (arm, in_arm)) = (format!("k{}", rng.u8(0..9)), ARMS[rng.usize(0..4)]);
            let (outcome, came) =
                [("delivered", "Delivered"), ("failed", "Failed"), ("withheld", "Withheld")][rng.usize(0..3)];
            let line = format!("contact {id} {customer} {at} {campaign} {channel} {came} {in_arm}");
            (format!("{id},{campaign},{customer},{channel},{day},{outcome},{arm}"), id, Says::Moment(line, at))
        }
        "feedback" => {
            let (id, fen) = (format!("f{}", rng.u8(0..9)), rng.bool().then(|| rng.i64(-9..9) * 100));
            let (kind, said) = [("order", "Order"), ("later", "Later")][rng.usize(0..2)];
            let (product, reason, value) = (pick(rng, &["", "fetion"]), pick(rng, &["", "打扰"]), rng.i64(0..5));
            let amount = fen.map_or(String::new(), |fen| (fen / 100).to_string());
            let line = format!(
                "feedback {id} {customer} {at} {campaign} {said}  {product} {reason} {fen:?} {:?}",
                Some(value * 100 + 50)
            );
            let csv = format!("{id},{campaign},{customer},{kind},{day},{product},{amount},{reason},{value}.5");
            (csv, id, Says::Moment(line, at))
        }
        "campaign_state" => {
            let (id, city) = (format!("s{}", rng.u8(0..9)), pick(rng, &["", "", "Dalian"]));
            let (state, said) = STATES[rng.usize(0..3)];
            let csv = format!("{id},{campaign},{state},{city},{day},zhang");
            (csv, id.clone(), Says::Change(Change { campaign, at, id, city, state: said }))
        }
        _ => {
            let (id, step, (arm, in_arm)) = (handoff_id(rng.u8(0..9)), rng.u8(..), ARMS[rng.usize(1..4)]);
            let fen = rng.i64(0..9);
            let line = format!("handoff {id} {customer} {at} {campaign} {step} {channel} {in_arm} {fen}");
            let csv = format!("{id},{campaign},{step},{customer},{channel},{day},{arm},0.0{fen}");
            (csv, id, Says::Moment(line, at))
        }
    }
}

/// All standing changes in their order, and the last state of each campaign as a whole.
pub fn standing(mut changes: Vec<&Change>) -> Vec<String> {
    changes.sort();
    let mut lines = Vec::new();
    for campaign in ["crbt", "tone"] {
        let own: Vec<_> = changes.iter().filter(|change| change.campaign == campaign).collect();
        for (place, Change { at, id, city, state, .. }) in own.iter().enumerate() {
            lines.push(format!("change {campaign} {place} {id} {at} {state} {city} zhang None"));
        }
        let last = own.iter().rfind(|change| change.city.is_empty());
        lines.extend(last.map(|change| format!("campaign {campaign} {}", change.state)));
    }
    lines
}
