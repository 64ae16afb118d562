//! What fuzzing begins with: the corpus of bad input, rows of its files, rules of the reference programme
//! and of the table of rules, logs of a small store.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cohortflow::programme;
use cohortflow::store::memory::Memory;
use cohortflow::store::{Log, LogError, Store};

use crate::entries::common::{gzip, zstandard};
use crate::entries::expression::{FILES, filled};
use crate::entries::extracts::{CONTAINERS, FEEDS, choice};
use crate::entries::token::feed_token;

/// Largest seed: a fuzzer makes more of small ones.
const BYTES_MAX: usize = 4096;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files of a directory below another, in the order of their paths.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("tests/corpus"))
        .expect("the corpus")
        .filter_map(|case| fs::read_dir(case.expect("a case").path().join("in")).ok())
        .flat_map(|files| files.map(|file| file.expect("a file").path()))
        .collect();
    files.sort();
    files
}

/// Feed and container of a file's name.
fn chosen(name: &str) -> Option<(usize, usize)> {
    let feed = FEEDS.iter().position(|(stem, _)| stem.split('_').next() == name.split('_').next())?;
    let container = CONTAINERS.iter().rposition(|container| name.ends_with(&format!(".{container}")))?;
    Some((feed, container))
}

pub fn extracts() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in files() {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&file).expect("a file");
        let Some((feed, container)) = chosen(&name).filter(|_| bytes.len() <= BYTES_MAX) else { continue };
        seeds.push([&[choice(feed, container)], &bytes[..]].concat());
        if seeds.len() % 8 == 0 && container == 0 {
            seeds.push([&[choice(feed, 1)], &gzip(&bytes)[..]].concat());
            seeds.push([&[choice(feed, 2)], &zstandard(&bytes)[..]].concat());
        }
    }
    seeds.push([&[choice(2, 3)], &parquet_bill()[..]].concat());
    assert!(seeds.len() > 60, "{}", seeds.len());
    seeds
}

fn parquet_bill() -> Vec<u8> {
    use arrow::array::{ArrayRef, StringArray};
    let text = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let columns = [
        ("customer_id", text(["c1", "c2", "c3"])),
        ("month", text(["2009-07", "2009-07", "2009-08"])),
        ("total_fee", text(["88.50", "-0.01", "x"])),
    ];
    let batch = arrow::record_batch::RecordBatch::try_from_iter(columns).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    bytes
}

pub fn rows() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in files() {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&file).expect("a file");
        let Some((feed, 0)) = chosen(&name).filter(|_| bytes.len() <= BYTES_MAX) else { continue };
        for line in bytes.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty()).take(12) {
            seeds.push([&[feed as u8], line].concat());
        }
    }
    assert!(seeds.len() > 100, "{}", seeds.len());
    seeds
}

pub fn expressions() -> Vec<Vec<u8>> {
    let table = fs::read_to_string(root().join("tests/programme/rules.txt")).expect("the table");
    let mut rules: Vec<String> = table
        .lines()
        .filter(|line| !line.starts_with([' ', '#']) && !line.is_empty() && line.len() < 400)
        .map(str::to_owned)
        .collect();
    for source in programme::reference() {
        let lines = source.text.lines().filter_map(|line| line.strip_prefix("when = \"")?.strip_suffix('"'));
        rules.extend(lines.map(str::to_owned));
    }
    assert!(rules.len() > 100, "{}", rules.len());
    rules.iter().enumerate().map(|(number, rule)| [&[number as u8], rule.as_bytes()].concat()).collect()
}

pub fn logs() -> Vec<Vec<u8>> {
    let memory = Memory::default();
    let mut seeds = Vec::new();
    let mut keep = |memory: &Memory| {
        let log = memory.bytes("log").expect("a log");
        seeds.push([&[0], &log[..]].concat());
        let mut records = vec![1];
        let mut epoch = 0;
        Log::open(Arc::new(memory.clone()), |frame| {
            records.extend([frame.kind, (frame.epoch - epoch) as u8]);
            epoch = frame.epoch;
            records.extend((frame.payload.len() as u16).to_le_bytes());
            records.extend_from_slice(frame.payload);
            Ok::<(), LogError>(())
        })
        .expect("it opens");
        seeds.push(records);
    };
    keep(&{
        let memory = Memory::default();
        drop(Store::open(Arc::new(memory.clone()), [7; 32]).expect("a fresh store"));
        memory
    });
    let mut store = Store::open(Arc::new(memory.clone()), [7; 32]).expect("a fresh store");
    for count in 1..=FILES.len() {
        filled(&mut store, &FILES[count - 1..count]);
        keep(&memory);
    }
    let rejected = ("bill_2009-06.v2.csv", "customer_id,month,total_fee\nc1,2009-06,x\nc5,2009-06,7\n");
    filled(&mut store, &[rejected]);
    let sources = vec![("own.toml".to_owned(), "[[tier]]\nid = \"A\"\n".to_owned())];
    store.publish(sources, ["A"].into_iter()).expect("published");
    keep(&memory);
    store.compact().expect("compacted");
    keep(&memory);
    seeds
}

/// Bodies as clients write them, good and bad ones.
pub fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<String> = [
        r#"{"name":"ann","password":"correct horse"}"#,
        r#"{"old":"correct horse","new":"another horse"}"#,
        r#"{"name":"ann","role":"city_operator","places":[{"city":"Dalian","district":null}],"menus":["customers"],"rows_a_day":10}"#,
        r#"{"name":"sms","role":"channel","channel":"sms","password":"correct horse"}"#,
        r#"{"days":30}"#,
        r#"{"reason":"asks","by":"zhang"}"#,
        r#"{"product_id":"crbt","campaign_id":"spring","channel_id":"sms","answer":"accepted","by":"desk7"}"#,
        r#"{"sources":[{"name":"own.toml","text":"[[tier]]\nid = \"A\"\nwhen = \"avg_fee > 1\"\n"}]}"#,
        r#"{"sweep":"segment:student: avg_fee < ?","at":[60,70.5,80]}"#,
        r#"{"customer_id":"c1","points":-5,"reason":"ring 138-1234-5678","by":"zhang","at":"2009-07-01 10:00:00"}"#,
        r#"{"op":"replace","customers":["c1","c2"],"reason":"x","by":"li","from":"2009-07-01","confirm":{"before":5,"after":2}}"#,
        r#"{"customer_id":"c1","campaign_id":"spring","channel_id":"sms","reason":"STOP","by":"gateway"}"#,
        r#"{"state":"approved","by":"li","note":"budget","city":"大连"}"#,
        r#"{"dry_run":true,"trial":false,"limit":7}"#,
        r#"{"channel":"sms"}"#,
        r#"{"view":"target"}"#,
        r#"{"customer_id":"c1","text":"是","contact_id":"k1","by":"gateway"}"#,
        r#"[{"request_id":"00000000000000000000000000000000","state":"opened","code":"E1","text":"Enjoy!"}]"#,
        r#"{"title":"Hotline","text":"Ring 10086","from":"2009-07-01","until":"2009-08-01","version":0}"#,
        r#"{"agent":"ann"}"#,
        r#"{"agent":"ann","outcome":"callback","feedback":"later","at_callback":"2009-07-02 10:00:00"}"#,
        r#"{"sql":"SELECT 1","format":"csv","limit":5}"#,
        r#"{"a":[1,2.5,1e400,-0,null,true,"\u0001\ud800x"],"a":{"b":[[[[[[]]]]]]},"n":13812345678}"#,
        "{}",
        "[]",
        "null",
        r#"{"_op":"upsert","customer_id":"c1","model":"churn","value":12.5,"at":"2009-07-01","more":[1]}"#,
        r#"{"customer_id":"c1","msisdn":"+86 138 1234 5678","birth_date":"1980-02-29","gender":"f"}
{"customer_id":"c2","msisdn":13812345678}"#,
    ]
    .map(str::to_owned)
    .to_vec();
    // A row of each feed, with every column.
    for (_, header) in FEEDS {
        let cells = header.split(',').map(|column| (column.to_owned(), "2009-07-01".into()));
        bodies.push(serde_json::Value::Object(cells.collect()).to_string());
    }
    let feeds = FEEDS.len();
    bodies.iter().enumerate().map(|(number, body)| [&[(number % feeds) as u8], body.as_bytes()].concat()).collect()
}

/// Tokens, keys, paths and queries, each behind the byte that says what it is.
pub fn tokens() -> Vec<Vec<u8>> {
    let own = feed_token();
    let unsealed = own.rsplit_once('.').expect("a seal").0;
    let of = |kind: u8, texts: &[&str]| -> Vec<Vec<u8>> {
        texts.iter().map(|text| [&[kind], text.as_bytes()].concat()).collect()
    };
    [
        of(0, &[own.as_str(), unsealed, "f1", "f1.tier.00.00.00.1.00.00", ""]),
        of(1, &[unsealed, "f1.tier.00000000.0101010101010101.00.18446744073709551616.zz", "f1......."]),
        of(2, &["Bearer cft_0123456789abcdef", "bearer  cfs_x ", "Basic YTpi", "Bearer", "Bearer \u{e9}"]),
        of(3, &["a-key", "k", "two words", "\t", "ü"]),
        of(4, &["tier", "%e5%a4%a7%e8%bf%9e", "%ff", "%", "%2", "a%2fb", "..", "%00", "+", "a?b=c", "%25%32%66"]),
        of(
            5,
            &[
                "city=Dalian&city=&from=2009-07-01&until=2009-08&limit=10&offset=2",
                "cursor=1-40&limit=5",
                "number=138+1234%205678&format=csv",
                "customer=c1&who=ann&outcome=denied&limit=7",
                "members=5",
                "list=segment:a&side=added",
                "offers=true&page=3&neighbours=18446744073709551616",
                "dry_run=true&channel=sms&on=2009-02-30",
                "from=9999-12-31&until=0000-01-01",
                "&&=&a=%ff&limit=1&limit=2",
            ],
        ),
    ]
    .concat()
}

/// The statements that clients ask with, and those by which somebody tried to see more.
#[cfg(feature = "sql")]
pub fn statements() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in ["statements/psql.sql", "statements/grafana.sql", "bypasses.sql"] {
        let text = fs::read_to_string(root().join("tests/sql").join(file)).expect("statements");
        // Told apart by a stop at a line's end, or by what is expected.
        let lines = text.lines().filter(|line| !line.starts_with("--"));
        let joined = lines.map(|line| if line.starts_with("=>") { ";" } else { line }).collect::<Vec<_>>().join("\n");
        let statements = joined.split(";\n").map(str::trim).filter(|text| !text.is_empty() && text.len() <= BYTES_MAX);
        seeds.extend(statements.map(|text| text.as_bytes().to_vec()));
    }
    for setting in
        ["statement_timeout\u{0}5s", "client_encoding\0LATIN1", "TimeZone\0UTC", "server_version\u{0}1", "x\0y"]
    {
        seeds.push([&[0], setting.as_bytes()].concat());
    }
    for text in [
        "FETCH 5 FROM c",
        "DECLARE c CURSOR FOR SUBSCRIBE tier WITH (SNAPSHOT = false, PROGRESS)",
        "COPY (SELECT * FROM tier) TO STDOUT WITH (FORMAT csv)",
        "SET statement_timeout = '5s'; SHOW server_version; RESET ALL",
        "BEGIN; SAVEPOINT a; ROLLBACK TO a; COMMIT",
        "WITH RECURSIVE t AS (SELECT 1) INSERT INTO tier SELECT * FROM t",
        "EXPLAIN ANALYZE DELETE FROM tier",
        "SELECT * FROM a JOIN b USING (x) WHERE x = ANY(ARRAY[1, 2]) AND y IN (1, 2, 3)",
    ] {
        seeds.push(text.as_bytes().to_vec());
    }
    assert!(seeds.len() > 100, "{}", seeds.len());
    seeds
}
