//! Where the archive's files lie, and how they are written there and read: in clear or sealed, WAV or FLAC.
//!
//! The name tells how a file is to be read: `2026/11/21/<call>.flac` in clear, `….flac.k0123456789abcdef` sealed with
//! that key. So files of every setting that ever was lie side by side and stay readable.

use std::fs::File;
use std::io::{self, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bucket::Bucket;
use super::file::hash;
use super::format::{Format, Seekable, as_wav};
use super::read::{ReadError, locate, unreadable};
use super::seal::{KeyError, Keys, NoKey, hex};
use crate::shell::config;

/// Read from a disk at once.
const BUFFER: usize = 64 << 10;

/// The archive's storage. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    format: Format,
    keys: Option<Keys>,
    bucket: Option<Arc<Bucket>>,
}

/// Paths of files in S3 begin so.
const REMOTE: &str = "s3:";

/// Why the archive's storage cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// S3.
    #[error("{0}")]
    Bucket(String),
}

/// The sound of an archived file, in clear.
pub struct Sound {
    /// From its beginning.
    pub reader: Box<dyn Seekable>,
    /// Of it in clear.
    pub bytes: u64,
    /// What it is.
    pub format: Format,
}

impl Vault {
    /// Reads the key file where there is one. With S3 it must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The key file, or the settings of S3, cannot be used.
    pub fn new(config: &config::Recording) -> Result<Vault, VaultError> {
        let keys = config.key_file.as_deref().map(Keys::read).transpose()?;
        let bucket = config.bucket.as_ref().map(Bucket::new).transpose().map_err(VaultError::Bucket)?.map(Arc::new);
        Ok(Vault(Arc::new(Inner { dir: config.dir.clone(), format: config.format, keys, bucket })))
    }

    /// A folder of plain WAVs.
    #[must_use]
    pub fn plain(dir: &Path) -> Vault {
        Vault(Arc::new(Inner { dir: dir.to_owned(), format: Format::Wav, keys: None, bucket: None }))
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// What new files are written as.
    #[must_use]
    pub fn format(&self) -> Format {
        self.0.format
    }

    /// Seals new files, if they are to be sealed.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        self.0.keys.as_ref()
    }

    /// Where new files go in place of the folder.
    #[must_use]
    pub fn bucket(&self) -> Option<Arc<Bucket>> {
        self.0.bucket.clone()
    }

    /// What the paths of new files begin with.
    pub(super) fn prefix(&self) -> &'static str {
        if self.0.bucket.is_some() { REMOTE } else { "" }
    }

    /// The bucket and the key there; `None` for a file of the folder.
    pub(super) fn remote(&self, path: &str) -> io::Result<Option<(Arc<Bucket>, String)>> {
        let Some(key) = path.strip_prefix(REMOTE) else { return Ok(None) };
        let bucket = self.bucket().ok_or_else(|| io::Error::other("it lies in S3, and recording.s3 is not set"))?;
        Ok(Some((bucket, key.to_owned())))
    }

    /// Size of a file, sealed as it lies there; `None` when there is none. Blocks.
    pub(super) fn size(&self, path: &str) -> io::Result<Option<u64>> {
        if let Some((bucket, key)) = self.remote(path)? {
            return bucket.size(&key);
        }
        match std::fs::metadata(self.dir().join(path)) {
            Ok(found) => Ok(Some(found.len())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// What stands behind the key's letter in the names of files that are sealed now.
    pub(super) fn sealed_ending(&self) -> Option<String> {
        self.keys().map(|keys| format!("k{}", hex(&keys.sealing())))
    }

    /// Opens a file of the archive by its path in the database. Blocks.
    ///
    /// # Errors
    /// As [`ReadError`] tells.
    pub fn open(&self, path: &str) -> Result<Sound, ReadError> {
        let Some((format, sealed)) = kind(path) else { return Err(ReadError::Outside { path: path.to_owned() }) };
        let (file, stored) = self.stored(path)?;
        if !sealed {
            return Ok(Sound { reader: file, bytes: stored, format });
        }
        let damaged = |cause: io::Error| match cause.get_ref().is_some_and(|inner| inner.is::<NoKey>()) {
            true => ReadError::NoKey { path: path.to_owned(), why: cause.to_string() },
            false => ReadError::Damaged { path: path.to_owned(), why: cause.to_string() },
        };
        let Some(keys) = self.keys() else {
            let why = "it is sealed, and there is no recording.key_file; name the file with its key there".to_owned();
            return Err(ReadError::NoKey { path: path.to_owned(), why });
        };
        let mut opened = keys.open(file).map_err(damaged)?;
        let bytes = opened.seek(SeekFrom::End(0)).and_then(|bytes| opened.seek(SeekFrom::Start(0)).map(|_| bytes));
        Ok(Sound { bytes: bytes.map_err(damaged)?, reader: Box::new(opened), format })
    }

    /// The same as a WAV, whatever it is kept as. Blocks.
    ///
    /// # Errors
    /// As [`ReadError`] tells.
    pub fn open_wav(&self, path: &str) -> Result<Sound, ReadError> {
        let Sound { reader, format, .. } = self.open(path)?;
        let (reader, bytes) =
            as_wav(reader, format).map_err(|why| ReadError::Damaged { path: path.to_owned(), why })?;
        Ok(Sound { reader, bytes, format: Format::Wav })
    }

    /// The bytes as they lie there, and how many. Blocks.
    ///
    /// # Errors
    /// As [`ReadError`] tells.
    pub fn stored(&self, path: &str) -> Result<(Box<dyn Seekable>, u64), ReadError> {
        if let Some((bucket, key)) = self.remote(path).map_err(unreadable(path))? {
            let (object, bytes) = bucket.open(&key).map_err(unreadable(path))?;
            return Ok((Box::new(BufReader::with_capacity(BUFFER, object)), bytes));
        }
        let file = File::open(locate(self.dir(), path)?).map_err(unreadable(path))?;
        let bytes = file.metadata().map_err(unreadable(path))?.len();
        Ok((Box::new(BufReader::with_capacity(BUFFER, file)), bytes))
    }

    /// SHA-256 of the bytes as they lie there, and their number. Blocks.
    ///
    /// # Errors
    /// As [`ReadError`] tells.
    pub fn checksum(&self, path: &str) -> Result<(String, u64), ReadError> {
        hash(&mut self.stored(path)?.0).map_err(unreadable(path))
    }

    /// Removes a file; one that is gone already is no error. Blocks.
    ///
    /// # Errors
    /// As [`ReadError`] tells.
    pub fn remove(&self, path: &str) -> Result<(), ReadError> {
        if let Some((bucket, key)) = self.remote(path).map_err(unreadable(path))? {
            return bucket.remove(&key).map_err(unreadable(path));
        }
        match locate(self.dir(), path) {
            Err(ReadError::Missing { .. }) => Ok(()),
            found => std::fs::remove_file(found?).map_err(unreadable(path)),
        }
    }

    /// Both files hold the same sound. Blocks.
    pub(super) fn same_sound(&self, one: &str, other: &str) -> bool {
        let clear = |path| self.open(path).ok().and_then(|mut sound| hash(&mut sound.reader).ok());
        clear(one).is_some_and(|one| Some(one) == clear(other))
    }
}

/// What a path's endings tell: the format, and whether it is sealed. `None` for one that the archive did not give.
pub(super) fn kind(path: &str) -> Option<(Format, bool)> {
    let (rest, ending) = path.rsplit_once('.')?;
    match Format::parse(ending) {
        Some(format) => Some((format, false)),
        None => {
            let key = ending.strip_prefix('k').filter(|key| key.len() == 16);
            key.filter(|key| key.chars().all(|c| c.is_ascii_hexdigit()))?;
            Some((Format::parse(rest.rsplit_once('.')?.1)?, true))
        }
    }
}

/// The path without the endings.
pub(super) fn stem(path: &str) -> &str {
    let stem = match kind(path) {
        Some((_, true)) => path.rsplit_once('.').and_then(|(rest, _)| rest.rsplit_once('.')),
        Some((_, false)) | None => path.rsplit_once('.'),
    };
    stem.map_or(path, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use std::io::Read as _;
    use tokio::sync::mpsc;

    use super::super::file::{Piece, Raw, reseal, write};
    use super::super::testing::talk;
    use super::*;

    /// A server that `deploy/test` starts: its address, with an empty bucket `recordings`.
    fn server() -> Option<String> {
        let server = std::env::var("PEREZVON_TEST_S3").ok();
        assert!(server.is_some() || std::env::var("CI").is_err(), "set PEREZVON_TEST_S3: nothing is skipped unseen");
        server
    }

    fn remote(dir: &Path, endpoint: &str, keys: &str) -> config::Recording {
        let key_file = dir.join("keys");
        std::fs::write(&key_file, keys).unwrap();
        let bucket = config::Bucket {
            name: "recordings".to_owned(),
            endpoint: endpoint.to_owned(),
            region: "us-east-1".to_owned(),
            access_key: "test".to_owned(),
            secret_key: "test".to_owned().into(),
        };
        config::Recording {
            format: Format::Flac,
            bucket: Some(bucket),
            key_file: Some(key_file),
            ..config::Recording::plain(dir)
        }
    }

    fn put(vault: &Vault, raw: &[u8], stem: &str) -> Result<String, super::super::file::FileError> {
        let (sender, pieces) = mpsc::channel(4);
        sender.try_send(Piece::Bytes(Bytes::copy_from_slice(raw))).unwrap();
        sender.try_send(Piece::End).unwrap();
        write(vault, "a", Raw::Pieces(pieces)).unwrap().put(vault, stem, None, &mut std::collections::BTreeSet::new())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_recording_in_s3_is_sealed_put_once_read_in_ranges_checked_sealed_anew_and_removed() {
        let Some(endpoint) = server() else { return };
        let dir = tempfile::tempdir().unwrap();
        let old = Vault::new(&remote(dir.path(), &endpoint, &"0a".repeat(32))).unwrap();
        let both = format!("{}\n{}", "0b".repeat(32), "0a".repeat(32));
        let new = Vault::new(&remote(dir.path(), &endpoint, &both)).unwrap();
        let stem = format!("2026/11/21/{}-{}", std::process::id(), endpoint.len());
        // Longer than what is read or sealed at once.
        let raw = talk(60_000, 9_000, 5_000);
        let work = move || {
            let path = put(&old, &raw, &stem).unwrap();
            assert!(path.starts_with(&format!("s3:{stem}.flac.k")), "{path}");
            assert_eq!(put(&old, &raw, &stem).unwrap(), path);
            assert_ne!(put(&old, &raw[4..], &stem).unwrap(), path);
            let (sha256, bytes) = old.checksum(&path).unwrap();
            assert_eq!(old.size(&path).unwrap(), Some(bytes));
            let mut wav = old.open_wav(&path).unwrap();
            assert_eq!(wav.bytes, 44 + raw.len() as u64);
            wav.reader.seek(SeekFrom::Start(44 + 1_000_000)).unwrap();
            let mut rest = Vec::new();
            wav.reader.read_to_end(&mut rest).unwrap();
            assert!(rest == raw[1_000_000..]);
            let (again, other, _) = reseal(&new, &path).unwrap().unwrap();
            assert!(again != path && other != sha256 && new.same_sound(&again, &path));
            assert_eq!(reseal(&new, &again).unwrap(), None);
            new.remove(&path).unwrap();
            new.remove(&path).unwrap();
            assert!(matches!(new.open(&path), Err(ReadError::Missing { .. })));
            assert_eq!(std::fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
        };
        tokio::task::spawn_blocking(work).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn storage_that_is_not_there_is_told_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(&remote(dir.path(), "http://127.0.0.1:9", &"0a".repeat(32))).unwrap();
        let error = tokio::task::spawn_blocking(move || put(&vault, &[1; 400], "a").unwrap_err().to_string());
        let error = error.await.unwrap();
        assert!(error.contains("s3://recordings/a.flac") && error.contains("recording.s3"), "{error}");
    }

    #[test]
    fn the_name_tells_how_a_file_is_read() {
        let key = "k0123456789abcdef";
        assert_eq!(kind("2026/a.wav"), Some((Format::Wav, false)));
        assert_eq!(kind(&format!("a.flac.{key}")), Some((Format::Flac, true)));
        for path in ["a", "a.db", "a.k0123456789abcdef", "a.wav.k012", "a.wav.k012345678zabcdef", "", ".", "a.flac.x"] {
            assert_eq!(kind(path), None, "{path}");
        }
        assert_eq!(stem(&format!("2026/a-2.flac.{key}")), "2026/a-2");
        assert_eq!(stem("2026/a.wav"), "2026/a");
    }
}
