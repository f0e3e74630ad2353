//! Recordings of a real Asterisk, over ARI.

use bytes::Bytes;

use super::source::{Source, SourceError, Stream};
use crate::shell::asterisk::rest::RestError;
use crate::shell::asterisk::stored::{Download, StoredRecordings};

/// The ending that the dialplan gives: samples without a header.
const FORMAT: &str = "raw";

impl Source for StoredRecordings {
    type Stream = Download;

    async fn list(&self) -> Result<Vec<String>, SourceError> {
        let all = StoredRecordings::list(self).await?;
        Ok(all.into_iter().filter(|one| one.format == FORMAT).map(|one| one.name).collect())
    }

    async fn fetch(&self, name: &str) -> Result<Download, SourceError> {
        Ok(StoredRecordings::fetch(self, name).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), SourceError> {
        Ok(StoredRecordings::delete(self, name).await?)
    }

    async fn is_alive(&self, channel: &str) -> Result<bool, SourceError> {
        Ok(self.channel_exists(channel).await?)
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
