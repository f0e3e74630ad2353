//! Where recordings come from: the recording folder of an Asterisk.

use std::future::Future;

use bytes::Bytes;

use super::folder::Folder;

/// One Asterisk's stored recordings, as the archive needs them. Names are without the ending.
pub trait Source: Clone + Send + Sync + 'static {
    /// A file on its way.
    type Stream: Stream;

    /// Names of all raw recordings, those that are still being written included.
    fn list(&self) -> impl Future<Output = Result<Vec<String>, SourceError>> + Send;

    /// The same files, where this machine sees them.
    fn folder(&self) -> Option<Folder>;

    /// Starts to fetch a file.
    fn fetch(&self, name: &str) -> impl Future<Output = Result<Self::Stream, SourceError>> + Send;

    /// Removes a file; one that is gone already is no error.
    fn delete(&self, name: &str) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Whether this channel exists: while it does, its recording may grow.
    fn is_alive(&self, channel: &str) -> impl Future<Output = Result<bool, SourceError>> + Send;
}

/// Bytes of a file, in order.
pub trait Stream: Send + 'static {
    /// How many there are in all, when that is known.
    fn length(&self) -> Option<u64>;

    /// The next bytes; `None` at the end. An end that comes too early is an error.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, SourceError>> + Send;
}

/// Why Asterisk did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no file of that name.
    #[error("Asterisk has no such recording")]
    NotFound,
    /// It cannot be reached or does not answer: nothing else will work there now either.
    #[error("{0}")]
    Away(String),
    /// This one request failed, or the transfer broke off.
    #[error("{0}")]
    Failed(String),
}
