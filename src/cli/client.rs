//! Asking a running service.

use anyhow::{Context, anyhow};
use serde_json::Value;

use crate::output::{heard, tell};

/// Where the service is.
#[derive(clap::Args)]
pub struct Service {
    /// The service to ask.
    #[arg(long, value_name = "URL", env = "COHORTFLOW_URL", default_value = "http://127.0.0.1:7878")]
    http: String,
}

/// An answer: what was asked for, or the service's own refusal.
pub enum Answer {
    Found(Value),
    Refused(Value),
}

impl Service {
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let agent = agent();
        self.answer(agent.get(format!("{}{path}", self.http)).call())
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.post_under(path, body, None)
    }

    /// The same, under a key by which it is known when it is sent again.
    pub fn post_under(&self, path: &str, body: &Value, key: Option<&str>) -> anyhow::Result<Answer> {
        let agent = agent();
        let mut request = agent.post(format!("{}{path}", self.http));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.answer(request.send_json(body))
    }

    /// Text as it comes, to anything; or the service's refusal.
    pub fn copy(&self, path: &str, out: &mut dyn std::io::Write) -> anyhow::Result<Option<Value>> {
        self.copied(agent().get(format!("{}{path}", self.http)).call(), out)
    }

    /// The same of what is answered to a body.
    pub fn post_copy(&self, path: &str, body: &Value, out: &mut dyn std::io::Write) -> anyhow::Result<Option<Value>> {
        self.copied(agent().post(format!("{}{path}", self.http)).send_json(body), out)
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
        let mut response = agent().get(format!("{}{path}", self.http)).call().map_err(|error| self.unreached(error))?;
        if !response.status().is_success() {
            return Ok(Err(json(&mut response)?));
        }
        Ok(Ok(std::io::BufReader::new(response.into_body().into_reader())))
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

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
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
