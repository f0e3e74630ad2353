//! Legs to agents and outside numbers: made, ringing, answered, refused, gone. An offer is a lease: it ends at a set
//! moment whatever happens.

use std::time::Duration;

use crate::engine::acd::queue::Eligible;
use crate::engine::acd::strategy;
use crate::engine::call::{Call, Leg, LegStage, Phase, Purpose, Timer, cause_for};
use crate::engine::command::{AriRequest, Fact, Update};
use crate::engine::event::{Actor, Refusal, spans};
use crate::engine::ids::{AgentId, ChannelId, Own};
use crate::engine::settings::Strategy;
use crate::engine::shared::{PHONE_AWAY, Shared};
use crate::engine::time::Instant;
use crate::engine::view::{Disposition, OfferOutcome, PauseReason, Status};

/// How long Asterisk itself lets a phone ring after the core's lease: a net under the core, never the rule.
const NET: Duration = Duration::from_secs(10);
/// While Asterisk is slow a phone has so many times longer to start ringing.
const EXTRA_LEASES: u8 = 3;
/// Pause after Asterisk failed to make a leg.
const BACK_OFF: Duration = Duration::from_millis(250);

/// Q.850 "destination out of order": the phone itself went away, not the person.
const PHONE_GONE: u16 = 27;
/// Q.850 "requested channel not available": what Asterisk says of a leg that it heard nothing from for too long.
const PHONE_SILENT: u16 = 44;

/// What an ended leg of a phone means, by Q.850 cause, when the core did not end it itself.
fn outcome_of(cause: u16, stage: LegStage) -> OfferOutcome {
    match cause {
        // User busy; call rejected.
        17 | 21 => OfferOutcome::Rejected,
        // No user responding, no answer.
        18 | 19 => OfferOutcome::RingNoAnswer,
        // The page with the phone was loaded anew while it rang: it is back in a moment.
        PHONE_GONE if stage == LegStage::Ringing => OfferOutcome::Lost,
        _ if stage == LegStage::Ringing || stage == LegStage::Up => OfferOutcome::Rejected,
        _ => OfferOutcome::Unreachable,
    }
}

impl Call {
    /// The free agents whom this caller is to be offered to now.
    pub(in crate::engine) fn candidates(&self, core: &Shared) -> Vec<AgentId> {
        let queue = core.queue(self.queue);
        match (self.phase, self.place) {
            (Phase::Waiting, Some((_, Eligible::Anyone))) => {
                strategy::pick(&queue, self.preferred(core), core.agents.free_for(&queue, self.node))
            }
            (Phase::Waiting, Some((_, Eligible::Only(agent)))) => core
                .agents
                .get(agent)
                .filter(|agent| agent.free() && agent.profile.node == self.node)
                .map(|agent| agent.profile.agent)
                .into_iter()
                .collect(),
            (_, _) => Vec::new(),
        }
    }

    /// Offers this waiting caller to an agent. False if that cannot be done now.
    pub(in crate::engine) fn offer_to(&mut self, core: &mut Shared, agent: AgentId) -> bool {
        let Some((place, was)) = self.place.filter(|_| self.phase == Phase::Waiting) else { return false };
        let settings = core.queue(self.queue);
        let no = self.next_leg + 1;
        let Some(endpoint) = core.agents.get(agent).map(|agent| agent.profile.endpoint.clone()) else { return false };
        if !core.agents.offer(agent, self.id, no) {
            return false;
        }
        self.offer_interrupts(core);
        let to_all = settings.strategy == Strategy::RingAll && !matches!(was, Eligible::Only(_));
        let during = if to_all { Eligible::Ringing } else { Eligible::Nobody };
        if was != during {
            self.place = Some((place, during));
            core.line(self.queue, self.node).change(place, was, during);
        }
        self.ring(core, Some(agent), format!("PJSIP/{endpoint}"), Purpose::Offer, settings.ring_time);
        core.persist(Fact::OfferMade { call: self.id, offer: no, agent, at: core.now.wall });
        core.agent_changed(agent, false);
        core.publish(Update::Offer { agent, call: self.view(core) });
        true
    }

    /// Makes a leg and rings it. The bridge is made meanwhile, so that the answer finds it ready.
    pub(super) fn ring(
        &mut self,
        core: &mut Shared,
        agent: Option<AgentId>,
        dial: String,
        purpose: Purpose,
        ring_time: Duration,
    ) -> u32 {
        self.next_leg += 1;
        let no = self.next_leg;
        let own = if purpose == Purpose::Monitor { Own::Monitor(no) } else { Own::Leg(no) };
        let channel: ChannelId = own.id(self.id).into();
        let lease = core.now.mono + spans::RING_START;
        core.arm(self.id, lease, "lease");
        core.persist(Fact::LegStarted {
            call: self.id,
            leg: no,
            channel: channel.clone(),
            agent,
            number: agent.is_none().then(|| dial.clone()),
            at: core.now.wall,
        });
        self.ari(
            core,
            AriRequest::Ring {
                channel: channel.clone(),
                dial,
                on_behalf_of: Some(self.channel.clone()),
                show_number: self.number.clone(),
                call: self.id,
                time_out: ring_time + NET,
            },
        );
        if purpose != Purpose::Monitor {
            self.make_bridge(core, if self.first_talk.is_some() { Own::MixBridge } else { Own::TalkBridge });
        }
        self.legs.push(Leg {
            no,
            channel,
            agent,
            purpose,
            stage: LegStage::Trying,
            lease: Some(lease),
            extra_leases: 0,
            ring_time,
            in_talk: false,
            outcome: None,
            hang_ups: 0,
        });
        no
    }

    pub(in crate::engine) fn leg_rings(&mut self, core: &mut Shared, no: u32) {
        let (call, now) = (self.id, core.now);
        let Some(leg) = self.leg_mut(no).filter(|leg| leg.stage == LegStage::Trying) else { return };
        leg.stage = LegStage::Ringing;
        let lease = now.mono + leg.ring_time;
        if let Some(before) = leg.lease.replace(lease) {
            core.forget(call, before);
        }
        let (agent, offered) = (leg.agent, leg.agent.is_some() && leg.purpose == Purpose::Offer);
        core.arm(call, lease, "lease");
        if let Some(agent) = agent {
            core.agents.rung(agent, false);
        }
        if offered {
            core.persist(Fact::OfferRinging { call, offer: no, at: now.wall });
        }
    }

    pub(in crate::engine) fn leg_answers(&mut self, core: &mut Shared, no: u32) {
        let (call, at) = (self.id, core.now.wall);
        let Some(leg) = self.leg_mut(no) else { return };
        match leg.stage {
            LegStage::Up | LegStage::Releasing => return,
            LegStage::Trying | LegStage::Ringing => {}
        }
        leg.stage = LegStage::Up;
        if let Some(before) = leg.lease.take() {
            core.forget(call, before);
        }
        let (purpose, agent) = (leg.purpose, leg.agent);
        core.persist(Fact::LegAnswered { call, leg: no, at });
        if let Some(agent) = agent {
            core.agents.talks(agent, call, no);
            core.agent_changed(agent, false);
        }
        match (self.phase, purpose) {
            (Phase::Waiting, Purpose::Offer) => self.offer_accepted(core, no),
            (Phase::Dialling(dialled), Purpose::Transfer) if dialled == no => self.join(core, no),
            (Phase::Consulting(_, target), Purpose::Transfer) if target == no => self.consultation_begins(core, no),
            (_, Purpose::Monitor) => self.monitor_answered(core, no),
            // Somebody else was faster, or the caller is gone.
            _ => self.release_leg(core, no, Some(OfferOutcome::AnsweredElsewhere)),
        }
    }

    /// The one who answered has the caller; all other phones stop ringing.
    fn offer_accepted(&mut self, core: &mut Shared, no: u32) {
        let others: Vec<u32> = self.legs.iter().map(|leg| leg.no).filter(|other| *other != no).collect();
        // First join, then tidy: the two are waiting on the line.
        self.leave_line(core);
        self.join(core, no);
        for other in others {
            self.release_leg(core, other, Some(OfferOutcome::AnsweredElsewhere));
        }
    }

    /// Ends one leg. `outcome` is how the offer ends, if the core has decided that.
    pub(super) fn release_leg(&mut self, core: &mut Shared, no: u32, outcome: Option<OfferOutcome>) {
        let (call, queue) = (self.id, self.queue);
        self.leg_not_monitored(core, no);
        let Some(leg) = self.leg_mut(no).filter(|leg| leg.stage != LegStage::Releasing) else { return };
        leg.stage = LegStage::Releasing;
        let decided = if leg.outcome.is_none() { outcome } else { None };
        leg.outcome = leg.outcome.or(outcome);
        leg.hang_ups = 1;
        let lease = core.now.mono + spans::RELEASE;
        if let Some(before) = leg.lease.replace(lease) {
            core.forget(call, before);
        }
        let request = AriRequest::HangUp { channel: leg.channel.clone(), cause: cause_for(leg.outcome) };
        let (agent, purpose) = (leg.agent, leg.purpose);
        self.ari(core, request);
        core.arm_net(call, lease, "release");
        if let Some(agent) = agent {
            core.agent_releases(agent, call, no, queue);
            if purpose == Purpose::Offer
                && let Some(outcome) = decided
            {
                self.offer_ended(core, no, agent, outcome);
            }
        }
        if purpose == Purpose::Transfer {
            self.publish(core);
        }
        self.offers_again(core);
    }

    /// Journals how an offer ended, and pauses an agent whose phone did not take it.
    fn offer_ended(&mut self, core: &mut Shared, no: u32, agent: AgentId, outcome: OfferOutcome) {
        core.persist(Fact::OfferEnded { call: self.id, offer: no, outcome, at: core.now.wall });
        core.publish(Update::OfferEnded { agent, call: self.id, outcome });
        let paused: Option<PauseReason> = outcome.into();
        if let Some(reason) = paused
            && core.agents.get(agent).is_some_and(|agent| agent.status == Status::Ready)
        {
            core.declare(agent, Status::Pause(reason), Actor::Engine);
        }
    }

    /// A caller whose last offer failed stands in the same place and may be offered to anybody.
    fn offers_again(&mut self, core: &mut Shared) {
        let in_flight = self.legs.iter().any(|leg| leg.stage != LegStage::Releasing);
        if self.phase != Phase::Waiting || in_flight || self.is_keeping_place() {
            return;
        }
        if let Some((place, Eligible::Nobody | Eligible::Ringing)) = self.place
            && !self.held_back
        {
            self.make_eligible(core, place, Eligible::Anyone);
        }
        self.publish(core);
    }

    /// No further offer for a moment: Asterisk has trouble, and asking at once would only add to it.
    fn hold_back(&mut self, core: &mut Shared) {
        self.held_back = true;
        self.arm(core, Timer::Reserve, BACK_OFF);
    }

    /// The moment is over, or the caller is no longer kept for one agent.
    pub(super) fn reservation_over(&mut self, core: &mut Shared) {
        self.held_back = false;
        match self.place {
            Some((place, Eligible::Only(_))) => self.make_eligible(core, place, Eligible::Anyone),
            Some((_, Eligible::Nobody | Eligible::Ringing)) => self.offers_again(core),
            Some((_, Eligible::Anyone)) | None => {}
        }
    }

    /// The agent does not want this offer (declared a pause while the phone rang).
    pub(in crate::engine) fn offer_declined(&mut self, core: &mut Shared, agent: AgentId) {
        let declined = self.legs.iter().find(|leg| leg.agent == Some(agent) && leg.stage != LegStage::Up);
        if let Some(no) = declined.map(|leg| leg.no) {
            self.release_leg(core, no, Some(OfferOutcome::Rejected));
        }
    }

    /// A leg's channel is gone.
    pub(in crate::engine) fn leg_gone(&mut self, core: &mut Shared, no: u32, cause: u16) {
        self.leg_over(core, no, cause, None);
    }

    /// A leg's channel was not found when Asterisk could be heard again; nobody knows how it ended.
    pub(super) fn leg_lost(&mut self, core: &mut Shared, no: u32) {
        self.leg_over(core, no, 0, Some(OfferOutcome::Lost));
    }

    fn leg_over(&mut self, core: &mut Shared, no: u32, cause: u16, known: Option<OfferOutcome>) {
        let Some(index) = self.legs.iter().position(|leg| leg.no == no) else { return };
        let leg = self.legs.remove(index);
        self.leg_not_monitored(core, no);
        let (call, at) = (self.id, core.now.wall);
        core.persist(Fact::LegEnded { call, leg: no, cause, at });
        if leg.in_talk {
            self.talk_pauses(core);
        }
        if let Some(agent) = leg.agent.filter(|_| cause == PHONE_GONE && leg.stage != LegStage::Releasing) {
            // To ring it now would ring what is no more: not before Asterisk hears of it again.
            core.agent_goes_away(agent);
        }
        let lost = matches!(cause, PHONE_GONE | PHONE_SILENT) && leg.stage == LegStage::Up;
        let serving = matches!(self.phase, Phase::Talking(serving) | Phase::Held(serving) if serving == no);
        if let Some(agent) = leg.agent.filter(|_| lost && serving) {
            self.phone_lost(core, agent);
            return;
        }
        if let Some(agent) = leg.agent {
            if leg.stage != LegStage::Releasing {
                core.agent_releases(agent, call, no, self.queue);
            }
            if leg.purpose == Purpose::Offer && leg.outcome.is_none() {
                let mut outcome = known.unwrap_or_else(|| outcome_of(cause, leg.stage));
                if leg.stage == LegStage::Trying {
                    outcome = self.unheard(core, agent, outcome);
                }
                self.offer_ended(core, no, agent, outcome);
            }
            core.agent_puts_down(agent, call);
        }
        self.go_on_without(core, no);
    }

    /// The agent's phone went away in the middle of a talk (a page that was loaded anew, a browser that was killed): the
    /// caller is kept for the agent, whose phone may be back in a moment, and then for anybody.
    fn phone_lost(&mut self, core: &mut Shared, agent: AgentId) {
        self.note(core, "phone_lost", format!("agent {}", agent.0), Actor::Engine);
        self.leave_talk(core);
        self.enter_queue(core, self.queue, Some(agent));
        self.arm(core, Timer::Reserve, PHONE_AWAY);
        core.agent_puts_down(agent, self.id);
    }

    /// What the loss of a leg means for the call.
    fn go_on_without(&mut self, core: &mut Shared, no: u32) {
        match self.phase {
            Phase::Waiting => self.offers_again(core),
            // Answered and gone before the two were joined: the caller keeps the place.
            Phase::Joining(serving) if serving == no && self.first_talk.is_none() => self.back_to_queue(core),
            Phase::Joining(serving) | Phase::Talking(serving) | Phase::Held(serving) if serving == no => {
                self.finish(core, Disposition::CompleteAgent, 16);
            }
            Phase::Consulting(serving, target) if serving == no => self.consultant_left(core, target),
            Phase::Consulting(serving, target) if target == no => self.target_left(core, serving),
            Phase::Dialling(dialled) if dialled == no => self.transfer_failed(core),
            Phase::Loading
            | Phase::Greeting
            | Phase::Menu
            | Phase::Joining(_)
            | Phase::Talking(_)
            | Phase::Held(_)
            | Phase::Consulting(..)
            | Phase::Dialling(_)
            | Phase::Ending => {}
        }
    }

    /// Asterisk did not ring the phone.
    pub(super) fn ring_refused(&mut self, core: &mut Shared, no: u32, why: &Refusal) {
        let outcome = match why {
            // The phone is not there: its own matter.
            Refusal::Unprocessable(_) | Refusal::NotFound | Refusal::Conflict => OfferOutcome::Unreachable,
            // Asterisk's trouble is not the agent's fault.
            Refusal::Failed(_) | Refusal::TimedOut | Refusal::Unreachable => OfferOutcome::Lost,
        };
        if let Some(agent) = self.leg(no).and_then(|leg| leg.agent) {
            core.agents.rung(agent, outcome == OfferOutcome::Lost);
        }
        let nothing_made = matches!(why, Refusal::Unprocessable(_) | Refusal::NotFound | Refusal::Unreachable);
        if outcome == OfferOutcome::Lost && self.phase == Phase::Waiting {
            self.hold_back(core);
        }
        self.release_leg(core, no, Some(outcome));
        if nothing_made {
            self.leg_gone(core, no, 0);
        }
    }

    /// How the offer to a phone that did not ring is over. While Asterisk itself is slow that says little about the phone:
    /// nobody is paused for it, or an hour of rush would end with a hall of paused agents. The phone is left alone for a
    /// moment instead; to ring it again at once would be more of what Asterisk has too much of.
    fn unheard(&self, core: &mut Shared, agent: AgentId, outcome: OfferOutcome) -> OfferOutcome {
        if !core.is_slow(self.node) || outcome == OfferOutcome::Lost {
            return outcome;
        }
        core.agent_goes_away(agent);
        OfferOutcome::Lost
    }

    /// Nothing was heard of a phone in the time in which one starts to ring. From a slow Asterisk, what it has begun is
    /// worth more than the same once more.
    fn does_not_ring(&mut self, core: &mut Shared, no: u32) {
        let (call, lease) = (self.id, core.now.mono + spans::RING_START);
        let slow = core.is_slow(self.node);
        let Some(leg) = self.leg_mut(no) else { return };
        if slow && leg.extra_leases < EXTRA_LEASES {
            leg.extra_leases += 1;
            leg.lease = Some(lease);
            core.arm(call, lease, "lease");
            return;
        }
        let outcome = match leg.agent {
            Some(agent) => self.unheard(core, agent, OfferOutcome::Unreachable),
            None => OfferOutcome::Unreachable,
        };
        self.release_leg(core, no, Some(outcome));
    }

    pub(super) fn wake_legs(&mut self, core: &mut Shared, now: Instant) {
        let due: Vec<(u32, LegStage, u8)> = self
            .legs
            .iter()
            .filter(|leg| leg.lease.is_some_and(|at| at <= now))
            .map(|leg| (leg.no, leg.stage, leg.hang_ups))
            .collect();
        for (no, stage, hang_ups) in due {
            match stage {
                LegStage::Trying => self.does_not_ring(core, no),
                LegStage::Ringing => self.release_leg(core, no, Some(OfferOutcome::RingNoAnswer)),
                LegStage::Up => {}
                LegStage::Releasing if hang_ups < 3 => self.hang_up_again(core, no),
                LegStage::Releasing => {
                    core.alarm(
                        self.id,
                        format!("leg {no} did not end after {hang_ups} requests; the call goes on without"),
                    );
                    if let Some(leg) = self.leg(no) {
                        let request =
                            AriRequest::HangUp { channel: leg.channel.clone(), cause: cause_for(leg.outcome) };
                        core.ask_later(self.node, self.id, request);
                    }
                    self.leg_gone(core, no, 0);
                }
            }
        }
    }

    fn hang_up_again(&mut self, core: &mut Shared, no: u32) {
        let (call, lease) = (self.id, core.now.mono + spans::RELEASE);
        let Some(leg) = self.leg_mut(no) else { return };
        leg.hang_ups += 1;
        leg.lease = Some(lease);
        let request = AriRequest::HangUp { channel: leg.channel.clone(), cause: cause_for(leg.outcome) };
        self.ari(core, request);
        core.arm_net(call, lease, "release");
    }
}
