//! Files of the archive: written beside, measured, made durable, then moved into place at once.
//!
//! Everything here blocks and runs on threads for blocking work. Bytes are read from Asterisk's own file, or come over a
//! bounded channel; whoever feeds that may vanish at any moment: only [`Piece::End`] makes a file whole.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::format::{Encoder, Format};
use super::seal::{Keys, hex};
use super::silence::Silence;
use super::vault::{Vault, stem};
use crate::speech::wav::{Report, TELEPHONE_RATE};

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

/// A raw stereo stream.
pub(super) enum Raw {
    /// As it comes.
    Pieces(mpsc::Receiver<Piece>),
    /// Asterisk's own file, and what of it is not to be kept.
    File(File, Silence),
}

impl Raw {
    /// All of it, from the first byte to the last.
    fn feed<W: Write + Seek>(self, encoder: &mut Encoder<W>, target: &Path) -> Result<(), FileError> {
        let mut feed = |bytes: &[u8]| encoder.feed(bytes).map_err(|cause| cause.of_file(target));
        match self {
            Raw::Pieces(mut pieces) => loop {
                match pieces.blocking_recv() {
                    Some(Piece::Bytes(bytes)) => feed(&bytes)?,
                    Some(Piece::End) => return Ok(()),
                    None => return Err(FileError::Interrupted),
                }
            },
            Raw::File(mut file, mut silence) => each_piece(&mut file, FileError::Unreadable, |piece| {
                silence.over(piece);
                feed(piece)
            }),
        }
    }
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
    /// S3 does not answer, or refuses.
    #[error("cannot store {place}: {cause}; see to the storage and to recording.s3")]
    Bucket {
        /// Where it was to be stored.
        place: String,
        /// The storage's words.
        cause: io::Error,
    },
    /// The stream cannot become a sound.
    #[error("{0}")]
    Sound(String),
    /// The stream was given up before its end.
    #[error("the transfer was given up")]
    Interrupted,
    /// Asterisk's own file.
    #[error("Asterisk's file cannot be read: {0}")]
    Unreadable(io::Error),
}

/// A begun file, complete and on the disk, but not in its place. Dropping it removes it.
pub(super) struct Written {
    file: Begun,
    /// What its name ends with: `wav`, `flac.k0123456789abcdef`.
    ending: String,
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

/// Writes a raw stereo stream as the archive keeps it, under this name and the ending that belongs to it.
pub(super) fn write(vault: &Vault, name: &str, raw: Raw) -> Result<Written, FileError> {
    let format = vault.format();
    let ending = format.as_str().to_owned();
    let (file, target) = begin(vault.dir(), &format!("{name}.{ending}"))?;
    let report = convert(&target, format, raw, &file.path)?;
    if vault.keys().is_none() {
        target.sync_all().map_err(io("write", &file.path))?;
    }
    finish(vault, file, report, name, ending)
}

/// Seals what is to be sealed; what was in clear is removed.
fn finish(vault: &Vault, clear: Begun, report: Report, name: &str, ending: String) -> Result<Written, FileError> {
    let (file, ending) = match vault.keys().zip(vault.sealed_ending()) {
        Some((keys, key)) => {
            (seal(vault.dir(), keys, &clear, &format!("{name}.{ending}.{key}"))?, format!("{ending}.{key}"))
        }
        None => (clear, ending),
    };
    let (sha256, bytes) = checksum(&file.path).map_err(io("read back", &file.path))?;
    Ok(Written { file, ending, report, sha256, bytes })
}

fn seal(dir: &Path, keys: &Keys, clear: &Begun, name: &str) -> Result<Begun, FileError> {
    let (file, target) = begin(dir, name)?;
    let mut from = File::open(&clear.path).map_err(io("read back", &clear.path))?;
    keys.seal(&mut from, &mut &target).map_err(io("seal", &file.path))?;
    target.sync_all().map_err(io("write", &file.path))?;
    Ok(file)
}

fn begin(dir: &Path, name: &str) -> Result<(Begun, File), FileError> {
    let incoming = dir.join(INCOMING);
    let path = incoming.join(name);
    let open = || OpenOptions::new().write(true).create(true).truncate(true).open(&path);
    let target = match open() {
        // The folder was removed while the engine ran.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(&incoming).map_err(io("make", &incoming))?;
            open()
        }
        opened => opened,
    };
    let target = target.map_err(io("write", &path))?;
    Ok((Begun { path, in_place: false }, target))
}

fn convert(target: &File, format: Format, raw: Raw, path: &Path) -> Result<Report, FileError> {
    let mut buffer = BufWriter::with_capacity(64 << 10, target);
    let mut encoder = Encoder::new(&mut buffer, format, TELEPHONE_RATE).map_err(|cause| cause.of_file(path))?;
    raw.feed(&mut encoder, path)?;
    let report = encoder.finish().map_err(|cause| cause.of_file(path))?;
    buffer.flush().map_err(io("write", path))?;
    Ok(report)
}

impl Written {
    /// Moves the file to `<day>/<call>.<ending>`. When another file lies there that is neither the same nor `replaces`, it
    /// is left alone and a number is added to the name. Returns the path below `dir`, and adds to `folders` which are
    /// to be [synced](sync_folder) to make it durable.
    pub(super) fn put(
        mut self,
        vault: &Vault,
        stem: &str,
        replaces: Option<&str>,
        folders: &mut BTreeSet<PathBuf>,
    ) -> Result<String, FileError> {
        for count in 1..=MOST_FILES_OF_A_CALL {
            let number = if count == 1 { String::new() } else { format!("-{count}") };
            let relative = format!("{}{stem}{number}.{}", vault.prefix(), self.ending);
            if replaces == Some(relative.as_str()) || self.may_take(vault, &relative)? {
                folders.extend(self.file.place(vault, &relative)?);
                return Ok(relative);
            }
        }
        let cause = io::Error::other(format!("{MOST_FILES_OF_A_CALL} other files of this call lie there"));
        Err(FileError::Io { what: "store", path: vault.dir().join(stem), cause })
    }

    /// Nothing lies there, or the very same: put there before a kill.
    fn may_take(&self, vault: &Vault, relative: &str) -> Result<bool, FileError> {
        match vault.size(relative).map_err(|cause| at(vault, relative, "look at", cause))? {
            None => Ok(true),
            Some(found) if found != self.bytes => Ok(false),
            Some(_) => {
                // Sealed twice, the same sound is not the same file.
                let begun = self.file.path.file_name().unwrap_or_default().to_string_lossy();
                Ok(vault.same_sound(&format!("{INCOMING}/{begun}"), relative))
            }
        }
    }
}

/// Where a file is to lie, with what the system says of it.
fn at(vault: &Vault, relative: &str, what: &'static str, cause: io::Error) -> FileError {
    match vault.remote(relative) {
        Ok(None) => FileError::Io { what, path: vault.dir().join(relative), cause },
        Ok(Some((bucket, key))) => FileError::Bucket { place: bucket.place(&key), cause },
        Err(cause) => FileError::Bucket { place: relative.to_owned(), cause },
    }
}

impl Begun {
    /// To its place on the disk or in S3; which folders are to be synced to make it durable.
    fn place(&mut self, vault: &Vault, relative: &str) -> Result<Vec<PathBuf>, FileError> {
        match vault.remote(relative).map_err(|cause| at(vault, relative, "store", cause))? {
            None => self.move_to(vault.dir(), &vault.dir().join(relative)),
            Some((bucket, key)) => {
                let mut file = File::open(&self.path).map_err(io("read back", &self.path))?;
                bucket.put(&key, &mut file).map_err(|cause| FileError::Bucket { place: bucket.place(&key), cause })?;
                Ok(Vec::new())
            }
        }
    }

    fn move_to(&mut self, dir: &Path, target: &Path) -> Result<Vec<PathBuf>, FileError> {
        let folder = target.parent().unwrap_or(dir);
        let new_day = !folder.is_dir();
        if new_day {
            fs::create_dir_all(folder).map_err(io("make", folder))?;
        }
        fs::rename(&self.path, target).map_err(io("store", target))?;
        self.in_place = true;
        // A new day makes up to three folders: each is a line in the one above.
        let above = folder.ancestors().take_while(|above| above.starts_with(dir));
        Ok(above.take(if new_day { 4 } else { 1 }).map(Path::to_owned).collect())
    }
}

/// The same sound sealed with the first key, in a file beside: its path, checksum and size; `None` when it is so already.
/// The old file stays.
pub(super) fn reseal(vault: &Vault, path: &str) -> Result<Option<(String, String, u64)>, FileError> {
    let told = |cause: super::read::ReadError| FileError::Sound(cause.to_string());
    let Some((keys, key)) = vault.keys().zip(vault.sealed_ending()) else {
        return Err(FileError::Sound("there is no recording.key_file to seal with".to_owned()));
    };
    if path.ends_with(&format!(".{key}")) {
        return Ok(None);
    }
    let mut sound = vault.open(path).map_err(told)?;
    let relative = format!("{}.{}.{key}", stem(path), sound.format.as_str());
    let name = format!("rekey-{}-{}", std::process::id(), relative.replace(['/', ':'], "-"));
    let (mut file, target) = begin(vault.dir(), &name)?;
    keys.seal(&mut sound.reader, &mut &target).map_err(io("seal", &file.path))?;
    target.sync_all().map_err(io("write", &file.path))?;
    if !vault.same_sound(&format!("{INCOMING}/{name}"), path) {
        return Err(FileError::Sound(format!("{path} was read back as another sound after it was sealed")));
    }
    let (sha256, bytes) = checksum(&file.path).map_err(io("read back", &file.path))?;
    for folder in file.place(vault, &relative)? {
        sync_folder(&folder).map_err(io("make durable", &folder))?;
    }
    Ok(Some((relative, sha256, bytes)))
}

/// Makes durable what was moved into this folder.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// SHA-256 and size of a file, read piece by piece.
pub(super) fn checksum(path: &Path) -> io::Result<(String, u64)> {
    hash(&mut BufReader::with_capacity(64 << 10, File::open(path)?))
}

/// SHA-256, and how much was read.
pub(super) fn hash(reader: &mut impl Read) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    each_piece(
        reader,
        |cause| cause,
        |piece| {
            hash.update(&*piece);
            bytes += piece.len() as u64;
            Ok(())
        },
    )?;
    Ok((hex(&hash.finalize()), bytes))
}

/// Hands on all that can be read, piece by piece.
fn each_piece<E>(
    reader: &mut impl Read,
    unreadable: impl FnOnce(io::Error) -> E,
    mut take: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut room = vec![0_u8; 64 << 10];
    loop {
        match reader.read(&mut room) {
            Ok(length) => match room.get_mut(..length).filter(|piece| !piece.is_empty()) {
                Some(piece) => take(piece)?,
                None => return Ok(()),
            },
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(unreadable(cause)),
        }
    }
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
        write(&Vault::plain(dir), name, Raw::Pieces(pieces)).unwrap()
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
        assert!(matches!(write(&Vault::plain(dir.path()), "a", Raw::Pieces(pieces)), Err(FileError::Interrupted)));
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
        let put = |raw, replaces| {
            let mut folders = BTreeSet::new();
            let path = written(dir.path(), "a", raw)
                .put(&Vault::plain(dir.path()), "2026/11/21/c", replaces, &mut folders)
                .unwrap();
            assert!(folders.contains(&dir.path().join("2026/11/21")), "{folders:?}");
            path
        };
        assert_eq!(put(&[1; 400], None), "2026/11/21/c.wav");
        assert_eq!(put(&[1; 400], None), "2026/11/21/c.wav");
        assert_eq!(put(&[2; 400], None), "2026/11/21/c-2.wav");
        assert_eq!(put(&[3; 800], Some("2026/11/21/c.wav")), "2026/11/21/c.wav");
        assert_eq!(names(&dir.path().join("2026/11/21")), ["c-2.wav", "c.wav"]);
        assert!(names(&dir.path().join(INCOMING)).is_empty());
    }

    #[test]
    fn sealed_sound_is_put_once_too_and_nothing_in_clear_stays() {
        let dir = tempfile::tempdir().unwrap();
        let key_file = dir.path().join("keys");
        fs::write(&key_file, "ab".repeat(32)).unwrap();
        let config = crate::shell::config::Recording {
            format: Format::Flac,
            key_file: Some(key_file),
            ..crate::shell::config::Recording::plain(dir.path())
        };
        let vault = Vault::new(&config).unwrap();
        let put = |raw: &'static [u8]| {
            let (sender, pieces) = mpsc::channel(4);
            sender.try_send(Piece::Bytes(Bytes::from_static(raw))).unwrap();
            sender.try_send(Piece::End).unwrap();
            write(&vault, "a", Raw::Pieces(pieces)).unwrap().put(&vault, "2026/c", None, &mut BTreeSet::new()).unwrap()
        };
        let first = put(&[1; 400]);
        assert!(first.starts_with("2026/c.flac.k"), "{first}");
        assert_eq!(put(&[1; 400]), first);
        assert_ne!(put(&[2; 400]), first);
        let mut wav = Vec::new();
        vault.open_wav(&first).unwrap().reader.read_to_end(&mut wav).unwrap();
        assert_eq!(wav[44..], [1; 400]);
        assert!(names(&dir.path().join(INCOMING)).is_empty());
        let error = Vault::plain(dir.path()).open(&first).err().unwrap().to_string();
        assert!(error.contains("recording.key_file"), "{error}");
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
