//! What is set in the console holds for the next call and after a restart.

use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use crate::office::{OFFICE_NUMBER, Office, Options, PEREZVON};
use crate::phones::Manner;

fn set(office: &Office, section: &str, value: &Value) {
    let body = json!({ "value": value });
    let reply = office.api.ask(&Method::PUT, &format!("/settings/{section}"), Some(&body)).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.json());
}

#[test]
fn a_number_leads_where_the_console_says_at_once_and_after_a_restart_and_talks_go_on() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", Manner::Answers { after: 100, talk: 0 });
    let talk = office.caller("79005550001", 0);
    office.wait_stage("79005550001", "talking", 10);

    set(&office, "queues", &json!({ "list": [{ "name": "first" }, { "name": "main" }, { "name": "service" }] }));
    set(&office, "numbers", &json!({ "routes": { OFFICE_NUMBER: "service" } }));
    let first = office.caller("79005550002", 0);
    assert_eq!(office.wait_stage("79005550002", "waiting", 10)["queue"], "service");
    // The queue takes another place in the list: who waits in it still does, and who talks still does.
    set(&office, "queues", &json!({ "list": [{ "name": "service" }, { "name": "main" }] }));
    assert_eq!(office.wait_stage("79005550002", "waiting", 5)["queue"], "service");
    assert_eq!(office.wait_stage("79005550001", "talking", 5)["queue"], "main");
    office.talk_goes_on("79005550001", 3);

    office.kill_engine();
    office.start_engine();
    assert_eq!(office.wait_stage("79005550002", "waiting", 10)["queue"], "service");
    let second = office.caller("79005550003", 0);
    assert_eq!(office.wait_stage("79005550003", "waiting", 10)["queue"], "service");
    let sections = office.api.get("/settings");
    assert_eq!(sections["items"][0]["from"], "console", "{sections}");
    let config = office.config();
    let check = Command::new(PEREZVON).arg("check").arg("--config").arg(config).output().expect("perezvon check");
    let lines = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(lines.contains("set in the console, before the file: numbers, queues"), "{lines}");
    for number in ["79005550003", "79005550002", "79005550001"] {
        let stage = if number == "79005550001" { "talking" } else { "waiting" };
        let call = office.wait_stage(number, stage, 5);
        office.api.post(&format!("/calls/{}/hangup", call["id"].as_str().expect("an id")), &json!({}));
    }
    [talk, first, second].iter().for_each(|caller| caller.finish(20));
    office.assert_clean();
}
