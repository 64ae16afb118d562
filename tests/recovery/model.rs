//! The naive model: live partitions in a map, what stands found by sorting.

mod campaigns;
mod orders;

use std::collections::BTreeMap;

use dataflows::types::{Day, Month, SECONDS_PER_DAY, Time};
use fastrand::Rng;

use crate::subject::Step;

/// A row as it is delivered, and what it says.
#[derive(Clone, Debug)]
pub struct Row {
    csv: String,
    key: String,
    /// None where it deletes its key.
    says: Option<Says>,
}

#[derive(Clone, Debug)]
enum Says {
    Line(String),
    /// Adds to the sum that a line tells.
    Sum(String, i64),
    Moment(String, Time),
    Change(Change),
    Came(orders::Came),
}

/// A change of a campaign's state; of a city where it names one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Change {
    campaign: &'static str,
    at: Time,
    id: String,
    city: &'static str,
    state: &'static str,
}

/// A file: feed, period, part, version, rows.
#[derive(Clone, Debug)]
pub struct File {
    pub feed: &'static str,
    pub period: String,
    pub part: &'static str,
    pub version: u32,
    /// Whether it came as a request: then rows of it may delete.
    pub is_batch: bool,
    pub rows: Vec<Row>,
}

const FEEDS: [(&str, &str); 18] = [
    ("customer", "customer_id,city"),
    ("terminal", "customer_id,seen_on,supports"),
    ("bill", "customer_id,month,total_fee,data_kb"),
    ("usage", "customer_id,day,measure,quantity"),
    ("product", "product_id,category,requires,value"),
    ("channel", "channel_id,unit_cost,daily_capacity"),
    ("order", "order_id,customer_id,product_id,action,at"),
    ("member_event", "event_id,customer_id,kind,at,product_id,result"),
    ("adjustment", "adjustment_id,customer_id,points,reason,at"),
    ("listing", "list_id,customer_id"),
    ("consent", "customer_id,purpose,channel_id,at,given"),
    ("score", "customer_id,model,value,at"),
    ("contact", "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm"),
    ("feedback", "feedback_id,campaign_id,customer_id,kind,at,product_id,amount,reason,value"),
    ("campaign_state", "change_id,campaign_id,state,city,at,by"),
    ("handoff", "contact_id,campaign_id,step,customer_id,channel_id,at,arm,cost"),
    ("order_request", "request_id,state,customer_id,product_id,campaign_id,channel_id,at,code,text,by"),
    ("provisioning", "request_id,state,code,text,at"),
];
const PERIODS: [&str; 3] = ["2009-01", "2009-02", "2009-11"];
const PARTS: [&str; 3] = ["", "10", "9"];

impl File {
    pub fn step(&self) -> Step {
        self.named("csv", self.bytes())
    }

    /// The same rows, packed: other bytes under another name.
    pub fn packed(&self) -> Step {
        self.named("csv.gz", crate::common::gzip(&self.bytes()))
    }

    fn named(&self, extension: &str, bytes: Vec<u8>) -> Step {
        let name = format!("{}.{extension}", self.stem());
        if self.is_batch { Step::Batch(name, bytes) } else { Step::File(name, bytes) }
    }

    pub fn emptied(&self) -> File {
        File { version: 99, rows: Vec::new(), ..self.clone() }
    }

    pub fn partition(&self) -> (&'static str, String, &'static str) {
        (self.feed, self.period.clone(), self.part)
    }

    fn stem(&self) -> String {
        let part = if self.part.is_empty() { String::new() } else { format!("_{}", self.part) };
        format!("{}_{}{part}.v{}", self.feed, self.period, self.version)
    }

    fn bytes(&self) -> Vec<u8> {
        let header = FEEDS.iter().find(|(feed, _)| *feed == self.feed).expect("a feed").1;
        let line = |text: &str, operation: &str| {
            if self.is_batch { format!("{text},{operation}\n") } else { format!("{text}\n") }
        };
        let row = |row: &Row| line(&row.csv, if row.says.is_none() { "delete" } else { "" });
        let lines: String = std::iter::once(line(header, "_op")).chain(self.rows.iter().map(row)).collect();
        lines.into_bytes()
    }
}

/// Files in the order of their partitions and versions; each version has content of its own.
pub fn history(rng: &mut Rng) -> Vec<File> {
    let mut files = Vec::new();
    for (feed, _) in FEEDS {
        for period in PERIODS {
            for part in PARTS {
                if rng.u8(0..5) > 0 {
                    continue;
                }
                let mut version = 0;
                for _ in 0..rng.usize(1..4) {
                    version += rng.u32(1..3);
                    let is_batch = is_delivered(feed) && rng.bool();
                    let rows = rows(rng, feed, period, is_batch);
                    files.push(File { feed, period: period.to_owned(), part, version, is_batch, rows });
                }
            }
        }
    }
    files
}

/// Whether batches bring rows of a feed, and so may delete some.
fn is_delivered(feed: &str) -> bool {
    !["campaign_state", "handoff", "order_request", "provisioning"].contains(&feed)
}

fn rows(rng: &mut Rng, feed: &str, period: &str, is_batch: bool) -> Vec<Row> {
    // One that shrinks would be held: each version names as many.
    let count = if is_held(feed) { 3 } else { rng.usize(0..6) };
    // No feed has fewer than seven keys.
    let deleted = if is_batch { rng.usize(0..3) } else { 0 };
    let mut rows: Vec<Row> = Vec::new();
    while rows.len() < count + deleted {
        let mut row = row(rng, feed, period);
        if rows.len() >= count {
            row.says = None;
        }
        if rows.iter().all(|other| other.key != row.key) {
            rows.push(row);
        }
    }
    rows
}

/// Whether files of a feed that shrink wait for a person.
pub fn is_held(feed: &str) -> bool {
    ["listing", "consent"].contains(&feed)
}

fn row(rng: &mut Rng, feed: &str, period: &str) -> Row {
    let customer = format!("c{}", rng.u8(0..7));
    let day = format!("2009-0{}-0{}", rng.u8(1..3), rng.u8(1..4));
    let pick = |rng: &mut Rng, texts: &[&'static str]| texts[rng.usize(0..texts.len())];
    let (csv, key, says) = match feed {
        "customer" => {
            let city = pick(rng, &["Dalian", "沈阳", "Anshan"]);
            (format!("{customer},{city}"), customer.clone(), Says::Line(format!("customer {customer} city={city}")))
        }
        "terminal" => {
            let supports = pick(rng, &["wap", "mms"]);
            let says = Says::Line(format!("terminal {customer} {day} {supports}"));
            (format!("{customer},{day},{supports}"), format!("{customer} {day}"), says)
        }
        "bill" => {
            let (fen, kb) = (rng.i64(-500..500), rng.i64(0..9));
            let sign = if fen < 0 { "-" } else { "" };
            let csv = format!("{customer},{period},{sign}{}.{:02},{kb}", fen.abs() / 100, fen.abs() % 100);
            (csv, format!("{customer} {period}"), Says::Line(format!("bill {customer} {period} {fen} {kb}")))
        }
        "usage" => {
            let (measure, quantity) = (pick(rng, &["sms", "mms"]), rng.i64(0..4));
            let says = Says::Sum(format!("usage {customer} {measure} {}", &day[..7]), quantity);
            (format!("{customer},{day},{measure},{quantity}"), format!("{customer} {day} {measure}"), says)
        }
        "order" => {
            let (id, product) = (format!("o{}", rng.u8(0..9)), pick(rng, &["fetion", "mail"]));
            let (action, said) = [("subscribe", "Subscribe"), ("cancel", "Cancel")][rng.usize(0..2)];
            let at = Day::parse(&day).expect("a day").start();
            let line = format!("order {id} {customer} {product} {at} {said}");
            (format!("{id},{customer},{product},{action},{day}"), id, Says::Moment(line, at))
        }
        "member_event" => {
            let (id, product) = (format!("e{}", rng.u8(0..9)), pick(rng, &["fetion", "mail"]));
            let (kind, said) = [("register", "Register"), ("login", "Login")][rng.usize(0..2)];
            let at = Day::parse(&day).expect("a day").start();
            let line = format!("event {id} {customer} {at} {said} {product} Some(true)");
            (format!("{id},{customer},{kind},{day},{product},success"), id, Says::Moment(line, at))
        }
        "adjustment" => {
            let (id, points) = (format!("a{}", rng.u8(0..9)), rng.i64(-99..99));
            let at = Day::parse(&day).expect("a day").start();
            let line = format!("adjustment {id} {customer} {at} {points}");
            (format!("{id},{customer},{points},goodwill,{day}"), id, Says::Moment(line, at))
        }
        "listing" => {
            let list = pick(rng, &["vip", "quiet"]);
            let says = Says::Line(format!("listing {customer} {list} None None"));
            (format!("{list},{customer}"), format!("{list} {customer}"), says)
        }
        "consent" => {
            let (purpose, channel, given) =
                (pick(rng, &["marketing", "location"]), pick(rng, &["sms", "app"]), rng.bool());
            let at = Day::parse(&day).expect("a day").start();
            let key = format!("{customer} {purpose} {channel} {at}");
            let line = format!("consent {key} {given}");
            (format!("{customer},{purpose},{channel},{day},{given}"), key, Says::Moment(line, at))
        }
        "score" => {
            let (model, value) = (pick(rng, &["churn", "music"]), rng.i64(-9..9));
            let line = format!("score {customer} {model} {}", value * 100);
            let key = format!("{customer} {model}");
            if rng.bool() {
                (format!("{customer},{model},{value},"), key, Says::Line(line))
            } else {
                let at = Day::parse(&day).expect("a day").start();
                (format!("{customer},{model},{value},{day}"), key, Says::Moment(line, at))
            }
        }
        "product" => {
            let (id, requires, value) = (format!("p{}", rng.u8(0..9)), pick(rng, &["", "mms;wap"]), rng.i64(0..9));
            let category = pick(rng, &["", "entertainment"]);
            let line = format!("product {id} {category} {requires} {:?}", Some(value * 100));
            (format!("{id},{category},{requires},{value}"), id, Says::Line(line))
        }
        "order_request" | "provisioning" => orders::row(rng, feed, &day),
        "contact" | "feedback" | "campaign_state" | "handoff" => campaigns::row(rng, feed, &customer, &day),
        _ => {
            let (id, fen, most) = (format!("p{}", rng.u8(0..9)), rng.i64(0..9), rng.bool().then(|| rng.i64(0..9)));
            let line = format!("channel {id} {:?} {most:?}", Some(fen));
            let most = most.map_or(String::new(), |most| most.to_string());
            (format!("{id},0.0{fen},{most}"), id, Says::Line(line))
        }
    };
    Row { csv, key, says: Some(says) }
}

/// What stands of files, whatever the order they came in, as `state::standing` tells it.
pub fn standing<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut live: BTreeMap<_, &File> = BTreeMap::new();
    for file in files {
        let held = live.entry(file.partition()).or_insert(file);
        if file.version > held.version {
            *held = file;
        }
    }
    // Partitions come in the order of (feed, period, part): the later over the earlier.
    let mut standing: BTreeMap<(&str, &str), &Says> = BTreeMap::new();
    for file in live.values() {
        for row in &file.rows {
            let key = (file.feed, &*row.key);
            standing.remove(&key);
            standing.extend(row.says.as_ref().map(|says| (key, says)));
        }
    }
    let (mut lines, mut changes, mut sums, mut latest) = (Vec::new(), Vec::new(), BTreeMap::new(), None);
    let mut requests = Vec::new();
    for says in standing.values() {
        match says {
            Says::Line(line) => lines.push(line.clone()),
            Says::Sum(line, quantity) => *sums.entry(line).or_insert(0) += quantity,
            Says::Moment(line, at) => {
                lines.push(line.clone());
                latest = latest.max(Some(*at));
            }
            Says::Change(change) => {
                latest = latest.max(Some(change.at));
                changes.push(change);
            }
            Says::Came(came) => {
                latest = latest.max(Some(came.at));
                requests.push(came);
            }
        }
    }
    lines.extend(campaigns::standing(changes));
    lines.extend(orders::standing(requests));
    lines.extend(sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(line, sum)| format!("{line} {sum}")));
    // Who only deletes has billed nobody.
    let bills = |file: &&&File| file.feed == "bill" && file.rows.iter().any(|row| row.says.is_some());
    let billed = live.values().filter(bills);
    let as_of = billed.map(|file| file.period.clone()).max();
    let end =
        as_of.as_deref().and_then(Month::parse).map(|month| Time(month.last_day().start().0 + SECONDS_PER_DAY - 1));
    lines.push(format!("clock {as_of:?} {:?}", end.max(latest)));
    lines.sort();
    lines
}
