//! What the archive of talks costs.
//!
//!     deploy/bench recordings [encode] [peaks] [search] [NUMBER]
//!
//! - `recordings.encode.wav`, `recordings.encode.flac`, `recordings.encode.opus`: a talk of ten minutes written, in seconds of talk for a second of
//!   one core; both in memory, so that no disk is measured
//! - `recordings.flac_size`, `recordings.opus_size`: of the WAV's bytes
//! - `recordings.seal`: encryption, in seconds of talk (as WAV) for a second of one core
//! - `recordings.search…`: see search.rs; a number as an argument is how many recordings there are, 1,000,000 without
//! - `recordings.peaks.one_hour`, `…_flac`, `…_opus`: the picture of an hour, from a file to the picture
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

#[path = "../databases.rs"]
mod databases;
#[path = "../queue/numbers.rs"]
#[allow(dead_code)]
mod numbers;
mod search;

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use numbers::{milliseconds, print, quantile};
use perezvon::shell::recordings::Vault;
use perezvon::shell::recordings::format::{Encoder, Format};
use perezvon::shell::recordings::peaks::draw;
use perezvon::shell::recordings::seal::Keys;
use perezvon::speech::wav::Sound;

const RATE: u32 = 8_000;
const TALK: u32 = 600;
const TIMES: usize = 5;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let recordings = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let named = |part: &str| {
        let mut parts = arguments.iter().filter(|argument| argument.parse::<u64>().is_err()).peekable();
        parts.peek().is_none() || parts.any(|wanted| wanted == part)
    };
    if named("encode") {
        encoding();
    }
    if named("peaks") {
        pictures();
    }
    if named("search") {
        search::measure(recordings);
    }
}

fn encoding() {
    let sentences = sentences();
    let talk = talk(&sentences, TALK);
    let wav = encode(&talk, Format::Wav);
    print("recordings.encode.wav", real_time(quantile(&wav.1, 0.5)), "x real time", None);
    for format in [Format::Flac, Format::Opus] {
        let (name, coded) = (format.as_str(), encode(&talk, format));
        print(&format!("recordings.encode.{name}"), real_time(quantile(&coded.1, 0.5)), "x real time", None);
        print(&format!("recordings.{name}_size"), 100.0 * coded.0.len() as f64 / wav.0.len() as f64, "% of WAV", None);
    }
    print("recordings.seal", real_time(seal(&wav.0)), "x real time", None);
}

fn pictures() {
    let dir = tempfile::tempdir().unwrap();
    let hour = talk(&sentences(), 3_600);
    for (format, name) in [(Format::Wav, "one_hour"), (Format::Flac, "one_hour_flac"), (Format::Opus, "one_hour_opus")]
    {
        let path = format!("hour.{}", format.as_str());
        std::fs::write(dir.path().join(&path), encode_once(&hour, format)).unwrap();
        let spans: Vec<_> = (0..TIMES)
            .map(|_| {
                let begun = Instant::now();
                let peaks = draw(Vault::plain(dir.path()).open_wav(&path).unwrap().reader).unwrap();
                assert_eq!((peaks.duration_ms, peaks.right.len()), (3_600_000, 1_000));
                begun.elapsed()
            })
            .collect();
        print(&format!("recordings.peaks.{name}"), milliseconds(quantile(&spans, 0.5)), "ms", None);
    }
}

fn real_time(span: Duration) -> f64 {
    f64::from(TALK) / span.as_secs_f64()
}

/// The shipped Russian prompts, one after another: speech on a telephone line.
fn sentences() -> Vec<i16> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds/ru");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let sounds = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "wav"));
    let speech: Vec<i16> = sounds
        .filter_map(|path| Sound::read(&std::fs::read(path).unwrap()).ok())
        .filter(|sound| sound.rate == RATE && sound.channels == 1)
        .flat_map(|sound| sound.samples)
        .collect();
    assert!(speech.len() > 60 * RATE as usize, "the shipped sounds are not there");
    speech
}

/// Both talk in turn, five seconds each, on lines that hiss as telephone lines do.
fn talk(speech: &[i16], seconds: u32) -> Vec<u8> {
    let mut chance = numbers::Chance::new(7);
    let mut hiss = move || i16::try_from(chance.below(16)).unwrap() - 8;
    (0..(seconds * RATE) as usize)
        .flat_map(|at| {
            let said = speech[at % speech.len()];
            let (left, right) = if (at / (5 * RATE as usize)).is_multiple_of(2) { (said, 0) } else { (0, said) };
            let [left, right] = [left, right].map(|sample: i16| sample.saturating_add(hiss()).to_le_bytes());
            [left[0], left[1], right[0], right[1]]
        })
        .collect()
}

fn encode(raw: &[u8], format: Format) -> (Vec<u8>, Vec<Duration>) {
    let mut spans = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        bytes = encode_once(raw, format);
        spans.push(begun.elapsed());
    }
    (bytes, spans)
}

fn encode_once(raw: &[u8], format: Format) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::with_capacity(raw.len() + 44));
    let mut encoder = Encoder::new(&mut bytes, format, RATE).unwrap();
    raw.chunks(512 << 10).for_each(|piece| encoder.feed(piece).unwrap());
    assert_eq!(encoder.finish().unwrap().frames, raw.len() as u64 / 4);
    bytes.into_inner()
}

fn seal(wav: &[u8]) -> Duration {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "5a".repeat(32)).unwrap();
    let keys = Keys::read(file.path()).unwrap();
    let spans: Vec<_> = (0..TIMES)
        .map(|_| {
            let begun = Instant::now();
            keys.seal(&mut &wav[..], &mut Vec::with_capacity(wav.len() + 1_000_000)).unwrap();
            begun.elapsed()
        })
        .collect();
    quantile(&spans, 0.5)
}
