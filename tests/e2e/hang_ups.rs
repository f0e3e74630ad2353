//! Hanging up at every moment that there is.

use serde_json::Value;

use crate::office::{Office, Options};
use crate::phones::Manner;
use crate::story::Story;
use crate::wait::wait_until;

fn idle(office: &Office, agent: u64) {
    wait_until("the agent is idle", 10, || office.agent(agent), |agent| agent["state"] == "idle");
}

/// Talked or not: the disposition, the offers and the times must tell the same.
#[track_caller]
fn assert_consistent(story: &Story) {
    let outcomes: Vec<String> = story.offers().into_iter().map(|(_, outcome)| outcome).collect();
    let answered = outcomes.iter().filter(|outcome| *outcome == "ANSWERED").count();
    assert!(!outcomes.contains(&"open".to_owned()), "an offer was left open: {story:?}");
    assert!(story.legs().iter().all(|leg| leg["ended_at"].is_string()), "a leg was left open: {story:?}");
    match story.disposition() {
        "ABANDON" => assert!(answered == 0 || story.field("bridged_at").is_null(), "{story:?}"),
        "COMPLETECALLER" | "COMPLETEAGENT" => {
            assert!(answered >= 1 && story.field("bridged_at").is_string(), "{story:?}");
        }
        other => panic!("{other}: {story:?}"),
    }
}

#[test]
fn a_caller_may_hang_up_before_the_answer_in_the_greeting_and_in_the_queue() {
    let office = Office::open(Options { office: "greeting = true", ..Options::default() });
    // The first sign of the call comes at once, the answer some 5 ms later. Who is gone before Asterisk's dialplan has
    // begun leaves no trace; whoever reaches the engine does.
    for (n, after) in [0, 1, 5, 10, 20, 40].into_iter().enumerate() {
        office.impatient(&format!("7900555010{n}"), after).finish(10);
    }
    // The greeting takes about 5 s.
    let moments = [1, 200, 1500, 4700, 4800, 4900, 5000, 6500].into_iter().enumerate();
    let callers: Vec<_> = moments.map(|(n, after)| office.caller(&format!("7900555020{n}"), after)).collect();
    callers.iter().for_each(|caller| caller.finish(20));
    let of = |calls: &[Value], start: &str| {
        calls.iter().filter(|call| call["number"].as_str().is_some_and(|number| number.starts_with(start))).count()
    };
    let calls = wait_until(
        "all calls stand in the journal",
        20,
        || office.journal(),
        |calls| of(calls, "+790055502") == 8 && calls.iter().all(|call| call["disposition"].is_string()),
    );
    assert!(of(&calls, "+790055501") >= 3, "{calls:?}");
    for call in calls {
        assert_eq!(call["disposition"], "ABANDON", "{call}");
        assert_eq!(call["talked_ms"], 0, "{call}");
    }
    office.assert_clean();
}

#[test]
fn a_caller_may_hang_up_while_the_phone_rings_and_in_the_second_of_the_answer() {
    let office = Office::open(Options::default());
    let (agent, phone) = office.ready_agent("101", Manner::Answers { after: 300, talk: 0 });
    // The phone answers some 320 ms after the caller was answered: 8 ms steps around that moment.
    let moments = [20, 150, 250].into_iter().chain((270..=370).step_by(8)).chain([450]);
    let mut seen = Vec::new();
    for (n, after) in moments.enumerate() {
        let number = format!("790055503{n:02}");
        office.caller(&number, after).finish(10);
        let story = office.story(&number, 10);
        assert_consistent(&story);
        assert_ne!(story.disposition(), "COMPLETEAGENT", "{story:?}");
        seen.push(story.disposition().to_owned());
        idle(&office, agent.id);
        assert_eq!(
            office.agent(agent.id)["status"],
            "ready",
            "hanging up {after} ms after the answer is not the agent's fault"
        );
    }
    assert_eq!(seen.first().map(String::as_str), Some("ABANDON"));
    assert_eq!(seen.last().map(String::as_str), Some("COMPLETECALLER"));
    assert!(phone.noted("cancelled") >= 3, "{:?}", phone.notes());
    office.assert_clean();
}

#[test]
fn an_agent_may_hang_up_in_the_moment_of_the_answer() {
    let office = Office::open(Options::default());
    for (n, talk) in [1, 2, 4, 8, 15, 30, 60].into_iter().enumerate() {
        let (agent, phone) = office.ready_agent(&format!("10{n}"), Manner::Answers { after: 100, talk });
        let number = format!("7900555040{n}");
        let caller = office.caller(&number, 1500);
        phone.wait_noted("answered", 1, 10);
        wait_until("the agent has hung up", 10, || office.agent(agent.id), |agent| agent["state"] == "idle");
        office.set_status(agent.id, "offline");
        caller.finish(10);
        let story = office.story(&number, 10);
        // Joined and left: the call is over. Left before the two were joined: the caller waits on.
        match story.disposition() {
            "COMPLETEAGENT" => assert!(story.field("bridged_at").is_string(), "{story:?}"),
            "ABANDON" => assert!(story.field("bridged_at").is_null(), "{story:?}"),
            other => panic!("{other}: {story:?}"),
        }
        assert!(story.offers().iter().all(|(_, outcome)| outcome != "open"), "{story:?}");
    }
    office.assert_clean();
}

#[test]
fn many_callers_who_come_and_go_as_they_like_leave_nothing_behind() {
    let office = Office::open(Options::default());
    let team: Vec<_> = (0..4)
        .map(|n| office.ready_agent(&format!("10{n}"), Manner::Answers { after: 150 + 60 * n, talk: 900 + 210 * n }))
        .collect();
    let numbers: Vec<String> = (0..60).map(|n| format!("790055505{n:02}")).collect();
    // From "at once" to "never"; no two alike.
    let callers: Vec<(&str, u32)> =
        numbers.iter().zip(0..).map(|(number, n)| (number.as_str(), (n * 7919) % 4001 + 1)).collect();
    office.callers(&callers, 12).finish(60);
    let calls = wait_until(
        "all calls stand in the journal",
        20,
        || office.journal(),
        |calls| calls.len() == 60 && calls.iter().all(|call| call["disposition"].is_string()),
    );
    let mut talked = 0;
    for call in &calls {
        let story = office.story_of(call["id"].as_str().unwrap());
        assert_consistent(&story);
        talked += usize::from(story.disposition() != "ABANDON");
    }
    assert!((10..=55).contains(&talked), "{talked} of 60 talked");
    for (agent, _) in &team {
        assert_eq!(office.agent(agent.id)["status"], "ready");
    }
    office.assert_clean();
}
