//! Input of the benches: plain CSV, one file a month, reproducible.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use dataflows::types::Month;

use crate::Size;

const CITIES: [&str; 14] = [
    "Shenyang", "Dalian", "Anshan", "Fushun", "Benxi", "Dandong", "Jinzhou", "Yingkou", "Fuxin", "Liaoyang", "Panjin",
    "Tieling", "Chaoyang", "Huludao",
];

/// A row of `bill`, as decoded: fen and kilobytes.
#[derive(Clone)]
pub struct Bill {
    pub customer: String,
    pub month: Month,
    pub amounts: [i64; 5],
}

pub fn first_month() -> Month {
    Month::new(2009, 1)
}

/// Where the files of a size are.
pub fn directory(size: Size) -> PathBuf {
    std::env::temp_dir().join(format!("cohortflow-bench-{}x{}", size.customers, size.months))
}

fn random(seed: u64) -> u64 {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What a customer is billed in a month: a level of his own, a trend, noise.
pub fn bill(customer: usize, month: usize, salt: u64) -> Bill {
    let own = random(customer as u64);
    let level = 1_000 + (own % 64) as i64 * (own % 61) as i64 * 8;
    let trend = 70 + (own >> 20) as i64 % 60;
    let amount = |place: u64, share: i64| {
        let noise = (random(own ^ (month as u64) << 8 ^ place << 32 ^ salt) % 40) as i64 + 80;
        level * share / 100 * noise / 100 * (100 + (trend - 95) * month as i64 / 4) / 100
    };
    Bill {
        customer: id(customer),
        month: first_month().plus(month as i32),
        amounts: [amount(1, 100), amount(2, 8), amount(3, 6), amount(4, 7), amount(5, 600)],
    }
}

pub fn id(customer: usize) -> String {
    format!("C{customer:07}")
}

/// Whether a customer is one no more.
pub fn has_left(customer: usize) -> bool {
    customer % 40 == 7
}

/// A customer's city, year of birth and month of joining.
pub fn customer(customer: usize) -> (&'static str, u64, u64) {
    let own = random(customer as u64 ^ 0xc0ff_ee00);
    (CITIES[(own % 14) as usize], 1940 + (own >> 8) % 55, (own >> 16) % 120)
}

/// Writes the files of a size, where they are not there yet.
pub fn prepare(size: Size) {
    let directory = directory(size);
    if directory.join("done").exists() {
        return;
    }
    fs::create_dir_all(&directory).expect("a directory for the input");
    let create =
        |name: String| BufWriter::with_capacity(1 << 20, fs::File::create(directory.join(name)).expect("a file"));
    let last = first_month().plus(size.months as i32 - 1);
    let mut out = create(format!("customer_{last}.csv"));
    writeln!(out, "customer_id,birth_date,city,joined_on,status").expect("written");
    for number in 0..size.customers {
        let (city, year, joined) = customer(number);
        let status = if has_left(number) { "closed" } else { "active" };
        let joined = Month::new(2000, 1).plus(joined as i32);
        writeln!(out, "{},{year}-05-17,{city},{joined}-11,{status}", id(number)).expect("written");
    }
    out.flush().expect("written");
    for month in 0..size.months {
        write_bills(&directory.join(bill_file(month)), size, month);
    }
    fs::write(directory.join("done"), "").expect("written");
}

/// The name of a month's file.
pub fn bill_file(month: usize) -> String {
    format!("bill_{}.csv", first_month().plus(month as i32))
}

/// Writes a month's bills of everybody.
pub fn write_bills(path: &Path, size: Size, month: usize) {
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(path).expect("a file"));
    writeln!(out, "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb").expect("written");
    for number in 0..size.customers {
        let Bill { customer, month, amounts: [total, roaming, sms, vas, data] } = bill(number, month, 0);
        let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
        let fees = [total, roaming, sms, vas].map(yuan).join(",");
        writeln!(out, "{customer},{month},{fees},{data}").expect("written");
    }
    out.flush().expect("written");
}
