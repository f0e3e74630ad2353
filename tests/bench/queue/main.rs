//! The queue on a real Asterisk beside Asterisk's own app_queue: the same phones, callers and Asterisk, the same work in
//! the same run, one after the other.
//!
//!     deploy/bench queue [WHAT...]        WHAT: start, offer20, offer200, signalling200, cost, rate; all when none is
//!                                         named
//!
//! - `queue.free_to_offer`: from the end of an agent's call (its BYE sent or received) to the next INVITE at the same
//!   phone, while callers wait, without after-call work; half of the talks are ended by the agent, half by the caller
//! - `queue.answer_to_bridge`: from the agent's 200 to the event that tells of the second of the two in the bridge, as a
//!   second application of Asterisk receives it
//! - `queue.engine_cpu_share`: processor time of the engine over that of Asterisk, per call, at a moderate rate (15 calls
//!   a second) and at one that keeps the machine busy (30), both with talks of 1 to 3 s, and with talks of 20 to 40 s
//! - `queue.calls_per_second`: the highest rate at which each call is put through, recorded and ended as it should, and
//!   19 of 20 callers talk within a second
//!
//! The phones speak in every talk, 50 packets a second each, so that all that belongs to a recording is in the numbers.
//! Only in `signalling200` they are silent: 400 streams of sound, mixed and recorded, keep two cores so busy that the wait
//! for a processor, which app_queue's own bridge shows as well, is more than all the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

#[path = "../../e2e/api.rs"]
#[allow(dead_code)]
mod api;
mod eyes;
mod numbers;
mod phones;
#[path = "../../e2e/process.rs"]
#[allow(dead_code)]
mod process;
mod sip;
mod sound;
#[path = "../../e2e/wait.rs"]
#[allow(dead_code)]
mod wait;
mod world;

use std::time::{Duration, Instant};

use eyes::Eyes;
use numbers::{cpu, milliseconds, print, quantile, resident};
use phones::{Flow, Phones, Seen, Work};
use world::{APP_QUEUE, ENGINE, World};

const AGENTS: usize = 200;
/// Callers in the line beside those who talk.
const WAITING: usize = 10;
/// A rate that either system carries with ease.
const MODERATE: f64 = 15.0;
/// One that keeps this machine busy; the search for the highest begins with it.
const BRISK: f64 = 30.0;
/// Talks as long as those of an office, so many a second: some 90 at once.
const USUAL: (f64, (Duration, Duration)) = (3.0, (Duration::from_secs(20), Duration::from_secs(40)));

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |what: &str| wanted.is_empty() || wanted.iter().any(|word| word == what);
    let mut world = World::new(AGENTS, world::QUEUE_ONLY);
    if wants("start") {
        start(&mut world);
    }
    let mut bench = Bench { phones: None, world };
    if wants("offer20") {
        bench.offers("20", 20, true, (ms(500), ms(2500)), ms(30_000));
    }
    if wants("offer200") {
        bench.offers("200", 200, true, (ms(4000), ms(16_000)), ms(40_000));
    }
    if wants("signalling200") {
        bench.offers("200_signalling", 200, false, (ms(4000), ms(16_000)), ms(40_000));
    }
    if wants("cost") {
        bench.cost();
    }
    if wants("rate") {
        bench.rate();
    }
}

fn start(world: &mut World) {
    let spans: Vec<Duration> = (0..5).map(|_| world.first_start()).collect();
    print("start.ready", milliseconds(quantile(&spans, 0.5)), "ms", None);
    world.start_engine();
    print("idle.rss", settled(|| resident(world.engine_pid())), "MiB", None);
}

/// What is measured when it has not changed for two seconds: what was taken for the start has been given back.
fn settled(measure: impl Fn() -> f64) -> f64 {
    let (deadline, mut since) = (Instant::now() + ms(20_000), Instant::now());
    let mut last = measure();
    while since.elapsed() < ms(2000) && Instant::now() < deadline {
        std::thread::sleep(ms(100));
        let now = measure();
        if (now - last).abs() > 0.25 {
            since = Instant::now();
        }
        last = now;
    }
    last
}

/// Waits until none of these processes takes more than a fiftieth of a core.
fn quiet(pids: &[u32]) {
    let (window, deadline) = (ms(500), Instant::now() + ms(20_000));
    let all = || pids.iter().map(|pid| cpu(*pid)).sum::<Duration>();
    let mut before = all();
    while Instant::now() < deadline {
        std::thread::sleep(window);
        let now = all();
        if now.saturating_sub(before) * 50 <= window {
            return;
        }
        before = now;
    }
}

/// For the highest rate: in steps of a quarter up to the first that is too high, then between the last two down to 3 %.
struct Search {
    carried: f64,
    too_high: f64,
}

impl Search {
    fn new() -> Search {
        Search { carried: 0.0, too_high: f64::INFINITY }
    }

    /// What to try next; nothing when the rate is known.
    fn next(&self) -> Option<f64> {
        let rate = if self.too_high.is_finite() {
            f64::midpoint(self.carried, self.too_high)
        } else if self.carried == 0.0 {
            BRISK
        } else {
            self.carried * 1.25
        };
        (self.too_high > self.carried * 1.03 && rate < 1000.0).then_some(rate)
    }

    fn learn(&mut self, rate: f64, carried: bool) {
        if carried {
            self.carried = rate;
        } else {
            self.too_high = rate;
        }
    }
}

struct Bench {
    world: World,
    phones: Option<Phones>,
}

#[derive(Clone, Copy, PartialEq)]
enum System {
    Engine,
    AppQueue,
}

impl System {
    fn dialled(self) -> &'static str {
        match self {
            System::Engine => ENGINE,
            System::AppQueue => APP_QUEUE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            System::Engine => "perezvon",
            System::AppQueue => "app_queue",
        }
    }
}

impl Bench {
    /// The system with so many agents, the other one silent.
    fn set(&mut self, system: System, agents: usize) {
        if self.phones.is_none() {
            if self.world.engine.is_none() {
                self.world.start_engine();
            }
            self.world.hire(AGENTS);
            self.phones = Some(Phones::new(world::phones_port(), world::sip_port()));
        }
        match system {
            System::Engine => {
                if self.world.engine.is_none() {
                    self.world.start_engine();
                }
                self.world.ready(agents);
            }
            System::AppQueue => {
                self.world.stop_engine();
                self.world.members(agents);
            }
        }
    }

    fn work(&mut self, system: System, work: Work) -> Seen {
        let seen = self.untidy_work(system, work);
        self.world.tidy();
        seen
    }

    fn untidy_work(&mut self, system: System, work: Work) -> Seen {
        let phones = self.phones.as_mut().expect("phones");
        let seen = phones.work(system.dialled(), work);
        if !seen.bad.is_empty() {
            eprintln!("{}: {} good, failed: {:?}\n{}", system.name(), seen.good, seen.bad, self.world.complaints());
        }
        seen
    }

    /// An Asterisk that was given more than it can carry is busy for minutes with callers who are gone.
    fn afresh(&mut self) {
        self.phones = None;
        self.world.end();
        self.world = World::new(AGENTS, world::QUEUE_ONLY);
    }

    fn offers(&mut self, what: &str, agents: usize, speaking: bool, talk: (Duration, Duration), span: Duration) {
        let work = Work { flow: Flow::Full(agents + WAITING), talk, span, warm_up: ms(5000), speaking };
        let mut measured = |system| {
            self.set(system, agents);
            let eyes = Eyes::open(world::http_port());
            let seen = self.work(system, work);
            let bridged = eyes.close(&seen.answers);
            (seen, bridged)
        };
        let (ours, our_bridged) = measured(System::Engine);
        let (theirs, their_bridged) = measured(System::AppQueue);
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let value = |samples: &[Duration]| milliseconds(quantile(samples, share));
            print(
                &format!("queue.free_to_offer.{what}.{name}"),
                value(&ours.free_to_offer),
                "ms",
                Some(value(&theirs.free_to_offer)),
            );
            print(
                &format!("queue.answer_to_bridge.{what}.{name}"),
                value(&our_bridged),
                "ms",
                Some(value(&their_bridged)),
            );
        }
        eprintln!(
            "{what} agents: offers {} / {}, bridged {} / {}, sent again {} / {}",
            ours.free_to_offer.len(),
            theirs.free_to_offer.len(),
            our_bridged.len(),
            their_bridged.len(),
            ours.resent,
            theirs.resent
        );
    }

    /// Processor time per call in milliseconds: engine, Asterisk.
    fn cpu_per_call(&mut self, system: System, flow: Flow, talk: (Duration, Duration), span: Duration) -> (f64, f64) {
        self.set(system, AGENTS);
        let pids = (self.world.engine_pid(), self.world.asterisk.pid());
        // What hiring and registering still cost is not the calls'.
        quiet(&[pids.0, pids.1]);
        let before = (cpu(pids.0), cpu(pids.1));
        let seen = self.work(system, Work { flow, talk, span, warm_up: ms(0), speaking: true });
        let each = |now: Duration, then: Duration| milliseconds(now.saturating_sub(then)) / seen.calls() as f64;
        (each(cpu(pids.0), before.0), each(cpu(pids.1), before.1))
    }

    fn cost(&mut self) {
        let short = (ms(1000), ms(3000));
        self.cost_of(&format!("{MODERATE:.0}"), MODERATE, short, ms(20_000));
        self.cost_of(&format!("{BRISK:.0}"), BRISK, short, ms(20_000));
        self.cost_of("usual_talks", USUAL.0, USUAL.1, ms(60_000));
    }

    fn cost_of(&mut self, what: &str, rate: f64, talk: (Duration, Duration), span: Duration) {
        let (engine, asterisk) = self.cpu_per_call(System::Engine, Flow::PerSecond(rate), talk, span);
        let (_, peer) = self.cpu_per_call(System::AppQueue, Flow::PerSecond(rate), talk, span);
        let at = |name: &str| format!("queue.{name}.{what}");
        print(&at("engine_cpu_share"), engine / asterisk, "of Asterisk's", None);
        print(&at("engine_cpu_per_call"), engine, "ms", None);
        print(&at("asterisk_cpu_per_call"), asterisk, "ms", Some(peer));
    }

    /// The two take turns at each step: the machine's speed drifts within minutes.
    fn rate(&mut self) {
        let mut searches = [System::Engine, System::AppQueue].map(|system| (system, Search::new()));
        while searches.iter().any(|(_, search)| search.next().is_some()) {
            for (system, search) in &mut searches {
                if let Some(rate) = search.next() {
                    self.set(*system, AGENTS);
                    search.learn(rate, self.carries(*system, rate));
                }
            }
        }
        let [ours, theirs] = searches.map(|(_, search)| search.carried);
        print("queue.calls_per_second", ours, "calls/s", Some(theirs));
    }

    fn carries(&mut self, system: System, rate: f64) -> bool {
        let work = Work {
            flow: Flow::PerSecond(rate),
            talk: (ms(500), ms(1500)),
            span: ms(8000),
            warm_up: ms(0),
            speaking: true,
        };
        let seen = self.untidy_work(system, work);
        let slow = quantile(&seen.to_talk, 0.95);
        // The phones need the processor too: when they come late, the rate was not what it is called.
        let in_time = seen.arriving <= work.span + ms(200);
        let well = seen.bad.is_empty() && slow <= ms(1000) && in_time;
        eprintln!(
            "{} at {rate:.0} calls/s: {} good, failed {:?}, to talk p50 {:.0} ms p95 {:.0} ms, sent again {}{}{}",
            system.name(),
            seen.good,
            seen.bad,
            milliseconds(quantile(&seen.to_talk, 0.5)),
            milliseconds(slow),
            seen.resent,
            if in_time { "" } else { ", callers came late" },
            if well { "" } else { ": too many" }
        );
        if well {
            self.world.tidy();
        } else {
            self.afresh();
        }
        well
    }
}
