//! Agents: the phone (rings, does not, rejects) and the person (answers, drops, pauses, comes back).

use std::collections::BTreeSet;

use perezvon::engine::event::{Actor, Event, NodeEvent, Origin, Request};
use perezvon::engine::ids::{AgentId, ChannelId, Own, RequestId};
use perezvon::engine::settings::AgentProfile;
use perezvon::engine::view::{PauseReason, Status};

use crate::plan::{MS, SECOND};
use crate::sim_asterisk::{Channel, Party, State};
use crate::sim_caller::Moment;
use crate::world::{Happening, World};

#[derive(Clone, Debug)]
pub struct Phone {
    pub agent: AgentId,
    pub endpoint: String,
    pub node: usize,
    /// Legs that the engine made to this phone.
    pub legs: BTreeSet<ChannelId>,
    /// The person is dialling a code.
    pub dialling: Option<ChannelId>,
    pub dials: u32,
    /// When the last leg or code was over.
    pub last_gone: i64,
    /// What the phone did to its last leg that may cost the agent the readiness.
    pub blame: BTreeSet<PauseWord>,
}

/// A cause for which an agent may be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseWord {
    NoAnswer,
    Rejected,
    Unreachable,
}

impl Phone {
    pub fn new(profile: &AgentProfile) -> Phone {
        Phone {
            agent: profile.agent,
            endpoint: profile.endpoint.clone(),
            node: usize::from(profile.node.0),
            legs: BTreeSet::new(),
            dialling: None,
            dials: 0,
            last_gone: 0,
            blame: BTreeSet::new(),
        }
    }
}

impl World {
    /// A leg was dialled.
    pub fn dialled(&mut self, node: usize, leg: ChannelId, on_behalf_of: Option<&ChannelId>, seconds: i64) {
        let caller = on_behalf_of.and_then(|id| self.nodes[node].channels.get(id)).map(|channel| channel.party);
        if let Some(Party::Caller(index)) = caller {
            self.delicate(index, Moment::PhoneDialled);
        }
        let Some(party) = self.nodes[node].channels.get(&leg).map(|channel| channel.party) else { return };
        // Asterisk gives up by itself, too.
        self.after(seconds * SECOND, Happening::FarEndGone { node, channel: leg.clone(), cause: 1019 });
        match party {
            Party::Phone(index) => self.phone_dialled(node, index, leg),
            Party::Outside => self.rings_somehow(node, leg, None),
            Party::Caller(_) | Party::Dialler(_) => {}
        }
    }

    fn phone_dialled(&mut self, node: usize, index: usize, leg: ChannelId) {
        let others = self.phones[index].legs.clone();
        self.phones[index].legs.insert(leg.clone());
        self.phones[index].blame.clear();
        if !others.is_empty() && self.quiet() {
            self.violate(format!("the phone of agent {} is rung by {leg} beside {others:?}", index + 1));
        }
        if self.phones[index].dialling.is_some() || !others.is_empty() {
            self.phones[index].blame.insert(PauseWord::Rejected);
            self.after(10 * MS, Happening::FarEndGone { node, channel: leg, cause: 17 });
            return;
        }
        self.rings_somehow(node, leg, Some(index));
    }

    fn rings_somehow(&mut self, node: usize, channel: ChannelId, phone: Option<usize>) {
        let habits = self.plan.habits.clone();
        let odd = |rng: &mut crate::rng::Rng, calm: bool, n| !calm && rng.per_mille(n);
        if odd(&mut self.rng, self.calm, habits.dead) {
            self.blame(phone, PauseWord::Unreachable);
            return;
        }
        let rings = self.rng.span(3 * MS, if self.calm { 30 * MS } else { 400 * MS });
        self.after(rings, Happening::PhoneRings { node, channel: channel.clone() });
        if odd(&mut self.rng, self.calm, habits.ignores) {
            self.blame(phone, PauseWord::NoAnswer);
            return;
        }
        if odd(&mut self.rng, self.calm, habits.rejects) {
            self.blame(phone, PauseWord::Rejected);
            let (span, cause) = (self.rng.span(MS, 3 * SECOND), *self.rng.pick(&[17, 21]));
            self.after(rings + span, Happening::FarEndGone { node, channel, cause });
            return;
        }
        let span = self.rng.span(20 * MS, 5 * SECOND);
        // Slower than the shortest ring time of the settings: it may be too late.
        if span > 2900 * MS {
            self.blame(phone, PauseWord::NoAnswer);
        }
        self.after(rings + span, Happening::PhoneAnswers { node, channel: channel.clone() });
        if odd(&mut self.rng, self.calm, habits.drops) {
            self.blame(phone, PauseWord::Rejected);
            let drop = self.rng.between(0, 300 * MS);
            self.after(rings + span + drop, Happening::FarEndGone { node, channel, cause: 16 });
        }
    }

    fn blame(&mut self, phone: Option<usize>, word: PauseWord) {
        if let Some(index) = phone {
            self.phones[index].blame.insert(word);
        }
    }

    pub fn phone_rings(&mut self, node: usize, channel: &ChannelId) {
        self.nodes[node].ring(channel);
        self.settle(node);
    }

    pub fn phone_answers(&mut self, node: usize, channel: &ChannelId) {
        let served =
            |memo: &String| Own::parse(channel.as_str()).is_some_and(|(call, _)| memo.contains(&call.to_string()));
        let asterisk = &self.nodes[node];
        let noted = |id: &ChannelId, caller: &Channel| {
            let note = asterisk.notes.values().find(|note| note.channel == *id).map(|note| &note.memo);
            caller.memo.as_ref().or(note).is_some_and(served)
        };
        let callers = asterisk.channels.iter().filter(|(id, caller)| noted(id, caller));
        let hasty: Vec<usize> = callers
            .filter_map(|(_, caller)| match caller.party {
                Party::Caller(index) => Some(index),
                Party::Phone(_) | Party::Outside | Party::Dialler(_) => None,
            })
            .collect();
        for index in hasty {
            self.delicate(index, Moment::PhoneAnswered);
        }
        self.nodes[node].pick_up(channel);
        self.settle(node);
    }

    /// The far end hangs up. A cause above 1000 is that of Asterisk's own patience with a phone that is not answered.
    pub fn far_end_gone(&mut self, node: usize, channel: &ChannelId, cause: u16) {
        let Some(found) = self.nodes[node].channels.get(channel) else { return };
        if cause > 1000 && found.state == State::Up {
            return;
        }
        self.nodes[node].end(channel, cause % 1000);
        self.settle(node);
    }

    /// Somebody on the phone who hears nobody, twice in a row, hangs up.
    pub fn lonely(&mut self, node: usize, channel: ChannelId, before: bool) {
        let Some(found) = self.nodes[node].channels.get(&channel) else { return };
        let company = found.bridge.as_ref().and_then(|bridge| self.nodes[node].bridges.get(bridge));
        let alone = company.is_none_or(|members| members.len() < 2);
        if alone && before {
            self.far_end_gone(node, &channel, 16);
        } else {
            self.after(20 * SECOND, Happening::Lonely { node, channel, before: alone });
        }
    }

    /// The engine has paused an agent: the person comes back after a while.
    pub fn paused_by_engine(&mut self, agent: AgentId) {
        let span = self.rng.between(SECOND, 10 * SECOND);
        self.after(span, Happening::AgentReturns(agent.0 as usize - 1));
    }

    pub fn agent_returns(&mut self, index: usize) {
        let agent = self.phones[index].agent;
        self.request(Actor::Agent(agent), Request::SetStatus { agent, status: Status::Ready });
    }

    /// The person dials a code.
    pub fn dial_code(&mut self, index: usize) {
        let phone = self.phones[index].clone();
        let node = phone.node;
        let busy = !phone.legs.is_empty() || phone.dialling.is_some();
        if busy || !self.registered(node) || self.nodes[node].unreachable.contains(&phone.endpoint) {
            return;
        }
        self.phones[index].dials += 1;
        let id = ChannelId::from(format!("1795293199.{index}.{}", phone.dials));
        let code = *self.rng.pick(&["*60", "*60", "*61", "*68", "*69", "*99", "12345"]);
        let channel = Channel {
            party: Party::Dialler(index),
            state: State::Down,
            in_app: true,
            origin: Origin::Agent { endpoint: phone.endpoint.clone() },
            number: phone.endpoint.clone(),
            dialled: code.to_owned(),
            endpoint: phone.endpoint,
            created: self.wall(),
            memo: None,
            bridge: None,
            playing: [].into(),
        };
        self.nodes[node].channels.insert(id.clone(), channel);
        self.phones[index].dialling = Some(id.clone());
        if let Some(arrival) = self.nodes[node].arrival(&id) {
            self.tell(node, NodeEvent::Arrived(arrival));
        }
        // The person does not listen to the end, or nobody ever answers.
        let span = self.rng.span(5 * MS, 40 * SECOND);
        self.after(span, Happening::FarEndGone { node, channel: id, cause: 16 });
    }

    /// A person or program asks something of the engine; answered exactly once.
    pub fn request(&mut self, by: Actor, what: Request) {
        if self.engine.is_none() {
            return;
        }
        self.next_request += 1;
        let id = RequestId(self.next_request);
        if let Request::HangUp(call) = &what {
            self.checks.to_be_ended.insert(*call);
        }
        self.checks.asked.insert(id, what.clone());
        self.feed(Event::Request { id, by, what });
        if self.checks.asked.remove(&id).is_some() {
            self.violate(format!("request {} was not answered", id.0));
        }
    }

    /// A pause of an agent's own.
    pub fn any_status(&mut self) -> Status {
        match self.rng.below(6) {
            0 => Status::Offline,
            1 | 2 => Status::Pause(PauseReason::Declared("break".to_owned())),
            _ => Status::Ready,
        }
    }
}
