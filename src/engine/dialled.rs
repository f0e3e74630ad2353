//! Calls that an agent wants to be made: the agent's own phone rings first, then the client's, with the office's number.
//! When the client has answered the two are joined, and from then on it is a call like any other.

use super::Engine;
use super::acd::agent::Hands;
use super::call::Call;
use super::command::{Answer, AriRequest, Command, Denied, Fact, HangUpCause, Update};
use super::event::{Actor, Arrival, CallerCard, ChannelSnapshot, Origin, Refusal, spans};
use super::ids::{AgentId, CallId, ChannelId, NodeId, Own, QueueId};
use super::shared::{Shared, recording_name};
use super::time::Instant;
use super::view::{CallStage, CallView, Disposition};
use crate::domain::phone::Phone;

/// Before the first sign of life of the client's phone; then the ring time begins.
const SETTING_UP: std::time::Duration = std::time::Duration::from_secs(20);
/// How long Asterisk itself lets a phone ring after the core's deadline: a net under the core, never the rule.
const NET: std::time::Duration = std::time::Duration::from_secs(10);
/// What stands on the client's channel until there is a call: an engine that finds it after a crash ends it.
const MEMO: &str = "d";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The agent's phone is rung.
    Agent,
    /// The client's phone is rung; the agent hears the ringing.
    Client,
    /// Answered; the dialplan starts the recording.
    Arming,
    /// Over; channels are being released.
    Ending,
}

/// A call that is being made for an agent, until its client has answered.
#[derive(Clone, Debug)]
pub(super) struct Dialled {
    id: CallId,
    node: NodeId,
    agent: AgentId,
    number: String,
    dial: String,
    leg: ChannelId,
    client: ChannelId,
    stage: Stage,
    /// When the present stage must be over.
    due: Instant,
    leg_there: bool,
    client_there: bool,
    hang_ups: u8,
    begun: super::time::Now,
    card: CallerCard,
}

impl Dialled {
    fn arm(&mut self, core: &mut Shared, after: std::time::Duration) {
        self.due = core.now.mono + after;
        core.arm(self.id, self.due, "dialled");
    }

    fn recording(&self) -> String {
        recording_name(&self.client, &self.number)
    }

    fn begin(&mut self, core: &mut Shared) {
        let (call, at) = (self.id, core.now.wall);
        core.persist(Fact::CallArrived {
            call,
            node: self.node,
            channel: self.client.clone(),
            recording: self.recording(),
            number: self.number.clone(),
            dialled: String::new(),
            by_fallback: false,
            outgoing: true,
            at,
        });
        core.persist(Fact::CallNoted {
            call,
            what: "dialled",
            detail: String::new(),
            by: Actor::Agent(self.agent),
            at,
        });
        let (channel, agent) = (self.leg.clone(), Some(self.agent));
        core.persist(Fact::LegStarted { call, leg: 1, channel, agent, number: None, at });
        let endpoint = core.agents.get(self.agent).map(|agent| agent.profile.endpoint.clone()).unwrap_or_default();
        let ring = AriRequest::Ring {
            channel: self.leg.clone(),
            dial: format!("PJSIP/{endpoint}"),
            on_behalf_of: None,
            show_number: self.number.clone(),
            call,
            time_out: core.queue(QueueId::default()).ring_time + NET,
        };
        core.ari(self.node, call, ring);
        core.out.push_back(Command::LoadCaller { call, number: self.number.clone(), rang_in: false });
        // A phone that is known to be there rings at once or is dead; of one that does not register with this Asterisk (behind
        // another trunk, in another city) nobody knows how long it takes.
        let there = core.agents.get(self.agent).is_some_and(|agent| agent.reachable == Some(true));
        self.arm(core, if there { spans::RING_START } else { SETTING_UP });
        core.agent_changed(self.agent, false);
        core.publish(Update::Call(self.view()));
    }

    pub fn view(&self) -> CallView {
        CallView {
            call: self.id,
            node: self.node,
            number: self.number.clone(),
            name: self.card.name.clone(),
            note: self.card.note.clone(),
            client: self.card.client,
            blocked: self.card.blocked,
            conflict: self.card.conflict,
            orders: self.card.orders.clone(),
            choices: Vec::new(),
            dialled: String::new(),
            stage: if self.stage == Stage::Ending { CallStage::Ending } else { CallStage::Calling },
            queue: QueueId::default(),
            arrived: self.begun.wall,
            queued: None,
            bridged: None,
            unkept_until: None,
            agents: vec![self.agent],
            monitors: Vec::new(),
        }
    }

    fn leg_rings(&mut self, core: &mut Shared) {
        if self.stage == Stage::Agent {
            self.arm(core, core.queue(QueueId::default()).ring_time);
        }
    }

    /// `busy`: the client is on the line already.
    fn leg_answers(&mut self, core: &mut Shared, busy: bool) {
        if self.stage != Stage::Agent {
            return;
        }
        self.stage = Stage::Client;
        core.agents.talks(self.agent, self.id, 1);
        core.persist(Fact::LegAnswered { call: self.id, leg: 1, at: core.now.wall });
        core.agent_changed(self.agent, false);
        if busy {
            return self.finish(core, Disposition::NoAnswer, 17);
        }
        core.ari(self.node, self.id, AriRequest::RingbackOn(self.leg.clone()));
        self.client_there = true;
        let dial = AriRequest::Dial {
            channel: self.client.clone(),
            dial: self.dial.clone(),
            number: self.number.clone(),
            show_number: core.settings.callback.show_number.clone(),
            memo: MEMO.to_owned(),
            time_out: core.settings.callback.ring_time + SETTING_UP + NET,
        };
        core.ari(self.node, self.id, dial);
        self.arm(core, SETTING_UP);
    }

    fn client_rings(&mut self, core: &mut Shared) {
        if self.stage == Stage::Client {
            self.arm(core, core.settings.callback.ring_time);
        }
    }

    fn client_answers(&mut self, core: &mut Shared) {
        if self.stage == Stage::Client {
            self.stage = Stage::Arming;
            // A person listens who can tell a machine.
            let request = AriRequest::Screen { channel: self.client.clone(), attempt: self.id, listen: false };
            core.ari(self.node, self.id, request);
            self.arm(core, spans::RELEASE);
        }
    }

    fn finish(&mut self, core: &mut Shared, disposition: Disposition, cause: u16) {
        if self.stage == Stage::Ending {
            return;
        }
        let armed = self.stage == Stage::Arming;
        self.stage = Stage::Ending;
        let (call, at) = (self.id, core.now.wall);
        let (waited, talked, agent) = (Default::default(), Default::default(), Some(self.agent));
        core.persist(Fact::CallEnded { call, disposition, cause, waited, talked, agent, at });
        core.publish(Update::CallEnded { call, disposition });
        if armed {
            let (node, name) = (self.node, self.recording());
            core.out.push_back(Command::CollectRecording { node, call, name, talked, gone: true });
        }
        self.release(core);
    }

    fn release(&mut self, core: &mut Shared) {
        self.hang_ups += 1;
        for (there, channel) in [(self.leg_there, &self.leg), (self.client_there, &self.client)] {
            if there {
                let request = AriRequest::HangUp { channel: channel.clone(), cause: HangUpCause::Normal };
                core.ari(self.node, self.id, request);
            }
        }
        self.arm(core, spans::RELEASE);
    }

    fn leg_gone(&mut self, core: &mut Shared, cause: u16) {
        if std::mem::take(&mut self.leg_there) {
            core.persist(Fact::LegEnded { call: self.id, leg: 1, cause, at: core.now.wall });
            // No after-call work: there was no talk.
            core.agent_puts_down(self.agent, self.id);
            self.finish(core, Disposition::Abandon, cause);
        }
    }

    fn client_gone(&mut self, core: &mut Shared, cause: u16) {
        if std::mem::take(&mut self.client_there) {
            self.finish(core, Disposition::NoAnswer, cause);
        }
    }

    fn wake(&mut self, core: &mut Shared) {
        if self.due > core.now.mono || !core.node_up(self.node) {
            return;
        }
        match self.stage {
            Stage::Agent => self.finish(core, Disposition::Abandon, 19),
            Stage::Client | Stage::Arming => self.finish(core, Disposition::NoAnswer, 19),
            Stage::Ending if self.hang_ups < 3 => self.release(core),
            Stage::Ending => {
                core.alarm(self.id, "the channels of a call did not end after 3 requests; it is closed".to_owned());
                for channel in [&self.leg, &self.client] {
                    let request = AriRequest::HangUp { channel: channel.clone(), cause: HangUpCause::Normal };
                    core.ask_later(self.node, self.id, request);
                }
                self.client_there = false;
                self.leg_gone(core, 0);
            }
        }
    }

    fn refused(&mut self, core: &mut Shared, request: &AriRequest, why: &Refusal) {
        let nothing_made = matches!(why, Refusal::Unprocessable(_) | Refusal::NotFound | Refusal::Unreachable);
        match request {
            AriRequest::Ring { .. } if nothing_made => self.leg_gone(core, 20),
            AriRequest::Ring { .. } => self.finish(core, Disposition::Abandon, 20),
            AriRequest::Dial { .. } if nothing_made => self.client_gone(core, 34),
            AriRequest::Dial { .. } => self.finish(core, Disposition::NoAnswer, 34),
            AriRequest::Screen { .. } if *why != Refusal::Conflict => self.finish(core, Disposition::NoAnswer, 0),
            AriRequest::HangUp { channel, .. } if *why == Refusal::NotFound => {
                if *channel == self.leg {
                    self.leg_gone(core, 0)
                } else {
                    self.client_gone(core, 0)
                }
            }
            _ => {}
        }
    }

    fn over(&self) -> bool {
        self.stage == Stage::Ending && !self.leg_there && !self.client_there
    }
}

impl Engine {
    /// An agent wants to talk with this number.
    pub(super) fn dial_for(&mut self, agent: AgentId, number: &str) -> Result<Answer, Denied> {
        let core = &self.core;
        let known = core.agents.get(agent).ok_or(Denied::NoSuchAgent(agent))?;
        let number = Phone::parse(number).as_str().to_owned();
        let dial = core.settings.outside(&number).ok_or(Denied::NumberNotAllowed)?;
        if known.profile.endpoint.is_empty() || known.reachable == Some(false) {
            return Err(Denied::NoPhone(agent));
        }
        if known.hands != Hands::Empty {
            return Err(Denied::AgentNotFree(agent));
        }
        let node = known.profile.node;
        if !core.node_up(node) {
            return Err(Denied::NodeDown);
        }
        if self.callbacks.is_on_the_line(&number) {
            return Err(Denied::NumberBusy);
        }
        let id = self.next_call();
        self.core.agents.offer(agent, id, 1);
        let mut dialled = Dialled {
            id,
            node,
            agent,
            dial,
            leg: Own::Leg(1).id(id).into(),
            client: Own::Outgoing.id(id).into(),
            stage: Stage::Agent,
            due: self.core.now.mono,
            leg_there: true,
            client_there: false,
            hang_ups: 0,
            begun: self.core.now,
            card: CallerCard::default(),
            number,
        };
        dialled.begin(&mut self.core);
        self.callbacks.called(&mut self.core, id, &dialled.number);
        self.dialled.insert(id, dialled);
        Ok(Answer::Calling(id))
    }

    /// A call that is being made for an agent is ended by a person. False if there is none of this id.
    pub(super) fn end_dialled(&mut self, id: CallId, by: &Actor) -> Option<Result<Answer, Denied>> {
        let dialled = self.dialled.get_mut(&id)?;
        if matches!(by, Actor::Agent(agent) if *agent != dialled.agent) {
            return Some(Err(Denied::NotYours));
        }
        dialled.finish(&mut self.core, Disposition::Ended, 16);
        Some(Ok(Answer::Done))
    }

    fn dialled_step(&mut self, id: CallId, step: impl FnOnce(&mut Dialled, &mut Shared)) -> bool {
        let Some(dialled) = self.dialled.get_mut(&id) else { return false };
        step(dialled, &mut self.core);
        if dialled.over() {
            self.dialled.remove(&id);
            self.callbacks.call_over(&mut self.core, id, false);
        }
        true
    }

    pub(super) fn dialled_rings(&mut self, id: CallId, own: Own) -> bool {
        self.dialled_step(id, |dialled, core| match own {
            Own::Leg(_) => dialled.leg_rings(core),
            _ => dialled.client_rings(core),
        })
    }

    pub(super) fn dialled_answers(&mut self, id: CallId, own: Own) -> bool {
        let Own::Leg(_) = own else { return self.dialled_step(id, Dialled::client_answers) };
        // The client may have rung in while the agent's phone was ringing: two calls at once to one number there are not.
        let busy = self.dialled.get(&id).is_some_and(|dialled| self.callbacks.talks_with(&dialled.number, id));
        self.dialled_step(id, |dialled, core| dialled.leg_answers(core, busy))
    }

    pub(super) fn dialled_gone(&mut self, id: CallId, own: Own, cause: u16) -> bool {
        self.dialled_step(id, |dialled, core| match own {
            Own::Leg(_) => dialled.leg_gone(core, cause),
            _ => dialled.client_gone(core, cause),
        })
    }

    pub(super) fn dialled_refused(&mut self, id: CallId, request: &AriRequest, why: &Refusal) -> bool {
        self.dialled_step(id, |dialled, core| dialled.refused(core, request, why))
    }

    pub(super) fn dialled_due(&mut self, id: CallId) -> bool {
        self.dialled_step(id, Dialled::wake)
    }

    pub(super) fn dialled_card(&mut self, id: CallId, card: &CallerCard) -> bool {
        self.dialled_step(id, |dialled, core| {
            dialled.card = card.clone();
            core.publish(Update::Call(dialled.view()));
        })
    }

    /// The client whom an agent wanted has answered, and the recording is armed: a call like any other.
    pub(super) fn dialled_arrived(&mut self, node: NodeId, arrival: &Arrival, id: CallId) -> bool {
        let Some(dialled) = self.dialled.get(&id) else { return false };
        if dialled.stage == Stage::Ending {
            return true;
        }
        let Some(dialled) = self.dialled.remove(&id) else { return false };
        let Dialled { number, leg, agent, card, begun, .. } = dialled;
        let arrival = Arrival { number, dialled: String::new(), ..arrival.clone() };
        let mut call = Box::new(Call::dialled(&self.core, id, node, &arrival, begun));
        call.joins_agent(&mut self.core, leg, agent, card);
        self.channels.insert(arrival.channel.clone(), id);
        self.calls.insert(id, call);
        true
    }

    /// What stands of calls that are being made, after Asterisk could not be heard.
    pub(super) fn reconcile_dialled(&mut self, node: NodeId, found: &super::call::Found) {
        let own: Vec<CallId> = self.dialled.values().filter(|one| one.node == node).map(|one| one.id).collect();
        for id in own {
            let leg = found.legs.get(&id).and_then(|legs| legs.get(&1));
            let client = found.outgoing.get(&id);
            let busy = self.dialled.get(&id).is_some_and(|dialled| self.callbacks.talks_with(&dialled.number, id));
            self.dialled_step(id, |dialled, core| {
                // A client who is called only now was not there when the picture was taken.
                let called = dialled.client_there;
                match leg {
                    None => dialled.leg_gone(core, 0),
                    Some(seen) if seen.arrival.answered => dialled.leg_answers(core, busy),
                    Some(_) => {}
                }
                match client {
                    None if called => dialled.client_gone(core, 0),
                    None => {}
                    // The recording is armed already: the call is taken up like one that has just come.
                    Some(ChannelSnapshot { arrival: Arrival { origin: Origin::Outgoing { .. }, .. }, .. }) => {}
                    Some(seen) if seen.arrival.answered => dialled.client_answers(core),
                    Some(_) => {}
                }
                dialled.arm(core, spans::RING_START.max(dialled.due.since(core.now.mono)));
            });
        }
    }

    /// Living calls that are being made on this Asterisk, with the names of their recordings.
    pub(super) fn dialled_alive(&self, node: NodeId) -> Vec<(CallId, String)> {
        let own = self.dialled.values().filter(|one| one.node == node);
        own.map(|one| (one.id, one.recording())).collect()
    }
}
