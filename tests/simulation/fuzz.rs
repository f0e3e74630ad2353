//! Events that lie: unknown, repeated, contradictory, in any order. The engine may lose a call by them, but it must not
//! panic, run away, end a call twice or leave a request unanswered; and when the truth comes (an empty Asterisk), it must
//! be empty too.

use std::collections::BTreeMap;
use std::time::Duration;

use perezvon::engine::Engine;
use perezvon::engine::command::{Answer, AriRequest, Command, Fact};
use perezvon::engine::event::{
    Actor, Arrival, BridgeSnapshot, CallerCard, CancelRefused, ChannelSnapshot, Event, MonitorMode, NodeEvent, Origin,
    Refusal, Request, Snapshot, Target, TransferMode,
};
use perezvon::engine::ids::{AgentId, BridgeId, CallId, ChannelId, NodeId, Own, PlaybackId, QueueId, RequestId};
use perezvon::engine::time::{Instant, Now, Wall};
use perezvon::engine::view::{AgentState, Disposition, PauseReason, Status};

use crate::plan::{BEGINNING, Plan};
use crate::rng::Rng;

/// Events of one run.
const EVENTS: usize = 150;
/// More commands than any one event may lead to in an office of this size.
const MOST_COMMANDS: usize = 2_000;

struct Liar {
    rng: Rng,
    plan: Plan,
    engine: Engine,
    now: Now,
    channels: Vec<ChannelId>,
    calls: Vec<CallId>,
    requests: Vec<(NodeId, CallId, AriRequest)>,
    ended: BTreeMap<CallId, Disposition>,
    asked: u64,
    answered: u64,
    board: Vec<AgentState>,
    last: Event,
}

/// Plays one seed of lies.
pub fn play(seed: u64) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xF0F0);
    let plan = Plan::draw(&mut rng);
    let mut liar = Liar {
        engine: Engine::new(plan.settings.clone(), CallId(0)),
        now: Now { mono: Instant(0), wall: Wall(BEGINNING) },
        channels: (0..8).map(|n| ChannelId::from(format!("1795293198.{n}"))).collect(),
        calls: Vec::new(),
        requests: Vec::new(),
        ended: BTreeMap::new(),
        asked: 0,
        answered: 0,
        board: Vec::new(),
        last: Event::Wake,
        rng,
        plan,
    };
    for profile in liar.plan.profiles.clone() {
        liar.feed(Event::AgentChanged(profile))?;
    }
    liar.feed(Event::Node(NodeId(0), NodeEvent::Up(Snapshot::default())))?;
    for _ in 0..EVENTS {
        let event = liar.lie();
        let span = liar.rng.span(0, 3_000_000) as u64;
        liar.now += Duration::from_micros(span);
        liar.feed(event)?;
    }
    liar.truth()
}

impl Liar {
    fn feed(&mut self, event: Event) -> Result<(), String> {
        self.last = event.clone();
        self.engine.handle(event, self.now);
        let mut count = 0;
        while let Some(command) = self.engine.poll_command() {
            count += 1;
            self.note(command)?;
        }
        if count > MOST_COMMANDS {
            return Err(format!("{count} commands after {:?}", self.last));
        }
        if self.asked != self.answered {
            return Err(format!("not answered once: {:?}", self.last));
        }
        Ok(())
    }

    fn note(&mut self, command: Command) -> Result<(), String> {
        match command {
            Command::Asterisk { node, call, request } => {
                if let AriRequest::Ring { channel, .. } = &request {
                    self.channels.push(channel.clone());
                }
                self.requests.push((node, call, request));
            }
            Command::Persist(Fact::CallArrived { call, .. }) => self.calls.push(call),
            Command::Persist(Fact::CallEnded { call, disposition, .. }) => {
                if let Some(before) = self.ended.insert(call, disposition) {
                    // A note on a channel that lies brings back a call that is over: that is one more life.
                    let lives = self.calls.iter().filter(|known| **known == call).count();
                    if lives < 2 {
                        return Err(format!("call {call} ends as {before} and as {disposition}"));
                    }
                }
            }
            Command::Respond { result, .. } => {
                self.answered += 1;
                if let Ok(Answer::Queue(view)) = result {
                    self.board = view.agents.iter().map(|agent| agent.state.clone()).collect();
                }
            }
            Command::Persist(_)
            | Command::LoadCaller { .. }
            | Command::CancelOrder { .. }
            | Command::SearchAgain { .. }
            | Command::KeepPlace { .. }
            | Command::CollectRecording { .. }
            | Command::SweepRecordings { .. }
            | Command::Publish(_)
            | Command::Alarm { .. } => {}
        }
        Ok(())
    }

    fn lie(&mut self) -> Event {
        match self.rng.below(20) {
            0..=2 => self.node(NodeEvent::Arrived),
            3..=9 => {
                let event = self.any_event();
                Event::Node(self.any_node(), event)
            }
            10..=12 => self.any_refusal(),
            13 => self.any_order(),
            14..=16 => self.any_request(),
            17 => match self.rng.below(3) {
                0 => Event::AgentRemoved(self.any_agent()),
                1 => Event::Node(self.any_node(), NodeEvent::Down),
                _ => Event::AgentChanged(self.rng.pick(&self.plan.profiles.clone()).clone()),
            },
            18 => self.any_snapshot(),
            _ => {
                let mut settings = self.plan.settings.clone();
                settings.queues.truncate(1 + self.rng.below(3));
                if self.rng.per_mille(300) { Event::SettingsChanged(Box::new(settings)) } else { Event::Wake }
            }
        }
    }

    /// Cards, changes and answers about orders, true or not.
    fn any_order(&mut self) -> Event {
        let call = self.any_call();
        let card = self.any_card();
        let Some(order) = card.orders.first().cloned().filter(|_| self.rng.coin()) else {
            return Event::CallerLoaded { call, card };
        };
        if self.rng.coin() {
            return Event::OrderChanged { client: crate::sim_orders::client(0), order: Box::new(order) };
        }
        let result = if self.rng.coin() { Ok(()) } else { Err(CancelRefused::Ended) };
        Event::OrderCancelled { call, order: order.order, result }
    }

    fn node(&mut self, make: fn(Arrival) -> NodeEvent) -> Event {
        let channel = self.any_channel();
        let arrival = self.any_arrival(channel);
        Event::Node(self.any_node(), make(arrival))
    }

    fn any_node(&mut self) -> NodeId {
        NodeId(u16::from(self.rng.per_mille(200)))
    }

    fn any_call(&mut self) -> CallId {
        if self.calls.is_empty() { CallId(7) } else { *self.rng.pick(&self.calls.clone()) }
    }

    fn any_agent(&mut self) -> AgentId {
        AgentId(self.rng.between(1, 8) as u32)
    }

    fn any_channel(&mut self) -> ChannelId {
        self.rng.pick(&self.channels.clone()).clone()
    }

    fn any_card(&mut self) -> CallerCard {
        let (blocked, last) = (self.rng.per_mille(200), self.rng.coin().then_some(AgentId(1)));
        let priority = *self.rng.pick(&[0, 1, -1, i16::MAX, i16::MIN]);
        let orders = crate::sim_orders::draw(&mut self.rng, &self.plan, 0).into();
        let client = self.rng.coin().then_some(crate::sim_orders::client(0));
        CallerCard { blocked, last_agent: last, priority, client, orders, ..CallerCard::default() }
    }

    fn any_bridge(&mut self) -> BridgeId {
        let own = *self.rng.pick(&[Own::TalkBridge, Own::MixBridge, Own::ConsultBridge, Own::Leg(1)]);
        own.id(self.any_call()).into()
    }

    fn any_arrival(&mut self, channel: ChannelId) -> Arrival {
        let origin = match self.rng.below(4) {
            0 => Origin::Fallback,
            1 => Origin::Agent { endpoint: format!("agent-{}", self.rng.below(9)) },
            _ => Origin::Inbound,
        };
        let memo = match self.rng.below(4) {
            0 => Some(format!("1;{};{BEGINNING};{BEGINNING};0;q0;{BEGINNING};900;", self.any_call())),
            1 => Some("1;nonsense".to_owned()),
            _ => None,
        };
        Arrival {
            channel,
            origin,
            number: (*self.rng.pick(&["", "+79001234567", "anonymous"])).to_owned(),
            name: String::new(),
            dialled: (*self.rng.pick(&["100", "*60", "*61", "x"])).to_owned(),
            created: Wall(BEGINNING - self.rng.between(-10_000, 10_000)),
            answered: self.rng.coin(),
            memo,
        }
    }

    fn any_event(&mut self) -> NodeEvent {
        let channel = self.any_channel();
        let bridge = self.any_bridge();
        match self.rng.below(10) {
            0 => NodeEvent::Ringing(channel),
            1 | 2 => NodeEvent::Answered(channel),
            3 => NodeEvent::Gone { channel, cause: self.rng.below(130) as u16 },
            4 => NodeEvent::Left(channel),
            5 => NodeEvent::Digit { channel, digit: *self.rng.pick(&['#', '1', '2', '*']) },
            6 => {
                let own = Own::Playback(self.rng.below(4) as u32);
                NodeEvent::PlaybackEnded(PlaybackId::from(own.id(self.any_call())))
            }
            7 | 8 => NodeEvent::Joined { bridge, channel },
            _ => match self.rng.below(4) {
                3 => NodeEvent::Slow,
                0 => {
                    let endpoint = format!("agent-{}", self.rng.below(9));
                    if self.rng.per_mille(200) {
                        NodeEvent::Registered { endpoint }
                    } else {
                        NodeEvent::Device { endpoint, reachable: self.rng.per_mille(700) }
                    }
                }
                _ => NodeEvent::Parted { bridge, channel },
            },
        }
    }

    fn any_refusal(&mut self) -> Event {
        let Some((node, call, request)) = self.requests.last().cloned() else { return Event::Wake };
        let old = self.rng.pick(&self.requests.clone()).clone();
        let (node, call, request) = if self.rng.coin() { (node, call, request) } else { old };
        let why = match self.rng.below(6) {
            0 => Refusal::NotFound,
            1 => Refusal::Conflict,
            2 => Refusal::Unprocessable("lie".to_owned()),
            3 => Refusal::Failed("lie".to_owned()),
            4 => Refusal::TimedOut,
            _ => Refusal::Unreachable,
        };
        Event::Refused { node, call, request, why }
    }

    fn any_request(&mut self) -> Event {
        self.asked += 1;
        let (call, agent) = (self.any_call(), self.any_agent());
        let by = match self.rng.below(3) {
            0 => Actor::Agent(agent),
            1 => Actor::Person("chief".to_owned()),
            _ => Actor::Program("key".to_owned()),
        };
        let mode = if self.rng.coin() { TransferMode::Blind } else { TransferMode::Attended };
        let what = match self.rng.below(12) {
            0 => Request::SetStatus { agent, status: Status::Offline },
            1 => Request::SetStatus { agent, status: Status::Pause(PauseReason::NoAnswer) },
            2 | 3 => Request::SetStatus { agent, status: Status::Ready },
            4 => Request::EndWrapUp(agent),
            5 => Request::Hold(call),
            6 => Request::Resume(call),
            7 => Request::Transfer { call, to: Target::Agent(agent), mode },
            8 => Request::Transfer { call, to: Target::Number("+79001112233".to_owned()), mode },
            9 => Request::Transfer { call, to: Target::Queue(QueueId(self.rng.below(5) as u16)), mode },
            10 => Request::CompleteTransfer(call),
            _ => {
                let rest = [
                    Request::CancelTransfer(call),
                    Request::HangUp(call),
                    Request::PauseRecording(call),
                    Request::Monitor { call, agent, mode: *self.rng.pick(&MonitorMode::ALL) },
                    Request::StopMonitor { call, agent },
                    Request::ResumeRecording(call),
                    Request::ViewQueue,
                    Request::ViewCalls,
                ];
                self.rng.pick(&rest).clone()
            }
        };
        Event::Request { id: RequestId(self.asked), by, what }
    }

    fn any_snapshot(&mut self) -> Event {
        let mut snapshot = Snapshot::default();
        for channel in self.channels.clone() {
            if self.rng.coin() {
                let (ringing, endpoint) = (self.rng.coin(), format!("agent-{}", self.rng.below(9)));
                snapshot.channels.push(ChannelSnapshot { arrival: self.any_arrival(channel), endpoint, ringing });
            }
        }
        for _ in 0..self.rng.below(4) {
            let channels = vec![self.any_channel(), self.any_channel()];
            snapshot.bridges.push(BridgeSnapshot { bridge: self.any_bridge(), channels, note: None });
        }
        Event::Node(self.any_node(), NodeEvent::Up(snapshot))
    }

    /// Both Asterisks are found empty: nothing may be left.
    fn truth(&mut self) -> Result<(), String> {
        for node in [NodeId(0), NodeId(1)] {
            self.feed(Event::Node(node, NodeEvent::Up(Snapshot::default())))?;
        }
        for _ in 0..100_000 {
            let Some((at, _)) = self.engine.poll_timeout() else { break };
            let span = at.since(self.now.mono);
            self.now += span;
            self.feed(Event::Wake)?;
        }
        self.asked += 1;
        let what = Request::ViewQueue;
        self.feed(Event::Request { id: RequestId(self.asked), by: Actor::Engine, what })?;
        let busy = self.board.iter().find(|state| **state != AgentState::Idle);
        match (self.engine.poll_timeout(), self.engine.calls(), busy) {
            (None, 0, None) => {}
            (timer, calls, busy) => return Err(format!("left: timer {timer:?}, {calls} calls, an agent {busy:?}")),
        }
        let memory = format!("{:?}", self.engine).len();
        if memory > 40_000 {
            return Err(format!("the empty engine takes {memory} characters to describe"));
        }
        Ok(())
    }
}
