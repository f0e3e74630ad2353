//! Calls and recordings.

use std::time::Duration;

use serde_json::{Value, json};

use super::office::{Office, until};
use crate::domain::contact;
use crate::engine::command::Update;
use crate::engine::ids::{CallId, NodeId};
use crate::engine::view::CallStage;
use crate::shell::clock;
use crate::shell::store::recordings::{ArchivedFile, NewRecording, RecordingState};

const NUMBER: &str = "+79001234567";

#[tokio::test]
async fn a_call_is_held_resumed_and_ended_by_its_agent_only() {
    let office = Office::open().await;
    let call = office.talk("anna", NUMBER).await;
    let act =
        |login: &'static str, what: &str| office.ask(login, "POST", &format!("/api/v1/calls/{call}/{what}")).send();
    act("boris", "hold").await.expect(403);
    act("nobody", "hold").await.expect(403);
    let mut seen = office.updates.subscribe();
    act("anna", "hold").await.expect(204);
    until(&mut seen, |update| matches!(update, Update::Call(view) if view.stage == CallStage::Held)).await;
    act("anna", "resume").await.expect(204);
    until(&mut seen, |update| matches!(update, Update::Call(view) if view.stage == CallStage::Talking)).await;
    act("anna", "transfer/complete").await.expect(409);
    act("sup", "hangup").await.expect(204);
    until(&mut seen, |update| matches!(update, Update::CallEnded { .. })).await;
    act("anna", "hold").await.expect(404);
    office.ask("anna", "POST", "/api/v1/calls/zzz/hold").send().await.expect(404);
    // What the agent did with the own call stands with the call; what others did, in the audit.
    let audited = office.audited().await;
    assert_eq!(audited, [("sup".to_owned(), "call_ended".to_owned(), call.to_string())]);
}

#[tokio::test]
async fn transfers_go_where_they_may() {
    let office = Office::open().await;
    let call = office.talk("anna", NUMBER).await;
    let send = |body| office.ask("anna", "POST", &format!("/api/v1/calls/{call}/transfer")).json(body).send();
    send(json!({"to": {"queue": "none"}, "mode": "blind"})).await.expect(422);
    send(json!({"to": {"agent": 4711}, "mode": "blind"})).await.expect(404);
    send(json!({"to": {"agent": office.agents["boris"].0}, "mode": "blind"})).await.expect(409);
    send(json!({"to": {"number": "+12025550123"}, "mode": "blind"})).await.expect(422);
    send(json!({"to": {"number": "nobody"}, "mode": "blind"})).await.expect(422);
    send(json!({"to": {"queue": "main"}, "mode": "sideways"})).await.expect(422);
    send(json!({"to": {"queue": "main", "agent": 1}, "mode": "blind"})).await.expect(422);
    let mut seen = office.updates.subscribe();
    send(json!({"to": {"queue": "corporate"}, "mode": "blind"})).await.expect(204);
    until(&mut seen, |update| matches!(update, Update::Call(view) if view.queue.0 == 1)).await;
}

#[tokio::test]
async fn agents_see_their_own_calls_only() {
    let office = Office::open().await;
    let call = office.talk("anna", NUMBER).await;
    let count = |login: &'static str, path: &'static str| async {
        let got = office.ask(login, "GET", path).send().await.expect(200);
        got["items"].as_array().unwrap().len()
    };
    assert_eq!(count("sup", "/api/v1/calls/live").await, 1);
    assert_eq!(count("anna", "/api/v1/calls/live").await, 1);
    assert_eq!(count("boris", "/api/v1/calls/live").await, 0);
    let path = format!("/api/v1/calls/{call}");
    office.ask("boris", "GET", &path).send().await.expect(404);
    let own = office.ask("anna", "GET", &path).send().await.expect(200);
    assert_eq!(own["now"]["stage"], "talking");

    let mut seen = office.updates.subscribe();
    office.caller_hangs_up(NUMBER).await;
    until(&mut seen, |update| matches!(update, Update::CallEnded { .. })).await;
    let whole = ended(&office, &path).await;
    assert_eq!((&whole["now"], &whole["call"]["disposition"]), (&json!(null), &json!("COMPLETECALLER")));
    assert_eq!(whole["call"]["agent_name"], "anna");
    assert_eq!(whole["offers"][0]["outcome"], "ANSWERED");
    assert_eq!(whole["legs"][0]["agent"], office.agents["anna"].0);
    assert_eq!(count("anna", "/api/v1/calls").await, 1);
    assert_eq!(count("boris", "/api/v1/calls").await, 0);
    office.ask("boris", "GET", &path).send().await.expect(404);
    assert_eq!(count("sup", "/api/v1/calls?disposition=COMPLETECALLER&number=4567&queue=main").await, 1);
    assert_eq!(count("sup", "/api/v1/calls?disposition=ABANDON").await, 0);
    office.ask("sup", "GET", "/api/v1/calls/00000000000000aa").send().await.expect(404);
}

/// The call, once the journal has its end.
async fn ended(office: &Office, path: &str) -> serde_json::Value {
    let wait = async {
        loop {
            let got = office.ask("sup", "GET", path).send().await;
            if got.status == 200 && !got.expect(200)["call"]["ended_at"].is_null() {
                return got.expect(200);
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the journal is written")
}

#[tokio::test]
async fn the_queue_board_shows_agents_the_counts_only() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    office.ring(NUMBER).await;
    until(&mut seen, |update| matches!(update, Update::Call(view) if view.stage == CallStage::Waiting)).await;
    let board = office.ask("sup", "GET", "/api/v1/queue").send().await.expect(200);
    assert_eq!((&board["waiting"][0]["call"]["number"], &board["waiting"][0]["position"]), (&json!(NUMBER), &json!(1)));
    assert_eq!(board["agents"].as_array().unwrap().len(), 2);
    let board = office.ask("anna", "GET", "/api/v1/queue").send().await.expect(200);
    assert_eq!((&board["waiting"], &board["waiting_total"]), (&json!([]), &json!(1)));
    assert_eq!(board["agents"].as_array().unwrap().len(), 1);
    assert_eq!(board["queues"][0], json!({"name": "main", "waiting": 1}));
    let metrics = office.ask("", "GET", "/metrics").send().await;
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("perezvon_callers_waiting{queue=\"main\"} 1"), "{text}");
    assert!(text.contains("perezvon_asterisk_up{node=\"here\"} 1"), "{text}");
    office.ask("", "GET", "/metrics").header("x-forwarded-for", "1.2.3.4").send().await.expect(401);
}

/// A stored recording of so many samples on each side.
pub(super) async fn recording(office: &Office, samples: usize) -> (i64, Vec<u8>) {
    let raw: Vec<u8> = (0..samples).flat_map(|n| [(n % 100) as u8, 1, 0, 2]).collect();
    let (wav, _) = crate::speech::wav::stereo_wav_from_raw(&raw, 8000).unwrap();
    let path = office.folder.path().join("recordings/2026/a.wav");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, &wav).unwrap();
    let file = ArchivedFile {
        path: "2026/a.wav".to_owned(),
        sha256: crate::shell::store::sha256_hex(&wav),
        bytes: wav.len() as u64,
        duration: Duration::from_secs(1),
        channels: 2,
        left_rms: 1,
        right_rms: 1,
    };
    (save(office, "a", Some(file), RecordingState::Stored).await, wav)
}

async fn save(office: &Office, name: &str, file: Option<ArchivedFile>, state: RecordingState) -> i64 {
    let new = NewRecording {
        call: CallId(77 << 20),
        node: NodeId(0),
        name: name.to_owned(),
        file,
        state,
        problem: String::new(),
        pauses: Vec::new(),
        at: clock::wall(),
    };
    office.store.save_recording(new).await.unwrap()
}

#[tokio::test]
async fn a_recording_is_heard_whole_and_in_parts_and_the_audit_knows() {
    let office = Office::open().await;
    let (id, wav) = recording(&office, 8000).await;
    let audio = |range: &'static str| {
        let ask = office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/audio"));
        if range.is_empty() { ask.send() } else { ask.header("range", range).send() }
    };
    let whole = audio("").await;
    assert_eq!((whole.status.as_u16(), whole.header("content-type"), &whole.body), (200, "audio/wav", &wav));
    let part = audio("bytes=10-19").await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &wav[10..20]));
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", wav.len()));
    let outside = audio("bytes=99999999-").await;
    outside.expect(416);
    assert_eq!(outside.header("content-range"), format!("bytes */{}", wav.len()));
    let peaks = office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/peaks")).send().await.expect(200);
    assert_eq!((&peaks["duration_ms"], peaks["left"].as_array().unwrap().len()), (&json!(1000), 1000));
    let list = office.ask("sup", "GET", "/api/v1/recordings").send().await.expect(200);
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["state"]), (&json!(id), &json!("stored")));
    // Not one of hers.
    office.ask("anna", "GET", &format!("/api/v1/recordings/{id}/audio")).send().await.expect(404);
    assert_eq!(office.ask("anna", "GET", "/api/v1/recordings").send().await.expect(200)["items"], json!([]));
    let audited = office.audited().await;
    assert_eq!(audited, [("sup".to_owned(), "recording_listened".to_owned(), id.to_string())]);
}

#[tokio::test]
async fn a_flac_is_sent_as_it_is_kept_or_as_a_wav_and_drawn_like_one() {
    use std::io::Write as _;
    let office = Office::open().await;
    let raw: Vec<u8> = (0..8000).flat_map(|n| [(n % 100) as u8, 1, 0, 2]).collect();
    let (wav, _) = crate::speech::wav::stereo_wav_from_raw(&raw, 8000).unwrap();
    let mut flac = std::io::Cursor::new(Vec::new());
    let options = flac_codec::encode::Options::fast();
    let mut writer = flac_codec::encode::FlacByteWriter::endian(
        &mut flac,
        flac_codec::byteorder::LittleEndian,
        options,
        8000,
        16,
        2,
        None,
    )
    .unwrap();
    writer.write_all(&raw).unwrap();
    writer.finalize().unwrap();
    let flac = flac.into_inner();
    let (_, plain) = recording(&office, 8000).await;
    assert_eq!(plain, wav);
    std::fs::write(office.folder.path().join("recordings/2026/b.flac"), &flac).unwrap();
    let file = ArchivedFile {
        path: "2026/b.flac".to_owned(),
        sha256: crate::shell::store::sha256_hex(&flac),
        bytes: flac.len() as u64,
        duration: Duration::from_secs(1),
        channels: 2,
        left_rms: 1,
        right_rms: 1,
    };
    let id = save(&office, "b", Some(file), RecordingState::Stored).await;
    let audio = |query: &str, range: &'static str| {
        office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/audio{query}")).header("range", range).send()
    };
    let kept = audio("", "bytes=4-99").await;
    assert_eq!((kept.status.as_u16(), kept.header("content-type"), &kept.body[..]), (206, "audio/flac", &flac[4..100]));
    let part = audio("?format=wav", "bytes=20001-20100").await;
    assert_eq!(
        (part.status.as_u16(), part.header("content-type"), &part.body[..]),
        (206, "audio/wav", &wav[20_001..20_101])
    );
    assert_eq!(audio("?format=wav", "bytes=0-").await.body, wav);
    assert_ne!(kept.header("etag"), part.header("etag"));
    audio("?format=ogg", "bytes=0-").await.expect(400);
    let peaks = office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/peaks")).send().await.expect(200);
    assert_eq!((&peaks["duration_ms"], peaks["right"].as_array().unwrap().len()), (&json!(1000), 1000));
}

#[tokio::test]
async fn an_agent_hears_the_own_talks_and_no_others() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    let call = office.talk("anna", "+79001234567").await;
    office.caller_hangs_up("+79001234567").await;
    // With the contact the call is written, and who talked.
    until(&mut seen, |update| matches!(update, Update::Contact { state: contact::State::Done, .. })).await;
    let (_, wav) = recording(&office, 800).await;
    let file = ArchivedFile {
        path: "2026/a.wav".to_owned(),
        sha256: crate::shell::store::sha256_hex(&wav),
        bytes: wav.len() as u64,
        duration: Duration::from_millis(100),
        channels: 2,
        left_rms: 1,
        right_rms: 1,
    };
    let new = NewRecording {
        call,
        node: NodeId(0),
        name: "own".to_owned(),
        file: Some(file),
        state: RecordingState::Stored,
        problem: String::new(),
        pauses: Vec::new(),
        at: clock::wall(),
    };
    let own = office.store.save_recording(new).await.unwrap();
    let list = |login, query: &str| office.ask(login, "GET", &format!("/api/v1/recordings{query}")).send();
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&list("anna", "").await.expect(200)), [json!(own)]);
    let (anna, boris) = (office.agents["anna"].0, office.agents["boris"].0);
    assert_eq!(ids(&list("anna", &format!("?agent={anna}")).await.expect(200)), [json!(own)]);
    assert_eq!(ids(&list("anna", &format!("?agent={boris}")).await.expect(200)), Vec::<Value>::new());
    assert_eq!(ids(&list("boris", "").await.expect(200)), Vec::<Value>::new());
    for part in ["", "/audio", "/peaks"] {
        list("anna", &format!("/{own}{part}")).await.expect(200);
        list("boris", &format!("/{own}{part}")).await.expect(404);
    }
    let whole = office.ask("anna", "GET", &format!("/api/v1/calls/{call}")).send().await.expect(200);
    assert_eq!(whole["recordings"][0]["id"], json!(own));
    let heard = ("anna".to_owned(), "recording_listened".to_owned(), own.to_string());
    assert_eq!(office.audited().await.iter().filter(|entry| **entry == heard).count(), 1);
}

#[tokio::test]
async fn a_recording_without_its_file_is_told() {
    let office = Office::open().await;
    let missing = save(&office, "b", None, RecordingState::Missing).await;
    let audio = |id: i64| office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/audio")).send();
    audio(missing).await.expect(404);
    audio(4711).await.expect(404);
    let (id, _) = recording(&office, 10).await;
    std::fs::remove_file(office.folder.path().join("recordings/2026/a.wav")).unwrap();
    audio(id).await.expect(404);
    office.ask("sup", "GET", &format!("/api/v1/recordings/{id}/peaks")).send().await.expect(404);
    let mut file = office.store.get_recording(id).await.unwrap().unwrap().file.unwrap();
    file.path = "../test.db".to_owned();
    let outside = save(&office, "c", Some(file), RecordingState::Stored).await;
    audio(outside).await.expect(500);
}
