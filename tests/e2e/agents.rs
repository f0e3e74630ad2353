//! Agents whose phones do not do what they should, after-call work, and what agents declare.

use serde_json::json;

use crate::office::{Office, Options};
use crate::phones::Manner;
use crate::wait::wait_until;

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };
const FIRST: &str = "79005550001";
const SECOND: &str = "79005550002";

/// The first agent's phone is bad; a caller who came first still talks first, with the second agent.
fn a_bad_phone(manner: Manner, outcome: &str, reason: &str, patience_ms: (i64, i64)) {
    let office = Office::open(Options { queue: "ring_seconds = 3\nwrap_up_seconds = 0", ..Options::default() });
    let (bad, _bad_phone) = office.ready_agent("101", manner);
    let good = office.add_agent("102", json!({}));
    let good_phone = office.phone(&good, Manner::Answers { after: 100, talk: 700 });
    let first = office.caller(FIRST, 0);
    office.wait_stage(FIRST, "offered", 10);
    let second = office.caller(SECOND, 0);
    office.wait_stage(SECOND, "waiting", 10);
    wait_until(
        "the agent is paused",
        10,
        || office.agent(bad.id),
        |agent| agent["status"] == "pause" && agent["reason"] == reason,
    );
    // Both wait again, in the order in which they came.
    let board = office.board();
    let waiting: Vec<_> =
        board["waiting"].as_array().unwrap().iter().map(|row| row["call"]["number"].clone()).collect();
    assert_eq!(waiting, ["+79005550001", "+79005550002"], "{board}");
    office.set_status(good.id, "ready");
    first.finish(20);
    second.finish(20);
    let (first, second) = (office.story(FIRST, 10), office.story(SECOND, 10));
    assert_eq!(first.offers(), [(bad.id, outcome.to_owned()), (good.id, "ANSWERED".to_owned())]);
    assert_eq!(second.offers(), [(good.id, "ANSWERED".to_owned())]);
    assert!(first.at("bridged_at") < second.at("bridged_at"));
    let tried = (first.offer_at(0, "ended_at") - first.offer_at(0, "made_at")).num_milliseconds();
    assert!((patience_ms.0..patience_ms.1).contains(&tried), "the offer lasted {tried} ms");
    assert_eq!(good_phone.noted("answered"), 2);
    office.assert_clean();
}

#[test]
fn a_phone_that_does_not_start_ringing_is_passed_over_after_two_seconds() {
    a_bad_phone(Manner::Dead, "UNREACHABLE", "unreachable", (1900, 2400));
}

#[test]
fn a_phone_that_rejects_pauses_its_agent() {
    a_bad_phone(Manner::Rejects { after: 500, code: 603 }, "REJECTED", "rejected", (450, 900));
}

#[test]
fn a_busy_phone_pauses_its_agent() {
    a_bad_phone(Manner::Rejects { after: 300, code: 486 }, "REJECTED", "rejected", (250, 700));
}

#[test]
fn a_phone_that_nobody_answers_pauses_its_agent() {
    a_bad_phone(Manner::NeverAnswers, "RINGNOANSWER", "no_answer", (2950, 3500));
}

#[test]
fn a_phone_that_is_not_registered_is_passed_over_at_once() {
    let office = Office::open(Options::default());
    let absent = office.add_agent("101", json!({}));
    office.set_status(absent.id, "ready");
    let (present, _phone) = office.ready_agent("102", EAGER);
    office.caller(FIRST, 1000).finish(20);
    let story = office.story(FIRST, 10);
    assert_eq!(story.agent(), Some(present.id));
    let waited = story.field("waited_ms").as_u64().unwrap();
    assert!(waited < 1500, "{waited} ms");
    office.assert_clean();
}

#[test]
fn after_call_work_lasts_as_long_as_set_and_no_caller_comes_through_meanwhile() {
    let office = Office::open(Options { queue: "wrap_up_seconds = 3", ..Options::default() });
    let (agent, phone) = office.ready_agent("101", EAGER);
    let first = office.caller(FIRST, 1000);
    office.wait_stage(FIRST, "talking", 10);
    let second = office.caller(SECOND, 6000);
    first.finish(10);
    let busy = wait_until("after-call work", 5, || office.agent(agent.id), |agent| agent["state"] == "wrap_up");
    assert!(busy["wrap_up_until"].is_string(), "{busy}");
    office.wait_stage(SECOND, "talking", 10);
    second.finish(15);
    let (first, second) = (office.story(FIRST, 10), office.story(SECOND, 10));
    let pause = (second.offer_at(0, "made_at") - first.at("ended_at")).num_milliseconds();
    assert!((2990..3300).contains(&pause), "the next call was offered after {pause} ms");
    // Declaring a pause does not cut it short, and nothing comes after it.
    office.set_status(agent.id, "pause");
    let third = office.caller("79005550003", 4500);
    third.finish(15);
    assert_eq!(office.story("79005550003", 10).disposition(), "ABANDON");
    assert_eq!(phone.noted("answered"), 2);
    office.assert_clean();
}

#[test]
fn agents_change_their_status_from_the_phone_and_hear_what_is_true_now() {
    let office = Office::open(Options::default());
    let agent = office.add_agent("101", json!({}));
    let phone = office.phone(&agent, EAGER);
    assert_eq!(office.agent(agent.id)["status"], "offline");
    let caller = office.caller(FIRST, 0);
    office.wait_stage(FIRST, "waiting", 10);
    for (code, status, reason, sound) in [
        ("*61", "pause", Some("code_1"), "agent-paused"),
        ("*99", "pause", Some("code_1"), "code-unknown"),
        ("*69", "offline", None, "agent-offline"),
        ("*60", "ready", None, "agent-ready"),
    ] {
        let before = office.events.of("PlaybackFinished").len();
        let dialling = office.dials(&agent, code, 0);
        dialling.finish(15);
        assert_eq!(dialling.noted("answered"), 1, "{code}: {:?}", dialling.notes());
        let finished =
            wait_until("the answer is spoken", 5, || office.events.of("PlaybackFinished"), |all| all.len() > before);
        let media = finished[before]["playback"]["media_uri"].as_str().unwrap_or_default().to_owned();
        assert!(media.ends_with(sound), "{code}: {media}");
        assert_eq!(finished[before]["playback"]["state"], "done", "{code}");
        // The channel is gone with the sound it played: what was sent stands in the phone's own count of time.
        let now = office.agent(agent.id);
        assert_eq!((now["status"].as_str(), now["reason"].as_str()), (Some(status), reason), "{code}");
    }
    // Ready: the waiting caller comes as soon as the phone is on the hook again.
    phone.wait_noted("answered 101", 1, 10);
    office
        .api
        .post(&format!("/calls/{}/hangup", office.wait_stage(FIRST, "talking", 5)["id"].as_str().unwrap()), &json!({}));
    caller.finish(10);
    let story = office.story(FIRST, 10);
    assert_eq!((story.disposition(), story.agent()), ("ENDED", Some(agent.id)));
    office.assert_clean();
}

#[test]
fn a_phone_with_a_wrong_password_neither_registers_nor_dials() {
    let office = Office::open(Options::default());
    let agent = office.add_agent("101", json!({"sip_password": "the-right-one"}));
    let wrong = agent.with_password("a-wrong-one");
    let dialling = office.dials(&wrong, "*60", 0);
    dialling.finish(15);
    assert_eq!(dialling.noted("answered"), 0);
    assert_eq!(office.agent(agent.id)["status"], "offline");
    office.dials(&agent, "*60", 0).finish(15);
    assert_eq!(office.agent(agent.id)["status"], "ready");
    office.assert_clean();
}
