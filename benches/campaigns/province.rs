//! A million customers, with what campaigns ask of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const CUSTOMERS: usize = 1_000_000;
const CITIES: [&str; 4] = ["Shenyang", "Dalian", "Anshan", "Fushun"];

pub fn customer(number: usize) -> String {
    format!("C{:08}", number % CUSTOMERS)
}

/// So many running campaigns with audiences between a tenth and all of the customers.
pub fn programme(campaigns: usize) -> String {
    let mut text = String::from(
        "[settings]\nmax_open = 3\nholdout = 0.02\ncaps = [{ contacts = 3, days = 7 }, { channel = \"sms\", contacts = 1, days = 1 }]\n",
    );
    for number in 0..campaigns {
        let audience = match number % 4 {
            0 => format!("avg_fee >= {}", 10 + number),
            1 => format!("avg_fee between {} and {}", 20 + number, 90 + number),
            2 => "city = 'Dalian' or avg_data_kb > 100".to_owned(),
            _ => format!("change_fee >= {number} and not holds.p{}", number % 5),
        };
        let consent = if number % 2 == 0 { "consent = \"promotion\"\n" } else { "" };
        let _ = write!(
            text,
            "[[campaign]]\nid = \"k{number:02}\"\naudience = \"{audience}\"\nproduct = \"p{}\"\nexclude = [\"holders\", \"terminal\", \"list:vip\"]\n{consent}channels = [\"sms\", \"mms\"]\npriority = {}\nholdout = 0.1\n[[content]]\ncampaign = \"k{number:02}\"\nchannel = \"sms\"\ntext = \"Reply Y\"\n",
            number % 5,
            100 - number,
        );
    }
    text
}

/// Everything up to a month, and the bills of the next.
pub fn write(first: &Path, close: &Path) {
    fs::create_dir_all(first).and_then(|()| fs::create_dir_all(close)).expect("directories");
    let put = |directory: &Path, name: &str, header: &str, row: &dyn Fn(usize, &mut String)| {
        let mut text = format!("{header}\n");
        (0..CUSTOMERS).for_each(|number| row(number, &mut text));
        fs::write(directory.join(name), text).expect("a file");
    };
    put(first, "customer_2009-01.csv", "customer_id,city", &|number, text| {
        let _ = writeln!(text, "{},{}", customer(number), CITIES[number % CITIES.len()]);
    });
    let bill = |month: &'static str, shift: usize| {
        move |number: usize, text: &mut String| {
            let fee = (number * 7919 + shift * 104_729) % 20_000;
            let data = number % 300;
            let _ = writeln!(text, "{},{month},{}.{:02},{data}", customer(number), fee / 100, fee % 100);
        }
    };
    for (shift, month) in ["2009-01", "2009-02", "2009-03", "2009-04"].into_iter().enumerate() {
        let directory = if shift == 3 { close } else { first };
        put(directory, &format!("bill_{month}.csv"), "customer_id,month,total_fee,data_kb", &bill(month, shift));
    }
    put(first, "consent_2009-01.csv", "customer_id,purpose,channel_id,at,given", &|number, text| {
        let said = number % 10 != 0;
        let _ = writeln!(text, "{},promotion,*,2009-01-01 00:00:00,{said}", customer(number));
    });
    put(first, "terminal_2009-01.csv", "customer_id,seen_on,supports", &|number, text| {
        let supports = ["wap;mms", "wap", ""][number % 3];
        let _ = writeln!(text, "{},2009-01-01,{supports}", customer(number));
    });
    put(first, "order_2009-01.csv", "order_id,customer_id,product_id,action,at", &|number, text| {
        if number % 4 == 0 {
            let product = number / 4 % 5;
            let _ = writeln!(text, "O{number},{},p{product},subscribe,2009-01-05 00:00:00", customer(number));
        }
    });
    let states: String =
        (0..20).map(|number| format!("s{number},k{number:02},running,2009-01-01 00:00:00,bench\n")).collect();
    fs::write(first.join("campaign_state_2009-01.csv"), format!("change_id,campaign_id,state,at,by\n{states}"))
        .and_then(|()| fs::write(first.join("listing_vip.csv"), "list_id,customer_id\nvip,C00000001\n"))
        .expect("files");
}
