//! The picture of a recording: how loud each side is over time.

use std::io::{BufReader, Read};

/// Parts of the picture.
pub const PARTS: usize = 1000;

/// The highest level in each part, 0 to 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peaks {
    /// Length of the recording.
    pub duration_ms: u64,
    /// The caller.
    pub left: Vec<u8>,
    /// The agent; empty when the recording has one channel.
    pub right: Vec<u8>,
}

/// Draws a WAV. Blocks.
///
/// # Errors
/// In words, why it is not to be drawn.
pub fn draw(file: impl Read) -> Result<Peaks, String> {
    let told = |cause: hound::Error| cause.to_string();
    let mut reader = hound::WavReader::new(BufReader::with_capacity(256 * 1024, file)).map_err(told)?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    if spec.bits_per_sample != 16 || !(1..=2).contains(&channels) || spec.sample_rate == 0 {
        return Err(format!("it has {channels} channels of {} bits", spec.bits_per_sample));
    }
    let frames = usize::try_from(reader.duration()).unwrap_or(0);
    let parts = PARTS.min(frames);
    let mut highest = vec![[0_u16; 2]; parts];
    for (index, sample) in reader.samples::<i16>().enumerate() {
        let (frame, side) = (index / channels, index % channels);
        let part = frame.saturating_mul(parts) / frames.max(1);
        if let Some(level) = highest.get_mut(part).and_then(|sides| sides.get_mut(side)) {
            *level = (*level).max(sample.map_err(told)?.unsigned_abs());
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
        assert!(draw(b"RIFF1234".as_slice()).is_err());
        let mut cut = wav(&vec![(1, 1); 100]);
        cut.truncate(100);
        assert!(draw(cut.as_slice()).is_err());
    }
}
