//! A voice that is a program of the administrator's choice: started for each sentence, it writes a WAV.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, Command};
use tokio::time::timeout;

use crate::speech::Language;
use crate::speech::shape::{ShapeError, shape};
use crate::speech::wav::{Sound, WavError};

use super::AFTER_SENTENCE;
use super::settings::Template;

/// A program that takes longer than this hangs.
const LONGEST_RUN: Duration = Duration::from_secs(20);
/// Two minutes of the highest rate in stereo are less.
const LARGEST_FILE: u64 = 64 << 20;

/// Bytes of standard error that are looked at.
const LONGEST_COMPLAINT: u64 = 16 * 1024;

/// Why a sentence was not said.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Not there, or may not be run.
    #[error("the program {program:?} of speech.command cannot be run: {cause}")]
    Run {
        /// As configured.
        program: String,
        /// The system's words.
        cause: io::Error,
    },
    /// It hangs.
    #[error("the program {program:?} of speech.command did not end within {LONGEST_RUN:?}")]
    Hangs {
        /// As configured.
        program: String,
    },
    /// It says that it failed.
    #[error("the program {program:?} of speech.command failed ({status}): {said}")]
    Failed {
        /// As configured.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The end of what it wrote to standard error.
        said: String,
    },
    /// No file, or too large a one.
    #[error("speech.command wrote no WAV where {{out}} told it to: {0}")]
    NoFile(io::Error),
    /// Not the sound that we can use.
    #[error("speech.command: {0}")]
    Wav(#[from] WavError),
    /// Not the sound that we can use.
    #[error("speech.command: {0}")]
    Shape(#[from] ShapeError),
}

/// Lets the program say a sentence, in the form of the shipped fragments. `out` is where it is told to write; the file
/// is removed.
pub(super) async fn say(
    template: &Template,
    text: &str,
    language: Language,
    out: &Path,
) -> Result<Sound, CommandError> {
    let program = template.words.first().cloned().unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(template.arguments(text, language, &out.to_string_lossy()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let run = |cause| CommandError::Run { program: program.clone(), cause };
    let mut child = command.spawn().map_err(run)?;
    let complaints = child.stderr.take();
    let ended = timeout(LONGEST_RUN, async { tokio::join!(child.wait(), complaint(complaints)) }).await;
    let (status, said) = ended.map_err(|_| CommandError::Hangs { program: program.clone() })?;
    let (status, read) = (status.map_err(run)?, read(out).await);
    if !status.success() {
        let said = said.trim().lines().last().unwrap_or("it gave no reason").chars().take(200).collect();
        return Err(CommandError::Failed { program, status, said });
    }
    let wav = read.map_err(CommandError::NoFile)?;
    // Some milliseconds of arithmetic.
    let shaped = tokio::task::spawn_blocking(move || Ok(shape(&Sound::read(&wav)?, AFTER_SENTENCE)?)).await;
    shaped.unwrap_or_else(|cause| Err(CommandError::NoFile(io::Error::other(cause))))
}

/// The beginning of what a program says to standard error.
async fn complaint(pipe: Option<ChildStderr>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before a broken pipe is good enough for a message.
        let _ = pipe.take(LONGEST_COMPLAINT).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn read(out: &Path) -> io::Result<Vec<u8>> {
    let bytes = tokio::fs::metadata(out).await?.len();
    let wav = if bytes > LARGEST_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { tokio::fs::read(out).await };
    tokio::fs::remove_file(out).await?;
    wav
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(script: &str) -> Result<Sound, CommandError> {
        let folder = tempfile::tempdir().unwrap();
        let tone: Vec<i16> = (0..22_050).map(|n| if n % 50 < 25 { 9_000 } else { -9_000 }).collect();
        let source = folder.path().join("source.wav");
        std::fs::write(&source, Sound { rate: 22_050, channels: 1, samples: tone }.write().unwrap()).unwrap();
        let script = script.replace("SOURCE", &source.to_string_lossy());
        let words = ["sh", "-c", &script, "{text}", "{out}"].map(str::to_owned).to_vec();
        say(&Template { words }, "Раз; два", Language::Ru, &folder.path().join("out.wav")).await
    }

    #[tokio::test]
    async fn a_program_of_any_rate_speaks_in_the_form_of_the_fragments() {
        let sound = said("test \"$0\" = 'Раз; два' && cp SOURCE \"$1\"").await.unwrap();
        assert_eq!((sound.rate, sound.channels), (8_000, 1));
        assert!(sound.samples.len() > 8_000);
    }

    #[tokio::test]
    async fn each_way_to_fail_is_explained() {
        for (script, words) in [
            ("echo 'no such voice' >&2; exit 7", "exit status: 7): no such voice"),
            ("exit 0", "wrote no WAV"),
            ("echo hello >\"$1\"", "WAV could not be read"),
            ("cp /proc/self/mem \"$1\"; exit 1", "failed"),
        ] {
            let error = said(script).await.unwrap_err().to_string();
            assert!(error.contains(words), "{script}: {error}");
        }
        let nothing = Template { words: vec!["/nonexistent/voice".to_owned()] };
        let error = say(&nothing, "Раз.", Language::Ru, Path::new("/tmp/x.wav")).await.unwrap_err().to_string();
        assert!(error.contains("/nonexistent/voice"), "{error}");
    }
}
