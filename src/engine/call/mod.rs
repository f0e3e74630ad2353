//! One call's life: arrival, greeting, queue, offers, talk, hold, transfer, end.

mod adopt;
mod bridge;
mod end;
pub(super) mod feature;
mod hold;
mod inbound;
mod keep_place;
pub(super) mod memo;
mod menu;
mod monitor;
mod offer;
mod outgoing;
pub(crate) mod pause;
mod transfer;
mod view;

pub(super) use adopt::Found;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::OrderId;
use crate::speech::{Language, Phrase};

use self::monitor::Monitor;
use super::acd::queue::{Eligible, Place};
use super::command::{AriRequest, Command, Fact, HangUpCause, Update};
use super::event::{Actor, CallerCard, Note, spans};
use super::ids::{AgentId, BridgeId, CallId, ChannelId, NodeId, Own, PlaybackId, QueueId};
use super::ivr::Choice;
use super::ivr::announcement::Announcement;
use super::ivr::call_back::CallBack;
use super::ivr::menu::MenuWalk;
use super::ivr::order_status::OrderMenu;
use super::settings::Menus;
use super::shared::Shared;
use super::time::{Instant, Now};
use super::view::{Disposition, OfferOutcome};

/// Deadlines of a call, apart from those of its legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// The card is no longer waited for.
    Card,
    /// The prompt should have ended.
    Prompt,
    /// Time to tell place and wait.
    Announce,
    /// The caller is no longer kept for one agent.
    Reserve,
    /// Both should be in the bridge.
    Join,
    /// The channels should be gone.
    Release,
    /// The note on the channel could not be written: once more.
    Memo,
    /// No key was pressed.
    Key,
    /// What is said is kept again.
    Pause,
}

impl Timer {
    /// Whether it is there only in case that Asterisk does not answer.
    fn is_net(self) -> bool {
        match self {
            Timer::Prompt | Timer::Join | Timer::Release | Timer::Memo => true,
            Timer::Card | Timer::Announce | Timer::Reserve | Timer::Key | Timer::Pause => false,
        }
    }
}

const TIMERS: [(Timer, &str); 9] = [
    (Timer::Card, "card"),
    (Timer::Prompt, "prompt"),
    (Timer::Announce, "announce"),
    (Timer::Reserve, "reserve"),
    (Timer::Join, "join"),
    (Timer::Release, "release"),
    (Timer::Memo, "memo"),
    (Timer::Key, "key"),
    (Timer::Pause, "recording pause"),
];

/// Where the call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The caller's card is being looked up; not answered yet.
    Loading,
    /// Hears the greeting.
    Greeting,
    /// Hears how the orders stand, and presses keys.
    Menu,
    /// Stands in the queue; legs that ring are offers.
    Waiting,
    /// An outside number or an agent is rung for a transfer; the caller hears music.
    Dialling(u32),
    /// Is being joined with this leg.
    Joining(u32),
    /// Talks with this leg.
    Talking(u32),
    /// On hold; this leg holds.
    Held(u32),
    /// On hold; the first leg talks with, or waits for, the second.
    Consulting(u32, u32),
    /// Over; channels are being released.
    Ending,
}

/// Why a leg was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A queued caller is offered to an agent.
    Offer,
    /// An agent asks a third party, or sends the caller on.
    Transfer,
    /// A supervisor hears the talk.
    Monitor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LegStage {
    /// Being made; not ringing yet.
    Trying,
    Ringing,
    Up,
    /// Being hung up.
    Releasing,
}

#[derive(Clone, Debug)]
struct Leg {
    no: u32,
    channel: ChannelId,
    agent: Option<AgentId>,
    purpose: Purpose,
    stage: LegStage,
    /// When the present stage must be over; `None` while talking.
    lease: Option<Instant>,
    /// Leases given to a phone that did not ring yet, after the first.
    extra_leases: u8,
    ring_time: Duration,
    in_talk: bool,
    outcome: Option<OfferOutcome>,
    /// Times a hang-up was asked for.
    hang_ups: u8,
}

/// A bridge of this call.
#[derive(Clone, Copy, Debug, Default)]
struct OwnBridge {
    /// It is there, or will be when the requests before are done.
    stands: bool,
    /// It was asked for at some time: it is to be removed in the end.
    asked: bool,
    /// A request for it was not answered: it may come into being when nobody expects it any more.
    in_doubt: bool,
}

#[derive(Clone, Debug)]
struct Prompt {
    playback: PlaybackId,
    /// The greeting leads to the queue; all else leads back to music.
    greeting: bool,
}

/// What a caller goes through before the queue.
#[derive(Clone, Debug)]
enum Ivr {
    /// How the orders stand.
    Orders(OrderMenu),
    /// The office's own menus.
    Walk(MenuWalk),
    /// What the office calls for.
    Told(Announcement),
}

/// One call between the office and a client, with all its legs. The client is called the caller here, whoever called.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub id: CallId,
    pub node: NodeId,
    channel: ChannelId,
    recording: String,
    number: String,
    name: String,
    dialled: String,
    arrived: Now,
    answered: bool,
    by_fallback: bool,
    /// The office called.
    outgoing: bool,
    card: CallerCard,
    /// What the client's group adds to the priority, whatever the orders.
    group_priority: i16,
    phase: Phase,
    queue: QueueId,
    priority: i16,
    place: Option<(Place, Eligible)>,
    queued: Option<Instant>,
    /// There is no note yet of where the caller stands now: the bridge that is made for an offer at once can carry it,
    /// which saves Asterisk a request to the caller's channel.
    entry_unnoted: bool,
    /// There is a note that the caller stands in a queue.
    entry_noted: bool,
    first_talk: Option<Instant>,
    talk_since: Option<Instant>,
    talked: Duration,
    last_agent: Option<AgentId>,
    /// What is said is not kept, until then at most.
    unkept_until: Option<Instant>,
    /// The recording was paused at some time, or may have been.
    was_paused: bool,
    caller_in: bool,
    caller_gone: bool,
    caller_hang_ups: u8,
    music: bool,
    talk_bridge: OwnBridge,
    mix_bridge: OwnBridge,
    consult_bridge: OwnBridge,
    /// The caller talks, or will, in the mixing bridge.
    mixes: bool,
    /// The leg that the caller heard last.
    heard: Option<u32>,
    legs: Vec<Leg>,
    next_leg: u32,
    monitors: Vec<Monitor>,
    next_snoop: u32,
    prompt: Option<Prompt>,
    next_playback: u32,
    join_failures: u8,
    answer_failures: u8,
    /// No offer before the reserve timer: Asterisk has trouble.
    held_back: bool,
    disposition: Option<Disposition>,
    menu: Option<Ivr>,
    /// The office's menus as they were when this caller came to them.
    menus: Arc<Menus>,
    /// A caller who waits is asked how to be called back.
    call_back: Option<CallBack>,
    /// The caller is called back at this place in line; the call ends when that is said.
    kept_place: bool,
    /// Of the prompts to this caller.
    language: Language,
    /// The queue whose greeting was said, or is not to be said any more.
    welcomed: Option<QueueId>,
    /// How long it takes was said.
    wait_told: bool,
    /// The caller is being told that the office is closed.
    closed: bool,
    /// What the caller did with the keys, oldest first.
    choices: Vec<Choice>,
    /// Orders that changed while their caller waits, not told yet.
    news: Vec<OrderId>,
    /// When the present prompt began.
    prompt_since: Instant,
    /// Orders that changed since then: what is being said of them is not how they stand.
    outdated: Vec<OrderId>,
    /// Orders whose news a waiting caller hears in it.
    being_told: Vec<OrderId>,
    timers: [Option<Instant>; TIMERS.len()],
}

impl Call {
    // ---- deadlines

    fn arm(&mut self, core: &mut Shared, timer: Timer, after: Duration) {
        let at = core.now.mono + after;
        if let Some((slot, (_, reason))) = self.slot(timer) {
            *slot = Some(at);
            match timer.is_net() {
                true => core.arm_net(self.id, at, reason),
                false => core.arm(self.id, at, reason),
            }
        }
    }

    fn disarm(&mut self, timer: Timer) {
        if let Some((slot, _)) = self.slot(timer) {
            *slot = None;
        }
    }

    /// As [`disarm`](Call::disarm), and nobody is woken at that moment.
    fn forget(&mut self, core: &mut Shared, timer: Timer) {
        if let Some(at) = self.slot(timer).and_then(|(slot, _)| slot.take()) {
            core.forget(self.id, at);
        }
    }

    fn slot(&mut self, timer: Timer) -> Option<(&mut Option<Instant>, &'static (Timer, &'static str))> {
        self.timers.iter_mut().zip(&TIMERS).find(|(_, (name, _))| *name == timer)
    }

    /// Does what is due. Early, late and repeated calls do no harm.
    pub fn wake(&mut self, core: &mut Shared) {
        // While Asterisk cannot be heard nothing can be said to be late; the snapshot at reconnection decides.
        if !core.node_up(self.node) {
            return;
        }
        let now = core.now.mono;
        for (index, (timer, _)) in TIMERS.iter().enumerate() {
            let Some(slot) = self.timers.get_mut(index) else { continue };
            if slot.is_none_or(|at| at > now) {
                continue;
            }
            *slot = None;
            match timer {
                Timer::Card => self.card_is_late(core),
                Timer::Prompt => self.prompt_ended(core, false),
                Timer::Announce => self.announce(core),
                Timer::Reserve => self.reservation_over(core),
                Timer::Join => self.join_due(core),
                Timer::Release => self.release_again(core),
                Timer::Memo => self.set_memo(core),
                Timer::Key => self.no_key(core),
                Timer::Pause => self.pause_over(core, Actor::Engine),
            }
        }
        self.wake_legs(core, now);
    }

    /// All deadlines anew, after the time in which Asterisk could not be heard.
    fn rearm(&mut self, core: &mut Shared) {
        let now = core.now.mono;
        for (slot, (_, reason)) in self.timers.iter_mut().zip(&TIMERS) {
            if let Some(at) = slot {
                *at = (*at).max(now + spans::RING_START);
                core.arm(self.id, *at, reason);
            }
        }
        for leg in &mut self.legs {
            if let Some(at) = &mut leg.lease {
                *at = (*at).max(now + spans::RING_START);
                core.arm(self.id, *at, "lease");
            }
        }
    }

    // ---- asking Asterisk

    fn ari(&self, core: &mut Shared, request: AriRequest) {
        core.ari(self.node, self.id, request);
    }

    fn bridge_id(&self, own: Own) -> BridgeId {
        own.id(self.id).into()
    }

    /// The state of one of the call's bridges; `None` for what is no bridge.
    fn bridge_mut(&mut self, own: Own) -> Option<&mut OwnBridge> {
        match own {
            Own::TalkBridge => Some(&mut self.talk_bridge),
            Own::MixBridge => Some(&mut self.mix_bridge),
            Own::ConsultBridge => Some(&mut self.consult_bridge),
            Own::Leg(_)
            | Own::Outgoing
            | Own::Playback(_)
            | Own::Monitor(_)
            | Own::MonitorBridge(_)
            | Own::Snoop(_) => None,
        }
    }

    /// Makes a bridge of the call unless it stands.
    fn make_bridge(&mut self, core: &mut Shared, own: Own) {
        let Some(bridge) = self.bridge_mut(own).filter(|bridge| !bridge.stands) else { return };
        bridge.stands = true;
        bridge.asked = true;
        let note = own == Own::TalkBridge && self.entry_unnoted && !self.entry_noted;
        let note = note.then(|| Note { channel: self.channel.clone(), memo: self.memo(core) });
        if note.is_some() {
            (self.entry_unnoted, self.entry_noted) = (false, true);
        }
        self.ari(core, AriRequest::CreateBridge(self.bridge_id(own), note));
    }

    /// Asterisk did not make a bridge, or knows none.
    fn bridge_missing(&mut self, bridge: &BridgeId, in_doubt: bool) {
        if let Some((_, own)) = Own::parse(bridge.as_str())
            && let Some(bridge) = self.bridge_mut(own)
        {
            bridge.stands = false;
            bridge.in_doubt |= in_doubt;
        }
    }

    fn play(&mut self, core: &mut Shared, phrases: Vec<Phrase>, greeting: bool) {
        self.stop_prompt(core);
        self.next_playback += 1;
        let playback: PlaybackId = Own::Playback(self.next_playback).id(self.id).into();
        self.prompt = Some(Prompt { playback: playback.clone(), greeting });
        self.prompt_since = core.now.mono;
        self.outdated.clear();
        self.being_told.clear();
        self.arm(core, Timer::Prompt, spans::PLAYBACK);
        let (channel, language) = (self.channel.clone(), self.language);
        self.ari(core, AriRequest::Play { channel, playback, phrases, language });
    }

    /// Stops what is being played. Must come before anything that waits for the channel's own thread.
    fn stop_prompt(&mut self, core: &mut Shared) {
        if let Some(prompt) = self.prompt.take() {
            self.disarm(Timer::Prompt);
            self.ari(core, AriRequest::StopPlayback(prompt.playback));
        }
    }

    fn music_on(&mut self, core: &mut Shared) {
        self.music = true;
        self.ari(core, AriRequest::MusicOn(self.channel.clone()));
    }

    fn music_off(&mut self, core: &mut Shared) {
        if std::mem::take(&mut self.music) {
            self.ari(core, AriRequest::MusicOff(self.channel.clone()));
        }
    }

    fn set_memo(&mut self, core: &mut Shared) {
        (self.entry_unnoted, self.entry_noted) = (false, self.entry_noted || self.queued.is_some());
        let memo = self.memo(core);
        self.ari(core, AriRequest::SetMemo { channel: self.channel.clone(), memo });
    }

    /// Notes on the channel where the caller stands, unless a bridge carries it.
    pub(in crate::engine) fn note_entry(&mut self, core: &mut Shared) {
        if self.entry_unnoted && self.phase != Phase::Ending {
            self.set_memo(core);
        }
    }

    fn note(&self, core: &mut Shared, what: &'static str, detail: String, by: Actor) {
        core.persist(Fact::CallNoted { call: self.id, what, detail, by, at: core.now.wall });
    }

    fn publish(&self, core: &mut Shared) {
        core.publish(Update::Call(self.view(core)));
    }

    // ---- looking at itself

    /// The caller's number; empty when hidden.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The caller's channel.
    pub fn channel(&self) -> &ChannelId {
        &self.channel
    }

    /// Its recording is still being written.
    pub fn recording(&self) -> &str {
        &self.recording
    }

    /// It is over for its caller; channels are being released.
    pub fn ending(&self) -> bool {
        self.phase == Phase::Ending
    }

    /// Nothing more will happen: the call can be forgotten.
    pub fn over(&self) -> bool {
        self.phase == Phase::Ending && self.caller_gone && self.legs.is_empty()
    }

    /// A leg of this number stands.
    pub fn has_leg(&self, no: u32) -> bool {
        self.leg(no).is_some()
    }

    fn leg(&self, no: u32) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.no == no)
    }

    fn leg_mut(&mut self, no: u32) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.no == no)
    }

    /// The leg that serves the caller now.
    fn serving(&self) -> Option<u32> {
        match self.phase {
            Phase::Joining(no) | Phase::Talking(no) | Phase::Held(no) | Phase::Consulting(no, _) => Some(no),
            Phase::Loading | Phase::Greeting | Phase::Menu | Phase::Waiting | Phase::Dialling(_) | Phase::Ending => {
                None
            }
        }
    }

    /// The agent who serves the caller now.
    pub fn serving_agent(&self) -> Option<AgentId> {
        self.leg(self.serving()?)?.agent
    }
}

/// Commands that close a call: its recording is collected and its bridges removed.
pub(super) fn bury(call: &Call, core: &mut Shared) {
    let bridges = [
        (call.talk_bridge, Own::TalkBridge),
        (call.mix_bridge, Own::MixBridge),
        (call.consult_bridge, Own::ConsultBridge),
    ];
    for (bridge, own) in bridges {
        let remove = AriRequest::DestroyBridge(own.id(call.id).into());
        if bridge.in_doubt {
            core.ask_later(call.node, call.id, remove.clone());
        }
        if bridge.asked {
            call.ari(core, remove);
        }
    }
    // A caller who went to the fallback dialplan is still being recorded; the sweep after that finds the file.
    if call.disposition != Some(Disposition::Fallback) {
        core.out.push_back(Command::CollectRecording {
            node: call.node,
            call: call.id,
            name: call.recording.clone(),
            talked: call.talked,
            gone: call.caller_gone && !call.was_paused,
        });
    }
}

/// The cause to give a leg that is no longer needed.
fn cause_for(outcome: Option<OfferOutcome>) -> HangUpCause {
    match outcome {
        Some(OfferOutcome::AnsweredElsewhere) => HangUpCause::AnsweredElsewhere,
        Some(OfferOutcome::RingNoAnswer) => HangUpCause::NoAnswer,
        Some(
            OfferOutcome::Answered
            | OfferOutcome::Rejected
            | OfferOutcome::Unreachable
            | OfferOutcome::CallerGone
            | OfferOutcome::Failed
            | OfferOutcome::Lost,
        )
        | None => HangUpCause::Normal,
    }
}
