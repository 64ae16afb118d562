//! The built service on a directory of input, for benches that ask it as its users do.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running service, which ends however the measurement ends.
pub struct Service {
    child: Child,
    home: PathBuf,
    /// Where it serves HTTP: an address and a port.
    pub http: String,
    /// Where it serves SQL, as drivers take it.
    pub sql: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

impl Service {
    pub fn start(name: &str, input: &Path, programme: &Path) -> Service {
        let home = std::env::temp_dir().join(format!("cohortflow-bench-{name}-{}", std::process::id()));
        let landing = home.join("landing");
        fs::create_dir_all(&landing).expect("a landing directory");
        for entry in fs::read_dir(input).expect("the input") {
            let entry = entry.expect("an entry");
            if entry.file_name() != "done" {
                let to = landing.join(entry.file_name());
                fs::hard_link(entry.path(), &to)
                    .or_else(|_| fs::copy(entry.path(), &to).map(drop))
                    .expect("an input file");
            }
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0", "--poll", "20", "--programme"]);
        command.arg(programme).arg("--landing").arg(&landing).arg("--data").arg(home.join("data"));
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the service");
        let mut lines = BufReader::new(child.stderr.take().expect("its messages")).lines();
        let mut service = Service { child, home, http: String::new(), sql: String::new() };
        for line in lines.by_ref().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("cohortflow serves http://") {
                address.clone_into(&mut service.http);
            }
            if let Some((_, address)) = line.split_once("psql postgres://") {
                service.sql = format!("postgres://analyst@{address}");
                break;
            }
        }
        assert!(!service.sql.is_empty(), "it tells where it serves");
        std::thread::spawn(move || lines.for_each(drop));
        service
    }

    /// Waits until so many files are taken and visible.
    pub fn until_taken(&self, files: usize) {
        let target = format!("http://{}/v1/views/ingest_ledger", self.http);
        let agent = ureq::Agent::new_with_defaults();
        let taken = || -> usize {
            let answer: serde_json::Value =
                agent.get(&target).call().expect("answered").body_mut().read_json().expect("JSON");
            answer["rows"].as_array().map_or(0, Vec::len)
        };
        while taken() < files {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The programme of the benches with more behind it, in a file of this process.
pub fn programme(more: &str) -> PathBuf {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes/bench.toml");
    let text = fs::read_to_string(bench).expect("a programme") + more;
    let path = std::env::temp_dir().join(format!("cohortflow-bench-{}.toml", std::process::id()));
    fs::write(&path, text).expect("written");
    path
}

/// What this process has used of processors, in seconds.
pub fn own_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may have blanks and ends with a parenthesis; in hundredths of a second.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
