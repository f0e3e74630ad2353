//! Recordings that lie in Asterisk: listed, fetched and removed over ARI, so that no shared disk is needed.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use serde::Deserialize;

use super::pool::Lease;
use super::rest::{CHANNEL_DEADLINE, HttpRequest, Rest, RestError};

/// Without a byte for so long, a transfer is given up.
const STALL: Duration = Duration::from_secs(10);
/// Asterisk writes a file 256 bytes at a time. Whoever reads each piece as it comes is woken 240 times for a talk of
/// two seconds; after a pause of this length the pieces of a quarter of a megabyte lie there together.
const GATHERING: Duration = Duration::from_millis(5);
/// A smaller piece means that more is on its way.
const WORTH_READING: usize = 4096;
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
        let (body, lease) = self.rest.open(&request).await?;
        Ok(Download { body, _lease: lease, what: name.to_owned(), early: true })
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

    /// Whether this channel exists: while it does, its recording may grow.
    ///
    /// # Errors
    /// As [`RestError`] tells.
    pub async fn channel_exists(&self, channel: &str) -> Result<bool, RestError> {
        match self.rest.send(&HttpRequest::get(&["channels", channel])).await {
            Ok(_) => Ok(true),
            Err(RestError::Status { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct Download {
    /// Before the lease: a body that is given up is dropped first.
    body: Incoming,
    _lease: Lease,
    what: String,
    /// What was read last came in small pieces.
    early: bool,
}

impl Download {
    /// How many bytes there are in all, when Asterisk says so.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        hyper::body::Body::size_hint(&self.body).exact()
    }

    /// The next bytes; `None` at the end. An end that comes too early is an error.
    ///
    /// # Errors
    /// The connection broke, or nothing came for a while.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, RestError> {
        loop {
            if self.early && !self.body.is_end_stream() {
                tokio::time::sleep(GATHERING).await;
            }
            let frame = tokio::time::timeout(STALL, self.body.frame())
                .await
                .map_err(|_| RestError::TimedOut { what: self.what.clone(), deadline: STALL })?;
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    // Trailers are of no interest.
                    if let Ok(data) = frame.into_data() {
                        self.early = data.len() < WORTH_READING;
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

#[cfg(test)]
mod tests {
    use super::super::fake::{Answer, Fake};
    use super::*;

    async fn recordings(fake: &Fake) -> StoredRecordings {
        StoredRecordings::new(Rest::new(&fake.config).unwrap())
    }

    #[tokio::test]
    async fn a_recording_is_listed_fetched_whole_and_removed_even_when_it_is_gone() {
        let mut fake = Fake::start().await;
        let sound = "12345678".repeat(40_000);
        let sent = sound.clone();
        fake.answer(move |request| match request {
            "GET /recordings/stored" => Some(Answer::new(200, r#"[{"name":"perezvon/17.1_7900","format":"raw"}]"#)),
            "GET /recordings/stored/perezvon%2F17.1_7900/file" => Some(Answer::new(200, &sent)),
            _ => Some(Answer::refusal(404, "Recording not found")),
        });
        let recordings = recordings(&fake).await;
        let list = recordings.list().await.unwrap();
        assert_eq!(list, [StoredRecording { name: "perezvon/17.1_7900".to_owned(), format: "raw".to_owned() }]);
        let mut download = recordings.fetch("perezvon/17.1_7900").await.unwrap();
        let mut fetched = Vec::new();
        let mut chunks = 0;
        while let Some(chunk) = download.chunk().await.unwrap() {
            fetched.extend_from_slice(&chunk);
            chunks += 1;
        }
        assert_eq!(fetched, sound.as_bytes());
        assert!(chunks > 1, "it came in one piece: memory would grow with the recording");
        recordings.delete("perezvon/17.1_7900").await.unwrap();
        assert_eq!(fake.request("DELETE").await, "DELETE /recordings/stored/perezvon%2F17.1_7900");
        assert_eq!(recordings.fetch("perezvon/nothing").await.unwrap_err().status(), Some(404));
    }

    #[tokio::test]
    async fn a_transfer_that_breaks_off_is_an_error_and_not_a_short_recording() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = super::super::NodeConfig {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ..super::super::NodeConfig::default()
        };
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0_u8; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc").await.unwrap();
        });
        let recordings = StoredRecordings::new(Rest::new(&config).unwrap());
        let mut download = recordings.fetch("perezvon/17.1").await.unwrap();
        assert_eq!(download.chunk().await.unwrap().as_deref(), Some(b"abc".as_slice()));
        assert!(download.chunk().await.is_err());
    }
}
