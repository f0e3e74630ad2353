//! From the arrival to the talk and its end.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::domain::ids::OrderId;
use perezvon::domain::order::State;
use perezvon::engine::event::{Actor, CallerCard, CallerOrder, Request};
use perezvon::engine::ids::AgentId;
use perezvon::engine::settings::Strategy;
use perezvon::engine::time::Wall;
use perezvon::engine::view::{PauseReason, Status};

use crate::office::Office;

const NUMBER: &str = "8 (900) 123-45-67";

#[test]
fn a_call_is_answered_greeted_offered_talked_and_ended_by_the_caller() {
    let mut office = Office::new(2, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard { name: Some("Anna".to_owned()), ..CallerCard::default() });
    office.playback_ends("C1-p1");
    office.rings("C1-l1");
    office.passes(Duration::from_secs(3));
    office.answers("C1-l1");
    office.enters("C1-b", &["caller", "C1-l1"]);
    office.passes(Duration::from_secs(60));
    office.leaves("C1-b", "caller");
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(10));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_gives_up_while_the_phone_rings_frees_the_agent() {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.rings("C1-l1");
    office.gone("caller", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_does_not_answer_is_paused_and_the_next_one_is_rung() {
    let mut office = Office::new(2, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.rings("C1-l1");
    office.passes(Duration::from_millis(15_500));
    office.gone("C1-l1", 19);
    office.rings("C1-l2");
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_does_not_start_ringing_is_passed_over_after_two_seconds() {
    let mut office = Office::new(2, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.passes(Duration::from_millis(2_500));
    office.gone("C1-l1", 0);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_blocked_number_is_refused_unanswered() {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard { blocked: true, ..CallerCard::default() });
    office.gone("caller", 21);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_card_that_is_late_holds_nobody_up_and_still_reaches_the_screen() {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", NUMBER);
    office.passes(Duration::from_millis(400));
    office.card(1, CallerCard { name: Some("Anna".to_owned()), ..CallerCard::default() });
    office.playback_ends("C1-p1");
    assert_snapshot!(office.transcript());
}

#[test]
fn a_hidden_number_is_answered_at_once() {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", "");
    assert_snapshot!(office.transcript());
}

#[test]
fn of_two_phones_that_ring_together_the_first_to_answer_has_the_caller() {
    let mut office = Office::new(2, |settings| settings.queues[0].strategy = Strategy::RingAll);
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.rings("C1-l1");
    office.rings("C1-l2");
    office.answers("C1-l2");
    office.answers("C1-l1");
    office.enters("C1-b", &["caller", "C1-l2"]);
    office.gone("C1-l1", 26);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_answers_and_drops_leaves_the_caller_at_the_same_place() {
    let mut office = Office::new(2, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.rings("C1-l1");
    office.answers("C1-l1");
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_waiting_caller_is_told_place_and_wait_and_the_prompt_is_stopped_for_the_answer() {
    let mut office = Office::new(1, |settings| settings.queues[0].announce_first = Duration::from_secs(5));
    office.asks(
        Actor::Agent(AgentId(1)),
        Request::SetStatus { agent: AgentId(1), status: Status::Pause(PauseReason::Declared("tea".to_owned())) },
    );
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.passes(Duration::from_secs(6));
    office.asks(Actor::Agent(AgentId(1)), Request::SetStatus { agent: AgentId(1), status: Status::Ready });
    office.rings("C1-l1");
    office.answers("C1-l1");
    assert_snapshot!(office.transcript());
}

#[test]
fn who_waited_longer_is_offered_first_when_an_agent_becomes_free_as_another_caller_enters() {
    let mut office = Office::new(1, |settings| settings.queues[0].wrap_up = Duration::from_secs(7));
    office.in_talk();
    office.arrives("second", "+79000000002");
    office.card(2, CallerCard::default());
    office.playback_ends("C2-p1");
    office.gone("C1-l1", 16);
    office.gone("caller", 16);
    office.arrives("third", "+79000000003");
    office.card(3, CallerCard::default());
    // The greeting ends in the very event in which the after-call work does.
    office.passes(Duration::from_millis(6_990));
    office.skips(Duration::from_millis(20));
    office.playback_ends("C3-p1");
    assert_snapshot!(office.transcript());
}

#[test]
fn who_has_a_car_waiting_outside_is_offered_before_one_who_waits_longer() {
    let mut office = Office::new(1, |settings| settings.order_status = false);
    let status = |status| Request::SetStatus { agent: AgentId(1), status };
    let tea = Status::Pause(PauseReason::Declared("tea".to_owned()));
    office.asks(Actor::Agent(AgentId(1)), status(tea));
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard { priority: 7, corporate: true, ..CallerCard::default() });
    office.playback_ends("C1-p1");
    office.passes(Duration::from_secs(90));
    let order = CallerOrder::new(OrderId(5), State::Arrived, Wall(0));
    office.arrives("second", "+79000000002");
    office.card(2, CallerCard { orders: [order].into(), ..CallerCard::default() });
    office.playback_ends("C2-p1");
    office.asks(Actor::Agent(AgentId(1)), status(Status::Ready));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_code_from_the_phone_changes_the_status_with_a_spoken_answer() {
    let mut office = Office::new(1, |_| ());
    office.dials(1, "*61");
    office.last_playback_ends();
    office.gone("dialler", 16);
    office.dials(1, "*77");
    assert_snapshot!(office.transcript());
}

#[test]
fn beyond_the_limit_callers_go_to_the_fallback() {
    let mut office = Office::new(1, |settings| settings.max_calls = 1);
    office.arrives("caller", NUMBER);
    office.arrives("second", "+79000000002");
    assert_snapshot!(office.transcript());
}
