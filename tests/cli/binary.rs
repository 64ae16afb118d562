//! The binary, run to its end.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::files::assert_no_phone;

/// What a command told.
#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Told {
    #[track_caller]
    pub fn done(self) -> Told {
        self.ended(0)
    }

    /// Holds it to an exit code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Told {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }

    /// Holds an error to its form: the first line a fact that names the thing, then hints. `parts` must
    /// stand in it.
    #[track_caller]
    pub fn could_not(self, parts: &[&str]) -> Told {
        let told = self.ended(2);
        let error = told.error();
        let fact = error.lines().next().expect("a line");
        let first = fact.trim_start_matches("error: ").chars().next().expect("a fact");
        assert!(!first.is_uppercase() && !fact.ends_with('.'), "{fact}");
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?} of {error}");
        assert!(error.lines().skip(1).any(|line| line.starts_with("hint: ")), "no hint: {error}");
        told
    }

    /// Stderr from the error on.
    #[track_caller]
    pub fn error(&self) -> &str {
        let at = self.stderr.find("error: ").unwrap_or_else(|| panic!("no error: {}", self.stderr));
        &self.stderr[at..]
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.args(arguments).stdin(Stdio::null()).env_remove("COHORTFLOW_LOG").env_remove("COHORTFLOW_URL");
    command
}

/// Runs a command to its end.
#[track_caller]
pub fn cohortflow<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Told {
    let output = command(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let told = Told { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert_no_phone(&told.stdout, "stdout");
    assert_no_phone(&told.stderr, "stderr");
    assert!(!told.stderr.contains("panicked"), "{}", told.stderr);
    told
}

pub fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes/reference")
}

pub fn run(input: &Path, output: &Path, more: &[&str]) -> Told {
    let reference = reference();
    let arguments: [&OsStr; 7] = [
        "run".as_ref(),
        "--programme".as_ref(),
        reference.as_ref(),
        "--input".as_ref(),
        input.as_ref(),
        "--output".as_ref(),
        output.as_ref(),
    ];
    cohortflow(arguments.into_iter().chain(more.iter().map(OsStr::new)))
}

/// A directory with files.
pub fn directory(files: &[(String, String)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("written");
    }
    directory
}

/// The files of a directory and their bytes, by name.
pub fn listing(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry"))
        .map(|entry| (entry.file_name().into_string().expect("a name"), fs::read(entry.path()).expect("a file")))
        .collect();
    found.sort();
    found
}
