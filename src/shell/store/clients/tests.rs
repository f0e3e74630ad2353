use std::collections::BTreeSet;

use crate::domain::address::Address;
use crate::domain::client::{CardPhone, Detail, Name};
use crate::domain::history::{ActorKind, By, Source};
use crate::domain::ledger::{Book, EntryKind, Method, Post};
use crate::domain::money::Kopecks;
use crate::domain::order::{self, CancelledBy};
use crate::domain::rejected::Rejected;
use crate::engine::event::Actor;
use crate::engine::ids::CallId;

use super::super::audit::AuditFilter;
use super::super::orders::OrderChange;
use super::super::orders::tests::taxi;
use super::super::testing::on_both;
use super::*;

pub(in crate::shell) fn olga() -> Author {
    Author {
        by: By::new(ActorKind::Office, "olga", Source::Dispatcher),
        actor: Actor::Person("olga".into()),
        address: "127.0.0.1".into(),
    }
}

fn seeing(version: u64) -> Author {
    Author { by: olga().by.expecting(version), ..olga() }
}

pub(in crate::shell::store) fn phones(numbers: &[&str]) -> Detail {
    let phone = |number: &&str| CardPhone { number: (*number).into(), ..CardPhone::default() };
    Detail::Phones(numbers.iter().map(phone).collect())
}

pub(in crate::shell::store) fn named(surname: &str, name: &str) -> Detail {
    Detail::Name(Name { surname: surname.into(), name: name.into(), patronymic: String::new() })
}

pub(in crate::shell::store) fn new(details: Vec<Detail>) -> Create {
    Create { details, ..Create::default() }
}

pub(in crate::shell::store) fn top_up(roubles: i32) -> Post {
    Post {
        book: Book::Account,
        kind: EntryKind::TopUp,
        method: Method::Cash,
        amount: Kopecks::roubles(roubles),
        order: None,
        phone: "+79001234567".into(),
        comment: "касса".into(),
    }
}

#[tokio::test]
async fn a_card_is_kept_with_its_history_and_its_audit() {
    on_both(async |t| {
        let s = &t.store;
        let tags = Detail::Tags(BTreeSet::from(["vip".into()]));
        let made = new(vec![phones(&["8 900 123-45-67"]), named("Ёлкина", "Анна"), tags]);
        let row = s.create_client(made, &olga(), Wall(10)).await.unwrap();
        assert_eq!((row.card.version, row.card.code.as_str()), (1, "+79001234567"));
        assert_eq!(s.get_client(row.id).await.unwrap(), Some(row.clone()));
        assert_eq!(s.client_of_number("9001234567").await.unwrap().map(|row| row.id), Some(row.id));
        let edit = Command::Edit(vec![Detail::Note("у подъезда".into()), phones(&["+79001234567", "+79007654321"])]);
        let row = s.change_client(row.id, edit.clone(), &seeing(1), Wall(20)).await.unwrap();
        assert_eq!(s.get_client(row.id).await.unwrap(), Some(row.clone()));
        assert_eq!(s.client_of_number("+79007654321").await.unwrap().map(|row| row.id), Some(row.id));
        let history = s.client_history(row.id).await.unwrap();
        assert_eq!(client::restore(&history).as_ref(), Some(&row.card));
        // The same again changes nothing and is no entry.
        assert_eq!(s.change_client(row.id, edit, &seeing(2), Wall(30)).await.unwrap(), row);
        let audit = s.list_audit(&AuditFilter::default(), None, 9).await.unwrap().items;
        let seen: Vec<_> = audit.iter().map(|line| (line.action.as_str(), line.actor_name.as_str())).collect();
        assert_eq!(seen, [("client.edited", "olga"), ("client.created", "olga")]);
    })
    .await;
}

#[tokio::test]
async fn a_stale_edit_is_told_the_present_card_and_changes_nothing() {
    on_both(async |t| {
        let s = &t.store;
        let row = s.create_client(new(vec![phones(&["+79001234567"])]), &olga(), Wall(1)).await.unwrap();
        let note = |text: &str| Command::Edit(vec![Detail::Note(text.into())]);
        let now = s.change_client(row.id, note("первая"), &seeing(1), Wall(2)).await.unwrap();
        match s.change_client(row.id, note("вторая"), &seeing(1), Wall(3)).await {
            Err(ChangeError::Stale { current }) => assert_eq!(*current, now),
            other => panic!("{other:?}"),
        }
        assert_eq!(s.client_history(row.id).await.unwrap().len(), 2);
        let nobody = s.change_client(ClientId(99), note("?"), &olga(), Wall(3)).await.unwrap_err();
        assert!(matches!(nobody, ChangeError::Store(StoreError::NotFound("client"))), "{nobody}");
    })
    .await;
}

#[tokio::test]
async fn a_number_leads_to_one_card_and_may_move_to_another() {
    on_both(async |t| {
        let s = &t.store;
        let anna = s.create_client(new(vec![phones(&["+79001234567"])]), &olga(), Wall(1)).await.unwrap();
        let also = new(vec![Detail::Code("1001".into()), phones(&["+79001234567"])]);
        let taken = s.create_client(also.clone(), &olga(), Wall(2)).await.unwrap_err();
        assert!(matches!(&taken, ChangeError::Store(StoreError::Taken(what)) if what == "number"), "{taken}");
        let code = s.create_client(new(vec![Detail::Code("+79001234567".into())]), &olga(), Wall(2)).await.unwrap_err();
        assert!(matches!(&code, ChangeError::Store(StoreError::Taken(what)) if what == "code"), "{code}");
        s.change_client(anna.id, Command::Edit(vec![phones(&[])]), &olga(), Wall(3)).await.unwrap();
        let ivan = s.create_client(also, &olga(), Wall(4)).await.unwrap();
        assert_eq!(s.client_of_number("+79001234567").await.unwrap().map(|row| row.id), Some(ivan.id));
    })
    .await;
}

#[tokio::test]
async fn merged_cards_are_one_with_all_their_money_and_numbers() {
    on_both(async |t| {
        let s = &t.store;
        let anna =
            s.create_client(new(vec![phones(&["+79001234567"]), named("", "Анна")]), &olga(), Wall(1)).await.unwrap();
        let twin =
            s.create_client(new(vec![phones(&["+79007654321"]), named("Ёлкина", "")]), &olga(), Wall(2)).await.unwrap();
        s.note_calls(&[(CallId(3 << 20), "+79007654321".to_owned())]).await.unwrap();
        s.post_ledger(twin.id, top_up(100), &olga(), Wall(4)).await.unwrap();
        s.post_ledger(anna.id, top_up(20), &olga(), Wall(4)).await.unwrap();
        let one = s.merge_clients(anna.id, twin.id, Some(1), &seeing(1), Wall(5)).await.unwrap();
        assert_eq!(s.get_client(anna.id).await.unwrap(), Some(one.clone()));
        assert_eq!((one.card.title().as_str(), one.card.phones.len(), one.counters.calls), ("Ёлкина Анна", 2, 1));
        assert_eq!(one.balances.account, Kopecks::roubles(120));
        let other = s.get_client(twin.id).await.unwrap().unwrap();
        assert_eq!((other.card.merged_into, other.balances.account), (Some(anna.id), Kopecks::ZERO));
        assert_eq!(s.client_of_number("+79007654321").await.unwrap().map(|row| row.id), Some(anna.id));
        // Money for the card that is no more goes to the one that stayed.
        let (row, line) = s.post_ledger(twin.id, top_up(5), &olga(), Wall(6)).await.unwrap();
        assert_eq!((row.id, line.balance), (anna.id, Kopecks::roubles(125)));
        let again = s.merge_clients(anna.id, twin.id, None, &olga(), Wall(7)).await.unwrap_err();
        assert!(matches!(again, ChangeError::Rejected(Rejected::Merged { .. })), "{again}");
        let edit = Command::Edit(vec![Detail::Note("x".into())]);
        let gone = s.change_client(twin.id, edit, &olga(), Wall(8)).await.unwrap_err();
        assert!(matches!(gone, ChangeError::Rejected(Rejected::Merged { .. })), "{gone}");
        assert_eq!(s.search_clients("елкина", 9).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_erased_client_is_nowhere_to_be_found() {
    on_both(async |t| {
        let s = &t.store;
        let anna = s
            .create_client(new(vec![phones(&["+79001234567"]), named("Ёлкина", "Анна")]), &olga(), Wall(1))
            .await
            .unwrap();
        let twin = s
            .create_client(new(vec![phones(&["+79007654321"]), named("Ёлкина", "Аня")]), &olga(), Wall(2))
            .await
            .unwrap();
        s.post_ledger(anna.id, top_up(100), &olga(), Wall(4)).await.unwrap();
        s.merge_clients(anna.id, twin.id, None, &olga(), Wall(5)).await.unwrap();
        let ride =
            order::Create { from: Address::street("улица Пушкина", "12к2"), ..taxi("+79001234567") };
        let ride = s.create_order(ride, &olga(), Wall(5)).await.unwrap().id;
        let open = s.change_client(anna.id, Command::Erase, &olga(), Wall(6)).await.unwrap_err();
        assert!(open.to_string().contains("is open"), "{open}");
        let cancel =
            order::Command::Cancel { by: CancelledBy::Client, reason: "Ёлкина передумала".into() };
        s.change_order(ride, OrderChange::Command(cancel), &olga(), Wall(6)).await.unwrap();
        s.change_client(anna.id, Command::Erase, &olga(), Wall(6)).await.unwrap();
        let kept = s.get_order(ride).await.unwrap().unwrap();
        let told = format!("{kept:?}{:?}", s.order_history(ride).await.unwrap());
        assert_eq!((kept.order.state, kept.order.version), (order::State::Cancelled, 2));
        assert!(!told.contains("лкина") && !told.contains("1234567") && !told.contains("Пушкина"), "{told}");
        assert!(s.client_of_number("+79001234567").await.unwrap().is_none());
        assert!(s.search_clients("елкина", 9).await.unwrap().is_empty());
        for id in [anna.id, twin.id] {
            let row = s.get_client(id).await.unwrap().unwrap();
            let history = s.client_history(id).await.unwrap();
            let told = format!("{row:?}{history:?}");
            assert!(!told.contains("лкина") && !told.contains("7654321") && !told.contains("1234567"), "{told}");
        }
        assert_eq!(s.get_client(anna.id).await.unwrap().unwrap().balances.account, Kopecks::roubles(100));
    })
    .await;
}

#[tokio::test]
async fn the_database_itself_keeps_the_ledger_whole() {
    on_both(async |t| {
        let s = &t.store;
        let row = s.create_client(new(vec![phones(&["+79001234567"])]), &olga(), Wall(1)).await.unwrap();
        s.post_ledger(row.id, top_up(100), &olga(), Wall(2)).await.unwrap();
        s.post_ledger(row.id, top_up(50), &olga(), Wall(3)).await.unwrap();
        let line = |number: i64, balance: i64| {
            format!(
                "INSERT INTO ledger_entries (client, number, book, kind, method, amount, balance, phone, comment, at, \
                 actor, source) VALUES ({}, {number}, 'account', 'top_up', 'cash', 100, {balance}, '', '', 1, '', '')",
                row.id
            )
        };
        for attempt in [
            "UPDATE ledger_entries SET amount = amount + 1".to_owned(),
            "UPDATE ledger_entries SET comment = 'x'".to_owned(),
            "DELETE FROM ledger_entries".to_owned(),
            "UPDATE ledger_balances SET account = account + 1".to_owned(),
            "UPDATE ledger_balances SET entries = 1, account = 10000".to_owned(),
            "DELETE FROM ledger_balances".to_owned(),
            line(3, 15_099),
            line(4, 15_100),
            line(2, 15_100),
        ] {
            let error = s.execute(Sql::new(attempt.clone())).await.unwrap_err();
            assert!(matches!(error, StoreError::Invalid(_) | StoreError::Taken(_)), "{attempt}: {error}");
        }
        s.execute(Sql::new("UPDATE ledger_entries SET comment = '', phone = ''")).await.unwrap();
        s.execute(Sql::new(line(3, 15_100))).await.unwrap();
        let balances = s.get_client(row.id).await.unwrap().unwrap().balances;
        assert_eq!((balances.account, balances.entries), (Kopecks(15_100), 3));
    })
    .await;
}
