//! The experience community: who is a member, who brought whom, and what members do until they
//! fall silent.

use std::io;

use dataflows::types::{Day, Month, Time};

use super::World;
use super::lives::Life;
use super::person::Person;
use super::plan::Share;
use super::random::{Draw, Purpose};
use super::services::{Services, channel, moment};
use super::sheet::Sheet;

/// Months before the first in which the community was open.
const BEFORE: i32 = 6;
/// How far back in the order of customers a referrer is looked for, and how often.
const FRIENDS: u64 = 4_000;
const FRIENDS_ASKED: u32 = 10;

/// A membership.
struct Member {
    since: Time,
    until: Option<Time>,
    /// The last month in which anything is done.
    active_to: Month,
    channel: &'static str,
}

impl Member {
    fn of(world: &World, person: &Person) -> Option<Member> {
        let mut draw = Draw::new(world.seed, Purpose::Member, person.number, 0);
        let share = match person.life {
            Life::Student | Life::Trendsetter => 380,
            Life::Pupil | Life::Marketer => 240,
            Life::Senior | Life::Farmer => 50,
            _ => 160,
        };
        if !draw.per_mille(share) {
            return None;
        }
        // Not in the month of joining, so that nobody registers before being a customer.
        let first = world.from.plus(-BEFORE).max(person.joined.month().plus(1));
        let last = person.closed.unwrap_or(world.last);
        let month = first.plus(draw.below(u32::try_from(last.0 - first.0 + 1).ok().filter(|span| *span > 0)?) as i32);
        let since = moment(&mut draw, month.first_day(), 25);
        let active_to = month.plus(draw.between(0, 14) as i32);
        let leaves = draw.per_mille(80);
        let until = moment(&mut draw, Day(since.day().0 + 20), 200);
        let channel = channel(person, &mut draw);
        Some(Member { since, until: leaves.then_some(until), active_to, channel })
    }

    /// Who brought the member in: somebody with a smaller number, a member before.
    fn referrer(&self, world: &World, person: &Person) -> Option<u64> {
        let mut draw = Draw::new(world.seed, Purpose::Member, person.number, 1);
        if !draw.per_mille(600) {
            return None;
        }
        let reach = person.number.min(FRIENDS) as u32;
        (0..FRIENDS_ASKED).filter(|_| reach > 0).find_map(|_| {
            let number = person.number - 1 - u64::from(draw.below(reach));
            // Some are asked far more often than others: they lead a circle.
            let circle = draw.pick(&[1, 1, 1, 1, 1, 100, 100, 2_000]);
            let number = number - number % circle;
            let member = Member::of(world, &Person::of(world, number))?;
            (member.since < self.since && member.until.is_none_or(|until| until > self.since)).then_some(number)
        })
    }
}

/// An event of a customer's month, before it has an id.
#[derive(Default)]
struct Event {
    kind: &'static str,
    at: Time,
    channel: &'static str,
    product: &'static str,
    other: Option<u64>,
    result: &'static str,
    points: Option<i64>,
    detail: &'static str,
}

/// A customer's events of a month, or of all months up to one.
pub(super) fn member_events(
    world: &World,
    person: &Person,
    month: Month,
    share: Share,
    sheet: &mut Sheet,
) -> io::Result<()> {
    let Some(member) = Member::of(world, person) else { return Ok(()) };
    if share != Share::Before {
        return month_of(world, person, &member, month, sheet);
    }
    (-BEFORE..0).try_for_each(|place| month_of(world, person, &member, world.from.plus(place), sheet))
}

fn month_of(world: &World, person: &Person, member: &Member, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    let registered = member.since.day().month();
    let deregistered = member.until.map(|until| until.day().month());
    if month < registered || deregistered.is_some_and(|left| month > left) || !person.is_in(month) {
        return Ok(());
    }
    let mut events = Vec::new();
    if month == registered {
        events.push(Event { kind: "register", at: member.since, channel: member.channel, ..Event::default() });
    }
    if let Some(at) = member.until.filter(|_| deregistered == Some(month)) {
        events.push(Event { kind: "deregister", at, channel: member.channel, ..Event::default() });
    }
    for (_, episode) in Services::of(world, person).episodes() {
        let at = Time(episode.starts.0 + 3_600);
        if episode.starts.day().month() == month && at.day().month() == month {
            let (product, result) = (episode.product.id, if episode.is_trial { "success" } else { "" });
            events.push(Event { kind: "experience", at, channel: "wap", product, result, ..Event::default() });
        }
    }
    if month <= member.active_to {
        active(world, person, member, month, &mut events);
    }
    // A membership begins with its registration and ends with its end: what lies outside was not done.
    let is_within = |at: Time| at >= member.since && member.until.is_none_or(|until| at <= until);
    events.retain(|event| is_within(event.at));
    for (number, event) in (0..).zip(&events) {
        row(sheet, ('E', person.number, month, number), person.number, event)?;
    }
    if month == registered
        && let Some(referrer) = member.referrer(world, person)
    {
        referred(world, person, member, month, referrer, sheet)?;
    }
    Ok(())
}

/// What an active member does in a month.
fn active(world: &World, person: &Person, member: &Member, month: Month, events: &mut Vec<Event>) {
    let mut draw = person.draw(world, Purpose::Community, month);
    let first = if month == member.since.day().month() { member.since.day() } else { month.first_day() };
    let days = u32::try_from(month.last_day().0 - first.0 + 1).unwrap_or(1);
    let mut event = |draw: &mut Draw, kind| {
        events.push(Event { kind, at: moment(draw, first, days), channel: "wap", ..Event::default() });
        events.len() - 1
    };
    for _ in 0..draw.between(1, 10) {
        event(&mut draw, "login");
    }
    let mut details: Vec<(usize, &'static str)> = Vec::new();
    for _ in 0..draw.below(5) {
        let page = draw.pick(&["home", "home", "notices", "services", "survey"]);
        details.push((event(&mut draw, "visit"), page));
    }
    if draw.per_mille(150) {
        let topic = draw.pick(&["coverage", "prices", "music", "newspaper"]);
        details.push((event(&mut draw, "opinion"), topic));
    }
    if draw.per_mille(140) {
        details.push((event(&mut draw, "participate"), person.interest.campaign_kind()));
    }
    let answers: Vec<usize> = (0..draw.below(4)).map(|_| event(&mut draw, "answer")).collect();
    let redeems = draw.per_mille(40).then(|| event(&mut draw, "redeem"));
    let transfers = (person.household.size > 1 && draw.per_mille(12)).then(|| event(&mut draw, "transfer"));
    let asks_in_vain = draw.per_mille(50).then(|| event(&mut draw, "refer"));
    for (place, detail) in details {
        events[place].detail = detail;
    }
    for place in answers {
        events[place].result = if draw.per_mille(700) { "success" } else { "failure" };
    }
    for place in [redeems, transfers].into_iter().flatten() {
        events[place].points = Some(i64::from(draw.between(1, 10)) * 5);
    }
    if let Some(place) = transfers {
        events[place].other = Some(other_of_household(person)).filter(|other| *other < world.customers);
    }
    if let Some(place) = asks_in_vain {
        let other = (person.number + u64::from(draw.between(1, 500))) % world.customers;
        events[place].other = Some(other).filter(|other| *other != person.number);
        events[place].result = "failure";
    }
}

fn other_of_household(person: &Person) -> u64 {
    let place = (person.household.place + 1) % person.household.size;
    person.household.first + u64::from(place)
}

/// The referral that brought a member in: a registration, and with some the services tried along.
fn referred(
    world: &World,
    person: &Person,
    member: &Member,
    month: Month,
    referrer: u64,
    sheet: &mut Sheet,
) -> io::Result<()> {
    let mut draw = Draw::new(world.seed, Purpose::Member, person.number, 2);
    let at = Time(member.since.0 - i64::from(draw.below(3_600))).max(month.first_day().start());
    let products: &[&'static str] = match draw.below(10) {
        0 => &["", "fetion", "139mail"],
        1 | 2 => &["", "fetion"],
        3 => &["", "music_club"],
        _ => &[""],
    };
    for (number, product) in (0..).zip(products) {
        let event =
            Event { kind: "refer", at, channel: "sms", product, other: Some(person.number), ..Event::default() };
        row(sheet, ('R', person.number, month, number), referrer, &Event { result: "success", ..event })?;
    }
    Ok(())
}

fn row(sheet: &mut Sheet, id: (char, u64, Month, u32), customer: u64, event: &Event) -> io::Result<()> {
    sheet.row(|row| {
        row.event(id.0, id.1, id.2, id.3).customer(customer).text(event.kind).time(event.at);
        row.text(event.channel).text(event.product);
        if let Some(other) = event.other {
            row.customer(other)
        } else {
            row.none()
        };
        row.text(event.result);
        if let Some(points) = event.points {
            row.integer(points)
        } else {
            row.none()
        };
        row.text(event.detail);
    })
}

/// Corrections of a member's points by hand, one in a hundred members a month.
pub(super) fn adjustments(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    let mut draw = person.draw(world, Purpose::Adjustment, month);
    if !draw.per_mille(12) || !person.is_in(month) {
        return Ok(());
    }
    let Some(_) = Member::of(world, person).filter(|member| member.since.day().month() <= month) else {
        return Ok(());
    };
    let (points, reason) = draw.pick(&[(20, "goodwill"), (50, "prize"), (-10, "entered twice"), (5, "quiz was wrong")]);
    let at = moment(&mut draw, month.first_day(), 28);
    let by = draw.between(1, 12);
    sheet.row(|row| {
        row.event('A', person.number, month, 0).customer(person.number).integer(points).text(reason);
        row.id('M', u64::from(by), 2).time(at);
    })
}
