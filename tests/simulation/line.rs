//! Between engine and Asterisk: requests in lanes, one after another for each call, and the socket of events. Both take
//! their time, and each its own: an event may overtake the reply to the request that caused it, and the other way round.

use perezvon::engine::command::AriRequest;
use perezvon::engine::event::{Event, NodeEvent, Refusal};
use perezvon::engine::ids::CallId;

use crate::plan::{MS, SECOND};
use crate::sim_asterisk::Party;
use crate::world::{Happening, World};

/// The socket of events to one Asterisk.
#[derive(Clone, Debug, Default)]
pub struct Link {
    pub state: LinkState,
    /// Grows with every connection: what was on its way in an older one is lost.
    pub generation: u32,
    /// Events come in order: none before this moment.
    last: i64,
    /// Held back while the snapshot is being taken, or while the socket is frozen.
    held: Vec<NodeEvent>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    #[default]
    Down,
    /// Registered; the snapshot is being taken.
    Connecting,
    Up,
    /// Registered, but nothing comes through.
    Frozen,
}

/// The Asterisk, the call, and whether it is the lane [beside](AriRequest::is_beside).
pub type Lane = (usize, CallId, bool);

/// How long a request may wait for a channel's own thread.
const CHANNEL_DEADLINE: i64 = 4 * SECOND;
/// How long a request may go unanswered.
const DEADLINE: i64 = 2 * SECOND;

impl World {
    // ---- requests

    /// A request goes into the lane of its call.
    pub fn ask(&mut self, node: usize, call: CallId, request: AriRequest) {
        if node >= self.nodes.len() {
            self.violate(format!("a request to an Asterisk that does not exist: {request:?}"));
            return;
        }
        let lane = (node, call, request.is_beside());
        match self.lanes.get_mut(&lane) {
            Some(line) => line.push_back(request),
            None => {
                self.lanes.insert(lane, [request].into());
                self.serve_lane(lane);
            }
        }
    }

    fn serve_lane(&mut self, lane: Lane) {
        let (node, call, _) = lane;
        let Some(request) = self.lanes.get_mut(&lane).and_then(|line| line.pop_front()) else {
            self.lanes.remove(&lane);
            return;
        };
        let span = self.latency();
        self.after(span, Happening::Carry { engine: self.incarnation, node, call, request, waited: 0 });
    }

    fn latency(&mut self) -> i64 {
        if self.plan.slow_rest { self.rng.span(100, 80 * MS) } else { self.rng.span(30, 2 * MS) }
    }

    /// A request has reached Asterisk.
    pub fn carry(&mut self, engine: u32, node: usize, call: CallId, request: AriRequest, waited: i64) {
        // What a killed engine had sent is done or not.
        if engine != self.incarnation && self.rng.coin() {
            return;
        }
        if !self.nodes[node].alive {
            self.reply_after(0, engine, node, call, request, Err(Refusal::Unreachable));
            return;
        }
        if waited == 0
            && let Some(refusal) = self.rest_fault(&request)
        {
            let span = if refusal == Refusal::TimedOut { self.in_spite(node, &request) } else { self.latency() };
            self.reply_after(span, engine, node, call, request, Err(refusal));
            return;
        }
        if self.nodes[node].waits_for(&request) {
            // It will be done when the prompt is over, also if nobody waits for the answer any more.
            let step = 20 * MS;
            if (waited..waited + step).contains(&CHANNEL_DEADLINE) {
                self.reply_after(0, engine, node, call, request.clone(), Err(Refusal::TimedOut));
            }
            self.after(step, Happening::Carry { engine, node, call, request, waited: waited + step });
            return;
        }
        let result = self.done(node, &request);
        if waited <= CHANNEL_DEADLINE {
            let span = self.latency();
            self.reply_after(span, engine, node, call, request, result);
        }
    }

    fn done(&mut self, node: usize, request: &AriRequest) -> Result<(), Refusal> {
        let endpoints: Vec<String> = self.phones.iter().map(|phone| phone.endpoint.clone()).collect();
        let party_of = |endpoint: &str| match endpoints.iter().position(|name| name == endpoint) {
            Some(index) => Party::Phone(index),
            None => Party::Outside,
        };
        let at = self.wall();
        let result = self.nodes[node].carry_out(request, party_of, at);
        self.settle(node);
        result
    }

    /// A request that is not answered in time is done at once, later, or never. Gives the time until it is given up.
    fn in_spite(&mut self, node: usize, request: &AriRequest) -> i64 {
        match self.rng.below(3) {
            0 => {
                self.done(node, request).ok();
            }
            1 => {
                let late = self.rng.between(100 * MS, 2 * DEADLINE);
                self.after(late, Happening::DoneLate { node, request: request.clone() });
            }
            _ => {}
        }
        DEADLINE
    }

    pub fn done_late(&mut self, node: usize, request: &AriRequest) {
        if self.nodes[node].alive {
            self.disturb();
            self.done(node, request).ok();
        }
    }

    /// Whether the request fails.
    fn rest_fault(&mut self, request: &AriRequest) -> Option<Refusal> {
        if self.calm {
            return None;
        }
        if self.rng.per_mille(self.plan.faults.time_out) {
            self.disturb();
            return Some(Refusal::TimedOut);
        }
        if self.rng.per_mille(self.plan.faults.refusal) {
            self.disturb();
            return Some(match (self.rng.below(4), request) {
                // The shell takes 409 for done already in these cases.
                (0, AriRequest::Play { .. } | AriRequest::CreateBridge(..)) => Refusal::Failed("fault".to_owned()),
                // A conflict says that the caller is in the dialplan already; Asterisk does not lie.
                (0, AriRequest::ToFallback { .. }) => Refusal::Failed("fault".to_owned()),
                (0, _) => Refusal::Conflict,
                (1, _) => Refusal::Unprocessable("fault".to_owned()),
                (2, AriRequest::Join { .. }) => Refusal::NotFound,
                (_, _) => Refusal::Failed("fault".to_owned()),
            });
        }
        None
    }

    fn reply_after(
        &mut self,
        span: i64,
        engine: u32,
        node: usize,
        call: CallId,
        request: AriRequest,
        result: Result<(), Refusal>,
    ) {
        self.after(span, Happening::Reply { engine, node, call, request, result });
    }

    pub fn reply(&mut self, engine: u32, node: usize, call: CallId, request: AriRequest, result: Result<(), Refusal>) {
        if engine != self.incarnation {
            return;
        }
        let lane = (node, call, request.is_beside());
        if let Err(why) = result {
            let node = self.node_id(node);
            self.feed(Event::Refused { node, call, request, why });
        }
        self.serve_lane(lane);
    }

    // ---- events

    /// Asterisk reports something.
    pub fn tell(&mut self, node: usize, event: NodeEvent) {
        match self.links[node].state {
            LinkState::Down => {}
            LinkState::Connecting | LinkState::Frozen => self.links[node].held.push(event),
            LinkState::Up => self.send(node, event),
        }
    }

    fn send(&mut self, node: usize, event: NodeEvent) {
        let span = self.rng.span(20, if self.plan.slow_rest { 20 * MS } else { MS });
        let link = &mut self.links[node];
        link.last = (self.now + span).max(link.last + 1);
        let (at, generation) = (link.last, link.generation);
        if !self.calm && self.rng.per_mille(self.plan.faults.duplicate) {
            // Where a channel is must not be told again after it moved: one stream of events cannot do that.
            let moved = matches!(event, NodeEvent::Joined { .. } | NodeEvent::Parted { .. });
            let late = if moved { 0 } else { self.rng.span(1, 800 * MS) };
            self.disturb();
            self.at(at + late, Happening::Deliver { node, link: generation, event: event.clone() });
        }
        self.at(at, Happening::Deliver { node, link: generation, event });
        if !self.calm && self.rng.per_mille(self.plan.faults.foreign) {
            let event = self.foreign_event();
            self.at(at, Happening::Deliver { node, link: generation, event });
        }
    }

    pub fn deliver(&mut self, node: usize, link: u32, event: NodeEvent) {
        match (self.links[node].generation == link, self.links[node].state) {
            (true, LinkState::Up) => {
                let id = self.node_id(node);
                self.feed(Event::Node(id, event));
            }
            (true, LinkState::Frozen) => self.links[node].held.push(event),
            (true | false, _) => {}
        }
    }

    // ---- connection

    pub fn registered(&self, node: usize) -> bool {
        self.nodes[node].alive && self.links[node].state != LinkState::Down
    }

    /// The socket is gone; the engine notices after a while.
    pub fn cut(&mut self, node: usize, noticed_after: i64) {
        self.disturb();
        let link = &mut self.links[node];
        link.state = LinkState::Down;
        link.generation += 1;
        link.held.clear();
        let generation = link.generation;
        self.after(noticed_after, Happening::LinkDownNoticed { node, link: generation });
    }

    pub fn link_down_noticed(&mut self, node: usize, link: u32) {
        if self.links[node].generation != link || self.engine.is_none() {
            return;
        }
        let id = self.node_id(node);
        self.feed(Event::Node(id, NodeEvent::Down));
        self.retry_link(node);
    }

    pub fn retry_link(&mut self, node: usize) {
        let span = self.rng.span(MS, 2 * SECOND);
        self.after(span, Happening::LinkUp { node });
    }

    pub fn link_up(&mut self, node: usize) {
        if self.engine.is_none() || self.links[node].state != LinkState::Down {
            return;
        }
        if !self.nodes[node].alive {
            self.retry_link(node);
            return;
        }
        if self.links[node].generation > 0 {
            self.disturb();
        }
        let link = &mut self.links[node];
        link.state = LinkState::Connecting;
        link.generation += 1;
        let generation = link.generation;
        let span = self.latency();
        self.after(span, Happening::SnapshotChannels { node, link: generation });
    }

    pub fn snapshot_channels(&mut self, node: usize, link: u32) {
        if self.links[node].generation == link {
            let channels = self.nodes[node].channels_snapshot();
            let span = self.latency();
            self.after(span, Happening::SnapshotRest { node, link, channels });
        }
    }

    pub fn snapshot_rest(&mut self, node: usize, link: u32, channels: Vec<perezvon::engine::event::ChannelSnapshot>) {
        if self.links[node].generation != link {
            return;
        }
        let id = self.node_id(node);
        let here = self.plan.profiles.iter().filter(|profile| profile.node == id);
        let endpoints: Vec<String> = here.map(|profile| profile.endpoint.clone()).collect();
        let snapshot = self.nodes[node].snapshot(channels, &endpoints);
        self.links[node].state = LinkState::Up;
        self.feed(Event::Node(id, NodeEvent::Up(snapshot)));
        self.release_held(node);
    }

    pub fn release_held(&mut self, node: usize) {
        for event in std::mem::take(&mut self.links[node].held) {
            self.send(node, event);
        }
    }
}
