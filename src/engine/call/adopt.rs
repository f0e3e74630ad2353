//! Taking up calls that Asterisk kept while the engine was away, and settling those that it lost.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::acd::agent::Hands;
use crate::engine::acd::queue::{Eligible, Place};
use crate::engine::call::memo::Memo;
use crate::engine::call::{Call, Leg, LegStage, Phase, Purpose, Timer};
use crate::engine::command::{AriRequest, Fact};
use crate::engine::event::{Actor, ChannelSnapshot, Origin, Snapshot, spans};
use crate::engine::ids::{BridgeId, CallId, ChannelId, NodeId, Own};
use crate::engine::shared::{Shared, Wish};
use crate::engine::time::Now;
use crate::engine::view::OfferOutcome;

/// Which bridge of the call it is, its id, and who is in it.
type FoundBridge<'a> = (Own, &'a BridgeId, &'a [ChannelId]);

/// A snapshot sorted by calls.
#[derive(Debug, Default)]
pub(in crate::engine) struct Found<'a> {
    /// Channels that others named, by id.
    pub foreign: BTreeMap<&'a str, &'a ChannelSnapshot>,
    /// Legs that the core made, by call and number.
    pub legs: BTreeMap<CallId, BTreeMap<u32, &'a ChannelSnapshot>>,
    /// Channels of clients whom the office calls, by attempt. They are among `foreign` too: a call has one like any other
    /// caller's.
    pub outgoing: BTreeMap<CallId, &'a ChannelSnapshot>,
    /// Channels by which supervisors heard talks, by call.
    pub snoops: BTreeMap<CallId, Vec<&'a ChannelId>>,
    /// Bridges that the core made, with who is in them.
    pub bridges: BTreeMap<CallId, Vec<FoundBridge<'a>>>,
    /// Notes that bridges carry, by the caller's channel.
    notes: BTreeMap<&'a str, &'a str>,
}

impl<'a> Found<'a> {
    pub fn sort(snapshot: &'a Snapshot) -> Found<'a> {
        let mut found = Found::default();
        for channel in &snapshot.channels {
            let id = channel.arrival.channel.as_str();
            match Own::parse(id) {
                Some((call, Own::Snoop(_))) => {
                    found.snoops.entry(call).or_default().push(&channel.arrival.channel);
                }
                Some((call, Own::Leg(no) | Own::Monitor(no))) => {
                    found.legs.entry(call).or_default().insert(no, channel);
                }
                Some((call, Own::Outgoing)) => {
                    found.outgoing.insert(call, channel);
                    found.foreign.insert(id, channel);
                }
                Some((
                    _,
                    Own::TalkBridge | Own::MixBridge | Own::ConsultBridge | Own::MonitorBridge(_) | Own::Playback(_),
                ))
                | None => {
                    found.foreign.insert(id, channel);
                }
            }
        }
        for bridge in &snapshot.bridges {
            if let Some((call, own)) = Own::parse(bridge.bridge.as_str()) {
                found.bridges.entry(call).or_default().push((own, &bridge.bridge, &bridge.channels));
            }
            if let Some(note) = &bridge.note {
                found.notes.insert(note.channel.as_str(), &note.memo);
            }
        }
        found
    }

    /// The newest note on a caller. A bridge carries the one of the entry into the queue, and only where there is none on
    /// the channel that tells as much.
    pub fn memo(&self, caller: &ChannelSnapshot) -> Option<Memo> {
        let arrival = &caller.arrival;
        let own = arrival.memo.as_deref().and_then(Memo::read);
        // Who comes back from the fallback is a new call.
        if own.as_ref().is_some_and(|memo| memo.queued.is_some()) || arrival.origin == Origin::Fallback {
            return own;
        }
        self.notes.get(arrival.channel.as_str()).and_then(|memo| Memo::read(memo)).or(own)
    }

    fn is_in(&self, call: CallId, which: Own, channel: &ChannelId) -> bool {
        let bridges = self.bridges.get(&call).map_or(&[][..], Vec::as_slice);
        bridges.iter().any(|(own, _, channels)| *own == which && channels.contains(channel))
    }

    fn has(&self, call: CallId, which: Own) -> bool {
        self.bridges.get(&call).is_some_and(|bridges| bridges.iter().any(|(own, _, _)| *own == which))
    }
}

impl Call {
    /// Brings a call that the core knows into line with what stands in Asterisk.
    pub(in crate::engine) fn reconcile(&mut self, core: &mut Shared, found: &Found) {
        let none = BTreeMap::new();
        let legs = found.legs.get(&self.id).unwrap_or(&none);
        self.see_bridges(found);
        // The caller first: with the caller gone the loss of a leg is nobody's hang-up.
        let caller = found.foreign.get(self.channel.as_str());
        match caller {
            None if self.disposition.is_none() => self.caller_lost(core),
            None => self.caller_gone = true,
            Some(_) => {}
        }
        for no in self.legs.iter().map(|leg| leg.no).collect::<Vec<_>>() {
            match legs.get(&no) {
                None => self.leg_lost(core, no),
                Some(seen) if seen.arrival.answered => self.leg_answers(core, no),
                Some(seen) if seen.ringing => self.leg_rings(core, no),
                Some(_) => {}
            }
        }
        for (no, leg) in legs {
            if self.leg(*no).is_none() {
                let request = AriRequest::HangUp {
                    channel: leg.arrival.channel.clone(),
                    cause: crate::engine::command::HangUpCause::Normal,
                };
                self.ari(core, request);
            }
        }
        self.no_monitors(core, found);
        if caller.is_some() {
            self.resume_stage(core);
        }
        self.rearm(core);
    }

    fn see_bridges(&mut self, found: &Found) {
        for own in [Own::TalkBridge, Own::MixBridge, Own::ConsultBridge] {
            let stands = found.has(self.id, own);
            if let Some(bridge) = self.bridge_mut(own) {
                bridge.stands = stands;
                bridge.asked |= stands;
            }
        }
        let mixed = |channel: &ChannelId| found.is_in(self.id, Own::MixBridge, channel);
        self.mixes |= mixed(&self.channel) || self.legs.iter().any(|leg| mixed(&leg.channel));
        self.caller_in = found.is_in(self.id, self.talk_own(), &self.channel);
        let own = self.talk_own();
        for leg in &mut self.legs {
            leg.in_talk = found.is_in(self.id, own, &leg.channel);
        }
    }

    /// What was asked for while nobody listened may not have been done: ask again where it matters.
    fn resume_stage(&mut self, core: &mut Shared) {
        match self.phase {
            Phase::Talking(no) => {
                if !self.caller_in || self.leg(no).is_none_or(|leg| !leg.in_talk) {
                    self.talk_pauses(core);
                    self.join(core, no);
                }
            }
            Phase::Joining(no) => {
                self.talk_begins(core);
                if self.phase == Phase::Joining(no) {
                    self.join(core, no);
                }
            }
            Phase::Waiting | Phase::Dialling(_) | Phase::Held(_) | Phase::Consulting(..) => {
                if self.prompt.is_none() {
                    self.music_on(core);
                }
                core.wishes.push_back(Wish::Caller(self.id));
            }
            Phase::Loading | Phase::Greeting | Phase::Menu | Phase::Ending => {}
        }
    }

    /// Takes up a call that this engine has never heard of.
    pub(in crate::engine) fn adopt(
        core: &mut Shared,
        node: NodeId,
        memo: &Memo,
        seen: &ChannelSnapshot,
        found: &Found,
    ) -> Call {
        let mut call = Call::arriving(core, memo.call, node, &seen.arrival);
        call.queue = core.queue_named(&memo.queue);
        call.card.priority = memo.priority;
        call.priority = core.queue(call.queue).priority.saturating_add(memo.priority);
        call.arrived = Now { mono: core.now.instant_of(memo.arrived), wall: memo.arrived };
        // Who was still in the greeting stands where the arrival puts the caller.
        call.queued = Some(core.now.instant_of(memo.queued.unwrap_or(memo.arrived)));
        call.answered = true;
        call.take_up_pause(core, memo.was_paused, memo.unkept_until);
        // Prompts of the former engine may still be playing under low numbers.
        call.next_playback = 1000;
        call.next_snoop = 1000;
        if let Some(first) = memo.first_talk {
            call.first_talk = Some(core.now.instant_of(first));
            call.talked = memo.talked;
            call.has_talked(core);
        }
        call.journal_arrival(core);
        call.take_up_legs(core, found);
        call.no_monitors(core, found);
        call.see_bridges(found);
        if !seen.arrival.answered {
            call.ari(core, AriRequest::Answer(call.channel.clone()));
        }
        call.take_up_stage(core, found);
        if let (Some(_), Some(since)) = (call.talk_since, memo.talks_since) {
            call.talk_since = Some(core.now.instant_of(since));
        }
        call.note(core, "adopted", String::new(), Actor::Engine);
        // Where there is talk there will be a number known from the card, and the screens want the card.
        if !call.number.is_empty() {
            let (number, rang_in) = (call.number.clone(), !call.outgoing);
            core.out.push_back(crate::engine::command::Command::LoadCaller { call: call.id, number, rang_in });
        }
        call.publish(core);
        call
    }

    fn take_up_legs(&mut self, core: &mut Shared, found: &Found) {
        let Some(legs) = found.legs.get(&self.id) else { return };
        for (no, seen) in legs {
            self.next_leg = self.next_leg.max(*no);
            let channel = &seen.arrival.channel;
            let talks = |own| found.is_in(self.id, own, channel);
            if matches!(Own::parse(channel.as_str()), Some((_, Own::Monitor(_))))
                && !talks(Own::TalkBridge)
                && !talks(Own::MixBridge)
            {
                // A supervisor who heard the talk by the former engine.
                let cause = crate::engine::command::HangUpCause::Normal;
                self.ari(core, AriRequest::HangUp { channel: channel.clone(), cause });
                core.persist(Fact::LegEnded { call: self.id, leg: *no, cause: 16, at: core.now.wall });
                continue;
            }
            let agent = core.agents.by_endpoint(&seen.endpoint).map(|agent| agent.profile.agent);
            let stage = match (seen.arrival.answered, seen.ringing) {
                (true, _) => LegStage::Up,
                (false, true) => LegStage::Ringing,
                (false, false) => LegStage::Trying,
            };
            let ring_time = core.queue(self.queue).ring_time;
            let lease = match stage {
                LegStage::Up => None,
                LegStage::Ringing => Some(core.now.mono + ring_time),
                LegStage::Trying | LegStage::Releasing => Some(core.now.mono + spans::RING_START),
            };
            if let Some(at) = lease {
                core.arm(self.id, at, "lease");
            }
            if let Some(agent) = agent {
                let hands =
                    if stage == LegStage::Up { Hands::Talking(self.id, *no) } else { Hands::Offered(self.id, *no) };
                core.agent_adopted(agent, hands);
            }
            self.legs.push(Leg {
                no: *no,
                channel: seen.arrival.channel.clone(),
                agent,
                purpose: if agent.is_some() { Purpose::Offer } else { Purpose::Transfer },
                stage,
                lease,
                extra_leases: 0,
                ring_time,
                in_talk: false,
                outcome: (stage == LegStage::Up).then_some(OfferOutcome::Answered),
                hang_ups: 0,
            });
        }
    }

    /// Reads from legs and bridges where the call was.
    fn take_up_stage(&mut self, core: &mut Shared, found: &Found) {
        let up: Vec<u32> = self.legs.iter().filter(|leg| leg.stage == LegStage::Up).map(|leg| leg.no).collect();
        let in_talk = self.legs.iter().find(|leg| leg.in_talk).map(|leg| leg.no);
        let consulting = self.legs.iter().find(|leg| found.is_in(self.id, Own::ConsultBridge, &leg.channel));
        match (consulting.map(|leg| leg.no), in_talk, up.as_slice()) {
            (Some(agent), _, _) if self.legs.len() > 1 => {
                let target = self.legs.iter().map(|leg| leg.no).find(|no| *no != agent).unwrap_or(agent);
                let (agent, target) = (agent.min(target), agent.max(target));
                if let Some(leg) = self.leg_mut(target) {
                    leg.purpose = Purpose::Transfer;
                }
                self.phase = Phase::Consulting(agent, target);
                self.heard = Some(agent);
                self.has_talked(core);
                self.last_agent = self.leg(agent).and_then(|leg| leg.agent);
                self.music_on(core);
            }
            (_, Some(no), _) if self.caller_in => {
                self.phase = Phase::Joining(no);
                self.talk_begins(core);
            }
            (_, Some(no), _) => {
                self.phase = Phase::Held(no);
                self.heard = Some(no);
                self.has_talked(core);
                self.last_agent = self.leg(no).and_then(|leg| leg.agent);
                self.music_on(core);
            }
            (_, None, [no, ..]) => self.join(core, *no),
            (_, None, []) if self.legs.iter().any(|leg| leg.agent.is_none()) => {
                let dialled = self.legs.iter().find(|leg| leg.agent.is_none()).map_or(0, |leg| leg.no);
                self.phase = Phase::Dialling(dialled);
                self.music_on(core);
            }
            (_, None, []) => self.wait_on(core),
        }
    }

    /// There was a talk before this engine came. That must not be forgotten even where nothing is known of its length,
    /// or its recording would be taken for empty and the call for an abandoned one.
    fn has_talked(&mut self, core: &Shared) {
        self.first_talk.get_or_insert(core.now.mono);
        self.talked = self.talked.max(Duration::from_millis(1));
    }

    /// Back into the line, at the old place; legs that ring are offers in flight.
    fn wait_on(&mut self, core: &mut Shared) {
        let offered = !self.legs.is_empty();
        self.welcomed = Some(self.queue);
        self.enter_queue(core, self.queue, None);
        if offered && let Some((place, was)) = self.place {
            self.disarm(Timer::Reserve);
            self.hold_place(core, place, was);
        }
    }

    fn hold_place(&mut self, core: &mut Shared, place: Place, was: Eligible) {
        self.place = Some((place, Eligible::Nobody));
        core.line(self.queue, self.node).change(place, was, Eligible::Nobody);
    }
}
