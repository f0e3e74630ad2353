//! What is done with a recording beside hearing it: marks, links, taking it away, what was said.

use serde_json::{Value, json};

use super::calls::recording;
use super::office::{Office, PASSWORD};
use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::store::transcripts::Spoken;

#[tokio::test]
async fn marks_are_made_edited_by_their_author_and_found() {
    let office = Office::open().await;
    let (id, _) = recording(&office, 8000).await;
    let marks = format!("/api/v1/recordings/{id}/marks");
    let mark = json!({"at_ms": 400, "kind": "complaint", "text": "кричит"});
    let made = office.ask("sup", "POST", &marks).json(mark.clone()).send().await.expect(201);
    let of_other = office.ask("admin", "POST", &marks).json(json!({"at_ms": 100})).send().await.expect(201);
    assert_eq!((&made["author"], &made["own"], &of_other["kind"]), (&json!("sup"), &json!(true), &json!("note")));
    let list = office.ask("sup", "GET", &marks).send().await.expect(200);
    let told: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| (&one["at_ms"], &one["own"])).collect();
    assert_eq!(told, [(&json!(100), &json!(false)), (&json!(400), &json!(true))]);
    let one = format!("{marks}/{}", made["id"]);
    let changed = office.ask("sup", "PATCH", &one).json(json!({"text": "успокоился"})).send().await.expect(200);
    assert_eq!((&changed["text"], &changed["at_ms"]), (&json!("успокоился"), &json!(400)));
    office.ask("admin", "PATCH", &one).json(json!({"text": "x"})).send().await.expect(403);
    for wrong in
        [json!({"at_ms": 1, "kind": ""}), json!({"at_ms": 90_000_000}), json!({"at_ms": 1, "text": "я".repeat(2001)})]
    {
        office.ask("sup", "POST", &marks).json(wrong).send().await.expect(422);
    }
    // Not one of hers.
    office.ask("anna", "GET", &marks).send().await.expect(404);
    office.ask("anna", "POST", &marks).json(mark.clone()).send().await.expect(404);
    let found = |query: &str| office.ask("sup", "GET", &format!("/api/v1/recordings{query}")).send();
    assert_eq!(found("?mark=complaint").await.expect(200)["items"][0]["id"], json!(id));
    assert_eq!(found("?mark=good").await.expect(200)["items"], json!([]));
    office.ask("admin", "DELETE", &one).send().await.expect(204);
    office.ask("sup", "PATCH", &one).json(json!({"text": "x"})).send().await.expect(404);
    assert_eq!(found("?mark=complaint").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_link_plays_without_a_log_in_until_it_ends_or_is_taken_back() {
    let office = Office::open().await;
    let (id, wav) = recording(&office, 8000).await;
    let share = format!("/api/v1/recordings/{id}/share");
    for wrong in [
        json!({"expires_in_h": 0}),
        json!({"expires_in_h": 745}),
        json!({"expires_in_h": 1, "reason": "я".repeat(501)}),
    ] {
        office.ask("sup", "POST", &share).json(wrong).send().await.expect(422);
    }
    office.ask("anna", "POST", &share).json(json!({"expires_in_h": 1})).send().await.expect(403);
    let make = || async {
        let body = json!({"expires_in_h": 1, "reason": "для юриста"});
        office.ask("sup", "POST", &share).json(body).send().await.expect(201)
    };
    let (first, second) = (make().await, make().await);
    let stranger = |path: String| office.ask("", "GET", &path).from("192.0.2.1").send();
    let of = |made: &Value, part: &str| format!("{}{part}", made["path"].as_str().unwrap());
    let page = stranger(of(&first, "")).await;
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(page.status == 200 && text.contains("shared.js") && !text.contains("@VERSION@"), "{text}");
    let sound = stranger(of(&first, "/audio")).await;
    assert_eq!((sound.status.as_u16(), &sound.body, sound.header("cache-control")), (200, &wav, "no-store"));
    let about = stranger(of(&first, "/about")).await.expect(200);
    assert_eq!(about["duration_ms"], json!(1000));
    // Nothing of the office besides.
    assert_eq!(about.as_object().unwrap().len(), 3);
    stranger(of(&first, "/peaks")).await.expect(200);
    stranger(format!("/api/v1/recordings/{id}/audio")).await.expect(401);
    let list = office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/shares")).send().await.expect(200);
    assert_eq!((&list["items"][1]["opened"], &list["items"][1]["works"]), (&json!(1), &json!(true)));
    assert!(!list.to_string().contains(first["path"].as_str().unwrap().trim_start_matches("/shared/")));
    // Taken back.
    let one = format!("/api/v1/recordings/{id}/shares/{}", first["id"]);
    office.ask("sup", "DELETE", &one).send().await.expect(204);
    let browser = office.ask("", "GET", &of(&first, "")).from("192.0.2.1").header("accept", "text/html,*/*;q=0.8");
    let page = browser.send().await;
    assert!(page.status == 404 && String::from_utf8_lossy(&page.body).contains("shared.js"));
    for part in ["/audio", "/about", "/peaks"] {
        stranger(of(&first, part)).await.expect(404);
        stranger(of(&second, part)).await.expect(200);
    }
    // Ended.
    let token = second["path"].as_str().unwrap().trim_start_matches("/shared/");
    let later = Wall(clock::wall().0 + 3_600_001);
    assert!(office.store.share(token, clock::wall()).await.unwrap().is_some());
    assert!(office.store.share(token, later).await.unwrap().is_none());
    let audited = office.audited().await;
    for action in ["recording_shared", "recording_share_opened", "recording_listened", "recording_share_revoked"] {
        assert!(audited.iter().any(|(_, done, subject)| done == action && *subject == id.to_string()), "{action}");
    }
    // Guessing is slowed down, and holds up nobody else.
    let mut answers = Vec::new();
    for guess in 0..10 {
        answers.push(
            office.ask("", "GET", &format!("/shared/guess{guess}")).from("192.0.2.9").send().await.status.as_u16(),
        );
    }
    assert_eq!((answers[0], answers[9]), (404, 429), "{answers:?}");
    stranger(of(&second, "/about")).await.expect(200);
    // Nor does it keep the office behind that address from logging in.
    let log_in = office.ask("", "POST", "/api/v1/session").from("192.0.2.9");
    log_in.json(json!({"login": "anna", "password": PASSWORD})).send().await.expect(200);
}

#[tokio::test]
async fn taking_a_recording_away_is_a_right_of_its_own_and_the_card_tells_of_it() {
    let office = Office::open().await;
    let (id, wav) = recording(&office, 800).await;
    let download = format!("/api/v1/recordings/{id}/download");
    let file = office.ask("sup", "GET", &download).send().await;
    assert_eq!((file.status.as_u16(), &file.body), (200, &wav));
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"recording-"));
    office.ask("anna", "GET", &download).send().await.expect(404);
    assert!(office.audited().await.iter().any(|(who, done, _)| who == "sup" && done == "recording_downloaded"));
    // An agent hears the own talk, and does not take it away.
    let card = json!({"phones": [{"number": "+79001234567"}]});
    let client = office.ask("sup", "POST", "/api/v1/clients").json(card).send().await.expect(201);
    let call = office.talk("anna", "+79001234567").await;
    let file = office.store.get_recording(id).await.unwrap().unwrap().file;
    let new = crate::shell::store::recordings::NewRecording {
        call,
        node: crate::engine::ids::NodeId(0),
        name: "own".to_owned(),
        file,
        state: crate::shell::store::recordings::RecordingState::Stored,
        problem: String::new(),
        pauses: Vec::new(),
        at: clock::wall(),
    };
    let agent = office.agents["anna"];
    let facts = [
        crate::engine::command::Fact::CallArrived {
            call,
            node: crate::engine::ids::NodeId(0),
            channel: "c".into(),
            recording: "own".into(),
            number: "+79001234567".into(),
            dialled: "100".into(),
            by_fallback: false,
            outgoing: false,
            at: clock::wall(),
        },
        crate::engine::command::Fact::CallEnded {
            call,
            disposition: crate::engine::view::Disposition::CompleteCaller,
            cause: 16,
            waited: std::time::Duration::ZERO,
            talked: std::time::Duration::from_secs(1),
            agent: Some(agent),
            at: clock::wall(),
        },
    ];
    assert_eq!(office.store.write_facts(&facts).await.unwrap(), []);
    let own = office.store.save_recording(new).await.unwrap();
    office.ask("anna", "GET", &format!("/api/v1/recordings/{own}/audio")).send().await.expect(200);
    let refused = office.ask("anna", "GET", &format!("/api/v1/recordings/{own}/download")).send().await;
    refused.expect(403);
    let hearings = format!("/api/v1/clients/{}/hearings", client["id"]);
    let heard = office.ask("sup", "GET", &hearings).send().await.expect(200);
    let told: Vec<_> = heard["items"].as_array().unwrap().iter().map(|one| (&one["action"], &one["actor"])).collect();
    assert_eq!(told, [(&json!("recording_listened"), &json!("anna"))]);
    office.ask("anna", "GET", &hearings).send().await.expect(403);
}

#[tokio::test]
async fn what_was_said_is_shown_and_found() {
    let office = Office::open().await;
    let (id, _) = recording(&office, 800).await;
    let transcript = format!("/api/v1/recordings/{id}/transcript");
    office.ask("sup", "GET", &transcript).send().await.expect(404);
    office.store.queue_transcripts(Wall(0), clock::wall()).await.unwrap();
    let word =
        Spoken { from_ms: 20, to_ms: 300, channel: 1, text: "Здравствуйте".into(), confidence: None };
    office.store.keep_transcript(id, &[word], clock::wall()).await.unwrap();
    let told = office.ask("sup", "GET", &transcript).send().await.expect(200);
    let words = json!([{"from_ms": 20, "to_ms": 300, "channel": 1, "text": "Здравствуйте"}]);
    assert_eq!((&told["state"], &told["words"]), (&json!("done"), &words));
    office.ask("anna", "GET", &transcript).send().await.expect(404);
    let found = |text: &str| office.ask("sup", "GET", &format!("/api/v1/recordings?text={text}")).send();
    assert_eq!(found("%D0%B7%D0%B4%D1%80%D0%B0%D0%B2%D1%81").await.expect(200)["items"][0]["id"], json!(id));
    assert_eq!(found("bye").await.expect(200)["items"], json!([]));
}
