//! A small office whose engine is told events by a script, and a transcript of what the engine wanted done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use perezvon::engine::Engine;
use perezvon::engine::callback::request::CallbackRequest;
use perezvon::engine::command::{AriRequest, Command, Fact, Update};
use perezvon::engine::event::{
    Actor, Answered, Arrival, BridgeSnapshot, CallerCard, ChannelSnapshot, Event, NodeEvent, Note, Origin, Refusal,
    Request, Snapshot,
};
use perezvon::engine::ids::{AgentId, BridgeId, CallId, ChannelId, NodeId, PlaybackId, RequestId};
use perezvon::engine::settings::{AgentProfile, QueueSettings, Settings};
use perezvon::engine::time::{Instant, Now, Wall};
use perezvon::engine::view::{AgentState, Status};
use perezvon::speech::Language;

const NODE: NodeId = NodeId(0);
/// Wall clock at the beginning.
pub const BEGINNING: i64 = 1_795_293_198_000;

pub struct Office {
    engine: Engine,
    settings: Settings,
    agents: u32,
    now: Now,
    text: String,
    /// Names of calls in the transcript, in order of appearance.
    calls: Vec<CallId>,
    requests: Vec<(CallId, AriRequest)>,
    asked: u64,
    /// The last note on each channel, for a restart.
    memos: BTreeMap<ChannelId, String>,
    notes: BTreeMap<BridgeId, Note>,
}

impl Office {
    /// An office of so many agents, all ready, connected to an empty Asterisk.
    pub fn new(agents: u32, change: impl FnOnce(&mut Settings)) -> Office {
        let queue = QueueSettings { announce_first: Duration::ZERO, ..QueueSettings::default() };
        let second = QueueSettings { name: "second".to_owned(), ..queue.clone() };
        let mut settings = Settings {
            queues: vec![queue, second],
            trunk: Some("trunk".to_owned()),
            allowed_numbers: BTreeSet::from(["+79".to_owned()]),
            ..Settings::default()
        };
        change(&mut settings);
        let mut office = Office {
            engine: Engine::new(settings.clone(), CallId(0)),
            settings,
            agents,
            now: Now { mono: Instant(0), wall: Wall(BEGINNING) },
            text: String::new(),
            calls: Vec::new(),
            requests: Vec::new(),
            asked: 0,
            memos: BTreeMap::new(),
            notes: BTreeMap::new(),
        };
        office.open();
        office.text.clear();
        office
    }

    fn open(&mut self) {
        for id in 1..=self.agents {
            self.quietly(Event::AgentChanged(profile(id)));
        }
        self.quietly(Event::Node(NODE, NodeEvent::Up(Snapshot::default())));
    }

    /// The engine is killed and started anew; this stands in Asterisk.
    pub fn restart(&mut self, channels: Vec<ChannelSnapshot>, bridges: Vec<BridgeSnapshot>) {
        self.script("the engine is killed and starts anew");
        self.engine = Engine::new(self.settings.clone(), self.calls.iter().max().copied().unwrap_or(CallId(0)));
        for id in 1..=self.agents {
            self.quietly(Event::AgentChanged(profile(id)));
        }
        self.connected(channels, bridges);
    }

    /// The socket is up (again); this stands in Asterisk.
    pub fn connected(&mut self, channels: Vec<ChannelSnapshot>, bridges: Vec<BridgeSnapshot>) {
        self.script("connected");
        let snapshot = Snapshot { channels, bridges, devices: Vec::new() };
        self.feed(Event::Node(NODE, NodeEvent::Up(snapshot)));
    }

    // ---- the script

    /// A caller enters the application.
    pub fn arrives(&mut self, caller: &str, number: &str) {
        self.script(&format!("{caller} arrives"));
        let arrival = self.arrival(caller, number, Origin::Inbound);
        self.feed(Event::Node(NODE, NodeEvent::Arrived(arrival)));
    }

    /// The dialplan says who answered this attempt.
    pub fn screened(&mut self, channel: &str, answered: Answered) {
        self.script(&format!("{channel} is answered by: {answered:?}"));
        let arrival = self.arrival(channel, "", Origin::Outgoing { answered });
        self.feed(Event::Node(NODE, NodeEvent::Arrived(Arrival { answered: true, ..arrival })));
    }

    /// A callback becomes wanted; it is due now.
    pub fn wants(&mut self, request: CallbackRequest) {
        self.script(&format!("callback {} is wanted", request.id.0));
        self.feed(Event::CallbackRequested(Box::new(request)));
    }

    /// What time it is.
    pub fn wall(&self) -> Wall {
        self.now.wall
    }

    /// The engine is killed; a new one reads these pending callbacks and finds this in Asterisk.
    pub fn restart_with(&mut self, pending: Vec<CallbackRequest>, channels: Vec<ChannelSnapshot>) {
        self.restart_with_bridges(pending, channels, Vec::new());
    }

    /// The same, with bridges.
    pub fn restart_with_bridges(
        &mut self,
        pending: Vec<CallbackRequest>,
        channels: Vec<ChannelSnapshot>,
        bridges: Vec<BridgeSnapshot>,
    ) {
        self.script("the engine is killed and starts anew");
        self.engine = Engine::new(self.settings.clone(), self.calls.iter().max().copied().unwrap_or(CallId(0)));
        for id in 1..=self.agents {
            self.quietly(Event::AgentChanged(profile(id)));
        }
        for request in pending {
            self.quietly(Event::CallbackRequested(Box::new(request)));
        }
        self.connected(channels, bridges);
    }

    /// The way to here is not written down again.
    pub fn forget(&mut self) {
        self.text.clear();
    }

    /// An agent dials a code.
    pub fn dials(&mut self, agent: u32, code: &str) {
        self.script(&format!("agent {agent} dials {code}"));
        let mut arrival = self.arrival("dialler", "", Origin::Agent { endpoint: format!("agent-{agent}") });
        arrival.dialled = code.to_owned();
        self.feed(Event::Node(NODE, NodeEvent::Arrived(arrival)));
    }

    /// The card of the call that came last (or this one, from 1) is there.
    pub fn card(&mut self, call: usize, card: CallerCard) {
        self.script("the card is there");
        self.feed(Event::CallerLoaded { call: self.calls[call - 1], card });
    }

    pub fn node(&mut self, event: NodeEvent) {
        let told = self.named(&told(&event));
        self.script(&told);
        self.feed(Event::Node(NODE, event));
    }

    /// The caller presses these keys, one after another.
    pub fn presses(&mut self, channel: &str, keys: &str) {
        for digit in keys.chars() {
            self.node(NodeEvent::Digit { channel: self.channel(channel), digit });
        }
    }

    /// Something else happens.
    pub fn event(&mut self, told: &str, event: Event) {
        self.script(told);
        self.feed(event);
    }

    pub fn rings(&mut self, leg: &str) {
        self.node(NodeEvent::Ringing(self.channel(leg)));
    }

    pub fn answers(&mut self, leg: &str) {
        self.node(NodeEvent::Answered(self.channel(leg)));
    }

    pub fn gone(&mut self, channel: &str, cause: u16) {
        self.node(NodeEvent::Gone { channel: self.channel(channel), cause });
    }

    pub fn playback_ends(&mut self, playback: &str) {
        let id = self.id(playback);
        self.node(NodeEvent::PlaybackEnded(PlaybackId::from(id)));
    }

    pub fn enters(&mut self, bridge: &str, channels: &[&str]) {
        for channel in channels {
            let (bridge, channel) = (BridgeId::from(self.id(bridge)), self.channel(channel));
            self.node(NodeEvent::Joined { bridge, channel });
        }
    }

    pub fn leaves(&mut self, bridge: &str, channel: &str) {
        let (bridge, channel) = (BridgeId::from(self.id(bridge)), self.channel(channel));
        self.node(NodeEvent::Parted { bridge, channel });
    }

    /// Asterisk refuses the last request for which this word stands.
    pub fn refuses(&mut self, word: &str, why: Refusal) {
        let found = self.requests.iter().rev().find(|(_, request)| format!("{request:?}").starts_with(word)).cloned();
        let (call, request) = found.expect("such a request was made");
        self.script(&format!("Asterisk refuses {word}: {why}"));
        self.feed(Event::Refused { node: NODE, call, request, why });
    }

    pub fn asks(&mut self, by: Actor, what: Request) {
        self.script(&self.named(&format!("{by:?} asks: {what:?}")));
        self.asked += 1;
        self.feed(Event::Request { id: RequestId(self.asked), by, what });
    }

    /// Time passes; the engine is woken when it wants to be.
    pub fn passes(&mut self, span: Duration) {
        self.script(&format!("{span:?} pass"));
        let end = self.now.mono + span;
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now += at.since(self.now.mono);
            self.feed(Event::Wake);
        }
        self.now += end.since(self.now.mono);
    }

    /// A caller is in talk with agent 1: the way there is not written down again.
    pub fn in_talk(&mut self) {
        self.arrives("caller", "+79001234567");
        self.card(1, CallerCard::default());
        self.playback_ends("C1-p1");
        self.rings("C1-l1");
        self.answers("C1-l1");
        self.enters("C1-b", &["caller", "C1-l1"]);
        self.passes(Duration::from_secs(10));
        self.text.clear();
    }

    /// What was played last is over.
    pub fn last_playback_ends(&mut self) {
        let played = self.requests.iter().rev().find_map(|(_, request)| match request {
            AriRequest::Play { playback, .. } => Some(playback.clone()),
            _ => None,
        });
        self.script("the prompt ends");
        self.feed(Event::Node(NODE, NodeEvent::PlaybackEnded(played.expect("something was played"))));
    }

    /// Time passes, and the engine is not woken.
    pub fn skips(&mut self, span: Duration) {
        self.now += span;
    }

    // ---- ids

    pub fn call(&self, call: usize) -> CallId {
        self.calls[call - 1]
    }

    /// `C1-l1` is leg 1 of the first call; other names stand for themselves.
    fn id(&self, name: &str) -> String {
        match name.strip_prefix('C').and_then(|rest| rest.split_once('-')) {
            Some((call, own)) => {
                let call = self.calls[call.parse::<usize>().expect("the number of a call") - 1];
                format!("pz-{call}-{own}")
            }
            None => name.to_owned(),
        }
    }

    fn channel(&self, name: &str) -> ChannelId {
        ChannelId::from(self.id(name))
    }

    fn arrival(&self, channel: &str, number: &str, origin: Origin) -> Arrival {
        let channel = self.channel(channel);
        Arrival {
            origin,
            number: number.to_owned(),
            name: String::new(),
            dialled: "100".to_owned(),
            created: self.now.wall,
            answered: false,
            memo: self.memos.get(&channel).cloned(),
            channel,
        }
    }

    /// A channel as a snapshot shows it. A leg belongs to the agent whose number is given.
    pub fn stands(&self, name: &str, agent: Option<u32>, answered: bool, ringing: bool) -> ChannelSnapshot {
        let number = if agent.is_none() { "+79001234567" } else { "" };
        let arrival = Arrival { answered, ..self.arrival(name, number, Origin::Inbound) };
        let endpoint = agent.map_or_else(|| "trunk".to_owned(), |id| format!("agent-{id}"));
        ChannelSnapshot { arrival, endpoint, ringing }
    }

    pub fn bridge(&self, name: &str, channels: &[&str]) -> BridgeSnapshot {
        let channels = channels.iter().map(|name| self.channel(name)).collect();
        let bridge = BridgeId::from(self.id(name));
        let note = self.notes.get(&bridge).cloned();
        BridgeSnapshot { bridge, channels, note }
    }

    // ---- the transcript

    /// What was written down.
    pub fn transcript(self) -> String {
        self.text
    }

    fn script(&mut self, line: &str) {
        let seconds = self.now.mono.0 as f64 / 1e6;
        writeln!(self.text, "[{seconds:.3}] {line}").expect("a String takes all");
    }

    fn quietly(&mut self, event: Event) {
        let before = self.text.len();
        self.feed(event);
        self.text.truncate(before);
    }

    fn feed(&mut self, event: Event) {
        self.now += Duration::from_millis(1);
        self.engine.handle(event, self.now);
        while let Some(command) = self.engine.poll_command() {
            self.remember(&command);
            if let Some(line) = line(&command) {
                let line = self.named(&line);
                writeln!(self.text, "    {line}").expect("a String takes all");
            }
        }
    }

    fn remember(&mut self, command: &Command) {
        if let Command::Persist(Fact::CallArrived { call, .. } | Fact::AttemptStarted { attempt: call, .. }) = command
            && !self.calls.contains(call)
        {
            self.calls.push(*call);
        }
        if let Command::Asterisk { call, request, .. } = command {
            if let AriRequest::SetMemo { channel, memo } | AriRequest::Dial { channel, memo, .. } = request {
                self.memos.insert(channel.clone(), memo.clone());
            }
            if let AriRequest::CreateBridge(bridge, Some(note)) = request {
                self.notes.insert(bridge.clone(), note.clone());
            }
            if let AriRequest::ToFallback { channel, .. } = request {
                self.memos.remove(channel);
            }
            self.requests.push((*call, request.clone()));
        }
    }

    /// Ids of calls as C1, C2, …
    fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (at, call) in self.calls.iter().enumerate() {
            let name = format!("C{}", at + 1);
            text = text.replace(&format!("pz-{call}"), &name).replace(&call.to_string(), &name);
            text = text.replace(&format!("CallId({})", call.0), &name);
        }
        // A code dialled by an agent is no call of the journal.
        while let Some(at) = text.find("pz-") {
            text.replace_range(at..at + "pz-0123456789abcdef".len(), "code");
        }
        text
    }
}

fn profile(id: u32) -> AgentProfile {
    AgentProfile {
        agent: AgentId(id),
        name: format!("Agent {id}"),
        endpoint: format!("agent-{id}"),
        node: NODE,
        queues: BTreeSet::new(),
        skills: BTreeMap::new(),
        status: Status::Ready,
        idle_since: Wall(BEGINNING - 100_000 + i64::from(id) * 1000),
        calls_taken: 0,
    }
}

/// A moment as the transcript tells it.
fn since(at: Wall) -> String {
    format!("since {:.3} s", (at.0 - BEGINNING) as f64 / 1e3)
}

fn told(event: &NodeEvent) -> String {
    match event {
        NodeEvent::Ringing(channel) => format!("{channel} rings"),
        NodeEvent::Progress(channel) => format!("{channel}: the network plays something"),
        NodeEvent::Answered(channel) => format!("{channel} answers"),
        NodeEvent::Gone { channel, cause } => format!("{channel} is gone ({cause})"),
        NodeEvent::Left(channel) => format!("{channel} leaves the application"),
        NodeEvent::Digit { channel, digit } => format!("{channel} presses {digit}"),
        NodeEvent::PlaybackEnded(playback) => format!("{playback} ends"),
        NodeEvent::Joined { bridge, channel } => format!("{channel} is in {bridge}"),
        NodeEvent::Parted { bridge, channel } => format!("{channel} is out of {bridge}"),
        NodeEvent::Device { endpoint, reachable } => format!("{endpoint} reachable: {reachable}"),
        NodeEvent::Registered { endpoint } => format!("{endpoint} says that it has registered"),
        NodeEvent::Down => "the socket is lost".to_owned(),
        NodeEvent::Slow => "Asterisk answers late".to_owned(),
        NodeEvent::Up(_) | NodeEvent::Arrived(_) => format!("{event:?}"),
    }
}

/// A command as a line; `None` for what a reader of a flow does not need.
fn line(command: &Command) -> Option<String> {
    Some(match command {
        Command::Asterisk { request, .. } => format!("asterisk: {}", asked(request)?),
        Command::LoadCaller { number, .. } => format!("store: load the card of {number}"),
        Command::KeepPlace { number, place, .. } => {
            let waits = since(place.entered);
            format!("store: keep a place of {} ({waits}, priority {}) for {number}", place.queue, place.priority)
        }
        Command::SearchAgain { order, .. } => format!("store: look for a car again for order {}", order.0),
        Command::CancelOrder { order, .. } => format!("store: cancel order {}", order.0),
        Command::Persist(fact) => format!("journal: {}", written(fact)?),
        Command::CollectRecording { name, talked, .. } => format!("recording: collect {name}, {talked:?}"),
        Command::SweepRecordings { keep, .. } => format!("recording: sweep, keep {keep:?}"),
        Command::Publish(Update::Offer { agent, .. }) => format!("console: offer to agent {}", agent.0),
        Command::Publish(Update::OfferEnded { agent, outcome, .. }) => {
            format!("console: offer to agent {} is over, {outcome}", agent.0)
        }
        Command::Publish(Update::Agent(view)) => match view.state {
            AgentState::Reserved(call) => format!("console: agent {} is reserved for {call}", view.agent.0),
            _ => return None,
        },
        Command::Publish(
            Update::AgentRemoved(_) | Update::Call(_) | Update::CallEnded { .. } | Update::Node { .. },
        ) => return None,
        Command::Respond { result, .. } => match result {
            Ok(_) => "answer: done".to_owned(),
            Err(why) => format!("answer: no, {why}"),
        },
        // The store's news, never the engine's.
        Command::Publish(
            Update::Order { .. }
            | Update::Client { .. }
            | Update::Callback { .. }
            | Update::Contact { .. }
            | Update::Notification { .. },
        ) => return None,
        Command::Alarm { text, .. } => format!("ALARM: {text}"),
    })
}

fn asked(request: &AriRequest) -> Option<String> {
    Some(match request {
        AriRequest::Answer(channel) => format!("answer {channel}"),
        AriRequest::HangUp { channel, cause } => format!("hang up {channel}, {cause:?}"),
        AriRequest::Play { channel, playback, phrases, language } => {
            let tongue = if *language == Language::Ru { "" } else { " in English" };
            format!("play {phrases:?}{tongue} to {channel} as {playback}")
        }
        AriRequest::StopPlayback(playback) => format!("stop {playback}"),
        AriRequest::MusicOn(channel) => format!("music on {channel}"),
        AriRequest::MusicOff(channel) => format!("music off {channel}"),
        AriRequest::RingbackOn(channel) => format!("ringback on {channel}"),
        AriRequest::RingbackOff(channel) => format!("ringback off {channel}"),
        AriRequest::Ring { channel, dial, .. } => format!("ring {dial} as {channel}"),
        AriRequest::Dial { channel, dial, memo, .. } => format!("dial {dial} as {channel}, note {memo}"),
        AriRequest::Screen { channel, .. } => format!("{channel} to the dialplan: who answered?"),
        AriRequest::CreateBridge(bridge, None) => format!("make bridge {bridge}"),
        AriRequest::CreateBridge(bridge, Some(note)) => {
            format!("make bridge {bridge} with the note on {}", note.channel)
        }
        AriRequest::Join { bridge, channels } => {
            let channels: Vec<&str> = channels.iter().map(ChannelId::as_str).collect();
            format!("join {} in {bridge}", channels.join(" + "))
        }
        AriRequest::Part { bridge, channel } => format!("take {channel} out of {bridge}"),
        AriRequest::DestroyBridge(bridge) => format!("remove bridge {bridge}"),
        AriRequest::Snoop { on, snoop, bridge, mode } => {
            format!("snoop {} on {on} as {snoop} in {bridge}", mode.as_str())
        }
        AriRequest::ToFallback { channel, dialled } => {
            format!("{channel} to the fallback dialplan, dialled {dialled:?}")
        }
        // Moments of the wall clock: the unit tests of the note read them.
        AriRequest::SetMemo { channel, .. } => format!("note on {channel}"),
        AriRequest::SetFallbackAgents(_) => return None,
    })
}

fn written(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::CallArrived { number, outgoing: true, .. } => format!("answered, number {number:?}"),
        Fact::CallArrived { number, by_fallback, .. } => format!("arrived, number {number:?}, fallback {by_fallback}"),
        Fact::AttemptStarted { callback, .. } => format!("callback {} is attempted", callback.0),
        Fact::AttemptEnded { callback, about, outcome, cause, attempts, .. } => {
            format!("callback {} ({about}): {}, cause {cause}, attempts {attempts}", callback.0, outcome.as_str())
        }
        Fact::CallbackEnded { callback, end, .. } => format!("CALLBACK {} {}", callback.0, end.as_str()),
        Fact::CallQueued { queue_name, priority, .. } => format!("queued in {queue_name}, priority {priority}"),
        Fact::LegStarted { leg, agent, number, .. } => match (agent, number) {
            (Some(agent), _) => format!("leg {leg} to agent {}", agent.0),
            (None, number) => format!("leg {leg} to {}", number.as_deref().unwrap_or("nobody")),
        },
        Fact::LegAnswered { leg, .. } => format!("leg {leg} answered"),
        Fact::LegEnded { leg, cause, .. } => format!("leg {leg} ended, {cause}"),
        Fact::OfferMade { offer, agent, .. } => format!("offer {offer} to agent {}", agent.0),
        Fact::OfferRinging { offer, .. } => format!("offer {offer} rings"),
        Fact::OfferEnded { offer, outcome, .. } => format!("offer {offer} is over, {outcome}"),
        Fact::CallBridged { leg, agent, .. } => format!("in talk with leg {leg}, agent {:?}", agent.map(|id| id.0)),
        Fact::CallNoted { what, detail, .. } => format!("{what} {detail}").trim_end().to_owned(),
        Fact::CallEnded { disposition, waited, talked, agent, .. } => {
            format!("ENDED {disposition}, waited {waited:?}, talked {talked:?}, agent {:?}", agent.map(|id| id.0))
        }
        Fact::MonitorBegan { listener, heard, mode, .. } => {
            format!("agent {} hears agent {:?}, {}", listener.0, heard.map(|id| id.0), mode.as_str())
        }
        Fact::MonitorEnded { listener, .. } => format!("agent {} hears no more", listener.0),
        Fact::CallsAlive { calls, .. } => format!("alive: {} calls", calls.len()),
        Fact::AgentStatus { agent, status, .. } => format!("agent {} is {status:?}", agent.0),
        Fact::WaitTold { wait, .. } => format!("told to wait {wait:?}"),
        // What follows of the talk, and of the settings.
        Fact::WrapUp { .. } | Fact::AgentIdle { .. } => return None,
    })
}
