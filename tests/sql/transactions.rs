//! A statement reads one epoch, and a transaction keeps the one it began with.

use postgres::SimpleQueryMessage;

use crate::client::{Served, refused, rows, value};
use crate::service::Home;

const COUNT: &str = "SELECT count(*) FROM tier";

fn land(home: &Home, month: u32, customers: usize) {
    let mut file = "customer_id,month,total_fee\n".to_owned();
    (0..customers).for_each(|number| file.push_str(&format!("c{number},2009-{month:02},80\n")));
    home.land(&format!("bill_2009-{month:02}.csv"), file);
}

#[test]
fn a_transaction_keeps_its_epoch_and_others_go_on() {
    let home = Home::new();
    land(&home, 6, 10);
    let served = Served::of(&home);
    served.service.settle(1);
    let (mut held, mut fresh) = (served.connect(), served.connect());
    rows(&mut held, "BEGIN");
    assert_eq!(value(&mut held, COUNT), "10");
    let as_of = value(&mut held, "SELECT max(as_of) FROM customer_attribute");
    land(&home, 7, 25);
    served.service.settle(2);
    assert_eq!(value(&mut fresh, COUNT), "25");
    for _ in 0..3 {
        assert_eq!(value(&mut held, COUNT), "10");
        assert_eq!(value(&mut held, "SELECT sum(customers) FROM tier_count"), "10");
        assert_eq!(value(&mut held, "SELECT max(as_of) FROM customer_attribute"), as_of);
        assert_eq!(value(&mut held, "SELECT count(*) FROM ingest_ledger"), "1");
    }
    rows(&mut held, "COMMIT");
    assert_eq!(value(&mut held, COUNT), "25");
    assert_eq!(value(&mut held, "SELECT count(*) FROM ingest_ledger"), "2");
}

#[test]
fn an_error_ends_what_a_transaction_may_do_but_for_its_end() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    rows(&mut client, "BEGIN");
    assert_eq!(refused(&mut client, "SELECT nope FROM tier").0, "42703");
    assert_eq!(refused(&mut client, "SELECT 1").0, "25P02");
    let done = client.simple_query("COMMIT").expect("it ends");
    assert!(matches!(done.as_slice(), [SimpleQueryMessage::CommandComplete(_)]));
    assert_eq!(value(&mut client, "SELECT 1"), "1");
    // A savepoint is where it can go on from.
    rows(&mut client, "BEGIN");
    rows(&mut client, "SAVEPOINT here");
    assert_eq!(refused(&mut client, "SELECT 1 / 0").0, "22012");
    rows(&mut client, "ROLLBACK TO SAVEPOINT here");
    assert_eq!(value(&mut client, "SELECT 2"), "2");
    assert_eq!(refused(&mut client, "ROLLBACK TO SAVEPOINT nowhere").0, "3B001");
    rows(&mut client, "ROLLBACK");
}

#[test]
fn a_driver_s_transaction_and_its_parameters_are_served() {
    let home = Home::new();
    land(&home, 7, 10);
    let served = Served::of(&home);
    served.service.settle(1);
    let mut client = served.connect();
    let mut transaction = client.build_transaction().read_only(true).start().expect("it begins");
    let statement = transaction.prepare("SELECT customer_id, tier FROM tier WHERE customer_id = $1").expect("prepared");
    for number in 0..10 {
        let id = format!("c{number}");
        let row = transaction.query_one(&statement, &[&id]).expect("a row");
        assert_eq!(row.get::<_, String>(0), id);
    }
    assert!(transaction.query_opt(&statement, &[&"nobody"]).expect("asked").is_none());
    let numbers = transaction.query_one("SELECT $1::BIGINT + 1, $2::TEXT || 'x', $3::BOOLEAN", &[&41_i64, &"y", &true]);
    let numbers = numbers.expect("a row");
    assert_eq!(
        (numbers.get::<_, i64>(0), numbers.get::<_, String>(1), numbers.get::<_, bool>(2)),
        (42, "yx".to_owned(), true)
    );
    // Rows by portions: a portal that is suspended, and goes on.
    let portal = transaction.bind("SELECT customer_id FROM tier ORDER BY customer_id", &[]).expect("bound");
    let sizes: Vec<usize> = (0..4).map(|_| transaction.query_portal(&portal, 4).expect("rows").len()).collect();
    assert_eq!(sizes, [4, 4, 2, 0]);
    transaction.commit().expect("it ends");
}
