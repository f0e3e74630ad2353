use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::super::address::{Address, Car};
use super::super::client::{Counters, Tally};
use super::super::fare::{Calculation, Discount, Funds, Payment};
use super::super::group::Group;
use super::super::history::{ActorKind, By, Entry, Source};
use super::super::ids::{ClientId, OrderId, TariffId};
use super::super::language::Language;
use super::super::ledger::{self, Balances, Book, EntryKind, Limits, Post};
use super::super::money::Kopecks;
use super::super::notify::{Occasion, OfficeNotify, occasion};
use super::super::rejected::{Problem, Rejected};
use super::super::tariff::{Tariff, Terms};
use super::super::taximeter::Trip;
use super::super::time::Wall;
use super::*;

const NOW: Wall = Wall(1_700_000_000_000);
const MINUTE: i64 = 60_000;

fn dispatcher() -> By {
    By::new(ActorKind::Dispatcher, "olga", Source::Dispatcher)
}

fn new_order() -> Create {
    Create {
        client: Some(ClientId(1)),
        standing: Standing::default(),
        phone: "8 900 123-45-67".into(),
        passenger: String::new(),
        from: Address::street("Мира", "1"),
        to: vec![Address::street("Ленина", "2")],
        wanted: Wanted::Now,
        tariff: Some(TariffId(1)),
        payment: Payment::Cash,
        comment: String::new(),
        estimate: None,
    }
}

fn car() -> Car {
    Car { make: "Lada".into(), plate: "А123ВС77".into(), callsign: "31".into(), ..Car::default() }
}

fn assign(eta_minutes: u16) -> Command {
    Command::Assign { car: car(), driver: Driver::default(), eta_minutes }
}

fn fixed(price: i64) -> Finish {
    let funds = Funds { bonus: Kopecks(300), bonus_share_permille: 1000, account: Kopecks(5_000) };
    Finish { price: Price::Fixed(Kopecks(price)), discount: None, funds }
}

/// Runs commands a minute apart; the history besides the order.
fn run(new: Create, commands: impl IntoIterator<Item = Command>) -> (Order, Vec<Entry<Event>>) {
    let (mut order, mut history) = create(new, &dispatcher(), NOW).unwrap();
    let mut now = NOW;
    for command in commands {
        now = now.plus_ms(MINUTE);
        let (next, entries) = handle(&order, command, &dispatcher(), now).unwrap();
        history.extend(entries);
        order = next;
    }
    (order, history)
}

#[test]
fn an_order_goes_its_way_and_its_history_tells_the_times() {
    let commands = [
        Command::NoCar,
        Command::SearchAgain,
        assign(7),
        Command::ChangeEta { eta_minutes: 9 },
        Command::Arrive,
        Command::Start,
        Command::Finish(fixed(35_000)),
    ];
    let (order, history) = run(new_order(), commands);
    assert_eq!((order.state, order.version, order.searches), (State::Completed, 8, 2));
    assert_eq!(order.phone, "+79001234567");
    let minutes = |at: Option<Wall>| (at.unwrap().0 - NOW.0) / MINUTE;
    let times = [order.searching_at, order.assigned_at, order.arrived_at, order.started_at, order.ended_at];
    assert_eq!(times.map(minutes), [2, 3, 5, 6, 7]);
    assert_eq!(order.waited_ms(NOW), 60_000);
    assert_eq!(order.settlement.unwrap().cash, Kopecks(35_000));
    let kinds: Vec<_> = history.iter().map(|entry| entry.event.kind()).collect();
    assert_eq!(
        kinds,
        ["created", "car_not_found", "searched_again", "assigned", "eta_changed", "car_arrived", "started", "finished"]
    );
    assert_eq!(restore(&history), Some(order));
}

#[test]
fn a_stale_version_is_refused_with_the_current_one() {
    let (order, _) = run(new_order(), [assign(5)]);
    let refused = handle(&order, Command::Arrive, &dispatcher().expecting(1), NOW).unwrap_err();
    assert_eq!(refused, Rejected::Stale { expected: 1, current: 2 });
    assert!(handle(&order, Command::Arrive, &dispatcher().expecting(2), NOW).is_ok());
}

#[test]
fn a_wrong_transition_says_what_and_why_in_both_languages() {
    let (order, _) = run(new_order(), [assign(5), Command::Arrive, Command::Start]);
    let cancel = Command::Cancel { by: CancelledBy::Client, reason: String::new() };
    let refused = handle(&order, cancel, &dispatcher(), NOW).unwrap_err();
    assert_eq!(refused, Rejected::WrongState { action: Action::Cancel, state: State::InTrip });
    assert_eq!(refused.text(Language::Ru), "Нельзя отменить заказ: заказ выполняется: клиент в машине.");
    assert_eq!(
        refused.text(Language::En),
        "Cannot cancel the order: the order is under way with the client in the car."
    );
}

#[test]
fn a_blocked_client_cannot_order_whoever_asks() {
    let new = Create { standing: Standing { blocked: true }, ..new_order() };
    assert_eq!(create(new, &dispatcher(), NOW), Err(Rejected::Blocked));
}

#[test]
fn a_pre_order_sleeps_until_its_time() {
    let wanted = Wanted::At { at: NOW.plus_ms(60 * MINUTE), lead_ms: 20 * MINUTE };
    let (order, _) = run(Create { wanted, ..new_order() }, []);
    let wake_at = NOW.plus_ms(40 * MINUTE);
    assert_eq!((order.is_asleep(), order.wake_at, order.searching_at), (true, Some(wake_at), None));
    let early = handle(&order, Command::Wake, &By::engine(), wake_at.plus_ms(-1)).unwrap_err();
    assert_eq!(early, Rejected::Asleep { action: Action::Wake });
    let no_car = handle(&order, Command::NoCar, &dispatcher(), NOW).unwrap_err();
    assert_eq!(no_car, Rejected::Asleep { action: Action::NoCar });
    let (woken, _) = handle(&order, Command::Wake, &By::engine(), wake_at).unwrap();
    assert_eq!((woken.is_asleep(), woken.searching_at, woken.searches), (false, Some(wake_at), 1));
    let again = handle(&woken, Command::Wake, &By::engine(), wake_at).unwrap_err();
    assert_eq!(again, Rejected::NothingToDo);
    // A car assigned by hand and taken off again before the time: it sleeps on.
    let (assigned, _) = handle(&order, assign(45), &dispatcher(), NOW).unwrap();
    assert_eq!(assigned.wake_at, None);
    let (released, _) = handle(&assigned, Command::Release { reason: String::new() }, &dispatcher(), NOW).unwrap();
    assert_eq!((released.wake_at, released.car), (Some(wake_at), None));
    // A car that came too early waits from the time of the order.
    let (arrived, _) = handle(&assigned, Command::Arrive, &dispatcher(), NOW.plus_ms(50 * MINUTE)).unwrap();
    assert_eq!(arrived.waited_ms(NOW.plus_ms(63 * MINUTE)), 180_000);
}

#[test]
fn a_pre_order_in_the_past_or_in_two_years_is_refused() {
    let refused = |at: Wall, lead_ms| {
        let wanted = Wanted::At { at, lead_ms };
        create(Create { wanted, ..new_order() }, &dispatcher(), NOW).unwrap_err()
    };
    let field = |field, problem| Rejected::Field { field, problem };
    assert_eq!(refused(NOW, 0), field("wanted.at", Problem::InThePast));
    assert_eq!(refused(NOW.plus_ms(i64::MAX), 0), field("wanted.at", Problem::TooFarAhead));
    assert_eq!(refused(NOW.plus_ms(5), -1), field("wanted.lead_ms", Problem::OutOfRange));
    assert_eq!(refused(NOW.plus_ms(5), i64::MAX), field("wanted.lead_ms", Problem::OutOfRange));
}

#[test]
fn clients_and_drivers_do_only_what_is_theirs() {
    let client = By::new(ActorKind::Client, "", Source::Cabinet);
    let driver = By::new(ActorKind::Driver, "31", Source::Driver);
    let (order, _) = run(new_order(), [assign(5)]);
    let cancel = |by| Command::Cancel { by, reason: String::new() };
    for (who, command) in [
        (&client, Command::Arrive),
        (&client, cancel(CancelledBy::Office)),
        (&client, Command::Edit(vec![Detail::Estimate(Some(Kopecks(1)))])),
        (&driver, cancel(CancelledBy::Client)),
        (&driver, Command::Edit(vec![Detail::Comment("!".into())])),
    ] {
        assert_eq!(handle(&order, command.clone(), who, NOW), Err(Rejected::NotAllowed), "{command:?}");
    }
    assert!(handle(&order, cancel(CancelledBy::Client), &client, NOW).is_ok());
    assert!(handle(&order, Command::Arrive, &driver, NOW).is_ok());
}

#[test]
fn an_edit_tells_what_it_was_and_changes_only_what_may_still_change() {
    let (order, _) = run(new_order(), []);
    let edit = Command::Edit(vec![
        Detail::Comment("сначала".into()),
        Detail::Comment("у подъезда".into()),
        Detail::Payment(Payment::Cash),
    ]);
    let (edited, entries) = handle(&order, edit, &dispatcher(), NOW).unwrap();
    let change =
        Change { before: Detail::Comment(String::new()), after: Detail::Comment("у подъезда".into()) };
    assert_eq!(entries[0].event, Event::Edited { changes: vec![change] });
    let (same, none) =
        handle(&edited, Command::Edit(vec![Detail::Payment(Payment::Cash)]), &dispatcher(), NOW).unwrap();
    assert_eq!((same.version, none.len()), (edited.version, 0));
    let (riding, _) = run(new_order(), [assign(1), Command::Arrive, Command::Start]);
    let elsewhere = Command::Edit(vec![Detail::From(Address::street("Садовая", "5"))]);
    let refused = handle(&riding, elsewhere, &dispatcher(), NOW).unwrap_err();
    assert_eq!(refused, Rejected::WrongState { action: Action::Edit, state: State::InTrip });
}

#[test]
fn the_fare_of_a_trip_follows_from_what_is_kept_with_it() {
    let tariff = Tariff { name: "Эконом".into(), per_km_inside: Kopecks(2_000), ..Tariff::default() };
    let terms = Terms { started_at: NOW, utc_offset_minutes: 180, demand_permille: 1000 };
    let trip = Trip::expected(7_000, 0, 600);
    let calculation = Box::new(Calculation { tariff, terms, trip, waited_ms: 0 });
    let finish = Finish { price: Price::Calculated(calculation), ..fixed(0) };
    let (order, history) = run(new_order(), [assign(1), Command::Arrive, Command::Start, Command::Finish(finish)]);
    let Event::Finished { fare, calculation: Some(calculation), .. } = &history[4].event else {
        panic!("{:?}", history[4])
    };
    assert_eq!(calculation.fare().as_ref(), Ok(fare));
    assert_eq!(order.fare.unwrap().total, Kopecks(14_000));
}

#[test]
fn what_follows_for_the_client_is_counted_and_paid() {
    let group = Group { bonus_permille: 50, referral_bonus: Kopecks(10_000), ..Group::default() };
    let new = Create { payment: Payment::Account, ..new_order() };
    let (order, history) = run(new, [assign(1), Command::Arrive, Command::Start, Command::Finish(fixed(4_300))]);
    let regard = Regard { group: Some(&group), brought_by: Some(ClientId(3)) };
    let effects = effects(OrderId(9), &order, &history[4].event, regard);
    let client = ClientId(1);
    let paid = |book, kind, amount| {
        let phone = "+79001234567".to_owned();
        let order = Some(OrderId(9));
        let (method, comment) = (ledger::Method::Automatic, String::new());
        Effect::Post { client, post: Post { book, kind, method, amount: Kopecks(amount), order, phone, comment } }
    };
    let reward = Post {
        book: Book::Bonus,
        kind: EntryKind::Referral,
        method: ledger::Method::Automatic,
        amount: Kopecks(10_000),
        order: Some(OrderId(9)),
        phone: String::new(),
        comment: String::new(),
    };
    assert_eq!(
        effects,
        [
            Effect::Count { client, tally: Tally::Completed },
            paid(Book::Bonus, EntryKind::Payment, 300),
            paid(Book::Account, EntryKind::Payment, 4_000),
            paid(Book::Bonus, EntryKind::Accrual, 200),
            Effect::Post { client: ClientId(3), post: reward },
        ]
    );
    let (order, history) = run(new_order(), [assign(1), Command::Arrive, Command::NoShow]);
    let effects = super::effects(OrderId(9), &order, &history[3].event, Regard::default());
    assert_eq!(effects, [Effect::Count { client, tally: Tally::False }]);
    assert_eq!(Counters::default().with(Tally::False).false_orders, 1);
}

#[test]
fn the_client_is_told_of_what_matters() {
    let office = OfficeNotify::default();
    let (order, _) = run(new_order(), [assign(5)]);
    let told = |command: Command| {
        let (after, entries) = handle(&order, command, &dispatcher(), NOW.plus_ms(MINUTE)).unwrap();
        occasion(&order, &entries[0].event, &after, &office)
    };
    assert_eq!(told(Command::Arrive), Some(Occasion::Arrived));
    assert_eq!(told(Command::ChangeEta { eta_minutes: 10 }), None);
    assert_eq!(told(Command::ChangeEta { eta_minutes: 11 }), Some(Occasion::EtaChanged));
    let cancel = |by| Command::Cancel { by, reason: String::new() };
    assert_eq!(told(cancel(CancelledBy::Driver)), Some(Occasion::Cancelled));
    assert_eq!(told(cancel(CancelledBy::Client)), None);
}

#[test]
fn an_erased_clients_order_keeps_its_times_and_money_but_no_person() {
    let commands = [
        Command::Edit(vec![Detail::Comment("звонить Ирине".into())]),
        assign(1),
        Command::Arrive,
        Command::Start,
        Command::Finish(fixed(5_000)),
    ];
    let (order, history) = run(Create { passenger: "Ирина".into(), ..new_order() }, commands);
    let wiped: Vec<_> = history.into_iter().map(redacted).collect();
    let kept = serde_json::to_string(&wiped).unwrap();
    assert!(!["Ирин", "9001234567", "Мира", "Ленина"].iter().any(|word| kept.contains(word)), "{kept}");
    let left = restore(&wiped).unwrap();
    assert_eq!((left.state, left.fare, left.ended_at, left.version), (order.state, order.fare, order.ended_at, 6));
}

#[test]
fn events_are_written_as_they_were_when_the_first_ones_were_kept() {
    let entry = dispatcher().entry(3, NOW, Event::EtaChanged { eta_minutes: 7 });
    assert_eq!(
        serde_json::to_string(&entry).unwrap(),
        r#"{"version":4,"at":1700000000000,"actor":{"kind":"dispatcher","name":"olga"},"source":"dispatcher","event":{"kind":"eta_changed","eta_minutes":7}}"#
    );
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
}

fn any_detail() -> impl Strategy<Value = Detail> {
    prop_oneof![
        "[0-9+ ]{0,14}".prop_map(Detail::Phone),
        ".{0,5}".prop_map(Detail::Passenger),
        "[а-я]{0,3}".prop_map(|street| Detail::From(Address::street(street, ""))),
        proptest::collection::vec("[а-я]{0,3}", 0..12)
            .prop_map(|to| Detail::To(to.into_iter().map(|street| Address::street(street, "7")).collect())),
        any_wanted().prop_map(Detail::Wanted),
        Just(Detail::Tariff(None)),
        any_payment().prop_map(Detail::Payment),
        ".{0,5}".prop_map(Detail::Comment),
        proptest::option::of(-5i64..50_000).prop_map(|sum| Detail::Estimate(sum.map(Kopecks))),
    ]
}

fn any_payment() -> impl Strategy<Value = Payment> {
    prop_oneof![Just(Payment::Cash), Just(Payment::Account), Just(Payment::Bonus)]
}

fn any_wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        Just(Wanted::Now),
        (-10i64..120, -1i64..60)
            .prop_map(|(at, lead)| Wanted::At { at: NOW.plus_ms(at * MINUTE), lead_ms: lead * MINUTE }),
    ]
}

fn any_finish() -> impl Strategy<Value = Finish> {
    let discount = prop_oneof![
        Just(None),
        (0i64..9_000).prop_map(|amount| Some(Discount::Fixed { amount: Kopecks(amount) })),
        (0u32..=1000).prop_map(|permille| Some(Discount::Percent { permille })),
    ];
    // Funds are filled in from the ledger when it is run.
    (-10i64..90_000, discount).prop_map(|(price, discount)| Finish {
        price: Price::Fixed(Kopecks(price)),
        discount,
        funds: Funds::default(),
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    let by = proptest::sample::select(vec![
        CancelledBy::Client,
        CancelledBy::Dispatcher,
        CancelledBy::Driver,
        CancelledBy::Office,
    ]);
    let plate = || proptest::sample::select(vec!["", "А123ВС77", "М001ММ99"]);
    let crew =
        move || (plate(), 0u16..12_000).prop_map(|(plate, eta)| (Car { plate: plate.into(), ..Car::default() }, eta));
    prop_oneof![
        1 => Just(Command::Wake),
        4 => crew().prop_map(|(car, eta_minutes)| Command::Assign { car, driver: Driver::default(), eta_minutes }),
        2 => crew().prop_map(|(car, eta_minutes)| Command::Reassign { car, driver: Driver::default(), eta_minutes }),
        1 => (0u16..100).prop_map(|eta_minutes| Command::ChangeEta { eta_minutes }),
        1 => Just(Command::Release { reason: "сломалась".into() }),
        3 => Just(Command::Arrive),
        3 => Just(Command::Start),
        3 => any_finish().prop_map(Command::Finish),
        1 => Just(Command::NoCar),
        2 => Just(Command::SearchAgain),
        1 => by.prop_map(|by| Command::Cancel { by, reason: String::new() }),
        1 => Just(Command::NoShow),
        2 => proptest::collection::vec(any_detail(), 0..4).prop_map(Command::Edit),
    ]
}

fn any_by() -> impl Strategy<Value = By> {
    let kinds = proptest::sample::select(vec![
        ActorKind::Client,
        ActorKind::Dispatcher,
        ActorKind::Dispatcher,
        ActorKind::Driver,
        ActorKind::Office,
        ActorKind::Program,
        ActorKind::Engine,
    ]);
    (kinds, proptest::option::weighted(0.2, 0u64..20))
        .prop_map(|(kind, expected)| By { expected, ..By::new(kind, "x", Source::Api) })
}

#[test]
fn the_sequences_that_are_tried_reach_every_state() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let commands = proptest::collection::vec(any_command(), 0..40);
    let mut reached = BTreeSet::new();
    for _ in 0..300 {
        let (mut order, _) = create(new_order(), &dispatcher(), NOW).unwrap();
        for command in commands.new_tree(&mut runner).unwrap().current() {
            if let Ok((next, _)) = handle(&order, command, &dispatcher(), NOW) {
                order = next;
            }
        }
        reached.insert(order.state);
    }
    assert_eq!(reached, BTreeSet::from(State::ALL));
}

/// The table of the states as the office has it, written down a second time.
fn may_follow(from: State, to: State) -> bool {
    use State::{Arrived, Assigned, Cancelled, Completed, False, InTrip, NotFound, Searching};
    matches!(
        (from, to),
        (Searching, Searching | Assigned | NotFound | Cancelled)
            | (NotFound, NotFound | Searching | Cancelled)
            | (Assigned, Assigned | Searching | Arrived | Cancelled)
            | (Arrived, Arrived | InTrip | Cancelled | False)
            | (InTrip, InTrip | Completed)
    )
}

fn check_order(order: &Order) {
    let has_car =
        matches!(order.state, State::Assigned | State::Arrived | State::InTrip | State::Completed | State::False);
    assert!(!has_car || (order.car.is_some() && order.driver.is_some() && order.eta.is_some()), "{order:?}");
    assert_eq!(order.state.is_ended(), order.ended_at.is_some());
    assert_eq!(order.state == State::Completed, order.fare.is_some());
    assert_eq!(order.state == State::Cancelled, order.cancellation.is_some());
    assert!(order.wake_at.is_none() || order.state == State::Searching);
    assert!(order.state != State::InTrip || order.started_at.is_some());
    if let (Some(fare), Some(settlement)) = (&order.fare, &order.settlement) {
        assert!(fare.adds_up() && settlement.adds_up());
        assert_eq!(fare.total, settlement.price);
    }
}

proptest! {
    #[test]
    fn any_sequence_of_commands_keeps_the_rules_and_is_replayed_to_the_same_state(
        wanted in any_wanted(), payment in any_payment(),
        commands in proptest::collection::vec((any_by(), any_command(), 0i64..30), 0..40),
    ) {
        let Ok((mut order, mut history)) = create(Create { wanted, payment, ..new_order() }, &dispatcher(), NOW) else {
            return Ok(());
        };
        let credit = Kopecks(10_000);
        let (mut balances, mut entries) = (Balances { bonus: Kopecks(700), ..Balances::default() }, Vec::new());
        let group = Group { bonus_permille: 30, referral_bonus: Kopecks(500), ..Group::default() };
        let regard = Regard { group: Some(&group), brought_by: Some(ClientId(2)) };
        let mut rewards = 0;
        let mut now = NOW;
        for (by, mut command, minutes) in commands {
            now = now.plus_ms(minutes * MINUTE);
            if let Command::Finish(finish) = &mut command {
                let account = balances.account.plus(credit).unwrap();
                finish.funds = Funds { bonus: balances.bonus, bonus_share_permille: 800, account };
            }
            match handle(&order, command, &by, now) {
                Err(rejected) => {
                    for language in Language::ALL {
                        prop_assert!(rejected.text(language).ends_with('.'), "{rejected:?}");
                    }
                }
                Ok((next, new)) => {
                    prop_assert_eq!(next.version, order.version + new.len() as u64);
                    prop_assert!(!new.is_empty() || next == order);
                    if let Some(entry) = new.first() {
                        prop_assert!(may_follow(order.state, next.state), "{:?} {:?}", order.state, next.state);
                        for effect in effects(OrderId(1), &next, &entry.event, regard) {
                            if let Effect::Post { client, post } = effect {
                                if Some(client) != next.client {
                                    prop_assert_eq!((client, post.kind, post.amount), (ClientId(2), EntryKind::Referral, Kopecks(500)));
                                    rewards += 1;
                                    continue;
                                }
                                let limits = Limits { credit, refundable: Kopecks::ZERO };
                                let (after, entry) = ledger::post(&balances, post, &limits, &By::engine(), now).unwrap();
                                balances = after;
                                entries.push(entry);
                            }
                        }
                    }
                    check_order(&next);
                    order = next;
                    history.extend(new);
                }
            }
        }
        prop_assert_eq!(restore(&history), Some(order.clone()));
        let stored = serde_json::to_string(&history).unwrap();
        let read: Vec<Entry<Event>> = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(restore(&read), Some(order.clone()));
        // What the order says was paid is what the ledger lost.
        let paid = |book| {
            let payments = entries.iter().filter(|entry| entry.book == book && entry.kind == EntryKind::Payment);
            -payments.map(|entry| entry.amount).sum::<Kopecks>()
        };
        let settlement = order.settlement.unwrap_or_default();
        prop_assert_eq!((paid(Book::Bonus), paid(Book::Account)), (settlement.bonus, settlement.account));
        prop_assert_eq!(rewards, usize::from(order.state == State::Completed));
    }
}
