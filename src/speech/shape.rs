//! Sound of a synthesizer brought to the form of the shipped fragments, as it comes: 8 kHz, even loudness, the silence
//! at the ends trimmed.

use std::num::NonZeroU32;

use super::wav::{Sound, TELEPHONE_RATE};

/// Loudness of the voiced part, parts of full scale: -20 dBFS, as `deploy/render-sounds` makes the fragments.
const TARGET: f32 = 0.1;
/// No sample gets beyond it: -1.5 dBFS.
const HIGHEST: f32 = 0.841;
/// A frame below it is silence: -60 dBFS, which is 40 dB under the voice, so that a final «т» or "s" is kept.
const SILENCE: f32 = 0.001;
/// Of the loudest frame; frames below this part of it are pauses, which must not make the words louder.
const PAUSE_PART: f32 = 0.1;
/// Loudness is looked at in frames of 5 ms.
const FRAME: usize = TELEPHONE_RATE as usize / 200;
/// What remains of the silence at an end: 30 ms.
const MARGIN_FRAMES: usize = 6;
/// Zero crossings of the low-pass on each side, counted in samples of the lower rate.
const HALF_WIDTH: usize = 24;
/// Hz; what is above would come back as a false tone below 4 kHz.
const CUTOFF: f64 = 3_600.0;
const FULL_SCALE: f32 = 32_768.0;
/// No synthesizer gives more; a table for any higher rate would only cost memory.
const HIGHEST_RATE: u32 = 96_000;

/// Why sound cannot be brought to a telephone line's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The rate.
    #[error(
        "sound of {0} samples a second cannot be brought to {TELEPHONE_RATE}: let the synthesizer give \
         {TELEPHONE_RATE} to {HIGHEST_RATE}"
    )]
    Rate(u32),
    /// Nothing is heard.
    #[error("the sound is silent")]
    Silent,
}

/// Brings a rate to that of a telephone line: a windowed-sinc low-pass, evaluated where samples are wanted.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// Output `n` lies at the input's `n * down / up`.
    up: usize,
    down: usize,
    half: usize,
    /// For each fraction of an input sample that an output can lie at, the weights of the inputs around it.
    phases: Vec<Vec<f32>>,
    /// Begins `half` samples before the centre of the next output.
    input: Vec<f32>,
    /// Where the next output's centre lies in `input`, less `half`; and the fraction, in parts of `up`.
    skip: usize,
    phase: usize,
}

impl Resampler {
    /// For sound of this rate.
    ///
    /// # Errors
    /// A rate below a telephone line's, or absurdly high.
    pub fn new(rate: u32) -> Result<Self, ShapeError> {
        let wrong = ShapeError::Rate(rate);
        if !(TELEPHONE_RATE..=HIGHEST_RATE).contains(&rate) {
            return Err(wrong);
        }
        let common = greatest_common_divisor(NonZeroU32::new(rate).ok_or(wrong)?, TELEPHONE_RATE);
        let (up, down) = ((TELEPHONE_RATE / common) as usize, (rate / common) as usize);
        // Sound at the right rate is left as it is.
        let half = if up == down { 0 } else { HALF_WIDTH * down / up };
        let cutoff = CUTOFF / f64::from(rate);
        let phases = (0..up).map(|phase| weights(half, phase as f64 / up as f64, cutoff)).collect();
        Ok(Self { up, down, half, phases, input: vec![0.0; half], skip: 0, phase: 0 })
    }

    /// The next samples (full scale 1.0); what is ready is put behind `out`.
    pub fn feed(&mut self, samples: impl IntoIterator<Item = f32>, out: &mut Vec<f32>) {
        self.input.extend(samples);
        let span = 2 * self.half + 1;
        while let Some(window) = self.input.get(self.skip..self.skip + span) {
            let weights = self.phases.get(self.phase).map_or(&[][..], Vec::as_slice);
            out.push(window.iter().zip(weights).map(|(sample, weight)| sample * weight).sum());
            self.phase += self.down;
            self.skip += self.phase / self.up;
            self.phase %= self.up;
        }
        let done = self.skip.min(self.input.len());
        self.input.drain(..done);
        self.skip -= done;
    }

    /// What is left after the last sample.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        self.feed(std::iter::repeat_n(0.0, self.half), out);
    }
}

/// Weights of the inputs around an output that lies `fraction` of a sample after the middle one. They add up to one.
fn weights(half: usize, fraction: f64, cutoff: f64) -> Vec<f32> {
    if half == 0 {
        return vec![1.0];
    }
    let reach = half as f64 + 1.0;
    let weight = |at: usize| {
        let distance = at as f64 - half as f64 - fraction;
        let angle = 2.0 * std::f64::consts::PI * cutoff * distance;
        let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
        sinc * (0.54 + 0.46 * (std::f64::consts::PI * distance / reach).cos())
    };
    let all: Vec<f64> = (0..=2 * half).map(weight).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(|weight| (weight / sum) as f32).collect()
}

fn greatest_common_divisor(a: NonZeroU32, b: u32) -> u32 {
    let (mut a, mut b) = (a.get(), b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Cuts the silence off the ends and makes the voice as loud as it shall be, as the sound comes.
#[derive(Clone, Debug)]
pub struct Shaper {
    gain: f32,
    frame: Vec<f32>,
    /// Quiet frames that are heard only if something loud follows.
    held: Vec<f32>,
    begun: bool,
}

impl Shaper {
    /// Sound of a telephone line's rate, each sample times `gain`.
    #[must_use]
    pub fn new(gain: f32) -> Self {
        Self { gain, frame: Vec::with_capacity(FRAME), held: Vec::new(), begun: false }
    }

    /// The next samples (full scale 1.0); what is certain to be heard is put behind `out`.
    pub fn feed(&mut self, samples: &[f32], out: &mut Vec<i16>) {
        for sample in samples {
            self.frame.push((sample * self.gain).clamp(-HIGHEST, HIGHEST));
            if self.frame.len() == FRAME {
                self.take_frame(out);
            }
        }
    }

    fn take_frame(&mut self, out: &mut Vec<i16>) {
        let loud = rms(&self.frame) > SILENCE;
        self.held.append(&mut self.frame);
        if loud {
            if !self.begun {
                self.begun = true;
                for (at, sample) in self.held.iter_mut().take(FRAME).enumerate() {
                    *sample *= at as f32 / FRAME as f32;
                }
            }
            out.extend(self.held.drain(..).map(whole));
        } else if !self.begun && self.held.len() > MARGIN_FRAMES * FRAME {
            self.held.drain(..FRAME);
        }
    }

    /// The end: a little of the silence, then `pause` samples of full silence before whatever follows.
    ///
    /// # Errors
    /// When there was nothing but silence.
    pub fn finish(mut self, pause: usize, out: &mut Vec<i16>) -> Result<(), ShapeError> {
        if !self.frame.is_empty() {
            self.frame.resize(FRAME, 0.0);
            self.take_frame(out);
        }
        if !self.begun {
            return Err(ShapeError::Silent);
        }
        self.held.truncate(MARGIN_FRAMES * FRAME);
        let length = self.held.len();
        for (at, sample) in self.held.iter_mut().enumerate() {
            *sample *= ((length - at) as f32 / FRAME as f32).min(1.0);
        }
        out.extend(self.held.drain(..).map(whole));
        out.extend(std::iter::repeat_n(0, pause));
        Ok(())
    }
}

/// What sound (full scale 1.0, a telephone line's rate) must be multiplied by to be as loud as the fragments; `None`
/// for silence.
#[must_use]
pub fn gain_of(samples: &[f32]) -> Option<f32> {
    let levels: Vec<f32> = samples.chunks(FRAME).map(rms).collect();
    let loudest = levels.iter().copied().fold(0.0, f32::max);
    let energy: Vec<f32> =
        levels.into_iter().filter(|level| *level > loudest * PAUSE_PART).map(|level| level * level).collect();
    let mean = energy.iter().sum::<f32>() / energy.len() as f32;
    // Nothing in the list is no number, and full silence is no gain.
    (mean > 0.0).then(|| TARGET / mean.sqrt())
}

/// Makes a whole sentence of a telephone line's rate exactly as loud as the fragments: one that was shaped as it came has
/// the loudness of its voice, and a single word lies some dB below that.
pub fn level(samples: &mut [i16]) {
    let parts: Vec<f32> = samples.iter().copied().map(part).collect();
    let highest = parts.iter().fold(0.0_f32, |highest, part| highest.max(part.abs()));
    let Some(gain) = gain_of(&parts) else { return };
    // Rather a little too soft than cut off.
    let gain = gain.min(HIGHEST / highest);
    samples.iter_mut().zip(parts).for_each(|(sample, part)| *sample = whole((part * gain).clamp(-HIGHEST, HIGHEST)));
}

/// A whole sound in the form of the fragments, with `pause` samples of silence behind it.
///
/// # Errors
/// Silence, or a rate that cannot be brought down.
pub fn shape(sound: &Sound, pause: usize) -> Result<Sound, ShapeError> {
    let mut resampler = Resampler::new(sound.rate)?;
    let mut plain = Vec::new();
    let channels = usize::from(sound.channels.max(1));
    let mixed = sound.samples.chunks(channels).map(|frame| frame.iter().map(|s| part(*s)).sum::<f32>());
    resampler.feed(mixed.map(|sum| sum / channels as f32), &mut plain);
    resampler.finish(&mut plain);
    let mut shaper = Shaper::new(gain_of(&plain).ok_or(ShapeError::Silent)?);
    let mut samples = Vec::with_capacity(plain.len() + pause);
    shaper.feed(&plain, &mut samples);
    shaper.finish(pause, &mut samples)?;
    Ok(Sound { rate: TELEPHONE_RATE, channels: 1, samples })
}

/// A sample as a part of full scale.
#[must_use]
pub fn part(sample: i16) -> f32 {
    f32::from(sample) / FULL_SCALE
}

fn whole(part: f32) -> i16 {
    // Clamped above, so it fits.
    (part * FULL_SCALE).round() as i16
}

fn rms(frame: &[f32]) -> f32 {
    (frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len().max(1) as f32).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn tone(rate: u32, hertz: f32, seconds: f32, height: f32) -> Vec<f32> {
        let count = (rate as f32 * seconds) as usize;
        (0..count).map(|n| height * (std::f32::consts::TAU * hertz * n as f32 / rate as f32).sin()).collect()
    }

    fn resampled(rate: u32, samples: &[f32], at_once: usize) -> Vec<f32> {
        let (mut resampler, mut out) = (Resampler::new(rate).unwrap(), Vec::new());
        for block in samples.chunks(at_once) {
            resampler.feed(block.iter().copied(), &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    #[test]
    fn a_tone_keeps_its_length_and_height_at_every_rate_and_what_a_line_cannot_carry_is_gone() {
        for rate in [8_000, 16_000, 22_050, 24_000, 44_100, 48_000] {
            let low = resampled(rate, &tone(rate, 1_000.0, 0.5, 0.5), 1_000);
            assert!(low.len().abs_diff(4_000) <= 1, "{rate}: {}", low.len());
            let middle = &low[400..3_600];
            assert!((rms(middle) - 0.5 / 2.0_f32.sqrt()).abs() < 0.01, "{rate}: {}", rms(middle));
            if rate > 8_000 {
                let high = resampled(rate, &tone(rate, 5_000.0, 0.5, 0.5), 1_000);
                assert!(rms(&high[400..3_600]) < 0.005, "{rate}: {}", rms(&high[400..3_600]));
            }
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_sound() {
        let samples = tone(24_000, 700.0, 0.2, 0.3);
        let whole = resampled(24_000, &samples, samples.len());
        for size in [1, 7, 145, 2_400] {
            assert_eq!(resampled(24_000, &samples, size), whole, "{size}");
        }
    }

    #[test]
    fn a_rate_that_cannot_be_brought_down_is_an_error() {
        for rate in [0, 1, 7_999, 96_001, u32::MAX] {
            assert_eq!(Resampler::new(rate).unwrap_err(), ShapeError::Rate(rate));
        }
    }

    #[test]
    fn silence_at_the_ends_is_trimmed_and_the_voice_is_as_loud_as_the_fragments() {
        for height in [0.01, 0.3, 0.99] {
            let silence = vec![0; 12_000];
            let voice = tone(24_000, 440.0, 1.0, height).into_iter().map(whole).collect::<Vec<_>>();
            let sound = Sound { rate: 24_000, channels: 1, samples: [silence.clone(), voice, silence].concat() };
            let shaped = shape(&sound, 800).unwrap();
            // 30 ms before and after, and the pause.
            let expected = 8_000 + 2 * MARGIN_FRAMES * FRAME + 800;
            assert!(shaped.samples.len().abs_diff(expected) <= 2 * FRAME, "{}", shaped.samples.len());
            let parts: Vec<f32> = shaped.samples.iter().map(|sample| part(*sample)).collect();
            assert!((rms(&parts[800..7_200]) - TARGET).abs() < 0.003, "{height}: {}", rms(&parts[800..7_200]));
            assert_eq!(shaped.samples.last(), Some(&0));
            assert!(shaped.samples[0].abs() < 10);
        }
    }

    #[test]
    fn a_pause_inside_is_kept_whole() {
        let voice = tone(8_000, 440.0, 0.5, 0.3);
        let sound: Vec<f32> = [voice.clone(), vec![0.0; 4_000], voice].concat();
        let (mut shaper, mut out) = (Shaper::new(1.0), Vec::new());
        for block in sound.chunks(333) {
            shaper.feed(block, &mut out);
        }
        shaper.finish(0, &mut out).unwrap();
        assert_eq!(out.len(), 12_000);
    }

    #[test]
    fn a_sentence_is_levelled_and_silence_stays_silence() {
        for height in [0.02, 0.9] {
            let mut samples: Vec<i16> = tone(8_000, 440.0, 1.0, height).into_iter().map(whole).collect();
            level(&mut samples);
            let parts: Vec<f32> = samples.iter().copied().map(part).collect();
            assert!((rms(&parts) - TARGET).abs() < 0.003, "{height}: {}", rms(&parts));
        }
        let mut click = vec![0; 400];
        click[7] = i16::MIN;
        level(&mut click);
        assert!(click.iter().all(|sample| f32::from(sample.saturating_abs()) <= HIGHEST * FULL_SCALE + 1.0));
        let mut silence = vec![0; 100];
        level(&mut silence);
        assert_eq!(silence, vec![0; 100]);
    }

    #[test]
    fn nothing_but_silence_is_an_error_and_no_division() {
        let silent = |samples| Sound { rate: 16_000, channels: 2, samples };
        assert_eq!(shape(&silent(vec![]), 0), Err(ShapeError::Silent));
        assert_eq!(shape(&silent(vec![0; 999]), 0), Err(ShapeError::Silent));
        assert_eq!(gain_of(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_sound_is_shaped_or_refused_and_never_too_loud(
            rate in proptest::sample::select(vec![8_000_u32, 12_000, 16_000, 22_050, 24_000, 48_000]),
            channels in 1_u16..3,
            samples in proptest::collection::vec(i16::MIN.., 0..1_000),
        ) {
            if let Ok(shaped) = shape(&Sound { rate, channels, samples }, 10) {
                assert!(shaped.samples.iter().all(|sample| f32::from(sample.saturating_abs()) <= HIGHEST * FULL_SCALE + 1.0));
            }
        }
    }
}
