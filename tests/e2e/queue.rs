//! Waiting, and who gets whom.

use std::time::Duration;

use serde_json::json;

use crate::office::{Office, Options};
use crate::phones::{Agent, Caller, Manner, Sipp};
use crate::wait::{stays, wait_until};

/// Answers soon, talks until the caller hangs up.
const EAGER: Manner = Manner::Answers { after: 100, talk: 0 };

fn numbers(count: u32) -> Vec<String> {
    (1..=count).map(|n| format!("79005551{n:03}")).collect()
}

#[test]
fn thirty_callers_and_one_agent_and_nobody_hears_a_busy_tone() {
    let office = Office::open(Options::default());
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    let numbers = numbers(30);
    let callers: Vec<Caller> = numbers.iter().map(|number| (number.as_str(), 8000)).collect();
    let callers = office.callers(&callers, 30);
    wait_until(
        "all are served",
        8,
        || office.stages(),
        |stages| {
            let count = |wanted: &str| stages.iter().filter(|(_, stage)| stage == wanted).count();
            stages.len() == 30 && count("talking") == 1 && count("waiting") == 29
        },
    );
    let board = office.board();
    assert_eq!(board["waiting_total"], 29);
    let places: Vec<_> =
        board["waiting"].as_array().unwrap().iter().map(|row| row["position"].as_u64().unwrap()).collect();
    assert_eq!(places, (1..=29).collect::<Vec<_>>());
    callers.finish(20);
    assert_eq!(callers.noted("answered"), 30);
    assert_eq!(callers.noted("refused"), 0);
    let ended = wait_until(
        "all stand in the journal",
        10,
        || office.journal(),
        |calls| calls.len() == 30 && calls.iter().all(|call| call["disposition"].is_string()),
    );
    // The agent took the next one whenever a caller hung up; all others waited in vain.
    let complete = ended.iter().filter(|call| call["disposition"] == "COMPLETECALLER").count();
    let abandoned = ended.iter().filter(|call| call["disposition"] == "ABANDON").count();
    assert!(complete >= 1 && complete + abandoned == 30, "{complete} complete, {abandoned} abandoned");
    office.assert_clean();
}

#[test]
fn a_waiting_caller_is_told_place_and_wait_between_the_music() {
    let office =
        Office::open(Options { queue: "announce_first_seconds = 1\nannounce_every_seconds = 6", ..Options::default() });
    let first = office.caller("79005550001", 0);
    office.wait_stage("79005550001", "waiting", 10);
    let second = office.caller("79005550002", 0);
    office.wait_stage("79005550002", "waiting", 10);
    let (one, two) = (office.ari.channel_of("79005550001"), office.ari.channel_of("79005550002"));
    let said = |channel: &str| office.events.played_to(channel);
    wait_until("the first caller is told all", 15, || said(&one), |said| said.contains(&"callback-offer".to_owned()));
    wait_until("the second caller is told all", 15, || said(&two), |said| said.contains(&"callback-offer".to_owned()));
    assert_eq!(said(&one)[..2], ["you-are", "ordinal-1"]);
    assert_eq!(said(&two)[..2], ["you-are", "ordinal-2"]);
    assert!(said(&one).contains(&"wait-is".to_owned()) || said(&one).contains(&"wait-under-minute".to_owned()));
    // Music between the announcements, without a gap.
    office.hears("79005550002", 3);
    // Again after the set time; who moved up is told the new place.
    office.api.post(
        &format!("/calls/{}/hangup", office.wait_stage("79005550001", "waiting", 5)["id"].as_str().unwrap()),
        &json!({}),
    );
    first.finish(10);
    wait_until(
        "the second caller is told the new place",
        20,
        || said(&two),
        |said| said.contains(&"ordinal-1".to_owned()),
    );

    // An announcement does not keep an agent waiting: it is stopped, and both are joined.
    let (_agent, _phone) = office.ready_agent("101", EAGER);
    office.wait_stage("79005550002", "talking", 5);
    office.api.post(
        &format!("/calls/{}/hangup", office.wait_stage("79005550002", "talking", 5)["id"].as_str().unwrap()),
        &json!({}),
    );
    second.finish(10);
    assert_eq!(office.story("79005550001", 5).disposition(), "ENDED");
    assert_eq!(office.story("79005550002", 5).disposition(), "ENDED");
    office.assert_clean();
}

/// One call after another, and who took each.
fn takers(office: &Office, count: usize, prefix: u32) -> Vec<u64> {
    (0..count)
        .map(|n| {
            let number = format!("7900{prefix}{n:04}");
            office.caller(&number, 700).finish(20);
            let story = office.story(&number, 10);
            assert_eq!(story.disposition(), "COMPLETECALLER", "{story:?}");
            idle(office);
            story.agent().expect("an agent")
        })
        .collect()
}

fn idle(office: &Office) {
    wait_until(
        "all agents are idle",
        10,
        || office.board()["agents"].clone(),
        |agents| agents.as_array().unwrap().iter().all(|agent| agent["state"] == "idle"),
    );
}

fn team(office: &Office, manner: Manner) -> (Vec<u64>, Vec<(Agent, Sipp)>) {
    let team: Vec<_> = ["101", "102", "103"].into_iter().map(|name| office.ready_agent(name, manner)).collect();
    (team.iter().map(|(agent, _)| agent.id).collect(), team)
}

#[test]
fn the_agent_free_longest_is_rung() {
    let office = Office::open(Options::default());
    let (ids, _team) = team(&office, EAGER);
    assert_eq!(takers(&office, 4, 555), [ids[0], ids[1], ids[2], ids[0]]);
    office.assert_clean();
}

#[test]
fn agents_are_rung_in_turns_or_by_calls_taken_as_the_queue_says() {
    let office = Office::open(Options {
        more: "[[queue.list]]\nname = \"turns\"\nstrategy = \"round_robin\"\nsticky = false\n\
               [[queue.list]]\nname = \"fair\"\nstrategy = \"fewest_calls\"\nsticky = false\n\
               [queue.routes]\n\"200\" = \"fair\"",
        ..Options::default()
    });
    let (ids, _team) = team(&office, EAGER);
    assert_eq!(takers(&office, 2, 555), [ids[0], ids[1]]);
    // Being back from a pause makes idle time new, and changes nothing in whose turn it is.
    office.set_status(ids[2], "pause");
    office.set_status(ids[2], "ready");
    assert_eq!(takers(&office, 2, 556), [ids[2], ids[0]]);
    // Taken so far: 2, 1, 1. By the fewest calls the first agent comes last.
    let of_fair = |number: &str| {
        office.callers_of("200", &[(number, 700)], 1).finish(20);
        idle(&office);
        office.story(number, 10).agent()
    };
    let two: Vec<_> = ["79005570001", "79005570002"].map(of_fair).into_iter().flatten().collect();
    assert!(!two.contains(&ids[0]) && two[0] != two[1], "{two:?} of {ids:?}");
    office.assert_clean();
}

#[test]
fn all_phones_ring_at_once_and_one_gets_the_caller() {
    let office = Office::open(Options { queue: "strategy = \"ring_all\"\nwrap_up_seconds = 0", ..Options::default() });
    let (slow, slow_phone) = office.ready_agent("101", Manner::NeverAnswers);
    let (fast, fast_phone) = office.ready_agent("102", Manner::Answers { after: 600, talk: 0 });
    let (other, other_phone) = office.ready_agent("103", Manner::Answers { after: 5000, talk: 0 });
    let caller = office.caller("79005550001", 3000);
    office.wait_stage("79005550001", "talking", 10);
    for phone in [&slow_phone, &other_phone] {
        phone.wait_noted("cancelled", 1, 5);
    }
    caller.finish(15);
    let story = office.story("79005550001", 10);
    let mut offers = story.offers();
    offers.sort();
    let elsewhere = || "ANSWEREDELSEWHERE".to_owned();
    assert_eq!(offers, [(slow.id, elsewhere()), (fast.id, "ANSWERED".to_owned()), (other.id, elsewhere())]);
    assert_eq!(fast_phone.noted("answered"), 1);
    // Losing the race is no fault: nobody is paused.
    for agent in [&slow, &fast, &other] {
        assert_eq!(office.agent(agent.id)["status"], "ready");
    }
    office.assert_clean();
}

#[test]
fn two_agents_who_answer_in_the_same_moment_do_not_both_get_the_caller() {
    let office = Office::open(Options { queue: "strategy = \"ring_all\"\nwrap_up_seconds = 0", ..Options::default() });
    let (_, _team) = team(&office, Manner::Answers { after: 400, talk: 0 });
    for n in 0..6 {
        let number = format!("7900555010{n}");
        office.caller(&number, 2500).finish(15);
        let story = office.story(&number, 10);
        assert_eq!(story.disposition(), "COMPLETECALLER");
        let outcomes: Vec<_> = story.offers().into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes.iter().filter(|outcome| *outcome == "ANSWERED").count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| *outcome == "ANSWEREDELSEWHERE").count(), 2, "{outcomes:?}");
        let recording = office.recording(&story, "stored", 15);
        office.sound(&recording).assert_tones();
        idle(&office);
    }
    office.assert_clean();
}

#[test]
fn the_best_skilled_free_agent_is_rung_and_the_unskilled_never() {
    let office = Office::open(Options {
        queue: "strategy = \"highest_level\"\nskill = \"english\"\nskill_level = 2\nsticky = false\nwrap_up_seconds = 0",
        ..Options::default()
    });
    let skilled = |name: &str, level: Option<u8>| {
        let skills = level.map_or(json!({}), |level| json!({"skills": {"english": level}}));
        let agent = office.add_agent(name, skills);
        let phone = office.phone(&agent, EAGER);
        office.set_status(agent.id, "ready");
        (agent, phone)
    };
    let (_none, none_phone) = skilled("101", None);
    let (_low, low_phone) = skilled("102", Some(1));
    let (good, _good_phone) = skilled("103", Some(4));
    let (best, _best_phone) = skilled("104", Some(9));
    let first = office.caller("79005550001", 6000);
    office.wait_stage("79005550001", "talking", 10);
    let second = office.caller("79005550002", 4000);
    office.wait_stage("79005550002", "talking", 10);
    // Both are taken; the two who are free do not fit.
    let third = office.caller("79005550003", 1500);
    office.wait_stage("79005550003", "waiting", 10);
    stays("the third caller waits", Duration::from_millis(800), || office.count("waiting"), |waiting| *waiting == 1);
    for caller in [first, second, third] {
        caller.finish(20);
    }
    assert_eq!(office.story("79005550001", 10).agent(), Some(best.id));
    assert_eq!(office.story("79005550002", 10).agent(), Some(good.id));
    assert_eq!(office.story("79005550003", 10).disposition(), "ABANDON");
    assert_eq!(none_phone.noted("invited") + low_phone.noted("invited"), 0);
    office.assert_clean();
}

#[test]
fn a_client_comes_back_to_the_agent_talked_with_last() {
    let office = Office::open(Options {
        queue: "sticky = true\nsticky_wait_seconds = 20\nwrap_up_seconds = 0",
        ..Options::default()
    });
    let (ids, _team) = team(&office, EAGER);
    assert_eq!(takers(&office, 1, 555), [ids[0]]);
    // Two others are free for longer now.
    office.caller("79005550000", 700).finish(20);
    assert_eq!(office.stories("79005550000", 2, 10)[1].agent(), Some(ids[0]));
    // While that agent is busy the client waits for that one, though others are free.
    office.caller("79005558888", 700).finish(20);
    assert_eq!(office.story("79005558888", 10).agent(), Some(ids[1]));
    let busy = office.caller("79005550000", 2500);
    office.wait_stage("79005550000", "talking", 10);
    let same = office.caller("79005550000", 5000);
    office.wait_stage("79005550000", "waiting", 10);
    busy.finish(15);
    same.finish(15);
    let stories = office.stories("79005550000", 4, 10);
    assert!(stories.iter().all(|story| story.agent() == Some(ids[0])), "{stories:?}");
    office.assert_clean();
}
