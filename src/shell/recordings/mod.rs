//! The archive of talks: recordings fetched from Asterisk, checked, stored, entered in the database.
//!
//! - [`source`]: where recordings come from; [`asterisk`] is the real one, [`folder`] a shorter way where there is one
//! - [`ledger`]: what is written and asked; [`database`] is the real one
//! - `name`: what the name of a recording tells
//! - `board`: the list of work, bounded, with pauses
//! - `collect`: one recording's way; `bring`: its first part, from Asterisk into a file
//! - `file`: writing a file so that a kill at any moment does no harm; `place`: moving those of a handful to their places
//! - [`format`](mod@format): WAV and FLAC; [`seal`]: encryption; [`vault`]: where files lie and how they are read;
//!   [`bucket`]: S3
//! - [`erase`]: removing the sound of clients who were erased
//! - [`read`]: opening a file, checking all of them
//! - [`keeper`]: the night's work: retention, [`verify`](mod@verify); [`rekey`](mod@rekey): a new key
//! - [`peaks`]: the picture of a sound; [`stats`] counts
//!
//! A file is removed from Asterisk only when the archive has it and the database says so. Calls never wait for any of
//! this: wishes are put on a list, and a few tasks work through it.

pub mod asterisk;
mod board;
mod bring;
pub mod bucket;
mod collect;
pub mod database;
pub mod erase;
mod file;
pub mod folder;
pub mod format;
pub mod keeper;
pub mod ledger;
mod name;
pub mod opus;
pub mod peaks;
mod place;
pub mod read;
pub mod rekey;
pub mod seal;
mod silence;
pub mod source;
pub mod stats;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod vault;
pub mod verify;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;

use super::clock;
use board::{Board, Job, Next, Outcome, SETTLE, Task};
use collect::{Collector, WORDLESS};
pub use database::Books;
use ledger::{Ledger, Unrecorded};
use name::{FOLDER, Name};
pub use read::{Checked, Problem, ReadError, Verification};
use source::Source;
pub use stats::{ArchiveStats, Counts};
pub use vault::Vault;

/// Recordings in hand at once, of all Asterisks.
const WORKERS: usize = 4;
/// Recordings of talks that end within this time are fetched one after another by one worker, which wakes up once and
/// moves and enters them together: one transaction and one sync of a folder for all.
const BEAT: Duration = Duration::from_secs(1);
/// After a restart, calls of so many days are looked through for missing recordings.
const LOOK_BACK_MS: i64 = 7 * 24 * 3_600_000;

/// Starts the archive.
pub struct Archive;

/// The running archive. Cheap to clone.
#[derive(Clone)]
pub struct ArchiveHandle {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

struct Shared {
    started: Instant,
    board: Mutex<Board>,
    changed: Notify,
    stats: Arc<ArchiveStats>,
}

impl Archive {
    /// Spawns the tasks that fetch recordings; they end when `cancel` is cancelled. Nodes are in the order of their
    /// [`NodeId`]s. Must be called inside a tokio runtime.
    pub fn start<S: Source, L: Ledger>(
        vault: Vault,
        nodes: Vec<S>,
        ledger: L,
        cancel: CancellationToken,
    ) -> ArchiveHandle {
        Archive::with_board(vault, nodes, ledger, cancel, Board::default())
    }

    fn with_board<S: Source, L: Ledger>(
        vault: Vault,
        nodes: Vec<S>,
        ledger: L,
        cancel: CancellationToken,
        board: Board,
    ) -> ArchiveHandle {
        match file::prepare(vault.dir()) {
            Ok(0) => {}
            Ok(files) => info!(files, "half-written recordings of an earlier run removed; they are fetched again"),
            // Calls go on, recordings wait in Asterisk until this is put right.
            Err(error) => error!("the archive of recordings cannot be used: {error}"),
        }
        let stats = Arc::new(ArchiveStats::default());
        let shared = Arc::new(Shared {
            started: Instant::now(),
            board: Mutex::new(board),
            changed: Notify::new(),
            stats: stats.clone(),
        });
        let collector = Collector { nodes, ledger, vault, stats, files: AtomicU64::new(0) };
        let collector = Arc::new(collector);
        let tasks = TaskTracker::new();
        for _ in 0..WORKERS {
            let worker = Worker { shared: shared.clone(), collector: collector.clone() };
            let cancel = cancel.clone();
            tasks.spawn(async move { cancel.run_until_cancelled(worker.run()).await });
        }
        tasks.close();
        ArchiveHandle { shared, tasks }
    }
}

impl ArchiveHandle {
    /// Fetch, check and archive the recording of a call that has ended, then remove it from Asterisk; whether its
    /// channel is `gone` is asked of Asterisk where it is not known. Never waits.
    pub fn collect(&self, node: NodeId, call: CallId, name: &str, talked: Duration, gone: bool) {
        let task = Task::Ended { call, talked: Some(talked), gone };
        if !self.shared.add(node, name, task, self.shared.beat_after(SETTLE)) {
            error!(%call, recording = name, "too many recordings wait to be archived; this one stays in Asterisk until a sweep");
        }
    }

    /// Look for recordings in this Asterisk that no living call needs, and collect or remove them. Never waits.
    pub fn sweep(&self, node: NodeId, keep: impl IntoIterator<Item = String>) {
        let mut board = self.shared.board();
        board.node_is_back(node);
        board.sweep(node, keep.into_iter().collect(), Instant::now());
        drop(board);
        self.shared.changed.notify_one();
    }

    /// The counters.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.stats.snapshot()
    }

    /// The counters, and how the archive is, to be asked at any time.
    #[must_use]
    pub fn stats(&self) -> Arc<ArchiveStats> {
        self.shared.stats.clone()
    }

    /// Waits until all tasks have ended after a cancellation. What was in hand is taken up again by the next sweep.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        // A panic while it was held leaves at worst one recording unlisted, and the next sweep finds that.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first beat after this time. What ends within a beat is fetched and written together.
    fn beat_after(&self, wait: Duration) -> Instant {
        let beats = (self.started.elapsed() + wait).as_millis().div_ceil(BEAT.as_millis());
        self.started + BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
    }

    fn add(&self, node: NodeId, name: &str, task: Task, due: Instant) -> bool {
        let mut board = self.board();
        let added = board.add(node, name, task, due);
        self.stats.waiting(board.len());
        let slept_over = board.is_slept_over(due);
        drop(board);
        if !added {
            self.stats.overflowed();
        } else if slept_over {
            self.changed.notify_one();
        }
        added
    }
}

struct Worker<S, L> {
    shared: Arc<Shared>,
    collector: Arc<Collector<S, L>>,
}

impl<S: Source, L: Ledger> Worker<S, L> {
    async fn run(self) {
        loop {
            // Registered before the look at the list: what is added in between is not slept over.
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next = self.shared.board().next(Instant::now());
            if matches!(next, Next::Sweep(..) | Next::Run(_)) {
                // One worker at a time is told of news or sleeps until something is due; who has work to do passes
                // that on, and who has done it looks at the list again.
                self.shared.changed.notify_one();
            }
            match next {
                Next::Sweep(node, keep) => self.sweep(node, keep).await,
                Next::Run(jobs) => self.collect(jobs).await,
                Next::Wait(None) => changed.await,
                Next::Wait(Some(until)) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(until) => {}
                    }
                }
            }
        }
    }

    async fn collect(&self, jobs: Vec<Job>) {
        let node = jobs.first().map(|job| job.node);
        for (job, outcome) in self.collector.attempt(jobs).await {
            if !matches!(outcome, Outcome::Done | Outcome::Later(_)) {
                self.shared.stats.retried();
            }
            if job.wrote {
                self.shared.stats.storage_worked();
            } else if let Outcome::StorageAway(why) = &outcome {
                self.shared.stats.storage_failed(why);
            }
            let node = job.node;
            let mut board = self.shared.board();
            let first = board.finished(job, &outcome, Instant::now());
            let backlog = board.len();
            self.shared.stats.waiting(backlog);
            drop(board);
            if first {
                tell_of_trouble(node, &outcome, backlog);
            }
        }
        node.into_iter().for_each(|node| self.shared.board().let_go(node));
    }

    async fn sweep(&self, node: NodeId, keep: BTreeSet<String>) {
        let outcome = contained(async {
            match self.look_through(node, &keep).await {
                Ok(()) => Outcome::Done,
                Err(outcome) => outcome,
            }
        })
        .await;
        let mut board = self.shared.board();
        let first = board.swept(node, keep, &outcome, Instant::now());
        let backlog = board.len();
        drop(board);
        if first {
            tell_of_trouble(node, &outcome, backlog);
        }
        if let Outcome::Failed(why) = &outcome {
            warn!(node = node.0, "Asterisk's recordings cannot be looked through, tried again: {why}");
        }
    }

    async fn look_through(&self, node: NodeId, keep: &BTreeSet<String>) -> Result<(), Outcome> {
        let source = self.collector.nodes.get(usize::from(node.0));
        let source = source.ok_or_else(|| Outcome::Failed(format!("there is no Asterisk number {}", node.0)))?;
        let now = Instant::now();
        let (mut found, mut strange) = (0_u32, 0_u32);
        for name in source.list().await? {
            if !name.starts_with(FOLDER) || keep.contains(&name) {
                continue;
            }
            if Name::parse(&name).is_none() {
                strange += 1;
                continue;
            }
            found += 1;
            // One that finds no room is found again when there is.
            self.shared.add(node, &name, Task::Stray, now);
        }
        let since = Wall(clock::wall().0.saturating_sub(LOOK_BACK_MS));
        for Unrecorded { call, name, talked } in self.collector.ledger.unrecorded(node, since, WORDLESS).await? {
            if !keep.contains(&name) {
                self.shared.add(node, &name, Task::Ended { call, talked: Some(talked), gone: false }, now + SETTLE);
            }
        }
        if strange > 0 {
            warn!(
                node = node.0,
                files = strange,
                "files in Asterisk's recording folder {FOLDER} that the dialplan did not name: left alone"
            );
        }
        info!(node = node.0, found, "recordings in Asterisk looked through");
        Ok(())
    }
}

fn tell_of_trouble(node: NodeId, outcome: &Outcome, backlog: usize) {
    match outcome {
        Outcome::NodeAway(why) => {
            warn!(node = node.0, backlog, "recordings cannot be fetched now, tried again and again: {why}");
        }
        Outcome::StorageAway(why) => {
            error!(backlog, "recordings cannot be archived now; they stay in Asterisk, tried again and again: {why}");
        }
        Outcome::Done | Outcome::Later(_) | Outcome::Failed(_) => {}
    }
}

/// A panic ends one attempt and not the archive.
async fn contained(attempt: impl Future<Output = Outcome>) -> Outcome {
    AssertUnwindSafe(attempt).catch_unwind().await.unwrap_or_else(|_| {
        error!("an impossible state was met while a recording was archived; it is tried again later");
        Outcome::Failed("an impossible state was met".to_owned())
    })
}
