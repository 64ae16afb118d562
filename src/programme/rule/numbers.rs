//! Numbers of rules: exact decimals.

use dataflows::rules::Number;

/// Most digits of a number: more than any sum of fen or kilobytes has, and few enough that
/// arithmetic on a literal stays cheap.
const DIGITS_MAX: usize = 40;

/// Reads `12`, `0.5`, `.5` or `5.`; otherwise says what is wrong.
pub(in crate::programme) fn decimal(text: &str) -> Result<Number, String> {
    if text.contains(['e', 'E']) {
        return Err("a number with an exponent; write its digits out".to_owned());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("expected a decimal number".to_owned());
    }
    if digits.len() > DIGITS_MAX {
        return Err(format!("a number of {} digits; {DIGITS_MAX} are allowed", digits.len()));
    }
    let denominator = format!("1{}", "0".repeat(fraction.len()));
    format!("{digits}/{denominator}").parse().map_err(|_| "expected a decimal number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_are_exact() {
        for (text, expected) in [("12", "12"), ("0.50", "1/2"), (".5", "1/2"), ("5.", "5"), ("0.01", "1/100")] {
            assert_eq!(decimal(text).map(|number| number.to_string()).as_deref(), Ok(expected), "{text}");
        }
        let longest = "9".repeat(40);
        assert_eq!(decimal(&longest).map(|number| number.to_string()), Ok(longest));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["1e5", "1E-3", ".", "", "0x10", "1.2.3", &"1".repeat(41)] {
            assert!(decimal(text).is_err(), "{text}");
        }
    }
}
