//! The rules of states: each change that is allowed, and each that is refused, from histories in words.

use dataflows::records::State;
use dataflows::types::Time;

use super::{Change, Course, follow};
use crate::programme::{Document, Source, parse};

const PROGRAMME: &str = r#"
[[campaign]]
id = "whole"
audience = "true"
channels = ["sms"]

[[campaign]]
id = "short"
audience = "true"
channels = ["sms"]
stages = ["approved", "running"]

[[campaign]]
id = "cities"
audience = "true"
channels = ["sms"]
level = "city"
cities = ["Anshan", "Dalian", "Fushun"]
skip_stages = { Anshan = ["dispatched", "rehearsed"], Fushun = ["accepted", "rehearsed"] }

[[campaign]]
id = "nobody_accepts"
audience = "true"
channels = ["sms"]
level = "province_city"
cities = ["Dalian"]
skip_stages = { Dalian = ["accepted", "rehearsed"] }

[[campaign]]
id = "province"
audience = "true"
channels = ["sms"]
cities = ["Dalian"]
stages = ["approved", "accepted", "running"]
"#;

fn document() -> Document {
    let source = Source { name: "test.toml".to_owned(), text: PROGRAMME.to_owned() };
    parse(vec![source]).expect("a programme")
}

/// Changes `state:by` or `state:by@city`, one a second.
fn changes(words: &str) -> Vec<Change> {
    let change = |(second, word): (usize, &str)| {
        let (state, by) = word.split_once(':').expect("state:by");
        let (by, city) = by.split_once('@').map_or((by, None), |(by, city)| (by, Some(city.to_owned())));
        let state = State::ALL.iter().find(|(_, name)| *name == state).expect("a state").0;
        let change_id = format!("{second:02}");
        Change { change_id, at: Time(second as i64), state, city, by: by.to_owned(), note: None }
    };
    words.split_whitespace().enumerate().map(change).collect()
}

/// Follows all but the last change, which must be regular, and holds what the last makes of the campaign, or why it is
/// refused, to what is expected.
#[track_caller]
fn check(id: &str, words: &str, expected: Result<&str, &str>) {
    let document = document();
    let place = document.plans.iter().position(|plan| plan.id == id).expect("a campaign");
    let course = Course::of(&document.plans[place], &document.programme.campaigns[place]);
    let changes = changes(words);
    let (progress, mut irregular) = follow(Some(&course), &changes);
    let last = irregular.pop().expect("a change");
    assert_eq!(irregular.iter().flatten().collect::<Vec<_>>(), Vec::<&super::Refused>::new(), "{words}");
    match (last, expected) {
        (None, Ok(state)) => assert_eq!(progress.state(Some(&course)).name(), state, "{words}"),
        (Some(why), Err(expected)) => assert_eq!(why.to_string(), expected, "{words}"),
        (found, _) => panic!("{words}: {found:?} instead of {expected:?}"),
    }
}

/// How the campaign whole comes to each state.
const WAYS: [&str; 9] = [
    "draft:zhang",
    "draft:zhang predicted:zhang",
    "draft:zhang predicted:zhang approved:li",
    "draft:zhang predicted:zhang approved:li dispatched:li",
    "draft:zhang predicted:zhang approved:li dispatched:li accepted:wang",
    "draft:zhang predicted:zhang approved:li dispatched:li accepted:wang rehearsed:li",
    "draft:zhang predicted:zhang approved:li dispatched:li accepted:wang rehearsed:li running:li",
    "draft:zhang predicted:zhang approved:li dispatched:li accepted:wang rehearsed:li running:li paused:li",
    "draft:zhang closed:li",
];

#[test]
fn from_each_state_exactly_these_follow() {
    let next = [
        "draft predicted closed",
        "draft predicted approved closed",
        "dispatched closed",
        "accepted closed",
        "rehearsed closed",
        "running closed",
        "paused closed",
        "running closed",
        "",
    ];
    let document = document();
    let course = Course::of(&document.plans[0], &document.programme.campaigns[0]);
    for ((way, (state, name)), next) in WAYS.iter().zip(State::ALL).zip(next) {
        let changes = changes(way);
        let (progress, irregular) = follow(Some(&course), &changes);
        assert_eq!((progress.state(Some(&course)), irregular.iter().flatten().count()), (state, 0), "{way}");
        let names: Vec<&str> = progress.next(&course).iter().map(|state| state.name()).collect();
        assert_eq!(names.join(" "), next, "{name}");
        for (to, to_name) in State::ALL {
            assert_eq!(
                progress.may(&course, to, None, "chen").is_ok(),
                names.contains(&to_name),
                "{name} to {to_name}"
            );
        }
    }
}

#[test]
fn what_is_refused_says_why() {
    let check = |way: usize, change: &str, why: &str| check("whole", &format!("{} {change}", WAYS[way]), Err(why));
    check(0, "approved:li", "before it is approved it must be predicted");
    check(1, "running:li", "before it is running it must be approved, then dispatched, then accepted, then rehearsed");
    check(2, "draft:zhang", "it is approved, and cannot be a draft again; edit it under a new id");
    check(2, "predicted:zhang", "it is approved: no way leads back to predicted");
    check(2, "approved:li", "it is approved already");
    check(2, "paused:li", "it is approved: only what runs can be paused");
    check(3, "accepted:wang@Dalian", "work on it is not by city; leave city out");
    check(7, "rehearsed:li", "it is paused: no way leads back to rehearsed");
    check(7, "draft:zhang", "it is paused, and cannot be a draft again; edit it under a new id");
    for state in State::NAMES {
        check(8, &format!("{state}:li"), "it is closed, and stays so; take it up again under a new id");
    }
}

#[test]
fn whoever_wrote_or_predicted_it_does_not_approve_it() {
    let own: Result<&str, &str> =
        Err("who wrote or predicted a campaign does not approve it; let somebody else approve it");
    let unwritten = Err("nobody is known to have written it; say first who did, with the state draft");
    check("whole", "predicted:zhang approved:zhang", own);
    check("whole", "draft:zhang predicted:li approved:li", own);
    check("whole", "draft:zhang predicted:li approved:zhang", own);
    check("whole", "draft:Zhang predicted:li approved:zHANG", own);
    check("whole", "draft:zhang draft:wang predicted:li approved:zhang", own);
    check("whole", "draft:zhang predicted:li approved:wang", Ok("approved"));
    check("short", "approved:li", unwritten);
    check("short", "draft:zhang approved:zhang", own);
    check("short", "draft:zhang approved:li", Ok("approved"));
}

#[test]
fn stages_are_left_out_only_where_the_plan_leaves_them_out() {
    check("short", "draft:zhang predicted:zhang", Err("its plan leaves predicted out"));
    check("short", "draft:zhang running:li", Err("before it is running it must be approved"));
    check("short", "draft:zhang approved:li running:li", Ok("running"));
    check("short", "draft:zhang approved:li dispatched:li", Err("its plan leaves dispatched out"));
    check("province", "draft:zhang approved:li accepted:wang running:li", Ok("running"));
    check("province", "draft:zhang approved:li accepted:wang@Dalian", Err("work on it is not by city; leave city out"));
    // A stage that each of its cities leaves out is none of the campaign's.
    let way = "draft:zhang predicted:zhang approved:li dispatched:li";
    check("nobody_accepts", &format!("{way} running:li"), Ok("running"));
    check("nobody_accepts", &format!("{way} accepted:wang@Dalian"), Err("Dalian leaves accepted out"));
    check("nobody_accepts", &format!("{way} accepted:wang"), Err("its plan leaves accepted out"));
}

#[test]
fn before_it_is_approved_it_is_written_and_predicted_again() {
    check("whole", "draft:zhang predicted:li draft:zhang draft:wang predicted:li predicted:li", Ok("predicted"));
    check(
        "whole",
        "draft:zhang predicted:li draft:zhang approved:wang",
        Err("before it is approved it must be predicted"),
    );
    check("whole", "closed:li", Ok("closed"));
}

const DISPATCHED: &str = "draft:zhang predicted:zhang approved:li dispatched:li";

#[test]
fn cities_accept_one_by_one() {
    let check = |change: &str, expected| check("cities", &format!("{DISPATCHED} {change}"), expected);
    check("accepted:wang", Err("its cities accept it one by one; name one with city: Anshan, Dalian"));
    check("accepted:wang@Dalian", Ok("dispatched"));
    check("accepted:wang@Dalian accepted:wang@Dalian", Err("Dalian has accepted already"));
    check("accepted:wang@Fushun", Err("Fushun leaves accepted out"));
    check("accepted:wang@Jinzhou", Err("Jinzhou is none of its cities; they are Anshan, Dalian, Fushun"));
    check("running:wang@Dalian", Err("a city accepts, and does nothing else; leave city out for running"));
    check("accepted:wang@Dalian rehearsed:li", Err("before it is rehearsed it must be accepted by Anshan"));
    check("accepted:wang@Dalian accepted:chen@Anshan", Ok("accepted"));
    check("accepted:wang@Dalian accepted:chen@Anshan rehearsed:li running:li paused:li running:li", Ok("running"));
    check(
        "accepted:wang@Dalian closed:li accepted:chen@Anshan",
        Err("it is closed, and stays so; take it up again under a new id"),
    );
}

#[test]
fn a_city_that_leaves_a_stage_out_does_not_wait_for_it() {
    let approved = "draft:zhang predicted:zhang approved:li";
    check("cities", &format!("{approved} accepted:wang@Dalian"), Err("before it is accepted it must be dispatched"));
    check("cities", &format!("{approved} accepted:wang@Anshan"), Ok("approved"));
    check("cities", &format!("{approved} accepted:wang@Anshan dispatched:li accepted:wang@Dalian"), Ok("accepted"));
}

#[test]
fn cities_are_as_far_as_their_campaign_but_for_what_they_leave_out() {
    let document = document();
    let course = Course::of(&document.plans[2], &document.programme.campaigns[2]);
    for (words, expected) in [
        ("draft:zhang", "draft draft draft"),
        ("draft:zhang predicted:zhang approved:li", "approved approved approved"),
        (DISPATCHED, "approved dispatched dispatched"),
        ("draft:zhang predicted:zhang approved:li accepted:wang@Anshan", "accepted approved approved"),
        (&format!("{DISPATCHED} accepted:wang@Dalian"), "approved accepted dispatched"),
        (
            &format!("{DISPATCHED} accepted:wang@Dalian accepted:wang@Anshan rehearsed:li"),
            "accepted rehearsed dispatched",
        ),
        (
            &format!("{DISPATCHED} accepted:wang@Dalian accepted:wang@Anshan rehearsed:li running:li"),
            "running running running",
        ),
        (&format!("{DISPATCHED} closed:li"), "closed closed closed"),
    ] {
        let changes = changes(words);
        let (progress, _) = follow(Some(&course), &changes);
        let states: Vec<&str> = progress.cities(&course).iter().map(|city| city.state.name()).collect();
        assert_eq!(states.join(" "), expected, "{words}");
    }
}

#[test]
fn the_last_city_makes_the_campaign_accepted() {
    let document = document();
    let course = Course::of(&document.plans[2], &document.programme.campaigns[2]);
    let changes = changes(&format!("{DISPATCHED} accepted:wang@Dalian accepted:chen@Anshan"));
    let (progress, _) = follow(Some(&course), &changes[..5]);
    assert_eq!(progress.decisive(Some(&course)), Some(&changes[3]));
    let (progress, _) = follow(Some(&course), &changes);
    assert_eq!(progress.decisive(Some(&course)), Some(&changes[5]));
    assert_eq!(progress.decisive(None), Some(&changes[3]));
}

/// What files bring stands; what is irregular in it is told, and does not let anything run.
#[test]
fn irregular_changes_stand_and_are_told() {
    let document = document();
    let told = |place: usize, words: &str| {
        let course = Course::of(&document.plans[place], &document.programme.campaigns[place]);
        let changes = changes(words);
        let (progress, irregular) = follow(Some(&course), &changes);
        let places = irregular.iter().enumerate().filter(|(_, why)| why.is_some()).map(|(place, _)| place);
        let next: Vec<&str> = progress.next(&course).iter().map(|state| state.name()).collect();
        (progress.state(Some(&course)).name(), places.collect::<Vec<_>>(), next.join(" "))
    };
    assert_eq!(told(0, "rehearsed:li"), ("rehearsed", vec![0], "closed".to_owned()));
    assert_eq!(told(0, "draft:li closed:li approved:li"), ("approved", vec![2], "dispatched closed".to_owned()));
    assert_eq!(told(0, "running:li paused:li"), ("paused", vec![0], "running closed".to_owned()));
    // Of Anshan nothing is heard.
    let words = format!("{DISPATCHED} accepted:wang@Dalian rehearsed:li");
    assert_eq!(told(2, &words), ("rehearsed", vec![5], "accepted closed".to_owned()));
    assert_eq!(told(2, &format!("{words} accepted:chen@Anshan")), ("rehearsed", vec![5], "running closed".to_owned()));
    // A draft begins anew.
    let again = format!("{DISPATCHED} draft:zhang predicted:zhang");
    assert_eq!(told(0, &again), ("predicted", vec![4], "draft predicted approved closed".to_owned()));
}
