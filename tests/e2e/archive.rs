//! The archive of talks: sealed and compressed, compared with its checksums, and without room.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::audio::Recording;
use crate::office::{Office, Options, PEREZVON};
use crate::phones::Manner;
use crate::wait::{wait_for, wait_until};

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };

/// Runs `perezvon recording …`; whether it went well, and what it said.
pub fn recording(office: &Office, command: &str) -> (bool, String) {
    let config = office.config().display().to_string();
    let output = Command::new(PEREZVON).args(["recording", command, "--config", &config]).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn restart_with(office: &mut Office, lines: &str) {
    restart_with_other(office, "[recording]\n", &format!("[recording]\n{lines}\n"));
}

fn restart_with_other(office: &mut Office, words: &str, other: &str) {
    let text = std::fs::read_to_string(office.config()).unwrap();
    assert!(text.contains(words), "{text}");
    std::fs::write(office.config(), text.replace(words, other)).unwrap();
    office.kill_engine();
    office.start_engine();
}

/// Files of the archive that are in their place.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn heard(office: &Office, row: &Value) {
    Recording::read(&office.api.get_bytes(&format!("/recordings/{}/audio?format=wav", row["id"]))).assert_tones();
}

#[test]
fn a_sealed_flac_is_heard_a_flipped_byte_is_found_and_a_new_key_takes_over() {
    let mut office = Office::open(Options::default());
    let keys = office.dir.join("keys");
    std::fs::write(&keys, "0a".repeat(32)).unwrap();
    restart_with(&mut office, &format!("format = \"flac\"\nkey_file = \"{}\"", keys.display()));
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    office.caller("79005550001", 2500).finish(15);
    let story = office.story("79005550001", 10);
    let row = office.recording(&story, "stored", 15);
    heard(&office, &row);
    let kept = office.api.get_bytes(&format!("/recordings/{}/audio", row["id"]));
    assert!(kept.starts_with(b"fLaC"), "sent as it is kept, in clear");
    let peaks = office.api.get(&format!("/recordings/{}/peaks", row["id"]));
    assert!(peaks["duration_ms"].as_u64().is_some_and(|ms| ms > 1000), "{peaks}");

    let folder = office.dir.join("recordings");
    let all = files(&folder);
    let [file] = all.as_slice() else { panic!("one file: {all:?}") };
    let good = std::fs::read(file).unwrap();
    assert!(good.starts_with(b"PZSEAL01"), "sealed at rest: {file:?}");
    assert_eq!(recording(&office, "verify"), (true, "1 recordings checked, 0 damaged\n".to_owned()));

    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    std::fs::write(file, &bad).unwrap();
    let (well, told) = recording(&office, "verify");
    assert!(!well && told.contains("does not match its checksum"), "{told}");
    let gaps = office.api.get("/recordings/gaps");
    assert_eq!((&gaps["failed"], &gaps["check"]["changed"]), (&1.into(), &1.into()), "{gaps}");
    std::fs::write(file, &good).unwrap();
    assert!(recording(&office, "verify").0);
    office.recording(&story, "stored", 5);

    std::fs::write(&keys, format!("{}\n{}\n", "0b".repeat(32), "0a".repeat(32))).unwrap();
    assert_eq!(
        recording(&office, "rekey"),
        (true, "1 recordings sealed with the first key, 0 were, 0 failed\n".to_owned())
    );
    // The old key is needed no more.
    std::fs::write(&keys, "0b".repeat(32)).unwrap();
    restart_with(&mut office, "");
    heard(&office, &row);
    assert!(recording(&office, "verify").0);
    assert_eq!(files(&folder).len(), 1, "the file of the old key is gone");
}

#[test]
fn an_opus_is_as_long_as_the_talk_and_has_each_voice_on_its_side() {
    let mut office = Office::open(Options::default());
    restart_with(&mut office, "format = \"opus\"");
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    office.caller("79005550001", 4000).finish(15);
    let story = office.story("79005550001", 10);
    let row = office.recording(&story, "stored", 15);
    let path = format!("/recordings/{}/audio", row["id"]);
    let (kept, wav) = (office.api.get_bytes(&path), office.api.get_bytes(&format!("{path}?format=wav")));
    assert!(kept.starts_with(b"OggS") && kept.len() * 5 < wav.len(), "{} of {} bytes", kept.len(), wav.len());
    let sound = Recording::read(&wav);
    sound.assert_tones();
    let talked = story.talked_ms() as f64 / 1000.0;
    assert!((sound.seconds() - talked).abs() <= 0.1, "{} s of {talked} s", sound.seconds());
    assert!(recording(&office, "verify").0);
}

#[test]
fn where_asterisks_folder_is_seen_talks_are_read_and_removed_there_and_with_a_wrong_folder_over_ari() {
    let mut office = Office::open(Options::default());
    let (agent, _phone) = office.ready_agent("101", EAGER);
    let spool = office.dir.join("asterisk/spool/recording");
    let elsewhere = office.dir.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let line = |folder: &Path| format!("recordings_dir = \"{}\"\n[database]\n", folder.display());
    let checked = |office: &Office| {
        let output = Command::new(PEREZVON).args(["check", "--config"]).arg(office.config()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find(|line| line.contains("test recordings")).map(str::to_owned).expect(&text)
    };
    let talks = |office: &Office, number: &str| {
        // The engine was killed: what was declared in its last moment may be forgotten.
        office.set_status(agent.id, "ready");
        wait_until("the agent is idle", 10, || office.agent(agent.id), |agent| agent["state"] == "idle");
        office.caller(number, 2500).finish(15);
        office.sound(&office.recording(&office.story(number, 10), "stored", 15)).assert_tones();
        wait_until("Asterisk's folder is empty", 5, || files(&spool), Vec::is_empty);
    };
    let over_ari =
        |office: &Office| office.logged("DEBUG").iter().filter(|line| line.contains("fetched over ARI")).count();

    restart_with_other(&mut office, "[database]\n", &line(&spool));
    let said = checked(&office);
    assert!(said.starts_with("ok") && said.ends_with(&format!("read in {}", spool.display())), "{said}");
    talks(&office, "79005550001");
    assert_eq!(over_ari(&office), 0);

    restart_with_other(&mut office, &line(&spool), &line(&elsewhere));
    let said = checked(&office);
    assert!(said.starts_with("warning") && said.contains("is not the folder"), "{said}");
    talks(&office, "79005550002");
    assert_eq!(over_ari(&office), 1);
}

/// A small disk in place of a folder, gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path, size: &str) -> SmallDisk {
        let disk = SmallDisk(path.to_owned());
        disk.run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        disk
    }

    fn resize(&self, size: &str) {
        self.run("mount", &["-o", &format!("remount,size={size}")]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = Command::new(program).args(arguments).arg(&self.0).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}: this test needs root");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the engine may still be writing there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn without_room_talks_go_on_recordings_wait_in_asterisk_and_all_are_fetched_when_there_is_room_again() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let disk = SmallDisk::mount(&office.dir.join("recordings"), "32k");
    let numbers = ["79005550001", "79005550002", "79005550003"];
    let stories = numbers.map(|number| {
        office.caller(number, 2500).finish(15);
        let story = office.story(number, 10);
        assert_eq!(story.disposition(), "COMPLETECALLER", "the talk went on");
        story
    });
    let trouble = wait_for("the alarm is raised", 20, || {
        let gaps = office.api.get("/recordings/gaps");
        gaps["trouble"]["why"].as_str().map(str::to_owned).ok_or_else(|| gaps.to_string())
    });
    assert!(trouble.contains("No space left") && trouble.contains("free space"), "{trouble}");
    let gaps = office.api.get("/recordings/gaps");
    assert_eq!(gaps["waiting"], 3, "{gaps}");
    let spool = office.dir.join("asterisk/spool/recording/perezvon");
    assert_eq!(files(&spool).len(), 3, "all wait in Asterisk");
    let metrics = String::from_utf8(office.api.get_bytes("/metrics").to_vec()).unwrap();
    assert!(
        metrics.lines().any(|line| line.starts_with("perezvon_recordings_storage_failing") && line.ends_with(" 1")),
        "{metrics}"
    );
    assert!(office.logged("ERROR").iter().any(|line| line.contains("cannot be archived now")), "the log tells it");

    disk.resize("16m");
    for story in &stories {
        office.sound(&office.recording(story, "stored", 60)).assert_tones();
    }
    wait_until(
        "nothing waits",
        30,
        || office.api.get("/recordings/gaps"),
        |gaps| gaps["waiting"] == 0 && gaps["trouble"].is_null(),
    );
    assert_eq!(files(&spool), Vec::<PathBuf>::new());
}
