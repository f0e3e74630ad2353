//! Dispatchers call: their own phone rings, then the client's mobile; recorded and journalled like any other call.

use hyper::Method;
use serde_json::{Value, json};

use crate::office::{Office, Options, canonical};
use crate::phones::Manner;
use crate::wait::wait_until;

/// Answers, says a word, and talks.
const TALKS: &str = "79005550010";
const BUSY: &str = "79005550001";

fn office() -> Office {
    Office::open(Options { limits: "allowed_numbers = [\"+79\"]", ..Options::default() })
}

fn ended(office: &Office, call: &Value) -> crate::story::Story {
    let id = call["id"].as_str().expect("an id").to_owned();
    let path = format!("/calls/{id}");
    // It is made before it stands in the journal.
    let seen = || office.api.ask(&Method::GET, &path, None).map_or(Value::Null, |reply| reply.json());
    wait_until("the call is over", 30, seen, |seen| seen["call"]["disposition"].is_string());
    wait_until("all legs of the call have ended", 10, || office.story_of(&id), crate::story::Story::is_whole)
}

#[test]
fn a_dispatcher_calls_a_client_and_both_sides_are_recorded() {
    let office = office();
    let mobile = office.mobile();
    let agent = office.add_agent("101", json!({}));
    // On a pause: who wants to call need not be ready for callers.
    let phone = office.phone(&agent, Manner::Answers { after: 200, talk: 6000 });
    let order =
        office.api.post("/orders", &json!({"phone": canonical(TALKS), "from": {"street": "улица Мира", "house": "1"}}));
    let call = office.api.post("/calls", &json!({"order": order["id"], "agent": agent.id}));
    assert_eq!(call["number"], canonical(TALKS), "{call}");
    mobile.wait_noted(&format!("answered {TALKS}"), 1, 20);
    wait_until("the agent talks", 10, || office.agent(agent.id), |seen| seen["state"] == "talking");
    let again = office.api.refused("/calls", &json!({"number": TALKS, "agent": agent.id}));
    assert_eq!((again.0, &again.1["type"]), (409, &json!("urn:perezvon:problem:agent_not_free")), "{again:?}");
    phone.wait_noted("hung_up 101", 1, 30);
    let story = ended(&office, &call);
    assert_eq!((story.disposition(), story.agent()), ("COMPLETEAGENT", Some(agent.id)), "{story:?}");
    assert_eq!((story.field("outgoing"), story.field("number")), (&json!(true), &json!(canonical(TALKS))));
    assert!(story.notes().iter().any(|note| note == "dialled"), "{:?}", story.notes());
    let recording = office.recording(&story, "stored", 20);
    assert!(office.sound(&recording).seconds() > 2.0, "the talk is recorded: {recording}");
    office.assert_clean();
}

#[test]
fn a_client_who_is_busy_and_a_number_that_is_forbidden_or_blocked_are_told_as_that() {
    let office = office();
    let mobile = office.mobile();
    let (agent, _phone) = office.ready_agent("101", Manner::Answers { after: 200, talk: 0 });
    let call = office.api.post("/calls", &json!({"number": BUSY, "agent": agent.id}));
    let story = ended(&office, &call);
    assert_eq!(story.disposition(), "NOANSWER", "{story:?}");
    assert_eq!(mobile.noted(&format!("invited {BUSY}")), 1);
    wait_until("the agent is free", 10, || office.agent(agent.id), |seen| seen["state"] == "idle");
    let forbidden = office.api.refused("/calls", &json!({"number": "+442079460000", "agent": agent.id}));
    assert_eq!(
        (forbidden.0, &forbidden.1["type"]),
        (422, &json!("urn:perezvon:problem:number_not_allowed")),
        "{forbidden:?}"
    );
    let none = office.add_agent("102", json!({}));
    // A phone of which nothing is known may be there: it is tried, and given up when it does not ring.
    let call = office.api.post("/calls", &json!({"number": TALKS, "agent": none.id}));
    assert_eq!(ended(&office, &call).disposition(), "ABANDON");
    assert_eq!(mobile.noted(&format!("invited {TALKS}")), 0);
    office.assert_clean();
}
