//! Callers who are called back instead of waiting: real keys, a real mobile network, real talks.

use serde_json::{Value, json};

use crate::callbacks::outcomes;
use crate::ear::Fingers;
use crate::office::{Office, Options, canonical};
use crate::phones::{Agent, Manner, Sipp};
use crate::story::{Story, moment};
use crate::wait::{wait_for, wait_until};

/// Answers, says a word, and talks.
const TALKS: &str = "79005550010";
/// Rings and is not answered.
const SILENT: &str = "79005550002";
const NEXT: &str = "79005550017";

fn office() -> Office {
    Office::open(Options {
        queue: "wrap_up_seconds = 0\nannounce_first_seconds = 1",
        limits: "allowed_numbers = [\"+79\"]",
        more: "[callback]\ninterval_seconds = 3\nring_seconds = 5\nattempts = 2",
        ..Options::default()
    })
}

/// An agent who is not at work yet, and how the phone behaves.
fn agent_at_lunch(office: &Office, manner: Manner) -> (Agent, crate::phones::Sipp) {
    let agent = office.add_agent("101", json!({}));
    let phone = office.phone(&agent, manner);
    (agent, phone)
}

/// The caller hears the offer, presses 1 twice and is told; the call ends with the place kept.
#[track_caller]
fn keeps_place(office: &Office, number: &str) -> Story {
    let ear = office.ear(number, 0, Fingers::Rfc4733);
    ear.wait_sound();
    let channel = office.ari.channel_of(number);
    for stem in ["callback-offer", "callback-number", "place-kept"] {
        let said = || office.events.played_to(&channel);
        wait_until(&format!("{stem} is said"), 30, said, |said| said.iter().any(|one| one == stem));
        if stem != "place-kept" {
            ear.press('1');
        }
    }
    ear.sipp.finish(20);
    let story = office.story(number, 10);
    assert_eq!(story.disposition(), "CALLBACK", "{story:?}");
    assert!(story.notes().iter().any(|note| note == "kept_place"), "{:?}", story.notes());
    story
}

fn waiting(office: &Office) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let board = office.board();
    let waiting = board["waiting"].as_array().expect("who waits").clone();
    waiting.iter().map(|one| (text(&one["call"]["number"]), text(&one["call"]["stage"]))).collect()
}

#[test]
fn a_caller_keeps_the_place_is_called_when_an_agent_is_free_and_the_talk_is_recorded() {
    let office = office();
    let mobile = office.mobile();
    let (agent, phone) = agent_at_lunch(&office, Manner::Answers { after: 200, talk: 2000 });
    let asked = keeps_place(&office, TALKS);
    assert_eq!(waiting(&office), [(canonical(TALKS), "kept".to_owned())]);
    assert_eq!(mobile.noted("invited"), 0, "nobody is called while no agent is free");
    // The place outlives the engine.
    office.kill_engine();
    office.start_engine();
    wait_until("the place is kept", 10, || waiting(&office), |waiting| waiting.len() == 1);
    office.set_status(agent.id, "ready");
    let callback = office.callback(TALKS, "delivered", 40);
    assert_eq!((&callback["kind"], outcomes(&callback)), (&json!("place"), vec!["delivered"]), "{callback}");
    assert_eq!((mobile.noted(&format!("answered {TALKS}")), phone.noted("hung_up 101")), (1, 1));
    let story = office.story_of(callback["tries"][0]["id"].as_str().expect("an id"));
    assert_eq!((story.disposition(), story.agent()), ("COMPLETEAGENT", Some(agent.id)), "{story:?}");
    assert_eq!(story.field("outgoing"), &json!(true));
    // It stood where the first call had put it.
    let apart = story.at("queued_at") - asked.at("queued_at");
    assert!(apart.num_milliseconds().abs() < 50, "the place is {apart} later than it was");
    let recording = office.recording(&story, "stored", 20);
    let seconds = office.sound(&recording).seconds();
    assert!((1.5..3.0).contains(&seconds), "{seconds} s of the talk are recorded");
    assert_eq!(waiting(&office), []);
    office.assert_clean();
}

#[test]
fn an_agent_whose_client_does_not_answer_has_the_next_caller_at_once() {
    let office = office();
    let mobile = office.mobile();
    let (agent, _phone) = agent_at_lunch(&office, Manner::Answers { after: 200, talk: 1000 });
    keeps_place(&office, SILENT);
    office.set_status(agent.id, "ready");
    mobile.wait_noted(&format!("invited {SILENT}"), 1, 20);
    let reserved = office.agent(agent.id);
    assert_eq!(reserved["state"], "reserved", "{reserved}");
    // Came later: waits as long as the client's phone rings, and is offered in the moment in which it is given up.
    let next = office.caller(NEXT, 0);
    next.finish(40);
    let story = office.story(NEXT, 20);
    assert_eq!(story.agent(), Some(agent.id), "{story:?}");
    let callback = office.callback(SILENT, "exhausted", 60);
    assert_eq!(outcomes(&callback), ["no_answer", "no_answer"], "{callback}");
    assert_eq!(callback["closed_at"], Value::Null, "a task for the agents: {callback}");
    let offered = story.offer_at(0, "made_at") - moment(&callback["tries"][0]["ended_at"]);
    assert!((0..500).contains(&offered.num_milliseconds()), "offered {offered} after the attempt");
    assert_eq!(waiting(&office), []);
    wait_until("the agent is free", 10, || office.agent(agent.id), |seen| seen["state"] == "idle");
    office.assert_clean();
}

/// No attempt begins before the one before it has ended, and the phone was rung as often as there were attempts.
#[track_caller]
fn assert_one_at_a_time(callback: &Value, invited: usize) {
    let tries = callback["tries"].as_array().expect("tries");
    for two in tries.windows(2) {
        assert!(moment(&two[1]["started_at"]) >= moment(&two[0]["ended_at"]), "two at once: {callback}");
    }
    assert_eq!(tries.len(), invited, "{callback}");
}

#[test]
fn a_kept_place_outlives_a_killed_asterisk_and_nobody_is_called_twice_at_once() {
    let mut office = office();
    let mobile = office.mobile();
    let manner = Manner::Answers { after: 200, talk: 2000 };
    let (agent, phone) = agent_at_lunch(&office, manner);
    let again = |office: &mut Office, phone: Sipp| {
        phone.kill();
        office.kill_asterisk();
        office.start_asterisk();
        wait_for("the engine is ready again", 30, || office.readiness());
        office.wait_provisioned(&agent.endpoint);
        office.phone(&agent, manner)
    };
    keeps_place(&office, TALKS);
    let phone = again(&mut office, phone);
    // Nobody waits on the line any more, and the place is there.
    assert_eq!(waiting(&office), [(canonical(TALKS), "kept".to_owned())]);
    office.set_status(agent.id, "ready");
    let callback = office.callback(TALKS, "delivered", 40);
    assert_eq!(outcomes(&callback), ["delivered"], "{callback}");
    assert_one_at_a_time(&callback, mobile.noted(&format!("invited {TALKS}")));
    phone.wait_noted("hung_up 101", 1, 20);

    // Dies while the client's phone rings: that attempt does not count.
    office.set_status(agent.id, "offline");
    keeps_place(&office, SILENT);
    office.set_status(agent.id, "ready");
    mobile.wait_noted(&format!("invited {SILENT}"), 1, 20);
    let _phone = again(&mut office, phone);
    office.set_status(agent.id, "ready");
    let callback = office.callback(SILENT, "exhausted", 60);
    assert_eq!(outcomes(&callback), ["interrupted", "no_answer", "no_answer"], "{callback}");
    assert_one_at_a_time(&callback, mobile.noted(&format!("invited {SILENT}")));
    assert_eq!(waiting(&office), []);
}
