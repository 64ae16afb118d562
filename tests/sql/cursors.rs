//! Cursors of SQL, and copies.

use std::io::Read;

use crate::client::{Served, refused, rows, value};
use crate::service::Home;

fn served() -> (Home, Served) {
    let home = Home::new();
    let mut file = "customer_id,month,total_fee\n".to_owned();
    (0..100).for_each(|number| file.push_str(&format!("c{number:02},2009-07,80\n")));
    home.land("bill_2009-07.csv", file);
    home.land("customer_2009-07.csv", "customer_id,city\nc00,\"a,\"\"b\"\nc01,\nc02,客户\n");
    let served = Served::of(&home);
    served.service.settle(2);
    (home, served)
}

#[test]
fn a_cursor_gives_its_rows_a_few_at_a_time() {
    let (_home, served) = served();
    let mut client = served.connect();
    rows(&mut client, "BEGIN");
    rows(&mut client, "DECLARE c CURSOR FOR SELECT customer_id FROM tier ORDER BY customer_id");
    assert_eq!(refused(&mut client, "DECLARE c CURSOR FOR SELECT 1").0, "42P03");
    rows(&mut client, "ROLLBACK");
    assert_eq!(refused(&mut client, "FETCH 1 FROM c").0, "34000");

    rows(&mut client, "BEGIN");
    rows(&mut client, "DECLARE \"a name\" NO SCROLL CURSOR FOR SELECT customer_id FROM tier ORDER BY customer_id");
    assert_eq!(value(&mut client, "FETCH FROM \"a name\""), "c00");
    assert_eq!(value(&mut client, "FETCH NEXT FROM \"a name\""), "c01");
    let next = rows(&mut client, "FETCH FORWARD 40 FROM \"a name\"");
    assert_eq!((next.len(), next[0][0].as_deref(), next[39][0].as_deref()), (40, Some("c02"), Some("c41")));
    assert_eq!(rows(&mut client, "FETCH ALL FROM \"a name\"").len(), 58);
    assert!(rows(&mut client, "FETCH 10 FROM \"a name\"").is_empty());
    assert_eq!(refused(&mut client, "FETCH BACKWARD 1 FROM \"a name\"").0, "0A000");
    rows(&mut client, "ROLLBACK");

    // One that is held outlives its transaction.
    rows(&mut client, "BEGIN");
    rows(&mut client, "DECLARE held CURSOR WITH HOLD FOR SELECT customer_id FROM tier ORDER BY 1");
    rows(&mut client, "COMMIT");
    assert_eq!(rows(&mut client, "FETCH 3 FROM held").len(), 3);
    rows(&mut client, "CLOSE held");
    assert_eq!(refused(&mut client, "CLOSE held").0, "34000");
    served.until_idle();
}

#[test]
fn copies_are_what_postgresql_writes() {
    let (_home, served) = served();
    let mut client = served.connect();
    let mut copied = |text: &str| {
        let mut bytes = Vec::new();
        client.copy_out(text).expect("it is copied").read_to_end(&mut bytes).expect("read");
        String::from_utf8(bytes).expect("text")
    };
    let query = "SELECT city, sum(customers) AS customers, true AS yes FROM tier_count GROUP BY city ORDER BY city";
    assert_eq!(
        copied(&format!("COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")),
        "city,customers,yes\n\"a,\"\"b\",1,t\n客户,1,t\n,98,t\n"
    );
    assert_eq!(copied(&format!("COPY ({query}) TO STDOUT WITH CSV HEADER")).lines().count(), 4);
    assert_eq!(copied(&format!("COPY ({query}) TO STDOUT")), "a,\"b\t1\tt\n客户\t1\tt\n\\N\t98\tt\n");
    assert_eq!(copied("COPY tier (customer_id) TO STDOUT").lines().count(), 100);
    assert_eq!(copied("COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT csv, HEADER)"), "?column?\n");
    let mut binary = Vec::new();
    client.copy_out("COPY tier TO STDOUT (FORMAT binary)").expect("copied").read_to_end(&mut binary).expect("read");
    assert!(binary.starts_with(b"PGCOPY\n\xff\r\n\0") && binary.ends_with(&[0xff, 0xff]));
}
