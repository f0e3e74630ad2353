//! `kill -9`, of the engine and of Asterisk.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use crate::office::{Office, Options};
use crate::phones::{Caller, Manner};
use crate::wait::{wait_for, wait_until};

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };

fn numbers(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("7900{prefix}{n:04}")).collect()
}

/// Numbers of the waiting callers by their places.
fn line(office: &Office) -> Vec<String> {
    let board = office.board();
    let rows = board["waiting"].as_array().expect("waiting").clone();
    rows.iter().map(|row| row["call"]["number"].as_str().unwrap_or_default().to_owned()).collect()
}

fn talking(office: &Office) -> Vec<Value> {
    office.live().into_iter().filter(|call| call["stage"] == "talking").collect()
}

#[test]
fn a_killed_engine_costs_no_caller_the_place_and_no_talk_a_word() {
    let office = Office::open(Options::default());
    let team: Vec<_> = (1..=5).map(|n| office.ready_agent(&format!("10{n}"), EAGER)).collect();
    let first: Vec<String> = numbers("555", 5);
    let in_talk = office.callers(&first.iter().map(|number| (number.as_str(), 0)).collect::<Vec<Caller>>(), 5);
    office.wait_count("talking", 5, 15);
    let numbers = numbers("556", 20);
    let waiting = office.callers(&numbers.iter().map(|number| (number.as_str(), 0)).collect::<Vec<Caller>>(), 10);
    office.wait_count("waiting", 20, 20);
    let (order, talks) = (line(&office), talking(&office));
    let channels = office.ari.channels().len();
    let bridges = office.ari.bridges().len();
    assert_eq!(channels, 30, "25 callers and 5 agents");

    office.kill_engine();
    // Talks go on without it: sound flows both ways.
    office.talk_goes_on(&first[0], 2);
    assert_eq!((office.ari.channels().len(), office.ari.bridges().len()), (channels, bridges));
    let took = office.start_engine();
    println!("from start to ready with 25 calls to take up: {} ms", took.as_millis());
    assert!(took < Duration::from_secs(4), "{took:?}");
    wait_until(
        "all calls are taken up",
        3,
        || (office.count("talking"), office.count("waiting")),
        |seen| *seen == (5, 20),
    );
    assert_eq!(line(&office), order);
    assert_eq!(office.ari.channels().len(), channels);
    let ids =
        |calls: &[Value]| calls.iter().map(|call| call["id"].to_string()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids(&talking(&office)), ids(&talks));

    // Agents become free one after another: callers come in the order in which they entered.
    for number in &order {
        let oldest = talking(&office).into_iter().min_by_key(|call| call["bridged_at"].to_string()).expect("a talk");
        office.api.post(&format!("/calls/{}/hangup", oldest["id"].as_str().unwrap()), &json!({}));
        wait_until(
            &format!("{number} is next"),
            10,
            || office.stages(),
            |stages| stages.iter().any(|(who, stage)| who == number && stage == "talking"),
        );
    }
    for call in talking(&office) {
        office.api.post(&format!("/calls/{}/hangup", call["id"].as_str().unwrap()), &json!({}));
    }
    in_talk.finish(20);
    waiting.finish(20);
    for number in first.iter().chain(&numbers) {
        let story = office.story(number, 15);
        assert_eq!(story.disposition(), "ENDED", "{story:?}");
        assert!(story.offers().iter().all(|(_, outcome)| outcome == "ANSWERED"), "{story:?}");
    }
    // The five talks were recorded through the restart.
    for number in &first {
        let story = office.story(number, 5);
        let sound = office.sound(&office.recording(&story, "stored", 20));
        sound.assert_tones();
        let whole = (story.at("ended_at") - story.at("bridged_at")).num_milliseconds() as f64 / 1000.0;
        assert!((sound.seconds() - whole).abs() < 0.5, "{} s recorded of {whole} s: {story:?}", sound.seconds());
        assert!(story.notes().contains(&"adopted".to_owned()), "{:?}", story.notes());
    }
    drop(team);
    office.assert_clean();
}

#[test]
fn a_phone_that_rings_while_the_engine_is_killed_rings_on_for_the_same_call() {
    let office = Office::open(Options::default());
    let agent = office.ready_agent("101", Manner::Answers { after: 6000, talk: 1500 });
    let caller = office.caller("79005550001", 0);
    let offered = office.wait_stage("79005550001", "offered", 15);
    // It carries the engine's note.
    wait_until("the bridge of the talk to come", 5, || office.ari.bridges().len(), |count| *count == 1);
    office.kill_engine();
    office.start_engine();
    let taken_up = office.wait_stage("79005550001", "offered", 5);
    assert_eq!(taken_up["id"], offered["id"]);
    caller.finish(20);
    let story = office.story("79005550001", 10);
    assert_eq!(story.disposition(), "COMPLETEAGENT", "{story:?}");
    assert!(story.notes().contains(&"adopted".to_owned()), "{:?}", story.notes());
    assert_eq!(story.offers().len(), 1, "{story:?}");
    drop(agent);
    office.assert_clean();
}

#[test]
fn while_the_engine_is_away_a_caller_reaches_an_agent_and_stands_in_the_journal_later() {
    let office = Office::open(Options::default());
    let agent = office.add_agent("101", json!({}));
    // Talks 3 s, then hangs up.
    let phone = office.phone(&agent, Manner::Answers { after: 100, talk: 3000 });
    office.kill_engine();
    let first = office.caller("79005550001", 0);
    phone.wait_noted("answered 101", 1, 15);
    // The only agent talks: this one waits, and gives up.
    let second = office.caller("79005550002", 1500);
    second.finish(15);
    first.finish(15);
    wait_until("nobody is left", 10, || office.ari.channels(), Vec::is_empty);
    office.start_engine();
    let talked = office.story("79005550001", 20);
    assert_eq!(talked.disposition(), "FALLBACK");
    assert_eq!(talked.field("by_fallback"), true);
    let sound = office.sound(&office.recording(&talked, "stored", 20));
    sound.assert_tones();
    assert!((2.5..3.6).contains(&sound.seconds()), "{} s", sound.seconds());
    // Who was lost in the meantime is seen.
    let lost = office.story("79005550002", 20);
    assert_eq!(lost.field("by_fallback"), true);
    assert!(lost.field("bridged_at").is_null() && lost.talked_ms() == 0, "{lost:?}");
    office.assert_clean();
}

#[test]
fn a_caller_who_waits_in_the_fallback_comes_back_to_the_engine_with_the_time_waited() {
    let office = Office::open(Options::default());
    let agent = office.add_agent("101", json!({}));
    office.kill_engine();
    // No phone is plugged in: the fallback rings nobody and knocks again after its turn of 15 s.
    let caller = office.caller("79005550001", 0);
    caller.wait_noted("answered", 1, 10);
    office.start_engine();
    let waiting = office.wait_stage("79005550001", "waiting", 25);
    let phone = office.phone(&agent, Manner::Answers { after: 100, talk: 1500 });
    office.set_status(agent.id, "ready");
    phone.wait_noted("answered 101", 1, 10);
    caller.finish(15);
    let story = office.story("79005550001", 10);
    assert_eq!(story.disposition(), "COMPLETEAGENT");
    assert_eq!(story.field("by_fallback"), true);
    assert!(story.field("waited_ms").as_u64().unwrap() > 3000, "the time in the fallback counts: {story:?} {waiting}");
    office.sound(&office.recording(&story, "stored", 15)).assert_tones();
    office.assert_clean();
}

#[test]
fn who_was_given_to_the_fallback_carries_no_note_of_the_former_call_and_comes_back_as_a_new_one() {
    let office = Office::open(Options::default());
    let agent = office.add_agent("101", json!({}));
    let caller = office.caller("79005550001", 0);
    office.wait_stage("79005550001", "waiting", 10);
    let channel = office.ari.channel_of("79005550001");
    let note = || office.ari.caller("79005550001").map(|found| found["channelvars"]["PEREZVON"].clone());
    wait_until("the note is written", 10, &note, |note| note.as_ref().is_some_and(|note| note != ""));
    let calls = wait_until("the journal knows the call", 10, || office.journal(), |calls| !calls.is_empty());
    let dialled = calls[0]["dialled"].as_str().expect("a number").to_owned();
    office.kill_engine();
    // As the engine does it.
    let path = format!("/channels/{channel}/continue?context=perezvon-fallback&extension={dialled}");
    assert_eq!(office.ari.ask(&Method::POST, &path).unwrap().0, 204);
    wait_until("the note is removed", 10, &note, |note| note.as_ref().is_some_and(|note| note == ""));
    office.start_engine();
    office.wait_stage("79005550001", "waiting", 25);
    let phone = office.phone(&agent, Manner::Answers { after: 100, talk: 1500 });
    office.set_status(agent.id, "ready");
    phone.wait_noted("answered 101", 1, 10);
    caller.finish(15);
    let stories = office.stories("79005550001", 2, 20);
    let back = stories.iter().find(|story| story.field("by_fallback") == true).expect("the second call");
    assert_eq!(back.disposition(), "COMPLETEAGENT");
    assert_eq!(back.field("dialled"), dialled.as_str(), "it decides into which queue the caller comes");
    assert!(stories.iter().any(|story| story.field("by_fallback") == false && story.talked_ms() == 0), "{stories:?}");
    office.assert_clean();
}

#[test]
fn calls_that_end_while_the_engine_is_away_are_closed_and_their_recordings_kept() {
    let office = Office::open(Options::default());
    let (agent, _phone) = office.ready_agent("101", EAGER);
    let talk = office.caller("79005550001", 4000);
    office.wait_stage("79005550001", "talking", 10);
    let waiting = office.caller("79005550002", 2500);
    wait_until(
        "both stand in the journal",
        10,
        || office.journal(),
        |calls| calls.iter().filter(|call| call["queued_at"].is_string()).count() == 2,
    );
    office.kill_engine();
    waiting.finish(10);
    talk.finish(10);
    wait_until("the callers are gone", 5, || office.ari.caller("79005550001"), Option::is_none);
    office.start_engine();
    let (talked, waited) = (office.story("79005550001", 15), office.story("79005550002", 15));
    assert_eq!((talked.disposition(), waited.disposition()), ("LOST", "LOST"));
    let sound = office.sound(&office.recording(&talked, "stored", 20));
    sound.assert_tones();
    assert!(sound.seconds() > 2.0, "{} s", sound.seconds());
    // The agent, whose caller is gone, is free for the next.
    office.caller("79005550003", 1000).finish(20);
    assert_eq!(office.story("79005550003", 10).agent(), Some(agent.id));
    office.assert_clean();
}

#[test]
fn a_stopped_engine_says_farewell_in_time_and_drops_no_call() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let caller = office.caller("79005550001", 8000);
    office.wait_stage("79005550001", "talking", 10);
    office.stop_engine();
    office.talk_goes_on("79005550001", 1);
    office.start_engine();
    office.wait_stage("79005550001", "talking", 5);
    caller.finish(15);
    let story = office.story("79005550001", 10);
    assert_eq!(story.disposition(), "COMPLETECALLER");
    office.sound(&office.recording(&story, "stored", 15)).assert_tones();
    office.assert_clean();
}

#[test]
fn the_engine_comes_back_to_a_clean_state_when_a_killed_asterisk_does() {
    let mut office = Office::open(Options::default());
    let (agent, phone) = office.ready_agent("101", EAGER);
    let (other, other_phone) = office.ready_agent("102", EAGER);
    let numbers = numbers("555", 5);
    let callers = office.callers(&numbers.iter().map(|number| (number.as_str(), 0)).collect::<Vec<Caller>>(), 5);
    office.wait_count("talking", 2, 15);
    office.wait_count("waiting", 3, 15);
    office.talk_goes_on(&numbers[0], 2);
    office.kill_asterisk();
    callers.kill();
    let _ = wait_until(
        "the engine says that it is not ready",
        10,
        || office.readiness(),
        |ready| ready.as_ref().is_err_and(|why| why.contains("503") && why.contains("asterisk")),
    );
    for phone in [phone, other_phone] {
        phone.kill();
    }
    office.start_asterisk();
    wait_for("the engine is ready again", 20, || office.readiness());
    for number in &numbers {
        assert_eq!(office.story(number, 15).disposition(), "LOST");
    }
    // Phones are known again without anybody's doing, and the next call works.
    for agent in [&agent, &other] {
        office.wait_provisioned(&agent.endpoint);
        assert_eq!(office.agent(agent.id)["state"], "idle");
    }
    let _phone = office.phone(&agent, EAGER);
    office.set_status(other.id, "offline");
    office.set_status(agent.id, "ready");
    office.caller("79005559999", 1500).finish(20);
    let story = office.story("79005559999", 10);
    assert_eq!((story.disposition(), story.agent()), ("COMPLETECALLER", Some(agent.id)));
    // What was recorded until the end is kept.
    for number in &numbers[..2] {
        let story = office.story(number, 5);
        let kept = wait_until(
            "the recording is in the archive",
            20,
            || office.story_of(story.id()).recordings(),
            |rows| !rows.is_empty(),
        );
        assert!(kept[0]["file"]["duration_ms"].as_u64().is_some_and(|ms| ms > 1000), "{kept:?}");
    }
    office.assert_clean();
}

#[test]
fn beyond_the_limit_a_caller_waits_in_the_fallback_and_comes_back_under_the_number_that_was_dialled() {
    let office = Office::open(Options { limits: "max_calls = 1", ..Options::default() });
    let agent = office.add_agent("101", json!({}));
    let first = office.caller("79005550001", 5000);
    let dialled = office.wait_stage("79005550001", "waiting", 10)["dialled"].clone();
    let second = office.caller("79005550002", 0);
    let place = || office.ari.caller("79005550002").map(|found| found["dialplan"].clone());
    let there = wait_until("the fallback has the second caller", 10, place, |place| {
        place.as_ref().is_some_and(|place| place["context"] == "perezvon-fallback")
    });
    assert_eq!(there.map(|place| place["exten"].clone()), Some(dialled.clone()), "it decides into which queue");
    first.finish(15);
    // After the turn there of 15 s, and there is room again.
    office.wait_stage("79005550002", "waiting", 30);
    let phone = office.phone(&agent, Manner::Answers { after: 100, talk: 1500 });
    office.set_status(agent.id, "ready");
    phone.wait_noted("answered 101", 1, 10);
    second.finish(15);
    let story = office.story("79005550002", 20);
    assert_eq!((story.disposition(), story.field("dialled")), ("COMPLETEAGENT", &dialled));
    office.assert_clean();
}
