//! Parquet: the same rows as CSV, from any sensible type; damaged files are refused and never end the process.

mod common;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int32Array,
    Int64Array, LargeStringArray, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt16Array,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow::record_batch::RecordBatch;
use cohortflow::ingest::{Code, Extract, ReadError, read, read_bytes};
use common::{Dictionaries, name, settings};
use dataflows::records::Rows;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

fn parquet(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(700))
        .set_data_page_row_count_limit(100)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("to memory");
    writer.into_inner().expect("to memory")
}

fn plain(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    parquet(columns, Compression::UNCOMPRESSED)
}

fn take(file: &str, bytes: &[u8]) -> Result<Extract, ReadError> {
    read_bytes(bytes, &name(file), None, &settings(), &mut Dictionaries::default())
}

fn texts<const N: usize>(texts: [&str; N]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn csv_rows(file: &str, text: &str) -> Rows {
    let extract = take(file, text.as_bytes()).expect("taken");
    assert_eq!(extract.rejects, []);
    extract.rows
}

#[test]
fn bills_of_any_types_are_the_bills_of_csv() {
    let csv = csv_rows(
        "bill_2009-07.csv",
        "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\n7,2009-07,88.50,12,0.1,-3,1024\n8,2009-07,-0.01,,,,\n",
    );
    let ids = || -> ArrayRef { Arc::new(Int64Array::from(vec![7, 8])) };
    let first = plain(vec![
        ("customer_id", ids()),
        ("month", Arc::new(Date32Array::from(vec![14_426, 14_426]))),
        (
            "total_fee",
            Arc::new(Decimal128Array::from(vec![88_500, -10]).with_precision_and_scale(30, 3).expect("fits")),
        ),
        ("roaming_fee", Arc::new(Int32Array::from(vec![Some(12), None]))),
        ("sms_fee", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("vas_fee", Arc::new(Float32Array::from(vec![Some(-3.0), None]))),
        ("data_kb", Arc::new(Float64Array::from(vec![Some(1024.0), None]))),
    ]);
    let view: ArrayRef = Arc::new(StringViewArray::from(vec!["2009-07", "2009-07"]));
    let dictionary: DictionaryArray<Int32Type> = ["88.50", "-0.01"].into_iter().collect();
    let second = plain(vec![
        ("data_kb", Arc::new(UInt16Array::from(vec![Some(1024), None]))),
        ("customer_id", Arc::new(LargeStringArray::from(vec!["7", "8"]))),
        ("month", view),
        ("total_fee", Arc::new(dictionary)),
        ("roaming_fee", texts(["12.00", ""])),
        ("sms_fee", Arc::new(Decimal128Array::from(vec![Some(1), None]).with_precision_and_scale(9, 1).expect("fits"))),
        (
            "vas_fee",
            Arc::new(Decimal128Array::from(vec![Some(-300), None]).with_precision_and_scale(18, 2).expect("fits")),
        ),
        ("note", texts(["ignored", "too"])),
    ]);
    for (bytes, warnings) in [(first, 0), (second, 1)] {
        let extract = take("bill_2009-07.parquet", &bytes).expect("taken");
        assert_eq!(extract.rejects, []);
        assert_eq!(extract.rows, csv);
        assert_eq!(extract.warnings.len(), warnings, "{:?}", extract.warnings);
    }
}

#[test]
fn times_become_local_and_what_a_column_cannot_say_is_set_aside() {
    let csv = csv_rows(
        "order_1.csv",
        "order_id,customer_id,product_id,action,channel_id,at,bundled\n\
         a,c,p,trial,,2009-08-01 08:00:00,true\nb,c,p,cancel,,2009-08-01 08:00:01,\n",
    );
    let seconds = 1_249_084_800_i64;
    let utc = || Some(Arc::from("UTC"));
    let at: [ArrayRef; 4] = [
        Arc::new(
            TimestampMillisecondArray::from(vec![seconds * 1_000 + 999, seconds * 1_000 + 1_000])
                .with_timezone_opt(utc()),
        ),
        Arc::new(
            TimestampMicrosecondArray::from(vec![seconds * 1_000_000, seconds * 1_000_000 + 1_999_999])
                .with_timezone_opt(utc()),
        ),
        Arc::new(TimestampNanosecondArray::from(vec![
            (seconds + 28_800) * 1_000_000_000,
            (seconds + 28_801) * 1_000_000_000,
        ])),
        texts(["2009-08-01T00:00:00Z", "2009-08-01 08:00:01"]),
    ];
    for at in at {
        let bytes = plain(vec![
            ("order_id", texts(["a", "b"])),
            ("customer_id", texts(["c", "c"])),
            ("product_id", texts(["p", "p"])),
            ("action", texts(["trial", "cancel"])),
            ("at", at),
            ("bundled", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ]);
        let extract = take("order_1.parquet", &bytes).expect("taken");
        assert_eq!((extract.rows, extract.rejects), (csv.clone(), vec![]));
    }
    let bytes = plain(vec![
        ("customer_id", texts(["1", "2", "3", "4", "5", "6"])),
        ("month", Arc::new(Date32Array::from(vec![14_426, 14_427, 14_426, 14_426, i32::MAX, 14_426]))),
        (
            "total_fee",
            Arc::new(Float64Array::from(vec![
                Some(0.1 + 0.2),
                Some(1.0),
                Some(f64::NAN),
                Some(1e300),
                Some(1.0),
                None,
            ])),
        ),
    ]);
    let extract = take("bill_2009-07.parquet", &bytes).expect("taken");
    let faults: Vec<_> = extract.rejects.iter().map(|reject| (reject.line, reject.column.as_str())).collect();
    assert_eq!(
        faults,
        [(1, "total_fee"), (2, "month"), (3, "total_fee"), (4, "total_fee"), (5, "month"), (6, "total_fee")]
    );
}

#[test]
fn columns_that_no_cell_could_hold_are_refused() {
    let nested: ArrayRef =
        Arc::new(StructArray::from(vec![(Arc::new(Field::new("total_fee", DataType::Utf8, false)), texts(["1"]))]));
    let bytes = plain(vec![("customer_id", texts(["1"])), ("month", texts(["2009-07"])), ("total_fee", nested)]);
    let Err(ReadError::Refused { refused, .. }) = take("bill_2009-07.parquet", &bytes) else { panic!("taken") };
    assert_eq!((refused.code, refused.fact.contains("\"total_fee\"")), (Code::ColumnType, true));
    let bytes = plain(vec![("customer_id", texts(["1"])), ("fee", texts(["1"]))]);
    let Err(ReadError::Refused { refused, .. }) = take("bill_2009-07.parquet", &bytes) else { panic!("taken") };
    assert_eq!(refused.code, Code::ColumnMissing);
}

fn many(compression: Compression) -> Vec<u8> {
    let ids: Vec<String> = (0..2_000).map(|number| format!("c{number}")).collect();
    let fees = Decimal128Array::from((0..2_000).collect::<Vec<i128>>()).with_precision_and_scale(12, 2).expect("fits");
    let months: DictionaryArray<Int32Type> = ids.iter().map(|_| "2009-07").collect();
    parquet(
        vec![
            ("customer_id", Arc::new(StringArray::from(ids)) as ArrayRef),
            ("month", Arc::new(months)),
            ("total_fee", Arc::new(fees)),
        ],
        compression,
    )
}

#[test]
fn row_groups_and_pages_are_put_together() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("bill_2009-07.parquet");
    let gzip = Compression::GZIP(Default::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip, Compression::ZSTD(Default::default())] {
        let bytes = many(compression);
        let extract = take("bill_2009-07.parquet", &bytes).expect("taken");
        let Rows::Bill(rows) = &extract.rows else { panic!("bills") };
        assert!(rows.iter().enumerate().all(|(number, row)| row.bill.total_fee == number as i64));
        assert_eq!(rows.len(), 2_000);
        std::fs::write(&path, &bytes).expect("written");
        let mut progress = 0;
        let from_file =
            read(&path, &name("bill_2009-07.parquet"), None, &settings(), &mut Dictionaries::default(), &mut |bytes| {
                progress = bytes;
            });
        assert_eq!(from_file.expect("taken").rows, extract.rows);
        assert!(progress > bytes.len() as u64 / 2 && progress <= bytes.len() as u64);
    }
}

#[test]
fn damaged_files_are_refused_or_read() {
    let mut state = 1_u64;
    let mut random = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())] {
        let bytes = many(compression);
        for len in (4..bytes.len()).step_by(97) {
            assert!(take("bill_2009-07.parquet", &bytes[..len]).is_err());
        }
        for _ in 0..400 {
            let mut damaged = bytes.clone();
            // The metadata at the end is where lies are told.
            let from = if random(2) == 0 { 4 } else { bytes.len().saturating_sub(1_200) };
            for _ in 0..=random(3) {
                let at = from + random(bytes.len() - from);
                damaged[at] = random(256) as u8;
            }
            match take("bill_2009-07.parquet", &damaged) {
                Ok(_) | Err(ReadError::Refused { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
