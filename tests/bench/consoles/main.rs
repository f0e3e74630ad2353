//! What open consoles cost the engine, while real calls are put through on a real Asterisk.
//!
//!     deploy/bench consoles
//!
//! - `consoles.cpu`: processor time of the engine with 200 consoles open less that without, in percent of one core; 190
//!   of dispatchers, ten of supervisors, 10 calls a second
//! - `consoles.messages_per_second`: what all of them together were told
//!
//! Each console checks that no message is left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

#[path = "../../e2e/api.rs"]
#[allow(dead_code)]
mod api;
#[path = "../queue/numbers.rs"]
#[allow(dead_code)]
mod numbers;
#[path = "../queue/phones.rs"]
#[allow(dead_code)]
mod phones;
#[path = "../../e2e/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../queue/sip.rs"]
#[allow(dead_code)]
mod sip;
#[path = "../queue/sound.rs"]
mod sound;
#[path = "../../e2e/wait.rs"]
#[allow(dead_code)]
mod wait;
mod watchers;
#[path = "../queue/world.rs"]
#[allow(dead_code)]
mod world;

use std::time::Duration;

use serde_json::json;

use numbers::{cpu, print};
use phones::{Flow, Phones, Work};
use watchers::Watchers;
use world::{ENGINE, World};

const AGENTS: usize = 200;
const SUPERVISORS: usize = 10;
const RATE: f64 = 10.0;
const SPAN: Duration = Duration::from_secs(20);
const PASSWORD: &str = "a long password";

fn main() {
    let mut world = World::new(AGENTS, world::QUEUE_ONLY);
    world.start_engine();
    world.hire(AGENTS);
    let mut phones = Phones::new(world::phones_port(), world::sip_port());
    let logins: Vec<String> = (0..AGENTS).map(|n| login(&world, n)).collect();
    let without = used(&world, &mut phones);
    let watchers = Watchers::open(world::web_port(), &logins, PASSWORD);
    let with = used(&world, &mut phones);
    let seen = watchers.close();
    let share = 100.0 * (with.as_secs_f64() - without.as_secs_f64()) / SPAN.as_secs_f64();
    print("consoles.cpu", share, "% of a core", None);
    print("consoles.messages_per_second", seen.messages as f64 / SPAN.as_secs_f64(), "", None);
    assert_eq!(seen.gaps, 0, "messages were left out");
    world.stop_engine();
}

/// The last ones are supervisors; the others work as agents.
fn login(world: &World, n: usize) -> String {
    let login = format!("desk-{n}");
    let body = if n < AGENTS - SUPERVISORS {
        json!({"login": login, "password": PASSWORD, "role": "agent", "agent": world.agents[n]})
    } else {
        json!({"login": login, "password": PASSWORD, "role": "supervisor"})
    };
    world.api.post("/users", &body);
    login
}

/// What the engine's process takes for the same work.
fn used(world: &World, phones: &mut Phones) -> Duration {
    let before = cpu(world.engine_pid());
    let talk = (Duration::from_secs(1), Duration::from_secs(3));
    let seen = phones
        .work(ENGINE, Work { flow: Flow::PerSecond(RATE), talk, span: SPAN, warm_up: Duration::ZERO, speaking: true });
    assert!(seen.bad.is_empty(), "{:?}\n{}", seen.bad, world.complaints());
    let used = cpu(world.engine_pid()).saturating_sub(before);
    world.tidy();
    used
}
