//! What a customer used in a month. Bills and usage both say it, so they agree.

use dataflows::types::Month;

use super::World;
use super::person::{Person, Phone};
use super::random::{Draw, Purpose};
use super::services::Services;
use super::trend::{Side, season};

/// A month's use, and what of it is charged beside the plan and the services.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Uses {
    pub(super) voice_min: u64,
    pub(super) sms_p2p: u64,
    pub(super) mms_p2p: u64,
    pub(super) roaming_calls: u64,
    pub(super) data_kb: u64,
    pub(super) crbt_download: u64,
    pub(super) wap_visit: u64,
    /// Fen.
    pub(super) content_fee: u64,
}

impl Uses {
    /// What a customer used in a month.
    pub(super) fn of(world: &World, person: &Person, month: Month) -> Uses {
        let mut draw = person.draw(world, Purpose::Month, month);
        let typical = person.life.typical();
        let mut amount = |side: Side, typical: u32| {
            let factors = [
                person.level(side),
                person.trend.percent(side, month),
                season(side, month),
                u64::from(draw.around(84, 116)),
            ];
            factors.iter().fold(u64::from(typical), |amount, percent| amount * percent / 100)
        };
        let has_data = person.phone != Phone::Basic;
        let only = |has, amount| if has { amount } else { 0 };
        let voice = amount(Side::Voice, typical.voice_min);
        let sms = amount(Side::Sms, typical.sms_p2p);
        let mms = only(has_data, amount(Side::Sms, typical.mms_p2p));
        let roaming = amount(Side::Roaming, typical.roaming_calls);
        let data_kb = only(has_data, amount(Side::Data, typical.data_kb));
        let crbt = amount(Side::Services, typical.crbt_download);
        let wap = only(has_data, amount(Side::Data, typical.wap_visit));
        let content_fee = amount(Side::Services, typical.content_fee);
        Uses {
            voice_min: draw.round(voice),
            sms_p2p: draw.round(sms),
            mms_p2p: draw.round(mms),
            roaming_calls: draw.round(roaming),
            data_kb,
            crbt_download: draw.round(crbt),
            wap_visit: draw.round(wap),
            content_fee,
        }
    }
}

/// The measures that the usage feed tells of.
pub(super) const MEASURES: [&str; 16] = [
    "voice_min",
    "sms_p2p",
    "mms_p2p",
    "roaming_calls",
    "crbt_download",
    "wap_visit",
    "bill_query",
    "power_off",
    "12580_call",
    "139mail_login",
    "contact_sync",
    "fetion_day",
    "newspaper_read",
    "video_view",
    "securities_login",
    "mail_forward",
];

/// A month's quantity of every measure, in the order of [`MEASURES`].
pub(super) fn measures(world: &World, person: &Person, services: &Services, month: Month) -> [u64; MEASURES.len()] {
    let uses = Uses::of(world, person, month);
    let mut draw = person.draw(world, Purpose::Usage, month);
    let mut habit = habits(person, world);
    // Held is not used: a third leave a service lie idle, and now and then everybody does.
    let mut active = |product: &str, low: u32, high: u32| {
        let (is_idle, quantity) = (draw.per_mille(330), u64::from(draw.around(low, high)));
        if services.holds(product, month) && !is_idle { quantity * person.level(Side::Services) / 100 } else { 0 }
    };
    let mail = active("139mail", 2, 12);
    let contacts = active("contact_manager", 1, 4);
    let fetion = active("fetion", 3, 26);
    let guide = active("12580", 1, 6);
    let newspaper = active("mobile_newspaper", 10, 30);
    let video = active("mobile_video", 1, 15);
    let securities = active("mobile_securities", 4, 22);
    [
        uses.voice_min,
        uses.sms_p2p,
        uses.mms_p2p,
        uses.roaming_calls,
        uses.crbt_download,
        uses.wap_visit,
        habit.round(habit_bill_query(person)),
        habit.round(u64::from(draw.below(3)) * 1000 + habit_power_off(person)),
        guide,
        mail,
        contacts,
        fetion.min(28),
        newspaper,
        video,
        securities,
        mail / 3,
    ]
}

fn habits(person: &Person, world: &World) -> Draw {
    Draw::new(world.seed, Purpose::Life, person.number, 0)
}

/// Thousandths a month: one in eight asks for the bill again and again.
fn habit_bill_query(person: &Person) -> u64 {
    if person.number % 8 == 3 { 3_200 } else { 600 }
}

/// Thousandths a month: one in ten switches off at night.
fn habit_power_off(person: &Person) -> u64 {
    if person.number % 10 == 4 { 14_000 } else { 1_000 }
}
