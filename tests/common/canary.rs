//! Looking for what must not be there, in whatever form bytes may hold it.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::borrow::Cow;
use std::io::Read;

/// How much is unpacked of what is packed, in bytes, and how often what comes out is unpacked again.
const UNPACKED_MAX: u64 = 64 << 20;
const DEPTH_MAX: usize = 2;

/// Shortest run that is worth decoding: a few bytes say nothing.
const RUN_MIN: usize = 12;

/// Bytes as they are, and as whoever reads them may take them: unpacked, decoded, without what people put between digits.
pub fn forms(bytes: &[u8]) -> Vec<(String, Cow<'_, [u8]>)> {
    let mut forms = vec![("as it is".to_owned(), Cow::Borrowed(bytes))];
    for (name, decoded) in decoded(bytes) {
        forms.push((name.to_owned(), Cow::Owned(decoded)));
    }
    for (name, unpacked) in unpacked(bytes, DEPTH_MAX) {
        for (form, decoded) in decoded(&unpacked) {
            forms.push((format!("{name}, {form}"), Cow::Owned(decoded)));
        }
        forms.push((name.to_owned(), Cow::Owned(unpacked)));
    }
    forms
}

/// In which form bytes hold a text, if they do.
pub fn held(bytes: &[u8], text: &[u8]) -> Option<String> {
    let finder = memchr::memmem::Finder::new(text);
    forms(bytes).into_iter().find(|(_, form)| finder.find(form).is_some()).map(|(name, _)| name)
}

fn decoded(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let of_digits = |byte: &u8| !matches!(byte, b' ' | b'-' | b'.' | b'_' | b'/');
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let is_hex = |byte: u8| byte.is_ascii_hexdigit();
    let mut forms = vec![
        ("without separators", bytes.iter().copied().filter(of_digits).collect()),
        ("UTF-16", bytes.iter().copied().step_by(2).collect()),
        ("UTF-16 from the second byte", bytes.iter().copied().skip(1).step_by(2).collect()),
        ("percent-coded", percent(bytes)),
        ("full-width", narrow(bytes)),
        ("digits of four bits", nibbles(bytes)),
    ];
    for skip in 0..2 {
        forms.push(("hexadecimal", runs(bytes, is_hex, skip, pairs)));
    }
    for skip in 0..4 {
        forms.push(("base64", runs(bytes, is_base64, skip, groups)));
    }
    forms
}

/// What runs of signs spell from the so-manyth on, a line for each run.
fn runs(bytes: &[u8], is_sign: fn(u8) -> bool, skip: usize, read: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let long = bytes.split(|byte| !is_sign(*byte)).filter(|run| run.len() >= RUN_MIN);
    long.flat_map(|run| read(&run[skip..]).into_iter().chain(*b"\n")).collect()
}

fn pairs(run: &[u8]) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    run.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

/// Four signs are three bytes, in either alphabet; at the end fewer are what they spell.
fn groups(run: &[u8]) -> Vec<u8> {
    let value = |sign: u8| match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let group = |four: &[u8]| {
        let bits = four.iter().fold(0u32, |bits, sign| bits << 6 | u32::from(value(*sign))) << (6 * (4 - four.len()));
        bits.to_be_bytes().into_iter().skip(1).take(four.len() - 1)
    };
    run.chunks(4).flat_map(group).collect()
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        match after {
            [high, low, after @ ..] if *byte == b'%' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.extend(pairs(&[*high, *low]));
                rest = after;
            }
            _ => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    decoded
}

/// Full-width digits as narrow ones.
fn narrow(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        match rest {
            // U+FF10 to U+FF19.
            [0xEF, 0xBC, digit @ 0x90..=0x99, after @ ..] => {
                decoded.push(digit - 0x90 + b'0');
                rest = after;
            }
            _ => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    decoded
}

/// Each byte as two digits, as telephone exchanges write numbers.
fn nibbles(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| if digit < 10 { digit + b'0' } else { b'x' })
        .collect()
}

/// Whatever is packed by zstd or gzip, wherever it begins.
fn unpacked(bytes: &[u8], depth: usize) -> Vec<(&'static str, Vec<u8>)> {
    if depth == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut keep = |name: &'static str, reader: &mut dyn Read| {
        let mut text = Vec::new();
        // What cannot be unpacked to its end is looked at as far as it goes.
        let _ = reader.take(UNPACKED_MAX).read_to_end(&mut text);
        if !text.is_empty() {
            found.extend(unpacked(&text, depth - 1));
            found.push((name, text));
        }
    };
    for at in memchr::memmem::find_iter(bytes, b"\x28\xb5\x2f\xfd") {
        if let Ok(mut reader) = zstd::stream::read::Decoder::new(&bytes[at..]) {
            keep("unpacked by zstd", &mut reader);
        }
    }
    for at in memchr::memmem::find_iter(bytes, b"\x1f\x8b\x08") {
        keep("unpacked by gzip", &mut flate2::read::GzDecoder::new(&bytes[at..]));
    }
    found
}

#[cfg(test)]
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

#[test]
fn a_text_is_found_in_every_form() {
    const TEXT: &[u8] = b"13941712345";
    let wide: Vec<u8> = TEXT.iter().flat_map(|byte| [0, *byte]).collect();
    let coded = TEXT.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let full: String = TEXT.iter().filter_map(|byte| char::from_u32(0xFF10 + u32::from(byte - b'0'))).collect();
    let packed = zstd::encode_all(&[&[b'x'; 99], TEXT].concat()[..], 3).expect("to memory");
    let hidden: [Vec<u8>; 11] = [
        TEXT.to_vec(),
        b"139-4171 2345".to_vec(),
        wide,
        coded.into_bytes(),
        full.into_bytes(),
        b"\xff\x13\x94\x17\x12\x34\x5f".to_vec(),
        b"33313339343137313233343521".to_vec(),
        b"x MTM5NDE3MTIzNDU= y".to_vec(),
        b"x YjEzOTQxNzEyMzQ1Yw== y".to_vec(),
        [b"before", &packed[..], b"behind"].concat(),
        gzip(&[b"before", &packed[..]].concat()),
    ];
    for bytes in hidden {
        assert!(held(&bytes, TEXT).is_some(), "{}", bytes.escape_ascii());
    }
    assert_eq!(held(b"13941712346", TEXT), None);
}
