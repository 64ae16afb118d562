//! Masking: a row as quarantine may show it.
//!
//! A display aid, not anonymisation: `138****1234` leaves ten thousand candidates. Columns of a row
//! that could not be read may be shifted, so digits are masked wherever they could be a phone
//! number: in the columns that are one, any run of 7 digits, and any 11 digits with single blanks or
//! dashes between. What people put otherwise between the digits of a number is seen through as well. Days and times keep
//! their form.

use super::names::shown;
use crate::numbers::hidden_freely;

/// Longest masked row, in characters. Bounds what rejects cost in memory.
const ROW_CHARS_MAX: usize = 512;
/// Fewest digits of which the first three and the last four are left readable.
const SHOWN_DIGITS_MIN: usize = 11;
/// Fewest digits in a run that may be personal.
const RUN_DIGITS_MIN: usize = 7;

/// A masked row: its fields, `delimiter` between. `is_personal` says which fields are masked whatever
/// they hold. Control characters and broken bytes are escaped.
pub(super) fn row<'a>(
    fields: impl Iterator<Item = &'a [u8]>,
    delimiter: char,
    is_personal: impl Fn(usize) -> bool,
) -> String {
    let mut row = String::new();
    let mut room = ROW_CHARS_MAX;
    for (position, bytes) in fields.enumerate() {
        // Four bytes are a character at most, and what is cut off is not worth escaping.
        let cut = bytes.get(..room.saturating_add(1).saturating_mul(4)).unwrap_or(bytes);
        let text = shown(cut);
        let text = if is_personal(position) { whole(&text) } else { runs(&text) };
        let separator = (position > 0).then_some(delimiter);
        for character in separator.into_iter().chain(text.chars()) {
            if room == 0 {
                row.push('…');
                return row;
            }
            room -= 1;
            // A tab that is the delimiter would be lost in a table of quarantined rows.
            if character == '\t' { row.push_str("\\t") } else { row.push(character) }
        }
    }
    row
}

/// A value that is personal as a whole.
fn whole(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    masked(&characters)
}

fn masked(characters: &[char]) -> String {
    let readable = if characters.len() < SHOWN_DIGITS_MIN { 0 } else { characters.len() - 4 };
    let keep = |position: usize| readable > 0 && (position < 3 || position >= readable);
    characters.iter().enumerate().map(|(position, &character)| if keep(position) { character } else { '*' }).collect()
}

/// A text with everything masked that could be a phone or device number.
fn runs(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut run: Vec<char> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let joins =
            matches!(character, '-' | ' ') && !run.is_empty() && characters.peek().is_some_and(|&next| is_digit(next));
        if is_digit(character) || joins {
            run.push(character);
        } else {
            flush(&mut run, &mut result);
            result.push(character);
        }
    }
    flush(&mut run, &mut result);
    hidden_freely(&result).into_owned()
}

fn flush(run: &mut Vec<char>, result: &mut String) {
    if run.iter().filter(|&&character| is_digit(character)).count() >= SHOWN_DIGITS_MIN {
        result.push_str(&masked(run));
    } else {
        for piece in run.chunk_by(|&left, &right| is_digit(left) == is_digit(right)) {
            if piece.len() >= RUN_DIGITS_MIN { result.push_str(&masked(piece)) } else { result.extend(piece) }
        }
    }
    run.clear();
}

/// Full-width digits are digits to who reads them.
fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || ('０'..='９').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[&str], expected: &str) {
        assert_eq!(row(fields.iter().map(|field| field.as_bytes()), ',', |position| position == 1), expected);
    }

    #[test]
    fn numbers_of_people_are_masked_wherever_they_stand() {
        check(&["c1", "13812345678", "x"], "c1,138****5678,x");
        check(&["13812345678", "c1", "2009-07-31 12:00:00"], "138****5678,**,2009-07-31 12:00:00");
        check(&["c", "138", "ring 138-1234-5678 or 0755 1234567"], "c,***,ring 138******5678 or 075*****4567");
        check(&["c", "", "1234567 123456 １３８１２３４５６７８"], "c,,123*******************５６７８");
        check(&["c", "", "1234567,123456"], "c,,*******,123456");
        check(&["c", "", "(138)1234-5678, 138.1234.5678"], "c,,(***)****-****, ***.****.****");
        check(&["c", "", "(138)1234-5678 138.1234.5678"], "c,,(138)123****** ***.****.****");
        check(&["c", "", "2009-07-31", "120.50"], "c,,2009-07-31,120.50");
    }

    #[test]
    fn a_row_is_one_line_of_bounded_length() {
        check(&["a\r\nb\u{1b}[31m", "", "\u{202e}"], "a\\u{d}\\u{a}b\\u{1b}[31m,,\\u{202e}");
        let long = "x".repeat(1_000_000);
        assert_eq!(row([long.as_bytes()].into_iter(), ',', |_| false).chars().count(), ROW_CHARS_MAX + 1);
        assert_eq!(row([b"a\xffb".as_slice(), b"c"].into_iter(), '\t', |_| false), "a\\xffb\\tc");
    }
}
