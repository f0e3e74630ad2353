//! What an administrator reads of a call in the log.

use serde_json::{Value, json};

use crate::office::{Office, Options};
use crate::phones::Manner;

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };
const CALLER: &str = "79005550001";

#[test]
fn each_line_of_json_that_is_about_a_call_names_it() {
    let office = Office::open(Options::default());
    let text = std::fs::read_to_string(office.config()).unwrap();
    std::fs::write(office.config(), text.replace("[telemetry]\n", "[telemetry]\nformat = \"json\"\n")).unwrap();
    office.kill_engine();
    let before = std::fs::read_to_string(office.log("engine")).unwrap().lines().count();
    office.start_engine();
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let caller = office.caller(CALLER, 0);
    let call = office.wait_stage(CALLER, "talking", 10)["id"].as_str().unwrap().to_owned();
    let (second, _second_phone) = office.ready_agent("102", EAGER);
    let ask = |what: &str, body: Value| office.api.post(&format!("/calls/{call}/{what}"), &body);
    ask("hold", json!({}));
    office.wait_stage(CALLER, "held", 5);
    ask("resume", json!({}));
    office.wait_stage(CALLER, "talking", 5);
    office.talk_goes_on(CALLER, 1);
    ask("transfer", json!({"to": {"agent": second.id}, "mode": "blind"}));
    crate::wait::wait_until("the second agent talks", 10, || office.agent(second.id), |now| now["state"] == "talking");
    ask("hangup", json!({}));
    caller.finish(10);
    let story = office.story(CALLER, 10);
    let recording = office.recording(&story, "stored", 20);

    let log = std::fs::read_to_string(office.log("engine")).unwrap();
    let lines: Vec<&str> = log.lines().skip(before).collect();
    let mut names: Vec<String> =
        story.legs().iter().filter_map(|leg| leg["channel"].as_str().map(str::to_owned)).collect();
    names.extend([story.id().to_owned(), CALLER.to_owned()]);
    names.extend(recording["name"].as_str().map(str::to_owned));
    let mut about = 0;
    for line in &lines {
        let told: Value = serde_json::from_str(line).unwrap_or_else(|cause| panic!("{cause}: {line}"));
        for field in ["timestamp", "level", "target", "message"] {
            assert!(told[field].is_string(), "{field}: {line}");
        }
        if names.iter().any(|name| line.contains(name.as_str())) {
            about += 1;
            assert_eq!(told["call"], story.id(), "{line}");
        }
    }
    println!("{} lines, {about} of them about the call", lines.len());
    assert!(names.len() >= 4 && about >= 1, "{names:?}\n{log}");
    office.assert_clean();
}
