//! Packed files: whatever is wrong with one, it is refused, in bounded memory, before a row of it counts.

mod common;

use std::fmt::Write;

use cohortflow::ingest::{Code, Control, Extract, ReadError, Retry, Settings, read, read_bytes};
use common::{Dictionaries, gzip, name, settings, zstandard};

const HEADER: &str = "customer_id,month,total_fee\n";

fn bills(range: std::ops::Range<u32>) -> String {
    range.fold(String::new(), |mut text, number| {
        writeln!(text, "c{number},2009-07,{}.{:02}", number / 7, number % 100).expect("to memory");
        text
    })
}

fn take(file: &str, bytes: &[u8]) -> Result<Extract, ReadError> {
    read_bytes(bytes, &name(file), None, &settings(), &mut Dictionaries::default())
}

fn code(result: Result<Extract, ReadError>) -> Code {
    match result {
        Err(ReadError::Refused { refused, .. }) => refused.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn packed_files_give_the_rows_of_the_plain_one() {
    let text = HEADER.to_owned() + &bills(0..50_000);
    let plain = take("bill_2009-07.csv", text.as_bytes()).expect("taken");
    for (file, packed) in
        [("bill_2009-07.csv.gz", gzip(text.as_bytes())), ("bill_2009-07.csv.zst", zstandard(text.as_bytes()))]
    {
        let extract = take(file, &packed).expect("taken");
        assert_eq!(extract.rows, plain.rows);
        assert_eq!(extract.warnings, Vec::<String>::new());
        assert_ne!(extract.sha256, plain.sha256);
        let misnamed = take("bill_2009-07.csv", &packed).expect("taken");
        assert_eq!((misnamed.rows, misnamed.warnings.len()), (plain.rows.clone(), 1));
    }
}

#[test]
fn members_one_after_the_other_are_one_file() {
    let (first, second) =
        (HEADER.to_owned() + &bills(0..1_000) + "c5000,2009", "-07,1\n".to_owned() + &bills(1_000..2_000));
    for pack in [gzip, zstandard] {
        let packed = [pack(first.as_bytes()), pack(b""), pack(second.as_bytes())].concat();
        assert_eq!(take("bill_2009-07.csv.gz", &packed).expect("taken").rows.len(), 2_001);
    }
}

#[test]
fn a_packed_file_cut_anywhere_is_refused() {
    let text = HEADER.to_owned() + &bills(0..300);
    for packed in [gzip(text.as_bytes()), zstandard(text.as_bytes())] {
        for len in 8..packed.len() {
            let mut dictionaries = Dictionaries::default();
            let result = read_bytes(&packed[..len], &name("bill_2009-07.csv.gz"), None, &settings(), &mut dictionaries);
            assert_eq!(code(result), Code::Corrupt, "{len} of {}", packed.len());
            assert!(dictionaries.customers.is_empty());
        }
    }
}

#[test]
fn a_damaged_checksum_or_rubbish_behind_the_end_is_refused() {
    let text = HEADER.to_owned() + &bills(0..300);
    let mut packed = gzip(text.as_bytes());
    let len = packed.len();
    packed[len - 6] ^= 1;
    assert_eq!(code(take("bill_2009-07.csv.gz", &packed)), Code::Corrupt);
    for packed in [gzip(text.as_bytes()), zstandard(text.as_bytes())] {
        let packed = [packed.as_slice(), b"and more"].concat();
        assert_eq!(code(take("bill_2009-07.csv.gz", &packed)), Code::Corrupt);
    }
}

#[test]
fn bombs_and_files_packed_twice_are_refused() {
    let bomb = HEADER.to_owned() + &"\n".repeat(40 << 20);
    for pack in [gzip, zstandard] {
        assert_eq!(code(take("bill_2009-07.csv.gz", &pack(bomb.as_bytes()))), Code::Bomb);
        assert_eq!(code(take("bill_2009-07.csv.gz", &pack(&pack(HEADER.as_bytes())))), Code::Container);
    }
    let small = HEADER.to_owned() + &"\n".repeat(8 << 20);
    assert!(
        take("bill_2009-07.csv.gz", &gzip(small.as_bytes())).is_ok(),
        "16 MiB may be packed as tightly as they will"
    );
}

#[test]
fn more_than_is_allowed_is_refused_packed_or_plain() {
    let text = HEADER.to_owned() + &bills(0..5_000);
    let settings = Settings { decoded_bytes_max: text.len() as u64 - 1, ..settings() };
    for bytes in [text.as_bytes(), &gzip(text.as_bytes()), &zstandard(text.as_bytes())] {
        let result = read_bytes(bytes, &name("bill_2009-07.csv"), None, &settings, &mut Dictionaries::default());
        assert_eq!(code(result), Code::TooBig);
    }
}

#[test]
fn fields_and_rows_beyond_measure_are_refused() {
    let long = HEADER.to_owned() + &"x".repeat(1 << 20) + ",2009-07,1\n";
    assert_eq!(code(take("bill_2009-07.csv", long.as_bytes())), Code::TooLong);
    let wide = HEADER.to_owned() + &",".repeat(5_000) + "\n";
    assert_eq!(code(take("bill_2009-07.csv", wide.as_bytes())), Code::TooLong);
    let field = "x".repeat(60_000) + ",";
    let row = HEADER.to_owned() + &field.repeat(30) + "\n";
    assert_eq!(code(take("bill_2009-07.csv", row.as_bytes())), Code::TooLong);
    let headless = "x".repeat(10 << 20);
    assert_eq!(code(take("bill_2009-07.csv", headless.as_bytes())), Code::TooLong);
    let quoted = HEADER.to_owned() + "\"" + &"x".repeat(100) + &"y\n".repeat(1 << 20);
    assert_eq!(code(take("bill_2009-07.csv", quoted.as_bytes())), Code::UnclosedQuote);
}

#[test]
fn a_file_of_nothing_but_bad_rows_keeps_only_examples() {
    let text = HEADER.to_owned() + &"x,y,z\n".repeat(200_000);
    let settings = Settings { bad_rows_max: (1, 100), ..settings() };
    let result = read_bytes(text.as_bytes(), &name("bill_2009-07.csv"), None, &settings, &mut Dictionaries::default());
    let error = result.expect_err("refused").to_string();
    assert_eq!(
        error,
        "could not take extract \"bill_2009-07.csv\": 200000 of 200000 rows are unreadable, 2000 allowed\n  \
         line 2, column \"month\": expected a month YYYY-MM\n  line 3, column \"month\": expected a month YYYY-MM\n  \
         line 4, column \"month\": expected a month YYYY-MM\n  and 199997 more\n\
         hint: Correct the rows and deliver the file again. Nothing from this file has been applied."
    );
}

#[test]
fn text_in_blocks_is_the_text_whole() {
    // Characters of two and four bytes, and line ends of two, fall on every offset of a block's end.
    let header = "customer_id|city|employer\r\n";
    for shift in 0..4 {
        let row = |number: u32| format!("{number:0width$}|億{number}|𠀀㐀\r\n", width = 6 + shift);
        let text = (0..40_000).fold(header.to_owned(), |text, number| text + &row(number));
        let utf8 = take("customer_a.csv", text.as_bytes()).expect("taken");
        assert_eq!((utf8.rows.len(), utf8.rejects.len(), utf8.warnings.len()), (40_000, 0, 0));
        let gb18030 = encoding_rs::GB18030.encode(&text).0.into_owned();
        assert_eq!(take("customer_a.csv", &gb18030).expect("taken").rows, utf8.rows);
        assert_eq!(take("customer_a.csv.gz", &gzip(&gb18030)).expect("taken").rows, utf8.rows);
    }
}

#[test]
fn progress_goes_from_nothing_to_the_whole_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = HEADER.to_owned() + &bills(0..100_000);
    for (file, bytes) in
        [("bill_2009-07.csv", text.as_bytes().to_vec()), ("bill_2009-07.csv.gz", gzip(text.as_bytes()))]
    {
        let path = directory.path().join(file);
        std::fs::write(&path, &bytes).expect("written");
        let mut seen = vec![0];
        let mut progress = |bytes| seen.push(bytes);
        read(&path, &name(file), None, &settings(), &mut Dictionaries::default(), &mut progress).expect("taken");
        assert!(seen.is_sorted(), "{seen:?}");
        assert!(seen.last().is_some_and(|&last| last.abs_diff(bytes.len() as u64) <= 1), "{seen:?}");
    }
}

#[test]
fn what_is_not_the_files_fault_is_tried_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("bill_2009-07.csv");
    let mut dictionaries = Dictionaries::default();
    let gone = read(&path, &name("bill_2009-07.csv"), None, &settings(), &mut dictionaries, &mut |_| {});
    assert!(matches!(gone, Err(ReadError::Retry { retry: Retry::Vanished, .. })));
    assert_eq!(Control::read(&directory.path().join("bill_2009-07.csv.ok"), "bill_2009-07.csv").expect("none"), None);

    std::fs::write(&path, HEADER.to_owned() + &bills(0..100_000)).expect("written");
    let mut calls = 0;
    let mut overwrite = |_| {
        calls += 1;
        if calls == 3 {
            std::fs::write(&path, HEADER.to_owned() + &bills(1..100_001)).expect("written");
        }
    };
    let changed = read(&path, &name("bill_2009-07.csv"), None, &settings(), &mut dictionaries, &mut overwrite);
    assert!(matches!(changed, Err(ReadError::Retry { retry: Retry::Changed, .. })), "{changed:?}");
}

#[test]
fn quotes_and_blocks_change_no_row_and_no_line() {
    // Several blocks long, so that records of either kind go on from one block into the next.
    let row = |number: usize, is_quoted: bool| {
        let fee = if number % 997 == 5 { "x".to_owned() } else { format!("{}.{:02}", number % 900, number % 100) };
        let fields = [format!("customer-{number}"), "2009-07".to_owned(), fee];
        let quoted = |field: &String| if is_quoted { format!("\"{field}\"") } else { field.clone() };
        fields.iter().map(quoted).collect::<Vec<_>>().join(",")
    };
    let file = |is_quoted: fn(usize) -> bool, end: &str| {
        let rows = (0..30_000).map(|number| row(number, is_quoted(number)));
        std::iter::once(HEADER.trim_end().to_owned()).chain(rows).collect::<Vec<_>>().join(end)
    };
    let plain = take("bill_2009-07.csv", file(|_| false, "\n").as_bytes()).expect("taken");
    assert_eq!((plain.rows.len(), plain.rejects.len()), (29_969, 31));
    for (is_quoted, end) in [
        ((|_| true) as fn(usize) -> bool, "\n"),
        (|number| number % 7 == 3, "\n"),
        (|number| number / 4_000 % 2 == 1, "\r\n"),
        (|number| number % 500 == 0, "\r"),
    ] {
        let mixed = take("bill_2009-07.csv", file(is_quoted, end).as_bytes()).expect("taken");
        assert!(mixed.rows == plain.rows, "other rows, lines ending in {end:?}");
        assert_eq!(mixed.rejects, plain.rejects, "lines ending in {end:?}");
    }
}
