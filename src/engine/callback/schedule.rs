//! Who is called next. Each question costs the logarithm of how many callbacks are pending, from 100 to 1,000,000.
//!
//! A number is called when its callback is due, nobody else talks with it or its client, and it is the most urgent of
//! those of whom this holds. Of one number at most one callback stands in the common line, the most urgent one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::request::{About, CallbackRequest, Urgency};
use crate::domain::ids::{ClientId, OrderId};
use crate::engine::ids::{CallId, CallbackId};
use crate::engine::time::{Instant, Wall};

/// The order of calling: by urgency, then who waits longer.
type Turn = (Urgency, Wall, CallbackId);

/// Where a pending callback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// Not due before this moment.
    Waiting(Instant),
    /// Due; stands in the line of its number.
    Due,
    /// Being attempted.
    Flying(CallId),
}

#[derive(Clone, Debug)]
struct Entry {
    request: CallbackRequest,
    number: Arc<str>,
    stand: Stand,
}

impl Entry {
    fn turn(&self) -> Turn {
        (self.request.urgency(), self.request.created, self.request.id)
    }
}

/// What is going on with one number.
#[derive(Clone, Debug, Default)]
struct Line {
    /// Calls with it, in either direction.
    busy: BTreeSet<CallId>,
    due: BTreeSet<Turn>,
    /// Which of them stands in the common line.
    offered: Option<Turn>,
    /// All pending ones.
    pending: u32,
}

/// What is going on with one client, over all numbers.
#[derive(Clone, Debug, Default)]
struct Party {
    busy: BTreeSet<CallId>,
    /// Numbers with pending callbacks, and how many.
    numbers: BTreeMap<Arc<str>, u32>,
}

/// All pending callbacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    entries: BTreeMap<CallbackId, Entry>,
    waiting: BTreeSet<(Instant, CallbackId)>,
    ready: BTreeSet<Turn>,
    lines: BTreeMap<Arc<str>, Line>,
    parties: BTreeMap<ClientId, Party>,
    orders: BTreeMap<OrderId, BTreeSet<CallbackId>>,
    /// Callers who were lost, by number.
    lost: BTreeMap<Arc<str>, BTreeSet<CallbackId>>,
    /// Kept places, by number: one of each.
    places: BTreeMap<Arc<str>, CallbackId>,
    /// Kept places of which something changed: whether the client may be called now.
    moved: VecDeque<CallbackId>,
}

impl Schedule {
    pub fn get(&self, id: CallbackId) -> Option<&CallbackRequest> {
        self.entries.get(&id).map(|entry| &entry.request)
    }

    /// The attempt in flight for it.
    pub fn flying(&self, id: CallbackId) -> Option<CallId> {
        match self.entries.get(&id)?.stand {
            Stand::Flying(attempt) => Some(attempt),
            Stand::Waiting(_) | Stand::Due => None,
        }
    }

    /// Takes a callback in, due at `due`. One that is known stays where it is if it is in flight; else the newer
    /// description counts.
    pub fn add(&mut self, request: CallbackRequest, due: Instant) {
        let id = request.id;
        if let Some(attempt) = self.flying(id) {
            // Whom it is for does not change.
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.request =
                    CallbackRequest { number: entry.request.number.clone(), client: entry.request.client, ..request };
                entry.stand = Stand::Flying(attempt);
            }
            return;
        }
        self.remove(id);
        let number = self.shared_number(&request.number);
        let line = self.lines.entry(number.clone()).or_default();
        line.pending += 1;
        if let Some(client) = request.client {
            *self.parties.entry(client).or_default().numbers.entry(number.clone()).or_default() += 1;
        }
        if let Some(order) = request.order() {
            self.orders.entry(order).or_default().insert(id);
        }
        if request.about == About::Lost {
            self.lost.entry(number.clone()).or_default().insert(id);
        }
        if request.place().is_some() {
            self.places.insert(number.clone(), id);
        }
        self.waiting.insert((due, id));
        self.entries.insert(id, Entry { request, number, stand: Stand::Waiting(due) });
    }

    /// One allocation for each number, however many callbacks it has.
    fn shared_number(&self, number: &str) -> Arc<str> {
        match self.lines.get_key_value(number) {
            Some((shared, _)) => shared.clone(),
            None => number.into(),
        }
    }

    /// Forgets a callback.
    pub fn remove(&mut self, id: CallbackId) -> Option<CallbackRequest> {
        let entry = self.entries.remove(&id)?;
        match entry.stand {
            Stand::Waiting(due) => {
                self.waiting.remove(&(due, id));
            }
            Stand::Due => {
                if let Some(line) = self.lines.get_mut(&entry.number) {
                    line.due.remove(&entry.turn());
                }
                self.refresh(&entry.number);
            }
            Stand::Flying(_) => {}
        }
        if let Some(order) = entry.request.order()
            && let Some(of_order) = self.orders.get_mut(&order)
        {
            of_order.remove(&id);
            if of_order.is_empty() {
                self.orders.remove(&order);
            }
        }
        if entry.request.about == About::Lost
            && let Some(of_number) = self.lost.get_mut(&entry.number)
        {
            of_number.remove(&id);
            if of_number.is_empty() {
                self.lost.remove(&entry.number);
            }
        }
        if self.places.get(&entry.number) == Some(&id) {
            self.places.remove(&entry.number);
        }
        if let Some(client) = entry.request.client
            && let Some(party) = self.parties.get_mut(&client)
        {
            if let Some(count) = party.numbers.get_mut(&entry.number) {
                *count -= 1;
                if *count == 0 {
                    party.numbers.remove(&entry.number);
                }
            }
            if party.numbers.is_empty() && party.busy.is_empty() {
                self.parties.remove(&client);
            }
        }
        if let Some(line) = self.lines.get_mut(&entry.number) {
            line.pending -= 1;
        }
        self.tidy(&entry.number);
        Some(entry.request)
    }

    /// When the next one becomes due.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// The next one whose time has come, if any: to be put in line with [`admit`](Self::admit) or off with
    /// [`postpone`](Self::postpone).
    pub fn due(&self, now: Instant) -> Option<CallbackId> {
        self.waiting.first().filter(|(due, _)| *due <= now).map(|(_, id)| *id)
    }

    /// It is due: stands in line from now on.
    pub fn admit(&mut self, id: CallbackId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if let Stand::Waiting(due) = entry.stand {
            self.waiting.remove(&(due, id));
            entry.stand = Stand::Due;
            let (turn, number) = (entry.turn(), entry.number.clone());
            if let Some(line) = self.lines.get_mut(&number) {
                line.due.insert(turn);
            }
            self.refresh(&number);
        }
    }

    /// Not before `due`; with so many attempts made.
    pub fn postpone(&mut self, id: CallbackId, due: Instant, due_wall: Wall, attempts: u8) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match entry.stand {
            Stand::Waiting(before) => {
                self.waiting.remove(&(before, id));
            }
            Stand::Due => {
                let (turn, number) = (entry.turn(), entry.number.clone());
                if let Some(line) = self.lines.get_mut(&number) {
                    line.due.remove(&turn);
                }
                self.refresh(&number);
            }
            Stand::Flying(_) => {}
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.stand = Stand::Waiting(due);
            entry.request.due = due_wall;
            entry.request.attempts = attempts;
            self.waiting.insert((due, id));
        }
    }

    /// Somebody may be called now.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the first who may be called now, for this attempt. The number counts as busy until [`free`](Self::free).
    pub fn start(&mut self, attempt: CallId) -> Option<&CallbackRequest> {
        let (_, _, id) = *self.ready.first()?;
        self.fly(id, attempt);
        self.get(id)
    }

    /// This attempt is for that callback.
    pub fn fly(&mut self, id: CallbackId, attempt: CallId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let (turn, number, client) = (entry.turn(), entry.number.clone(), entry.request.client);
        if let Stand::Waiting(due) = entry.stand {
            self.waiting.remove(&(due, id));
        }
        entry.stand = Stand::Flying(attempt);
        if let Some(line) = self.lines.get_mut(&number) {
            line.due.remove(&turn);
        }
        self.occupy(attempt, &number, client);
    }

    /// A call with this number and client has begun, in whichever direction.
    pub fn occupy(&mut self, call: CallId, number: &str, client: Option<ClientId>) {
        if !number.is_empty() {
            let number = self.shared_number(number);
            self.lines.entry(number.clone()).or_default().busy.insert(call);
            self.refresh(&number);
        }
        if let Some(client) = client {
            let party = self.parties.entry(client).or_default();
            party.busy.insert(call);
            let numbers: Vec<Arc<str>> = party.numbers.keys().cloned().collect();
            numbers.iter().for_each(|number| self.refresh(number));
        }
    }

    /// That call is over.
    pub fn free(&mut self, call: CallId, number: &str, client: Option<ClientId>) {
        if let Some(line) = self.lines.get_mut(number) {
            line.busy.remove(&call);
            self.refresh(&Arc::from(number));
            self.tidy(number);
        }
        if let Some(client) = client
            && let Some(party) = self.parties.get_mut(&client)
        {
            party.busy.remove(&call);
            let numbers: Vec<Arc<str>> = party.numbers.keys().cloned().collect();
            if numbers.is_empty() && party.busy.is_empty() {
                self.parties.remove(&client);
            }
            numbers.iter().for_each(|number| self.refresh(number));
        }
    }

    /// Pending ones about this order.
    pub fn of_order(&self, order: OrderId) -> Vec<CallbackId> {
        self.orders.get(&order).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// Pending ones of callers with this number, or of this client, who were lost.
    pub fn lost_of(&self, number: &str, client: Option<ClientId>) -> Vec<CallbackId> {
        let party = client.and_then(|client| self.parties.get(&client));
        let others = party.into_iter().flat_map(|party| party.numbers.keys()).map(AsRef::as_ref);
        let numbers: BTreeSet<&str> = others.chain([number]).collect();
        numbers.into_iter().filter_map(|number| self.lost.get(number)).flatten().copied().collect()
    }

    /// The place that is kept for who has this number, or is this client.
    pub fn place_of(&self, number: &str, client: Option<ClientId>) -> Option<CallbackId> {
        let of_client = || {
            let party = client.and_then(|client| self.parties.get(&client))?;
            party.numbers.keys().find_map(|number| self.places.get(number)).copied()
        };
        self.places.get(number).copied().or_else(of_client)
    }

    /// The next kept place of which it changed whether its client may be called now.
    pub fn moved(&mut self) -> Option<CallbackId> {
        self.moved.pop_front()
    }

    /// The client of this kept place may be called now: it is due, and nobody talks with the client.
    pub fn is_callable(&self, id: CallbackId) -> bool {
        let Some(entry) = self.entries.get(&id) else { return false };
        self.lines.get(&entry.number).is_some_and(|line| line.offered == Some(entry.turn()))
    }

    /// Attempts in flight to this number or client.
    pub fn flying_to(&self, number: &str, client: Option<ClientId>) -> Vec<CallId> {
        let by_number = self.lines.get(number).into_iter().flat_map(|line| &line.busy);
        let by_client = client.and_then(|client| self.parties.get(&client)).into_iter().flat_map(|party| &party.busy);
        by_number.chain(by_client).copied().collect()
    }

    /// Brings the common line into accord with what holds of a number.
    fn refresh(&mut self, number: &Arc<str>) {
        let Some(line) = self.lines.get(number) else { return };
        let free = line.busy.is_empty();
        let fits = |turn: &&Turn| {
            let client = self.entries.get(&turn.2).and_then(|entry| entry.request.client);
            client.and_then(|client| self.parties.get(&client)).is_none_or(|party| party.busy.is_empty())
        };
        let offered = line.due.first().filter(|_| free).filter(fits).copied();
        let Some(line) = self.lines.get_mut(number) else { return };
        let before = std::mem::replace(&mut line.offered, offered);
        if before != offered {
            if let Some(before) = before {
                self.ready.remove(&before);
            }
            // A kept place is called when an agent is reserved: that is for the queue to say.
            let place = |turn: &Turn| turn.0 == Urgency::Place;
            self.ready.extend(offered.filter(|turn| !place(turn)));
            self.moved.extend(before.iter().chain(&offered).filter(|turn| place(turn)).map(|turn| turn.2));
        }
    }

    fn tidy(&mut self, number: &str) {
        if self.lines.get(number).is_some_and(|line| line.pending == 0 && line.busy.is_empty()) {
            self.lines.remove(number);
        }
    }
}

#[cfg(test)]
mod tests;
