//! TLS (rustls), for HTTP and SQL alike. A certificate that is renewed is taken up without a restart.

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, version};
use tokio_rustls::server::TlsStream;

/// Time between two looks at whether the files are others.
const LOOK: Duration = Duration::from_secs(10);

/// How long a client may take to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes under way, and connections that wait to be served.
const HANDSHAKES_MAX: usize = 256;
const AHEAD: usize = 64;

/// Largest file of certificates or of a key, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// Where the certificate and its key are.
#[derive(Clone, Debug)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What serves under a certificate.
#[derive(Clone)]
pub struct Tls {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    files: Files,
    current: ArcSwap<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    /// The text of the certificates, for binding logins to them.
    #[cfg(feature = "sql")]
    pem: Vec<u8>,
    changed: [Option<SystemTime>; 2],
}

impl Tls {
    pub fn open(files: Files) -> anyhow::Result<Tls> {
        let current = read(&files)?;
        let tls = Tls { held: Arc::new(Held { files, current: ArcSwap::from_pointee(current) }) };
        let weak = Arc::downgrade(&tls.held);
        std::thread::Builder::new().name("certificate".to_owned()).spawn(move || {
            while let Some(held) = weak.upgrade() {
                held.look();
                drop(held);
                std::thread::sleep(LOOK);
            }
        })?;
        Ok(tls)
    }

    /// For connections that speak one of these protocols.
    pub fn acceptor(&self, protocols: &[&str]) -> anyhow::Result<TlsAcceptor> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
            .with_no_client_auth();
        let mut config = builder.with_cert_resolver(self.held.clone());
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// The certificates as text.
    #[cfg(feature = "sql")]
    pub fn pem(&self) -> Vec<u8> {
        self.held.current.load().pem.clone()
    }
}

impl Held {
    /// Takes up what has changed. What cannot be read leaves what there was.
    fn look(&self) {
        if changed(&self.files) == self.current.load().changed {
            return;
        }
        match read(&self.files) {
            Ok(current) => {
                self.current.store(Arc::new(current));
                tracing::info!("the certificate was renewed");
            }
            Err(error) => tracing::error!("the renewed certificate is not taken up: {error:#}"),
        }
    }
}

impl ResolvesServerCert for Held {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load().key.clone())
    }
}

fn changed(files: &Files) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| std::fs::metadata(path).and_then(|about| about.modified()).ok())
}

fn read(files: &Files) -> anyhow::Result<Current> {
    let changed = changed(files);
    let pem =
        bytes(&files.certificate).with_context(|| format!("could not read the certificate {:?}", files.certificate))?;
    let certificates: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.with_context(|| format!("{:?} is no PEM file of certificates", files.certificate))?;
    ensure!(
        !certificates.is_empty(),
        "{:?} holds no certificate\nhint: it is a PEM file that begins with -----BEGIN CERTIFICATE-----",
        files.certificate
    );
    let key = bytes(&files.key).with_context(|| format!("could not read the certificate's key {:?}", files.key))?;
    let key =
        PrivateKeyDer::from_pem_slice(&key).with_context(|| format!("{:?} holds no private key in PEM", files.key))?;
    let key = CertifiedKey::from_der(certificates, key, &ring::default_provider())
        .with_context(|| format!("the key {:?} does not fit the certificate {:?}", files.key, files.certificate))?;
    Ok(Current {
        key: Arc::new(key),
        #[cfg(feature = "sql")]
        pem,
        changed,
    })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Connections of HTTP, with TLS or without. Who does not finish his handshake keeps nobody else waiting.
pub enum Listener {
    Plain(TcpListener),
    Tls(SocketAddr, mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>),
}

impl Listener {
    pub fn new(listener: TcpListener, tls: Option<&Tls>) -> anyhow::Result<Listener> {
        let Some(tls) = tls else { return Ok(Listener::Plain(listener)) };
        let acceptor = tls.acceptor(&["http/1.1"])?;
        let (sender, agreed) = mpsc::channel(AHEAD);
        let address = listener.local_addr()?;
        tokio::spawn(accept(listener, acceptor, sender));
        Ok(Listener::Tls(address, agreed))
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sender.closed() => return,
        };
        let (socket, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: some are free again in a while.
                tracing::warn!("a client could not connect: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            let _permit = permit;
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => drop(sender.send((stream, from)).await),
                Ok(Err(error)) => tracing::debug!("a client did not agree on keys: {error}"),
                Err(_) => tracing::debug!("a client took too long to agree on keys"),
            }
        });
    }
}

/// A connection.
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self {
            Listener::Plain(listener) => {
                let (socket, from) = axum::serve::Listener::accept(listener).await;
                (Stream::Plain(socket), from)
            }
            Listener::Tls(_, agreed) => match agreed.recv().await {
                Some((stream, from)) => (Stream::Tls(Box::new(stream)), from),
                // Nobody accepts any more: the service ends.
                None => std::future::pending().await,
            },
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Listener::Plain(listener) => listener.local_addr(),
            Listener::Tls(address, _) => Ok(*address),
        }
    }
}

mod streams {
    //! Bytes go through as they are.

    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Stream;

    impl AsyncRead for Stream {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            match self.get_mut() {
                Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
                Stream::Tls(stream) => Pin::new(&mut **stream).poll_read(context, buffer),
            }
        }
    }

    impl AsyncWrite for Stream {
        fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            match self.get_mut() {
                Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
                Stream::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
            }
        }

        fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            match self.get_mut() {
                Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
                Stream::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
            }
        }

        fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            match self.get_mut() {
                Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
                Stream::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
            }
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            pieces: &[io::IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            match self.get_mut() {
                Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
                Stream::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(context, pieces),
            }
        }

        fn is_write_vectored(&self) -> bool {
            match self {
                Stream::Plain(stream) => stream.is_write_vectored(),
                Stream::Tls(stream) => stream.is_write_vectored(),
            }
        }
    }
}
