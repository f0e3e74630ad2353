//! What is in a recording.

use std::f64::consts::TAU;
use std::io::Cursor;

/// The tone of every caller, in hertz.
pub const CALLER: u32 = 440;
/// The tone of every agent.
pub const AGENT: u32 = 1000;

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

    /// The caller on the left and the agent on the right: as a whole, and within the first and the last second too.
    #[track_caller]
    pub fn assert_tones(&self) {
        let second = self.rate as usize;
        assert!(self.left.len() >= second, "only {:.2} s long", self.seconds());
        let last = self.left.len() - second;
        for (what, from, to) in
            [("whole", 0, self.left.len()), ("first second", 0, second), ("last second", last, last + second)]
        {
            let caller = share(&self.left[from..to], self.rate, CALLER);
            let agent = share(&self.right[from..to], self.rate, AGENT);
            assert!(
                caller > 0.6,
                "{what}: {CALLER} Hz is {caller:.2} of the left, {AGENT} Hz {:.2}",
                share(&self.left[from..to], self.rate, AGENT)
            );
            assert!(
                agent > 0.6,
                "{what}: {AGENT} Hz is {agent:.2} of the right, {CALLER} Hz {:.2}",
                share(&self.right[from..to], self.rate, CALLER)
            );
        }
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

fn mu_law(sample: i32) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let biased = sample.unsigned_abs().min(32_635) + 132;
    let exponent = (biased.ilog2() - 7) & 7;
    let mantissa = (biased >> (exponent + 3)) & 0x0f;
    !u8::try_from(sign | (exponent << 4) | mantissa).expect("eight bits")
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
