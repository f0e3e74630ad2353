//! WAV in memory: sounds read and written, and the raw stereo stream of a recording turned into WAV while
//! [`Analysis`] measures it.

use std::io::{Cursor, Seek, Write};

pub use super::measure::{Analysis, FRAME_BYTES, Fault, Frame, Level, Report, Side, analyse};

/// Samples a second on a telephone line (G.711).
pub const TELEPHONE_RATE: u32 = 8_000;

/// A WAV counts its bytes in 32 bits; more would wrap round and hide the talk. 37 hours at 8 kHz.
const MAX_FRAMES: u64 = (u32::MAX as u64 - 4096) / FRAME_BYTES as u64;

/// Written to the WAV at once; `hound` keeps a buffer of that size.
const FRAMES_AT_ONCE: usize = 4096;

/// Why sound could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// No sound has zero samples a second.
    #[error(
        "a WAV of 0 samples a second cannot be written; give the rate of the stream, {TELEPHONE_RATE} on a telephone line"
    )]
    ZeroRate,
    /// More than a WAV can hold.
    #[error("the recording is longer than a WAV can hold ({MAX_FRAMES} frames); split it")]
    TooLong,
    /// Good WAV, but not in the form asked for.
    #[error("the WAV has {channels} channels of {bits} bits; make it 16-bit PCM with 1 or 2 channels")]
    Unsupported {
        /// Channels in the header.
        channels: u16,
        /// Bits of a sample in the header.
        bits: u16,
    },
    /// Not a WAV, or the file breaks off, or the disk refused.
    #[error("the WAV could not be read or written: {0}")]
    Format(#[from] hound::Error),
}

/// Turns a raw stereo stream into a WAV as it comes, and measures it on the way.
pub struct StereoWav<W: Write + Seek> {
    wav: hound::WavWriter<W>,
    analysis: Analysis,
}

impl<W: Write + Seek> StereoWav<W> {
    /// Writes the header. Hand in a buffered writer: the header comes in small pieces.
    ///
    /// # Errors
    /// When the rate is zero or the writer refuses.
    pub fn new(writer: W, rate: u32) -> Result<Self, WavError> {
        let wav = hound::WavWriter::new(writer, spec(2, rate)?)?;
        Ok(Self { wav, analysis: Analysis::new(rate) })
    }

    /// The next bytes of the stream, however many.
    ///
    /// # Errors
    /// When the writer refuses (a full disk) or the WAV would become too long.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), WavError> {
        let coming = bytes.len().div_ceil(FRAME_BYTES) as u64;
        if self.analysis.frames().saturating_add(coming) > MAX_FRAMES {
            return Err(WavError::TooLong);
        }
        let Self { wav, analysis } = self;
        Ok(analysis.feed_and(bytes, |frames| write_frames(wav, frames))?)
    }

    /// Completes the header with the length and tells what was written.
    ///
    /// # Errors
    /// When the writer refuses.
    pub fn finish(self) -> Result<Report, WavError> {
        self.wav.finalize()?;
        Ok(self.analysis.report())
    }
}

fn write_frames<W: Write + Seek>(wav: &mut hound::WavWriter<W>, frames: &[Frame]) -> Result<(), hound::Error> {
    for block in frames.chunks(FRAMES_AT_ONCE) {
        let mut writer = wav.get_i16_writer(block.len() as u32 * 2);
        for [a, b, c, d] in block {
            writer.write_sample(i16::from_le_bytes([*a, *b]));
            writer.write_sample(i16::from_le_bytes([*c, *d]));
        }
        writer.flush()?;
    }
    Ok(())
}

/// A whole raw stereo stream as a WAV in memory.
///
/// # Errors
/// When the rate is zero or the stream is longer than a WAV can hold.
pub fn stereo_wav_from_raw(raw: &[u8], rate: u32) -> Result<(Vec<u8>, Report), WavError> {
    let mut bytes = Vec::with_capacity(raw.len() + 64);
    let mut wav = StereoWav::new(Cursor::new(&mut bytes), rate)?;
    wav.feed(raw)?;
    let report = wav.finish()?;
    Ok((bytes, report))
}

/// Sound read from a WAV: 16-bit samples, channels in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Samples a second of each channel.
    pub rate: u32,
    /// 1 or 2.
    pub channels: u16,
    /// The samples, channels in turn.
    pub samples: Vec<i16>,
}

impl Sound {
    /// Reads 16-bit PCM WAV.
    ///
    /// # Errors
    /// When it is no WAV, breaks off, or is of another form (float, 8 or 24 bits, more than two channels).
    pub fn read(wav: &[u8]) -> Result<Self, WavError> {
        let mut reader = hound::WavReader::new(wav)?;
        let hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
        let fits = bits_per_sample == 16 && sample_format == hound::SampleFormat::Int && (1..=2).contains(&channels);
        if !fits {
            return Err(WavError::Unsupported { channels, bits: bits_per_sample });
        }
        if sample_rate == 0 {
            return Err(WavError::ZeroRate);
        }
        // No room is taken on the header's word alone: a lying one would claim 4 GB.
        let samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
        Ok(Self { rate: sample_rate, channels, samples })
    }

    /// The sound as a WAV in memory.
    ///
    /// # Errors
    /// When the rate is zero, the channels are not 1 or 2, or a WAV cannot hold so much.
    pub fn write(&self) -> Result<Vec<u8>, WavError> {
        if !(1..=2).contains(&self.channels) {
            return Err(WavError::Unsupported { channels: self.channels, bits: 16 });
        }
        if self.samples.len() as u64 / 2 > MAX_FRAMES {
            return Err(WavError::TooLong);
        }
        let mut bytes = Vec::with_capacity(self.samples.len() * 2 + 64);
        let mut wav = hound::WavWriter::new(Cursor::new(&mut bytes), spec(self.channels, self.rate)?)?;
        for sample in &self.samples {
            wav.write_sample(*sample)?;
        }
        wav.finalize()?;
        Ok(bytes)
    }
}

fn spec(channels: u16, sample_rate: u32) -> Result<hound::WavSpec, WavError> {
    if sample_rate == 0 {
        return Err(WavError::ZeroRate);
    }
    Ok(hound::WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::speech::measure::testing::{raw, square_wave};

    #[test]
    fn a_raw_stream_becomes_a_wav_that_holds_the_same_samples() {
        let (wav, report) = stereo_wav_from_raw(&raw([(1, -2), (i16::MAX, i16::MIN), (300, -400)]), 8_000).unwrap();
        let sound = Sound::read(&wav).unwrap();
        assert_eq!(sound, Sound { rate: 8_000, channels: 2, samples: vec![1, -2, i16::MAX, i16::MIN, 300, -400] });
        assert_eq!(report.frames, 3);
        // The plain 44-byte header, which every player understands, and the right lengths in it.
        assert_eq!(wav.len(), 44 + 12);
        assert_eq!(u32::from_le_bytes(wav[4..8].try_into().unwrap()), 36 + 12);
        assert_eq!(u32::from_le_bytes(wav[40..44].try_into().unwrap()), 12);
    }

    #[test]
    fn chunks_split_anywhere_give_the_same_wav_and_report() {
        let stream = square_wave(50, 1_000, -3_000);
        let (whole, expected) = stereo_wav_from_raw(&stream, 8_000).unwrap();
        for size in [1, 2, 3, 5, 7, 64, 199] {
            let mut bytes = Vec::new();
            let mut wav = StereoWav::new(Cursor::new(&mut bytes), 8_000).unwrap();
            for chunk in stream.chunks(size) {
                wav.feed(&[]).unwrap();
                wav.feed(chunk).unwrap();
            }
            assert_eq!(wav.finish().unwrap(), expected, "chunks of {size}");
            assert_eq!(bytes, whole, "chunks of {size}");
        }
    }

    #[test]
    fn an_empty_recording_is_reported_and_still_a_wav() {
        let (wav, report) = stereo_wav_from_raw(&[], 8_000).unwrap();
        assert!(Sound::read(&wav).unwrap().samples.is_empty());
        let talk = Duration::from_secs(5);
        assert_eq!(report.faults(Some(talk)), [Fault::Empty, Fault::Short { expected: talk, found: Duration::ZERO }]);
        assert_eq!(report.faults(None), [Fault::Empty]);
    }

    #[test]
    fn a_broken_last_frame_is_left_out_and_reported() {
        for over in 1..=3_u8 {
            let mut stream = square_wave(1_000, 5_000, 5_000);
            stream.extend(std::iter::repeat_n(7, usize::from(over)));
            let (wav, report) = stereo_wav_from_raw(&stream, 8_000).unwrap();
            assert_eq!(report.faults(None), [Fault::Truncated { bytes: over }]);
            assert_eq!(Sound::read(&wav).unwrap().samples.len(), 2_000);
        }
    }

    #[test]
    fn a_rate_of_zero_is_an_error_and_never_a_division() {
        assert!(matches!(stereo_wav_from_raw(&[], 0), Err(WavError::ZeroRate)));
        assert_eq!(analyse(&[0; 8], 0).duration(), Duration::ZERO);
    }

    #[test]
    fn a_stream_longer_than_a_wav_can_hold_is_refused_before_it_wraps_round() {
        let mut bytes = Vec::new();
        let mut wav = StereoWav::new(Cursor::new(&mut bytes), 8_000).unwrap();
        wav.analysis.set_frames(MAX_FRAMES);
        assert!(matches!(wav.feed(&[0; 4]), Err(WavError::TooLong)));
    }

    #[test]
    fn a_full_disk_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        impl Seek for Full {
            fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
                Ok(0)
            }
        }
        let refused = StereoWav::new(Full, 8_000).and_then(|mut wav| wav.feed(&[0; 4]));
        assert!(matches!(refused, Err(WavError::Format(_))));
    }

    #[test]
    fn mono_sound_is_written_and_read_back() {
        let sound = Sound { rate: 8_000, channels: 1, samples: vec![0, 1, -1, 32_767, -32_768] };
        assert_eq!(Sound::read(&sound.write().unwrap()).unwrap(), sound);
    }

    #[test]
    fn what_is_no_wav_or_breaks_off_is_an_error_and_no_panic() {
        let good = Sound { rate: 8_000, channels: 2, samples: vec![5; 40] }.write().unwrap();
        for length in 0..good.len() {
            // hound takes a whole number of samples as they come; anything cut inside must say so.
            assert!(Sound::read(&good[..length]).is_err(), "{length} bytes");
        }
        assert!(Sound::read(b"an html page with an error").is_err());
        let three = Sound { rate: 8_000, channels: 3, samples: vec![] };
        assert!(matches!(three.write(), Err(WavError::Unsupported { channels: 3, bits: 16 })));
    }

    proptest::proptest! {
        #[test]
        fn a_wav_with_any_bytes_spoilt_never_panics(spoilt in proptest::collection::vec((0_usize..80, 0_u8..), 1..6)) {
            let mut wav = Sound { rate: 8_000, channels: 2, samples: vec![5; 20] }.write().unwrap();
            for (at, byte) in spoilt {
                wav[at] = byte;
            }
            // Only that it comes back: right or refused.
            let _outcome = Sound::read(&wav);
        }
    }
}
