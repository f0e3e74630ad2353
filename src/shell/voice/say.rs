//! A text said at once and to nobody's ear: for `perezvon say` and `perezvon check`.

use std::path::PathBuf;

use crate::speech::shape::level;
use crate::speech::wav::{Sound, TELEPHONE_RATE};
use crate::speech::{Language, Phrase, said};

use super::command::{self, CommandError};
use super::process::{Process, ProcessError, Start};
use super::protocol::Task;
use super::sentences;
use super::settings::{Engine, Settings};

/// Why a text was not said.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// Nobody speaks.
    #[error("speech.engine is \"none\": set it to \"rhvoice\" or \"command\"")]
    Nobody,
    /// Nothing to say.
    #[error("there is nothing to say in this text")]
    Nothing,
    /// RHVoice.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Another program.
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// What a caller would hear: the text as the synthesizer is given it, sentence by sentence.
///
/// # Errors
/// No voice, or it fails.
pub async fn say(settings: &Settings, text: &str, language: Language) -> Result<Sound, SayError> {
    let text = said(&[Phrase::Free(text.to_owned())], language).sentence.unwrap_or_default();
    let mut samples = Vec::new();
    match &settings.engine {
        Engine::None => return Err(SayError::Nobody),
        Engine::RhVoice(rhvoice) => {
            let mut process = Process::start(&Start::new(rhvoice)).await?;
            for sentence in sentences(&text) {
                let task = Task { voice: rhvoice.voice(language).to_owned(), text: sentence.to_owned() };
                let mut saying = process.ask(&task).await?;
                let mut whole = Vec::new();
                while let Some(piece) = saying.next().await? {
                    whole.extend(piece);
                }
                level(&mut whole);
                samples.extend(whole);
            }
        }
        Engine::Command(template) => {
            for sentence in sentences(&text) {
                let out: PathBuf = std::env::temp_dir().join(format!("perezvon-say-{}.wav", std::process::id()));
                samples.extend(command::say(template, sentence, language, &out).await?.samples);
            }
        }
    }
    if samples.is_empty() {
        return Err(SayError::Nothing);
    }
    Ok(Sound { rate: TELEPHONE_RATE, channels: 1, samples })
}
