//! What a customer means by a reply.

/// What he wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Order,
    Decline,
    /// To be left alone by every campaign.
    OptOut,
}

const ORDER: [&str; 6] = ["y", "yes", "1", "是", "好", "办理"];
const DECLINE: [&str; 5] = ["n", "no", "0", "2", "否"];
const OPT_OUT: [&str; 6] = ["stop", "td", "t", "退订", "unsubscribe", "qx"];

/// The meaning of a reply, whatever its case, with blanks and a last stop left aside; none where it has none.
pub fn said(text: &str) -> Option<Said> {
    // Phones of that market write full-width letters.
    let narrow = |char: char| match char {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
        char => char,
    };
    let text: String = text.chars().map(narrow).flat_map(char::to_lowercase).collect();
    let text = text.trim().trim_end_matches(['.', '!', '。']).trim();
    let is = |words: &[&str]| words.contains(&text);
    match () {
        () if is(&OPT_OUT) => Some(Said::OptOut),
        () if is(&ORDER) => Some(Said::Order),
        () if is(&DECLINE) => Some(Said::Decline),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_a_word_however_it_is_written() {
        for text in ["Y", "y", "YES", "yes.", " 1 ", "是", "是。", "Ｙ", "１"] {
            assert_eq!(said(text), Some(Said::Order), "{text}");
        }
        for text in ["N", "no", "Ｎ", "否"] {
            assert_eq!(said(text), Some(Said::Decline), "{text}");
        }
        for text in ["STOP", "Stop!", "TD", "td", "退订", "ＴＤ"] {
            assert_eq!(said(text), Some(Said::OptOut), "{text}");
        }
        for text in ["", "  ", "maybe", "YN", "Y please", "11", "办", "stop it now"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
