//! Sound as bytes: the stereo raw stream of a recording made a WAV and checked, and WAV read and written in memory.
//!
//! `MixMonitor` writes 16-bit little-endian samples of two channels in turn, left the caller and right the agent,
//! with no header. The stream comes in chunks of any size, so a frame may be split between two of them.

use std::io::{Cursor, Seek, Write};
use std::time::Duration;

/// Samples a second on a telephone line (G.711).
pub const TELEPHONE_RATE: u32 = 8_000;

/// Bytes of one frame: one 16-bit sample of each of the two channels.
const FRAME_BYTES: usize = 4;

/// A WAV counts its bytes in 32 bits; more would wrap round and hide the talk. 37 hours at 8 kHz.
const MAX_FRAMES: u64 = (u32::MAX as u64 - 4096) / FRAME_BYTES as u64;

/// A channel that never gets louder (-46 dB of full scale) carries no voice: the noise of a quiet line peaks near
/// -55 dB, a whisper near -35 dB.
const SILENCE_PEAK: f64 = 0.005;

/// How much shorter than the talk a recording may be: the talk is timed by events, the recording by its samples.
const SHORT_TOLERANCE: Duration = Duration::from_secs(1);

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

/// One of the two channels of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The caller.
    Left,
    /// The agent.
    Right,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Left => "left (caller)",
            Self::Right => "right (agent)",
        })
    }
}

/// What is wrong with a recording; each is reported, none is a reason to throw it away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not one frame.
    #[error("the recording is empty")]
    Empty,
    /// Shorter than the talk.
    #[error("the recording lasts {found:.1?} where the talk lasted {expected:.1?}")]
    Short {
        /// How long the talk was.
        expected: Duration,
        /// How long the recording is.
        found: Duration,
    },
    /// No voice on one channel.
    #[error("the {0} channel is silent")]
    Silent(Side),
    /// The last frame is not whole; its bytes were left out.
    #[error("the recording breaks off inside a frame, {bytes} of its {FRAME_BYTES} bytes were left out")]
    Truncated {
        /// Bytes of the broken frame: 1 to 3.
        bytes: u8,
    },
}

/// How loud a channel is, as parts of full scale (1.0).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// Root mean square over the whole recording.
    pub rms: f64,
    /// The loudest sample.
    pub peak: f64,
}

impl Level {
    /// Whether nobody is heard.
    pub fn is_silent(self) -> bool {
        self.peak < SILENCE_PEAK
    }
}

/// What a recording holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Samples a second of each channel.
    pub rate: u32,
    /// Whole frames.
    pub frames: u64,
    /// The caller's channel.
    pub left: Level,
    /// The agent's channel.
    pub right: Level,
    /// Bytes after the last whole frame, 0 when the stream is whole.
    pub truncated_bytes: u8,
}

impl Report {
    /// The length of the recording (zero at a rate of zero).
    pub fn duration(&self) -> Duration {
        // One division for the whole seconds and one for the rest keeps 37 hours exact to the nanosecond.
        let rate = u64::from(self.rate);
        let seconds = self.frames.checked_div(rate).unwrap_or(0);
        let nanos = (self.frames.checked_rem(rate).unwrap_or(0) * 1_000_000_000).checked_div(rate).unwrap_or(0);
        Duration::from_secs(seconds) + Duration::from_nanos(nanos)
    }

    /// Whether no voice is on either channel.
    pub fn is_silent(&self) -> bool {
        self.left.is_silent() && self.right.is_silent()
    }

    /// Everything to be reported about the recording of a talk that lasted `expected` (`None` if that is not known).
    pub fn faults(&self, expected: Option<Duration>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let found = self.duration();
        if self.frames == 0 {
            faults.push(Fault::Empty);
        } else {
            let sides = [(Side::Left, self.left), (Side::Right, self.right)];
            faults
                .extend(sides.into_iter().filter(|(_, level)| level.is_silent()).map(|(side, _)| Fault::Silent(side)));
        }
        if let Some(expected) = expected.filter(|expected| found + SHORT_TOLERANCE < *expected) {
            faults.push(Fault::Short { expected, found });
        }
        if self.truncated_bytes > 0 {
            faults.push(Fault::Truncated { bytes: self.truncated_bytes });
        }
        faults
    }
}

/// Measures a raw stereo stream as it comes.
#[derive(Clone, Debug)]
pub struct Analysis {
    rate: u32,
    split: Frames,
    frames: u64,
    left: Meter,
    right: Meter,
}

impl Analysis {
    /// A stream of so many samples a second.
    pub fn new(rate: u32) -> Self {
        Self { rate, split: Frames::default(), frames: 0, left: Meter::default(), right: Meter::default() }
    }

    /// The next bytes of the stream, however many.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.feed_and(bytes, |_, _| {});
    }

    /// The same, and hands on every whole frame.
    fn feed_and(&mut self, bytes: &[u8], mut hand_on: impl FnMut(i16, i16)) {
        let Self { split, frames, left, right, .. } = self;
        split.feed(bytes, |a, b| {
            *frames += 1;
            left.add(a);
            right.add(b);
            hand_on(a, b);
        });
    }

    /// What was heard so far.
    pub fn report(&self) -> Report {
        Report {
            rate: self.rate,
            frames: self.frames,
            left: self.left.level(self.frames),
            right: self.right.level(self.frames),
            truncated_bytes: self.split.kept,
        }
    }
}

/// Measures a whole raw stereo stream.
pub fn analyse(raw: &[u8], rate: u32) -> Report {
    let mut analysis = Analysis::new(rate);
    analysis.feed(raw);
    analysis.report()
}

/// Turns a raw stereo stream into a WAV as it comes, and measures it on the way.
pub struct StereoWav<W: Write + Seek> {
    wav: hound::WavWriter<W>,
    analysis: Analysis,
}

impl<W: Write + Seek> StereoWav<W> {
    /// Writes the header. Hand in a buffered writer: samples are written one by one.
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
        if self.analysis.frames.saturating_add(coming) > MAX_FRAMES {
            return Err(WavError::TooLong);
        }
        let Self { wav, analysis } = self;
        let mut outcome = Ok(());
        analysis.feed_and(bytes, |left, right| {
            if outcome.is_ok() {
                outcome = wav.write_sample(left).and_then(|()| wav.write_sample(right));
            }
        });
        Ok(outcome?)
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

/// Cuts a stream of chunks into frames, keeping the begun one for the next chunk.
#[derive(Clone, Debug, Default)]
struct Frames {
    begun: [u8; FRAME_BYTES],
    kept: u8,
}

impl Frames {
    fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(i16, i16)) {
        let mut emit = |frame: [u8; FRAME_BYTES]| {
            let [a, b, c, d] = frame;
            each(i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d]));
        };
        let mut rest = bytes;
        while self.kept > 0 {
            let Some((byte, after)) = rest.split_first() else { return };
            rest = after;
            if self.keep(*byte) {
                emit(self.begun);
            }
        }
        let (frames, over) = rest.as_chunks::<FRAME_BYTES>();
        frames.iter().copied().for_each(emit);
        for byte in over {
            self.keep(*byte);
        }
    }

    /// Adds a byte to the begun frame; true when that makes it whole.
    fn keep(&mut self, byte: u8) -> bool {
        if let Some(place) = self.begun.get_mut(usize::from(self.kept)) {
            *place = byte;
        }
        self.kept += 1;
        let whole = usize::from(self.kept) == FRAME_BYTES;
        if whole {
            self.kept = 0;
        }
        whole
    }
}

/// Loudness of one channel. A square is below 2^31, so 2^33 samples (12 days at 8 kHz) fit into the sum.
#[derive(Clone, Debug, Default)]
struct Meter {
    squares: u64,
    peak: u16,
}

impl Meter {
    fn add(&mut self, sample: i16) {
        let size = sample.unsigned_abs();
        self.squares = self.squares.saturating_add(u64::from(size).pow(2));
        self.peak = self.peak.max(size);
    }

    fn level(&self, frames: u64) -> Level {
        const FULL_SCALE: f64 = 32_768.0;
        if frames == 0 {
            return Level::default();
        }
        let rms = (self.squares as f64 / frames as f64).sqrt() / FULL_SCALE;
        Level { rms, peak: f64::from(self.peak) / FULL_SCALE }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn frame(left: i16, right: i16) -> [u8; FRAME_BYTES] {
        let ([a, b], [c, d]) = (left.to_le_bytes(), right.to_le_bytes());
        [a, b, c, d]
    }

    fn raw(frames: impl IntoIterator<Item = (i16, i16)>) -> Vec<u8> {
        frames.into_iter().flat_map(|(left, right)| frame(left, right)).collect()
    }

    fn square_wave(frames: u32, left: i16, right: i16) -> Vec<u8> {
        raw((0..frames).map(|n| if n % 20 < 10 { (left, right) } else { (-left, -right) }))
    }

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
    fn levels_are_told_for_each_channel() {
        let report = analyse(&square_wave(8_000, 16_384, 0), 8_000);
        assert_eq!(report.duration(), Duration::from_secs(1));
        assert!((report.left.rms - 0.5).abs() < 1e-9, "{report:?}");
        assert!((report.left.peak - 0.5).abs() < 1e-9, "{report:?}");
        assert_eq!(report.right, Level::default());
        assert_eq!(report.faults(Some(Duration::from_millis(1_900))), [Fault::Silent(Side::Right)]);
        assert!(!report.is_silent());
    }

    #[test]
    fn line_noise_is_silence_and_a_whisper_is_not() {
        assert!(analyse(&square_wave(800, 60, 8), 8_000).is_silent());
        let whisper = analyse(&square_wave(800, 600, 600), 8_000);
        assert_eq!(whisper.faults(None), []);
    }

    #[test]
    fn an_empty_recording_is_reported_and_still_a_wav() {
        let (wav, report) = stereo_wav_from_raw(&[], 8_000).unwrap();
        assert_eq!(Sound::read(&wav).unwrap().samples, []);
        let talk = Duration::from_secs(5);
        assert_eq!(report.faults(Some(talk)), [Fault::Empty, Fault::Short { expected: talk, found: Duration::ZERO }]);
        assert_eq!(report.faults(None), [Fault::Empty]);
    }

    #[test]
    fn a_short_recording_is_reported_in_words() {
        let report = analyse(&square_wave(4_000, 9_000, 9_000), 8_000);
        let faults = report.faults(Some(Duration::from_secs(3)));
        let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["the recording lasts 500.0ms where the talk lasted 3.0s"]);
    }

    #[test]
    fn a_broken_last_frame_is_left_out_and_reported() {
        for over in 1..=3_u8 {
            let mut stream = square_wave(100, 5_000, 5_000);
            stream.extend(std::iter::repeat_n(7, usize::from(over)));
            let (wav, report) = stereo_wav_from_raw(&stream, 8_000).unwrap();
            assert_eq!(report.faults(None), [Fault::Truncated { bytes: over }]);
            assert_eq!(Sound::read(&wav).unwrap().samples.len(), 200);
        }
    }

    #[test]
    fn the_loudest_negative_sample_is_full_scale() {
        let report = analyse(&raw([(i16::MIN, i16::MIN)]), 8_000);
        assert_eq!(report.left, Level { rms: 1.0, peak: 1.0 });
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
        wav.analysis.frames = MAX_FRAMES;
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
