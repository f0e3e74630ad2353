//! Tables in and out, on both databases.

use crate::domain::client::Command;
use crate::domain::history::{ActorKind, By, Source};
use crate::domain::order::{self, CancelledBy};
use crate::engine::event::Actor;
use crate::engine::time::Wall;
use crate::shell::store::author::Author;
use crate::shell::store::client_list::ClientFilter;
use crate::shell::store::order_list::OrderFilter;
use crate::shell::store::orders::OrderChange;
use crate::shell::store::testing::{TestStore, on_both};

use super::*;

const NOW: Wall = Wall(1_800_000_000_000);
const DRY: Wish = Wish { dry_run: true, skip_bad: false };
const WET: Wish = Wish { dry_run: false, skip_bad: false };

fn author() -> Author {
    let by = By::new(ActorKind::Office, "olga", Source::Import);
    Author { by, actor: Actor::Person("olga".into()), address: String::new() }
}

async fn clients(t: &TestStore, text: &str, wish: Wish) -> Report {
    super::clients::import(&t.store, text.as_bytes(), wish, &author(), NOW).await.unwrap()
}

async fn orders(t: &TestStore, text: &str, wish: Wish) -> Report {
    super::orders::import(&t.store, text.as_bytes(), wish, &author(), NOW).await.unwrap()
}

async fn count(t: &TestStore) -> usize {
    t.store.list_clients(&ClientFilter::default(), None, 500).await.unwrap().items.len()
}

fn told(report: &Report) -> Vec<String> {
    report.faults.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_dry_run_lists_every_bad_line_with_its_column_and_writes_nothing() {
    on_both(async |t| {
        let text = "\u{feff}Телефон;Фамилия;Дата рождения;email;конфликтность;цвет\n\
            8 900 123-45-67;Иванова;31.12.1985;;0;\n\
            12ab;Петров;;;;\n\
            +79001234568;Сидоров;31.02.1985;;;\n\
            +79001234569;Козлов;;не почта;;\n\
            +79001234567;Иванова;;;;\n\
            ;;;;;\n\
            +79001234570;Орлов\n\
            +79001234571;Белов;;;9;\n";
        let report = clients(&t, text, DRY).await;
        let told = told(&report);
        let expected = [
            "line 4, birthday: \"31.02.1985\" cannot be read: write it as",
            "line 5, email: ",
            "line 6, phone: +79001234567 is in line 2 already",
            "line 7, code: ",
            "line 8: it has 2 fields, the header has 6",
            "line 9, conflict: ",
        ];
        // «12ab» is a short number: internal ones may have cards.
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (line, start) in told.iter().zip(expected) {
            assert!(line.starts_with(start), "{line:?} does not begin with {start:?}");
        }
        assert_eq!((report.lines, report.new, report.done), (8, 2, false));
        assert_eq!(report.ignored_columns, ["цвет"]);
        assert_eq!(count(&t).await, 0);
        // A table with bad lines is left alone, unless the rest is wanted.
        assert!(!clients(&t, text, WET).await.done);
        assert_eq!(count(&t).await, 0);
        let rest = clients(&t, text, Wish { dry_run: false, skip_bad: true }).await;
        assert_eq!((rest.new, count(&t).await), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn what_is_exported_is_imported_again_and_known_the_second_time() {
    on_both(async |t| {
        let text = "phone,more_phones,surname,company,street,house,note,birthday,tags\n\
            +79001234567,\"+79001234568, 89001234569\",Иванова,,улица Ленина,12,\"=HYPERLINK(\"\"x\"\")\",1985-12-31,\"vip; курит\"\n\
            +74951234567,,,ООО «Ромашка»,,,\"две\nстроки\",,\n";
        let report = clients(&t, text, WET).await;
        assert_eq!((report.new, report.known, told(&report)), (2, 0, vec![]));
        let part = super::clients::export(&t.store, None).await.unwrap();
        let exported = String::from_utf8(part.bytes).unwrap();
        assert!(exported.starts_with("\u{feff}code;phone;more_phones;") && part.next.is_none(), "{exported}");
        assert!(exported.contains("'=HYPERLINK") && exported.contains("+79001234568, +79001234569"), "{exported}");
        let again = clients(&t, &exported, WET).await;
        assert_eq!((again.new, again.known, told(&again)), (0, 2, vec![]));
        // Into another office.
        let other = crate::shell::store::testing::sqlite().await;
        assert_eq!(clients(&other, &exported, WET).await.new, 2);
        let cards = other.store.list_clients(&ClientFilter::default(), None, 9).await.unwrap().items;
        let ivanova = cards.iter().find(|row| row.card.name.surname == "Иванова").unwrap();
        assert_eq!(ivanova.card.note, "=HYPERLINK(\"x\")");
        assert_eq!((ivanova.card.phones.len(), ivanova.card.tags.len()), (3, 2));
    })
    .await;
}

#[tokio::test]
async fn orders_are_taken_once_and_written_out() {
    on_both(async |t| {
        let text = "телефон;откуда;откуда дом;куда;wanted_at;оплата;цена\n\
            89001234567;улица Ленина;12;Вокзал;2027-03-01T09:30:00+03:00;наличные;350,5\n\
            89001234567;Вокзал;;улица Ленина;;;\n";
        assert_eq!(orders(&t, text, DRY).await.new, 2);
        let report = orders(&t, text, WET).await;
        assert_eq!((report.new, told(&report)), (2, vec![]));
        let again = orders(&t, text, WET).await;
        assert_eq!((again.new, again.known), (0, 2));
        let rows = t.store.list_orders(&OrderFilter::default(), None, 9).await.unwrap().items;
        assert_eq!((rows.len(), count(&t).await), (2, 1));
        let exported = String::from_utf8(super::orders::export(&t.store, None).await.unwrap().bytes).unwrap();
        assert!(exported.contains("2027-03-01T06:30:00Z;20;") && exported.contains(";350,50;searching;"), "{exported}");
        let bad = "from_street;wanted_at;payment;estimate;state\n\
            А;завтра;;;\nБ;;чеком;;\nВ;;;-5;\nГ;;;;completed\n;;;;\nД;2020-01-01T00:00:00Z;;;\nЕ;;;;\nЕ;;;;\n";
        let told = told(&orders(&t, bad, DRY).await);
        let columns =
            ["2, wanted_at", "3, payment", "4, estimate", "5, state", "6, from_street", "7, wanted_at", "9: it says"];
        assert_eq!(told.len(), columns.len(), "{told:#?}");
        for (line, start) in told.iter().zip(columns) {
            assert!(line.starts_with(&format!("line {start}")), "{line:?} is not about {start:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_gets_all_that_is_known_and_is_erased() {
    on_both(async |t| {
        clients(&t, "phone;surname;note\n+79001234567;Иванова;злая собака\n", WET).await;
        orders(&t, "phone;from_street\n+79001234567;улица Ленина\n", WET).await;
        let id = t.store.client_of_number("89001234567").await.unwrap().unwrap().id;
        let data = personal::export(&t.store, id).await.unwrap().unwrap().to_string();
        for known in ["Иванова", "злая собака", "улица Ленина", "+79001234567"] {
            assert!(data.contains(known), "{known}: {data}");
        }
        let cancel = order::Command::Cancel { by: CancelledBy::Client, reason: String::new() };
        let order = t.store.list_orders(&OrderFilter::default(), None, 9).await.unwrap().items[0].id;
        t.store.change_order(order, OrderChange::Command(cancel), &author(), NOW).await.unwrap();
        t.store.change_client(id, Command::Erase, &author(), NOW).await.unwrap();
        let data = personal::export(&t.store, id).await.unwrap().unwrap();
        let card = format!("{} {} {}", data["card"], data["history"], data["places"]);
        assert!(!data["orders"].to_string().contains("улица Ленина"), "{data}");
        for known in ["Иванова", "злая собака", "улица Ленина", "+79001234567"] {
            assert!(!card.contains(known), "{known}: {card}");
        }
        assert!(personal::export(&t.store, crate::domain::ids::ClientId(999)).await.unwrap().is_none());
    })
    .await;
}
