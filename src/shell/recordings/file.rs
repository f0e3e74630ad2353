//! Files of the archive: written beside, measured, made durable, then moved into place at once.
//!
//! Everything here blocks and runs on threads for blocking work; bytes come over a bounded channel. Whoever feeds may
//! vanish at any moment: only [`Piece::End`] makes a file whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::speech::wav::{Report, StereoWav, TELEPHONE_RATE, WavError};

/// Begun files lie here, below the archive's folder and on its disk: what a kill leaves is found at once, without
/// looking through the years.
const INCOMING: &str = "incoming";

/// More files than this for one call are not made.
const MOST_FILES_OF_A_CALL: u32 = 100;

/// What is handed to the writer.
pub(super) enum Piece {
    /// Bytes of the raw stream.
    Bytes(Bytes),
    /// The stream is whole.
    End,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The disk is full, or the engine's user has no right.
    #[error("cannot {what} {}: {cause}; see to free space and rights of the recordings' folder", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The stream cannot become a WAV.
    #[error("{0}")]
    Wav(WavError),
    /// The stream was given up before its end.
    #[error("the transfer was given up")]
    Interrupted,
}

/// A begun file, complete and on the disk, but not in its place. Dropping it removes it.
pub(super) struct Written {
    file: Begun,
    /// What was measured.
    pub(super) report: Report,
    /// Lower-case hexadecimal, of what was read back.
    pub(super) sha256: String,
    /// Size.
    pub(super) bytes: u64,
}

struct Begun {
    path: PathBuf,
    in_place: bool,
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.in_place {
            // One that cannot be removed is removed at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the archive's folder and removes what an earlier life left half-written.
pub(super) fn prepare(dir: &Path) -> Result<usize, FileError> {
    let incoming = dir.join(INCOMING);
    fs::create_dir_all(&incoming).map_err(io("make", &incoming))?;
    let mut removed = 0;
    for entry in fs::read_dir(&incoming).map_err(io("list", &incoming))? {
        let path = entry.map_err(io("list", &incoming))?.path();
        fs::remove_file(&path).map_err(io("remove", &path))?;
        removed += 1;
    }
    Ok(removed)
}

/// Writes a raw stereo stream as a WAV.
pub(super) fn write(dir: &Path, name: &str, pieces: mpsc::Receiver<Piece>) -> Result<Written, FileError> {
    let incoming = dir.join(INCOMING);
    // The folder may have been removed while the engine ran.
    fs::create_dir_all(&incoming).map_err(io("make", &incoming))?;
    let path = incoming.join(name);
    let target = OpenOptions::new().write(true).create(true).truncate(true).open(&path).map_err(io("write", &path))?;
    let file = Begun { path, in_place: false };
    let wav = |cause| match cause {
        WavError::Format(hound::Error::IoError(cause)) => {
            FileError::Io { what: "write", path: file.path.clone(), cause }
        }
        other => FileError::Wav(other),
    };
    let report = convert(&target, pieces, wav)?;
    target.sync_all().map_err(io("write", &file.path))?;
    let (sha256, bytes) = checksum(&file.path).map_err(io("read back", &file.path))?;
    Ok(Written { file, report, sha256, bytes })
}

fn convert(
    target: &File,
    mut pieces: mpsc::Receiver<Piece>,
    wav: impl Fn(WavError) -> FileError,
) -> Result<Report, FileError> {
    let mut writer = StereoWav::new(BufWriter::with_capacity(64 << 10, target), TELEPHONE_RATE).map_err(&wav)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => writer.feed(&bytes).map_err(&wav)?,
            Some(Piece::End) => return writer.finish().map_err(wav),
            None => return Err(FileError::Interrupted),
        }
    }
}

impl Written {
    /// Moves the file to `<day>/<call>.wav` and makes that durable. When another file lies there that is neither the
    /// same nor `replaces`, it is left alone and a number is added to the name. Returns the path below `dir`.
    pub(super) fn put(mut self, dir: &Path, stem: &str, replaces: Option<&str>) -> Result<String, FileError> {
        for count in 1..=MOST_FILES_OF_A_CALL {
            let relative = if count == 1 { format!("{stem}.wav") } else { format!("{stem}-{count}.wav") };
            let target = dir.join(&relative);
            if replaces == Some(relative.as_str()) || self.may_take(&target)? {
                self.move_to(dir, &target)?;
                return Ok(relative);
            }
        }
        let cause = io::Error::other(format!("{MOST_FILES_OF_A_CALL} other files of this call lie there"));
        Err(FileError::Io { what: "store", path: dir.join(stem), cause })
    }

    /// Nothing lies there, or the very same: put there before a kill.
    fn may_take(&self, target: &Path) -> Result<bool, FileError> {
        match fs::metadata(target) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(cause) => Err(io("look at", target)(cause)),
            Ok(found) if found.len() != self.bytes => Ok(false),
            Ok(_) => Ok(checksum(target).map_err(io("read", target))?.0 == self.sha256),
        }
    }

    fn move_to(&mut self, dir: &Path, target: &Path) -> Result<(), FileError> {
        let folder = target.parent().unwrap_or(dir);
        let new_day = !folder.is_dir();
        fs::create_dir_all(folder).map_err(io("make", folder))?;
        fs::rename(&self.file.path, target).map_err(io("store", target))?;
        self.file.in_place = true;
        // A new day makes up to three folders: each is a line in the one above.
        let above = folder.ancestors().take_while(|above| above.starts_with(dir));
        above
            .take(if new_day { 4 } else { 1 })
            .try_for_each(|above| sync_folder(above).map_err(io("make durable", above)))
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// SHA-256 and size of a file, read piece by piece.
pub(super) fn checksum(path: &Path) -> io::Result<(String, u64)> {
    checksum_of(File::open(path)?)
}

/// The same of an open file.
pub(super) fn checksum_of(file: File) -> io::Result<(String, u64)> {
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut piece = vec![0_u8; 64 << 10];
    loop {
        let length = reader.read(&mut piece)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        bytes += length as u64;
    }
    let hex = hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        for digit in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(digit), 16));
        }
        hex
    });
    Ok((hex, bytes))
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |cause| FileError::Io { what, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dir: &Path, name: &str, raw: &'static [u8]) -> Written {
        let (sender, pieces) = mpsc::channel(4);
        sender.try_send(Piece::Bytes(Bytes::from_static(raw))).unwrap();
        sender.try_send(Piece::End).unwrap();
        write(dir, name, pieces).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_stream_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (sender, pieces) = mpsc::channel(4);
        sender.try_send(Piece::Bytes(Bytes::from_static(&[1; 400]))).unwrap();
        drop(sender);
        assert!(matches!(write(dir.path(), "a", pieces), Err(FileError::Interrupted)));
        assert!(names(&dir.path().join(INCOMING)).is_empty());
    }

    #[test]
    fn what_a_kill_left_half_written_is_removed_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        std::mem::forget(written(dir.path(), "a", &[1; 400]));
        assert_eq!(prepare(dir.path()).unwrap(), 1);
        assert_eq!(prepare(dir.path()).unwrap(), 0);
    }

    #[test]
    fn the_same_sound_put_twice_is_one_file_and_another_sound_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let put = |raw, replaces| written(dir.path(), "a", raw).put(dir.path(), "2026/11/21/c", replaces).unwrap();
        assert_eq!(put(&[1; 400], None), "2026/11/21/c.wav");
        assert_eq!(put(&[1; 400], None), "2026/11/21/c.wav");
        assert_eq!(put(&[2; 400], None), "2026/11/21/c-2.wav");
        assert_eq!(put(&[3; 800], Some("2026/11/21/c.wav")), "2026/11/21/c.wav");
        assert_eq!(names(&dir.path().join("2026/11/21")), ["c-2.wav", "c.wav"]);
        assert!(names(&dir.path().join(INCOMING)).is_empty());
    }

    #[test]
    fn the_checksum_is_that_of_the_file_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(checksum(&path).unwrap(), (expected.to_owned(), 3));
    }

    #[test]
    fn a_folder_without_room_is_a_clear_error() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("archive");
        fs::write(&blocked, b"a file where a folder should be").unwrap();
        let error = prepare(&blocked).unwrap_err().to_string();
        assert!(error.contains("archive") && error.contains("free space and rights"), "{error}");
    }
}
