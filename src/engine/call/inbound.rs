//! A caller's way to the queue: card, answer, greeting, music, announcements.

use std::sync::Arc;

use crate::domain::phone::Phone;
use crate::engine::acd::announce::{place_and_wait, told_wait};
use crate::engine::acd::queue::{Eligible, Place};
use crate::engine::call::{Call, Ivr, OwnBridge, Phase, TIMERS, Timer};
use crate::engine::command::{AriRequest, Command, Fact, HangUpCause};
use crate::engine::event::{Arrival, CallerCard, Origin, spans};
use crate::engine::ids::{AgentId, CallId, NodeId, Own, QueueId};
use crate::engine::renumbered::Renumbered;
use crate::engine::settings::Menus;
use crate::engine::shared::{Shared, Tiding, Wish, recording_name};
use crate::engine::time::{Instant, Now};
use crate::engine::view::{Disposition, Status};
use crate::speech::Phrase;

/// No prompt that tells something is shorter.
const LEAST_HEARD: std::time::Duration = std::time::Duration::from_secs(1);

impl Call {
    /// A call as it arrives; nothing is asked for yet.
    pub(in crate::engine) fn arriving(core: &Shared, id: CallId, node: NodeId, arrival: &Arrival) -> Call {
        let by_fallback = arrival.origin == Origin::Fallback;
        let queue = core.settings.routes.get(&arrival.dialled).copied().unwrap_or_default();
        // A caller from the fallback has waited there since the channel was made.
        let mono = if by_fallback { core.now.instant_of(arrival.created) } else { core.now.mono };
        Call {
            id,
            node,
            channel: arrival.channel.clone(),
            recording: recording_name(&arrival.channel, &arrival.number),
            number: Phone::parse(&arrival.number).as_str().to_owned(),
            name: arrival.name.clone(),
            dialled: arrival.dialled.clone(),
            arrived: Now { mono, wall: core.now.wall_of(mono) },
            answered: arrival.answered,
            by_fallback,
            outgoing: Own::Outgoing.id(id) == arrival.channel.as_str(),
            card: CallerCard::default(),
            group_priority: 0,
            phase: Phase::Loading,
            priority: core.queue(queue).priority,
            queue,
            place: None,
            queued: None,
            entry_unnoted: false,
            entry_noted: false,
            first_talk: None,
            talk_since: None,
            talked: std::time::Duration::ZERO,
            last_agent: None,
            unkept_until: None,
            // Before the fallback had the caller, another call may have been recorded in the same file.
            was_paused: by_fallback,
            caller_in: false,
            caller_gone: false,
            caller_hang_ups: 0,
            music: false,
            talk_bridge: OwnBridge::default(),
            mix_bridge: OwnBridge::default(),
            mixes: false,
            heard: None,
            consult_bridge: OwnBridge::default(),
            legs: Vec::new(),
            next_leg: 0,
            monitors: Vec::new(),
            next_snoop: 0,
            prompt: None,
            next_playback: 0,
            join_failures: 0,
            answer_failures: 0,
            held_back: false,
            disposition: None,
            menu: None,
            menus: Arc::default(),
            call_back: None,
            kept_place: false,
            wait_told: false,
            language: core.settings.language,
            welcomed: None,
            closed: false,
            choices: Vec::new(),
            news: Vec::new(),
            prompt_since: core.now.mono,
            outdated: Vec::new(),
            being_told: Vec::new(),
            timers: [None; TIMERS.len()],
        }
    }

    /// Journals the arrival; harmless when it was journalled before.
    pub(super) fn journal_arrival(&self, core: &mut Shared) {
        core.persist(Fact::CallArrived {
            call: self.id,
            node: self.node,
            channel: self.channel.clone(),
            recording: self.recording.clone(),
            number: self.number.clone(),
            dialled: self.dialled.clone(),
            by_fallback: self.by_fallback,
            outgoing: self.outgoing,
            at: self.arrived.wall,
        });
    }

    /// First steps: who is it?
    pub(in crate::engine) fn begin(&mut self, core: &mut Shared) {
        self.journal_arrival(core);
        if self.number.is_empty() {
            self.answer(core);
        } else {
            core.out.push_back(Command::LoadCaller { call: self.id, number: self.number.clone(), rang_in: true });
            self.arm(core, Timer::Card, spans::CARD);
        }
    }

    /// The card is there; late cards still reach the agent's screen.
    pub(in crate::engine) fn card_loaded(&mut self, core: &mut Shared, card: CallerCard) {
        self.group_priority = card.priority;
        self.card = card;
        self.prioritize(core);
        if self.phase != Phase::Loading {
            if self.phase == Phase::Waiting {
                core.tidings.push_back(Tiding::Queued(self.id));
            }
            self.publish(core);
            return;
        }
        self.forget(core, Timer::Card);
        if self.card.blocked && !self.answered {
            self.hang_up_caller(core, HangUpCause::Rejected);
            self.finish(core, Disposition::Blocked, 21);
        } else {
            self.answer(core);
        }
    }

    pub(super) fn card_is_late(&mut self, core: &mut Shared) {
        if self.phase == Phase::Loading {
            self.answer(core);
        }
    }

    fn answer(&mut self, core: &mut Shared) {
        if !self.answered {
            self.answered = true;
            self.ari(core, AriRequest::Answer(self.channel.clone()));
        }
        if self.by_fallback {
            self.enter_queue(core, self.queue, None);
        } else if self.has_news_of_orders(core) {
            self.set_memo(core);
            self.begin_menu(core, true);
        } else if core.settings.greeting {
            self.set_memo(core);
            self.phase = Phase::Greeting;
            let greeting = match core.settings.greeting_text.as_str() {
                "" => Phrase::Greeting,
                text => Phrase::Free(text.to_owned()),
            };
            let recorded = core.settings.recording_notice.then_some(Phrase::Recorded);
            self.play(core, [greeting].into_iter().chain(recorded).collect(), true);
            self.publish(core);
        } else {
            self.greeted(core);
        }
    }

    /// A playback ended by itself or was stopped from outside.
    pub(in crate::engine) fn playback_ended(&mut self, core: &mut Shared, playback: &str) {
        if self.is_playing(playback) {
            // One that failed ends at once: there was nothing to hear.
            let whole = core.now.mono.since(self.prompt_since) >= LEAST_HEARD;
            self.prompt_ended(core, whole);
        }
    }

    pub(super) fn is_playing(&self, playback: &str) -> bool {
        self.prompt.as_ref().is_some_and(|prompt| prompt.playback.as_str() == playback)
    }

    /// `whole`: it was played to its end, as far as can be known.
    pub(super) fn prompt_ended(&mut self, core: &mut Shared, whole: bool) {
        let Some(prompt) = self.prompt.take() else { return };
        self.disarm(Timer::Prompt);
        if whole {
            let heard = std::mem::take(&mut self.being_told).into_iter().filter(|order| !self.outdated.contains(order));
            core.tidings.extend(heard.map(Tiding::Heard));
        }
        match self.phase {
            Phase::Greeting if prompt.greeting => self.greeted(core),
            Phase::Menu if self.kept_place => self.finish(core, Disposition::Callback, 16),
            Phase::Menu => self.prompt_heard(core, whole),
            Phase::Waiting if self.call_back.is_some() => self.await_answer(core),
            Phase::Waiting | Phase::Dialling(_) | Phase::Held(_) | Phase::Consulting(..) => {
                if !self.tell_waiting(core) {
                    self.music_on(core);
                }
            }
            Phase::Loading | Phase::Greeting | Phase::Joining(_) | Phase::Talking(_) | Phase::Ending => {}
        }
    }

    /// Puts the caller into a queue, at the place that the first entry gave. `only`: kept for this agent for a while.
    pub(super) fn enter_queue(&mut self, core: &mut Shared, queue: QueueId, only: Option<AgentId>) {
        self.leave_line(core);
        self.call_back = None;
        let entered = *self.queued.get_or_insert(self.entry_moment(core.now));
        let settings = core.queue(queue);
        self.queue = queue;
        self.phase = Phase::Waiting;
        self.disarm(Timer::Key);
        self.priority = settings.priority.saturating_add(self.card.priority);
        self.entry_unnoted = true;
        let welcomed = only.is_none() && self.welcome(core);
        if self.prompt.is_none() && !welcomed && !self.tell_waiting(core) {
            self.music_on(core);
        }
        let eligible = match only.or_else(|| self.sticky(core)) {
            Some(agent) => {
                let wait = if only.is_some() { settings.ring_time + spans::RING_START } else { settings.sticky_wait };
                self.arm(core, Timer::Reserve, wait);
                Eligible::Only(agent)
            }
            None => Eligible::Anyone,
        };
        let place = Place::new(self.id, entered, self.priority, core.settings.priority_step);
        self.place = Some((place, eligible));
        core.line(queue, self.node).enter(place, eligible);
        core.wishes.push_back(Wish::Caller(self.id));
        if !settings.announce_first.is_zero() {
            self.arm(core, Timer::Announce, settings.announce_first);
        }
        self.journal_queued(core, entered);
        core.tidings.push_back(Tiding::Queued(self.id));
        self.publish(core);
    }

    /// Says the greeting of this queue, once in a stay there; whether there is one to say. It costs no time: the caller
    /// has the place already, and an agent who answers meanwhile cuts it off.
    fn welcome(&mut self, core: &mut Shared) -> bool {
        let before = self.welcomed.replace(self.queue);
        // Who was called, or waited already while no engine was there, is no new caller.
        if before == Some(self.queue) || self.outgoing || self.by_fallback || self.prompt.is_some() {
            return false;
        }
        let Some(text) = core.greetings.get(&core.queue(self.queue).name).cloned() else { return false };
        self.play(core, vec![Phrase::Free(text)], false);
        true
    }

    /// Journals where the caller stands; again when the priority has changed.
    pub(super) fn journal_queued(&self, core: &mut Shared, entered: Instant) {
        core.persist(Fact::CallQueued {
            call: self.id,
            queue: self.queue,
            queue_name: core.queue(self.queue).name.clone(),
            priority: self.priority,
            at: core.now.wall_of(entered),
        });
    }

    /// Queues are elsewhere now. Whose queue is no more waits on in the first one, at the same place.
    pub(in crate::engine) fn renumber(
        &mut self,
        core: &mut Shared,
        moved: &Renumbered,
        menus: impl FnOnce(&Arc<Menus>) -> Arc<Menus>,
    ) {
        if matches!(self.menu, Some(Ivr::Walk(_))) {
            self.menus = menus(&self.menus);
        }
        let before = self.queue;
        self.queue = moved.now(before);
        self.welcomed = self.welcomed.and_then(|queue| moved.kept(queue));
        if let (true, None, Some(entered)) = (self.place.is_some(), moved.kept(before), self.queued) {
            self.set_memo(core);
            self.journal_queued(core, entered);
            core.wishes.push_back(Wish::Caller(self.id));
        }
        if self.queue != before && self.phase != Phase::Ending {
            self.publish(core);
        }
    }

    fn entry_moment(&self, now: Now) -> Instant {
        if self.by_fallback { self.arrived.mono } else { now.mono }
    }

    /// The last agent, if the queue lets a caller wait for one who is at work but busy.
    fn sticky(&self, core: &Shared) -> Option<AgentId> {
        let settings = core.queue(self.queue);
        let agent = self.preferred(core).and_then(|id| core.agents.get(id))?;
        let worth = settings.sticky_wait > std::time::Duration::ZERO && agent.status == Status::Ready;
        (worth && agent.serves(&settings)).then_some(agent.profile.agent)
    }

    /// The agent who is preferred when free.
    pub(in crate::engine) fn preferred(&self, core: &Shared) -> Option<AgentId> {
        if core.queue(self.queue).sticky { self.card.last_agent } else { None }
    }

    pub(super) fn make_eligible(&mut self, core: &mut Shared, place: Place, eligible: Eligible) {
        let was = self.place.map_or(Eligible::Nobody, |(_, was)| was);
        self.place = Some((place, eligible));
        core.admit(self.queue, self.node, place, was, eligible);
    }

    pub(super) fn leave_line(&mut self, core: &mut Shared) {
        if let Some((place, was)) = self.place.take() {
            core.line(self.queue, self.node).leave(place, was);
        }
        self.disarm(Timer::Announce);
        self.disarm(Timer::Reserve);
    }

    pub(super) fn announce(&mut self, core: &mut Shared) {
        let Some((place, _)) = self.place else { return };
        let settings = core.queue(self.queue);
        // A caller whose call is being offered is about to talk: no announcement to be cut off.
        let quiet = self.legs.is_empty() && self.prompt.is_none() && self.call_back.is_none();
        if quiet && !self.tell_waiting(core) {
            let position = core.position(self.queue, place);
            let wait = core.wait_at(self.queue, position);
            let offer = self.may_be_called_back(core);
            if let Some(wait) = told_wait(wait).filter(|_| !self.wait_told) {
                self.wait_told = true;
                core.persist(Fact::WaitTold { call: self.id, wait, at: core.now.wall });
            }
            self.play(core, place_and_wait(position, wait, offer), false);
        }
        if !settings.announce_every.is_zero() {
            self.arm(core, Timer::Announce, settings.announce_every);
        }
    }
}
