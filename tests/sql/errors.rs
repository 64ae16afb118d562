//! What is refused is told by PostgreSQL's codes, and the connection goes on.

use crate::client::{Served, refused, told, value};
use crate::service::Home;

#[test]
fn each_error_has_its_code() {
    let (home, deep) = (Home::new(), format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)));
    let nested = format!("SELECT {}1{}", "(".repeat(2000), ")".repeat(2000));
    let chain = format!("SELECT 1{}", " + 1".repeat(10_000));
    let list = format!("SELECT 1 WHERE 1 IN ({})", vec!["1"; 12_000].join(","));
    let served = Served::of(&home);
    let mut client = served.connect();
    for (text, code, told) in [
        ("SELEC 1", "42601", "syntax error"),
        ("SELECT 'open", "42601", "Unterminated"),
        ("SELECT * FROM teir", "42P01", "relation \"teir\" does not exist"),
        ("SELECT * FROM mine.tier", "42P01", "relation \"tier\" does not exist"),
        ("SELECT nope FROM tier", "42703", "column \"nope\" does not exist"),
        ("SELECT customer_id FROM tier a, tier b", "42702", "ambiguous"),
        ("SELECT nope(1)", "42883", "nope"),
        ("SELECT 1 / 0", "22012", "division by zero"),
        ("SELECT CAST('x' AS INT)", "22P02", "'x'"),
        ("SELECT CAST(5000000000 AS INT)", "22P02", "5000000000"),
        ("SELECT tier, count(*) FROM tier", "42803", "GROUP BY"),
        ("SELECT DATE '2009-13-45'", "22P02", "2009-13-45"),
        ("SELECT to_char(now(), 'TZ')", "0A000", "TZ"),
        ("SELECT repeat('x', 1000000000)", "53200", "repeat"),
        ("SELECT generate_series(1, 1000000000)", "53200", "generate_series"),
        ("SELECT repeat(repeat('x', 90000), 90000)", "53200", "repeat"),
        ("SELECT array_length(array_repeat(array_repeat(1, 90000), 90000))", "53200", "array_repeat"),
        ("SELECT max(length(repeat('x', 90000 + value))) FROM generate_series(1, 100000)", "53200", "repeat"),
        ("FETCH 1 FROM nothing", "34000", "cursor \"nothing\" does not exist"),
        ("DECLARE c CURSOR FOR SELECT 1", "25P01", "transaction blocks"),
        ("SAVEPOINT s", "25P01", "transaction blocks"),
        ("SHOW nothing", "42704", "nothing"),
        ("SET nothing = 1", "42704", "nothing"),
        ("SET statement_timeout = 'soon'", "22023", "soon"),
        ("SET client_encoding = 'GBK'", "0A000", "GBK"),
        ("COPY tier TO STDOUT (FORMAT json)", "22023", "json"),
        (&deep, "54001", "longer than"),
        (&nested, "54001", "nested"),
        (&chain, "54001", "operators"),
        (&list, "54001", "list"),
    ] {
        let (refused_code, message) = refused(&mut client, text);
        let short: String = text.chars().take(60).collect();
        assert_eq!(refused_code, code, "{short}: {message}");
        assert!(message.contains(told), "{short}: {message}");
        assert_eq!(value(&mut client, "SELECT 1"), "1", "after {short}");
    }
    served.until_idle();
}

#[test]
fn who_cannot_connect_is_told_why() {
    let served = Served::of(&Home::new());
    for (user, database, code) in [("analyst", "nowhere", "3D000"), (&*"u".repeat(64), "cohortflow", "28000")] {
        let error = served.try_connect(user, database).err().expect("it is refused");
        assert_eq!(told(&error).0, code);
    }
    // Clients that name no database take the user's name for it.
    let mut client = served.try_connect("analyst", "analyst").expect("it connects");
    assert_eq!(value(&mut client, "SELECT current_user"), "analyst");
    assert_eq!(value(&mut client, "SELECT current_database()"), "cohortflow");
}

#[test]
fn a_panic_of_no_text_ends_the_service() {
    let home = Home::new();
    home.land("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,80\n");
    let served = Served::of(&home);
    served.service.settle(1);
    let mut client = served.connect();
    // Whatever comes of these, it comes to an end.
    for text in [
        "SELECT to_timestamp(9223372036854775807)",
        "SELECT to_char(DATE '9999-12-31', 'YYYY') || to_char(DATE '0001-01-01', 'YYYY')",
        "SELECT CAST(-9223372036854775808 AS BIGINT) / -1",
        "SELECT CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)) * 10",
        "SELECT sum(avg_fee) * 100000000000000000000000 FROM customer_attribute",
        "SELECT * FROM tier ORDER BY 99",
        "SELECT * FROM tier LIMIT -1",
        "SELECT * FROM tier OFFSET 9223372036854775807",
        "SELECT substr('客户', -5, 3), left('客户', 9223372036854775807), chr(0)",
        "SELECT lpad('x', -1, ''), split_part('a', '', 1), regexp_replace('a', '(((((((((', '')",
        "SELECT array_agg(tier) FROM tier",
        "SELECT ARRAY[1, NULL, 3], ARRAY[[1], [2]], ARRAY[]",
        "SELECT INTERVAL '1 month', now(), current_date, current_time",
        "SELECT DATE '2009-07-01' + INTERVAL '100000 years'",
        "SELECT decode('zz', 'hex'), encode('a', 'base64'), md5('a')",
        "SELECT 1.5::FLOAT, 'NaN'::FLOAT, 'inf'::FLOAT, 1e400",
        "VALUES (1, 'a'), (2, NULL)",
        "SELECT $1",
        "TABLE tier",
        "EXPLAIN ANALYZE SELECT * FROM tier",
        "SELECT * FROM tier TABLESAMPLE SYSTEM (10)",
        "SELECT * FROM generate_series(1, 10, 0)",
        "SELECT struct(1, 2), named_struct('a', 1), map(['a'], [1])",
        "\u{0}",
        ";;;",
    ] {
        let _ = client.simple_query(text);
        assert_eq!(value(&mut client, "SELECT 1"), "1", "after {text:?}");
    }
}
