//! What is allowed: from a command to an entry of the history, or a refusal.

use super::super::history::{ActorKind, By, Entry};
use super::super::limit::{self, LONG, SHORT};
use super::super::phone::Phone;
use super::super::rejected::{Problem, Rejected};
use super::super::time::Wall;
use super::{
    Change, Command, Contact, Create, Detail, Doer, Event, IgnoreReason, Kind, MOST_REFERENCES, Person, State,
};

/// Enters a contact. By hand it is new, or the client waits; a call of the engine may be over by then.
///
/// # Errors
/// [`Rejected::NotAllowed`], [`Rejected::Field`].
pub fn create(new: Create, by: &By, now: Wall) -> Result<(Contact, Vec<Entry<Event>>), Rejected> {
    of_the_office(by)?;
    if !new.state.is_free() && by.actor.kind != ActorKind::Engine {
        return Err(Rejected::Field { field: "state", problem: Problem::OutOfRange });
    }
    limit::check("description", &new.description, LONG)?;
    limit::check("comment", &new.comment, LONG)?;
    let phone = number(&new.phone)?;
    let nobody = new.client.is_none() && phone.is_empty() && new.description.trim().is_empty();
    // A caller may well hide the number; a visitor is seen.
    if nobody && new.kind == Kind::Visit {
        return Err(Rejected::Field { field: "description", problem: Problem::Empty });
    }
    let event = Event::Created {
        way: new.kind,
        state: new.state,
        purpose: new.purpose,
        client: new.client,
        phone,
        description: new.description.trim().to_owned(),
        comment: new.comment.trim().to_owned(),
        responsible: new.responsible,
        since: new.since,
    };
    let entry = by.entry(0, now, event);
    let contact = Contact::created(&entry).ok_or(Rejected::NothingToDo)?;
    Ok((contact, vec![entry]))
}

/// Changes a contact. No entry, and the contact as it was, when the command changes nothing.
///
/// # Errors
/// [`Rejected::Stale`], [`Rejected::ContactState`], [`Rejected::TakenAlready`], [`Rejected::NotYours`],
/// [`Rejected::NotAllowed`], [`Rejected::NothingToDo`], [`Rejected::Field`].
pub fn handle(
    contact: &Contact,
    command: Command,
    doer: &Doer<'_>,
    now: Wall,
) -> Result<(Contact, Vec<Entry<Event>>), Rejected> {
    of_the_office(doer.by)?;
    doer.by.check(contact.version)?;
    let Some(event) = decide(contact, command, doer)? else {
        return Ok((contact.clone(), Vec::new()));
    };
    let entry = doer.by.entry(contact.version, now, event);
    Ok((contact.clone().with(&entry), vec![entry]))
}

fn decide(contact: &Contact, command: Command, doer: &Doer<'_>) -> Result<Option<Event>, Rejected> {
    let wrong = Rejected::ContactState { action: command.action(), state: contact.state };
    let event = match command {
        Command::Edit(details) => return edit(contact, details),
        Command::Take => Event::Taken { person: taker(contact, doer, wrong)? },
        Command::Wait => {
            match contact.state {
                State::New => {}
                State::InWork => own(contact, doer)?,
                State::Waiting => return Ok(None),
                State::Done | State::Ignored => return Err(wrong),
            }
            Event::Waits
        }
        Command::Done { comment } => {
            open(contact, wrong)?;
            own(contact, doer)?;
            limit::check("comment", &comment, LONG)?;
            let responsible = if contact.responsible.is_none() { doer.is.first().copied() } else { None };
            Event::Done { comment: comment.trim().to_owned(), responsible }
        }
        Command::Ignore { reason, comment } => {
            open(contact, wrong)?;
            own(contact, doer)?;
            match reason {
                IgnoreReason::Other => limit::check_some("comment", &comment, LONG)?,
                IgnoreReason::Spam
                | IgnoreReason::WrongNumber
                | IgnoreReason::Duplicate
                | IgnoreReason::Unreachable
                | IgnoreReason::Left => limit::check("comment", &comment, LONG)?,
            }
            Event::Ignored { reason, comment: comment.trim().to_owned() }
        }
        Command::Transfer { responsible, purpose, comment, with_call } => {
            // What was talked and is done may still be somebody else's to do.
            if contact.state == State::Ignored {
                return Err(wrong);
            }
            own(contact, doer)?;
            if responsible.is_none() && purpose.or(contact.purpose).is_none() {
                return Err(Rejected::Field { field: "responsible", problem: Problem::Empty });
            }
            limit::check("comment", &comment, LONG)?;
            Event::Transferred { responsible, purpose, comment: comment.trim().to_owned(), with_call }
        }
        Command::Link(reference) => {
            let reference = reference.checked()?;
            if contact.references.contains(&reference) {
                return Ok(None);
            }
            let known = contact.references.iter().any(|one| one.is(reference.document, &reference.number));
            limit::check_count("references", contact.references.len() + usize::from(!known), MOST_REFERENCES)?;
            Event::Linked { reference }
        }
        Command::Unlink { document, number } => {
            let number = number.trim().to_owned();
            if !contact.references.iter().any(|known| known.is(document, &number)) {
                return Err(Rejected::NothingToDo);
            }
            Event::Unlinked { document, number }
        }
        Command::CallEnded { responsible } => {
            of_the_engine(doer.by)?;
            // What people did with it meanwhile holds.
            if !contact.in_call {
                return Ok(None);
            }
            Event::CallEnded { responsible }
        }
        Command::Reached { responsible } => {
            of_the_engine(doer.by)?;
            if contact.state != State::New || contact.responsible.is_some() {
                return Ok(None);
            }
            Event::Reached { responsible }
        }
    };
    Ok(Some(event))
}

/// Only the office has a journal.
fn of_the_office(by: &By) -> Result<(), Rejected> {
    match by.actor.kind {
        ActorKind::Dispatcher | ActorKind::Office | ActorKind::Program | ActorKind::Engine => Ok(()),
        ActorKind::Client | ActorKind::Driver => Err(Rejected::NotAllowed),
    }
}

fn of_the_engine(by: &By) -> Result<(), Rejected> {
    if by.actor.kind == ActorKind::Engine { Ok(()) } else { Err(Rejected::NotAllowed) }
}

fn open(contact: &Contact, wrong: Rejected) -> Result<(), Rejected> {
    if contact.state.is_open() { Ok(()) } else { Err(wrong) }
}

/// What has a responsible person is that person's, and a supervisor's.
fn own(contact: &Contact, doer: &Doer<'_>) -> Result<(), Rejected> {
    match contact.responsible {
        Some(person) if !doer.is_person(person) && !doer.is_over_others() => Err(Rejected::NotYours),
        Some(_) | None => Ok(()),
    }
}

/// Who has it after taking it: the first who takes wins.
fn taker(contact: &Contact, doer: &Doer<'_>, wrong: Rejected) -> Result<Person, Rejected> {
    // A program sees to nobody; it can hand a contact to a person.
    let person = *doer.is.first().ok_or(Rejected::NotAllowed)?;
    match contact.state {
        State::New | State::Waiting => own(contact, doer).map(|()| person),
        State::InWork if contact.responsible.is_some_and(|other| doer.is_person(other)) => Err(Rejected::NothingToDo),
        State::InWork => Err(Rejected::TakenAlready),
        State::Done | State::Ignored => Err(wrong),
    }
}

fn edit(contact: &Contact, details: Vec<Detail>) -> Result<Option<Event>, Rejected> {
    let mut changes: Vec<Change> = Vec::new();
    for detail in details {
        let after = match detail {
            Detail::Phone(phone) => Detail::Phone(number(&phone)?),
            Detail::Description(text) => {
                limit::check("description", &text, LONG)?;
                Detail::Description(text.trim().to_owned())
            }
            Detail::Comment(text) => {
                limit::check("comment", &text, LONG)?;
                Detail::Comment(text.trim().to_owned())
            }
            other @ (Detail::Purpose(_) | Detail::Client(_)) => other,
        };
        let before = contact.detail_like(&after);
        if before != after {
            changes.push(Change { before, after });
        }
    }
    Ok((!changes.is_empty()).then_some(Event::Edited { changes }))
}

/// A number in the form in which it is kept; empty where there is none.
fn number(phone: &str) -> Result<String, Rejected> {
    limit::check("phone", phone, SHORT)?;
    let read = Phone::parse(phone).as_str().to_owned();
    if read.is_empty() && !phone.trim().is_empty() {
        return Err(Rejected::Field { field: "phone", problem: Problem::NotAPhone });
    }
    Ok(read)
}
