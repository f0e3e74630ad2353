//! Callers with an order: what they hear, sample by sample, and what their keys do.

use std::path::{Path, PathBuf};

use perezvon::domain::address::Car;
use perezvon::domain::language::Language;
use perezvon::speech::order::{CannotCancel, OrderStatus, Progress};
use perezvon::speech::{Phrase, fragments};
use serde_json::{Value, json};

use crate::ear::{Ear, Fingers, on_the_line};
use crate::office::{Office, Options, canonical};
use crate::phones::Manner;
use crate::wait::wait_until;

/// Samples of the line in a second.
const SECOND: usize = 8000;

fn stems(phrase: &Phrase) -> Vec<String> {
    fragments(phrase, Language::Ru).into_iter().map(|fragment| fragment.as_str().to_owned()).collect()
}

fn car() -> Car {
    Car {
        make: "Lada".into(),
        model: "Granta".into(),
        colour: "белый".into(),
        plate: "А123ВС77".into(),
        callsign: "31".into(),
    }
}

fn status(progress: Progress, car: Option<Car>) -> OrderStatus {
    OrderStatus { progress, car, from: None }
}

/// Where an order is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stand {
    Searching,
    Assigned,
    Arrived,
    InTrip,
    NotFound,
}

impl Stand {
    /// What its caller hears.
    fn told(self) -> Vec<String> {
        stems(&Phrase::Order(match self {
            Stand::Searching => status(Progress::Searching { minutes: 0 }, None),
            Stand::Assigned => status(Progress::Assigned { minutes: Some(7) }, Some(car())),
            Stand::Arrived => status(Progress::Arrived { minutes: 0 }, Some(car())),
            Stand::InTrip => status(Progress::InTrip, Some(car())),
            Stand::NotFound => status(Progress::NotFound, None),
        }))
    }
}

impl Office {
    fn order(&self, number: &str, stand: Stand) -> u64 {
        let order = self
            .api
            .post("/orders", &json!({"phone": canonical(number), "from": {"street": "улица Ленина", "house": "5"}}));
        let id = order["id"].as_u64().unwrap_or_else(|| panic!("no order: {order}"));
        let crew = json!({"car": car(), "eta_minutes": 7});
        let steps: &[(&str, Value)] = match stand {
            Stand::Searching => &[],
            Stand::NotFound => &[("no-car", Value::Null)],
            Stand::Assigned => &[("assign", crew)],
            Stand::Arrived => &[("assign", crew), ("arrive", Value::Null)],
            Stand::InTrip => &[("assign", crew), ("arrive", Value::Null), ("start", Value::Null)],
        };
        for (step, body) in steps {
            let body = if body.is_null() { json!({}) } else { body.clone() };
            self.api.post(&format!("/orders/{id}/{step}"), &body);
        }
        id
    }

    fn stands(&self, order: u64) -> String {
        self.api.get(&format!("/orders/{order}"))["state"].as_str().unwrap_or_default().to_owned()
    }
}

fn hello() -> Vec<String> {
    stems(&Phrase::Hello)
}

fn keys(cancel: bool) -> Vec<String> {
    stems(&Phrase::OrderKeys { cancel })
}

fn whole_office() -> Office {
    // The shipped sounds alone: what is heard is known to the sample.
    Office::open(Options { office: "", ..Options::default() })
}

/// Rings with an order that stands so, and hears it to the end.
fn informed(office: &Office, number: &str, stand: Stand, fingers: Fingers) -> (u64, Ear, usize) {
    let order = office.order(number, stand);
    let ear = office.ear(number, 0, fingers);
    let at = ear.wait_heard(&hello(), 0, 20);
    let at = ear.wait_heard(&stand.told(), at, 20);
    (order, ear, at)
}

#[test]
fn who_has_an_order_hears_at_once_how_it_stands_and_cancels_it_by_two_keys() {
    let office = whole_office();
    let all = [Stand::Searching, Stand::Assigned, Stand::Arrived, Stand::InTrip, Stand::NotFound];
    let numbers = ["79005550101", "79005550102", "79005550103", "79005550104", "79005550105"];
    let orders: Vec<u64> = all.iter().zip(numbers).map(|(stand, number)| office.order(number, *stand)).collect();
    let ears: Vec<Ear> = numbers.iter().map(|number| office.ear(number, 0, Fingers::Rfc4733)).collect();
    let mut heard = Vec::new();
    for (ear, stand) in ears.iter().zip(all) {
        let at = ear.wait_heard(&hello(), 0, 20);
        heard.push(ear.wait_heard(&stand.told(), at, 20));
        let began = ear.began(&stand.told()[0], 0, 1);
        // A loaded machine may be late between two sounds.
        assert!(began < SECOND + SECOND / 4, "{stand:?}: told {began} samples after the answer");
        ear.press('2');
    }
    let before: Vec<String> = orders.iter().map(|order| office.stands(*order)).collect();
    assert_eq!(before, ["searching", "assigned", "arrived", "in_trip", "not_found"], "asked for and not confirmed");
    for ((ear, stand), at) in ears.iter().zip(all).zip(&mut heard).filter(|((_, stand), _)| *stand != Stand::InTrip) {
        *at = ear.wait_heard(&stems(&Phrase::ConfirmCancel), *at, 20);
        assert_ne!(office.stands(orders[all.iter().position(|other| *other == stand).unwrap()]), "cancelled");
        ear.press('1');
    }
    for (at, stand) in all.into_iter().enumerate() {
        let (ear, order, number) = (&ears[at], orders[at], numbers[at]);
        if stand == Stand::InTrip {
            ear.wait_heard(&stems(&Phrase::CannotCancel(CannotCancel::InTrip)), heard[at], 20);
            assert_eq!(office.stands(order), "in_trip");
            office.wait_stage(number, "waiting", 10);
            ear.sipp.kill();
            continue;
        }
        wait_until("the order is cancelled", 10, || office.stands(order), |state| state == "cancelled");
        let told = ear.wait_heard(&stems(&Phrase::OrderCancelled), heard[at], 20);
        ear.wait_heard(&keys(false), told, 20);
        // Nothing more is wanted: the line is closed.
        ear.sipp.finish(20);
        let story = office.story(number, 10);
        assert_eq!(story.disposition(), "INFORMED", "{stand:?}");
        let notes = story.notes();
        for what in ["heard_status", "asked_to_cancel", "cancelled_order"] {
            assert!(notes.iter().any(|note| note == what), "{stand:?}: {what} is not among {notes:?}");
        }
    }
}

#[test]
fn keys_work_early_late_twice_and_never_and_by_each_way_of_the_line() {
    let office = whole_office();
    let (_agent, _phone) = office.ready_agent("101", Manner::Answers { after: 300, talk: 1000 });
    // Early: in the middle of the first word.
    let order = office.order("79005550201", Stand::Assigned);
    let ear = office.ear("79005550201", 0, Fingers::Rfc4733);
    ear.wait_sound();
    ear.press('1');
    ear.sipp.finish(30);
    let story = office.story("79005550201", 10);
    assert_eq!((story.disposition(), office.stands(order).as_str()), ("COMPLETEAGENT", "assigned"));
    assert!(story.notes().contains(&"wants_agent".to_owned()), "{story:?}");
    // Twice: the second one is the answer "keep it".
    let (order, ear, at) = informed(&office, "79005550202", Stand::Searching, Fingers::Rfc4733);
    let at = ear.wait_heard(&keys(true), at, 20);
    ear.press('2');
    ear.press('2');
    ear.wait_heard(&stems(&Phrase::OrderKept), at, 20);
    assert_eq!(office.stands(order), "searching");
    // Never: to the queue, and so to the agent.
    let (order, never, _) = informed(&office, "79005550203", Stand::Arrived, Fingers::Rfc4733);
    never.sipp.finish(40);
    let story = office.story("79005550203", 10);
    assert_eq!((story.disposition(), office.stands(order).as_str()), ("COMPLETEAGENT", "arrived"));
    assert!(story.notes().contains(&"no_key".to_owned()), "{story:?}");
    ear.sipp.finish(40);
    // As tones in the sound.
    let (order, ear, _) = informed(&office, "79005550204", Stand::Searching, Fingers::InBand);
    ear.press('0');
    ear.sipp.finish(30);
    let story = office.story("79005550204", 10);
    assert!(story.notes().contains(&"wants_agent".to_owned()), "{story:?}");
    assert_eq!(office.stands(order), "searching");
    // By SIP INFO, after the first word.
    let order = office.order("79005550205", Stand::Searching);
    let ear = office.ear_with("79005550205", 0, Fingers::InBand, (1500, '*'));
    let at = ear.wait_heard(&hello(), 0, 20);
    let at = ear.wait_heard(&Stand::Searching.told(), at, 20);
    assert!(at > SECOND, "told anew after the key");
    ear.sipp.finish(40);
    assert!(office.story("79005550205", 10).notes().contains(&"repeated_status".to_owned()));
    assert_eq!(office.stands(order), "searching");
    office.assert_clean();
}

#[test]
fn who_waits_hears_that_the_order_changed_and_the_agent_sees_what_the_caller_did() {
    let office = whole_office();
    let number = "79005550301";
    let (order, ear, at) = informed(&office, number, Stand::Searching, Fingers::Rfc4733);
    ear.press('1');
    office.wait_stage(number, "waiting", 10);
    office.api.post(&format!("/orders/{order}/assign"), &json!({"car": car(), "eta_minutes": 7}));
    let changed = status(Progress::Assigned { minutes: Some(7) }, Some(car()));
    ear.wait_heard(&stems(&Phrase::OrderChanged(changed)), at, 20);
    let (_agent, _phone) = office.ready_agent("101", Manner::Answers { after: 1500, talk: 0 });
    let call = office.wait_stage(number, "offered", 10);
    let choices: Vec<&str> =
        call["choices"].as_array().expect("choices").iter().filter_map(|c| c["what"].as_str()).collect();
    assert!(choices.ends_with(&["wants_agent", "heard_change"]), "{choices:?}");
    assert_eq!(call["orders"][0]["state"], "assigned");
    office.wait_stage(number, "talking", 10);
    ear.sipp.kill();
}

#[test]
fn with_a_voice_the_whole_sentence_is_heard_from_what_was_made_before_the_call() {
    let office = Office::open(Options { office: "", voice: true, ..Options::default() });
    office.order("79005550401", Stand::Assigned);
    hears_the_whole_sentence(&office, "79005550401", &made_before(&office));
}

#[test]
fn an_asterisk_elsewhere_has_fetched_the_sentences_before_they_are_played() {
    let office = Office::open(Options { office: "", voice: true, elsewhere: true, ..Options::default() });
    office.order("79005550402", Stand::Assigned);
    let before = made_before(&office);
    let fetched = office.dir.join("asterisk/cache");
    let buckets = || std::fs::read_dir(&fetched).into_iter().flatten().count();
    wait_until("Asterisk has fetched them", 30, || buckets().min(before.len()), |count| *count == before.len());
    wait_until("nothing is being fetched", 30, || office.ari.bridges().len(), |bridges| *bridges == 0);
    hears_the_whole_sentence(&office, "79005550402", &before);
}

/// Made when the order changed, before anybody calls: the car, the minutes, and the car as news.
fn made_before(office: &Office) -> Vec<PathBuf> {
    let kept = office.dir.join("sounds/cache");
    wait_until("sentences are kept", 20, || sentences(&kept), |found| found.len() >= 3)
}

fn hears_the_whole_sentence(office: &Office, number: &str, before: &[PathBuf]) {
    let ear = office.ear(number, 0, Fingers::Rfc4733);
    let at = ear.wait_heard(&hello(), 0, 20);
    let channel = office.ari.channel_of(number);
    let played = wait_until(
        "sentences are played",
        20,
        || {
            office
                .events
                .played_to(&channel)
                .into_iter()
                .filter(|stem| before.iter().any(|path| is(path, stem)))
                .collect()
        },
        |played: &Vec<String>| played.len() >= 2,
    );
    let sound = |stem: &String| {
        let path = before.iter().find(|path| is(path, stem)).unwrap();
        (stem.clone(), on_the_line(path))
    };
    let at = ear.wait_sounds(&played.iter().map(sound).collect::<Vec<_>>(), at, 30);
    ear.wait_heard(&keys(true), at, 20);
    ear.sipp.kill();
}

fn is(path: &Path, stem: &str) -> bool {
    path.file_stem().is_some_and(|name| name == stem)
}

/// Sentences that are kept below this folder, without those that are still being said (`live`).
fn sentences(folder: &Path) -> Vec<PathBuf> {
    let within = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = within(folder).filter(|path| !is(path, "live")).flat_map(|path| within(&path).collect::<Vec<_>>());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "wav")).collect()
}
