//! Asking the identity provider over HTTP: nothing but what was named, within a time and a size.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use ureq::tls::TlsConfig;

/// How long the provider may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Largest answer, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// What could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("it names an address that is neither https nor on this machine")]
    Open,
    #[error(transparent)]
    Http(#[from] ureq::Error),
}

/// What asks.
pub struct Asking(ureq::Agent);

impl Asking {
    pub fn new(trusts: Option<TlsConfig>) -> Asking {
        // A provider does not lead elsewhere: whoever could make it do so would have us ask what only we reach.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE));
        let config = match trusts {
            Some(trusts) => config.tls_config(trusts),
            None => config,
        };
        Asking(config.build().into())
    }

    pub fn ask(&self, request: HttpRequest) -> Result<HttpResponse, AskError> {
        let uri = request.uri();
        if !is_private(uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default()) {
            return Err(AskError::Open);
        }
        let (parts, mut body) = self.0.run(request)?.into_parts();
        let bytes = body.with_config().limit(BYTES_MAX).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, bytes))
    }
}

/// Whether nobody between reads along.
pub fn is_private(scheme: &str, host: &str) -> bool {
    let is_here = || {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    };
    scheme == "https" || (scheme == "http" && is_here())
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn only_this_machine_is_asked_in_the_clear() {
        for (scheme, host, is) in [
            ("https", "id.example", true),
            ("http", "127.0.0.1", true),
            ("http", "[::1]", true),
            ("http", "localhost", true),
            ("http", "id.example", false),
            ("http", "localhost.example", false),
            ("ftp", "127.0.0.1", false),
        ] {
            assert_eq!(is_private(scheme, host), is, "{scheme}://{host}");
        }
    }
}
