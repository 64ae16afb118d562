//! How long a text may be on a channel.

/// Most parts of a short message: longer ones arrive late, out of order, or not at all.
const PARTS_MAX: usize = 4;

/// The longest text that a channel takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limit {
    pub characters: usize,
    pub why: &'static str,
    pub hint: Option<&'static str>,
}

/// Of short messages in parts: a part gives up 6 bytes of 140 to say where it belongs.
const SMS_BASIC: Limit =
    Limit { characters: 153 * PARTS_MAX, why: "4 short messages of 153, or one of 160", hint: None };
const SMS_OTHER: Limit = Limit {
    characters: 67 * PARTS_MAX,
    why: "4 short messages of 67, or one of 70",
    hint: Some("without characters outside of the basic set of GSM 03.38, 612 would be"),
};
const MMS: Limit = Limit { characters: 1_000, why: "those of a multimedia message", hint: None };
const WAP: Limit = Limit { characters: 500, why: "those of a WAP page", hint: None };
const OTHER: Limit = Limit { characters: 2_000, why: "those that somebody reads out", hint: None };

/// The limit of a text on a channel.
pub(super) fn limit(channel: &str, text: &str) -> Limit {
    match channel {
        "sms" if text.chars().all(is_basic) => SMS_BASIC,
        "sms" => SMS_OTHER,
        "mms" => MMS,
        "wap" => WAP,
        _ => OTHER,
    }
}

/// The characters of a text as the channel counts them: those of a short message outside the basic set are units of
/// UTF-16.
pub(super) fn of(channel: &str, text: &str) -> usize {
    if channel == "sms" { text.encode_utf16().count() } else { text.chars().count() }
}

/// Whether a character is of the basic set of GSM 03.38, 6.2.1. Those of its extension take two places, and gateways
/// differ on them: they count as outside.
fn is_basic(char: char) -> bool {
    const SYMBOLS: &str = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
    char.is_ascii_alphanumeric() || SYMBOLS.contains(char)
}

#[cfg(test)]
mod tests {
    use super::{is_basic, limit, of};

    #[track_caller]
    fn check(channel: &str, text: &str, length: usize, characters: usize) {
        assert_eq!((of(channel, text), limit(channel, text).characters), (length, characters), "{channel} {text}");
    }

    #[test]
    fn what_is_outside_the_basic_set_shortens_a_message() {
        check("sms", "Reply Y: 5 £ off @ home", 23, 612);
        check("sms", "回复Y", 3, 268);
        check("sms", "5 €", 3, 268);
        check("sms", "`", 1, 268);
        // Two units of UTF-16.
        check("sms", "𠀀", 2, 268);
        check("mms", "𠀀", 1, 1_000);
        check("wap", "回复", 2, 500);
        check("call", "回复", 2, 2_000);
    }

    #[test]
    fn the_basic_set_has_its_characters() {
        // 128 places, less CR, which is no character of a text, and the escape.
        assert_eq!(
            (0..=u16::MAX).filter_map(|code| char::from_u32(code.into())).filter(|char| is_basic(*char)).count(),
            126
        );
    }
}
