//! Calling clients back: who is called when, and how each attempt goes until a person is on the line.
//!
//! - [`request`]: what a client is to be called for, and how that ends
//! - `schedule`: who is next
//! - [`attempt`]: one attempt, and what its end means
//!
//! From the answer of a person on, a call has the line; what it tells comes back as `Callbacks::delivered`.

pub mod attempt;
mod calling;
pub mod request;
mod schedule;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use attempt::{Attempt, Outcome, Stage};
use request::{About, CallbackEnd, CallbackRequest, KeptPlace};
use schedule::Schedule;

use crate::domain::ids::{ClientId, OrderId};

use super::command::{AriRequest, Fact, HangUpCause};
use super::event::CallerCard;
use super::ids::{CallId, CallbackId};
use super::shared::{Shared, Tiding};
use super::time::Instant;
use super::timers::Owner;

/// Callbacks that become due in one event: the work of an event stays bounded however many are due at once.
const AT_ONCE: usize = 256;
/// From the answer to the dialplan's word on who it is: longer than `AMD()` takes at most.
const SCREENING: Duration = Duration::from_secs(15);
/// Before the first sign of life of the far phone; then the ring time begins.
const SETTING_UP: Duration = Duration::from_secs(20);
/// How long Asterisk itself lets a phone ring after the core's deadline: a net under the core, never the rule.
const NET: Duration = Duration::from_secs(10);
/// Before the next attempt when this one came to nothing by no fault of the client's.
const INTERRUPTED: Duration = Duration::from_secs(5);
/// Between two looks at the clock while the hours do not allow a call.
const QUIET: Duration = Duration::from_secs(300);

/// What a person who has answered is to be told.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub number: String,
    pub about: About,
    pub language: Option<crate::speech::Language>,
    /// What the office knows of the client now, where that came in time.
    pub card: Option<CallerCard>,
}

/// A call that is going on, and with whom.
#[derive(Clone, Debug, Default)]
struct Occupied {
    number: String,
    client: Option<ClientId>,
    /// The client rang in, or has been told already: was not called by this one in vain.
    reached: bool,
}

/// All callbacks, and the attempts in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct Callbacks {
    schedule: Schedule,
    attempts: BTreeMap<CallId, Attempt>,
    cards: BTreeMap<CallId, CallerCard>,
    occupied: BTreeMap<CallId, Occupied>,
    /// Outgoing calls that were taken up from a former engine, told already: they take lines.
    taken_up: BTreeSet<CallId>,
    /// When the next wake-up is.
    armed: Option<Instant>,
}

impl Callbacks {
    // ---- what is wanted

    /// A client is to be called. Of one order the newest counts: what is pending for it is superseded, and an attempt
    /// that has not been answered yet tells the new state.
    pub fn requested(&mut self, core: &mut Shared, request: CallbackRequest) {
        let id = request.id;
        let older: Vec<CallbackId> = match request.order() {
            Some(order) => self.schedule.of_order(order).into_iter().filter(|other| *other < id).collect(),
            None => Vec::new(),
        };
        let settings = &core.settings.callback;
        // A clock that was set does no harm: nobody waits longer than from one attempt to the next.
        let until = u64::try_from(request.due.0.saturating_sub(core.now.wall.0)).unwrap_or(0);
        let due = core.now.mono + Duration::from_millis(until).min(settings.interval);
        let exhausted = request.attempts >= settings.attempts;
        if request.place().is_some() {
            // Is called anyway.
            self.found_again(core, &request.number, request.client);
        }
        if let About::Order { order, .. } = &request.about {
            self.order_changed(order);
        }
        self.schedule.add(request, due);
        for other in older {
            match self.schedule.flying(other).filter(|attempt| self.is_unanswered(*attempt)) {
                Some(attempt) => {
                    self.schedule.fly(id, attempt);
                    if let Some(attempt) = self.attempts.get_mut(&attempt) {
                        attempt.callback = id;
                    }
                    self.end(core, other, CallbackEnd::Superseded);
                }
                // Being told right now: what is new follows.
                None if self.schedule.flying(other).is_some() => {}
                None => self.end(core, other, CallbackEnd::Superseded),
            }
        }
        if exhausted && self.schedule.flying(id).is_none() {
            self.end(core, id, CallbackEnd::Exhausted);
        }
        self.arm(core);
    }

    fn is_unanswered(&self, attempt: CallId) -> bool {
        self.attempts.get(&attempt).is_some_and(|attempt| match attempt.stage {
            Stage::Dialling | Stage::Ringing | Stage::Screening => true,
            Stage::Talking | Stage::Ending(_) => false,
        })
    }

    /// It is not wanted any more. A talk that has begun goes on.
    pub fn cancelled(&mut self, core: &mut Shared, id: CallbackId) {
        let flying = self.schedule.flying(id);
        if self.schedule.remove(id).is_some_and(|request| request.place().is_some()) {
            core.tidings.push_back(Tiding::PlaceOver(id));
        }
        if let Some(attempt) = flying {
            self.give_up(core, attempt);
        }
    }

    /// Nobody is to be called by this attempt any more, unless it was answered.
    pub fn give_up(&mut self, core: &mut Shared, attempt: CallId) {
        if self.is_unanswered(attempt) {
            self.hang_up(core, attempt, Outcome::GivenUp);
        }
    }

    fn end(&mut self, core: &mut Shared, id: CallbackId, end: CallbackEnd) {
        if let Some(request) = self.schedule.remove(id) {
            let at = core.now.wall;
            if request.place().is_some() {
                core.tidings.push_back(Tiding::PlaceOver(id));
            }
            let waited = u64::try_from(at.0.saturating_sub(request.created.0)).unwrap_or(0);
            let (about, waited) = (request.reason(), Duration::from_millis(waited));
            core.persist(Fact::CallbackEnded { callback: id, end, about, waited, at });
        }
    }

    /// The client heard how this order stands: nothing that is pending for it need be told.
    pub fn heard(&mut self, core: &mut Shared, order: OrderId) {
        for id in self.schedule.of_order(order) {
            let flying = self.schedule.flying(id);
            if flying.is_none_or(|attempt| self.is_unanswered(attempt)) {
                self.end(core, id, CallbackEnd::Superseded);
                if let Some(attempt) = flying {
                    self.give_up(core, attempt);
                }
            }
        }
    }

    // ---- kept places

    /// The kept place of this callback.
    pub fn kept(&self, id: CallbackId) -> Option<&KeptPlace> {
        self.schedule.get(id).and_then(CallbackRequest::place)
    }

    /// Whom this callback is for.
    pub fn request(&self, id: CallbackId) -> Option<&CallbackRequest> {
        self.schedule.get(id)
    }

    /// The place that is kept for who has this number, or is this client.
    pub fn place_of(&self, number: &str, client: Option<ClientId>) -> Option<CallbackId> {
        self.schedule.place_of(number, client)
    }

    /// The next kept place of which it changed whether its client may be called now.
    pub fn moved(&mut self) -> Option<CallbackId> {
        self.schedule.moved()
    }

    /// The client of this kept place may be called now.
    pub fn is_callable(&self, id: CallbackId) -> bool {
        self.schedule.is_callable(id)
    }

    /// The attempt in flight for it.
    pub fn attempt_of(&self, id: CallbackId) -> Option<CallId> {
        self.schedule.flying(id)
    }

    /// The callback that this attempt is for.
    pub fn callback_of(&self, attempt: CallId) -> Option<CallbackId> {
        self.attempts.get(&attempt).map(|attempt| attempt.callback)
    }

    /// The client's phone is being rung by this attempt, and nobody has answered.
    pub fn is_ringing(&self, attempt: CallId) -> bool {
        self.attempts.get(&attempt).is_some_and(|attempt| match attempt.stage {
            Stage::Dialling | Stage::Ringing => true,
            Stage::Screening | Stage::Talking | Stage::Ending(_) => false,
        })
    }

    /// The client came to the queue by another way, and has the place.
    pub fn reclaimed(&mut self, core: &mut Shared, id: CallbackId) {
        let flying = self.schedule.flying(id);
        self.end(core, id, CallbackEnd::Superseded);
        flying.into_iter().for_each(|attempt| self.give_up(core, attempt));
    }

    // ---- who is on the line

    /// A call with this number has begun that is no attempt: the client is not called meanwhile.
    pub fn rang_in(&mut self, core: &mut Shared, call: CallId, number: &str) {
        if !number.is_empty() {
            self.found_again(core, number, None);
            self.occupy(core, call, Occupied { number: number.to_owned(), client: None, reached: true });
        }
    }

    /// This number is called for an agent: nobody else calls it meanwhile.
    pub fn called(&mut self, core: &mut Shared, call: CallId, number: &str) {
        self.occupy(core, call, Occupied { number: number.to_owned(), client: None, reached: false });
    }

    /// A call with this number is going on, in whichever direction.
    pub fn is_on_the_line(&self, number: &str) -> bool {
        !self.schedule.flying_to(number, None).is_empty()
    }

    /// A call with this number is going on beside this one.
    pub fn talks_with(&self, number: &str, beside: CallId) -> bool {
        self.schedule.flying_to(number, None).iter().any(|call| *call != beside)
    }

    /// A call with this number was taken up that a former engine made, and that has been told.
    pub fn taken_up(&mut self, core: &mut Shared, call: CallId, number: &str) {
        self.taken_up.insert(call);
        self.rang_in(core, call, number);
    }

    /// A caller who was lost rang in again, or was reached: need not be called for that.
    fn found_again(&mut self, core: &mut Shared, number: &str, client: Option<ClientId>) {
        for id in self.schedule.lost_of(number, client) {
            let flying = self.schedule.flying(id);
            if flying.is_none_or(|attempt| self.is_unanswered(attempt)) {
                self.end(core, id, CallbackEnd::Superseded);
                flying.into_iter().for_each(|attempt| self.give_up(core, attempt));
            }
        }
    }

    /// It is known whose call that is.
    pub fn known(&mut self, core: &mut Shared, call: CallId, client: ClientId) {
        if let Some(occupied) = self.occupied.get(&call).filter(|occupied| occupied.client.is_none()).cloned() {
            if occupied.reached {
                self.found_again(core, &occupied.number, Some(client));
            }
            self.occupy(core, call, Occupied { client: Some(client), ..occupied });
        }
    }

    fn occupy(&mut self, core: &mut Shared, call: CallId, with: Occupied) {
        for attempt in self.schedule.flying_to(&with.number, with.client) {
            if attempt != call {
                self.give_up(core, attempt);
            }
        }
        self.schedule.occupy(call, &with.number, with.client);
        self.occupied.insert(call, with);
    }

    fn vacate(&mut self, call: CallId) {
        if let Some(with) = self.occupied.remove(&call) {
            self.schedule.free(call, &with.number, with.client);
        }
    }
    // ---- time

    /// One wake-up at a time: however many attempts end, there is one for the first that becomes due.
    fn arm(&mut self, core: &mut Shared) {
        if let Some(due) = self.schedule.next_due().filter(|due| self.armed.is_none_or(|armed| *due < armed)) {
            self.armed = Some(due);
            core.timers.arm(due, Owner::Callbacks, "callback");
        }
    }

    /// Callbacks whose time has come are put in line.
    pub fn wake(&mut self, core: &mut Shared) {
        self.armed = self.armed.filter(|armed| *armed > core.now.mono);
        let settings = &core.settings;
        let open = settings.callback.hours.open(core.now.wall, settings.utc_offset_minutes);
        for _ in 0..AT_ONCE {
            let Some(id) = self.schedule.due(core.now.mono) else { break };
            let Some(request) = self.schedule.get(id) else { break };
            let (due, attempts) = (request.due, request.attempts);
            let left = request.not_before.map_or(0, |at| at.0.saturating_sub(core.now.wall.0).max(0));
            if left == 0 && (open || request.is_pressing()) {
                self.schedule.admit(id);
            } else {
                // The clock may be set meanwhile: it is looked at again from time to time.
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
                let pause = if left.is_zero() { QUIET } else { left.min(QUIET) };
                self.schedule.postpone(id, core.now.mono + pause, due, attempts);
            }
        }
        self.arm(core);
    }

    /// A stage of an attempt lasts too long.
    pub fn wake_attempt(&mut self, core: &mut Shared, id: CallId) {
        let Some(attempt) = self.attempts.get(&id) else { return };
        // While Asterisk cannot be heard nothing can be said to be late; the snapshot at reconnection decides.
        if attempt.due.is_none_or(|due| due > core.now.mono) || !core.node_up(attempt.node) {
            return;
        }
        match attempt.stage {
            Stage::Dialling => self.hang_up(core, id, Outcome::Unreachable),
            Stage::Ringing => self.hang_up(core, id, Outcome::NoAnswer),
            Stage::Screening => self.hang_up(core, id, Outcome::Interrupted),
            Stage::Talking => {}
            Stage::Ending(outcome) if attempt.hang_ups < 3 => self.hang_up(core, id, outcome),
            Stage::Ending(_) => {
                core.alarm(
                    id,
                    "the channel of an attempt did not end after 3 requests; the attempt is closed".to_owned(),
                );
                let request = AriRequest::HangUp { channel: attempt.channel.clone(), cause: HangUpCause::Normal };
                core.ask_later(attempt.node, id, request);
                self.gone(core, id, 0);
            }
        }
    }
}
