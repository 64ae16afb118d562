//! A rule's text, parsed, typed, planned and evaluated: the dataflow's table and the oracle's plain
//! loops must agree on a few customers, whether the rule came first or was put in force later.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cohortflow::ingest::{Intern, read_bytes};
use cohortflow::programme::{self, Source};
use cohortflow::store::memory::Memory;
use cohortflow::store::{Dictionary, Store};
use dataflows::customers::{Customers, Told};
use dataflows::facts::Facts;
use dataflows::keyed::Keyed;
use dataflows::oracle::Standing;
use dataflows::types::{CustomerIx, Diff, Token, Word};
use dataflows::views::Change;
use parking_lot::RwLock;

use super::common::{name, settings, wall};

/// Customers of every kind that a rule can tell apart: without bills, without a row, with nulls, with
/// amounts at both ends.
pub const FILES: [(&str, &str); 7] = [
    (
        "customer_a.csv",
        "customer_id,birth_date,gender,city,district,joined_on,status,brand,group_type,occupation,employer,income_band\n\
         c1,1980-02-29,f,广州,天河,2005-01-31,active,全球通,student_vnet,farmer,工厂,high\n\
         c2,1999-12-31,m,深圳,,2009-07-01,suspended,,,,,\nc3,,,,,,,,,,,\nc4,1970-01-01,f,广州,,1999-01-01,closed,,,,,low\n",
    ),
    (
        "bill_2009-01.csv",
        "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\nc1,2009-01,88.50,0,12.3,-5,1024\nc4,2009-01,0,0,0,0,0\n",
    ),
    (
        "bill_2009-05.csv",
        "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\n\
         c1,2009-05,180.01,7,12.3,5,1048576\nc2,2009-05,-3,,,,1\nc4,2009-05,99999999999.99,1,1,1,999999999999\n",
    ),
    (
        "bill_2009-06.csv",
        "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\nc1,2009-06,150,50,30,10,7\nc5,2009-06,80,0,0,0,0\n",
    ),
    (
        "usage_2009-06.csv",
        "customer_id,day,measure,quantity\nc1,2009-06-01,sms_p2p,31\nc2,2009-05-05,sms_p2p,90\nc5,2009-06-06,voice_min,600\n",
    ),
    (
        "order_2009-06.csv",
        "order_id,customer_id,product_id,action,at\no1,c1,crbt,subscribe,2009-06-01\no2,c2,crbt,cancel,2009-06-01\n",
    ),
    ("listing_a.csv", "list_id,customer_id,from,until\nvip,c1,,\nvip,c3,2009-01-01,2009-02-01\nvip,c5,2009-06-01,\n"),
];

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

/// Puts files into a store.
pub fn filled(store: &mut Store, files: &[(&str, &str)]) {
    for (file, text) in files {
        let dictionary = store.dictionary();
        let mut names = Names(dictionary.clone());
        let extract = read_bytes(text.as_bytes(), &name(file), None, &settings(), &mut names).expect("taken");
        let extent = dictionary.read().extent();
        store.accept(&extract, extent, wall(), false).expect("accepted");
    }
}

/// The customers as the store tells of them after a restart.
static FACTS: LazyLock<Vec<Arc<Facts>>> = LazyLock::new(|| {
    let memory = Memory::single();
    let open = || Store::open(Arc::new(memory.clone()), [7; 32]).expect("a store");
    filled(&mut open(), &FILES);
    let mut facts = Vec::new();
    open().hydrate(|part| facts.push(Arc::new(part))).expect("read back");
    facts
});

/// The first byte says what the rule decides, the others are its text.
pub fn expression(bytes: &[u8]) {
    let Some((choice, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    // A text of JSON is one of TOML.
    let rule = serde_json::Value::from(text).to_string();
    let text = match choice % 3 {
        0 => format!("[[tier]]\nid = \"A\"\nwhen = \"avg_fee >= 100\"\n[[segment]]\nid = \"s\"\nwhen = {rule}\n"),
        1 => format!(
            "[[tier]]\nid = \"A\"\nwhen = {rule}\n[[tier]]\nid = \"F\"\n[[segment]]\nid = \"s\"\nwhen = \"tier = 'A'\"\n"
        ),
        _ => {
            format!("[settings]\npopulation = {rule}\n[[tier]]\nid = \"A\"\n[[segment]]\nid = \"s\"\nwhen = \"true\"\n")
        }
    };
    let source = Source { name: "rule.toml".to_owned(), text };
    match programme::parse(vec![source]) {
        Ok(document) => agree(&Arc::new(document.programme)),
        Err(diagnostics) => assert!(!diagnostics.is_empty()),
    }
}

fn agree(programme: &Arc<dataflows::programme::Programme>) {
    let mut standing = Standing::default();
    FACTS.iter().for_each(|facts| standing.apply(facts));
    let is_new = |name: &std::borrow::Cow<'_, str>| standing.words.iter().all(|word| **word != **name);
    let words = programme.names().into_iter().filter(is_new).map(Arc::from).collect();
    let edit = Arc::new(Facts { words, programme: Some(programme.clone()), ..Facts::default() });
    standing.apply(&edit);
    let expected = standing.views();
    let (first, rest) = FACTS.split_at(1);
    let epochs = [FACTS.to_vec(), vec![edit.clone()]];
    assert_eq!(views(&epochs), expected, "put in force later: {programme:?}");
    // After the words, and before everything else: what a restart does.
    let epochs = [first.to_vec(), [edit.clone()].into_iter().chain(rest.iter().cloned()).collect()];
    assert_eq!(views(&epochs), expected, "in force from the start: {programme:?}");
}

/// What stands after epochs.
fn views(epochs: &[Vec<Arc<Facts>>]) -> BTreeMap<Change, Diff> {
    let mut customers = Customers::with_rows(0, 1);
    let (mut standing, mut differences) = (BTreeMap::new(), Vec::new());
    for epoch in epochs {
        epoch.iter().for_each(|facts| customers.apply(facts.clone()));
        while !customers.settle(&mut differences) {}
        for (told, diff) in differences.drain(..) {
            let Told::Change(change) = told else { continue };
            *standing.entry(change).or_insert(0) += diff;
        }
    }
    standing.retain(|_, count| *count != 0);
    standing
}
