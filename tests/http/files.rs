//! Extracts that land: a few customers whose phone numbers are easy to recognise.

/// Stand in the files, and must never come out again.
const PHONES: [&str; 4] = ["13812345678", "13987654321", "15011112222", "13700009999"];

/// Ids that a URL, a CSV file or a shell could stumble over.
pub const ODD_IDS: [&str; 7] = ["客户一", "a/b", "50%", "x y", "q?a=1&b#c", "c+d", "..."];

/// Fails where a phone number, or a spelling of it, is told.
#[track_caller]
pub fn assert_no_phone(text: &str, place: &str) {
    let digits: String = text.chars().filter(|character| !matches!(character, '-' | ' ')).collect();
    for phone in PHONES {
        assert!(!text.contains(phone) && !digits.contains(phone), "{place} tells {phone}: {text}");
    }
}

pub const CUSTOMERS: &str = "customer_2009-06.csv";

/// Everybody, two rows that go to quarantine, and a hundred and ninety others that keep their share small.
pub fn customers() -> String {
    let mut text = "customer_id,msisdn,birth_date,gender,city,status,joined_on\n".to_owned();
    text.push_str("c1,13812345678,1980-02-29,f,广州,active,2005-01-31\n");
    text.push_str("c2,13987654321,1989-05-05,m,深圳,active,2008-06-01\n");
    text.push_str("c3,+86 150-1111-2222,1990-01-01,m,广州,closed,\n");
    for (place, id) in ODD_IDS.iter().enumerate() {
        text.push_str(&format!("{id},,1985-0{}-01,f,\"珠海, 香洲\",active,\n", place + 1));
    }
    for number in 0..190 {
        text.push_str(&format!("n{number:03},,1970-01-01,m,东莞,active,2001-01-01\n"));
    }
    // Shifted by a column: the number stands where a birthday should.
    text.push_str("c8,,13700009999,f,广州,active,\n");
    text.push_str("c9,13700009999,1980-01-01,f,广州,dormant 13700009999,\n");
    text
}

/// Bills of a month for everybody; `fee` is what c1 pays, in yuan.
pub fn bills(month: &str, fee: u32) -> String {
    let mut text = "customer_id,month,total_fee,roaming_fee,sms_fee,vas_fee,data_kb\n".to_owned();
    text.push_str(&format!("c1,{month},{fee}.50,{fee},{fee},{fee},{fee}000\n"));
    text.push_str(&format!("c2,{month},{}.01,5,5,5,100\nc3,{month},20,,,,\n", 40 + fee / 10));
    for (place, id) in ODD_IDS.iter().enumerate() {
        text.push_str(&format!("{id},{month},{}.99,1,2,3,4\n", 100 + place as u32 * fee));
    }
    for number in 0..190 {
        text.push_str(&format!("n{number:03},{month},{}.00,,,,\n", number + fee % 7));
    }
    text
}

/// A small province, in the order of names.
pub fn province() -> Vec<(String, String)> {
    let mut files = vec![(CUSTOMERS.to_owned(), customers())];
    for month in 1..=6 {
        files.push((format!("bill_2009-0{month}.csv"), bills(&format!("2009-0{month}"), 60 * month)));
    }
    files.push((
        "listing_vip.csv".to_owned(),
        "list_id,customer_id,from,until,reason\nvip,c1,,,\nvip,客户一,2009-01-01,2010-01-01,测试\n".to_owned(),
    ));
    files.push((
        "order_2009-06.csv".to_owned(),
        "order_id,customer_id,product_id,action,channel_id,at,bundled\n\
         o1,c1,crbt,subscribe,sms,2009-06-01 12:00:00,\no2,c2,crbt,trial,,2009-06-02,true\n\
         o3,c1,mms,trial,,2009-06-01,\n"
            .to_owned(),
    ));
    files.push((
        "member_event_2009-06.csv".to_owned(),
        "event_id,customer_id,kind,at,product_id,other_id,result,detail\n\
         e1,c1,register,2009-06-03,,,,\ne2,c1,login,2009-06-04 08:00:00,,,,\n\
         e3,客户一,register,2009-06-05,,,,\ne4,客户一,deregister,2009-06-06,,,,\n\
         e5,c1,refer,2009-06-04 09:00:00,,客户一,success,\n\
         e9,c1,participate,2009-06-07,,,,entertainment\n\
         e6,n188,visit,2009-05-31 12:00:00,,,,notices\ne7,n188,opinion,2009-05-31 12:00:01,,,,coverage\n"
            .to_owned(),
    ));
    files.push((
        "adjustment_2009-06.csv".to_owned(),
        "adjustment_id,customer_id,points,reason,by,at\na1,c1,50,测试,admin,2009-06-05\n".to_owned(),
    ));
    files.push((
        "consent_2009-06.csv".to_owned(),
        "customer_id,purpose,channel_id,at,given\nc1,marketing,sms,2009-06-01,true\nc1,location,sms,2009-06-01,false\n"
            .to_owned(),
    ));
    files.push((
        "campaign_state_2009-06.csv".to_owned(),
        "change_id,campaign_id,state,city,at,by,note\ns1,concert_crbt,draft,,2009-06-20 09:00:00,zhang,测试\n"
            .to_owned(),
    ));
    // Somebody ordered from a campaign that draws a prize.
    let ordered = "feedback_id,campaign_id,customer_id,kind,at,value,reason\n\
         f1,holiday_greetings,c1,order,2009-06-12 10:00:00,,\nf2,trial,c1,survey,2009-06-12 10:00:00,80,\n\
         f3,trial,c2,complaint,2009-06-12 10:00:00,,price\nf4,class_pack,n000,order,2009-06-12 10:00:00,,\n";
    files.push(("feedback_2009-05.csv".to_owned(), ordered.to_owned()));
    files.push((
        "contact_2009-05.csv".to_owned(),
        "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm\n\
         t1,trial,c1,sms,2009-06-11 10:00:00,delivered,target\nt2,trial,c2,sms,2009-06-11 10:00:00,withheld,control\n"
            .to_owned(),
    ));
    files.push(("channel_2009-05.csv".to_owned(), "channel_id,unit_cost\nsms,0.1\n".to_owned()));
    files.push(("product_2009-05.csv".to_owned(), "product_id,monthly_price\ncrbt,5\nmms,3\n".to_owned()));
    files.push(("score_2009-06.csv".to_owned(), "customer_id,model,value,at\nc1,churn,12.5,2009-06-30\n".to_owned()));
    // Refused whole: its only row is bad.
    files.push(("bill_2009-07.csv".to_owned(), "customer_id,month,total_fee\nc1,2009-07,13812345678x\n".to_owned()));
    files.sort();
    files
}
