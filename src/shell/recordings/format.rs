//! The forms in which sound is kept: WAV, which costs nothing to write, FLAC, which is smaller by more than half and gives
//! every sample back, and Opus, an eighth, which keeps what is heard. Each can be read as a WAV, also from the middle.

use std::io::{self, Read, Seek, SeekFrom, Write};

use flac_codec::byteorder::LittleEndian;
use flac_codec::decode::FlacByteReader;
use flac_codec::encode::{FlacByteWriter, Options};

use super::file::FileError;
use super::opus::{OpusSamples, OpusWriter};
use crate::speech::wav::{Analysis, Report, StereoWav, WavError};

/// Moments at which a player finds its way in a FLAC; the table has room for two hours of them.
const SEEK_POINT_SECONDS: u8 = 30;
/// The plain header of a WAV with 16-bit samples.
const HEADER: usize = 44;

/// What a file of the archive is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Samples as they are: 32 kB a second, no work.
    #[default]
    Wav,
    /// Without loss, some 45% of that, about half a millisecond of one core for a second of talk.
    Flac,
    /// Some 12%, as good as the line was, about 6 ms of one core for a second of talk.
    Opus,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Wav, Format::Flac, Format::Opus];

    /// The word of the configuration, and the ending of the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Wav => "wav",
            Format::Flac => "flac",
            Format::Opus => "opus",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The media type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Format::Wav => "audio/wav",
            Format::Flac => "audio/flac",
            Format::Opus => "audio/ogg",
        }
    }
}

/// What can be read from any place.
pub trait Seekable: Read + Seek + Send {}
impl<R: Read + Seek + Send> Seekable for R {}

/// Turns the raw stream of a recording into a file as it comes, and measures it on the way.
pub enum Encoder<W: Write + Seek> {
    /// Of a WAV.
    Wav(StereoWav<W>),
    /// Of a FLAC.
    Flac(Box<FlacByteWriter<W, LittleEndian>>, Analysis),
    /// Of an Ogg Opus.
    Opus(Box<OpusWriter<W>>, Analysis),
}

impl<W: Write + Seek> Encoder<W> {
    /// Writes the header. Hand in a buffered writer, and flush it at the end.
    ///
    /// # Errors
    /// When the writer refuses.
    pub fn new(writer: W, format: Format, rate: u32) -> Result<Encoder<W>, EncodeError> {
        Ok(match format {
            Format::Wav => Encoder::Wav(StereoWav::new(writer, rate)?),
            Format::Flac => {
                // The slower presets win two hundredths of the size for three times the work.
                let options = Options::fast().seektable_seconds(SEEK_POINT_SECONDS);
                let flac = FlacByteWriter::new(writer, options, rate, 16, 2, None)?;
                Encoder::Flac(Box::new(flac), Analysis::new(rate))
            }
            Format::Opus => Encoder::Opus(Box::new(OpusWriter::new(writer, rate)?), Analysis::new(rate)),
        })
    }

    /// The next bytes of the stream, however many.
    ///
    /// # Errors
    /// When the writer refuses, or the file would become too long.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        match self {
            Encoder::Wav(wav) => Ok(wav.feed(bytes)?),
            Encoder::Flac(flac, analysis) => {
                Ok(analysis.feed_and(bytes, |frames| flac.write_all(frames.as_flattened()))?)
            }
            Encoder::Opus(opus, analysis) => Ok(analysis.feed_and(bytes, |frames| opus.feed(frames))?),
        }
    }

    /// Completes the header and tells what was written.
    ///
    /// # Errors
    /// When the writer refuses.
    pub fn finish(self) -> Result<Report, EncodeError> {
        match self {
            Encoder::Wav(wav) => Ok(wav.finish()?),
            Encoder::Flac(flac, analysis) => {
                let report = analysis.report();
                // A FLAC of no samples is none; who asks for nothing gets nothing, and nothing is kept of it.
                if report.frames > 0 {
                    flac.finalize()?;
                }
                Ok(report)
            }
            Encoder::Opus(opus, analysis) => {
                opus.finish()?;
                Ok(analysis.report())
            }
        }
    }
}

/// Why sound was not written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// As the WAV's writer tells.
    #[error(transparent)]
    Wav(#[from] WavError),
    /// As the FLAC's writer tells.
    #[error("the FLAC could not be written: {0}")]
    Flac(flac_codec::Error),
    /// As the Opus's writer tells.
    #[error("the Opus file could not be written: {0}")]
    Opus(opus_pure::Error),
    /// The system refuses.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<flac_codec::Error> for EncodeError {
    fn from(error: flac_codec::Error) -> Self {
        match error {
            flac_codec::Error::Io(cause) => EncodeError::Io(cause),
            other => EncodeError::Flac(other),
        }
    }
}

impl From<opus_pure::Error> for EncodeError {
    fn from(error: opus_pure::Error) -> Self {
        match error {
            opus_pure::Error::Io(cause) => EncodeError::Io(cause),
            other => EncodeError::Opus(other),
        }
    }
}

impl EncodeError {
    /// What the system refused is told with the file's name.
    pub(super) fn of_file(self, path: &std::path::Path) -> FileError {
        match self {
            EncodeError::Io(cause) | EncodeError::Wav(WavError::Format(hound::Error::IoError(cause))) => {
                FileError::Io { what: "write", path: path.to_owned(), cause }
            }
            other @ (EncodeError::Wav(_) | EncodeError::Flac(_) | EncodeError::Opus(_)) => {
                FileError::Sound(other.to_string())
            }
        }
    }
}

/// Samples that read like a WAV.
struct AsWav<S> {
    header: [u8; HEADER],
    samples: S,
    /// Where the decoder stands, in bytes of samples.
    decoded: u64,
    at: u64,
    bytes: u64,
}

impl<S: Seekable + 'static> AsWav<S> {
    fn boxed(samples: S, channels: u16, rate: u32, frames: u64) -> Result<(Box<dyn Seekable>, u64), String> {
        let data = frames.checked_mul(u64::from(channels) * 2).and_then(|bytes| u32::try_from(bytes).ok());
        let data = data.filter(|bytes| *bytes < u32::MAX - 64).ok_or("it is longer than a WAV can hold")?;
        let bytes = u64::from(data) + HEADER as u64;
        let header = header(channels, rate, data);
        Ok((Box::new(AsWav { header, samples, decoded: 0, at: 0, bytes }), bytes))
    }
}

/// The sound as a WAV, and how many bytes that has. Blocks.
///
/// # Errors
/// In words, what is wrong with the file.
pub fn as_wav(mut sound: Box<dyn Seekable>, format: Format) -> Result<(Box<dyn Seekable>, u64), String> {
    let told = |cause: io::Error| cause.to_string();
    match format {
        Format::Wav => {
            let bytes = sound.seek(SeekFrom::End(0)).map_err(told)?;
            sound.seek(SeekFrom::Start(0)).map_err(told)?;
            Ok((sound, bytes))
        }
        Format::Flac => {
            let opened = FlacByteReader::<_, LittleEndian>::new_seekable(sound);
            let samples = opened.map_err(|cause| cause.to_string())?;
            let info = samples.metadata().streaminfo();
            let (channels, bits) = (u16::from(info.channels.get()), u32::from(info.bits_per_sample));
            if bits != 16 || !(1..=2).contains(&channels) {
                return Err(format!("it has {channels} channels of {bits} bits, not 2 of 16"));
            }
            let frames = info.total_samples.map_or(0, |samples| samples.get());
            let rate = info.sample_rate;
            AsWav::boxed(samples, channels, rate, frames)
        }
        Format::Opus => {
            let samples = OpusSamples::new(sound).map_err(told)?;
            let (rate, frames) = (samples.rate(), samples.frames());
            AsWav::boxed(samples, 2, rate, frames)
        }
    }
}

fn header(channels: u16, rate: u32, data: u32) -> [u8; HEADER] {
    let frame = channels * 2;
    let parts: [&[u8]; 13] = [
        b"RIFF",
        &(data + 36).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &rate.saturating_mul(u32::from(frame)).to_le_bytes(),
        &frame.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    let mut header = [0; HEADER];
    header.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
    header
}

impl<S: Read + Seek> Read for AsWav<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.bytes || to.is_empty() {
            return Ok(0);
        }
        let rest = usize::try_from(self.at).ok().and_then(|at| self.header.get(at..)).unwrap_or(&[]);
        if !rest.is_empty() {
            let length = rest.len().min(to.len());
            to.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.at += length as u64;
            return Ok(length);
        }
        let wanted = self.at - HEADER as u64;
        if self.decoded != wanted {
            self.decoded = self.samples.seek(SeekFrom::Start(wanted))?;
        }
        let length = self.samples.read(to)?;
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the sound ends before its time"));
        }
        self.decoded += length as u64;
        self.at += length as u64;
        Ok(length)
    }
}

impl<S> Seek for AsWav<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = sought(to, self.at, self.bytes)?;
        Ok(self.at)
    }
}

/// The place that is asked for.
pub(super) fn sought(to: SeekFrom, at: u64, bytes: u64) -> io::Result<u64> {
    let place = match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::End(by) => bytes.checked_add_signed(by),
        SeekFrom::Current(by) => at.checked_add_signed(by),
    };
    place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the beginning"))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::shell::recordings::testing::talk;
    use crate::speech::wav::stereo_wav_from_raw;

    fn encoded(raw: &[u8], format: Format) -> (Vec<u8>, Report) {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = Encoder::new(&mut bytes, format, 8_000).unwrap();
        raw.chunks(4_097).for_each(|piece| encoder.feed(piece).unwrap());
        let report = encoder.finish().unwrap();
        (bytes.into_inner(), report)
    }

    #[test]
    fn a_flac_gives_back_the_very_wav_whole_and_from_any_place() {
        let mut raw = talk(3_000, 9_000, 5_000);
        raw.push(1);
        let (wav, expected) = stereo_wav_from_raw(&raw, 8_000).unwrap();
        let (flac, report) = encoded(&raw, Format::Flac);
        assert_eq!(report, expected);
        assert!(flac.len() < wav.len(), "{} of {}", flac.len(), wav.len());
        let (mut view, bytes) = as_wav(Box::new(Cursor::new(flac)), Format::Flac).unwrap();
        assert_eq!(bytes, wav.len() as u64);
        let mut whole = Vec::new();
        view.read_to_end(&mut whole).unwrap();
        assert!(whole == wav);
        for from in [0, 10, 43, 44, 45, 47, 60_001, wav.len() - 1, wav.len(), wav.len() + 5] {
            view.seek(SeekFrom::Start(from as u64)).unwrap();
            let mut rest = Vec::new();
            view.read_to_end(&mut rest).unwrap();
            assert!(rest == wav.get(from..).unwrap_or_default(), "from {from}");
        }
    }

    #[test]
    fn nothing_recorded_is_no_error_in_any_format() {
        for format in Format::ALL {
            assert_eq!(encoded(&[1, 2], format).1.frames, 0);
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_no_panic() {
        for format in [Format::Flac, Format::Opus] {
            let (whole, _) = encoded(&talk(500, 9_000, 5_000), format);
            for length in (0..whole.len()).step_by(7) {
                let read = as_wav(Box::new(Cursor::new(whole[..length].to_vec())), format)
                    .and_then(|(mut view, _)| view.read_to_end(&mut Vec::new()).map_err(|cause| cause.to_string()));
                assert!(read.is_err(), "{length} bytes of a {}", format.as_str());
            }
        }
    }

    /// Each side sounds at its own pitch for the first half of each second and is silent for the second half.
    fn pitches(milliseconds: u32) -> Vec<u8> {
        let sample = |at: u32, hertz: f64| {
            let on = at % 8_000 < 4_000;
            let wave = (std::f64::consts::TAU * hertz * f64::from(at) / 8_000.0).sin();
            if on { (8_000.0 * wave) as i16 } else { 0 }
        };
        (0..milliseconds * 8)
            .flat_map(|at| [sample(at, 440.0), sample(at, 1_000.0)].map(i16::to_le_bytes).concat())
            .collect()
    }

    fn samples(wav: &[u8]) -> Vec<[f64; 2]> {
        let side = |pair: &[u8]| f64::from(i16::from_le_bytes([pair[0], pair[1]]));
        wav[HEADER..].chunks_exact(4).map(|frame| [side(&frame[..2]), side(&frame[2..])]).collect()
    }

    #[test]
    fn an_opus_is_as_long_as_the_talk_to_the_sample_and_each_side_keeps_its_own_voice() {
        for milliseconds in [1, 19, 20, 21, 2_000, 13_337] {
            let raw = pitches(milliseconds);
            let (opus, report) = encoded(&raw, Format::Opus);
            assert_eq!(report.frames, u64::from(milliseconds) * 8);
            let (mut view, bytes) = as_wav(Box::new(Cursor::new(opus)), Format::Opus).unwrap();
            assert_eq!(bytes, raw.len() as u64 + HEADER as u64);
            let mut wav = Vec::new();
            view.read_to_end(&mut wav).unwrap();
            assert_eq!(wav.len() as u64, bytes, "{milliseconds} ms");
        }
        let raw = pitches(8_000);
        let (opus, _) = encoded(&raw, Format::Opus);
        assert!(opus.len() * 6 < raw.len(), "{} of {}", opus.len(), raw.len());
        let (mut view, _) = as_wav(Box::new(Cursor::new(opus)), Format::Opus).unwrap();
        let mut wav = Vec::new();
        view.read_to_end(&mut wav).unwrap();
        let heard = samples(&wav);
        let (first, silent) = (&heard[400..3_600], &heard[4_400..7_600]);
        let power = |part: &[[f64; 2]], side: usize, hertz: f64| {
            let turn = |at: usize| std::f64::consts::TAU * hertz * at as f64 / 8_000.0;
            let (sine, cosine) = part.iter().enumerate().fold((0.0, 0.0), |(s, c), (at, frame)| {
                (s + frame[side] * turn(at).sin(), c + frame[side] * turn(at).cos())
            });
            2.0 * f64::hypot(sine, cosine) / part.len() as f64
        };
        for (side, own, other) in [(0, 440.0, 1_000.0), (1, 1_000.0, 440.0)] {
            let (kept, strange) = (power(first, side, own), power(first, side, other));
            assert!((6_000.0..10_000.0).contains(&kept) && strange < kept / 30.0, "{side}: {kept} and {strange}");
            let rest = silent.iter().map(|frame| frame[side].abs()).fold(0.0, f64::max);
            assert!(rest < 300.0, "{side}: {rest} where nobody spoke");
        }
    }

    #[test]
    fn an_opus_is_read_from_any_place_as_from_its_beginning() {
        let (opus, _) = encoded(&pitches(31_000), Format::Opus);
        let (mut view, bytes) = as_wav(Box::new(Cursor::new(opus)), Format::Opus).unwrap();
        let mut whole = Vec::new();
        view.read_to_end(&mut whole).unwrap();
        for from in [0, 43, 44, 45, 46, 47, 200_001, 640_044, 900_000, bytes as usize - 3, bytes as usize, 12] {
            view.seek(SeekFrom::Start(from as u64)).unwrap();
            let mut rest = Vec::new();
            view.read_to_end(&mut rest).unwrap();
            assert_eq!(rest.len(), whole.len() - from, "from {from}");
            // A decoder that began later is as good as equal once it has run up.
            let begin = if from < HEADER { HEADER - from } else { (4 - (from - HEADER) % 4) % 4 };
            let level = |pair: &[u8]| i32::from(i16::from_le_bytes([pair[0], pair[1]]));
            let [told, expected] = [&rest[..], &whole[from..]]
                .map(|bytes| bytes.get(begin..).unwrap_or_default().chunks_exact(2).map(level));
            let apart = told.zip(expected).map(|(told, expected)| (told - expected).abs());
            assert!(apart.max().unwrap_or(0) < 300, "from {from}");
        }
    }
}
