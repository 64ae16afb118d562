//! Decimal numbers as they are written, exactly: shares and yuan. No float is made of them.

use dataflows::records::AMOUNT_MAX;
use dataflows::targets::WHOLE;
use toml::de::DeValue;

use super::diagnostic::Problems;
use super::outline::Entry;
use super::values::refuse;

/// A share from 0 to 1 as an exact fraction in lowest terms (numerator, denominator).
pub(super) fn share(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Option<(u64, u64)> {
    let share = decimal(entry).filter(|(numerator, denominator)| numerator <= denominator);
    share.or_else(|| {
        let hint = "write its digits out, at most 18 after the point".to_owned();
        refuse(entry, "a decimal number from 0 to 1, such as 0.01", Some(hint), problems)
    })
}

/// A share from 0 to 1, in ten thousandths.
pub(super) fn ten_thousandths(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Option<u32> {
    let share = scaled(entry, WHOLE.into()).and_then(|share| u32::try_from(share).ok());
    share.filter(|share| *share <= WHOLE).or_else(|| {
        let expected = "a decimal number from 0 to 1 with at most four decimals, such as 0.05";
        refuse(entry, expected, None, problems)
    })
}

/// A share that leaves something of the whole, in ten thousandths.
pub(super) fn part(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Option<u32> {
    let part = scaled(entry, WHOLE.into()).and_then(|part| u32::try_from(part).ok());
    part.filter(|part| *part < WHOLE).or_else(|| {
        let expected = "a decimal number from 0 to below 1 with at most four decimals, such as 0.05";
        refuse(entry, expected, None, problems)
    })
}

/// A number from 0 on with at most two decimals, in hundredths: yuan in fen. `what` is what it is a number of.
pub(super) fn hundredths(entry: &Entry<'_>, what: &str, problems: &mut Problems<'_>) -> Option<i64> {
    let number = scaled(entry, 100).and_then(|number| i64::try_from(number).ok());
    number.filter(|number| *number <= AMOUNT_MAX).or_else(|| {
        let most = AMOUNT_MAX / 100;
        refuse(entry, &format!("{what} from 0 to {most} with at most two decimals"), None, problems)
    })
}

/// A number of four decimals at most, in ten-thousandths.
pub(super) fn fine(entry: &Entry<'_>, what: &str, problems: &mut Problems<'_>) -> Option<i64> {
    let number = scaled(entry, WHOLE.into()).and_then(|number| i64::try_from(number).ok());
    number.filter(|number| *number <= AMOUNT_MAX).or_else(|| {
        let most = AMOUNT_MAX / i64::from(WHOLE);
        refuse(entry, &format!("{what} from 0 to {most} with at most four decimals"), None, problems)
    })
}

fn scaled(entry: &Entry<'_>, parts: u64) -> Option<u64> {
    parts_of(decimal(entry)?, parts)
}

/// A fraction as a number of parts of 1. None where they are not fine enough.
fn parts_of((numerator, denominator): (u64, u64), parts: u64) -> Option<u64> {
    match parts.checked_rem(denominator) {
        Some(0) => numerator.checked_mul(parts.checked_div(denominator)?),
        _ => None,
    }
}

fn decimal(entry: &Entry<'_>) -> Option<(u64, u64)> {
    match entry.value {
        DeValue::Integer(number) if number.radix() == 10 => fraction(number.as_str()),
        DeValue::Float(number) => fraction(number.as_str()),
        _ => None,
    }
}

fn fraction(digits: &str) -> Option<(u64, u64)> {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    // A zero may have a sign; every other negative number is out of range.
    let digits = match digits.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| matches!(byte, b'0' | b'.')) => zero,
        Some(_) => return None,
        None => digits,
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = decimals.trim_end_matches('0');
    let all = format!("{whole}{decimals}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let numerator: u64 = all.parse().ok()?;
    let denominator = 10u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let divisor = greatest_common_divisor(numerator, denominator);
    Some((numerator.checked_div(divisor)?, denominator.checked_div(divisor)?))
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::{fraction, parts_of};

    #[test]
    fn shares_are_exact() {
        for (digits, expected) in [
            ("0.01", Some((1, 100))),
            ("0", Some((0, 1))),
            ("1", Some((1, 1))),
            ("1.000", Some((1, 1))),
            ("-0.0", Some((0, 1))),
            ("0.3333", Some((3333, 10000))),
            ("0.000000000000000001", Some((1, 1_000_000_000_000_000_000))),
            ("0.00000000000000000001", None),
            ("1e-2", None),
            ("inf", None),
            ("nan", None),
            ("-0.1", None),
        ] {
            assert_eq!(fraction(digits), expected, "{digits}");
        }
    }
    #[test]
    fn parts_are_exact_or_none() {
        for (digits, parts, expected) in [
            ("0.1", 10_000, Some(1_000)),
            ("0.0001", 10_000, Some(1)),
            ("0.00010", 10_000, Some(1)),
            ("0.00005", 10_000, None),
            ("1", 10_000, Some(10_000)),
            ("20000.00", 100, Some(2_000_000)),
            ("0.05", 100, Some(5)),
            ("0.005", 100, None),
            ("18446744073709551615", 100, None),
        ] {
            assert_eq!(fraction(digits).and_then(|share| parts_of(share, parts)), expected, "{digits}");
        }
    }
}
