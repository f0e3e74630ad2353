//! Places in line of clients who are called back instead of waiting: here the queues and the callbacks meet.
//!
//! A kept place stands in its line like a caller and counts in the positions of the others. When it is its turn, an agent
//! is reserved, and only then the client is called: never more clients than reserved agents. The client first, because
//! most of the time passes while the client's phone is rung over the mobile network: an agent who is only kept is free in
//! the moment in which it is known that the client does not answer, with no call to end and no after-call work. The
//! agent's phone rings when a person has answered. If that agent does not take it, the client waits on the line at the
//! old place, before all who came later.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::acd::agent::Hands;
use super::acd::queue::{Eligible, Place};
use super::acd::strategy;
use super::callback::request::{CallbackRequest, KeptPlace};
use super::command::{Command, Update};
use super::event::CallerCard;
use super::ids::{AgentId, CallId, CallbackId, NodeId, QueueId};
use super::renumbered::Renumbered;
use super::shared::{Shared, Tiding, Wish};
use super::time::Instant;
use super::view::{CallStage, CallView, Disposition};

/// One kept place.
#[derive(Clone, Debug)]
struct Kept {
    callback: CallbackId,
    number: String,
    place: KeptPlace,
    queue: QueueId,
    entered: Instant,
    card: CallerCard,
    /// Where it stands; not while its client is on the line, who stands there then.
    line: Option<(Place, Eligible)>,
    /// The attempt in flight.
    attempt: Option<CallId>,
    /// Who is kept for it.
    agent: Option<AgentId>,
    /// The client has answered: there is a call that tells the rest.
    answered: bool,
}

/// All kept places, by the call in which each was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptPlaces {
    places: BTreeMap<CallId, Kept>,
    callbacks: BTreeMap<CallbackId, CallId>,
    attempts: BTreeMap<CallId, CallId>,
    /// Those whose turn came when no line was free.
    stalled: BTreeSet<CallId>,
}

impl Kept {
    fn enter(&mut self, core: &mut Shared, eligible: Eligible) {
        let step = core.settings.priority_step;
        let priority = core.queue(self.queue).priority.saturating_add(self.place.priority);
        let place = Place::new(self.place.call, self.entered, priority, step);
        self.leave(core);
        core.line(self.queue, self.place.node).enter(place, eligible);
        self.line = Some((place, eligible));
        if eligible != Eligible::Nobody {
            core.wishes.push_back(Wish::Caller(self.place.call));
        }
    }

    fn leave(&mut self, core: &mut Shared) {
        if let Some((place, was)) = self.line.take() {
            core.line(self.queue, self.place.node).leave(place, was);
        }
    }

    fn admit(&mut self, core: &mut Shared, eligible: Eligible) {
        if let Some((place, was)) = self.line.filter(|(_, was)| *was != eligible) {
            self.line = Some((place, eligible));
            core.admit(self.queue, self.place.node, place, was, eligible);
        }
    }

    fn view(&self, core: &Shared) -> CallView {
        CallView {
            call: self.attempt.unwrap_or(self.place.call),
            node: self.place.node,
            number: self.number.clone(),
            name: self.card.name.clone(),
            note: self.card.note.clone(),
            client: self.card.client,
            blocked: self.card.blocked,
            conflict: self.card.conflict,
            orders: self.card.orders.clone(),
            choices: Vec::new(),
            dialled: String::new(),
            stage: if self.attempt.is_some() { CallStage::Calling } else { CallStage::Kept },
            queue: self.queue,
            arrived: self.place.entered,
            queued: Some(core.now.wall_of(self.entered)),
            bridged: None,
            unkept_until: None,
            agents: self.agent.into_iter().collect(),
            monitors: Vec::new(),
        }
    }
}

impl KeptPlaces {
    /// Queues are elsewhere now.
    pub fn renumber(&mut self, moved: &Renumbered) {
        self.places.values_mut().for_each(|kept| kept.queue = moved.now(kept.queue));
    }
}

impl Engine {
    /// A callback is wanted that keeps a place: it stands in line from now on.
    pub(super) fn place_wanted(&mut self, id: CallbackId) {
        let Some(request) = self.callbacks.request(id).cloned() else { return };
        let Some(place) = request.place().cloned() else { return };
        if self.kept.callbacks.contains_key(&id) {
            return;
        }
        // Its caller has not hung up: that is no place to be kept.
        let (call, flying) = (place.call, self.callbacks.attempt_of(id));
        if flying.is_none() && self.calls.get(&call).is_some_and(|call| !call.ending() && !call.keeps_place()) {
            return self.callbacks.reclaimed(&mut self.core, id);
        }
        let core = &mut self.core;
        let mut kept = Kept {
            callback: id,
            queue: core.queue_named(&place.queue),
            entered: core.now.instant_of(place.entered),
            number: request.number.clone(),
            card: CallerCard { client: request.client, ..CallerCard::default() },
            place,
            line: None,
            attempt: flying,
            agent: None,
            answered: false,
        };
        if flying.is_none() {
            kept.enter(core, Eligible::Nobody);
        }
        // Who has just asked for it is known.
        match self.calls.get(&call).filter(|call| call.number() == kept.number) {
            Some(call) => kept.card = call.card().clone(),
            None => core.out.push_back(Command::LoadCaller { call, number: request.number, rang_in: false }),
        }
        self.kept.callbacks.insert(id, call);
        self.kept.places.insert(call, kept);
        self.place_moved(id);
    }

    /// The office wrote down that a caller's place is kept, or could not.
    pub(super) fn place_kept(&mut self, call: CallId, kept: Option<CallbackRequest>) {
        match (self.calls.get_mut(&call), &kept) {
            (Some(call), Some(_)) if call.is_keeping_place() => call.place_is_kept(&mut self.core),
            (Some(call), None) if call.is_keeping_place() => call.place_is_not_kept(&mut self.core),
            (Some(_) | None, _) => {}
        }
        // One that is known keeps the older place of the same number: this caller joins it.
        if let Some(request) = kept.filter(|request| self.callbacks.request(request.id).is_none()) {
            let id = request.id;
            self.callbacks.requested(&mut self.core, request);
            self.place_wanted(id);
        }
    }

    /// The card of a client whose place is kept.
    pub(super) fn place_card(&mut self, call: CallId, card: CallerCard) {
        if let Some(kept) = self.kept.places.get_mut(&call) {
            kept.card = card;
        }
    }

    /// It may have changed whether the client of this place may be called now.
    fn place_moved(&mut self, id: CallbackId) {
        let callable = self.callbacks.is_callable(id);
        let kept = self.kept.callbacks.get(&id).and_then(|call| self.kept.places.get_mut(call));
        if let Some(kept) = kept.filter(|kept| kept.attempt.is_none()) {
            kept.admit(&mut self.core, if callable { Eligible::Anyone } else { Eligible::Nobody });
        }
    }

    /// Brings the lines into accord with what holds of the kept places.
    pub(super) fn settle_places(&mut self) {
        while let Some(id) = self.callbacks.moved() {
            self.place_moved(id);
        }
        if !self.kept.stalled.is_empty() && self.callbacks.has_line(&self.core) {
            for call in std::mem::take(&mut self.kept.stalled) {
                if let Some(id) = self.kept.places.get(&call).map(|kept| kept.callback) {
                    self.place_moved(id);
                }
            }
        }
    }

    /// The Asterisk of a kept place, and the one agent who would be reserved for it now.
    pub(super) fn place_candidate(&self, call: CallId) -> Option<(NodeId, Option<AgentId>)> {
        let kept = self.kept.places.get(&call)?;
        let open = matches!(kept.line, Some((_, Eligible::Anyone)));
        let agent = if open { self.agent_for(kept) } else { None };
        Some((kept.place.node, agent))
    }

    fn agent_for(&self, kept: &Kept) -> Option<AgentId> {
        let queue = self.core.queue(kept.queue);
        let preferred = kept.card.last_agent.filter(|_| queue.sticky);
        let free = self.core.agents.free_for(&queue, kept.place.node);
        strategy::pick(&queue, preferred, free).into_iter().next()
    }

    /// Reserves an agent for the client of a kept place and calls the client. False if that cannot be done now.
    pub(super) fn reserve(&mut self, call: CallId, agent: AgentId) -> bool {
        let attempt = self.next_call();
        let Some(kept) = self.kept.places.get_mut(&call) else { return false };
        if !matches!(kept.line, Some((_, Eligible::Anyone))) || kept.attempt.is_some() {
            return false;
        }
        if !self.callbacks.has_line(&self.core) {
            kept.admit(&mut self.core, Eligible::Nobody);
            self.kept.stalled.insert(call);
            self.core.wishes.push_back(Wish::Agent(agent));
            return false;
        }
        if !self.core.agent_reserved(agent, attempt) {
            return false;
        }
        kept.admit(&mut self.core, Eligible::Nobody);
        kept.attempt = Some(attempt);
        kept.agent = Some(agent);
        self.core.publish(Update::Call(kept.view(&self.core)));
        self.kept.attempts.insert(attempt, call);
        let (callback, node) = (kept.callback, kept.place.node);
        self.callbacks.dial_place(&mut self.core, attempt, callback, node);
        true
    }

    /// The client of a kept place has answered and stands in line; the agent who was reserved is rung.
    pub(super) fn place_answered(&mut self, attempt: CallId) {
        let Some(kept) = self.kept.attempts.get(&attempt).and_then(|call| self.kept.places.get_mut(call)) else {
            return;
        };
        kept.leave(&mut self.core);
        kept.answered = true;
        let agent = kept.agent.take();
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        let taken = agent.is_some_and(|agent| call.offer_to(&mut self.core, agent));
        call.says_put_through(&mut self.core);
        if let Some(agent) = agent.filter(|_| !taken) {
            self.unreserve(agent, attempt);
        }
    }

    fn unreserve(&mut self, agent: AgentId, attempt: CallId) {
        if self.core.agents.unreserve(agent, attempt) {
            let free = self.core.agents.get(agent).is_some_and(super::acd::agent::Agent::free);
            self.core.agent_changed(agent, free);
        }
    }

    /// An attempt is over: the agent is free at once, and the place stands in line until the next one.
    fn attempt_over(&mut self, attempt: CallId) {
        let Some(call) = self.kept.attempts.remove(&attempt) else { return };
        let Some(kept) = self.kept.places.get_mut(&call) else { return };
        let agent = kept.agent.take();
        // Where nobody answered there was no call that says so.
        if !std::mem::take(&mut kept.answered) {
            self.core.publish(Update::CallEnded { call: attempt, disposition: Disposition::Unheard });
        }
        kept.attempt = None;
        if kept.line.is_none() {
            kept.enter(&mut self.core, Eligible::Nobody);
        }
        let callback = kept.callback;
        agent.into_iter().for_each(|agent| self.unreserve(agent, attempt));
        self.place_moved(callback);
    }

    /// A place is not kept any more.
    fn place_over(&mut self, id: CallbackId) {
        let Some(call) = self.kept.callbacks.remove(&id) else { return };
        self.kept.stalled.remove(&call);
        let Some(mut kept) = self.kept.places.remove(&call) else { return };
        kept.leave(&mut self.core);
        if let Some(attempt) = kept.attempt {
            self.kept.attempts.remove(&attempt);
            if !kept.answered {
                self.core.publish(Update::CallEnded { call: attempt, disposition: Disposition::Unheard });
            }
            kept.agent.into_iter().for_each(|agent| self.unreserve(agent, attempt));
        }
    }

    /// The reserved agent does not want it, or cannot take it: another free one, or the client is not called now.
    pub(super) fn reservation_lost(&mut self, agent: AgentId) {
        let hands = self.core.agents.get(agent).map(|agent| agent.hands);
        let attempt = match hands {
            Some(Hands::Reserved(attempt)) => attempt,
            Some(
                Hands::Empty | Hands::Offered(..) | Hands::Talking(..) | Hands::Releasing(..) | Hands::Dialling(_),
            )
            | None => return,
        };
        self.unreserve(agent, attempt);
        self.reserve_another(attempt);
    }

    /// Finds a free agent for this attempt, whose own is not there any more.
    fn reserve_another(&mut self, attempt: CallId) {
        let Some(call) = self.kept.attempts.get(&attempt).copied() else { return };
        let another = self.kept.places.get(&call).and_then(|kept| self.agent_for(kept));
        let another = another.filter(|agent| self.core.agent_reserved(*agent, attempt));
        if let Some(kept) = self.kept.places.get_mut(&call) {
            kept.agent = another;
        }
        match another {
            Some(_) => {
                if let Some(kept) = self.kept.places.get(&call) {
                    self.core.publish(Update::Call(kept.view(&self.core)));
                }
            }
            None if self.callbacks.is_ringing(attempt) => self.callbacks.give_up(&mut self.core, attempt),
            // Who has answered waits on the line, at the old place.
            None => {}
        }
    }

    /// Attempts of a former engine for kept places have no agent yet.
    pub(super) fn reserve_for_adopted(&mut self, node: NodeId) {
        for (attempt, callback) in self.callbacks.unanswered_places(node) {
            let Some(call) = self.kept.callbacks.get(&callback).copied() else { continue };
            if self.kept.attempts.contains_key(&attempt) {
                continue;
            }
            self.kept.attempts.insert(attempt, call);
            if let Some(kept) = self.kept.places.get_mut(&call) {
                kept.attempt = Some(attempt);
                kept.admit(&mut self.core, Eligible::Nobody);
            }
            self.reserve_another(attempt);
        }
    }

    /// A call of a former engine with a client: that of a kept place, perhaps.
    pub(super) fn adopt_called(&mut self, node: NodeId, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let (number, talked) = (call.number().to_owned(), call.has_been_heard());
        let callback = self.callbacks.place_of(&number, None).filter(|id| self.callbacks.attempt_of(*id).is_none());
        match callback {
            Some(callback) => {
                self.callbacks.resume(&mut self.core, id, callback, node, talked);
                self.place_taken_up(callback, id);
            }
            None => self.callbacks.taken_up(&mut self.core, id, &number),
        }
    }

    /// The client of a kept place is on the line, in this call.
    pub(super) fn place_taken_up(&mut self, callback: CallbackId, attempt: CallId) {
        let Some(call) = self.kept.callbacks.get(&callback).copied() else { return };
        if let Some(kept) = self.kept.places.get_mut(&call) {
            kept.attempt = Some(attempt);
            kept.answered = true;
            kept.leave(&mut self.core);
            self.kept.attempts.insert(attempt, call);
        }
    }

    /// A caller waits in a queue whose place was kept, or who has rung in meanwhile: has that place, and is not called.
    fn reclaim(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id).filter(|call| call.waits()) else { return };
        // The very call in which it was asked for was taken up again, or its number has a place.
        let own = self.kept.places.get(&id).map(|kept| kept.callback);
        let Some(callback) = own.or_else(|| self.callbacks.place_of(call.number(), call.card().client)) else { return };
        if self.callbacks.callback_of(id) == Some(callback) {
            return;
        }
        let kept = self.kept.callbacks.get(&callback).and_then(|kept| self.kept.places.get_mut(kept));
        let better = kept.map(|kept| {
            kept.leave(&mut self.core);
            (kept.entered, kept.place.priority)
        });
        self.callbacks.reclaimed(&mut self.core, callback);
        if let (Some((entered, priority)), Some(call)) = (better, self.calls.get_mut(&id)) {
            call.takes_place(&mut self.core, entered, priority);
        }
    }

    // ---- what calls and callbacks have to tell each other

    pub(super) fn take_tidings(&mut self) {
        while let Some(tiding) = self.core.tidings.pop_front() {
            match tiding {
                Tiding::Delivered(call) => self.callbacks.delivered(&mut self.core, call),
                Tiding::Heard(order) => self.callbacks.heard(&mut self.core, order),
                Tiding::AttemptOver(attempt) => self.attempt_over(attempt),
                Tiding::PlaceOver(callback) => self.place_over(callback),
                Tiding::Queued(call) => self.reclaim(call),
            }
        }
    }

    /// A place in line is that of a client who is called back.
    pub(super) fn keeps(&self, call: CallId) -> bool {
        self.kept.places.contains_key(&call)
    }

    /// A kept place as people see it on the board of a queue.
    pub(super) fn place_view(&self, call: CallId) -> Option<CallView> {
        self.kept.places.get(&call).map(|kept| kept.view(&self.core))
    }
}
