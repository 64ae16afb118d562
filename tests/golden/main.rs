//! The figures of the field reports, and of a public experiment, from rows made to their counts.
//!
//! `data` makes the rows; here they go through `cohortflow run`, and the files that it writes are held against what
//! was published.

mod campaigns;
mod data;
mod email;
mod penetration;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use data::Golden;

/// What a run wrote.
struct Run {
    directory: tempfile::TempDir,
}

/// A row by its columns.
type Row = BTreeMap<String, String>;

impl Run {
    fn over(golden: &Golden) -> Run {
        let directory = tempfile::tempdir().expect("a directory");
        let run = Run { directory };
        fs::create_dir(run.path("in")).expect("created");
        fs::write(run.path("programme.toml"), &golden.programme).expect("written");
        golden.files.iter().for_each(|(name, text)| fs::write(run.path("in").join(name), text).expect("written"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
        command.arg("run").arg("--programme").arg(run.path("programme.toml"));
        command.arg("--input").arg(run.path("in")).arg("--output").arg(run.path("out"));
        let output = command.output().expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let quarantine = fs::read_to_string(run.path("out").join("quarantine.csv")).expect("a view");
        assert_eq!(quarantine.lines().count(), 1, "{quarantine}");
        run
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn view(&self, name: &str) -> Vec<Row> {
        let path = self.path("out").join(format!("{name}.csv"));
        let mut reader = csv::Reader::from_path(path).expect("the view is written");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    }

    /// The one row of a view with such a key, columns and values in turn.
    #[track_caller]
    fn row(&self, view: &str, key: &[(&str, &str)]) -> Row {
        let rows = self.view(view).into_iter();
        let mut found = rows.filter(|row| key.iter().all(|(column, value)| row[*column] == *value));
        let row = found.next().unwrap_or_else(|| panic!("no row of {view} with {key:?}"));
        assert!(found.next().is_none(), "rows of {view} with {key:?}");
        row
    }
}

/// A whole number.
#[track_caller]
fn whole(row: &Row, column: &str) -> i64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// A number with four places, in ten-thousandths.
#[track_caller]
fn rate(row: &Row, column: &str) -> i64 {
    let text = &row[column];
    let (whole, places) = text.split_once('.').unwrap_or_else(|| panic!("{column} of {row:?}"));
    assert_eq!(places.len(), 4, "{column} of {row:?}");
    format!("{whole}{places}").parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// A part of a whole in units of which `unit` are 1, the half up: how the reports round, and how rates are rounded.
fn rounded(part: usize, whole: usize, unit: usize) -> i64 {
    ((2 * part * unit + whole) / (2 * whole)) as i64
}
