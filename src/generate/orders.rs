//! Orders: what the episodes of services and the successes of campaigns look like at the counter.
//!
//! Some orders are late, and come with the next month's files. The first version of a partition that
//! is corrected later has some entered twice, and some under another channel.

use std::io;

use dataflows::types::{Month, Time};

use super::World;
use super::campaigns;
use super::person::Person;
use super::plan::{Edition, Share};
use super::random::{Draw, Purpose};
use super::services::Services;
use super::sheet::Sheet;

/// Of a thousand orders.
const LATE: u32 = 12;
const TWICE: u32 = 6;
const OTHER_CHANNEL: u32 = 6;

/// Numbers of orders within a customer's month: from services, then from campaigns, then twice entered.
const FROM_CAMPAIGNS: u32 = 40;
const TWICE_ENTERED: u32 = 50;

/// An order.
struct Order {
    number: u32,
    product: &'static str,
    action: &'static str,
    channel: &'static str,
    at: Time,
    is_bundled: bool,
}

/// A customer's orders of a month, or of all months up to one.
pub(super) fn orders(
    world: &World,
    person: &Person,
    month: Month,
    share: Share,
    edition: Edition,
    sheet: &mut Sheet,
) -> io::Result<()> {
    if person.joined.month() > month {
        return Ok(());
    }
    let mut written = Ok(());
    let mut take = |order: Order| {
        let is_told = match share {
            Share::Before => order.at.day().month() <= month,
            Share::InTime | Share::Late => order.at.day().month() == month,
        };
        let is_after = person.closed.is_some_and(|closed| order.at.day().month() > closed);
        if is_told && !is_after && written.is_ok() {
            written = tell(world, person, share, edition, &order, sheet);
        }
    };
    for (place, episode) in Services::of(world, person).episodes() {
        let order = |number, action, channel, at| Order {
            number: place * 4 + number,
            product: episode.product.id,
            action,
            channel,
            at,
            is_bundled: episode.is_bundled,
        };
        take(order(0, if episode.is_trial { "trial" } else { "subscribe" }, episode.channel, episode.starts));
        if let (true, Some(at)) = (episode.is_trial, episode.subscribed) {
            take(order(1, "subscribe", episode.channel, at));
        }
        if let Some(at) = episode.ends {
            take(order(2, "cancel", episode.end_channel, at));
        }
    }
    if share != Share::Before {
        for (number, touch) in (FROM_CAMPAIGNS..).zip(campaigns::touches(world, person, month)) {
            if let Some(at) = touch.ordered {
                let (product, channel) = (touch.campaign.product, touch.order_channel());
                take(Order { number, product, action: "subscribe", channel, at, is_bundled: false });
            }
        }
    }
    written
}

fn tell(
    world: &World,
    person: &Person,
    share: Share,
    edition: Edition,
    order: &Order,
    sheet: &mut Sheet,
) -> io::Result<()> {
    let month = order.at.day().month();
    let moment = month.0 as u64 * 64 + u64::from(order.number);
    let mut draw = Draw::new(world.seed, Purpose::Late, person.number, moment);
    let is_late = draw.per_mille(LATE) && !world.plain && share != Share::Before;
    if is_late != (share == Share::Late) {
        return Ok(());
    }
    let mistake = draw.below(1000);
    let is_mistaken = edition == Edition::Mistaken;
    let mut row = |number, channel| {
        sheet.row(|row| {
            row.event('O', person.number, month, number).customer(person.number).text(order.product);
            row.text(order.action).text(channel).time(order.at).boolean(order.is_bundled);
        })
    };
    let is_other = is_mistaken && (TWICE..TWICE + OTHER_CHANNEL).contains(&mistake);
    row(order.number, if is_other { "store" } else { order.channel })?;
    if is_mistaken && mistake < TWICE { row(TWICE_ENTERED + order.number, order.channel) } else { Ok(()) }
}
