//! Call logic: the state machines and the one [`Engine`] that owns them.
//!
//! The contract: mutate once, then drain. [`Engine::handle`] one event with the time, then [`Engine::poll_command`]
//! until `None`, then sleep until [`Engine::poll_timeout`] or the next event. A late or spurious wake-up does nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod acd;
mod answer;
pub(crate) mod call;
pub mod callback;
pub mod command;
mod dialled;
pub mod event;
pub mod hours;
pub mod ids;
pub mod ivr;
mod kept;
mod leftover;
mod lookup;
mod orphans;
mod people;
mod renumbered;
pub mod settings;
mod shared;
pub mod time;
mod timers;
pub mod view;

use std::collections::BTreeMap;

use call::feature::FeatureCall;
use call::{Call, Found};
use callback::Callbacks;
use command::{AriRequest, Command, Fact, HangUpCause};
use dialled::Dialled;
use event::{Answered, Arrival, ChannelSnapshot, Event, NodeEvent, Origin, Refusal, Snapshot};
use ids::{AgentId, CallId, ChannelId, NodeId, Own};
use kept::KeptPlaces;
use lookup::Lookup;
use settings::Settings;
use shared::{Shared, Wish};
use time::{Instant, Now};
use timers::Owner;

/// The whole call logic: calls, agents, queues.
#[derive(Clone, Debug)]
pub struct Engine {
    core: Shared,
    calls: BTreeMap<CallId, Box<Call>>,
    features: BTreeMap<CallId, FeatureCall>,
    callbacks: Callbacks,
    kept: KeptPlaces,
    dialled: BTreeMap<CallId, Dialled>,
    /// Channels that Asterisk named; legs are found by their own id.
    channels: Lookup<ChannelId, CallId>,
    last_call: CallId,
    /// The agents' phones changed; the fallback dialplan is told.
    phones_changed: bool,
}

impl Engine {
    /// An engine without calls and agents. `last_call` is the highest call id ever used, so that none is used twice.
    #[must_use]
    pub fn new(settings: Settings, last_call: CallId) -> Engine {
        Engine {
            core: Shared::new(settings),
            calls: BTreeMap::new(),
            features: BTreeMap::new(),
            callbacks: Callbacks::default(),
            kept: KeptPlaces::default(),
            dialled: BTreeMap::new(),
            channels: Lookup::default(),
            last_call,
            phones_changed: false,
        }
    }

    /// Takes one event in. Afterwards [`poll_command`](Self::poll_command) gives what is to be done.
    pub fn handle(&mut self, event: Event, now: Now) {
        // A clock that is read on two threads may step back by a hair; the core's time does not.
        self.core.now = Now { mono: now.mono.max(self.core.now.mono), wall: now.wall };
        match event {
            Event::Wake => {}
            Event::Node(node, what) => self.node_event(node, what),
            Event::Refused { node, call, request, why } => self.refused(node, call, &request, &why),
            Event::CallerLoaded { call: id, card } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    let client = card.client;
                    call.card_loaded(&mut self.core, card);
                    client.into_iter().for_each(|client| self.callbacks.known(&mut self.core, id, client));
                } else if self.callbacks.has(id) {
                    self.callbacks.card_loaded(id, card);
                } else if self.dialled_card(id, &card) {
                    card.client.into_iter().for_each(|client| self.callbacks.known(&mut self.core, id, client));
                } else {
                    self.place_card(id, card);
                }
            }
            Event::PlaceKept { call, kept } => self.place_kept(call, kept.map(|request| *request)),
            Event::CallbackRequested(request) => {
                let id = request.id;
                self.callbacks.requested(&mut self.core, *request);
                self.place_wanted(id);
            }
            Event::CallbackCancelled(id) => self.callbacks.cancelled(&mut self.core, id),
            Event::SearchedAgain { call, order, result } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.searched_again(&mut self.core, order, result);
                }
            }
            Event::OrderCancelled { call, order, result } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.order_cancelled(&mut self.core, order, result);
                }
            }
            Event::OrderChanged { client, order } => {
                self.callbacks.order_changed(&order);
                for call in self.calls.values_mut().filter(|call| call.is_of(client)) {
                    call.order_changed(&mut self.core, &order);
                }
            }
            Event::Request { id, by, what } => {
                let result = self.request(by, what);
                self.core.out.push_back(Command::Respond { request: id, result });
            }
            Event::AgentChanged(profile) => {
                let agent = profile.agent;
                let free = self.core.agents.describe(profile, self.core.now);
                self.core.count_at_work();
                self.core.agent_changed(agent, free);
                self.phones_changed = true;
            }
            Event::AgentRemoved(agent) => {
                self.reservation_lost(agent);
                if self.core.agents.remove(agent).is_some() {
                    self.core.count_at_work();
                    self.core.publish(command::Update::AgentRemoved(agent));
                    self.phones_changed = true;
                }
            }
            Event::SettingsChanged(settings) => self.settings_changed(*settings),
            Event::Greetings(greetings) => self.core.greetings = greetings,
        }
        self.wake_due();
        // What comes of one may be news for the others.
        loop {
            self.take_tidings();
            self.settle_places();
            self.match_up();
            self.call_back();
            if self.core.tidings.is_empty() && self.core.wishes.is_empty() {
                break;
            }
        }
        if std::mem::take(&mut self.phones_changed) {
            self.tell_fallback();
        }
    }

    /// The next thing to do.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.core.out.pop_front()
    }

    /// When to wake the engine at the latest with [`Event::Wake`], and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.core.timers.next()
    }

    /// Calls in progress, those that are being released included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    // ---- events of Asterisk

    fn node_event(&mut self, node: NodeId, event: NodeEvent) {
        match event {
            NodeEvent::Up(snapshot) => self.node_up(node, &snapshot),
            NodeEvent::Down => self.core.set_node(node, false),
            NodeEvent::Slow => self.core.node_is_slow(node),
            NodeEvent::Arrived(arrival) => self.arrived(node, &arrival),
            NodeEvent::Ringing(channel) => match Own::parse(channel.as_str()) {
                Some((id, own)) if self.dialled_rings(id, own) => {}
                Some((id, Own::Outgoing)) => self.callbacks.rings(&mut self.core, id),
                _ => self.on_leg(node, &channel, Call::leg_rings),
            },
            NodeEvent::Progress(channel) => match Own::parse(channel.as_str()) {
                Some((id, own)) if self.dialled_rings(id, own) => {}
                Some((id, Own::Outgoing)) => self.callbacks.progresses(&mut self.core, id),
                _ => self.on_leg(node, &channel, Call::leg_rings),
            },
            NodeEvent::Answered(channel) => match Own::parse(channel.as_str()) {
                Some((id, own)) if self.dialled_answers(id, own) => {}
                Some((id, Own::Outgoing)) => self.callbacks.answers(&mut self.core, id),
                _ => self.on_leg(node, &channel, Call::leg_answers),
            },
            NodeEvent::Gone { channel, cause } => self.gone(&channel, cause),
            NodeEvent::Left(channel) => {
                if let Some(call) = self.channels.get(&channel).and_then(|id| self.calls.get_mut(id)) {
                    call.caller_left(&mut self.core);
                }
            }
            NodeEvent::Digit { channel, digit } => {
                if let Some(call) = self.channels.get(&channel).and_then(|id| self.calls.get_mut(id)) {
                    call.key(&mut self.core, digit);
                }
            }
            NodeEvent::PlaybackEnded(playback) => {
                let Some((call, Own::Playback(_))) = Own::parse(playback.as_str()) else { return };
                if let Some(call) = self.calls.get_mut(&call) {
                    call.playback_ended(&mut self.core, playback.as_str());
                } else if let Some(feature) = self.features.get_mut(&call) {
                    feature.playback_ended(&mut self.core, playback.as_str());
                }
            }
            NodeEvent::Joined { bridge, channel } => {
                if let Some((call, _)) = Own::parse(bridge.as_str())
                    && let Some(call) = self.calls.get_mut(&call)
                {
                    call.entered(&mut self.core, &bridge, &channel);
                }
            }
            NodeEvent::Parted { bridge, channel } => {
                if let Some((call, _)) = Own::parse(bridge.as_str())
                    && let Some(call) = self.calls.get_mut(&call)
                {
                    call.parted(&mut self.core, &bridge, &channel);
                }
            }
            NodeEvent::Device { endpoint, reachable } => self.device(&endpoint, reachable, false),
            NodeEvent::Registered { endpoint } => self.device(&endpoint, true, true),
        }
    }

    fn device(&mut self, endpoint: &str, reachable: bool, says_itself: bool) {
        if let Some(agent) = self.core.agents.reach(endpoint, reachable, says_itself) {
            let free = self.core.agents.get(agent).is_some_and(acd::agent::Agent::free);
            self.core.agent_changed(agent, free);
            if !reachable {
                self.reservation_lost(agent);
            }
        }
    }

    fn arrived(&mut self, node: NodeId, arrival: &Arrival) {
        if self.channels.get(&arrival.channel).is_some() {
            return;
        }
        if let Origin::Outgoing { answered } = arrival.origin {
            return self.client_answered(node, arrival, answered, false);
        }
        if let Origin::Agent { endpoint } = &arrival.origin {
            let id = self.next_call();
            let (channel, code) = (arrival.channel.clone(), arrival.dialled.as_str());
            let feature = FeatureCall::begin(&mut self.core, id, node, channel.clone(), endpoint, code);
            self.withdraw_offers_of_unready(endpoint);
            self.channels.insert(channel, id);
            self.features.insert(id, feature);
            return;
        }
        // Never a busy tone: who cannot be served here is served by the fallback.
        if self.calls.len() >= self.core.settings.max_calls {
            let (channel, dialled) = (arrival.channel.clone(), arrival.dialled.clone());
            self.core.ari(node, CallId(0), AriRequest::ToFallback { channel, dialled });
            return;
        }
        let id = self.next_call();
        let mut call = Box::new(Call::arriving(&self.core, id, node, arrival));
        call.begin(&mut self.core);
        self.callbacks.rang_in(&mut self.core, id, call.number());
        self.channels.insert(arrival.channel.clone(), id);
        self.calls.insert(id, call);
    }

    /// A client whom the office called is on the line, or an answering machine.
    fn client_answered(&mut self, node: NodeId, arrival: &Arrival, answered: Answered, adopted: bool) {
        let Some((id, Own::Outgoing)) = Own::parse(arrival.channel.as_str()) else { return };
        if self.dialled_arrived(node, arrival, id) {
            return;
        }
        if !self.callbacks.has(id) {
            let request = AriRequest::HangUp { channel: arrival.channel.clone(), cause: HangUpCause::Normal };
            return self.core.ari(node, id, request);
        }
        if let Some(errand) = self.callbacks.screened(&mut self.core, id, answered) {
            let mut call = Box::new(Call::answered(&self.core, id, node, arrival, &errand, adopted));
            call.announce_to(&mut self.core, errand);
            self.channels.insert(arrival.channel.clone(), id);
            self.calls.insert(id, call);
            if let Some(callback) = self.callbacks.callback_of(id).filter(|_| adopted) {
                self.place_taken_up(callback, id);
            }
            self.place_answered(id);
        }
    }

    fn next_call(&mut self) -> CallId {
        self.last_call = CallId::next(self.last_call, self.core.now.wall);
        self.last_call
    }

    fn on_leg(&mut self, node: NodeId, channel: &ChannelId, step: fn(&mut Call, &mut Shared, u32)) {
        let Some((id, Own::Leg(no) | Own::Monitor(no))) = Own::parse(channel.as_str()) else { return };
        match self.calls.get_mut(&id).filter(|call| call.has_leg(no)) {
            Some(call) => step(call, &mut self.core, no),
            // Asked for, not answered in time, given up, and made after all: a phone that rings for nobody.
            None => {
                let request = AriRequest::HangUp { channel: channel.clone(), cause: HangUpCause::Normal };
                self.core.ari(node, id, request);
            }
        }
    }

    fn gone(&mut self, channel: &ChannelId, cause: u16) {
        if Own::parse(channel.as_str()).is_some_and(|(id, own)| self.dialled_gone(id, own, cause)) {
            return;
        }
        if let Some((id, Own::Leg(no) | Own::Monitor(no))) = Own::parse(channel.as_str()) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.leg_gone(&mut self.core, no, cause);
            }
            self.bury_if_over(id);
        } else if let Some((id, Own::Snoop(number))) = Own::parse(channel.as_str()) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.snoop_gone(&mut self.core, number);
            }
        } else if let Some((id, Own::Outgoing)) = Own::parse(channel.as_str())
            && self.callbacks.has(id)
        {
            self.callbacks.gone(&mut self.core, id, cause);
        } else if let Some(id) = self.channels.remove(channel) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.caller_gone(&mut self.core, cause);
            }
            if let Some(feature) = self.features.remove(&id) {
                feature.gone(&mut self.core);
            }
            self.bury_if_over(id);
        }
    }

    fn refused(&mut self, node: NodeId, id: CallId, request: &AriRequest, why: &Refusal) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.refused(&mut self.core, request, why);
            self.bury_if_over(id);
        } else if let Some(feature) = self.features.get_mut(&id)
            && feature.refused(&mut self.core, request, why)
        {
            self.drop_feature(id);
        } else if self.callbacks.has(id) {
            self.callbacks.refused(&mut self.core, id, request, why);
        } else if self.dialled.contains_key(&id) {
            self.dialled_refused(id, request, why);
        } else if leftover::worth_repeating(request, why) {
            self.core.ask_later(node, id, request.clone());
        } else if let (AriRequest::CreateBridge(bridge, _), Refusal::TimedOut) = (request, why) {
            self.core.ask_later(node, id, AriRequest::DestroyBridge(bridge.clone()));
        }
    }

    fn drop_feature(&mut self, id: CallId) {
        if let Some(feature) = self.features.remove(&id) {
            self.channels.remove(&feature.channel);
            feature.gone(&mut self.core);
        }
    }

    fn bury_if_over(&mut self, id: CallId) {
        if self.calls.get(&id).is_some_and(|call| call.over())
            && let Some(call) = self.calls.remove(&id)
        {
            self.channels.remove(call.channel());
            call::bury(&call, &mut self.core);
            self.take_tidings();
            self.callbacks.call_over(&mut self.core, id, call.was_lost());
        }
    }

    // ---- (re)connection

    fn node_up(&mut self, node: NodeId, snapshot: &Snapshot) {
        self.core.set_node(node, true);
        for (endpoint, reachable) in &snapshot.devices {
            self.device(endpoint, *reachable, false);
        }
        let found = Found::sort(snapshot);
        let known: Vec<CallId> = self.calls.values().filter(|call| call.node == node).map(|call| call.id).collect();
        for id in known {
            if let Some(call) = self.calls.get_mut(&id) {
                call.reconcile(&mut self.core, &found);
            }
            self.bury_if_over(id);
        }
        let features: Vec<CallId> =
            self.features.values().filter(|call| call.node == node).map(|call| call.id).collect();
        for id in features {
            if self.features.get(&id).is_some_and(|call| !found.foreign.contains_key(call.channel.as_str())) {
                self.drop_feature(id);
            }
        }
        self.callbacks.reconcile(&mut self.core, node, &found.outgoing);
        self.reconcile_dialled(node, &found);
        self.adopt_unknown(node, &found);
        self.reserve_for_adopted(node);
        self.end_orphans(node, &found);
        let living: Vec<&Call> = self.calls.values().filter(|call| call.node == node).map(AsRef::as_ref).collect();
        let (mut calls, mut keep): (Vec<CallId>, Vec<String>) =
            living.iter().map(|call| (call.id, call.recording().to_owned())).unzip();
        let (being_made, armed): (Vec<CallId>, Vec<String>) = self.dialled_alive(node).into_iter().unzip();
        calls.extend(being_made);
        keep.extend(armed);
        self.core.persist(Fact::CallsAlive { node, calls, at: self.core.now.wall });
        self.core.out.push_back(Command::SweepRecordings { node, keep });
        for id in self.core.agents.iter().map(|agent| agent.profile.agent).collect::<Vec<_>>() {
            self.core.wishes.push_back(Wish::Agent(id));
        }
        self.phones_changed = true;
    }

    fn adopt_unknown(&mut self, node: NodeId, found: &Found) {
        for seen in found.foreign.values() {
            let channel = &seen.arrival.channel;
            if self.channels.get(channel).is_some() {
                continue;
            }
            let memo = found.memo(seen);
            if let (Some((id, Own::Outgoing)), None) = (Own::parse(channel.as_str()), &memo) {
                self.adopt_attempt(node, id, seen);
                continue;
            }
            match (&seen.arrival.origin, memo) {
                (Origin::Agent { .. }, _) => {
                    // Its spoken answer went with the former engine.
                    let request = AriRequest::HangUp { channel: channel.clone(), cause: HangUpCause::Normal };
                    self.core.ari(node, CallId(0), request);
                }
                (Origin::Inbound | Origin::Fallback | Origin::Outgoing { .. }, Some(memo))
                    if !self.calls.contains_key(&memo.call) =>
                {
                    self.last_call = self.last_call.max(memo.call);
                    let call = Call::adopt(&mut self.core, node, &memo, seen, found);
                    self.channels.insert(channel.clone(), memo.call);
                    let called = matches!(Own::parse(channel.as_str()), Some((_, Own::Outgoing)));
                    if !called {
                        self.callbacks.rang_in(&mut self.core, memo.call, call.number());
                    }
                    self.calls.insert(memo.call, Box::new(call));
                    if called {
                        self.adopt_called(node, memo.call);
                    }
                }
                (Origin::Inbound | Origin::Fallback, _) => self.arrived(node, &seen.arrival),
                // Of a call that is known.
                (Origin::Outgoing { .. }, _) => {}
            }
        }
    }

    /// A client whom a former engine was calling.
    fn adopt_attempt(&mut self, node: NodeId, id: CallId, seen: &ChannelSnapshot) {
        self.last_call = self.last_call.max(id);
        if self.dialled.contains_key(&id) {
            if let Origin::Outgoing { .. } = seen.arrival.origin {
                self.dialled_arrived(node, &seen.arrival, id);
            }
        } else if self.callbacks.has(id) || self.callbacks.adopt(&mut self.core, node, id, seen) {
            if let Origin::Outgoing { answered } = seen.arrival.origin {
                self.client_answered(node, &seen.arrival, answered, true);
            }
        } else {
            let channel = seen.arrival.channel.clone();
            self.core.ari(node, id, AriRequest::HangUp { channel, cause: HangUpCause::Normal });
        }
    }

    fn tell_fallback(&mut self) {
        let phones: Vec<(NodeId, String)> = self
            .core
            .agents
            .iter()
            .map(|agent| (agent.profile.node, format!("PJSIP/{}", agent.profile.endpoint)))
            .collect();
        for node in self.core.nodes_up() {
            let own = phones.iter().filter(|(of, _)| *of == node).map(|(_, phone)| phone.clone()).collect();
            self.core.ari(node, CallId(0), AriRequest::SetFallbackAgents(own));
        }
    }

    // ---- time

    /// One deadline with each event: so the work per event stays bounded however many are due at once. The next is due
    /// at once after it, and real events go between.
    fn wake_due(&mut self) {
        let Some(owner) = self.core.timers.pop_due(self.core.now.mono) else { return };
        match owner {
            Owner::Agent(agent) => self.core.agent_wrap_up_due(agent, false),
            Owner::Leftovers => self.core.ask_leftovers(),
            Owner::Callbacks => self.callbacks.wake(&mut self.core),
            Owner::Call(id) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.wake(&mut self.core);
                    if call.over() {
                        self.bury_if_over(id);
                    }
                } else if let Some(feature) = self.features.get_mut(&id)
                    && feature.wake(&mut self.core)
                {
                    self.drop_feature(id);
                } else if !self.dialled_due(id) {
                    self.callbacks.wake_attempt(&mut self.core, id);
                }
            }
        }
    }

    // ---- clients are called back

    /// Calls as many as there are lines for.
    fn call_back(&mut self) {
        while self.callbacks.may_dial(&self.core) {
            let id = self.next_call();
            self.callbacks.dial(&mut self.core, id);
        }
    }

    // ---- callers and agents find each other

    /// Finds partners for all who may have one since the last event. An agent is offered the first fitting caller; a
    /// caller is offered to the agent whom the strategy picks.
    fn match_up(&mut self) {
        while let Some(wish) = self.core.wishes.pop_front() {
            match wish {
                Wish::Agent(agent) => {
                    if let Some((_, place)) = self.core.caller_for(agent) {
                        self.offer(place.call(), agent);
                    }
                }
                Wish::Caller(id) => {
                    self.match_caller(id);
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.note_entry(&mut self.core);
                    }
                }
            }
        }
    }

    fn match_caller(&mut self, id: CallId) {
        let (node, candidates) = match self.calls.get(&id).filter(|_| !self.keeps(id)) {
            Some(call) => (call.node, call.candidates(&self.core)),
            None => match self.place_candidate(id) {
                Some((node, agent)) => (node, agent.into_iter().collect()),
                None => return,
            },
        };
        if !self.core.node_up(node) {
            return;
        }
        let mut others_first = false;
        for agent in candidates {
            // Who became free in this very event may owe the offer to a caller who has waited longer.
            match self.core.caller_for(agent).map(|(_, place)| place.call()) {
                Some(first) if first != id => others_first |= self.offer(first, agent),
                Some(_) | None => {
                    self.offer(id, agent);
                }
            }
        }
        if others_first {
            self.core.wishes.push_back(Wish::Caller(id));
        }
    }

    fn offer(&mut self, id: CallId, agent: AgentId) -> bool {
        if self.keeps(id) {
            return self.reserve(id, agent);
        }
        self.calls.get_mut(&id).is_some_and(|call| call.offer_to(&mut self.core, agent))
    }
}
