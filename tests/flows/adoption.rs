//! The engine starts anew and takes up what Asterisk kept.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::engine::event::{Actor, CallerCard, Request, Target, TransferMode};
use perezvon::engine::ids::AgentId;

use crate::office::Office;

const ONE: Actor = Actor::Agent(AgentId(1));

fn waiting(agents: u32) -> Office {
    let mut office = Office::new(agents, |_| ());
    office.arrives("caller", "+79001234567");
    office.card(1, CallerCard { priority: 1, ..CallerCard::default() });
    office.playback_ends("C1-p1");
    office
}

#[test]
fn a_waiting_caller_is_adopted_with_the_time_of_entry() {
    let mut office = waiting(0);
    office.passes(Duration::from_secs(30));
    let channels = vec![office.stands("caller", None, true, false)];
    office.restart(channels, Vec::new());
    office.passes(Duration::from_secs(30));
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_rings_goes_on_ringing() {
    let mut office = waiting(1);
    office.rings("C1-l1");
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-l1", Some(1), false, true)];
    let bridges = vec![office.bridge("C1-b", &[])];
    office.restart(channels, bridges);
    office.answers("C1-l1");
    office.enters("C1-b", &["caller", "C1-l1"]);
    assert_snapshot!(office.transcript());
}

#[test]
fn of_a_note_on_the_bridge_and_one_on_the_channel_the_later_one_holds() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::Transfer { call, to: Target::Agent(AgentId(2)), mode: TransferMode::Blind });
    office.leaves("C1-b", "caller");
    office.gone("C1-l1", 16);
    office.rings("C1-l2");
    // The bridge still tells of the entry, the channel of the talk since.
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-l2", Some(2), false, true)];
    let bridges = vec![office.bridge("C1-b", &[])];
    office.restart(channels, bridges);
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_talk_goes_on_and_its_whole_length_counts() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-l1", Some(1), true, false)];
    let bridges = vec![office.bridge("C1-b", &["caller", "C1-l1"])];
    office.restart(channels, bridges);
    office.passes(Duration::from_secs(20));
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_held_caller_is_still_held_and_one_who_hangs_up_then_has_not_abandoned() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::Hold(call));
    office.leaves("C1-b", "caller");
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-l1", Some(1), true, false)];
    let bridges = vec![office.bridge("C1-b", &["C1-l1"])];
    office.restart(channels, bridges);
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_asks_another_goes_on_asking() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::Transfer { call, to: Target::Agent(AgentId(2)), mode: TransferMode::Attended });
    office.leaves("C1-b", "caller");
    office.answers("C1-l2");
    office.leaves("C1-b", "C1-l1");
    office.enters("C1-c", &["C1-l1", "C1-l2"]);
    let channels = vec![
        office.stands("caller", None, true, false),
        office.stands("C1-l1", Some(1), true, false),
        office.stands("C1-l2", Some(2), true, false),
    ];
    let bridges = vec![office.bridge("C1-b", &[]), office.bridge("C1-c", &["C1-l1", "C1-l2"])];
    office.restart(channels, bridges);
    office.asks(ONE, Request::CompleteTransfer(call));
    assert_snapshot!(office.transcript());
}

#[test]
fn what_belongs_to_no_call_is_ended() {
    let mut office = waiting(1);
    let channels = vec![office.stands("C1-l1", Some(1), true, false)];
    let bridges = vec![office.bridge("C1-b", &["C1-l1"])];
    office.restart(channels, bridges);
    assert_snapshot!(office.transcript());
}
