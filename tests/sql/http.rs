//! SQL over HTTP, and by command.

use std::io::Write;
use std::process::{Command, Stdio};

use arrow::ipc::reader::StreamReader;
use serde_json::{Value, json};

use crate::client::Served;
use crate::exchange::Reply;
use crate::service::Home;

fn served(arguments: &[&str]) -> (Home, Served) {
    let home = Home::new();
    let mut file = "customer_id,month,total_fee\n".to_owned();
    (0..3000).for_each(|number| file.push_str(&format!("c{number:04},2009-07,{}.50\n", number % 200)));
    home.land("bill_2009-07.csv", file);
    home.land("customer_2009-07.csv", "customer_id,city\nc0000,\"a,\"\"b\"\nc0001,\nc0002,客户\n");
    let served = Served::with(&home, arguments);
    served.service.settle(2);
    (home, served)
}

fn ask(served: &Served, sql: &str, format: &str) -> Reply {
    served.service.post("/v1/query", &json!({ "sql": sql, "format": format }))
}

const QUESTION: &str = "SELECT customer_id, as_of, last_fee, months_billed, tier IS NOT NULL AS has_tier, NULL AS nothing \
     FROM customer_attribute JOIN tier USING (customer_id) WHERE customer_id < 'c0003' ORDER BY customer_id";

#[test]
fn a_question_is_answered_in_every_format() {
    let (_home, served) = served(&[]);
    let answer = ask(&served, QUESTION, "json").good();
    let row = |id: &str, fee: &str| json!([id, "2009-07", fee, 1, true, null]);
    assert_eq!(answer["rows"], json!([row("c0000", "0.50"), row("c0001", "1.50"), row("c0002", "2.50")]));
    assert_eq!((&answer["more"], answer["epoch"].as_u64()), (&json!(false), Some(3)));
    let types: Vec<&str> = answer["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| column["type"].as_str().expect("a type"))
        .collect();
    assert_eq!(types, ["text", "text", "decimal", "integer", "boolean", "text"]);

    let lines = ask(&served, QUESTION, "ndjson");
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(lines.header("cohortflow-epoch"), Some("3"));
    let first: Value = serde_json::from_str(lines.text().lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["last_fee"], "0.50");
    assert_eq!(lines.text().lines().count(), 3);

    let csv = ask(&served, QUESTION, "csv");
    assert_eq!(
        csv.text(),
        "customer_id,as_of,last_fee,months_billed,has_tier,nothing\nc0000,2009-07,0.50,1,true,\nc0001,2009-07,1.50,1,true,\n\
         c0002,2009-07,2.50,1,true,\n"
    );
    // No rows have a header all the same.
    assert_eq!(ask(&served, "SELECT customer_id AS a, 1 FROM tier WHERE false", "csv").text(), "a,?column?\n");

    for sql in [QUESTION, "SELECT customer_id AS a, tier AS a FROM tier", "SELECT tier FROM tier WHERE false"] {
        let arrow = ask(&served, sql, "arrow");
        let batches: Vec<_> = StreamReader::try_new(arrow.body.as_slice(), None)
            .expect("a stream")
            .collect::<Result<_, _>>()
            .expect("batches");
        let rows: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
        let expected = ask(&served, sql, "csv").text().lines().count() - 1;
        assert_eq!(rows, expected, "{sql}");
    }
    served.until_idle();
}

#[test]
fn json_has_a_bound_and_says_that_there_is_more() {
    let (_home, served) = served(&[]);
    let answer = ask(&served, "SELECT customer_id FROM tier", "json").good();
    assert_eq!((answer["rows"].as_array().map(Vec::len), &answer["more"]), (Some(1000), &json!(true)));
    let body = json!({ "sql": "SELECT customer_id FROM tier", "limit": 5000 });
    let answer = served.service.post("/v1/query", &body).good();
    assert_eq!((answer["rows"].as_array().map(Vec::len), &answer["more"]), (Some(3000), &json!(false)));
    assert_eq!(ask(&served, "SELECT customer_id FROM tier", "ndjson").text().lines().count(), 3000);
    served.until_idle();
}

#[test]
fn what_is_not_answered_says_why() {
    let (_home, served) = served(&["--sql-timeout", "1"]);
    let check = |sql: &str, status: u16, state: &str| {
        for format in ["json", "csv", "ndjson", "arrow"] {
            let reply = ask(&served, sql, format);
            reply.refused(status, "sql");
            assert_eq!(reply.json()["sqlstate"], state, "{sql}");
        }
    };
    check("DELETE FROM tier", 403, "25006");
    check("CREATE TABLE a AS SELECT 1", 403, "25006");
    check("SELECT * INTO a FROM tier", 403, "25006");
    check("SELECT * FROM teir", 404, "42P01");
    check("SELECT ages FROM tier", 404, "42703");
    check("SELECT 1; SELECT 2", 400, "42601");
    check("", 400, "42601");
    check("SELEC 1", 400, "42601");
    check(
        "SELECT count(*) FROM tier a, tier b, tier c WHERE a.customer_id < b.customer_id AND b.customer_id < c.customer_id",
        408,
        "57014",
    );
    let reply = served.service.post("/v1/query", &json!({ "sql": "SELECT 1", "format": "xml" }));
    reply.refused(400, "bad_request");
    let reply = served.service.post("/v1/query", &json!({ "sql": "SELECT 1", "limit": 100_001 }));
    reply.refused(400, "bad_request");
    served.until_idle();
}

#[test]
fn a_command_asks_and_shows() {
    let (_home, served) = served(&[]);
    let run = |arguments: &[&str], input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["query", "--http", &format!("http://{}", served.service.address)]).args(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("it ends");
        let [shown, told] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        (output.status.code(), shown, told)
    };
    let sql = "SELECT city, 1 AS one FROM tier_count WHERE city IS NOT NULL ORDER BY city";
    let table = "city  one\na,\"b  1\n客户    1\n";
    assert_eq!(run(&[sql], ""), (Some(0), table.to_owned(), String::new()));
    assert_eq!(run(&[], sql), (Some(0), table.to_owned(), String::new()));
    assert_eq!(run(&["--format", "csv", sql], "").1, "city,one\n\"a,\"\"b\",1\n客户,1\n");
    assert_eq!(
        run(&["--format", "json", sql], "").1,
        "{\"city\":\"a,\\\"b\",\"one\":1}\n{\"city\":\"客户\",\"one\":1}\n"
    );
    let (code, shown, told) = run(&["SELECT * FROM teir"], "");
    assert_eq!((code, &*shown), (Some(1), ""));
    assert_eq!(told, "error: relation \"teir\" does not exist\nhint: did you mean tier? \\d lists all views\n");
    let (code, _, told) = run(&["DROP TABLE tier"], "");
    assert!(code == Some(1) && told.starts_with("error: cannot execute DROP TABLE"), "{told}");
    served.until_idle();
}
