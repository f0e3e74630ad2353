//! An Asterisk as the engine can see it: channels, bridges, playbacks; what each request does, refuses and reports.
//! Behaviour follows what was measured on Asterisk 22; times and faults are added by `line`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use perezvon::engine::command::{AriRequest, HangUpCause};
use perezvon::engine::event::{Arrival, BridgeSnapshot, ChannelSnapshot, NodeEvent, Note, Origin, Refusal, Snapshot};
use perezvon::engine::ids::{BridgeId, ChannelId, Own, PlaybackId};
use perezvon::engine::time::Wall;

/// Whose channel it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Caller(usize),
    /// The phone of an agent, rung by the engine.
    Phone(usize),
    /// An outside number, rung by the engine.
    Outside,
    /// The phone of an agent, dialling a code.
    Dialler(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Down,
    Ringing,
    Up,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub party: Party,
    pub state: State,
    /// In the application; else in the dialplan.
    pub in_app: bool,
    pub origin: Origin,
    pub number: String,
    pub dialled: String,
    pub endpoint: String,
    pub created: Wall,
    pub memo: Option<String>,
    pub bridge: Option<BridgeId>,
    /// Being played now is the first.
    pub playing: VecDeque<PlaybackId>,
}

/// What the people at the ends of the lines notice.
#[derive(Clone, Debug)]
pub enum Stir {
    /// A leg was dialled: the far phone may ring.
    Dialled {
        leg: ChannelId,
        on_behalf_of: Option<ChannelId>,
        seconds: i64,
    },
    Answered(ChannelId),
    /// This playback is first in line now.
    Playing(ChannelId, PlaybackId),
    /// Two or more are in this bridge.
    Together(BridgeId),
    /// The channel was given to the fallback dialplan.
    FellBack(ChannelId),
    Gone(ChannelId, Channel),
}

#[derive(Clone, Debug, Default)]
pub struct Asterisk {
    pub alive: bool,
    pub channels: BTreeMap<ChannelId, Channel>,
    pub bridges: BTreeMap<BridgeId, BTreeSet<ChannelId>>,
    /// Names of bridges.
    pub notes: BTreeMap<BridgeId, Note>,
    /// Which channel each snoop hears.
    pub snoops: BTreeMap<ChannelId, ChannelId>,
    pub fallback_phones: Vec<String>,
    /// Endpoints without a reachable phone.
    pub unreachable: BTreeSet<String>,
    /// Reported since last taken.
    pub told: Vec<NodeEvent>,
    pub stirs: Vec<Stir>,
}

fn q850(cause: HangUpCause) -> u16 {
    match cause {
        HangUpCause::Normal => 16,
        HangUpCause::Rejected => 21,
        HangUpCause::NoAnswer => 19,
        HangUpCause::AnsweredElsewhere => 26,
    }
}

impl Asterisk {
    /// Does what is asked, as far as it can be done.
    pub fn carry_out(
        &mut self,
        request: &AriRequest,
        party_of: impl Fn(&str) -> Party,
        at: Wall,
    ) -> Result<(), Refusal> {
        match request {
            AriRequest::Answer(channel) => {
                let found = self.in_app(channel)?;
                if found.state != State::Up {
                    found.state = State::Up;
                    self.told.push(NodeEvent::Answered(channel.clone()));
                    self.stirs.push(Stir::Answered(channel.clone()));
                }
                Ok(())
            }
            AriRequest::HangUp { channel, cause } => {
                self.known(channel)?;
                self.end(channel, q850(*cause));
                Ok(())
            }
            AriRequest::SetMemo { channel, memo } => {
                self.in_app(channel)?.memo = Some(memo.clone());
                Ok(())
            }
            AriRequest::Play { channel, playback, .. } => self.play(channel, playback),
            AriRequest::StopPlayback(playback) => {
                self.playback_ends(playback);
                Ok(())
            }
            AriRequest::MusicOn(channel)
            | AriRequest::MusicOff(channel)
            | AriRequest::RingbackOn(channel)
            | AriRequest::RingbackOff(channel) => self.in_app(channel).map(|_| ()),
            AriRequest::Ring { channel, dial, on_behalf_of, time_out, .. } => {
                let endpoint = dial.trim_start_matches("PJSIP/");
                if self.unreachable.contains(endpoint) {
                    return Err(Refusal::Failed("Allocation failed".to_owned()));
                }
                self.create(channel, endpoint, party_of(endpoint), at);
                let seconds = time_out.as_secs() as i64;
                self.stirs.push(Stir::Dialled { leg: channel.clone(), on_behalf_of: on_behalf_of.clone(), seconds });
                Ok(())
            }
            // Nobody is called here.
            AriRequest::Dial { .. } | AriRequest::Screen { .. } => Err(Refusal::NotFound),
            AriRequest::CreateBridge(bridge, note) => {
                if !self.bridges.contains_key(bridge) {
                    self.bridges.insert(bridge.clone(), BTreeSet::new());
                    self.notes.extend(note.clone().map(|note| (bridge.clone(), note)));
                }
                Ok(())
            }
            AriRequest::Join { bridge, channels } => self.join(bridge, channels),
            AriRequest::Part { bridge, channel } => {
                let members = self.bridges.get(bridge).ok_or(Refusal::NotFound)?;
                if !members.contains(channel) {
                    return Err(Refusal::Unprocessable("Channel not in this bridge".to_owned()));
                }
                self.leave_bridge(channel);
                Ok(())
            }
            AriRequest::DestroyBridge(bridge) => {
                for channel in self.bridges.get(bridge).cloned().unwrap_or_default() {
                    self.leave_bridge(&channel);
                }
                self.bridges.remove(bridge);
                self.notes.remove(bridge);
                Ok(())
            }
            AriRequest::Snoop { on, snoop, bridge, .. } => {
                self.known(on)?;
                self.create(snoop, "snoop", Party::Outside, at);
                self.known(snoop)?.state = State::Up;
                self.snoops.insert(snoop.clone(), on.clone());
                let joined = self.join(bridge, std::slice::from_ref(snoop));
                if joined.is_err() {
                    // The shell takes back what is half made.
                    self.end(snoop, 16);
                }
                joined
            }
            AriRequest::ToFallback { channel, .. } => {
                self.in_app(channel)?;
                self.leave_bridge(channel);
                self.stop_all(channel);
                let given = self.in_app(channel)?;
                given.in_app = false;
                // So says the dialplan there.
                given.memo = None;
                self.told.push(NodeEvent::Left(channel.clone()));
                self.stirs.push(Stir::FellBack(channel.clone()));
                Ok(())
            }
            AriRequest::SetFallbackAgents(phones) => {
                self.fallback_phones.clone_from(phones);
                Ok(())
            }
        }
    }

    /// The channel whose thread must be idle for this request to be done, if there is one.
    pub fn waits_for(&self, request: &AriRequest) -> bool {
        let busy = |id: &ChannelId| self.channels.get(id).is_some_and(|channel| !channel.playing.is_empty());
        match request {
            AriRequest::Answer(channel) | AriRequest::SetMemo { channel, .. } | AriRequest::Part { channel, .. } => {
                busy(channel)
            }
            AriRequest::Join { channels, .. } => channels.iter().any(busy),
            AriRequest::HangUp { .. }
            | AriRequest::Play { .. }
            | AriRequest::StopPlayback(_)
            | AriRequest::MusicOn(_)
            | AriRequest::MusicOff(_)
            | AriRequest::RingbackOn(_)
            | AriRequest::RingbackOff(_)
            | AriRequest::Ring { .. }
            | AriRequest::Dial { .. }
            | AriRequest::Screen { .. }
            | AriRequest::Snoop { .. }
            | AriRequest::CreateBridge(..)
            | AriRequest::DestroyBridge(_)
            | AriRequest::ToFallback { .. }
            | AriRequest::SetFallbackAgents(_) => false,
        }
    }

    fn known(&mut self, channel: &ChannelId) -> Result<&mut Channel, Refusal> {
        self.channels.get_mut(channel).ok_or(Refusal::NotFound)
    }

    fn in_app(&mut self, channel: &ChannelId) -> Result<&mut Channel, Refusal> {
        let found = self.known(channel)?;
        if found.in_app { Ok(found) } else { Err(Refusal::Conflict) }
    }

    fn play(&mut self, channel: &ChannelId, playback: &PlaybackId) -> Result<(), Refusal> {
        let found = self.known(channel)?;
        // 409 means to the shell that it is playing already; here it means that it never will.
        if found.in_app && !found.playing.contains(playback) {
            found.playing.push_back(playback.clone());
            if found.playing.len() == 1 {
                self.stirs.push(Stir::Playing(channel.clone(), playback.clone()));
            }
        }
        Ok(())
    }

    /// A playback ended by itself or was stopped.
    pub fn playback_ends(&mut self, playback: &PlaybackId) {
        let Some((id, channel)) = self.channels.iter_mut().find(|(_, c)| c.playing.contains(playback)) else { return };
        let was_first = channel.playing.front() == Some(playback);
        channel.playing.retain(|other| other != playback);
        self.told.push(NodeEvent::PlaybackEnded(playback.clone()));
        if let Some(next) = channel.playing.front().filter(|_| was_first) {
            self.stirs.push(Stir::Playing(id.clone(), next.clone()));
        }
    }

    fn stop_all(&mut self, channel: &ChannelId) {
        let playing = self.channels.get_mut(channel).map(|channel| std::mem::take(&mut channel.playing));
        for playback in playing.unwrap_or_default() {
            self.told.push(NodeEvent::PlaybackEnded(playback));
        }
    }

    fn create(&mut self, channel: &ChannelId, endpoint: &str, party: Party, at: Wall) {
        self.channels.entry(channel.clone()).or_insert_with(|| Channel {
            party,
            state: State::Down,
            in_app: true,
            origin: Origin::Inbound,
            number: String::new(),
            dialled: String::new(),
            endpoint: endpoint.to_owned(),
            created: at,
            memo: None,
            bridge: None,
            playing: VecDeque::new(),
        });
    }

    fn join(&mut self, bridge: &BridgeId, channels: &[ChannelId]) -> Result<(), Refusal> {
        if !self.bridges.contains_key(bridge) {
            return Err(Refusal::NotFound);
        }
        if channels.is_empty() {
            return Err(Refusal::Unprocessable("Missing parameter channel".to_owned()));
        }
        for channel in channels {
            match self.channels.get(channel) {
                None => return Err(Refusal::Unprocessable("Channel not found".to_owned())),
                Some(found) if !found.in_app => {
                    return Err(Refusal::Unprocessable("Channel not in Stasis application".to_owned()));
                }
                Some(_) => {}
            }
        }
        for channel in channels {
            self.leave_bridge(channel);
            self.known(channel)?.bridge = Some(bridge.clone());
            self.bridges.entry(bridge.clone()).or_default().insert(channel.clone());
            self.told.push(NodeEvent::Joined { bridge: bridge.clone(), channel: channel.clone() });
        }
        if self.bridges.get(bridge).is_some_and(|members| members.len() > 1) {
            self.stirs.push(Stir::Together(bridge.clone()));
        }
        Ok(())
    }

    fn leave_bridge(&mut self, channel: &ChannelId) {
        let Some(bridge) = self.channels.get_mut(channel).and_then(|channel| channel.bridge.take()) else { return };
        if let Some(members) = self.bridges.get_mut(&bridge) {
            members.remove(channel);
        }
        self.told.push(NodeEvent::Parted { bridge, channel: channel.clone() });
    }

    /// The end of a channel, from whichever side.
    pub fn end(&mut self, channel: &ChannelId, cause: u16) {
        if !self.channels.contains_key(channel) {
            return;
        }
        self.stop_all(channel);
        self.leave_bridge(channel);
        let Some(gone) = self.channels.remove(channel) else { return };
        if gone.in_app {
            self.told.push(NodeEvent::Left(channel.clone()));
        }
        self.told.push(NodeEvent::Gone { channel: channel.clone(), cause });
        self.stirs.push(Stir::Gone(channel.clone(), gone));
        self.snoops.remove(channel);
        let deaf = self.snoops.iter().filter(|(_, on)| *on == channel).map(|(snoop, _)| snoop.clone());
        for snoop in deaf.collect::<Vec<_>>() {
            self.end(&snoop, 16);
        }
    }

    pub fn ring(&mut self, channel: &ChannelId) {
        if let Some(found) = self.channels.get_mut(channel).filter(|found| found.state == State::Down) {
            found.state = State::Ringing;
            self.told.push(NodeEvent::Ringing(channel.clone()));
        }
    }

    pub fn pick_up(&mut self, channel: &ChannelId) {
        if let Some(found) = self.channels.get_mut(channel).filter(|found| found.state != State::Up) {
            found.state = State::Up;
            self.told.push(NodeEvent::Answered(channel.clone()));
            self.stirs.push(Stir::Answered(channel.clone()));
        }
    }

    pub fn arrival(&self, id: &ChannelId) -> Option<Arrival> {
        let channel = self.channels.get(id)?;
        Some(Arrival {
            channel: id.clone(),
            origin: channel.origin.clone(),
            number: channel.number.clone(),
            name: String::new(),
            dialled: channel.dialled.clone(),
            created: channel.created,
            answered: channel.state == State::Up,
            memo: channel.memo.clone(),
        })
    }

    /// The channels of a snapshot: those in the application, and legs wherever they are.
    pub fn channels_snapshot(&self) -> Vec<ChannelSnapshot> {
        let ours = self.channels.iter().filter(|(id, channel)| channel.in_app || Own::parse(id.as_str()).is_some());
        ours.filter_map(|(id, channel)| {
            let ringing = channel.state == State::Ringing;
            Some(ChannelSnapshot { arrival: self.arrival(id)?, endpoint: channel.endpoint.clone(), ringing })
        })
        .collect()
    }

    /// A snapshot whose channels were read a moment before all the rest.
    pub fn snapshot(&self, channels: Vec<ChannelSnapshot>, endpoints: &[String]) -> Snapshot {
        let own = self.bridges.iter().filter(|(id, _)| Own::parse(id.as_str()).is_some());
        let bridges = own.map(|(bridge, members)| BridgeSnapshot {
            bridge: bridge.clone(),
            channels: members.iter().cloned().collect(),
            note: self.notes.get(bridge).cloned(),
        });
        let devices = endpoints.iter().map(|name| (name.clone(), !self.unreachable.contains(name)));
        Snapshot { channels, bridges: bridges.collect(), devices: devices.collect() }
    }
}
