//! A store with what it told, and the workload it is put through.

use std::sync::Arc;

use cohortflow::ingest::names::{FileName, Format};
use cohortflow::ingest::{Extract, Intern, Partition, ReadError, read_bytes};
use cohortflow::store::memory::Memory;
use cohortflow::store::{Dictionary, Entry, Extent, Outcome, Status, Store, StoreError};
use dataflows::facts::Facts;
use dataflows::oracle::Standing;
use dataflows::records::Feed;
use dataflows::types::{CustomerIx, Token, Word};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use crate::common::{self, settings, wall};
use crate::told::{Told, handoff_id};

pub const KEY: [u8; 32] = [7; 32];

/// Something done to a store.
#[derive(Clone, Debug)]
pub enum Step {
    Publish(&'static str),
    File(String, Vec<u8>),
    /// The text of a request, whose rows may delete.
    Batch(String, Vec<u8>),
    Compact,
}

/// What a step changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    Changed,
    Entered,
    Nothing,
}

pub struct Subject {
    pub store: Store,
    /// What stands by what was told.
    pub standing: Standing,
    /// The same, of what the oracle does not keep.
    pub told: Told,
}

/// The name of a file. Those of hand-offs and order requests, which no file brings, are as this build makes them.
fn name(file: &str) -> FileName {
    let internal = Feed::ALL.into_iter().filter(|feed| feed.is_internal());
    let of = internal.filter_map(|feed| Some((feed, file.strip_prefix(feed.name())?))).next();
    match of {
        Some((feed, rest)) => {
            let contact = common::name(&format!("{}{rest}", Feed::Contact.name()));
            FileName { name: file.to_owned(), feed, ..contact }
        }
        None => common::name(file),
    }
}

struct Names(Arc<RwLock<Dictionary>>);

impl Intern for Names {
    fn customer(&mut self, id: &str) -> CustomerIx {
        self.0.write().customer(id)
    }
    fn word(&mut self, text: &str) -> Word {
        self.0.write().word(text)
    }
    fn token(&self, msisdn: &str) -> Token {
        self.0.read().token(msisdn)
    }
}

impl Subject {
    pub fn open(memory: &Memory) -> Result<Subject, StoreError> {
        let mut store = Store::open(Arc::new(memory.clone()), KEY)?;
        let (mut standing, mut told, dictionary) = (Standing::default(), Told::default(), store.dictionary());
        store.hydrate(|facts| {
            told.apply(&facts, &dictionary.read());
            standing.apply(&facts);
        })?;
        Ok(Subject { store, standing, told })
    }

    pub fn step(&mut self, step: &Step) -> Result<Done, StoreError> {
        let epoch = self.store.epoch();
        match step {
            Step::Compact => self.store.compact()?,
            Step::Publish(text) => {
                let sources = vec![("programme.toml".to_owned(), (*text).to_owned())];
                let (_, facts) = self.store.publish(sources, text.split_whitespace())?;
                self.take(&facts);
            }
            Step::File(file, bytes) | Step::Batch(file, bytes) => match self.decode(step, file, bytes) {
                Ok((extract, names)) => {
                    if let Outcome::Accepted { facts, .. } = self.store.accept(&extract, names, wall(), false)? {
                        self.check(&facts);
                        self.take(&facts);
                        return Ok(Done::Changed);
                    }
                }
                Err(error) => self.refuse(file, bytes, &error)?,
            },
        }
        Ok(if self.store.epoch() == epoch { Done::Nothing } else { Done::Entered })
    }

    fn take(&mut self, facts: &Facts) {
        self.told.apply(facts, &self.store.dictionary().read());
        self.standing.apply(facts);
    }

    fn decode(&self, step: &Step, file: &str, bytes: &[u8]) -> Result<(Extract, Extent), ReadError> {
        let dictionary = self.store.dictionary();
        let mut name = name(file);
        if matches!(step, Step::Batch(..)) {
            name.format = Format::Made;
        }
        let extract = read_bytes(bytes, &name, None, &settings(), &mut Names(dictionary.clone()))?;
        let names = dictionary.read().extent();
        Ok((extract, names))
    }

    fn refuse(&mut self, file: &str, bytes: &[u8], error: &ReadError) -> Result<(), StoreError> {
        let name = name(file);
        self.store.refuse(Entry {
            partition: Partition { feed: name.feed, period: name.period, part: name.part },
            version: name.version,
            sha256: Sha256::digest(bytes).into(),
            status: Status::Rejected,
            file: name.name,
            rows: None,
            erased: 0,
            accepted_at: wall().0,
            epoch: 0,
            reason: error.to_string(),
        })
    }

    /// Nothing is taken back that did not stand.
    fn check(&self, facts: &Facts) {
        for (customer, month, bill) in &facts.bills {
            assert!(bill.is_some() || self.standing.bills.contains_key(&(*customer, *month)));
        }
        for (customer, fields) in &facts.customers {
            assert!(fields.is_some() || self.standing.customers.contains_key(customer));
        }
        for order in facts.orders.iter().filter(|order| order.order.is_none()) {
            let key = (order.customer, order.product, order.at, order.order_id.clone());
            assert!(self.standing.orders.contains_key(&key));
        }
    }
}

fn file(name: &str, lines: &[&str]) -> Step {
    Step::File(name.to_owned(), (lines.join("\n") + "\n").into_bytes())
}

fn batch(name: &str, lines: &[&str]) -> Step {
    Step::Batch(name.to_owned(), (lines.join("\n") + "\n").into_bytes())
}

/// Everything that can become of an extract, over all feeds.
pub fn workload() -> Vec<Step> {
    let customer = "customer_id,msisdn,city,status,household_id";
    let bill = "customer_id,month,total_fee,data_kb";
    let usage = "customer_id,day,measure,quantity";
    let order = "order_id,customer_id,product_id,action,at";
    let listing = "list_id,customer_id,from,until,reason";
    let consent = "customer_id,purpose,channel_id,at,given";
    let contact = "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm";
    let state = "change_id,campaign_id,state,city,at,by,note";
    let handoff = "contact_id,campaign_id,step,customer_id,channel_id,at,arm,cost";
    let request = "request_id,state,customer_id,product_id,campaign_id,channel_id,at,code,text,by";
    let answer = "request_id,state,code,text,at";
    let [one, two] = [1, 2].map(handoff_id);
    vec![
        file(
            "customer_2009.csv",
            &[customer, "c1,13800000001,Dalian,active,h1", "c2,,沈阳,active,", "c3,,Dalian,closed,"],
        ),
        Step::Publish("student traveller"),
        file("bill_2009-01.csv", &[bill, "c1,2009-01,100.00,5", "c2,2009-01,12.5,", "c2,2009-01,13,"]),
        file("bill_2009-02.csv", &[bill, "c1,2009-02,110,7", "c4,2009-02,80,1"]),
        // Hides two rows of the other part, and has one that cannot be read.
        file("bill_2009-01_b.csv", &[bill, "c1,2009-01,101,6", "c2,2009-01,14,", "c3,2009-01,1e9,"]),
        file(
            "usage_2009-01.csv",
            &[usage, "c1,2009-01-05,sms_p2p,30", "c1,2009-01-06,sms_p2p,4", "c3,2009-01-06,mms_p2p,1"],
        ),
        file("usage_2009-01_late.csv", &[usage, "c1,2009-01-06,sms_p2p,5"]),
        file(
            "terminal_2009.csv",
            &["customer_id,seen_on,imei,model,supports", "c1,2009-01-01,35,N73,wap;mms", "c2,2009-01-02,,,"],
        ),
        file(
            "product_1.csv",
            &["product_id,name,category,monthly_price,value,traits", "fetion,飞信,communication,5,80.5,chat"],
        ),
        file("channel_1.csv", &["channel_id,name,unit_cost,daily_capacity", "sms,SMS,0.05,100000"]),
        file("order_1.csv", &[order, "o1,c1,fetion,subscribe,2009-01-05 10:00:00", "o2,c2,mail,trial,2009-03-05"]),
        file("order_2.csv", &[order, "o1,c1,fetion,cancel,2009-02-05 10:00:00", "o3,c9,mail,subscribe,2009-02-06"]),
        file("listing_vip.csv", &[listing, "vip,c1,,,a", "vip,c2,2009-01-01,2009-02-01,", "vip,c3,,,", "quiet,c1,,,"]),
        file(
            "consent_1.csv",
            &[
                consent,
                "c1,marketing,sms,2009-01-01,true",
                "c1,marketing,app,2009-01-01,false",
                "c3,location,sms,2009-02-01,true",
            ],
        ),
        file(
            "score_1.csv",
            &["customer_id,model,value,at", "c1,churn,-0.5,2009-03-06", "c2,churn,71.25,", "c2,churn,1,"],
        ),
        file(
            "contact_1.csv",
            &[
                contact,
                "k1,crbt,c1,sms,2009-03-01,delivered,",
                "k2,crbt,c2,sms,2009-03-01,withheld,control",
                "k3,a,c9,sms,,,",
            ],
        ),
        // Hides one of them, whose customer and second are others.
        file("contact_2.csv", &[contact, "k1,crbt,c11,mms,2009-03-02,failed,random"]),
        file(
            "feedback_1.csv",
            &[
                "feedback_id,campaign_id,customer_id,kind,at,channel_id,product_id,amount,reason,value",
                "f1,crbt,c1,order,2009-03-08 10:00:00,sms,fetion,-5.5,,",
                "f2,crbt,c12,complaint,2009-03-02,,,,打扰,",
                "f3,crbt,c1,survey,2009-03-03,,,,,4.5",
            ],
        ),
        file(
            "campaign_state_1.csv",
            &[
                state,
                "s1,crbt,approved,,2009-02-01,zhang,",
                "s2,crbt,running,,2009-02-20,zhang,go",
                "s3,crbt,accepted,Dalian,2009-02-28,li,",
                "s4,tone,predicted,,2009-02-01,zhang,",
            ],
        ),
        file(
            "handoff_2009-03-01_00000001.csv",
            &[
                handoff,
                &format!("{one},crbt,0,c1,sms,2009-03-01,target,0.05"),
                &format!("{two},crbt,255,c13,sms,2009-03-09 09:00:00,random,0"),
            ],
        ),
        // A request that is opened, one that fails, and an answer to a third that nobody knows of; another file takes one
        // state of the second over.
        file(
            "order_request_2009-03-01_00000001.csv",
            &[
                request,
                &format!("{one},requested,c1,fetion,crbt,sms,2009-03-10 09:00:00,,,gateway"),
                &format!("{two},requested,c14,mail,,,2009-03-10 10:00:00,,,hall"),
            ],
        ),
        file(
            "provisioning_1.csv",
            &[
                answer,
                &format!("{one},opened,,,2009-03-11"),
                &format!("{two},failed,E7,没有余额,2009-03-11 10:00:00"),
                &format!("{},opened,,,2009-03-11", handoff_id(3)),
                &format!("{one},requested,,,2009-03-11"),
            ],
        ),
        file(
            "order_request_2009-03-01_00000002.csv",
            &[
                request,
                &format!("{one},opened,c1,fetion,crbt,sms,2009-03-11,,,gateway"),
                &format!("{two},failed,c14,mail,,,2009-03-11 10:00:00,E7,没有余额,hall"),
                &format!("{two},requested,c14,mail,,app,2009-03-10 10:00:00,,,hall"),
            ],
        ),
        // A correction, and its delivery once more; the one that it corrects, too late.
        file("bill_2009-02.v3.csv", &[bill, "c1,2009-02,111,7", "c4,2009-02,80,1", "c5,2009-02,9,9"]),
        file("bill_2009-02.v3.csv", &[bill, "c1,2009-02,111,7", "c4,2009-02,80,1", "c5,2009-02,9,9"]),
        file("bill_2009-02.v2.csv", &[bill, "c1,2009-02,1,1", "c6,2009-02,80,1"]),
        // The same version with other rows; a list that shrinks; a file without a mandatory column.
        file("customer_2009.csv", &[customer, "c1,,Dalian,active,h2"]),
        file("listing_vip.v2.csv", &[listing, "vip,c1,,,a"]),
        file("consent_1.v2.csv", &[consent, "c1,marketing,sms,2009-01-01,true"]),
        file("bill_2009-03.csv", &["customer_id,month", "c1,2009-03"]),
        // Keys that are deleted, over rows that stand, over none, and over some that are still to come; one of them
        // comes back by a later batch.
        batch(
            "order_2009-03-11_00000001.csv",
            &[
                "order_id,customer_id,product_id,action,at,_op",
                "o1,,,,,delete",
                "o7,,,,,delete",
                "o8,c1,mail,trial,2009-03-01,",
            ],
        ),
        batch("order_2009-03-11_00000002.csv", &[order, "o7,c1,mail,trial,2009-03-02"]),
        batch(
            "bill_2009-02_z00000001.csv",
            &["customer_id,month,total_fee,_op", "c1,2009-02,,delete", "c8,2009-02,3,"],
        ),
        batch(
            "consent_2009-03-11_00000001.csv",
            &["customer_id,purpose,channel_id,at,given,_op", "c1,marketing,app,2009-01-01,,delete"],
        ),
        batch("customer_2009-03-11_00000001.csv", &["customer_id,city,_op", "c3,,delete", "c19,,delete"]),
        batch(
            "usage_2009-03-11_00000001.csv",
            &["customer_id,day,measure,quantity,_op", "c1,2009-01-06,sms_p2p,,delete"],
        ),
        Step::Compact,
        // It deletes other keys; and one of its keys is a row's.
        batch(
            "usage_2009-03-11_00000001.v2.csv",
            &["customer_id,day,measure,quantity,_op", "c3,2009-01-06,mms_p2p,,delete", "c1,2009-01-06,sms_p2p,9,"],
        ),
        file("customer_2009-03-11_00000001.v2.csv", &[customer, "c3,,Anshan,closed,"]),
        file("order_3.csv", &[order, "o8,c2,fetion,trial,2009-02-06"]),
        file("score_1.v2.csv", &["customer_id,model,value,at", "c2,churn,71.5,2009-03-07"]),
        file("order_2.v2.csv", &[order, "o3,c9,mail,trial,2009-02-06"]),
        file("usage_2009-01_late.v2.csv", &[usage]),
        file("product_1.v2.csv", &["product_id,requires,value", "fetion,wap,81"]),
        file("contact_2.v2.csv", &[contact]),
        file("campaign_state_1.v2.csv", &[state, "s3,crbt,accepted,Dalian,2009-02-28,li,"]),
        file("handoff_2009-03-01_00000001.v2.csv", &[handoff, &format!("{one},crbt,1,c1,mms,2009-03-01,target,0.1")]),
        file("provisioning_1.v2.csv", &[answer, &format!("{two},failed,E8,,2009-03-12")]),
        file("order_request_2009-03-01_00000002.v2.csv", &[request]),
        Step::Publish("student senior"),
        // Empties the part that hid two rows.
        file("bill_2009-01_b.v2.csv", &[bill]),
        file("bill_2009-02.v4.csv", &[bill]),
        file("listing_vip.v3.csv", &[listing, "vip,c1,,,b", "vip,c2,,,", "vip,c7,,,", "quiet,c1,,,"]),
        file("customer_2010.csv", &[customer, "c1,13800000001,沈阳,suspended,h1", "c8,,Dalian,active,"]),
    ]
}
