//! What clients set and ask for.

use crate::client::{Served, refused, rows, value};
use crate::service::Home;

#[test]
fn settings_are_kept_until_they_are_reset() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    for (show, told) in [
        ("SHOW server_version", "16.6"),
        ("SHOW transaction isolation level", "repeatable read"),
        ("SHOW standard_conforming_strings", "on"),
        ("SHOW search_path", "public"),
        ("SHOW TIME ZONE", "UTC"),
    ] {
        assert_eq!(value(&mut client, show), told, "{show}");
    }
    for set in [
        "SET application_name = 'a dashboard'",
        "SET SESSION extra_float_digits = 3",
        "SET DateStyle = 'ISO'",
        "SET client_encoding TO 'UTF8'",
        "SET NAMES 'UTF8'",
        "SET TIME ZONE 'UTC'",
        "SET search_path TO public, pg_catalog",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "COMMIT",
    ] {
        rows(&mut client, set);
    }
    assert_eq!(value(&mut client, "SHOW application_name"), "a dashboard");
    rows(&mut client, "RESET application_name");
    assert_eq!(value(&mut client, "SHOW application_name"), "");
    rows(&mut client, "SET application_name = 'x'; DISCARD ALL");
    assert_eq!(value(&mut client, "SHOW application_name"), "");
    assert!(rows(&mut client, "SHOW ALL").len() > 15);
}

#[test]
fn functions_answer_as_postgresql_s_do() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    for (text, told) in [
        ("SELECT current_user", "analyst"),
        ("SELECT session_user", "analyst"),
        ("SELECT user", "analyst"),
        ("SELECT current_schema", "public"),
        ("SELECT current_catalog", "cohortflow"),
        ("SELECT to_char(TIMESTAMP '2009-07-05 15:04:09', 'YYYY-MM')", "2009-07"),
        ("SELECT to_char(DATE '2009-07-05', 'FMDay')", "Sunday"),
        ("SELECT TIMESTAMP '2009-07-05 15:04:09'", "2009-07-05 15:04:09"),
        ("SELECT TIMESTAMP '2009-07-05 15:04:09.500'", "2009-07-05 15:04:09.5"),
        ("SELECT date_trunc('month', DATE '2009-07-05')", "2009-07-01 00:00:00"),
        ("SELECT 1.10 + 2.05", "3.15"),
        ("SELECT 7 / 2", "3"),
        ("SELECT 'a' = ANY(ARRAY['a', 'b'])", "t"),
        ("SELECT pg_size_pretty(10240)", "10 kB"),
        ("SELECT length('客户')", "2"),
        ("SELECT NULL IS DISTINCT FROM 1", "t"),
        ("SELECT coalesce(NULL, 'x')", "x"),
        ("SELECT version() LIKE 'PostgreSQL 16%'", "t"),
    ] {
        assert_eq!(value(&mut client, text), told, "{text}");
    }
}

#[test]
fn a_function_of_another_meaning_never_takes_the_place_of_ours() {
    // It did in some sessions, in an order of names that each session drew anew.
    let served = Served::of(&Home::new());
    for _ in 0..30 {
        let mut client = served.connect();
        assert_eq!(value(&mut client, "SELECT to_char(DATE '2009-07-05', 'YYYY-MM')"), "2009-07");
        assert_eq!(refused(&mut client, "SELECT array_length(array_repeat(1, 1000000000))").0, "53200");
        assert_eq!(refused(&mut client, "SELECT array_length(list_repeat(1, 1000000000))").0, "53200");
        assert_eq!(value(&mut client, "SELECT user"), "analyst");
    }
}

#[test]
fn columns_have_the_names_that_postgresql_gives_them() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    let names = |client: &mut postgres::Client, text: &str| {
        let statement = client.prepare(text).expect("prepared");
        statement.columns().iter().map(|column| column.name().to_owned()).collect::<Vec<_>>()
    };
    for (text, told) in [
        (
            "SELECT count(*), count(*), max(tier), tier.tier, 1, 1 + 1, NULL FROM tier GROUP BY tier",
            vec!["count", "count", "max", "tier", "?column?", "?column?", "?column?"],
        ),
        (
            "SELECT 1 AS \"Fee (yuan)\", 2 AS a, 3 AS a, tier, tier FROM tier",
            vec!["Fee (yuan)", "a", "a", "tier", "tier"],
        ),
        ("SELECT current_user, lower('A'), CAST(tier AS TEXT) FROM tier", vec!["current_user", "lower", "tier"]),
        ("SELECT * FROM rank_count", vec!["rank", "members"]),
    ] {
        assert_eq!(names(&mut client, text), told, "{text}");
    }
}
