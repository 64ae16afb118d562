//! A data directory: one process at a time, and the key that is kept beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::vfs::Disk;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("could not open the data directory {path:?}: {source}")]
    Open { path: PathBuf, source: io::Error },
    #[error(
        "another process works on the data directory {path:?}\nhint: stop it first, or give this one a directory of its own with --data"
    )]
    Locked { path: PathBuf },
    #[error(
        "could not read the key file {path:?}: {source}\nhint: it makes phone numbers into tokens; bring it back from its backup, since a new key would not match what is stored"
    )]
    Key { path: PathBuf, source: io::Error },
}

/// An opened data directory. Others are kept out while it lives.
pub struct Directory {
    pub disk: Disk,
    pub token_key: [u8; 32],
    _lock: File,
}

impl Directory {
    /// Opens a directory, made where there is none, and takes its lock. The key stands outside the
    /// data, in `<directory>.key`: made, for its owner alone, with a directory that has no log yet.
    pub fn open(path: &Path) -> Result<Directory, DirectoryError> {
        let open_error = |source| DirectoryError::Open { path: path.to_owned(), source };
        let disk = Disk::open(path).map_err(open_error)?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).open(path.join("lock")).map_err(open_error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(open_error(source)),
        }
        let mut key_name = path.canonicalize().map_err(open_error)?.into_os_string();
        key_name.push(".key");
        let key_path = PathBuf::from(key_name);
        let is_fresh = !path.join("log").exists();
        let token_key = key(&key_path, is_fresh).map_err(|source| DirectoryError::Key { path: key_path, source })?;
        Ok(Directory { disk, token_key, _lock: lock })
    }
}

fn key(path: &Path, is_fresh: bool) -> io::Result<[u8; 32]> {
    let above = path.parent().unwrap_or(Path::new("/"));
    match File::open(path) {
        Ok(mut file) => {
            let mut text = String::new();
            Read::by_ref(&mut file).take(256).read_to_string(&mut text)?;
            let hash =
                blake3::Hash::from_hex(text.trim()).map_err(|_| io::Error::other("expected 64 hexadecimal digits"))?;
            // Whoever made it may have been killed before its name was durable.
            File::open(above)?.sync_all()?;
            Ok(*hash.as_bytes())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_fresh => {
            let mut key = [0; 32];
            File::open("/dev/urandom")?.read_exact(&mut key)?;
            // Under another name first: a key appears whole or not at all.
            let half = path.with_extension("key.tmp");
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
            writeln!(file, "{}", blake3::Hash::from_bytes(key).to_hex())?;
            file.sync_all()?;
            std::fs::rename(&half, path)?;
            File::open(above)?.sync_all()?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}
