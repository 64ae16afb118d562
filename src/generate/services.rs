//! Which services a customer took, when, over which channel, and when they went.

use dataflows::types::{Day, Month, Time};

use super::World;
use super::catalog::{Product, taken};
use super::lives::Life;
use super::person::{Person, Phone};
use super::random::{Draw, Purpose};

/// Most services that one customer takes.
const MOST: usize = 8;
/// Months before the first that services reach back.
pub(super) const BEFORE: i32 = 12;

/// A service in a customer's life.
#[derive(Clone, Copy)]
pub(super) struct Episode {
    pub(super) product: &'static Product,
    pub(super) starts: Time,
    pub(super) channel: &'static str,
    /// A trial comes first; it is followed by a subscription at `subscribed`, or by the end.
    pub(super) is_trial: bool,
    pub(super) subscribed: Option<Time>,
    pub(super) ends: Option<Time>,
    pub(super) end_channel: &'static str,
    /// Comes with the plan, and is not charged.
    pub(super) is_bundled: bool,
}

impl Episode {
    fn is_held(&self, month: Month) -> bool {
        let end = Time(month.plus(1).first_day().start().0);
        self.starts < end && self.ends.is_none_or(|ends| ends >= end)
    }

    fn is_charged(&self, month: Month) -> bool {
        let (first, end) = (month.first_day().start(), month.plus(1).first_day().start());
        !self.is_bundled
            && self.subscribed.is_some_and(|subscribed| subscribed < end)
            && self.ends.is_none_or(|ends| ends >= first)
    }
}

/// A customer's services.
pub(super) struct Services {
    episodes: [Option<Episode>; MOST],
}

impl Services {
    /// The services of a customer.
    pub(super) fn of(world: &World, person: &Person) -> Services {
        let mut draw = Draw::new(world.seed, Purpose::Services, person.number, 0);
        let most = match person.life {
            Life::Senior | Life::Farmer => 2,
            Life::Trendsetter | Life::Student | Life::Business => MOST as u32,
            _ => 5,
        };
        let count = draw.below(most + 1) as usize;
        let mut episodes = [None; MOST];
        for place in 0..count {
            // A draw of its own each, so that one more service changes none of the others.
            let mut draw = Draw::new(world.seed, Purpose::Services, person.number, 1 + place as u64);
            let episode = episode(world, person, &mut draw);
            let is_taken = |other: &Option<Episode>| {
                other.as_ref().zip(episode.as_ref()).is_some_and(|(other, one)| other.product.id == one.product.id)
            };
            if !episodes[..place].iter().any(is_taken) {
                episodes[place] = episode;
            }
        }
        Services { episodes }
    }

    /// The services with their places, which order ids are made of.
    pub(super) fn episodes(&self) -> impl Iterator<Item = (u32, &Episode)> {
        (0..).zip(&self.episodes).filter_map(|(place, episode)| Some((place, episode.as_ref()?)))
    }

    /// Whether a product is held as a month ends.
    pub(super) fn holds(&self, product: &str, month: Month) -> bool {
        self.episodes().any(|(_, episode)| episode.product.id == product && episode.is_held(month))
    }

    /// What the services cost in a month, in fen.
    pub(super) fn fee(&self, month: Month) -> u64 {
        let charged = self.episodes().filter(|(_, episode)| episode.is_charged(month));
        charged.map(|(_, episode)| u64::from(episode.product.price)).sum()
    }
}

fn episode(world: &World, person: &Person, draw: &mut Draw) -> Option<Episode> {
    let first = person.joined.month().max(world.from.plus(-BEFORE));
    let last = person.closed.unwrap_or(world.last);
    let span = u32::try_from(last.0 - first.0 + 1).ok()?;
    let product = taken(draw, person.interest);
    // New services come while use rises; one more look at the calendar makes that likely.
    let months = [first.plus(draw.below(span) as i32), first.plus(draw.below(span) as i32)];
    let rising = months.into_iter().find(|month| person.trend.is_rising(*month));
    let month = rising.unwrap_or(months[0]);
    let starts = moment(draw, month.first_day(), 28).max(Time(person.joined.start().0 + 36_000));
    let (is_trial, converts, is_bundled) = (draw.per_mille(300), draw.per_mille(550), draw.per_mille(120));
    let (leaves, stays) = (draw.per_mille(320), draw.between(45, 420) as i32);
    let (channel, end_channel) = (channel(person, draw), channel(person, draw));
    // A service that the telephone cannot show is not sold.
    if !product.requires.is_empty() && person.phone == Phone::Basic {
        return None;
    }
    let after = |draw: &mut Draw, days: i32| moment(draw, Day(starts.day().0 + days), 1);
    let subscribed = if is_trial { converts.then(|| after(draw, 30)) } else { Some(starts) };
    let ends = match subscribed {
        None => Some(after(draw, 30)),
        Some(_) => leaves.then(|| after(draw, stays)),
    };
    Some(Episode { product, starts, channel, is_trial, subscribed, ends, end_channel, is_bundled })
}

/// A moment of somebody awake, on one of `days` days from `first` on.
pub(super) fn moment(draw: &mut Draw, first: Day, days: u32) -> Time {
    let day = Day(first.0 + draw.below(days) as i32);
    Time(day.start().0 + i64::from(draw.around(7 * 3600, 23 * 3600)))
}

/// The channel that a customer likes, most of the time.
pub(super) fn channel(person: &Person, draw: &mut Draw) -> &'static str {
    let liked = match person.life {
        Life::Student | Life::Trendsetter | Life::Pupil => ["wap", "sms", "web"],
        Life::Business | Life::CivilServant | Life::Employee => ["web", "hotline", "app"],
        Life::Senior | Life::Farmer | Life::Housewife => ["store", "store", "hotline"],
        _ => ["sms", "store", "hotline"],
    };
    if draw.per_mille(750) { draw.pick(&liked) } else { draw.pick(&["sms", "outbound", "mms", "store", "wap"]) }
}
