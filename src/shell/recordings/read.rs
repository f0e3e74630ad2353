//! Reading the archive: finding a file by what the database says, and whether it is whole.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Component, Path, PathBuf};

use super::file::checksum_of;
use super::ledger::{Ledger, LedgerError, Stored};
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
    /// Not a WAV of two channels, or damaged.
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

/// Opens a file of the archive. Blocks.
///
/// # Errors
/// As [`ReadError`] tells.
pub fn open(dir: &Path, path: &str) -> Result<File, ReadError> {
    File::open(locate(dir, path)?).map_err(unreadable(path))
}

fn unreadable(path: &str) -> impl Fn(io::Error) -> ReadError {
    move |cause| match cause.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path: path.to_owned() },
        _ => ReadError::Io { path: path.to_owned(), cause },
    }
}

/// The file's place, by text alone.
fn resolve(dir: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let wav = relative.extension().is_some_and(|ending| ending == "wav");
    (plain && wav && !path.contains('\0')).then(|| dir.join(relative))
}

fn stereo(file: File) -> Result<hound::WavReader<BufReader<File>>, String> {
    let wav = hound::WavReader::new(BufReader::with_capacity(64 << 10, file)).map_err(|error| error.to_string())?;
    let spec = wav.spec();
    if spec.channels != 2 || spec.bits_per_sample != 16 || spec.sample_format != hound::SampleFormat::Int {
        return Err(format!("it has {} channels of {} bits, not 2 of 16", spec.channels, spec.bits_per_sample));
    }
    Ok(wav)
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

/// A look at every archived recording, one after another: the file is there, of the right size and checksum, and a
/// WAV of two channels.
pub struct Verification<L> {
    ledger: L,
    dir: PathBuf,
    page: VecDeque<Stored>,
    after: i64,
}

impl<L: Ledger> Verification<L> {
    /// Begins with the first.
    pub fn new(ledger: L, dir: &Path) -> Verification<L> {
        Verification { ledger, dir: dir.to_owned(), page: VecDeque::new(), after: i64::MIN }
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
        let (recording, call, path) = (stored.key, stored.call, stored.path.clone());
        let dir = self.dir.clone();
        let checked = tokio::task::spawn_blocking(move || check(&dir, &stored)).await;
        // A panic in there is a fault of this program; it must not pass for a good file.
        let outcome = checked.map_err(|error| LedgerError::Refused(format!("checking {path} failed: {error}")))?;
        Ok(Some(Checked { recording, call, path, problem: outcome.err() }))
    }
}

fn check(dir: &Path, stored: &Stored) -> Result<(), Problem> {
    let path = || stored.path.clone();
    let fail = |cause| ReadError::Io { path: path(), cause };
    let file = open(dir, &stored.path)?;
    let found = file.metadata().map_err(fail)?.len();
    if found != stored.bytes {
        return Err(Problem::WrongSize { path: path(), expected: stored.bytes, found });
    }
    let (sha256, _) = checksum_of(file).map_err(fail)?;
    if sha256 != stored.sha256 {
        return Err(Problem::WrongChecksum { path: path() });
    }
    stereo(open(dir, &stored.path)?).map_err(|why| ReadError::Damaged { path: path(), why })?;
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
            assert!(matches!(open(&archive, path), Err(ReadError::Outside { .. })), "{path:?}");
        }
        assert!(matches!(open(&archive, "2026/01/01/b.wav"), Err(ReadError::Missing { .. })));
        assert!(open(dir.path(), "a.wav").is_ok());
    }

    #[test]
    fn what_is_no_stereo_wav_is_damaged_even_when_the_checksum_is_right() {
        let dir = tempfile::tempdir().unwrap();
        let mono = crate::speech::wav::Sound { rate: 8_000, channels: 1, samples: vec![1, 2, 3] }.write().unwrap();
        for bytes in [b"RIFF nonsense".to_vec(), mono] {
            std::fs::write(dir.path().join("a.wav"), &bytes).unwrap();
            let (sha256, size) = checksum_of(File::open(dir.path().join("a.wav")).unwrap()).unwrap();
            let stored = Stored { key: 1, call: CallId(1), path: "a.wav".to_owned(), sha256, bytes: size };
            let problem = check(dir.path(), &stored).unwrap_err().to_string();
            assert!(problem.contains("a.wav in the archive is damaged"), "{problem}");
        }
    }
}
