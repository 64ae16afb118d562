//! Where bytes come from: a file in the landing directory, or memory.
//!
//! A landing directory is written to by strangers. A file is opened without following a link and
//! without waiting for the other end of a pipe, then asked what it is: only regular files are read.
//! It is read more than once, through one handle; [`Source::is_unchanged`] tells whether its
//! size, times and identity are what they were, and the readers compare checksums of their passes.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::error::{Code, Failure, Refused, Retry};

/// Bytes that can be read from the start as often as needed.
pub(super) enum Source<'a> {
    File { file: File, opened: Box<Metadata> },
    Memory(&'a [u8]),
}

impl<'a> Source<'a> {
    /// Opens a regular file.
    pub(super) fn open(path: &Path) -> Result<Source<'a>, Failure> {
        let file = open(path).map_err(|error| not_followed(path, error))?;
        let opened = Box::new(file.metadata().map_err(Retry::from)?);
        if !opened.is_file() {
            return Err(not_a_file().into());
        }
        Ok(Source::File { file, opened })
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        match self {
            Source::File { opened, .. } => opened.len(),
            Source::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Reads from the start.
    pub(super) fn reader(&self) -> Result<Box<dyn Read + '_>, Failure> {
        match self {
            Source::File { file, .. } => {
                let mut file: &File = file;
                file.seek(SeekFrom::Start(0)).map_err(Retry::from)?;
                Ok(Box::new(file))
            }
            Source::Memory(bytes) => Ok(Box::new(*bytes)),
        }
    }

    /// Fails where the file is no longer what was opened.
    pub(super) fn is_unchanged(&self) -> Result<(), Failure> {
        match self {
            Source::File { file, opened } => {
                let now = file.metadata().map_err(Retry::from)?;
                if state(&now) == state(opened) { Ok(()) } else { Err(Retry::Changed.into()) }
            }
            Source::Memory(_) => Ok(()),
        }
    }
}

fn not_a_file() -> Refused {
    Refused::new(Code::NotAFile, "it is no regular file")
        .hint("Deliver the file itself, not a link, pipe or directory.")
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    if std::fs::symlink_metadata(path)?.is_file() {
        OpenOptions::new().read(true).open(path)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// What failed may be no file to begin with: a link, or a socket.
fn not_followed(path: &Path, error: io::Error) -> Failure {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => not_a_file().into(),
        _ => Retry::from(error).into(),
    }
}

#[cfg(unix)]
fn state(metadata: &Metadata) -> impl PartialEq + use<> {
    use std::os::unix::fs::MetadataExt;
    let times = (metadata.mtime(), metadata.mtime_nsec());
    (metadata.dev(), metadata.ino(), metadata.len(), times)
}

#[cfg(not(unix))]
fn state(metadata: &Metadata) -> impl PartialEq + use<> {
    (metadata.len(), metadata.modified().ok())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

    fn refused(path: &Path) -> Option<Code> {
        match Source::open(path) {
            Err(Failure::Refused(refused)) => Some(refused.code),
            _ => None,
        }
    }

    #[test]
    fn only_regular_files_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        std::fs::write(&file, b"x").expect("written");
        assert!(Source::open(&file).is_ok());
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        for path in [link.as_path(), directory.path(), &socket, Path::new("/dev/null")] {
            assert_eq!(refused(path), Some(Code::NotAFile), "{}", path.display());
        }
        let gone = Source::open(&directory.path().join("gone"));
        assert!(matches!(gone, Err(Failure::Retry(Retry::Vanished))));
    }

    #[test]
    fn a_pipe_is_refused_without_waiting_for_its_other_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success());
        if made {
            assert_eq!(refused(&pipe), Some(Code::NotAFile));
        }
    }

    #[test]
    fn a_change_underneath_is_seen() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        std::fs::write(&path, b"x").expect("written");
        let source = Source::open(&path).expect("opened");
        assert!(source.is_unchanged().is_ok());
        let mut file = OpenOptions::new().append(true).open(&path).expect("opened");
        file.write_all(b"y").expect("written");
        assert!(matches!(source.is_unchanged(), Err(Failure::Retry(Retry::Changed))));
    }
}
