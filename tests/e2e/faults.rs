//! Recordings and a database that have trouble, while calls go on.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::api::runtime;
use crate::archive::files;
use crate::office::{Office, Options, PEREZVON};
use crate::phones::Manner;
use crate::process::run;
use crate::wait::wait_until;

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };

/// Asterisk's own recordings.
fn raw_files(office: &Office) -> Vec<PathBuf> {
    files(&office.dir.join("asterisk/spool/recording/perezvon"))
}

/// All WAV files of the archive.
fn archive(office: &Office) -> Vec<PathBuf> {
    files(&office.dir.join("recordings"))
}

fn verify(office: &Office) -> String {
    run(PEREZVON, &["recording", "verify", "--config", &office.config().display().to_string()])
}

#[test]
fn a_recording_that_vanished_is_reported_and_not_ignored() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let caller = office.caller("79005550001", 2500);
    office.wait_stage("79005550001", "talking", 10);
    for file in wait_until("it is being recorded", 5, || raw_files(&office), |files| !files.is_empty()) {
        std::fs::remove_file(file).unwrap();
    }
    caller.finish(10);
    let story = office.story("79005550001", 10);
    assert_eq!(story.disposition(), "COMPLETECALLER");
    let row = office.recording(&story, "missing", 60);
    assert!(row["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{row}");
    assert!(row["file"].is_null(), "{row}");
    let metrics = String::from_utf8(office.api.get_bytes("/metrics").to_vec()).unwrap();
    assert!(metrics.lines().any(|line| line.contains("missing") && line.ends_with(" 1")), "{metrics}");
    assert!(!office.logged("ERROR").is_empty());

    // The next call is recorded as ever.
    office.caller("79005550002", 1500).finish(15);
    let story = office.story("79005550002", 10);
    office.sound(&office.recording(&story, "stored", 15)).assert_tones();
    assert!(verify(&office).contains('1'), "{}", verify(&office));
}

#[test]
fn a_silent_side_is_reported() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", Manner::Silent);
    office.caller("79005550001", 2500).finish(15);
    let story = office.story("79005550001", 10);
    let row = office.recording(&story, "silent", 15);
    assert!(row["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{row}");
    assert!(row["file"]["bytes"].as_u64().is_some_and(|bytes| bytes > 8000), "the sound is kept: {row}");
}

#[test]
fn an_engine_killed_while_it_fetches_archives_each_recording_once() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let mut numbers = Vec::new();
    // After the end of the talk: at once, and some moments later.
    for (n, moment) in [0, 3, 10, 25, 60, 150].into_iter().enumerate() {
        let number = format!("7900555010{n}");
        let caller = office.caller(&number, 1500);
        office.wait_stage(&number, "talking", 10);
        caller.finish(10);
        let kill_at = Instant::now() + Duration::from_millis(moment);
        while Instant::now() < kill_at {
            std::hint::spin_loop();
        }
        office.kill_engine();
        office.start_engine();
        numbers.push(number);
    }
    for number in &numbers {
        let story = office.story(number, 20);
        assert!(["COMPLETECALLER", "LOST"].contains(&story.disposition()), "{story:?}");
        office.sound(&office.recording(&story, "stored", 30)).assert_tones();
        assert_eq!(office.story_of(story.id()).recordings().len(), 1);
    }
    office.assert_clean();
    let files = archive(&office);
    assert_eq!(files.len(), numbers.len(), "{files:?}");
    verify(&office);
}

#[test]
fn a_database_locked_for_ten_seconds_is_noticed_by_no_caller() {
    let office = Office::open(Options::default());
    let (agent, phone) = office.ready_agent("101", EAGER);
    office.caller("79005550001", 700).finish(15);
    office.story("79005550001", 10);
    let file = office.dir.join("perezvon.db");
    let mut lock = runtime().block_on(async {
        let mut lock = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        lock.execute("BEGIN EXCLUSIVE").await.unwrap();
        lock
    });
    let locked = Instant::now();
    let mut served = 1;
    while locked.elapsed() < Duration::from_secs(10) {
        let number = format!("7900555020{served}");
        let started = Instant::now();
        let caller = office.caller(&number, 1500);
        phone.wait_noted("answered 101", served + 1, 10);
        let patience = started.elapsed();
        assert!(patience < Duration::from_secs(3), "the caller waited {patience:?} for the agent");
        caller.finish(10);
        served += 1;
    }
    runtime().block_on(async { lock.execute("ROLLBACK").await.unwrap() });
    for n in 1..served {
        let story = office.story(&format!("7900555020{n}"), 30);
        assert_eq!((story.disposition(), story.agent()), ("COMPLETECALLER", Some(agent.id)), "{story:?}");
        office.sound(&office.recording(&story, "stored", 60)).assert_tones();
    }
    assert_eq!(office.journal().len(), served);
}
