//! `login`: with a password, or in a browser with an identity provider.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::accounts::{password, told};
use super::client::{Answer, Service};
use crate::access::oidc::{ATTEMPT_SECONDS, challenge};
use crate::output::{print, tell};

/// Log in: what it prints is the token that other commands ask with, for eight hours.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The name of the account [default: none, with --browser].
    #[arg(required_unless_present = "browser")]
    name: Option<String>,
    /// Log in in a browser on this machine, with the identity provider that the service has: who it is tells the account.
    #[arg(long, conflicts_with_all = ["name", "password_file"])]
    browser: bool,
    /// A file whose first line is the password [default: it is asked for].
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
    /// Write the token to a file that its owner alone can read [default: it is printed].
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    service: Service,
}

const EXAMPLE: &str = "\
Example: log in, then ask with the token.
  cohortflow login mei --output token
  cohortflow customer c1 --token-file token
With the company's own accounts, where the service was given their provider:
  cohortflow login --browser --output token";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { name, password_file, output, service, .. } = arguments;
    let answer = match name {
        Some(name) => {
            let password = password(password_file.as_deref(), &format!("Password of {name}: "), false)?;
            service.post("/v1/login", &json!({ "name": name, "password": password }))?
        }
        None => in_browser(&service)?,
    };
    told(answer, |answer| {
        let token = answer.get("token").and_then(Value::as_str).unwrap_or_default();
        let Some(path) = output else { return print(format_args!("{token}")) };
        let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let failed = || format!("could not write {path:?}");
        writeln!(opened.with_context(failed)?, "{token}").with_context(failed)
    })
}

/// Sends somebody to the service with a browser, and waits on this machine for what comes of it (RFC 8252).
fn in_browser(service: &Service) -> anyhow::Result<Answer> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("could not wait for the browser")?;
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let verifier = URL_SAFE_NO_PAD.encode(bytes);
    let (port, challenge) = (listener.local_addr()?.port(), challenge(&verifier));
    tell(format_args!("open this in a browser on this machine:"));
    tell(format_args!("  {}", service.address(&format!("/v1/oidc/login?port={port}&challenge={challenge}"))));
    let code = returned(&listener)?;
    service.post("/v1/oidc/session", &json!({ "code": code, "verifier": verifier }))
}

/// How long a browser may take to say what it brings.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest first line of a request, in bytes.
const LINE_MAX: u64 = 4096;

/// The code that a browser brings. Whatever else comes, such as its wish for an icon, is answered and left.
fn returned(listener: &TcpListener) -> anyhow::Result<String> {
    let until = Instant::now() + Duration::from_secs(ATTEMPT_SECONDS.unsigned_abs());
    loop {
        let left = until.saturating_duration_since(Instant::now());
        anyhow::ensure!(
            wait(listener, left)?,
            "nobody came back from the browser within {} minutes\nhint: log in again; the browser must be on this machine",
            ATTEMPT_SECONDS / 60
        );
        let Ok((stream, _)) = listener.accept() else { continue };
        if let Some(code) = brought(stream) {
            return Ok(code);
        }
    }
}

fn wait(listener: &TcpListener, left: Duration) -> anyhow::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let timeout = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: 0 };
    let mut polled = [PollFd::new(listener, PollFlags::IN)];
    match poll(&mut polled, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(!left.is_zero()),
        Err(error) => Err(error.into()),
    }
}

fn brought(mut stream: TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let mut line = String::new();
    BufReader::new((&stream).take(LINE_MAX)).read_line(&mut line).ok()?;
    let query = line.split(' ').nth(1)?.split_once('?').map(|(_, query)| query);
    let code = query.and_then(|query| query.split('&').find_map(|part| part.strip_prefix("code=")));
    let (status, text) = match code {
        Some(_) => ("200 OK", "You are logged in. This page can be closed."),
        None => ("404 Not Found", "Nothing is here."),
    };
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
    );
    // A browser that has gone does not need it.
    let _ = stream.write_all(answer.as_bytes());
    code.map(str::to_owned)
}
