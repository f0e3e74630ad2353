//! Asterisk's folder of recordings, where this machine sees it. Asterisk sends a file over HTTP in pieces of 256 bytes:
//! of all that a short call costs it, that is up to a tenth.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};

/// Asterisk's user writes in it and may lay links there: they are not followed, and nothing outside is reached.
const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);
/// The ending that the dialplan gives: samples without a header.
pub(super) const ENDING: &str = "raw";

/// The folder. Cheap to clone. Everything here blocks.
#[derive(Clone, Debug)]
pub struct Folder {
    path: Arc<Path>,
}

impl Folder {
    /// The one at this path; whether it is there is seen when a file is asked for.
    #[must_use]
    pub fn new(path: PathBuf) -> Folder {
        Folder { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a recording, named without its ending, and tells its length in bytes.
    ///
    /// # Errors
    /// It does not lie here, or may not be read, or is no plain file.
    pub fn open(&self, name: &str) -> io::Result<(File, u64)> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat2(self.top()?, file_name(name), flags, Mode::empty(), WITHIN)?;
        let file = File::from(file);
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("it is no plain file"));
        }
        Ok((file, found.len()))
    }

    /// Removes a recording, named without its ending.
    ///
    /// # Errors
    /// It does not lie here, or may not be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let (folder, file) = name.rsplit_once('/').unwrap_or((".", name));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat2(self.top()?, folder, flags, Mode::empty(), WITHIN)?;
        Ok(rustix::fs::unlinkat(folder, file_name(file), AtFlags::empty())?)
    }

    fn top(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::open(&*self.path, flags, Mode::empty())?)
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.{ENDING}")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_recording_is_read_and_removed_by_the_name_that_asterisk_gives_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().to_owned());
        fs::create_dir_all(dir.path().join("perezvon/c1")).unwrap();
        fs::write(dir.path().join("perezvon/c1/17.1.raw"), b"sound").unwrap();
        let mut read = String::new();
        let (mut file, length) = folder.open("perezvon/c1/17.1").unwrap();
        file.read_to_string(&mut read).unwrap();
        assert_eq!((read.as_str(), length), ("sound", 5));
        folder.remove("perezvon/c1/17.1").unwrap();
        assert!(!dir.path().join("perezvon/c1/17.1.raw").exists());
        for gone in [folder.open("perezvon/c1/17.1").map(drop), folder.remove("perezvon/c1/17.1")] {
            assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn nothing_outside_is_read_or_removed_neither_by_a_name_nor_by_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("secret.raw"), b"secret").unwrap();
        std::os::unix::fs::symlink(outside.join("secret.raw"), inside.join("link.raw")).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("folder")).unwrap();
        fs::create_dir(inside.join("no-file.raw")).unwrap();
        let folder = Folder::new(inside.clone());
        let absolute = outside.join("secret").display().to_string();
        for name in ["../out/secret", "link", "folder/secret", "no-file", &absolute] {
            assert!(folder.open(name).is_err(), "{name}");
        }
        for name in ["../out/secret", "folder/secret", "no-file", &absolute] {
            assert!(folder.remove(name).is_err(), "{name}");
        }
        assert!(outside.join("secret.raw").exists());
    }
}
