//! The picture of a recording: how loud each side is over time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::shell::recordings::peaks::draw;
use crate::shell::recordings::{ReadError, Vault};

/// Files read at once: an hour of talk is 115 MB.
static TURNS: Semaphore = Semaphore::const_new(2);
/// How long a picture waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The highest level in each of 1000 parts, 0 to 100.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct Peaks {
    pub(super) duration_ms: u64,
    /// The caller.
    pub(super) left: Vec<u8>,
    /// The agent; empty when the recording has one channel.
    pub(super) right: Vec<u8>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeaksError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(ReadError),
    /// The file is no sound.
    #[error("the file is not a sound that can be drawn: {0}")]
    Wav(String),
    /// Too many at once.
    #[error("too many pictures are being drawn; try again in a moment")]
    Busy,
}

/// Reads the file off the worker threads, in turn.
pub(super) async fn of_recording(vault: Vault, path: String) -> Result<Peaks, PeaksError> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await;
    let Ok(Ok(turn)) = turn else { return Err(PeaksError::Busy) };
    let drawn = tokio::task::spawn_blocking(move || {
        // The turn ends with the work, even if the client went away.
        let sound = vault.open_wav(&path).map_err(PeaksError::Unreadable);
        let drawn = sound.and_then(|sound| draw(sound.reader).map_err(PeaksError::Wav));
        drop(turn);
        drawn
    });
    let drawn = drawn.await.map_err(|cause| PeaksError::Wav(cause.to_string()))??;
    Ok(Peaks { duration_ms: drawn.duration_ms, left: drawn.left, right: drawn.right })
}
