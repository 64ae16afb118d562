//! What the network sees: where customers are, what they do, whom they call.
//!
//! A sample, not all of it: a customer has some ten events a month, not thousands.

use std::io;

use dataflows::types::{Day, Month, Time};

use super::World;
use super::lives::Life;
use super::person::{Interest, Person, Phone};
use super::places::{CELL_DIGITS, Place, cell, happenings};
use super::random::{Draw, Purpose};
use super::services::moment;
use super::sheet::Sheet;
use super::trend::Side;
use super::uses::Uses;

/// Of a thousand customers, those whose places are known.
const LOCATED: u32 = 350;
/// Friends beside the household, and how far they are in the order of customers.
const FRIENDS: u64 = 4;
const FRIENDS_WITHIN: u32 = 3_000;

/// Where a life is spent in the daytime.
fn daytime(life: Life) -> &'static [&'static str] {
    match life {
        Life::Pupil => &["school", "school", "net_cafe"],
        Life::Student => &["university", "dormitory", "bookshop", "net_cafe"],
        Life::Employee => &["office", "factory", "bank", "hospital"],
        Life::Farmer => &["village", "fair", "market"],
        Life::CivilServant => &["government_office", "government_office", "conference_centre"],
        Life::Business => &["hotel", "airport", "golf", "bank_vip_room", "car_dealer"],
        Life::SelfEmployed => &["market", "exchange", "restaurant", "street"],
        Life::Driver => &["filling_station", "bus_depot", "station", "street"],
        Life::Marketer => &["insurer", "shopping_centre", "street", "office"],
        Life::Housewife => &["supermarket", "market", "school"],
        Life::Migrant => &["construction_site", "station", "job_fair", "factory"],
        Life::Senior => &["park", "chess_room", "activity_room", "hospital"],
        Life::Trendsetter => &["office", "cafe", "cinema", "gym", "shopping_centre"],
    }
}

fn home(person: &Person) -> Place {
    Place { city: person.household.city, district: person.household.district }
}

/// Where a customer was in a month.
pub(super) fn pings(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    if !person.is_in(month) || !Draw::new(world.seed, Purpose::Ping, person.number, 0).per_mille(LOCATED) {
        return Ok(());
    }
    let mut draw = person.draw(world, Purpose::Ping, month);
    let (home, turn) = (home(person), person.household.first / 12);
    let mut seen: Vec<(Time, u64)> = Vec::new();
    let mut see = |day: Day, second: u32, cell: u64| seen.push((Time(day.start().0 + i64::from(second)), cell));
    let on = |draw: &mut Draw| Day(month.first_day().0 + draw.below(28) as i32);
    for _ in 0..2 {
        see(on(&mut draw), draw.between(20 * 3_600, 23 * 3_600), cell(world, home, "housing_estate", turn));
        let kind = draw.pick(daytime(person.life));
        // Work is a district of one's own choosing, the same every month.
        let work = Place { city: home.city, district: (person.number % 3) as usize };
        see(on(&mut draw), draw.between(10 * 3_600, 16 * 3_600), cell(world, work, kind, person.number / 7));
    }
    let commutes = matches!(
        person.life,
        Life::Employee | Life::CivilServant | Life::Trendsetter | Life::Student | Life::Marketer | Life::Pupil
    );
    if commutes && !person.number.is_multiple_of(3) {
        for _ in 0..3 {
            let day = workday(on(&mut draw));
            let kind = if person.household.city < 2 { "metro" } else { "bus_stop" };
            let second = if draw.per_mille(600) {
                draw.between(7 * 3_600, 9 * 3_600 + 1_700)
            } else {
                draw.between(17 * 3_600, 19 * 3_600 - 100)
            };
            see(day, second, cell(world, home, kind, turn));
        }
    }
    for happening in happenings(world, home.city, month) {
        let likes = match happening.kind {
            "music" => person.interest == Interest::Music,
            "sport" => person.interest == Interest::Sport,
            "film" => person.interest == Interest::Film,
            _ => person.interest == Interest::Cars,
        };
        if draw.per_mille(if likes { 220 } else { 12 }) {
            let stay = u32::try_from(happening.ends.0 - happening.starts.0).unwrap_or(1);
            let at = Time(happening.starts.0 + i64::from(draw.below(stay)));
            seen.push((at, happening.cell));
        }
    }
    // Nobody is seen twice in a second.
    seen.sort_unstable();
    seen.dedup_by_key(|(at, _)| *at);
    for (at, cell) in seen {
        sheet.row(|row| {
            row.customer(person.number).time(at).id('S', cell, CELL_DIGITS);
        })?;
    }
    Ok(())
}

/// The day itself, or the nearest working day.
fn workday(day: Day) -> Day {
    match (day.0 + 4).rem_euclid(7) {
        6 => Day(day.0 - 1),
        0 => Day(day.0 + 1),
        _ => day,
    }
}

/// What a customer did in a month, a sample of it.
pub(super) fn activities(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    let mut draw = person.draw(world, Purpose::Activity, month);
    if !person.is_in(month) || draw.per_mille(350) {
        return Ok(());
    }
    let uses = Uses::of(world, person, month);
    let at_most = |quantity: u64, most: u32| quantity.min(u64::from(most)) as u32;
    let has_data = u32::from(person.phone != Phone::Basic);
    let kinds = [
        ("power_on", 6),
        ("power_off", 5),
        ("call_out", at_most(uses.voice_min / 10, 40)),
        ("call_in", at_most(uses.voice_min / 10, 40)),
        ("call_rejected", 4),
        ("sms_out", at_most(uses.sms_p2p / 4, 30)),
        ("mms_out", at_most(uses.mms_p2p, 12)),
        ("wap_visit", at_most(uses.wap_visit, 20)),
        ("crbt_change", at_most(uses.crbt_download * 3, 9)),
        ("bill_query", 3),
        ("service_call", 2),
        ("content_view", 5 * has_data),
    ];
    let mut events: Vec<(Time, &'static str)> =
        (0..draw.between(2, 9)).map(|_| (moment(&mut draw, month.first_day(), 28), draw.weighted(&kinds))).collect();
    events.sort_unstable();
    let friends = others(world, person);
    for (number, (at, kind)) in (0..).zip(events) {
        let is_home = draw.per_mille(450);
        let place = if is_home { "housing_estate" } else { draw.pick(daytime(person.life)) };
        let cell = cell(world, home(person), place, person.household.first / 12);
        let is_known = draw.per_mille(900);
        let other = matches!(kind, "call_out" | "call_in" | "call_rejected" | "sms_out" | "mms_out")
            .then(|| friends.get(draw.below(friends.len() as u32) as usize))
            .flatten();
        let detail = if kind == "content_view" { person.interest.campaign_kind() } else { "" };
        sheet.row(|row| {
            row.event('V', person.number, month, number).customer(person.number).time(at).text(kind);
            if is_known {
                row.id('S', cell, CELL_DIGITS)
            } else {
                row.none()
            };
            if let Some(other) = other {
                row.customer(*other)
            } else {
                row.none()
            };
            row.text(detail);
        })?;
    }
    Ok(())
}

/// Whom a customer calls: the household, and friends not far away. In order, each once.
fn others(world: &World, person: &Person) -> Vec<u64> {
    let household = person.household;
    let members = (0..u64::from(household.size)).map(|place| household.first + place);
    let friends = (0..FRIENDS).map(|friend| {
        let mut draw = Draw::new(world.seed, Purpose::Tie, person.number, friend);
        let distance = u64::from(draw.between(1, FRIENDS_WITHIN));
        // One friend in four is one whom many call: who leads a circle.
        let number = (person.number + distance) % world.customers;
        if draw.per_mille(250) { number - number % 50 } else { number }
    });
    let mut others: Vec<u64> =
        members.chain(friends).filter(|other| *other != person.number && *other < world.customers).collect();
    others.sort_unstable();
    others.dedup();
    others
}

/// Whom a customer called and wrote to in a month.
pub(super) fn ties(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    if !person.is_in(month) {
        return Ok(());
    }
    let mut draw = person.draw(world, Purpose::Tie, month);
    let household = person.household;
    for other in others(world, person) {
        let is_family = (household.first..household.first + u64::from(household.size)).contains(&other);
        let level = person.level(Side::Voice).min(1_000) as u32;
        let calls = draw.between(0, if is_family { 30 } else { 8 }) * level / 100;
        let sms = draw.between(0, if is_family { 10 } else { 12 }) * person.level(Side::Sms).min(1_000) as u32 / 100;
        if calls + sms > 0 {
            sheet.row(|row| {
                row.customer(person.number).customer(other).month(month).count(u64::from(calls)).count(u64::from(sms));
            })?;
        }
    }
    Ok(())
}
