//! The picture of a recording: how loud each side is over time.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// Parts of the picture.
const PARTS: usize = 1000;
/// Files read at once: an hour of talk is 115 MB.
static TURNS: Semaphore = Semaphore::const_new(2);
/// How long a picture waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The highest level in each part, 0 to 100.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
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
    #[error("the file cannot be read: {0}")]
    Io(std::io::Error),
    /// The file is no sound.
    #[error("the file is not a WAV that can be drawn: {0}")]
    Wav(String),
    /// Too many at once.
    #[error("too many pictures are being drawn; try again in a moment")]
    Busy,
}

/// Reads the file off the worker threads, in turn.
pub(super) async fn of_file(path: PathBuf) -> Result<Peaks, PeaksError> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await;
    let Ok(Ok(turn)) = turn else { return Err(PeaksError::Busy) };
    let drawn = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(path).map_err(PeaksError::Io)?;
        // The turn ends with the work, even if the client went away.
        let drawn = draw(std::io::BufReader::with_capacity(256 * 1024, file));
        drop(turn);
        drawn
    });
    drawn.await.map_err(|cause| PeaksError::Wav(cause.to_string()))?
}

fn draw(file: impl std::io::Read) -> Result<Peaks, PeaksError> {
    let wav = |cause: hound::Error| match cause {
        hound::Error::IoError(cause) => PeaksError::Io(cause),
        other => PeaksError::Wav(other.to_string()),
    };
    let mut reader = hound::WavReader::new(file).map_err(wav)?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    if spec.bits_per_sample != 16 || !(1..=2).contains(&channels) || spec.sample_rate == 0 {
        return Err(PeaksError::Wav(format!("{channels} channels of {} bits", spec.bits_per_sample)));
    }
    let frames = usize::try_from(reader.duration()).unwrap_or(0);
    let parts = PARTS.min(frames);
    let mut highest = vec![[0_u16; 2]; parts];
    for (index, sample) in reader.samples::<i16>().enumerate() {
        let (frame, side) = (index / channels, index % channels);
        let part = frame.saturating_mul(parts) / frames.max(1);
        if let Some(level) = highest.get_mut(part).and_then(|sides| sides.get_mut(side)) {
            *level = (*level).max(sample.map_err(wav)?.unsigned_abs());
        }
    }
    let side = |side: usize| highest.iter().filter_map(|sides| sides.get(side)).map(|level| percent(*level)).collect();
    Ok(Peaks {
        duration_ms: u64::from(reader.duration()) * 1000 / u64::from(spec.sample_rate),
        left: side(0),
        right: if channels == 2 { side(1) } else { Vec::new() },
    })
}

fn percent(level: u16) -> u8 {
    u8::try_from(u32::from(level) * 100 / 32768).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(frames: &[(i16, i16)]) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for (left, right) in frames {
            writer.write_sample(*left).unwrap();
            writer.write_sample(*right).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn each_side_has_its_own_picture() {
        let mut frames = vec![(0, 0); 8000];
        frames[..4000].fill((16384, 0));
        frames[4000..].fill((0, i16::MIN));
        let peaks = draw(wav(&frames).as_slice()).unwrap();
        assert_eq!(peaks.duration_ms, 1000);
        assert_eq!((peaks.left.len(), peaks.right.len()), (1000, 1000));
        assert_eq!((peaks.left[0], peaks.left[499], peaks.left[500]), (50, 50, 0));
        assert_eq!((peaks.right[499], peaks.right[500], peaks.right[999]), (0, 100, 100));
    }

    #[test]
    fn short_empty_and_broken_files_are_no_trouble() {
        assert_eq!(draw(wav(&[(100, 200)]).as_slice()).unwrap().left.len(), 1);
        assert_eq!(draw(wav(&[]).as_slice()).unwrap().left.len(), 0);
        assert!(matches!(draw(b"RIFF1234".as_slice()), Err(PeaksError::Io(_) | PeaksError::Wav(_))));
        let mut cut = wav(&vec![(1, 1); 100]);
        cut.truncate(100);
        assert!(draw(cut.as_slice()).is_err());
    }
}
