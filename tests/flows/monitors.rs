//! Supervisors hear talks, whisper, speak with both, take over.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::engine::event::{Actor, MonitorMode, Refusal, Request, Target, TransferMode};
use perezvon::engine::ids::{AgentId, QueueId};

use crate::office::Office;

fn chief() -> Actor {
    Actor::Person("chief".to_owned())
}

fn monitor(office: &mut Office, mode: MonitorMode) {
    let call = office.call(1);
    office.asks(chief(), Request::Monitor { call, agent: AgentId(2), mode });
}

/// Agent 2, a supervisor, hears the talk of agent 1.
fn heard(mode: MonitorMode) -> Office {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    monitor(&mut office, mode);
    office.rings("C1-v2");
    office.answers("C1-v2");
    office.enters("C1-w2", &["C1-v2", "C1-s1"]);
    office
}

#[test]
fn a_supervisor_listens_whispers_and_joins_without_another_ring_and_hangs_up() {
    let mut office = heard(MonitorMode::Listen);
    office.passes(Duration::from_secs(5));
    monitor(&mut office, MonitorMode::Whisper);
    office.gone("C1-s1", 16);
    office.enters("C1-w2", &["C1-s2"]);
    monitor(&mut office, MonitorMode::Join);
    office.gone("C1-s2", 16);
    // Asked for again it is the same.
    monitor(&mut office, MonitorMode::Join);
    office.gone("C1-v2", 16);
    office.gone("C1-s3", 16);
    office.passes(Duration::from_secs(5));
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_takes_over_is_in_the_talk_and_the_agent_in_after_call_work() {
    let mut office = heard(MonitorMode::Listen);
    office.forget();
    monitor(&mut office, MonitorMode::TakeOver);
    office.enters("C1-m", &["caller", "C1-v2"]);
    office.gone("C1-s1", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(5));
    office.gone("C1-v2", 16);
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_wants_to_take_over_at_once_is_rung_first() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    monitor(&mut office, MonitorMode::TakeOver);
    office.rings("C1-v2");
    office.passes(Duration::from_secs(3));
    office.answers("C1-v2");
    office.enters("C1-m", &["caller", "C1-v2"]);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn the_end_of_the_talk_ends_the_listening() {
    let mut office = heard(MonitorMode::Listen);
    office.forget();
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    office.gone("C1-s1", 16);
    office.gone("C1-v2", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_goes_on_to_somebody_else_is_heard_no_more() {
    let mut office = heard(MonitorMode::Whisper);
    office.forget();
    let (call, to) = (office.call(1), Target::Queue(QueueId(1)));
    office.asks(Actor::Agent(AgentId(1)), Request::Transfer { call, to, mode: TransferMode::Blind });
    office.leaves("C1-b", "caller");
    office.gone("C1-s1", 16);
    office.gone("C1-l1", 16);
    office.gone("C1-v2", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_is_not_answered_costs_the_supervisor_nothing() {
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    monitor(&mut office, MonitorMode::Listen);
    office.rings("C1-v2");
    office.passes(Duration::from_secs(60));
    office.gone("C1-v2", 19);
    assert_snapshot!(office.transcript());
}

#[test]
fn what_asterisk_cannot_do_ends_the_listening_and_never_the_talk() {
    let mut office = heard(MonitorMode::Listen);
    office.forget();
    office.refuses("Snoop", Refusal::TimedOut);
    office.gone("C1-v2", 16);
    office.passes(Duration::from_secs(6));
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_waits_or_whose_phone_is_busy_is_not_heard() {
    let mut office = Office::new(2, |_| ());
    office.arrives("caller", "+79001234567");
    monitor(&mut office, MonitorMode::Listen);
    let mut office = Office::new(2, |_| ());
    office.in_talk();
    let call = office.call(1);
    office.asks(chief(), Request::Monitor { call, agent: AgentId(1), mode: MonitorMode::Listen });
    office.asks(chief(), Request::Monitor { call, agent: AgentId(7), mode: MonitorMode::Listen });
    office.asks(chief(), Request::StopMonitor { call, agent: AgentId(2) });
    assert_snapshot!(office.transcript());
}

#[test]
fn the_next_engine_ends_the_listening_and_the_talk_goes_on() {
    let mut office = heard(MonitorMode::Listen);
    office.forget();
    let channels = vec![
        office.stands("caller", None, true, false),
        office.stands("C1-l1", Some(1), true, false),
        office.stands("C1-v2", Some(2), true, false),
        office.stands("C1-s1", None, true, false),
    ];
    let bridges = vec![office.bridge("C1-b", &["caller", "C1-l1"]), office.bridge("C1-w2", &["C1-v2", "C1-s1"])];
    office.restart(channels, bridges);
    office.gone("C1-s1", 16);
    office.gone("C1-v2", 16);
    office.passes(Duration::from_secs(5));
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_took_over_goes_on_after_a_kill_of_the_engine() {
    let mut office = heard(MonitorMode::TakeOver);
    office.forget();
    let channels = vec![office.stands("caller", None, true, false), office.stands("C1-v2", Some(2), true, false)];
    let bridges = vec![office.bridge("C1-m", &["caller", "C1-v2"])];
    office.restart(channels, bridges);
    office.passes(Duration::from_secs(5));
    office.gone("C1-v2", 16);
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}
