//! Clients whom the office calls, over a mobile network in which all happens that can: see `sipp/mobile.xml`.

use hyper::Method;
use serde_json::{Value, json};

use crate::audio::CALLER;
use crate::office::{Office, Options, canonical};
use crate::phones::{Manner, Sipp};
use crate::wait::wait_for;

const BUSY: &str = "79005550001";
const SILENT: &str = "79005550002";
const REJECTS: &str = "79005550003";
const AWAY: &str = "79005550004";
const MACHINE: &str = "79005550005";
const SHORT: &str = "79005550006";
const LISTENS: &str = "79005550007";
const PRESSES: &str = "79005550008";
const UNKNOWN: &str = "79005550009";

/// An office that calls mobiles, again after two seconds. Its announcements are all by voice.
fn office() -> Office {
    office_with("")
}

/// The same, with further lines of `[callback]`.
pub fn office_with(lines: &str) -> Office {
    Office::open(options_with(lines))
}

pub fn options_with(lines: &str) -> Options {
    let more = format!(
        "[callback]\ninterval_seconds = 2\nring_seconds = 5\n{lines}\n\
         [callback.notify]\narrived = \"voice\"\nclosed = \"none\""
    );
    Options { limits: "allowed_numbers = [\"+79\"]", more: more.leak(), ..Options::default() }
}

impl Office {
    /// The network of the clients, where Asterisk dials outside numbers.
    #[track_caller]
    pub fn mobile(&self) -> Sipp {
        Sipp::start(self, "mobile", self.trunk_port, CALLER, None, &[])
    }

    /// An order of this client to which a car was assigned.
    #[track_caller]
    pub fn assigned(&self, number: &str) -> u64 {
        let order = json!({"phone": canonical(number), "from": {"street": "улица Ленина", "house": "5"}});
        let id = self.api.post("/orders", &order)["id"].as_u64().expect("an order");
        let car = json!({"make": "Lada", "model": "Granta", "colour": "белый", "plate": "А123ВС77", "callsign": "31"});
        self.api.post(&format!("/orders/{id}/assign"), &json!({"car": car, "eta_minutes": 7}));
        id
    }

    /// Waits until the newest callback to this number is in this state; gives it with its attempts.
    #[track_caller]
    pub fn callback(&self, number: &str, state: &str, seconds: u64) -> Value {
        let path = format!("/callbacks?number=%2B{number}");
        wait_for(&format!("the callback to {number} is {state}"), seconds, || {
            let list = self.api.get(&path);
            let newest = &list["items"][0];
            if newest["state"] != state || newest["calling"] == true {
                return Err(format!("{list}"));
            }
            Ok(self.api.get(&format!("/callbacks/{}", newest["id"])))
        })
    }
}

pub fn outcomes(callback: &Value) -> Vec<&str> {
    callback["tries"].as_array().expect("tries").iter().map(|one| one["outcome"].as_str().unwrap_or("-")).collect()
}

/// From the end of each attempt to the beginning of the next, in milliseconds.
fn pauses(callback: &Value) -> Vec<i64> {
    let at = |one: &Value, what: &str| {
        chrono::DateTime::parse_from_rfc3339(one[what].as_str().expect("a moment")).expect("RFC 3339")
    };
    let tries = callback["tries"].as_array().expect("tries");
    tries.windows(2).map(|two| (at(&two[1], "started_at") - at(&two[0], "ended_at")).num_milliseconds()).collect()
}

#[test]
fn each_way_in_which_a_call_can_go_has_its_outcome_and_who_is_not_reached_is_called_again() {
    let office = office();
    let mobile = office.mobile();
    for number in [BUSY, SILENT, REJECTS, AWAY, MACHINE, SHORT, LISTENS, UNKNOWN] {
        office.assigned(number);
    }
    let heard = office.callback(LISTENS, "delivered", 40);
    assert_eq!(outcomes(&heard), ["delivered"], "{heard}");
    for (number, outcome, times) in [
        (BUSY, "busy", 3),
        (REJECTS, "rejected", 3),
        (AWAY, "unreachable", 3),
        (SHORT, "hung_up", 3),
        (UNKNOWN, "no_such_number", 1),
        (MACHINE, "machine", 3),
        (SILENT, "no_answer", 3),
    ] {
        let callback = office.callback(number, "exhausted", 90);
        assert_eq!(outcomes(&callback), vec![outcome; times], "{number}: {callback}");
        for pause in pauses(&callback) {
            assert!((2000..3000).contains(&pause), "{number} was called again after {pause} ms");
        }
        assert_eq!(callback["closed_at"], Value::Null, "a task for the agents: {callback}");
        assert_eq!(mobile.noted(&format!("invited {number}")), times);
    }
    // Those who answered stand in the journal as calls of the office's own.
    let call = &office.api.get(&format!("/calls/{}", heard["tries"][0]["id"].as_str().expect("an id")))["call"];
    assert_eq!((&call["outgoing"], &call["disposition"]), (&json!(true), &json!("INFORMED")), "{call}");
    assert_eq!(call["number"], canonical(LISTENS));
    let metrics = office.api.ask(&Method::GET, "/metrics", None).unwrap();
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for line in [
        "callback_attempts_total{reason=\"assigned\",outcome=\"delivered\"} 1",
        "callback_attempts_total{reason=\"assigned\",outcome=\"busy\"} 3",
        "callback_attempts_total{reason=\"assigned\",outcome=\"machine\"} 3",
        "callbacks_ended_total{reason=\"assigned\",end=\"delivered\"} 1",
        "callbacks_ended_total{reason=\"assigned\",end=\"exhausted\"} 7",
        "callback_delivery_seconds_count{reason=\"assigned\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    // Whom the office called did not call the office.
    let client = office.api.get(&format!("/clients/{}", heard["client"]));
    assert_eq!(client["counters"]["calls"], 0, "{client}");
    office.assert_clean();
}

#[test]
fn a_key_is_hearing_and_leads_to_an_agent_and_the_talk_is_recorded() {
    let office = office();
    let mobile = office.mobile();
    let (_agent, phone) = office.ready_agent("101", Manner::Answers { after: 100, talk: 1500 });
    office.assigned(PRESSES);
    mobile.wait_noted(&format!("pressed {PRESSES}"), 1, 30);
    let callback = office.callback(PRESSES, "delivered", 30);
    phone.wait_noted("hung_up 101", 1, 30);
    let story = office.story(PRESSES, 20);
    assert_eq!(story.disposition(), "COMPLETEAGENT");
    let recording = office.recording(&story, "stored", 20);
    let seconds = office.sound(&recording).seconds();
    assert!((1.0..2.5).contains(&seconds), "{seconds} s of the talk are recorded");
    assert_eq!(outcomes(&office.callback(PRESSES, "delivered", 10)), ["delivered"], "{callback}");
    office.assert_clean();
}

#[test]
fn the_newest_state_is_told_and_an_order_that_was_cancelled_takes_back_the_call() {
    let office = office();
    let mobile = office.mobile();
    let order = office.assigned(SILENT);
    mobile.wait_noted(&format!("invited {SILENT}"), 1, 20);
    office.api.post(&format!("/orders/{order}/arrive"), &json!({}));
    let list = office.api.get(&format!("/callbacks?order={order}"));
    let states: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["pending", "superseded"], "{list}");
    office.api.post(&format!("/orders/{order}/cancel"), &json!({"by": "client"}));
    mobile.wait_noted(&format!("cancelled {SILENT}"), 1, 20);
    let callback = office.callback(SILENT, "cancelled", 20);
    assert_eq!(callback["occasion"], "arrived");
    assert_eq!(mobile.noted(&format!("invited {SILENT}")), 1);
    office.assert_clean();
}

#[test]
fn nothing_is_forgotten_and_nobody_called_twice_at_once_when_engine_and_asterisk_are_killed() {
    let mut office = office();
    let mobile = office.mobile();
    office.assigned(SILENT);
    mobile.wait_noted(&format!("invited {SILENT}"), 1, 20);
    // The call rings on without an engine, and is taken up.
    office.kill_engine();
    office.start_engine();
    let callback = office.callback(SILENT, "exhausted", 60);
    assert_eq!(outcomes(&callback), ["no_answer"; 3], "{callback}");
    assert_eq!(mobile.noted(&format!("invited {SILENT}")), 3);
    // A restart of Asterisk costs none of the attempts.
    office.assigned(LISTENS);
    mobile.wait_noted(&format!("answered {LISTENS}"), 1, 20);
    office.kill_asterisk();
    office.start_asterisk();
    let callback = office.callback(LISTENS, "delivered", 60);
    assert_eq!(outcomes(&callback), ["interrupted", "delivered"], "{callback}");
    assert_eq!(callback["attempts"], 1);
}
