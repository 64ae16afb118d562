//! Logging in with an identity provider.

mod provider;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use cohortflow::access::oidc::{self, Claim, OidcError, Settings};
use serde_json::{Value, json};

use self::provider::{Asked, CLIENT, Key, Provider, SECRET};
use crate::exchange::{Reply, request, send};
use crate::service::{Home, Service};

/// A service that people log in to with a provider: `ann` is known there as `s-ann`.
fn serve(home: &Home, provider: &Provider) -> (Service, String) {
    std::fs::write(home.path().join("secret"), format!("{SECRET}\n")).expect("written");
    let issuer = provider.issuer();
    let service = home.serve_with(&["--oidc-issuer", &issuer, "--oidc-client", CLIENT, "--oidc-secret-file", "secret"]);
    let root = json!({ "name": "root", "role": "administrator", "password": "correct horse" });
    assert_eq!(service.post("/v1/accounts", &root).status, 201);
    let told = service.post("/v1/login", &json!({ "name": "root", "password": "correct horse" })).good();
    let bearer = format!("Bearer {}", told["token"].as_str().expect("a token"));
    let ann = json!({ "name": "ann", "role": "planner", "subject": "s-ann" });
    assert_eq!(as_root(&service, &bearer, "/v1/accounts", &ann).status, 201);
    (service, bearer)
}

fn as_root(service: &Service, bearer: &str, path: &str, body: &Value) -> Reply {
    let headers = [("authorization", bearer), ("content-type", "application/json")];
    service.ask("POST", path, &headers, body.to_string().as_bytes())
}

/// A browser that was sent to the provider: with what, and what it keeps meanwhile.
struct Sent {
    asked: Asked,
    cookie: String,
}

fn sent(reply: &Reply, provider: &Provider) -> Sent {
    assert_eq!(reply.status, 302, "{}", reply.text());
    let to = reply.header("location").expect("a location");
    let to = to.strip_prefix(&format!("{}/authorize?", provider.issuer())).expect("the provider's");
    let cookie = reply.header("set-cookie").expect("a cookie");
    for word in ["Path=/v1/oidc", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    Sent {
        asked: url::form_urlencoded::parse(to.as_bytes()).into_owned().collect(),
        cookie: cookie.split(';').next().expect("a value").to_owned(),
    }
}

impl Sent {
    fn back(&self, service: &Service, code: &str) -> Reply {
        self.back_with(service, &format!("code={code}&state={}", self.asked["state"]))
    }

    fn back_with(&self, service: &Service, query: &str) -> Reply {
        service.ask("GET", &format!("/v1/oidc/callback?{query}"), &[("cookie", &self.cookie)], b"")
    }
}

fn me(service: &Service, token: &Value) -> Reply {
    let bearer = format!("Bearer {}", token.as_str().expect("a token"));
    service.ask("GET", "/v1/me", &[("authorization", &bearer)], b"")
}

#[test]
fn somebody_logs_in_with_the_provider_and_is_the_account_of_his_subject() {
    let home = Home::new();
    for key in [Key::elliptic(), Key::rsa()] {
        let provider = Provider::new(key);
        let home = Home::new();
        let (service, root) = serve(&home, &provider);
        let sent = sent(&service.get("/v1/oidc/login"), &provider);
        assert_eq!((&*sent.asked["client_id"], &*sent.asked["response_type"]), (CLIENT, "code"));
        assert_eq!(sent.asked["code_challenge_method"], "S256");
        assert_eq!(sent.asked["redirect_uri"], format!("http://{}/v1/oidc/callback", service.address));
        let code = provider.lets_in(&sent.asked, "s-ann", |_| {});
        let reply = sent.back(&service, &code);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let told = reply.good();
        assert_eq!((&told["name"], &told["role"]), (&json!("ann"), &json!("planner")));
        assert_eq!(me(&service, &told["token"]).good()["name"], "ann");
        // A code is good once, at the provider.
        sent.back(&service, &code).refused(401, "not_let_in");
        // She has no password to log in with.
        let login = json!({ "name": "ann", "password": "" });
        service.post("/v1/login", &login).refused(401, "wrong_password");
        let audit = service.ask("GET", "/v1/audit", &[("authorization", &root)], b"").text().to_owned();
        assert!(!audit.contains("s-ann") && !audit.contains(&code), "{audit}");
        // Whoever takes her subject away ends what she logged in with.
        as_root(&service, &root, "/v1/accounts/ann", &json!({ "subject": "" })).good();
        me(&service, &told["token"]).refused(401, "unauthorized");
        let sent = self::sent(&service.get("/v1/oidc/login"), &provider);
        let code = provider.lets_in(&sent.asked, "s-ann", |_| {});
        sent.back(&service, &code).refused(403, "no_account");
    }
    home.serve().get("/v1/oidc/login").refused(404, "not_found");
}

#[test]
fn a_login_that_another_began_is_not_ended() {
    let (home, provider) = (Home::new(), Provider::new(Key::elliptic()));
    let (service, root) = serve(&home, &provider);
    let begin = || sent(&service.get("/v1/oidc/login"), &provider);
    let (mine, other) = (begin(), begin());
    let code = provider.lets_in(&mine.asked, "s-ann", |_| {});
    // Without what the browser keeps, with another's, with another's state.
    service.get(&format!("/v1/oidc/callback?code={code}&state={}", mine.asked["state"])).refused(400, "stale_login");
    other.back_with(&service, &format!("code={code}&state={}", mine.asked["state"])).refused(400, "stale_login");
    mine.back_with(&service, &format!("code={code}&state={}", other.asked["state"])).refused(400, "stale_login");
    mine.back_with(&service, "").refused(400, "stale_login");
    mine.back_with(&service, &format!("state={}", mine.asked["state"])).refused(400, "stale_login");
    // Another provider's answer (RFC 9207), and one that somebody was refused with.
    let state = format!("state={}", mine.asked["state"]);
    mine.back_with(&service, &format!("{state}&code={code}&iss=https://evil.example")).refused(401, "not_let_in");
    let told = mine.back_with(&service, &format!("{state}&error=access_denied&error_description=%3Cb%3E"));
    assert!(told.refused(401, "not_let_in").contains("access_denied"));
    let told = mine.back_with(&service, &format!("{state}&error=%3Cscript%3E"));
    assert!(!told.refused(401, "not_let_in").contains("script"));
    // His code with her own attempt: the provider holds it against what was told before.
    other.back(&service, &code).refused(401, "not_let_in");
    // Two accounts cannot be the same person.
    let two = json!({ "name": "two", "role": "planner", "subject": "s-ann" });
    as_root(&service, &root, "/v1/accounts", &two).refused(409, "account");
}

#[test]
fn a_token_that_is_not_good_lets_nobody_in() {
    let (home, provider) = (Home::new(), Provider::new(Key::elliptic()));
    let (service, _) = serve(&home, &provider);
    let altered = [
        ("aud", json!("another")),
        ("aud", json!([CLIENT, "another"])),
        ("iss", json!("https://evil.example")),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("exp", json!(1_000_000_000)),
        ("exp", json!("later")),
        ("sub", Value::Null),
    ];
    for (name, value) in altered {
        let sent = sent(&service.get("/v1/oidc/login"), &provider);
        let code = provider.lets_in(&sent.asked, "s-ann", |claims| claims[name] = value);
        let told = sent.back(&service, &code);
        assert_eq!(told.status, 401, "{name}: {}", told.text());
        told.refused(401, "bad_token");
    }
    for key in [Key::None, Key::Shared, Key::elliptic(), Key::rsa()] {
        provider.signs_with(Some(key));
        let sent = sent(&service.get("/v1/oidc/login"), &provider);
        let code = provider.lets_in(&sent.asked, "s-ann", |_| {});
        sent.back(&service, &code).refused(401, "bad_token");
    }
    provider.signs_with(None);
    let sent = sent(&service.get("/v1/oidc/login"), &provider);
    let code = provider.lets_in(&sent.asked, "s-ann", |_| {});
    sent.back(&service, &code).good();
}

#[test]
fn a_provider_that_does_not_answer_is_told_and_led_nowhere() {
    let (home, provider) = (Home::new(), Provider::new(Key::elliptic()));
    let (service, _) = serve(&home, &provider);
    // It leads elsewhere, where nobody follows.
    provider.goes_down(true);
    service.get("/v1/oidc/login").refused(502, "identity_provider");
    provider.goes_down(false);
    // It is left alone for a moment, and asked again then.
    let told = service.until("/v1/oidc/login", |reply| (reply.status == 302).then(|| provider.told()));
    assert_eq!(told, 1);
    sent(&service.get("/v1/oidc/login"), &provider);
    assert_eq!(provider.told(), 1);
}

fn settings(provider: &Provider, claim: Claim) -> Settings {
    Settings {
        issuer: provider.issuer(),
        client: CLIENT.to_owned(),
        secret: Some(SECRET.to_owned()),
        redirect: None,
        claim,
        ca: None,
    }
}

/// A login, begun and ended at the seconds that are told.
fn login(
    provider: &Provider,
    with: &oidc::Provider,
    at: (i64, i64),
    alter: impl FnOnce(&mut Value),
) -> Result<String, OidcError> {
    let begun = with.begin(None, at.0)?;
    let (_, query) = begun.url.split_once('?').expect("a query");
    let asked: Asked = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let code = provider.lets_in(&asked, "s-ann", alter);
    let came = oidc::Came { code: Some(code), state: asked["state"].clone(), ..oidc::Came::default() };
    with.finish(came, &begun.attempt, at.1).map(|known| known.subject)
}

#[test]
fn new_keys_of_the_provider_are_taken_up_and_old_attempts_are_not() {
    let provider = Provider::new(Key::elliptic());
    let with = oidc::Provider::new(settings(&provider, Claim::Sub), "http://127.0.0.1:7878", &[7; 32]).expect("good");
    assert_eq!(login(&provider, &with, (0, 599), |_| {}).expect("let in"), "s-ann");
    assert!(matches!(login(&provider, &with, (0, 600), |_| {}), Err(OidcError::Stale)));
    assert_eq!(provider.told(), 1);
    provider.has(Key::elliptic(), "k2");
    assert_eq!(login(&provider, &with, (600, 601), |_| {}).expect("let in"), "s-ann");
    assert_eq!(provider.told(), 2);
    // Tokens of a key that it never had do not have it asked each time.
    provider.has(Key::elliptic(), "k3");
    assert!(matches!(login(&provider, &with, (602, 603), |_| {}), Err(OidcError::Token(_))));
    assert_eq!(provider.told(), 2);
}

#[test]
fn the_claim_that_names_the_account_is_chosen_and_an_address_counts_once_it_is_verified() {
    let provider = Provider::new(Key::elliptic());
    let of = |claim: Claim| {
        oidc::Provider::new(settings(&provider, claim), "http://127.0.0.1:7878", &[7; 32]).expect("good")
    };
    let name = of(Claim::PreferredUsername);
    let known = login(&provider, &name, (0, 1), |claims| claims["preferred_username"] = json!("ann"));
    assert_eq!(known.expect("let in"), "ann");
    assert!(matches!(login(&provider, &name, (0, 1), |_| {}), Err(OidcError::Token(_))));
    let mail = of(Claim::Email);
    let with = |is_verified: Value| {
        login(&provider, &mail, (0, 1), |claims| {
            claims["email"] = json!("ann@example.com");
            claims["email_verified"] = is_verified;
        })
    };
    assert_eq!(with(json!(true)).expect("let in"), "ann@example.com");
    assert!(with(json!(false)).is_err());
}

#[test]
fn addresses_that_others_read_along_are_refused() {
    let provider = Provider::new(Key::elliptic());
    let good = settings(&provider, Claim::Sub);
    let open = |settings: Settings, own: &str| oidc::Provider::new(settings, own, &[7; 32]).map(drop);
    let here = "http://127.0.0.1:7878";
    open(good.clone(), here).expect("on this machine");
    open(good.clone(), "https://cohortflow.example").expect("over TLS");
    open(good.clone(), "http://cohortflow.example").expect_err("in the clear");
    for issuer in ["http://id.example", "ftp://id.example", "id.example", ""] {
        open(Settings { issuer: issuer.to_owned(), ..good.clone() }, here).expect_err(issuer);
    }
    let redirect = Some("https://cohortflow.example/elsewhere".to_owned());
    open(Settings { redirect, ..good }, here).expect_err("not where it is taken");
}

#[test]
fn a_program_sends_its_user_to_a_browser_and_gets_his_token() {
    let (home, provider) = (Home::new(), Provider::new(Key::elliptic()));
    let (service, _) = serve(&home, &provider);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.args(["login", "--browser", "--http", &format!("http://{}", service.address)]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("COHORTFLOW_TOKEN");
    let mut child = command.spawn().expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let address =
        lines.map(|line| line.trim().to_owned()).find(|line| line.starts_with("http://")).expect("an address");
    let path = address.strip_prefix(&format!("http://{}", service.address)).expect("the service's");
    let sent = sent(&service.get(path), &provider);
    let reply = sent.back(&service, &provider.lets_in(&sent.asked, "s-ann", |_| {}));
    assert_eq!(reply.status, 302, "{}", reply.text());
    let to = reply.header("location").expect("a location").strip_prefix("http://").expect("in the clear, here");
    let (waits, path) = to.split_once('/').expect("a path");
    let waits = waits.parse().expect("an address");
    // The code alone is of no use to who sees it, and is used up when he tries.
    let icon = send(waits, &request("GET", "/favicon.ico", &[], b"")).expect("answered");
    assert_eq!(icon.status, 404);
    assert_eq!(send(waits, &request("GET", &format!("/{path}"), &[], b"")).expect("answered").status, 200);
    let output = child.wait_with_output().expect("it ends");
    let token = String::from_utf8(output.stdout).expect("text");
    assert_eq!(me(&service, &json!(token.trim())).good()["name"], "ann");
    let code = path.split_once("code=").expect("a code").1;
    let fetched = json!({ "code": code, "verifier": "another" });
    service.post("/v1/oidc/session", &fetched).refused(401, "stale_login");
    for query in ["port=80", "port=8080&challenge=short", "challenge=x", "port=x", "else=1"] {
        service.get(&format!("/v1/oidc/login?{query}")).refused(400, "bad_request");
    }
}
