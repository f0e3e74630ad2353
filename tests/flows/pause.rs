//! Pauses of the recording while something is said that is not to be kept.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::engine::event::{Actor, Request, Target, TransferMode};
use perezvon::engine::ids::AgentId;

use crate::office::Office;

const ONE: Actor = Actor::Agent(AgentId(1));

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_pause_is_noted_at_its_place_in_the_recording_which_knows_nothing_of_holds() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::Hold(call));
    office.leaves("C1-b", "caller");
    office.passes(secs(5));
    office.asks(ONE, Request::Resume(call));
    office.enters("C1-b", &["caller"]);
    office.passes(secs(2));
    office.asks(ONE, Request::PauseRecording(call));
    office.passes(secs(3));
    office.asks(ONE, Request::ResumeRecording(call));
    // Asked for twice it changes nothing.
    office.asks(ONE, Request::ResumeRecording(call));
    office.passes(secs(2));
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_pause_that_is_forgotten_ends_by_itself_and_nobody_elses_call_is_paused() {
    let mut office = Office::new(2, |settings| settings.recording_pause = secs(30));
    office.in_talk();
    let call = office.call(1);
    office.asks(Actor::Agent(AgentId(2)), Request::PauseRecording(call));
    office.asks(Actor::Program("terminal".to_owned()), Request::PauseRecording(call));
    office.passes(secs(20));
    // Once more: it is longer, and the same pause.
    office.asks(ONE, Request::PauseRecording(call));
    office.passes(secs(40));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_pause_ends_with_the_talk_in_which_it_was_asked_for() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::PauseRecording(call));
    office.passes(secs(1));
    let to = Target::Agent(AgentId(2));
    office.asks(ONE, Request::Transfer { call, to, mode: TransferMode::Blind });
    office.leaves("C1-b", "caller");
    office.gone("C1-l1", 16);
    office.answers("C1-l2");
    office.enters("C1-m", &["caller", "C1-l2"]);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_pause_outlives_the_engine_and_ends_when_it_should_have() {
    let mut office = Office::new(1, |settings| settings.recording_pause = secs(30));
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::PauseRecording(call));
    office.skips(secs(10));
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-l1", Some(1), true, false)];
    let bridges = vec![office.bridge("C1-b", &["caller", "C1-l1"])];
    office.restart(channels, bridges);
    office.passes(secs(30));
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_waits_cannot_be_paused() {
    let mut office = Office::new(0, |_| ());
    office.arrives("caller", "+79001234567");
    let call = office.call(1);
    office.asks(Actor::Person("chief".to_owned()), Request::PauseRecording(call));
    assert_snapshot!(office.transcript());
}
