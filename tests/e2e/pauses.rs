//! What is said while the recording is paused is nowhere in the archive.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use crate::audio::Recording;
use crate::office::{Office, Options};
use crate::phones::Manner;

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };
const CALLER: &str = "79005550001";

/// Stretches of this side without a sound, longer than a phone may take to begin: from, to, in milliseconds.
fn silent(samples: &[i16]) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut since = 0;
    for (at, sample) in samples.iter().chain([&i16::MAX]).enumerate() {
        if sample.unsigned_abs() > 100 {
            // The first packets of a phone may come a quarter of a second late.
            if at - since > 2400 {
                found.push((since as f64 / 8.0, at as f64 / 8.0));
            }
            since = at + 1;
        }
    }
    found
}

/// Both sides are silent in exactly these stretches (milliseconds), to 0.1 s.
#[track_caller]
pub fn assert_silent(sound: &Recording, expected: &[(f64, f64)]) {
    for (side, samples) in [("left", &sound.left), ("right", &sound.right)] {
        let found = silent(samples);
        let near = |(a, b): &((f64, f64), (f64, f64))| (a.0 - b.0).abs() <= 100.0 && (a.1 - b.1).abs() <= 100.0;
        let fits =
            found.len() == expected.len() && found.iter().copied().zip(expected.iter().copied()).all(|p| near(&p));
        assert!(fits, "{side}: silent {found:?}, expected {expected:?}, of {:.3} s", sound.seconds());
    }
}

#[test]
fn a_paused_stretch_is_silent_on_both_sides_also_after_a_hold_and_over_a_killed_engine() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let caller = office.caller(CALLER, 0);
    let call = office.wait_stage(CALLER, "talking", 10)["id"].as_str().unwrap().to_owned();
    let ask = |what: &str| office.api.post(&format!("/calls/{call}/{what}"), &json!({}));
    office.talk_goes_on(CALLER, 1);
    ask("hold");
    office.wait_stage(CALLER, "held", 5);
    office.hears(CALLER, 1);
    ask("resume");
    office.wait_stage(CALLER, "talking", 5);
    office.talk_goes_on(CALLER, 1);
    ask("recording/pause");
    assert!(office.wait_stage(CALLER, "talking", 1)["recording_paused_until"].is_string());
    office.talk_goes_on(CALLER, 1);
    ask("recording/resume");
    assert!(office.wait_stage(CALLER, "talking", 1)["recording_paused_until"].is_null());
    office.talk_goes_on(CALLER, 1);
    // The engine is killed in a second pause, and the one after it ends it.
    ask("recording/pause");
    office.kill_engine();
    office.talk_goes_on(CALLER, 1);
    office.start_engine();
    assert!(office.wait_stage(CALLER, "talking", 5)["recording_paused_until"].is_string());
    ask("recording/resume");
    office.talk_goes_on(CALLER, 1);
    ask("hangup");
    caller.finish(10);

    let story = office.story(CALLER, 10);
    let row = office.recording(&story, "stored", 20);
    let sound = office.sound(&row);
    let talked = story.talked_ms() as f64;
    assert!((sound.seconds() * 1000.0 - talked).abs() <= 100.0, "{} s of {talked} ms", sound.seconds());
    let noted: Vec<(String, f64)> = story
        .noted()
        .into_iter()
        .filter(|(what, _)| what.starts_with("recording_"))
        .map(|(what, detail)| (what, detail.trim_end_matches(" ms").parse().unwrap()))
        .collect();
    let words: Vec<&str> = noted.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(words, ["recording_paused", "recording_resumed", "recording_paused", "recording_resumed"]);
    let places: Vec<f64> = noted.iter().map(|(_, place)| *place).collect();
    let expected = [(places[0], places[1]), (places[2], places[3])];
    // The wait before and after a request is at least a second of talk.
    assert!(places[0] > 1_900.0 && places[1] - places[0] > 900.0 && places[2] - places[1] > 900.0, "{places:?}");
    assert_silent(&sound, &expected);
    // The player is told the same.
    let told = office.api.get(&format!("/recordings/{}", row["id"]))["pauses"].clone();
    for (at, (from, to)) in expected.iter().enumerate() {
        let ms = |name: &str| told[at][name].as_f64().unwrap();
        assert!((ms("from_ms") - from).abs() <= 100.0 && (ms("to_ms") - to).abs() <= 100.0, "{told} {expected:?}");
    }
    // Nothing is left where it was recorded.
    crate::wait::wait_until("Asterisk has nothing any more", 10, || office.ari.stored_recordings(), Vec::is_empty);
    office.assert_clean();
}

#[test]
fn a_pause_whose_end_nobody_saw_lasts_to_the_end_of_the_recording() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let caller = office.caller(CALLER, 6000);
    let call = office.wait_stage(CALLER, "talking", 10)["id"].as_str().unwrap().to_owned();
    office.talk_goes_on(CALLER, 1);
    let waiting = office.api.ask(&Method::POST, &format!("/calls/{call}/recording/pause"), Some(&json!({}))).unwrap();
    assert_eq!(waiting.status, 204);
    office.kill_engine();
    caller.finish(10);
    office.start_engine();
    let story = office.story(CALLER, 15);
    assert_eq!(story.disposition(), "LOST");
    let row = office.recording(&story, "stored", 20);
    let sound = office.sound(&row);
    let place: f64 = story.noted().iter().find(|(what, _)| what == "recording_paused").unwrap().1[..]
        .trim_end_matches(" ms")
        .parse()
        .unwrap();
    assert_silent(&sound, &[(place, sound.seconds() * 1000.0)]);
    assert!(Duration::from_secs_f64(sound.seconds()) > Duration::from_secs(4));
    office.assert_clean();
}
