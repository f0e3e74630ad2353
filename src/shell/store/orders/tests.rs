use crate::domain::address::Car;
use crate::domain::client::Detail as CardDetail;
use crate::domain::fare::{Discount, Payment};
use crate::domain::ledger::{EntryKind, Method, Post};
use crate::domain::order::{CancelledBy, Driver, Standing, State};

use super::super::catalogue::ItemChange;
use super::super::clients::tests::{new as card, olga, phones};
use super::super::ledgers::LedgerFilter;
use super::super::testing::{TestStore, on_both};
use super::*;

pub(in crate::shell) fn taxi(phone: &str) -> Create {
    Create {
        client: None,
        standing: Standing::default(),
        phone: phone.into(),
        passenger: String::new(),
        from: Address::street("улица Мира", "1"),
        to: vec![Address::street("Вокзал", "")],
        wanted: Wanted::Now,
        tariff: None,
        payment: Payment::Cash,
        comment: String::new(),
        estimate: None,
    }
}

pub(in crate::shell) fn assign() -> OrderChange {
    OrderChange::Command(Command::Assign {
        car: Car { plate: "А123ВС77".into(), callsign: "31".into(), ..Car::default() },
        driver: Driver { code: "d31".into(), ..Driver::default() },
        eta_minutes: 7,
    })
}

async fn in_trip(t: &TestStore, new: Create) -> OrderRow {
    let row = t.store.create_order(new, &olga(), Wall(1000)).await.unwrap();
    let mut last = row.clone();
    for change in [assign(), OrderChange::Command(Command::Arrive), OrderChange::Command(Command::Start)] {
        last = t.store.change_order(row.id, change, &olga(), Wall(2000)).await.unwrap();
    }
    last
}

#[tokio::test]
async fn an_order_is_kept_with_its_history_and_its_caller_gets_a_card() {
    on_both(async |t| {
        let s = &t.store;
        let row = s.create_order(taxi("89001234567"), &olga(), Wall(1)).await.unwrap();
        let client = s.client_of_number("+79001234567").await.unwrap().unwrap();
        assert_eq!((row.order.client, row.order.phone.as_str()), (Some(client.id), "+79001234567"));
        let row = s.change_order(row.id, assign(), &olga(), Wall(2)).await.unwrap();
        assert_eq!(row.order.state, State::Assigned);
        assert_eq!(s.get_order(row.id).await.unwrap(), Some(row.clone()));
        let history = s.order_history(row.id).await.unwrap();
        assert_eq!(order::restore(&history), Some(row.order));
        let hidden = s.create_order(taxi(""), &olga(), Wall(3)).await.unwrap();
        assert_eq!(hidden.order.client, None);
        let places = s.places_of(client.id.0).await.unwrap();
        assert_eq!(places.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_stale_command_is_told_the_present_order() {
    on_both(async |t| {
        let s = &t.store;
        let row = s.create_order(taxi("89001234567"), &olga(), Wall(1)).await.unwrap();
        let now = s.change_order(row.id, assign(), &olga(), Wall(2)).await.unwrap();
        let late = Author { by: olga().by.expecting(1), ..olga() };
        match s.change_order(row.id, OrderChange::Command(Command::Arrive), &late, Wall(3)).await {
            Err(ChangeError::Stale { current }) => assert_eq!(*current, now),
            other => panic!("{other:?}"),
        }
        let twice = s.change_order(row.id, assign(), &olga(), Wall(3)).await.unwrap_err();
        assert!(matches!(twice, ChangeError::Rejected(Rejected::WrongState { .. })), "{twice}");
    })
    .await;
}

#[tokio::test]
async fn of_many_who_assign_a_car_at_once_one_does() {
    on_both(async |t| {
        let row = t.store.create_order(taxi("89001234567"), &olga(), Wall(1)).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = t.store.clone();
            tasks.spawn(async move { store.change_order(row.id, assign(), &olga(), Wall(2)).await.is_ok() });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|done| *done).count(), 1);
        assert_eq!(t.store.order_history(row.id).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_blocked_client_orders_nothing() {
    on_both(async |t| {
        let s = &t.store;
        let id = s.create_client(card(vec![phones(&["+79001234567"])]), &olga(), Wall(1)).await.unwrap().id;
        let block = crate::domain::client::Command::Block { reason: "не платит".into() };
        s.change_client(id, block, &olga(), Wall(2)).await.unwrap();
        for new in [taxi("+79001234567"), Create { client: Some(id), ..taxi("") }] {
            let error = s.create_order(new, &olga(), Wall(3)).await.unwrap_err();
            assert!(matches!(error, ChangeError::Rejected(Rejected::Blocked)), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_follows_from_an_order_stands_on_the_card() {
    on_both(async |t| {
        let s = &t.store;
        let regular = Group { name: "Постоянные".into(), bonus_permille: 100, ..Group::default() };
        s.add_item(regular, &olga(), Wall(1)).await.unwrap();
        let discount = CardDetail::Discount(Some(Discount::Percent { permille: 100 }));
        let id = s.create_client(card(vec![phones(&["+79001234567"]), discount]), &olga(), Wall(1)).await.unwrap().id;
        let post = |book, kind, roubles| Post {
            book,
            kind,
            method: Method::Manual,
            amount: Kopecks::roubles(roubles),
            order: None,
            phone: String::new(),
            comment: String::new(),
        };
        s.post_ledger(id, post(Book::Account, EntryKind::TopUp, 100), &olga(), Wall(2)).await.unwrap();
        s.post_ledger(id, post(Book::Bonus, EntryKind::Accrual, 30), &olga(), Wall(2)).await.unwrap();
        let row = in_trip(&t, Create { payment: Payment::Account, ..taxi("+79001234567") }).await;
        let end = OrderChange::Finish(FinishPrice::Fixed(Kopecks::roubles(300)));
        let row = s.change_order(row.id, end, &olga(), Wall(9000)).await.unwrap();
        // 300 less 10 %, 30 bonuses, 100 from the account, 140 to the driver.
        let settlement = row.order.settlement.unwrap();
        assert_eq!((settlement.discount, settlement.cash), (Kopecks::roubles(30), Kopecks::roubles(140)));
        let client = s.get_client(id).await.unwrap().unwrap();
        assert_eq!(client.counters.completed, 1);
        // A tenth of the 240 that were money.
        assert_eq!((client.balances.account, client.balances.bonus), (Kopecks::ZERO, Kopecks::roubles(24)));
        let paid = LedgerFilter { client: Some(id), order: Some(row.id), ..LedgerFilter::default() };
        let lines = s.list_ledger(&paid, None, 9).await.unwrap().items;
        assert_eq!(lines.len(), 3);
        let totals = s.ledger_totals(&paid).await.unwrap();
        assert_eq!(totals.iter().map(|total| total.sum).sum::<Kopecks>(), Kopecks::roubles(-100 - 30 + 24));
        let refund = Post { order: Some(row.id), ..post(Book::Account, EntryKind::Refund, 101) };
        let error = s.post_ledger(id, refund.clone(), &olga(), Wall(9500)).await.unwrap_err();
        assert!(matches!(error, ChangeError::Rejected(Rejected::RefundTooLarge { .. })), "{error}");
        let refund = Post { amount: Kopecks::roubles(60), ..refund };
        s.post_ledger(id, refund.clone(), &olga(), Wall(9500)).await.unwrap();
        let error = s.post_ledger(id, refund, &olga(), Wall(9600)).await.unwrap_err();
        let left = Rejected::RefundTooLarge { available: Kopecks::roubles(40) };
        assert!(matches!(&error, ChangeError::Rejected(rejected) if *rejected == left), "{error}");
    })
    .await;
}

#[tokio::test]
async fn whoever_brought_a_client_is_rewarded_once_with_the_first_trip() {
    on_both(async |t| {
        let s = &t.store;
        let group = Group { name: "Все".into(), referral_bonus: Kopecks::roubles(50), ..Group::default() };
        s.add_item(group, &olga(), Wall(1)).await.unwrap();
        let twin = s.create_client(card(vec![phones(&["+79001110001"])]), &olga(), Wall(1)).await.unwrap().id;
        let friend = s.create_client(card(vec![phones(&["+79001110002"])]), &olga(), Wall(1)).await.unwrap().id;
        let new = crate::domain::client::Create { referred_by: Some(twin), ..card(vec![phones(&["+79001234567"])]) };
        let id = s.create_client(new, &olga(), Wall(1)).await.unwrap().id;
        // The card that is named lives on in another one.
        s.merge_clients(friend, twin, None, &olga(), Wall(2)).await.unwrap();
        let end = OrderChange::Finish(FinishPrice::Fixed(Kopecks::roubles(300)));
        let gone = s.create_order(taxi("+79001234567"), &olga(), Wall(3)).await.unwrap().id;
        let cancel = Command::Cancel { by: CancelledBy::Client, reason: String::new() };
        s.change_order(gone, OrderChange::Command(cancel), &olga(), Wall(4)).await.unwrap();
        for roubles in [0, 50, 50] {
            let balances = s.get_client(friend).await.unwrap().unwrap().balances;
            assert_eq!((balances.bonus, balances.account), (Kopecks::roubles(roubles), Kopecks::ZERO));
            let trip = in_trip(&t, taxi("+79001234567")).await;
            s.change_order(trip.id, end.clone(), &olga(), Wall(9000)).await.unwrap();
        }
        let lines = s.list_ledger(&LedgerFilter { client: Some(friend), ..LedgerFilter::default() }, None, 9).await;
        let lines = lines.unwrap().items;
        assert_eq!(lines.iter().map(|line| line.entry.kind).collect::<Vec<_>>(), [EntryKind::Referral]);
        assert_eq!(s.get_client(id).await.unwrap().unwrap().balances.bonus, Kopecks::ZERO);
    })
    .await;
}

#[tokio::test]
async fn a_false_order_and_a_cancelled_one_are_counted_also_after_a_merge() {
    on_both(async |t| {
        let s = &t.store;
        let first = s.create_order(taxi("+79001234567"), &olga(), Wall(1)).await.unwrap();
        let second = s.create_order(taxi("+79001234567"), &olga(), Wall(2)).await.unwrap();
        let keeper = s.create_client(card(vec![phones(&["+79007654321"])]), &olga(), Wall(3)).await.unwrap().id;
        s.merge_clients(keeper, first.order.client.unwrap(), None, &olga(), Wall(4)).await.unwrap();
        for change in [assign(), OrderChange::Command(Command::Arrive), OrderChange::Command(Command::NoShow)] {
            s.change_order(first.id, change, &olga(), Wall(5)).await.unwrap();
        }
        let cancel = Command::Cancel { by: CancelledBy::Client, reason: String::new() };
        s.change_order(second.id, OrderChange::Command(cancel), &olga(), Wall(6)).await.unwrap();
        let counters = s.get_client(keeper).await.unwrap().unwrap().counters;
        assert_eq!((counters.false_orders, counters.cancelled), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_metered_trip_is_reckoned_from_its_points_and_again_to_the_kopeck() {
    on_both(async |t| {
        let s = &t.store;
        let tariff = Tariff {
            name: "Город".into(),
            boarding: Kopecks::roubles(100),
            per_km_inside: Kopecks::roubles(20),
            per_km_outside: Kopecks::roubles(20),
            ..Tariff::default()
        };
        let tariff = s.add_item(tariff, &olga(), Wall(1)).await.unwrap();
        let row = in_trip(&t, taxi("+79001234567")).await;
        assert_eq!(row.order.tariff, Some(TariffId(tariff.id)));
        let points: Vec<_> = (0..60)
            .map(|n| TrackPoint {
                at: Wall(2000 + i64::from(n) * 10_000),
                place: GeoPoint { lat_e7: 557_500_000 + n * 10_000, lon_e7: 376_000_000 },
                accuracy_m: Some(5),
            })
            .collect();
        assert_eq!(s.add_points(row.id, &points).await.unwrap(), 60);
        assert_eq!(s.add_points(row.id, &points).await.unwrap(), 0);
        let end = OrderChange::Finish(FinishPrice::Metered(Metering { demand_permille: 1000, ..Metering::default() }));
        let row = s.change_order(row.id, end, &olga(), Wall(2000 + 600_000)).await.unwrap();
        let fare = row.order.fare.unwrap();
        assert!(fare.adds_up() && fare.total > Kopecks::roubles(200), "{fare:?}");
        let history = s.order_history(row.id).await.unwrap();
        let again = history.iter().find_map(|entry| match &entry.event {
            Event::Finished { calculation: Some(calculation), .. } => Some(calculation.fare().unwrap()),
            _ => None,
        });
        assert_eq!(again, Some(fare));
        // Changing the tariff afterwards changes nothing of it.
        let dearer = ItemChange {
            value: Some(Tariff { boarding: Kopecks::roubles(500), ..tariff.value }),
            ..ItemChange::default()
        };
        s.change_item(tariff.id, dearer, &olga(), Wall(9)).await.unwrap();
        assert_eq!(s.order_points(row.id).await.unwrap().len(), 60);
        assert_eq!(s.add_points(row.id, &points).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_pre_order_is_found_when_its_time_has_come() {
    on_both(async |t| {
        let s = &t.store;
        let hour = 3_600_000;
        let wanted = Wanted::At { at: Wall(10 * hour), lead_ms: hour };
        let row = s.create_order(Create { wanted, ..taxi("+79001234567") }, &olga(), Wall(hour)).await.unwrap();
        assert_eq!(s.orders_to_wake(Wall(9 * hour - 1), 9).await.unwrap(), []);
        assert_eq!(s.orders_to_wake(Wall(9 * hour), 9).await.unwrap(), [row.id]);
        s.change_order(row.id, OrderChange::Command(Command::Wake), &Author::engine(), Wall(9 * hour)).await.unwrap();
        assert_eq!(s.orders_to_wake(Wall(20 * hour), 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn the_screens_hear_of_what_is_on_the_disk_and_of_nothing_else() {
    on_both(async |t| {
        let updates = crate::shell::updates::Updates::default();
        let mut seen = updates.subscribe();
        t.store.announce_to(updates);
        let row = t.store.create_order(taxi(""), &olga(), Wall(1)).await.unwrap();
        t.store.change_order(row.id, OrderChange::Command(Command::Start), &olga(), Wall(2)).await.unwrap_err();
        t.store.change_order(row.id, assign(), &olga(), Wall(3)).await.unwrap();
        let mut next = async || match seen.next().await {
            crate::shell::updates::Next::Update(update) => match &*update {
                Update::Order { version, state, .. } => (*version, *state),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert_eq!((next().await, next().await), ((1, State::Searching), (2, State::Assigned)));
    })
    .await;
}
