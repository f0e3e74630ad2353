//! Attempts to reach clients, from dialling to their end.

use std::time::Duration;

use super::attempt::{Attempt, Outcome, Stage, memo};
use super::request::{CallbackEnd, CallbackRequest};
use super::{Callbacks, Errand, INTERRUPTED, NET, Occupied, SCREENING, SETTING_UP};
use crate::engine::command::{AriRequest, Command, Fact, HangUpCause};
use crate::engine::event::{Answered, CallerCard, CallerOrder, spans};
use crate::engine::ids::{CallId, CallbackId, NodeId};
use crate::engine::shared::{Shared, Tiding, recording_name};
use crate::engine::time::Wall;

impl Callbacks {
    // ---- calling

    /// Somebody can be called now.
    pub fn may_dial(&self, core: &Shared) -> bool {
        self.schedule.has_ready() && self.has_line(core) && core.first_node().is_some()
    }

    /// One more may be called at the same time.
    pub fn has_line(&self, core: &Shared) -> bool {
        core.settings.callback.enabled
            && core.settings.trunk.is_some()
            && self.attempts.len() + self.taken_up.len() < core.settings.callback.lines
    }

    /// Calls the next one; `id` is the attempt's and that of the call that may come of it.
    pub fn dial(&mut self, core: &mut Shared, id: CallId) {
        let Some(node) = core.first_node() else { return };
        let Some(callback) = self.schedule.start(id).map(|request| request.id) else { return };
        self.begin(core, id, callback, node);
    }

    /// Calls the client of a kept place: an agent is reserved.
    pub fn dial_place(&mut self, core: &mut Shared, id: CallId, callback: CallbackId, node: NodeId) {
        self.schedule.fly(callback, id);
        self.begin(core, id, callback, node);
    }

    fn begin(&mut self, core: &mut Shared, id: CallId, callback: CallbackId, node: NodeId) {
        let Some(request) = self.schedule.get(callback) else { return };
        let (number, client) = (request.number.clone(), request.client);
        self.occupied.insert(id, Occupied { number: number.clone(), client, reached: false });
        let mut attempt = Attempt::new(id, callback, node);
        core.persist(Fact::AttemptStarted { callback, attempt: id, at: core.now.wall });
        let Some(dial) = core.settings.outside(&number) else {
            self.conclude(core, id, &attempt, Outcome::NotAllowed, 0);
            return;
        };
        let due = core.now.mono + SETTING_UP;
        attempt.due = Some(due);
        core.arm(id, due, "attempt");
        core.out.push_back(Command::LoadCaller { call: id, number: number.clone(), rang_in: false });
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
        core.ari(node, id, AriRequest::Screen { channel, attempt: id, listen: true });
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
            attempt.about = self.schedule.get(callback).map(CallbackRequest::reason);
            self.end(core, callback, CallbackEnd::Delivered);
        }
        // Reached, whoever wanted the call.
        if let Some(with) = self.occupied.get(&id).cloned() {
            self.found_again(core, &with.number, with.client);
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

    pub(super) fn hang_up(&mut self, core: &mut Shared, id: CallId, outcome: Outcome) {
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
    pub(super) fn conclude(&mut self, core: &mut Shared, id: CallId, attempt: &Attempt, outcome: Outcome, cause: u16) {
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
        let about = wanted.map(CallbackRequest::reason).or(attempt.about).unwrap_or("taken_back");
        let attempts = made.saturating_add(u8::from(outcome.counts()));
        let exhausted = outcome.is_final() || attempts >= settings.attempts;
        // A client who was to be put through and now rings in is busy until that call is over; one whose agent went away
        // is called as soon as there is another.
        let soon = match outcome {
            Outcome::Interrupted => true,
            Outcome::GivenUp => wanted.is_some_and(|request| request.place().is_some()),
            Outcome::Delivered
            | Outcome::HungUp
            | Outcome::Machine
            | Outcome::Busy
            | Outcome::NoAnswer
            | Outcome::Rejected
            | Outcome::Unreachable
            | Outcome::Congestion
            | Outcome::NoSuchNumber
            | Outcome::NotAllowed => false,
        };
        let pause = if soon { INTERRUPTED.min(settings.interval) } else { settings.interval };
        let pending = self.schedule.flying(callback) == Some(id);
        let due = if pending && !exhausted { Wall(at.0.saturating_add(millis(pause))) } else { at };
        core.persist(Fact::AttemptEnded { callback, attempt: id, about, outcome, cause, attempts, due, at });
        core.tidings.push_back(Tiding::AttemptOver(id));
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
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
