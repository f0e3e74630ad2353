//! Fifty talks with everything that happens to talks, and the engine killed in the middle of each half: what the archive
//! has of them.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::archive::{files, recording as recordings_command};
use crate::audio::{Recording, share};
use crate::office::{OFFICE_NUMBER, Office, Options, canonical};
use crate::phones::{Agent, Caller, Manner, Sipp};
use crate::story::Story;
use crate::wait::wait_until;

/// Phones that are one program have one tone.
const ON_A_PHONE: usize = 5;
/// Tones of callers, so many callers each.
const CALLERS: [u32; 5] = [350, 450, 550, 650, 750];
/// Tones of agents: the first five phones take the callers, the last two are asked for and transferred to.
const AGENTS: [u32; 7] = [1000, 1150, 1300, 1450, 1600, 1750, 1900];
const HALF: usize = CALLERS.len() * ON_A_PHONE;
/// "Complete to 0.1 s".
const NEAR_MS: f64 = 100.0;

/// What is done with a talk.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Hold,
    Blind,
    Attended,
    Pause,
    Plain,
}

const FATES: [Fate; 5] = [Fate::Hold, Fate::Blind, Fate::Attended, Fate::Pause, Fate::Plain];

struct Talk {
    number: String,
    tone: u32,
    fate: Fate,
    call: String,
    /// Who took the call, and who has it in the end.
    agents: [u64; 2],
}

struct Team {
    /// All agents: who takes callers, then who is transferred to.
    agents: Vec<Agent>,
    tones: BTreeMap<u64, u32>,
    _phones: Vec<Sipp>,
}

impl Team {
    #[track_caller]
    fn hire(office: &Office) -> Team {
        let (mut agents, mut tones, mut phones) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (group, hertz) in AGENTS.into_iter().enumerate() {
            let port = office.ports.one();
            let named = |n: usize| office.add_agent(&format!("1{group}{n}"), json!({}));
            let team: Vec<Agent> = (0..ON_A_PHONE).map(named).collect();
            office.register_all(&team, port);
            phones.push(office.sounding_at(port, Manner::Answers { after: 100, talk: 0 }, hertz, 2 * ON_A_PHONE));
            tones.extend(team.iter().map(|agent| (agent.id, hertz)));
            agents.extend(team);
        }
        wait_until(
            "all phones are reachable",
            15,
            || office.board()["agents"].clone(),
            |seen| seen.as_array().is_some_and(|seen| seen.iter().all(|agent| agent["reachable"] == true)),
        );
        Team { agents, tones, _phones: phones }
    }
}

fn ask(office: &Office, talk: &Talk, what: &str) {
    office.api.post(&format!("/calls/{}/{what}", talk.call), &json!({}));
}

fn transfer(office: &Office, talk: &mut Talk, to: &Agent, mode: &str) {
    let path = format!("/calls/{}/transfer", talk.call);
    office.api.post(&path, &json!({"to": {"agent": to.id}, "mode": mode}));
    talk.agents[1] = to.id;
}

/// Bridges in which so many pairs of agents talk with each other.
fn consultations(office: &Office) -> usize {
    let of_two = |bridge: &&Value| {
        let channels = bridge["channels"].as_array().map_or(&[][..], Vec::as_slice);
        channels.len() == 2 && channels.iter().all(|id| id.as_str().is_some_and(|id| id.starts_with("pz-")))
    };
    office.ari.bridges().iter().filter(of_two).count()
}

/// Twenty-five callers talk, and all that can be done with a talk is done when the engine is killed.
#[track_caller]
fn half(office: &Office, team: &Team, prefix: &str) -> Vec<Talk> {
    let (first, reserve) = team.agents.split_at(HALF);
    first.iter().for_each(|agent| office.set_status(agent.id, "ready"));
    reserve.iter().for_each(|agent| office.set_status(agent.id, "offline"));
    let number = |group: usize, n: usize| format!("{prefix}{group:02}{n:02}");
    let callers: Vec<Sipp> = CALLERS
        .into_iter()
        .enumerate()
        .map(|(group, hertz)| {
            let numbers: Vec<String> = (0..ON_A_PHONE).map(|n| number(group, n)).collect();
            let callers: Vec<Caller> = numbers.iter().map(|number| (number.as_str(), 0)).collect();
            office.callers_sounding(OFFICE_NUMBER, &callers, 5, hertz)
        })
        .collect();
    office.wait_count("talking", HALF, 30);
    let live = office.live();
    let mut talks: Vec<Talk> = CALLERS
        .into_iter()
        .enumerate()
        .flat_map(|(group, tone)| (0..ON_A_PHONE).map(move |n| (group, n, tone)))
        .map(|(group, n, tone)| {
            let number = number(group, n);
            let call = live.iter().find(|call| call["number"] == canonical(&number)).expect("the call");
            let agent = call["agents"][0].as_u64().expect("an agent");
            Talk { number, tone, fate: FATES[n], call: call["id"].as_str().unwrap().to_owned(), agents: [agent; 2] }
        })
        .collect();
    let last = talks.last().expect("talks").number.clone();
    office.talk_goes_on(&last, 2);

    reserve.iter().for_each(|agent| office.set_status(agent.id, "ready"));
    let mut free = reserve.iter();
    for talk in &mut talks {
        match talk.fate {
            Fate::Hold => ask(office, talk, "hold"),
            Fate::Blind => transfer(office, talk, free.next().expect("somebody free"), "blind"),
            Fate::Attended => transfer(office, talk, free.next().expect("somebody free"), "attended"),
            Fate::Pause => ask(office, talk, "recording/pause"),
            Fate::Plain => {}
        }
    }
    wait_until("five agents have asked another", 20, || consultations(office), |found| *found == CALLERS.len());
    let talk_on = || {
        office.wait_count("held", CALLERS.len(), 10);
        office.wait_count("consulting", CALLERS.len(), 10);
        office.wait_count("talking", HALF - 2 * CALLERS.len(), 20);
    };
    talk_on();
    office.kill_engine();
    office.talk_goes_on(&last, 2);
    office.start_engine();
    talk_on();

    for talk in &talks {
        match talk.fate {
            Fate::Hold => ask(office, talk, "resume"),
            Fate::Attended => ask(office, talk, "transfer/complete"),
            Fate::Pause => ask(office, talk, "recording/resume"),
            Fate::Blind | Fate::Plain => {}
        }
    }
    office.wait_count("talking", HALF, 20);
    office.talk_goes_on(&last, 2);
    talks.iter().for_each(|talk| ask(office, talk, "hangup"));
    callers.iter().for_each(|callers| callers.finish(20));
    talks
}

/// Where the recording was paused, in milliseconds.
fn pauses(story: &Story) -> Vec<(f64, f64)> {
    let places: Vec<f64> = story
        .noted()
        .iter()
        .filter(|(what, _)| what.starts_with("recording_"))
        .map(|(_, detail)| detail.trim_end_matches(" ms").parse().expect("a place"))
        .collect();
    places.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Complete, and each side has its own voice alone: the caller's all the time, the agents' one after the other.
#[track_caller]
fn assert_whole(talk: &Talk, story: &Story, sound: &Recording, tones: &BTreeMap<u64, u32>) {
    let who = format!("{} ({:?})", talk.number, talk.fate);
    let (length, talked) = (sound.seconds() * 1000.0, story.talked_ms() as f64);
    assert!((length - talked).abs() <= NEAR_MS, "{who}: {length} ms recorded of {talked} ms: {story:?}");
    let paused = pauses(story);
    assert_eq!(paused.len(), usize::from(talk.fate == Fate::Pause), "{who}: {story:?}");
    if !paused.is_empty() {
        crate::pauses::assert_silent(sound, &paused);
    }
    let ends = |samples: &[i16]| {
        let second = sound.rate as usize;
        [samples[..second].to_vec(), samples[samples.len() - second..].to_vec()]
    };
    let own = share(&sound.left, sound.rate, talk.tone);
    assert!(own > 0.8, "{who}: {} Hz is {own:.2} of the left", talk.tone);
    for ((agent, part), when) in talk.agents.iter().zip(ends(&sound.right)).zip(["first", "last"]) {
        let (tone, own) = (tones[agent], share(&part, sound.rate, tones[agent]));
        assert!(own > 0.8, "{who}: {tone} Hz is {own:.2} of the {when} second of the right");
        let strange = share(&part, sound.rate, talk.tone);
        assert!(strange < 0.05, "{who}: the caller is {strange:.2} of the {when} second of the right");
    }
    let of_agents: f64 = AGENTS.iter().map(|tone| share(&sound.left, sound.rate, *tone)).sum();
    assert!(of_agents < 0.05, "{who}: agents are {of_agents:.2} of the left");
}

#[test]
fn fifty_talks_with_holds_transfers_pauses_and_kills_are_all_there_whole_and_on_their_sides() {
    let office = Office::open(Options::default());
    let team = Team::hire(&office);
    let talks: Vec<Talk> = ["7900555", "7900556"].into_iter().flat_map(|prefix| half(&office, &team, prefix)).collect();
    assert_eq!(talks.len(), 50);

    let mut rows = Vec::new();
    for talk in &talks {
        let story = office.story(&talk.number, 20);
        assert_eq!((story.disposition(), story.agent()), ("ENDED", Some(talk.agents[1])), "{:?}", talk.fate);
        let row = office.recording(&story, "stored", 30);
        assert_eq!(story.recordings().len(), 1, "one recording, in one piece: {story:?}");
        assert_whole(talk, &story, &office.sound(&row), &team.tones);
        rows.push(row);
    }
    // Each is found.
    assert_eq!(office.api.all("/recordings").len(), talks.len());
    for (talk, row) in talks.iter().zip(&rows) {
        let found = office.api.all(&format!("/recordings?number={}", talk.number));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["id"], row["id"]);
        for agent in talk.agents {
            let of_agent = office.api.all(&format!("/recordings?agent={agent}"));
            assert!(of_agent.iter().any(|found| found["id"] == row["id"]), "{} by agent {agent}", talk.number);
        }
    }
    // Agents hear no talks of others.
    office.add_user("stranger", "a stranger's password", "agent");
    let stranger = Api::new(office.web_port);
    stranger.log_in("stranger", "a stranger's password");
    for row in &rows {
        let path = format!("/recordings/{}/audio", row["id"]);
        assert_eq!(stranger.ask(&Method::GET, &path, None).unwrap().status, 403);
    }
    // A flipped bit is found, and in none of the others.
    assert_eq!(recordings_command(&office, "verify"), (true, "50 recordings checked, 0 damaged\n".to_owned()));
    let all = files(&office.dir.join("recordings"));
    assert_eq!(all.len(), talks.len());
    let mut bytes = std::fs::read(&all[17]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&all[17], bytes).unwrap();
    let (well, told) = recordings_command(&office, "verify");
    assert!(!well && told.contains("50 recordings checked, 1 damaged"), "{told}");
    let name = all[17].file_name().unwrap().to_string_lossy().into_owned();
    assert!(told.contains(&name), "{told} names {name}");
    assert_eq!(office.api.all("/recordings?state=failed").len(), 1);
    office.assert_clean();
}
