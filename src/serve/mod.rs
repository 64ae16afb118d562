//! The service: watches a landing directory, keeps the views, answers over HTTP.

mod accounts;
mod answer;
mod audit;
mod batches;
mod campaigns;
mod card;
mod dead_letters;
mod door;
mod edits;
mod erasure;
mod feeds;
mod fit;
mod gate;
mod guard;
mod http;
mod login;
#[cfg(feature = "sql")]
mod meter;
mod metrics;
mod notices;
mod offers;
mod oidc;
mod openapi;
mod orders;
mod pages;
#[cfg(feature = "sql")]
mod pgwire;
mod policy;
#[cfg(feature = "sql")]
mod query;
mod ready;
mod receipts;
mod release;
mod routes;
mod standing;
#[cfg(feature = "sql")]
mod statements;
mod support;
mod tls;
pub mod tried;
mod undo;
mod views;
mod watch;
mod whatif;
mod why;
mod worklist;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use crate::access::audit::Audit;
use crate::access::oidc::{Provider, Settings};
use crate::access::{Accounts, Viewer};
use crate::engine::Engine;
use crate::feeds::{self as change_feeds, Feeds};
use crate::handoff::Handoffs;
use crate::handoff::webhook;
use crate::intake::Intake;
use crate::notices::Notices;
use crate::orders::Batches;
use crate::output::tell;
use crate::posting::Endpoint;
use crate::programme::{self, Document, Source};
use crate::query::Reading;
use crate::query::leaderboard::Leaderboard;
use crate::store::Store;
use crate::store::directory::Directory;
use crate::store::vfs::{Disk, Vfs};
use door::Door;
use feeds::posted::Posted;
pub use metrics::resident_bytes;
use ready::Readiness;
pub use tls::Files as TlsFiles;
use tls::Tls;

/// How the service is set up.
pub struct Config {
    pub programme: Option<PathBuf>,
    pub landing: PathBuf,
    pub data: PathBuf,
    /// Where channels find what is handed off.
    pub outbox: PathBuf,
    /// Channels whose contacts the service posts itself.
    pub webhooks: Vec<Endpoint>,
    /// Views that the service posts, each named as its endpoint is.
    pub feed_webhooks: Vec<Endpoint>,
    /// How long the attempts of what is posted take in all.
    pub webhook_patience: Duration,
    /// Bytes of the disk of the data directory that are kept for what forbids contacts.
    pub reserve: u64,
    pub http: SocketAddr,
    /// The certificate of HTTP and SQL; none: neither speaks TLS.
    pub tls: Option<tls::Files>,
    /// With whom people log in beside their passwords, if with anybody.
    pub oidc: Option<Settings>,
    /// Other addresses than loopback are served without accounts, or without TLS.
    pub is_insecure: bool,
    #[cfg(feature = "sql")]
    pub sql: Sql,
    pub workers: usize,
    /// Time between two looks at the landing directory.
    pub poll: Duration,
    /// Whether spans go to a collector.
    pub has_collector: bool,
}

impl Config {
    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Where SQL is to be served, if it is.
    fn sql_address(&self) -> Option<SocketAddr> {
        #[cfg(feature = "sql")]
        return self.sql.address;
        #[cfg(not(feature = "sql"))]
        None
    }

    /// An address that is reached from elsewhere, if there is one.
    fn elsewhere(&self) -> Option<SocketAddr> {
        [Some(self.http), self.sql_address()].into_iter().flatten().find(|address| !address.ip().is_loopback())
    }
}

/// How SQL is served.
#[cfg(feature = "sql")]
pub struct Sql {
    /// None: it is not.
    pub address: Option<SocketAddr>,
    /// The address is the one that is taken where none is named: another service may have it, and this one does
    /// without SQL then.
    pub is_default: bool,
    /// How long a statement may take.
    pub deadline: Duration,
}

#[cfg(feature = "sql")]
impl Default for Sql {
    fn default() -> Sql {
        Sql { address: Some(SQL), is_default: true, deadline: Duration::from_secs(SQL_SECONDS) }
    }
}

/// Where SQL is served unless another address is named.
pub const SQL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7879);

/// How long a statement may take unless something else is said.
pub const SQL_SECONDS: u64 = 30;

/// What requests share.
pub struct Service {
    pub intake: Intake,
    pub readiness: Readiness,
    pub metrics: metrics::Metrics,
    pub leaderboard: Leaderboard,
    pub feeds: Feeds,
    pub pages: pages::Pages,
    pub notices: Notices,
    pub accounts: Accounts,
    pub audit: Audit,
    /// With whom people log in beside their passwords.
    pub oidc: Option<oidc::Oidc>,
    #[cfg(feature = "sql")]
    pub statements: statements::Statements,
    /// Channels that are posted to.
    pub webhooks: Vec<String>,
    /// Views that are posted.
    pub posted: Vec<Arc<Posted>>,
    support: support::Support,
}

impl Service {
    /// What somebody sees, at what is visible now.
    pub fn reading(&self, viewer: &Viewer) -> Reading {
        self.intake.readings().reading(viewer.sight.clone())
    }
}

/// Runs until a signal to stop, or until nothing more can be promised.
pub fn serve(config: Config) -> anyhow::Result<()> {
    if let Some(address) = config.elsewhere() {
        anyhow::ensure!(
            config.is_insecure || config.tls.is_some(),
            "{address} is not a loopback address, and what is sent there can be read by others\nhint: name a certificate with --tls-cert and --tls-key, or say --insecure"
        );
    }
    #[cfg(feature = "sql")]
    let (statements, _threads) = statements::Statements::start(config.sql.deadline)?;
    let listener = std::net::TcpListener::bind(config.http)
        .with_context(|| format!("could not listen on {}\nhint: choose another address with --http", config.http))?;
    listener.set_nonblocking(true)?;
    #[cfg(feature = "sql")]
    let sql = listen_for_sql(&config.sql)?;
    std::fs::create_dir_all(&config.landing).with_context(|| {
        format!("could not make the landing directory {:?}\nhint: name another with --landing", config.landing)
    })?;
    let directory = Directory::open(&config.data)?;
    let (accounts, audit) = access(&config, &directory.token_key)?;
    let tls = config.tls.clone().map(Tls::open).transpose()?;
    let metrics = metrics::Metrics::install()?;
    let (door, stop) = (Arc::new(Door::default()), Arc::new(AtomicBool::new(false)));
    let (heard, is_heard) = crossbeam_channel::bounded::<()>(1);
    let address = listener.local_addr()?;
    let oidc =
        config.oidc.clone().map(|settings| provider(&config, settings, address, &directory.token_key)).transpose()?;
    let (opened, ends) = (door.clone(), StopAtEnd(stop.clone()));
    #[cfg(feature = "sql")]
    let sql_tls = tls.clone();
    let opening = std::thread::spawn(move || {
        let opened_by = Opening {
            metrics,
            accounts,
            audit,
            oidc,
            stop: ends.0.clone(),
            #[cfg(feature = "sql")]
            statements,
        };
        let (service, engine) = open(&config, directory.disk, directory.token_key, opened_by)?;
        opened.open(service.clone());
        #[cfg(feature = "sql")]
        let sql = sql.map(|sql| pgwire::Server::start(sql, service.clone(), sql_tls)).transpose()?;
        // A request and a signal are heard before anybody is told to send one.
        let _ = is_heard.recv();
        announce(address, &config, &service);
        #[cfg(feature = "sql")]
        if let Some(sql) = &sql {
            tell(format_args!("  SQL                 psql postgres://{}/{}", sql.address, crate::query::sql::DATABASE));
        }
        let config = &config;
        std::thread::scope(|scope| {
            for endpoint in &config.webhooks {
                let (service, ends) = (&service, StopAtEnd(ends.0.clone()));
                scope.spawn(move || {
                    let (patience, poll) = (config.webhook_patience, config.poll);
                    if let Err(error) = webhook::run(&service.intake, endpoint, patience, poll, &ends.0) {
                        watch::end(&error);
                    }
                });
            }
            for posted in &service.posted {
                let (service, ends) = (&service, StopAtEnd(ends.0.clone()));
                scope.spawn(move || posted.run(service, config.webhook_patience, &ends.0));
            }
            watch::watch(&service, &config.landing, config.poll, &ends.0);
        });
        anyhow::Ok(engine)
    });
    let served = http::run(listener, tls, door, stop.clone(), move || drop(heard));
    stop.store(true, Ordering::Release);
    // Whoever watches is in the middle of a file at most: it is finished, and durable. The engine
    // goes last: answers under way may wait for it.
    let engine = opening.join().map_err(|_| {
        anyhow::anyhow!(
            "the thread that takes files has failed\nhint: start the service again; nothing accepted is lost"
        )
    })??;
    served?;
    drop(engine);
    Ok(())
}

/// Listens for SQL clients, where somebody wants them served.
#[cfg(feature = "sql")]
fn listen_for_sql(sql: &Sql) -> anyhow::Result<Option<std::net::TcpListener>> {
    let Some(address) = sql.address else { return Ok(None) };
    match pgwire::listen(address) {
        Err(error) if sql.is_default => {
            tell(format_args!("warning: SQL is not served: {error:#}"));
            Ok(None)
        }
        listener => listener.map(Some),
    }
}

/// What a service is opened with, beside what it is set up with.
struct Opening {
    metrics: metrics::Metrics,
    accounts: Accounts,
    audit: Audit,
    oidc: Option<oidc::Oidc>,
    /// Ends those who follow views.
    stop: Arc<AtomicBool>,
    #[cfg(feature = "sql")]
    statements: statements::Statements,
}

/// Opens the store and makes all that it holds visible.
fn open(config: &Config, disk: Disk, token_key: [u8; 32], with: Opening) -> anyhow::Result<(Arc<Service>, Engine)> {
    let observe = with.metrics.clone();
    let mut store = Store::open(Arc::new(disk), token_key)?;
    store.keep_free(config.reserve);
    let engine = Engine::start(config.workers, move |latency| observe.visible(latency)).map_err(anyhow::Error::msg)?;
    let mut intake =
        Intake::begin(store, engine.hub(), |published| programme(config, published), jiff::Timestamp::now)?;
    intake.keep_reports();
    intake.keep_receipts();
    // Outside of the data, as the key is: what was handed off is known whatever copy of it is brought back.
    let mark = beside(&config.data, "handed")?;
    let whose = hex::encode(intake.names().read().key_fingerprint());
    let handoffs = Handoffs::open(&config.outbox, &mark, &whose)
        .with_context(|| format!("could not open the outbox {:?}\nhint: name another with --outbox", config.outbox))?;
    intake.hand_off_through(handoffs)?;
    for directory in webhook::abandoned(&config.outbox, &config.webhooks) {
        tell(format_args!(
            "warning: contacts of the channel {directory} were to be posted, and are not\nhint: serve with --webhook for it again"
        ));
    }
    let webhooks = config.webhooks.iter().map(|endpoint| endpoint.name.clone()).collect();
    let (readiness, leaderboard) = (Readiness::default(), Leaderboard::default());
    let (provisioning, mark) = (config.outbox.join("provisioning"), beside(&config.data, "provisioned")?);
    let batches = Batches::open(&provisioning, &mark).with_context(|| {
        format!(
            "could not open the directory of order requests {provisioning:?}\nhint: name another outbox with --outbox"
        )
    })?;
    intake.provision_through(batches);
    let kept = config.data.join("feeds");
    let failed = || format!("could not open the directory of change feeds {kept:?}");
    let vfs = Arc::new(Disk::open(&kept).with_context(failed)?);
    intake.finish_erasure(|| Feeds::forget_all(&*vfs).and_then(|()| Posted::forget_all(&config.data)))?;
    let posted = Posted::open(&config.data, config.feed_webhooks.clone())?;
    let feeds =
        change_feeds::Config { vfs, secret: token_key, reserve: config.reserve, retention: change_feeds::RETENTION };
    let feeds = Feeds::open(intake.readings(), feeds, with.stop).with_context(failed)?;
    let service = Service {
        intake,
        readiness,
        metrics: with.metrics,
        leaderboard,
        feeds,
        pages: pages::Pages::default(),
        notices: Notices::open(Arc::new(Disk::open(&config.data.join("notices"))?))?,
        accounts: with.accounts,
        audit: with.audit,
        oidc: with.oidc,
        #[cfg(feature = "sql")]
        statements: with.statements,
        webhooks,
        posted,
        support: support::Support::new(config),
    };
    Ok((Arc::new(service), engine))
}

/// A file beside the data directory.
fn beside(data: &Path, extension: &str) -> anyhow::Result<PathBuf> {
    let mut name = data.canonicalize()?.into_os_string();
    name.push(".");
    name.push(extension);
    Ok(name.into())
}

/// Whom people log in with.
fn provider(config: &Config, settings: Settings, address: SocketAddr, key: &[u8; 32]) -> anyhow::Result<oidc::Oidc> {
    Ok(oidc::Oidc::new(Provider::new(settings, &format!("{}://{address}", config.scheme()), key)?))
}

fn announce(address: SocketAddr, config: &Config, service: &Service) {
    let scheme = config.scheme();
    tell(format_args!("cohortflow serves {scheme}://{address}"));
    tell(format_args!("  landing directory   {}", config.landing.display()));
    tell(format_args!("  data directory      {}", config.data.display()));
    tell(format_args!("  outbox              {}", config.outbox.display()));
    tell(format_args!("  customer's card     {scheme}://{address}/v1/customers/ID"));
    tell(format_args!("  views               {scheme}://{address}/v1/views"));
    if service.accounts.keeper().is_some() {
        tell(format_args!(
            "  accounts            none: whoever reaches this address may do everything; `cohortflow account add` ends that"
        ));
    }
    if service.oidc.is_some() {
        tell(format_args!("  log in              {scheme}://{address}/v1/oidc/login"));
    }
    tell(format_args!("  health, metrics     {scheme}://{address}/healthz /readyz /metrics"));
}

/// Whom the service lets in, and what it notes. Nobody is let in from elsewhere before there is an account.
fn access(config: &Config, key: &[u8; 32]) -> anyhow::Result<(Accounts, Audit)> {
    let kept = config.data.join("access");
    let access: Arc<dyn Vfs> =
        Arc::new(Disk::open(&kept).with_context(|| format!("could not open the directory of accounts {kept:?}"))?);
    let accounts = Accounts::open(access.clone(), key)?;
    let audit = Audit::open(&access, key).with_context(|| {
        format!("{kept:?} holds a record of what was done that cannot be gone on with\nhint: put it aside, and find out who altered it")
    })?;
    if let Some(address) = config.elsewhere() {
        anyhow::ensure!(
            config.is_insecure || accounts.keeper().is_none(),
            "{address} is not a loopback address, and there are no accounts to tell who may ask\nhint: serve 127.0.0.1 first and make one with `cohortflow account add NAME --role administrator`, or say --insecure"
        );
    }
    Ok((accounts, audit))
}

/// Stops the service when the thread that feeds it ends, however it ends: without it the views stand still.
struct StopAtEnd(Arc<AtomicBool>);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The programme in force: the last one published wins over the one on the command line, and a
/// difference between the two is told.
fn programme(config: &Config, published: Option<&[crate::store::Source]>) -> anyhow::Result<Document> {
    let given = config.programme.as_deref().map(programme::load).transpose()?;
    let document = match published {
        None => match given {
            Some(given) => given,
            None => parse(programme::reference())?,
        },
        Some(sources) => {
            let sources = sources.iter().map(|(name, text)| Source { name: name.clone(), text: text.clone() });
            let document = parse(sources.collect())?;
            if given.as_ref().is_some_and(|given| given.sources != document.sources) {
                tell(format_args!(
                    "warning: the programme of the data directory is in force; it differs from {:?}\nhint: publish that one with `cohortflow apply`",
                    config.programme.as_deref().unwrap_or(std::path::Path::new(""))
                ));
            }
            document
        }
    };
    for warning in &document.warnings {
        tracing::info!("{warning}");
    }
    Ok(document)
}

fn parse(sources: Vec<Source>) -> anyhow::Result<Document> {
    programme::parse(sources).map_err(|diagnostics| anyhow::Error::new(programme::LoadError::Refused(diagnostics)))
}
