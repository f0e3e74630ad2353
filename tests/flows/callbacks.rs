//! Clients whom the office calls: each way an attempt can go, and what follows of it.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::domain::ids::{ClientId, OrderId};
use perezvon::domain::notify::Occasion;
use perezvon::domain::order::{Eta, State};
use perezvon::engine::callback::request::{About, CallbackRequest};
use perezvon::engine::event::{Answered, CallerCard, CallerOrder, CancelRefused, Event, Refusal};
use perezvon::engine::ids::CallbackId;
use perezvon::engine::settings::Settings;
use perezvon::engine::time::Wall;

use crate::office::{BEGINNING, Office};

const NUMBER: &str = "+79001234567";
const CLIENT: ClientId = ClientId(70);
const OUT: &str = "C1-o";

fn order(state: State) -> CallerOrder {
    CallerOrder {
        eta: (state == State::Assigned).then_some(Eta { minutes: 7, made_at: Wall(BEGINNING) }),
        arrived_at: (state == State::Arrived).then_some(Wall(BEGINNING)),
        ..CallerOrder::new(OrderId(5), state, Wall(BEGINNING))
    }
}

fn wanted(id: i64, occasion: Occasion, state: State, office: &Office) -> CallbackRequest {
    CallbackRequest {
        id: CallbackId(id),
        number: NUMBER.to_owned(),
        client: Some(CLIENT),
        language: None,
        about: About::Order { occasion, order: Box::new(order(state)) },
        attempts: 0,
        created: office.wall(),
        due: office.wall(),
        not_before: None,
    }
}

fn card(state: State) -> CallerCard {
    CallerCard { client: Some(CLIENT), orders: [order(state)].into(), ..CallerCard::default() }
}

/// An office that calls a client: a car is assigned.
fn calling(change: impl FnOnce(&mut Settings)) -> Office {
    let mut office = Office::new(1, change);
    let request = wanted(1, Occasion::Assigned, State::Assigned, &office);
    office.wants(request);
    office.passes(Duration::from_millis(5));
    office
}

/// It is answered by a person, who hears how things stand.
fn told(occasion: Occasion, state: State) -> Office {
    let mut office = Office::new(1, |_| ());
    let request = wanted(1, occasion, state, &office);
    office.wants(request);
    office.passes(Duration::from_millis(5));
    office.card(1, card(state));
    office.rings(OUT);
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    office
}

/// The prompt is heard to its end.
fn hears(office: &mut Office) {
    office.passes(Duration::from_secs(6));
    office.last_playback_ends();
}

#[test]
fn a_person_hears_it_to_the_end_and_hangs_up() {
    let mut office = told(Occasion::Assigned, State::Assigned);
    hears(&mut office);
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_person_who_presses_nothing_is_left_alone() {
    let mut office = told(Occasion::EtaChanged, State::Assigned);
    hears(&mut office);
    hears(&mut office);
    office.passes(Duration::from_secs(6));
    office.gone(OUT, 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_hangs_up_before_the_essential_part_was_heard_is_called_again_after_a_minute() {
    let mut office = told(Occasion::Arrived, State::Arrived);
    office.passes(Duration::from_secs(1));
    office.gone(OUT, 16);
    office.passes(Duration::from_millis(59_980));
    office.passes(Duration::from_millis(50));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_key_while_it_is_still_being_told_is_hearing_and_leads_to_an_agent_before_all_who_wait() {
    let mut office = told(Occasion::Assigned, State::Assigned);
    office.presses(OUT, "1");
    office.last_playback_ends();
    office.rings("C1-l1");
    office.answers("C1-l1");
    office.enters("C1-b", &[OUT, "C1-l1"]);
    office.gone(OUT, 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn where_no_car_was_found_one_goes_on_looking() {
    let mut office = told(Occasion::NotFound, State::NotFound);
    hears(&mut office);
    office.presses(OUT, "1");
    let call = office.call(1);
    office.event("the office looks again", Event::SearchedAgain { call, order: OrderId(5), result: Ok(()) });
    hears(&mut office);
    office.gone(OUT, 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn where_no_car_was_found_two_cancels_and_what_cannot_be_cancelled_is_told_anew() {
    let mut office = told(Occasion::NotFound, State::NotFound);
    office.presses(OUT, "2");
    let call = office.call(1);
    let result = Err(CancelRefused::Ended);
    office.event("the office cannot", Event::OrderCancelled { call, order: OrderId(5), result });
    office.presses(OUT, "2");
    office.event("the office can", Event::OrderCancelled { call, order: OrderId(5), result: Ok(()) });
    hears(&mut office);
    assert_snapshot!(office.transcript());
}

#[test]
fn busy_no_answer_and_a_machine_are_tried_three_times_and_then_it_is_a_task() {
    let mut office = calling(|_| ());
    office.gone(OUT, 17);
    office.passes(Duration::from_secs(61));
    office.rings("C2-o");
    office.passes(Duration::from_secs(36));
    office.gone("C2-o", 16);
    office.passes(Duration::from_secs(61));
    office.rings("C3-o");
    office.answers("C3-o");
    office.screened("C3-o", Answered::Machine);
    office.gone("C3-o", 16);
    office.passes(Duration::from_secs(300));
    assert_snapshot!(office.transcript());
}

#[test]
fn what_the_operator_says_is_no_answer() {
    let mut office = calling(|_| ());
    office.node(perezvon::engine::event::NodeEvent::Progress(format!("pz-{}-o", office.call(1)).into()));
    office.passes(Duration::from_secs(8));
    office.gone(OUT, 19);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_number_that_does_not_exist_or_may_not_be_called_is_a_task_at_once() {
    let mut office = calling(|_| ());
    office.gone(OUT, 1);
    let request = wanted(2, Occasion::Assigned, State::Assigned, &office);
    office.wants(CallbackRequest { number: "+18005550100".to_owned(), client: None, ..request });
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn the_newest_state_is_told_by_the_call_that_rings_already() {
    let mut office = calling(|_| ());
    office.rings(OUT);
    let newer = wanted(2, Occasion::Arrived, State::Arrived, &office);
    office.wants(newer);
    office.event("the older one is not wanted", Event::CallbackCancelled(CallbackId(1)));
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    hears(&mut office);
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_rings_in_meanwhile_is_not_called_and_who_heard_the_state_needs_no_call() {
    let mut office = calling(|_| ());
    office.rings(OUT);
    office.arrives("caller", NUMBER);
    office.gone(OUT, 16);
    office.card(2, card(State::Assigned));
    hears(&mut office);
    office.gone("caller", 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_rang_in_and_heard_nothing_is_called_afterwards() {
    let mut office = calling(|_| ());
    office.rings(OUT);
    office.arrives("caller", NUMBER);
    office.gone(OUT, 16);
    office.gone("caller", 16);
    office.passes(Duration::from_secs(61));
    assert_snapshot!(office.transcript());
}

#[test]
fn an_order_that_ended_takes_back_the_call_that_rings() {
    let mut office = calling(|_| ());
    office.rings(OUT);
    office.event("the order was cancelled", Event::CallbackCancelled(CallbackId(1)));
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn who_sits_in_the_car_by_the_time_of_the_answer_is_told_nothing() {
    let mut office = calling(|_| ());
    office.card(1, card(State::InTrip));
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn no_more_calls_go_out_than_there_are_lines_and_the_urgent_first() {
    let mut office = Office::new(1, |settings| settings.callback.lines = 1);
    for (id, occasion, number) in [
        (1, Occasion::Closed, "+79000000001"),
        (2, Occasion::Assigned, "+79000000002"),
        (3, Occasion::Arrived, "+79000000003"),
    ] {
        let request = wanted(id, occasion, State::Assigned, &office);
        let about = CallerOrder { order: OrderId(id), ..order(State::Assigned) };
        let about = About::Order { occasion, order: Box::new(about) };
        office.wants(CallbackRequest { number: number.to_owned(), client: None, about, ..request });
    }
    office.passes(Duration::from_millis(5));
    office.gone("C1-o", 17);
    office.gone("C2-o", 17);
    office.gone("C3-o", 17);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_engine_that_was_killed_takes_up_the_call_that_rings_and_ends_what_nobody_wants() {
    let mut office = calling(|_| ());
    office.rings(OUT);
    let pending = wanted(1, Occasion::Assigned, State::Assigned, &office);
    let ringing = office.stands(OUT, None, false, true);
    let mut stray = office.stands("pz-00000000000000aa-o", None, false, true);
    stray.arrival.memo = Some("o;77".to_owned());
    office.restart_with(vec![pending], vec![ringing, stray]);
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    hears(&mut office);
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn an_engine_that_was_killed_while_it_was_told_tells_it_anew() {
    let mut office = told(Occasion::Assigned, State::Assigned);
    let pending = wanted(1, Occasion::Assigned, State::Assigned, &office);
    let mut there = office.stands(OUT, None, true, false);
    there.arrival.origin = perezvon::engine::event::Origin::Outgoing { answered: Answered::Person };
    office.restart_with(vec![pending], vec![there]);
    hears(&mut office);
    office.gone(OUT, 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_restart_of_asterisk_costs_none_of_the_attempts() {
    let mut office = calling(|_| ());
    office.rings(OUT);
    office.node(perezvon::engine::event::NodeEvent::Down);
    office.passes(Duration::from_secs(60));
    office.connected(Vec::new(), Vec::new());
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_call_that_asterisk_cannot_make_is_tried_again() {
    let mut office = calling(|_| ());
    office.refuses("Dial", Refusal::Unprocessable("Allocation failed".to_owned()));
    office.passes(Duration::from_secs(61));
    office.refuses("Dial", Refusal::TimedOut);
    office.gone("C2-o", 0);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_was_lost_is_not_called_at_night() {
    let mut office = Office::new(1, |_| ());
    // 23:33 by the office's clock.
    let request = CallbackRequest { about: About::Lost, ..wanted(1, Occasion::Assigned, State::Assigned, &office) };
    office.wants(request);
    office.passes(Duration::from_secs(9 * 3600 + 25 * 60));
    office.passes(Duration::from_secs(310));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_was_lost_and_rings_in_again_is_not_called() {
    let mut office = Office::new(1, |settings| settings.callback.hours = perezvon::engine::hours::Hours::default());
    let request = CallbackRequest { about: About::Lost, ..wanted(1, Occasion::Assigned, State::Assigned, &office) };
    office.wants(CallbackRequest { due: Wall(office.wall().0 + 60_000), ..request });
    office.passes(Duration::from_secs(30));
    office.arrives("caller", NUMBER);
    office.gone("caller", 16);
    office.passes(Duration::from_secs(60));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_was_lost_is_put_through_by_a_key() {
    let mut office = Office::new(1, |settings| settings.callback.hours = perezvon::engine::hours::Hours::default());
    let request = CallbackRequest { about: About::Lost, ..wanted(1, Occasion::Assigned, State::Assigned, &office) };
    office.wants(request);
    office.passes(Duration::from_millis(5));
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    hears(&mut office);
    office.presses(OUT, "1");
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}
