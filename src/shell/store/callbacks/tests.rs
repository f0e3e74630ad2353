use std::time::Duration;

use crate::domain::client::{self, Detail};
use crate::domain::money::Kopecks;
use crate::domain::notify::ClientNotify;
use crate::domain::order::Command;
use crate::engine::callback::attempt::Outcome;
use crate::engine::callback::request::CallbackEnd;
use crate::engine::command::Fact;
use crate::engine::ids::{AgentId, CallId, NodeId, QueueId};
use crate::engine::view::Disposition;

use super::super::callback_list::{CallbackFilter, CallbackRow, NewCallback};
use super::super::clients::tests::{new, olga, phones};
use super::super::orders::OrderChange;
use super::super::orders::tests::{assign, taxi};
use super::super::sms::SmsFilter;
use super::super::testing::{TestStore, on_both};
use super::*;

const MOBILE: &str = "+79001234567";
const LANDLINE: &str = "+74951234567";

async fn all(t: &TestStore) -> Vec<CallbackRow> {
    let mut rows = t.store.list_callbacks(&CallbackFilter::default(), None, 50).await.unwrap().items;
    rows.reverse();
    rows
}

/// State and occasion of each.
async fn told(t: &TestStore) -> Vec<(String, String)> {
    all(t).await.into_iter().map(|row| (row.occasion.unwrap_or_default(), row.state)).collect()
}

async fn sms(t: &TestStore) -> Vec<String> {
    t.store.list_sms(&SmsFilter::default(), None, 50).await.unwrap().items.into_iter().map(|row| row.reason).collect()
}

fn pair(occasion: &str, state: &str) -> (String, String) {
    (occasion.to_owned(), state.to_owned())
}

#[tokio::test]
async fn a_change_of_an_order_makes_the_announcement_and_the_newest_wins() {
    on_both(async |t| {
        let s = &t.store;
        let order = s.create_order(taxi(LANDLINE), &olga(), Wall(1)).await.unwrap();
        s.change_order(order.id, assign(), &olga(), Wall(2)).await.unwrap();
        assert_eq!(told(&t).await, [pair("assigned", "pending")]);
        // A landline is called when the car waits.
        s.change_order(order.id, OrderChange::Command(Command::Arrive), &olga(), Wall(3)).await.unwrap();
        assert_eq!(told(&t).await, [pair("assigned", "superseded"), pair("arrived", "pending")]);
        let pending = s.pending_callbacks(CallbackId(0), 10).await.unwrap();
        let [request] = pending.as_slice() else { panic!("{pending:?}") };
        assert_eq!((request.number.as_str(), request.order(), request.due), (LANDLINE, Some(order.id), Wall(3)));
        // Who sits in the car is told nothing.
        s.change_order(order.id, OrderChange::Command(Command::Start), &olga(), Wall(4)).await.unwrap();
        assert_eq!(told(&t).await, [pair("assigned", "superseded"), pair("arrived", "superseded")]);
        assert!(s.pending_callbacks(CallbackId(0), 10).await.unwrap().is_empty());
        assert!(sms(&t).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_is_told_that_the_car_waits_is_told_for_how_long_it_does_for_nothing() {
    on_both(async |t| {
        let s = &t.store;
        let tariff = Tariff {
            name: "Город".to_owned(),
            free_waiting_s: 300,
            per_waiting_minute: Kopecks::roubles(9),
            ..Tariff::default()
        };
        s.add_item(tariff, &olga(), Wall(1)).await.unwrap();
        for number in [LANDLINE, MOBILE] {
            let order = s.create_order(taxi(number), &olga(), Wall(2)).await.unwrap();
            s.change_order(order.id, assign(), &olga(), Wall(3)).await.unwrap();
            s.change_order(order.id, OrderChange::Command(Command::Arrive), &olga(), Wall(4)).await.unwrap();
        }
        let pending = s.pending_callbacks(CallbackId(0), 10).await.unwrap();
        let [request] = pending.as_slice() else { panic!("{pending:?}") };
        let About::Order { order, .. } = &request.about else { panic!("{request:?}") };
        assert_eq!((request.number.as_str(), order.free_minutes), (LANDLINE, Some(5)));
        let written = s.list_sms(&SmsFilter::default(), None, 50).await.unwrap().items;
        assert!(written[0].text.ends_with("Бесплатное ожидание 5 мин."), "{written:?}");
    })
    .await;
}

#[tokio::test]
async fn an_order_that_ended_cancels_what_is_pending_and_the_clients_wish_goes_before_the_offices() {
    on_both(async |t| {
        let s = &t.store;
        let order = s.create_order(taxi(MOBILE), &olga(), Wall(1)).await.unwrap();
        s.change_order(order.id, assign(), &olga(), Wall(2)).await.unwrap();
        let cancel = Command::Cancel { by: CancelledBy::Client, reason: String::new() };
        s.change_order(order.id, OrderChange::Command(cancel), &olga(), Wall(3)).await.unwrap();
        assert_eq!(told(&t).await, [pair("assigned", "cancelled")]);
        let wish = ClientNotify { assigned: Some(Channel::Both), ..ClientNotify::default() };
        let edit = client::Command::Edit(vec![Detail::Notify(wish)]);
        s.change_client(order.order.client.unwrap(), edit, &olga(), Wall(4)).await.unwrap();
        let next = s.create_order(taxi(MOBILE), &olga(), Wall(5)).await.unwrap();
        s.change_order(next.id, assign(), &olga(), Wall(6)).await.unwrap();
        let rows = all(&t).await;
        assert!(rows[1].by_sms && rows[1].state == "pending", "{rows:?}");
        assert_eq!(sms(&t).await.len(), 1);
        let none = ClientNotify { assigned: Some(Channel::None), ..ClientNotify::default() };
        let edit = client::Command::Edit(vec![Detail::Notify(none)]);
        s.change_client(order.order.client.unwrap(), edit, &olga(), Wall(7)).await.unwrap();
        let quiet = s.create_order(taxi(MOBILE), &olga(), Wall(8)).await.unwrap();
        s.change_order(quiet.id, assign(), &olga(), Wall(9)).await.unwrap();
        assert_eq!(all(&t).await.len(), 2);
    })
    .await;
}

fn started(callback: CallbackId, attempt: u64, at: i64) -> Fact {
    Fact::AttemptStarted { callback, attempt: CallId(attempt), at: Wall(at) }
}

fn ended(callback: CallbackId, attempt: u64, outcome: Outcome, attempts: u8, due: i64, at: i64) -> Fact {
    Fact::AttemptEnded {
        callback,
        attempt: CallId(attempt),
        about: "assigned",
        outcome,
        cause: 17,
        attempts,
        due: Wall(due),
        at: Wall(at),
    }
}

#[tokio::test]
async fn attempts_are_kept_and_exhausting_them_sends_an_sms_and_leaves_a_task() {
    on_both(async |t| {
        let s = &t.store;
        let order = s.create_order(taxi(MOBILE), &olga(), Wall(1)).await.unwrap();
        s.change_order(order.id, assign(), &olga(), Wall(2)).await.unwrap();
        let id = all(&t).await[0].id;
        let first = [started(id, 7, 10), ended(id, 7, Outcome::Busy, 1, 60_020, 20)];
        s.write_facts(&first).await.unwrap();
        s.write_facts(&first).await.unwrap();
        let pending = s.pending_callbacks(CallbackId(0), 10).await.unwrap();
        assert_eq!((pending[0].attempts, pending[0].due), (1, Wall(60_020)));
        s.write_facts(&[started(id, 8, 60_020)]).await.unwrap();
        assert_eq!(all(&t).await[0].attempt, Some(CallId(8)));
        let over = Fact::CallbackEnded {
            callback: id,
            end: CallbackEnd::Exhausted,
            about: "assigned",
            waited: Duration::ZERO,
            at: Wall(60_030),
        };
        s.write_facts(&[ended(id, 8, Outcome::Machine, 2, 60_030, 60_030), over]).await.unwrap();
        assert_eq!(s.settle_exhausted(Wall(60_040)).await.unwrap(), 1);
        assert_eq!(s.settle_exhausted(Wall(60_040)).await.unwrap(), 0);
        assert_eq!(sms(&t).await, ["attempts_exhausted"]);
        let open = CallbackFilter { open: Some(true), ..CallbackFilter::default() };
        assert_eq!(s.list_callbacks(&open, None, 10).await.unwrap().items.len(), 1);
        let (row, tries) = s.get_callback(id).await.unwrap().unwrap();
        let outcomes: Vec<_> = tries.into_iter().map(|one| one.outcome.unwrap()).collect();
        assert_eq!(
            (row.state.as_str(), row.attempt, outcomes),
            ("exhausted", None, vec!["busy".into(), "machine".into()])
        );
        let done = s.cancel_callback(id, "olga", Wall(60_050)).await.unwrap();
        assert_eq!((done.state.as_str(), done.closed_by.as_str()), ("exhausted", "olga"));
        assert!(s.list_callbacks(&open, None, 10).await.unwrap().items.is_empty());
        assert!(s.hurry_callback(id, Wall(60_060)).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_was_handed_on_belongs_to_the_newer_callback() {
    on_both(async |t| {
        let s = &t.store;
        let order = s.create_order(taxi(LANDLINE), &olga(), Wall(1)).await.unwrap();
        s.change_order(order.id, assign(), &olga(), Wall(2)).await.unwrap();
        s.change_order(order.id, OrderChange::Command(Command::Arrive), &olga(), Wall(3)).await.unwrap();
        let (old, new) = (all(&t).await[0].id, all(&t).await[1].id);
        let delivered = Fact::CallbackEnded {
            callback: new,
            end: CallbackEnd::Delivered,
            about: "arrived",
            waited: Duration::ZERO,
            at: Wall(9),
        };
        let facts = [started(old, 7, 2), delivered, ended(new, 7, Outcome::Delivered, 1, 10, 10)];
        s.write_facts(&facts).await.unwrap();
        let (row, tries) = s.get_callback(new).await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.outcome.as_deref(), tries.len()), ("delivered", Some("delivered"), 1));
        assert_eq!(told(&t).await[0], pair("assigned", "superseded"));
    })
    .await;
}

#[tokio::test]
async fn what_was_heard_was_delivered_even_if_its_client_changed_the_order_in_the_call() {
    on_both(async |t| {
        let s = &t.store;
        let order = s.create_order(taxi(LANDLINE), &olga(), Wall(1)).await.unwrap();
        s.change_order(order.id, OrderChange::Command(Command::NoCar), &olga(), Wall(2)).await.unwrap();
        let id = all(&t).await[0].id;
        s.write_facts(&[started(id, 5, 10)]).await.unwrap();
        s.change_order(order.id, OrderChange::Command(Command::SearchAgain), &olga(), Wall(20)).await.unwrap();
        assert_eq!(told(&t).await, [pair("not_found", "superseded")]);
        let over = |end| Fact::CallbackEnded {
            callback: id,
            end,
            about: "not_found",
            waited: Duration::from_secs(1),
            at: Wall(19),
        };
        s.write_facts(&[over(CallbackEnd::Exhausted)]).await.unwrap();
        assert_eq!(told(&t).await, [pair("not_found", "superseded")]);
        let facts = [over(CallbackEnd::Delivered), ended(id, 5, Outcome::Delivered, 1, 30, 30)];
        s.write_facts(&facts).await.unwrap();
        assert_eq!((told(&t).await, all(&t).await[0].attempts), (vec![pair("not_found", "delivered")], 1));
    })
    .await;
}

#[tokio::test]
async fn people_can_want_a_call_hurry_it_and_call_it_off() {
    on_both(async |t| {
        let s = &t.store;
        let new = |not_before| NewCallback {
            number: Phone::parse(MOBILE),
            client: None,
            words: "С днём рождения!".to_owned(),
            not_before,
            author: "olga".to_owned(),
        };
        let later = s.add_callback(&new(Some(Wall(5_000))), Wall(1)).await.unwrap();
        let request = s.pending_callbacks(CallbackId(0), 10).await.unwrap().remove(0);
        assert_eq!((request.not_before, request.about), (Some(Wall(5_000)), About::Words("С днём рождения!".into())));
        s.hurry_callback(later.id, Wall(2)).await.unwrap();
        let told = s.callbacks_told(&[later.id, CallbackId(99)]).await.unwrap();
        let [Told::Wanted(request), Told::Over(CallbackId(99))] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((request.not_before, request.due), (None, Wall(2)));
        assert_eq!(s.cancel_callback(later.id, "olga", Wall(3)).await.unwrap().state, "cancelled");
        assert_eq!(s.callbacks_told(&[later.id]).await.unwrap(), [Told::Over(later.id)]);
        assert!(s.cancel_callback(later.id, "olga", Wall(4)).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn without_a_trunk_an_sms_takes_the_place_of_the_call() {
    on_both(async |t| {
        let s = &t.store;
        s.announce_as(Announcing { voice: false, ..Announcing::default() });
        let order = s.create_order(taxi(MOBILE), &olga(), Wall(1)).await.unwrap();
        s.change_order(order.id, assign(), &olga(), Wall(2)).await.unwrap();
        assert!(all(&t).await.is_empty());
        assert_eq!(sms(&t).await.len(), 1);
    })
    .await;
}

fn call(id: u64, number: &str, at: i64) -> Vec<Fact> {
    let (call, number) = (CallId(id << 20), number.to_owned());
    let arrived = Fact::CallArrived {
        call,
        node: NodeId(0),
        channel: format!("c-{id}").into(),
        recording: format!("r-{id}"),
        number,
        dialled: "100".into(),
        by_fallback: false,
        outgoing: false,
        at: Wall(at),
    };
    let queued = Fact::CallQueued { call, queue: QueueId(0), queue_name: "main".into(), priority: 0, at: Wall(at + 1) };
    let (waited, talked) = (Duration::from_secs(3), Duration::ZERO);
    let disposition = Disposition::Abandon;
    let ended = Fact::CallEnded { call, disposition, cause: 16, waited, talked, agent: None, at: Wall(at + 3_000) };
    vec![arrived, queued, ended]
}

#[tokio::test]
async fn who_hung_up_while_waiting_is_on_the_list_once_until_ringing_in_again() {
    on_both(async |t| {
        let s = &t.store;
        s.write_facts(&call(1, MOBILE, 1_000)).await.unwrap();
        s.write_facts(&call(1, MOBILE, 1_000)).await.unwrap();
        s.write_facts(&call(2, "", 1_500)).await.unwrap();
        let rows = all(&t).await;
        assert_eq!((rows.len(), rows[0].kind.as_str(), rows[0].state.as_str()), (1, "lost", "listed"), "{rows:?}");
        // Nobody is called who is only on the list.
        assert!(s.pending_callbacks(CallbackId(0), 10).await.unwrap().is_empty());
        // Rings in again: the old entry closes itself, and the second loss is a new one.
        s.write_facts(&call(3, MOBILE, 9_000)).await.unwrap();
        let states: Vec<_> = all(&t).await.into_iter().map(|row| (row.state, row.closed.is_some())).collect();
        assert_eq!(states, [("superseded".to_owned(), true), ("listed".to_owned(), false)]);
    })
    .await;
}

/// An agent calls this number, and talks with whom it belongs to if `answers`.
fn called(id: u64, number: &str, at: i64, answers: bool) -> Vec<Fact> {
    let facts = call(id, number, at).into_iter().filter_map(|fact| match fact {
        Fact::CallArrived { .. } => Some(fact),
        Fact::CallQueued { call, .. } if answers => {
            Some(Fact::CallBridged { call, leg: 1, agent: Some(AgentId(1)), at: Wall(at + 500) })
        }
        _ => None,
    });
    facts
        .map(|fact| match fact {
            Fact::CallArrived { call, node, channel, recording, number, dialled, by_fallback, outgoing: _, at } => {
                Fact::CallArrived { call, node, channel, recording, number, dialled, by_fallback, outgoing: true, at }
            }
            other => other,
        })
        .collect()
}

#[tokio::test]
async fn who_was_lost_is_off_the_list_when_an_agent_reached_any_number_of_the_clients() {
    on_both(async |t| {
        let s = &t.store;
        let other = "+79007654321";
        s.create_client(new(vec![phones(&[MOBILE, other])]), &olga(), Wall(10)).await.unwrap();
        let states = async || all(&t).await.into_iter().map(|row| row.state).collect::<Vec<_>>();
        s.write_facts(&call(1, MOBILE, 1_000)).await.unwrap();
        // Dialled in vain.
        s.write_facts(&called(2, MOBILE, 9_000, false)).await.unwrap();
        assert_eq!(states().await, ["listed"]);
        s.write_facts(&called(3, MOBILE, 19_000, true)).await.unwrap();
        assert_eq!(states().await, ["superseded"]);
        // By another number of the same client: reached, or ringing in.
        s.write_facts(&call(4, MOBILE, 30_000)).await.unwrap();
        s.write_facts(&called(5, other, 39_000, true)).await.unwrap();
        s.write_facts(&call(6, MOBILE, 50_000)).await.unwrap();
        s.write_facts(&call(7, other, 60_000)[..1]).await.unwrap();
        assert_eq!(states().await, ["superseded"; 3]);
    })
    .await;
}

#[tokio::test]
async fn who_was_lost_is_called_back_by_itself_where_the_office_wants_it() {
    on_both(async |t| {
        let s = &t.store;
        s.announce_as(Announcing { lost: true, ..Announcing::default() });
        s.write_facts(&call(1, MOBILE, 1_000)).await.unwrap();
        let request = s.pending_callbacks(CallbackId(0), 10).await.unwrap().remove(0);
        assert_eq!((request.about, request.due), (About::Lost, Wall(64_000)));
    })
    .await;
}

fn place(call: u64, number: &str) -> NewPlace {
    NewPlace {
        number: number.to_owned(),
        client: None,
        language: Language::Ru,
        place: KeptPlace {
            call: CallId(call),
            node: NodeId(1),
            queue: "main".to_owned(),
            priority: -3,
            entered: Wall(900),
        },
    }
}

#[tokio::test]
async fn a_place_is_kept_once_for_a_number_and_read_back_as_it_was() {
    on_both(async |t| {
        let s = &t.store;
        let first = s.keep_place(&place(7 << 20, MOBILE), Wall(1_000)).await.unwrap();
        assert_eq!(first.place(), Some(&place(7 << 20, MOBILE).place));
        assert_eq!((first.number.as_str(), first.due, first.language), (MOBILE, Wall(1_000), Some(Language::Ru)));
        // A second wish joins the first.
        let second = s.keep_place(&place(8 << 20, MOBILE), Wall(2_000)).await.unwrap();
        assert_eq!((second.id, second.place()), (first.id, first.place()));
        let other = s.keep_place(&place(9 << 20, "+79007654321"), Wall(3_000)).await.unwrap();
        assert_ne!(other.id, first.id);
        let pending = s.pending_callbacks(CallbackId(0), 10).await.unwrap();
        assert_eq!(pending, [first.clone(), other]);
        // Over: the next wish keeps a new place.
        let (id, at, waited) = (first.id, Wall(4_000), Duration::from_secs(3));
        let over = Fact::CallbackEnded { callback: id, end: CallbackEnd::Exhausted, about: "place", waited, at };
        s.write_facts(&[over]).await.unwrap();
        assert_eq!(s.settle_exhausted(Wall(5_000)).await.unwrap(), 1);
        let again = s.keep_place(&place(10 << 20, MOBILE), Wall(6_000)).await.unwrap();
        assert_ne!(again.id, first.id);
        // The exhausted one is a task that cannot be hurried while the new one is pending.
        assert!(s.hurry_callback(first.id, Wall(7_000)).await.is_err());
        assert!(sms(&t).await.is_empty());
    })
    .await;
}
