//! The voice process: `perezvon voice-worker`. Reads sentences, gives their sound as it is made, ends with its input.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};

use clap::Args;

use crate::speech::shape::{Resampler, Shaper, gain_of, part};

use super::AFTER_SENTENCE;
use super::protocol::{LONGEST_TASK, Task, Told};
use super::rhvoice::{RhVoice, RhVoiceError};

/// Said to nobody when a voice is loaded: it loads the data (a third of a second), and its loudness is that of the voice.
const TRIALS: [&str; 2] =
    ["К вам едет белая машина, будет через пять минут.", "Your car is white and comes in five minutes."];

/// The process that speaks (started by the engine)
#[derive(Args)]
#[command(hide = true)]
pub struct VoiceWorker {
    /// RHVoice's library
    #[arg(long)]
    library: OsString,
    /// Its data
    #[arg(long)]
    data: String,
    /// The folder of its settings
    #[arg(long)]
    settings: String,
    /// A voice to load before anything else
    #[arg(long = "voice")]
    voices: Vec<String>,
}

/// Why the process ends.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A pipe broke.
    #[error("the engine that this process speaks for is gone: {0}")]
    Pipe(#[from] io::Error),
}

impl VoiceWorker {
    /// Serves until standard input ends.
    ///
    /// # Errors
    /// A broken pipe. A voice that does not speak is told to the engine.
    pub fn run(self) -> Result<(), WorkerError> {
        let mut out = io::stdout().lock();
        match self.load() {
            Ok(mut mouth) => {
                tell(&mut out, &Told::Ready)?;
                let mut input = io::stdin().lock();
                while let Some(task) = next(&mut input)? {
                    mouth.say(&task, &mut out)?;
                }
            }
            Err(error) => tell(&mut out, &Told::Fault(error.to_string()))?,
        }
        Ok(())
    }

    fn load(&self) -> Result<Mouth, RhVoiceError> {
        let rhvoice = RhVoice::open(&self.library, &self.data, &self.settings)?;
        let mut mouth = Mouth { rhvoice, gains: BTreeMap::new() };
        for voice in &self.voices {
            mouth.gain(voice)?;
        }
        Ok(mouth)
    }
}

fn tell(out: &mut impl Write, told: &Told) -> io::Result<()> {
    out.write_all(&told.encode())?;
    out.flush()
}

/// The next task; `None` at the end.
fn next(input: &mut impl Read) -> io::Result<Option<Task>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length) as usize;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "what came is no task");
    if length > LONGEST_TASK {
        return Err(wrong());
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Task::decode(bytes).map(Some).ok_or_else(wrong)
}

struct Mouth {
    rhvoice: RhVoice,
    /// What makes each voice as loud as the fragments. Sentences of one voice differ by less than 1 dB, and a sentence
    /// that begins to be heard before it is whole cannot be measured.
    gains: BTreeMap<String, f32>,
}

impl Mouth {
    fn gain(&mut self, voice: &str) -> Result<f32, RhVoiceError> {
        if let Some(gain) = self.gains.get(voice) {
            return Ok(*gain);
        }
        let mut longest = Vec::new();
        for trial in TRIALS {
            let (mut resampler, mut heard) = (None, Vec::new());
            self.rhvoice.say(voice, trial, &mut |rate, samples| {
                if resampler.is_none() {
                    resampler = Resampler::new(rate).ok();
                }
                let Some(resampler) = &mut resampler else { return false };
                resampler.feed(samples.iter().copied().map(part), &mut heard);
                true
            })?;
            // A voice of another language leaves most of a sentence out.
            if heard.len() > longest.len() {
                longest = heard;
            }
        }
        let gain = gain_of(&longest).ok_or_else(|| RhVoiceError::Refused { voice: voice.to_owned() })?;
        self.gains.insert(voice.to_owned(), gain);
        Ok(gain)
    }

    /// Only a broken pipe is an error: then there is nobody to speak to.
    fn say(&mut self, task: &Task, out: &mut impl Write) -> io::Result<()> {
        let gain = match self.gain(&task.voice) {
            Ok(gain) => gain,
            Err(error) => return tell(out, &Told::Fault(error.to_string())),
        };
        let mut shaping = Shaping { resampler: None, shaper: Shaper::new(gain), plain: Vec::new(), ready: Vec::new() };
        let mut failed = None;
        let spoken = self.rhvoice.say(&task.voice, &task.text, &mut |rate, samples| {
            let sent = shaping.feed(rate, samples).and_then(|()| match &shaping.ready {
                nothing if nothing.is_empty() => Ok(()),
                _ => tell(out, &Told::Sound(std::mem::take(&mut shaping.ready))),
            });
            failed = sent.err();
            failed.is_none()
        });
        if let Some(error) = failed {
            return Err(error);
        }
        match spoken.map_err(|error| error.to_string()).and_then(|()| shaping.finish()) {
            Ok(rest) => {
                tell(out, &Told::Sound(rest))?;
                tell(out, &Told::End)
            }
            Err(why) => tell(out, &Told::Fault(why)),
        }
    }
}

/// From the voice's sound to a telephone line's.
struct Shaping {
    resampler: Option<Resampler>,
    shaper: Shaper,
    plain: Vec<f32>,
    ready: Vec<i16>,
}

impl Shaping {
    fn feed(&mut self, rate: u32, samples: &[i16]) -> io::Result<()> {
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => none.insert(Resampler::new(rate).map_err(io::Error::other)?),
        };
        self.plain.clear();
        resampler.feed(samples.iter().copied().map(part), &mut self.plain);
        self.shaper.feed(&self.plain, &mut self.ready);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<i16>, String> {
        self.plain.clear();
        if let Some(resampler) = &mut self.resampler {
            resampler.finish(&mut self.plain);
        }
        self.shaper.feed(&self.plain, &mut self.ready);
        self.shaper.finish(AFTER_SENTENCE, &mut self.ready).map_err(|error| error.to_string())?;
        Ok(self.ready)
    }
}
