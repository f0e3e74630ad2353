//! Callers with an order: what they hear, what their keys do, and who talks with them in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use perezvon::domain::ids::{ClientId, OrderId};
use perezvon::domain::order::{Eta, State};
use perezvon::engine::event::{Actor, CallerCard, CallerOrder, CancelRefused, Event, Request};
use perezvon::engine::ids::{AgentId, QueueId};
use perezvon::engine::settings::{Act, Menu, Menus, Settings};
use perezvon::engine::time::Wall;
use perezvon::engine::view::{PauseReason, Status};
use perezvon::speech::Language;

use crate::office::{BEGINNING, Office};

const NUMBER: &str = "+79001234567";
const CLIENT: ClientId = ClientId(70);

fn order(id: i64, state: State) -> CallerOrder {
    let minutes_ago = |minutes: i64| Wall(BEGINNING - minutes * 60_000 + id * 1_000);
    CallerOrder {
        eta: (state == State::Assigned).then_some(Eta { minutes: 7, made_at: minutes_ago(2) }),
        arrived_at: (state == State::Arrived).then_some(minutes_ago(3)),
        searching_since: Some(minutes_ago(4)),
        ..CallerOrder::new(OrderId(id), state, minutes_ago(5))
    }
}

fn card(orders: &[CallerOrder]) -> CallerCard {
    CallerCard { client: Some(CLIENT), orders: orders.to_vec().into(), ..CallerCard::default() }
}

/// An office whose caller hears how these orders stand.
fn told(orders: &[CallerOrder]) -> Office {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, card(orders));
    office
}

fn changes(office: &mut Office, order: CallerOrder) {
    office.event("the order changes", Event::OrderChanged { client: CLIENT, order: Box::new(order) });
}

fn answer(office: &mut Office, result: Result<(), CancelRefused>) {
    let call = office.call(1);
    office.event("the office answers", Event::OrderCancelled { call, order: OrderId(5), result });
}

#[test]
fn who_hears_the_state_and_presses_nothing_comes_to_the_queue() {
    let mut office = told(&[order(5, State::Assigned)]);
    office.last_playback_ends();
    office.passes(Duration::from_secs(6));
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn a_key_works_while_the_prompt_is_still_speaking_and_the_agent_sees_why() {
    let mut office = told(&[order(5, State::Arrived)]);
    office.presses("caller", "1");
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn an_order_is_cancelled_after_one_more_question_and_its_caller_needs_nobody() {
    let mut office = told(&[order(5, State::Searching)]);
    office.presses("caller", "21");
    answer(&mut office, Ok(()));
    office.last_playback_ends();
    office.passes(Duration::from_secs(6));
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn the_same_key_twice_cancels_nothing() {
    let mut office = told(&[order(5, State::Assigned)]);
    office.presses("caller", "22");
    office.last_playback_ends();
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn what_cannot_be_cancelled_any_more_says_why_and_leads_to_an_agent() {
    let mut office = told(&[order(5, State::Assigned)]);
    office.presses("caller", "21");
    answer(&mut office, Err(CancelRefused::InTrip));
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn when_the_office_does_not_answer_the_caller_comes_to_an_agent_and_a_late_answer_is_noted() {
    // Nobody is there to answer: the news is heard in the queue.
    let mut office = Office::new(0, |_| ());
    office.arrives("caller", NUMBER);
    office.card(1, card(&[order(5, State::Assigned)]));
    office.presses("caller", "21");
    // Meant for the question before.
    office.presses("caller", "1");
    office.passes(Duration::from_secs(5));
    answer(&mut office, Ok(()));
    office.last_playback_ends();
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn three_keys_that_mean_nothing_lead_to_an_agent_and_star_repeats() {
    let mut office = told(&[order(5, State::Searching)]);
    office.presses("caller", "9*8#");
    assert_snapshot!(office.transcript());
}

#[test]
fn several_orders_are_told_newest_first_and_asked_about_one_by_one() {
    let mut office = told(&[order(5, State::Assigned), order(6, State::Searching), order(4, State::Completed)]);
    office.presses("caller", "2221");
    answer(&mut office, Ok(()));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_change_is_told_between_two_sentences_and_at_once_in_silence() {
    let mut office = told(&[order(5, State::Searching)]);
    changes(&mut office, order(5, State::Assigned));
    office.last_playback_ends();
    office.last_playback_ends();
    changes(&mut office, order(5, State::Arrived));
    // The same again is no news.
    changes(&mut office, order(5, State::Arrived));
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn who_waits_hears_the_change_and_moves_in_the_line() {
    let mut office = Office::new(1, |_| ());
    let status = |status| Request::SetStatus { agent: AgentId(1), status };
    let tea = Status::Pause(PauseReason::Declared("tea".to_owned()));
    office.asks(Actor::Agent(AgentId(1)), status(tea));
    office.arrives("first", "+79000000002");
    office.card(1, CallerCard::default());
    office.playback_ends("C1-p1");
    office.arrives("caller", NUMBER);
    office.card(2, card(&[order(5, State::Searching)]));
    office.presses("caller", "1");
    office.last_playback_ends();
    changes(&mut office, order(5, State::Arrived));
    office.last_playback_ends();
    office.asks(Actor::Agent(AgentId(1)), status(Status::Ready));
    assert_snapshot!(office.transcript());
}

#[test]
fn a_card_that_comes_during_the_greeting_is_not_too_late_for_the_state() {
    let mut office = Office::new(1, |_| ());
    office.arrives("caller", NUMBER);
    office.passes(Duration::from_millis(400));
    office.card(1, card(&[order(5, State::NotFound)]));
    office.last_playback_ends();
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn an_office_that_does_not_want_it_has_no_menu() {
    let mut office = Office::new(1, |settings| settings.order_status = false);
    office.arrives("caller", NUMBER);
    office.card(1, card(&[order(5, State::Assigned)]));
    office.presses("caller", "1");
    assert_snapshot!(office.transcript());
}

fn with_menus(settings: &mut Settings) {
    let menu = |say: &str, language, keys: &[(char, Act)], otherwise| Menu {
        say: say.to_owned(),
        language,
        wait: Duration::from_secs(5),
        times: 2,
        keys: keys.iter().cloned().collect(),
        otherwise,
    };
    let main =
        menu("Машина: один.", None, &[('1', Act::Queue(QueueId(1))), ('9', Act::Menu(1))], Act::Queue(QueueId(0)));
    let english = menu("Press zero.", Some(Language::En), &[], Act::HangUp);
    settings.menus = Menus { start: Some(0), list: vec![main, english] };
    settings.greeting_text = "Такси слушает.".to_owned();
}

#[test]
fn a_menu_of_the_office_leads_to_a_queue_by_a_key() {
    let mut office = Office::new(0, with_menus);
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.last_playback_ends();
    office.presses("caller", "1");
    assert_snapshot!(office.transcript());
}

fn greets(office: &mut Office, queue: &str, words: &str) {
    let greetings = BTreeMap::from([(queue.to_owned(), words.to_owned())]);
    office.event("the greeting of a purpose", Event::Greetings(greetings));
}

#[test]
fn the_greeting_of_a_purpose_is_heard_in_its_queue_once() {
    let mut office = Office::new(0, with_menus);
    greets(&mut office, "second", "Сервис слушает.");
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.last_playback_ends();
    office.presses("caller", "1");
    office.last_playback_ends();
    assert_snapshot!(office.transcript());
}

#[test]
fn an_agent_who_answers_cuts_the_greeting_of_a_purpose_off_and_after_a_refusal_it_is_not_said_again() {
    let mut office = Office::new(2, |settings| settings.greeting = false);
    greets(&mut office, "main", "Сервис слушает.");
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.rings("C1-l1");
    office.gone("C1-l1", 21);
    office.rings("C1-l2");
    office.answers("C1-l2");
    assert_snapshot!(office.transcript());
}

#[test]
fn another_language_holds_for_all_that_follows_and_silence_leads_where_it_is_described() {
    let mut office = Office::new(0, with_menus);
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.last_playback_ends();
    office.presses("caller", "9");
    office.last_playback_ends();
    office.passes(Duration::from_secs(6));
    office.last_playback_ends();
    office.passes(Duration::from_secs(6));
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}

#[test]
fn when_the_office_is_closed_the_caller_is_told_and_the_call_ends() {
    let mut office = Office::new(1, |settings| {
        // It is night in the office.
        settings.hours.add("daily 08:00-20:00").unwrap();
        settings.after_hours = "Мы закрыты.".to_owned();
    });
    office.arrives("caller", NUMBER);
    office.card(1, CallerCard::default());
    office.last_playback_ends();
    office.last_playback_ends();
    office.gone("caller", 16);
    assert_snapshot!(office.transcript());
}
