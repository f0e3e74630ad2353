//! What a caller with an order waits for, on a real Asterisk, beside the same Asterisk's `Answer()` and `Playback()`.
//!
//!     deploy/bench ivr
//!
//! - `ivr.first_prompt`: from the INVITE to the first packet of sound, the order just changed and told for the first time,
//!   beside a plain dialplan that answers and plays the same first sound; the two take turns
//! - `ivr.first_prompt_over_plain`: the difference of the two
//! - `ivr.at_once`: callers at the same moment, each with an order of its own: the same span, how many prompts were whole
//!   (with the street) and how many had to leave their free text out
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

#[path = "../../e2e/api.rs"]
#[allow(dead_code)]
mod api;
mod caller;
#[path = "../queue/numbers.rs"]
#[allow(dead_code)]
mod numbers;
#[path = "../../e2e/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../../cli/rhvoice.rs"]
mod rhvoice;
#[path = "../queue/sip.rs"]
#[allow(dead_code)]
mod sip;
#[path = "../../e2e/wait.rs"]
#[allow(dead_code)]
mod wait;
#[path = "../queue/world.rs"]
#[allow(dead_code)]
mod world;

use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::json;

use numbers::{milliseconds, print, quantile};
use world::{ENGINE, PLAIN, World};

const CALLS: u32 = 60;
const AT_ONCE: u32 = 200;
/// Beside those who are counted: the first call of an Asterisk loads codecs and sounds.
const WARM_UP: u32 = 3;

fn main() {
    let speech = rhvoice::speech().expect("PEREZVON_RHVOICE_ROOT is not set: run deploy/bench");
    let mut world = World::new(0, &speech);
    world.start_engine();
    world.log_in();
    one_by_one(&world);
    at_once(&world);
    world.stop_engine();
}

fn one_by_one(world: &World) {
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for call in 0..WARM_UP + CALLS {
        let number = number(call);
        order(world, &number, call);
        let heard = [caller::first_sound(ENGINE, &number), caller::first_sound(PLAIN, &number)];
        let [Ok(first), Ok(second)] = heard else {
            panic!("a caller heard nothing: {heard:?}\n{}", world.complaints())
        };
        if call >= WARM_UP {
            ours.push(first);
            plain.push(second);
        }
    }
    for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
        let [ours, plain] = [&ours, &plain].map(|spans| milliseconds(quantile(spans, share)));
        print(&format!("ivr.first_prompt.{name}"), ours, "ms", None);
        print(&format!("ivr.plain_playback.{name}"), plain, "ms", None);
        print(&format!("ivr.first_prompt_over_plain.{name}"), ours - plain, "ms", None);
    }
    world.tidy();
}

fn at_once(world: &World) {
    let numbers: Vec<String> = (1_000..1_000 + AT_ONCE).map(number).collect();
    numbers.iter().zip(1_000..).for_each(|(number, call)| order(world, number, call));
    // What is to be told was made when the orders changed.
    let prepared = || counted(world, ["speech_sentences_total"]);
    let mut last = [-1.0];
    while prepared() != last {
        last = prepared();
        std::thread::sleep(Duration::from_secs(1));
    }
    let before = prompts(world);
    let together = Arc::new(Barrier::new(numbers.len()));
    let callers = numbers.into_iter().map(|number| {
        let together = Arc::clone(&together);
        std::thread::spawn(move || {
            together.wait();
            caller::first_sound(ENGINE, &number)
        })
    });
    let callers: Vec<_> = callers.collect();
    let heard: Vec<_> = callers.into_iter().map(|caller| caller.join().expect("a caller")).collect();
    let spans: Vec<Duration> = heard.iter().filter_map(|heard| heard.as_ref().ok().copied()).collect();
    let whole: Vec<f64> = prompts(world).iter().zip(before).map(|(now, then)| now - then).collect();
    for (name, share) in [("p50", 0.5), ("p95", 0.95), ("worst", 1.0)] {
        print(&format!("ivr.at_once_{AT_ONCE}.first_prompt.{name}"), milliseconds(quantile(&spans, share)), "ms", None);
    }
    print(&format!("ivr.at_once_{AT_ONCE}.heard"), spans.len() as f64, "callers", None);
    print(&format!("ivr.at_once_{AT_ONCE}.prompts_whole"), whole[0], "prompts", None);
    print(&format!("ivr.at_once_{AT_ONCE}.prompts_without_text"), whole[1], "prompts", None);
    if let Some(why) = heard.into_iter().find_map(Result::err) {
        eprintln!("a caller heard nothing: {why}\n{}", world.complaints());
    }
    world.tidy();
}

fn number(call: u32) -> String {
    format!("7901{call:07}")
}

/// A car is on its way to this client, to a street and with a make that the shipped sounds do not hold.
fn order(world: &World, number: &str, call: u32) {
    let streets = ["Академика Королёва", "Большая Садовая", "Набережная", "Космонавтов", "Тенистая"];
    let from = |house: u32| json!({"street": streets[call as usize % streets.len()], "house": house.to_string()});
    // Two of them: then the street is told, to tell them apart.
    for house in [call % 90 + 1, call % 70 + 101] {
        let order = world.api.post("/orders", &json!({"phone": format!("+{number}"), "from": from(house)}));
        let id = order["id"].as_u64().unwrap_or_else(|| panic!("no order: {order}"));
        let plate = format!("А{:03}ВС77", call % 1_000);
        let car = json!({"make": "Lada", "model": "Granta", "colour": "белый", "plate": plate, "callsign": "31"});
        world.api.post(&format!("/orders/{id}/assign"), &json!({"car": car, "eta_minutes": call % 9 + 3}));
    }
}

/// Prompts that were whole so far, and those whose free text was left out.
fn prompts(world: &World) -> [f64; 2] {
    counted(world, ["speech_prompts_whole_total", "speech_prompts_without_text_total"])
}

fn counted<const N: usize>(world: &World, names: [&str; N]) -> [f64; N] {
    let text = String::from_utf8_lossy(&world.api.get_bytes("/metrics")).into_owned();
    names.map(|name| {
        let line = text.lines().find(|line| line.contains(name) && !line.starts_with('#'));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    })
}
