//! File names: feed, period, part, version, format.
//!
//! `<feed>_<period>[_<part>][.v<N>].<ext>`: contract, "Feeds". A name is bytes that a stranger chose:
//! nothing here fails on any of them, and what is shown of one is escaped ([`shown`]).
//!
//! Decided here, where the contract is silent:
//! - `ext` is `csv` or `txt`, each also with `.gz` or `.zst`, or `parquet`; all in lower case.
//! - Names that end in `.filepart` (an upload by WinSCP) are looked at as little as `.part`.
//! - The longest feed name that fits is meant, so `order_item_x.csv` is an `order` with a bad part.
//! - `.v03` is version 3; `.v0` is none.

use std::fmt::Write;

use dataflows::records::Feed;
use dataflows::types::Month;

/// Every feed of the contract, whether or not this build carries it, and those of our own.
const FEEDS: [&str; 23] = [
    "customer",
    "terminal",
    "bill",
    "usage",
    "product",
    "channel",
    "order",
    "member_event",
    "adjustment",
    "listing",
    "consent",
    "score",
    "contact",
    "feedback",
    "activity",
    "tie",
    "cell",
    "happening",
    "ping",
    "campaign_state",
    "handoff",
    "order_request",
    "provisioning",
];

/// Ends of names that are not looked at: uploads under way, and control files, which are read with
/// the file that they speak of.
const IGNORED: [&[u8]; 4] = [b".tmp", b".part", b".filepart", b".ok"];

/// What is inside, by the name's own account; the file's first bytes decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Csv,
    Parquet,
    /// Text that was made here of a request, and has no name in a directory: rows of it may delete.
    Made,
}

/// How it is packed, by the name's own account; the file's first bytes decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Container {
    Plain,
    Gzip,
    Zstd,
}

/// A name that a file of a carried feed may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileName {
    /// The whole name, without directories.
    pub name: String,
    pub feed: Feed,
    pub period: String,
    /// Empty where the name has none.
    pub part: String,
    /// From 1; 1 where the name has none.
    pub version: u32,
    pub format: Format,
    pub container: Container,
}

/// What a name in the landing directory means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// Not looked at: hidden, under way, or a control file.
    Ignored,
    /// Reported, and left where it is.
    LeftAlone { why: String },
    /// Rejected: a feed of ours, under a name that says too little or too much; or one that no file brings.
    Malformed { why: String, hint: &'static str },
    /// To be taken.
    File(FileName),
}

/// Reads a file's name, given without directories.
pub fn parse(name: &[u8]) -> Named {
    if name.first() == Some(&b'.') || IGNORED.iter().any(|end| name.ends_with(end)) {
        return Named::Ignored;
    }
    let Some((feed, rest)) = feed(name) else {
        return Named::LeftAlone { why: "its name begins with no feed".into() };
    };
    let Some(feed) = Feed::named(feed) else {
        return Named::LeftAlone { why: format!("this version does not know the feed {feed}") };
    };
    if feed.is_internal() {
        let why = format!("the feed {} is internal: no file brings it", feed.name());
        let hint = match feed {
            Feed::OrderRequest => "Deliver orders as feed order, and what became of requests as feed provisioning.",
            _ => "Deliver past contacts as feed contact.",
        };
        return Named::Malformed { why, hint };
    }
    match file(name, feed, rest) {
        Ok(file) => Named::File(file),
        Err(why) => Named::Malformed { why, hint: "Rename the file and deliver it again." },
    }
}

/// The feed that a name begins with, and what follows it: nothing, or from `_` or `.` on.
fn feed(name: &[u8]) -> Option<(&'static str, &[u8])> {
    let fits = |feed: &'static str| {
        let rest = name.strip_prefix(feed.as_bytes())?;
        matches!(rest.first(), None | Some(b'_' | b'.')).then_some((feed, rest))
    };
    FEEDS.into_iter().filter_map(fits).max_by_key(|(feed, _)| feed.len())
}

fn file(name: &[u8], feed: Feed, rest: &[u8]) -> Result<FileName, String> {
    let ascii = |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).map(str::to_owned);
    let (Some(name), Some(rest)) = (ascii(name), ascii(rest)) else {
        return Err("expected ASCII letters, digits, '-', '_' and '.' in its name".into());
    };
    let (stem, extensions) = rest.split_once('.').unwrap_or((&rest, ""));
    let Some(stem) = stem.strip_prefix('_') else {
        return Err(format!("expected a period after the feed, as in {}_2009-07.csv", feed.name()));
    };
    let (period, part) = match stem.split_once('_') {
        Some((period, part)) => (period, Some(part)),
        None => (stem, None),
    };
    if period.is_empty() || !period.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("expected a period of letters, digits and '-' after the feed".into());
    }
    if feed == Feed::Bill && Month::parse(period).is_none() {
        return Err("expected a month YYYY-MM as the period of bill".into());
    }
    if let Some(part) = part
        && (part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err("expected a part of letters and digits after the period".into());
    }
    let (version, extensions) = version(extensions)?;
    let (format, container) = match extensions {
        "csv" | "txt" => (Format::Csv, Container::Plain),
        "csv.gz" | "txt.gz" => (Format::Csv, Container::Gzip),
        "csv.zst" | "txt.zst" => (Format::Csv, Container::Zstd),
        "parquet" => (Format::Parquet, Container::Plain),
        _ => return Err("expected the extension csv, csv.gz, csv.zst, txt, txt.gz, txt.zst or parquet".into()),
    };
    let (period, part) = (period.to_owned(), part.unwrap_or_default().to_owned());
    Ok(FileName { name, feed, period, part, version, format, container })
}

/// The version, and the extensions behind it.
fn version(extensions: &str) -> Result<(u32, &str), String> {
    let (first, rest) = extensions.split_once('.').unwrap_or((extensions, ""));
    match first.strip_prefix('v') {
        None => Ok((1, extensions)),
        Some(digits) => {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            match digits.parse() {
                Ok(version) if is_number && version > 0 => Ok((version, rest)),
                _ => Err(format!("expected a version from .v1 to .v{}", u32::MAX)),
            }
        }
    }
}

/// A name, or any text from outside, as it may stand in a log line: control characters, marks that
/// turn the direction of writing, and bytes that are no UTF-8 are escaped.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_unsafe(character) { text.extend(character.escape_unicode()) } else { text.push(character) }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Whether a character could split a log line or change how the rest of it reads.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(name: &str) -> FileName {
        match parse(name.as_bytes()) {
            Named::File(file) => file,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn a_name_says_feed_period_part_and_version() {
        let file = good("bill_2009-07_03.v12.csv.gz");
        assert_eq!((file.feed, file.period.as_str(), file.part.as_str()), (Feed::Bill, "2009-07", "03"));
        assert_eq!((file.version, file.format, file.container), (12, Format::Csv, Container::Gzip));
        let file = good("customer_initial.parquet");
        assert_eq!((file.version, file.part.as_str(), file.format), (1, "", Format::Parquet));
        assert_eq!(good("usage_2009-07-31_A.csv.zst").container, Container::Zstd);
        assert_eq!(good("order_2009.v007.txt").version, 7);
    }

    #[test]
    fn what_is_no_extract_is_left_alone() {
        for name in [".bill_2009-07.csv", "bill_2009-07.csv.tmp", "bill_2009-07.csv.part", "bill_2009-07.csv.ok", "."] {
            assert_eq!(parse(name.as_bytes()), Named::Ignored, "{name}");
        }
        for name in ["", "billing_2009-07.csv", "readme.txt", "activity_2009-07.csv", "tie_2009-07.csv", "_x.csv"] {
            assert!(matches!(parse(name.as_bytes()), Named::LeftAlone { .. }), "{name}");
        }
    }

    #[test]
    fn a_feed_of_ours_under_a_bad_name_is_rejected() {
        for name in [
            "bill",
            "bill.csv",
            "bill_.csv",
            "bill_2009-13.csv",
            "bill_200907.csv",
            "bill_2009-07",
            "bill_2009-07.",
            "bill_2009-07.CSV",
            "bill_2009-07.zip",
            "bill_2009-07.csv.bz2",
            "bill_2009-07.parquet.gz",
            "bill_2009-07_.csv",
            "bill_2009-07_0-3.csv",
            "bill_2009-07_03_04.csv",
            "bill_2009-07.v0.csv",
            "bill_2009-07.v.csv",
            "bill_2009-07.v+1.csv",
            "bill_2009-07.v4294967296.csv",
            "bill_2009-07.v1.v2.csv",
            "customer_a b.csv",
            "customer_$(reboot).csv",
            "customer_a\nb.csv",
            "customer_七月.csv",
            "customer_\u{202e}x.csv",
        ] {
            assert!(matches!(parse(name.as_bytes()), Named::Malformed { .. }), "{name}");
        }
        assert!(matches!(parse(b"customer_\xff\xfe.csv"), Named::Malformed { .. }));
    }

    #[test]
    fn a_feed_that_no_file_brings_is_rejected_with_the_one_to_deliver() {
        for name in ["handoff_2009-07.csv", "handoff_2009-07_03.v2.parquet", "handoff.csv", "handoff"] {
            let Named::Malformed { why, hint } = parse(name.as_bytes()) else { panic!("{name}") };
            assert_eq!(why, "the feed handoff is internal: no file brings it");
            assert!(hint.contains(Feed::Contact.name()));
        }
        assert_eq!(good("campaign_state_2009-07.csv").feed, Feed::CampaignState);
    }

    #[test]
    fn what_is_shown_cannot_split_a_line() {
        assert_eq!(shown(b"a\nb\x1b[1m\xff\xe7"), "a\\u{a}b\\u{1b}[1m\\xff\\xe7");
        assert_eq!(shown("七\u{202e}月".as_bytes()), "七\\u{202e}月");
    }
}
