//! What the archive has done, for the metrics.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::ArchiveHandle;

use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::store::recording_checks::RecordingCheck;
use crate::shell::store::recordings::RecordingState as State;

/// Counters since the start. Read them with `snapshot`.
#[derive(Debug, Default)]
pub struct ArchiveStats {
    stored: AtomicU64,
    silent: AtomicU64,
    short: AtomicU64,
    missing: AtomicU64,
    failed: AtomicU64,
    nothing: AtomicU64,
    fallback_calls: AtomicU64,
    retries: AtomicU64,
    overflowed: AtomicU64,
    bytes: AtomicU64,
    backlog: AtomicU64,
    gaps: AtomicU64,
    check: Mutex<Option<RecordingCheck>>,
    trouble: Mutex<Option<(Wall, String)>>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Archived whole.
    pub stored: u64,
    /// Archived with a channel that carries no voice.
    pub silent: u64,
    /// Archived, shorter than the talk.
    pub short: u64,
    /// Not to be found in Asterisk.
    pub missing: u64,
    /// Could not be archived after many attempts; still tried.
    pub failed: u64,
    /// Calls that never talked: nothing to keep.
    pub nothing: u64,
    /// Calls entered in the journal that no engine had seen.
    pub fallback_calls: u64,
    /// Attempts that came to nothing and were put off.
    pub retries: u64,
    /// Recordings that found no room in the list of work; the next sweep finds them.
    pub overflowed: u64,
    /// Bytes of files written.
    pub bytes: u64,
    /// Recordings in hand or waiting, at this moment.
    pub backlog: u64,
}

impl ArchiveStats {
    pub(super) fn finished(&self, state: State) {
        let counter = match state {
            State::Stored => &self.stored,
            State::Silent => &self.silent,
            State::Short => &self.short,
            State::Missing => &self.missing,
            State::Failed => &self.failed,
            // No end of the archive's own work.
            State::Erased => return,
        };
        add(counter, 1);
    }

    pub(super) fn nothing_to_keep(&self) {
        add(&self.nothing, 1);
    }

    pub(super) fn fallback_call(&self) {
        add(&self.fallback_calls, 1);
    }

    pub(super) fn retried(&self) {
        add(&self.retries, 1);
    }

    pub(super) fn overflowed(&self) {
        add(&self.overflowed, 1);
    }

    pub(super) fn wrote(&self, bytes: u64) {
        add(&self.bytes, bytes);
    }

    /// So many recordings wait.
    pub(super) fn waiting(&self, backlog: usize) {
        self.backlog.store(u64::try_from(backlog).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Disk, bucket or database take nothing.
    pub(super) fn storage_failed(&self, why: &str) {
        let mut trouble = locked(&self.trouble);
        let since = trouble.as_ref().map_or_else(clock::wall, |(since, _)| *since);
        *trouble = Some((since, why.to_owned()));
    }

    /// Something was stored.
    pub(super) fn storage_worked(&self) {
        *locked(&self.trouble) = None;
    }

    /// Since when nothing can be archived, and why; `None` when it can.
    #[must_use]
    pub fn trouble(&self) -> Option<(Wall, String)> {
        locked(&self.trouble).clone()
    }

    /// Recordings in hand or waiting, at this moment.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        read(&self.backlog)
    }

    /// So many talks are without a whole recording.
    pub(super) fn gaps(&self, gaps: u64) {
        self.gaps.store(gaps, Ordering::Relaxed);
    }

    /// What the last look through the archive has found.
    pub(super) fn checked(&self, check: Option<RecordingCheck>) {
        *locked(&self.check) = check;
    }

    /// What the last look through the archive has found, in this life of the engine or before.
    #[must_use]
    pub fn last_check(&self) -> Option<RecordingCheck> {
        *locked(&self.check)
    }

    pub(super) fn snapshot(&self) -> Counts {
        Counts {
            stored: read(&self.stored),
            silent: read(&self.silent),
            short: read(&self.short),
            missing: read(&self.missing),
            failed: read(&self.failed),
            nothing: read(&self.nothing),
            fallback_calls: read(&self.fallback_calls),
            retries: read(&self.retries),
            overflowed: read(&self.overflowed),
            bytes: read(&self.bytes),
            backlog: read(&self.backlog),
        }
    }
}

impl ArchiveHandle {
    /// Adds the archive's numbers to those that Prometheus reads.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Scrape(self.clone())));
    }
}

struct Scrape(ArchiveHandle);

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scrape").field(&self.0.counts()).finish()
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.0.counts();
        let states = [
            (State::Stored, counts.stored),
            (State::Silent, counts.silent),
            (State::Short, counts.short),
            (State::Missing, counts.missing),
            (State::Failed, counts.failed),
        ];
        let help = "Recordings of talks, by what became of them";
        let mut family = encoder.encode_descriptor("recordings", help, None, MetricType::Counter)?;
        for (state, count) in states {
            let labels = [("state", state.as_str())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        let counters = [
            ("recordings_bytes", "Bytes of recordings written", counts.bytes),
            ("recordings_retries", "Attempts to archive a recording that failed", counts.retries),
            ("recordings_overflowed", "Recordings put off because too many wait", counts.overflowed),
            (
                "recordings_fallback_calls",
                "Calls that no engine had seen, found by their recording",
                counts.fallback_calls,
            ),
        ];
        for (name, help, count) in counters {
            ConstCounter::new(count).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let stats = &self.0.shared.stats;
        let check = stats.last_check();
        let gauges = [
            ("recordings_backlog", "Recordings that wait to be archived, at this moment", counts.backlog),
            ("recordings_gaps", "Talks of the last seven days without a whole recording", read(&stats.gaps)),
            (
                "recordings_storage_failing",
                "1 while recordings cannot be archived and wait in Asterisk",
                u64::from(stats.trouble().is_some()),
            ),
            (
                "recordings_damaged",
                "Files that the last check of the archive found damaged",
                check.map_or(0, |c| c.bad()),
            ),
            (
                "recordings_checked_at_seconds",
                "When the last check of the archive ended, in seconds since 1970; 0 before the first",
                check.map_or(0, |c| u64::try_from(c.ended.0 / 1000).unwrap_or(0)),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // Only ever replaced as a whole: a panic leaves the old value.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
