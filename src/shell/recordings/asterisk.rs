//! Recordings of a real Asterisk, over ARI; where its folder is seen here, only what cannot be done there.

use std::path::Path;

use bytes::Bytes;

use super::folder::{ENDING, Folder};
use super::source::{Source, SourceError, Stream};
use crate::shell::asterisk::rest::RestError;
use crate::shell::asterisk::stored::{Download, StoredRecordings};

/// The recordings of one Asterisk.
#[derive(Clone)]
pub struct AsteriskRecordings {
    stored: StoredRecordings,
    folder: Option<Folder>,
}

impl AsteriskRecordings {
    /// Those that ARI tells of; `folder` is where they lie, if this machine sees that.
    #[must_use]
    pub fn new(stored: StoredRecordings, folder: Option<&Path>) -> AsteriskRecordings {
        AsteriskRecordings { stored, folder: folder.map(|path| Folder::new(path.to_owned())) }
    }
}

impl Source for AsteriskRecordings {
    type Stream = Download;

    async fn list(&self) -> Result<Vec<String>, SourceError> {
        let all = self.stored.list().await?;
        Ok(all.into_iter().filter(|one| one.format == ENDING).map(|one| one.name).collect())
    }

    fn folder(&self) -> Option<Folder> {
        self.folder.clone()
    }

    async fn fetch(&self, name: &str) -> Result<Download, SourceError> {
        Ok(self.stored.fetch(name).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), SourceError> {
        Ok(self.stored.delete(name).await?)
    }

    async fn is_alive(&self, channel: &str) -> Result<bool, SourceError> {
        Ok(self.stored.channel_exists(channel).await?)
    }
}

impl Stream for Download {
    fn length(&self) -> Option<u64> {
        Download::length(self)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, SourceError> {
        Ok(Download::chunk(self).await?)
    }
}

impl From<RestError> for SourceError {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Status { status: 404, .. } => SourceError::NotFound,
            RestError::TimedOut { .. } | RestError::Unreachable { .. } | RestError::Broken { .. } => {
                SourceError::Away(error.to_string())
            }
            RestError::Status { .. } | RestError::Unreadable { .. } => SourceError::Failed(error.to_string()),
        }
    }
}
