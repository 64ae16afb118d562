//! Values: from a cell's text to an integer, strictly.
//!
//! Nothing is trimmed, repaired or rounded: what the contract does not name is refused. Money is in
//! fen, time in seconds of the programme's local time.

use dataflows::records::{AMOUNT_MAX, Action, COUNT_MAX, EventKind, HandoffRow, POINTS_MAX, State};
use dataflows::types::{Day, Month, SECONDS_PER_DAY, Time};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::reason::Reason;

/// `-?[0-9]+(\.[0-9]{1,2})?` yuan, in fen.
pub(super) fn money(text: &str) -> Result<i64, Reason> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        digits => (false, digits),
    };
    let (mut fen, mut whole, mut places) = (0_i64, false, None);
    for &byte in digits {
        match (byte, places) {
            (b'.', None) if whole => places = Some(0),
            (b'0'..=b'9', None) => whole = true,
            (b'0'..=b'9', Some(0 | 1)) => places = places.map(|count: u8| count + 1),
            _ => return Err(Reason::Money),
        }
        if byte != b'.' {
            fen = fen * 10 + i64::from(byte - b'0');
            // Also keeps the next step, and the scaling below, far from the end of 64 bits.
            if fen > AMOUNT_MAX {
                return Err(Reason::MoneyRange);
            }
        }
    }
    fen *= match places {
        None if whole => 100,
        Some(1) => 10,
        Some(2) => 1,
        _ => return Err(Reason::Money),
    };
    if fen > AMOUNT_MAX {
        return Err(Reason::MoneyRange);
    }
    Ok(if negative { -fen } else { fen })
}

/// `[0-9]+`, at most [`COUNT_MAX`].
pub(super) fn count(text: &str) -> Result<i64, Reason> {
    if text.is_empty() {
        return Err(Reason::Count);
    }
    text.bytes().try_fold(0, |count, byte| {
        if !byte.is_ascii_digit() {
            return Err(Reason::Count);
        }
        let count = count * 10 + i64::from(byte - b'0');
        if count > COUNT_MAX { Err(Reason::CountRange) } else { Ok(count) }
    })
}

/// 0 to 100 with at most two places, in hundredths.
pub(super) fn value(text: &str) -> Result<i64, Reason> {
    match money(text) {
        Ok(hundredths @ 0..=10_000) => Ok(hundredths),
        _ => Err(Reason::Value),
    }
}

/// `YYYY-MM`.
pub(super) fn month(text: &str) -> Result<Month, Reason> {
    Month::parse(text).ok_or(Reason::Month)
}

/// `YYYY-MM-DD`.
pub(super) fn day(text: &str) -> Result<Day, Reason> {
    Day::parse(text).ok_or(Reason::Day)
}

/// `YYYY-MM-DD HH:MM:SS` local, RFC 3339, or a bare day. With an offset `T` or a blank may stand
/// between; an instant is taken to the local time of `timezone`.
pub(super) fn time(text: &str, timezone: &TimeZone) -> Result<Time, Reason> {
    time_parts(text, timezone).ok_or(Reason::Time)
}

fn time_parts(text: &str, timezone: &TimeZone) -> Option<Time> {
    let (date, clock) = text.split_at_checked(10)?;
    let start = Day::parse(date)?.start();
    if clock.is_empty() {
        return Some(start);
    }
    let [between @ (b'T' | b't' | b' '), h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = clock.as_bytes() else {
        return None;
    };
    let (hour, minute, second) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?, two_digits(*s1, *s2)?);
    let (fraction, zone) = match rest {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            rest.split_at_checked(digits)?
        }
        rest => (&rest[..0], rest),
    };
    let ends_day = hour == 24 && minute == 0 && second == 0 && fraction.iter().all(|&byte| byte == b'0');
    if (hour > 23 && !ends_day) || minute > 59 || second > 59 {
        return None;
    }
    let local = start.0 + hour * 3600 + minute * 60 + second;
    let offset = match zone {
        // RFC 3339 has no local times.
        [] => return (*between == b' ').then_some(Time(local)),
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    instant(local - offset, timezone)
}

/// The local time of a second of Unix time.
pub(super) fn instant(second: i64, timezone: &TimeZone) -> Option<Time> {
    let timestamp = Timestamp::from_second(second).ok()?;
    Some(Time(second + i64::from(timezone.to_offset(timestamp).seconds())))
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Whether a time lies more than a day after wall time.
pub(super) fn is_future(time: Time, wall: Time) -> bool {
    time.0 > wall.0.saturating_add(SECONDS_PER_DAY)
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, Reason> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Reason::OneOf(&["true", "false"])),
    }
}

/// What an order does.
pub(super) fn action(text: &str) -> Result<Action, Reason> {
    match text {
        "subscribe" => Ok(Action::Subscribe),
        "cancel" => Ok(Action::Cancel),
        "trial" => Ok(Action::Trial),
        _ => Err(Reason::OneOf(&["subscribe", "cancel", "trial"])),
    }
}

/// What a member does.
pub(super) fn event_kind(text: &str) -> Result<EventKind, Reason> {
    EventKind::named(text).ok_or(Reason::OneOf(&EventKind::NAMES))
}

/// How far a campaign has come.
pub(super) fn state(text: &str) -> Result<State, Reason> {
    let known = State::ALL.into_iter().find(|(_, name)| *name == text);
    known.map(|(state, _)| state).ok_or(Reason::OneOf(&State::NAMES))
}

/// The value at the place that a name has in a listed set.
pub(super) fn named<T: Copy>(text: &str, names: &'static [&'static str], values: &[T]) -> Result<T, Reason> {
    let place = names.iter().position(|name| *name == text);
    place.and_then(|place| values.get(place)).copied().ok_or(Reason::OneOf(names))
}

/// The place of a step in a campaign.
pub(super) fn step(text: &str) -> Result<u8, Reason> {
    count(text).ok().and_then(|step| u8::try_from(step).ok()).ok_or(Reason::Step)
}

/// The id of a hand-off.
pub(super) fn handoff_id(text: &str) -> Result<&str, Reason> {
    if HandoffRow::digest(text).is_some() { Ok(text) } else { Err(Reason::Digest) }
}

/// Whether an event succeeded.
pub(super) fn result(text: &str) -> Result<bool, Reason> {
    match text {
        "success" => Ok(true),
        "failure" => Ok(false),
        _ => Err(Reason::OneOf(&["success", "failure"])),
    }
}

/// `-?[0-9]+`, at most [`POINTS_MAX`] either way.
pub(super) fn points(text: &str) -> Result<i64, Reason> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    match count(digits) {
        Ok(points) if points <= POINTS_MAX => Ok(sign * points),
        Ok(_) | Err(Reason::CountRange) => Err(Reason::PointsRange),
        Err(_) => Err(Reason::Points),
    }
}

/// One of a listed set, as it stands; empty is none.
pub(super) fn one_of<'a>(text: &'a str, set: &'static [&'static str]) -> Result<&'a str, Reason> {
    if text.is_empty() || set.contains(&text) { Ok(text) } else { Err(Reason::OneOf(set)) }
}

/// Capabilities, `;` between: sorted, each once, joined by `;` again. The vocabulary is free; a
/// capability is made of ASCII letters, digits, `_`, `-` and `.`, as rules can name it.
pub(super) fn capabilities(text: &str) -> Result<String, Reason> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let mut names: Vec<&str> = text.split(';').collect();
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if names.iter().any(|name| name.is_empty() || !name.bytes().all(is_good)) {
        return Err(Reason::Capabilities);
    }
    names.sort_unstable();
    names.dedup();
    Ok(names.join(";"))
}

/// A phone number without the signs that people put into it: blanks, dashes, the country's prefix.
/// None where what is left is not 5 to 15 digits.
pub(super) fn phone(text: &str) -> Option<String> {
    let mut digits: String = text.chars().filter(|character| !matches!(character, ' ' | '-')).collect();
    if let Some(national) = ["+86", "0086", "86"].iter().find_map(|prefix| digits.strip_prefix(prefix))
        && national.len() == 11
    {
        digits = national.to_owned();
    }
    ((5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use dataflows::records::{Arm, FeedbackKind, Outcome};

    use super::*;

    #[test]
    fn money_is_exact_or_refused() {
        for (text, fen) in
            [("0", 0), ("-0", 0), ("-0.00", 0), ("12", 1200), ("12.3", 1230), ("-12.34", -1234), ("0007", 700)]
        {
            assert_eq!(money(text), Ok(fen), "{text}");
        }
        assert_eq!(money("9999999999999.99"), Ok(AMOUNT_MAX));
        assert_eq!(money("-9999999999999.99"), Ok(-AMOUNT_MAX));
        for text in ["10000000000000", "10000000000000.00", "99999999999999999999999999999999999999999"] {
            assert_eq!(money(text), Err(Reason::MoneyRange), "{text}");
        }
        for text in [
            "", "-", "+5", ".5", "5.", "-.5", "1e3", "1,000", "１", "NaN", "inf", " 5", "5 ", "12.345", "1.2.3",
            "0x10", "--1", "¥5", "1..2", "5\u{a0}",
        ] {
            assert_eq!(money(text), Err(Reason::Money), "{text}");
        }
    }

    #[test]
    fn points_are_whole_and_may_be_negative() {
        for (text, expected) in [("0", 0), ("-0", 0), ("12", 12), ("-007", -7), ("-999999999999", -POINTS_MAX)] {
            assert_eq!(points(text), Ok(expected), "{text}");
        }
        for text in ["1000000000000", "-1000000000000", "99999999999999999999"] {
            assert_eq!(points(text), Err(Reason::PointsRange), "{text}");
        }
        for text in ["", "-", "+1", "--1", "1.0", "1e3", " 1", "１", "1,000"] {
            assert_eq!(points(text), Err(Reason::Points), "{text}");
        }
    }

    #[test]
    fn counts_have_no_sign_and_a_bound() {
        assert_eq!(count("0"), Ok(0));
        assert_eq!(count("9999999999999"), Ok(COUNT_MAX));
        assert_eq!(count("10000000000000"), Err(Reason::CountRange));
        for text in ["", "-1", "+1", "1.0", "1 ", "１", "1e3"] {
            assert_eq!(count(text), Err(Reason::Count), "{text}");
        }
        assert_eq!(
            (value("100"), value("99.5"), value("100.01"), value("-1")),
            (Ok(10_000), Ok(9_950), Err(Reason::Value), Err(Reason::Value))
        );
    }

    #[test]
    fn times_are_local() {
        let shanghai = TimeZone::get("Asia/Shanghai").expect("bundled");
        let at = |text: &str| time(text, &shanghai).map(|time| time.to_string()).unwrap_or_default();
        for (text, local) in [
            ("2009-07-31 23:59:59", "2009-07-31 23:59:59"),
            ("2009-07-31 23:59:59.999", "2009-07-31 23:59:59"),
            ("2009-07-31", "2009-07-31 00:00:00"),
            ("2009-07-31 24:00:00", "2009-08-01 00:00:00"),
            ("2009-07-31T16:00:00Z", "2009-08-01 00:00:00"),
            ("2009-07-31 16:00:00.5z", "2009-08-01 00:00:00"),
            ("2009-07-31T16:00:00+08:00", "2009-07-31 16:00:00"),
            ("2009-07-31T16:00:00-05:30", "2009-08-01 05:30:00"),
            // China kept summer time in 1986 to 1991.
            ("1988-07-01T00:00:00Z", "1988-07-01 09:00:00"),
            ("0000-01-01 00:00:00", "0000-01-01 00:00:00"),
            ("1969-12-31T15:59:59Z", "1969-12-31 23:59:59"),
        ] {
            assert_eq!(at(text), local, "{text}");
        }
        for text in [
            "",
            "2009-07-31T23:59:59",
            "2009-07-31 23:59:60",
            "2009-07-31 24:00:01",
            "2009-07-31 24:00:00.1",
            "2009-07-31 25:00:00",
            "2009-07-31 12:60:00",
            "2009-07-31 12:00",
            "2009-07-31 ",
            "2009-07-31  12:00:00",
            "2009-07-31 12:00:00.",
            "2009-07-31 12:00:00+0800",
            "2009-07-31 12:00:00+24:00",
            "2009-02-30 12:00:00",
            "2009-7-31",
            "20090731",
            "1248998400",
            "２009-07-31",
            "2009-07-3１",
            "31/07/2009",
        ] {
            assert_eq!(at(text), "", "{text}");
        }
    }

    #[test]
    fn a_name_stands_for_the_value_at_its_place() {
        for (place, name) in Outcome::NAMES.into_iter().enumerate() {
            assert_eq!(named(name, &Outcome::NAMES, &Outcome::ALL).map(|outcome| outcome as usize), Ok(place));
        }
        for (place, name) in Arm::NAMES.into_iter().enumerate() {
            assert_eq!(named(name, &Arm::NAMES, &Arm::ALL).map(|arm| arm as usize), Ok(place));
        }
        for (place, name) in FeedbackKind::NAMES.into_iter().enumerate() {
            assert_eq!(named(name, &FeedbackKind::NAMES, &FeedbackKind::ALL).map(|kind| kind as usize), Ok(place));
        }
        for (place, name) in State::NAMES.into_iter().enumerate() {
            assert_eq!(state(name).map(|state| state as usize), Ok(place));
        }
        assert_eq!(named("Delivered", &Outcome::NAMES, &Outcome::ALL), Err(Reason::OneOf(&Outcome::NAMES)));
        assert_eq!(state("ended"), Err(Reason::OneOf(&State::NAMES)));
    }

    #[test]
    fn steps_fit_in_a_byte() {
        assert_eq!((step("0"), step("255")), (Ok(0), Ok(255)));
        for text in ["256", "-1", "1.0", "", "9999999999999999999"] {
            assert_eq!(step(text), Err(Reason::Step), "{text}");
        }
    }

    #[test]
    fn a_hand_offs_id_has_one_spelling() {
        let id = "00f0e1d2c3b4a5968778695a4b3c2d1e";
        assert_eq!(handoff_id(id), Ok(id));
        assert_eq!(HandoffRow::digest(id).map(HandoffRow::id).as_deref(), Some(id));
        let (upper, short, signed) = (id.to_uppercase(), &id[1..], format!("+{}", &id[1..]));
        for text in ["", &upper, short, &signed, &format!("{id}0"), "é0f0e1d2c3b4a5968778695a4b3c2d1"] {
            assert_eq!(handoff_id(text), Err(Reason::Digest), "{text}");
        }
    }

    #[test]
    fn capabilities_are_a_set() {
        assert_eq!(capabilities("wap;mms;wap"), Ok("mms;wap".into()));
        assert_eq!(capabilities(""), Ok(String::new()));
        for text in ["wap;", ";", "wap;;mms", "wap mms", "彩信"] {
            assert_eq!(capabilities(text), Err(Reason::Capabilities), "{text}");
        }
    }

    #[test]
    fn one_line_has_one_spelling() {
        for text in
            ["13812345678", "+8613812345678", "008613812345678", "8613812345678", "138-1234-5678", "138 1234 5678"]
        {
            assert_eq!(phone(text).as_deref(), Some("13812345678"), "{text}");
        }
        assert_eq!(phone("0755-12345678").as_deref(), Some("075512345678"));
        assert_eq!(phone("1064812345678").as_deref(), Some("1064812345678"));
        assert_eq!(phone("10086").as_deref(), Some("10086"));
        for text in [
            "1.38E+10",
            "=\"13812345678\"",
            "'13812345678",
            "#N/A",
            "1234",
            "1234567890123456",
            "１３８１２３４５６７８",
            "-",
        ] {
            assert_eq!(phone(text), None, "{text}");
        }
    }
}
