//! One recording's way: whose it is, fetched, checked, stored, written in the database, removed from Asterisk.
//!
//! Every step may be the last one before a kill. What was done is found again by the next attempt or the next sweep:
//! a begun file is thrown away, a stored file is recognised as the same, a row is written over, and only what is
//! stored and written is removed from Asterisk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::DateTime;
use tracing::{error, info, warn};

use super::board::{Job, Outcome, SETTLE, Stage, Task, back_off};
use super::bring::in_time;
use super::contained;
use super::file::{FileError, Written};
use super::ledger::{Ledger, LedgerError};
use super::name::{self, Name};
use super::place::{Placed, ToPlace, place_all};
use super::source::{Source, SourceError};
use super::stats::ArchiveStats;
use super::vault::Vault;
use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::store::calls::FallbackCall;
use crate::shell::store::recordings::{NewRecording, RecordingState as State};
use crate::speech::wav::{Fault, Report};

/// So many times a recording that is absent or too short is fetched before that is believed: 7.5 s in all.
const TRIES: u32 = 5;
/// Between the first two of them.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// A call that the journal does not know, or holds for open, is given so long to get there.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at a channel that lives.
const LONGEST_LOOK: Duration = Duration::from_secs(30);
/// After so many failures (4 minutes) the failure is written in the database; the attempts go on.
const FAILURES_UNTIL_REPORTED: u32 = 8;
/// Removing a handful of files takes at most so long.
const REMOVAL: Duration = Duration::from_secs(10);
/// Of a call that never talked, so much silence is thrown away and no more.
const WORTHLESS: Duration = Duration::from_secs(1);
/// A talk in which nobody can have said a word: one side hung up in the moment of the answer, and of one or both sides
/// no packet may have come at all.
pub(super) const WORDLESS: Duration = Duration::from_millis(250);

/// What is needed to work.
pub(super) struct Collector<S, L> {
    pub(super) nodes: Vec<S>,
    pub(super) ledger: L,
    pub(super) vault: Vault,
    pub(super) stats: Arc<ArchiveStats>,
    pub(super) files: AtomicU64,
}

/// How far an attempt at a recording has got.
struct Tried {
    job: Job,
    outcome: Outcome,
    /// Fetched and judged.
    file: Option<ToPlace>,
    /// Nothing of it is in Asterisk any more.
    removed: bool,
}

/// What becomes of a recording that was looked at.
enum Kept {
    /// The next stage.
    Stage(Stage),
    /// It is to be stored first.
    File(Box<ToPlace>),
}

/// Whose a recording is.
enum Owner {
    Call {
        call: CallId,
        talked: Option<Duration>,
    },
    /// The fallback dialplan served the caller while no engine was there.
    Nobody(FallbackCall),
}

impl<S: Source, L: Ledger> Collector<S, L> {
    /// Tries to bring recordings of one Asterisk to their end.
    pub(super) async fn attempt(&self, jobs: Vec<Job>) -> Vec<(Job, Outcome)> {
        let mut tried = Vec::with_capacity(jobs.len());
        let mut away = false;
        for mut job in jobs {
            let mut file = None;
            let outcome = match away {
                // The others need not find out each for itself.
                true => Outcome::Later(Duration::ZERO),
                false => contained(ended(self.fetch_and_keep(&mut job, &mut file))).await,
            };
            away |= matches!(outcome, Outcome::NodeAway(_) | Outcome::StorageAway(_));
            tried.push(Tried { job, outcome, file, removed: false });
        }
        contained(async {
            self.place(&mut tried).await;
            self.write(&mut tried).await;
            self.remove(&mut tried).await;
            Outcome::Done
        })
        .await;
        for Tried { job, outcome, removed, .. } in &mut tried {
            if matches!(outcome, Outcome::Done) && !*removed {
                let missed = if matches!(job.stage, Stage::Remove) { "removed" } else { "written" };
                *outcome = Outcome::Failed(format!("it was not {missed}"));
            }
            if let Outcome::Failed(why) = &outcome {
                // A recording that a sweep found tells its call by its name alone.
                let call = if let Task::Ended { call, .. } = &job.task { call.to_string() } else { String::new() };
                warn!(call, recording = job.name, attempts = job.failures + 1, "archiving a recording failed: {why}");
                if job.failures + 1 == FAILURES_UNTIL_REPORTED {
                    self.report_failure(job, why).await;
                }
            }
        }
        tried.into_iter().map(|tried| (tried.job, tried.outcome)).collect()
    }

    fn source(&self, node: NodeId) -> Result<&S, Outcome> {
        let source = self.nodes.get(usize::from(node.0));
        source.ok_or_else(|| Outcome::Failed(format!("there is no Asterisk number {}", node.0)))
    }

    async fn fetch_and_keep(&self, job: &mut Job, file: &mut Option<ToPlace>) -> Result<(), Outcome> {
        let source = self.source(job.node)?;
        if matches!(job.stage, Stage::Fetch) {
            job.stage = if self.was_erased(job).await? {
                Stage::Remove
            } else {
                let owner = self.owner(job, source).await?;
                let kept = match self.fetch(job, source).await? {
                    Some(written) => self.keep(job, owner, written).await?,
                    None => Kept::Stage(self.absent(job, owner).await?),
                };
                match kept {
                    Kept::Stage(stage) => stage,
                    Kept::File(to_place) => {
                        *file = Some(*to_place);
                        return Ok(());
                    }
                }
            };
        }
        Ok(())
    }

    /// Moves the files of this handful to their places, all together.
    async fn place(&self, tried: &mut [Tried]) {
        let (ones, files): (Vec<&mut Tried>, Vec<ToPlace>) =
            tried.iter_mut().filter_map(|one| one.file.take().map(|file| (one, file))).unzip();
        if files.is_empty() {
            return;
        }
        let vault = self.vault.clone();
        match tokio::task::spawn_blocking(move || place_all(&vault, files)).await {
            Ok(placed) => {
                for (one, placed) in ones.into_iter().zip(placed) {
                    match placed {
                        Placed::There(entry) => one.job.stage = Stage::Write(entry),
                        Placed::Better => one.job.stage = Stage::Remove,
                        Placed::Refused(error) => one.outcome = error.into(),
                        Placed::NotTried => one.outcome = Outcome::Later(Duration::ZERO),
                    }
                }
            }
            Err(error) => {
                for one in ones {
                    one.outcome = Outcome::Failed(format!("storing the file failed: {error}"));
                }
            }
        }
    }

    /// Writes what became of recordings in the database: all together, and where it does not take them so, each alone.
    async fn write(&self, tried: &mut [Tried]) {
        let to_write = |tried: &Tried| match (&tried.job.stage, &tried.outcome) {
            (Stage::Write(entry), Outcome::Done) => Some((**entry).clone()),
            (Stage::Fetch | Stage::Write(_) | Stage::Remove, _) => None,
        };
        let entries: Vec<NewRecording> = tried.iter().filter_map(to_write).collect();
        if entries.is_empty() {
            return;
        }
        let all = self.ledger.save(&entries).await;
        for one in tried {
            let Some(entry) = to_write(one) else { continue };
            let saved = match &all {
                Err(LedgerError::Refused(_)) if entries.len() > 1 => {
                    self.ledger.save(std::slice::from_ref(&entry)).await
                }
                all => all.clone(),
            };
            match saved {
                Ok(()) => {
                    self.tell(&entry);
                    one.job.wrote = true;
                    one.job.stage = Stage::Remove;
                }
                Err(error) => one.outcome = error.into(),
            }
        }
    }

    /// Removes from Asterisk what is kept elsewhere or not at all.
    async fn remove(&self, tried: &mut [Tried]) {
        let mut over: Vec<&mut Tried> = tried
            .iter_mut()
            .filter(|one| matches!((&one.job.stage, &one.outcome), (Stage::Remove, Outcome::Done)))
            .collect();
        let Some(node) = over.first().map(|one| one.job.node) else { return };
        let source = match self.source(node) {
            Ok(source) => source,
            Err(why) => return over.iter_mut().for_each(|one| one.outcome = why.clone()),
        };
        if let Some(folder) = source.folder() {
            let names: Vec<String> = over.iter().map(|one| one.job.name.clone()).collect();
            let removing = move || names.iter().map(|name| folder.remove(name).is_ok()).collect();
            // Where that does not come to its end, ARI does it.
            let removed: Vec<bool> = in_time(REMOVAL, removing).await.unwrap_or_default();
            over.iter_mut().zip(removed).for_each(|(one, removed)| one.removed = removed);
        }
        // What does not lie in the folder, or may not be removed there.
        for one in over.into_iter().filter(|one| !one.removed) {
            match contained(ended(async { Ok(source.delete(&one.job.name).await?) })).await {
                Outcome::Done => one.removed = true,
                failed => one.outcome = failed,
            }
        }
    }

    /// Left behind in Asterisk when the caller was erased. Nobody is erased while a talk is not archived, so that one
    /// that ended just now need not be asked for.
    async fn was_erased(&self, job: &Job) -> Result<bool, Outcome> {
        if matches!(job.task, Task::Ended { gone: true, .. }) {
            return Ok(false);
        }
        let entry = self.ledger.entry(job.node, &job.name).await?;
        Ok(entry.is_some_and(|entry| entry.state == State::Erased))
    }

    /// Finds out whose the recording is, and waits while it may still grow.
    async fn owner(&self, job: &mut Job, source: &S) -> Result<Owner, Outcome> {
        let name = Name::parse(&job.name);
        if !matches!(job.task, Task::Ended { gone: true, .. })
            && let Some(name) = &name
            && source.is_alive(name.channel).await?
        {
            // The caller is on the line: with the fallback dialplan, or the engine has not seen the end yet.
            let wait = back_off(SETTLE / 2, job.looks, LONGEST_LOOK);
            job.looks = job.looks.saturating_add(1);
            job.settled = false;
            return Err(Outcome::Later(wait));
        }
        if !job.settled {
            job.settled = true;
            return Err(Outcome::Later(SETTLE));
        }
        if let Task::Ended { call, talked, .. } = job.task {
            return Ok(Owner::Call { call, talked });
        }
        match (self.ledger.call_of(job.node, &job.name).await?, name) {
            (Some(known), _) if known.ended => Ok(Owner::Call { call: known.call, talked: known.talked }),
            // What ended just now may be on its way to the journal.
            _ if !self.ledger.caught_up().await => Err(Outcome::Later(GRACE)),
            _ if !job.awaited => {
                // Nor has the engine said everything at the moment at which a channel ends.
                job.awaited = true;
                Err(Outcome::Later(GRACE))
            }
            (Some(known), _) => Ok(Owner::Call { call: known.call, talked: None }),
            (None, Some(name)) => Ok(Owner::Nobody(FallbackCall {
                node: job.node,
                recording: job.name.clone(),
                number: name.number,
                dialled: String::new(),
                arrived: name.made,
                ended: name.made,
                talked: Duration::ZERO,
            })),
            (None, None) => Err(Outcome::Failed("its name tells nothing and no call has it".to_owned())),
        }
    }

    /// Asterisk has no such file.
    async fn absent(&self, job: &mut Job, owner: Owner) -> Result<Stage, Outcome> {
        let Owner::Call { call, talked: Some(talked) } = owner else { return Ok(Stage::Remove) };
        if talked < WORDLESS {
            self.stats.nothing_to_keep();
            return Ok(Stage::Remove);
        }
        let written = self.ledger.entry(job.node, &job.name).await?;
        if written.is_some_and(|entry| entry.file.is_some()) {
            // Archived and removed before a restart.
            return Ok(Stage::Remove);
        }
        try_again(job)?;
        let problem = format!("Asterisk has no recording of a talk of {:.1} s", talked.as_secs_f64());
        Ok(write(job, call, State::Missing, problem))
    }

    /// Decides what a fetched recording is, and whether it is to be stored.
    async fn keep(&self, job: &mut Job, owner: Owner, written: Written) -> Result<Kept, Outcome> {
        let report = written.report.clone();
        let found = report.duration();
        let (call, expected) = match owner {
            Owner::Call { call, talked } => (call, talked),
            Owner::Nobody(mut unseen) => {
                unseen.talked = found;
                // How long the caller waited before the talk is not known.
                unseen.ended = Wall(unseen.arrived.0.saturating_add(i64::try_from(found.as_millis()).unwrap_or(0)));
                let call = self.ledger.add_fallback_call(&unseen).await?;
                self.stats.fallback_call();
                warn!(%call, talked = found.as_secs_f64(), "a call came while no engine was there");
                (call, None)
            }
        };
        let worthless = match expected {
            None => report.frames == 0,
            Some(talked) if talked.is_zero() => report.frames == 0 || report.is_silent() && found < WORTHLESS,
            Some(talked) => talked < WORDLESS && report.frames == 0,
        };
        if worthless {
            self.stats.nothing_to_keep();
            return Ok(Kept::Stage(Stage::Remove));
        }
        let (state, problem) = match expected {
            Some(talked) if !talked.is_zero() && talked < WORDLESS => (State::Stored, String::new()),
            _ => judge(&report, expected.filter(|talked| !talked.is_zero())),
        };
        let unkept: Duration = job.pauses.iter().map(|pause| pause.to.saturating_sub(pause.from)).sum();
        let (state, problem) = match state {
            // Nothing else is to be expected.
            State::Silent if unkept * 2 > found => (State::Stored, String::new()),
            _ => (state, problem),
        };
        if matches!(state, State::Short | State::Missing) {
            // Asterisk may not have closed the file yet.
            try_again(job)?;
        }
        if report.frames == 0 {
            return Ok(Kept::Stage(write(job, call, State::Missing, problem)));
        }
        // Whose channel ended just now, in this life of the engine, was not archived before.
        let before = match job.task {
            Task::Ended { gone: true, .. } if job.failures == 0 => None,
            Task::Ended { .. } | Task::Stray => {
                self.ledger.entry(job.node, &job.name).await?.and_then(|entry| entry.file)
            }
        };
        let entry = entry(job, call, state, problem);
        Ok(Kept::File(Box::new(ToPlace { written, stem: path_stem(call), before, entry })))
    }

    /// Tells people what became of a recording.
    fn tell(&self, entry: &NewRecording) {
        self.stats.finished(entry.state);
        let NewRecording { call, node, name, state, problem, pauses: _, file, at: _ } = entry;
        let path = file.as_ref().map_or("", |file| file.path.as_str());
        match state {
            State::Stored => info!(%call, path, "recording archived"),
            // Decided by the office, and told there.
            State::Erased => {}
            State::Silent | State::Short => {
                warn!(%call, path, state = state.as_str(), "recording archived, but {problem}")
            }
            State::Missing | State::Failed => {
                error!(%call, node = node.0, recording = name, state = state.as_str(), "no recording of the call: {problem}");
            }
        }
    }

    /// Writes in the database that a recording cannot be archived, so that it is seen. Nothing is removed.
    async fn report_failure(&self, job: &Job, why: &str) {
        let Task::Ended { call, .. } = job.task else {
            error!(
                recording = job.name,
                "a recording of no known call cannot be archived, it stays in Asterisk: {why}"
            );
            return;
        };
        // The row is for people to see. What is written already, or cannot be written, is no worse off without.
        if matches!(job.stage, Stage::Fetch) && matches!(self.ledger.entry(job.node, &job.name).await, Ok(None)) {
            let entry = entry(job, call, State::Failed, why.to_owned());
            if let Err(error) = self.ledger.save(std::slice::from_ref(&entry)).await {
                error!(%call, "that the recording cannot be archived ({why}) cannot be written either: {error}");
            } else {
                self.tell(&entry);
            }
        }
    }
}

async fn ended(attempt: impl Future<Output = Result<(), Outcome>>) -> Outcome {
    attempt.await.err().unwrap_or(Outcome::Done)
}

/// What is to be written, without a file.
fn entry(job: &Job, call: CallId, state: State, problem: String) -> NewRecording {
    let (name, pauses) = (job.name.clone(), job.pauses.clone());
    NewRecording { call, node: job.node, name, state, problem, pauses, file: None, at: clock::wall() }
}

/// The stage in which this is written.
fn write(job: &Job, call: CallId, state: State, problem: String) -> Stage {
    Stage::Write(Box::new(entry(job, call, state, problem)))
}

/// Puts the job off until it has been tried often enough.
fn try_again(job: &mut Job) -> Result<(), Outcome> {
    job.tries += 1;
    if job.tries < TRIES {
        return Err(Outcome::Later(back_off(FIRST_RETRY, job.tries - 1, GRACE)));
    }
    Ok(())
}

/// The state of a recording, and what is wrong with it in words. A recording that is short *and* silent counts as
/// short: sound is lost.
fn judge(report: &Report, expected: Option<Duration>) -> (State, String) {
    let faults = report.faults(expected);
    let has = |fault: fn(&Fault) -> bool| faults.iter().any(fault);
    let state = if has(|fault| matches!(fault, Fault::Empty)) {
        State::Missing
    } else if has(|fault| matches!(fault, Fault::Short { .. })) {
        State::Short
    } else if has(|fault| matches!(fault, Fault::Silent(_))) {
        State::Silent
    } else {
        State::Stored
    };
    (state, faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// `YYYY/MM/DD/<call>`: the day on which the call arrived, in UTC, so that the place of a file follows from the call
/// alone, whenever and wherever it is fetched.
fn path_stem(call: CallId) -> String {
    let day = DateTime::from_timestamp_millis(name::moment(call).0).unwrap_or_default();
    PathBuf::from(day.format("%Y/%m/%d").to_string()).join(call.to_string()).display().to_string()
}

impl From<SourceError> for Outcome {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Away(why) => Outcome::NodeAway(why),
            SourceError::NotFound | SourceError::Failed(_) => Outcome::Failed(error.to_string()),
        }
    }
}

impl From<LedgerError> for Outcome {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Away(why) => Outcome::StorageAway(why),
            LedgerError::Refused(_) => Outcome::Failed(error.to_string()),
        }
    }
}

impl From<FileError> for Outcome {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { .. } | FileError::Bucket { .. } => Outcome::StorageAway(error.to_string()),
            FileError::Sound(_) | FileError::Interrupted | FileError::Unreadable(_) => {
                Outcome::Failed(error.to_string())
            }
        }
    }
}
