//! A supervisor listens to a talk, whispers to the agent, speaks with both, or takes the talk over.
//!
//! The supervisor's own phone rings. When it is answered it comes into a bridge of its own with a snoop of the agent's
//! channel, which hears both sides; what the supervisor says is whispered to the agent alone, to both sides, or to nobody.
//! So the bridge of the talk is never touched, the recording stays whole (of a supervisor who speaks with both it has the
//! voice on the agent's side), and the mode changes by a new snoop, without another ring. Who takes over comes into the
//! talk in the agent's place, like one to whom the caller was transferred.
//!
//! It is over when the supervisor or the agent is gone, and when the caller goes on to somebody else. It does not outlive
//! the connection with Asterisk: what is found of it there is ended.

use crate::engine::acd::agent::Hands;
use crate::engine::call::adopt::Found;
use crate::engine::call::{Call, LegStage, Phase, Purpose};
use crate::engine::command::{AriRequest, Denied, Fact, HangUpCause};
use crate::engine::event::{Actor, MonitorMode, Refusal};
use crate::engine::ids::{AgentId, BridgeId, ChannelId, Own};
use crate::engine::leftover::worth_repeating;
use crate::engine::shared::Shared;
use crate::engine::time::Wall;
use crate::engine::view::MonitorView;

/// A supervisor and the agent's leg that is heard.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    /// The supervisor's leg.
    leg: u32,
    agent: AgentId,
    /// The leg that is heard.
    target: u32,
    mode: MonitorMode,
    by: Actor,
    /// The snoop that stands now, and since when; none before the answer.
    snoop: Option<(u32, Wall)>,
}

impl Call {
    /// The phone of this agent, who is the supervisor's own, is rung to hear the talk; or the mode changes.
    pub(in crate::engine) fn monitor(
        &mut self,
        core: &mut Shared,
        agent: AgentId,
        mode: MonitorMode,
        by: Actor,
    ) -> Result<(), Denied> {
        if let Some(leg) = self.monitors.iter().find(|one| one.agent == agent).map(|one| one.leg) {
            return self.change_monitor(core, leg, mode, by);
        }
        let target = self.serving().filter(|_| self.may_be_monitored(mode));
        let target = target.ok_or_else(|| self.wrong_stage("talking or held"))?;
        let known = core.agents.get(agent).ok_or(Denied::NoSuchAgent(agent))?;
        let profile = &known.profile;
        if profile.endpoint.is_empty() || known.reachable == Some(false) || profile.node != self.node {
            return Err(Denied::NoPhone(agent));
        }
        let (dial, ring_time) = (format!("PJSIP/{}", profile.endpoint), core.queue(self.queue).ring_time);
        if !core.agents.dials(agent, self.id) {
            return Err(Denied::AgentNotFree(agent));
        }
        let leg = self.ring(core, Some(agent), dial, Purpose::Monitor, ring_time);
        self.monitors.push(Monitor { leg, agent, target, mode, by, snoop: None });
        core.agent_changed(agent, false);
        self.publish(core);
        Ok(())
    }

    /// The supervisor does not want to hear any more. Harmless when that is so already.
    pub(in crate::engine) fn stop_monitor(&mut self, core: &mut Shared, agent: AgentId) -> Result<(), Denied> {
        if let Some(leg) = self.monitors.iter().find(|one| one.agent == agent).map(|one| one.leg) {
            self.end_monitor(core, leg);
        }
        Ok(())
    }

    fn may_be_monitored(&self, mode: MonitorMode) -> bool {
        match self.phase {
            Phase::Talking(_) | Phase::Held(_) => true,
            // Nobody comes between two who are talking about the caller.
            Phase::Consulting(..) => mode != MonitorMode::TakeOver,
            Phase::Loading
            | Phase::Greeting
            | Phase::Menu
            | Phase::Waiting
            | Phase::Dialling(_)
            | Phase::Joining(_)
            | Phase::Ending => false,
        }
    }

    fn change_monitor(&mut self, core: &mut Shared, leg: u32, mode: MonitorMode, by: Actor) -> Result<(), Denied> {
        if !self.may_be_monitored(mode) {
            return Err(self.wrong_stage("talking or held"));
        }
        let Some(one) = self.monitors.iter_mut().find(|one| one.leg == leg) else { return Ok(()) };
        let same = one.mode == mode;
        one.by = by;
        if one.snoop.is_none() || same {
            // The phone rings still.
            one.mode = mode;
            self.publish(core);
            return Ok(());
        }
        self.stop_snoop(core, leg);
        if let Some(one) = self.monitors.iter_mut().find(|one| one.leg == leg) {
            one.mode = mode;
        }
        self.begin_hearing(core, leg);
        Ok(())
    }

    /// The supervisor's phone was answered.
    pub(super) fn monitor_answered(&mut self, core: &mut Shared, leg: u32) {
        let Some(phone) = self.leg(leg).map(|leg| leg.channel.clone()) else { return };
        let Some(mode) = self.monitors.iter().find(|one| one.leg == leg).map(|one| one.mode) else {
            return self.release_leg(core, leg, None);
        };
        if !self.may_be_monitored(mode) {
            return self.end_monitor(core, leg);
        }
        if mode != MonitorMode::TakeOver {
            let bridge = self.bridge_id(Own::MonitorBridge(leg));
            self.ari(core, AriRequest::CreateBridge(bridge.clone(), None));
            self.ari(core, AriRequest::Join { bridge, channels: vec![phone] });
        }
        self.begin_hearing(core, leg);
    }

    /// From now on in this mode.
    fn begin_hearing(&mut self, core: &mut Shared, leg: u32) {
        let (call, began) = (self.id, core.now.wall);
        self.next_snoop += 1;
        let number = self.next_snoop;
        let Some(one) = self.monitors.iter_mut().find(|one| one.leg == leg) else { return };
        one.snoop = Some((number, began));
        let (target, mode, listener, by) = (one.target, one.mode, one.agent, one.by.clone());
        let heard = self.leg(target).and_then(|leg| leg.agent);
        core.persist(Fact::MonitorBegan { call, listener, heard, mode, by, at: began });
        if mode == MonitorMode::TakeOver {
            return self.take_over(core, leg);
        }
        let Some(on) = self.leg(target).map(|leg| leg.channel.clone()) else { return };
        let (snoop, bridge) = (Own::Snoop(number).id(call).into(), self.bridge_id(Own::MonitorBridge(leg)));
        self.ari(core, AriRequest::Snoop { on, snoop, bridge, mode });
        self.publish(core);
    }

    /// The supervisor takes the agent's place.
    fn take_over(&mut self, core: &mut Shared, leg: u32) {
        let (Phase::Talking(serving) | Phase::Held(serving)) = self.phase else {
            return self.end_monitor(core, leg);
        };
        let Some(at) = self.monitors.iter().position(|one| one.leg == leg) else { return };
        let one = self.monitors.remove(at);
        self.journal_end(core, &one);
        if let Some(own) = self.leg_mut(leg) {
            own.purpose = Purpose::Transfer;
        }
        let by = one.by;
        self.note(core, "taken_over", format!("agent {}", one.agent.0), by);
        core.agent_adopted(one.agent, Hands::Talking(self.id, leg));
        // What was said until now counts, whichever bridge the caller leaves.
        self.talk_pauses(core);
        self.join(core, leg);
        self.release_leg(core, serving, None);
        self.ari(core, AriRequest::DestroyBridge(self.bridge_id(Own::MonitorBridge(leg))));
        self.publish(core);
    }

    fn stop_snoop(&mut self, core: &mut Shared, leg: u32) {
        let Some(at) = self.monitors.iter().position(|one| one.leg == leg) else { return };
        let Some(one) = self.monitors.get(at).cloned() else { return };
        if let Some((number, _)) = one.snoop {
            self.journal_end(core, &one);
            let channel = Own::Snoop(number).id(self.id).into();
            self.ari(core, AriRequest::HangUp { channel, cause: HangUpCause::Normal });
        }
        if let Some(one) = self.monitors.get_mut(at) {
            one.snoop = None;
        }
    }

    fn journal_end(&self, core: &mut Shared, one: &Monitor) {
        if let Some((_, began)) = one.snoop {
            core.persist(Fact::MonitorEnded { call: self.id, listener: one.agent, began, at: core.now.wall });
        }
    }

    /// Nobody hears any more by this leg.
    fn end_monitor(&mut self, core: &mut Shared, leg: u32) {
        self.stop_snoop(core, leg);
        self.monitors.retain(|one| one.leg != leg);
        self.ari(core, AriRequest::DestroyBridge(self.bridge_id(Own::MonitorBridge(leg))));
        self.release_leg(core, leg, None);
        self.publish(core);
    }

    /// A leg is being hung up, or gone: who heard it, or by it, hears no more.
    pub(super) fn leg_not_monitored(&mut self, core: &mut Shared, no: u32) {
        let over: Vec<u32> =
            self.monitors.iter().filter(|one| one.leg == no || one.target == no).map(|one| one.leg).collect();
        for leg in over {
            self.end_monitor(core, leg);
        }
    }

    /// A snoop is gone, without our asking: with the channel that it heard, nearly always.
    pub(in crate::engine) fn snoop_gone(&mut self, core: &mut Shared, number: u32) {
        let of = self.monitors.iter().find(|one| one.snoop.is_some_and(|(snoop, _)| snoop == number));
        if let Some(leg) = of.map(|one| one.leg) {
            self.end_monitor(core, leg);
        }
    }

    /// Asterisk did not do what was asked for a monitor. True if it was asked for one.
    pub(super) fn monitor_refused(&mut self, core: &mut Shared, request: &AriRequest, why: &Refusal) -> bool {
        let own = match request {
            AriRequest::Snoop { snoop: channel, .. } | AriRequest::HangUp { channel, .. } => channel.as_str(),
            AriRequest::CreateBridge(bridge, _)
            | AriRequest::DestroyBridge(bridge)
            | AriRequest::Join { bridge, .. } => bridge.as_str(),
            _ => return false,
        };
        match (Own::parse(own), request) {
            (Some((_, Own::Snoop(number))), AriRequest::Snoop { snoop, .. }) => {
                self.snoop_gone(core, number);
                if matches!(why, Refusal::TimedOut | Refusal::Failed(_)) {
                    // It may have been made.
                    let again = AriRequest::HangUp { channel: snoop.clone(), cause: HangUpCause::Normal };
                    core.ask_later(self.node, self.id, again);
                }
            }
            (Some((_, Own::MonitorBridge(leg))), AriRequest::CreateBridge(bridge, _)) => {
                self.leg_not_monitored(core, leg);
                if *why == Refusal::TimedOut {
                    core.ask_later(self.node, self.id, AriRequest::DestroyBridge(bridge.clone()));
                }
            }
            (Some((_, Own::MonitorBridge(leg))), AriRequest::Join { .. }) => self.leg_not_monitored(core, leg),
            (Some((_, Own::Snoop(_) | Own::MonitorBridge(_))), _) => {
                if worth_repeating(request, why) {
                    core.ask_later(self.node, self.id, request.clone());
                }
            }
            _ => return false,
        }
        true
    }

    /// After a time in which Asterisk could not be heard nobody is heard any more. Also for a call that a former engine
    /// had.
    pub(super) fn no_monitors(&mut self, core: &mut Shared, found: &Found) {
        for leg in self.monitors.iter().map(|one| one.leg).collect::<Vec<_>>() {
            self.end_monitor(core, leg);
        }
        for channel in found.snoops.get(&self.id).into_iter().flatten() {
            let channel = ChannelId::clone(channel);
            self.ari(core, AriRequest::HangUp { channel, cause: HangUpCause::Normal });
        }
        let bridges = found.bridges.get(&self.id).into_iter().flatten();
        let theirs = bridges.filter(|(own, ..)| matches!(own, Own::MonitorBridge(_)));
        for bridge in theirs.map(|(_, bridge, _)| BridgeId::clone(bridge)).collect::<Vec<_>>() {
            self.ari(core, AriRequest::DestroyBridge(bridge));
        }
    }

    pub(super) fn monitors_view(&self) -> Vec<MonitorView> {
        let up = |one: &&Monitor| self.leg(one.leg).is_some_and(|leg| leg.stage != LegStage::Releasing);
        let view =
            |one: &Monitor| MonitorView { agent: one.agent, mode: one.mode, since: one.snoop.map(|(_, since)| since) };
        self.monitors.iter().filter(up).map(view).collect()
    }
}
