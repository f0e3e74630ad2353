//! Reading the archive: finding a file by what the database says, and whether it is whole.

use std::collections::VecDeque;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::ledger::{Ledger, LedgerError, Stored};
use super::vault::{Sound, Vault, kind};
use crate::engine::ids::CallId;

/// Entries read at a time when all are checked.
const PAGE: u32 = 200;

/// Why a file of the archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The path leads out of the archive, or is none of the archive's.
    #[error("{path:?} is not a file of the archive; the database was changed by somebody else")]
    Outside {
        /// As the database has it.
        path: String,
    },
    /// The file is not there.
    #[error("the archive has no file {path}; restore it from a backup")]
    Missing {
        /// As the database has it.
        path: String,
    },
    /// The system refuses.
    #[error("cannot read {path} in the archive: {cause}")]
    Io {
        /// As the database has it.
        path: String,
        /// The system's words.
        cause: io::Error,
    },
    /// It was sealed with a key that is not at hand.
    #[error("{path} in the archive cannot be opened: {why}")]
    NoKey {
        /// As the database has it.
        path: String,
        /// Which key, and what to do.
        why: String,
    },
    /// No sound of two channels, or damaged.
    #[error("{path} in the archive is damaged: {why}; restore it from a backup")]
    Damaged {
        /// As the database has it.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The place of a file of the archive. The path is the database's; one that would lead out of `dir`, by its text or by
/// a link, is refused. Blocks.
///
/// # Errors
/// As [`ReadError`] tells.
pub fn locate(dir: &Path, path: &str) -> Result<PathBuf, ReadError> {
    let outside = || ReadError::Outside { path: path.to_owned() };
    let target = resolve(dir, path).ok_or_else(outside)?;
    let real_dir = dir.canonicalize().map_err(unreadable(path))?;
    let real = target.canonicalize().map_err(unreadable(path))?;
    let file = real.metadata().map_err(unreadable(path))?.is_file();
    if file && real.starts_with(&real_dir) { Ok(real) } else { Err(outside()) }
}

pub(super) fn unreadable(path: &str) -> impl Fn(io::Error) -> ReadError {
    move |cause| match cause.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path: path.to_owned() },
        _ => ReadError::Io { path: path.to_owned(), cause },
    }
}

/// The file's place, by text alone.
fn resolve(dir: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && kind(path).is_some() && !path.contains('\0')).then(|| dir.join(relative))
}

fn stereo(sound: Sound) -> Result<(), String> {
    let wav = hound::WavReader::new(sound.reader).map_err(|error| error.to_string())?;
    let spec = wav.spec();
    if spec.channels != 2 || spec.bits_per_sample != 16 || spec.sample_format != hound::SampleFormat::Int {
        return Err(format!("it has {} channels of {} bits, not 2 of 16", spec.channels, spec.bits_per_sample));
    }
    Ok(())
}

/// An archived recording that was looked at.
#[derive(Debug)]
pub struct Checked {
    /// Number of its row.
    pub recording: i64,
    /// Whose talk.
    pub call: CallId,
    /// Below the archive's folder.
    pub path: String,
    /// It was found damaged before.
    pub failed: bool,
    /// What is wrong with it, if anything.
    pub problem: Option<Problem>,
}

/// What is wrong with an archived recording.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It cannot be read at all.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// It is shorter or longer than it was.
    #[error("{path} in the archive has {found} bytes instead of {expected}; restore it from a backup")]
    WrongSize {
        /// As the database has it.
        path: String,
        /// As the database has it.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// Its bytes are not what they were.
    #[error(
        "{path} in the archive does not match its checksum: it was changed or the disk fails; restore it from a backup"
    )]
    WrongChecksum {
        /// As the database has it.
        path: String,
    },
}

/// A look at every archived recording, one after another: the file is there, of the right size and checksum, can be
/// opened with the keys that there are, and is a sound of two channels.
pub struct Verification<L> {
    ledger: L,
    vault: Vault,
    page: VecDeque<Stored>,
    after: i64,
}

impl<L: Ledger> Verification<L> {
    /// Begins with the first.
    pub fn new(ledger: L, vault: Vault) -> Verification<L> {
        Verification { ledger, vault, page: VecDeque::new(), after: i64::MIN }
    }

    /// Looks at the next; `None` when all have been looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<Checked>, LedgerError> {
        if self.page.is_empty() {
            self.page = self.ledger.stored_after(self.after, PAGE).await?.into();
        }
        let Some(stored) = self.page.pop_front() else { return Ok(None) };
        self.after = stored.key;
        let (recording, call, failed, path) = (stored.key, stored.call, stored.failed, stored.path.clone());
        let vault = self.vault.clone();
        let checked = tokio::task::spawn_blocking(move || check(&vault, &stored)).await;
        // A panic in there is a fault of this program; it must not pass for a good file.
        let outcome = checked.map_err(|error| LedgerError::Refused(format!("checking {path} failed: {error}")))?;
        Ok(Some(Checked { recording, call, path, failed, problem: outcome.err() }))
    }
}

fn check(vault: &Vault, stored: &Stored) -> Result<(), Problem> {
    let path = || stored.path.clone();
    let (_, found) = vault.stored(&stored.path)?;
    if found != stored.bytes {
        return Err(Problem::WrongSize { path: path(), expected: stored.bytes, found });
    }
    if vault.checksum(&stored.path)?.0 != stored.sha256 {
        return Err(Problem::WrongChecksum { path: path() });
    }
    stereo(vault.open_wav(&stored.path)?).map_err(|why| ReadError::Damaged { path: path(), why })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_archive() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.wav"), b"sound").unwrap();
        let archive = dir.path().join("archive");
        std::fs::create_dir(&archive).unwrap();
        let absolute = dir.path().join("a.wav");
        std::os::unix::fs::symlink(&absolute, archive.join("link.wav")).unwrap();
        std::os::unix::fs::symlink(dir.path(), archive.join("folder")).unwrap();
        std::fs::create_dir(archive.join("d.wav")).unwrap();
        for path in [
            "../a.wav",
            "x/../../a.wav",
            absolute.to_str().unwrap(),
            "",
            ".",
            "link.wav",
            "folder/a.wav",
            "d.wav",
            "a\0.wav",
            "a.db",
        ] {
            assert!(matches!(locate(&archive, path), Err(ReadError::Outside { .. })), "{path:?}");
        }
        assert!(matches!(locate(&archive, "2026/01/01/b.wav"), Err(ReadError::Missing { .. })));
        assert!(locate(dir.path(), "a.wav").is_ok());
    }

    #[test]
    fn what_is_no_stereo_wav_is_damaged_even_when_the_checksum_is_right() {
        let dir = tempfile::tempdir().unwrap();
        let mono = crate::speech::wav::Sound { rate: 8_000, channels: 1, samples: vec![1, 2, 3] }.write().unwrap();
        for bytes in [b"RIFF nonsense".to_vec(), mono] {
            std::fs::write(dir.path().join("a.wav"), &bytes).unwrap();
            let vault = Vault::plain(dir.path());
            let (sha256, size) = vault.checksum("a.wav").unwrap();
            let stored =
                Stored { key: 1, call: CallId(1), failed: false, path: "a.wav".to_owned(), sha256, bytes: size };
            let problem = check(&vault, &stored).unwrap_err().to_string();
            assert!(problem.contains("a.wav in the archive is damaged"), "{problem}");
        }
    }
}
