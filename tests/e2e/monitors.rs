//! A supervisor hears a talk, whispers, speaks with both, takes over; proved by what each phone is sent.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use crate::audio::{AGENT, CALLER, Recording, share};
use crate::ear::PhoneEar;
use crate::office::{Office, Options};
use crate::phones::{Agent, Manner, Sipp};
use crate::wait::{wait_for, wait_until};

const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };
const NUMBER: &str = "79005550001";
/// The tone of the supervisor.
const CHIEF: u32 = 700;

struct Heard {
    agent: Agent,
    chief: Agent,
    /// Whose ear is listened to: an onlooker's snoop does not hear what another whispers.
    ear: PhoneEar,
    _phone: Sipp,
    caller: Sipp,
    call: String,
    caller_channel: String,
}

impl Heard {
    #[track_caller]
    fn begin(office: &Office) -> Heard {
        let agent = office.add_agent("101", json!({}));
        let ear = office.phone_ear(&agent, AGENT);
        office.set_status(agent.id, "ready");
        let chief = office.add_agent("109", json!({}));
        let phone = office.phone_sounding(&chief, EAGER, CHIEF);
        let caller = office.caller(NUMBER, 0);
        let call = office.wait_stage(NUMBER, "talking", 10)["id"].as_str().unwrap().to_owned();
        let caller_channel = office.ari.channel_of(NUMBER);
        Heard { agent, chief, ear, _phone: phone, caller, call, caller_channel }
    }

    #[track_caller]
    fn monitor(&self, office: &Office, mode: &str) {
        office.api.post(&format!("/calls/{}/monitor", self.call), &json!({"mode": mode, "agent": self.chief.id}));
    }

    #[track_caller]
    fn wait_mode(&self, office: &Office, mode: &str) {
        wait_until(
            &format!("the call is heard: {mode}"),
            10,
            || office.wait_stage(NUMBER, "talking", 5)["monitors"].clone(),
            |all| all[0]["mode"] == mode && all[0]["since"].is_string() && all[0]["agent"] == self.chief.id,
        );
    }

    fn leg(&self, own: &str) -> String {
        format!("pz-{}-{own}", self.call)
    }

    /// Which of the tones this phone is sent.
    #[track_caller]
    fn assert_hears(&self, office: &Office, channel: &str, expected: &[u32]) {
        assert_tones(channel, expected, || office.overheard(channel));
    }

    #[track_caller]
    fn assert_agent_hears(&self, expected: &[u32]) {
        assert_tones("the agent", expected, || self.ear.last());
    }
}

/// The first moments after a change may hold both.
#[track_caller]
fn assert_tones(who: &str, expected: &[u32], heard: impl Fn() -> Vec<i16>) {
    let expected: BTreeSet<u32> = expected.iter().copied().collect();
    wait_until(
        &format!("{who} hears {expected:?}"),
        10,
        || {
            let samples = heard();
            let shares = [CALLER, AGENT, CHIEF].map(|hertz| (hertz, share(&samples, 8000, hertz)));
            shares.into_iter().filter(|(_, share)| *share > 0.08).map(|(hertz, _)| hertz).collect::<BTreeSet<u32>>()
        },
        |tones| *tones == expected,
    );
}

impl Office {
    /// A second of what Asterisk sends to this channel.
    #[track_caller]
    fn overheard(&self, channel: &str) -> Vec<i16> {
        let name = format!("overheard-{}", self.ports.one());
        let snoop = format!("/channels/{channel}/snoop/{name}?app=onlooker&spy=out");
        let (status, told) = self.ari.ask(&Method::POST, &snoop).unwrap();
        assert_eq!(status, 200, "{told}");
        let record = format!("/channels/{name}/record?name={name}&format=wav&maxDurationSeconds=1");
        wait_for("the snoop can be recorded", 5, || match self.ari.ask(&Method::POST, &record) {
            Ok((201, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        wait_for("the recording has its length", 5, || {
            match self.ari.ask(&Method::GET, &format!("/recordings/live/{name}")) {
                Ok((404, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        let wav = wait_for("the sound is there", 5, || self.ari.file(&format!("/recordings/stored/{name}/file")));
        let _ = self.ari.ask(&Method::DELETE, &format!("/channels/{name}"));
        let _ = self.ari.ask(&Method::DELETE, &format!("/recordings/stored/{name}"));
        let mut reader = hound::WavReader::new(std::io::Cursor::new(wav)).expect("a WAV file");
        reader.samples::<i16>().filter_map(Result::ok).collect()
    }
}

#[test]
fn a_supervisor_listens_whispers_joins_and_takes_over() {
    let office = Office::open(Options::default());
    let talk = Heard::begin(&office);
    let (chief, caller) = (talk.leg("v2"), talk.caller_channel.clone());
    talk.monitor(&office, "listen");
    talk.wait_mode(&office, "listen");
    talk.assert_hears(&office, &chief, &[CALLER, AGENT]);
    talk.assert_agent_hears(&[CALLER]);
    talk.assert_hears(&office, &caller, &[AGENT]);
    talk.monitor(&office, "whisper");
    talk.wait_mode(&office, "whisper");
    talk.assert_agent_hears(&[CALLER, CHIEF]);
    talk.assert_hears(&office, &caller, &[AGENT]);
    talk.monitor(&office, "join");
    talk.wait_mode(&office, "join");
    talk.assert_hears(&office, &caller, &[AGENT, CHIEF]);
    talk.assert_agent_hears(&[CALLER, CHIEF]);
    talk.monitor(&office, "take_over");
    wait_until("the agent is free", 10, || office.agent(talk.agent.id), |now| now["state"] == "idle");
    let call = office.wait_stage(NUMBER, "talking", 5);
    assert_eq!(call["agents"], json!([talk.chief.id]), "{call}");
    assert!(call["monitors"].is_null(), "{call}");
    talk.assert_hears(&office, &caller, &[CHIEF]);
    talk.assert_hears(&office, &chief, &[CALLER]);
    office.api.post(&format!("/calls/{}/hangup", talk.call), &json!({}));
    talk.caller.finish(10);
    let story = office.story(NUMBER, 10);
    assert_eq!(story.agent(), Some(talk.chief.id));
    assert!(story.notes().contains(&"taken_over".to_owned()), "{:?}", story.notes());
    let row = office.recording(&story, "stored", 15);
    let sound: Recording = office.sound(&row);
    let talked = story.talked_ms() as f64 / 1000.0;
    assert!((sound.seconds() - talked).abs() < 0.2, "{} s recorded of {talked} s", sound.seconds());
    let on = |side: &[i16], hertz| share(side, sound.rate, hertz);
    assert!(on(&sound.left, CALLER) > 0.8, "{}", on(&sound.left, CALLER));
    assert!(on(&sound.right, AGENT) > 0.2 && on(&sound.right, CHIEF) > 0.1 && on(&sound.right, CALLER) < 0.05);
    let told = office.api.all("/audit?action=call_monitored");
    let modes: Vec<&Value> = told.iter().rev().map(|line| &line["detail"]["mode"]).collect();
    assert_eq!(modes, ["listen", "whisper", "join", "take_over"], "{told:?}");
    for line in &told {
        assert_eq!((&line["actor"], &line["subject"]), (&json!("chief"), &json!(talk.call)), "{line}");
        assert!(line["detail"]["from"].as_str() <= line["detail"]["to"].as_str(), "{line}");
    }
    office.assert_clean();
}

#[test]
fn a_talk_outlives_its_listeners_whether_they_hang_up_or_the_engine_is_killed() {
    let office = Office::open(Options::default());
    let talk = Heard::begin(&office);
    talk.monitor(&office, "join");
    talk.wait_mode(&office, "join");
    let stop = format!("/calls/{}/monitor?agent={}", talk.call, talk.chief.id);
    assert_eq!(office.api.ask(&Method::DELETE, &stop, None).unwrap().status, 204);
    let gone = |own: &str| {
        let id = talk.leg(own);
        wait_until("it is gone", 10, || office.ari.channels(), |all| all.iter().all(|one| one["id"] != id.as_str()));
    };
    gone("s1");
    gone("v2");
    talk.assert_hears(&office, &talk.caller_channel, &[AGENT]);
    talk.monitor(&office, "listen");
    talk.wait_mode(&office, "listen");
    // What the journal has not written yet goes with a killed engine: that it was asked for is written at once.
    wait_until("it is written", 5, || office.api.all("/audit?action=call_monitor_began"), |lines| lines.len() == 2);
    office.kill_engine();
    office.talk_goes_on(NUMBER, 1);
    office.start_engine();
    let call = office.wait_stage(NUMBER, "talking", 5);
    assert!(call["monitors"].is_null(), "{call}");
    gone("s2");
    gone("v3");
    talk.assert_hears(&office, &talk.caller_channel, &[AGENT]);
    wait_until("one bridge is left", 10, || office.ari.bridges().len(), |count| *count == 1);
    // Once more, and the caller hangs up.
    talk.monitor(&office, "whisper");
    talk.wait_mode(&office, "whisper");
    office.api.post(&format!("/calls/{}/hangup", talk.call), &json!({}));
    talk.caller.finish(10);
    let story = office.story(NUMBER, 10);
    office.recording(&story, "stored", 15);
    let told = wait_until(
        "the audit has all ends",
        10,
        || office.api.all("/audit?action=call_monitored"),
        |lines| lines.len() == 3,
    );
    assert_eq!(
        told.iter().rev().map(|line| &line["detail"]["mode"]).collect::<Vec<_>>(),
        ["join", "listen", "whisper"]
    );
    office.assert_clean();
}
