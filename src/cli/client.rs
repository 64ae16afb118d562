//! Asking a running service.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde_json::Value;

use crate::output::{heard, tell};
use crate::trust;

/// Where the service is.
#[derive(clap::Args)]
pub struct Service {
    /// The service to ask.
    #[arg(long, value_name = "URL", env = "COHORTFLOW_URL", default_value = "http://127.0.0.1:7878")]
    http: String,
    /// A file with the token to ask with, as `cohortflow login` writes it; COHORTFLOW_TOKEN may hold the token itself
    /// [default: none, for a service without accounts].
    #[arg(long, value_name = "PATH", env = "COHORTFLOW_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// The certificate that signs the service's, a PEM file [default: those that the system trusts].
    #[arg(long, value_name = "FILE", env = "COHORTFLOW_CA")]
    ca: Option<PathBuf>,
}

/// An answer: what was asked for, or the service's own refusal.
pub enum Answer {
    Found(Value),
    Refused(Value),
}

impl Service {
    /// Where something of the service is reached.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.http)
    }

    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let agent = self.agent()?;
        self.answer(agent.get(format!("{}{path}", self.http)).call())
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.post_under(path, body, None)
    }

    /// The same, under a key by which it is known when it is sent again.
    pub fn post_under(&self, path: &str, body: &Value, key: Option<&str>) -> anyhow::Result<Answer> {
        let agent = self.agent()?;
        let mut request = agent.post(format!("{}{path}", self.http));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.answer(request.send_json(body))
    }

    /// Text as it comes, to anything; or the service's refusal.
    pub fn copy(&self, path: &str, out: &mut dyn std::io::Write) -> anyhow::Result<Option<Value>> {
        self.copied(self.agent()?.get(format!("{}{path}", self.http)).call(), out)
    }

    /// The same of what is answered to a body.
    pub fn post_copy(&self, path: &str, body: &Value, out: &mut dyn std::io::Write) -> anyhow::Result<Option<Value>> {
        self.copied(self.agent()?.post(format!("{}{path}", self.http)).send_json(body), out)
    }

    fn copied(
        &self,
        result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        out: &mut dyn std::io::Write,
    ) -> anyhow::Result<Option<Value>> {
        let mut response = result.map_err(|error| self.unreached(error))?;
        if !response.status().is_success() {
            return Ok(Some(json(&mut response)?));
        }
        heard(std::io::copy(&mut response.body_mut().as_reader(), out).map(|_| ())).context("the answer broke off")?;
        Ok(None)
    }

    /// An answer that goes on for as long as somebody reads it; or the service's refusal.
    pub fn stream(&self, path: &str) -> anyhow::Result<Result<impl std::io::BufRead + use<>, Value>> {
        let mut response =
            self.agent()?.get(format!("{}{path}", self.http)).call().map_err(|error| self.unreached(error))?;
        if !response.status().is_success() {
            return Ok(Err(json(&mut response)?));
        }
        Ok(Ok(std::io::BufReader::new(response.into_body().into_reader())))
    }

    pub fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        let agent = self.agent()?;
        self.answer(agent.delete(format!("{}{path}", self.http)).call())
    }

    /// Asks as whoever the token is of.
    fn agent(&self) -> anyhow::Result<ureq::Agent> {
        let mut config = ureq::Agent::config_builder().http_status_as_error(false);
        if let Some(path) = &self.ca {
            config = config.tls_config(trust::signed_by(path)?);
        }
        if let Some(token) = self.token()? {
            let value = ureq::http::HeaderValue::try_from(format!("Bearer {token}"));
            let mut value = value.context("the token holds what no token holds")?;
            value.set_sensitive(true);
            config = config.middleware(
                move |mut request: ureq::http::Request<ureq::SendBody>, next: ureq::middleware::MiddlewareNext| {
                    request.headers_mut().insert(ureq::http::header::AUTHORIZATION, value.clone());
                    next.handle(request)
                },
            );
        }
        Ok(config.build().into())
    }

    fn token(&self) -> anyhow::Result<Option<String>> {
        let token = match &self.token_file {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("could not read the token {path:?}\nhint: `cohortflow login NAME --output PATH` writes one")
                })?;
                Some(text)
            }
            None => std::env::var("COHORTFLOW_TOKEN").ok(),
        };
        Ok(token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()))
    }

    fn answer(&self, result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Answer> {
        let mut response = result.map_err(|error| self.unreached(error))?;
        let is_good = response.status().is_success();
        let value = json(&mut response)?;
        Ok(if is_good { Answer::Found(value) } else { Answer::Refused(value) })
    }

    fn unreached(&self, error: ureq::Error) -> anyhow::Error {
        anyhow!(
            "could not reach a service at {}: {error}\nhint: start one with `cohortflow serve`, or name another with --http",
            self.http
        )
    }
}

/// Largest answer that is taken for JSON, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

fn json(response: &mut ureq::http::Response<ureq::Body>) -> anyhow::Result<Value> {
    let value = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_json::<Value>();
    value.context("the service's answer is no JSON\nhint: is that a cohortflow service?")
}

/// A part of a path: everything but letters, digits and a few signs is written in percents.
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Prints a refusal as people read it; exit code 1.
pub fn refused(value: &Value) -> std::process::ExitCode {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    tell(format_args!("error: {}", text("detail").unwrap_or("the service refused")));
    let diagnostics = value.get("diagnostics").and_then(Value::as_array);
    for diagnostic in diagnostics.into_iter().flatten().filter_map(Value::as_str) {
        tell(format_args!("\n{diagnostic}"));
    }
    std::process::ExitCode::from(1)
}
