//! Who the customers are, and their telephones.

use std::io;

use dataflows::types::{Day, Month};

use super::World;
use super::lives::Life;
use super::person::{Person, Phone};
use super::random::{Draw, Purpose};
use super::sheet::Sheet;
use super::vocabulary::{ADVANCED, BASIC, CITIES, COMMON, Handset};

/// Numbers that no subscriber of the country has: none begins with 12.
const NUMBERS_FROM: u64 = 12_000_000_000;
/// How many there are; coprime with the factor below, so that no two customers share one.
const NUMBERS: u64 = 1_000_000_000;
const NUMBER_FACTOR: u64 = 387_420_489;

/// A telephone number, one a customer.
fn msisdn(seed: u64, customer: u64) -> u64 {
    let turned = (u128::from(customer) * u128::from(NUMBER_FACTOR) + u128::from(seed % NUMBERS)) % u128::from(NUMBERS);
    NUMBERS_FROM + turned as u64
}

/// A customer as the last month ends. A few are known from bills alone: their rows are still to come.
pub(super) fn customer(world: &World, person: &Person, sheet: &mut Sheet) -> io::Result<()> {
    let mut draw = Draw::new(world.seed, Purpose::Life, person.number, 1);
    let is_late = draw.per_mille(2);
    if is_late && !world.plain {
        return Ok(());
    }
    let status = match person.closed {
        Some(_) => "closed",
        None if draw.per_mille(12) => "suspended",
        None => "active",
    };
    let city = &CITIES[person.household.city];
    let (group, share) = person.life.group();
    let group = if draw.per_mille(share) { group } else { "" };
    // A third never told what they do.
    let tells = draw.per_mille(640);
    let occupation = if tells { person.life.occupation() } else { "" };
    let employers = person.life.employer();
    let employer = if employers.is_empty() || draw.per_mille(300) { "" } else { draw.pick(employers) };
    let is_spelled_out = draw.per_mille(15);
    let brand = match person.life {
        Life::Pupil | Life::Student => "动感地带",
        Life::Business | Life::CivilServant | Life::Trendsetter => "全球通",
        _ if draw.per_mille(150) => "全球通",
        _ => "神州行",
    };
    let band = match person.life.typical().plan_fee {
        _ if draw.per_mille(250) => "",
        0..1_200 => "low",
        1_200..3_000 => "middle",
        3_000..5_500 => "upper",
        _ => "high",
    };
    let knows_birth = !draw.per_mille(15);
    let msisdn = msisdn(world.seed, person.number);
    let msisdn = if is_spelled_out { format!("+86 {msisdn}") } else { msisdn.to_string() };
    sheet.row(|row| {
        row.customer(person.number).text(&msisdn);
        if knows_birth {
            row.day(person.birth)
        } else {
            row.none()
        };
        row.text(if person.is_woman { "f" } else { "m" });
        row.text(city.name).text(city.districts[person.household.district]).day(person.joined).text(status);
        row.text(brand).text(group).text(occupation);
        if employer.is_empty() {
            row.none()
        } else {
            row.text(&[city.name, employer].concat())
        };
        row.id('H', person.household.first, 9).text(band);
    })
}

/// A telephone first seen in a month: on the first of the months or on joining, and when a new one
/// is bought.
pub(super) fn terminal(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    if !person.is_in(month) {
        return Ok(());
    }
    let first = person.joined.month().max(world.from);
    let mut draw = person.draw(world, Purpose::Terminal, month);
    if month != first && !draw.per_mille(28) {
        return Ok(());
    }
    let shelf: &[Handset] = match person.phone {
        Phone::Basic => &BASIC,
        Phone::Common => &COMMON,
        Phone::Advanced => &ADVANCED,
    };
    let handset = &shelf[draw.below(shelf.len() as u32) as usize];
    let day = Day(month.first_day().0 + draw.below(28) as i32).max(person.joined);
    let imei = imei(handset.tac, draw.below(1_000_000));
    sheet.row(|row| {
        row.customer(person.number).day(day).text(&imei).text(handset.model).text(handset.supports);
    })
}

/// Type, serial number and check digit (Luhn).
fn imei(tac: u32, serial: u32) -> String {
    let body = format!("{tac:08}{serial:06}");
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit - b'0')) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_nobodys_and_not_shared() {
        let numbers: std::collections::BTreeSet<u64> = (0..50_000).map(|customer| msisdn(u64::MAX, customer)).collect();
        assert_eq!(numbers.len(), 50_000);
        assert!(numbers.iter().all(|number| (12_000_000_000..13_000_000_000).contains(number)));
    }

    #[test]
    fn the_check_digit_is_luhns() {
        assert_eq!(imei(49_015_420, 323_751), "490154203237518");
    }
}
