//! The core alone: events per second with many callers waiting, and memory per waiting caller. No I/O, one thread.
//!
//! The work is that of an office under load: 200 agents talk, callers arrive as fast as others are served. One call is
//! ten events: arrival, card, end of the greeting, ringing, answer, both in the bridge, keys pressed for nothing, the
//! agent's end and the caller's end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::time::Duration;

use perezvon::engine::Engine;
use perezvon::engine::command::{AriRequest, Command};
use perezvon::engine::event::{Arrival, CallerCard, Event, NodeEvent, Origin, Snapshot};
use perezvon::engine::ids::{AgentId, BridgeId, CallId, ChannelId, NodeId, PlaybackId};
use perezvon::engine::settings::{AgentProfile, Settings};
use perezvon::engine::time::{Instant, Now, Wall};
use perezvon::engine::view::Status;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AGENTS: u32 = 200;
const NODE: NodeId = NodeId(0);

struct Office {
    engine: Engine,
    now: Now,
    callers: u64,
    /// What Asterisk, callers and agents will do next, in order.
    next: VecDeque<Event>,
    talking: VecDeque<(ChannelId, ChannelId)>,
    events: u64,
    commands: u64,
}

impl Office {
    fn new() -> Office {
        let settings = Settings { max_calls: 1_000_000, ..Settings::default() };
        let mut office = Office {
            engine: Engine::new(settings, CallId(0)),
            now: Now { mono: Instant(0), wall: Wall(1_800_000_000_000) },
            callers: 0,
            next: VecDeque::new(),
            talking: VecDeque::new(),
            events: 0,
            commands: 0,
        };
        office.feed(Event::Node(NODE, NodeEvent::Up(Snapshot::default())));
        office
    }

    fn add_agents(&mut self) {
        for id in 1..=AGENTS {
            self.feed(Event::AgentChanged(AgentProfile {
                agent: AgentId(id),
                name: format!("Agent {id}"),
                endpoint: format!("agent-{id}"),
                node: NODE,
                queues: std::collections::BTreeSet::new(),
                skills: std::collections::BTreeMap::new(),
                status: Status::Ready,
                idle_since: Wall(0),
                calls_taken: 0,
            }));
        }
    }

    fn feed(&mut self, event: Event) {
        self.now += Duration::from_micros(50);
        self.events += 1;
        self.engine.handle(event, self.now);
        while let Some(command) = self.engine.poll_command() {
            self.commands += 1;
            self.react(command);
        }
    }

    fn react(&mut self, command: Command) {
        let node = |event| Event::Node(NODE, event);
        match command {
            Command::LoadCaller { call, .. } => {
                self.next.push_back(Event::CallerLoaded { call, card: CallerCard::default() });
            }
            Command::Asterisk { request, .. } => match request {
                AriRequest::Play { playback, .. } => self.next.push_back(node(NodeEvent::PlaybackEnded(playback))),
                AriRequest::Ring { channel, .. } => {
                    self.next.push_back(node(NodeEvent::Ringing(channel.clone())));
                    self.next.push_back(node(NodeEvent::Answered(channel)));
                }
                AriRequest::Join { bridge, channels } => self.joined(&bridge, &channels),
                AriRequest::HangUp { channel, .. } => self.next.push_back(node(NodeEvent::Gone { channel, cause: 16 })),
                _ => {}
            },
            _ => {}
        }
    }

    fn joined(&mut self, bridge: &BridgeId, channels: &[ChannelId]) {
        for channel in channels {
            let event = NodeEvent::Joined { bridge: bridge.clone(), channel: channel.clone() };
            self.next.push_back(Event::Node(NODE, event));
        }
        let digit = NodeEvent::Digit { channel: channels[0].clone(), digit: '5' };
        self.next.push_back(Event::Node(NODE, digit));
        let unknown = NodeEvent::PlaybackEnded(PlaybackId::from("someone-else"));
        self.next.push_back(Event::Node(NODE, unknown));
        self.talking.push_back((channels[0].clone(), channels[1].clone()));
    }

    fn arrive(&mut self) {
        self.callers += 1;
        self.feed(Event::Node(
            NODE,
            NodeEvent::Arrived(Arrival {
                channel: format!("pbx-1795293198.{}", self.callers).into(),
                origin: Origin::Inbound,
                number: format!("+7900{:07}", self.callers % 10_000_000),
                name: String::new(),
                dialled: "74950000000".to_owned(),
                created: self.now.wall,
                answered: false,
                memo: None,
            }),
        ));
        self.settle();
    }

    /// Lets happen what follows.
    fn settle(&mut self) {
        while let Some(event) = self.next.pop_front() {
            self.feed(event);
        }
        // Deadlines too, as the driver would.
        while self.engine.poll_timeout().is_some_and(|(at, _)| at <= self.now.mono) {
            self.feed(Event::Wake);
        }
    }

    /// One agent hangs up, a new caller arrives: the number of waiting callers stays.
    fn turn(&mut self) {
        let (_, agent) = self.talking.pop_front().expect("somebody talks");
        self.feed(Event::Node(NODE, NodeEvent::Gone { channel: agent, cause: 16 }));
        self.settle();
        self.arrive();
    }
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("statm has pages") * 4096
}

/// Processor time of this thread: other work of the machine does not count.
fn processor_time() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("/proc is mounted");
    let nanos = schedstat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("schedstat has nanos");
    Duration::from_nanos(nanos)
}

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let mut rates = Vec::new();
    for waiting in [100_u64, 10_000, 100_000] {
        let mut office = Office::new();
        let before = resident_bytes();
        for _ in 0..waiting {
            office.arrive();
        }
        let per_caller = resident_bytes().saturating_sub(before) / waiting;
        office.add_agents();
        office.settle();
        // After-call work keeps agents away for a while; time runs, so they come back.
        for _ in 0..waiting.min(5_000) {
            if office.talking.len() < 20 {
                office.now += Duration::from_secs(1);
                office.feed(Event::Wake);
                office.settle();
            }
            office.turn();
        }
        let (events, commands) = (office.events, office.commands);
        let began = processor_time();
        while processor_time() - began < Duration::from_secs(2) {
            for _ in 0..100 {
                if office.talking.len() < 20 {
                    office.now += Duration::from_secs(1);
                    office.feed(Event::Wake);
                    office.settle();
                }
                office.turn();
            }
        }
        let seconds = (processor_time() - began).as_secs_f64();
        let rate = (office.events - events) as f64 / seconds;
        rates.push(rate);
        println!("core.events_per_second.{waiting} {rate:.0} events/s");
        println!("core.commands_per_second.{waiting} {:.0} commands/s", (office.commands - commands) as f64 / seconds);
        if waiting == 100_000 {
            println!("core.bytes_per_waiting_caller {per_caller} bytes");
        }
    }
    let (most, least) = (rates.iter().copied().fold(0.0, f64::max), rates.iter().copied().fold(f64::MAX, f64::min));
    println!("core.events_per_second.spread {:.2} ratio", most / least);
}
