//! A million customers, and what five hundred campaigns did to them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const CUSTOMERS: usize = 1_000_000;
pub const CONTACTS: usize = 4_000_000;
const CAMPAIGNS: usize = 500;
const PRODUCTS: usize = 30;
const CHANNELS: [&str; 8] = ["app", "hotline", "mms", "outbound", "sms", "store", "wap", "web"];
const CITIES: [&str; 4] = ["Shenyang", "Dalian", "Anshan", "Fushun"];

fn customer(number: usize) -> String {
    format!("C{:08}", number % CUSTOMERS)
}

/// Spreads numbers, so that neighbours have nothing in common.
fn mixed(number: usize) -> usize {
    ((number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24) as usize
}

/// Six tiers, fifteen segments, fit over thirty products.
pub fn programme() -> String {
    let mut text = String::from(
        "[settings]\nactive_measures = { p0 = \"use_p0\", p1 = \"use_p1\" }\n[fit]\naffinities = [{ category = \"entertainment\", tier = \"t1\", points = 20 }, { product = \"p3\", segment = \"s1\", points = 10 }]\n",
    );
    for (place, fee) in [150, 120, 80, 50, 20].into_iter().enumerate() {
        let _ = writeln!(text, "[[tier]]\nid = \"t{place}\"\nwhen = \"avg_fee >= {fee}\"");
    }
    text.push_str("[[tier]]\nid = \"t5\"\n");
    for place in 0..15 {
        let _ = writeln!(
            text,
            "[[segment]]\nid = \"s{place}\"\nwhen = \"avg_fee between {} and {}\"",
            place * 12,
            place * 12 + 30
        );
    }
    for number in 0..20 {
        let _ = writeln!(
            text,
            "[[campaign]]\nid = \"k{number:03}\"\naudience = \"avg_fee >= {}\"\nproduct = \"p{}\"\nchannels = [\"sms\"]",
            100 + number,
            number % PRODUCTS
        );
    }
    text
}

/// `first`, `contacts`, `batch` and `close`, each a directory.
pub fn write(home: &Path) {
    let put = |directory: &str, name: &str, header: &str, rows: usize, row: &dyn Fn(usize, &mut String)| {
        let directory = home.join(directory);
        fs::create_dir_all(&directory).expect("a directory");
        let mut text = format!("{header}\n");
        (0..rows).for_each(|number| row(number, &mut text));
        fs::write(directory.join(name), text).expect("a file");
    };
    put("first", "customer_2009-01.csv", "customer_id,city", CUSTOMERS, &|number, text| {
        let _ = writeln!(text, "{},{}", customer(number), CITIES[number % CITIES.len()]);
    });
    let bill = |month: &'static str, shift: usize| {
        move |number: usize, text: &mut String| {
            let fee = (number * 7919 + shift * 104_729) % 20_000;
            let _ = writeln!(text, "{},{month},{}.{:02},{}", customer(number), fee / 100, fee % 100, number % 300);
        }
    };
    for (shift, month) in ["2009-01", "2009-02", "2009-03", "2009-04"].into_iter().enumerate() {
        let directory = if shift == 3 { "close" } else { "first" };
        let header = "customer_id,month,total_fee,data_kb";
        put(directory, &format!("bill_{month}.csv"), header, CUSTOMERS, &bill(month, shift));
    }
    put(
        "first",
        "order_2009-01.csv",
        "order_id,customer_id,product_id,action,channel_id,at",
        CUSTOMERS,
        &|number, text| {
            let (product, channel) = (mixed(number) % PRODUCTS, CHANNELS[mixed(number + 7) % CHANNELS.len()]);
            let _ = writeln!(text, "O{number},{},p{product},subscribe,{channel},2009-01-05 00:00:00", customer(number));
        },
    );
    put("first", "usage_2009-01.csv", "customer_id,day,measure,quantity", CUSTOMERS / 10, &|number, text| {
        let _ = writeln!(text, "{},2009-03-10,use_p{},3", customer(number * 10), number % 2);
    });
    put("first", "product_1.csv", "product_id,category,monthly_price", PRODUCTS, &|number, text| {
        let _ = writeln!(text, "p{number},{},5", ["entertainment", "information"][number % 2]);
    });
    put("first", "channel_1.csv", "channel_id,unit_cost,daily_capacity", CHANNELS.len(), &|number, text| {
        let _ = writeln!(text, "{},0.1,100000", CHANNELS[number]);
    });
    let contact = |shift: usize| {
        move |number: usize, text: &mut String| {
            let number = number + shift;
            let (campaign, channel) = (mixed(number) % CAMPAIGNS, CHANNELS[mixed(number + 3) % CHANNELS.len()]);
            let (outcome, arm) =
                [("delivered", "target"), ("delivered", "target"), ("failed", "target"), ("withheld", "control")]
                    [mixed(number + 5) % 4];
            let (day, second) = (1 + number % 28, number % 60);
            let _ = writeln!(
                text,
                "c{number:07},k{campaign:03},{},{channel},2009-02-{day:02} 10:00:{second:02},{outcome},{arm}",
                customer(mixed(number + 11)),
            );
        }
    };
    let header = "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm";
    put("contacts", "contact_2009-02.csv", header, CONTACTS, &contact(0));
    put("batch", "contact_2009-03.csv", header, 50_000, &contact(CONTACTS));
    let header = "feedback_id,campaign_id,customer_id,kind,at,amount,reason,value";
    put("batch", "feedback_2009-03.csv", header, 50_000, &|number, text| {
        let contact = mixed(number) % CONTACTS;
        let kind = ["order", "open", "consult", "complaint", "survey"][number % 5];
        let campaign = mixed(contact) % CAMPAIGNS;
        let _ = writeln!(
            text,
            "f{number},k{campaign:03},{},{kind},2009-03-02 11:00:00,5,price,80",
            customer(mixed(contact + 11)),
        );
    });
}

/// One order with its feedback, in a directory of its own.
pub fn order(home: &Path, number: usize) -> PathBuf {
    let directory = home.join(format!("order{number}"));
    fs::create_dir_all(&directory).expect("a directory");
    let contact = mixed(number + 1_000_000) % CONTACTS;
    let (customer, campaign) = (customer(mixed(contact + 11)), mixed(contact) % CAMPAIGNS);
    let at = "2009-03-03 12:00:00";
    let order =
        format!("order_id,customer_id,product_id,action,channel_id,at\nS{number},{customer},p1,subscribe,sms,{at}\n");
    let feedback = format!(
        "feedback_id,campaign_id,customer_id,kind,at,amount\ns{number},k{campaign:03},{customer},order,{at},5\n"
    );
    fs::write(directory.join(format!("order_s{number}.csv")), order)
        .and_then(|()| fs::write(directory.join(format!("feedback_s{number}.csv")), feedback))
        .expect("files");
    directory
}
