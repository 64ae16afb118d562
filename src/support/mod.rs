//! What is handed to whoever is asked for help: how the service is built, set up and faring, without anybody's data.
//!
//! Decided here:
//! - Of the data there are counts and the sizes of files by name, and nothing that stands in them. The programme goes along
//!   whole, since it is rules, but for the phone numbers that its texts may name.
//! - Of the settings there is what decides how the service works. No secret is among them, and of addresses that may hold
//!   one, those of webhooks and of a collector, there is only whether they are named.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::store::Ledger;

/// Files that are listed of a directory, and how deep below it.
const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 4;

/// A file by its name below the directory.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Sized {
    pub name: String,
    pub bytes: u64,
}

/// How this was built.
pub fn build() -> Value {
    let features: Vec<&str> =
        [("sql", cfg!(feature = "sql")), ("otlp", cfg!(feature = "otlp")), ("planted", cfg!(feature = "planted"))]
            .into_iter()
            .filter_map(|(name, is_on)| is_on.then_some(name))
            .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "features": features,
        "debug": cfg!(debug_assertions),
        "system": std::env::consts::OS,
        "processor": std::env::consts::ARCH,
        "processors": std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// The files below a directory, by name, and whether that is all of them. Links are not followed.
pub fn sizes(directory: &Path) -> io::Result<(Vec<Sized>, bool)> {
    let (mut files, mut is_all) = (Vec::new(), true);
    walk(directory, "", DEPTH_MAX, &mut files, &mut is_all)?;
    files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok((files, is_all))
}

fn walk(directory: &Path, below: &str, depth: usize, files: &mut Vec<Sized>, is_all: &mut bool) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // What has gone meanwhile is none of the files.
        let Ok(metadata) = entry.path().symlink_metadata() else { continue };
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if metadata.is_dir() && depth > 0 {
            walk(&entry.path(), &format!("{name}/"), depth - 1, files, is_all)?;
        } else if metadata.is_file() && files.len() < FILES_MAX {
            files.push(Sized { name, bytes: metadata.len() });
        } else if !metadata.is_symlink() {
            *is_all = false;
        }
    }
    Ok(())
}

/// How many entries of the ledger there are, by feed and status, with their rows.
pub fn summary(ledger: &Ledger) -> Value {
    let mut counts = std::collections::BTreeMap::<(&str, String), (u64, u64, u64)>::new();
    for entry in ledger.entries() {
        let (rows, bad_rows) = entry.rows.unwrap_or_default();
        let count = counts.entry((entry.partition.feed.name(), entry.status.to_string())).or_default();
        *count = (count.0 + 1, count.1 + rows, count.2 + bad_rows);
    }
    let told = |((feed, status), (entries, rows, bad_rows))| json!({ "feed": feed, "status": status, "entries": entries, "rows": rows, "bad_rows": bad_rows });
    counts.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_by_name_and_links_are_not_followed() {
        let home = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(home.path().join("feeds/a/b/c/d/e")).expect("made");
        fs::write(home.path().join("log"), [0; 7]).expect("written");
        fs::write(home.path().join("feeds/tier.1"), [0; 3]).expect("written");
        std::os::unix::fs::symlink("/", home.path().join("root")).expect("linked");
        let sized = |name: &str, bytes| Sized { name: name.to_owned(), bytes };
        let (files, is_all) = sizes(home.path()).expect("listed");
        assert_eq!((files, is_all), (vec![sized("feeds/tier.1", 3), sized("log", 7)], false));
        assert!(sizes(&home.path().join("nothing")).is_err());
    }
}
