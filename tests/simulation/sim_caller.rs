//! Callers: they come, have patience or not, hang up at every delicate moment, talk, and go.

use perezvon::engine::event::{CallerCard, NodeEvent, Origin};
use perezvon::engine::ids::{AgentId, BridgeId, CallId, ChannelId, PlaybackId};

use crate::plan::{MS, Plan, SECOND};
use crate::rng::Rng;
use crate::sim_asterisk::{Channel, Party, State};
use crate::sim_orders;
use crate::world::{Happening, World};

/// A moment at which a hasty caller hangs up, or a few milliseconds after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Arrival,
    Answered,
    PromptBegins,
    PhoneDialled,
    PhoneAnswered,
    Joined,
}

const MOMENTS: [Moment; 6] = [
    Moment::Arrival,
    Moment::Answered,
    Moment::PromptBegins,
    Moment::PhoneDialled,
    Moment::PhoneAnswered,
    Moment::Joined,
];

#[derive(Clone, Debug)]
pub struct Caller {
    pub node: usize,
    pub number: String,
    pub dialled: String,
    pub card: CallerCard,
    /// When the card is there; `None` for never.
    pub card_after: Option<i64>,
    pub haste: Option<Moment>,
    pub patience: i64,
    pub channel: ChannelId,
    /// Plays with the keys.
    pub keys: bool,
    /// Keys pressed so far.
    pub pressed: Vec<char>,
    /// The caller hung up by own will at this moment.
    pub hung_up: Option<i64>,
}

impl Caller {
    pub fn draw(rng: &mut Rng, plan: &Plan, index: usize) -> Caller {
        let habits = &plan.habits;
        let number = if rng.per_mille(habits.hidden) { String::new() } else { format!("+7900{index:07}") };
        let agents = plan.profiles.len();
        let last_agent = rng.per_mille(habits.has_last_agent).then(|| AgentId(rng.between(1, agents as i64) as u32));
        let card = CallerCard {
            blocked: rng.per_mille(habits.blocked),
            name: rng.coin().then(|| format!("Caller {index}")),
            last_agent,
            priority: if rng.per_mille(habits.important) { rng.between(-1, 3) as i16 } else { 0 },
            client: Some(sim_orders::client(index)),
            orders: sim_orders::draw(rng, plan, index).into(),
            ..CallerCard::default()
        };
        let card_after = match (rng.per_mille(habits.no_card), rng.per_mille(habits.late_card)) {
            (true, _) => None,
            (false, true) => Some(rng.between(100 * MS, 900 * MS)),
            (false, false) => Some(rng.between(MS, 20 * MS)),
        };
        Caller {
            node: rng.below(plan.nodes),
            number,
            dialled: format!("10{}", rng.below(4)),
            card,
            card_after,
            haste: rng.per_mille(habits.hasty).then(|| *rng.pick(&MOMENTS)),
            patience: rng.between(plan.longest_patience / 10, plan.longest_patience),
            channel: ChannelId::from(format!("1795293198.{index}")),
            keys: rng.per_mille(habits.keys),
            pressed: Vec::new(),
            hung_up: None,
        }
    }
}

impl World {
    /// A call comes in by the trunk.
    pub fn caller_comes(&mut self, index: usize) {
        let caller = self.callers[index].clone();
        let node = caller.node;
        if !self.nodes[node].alive {
            return;
        }
        let in_app = self.registered(node);
        let channel = Channel {
            party: Party::Caller(index),
            state: State::Down,
            in_app,
            origin: Origin::Inbound,
            number: caller.number.clone(),
            dialled: caller.dialled.clone(),
            endpoint: "trunk".to_owned(),
            created: self.wall(),
            memo: None,
            bridge: None,
            playing: [].into(),
        };
        self.nodes[node].channels.insert(caller.channel.clone(), channel);
        self.after(caller.patience, Happening::CallerTires(index));
        if caller.keys {
            let span = self.rng.between(0, 6 * SECOND);
            self.after(span, Happening::CallerPresses(index));
        }
        if self.plan.habits.orders_change {
            let span = self.rng.between(0, 20 * SECOND);
            self.after(span, Happening::OrderChanges(index));
        }
        if in_app {
            self.enters_app(node, &caller.channel);
            self.delicate(index, Moment::Arrival);
        } else {
            self.enters_fallback(index, node, caller.channel);
        }
    }

    fn enters_app(&mut self, node: usize, channel: &ChannelId) {
        if let Some(arrival) = self.nodes[node].arrival(channel) {
            self.tell(node, NodeEvent::Arrived(arrival));
        }
    }

    pub fn load_card(&mut self, call: CallId, number: &str) {
        let found = self.callers.iter().position(|caller| caller.number == number);
        let Some(index) = found else {
            self.violate(format!("a card is asked for of a number that nobody has: {number}"));
            return;
        };
        if let Some(span) = self.callers[index].card_after {
            let card = self.callers[index].card.clone();
            self.after(span, Happening::Card { engine: self.incarnation, call, card });
        }
    }

    /// One of the moments at which a hasty caller hangs up.
    pub fn delicate(&mut self, index: usize, moment: Moment) {
        if self.callers[index].haste == Some(moment) {
            self.callers[index].haste = None;
            let span = self.rng.between(0, 30 * MS);
            self.after(span, Happening::CallerHangsUp(index));
        }
    }

    pub fn caller_tires(&mut self, index: usize) {
        if self.is_in_company(index) {
            // Asked again later: no caller stays for ever.
            self.after(self.plan.longest_talk + SECOND, Happening::CallerTires(index));
        } else {
            self.caller_hangs_up(index);
        }
    }

    fn is_in_company(&self, index: usize) -> bool {
        let node = &self.nodes[self.callers[index].node];
        let bridge = node.channels.get(&self.callers[index].channel).and_then(|channel| channel.bridge.as_ref());
        bridge.and_then(|bridge| node.bridges.get(bridge)).is_some_and(|members| members.len() > 1)
    }

    pub fn caller_hangs_up(&mut self, index: usize) {
        let (node, channel) = (self.callers[index].node, self.callers[index].channel.clone());
        if self.nodes[node].channels.contains_key(&channel) {
            self.callers[index].hung_up = Some(self.now);
            self.nodes[node].end(&channel, 16);
            self.settle(node);
        }
    }

    pub fn playing(&mut self, node: usize, channel: &ChannelId, playback: PlaybackId) {
        let party = self.nodes[node].channels.get(channel).map(|channel| channel.party);
        if let Some(Party::Caller(index)) = party {
            self.delicate(index, Moment::PromptBegins);
        }
        if !self.calm && self.rng.per_mille(self.plan.faults.lost_playback) {
            self.disturb();
            let id = playback.clone();
            // Over, and nobody is told.
            if let Some(found) = self.nodes[node].channels.get_mut(channel) {
                found.playing.retain(|other| *other != id);
            }
            return;
        }
        let span = self.rng.between(300 * MS, 6 * SECOND);
        self.after(span, Happening::PlaybackEnds { node, playback });
    }

    /// Two or more are in a bridge: they talk, and somebody will hang up.
    pub fn together(&mut self, node: usize, bridge: &BridgeId) {
        let members: Vec<ChannelId> =
            self.nodes[node].bridges.get(bridge).map(|members| members.iter().cloned().collect()).unwrap_or_default();
        let party = |world: &World, id: &ChannelId| world.nodes[node].channels.get(id).map(|channel| channel.party);
        let span = self.rng.between(10 * MS, self.plan.longest_talk);
        let mut ends: Option<ChannelId> = None;
        for member in &members {
            match party(self, member) {
                Some(Party::Caller(index)) => {
                    self.delicate(index, Moment::Joined);
                    ends.get_or_insert(member.clone());
                }
                Some(Party::Phone(_) | Party::Outside) => {
                    if self.rng.per_mille(self.plan.habits.agent_ends) {
                        ends = Some(member.clone());
                    }
                }
                Some(Party::Dialler(_)) | None => {}
            }
        }
        match ends.clone().and_then(|id| party(self, &id)) {
            Some(Party::Caller(index)) => self.after(span, Happening::CallerHangsUp(index)),
            Some(Party::Phone(_) | Party::Outside | Party::Dialler(_)) => {
                if let Some(channel) = ends {
                    self.after(span, Happening::FarEndGone { node, channel, cause: 16 });
                }
            }
            // Two agents consulting: patience of one of them ends it.
            None => {
                if let Some(channel) = members.first().cloned() {
                    self.after(2 * self.plan.longest_talk, Happening::FarEndGone { node, channel, cause: 16 });
                }
            }
        }
    }

    pub fn answered(&mut self, node: usize, channel: ChannelId) {
        let party = self.nodes[node].channels.get(&channel).map(|channel| channel.party);
        match party {
            Some(Party::Caller(index)) => self.delicate(index, Moment::Answered),
            Some(Party::Phone(_) | Party::Outside) => {
                self.after(20 * SECOND, Happening::Lonely { node, channel, before: false });
            }
            Some(Party::Dialler(_)) => self.after(20 * SECOND, Happening::Lonely { node, channel, before: true }),
            None => {}
        }
    }

    // ---- the fallback dialplan

    pub fn fell_back(&mut self, node: usize, channel: &ChannelId) {
        let party = self.nodes[node].channels.get(channel).map(|channel| channel.party);
        match party {
            Some(Party::Caller(index)) => self.enters_fallback(index, node, channel.clone()),
            Some(Party::Phone(_) | Party::Outside | Party::Dialler(_)) => {
                self.violate(format!("{channel} is no caller and was given to the fallback dialplan"));
            }
            None => {}
        }
    }

    fn enters_fallback(&mut self, caller: usize, node: usize, channel: ChannelId) {
        if let Some(found) = self.nodes[node].channels.get_mut(&channel) {
            found.state = State::Up;
        }
        let span = self.rng.between(100 * MS, 15 * SECOND);
        self.after(span, Happening::FallbackStep { caller, channel, step: 0 });
    }

    /// A turn in the fallback queue is over: the caller knocks at the engine again, or has had enough.
    pub fn fallback_step(&mut self, caller: usize, channel: &ChannelId, step: u8) {
        let node = self.callers[caller].node;
        let registered = self.registered(node);
        let tired = step >= 4 || self.rng.per_mille(250);
        let Some(found) = self.nodes[node].channels.get_mut(channel).filter(|found| !found.in_app) else { return };
        if tired {
            self.caller_hangs_up(caller);
        } else if registered {
            found.in_app = true;
            found.origin = Origin::Fallback;
            self.enters_app(node, channel);
        } else {
            let span = self.rng.between(SECOND, 15 * SECOND);
            self.after(span, Happening::FallbackStep { caller, channel: channel.clone(), step: step + 1 });
        }
    }

    /// What the ends of the lines do when a channel is gone.
    pub fn channel_gone(&mut self, id: &ChannelId, gone: &Channel) {
        match gone.party {
            Party::Caller(index) => {
                self.check_caller_gone(index);
            }
            Party::Phone(index) => {
                self.phones[index].legs.remove(id);
                self.phones[index].last_gone = self.now;
            }
            Party::Dialler(index) => {
                self.phones[index].dialling = None;
                self.phones[index].last_gone = self.now;
            }
            Party::Outside => {}
        }
    }
}
