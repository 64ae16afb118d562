//! Nobody writes by SQL, whatever he says.

use crate::client::{Served, refused, rows, value};
use crate::service::Home;

/// What would write, lock, or reach out of the service, as a file or another database.
const ATTEMPTS: &[&str] = &[
    "INSERT INTO tier VALUES ('c1', 'A', '2009-07')",
    "INSERT INTO tier SELECT * FROM tier",
    "UPDATE tier SET tier = 'A'",
    "DELETE FROM tier",
    "DELETE FROM tier WHERE false",
    "TRUNCATE tier",
    "MERGE INTO tier USING tier_count ON false WHEN NOT MATCHED THEN INSERT VALUES ('a', 'b', 'c')",
    "DROP TABLE tier",
    "DROP VIEW tier",
    "DROP SCHEMA public CASCADE",
    "DROP DATABASE cohortflow",
    "CREATE TABLE mine (id INT)",
    "CREATE TABLE mine AS SELECT * FROM tier",
    "CREATE TEMP TABLE mine AS SELECT 1",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE OR REPLACE VIEW tier AS SELECT 1",
    "CREATE MATERIALIZED VIEW mine AS SELECT 1",
    "CREATE SCHEMA mine",
    "CREATE DATABASE mine",
    "CREATE INDEX mine ON tier (tier)",
    "CREATE EXTERNAL TABLE mine STORED AS CSV LOCATION '/etc/passwd'",
    "CREATE FUNCTION mine() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE mine",
    "CREATE EXTENSION dblink",
    "CREATE TRIGGER mine AFTER INSERT ON tier EXECUTE FUNCTION mine()",
    "ALTER TABLE tier ADD COLUMN mine INT",
    "ALTER TABLE tier RENAME TO mine",
    "ALTER ROLE analyst SUPERUSER",
    "COMMENT ON TABLE tier IS 'mine'",
    "GRANT ALL ON tier TO analyst",
    "REVOKE ALL ON tier FROM analyst",
    "SELECT * INTO mine FROM tier",
    "SELECT * INTO TEMP mine FROM tier",
    "WITH t AS (SELECT * FROM tier) SELECT * INTO mine FROM t",
    "WITH gone AS (DELETE FROM tier RETURNING *) SELECT * FROM gone",
    "WITH new AS (INSERT INTO tier VALUES ('a', 'b', 'c') RETURNING *) SELECT * FROM new",
    "WITH new AS (UPDATE tier SET tier = 'A' RETURNING *) SELECT * FROM new",
    "SELECT * FROM (SELECT * INTO mine FROM tier) t",
    "SELECT * FROM tier FOR UPDATE",
    "SELECT * FROM tier FOR SHARE",
    "COPY tier FROM STDIN",
    "COPY tier FROM '/etc/passwd'",
    "COPY tier FROM PROGRAM 'id'",
    "COPY tier TO '/tmp/mine'",
    "COPY (SELECT * FROM tier) TO '/tmp/mine.csv'",
    "COPY (SELECT * FROM tier) TO '/tmp/mine.parquet' STORED AS PARQUET",
    "COPY tier TO PROGRAM 'cat'",
    "COPY (SELECT * INTO mine FROM tier) TO STDOUT",
    "COPY (WITH gone AS (DELETE FROM tier RETURNING *) SELECT * FROM gone) TO STDOUT",
    "EXPLAIN DELETE FROM tier",
    "EXPLAIN ANALYZE INSERT INTO tier VALUES ('a', 'b', 'c')",
    "EXPLAIN SELECT * INTO mine FROM tier",
    "LOCK TABLE tier",
    "VACUUM",
    "ANALYZE tier",
    "REINDEX TABLE tier",
    "CLUSTER tier",
    "REFRESH MATERIALIZED VIEW tier",
    "CALL mine()",
    "DO $$ BEGIN END $$",
    "LOAD 'mine'",
    "LISTEN mine",
    "NOTIFY mine",
    "PREPARE mine AS DELETE FROM tier",
    "PREPARE mine AS SELECT 1",
    "EXECUTE mine",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET default_transaction_read_only = off",
    "SET transaction_read_only TO off",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "BEGIN READ WRITE",
    "START TRANSACTION READ WRITE",
    "SET datafusion.catalog.has_header = true",
    "SET datafusion.execution.target_partitions = 1",
    "SHOW datafusion.execution.target_partitions",
    "RESET datafusion.execution.target_partitions",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * INTO mine FROM tier",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM tier FOR UPDATE",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_sleep(1)",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT set_config('search_path', 'mine', false)",
    "SELECT nextval('mine')",
    "SELECT dblink('host=127.0.0.1', 'SELECT 1')",
    "SELECT query_to_xml('DELETE FROM tier', true, true, '')",
    "ATTACH DATABASE 'mine' AS mine",
    "DETACH mine",
    "USE mine",
    "KILL 1",
    "PRAGMA database_list",
    "UNLOAD ('SELECT 1') TO 's3://mine'",
    "INSTALL mine",
    "SELECT 1; DROP TABLE tier",
    "DROP TABLE tier; SELECT 1",
    "BEGIN; DELETE FROM tier; COMMIT",
];

#[test]
fn whatever_would_write_is_refused_and_changes_nothing() {
    let home = Home::new();
    home.land("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,80\nc2,2009-07,100\n");
    let served = Served::of(&home);
    served.service.settle(1);
    let mut client = served.connect();
    let views = value(&mut client, "SELECT count(*) FROM information_schema.tables");
    let before = rows(&mut client, "SELECT * FROM tier ORDER BY customer_id");
    assert_eq!(before.len(), 2);
    for attempt in ATTEMPTS {
        let (code, message) = refused(&mut client, attempt);
        let known = ["25006", "42601", "0A000", "42P01", "42883", "42704", "42000"];
        assert!(known.contains(&&*code), "{attempt}: {code} {message}");
        // Whatever transaction it was in is left, and another client sees what there was.
        rows(&mut client, "ROLLBACK");
        assert_eq!(rows(&mut client, "SELECT * FROM tier ORDER BY customer_id"), before, "{attempt}");
    }
    let mut other = served.connect();
    assert_eq!(rows(&mut other, "SELECT * FROM tier ORDER BY customer_id"), before);
    assert_eq!(value(&mut other, "SELECT count(*) FROM information_schema.tables"), views);
    assert!(!std::path::Path::new("/tmp/mine").exists() && !std::path::Path::new("/tmp/mine.csv").exists());
    // The same by statements that are prepared.
    for attempt in ATTEMPTS {
        assert!(other.prepare(attempt).and_then(|statement| other.query(&statement, &[])).is_err(), "{attempt}");
        rows(&mut other, "ROLLBACK");
    }
    assert_eq!(rows(&mut other, "SELECT * FROM tier ORDER BY customer_id"), before);
}
