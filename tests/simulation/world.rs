//! The simulated world: one engine, some Asterisks, people, and the one list of what happens when.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use perezvon::domain::ids::{ClientId, OrderId};
use perezvon::engine::Engine;
use perezvon::engine::callback::request::CallbackRequest;
use perezvon::engine::command::{AriRequest, Command};
use perezvon::engine::event::{CallerCard, CallerOrder, Event, NodeEvent, Refusal};
use perezvon::engine::ids::{CallId, ChannelId, NodeId, PlaybackId};
use perezvon::engine::time::{Instant, Now, Wall};

use crate::faults::Trouble;
use crate::invariants::Checks;
use crate::line::{Lane, Link};
use crate::plan::{BEGINNING, Plan, SECOND};
use crate::rng::Rng;
use crate::sim_agent::Phone;
use crate::sim_asterisk::{Asterisk, Stir};
use crate::sim_caller::Caller;
use crate::sim_store::Store;

/// A thing that will happen.
#[derive(Clone, Debug)]
pub enum Happening {
    /// An event reaches the engine over the socket of this generation.
    Deliver {
        node: usize,
        link: u32,
        event: NodeEvent,
    },
    /// A request reaches Asterisk.
    Carry {
        engine: u32,
        node: usize,
        call: CallId,
        request: AriRequest,
        waited: i64,
    },
    /// The answer to a request reaches the engine.
    Reply {
        engine: u32,
        node: usize,
        call: CallId,
        request: AriRequest,
        result: Result<(), Refusal>,
    },
    /// A request that was given up is done after all.
    DoneLate {
        node: usize,
        request: AriRequest,
    },
    Card {
        engine: u32,
        call: CallId,
        card: CallerCard,
    },
    CallerComes(usize),
    CallerPresses(usize),
    OrderChanges(usize),
    /// The engine hears of an order that changed.
    OrderTold {
        engine: u32,
        client: ClientId,
        order: Box<CallerOrder>,
    },
    /// The store has kept a place, or could not.
    PlaceKept {
        engine: u32,
        call: CallId,
        kept: Option<Box<CallbackRequest>>,
    },
    /// The office carries out a caller's key.
    OfficeCancels {
        engine: u32,
        call: CallId,
        index: usize,
        order: OrderId,
    },
    /// Patience ends; has no effect in a talk.
    CallerTires(usize),
    CallerHangsUp(usize),
    /// What a caller in the fallback dialplan does next.
    FallbackStep {
        caller: usize,
        channel: ChannelId,
        step: u8,
    },
    PhoneRings {
        node: usize,
        channel: ChannelId,
    },
    PhoneAnswers {
        node: usize,
        channel: ChannelId,
    },
    /// The far end hangs up, for whatever reason.
    FarEndGone {
        node: usize,
        channel: ChannelId,
        cause: u16,
    },
    /// Who hears nothing for long hangs up.
    Lonely {
        node: usize,
        channel: ChannelId,
        before: bool,
    },
    PlaybackEnds {
        node: usize,
        playback: PlaybackId,
    },
    /// An agent who was paused by the engine comes back.
    AgentReturns(usize),
    Wish,
    Trouble,
    Calm,
    Mend(Trouble),
    LinkDownNoticed {
        node: usize,
        link: u32,
    },
    LinkUp {
        node: usize,
    },
    SnapshotChannels {
        node: usize,
        link: u32,
    },
    SnapshotRest {
        node: usize,
        link: u32,
        channels: Vec<perezvon::engine::event::ChannelSnapshot>,
    },
    EngineStarts,
    AsteriskStarts(usize),
    PhoneRegisters(usize),
}

/// What happened, kept outside of the world so that it survives a panic.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub on: bool,
    pub lines: VecDeque<String>,
    pub keep: usize,
}

pub struct World {
    pub plan: Plan,
    pub rng: Rng,
    /// Microseconds since the beginning.
    pub now: i64,
    /// Milliseconds by which the wall clock was stepped.
    pub wall_step: i64,
    happenings: BTreeMap<(i64, u64), Happening>,
    serial: u64,
    pub engine: Option<Engine>,
    /// Grows with every start of the engine.
    pub incarnation: u32,
    pub nodes: Vec<Asterisk>,
    pub links: Vec<Link>,
    pub lanes: BTreeMap<Lane, VecDeque<AriRequest>>,
    pub callers: Vec<Caller>,
    pub phones: Vec<Phone>,
    pub store: Store,
    pub checks: Checks,
    pub calm: bool,
    /// The last moment at which something was wrong with the system (not with people).
    pub disturbed: i64,
    pub next_request: u64,
    pub violation: Option<String>,
    pub steps: u64,
    idle_wakes: u32,
    trace: Rc<RefCell<Trace>>,
}

/// Quiet begins so long after the last disturbance: three hang-ups that are asked for 5 s apart, and a margin.
const AFTERMATH: i64 = 25 * SECOND;
/// More happenings than any honest run has.
const MOST_STEPS: u64 = 400_000;
/// Who waits must be gone so long after the calm.
const CONVERGENCE: i64 = 1800 * SECOND;

impl World {
    pub fn new(seed: u64, trace: Rc<RefCell<Trace>>) -> World {
        let mut rng = Rng::new(seed);
        let plan = Plan::draw(&mut rng);
        let nodes = (0..plan.nodes).map(|_| Asterisk { alive: true, ..Asterisk::default() }).collect();
        let mut world = World {
            now: 0,
            wall_step: 0,
            happenings: BTreeMap::new(),
            serial: 0,
            engine: None,
            incarnation: 0,
            nodes,
            links: (0..plan.nodes).map(|_| Link::default()).collect(),
            lanes: BTreeMap::new(),
            callers: Vec::new(),
            phones: plan.profiles.iter().map(Phone::new).collect(),
            store: Store::new(&plan.profiles),
            checks: Checks::default(),
            calm: false,
            disturbed: -AFTERMATH,
            next_request: 0,
            violation: None,
            steps: 0,
            idle_wakes: 0,
            trace,
            rng,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for index in 0..self.plan.callers {
            let caller = Caller::draw(&mut self.rng, &self.plan, index);
            self.callers.push(caller);
            let at = self.rng.between(0, self.plan.active);
            self.at(at, Happening::CallerComes(index));
        }
        self.after(0, Happening::EngineStarts);
        self.next_wish();
        self.next_trouble();
        self.at(self.plan.active, Happening::Calm);
    }

    /// Plays the whole run. `Err` says which promise was broken.
    pub fn run(&mut self) -> Result<(), String> {
        while self.violation.is_none() {
            if !self.step() {
                self.check_converged();
                break;
            }
            if self.steps > MOST_STEPS {
                self.violate("the run does not come to an end".to_owned());
            }
        }
        self.violation.take().map_or(Ok(()), Err)
    }

    /// The next happening or wake-up. False when nothing is left to happen.
    fn step(&mut self) -> bool {
        self.steps += 1;
        let due = self.engine.as_ref().and_then(Engine::poll_timeout);
        let wake = due.map(|(at, reason)| (at.0.max(self.now) + self.plan.wake_lag, reason));
        let next = self.happenings.first_key_value().map(|((at, _), _)| *at);
        match (wake, next) {
            (Some((at, reason)), next) if next.is_none_or(|next| at <= next) => {
                self.idle_wakes = if at > self.now { 0 } else { self.idle_wakes + 1 };
                if self.idle_wakes > 1000 {
                    self.violate(format!("woken 1000 times at one moment for \"{reason}\""));
                }
                self.now = at;
                self.feed(Event::Wake);
            }
            (_, Some(at)) => {
                self.now = self.now.max(at);
                if let Some(((_, _), what)) = self.happenings.pop_first() {
                    self.trace(|| format!("{what:?}"));
                    self.happen(what);
                }
            }
            (_, None) => return false,
        }
        if self.now > self.plan.active + CONVERGENCE {
            self.violate("after half an hour of calm something still goes on".to_owned());
        }
        true
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Deliver { node, link, event } => self.deliver(node, link, event),
            Happening::Carry { engine, node, call, request, waited } => {
                self.carry(engine, node, call, request, waited);
            }
            Happening::Reply { engine, node, call, request, result } => self.reply(engine, node, call, request, result),
            Happening::DoneLate { node, request } => self.done_late(node, &request),
            Happening::Card { engine, call, card } if engine == self.incarnation => {
                self.feed(Event::CallerLoaded { call, card });
            }
            Happening::Card { .. } => {}
            Happening::CallerComes(index) => self.caller_comes(index),
            Happening::CallerPresses(index) => self.caller_presses(index),
            Happening::OrderChanges(index) => self.order_changes(index),
            Happening::OrderTold { engine, client, order } if engine == self.incarnation => {
                self.feed(Event::OrderChanged { client, order });
            }
            Happening::OrderTold { .. } => {}
            Happening::OfficeCancels { engine, call, index, order } => self.office_cancels(engine, call, index, order),
            Happening::CallerTires(index) => self.caller_tires(index),
            Happening::CallerHangsUp(index) => self.caller_hangs_up(index),
            Happening::FallbackStep { caller, channel, step } => self.fallback_step(caller, &channel, step),
            Happening::PhoneRings { node, channel } => self.phone_rings(node, &channel),
            Happening::PhoneAnswers { node, channel } => self.phone_answers(node, &channel),
            Happening::FarEndGone { node, channel, cause } => self.far_end_gone(node, &channel, cause),
            Happening::Lonely { node, channel, before } => self.lonely(node, channel, before),
            Happening::PlaybackEnds { node, playback } => {
                self.nodes[node].playback_ends(&playback);
                self.settle(node);
            }
            Happening::AgentReturns(index) => self.agent_returns(index),
            Happening::Wish => self.wish(),
            Happening::Trouble => self.trouble(),
            Happening::Calm => self.calm_down(),
            Happening::Mend(trouble) => self.mend(trouble),
            Happening::LinkDownNoticed { node, link } => self.link_down_noticed(node, link),
            Happening::LinkUp { node } => self.link_up(node),
            Happening::SnapshotChannels { node, link } => self.snapshot_channels(node, link),
            Happening::SnapshotRest { node, link, channels } => self.snapshot_rest(node, link, channels),
            Happening::PlaceKept { engine, call, kept } => {
                if engine == self.incarnation {
                    self.feed(Event::PlaceKept { call, kept });
                }
            }
            Happening::EngineStarts => self.engine_starts(),
            Happening::AsteriskStarts(node) => self.asterisk_starts(node),
            Happening::PhoneRegisters(index) => self.phone_registers(index),
        }
    }

    // ---- time

    pub fn at(&mut self, at: i64, what: Happening) {
        self.serial += 1;
        self.happenings.insert((at, self.serial), what);
    }

    pub fn after(&mut self, span: i64, what: Happening) {
        self.at(self.now + span, what);
    }

    pub fn wall(&self) -> Wall {
        Wall(BEGINNING + self.wall_step + self.now / 1000)
    }

    pub fn stamp(&self) -> Now {
        Now { mono: Instant(self.now), wall: self.wall() }
    }

    /// Nothing was wrong with the system for a while: the strict promises hold.
    pub fn quiet(&self) -> bool {
        self.engine.is_some() && self.now - self.disturbed > AFTERMATH
    }

    pub fn disturb(&mut self) {
        self.disturbed = self.disturbed.max(self.now);
    }

    // ---- the engine

    /// One event in, all commands out.
    pub fn feed(&mut self, event: Event) {
        if self.engine.is_none() {
            return;
        }
        self.trace(|| format!("  -> {event:?}"));
        let now = self.stamp();
        self.before(&event);
        let mut commands = Vec::new();
        if let Some(engine) = &mut self.engine {
            engine.handle(event, now);
            while let Some(command) = engine.poll_command() {
                commands.push(command);
            }
        }
        let bound = 200 + 40 * (self.callers.len() + self.phones.len());
        if commands.len() > bound {
            self.violate(format!("one event led to {} commands", commands.len()));
        }
        for command in commands {
            self.trace(|| format!("  <- {command:?}"));
            self.obey(command);
        }
        self.after_event();
    }

    fn obey(&mut self, command: Command) {
        self.look_at(&command);
        match command {
            Command::Asterisk { node, call, request } => self.ask(usize::from(node.0), call, request),
            Command::LoadCaller { call, number, .. } => self.load_card(call, &number),
            Command::CancelOrder { call, client, order } => self.cancel_order(call, client, order),
            Command::Persist(fact) => self.store.write(self.now, fact),
            Command::KeepPlace { call, number, client, place, .. } => self.keep_place(call, number, client, place),
            Command::SearchAgain { .. }
            | Command::CollectRecording { .. }
            | Command::SweepRecordings { .. }
            | Command::Publish(_)
            | Command::Respond { .. }
            | Command::Alarm { .. } => {}
        }
    }

    /// After anything was done in an Asterisk: its events go on their way, and people notice what they notice.
    pub fn settle(&mut self, node: usize) {
        loop {
            let told = std::mem::take(&mut self.nodes[node].told);
            let stirs = std::mem::take(&mut self.nodes[node].stirs);
            if told.is_empty() && stirs.is_empty() {
                return;
            }
            for event in told {
                self.tell(node, event);
            }
            for stir in stirs {
                self.stirred(node, stir);
            }
        }
    }

    fn stirred(&mut self, node: usize, stir: Stir) {
        match stir {
            Stir::Dialled { leg, on_behalf_of, seconds } => self.dialled(node, leg, on_behalf_of.as_ref(), seconds),
            Stir::Answered(channel) => self.answered(node, channel),
            Stir::Playing(channel, playback) => self.playing(node, &channel, playback),
            Stir::Together(bridge) => self.together(node, &bridge),
            Stir::FellBack(channel) => self.fell_back(node, &channel),
            Stir::Gone(channel, gone) => self.channel_gone(&channel, &gone),
        }
    }

    pub fn node_id(&self, node: usize) -> NodeId {
        NodeId(node as u16)
    }

    // ---- what is told of the run

    pub fn violate(&mut self, what: String) {
        self.trace(|| format!("  !! {what}"));
        self.violation.get_or_insert(what);
    }

    pub fn trace(&self, line: impl FnOnce() -> String) {
        let mut trace = self.trace.borrow_mut();
        if trace.on {
            let text = format!("{:>12.6} {}", self.now as f64 / 1e6, line());
            if trace.lines.len() >= trace.keep {
                trace.lines.pop_front();
            }
            trace.lines.push_back(text);
        }
    }
}
