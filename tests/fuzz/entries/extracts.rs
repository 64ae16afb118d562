//! Extracts: every row of what is taken is accounted for, and reading again gives the same.

use cohortflow::ingest::{Control, Extract, ReadError, Settings, read_bytes};

use super::common::{Dictionaries, name, settings};

/// Feeds, with a file's name up to its container and the columns of a row.
pub const FEEDS: [(&str, &str); 13] = [
    (
        "customer_a",
        "customer_id,msisdn,birth_date,gender,city,district,joined_on,status,brand,group_type,occupation,employer,household_id,income_band",
    ),
    ("terminal_a", "customer_id,seen_on,imei,model,supports"),
    ("bill_2009-07", "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb"),
    ("usage_2009-07", "customer_id,day,measure,quantity"),
    ("product_1", "product_id,name,category,stage,monthly_price,requires,value,traits"),
    ("channel_1", "channel_id,name,unit_cost,daily_capacity,traits"),
    ("order_2009-07", "order_id,customer_id,product_id,action,channel_id,at,bundled"),
    ("listing_vip", "list_id,customer_id,from,until,reason"),
    ("consent_2009-07", "customer_id,purpose,channel_id,at,given"),
    ("score_2009-07", "customer_id,model,value,at"),
    ("contact_2009-07", "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm"),
    ("feedback_2009-07", "feedback_id,campaign_id,customer_id,kind,at,channel_id,product_id,amount,reason,value"),
    ("campaign_state_1", "change_id,campaign_id,state,city,at,by,note"),
];

pub const CONTAINERS: [&str; 4] = ["csv", "csv.gz", "csv.zst", "parquet"];

/// Largest file after decompression: what is being looked for is in the first pages or nowhere.
const DECODED_BYTES_MAX: u64 = 4 << 20;

/// The first byte chooses feed and container, the others are the file.
pub fn decode(bytes: &[u8]) {
    let Some((choice, file)) = bytes.split_first() else { return };
    let (feed, container) = (usize::from(*choice) % FEEDS.len(), usize::from(*choice) / FEEDS.len());
    take(&format!("{}.{}", FEEDS[feed].0, CONTAINERS[container % CONTAINERS.len()]), file);
}

/// The byte that chooses a file's feed and container for `decode`.
pub fn choice(feed: usize, container: usize) -> u8 {
    (container * FEEDS.len() + feed) as u8
}

/// The first byte chooses the feed, the others are a row below its header.
pub fn row(bytes: &[u8]) {
    let Some((choice, row)) = bytes.split_first() else { return };
    let (stem, header) = FEEDS[usize::from(*choice) % FEEDS.len()];
    take(&format!("{stem}.csv"), &[header.as_bytes(), b"\n", row].concat());
}

fn take(file: &str, bytes: &[u8]) {
    let extract = match read(file, bytes, None) {
        Ok(extract) => extract,
        Err(ReadError::Refused { refused, .. }) => return assert!(!refused.fact.is_empty()),
        Err(error) => panic!("{error}"),
    };
    assert!(extract.rejects.is_sorted_by_key(|reject| reject.line));
    for reject in &extract.rejects {
        assert!(!reject.reason.is_empty() && !reject.row.chars().any(char::is_control), "{reject:?}");
    }
    // The control file's count is checked against the rows as they come out of the splitter.
    let rows = (extract.rows.len() + extract.rejects.len()) as u64;
    let control = |rows| Control { rows: Some(rows), ..Control::default() };
    let again = read(file, bytes, Some(&control(rows))).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((&again.rows, &again.rejects, again.sha256), (&extract.rows, &extract.rejects, extract.sha256));
    assert!(read(file, bytes, Some(&control(rows + 1))).is_err());
}

fn read(file: &str, bytes: &[u8], control: Option<&Control>) -> Result<Extract, ReadError> {
    let settings = Settings { decoded_bytes_max: DECODED_BYTES_MAX, ..settings() };
    read_bytes(bytes, &name(file), control, &settings, &mut Dictionaries::default())
}
