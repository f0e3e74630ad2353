use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::address::{Address, Car};
use super::super::fare::Discount;
use super::super::history::{ActorKind, By, Entry, Source};
use super::super::ids::{ClientId, GroupId, TariffId};
use super::super::language::Language;
use super::super::ledger::Balances;
use super::super::money::Kopecks;
use super::super::notify::{Channel, ClientNotify};
use super::super::phone::Phone;
use super::super::rejected::{Problem, Rejected};
use super::super::time::{Date, Wall};
use super::*;

const NOW: Wall = Wall(1_700_000_000_000);
const DAY: i64 = 86_400_000;

fn office() -> By {
    By::new(ActorKind::Office, "anna", Source::Dispatcher)
}

fn phone(number: &str) -> CardPhone {
    CardPhone { number: number.into(), ..CardPhone::default() }
}

fn card(details: Vec<Detail>) -> (Client, Vec<Entry<Event>>) {
    let details = [vec![Detail::Phones(vec![phone("89001234567")])], details].concat();
    create(Create { details, ..Create::default() }, &office(), NOW).unwrap()
}

fn edit(card: &Client, details: Vec<Detail>) -> Result<(Client, Vec<Entry<Event>>), Rejected> {
    handle(card, Command::Edit(details), &office(), NOW.plus_ms(DAY))
}

fn ivanova() -> Name {
    Name { surname: "Иванова".into(), name: "Анна".into(), patronymic: String::new() }
}

#[test]
fn the_first_call_makes_a_card_whose_id_is_the_number() {
    let (card, history) = first_call(&Phone::parse("8 900 123-45-67"), Some(GroupId(1)), NOW).unwrap();
    assert_eq!(
        (card.code.as_str(), card.phone(), card.title().as_str()),
        ("+79001234567", "+79001234567", "+79001234567")
    );
    assert_eq!((card.group, card.source, card.version), (Some(GroupId(1)), Source::Call, 1));
    assert_eq!(restore(&history), Some(card));
    assert!(first_call(&Phone::Hidden, None, NOW).is_err());
}

#[test]
fn an_office_may_choose_the_id_but_a_card_without_any_is_refused() {
    let new = |code: Option<&str>| Create { code: code.map(Into::into), ..Create::default() };
    assert_eq!(create(new(Some("К-17")), &office(), NOW).unwrap().0.code, "К-17");
    let empty = Err(Rejected::Field { field: "code", problem: Problem::Empty });
    assert_eq!(create(new(None), &office(), NOW), empty);
}

#[test]
fn an_edit_tells_what_it_was_and_the_same_again_is_none() {
    let (card, _) = card(vec![]);
    let (named, entries) = edit(&card, vec![Detail::Name(ivanova()), Detail::Note(String::new())]).unwrap();
    let change = Change { before: Detail::Name(Name::default()), after: Detail::Name(ivanova()) };
    assert_eq!(entries[0].event, Event::Edited { changes: vec![change] });
    assert_eq!((named.title().as_str(), named.version), ("Иванова Анна", 2));
    assert_eq!(edit(&named, vec![Detail::Name(ivanova())]), Ok((named.clone(), vec![])));
    let stale = handle(&named, Command::Unblock, &office().expecting(1), NOW);
    assert_eq!(stale, Err(Rejected::Stale { expected: 1, current: 2 }));
}

#[test]
fn what_no_card_may_hold_is_refused() {
    let (card, _) = card(vec![]);
    let refused = |detail| edit(&card, vec![detail]).unwrap_err();
    let field = |field, problem| Rejected::Field { field, problem };
    let twice = vec![phone("89001234567"), phone("+7 900 123 45 67")];
    assert_eq!(refused(Detail::Phones(twice)), field("phones", Problem::Twice));
    assert_eq!(refused(Detail::Phones(vec![phone("нет")])), field("phones", Problem::NotAPhone));
    assert_eq!(refused(Detail::Conflict(4)), field("conflict", Problem::OutOfRange));
    for email in ["anna", "@host", "anna@", "an na@host", "a@b@c"] {
        assert_eq!(refused(Detail::Email(email.into())), field("email", Problem::NotAnEmail), "{email}");
    }
    assert_eq!(refused(Detail::Tags(BTreeSet::from([" ".into()]))), field("tags", Problem::Empty));
    assert_eq!(refused(Detail::Code(" ".into())), field("code", Problem::Empty));
    let negative = Some(Discount::Fixed { amount: Kopecks(-1) });
    assert_eq!(refused(Detail::Discount(negative)), field("discount", Problem::OutOfRange));
}

#[test]
fn only_the_office_unblocks_and_a_client_changes_only_own_data() {
    let dispatcher = By::new(ActorKind::Dispatcher, "olga", Source::Dispatcher);
    let client = By::new(ActorKind::Client, "+79001234567", Source::Cabinet);
    let (card, _) = card(vec![]);
    let block = Command::Block { reason: "не платит".into() };
    let (blocked, _) = handle(&card, block, &dispatcher, NOW).unwrap();
    assert!(blocked.standing().blocked);
    assert_eq!(handle(&blocked, Command::Unblock, &dispatcher, NOW), Err(Rejected::NotAllowed));
    assert_eq!(handle(&blocked, Command::Unblock, &office(), NOW).unwrap().0.blocked, None);
    let set = |detail| handle(&card, Command::Edit(vec![detail]), &client, NOW).map(|(card, _)| card.version);
    assert_eq!(set(Detail::Name(ivanova())), Ok(2));
    assert_eq!(set(Detail::Discount(Some(Discount::Percent { permille: 1000 }))), Err(Rejected::NotAllowed));
    assert_eq!(set(Detail::Note("хороший".into())), Err(Rejected::NotAllowed));
}

#[test]
fn old_and_missing_data_are_asked_about_until_confirmed() {
    let (card, _) = card(vec![Detail::Name(ivanova())]);
    let rules = CheckRules::default();
    let asked = |card: &Client, now| checks(card, &rules, now).into_iter().map(|check| check.what).collect::<Vec<_>>();
    assert_eq!(asked(&card, NOW), [Doubt::Address]);
    let later = NOW.plus_ms(366 * DAY);
    let number = Doubt::Phone { number: "+79001234567".into() };
    assert_eq!(asked(&card, later), [Doubt::Name, Doubt::Address, number.clone()]);
    let (card, _) = handle(&card, Command::Confirm(number), &office(), later).unwrap();
    let (card, _) = handle(&card, Command::Confirm(Doubt::Name), &office(), later).unwrap();
    assert_eq!(asked(&card, later), [Doubt::Address]);
    assert_eq!(handle(&card, Command::Confirm(Doubt::Address), &office(), later), Err(Rejected::NothingToDo));
    let cars = CheckRules { cars: true, address: false, ..rules };
    assert_eq!(checks(&card, &cars, later)[0].what, Doubt::Car { plate: String::new() });
}

#[test]
fn the_days_of_a_client_come_in_their_order_over_the_turn_of_the_year() {
    let date = |text: &str| text.parse::<Date>().unwrap();
    let wedding = NamedDate { label: "свадьба".into(), date: date("2010-01-05") };
    let dates = Dates { birthday: Some(date("1984-02-29")), others: vec![wedding] };
    let (card, _) = card(vec![Detail::Dates(dates)]);
    let days: Vec<_> = attention(&card, date("2023-12-30"), date("2025-12-28"), 70)
        .into_iter()
        .map(|attention| (attention.on.to_string(), attention.reason, attention.years))
        .collect();
    assert_eq!(
        days,
        [
            ("2025-12-30".to_owned(), Reason::Anniversary, 2),
            ("2026-01-01".to_owned(), Reason::NewYear, 3),
            ("2026-01-05".to_owned(), Reason::Named { label: "свадьба".into() }, 16),
            ("2026-02-28".to_owned(), Reason::Birthday, 42),
        ]
    );
}

fn side(id: i64, card: Client, account: i64) -> Side {
    let balances = Balances { account: Kopecks(account), bonus: Kopecks(5), entries: 1 };
    Side { id: ClientId(id), card, counters: Counters { completed: 3, ..Counters::default() }, balances }
}

#[test]
fn a_merge_keeps_everything_and_can_be_looked_back_at() {
    let (keeper, keeper_history) = card(vec![Detail::Note("третий этаж".into())]);
    let details = vec![
        Detail::Name(ivanova()),
        Detail::Phones(vec![phone("89007654321"), phone("89001234567")]),
        Detail::Note("собака".into()),
        Detail::Tags(BTreeSet::from(["vip".into()])),
    ];
    let (other, mut other_history) = create(Create { details, ..Create::default() }, &office(), NOW).unwrap();
    let (other, blocked) = handle(&other, Command::Block { reason: "спор".into() }, &office(), NOW).unwrap();
    other_history.extend(blocked);
    let (one, two) = (side(1, keeper, 100), side(2, other.clone(), -30));
    let merged = merge(&one, &two, Some(2), &office(), NOW.plus_ms(5)).unwrap();
    let numbers: Vec<_> = merged.card.phones.iter().map(|phone| phone.number.as_str()).collect();
    assert_eq!(numbers, ["+79001234567", "+79007654321"]);
    assert_eq!((merged.card.note.as_str(), merged.card.title().as_str()), ("третий этаж\nсобака", "Иванова Анна"));
    assert!(merged.card.blocked.is_some() && merged.card.tags.contains("vip"));
    assert_eq!(
        (merged.counters.completed, merged.money.to.account, merged.money.to.bonus),
        (6, Kopecks(70), Kopecks(10))
    );
    assert_eq!(merged.other.merged_into, Some(ClientId(1)));
    let Event::Absorbed { card: looked_back, .. } = &merged.entry.event else { panic!() };
    assert_eq!(**looked_back, other);
    let replayed = restore(keeper_history.iter().chain([&merged.entry]));
    assert_eq!(replayed, Some(merged.card.clone()));
    assert_eq!(restore(other_history.iter().chain([&merged.other_entry])), Some(merged.other.clone()));
    let touched = edit(&merged.other, vec![Detail::Note("ещё".into())]);
    assert_eq!(touched, Err(Rejected::Merged { into: ClientId(1) }));
    assert_eq!(merge(&one, &one, None, &office(), NOW), Err(Rejected::NothingToDo));
    let stale = merge(&one, &two, Some(9), &office(), NOW);
    assert_eq!(stale, Err(Rejected::Stale { expected: 9, current: 2 }));
}

#[test]
fn events_are_written_as_they_were_when_the_first_ones_were_kept() {
    let change = Change { before: Detail::Conflict(0), after: Detail::Conflict(2) };
    let entry = office().entry(1, NOW, Event::Edited { changes: vec![change] });
    assert_eq!(
        serde_json::to_string(&entry).unwrap(),
        r#"{"version":2,"at":1700000000000,"actor":{"kind":"office","name":"anna"},"source":"dispatcher","event":{"kind":"edited","changes":[{"before":{"field":"conflict","value":0},"after":{"field":"conflict","value":2}}]}}"#
    );
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[А-Яа-я]{1,6}", ".{0,6}"]
}

fn any_detail() -> impl Strategy<Value = Detail> {
    let number = || proptest::sample::select(vec!["89001234567", "+79007654321", "375291234567", "101", "нет"]);
    prop_oneof![
        any_text().prop_map(Detail::Code),
        any_text().prop_map(|company| Detail::Kind(Kind::Corporate { company })),
        Just(Detail::Kind(Kind::Personal)),
        (any_text(), any_text()).prop_map(|(surname, name)| Detail::Name(Name { surname, name, ..Name::default() })),
        proptest::collection::vec(number(), 0..4)
            .prop_map(|numbers| Detail::Phones(numbers.into_iter().map(phone).collect())),
        proptest::option::of(any_text())
            .prop_map(|street| Detail::Address(street.map(|street| Address::street(street, "1")))),
        proptest::sample::select(vec!["", "a@b", "wrong"]).prop_map(|email| Detail::Email(email.into())),
        Just(Detail::Tariff(Some(TariffId(3)))),
        any_text().prop_map(Detail::Note),
        Just(Detail::Language(Some(Language::En))),
        Just(Detail::Notify(ClientNotify { closed: Some(Channel::None), ..ClientNotify::default() })),
        (0u8..5).prop_map(Detail::Conflict),
        any_text().prop_map(|plate| {
            let car = Car { plate, ..Car::default() };
            Detail::Cars(vec![CardCar { car, ..CardCar::default() }])
        }),
        proptest::collection::btree_set(any_text(), 0..3).prop_map(Detail::Tags),
        (0u32..1200).prop_map(|permille| Detail::Discount(Some(Discount::Percent { permille }))),
        proptest::option::of(1i64..4).prop_map(|group| Detail::Group(group.map(GroupId))),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    let doubt = prop_oneof![
        Just(Doubt::Name),
        Just(Doubt::Address),
        Just(Doubt::Phone { number: "+79001234567".into() }),
        any_text().prop_map(|plate| Doubt::Car { plate }),
    ];
    prop_oneof![
        20 => proptest::collection::vec(any_detail(), 0..4).prop_map(Command::Edit),
        4 => doubt.prop_map(Command::Confirm),
        2 => any_text().prop_map(|reason| Command::Block { reason }),
        2 => Just(Command::Unblock),
        2 => any_text().prop_map(|text| Command::Complain { text }),
        1 => Just(Command::Erase),
    ]
}

fn any_by() -> impl Strategy<Value = By> {
    let kinds =
        vec![ActorKind::Client, ActorKind::Dispatcher, ActorKind::Office, ActorKind::Driver, ActorKind::Program];
    (proptest::sample::select(kinds), proptest::option::weighted(0.1, 0u64..10))
        .prop_map(|(kind, expected)| By { expected, ..By::new(kind, "Секретова", Source::Api) })
}

fn check_card(card: &Client) {
    assert!(card.conflict <= 3);
    let numbers: BTreeSet<_> = card.phones.iter().map(|phone| &phone.number).collect();
    assert_eq!(numbers.len(), card.phones.len());
    for number in numbers {
        assert_eq!(Phone::parse(number).as_str(), number);
    }
    assert!(card.erased_at.is_some() || !card.code.trim().is_empty());
}

proptest! {
    #[test]
    fn any_sequence_of_commands_keeps_the_rules_and_is_replayed_to_the_same_card(
        commands in proptest::collection::vec((any_by(), any_command(), 0i64..DAY), 0..30),
    ) {
        let (mut card, mut history) = card(vec![]);
        let mut now = NOW;
        for (by, command, ms) in commands {
            now = now.plus_ms(ms);
            if let Ok((next, new)) = handle(&card, command, &by, now) {
                prop_assert!(card.erased_at.is_none());
                prop_assert_eq!(next.version, card.version + new.len() as u64);
                prop_assert!(!new.is_empty() || next == card);
                check_card(&next);
                card = next;
                history.extend(new);
            }
        }
        prop_assert_eq!(restore(&history), Some(card.clone()));
        let stored = serde_json::to_string(&history).unwrap();
        let read: Vec<Entry<Event>> = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(restore(&read), Some(card));
    }

    #[test]
    fn an_erased_card_is_the_same_from_its_redacted_history(
        edits in proptest::collection::vec((any_by(), any_command()), 0..20),
    ) {
        let secret = Detail::Name(Name { surname: "Секретова".into(), ..Name::default() });
        let (mut card, mut history) = card(vec![secret]);
        for (by, command) in edits {
            if !matches!(command, Command::Erase) && by.actor.kind == ActorKind::Client
                && let Ok((next, new)) = handle(&card, command, &by, NOW)
            {
                card = next;
                history.extend(new);
            }
        }
        let (erased, last) = handle(&card, Command::Erase, &office(), NOW).unwrap();
        history.extend(last);
        prop_assert_eq!(edit(&erased, vec![]), Err(Rejected::Erased));
        let redacted: Vec<_> = history.into_iter().map(redacted).collect();
        prop_assert_eq!(restore(&redacted), Some(erased));
        let kept = serde_json::to_string(&redacted).unwrap();
        prop_assert!(!kept.contains("Секретов") && !kept.contains("9001234567"), "{kept}");
    }
}
