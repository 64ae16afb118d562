//! `cohortflow serve`: the service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use crate::access::oidc::{Claim, Settings};
use crate::output::tell;
use crate::posting::Endpoint;
use crate::serve::{Config, SQL, SQL_SECONDS, TlsFiles, serve};
use crate::store::room::RESERVE_BYTES;

/// Run the service: take what lands, keep the views, answer over HTTP.
///
/// With no argument it starts on an embedded store, ./cohortflow-data, with the reference programme,
/// and watches ./landing. The programme last published with `apply` wins over --programme.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The programme to begin with: a TOML file, or a directory of them [default: the reference programme].
    #[arg(long, value_name = "PATH")]
    programme: Option<PathBuf>,
    /// The directory where extracts land.
    #[arg(long, value_name = "DIR", default_value = "landing")]
    landing: PathBuf,
    /// Where the store keeps its log. The key of phone numbers' tokens stands beside it, in DIR.key.
    #[arg(long, value_name = "DIR", default_value = "cohortflow-data")]
    data: PathBuf,
    /// Where channels find what is handed off to them, in DIR/channels/CHANNEL. Keep it with its journal, apart from the
    /// data: it tells what was handed off, whatever copy of the data is brought back.
    /// [default: beside the data, DATA.outbox]
    #[arg(long, value_name = "DIR")]
    outbox: Option<PathBuf>,
    /// Post the contacts of a channel instead of leaving them in the outbox, one by one and signed (Standard Webhooks). A
    /// contact may come more than once, always with the same webhook-id: an attempt whose answer is lost is repeated
    /// [default: none].
    #[arg(long, value_name = "CHANNEL=URL", value_parser = assigned)]
    webhook: Vec<(String, String)>,
    /// The file of the secret that a channel's receiver shares: whsec_ and base64 [default: none].
    #[arg(long, value_name = "CHANNEL=PATH", value_parser = assigned)]
    webhook_secret_file: Vec<(String, String)>,
    /// Post a view to a webhook, signed likewise: all its rows, then each change in order, and marks between them. Where a
    /// message is never taken, nothing behind it is posted until `dead-letters --view VIEW --replay` [default: none].
    #[arg(long, value_name = "VIEW=URL", value_parser = assigned)]
    feed_webhook: Vec<(String, String)>,
    /// The file of the secret that a view's receiver shares: whsec_ and base64 [default: none].
    #[arg(long, value_name = "VIEW=PATH", value_parser = assigned)]
    feed_webhook_secret_file: Vec<(String, String)>,
    /// Seconds over which a contact, or a message of a view, is tried, eight times in all, before it is a dead letter.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    webhook_patience: u32,
    /// Megabytes of the disk of DATA that are kept free. Past them only what forbids contacts is taken: opt-outs, lists,
    /// consents, a campaign's pause or end.
    #[arg(long, value_name = "MB", default_value_t = RESERVE_BYTES.div_ceil(1_000_000))]
    reserve: u64,
    /// Where HTTP is served. Loopback only, unless --insecure.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7878")]
    http: SocketAddr,
    /// Where SQL is served, to psql and drivers of PostgreSQL: an address, or off. Loopback only, unless --insecure
    /// [default: 127.0.0.1:7879, where that is free].
    #[arg(long, value_name = "ADDR", value_parser = listening)]
    pg: Option<Listening>,
    /// Seconds that a statement of SQL may take.
    #[arg(long, value_name = "SECONDS", default_value_t = SQL_SECONDS, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    sql_timeout: u64,
    /// Send spans of requests, files and statements to a collector: OTLP over HTTP, in protobuf. Where it does not answer
    /// they are dropped, and nothing waits [default: none].
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true)]
    otlp: Option<String>,
    /// The certificate of HTTP and SQL, a PEM file, which they speak TLS with then. A renewed one is taken up within ten
    /// seconds [default: none].
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file [default: none].
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let people log in with an identity provider too: its issuer, as OpenID Connect's discovery names it. Who it is that
    /// logs in is the provider's to say, what he may the account's whose subject that is [default: none].
    #[arg(long, value_name = "URL", requires = "oidc_client")]
    oidc_issuer: Option<String>,
    /// What the provider knows this service as [default: none].
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    oidc_client: Option<String>,
    /// A file with the secret that the provider gave this service [default: none, for one that takes PKCE for enough].
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    oidc_secret_file: Option<PathBuf>,
    /// Where the provider sends browsers back to, as it knows it: the address by which this service is reached, and
    /// /v1/oidc/callback behind it [default: the address of --http].
    #[arg(long, value_name = "URL", requires = "oidc_issuer")]
    oidc_redirect: Option<String>,
    /// What the provider tells of somebody by which his account is found.
    #[arg(long, value_name = "CLAIM", value_enum, default_value_t = Claim::Sub, requires = "oidc_issuer")]
    oidc_claim: Claim,
    /// The certificate that signs the provider's, a PEM file [default: those that the system trusts].
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    oidc_ca: Option<PathBuf>,
    /// Serve another address than loopback without accounts, or without TLS.
    #[arg(long)]
    insecure: bool,
    /// Worker threads of the dataflow. One is quicker for single changes, two for loads.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Milliseconds between two looks at the landing directory.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=3_600_000))]
    poll: u32,
}

impl Arguments {
    /// Where spans go.
    pub fn collector(&self) -> Option<&str> {
        self.otlp.as_deref().filter(|url| !url.is_empty())
    }
}

const EXAMPLE: &str = "\
Example: the reference programme, on an embedded store.
  cohortflow serve --landing landing --data cohortflow-data
Then, from another terminal:
  cohortflow ledger
For a machine that gathers logs as JSON, and traces:
  cohortflow serve --log info --log-format json --otlp http://127.0.0.1:4318
People log in with the company's accounts, once theirs has its subject (`account set NAME --subject SUBJECT`):
  cohortflow serve --oidc-issuer https://id.example --oidc-client cohortflow
What becomes of tiers, posted to another system as it changes:
  cohortflow serve --feed-webhook tier=https://crm.example/ --feed-webhook-secret-file tier=key";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    #[cfg_attr(not(feature = "sql"), expect(unused_variables, reason = "it is told that there is no SQL"))]
    let pg = match arguments.pg {
        None => Some(SQL),
        Some(Listening::Off) => None,
        Some(Listening::On(address)) => Some(address),
    };
    if cfg!(not(feature = "sql")) && matches!(arguments.pg, Some(Listening::On(_))) {
        tell(format_args!("warning: this build has no SQL, and --pg no effect\nhint: build it with the feature sql"));
    }
    let webhooks = receivers(&arguments.webhook, &arguments.webhook_secret_file, "--webhook")?;
    let feed_webhooks = receivers(&arguments.feed_webhook, &arguments.feed_webhook_secret_file, "--feed-webhook")?;
    let oidc = arguments.oidc_issuer.clone().zip(arguments.oidc_client.clone());
    let oidc = oidc.map(|(issuer, client)| identity(&arguments, issuer, client)).transpose()?;
    let has_collector = arguments.collector().is_some() && cfg!(feature = "otlp");
    serve(Config {
        programme: arguments.programme,
        landing: arguments.landing,
        outbox: arguments.outbox.unwrap_or_else(|| beside(&arguments.data)),
        data: arguments.data,
        webhooks,
        feed_webhooks,
        webhook_patience: Duration::from_secs(u64::from(arguments.webhook_patience)),
        reserve: arguments.reserve.saturating_mul(1_000_000),
        http: arguments.http,
        tls: arguments.tls_cert.zip(arguments.tls_key).map(|(certificate, key)| TlsFiles { certificate, key }),
        oidc,
        is_insecure: arguments.insecure,
        #[cfg(feature = "sql")]
        sql: crate::serve::Sql {
            address: pg,
            is_default: arguments.pg.is_none(),
            deadline: Duration::from_secs(arguments.sql_timeout),
        },
        workers: usize::from(arguments.workers),
        poll: Duration::from_millis(u64::from(arguments.poll)),
        has_collector,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn identity(arguments: &Arguments, issuer: String, client: String) -> anyhow::Result<Settings> {
    let secret = |path: &PathBuf| {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read {path:?}\nhint: it holds the secret that the provider gave"))?;
        anyhow::ensure!(!text.trim().is_empty(), "{path:?} holds no secret");
        Ok(text.trim().to_owned())
    };
    Ok(Settings {
        issuer,
        client,
        secret: arguments.oidc_secret_file.as_ref().map(secret).transpose()?,
        redirect: arguments.oidc_redirect.clone(),
        claim: arguments.oidc_claim,
        ca: arguments.oidc_ca.clone(),
    })
}

/// Another directory than that of another store's, so that no two share one.
fn beside(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".outbox");
    name.into()
}

/// Where something is served, if it is.
#[derive(Clone, Copy)]
enum Listening {
    Off,
    #[cfg_attr(not(feature = "sql"), allow(dead_code, reason = "without SQL nobody listens there"))]
    On(SocketAddr),
}

fn listening(text: &str) -> Result<Listening, String> {
    match text {
        "off" => Ok(Listening::Off),
        text => text.parse().map(Listening::On).map_err(|_| "expected an address and a port, or off".to_owned()),
    }
}

/// What stands on both sides of the first =.
fn assigned(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() || value.is_empty() {
        return Err("expected a name and a value".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The receivers that an option names, each with its secret.
fn receivers(urls: &[(String, String)], secrets: &[(String, String)], option: &str) -> anyhow::Result<Vec<Endpoint>> {
    let one = |pairs: &[(String, String)], name: &str| {
        let mut of = pairs.iter().filter(|(of, _)| of == name).map(|(_, value)| value.clone());
        (of.next(), of.next().is_some())
    };
    for (name, _) in secrets {
        anyhow::ensure!(one(urls, name).0.is_some(), "there is a webhook secret of {name:?} and no {option} for it");
    }
    let endpoint = |(name, url): &(String, String)| {
        let (secret, is_ambiguous) = one(secrets, name);
        anyhow::ensure!(
            !is_ambiguous && !one(urls, name).1,
            "{name:?} has two webhooks, or two secrets\nhint: give {option} and {option}-secret-file once for it"
        );
        let secret = secret.with_context(|| {
            format!("the webhook of {name:?} has no secret\nhint: name its file with {option}-secret-file {name}=PATH")
        })?;
        Endpoint::new(name, url, secret.as_ref())
    };
    urls.iter().map(endpoint).collect()
}
