//! What is in a recording.

use std::f64::consts::TAU;
use std::io::Cursor;

/// The tone of every caller, in hertz.
pub const CALLER: u32 = 440;
/// The tone of every agent.
pub const AGENT: u32 = 1000;

/// Silence that nobody would notice: the first packets of a phone, and what a change of the party costs.
const LONGEST_GAP: f64 = 0.25;

/// A stereo recording: left the caller, right the agent.
pub struct Recording {
    pub rate: u32,
    pub left: Vec<i16>,
    pub right: Vec<i16>,
}

impl Recording {
    #[track_caller]
    pub fn read(wav: &[u8]) -> Recording {
        let mut reader = hound::WavReader::new(Cursor::new(wav)).expect("a WAV file");
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.bits_per_sample), (2, 16), "{spec:?}");
        let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a whole file")).collect();
        let (left, right) = samples.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
        Recording { rate: spec.sample_rate, left, right }
    }

    pub fn seconds(&self) -> f64 {
        self.left.len() as f64 / f64::from(self.rate)
    }

    /// The caller on the left and the agent on the right, from the beginning to the end.
    #[track_caller]
    pub fn assert_tones(&self) {
        assert!(self.left.len() >= self.rate as usize, "only {:.2} s long", self.seconds());
        for (side, samples, own, other) in [("left", &self.left, CALLER, AGENT), ("right", &self.right, AGENT, CALLER)]
        {
            let (found, wrong) = (share(samples, self.rate, own), share(samples, self.rate, other));
            assert!(found > 0.8 && wrong < 0.1, "{own} Hz is {found:.2} of the {side}, {other} Hz {wrong:.2}");
            let gap = self.longest_gap(samples);
            assert!(gap < LONGEST_GAP, "the {side} is silent for {gap:.2} s of {:.2} s", self.seconds());
        }
    }

    /// The longest stretch of silence, in seconds.
    fn longest_gap(&self, samples: &[i16]) -> f64 {
        let (mut longest, mut now) = (0, 0);
        for sample in samples {
            // A tone crosses zero, but is not there for longer than some samples.
            now = if sample.unsigned_abs() < 100 { now + 1 } else { 0 };
            longest = longest.max(now);
        }
        f64::from(longest) / f64::from(self.rate)
    }
}

/// How much of the sound's whole power lies at this frequency. In pieces, so that a jump of the phase (a lost or
/// repeated packet) does not hide a tone.
pub fn share(samples: &[i16], rate: u32, hertz: u32) -> f64 {
    let (mut whole, mut at) = (0.0, 0.0);
    for piece in samples.chunks(rate as usize / 10) {
        whole += piece.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        at += goertzel(piece, rate, hertz);
    }
    if whole == 0.0 { 0.0 } else { at / whole }
}

fn goertzel(samples: &[i16], rate: u32, hertz: u32) -> f64 {
    let factor = 2.0 * (TAU * f64::from(hertz) / f64::from(rate)).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, f64::from(*sample) + factor * last - before);
    }
    (before * before + last * last - factor * before * last) * 2.0 / samples.len() as f64
}

/// A tone as raw G.711 µ-law at 8 kHz.
pub fn tone(hertz: u32, seconds: u32) -> Vec<u8> {
    let sample = |at: u32| (8000.0 * (TAU * f64::from(hertz) * f64::from(at) / 8000.0).sin()) as i32;
    (0..seconds * 8000).map(|at| mu_law(sample(at))).collect()
}

/// Something that is said for so long without a pause, and then the silence of a line.
pub fn said(hertz: u32, seconds: f64, quiet: u32) -> Vec<u8> {
    let samples = (seconds * 8000.0) as usize;
    let silence = std::iter::repeat_n(mu_law(0), quiet as usize * 8000);
    tone(hertz, seconds.ceil() as u32).into_iter().take(samples).chain(silence).collect()
}

/// G.711 µ-law.
pub fn mu_law(sample: i32) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let biased = sample.unsigned_abs().min(32_635) + 132;
    let exponent = (biased.ilog2() - 7) & 7;
    let mantissa = (biased >> (exponent + 3)) & 0x0f;
    !u8::try_from(sign | (exponent << 4) | mantissa).expect("eight bits")
}

/// What a byte of G.711 µ-law stands for.
pub fn of_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = (((i16::from(byte & 0x0f) << 3) + 132) << ((byte >> 4) & 7)) - 132;
    if byte & 0x80 == 0 { magnitude } else { -magnitude }
}

#[test]
fn what_is_coded_is_decoded_to_nearly_the_same() {
    for sample in (-32_000..32_000).step_by(37) {
        let back = i32::from(of_mu_law(mu_law(sample)));
        assert!((back - sample).abs() <= 8 + sample.abs() / 16, "{sample} becomes {back}");
    }
}

#[test]
fn a_tone_is_found_and_another_is_not() {
    let samples: Vec<i16> =
        (0..8000).map(|at| (8000.0 * (TAU * 440.0 * f64::from(at) / 8000.0).sin()) as i16).collect();
    assert!(share(&samples, 8000, CALLER) > 0.95);
    assert!(share(&samples, 8000, AGENT) < 0.05);
    assert_eq!(mu_law(0), 0xff);
    assert_eq!(mu_law(32_000), 0x80);
    assert_eq!(mu_law(-32_000), 0x00);
}
