//! Campaigns: who was contacted, what came back, and who was kept back to compare with.
//!
//! The campaigns are those of the reference programme, and their rates those of the field reports: a
//! concert's guests take the ringback tone in 23.8 % of cases, an offer at the stop succeeds with 13.2 %
//! and 15.7 % where it fits and with 3.4 % and 5.1 % where it goes to anybody.

use std::io;

use dataflows::types::{Month, Time};

use super::World;
use super::person::{Interest, Person, Phone};
use super::random::{Draw, Purpose};
use super::services::moment;
use super::sheet::Sheet;

/// A campaign, with its rates in a thousand.
pub(super) struct Campaign {
    id: &'static str,
    pub(super) product: &'static str,
    channel: &'static str,
    /// A second contact, three days after the first, of those who opened it.
    again: Option<&'static str>,
    /// Successes among the target, among a random arm, and of those left alone.
    target: u32,
    random: u32,
    alone: u32,
    has_random: bool,
    /// Fen.
    price: i64,
}

const CAMPAIGNS: [Campaign; 3] = [
    Campaign {
        id: "concert_crbt",
        product: "crbt",
        channel: "sms",
        again: Some("wap"),
        target: 238,
        random: 40,
        alone: 25,
        has_random: false,
        price: 500,
    },
    Campaign {
        id: "stop_newspaper",
        product: "mobile_newspaper",
        channel: "sms",
        again: None,
        target: 132,
        random: 34,
        alone: 22,
        has_random: true,
        price: 500,
    },
    Campaign {
        id: "stop_wap",
        product: "wap",
        channel: "sms",
        again: None,
        target: 157,
        random: 51,
        alone: 30,
        has_random: true,
        price: 0,
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Arm {
    Target,
    Control,
    Random,
}

/// A customer in a campaign in a month.
pub(super) struct Touch {
    pub(super) campaign: &'static Campaign,
    /// Its place among the campaigns.
    place: u32,
    arm: Arm,
    at: Time,
    is_delivered: bool,
    opened: Option<Time>,
    pub(super) ordered: Option<Time>,
    draw: Draw,
}

impl Touch {
    /// The channel under which an order comes in: who was left alone went to the store.
    pub(super) fn order_channel(&self) -> &'static str {
        if self.arm == Arm::Control { "store" } else { self.campaign.channel }
    }
}

fn is_meant(campaign: &Campaign, person: &Person) -> bool {
    match campaign.product {
        "crbt" => person.interest == Interest::Music,
        "wap" => person.phone == Phone::Common,
        _ => person.phone != Phone::Basic,
    }
}

/// The campaigns that a customer is in, in a month. Nobody is in a campaign twice, or in two of its arms.
pub(super) fn touches(world: &World, person: &Person, month: Month) -> impl Iterator<Item = Touch> {
    let is_in = person.is_in(month) && person.joined.month() < month;
    let of = move |(place, campaign): (u32, &'static Campaign)| {
        let mut draw = Draw::new(world.seed, Purpose::Campaign, person.number, u64::from(place));
        let arm = match (is_meant(campaign, person), draw.below(1000)) {
            (true, 0..25) => Arm::Control,
            (true, 25..500) => Arm::Target,
            (_, 500..560) if campaign.has_random => Arm::Random,
            _ => return None,
        };
        let its_month = world.from.plus(draw.below(world.months()) as i32);
        if !is_in || its_month != month {
            return None;
        }
        let at = moment(&mut draw, month.first_day(), 20);
        let is_delivered = arm != Arm::Control && draw.per_mille(955);
        let opened = (is_delivered && draw.per_mille(420)).then(|| later(&mut draw, at, 60, 7_200));
        let rate = match arm {
            Arm::Target => campaign.target,
            Arm::Random => campaign.random,
            Arm::Control => campaign.alone,
        };
        let succeeds = (is_delivered || arm == Arm::Control) && draw.per_mille(rate);
        let ordered = succeeds.then(|| later(&mut draw, at, 7_201, 3 * 86_400));
        Some(Touch { campaign, place, arm, at, is_delivered, opened, ordered, draw })
    };
    (0..).zip(&CAMPAIGNS).filter_map(of)
}

fn later(draw: &mut Draw, at: Time, low: u32, high: u32) -> Time {
    Time(at.0 + i64::from(draw.between(low, high)))
}

/// The contacts of a customer in a month.
pub(super) fn contacts(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    for touch in touches(world, person, month) {
        let (outcome, arm) = match touch.arm {
            Arm::Control => ("withheld", "control"),
            Arm::Random if touch.is_delivered => ("delivered", "random"),
            Arm::Random => ("failed", "random"),
            Arm::Target if touch.is_delivered => ("delivered", "target"),
            Arm::Target => ("failed", "target"),
        };
        let mut row = |number, channel, at, outcome| {
            sheet.row(|row| {
                row.event('K', person.number, month, number).text(touch.campaign.id).customer(person.number);
                row.text(channel).time(at).text(outcome).text(arm);
            })
        };
        row(touch.place, touch.campaign.channel, touch.at, outcome)?;
        if let (Some(again), Some(_), None) = (touch.campaign.again, touch.opened, touch.ordered) {
            row(8 + touch.place, again, Time(touch.at.0 + 3 * 86_400), "delivered")?;
        }
    }
    Ok(())
}

/// What came back of a customer's contacts in a month.
pub(super) fn feedback(world: &World, person: &Person, month: Month, sheet: &mut Sheet) -> io::Result<()> {
    for mut touch in touches(world, person, month) {
        let campaign = touch.campaign;
        let channel = touch.order_channel();
        let (at, draw) = (touch.at, &mut touch.draw);
        let mut number = touch.place * 10;
        let mut row = |kind: &str, at: Time, amount: Option<i64>, reason: &str, value: &str| {
            number += 1;
            sheet.row(|row| {
                row.event('F', person.number, month, number).text(campaign.id).customer(person.number).text(kind);
                row.time(at).text(channel).text(campaign.product);
                if let Some(amount) = amount {
                    row.money(amount)
                } else {
                    row.none()
                };
                row.text(reason).text(value);
            })
        };
        if let Some(at) = touch.opened {
            row("open", at, None, "", "")?;
            if draw.per_mille(130) {
                row("consult", later(draw, at, 60, 3_600), None, "", "")?;
            }
        }
        if let Some(at) = touch.ordered {
            row("order", at, Some(campaign.price), "", "")?;
            if draw.per_mille(90) {
                let value = ["3", "4", "5", "5"][draw.below(4) as usize];
                row("survey", later(draw, at, 86_400, 4 * 86_400), None, "", value)?;
            }
        } else if touch.opened.is_some() && draw.per_mille(160) {
            let kind = draw.pick(&["decline", "decline", "later"]);
            row(kind, later(draw, at, 7_200, 20_000), None, "", "")?;
        }
        // Who is written to without having been meant minds it more.
        let minds = if touch.arm == Arm::Random { 14 } else { 5 };
        if touch.is_delivered && draw.per_mille(minds) {
            row("complaint", later(draw, at, 300, 86_400), None, draw.pick(&["disturbed", "disputed"]), "")?;
            if draw.per_mille(400) {
                row("optout", later(draw, at, 86_401, 100_000), None, "disturbed", "")?;
            }
        }
    }
    Ok(())
}
