//! Whatever can be asked with a number in it, rightly and wrongly.

use serde_json::{Value, json};

use super::Staff;
use super::numbers::Numbers;

const JSON: &str = "application/json";
const ROWS: &str = "application/x-ndjson";

/// A request: who asks, how, for what, with what.
struct Request {
    who: &'static str,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn get(who: &'static str, target: impl Into<String>) -> Request {
    Request { who, method: "GET".to_owned(), target: target.into(), headers: Vec::new(), body: String::new() }
}

fn post(who: &'static str, target: impl Into<String>, body: impl Into<String>) -> Request {
    of_kind(who, target, JSON, body)
}

fn of_kind(who: &'static str, target: impl Into<String>, kind: &str, body: impl Into<String>) -> Request {
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Request { who, method: "POST".to_owned(), target: target.into(), headers, body: body.into() }
}

impl Request {
    fn under(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn by(self, method: impl Into<String>) -> Request {
        Request { method: method.into(), ..self }
    }
}

fn text(value: Value) -> String {
    value.to_string()
}

fn of_customers(numbers: &Numbers) -> Vec<Request> {
    let n = |place| numbers.of(place);
    let mut requests = Vec::new();
    for who in ["nobody", "planner", "agent", "privacy", "auditor", "hall_administrator@place"] {
        let id = n("path: a customer");
        requests.extend([
            get(who, format!("/v1/customers/{id}")),
            get(who, format!("/v1/customers/{id}/standing?neighbours={}", n("query: a count"))),
            get(who, format!("/v1/customers/{id}/fit")),
            get(who, format!("/v1/customers/{id}/offers")),
            get(who, format!("/v1/customers/c1/why?segment={}", n("query: a segment"))),
            get(who, format!("/v1/views/tier?customer_id={}", n("query: a value"))),
            get(who, format!("/v1/views/member_points?number={}", n("query: a phone number"))),
            get(who, format!("/v1/views/tier?{}=1", n("query: a column"))),
            get(who, format!("/v1/views/tier?from={}", n("query: a day"))),
            get(who, format!("/v1/views/tier?limit={}", n("query: a limit"))),
            get(who, format!("/v1/views/tier?format={}", n("query: a format"))),
            get(who, format!("/v1/views/tier?cursor={}", n("query: a cursor"))),
            get(who, format!("/v1/views/tier/feed?after={}", n("query: a token"))),
            get(who, format!("/v1/views/tier/feed?customer_id={}&after=x", n("query: a followed value"))),
            get(who, format!("/v1/views/tier/socket?after={}", n("query: a token of a socket"))),
            get(who, format!("/v1/views/{}", n("path: a view"))),
            get(who, format!("/v1/products/{}/fit", n("path: a product"))),
            get(who, format!("/v1/campaigns/{}", n("path: a campaign"))),
            get(who, format!("/{}", n("path: of nothing"))),
            get(who, format!("/v1/views/tier%{}", n("path: percent signs"))),
            get(who, format!("/v1/audit?who={0}&customer={0}", n("query: of the record"))),
            get(who, format!("/v1/dead-letters?channel={}", n("query: a channel"))),
            get(who, "/v1/views").by(n("method")),
            get(who, "/v1/me").under("cookie", n("header: a cookie")).under("user-agent", n("header: an agent")),
            get(who, "/v1/me").under("host", n("header: a host")),
            get(who, "/v1/me").under("origin", format!("http://{}", n("header: an origin"))),
            get(who, "/v1/me").under("cohortflow-after", n("header: an epoch")),
            post(
                who,
                format!("/v1/customers/{id}/offers/answer"),
                text(json!({ "product_id": n("body: a product"), "answer": "accepted" })),
            ),
            post(who, "/v1/query", text(json!({ "sql": format!("SELECT {} FROM nowhere", n("SQL: a literal")) }))),
            post(who, "/v1/query", text(json!({ "sql": format!("SELECT CAST('a{}' AS INT)", n("SQL: a cast")) }))),
            post(who, "/v1/query", text(json!({ "sql": format!("SELEC '{}", n("SQL: no statement")) }))),
            post(who, "/v1/query", text(json!({ "sql": format!("SELECT \"{}\" FROM tier", n("SQL: a column")) }))),
        ]);
    }
    requests.push(get("nobody", "/v1/me").under("authorization", format!("Bearer cft_{}", n("token"))));
    requests.push(get("nobody", "/v1/me").under("authorization", format!("{} x", n("token: its scheme"))));
    requests
}

fn of_edits(numbers: &Numbers) -> Vec<Request> {
    let n = |place| numbers.of(place);
    let list = |op: &str, customers: Value, reason: String| {
        text(json!({ "op": op, "customers": customers, "reason": reason }))
    };
    vec![
        post(
            "planner",
            "/v1/adjustments",
            text(
                json!({ "customer_id": "c1", "points": 5, "reason": format!("call {}", n("edit: reason of points")) }),
            ),
        ),
        post(
            "planner",
            "/v1/adjustments",
            text(json!({ "customer_id": n("edit: a customer"), "points": 5, "reason": "x" })),
        ),
        post(
            "planner",
            "/v1/adjustments",
            text(json!({ "customer_id": "c1", "points": n("edit: a text for points"), "reason": "x" })),
        ),
        post(
            "planner",
            "/v1/adjustments",
            text(json!({ "customer_id": "c1", "points": 5, "reason": "x", n("edit: a member"): 1 })),
        ),
        post(
            "planner",
            "/v1/adjustments",
            text(json!({ "customer_id": "c1", "points": 5, "reason": "x", "at": n("edit: a moment") })),
        ),
        post(
            "planner",
            "/v1/adjustments",
            text(json!({ "customer_id": "c1", "points": 5, "reason": "x", "by": n("edit: by") })),
        ),
        post("planner", "/v1/adjustments", format!("{{\"customer_id\": {}x", n("edit: no JSON"))),
        post("planner", "/v1/adjustments", text(json!({ "customer_id": "c2", "points": 5, "reason": "x" })))
            .under("idempotency-key", n("key")),
        post("planner", "/v1/adjustments", text(json!({ "customer_id": "c2", "points": 6, "reason": "x" })))
            .under("idempotency-key", n("key")),
        post("planner", "/v1/adjustments", text(json!({ "customer_id": "c2", "points": 6, "reason": "x" })))
            .under("idempotency-key", format!("{} ü", n("key: no key"))),
        post("planner", format!("/v1/lists/{}", n("id: a list")), list("add", json!(["c4"]), "x".to_owned())),
        post("planner", "/v1/lists/vip", list("add", json!([n("edit: a listed customer")]), "x".to_owned())),
        post("planner", "/v1/lists/vip", list("add", json!(["c4"]), format!("rang {}", n("edit: reason of a list")))),
        post("planner", "/v1/lists/vip", list(&n("edit: what it does"), json!(["c4"]), "x".to_owned())),
        post(
            "privacy",
            "/v1/optouts",
            text(json!({ "customer_id": "c3", "reason": format!("rang from {}", n("edit: reason of an opt-out")) })),
        ),
        post(
            "agent",
            "/v1/replies",
            text(json!({ "customer_id": "c1", "text": n("reply: text"), "contact_id": n("reply: a contact") })),
        ),
        post("agent", "/v1/replies", text(json!({ "customer_id": "c4", "text": "STOP", "channel_id": "sms" }))),
        post("agent", "/v1/replies", text(json!({ "number": n("reply: a number"), "text": "Y" }))),
        post(
            "agent",
            "/v1/provisioning/answers",
            text(json!([{ "request_id": n("answer: a request"), "state": "opened", "text": n("answer: text") }])),
        ),
        post("agent", "/v1/provisioning/answers", text(json!([{ "request_id": "x", "state": n("answer: a state") }]))),
        post("agent", format!("/v1/worklist/{}/claim", n("path: a call")), "{}"),
        post("agent", "/v1/worklist/x/result", text(json!({ "outcome": n("result: outcome") }))),
        post(
            "agent",
            "/v1/worklist/x/result",
            text(json!({ "outcome": "callback", "at_callback": n("result: a moment") })),
        ),
        post(
            "planner",
            "/v1/campaigns/spring/state",
            text(json!({ "state": "paused", "note": format!("ask {}", n("state: note")) })),
        ),
        post(
            "planner",
            "/v1/campaigns/spring/state",
            text(json!({ "state": "running", "note": "x", "city": n("state: a city") })),
        ),
        post("planner", "/v1/campaigns/spring/state", text(json!({ "state": n("state: of none") }))),
        post("planner", "/v1/campaigns/spring/state", text(json!({ "state": "running" }))),
        post("planner", format!("/v1/texts/notices/{}", n("path: a text")), text(json!({ "title": "", "text": "x" }))),
        post(
            "planner",
            "/v1/texts/notices/hotline",
            text(json!({ "title": "Hotline", "text": format!("Ring {}", n("notice")) })),
        ),
        post("planner", "/v1/texts/notices/other", text(json!({ "title": "x", "from": n("notice: a day") }))),
        get("planner", format!("/v1/texts/notices/{}", n("path: a text"))).by("DELETE"),
        post("planner", "/v1/dead-letters/replay", text(json!({ "channel": n("replay: a channel") }))),
    ]
}

fn of_files_and_programmes(numbers: &Numbers) -> Vec<Request> {
    let n = |place| numbers.of(place);
    let batch = |body: String| of_kind("data", "/v1/feeds/score/batch", ROWS, body);
    let sources = |text: String| json!({ "sources": [{ "name": "own.toml", "text": text }] }).to_string();
    vec![
        of_kind(
            "data",
            "/v1/feeds/customer/batch",
            ROWS,
            text(json!({ "customer_id": "r1", "msisdn": n("batch: msisdn") })),
        ),
        of_kind(
            "data",
            "/v1/feeds/customer/batch",
            ROWS,
            text(json!({ "customer_id": "r2", "birth_date": n("batch: for a birthday") })),
        ),
        batch(format!("{{\"customer_id\": \"c1\", \"model\": {}x}}", n("batch: no JSON"))),
        batch(text(json!({ "customer_id": "c1", "model": "m", "value": n("batch: a value") }))),
        batch(text(json!({ "customer_id": "c1", "model": "m", "value": 5, n("batch: a column"): 1 }))),
        batch(text(json!({ "_op": n("batch: what it does"), "customer_id": "c1" }))),
        batch(text(json!({ "customer_id": "c1", "model": [n("batch: a list")] }))),
        batch(text(json!({ "customer_id": "c1", "model": "k", "value": 5 }))).under("idempotency-key", n("batch: key")),
        of_kind("data", format!("/v1/feeds/{}/batch", n("path: a feed")), ROWS, "{}"),
        of_kind("data", "/v1/feeds/score/batch", &n("header: a kind"), "{}"),
        get("data", format!("/v1/files/{}/receipt", n("path: a file"))),
        post("data", format!("/v1/files/{}/undo?dry_run=true", n("path: a file")), "{}"),
        post("data", format!("/v1/held/{}/confirm", n("path: a file")), "{}"),
        post("planner", "/v1/programme", sources(format!("[[tier]]\nid = {}x\n", n("programme: no TOML")))),
        post(
            "planner",
            "/v1/programme",
            sources(format!("[[tier]]\nid = \"A\"\nwhen = \"fee{} > 1\"\n", n("programme: no rule"))),
        ),
        post("planner", "/v1/programme", format!("{{{}", n("programme: no JSON"))),
        post("planner", "/v1/programme/diff", sources(format!("# {}\n[[tier]]\nid = \"A\"\n", n("programme: tried")))),
        post("planner", "/v1/programme/sweep", text(json!({ "sweep": format!("segment:{}", n("sweep")), "at": [1] }))),
        post("nobody", "/v1/login", text(json!({ "name": n("login: name"), "password": n("login: password") }))),
        post(
            "nobody",
            "/v1/login",
            text(json!({ "name": format!("m{}", n("login: name of an account's form")), "password": "correct horse" })),
        ),
        post("nobody", "/v1/login", text(json!({ "name": "auditor", "password": n("login: password of somebody") }))),
        post(
            "administrator",
            "/v1/accounts",
            text(json!({ "name": n("account: no name"), "role": "planner", "password": "correct horse" })),
        ),
        post(
            "administrator",
            "/v1/accounts",
            text(json!({ "name": "ann", "role": n("account: no role"), "password": "correct horse" })),
        ),
        post(
            "administrator",
            "/v1/accounts",
            text(json!({ "name": "bob", "role": "planner", "password": n("account: password") })),
        ),
        post("administrator", format!("/v1/accounts/{}", n("path: an account")), "{}"),
        get("administrator", format!("/v1/accounts/bob/tokens/{}", n("path: a token"))).by("DELETE"),
        post("nobody", "/v1/login", text(json!({ "name": "bob", "password": n("account: password") }))),
    ]
}

/// Asks all of it.
pub fn ask(staff: &Staff<'_>) {
    let numbers = staff.numbers;
    let all = [of_customers(numbers), of_edits(numbers), of_files_and_programmes(numbers)];
    for Request { who, method, target, headers, body } in all.into_iter().flatten() {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        staff.ask(who, &method, &target, &headers, body.as_bytes());
    }
    for frame in [
        format!("GET /{} HTTP/9.9\r\n\r\n", numbers.of("frame: a version")),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\n{} x\r\n\r\n", numbers.of("frame: a header")),
        format!("{}\r\n\r\n", numbers.of("frame: no request")),
        format!(
            "POST /v1/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: {JSON}\r\ntransfer-encoding: chunked\r\n\r\n{}\r\n",
            numbers.of("frame: a chunk")
        ),
    ] {
        staff.raw(frame.as_bytes());
    }
}
