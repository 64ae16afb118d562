//! The service's door: open to probes from the start, and to everybody once all that is stored is visible.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::Service;
use super::answer::Refusal;

/// What the routes share.
#[derive(Default)]
pub struct Door(OnceLock<Arc<Service>>);

impl Door {
    /// Lets requests through to a service.
    pub fn open(&self, service: Arc<Service>) {
        // It is opened once.
        let _ = self.0.set(service);
    }

    /// The service, once it is open.
    pub fn service(&self) -> Option<&Arc<Service>> {
        self.0.get()
    }
}

/// The service, for routes that need it.
pub struct Opened(pub Arc<Service>);

impl FromRequestParts<Arc<Door>> for Opened {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, door: &Arc<Door>) -> Result<Opened, Refusal> {
        let refused = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "opening", OPENING);
        door.service().cloned().map(Opened).ok_or_else(refused)
    }
}

/// Why nothing is answered yet.
pub const OPENING: &str = "what is stored is still being read; /readyz tells when it is";

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn before_it_is_open_probes_are_answered_and_others_are_told_to_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let server =
            std::thread::spawn(move || super::super::http::run(listener, None, Arc::default(), stopped, || {}));
        let get = |path: &str| {
            let mut stream = TcpStream::connect(address).expect("connected");
            write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("answered");
            answer
        };
        assert!(get("/healthz").starts_with("HTTP/1.1 200 "));
        let ready = get("/readyz");
        assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains(OPENING), "{ready}");
        for path in ["/metrics", "/v1/customers/c1", "/v1/views/tier", "/v1/programme", "/v1/held"] {
            let answer = get(path);
            assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"opening\""), "{path}: {answer}");
        }
        stop.store(true, Ordering::Release);
        server.join().expect("ended").expect("well");
    }
}
