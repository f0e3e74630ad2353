//! The promises, checked after every event: what the engine says of itself against the journal, the consoles, the
//! simple reference and what really stands in the Asterisks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use perezvon::engine::command::{Answer, AriRequest, Command, Denied, Fact, Update};
use perezvon::engine::event::{Event, NodeEvent, Request};
use perezvon::engine::ids::{AgentId, CallId, ChannelId, Own, RequestId};
use perezvon::engine::settings::Strategy;
use perezvon::engine::time::Wall;
use perezvon::engine::view::{AgentView, CallStage, CallView, Disposition, OfferOutcome, PauseReason, Status};

use crate::reference::Queued;
use crate::sim_agent::PauseWord;
use crate::world::World;

/// What the checks remember.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    /// The consoles' picture, made of updates alone.
    pub calls: BTreeMap<CallId, CallView>,
    pub agents: BTreeMap<AgentId, AgentView>,
    /// Open offers of each call.
    pub offers: BTreeMap<CallId, BTreeMap<u32, AgentId>>,
    /// Legs to agents that the engine counts as standing.
    legs: BTreeMap<AgentId, (CallId, u32)>,
    ended: BTreeMap<CallId, (u32, Disposition)>,
    bridged: BTreeSet<CallId>,
    /// Who hears which talk, since when.
    heard: BTreeSet<(CallId, AgentId, Wall)>,
    collected: BTreeMap<CallId, u32>,
    /// Calls whose end somebody asked for.
    pub to_be_ended: BTreeSet<CallId>,
    channels: BTreeMap<CallId, ChannelId>,
    pub asked: BTreeMap<RequestId, Request>,
    pub clock_stepped: bool,
    /// When the office was last described anew.
    pub changed_at: Option<i64>,
    // ---- of the reference
    pub queued: BTreeMap<CallId, Queued>,
    pub to_agent: BTreeSet<CallId>,
    /// First entry of each call into a queue, over all engines.
    pub entered: BTreeMap<CallId, Wall>,
    pub free_before: BTreeSet<AgentId>,
    pub node_came_up: bool,
    pub last_offered: BTreeMap<AgentId, u64>,
    pub offers_made: u64,
    /// Agents whose phone Asterisk could not ring: they come after the others until it can.
    pub ring_failed: BTreeSet<AgentId>,
    /// The last turn of the agent who is just being offered a call.
    pub turn_before: Option<u64>,
    pub odd: BTreeMap<Odd, i64>,
}

/// Something that may be so for a moment, and not for longer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Odd {
    /// The agent is free and a fitting caller waits.
    Idle(AgentId, CallId),
    /// The agent counts as busy and has nothing on the phone.
    Ghost(AgentId, &'static str),
    /// A leg was answered, and nobody is heard on it.
    Apart(ChannelId),
    /// A phone rings for a call that is served by another.
    RingsForNothing(ChannelId),
    /// A channel that belongs to no call.
    Stray(ChannelId),
}

impl Checks {
    /// The consoles show a call of this caller's channel.
    pub fn is_of_a_call(&self, channel: &ChannelId) -> bool {
        self.calls.keys().any(|call| self.channels.get(call) == Some(channel))
    }

    /// What an engine that was killed said of its calls is void.
    pub fn engine_starts(&mut self) {
        self.calls.clear();
        self.heard.clear();
        self.agents.clear();
        self.offers.clear();
        self.legs.clear();
        self.asked.clear();
        self.queued.clear();
        self.to_agent.clear();
        self.odd.clear();
        self.last_offered.clear();
    }
}

impl World {
    /// Before the engine sees an event.
    pub fn before(&mut self, event: &Event) {
        self.checks.free_before = self.free_agents();
        if let Event::Refused { request: AriRequest::Ring { dial, .. }, .. } = event
            && let Some(phone) = self.phones.iter().find(|phone| dial.ends_with(&phone.endpoint))
        {
            self.checks.ring_failed.insert(phone.agent);
        }
        self.checks.node_came_up = matches!(event, Event::Node(_, NodeEvent::Up(_)));
    }

    /// Each command, in order.
    pub fn look_at(&mut self, command: &Command) {
        match command {
            Command::Persist(fact) => self.look_at_fact(fact),
            Command::Publish(update) => self.look_at_update(update),
            Command::Respond { request, result } => self.look_at_answer(*request, result),
            Command::Alarm { call, text } => {
                if self.quiet() {
                    self.violate(format!("alarm of call {call} without a fault: {text}"));
                }
            }
            Command::CollectRecording { call, talked, .. } => self.look_at_recording(*call, *talked),
            Command::Asterisk { .. }
            | Command::LoadCaller { .. }
            | Command::CancelOrder { .. }
            | Command::SearchAgain { .. }
            | Command::KeepPlace { .. }
            | Command::SweepRecordings { .. } => {}
        }
    }

    fn look_at_recording(&mut self, call: CallId, talked: Duration) {
        *self.checks.collected.entry(call).or_default() += 1;
        if self.checks.bridged.contains(&call) && talked.is_zero() {
            self.violate(format!("call {call} was bridged, and its recording counts as empty"));
        }
        if self.checks.calls.contains_key(&call) {
            self.violate(format!("the recording of call {call} is collected while it lives"));
        }
    }

    fn look_at_update(&mut self, update: &Update) {
        match update {
            Update::Offer { call, .. } | Update::Call(call) => {
                if self.checks.ended.get(&call.call).is_none_or(|(by, _)| *by != self.incarnation) {
                    self.checks.calls.insert(call.call, call.clone());
                }
            }
            Update::CallEnded { call, .. } => {
                self.checks.calls.remove(call);
                self.checks.queued.remove(call);
            }
            Update::Agent(view) => {
                self.checks.agents.insert(view.agent, view.clone());
            }
            Update::AgentRemoved(agent) => {
                self.checks.agents.remove(agent);
            }
            Update::OfferEnded { agent, call, .. } => {
                if let Some(shown) = self.checks.calls.get_mut(call) {
                    shown.agents.retain(|other| other != agent);
                }
            }
            Update::Node { .. }
            | Update::Order { .. }
            | Update::Client { .. }
            | Update::Callback { .. }
            | Update::Contact { .. }
            | Update::Notification { .. } => {}
        }
    }

    fn look_at_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::AttemptStarted { .. } | Fact::AttemptEnded { .. } | Fact::CallbackEnded { .. } => {}
            Fact::CallArrived { call, channel, .. } => {
                self.checks.channels.insert(*call, channel.clone());
            }
            Fact::CallQueued { call, queue, priority, at, .. } => self.queued(*call, *queue, *priority, *at),
            Fact::LegStarted { call, leg, agent: Some(agent), channel, .. } => {
                // Who hears a talk is offered nothing.
                if !matches!(Own::parse(channel.as_str()), Some((_, Own::Monitor(_)))) {
                    self.checks.offers_made += 1;
                    self.checks.turn_before = self.checks.last_offered.insert(*agent, self.checks.offers_made);
                }
                if let Some((other, no)) = self.checks.legs.insert(*agent, (*call, *leg)) {
                    self.violate(format!("agent {} has leg {no} of {other} and gets leg {leg} of {call}", agent.0));
                }
            }
            Fact::LegEnded { call, leg, .. } => self.checks.legs.retain(|_, held| *held != (*call, *leg)),
            Fact::OfferMade { call, offer, agent, .. } => self.look_at_offer(*call, *offer, *agent),
            Fact::OfferEnded { call, offer, outcome, .. } => self.look_at_offer_end(*call, *offer, *outcome),
            Fact::CallBridged { call, agent, .. } => {
                if let Some(agent) = agent {
                    self.checks.ring_failed.remove(agent);
                }
                self.checks.bridged.insert(*call);
            }
            Fact::CallNoted { call, what, detail, .. } => {
                if *what == "transferred" && detail.starts_with("agent ") {
                    self.checks.to_agent.insert(*call);
                }
            }
            Fact::MonitorBegan { call, listener, at, .. } => {
                if !self.checks.calls.contains_key(call) {
                    self.violate(format!("agent {} hears call {call}, which is no more", listener.0));
                }
                self.checks.heard.insert((*call, *listener, *at));
            }
            Fact::MonitorEnded { call, listener, began, .. } => {
                if !self.checks.heard.remove(&(*call, *listener, *began)) {
                    self.violate(format!("agent {} hears call {call} no more, and did not", listener.0));
                }
            }
            Fact::CallEnded { call, disposition, talked, .. } => self.look_at_end(*call, *disposition, *talked),
            Fact::AgentStatus { agent, status: Status::Pause(reason), by, .. } => {
                if *by == perezvon::engine::event::Actor::Engine {
                    self.look_at_pause(*agent, reason);
                    self.paused_by_engine(*agent);
                }
            }
            Fact::AgentStatus { .. }
            | Fact::LegStarted { .. }
            | Fact::LegAnswered { .. }
            | Fact::OfferRinging { .. }
            | Fact::CallsAlive { .. }
            | Fact::WrapUp { .. }
            | Fact::WaitTold { .. }
            | Fact::AgentIdle { .. } => {}
        }
    }

    fn look_at_offer(&mut self, call: CallId, offer: u32, agent: AgentId) {
        let to_all = self.strategy_of(call) == Some(Strategy::RingAll) || self.checks.changed_at.is_some();
        let open = self.checks.offers.entry(call).or_default();
        let held: Vec<u32> = open.keys().copied().collect();
        open.insert(offer, agent);
        if !held.is_empty() && !to_all {
            self.violate(format!("call {call} is offered to agent {} beside offers {held:?}", agent.0));
        }
        let elsewhere = self
            .checks
            .offers
            .iter()
            .find(|(other, open)| **other != call && open.values().any(|offered| *offered == agent));
        if let Some((other, _)) = elsewhere {
            let text = format!("agent {} is offered {call} and {other}", agent.0);
            self.violate(text);
        }
        self.judge_offer(call, agent);
    }

    fn look_at_offer_end(&mut self, call: CallId, offer: u32, outcome: OfferOutcome) {
        let ended = self.checks.offers.get_mut(&call).and_then(|open| open.remove(&offer));
        if self.checks.offers.get(&call).is_some_and(BTreeMap::is_empty) {
            self.checks.offers.remove(&call);
        }
        if ended.is_none() && self.quiet() {
            self.violate(format!("offer {offer} of {call} ends with {outcome} and was not open"));
        }
        if let Some(queued) = self.checks.queued.get_mut(&call) {
            queued.reserved_until = queued.reserved_until.min(self.now);
        }
    }

    /// No agent is paused without a cause.
    fn look_at_pause(&mut self, agent: AgentId, reason: &PauseReason) {
        let word = match reason {
            PauseReason::NoAnswer => PauseWord::NoAnswer,
            PauseReason::Rejected => PauseWord::Rejected,
            PauseReason::Unreachable => PauseWord::Unreachable,
            PauseReason::Declared(_) => {
                self.violate(format!("the engine declares a pause of its own for agent {}", agent.0));
                return;
            }
        };
        let phone = &self.phones[agent.0 as usize - 1];
        if self.quiet() && !phone.blame.contains(&word) {
            let text = format!("agent {} is paused for {word:?}; the phone only did {:?}", agent.0, phone.blame);
            self.violate(text);
        }
    }

    fn look_at_end(&mut self, call: CallId, disposition: Disposition, talked: Duration) {
        if let Some((by, before)) = self.checks.ended.insert(call, (self.incarnation, disposition))
            && by == self.incarnation
        {
            self.violate(format!("call {call} ends as {before} and again as {disposition}"));
        }
        let bridged = self.checks.bridged.contains(&call);
        let caller = self.checks.channels.get(&call).and_then(|id| self.caller_of(id));
        let hung_up = caller.and_then(|index| self.callers[index].hung_up);
        let plausible = match disposition {
            Disposition::Blocked => !bridged && caller.is_some_and(|index| self.callers[index].card.blocked),
            // By the caller, or by the engine when all is settled.
            // Nobody is called here.
            Disposition::Unheard => false,
            // Chosen by a key, and confirmed by another.
            Disposition::Callback => !bridged && caller.is_some_and(|index| self.callers[index].pressed.contains(&'1')),
            Disposition::NoAnswer => false,
            Disposition::Informed => {
                let menu = self.plan.settings.menus.start.is_some();
                !bridged && (menu || caller.is_some_and(|index| !self.callers[index].card.orders.is_empty()))
            }
            Disposition::AfterHours => !bridged && !self.plan.settings.after_hours.is_empty(),
            Disposition::Abandon => !bridged && (hung_up.is_some() || !self.quiet()),
            Disposition::CompleteCaller => bridged && (hung_up.is_some() || !self.quiet()),
            Disposition::CompleteAgent => {
                bridged && (hung_up.is_none_or(|at| at > self.now - 300_000) || !self.quiet())
            }
            Disposition::Ended => self.checks.to_be_ended.contains(&call),
            Disposition::Fallback | Disposition::Lost => !self.quiet(),
        };
        if !plausible {
            self.violate(format!("call {call} ends as {disposition}; bridged: {bridged}, caller hung up: {hung_up:?}"));
        }
        if bridged == talked.is_zero() {
            self.violate(format!("call {call} ends with {talked:?} of talk; bridged: {bridged}"));
        }
    }

    fn look_at_answer(&mut self, request: RequestId, result: &Result<Answer, Denied>) {
        let Some(asked) = self.checks.asked.remove(&request) else {
            self.violate(format!("request {} is answered and was not asked", request.0));
            return;
        };
        match (asked, result) {
            (Request::HangUp(call), Ok(_)) => {
                if !self.checks.ended.contains_key(&call) {
                    self.violate(format!("call {call} was to be ended and is not"));
                }
            }
            (Request::ViewQueue, Ok(Answer::Queue(view))) => {
                for agent in &view.agents {
                    let shown = self.checks.agents.get(&agent.agent);
                    // The end of after-call work is reckoned anew with every look at the clock.
                    let same = shown.is_some_and(|shown| {
                        shown.state.as_str() == agent.state.as_str() && shown.status == agent.status
                    });
                    if !same {
                        let text = format!("agent {} is {agent:?}; consoles show {shown:?}", agent.agent.0);
                        self.violate(text);
                    }
                }
            }
            (Request::ViewCalls, Ok(Answer::Calls(calls))) => self.compare_calls(calls),
            (_, _) => {}
        }
    }

    /// The consoles show what is.
    fn compare_calls(&mut self, calls: &[CallView]) {
        for call in calls.iter().filter(|call| call.stage != CallStage::Ending) {
            let shown = self.checks.calls.get(&call.call).map(|shown| (shown.stage, shown.agents.clone()));
            // Being looked up, or being joined: told when that is done.
            let early =
                call.stage == CallStage::Arriving || (call.stage == CallStage::Talking && call.bridged.is_none());
            if shown != Some((call.stage, call.agents.clone())) && !early {
                let text =
                    format!("call {} is {:?} with {:?}; consoles show {shown:?}", call.call, call.stage, call.agents);
                self.violate(text);
            }
        }
    }

    pub fn caller_of(&self, channel: &ChannelId) -> Option<usize> {
        self.callers.iter().position(|caller| caller.channel == *channel)
    }

    /// The caller's channel is gone: nothing to say yet, the engine has to learn of it.
    pub fn check_caller_gone(&mut self, index: usize) {
        let channel = self.callers[index].channel.clone();
        self.checks.odd.remove(&Odd::Stray(channel));
    }

    /// After all commands of an event.
    pub fn after_event(&mut self) {
        if !self.quiet() {
            self.checks.odd.clear();
            return;
        }
        self.check_idle_agents();
        self.check_ghosts();
        self.check_apart();
        self.check_strays();
    }

    /// Something that may be so for a moment only. `span` in microseconds.
    pub fn odd(&mut self, what: Odd, is: bool, span: i64) {
        if !is {
            self.checks.odd.remove(&what);
            return;
        }
        let since = *self.checks.odd.entry(what.clone()).or_insert(self.now);
        if self.now - since > span {
            self.violate(format!("{what:?} for {} ms", (self.now - since) / 1000));
        }
    }

    /// The run is over: nothing may be left anywhere.
    pub fn check_converged(&mut self) {
        if self.engine.is_none() {
            self.violate("no engine at the end".to_owned());
        }
        let left = self.engine.as_ref().map_or(0, perezvon::engine::Engine::calls);
        if left > 0 {
            self.violate(format!("{left} calls are left in the engine"));
        }
        for node in 0..self.nodes.len() {
            let asterisk = &self.nodes[node];
            if !asterisk.channels.is_empty() || !asterisk.bridges.is_empty() {
                let channels: Vec<_> = asterisk.channels.keys().collect();
                let text = format!("left in Asterisk {node}: {channels:?}, bridges {:?}", asterisk.bridges);
                self.violate(text);
            }
        }
        let busy = self.checks.agents.values().find(|agent| agent.state != perezvon::engine::view::AgentState::Idle);
        if let Some(agent) = busy {
            let text = format!("agent {} is {:?} for ever", agent.agent.0, agent.state);
            self.violate(text);
        }
        let open = self.checks.calls.keys().next().copied();
        if let Some(call) = open {
            self.violate(format!("consoles show call {call} for ever"));
        }
        if !self.checks.heard.is_empty() {
            let text = format!("heard for ever: {:?}", self.checks.heard);
            self.violate(text);
        }
        if !self.checks.offers.is_empty() {
            let text = format!("offers without an end: {:?}", self.checks.offers);
            self.violate(text);
        }
        let memory = format!("{:?}", self.engine).len();
        let bound = 20_000 + 4_000 * self.phones.len();
        if memory > bound {
            self.violate(format!("the engine without calls takes {memory} characters to describe"));
        }
        self.check_journal();
        self.ask_views();
    }

    fn ask_views(&mut self) {
        for what in [Request::ViewQueue, Request::ViewCalls] {
            self.request(perezvon::engine::event::Actor::Program("test".to_owned()), what);
        }
    }

    /// Each call that the journal knows has its end there, and each talk its recording.
    fn check_journal(&mut self) {
        let mut open: BTreeMap<CallId, usize> = BTreeMap::new();
        let mut bridged = BTreeSet::new();
        let mut swept = BTreeSet::new();
        let mut fallen = BTreeSet::new();
        for fact in self.store.facts() {
            if let Fact::CallArrived { call, node, .. } = fact {
                open.insert(*call, usize::from(node.0));
            }
            if let Fact::CallEnded { call, disposition, .. } = fact {
                open.remove(call);
                if *disposition == Disposition::Fallback {
                    fallen.insert(*call);
                }
            }
            if let Fact::CallBridged { call, .. } = fact {
                bridged.insert(*call);
            }
            if let Fact::CallsAlive { node, calls, .. } = fact {
                let lost: Vec<CallId> = open.keys().copied().filter(|call| !calls.contains(call)).collect();
                for call in lost {
                    if open.get(&call) == Some(&usize::from(node.0)) {
                        open.remove(&call);
                        swept.insert(call);
                    }
                }
            }
        }
        if !open.is_empty() {
            self.violate(format!("calls without an end in the journal: {open:?}"));
        }
        // A killed engine may have ended a call without having asked for the recording: the sweep finds it.
        let killed = self.incarnation > 0;
        let missing = bridged.iter().find(|call| {
            !self.checks.collected.contains_key(call) && !swept.contains(call) && !fallen.contains(call) && !killed
        });
        if let Some(call) = missing {
            self.violate(format!("nobody collects the recording of call {call}"));
        }
        let twice = self.checks.collected.iter().find(|(_, times)| **times > 1 && !killed);
        if let Some((call, times)) = twice {
            self.violate(format!("the recording of call {call} is collected {times} times"));
        }
    }
}
