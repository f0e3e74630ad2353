//! What all calls share: settings, the time, agents, waiting lines, deadlines, and the outbox.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::OrderId;

use super::acd::agent::{Agents, Hands};
use super::acd::estimate::Estimate;
use super::acd::queue::{Eligible, Line, Place};
use super::command::{AriRequest, Command, Fact, Update};
use super::event::{Actor, spans};
use super::ids::{AgentId, CallId, CallbackId, ChannelId, NodeId, QueueId};
use super::leftover::Leftovers;
use super::renumbered::Renumbered;
use super::settings::{Menus, QueueSettings, Settings};
use super::time::{Instant, Now};
use super::timers::{Owner, Timers};
use super::view::{AgentState, Status};

/// A page that was loaded anew registers within a second or two; after this the phone is rung whatever it said, and a
/// caller who was kept for it is anybody's.
pub const PHONE_AWAY: Duration = Duration::from_secs(5);

/// Somebody to find a partner for, after the event is digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// An agent who may have become free.
    Agent(AgentId),
    /// A caller who may be offered to somebody.
    Caller(CallId),
}

/// The name under Asterisk's recording folder that the dialplan gives to this channel's recording. They lie in a hundred
/// folders, by the end of the channel's id: Asterisk looks through a whole folder for each recording that is fetched.
pub(super) fn recording_name(channel: &ChannelId, number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let id = channel.as_str();
    let folder = id.char_indices().rev().nth(1).and_then(|(at, _)| id.get(at..)).unwrap_or(id);
    format!("perezvon/c{folder}/{channel}_{digits}")
}

/// What a call has to tell those who call clients back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tiding {
    /// The client whom the office called heard what there was to tell, or pressed a key.
    Delivered(CallId),
    /// Somebody heard how this order stands.
    Heard(OrderId),
    /// An attempt to reach a client is over, however it went.
    AttemptOver(CallId),
    /// A kept place is not wanted any more: its client was reached, or all attempts were made, or somebody took it back.
    PlaceOver(CallbackId),
    /// This call waits in a queue now.
    Queued(CallId),
}

#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub settings: Settings,
    /// What is said to callers who enter a queue, by its name.
    pub greetings: BTreeMap<String, String>,
    /// The menus of the settings, for calls to hold on to.
    pub menus: Arc<Menus>,
    queues: Vec<Arc<QueueSettings>>,
    pub now: Now,
    pub agents: Agents,
    pub timers: Timers,
    pub leftovers: Leftovers,
    pub wishes: VecDeque<Wish>,
    pub tidings: VecDeque<Tiding>,
    pub out: VecDeque<Command>,
    lines: BTreeMap<(QueueId, NodeId), Line>,
    estimates: BTreeMap<QueueId, Estimate>,
    /// Agents at work for each queue: counted when it changes, read with every announcement.
    at_work: Vec<usize>,
    nodes: BTreeMap<NodeId, bool>,
    /// Until when an Asterisk that was slow is held for slow.
    slow_until: BTreeMap<NodeId, Instant>,
}

impl Shared {
    pub fn new(settings: Settings) -> Shared {
        Shared {
            queues: settings.queues.iter().cloned().map(Arc::new).collect(),
            menus: Arc::new(settings.menus.clone()),
            settings,
            greetings: BTreeMap::new(),
            now: Now::default(),
            agents: Agents::default(),
            timers: Timers::default(),
            leftovers: Leftovers::default(),
            wishes: VecDeque::new(),
            tidings: VecDeque::new(),
            out: VecDeque::new(),
            lines: BTreeMap::new(),
            estimates: BTreeMap::new(),
            at_work: Vec::new(),
            nodes: BTreeMap::new(),
            slow_until: BTreeMap::new(),
        }
    }

    /// The queue with this id; the first one for an id that the settings no longer have.
    pub fn queue(&self, id: QueueId) -> Arc<QueueSettings> {
        self.queues.get(usize::from(id.0)).or_else(|| self.queues.first()).cloned().unwrap_or_default()
    }

    /// Takes new settings, and tells where each queue is now if one is not where it was. Lines and estimates go with
    /// their queue; the lines of one that is no more join the first.
    pub fn set_settings(&mut self, settings: Settings) -> Option<Renumbered> {
        let names = settings.queues.iter().map(|queue| queue.name.as_str());
        let moved = Renumbered::of(self.queues.iter().map(|queue| queue.name.as_str()), names);
        self.queues = settings.queues.iter().cloned().map(Arc::new).collect();
        self.menus = Arc::new(settings.menus.clone());
        self.settings = settings;
        if let Some(moved) = &moved {
            for ((queue, node), line) in std::mem::take(&mut self.lines) {
                self.line(moved.now(queue), node).absorb(line);
            }
            let estimates = std::mem::take(&mut self.estimates).into_iter();
            self.estimates = estimates.filter_map(|(queue, estimate)| Some((moved.kept(queue)?, estimate))).collect();
        }
        self.count_at_work();
        // Who may be offered to whom may have changed with the queues' skills.
        let free: Vec<_> = self.agents.iter().filter(|agent| agent.free()).map(|agent| agent.profile.agent).collect();
        self.wishes.extend(free.into_iter().map(Wish::Agent));
        moved
    }

    /// To be called after a change of who works for which queue.
    pub fn count_at_work(&mut self) {
        self.at_work = self.queues.iter().map(|queue| self.agents.at_work(queue)).collect();
    }

    pub fn node_up(&self, node: NodeId) -> bool {
        self.nodes.get(&node).copied().unwrap_or(false)
    }

    pub fn set_node(&mut self, node: NodeId, up: bool) {
        self.nodes.insert(node, up);
        self.publish(Update::Node { node, up });
    }

    pub fn node_is_slow(&mut self, node: NodeId) {
        self.slow_until.insert(node, self.now.mono + spans::SLOW);
    }

    /// This Asterisk has more to do than it can: what it tells nothing of may be its own fault.
    pub fn is_slow(&self, node: NodeId) -> bool {
        self.slow_until.get(&node).is_some_and(|until| *until > self.now.mono)
    }

    pub fn nodes_up(&self) -> Vec<NodeId> {
        self.nodes.iter().filter(|(_, up)| **up).map(|(node, _)| *node).collect()
    }

    /// The first Asterisk that is connected: outside numbers are called there.
    pub fn first_node(&self) -> Option<NodeId> {
        self.nodes.iter().find(|(_, up)| **up).map(|(node, _)| *node)
    }

    pub fn ari(&mut self, node: NodeId, call: CallId, request: AriRequest) {
        self.out.push_back(Command::Asterisk { node, call, request });
    }

    pub fn persist(&mut self, fact: Fact) {
        self.out.push_back(Command::Persist(fact));
    }

    pub fn publish(&mut self, update: Update) {
        self.out.push_back(Command::Publish(update));
    }

    pub fn alarm(&mut self, call: CallId, text: String) {
        self.out.push_back(Command::Alarm { call, text });
    }

    // ---- agents

    /// To be called after anything about an agent changed: tells the consoles, and looks for a call if `free`.
    pub fn agent_changed(&mut self, id: AgentId, free: bool) {
        if let Some(view) = self.agents.view(id, self.now) {
            if view.state == AgentState::Idle && free {
                self.persist(Fact::AgentIdle { agent: id, calls_taken: view.calls_taken, at: view.idle_since });
            }
            self.publish(Update::Agent(view));
        }
        if free {
            self.wishes.push_back(Wish::Agent(id));
        }
    }

    /// Changes an agent's declared status, journals it and looks for a call.
    pub fn declare(&mut self, id: AgentId, status: Status, by: Actor) {
        let wrap_up = self.agents.wrap_up(id);
        if self.agents.declare(id, status.clone(), self.now) {
            self.count_at_work();
            self.persist(Fact::AgentStatus { agent: id, status, by, at: self.now.wall });
        }
        self.wrap_up_cut(id, wrap_up);
        let free = self.agents.get(id).is_some_and(super::acd::agent::Agent::free);
        self.agent_changed(id, free);
    }

    /// The agent's leg is being hung up. After a talk the after-call work of `queue` begins.
    pub fn agent_releases(&mut self, id: AgentId, call: CallId, leg: u32, queue: QueueId) {
        let wrap_up = self.queue(queue).wrap_up;
        if let Some(until) = self.agents.releases(id, call, leg, wrap_up, self.now.mono) {
            self.timers.arm(until, Owner::Agent(id), "wrap-up");
            self.persist(Fact::WrapUp { call, leg, until: self.now.wall_of(until) });
        }
        self.agent_changed(id, false);
    }

    /// The agent's leg is gone.
    pub fn agent_puts_down(&mut self, id: AgentId, call: CallId) {
        let free = self.agents.puts_down(id, call);
        self.agent_changed(id, free);
    }

    /// The agent's phone went away for a moment.
    pub fn agent_goes_away(&mut self, id: AgentId) {
        let until = self.now.mono + PHONE_AWAY;
        self.agents.goes_away(id, until);
        self.timers.arm(until, Owner::Agent(id), "phone away");
        self.agent_changed(id, false);
    }

    pub fn agent_wrap_up_due(&mut self, id: AgentId, at_once: bool) {
        let back = self.agents.end_away(id, self.now.mono);
        let wrap_up = self.agents.wrap_up(id);
        if self.agents.end_wrap_up(id, self.now.mono, at_once) || back {
            self.wrap_up_cut(id, wrap_up);
            // Also who is not free now (paused meanwhile, the phone not yet on the hook) is no longer in after-call work.
            let free = self.agents.get(id).is_some_and(super::acd::agent::Agent::free);
            self.agent_changed(id, free);
        }
    }

    /// Journals the end of after-call work that was over before its time.
    fn wrap_up_cut(&mut self, id: AgentId, was: Option<(CallId, u32, Instant)>) {
        if let Some((call, leg, until)) = was
            && until > self.now.mono
            && self.agents.wrap_up(id).is_none()
        {
            self.persist(Fact::WrapUp { call, leg, until: self.now.wall });
        }
    }

    pub fn agent_adopted(&mut self, id: AgentId, hands: Hands) {
        self.agents.adopt(id, hands);
        self.agent_changed(id, false);
    }

    /// The agent is kept for a client who is being called. False if something is in hand.
    pub fn agent_reserved(&mut self, id: AgentId, attempt: CallId) -> bool {
        let reserved = self.agents.reserve(id, attempt);
        if reserved {
            self.agent_changed(id, false);
        }
        reserved
    }

    // ---- waiting lines

    pub fn line(&mut self, queue: QueueId, node: NodeId) -> &mut Line {
        self.lines.entry((queue, node)).or_default()
    }

    /// The position of a place in the whole queue, from 1.
    pub fn position(&self, queue: QueueId, place: Place) -> usize {
        1 + self.lines_of(queue).map(|line| line.before(place)).sum::<usize>()
    }

    /// How many wait in the queue.
    pub fn waiting(&self, queue: QueueId) -> usize {
        self.lines_of(queue).map(Line::len).sum()
    }

    /// All places of the queue, line by line.
    pub fn places(&self, queue: QueueId) -> impl Iterator<Item = Place> + '_ {
        self.lines_of(queue).flat_map(Line::iter)
    }

    fn lines_of(&self, queue: QueueId) -> impl Iterator<Item = &Line> {
        self.lines.range((queue, NodeId(0))..=(queue, NodeId(u16::MAX))).map(|(_, line)| line)
    }

    /// The caller who is to be offered to this agent, if any: the first of all lines that the agent serves.
    pub fn caller_for(&self, id: AgentId) -> Option<(QueueId, Place)> {
        let agent = self.agents.get(id).filter(|agent| agent.free())?;
        let node = agent.profile.node;
        if !self.node_up(node) {
            return None;
        }
        self.lines
            .iter()
            .filter(|((_, of), line)| *of == node && !line.is_empty())
            .filter_map(|((queue, _), line)| Some((*queue, line.first_for(id)?)))
            .filter(|(queue, _)| agent.serves(&self.queue(*queue)))
            .min_by_key(|(_, place)| *place)
    }

    /// The queue of this name; the first one where the settings have none of that name any more.
    pub fn queue_named(&self, name: &str) -> QueueId {
        let named = self.settings.queues.iter().position(|queue| queue.name == name);
        QueueId(named.and_then(|at| u16::try_from(at).ok()).unwrap_or_default())
    }

    pub fn estimate(&mut self, queue: QueueId) -> &mut Estimate {
        self.estimates.entry(queue).or_default()
    }

    /// Estimated wait at a position of the queue.
    pub fn wait_at(&self, queue: QueueId, position: usize) -> std::time::Duration {
        let agents = self.at_work.get(usize::from(queue.0)).copied().unwrap_or_default();
        match self.estimates.get(&queue) {
            Some(estimate) => estimate.wait(position, agents),
            None => Estimate::default().wait(position, agents),
        }
    }

    /// Changes to whom a waiting caller may be offered.
    pub fn admit(&mut self, queue: QueueId, node: NodeId, place: Place, was: Eligible, eligible: Eligible) {
        self.line(queue, node).change(place, was, eligible);
        if eligible != Eligible::Nobody {
            self.wishes.push_back(Wish::Caller(place.call()));
        }
    }

    pub fn arm(&mut self, call: CallId, at: Instant, reason: &'static str) {
        self.timers.arm(at, Owner::Call(call), reason);
    }

    pub fn arm_net(&mut self, call: CallId, at: Instant, reason: &'static str) {
        self.timers.arm_net(self.now.mono, at, Owner::Call(call), reason);
    }

    /// What was armed for that moment wakes the call no more.
    pub fn forget(&mut self, call: CallId, at: Instant) {
        self.timers.forget(at, Owner::Call(call));
    }
}
