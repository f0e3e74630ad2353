//! The scheduler of callbacks alone, in a time of its own: what an attempt costs with many pending, and whether 10,000
//! that are due at once are worked off at the limit of the lines, with no attempt late, neither a first one nor one of
//! those that follow. Where lateness is measured the time that the scheduler itself takes passes in that time too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use perezvon::domain::ids::OrderId;
use perezvon::domain::notify::Occasion;
use perezvon::domain::order::State;
use perezvon::engine::Engine;
use perezvon::engine::callback::request::{About, CallbackRequest};
use perezvon::engine::command::{AriRequest, Command, Fact};
use perezvon::engine::event::{CallerOrder, Event, NodeEvent, Snapshot};
use perezvon::engine::ids::{CallId, CallbackId, NodeId};
use perezvon::engine::settings::Settings;
use perezvon::engine::time::{Instant, Now, Wall};

const NODE: NodeId = NodeId(0);
const LINES: usize = 100;
/// How long one attempt holds a line.
const ATTEMPT: Duration = Duration::from_secs(10);
const AT_ONCE: i64 = 10_000;
/// For each of them.
const ATTEMPTS: u8 = 3;
/// Attempts whose cost is measured.
const MEASURED: u64 = 20_000;

struct Network {
    engine: Engine,
    now: Now,
    /// Calls that end, by moment.
    ends: BTreeMap<(Instant, u64), NodeEvent>,
    dialled: u64,
    in_flight: usize,
    /// Since when a line has been free.
    free_since: Instant,
    due: BTreeMap<CallbackId, Instant>,
    lines: usize,
    /// The scheduler's own work takes time.
    works: bool,
    /// Callbacks that were attempted.
    tried: BTreeSet<CallbackId>,
    /// The longest from the moment at which an attempt was due and a line was free to the attempt: the first attempts, and
    /// those that follow.
    latest: [Duration; 2],
    over: u64,
}

impl Network {
    fn new(attempts: u8, lines: usize) -> Network {
        let mut settings = Settings {
            trunk: Some("trunk".to_owned()),
            allowed_numbers: BTreeSet::from(["+79".to_owned()]),
            ..Settings::default()
        };
        settings.callback.lines = lines;
        settings.callback.attempts = attempts;
        let mut network = Network {
            engine: Engine::new(settings, CallId(0)),
            now: Now { mono: Instant(0), wall: Wall(1_800_000_000_000) },
            ends: BTreeMap::new(),
            dialled: 0,
            in_flight: 0,
            free_since: Instant(0),
            due: BTreeMap::new(),
            lines,
            works: false,
            tried: BTreeSet::new(),
            latest: [Duration::ZERO; 2],
            over: 0,
        };
        network.feed(Event::Node(NODE, NodeEvent::Up(Snapshot::default())));
        network
    }

    fn want(&mut self, id: i64) {
        let order = Box::new(CallerOrder::new(OrderId(id), State::Assigned, self.now.wall));
        self.due.insert(CallbackId(id), self.now.mono);
        self.feed(Event::CallbackRequested(Box::new(CallbackRequest {
            id: CallbackId(id),
            number: format!("+79{id:09}"),
            client: None,
            language: None,
            about: About::Order { occasion: Occasion::Assigned, order },
            attempts: 0,
            created: self.now.wall,
            due: self.now.wall,
            not_before: None,
        })));
    }

    fn feed(&mut self, event: Event) {
        let (began, at) = (std::time::Instant::now(), self.now.mono);
        self.engine.handle(event, self.now);
        while let Some(command) = self.engine.poll_command() {
            if self.works {
                self.now += began.elapsed().saturating_sub(self.now.mono.since(at));
            }
            match command {
                Command::Asterisk { request: AriRequest::Dial { channel, .. }, .. } => {
                    self.dialled += 1;
                    self.in_flight += 1;
                    let end = self.now.mono + ATTEMPT;
                    self.ends.insert((end, self.dialled), NodeEvent::Gone { channel, cause: 17 });
                }
                Command::Persist(Fact::AttemptStarted { callback, .. }) => {
                    if let Some(due) = self.due.get(&callback) {
                        let late = self.now.mono.since((*due).max(self.free_since));
                        let latest = &mut self.latest[usize::from(!self.tried.insert(callback))];
                        *latest = late.max(*latest);
                    }
                }
                Command::Persist(Fact::AttemptEnded { callback, due, .. }) => {
                    let left = u64::try_from(due.0 - self.now.wall.0).unwrap_or(0);
                    self.due.insert(callback, self.now.mono + Duration::from_millis(left));
                }
                Command::Persist(Fact::CallbackEnded { .. }) => self.over += 1,
                _ => {}
            }
        }
    }

    /// The next thing happens.
    fn step(&mut self) -> bool {
        let end = self.ends.first_key_value().map(|((at, _), _)| *at);
        let wake = self.engine.poll_timeout().map(|(at, _)| at);
        let Some(at) = end.into_iter().chain(wake).min() else { return false };
        self.now += at.since(self.now.mono);
        if end == Some(at) {
            let (_, event) = self.ends.pop_first().expect("something ends");
            if self.in_flight == self.lines {
                self.free_since = self.now.mono;
            }
            self.in_flight -= 1;
            self.feed(Event::Node(NODE, event));
        } else {
            self.feed(Event::Wake);
        }
        true
    }
}

/// Processor time of this thread: other work of the machine does not count.
fn processor_time() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("/proc is mounted");
    let nanos = schedstat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("schedstat has nanos");
    Duration::from_nanos(nanos)
}

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let mut costs = Vec::new();
    for pending in [100_i64, 10_000, 1_000_000] {
        let mut network = Network::new(u8::MAX, LINES);
        let began = processor_time();
        for id in 1..=pending {
            network.want(id);
        }
        let wanting = (processor_time() - began).as_secs_f64() * 1e6 / pending as f64;
        // All are due by now.
        while network.dialled < 2 * LINES as u64 && network.step() {}
        let (began, dialled) = (processor_time(), network.dialled);
        while network.dialled < dialled + MEASURED && network.step() {}
        let cost = (processor_time() - began).as_secs_f64() * 1e6 / MEASURED as f64;
        costs.push(cost);
        println!("callbacks.wanted.{pending} {wanting:.2} µs");
        println!("callbacks.attempt.{pending} {cost:.2} µs");
    }
    let (most, least) = (costs.iter().copied().fold(0.0, f64::max), costs.iter().copied().fold(f64::MAX, f64::min));
    println!("callbacks.attempt.spread {:.2} ratio", most / least);

    // At the limit of the lines, and with a line for each: then all are due again in the same moment.
    for lines in [LINES, AT_ONCE as usize] {
        let mut network = Network::new(ATTEMPTS, lines);
        network.works = true;
        for id in 1..=AT_ONCE {
            network.want(id);
        }
        while network.step() {}
        assert_eq!(network.over, AT_ONCE as u64, "some callbacks were forgotten");
        assert_eq!(network.dialled, AT_ONCE as u64 * u64::from(ATTEMPTS), "attempts were left out");
        let [first, again] = network.latest.map(|late| late.as_secs_f64() * 1e3);
        println!("callbacks.{lines}_lines.late.first.max {first:.1} ms");
        println!("callbacks.{lines}_lines.late.again.max {again:.1} ms");
        assert!(first.max(again) < 1_000.0, "an attempt was late by more than a second");
        if lines == LINES {
            let ideal = ATTEMPT.as_secs_f64() * AT_ONCE as f64 * f64::from(ATTEMPTS) / lines as f64;
            let took = network.now.mono.since(Instant(0)).as_secs_f64();
            println!(
                "callbacks.{AT_ONCE}_at_once {took:.1} s ({ATTEMPTS} attempts each; lines alone {ideal:.1} s, ratio {:.3})",
                took / ideal
            );
        }
    }
}
