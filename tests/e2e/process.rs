//! Programs that a test starts. They end with the test, however it ends.

use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program with its output in a file.
pub struct Process {
    pub name: String,
    pub log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts it. Its output is added to `log`.
    pub fn start(name: &str, log: &Path, program: impl AsRef<Path>, arguments: &[String], folder: &Path) -> Process {
        let output = File::options().create(true).append(true).open(log).unwrap();
        // A test that is killed takes its programs with it: the signal comes with the end of the thread that starts them.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program.as_ref())
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            // Ctrl-C at a terminal is for the test, which then ends this one in its own way.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|cause| panic!("{name}: setpriv (util-linux) {}: {cause}", program.as_ref().display()));
        Process { name: name.to_owned(), log: log.to_owned(), child }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end_within(&mut self, seconds: u64) -> ExitStatus {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < end,
                "{} did not end within {seconds} s; its output:\n{}",
                self.name,
                self.tail(30)
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`, and gone when this returns.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and waits.
    #[track_caller]
    pub fn stop(&mut self, seconds: u64) -> ExitStatus {
        self.signal("TERM");
        self.end_within(seconds)
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(sent.success(), "{} cannot be sent SIG{name}: {}", self.name, sent.into_raw());
    }

    /// The end of its output.
    pub fn tail(&self, lines: usize) -> String {
        tail(&self.log, lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a file.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Runs a program to its end and gives what it printed; it must succeed.
#[track_caller]
pub fn run(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let output = Command::new(program.as_ref()).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {}\n{text}{errors}", program.as_ref().display(), output.status);
    text
}
