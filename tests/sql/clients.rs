//! What clients ask of a server before they ask anything of views: psql's commands, drivers, dashboards.
//!
//! `statements/CLIENT.sql` holds them as clients send them, and after each, by `=> n`, how many rows it has.

use std::fs;
use std::path::Path;

use crate::client::{Served, rows, try_rows};
use crate::service::Home;

#[test]
fn what_clients_ask_of_the_catalog_is_answered() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    let oid = crate::client::value(&mut client, "SELECT oid FROM pg_catalog.pg_class WHERE relname = 'tier'");
    let views = cohortflow::query::VIEWS.len().to_string();
    let mut failed = Vec::new();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/statements");
    for entry in fs::read_dir(directory).expect("listed") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("read");
        let mut statement = String::new();
        for line in text.lines() {
            let Some(expected) = line.strip_prefix("=> ") else {
                statement.push_str(line);
                statement.push('\n');
                continue;
            };
            let asked = std::mem::take(&mut statement).replace("OID", &oid);
            match try_rows(&mut client, &asked) {
                Ok(rows) if rows.len().to_string() == expected.replace("VIEWS", &views) => {}
                Ok(rows) => failed.push(format!("{path:?}: {} rows, not {expected}, of {asked}{rows:?}", rows.len())),
                Err(error) => failed.push(format!("{path:?}: {error:?} of {asked}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn the_catalog_tells_of_every_view_and_column() {
    let served = Served::of(&Home::new());
    let mut client = served.connect();
    for view in cohortflow::query::VIEWS {
        let columns = rows(
            &mut client,
            &format!(
                "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a \
                 JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE c.relname = '{}' AND a.attnum > 0 ORDER BY a.attnum",
                view.name
            ),
        );
        let names: Vec<&str> = columns.iter().filter_map(|row| row[0].as_deref()).collect();
        assert_eq!(names, view.columns.iter().map(|column| column.name).collect::<Vec<_>>(), "{}", view.name);
        let told = rows(
            &mut client,
            &format!(
                "SELECT pg_catalog.obj_description(oid, 'pg_class') FROM pg_catalog.pg_class WHERE relname = '{}'",
                view.name
            ),
        );
        assert_eq!(told, [[Some(view.about.to_owned())]]);
    }
}
