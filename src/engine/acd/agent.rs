//! Agents: what each declared, and what the engine knows of each. An agent has one thing in hand or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::ids::{AgentId, CallId, NodeId};
use crate::engine::settings::{AgentProfile, QueueSettings};
use crate::engine::time::{Instant, Now};
use crate::engine::view::{AgentState, AgentView, Status};

/// What an agent has in hand. At most one: this is the lease that keeps two calls from one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hands {
    /// Nothing.
    Empty,
    /// The phone is being rung with leg n of the call.
    Offered(CallId, u32),
    /// Talks on leg n of the call.
    Talking(CallId, u32),
    /// Leg n of the call is being hung up.
    Releasing(CallId, u32),
    /// Has dialled the engine (a feature code).
    Dialling(CallId),
    /// Is kept for a client who is being called by this attempt; the phone does not ring yet.
    Reserved(CallId),
}

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// As the office describes the agent.
    pub profile: AgentProfile,
    /// What the person declared.
    pub status: Status,
    /// What is in hand.
    pub hands: Hands,
    /// End of after-call work.
    pub wrap_up_until: Option<Instant>,
    /// After which leg of which call it was, or is, last.
    pub wrap_up_of: (CallId, u32),
    /// The phone answers; unknown counts as yes: the phone is only a veto.
    pub reachable: Option<bool>,
    /// The phone said that it goes away for a moment; until it is heard of again, or this moment.
    pub away_until: Option<Instant>,
    /// Since when nothing is in hand.
    pub idle_since: Instant,
    /// Calls taken since the last log-in.
    pub calls_taken: u32,
    /// Grows with every offer made to anybody; who has the least was offered a call the longest ago.
    pub last_offered: u64,
    /// Asterisk failed to ring the phone the last time. Whose fault that is cannot be told; others go before.
    pub ring_failed: bool,
}

impl Agent {
    /// May be offered a call now.
    #[must_use]
    pub fn free(&self) -> bool {
        self.status == Status::Ready
            && self.hands == Hands::Empty
            && self.wrap_up_until.is_none()
            && self.away_until.is_none()
            && self.reachable != Some(false)
    }

    /// Works for this queue: is assigned to it and has its skill.
    #[must_use]
    pub fn serves(&self, queue: &QueueSettings) -> bool {
        let assigned = self.profile.queues.is_empty() || self.profile.queues.contains(&queue.name);
        assigned && queue.skill.as_ref().is_none_or(|(skill, least)| self.level(skill) >= *least)
    }

    /// Level in a skill; 0 without it.
    #[must_use]
    pub fn level(&self, skill: &str) -> u8 {
        self.profile.skills.get(skill).copied().unwrap_or(0)
    }

    /// What the engine knows.
    #[must_use]
    pub fn state(&self, now: Now) -> AgentState {
        match (self.hands, self.wrap_up_until) {
            (Hands::Offered(call, _), _) => AgentState::Offered(call),
            (Hands::Talking(call, _), _) => AgentState::Talking(call),
            (Hands::Releasing(call, _), None) => AgentState::Releasing(call),
            (Hands::Dialling(_), _) => AgentState::Dialling,
            (Hands::Reserved(call), _) => AgentState::Reserved(call),
            (Hands::Empty | Hands::Releasing(..), Some(until)) => AgentState::WrapUp { until: now.wall_of(until) },
            (Hands::Empty, None) => AgentState::Idle,
        }
    }
}

/// All agents, and which of them are free.
#[derive(Clone, Debug, Default)]
pub struct Agents {
    agents: BTreeMap<AgentId, Agent>,
    by_endpoint: BTreeMap<String, AgentId>,
    free: BTreeSet<AgentId>,
    offers: u64,
}

impl Agents {
    /// Adds an agent, or changes the description of a known one. Tells whether the agent became free.
    pub fn describe(&mut self, profile: AgentProfile, now: Now) -> bool {
        let id = profile.agent;
        if let Some(known) = self.agents.get_mut(&id) {
            self.by_endpoint.remove(&known.profile.endpoint);
            self.by_endpoint.insert(profile.endpoint.clone(), id);
            if known.profile.endpoint != profile.endpoint {
                known.reachable = None;
            }
            known.profile = profile;
        } else {
            self.by_endpoint.insert(profile.endpoint.clone(), id);
            let agent = Agent {
                status: profile.status.clone(),
                hands: Hands::Empty,
                wrap_up_until: None,
                wrap_up_of: (CallId(0), 0),
                reachable: None,
                away_until: None,
                idle_since: now.instant_of(profile.idle_since),
                calls_taken: profile.calls_taken,
                last_offered: 0,
                ring_failed: false,
                profile,
            };
            self.agents.insert(id, agent);
        }
        // A description may open a queue to a free agent: ask for a match in any case.
        self.settle(id);
        self.free.contains(&id)
    }

    /// Removes an agent.
    pub fn remove(&mut self, id: AgentId) -> Option<Agent> {
        let agent = self.agents.remove(&id)?;
        self.by_endpoint.remove(&agent.profile.endpoint);
        self.free.remove(&id);
        Some(agent)
    }

    /// One agent.
    #[must_use]
    pub fn get(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(&id)
    }

    /// The agent with this phone.
    #[must_use]
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Agent> {
        self.agents.get(self.by_endpoint.get(endpoint)?)
    }

    /// All agents.
    pub fn iter(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// Agents who may be offered a call of this queue on this Asterisk now.
    pub fn free_for<'a>(&'a self, queue: &'a QueueSettings, node: NodeId) -> impl Iterator<Item = &'a Agent> + 'a {
        self.free
            .iter()
            .filter_map(|id| self.agents.get(id))
            .filter(move |agent| agent.profile.node == node && agent.serves(queue))
    }

    /// How many agents are at work for this queue: ready, or in a talk that will end.
    #[must_use]
    pub fn at_work(&self, queue: &QueueSettings) -> usize {
        self.agents.values().filter(|agent| agent.status == Status::Ready && agent.serves(queue)).count()
    }

    /// Changes the declared status. Tells whether it changed.
    pub fn declare(&mut self, id: AgentId, status: Status, now: Now) -> bool {
        let Some(agent) = self.agents.get_mut(&id) else { return false };
        if status == Status::Ready {
            agent.wrap_up_until = None;
        }
        if agent.status == status {
            self.settle(id);
            return false;
        }
        if agent.status == Status::Offline {
            agent.calls_taken = 0;
        }
        // Who comes back from a pause goes to the end of the line of the free.
        if status == Status::Ready && agent.hands == Hands::Empty {
            agent.idle_since = now.mono;
        }
        agent.status = status;
        self.settle(id);
        true
    }

    /// Notes whether the phone answers. Asterisk is asked now and then, so that what it says may be of before the phone
    /// went away: one that did is back when it says so itself, or when Asterisk has seen it gone in between.
    pub fn reach(&mut self, endpoint: &str, reachable: bool, says_itself: bool) -> Option<AgentId> {
        let id = *self.by_endpoint.get(endpoint)?;
        let agent = self.agents.get_mut(&id)?;
        let seen_back = says_itself || agent.reachable == Some(false);
        let back = reachable && seen_back && agent.away_until.take().is_some();
        if agent.reachable == Some(reachable) && !back {
            return None;
        }
        agent.reachable = Some(reachable);
        self.settle(id);
        Some(id)
    }

    /// The phone goes away: not to be rung until it is heard of again, or `until`.
    pub fn goes_away(&mut self, id: AgentId, until: Instant) {
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.away_until = Some(until);
            self.settle(id);
        }
    }

    /// The phone that went away is rung again, if it is time; true if so.
    pub fn end_away(&mut self, id: AgentId, now: Instant) -> bool {
        let Some(agent) = self.agents.get_mut(&id) else { return false };
        if agent.away_until.is_none_or(|until| until > now) {
            return false;
        }
        agent.away_until = None;
        self.settle(id);
        true
    }

    /// Leases the agent for leg `leg` of `call`. False, and nothing changed, if something is in hand.
    pub fn offer(&mut self, id: AgentId, call: CallId, leg: u32) -> bool {
        let Some(agent) = self.agents.get_mut(&id) else { return false };
        if agent.hands != Hands::Empty && agent.hands != Hands::Reserved(call) {
            return false;
        }
        self.offers += 1;
        agent.last_offered = self.offers;
        agent.hands = Hands::Offered(call, leg);
        self.settle(id);
        true
    }

    /// Notes whether Asterisk could ring the phone.
    pub fn rung(&mut self, id: AgentId, failed: bool) {
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.ring_failed = failed;
        }
    }

    /// The agent answered.
    pub fn talks(&mut self, id: AgentId, call: CallId, leg: u32) {
        if let Some(agent) = self.agents.get_mut(&id)
            && agent.hands == Hands::Offered(call, leg)
        {
            agent.hands = Hands::Talking(call, leg);
            agent.calls_taken = agent.calls_taken.saturating_add(1);
        }
    }

    /// The leg is being hung up; after a talk the after-call work begins now.
    pub fn releases(
        &mut self,
        id: AgentId,
        call: CallId,
        leg: u32,
        wrap_up: Duration,
        now: Instant,
    ) -> Option<Instant> {
        let agent = self.agents.get_mut(&id)?;
        match agent.hands {
            Hands::Talking(c, l) if (c, l) == (call, leg) => {
                agent.hands = Hands::Releasing(call, leg);
                agent.wrap_up_until = (wrap_up > Duration::ZERO).then_some(now + wrap_up);
                agent.wrap_up_of = (call, leg);
                agent.idle_since = now + wrap_up;
                agent.wrap_up_until
            }
            Hands::Offered(c, l) if (c, l) == (call, leg) => {
                agent.hands = Hands::Releasing(call, leg);
                None
            }
            Hands::Empty
            | Hands::Offered(..)
            | Hands::Talking(..)
            | Hands::Releasing(..)
            | Hands::Dialling(_)
            | Hands::Reserved(_) => None,
        }
    }

    /// The leg is gone. Tells whether the agent became free.
    pub fn puts_down(&mut self, id: AgentId, call: CallId) -> bool {
        let Some(agent) = self.agents.get_mut(&id) else { return false };
        let held = match agent.hands {
            Hands::Empty => return false,
            Hands::Offered(c, _) | Hands::Talking(c, _) | Hands::Releasing(c, _) | Hands::Dialling(c) => c,
            Hands::Reserved(_) => return false,
        };
        if held != call {
            return false;
        }
        agent.hands = Hands::Empty;
        self.settle(id);
        self.free.contains(&id)
    }

    /// The agent dialled the engine: no call is offered meanwhile.
    pub fn dials(&mut self, id: AgentId, call: CallId) -> bool {
        let Some(agent) = self.agents.get_mut(&id) else { return false };
        if agent.hands != Hands::Empty {
            return false;
        }
        agent.hands = Hands::Dialling(call);
        self.settle(id);
        true
    }

    /// Keeps a free agent for a client who is being called by this attempt. False if something is in hand.
    pub fn reserve(&mut self, id: AgentId, attempt: CallId) -> bool {
        let Some(agent) = self.agents.get_mut(&id).filter(|agent| agent.free()) else { return false };
        agent.hands = Hands::Reserved(attempt);
        self.settle(id);
        true
    }

    /// The agent need not be kept for this attempt any more. Tells whether that was so.
    pub fn unreserve(&mut self, id: AgentId, attempt: CallId) -> bool {
        let Some(agent) = self.agents.get_mut(&id).filter(|agent| agent.hands == Hands::Reserved(attempt)) else {
            return false;
        };
        agent.hands = Hands::Empty;
        self.settle(id);
        true
    }

    /// After-call work is over if its time has come, or now if `at_once`. Tells whether it is over.
    pub fn end_wrap_up(&mut self, id: AgentId, now: Instant, at_once: bool) -> bool {
        let Some(agent) = self.agents.get_mut(&id) else { return false };
        match agent.wrap_up_until {
            Some(until) if until <= now || at_once => {
                agent.wrap_up_until = None;
                agent.idle_since = now;
            }
            Some(_) | None => return false,
        }
        self.settle(id);
        true
    }

    /// After-call work at this moment: after which leg of which call, and until when it is planned.
    #[must_use]
    pub fn wrap_up(&self, id: AgentId) -> Option<(CallId, u32, Instant)> {
        let agent = self.agents.get(&id)?;
        let (call, leg) = agent.wrap_up_of;
        agent.wrap_up_until.map(|until| (call, leg, until))
    }

    /// Takes over an agent's hands as they were found in Asterisk.
    pub fn adopt(&mut self, id: AgentId, hands: Hands) {
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.hands = hands;
            self.settle(id);
        }
    }

    /// An agent as shown to people.
    #[must_use]
    pub fn view(&self, id: AgentId, now: Now) -> Option<AgentView> {
        let agent = self.agents.get(&id)?;
        Some(AgentView {
            agent: id,
            name: agent.profile.name.clone(),
            endpoint: agent.profile.endpoint.clone(),
            status: agent.status.clone(),
            state: agent.state(now),
            reachable: if agent.away_until.is_some() { Some(false) } else { agent.reachable },
            idle_since: now.wall_of(agent.idle_since),
            calls_taken: agent.calls_taken,
        })
    }

    fn settle(&mut self, id: AgentId) {
        if self.agents.get(&id).is_some_and(Agent::free) {
            self.free.insert(id);
        } else {
            self.free.remove(&id);
        }
    }
}
