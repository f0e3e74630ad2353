//! A day of calling clients back: orders change, clients ring in, the network does all that a network can, and engine,
//! Asterisk and the connection between them die. Through all of it: never two calls at once to one number, none beyond
//! the lines, none too early, none for a kept place without a reserved agent, and in the end each callback has exactly
//! one end.

mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use perezvon::domain::ids::{ClientId, OrderId};
use perezvon::domain::notify::Occasion;
use perezvon::domain::order::State;
use perezvon::engine::Engine;
use perezvon::engine::callback::attempt::Outcome;
use perezvon::engine::callback::request::{About, CallbackEnd, CallbackRequest};
use perezvon::engine::command::{AriRequest, Command, Fact};
use perezvon::engine::event::{
    Answered, Arrival, CallerCard, CallerOrder, ChannelSnapshot, Event, NodeEvent, Origin, Refusal, Snapshot,
};
use perezvon::engine::ids::{CallId, CallbackId, ChannelId, NodeId};
use perezvon::engine::settings::Settings;
use perezvon::engine::time::{Instant, Now, Wall};

use crate::rng::Rng;

const NODE: NodeId = NodeId(0);
const CLIENTS: usize = 12;
const LINES: usize = 3;
const SECOND: i64 = 1_000_000;
/// Actions of the world; then faults stop and everything must come to its end.
const STEPS: usize = 120;
/// Within this time after the last fault.
const LATEST: i64 = 3_600 * SECOND;

/// A row of the table of callbacks.
struct Row {
    request: CallbackRequest,
    end: Option<&'static str>,
    /// When its last attempt that counts ended, as far as the present engine has seen it.
    ended_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Channel {
    number: String,
    outgoing: bool,
    /// To an agent's phone.
    leg: bool,
    endpoint: String,
    origin: Origin,
    memo: Option<String>,
    ringing: bool,
    answered: bool,
    /// Asked to end.
    ending: bool,
}

impl Default for Channel {
    fn default() -> Channel {
        Channel {
            number: String::new(),
            outgoing: false,
            leg: false,
            endpoint: "trunk".to_owned(),
            origin: Origin::Inbound,
            memo: None,
            ringing: false,
            answered: false,
            ending: false,
        }
    }
}

struct World {
    rng: Rng,
    engine: Engine,
    settings: Settings,
    now: Now,
    /// What happens later, by moment and number.
    later: BTreeMap<(i64, u64), Event>,
    count: u64,
    rows: BTreeMap<CallbackId, Row>,
    orders: BTreeMap<usize, CallerOrder>,
    channels: BTreeMap<ChannelId, Channel>,
    attempts: BTreeMap<CallId, CallbackId>,
    desk: places::Desk,
    /// Somebody has set the clock.
    stepped: bool,
    faults: bool,
    wrong: Option<String>,
    /// Tells what happens: `PEREZVON_SEED` replays one run.
    told: bool,
}

fn number(client: usize) -> String {
    format!("+7900555{client:04}")
}

fn settings() -> Settings {
    let mut settings = Settings {
        trunk: Some("trunk".to_owned()),
        allowed_numbers: BTreeSet::from(["+79".to_owned()]),
        ..Settings::default()
    };
    settings.callback.lines = LINES;
    settings
}

/// Plays one seed. Answers how often an agent was reserved for a client whose place was kept.
pub fn play(seed: u64) -> Result<u32, String> {
    let mut world = World {
        rng: Rng::new(seed),
        engine: Engine::new(settings(), CallId(0)),
        settings: settings(),
        now: Now { mono: Instant(0), wall: Wall(1_795_240_800_000) },
        later: BTreeMap::new(),
        count: 0,
        rows: BTreeMap::new(),
        orders: BTreeMap::new(),
        channels: BTreeMap::new(),
        attempts: BTreeMap::new(),
        desk: places::Desk::default(),
        stepped: false,
        faults: true,
        wrong: None,
        told: std::env::var_os("PEREZVON_SEED").is_some(),
    };
    world.agents_at_work();
    world.feed(Event::Node(NODE, NodeEvent::Up(Snapshot::default())));
    for _ in 0..STEPS {
        world.act();
        let span = world.rng.span(0, 40 * SECOND);
        world.pass(span);
        if let Some(why) = world.wrong.take() {
            return Err(why);
        }
    }
    world.faults = false;
    world.all_ready();
    world.pass(LATEST);
    let reserved = world.desk.reserved;
    world.verdict().map(|()| reserved)
}

impl World {
    // ---- what happens

    fn act(&mut self) {
        match self.rng.below(28) {
            0..=10 => self.order_changes(),
            11..=13 | 20..=22 => self.rings_in(),
            14 => self.engine_is_killed(),
            15 => self.asterisk_dies(),
            16 => self.socket_is_cut(),
            // Somebody sets the clock, by up to an hour.
            17 => {
                self.now.wall.0 += self.rng.between(-3_600_000, 3_600_000);
                self.stepped = true;
            }
            18 => self.somebody_cancels(),
            23..=26 => self.caller_presses(),
            27 => self.agent_moves(),
            19 => self.agent_dials(),
            _ => {}
        }
    }

    /// Something happens to an order, and the transaction that keeps it writes what its client is to be told.
    fn order_changes(&mut self) {
        let client = self.rng.below(CLIENTS);
        let ended = self.orders.get(&client).is_none_or(|order| order.state.is_ended());
        let id = match self.orders.get(&client) {
            Some(order) if !ended => order.order,
            Some(_) | None => OrderId(self.rows.len() as i64 * 100 + client as i64 + 1),
        };
        let (state, occasion) = *self.rng.pick(&[
            (State::Assigned, Some(Occasion::Assigned)),
            (State::Arrived, Some(Occasion::Arrived)),
            (State::NotFound, Some(Occasion::NotFound)),
            (State::Completed, Some(Occasion::Closed)),
            (State::Cancelled, Some(Occasion::Cancelled)),
            (State::Cancelled, None),
            (State::InTrip, None),
        ]);
        let order = CallerOrder { state, ..CallerOrder::new(id, state, self.now.wall) };
        self.orders.insert(client, order.clone());
        let mut touched = Vec::new();
        for (callback, row) in &mut self.rows {
            if row.end.is_none() && row.request.order() == Some(id) {
                row.end = Some("outdated");
                touched.push(*callback);
            }
        }
        if let Some(occasion) = occasion {
            let request = CallbackRequest {
                id: CallbackId(self.rows.len() as i64 + 1),
                number: number(client),
                client: Some(ClientId(client as i64)),
                language: None,
                about: About::Order { occasion, order: Box::new(order.clone()) },
                attempts: 0,
                created: self.now.wall,
                due: self.now.wall,
                not_before: None,
            };
            self.rows.insert(request.id, Row { request: request.clone(), end: None, ended_at: None });
            self.soon(Event::CallbackRequested(Box::new(request)));
        }
        touched.into_iter().for_each(|callback| self.soon(Event::CallbackCancelled(callback)));
        self.soon(Event::OrderChanged { client: ClientId(client as i64), order: Box::new(order) });
    }

    fn somebody_cancels(&mut self) {
        let open: Vec<CallbackId> = self.rows.iter().filter(|(_, row)| row.end.is_none()).map(|(id, _)| *id).collect();
        if !open.is_empty() {
            let id = *self.rng.pick(&open);
            if let Some(row) = self.rows.get_mut(&id) {
                row.end = Some("cancelled");
            }
            self.soon(Event::CallbackCancelled(id));
        }
    }

    fn rings_in(&mut self) {
        let client = self.rng.below(CLIENTS);
        let channel = ChannelId::from(format!("caller-{}", self.count));
        if self.channels.values().any(|one| !one.outgoing && one.number == number(client)) {
            return;
        }
        let seen = Channel { number: number(client), ..Channel::default() };
        self.channels.insert(channel.clone(), seen.clone());
        let arrival = self.snapshot_of(&channel, &seen).arrival;
        self.soon(Event::Node(NODE, NodeEvent::Arrived(arrival)));
        let stays = self.rng.between(SECOND / 10, 60 * SECOND);
        self.after(stays, Event::Node(NODE, NodeEvent::Gone { channel, cause: 16 }));
    }

    fn engine_is_killed(&mut self) {
        let attempted = self.attempts.keys().max().copied();
        let last = attempted.max(self.desk.last_call).unwrap_or(CallId(0));
        self.engine = Engine::new(self.settings.clone(), last);
        // What was on its way to it is lost; what happens in the network is not.
        self.later.retain(|_, event| matches!(event, Event::Node(..)));
        self.forget_desk();
        self.agents_at_work();
        for row in self.rows.values_mut() {
            row.ended_at = None;
        }
        let pending: Vec<CallbackRequest> =
            self.rows.values().filter(|row| row.end.is_none()).map(|row| row.request.clone()).collect();
        for request in pending {
            self.feed(Event::CallbackRequested(Box::new(request)));
        }
        self.connect();
    }

    fn asterisk_dies(&mut self) {
        self.feed(Event::Node(NODE, NodeEvent::Down));
        self.channels.clear();
        self.later.retain(|_, event| !matches!(event, Event::Node(..)));
        let span = self.rng.between(SECOND, 30 * SECOND);
        self.pass(span);
        self.connect();
    }

    fn socket_is_cut(&mut self) {
        self.feed(Event::Node(NODE, NodeEvent::Down));
        // What happens meanwhile is told to nobody; whoever hangs up is gone all the same.
        let span = self.rng.between(SECOND, 30 * SECOND);
        let until = self.now.mono.0 + span;
        while let Some(((at, _), event)) = self.next_until(until) {
            self.now += Duration::from_micros((at - self.now.mono.0).max(0) as u64);
            match &event {
                Event::Node(..) => {
                    self.in_network(&event);
                }
                _ => self.feed(event),
            }
        }
        self.connect();
    }

    fn connect(&mut self) {
        let channels = self.channels.iter().map(|(id, channel)| self.snapshot_of(id, channel)).collect();
        let bridges = self.bridges();
        self.feed(Event::Node(NODE, NodeEvent::Up(Snapshot { channels, bridges, ..Snapshot::default() })));
    }

    fn snapshot_of(&self, id: &ChannelId, channel: &Channel) -> ChannelSnapshot {
        let arrival = Arrival {
            channel: id.clone(),
            origin: channel.origin.clone(),
            number: channel.number.clone(),
            name: String::new(),
            dialled: "100".to_owned(),
            created: self.now.wall,
            answered: channel.answered,
            memo: channel.memo.clone(),
        };
        ChannelSnapshot { arrival, endpoint: channel.endpoint.clone(), ringing: channel.ringing }
    }

    // ---- time

    fn soon(&mut self, event: Event) {
        let span = self.rng.between(100, 20_000);
        self.after(span, event);
    }

    fn after(&mut self, span: i64, event: Event) {
        self.count += 1;
        self.later.insert((self.now.mono.0 + span, self.count), event);
    }

    fn next_until(&mut self, end: i64) -> Option<((i64, u64), Event)> {
        let key = *self.later.first_key_value()?.0;
        if key.0 > end { None } else { self.later.pop_first() }
    }

    fn pass(&mut self, span: i64) {
        let end = self.now.mono.0 + span;
        while self.wrong.is_none() {
            let next = self.later.first_key_value().map(|((at, _), _)| *at);
            let wake = self.engine.poll_timeout().map(|(at, _)| at.0);
            let at = next.unwrap_or(i64::MAX).min(wake.unwrap_or(i64::MAX));
            if at > end {
                break;
            }
            self.now += Duration::from_micros((at - self.now.mono.0).max(0) as u64);
            match self.next_until(at) {
                Some((_, event)) => {
                    if self.in_network(&event) {
                        self.feed(event);
                    }
                }
                None => self.feed(Event::Wake),
            }
        }
        self.now += Duration::from_micros((end - self.now.mono.0).max(0) as u64);
    }

    /// What an event does to the network; false if its channel is gone.
    fn in_network(&mut self, event: &Event) -> bool {
        let Event::Node(_, event) = event else { return true };
        match event {
            NodeEvent::Ringing(channel) => self.channels.get_mut(channel).is_some_and(|one| {
                one.ringing = true;
                true
            }),
            NodeEvent::Answered(channel) => self.channels.get_mut(channel).is_some_and(|one| {
                one.answered = true;
                true
            }),
            NodeEvent::Arrived(arrival) => self.channels.get_mut(&arrival.channel).is_some_and(|one| {
                one.origin = arrival.origin.clone();
                true
            }),
            NodeEvent::Progress(channel) | NodeEvent::Digit { channel, .. } => self.channels.contains_key(channel),
            NodeEvent::Gone { channel, .. } => self.channels.remove(channel).is_some(),
            NodeEvent::Up(_)
            | NodeEvent::Down
            | NodeEvent::Slow
            | NodeEvent::Left(_)
            | NodeEvent::PlaybackEnded(_)
            | NodeEvent::Joined { .. }
            | NodeEvent::Parted { .. }
            | NodeEvent::Device { .. }
            | NodeEvent::Registered { .. } => true,
        }
    }

    fn feed(&mut self, event: Event) {
        if self.told {
            println!("{:>12.6} -> {event:?}", self.now.mono.0 as f64 / 1e6);
        }
        self.engine.handle(event, self.now);
        while let Some(command) = self.engine.poll_command() {
            if self.told {
                println!("               <- {command:?}");
            }
            self.obey(command);
        }
        self.look_at_reservations();
    }

    // ---- what the engine wants

    fn obey(&mut self, command: Command) {
        match command {
            Command::Asterisk { call, request, .. } => self.asked(call, request),
            Command::LoadCaller { call, number: of, .. } => {
                if self.rng.per_mille(900) {
                    let client = (0..CLIENTS).find(|client| number(*client) == of);
                    let orders = client.and_then(|client| self.orders.get(&client)).cloned().into_iter().collect();
                    let client = client.map(|client| ClientId(client as i64));
                    self.soon(Event::CallerLoaded {
                        call,
                        card: CallerCard { client, orders, ..CallerCard::default() },
                    });
                }
            }
            Command::CancelOrder { call, order, .. } => {
                self.soon(Event::OrderCancelled { call, order, result: Ok(()) })
            }
            Command::SearchAgain { call, order, .. } => self.soon(Event::SearchedAgain { call, order, result: Ok(()) }),
            Command::KeepPlace { call, number, client, place, .. } => self.keep_place(call, number, client, place),
            Command::Persist(fact) => {
                self.desk_fact(&fact);
                self.written(&fact);
            }
            Command::Publish(update) => self.shown(&update),
            Command::Alarm { text, .. } => self.violate(format!("alarm: {text}")),
            Command::CollectRecording { .. } | Command::SweepRecordings { .. } | Command::Respond { .. } => {}
        }
    }

    fn asked(&mut self, call: CallId, request: AriRequest) {
        let node = |event| Event::Node(NODE, event);
        match &request {
            AriRequest::Dial { channel, number, memo, .. } => {
                // What agents want is theirs alone: see `places`.
                if memo == "d" {
                    self.desk.dialled.insert(channel.clone());
                }
                self.look_at_dial(channel, number);
                self.look_at_place_dial(call);
                if self.faults && self.rng.per_mille(30) {
                    let why = Refusal::Unprocessable("Allocation failed".to_owned());
                    return self.soon(Event::Refused { node: NODE, call, request, why });
                }
                let (number, memo) = (number.clone(), Some(memo.clone()));
                let seen = Channel { number, outgoing: true, memo, ..Channel::default() };
                self.channels.insert(channel.clone(), seen);
                self.dialled(channel.clone());
            }
            AriRequest::Screen { channel, .. } => {
                let Some(seen) = self.channels.get(channel).cloned() else {
                    return self.soon(Event::Refused { node: NODE, call, request, why: Refusal::NotFound });
                };
                let answered = if self.rng.per_mille(200) { Answered::Machine } else { Answered::Person };
                let came = Channel { origin: Origin::Outgoing { answered }, answered: true, ..seen };
                let arrival = self.snapshot_of(channel, &came).arrival;
                let span = self.rng.between(SECOND / 2, 4 * SECOND);
                self.after(span, node(NodeEvent::Arrived(arrival)));
            }
            AriRequest::Play { playback, .. } => {
                let span = self.rng.between(2 * SECOND, 8 * SECOND);
                self.after(span, node(NodeEvent::PlaybackEnded(playback.clone())));
            }
            AriRequest::HangUp { channel, .. } => match self.channels.get_mut(channel) {
                Some(seen) => {
                    seen.ending = true;
                    self.soon(node(NodeEvent::Gone { channel: channel.clone(), cause: 16 }));
                }
                None => self.soon(Event::Refused { node: NODE, call, request, why: Refusal::NotFound }),
            },
            AriRequest::CreateBridge(bridge, note) => {
                self.desk.notes.extend(note.clone().map(|note| (bridge.clone(), note)));
            }
            AriRequest::DestroyBridge(bridge) => {
                self.desk.notes.remove(bridge);
            }
            AriRequest::SetMemo { channel, memo } => {
                if let Some(seen) = self.channels.get_mut(channel) {
                    seen.memo = Some(memo.clone());
                }
            }
            AriRequest::Ring { channel, dial, .. } => self.phone_rung(channel, dial),
            AriRequest::Join { bridge, channels } => self.joined(call, bridge, channels),
            AriRequest::Answer(channel) => {
                if let Some(seen) = self.channels.get_mut(channel) {
                    seen.answered = true;
                }
            }
            _ => {}
        }
    }

    /// What comes of a call.
    fn dialled(&mut self, channel: ChannelId) {
        let node = |event| Event::Node(NODE, event);
        let gone = |cause| node(NodeEvent::Gone { channel: channel.clone(), cause });
        let first = self.rng.between(SECOND / 10, 3 * SECOND);
        match self.rng.below(8) {
            0 => self.after(first, gone(*[17, 21, 20, 34, 1].get(self.rng.clone().below(5)).unwrap_or(&17))),
            1 => {
                self.after(first, node(NodeEvent::Progress(channel.clone())));
                self.after(first + 4 * SECOND, gone(19));
            }
            2 => self.after(first, node(NodeEvent::Ringing(channel))),
            way => {
                self.after(first, node(NodeEvent::Ringing(channel.clone())));
                let answer = first + self.rng.between(SECOND, 20 * SECOND);
                self.after(answer, node(NodeEvent::Answered(channel.clone())));
                let stays = if way == 3 { SECOND } else { self.rng.between(6 * SECOND, 90 * SECOND) };
                if way == 4 {
                    let digit = *self.rng.pick(&['0', '1', '2', '*', '9']);
                    self.after(answer + 5 * SECOND, node(NodeEvent::Digit { channel: channel.clone(), digit }));
                }
                self.after(answer + stays, gone(16));
            }
        }
    }

    // ---- promises

    fn violate(&mut self, why: String) {
        self.wrong.get_or_insert(why);
    }

    fn look_at_dial(&mut self, channel: &ChannelId, number: &str) {
        let with = self.channels.iter().find(|(id, one)| one.number == number && !one.ending && *id != channel);
        if let Some((other, _)) = with {
            // A caller whose arrival the engine has not been told of yet is nobody's fault.
            let told = self.later.values().all(
                |event| !matches!(event, Event::Node(_, NodeEvent::Arrived(arrival)) if arrival.channel == *other),
            );
            if told {
                self.violate(format!("{number} is called while {other} stands"));
            }
        }
        // Those of a former engine that nobody wants any more are being ended.
        let out = self.channels.iter().filter(|(id, one)| one.outgoing && !one.ending && !self.desk.dials(id));
        let lines = out.count();
        if lines >= LINES && !self.desk.dials(channel) {
            self.violate(format!("{} calls go out over {LINES} lines", lines + 1));
        }
    }

    fn written(&mut self, fact: &Fact) {
        let now = self.now.mono.0;
        match fact {
            Fact::AttemptStarted { callback, attempt, .. } => {
                self.attempts.insert(*attempt, *callback);
                let interval = self.settings.callback.interval.as_micros() as i64;
                if let Some(row) = self.rows.get_mut(callback)
                    && let Some(ended) = row.ended_at.take()
                    && now < ended + interval
                {
                    self.violate(format!(
                        "callback {} is attempted {} ms after the last",
                        callback.0,
                        (now - ended) / 1000
                    ));
                }
            }
            Fact::AttemptEnded { callback, outcome, attempts, due, .. } => {
                if let Some(row) = self.rows.get_mut(callback) {
                    row.request.attempts = *attempts;
                    row.request.due = *due;
                    // Whose agent went away is called as soon as there is another.
                    let soon = *outcome == Outcome::GivenUp && row.request.place().is_some();
                    row.ended_at = (*outcome != Outcome::Interrupted && !soon).then_some(now);
                }
                if u32::from(*attempts) > u32::from(self.settings.callback.attempts) {
                    self.violate(format!("callback {} was attempted {attempts} times", callback.0));
                }
            }
            Fact::CallbackEnded { callback, end, .. } => match self.rows.get_mut(callback) {
                Some(row) if row.end.is_none() => row.end = Some(end.as_str()),
                // Outdated by a change that the engine was not told of yet.
                Some(row) if row.end == Some("outdated") || row.end == Some("cancelled") => {}
                Some(_) if *end == CallbackEnd::Superseded => {}
                Some(row) => {
                    let before = row.end;
                    self.violate(format!("callback {} ends as {before:?} and as {}", callback.0, end.as_str()));
                }
                None => self.violate(format!("callback {} was never wanted", callback.0)),
            },
            _ => {}
        }
    }

    fn verdict(self) -> Result<(), String> {
        if let Some(why) = self.wrong {
            return Err(why);
        }
        let open: Vec<i64> = self.rows.iter().filter(|(_, row)| row.end.is_none()).map(|(id, _)| id.0).collect();
        if !open.is_empty() {
            return Err(format!("callbacks {open:?} were forgotten"));
        }
        self.desk_verdict()?;
        if self.engine.calls() > 0 || !self.channels.is_empty() {
            return Err(format!("{} calls and channels {:?} are left", self.engine.calls(), self.channels));
        }
        Ok(())
    }
}
