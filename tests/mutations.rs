//! Files changed at random: never a panic, and every row is taken or set aside.
//!
//! The seed is printed on failure; `MUTATIONS` sets how many files are tried.

mod common;

use cohortflow::ingest::{Control, Extract, ReadError, read_bytes};
use common::{Dictionaries, gzip, name, settings, zstandard};

/// Valid files, one of every feed.
const FILES: [(&str, &str); 13] = [
    (
        "customer_a.csv",
        "customer_id,msisdn,birth_date,gender,city,district,joined_on,status,brand,group_type,occupation,employer,household_id,income_band\n\
         c1,13812345678,1980-02-29,f,广州,天河,2005-01-31,active,全球通,,工人,\"億, 亅\",h1,b2\n\
         c2,,,,,,,,,,,,,\nc3,+86 138-1234-5678,1999-12-31,m,深圳,,,closed,,,,,,\n",
    ),
    (
        "terminal_a.csv",
        "customer_id|seen_on|imei|model|supports\nc1|2009-07-01|356938035643809|N95|wap;mms\nc1|2009-07-02|||\n",
    ),
    (
        "bill_2009-07.csv",
        "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\r\n\
         c1,2009-07,88.50,0,12.3,-5,1024\r\nc2,2009-07,-0.01,,,,\r\n\r\nc3,2009-07,0,0,0,0,0\r\n",
    ),
    (
        "usage_2009-07.csv",
        "customer_id\tday\tmeasure\tquantity\nc1\t2009-07-31\tsms_p2p\t12\nc2\t2009-07-31\tvoice_min\t0",
    ),
    (
        "product_1.csv",
        "product_id,name,category,stage,monthly_price,requires,value,traits\n\
         mail139,\"139 \"\"Mail\"\"\",communication,mature,5,wap;mms,87.5,a;b\nmusic,\"two\nlines\",,,,,,\n",
    ),
    ("channel_1.csv", "channel_id,name,unit_cost,daily_capacity,traits\nsms,短信,0.05,100000,\nweb,,,,\n"),
    (
        "order_2009-07.csv",
        "order_id,customer_id,product_id,action,channel_id,at,bundled\n\
         o1,c1,mail139,subscribe,sms,2009-07-01 12:00:00,true\no2,c1,mail139,cancel,,2009-07-02T00:00:00Z,\n",
    ),
    ("listing_vip.csv", "list_id,customer_id,from,until,reason\nvip,c1,2009-07-01,2009-08-01 00:00:00,x\nvip,c2,,,\n"),
    (
        "consent_2009-07.csv",
        "customer_id,purpose,channel_id,at,given\nc1,marketing,sms,2009-07-01 12:00:00,true\nc1,marketing,app,2009-07-02,false\n",
    ),
    ("score_2009-07.csv", "customer_id,model,value,at\nc1,churn,-12.5,2009-07-31\nc2,churn,0.01,\n"),
    (
        "contact_2009-07.csv",
        "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm\n\
         k1,crbt,c1,sms,2009-07-01 12:00:00,delivered,\nk2,crbt,c2,sms,2009-07-01,withheld,control\n",
    ),
    (
        "feedback_2009-07.csv",
        "feedback_id,campaign_id,customer_id,kind,at,channel_id,product_id,amount,reason,value\n\
         f1,crbt,c1,order,2009-07-02,sms,mail139,-5.5,,\nf2,crbt,c2,complaint,2009-07-03,,,,打扰,4.5\n",
    ),
    (
        "campaign_state_1.csv",
        "change_id,campaign_id,state,city,at,by,note\n\
         s1,crbt,approved,,2009-07-01,zhang,\ns2,crbt,accepted,大连,2009-07-02,li,\"a, b\"\n",
    ),
];

/// Pieces that files are broken with.
const PIECES: [&[u8]; 22] = [
    b",",
    b"|",
    b"\t",
    b"\"",
    b"\"\"",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x1a",
    b"\xff",
    b"\xef\xbb\xbf",
    b"-",
    b"9999999999999999",
    b"\x81\x30\x81\x30",
    b"\xb9\xe3",
    b"e9",
    b" ",
    b"24:00:00",
    b";",
    b"\xe5",
    b"customer_id",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.next() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + random.below(20)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.below(60)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => {
                bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied());
            }
        }
    }
}

fn read(file: &str, bytes: &[u8], control: Option<&Control>) -> Result<Extract, ReadError> {
    read_bytes(bytes, &name(file), control, &settings(), &mut Dictionaries::default())
}

#[test]
fn every_row_is_accounted_for() {
    let tries: u64 = std::env::var("MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(6_000);
    let mut taken = 0;
    for seed in 0..tries {
        let mut random = Random(seed);
        let (file, text) = FILES[random.below(FILES.len())];
        let mut bytes = if random.below(3) == 0 {
            encoding_rs::GB18030.encode(text).0.into_owned()
        } else {
            text.as_bytes().to_vec()
        };
        mutate(&mut bytes, &mut random);
        let mut packed = match random.below(8) {
            0 => gzip(&bytes),
            1 => zstandard(&bytes),
            _ => bytes,
        };
        if random.below(16) == 0 {
            mutate(&mut packed, &mut random);
        }
        match read(file, &packed, None) {
            Ok(extract) => {
                taken += 1;
                check(file, &packed, &extract, seed);
            }
            Err(ReadError::Refused { refused, .. }) => assert!(!refused.fact.is_empty()),
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    assert!(taken * 3 > tries, "only {taken} of {tries} files were taken");
}

fn check(file: &str, bytes: &[u8], extract: &Extract, seed: u64) {
    let rows = (extract.rows.len() + extract.rejects.len()) as u64;
    assert!(extract.rejects.is_sorted_by_key(|reject| reject.line), "seed {seed}");
    for reject in &extract.rejects {
        assert!(!reject.row.chars().any(char::is_control), "seed {seed}: {reject:?}");
        assert!(!reject.row.contains("13812345678"), "seed {seed}: {reject:?}");
    }
    // The control file's count is checked against the rows as they come out of the splitter.
    let control = |rows| Control { rows: Some(rows), ..Control::default() };
    let again = read(file, bytes, Some(&control(rows))).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert_eq!((&again.rows, &again.rejects), (&extract.rows, &extract.rejects), "seed {seed}");
    assert!(read(file, bytes, Some(&control(rows + 1))).is_err(), "seed {seed}");
}
