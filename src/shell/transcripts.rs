//! What was said: a program of the office's choice reads finished recordings, one at a time and with the lowest
//! priority, and prints the words. Off without a command; nothing else waits for it or depends on it.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::engine::time::Wall;

use super::clock;
use super::recordings::{ReadError, Vault};
use super::store::transcripts::{MOST_ATTEMPTS, Spoken, TranscriptJob};
use super::store::{Result, Store, random_secret};

/// What stands in the command for the recording's file.
pub const FILE: &str = "{file}";
/// How often new recordings are looked for.
const EVERY: Duration = Duration::from_secs(5);
/// After the first failure; each further one makes it four times as long.
const PAUSE: Duration = Duration::from_secs(60);
/// What a recogniser prints at most: a day of talk is less.
const LONGEST_OUTPUT: u64 = 64 * 1024 * 1024;
/// Of what it complains about so much is kept.
const LONGEST_COMPLAINT: u64 = 4_000;

/// How recordings are recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The program and its arguments, with [`FILE`] in one of them; empty: nothing is recognised.
    pub command: Vec<String>,
    /// For one recording.
    pub timeout: Duration,
    /// Older recordings are left out.
    pub since: Duration,
}

/// Why a recording was not recognised.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the recording cannot be read: {0}")]
    Sound(#[from] ReadError),
    #[error("the recogniser {0:?} cannot be run: {1}; check transcripts.command")]
    Start(String, std::io::Error),
    #[error("the recogniser took more than {0:?} (transcripts.timeout_s)")]
    Late(Duration),
    #[error("the recogniser ended with {0}: {1}")]
    Ended(std::process::ExitStatus, String),
    #[error("the recogniser printed no list of words as README describes it: {0}")]
    Output(String),
}

/// Recognises until it is cancelled; nothing without a command.
pub fn start(store: Store, settings: Settings, vault: Vault, cancel: CancellationToken) {
    if settings.command.is_empty() {
        return;
    }
    tokio::spawn(async move {
        let work = Work { store, settings, vault };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = work.go_on() => {}
        }
    });
}

struct Work {
    store: Store,
    settings: Settings,
    vault: Vault,
}

impl Work {
    async fn go_on(&self) {
        let mut left = false;
        let mut troubled = false;
        loop {
            let done = self.turn(&mut left).await;
            if let (Err(error), false) = (&done, troubled) {
                warn!("recordings are not recognised now, it is tried again every few seconds: {error}");
            }
            troubled = done.is_err();
            if !matches!(done, Ok(true)) {
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    /// One recording; false when none is due.
    async fn turn(&self, left: &mut bool) -> Result<bool> {
        let now = clock::wall();
        if !*left {
            self.store.transcripts_left(now).await?;
            *left = true;
        }
        let span = i64::try_from(self.settings.since.as_millis()).unwrap_or(i64::MAX);
        self.store.queue_transcripts(Wall(now.0.saturating_sub(span)), now).await?;
        let Some(job) = self.store.take_transcript(now).await? else { return Ok(false) };
        match self.recognise(&job).await {
            Ok(words) => {
                self.store.keep_transcript(job.recording, &words, clock::wall()).await?;
                info!(recording = job.recording, call = %job.call, words = words.len(), "recognised");
            }
            Err(failure) => {
                let last = job.attempt >= MOST_ATTEMPTS;
                let (recording, call) = (job.recording, job.call);
                warn!(recording, %call, attempt = job.attempt, given_up = last, "not recognised: {failure}");
                let pause = PAUSE.saturating_mul(4_u32.saturating_pow(u32::try_from(job.attempt - 1).unwrap_or(0)));
                self.store.transcript_failed(&job, &failure.to_string(), pause, clock::wall()).await?;
            }
        }
        Ok(true)
    }

    async fn recognise(&self, job: &TranscriptJob) -> std::result::Result<Vec<Spoken>, Failure> {
        let (vault, path) = (self.vault.clone(), job.path.clone());
        let copied = tokio::task::spawn_blocking(move || copy(&vault, &path)).await;
        let file = copied.map_err(|cause| Failure::Output(cause.to_string()))??;
        let output = tokio::time::timeout(self.settings.timeout, run(&self.settings.command, &file.0)).await;
        let mut words = output.map_err(|_| Failure::Late(self.settings.timeout))??;
        words.retain(|word| !word.text.trim().is_empty() && word.from_ms <= word.to_ms && word.channel < 2);
        words.sort_by_key(|word| (word.from_ms, word.channel));
        Ok(words)
    }
}

/// A WAV of the recording for the recogniser, away from the archive, for us alone. Removed when it is dropped.
struct Copied(PathBuf);

impl Drop for Copied {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_file(&self.0) {
            warn!(file = %self.0.display(), "a copy for the recogniser was not removed: {cause}; remove it");
        }
    }
}

fn copy(vault: &Vault, path: &str) -> std::result::Result<Copied, Failure> {
    let unwritable = |cause| ReadError::Io { path: path.to_owned(), cause };
    let mut sound = vault.open_wav(path)?.reader;
    let name = format!("perezvon-{}-{}.wav", std::process::id(), random_secret::<8>());
    let copied = std::env::temp_dir().join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copied).map_err(unwritable)?;
    let copied = Copied(copied);
    std::io::copy(&mut sound, &mut file).map_err(unwritable)?;
    Ok(copied)
}

/// Runs the program on the file. It is killed when nobody waits for it any more.
async fn run(command: &[String], file: &Path) -> std::result::Result<Vec<Spoken>, Failure> {
    let file = file.to_string_lossy();
    let words = command.iter().map(|word| word.replace(FILE, &file));
    let name = command.first().cloned().unwrap_or_default();
    let mut program = Command::new("nice");
    program.args(["-n", "19"]).args(words).kill_on_drop(true);
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |cause| Failure::Start(name.clone(), cause);
    let mut child = program.spawn().map_err(failed)?;
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = async {
        if let Some(out) = out {
            out.take(LONGEST_OUTPUT).read_to_end(&mut printed).await?;
        }
        Ok(())
    };
    let listen = async {
        if let Some(mut err) = err {
            (&mut err).take(LONGEST_COMPLAINT).read_to_end(&mut complaint).await?;
            tokio::io::copy(&mut err, &mut tokio::io::sink()).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, listen).map_err(failed)?;
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        return Err(Failure::Ended(status, String::from_utf8_lossy(&complaint).trim().to_owned()));
    }
    serde_json::from_slice(&printed).map_err(|cause| Failure::Output(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::store::recordings::tests::stored;
    use crate::shell::store::recordings::{ArchivedFile, NewRecording};

    /// Reads the WAV itself and says, for each side, where it is loud: a recogniser of noise.
    const NOISE: &str = r#"
import array, json, sys, wave
w = wave.open(sys.argv[1]); rate = w.getframerate()
samples = array.array("h", w.readframes(w.getnframes()))
words = []
for channel in (0, 1):
    side = samples[channel::2]
    step = rate // 10
    for at in range(0, len(side), step):
        if max(map(abs, side[at:at + step])) > 1000:
            ms = at * 1000 // rate
            words.append({"from_ms": ms, "to_ms": ms + 100, "channel": channel, "text": ["левый", "правый"][channel]})
print(json.dumps(words))
"#;

    async fn settled(command: &[&str]) -> (Store, i64, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/t.db", folder.path().display())).await.unwrap();
        // A tenth of a second of the caller, then one of the agent.
        let frames = (0..1600_u16).flat_map(|n| if n < 800 { [0, 40, 0, 0] } else { [0, 0, 0, 40] });
        let (wav, _) = crate::speech::wav::stereo_wav_from_raw(&frames.collect::<Vec<u8>>(), 8000).unwrap();
        std::fs::write(folder.path().join("a.wav"), &wav).unwrap();
        let file = stored(1).file.map(|file| ArchivedFile { path: "a.wav".into(), ..file });
        let id = store.save_recording(NewRecording { file, at: clock::wall(), ..stored(1) }).await.unwrap();
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let settings = Settings { command, timeout: Duration::from_secs(20), since: Duration::from_secs(3600) };
        let work = Work { store: store.clone(), settings, vault: Vault::plain(folder.path()) };
        assert!(work.turn(&mut false).await.unwrap());
        assert!(!work.turn(&mut true).await.unwrap());
        (store, id, folder)
    }

    #[tokio::test]
    async fn a_program_reads_the_sound_and_its_words_are_kept_with_times_and_sides() {
        let (store, id, _folder) = settled(&["python3", "-c", NOISE, "{file}"]).await;
        let kept = store.transcript_of(id).await.unwrap().unwrap();
        assert_eq!((kept.state.as_str(), kept.problem.as_str()), ("done", ""));
        let words: Vec<_> = kept.words.iter().map(|word| (word.from_ms, word.channel, word.text.as_str())).collect();
        assert_eq!(words, [(0, 0, "левый"), (100, 1, "правый")]);
    }

    #[tokio::test]
    async fn a_program_that_fails_is_tried_again_later_with_what_it_said() {
        let (store, id, _folder) = settled(&["sh", "-c", "echo no model >&2; exit 3", "{file}"]).await;
        let kept = store.transcript_of(id).await.unwrap().unwrap();
        assert_eq!((kept.state.as_str(), kept.attempts), ("waiting", 1));
        assert!(kept.problem.contains("no model"), "{}", kept.problem);
    }

    #[tokio::test]
    async fn nonsense_and_a_program_that_is_not_there_are_told() {
        let (store, id, _folder) = settled(&["echo", "words", "{file}"]).await;
        assert!(store.transcript_of(id).await.unwrap().unwrap().problem.contains("no list of words"));
        let (store, id, _folder) = settled(&["/nowhere/recognise", "{file}"]).await;
        assert!(store.transcript_of(id).await.unwrap().unwrap().problem.contains("/nowhere/recognise"));
    }
}
