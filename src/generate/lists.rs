//! Lists, consents and scores: what other systems say about a customer.

use std::io;

use dataflows::types::{Day, Month, Time};

use super::World;
use super::lives::Life;
use super::person::{Interest, Person, Phone};
use super::random::{Draw, Purpose};
use super::services::moment;
use super::sheet::Sheet;
use super::trend::Side;

/// The lists: of car owners from insurers and dealers; of those whom marketing leaves alone; of those
/// kept out of the community.
const LISTS: [&str; 5] = ["car_owner", "blacklist", "special", "registration", "experience"];

/// Of a thousand customers.
fn share(list: usize, person: &Person) -> u32 {
    match (list, person.life) {
        (0, Life::Pupil | Life::Student) => 0,
        (0, _) if person.interest == Interest::Cars => 380,
        (0, Life::Driver | Life::Business) => 250,
        (0, Life::Senior | Life::Farmer | Life::Migrant) => 15,
        (0, _) => 60,
        (1, _) => 12,
        (2, _) => 6,
        _ => 4,
    }
}

/// The listings of a customer that a month brings: the first month those of before, too.
pub(super) fn listings(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    for (place, list) in LISTS.into_iter().enumerate() {
        let mut draw = Draw::new(world.seed, Purpose::Listing, person.number, place as u64);
        if !draw.per_mille(share(place, person)) {
            continue;
        }
        let is_old = draw.per_mille(650);
        let told = if is_old { world.from } else { world.from.plus(draw.below(world.months()) as i32) };
        if told.max(person.joined.month()) != month || !person.is_in(month) {
            continue;
        }
        let from = match is_old {
            true if draw.per_mille(300) => None,
            true => Some(Day(world.from.first_day().0 - draw.between(1, 500) as i32).start()),
            false => Some(moment(&mut draw, month.first_day(), 28)),
        };
        let until = draw.per_mille(180).then(|| Day(month.last_day().0 + draw.between(1, 300) as i32).start());
        let reason = match place {
            0 => draw.pick(&["insurer", "dealer"]),
            1 => draw.pick(&["complaint", "opted out", "regulator"]),
            2 => draw.pick(&["staff", "test line", "press"]),
            _ => draw.pick(&["abuse", "points fraud"]),
        };
        sheet.row(|row| {
            row.text(list).customer(person.number);
            for bound in [from, until] {
                if let Some(at) = bound {
                    row.time(at)
                } else {
                    row.none()
                };
            }
            row.text(reason);
        })?;
    }
    Ok(())
}

/// What a consent is for, and over which channel; how many of a thousand give it when asked.
const CONSENTS: [(&str, &str, u32); 5] = [
    ("marketing", "sms", 720),
    ("marketing", "mms", 520),
    ("marketing", "outbound", 350),
    ("marketing", "app", 400),
    ("location", "sms", 300),
];

/// The consents that a customer gives or takes back in a month; the first month tells of those before.
pub(super) fn consents(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    if !person.is_in(month) {
        return Ok(());
    }
    let first = person.joined.month().max(world.from);
    for (place, (purpose, channel, share)) in CONSENTS.into_iter().enumerate() {
        let mut asked = Draw::new(world.seed, Purpose::Consent, person.number, place as u64);
        let (is_asked, gives) = (asked.per_mille(850), asked.per_mille(share));
        let mut draw = Draw::new(world.seed, Purpose::Consent, person.number, month.0 as u64 * 8 + place as u64 + 8);
        let (at, given) = if month == first {
            if !is_asked {
                continue;
            }
            let at = Time(person.joined.start().0 + i64::from(draw.between(32_400, 64_800)));
            (at, gives)
        } else {
            if !draw.per_mille(6) {
                continue;
            }
            (moment(&mut draw, month.first_day(), 28), draw.per_mille(300))
        };
        sheet.row(|row| {
            row.customer(person.number).text(purpose).text(channel).time(at).boolean(given);
        })?;
    }
    Ok(())
}

/// The scores that a customer has as a month ends: how likely to leave, how likely to take music.
pub(super) fn scores(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    if !person.is_in(month) {
        return Ok(());
    }
    let mut draw = person.draw(world, Purpose::Score, month);
    let at = Time(month.last_day().start().0 + 3 * 3_600);
    // Who falls below the ordinary month is on the way out; the model is not always right.
    let fall = 100 - person.trend.percent(Side::Services, month).min(100) as i64;
    let churn = (fall * 150 + i64::from(draw.between(0, 3_000))).min(10_000);
    sheet.row(|row| {
        row.customer(person.number).text("churn").money(churn).time(at);
    })?;
    if person.phone != Phone::Basic {
        let liking = if person.interest == Interest::Music { 5_000 } else { 500 };
        let propensity = i64::from(draw.between(liking, liking + 4_500));
        sheet.row(|row| {
            row.customer(person.number).text("propensity_crbt").money(propensity).time(at);
        })?;
    }
    Ok(())
}
