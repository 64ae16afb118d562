//! Usage: a month's quantities, told of once in the month or day by day.
//!
//! Told of once, a measure stands on a day of the customer's own. Some rows are late: they come with
//! the next month's files, in a part of their own.

use std::io;

use dataflows::types::{Day, Month, days_in_month};

use super::World;
use super::person::Person;
use super::plan::{Edition, Share, Telling};
use super::random::Purpose;
use super::services::Services;
use super::sheet::Sheet;
use super::uses::{MEASURES, measures};

/// Of a thousand rows.
const LATE: u32 = 4;
const CORRECTED: u32 = 6;
const DROPPED: u32 = 2;

/// A customer's usage of a month: what is in time, or what is late.
pub(super) fn usage(
    world: &World,
    person: &Person,
    month: Month,
    share: Share,
    edition: Edition,
    sheet: &mut Sheet,
) -> io::Result<()> {
    if !person.is_in(month) {
        return Ok(());
    }
    let services = Services::of(world, person);
    let mut draw = person.draw(world, Purpose::Late, month);
    let days = days_in_month(month.year(), month.month());
    for (name, quantity) in MEASURES.into_iter().zip(measures(world, person, &services, month)) {
        let (is_late, day) = (draw.per_mille(LATE), draw.below(28));
        let mistake = draw.below(1000);
        if quantity == 0 || (is_late && !world.plain) != (share == Share::Late) {
            continue;
        }
        let quantity = match (mistake, edition) {
            (0..CORRECTED, Edition::Mistaken) => quantity * 2 + 1,
            (CORRECTED.., Edition::Corrected) if mistake < CORRECTED + DROPPED => continue,
            _ => quantity,
        };
        match world.telling {
            Telling::None => {}
            Telling::Monthly => row(sheet, person, Day(month.first_day().0 + day as i32), name, quantity)?,
            Telling::Daily => daily(sheet, person, month, days, name, quantity)?,
        }
    }
    Ok(())
}

/// Shares a quantity out over the days, weekends a half more, so that the days sum to the month.
fn daily(sheet: &mut Sheet, person: &Person, month: Month, days: u32, name: &str, quantity: u64) -> io::Result<()> {
    let weight = |day: Day| if (day.0 + 4).rem_euclid(7) % 6 == 0 { 3u64 } else { 2 };
    let first = month.first_day();
    let on = |place: u32| Day(first.0 + place as i32);
    let whole: u64 = (0..days).map(|place| weight(on(place))).sum();
    let (mut before, mut told) = (0, 0);
    // Small quantities fall on different days with different customers.
    let turn = (person.number % u64::from(days)) as u32;
    for place in 0..days {
        let day = on((place + turn) % days);
        before += weight(day);
        let so_far = quantity * before / whole;
        if so_far > told {
            row(sheet, person, day, name, so_far - told)?;
        }
        told = so_far;
    }
    Ok(())
}

fn row(sheet: &mut Sheet, person: &Person, day: Day, name: &str, quantity: u64) -> io::Result<()> {
    sheet.row(|row| {
        row.customer(person.number).day(day).text(name).count(quantity);
    })
}
