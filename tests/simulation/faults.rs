//! Faults of the whole system: sockets, Asterisk, the engine, clocks; and events that make no sense.

use perezvon::engine::Engine;
use perezvon::engine::event::{Event, NodeEvent};
use perezvon::engine::ids::{BridgeId, CallId, ChannelId, Own, PlaybackId};

use crate::line::LinkState;
use crate::plan::{MS, SECOND};
use crate::world::{Happening, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Cut,
    /// Nothing comes through the socket for a while; the heartbeat may notice.
    Freeze(usize),
    KillAsterisk,
    KillEngine,
    ClockStep,
    Unregister,
}

/// A frozen socket is given up after this (the heartbeat).
const HEARTBEAT: i64 = 3 * SECOND;

impl World {
    pub fn next_trouble(&mut self) {
        if let Some(every) = self.plan.faults.every.filter(|_| !self.calm) {
            let span = self.rng.between(every / 4, every);
            self.after(span, Happening::Trouble);
        }
    }

    pub fn trouble(&mut self) {
        if self.calm {
            return;
        }
        let faults = &self.plan.faults;
        let node = self.rng.below(self.nodes.len());
        let all = [
            (faults.cut, Trouble::Cut),
            (faults.freeze, Trouble::Freeze(node)),
            (faults.kill_asterisk, Trouble::KillAsterisk),
            (faults.kill_engine, Trouble::KillEngine),
            (faults.clock_step, Trouble::ClockStep),
            (faults.unregister, Trouble::Unregister),
        ];
        let possible: Vec<Trouble> = all.iter().filter(|(on, _)| *on).map(|(_, trouble)| *trouble).collect();
        if !possible.is_empty() {
            let trouble = *self.rng.pick(&possible);
            self.strike(trouble, node);
        }
        self.next_trouble();
    }

    fn strike(&mut self, trouble: Trouble, node: usize) {
        self.trace(|| format!("  ** {trouble:?} at node {node}"));
        self.disturb();
        match trouble {
            Trouble::Cut if self.links[node].state != LinkState::Down => {
                let noticed = self.rng.span(0, HEARTBEAT);
                self.cut(node, noticed);
            }
            Trouble::Freeze(_) if self.links[node].state == LinkState::Up => {
                self.links[node].state = LinkState::Frozen;
                let span = self.rng.between(100 * MS, 2 * HEARTBEAT);
                self.after(span.min(HEARTBEAT), Happening::Mend(Trouble::Freeze(node)));
                if span > HEARTBEAT {
                    // The heartbeat finds out just before it would have been mended.
                    self.after(HEARTBEAT - 1, Happening::Mend(Trouble::Cut));
                }
            }
            Trouble::KillAsterisk => self.kill_asterisk(node),
            Trouble::KillEngine => self.kill_engine(),
            Trouble::ClockStep => {
                let span = self.rng.between(1, 3_600_000);
                self.wall_step += if self.rng.coin() { span } else { -span };
                self.checks.clock_stepped = true;
            }
            Trouble::Unregister => {
                let index = self.rng.below(self.phones.len());
                self.unregister(index);
                let span = self.rng.between(100 * MS, 20 * SECOND);
                self.after(span, Happening::PhoneRegisters(index));
            }
            Trouble::Cut | Trouble::Freeze(_) => {}
        }
    }

    /// A trouble is over.
    pub fn mend(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Freeze(node) if self.links[node].state == LinkState::Frozen => {
                self.disturb();
                self.links[node].state = LinkState::Up;
                self.release_held(node);
            }
            Trouble::Cut => {
                for node in 0..self.nodes.len() {
                    if self.links[node].state == LinkState::Frozen {
                        self.cut(node, 0);
                    }
                }
            }
            Trouble::Freeze(_)
            | Trouble::KillAsterisk
            | Trouble::KillEngine
            | Trouble::ClockStep
            | Trouble::Unregister => {}
        }
    }

    fn unregister(&mut self, index: usize) {
        let (node, endpoint) = (self.phones[index].node, self.phones[index].endpoint.clone());
        self.nodes[node].unreachable.insert(endpoint.clone());
        self.tell(node, NodeEvent::Device { endpoint, reachable: false });
    }

    pub fn phone_registers(&mut self, index: usize) {
        let (node, endpoint) = (self.phones[index].node, self.phones[index].endpoint.clone());
        if self.nodes[node].alive && self.nodes[node].unreachable.remove(&endpoint) {
            self.disturb();
            self.tell(node, NodeEvent::Device { endpoint, reachable: true });
        }
    }

    fn kill_asterisk(&mut self, node: usize) {
        if !self.nodes[node].alive {
            return;
        }
        self.nodes[node].alive = false;
        let channels = std::mem::take(&mut self.nodes[node].channels);
        self.nodes[node].bridges.clear();
        self.nodes[node].notes.clear();
        for (id, mut channel) in channels {
            // Nobody hears the end of it.
            channel.in_app = false;
            self.channel_gone(&id, &channel);
        }
        let noticed = self.rng.span(0, HEARTBEAT);
        self.cut(node, noticed);
        let span = self.rng.between(200 * MS, 15 * SECOND);
        self.after(span, Happening::AsteriskStarts(node));
    }

    pub fn asterisk_starts(&mut self, node: usize) {
        self.disturb();
        self.nodes[node].alive = true;
        self.nodes[node].fallback_phones.clear();
        for index in 0..self.phones.len() {
            if self.phones[index].node == node {
                let endpoint = self.phones[index].endpoint.clone();
                self.nodes[node].unreachable.insert(endpoint);
                let span = self.rng.between(100 * MS, 8 * SECOND);
                self.after(span, Happening::PhoneRegisters(index));
            }
        }
    }

    fn kill_engine(&mut self) {
        if self.engine.take().is_none() {
            return;
        }
        self.incarnation += 1;
        self.lanes.clear();
        for node in 0..self.nodes.len() {
            // The generation alone would do; the notice finds no engine.
            self.cut(node, 0);
        }
        if self.plan.faults.lose_facts {
            self.store.lose_the_last(self.now);
        }
        let span = self.rng.between(200 * MS, 8 * SECOND);
        self.after(span, Happening::EngineStarts);
    }

    /// The engine starts from what the store has, then connects.
    pub fn engine_starts(&mut self) {
        if self.engine.is_some() {
            return;
        }
        if self.now > 0 {
            self.disturb();
        }
        self.checks.engine_starts();
        self.engine = Some(Engine::new(self.plan.settings.clone(), self.store.last_call()));
        for profile in self.store.profiles() {
            self.feed(Event::AgentChanged(profile));
        }
        for place in self.store.pending() {
            self.feed(Event::CallbackRequested(Box::new(place)));
        }
        for node in 0..self.nodes.len() {
            let span = self.rng.span(MS, 200 * MS);
            self.after(span, Happening::LinkUp { node });
        }
    }

    /// An event of something that nobody knows, or that is over.
    pub fn foreign_event(&mut self) -> NodeEvent {
        let call = CallId(self.rng.next() >> 20);
        let leg = Own::Leg(self.rng.below(4) as u32).id(call);
        let channel = if self.rng.coin() { ChannelId::from(leg) } else { ChannelId::from("1795293100.1") };
        let own = *self.rng.pick(&[Own::TalkBridge, Own::MixBridge, Own::ConsultBridge]);
        let bridge = BridgeId::from(if self.rng.coin() { own.id(call) } else { "another".to_owned() });
        match self.rng.below(9) {
            8 => NodeEvent::Slow,
            0 => NodeEvent::Ringing(channel),
            1 => NodeEvent::Answered(channel),
            2 => NodeEvent::Gone { channel, cause: self.rng.below(130) as u16 },
            3 => NodeEvent::Left(channel),
            4 => NodeEvent::Digit { channel, digit: '5' },
            5 => NodeEvent::PlaybackEnded(PlaybackId::from(Own::Playback(1).id(call))),
            6 => NodeEvent::Joined { bridge, channel },
            _ => NodeEvent::Parted { bridge, channel },
        }
    }

    /// Faults stop, nobody calls any more, everybody is at work: now all must come to its end.
    pub fn calm_down(&mut self) {
        self.calm = true;
        self.disturb();
        for index in 0..self.phones.len() {
            self.phone_registers(index);
            let span = self.rng.between(20 * SECOND, 40 * SECOND);
            self.after(span, Happening::AgentReturns(index));
        }
    }
}
