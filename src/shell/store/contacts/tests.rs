use std::time::Duration;

use crate::domain::history::{ActorKind, By, Source};
use crate::domain::rejected::Problem;
use crate::engine::command::Fact;
use crate::engine::event::Actor;
use crate::engine::ids::{AgentId, NodeId, QueueId};
use crate::engine::view::Disposition;
use crate::shell::store::agents::NewAgent;
use crate::shell::store::catalogue::{Item, ItemChange};
use crate::shell::store::clients::tests::{new as new_client, olga, phones};
use crate::shell::store::contact_list::ContactFilter;
use crate::shell::store::testing::{TestStore, on_both};
use crate::shell::store::users::{NewUser, Role};

use super::*;

const ANNA: Person = Person::Agent(1);
const BORIS: Person = Person::Agent(2);
const MINUTE: Duration = Duration::from_secs(60);

/// Two agents, numbers 1 and 2, and a user who takes no calls.
async fn people(t: &TestStore) -> Person {
    for name in ["anna", "boris"] {
        let new = NewAgent {
            name: name.to_owned(),
            endpoint: format!("agent-{name}"),
            sip_password: None,
            phone: Default::default(),
            node: NodeId(0),
            queues: Default::default(),
            skills: Default::default(),
        };
        let agent = t.store.add_agent(new, Wall(1)).await.unwrap().id;
        let user = NewUser {
            login: name.to_owned(),
            password_hash: "$argon2id$".into(),
            role: Role::Agent,
            agent: Some(agent),
        };
        t.store.add_user(user, Wall(1)).await.unwrap();
    }
    let user = NewUser { login: "vera".into(), password_hash: "$argon2id$".into(), role: Role::Agent, agent: None };
    Person::User(t.store.add_user(user, Wall(1)).await.unwrap().id.0)
}

async fn purpose(t: &TestStore, name: &str, specialists: &[Person], queue: &str) -> Item<Purpose> {
    let (specialists, queue) = (specialists.to_vec(), queue.to_owned());
    let purpose =
        Purpose { section: "Сервис".into(), name: name.into(), specialists, queue, ..Purpose::default() };
    t.store.add_item(purpose, &olga(), Wall(2)).await.unwrap()
}

fn as_agent(is: Person) -> ContactAuthor {
    let by = By::new(ActorKind::Dispatcher, is.to_string(), Source::Dispatcher);
    let author = Author { by, actor: Actor::Person(is.to_string()), address: String::new() };
    ContactAuthor { author, is: vec![is] }
}

pub(in crate::shell::store) fn visitor(purpose: Option<i64>) -> Create {
    Create {
        kind: Kind::Visit,
        state: State::Waiting,
        purpose: purpose.map(PurposeId),
        client: None,
        phone: "8 900 123-45-67".into(),
        description: "в синей куртке".into(),
        comment: "стук в подвеске".into(),
        responsible: None,
        since: Wall(100),
    }
}

async fn told(t: &TestStore, person: Person) -> Vec<(i64, String, u32)> {
    let rows = t.store.notifications_of(&[person]).await.unwrap();
    rows.into_iter().map(|row| (row.contact.0, row.why, row.times)).collect()
}

fn call(n: u64) -> CallId {
    CallId((1_000_000 + n) << 20)
}

fn arrived(n: u64, number: &str) -> Fact {
    Fact::CallArrived {
        call: call(n),
        node: NodeId(0),
        channel: format!("c{n}").into(),
        recording: format!("r{n}"),
        number: number.to_owned(),
        dialled: "100".into(),
        by_fallback: false,
        outgoing: false,
        at: Wall(1_000_000 + n as i64),
    }
}

fn queued(n: u64, queue: &str) -> Fact {
    let at = Wall(1_000_010 + n as i64);
    Fact::CallQueued { call: call(n), queue: QueueId(0), queue_name: queue.into(), priority: 0, at }
}

fn answered(n: u64) -> Fact {
    Fact::CallBridged { call: call(n), leg: 1, agent: Some(AgentId(1)), at: Wall(1_000_020 + n as i64) }
}

fn ended(n: u64, disposition: Disposition, agent: Option<u32>) -> Fact {
    let talked = if agent.is_some() { MINUTE } else { Duration::ZERO };
    let (waited, at) = (MINUTE, Wall(1_000_030 + n as i64));
    Fact::CallEnded { call: call(n), disposition, cause: 16, waited, talked, agent: agent.map(AgentId), at }
}

async fn all(t: &TestStore) -> Vec<ContactRow> {
    t.store.list_contacts(&ContactFilter::default(), None, 100).await.unwrap().items
}

#[tokio::test]
async fn all_specialists_are_told_until_one_takes_it() {
    on_both(async |t| {
        let vera = people(&t).await;
        let repair = purpose(&t, "Ремонт", &[ANNA, vera], "").await.id;
        let row = t.store.create_contact(visitor(Some(repair)), &as_agent(BORIS), Wall(100)).await.unwrap();
        assert_eq!(row.names.purpose.as_deref(), Some("Сервис. Ремонт"));
        let id = row.id.0;
        for person in [ANNA, vera] {
            assert_eq!(told(&t, person).await, [(id, "purpose".to_owned(), 1)]);
        }
        let taken = t.store.change_contact(row.id, Command::Take, &as_agent(vera), Wall(110)).await.unwrap();
        assert_eq!((taken.contact.responsible, taken.names.responsible.as_deref()), (Some(vera), Some("vera")));
        assert_eq!((told(&t, ANNA).await, told(&t, vera).await), (vec![], vec![]));
        match t.store.change_contact(row.id, Command::Take, &as_agent(ANNA), Wall(111)).await {
            Err(ChangeError::Rejected(Rejected::TakenAlready)) => {}
            other => panic!("{other:?}"),
        }
        let handed = Command::Transfer {
            responsible: Some(ANNA),
            purpose: None,
            comment: "ваш клиент".into(),
            with_call: false,
        };
        t.store.change_contact(row.id, handed, &as_agent(vera), Wall(120)).await.unwrap();
        assert_eq!(told(&t, ANNA).await, [(id, "responsible".to_owned(), 1)]);
        let history = t.store.contact_history(row.id).await.unwrap();
        assert_eq!(
            history.iter().map(|entry| entry.event.kind()).collect::<Vec<_>>(),
            ["created", "taken", "transferred"]
        );
        assert_eq!(contact::restore(&history), Some(t.store.get_contact(row.id).await.unwrap().unwrap().contact));
    })
    .await;
}

#[tokio::test]
async fn of_two_who_take_at_once_one_has_it() {
    on_both(async |t| {
        people(&t).await;
        let row = t.store.create_contact(visitor(None), &as_agent(ANNA), Wall(100)).await.unwrap();
        let (anna, boris) = (as_agent(ANNA), as_agent(BORIS));
        let (one, two) = tokio::join!(
            t.store.change_contact(row.id, Command::Take, &anna, Wall(110)),
            t.store.change_contact(row.id, Command::Take, &boris, Wall(110)),
        );
        let won = [&one, &two].into_iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "{one:?} {two:?}");
        let lost = if one.is_err() { one } else { two };
        assert!(matches!(lost, Err(ChangeError::Rejected(Rejected::TakenAlready))), "{lost:?}");
    })
    .await;
}

#[tokio::test]
async fn a_waiting_visitor_is_reminded_of_until_somebody_takes_him() {
    on_both(async |t| {
        people(&t).await;
        let repair = purpose(&t, "Ремонт", &[ANNA], "").await.id;
        let row = t.store.create_contact(visitor(Some(repair)), &as_agent(BORIS), Wall(100)).await.unwrap();
        assert_eq!(t.store.remind_of_waiting(MINUTE, Wall(60_099)).await.unwrap(), 0);
        let notice = t.store.notifications_of(&[ANNA]).await.unwrap()[0].id;
        assert!(t.store.notification_seen(notice, &[BORIS], Wall(101)).await.is_err());
        assert_eq!(t.store.notification_seen(notice, &[ANNA], Wall(101)).await.unwrap().seen, Some(Wall(101)));
        // Over a restart of the engine too: it stands in the database.
        let again = Store::open(&t.url).await.unwrap();
        assert_eq!(again.remind_of_waiting(MINUTE, Wall(60_100)).await.unwrap(), 1);
        let row_told = &t.store.notifications_of(&[ANNA]).await.unwrap()[0];
        assert_eq!((row_told.id, row_told.why.as_str(), row_told.times, row_told.seen), (notice, "reminder", 2, None));
        // An edit does not put it off.
        let edit = Command::Edit(vec![Detail::Comment("спешит".into())]);
        t.store.change_contact(row.id, edit, &as_agent(BORIS), Wall(70_000)).await.unwrap();
        assert_eq!(t.store.remind_of_waiting(MINUTE, Wall(120_100)).await.unwrap(), 1);
        t.store.change_contact(row.id, Command::Take, &as_agent(ANNA), Wall(120_200)).await.unwrap();
        assert_eq!(t.store.remind_of_waiting(MINUTE, Wall(999_999)).await.unwrap(), 0);
        assert_eq!(told(&t, ANNA).await, []);
        t.store.tidy_up(Wall(120_200 + 31 * 86_400_000)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_or_is_not_in_use_is_refused() {
    on_both(async |t| {
        people(&t).await;
        let repair = purpose(&t, "Ремонт", &[], "").await.id;
        let off = ItemChange { retired: Some(true), ..ItemChange::default() };
        t.store.change_item::<Purpose>(repair, off, &olga(), Wall(3)).await.unwrap();
        let refused = async |new: Create| t.store.create_contact(new, &as_agent(ANNA), Wall(5)).await.unwrap_err();
        let error = refused(visitor(Some(repair))).await;
        assert!(matches!(error, ChangeError::Rejected(Rejected::PurposeRetired)), "{error}");
        for new in [
            visitor(Some(99)),
            Create { client: Some(ClientId(99)), ..visitor(None) },
            Create { responsible: Some(Person::Agent(99)), ..visitor(None) },
            Create { responsible: Some(Person::User(99)), ..visitor(None) },
        ] {
            let error = refused(new).await;
            assert!(matches!(error, ChangeError::Store(StoreError::NoSuch(_))), "{error}");
        }
        let nobody = Create { phone: String::new(), description: String::new(), ..visitor(None) };
        let error = refused(nobody).await;
        let empty = Rejected::Field { field: "description", problem: Problem::Empty };
        assert!(matches!(&error, ChangeError::Rejected(why) if *why == empty), "{error}");
        assert_eq!(all(&t).await, []);
    })
    .await;
}

#[tokio::test]
async fn calls_enter_by_themselves_once_in_whatever_batches_they_are_told() {
    on_both(async |t| {
        people(&t).await;
        let repair = purpose(&t, "Ремонт", &[BORIS], "service").await.id;
        let client =
            t.store.create_client(new_client(vec![phones(&["+79000000001"])]), &olga(), Wall(1)).await.unwrap();
        let facts = [
            arrived(1, "+79000000001"),
            queued(1, "service"),
            answered(1),
            ended(1, Disposition::CompleteCaller, Some(1)),
            arrived(2, "+79000000002"),
            queued(2, "service"),
            ended(2, Disposition::Abandon, None),
            arrived(3, "+79000000003"),
            ended(3, Disposition::Blocked, None),
            arrived(4, ""),
            ended(4, Disposition::Informed, None),
        ];
        for fact in &facts {
            t.store.write_facts(std::slice::from_ref(fact)).await.unwrap();
        }
        let expected = all(&t).await;
        for _ in 0..2 {
            t.store.write_facts(&facts).await.unwrap();
            assert_eq!(all(&t).await, expected);
        }
        let seen: Vec<_> = expected.iter().map(|row| (row.call.unwrap(), row.contact.state)).collect();
        assert_eq!(seen, [(call(4), State::Done), (call(2), State::New), (call(1), State::Done)]);
        let [informed, lost, talk] = expected.as_slice() else { panic!("{expected:?}") };
        assert_eq!((informed.contact.responsible, informed.contact.phone.as_str()), (None, ""));
        assert_eq!((talk.contact.client, talk.contact.responsible), (Some(client.id), Some(ANNA)));
        assert_eq!((talk.contact.purpose, talk.contact.version), (Some(PurposeId(repair)), 2));
        assert_eq!((talk.contact.created_at, talk.contact.ended_at), (Wall(1_000_001), Some(Wall(1_000_031))));
        assert_eq!(told(&t, BORIS).await, [(lost.id.0, "purpose".to_owned(), 1)]);
        for row in &expected {
            let history = t.store.contact_history(row.id).await.unwrap();
            assert_eq!(contact::restore(&history), Some(row.contact.clone()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_queue_that_two_purposes_share_tells_none() {
    on_both(async |t| {
        purpose(&t, "Ремонт", &[], "main").await;
        purpose(&t, "Запчасти", &[], "main").await;
        t.store.write_facts(&[arrived(1, "100"), queued(1, "main"), answered(1)]).await.unwrap();
        assert_eq!(all(&t).await[0].contact.purpose, None);
    })
    .await;
}

#[tokio::test]
async fn what_an_agent_does_during_the_talk_holds_after_it() {
    on_both(async |t| {
        people(&t).await;
        let facts = [arrived(1, "+79000000001"), answered(1), arrived(2, "+79000000002"), answered(2)];
        t.store.write_facts(&facts).await.unwrap();
        let rows = all(&t).await;
        assert!(rows.iter().all(|row| row.contact.in_call && row.contact.responsible == Some(ANNA)), "{rows:?}");
        let edit = Command::Edit(vec![Detail::Comment("ТО-2".into())]);
        t.store.change_contact(rows[1].id, edit, &as_agent(ANNA), Wall(1_000_025)).await.unwrap();
        let hand =
            Command::Transfer { responsible: Some(BORIS), purpose: None, comment: String::new(), with_call: true };
        t.store.change_contact(rows[0].id, hand, &as_agent(ANNA), Wall(1_000_025)).await.unwrap();
        let ends = [ended(1, Disposition::CompleteAgent, Some(1)), ended(2, Disposition::CompleteAgent, Some(1))];
        t.store.write_facts(&ends).await.unwrap();
        let after = all(&t).await;
        assert_eq!((after[1].contact.state, after[1].contact.comment.as_str()), (State::Done, "ТО-2"));
        assert_eq!((after[0].contact.state, after[0].contact.responsible), (State::New, Some(BORIS)));
    })
    .await;
}

#[tokio::test]
async fn a_lost_caller_who_is_talked_with_later_is_not_waiting_for_anybody() {
    on_both(async |t| {
        people(&t).await;
        purpose(&t, "Ремонт", &[BORIS], "service").await;
        let lost = [arrived(1, "+79000000001"), queued(1, "service"), ended(1, Disposition::Abandon, None)];
        t.store.write_facts(&lost).await.unwrap();
        assert_eq!(told(&t, BORIS).await.len(), 1);
        t.store.write_facts(&[arrived(100, "+79000000001"), answered(100)]).await.unwrap();
        let rows = all(&t).await;
        let states: Vec<_> = rows.iter().map(|row| (row.contact.state, row.contact.responsible)).collect();
        assert_eq!(states, [(State::InWork, Some(ANNA)), (State::Done, Some(ANNA))]);
        assert_eq!(told(&t, BORIS).await, []);
        let board = t.store.contact_board().await.unwrap();
        assert_eq!((board.new, board.waiting), (vec![], vec![]));
    })
    .await;
}

#[tokio::test]
async fn the_journal_is_listed_by_pages_and_by_what_contacts_say() {
    on_both(async |t| {
        let s = &t.store;
        people(&t).await;
        let repair = purpose(&t, "Ремонт", &[], "").await.id;
        let mut ids = Vec::new();
        for n in 0..5 {
            let new =
                Create { since: Wall(100 + n / 2), purpose: (n == 1).then_some(PurposeId(repair)), ..visitor(None) };
            ids.insert(0, s.create_contact(new, &as_agent(ANNA), Wall(100)).await.unwrap().id);
        }
        let first = s.list_contacts(&ContactFilter::default(), None, 3).await.unwrap();
        let second = s.list_contacts(&ContactFilter::default(), first.next.as_deref(), 3).await.unwrap();
        let seen: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.id).collect();
        assert_eq!((seen, second.next), (ids.clone(), None));
        s.change_contact(ids[0], Command::Take, &as_agent(BORIS), Wall(200)).await.unwrap();
        let ignore = Command::Ignore { reason: IgnoreReason::Left, comment: String::new() };
        s.change_contact(ids[1], ignore, &as_agent(ANNA), Wall(200)).await.unwrap();
        let reference = Reference { document: DocumentKind::WorkOrder, number: "ЗН-1".into(), link: String::new() };
        s.change_contact(ids[2], Command::Link(reference.clone()), &as_agent(ANNA), Wall(200)).await.unwrap();
        let list = async |filter: ContactFilter| {
            let page = s.list_contacts(&filter, None, 9).await.unwrap();
            page.items.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let some = ContactFilter::default;
        assert_eq!(list(ContactFilter { states: vec![State::Waiting], ..some() }).await, ids[2..]);
        assert_eq!(list(ContactFilter { states: vec![State::Ignored], ..some() }).await, [ids[1]]);
        assert_eq!(list(ContactFilter { states: vec![State::InWork, State::Ignored], ..some() }).await, ids[..2]);
        assert_eq!(list(ContactFilter { responsible: vec![BORIS, Person::User(77)], ..some() }).await, [ids[0]]);
        assert_eq!(list(ContactFilter { purpose: Some(PurposeId(repair)), ..some() }).await, [ids[3]]);
        assert_eq!(list(ContactFilter { kind: Some(Kind::Visit), ..some() }).await, ids);
        assert_eq!(list(ContactFilter { kind: Some(Kind::CallIn), ..some() }).await, []);
        assert_eq!(list(ContactFilter { phone: Some("+7 (900) 123-45-67".into()), ..some() }).await, ids);
        assert_eq!(list(ContactFilter { to: Some(Wall(101)), ..some() }).await, ids[3..]);
        let document = |kind| ContactFilter { document: Some((kind, "ЗН-1".into())), ..some() };
        assert_eq!(list(document(None)).await, [ids[2]]);
        assert_eq!(list(document(Some(DocumentKind::Order))).await, []);
        assert_eq!(s.get_contact(ids[2]).await.unwrap().unwrap().contact.references, [reference]);
        let board = s.contact_board().await.unwrap();
        assert_eq!(board.waiting.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[4], ids[3], ids[2]]);
    })
    .await;
}

#[tokio::test]
async fn an_erased_client_leaves_no_trace_in_the_journal() {
    on_both(async |t| {
        people(&t).await;
        let client =
            t.store.create_client(new_client(vec![phones(&["+79001234567"])]), &olga(), Wall(1)).await.unwrap();
        let row = t.store.create_contact(visitor(None), &as_agent(ANNA), Wall(100)).await.unwrap();
        assert_eq!(row.contact.client, Some(client.id));
        t.store.change_client(client.id, crate::domain::client::Command::Erase, &olga(), Wall(200)).await.unwrap();
        let after = t.store.get_contact(row.id).await.unwrap().unwrap();
        let history = t.store.contact_history(row.id).await.unwrap();
        let text = format!("{after:?} {history:?}");
        for trace in ["9001234567", "куртке", "подвеске"] {
            assert!(!text.contains(trace), "{trace} in {text}");
        }
    })
    .await;
}
