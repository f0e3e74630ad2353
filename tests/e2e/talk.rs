//! Hold and transfers.

use serde_json::{Value, json};

use crate::office::{Office, Options};
use crate::phones::{Agent, Manner, Sipp};
use crate::story::moment;
use crate::wait::wait_until;

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };
const CALLER: &str = "79005550001";

/// A caller in talk with an agent.
struct Talk {
    caller: Sipp,
    call: String,
    agent: Agent,
    _phone: Sipp,
}

impl Talk {
    #[track_caller]
    fn begin(office: &Office, hang_up_after: u32) -> Talk {
        let (agent, phone) = office.ready_agent("101", EAGER);
        let caller = office.caller(CALLER, hang_up_after);
        let call = office.wait_stage(CALLER, "talking", 10)["id"].as_str().unwrap().to_owned();
        Talk { caller, call, agent, _phone: phone }
    }

    #[track_caller]
    fn ask(&self, office: &Office, what: &str, body: &Value) {
        office.api.post(&format!("/calls/{}/{what}", self.call), body);
    }

    #[track_caller]
    fn transfer(&self, office: &Office, to: Value, mode: &str) {
        self.ask(office, "transfer", &json!({"to": to, "mode": mode}));
    }

    #[track_caller]
    fn hang_up(&self, office: &Office) {
        self.ask(office, "hangup", &json!({}));
        self.caller.finish(10);
    }
}

fn wait_state(office: &Office, agent: &Agent, state: &str) {
    wait_until(
        &format!("agent {} is {state}", agent.endpoint),
        10,
        || office.agent(agent.id),
        |now| now["state"] == state,
    );
}

#[test]
fn a_caller_on_hold_hears_music_and_the_recording_leaves_the_pause_out() {
    let office = Office::open(Options::default());
    let talk = Talk::begin(&office, 0);
    office.talk_goes_on(CALLER, 2);
    talk.ask(&office, "hold", &json!({}));
    office.wait_stage(CALLER, "held", 5);
    // Music: the agent's tone must not stand in the recording of this time.
    office.hears(CALLER, 3);
    // Asked for twice it is the same hold.
    talk.ask(&office, "hold", &json!({}));
    office.wait_stage(CALLER, "held", 1);
    talk.ask(&office, "resume", &json!({}));
    office.wait_stage(CALLER, "talking", 5);
    office.talk_goes_on(CALLER, 2);
    talk.hang_up(&office);
    let story = office.story(CALLER, 10);
    assert_eq!(story.disposition(), "ENDED");
    assert!(
        story.notes().contains(&"held".to_owned()) && story.notes().contains(&"resumed".to_owned()),
        "{:?}",
        story.notes()
    );
    let row = office.recording(&story, "stored", 15);
    let sound = office.sound(&row);
    sound.assert_tones();
    let whole = (story.at("ended_at") - story.at("bridged_at")).num_milliseconds() as f64 / 1000.0;
    assert!(whole > 6.5, "the call lasted {whole} s from the first word");
    assert!(sound.seconds() > 3.8 && sound.seconds() < whole - 2.5, "{} s recorded of {whole} s", sound.seconds());
    office.assert_clean();
}

#[test]
fn a_blind_transfer_to_an_agent_frees_the_first_and_is_recorded_in_one() {
    let office = Office::open(Options::default());
    let talk = Talk::begin(&office, 0);
    let (second, second_phone) = office.ready_agent("102", EAGER);
    office.talk_goes_on(CALLER, 1);
    talk.transfer(&office, json!({"agent": second.id}), "blind");
    second_phone.wait_noted("answered 102", 1, 10);
    wait_state(&office, &talk.agent, "idle");
    wait_state(&office, &second, "talking");
    office.wait_stage(CALLER, "talking", 5);
    office.talk_goes_on(CALLER, 1);
    talk.hang_up(&office);
    let story = office.story(CALLER, 10);
    assert_eq!(story.agent(), Some(second.id));
    let answered = || "ANSWERED".to_owned();
    assert_eq!(story.offers(), [(talk.agent.id, answered()), (second.id, answered())]);
    let row = office.recording(&story, "stored", 15);
    office.sound(&row).assert_tones();
    office.assert_clean();
}

#[test]
fn a_blind_transfer_to_a_queue_keeps_the_moment_of_entry() {
    let office = Office::open(Options {
        more: "[[queue.list]]\nname = \"main\"\nsticky = false\n[[queue.list]]\nname = \"service\"\nsticky = false",
        ..Options::default()
    });
    let main = office.add_agent("101", json!({"queues": ["main"]}));
    let _main_phone = office.phone(&main, EAGER);
    office.set_status(main.id, "ready");
    let service = office.add_agent("102", json!({"queues": ["service"]}));
    let service_phone = office.phone(&service, EAGER);
    let caller = office.caller(CALLER, 0);
    let call = office.wait_stage(CALLER, "talking", 10);
    let path = format!("/calls/{}/transfer", call["id"].as_str().unwrap());
    office.api.post(&path, &json!({"to": {"queue": "service"}, "mode": "blind"}));
    let waiting = office.wait_stage(CALLER, "waiting", 5);
    assert_eq!(waiting["queue"], "service");
    let entered = |call: &Value| moment(&call["queued_at"]).timestamp_millis();
    assert!((entered(&waiting) - entered(&call)).abs() <= 2, "{waiting} {call}");
    wait_state(&office, &main, "idle");
    office.set_status(service.id, "ready");
    service_phone.wait_noted("answered 102", 1, 10);
    office.wait_stage(CALLER, "talking", 5);
    office.talk_goes_on(CALLER, 2);
    office.api.post(&format!("/calls/{}/hangup", call["id"].as_str().unwrap()), &json!({}));
    caller.finish(10);
    let story = office.story(CALLER, 10);
    assert_eq!(story.agent(), Some(service.id));
    assert_eq!(story.field("queue"), "service");
    office.sound(&office.recording(&story, "stored", 15)).assert_tones();
    office.assert_clean();
}

#[test]
fn a_caller_is_sent_to_an_allowed_outside_number_and_to_no_other() {
    let office = Office::open(Options { limits: "allowed_numbers = [\"+7495\"]", ..Options::default() });
    let outside = office.phone_at(office.trunk_port, EAGER);
    let talk = Talk::begin(&office, 0);
    let path = format!("/calls/{}/transfer", talk.call);
    let (status, problem) = office.api.refused(&path, &json!({"to": {"number": "+18095551234"}, "mode": "blind"}));
    assert_eq!((status, &problem["type"]), (422, &json!("urn:perezvon:problem:number_not_allowed")), "{problem}");
    let (status, problem) = office.api.refused(&path, &json!({"to": {"agent": 999}, "mode": "blind"}));
    assert_eq!(status, 404, "{problem}");
    office.wait_stage(CALLER, "talking", 1);
    talk.transfer(&office, json!({"number": "+74950000001"}), "blind");
    outside.wait_noted("answered", 1, 10);
    office.wait_stage(CALLER, "talking", 5);
    wait_state(&office, &talk.agent, "idle");
    office.talk_goes_on(CALLER, 2);
    talk.hang_up(&office);
    let story = office.story(CALLER, 10);
    let row = office.recording(&story, "stored", 15);
    office.sound(&row).assert_tones();
    assert!(
        story.legs().iter().any(|leg| leg["number"].as_str().is_some_and(|n| n.contains("74950000001"))),
        "{story:?}"
    );
    office.assert_clean();
}

#[test]
fn a_caller_whose_transfer_is_not_answered_is_back_in_the_queue_first_in_line() {
    let office = Office::open(Options { limits: "allowed_numbers = [\"+7495\"]", ..Options::default() });
    let _busy = office.phone_at(office.trunk_port, Manner::Rejects { after: 300, code: 486 });
    let talk = Talk::begin(&office, 0);
    let other = office.caller("79005550002", 0);
    office.wait_stage("79005550002", "waiting", 10);
    office.set_status(talk.agent.id, "pause");
    talk.transfer(&office, json!({"number": "+74950000001"}), "blind");
    office.wait_stage(CALLER, "waiting", 10);
    let board = office.board();
    assert_eq!(board["waiting"][0]["call"]["number"], "+79005550001", "{board}");
    let channel = office.ari.channel_of(CALLER);
    wait_until(
        "the caller is told",
        5,
        || office.events.played_to(&channel),
        |said| said.contains(&"transfer-failed".to_owned()),
    );
    office.set_status(talk.agent.id, "ready");
    office.wait_stage(CALLER, "talking", 10);
    talk.hang_up(&office);
    let second = office.wait_stage("79005550002", "talking", 10)["id"].as_str().unwrap().to_owned();
    office.api.post(&format!("/calls/{second}/hangup"), &json!({}));
    other.finish(10);
    assert!(office.story(CALLER, 10).notes().contains(&"transfer_failed".to_owned()));
    office.assert_clean();
}

#[test]
fn an_agent_asks_another_and_then_joins_the_two() {
    let office = Office::open(Options::default());
    let talk = Talk::begin(&office, 0);
    let (second, second_phone) = office.ready_agent("102", EAGER);
    office.talk_goes_on(CALLER, 1);
    talk.transfer(&office, json!({"agent": second.id}), "attended");
    second_phone.wait_noted("answered 102", 1, 10);
    office.wait_stage(CALLER, "consulting", 5);
    wait_until(
        "the two agents are in a bridge",
        5,
        || office.ari.bridges(),
        |bridges| {
            bridges.iter().any(|bridge| {
                bridge["channels"].as_array().is_some_and(|channels| {
                    channels.len() == 2 && channels.iter().all(|id| id.as_str().is_some_and(|id| id.starts_with("pz-")))
                })
            })
        },
    );
    talk.ask(&office, "transfer/complete", &json!({}));
    office.wait_stage(CALLER, "talking", 5);
    wait_state(&office, &talk.agent, "idle");
    wait_state(&office, &second, "talking");
    office.talk_goes_on(CALLER, 2);
    talk.hang_up(&office);
    let story = office.story(CALLER, 10);
    assert_eq!(story.agent(), Some(second.id));
    let row = office.recording(&story, "stored", 15);
    office.sound(&row).assert_tones();
    office.assert_clean();
}

#[test]
fn an_agent_asks_another_and_takes_the_caller_back() {
    let office = Office::open(Options::default());
    let talk = Talk::begin(&office, 0);
    let (second, second_phone) = office.ready_agent("102", EAGER);
    talk.transfer(&office, json!({"agent": second.id}), "attended");
    second_phone.wait_noted("answered 102", 1, 10);
    office.wait_stage(CALLER, "consulting", 5);
    talk.ask(&office, "transfer/cancel", &json!({}));
    office.wait_stage(CALLER, "talking", 5);
    wait_state(&office, &second, "idle");
    wait_state(&office, &talk.agent, "talking");
    office.talk_goes_on(CALLER, 2);
    talk.hang_up(&office);
    let story = office.story(CALLER, 10);
    assert_eq!(story.agent(), Some(talk.agent.id));
    let row = office.recording(&story, "stored", 15);
    office.sound(&row).assert_tones();
    office.assert_clean();
}

#[test]
fn an_agent_who_asks_and_hangs_up_has_transferred_the_caller() {
    let office = Office::open(Options::default());
    // The first agent's phone ends the call by itself, 2.5 s after its answer.
    let (first, _first_phone) = office.ready_agent("101", Manner::Answers { after: 100, talk: 2500 });
    let caller = office.caller(CALLER, 0);
    let call = office.wait_stage(CALLER, "talking", 10)["id"].as_str().unwrap().to_owned();
    let (second, second_phone) = office.ready_agent("102", EAGER);
    office.api.post(&format!("/calls/{call}/transfer"), &json!({"to": {"agent": second.id}, "mode": "attended"}));
    second_phone.wait_noted("answered 102", 1, 10);
    wait_state(&office, &first, "idle");
    office.wait_stage(CALLER, "talking", 5);
    office.talk_goes_on(CALLER, 1);
    office.api.post(&format!("/calls/{call}/hangup"), &json!({}));
    caller.finish(10);
    assert_eq!(office.story(CALLER, 10).agent(), Some(second.id));
    office.assert_clean();
}

#[test]
fn a_caller_who_hangs_up_during_the_consultation_ends_it_for_all() {
    let office = Office::open(Options::default());
    let talk = Talk::begin(&office, 4000);
    let (second, second_phone) = office.ready_agent("102", EAGER);
    talk.transfer(&office, json!({"agent": second.id}), "attended");
    second_phone.wait_noted("answered 102", 1, 10);
    talk.caller.finish(10);
    let story = office.story(CALLER, 10);
    assert_eq!(story.disposition(), "COMPLETECALLER");
    for agent in [&talk.agent, &second] {
        wait_state(&office, agent, "idle");
        assert_eq!(office.agent(agent.id)["status"], "ready");
    }
    office.assert_clean();
}
