//! Bills: what was used and what is subscribed, at a price.
//!
//! The first version of a partition that is corrected later has a few bills too high, a few that are
//! nobody's, and lacks a few.

use std::io;

use dataflows::types::Month;

use super::World;
use super::person::Person;
use super::plan::Edition;
use super::random::Purpose;
use super::services::Services;
use super::sheet::Sheet;
use super::uses::Uses;

/// Prices in fen: a minute, a text, a picture message; KB that a fen buys.
const VOICE_MIN: u64 = 10;
const SMS: u64 = 10;
const MMS: u64 = 30;
const KB_PER_FEN: u64 = 50;

/// What the first version has wrong about a bill.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    TooHigh,
    NotYetThere,
    Nobodys,
}

/// A customer's bill of a month, if there is one.
pub(super) fn bill(
    world: &World,
    person: &Person,
    month: Month,
    edition: Edition,
    sheet: &mut Sheet,
) -> io::Result<()> {
    if !person.is_in(month) {
        return Ok(());
    }
    let mut draw = person.draw(world, Purpose::Correction, month);
    let mistake = match draw.below(1000) {
        0..8 => Mistake::TooHigh,
        8..11 => Mistake::NotYetThere,
        11..14 => Mistake::Nobodys,
        // Some months have no bill, without anybody having left.
        14..18 if person.closed.is_none() => return Ok(()),
        _ => Mistake::None,
    };
    match (mistake, edition) {
        (Mistake::NotYetThere, Edition::Mistaken) => return Ok(()),
        (Mistake::Nobodys, Edition::Corrected) => return Ok(()),
        _ => {}
    }
    let uses = Uses::of(world, person, month);
    let mut roaming = uses.roaming_calls * u64::from(draw.between(150, 210));
    if mistake == Mistake::TooHigh && edition == Edition::Mistaken {
        roaming = roaming * 3 + 2_500;
    }
    let sms = uses.sms_p2p * SMS + uses.mms_p2p * MMS;
    let services = Services::of(world, person).fee(month) + uses.content_fee;
    let plan = u64::from(person.life.typical().plan_fee);
    let total = plan + uses.voice_min * VOICE_MIN + uses.data_kb / KB_PER_FEN + sms + roaming + services;
    // A credit now and then, for a complaint that was right; it may exceed the bill.
    let credit = if draw.per_mille(4) { i64::from(draw.between(500, 6_000)) } else { 0 };
    sheet.row(|row| {
        row.customer(person.number).month(month).money(total as i64 - credit);
        row.money(roaming as i64).money(sms as i64).money(services as i64).count(uses.data_kb);
    })
}
