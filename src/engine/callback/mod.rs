//! Calling clients back: who is called when, and how each attempt goes until a person is on the line.
//!
//! - [`request`]: what a client is to be called for, and how that ends
//! - `schedule`: who is next
//! - [`attempt`]: one attempt, and what its end means
//!
//! From the answer of a person on, a call has the line; what it tells comes back as `Callbacks::delivered`.

pub mod attempt;
pub mod request;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use attempt::{Attempt, Outcome, Stage, memo, read_memo};
use request::{About, CallbackEnd, CallbackRequest};
use schedule::Schedule;

use crate::domain::ids::{ClientId, OrderId};

use super::command::{AriRequest, Command, Fact, HangUpCause};
use super::event::{Answered, CallerCard, CallerOrder, ChannelSnapshot, Origin, Refusal, spans};
use super::ids::{CallId, CallbackId, NodeId};
use super::shared::{Shared, recording_name};
use super::time::{Instant, Wall};
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
        self.schedule.remove(id);
        if let Some(attempt) = flying {
            self.give_up(core, attempt);
        }
    }

    fn give_up(&mut self, core: &mut Shared, attempt: CallId) {
        if self.is_unanswered(attempt) {
            self.hang_up(core, attempt, Outcome::GivenUp);
        }
    }

    fn end(&mut self, core: &mut Shared, id: CallbackId, end: CallbackEnd) {
        if let Some(request) = self.schedule.remove(id) {
            let at = core.now.wall;
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

    // ---- who is on the line

    /// A call with this number has begun that is no attempt: the client is not called meanwhile.
    pub fn rang_in(&mut self, core: &mut Shared, call: CallId, number: &str) {
        if !number.is_empty() {
            self.found_again(core, number);
            self.occupy(core, call, Occupied { number: number.to_owned(), client: None });
        }
    }

    /// A call with this number was taken up that a former engine made, and that has been told.
    pub fn taken_up(&mut self, core: &mut Shared, call: CallId, number: &str) {
        self.taken_up.insert(call);
        self.rang_in(core, call, number);
    }

    /// A caller who was lost rang in again, or was reached: need not be called for that.
    fn found_again(&mut self, core: &mut Shared, number: &str) {
        for id in self.schedule.lost_of(number) {
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

    // ---- calling

    /// Somebody can be called now.
    pub fn may_dial(&self, core: &Shared) -> bool {
        self.schedule.has_ready()
            && core.settings.callback.enabled
            && core.settings.trunk.is_some()
            && self.attempts.len() + self.taken_up.len() < core.settings.callback.lines
            && core.first_node().is_some()
    }

    /// Calls the next one; `id` is the attempt's and that of the call that may come of it.
    pub fn dial(&mut self, core: &mut Shared, id: CallId) {
        let Some(node) = core.first_node() else { return };
        let Some(request) = self.schedule.start(id) else { return };
        let (callback, number, client) = (request.id, request.number.clone(), request.client);
        self.occupied.insert(id, Occupied { number: number.clone(), client });
        let mut attempt = Attempt::new(id, callback, node);
        core.persist(Fact::AttemptStarted { callback, attempt: id, at: core.now.wall });
        let Some(dial) = core.settings.outside(&number) else {
            self.conclude(core, id, &attempt, Outcome::NotAllowed, 0);
            return;
        };
        let due = core.now.mono + SETTING_UP;
        attempt.due = Some(due);
        core.arm(id, due, "attempt");
        core.out.push_back(Command::LoadCaller { call: id, number: number.clone() });
        let request = AriRequest::Dial {
            channel: attempt.channel.clone(),
            dial,
            number,
            show_number: core.settings.callback.show_number.clone(),
            memo: memo(callback),
            time_out: core.settings.callback.ring_time + SETTING_UP + NET,
        };
        self.attempts.insert(id, attempt);
        core.ari(node, id, request);
    }

    /// This is an attempt that no call has yet.
    pub fn has(&self, id: CallId) -> bool {
        self.attempts.get(&id).is_some_and(|attempt| attempt.stage != Stage::Talking)
    }

    /// What the office knows of the client who is being called.
    pub fn card_loaded(&mut self, id: CallId, card: CallerCard) {
        if self.attempts.contains_key(&id) {
            self.cards.insert(id, card);
        }
    }

    /// An order changed: a client who is being called hears how it stands at the answer.
    pub fn order_changed(&mut self, order: &CallerOrder) {
        for card in self.cards.values_mut() {
            if card.orders.iter().any(|known| known.order == order.order) {
                let known = card.orders.iter().cloned();
                card.orders =
                    known.map(|known| if known.order == order.order { order.clone() } else { known }).collect();
            }
        }
    }

    /// The network plays something; that is no answer, and no ringing either.
    pub fn progresses(&mut self, core: &mut Shared, id: CallId) {
        if let Some(attempt) = self.attempts.get_mut(&id).filter(|attempt| attempt.stage == Stage::Dialling) {
            attempt.early_media = true;
        }
        self.starts_ringing(core, id);
    }

    /// The far phone rings.
    pub fn rings(&mut self, core: &mut Shared, id: CallId) {
        if let Some(attempt) = self.attempts.get_mut(&id) {
            attempt.early_media = false;
        }
        self.starts_ringing(core, id);
    }

    fn starts_ringing(&mut self, core: &mut Shared, id: CallId) {
        let Some(attempt) = self.attempts.get_mut(&id).filter(|attempt| attempt.stage == Stage::Dialling) else {
            return;
        };
        attempt.stage = Stage::Ringing;
        let due = core.now.mono + core.settings.callback.ring_time;
        attempt.due = Some(due);
        core.arm(id, due, "attempt");
    }

    /// Answered: by whom?
    pub fn answers(&mut self, core: &mut Shared, id: CallId) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        match attempt.stage {
            Stage::Dialling | Stage::Ringing => {}
            Stage::Screening | Stage::Talking | Stage::Ending(_) => return,
        }
        attempt.stage = Stage::Screening;
        let due = core.now.mono + SCREENING;
        attempt.due = Some(due);
        let (node, channel) = (attempt.node, attempt.channel.clone());
        core.arm(id, due, "attempt");
        core.ari(node, id, AriRequest::Screen { channel, attempt: id });
    }

    /// The dialplan knows who answered. What is to be told, if it is a person and there is something to tell.
    pub fn screened(&mut self, core: &mut Shared, id: CallId, answered: Answered) -> Option<Errand> {
        let attempt = self.attempts.get_mut(&id)?;
        match attempt.stage {
            Stage::Dialling | Stage::Ringing | Stage::Screening => {}
            Stage::Talking | Stage::Ending(_) => return None,
        }
        let callback = attempt.callback;
        if answered == Answered::Machine {
            self.hang_up(core, id, Outcome::Machine);
            return None;
        }
        let card = self.cards.remove(&id);
        let Some(request) = self.schedule.get(callback) else {
            attempt.armed = true;
            self.hang_up(core, id, Outcome::GivenUp);
            return None;
        };
        let known =
            card.as_ref().and_then(|card| card.orders.iter().find(|order| Some(order.order) == request.order()));
        if known.is_some_and(|order| !request.still_tells(order.state)) {
            attempt.armed = true;
            self.end(core, callback, CallbackEnd::Superseded);
            self.hang_up(core, id, Outcome::GivenUp);
            return None;
        }
        let errand =
            Errand { number: request.number.clone(), about: request.about.clone(), language: request.language, card };
        if let Some(attempt) = self.attempts.get_mut(&id) {
            attempt.stage = Stage::Talking;
            attempt.due = None;
        }
        Some(errand)
    }

    /// The person on the line heard what there is to tell, or pressed a key.
    pub fn delivered(&mut self, core: &mut Shared, id: CallId) {
        if let Some(attempt) = self.attempts.get_mut(&id).filter(|attempt| !attempt.delivered) {
            attempt.delivered = true;
            let callback = attempt.callback;
            self.end(core, callback, CallbackEnd::Delivered);
            if let Some(number) = self.occupied.get(&id).map(|with| with.number.clone()) {
                self.found_again(core, &number);
            }
        }
    }

    /// A call is over and forgotten: that of an attempt, or any other. `lost`: nobody knows how it ended.
    pub fn call_over(&mut self, core: &mut Shared, id: CallId, lost: bool) {
        match self.attempts.remove(&id) {
            Some(attempt) => {
                let outcome = match (attempt.delivered, lost) {
                    (true, _) => Outcome::Delivered,
                    (false, true) => Outcome::Interrupted,
                    (false, false) => Outcome::HungUp,
                };
                self.conclude(core, id, &attempt, outcome, 16);
            }
            None => {
                self.taken_up.remove(&id);
                self.vacate(id);
            }
        }
    }

    /// The channel of an attempt is gone before a call had it.
    pub fn gone(&mut self, core: &mut Shared, id: CallId, cause: u16) {
        if !self.has(id) {
            return;
        }
        let Some(attempt) = self.attempts.remove(&id) else { return };
        let outcome = match attempt.stage {
            Stage::Dialling => Outcome::of_cause(cause, false),
            // The operator said that the phone is switched off or out of reach.
            Stage::Ringing if attempt.early_media => match Outcome::of_cause(cause, false) {
                Outcome::NoAnswer => Outcome::Unreachable,
                other => other,
            },
            Stage::Ringing => Outcome::of_cause(cause, true),
            Stage::Screening | Stage::Talking => Outcome::HungUp,
            Stage::Ending(outcome) => outcome,
        };
        self.conclude(core, id, &attempt, outcome, cause);
    }

    fn hang_up(&mut self, core: &mut Shared, id: CallId, outcome: Outcome) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        attempt.stage = Stage::Ending(outcome);
        attempt.hang_ups += 1;
        let due = core.now.mono + spans::RELEASE;
        attempt.due = Some(due);
        let (node, channel) = (attempt.node, attempt.channel.clone());
        core.arm(id, due, "attempt");
        core.ari(node, id, AriRequest::HangUp { channel, cause: HangUpCause::Normal });
    }

    /// An attempt is over: what now?
    fn conclude(&mut self, core: &mut Shared, id: CallId, attempt: &Attempt, outcome: Outcome, cause: u16) {
        self.cards.remove(&id);
        if attempt.armed
            && let Some(with) = self.occupied.get(&id)
        {
            let name = recording_name(&attempt.channel, &with.number);
            let (node, talked) = (attempt.node, Duration::ZERO);
            core.out.push_back(Command::CollectRecording { node, call: id, name, talked, gone: true });
        }
        self.vacate(id);
        let (callback, at) = (attempt.callback, core.now.wall);
        let settings = &core.settings.callback;
        let wanted = self.schedule.get(callback);
        let made = wanted.map_or(0, |request| request.attempts);
        let about = wanted.map_or("taken_back", CallbackRequest::reason);
        let attempts = made.saturating_add(u8::from(outcome.counts()));
        let exhausted = outcome.is_final() || attempts >= settings.attempts;
        let pause =
            if outcome == Outcome::Interrupted { INTERRUPTED.min(settings.interval) } else { settings.interval };
        let pending = self.schedule.flying(callback) == Some(id);
        let due = if pending && !exhausted { Wall(at.0.saturating_add(millis(pause))) } else { at };
        core.persist(Fact::AttemptEnded { callback, attempt: id, about, outcome, cause, attempts, due, at });
        if !pending {
            return;
        }
        if exhausted {
            let end = if outcome == Outcome::Delivered { CallbackEnd::Delivered } else { CallbackEnd::Exhausted };
            self.end(core, callback, end);
        } else {
            self.schedule.postpone(callback, core.now.mono + pause, due, attempts);
            self.arm(core);
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

    // ---- Asterisk's trouble

    /// Asterisk did not do what was asked for an attempt.
    pub fn refused(&mut self, core: &mut Shared, id: CallId, request: &AriRequest, why: &Refusal) {
        match (request, why) {
            (AriRequest::Dial { .. }, Refusal::Unprocessable(_) | Refusal::NotFound) => {
                // The trunk cannot be dialled: nothing was made.
                self.decide(id, Outcome::Congestion);
                self.gone(core, id, 0);
            }
            (AriRequest::Dial { .. }, Refusal::Unreachable) => {
                self.decide(id, Outcome::Interrupted);
                self.gone(core, id, 0);
            }
            (AriRequest::Dial { .. }, Refusal::Conflict | Refusal::Failed(_) | Refusal::TimedOut) => {
                self.hang_up_unless_ending(core, id, Outcome::Interrupted);
            }
            (AriRequest::Screen { .. } | AriRequest::HangUp { .. }, Refusal::NotFound) => self.gone(core, id, 0),
            // In the dialplan already.
            (AriRequest::Screen { .. }, Refusal::Conflict) => {}
            (AriRequest::Screen { .. }, _) => self.hang_up_unless_ending(core, id, Outcome::Interrupted),
            _ => {}
        }
    }

    fn decide(&mut self, id: CallId, outcome: Outcome) {
        if let Some(attempt) = self.attempts.get_mut(&id)
            && !matches!(attempt.stage, Stage::Ending(_))
        {
            attempt.stage = Stage::Ending(outcome);
        }
    }

    fn hang_up_unless_ending(&mut self, core: &mut Shared, id: CallId, outcome: Outcome) {
        if self.is_unanswered(id) {
            self.hang_up(core, id, outcome);
        }
    }

    /// Brings the attempts of a node into line with what stands there. Those that a call has are the call's.
    pub fn reconcile(&mut self, core: &mut Shared, node: NodeId, found: &BTreeMap<CallId, &ChannelSnapshot>) {
        let own = |(id, attempt): (&CallId, &Attempt)| {
            (attempt.node == node && attempt.stage != Stage::Talking).then_some(*id)
        };
        for id in self.attempts.iter().filter_map(own).collect::<Vec<_>>() {
            match found.get(&id) {
                None => {
                    self.decide(id, Outcome::Interrupted);
                    self.gone(core, id, 0);
                }
                Some(seen) if seen.arrival.answered => self.answers(core, id),
                Some(seen) if seen.ringing => self.rings(core, id),
                Some(_) => {}
            }
            if let Some(due) = self.attempts.get(&id).and_then(|attempt| attempt.due) {
                core.arm(id, due.max(core.now.mono + spans::RING_START), "attempt");
            }
        }
    }

    /// Takes up an attempt of a former engine. `false`: nobody wants it any more, the channel is to be ended.
    pub fn adopt(&mut self, core: &mut Shared, node: NodeId, id: CallId, seen: &ChannelSnapshot) -> bool {
        let callback = seen.arrival.memo.as_deref().and_then(read_memo);
        let Some((callback, request)) = callback.and_then(|id| Some((id, self.schedule.get(id)?.clone()))) else {
            return false;
        };
        if self.schedule.flying(callback).is_some() {
            return false;
        }
        self.schedule.fly(callback, id);
        self.occupied.insert(id, Occupied { number: request.number.clone(), client: request.client });
        let mut attempt = Attempt::new(id, callback, node);
        let due = core.now.mono + SETTING_UP;
        attempt.due = Some(due);
        self.attempts.insert(id, attempt);
        core.arm(id, due, "attempt");
        core.out.push_back(Command::LoadCaller { call: id, number: request.number });
        // Written again where the former engine wrote it: it may not have come to that.
        core.persist(Fact::AttemptStarted { callback, attempt: id, at: seen.arrival.created });
        match (&seen.arrival.origin, seen.arrival.answered) {
            // The person is waiting in the application: the engine goes on as with one who has just come in.
            (Origin::Outgoing { .. }, _) => {}
            (_, true) => self.answers(core, id),
            (_, false) => {
                if seen.ringing {
                    self.rings(core, id);
                }
            }
        }
        true
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
