//! A recording's way from Asterisk into a begun file of the archive: read where it lies, or fetched over ARI.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tracing::debug;

use super::board::{Job, Outcome, Task};
use super::collect::{Collector, GRACE};
use super::file::{self, FileError, Piece, Raw, Written};
use super::folder::Folder;
use super::ledger::Ledger;
use super::silence::Silence;
use super::source::{Source, SourceError, Stream};
use crate::shell::store::pauses::CallPauses;

/// A whole transfer takes at most so long: 37 hours of talk in a local network take a minute.
const TRANSFER: Duration = Duration::from_secs(15 * 60);
/// Pieces between the network and the disk.
const PIECES: usize = 4;
/// What comes is gathered to pieces of this size: a talk of a quarter of a minute is one piece, and the thread that
/// writes it never waits for the network.
const PIECE: usize = 512 << 10;
/// Room to begin with: four seconds.
const USUAL: usize = 128 << 10;

impl<S: Source, L: Ledger> Collector<S, L> {
    /// The recording in a begun file; `None` when Asterisk has none.
    pub(super) async fn fetch(&self, job: &mut Job, source: &S) -> Result<Option<Written>, Outcome> {
        let written = match source.folder() {
            Some(folder) => self.read(job, folder).await?,
            None => None,
        };
        let written = match written {
            Some(written) => Some(written),
            None => self.download(job, source).await?,
        };
        self.stats.wrote(written.as_ref().map_or(0, |written| written.bytes));
        Ok(written)
    }

    /// Reads Asterisk's own file; `None` when it cannot be opened here.
    async fn read(&self, job: &mut Job, folder: Folder) -> Result<Option<Written>, Outcome> {
        let pauses = self.pauses(job).await?;
        let (vault, begun, name) = (self.vault.clone(), self.begun_name(), job.name.clone());
        let read = in_time(TRANSFER, move || {
            let (file, length) = match folder.open(&name) {
                Ok(opened) => opened,
                Err(why) => {
                    debug!(recording = name, "fetched over ARI, not from {}: {why}", folder.path().display());
                    return Ok(None);
                }
            };
            let silence = Silence::new(&pauses, Some(length));
            let unkept = silence.pauses();
            let written: Result<_, FileError> = file::write(&vault, &begun, Raw::File(file, silence));
            written.map(|written| Some((written, unkept)))
        });
        Ok(read.await??.map(|(written, unkept)| {
            job.pauses = unkept;
            written
        }))
    }

    /// Fetches it over ARI; `None` when Asterisk has none.
    async fn download(&self, job: &mut Job, source: &S) -> Result<Option<Written>, Outcome> {
        let mut stream = match source.fetch(&job.name).await {
            Ok(stream) => stream,
            Err(SourceError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let pauses = self.pauses(job).await?;
        let mut silence = Silence::new(&pauses, stream.length());
        job.pauses = silence.pauses();
        let (pieces, received) = mpsc::channel(PIECES);
        let first = tokio::time::timeout(TRANSFER, pump(&mut stream, &mut silence, &pieces, 1)).await;
        let whole = first.map_err(|_| too_slow())??;
        let (vault, begun) = (self.vault.clone(), self.begun_name());
        let writing = tokio::task::spawn_blocking(move || file::write(&vault, &begun, Raw::Pieces(received)));
        let pumped = match whole {
            true => Ok(Ok(true)),
            false => tokio::time::timeout(TRANSFER, pump(&mut stream, &mut silence, &pieces, usize::MAX)).await,
        };
        drop(pieces);
        match (writing.await.map_err(stopped_short)?, pumped) {
            (Ok(written), _) => Ok(Some(written)),
            (Err(FileError::Interrupted), Ok(Err(error))) => Err(error.into()),
            (Err(FileError::Interrupted), Err(_)) => Err(too_slow()),
            (Err(error), _) => Err(error.into()),
        }
    }

    /// With the process's number, since another engine may be on its way out in the same folder.
    fn begun_name(&self) -> String {
        format!("{}-{}", std::process::id(), self.files.fetch_add(1, Ordering::Relaxed))
    }

    /// Where nothing of it is to be kept. Of a call that ended in this life of the engine and was never paused that need
    /// not be asked.
    async fn pauses(&self, job: &Job) -> Result<Vec<CallPauses>, Outcome> {
        if matches!(job.task, Task::Ended { gone: true, .. }) {
            return Ok(Vec::new());
        }
        // The end of a pause, or of the call, may be on its way to the journal.
        if !self.ledger.caught_up().await {
            return Err(Outcome::Later(GRACE));
        }
        Ok(self.ledger.pauses(job.node, &job.name).await?)
    }
}

/// Does it on a thread for blocking work. A disk elsewhere may never answer: then it is not waited for any longer.
pub(super) async fn in_time<T: Send + 'static>(
    most: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Outcome> {
    match tokio::time::timeout(most, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(stopped_short),
        Err(_) => Err(Outcome::Failed(format!("Asterisk's folder did not answer within {} s", most.as_secs()))),
    }
}

/// The thread that was to write it did not come to its end.
fn stopped_short(error: JoinError) -> Outcome {
    Outcome::Failed(format!("writing the file failed: {error}"))
}

fn too_slow() -> Outcome {
    Outcome::Failed(format!("the transfer took more than {} s", TRANSFER.as_secs()))
}

/// Hands on at most so many pieces of what comes from Asterisk; whether that was all, and its end is told too.
async fn pump<T: Stream>(
    stream: &mut T,
    silence: &mut Silence,
    pieces: &mpsc::Sender<Piece>,
    most: usize,
) -> Result<bool, SourceError> {
    for _ in 0..most {
        let mut piece = BytesMut::with_capacity(USUAL);
        let mut whole = false;
        while piece.len() < PIECE && !whole {
            match stream.chunk().await? {
                Some(bytes) => piece.extend_from_slice(&bytes),
                None => whole = true,
            }
        }
        silence.over(&mut piece);
        // An error means that the writer has given up, and tells why.
        if pieces.send(Piece::Bytes(piece.freeze())).await.is_err() {
            return Ok(true);
        }
        if whole {
            let _ = pieces.send(Piece::End).await;
            return Ok(true);
        }
    }
    Ok(false)
}
