//! What is allowed: from a command to an entry of the history, or a refusal.

use super::super::address::Address;
use super::super::fare::{Fare, Settlement};
use super::super::history::{ActorKind, By, Entry};
use super::super::limit::{self, LONG, SHORT};
use super::super::money::Kopecks;
use super::super::phone::Phone;
use super::super::rejected::{Problem, Rejected};
use super::super::time::Wall;
use super::{Action, CancelledBy, Change, Command, Create, Detail, Driver, Event, Finish, Order, Price, State, Wanted};
use crate::domain::address::Car;

/// A car is not promised for later than in a week.
const MAX_ETA_MINUTES: u16 = 7 * 24 * 60;
/// A pre-order is not taken for later than in a year.
const MAX_AHEAD_MS: i64 = 366 * 86_400_000;
/// The search for a pre-order does not begin earlier than a day before.
const MAX_LEAD_MS: i64 = 86_400_000;
/// Stops of one trip.
const MAX_STOPS: usize = 10;

/// Takes an order.
///
/// # Errors
/// [`Rejected::Blocked`], [`Rejected::NotAllowed`], [`Rejected::Field`] and those of money.
pub fn create(new: Create, by: &By, now: Wall) -> Result<(Order, Vec<Entry<Event>>), Rejected> {
    allowed(by.actor.kind, Action::Create)?;
    if new.standing.blocked {
        return Err(Rejected::Blocked);
    }
    let details = [
        Detail::Phone(new.phone),
        Detail::Passenger(new.passenger),
        Detail::From(new.from),
        Detail::To(new.to),
        Detail::Wanted(new.wanted),
        Detail::Comment(new.comment),
        Detail::Estimate(new.estimate),
    ];
    let checked = details.into_iter().map(|detail| checked(detail, now)).collect::<Result<Vec<_>, _>>()?;
    let mut event = Event::Created {
        client: new.client,
        phone: String::new(),
        passenger: String::new(),
        from: Address::default(),
        to: Vec::new(),
        wanted: Wanted::Now,
        tariff: new.tariff,
        payment: new.payment,
        comment: String::new(),
        estimate: None,
    };
    for detail in checked {
        fill(&mut event, detail);
    }
    let entry = by.entry(0, now, event);
    let order = Order::created(&entry).ok_or(Rejected::NothingToDo)?;
    Ok((order, vec![entry]))
}

/// Changes an order. No entry, and the order as it was, when the command changes nothing.
///
/// # Errors
/// [`Rejected::Stale`], [`Rejected::WrongState`], [`Rejected::Asleep`], [`Rejected::NotAllowed`],
/// [`Rejected::NothingToDo`], [`Rejected::Field`] and those of money.
pub fn handle(order: &Order, command: Command, by: &By, now: Wall) -> Result<(Order, Vec<Entry<Event>>), Rejected> {
    allowed(by.actor.kind, command.action())?;
    by.check(order.version)?;
    let Some(event) = decide(order, command, by.actor.kind, now)? else {
        return Ok((order.clone(), Vec::new()));
    };
    let entry = by.entry(order.version, now, event);
    Ok((order.clone().with(&entry), vec![entry]))
}

fn decide(order: &Order, command: Command, actor: ActorKind, now: Wall) -> Result<Option<Event>, Rejected> {
    let action = command.action();
    let only = |states: &[State]| {
        if states.contains(&order.state) { Ok(()) } else { Err(Rejected::WrongState { action, state: order.state }) }
    };
    let event = match command {
        Command::Wake => {
            only(&[State::Searching])?;
            let wake_at = order.wake_at.ok_or(Rejected::NothingToDo)?;
            // People may begin early; the engine's own alarm may not.
            if actor == ActorKind::Engine && now < wake_at {
                return Err(Rejected::Asleep { action });
            }
            Event::Woken
        }
        Command::Assign { car, driver, eta_minutes } => {
            only(&[State::Searching])?;
            let (car, driver) = crew(car, driver, eta_minutes)?;
            Event::Assigned { car, driver, eta_minutes }
        }
        Command::Reassign { car, driver, eta_minutes } => {
            only(&[State::Assigned])?;
            let (car, driver) = crew(car, driver, eta_minutes)?;
            Event::Reassigned { car, driver, eta_minutes }
        }
        Command::ChangeEta { eta_minutes } => {
            only(&[State::Assigned])?;
            check_eta(eta_minutes)?;
            Event::EtaChanged { eta_minutes }
        }
        Command::Release { reason } => {
            only(&[State::Assigned])?;
            limit::check("reason", &reason, LONG)?;
            Event::Released { reason }
        }
        Command::Arrive => {
            only(&[State::Assigned])?;
            Event::CarArrived
        }
        Command::Start => {
            only(&[State::Arrived])?;
            Event::Started
        }
        Command::Finish(finish) => {
            only(&[State::InTrip])?;
            finished(order, finish)?
        }
        Command::NoCar => {
            only(&[State::Searching])?;
            if order.is_asleep() {
                return Err(Rejected::Asleep { action });
            }
            Event::CarNotFound
        }
        Command::SearchAgain => {
            only(&[State::NotFound])?;
            Event::SearchedAgain
        }
        Command::Cancel { by, reason } => {
            // Who hears that no car was found may press 2 to cancel.
            only(&[State::Searching, State::NotFound, State::Assigned, State::Arrived])?;
            speaks_for(actor, by)?;
            limit::check("reason", &reason, LONG)?;
            Event::Cancelled { by, reason }
        }
        Command::NoShow => {
            only(&[State::Arrived])?;
            Event::ClientNoShow
        }
        Command::Edit(details) => return edited(order, details, actor, now),
    };
    Ok(Some(event))
}

/// Which commands are anybody's at all. Which order is theirs is for the shell to know.
fn allowed(actor: ActorKind, action: Action) -> Result<(), Rejected> {
    let may = match actor {
        ActorKind::Dispatcher | ActorKind::Office | ActorKind::Program | ActorKind::Engine => true,
        ActorKind::Client => match action {
            Action::Create | Action::SearchAgain | Action::Cancel | Action::Edit => true,
            Action::Wake
            | Action::Assign
            | Action::Reassign
            | Action::ChangeEta
            | Action::Release
            | Action::Arrive
            | Action::Start
            | Action::Finish
            | Action::NoCar
            | Action::NoShow => false,
        },
        ActorKind::Driver => match action {
            Action::Assign
            | Action::ChangeEta
            | Action::Release
            | Action::Arrive
            | Action::Start
            | Action::Finish
            | Action::Cancel
            | Action::NoShow => true,
            Action::Create | Action::Wake | Action::Reassign | Action::NoCar | Action::SearchAgain | Action::Edit => {
                false
            }
        },
    };
    if may { Ok(()) } else { Err(Rejected::NotAllowed) }
}

/// A client and a driver cancel in their own name only.
fn speaks_for(actor: ActorKind, by: CancelledBy) -> Result<(), Rejected> {
    let may = match actor {
        ActorKind::Client => by == CancelledBy::Client,
        ActorKind::Driver => by == CancelledBy::Driver,
        ActorKind::Dispatcher | ActorKind::Office | ActorKind::Program | ActorKind::Engine => true,
    };
    if may { Ok(()) } else { Err(Rejected::NotAllowed) }
}

fn crew(car: Car, mut driver: Driver, eta_minutes: u16) -> Result<(Car, Driver), Rejected> {
    car.check("car")?;
    driver.check()?;
    driver.phone = canonical("driver", &driver.phone)?;
    check_eta(eta_minutes)?;
    Ok((car, driver))
}

fn check_eta(minutes: u16) -> Result<(), Rejected> {
    if minutes > MAX_ETA_MINUTES {
        return Err(Rejected::Field { field: "eta_minutes", problem: Problem::OutOfRange });
    }
    Ok(())
}

fn finished(order: &Order, finish: Finish) -> Result<Event, Rejected> {
    let Finish { price, discount, funds } = finish;
    let (fare, calculation) = match price {
        Price::Calculated(calculation) => (calculation.fare()?, Some(calculation)),
        Price::Fixed(price) => (Fare::fixed(price)?, None),
    };
    let settlement = Settlement::of(fare.total, discount, order.payment, &funds)?;
    Ok(Event::Finished { fare, settlement, calculation })
}

fn edited(order: &Order, details: Vec<Detail>, actor: ActorKind, now: Wall) -> Result<Option<Event>, Rejected> {
    let mut changes: Vec<Change> = Vec::new();
    for detail in details {
        let before = order.get(&detail);
        let after = checked_if_new(&before, detail, now)?;
        changes.retain(|change| std::mem::discriminant(&change.after) != std::mem::discriminant(&after));
        if before != after {
            if !editable(&after, order.state) {
                return Err(Rejected::WrongState { action: Action::Edit, state: order.state });
            }
            if actor == ActorKind::Client && matches!(after, Detail::Estimate(_)) {
                return Err(Rejected::NotAllowed);
            }
            changes.push(Change { before, after });
        }
    }
    Ok((!changes.is_empty()).then_some(Event::Edited { changes }))
}

/// Until when something may be changed.
fn editable(detail: &Detail, state: State) -> bool {
    match detail {
        Detail::Wanted(_) => matches!(state, State::Searching),
        Detail::From(_) => matches!(state, State::Searching | State::NotFound | State::Assigned),
        Detail::Tariff(_) => !state.is_ended() && state != State::InTrip,
        Detail::Phone(_)
        | Detail::Passenger(_)
        | Detail::To(_)
        | Detail::Payment(_)
        | Detail::Comment(_)
        | Detail::Estimate(_) => !state.is_ended(),
    }
}

/// What stands there already was checked when it was new: a pre-order's time may have passed since.
fn checked_if_new(before: &Detail, detail: Detail, now: Wall) -> Result<Detail, Rejected> {
    if *before == detail { Ok(detail) } else { checked(detail, now) }
}

fn checked(detail: Detail, now: Wall) -> Result<Detail, Rejected> {
    match &detail {
        Detail::Phone(phone) => return Ok(Detail::Phone(canonical("phone", phone)?)),
        Detail::Passenger(passenger) => limit::check("passenger", passenger, SHORT)?,
        Detail::From(from) => from.check("from")?,
        Detail::To(to) => {
            limit::check_count("to", to.len(), MAX_STOPS)?;
            to.iter().try_for_each(|stop| stop.check("to"))?;
        }
        Detail::Wanted(wanted) => check_wanted(*wanted, now)?,
        Detail::Comment(comment) => limit::check("comment", comment, LONG)?,
        Detail::Estimate(estimate) => estimate.map_or(Ok(Kopecks::ZERO), Kopecks::checked).map(|_| ())?,
        Detail::Tariff(_) | Detail::Payment(_) => {}
    }
    Ok(detail)
}

fn check_wanted(wanted: Wanted, now: Wall) -> Result<(), Rejected> {
    let Wanted::At { at, lead_ms } = wanted else { return Ok(()) };
    let problem = if at <= now {
        Problem::InThePast
    } else if at > now.plus_ms(MAX_AHEAD_MS) {
        Problem::TooFarAhead
    } else if !(0..=MAX_LEAD_MS).contains(&lead_ms) {
        return Err(Rejected::Field { field: "wanted.lead_ms", problem: Problem::OutOfRange });
    } else {
        return Ok(());
    };
    Err(Rejected::Field { field: "wanted.at", problem })
}

/// The canonical form of a number; empty stays empty.
fn canonical(field: &'static str, number: &str) -> Result<String, Rejected> {
    limit::check(field, number, SHORT)?;
    if number.trim().is_empty() {
        return Ok(String::new());
    }
    Ok(Phone::entered(field, number)?.as_str().to_owned())
}

fn fill(event: &mut Event, detail: Detail) {
    let Event::Created { client: _, phone, passenger, from, to, wanted, tariff, payment, comment, estimate } = event
    else {
        return;
    };
    match detail {
        Detail::Phone(value) => *phone = value,
        Detail::Passenger(value) => *passenger = value,
        Detail::From(value) => *from = value,
        Detail::To(value) => *to = value,
        Detail::Wanted(value) => *wanted = value,
        Detail::Tariff(value) => *tariff = value,
        Detail::Payment(value) => *payment = value,
        Detail::Comment(value) => *comment = value,
        Detail::Estimate(value) => *estimate = value,
    }
}
