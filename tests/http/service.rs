//! A service of its own for each test: its directories, its process, what it tells on stderr.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::exchange::{PATIENCE, Reply, request, send};
use crate::files::assert_no_phone;

/// The directories of a service. They outlive its process, so that it can be started again.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Home {
        let home = Home(tempfile::tempdir().expect("a directory"));
        fs::create_dir(home.landing()).expect("made");
        home
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn landing(&self) -> PathBuf {
        self.path().join("landing")
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Lands a file as an operator's transfer does: under a dot-name, which is given its own when it is whole.
    pub fn land(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let half = self.landing().join(format!(".{name}"));
        fs::write(&half, bytes).expect("written");
        fs::rename(half, self.landing().join(name)).expect("named");
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["--log", "cohortflow=trace", "serve", "--http", "127.0.0.1:0", "--poll", "10", "--landing"]);
        command.arg(self.landing()).arg("--data").arg(self.data()).args(arguments);
        if !arguments.contains(&"--pg") {
            command.args(["--pg", "off"]);
        }
        self.at_home(command)
    }

    /// A command that works here, and is listened to.
    pub fn at_home(&self, mut command: Command) -> Command {
        command.env_remove("COHORTFLOW_LOG").current_dir(self.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    pub fn serve(&self) -> Service {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, arguments: &[&str]) -> Service {
        Service::start(self.command(arguments))
    }
}

/// A running service.
pub struct Service {
    pub address: SocketAddr,
    child: Child,
    told: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
    is_deaf: Arc<AtomicBool>,
}

impl Service {
    /// Starts it and reads where it serves.
    pub fn start(command: Command) -> Service {
        Service::start_as(command, str::to_owned)
    }

    /// The same of one that tells its lines in another form, which `read` takes back.
    pub fn start_as(mut command: Command, read: impl Fn(&str) -> String) -> Service {
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let told = Arc::new(Mutex::new(String::new()));
        let mut address = None;
        for line in lines.by_ref() {
            note(&told, &line);
            let line = read(&line);
            address =
                line.strip_prefix("cohortflow serves http://").map(|address| address.parse().expect("an address"));
            if address.is_some() {
                break;
            }
        }
        let Some(address) = address else { panic!("it ended: {}", told.lock().expect("not poisoned")) };
        // Read to the end, so that the service never waits for somebody to read its log.
        let (noted, is_deaf) = (told.clone(), Arc::new(AtomicBool::new(false)));
        let deaf = is_deaf.clone();
        let listener = std::thread::spawn(move || {
            let heard = |line: &String| {
                note(&noted, line);
                !deaf.load(Ordering::Acquire)
            };
            lines.take_while(heard).for_each(drop);
        });
        Service { address, child, told, listener: Some(listener), is_deaf }
    }

    pub fn get(&self, target: &str) -> Reply {
        self.ask("GET", target, &[], b"")
    }

    pub fn post(&self, target: &str, body: &Value) -> Reply {
        self.ask("POST", target, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let reply = send(self.address, &request(method, target, headers, body));
        let reply = reply.unwrap_or_else(|| panic!("no answer to {method} {target}"));
        assert_no_phone(&String::from_utf8_lossy(&reply.body), target);
        reply
    }

    /// Sends bytes as they are. None where the connection was closed without an answer.
    pub fn raw(&self, bytes: &[u8]) -> Option<Reply> {
        send(self.address, bytes)
    }

    /// Asks until the answer is one that is wanted, and gives what was made of it.
    #[track_caller]
    pub fn until<T>(&self, target: &str, wanted: impl Fn(&Reply) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.get(target);
            if let Some(found) = wanted(&reply) {
                return found;
            }
            assert!(Instant::now() < deadline, "{target} stays at {:?}", String::from_utf8_lossy(&reply.body));
            // Between two questions the service is given the processor.
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Waits until so many files have an entry in the ledger and all that was accepted is visible.
    #[track_caller]
    pub fn settle(&self, files: usize) -> u64 {
        let epoch = self.until("/v1/views/ingest_ledger", |reply| {
            let ledger = reply.good();
            let rows = ledger["rows"].as_array().expect("rows");
            let epochs = rows.iter().filter(|row| row["status"] == "accepted").filter_map(|row| row["epoch"].as_u64());
            (rows.len() == files).then(|| epochs.max().unwrap_or(0))
        });
        self.until("/readyz", |reply| reply.json()["epoch"].as_u64().filter(|visible| *visible >= epoch))
    }

    /// Closes stderr with the next line that is told.
    pub fn stop_listening(&self) {
        self.is_deaf.store(true, Ordering::Release);
    }

    /// What it has told on stderr until now.
    pub fn told(&self) -> String {
        self.told.lock().expect("not poisoned").clone()
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(status.expect("a shell").success());
    }

    /// Lets its files be as long as they like.
    pub fn lift_limit(&self) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32);
        let limit = rustix::process::Rlimit { current: None, maximum: None };
        rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit).expect("the limit is lifted");
    }

    /// Waits for the process to end, which it must do by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited for") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("waited for").is_none()
    }

    /// Ends it as an operator does.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.ended().code(), Some(0), "{}", self.told());
    }

    /// Ends it as a machine does.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited for");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        if !std::thread::panicking() {
            let told = self.told();
            assert_no_phone(&told, "stderr");
            assert!(!told.contains("panicked"), "{told}");
        }
    }
}

fn note(told: &Mutex<String>, line: &str) {
    let mut told = told.lock().expect("not poisoned");
    told.push_str(line);
    told.push('\n');
}
