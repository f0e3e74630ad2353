//! What clients whom the office calls do with the keys, and what becomes of callers who hung up while waiting.

use serde_json::{Value, json};

use crate::callbacks::{office_with, outcomes};
use crate::office::{Office, canonical};
use crate::phones::Manner;
use crate::story::Story;
use crate::wait::wait_until;

/// Keys of a client, by the last two digits of the number: see `sipp/mobile.xml`.
const AGAIN_THEN_AGENT: &str = "79005559920";
const SEARCHES: &str = "79005559919";
const CANCELS: &str = "79005559929";
/// Listens, and hangs up when the other side does.
const LISTENS: &str = "79005550007";
/// Talks.
const TALKS: &str = "79005550010";
/// Another caller.
const WAITS: &str = "79005550017";

/// The call that came of the last attempt.
#[track_caller]
fn call_of(office: &Office, callback: &Value) -> Story {
    let tries = callback["tries"].as_array().expect("tries");
    office.story_of(tries.last().expect("an attempt")["id"].as_str().expect("an id"))
}

impl Office {
    /// An order of this client for which no car was found.
    #[track_caller]
    fn not_found(&self, number: &str) -> u64 {
        let order = json!({"phone": canonical(number), "from": {"street": "улица Ленина", "house": "5"}});
        let id = self.api.post("/orders", &order)["id"].as_u64().expect("an order");
        self.api.post(&format!("/orders/{id}/no-car"), &json!({}));
        id
    }
}

#[test]
fn two_says_it_again_and_zero_leads_to_an_agent_before_all_who_wait_who_sees_why() {
    let office = office_with("");
    let mobile = office.mobile();
    let agent = office.add_agent("101", json!({}));
    let phone = office.phone(&agent, Manner::Answers { after: 3000, talk: 2000 });
    let earlier = office.caller(WAITS, 0);
    office.wait_stage(WAITS, "waiting", 15);
    let order = office.assigned(AGAIN_THEN_AGENT);
    mobile.wait_noted(&format!("pressed {AGAIN_THEN_AGENT}"), 2, 30);
    office.wait_stage(AGAIN_THEN_AGENT, "waiting", 10);
    let line: Vec<Value> =
        office.board()["waiting"].as_array().unwrap().iter().map(|one| one["call"]["number"].clone()).collect();
    assert_eq!(line, [canonical(AGAIN_THEN_AGENT), canonical(WAITS)], "who was called goes first");
    office.set_status(agent.id, "ready");
    let offered = office.wait_stage(AGAIN_THEN_AGENT, "offered", 10);
    let choices: Vec<(&str, &str)> = offered["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["what"].as_str().unwrap(), one["detail"].as_str().unwrap()))
        .collect();
    assert_eq!(choices, [("called_back", "assigned"), ("repeated_status", ""), ("wants_agent", "")]);
    assert_eq!(offered["orders"][0]["id"], order, "{offered}");
    phone.wait_noted("hung_up 101", 2, 40);
    earlier.finish(20);
    let callback = office.callback(AGAIN_THEN_AGENT, "delivered", 20);
    assert_eq!(outcomes(&callback), ["delivered"]);
    let story = call_of(&office, &callback);
    assert_eq!((story.disposition(), story.agent()), ("COMPLETEAGENT", Some(agent.id)), "{story:?}");
    assert!(office.story(WAITS, 20).at("bridged_at") > story.at("bridged_at"));
    office.assert_clean();
}

#[test]
fn where_no_car_was_found_one_looks_again_and_two_cancels() {
    let office = office_with("");
    let _mobile = office.mobile();
    for (number, state, choice) in
        [(SEARCHES, "searching", "searches_again"), (CANCELS, "cancelled", "cancelled_order")]
    {
        let order = office.not_found(number);
        let callback = office.callback(number, "delivered", 30);
        assert_eq!((&callback["occasion"], outcomes(&callback)), (&json!("not_found"), vec!["delivered"]));
        let now = wait_until(
            "the order has changed",
            10,
            || office.api.get(&format!("/orders/{order}")),
            |now| now["state"] == state,
        );
        let last = now["history"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["source"], &last["actor"]["kind"]), (&json!("ivr"), &json!("client")), "{last}");
        let story = office.story(number, 20);
        assert_eq!(story.disposition(), "INFORMED", "{story:?}");
        assert!(story.notes().iter().any(|note| note == choice), "{:?}", story.notes());
    }
    office.assert_clean();
}

/// Waits in the queue and hangs up.
#[track_caller]
fn lost(office: &Office, number: &str) {
    let calls = office.journal().iter().filter(|call| call["number"] == canonical(number)).count();
    office.caller(number, 1500).finish(15);
    let story = office.stories(number, calls + 1, 10).pop().expect("a call");
    assert_eq!(story.disposition(), "ABANDON", "{story:?}");
}

#[test]
fn a_caller_who_hung_up_while_waiting_is_called_back_by_itself_where_the_office_wants_it() {
    let office = office_with("lost = true\nhours = []");
    let mobile = office.mobile();
    lost(&office, LISTENS);
    let callback = office.callback(LISTENS, "delivered", 30);
    assert_eq!((&callback["kind"], outcomes(&callback)), (&json!("lost"), vec!["delivered"]), "{callback}");
    assert_eq!(mobile.noted(&format!("invited {LISTENS}")), 1);
    office.assert_clean();
}

#[test]
fn an_entry_of_a_lost_caller_closes_itself_when_the_client_rings_in_or_was_reached_by_an_agent() {
    let office = office_with("");
    let mobile = office.mobile();
    lost(&office, TALKS);
    let listed = office.callback(TALKS, "listed", 10);
    assert_eq!((&listed["kind"], &listed["closed_at"]), (&json!("lost"), &Value::Null), "{listed}");
    assert_eq!(mobile.noted("invited"), 0, "is for the agents alone");
    // Rings in again and hangs up again: the first entry is closed, and there is a new one.
    lost(&office, TALKS);
    wait_until(
        "there is a second entry",
        10,
        || office.api.get("/callbacks?kind=lost")["items"].clone(),
        |list| list.as_array().is_some_and(|list| list.len() == 2),
    );
    let open = office.api.get("/callbacks?open=true")["items"].clone();
    assert_eq!((open.as_array().unwrap().len(), &open[0]["state"]), (1, &json!("listed")), "{open}");
    assert_ne!(open[0]["id"], listed["id"]);
    // An agent calls back from the list.
    let agent = office.add_agent("101", json!({}));
    let phone = office.phone(&agent, Manner::Answers { after: 200, talk: 5000 });
    office.api.post("/calls", &json!({"number": TALKS, "agent": agent.id}));
    let closed = office.callback(TALKS, "superseded", 20);
    assert_eq!((&closed["id"], closed["closed_at"].is_string()), (&open[0]["id"], true), "{closed}");
    phone.wait_noted("hung_up 101", 1, 20);
    assert_eq!(office.api.get("/callbacks?open=true")["items"], json!([]));
    office.assert_clean();
}
