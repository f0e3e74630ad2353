//! Recordings in S3-compatible storage. Blocking, as the rest of the archive's files: called on threads for blocking work,
//! where waiting for the network costs nothing else.

use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::path::Path as Key;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt as _, RetryConfig, WriteMultipart};
use tokio::runtime::Handle;

use super::format::sought;
use crate::shell::config;

/// Read at once: half a minute of talk.
const WINDOW: u64 = 1 << 20;
/// Larger files are sent in parts, this large; S3 takes 10,000 of them and none below 5 MiB.
const PART: usize = 16 << 20;
/// For an answer; what is sent at once takes no longer on any line that can carry talks.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(5);
/// Attempts at one request; after that the recording waits and is tried again as a whole.
const TRIES: usize = 2;

/// A bucket. Built only where one is configured.
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    name: String,
    runtime: Handle,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bucket").field(&self.name).finish()
    }
}

impl Bucket {
    /// Nothing is asked of the storage yet. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// In words, what is wrong with the settings.
    pub fn new(config: &config::Bucket) -> Result<Bucket, String> {
        let client = ClientOptions::new()
            .with_timeout(PATIENCE)
            .with_connect_timeout(CONNECT)
            .with_allow_http(config.endpoint.starts_with("http://"));
        let retry = RetryConfig { max_retries: TRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let store = AmazonS3Builder::new()
            .with_bucket_name(&config.name)
            .with_endpoint(config.endpoint.trim_end_matches('/'))
            .with_region(&config.region)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(config.secret_key.reveal())
            // The servers that offices run themselves have no name for each bucket.
            .with_virtual_hosted_style_request(false)
            // The storage refuses what did not come whole.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_client_options(client)
            .with_retry(retry)
            .build()
            .map_err(|cause| format!("recording.s3 cannot be used: {cause}"))?;
        Ok(Bucket { store: Arc::new(store), name: config.name.clone(), runtime: Handle::current() })
    }

    /// Where a file lies, for people.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn wait<T>(&self, asked: impl Future<Output = object_store::Result<T>>) -> io::Result<T> {
        self.runtime.block_on(asked).map_err(told)
    }

    /// Size of a file; `None` when there is none.
    ///
    /// # Errors
    /// When the storage does not answer or refuses.
    pub fn size(&self, key: &str) -> io::Result<Option<u64>> {
        match self.wait(self.store.head(&Key::from(key))) {
            Ok(found) => Ok(Some(found.size)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Stores a file and asks whether it is there, whole.
    ///
    /// # Errors
    /// When the storage does not answer, refuses, or has something else afterwards.
    pub fn put(&self, key: &str, file: &mut impl Read) -> io::Result<()> {
        let target = Key::from(key);
        let mut part = read_part(file)?;
        let mut bytes = part.len() as u64;
        if part.len() < PART {
            self.wait(self.store.put(&target, part.into()))?;
        } else {
            let mut upload = WriteMultipart::new_with_chunk_size(self.wait(self.store.put_multipart(&target))?, PART);
            while !part.is_empty() {
                upload.put(part);
                self.wait(upload.wait_for_capacity(1))?;
                part = read_part(file)?;
                bytes += part.len() as u64;
            }
            self.wait(upload.finish())?;
        }
        match self.size(key)? {
            Some(found) if found == bytes => Ok(()),
            found => Err(io::Error::other(format!("{bytes} bytes were sent, and the storage has {found:?}"))),
        }
    }

    /// Opens a file.
    ///
    /// # Errors
    /// When there is none, or the storage does not answer or refuses.
    pub fn open(self: &Arc<Self>, key: &str) -> io::Result<(Object, u64)> {
        let bytes = self.size(key)?.ok_or(io::ErrorKind::NotFound)?;
        Ok((Object { bucket: self.clone(), key: Key::from(key), bytes, at: 0, window: (0, Bytes::new()) }, bytes))
    }

    /// Removes a file; one that is gone already is no error.
    ///
    /// # Errors
    /// When the storage does not answer or refuses.
    pub fn remove(&self, key: &str) -> io::Result<()> {
        match self.wait(self.store.delete(&Key::from(key))) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn read_part(file: &mut impl Read) -> io::Result<Bytes> {
    let mut part = Vec::new();
    file.take(PART as u64).read_to_end(&mut part)?;
    Ok(part.into())
}

fn told(cause: Error) -> io::Error {
    let kind = match &cause {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, cause)
}

/// A file there, read by ranges as far as it is wanted.
pub struct Object {
    bucket: Arc<Bucket>,
    key: Key,
    bytes: u64,
    at: u64,
    /// What was read last, and from where.
    window: (u64, Bytes),
}

impl Read for Object {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.bytes || to.is_empty() {
            return Ok(0);
        }
        let within = |(from, bytes): &(u64, Bytes), at: u64| {
            let skip = usize::try_from(at.checked_sub(*from)?).ok()?;
            bytes.get(skip..).filter(|rest| !rest.is_empty()).map(<[u8]>::len)
        };
        if within(&self.window, self.at).is_none() {
            let range = self.at..self.bytes.min(self.at + WINDOW);
            let bytes = self.bucket.wait(self.bucket.store.get_range(&self.key, range))?;
            self.window = (self.at, bytes);
        }
        let (from, bytes) = &self.window;
        let skip = usize::try_from(self.at.saturating_sub(*from)).unwrap_or(usize::MAX);
        let rest = bytes.get(skip..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the storage gave nothing"))?;
        let length = rest.len().min(to.len());
        to.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Object {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = sought(to, self.at, self.bytes)?;
        Ok(self.at)
    }
}
