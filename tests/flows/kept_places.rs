//! Callers who are called back instead of waiting: the keys, the kept place, the agent who is reserved, and each way in
//! which it can go.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::engine::callback::request::{About, CallbackRequest, KeptPlace};
use perezvon::engine::event::{Actor, Answered, Event, Request};
use perezvon::engine::ids::{AgentId, CallbackId, NodeId};
use perezvon::engine::settings::Settings;
use perezvon::engine::time::Wall;
use perezvon::engine::view::{PauseReason, Status};

use crate::office::Office;

const CLIENT: &str = "+79007654321";
const OTHER: &str = "+79005550000";
/// The attempt, after the talk that keeps the agent busy and the call in which the place was asked for.
const OUT: &str = "C3-o";

fn kept(office: &Office, id: i64, number: &str, entered: Wall) -> CallbackRequest {
    CallbackRequest {
        id: CallbackId(id),
        number: number.to_owned(),
        client: None,
        language: None,
        about: About::Place(KeptPlace {
            call: office.call(2),
            node: NodeId(0),
            queue: "main".to_owned(),
            priority: 0,
            entered,
        }),
        attempts: 0,
        created: office.wall(),
        due: office.wall(),
        not_before: None,
    }
}

/// The only agent talks, and a client waits.
fn waiting(change: impl FnOnce(&mut Settings), number: &str) -> (Office, Wall) {
    let mut office = Office::new(1, |settings| {
        settings.greeting = false;
        change(settings);
    });
    office.arrives("first", "+79001234567");
    office.card(1, Default::default());
    office.rings("C1-l1");
    office.answers("C1-l1");
    office.enters("C1-b", &["first", "C1-l1"]);
    office.arrives("client", number);
    if !number.is_empty() {
        office.card(2, Default::default());
    }
    let entered = office.wall();
    office.passes(Duration::from_secs(1));
    office.forget();
    (office, entered)
}

fn store_keeps(office: &mut Office, request: &CallbackRequest) {
    let (call, kept) = (office.call(2), Some(Box::new(request.clone())));
    office.event("the store has kept it", Event::PlaceKept { call, kept });
}

/// The client's place is kept, and the client has hung up.
fn called_back(change: impl FnOnce(&mut Settings)) -> (Office, CallbackRequest) {
    let (mut office, entered) = waiting(change, CLIENT);
    office.presses("client", "11");
    let request = kept(&office, 1, CLIENT, entered);
    store_keeps(&mut office, &request);
    office.gone("client", 16);
    office.passes(Duration::from_secs(20));
    office.forget();
    (office, request)
}

/// The agent has become free: the client's phone rings.
fn rung(change: impl FnOnce(&mut Settings)) -> (Office, CallbackRequest) {
    let (mut office, request) = called_back(change);
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    office.rings(OUT);
    office.forget();
    (office, request)
}

#[test]
fn a_caller_hears_the_offer_and_keeps_the_place_with_two_keys() {
    let (mut office, entered) = waiting(|settings| settings.queues[0].announce_first = Duration::from_secs(3), CLIENT);
    office.passes(Duration::from_secs(3));
    office.presses("client", "1");
    office.last_playback_ends();
    office.presses("client", "1");
    let request = kept(&office, 1, CLIENT, entered);
    store_keeps(&mut office, &request);
    office.last_playback_ends();
    office.gone("client", 16);
    // The agent becomes free: reserved, and only then the client is called.
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    office.rings(OUT);
    office.passes(Duration::from_secs(4));
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    office.rings("C3-l1");
    office.answers("C3-l1");
    office.enters("C3-b", &[OUT, "C3-l1"]);
    office.passes(Duration::from_secs(20));
    office.gone(OUT, 16);
    office.gone("C3-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn another_number_is_entered_and_an_announcement_does_not_disturb() {
    let (mut office, entered) = waiting(|settings| settings.queues[0].announce_first = Duration::from_secs(5), CLIENT);
    office.presses("client", "12");
    office.last_playback_ends();
    office.passes(Duration::from_secs(5));
    office.presses("client", "89005550000#");
    office.last_playback_ends();
    office.presses("client", "1");
    let request = kept(&office, 1, OTHER, entered);
    store_keeps(&mut office, &request);
    office.last_playback_ends();
    office.gone("client", 16);
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn who_has_a_hidden_number_gives_one_and_a_forbidden_one_is_not_taken() {
    let (mut office, _) = waiting(|_| (), "");
    office.presses("client", "1");
    office.last_playback_ends();
    office.presses("client", "810442079460000#");
    office.last_playback_ends();
    office.passes(Duration::from_secs(9));
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_that_rings_goes_before_the_choice() {
    let (mut office, _) = waiting(|_| (), CLIENT);
    office.presses("client", "1");
    office.last_playback_ends();
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_millis(5500));
    office.presses("client", "1");
    office.rings("C2-l1");
    office.answers("C2-l1");
    assert_snapshot!(office.transcript());
}

#[test]
fn a_store_that_does_not_answer_leaves_the_caller_in_line() {
    let (mut office, entered) = waiting(|_| (), CLIENT);
    office.presses("client", "11");
    office.passes(Duration::from_secs(5));
    office.last_playback_ends();
    // It comes after all: the caller is on the line and needs no call.
    let request = kept(&office, 1, CLIENT, entered);
    store_keeps(&mut office, &request);
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn where_the_office_does_not_offer_it_the_key_means_nothing() {
    let (mut office, _) = waiting(
        |settings| {
            settings.queues[0].callback_offer = false;
            settings.queues[0].announce_first = Duration::from_secs(3);
        },
        CLIENT,
    );
    office.passes(Duration::from_secs(3));
    office.presses("client", "1");
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_does_not_answer_costs_the_agent_nothing_and_keeps_the_place() {
    let (mut office, _) = rung(|_| ());
    office.arrives("later", OTHER);
    office.card(4, Default::default());
    office.passes(Duration::from_secs(36));
    office.gone(OUT, 19);
    // The agent has the next caller at once; the place is called again in a minute, before whoever comes later.
    office.rings("C4-l1");
    office.answers("C4-l1");
    office.enters("C4-b", &["later", "C4-l1"]);
    office.passes(Duration::from_secs(30));
    office.arrives("still later", "+79003330000");
    office.card(5, Default::default());
    office.passes(Duration::from_secs(31));
    office.gone("later", 16);
    office.gone("C4-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn after_all_attempts_it_is_a_task_and_the_place_is_given_up() {
    let (mut office, _) = rung(|settings| settings.callback.attempts = 2);
    office.gone(OUT, 17);
    office.passes(Duration::from_secs(61));
    office.gone("C4-o", 17);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_rings_in_meanwhile_has_the_place_and_is_not_called() {
    let (mut office, _) = called_back(|_| ());
    office.arrives("earlier than nobody", OTHER);
    office.card(3, Default::default());
    office.passes(Duration::from_secs(1));
    office.arrives("client again", CLIENT);
    office.card(4, Default::default());
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_pauses_while_the_client_is_rung_leaves_nobody_to_be_put_through_to() {
    let (mut office, _) = rung(|_| ());
    let status = Status::Pause(PauseReason::Declared("lunch".to_owned()));
    office.asks(Actor::Agent(AgentId(1)), Request::SetStatus { agent: AgentId(1), status });
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(6));
    office.asks(Actor::Agent(AgentId(1)), Request::SetStatus { agent: AgentId(1), status: Status::Ready });
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_does_not_take_it_leaves_the_client_first_in_line() {
    let (mut office, _) = rung(|_| ());
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    office.rings("C3-l1");
    office.passes(Duration::from_secs(16));
    office.gone("C3-l1", 19);
    office.gone(OUT, 16);
    office.passes(Duration::from_secs(61));
    office.asks(Actor::Agent(AgentId(1)), Request::SetStatus { agent: AgentId(1), status: Status::Ready });
    assert_snapshot!(office.transcript());
}

#[test]
fn two_wishes_for_one_number_are_one_and_the_older_place_stays() {
    let (mut office, request) = called_back(|_| ());
    office.arrives("friend", OTHER);
    office.card(3, Default::default());
    office.presses("friend", "1289007654321#1");
    let (call, kept) = (office.call(3), Some(Box::new(request)));
    office.event("the store knows of that number", Event::PlaceKept { call, kept });
    office.last_playback_ends();
    office.gone("friend", 16);
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn an_engine_that_was_killed_keeps_the_place_and_takes_up_the_call_that_rings() {
    let (mut office, request) = rung(|_| ());
    let ringing = office.stands(OUT, None, false, true);
    office.restart_with(vec![request.clone()], vec![ringing]);
    office.answers(OUT);
    office.screened(OUT, Answered::Person);
    office.rings("C3-l1");
    office.answers("C3-l1");
    // Killed once more, in the middle of the talk.
    let (mut client, agent) = (office.stands(OUT, None, true, false), office.stands("C3-l1", Some(1), true, false));
    client.arrival.number = CLIENT.to_owned();
    let bridge = office.bridge("C3-b", &[]);
    office.restart_with_bridges(vec![request], vec![client, agent], vec![bridge]);
    office.enters("C3-b", &[OUT, "C3-l1"]);
    office.gone(OUT, 16);
    office.gone("C3-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_caller_who_is_still_there_after_a_restart_has_the_place_and_is_not_called() {
    let (mut office, entered) = waiting(|_| (), CLIENT);
    office.presses("client", "11");
    let request = kept(&office, 1, CLIENT, entered);
    let (first, agent) = (office.stands("first", None, true, false), office.stands("C1-l1", Some(1), true, false));
    let client = office.stands("client", None, true, false);
    let bridge = office.bridge("C1-b", &["first", "C1-l1"]);
    office.restart_with_bridges(vec![request], vec![first, agent, client], vec![bridge]);
    office.gone("first", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}
