//! Where something is posted, and how it is signed.
//!
//! A message is signed as Standard Webhooks has it (standardwebhooks.com): HMAC-SHA256 over id, time and body under the
//! secret that both sides hold.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};

/// How long a receiver may take to be reached, and to answer.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Bytes of a secret, decoded: what Standard Webhooks asks for.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A receiver. Neither its address, which may hold a secret of its own, nor its key is ever told.
#[derive(Clone)]
pub struct Endpoint {
    /// What it is posted for: a channel, or a view.
    pub name: String,
    url: String,
    key: Vec<u8>,
    agent: ureq::Agent,
}

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    Sent,
    /// The receiver will never take it.
    Refused(Status),
    /// It may be tried again; no earlier than after that time, where the receiver said so.
    Failed(Status, Option<Duration>),
}

/// What a receiver answered; none where there was no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub Option<u16>);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(f, "{status}"),
            None => f.write_str("no answer"),
        }
    }
}

impl Endpoint {
    /// A receiver at an address, with the file of the secret that is shared with it.
    pub fn new(name: &str, url: &str, secret: &Path) -> anyhow::Result<Endpoint> {
        let is_loopback = is_loopback(url).with_context(|| format!("could not use the webhook of {name:?}"))?;
        let text = std::fs::read_to_string(secret)
            .with_context(|| format!("could not read the webhook secret {secret:?} of {name:?}"))?;
        let key = text.trim().strip_prefix("whsec_").and_then(|text| BASE64_STANDARD.decode(text).ok());
        let key = key.filter(|key| SECRET_BYTES.contains(&key.len())).with_context(|| {
            format!(
                "could not read the webhook secret {secret:?} of {name:?}: expected whsec_ and 24 to 64 bytes in base64\nhint: make one with: echo whsec_$(head -c 32 /dev/urandom | base64)"
            )
        })?;
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // What is signed for one receiver is not carried to another.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_global(Some(ANSWER_MAX))
            .user_agent("cohortflow")
            .tls_config(tls);
        // Nothing of this machine goes through a proxy.
        let config = if is_loopback { config.proxy(None) } else { config };
        Ok(Endpoint { name: name.to_owned(), url: url.to_owned(), key, agent: config.build().into() })
    }

    /// Posts a message once. `at` is in seconds since 1970.
    pub fn post(&self, id: &str, at: i64, body: &str) -> Attempt {
        let request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", self.signature(id, at, body));
        match request.send(body) {
            Ok(response) => {
                let later = response.headers().get("retry-after").and_then(|value| later(value.to_str().ok()?, at));
                judged(response.status(), later)
            }
            Err(error) => {
                tracing::debug!(name = self.name, "no answer: {}", kind(&error));
                Attempt::Failed(Status(None), None)
            }
        }
    }

    /// By which this address is told from others, without telling it.
    pub fn fingerprint(&self) -> String {
        hex::encode(&blake3::derive_key("cohortflow addresses of webhooks", self.url.as_bytes())[..8])
    }

    fn signature(&self, id: &str, at: i64, body: &str) -> String {
        // A key may have any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        for part in [id, ".", &at.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Whether an address is of this machine. Others are only spoken to under encryption: what is posted is personal data.
fn is_loopback(url: &str) -> anyhow::Result<bool> {
    let uri: Uri = url.parse().ok().context("its address cannot be read\nhint: give it as NAME=https://HOST/PATH")?;
    let host = uri.host().context("its address names no host")?;
    let is_address_here = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_here = host == "localhost" || is_address_here;
    let scheme = uri.scheme_str().unwrap_or_default();
    ensure!(
        scheme == "https" || scheme == "http" && is_here,
        "expected https, or http to a loopback address\nhint: what is posted is personal data; nobody on the way may read it"
    );
    Ok(is_here)
}

/// What went wrong, not in the error's own words: they may hold the address.
fn kind(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Timeout(_) => "it took too long",
        ureq::Error::HostNotFound => "the host is not known",
        ureq::Error::ConnectionFailed => "the host could not be reached",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate is not trusted, or TLS failed otherwise",
        ureq::Error::Io(_) => "the connection could not be made, or broke off",
        _ => "no HTTP was understood",
    }
}

/// How long a receiver wants to be left alone, in the forms of RFC 9110, section 10.2.3.
fn later(text: &str, now: i64) -> Option<Duration> {
    let seconds = text.trim().parse().ok().or_else(|| {
        let until = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        u64::try_from(until.timestamp().as_second() - now).ok()
    })?;
    Some(Duration::from_secs(seconds))
}

fn judged(status: StatusCode, later: Option<Duration>) -> Attempt {
    let told = Status(Some(status.as_u16()));
    match status {
        status if status.is_success() => Attempt::Sent,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Attempt::Failed(told, later),
        status if status.is_client_error() => Attempt::Refused(told),
        _ => Attempt::Failed(told, later),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(secret: &str) -> anyhow::Result<Endpoint> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), secret).expect("written");
        Endpoint::new("sms", "http://127.0.0.1:1/", file.path())
    }

    #[test]
    fn a_message_is_signed_as_the_standard_says() {
        // The example of the specification.
        let endpoint = endpoint("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("a secret");
        let signature = endpoint.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_long_enough_and_in_base64() {
        for secret in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La!aSw",
        ] {
            assert!(endpoint(secret).is_err(), "{secret}");
        }
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for url in ["http://127.0.0.1:80/a", "http://[::1]/", "http://localhost:9/x", "https://sms.example/hook"] {
            assert!(is_loopback(url).is_ok(), "{url}");
        }
        for url in
            ["http://sms.example/", "http://10.0.0.1/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "sms", ""]
        {
            assert!(is_loopback(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_receiver_says_when_he_is_to_be_asked_again() {
        let now = "2009-07-01T12:00:00Z".parse::<jiff::Timestamp>().expect("a moment").as_second();
        let seconds = |text| later(text, now).map(|later| later.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Wed, 01 Jul 2009 12:01:30 GMT"), Some(90));
        for text in ["Wed, 01 Jul 2009 11:00:00 GMT", "-1", "soon", "", "1.5"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_refused_for_good_is_told_from_what_may_be_tried_again() {
        let check = |status: u16, expected: fn(Status) -> Attempt| {
            let code = StatusCode::from_u16(status).expect("a status");
            assert_eq!(judged(code, None), expected(Status(Some(status))), "{status}");
        };
        [200, 202, 204].into_iter().for_each(|status| check(status, |_| Attempt::Sent));
        [400, 401, 404, 410, 422].into_iter().for_each(|status| check(status, Attempt::Refused));
        [301, 307, 408, 429, 500, 503].into_iter().for_each(|status| check(status, |told| Attempt::Failed(told, None)));
    }
}
