//! Whom a connection to elsewhere trusts, beside those whom the system does.

use std::path::Path;

use anyhow::Context;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

/// TLS that takes certificates signed by those of a PEM file alone.
pub fn signed_by(path: &Path) -> anyhow::Result<TlsConfig> {
    let pem = std::fs::read(path).with_context(|| format!("could not read the certificate {path:?}"))?;
    let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    anyhow::ensure!(!certificates.is_empty(), "{path:?} holds no certificate in PEM");
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
}
