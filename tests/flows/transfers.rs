//! Hold, and transfers at once and after asking.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::engine::event::{Actor, Refusal, Request, Target, TransferMode};
use perezvon::engine::ids::{AgentId, QueueId};

use crate::office::Office;

const ONE: Actor = Actor::Agent(AgentId(1));
const NUMBER: &str = "+79007654321";

fn transfer(office: &mut Office, to: Target, mode: TransferMode) {
    let call = office.call(1);
    office.asks(ONE, Request::Transfer { call, to, mode });
}

/// Agent 1 asks agent 2, who has answered.
fn consulting() -> Office {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Agent(AgentId(2)), TransferMode::Attended);
    office.leaves("C1-b", "caller");
    office.rings("C1-l2");
    office.answers("C1-l2");
    office.leaves("C1-b", "C1-l1");
    office.enters("C1-c", &["C1-l1", "C1-l2"]);
    office
}

#[test]
fn a_caller_is_held_with_music_and_taken_back() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(ONE, Request::Hold(call));
    office.leaves("C1-b", "caller");
    office.passes(Duration::from_secs(5));
    office.asks(ONE, Request::Resume(call));
    office.enters("C1-b", &["caller"]);
    office.passes(Duration::from_secs(5));
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn another_agent_may_not_touch_the_call() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(Actor::Agent(AgentId(2)), Request::Hold(call));
    office.asks(Actor::Agent(AgentId(2)), Request::HangUp(call));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_is_sent_on_to_an_agent() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Agent(AgentId(2)), TransferMode::Blind);
    office.leaves("C1-b", "caller");
    office.gone("C1-l1", 16);
    office.rings("C1-l2");
    office.answers("C1-l2");
    office.enters("C1-m", &["caller", "C1-l2"]);
    office.gone("C1-l2", 16);
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_is_sent_on_to_a_queue_and_keeps_the_time_of_arrival() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Queue(QueueId(1)), TransferMode::Blind);
    office.leaves("C1-b", "caller");
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_is_sent_on_to_an_outside_number() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Number("+4912345".to_owned()), TransferMode::Blind);
    transfer(&mut office, Target::Number(NUMBER.to_owned()), TransferMode::Blind);
    office.leaves("C1-b", "caller");
    office.gone("C1-l1", 16);
    office.rings("C1-l2");
    office.answers("C1-l2");
    office.enters("C1-m", &["caller", "C1-l2"]);
    office.passes(Duration::from_secs(20));
    office.gone("caller", 16);
    office.gone("C1-l2", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_outside_number_that_is_busy_brings_the_caller_back_to_the_queue() {
    let mut office = Office::new(1, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Number(NUMBER.to_owned()), TransferMode::Blind);
    office.leaves("C1-b", "caller");
    office.gone("C1-l1", 16);
    office.gone("C1-l2", 17);
    assert_snapshot!(office.transcript());
}

#[test]
fn after_asking_the_caller_is_joined_with_the_one_asked() {
    let mut office = consulting();
    let call = office.call(1);
    office.asks(ONE, Request::CompleteTransfer(call));
    office.leaves("C1-c", "C1-l2");
    office.enters("C1-m", &["caller", "C1-l2"]);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(5));
    office.gone("caller", 16);
    office.gone("C1-l2", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn asking_is_given_up_and_the_caller_is_taken_back() {
    let mut office = consulting();
    let call = office.call(1);
    office.asks(ONE, Request::CancelTransfer(call));
    office.leaves("C1-c", "C1-l1");
    office.enters("C1-b", &["caller", "C1-l1"]);
    office.gone("C1-l2", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn asking_is_given_up_before_the_agent_is_known_to_have_left_the_talk() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Agent(AgentId(2)), TransferMode::Attended);
    office.leaves("C1-b", "caller");
    office.answers("C1-l2");
    let call = office.call(1);
    office.asks(ONE, Request::CancelTransfer(call));
    assert_snapshot!(office.transcript());
}

#[test]
fn the_one_asked_does_not_answer_and_the_caller_is_taken_back() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Agent(AgentId(2)), TransferMode::Attended);
    office.leaves("C1-b", "caller");
    office.rings("C1-l2");
    office.passes(Duration::from_secs(16));
    office.gone("C1-l2", 19);
    office.enters("C1-b", &["caller"]);
    assert_snapshot!(office.transcript());
}

#[test]
fn the_agent_who_asks_hangs_up_and_that_completes_the_transfer() {
    let mut office = consulting();
    office.gone("C1-l1", 16);
    office.leaves("C1-c", "C1-l2");
    office.enters("C1-m", &["caller", "C1-l2"]);
    assert_snapshot!(office.transcript());
}

#[test]
fn the_two_could_not_be_joined_for_asking_and_the_caller_is_taken_back() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Agent(AgentId(2)), TransferMode::Attended);
    office.leaves("C1-b", "caller");
    office.answers("C1-l2");
    for _ in 0..4 {
        office.refuses("Join", Refusal::Failed("Internal Server Error".to_owned()));
        office.passes(Duration::from_millis(300));
    }
    assert_snapshot!(office.transcript());
}

#[test]
fn the_bridge_for_asking_could_not_be_made() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    transfer(&mut office, Target::Agent(AgentId(2)), TransferMode::Attended);
    office.refuses("CreateBridge", Refusal::Failed("Internal Server Error".to_owned()));
    office.answers("C1-l2");
    assert_snapshot!(office.transcript());
}
