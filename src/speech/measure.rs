//! What a recording holds: length and loudness of the raw stereo stream, and what is wrong with it.
//!
//! `MixMonitor` writes 16-bit little-endian samples of two channels in turn, left the caller and right the agent,
//! with no header. The stream comes in chunks of any size, so a frame may be split between two of them.

use std::time::Duration;

/// Bytes of one frame: one 16-bit sample of each of the two channels.
pub const FRAME_BYTES: usize = 4;

/// A channel that never gets louder (-46 dB of full scale) carries no voice: the noise of a quiet line peaks near
/// -55 dB, a whisper near -35 dB.
const SILENCE_PEAK: f64 = 0.005;

/// How long a channel must be loud to carry a voice: the shortest word lasts longer. A click, or the packet of waiting
/// music (20 ms) that Asterisk still had in hand at the moment of the joining, does not.
const SHORTEST_WORD: Duration = Duration::from_millis(100);

/// Loudness is looked at in pieces of this length: one packet of a telephone's sound.
const PIECES_A_SECOND: u32 = 50;

/// How much shorter than the talk a recording may be: the talk is timed by events, the recording by its samples.
const SHORT_TOLERANCE: Duration = Duration::from_secs(1);

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
    /// How long there was sound: pieces of 20 ms louder than a quiet line.
    pub loud: Duration,
}

impl Level {
    /// Whether nobody is heard.
    pub fn is_silent(self) -> bool {
        self.loud < SHORTEST_WORD
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
        let Ok(()) = self.feed_and(bytes, |_| Ok::<_, std::convert::Infallible>(()));
    }

    /// The same, and hands on the whole frames, some at a time, until they are refused.
    ///
    /// # Errors
    /// As `hand_on`; everything is measured all the same.
    pub fn feed_and<E>(&mut self, bytes: &[u8], mut hand_on: impl FnMut(&[Frame]) -> Result<(), E>) -> Result<(), E> {
        let mut outcome = Ok(());
        let Self { split, frames, left, right, rate } = self;
        let piece = (*rate / PIECES_A_SECOND).max(1);
        split.feed(bytes, |all| {
            let mut rest = all;
            while !rest.is_empty() {
                // To the end of the piece that goes on: both channels are at the same place of it.
                let room = piece.saturating_sub(left.piece.0).max(1) as usize;
                let (block, after) = rest.split_at_checked(room).unwrap_or((rest, &[]));
                left.add(block.iter().map(|[a, b, _, _]| i16::from_le_bytes([*a, *b])), block.len(), piece);
                right.add(block.iter().map(|[_, _, c, d]| i16::from_le_bytes([*c, *d])), block.len(), piece);
                rest = after;
            }
            *frames += all.len() as u64;
            if outcome.is_ok() {
                outcome = hand_on(all);
            }
        });
        outcome
    }

    /// Whole frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// As if so many frames had been fed: a test cannot feed 37 hours.
    #[cfg(test)]
    pub(super) fn set_frames(&mut self, frames: u64) {
        self.frames = frames;
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

/// One sample of each channel, as it comes.
pub type Frame = [u8; FRAME_BYTES];

/// Cuts a stream of chunks into frames, keeping the begun one for the next chunk.
#[derive(Clone, Debug, Default)]
struct Frames {
    begun: Frame,
    kept: u8,
}

impl Frames {
    fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(&[Frame])) {
        let mut rest = bytes;
        while self.kept > 0 {
            let Some((byte, after)) = rest.split_first() else { return };
            rest = after;
            if self.keep(*byte) {
                emit(&[self.begun]);
            }
        }
        let (frames, over) = rest.as_chunks::<FRAME_BYTES>();
        emit(frames);
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
    /// The piece that goes on: its samples so far and the loudest of them.
    piece: (u32, u16),
    loud_pieces: u32,
}

const FULL_SCALE: f64 = 32_768.0;

impl Meter {
    /// So many more samples, of which `piece` are 20 ms; no more than are left of the piece that goes on.
    fn add(&mut self, block: impl Iterator<Item = i16>, count: usize, piece: u32) {
        // Nothing else in this loop: the compiler turns it into a few instructions for many samples.
        let (squares, highest) = block.fold((0_u64, 0_u16), |(squares, highest), sample| {
            let size = sample.unsigned_abs();
            (squares + u64::from(u32::from(size) * u32::from(size)), highest.max(size))
        });
        self.squares = self.squares.saturating_add(squares);
        let (samples, loudest) = &mut self.piece;
        *samples = samples.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        *loudest = highest.max(*loudest);
        if *samples >= piece {
            self.peak = self.peak.max(*loudest);
            self.loud_pieces += u32::from(is_loud(*loudest));
            self.piece = (0, 0);
        }
    }

    fn level(&self, frames: u64) -> Level {
        if frames == 0 {
            return Level::default();
        }
        let (_, begun) = self.piece;
        let rms = (self.squares as f64 / frames as f64).sqrt() / FULL_SCALE;
        let peak = f64::from(self.peak.max(begun)) / FULL_SCALE;
        let pieces = self.loud_pieces + u32::from(is_loud(begun));
        Level { rms, peak, loud: Duration::from_secs(u64::from(pieces)) / PIECES_A_SECOND }
    }
}

fn is_loud(size: u16) -> bool {
    f64::from(size) >= SILENCE_PEAK * FULL_SCALE
}

/// Streams for the tests here and of the WAV writer.
#[cfg(test)]
pub(super) mod testing {
    use super::FRAME_BYTES;

    fn frame(left: i16, right: i16) -> [u8; FRAME_BYTES] {
        let ([a, b], [c, d]) = (left.to_le_bytes(), right.to_le_bytes());
        [a, b, c, d]
    }

    pub(in crate::speech) fn raw(frames: impl IntoIterator<Item = (i16, i16)>) -> Vec<u8> {
        frames.into_iter().flat_map(|(left, right)| frame(left, right)).collect()
    }

    pub(in crate::speech) fn square_wave(frames: u32, left: i16, right: i16) -> Vec<u8> {
        raw((0..frames).map(|n| if n % 20 < 10 { (left, right) } else { (-left, -right) }))
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{raw, square_wave};
    use super::*;

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
    fn a_short_recording_is_reported_in_words() {
        let report = analyse(&square_wave(4_000, 9_000, 9_000), 8_000);
        let faults = report.faults(Some(Duration::from_secs(3)));
        let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["the recording lasts 500.0ms where the talk lasted 3.0s"]);
    }

    #[test]
    fn the_loudest_negative_sample_is_full_scale() {
        let report = analyse(&raw([(i16::MIN, i16::MIN)]), 8_000);
        assert_eq!((report.left.rms, report.left.peak), (1.0, 1.0));
    }

    #[test]
    fn a_packet_of_waiting_music_at_the_start_is_no_voice() {
        let music = square_wave(160, 9_000, 6_000);
        let talk = square_wave(8_000, 9_000, 0);
        let report = analyse(&[music, talk].concat(), 8_000);
        assert_eq!(report.right.loud, Duration::from_millis(20));
        assert_eq!(report.left.loud, Duration::from_millis(1_020));
        assert_eq!(report.faults(None), [Fault::Silent(Side::Right)]);
    }
}
