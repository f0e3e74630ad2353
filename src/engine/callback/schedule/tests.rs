use super::*;
use crate::domain::notify::Occasion;
use crate::domain::order::State;
use crate::engine::callback::request::About;
use crate::engine::event::CallerOrder;

fn wanted(id: i64, number: &str, client: Option<i64>, occasion: Occasion) -> CallbackRequest {
    let order = Box::new(CallerOrder::new(OrderId(id), State::Assigned, Wall(0)));
    CallbackRequest {
        id: CallbackId(id),
        number: number.to_owned(),
        client: client.map(ClientId),
        language: None,
        about: About::Order { occasion, order },
        attempts: 0,
        created: Wall(id),
        due: Wall(0),
        not_before: None,
    }
}

fn admitted(requests: Vec<CallbackRequest>) -> Schedule {
    let mut schedule = Schedule::default();
    for request in requests {
        schedule.add(request, Instant(0));
    }
    while let Some(id) = schedule.due(Instant(0)) {
        schedule.admit(id);
    }
    schedule
}

fn start(schedule: &mut Schedule, attempt: u64) -> Option<i64> {
    schedule.start(CallId(attempt)).map(|request| request.id.0)
}

#[test]
fn a_waiting_car_is_told_before_an_assigned_one_and_that_before_none_and_who_waits_longer_first() {
    let mut schedule = admitted(vec![
        wanted(1, "+71", None, Occasion::Cancelled),
        wanted(2, "+72", None, Occasion::NotFound),
        wanted(3, "+73", None, Occasion::Assigned),
        wanted(4, "+74", None, Occasion::Arrived),
        wanted(5, "+75", None, Occasion::EtaChanged),
    ]);
    let turns: Vec<_> = (1..=6).map(|attempt| start(&mut schedule, attempt)).collect();
    assert_eq!(turns, [Some(4), Some(3), Some(5), Some(2), Some(1), None]);
}

#[test]
fn a_number_is_called_once_at_a_time_and_a_client_by_one_number_only() {
    let mut schedule = admitted(vec![
        wanted(1, "+71", Some(9), Occasion::Assigned),
        wanted(2, "+71", Some(9), Occasion::Arrived),
        wanted(3, "+72", Some(9), Occasion::Arrived),
        wanted(4, "+73", None, Occasion::Closed),
    ]);
    assert_eq!(start(&mut schedule, 1), Some(2));
    assert_eq!(start(&mut schedule, 2), Some(4));
    assert_eq!(start(&mut schedule, 3), None);
    schedule.free(CallId(1), "+71", Some(ClientId(9)));
    schedule.remove(CallbackId(2));
    assert_eq!(start(&mut schedule, 4), Some(3));
    assert_eq!(start(&mut schedule, 5), None);
    schedule.free(CallId(4), "+72", Some(ClientId(9)));
    assert_eq!(start(&mut schedule, 6), Some(1));
}

#[test]
fn nobody_is_called_while_on_the_line_with_us() {
    let mut schedule = admitted(vec![wanted(1, "+71", Some(9), Occasion::Assigned)]);
    schedule.occupy(CallId(5), "+71", None);
    schedule.occupy(CallId(6), "+79", Some(ClientId(9)));
    assert_eq!(start(&mut schedule, 1), None);
    schedule.free(CallId(5), "+71", None);
    assert_eq!(start(&mut schedule, 1), None);
    schedule.free(CallId(6), "+79", Some(ClientId(9)));
    assert_eq!(start(&mut schedule, 1), Some(1));
}

#[test]
fn what_is_put_off_comes_when_it_is_due_and_nothing_is_left_of_what_was_removed() {
    let mut schedule = admitted(vec![wanted(1, "+71", Some(9), Occasion::Assigned)]);
    start(&mut schedule, 1);
    schedule.free(CallId(1), "+71", Some(ClientId(9)));
    schedule.postpone(CallbackId(1), Instant(60_000_000), Wall(60_000), 1);
    assert_eq!(schedule.next_due(), Some(Instant(60_000_000)));
    assert_eq!(schedule.due(Instant(59_999_999)), None);
    schedule.admit(schedule.due(Instant(60_000_000)).unwrap());
    assert_eq!(schedule.of_order(OrderId(1)), [CallbackId(1)]);
    schedule.remove(CallbackId(1));
    assert!(!schedule.has_ready());
    assert_eq!(format!("{schedule:?}"), format!("{:?}", Schedule::default()));
}
