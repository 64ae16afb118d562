//! A directory of extracts.

use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::ingest::names::{FileName, Named, parse, shown};

/// What lies in a landing directory, each in the order of names by bytes.
#[derive(Debug, Default)]
pub struct Landed {
    pub files: Vec<(PathBuf, FileName)>,
    /// Names that could be a feed's and cannot be taken, with what is wrong and what to do.
    pub malformed: Vec<(String, String, &'static str)>,
    /// Names that are none of ours, with why.
    pub left_alone: Vec<(String, String)>,
}

/// Reads the names in a directory.
pub fn landed(directory: &Path) -> io::Result<Landed> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name());
    }
    names.sort_by(|left, right| left.as_bytes().cmp(right.as_bytes()));
    let mut landed = Landed::default();
    for name in names {
        match parse(name.as_bytes()) {
            Named::Ignored => {}
            Named::LeftAlone { why } => landed.left_alone.push((shown(name.as_bytes()), why)),
            Named::Malformed { why, hint } => landed.malformed.push((shown(name.as_bytes()), why, hint)),
            Named::File(file) => landed.files.push((directory.join(&name), file)),
        }
    }
    Ok(landed)
}

/// SHA-256 of a file's bytes, where it can be read.
pub fn sha256(path: &Path) -> Option<[u8; 32]> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let mut file = metadata.is_file().then(|| fs::File::open(path))?.ok()?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).ok()? {
            0 => return Some(hash.finalize().into()),
            read => hash.update(&block[..read]),
        }
    }
}
