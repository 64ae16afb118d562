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
