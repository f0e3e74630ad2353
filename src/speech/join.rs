//! Sounds of fragments joined to one: right pauses, even loudness, no clicks.

use super::wav::{Sound, TELEPHONE_RATE};

/// The loudness of all shipped speech, parts of full scale: -20 dBFS, as `deploy/render-sounds` makes it.
const TARGET: f64 = 0.1;

/// The highest peak of joined speech, parts of full scale: -1.5 dBFS.
const PEAK: f64 = 0.841_4;

/// Sounds this near to the target are not touched; the ear tells 1 dB at best.
const NEAR_ENOUGH: f64 = 1.05;

/// A fragment brings 30 ms of silence at each end. Between two words of a sentence half of each is enough.
const GAP_MS: u32 = 15;

/// The fade at both ends of a joined sound.
const FADE_MS: u32 = 4;

const FULL_SCALE: f64 = 32_768.0;

/// Joins the sounds of fragments to one: mono, at the rate of the first. Each is brought to the same loudness, the
/// silence between words is shortened, and every seam lies in silence. Sounds of another rate or with two channels are
/// left out (none are shipped). Silent sounds, the pauses, keep their length.
pub fn join(sounds: &[Sound]) -> Sound {
    let rate = sounds.first().map_or(TELEPHONE_RATE, |first| first.rate);
    let mut samples = Vec::with_capacity(sounds.iter().map(|sound| sound.samples.len()).sum());
    let fitting = sounds.iter().filter(|sound| sound.channels == 1 && sound.rate == rate);
    for sound in fitting {
        samples.extend(prepared(&sound.samples, rate));
    }
    Sound { rate, channels: 1, samples }
}

fn of_ms(ms: u32, rate: u32) -> usize {
    (u64::from(rate) * u64::from(ms) / 1_000) as usize
}

/// One sound, as loud as all, with short silent ends that fade to nothing.
fn prepared(samples: &[i16], rate: u32) -> Vec<i16> {
    let frame = of_ms(5, rate).max(1);
    let levels = levels(samples, frame);
    let Some((first, last)) = voiced(&levels) else { return vec![0; samples.len()] };
    let gap = of_ms(GAP_MS, rate);
    let start = (first * frame).saturating_sub(gap);
    let stop = ((last + 1) * frame).saturating_add(gap).min(samples.len());
    let kept = samples.get(start..stop).unwrap_or_default();
    let gain = gain(kept, &levels);
    let fade = of_ms(FADE_MS, rate).min(kept.len() / 2).max(1);
    let length = kept.len();
    let shaped = kept.iter().enumerate().map(|(at, sample)| {
        let from_end = at.min(length - 1 - at);
        let fading = if from_end < fade { from_end as f64 / fade as f64 } else { 1.0 };
        (f64::from(*sample) * gain * fading).round() as i16
    });
    shaped.collect()
}

/// The root mean square of each frame, parts of full scale.
fn levels(samples: &[i16], frame: usize) -> Vec<f64> {
    let level = |frame: &[i16]| {
        let squares: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (squares / frame.len() as f64).sqrt() / FULL_SCALE
    };
    samples.chunks(frame).map(level).collect()
}

/// First and last frame with sound: 40 dB under the loudest, so that a final «т» is kept; none in a pause.
fn voiced(levels: &[f64]) -> Option<(usize, usize)> {
    let threshold = (levels.iter().copied().fold(0.0, f64::max) * 0.01).max(8.0 / FULL_SCALE);
    let first = levels.iter().position(|level| *level > threshold)?;
    let last = levels.iter().rposition(|level| *level > threshold)?;
    Some((first, last))
}

/// How loud the speech is: frames far below the loudest are pauses and do not count.
fn loudness(levels: &[f64]) -> f64 {
    let floor = levels.iter().copied().fold(0.0, f64::max) * 0.1;
    let loud: Vec<f64> = levels.iter().copied().filter(|level| *level > floor).collect();
    (loud.iter().map(|level| level * level).sum::<f64>() / loud.len().max(1) as f64).sqrt()
}

fn gain(samples: &[i16], levels: &[f64]) -> f64 {
    let loudness = loudness(levels);
    let gain = if loudness > 0.0 { TARGET / loudness } else { 1.0 };
    if (1.0 / NEAR_ENOUGH..=NEAR_ENOUGH).contains(&gain) {
        return 1.0;
    }
    let peak = samples.iter().map(|sample| f64::from(sample.unsigned_abs())).fold(1.0, f64::max) / FULL_SCALE;
    gain.min(PEAK / peak)
}

#[cfg(test)]
mod tests;
