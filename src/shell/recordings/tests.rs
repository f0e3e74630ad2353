//! The archive against an Asterisk and a database that fail in every way. Time is the tests' own.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::ledger::{JournalCall, LedgerError};
use super::source::SourceError;
use super::testing::{FakeAsterisk, FakeDatabase, Fault, talk};
use super::*;
use crate::shell::store::pauses::CallPauses;
use crate::shell::store::recordings::RecordingState as State;
use crate::speech::wav::Sound;

const NODE: NodeId = NodeId(0);
const NAME: &str = "perezvon/c27/pz-1795293198.27_79001234567";
const CHANNEL: &str = "pz-1795293198.27";
/// 2026-11-21.
const CALL: CallId = CallId(1_795_293_198_123 << 20);
const PATH: &str = "2026/11/21/1a1ffd0372b00000.wav";

struct Setup {
    asterisk: FakeAsterisk,
    database: FakeDatabase,
    folder: tempfile::TempDir,
    cancel: CancellationToken,
}

impl Setup {
    fn new() -> Setup {
        Setup {
            asterisk: FakeAsterisk::default(),
            database: FakeDatabase::default(),
            folder: tempfile::tempdir().unwrap(),
            cancel: CancellationToken::new(),
        }
    }

    fn start(&mut self) -> ArchiveHandle {
        self.start_with(Board::default())
    }

    fn start_with(&mut self, board: Board) -> ArchiveHandle {
        self.cancel = CancellationToken::new();
        let vault = Vault::plain(self.folder.path());
        let nodes = vec![self.asterisk.clone()];
        Archive::with_board(vault, nodes, self.database.clone(), self.cancel.clone(), board)
    }

    /// As `kill -9` would: whatever is in hand ends where it is.
    async fn kill(&self, archive: ArchiveHandle) {
        self.cancel.cancel();
        archive.stopped().await;
    }

    /// From now on the engine sees a folder of Asterisk's.
    fn spool(&self) -> tempfile::TempDir {
        let spool = tempfile::tempdir().unwrap();
        self.asterisk.lock().folder = Some(Folder::new(spool.path().to_owned()));
        spool
    }

    fn state(&self) -> Option<State> {
        self.database.lock().entries.get(&(NODE, NAME.to_owned())).map(|entry| entry.state)
    }

    fn sound(&self, path: &str) -> Sound {
        Sound::read(&std::fs::read(self.folder.path().join(path)).unwrap()).unwrap()
    }

    fn begun_files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("incoming")).unwrap().count()
    }
}

/// Waits until it is so; half an hour of the test's time at most.
async fn until(mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1800), waiting).await.expect("it did not happen");
}

/// The same where a thread for blocking work is waiting, which makes the test's time stand still.
async fn soon(mut so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(std::time::Instant::now() < deadline, "it did not happen");
        tokio::task::yield_now().await;
    }
}

/// What is wrong with each recording of the archive.
async fn verified(setup: &Setup) -> Vec<Option<String>> {
    let mut verification = Verification::new(setup.database.clone(), Vault::plain(setup.folder.path()));
    let mut problems = Vec::new();
    while let Some(checked) = verification.next().await.unwrap() {
        problems.push(checked.problem.map(|problem| problem.to_string()));
    }
    problems
}

async fn idle(archive: &ArchiveHandle) {
    until(|| archive.counts().backlog == 0).await;
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn talks_that_end_together_are_written_together_and_one_that_is_refused_does_not_keep_the_others_out() {
    let mut setup = Setup::new();
    let names = [NAME.to_owned(), NAME.replace('7', "8"), NAME.replace('7', "9")];
    let calls = [CALL, CallId(CALL.0 + 1), CallId(CALL.0 + 2)];
    names.iter().for_each(|name| setup.asterisk.put(name, talk(1_000, 9_000, 5_000)));
    let refused = LedgerError::Refused("as the test wants it".to_owned());
    // The three together, then the first alone; it comes back a second later.
    setup.database.lock().refusals.extend([refused.clone(), refused]);
    let archive = setup.start();
    names.iter().zip(calls).for_each(|(name, call)| archive.collect(NODE, call, name, seconds(1), true));
    idle(&archive).await;
    let database = setup.database.lock();
    assert_eq!(database.writes, [3, 1, 1, 1, 1]);
    assert_eq!(database.entries.values().filter(|entry| entry.state == State::Stored).count(), 3);
    assert!(!names.iter().any(|name| setup.asterisk.has(name)));
}

#[tokio::test(start_paused = true)]
async fn a_talk_is_fetched_checked_stored_written_and_then_removed() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(3_000, 9_000, 5_000));
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(3), true);
    idle(&archive).await;

    let entry = setup.database.lock().entries[&(NODE, NAME.to_owned())].clone();
    let file = entry.file.unwrap();
    assert_eq!((entry.state, entry.problem.as_str(), entry.call), (State::Stored, "", CALL));
    assert_eq!((file.path.as_str(), file.bytes, file.duration), (PATH, 44 + 3 * 32_000, seconds(3)));
    assert_eq!((file.left_rms, file.right_rms, file.channels), (9_000, 5_000, 2));
    assert_eq!(setup.sound(PATH).samples[..2], [9_000, 5_000]);
    assert!(!setup.asterisk.has(NAME));
    assert_eq!(setup.begun_files(), 0);
    let bytes = file.bytes;
    assert_eq!(archive.counts(), Counts { stored: 1, bytes, ..Counts::default() });
    assert_eq!(verified(&setup).await, [None]);
    // The engine saw the channel end: Asterisk need not be asked.
    assert_eq!(setup.asterisk.lock().looks, 0);
}

#[tokio::test(start_paused = true)]
async fn where_its_folder_is_seen_a_recording_is_read_silenced_and_removed_there_and_nothing_is_fetched() {
    let mut setup = Setup::new();
    let spool = setup.spool();
    let here = spool.path().join(format!("{NAME}.raw"));
    std::fs::create_dir_all(here.parent().unwrap()).unwrap();
    std::fs::write(&here, talk(3_000, 9_000, 5_000)).unwrap();
    let pause = (seconds(1), Some(seconds(2)));
    let paused = CallPauses { talked: Some(seconds(3)), pauses: vec![pause] };
    setup.database.lock().pauses.insert((NODE, NAME.to_owned()), vec![paused]);
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(3), false);
    idle(&archive).await;

    let entry = setup.database.lock().entries[&(NODE, NAME.to_owned())].clone();
    assert_eq!((entry.state, entry.pauses.len()), (State::Stored, 1));
    let samples = setup.sound(PATH).samples;
    assert_eq!((samples.len(), samples[0], samples[24_000]), (48_000, 9_000, 0));
    assert!(!here.exists());
    assert_eq!(setup.asterisk.lock().fetched, 0);
    assert_eq!((setup.begun_files(), verified(&setup).await), (0, vec![None]));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_lie_in_the_folder_or_may_not_be_read_there_is_fetched_and_removed_over_ari() {
    let mut setup = Setup::new();
    let spool = setup.spool();
    let names = [NAME.to_owned(), NAME.replace('7', "8")];
    names.iter().for_each(|name| setup.asterisk.put(name, talk(3_000, 9_000, 5_000)));
    // The second is there, but as something else than a file.
    std::fs::create_dir_all(spool.path().join(format!("{}.raw", names[1]))).unwrap();
    let archive = setup.start();
    names.iter().zip(0..).for_each(|(name, at)| archive.collect(NODE, CallId(CALL.0 + at), name, seconds(3), true));
    idle(&archive).await;
    assert_eq!(archive.counts().stored, 2);
    assert_eq!(setup.asterisk.lock().fetched, 2);
    assert!(!names.iter().any(|name| setup.asterisk.has(name)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_still_grows_is_fetched_again_until_it_is_whole() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(5_000, 9_000, 5_000));
    setup.asterisk.lock().fetches.extend([Fault::NotFound, Fault::EndAt(32_000), Fault::EndAt(64_001)]);
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(5), true);
    idle(&archive).await;
    assert_eq!(setup.state(), Some(State::Stored));
    assert_eq!(setup.sound(PATH).samples.len(), 80_000);
    assert_eq!(setup.asterisk.lock().fetched, 4);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_stays_short_is_kept_and_reported() {
    let mut setup = Setup::new();
    let mut raw = talk(2_000, 9_000, 5_000);
    raw.pop();
    setup.asterisk.put(NAME, raw);
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(5), false);
    idle(&archive).await;
    let problem = setup.database.lock().entries[&(NODE, NAME.to_owned())].problem.clone();
    assert_eq!(setup.state(), Some(State::Short));
    assert!(
        problem.contains("lasts 2.0s where the talk lasted 5.0s") && problem.contains("3 of its 4 bytes"),
        "{problem}"
    );
    assert_eq!(setup.sound(PATH).samples.len(), 2 * 15_999);
    assert_eq!(archive.counts().short, 1);
    assert!(!setup.asterisk.has(NAME));
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_never_comes_or_stays_empty_is_missing() {
    for file in [None, Some(Vec::new()), Some(vec![1, 2, 3])] {
        let mut setup = Setup::new();
        if let Some(raw) = file {
            setup.asterisk.put(NAME, raw);
        }
        let archive = setup.start();
        archive.collect(NODE, CALL, NAME, seconds(5), false);
        idle(&archive).await;
        assert_eq!((setup.state(), archive.counts().missing), (Some(State::Missing), 1));
        assert!(setup.database.lock().entries[&(NODE, NAME.to_owned())].file.is_none());
        assert!(!setup.asterisk.has(NAME) && !setup.folder.path().join(PATH).exists());
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_channel_is_kept_and_reported() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(2_000, 9_000, 0));
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(2), false);
    idle(&archive).await;
    let problem = setup.database.lock().entries[&(NODE, NAME.to_owned())].problem.clone();
    assert_eq!((setup.state(), problem.as_str()), (Some(State::Silent), "the right (agent) channel is silent"));
    assert!(setup.folder.path().join(PATH).exists());
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_talk_leaves_nothing_but_sound_is_never_thrown_away() {
    for (raw, kept) in [
        (None, false),
        (Some(Vec::new()), false),
        (Some(talk(100, 0, 0)), false),
        (Some(talk(100, 9_000, 0)), true),
        (Some(talk(5_000, 0, 0)), true),
    ] {
        let mut setup = Setup::new();
        if let Some(raw) = raw {
            setup.asterisk.put(NAME, raw);
        }
        let archive = setup.start();
        archive.collect(NODE, CALL, NAME, Duration::ZERO, false);
        idle(&archive).await;
        assert_eq!((setup.state().is_some(), setup.folder.path().join(PATH).exists()), (kept, kept));
        assert_eq!(archive.counts().nothing, u64::from(!kept));
        assert!(!setup.asterisk.has(NAME));
    }
}

#[tokio::test(start_paused = true)]
async fn a_talk_too_short_for_a_word_is_no_fault_of_its_recording() {
    for (raw, state) in [
        (None, None),
        (Some(Vec::new()), None),
        (Some(talk(20, 0, 0)), Some(State::Stored)),
        (Some(talk(40, 9_000, 0)), Some(State::Stored)),
    ] {
        let mut setup = Setup::new();
        if let Some(raw) = raw {
            setup.asterisk.put(NAME, raw);
        }
        let archive = setup.start();
        archive.collect(NODE, CALL, NAME, Duration::from_millis(90), false);
        idle(&archive).await;
        assert_eq!(setup.state(), state);
        assert!(!setup.asterisk.has(NAME));
    }
}

#[tokio::test(start_paused = true)]
async fn broken_transfers_failed_removals_and_a_panic_are_tried_again() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(3_000, 9_000, 5_000));
    let faults = [Fault::Failed, Fault::CutAt(0), Fault::CutAt(5_001), Fault::Panic, Fault::Away, Fault::Away];
    setup.asterisk.lock().fetches.extend(faults);
    setup.asterisk.lock().deletes.extend([SourceError::Failed("500".into()), SourceError::Away("no answer".into())]);
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(3), false);
    idle(&archive).await;
    assert_eq!(setup.state(), Some(State::Stored));
    assert!(!setup.asterisk.has(NAME));
    assert_eq!(setup.asterisk.lock().fetched, 7, "a failed removal does not fetch again");
    assert_eq!((archive.counts().retries, archive.counts().stored), (8, 1));
    assert_eq!(setup.begun_files(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_fails_for_minutes_is_reported_and_stored_when_it_can_be() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(3_000, 9_000, 5_000));
    setup.asterisk.lock().fetches.extend(vec![Fault::Failed; 9]);
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(3), false);
    until(|| setup.state() == Some(State::Failed)).await;
    assert!(setup.asterisk.has(NAME));
    idle(&archive).await;
    assert_eq!((setup.state(), archive.counts().failed, archive.counts().stored), (Some(State::Stored), 1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_database_may_be_gone_and_the_call_may_be_written_late() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(3_000, 9_000, 5_000));
    let away = || LedgerError::Away("database is locked".to_owned());
    let late = LedgerError::Refused("no such call".to_owned());
    setup.database.lock().refusals.extend([away(), away(), late, away()]);
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(3), false);
    until(|| archive.counts().retries == 1).await;
    assert!(setup.asterisk.has(NAME), "nothing is removed before it is written");
    idle(&archive).await;
    assert_eq!((setup.state(), setup.asterisk.lock().fetched), (Some(State::Stored), 1));
    assert!(!setup.asterisk.has(NAME));
}

#[tokio::test(start_paused = true)]
async fn with_no_room_on_the_disk_recordings_wait_in_asterisk() {
    let mut setup = Setup::new();
    let archive = setup.start();
    // A file where the day's folder should be: no rights would not stop the tests' root.
    std::fs::write(setup.folder.path().join("2026"), b"").unwrap();
    for n in 0..20_u64 {
        let name = format!("perezvon/c{n}/1795293198.{n}_79");
        setup.asterisk.put(&name, talk(1_000, 9_000, 5_000));
        archive.collect(NODE, CallId(CALL.0 + n), &name, seconds(1), false);
    }
    until(|| archive.counts().retries > 10).await;
    let counts = archive.counts();
    assert_eq!((counts.backlog, counts.stored, setup.asterisk.lock().files.len()), (20, 0, 20));
    assert!(setup.asterisk.lock().fetched < 40, "the disk is left alone as a whole");
    std::fs::remove_file(setup.folder.path().join("2026")).unwrap();
    idle(&archive).await;
    assert_eq!((archive.counts().stored, setup.asterisk.lock().files.len()), (20, 0));
    assert_eq!(setup.begun_files(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_step_is_harmless() {
    /// Arranges that the archive comes to a halt at a certain step.
    type Halt = fn(&Setup);
    let halts: [(&str, Halt); 4] = [
        ("in the transfer", |setup| setup.asterisk.lock().fetches.push_back(Fault::HangAt(600_000))),
        ("between the file and the row", |setup| setup.database.lock().hang_save = true),
        ("between the row and the removal", |setup| setup.asterisk.lock().hang_delete = true),
        ("before the first step", |_| {}),
    ];
    for (step, halt) in halts {
        let mut setup = Setup::new();
        setup.asterisk.put(NAME, talk(40_000, 9_000, 5_000));
        let known = JournalCall { call: CALL, ended: true, talked: Some(seconds(40)) };
        setup.database.lock().calls.insert((NODE, NAME.to_owned()), known);
        halt(&setup);
        let archive = setup.start();
        archive.collect(NODE, CALL, NAME, seconds(40), false);
        tokio::time::advance(SETTLE + BEAT).await;
        match step {
            "in the transfer" => soon(|| setup.begun_files() == 1).await,
            "between the file and the row" => until(|| setup.folder.path().join(PATH).exists()).await,
            "between the row and the removal" => until(|| setup.state().is_some()).await,
            _ => {}
        }
        setup.kill(archive).await;
        assert!(setup.asterisk.has(NAME), "{step}");
        setup.database.lock().hang_save = false;
        setup.asterisk.lock().hang_delete = false;

        let archive = setup.start();
        archive.sweep(NODE, []);
        until(|| !setup.asterisk.has(NAME)).await;
        idle(&archive).await;
        assert_eq!(setup.state(), Some(State::Stored), "{step}");
        assert_eq!(setup.sound(PATH).samples.len(), 640_000, "{step}");
        assert_eq!(std::fs::read_dir(setup.folder.path().join("2026/11/21")).unwrap().count(), 1, "{step}");
        assert!(setup.database.lock().fallback.is_empty());
        soon(|| setup.begun_files() == 0).await;
        // Asked for once more, it is known to be done.
        archive.collect(NODE, CALL, NAME, seconds(40), false);
        idle(&archive).await;
        assert_eq!(setup.state(), Some(State::Stored), "{step}");
        setup.kill(archive).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_copy_in_the_archive_is_not_replaced_by_a_shorter_one() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(3_000, 9_000, 5_000));
    let archive = setup.start();
    archive.collect(NODE, CALL, NAME, seconds(3), false);
    idle(&archive).await;
    setup.asterisk.put(NAME, talk(500, 9_000, 5_000));
    archive.collect(NODE, CALL, NAME, Duration::ZERO, false);
    idle(&archive).await;
    assert_eq!(setup.sound(PATH).samples.len(), 48_000);
    // Unless that copy is damaged.
    std::fs::write(setup.folder.path().join(PATH), b"damaged").unwrap();
    setup.asterisk.put(NAME, talk(2_500, 9_000, 5_000));
    archive.collect(NODE, CALL, NAME, Duration::ZERO, false);
    idle(&archive).await;
    assert_eq!(setup.sound(PATH).samples.len(), 40_000);
}

#[tokio::test(start_paused = true)]
async fn callers_whom_no_engine_saw_are_entered_with_their_sound() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(4_000, 9_000, 5_000));
    setup.asterisk.put("perezvon/c3/1795293200.3_", Vec::new());
    setup.asterisk.put("voicemail/1795293200.4_79", talk(1_000, 9_000, 9_000));
    setup.asterisk.put("perezvon/somebody-else", talk(1_000, 9_000, 9_000));
    let archive = setup.start();
    archive.sweep(NODE, []);
    until(|| setup.asterisk.lock().files.len() == 2).await;
    idle(&archive).await;
    let mut calls = setup.database.lock().fallback.clone();
    calls.sort_by_key(|call| call.arrived);
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.recording.as_str(), call.number.as_str(), call.arrived.0, call.talked.as_secs()))
        .collect();
    let lost = ("perezvon/c3/1795293200.3_", "", 1_795_293_200_000, 0);
    assert_eq!(told, [(NAME, "+79001234567", 1_795_293_198_000, 4), lost]);
    let database = setup.database.lock();
    let entry = &database.entries[&(NODE, NAME.to_owned())];
    let call = database.calls[&(NODE, NAME.to_owned())].call;
    assert_eq!((entry.call, entry.state, database.entries.len()), (call, State::Stored, 1));
    assert_eq!((archive.counts().fallback_calls, archive.counts().nothing), (2, 1));
    let path = &entry.file.as_ref().unwrap().path;
    assert!(Path::new(path).starts_with("2026/11/21"), "{path}");
    assert!(setup.asterisk.has("voicemail/1795293200.4_79") && setup.asterisk.has("perezvon/somebody-else"));
}

#[tokio::test(start_paused = true)]
async fn what_may_still_grow_or_be_written_is_waited_for() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(4_000, 9_000, 5_000));
    setup.asterisk.put("perezvon/c3/1795293200.3_", talk(1_000, 9_000, 5_000));
    setup.asterisk.lock().alive.insert(CHANNEL.to_owned());
    setup.database.lock().behind = true;
    let archive = setup.start();
    archive.sweep(NODE, []);
    until(|| setup.asterisk.lock().looks > 20).await;
    assert_eq!(setup.asterisk.lock().fetched, 0);
    setup.database.lock().behind = false;
    until(|| !setup.asterisk.has("perezvon/c3/1795293200.3_")).await;
    assert!(setup.asterisk.has(NAME), "the caller is on the line");
    // The engine takes over the caller; the call ends.
    setup.asterisk.lock().alive.clear();
    archive.collect(NODE, CALL, NAME, seconds(4), false);
    idle(&archive).await;
    assert_eq!((setup.state(), setup.database.lock().fallback.len()), (Some(State::Stored), 1));
    assert!(setup.folder.path().join(PATH).exists(), "under the engine's own call");
}

#[tokio::test(start_paused = true)]
async fn living_calls_are_kept_and_talks_without_a_recording_are_found_missing() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(4_000, 9_000, 5_000));
    let name = "perezvon/c5/1795293199.5_79".to_owned();
    let lost = super::ledger::Unrecorded { call: CallId(CALL.0 + 1), name: name.clone(), talked: seconds(60) };
    setup.database.lock().unrecorded.push(lost);
    setup.asterisk.lock().lists.extend([SourceError::Failed("500".into()), SourceError::Away("gone".into())]);
    let archive = setup.start();
    archive.sweep(NODE, [NAME.to_owned()]);
    until(|| setup.database.lock().entries.contains_key(&(NODE, name.clone()))).await;
    idle(&archive).await;
    assert_eq!(setup.database.lock().entries[&(NODE, name)].state, State::Missing);
    assert!(setup.asterisk.has(NAME));
}

#[tokio::test(start_paused = true)]
async fn only_a_few_are_fetched_at_once_and_all_get_their_turn() {
    let mut setup = Setup::new();
    let archive = setup.start();
    for n in 0..100_u64 {
        let name = format!("perezvon/c{n}/1795293198.{n}_79");
        setup.asterisk.put(&name, talk(200, 9_000, 5_000));
        archive.collect(NODE, CallId(CALL.0 + n), &name, Duration::from_millis(200), false);
    }
    idle(&archive).await;
    assert_eq!((archive.counts().stored, setup.asterisk.lock().files.len()), (100, 0));
    let most = setup.asterisk.lock().most_at_once;
    assert!((2..=3).contains(&most), "{most}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_woken_only_for_what_is_due_before_one_looks_again_by_itself() {
    let (mut board, now) = (Board::default(), Instant::now());
    let after = |seconds| now + Duration::from_secs(seconds);
    assert!(board.is_slept_over(after(9)), "nobody has looked yet");
    assert!(board.add(NODE, NAME, Task::Stray, after(2)));
    assert!(matches!(board.next(now), Next::Wait(Some(until)) if until == after(2)));
    assert_eq!([1, 2, 3].map(|due| board.is_slept_over(after(due))), [true, false, false]);
    assert!(matches!(board.next(after(2)), Next::Run(_)));
    assert!(board.is_slept_over(after(3)), "who works does not look");
}

#[tokio::test(start_paused = true)]
async fn recordings_beyond_the_room_are_found_again_when_there_is_room() {
    let mut setup = Setup::new();
    let archive = setup.start_with(Board::with_room(10));
    for n in 0..50_u64 {
        let name = format!("perezvon/c{n}/1795293198.{n}_79");
        setup.asterisk.put(&name, talk(200, 9_000, 5_000));
        let call = CallId(CALL.0 + n);
        let known = JournalCall { call, ended: true, talked: Some(Duration::from_millis(200)) };
        setup.database.lock().calls.insert((NODE, name.clone()), known);
        archive.collect(NODE, call, &name, Duration::from_millis(200), false);
    }
    assert_eq!(archive.counts().overflowed, 40);
    until(|| setup.asterisk.lock().files.is_empty()).await;
    assert_eq!((archive.counts().stored, setup.database.lock().fallback.len()), (50, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_came_back_from_the_fallback_has_one_recording_of_all_talks() {
    let mut setup = Setup::new();
    setup.asterisk.put(NAME, talk(5_000, 9_000, 5_000));
    setup.asterisk.lock().alive.insert(CHANNEL.to_owned());
    let archive = setup.start();
    archive.collect(NODE, CallId(CALL.0 - 1), NAME, seconds(2), false);
    until(|| setup.asterisk.lock().looks > 3).await;
    setup.asterisk.lock().alive.clear();
    archive.collect(NODE, CALL, NAME, seconds(3), false);
    idle(&archive).await;
    assert_eq!(setup.state(), Some(State::Stored));
    assert_eq!(setup.database.lock().entries[&(NODE, NAME.to_owned())].call, CALL);
    assert!(!setup.asterisk.has(NAME));
}

#[tokio::test(start_paused = true)]
async fn verifying_finds_what_is_gone_changed_cut_or_put_elsewhere() {
    let mut setup = Setup::new();
    let archive = setup.start();
    for n in 0..5_u64 {
        let name = format!("perezvon/c{n}/1795293198.{n}_79");
        setup.asterisk.put(&name, talk(200, 9_000, 5_000));
        archive.collect(NODE, CallId(CALL.0 + n), &name, Duration::from_millis(200), false);
    }
    idle(&archive).await;
    let path = |n: u64| setup.folder.path().join(format!("2026/11/21/{}.wav", CallId(CALL.0 + n)));
    std::fs::remove_file(path(0)).unwrap();
    let mut bytes = std::fs::read(path(1)).unwrap();
    bytes[1_000] ^= 1;
    std::fs::write(path(1), &bytes).unwrap();
    std::fs::write(path(2), &bytes[..1_000]).unwrap();
    let elsewhere = (NODE, "perezvon/c3/1795293198.3_79".to_owned());
    setup.database.lock().entries.get_mut(&elsewhere).unwrap().file.as_mut().unwrap().path = "/etc/hostname".into();
    let mut problems = verified(&setup).await;
    problems.sort();
    assert_eq!((problems.len(), &problems[0]), (5, &None));
    let words =
        ["not a file of the archive", "has no file", "does not match its checksum", "has 1000 bytes instead of"];
    for word in words {
        let found = problems.iter().flatten().filter(|problem| problem.contains(word)).count();
        assert_eq!(found, 1, "{word}: {problems:?}");
    }
}
