//! Recordings that lie in Asterisk: listed, fetched and removed over ARI, so that no shared disk is needed.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;

use super::rest::{CHANNEL_DEADLINE, HttpRequest, Rest, RestError};

/// Without a byte for so long, a transfer is given up.
const STALL: Duration = Duration::from_secs(10);
/// Asterisk looks through its folder for the list.
const LISTING: Duration = Duration::from_secs(30);

/// The recordings of one Asterisk.
#[derive(Clone)]
pub struct StoredRecordings {
    rest: Rest,
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredRecording {
    /// Path under Asterisk's recording folder, without the ending.
    pub name: String,
    /// The file's ending: `raw`, `wav`.
    pub format: String,
}

impl StoredRecordings {
    pub(super) fn new(rest: Rest) -> StoredRecordings {
        StoredRecordings { rest }
    }

    /// All of them, those that are still being written included.
    ///
    /// # Errors
    /// As [`RestError`] tells.
    pub async fn list(&self) -> Result<Vec<StoredRecording>, RestError> {
        self.rest.fetch(&HttpRequest::get(&["recordings", "stored"]).within(LISTING)).await
    }

    /// Starts to fetch the file, byte by byte as it is.
    ///
    /// # Errors
    /// As [`RestError`] tells; status 404 when there is none of that name.
    pub async fn fetch(&self, name: &str) -> Result<Download, RestError> {
        let request = HttpRequest::get(&["recordings", "stored", name, "file"]).within(CHANNEL_DEADLINE);
        let body = self.rest.open(&request).await?;
        Ok(Download { body, what: name.to_owned() })
    }

    /// Removes it. One that is gone already is no error.
    ///
    /// # Errors
    /// As [`RestError`] tells.
    pub async fn delete(&self, name: &str) -> Result<(), RestError> {
        match self.rest.send(&HttpRequest::delete(&["recordings", "stored", name])).await {
            Ok(_) | Err(RestError::Status { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct Download {
    body: Incoming,
    what: String,
}

impl Download {
    /// The next bytes; `None` at the end. An end that comes too early is an error.
    ///
    /// # Errors
    /// The connection broke, or nothing came for a while.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, RestError> {
        loop {
            let frame = tokio::time::timeout(STALL, self.body.frame())
                .await
                .map_err(|_| RestError::TimedOut { what: self.what.clone(), deadline: STALL })?;
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    // Trailers are of no interest.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => {
                    return Err(RestError::Unreadable { what: self.what.clone(), why: error.to_string() });
                }
            }
        }
    }
}
