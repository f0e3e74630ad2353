//! Calls that agents want to be made: the agent's phone, then the client's.

use std::time::Duration;

use insta::assert_snapshot;
use perezvon::domain::ids::ClientId;
use perezvon::engine::callback::request::{About, CallbackRequest};
use perezvon::engine::event::{Actor, Answered, CallerCard, NodeEvent, Origin, Request};
use perezvon::engine::hours::Hours;
use perezvon::engine::ids::{AgentId, CallbackId};
use perezvon::engine::time::Wall;

use crate::office::Office;

const CLIENT: &str = "+79007654321";
const AGENT: AgentId = AgentId(1);

fn wants(office: &mut Office, number: &str) {
    office.asks(Actor::Agent(AGENT), Request::Dial { agent: AGENT, number: number.to_owned() });
}

/// The agent has picked up, and the client's phone rings.
fn rung() -> Office {
    let mut office = Office::new(1, |_| ());
    wants(&mut office, CLIENT);
    office.card(1, CallerCard::default());
    office.rings("C1-l1");
    office.answers("C1-l1");
    office.rings("C1-o");
    office
}

#[test]
fn an_agent_calls_a_client_and_the_talk_is_one_like_any_other() {
    let mut office = rung();
    // Nobody is offered to an agent who calls, and nobody else calls the client.
    office.arrives("caller", "+79005550000");
    office.card(2, CallerCard::default());
    office.asks(Actor::Program("key".to_owned()), Request::Dial { agent: AGENT, number: CLIENT.to_owned() });
    office.answers("C1-o");
    office.screened("C1-o", Answered::Person);
    office.enters("C1-b", &["C1-o", "C1-l1"]);
    office.passes(Duration::from_secs(30));
    office.gone("C1-o", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(6));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_is_busy_leaves_the_agent_free_at_once() {
    let mut office = rung();
    office.gone("C1-o", 17);
    office.gone("C1-l1", 16);
    office.arrives("caller", CLIENT);
    office.card(2, CallerCard::default());
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_does_not_answer_is_given_up_after_the_ring_time() {
    let mut office = rung();
    office.passes(Duration::from_secs(36));
    office.gone("C1-o", 16);
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_hangs_up_first_or_does_not_answer_calls_nobody() {
    let mut office = rung();
    office.gone("C1-l1", 16);
    office.gone("C1-o", 16);
    office.node(NodeEvent::Device { endpoint: "agent-1".to_owned(), reachable: true });
    wants(&mut office, CLIENT);
    office.passes(Duration::from_secs(3));
    office.gone("C2-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_client_who_rings_in_while_the_agents_phone_rings_is_not_called_as_well() {
    let mut office = Office::new(2, |_| ());
    wants(&mut office, CLIENT);
    office.rings("C1-l1");
    office.arrives("caller", CLIENT);
    office.card(2, CallerCard::default());
    office.answers("C1-l1");
    office.gone("C1-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn a_phone_of_which_nothing_is_known_has_more_time_before_it_rings() {
    let mut office = Office::new(1, |_| ());
    wants(&mut office, CLIENT);
    office.passes(Duration::from_secs(5));
    office.rings("C1-l1");
    office.answers("C1-l1");
    office.gone("C1-l1", 16);
    office.gone("C1-o", 16);
    wants(&mut office, CLIENT);
    office.passes(Duration::from_secs(21));
    office.gone("C2-l1", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_was_lost_need_not_be_called_back_once_an_agent_has_reached_the_client() {
    // Asked for in daytime: the office calls at any hour here.
    let mut office = Office::new(1, |settings| settings.callback.hours = Hours::default());
    for (id, number, client) in [(1, CLIENT, None), (2, "+79005550000", Some(ClientId(70)))] {
        let due = Wall(office.wall().0 + 60_000);
        office.wants(CallbackRequest {
            id: CallbackId(id),
            number: number.to_owned(),
            client,
            language: None,
            about: About::Lost,
            attempts: 0,
            created: office.wall(),
            due,
            not_before: None,
        });
    }
    wants(&mut office, CLIENT);
    // The number that is called is one of this client's, who was lost with another one.
    office.card(1, CallerCard { client: Some(ClientId(70)), ..CallerCard::default() });
    office.rings("C1-l1");
    office.answers("C1-l1");
    office.rings("C1-o");
    office.answers("C1-o");
    office.screened("C1-o", Answered::Person);
    office.enters("C1-b", &["C1-o", "C1-l1"]);
    office.gone("C1-o", 16);
    office.gone("C1-l1", 16);
    office.passes(Duration::from_secs(120));
    assert_snapshot!(office.transcript());
}

#[test]
fn what_cannot_be_dialled_is_refused_with_the_reason() {
    let mut office = Office::new(1, |_| ());
    wants(&mut office, "+18005550100");
    office.asks(Actor::Program("key".to_owned()), Request::Dial { agent: AgentId(9), number: CLIENT.to_owned() });
    office.node(NodeEvent::Device { endpoint: "agent-1".to_owned(), reachable: false });
    wants(&mut office, CLIENT);
    office.node(NodeEvent::Device { endpoint: "agent-1".to_owned(), reachable: true });
    office.arrives("caller", CLIENT);
    office.card(1, CallerCard::default());
    wants(&mut office, CLIENT);
    office.last_playback_ends();
    wants(&mut office, "+79003330000");
    assert_snapshot!(office.transcript());
}

#[test]
fn an_engine_that_was_killed_ends_what_was_being_dialled_and_keeps_the_talk() {
    let mut office = rung();
    let (client, agent) = (office.stands("C1-o", None, false, true), office.stands("C1-l1", Some(1), true, false));
    office.restart(vec![client, agent], Vec::new());
    office.gone("C1-o", 16);
    office.gone("C1-l1", 16);
    let mut office = rung();
    office.answers("C1-o");
    office.screened("C1-o", Answered::Person);
    office.enters("C1-b", &["C1-o", "C1-l1"]);
    office.forget();
    let (client, agent) = (office.stands("C1-o", None, true, false), office.stands("C1-l1", Some(1), true, false));
    let bridge = office.bridge("C1-b", &["C1-o", "C1-l1"]);
    office.restart(vec![client, agent], vec![bridge]);
    office.gone("C1-l1", 16);
    office.gone("C1-o", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_answered_while_asterisk_could_not_be_heard_is_put_through_all_the_same() {
    let mut office = Office::new(1, |_| ());
    wants(&mut office, CLIENT);
    office.rings("C1-l1");
    office.node(NodeEvent::Down);
    let agent = office.stands("C1-l1", Some(1), true, false);
    office.connected(vec![agent], Vec::new());
    office.rings("C1-o");
    office.answers("C1-o");
    office.screened("C1-o", Answered::Person);
    office.node(NodeEvent::Down);
    let mut client = office.stands("C1-o", None, true, false);
    client.arrival.origin = Origin::Outgoing { answered: Answered::Person };
    let agent = office.stands("C1-l1", Some(1), true, false);
    office.connected(vec![client, agent], Vec::new());
    assert_snapshot!(office.transcript());
}

#[test]
fn a_socket_that_was_cut_meanwhile_costs_nothing() {
    let mut office = rung();
    office.node(NodeEvent::Down);
    let (client, agent) = (office.stands("C1-o", None, true, false), office.stands("C1-l1", Some(1), true, false));
    office.connected(vec![client, agent], Vec::new());
    office.screened("C1-o", Answered::Person);
    office.enters("C1-b", &["C1-o", "C1-l1"]);
    office.node(NodeEvent::Down);
    office.connected(Vec::new(), Vec::new());
    wants(&mut office, CLIENT);
    office.node(NodeEvent::Down);
    office.connected(Vec::new(), Vec::new());
    assert_snapshot!(office.transcript());
}
