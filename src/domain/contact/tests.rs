use super::super::history::{ActorKind, By, Source};
use super::super::ids::PurposeId;
use super::super::rejected::{Problem, Rejected};
use super::super::time::Wall;
use super::*;

const ANNA: Person = Person::Agent(1);
const BORIS: Person = Person::Agent(2);

fn by(kind: ActorKind) -> By {
    By::new(kind, "somebody", Source::Dispatcher)
}

fn visitor() -> Create {
    Create {
        kind: Kind::Visit,
        state: State::Waiting,
        purpose: Some(PurposeId(1)),
        client: None,
        phone: String::new(),
        description: "мужчина в красной куртке".into(),
        comment: "смотрит на Kia".into(),
        responsible: None,
        since: Wall(10),
    }
}

fn entered(new: Create) -> Contact {
    create(new, &by(ActorKind::Dispatcher), Wall(10)).unwrap().0
}

/// As somebody of the office without any right over others.
fn done_by(contact: &Contact, who: Person, command: Command) -> Result<Contact, Rejected> {
    let by = by(ActorKind::Dispatcher);
    handle(contact, command, &Doer { by: &by, is: &[who] }, Wall(20)).map(|(contact, _)| contact)
}

fn as_supervisor(contact: &Contact, command: Command) -> Result<Contact, Rejected> {
    let by = by(ActorKind::Office);
    handle(contact, command, &Doer { by: &by, is: &[Person::User(9)] }, Wall(20)).map(|(contact, _)| contact)
}

fn ignore(reason: IgnoreReason, comment: &str) -> Command {
    Command::Ignore { reason, comment: comment.into() }
}

fn done() -> Command {
    Command::Done { comment: "продано".into() }
}

fn transfer(responsible: Option<Person>, purpose: Option<i64>) -> Command {
    let purpose = purpose.map(PurposeId);
    Command::Transfer { responsible, purpose, comment: "про кредит".into(), with_call: false }
}

#[test]
fn of_two_who_take_a_visitor_the_first_wins() {
    let waiting = entered(visitor());
    assert_eq!((waiting.state, waiting.waiting_since), (State::Waiting, Some(Wall(10))));
    let taken = done_by(&waiting, ANNA, Command::Take).unwrap();
    assert_eq!((taken.state, taken.responsible, taken.waiting_since), (State::InWork, Some(ANNA), None));
    assert_eq!(done_by(&taken, BORIS, Command::Take), Err(Rejected::TakenAlready));
    assert_eq!(done_by(&taken, ANNA, Command::Take), Err(Rejected::NothingToDo));
}

#[test]
fn what_has_a_responsible_person_is_that_persons_and_a_supervisors() {
    let chosen = entered(Create { responsible: Some(ANNA), ..visitor() });
    for command in [Command::Take, done(), ignore(IgnoreReason::Left, ""), transfer(Some(BORIS), None)] {
        assert_eq!(done_by(&chosen, BORIS, command.clone()), Err(Rejected::NotYours), "{command:?}");
        assert!(done_by(&chosen, ANNA, command.clone()).is_ok(), "{command:?}");
        assert!(as_supervisor(&chosen, command.clone()).is_ok(), "{command:?}");
    }
}

#[test]
fn only_the_office_has_a_journal_and_a_program_takes_nothing() {
    for kind in [ActorKind::Client, ActorKind::Driver] {
        assert_eq!(create(visitor(), &by(kind), Wall(1)).unwrap_err(), Rejected::NotAllowed);
    }
    let program = by(ActorKind::Program);
    let waiting = entered(visitor());
    let doer = Doer { by: &program, is: &[] };
    assert_eq!(handle(&waiting, Command::Take, &doer, Wall(1)).unwrap_err(), Rejected::NotAllowed);
    assert!(handle(&waiting, transfer(Some(ANNA), None), &doer, Wall(1)).is_ok());
}

#[test]
fn what_is_over_stays_over() {
    let ended = [
        done_by(&entered(visitor()), ANNA, done()).unwrap(),
        done_by(&entered(visitor()), ANNA, ignore(IgnoreReason::Left, "")).unwrap(),
    ];
    assert_eq!(ended[0].responsible, Some(ANNA), "who ends it has seen to it");
    for contact in &ended {
        assert_eq!(contact.ended_at, Some(Wall(20)));
        for command in [Command::Take, Command::Wait, done(), ignore(IgnoreReason::Spam, "")] {
            let action = command.action();
            let state = contact.state;
            assert_eq!(as_supervisor(contact, command), Err(Rejected::ContactState { action, state }));
        }
    }
}

#[test]
fn ignoring_for_another_reason_needs_words() {
    let error = done_by(&entered(visitor()), ANNA, ignore(IgnoreReason::Other, " ")).unwrap_err();
    assert_eq!(error, Rejected::Field { field: "comment", problem: Problem::Empty });
    let ignored = done_by(&entered(visitor()), ANNA, ignore(IgnoreReason::Other, "передумал")).unwrap();
    assert_eq!((ignored.ignored, ignored.outcome.as_str()), (Some(IgnoreReason::Other), "передумал"));
}

#[test]
fn a_visitor_who_is_handed_on_waits_and_a_call_is_new_again() {
    let taken = done_by(&entered(visitor()), ANNA, Command::Take).unwrap();
    let handed = done_by(&taken, ANNA, transfer(Some(BORIS), Some(2))).unwrap();
    assert_eq!((handed.state, handed.responsible), (State::Waiting, Some(BORIS)));
    assert_eq!((handed.purpose, handed.waiting_since), (Some(PurposeId(2)), Some(Wall(20))));
    let call = Create { kind: Kind::CallIn, state: State::New, ..visitor() };
    let done = done_by(&entered(call), ANNA, done()).unwrap();
    let handed = done_by(&done, ANNA, transfer(None, Some(3))).unwrap();
    assert_eq!((handed.state, handed.responsible, handed.ended_at), (State::New, None, None));
}

#[test]
fn nothing_is_handed_on_to_nobody() {
    let aimless = entered(Create { purpose: None, ..visitor() });
    let empty = Rejected::Field { field: "responsible", problem: Problem::Empty };
    assert_eq!(done_by(&aimless, ANNA, transfer(None, None)), Err(empty));
}

#[test]
fn a_visitor_must_be_known_or_described() {
    let nobody = Create { description: " ".into(), ..visitor() };
    let error = create(nobody, &by(ActorKind::Dispatcher), Wall(1)).unwrap_err();
    assert_eq!(error, Rejected::Field { field: "description", problem: Problem::Empty });
    let wrong = Create { phone: "нет".into(), ..visitor() };
    let error = create(wrong, &by(ActorKind::Dispatcher), Wall(1)).unwrap_err();
    assert_eq!(error, Rejected::Field { field: "phone", problem: Problem::NotAPhone });
    let finished = Create { state: State::Done, ..visitor() };
    assert!(create(finished, &by(ActorKind::Dispatcher), Wall(1)).is_err());
}

#[test]
fn a_document_is_linked_once_and_its_link_leads_to_a_web_page() {
    let reference =
        |link: &str| Reference { document: DocumentKind::WorkOrder, number: "ЗН-17".into(), link: link.into() };
    let contact = entered(visitor());
    let linked = done_by(&contact, ANNA, Command::Link(reference(""))).unwrap();
    assert_eq!(done_by(&linked, ANNA, Command::Link(reference(""))).unwrap(), linked);
    let better = done_by(&linked, BORIS, Command::Link(reference("https://crm/17"))).unwrap();
    assert_eq!(better.references, [reference("https://crm/17")]);
    let evil = done_by(&contact, ANNA, Command::Link(reference("javascript:alert(1)"))).unwrap_err();
    assert_eq!(evil, Rejected::Field { field: "link", problem: Problem::NotALink });
    let unlink = |number: &str| Command::Unlink { document: DocumentKind::WorkOrder, number: number.into() };
    assert_eq!(done_by(&better, ANNA, unlink("ЗН-18")), Err(Rejected::NothingToDo));
    assert_eq!(done_by(&better, ANNA, unlink("ЗН-17")).unwrap().references, []);
}

#[test]
fn a_call_that_ends_is_done_unless_somebody_has_done_more_with_it() {
    let engine = By::engine();
    let doer = Doer { by: &engine, is: &[] };
    let call = Create { kind: Kind::CallIn, state: State::InWork, responsible: Some(ANNA), ..visitor() };
    let contact = create(call, &engine, Wall(10)).unwrap().0;
    let over = Command::CallEnded { responsible: Some(BORIS) };
    let (done, entries) = handle(&contact, over.clone(), &doer, Wall(30)).unwrap();
    assert_eq!((done.state, done.responsible, entries.len()), (State::Done, Some(BORIS), 1));
    let noted = done_by(&contact, ANNA, Command::Edit(vec![Detail::Comment("ТО-2".into())])).unwrap();
    assert_eq!(handle(&noted, over.clone(), &doer, Wall(30)).unwrap().0.state, State::Done);
    let handed = done_by(&contact, ANNA, transfer(Some(BORIS), None)).unwrap();
    assert_eq!(handle(&handed, over.clone(), &doer, Wall(30)).unwrap(), (handed.clone(), vec![]));
    assert_eq!(done_by(&contact, ANNA, over), Err(Rejected::NotAllowed));
}

#[test]
fn a_lost_call_is_done_when_its_caller_was_talked_with_later() {
    let engine = By::engine();
    let doer = Doer { by: &engine, is: &[] };
    let reached = Command::Reached { responsible: Some(ANNA) };
    let lost = Create { kind: Kind::CallIn, state: State::New, ..visitor() };
    let (done, _) = handle(&entered(lost.clone()), reached.clone(), &doer, Wall(30)).unwrap();
    assert_eq!((done.state, done.responsible), (State::Done, Some(ANNA)));
    let chosen = entered(Create { responsible: Some(BORIS), ..lost });
    assert_eq!(handle(&chosen, reached, &doer, Wall(30)).unwrap().1, vec![]);
}

#[test]
fn the_state_is_the_sum_of_its_entries_and_an_erased_one_tells_of_nobody() {
    let by = by(ActorKind::Dispatcher);
    let (mut contact, mut entries) =
        create(Create { phone: "8 900 123-45-67".into(), ..visitor() }, &by, Wall(1)).unwrap();
    for command in [
        Command::Edit(vec![Detail::Comment("про Kia Rio".into()), Detail::Purpose(Some(PurposeId(4)))]),
        Command::Take,
        Command::Wait,
        transfer(Some(BORIS), None),
        Command::Link(Reference { document: DocumentKind::Worksheet, number: "5".into(), link: String::new() }),
    ] {
        let is = if contact.responsible == Some(BORIS) { [BORIS] } else { [ANNA] };
        let (next, new) = handle(&contact, command, &Doer { by: &by, is: &is }, Wall(2)).unwrap();
        contact = next;
        entries.extend(new);
    }
    assert_eq!(restore(&entries), Some(contact.clone()));
    assert_eq!((contact.version, contact.phone.as_str()), (6, "+79001234567"));
    let text = serde_json::to_string(&entries).unwrap();
    let back: Vec<crate::domain::history::Entry<Event>> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, entries);
    let wiped = serde_json::to_string(&entries.into_iter().map(redacted).collect::<Vec<_>>()).unwrap();
    for trace in ["79001234567", "куртке", "Kia", "кредит"] {
        assert!(!wiped.contains(trace), "{trace} in {wiped}");
    }
}

#[test]
fn an_edit_that_changes_nothing_makes_no_entry_and_a_stale_one_is_refused() {
    let contact = entered(visitor());
    let by = by(ActorKind::Dispatcher);
    let same = Command::Edit(vec![Detail::Comment("смотрит на Kia".into())]);
    assert_eq!(handle(&contact, same, &Doer { by: &by, is: &[ANNA] }, Wall(3)).unwrap().1, vec![]);
    let late = by.expecting(7);
    let error = handle(&contact, Command::Take, &Doer { by: &late, is: &[ANNA] }, Wall(3)).unwrap_err();
    assert_eq!(error, Rejected::Stale { expected: 7, current: 1 });
}

#[test]
fn a_purpose_has_a_name_and_no_specialist_twice() {
    let purpose = Purpose { section: "Сервис".into(), name: "Ремонт".into(), ..Purpose::default() };
    assert_eq!((purpose.check(), purpose.title()), (Ok(()), "Сервис. Ремонт".to_owned()));
    let twice = Purpose { specialists: vec![ANNA, BORIS, ANNA], ..purpose.clone() };
    assert_eq!(twice.check(), Err(Rejected::Field { field: "specialists", problem: Problem::Twice }));
    assert!(Purpose { name: " ".into(), ..purpose }.check().is_err());
    assert_eq!(Person::parse(&ANNA.to_string()), Some(ANNA));
    assert_eq!(Person::parse(&Person::User(5).to_string()), Some(Person::User(5)));
    assert_eq!(Person::parse("robot:5"), None);
}
