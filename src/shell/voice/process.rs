//! One voice process, seen from the engine: started, asked sentence after sentence, ended when it does not behave.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::protocol::{HEAD, LONGEST_TASK, Nonsense, Task, Told};
use super::settings::RhVoice;

/// For loading the library and the voices: a third of a second each on an idle machine.
const START: Duration = Duration::from_secs(20);
/// For the next piece of sound, which takes a few milliseconds.
const SILENT: Duration = Duration::from_secs(3);
/// Samples of one sentence: two minutes at 8 kHz.
const LONGEST_SENTENCE: usize = 120 * 8_000;

/// Why a sentence was not said.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It cannot be started.
    #[error("the voice process cannot be started: {0}")]
    Spawn(io::Error),
    /// It says itself what is wrong.
    #[error("{0}")]
    Fault(String),
    /// It died, or closed its output.
    #[error("the voice process ended: {0}")]
    Ended(io::Error),
    /// It hangs.
    #[error("the voice process said nothing for {0:?}")]
    Hangs(Duration),
    /// It says what makes no sense.
    #[error("the voice process answers nonsense: {0}")]
    Nonsense(String),
    /// It says something at the wrong moment, or does not end.
    #[error("the voice process answers nonsense: {0}")]
    OutOfTurn(&'static str),
    /// There is no file for it. The process has nothing to do with that.
    #[error("the sound could not be kept: {0}; make room in asterisk.nodes.sounds_dir or give the right to write")]
    NotKept(io::Error),
    /// What it said could not be written, in the middle of a sentence.
    #[error("the sound could not be written: {0}; make room in asterisk.nodes.sounds_dir or give the right to write")]
    Disk(io::Error),
}

impl ProcessError {
    /// The process is still good for the next sentence.
    pub(super) fn leaves_process_well(&self) -> bool {
        match self {
            ProcessError::Fault(_) | ProcessError::NotKept(_) => true,
            ProcessError::Spawn(_)
            | ProcessError::Ended(_)
            | ProcessError::Hangs(_)
            | ProcessError::Nonsense(_)
            | ProcessError::OutOfTurn(_)
            // In the middle of a sentence: the rest would come as an answer to the next one.
            | ProcessError::Disk(_) => false,
        }
    }
}

/// How a voice process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The program.
    pub(super) program: OsString,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// Where the library lies, if that is not where the system looks: its companions lie there too.
    pub(super) libraries: Option<OsString>,
}

impl Start {
    /// Our own program as it is running, even if its file was replaced by an upgrade since.
    pub(super) fn new(rhvoice: &RhVoice) -> Start {
        let mut arguments: Vec<OsString> = vec!["voice-worker".into(), "--library".into(), rhvoice.library.clone()];
        arguments.extend(["--data".into(), rhvoice.data.clone().into()]);
        arguments.extend(["--settings".into(), rhvoice.settings.clone().into()]);
        for voice in rhvoice.voices.values() {
            arguments.extend(["--voice".into(), voice.into()]);
        }
        let folder = Path::new(&rhvoice.library).parent().filter(|folder| folder.is_absolute());
        Start {
            program: "/proc/self/exe".into(),
            arguments,
            libraries: folder.map(|folder| folder.as_os_str().to_owned()),
        }
    }
}

/// A running voice process. Dropped, it is killed.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts one and waits until its voices are loaded.
    pub(super) async fn start(start: &Start) -> Result<Process, ProcessError> {
        let mut command = Command::new(&start.program);
        command.args(&start.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // Secrets of the configuration may stand in the environment; the voice needs none of them.
        command.env_clear();
        if let Some(libraries) = &start.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let mut child = command.spawn().map_err(ProcessError::Spawn)?;
        let no_pipe = || ProcessError::Spawn(io::ErrorKind::BrokenPipe.into());
        let input = child.stdin.take().ok_or_else(no_pipe)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        let mut process = Process { child, input, output };
        match process.told(START).await? {
            Told::Ready => Ok(process),
            Told::Fault(why) => Err(ProcessError::Fault(why)),
            Told::Sound(_) | Told::End => Err(ProcessError::OutOfTurn("sound before any sentence")),
        }
    }

    /// Waits until it ends, which it does not do by itself.
    pub(super) async fn ended(&mut self) -> ProcessError {
        let said = self.child.wait().await.map_or_else(|cause| cause.to_string(), |status| status.to_string());
        ProcessError::Ended(io::Error::other(said))
    }

    /// Asks for a sentence. Its sound must be taken to the end, or the process not be used any more.
    pub(super) async fn ask(&mut self, task: &Task) -> Result<Sentence<'_>, ProcessError> {
        let bytes = task.encode();
        if bytes.len() > LONGEST_TASK {
            return Err(ProcessError::Fault(format!("a sentence of {} bytes is too long to be said", bytes.len())));
        }
        let sent = timeout(SILENT, async {
            self.input.write_all(&bytes).await?;
            self.input.flush().await
        });
        sent.await.map_err(|_| ProcessError::Hangs(SILENT))?.map_err(ProcessError::Ended)?;
        Ok(Sentence { process: self, length: 0 })
    }

    async fn told(&mut self, within: Duration) -> Result<Told, ProcessError> {
        let nonsense = |what: Nonsense| ProcessError::Nonsense(what.to_string());
        let read = timeout(within, async {
            let mut head = [0; HEAD];
            self.output.read_exact(&mut head).await.map_err(ProcessError::Ended)?;
            let mut bytes = vec![0; Told::length(head).map_err(nonsense)?];
            self.output.read_exact(&mut bytes).await.map_err(ProcessError::Ended)?;
            Told::decode(head, &bytes).map_err(nonsense)
        });
        read.await.map_err(|_| ProcessError::Hangs(within))?
    }
}

/// A sentence that is being said.
pub(super) struct Sentence<'a> {
    process: &'a mut Process,
    length: usize,
}

impl Sentence<'_> {
    /// The next piece of sound; `None` when the sentence is whole.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<i16>>, ProcessError> {
        match self.process.told(SILENT).await? {
            Told::Sound(samples) => {
                self.length += samples.len();
                if self.length > LONGEST_SENTENCE {
                    return Err(ProcessError::OutOfTurn("a sentence that does not end"));
                }
                Ok(Some(samples))
            }
            Told::End if self.length == 0 => Err(ProcessError::OutOfTurn("a sentence without sound")),
            Told::End => Ok(None),
            Told::Fault(why) => Err(ProcessError::Fault(why)),
            Told::Ready => Err(ProcessError::OutOfTurn("ready twice")),
        }
    }
}

#[cfg(test)]
pub(super) mod fake {
    //! A voice process that is a few lines of shell.

    use super::Start;

    /// Reads a task as the real one does, into `$task`.
    const READ: &str = "next() { n=$(head -c 4 | od -An -tu4 | tr -d ' '); [ -n \"$n\" ] || exit 0; \
        task=$(head -c \"$n\"); }; ready() { printf 'R\\0\\0\\0\\0'; }; ";
    /// Says 100 ms of a full, loud sound.
    pub(in super::super) const SOUND: &str =
        "sound() { printf 'S\\100\\006\\0\\0'; head -c 1600 /dev/zero | tr '\\0' '\\020'; }; ";

    pub(in super::super) fn shell(script: &str) -> Start {
        let script = format!("PATH=/usr/bin:/bin; {READ}{SOUND}{script}");
        Start { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()], libraries: None }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::shell;
    use super::*;

    fn task(text: &str) -> Task {
        Task { voice: "Elena".to_owned(), text: text.to_owned() }
    }

    async fn said(script: &str) -> Result<usize, ProcessError> {
        let mut process = Process::start(&shell(script)).await?;
        let mut length = 0;
        let mut sentence = process.ask(&task("Раз.")).await?;
        while let Some(samples) = sentence.next().await? {
            length += samples.len();
        }
        Ok(length)
    }

    #[tokio::test]
    async fn sound_comes_in_pieces_until_the_sentence_is_whole() {
        assert_eq!(said("ready; next; sound; sound; printf 'E\\0\\0\\0\\0'").await.unwrap(), 1_600);
    }

    #[tokio::test]
    async fn each_way_to_fail_is_told_apart() {
        for (script, words) in [
            ("printf 'F\\003\\0\\0\\0abc'", "abc"),
            ("exit 3", "ended"),
            ("ready; next; exit 0", "ended"),
            ("ready; next; sound; exit 0", "ended"),
            ("ready; next; printf 'HTTP/1.1 200 OK'", "nonsense"),
            ("ready; next; printf 'S\\377\\377\\377\\377'", "nonsense"),
            ("ready; next; printf 'S\\001\\0\\0\\0x'", "nonsense"),
            ("ready; next; ready", "ready twice"),
            ("ready; next; printf 'E\\0\\0\\0\\0'", "without sound"),
            ("ready; next; while :; do sound; done", "does not end"),
            ("printf 'E\\0\\0\\0\\0'", "before any sentence"),
        ] {
            let error = said(script).await.unwrap_err().to_string();
            assert!(error.contains(words), "{script}: {error}");
        }
        let none = Start { program: "/nonexistent/voice".into(), arguments: vec![], libraries: None };
        assert!(matches!(Process::start(&none).await, Err(ProcessError::Spawn(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_is_given_up() {
        // The clock runs on by itself where nothing else is to be done.
        assert!(matches!(said("ready; next; sound; exec sleep 600").await, Err(ProcessError::Hangs(_))));
    }
}
