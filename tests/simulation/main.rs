//! The whole call logic in a simulated world: Asterisks, callers, agents, a store, and every fault that can be thought
//! of. A seed draws the options of a run; the same seed gives the same run.
//!
//! `PEREZVON_SEED=n` plays one seed and shows all that happens; `PEREZVON_SEEDS=a..b` plays more than the usual ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod callbacks;
mod faults;
mod fuzz;
mod invariants;
mod line;
mod people;
mod plan;
mod reference;
mod rng;
mod sim_agent;
mod sim_asterisk;
mod sim_caller;
mod sim_orders;
mod sim_store;
mod world;

use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use world::{Trace, World};

/// Seeds of every test run.
const USUAL: Range<u64> = 0..2000;
/// No more are looked for when so many seeds have failed.
const MOST_FAILURES: usize = 40;
/// Lines shown of a run that failed.
const SHOWN: usize = 120;

/// The text of a panic.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Plays one seed; `Err` with what went wrong.
fn play(seed: u64, trace: &Rc<RefCell<Trace>>) -> Result<u64, String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, trace.clone());
        world.run().map(|()| world.steps)
    }));
    played.unwrap_or_else(|panic| Err(format!("panic: {}", words(panic.as_ref()))))
}

/// Calls as Asterisk's ids and the violations name them: `CallId(1882501420884688896)` as `1a1ffd1181000000`.
fn readable(line: &str) -> String {
    let mut parts = line.split("CallId(");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')').and_then(|(id, rest)| Some((id.parse::<u64>().ok()?, rest))) {
            Some((id, rest)) => text.push_str(&format!("{id:016x}{rest}")),
            None => text.push_str(part),
        }
    }
    text
}

/// Plays a seed again to tell how it failed.
fn tell(seed: u64, keep: usize) -> Option<String> {
    let trace = Rc::new(RefCell::new(Trace { on: true, keep, ..Trace::default() }));
    let result = play(seed, &trace);
    let lines: Vec<String> = trace.borrow().lines.iter().map(|line| readable(line)).collect();
    let why = result.err()?;
    Some(format!("{}\nseed {seed}: {why}\n(replay: PEREZVON_SEED={seed})", lines.join("\n")))
}

fn seeds() -> Range<u64> {
    if let Ok(seed) = std::env::var("PEREZVON_SEED") {
        let seed = seed.parse().expect("PEREZVON_SEED is a number");
        return seed..seed + 1;
    }
    let Ok(text) = std::env::var("PEREZVON_SEEDS") else { return USUAL };
    let (from, to) = text.split_once("..").expect("PEREZVON_SEEDS is written a..b");
    from.parse().expect("a number before ..")..to.parse().expect("a number after ..")
}

/// Plays all seeds; the ones that failed.
fn on_two_threads(play: impl Fn(u64) -> Result<(), String> + Sync) -> Vec<(u64, String)> {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Vec<(u64, String)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.lock().unwrap().len() >= MOST_FAILURES {
                        return;
                    }
                    if let Err(why) = play(seed) {
                        failed.lock().unwrap().push((seed, why));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    failed
}

#[test]
fn lies_do_not_break_the_engine() {
    let failed = on_two_threads(|seed| {
        let played = catch_unwind(|| fuzz::play(seed));
        played.unwrap_or_else(|panic| Err(format!("panic: {}", words(panic.as_ref()))))
    });
    assert!(failed.is_empty(), "{} seeds failed:\n{failed:#?}", failed.len());
}

#[test]
fn clients_are_called_back_whatever_happens() {
    let reserved = AtomicU64::new(0);
    let failed = on_two_threads(|seed| {
        let played = catch_unwind(|| callbacks::play(seed));
        let played = played.unwrap_or_else(|panic| Err(format!("panic: {}", words(panic.as_ref()))));
        played.map(|times| {
            reserved.fetch_add(u64::from(times), Ordering::Relaxed);
        })
    });
    assert!(failed.is_empty(), "{} seeds failed:\n{failed:#?}", failed.len());
    // A world in which nobody is ever put through shows nothing.
    let (reserved, runs) = (reserved.into_inner(), seeds().count() as u64);
    assert!(reserved * 4 >= runs, "in {runs} runs an agent was reserved {reserved} times");
    println!("{runs} runs, {reserved} reservations for kept places");
}

#[test]
fn all_promises_hold_in_every_seeded_world() {
    if let Ok(seed) = std::env::var("PEREZVON_SEED") {
        let seed = seed.parse().expect("PEREZVON_SEED is a number");
        let trace = Rc::new(RefCell::new(Trace { on: true, keep: usize::MAX, ..Trace::default() }));
        let result = play(seed, &trace);
        for line in &trace.borrow().lines {
            println!("{}", readable(line));
        }
        result.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        return;
    }
    let failed = on_two_threads(|seed| play(seed, &Rc::default()).map(|_| ()));
    if let Some((first, _)) = failed.first() {
        let told =
            tell(*first, SHOWN).unwrap_or_else(|| format!("seed {first} does not fail again: chance has a leak"));
        let list: Vec<String> = failed.iter().map(|(seed, why)| format!("{seed}: {why}")).collect();
        panic!("{told}\n\n{} seeds failed:\n{}", failed.len(), list.join("\n"));
    }
}
