//! Phone numbers in texts, hidden.
//!
//! What is a phone number by its column becomes a token at the door. Here is what people write into other texts, and what
//! finds its way into a log: names of files, words of errors. Hidden is hidden: no digit is left by which two numbers
//! could be told apart.
//!
//! Decided here:
//! - A number is a mobile one of eleven digits, 1 and then 3 to 9, alone or behind 0, 86 or 0086. Shorter ones are
//!   hotlines, which are meant to be read; longer ones are dates, orders and sums.
//! - Between its digits stand blanks and dashes, one at a time. Where somebody wrote freely ([`hidden_freely`]) whatever
//!   people put there may: dots, slashes, brackets, two of them. In a log those stand in addresses of machines.
//! - Full-width digits are digits.

use std::borrow::Cow;
use std::ops::Range;

/// Digits of a number, and of one with the longest prefix.
const DIGITS: usize = 11;
const DIGITS_MAX: usize = DIGITS + 4;

/// What may stand before a number's own digits.
const PREFIXES: [&str; 4] = ["", "0", "86", "0086"];

/// A text without phone numbers.
pub fn hidden(text: &str) -> Cow<'_, str> {
    of(text, 1, |sign| matches!(sign, ' ' | '-'))
}

/// A text that somebody wrote, without phone numbers however he put them.
pub fn hidden_freely(text: &str) -> Cow<'_, str> {
    let is_between = |sign: char| {
        matches!(sign, ' ' | '-' | '.' | '/' | '_' | '(' | ')' | '·' | '\u{a0}' | '\u{3000}' | '（' | '）' | '－')
            || ('\u{2010}'..='\u{2015}').contains(&sign)
    };
    of(text, 2, is_between)
}

/// A line of JSON whose texts have no phone numbers. Numbers are left as they are: a star is none.
pub fn hidden_in_json(line: &str) -> Cow<'_, str> {
    if !may_hold(line) {
        return Cow::Borrowed(line);
    }
    let mut told = String::with_capacity(line.len());
    let (mut rest, mut is_text) = (line, false);
    while let Some(at) = rest.find(if is_text { ['"', '\\'] } else { ['"', '"'] }) {
        let (piece, from) = rest.split_at(at);
        told.push_str(&if is_text { hidden(piece) } else { Cow::Borrowed(piece) });
        let sign = if from.starts_with('"') {
            is_text = !is_text;
            1
        } else {
            // What is escaped stands for one sign, whatever digits spell it.
            let len = if from.starts_with("\\u") { 6 } else { 2 };
            (len..=from.len()).find(|end| from.is_char_boundary(*end)).unwrap_or(from.len())
        };
        told.push_str(&from[..sign]);
        rest = &from[sign..];
    }
    // Cut off in a text.
    told.push_str(&if is_text { hidden(rest) } else { Cow::Borrowed(rest) });
    Cow::Owned(told)
}

fn digit(sign: char) -> Option<char> {
    match sign {
        '0'..='9' => Some(sign),
        '０'..='９' => char::from_u32(sign as u32 - '０' as u32 + '0' as u32),
        _ => None,
    }
}

/// Whether there are digits enough.
fn may_hold(text: &str) -> bool {
    text.chars().filter(|sign| digit(*sign).is_some()).nth(DIGITS - 1).is_some()
}

/// Digits that stand together.
struct Piece {
    place: Range<usize>,
    digits: String,
    /// Whether what stands before it may stand within a number.
    is_joined: bool,
}

fn of(text: &str, between_max: usize, is_between: fn(char) -> bool) -> Cow<'_, str> {
    if !may_hold(text) {
        return Cow::Borrowed(text);
    }
    let pieces = pieces(text, between_max, is_between);
    let mut told = String::new();
    let (mut from, mut first) = (0, 0);
    while first < pieces.len() {
        let Some(last) = number(&pieces[first..]).map(|count| first + count - 1) else {
            first += 1;
            continue;
        };
        let place = pieces[first].place.start..pieces[last].place.end;
        told.push_str(&text[from..place.start]);
        told.extend(text[place.clone()].chars().map(|sign| if digit(sign).is_some() { '*' } else { sign }));
        (from, first) = (place.end, last + 1);
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    told.push_str(&text[from..]);
    Cow::Owned(told)
}

fn pieces(text: &str, between_max: usize, is_between: fn(char) -> bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut between, mut is_inside) = (0, false);
    for (at, sign) in text.char_indices() {
        let Some(digit) = digit(sign) else {
            between = if is_between(sign) { between + 1 } else { between_max + 1 };
            is_inside = false;
            continue;
        };
        let end = at + sign.len_utf8();
        match pieces.last_mut().filter(|_| is_inside) {
            Some(piece) => {
                piece.digits.push(digit);
                piece.place.end = end;
            }
            None => pieces.push(Piece {
                place: at..end,
                digits: digit.to_string(),
                is_joined: !pieces.is_empty() && between <= between_max,
            }),
        }
        (between, is_inside) = (0, true);
    }
    pieces
}

/// How many pieces, from the first on, are a number together; none where it begins none.
fn number(pieces: &[Piece]) -> Option<usize> {
    let mut digits = String::new();
    for (count, piece) in pieces.iter().enumerate() {
        if count > 0 && !piece.is_joined || digits.len() + piece.digits.len() > DIGITS_MAX {
            return None;
        }
        digits.push_str(&piece.digits);
        if is_number(&digits) {
            return Some(count + 1);
        }
    }
    None
}

fn is_number(digits: &str) -> bool {
    let is_own = |own: &str| own.len() == DIGITS && own.starts_with('1') && matches!(own.as_bytes()[1], b'3'..=b'9');
    PREFIXES.iter().filter_map(|prefix| digits.strip_prefix(prefix)).any(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_hidden_whole_and_nothing_else_is() {
        for (text, told) in [
            ("customer_13812345678.csv", "customer_***********.csv"),
            ("ring +86 138-1234-5678, or 0086 13812345678!", "ring +** ***-****-****, or **** ***********!"),
            ("013812345678", "************"),
            ("5 13812345678 6", "5 *********** 6"),
            ("１３８１２３４５６７８", "***********"),
            ("13812345678 13987654321", "*********** ***********"),
            ("8613812345678x", "*************x"),
        ] {
            assert_eq!(hidden(text), told);
        }
        for text in [
            "",
            "bill_2009-07_03.csv",
            "2026-11-28 22:10:35.123456",
            "call 10086, 4008001860 or 0411-84567890",
            "12812345678",
            "113812345678",
            "20090731120000",
            "460001381234567",
            "138 1234 567",
            "139.170.123.45",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert_eq!(hidden(text), text);
        }
    }

    #[test]
    fn whoever_writes_freely_puts_more_between_digits() {
        for (text, told) in [
            ("(138)1234-5678", "(***)****-****"),
            ("138.1234.5678", "***.****.****"),
            ("138 - 1234 5678", "138 - 1234 5678"),
            ("138  1234  5678", "***  ****  ****"),
            ("138（1234）5678", "***（****）****"),
            ("2009.07.31 12.00", "2009.07.31 12.00"),
        ] {
            assert_eq!(hidden_freely(text), told);
        }
    }

    #[test]
    fn texts_of_json_are_hidden_and_its_numbers_are_not() {
        let line = r#"{"rows":13812345678,"file":"a \"13812345678\\","n":[13812345678,"13812345678"]}"#;
        let told = r#"{"rows":13812345678,"file":"a \"***********\\","n":[13812345678,"***********"]}"#;
        assert_eq!(hidden_in_json(line), told);
        assert_eq!(hidden_in_json("\"13812345678"), "\"***********");
        assert_eq!(hidden_in_json(r#""\u13812345678 13812345678""#), r#""\u13812345678 ***********""#);
        assert_eq!(hidden_in_json("{\"a\":1}"), "{\"a\":1}");
    }
}
