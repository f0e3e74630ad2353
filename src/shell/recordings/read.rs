//! Reading the archive: finding a file by what the database says, and whether it is whole.

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

/// Opens a file of the archive. The path is the database's; one that would lead out of `dir`, by its text or by a
/// link, is refused. Blocks.
///
/// # Errors
/// As [`ReadError`] tells.
pub fn open(dir: &Path, path: &str) -> Result<File, ReadError> {
    let outside = || ReadError::Outside { path: path.to_owned() };
    let fail = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path: path.to_owned() },
        _ => ReadError::Io { path: path.to_owned(), cause },
    };
    let target = resolve(dir, path).ok_or_else(outside)?;
    let real_dir = dir.canonicalize().map_err(fail)?;
    let real = target.canonicalize().map_err(fail)?;
    if !real.starts_with(&real_dir) {
        return Err(outside());
    }
    let file = File::open(&real).map_err(fail)?;
    if file.metadata().map_err(fail)?.is_file() { Ok(file) } else { Err(outside()) }
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

/// Something is wrong with an archived recording.
#[derive(Debug)]
pub struct Problem {
    /// Whose talk.
    pub call: CallId,
    /// What is wrong, with the path, in a sentence.
    pub what: ProblemKind,
}

/// What is wrong with an archived recording.
#[derive(Debug, thiserror::Error)]
pub enum ProblemKind {
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

/// What a check of the whole archive found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Recordings looked at.
    pub checked: u64,
    /// Those with a problem.
    pub problems: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Reads every archived recording and compares it with the database: the file is there, of the right size and
/// checksum, and a WAV of two channels. Each problem is handed to `report` as it is found.
///
/// # Errors
/// When the database fails.
pub async fn verify<L: Ledger>(
    ledger: &L,
    dir: &Path,
    mut report: impl FnMut(Problem),
) -> Result<Verified, LedgerError> {
    let mut sum = Verified::default();
    let mut after = i64::MIN;
    loop {
        let page = ledger.stored_after(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(sum) };
        after = last.key;
        for stored in page {
            sum.checked += 1;
            sum.bytes += stored.bytes;
            let call = stored.call;
            let dir = dir.to_owned();
            let checked = tokio::task::spawn_blocking(move || check(&dir, &stored)).await;
            // A panic in there is a fault of this program; it must not pass for a good file.
            let outcome = checked.map_err(|error| LedgerError::Refused(format!("checking a file failed: {error}")))?;
            if let Err(what) = outcome {
                sum.problems += 1;
                report(Problem { call, what });
            }
        }
    }
}

fn check(dir: &Path, stored: &Stored) -> Result<(), ProblemKind> {
    let path = || stored.path.clone();
    let fail = |cause| ReadError::Io { path: path(), cause };
    let file = open(dir, &stored.path)?;
    let found = file.metadata().map_err(fail)?.len();
    if found != stored.bytes {
        return Err(ProblemKind::WrongSize { path: path(), expected: stored.bytes, found });
    }
    let (sha256, _) = checksum_of(file).map_err(fail)?;
    if sha256 != stored.sha256 {
        return Err(ProblemKind::WrongChecksum { path: path() });
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
