//! Rows made to published counts: from the field reports, and from a public experiment.
//!
//! The counts are of customers, and rows are made so that counting anything else gives another figure: contacts
//! and orders come again under other ids, contacts fail first, orders come before any contact, customers are in
//! several campaigns. Rows are shuffled, and cut into two partitions. All of it is the same each time.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod campaigns;
pub mod email;
pub mod penetration;

use std::fmt::Write;

/// A programme, and the files that it is to be run over: name and text.
pub struct Golden {
    pub programme: String,
    pub files: Vec<(String, String)>,
}

impl Golden {
    /// The month that the bills make the last one, and nothing else yet.
    fn new(programme: String, as_of: &str) -> Golden {
        let bill = format!("customer_id,month,total_fee\nbilled,{as_of},1\n");
        Golden { programme, files: vec![(format!("bill_{as_of}.csv"), bill)] }
    }

    /// A feed's rows, shuffled, half of them in each of two partitions.
    fn feed(&mut self, feed: &str, header: &str, mut rows: Vec<String>) {
        shuffle(&mut rows);
        let half = rows.len() / 2;
        for (part, rows) in [&rows[..half], &rows[half..]].into_iter().enumerate() {
            let mut text = String::new();
            for row in std::iter::once(header).chain(rows.iter().map(String::as_str)) {
                writeln!(text, "{row}").expect("a string takes it");
            }
            self.files.push((format!("{feed}_golden_{part}.csv"), text));
        }
    }
}

/// A row of effect_rate's target arm, in ten-thousandths: its rate, its uplift, and Newcombe's bounds of that,
/// worked out by another implementation in fifty digits.
pub struct Lift {
    pub campaign: &'static str,
    pub success_rate: i64,
    pub uplift: i64,
    pub uplift_low: i64,
    pub uplift_high: i64,
}

/// Fisher and Yates, by SplitMix64 from a fixed seed.
fn shuffle(rows: &mut [String]) {
    let mut state = 0x2009_u64;
    for last in (1..rows.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        rows.swap(last, (mixed % (last as u64 + 1)) as usize);
    }
}

/// Whether the `index`th of `all` is one of `some` that lie scattered among them: exactly `some` are.
fn is_of(some: usize, all: usize, index: usize) -> bool {
    const STEP: usize = 7_919;
    assert!(!all.is_multiple_of(STEP), "a prime that shares no factor with {all} visits each once");
    index * STEP % all < some
}
