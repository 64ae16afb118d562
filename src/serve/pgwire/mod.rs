//! SQL over PostgreSQL's wire protocol (version 3, chapter "Frontend/Backend Protocol" of its documentation).
//!
//! Connections have threads of their own, and so have statements, which give way to everybody else: a scan that takes a
//! minute delays neither logins nor what lands. A statement ends with its deadline, when its client cancels it, and
//! within a second of its client's going.

mod answers;
mod commands;
mod connection;
mod copy;
mod cursors;
mod extended;
mod follow;
mod login;
mod peer;
mod prepared;
mod running;
mod settings;
mod simple;
mod startup;
mod times;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use ::pgwire::api::RandomPidSecretKeyGenerator;
use anyhow::Context;
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use super::Service;
use super::statements::{STACK, Statements};
use super::tls::Tls;
use connection::{Cancels, Connection};
pub use follow::Feeds;
use peer::Peer;
use startup::Handlers;

/// The name of the threads that read what clients send.
const THREAD: &str = "pgwire";

/// Connections at a time.
const CONNECTIONS_MAX: usize = 100;

/// How long a client may take to say who he is.
const LOGIN: Duration = Duration::from_secs(10);

/// What all connections share.
pub struct Shared {
    service: Arc<Service>,
    statements: Statements,
    /// Under which clients may speak, and have to where they come from elsewhere.
    tls: Option<Tls>,
    acceptor: Option<TlsAcceptor>,
    cancels: Mutex<HashMap<i32, Arc<Cancels>>>,
    connections: AtomicUsize,
    numbers: AtomicI32,
    /// Nobody else's guess: by these statements are cancelled.
    secrets: RandomPidSecretKeyGenerator,
}

/// Serves until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    /// For connections, which do not share it: the last of them would end it from within.
    runtime: Option<Runtime>,
}

/// Listens before anything is promised.
pub fn listen(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address).with_context(|| {
        format!("could not listen on {address} for SQL\nhint: choose another address with --pg, or none with --pg off")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    pub fn start(listener: std::net::TcpListener, service: Arc<Service>, tls: Option<Tls>) -> anyhow::Result<Server> {
        let address = listener.local_addr()?;
        tell_unreadable_messages();
        let connections = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(THREAD)
            .thread_stack_size(STACK)
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared {
            statements: service.statements.clone(),
            service,
            acceptor: tls.as_ref().map(|tls| tls.acceptor(&["postgresql"])).transpose()?,
            tls,
            cancels: Mutex::default(),
            connections: AtomicUsize::new(0),
            numbers: AtomicI32::new(1),
            secrets: RandomPidSecretKeyGenerator::default(),
        });
        connections.spawn(accept(listener, shared));
        Ok(Server { address, runtime: Some(connections) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever is connected is cut off: a statement writes nothing that could be left half done.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("SQL is not served: {error}"),
    };
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::spawn(serve(socket, shared.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: some are free again in a while.
                tracing::warn!("a SQL client could not connect: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let Ok(peer) = Peer::of(&socket) else { return };
    let _counted = Counted::new(&shared);
    let acceptor = shared.acceptor.clone();
    let connection = Arc::new(Connection::new(shared.clone(), peer));
    // However it ends, by a panic over what the client sent as well.
    let _closed = Closed(connection.clone());
    tokio::select! {
        served = ::pgwire::tokio::process_socket(socket, acceptor, Handlers(connection.clone())) => {
            if let Err(error) = served {
                tracing::debug!("a SQL client was cut off: {error}");
            }
        }
        () = connection.overdue(LOGIN) => tracing::info!("a SQL client was cut off: it took nothing for too long"),
    }
}

/// Closes a connection when it is let go of.
struct Closed(Arc<Connection>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Crates that read what clients send before we do.
const READERS: [&str; 2] = ["/pgwire-", "/bytes-"];

/// Some messages that are none are more than the protocol's library expects: it panics, which ends the task of that
/// connection and nothing else. That is told as what it is, and in a line.
fn tell_unreadable_messages() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_theirs = |place: &std::panic::Location<'_>| READERS.iter().any(|of| place.file().contains(of));
            match panic.location().filter(|place| is_theirs(place)) {
                Some(place) if std::thread::current().name() == Some(THREAD) => {
                    tracing::info!(%place, "a SQL client was cut off: what it sent could not be read");
                }
                _ => others(panic),
            }
        }));
    });
}

/// Counts a connection for as long as it lives.
struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: &Arc<Shared>) -> Counted {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        Counted(shared.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sets what a client wants to have set, of a connection of its own.
pub fn set(name: &str, value: &str) -> Result<(), crate::query::sql::refusal::Refusal> {
    settings::Settings::default().set(name, Some(value))
}
