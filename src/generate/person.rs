//! A customer: everything that does not change with the month, from the seed and the number alone.

use dataflows::types::{Day, Month};

use super::World;
use super::household::Household;
use super::lives::Life;
use super::random::{Draw, Purpose};
use super::trend::{Side, Trend};

/// What telephone a customer keeps buying.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phone {
    /// Calls and texts only: no MMS, no data.
    Basic,
    Common,
    Advanced,
}

/// What a customer cares for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Interest {
    Music,
    Sport,
    News,
    Film,
    Finance,
    Cars,
    Family,
    Shopping,
}

impl Interest {
    /// The kind of campaign that draws them, as `participate` events name it.
    pub(super) fn campaign_kind(self) -> &'static str {
        match self {
            Interest::Music => "music",
            Interest::Sport => "sport",
            Interest::Film => "film",
            Interest::News | Interest::Finance => "content",
            Interest::Family => "emotion",
            Interest::Cars | Interest::Shopping => "entertainment",
        }
    }
}

/// A customer.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) number: u64,
    pub(super) household: Household,
    pub(super) life: Life,
    pub(super) birth: Day,
    pub(super) is_woman: bool,
    pub(super) joined: Day,
    /// The month of the last bill of one who left.
    pub(super) closed: Option<Month>,
    pub(super) phone: Phone,
    pub(super) interest: Interest,
    pub(super) trend: Trend,
    /// Percent of what is typical of the life.
    level: [u64; SIDES],
}

const SIDES: usize = 5;

impl Person {
    /// The customer of a number.
    pub(super) fn of(world: &World, number: u64) -> Person {
        let household = Household::of(world.seed, number);
        let mut draw = Draw::new(world.seed, Purpose::Person, number, 0);
        let life = Life::draw(&mut draw, household.place, household.size, household.is_rural);
        let is_woman = draw.per_mille(life.women());
        let (youngest, eldest) = life.ages();
        let days = draw.around(youngest * 365 + 180, eldest * 365 + 180) as i32;
        let birth = Day(world.from.first_day().0 - days);
        let trend = Trend::of(world.seed, number, life.may_star());
        let joined = joined(world, &mut draw);
        let closed = closed(world, &mut draw, joined.month(), trend.is_fading());
        Person {
            number,
            household,
            life,
            birth,
            is_woman,
            joined,
            closed,
            phone: phone(life, &mut draw),
            interest: interest(life, &mut draw),
            trend,
            level: level(Draw::new(world.seed, Purpose::Habit, number, 0)),
        }
    }

    /// Whether the customer was in the network in a month.
    pub(super) fn is_in(&self, month: Month) -> bool {
        self.joined.month() <= month && self.closed.is_none_or(|closed| month <= closed)
    }

    /// Percent of what is typical of the life, by the customer's habit.
    pub(super) fn level(&self, side: Side) -> u64 {
        self.level[side as usize]
    }

    /// Draws about this customer in a month.
    pub(super) fn draw(&self, world: &World, purpose: Purpose, month: Month) -> Draw {
        Draw::new(world.seed, purpose, self.number, month.0 as u64)
    }
}

/// Most have long been customers; one in twelve comes while the months run.
fn joined(world: &World, draw: &mut Draw) -> Day {
    let month = if world.months() > 1 && draw.per_mille(80) {
        world.from.plus(draw.below(world.months()) as i32)
    } else {
        // Twelve years at most, the recent ones likelier.
        world.from.plus(-1 - (draw.below(144) * draw.between(25, 100) / 100) as i32)
    };
    Day(month.first_day().0 + draw.below(28) as i32)
}

/// Half a percent a month leave; of those whose use fades, more.
fn closed(world: &World, draw: &mut Draw, joined: Month, is_fading: bool) -> Option<Month> {
    let hazard: u32 = if is_fading { 14 } else { 4 };
    let leaves = draw.per_mille((hazard * world.months()).min(500));
    let month = world.from.plus(draw.below(world.months()) as i32);
    (leaves && month >= joined && month < world.last).then_some(month)
}

fn phone(life: Life, draw: &mut Draw) -> Phone {
    let (basic, advanced) = match life {
        Life::Senior => (700, 5),
        Life::Farmer => (600, 10),
        Life::Trendsetter => (0, 600),
        Life::Business => (60, 300),
        Life::Student | Life::Marketer => (40, 120),
        Life::Pupil | Life::Employee | Life::CivilServant => (140, 70),
        _ => (240, 40),
    };
    match draw.below(1000) {
        at if at < basic => Phone::Basic,
        at if at < basic + advanced => Phone::Advanced,
        _ => Phone::Common,
    }
}

fn interest(life: Life, draw: &mut Draw) -> Interest {
    use Interest::{Cars, Family, Film, Finance, Music, News, Shopping, Sport};
    match life {
        Life::Pupil | Life::Student | Life::Migrant => draw.pick(&[Music, Music, Sport, Film, News]),
        Life::Trendsetter => draw.pick(&[Music, Music, Film, Shopping, Sport, Cars]),
        Life::Business | Life::SelfEmployed => draw.pick(&[Finance, Finance, Cars, News, Sport]),
        Life::Driver => draw.pick(&[Cars, Cars, Sport, News]),
        Life::CivilServant | Life::Senior | Life::Farmer => draw.pick(&[News, News, Family, Sport]),
        Life::Housewife => draw.pick(&[Family, Family, Shopping, Music]),
        Life::Employee | Life::Marketer => draw.pick(&[News, Sport, Music, Family, Film, Shopping, Cars]),
    }
}

/// A habit pushes one side up; a scale of one's own moves them all.
fn level(mut draw: Draw) -> [u64; SIDES] {
    let mut level = [100; SIDES];
    match draw.below(8) {
        0 => level[Side::Voice as usize] = 170,
        1 => level[Side::Sms as usize] = 230,
        2 => {
            level[Side::Data as usize] = 280;
            level[Side::Services as usize] = 140;
        }
        3 => level[Side::Roaming as usize] = 280,
        4 => level = [65; SIDES],
        _ => {}
    }
    let scale = u64::from(draw.around(45, 145));
    level.map(|percent| percent * scale / 100)
}
