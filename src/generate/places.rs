//! Places: the cells of the network, and what happens at them.

use std::io;

use dataflows::types::{Day, Month, Time};

use super::World;
use super::random::{Draw, Purpose};
use super::sheet::Sheet;
use super::vocabulary::{CITIES, DISTRICTS, VENUE_KINDS};

/// Customers to a hall, which has one cell of each kind of place.
const HALL_CUSTOMERS: u64 = 18_000;
/// Most halls of a district.
const HALLS_MAX: u64 = 40;

/// A district, by its city's place and its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) city: usize,
    pub(super) district: usize,
}

/// Halls of a district: each city as many as the next, so that cells have dense numbers.
fn halls(world: &World) -> u64 {
    (world.customers / HALL_CUSTOMERS / DISTRICTS as u64 / 4).clamp(1, HALLS_MAX)
}

/// The number of a cell of a kind of place in a district; `turn` chooses the hall.
pub(super) fn cell(world: &World, place: Place, kind: &str, turn: u64) -> u64 {
    let kind = VENUE_KINDS.iter().position(|name| *name == kind).unwrap_or_default() as u64;
    number(world, place, turn % halls(world), kind)
}

fn number(world: &World, place: Place, hall: u64, kind: u64) -> u64 {
    let district = (place.city * DISTRICTS + place.district) as u64;
    (district * halls(world) + hall) * VENUE_KINDS.len() as u64 + kind
}

/// Digits of a cell's number in its id.
pub(super) const CELL_DIGITS: usize = 6;

/// Every cell.
pub(super) fn cells(world: &World, sheet: &mut Sheet) -> io::Result<()> {
    for (city_place, city) in CITIES.iter().enumerate() {
        for (district_place, district) in city.districts.iter().enumerate() {
            let place = Place { city: city_place, district: district_place };
            for hall in 0..halls(world) {
                for (kind_place, kind) in VENUE_KINDS.iter().enumerate() {
                    let number = number(world, place, hall, kind_place as u64);
                    let mut draw = Draw::new(world.seed, Purpose::Cell, number, 0);
                    // A few masts serve open country.
                    let is_venue = !draw.per_mille(20);
                    sheet.row(|row| {
                        row.id('S', number, CELL_DIGITS).text(&format!("{}{district}第{}厅", city.name, hall + 1));
                        row.text(district).text(&format!("{}营销中心{}", city.name, district_place / 2 + 1));
                        row.text(&format!("{}分公司", city.name));
                        if is_venue {
                            row.text(&format!("{kind} {number}")).text(kind);
                        } else {
                            row.none().none();
                        }
                    })?;
                }
            }
        }
    }
    Ok(())
}

/// What happens in a city in a month: kind, sub-kind, place, hours.
const PROGRAMME: [(&str, &[&str], &str, i64); 5] = [
    ("music", &["pop", "pop", "folk", "jazz"], "stadium", 3),
    ("music", &["classical", "piano"], "concert_hall", 2),
    ("sport", &["football", "basketball", "volleyball", "table_tennis"], "stadium", 2),
    ("film", &["premiere"], "cinema", 2),
    ("trade_fair", &["car", "books", "food"], "exhibition_centre", 8),
];

/// A concert, a game, a fair.
pub(super) struct Happening {
    pub(super) cell: u64,
    pub(super) starts: Time,
    pub(super) ends: Time,
    pub(super) kind: &'static str,
    sub_kind: &'static str,
}

/// What happens in a city in a month, in the order of the programme.
pub(super) fn happenings(world: &World, city: usize, month: Month) -> impl Iterator<Item = Happening> {
    (0u64..).zip(PROGRAMME).map(move |(number, (kind, sub_kinds, venue, hours))| {
        let moment = month.0 as u64 * 8 + number;
        let mut draw = Draw::new(world.seed, Purpose::Happening, city as u64, moment);
        let day = Day(month.first_day().0 + draw.below(28) as i32);
        let hour = if hours > 4 { 9 } else { 19 };
        let starts = Time(day.start().0 + hour * 3_600 + i64::from(draw.below(2)) * 1_800);
        let district = draw.below(3) as usize;
        let cell = cell(world, Place { city, district }, venue, u64::from(draw.below(64)));
        Happening { cell, starts, ends: Time(starts.0 + hours * 3_600), kind, sub_kind: draw.pick(sub_kinds) }
    })
}

/// Everything that happens in a month.
pub(super) fn happening_rows(world: &World, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    for (place, city) in CITIES.iter().enumerate() {
        for (number, happening) in (0..).zip(happenings(world, place, month)) {
            sheet.row(|row| {
                row.event('H', place as u64, month, number).id('S', happening.cell, CELL_DIGITS);
                row.time(happening.starts).time(happening.ends).text(happening.kind).text(happening.sub_kind);
                row.text(&format!("{} {} {}", city.name, happening.sub_kind, month));
            })?;
        }
    }
    Ok(())
}
