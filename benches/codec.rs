//! What it costs to write a million bills down and to read them again.
//!
//! `cargo bench --bench codec`. The store's columns beside two row codecs: bincode, which is timely's
//! wire format, and abomonation, which once was. abomonation is unsound on bytes that the process did
//! not just write (RUSTSEC-2021-0120): it is here for its figures, and nowhere else.

use std::time::Instant;

use abomonation::Abomonation;
use cohortflow::store::codec::{Reader, Writer};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Bill {
    customer: u32,
    month: i32,
    total_fee: i64,
    roaming_fee: i64,
    sms_fee: i64,
    vas_fee: i64,
    data_kb: i64,
}

// A plain old value: what it is in memory is what is written.
impl Abomonation for Bill {}

const BILLS: usize = 1_000_000;
const RUNS: usize = 7;

fn main() {
    let bill = |number: usize| {
        let noise = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        Bill {
            customer: number as u32,
            month: 24_108,
            total_fee: (noise % 60_000) as i64,
            roaming_fee: (noise % 977) as i64,
            sms_fee: (noise % 2_003) as i64,
            vas_fee: (noise % 1_511) as i64,
            data_kb: (noise * 7 % 900_001) as i64,
        }
    };
    let bills: Vec<Bill> = (0..BILLS).map(bill).collect();
    println!("{BILLS} bills, median of {RUNS}: milliseconds out, in; megabytes");
    report("columns (the store's)", &bills, |bills| columns_out(bills), |bytes| columns_in(bytes));
    report(
        "bincode",
        &bills,
        |bills| bincode::serialize(bills).expect("serialised"),
        |bytes| bincode::deserialize(bytes).expect("deserialised"),
    );
    report("abomonation", &bills, abomonation_out, |bytes| abomonation_in(bytes));
}

fn report(
    name: &str,
    bills: &Vec<Bill>,
    out: impl Fn(&Vec<Bill>) -> Vec<u8>,
    back: impl Fn(&mut Vec<u8>) -> Vec<Bill>,
) {
    let (mut outs, mut ins, mut len) = (Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut bytes = out(bills);
        outs.push(began.elapsed().as_secs_f64() * 1e3);
        len = bytes.len();
        let began = Instant::now();
        let read = back(&mut bytes);
        ins.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(&read, bills);
    }
    outs.sort_by(f64::total_cmp);
    ins.sort_by(f64::total_cmp);
    println!("  {name:<24} {:>8.2} {:>8.2} {:>8.2}", outs[RUNS / 2], ins[RUNS / 2], len as f64 / 1e6);
}

fn columns_out(bills: &[Bill]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.column(bills.iter().map(|bill| i64::from(bill.customer)));
    writer.column(bills.iter().map(|bill| i64::from(bill.month)));
    writer.column(bills.iter().map(|bill| bill.total_fee));
    writer.column(bills.iter().map(|bill| bill.roaming_fee));
    writer.column(bills.iter().map(|bill| bill.sms_fee));
    writer.column(bills.iter().map(|bill| bill.vas_fee));
    writer.column(bills.iter().map(|bill| bill.data_kb));
    writer.bytes
}

fn columns_in(bytes: &[u8]) -> Vec<Bill> {
    let mut reader = Reader::new(bytes);
    let columns: [Vec<i64>; 7] = std::array::from_fn(|_| reader.column_of(BILLS).expect("a column"));
    let bill = |at: usize| Bill {
        customer: columns[0][at] as u32,
        month: columns[1][at] as i32,
        total_fee: columns[2][at],
        roaming_fee: columns[3][at],
        sms_fee: columns[4][at],
        vas_fee: columns[5][at],
        data_kb: columns[6][at],
    };
    (0..columns[0].len()).map(bill).collect()
}

fn abomonation_out(bills: &Vec<Bill>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // SAFETY: plain old values without padding that anything reads, written by this very process.
    unsafe { abomonation::encode(bills, &mut bytes) }.expect("encoded");
    bytes
}

fn abomonation_in(bytes: &mut [u8]) -> Vec<Bill> {
    // SAFETY: these bytes were written a moment ago by `abomonation_out` for the same type.
    let (bills, rest) = unsafe { abomonation::decode::<Vec<Bill>>(bytes) }.expect("decoded");
    assert!(rest.is_empty());
    bills.clone()
}
