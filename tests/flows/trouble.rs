//! Asterisk refuses, falls silent, or dies.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::engine::event::{CallerCard, NodeEvent, Refusal};

use crate::office::Office;

fn failed() -> Refusal {
    Refusal::Failed("Internal Server Error".to_owned())
}

/// The agent has answered; the two are being joined.
fn joining(agents: u32) -> Office {
    let mut office = Office::new(agents, |settings| settings.greeting = false);
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard::default());
    office.rings("C1-l1");
    office.answers("C1-l1");
    office
}

#[test]
fn the_socket_is_cut_in_a_talk_and_nothing_was_missed() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    office.node(NodeEvent::Down);
    office.passes(Duration::from_secs(2));
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-l1", Some(1), true, false)];
    let bridges = vec![office.bridge("C1-b", &["caller", "C1-l1"])];
    office.connected(channels, bridges);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_page_with_the_phone_is_loaded_anew_in_a_talk_and_the_caller_comes_back_to_it() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    office.gone("C1-l1", 27);
    // Asterisk was asked before the page went: no reason to ring it.
    office.node(NodeEvent::Device { endpoint: "agent-1".to_owned(), reachable: true });
    office.passes(Duration::from_secs(1));
    office.node(NodeEvent::Registered { endpoint: "agent-1".to_owned() });
    office.rings("C1-l2");
    office.answers("C1-l2");
    office.enters("C1-m", &["caller", "C1-l2"]);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_asterisk_saw_gone_and_back_is_rung_again() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    office.gone("C1-l1", 27);
    for reachable in [false, true] {
        office.node(NodeEvent::Device { endpoint: "agent-1".to_owned(), reachable });
    }
    office.rings("C1-l2");
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_falls_silent_in_a_talk_is_rung_once_more_and_then_the_caller_is_anybodys() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    office.gone("C1-l1", 44);
    office.passes(Duration::from_secs(30));
    assert_snapshot!(office.transcript());
}

#[test]
fn the_phone_stopped_ringing_while_nobody_could_hear_it() {
    let mut office = Office::new(2, |settings| settings.greeting = false);
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard::default());
    office.rings("C1-l1");
    office.node(NodeEvent::Down);
    let channels = vec![office.stands("caller", None, true, false)];
    office.connected(channels, Vec::new());
    assert_snapshot!(office.transcript());
}

#[test]
fn asterisk_died_and_all_its_calls_are_lost() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    office.arrives("second", "+79000000002");
    office.node(NodeEvent::Down);
    office.passes(Duration::from_secs(5));
    office.connected(Vec::new(), Vec::new());
    office.passes(Duration::from_secs(10));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_join_that_is_refused_is_tried_again_and_then_another_agent_is_rung() {
    let mut office = joining(2);
    office.refuses("Join", failed());
    office.passes(Duration::from_millis(300));
    office.refuses("Join", failed());
    office.passes(Duration::from_millis(300));
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_join_is_refused_because_the_agent_has_just_hung_up() {
    let mut office = joining(2);
    office.refuses("Join", Refusal::Unprocessable("Channel not found".to_owned()));
    office.gone("C1-l1", 16);
    office.passes(Duration::from_millis(300));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_bridge_that_is_not_there_is_made_again() {
    let mut office = joining(1);
    office.refuses("Join", Refusal::NotFound);
    office.passes(Duration::from_millis(300));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_cannot_be_answered_goes_to_the_fallback() {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", "");
    for _ in 0..3 {
        office.refuses("Answer", failed());
    }
    office.refuses("ToFallback", failed());
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn trouble_of_asterisk_in_ringing_is_not_the_agents_fault() {
    let mut office = Office::new(1, |settings| settings.greeting = false);
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard::default());
    office.refuses("Ring", failed());
    office.refuses("HangUp", Refusal::NotFound);
    office.passes(Duration::from_secs(1));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_asterisk_cannot_ring_does_not_keep_the_caller_from_the_other_agents() {
    let mut office = Office::new(2, |settings| settings.greeting = false);
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard::default());
    office.refuses("Ring", failed());
    office.refuses("HangUp", Refusal::NotFound);
    office.passes(Duration::from_secs(1));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_leg_that_was_given_up_and_rings_after_all_is_hung_up() {
    let mut office = Office::new(1, |settings| settings.greeting = false);
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard::default());
    office.refuses("Ring", Refusal::TimedOut);
    office.refuses("HangUp", Refusal::NotFound);
    office.gone("caller", 16);
    office.rings("C1-l1");
    assert_snapshot!(office.transcript());
}

#[test]
fn what_was_taken_apart_without_being_wanted_is_joined_again() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    office.leaves("C1-b", "caller");
    office.passes(Duration::from_millis(300));
    office.enters("C1-b", &["caller"]);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_note_that_could_not_be_written_is_written_again() {
    let mut office = Office::new(0, |_| ());
    office.arrives("caller", "");
    office.refuses("SetMemo", Refusal::TimedOut);
    office.passes(Duration::from_secs(2));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_bridge_that_could_not_be_removed_is_asked_for_again() {
    let mut office = joining(1);
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    office.refuses("DestroyBridge", failed());
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

/// Offered to the one agent by an Asterisk that answers late.
fn offered_slowly() -> Office {
    let mut office = Office::new(1, |settings| settings.greeting = false);
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard::default());
    office.node(NodeEvent::Slow);
    office.passes(Duration::from_secs(5));
    office
}

#[test]
fn a_phone_has_more_time_to_ring_while_asterisk_is_slow() {
    let mut office = offered_slowly();
    office.rings("C1-l1");
    office.answers("C1-l1");
    assert_snapshot!(office.transcript());
}

#[test]
fn nobody_is_paused_for_a_phone_of_which_a_slow_asterisk_tells_nothing() {
    let mut office = offered_slowly();
    office.passes(Duration::from_secs(4));
    office.gone("C1-l1", 0);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn nobody_is_paused_for_a_busy_phone_while_asterisk_is_slow() {
    let mut office = offered_slowly();
    office.gone("C1-l1", 17);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}
