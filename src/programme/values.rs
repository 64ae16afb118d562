//! Values of keys: the type, the range, the listed words, each refused by what was found and expected.

use toml::de::DeValue;

use super::diagnostic::{Problems, quoted};
use super::near;
use super::outline::{Entry, kind_of};

/// Longest id or name, in bytes: they are columns of views.
const NAME_BYTES_MAX: usize = 200;

fn refuse<T>(entry: &Entry<'_>, expected: &str, hint: Option<String>, problems: &mut Problems<'_>) -> Option<T> {
    let found = match entry.value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        other => kind_of(other).to_owned(),
    };
    problems.error(entry.place, format!("{} is {found}, expected {expected}", entry.key), hint);
    None
}

/// A text, such as a rule.
pub(super) fn text<'a>(entry: &Entry<'a>, expected: &str, problems: &mut Problems<'_>) -> Option<&'a str> {
    match entry.value {
        DeValue::String(text) => Some(text),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {
            refuse(entry, expected, Some("write it in quotes".to_owned()), problems)
        }
        _ => refuse(entry, expected, None, problems),
    }
}

/// An id or a name: a text of one line that is not empty.
pub(super) fn name<'a>(entry: &Entry<'a>, problems: &mut Problems<'_>) -> Option<&'a str> {
    let name = text(entry, "a text", problems)?;
    if name.trim().is_empty() {
        return refuse(entry, "a text that is not empty", None, problems);
    }
    if name.len() > NAME_BYTES_MAX {
        return refuse(entry, &format!("at most {NAME_BYTES_MAX} bytes"), None, problems);
    }
    if name.chars().any(char::is_control) {
        return refuse(entry, "a text of one line", None, problems);
    }
    Some(name)
}

/// A number of months from `min` to `max`.
pub(super) fn months(entry: &Entry<'_>, min: u32, max: u32, problems: &mut Problems<'_>) -> Option<u32> {
    let months = match entry.value {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    let in_range = months.filter(|months| (min..=max).contains(months));
    in_range.or_else(|| refuse(entry, &format!("a whole number of months from {min} to {max}"), None, problems))
}

/// A whole number from `min` to `max`.
pub(super) fn whole(entry: &Entry<'_>, min: i64, max: i64, problems: &mut Problems<'_>) -> Option<i64> {
    let (number, hint) = match entry.value {
        DeValue::Integer(number) => (i64::from_str_radix(number.as_str(), number.radix()).ok(), None),
        DeValue::String(_) => (None, Some("write it without quotes".to_owned())),
        _ => (None, None),
    };
    let in_range = number.filter(|number| (min..=max).contains(number));
    in_range.or_else(|| refuse(entry, &format!("a whole number from {min} to {max}"), hint, problems))
}

/// One of the listed words: its number in the list.
pub(super) fn one_of(entry: &Entry<'_>, words: &[&str], problems: &mut Problems<'_>) -> Option<usize> {
    let found = match entry.value {
        DeValue::String(text) => words.iter().position(|word| *word == text.as_ref()),
        _ => None,
    };
    found.or_else(|| {
        let hint = match entry.value {
            DeValue::String(text) => near::hint(text, words.iter().copied()),
            _ => None,
        };
        refuse(entry, &near::either(words), hint, problems)
    })
}

/// A share from 0 to 1 as an exact fraction in lowest terms (numerator, denominator).
pub(super) fn share(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Option<(u64, u64)> {
    let digits = match entry.value {
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()),
        _ => None,
    };
    let share = digits.and_then(fraction).filter(|(numerator, denominator)| numerator <= denominator);
    share.or_else(|| {
        let hint = "write its digits out, at most 18 after the point".to_owned();
        refuse(entry, "a decimal number from 0 to 1, such as 0.01", Some(hint), problems)
    })
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
    use super::fraction;

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
}
