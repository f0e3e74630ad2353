//! One call from the first ring to the archive.

use hyper::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::office::{Office, Options, canonical};
use crate::phones::Manner;
use crate::postgres::Database;
use crate::wait::wait_until;

const FIRST: &str = "79005550001";
const SECOND: &str = "79005550002";

fn main_flow(database: Option<String>) {
    let office = Office::open(Options { office: "greeting = true", database, ..Options::default() });
    let (longest, first_phone) = office.ready_agent("101", Manner::Answers { after: 300, talk: 0 });
    let (other, second_phone) = office.ready_agent("102", Manner::Answers { after: 300, talk: 2500 });

    // The caller is answered and hears the greeting: the right sounds, and packets with them.
    let caller = office.caller(FIRST, 9000);
    let channel = office.ari.channel_of(FIRST);
    wait_until("the greeting is heard", 10, || office.ari.packets(&channel, "txcount"), |sent| *sent > 100);
    assert_eq!(office.wait_stage(FIRST, "greeting", 5)["dialled"], "74951234567");
    office.wait_stage(FIRST, "talking", 15);
    assert_eq!(office.events.played_to(&channel), ["greeting", "pause-stop", "recorded"]);
    assert_eq!(office.agent(longest.id)["state"], "talking");
    caller.finish(20);
    let story = office.story(FIRST, 10);
    assert_eq!(story.disposition(), "COMPLETECALLER");
    assert_eq!(story.offers(), [(longest.id, "ANSWERED".to_owned())]);
    assert_eq!(story.agent(), Some(longest.id));
    assert_eq!(first_phone.noted("answered 101"), 1);
    assert!(story.field("waited_ms").as_u64().is_some_and(|waited| (250..2000).contains(&waited)), "{story:?}");

    // The second caller comes to the other agent, who is now the one free longest, and who hangs up.
    let caller = office.caller(SECOND, 0);
    caller.finish(30);
    let second = office.story(SECOND, 10);
    assert_eq!(second.disposition(), "COMPLETEAGENT");
    assert_eq!(second.agent(), Some(other.id));
    assert_eq!(second_phone.noted("hung_up 102"), 1);
    assert!((2300..2900).contains(&second.talked_ms()), "{second:?}");

    for story in [&story, &second] {
        let row = office.recording(story, "stored", 15);
        let wav = office.api.get_bytes(&format!("/recordings/{}/audio", row["id"]));
        let digest: String = Sha256::digest(&wav).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(row["file"]["sha256"], digest);
        assert_eq!(row["file"]["bytes"], wav.len());
        let sound = office.sound(&row);
        sound.assert_tones();
        let length = row["file"]["duration_ms"].as_f64().unwrap();
        assert!((length / 1000.0 - sound.seconds()).abs() < 0.01, "{row}");
        let talked = story.talked_ms() as f64;
        assert!((length - talked).abs() < 200.0, "{length} ms recorded of {talked} ms of talk");
    }
    assert_eq!(office.agent(longest.id)["calls_taken"], 1);
    assert!(story.legs().iter().all(|leg| leg["ended_at"].is_string()), "{story:?}");
    office.assert_clean();
}

#[test]
fn a_caller_is_greeted_put_through_and_recorded() {
    main_flow(None);
}

#[test]
fn the_same_works_with_postgresql() {
    let Some(database) = Database::new() else { return };
    main_flow(Some(database.url.clone()));
}

#[test]
fn a_blocked_number_is_refused_unanswered() {
    let office = Office::open(Options::default());
    let (_agent, phone) = office.ready_agent("101", Manner::Answers { after: 100, talk: 0 });
    office.api.post("/blocked-numbers", &json!({"number": FIRST, "reason": "pranks"}));
    let caller = office.caller(FIRST, 1000);
    caller.finish(10);
    assert_eq!(caller.noted("refused"), 1, "{:?}", caller.notes());
    assert!(!caller.messages().contains("SIP/2.0 200"), "answered: {}", caller.messages());
    let story = office.story(FIRST, 10);
    assert_eq!(story.disposition(), "BLOCKED");
    assert_eq!(story.offers(), []);
    assert_eq!(phone.noted("invited"), 0);
    assert_eq!(story.recordings(), Vec::<serde_json::Value>::new());

    // Unblocked, the same caller is served.
    let path = format!("/blocked-numbers/{}", canonical(FIRST).replace('+', "%2B"));
    assert_eq!(office.api.ask(&Method::DELETE, &path, None).unwrap().status, 204);
    office.caller(FIRST, 1500).finish(15);
    assert_eq!(office.stories(FIRST, 2, 10)[1].disposition(), "COMPLETECALLER");
    office.assert_clean();
}
