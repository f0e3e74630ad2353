//! The list of work: which recordings are to be fetched, and when each may be tried next.
//!
//! Bounded; one entry for each recording, so that no file is in two hands at once. An Asterisk that does not answer
//! and a disk or database that does not take anything are left alone for a while as a whole, instead of being tried
//! for each recording anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::ids::{CallId, NodeId};
use crate::shell::store::pauses;
use crate::shell::store::recordings::NewRecording;

/// Recordings that may wait at once; each takes some 300 bytes.
const MOST_JOBS: usize = 50_000;
/// Workers that fetch from one Asterisk at once.
const MOST_RUNNING_ON_A_NODE: usize = 3;
/// Recordings that one worker takes in hand: they are written in the database together.
const HANDFUL: usize = 16;
/// MixMonitor closes the file a moment after the channel is gone.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

/// Longest pause of an Asterisk, the disk or the database.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Longest time between two attempts at one recording.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The n-th wait (from 0) of a row that doubles, from `first` to at most `longest`.
pub(super) fn back_off(first: Duration, n: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(n)).min(longest)
}

/// What is known of a recording's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The call has ended; `None` when the journal does not know how long the parties talked.
    Ended {
        /// Which call.
        call: CallId,
        /// Time in talks.
        talked: Option<Duration>,
        /// The channel is known to be gone.
        gone: bool,
    },
    /// Found in Asterisk; whose it is has to be found out.
    Stray,
}

/// How far a recording has got in this life of the engine.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// To be fetched.
    Fetch,
    /// In the archive; to be written in the database.
    Write(Box<NewRecording>),
    /// Written; to be removed from Asterisk.
    Remove,
}

/// One recording to be fetched.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// From which Asterisk.
    pub(super) node: NodeId,
    /// Its name there.
    pub(super) name: String,
    /// Whose it is.
    pub(super) task: Task,
    /// How far it has got.
    pub(super) stage: Stage,
    /// Fetched so many times and found absent or too short.
    pub(super) tries: u32,
    /// Failed so many times by itself.
    pub(super) failures: u32,
    /// Failed so many times because Asterisk, disk or database were away.
    trouble: u32,
    /// Looked at so many times while its call was not over.
    pub(super) looks: u32,
    /// Its channel has been gone for a while: the file does not grow any more.
    pub(super) settled: bool,
    /// A call that no journal knows has been given time to get there.
    pub(super) awaited: bool,
    /// Disk and database took it.
    pub(super) wrote: bool,
    /// Where nothing of it was kept.
    pub(super) pauses: Vec<pauses::Pause>,
}

impl Job {
    fn new(node: NodeId, name: String, task: Task) -> Job {
        let settled = matches!(task, Task::Ended { .. });
        let stage = Stage::Fetch;
        Job {
            node,
            name,
            task,
            stage,
            tries: 0,
            failures: 0,
            trouble: 0,
            looks: 0,
            settled,
            awaited: false,
            wrote: false,
            pauses: Vec::new(),
        }
    }

    /// More has become known. A channel that came back from the fallback dialplan is a second call with the same
    /// recording: it belongs to the last one that talked, and holds all talks.
    fn learn(&mut self, task: Task) {
        let (Task::Ended { call, talked, gone }, known) = (task, &mut self.task) else { return };
        match known {
            Task::Stray => *known = task,
            Task::Ended { call: known_call, talked: known_talked, gone: known_gone } => {
                *known_gone |= gone;
                let both = talked.zip(*known_talked);
                if *known_call == call {
                    *known_talked = talked.max(*known_talked);
                } else {
                    if talked != Some(Duration::ZERO) {
                        *known_call = call;
                    }
                    *known_talked = both.map(|(a, b)| a + b);
                }
            }
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Nothing more to do.
    Done,
    /// Not yet: look again after this time. No fault.
    Later(Duration),
    /// The Asterisk is not there.
    NodeAway(String),
    /// Disk or database take nothing now.
    StorageAway(String),
    /// This one recording failed.
    Failed(String),
}

/// What a worker is to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Look through an Asterisk's recordings; these are in use.
    Sweep(NodeId, BTreeSet<String>),
    /// Fetch recordings, all of one Asterisk; never none.
    Run(Vec<Job>),
    /// Nothing before this moment, unless something is added.
    Wait(Option<Instant>),
}

/// Left alone for a while.
#[derive(Debug, Default)]
struct Pause {
    failures: u32,
    until: Option<Instant>,
}

impl Pause {
    fn over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// True when this is the first failure after a success.
    fn failed(&mut self, now: Instant) -> bool {
        // Several workers meet the same failure at once; it counts once.
        if !self.over(now) {
            return false;
        }
        self.until = Some(now + back_off(Duration::from_secs(1), self.failures, LONGEST_PAUSE));
        self.failures = self.failures.saturating_add(1);
        self.failures == 1
    }

    fn worked(&mut self) {
        *self = Pause::default();
    }
}

#[derive(Debug, Default)]
struct Lane {
    pause: Pause,
    running: usize,
    sweep: Option<(Instant, BTreeSet<String>)>,
    failed_sweeps: u32,
    /// A recording found no room: look through this Asterisk again when there is.
    overflowed: bool,
    due: BTreeSet<(Instant, String)>,
}

#[derive(Debug)]
enum Slot {
    Waiting { job: Job, due: Instant },
    Running { learned: Vec<Task> },
}

/// The list.
#[derive(Debug)]
pub(super) struct Board {
    /// Room.
    most: usize,
    lanes: BTreeMap<NodeId, Lane>,
    jobs: BTreeMap<(NodeId, String), Slot>,
    storage: Pause,
    last_lane: NodeId,
    /// When the last worker who found nothing to do looks again by itself.
    looks_again: Option<Instant>,
}

impl Default for Board {
    fn default() -> Self {
        Board::with_room(MOST_JOBS)
    }
}

impl Board {
    /// An empty list with room for so many recordings.
    pub(super) fn with_room(most: usize) -> Board {
        let (lanes, jobs) = (BTreeMap::new(), BTreeMap::new());
        Board { most, lanes, jobs, storage: Pause::default(), last_lane: NodeId::default(), looks_again: None }
    }

    /// How many recordings wait or are in hand.
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Adds a recording, or what is newly known of one that is there. False when there is no room.
    pub(super) fn add(&mut self, node: NodeId, name: &str, task: Task, due: Instant) -> bool {
        let key = (node, name.to_owned());
        let full = self.jobs.len() >= self.most;
        let lane = self.lanes.entry(node).or_default();
        match self.jobs.get_mut(&key) {
            Some(Slot::Running { learned }) => {
                if task != Task::Stray && !learned.contains(&task) {
                    learned.push(task);
                }
            }
            Some(Slot::Waiting { job, due: planned }) => {
                job.learn(task);
                if due < *planned && task != Task::Stray {
                    lane.due.remove(&(*planned, key.1.clone()));
                    lane.due.insert((due, key.1));
                    *planned = due;
                }
            }
            None if full => {
                lane.overflowed = true;
                return false;
            }
            None => {
                lane.due.insert((due, key.1.clone()));
                let job = Job::new(node, key.1.clone(), task);
                self.jobs.insert(key, Slot::Waiting { job, due });
            }
        }
        true
    }

    /// Whether somebody must be woken for what is due then: nobody looks at the list by itself until that moment.
    pub(super) fn is_slept_over(&self, due: Instant) -> bool {
        self.looks_again.is_none_or(|at| due < at)
    }

    /// Asks for a look through an Asterisk's recordings; a later wish replaces an earlier one.
    pub(super) fn sweep(&mut self, node: NodeId, keep: BTreeSet<String>, due: Instant) {
        self.lanes.entry(node).or_default().sweep = Some((due, keep));
    }

    /// The Asterisk is there again, says the one who connected to it.
    pub(super) fn node_is_back(&mut self, node: NodeId) {
        self.lanes.entry(node).or_default().pause.worked();
    }

    /// What to do next. The Asterisks take turns.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let next = self.take_next(now);
        self.looks_again = match next {
            Next::Wait(until) => until,
            Next::Sweep(..) | Next::Run(_) => None,
        };
        next
    }

    fn take_next(&mut self, now: Instant) -> Next {
        if !self.storage.over(now) {
            return Next::Wait(self.storage.until);
        }
        let room = self.jobs.len() < self.most / 2;
        // One is enough to find out that disk and database still take nothing.
        let most_at_once = if self.storage.failures > 0 { 1 } else { HANDFUL };
        let mut soonest: Option<Instant> = None;
        let after = self.lanes.range((std::ops::Bound::Excluded(self.last_lane), std::ops::Bound::Unbounded));
        let order: Vec<NodeId> = after.chain(self.lanes.range(..=self.last_lane)).map(|(node, _)| *node).collect();
        for node in order {
            let Some(lane) = self.lanes.get_mut(&node) else { continue };
            if lane.running >= MOST_RUNNING_ON_A_NODE {
                continue;
            }
            if !lane.pause.over(now) {
                soonest = soonest.into_iter().chain(lane.pause.until).min();
                continue;
            }
            if lane.overflowed && room {
                lane.overflowed = false;
                lane.sweep.get_or_insert((now, BTreeSet::new()));
            }
            if let Some((due, keep)) = lane.sweep.take() {
                if due <= now {
                    lane.running += 1;
                    self.last_lane = node;
                    return Next::Sweep(node, keep);
                }
                lane.sweep = Some((due, keep));
                soonest = soonest.into_iter().chain([due]).min();
            }
            let mut handful = Vec::new();
            while handful.len() < most_at_once
                && lane.due.first().is_some_and(|(due, _)| *due <= now)
                && let Some((_, name)) = lane.due.pop_first()
            {
                let slot = self.jobs.insert((node, name), Slot::Running { learned: Vec::new() });
                if let Some(Slot::Waiting { job, .. }) = slot {
                    handful.push(job);
                }
            }
            if !handful.is_empty() {
                lane.running += 1;
                self.last_lane = node;
                return Next::Run(handful);
            }
            soonest = soonest.into_iter().chain(lane.due.first().map(|(due, _)| *due)).min();
        }
        Next::Wait(soonest)
    }

    /// A sweep has ended.
    pub(super) fn swept(&mut self, node: NodeId, keep: BTreeSet<String>, outcome: &Outcome, now: Instant) -> bool {
        self.let_go(node);
        let lane = self.lanes.entry(node).or_default();
        if matches!(outcome, Outcome::Done) {
            lane.failed_sweeps = 0;
        } else {
            // Again, unless a later wish has come.
            let due = now + back_off(Duration::from_secs(1), lane.failed_sweeps, LONGEST_PAUSE);
            lane.failed_sweeps = lane.failed_sweeps.saturating_add(1);
            lane.sweep.get_or_insert((due, keep));
        }
        self.pause(node, outcome, now)
    }

    /// A worker has let go of what it had in hand from this Asterisk.
    pub(super) fn let_go(&mut self, node: NodeId) {
        let lane = self.lanes.entry(node).or_default();
        lane.running = lane.running.saturating_sub(1);
    }

    /// A recording's attempt has ended. Returns whether this is the first sign of trouble with the Asterisk or with
    /// disk and database, to be told at once and loudly.
    pub(super) fn finished(&mut self, mut job: Job, outcome: &Outcome, now: Instant) -> bool {
        let key = (job.node, job.name.clone());
        let learned = match self.jobs.remove(&key) {
            Some(Slot::Running { learned }) => learned,
            Some(Slot::Waiting { .. }) | None => Vec::new(),
        };
        let lane = self.lanes.entry(job.node).or_default();
        let wait = match outcome {
            Outcome::Done if learned.is_empty() => None,
            Outcome::Done => {
                // What was learned meanwhile may be of another call on the same channel: look at it afresh.
                job = Job::new(job.node, std::mem::take(&mut job.name), Task::Stray);
                Some(SETTLE)
            }
            Outcome::Later(wait) => Some(*wait),
            Outcome::NodeAway(_) | Outcome::StorageAway(_) => {
                let wait = back_off(Duration::from_secs(1), job.trouble, LONGEST_PAUSE);
                job.trouble = job.trouble.saturating_add(1);
                Some(wait)
            }
            Outcome::Failed(_) => {
                let wait = back_off(Duration::from_secs(1), job.failures, LONGEST_WAIT);
                job.failures = job.failures.saturating_add(1);
                Some(wait)
            }
        };
        if job.wrote {
            self.storage.worked();
        }
        let node = job.node;
        if let Some(wait) = wait {
            learned.into_iter().for_each(|task| job.learn(task));
            lane.due.insert((now + wait, key.1.clone()));
            self.jobs.insert(key, Slot::Waiting { due: now + wait, job });
        }
        self.pause(node, outcome, now)
    }

    fn pause(&mut self, node: NodeId, outcome: &Outcome, now: Instant) -> bool {
        let lane = self.lanes.entry(node).or_default();
        match outcome {
            // Says nothing of disk and database.
            Outcome::Done | Outcome::Failed(_) | Outcome::Later(_) => {
                lane.pause.worked();
                false
            }
            Outcome::NodeAway(_) => lane.pause.failed(now),
            Outcome::StorageAway(_) => {
                lane.pause.worked();
                self.storage.failed(now)
            }
        }
    }
}
