//! Agents, and clients who are called back instead of waiting: the keys, the store's answer, the agents' phones.

use std::collections::{BTreeMap, BTreeSet};

use perezvon::domain::ids::ClientId;
use perezvon::engine::callback::request::{About, CallbackRequest, KeptPlace};
use perezvon::engine::command::{AriRequest, Fact, Update};
use perezvon::engine::event::{Actor, Event, NodeEvent, Note, Refusal, Request};
use perezvon::engine::ids::{AgentId, BridgeId, CallId, CallbackId, ChannelId, RequestId};
use perezvon::engine::settings::AgentProfile;
use perezvon::engine::time::Wall;
use perezvon::engine::view::{AgentState, PauseReason, Status};

use super::{Channel, NODE, Row, SECOND, World, number};

pub const AGENTS: u32 = 2;
/// An equal that could have been called for so long must not be overtaken: an interval, and what a call may last.
const READY_FOR: i64 = 70 * SECOND;

/// What the world knows of agents and kept places.
#[derive(Debug, Default)]
pub struct Desk {
    /// As the consoles show them.
    agents: BTreeMap<AgentId, AgentState>,
    statuses: BTreeMap<AgentId, Status>,
    /// Attempts for kept places that are going on.
    attempts: BTreeMap<CallId, CallbackId>,
    /// When something last happened with a kept place, by the moment of the world.
    touched: BTreeMap<CallbackId, i64>,
    bridges: BTreeMap<ChannelId, BridgeId>,
    /// Names of bridges.
    pub notes: BTreeMap<BridgeId, Note>,
    requests: u64,
    /// To clients whom agents call.
    pub dialled: BTreeSet<ChannelId>,
    /// Of those calls, the newest.
    pub last_call: Option<CallId>,
    /// How often an agent was reserved.
    pub reserved: u32,
}

impl Desk {
    /// The channel is of a call that an agent wanted.
    pub fn dials(&self, channel: &ChannelId) -> bool {
        self.dialled.contains(channel)
    }
}

impl World {
    /// Whoever works here, as an engine that starts reads it.
    pub fn agents_at_work(&mut self) {
        for id in 1..=AGENTS {
            let status = self.desk.statuses.get(&AgentId(id)).cloned().unwrap_or(Status::Ready);
            let profile = AgentProfile {
                agent: AgentId(id),
                name: format!("Agent {id}"),
                endpoint: format!("agent-{id}"),
                node: NODE,
                queues: Default::default(),
                skills: Default::default(),
                status,
                idle_since: Wall(0),
                calls_taken: 0,
            };
            self.feed(Event::AgentChanged(profile));
        }
        let now = self.now.mono.0;
        self.desk.touched.values_mut().for_each(|at| *at = now);
    }

    /// The desk of an engine that was killed is empty; what it had in flight is taken up or ended.
    pub fn forget_desk(&mut self) {
        self.desk.agents.clear();
        self.desk.attempts.clear();
    }

    /// An agent pauses or comes back.
    pub fn agent_moves(&mut self) {
        let agent = AgentId(self.rng.between(1, i64::from(AGENTS)) as u32);
        let ready = self.desk.statuses.get(&agent).is_none_or(|status| *status == Status::Ready);
        let pause = Status::Pause(PauseReason::Declared("tea".to_owned()));
        self.wishes(agent, if ready { pause } else { Status::Ready });
    }

    /// An agent wants to call a client.
    pub fn agent_dials(&mut self) {
        self.desk.requests += 1;
        let agent = AgentId(self.rng.between(1, i64::from(AGENTS)) as u32);
        let what = Request::Dial { agent, number: number(self.rng.below(super::CLIENTS)) };
        self.feed(Event::Request { id: RequestId(self.desk.requests), by: Actor::Agent(agent), what });
    }

    pub fn all_ready(&mut self) {
        for id in 1..=AGENTS {
            self.wishes(AgentId(id), Status::Ready);
        }
    }

    fn wishes(&mut self, agent: AgentId, status: Status) {
        self.desk.requests += 1;
        let (id, by) = (RequestId(self.desk.requests), Actor::Agent(agent));
        self.feed(Event::Request { id, by, what: Request::SetStatus { agent, status } });
    }

    /// A caller presses some keys: to be called back, at this number or another, or nonsense.
    pub fn caller_presses(&mut self) {
        let callers: Vec<ChannelId> =
            self.channels.iter().filter(|(_, one)| !one.outgoing && !one.leg).map(|(id, _)| id.clone()).collect();
        if callers.is_empty() {
            return;
        }
        let channel = self.rng.pick(&callers).clone();
        let other = number(self.rng.below(super::CLIENTS)).replace('+', "");
        let keys = match self.rng.below(6) {
            0 => format!("12{other}#1"),
            1 => "1*".to_owned(),
            2 => "19".to_owned(),
            3 => "12810442079460000#".to_owned(),
            _ => "11".to_owned(),
        };
        for (at, digit) in keys.chars().enumerate() {
            let span = (at as i64 + 1) * self.rng.between(SECOND / 10, SECOND);
            self.after(span, Event::Node(NODE, NodeEvent::Digit { channel: channel.clone(), digit }));
        }
    }

    /// The engine wants a place kept: the store writes it down, or is away.
    pub fn keep_place(&mut self, call: CallId, wanted: String, client: Option<ClientId>, place: KeptPlace) {
        if self.faults && self.rng.per_mille(150) {
            let kept = None;
            return self.after(SECOND / 5, Event::PlaceKept { call, kept });
        }
        let same = |row: &&Row| row.end.is_none() && row.request.place().is_some() && row.request.number == wanted;
        let known = self.rows.values().find(same).map(|row| row.request.clone());
        let request = known.unwrap_or_else(|| {
            let request = CallbackRequest {
                id: CallbackId(self.rows.len() as i64 + 1),
                number: wanted,
                client,
                language: None,
                about: About::Place(place),
                attempts: 0,
                created: self.now.wall,
                due: self.now.wall,
                not_before: None,
            };
            self.rows.insert(request.id, Row { request: request.clone(), end: None, ended_at: None });
            request
        });
        self.desk.touched.insert(request.id, self.now.mono.0);
        // Sometimes later than the caller waits for it.
        let span = if self.rng.per_mille(100) { 6 * SECOND } else { self.rng.between(100, SECOND / 20) };
        self.after(span, Event::PlaceKept { call, kept: Some(Box::new(request)) });
    }

    pub fn shown(&mut self, update: &Update) {
        if let Update::Agent(view) = update {
            if let AgentState::Reserved(_) = view.state {
                self.desk.reserved += 1;
            }
            self.desk.agents.insert(view.agent, view.state.clone());
        }
    }

    /// A fact about a kept place, or an agent.
    pub fn desk_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::CallArrived { call, .. } => self.desk.last_call = self.desk.last_call.max(Some(*call)),
            Fact::AttemptStarted { callback, attempt, .. } if self.is_place(*callback) => {
                self.desk.attempts.insert(*attempt, *callback);
                self.desk.touched.insert(*callback, self.now.mono.0);
            }
            Fact::AttemptEnded { callback, attempt, .. } => {
                self.desk.attempts.remove(attempt);
                self.desk.touched.insert(*callback, self.now.mono.0);
            }
            Fact::AgentStatus { agent, status, by, .. } => {
                self.desk.statuses.insert(*agent, status.clone());
                // Paused by the engine: comes back after a while.
                if *by == Actor::Engine {
                    let what = Request::SetStatus { agent: *agent, status: Status::Ready };
                    self.desk.requests += 1;
                    let id = RequestId(self.desk.requests);
                    let span = self.rng.between(SECOND, 20 * SECOND);
                    self.after(span, Event::Request { id, by: Actor::Agent(*agent), what });
                }
            }
            _ => {}
        }
    }

    fn is_place(&self, callback: CallbackId) -> bool {
        self.rows.get(&callback).is_some_and(|row| row.request.place().is_some())
    }

    /// The client of a kept place is being called: for a reserved agent, and nobody is overtaken by an equal.
    pub fn look_at_place_dial(&mut self, attempt: CallId) {
        let Some(callback) = self.desk.attempts.get(&attempt).copied() else { return };
        if !self.desk.agents.values().any(|state| *state == AgentState::Reserved(attempt)) {
            self.violate(format!("{attempt} is dialled and nobody is reserved: {:?}", self.desk.agents));
        }
        // A level of priority counts as so much time waited.
        let level = self.settings.priority_step.as_millis() as i64;
        let stands = |row: &Row| row.request.place().map(|place| place.entered.0 - level * i64::from(place.priority));
        let own = self.rows.get(&callback).and_then(stands);
        let before = self.rows.iter().find(|(id, row)| {
            let waits = row.end.is_none() && **id != callback && !self.desk.attempts.values().any(|of| of == *id);
            let long = self.desk.touched.get(id).is_some_and(|at| self.now.mono.0 - at > READY_FOR);
            let quiet = !self.channels.values().any(|one| one.number == row.request.number);
            waits && long && quiet && stands(row).is_some() && stands(row) < own
        });
        if let Some((other, _)) = before.filter(|_| !self.stepped) {
            self.violate(format!("callback {} overtakes {}", callback.0, other.0));
        }
    }

    /// After each event: an agent is reserved for an attempt that is going on, and for no other.
    pub fn look_at_reservations(&mut self) {
        let idle = self.desk.agents.iter().find_map(|(agent, state)| match state {
            AgentState::Reserved(attempt) if !self.desk.attempts.contains_key(attempt) => Some((*agent, *attempt)),
            _ => None,
        });
        if let Some((agent, attempt)) = idle {
            self.violate(format!("agent {} is reserved for {attempt}, which is over", agent.0));
        }
        let mut kept: Vec<&AgentState> =
            self.desk.agents.values().filter(|state| matches!(state, AgentState::Reserved(_))).collect();
        let all = kept.len();
        kept.dedup();
        if kept.len() < all {
            self.violate(format!("two agents are reserved for one attempt: {:?}", self.desk.agents));
        }
    }

    // ---- phones and bridges

    /// An agent's phone is rung: it is answered, or not, or refused.
    pub fn phone_rung(&mut self, channel: &ChannelId, dial: &str) {
        let seen = Channel { leg: true, endpoint: dial.replace("PJSIP/", ""), ..Channel::default() };
        self.channels.insert(channel.clone(), seen);
        let node = |event| Event::Node(NODE, event);
        self.after(SECOND / 50, node(NodeEvent::Ringing(channel.clone())));
        match self.rng.below(6) {
            0 => {}
            1 => self.after(SECOND, node(NodeEvent::Gone { channel: channel.clone(), cause: 21 })),
            _ => {
                let answer = self.rng.between(SECOND / 10, 8 * SECOND);
                self.after(answer, node(NodeEvent::Answered(channel.clone())));
                let talk = self.rng.between(SECOND, 40 * SECOND);
                self.after(answer + talk, node(NodeEvent::Gone { channel: channel.clone(), cause: 16 }));
            }
        }
    }

    pub fn joined(&mut self, call: CallId, bridge: &BridgeId, channels: &[ChannelId]) {
        if channels.iter().any(|channel| !self.channels.contains_key(channel)) {
            let request = AriRequest::Join { bridge: bridge.clone(), channels: channels.to_vec() };
            let why = Refusal::Unprocessable("Channel not found".to_owned());
            return self.soon(Event::Refused { node: NODE, call, request, why });
        }
        for channel in channels {
            self.desk.bridges.insert(channel.clone(), bridge.clone());
            let (bridge, channel) = (bridge.clone(), channel.clone());
            self.soon(Event::Node(NODE, NodeEvent::Joined { bridge, channel }));
        }
    }

    /// Bridges with who is in them, for a snapshot.
    pub fn bridges(&self) -> Vec<perezvon::engine::event::BridgeSnapshot> {
        let mut bridges: BTreeMap<&BridgeId, Vec<ChannelId>> = BTreeMap::new();
        for (channel, bridge) in self.desk.bridges.iter().filter(|(channel, _)| self.channels.contains_key(*channel)) {
            bridges.entry(bridge).or_default().push(channel.clone());
        }
        for bridge in self.desk.notes.keys() {
            bridges.entry(bridge).or_default();
        }
        let snapshot = |(bridge, channels): (&BridgeId, Vec<ChannelId>)| perezvon::engine::event::BridgeSnapshot {
            bridge: bridge.clone(),
            channels,
            note: self.desk.notes.get(bridge).cloned(),
        };
        bridges.into_iter().map(snapshot).collect()
    }

    /// In the end nobody is kept for anybody.
    pub fn desk_verdict(&self) -> Result<(), String> {
        let kept = self.desk.agents.iter().find(|(_, state)| matches!(state, AgentState::Reserved(_)));
        match kept {
            Some((agent, state)) => Err(format!("agent {} is {state:?} for ever", agent.0)),
            None => Ok(()),
        }
    }
}
