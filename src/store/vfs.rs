//! The one way to the disk.
//!
//! The store touches files through [`Vfs`] only, so that tests can fail any call and lose what was
//! not synced. [`Disk`] is the real thing; `Memory` (in [`super::memory`]) forgets like a machine
//! that lost its power, and serves one-shot runs, which keep nothing.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A directory of files.
pub trait Vfs: Send + Sync {
    /// Opens a file for reading and writing; makes an empty one where there is none.
    fn open(&self, name: &str) -> io::Result<Box<dyn VfsFile>>;
    /// Names of the files there are.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable: those made, given and removed.
    fn sync_names(&self) -> io::Result<()>;
    /// Bytes that may still be written to the disk that the directory is on.
    fn available(&self) -> io::Result<u64>;
}

/// An open file.
pub trait VfsFile: Send + Sync {
    fn size(&self) -> io::Result<u64>;
    /// Fills the buffer from an offset; an error where the file ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes the content durable. After an error nothing is known of what was written since the
    /// last success, and trying again would lie: the kernel has forgotten what failed.
    fn sync(&self) -> io::Result<()>;
}

/// A directory on disk.
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The directory, made where there is none. Its name is made durable, with those of the
    /// directories above it that had to be made.
    pub fn open(root: &Path) -> io::Result<Disk> {
        let made: Vec<&Path> = root.ancestors().skip(1).take_while(|above| !above.exists()).collect();
        fs::create_dir_all(root)?;
        // Always the name of the directory itself: whoever made it may have been killed before.
        for named in std::iter::once(root).chain(made) {
            let above = named.parent().filter(|above| !above.as_os_str().is_empty());
            match fs::File::open(above.unwrap_or(Path::new("."))).and_then(|above| above.sync_all()) {
                // One that may be passed through and not listed: nothing was made in it now.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
        }
        Ok(Disk { root: root.to_owned() })
    }
}

impl Vfs for Disk {
    fn open(&self, name: &str) -> io::Result<Box<dyn VfsFile>> {
        let file =
            fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.root.join(name))?;
        Ok(Box::new(file))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.root)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        fs::File::open(&self.root)?.sync_all()
    }

    fn available(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.root)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

impl VfsFile for fs::File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
