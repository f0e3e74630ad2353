//! The journal: takes the engine's facts without ever making it wait, and writes them in batches. While the database
//! is away the facts go to a file on the disk, so that neither a long outage fills the memory nor a crash in the midst
//! of it loses them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::engine::command::Fact;

use super::change::Change;
use super::facts::Rejected;
use super::spill::Spill;
use super::{Result, Store, StoreError};

/// Facts written in one transaction at most: some 150 calls, which a database takes in 30 ms.
const BATCH: usize = 2000;
/// How long a batch waits to become fuller: what a transaction costs is shared by more calls.
const WINDOW: Duration = Duration::from_millis(500);
/// A database that does not take a batch within this time is taken for gone, and the file takes over.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between attempts.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How a journal works.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// File for the time without a database; made when it is needed.
    pub spill: PathBuf,
    /// Facts in memory at most; more than that are lost, counted and reported.
    pub capacity: usize,
}

impl JournalSettings {
    /// With this file, and room for 200,000 facts.
    #[must_use]
    pub fn new(spill: impl Into<PathBuf>) -> JournalSettings {
        JournalSettings { spill: spill.into(), capacity: 200_000 }
    }
}

/// Starts journals.
pub struct Journal;

/// To write to the journal, and to see how it fares.
#[derive(Clone)]
pub struct JournalHandle {
    facts: mpsc::Sender<Fact>,
    counts: Arc<Counts>,
    settled: watch::Receiver<u64>,
}

/// How a journal fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalState {
    /// Facts that are not in the database yet.
    pub backlog: u64,
    /// Bytes in the file for the time without a database.
    pub spilled_bytes: u64,
    /// Facts that the database refused for good since the start; they are kept in a file.
    pub rejected: u64,
    /// Facts lost since the start because memory, database and disk were all full or gone.
    pub lost: u64,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    spilled_bytes: AtomicU64,
    rejected: AtomicU64,
    lost: AtomicU64,
}

impl Journal {
    /// Starts writing in a task of its own. When `cancel` is cancelled, what was written until then is put into the
    /// database or, if that is away, into the file; stop the engine first and wait for
    /// [`finished`](JournalHandle::finished).
    #[must_use]
    pub fn start(store: Store, settings: JournalSettings, cancel: CancellationToken) -> JournalHandle {
        let (facts, inbox) = mpsc::channel(settings.capacity.max(1));
        let (done, settled) = watch::channel(0);
        let counts = Arc::new(Counts::default());
        let writer = Writer {
            store,
            path: settings.spill,
            spill: None,
            inbox,
            counts: Arc::clone(&counts),
            settled: done,
            spilled_facts: 0,
            retry_at: Instant::now(),
            retry_in: RETRY.0,
        };
        tokio::spawn(writer.run(cancel));
        JournalHandle { facts, counts, settled }
    }
}

impl JournalHandle {
    /// Takes a fact. Never waits. When there is no room left the fact is lost, which is counted and reported.
    pub fn write(&self, fact: Fact) {
        self.counts.accepted.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.facts.try_send(fact) {
            self.counts.accepted.fetch_sub(1, Ordering::Relaxed);
            let lost = self.counts.lost.fetch_add(1, Ordering::Relaxed) + 1;
            // A report for each would fill the disk that may be the reason.
            if lost.is_power_of_two() {
                let why = match error {
                    mpsc::error::TrySendError::Full(_) => "the database and the disk do not take them; free the disk",
                    mpsc::error::TrySendError::Closed(_) => "the journal is closed",
                };
                tracing::error!(lost, "facts of calls are lost: {why}");
            }
        }
    }

    /// How the journal fares.
    #[must_use]
    pub fn state(&self) -> JournalState {
        JournalState {
            backlog: self.counts.accepted.load(Ordering::Relaxed).saturating_sub(*self.settled.borrow()),
            spilled_bytes: self.counts.spilled_bytes.load(Ordering::Relaxed),
            rejected: self.counts.rejected.load(Ordering::Relaxed),
            lost: self.counts.lost.load(Ordering::Relaxed),
        }
    }

    /// Waits until all that was written before this call is in the database; answers whether it is, in time.
    pub async fn flush(&self, patience: Duration) -> bool {
        let target = self.counts.accepted.load(Ordering::Relaxed);
        let mut settled = self.settled.clone();
        matches!(timeout(patience, settled.wait_for(|count| *count >= target)).await, Ok(Ok(_)))
    }

    /// Waits until the journal has stopped after its cancellation.
    pub async fn finished(&self) {
        let mut settled = self.settled.clone();
        while settled.changed().await.is_ok() {}
    }
}

struct Writer {
    store: Store,
    path: PathBuf,
    /// Opened when it is needed.
    spill: Option<Spill>,
    inbox: mpsc::Receiver<Fact>,
    counts: Arc<Counts>,
    settled: watch::Sender<u64>,
    /// Facts of this run that are in the file.
    spilled_facts: u64,
    retry_at: Instant,
    retry_in: Duration,
}

impl Writer {
    async fn run(mut self, cancel: CancellationToken) {
        if tokio::fs::metadata(&self.path).await.is_ok_and(|file| file.len() > 0) {
            tracing::info!(file = %self.path.display(), "the journal of an outage is read back");
            self.open_spill().await;
        }
        let mut facts = Vec::with_capacity(BATCH);
        loop {
            let spilled = self.spilled_bytes() > 0;
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep_until(self.retry_at), if spilled => self.replay().await,
                count = self.inbox.recv_many(&mut facts, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.fill(&mut facts).await;
                    self.put(&mut facts, &cancel).await;
                }
            }
        }
        self.inbox.close();
        while self.inbox.recv_many(&mut facts, BATCH).await > 0 {
            self.put(&mut facts, &cancel).await;
        }
    }

    /// Waits a moment for more facts: one transaction for many. Nobody wakes us for each of them meanwhile.
    async fn fill(&mut self, facts: &mut Vec<Fact>) {
        if facts.len() < BATCH {
            tokio::time::sleep(WINDOW).await;
        }
        while facts.len() < BATCH
            && let Ok(fact) = self.inbox.try_recv()
        {
            facts.push(fact);
        }
    }

    /// Puts facts into the database, or else into the file, or else tries both for as long as it takes.
    async fn put(&mut self, facts: &mut Vec<Fact>, cancel: &CancellationToken) {
        let count = facts.len() as u64;
        let mut changes = Vec::with_capacity(facts.len() + 8);
        facts.iter().for_each(|fact| Change::of(fact, &mut changes));
        facts.clear();
        let mut pause = RETRY.0;
        loop {
            // What is in the file came before: it goes first.
            if self.spilled_bytes() == 0 {
                match self.write(&changes).await {
                    Ok(()) => return self.settle(count),
                    Err(error) => tracing::error!(
                        file = %self.path.display(),
                        "the database does not take the journal, which is kept in a file until it does: {error}"
                    ),
                }
            }
            if self.append(&changes).await {
                self.spilled_facts += count;
                return;
            }
            if cancel.is_cancelled() {
                let lost = self.counts.lost.fetch_add(count, Ordering::Relaxed) + count;
                tracing::error!(lost, "facts of calls are lost: neither the database nor the disk took them in time");
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    async fn write(&mut self, changes: &[Change]) -> Result<()> {
        let done = timeout(PATIENCE, self.store.write_changes(changes)).await;
        let rejected = done
            .unwrap_or_else(|_| Err(StoreError::Unavailable(format!("no answer within {} s", PATIENCE.as_secs()))))?;
        self.reject(&rejected).await;
        Ok(())
    }

    async fn reject(&mut self, rejected: &[Rejected]) {
        if rejected.is_empty() {
            return;
        }
        self.counts.rejected.fetch_add(rejected.len() as u64, Ordering::Relaxed);
        self.open_spill().await;
        let Some(spill) = &self.spill else { return };
        let file = spill.rejected_path();
        for one in rejected {
            tracing::error!(file = %file.display(), "{} is not in the journal, it is kept in a file: {}", one.subject, one.why);
        }
        if let Err(error) = spill.keep_rejected(rejected).await {
            tracing::error!(file = %file.display(), "refused facts could not be kept: {error}");
        }
    }

    /// Adds to the file; answers whether it is on the disk.
    async fn append(&mut self, changes: &[Change]) -> bool {
        self.open_spill().await;
        let Some(spill) = &mut self.spill else { return false };
        match spill.append(changes).await {
            Ok(()) => {
                self.publish_spilled();
                true
            }
            Err(error) => {
                tracing::error!(file = %self.path.display(), "the journal cannot be kept in its file either: {error}");
                false
            }
        }
    }

    async fn open_spill(&mut self) {
        if self.spill.is_none() {
            match Spill::open(&self.path).await {
                Ok(spill) => self.spill = Some(spill),
                Err(error) => tracing::error!(
                    file = %self.path.display(),
                    "the journal's file cannot be opened: {error}; check the rights of its folder"
                ),
            }
            self.publish_spilled();
        }
    }

    /// Writes the next part of the file to the database.
    async fn replay(&mut self) {
        match self.try_replay().await {
            Ok(()) => {
                self.retry_in = RETRY.0;
                if self.spilled_bytes() == 0 {
                    tracing::info!("the database is back, the journal is complete");
                    let count = std::mem::take(&mut self.spilled_facts);
                    self.settle(count);
                }
            }
            Err(error) => {
                if self.retry_in == RETRY.0 {
                    let bytes = self.spilled_bytes();
                    tracing::error!(bytes, "the journal's file does not get into the database yet: {error}");
                }
                self.retry_at = Instant::now() + self.retry_in;
                self.retry_in = (self.retry_in * 2).min(RETRY.1);
            }
        }
        self.publish_spilled();
    }

    async fn try_replay(&mut self) -> Result<(), String> {
        let Some(spill) = &self.spill else { return Ok(()) };
        let chunk = spill.next(BATCH).await.map_err(|error| error.to_string())?;
        self.write(&chunk.changes).await.map_err(|error| error.to_string())?;
        let torn: Vec<Rejected> = chunk.unreadable.iter().map(|line| torn(line)).collect();
        self.reject(&torn).await;
        let Some(spill) = &mut self.spill else { return Ok(()) };
        spill.done(&chunk).await.map_err(|error| error.to_string())
    }

    fn spilled_bytes(&self) -> u64 {
        self.spill.as_ref().map_or(0, Spill::pending)
    }

    fn publish_spilled(&self) {
        self.counts.spilled_bytes.store(self.spilled_bytes(), Ordering::Relaxed);
    }

    fn settle(&self, count: u64) {
        self.settled.send_modify(|settled| *settled += count);
    }
}

fn torn(line: &str) -> Rejected {
    Rejected {
        subject: "a line of the journal's file".to_owned(),
        change: line.to_owned(),
        why: "it was not written whole".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::ids::{CallId, NodeId};
    use crate::engine::time::Wall;

    use super::super::testing::{Line, Mode, TestStore, on_both, postgres, sqlite};
    use super::super::{Columns as _, Sql};
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn arrived(n: u64) -> Fact {
        Fact::CallArrived {
            call: CallId((1_000 + n) << 20),
            node: NodeId(0),
            channel: "c".into(),
            recording: "r".into(),
            number: "+79000000000".into(),
            dialled: "100".into(),
            by_fallback: false,
            outgoing: false,
            at: Wall(1_000),
        }
    }

    fn start(t: &TestStore) -> (JournalHandle, CancellationToken) {
        let cancel = CancellationToken::new();
        let settings = JournalSettings::new(t.folder.path().join("spill"));
        (Journal::start(t.store.clone(), settings, cancel.clone()), cancel)
    }

    async fn calls(store: &Store) -> i64 {
        let row = store.row(Sql::new("SELECT COUNT(*) AS n FROM calls")).await.unwrap().unwrap();
        row.int("n").unwrap()
    }

    #[tokio::test]
    async fn what_is_written_is_in_the_database_after_a_flush_and_after_the_end() {
        on_both(async |t| {
            let (journal, cancel) = start(&t);
            (0..1200).for_each(|n| journal.write(arrived(n)));
            assert!(journal.flush(SOON).await);
            assert_eq!((calls(&t.store).await, journal.state()), (1200, JournalState::default()));
            (1200..1300).for_each(|n| journal.write(arrived(n)));
            cancel.cancel();
            journal.finished().await;
            assert_eq!(calls(&t.store).await, 1300);
            journal.write(arrived(9999));
            assert_eq!(journal.state().lost, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn while_another_process_locks_sqlite_the_file_takes_over_and_nothing_is_lost() {
        let t = sqlite().await;
        let other = Store::open(&t.url).await.unwrap();
        let (journal, _cancel) = start(&t);
        let lock = other.begin().await.unwrap();
        (0..700).for_each(|n| journal.write(arrived(n)));
        spilled(&journal).await;
        (700..1400).for_each(|n| journal.write(arrived(n)));
        lock.commit().await.unwrap();
        assert!(journal.flush(SOON).await);
        assert_eq!((calls(&t.store).await, journal.state()), (1400, JournalState::default()));
    }

    #[tokio::test]
    async fn while_postgresql_is_gone_or_hangs_the_file_takes_over_and_nothing_is_lost() {
        for fault in [Mode::Cut, Mode::Frozen] {
            let Some(t) = postgres().await else { return };
            let line = Line::to(&t.url).await;
            let behind = TestStore { store: Store::open(&line.url).await.unwrap(), ..t };
            let (journal, _cancel) = start(&behind);
            (0..300).for_each(|n| journal.write(arrived(n)));
            assert!(journal.flush(SOON).await);
            line.set(fault);
            (300..900).for_each(|n| journal.write(arrived(n)));
            spilled(&journal).await;
            (900..1500).for_each(|n| journal.write(arrived(n)));
            line.set(Mode::Open);
            assert!(journal.flush(SOON).await, "{fault:?}: {:?}", journal.state());
            assert_eq!((calls(&behind.store).await, journal.state()), (1500, JournalState::default()), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn what_a_run_left_in_the_file_is_read_back_by_the_next() {
        let t = sqlite().await;
        let other = Store::open(&t.url).await.unwrap();
        let (journal, cancel) = start(&t);
        let lock = other.begin().await.unwrap();
        (0..100).for_each(|n| journal.write(arrived(n)));
        spilled(&journal).await;
        (100..200).for_each(|n| journal.write(arrived(n)));
        cancel.cancel();
        journal.finished().await;
        lock.commit().await.unwrap();
        assert_eq!(calls(&t.store).await, 0);
        let (journal, _cancel) = start(&t);
        journal.write(arrived(200));
        assert!(journal.flush(SOON).await);
        assert_eq!(calls(&t.store).await, 201);
    }

    #[tokio::test]
    async fn a_refused_fact_is_kept_in_a_file_and_counted() {
        on_both(async |t| {
            t.store.execute(Sql::new("CREATE UNIQUE INDEX poison ON calls (arrived_at)")).await.unwrap();
            let (journal, _cancel) = start(&t);
            (0..3).for_each(|n| journal.write(arrived(n)));
            assert!(journal.flush(SOON).await);
            assert_eq!((calls(&t.store).await, journal.state().rejected), (1, 2));
            let kept = std::fs::read_to_string(t.folder.path().join("spill.rejected")).unwrap();
            assert_eq!(kept.lines().filter(|line| line.contains("+79000000000")).count(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn without_room_a_fact_is_lost_and_counted_but_nobody_waits() {
        let t = sqlite().await;
        let settings = JournalSettings { capacity: 5, ..JournalSettings::new(t.folder.path().join("spill")) };
        let journal = Journal::start(t.store.clone(), settings, CancellationToken::new());
        // The writer has had no turn yet: this task does not wait for anything.
        (0..8).for_each(|n| journal.write(arrived(n)));
        assert_eq!((journal.state().lost, journal.state().backlog), (3, 5));
        assert!(journal.flush(SOON).await);
        assert_eq!(calls(&t.store).await, 5);
    }

    async fn spilled(journal: &JournalHandle) {
        let deadline = Instant::now() + SOON;
        while journal.state().spilled_bytes == 0 {
            assert!(Instant::now() < deadline, "the file did not take over");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
